"""Stock items: reading, moving and taking back, each read back; and InvenTree's own history with our marks."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from inventree.stock import StockItem as StockItems

from fedbot.inventree.rows import LOGICAL_STATUSES, Row, amount, exact_status, plain, quantity_text
from fedbot.inventree.server import Entry, Server
from fedbot.ports.inventory import OutcomeUnknown, Refusal
from fedbot.rules.model.diagnosis import Fault, ItemFault, ItemHasOnly, OfItem, Plain
from fedbot.rules.model.steps import PlacedAt, TakeBack, note_of
from fedbot.rules.model.stock import STATUS_OK

WHOLE = {"part_detail": "true", "location_detail": "true"}
log = logging.getLogger(__name__)
_LONGEST_NOTES = 500
_NEWEST = 100
"""An item that was booked in a moment ago is among that many newest ones of its part, or still in Incoming."""
_WAS = re.compile(r"\(was: place (?P<place>\d+|none), status (?P<status>\d+)\)$")


def item_row(server: Server, pk: int) -> dict[str, Any]:
    """One stock item with its part and place. Raises `Refusal` with reason `gone` if it doesn't exist."""
    return server.api.row(f"stock/{pk}/", **WHOLE)


def item_row_if_there(server: Server, pk: int) -> dict[str, Any] | None:
    """One stock item with its part and place, or None if it doesn't exist."""
    return server.api.row_if_there(f"stock/{pk}/", **WHOLE)


def move(server: Server, *, item: int, quantity: Decimal, location: int, status: int | None, notes: str) -> None:
    """Call `stock/transfer/`: part of an item becomes a new item, a whole item keeps its key. Not read back."""
    line: dict[str, object] = {"pk": item, "quantity": quantity_text(quantity)}
    if status in LOGICAL_STATUSES:
        line["status"] = status
    StockItems.transferStockItems(server.api, [line], location, notes=notes)


def set_status(server: Server, *, item: int, status: int, notes: str) -> None:
    """Call `stock/change_status/`. InvenTree writes nothing if the status is the same."""
    server.api.post("stock/change_status/", {"items": [item], "status": status, "note": notes})


def placed(server: Server, row: Row) -> PlacedAt:
    """The location in a stock item's row."""
    place = server.places.by_key(row.get("location"))
    detail = row.get("location_detail") or {}
    path = detail.get("pathstring") or (place.path if place else "")
    return PlacedAt(item=int(row["pk"]), location=row.get("location"), place=str(path))


def move_to(
    server: Server, *, mark: str, item: int, quantity: Decimal, location: int, status: int | None, notes: str
) -> PlacedAt:
    """Move and read back; a custom status is set afterwards. Raises `OutcomeUnknown` if the item isn't there then."""
    move(server, item=item, quantity=quantity, location=location, status=status, notes=notes)
    row = item_row(server, item)
    if row.get("location") != location or amount(row["quantity"]) != quantity:
        row = _split_off(server, mark, item) or row
    if row.get("location") != location or amount(row["quantity"]) != quantity:
        raise OutcomeUnknown(OfItem(ItemFault.NOT_WHERE_MOVED, item))
    if status is not None and exact_status(row) != status and status not in LOGICAL_STATUSES:
        set_status(server, item=int(row["pk"]), status=status, notes=notes)
    return placed(server, row)


def found_moved(server: Server, mark: str, item: int, status: int | None) -> PlacedAt | None:
    """The item's location, if `move_to` was completed under this mark; else None."""
    marked = trace(server, mark, item)
    moved = marked.last(MOVED | {SPLIT_CHILD}, item)
    if moved is None:
        return None
    pk = moved.deltas.get("stockitem") if moved.kind == SPLIT_CHILD else item
    row = item_row(server, int(pk or item))
    if status is not None and status not in LOGICAL_STATUSES and exact_status(row) != status:
        return None
    return placed(server, row)


def _split_off(server: Server, mark: str, item: int) -> dict[str, Any] | None:
    """The row that a move under this mark split off from `item`."""
    split = trace(server, mark, item).last(frozenset({SPLIT_CHILD}), item)
    child = split.deltas.get("stockitem") if split else None
    return item_row(server, int(child)) if child else None


def notes_of(mark: str, sentence: str) -> str:
    """The notes of a step: the mark, then the sentence for people."""
    return note_of(mark, plain(sentence))


def remembering(notes: str, row: Row) -> str:
    """Add the item's location and status to `notes`, for the way back.

    Our journal may be lost, and moving a whole item leaves no trace of its old status. So InvenTree's own history has
    both.
    """
    place = row.get("location")
    was = f" (was: place {'none' if place is None else place}, status {exact_status(row)})"
    return notes[: _LONGEST_NOTES - len(was)] + was


def remembered(notes: str) -> tuple[int | None, int]:
    """The location and status that `remembering` wrote; no location and 'OK' if a person has changed the notes."""
    found = _WAS.search(notes)
    if not found:
        return None, STATUS_OK
    place = found["place"]
    return (None if place == "none" else int(place)), int(found["status"])


def is_on_its_way(server: Server, item: int) -> bool:
    """Whether a transfer moved an item in Outgoing there, and nothing happened to it since.

    On InvenTree 0.13, a status change together with the move is one more entry, without notes.
    """
    rows = sorted(server.api.rows("stock/track/", item=item, limit=5), key=lambda row: int(row["pk"]), reverse=True)
    told = (row for row in rows if row.get("notes") or row["tracking_type"] != EDITED)
    return _WAS.search(str(next(told, {}).get("notes") or "")) is not None


def rows_of_part(server: Server, part: int, **filters: object) -> list[dict[str, Any]]:
    """Stock items of a part but not of its variants, with part and place, newest first."""
    filters = {"part": part, "include_variants": "false", "ordering": server.version.newest_first, **WHOLE, **filters}
    return server.api.rows("stock/", **filters)


def rows_with_link(server: Server, part: int, text: str) -> list[dict[str, Any]]:
    """The part's stock items with this text in their link: of the newest ones, and of all in Incoming."""
    newest = rows_of_part(server, part, limit=_NEWEST)
    rows = newest if len(newest) < _NEWEST else [*newest, *rows_of_part(server, part, location=server.incoming.pk)]
    return [row for row in {row["pk"]: row for row in rows}.values() if text in str(row.get("link") or "")]


def detail_of(entry_deltas: Mapping[str, Any], pk: int) -> Mapping[str, Any] | None:
    """The current row that a history entry contains, if it is complete and that of `pk`."""
    detail = entry_deltas.get("stockitem_detail")
    whole = isinstance(detail, dict) and detail.get("pk") == pk and {"part", "quantity", "location"} <= set(detail)
    return detail if whole else None


def find_taken_back(server: Server, step: TakeBack) -> PlacedAt | None:
    """Probe of `TakeBack`: both of its moves were made."""
    back = _came_back(server, step)
    return None if back is None else found_moved(server, step.mark, back, step.status)


def take_back(server: Server, step: TakeBack) -> PlacedAt:
    """Move the item from the peer's company into Incoming, then to its old location, with its old status.

    If an earlier try stopped in Incoming, this continues from there. If the item can't be put away, it stays there.
    Raises `Refusal` with reason `gone` if the item isn't with the company (any more).
    """
    notes = notes_of(step.mark, step.note)
    item = _came_back(server, step)
    if item is None:
        row = item_row(server, step.item)
        if row.get("customer") != step.company:
            raise Refusal(OfItem(ItemFault.CUSTOMER_HAS_IT_NOT, step.item))
        if amount(row["quantity"]) < step.quantity:
            raise Refusal(ItemHasOnly(step.item, amount(row["quantity"])))
        bring_back(
            server,
            row,
            quantity=step.quantity,
            status=step.status,
            location=server.incoming.pk,
            notes=notes,
        )
        item = _came_back(server, step)
        if item is None:
            raise OutcomeUnknown(OfItem(ItemFault.RETURN_NOT_SHOWN, step.item))
    try:
        return _put_away(server, step, item, notes)
    except Refusal as problem:
        # it is in stock again: a refusal would make the other side take it back too
        log.warning("stock item #%d came back, but stays in Incoming: %s", item, problem.text)
        return placed(server, item_row(server, item))


def bring_back(server: Server, row: Row, *, quantity: Decimal, status: int, location: int, notes: str) -> None:
    """Call `stock/return/`: part of the item becomes a new item if the server supports it (API >= 381)."""
    pk = int(row["pk"])
    if not server.version.returns_parts and quantity != amount(row["quantity"]):
        raise Refusal(Plain(Fault.ALL_OR_NOTHING))
    known = status if status in LOGICAL_STATUSES else int(row["status"])
    url, body = server.version.return_call(pk, quantity_text(quantity), known, location, notes)
    server.api.post(url, body)
    if not server.version.returns_parts and known != int(row["status"]):
        try:
            set_status(server, item=pk, status=known, notes=notes)
        except Refusal as problem:
            log.warning("stock item #%d came back, but has its old status: %s", pk, problem.text)


def _came_back(server: Server, step: TakeBack) -> int | None:
    """The key of the item that returned under this mark: the item itself, or one that was split off."""
    marked = trace(server, step.mark, step.item)
    back = marked.last(RETURNED)
    return None if back is None else back.item


def _put_away(server: Server, step: TakeBack, item: int, notes: str) -> PlacedAt:
    """Move the item from Incoming to its old location, or to the part's default if that is gone."""
    home = server.place(step.location)
    if home is None:
        home = server.place_for(item_row(server, item)["part"])
    return move_to(
        server,
        mark=step.mark,
        item=item,
        quantity=step.quantity,
        location=home.pk,
        status=step.status,
        notes=notes,
    )


# --- InvenTree's own history of a stock item, which contains our marks.

# Types of entries.
RETURNED = frozenset({15, 105})
MOVED = frozenset({20, 25})
EDITED = 5
SPLIT_FROM_PARENT = 40
SPLIT_CHILD = 42
SENT_TO_CUSTOMER = 100

_PAGE = 50
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
    query: dict[str, object] = {"search": beginning} if server.version.searches_history else {"item": item}
    entries: list[Entry] = []
    while True:
        try:
            page = server.api.row("stock/track/", **query, limit=_PAGE, offset=len(entries))
        except Refusal:
            if server.version.searches_history:
                raise
            return ()  # InvenTree refuses the history of a deleted item: 400
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
