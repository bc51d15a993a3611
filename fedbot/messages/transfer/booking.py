"""Bookings, the calendar, and the waiting list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from fedbot.messages import naming, outside
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.lending import rules_lines
from fedbot.messages.markup import Bold, Code, Inline, Items
from fedbot.messages.naming import command
from fedbot.messages.transfer.card_lines import Card, asked, card_of, decided, for_whom, what_and_where
from fedbot.rules.model.diagnosis import Hindrance
from fedbot.rules.model.ledger import AgendaEntry, NeighbourEntry, OnThatDay
from fedbot.rules.model.lending import Obstacle, PlaceInLine, QueueEntry, Reserved
from fedbot.rules.model.lifecycles import PlaceState, TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import StockItem
from fedbot.rules.model.transfer import Transfer

MOST_BROKEN = 2
MOST_IN_LINE = 5

_HINDRANCES: dict[Hindrance, str] = {
    Hindrance.GONE: marked("{what}: the stock item is gone, or is another item now"),
    Hindrance.NOT_HERE: marked("{what}: {sender} doesn't have it in stock any more"),
    Hindrance.LESS: marked("{what}: only {left} left"),
    Hindrance.CONDITION: marked("{what}: its condition has changed"),
    Hindrance.LENT: marked("{what}: it is still lent to somebody else"),
}


def _names(locale: Locale, card: Card) -> dict[str, Words]:
    transfer = card.transfer
    return {
        "what": naming.above_list(locale, transfer.lines_told),
        "sender": card.sender,
        "receiver": card.receiver,
        "first": naming.first_day(locale, transfer),
        "last": naming.last_day(locale, transfer),
        "until": naming.open_until(locale, transfer),
    }


def booked_card(locale: Locale, card: Card) -> Lines:
    """The card of a booking, before and on its first day."""
    if card.transfer.calls:
        return _to_hand_over(locale, card)
    names = _names(locale, card)
    return [
        locale.say("📅 Booked: {what} for {receiver}, from {first} until {last}.", **names),
        decided(locale, card),
        *what_and_where(locale, card),
        *rules_lines(locale, card),
        *obstacle_lines(locale, card),
        "",
        locale.say("Nothing has moved yet. Pick it up at {sender} by {until}.", **names),
        locale.say("To cancel the booking: {cancel}", cancel=command(f"cancel {card.transfer.code}")),
    ]


def _to_hand_over(locale: Locale, card: Card) -> Lines:
    """Asks the owner's approvers whether it was picked up."""
    names = _names(locale, card)
    return [
        locale.say("📅 Handed over? {what}, booked by {receiver} from {first} on.", **names),
        for_whom(locale, card, card.sender),
        *asked(locale, card),
        *what_and_where(locale, card),
        locale.say("Loan: it still belongs to {sender}. Due back {last}, that day included.", **names),
        *rules_lines(locale, card),
        *obstacle_lines(locale, card),
        "",
        locale.say("✅ yes, they have it · 📦 yes, it goes by parcel · ❌ not today"),
        locale.say("Nothing has moved. · {code}", code=card.transfer.code),
    ]


def breaks(locale: Locale, card: Card) -> Lines:
    """The bookings that an approval would break."""
    if card.transfer.state is not TransferState.OPEN:
        return []
    over = card.transfer.over
    booked = [each for each in over if not each.waits]
    lines: Lines = [
        locale.say("⚠ If you approve, you break a booking: {booking}.", booking=_reserved(locale, each))
        for each in booked[:MOST_BROKEN]
    ]
    return [*lines, *_in_line(locale, over)]


def _in_line(locale: Locale, over: tuple[Reserved, ...]) -> Lines:
    """The people who wait for it, in their order; only the first ones by name."""
    waiting = [each for each in over if each.waits]
    if not waiting:
        return []
    names: list[Inline] = []
    for number, each in enumerate(waiting[:MOST_IN_LINE], start=1):
        since = locale.day(each.first, year=False)
        names += [", "] if names else []
        party = naming.space(locale, each.name or each.peer)
        if each.person:
            party = locale.word("{person} of {space}").format(person=naming.person(locale, each.person), space=party)
        names += locale.say("{number}. {party} (since {day})", number=locale.count(number), party=party, day=since)
    total = locale.count(len(waiting))
    return [locale.say("⏳ Waiting list, {total}: {names}.", total=total, names=tuple(names))]


def _reserved(locale: Locale, booking: Reserved) -> tuple[Inline, ...]:
    """'Laser lens for Betaspace, Sat 12 Dec to Sat 19 Dec 2026 (k7m2)'."""
    return locale.say(
        "{what} for {party}, {first} to {last} ({code})",
        what=locale.short(booking.what, 60),
        party=naming.space(locale, booking.name or booking.peer),
        first=locale.day(booking.first, year=False),
        last=locale.day(booking.last),
        code=booking.code,
    )


def obstacle_lines(locale: Locale, card: Card) -> Lines:
    """The reasons why it can't be handed over, as our InvenTree is now."""
    said = [_obstacle(locale, card, obstacle) for obstacle in card.transfer.obstacles]
    if len(said) == 1:
        return [(*locale.say("⚠ In InvenTree now:"), " ", *said[0])]
    return [locale.say("⚠ In InvenTree now:"), Items(tuple(said))] if said else []


def _obstacle(locale: Locale, card: Card, obstacle: Obstacle) -> tuple[Inline, ...]:
    line = card.transfer.line(obstacle.line)
    left = locale.quantity(obstacle.left, line.description.units)
    return locale.say(_HINDRANCES[obstacle.why], what=naming.thing(locale, line), left=left, sender=card.sender)


def first_day_is_here(locale: Locale, *, transfer: Transfer) -> Lines:
    """The text of a booking's former card, once a newer card asks whether it was handed over."""
    return [
        locale.say("📅 The first day of this booking has come: {case}.", case=naming.case(locale, transfer)),
        locale.say("A newer card asks whether it was handed over."),
        transfer.code,
    ]


def booked(locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str) -> Lines:
    """Tells the asker and the approver that both sides have agreed to the booking."""
    names = _names(locale, card_of(locale, transfer, us, peer_name))
    return [
        locale.say("📅 Booked: {what} for {receiver}, from {first} until {last}.", **names),
        locale.say("Pick it up at {sender} by {until}. After that the booking lapses.", **names),
        locale.say("To cancel it: {cancel}", cancel=command(f"cancel {transfer.code}")),
    ]


def obstacles(locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str) -> Lines:
    """The booked items can't be handed over as our InvenTree is now, or can be again. For both spaces."""
    card = card_of(locale, transfer, us, peer_name)
    names = _names(locale, card)
    if not transfer.obstacles:
        return [locale.say("✅ The booking of {what} from {first} on is safe again.", **names), transfer.code]
    return [
        locale.say("⚠ The booking of {what} from {first} on is at risk.", **names),
        *obstacle_lines(locale, card),
        locale.say(
            "Fix it in the InvenTree of {sender}, or cancel the booking: {cancel}", **names, cancel=_cancel(transfer)
        ),
    ]


def _cancel(transfer: Transfer) -> Inline:
    return command(f"cancel {transfer.code}")


def hand_over_reminder(
    locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str, people: dict[str, str], others: int
) -> Lines:
    """The reminder in the card's thread that a booking waits to be picked up."""
    names = _names(locale, card_of(locale, transfer, us, peer_name))
    pills: list[Inline] = []
    for user, name in people.items():
        pills += [naming.pill(locale, user, name), " "]
    if others:
        pills += [*locale.say("and others: ")]
    return [
        (*pills, *locale.say("⏰ Has {receiver} picked up {what}?", **names)),
        locale.say(
            "Tap ✅ or ❌ on the card. The last day to pick it up is {until}; then the booking lapses.", **names
        ),
        transfer.code,
    ]


def starts_without_an_end(locale: Locale, *, line: str) -> Lines:
    """The refusal of a first day without a last one."""
    return [
        locale.say("Not done: I know the first day, but not the last one. Nothing was sent."),
        locale.say("For example: {line}", line=command(line)),
    ]


def ends_before_it_starts(locale: Locale, *, first: date, last: date) -> Lines:
    """The refusal of a last day before the first one."""
    return [
        locale.say("Not done: it would end before it begins. Nothing was sent."),
        locale.say("The first day is {first}, the last one {last}.", first=locale.day(first), last=locale.day(last)),
    ]


def booking_from_anyone(locale: Locale) -> Lines:
    """The refusal of a booking `from anyone`: the spaces that are asked would keep their items for nothing."""
    return [
        locale.say("Not done: a booking has to name one space. Nothing was sent."),
        locale.say("Find out who has it, then name that space: {find}", find=command("help find")),
    ]


def booked_then(
    locale: Locale,
    *,
    item: StockItem,
    wanted: Decimal,
    bookings: tuple[Reserved, ...],
    nearest: tuple[date, date] | None,
) -> Lines:
    """The refusal of a booking that doesn't fit beside other bookings or loans."""
    what = f"{locale.quantity(wanted, item.part.units)} × {locale.short(item.part.name, 60)}"
    lines: Lines = [locale.say("Not booked: {what} (stock #{item}) isn't free then.", what=what, item=item.pk)]
    lines += [locale.say("Booked: {booking}", booking=_reserved(locale, each)) for each in bookings[:MOST_BROKEN]]
    if nearest is None:
        return [*lines, locale.say("It has no free days within a year. Nothing was sent.")]
    first, last = (locale.day(day) for day in nearest)
    free = locale.say("The nearest free days are {first} to {last}. Nothing was sent.", first=first, last=last)
    return [*lines, free]


def would_break(locale: Locale, *, what: str, bookings: tuple[Reserved, ...], line: str) -> Lines:
    """The answer to a command that would take booked stock: it has to be confirmed."""
    name = locale.short(what, 60)
    booked = [each for each in bookings if not each.waits]
    if booked:
        lines: Lines = [locale.say("⚠ Not done yet: {what} is booked. This would break:", what=name)]
        lines.append(Items(tuple(_reserved(locale, each) for each in booked[:MOST_BROKEN])))
    else:
        lines = [locale.say("⚠ Not done yet: others wait for {what}.", what=name)]
    lines += _in_line(locale, bookings)
    return [*lines, locale.say("If you mean it, type: {line}", line=Code(line))]


# --- The calendar of what is booked and lent, and the agenda in the morning.

MOST_ENTRIES = 40
_ENTRIES: dict[OnThatDay, str] = {
    OnThatDay.FETCHED: marked("{day}: {receiver} picks up {what} at {sender}, due back {last} ({code})"),
    OnThatDay.BACK: marked("{day}: {receiver} brings {what} back to {sender} ({code})"),
    OnThatDay.OVERDUE: marked("{day}: ⚠ {receiver} has {what} of {sender} overdue since {last} ({code})"),
}


def calendar(
    locale: Locale,
    *,
    entries: tuple[AgendaEntry, ...],
    names: Mapping[str, str],
    us: PartyConfig,
    first: date,
    last: date,
    about: str,
    outside: tuple[NeighbourEntry, ...] = (),
) -> Lines:
    """The loans that begin or are due on these days; `about` is the space or the item, '' for all."""
    said: dict[str, Words] = {
        "about": locale.short(about, 40),
        "first": locale.day(first, year=False),
        "last": locale.day(last),
    }
    if not (entries or outside):
        nothing = (
            locale.say("No pick-up or return of {about}, {first} to {last}.", **said)
            if about
            else locale.say("No pick-ups or returns, {first} to {last}.", **said)
        )
        return [
            nothing,
            locale.say("Another month, for example: {line}", line=command("calendar january")),
        ]
    title = "📅 {about}, {first} to {last}:" if about else "📅 {first} to {last}:"
    return [locale.say(title, **said), *_listed(locale, entries, outside, names, us)]


def agenda(
    locale: Locale,
    *,
    entries: tuple[AgendaEntry, ...],
    names: Mapping[str, str],
    us: PartyConfig,
    outside: tuple[NeighbourEntry, ...] = (),
) -> Lines:
    """The loans that begin or are due today and tomorrow."""
    return [locale.say("📅 Today and tomorrow:"), *_listed(locale, entries, outside, names, us)]


def _listed(
    locale: Locale,
    entries: Sequence[AgendaEntry],
    outside: Sequence[NeighbourEntry],
    names: Mapping[str, str],
    us: PartyConfig,
) -> Lines:
    told = [(each.day, each.what, _entry(locale, each, names[each.transfer.peer], us)) for each in entries]
    told += [(each.day, each.what, _of_neighbour(locale, each, us)) for each in outside]
    ordered = sorted(told, key=lambda each: each[:2])
    items = [words for *_, words in ordered[:MOST_ENTRIES]]
    if len(told) > MOST_ENTRIES:
        items.append(locale.say("and {number} more", number=len(told) - MOST_ENTRIES))
    return [Items(tuple(items))]


def _of_neighbour(locale: Locale, entry: NeighbourEntry, us: PartyConfig) -> tuple[Inline, ...]:
    loan = entry.loan
    return locale.say(
        _ENTRIES[entry.what],
        day=locale.day(entry.day, year=False),
        what=outside.thing_lent(locale, loan),
        sender=naming.space(locale, us.name),
        receiver=outside.neighbour(locale, loan),
        last=locale.day(loan.until),
        code=loan.code,
    )


def _entry(locale: Locale, entry: AgendaEntry, peer_name: str, us: PartyConfig) -> tuple[Inline, ...]:
    transfer = entry.transfer
    return locale.say(
        _ENTRIES[entry.what],
        day=locale.day(entry.day, year=False),
        what=naming.things(locale, transfer.lines_told),
        sender=naming.sender(locale, transfer, us, peer_name),
        receiver=naming.receiver(locale, transfer, us, peer_name),
        last=naming.last_day(locale, transfer),
        code=transfer.code,
    )


# --- The waiting list: places and turns, as people of both spaces read them.

MOST_LISTED = 30
A_MINUTE = timedelta(minutes=1)
"""It is kept to the end of a day: people read the last minute of that, not the first of the next one."""
_STANDS: dict[PlaceState, str] = {
    PlaceState.ASKED: marked("I asked {peer} to put us on the waiting list for {what}. {code}"),
    PlaceState.WAITING: marked("⏳ We are waiting for {what} from {peer}: place {place}. {code}"),
    PlaceState.TURN: marked("🔔 {what} is available at {peer}, and reserved for us until {until}. {code}"),
    PlaceState.SERVED: marked("✅ {what}: {peer} has approved, so we no longer wait for it. {code}"),
    PlaceState.LAPSED: marked(
        "{what}: nobody here requested it from {peer} in time. It goes to the next in line. {code}"
    ),
    PlaceState.FREE: marked("{what}: it is free at {peer}, so you don't need to wait. {code}"),
    PlaceState.UNKNOWN: marked("{what}: {peer} shares nothing under that name. {code}"),
    PlaceState.YOURS: marked("{what}: we have it already, {peer} lends it to us. {code}"),
    PlaceState.OURS: marked("{what}: it is ours, {peer} has borrowed it from us. {code}"),
    PlaceState.OFFERED: marked("{what}: {peer} is already offering it to us. {code}"),
    PlaceState.UNCLEAR: marked("{what}: {peer} has several parts with that name. {code}"),
    PlaceState.UNIT: marked("{what}: {peer} counts it in another unit. Say how many, without a unit. {code}"),
    PlaceState.TWICE: marked("{what}: our space is already on the waiting list of {peer}. {code}"),
    PlaceState.FULL: marked("{what}: we already wait for too many items of {peer}. {code}"),
    PlaceState.REMOVED: marked("{what}: {peer} has removed us from the waiting list. {code}"),
    PlaceState.LEFT: marked("We no longer wait for {what} from {peer}. {code}"),
    PlaceState.PARTED: marked("We no longer wait for {what}: the friendship with {peer} is over. {code}"),
}
_OUT: dict[PlaceState, str] = {
    PlaceState.LAPSED: marked("{what} was reserved for {person} until now. It goes to the next in line. {code}"),
    PlaceState.REMOVED: marked("{person} was removed from the waiting list for {what}. {code}"),
}
_NOT_IN_LINE: dict[PlaceState, str] = {
    PlaceState.FREE: marked("{what} is in stock: take it, and book it out in InvenTree. You don't need to wait."),
    PlaceState.UNKNOWN: marked("Not noted: we have nothing called {what}."),
    PlaceState.UNCLEAR: marked("Not noted: several parts are called {what}. Name it by its IPN."),
    PlaceState.UNIT: marked("Not noted: {what} is counted in another unit. Say how many, without a unit."),
    PlaceState.TWICE: marked("Not noted: you are already waiting for {what}."),
}


def place_page(locale: Locale, *, place: PlaceInLine, us: PartyConfig, peer_name: str) -> Lines:
    """The message about a place in a friend's queue, in its present state."""
    del us
    lines: Lines = [locale.say(_STANDS[place.state], **_of_place(locale, place, peer_name))]
    if place.state is PlaceState.TURN:
        lines.append(locale.say("To request it, reply here: {reply}", reply="borrow for 2 weeks"))
        lines.append(locale.say("Then {peer} decides, as always.", peer=naming.space(locale, peer_name)))
    if place.state is PlaceState.FREE:
        amount = f"{locale.typed(place.quantity)}{place.unit}"
        line = command(f"borrow {amount} {locale.short(place.word, 40)} from {place.peer} for 2 weeks")
        lines.append(locale.say("Request it: {line}", line=line))
    if place.state is PlaceState.YOURS:
        lines.append(locale.say("To keep it longer: {line}", line=command("extend ID 2 weeks")))
    if place.state is PlaceState.OFFERED:
        lines.append(locale.say("Accept it on its card: {todo}", todo=command("todo")))
    if place.state is PlaceState.OURS:
        line = command(f"wait {locale.short(place.word, 40)}")
        lines.append(locale.say("To wait until it is back: {line}", line=line))
    if place.is_living:
        lines.append(locale.say("To stop waiting: {cancel}", cancel=command(f"cancel {place.code}")))
    return lines


def _of_place(locale: Locale, place: PlaceInLine, peer_name: str) -> dict[str, Words]:
    what = naming.amount(locale, place.quantity, place.unit, locale.short(place.word, 60))
    return {
        "what": Bold(what),
        "peer": naming.space(locale, peer_name),
        "code": place.code,
        "place": locale.count(place.place),
        "until": locale.when(place.until - A_MINUTE) if place.until else "",
    }


def place_in_short(locale: Locale, place: PlaceInLine, peer_name: str) -> tuple[Inline, ...]:
    """'k7m2 – 1 × LENS-2 of Attraktor: place 2'."""
    names = _of_place(locale, place, peer_name)
    if place.state is PlaceState.TURN:
        return locale.say("{code} – {what} of {peer}: reserved for us until {until}", **names)
    if place.state is PlaceState.ASKED:
        return locale.say("{code} – {what} of {peer}: not answered yet", **names)
    return locale.say("{code} – {what} of {peer}: place {place}", **names)


def _of_entry(locale: Locale, entry: QueueEntry) -> dict[str, Words]:
    what = naming.amount(locale, entry.quantity, entry.unit, locale.short(entry.name or entry.word, 60))
    return {
        "what": Bold(what),
        "code": entry.code,
        "person": locale.short(entry.by.name, 40) if entry.by else "",
        "until": locale.when(entry.kept_until - A_MINUTE) if entry.kept_until else "",
    }


def in_our_queue(locale: Locale, *, entry: QueueEntry, us: PartyConfig, place: int) -> Lines:
    """The message about one of our people who waits for one of our items."""
    del us
    names = _of_entry(locale, entry)
    if entry.kept:
        stands = locale.say("🔔 {what} is available, and reserved for {person} until {until}. {code}", **names)
    else:
        number = locale.count(place)
        stands = locale.say("⏳ {person} is waiting for {what}: place {place}. {code}", place=number, **names)
    return [stands, locale.say("To stop waiting: {cancel}", cancel=command(f"cancel {entry.code}"))]


def your_turn_here(locale: Locale, *, entry: QueueEntry, us: PartyConfig) -> Lines:
    """Tells one of our people that the item for which they wait is back."""
    del us
    return [
        locale.say(
            "🔔 {what} is available, and reserved for {person} until {until}. {code}", **_of_entry(locale, entry)
        ),
        locale.say(
            "Take it, and book it out in InvenTree. Then type: {cancel}", cancel=command(f"cancel {entry.code}")
        ),
    ]


def out_of_our_queue(locale: Locale, *, entry: QueueEntry, us: PartyConfig, why: PlaceState) -> Lines:
    """One of our people no longer waits, and why."""
    del us
    return [locale.say(_OUT[why], **_of_entry(locale, entry))]


def not_in_line(locale: Locale, *, word: str, why: PlaceState) -> Lines:
    """The reason why one of our people can't wait for one of our items."""
    return [locale.say(_NOT_IN_LINE[why], what=locale.short(word, 60))]


def waits_no_more(locale: Locale, *, code: str) -> Lines:
    """The answer to leaving a queue."""
    return [locale.say("Noted: you left the waiting list. {code}", code=code)]


def queue_list(
    locale: Locale,
    *,
    us: PartyConfig,
    queue: tuple[tuple[str, int, QueueEntry], ...],
    places: tuple[tuple[str, PlaceInLine], ...],
) -> Lines:
    """The people who wait for our items, with their places, and our people's places at friends."""
    own = naming.space(locale, us.name)
    lines: Lines = []
    if queue:
        items: list[Inline | tuple[Inline, ...]] = [entry_in_short(locale, *each) for each in queue[:MOST_LISTED]]
        if len(queue) > MOST_LISTED:
            items.append(locale.say("and {number} more", number=len(queue) - MOST_LISTED))
        lines += [locale.say("On the waiting lists of {own}:", own=own), Items(tuple(items))]
    if places:
        elsewhere = tuple(place_in_short(locale, place, name) for name, place in places)
        lines += [locale.say("{own} is waiting for:", own=own), Items(elsewhere)]
    example = command("wait LENS-2 from SPACE")
    return lines or [locale.say("Nobody is waiting for anything. To join a waiting list: {example}", example=example)]


def entry_in_short(locale: Locale, name: str, place: int, entry: QueueEntry) -> tuple[Inline, ...]:
    """'k7m2 – 1 × Laser lens: Betaspace, place 2'."""
    names = {**_of_entry(locale, entry), "name": locale.short(name, 40), "place": locale.count(place)}
    if entry.kept:
        return locale.say("{code} – {what}: reserved for {name} until {until}", **names)
    return locale.say("{code} – {what}: {name}, place {place}", **names)


def too_many_places(locale: Locale, *, count: int) -> Lines:
    """The refusal of one more place: the limit is reached."""
    return [locale.say("Not noted: you are already waiting for {number} items.", number=locale.count(count))]


def one_thing_in_line(locale: Locale) -> Lines:
    """The refusal of several items in one line of `wait`."""
    return [
        locale.say("Not noted: those are several items. Write a line for each."),
        locale.say("For example: {wait}", wait=command("wait LENS-2 from SPACE")),
    ]
