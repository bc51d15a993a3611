"""What was received, has vanished, and may now be part of what it was merged into (UC6).

Merging leaves no trace of the merged item in InvenTree (facts/inventree.md, "Merging (type 45)"). So what
vanished without a known exit counts as part of every item of that part that was merged into since, up to its
quantity, until a superuser has cleared it (DESIGN §2).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from fedbot.rules.catalogue.provenance import forbidden_origin, origin_here
from fedbot.rules.model.decision import Ending, Signature
from fedbot.rules.model.queries import FindItems, ItemsFound, Query, Received, SearchStock, StockHits
from fedbot.rules.model.stock import StockItem
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn
from fedbot.rules.transfer.send import with_progress

# InvenTree's history tells minutes without a time zone, by another clock than ours: better a merge too many.
_CLOCKS = timedelta(days=1)


@dataclass(frozen=True)
class Hidden:
    """How much of an item may have come from that space, without a mark."""

    origin: str
    quantity: Decimal


def with_received(turn: Turn, question: Query) -> Query:
    """The question as it is put to InvenTree: those that look for merges come with what was received."""
    if isinstance(question, SearchStock) or (isinstance(question, FindItems) and question.merges):
        return replace(question, received=received(turn))
    return question


def received(turn: Turn) -> tuple[Received, ...]:
    """What came from other spaces and has not wholly gone again by a transfer of ours, or as a lost loan."""
    gone = _passed_on(turn)
    return tuple(
        Received(transfer.id, progress.number, progress.item, progress.part, progress.quantity or here)
        for transfer in turn.transfers()
        if transfer.role == "receiver"
        for progress in transfer.progress
        if transfer.ending_of(progress.number) is not Ending.LOST
        for line, here in ((transfer.line(progress.number), transfer.here(progress.number)),)
        if progress.item is not None and progress.part is not None
        if origin_here(turn, transfer, line) and gone.get(progress.item, Decimal(0)) < here
    )


def parts_of_others(turn: Turn, destination: str) -> frozenset[int]:
    """The parts of which something is here that may not go to `destination`."""
    came = ((each, turn.transfer(each.transfer)) for each in received(turn))
    return frozenset(
        each.part
        for each, transfer in came
        if transfer and forbidden_origin(origin_here(turn, transfer, transfer.line(each.line)), destination)
    )


def _passed_on(turn: Turn) -> dict[int, Decimal]:
    """How much of each of our stock items has gone by a transfer and didn't come back."""
    gone: dict[int, Decimal] = {}
    for transfer in turn.transfers():
        if transfer.role == "sender":
            for line in transfer.terms.lines:
                if transfer.at(line.number).stage in {"handed", "arrived"}:
                    gone[line.item] = gone.get(line.item, Decimal(0)) + line.quantity
    return gone


def hidden(turn: Turn, item: StockItem, found: ItemsFound | StockHits, destination: str) -> tuple[Hidden, ...]:
    """What may be in this item that came from another space than `destination`."""
    merged = dict(found.merged).get(item.pk)
    if merged is None:
        return ()
    seen = []
    for each, transfer, quantity in _unaccounted(turn, found.vanished, item.part.pk):
        origin = origin_here(turn, transfer, transfer.line(each.line))
        came = transfer.decided.at if transfer.decided else transfer.asked.at
        if forbidden_origin(origin, destination) and merged >= came - _CLOCKS:
            seen.append(Hidden(origin, quantity))
    return tuple(seen)


def total(hidden_in: Iterable[Hidden]) -> Decimal:
    """All of it together."""
    return sum((each.quantity for each in hidden_in), Decimal(0))


def _unaccounted(turn: Turn, vanished: Iterable[Received], part: int) -> Iterable[tuple[Received, Transfer, Decimal]]:
    """What vanished of a part, its transfer, and how much of that nobody has accounted for."""
    for each in vanished:
        transfer = turn.transfer(each.transfer)
        if transfer is not None and each.part == part:
            quantity = each.quantity - transfer.at(each.line).accounted
            if quantity > 0:
                yield each, transfer, quantity


def clear(turn: Turn, found: ItemsFound, by: Signature) -> tuple[Hidden, ...]:
    """A superuser knows where it went: what vanished of these items' parts hides in nothing any more."""
    cleared = []
    for part in dict.fromkeys(item.part.pk for item in found.items):
        for each, _, quantity in _unaccounted(turn, found.vanished, part):
            transfer = turn.transfer(each.transfer)
            if transfer is None:
                raise LookupError(each.transfer)
            turn.save(with_progress(transfer, replace(transfer.at(each.line), accounted=each.quantity)))
            turn.note(
                transfer.id,
                "what vanished is accounted for",
                by.person,
                by.event_id,
                line=each.line,
                quantity=str(quantity),
            )
            cleared.append(Hidden(origin_here(turn, transfer, transfer.line(each.line)), quantity))
    return tuple(cleared)
