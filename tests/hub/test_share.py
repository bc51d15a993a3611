"""How spaces are shared among workers: by the rule alone, whoever looks when."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from fedbot.hub.share import MOST_CLAIMED, Shares

WORKERS = st.lists(st.sampled_from("abcde"), min_size=1, unique=True)


@given(WORKERS, st.lists(st.sampled_from([*"abcde", "gone", ""]), max_size=40), st.randoms(use_true_random=False))
def test_workers_that_look_in_any_order_end_with_equal_shares_and_then_leave_it_so(
    workers: list[str], holders: list[str], chance: object
) -> None:
    held = {f"s{number}": holder for number, holder in enumerate(holders) if holder}
    free = {f"s{number}" for number, holder in enumerate(holders) if not holder}
    alive = frozenset(workers)
    for turn in range(200):
        worker = workers[chance.randrange(len(workers))] if turn < 150 else workers[turn % len(workers)]  # type: ignore[attr-defined]
        shares = Shares(alive, dict(held), set(free))
        claimed, let_go = shares.to_claim(worker), shares.to_let_go(worker)
        assert [] in (claimed, let_go)
        assert len(claimed) <= MOST_CLAIMED
        for space in let_go:
            del held[space]
            free.add(space)
        for space in claimed:
            held[space] = worker
            free.remove(space)
        if turn > 150 + 3 * len(workers):
            assert claimed == let_go == [], "nothing moves any more"
    counted = Counter(holder for holder in held.values() if holder in alive)
    shares_in_the_end = [counted[worker] for worker in workers]
    assert not free
    assert max(shares_in_the_end) - min(shares_in_the_end) <= 1
