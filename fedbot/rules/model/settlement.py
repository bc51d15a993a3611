"""What may be true of a transfer of which nobody can tell by machine, by the words that people type."""

from __future__ import annotations

from dataclasses import dataclass

LEFT, OUT, STAYS = "left", "out", "stays"
ARRIVED, BACK, LOST = "arrived", "back", "lost"
BOOKED, NEVER, COME, STANDS = "booked", "never", "come", "stands"
FOUND = "found"
SETTLED = "settled"
"""Why a line did not go on, where people have said so."""
GONE = "gone"


@dataclass(frozen=True)
class Truth:
    """One thing that may be true, by the word that stands for it; `item` is the stock item that it is about."""

    name: str
    item: int | None = None

    @property
    def typed(self) -> str:
        """As it is typed behind `--as`."""
        return f"{self.name} #{self.item}" if self.item is not None and self.name in {LEFT, BOOKED} else self.name
