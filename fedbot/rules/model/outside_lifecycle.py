"""The life of a loan to a neighbour without a bot as a table: its states, and from which to which it may go."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class OutsideState(StrEnum):
    """Where it stands. `UNCLEAR`: nobody can tell whether a step was done, or it can't be done; people look.

    `HANDING_OVER`: the neighbour has a bot by now, and is offered it as an ordinary loan; `HANDED_OVER`: it is one.
    """

    BOOKING_OUT = "booking out"
    OUT = "out"
    HANDING_OVER = "handing over"
    HANDED_OVER = "handed over"
    COMING_BACK = "coming back"
    RETURNED = "returned"
    GIFT = "gift"
    LOST = "lost"
    NOT_LENT = "not lent"
    UNCLEAR = "unclear"
    CLOSED = "closed"
    """People have put it right by hand."""


O = OutsideState  # noqa: E741 -- a table's short name
OVER = frozenset({O.HANDED_OVER, O.RETURNED, O.GIFT, O.LOST, O.NOT_LENT, O.CLOSED})
ENDS_OF_A_LOAN = OVER - {O.NOT_LENT, O.CLOSED}
MAY_BE_HANDED_OVER = frozenset({O.OUT, O.UNCLEAR})
OUTSIDE_ARROWS: Mapping[OutsideState | None, frozenset[OutsideState]] = {
    None: frozenset({O.BOOKING_OUT, O.OUT, O.HANDING_OVER, O.UNCLEAR}),
    O.BOOKING_OUT: frozenset({O.OUT, O.NOT_LENT, O.UNCLEAR}),
    O.OUT: frozenset({O.HANDING_OVER, O.COMING_BACK, O.GIFT, O.LOST}),
    O.HANDING_OVER: frozenset({O.HANDED_OVER, O.OUT, O.BOOKING_OUT, O.UNCLEAR, O.CLOSED}),
    O.COMING_BACK: frozenset({O.RETURNED, O.UNCLEAR}),
    O.UNCLEAR: frozenset({O.HANDING_OVER, O.COMING_BACK, O.GIFT, O.LOST, O.CLOSED}),
}
"""What one event may do; `decide` refuses to commit any other arrow. After a loss it is found as it stood."""


def allows(before: OutsideState | None, after: OutsideState) -> bool:
    """Whether it may go there."""
    return before is after or after in OUTSIDE_ARROWS.get(before, frozenset())
