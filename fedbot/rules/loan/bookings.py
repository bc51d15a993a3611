"""The quantity of a stock item that is free on each day, the bookings in its notes, and the calendar.

Quantities are counted by day: a booking takes the item from its first to its last day, inclusive. An item lent whole
comes back as the same stock item, so it counts as available from the day after its due date.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum

from fedbot import messages
from fedbot.rules import time_zones
from fedbot.rules.catalogue.provenance import LabelItem
from fedbot.rules.loan import balance
from fedbot.rules.model.command import Cooldown
from fedbot.rules.model.effects import Do, Post, say
from fedbot.rules.model.ledger import AgendaEntry, NeighbourEntry, OnThatDay
from fedbot.rules.model.lending import OutsideLoan, QueueEntry, Reserved
from fedbot.rules.model.lifecycles import OutsideState, TransferState
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.steps import BookedFor, Known, Label, LoanLabel
from fedbot.rules.model.stock import StockItem
from fedbot.rules.model.transfer import Line, Transfer
from fedbot.rules.protocol import announcements
from fedbot.rules.state import Turn

A_DAY = timedelta(days=1)
LOOK_AHEAD = 366
"""Days from the wanted first day that are searched, later and earlier, for free ones."""
DECIDED = frozenset({TransferState.BOOKED, TransferState.APPROVED, TransferState.DEBITING})


class Claim(IntEnum):
    """The strength of a transfer's claim, strongest first. A query for a weaker claim includes the stronger ones."""

    DECIDED = 0
    OFFERED = 1
    ASKED_FOR = 2


@dataclass(frozen=True)
class Span:
    """Some of a stock item, claimed by a transfer or with a neighbour without a bot, from `first` to `last` inclusive.

    `last` is None if it doesn't come back.
    """

    by: Transfer | OutsideLoan
    quantity: Decimal
    first: date
    last: date | None

    @property
    def booking(self) -> Transfer | None:
        """The transfer, if it is a booking that waits for its first day; else None."""
        return self.by if isinstance(self.by, Transfer) and self.by.state is TransferState.BOOKED else None

    def covers(self, day: date) -> bool:
        """Whether it includes that day."""
        return self.first <= day and (self.last is None or day <= self.last)

    def meets(self, first: date, last: date | None) -> bool:
        """Whether it shares a day with that period. `last` None: without end."""
        return (last is None or self.first <= last) and (self.last is None or first <= self.last)


# --- arithmetic ---------------------------------------------------------------------------------------------------


def least_free(there: Decimal, spans: Sequence[Span], first: date, last: date | None) -> Decimal:
    """The least quantity free on any of these days; negative if more is promised than exists."""
    days = {first, *(span.first for span in spans if span.first >= first and (last is None or span.first <= last))}
    taken = (sum((span.quantity for span in spans if span.covers(day)), Decimal(0)) for day in days)
    return there - max(taken, default=Decimal(0))


def nearest(
    there: Decimal, spans: Sequence[Span], quantity: Decimal, wanted: tuple[date, date], today: date
) -> date | None:
    """The free day nearest to the first wanted one; None if none within a year.

    `quantity` is free from it on, for as many days as wanted.
    """
    first, last = wanted
    for ahead in range(LOOK_AHEAD):
        for day in (first + ahead * A_DAY, first - ahead * A_DAY):
            if day >= today and least_free(there, spans, day, day + (last - first)) >= quantity:
                return day
    return None


# --- claims in the journal ---------------------------------------------------------------------------------------


def spans(turn: Turn, item: int, least: Claim, but: str = "") -> tuple[Span, ...]:
    """The claims of at least that strength on our stock item, and its loans, by first day.

    Leaves out the transfer `but`.
    """
    claims = [*_open(turn, item, least, but), *_lent(turn, item, but)]
    return tuple(sorted(claims, key=lambda span: (span.first, span.by.id)))


def _open(turn: Turn, item: int, least: Claim, but: str) -> Iterator[Span]:
    today = turn.today()
    for transfer in turn.open_transfers():
        claim = _claim(transfer) if transfer.role == "sender" and transfer.id != but else None
        if claim is None or claim > least or transfer.terms.outside is not None:  # `_lent` counts it
            continue
        quantity = sum((ln.quantity for ln in transfer.terms.lines if _is_of(transfer, ln, item)), Decimal(0))
        if quantity:
            first = max(transfer.terms.starts or today, today)
            yield Span(transfer, quantity, first, transfer.terms.loan_until)


def _claim(transfer: Transfer) -> Claim | None:
    if transfer.terms.kind == balance.EXTENSION:
        return None
    if transfer.state in DECIDED:
        return Claim.DECIDED
    if transfer.state is not TransferState.OPEN:
        return None
    is_asked_for = transfer.terms.kind == "request" and transfer.granted is None
    return Claim.ASKED_FOR if is_asked_for else Claim.OFFERED


def _is_of(transfer: Transfer, line: Line, item: int) -> bool:
    """Whether InvenTree still counts that line's quantity in the stock item."""
    progress = transfer.at(line.number)
    return line.item == item and not progress.failed and progress.stage in {"", "brought", "taken"}


def _lent(turn: Turn, item: int, but: str) -> Iterator[Span]:
    today = turn.today()
    for loan in turn.loans_away():
        numbers = [p.number for p in loan.progress if p.item == item] if loan.role == "sender" else []
        out = balance.away(turn, loan) if numbers and loan.id != but else {}
        quantity = sum((out.get(number, Decimal(0)) for number in numbers), Decimal(0))
        if quantity:
            yield Span(loan, quantity, today, max(loan.due_day or today, today))
    for outside in turn.all(OutsideLoan):
        is_offered_by_it = bool(but) and outside.handing == but
        if outside.is_living and not is_offered_by_it and item == (outside.item or outside.source):
            yield Span(outside, outside.quantity, today, max(outside.until, today))


def borrowers(turn: Turn, item: int) -> frozenset[str]:
    """The ids of the peers that have all or some of that stock item on loan."""
    lent = (span.by for span in _lent(turn, item, ""))
    return frozenset(loan.peer for loan in lent if isinstance(loan, Transfer))


def offered_to(turn: Turn, peer: str, items: Sequence[int]) -> Decimal:
    """The quantity of these stock items that our open offers would give that peer now."""
    open_now = {
        transfer.id
        for transfer in turn.open_transfers()
        if transfer.state is TransferState.OPEN and transfer.peer == peer and is_for_now(turn, transfer.terms.starts)
    }
    offers = (span for item in items for span in _open(turn, item, Claim.OFFERED, ""))
    return sum((span.quantity for span in offers if span.by.id in open_now), Decimal(0))


def is_out(turn: Turn, item: int) -> bool:
    """Whether that very stock item is lent, to a peer or to a neighbour without a bot."""
    return bool(list(_lent(turn, item, "")))


def promisable(turn: Turn, item: StockItem, *, ahead: bool) -> Decimal:
    """The quantity that can be promised: the stock here; with `ahead`, also the loans that come back as this item."""
    if item.customer is None:
        return item.available
    if not ahead:
        return Decimal(0)
    return sum((span.quantity for span in _lent(turn, item.pk, "")), Decimal(0))


# --- conflicts ----------------------------------------------------------------------------------------------------

_Taking = tuple[int, Decimal, Decimal, date, date | None]
"""A stock item, the quantity taken, the quantity there is, and the first and last day (None: for good)."""


def conflicts(turn: Turn, transfer: Transfer) -> tuple[Reserved, ...]:
    """The bookings and queue entries that an approval of this transfer would override. Its card shows them.

    A booking never overrides another booking, because it is refused (`why_not_kept`). One that starts now can override
    the queue.
    """
    if transfer.terms.starts is not None:
        return _queue_before(turn, transfer) if is_for_now(turn, transfer.terms.starts) else ()
    return (
        *_broken(turn, _takes(turn, transfer), transfer.terms.parent or transfer.id),
        *_queue_before(turn, transfer),
    )


def broken_by_extension(turn: Turn, loan: Transfer, last: date) -> tuple[Reserved, ...]:
    """The bookings and queue entries that an extension of the loan to that day would override."""
    broken = _broken(turn, _takes_longer(turn, loan, last), loan.id)
    is_longer = last > (loan.due_day or turn.today())
    return (*broken, *_waiting_for_loan(turn, loan)) if is_longer else broken


def broken_by_neighbour(turn: Turn, loan: OutsideLoan, last: date) -> tuple[Reserved, ...]:
    """The bookings and queue entries that more time for a neighbour's loan, to that day, would override."""
    item, first = loan.item or loan.source, max(loan.until + A_DAY, turn.today())
    taking = (item, loan.quantity, loan.quantity, first, last)
    return (*_broken(turn, (taking,), ""), *_as_reserved(turn, queue_for(turn, item, loan.part)))


def _broken(turn: Turn, takings: Iterable[_Taking], but: str) -> tuple[Reserved, ...]:
    broken: dict[str, Reserved] = {}
    for item, quantity, amount, first, last in takings:
        others = spans(turn, item, Claim.DECIDED, but)
        if least_free(amount, others, first, last) < quantity:
            broken |= {each.code: each for each in bookings_among(turn, others, first, last)}
    return tuple(sorted(broken.values(), key=lambda each: (each.first, each.code)))


# --- the waiting list ---------------------------------------------------------------------------------------------


def queue_for(turn: Turn, item: int, part: int) -> list[QueueEntry]:
    """The queue entries for that stock item of ours and its part, oldest first."""
    found = (entry for entry in turn.queue() if entry.waits_for(item, part))
    return sorted(found, key=lambda entry: entry.number)


def waiting_before(turn: Turn, item: int, part: int, receiver: str, since: datetime | None = None) -> list[QueueEntry]:
    """The queue entries before that receiver's. With `since`, only entries older than that. Both oldest first."""
    before: list[QueueEntry] = []
    for entry in queue_for(turn, item, part):
        if entry.party == receiver or (since is not None and entry.since >= since):
            break
        before.append(entry)
    return before


def is_for_now(turn: Turn, starts: date | None) -> bool:
    """Whether a loan from that day on competes with the queue: it starts within the pick-up window. None is today."""
    return starts is None or starts <= turn.today() + turn.us.pickup_window


def _queue_before(turn: Turn, transfer: Transfer) -> tuple[Reserved, ...]:
    """The queue entries for its items that come before its receiver."""
    terms = transfer.terms
    if transfer.role != "sender" or transfer.is_return:
        return ()
    if terms.kind == balance.EXTENSION:
        loan = turn.transfer(terms.parent)
        return _waiting_for_loan(turn, loan) if loan is not None else ()
    begun = transfer.asked.at if terms.kind == "push" else transfer.shown  # by our clock: a peer's may lie
    found = {
        entry.id: entry
        for line in terms.lines
        for entry in waiting_before(turn, line.item, line.part, terms.receiver, begun)
    }
    return _as_reserved(turn, found.values())


def _waiting_for_loan(turn: Turn, loan: Transfer) -> tuple[Reserved, ...]:
    """The queue entries of other parties for the items that a loan still has out."""
    found = {
        entry.id: entry
        for line in balance.lines_still_out(turn, loan)
        for entry in queue_for(turn, loan.at(line.number).item or line.item, line.part)
        if entry.party != loan.peer
    }
    return _as_reserved(turn, found.values())


def _as_reserved(turn: Turn, entries: Iterable[QueueEntry]) -> tuple[Reserved, ...]:
    return tuple(as_reserved(turn, entry) for entry in sorted(entries, key=lambda entry: entry.number))


def as_reserved(turn: Turn, entry: QueueEntry) -> Reserved:
    """Return the queue entry as cards show it."""
    day = time_zones.day_at(entry.since, turn.us.time_zone, turn.us.time_zone)
    name, person = turn.party_name(entry.party), entry.by.name if entry.by is not None else ""
    return Reserved(entry.code, entry.party, day, day, waits=True, name=name, what=entry.name, person=person)


def bookings_among(turn: Turn, claims: Iterable[Span], first: date, last: date | None) -> tuple[Reserved, ...]:
    """Return the bookings among these claims that share a day with that period, as cards show them."""
    met = (span for span in claims if span.meets(first, last))
    return tuple(_booking_as_reserved(turn, booking, span) for span in met if (booking := span.booking) is not None)


def _booking_as_reserved(turn: Turn, booking: Transfer, span: Span) -> Reserved:
    what = " + ".join(dict.fromkeys(line.description.name or line.description.ipn for line in booking.terms.lines))
    last = span.last or span.first
    return Reserved(booking.code, booking.peer, span.first, last, name=turn.party_name(booking.peer), what=what)


def _takes(turn: Turn, transfer: Transfer) -> Iterator[_Taking]:
    """The stock items that it takes, with quantities and days."""
    if transfer.role != "sender":
        return
    if transfer.terms.kind == balance.EXTENSION:
        loan, last = turn.transfer(transfer.terms.parent), transfer.terms.loan_until
        if loan is not None and last is not None:
            yield from _takes_longer(turn, loan, last)
        return
    amounts = dict(zip((line.item for line in transfer.terms.lines), transfer.there, strict=False))
    for item, amount in amounts.items():
        quantity = sum((line.quantity for line in transfer.terms.lines if line.item == item), Decimal(0))
        yield item, quantity, amount, turn.today(), transfer.terms.loan_until


def _takes_longer(turn: Turn, loan: Transfer, last: date) -> Iterator[_Taking]:
    """The stock items that a loan takes for longer if it is extended until that day."""
    first = max((loan.due_day or turn.today()) + A_DAY, turn.today())
    for number, quantity in balance.still_out(turn, loan).items():
        item = loan.at(number).item
        if item is not None and last >= first:
            yield item, quantity, quantity, first, last


def why_not_kept(turn: Turn, transfer: Transfer) -> str:
    """The code for a booking that others have overtaken, so it can't be agreed to any more; '' if it can."""
    if transfer.terms.starts is None or transfer.terms.loan_until is None:
        return ""
    days = (max(transfer.terms.starts, turn.today()), transfer.terms.loan_until)
    for item, quantity, amount, *_ in _takes(turn, transfer):
        others = spans(turn, item, Claim.DECIDED, transfer.id)
        if least_free(amount, others, *days) < quantity:
            return booked_then(nearest(amount, others, quantity, days, turn.today()), days)
    return ""


BOOKED_THEN = "booked"


def booked_then(day: date | None, days: tuple[date, date]) -> str:
    """The code for "booked then", with the nearest free days if any: `booked:2026-12-20:2026-12-27`."""
    return f"{BOOKED_THEN}:{day}:{day + (days[1] - days[0])}" if day else BOOKED_THEN


# --- pick-ups and returns by day: for `calendar`, and for the agenda in the morning --------------------------------

DAYS_AHEAD = timedelta(days=31)


def entries(turn: Turn, rooms: Sequence[str], first: date, last: date) -> list[AgendaEntry]:
    """Pick-ups and returns in these rooms between two days, sorted by day. Overdue loans are listed under today.

    Days are in the lender's time zone, "today" is in ours: a loan due there while it is tomorrow here is due today.
    """
    here = (t for t in turn.restless_transfers() if t.room in rooms)
    listed = [entry for transfer in here for entry in _entries_of(turn, transfer) if first <= entry.day <= last]
    return sorted(listed, key=lambda entry: (entry.day, entry.what, entry.transfer.id))


def neighbour_entries(turn: Turn, rooms: Sequence[str], first: date, last: date) -> list[NeighbourEntry]:
    """Due returns of neighbours without a bot in these rooms, by day. Overdue ones are listed under today."""
    today = turn.today()
    out = [each for each in turn.all(OutsideLoan) if each.state is OutsideState.OUT and each.room in rooms]
    due = ((max(loan.until, today), loan) for loan in sorted(out, key=lambda loan: (loan.until, loan.id)))
    return [
        NeighbourEntry(day, OnThatDay.OVERDUE if loan.until < today else OnThatDay.BACK, loan)
        for day, loan in due
        if first <= day <= last
    ]


def _entries_of(turn: Turn, transfer: Transfer) -> Iterator[AgendaEntry]:
    terms, today = transfer.terms, turn.today()
    if transfer.state is TransferState.BOOKED and terms.starts is not None and terms.loan_until is not None:
        yield AgendaEntry(max(terms.starts, today), OnThatDay.FETCHED, transfer)
        yield AgendaEntry(max(terms.loan_until, today), OnThatDay.BACK, transfer)
    elif transfer.is_on_loan and transfer.due_day is not None:
        if transfer.due_day < turn.day_of(transfer):
            yield AgendaEntry(today, OnThatDay.OVERDUE, transfer)
        else:
            yield AgendaEntry(max(transfer.due_day, today), OnThatDay.BACK, transfer)
    elif transfer.is_on_its_way and transfer.due_day is not None:
        yield AgendaEntry(max(transfer.due_day, today), OnThatDay.BACK, transfer)


def as_out(turn: Turn, listed: Iterable[AgendaEntry]) -> tuple[AgendaEntry, ...]:
    """The entries with each loan reduced to its lines that are still out, for messages to people."""
    return tuple(replace(each, transfer=balance.as_still_out(turn, each.transfer)) for each in listed)


# --- in the morning ---------------------------------------------------------------------------------------------


def look(turn: Turn) -> None:
    """By the clock: post each room's pick-ups and returns of today and tomorrow, once a day, if the config wants it."""
    at = _next_posting(turn)
    if at is None or at > turn.now:
        return
    today = turn.today()
    turn.tell_once(_posting_id(today), 2 * A_DAY)
    for room in announcements.current_rooms(turn):
        rooms = announcements.lineage(turn, room)
        ours = as_out(turn, entries(turn, rooms, today, today + A_DAY))
        outside = tuple(neighbour_entries(turn, rooms, today, today + A_DAY))
        if ours or outside:
            names = {entry.transfer.peer: turn.party_name(entry.transfer.peer) for entry in ours}
            phrase = say(messages.calendar.agenda, entries=ours, names=names, us=turn.us, outside=outside)
            turn.do(Post(MessageKind.AGENDA.of(rest=f"{room}:{today}"), room, phrase))


def next_wake(turn: Turn) -> list[datetime]:
    """The times at which `look` has something to do."""
    at = _next_posting(turn)
    return [] if at is None else [at]


def _next_posting(turn: Turn) -> datetime | None:
    if not turn.us.agenda:
        return None
    today = turn.today()
    is_posted = any(cooldown.id == _posting_id(today) for cooldown in turn.all(Cooldown))
    begins = time_zones.beginning(today + A_DAY if is_posted else today, "", turn.us.time_zone)
    return max(time_zones.after_the_night(turn.us, begins.astimezone(turn.now.tzinfo)), turn.now)


def _posting_id(day: date) -> str:
    return f"agenda:{day}"


def show_bookings(turn: Turn, transfer: Transfer) -> None:
    """Write into the notes of the booking's stock items who has booked them, including other bookings of the item."""
    for line in transfer.terms.lines:
        items = dict.fromkeys((line.item, transfer.at(line.number).item or line.item))  # a split copies the notes
        for item in items:
            claims = spans(turn, item, Claim.DECIDED)
            booked = tuple(_booked_for(turn, span.booking, span) for span in claims if span.booking is not None)
            mark = f"fed:{transfer.id}:{line.number}:booked:{item}"
            known = Known(line.part, line.serial)
            step = Label(mark, item, LoanLabel.AS_IS, "", transfer.code, known=known, booked=booked)
            turn.do(Do(LabelItem(transfer.id, line.number), step))


def _booked_for(turn: Turn, booking: Transfer, span: Span) -> BookedFor:
    first, last = booking.terms.starts or span.first, booking.terms.loan_until or span.first
    return BookedFor(turn.party_name(booking.peer), first, last, booking.code)
