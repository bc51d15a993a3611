"""InvenTree's own history of a stock item, in which our marks are found again.

A mark is the first word of an entry's notes, and is compared as a whole: `fed:x:1` is not `fed:x:10`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fedbot.inventree.rows import Row
from fedbot.inventree.server import UNDONE, Entry, Server
from fedbot.ports.inventory import Refusal

__all__ = ["UNDONE", "Entry", "Trace", "read_ahead", "read_item", "trace"]

# Types of entries.
RETURNED = frozenset({15, 105})
MOVED = frozenset({20, 25})
SPLIT_FROM_PARENT = 40
SPLIT_CHILD = 42
SENT_TO_CUSTOMER = 100

_PAGE = 50
_FEW = 10
"""Entries that come with their stock item: each takes InvenTree some milliseconds, and most items have few."""


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
    line = mark[: mark.rfind(":") + 1]
    read = server.read_ahead.pop((line, item), None)
    marked = _found(server, mark, item) if read is None else read
    return Trace(tuple(entry for entry in marked if entry.notes.partition(" ")[0] == mark))


def read_ahead(server: Server, line: str, item: int) -> tuple[Entry, ...]:
    """All entries whose mark begins so, newest first. The next `trace` of such a mark needs no call."""
    found = _found(server, line, item)
    server.read_ahead[line, item] = found
    return found


def read_item(server: Server, item: int, lines: Iterable[str]) -> dict[str, Any] | None:
    """The stock item as its history carries it along: both in one call. None if it has none, or a very long one.

    The next `trace` of a mark that begins like one of `lines` needs no call.
    """
    try:
        page = server.api.row("stock/track/", item=item, item_detail="true", limit=_FEW)
    except Refusal:  # the history of a deleted item can't be asked for: 400
        return None
    rows = page.get("results") or []
    details = [row.get("item_detail") for row in rows]
    if page.get("next") or not details or not isinstance(details[0], dict) or details[0].get("pk") != item:
        return None
    entries = tuple(sorted((_entry(row) for row in rows), key=lambda entry: entry.pk, reverse=True))
    for line in lines:
        server.read_ahead[line, item] = tuple(entry for entry in entries if entry.notes.startswith(line))
    return details[0]


def _found(server: Server, beginning: str, item: int) -> tuple[Entry, ...]:
    query: dict[str, object] = {"search": beginning} if server.version.searches_history else {"item": item}
    entries: list[Entry] = []
    while True:
        try:
            page = server.api.row("stock/track/", **query, limit=_PAGE, offset=len(entries))
        except Refusal:
            if server.version.searches_history:
                raise
            return ()  # the history of a deleted item can't be asked for: 400
        rows = page.get("results") or []
        entries += [_entry(row) for row in rows]
        if not page.get("next") or not rows:
            break
    marked = [entry for entry in entries if entry.notes.startswith(beginning)]
    return tuple(sorted(marked, key=lambda entry: entry.pk, reverse=True))


def _entry(row: Row) -> Entry:
    return Entry(
        pk=int(row["pk"]),
        item=row.get("item"),
        kind=int(row.get("tracking_type") or 0),
        notes=str(row.get("notes") or ""),
        deltas=row.get("deltas") or {},
    )
