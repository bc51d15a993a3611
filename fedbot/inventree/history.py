"""InvenTree's own history of a stock item, which contains our marks: read, and searched for a step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fedbot.inventree.client.rows import Row
from fedbot.inventree.client.server import Entry, Server
from fedbot.ports.inventory import Refusal

# Types of entries.
RETURNED = frozenset({15, 105})
MOVED = frozenset({20, 25})
EDITED = 5
SPLIT_FROM_PARENT = 40
SPLIT_CHILD = 42
MERGED = 45
SENT_TO_CUSTOMER = 100

_PAGE = 50
LONG_PAGE = 250
_FEW = 10
"""The entries that come with their stock item: each costs InvenTree some milliseconds, and most items have few."""


@dataclass(frozen=True)
class Trace:
    """All entries with one mark, newest first."""

    entries: tuple[Entry, ...]

    @property
    def stands(self) -> bool:
        """Whether the step was done and we haven't undone it."""
        return bool(self.entries) and not self.entries[0].undone

    def last(self, kinds: frozenset[int], item: int | None = None) -> Entry | None:
        """The newest entry of these kinds (on this item), since we last undid the step."""
        for entry in self.entries:
            if entry.undone:
                return None
            if entry.kind in kinds and item in (None, entry.item):
                return entry
        return None


def trace(server: Server, mark: str, item: int) -> Trace:
    """The history entries of `mark`; below API 320, which can't search histories, only those of `item`."""
    line = mark[: mark.rfind(":") + 1]
    read = server.read_ahead.pop((line, item), None)
    marked = _found(server, mark, item) if read is None else read
    return Trace(tuple(entry for entry in marked if entry.notes.partition(" ")[0] == mark))


def read_ahead(server: Server, line: str, item: int) -> tuple[Entry, ...]:
    """All entries whose mark begins like this, newest first. The next `trace` of such a mark needs no call."""
    found = _found(server, line, item)
    server.read_ahead[line, item] = found
    return found


def read_item(server: Server, item: int, lines: Iterable[str]) -> dict[str, Any] | None:
    """The stock item and its history in one call. None if it has no history, or a very long one.

    The next `trace` of a mark that begins like one of `lines` needs no call.
    """
    try:
        page = server.api.row("stock/track/", item=item, item_detail="true", limit=_FEW)
    except Refusal:  # InvenTree refuses the history of a deleted item: 400
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
    searches = server.version.searches_history
    query: dict[str, object] = {"search": beginning} if searches else {"item": item}
    try:
        entries = [_entry(row) for row in pages(server, "stock/track/", size=_PAGE, **query)]
    except Refusal:
        if searches:
            raise
        return ()  # InvenTree refuses the history of a deleted item: 400
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


def history_of(server: Server, item: int) -> list[dict[str, Any]]:
    """All entries of one stock item, newest first; none if it was deleted."""
    try:
        return list(pages(server, "stock/track/", item=item))
    except Refusal:  # InvenTree refuses the history of a deleted item: 400
        return []


def history_of_part(server: Server, part: int) -> Iterator[dict[str, Any]]:
    """All entries of a part's stock items, deleted ones included, newest first."""
    return pages(server, "stock/track/", part=part)


def pages(server: Server, url: str, size: int = LONG_PAGE, **query: object) -> Iterator[dict[str, Any]]:
    """All rows of a long list, read page by page."""
    offset = 0
    while True:
        page = server.api.row(url, **query, limit=size, offset=offset)
        rows = page.get("results") or []
        yield from rows
        offset += len(rows)
        if not page.get("next") or not rows:
            return
