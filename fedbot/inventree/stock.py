"""Stock items: reading and moving them, each move read back."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from inventree.stock import StockItem as StockItems

from fedbot.inventree.client.rows import LOGICAL_STATUSES, Row, amount, exact_status, plain, quantity_text
from fedbot.inventree.client.server import Server
from fedbot.inventree.history import (
    EDITED,
    MOVED,
    SPLIT_CHILD,
    trace,
)
from fedbot.ports.inventory import OutcomeUnknown
from fedbot.rules.model.diagnosis import ItemFault, OfItem
from fedbot.rules.model.steps import PlacedAt, note_of
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
