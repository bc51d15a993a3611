"""The sender's steps: book out, hand over, put back, and merge back what was split off.

InvenTree silently clamps quantities, lets allocated and damaged items go, and has no lock below API 522. So everything
is checked before and read back afterwards, and any difference from the agreement is moved back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from inventree.stock import StockItem as StockItems

from fedbot.inventree.client.rows import Row, amount, exact_status, part_shown, same
from fedbot.inventree.client.server import UNDONE, Entry, Server
from fedbot.inventree.client.versions import is_with_somebody
from fedbot.inventree.history import (
    EDITED,
    MERGED,
    MOVED,
    SENT_TO_CUSTOMER,
    SPLIT_CHILD,
    SPLIT_FROM_PARENT,
    Trace,
    history_of,
    trace,
)
from fedbot.inventree.marks import (
    check,
    is_ours,
    line_of,
    mirrored_at_once,
    read,
    tags_of,
    with_tags,
    without_lines_of_ours,
)
from fedbot.inventree.returns import bring_back
from fedbot.inventree.stock import (
    detail_of,
    found_moved,
    is_on_its_way,
    item_row,
    item_row_if_there,
    move,
    move_to,
    notes_of,
    remembered,
    remembering,
    rows_of_part,
    set_status,
)
from fedbot.ports.inventory import NotPermitted, OutcomeUnknown, Refusal
from fedbot.rules.model.diagnosis import (
    GONE,
    Apart,
    Diagnosis,
    Fault,
    ItemAllocated,
    ItemFault,
    ItemHasOnly,
    ItemHasStatus,
    OfItem,
    Plain,
    StaysApart,
)
from fedbot.rules.model.steps import (
    OWN_KEY,
    Arrived,
    HandedOver,
    HandOver,
    MergeBack,
    MergedBack,
    PlacedAt,
    PutBack,
    Remark,
    Step,
    TakeBack,
    Taken,
    TakeOut,
)
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
        return _Found(detail_of(split.deltas, child) or _split_off_row(server, step, child), split, whole=False)
    moved = marked.last(MOVED, step.item)
    if moved is not None:
        return _Found(item_row(server, step.item), moved, whole=True)
    orphan = marked.last(frozenset({SPLIT_FROM_PARENT}))  # the source was deleted, and its history with it
    if orphan is not None and orphan.item is not None:
        return _Found(item_row(server, orphan.item), orphan, whole=False)
    return None


def _split_off_row(server: Server, step: TakeOut, child: int) -> Row:
    """The row of the item that was split off. If it was put back and merged since, the step is over, and refused."""
    row = item_row_if_there(server, child)
    if row is None and _merged(server, _merge_mark(step), step.item) is not None:
        raise Refusal(OfItem(ItemFault.PUT_BACK_ALREADY, step.item))
    return row or item_row(server, child)


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


# --- merge back --------------------------------------------------------------------------------------------
#
# InvenTree deletes the merged item with its history, notes, tags, files, test results and metadata, and asks for no
# condition. So the bot merges only what the source has too, and looks at both items immediately before.

_MAY_DIFFER = frozenset(
    {
        *("pk", "quantity", "parent", "child_items", "allocated", "tracking_items", "creation_date", "updated"),
        *("stocktake_date", "notes", "tags", "status", "status_custom_key", "status_text"),
    }
)
"""The fields of both rows that needn't be equal: what each item has for itself, and what is compared in another way."""
_WHY_APART = {
    "part": Apart.SOURCE,
    "location": Apart.LOCATION,
    "batch": Apart.BATCH,
    "expiry_date": Apart.EXPIRY,
    "packaging": Apart.PACKAGING,
    "link": Apart.LINK,
    "owner": Apart.OWNER,
    "supplier_part": Apart.SUPPLIER_PART,
    "purchase_price": Apart.PRICE,
    "purchase_price_currency": Apart.PRICE,
}
"""The reason for a field that differs, the most telling ones first; `OTHER` for any other field."""


def find_merged_back(server: Server, step: MergeBack) -> MergedBack | None:
    """Probe of `MergeBack`: the mark is in the source's history. Without it, the split-off item must still be there.

    The item is read first: if another request of ours merges it in between, the history shows the mark.
    """
    is_there = item_row_if_there(server, step.item) is not None
    merged = _merged(server, step.mark, step.source)
    if merged is None and not is_there:
        raise Refusal(StaysApart(step.item, step.source, Apart.GONE))
    return merged


def find_merged_since(server: Server, step: Step) -> MergedBack | None:
    """For a step that puts an item back which is gone: whether it was put back, and then merged into its source."""
    if not isinstance(step, PutBack | TakeBack):
        return None
    if step.source is None and not server.version.searches_history:
        return None
    return _merged(server, _merge_mark(step), step.source)


def merge_back(server: Server, step: MergeBack) -> MergedBack:
    """Merge the item into its source, which comes first: InvenTree keeps only the first one."""
    source = _source_like(server, step)
    lines = [{"item": step.source}, {"item": step.item}]
    content = {"items": lines, "location": source["location"], "notes": notes_of(step.mark, step.note)}
    server.api.post("stock/merge/", content)
    merged = _merged(server, step.mark, step.source)
    if merged is None or item_row_if_there(server, step.item) is not None:
        raise OutcomeUnknown(OfItem(ItemFault.MERGE_NOT_SHOWN, step.source))
    return replace(merged, adds_up=server.version.locks_rows or _adds_up(server, step, source))


def _merge_mark(step: TakeOut | PutBack | TakeBack) -> str:
    return f"{line_of(step.mark)}merge"


def _merged(server: Server, mark: str, source: int | None) -> MergedBack | None:
    """The source into which an item was merged under this mark; None if there is no such entry."""
    merged = trace(server, mark, source or 0).last(frozenset({MERGED}), source)
    return None if merged is None or merged.item is None else MergedBack(merged.item)


def _adds_up(server: Server, step: MergeBack, before: Row) -> bool:
    """Whether the source has exactly the item's quantity more, and nobody else has changed it meanwhile."""
    after = item_row(server, step.source)
    alone = int(after["tracking_items"]) == int(before["tracking_items"]) + 1
    return alone and amount(after["quantity"]) == amount(before["quantity"]) + step.quantity


def _source_like(server: Server, step: MergeBack) -> Row:
    """The source's row, if it has everything that the item has. Raises `Refusal` with `StaysApart` otherwise.

    Both rows, which people change most, are read last.
    """
    history = history_of(server, step.item)
    checks: tuple[tuple[Callable[[], bool], Apart], ...] = (
        (lambda: _was_split_off(server, step), Apart.SOURCE),
        (lambda: bool(history) and all(_is_of_line(entry, step) for entry in history), Apart.HISTORY),
        (lambda: not _has_files(server, step.item), Apart.FILES),
        (lambda: _tests(server, step.item) <= _tests(server, step.source), Apart.TESTS),
        (lambda: _metadata_within(server, step), Apart.METADATA),
    )
    for holds, why in checks:
        if not holds():
            raise Refusal(StaysApart(step.item, step.source, why))
    source, item = _row_with_tags(server, step.source), _row_with_tags(server, step.item)
    if item is None:
        raise Refusal(StaysApart(step.item, step.source, Apart.GONE))
    differs = Apart.SOURCE if source is None else _difference(server, step, source, item)
    if source is None or differs is not None:
        raise Refusal(StaysApart(step.item, step.source, differs or Apart.SOURCE))
    return source


def _row_with_tags(server: Server, pk: int) -> Row | None:
    try:
        return with_tags(server.api, f"stock/{pk}/")
    except Refusal as problem:
        if problem.reason != GONE:
            raise
        return None


def _was_split_off(server: Server, step: MergeBack) -> bool:
    """Whether our own step has split exactly this item off the source, by the source's history."""
    split = trace(server, f"{line_of(step.mark)}out", step.source).last(frozenset({SPLIT_CHILD}), step.source)
    if split is None:
        return False
    return split.deltas.get("stockitem") == step.item and amount(split.deltas.get("removed")) == step.quantity


def _is_of_line(entry: Row, step: MergeBack) -> bool:
    """Whether an entry of the item's history is our own. A status changed by another step has one without notes."""
    notes = str(entry.get("notes") or "")
    return notes.startswith(line_of(step.mark)) or (entry.get("tracking_type") == EDITED and not notes)


def _has_files(server: Server, item: int) -> bool:
    url, fields = server.version.attachment_call(item)
    return bool(server.api.rows(url, **fields, limit=1))


def _tests(server: Server, item: int) -> set[tuple[object, ...]]:
    """The test results of an item. A split copies them."""
    fields = ("template", "test", "result", "value", "notes", "attachment")
    rows = server.api.rows("stock/test/", stock_item=item)
    return {tuple(str(row.get(field) or "") for field in fields) for row in rows}


def _metadata_within(server: Server, step: MergeBack) -> bool:
    """Whether the source has all of the item's metadata but our own."""
    there, has = read(server, "stockitem", step.source), read(server, "stockitem", step.item)
    return all(key == OWN_KEY or (key in there and there[key] == value) for key, value in has.items())


def _difference(server: Server, step: MergeBack, source: Row, item: Row) -> Apart | None:
    """What keeps two rows apart; None if the source has everything that the item has."""
    others = sorted((source.keys() | item.keys()) - _WHY_APART.keys() - _MAY_DIFFER)
    unlike = [
        field
        for field in (*_WHY_APART, *others)
        if not field.endswith("_detail") and source.get(field) != item.get(field)
    ]
    own_lines = set(without_lines_of_ours(str(item.get("notes") or "")).splitlines())
    own_tags = {tag for tag in tags_of(item) if not is_ours(tag)}
    checks: tuple[tuple[bool, Apart], ...] = (
        (item.get("part") != step.part or bool(item.get("serial")), Apart.SOURCE),
        (amount(item["quantity"]) != step.quantity, Apart.QUANTITY),
        (amount(item.get("allocated")) > 0, Apart.ALLOCATED),
        (not (server.version.in_stock(source) and server.version.in_stock(item)), Apart.LOCATION),
        (source.get("location") in {None, server.outgoing.pk}, Apart.LOCATION),
        (exact_status(source) != exact_status(item), Apart.STATUS),
        *((True, _WHY_APART.get(field, Apart.OTHER)) for field in unlike),
        (not own_lines <= set(str(source.get("notes") or "").splitlines()), Apart.NOTES),
        (not own_tags <= set(tags_of(source)), Apart.TAGS),
    )
    return next((why for holds, why in checks if holds), None)
