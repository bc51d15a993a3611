"""The sender's steps: book out, hand over, and put back.

InvenTree silently clamps quantities, lets allocated and damaged items go, and has no lock below API 522. So everything
is checked before and read back afterwards, and any difference from the agreement is moved back.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from inventree.stock import StockItem as StockItems

from fedbot.inventree.history import MOVED, SENT_TO_CUSTOMER, SPLIT_CHILD, SPLIT_FROM_PARENT, Trace, trace
from fedbot.inventree.marks import check, mirrored_at_once
from fedbot.inventree.rows import Row, amount, exact_status, part_shown, same
from fedbot.inventree.server import UNDONE, Entry, Server
from fedbot.inventree.stock import (
    bring_back,
    detail_of,
    found_moved,
    is_on_its_way,
    item_row,
    move,
    move_to,
    notes_of,
    remembered,
    remembering,
    rows_of_part,
    set_status,
)
from fedbot.inventree.versions import is_with_somebody
from fedbot.ports.inventory import NotPermitted, OutcomeUnknown, Refusal
from fedbot.rules.model.diagnosis import (
    Diagnosis,
    Fault,
    ItemAllocated,
    ItemFault,
    ItemHasOnly,
    ItemHasStatus,
    OfItem,
    Plain,
)
from fedbot.rules.model.steps import Arrived, HandedOver, HandOver, PlacedAt, PutBack, Remark, Taken, TakeOut
from fedbot.rules.model.stock import STATUS_ATTENTION, STATUS_OK, TRAVELLING_STATUSES
from fedbot.rules.protocol.terms import presentable

# --- take out ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    """The result of a mark: the row in Outgoing, the history entry, and whether the whole item was moved."""

    row: Row
    entry: Entry
    whole: bool


def find_taken(server: Server, step: TakeOut) -> Taken | None:
    """Probe of `TakeOut`. If something differs from the agreement, it moves it back and raises `Refusal`."""
    found = _found(server, step)
    return None if found is None else _as_agreed(server, step, found, before=None)


def take_out(server: Server, step: TakeOut) -> Taken:
    """Move exactly the agreed quantity to Outgoing, with the status 'on its way'.

    Raises `Refusal` with one of: gone, changed, virtual, inactive, company-inactive, not-salable, serial, batch,
    another-thing, not-in-stock, condition, status, too-much, allocated.
    """
    row = item_row(server, step.item)
    if row.get("location") == server.outgoing.pk and is_on_its_way(server, step.item):
        raise Refusal(OfItem(ItemFault.FOR_ANOTHER_TRANSFER, step.item))
    _may_leave(server, row, step)
    if step.company is not None and not _is_active(server, step.company):
        raise Refusal(Plain(Fault.COMPANY_INACTIVE))
    if step.known is not None:
        check(server, step.item, step.known, "")
    travelling = STATUS_OK if int(row["status"]) == STATUS_ATTENTION else STATUS_ATTENTION
    move(
        server,
        item=step.item,
        quantity=step.quantity,
        location=server.outgoing.pk,
        status=travelling,
        notes=remembering(notes_of(step.mark, step.note), row),
    )
    found = _found(server, step)
    if found is None:
        raise OutcomeUnknown(Plain(Fault.MOVE_NOT_SHOWN))
    before = None if server.version.locks_rows else amount(row["quantity"])
    return _as_agreed(server, step, found, before)


def _may_leave(server: Server, row: Row, step: TakeOut) -> None:
    """Check the item ourselves, because InvenTree doesn't.

    A borrowed item may return even if its part became inactive.
    """
    part = part_shown(row)
    units = None if step.units is None else presentable(server.units_told(str(part.get("units") or "")))
    quantity, allocated = amount(row["quantity"]), amount(row.get("allocated"))
    item, status = step.item, str(row.get("status_text"))
    checks: tuple[tuple[bool, Diagnosis], ...] = (
        (row.get("part") != step.part, OfItem(ItemFault.OTHER_PART, item)),
        (bool(part.get("virtual")), OfItem(ItemFault.VIRTUAL, item)),
        (step.known is None and part.get("active") is False, Plain(Fault.PART_INACTIVE)),
        (part.get("salable") is False, Plain(Fault.NOT_SALABLE)),
        (str(row.get("serial") or "") != step.serial, OfItem(ItemFault.OTHER_SERIAL, item)),
        (step.units != units, OfItem(ItemFault.OTHER_UNITS, item)),
        (step.batch not in (None, str(row.get("batch") or "")), OfItem(ItemFault.OTHER_BATCH, item)),
        (is_with_somebody(row), OfItem(ItemFault.NOT_IN_STOCK, item)),
        (not _is_as_agreed(row, step), ItemHasStatus(item, status, is_agreed=False)),
        (int(row["status"]) not in TRAVELLING_STATUSES, ItemHasStatus(item, status, is_agreed=True)),
        (not server.version.in_stock(row), OfItem(ItemFault.NOT_IN_STOCK, item)),
        (step.quantity <= 0, Plain(Fault.NOTHING_TO_HAND_OVER)),
        (step.quantity > quantity, ItemHasOnly(item, quantity)),
        (step.quantity > quantity - allocated, ItemAllocated(item, allocated, quantity)),
    )
    for wrong, problem in checks:
        if wrong:
            raise Refusal(problem)


def _is_active(server: Server, company: int) -> bool:
    """Whether the company is active; True if we have no permission to read it."""
    try:
        return server.api.row(f"company/{company}/").get("active") is not False
    except NotPermitted:
        return True


def _is_as_agreed(row: Row, step: TakeOut) -> bool:
    """Whether its condition, by status class and name, is the one on the card."""
    named = str(row.get("status_text") or "")
    return step.status in {None, int(row["status"])} and (not step.status_text or same(named, step.status_text))


def _found(server: Server, step: TakeOut) -> _Found | None:
    """The row that the mark led to Outgoing, or None if nothing was booked out (or it was moved back)."""
    marked = trace(server, step.mark, step.item)
    if not marked.entries and not server.version.searches_history:
        marked = _trace_in_outgoing(server, step)
    if not marked.stands:
        return None
    split = marked.last(frozenset({SPLIT_CHILD}), step.item)
    if split is not None and split.deltas.get("stockitem"):
        child = int(split.deltas["stockitem"])
        return _Found(detail_of(split.deltas, child) or item_row(server, child), split, whole=False)
    moved = marked.last(MOVED, step.item)
    if moved is not None:
        return _Found(item_row(server, step.item), moved, whole=True)
    orphan = marked.last(frozenset({SPLIT_FROM_PARENT}))  # the source was deleted, and its history with it
    if orphan is not None and orphan.item is not None:
        return _Found(item_row(server, orphan.item), orphan, whole=False)
    return None


def _trace_in_outgoing(server: Server, step: TakeOut) -> Trace:
    """The mark in the histories of Outgoing's items: for servers that can't search histories, if the source is gone."""
    for row in rows_of_part(server, step.part, location=server.outgoing.pk):
        marked = trace(server, step.mark, int(row["pk"]))
        if marked.entries:
            return marked
    return Trace(())


def _as_agreed(server: Server, step: TakeOut, found: _Found, before: Decimal | None) -> Taken:
    """The result, if part, serial number, quantity and sum are as agreed; else move everything back.

    `before` is the source's quantity; None if the server locks rows, because others may have moved some in between.
    """
    row, deltas = found.row, found.entry.deltas
    agreed = (
        row.get("part") == step.part
        and amount(row["quantity"]) == step.quantity
        and str(row.get("serial") or "") == step.serial
    )
    if found.entry.kind == SPLIT_CHILD and "removed" in deltas:
        agreed = agreed and amount(deltas["removed"]) == step.quantity
        if before is not None and "quantity" in deltas:
            agreed = agreed and before - step.quantity == amount(deltas["quantity"])
    location, status = remembered(found.entry.notes)
    if agreed:
        return Taken(int(row["pk"]), step.quantity, status, location, whole=found.whole)
    if row.get("location") != server.outgoing.pk:
        raise Refusal(OfItem(ItemFault.LEFT_OUTGOING, int(row["pk"])))
    _undo(server, step.mark, row, location, status)
    raise Refusal(Plain(Fault.MOVED_BACK))


def _undo(server: Server, mark: str, row: Row, location: int | None, status: int) -> None:
    """Move back an item in Outgoing whose quantity differs from the agreement. The mark no longer counts then."""
    move_to(
        server,
        mark=mark,
        item=int(row["pk"]),
        quantity=amount(row["quantity"]),
        location=_home(server, row, location),
        status=status,
        notes=notes_of(mark, f"{UNDONE} the quantity was not as agreed"),
    )


def _home(server: Server, row: Row, location: int | None) -> int:
    """The location to return to: `location` if it exists, else the part's default."""
    place = server.place(location)
    return (place or server.place_for(row["part"])).pk


# --- hand over ---------------------------------------------------------------------------------------------


def find_handed_over(server: Server, step: HandOver) -> HandedOver | None:
    """Probe of `HandOver`: the item is with the company, or was there and came back since."""
    marked = trace(server, step.mark, step.item)
    sent = marked.last(frozenset({SENT_TO_CUSTOMER}), step.item)
    if sent is None:
        return None
    row = item_row(server, step.item)
    if row.get("customer") == step.company and amount(row["quantity"]) == step.quantity:
        return HandedOver(step.item)
    if row.get("customer") is None:
        return HandedOver(step.item)  # it was with them, and a person or a later step returned it
    return None


def hand_over(server: Server, step: HandOver) -> HandedOver:
    """Assign the item to the peer's company and read back customer and quantity.

    On PostgreSQL two simultaneous assignments both succeed, and the last one wins. Then another customer has the item,
    which no retry can fix: `OutcomeUnknown`.
    """
    line = {"item": step.item}
    StockItems.assignStockItems(server.api, [line], step.company, notes=notes_of(step.mark, step.note))
    row = item_row(server, step.item)
    if row.get("customer") != step.company:
        raise OutcomeUnknown(OfItem(ItemFault.OTHER_CUSTOMER, step.item))
    if amount(row["quantity"]) != step.quantity:
        bring_back(
            server,
            row,
            quantity=amount(row["quantity"]),
            status=exact_status(row),
            location=server.outgoing.pk,
            notes=notes_of(step.mark, f"{UNDONE} the quantity was not as agreed"),
        )
        raise Refusal(OfItem(ItemFault.OTHER_QUANTITY, step.item))
    return HandedOver(step.item, mirrored=mirrored_at_once(server, step.item, step.mirror))


# --- after the handover ------------------------------------------------------------------------------------


def find_arrived(server: Server, step: Arrived) -> HandedOver | None:
    """Probe of `Arrived`: the item has the right status (InvenTree writes nothing if the status is the same)."""
    row = server.rows_ahead.pop(step.item, None) or item_row(server, step.item)
    return HandedOver(step.item) if step.status in (exact_status(row), int(row["status"])) else None


def mark_arrived(server: Server, step: Arrived) -> HandedOver:
    """Restore the old status of the item, which is with the peer's company."""
    set_status(server, item=step.item, status=step.status, notes=notes_of(step.mark, step.note))
    found = find_arrived(server, step)
    if found is None:
        raise OutcomeUnknown(OfItem(ItemFault.OLD_STATUS_NOT_TAKEN, step.item))
    return found


def find_remarked(server: Server, step: Remark) -> HandedOver | None:
    """Probe of `Remark`: the sentence is in the history, and the status is the old one."""
    said = trace(server, step.mark, step.item).entries
    if not said:
        return None
    _, status = remembered(said[0].notes)
    return HandedOver(step.item) if exact_status(item_row(server, step.item)) == status else None


def remark(server: Server, step: Remark) -> HandedOver:
    """Change the status and change it back: InvenTree stores a sentence only together with a change.

    It writes nothing for the same status. An earlier try that stopped halfway may have changed it already.
    """
    said = trace(server, step.mark, step.item).entries
    if said:
        _, status = remembered(said[0].notes)
    else:
        row = item_row(server, step.item)
        status = exact_status(row)
        other = STATUS_OK if int(row["status"]) == STATUS_ATTENTION else STATUS_ATTENTION
        set_status(server, item=step.item, status=other, notes=remembering(notes_of(step.mark, step.note), row))
    set_status(server, item=step.item, status=status, notes=notes_of(f"{step.mark}ed", "its status as before"))
    found = find_remarked(server, step)
    if found is None:
        raise OutcomeUnknown(OfItem(ItemFault.STATUS_NOT_BACK, step.item))
    return found


def find_put_back(server: Server, step: PutBack) -> PlacedAt | None:
    """Probe of `PutBack`."""
    return found_moved(server, step.mark, step.item, step.status)


def put_back(server: Server, step: PutBack) -> PlacedAt:
    """Move the item from Outgoing to its previous location, with its old status."""
    home = step.location
    if server.place(home) is None:
        home = _home(server, item_row(server, step.item), home)
    return move_to(
        server,
        mark=step.mark,
        item=step.item,
        quantity=step.quantity,
        location=home if home is not None else server.incoming.pk,
        status=step.status,
        notes=notes_of(step.mark, step.note),
    )
