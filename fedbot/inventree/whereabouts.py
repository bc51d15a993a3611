"""Where stock items of transfers are now, and which marks they carry: for people who settle, and for `reconcile`.

Only reads. Our marks stand in the history's notes, and in the link of an item that was booked in (DESIGN §6).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from fedbot.federation.questions import BooksOf, ItemSeen, ItemsSeen, Received, Whereabouts, WhereIsIt
from fedbot.inventree.rows import Row, amount
from fedbot.inventree.server import Server
from fedbot.inventree.stock import item_row_if_there, remembered, rows_of_part
from fedbot.ports import Refusal

_MARK = re.compile(r"fed:[0-9a-z-]+:\d+:[a-z]+")
_OUT = re.compile(r"fed:[0-9a-z-]+:\d+:out ")
_PAGE = 250
_NEWEST = 100
_FEW = 4
"""So many items are read one by one; of more, all of the stock is read by pages."""


def where_is(server: Server, question: WhereIsIt) -> ItemsSeen:
    """The line's items: those that are asked for, those that the history tells of, those with its link."""
    entries = list(_entries(server, question.mark, question.items))
    linked = _linked(server, question)
    named = [*question.items, *(pk for entry in entries for pk in _items_in(entry)), *linked]
    rows = {pk: row for pk in dict.fromkeys(named) if (row := linked.get(pk) or item_row_if_there(server, pk))}
    return ItemsSeen(
        tuple(_seen(server, row, entries) for row in rows.values()), history_read=server.version.searches_history
    )


def books_of(server: Server, question: BooksOf) -> ItemsSeen:
    """These items, by as many calls as the stock and its marked history have pages."""
    wanted = frozenset(question.items)
    if not wanted:
        return ItemsSeen(history_read=server.version.searches_history)
    if len(wanted) <= _FEW:
        rows = [row for pk in sorted(wanted) if (row := item_row_if_there(server, pk))]
    else:
        listed = _pages(server, "stock/", part_detail="true", location_detail="true")
        rows = [row for row in listed if row.get("pk") in wanted]
    read = server.version.searches_history
    entries = [entry for entry in _entries(server, "fed:", ()) if entry.get("item") in wanted] if read else []
    seen = {int(row["pk"]): _seen(server, row, entries) for row in rows}
    borrowed = tuple(_in_stock(server, each, seen.get(each.item)) for each in question.borrowed)
    return ItemsSeen(tuple(seen.values()), history_read=read, borrowed=borrowed)


def _in_stock(server: Server, borrowed: Received, seen: ItemSeen | None) -> Received:
    """What of it is in stock: its stock item, and what was split off from that, which has a copy of its link."""
    mark = f"fed:{borrowed.transfer}:{borrowed.line}:"
    own = seen.quantity if seen is not None and _is_here(seen) and _bears(server, seen, mark) else Decimal(0)
    if own >= borrowed.quantity:
        return replace(borrowed, quantity=own)
    rows = [row for row in rows_of_part(server, borrowed.part) if mark in str(row.get("link") or "")]
    linked = [_seen(server, row, ()) for row in rows if row.get("pk") != borrowed.item]
    return replace(borrowed, quantity=sum((each.quantity for each in linked if _is_here(each)), own))


def _is_here(seen: ItemSeen) -> bool:
    return seen.where in {Whereabouts.STOCK, Whereabouts.OUTGOING}


def _bears(server: Server, seen: ItemSeen, mark: str) -> bool:
    """Whether it has our mark, as far as this server tells: a key alone proves nothing."""
    return not server.version.searches_history or any(each.startswith(mark) for each in seen.marks)


def _entries(server: Server, mark: str, items: Iterable[int]) -> Iterator[Row]:
    """The history under a mark; where it can't be searched, as far as these items tell."""
    if server.version.searches_history:
        found: Iterable[Row] = _pages(server, "stock/track/", search=mark)
    else:
        found = (entry for item in items for entry in history_of(server, item))
    for entry in found:
        if str(entry.get("notes") or "").startswith(mark):
            yield entry


def history_of(server: Server, item: int) -> list[dict[str, Any]]:
    """All entries of one stock item, newest first; none if it was deleted."""
    try:
        return list(_pages(server, "stock/track/", item=item))
    except Refusal:  # the history of a deleted item can't be asked for: 400
        return []


def history_of_part(server: Server, part: int) -> Iterator[dict[str, Any]]:
    """All entries of a part's stock items, deleted ones included, newest first."""
    return _pages(server, "stock/track/", part=part)


def _pages(server: Server, url: str, **query: object) -> Iterator[dict[str, Any]]:
    offset = 0
    while True:
        page = server.api.row(url, **query, limit=_PAGE, offset=offset)
        rows = page.get("results") or []
        yield from rows
        offset += len(rows)
        if not page.get("next") or not rows:
            return


def _items_in(entry: Row) -> list[int]:
    """The item that the entry is of, and the one that was split off from it."""
    child = (entry.get("deltas") or {}).get("stockitem")
    return [int(pk) for pk in (entry.get("item"), child) if pk]


def _linked(server: Server, question: WhereIsIt) -> dict[int, dict[str, Any]]:
    if question.part is None:
        return {}
    newest = rows_of_part(server, question.part, limit=_NEWEST)
    incoming = rows_of_part(server, question.part, location=server.incoming.pk) if len(newest) == _NEWEST else []
    rows = [row for row in [*newest, *incoming] if f"{question.mark}:" in str(row.get("link") or "")]
    return {int(row["pk"]): row for row in rows}


def _seen(server: Server, row: Row, entries: Iterable[Row]) -> ItemSeen:
    pk = int(row["pk"])
    notes = [str(entry.get("notes") or "") for entry in entries if pk in _items_in(entry)]
    marks = [found.group() for text in [*notes, str(row.get("link") or "")] if (found := _MARK.search(text))]
    taken_out = next((text for text in notes if _OUT.match(text)), None)
    came_from, old_status = remembered(taken_out) if taken_out else (None, None)
    detail = row.get("location_detail") or {}
    return ItemSeen(
        pk=pk,
        part=int(row["part"]),
        quantity=amount(row["quantity"]),
        status=int(row["status"]),
        where=_where(server, row),
        serial=str(row.get("serial") or ""),
        batch=str(row.get("batch") or ""),
        customer=row.get("customer"),
        location=row.get("location"),
        place=str(detail.get("pathstring") or detail.get("name") or ""),
        marks=tuple(dict.fromkeys(marks)),
        came_from=came_from,
        old_status=old_status,
    )


def _where(server: Server, row: Row) -> Whereabouts:
    if row.get("customer") is not None:
        return Whereabouts.CUSTOMER
    if not server.version.in_stock(row):
        return Whereabouts.ELSEWHERE
    return Whereabouts.OUTGOING if row.get("location") == server.outgoing.pk else Whereabouts.STOCK
