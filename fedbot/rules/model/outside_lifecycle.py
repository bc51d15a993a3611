"""The life of a loan to a neighbour without a bot as a table: its states, and from which to which it may go."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class OutsideState(StrEnum):
    """Where it stands. `UNCLEAR`: nobody can tell whether a step was done, or it can't be done; people look."""

    BOOKING_OUT = "booking out"
    OUT = "out"
    COMING_BACK = "coming back"
    RETURNED = "returned"
    GIFT = "gift"
    LOST = "lost"
    NOT_LENT = "not lent"
    UNCLEAR = "unclear"
    CLOSED = "closed"
    """People have put it right by hand."""


O = OutsideState  # noqa: E741 -- a table's short name
OVER = frozenset({O.RETURNED, O.GIFT, O.LOST, O.NOT_LENT, O.CLOSED})
OUTSIDE_ARROWS: Mapping[OutsideState | None, frozenset[OutsideState]] = {
    None: frozenset({O.BOOKING_OUT}),
    O.BOOKING_OUT: frozenset({O.OUT, O.NOT_LENT, O.UNCLEAR}),
    O.OUT: frozenset({O.COMING_BACK, O.GIFT, O.LOST}),
    O.COMING_BACK: frozenset({O.RETURNED, O.UNCLEAR}),
    O.UNCLEAR: frozenset({O.COMING_BACK, O.GIFT, O.LOST, O.CLOSED}),
}
"""What one event may do; `decide` refuses to commit any other arrow."""


def allows(before: OutsideState | None, after: OutsideState) -> bool:
    """Whether it may go there."""
    return before is after or after in OUTSIDE_ARROWS.get(before, frozenset())
