"""Received items that vanished, and may now be part of an item into which they were merged (UC6).

InvenTree keeps no trace of a merged item. So an item that vanished without a known exit counts as part of every item of
that part that was merged since, up to its quantity, until a superuser clears it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from fedbot.rules.archive import Mark
from fedbot.rules.catalogue.provenance import origin_forbids, origin_here
from fedbot.rules.model import audit
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.lifecycles import Ending
from fedbot.rules.model.queries import (
    FindItems,
    ItemsFound,
    Query,
    Received,
    ReceivedOf,
    SearchStock,
    StockHits,
)
from fedbot.rules.model.stock import StockItem
from fedbot.rules.model.transfer import Transfer, with_progress
from fedbot.rules.state import Turn

# InvenTree's history has minutes without a time zone, by another clock than ours: rather assume one merge too many.
_CLOCKS = timedelta(days=1)


@dataclass(frozen=True)
class Hidden:
    """The quantity of an item that may have come from that space, without a mark."""

    origin: str
    quantity: Decimal


def received_for(turn: Turn, query: Query) -> ReceivedOf | None:
    """Return the function that lists everything received of a part, for queries about merges; else None.

    Another thread may call it.
    """
    reads_merges = isinstance(query, SearchStock) or (isinstance(query, FindItems) and query.merges)
    return _received_by(_snapshot(turn)) if reads_merges else None


def _snapshot(turn: Turn) -> Turn:
    """Return a snapshot: changes of later turns don't show in it. It copies the transfers that may still change."""
    held = Turn(turn.state, turn.now)
    held.changes = {(type(transfer).__name__, transfer.id): transfer for transfer in turn.living_transfers()}
    return held


def _received_by(turn: Turn) -> ReceivedOf:
    """Return the function that lists a part's stock from other spaces that hasn't wholly left again.

    It can leave by a transfer of ours, or as a lost loan.
    """

    def of_part(part: int) -> tuple[Received, ...]:
        return tuple(
            Received(transfer.id, progress.number, progress.item, progress.part, progress.quantity or here)
            for transfer in turn.marked(Mark.PART, part)
            if transfer.role == "receiver"
            for progress in transfer.progress
            if transfer.ending_of(progress.number) is not Ending.LOST
            for line, here in ((transfer.line(progress.number), transfer.here(progress.number)),)
            if progress.item is not None and progress.part == part
            if origin_here(turn, transfer, line) and _passed_on(turn, progress.item) < here
        )

    return of_part


def has_part_of_others(turn: Turn, part: int, destination: str) -> bool:
    """Whether we have some of this part that may not go to `destination`."""
    came = ((each, turn.transfer(each.transfer)) for each in _received_by(turn)(part))
    return any(
        transfer is not None and origin_forbids(origin_here(turn, transfer, transfer.line(each.line)), destination)
        for each, transfer in came
    )


def _passed_on(turn: Turn, item: int) -> Decimal:
    """Return the quantity of that stock item that left by a transfer and wasn't returned."""
    return sum(
        (
            line.quantity
            for transfer in turn.marked(Mark.ITEM, item)
            if transfer.role == "sender"
            for line in transfer.lines_come
            if line.item == item and transfer.at(line.number).stage in {"handed", "arrived"}
        ),
        Decimal(0),
    )


def hidden(turn: Turn, item: StockItem, found: ItemsFound | StockHits, destination: str) -> tuple[Hidden, ...]:
    """Return the quantities in this item that may have come from other spaces than `destination`."""
    merged = dict(found.merged).get(item.pk)
    if merged is None:
        return ()
    quantities = []
    for each, transfer, quantity in _unaccounted(turn, found.vanished, item.part.pk):
        origin = origin_here(turn, transfer, transfer.line(each.line))
        came = transfer.decided.at if transfer.decided else transfer.asked.at
        if origin_forbids(origin, destination) and merged >= came - _CLOCKS:
            quantities.append(Hidden(origin, quantity))
    return tuple(quantities)


def total(quantities: Iterable[Hidden]) -> Decimal:
    """Return the sum of these quantities."""
    return sum((each.quantity for each in quantities), Decimal(0))


def _unaccounted(turn: Turn, vanished: Iterable[Received], part: int) -> Iterable[tuple[Received, Transfer, Decimal]]:
    """Yield the vanished items of a part, their transfers, and the quantities that nobody has explained."""
    for each in vanished:
        transfer = turn.transfer(each.transfer)
        if transfer is not None and each.part == part:
            quantity = each.quantity - transfer.at(each.line).accounted
            if quantity > 0:
                yield each, transfer, quantity


def clear(turn: Turn, found: ItemsFound, by: Signature) -> tuple[Hidden, ...]:
    """Clear the vanished quantities of these items' parts, because a superuser knows where they went. Return them."""
    cleared = []
    for part in dict.fromkeys(item.part.pk for item in found.items):
        for each, _, quantity in _unaccounted(turn, found.vanished, part):
            transfer = turn.transfer(each.transfer)  # with the lines that were cleared in an earlier round
            if transfer is None:
                raise LookupError(each.transfer)
            turn.save(with_progress(transfer, replace(transfer.at(each.line), accounted=each.quantity)))
            turn.note(transfer.id, audit.VanishedFound(each.line, str(quantity)), by.person, by.event_id)
            cleared.append(Hidden(origin_here(turn, transfer, transfer.line(each.line)), quantity))
    return tuple(cleared)
