"""The distribution of spaces over workers, by the rule alone and in any order of looks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bench import share
from fedbot.hub.share import MOST_CLAIMED, MOST_LET_GO, Shares

WORKERS = st.lists(st.sampled_from("abcde"), min_size=1, unique=True)


@given(
    WORKERS,
    st.lists(st.sampled_from([*"abcde", "gone", ""]), max_size=40),
    st.lists(st.sampled_from(["", "", *"abcde"]), min_size=40, max_size=40),
    st.randoms(use_true_random=False),
)
def test_workers_in_any_order_end_with_equal_shares_and_respect_wanted_places(
    workers: list[str], holders: list[str], places: list[str], chance: object
) -> None:
    held = {f"s{number}": holder for number, holder in enumerate(holders) if holder}
    free = {f"s{number}" for number, holder in enumerate(holders) if not holder}
    wanted = {f"s{number}": place for number, place in enumerate(places[: len(holders)]) if place}
    alive = frozenset(workers)
    for turn in range(300):
        worker = workers[chance.randrange(len(workers))] if turn < 200 else workers[turn % len(workers)]  # type: ignore[attr-defined]
        shares = Shares(alive, dict(held), set(free), wanted)
        claimed, let_go = shares.to_claim(worker), shares.to_let_go(worker)
        assert len(claimed) <= MOST_CLAIMED
        assert len(let_go) <= max(MOST_LET_GO, len(held) // 10)
        assert not set(let_go) & free
        for space in let_go:
            del held[space]
            free.add(space)
        for space in claimed:
            held[space] = worker
            free.remove(space)
        if turn > 300 - len(workers):
            assert claimed == let_go == [], "nothing moves any more"
    assert not free
    there = {space: place for space, place in wanted.items() if place in alive and held[space] in alive}
    assert all(held[space] == place for space, place in there.items())
    counted, as_wanted = Counter(held.values()), Counter(there.values())
    least = min(counted[worker] for worker in workers)
    for worker in workers:
        assert counted[worker] <= max(least + 1, as_wanted[worker])


def test_the_documentation_has_the_table_of_today() -> None:
    assert share.table() in (Path(__file__).parents[2] / "docs" / "performance.md").read_text()
