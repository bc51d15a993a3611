"""InvenTree's own history of a stock item, in which our marks are found again (DESIGN §6, facts "(a)").

A mark is the first word of an entry's notes, and is compared as a whole: `fed:x:1` is not `fed:x:10`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fedbot.inventree.rows import Row
from fedbot.inventree.server import Server
from fedbot.ports import Refusal

# Types of entries (facts/inventree.md, "The chain that works on all four versions").
RETURNED = frozenset({15, 105})
MOVED = frozenset({20, 25})
SPLIT_FROM_PARENT = 40
SPLIT_CHILD = 42
SENT_TO_CUSTOMER = 100

# The second word of the notes by which we take an act of our own back, in the name of the same mark.
UNDONE = "undone:"

_PAGE = 50


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


@dataclass(frozen=True)
class Trace:
    """All entries with one mark, newest first."""

    entries: tuple[Entry, ...]

    @property
    def stands(self) -> bool:
        """Whether the act was done and not taken back by us."""
        return bool(self.entries) and not self.entries[0].undone

    def last(self, kinds: frozenset[int], item: int | None = None) -> Entry | None:
        """The newest entry of these kinds (on this item), since the last time we took the act back."""
        for entry in self.entries:
            if entry.undone:
                return None
            if entry.kind in kinds and item in (None, entry.item):
                return entry
        return None


def trace(server: Server, mark: str, item: int) -> Trace:
    """What the history says of `mark`; where it can't be searched (API < 320), what that of `item` says."""
    query: dict[str, object] = {"search": mark} if server.version.searches_history else {"item": item}
    entries: list[Entry] = []
    while True:
        try:
            page = server.api.row("stock/track/", **query, limit=_PAGE, offset=len(entries))
        except Refusal:
            if server.version.searches_history:
                raise
            return Trace(())  # the history of a deleted item can't be asked for: 400
        rows = page.get("results") or []
        entries += [_entry(row) for row in rows]
        if not page.get("next") or not rows:
            break
    marked = [entry for entry in entries if entry.notes.partition(" ")[0] == mark]
    return Trace(tuple(sorted(marked, key=lambda entry: entry.pk, reverse=True)))


def _entry(row: Row) -> Entry:
    return Entry(
        pk=int(row["pk"]),
        item=row.get("item"),
        kind=int(row.get("tracking_type") or 0),
        notes=str(row.get("notes") or ""),
        deltas=row.get("deltas") or {},
    )
