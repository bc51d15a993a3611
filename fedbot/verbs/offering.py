"""Whether a stock item may leave for a space, how much of it is free, and how it reads in the terms.

Our own check before anything is asked; what InvenTree itself would not check is all here (facts/inventree.md,
"Status matters"; DESIGN §6). The same is looked at again when the stock is taken out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from fedbot.federation import loans, merges
from fedbot.federation.documents import Line, Terms, Transfer, TransferState
from fedbot.federation.effects import Phrase, say
from fedbot.federation.merges import Hidden
from fedbot.federation.provenance import forbidden_origin
from fedbot.federation.state import Turn
from fedbot.federation.stock import TRAVELLING_STATUSES, StockItem
from fedbot.federation.terms import MOST_DIGITS, MOST_PLACES, described, presentable, written
from fedbot.federation.units import counts_pieces, is_fraction

# A message may have 46,000 bytes; what people read of the offer, and the seal itself, take the rest.
MOST_OFFER_BYTES = 28_000


Less = Callable[[StockItem, Decimal], str]
"""What was typed, as it would be with that much of that item."""


@dataclass(frozen=True)
class Picked:
    """A stock item that is to go, how much of it, and the foreign space that it came from, or ''."""

    item: StockItem
    quantity: Decimal
    origin: str = ""


def quantity_complaint(word: str) -> Phrase | None:
    """What is wrong with a quantity as typed (a decimal string), by InvenTree's limits."""
    quantity = Decimal(word)
    if quantity <= 0:
        return say("quantity_not_positive", word=word)
    if -int(quantity.as_tuple().exponent) > MOST_PLACES:
        return say("quantity_too_fine", word=word, places=MOST_PLACES)
    if quantity >= 10**MOST_DIGITS:
        return say("quantity_too_large", word=word[:40])
    return None


def pledged(turn: Turn, item: int) -> tuple[Decimal, tuple[Transfer, ...]]:
    """How much of an item is on offer already, or on its way out; and in which transfers."""
    total, by = Decimal(0), []
    for transfer in turn.open_transfers():
        if transfer.role != "sender" or _is_only_asked_for(transfer) or transfer.terms.kind == loans.EXTENSION:
            continue
        waiting = [line for line in transfer.terms.lines if line.item == item and _still_there(transfer, line, item)]
        if waiting:
            total += sum((line.quantity for line in waiting), Decimal(0))
            by.append(transfer)
    return total, tuple(by)


def _is_only_asked_for(transfer: Transfer) -> bool:
    """Whether another space asks for it and nobody here has said yes: that lays no claim to anything."""
    return transfer.terms.kind == "request" and transfer.state is TransferState.OPEN and transfer.granted is None


def _still_there(transfer: Transfer, line: Line, item: int) -> bool:
    """Whether the line's quantity is part of what InvenTree says of that item now: not split off, not given."""
    progress = transfer.at(line.number)
    if progress.failed:
        return False
    return not progress.stage or (progress.stage == "taken" and progress.item == item)


def free_of(turn: Turn, item: StockItem, taken: Mapping[int, Decimal]) -> Decimal:
    """What nobody has laid claim to: in InvenTree, by our open offers, or in the same line (`taken`)."""
    return max(item.available - pledged(turn, item.pk)[0] - taken.get(item.pk, Decimal(0)), Decimal(0))


def origins_of(turn: Turn, item: StockItem, tainted: tuple[tuple[int, str], ...]) -> tuple[str, ...]:
    """The other parties that the item came from, by its own mark or those of what it was split from."""
    seen = [origin for pk, origin in tainted if pk == item.pk]
    seen += [item.provenance.origin] if item.provenance else []
    return tuple(dict.fromkeys(origin for origin in seen if origin and origin != turn.home.party))


def item_complaint(turn: Turn, item: StockItem, origins: tuple[str, ...], destination: str) -> Phrase | None:
    """Why nothing of this item may go there, whatever the quantity."""
    return _borrowed_complaint(turn, item, destination) or _stock_complaint(turn, item, origins, destination)


def _borrowed_complaint(turn: Turn, item: StockItem, destination: str) -> Phrase | None:
    """What is borrowed goes back to its owner by a return, and nowhere else."""
    loan = loans.borrowed(turn, item)
    if loan is None:
        return None
    if destination == loan.peer:
        return say("borrowed_goes_back_by_return", item=item, loan=loan)
    return say("may_not_go_on", item=item, origin=turn.party_name(loan.peer), destination=turn.party_name(destination))


def _stock_complaint(turn: Turn, item: StockItem, origins: tuple[str, ...], destination: str) -> Phrase | None:
    part = item.part
    forbidden = [origin for origin in origins if forbidden_origin(origin, destination)]
    if part.virtual:
        return say("part_virtual", item=item)
    if item.customer is not None:
        return say("item_with_customer", item=item)
    if item.status not in TRAVELLING_STATUSES:  # before the next: to InvenTree most of these aren't in stock either
        return say("status_may_not_travel", item=item)
    if not item.in_stock or item.quantity <= 0:
        return say("item_not_in_stock", item=item)
    if not part.active:
        return say("part_inactive", item=item)
    if not part.salable:
        return say("part_not_salable", item=item)
    if forbidden:
        origin, there = turn.party_name(forbidden[0]), turn.party_name(destination)
        return say("may_not_go_on", item=item, origin=origin, destination=there)
    return None


def amount_complaint(
    turn: Turn, item: StockItem, wanted: Decimal, taken: Mapping[int, Decimal], less: Less
) -> Phrase | None:
    """Why not this much of it."""
    if item.serial and wanted != 1:
        return say("serial_is_one", item=item)
    if counts_pieces(item.part.units) and is_fraction(wanted):
        return say("whole_pieces", item=item, wanted=wanted)
    free = free_of(turn, item, taken)
    if wanted <= free:
        return None
    line = less(item, free)
    if wanted > item.quantity:
        return say("quantity_too_much", item=item, wanted=wanted, available=free, line=line)
    if wanted > item.available:
        return say("item_allocated", item=item, wanted=wanted, available=free, line=line)
    by = pledged(turn, item.pk)[1]
    return say("offered_already", item=item, wanted=wanted, available=free, transfers=by, line=line)


def merged_complaint(
    turn: Turn, item: StockItem, wanted: Decimal, taken: Mapping[int, Decimal], hidden: tuple[Hidden, ...], less: Less
) -> Phrase | None:
    """Why not this much of it, if so much of it may be what was received and merged into it (`merges`)."""
    clean = max(free_of(turn, item, taken) - merges.total(hidden), Decimal(0))
    if not hidden or wanted <= clean:
        return None
    names = tuple(dict.fromkeys(turn.party_name(each.origin) for each in hidden))
    line = less(item, clean)
    total = merges.total(hidden)
    return say("merged_may_not_go_on", item=item, hidden=total, origins=names, available=clean, line=line)


def line_of(number: int, picked: Picked) -> Line:
    """A line of the terms."""
    item, part = picked.item, picked.item.part
    return Line(
        number=number,
        item=item.pk,
        part=part.pk,
        description=described(part),
        quantity=picked.quantity,
        serial=presentable(item.serial),
        batch=presentable(item.batch),
        packaging=presentable(item.packaging),
        expiry=item.expiry,
        status=item.status,
        status_text=presentable(item.status_text),
        place=presentable(item.place),
        origin=picked.origin,
        whole=picked.quantity == item.quantity,
    )


def size_complaint(terms: Terms, metadata: Mapping[str, str]) -> Phrase | None:
    """Why the offer doesn't fit into a message: terms in clear, the items' metadata sealed (so a third longer)."""
    clear = len(json.dumps(written(terms), ensure_ascii=False).encode())
    sealed = len(json.dumps(dict(metadata), ensure_ascii=False).encode(errors="replace")) * 4 // 3
    if clear + sealed <= MOST_OFFER_BYTES:
        return None
    return say("offer_too_large", kilobytes=(clear + sealed) // 1000, most=MOST_OFFER_BYTES // 1000)
