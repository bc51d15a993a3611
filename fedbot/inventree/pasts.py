"""What of stock items' histories is remembered, so that it isn't read again (`merges`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class Past:
    """What of an item's history matters for merges, as long as that has so many `entries`.

    `split_off` are the items that were split off by no act of ours, with how much; `merged` is when something was last
    merged into it.
    """

    entries: int
    split_off: tuple[tuple[int, Decimal], ...] = ()
    merged: datetime | None = None
