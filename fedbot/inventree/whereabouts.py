"""Where the stock items of transfers are, their marks, and merges of stock. It only reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from fedbot.inventree.client.rows import Row, amount
from fedbot.inventree.client.server import Past, Server
from fedbot.inventree.history import (
    LONG_PAGE,
    MERGED,
    SPLIT_CHILD,
    history_of,
    history_of_part,
    pages,
)
from fedbot.inventree.stock import WHOLE, item_row_if_there, remembered, rows_of_part, rows_with_link
from fedbot.rules.model.queries import (
    BooksOf,
    ItemSeen,
    ItemsFound,
    ItemsSeen,
    Received,
    ReceivedOf,
    StockHits,
    Whereabouts,
    WhereIsIt,
)

_MARK = re.compile(r"fed:[0-9a-z-]+:\d+:[a-z]+")
_OUT = re.compile(r"fed:[0-9a-z-]+:\d+:out ")
_MOST_STRAYS = 100
_READ_ALONE = 4
"""Up to this number, items are read one by one; above it, all stock by pages, unless that is far more."""
_READS_A_PAGE = 5
"""A page of a large stock costs InvenTree as much as this number of items."""


def where_is(server: Server, query: WhereIsIt) -> ItemsSeen:
    """The line's items: those in the query, those in the history, and those with its link."""
    entries = list(_entries(server, query.mark, query.items))
    linked = _linked(server, query)
    named = [*query.items, *(pk for entry in entries for pk in _items_in(entry)), *linked]
    rows = {pk: row for pk in dict.fromkeys(named) if (row := linked.get(pk) or item_row_if_there(server, pk))}
    return ItemsSeen(
        tuple(_seen(server, row, entries) for row in rows.values()), history_read=server.version.searches_history
    )


def books_of(server: Server, query: BooksOf) -> ItemsSeen:
    """These items, with as many calls as the stock and its marked history have pages."""
    wanted = frozenset(query.items)
    strays = _strays(server, wanted) if query.strays else ()
    if not wanted:
        return ItemsSeen(history_read=server.version.searches_history, strays=strays)
    of_stock = server.stock.index.number("stock_count") // LONG_PAGE
    if len(wanted) <= max(_READ_ALONE, _READS_A_PAGE * of_stock):
        rows = [row for pk in sorted(wanted) if (row := item_row_if_there(server, pk))]
    else:
        listed = pages(server, "stock/", part_detail="true", location_detail="true")
        rows = [row for row in listed if row.get("pk") in wanted]
    read = server.version.searches_history
    entries = [entry for entry in _entries(server, "fed:", ()) if entry.get("item") in wanted] if read else []
    seen = {int(row["pk"]): _seen(server, row, entries) for row in rows}
    borrowed = tuple(_in_stock(server, each, seen.get(each.item)) for each in query.borrowed)
    return ItemsSeen(tuple(seen.values()), history_read=read, borrowed=borrowed, strays=strays)


def _strays(server: Server, known: frozenset[int]) -> tuple[ItemSeen, ...]:
    """The other items in Outgoing and Incoming, the newest ones of each."""
    newest = {"ordering": server.version.newest_first, "limit": _MOST_STRAYS, **WHOLE}
    out = [row for row in server.api.rows("stock/", location=server.outgoing.pk, **newest) if row["pk"] not in known]
    come = [row for row in server.api.rows("stock/", location=server.incoming.pk, **newest) if row["pk"] not in known]
    taken_out = [_seen(server, row, history_of(server, row["pk"])) for row in out]
    return (*taken_out, *(_seen(server, row, ()) for row in come))  # the mark of what has come is in its link


def _in_stock(server: Server, borrowed: Received, seen: ItemSeen | None) -> Received:
    """The quantity still in stock: of the stock item, and of items split off from it, which have a copy of its link."""
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
    """Whether the item has our mark, if this server can tell: a key alone proves nothing."""
    return not server.version.searches_history or any(each.startswith(mark) for each in seen.marks)


def _entries(server: Server, mark: str, items: Iterable[int]) -> Iterator[Row]:
    """The history entries under a mark; if the server can't search histories, those of these items."""
    if server.version.searches_history:
        found: Iterable[Row] = pages(server, "stock/track/", search=mark)
    else:
        found = (entry for item in items for entry in history_of(server, item))
    for entry in found:
        if str(entry.get("notes") or "").startswith(mark):
            yield entry


def _items_in(entry: Row) -> list[int]:
    """The entry's item, and the one that was split off from it."""
    child = (entry.get("deltas") or {}).get("stockitem")
    return [int(pk) for pk in (entry.get("item"), child) if pk]


def _linked(server: Server, query: WhereIsIt) -> dict[int, dict[str, Any]]:
    if query.part is None:
        return {}
    return {int(row["pk"]): row for row in rows_with_link(server, query.part, f"{query.mark}:")}


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
        parent=row.get("parent"),
    )


def _where(server: Server, row: Row) -> Whereabouts:
    if row.get("customer") is not None:
        return Whereabouts.CUSTOMER
    if not server.version.in_stock(row):
        return Whereabouts.ELSEWHERE
    return Whereabouts.OUTGOING if row.get("location") == server.outgoing.pk else Whereabouts.STOCK


_OUR_MARK = re.compile(r"fed:[0-9a-z-]+:\d+:")
_MOST_ANCESTORS = 20
_FEW_SPLITS = 3

Found = TypeVar("Found", ItemsFound, StockHits)


def _pasts(server: Server, part: int, rows: Mapping[int, Row], items: Iterable[int]) -> list[Past]:
    """The pasts of these items, which are among the part's `rows`.

    One call for each item whose history has grown since it was read. If there are more than a few, and the server can
    list a whole part's history, its pages instead. Those lack entries from when an item belonged to another part.
    """
    wanted = list(items)
    known = server.pasts
    anew = [pk for pk in wanted if pk not in known or known[pk].entries != rows[pk].get("tracking_items")]
    histories: dict[int, list[Row]] = {pk: [] for pk in anew}
    if len(anew) > _FEW_SPLITS and server.version.tells_history_of_parts:
        for entry in history_of_part(server, part):
            histories.get(entry.get("item") or 0, []).append(entry)
    for pk, entries in histories.items():
        whole = len(entries) == rows[pk].get("tracking_items")
        known[pk] = _past(entries if whole else history_of(server, pk))
    return [known[pk] for pk in wanted]


def _past(history: Sequence[Row]) -> Past:
    split_off = tuple(split for entry in history for split in _children_of_split(entry))
    return Past(len(history), split_off, tuple(_merges(history)))


def _merges(history: Sequence[Row]) -> Iterator[tuple[datetime, int | None]]:
    """The merges into the item, with the stock item that a step of ours had split off here and so brought back.

    Others' merges have no such item. Ours has the mark of the split, and happens once.
    """
    split = {_line_of_ours(entry, "out"): entry for entry in history if entry.get("tracking_type") == SPLIT_CHILD}
    merges = [entry for entry in history if entry.get("tracking_type") == MERGED]
    lines = [_line_of_ours(entry, "merge") for entry in merges]
    for entry, line in zip(merges, lines, strict=True):
        is_ours = line is not None and line in split and lines.count(line) == 1
        before = (split[line].get("deltas") or {}) if is_ours else {}
        removed = before.get("removed")
        is_same = is_ours and amount((entry.get("deltas") or {}).get("added", removed)) == amount(removed)
        yield _time(entry), before.get("stockitem") if is_same else None


def _line_of_ours(entry: Row, step: str) -> str | None:
    """The beginning of the marks of the line (`fed:k7m2:1:`) whose step has this entry; None if that isn't ours."""
    line = _OUR_MARK.match(str(entry.get("notes") or ""))
    is_of_step = line is not None and str(entry["notes"])[line.end() :].partition(" ")[0] == step
    return line.group() if line is not None and is_of_step else None


def _children_of_split(entry: Row) -> list[tuple[int, Decimal]]:
    deltas = entry.get("deltas") or {}
    if entry.get("tracking_type") != SPLIT_CHILD or _OUR_MARK.match(str(entry.get("notes") or "")):
        return []
    return [(int(deltas.get("stockitem") or 0), amount(deltas.get("removed")))]


def _time(entry: Row) -> datetime:
    return datetime.fromisoformat(str(entry["date"])).replace(tzinfo=UTC)


def with_merges(server: Server, found: Found, received: ReceivedOf) -> Found:
    """`found`, with the stock of its parts that vanished.

    One call per part, and histories only if something is missing.
    """
    vanished: list[Received] = []
    merged: list[tuple[int, datetime]] = []
    for part in dict.fromkeys(item.part.pk for item in found.items):
        ours = received(part)
        rows = {int(row["pk"]): row for row in rows_of_part(server, part)} if ours else {}
        gone = [replace(each, quantity=much) for each in ours if (much := _vanished(server, each, rows)) > 0]
        vanished += gone
        candidates = [item.pk for item in found.items if gone and item.part.pk == part and item.pk in rows]
        merged += [(pk, last) for pk in candidates if (last := _last_merge(server, part, pk, rows))]
    return replace(found, vanished=tuple(vanished), merged=tuple(merged))


def _vanished(server: Server, received: Received, rows: Mapping[int, Row]) -> Decimal:
    """The quantity that vanished with its stock item, or with an item that somebody else split off from it.

    An item that was split off has a copy of the link, which contains our mark. Used-up stock has not vanished.
    """
    mark = f"fed:{received.transfer}:{received.line}:"
    family = [pk for pk, row in rows.items() if pk == received.item or mark in str(row.get("link") or "")]
    missing = received.quantity - sum((amount(rows[pk]["quantity"]) for pk in family), Decimal(0))
    if not missing or received.item not in rows:
        return missing
    pasts = _pasts(server, received.part, rows, family)
    lost = (much for past in pasts for child, much in past.split_off if child not in rows)
    return min(sum(lost, Decimal(0)), received.quantity)


def _last_merge(server: Server, part: int, item: int, rows: Mapping[int, Row]) -> datetime | None:
    """The time of others' last merge into the item, or into an item it was split from.

    A merge that looks like ours is another one if the item that it should have brought back still exists.
    """
    seen: list[int] = []
    at: object = item
    while isinstance(at, int) and at in rows and at not in seen and len(seen) < _MOST_ANCESTORS:
        seen.append(at)
        at = rows[at].get("parent")
    merges = (merge for past in _pasts(server, part, rows, seen) for merge in past.merges)
    return max((when for when, brought_back in merges if brought_back is None or brought_back in rows), default=None)
