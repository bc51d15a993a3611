"""What of stock items' histories is remembered, so that it isn't read again (`merges`, `history`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

# The second word of the notes by which we take an act of our own back, in the name of the same mark.
UNDONE = "undone:"


@dataclass(frozen=True)
class Past:
    """What of an item's history matters for merges, as long as that has so many `entries`.

    `split_off` are the items that were split off by no act of ours, with how much; `merged` is when something was last
    merged into it.
    """

    entries: int
    split_off: tuple[tuple[int, Decimal], ...] = ()
    merged: datetime | None = None


@dataclass(frozen=True)
class Entry:
    """One entry. `item` is None if the stock item was deleted since."""

    pk: int
    item: int | None
    kind: int
    notes: str
    deltas: Mapping[str, Any]

    @property
    def undone(self) -> bool:
        """Whether it tells that we took our own act back."""
        return self.notes.partition(" ")[2].startswith(UNDONE)
