"""What a booking keeps beside its transfer, and what other cards show of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Hindrance(StrEnum):
    """Why a line of a booking can't be handed over as InvenTree stands."""

    GONE = "gone"
    NOT_HERE = "not here"
    LESS = "less"
    CONDITION = "condition"
    LENT = "lent"


@dataclass(frozen=True)
class Obstacle:
    """Why that line of a booking can't be handed over as agreed; `left` is how much of it there is."""

    line: int
    why: Hindrance
    left: Decimal = Decimal(0)


@dataclass(frozen=True)
class Reserved:
    """A booking that something else would break: its code, for which party it is, and its days.

    `waits`: it isn't booked, but that party waits for it since the `first` day, and comes before.
    """

    code: str
    peer: str
    first: date
    last: date
    waits: bool = False
