"""The stock items of ours that a typed line offers, and whether they may leave."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import islice

from fedbot import messages
from fedbot.commands.dates import Days
from fedbot.commands.grammar import SHOWN
from fedbot.commands.items import Reading, in_pieces, read_alone, typed_again
from fedbot.rules.catalogue import merged_stock
from fedbot.rules.catalogue.merged_stock import Hidden
from fedbot.rules.catalogue.provenance import origin_forbids, origins_of
from fedbot.rules.loan import balance, bookings
from fedbot.rules.model import lending as lendings
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import AvailableStock
from fedbot.rules.model.lending import OUTSIDE, LendingRule
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.party_config import PRACTICE
from fedbot.rules.model.queries import ItemsFound
from fedbot.rules.model.stock import (
    MOST_DIGITS,
    MOST_PLACES,
    TRAVELLING_STATUSES,
    Part,
    StockItem,
    counts_pieces,
    is_fraction,
    plain,
)
from fedbot.rules.model.transfer import Line, Terms, Transfer
from fedbot.rules.protocol.terms import to_json
from fedbot.rules.state import Turn

# A message may have 46,000 bytes; the offer's text for people, and the seal itself, need the rest.
MOST_OFFER_BYTES = 28_000


Less = Callable[[StockItem, Decimal], str]
"""The typed line, with that quantity of that item instead."""


@dataclass(frozen=True)
class Picked:
    """A picked stock item, its quantity, and the other space that it came from, or ''."""

    item: StockItem
    quantity: Decimal
    origin: str = ""


def quantity_complaint(word: str) -> Phrase | None:
    """The objection to a quantity as typed (a decimal string), by InvenTree's limits; None if there is none."""
    quantity = Decimal(word)
    if quantity <= 0:
        return say(messages.offer.quantity_not_positive, word=word)
    if -int(quantity.as_tuple().exponent) > MOST_PLACES:
        return say(messages.offer.quantity_too_fine, word=word, places=MOST_PLACES)
    if quantity >= 10**MOST_DIGITS:
        return say(messages.offer.quantity_too_large, word=word[:40])
    return None


def units_said(lines: Iterable[Sequence[Reading]]) -> tuple[str, ...]:
    """The units in which somebody stated a quantity, each once."""
    return tuple(dict.fromkeys(reading.unit for readings in lines for reading in readings if reading.unit))


def _pledged(turn: Turn, item: int) -> tuple[Decimal, tuple[Transfer, ...]]:
    """The quantity of an item that is already on offer, or on its way out; and those transfers."""
    total, by = Decimal(0), []
    for transfer in turn.open_transfers():
        if transfer.state is TransferState.BOOKED or (transfer.state is TransferState.OPEN and transfer.terms.starts):
            continue  # it counts only on its own days: `_booked_complaint`
        if transfer.role != "sender" or _is_only_asked_for(transfer) or transfer.terms.kind == balance.EXTENSION:
            continue
        waiting = [line for line in transfer.terms.lines if line.item == item and _still_there(transfer, line, item)]
        if waiting:
            total += sum((line.quantity for line in waiting), Decimal(0))
            by.append(transfer)
    return total, tuple(by)


def _is_only_asked_for(transfer: Transfer) -> bool:
    """Whether another space requests it and nobody here has approved: that doesn't reserve anything."""
    return transfer.terms.kind == "request" and transfer.state is TransferState.OPEN and transfer.granted is None


def _still_there(transfer: Transfer, line: Line, item: int) -> bool:
    """Whether the line's quantity is still part of that item in InvenTree: neither split off nor given."""
    progress = transfer.at(line.number)
    if progress.failed:
        return False
    return not progress.stage or (progress.stage == "taken" and progress.item == item)


def _free_of(turn: Turn, item: StockItem, taken: Mapping[int, Decimal]) -> Decimal:
    """The quantity not yet reserved: in InvenTree, by our open offers, or in the same line (`taken`)."""
    return max(item.available - _pledged(turn, item.pk)[0] - taken.get(item.pk, Decimal(0)), Decimal(0))


def item_complaint(turn: Turn, item: StockItem, origins: tuple[str, ...], destination: str) -> Phrase | None:
    """Why nothing of this item may go there, whatever the quantity."""
    if not turn.may_move(destination, item.part.pk):
        return say(messages.offer.practice_stays_practice, item=item, to_friend=destination == PRACTICE)
    return _borrowed_complaint(turn, item, destination) or _stock_complaint(turn, item, origins, destination)


def _borrowed_complaint(turn: Turn, item: StockItem, destination: str) -> Phrase | None:
    """Why a borrowed item may not go there: it goes back to its lender by `return`, and nowhere else."""
    loan = balance.borrowed(turn, item)
    if loan is None:
        return None
    if destination == loan.peer:
        return say(messages.offer.borrowed_goes_back_by_return, item=item, loan=loan)
    return say(
        messages.offer.may_not_go_on,
        item=item,
        origin=turn.party_name(loan.peer),
        destination=_called(turn, destination),
    )


def _called(turn: Turn, destination: str) -> str:
    """The name of the space that it would go to; '' for a neighbour without a bot."""
    return "" if destination.startswith(OUTSIDE) else turn.party_name(destination)


def _stock_complaint(turn: Turn, item: StockItem, origins: tuple[str, ...], destination: str) -> Phrase | None:
    part = item.part
    forbidden = [origin for origin in origins if origin_forbids(origin, destination)]
    if part.virtual:
        return say(messages.offer.part_virtual, item=item)
    if item.customer is not None:
        return say(messages.offer.item_with_customer, item=item)
    if item.status not in TRAVELLING_STATUSES:  # first, because InvenTree counts most of these as not in stock
        return say(messages.offer.status_may_not_travel, item=item)
    if not item.in_stock or item.quantity <= 0:
        return say(messages.offer.item_not_in_stock, item=item)
    if not part.active:
        return say(messages.offer.part_inactive, item=item)
    if not part.salable:
        return say(messages.offer.part_not_salable, item=item)
    if forbidden:
        origin = turn.party_name(forbidden[0])
        return say(messages.offer.may_not_go_on, item=item, origin=origin, destination=_called(turn, destination))
    return None


def _amount_complaint(
    turn: Turn, item: StockItem, wanted: Decimal, taken: Mapping[int, Decimal], less: Less
) -> Phrase | None:
    """Why not this quantity."""
    if item.serial and wanted != 1:
        return say(messages.offer.serial_is_one, item=item)
    if counts_pieces(item.part.units) and is_fraction(wanted):
        return say(messages.offer.whole_pieces, item=item, wanted=wanted)
    free = _free_of(turn, item, taken)
    if wanted <= free:
        return None
    line = less(item, free)
    if wanted > item.quantity:
        return say(messages.offer.quantity_too_much, item=item, wanted=wanted, available=free, line=line)
    if wanted > item.available:
        return say(messages.offer.item_allocated, item=item, wanted=wanted, available=free, line=line)
    by = _pledged(turn, item.pk)[1]
    return say(messages.offer.offered_already, item=item, wanted=wanted, available=free, transfers=by, line=line)


def _merged_complaint(
    turn: Turn, item: StockItem, wanted: Decimal, taken: Mapping[int, Decimal], hidden: tuple[Hidden, ...], less: Less
) -> Phrase | None:
    """Why not this quantity, if part of it may be received stock that was merged into it (`merged_stock.hidden`)."""
    clean = max(_free_of(turn, item, taken) - merged_stock.total(hidden), Decimal(0))
    if not hidden or wanted <= clean:
        return None
    names = tuple(dict.fromkeys(turn.party_name(each.origin) for each in hidden))
    line = less(item, clean)
    total = merged_stock.total(hidden)
    return say(messages.offer.merged_may_not_go_on, item=item, hidden=total, origins=names, available=clean, line=line)


@dataclass(frozen=True)
class Ahead:
    """The days that it will be away: from `first` (None: now) to `last` (None: for good).

    `anyway` is the line that takes it although it is booked; '' if the person typed that.
    """

    first: date | None = None
    last: date | None = None
    anyway: str = ""


def _booked_complaint(turn: Turn, item: StockItem, wanted: Decimal, taken: Decimal, when: Ahead) -> Phrase | None:
    """Why not that quantity on these days: names the bookings, and offers to confirm, or other days."""
    today, ahead = turn.today(), when.first is not None
    amount = bookings.promisable(turn, item, ahead=ahead) - taken
    spans = bookings.spans(turn, item.pk, bookings.Claim.OFFERED)
    first = when.first or today
    if bookings.least_free(amount, spans, first, when.last) >= wanted:
        return None
    booked = bookings.bookings_among(turn, spans, first, when.last)
    if when.first is not None and when.last is not None:
        day = bookings.nearest(amount, spans, wanted, (when.first, when.last), today)
        free = (day, day + (when.last - when.first)) if day else None
        return say(messages.booking.booked_then, item=item, wanted=wanted, bookings=booked, nearest=free)
    if not booked or not when.anyway:
        return None
    return say(messages.booking.would_break, what=item.part.name, bookings=booked, line=when.anyway)


def _waited_for_complaint(turn: Turn, item: StockItem, destination: str, when: Ahead) -> Phrase | None:
    """Why it may not go there now: others wait for it and come first. The person may confirm."""
    if not (bookings.is_for_now(turn, when.first) and when.anyway):
        return None
    before = bookings.waiting_before(turn, item.pk, item.part.pk, destination)
    waiting = tuple(bookings.as_reserved(turn, entry) for entry in before)
    return (
        say(messages.booking.would_break, what=item.part.name, bookings=waiting, line=when.anyway) if before else None
    )


def too_long(turn: Turn, hold: Sequence[LendingRule], days: Days, line: Callable[[str], str]) -> Phrase | None:
    """The objection that the lending rules allow a shorter loan. `line` renders the line with another last day."""
    rules = lendings.strictest(hold)
    latest = rules.last_day(days.first or turn.today()) if rules is not None else None
    if rules is None or latest is None or days.last is None or days.last <= latest:
        return None
    return say(
        messages.lending.lent_too_long,
        most=rules.longest,
        latest=latest,
        line=line(latest.isoformat()),
        by=lendings.origins_of_longest(hold),
    )


def size_complaint(terms: Terms, metadata: Mapping[str, str]) -> Phrase | None:
    """Why the offer doesn't fit into a message: the terms in clear, and the items' metadata sealed (a third longer)."""
    clear = len(json.dumps(to_json(terms), ensure_ascii=False).encode())
    sealed = len(json.dumps(dict(metadata), ensure_ascii=False).encode(errors="replace")) * 4 // 3
    if clear + sealed <= MOST_OFFER_BYTES:
        return None
    return say(messages.offer.offer_too_large, kilobytes=(clear + sealed) // 1000, most=MOST_OFFER_BYTES // 1000)


MOST_TOLD = 20
MOST_SIMILAR = 5


@dataclass(frozen=True)
class Choice:
    """Several items may be meant. Each of `ways` gets a number, in the phrase's order: the items to type instead."""

    phrase: Phrase
    ways: tuple[tuple[Reading, ...], ...]


@dataclass(frozen=True)
class Picking:
    """The input for picking: InvenTree's answers by word, the destination, and what the line took before.

    `less` renders the line with another quantity of an item; `when` are the days that it will be away.
    """

    turn: Turn
    found: Mapping[str, ItemsFound]
    destination: str
    taken: Mapping[int, Decimal]
    less: Less
    when: Ahead = Ahead()

    def origins(self, item: StockItem) -> tuple[str, ...]:
        """The other parties that the item came from."""
        tainted = tuple(entry for found in self.found.values() for entry in found.tainted)
        return origins_of(self.turn, item, tainted)

    def complaint(self, item: StockItem, wanted: Decimal) -> Phrase | None:
        """Why that quantity of the item may not go."""
        taken = self.taken.get(item.pk, Decimal(0))
        if self.when.first is not None and bookings.is_out(self.turn, item.pk):  # by then it may be returned
            back = replace(item, customer=None, in_stock=True)
            return (
                item_complaint(self.turn, back, self.origins(item), self.destination)
                or _booked_complaint(self.turn, item, wanted, taken, self.when)
                or _waited_for_complaint(self.turn, item, self.destination, self.when)
            )
        return (
            item_complaint(self.turn, item, self.origins(item), self.destination)
            or _amount_complaint(self.turn, item, wanted, self.taken, self.less)
            or _merged_complaint(self.turn, item, wanted, self.taken, self.hidden(item), self.less)
            or _booked_complaint(self.turn, item, wanted, taken, self.when)
            or _waited_for_complaint(self.turn, item, self.destination, self.when)
        )

    def hidden(self, item: StockItem) -> tuple[Hidden, ...]:
        """The part of it that may be another space's stock, merged into it, and may not go there."""
        seen = (merged_stock.hidden(self.turn, item, found, self.destination) for found in self.found.values())
        return next((hidden for hidden in seen if hidden), ())


def pick(picking: Picking, readings: tuple[Reading, ...]) -> Picked | Choice | Phrase:
    """The one item that the line means, or a question to the person, or why there is none."""
    known = [reading for reading in readings if picking.found[reading.item].items]
    if not known:
        return _nothing(picking, readings)
    fitting = [each for reading in known if (each := _in_units_of_the_part(picking, reading)) is not None]
    if not fitting:
        return _in_another_unit(picking, known[0])
    known = fitting
    if len(known) > 1:
        return _which_reading(picking, readings, known)
    (reading,) = known
    items = picking.found[reading.item].items
    if len(items) == 1:
        return _one(picking, items[0], reading.quantity)
    return _which_item(picking, reading, items)


def _in_units_of_the_part(picking: Picking, reading: Reading) -> Reading | None:
    """The reading with its quantity in the unit of the part; None if it can't be converted exactly."""
    if not reading.unit:
        return reading
    answer = picking.found[reading.item]
    amount = answer.amount(Decimal(reading.quantity), reading.unit, answer.items[0])
    return None if amount is None else replace(reading, quantity=plain(amount), unit="")


def _in_another_unit(picking: Picking, reading: Reading) -> Phrase:
    item = picking.found[reading.item].items[0]
    return say(messages.offer.another_unit, item=item, wanted=Decimal(reading.quantity), unit=reading.unit)


def _one(picking: Picking, item: StockItem, quantity: str) -> Picked | Phrase:
    wanted = Decimal(quantity) if quantity else item.quantity
    complaint = (quantity_complaint(quantity) if quantity else None) or picking.complaint(item, wanted)
    if complaint is not None:
        return complaint
    return Picked(item, wanted, next(iter(picking.origins(item)), ""))


def _nothing(picking: Picking, readings: tuple[Reading, ...]) -> Choice | Phrase:
    """The answer without a stock item: the part has no stock, or the word is unknown; similar names can be chosen."""
    similar: dict[Part, Reading] = {}
    for reading in readings:
        near = picking.found[reading.item].parts
        exact = tuple(part for part in near if reading.item.casefold() in {part.name.casefold(), part.ipn.casefold()})
        if exact:
            return say(messages.offer.nothing_in_stock, word=reading.item[:SHOWN], parts=exact)
        similar |= {part: reading for part in near if part not in similar}
    if not similar:
        apart = tuple(filter(None, map(read_alone, in_pieces(readings[-1].item))))
        if len(apart) > 1:
            items = tuple(typed_again((each,)) for each in apart)
            return Choice(say(messages.offer.several_items, word=readings[-1].item[:SHOWN], items=items), (apart,))
        return say(messages.offer.item_not_found, word=readings[-1].item[:SHOWN], parts=())
    shown = dict(islice(similar.items(), MOST_SIMILAR))
    word = next(iter(shown.values())).item[:SHOWN]
    ways = tuple((replace(reading, item=part.ipn or part.name),) for part, reading in shown.items())
    return Choice(say(messages.offer.similar_parts, word=word, parts=tuple(shown)), ways)


def similar_parts(answers: Iterable[object]) -> tuple[Part, ...]:
    """The parts, a few at most, whose names are similar to the words that found no stock item."""
    near = (part for found in answers if isinstance(found, ItemsFound) for part in found.parts)
    return tuple(dict.fromkeys(near))[:MOST_SIMILAR]


def _which_reading(picking: Picking, readings: tuple[Reading, ...], known: list[Reading]) -> Choice | Phrase:
    """The choice for a name with a number that could also be the quantity: both items exist."""
    candidates = [
        AvailableStock(item, Decimal(reading.quantity) if reading.quantity else item.quantity)
        for reading in known
        for item in picking.found[reading.item].items
    ]
    fitting = [entry for entry in candidates if picking.complaint(entry.item, entry.quantity) is None]
    usable = tuple(fitting[:MOST_TOLD])
    if not usable:
        return _none_fits(picking, readings[-1].item, candidates[:MOST_TOLD])
    return Choice(
        say(messages.offer.which_reading, word=readings[-1].item[:SHOWN], readings=usable),
        tuple((_exactly(entry),) for entry in usable),
    )


def _which_item(picking: Picking, reading: Reading, items: tuple[StockItem, ...]) -> Picked | Choice | Phrase:
    """The choice among several stock items of one part: those that may go, each with its possible quantity.

    A quantity means items whose condition is OK, if one of them has that much. Any other is named by its
    number.
    """
    candidates = [_as_much_as_was_typed(picking, item, reading.quantity) for item in items]
    usable = tuple(entry for entry in candidates if picking.complaint(entry.item, entry.quantity) is None)
    likely = (tuple(entry for entry in usable if entry.item.is_ok) if reading.quantity else ()) or usable
    if len(likely) == 1 or (reading.quantity and _look_alike(picking, likely)):
        smallest = min(likely, key=lambda entry: (entry.item.quantity, entry.item.pk))
        return _one(picking, smallest.item, reading.quantity)
    together = _together(picking, items, Decimal(reading.quantity)) if reading.quantity and not usable else ()
    if not (usable or together):
        return _none_fits(picking, reading.item, candidates)
    word = reading.item[:SHOWN]
    if together:
        wanted = Decimal(reading.quantity)
        return Choice(
            say(messages.offer.only_together, word=word, wanted=wanted, together=together),
            (tuple(map(_exactly, together)),),
        )
    ways = tuple((_exactly(entry),) for entry in usable)
    return Choice(say(messages.offer.which_item, word=word, choices=usable), ways)


def _exactly(entry: AvailableStock) -> Reading:
    return Reading(f"#{entry.item.pk}", plain(entry.quantity))


def _look_alike(picking: Picking, usable: tuple[AvailableStock, ...]) -> bool:
    """Whether these stock items differ in nothing but their number and quantity, as when a loan came back in parts.

    Nobody can tell by a list which of them is meant. The smallest is used up first.
    """
    kinds = [
        (replace(each.item, pk=0, quantity=Decimal(0), allocated=Decimal(0)), picking.origins(each.item))
        for each in usable
    ]
    return bool(kinds) and all(kind == kinds[0] for kind in kinds)


def _as_much_as_was_typed(picking: Picking, item: StockItem, quantity: str) -> AvailableStock:
    """The typed quantity, never less; without one, everything that is free."""
    free = _free_of(picking.turn, item, picking.taken)
    everything = free if free > 0 else item.quantity
    return AvailableStock(item, Decimal(quantity) if quantity else everything)


def _together(picking: Picking, items: tuple[StockItem, ...], wanted: Decimal) -> tuple[AvailableStock, ...]:
    """As few items as necessary, largest first, if together they have the quantity that no single one has."""
    free = [AvailableStock(item, min(wanted, _free_of(picking.turn, item, picking.taken))) for item in items]
    parts: list[AvailableStock] = []
    for entry in sorted(free, key=lambda entry: -entry.quantity):
        quantity = min(entry.quantity, wanted)
        if quantity > 0 and picking.complaint(entry.item, quantity) is None:
            parts.append(AvailableStock(entry.item, quantity))
            wanted -= quantity
    return tuple(parts) if not wanted else ()


def _none_fits(picking: Picking, word: str, candidates: list[AvailableStock]) -> Phrase:
    unfit = []
    for entry in candidates:
        complaint = picking.complaint(entry.item, entry.quantity)
        if complaint is not None:
            unfit.append((entry.item, complaint))
    return say(messages.offer.no_item_fits, word=word[:SHOWN], unfit=tuple(unfit))
