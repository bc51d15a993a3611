"""The order in which friends are asked: everybody once under any policy, those who have enough alone first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fedbot.rules.model.from_anyone import Candidate, Order, RotaPolicy
from fedbot.rules.model.lifecycles import ROTA_ARROWS, RotaState, allows
from fedbot.rules.transfer.from_anyone import ranked

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
PARTIES = ("alpha", "beta", "gamma", "delta", "epsilon")
candidates = st.lists(
    st.builds(
        Candidate,
        st.sampled_from(PARTIES),
        st.integers(1, 50).map(Decimal),
        st.integers(-5, 5).map(Decimal),
        st.none() | st.integers(0, 3).map(lambda days: BEGIN + timedelta(days=days)),
    ),
    unique_by=lambda each: each.party,
)
policies = st.builds(
    RotaPolicy,
    st.lists(st.sampled_from(Order), unique=True).map(tuple),
    st.lists(st.sampled_from(PARTIES), unique=True).map(tuple),
)


@given(candidates, st.integers(1, 50).map(Decimal), policies)
def test_everybody_is_asked_once_and_those_who_have_enough_first(
    known: list[Candidate], wanted: Decimal, policy: RotaPolicy
) -> None:
    asked = ranked(known, wanted, policy)
    assert sorted(each.party for each in asked) == sorted(each.party for each in known)
    assert asked == ranked(list(reversed(known)), wanted, policy)
    for one, other in pairwise(asked):
        assert (one.quantity >= wanted) >= (other.quantity >= wanted)


@given(candidates, policies)
def test_the_policys_first_criterion_decides_first(known: list[Candidate], policy: RotaPolicy) -> None:
    asked = ranked(known, Decimal(1), policy)
    first = policy.order[0] if policy.order else None
    for one, other in pairwise(asked):
        match first:
            case Order.NEAREST:
                places = [policy.nearest.index(p) if p in policy.nearest else 99 for p in (one.party, other.party)]
                assert places == sorted(places)
            case Order.BALANCE:
                assert one.balance >= other.balance
            case Order.RESTED:
                assert other.asked is not None or one.asked is None
                assert one.asked is None or other.asked is None or one.asked <= other.asked
            case Order.MOST:
                assert one.quantity >= other.quantity
            case None:
                assert one.party < other.party


def test_a_finished_rota_stays_finished() -> None:
    for state in (RotaState.FILLED, RotaState.NOBODY, RotaState.STOPPED):
        assert not ROTA_ARROWS.get(state)
        assert not any(allows(state, other) for other in RotaState if other is not state)
    reached = {state for states in ROTA_ARROWS.values() for state in states}
    assert reached == set(RotaState)
