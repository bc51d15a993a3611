"""The table of budgets and its arithmetic: a burst at once, then one for each interval."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedbot.rules import budgets
from fedbot.rules.budgets import HOURLY, LIMITS, MESSAGES, Limit, Scope, limits, spend
from fedbot.rules.model.catalogue import Allowance
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.protocol.bodies import KINDS

NOW = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOME = PartyConfig(party="beta", name="Beta", bot="@beta:x", key="ab" * 32)
THREE = (Limit(3, MINUTE),)


def test_every_kind_of_protocol_message_has_a_budget() -> None:
    assert MESSAGES.keys() == KINDS.keys()
    assert {budget for budget, _ in MESSAGES.values()} <= LIMITS.keys()


def test_messages_that_move_stock_have_a_budget_for_each_subject() -> None:
    moving = {"approve", "sent", "received", "refused", "done", "aborted", "reverted", "disputed", "cancel", "decline"}
    assert {MESSAGES[kind][1] for kind in moving} == {Scope.SUBJECT}


@pytest.mark.parametrize("what", sorted({*LIMITS, *HOURLY}))
def test_every_budget_runs_out_and_comes_back(what: str) -> None:
    by, known, spent = limits(HOME, what), Allowance("x"), 0
    again: datetime | None = None
    while again is None:
        known, again = spend(known, by, NOW)
        spent += again is None
    assert spent == min(limit.most for limit in by)
    assert spend(known, by, again)[1] is None
    assert spend(known, by, again - timedelta(seconds=1))[1] is not None


def test_over_budget_nothing_is_spent() -> None:
    known = Allowance("x")
    for _ in range(3):
        known, again = spend(known, THREE, NOW)
        assert again is None
    assert spend(known, THREE, NOW) == (known, NOW + MINUTE)
    assert spend(known, THREE, NOW + MINUTE)[1] is None


def test_a_budget_spent_under_a_fast_clock_comes_back_in_its_own_time() -> None:
    known = Allowance("x", (NOW + timedelta(days=900),))
    assert spend(known, THREE, NOW)[1] == NOW + MINUTE


@given(st.lists(st.integers(0, 300), max_size=60), st.integers(1, 8), st.integers(1, 90))
def test_no_period_spends_more_than_the_limit(pauses: list[int], most: int, every: int) -> None:
    known, now, spent = Allowance("x"), NOW, []
    by = (Limit(most, timedelta(seconds=every)),)
    for pause in pauses:
        now += timedelta(seconds=pause)
        known, again = spend(known, by, now)
        if again is None:
            spent.append(now)
        else:
            assert now < again <= now + timedelta(seconds=every)
    for first, start in enumerate(spent):
        for last in range(first, len(spent)):
            seconds = (spent[last] - start).total_seconds()
            assert last - first + 1 <= most + seconds // every + 1


def test_a_peer_may_not_make_us_wait_for_more_than_an_hour() -> None:
    assert budgets.again_in(NOW, NOW + timedelta(days=900)) == NOW + budgets.HOUR
    assert budgets.again_in(NOW, NOW - timedelta(days=900)) == NOW
    assert budgets.again_in(NOW, None) == NOW + budgets.HOUR
