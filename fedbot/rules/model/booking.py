"""What a booking keeps beside its transfer: what stands against handing it over as agreed."""

from __future__ import annotations

from dataclasses import dataclass
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
