"""Takes a returned item back into stock: from the company, to its old location, with its old status."""

from __future__ import annotations

from decimal import Decimal

from fedbot.inventree.client.rows import LOGICAL_STATUSES, Row, amount, quantity_text
from fedbot.inventree.client.server import Server
from fedbot.inventree.history import (
    RETURNED,
    trace,
)
from fedbot.inventree.stock import found_moved, item_row, log, move_to, notes_of, placed, set_status
from fedbot.ports.inventory import OutcomeUnknown, Refusal
from fedbot.rules.model.diagnosis import Fault, ItemFault, ItemHasOnly, OfItem, Plain
from fedbot.rules.model.steps import PlacedAt, TakeBack


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
    if keeps_status(server, row, status):
        set_status_of_returned(server, pk, status, notes)


def keeps_status(server: Server, row: Row, status: int) -> bool:
    """Whether this item needs `set_status_of_returned`: older versions return it with the status that it had."""
    is_other = status in LOGICAL_STATUSES and status != int(row["status"])
    return is_other and not server.version.returns_parts


def set_status_of_returned(server: Server, item: int, status: int, notes: str) -> None:
    """Set the status of an item that has come back; if InvenTree refuses that, it keeps its own."""
    try:
        set_status(server, item=item, status=status, notes=notes)
    except Refusal as problem:
        log.warning("stock item #%d came back, but has its old status: %s", item, problem.text)


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
