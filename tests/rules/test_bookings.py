"""The free quantity by day: the arithmetic compared with a count of each day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fedbot.rules.loan.bookings import Span, least_free, nearest
from fedbot.rules.model.lifecycles import TransferState
from tests.scenarios.scenes import transfer

TODAY = date(2026, 11, 24)
BOOKED = replace(transfer(), state=TransferState.BOOKED)
DAYS = st.integers(0, 40).map(lambda number: TODAY + timedelta(days=number))
QUANTITIES = st.integers(1, 5).map(Decimal)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    first = draw(DAYS)
    last = draw(st.one_of(st.none(), st.integers(0, 15).map(lambda length: first + timedelta(days=length))))
    return Span(BOOKED, draw(QUANTITIES), first, last)


def counted(there: Decimal, taken: list[Span], first: date, length: int) -> Decimal:
    days = (first + timedelta(days=number) for number in range(length + 1))
    return min(there - sum((s.quantity for s in taken if s.covers(day)), Decimal(0)) for day in days)


@given(st.lists(spans(), max_size=6), QUANTITIES, DAYS, st.integers(0, 15))
def test_the_free_quantity_is_that_of_the_fullest_day(
    taken: list[Span], there: Decimal, first: date, length: int
) -> None:
    assert least_free(there, taken, first, first + timedelta(days=length)) == counted(there, taken, first, length)


@given(st.lists(spans(), max_size=6), QUANTITIES, QUANTITIES, DAYS, st.integers(0, 10))
def test_the_nearest_free_days_are_free_and_none_nearer_is(
    taken: list[Span], there: Decimal, quantity: Decimal, first: date, length: int
) -> None:
    found = nearest(there, taken, quantity, (first, first + timedelta(days=length)), TODAY)
    if found is None:
        assert counted(there, taken, first, length) < quantity
        return
    assert counted(there, taken, found, length) >= quantity
    apart = abs((found - first).days)
    for number in range(-apart + 1, apart):
        day = first + timedelta(days=number)
        assert day < TODAY or counted(there, taken, day, length) < quantity


@given(st.lists(st.tuples(DAYS, st.integers(0, 10), QUANTITIES), max_size=12), QUANTITIES)
def test_no_day_is_promised_twice_however_many_ask(wishes: list[tuple[date, int, Decimal]], there: Decimal) -> None:
    agreed: list[Span] = []
    for first, length, quantity in wishes:
        last = first + timedelta(days=length)
        if least_free(there, agreed, first, last) >= quantity:
            agreed.append(Span(BOOKED, quantity, first, last))
    assert all(counted(there, agreed, TODAY, 60) >= 0 for _ in [0])
