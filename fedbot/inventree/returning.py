"""What comes back from a customer: refused things, and loans at their end (DESIGN §6 'take back').

It comes into Incoming first and then to its old place: on 0.17 and 0.13 a child that is returned to its
parent's location is merged into the parent, and its key is lost (facts/inventree.md "Return").
"""

from __future__ import annotations

import logging
from decimal import Decimal

from fedbot.federation.steps import PlacedAt, TakeBack
from fedbot.inventree.history import RETURNED, trace
from fedbot.inventree.rows import Row, amount, written
from fedbot.inventree.server import Server
from fedbot.inventree.stock import (
    LOGICAL_STATUSES,
    found_moved,
    item_row,
    move_to,
    notes_of,
    placed,
    set_status,
)
from fedbot.ports import OutcomeUnknown, Refusal

log = logging.getLogger(__name__)


def find_taken_back(server: Server, step: TakeBack) -> PlacedAt | None:
    """Probe of `TakeBack`: both of its movements were made."""
    back = _came_back(server, step)
    return None if back is None else found_moved(server, step.mark, back, step.status)


def take_back(server: Server, step: TakeBack) -> PlacedAt:
    """From the peer's company into Incoming, then to the old place, with the old status.

    If an earlier try got only as far as Incoming, this goes on from there; if it can't be put away, it stays there.
    Raises `Refusal` with reason `gone` if the item isn't with the company (any more).
    """
    notes = notes_of(step.mark, step.note)
    item = _came_back(server, step)
    if item is None:
        row = item_row(server, step.item)
        if row.get("customer") != step.company:
            raise Refusal(f"Stock item #{step.item} is no longer with that customer.", "gone")
        if amount(row["quantity"]) < step.quantity:
            raise Refusal(f"Of stock item #{step.item} only {amount(row['quantity'])} are there.", "too-much")
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
            raise OutcomeUnknown(f"InvenTree's history does not show the return of #{step.item}.", "changed")
    try:
        return _put_away(server, step, item, notes)
    except Refusal as problem:
        # it is in stock again: read as a no to all of it, the other side would take it back too
        log.warning("stock item #%d came back, but stays in Incoming: %s", item, problem.text)
        return placed(server, item_row(server, item))


def bring_back(server: Server, row: Row, *, quantity: Decimal, status: int, location: int, notes: str) -> None:
    """`stock/return/`: a part of the item becomes a new one where the server can (API >= 381)."""
    pk = int(row["pk"])
    if not server.version.returns_parts and quantity != amount(row["quantity"]):
        raise Refusal("This InvenTree can only take back all of a stock item.", "too-much")
    known = status if status in LOGICAL_STATUSES else int(row["status"])
    url, body = server.version.return_call(pk, written(quantity), known, location, notes)
    server.api.post(url, body)
    if not server.version.returns_parts and known != int(row["status"]):
        try:
            set_status(server, item=pk, status=known, notes=notes)
        except Refusal as problem:
            log.warning("stock item #%d came back, but has its old status: %s", pk, problem.text)


def _came_back(server: Server, step: TakeBack) -> int | None:
    """The key of what came back under this mark: the item itself, or what was split off from it."""
    marked = trace(server, step.mark, step.item)
    back = marked.last(RETURNED)
    return None if back is None else back.item


def _put_away(server: Server, step: TakeBack, item: int, notes: str) -> PlacedAt:
    """From Incoming to the old place. If that is gone, or there was none, to where such parts belong."""
    home = server.places.by_key(step.location)
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
