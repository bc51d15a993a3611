"""Bookings, the calendar, and the waiting list."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.lending import rules_lines
from fedbot.messages.markup import Code, Inline, Items
from fedbot.messages.naming import command
from fedbot.messages.transfer.card_lines import Card, asked, card_of, decided, for_whom, what_and_where
from fedbot.rules.model.diagnosis import Hindrance
from fedbot.rules.model.lending import Obstacle, Reserved
from fedbot.rules.model.lifecycles import TransferState
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


def lender_says_it(locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str) -> Lines:
    """The answer to somebody who types that a booking was picked up, where the lender's card has to be answered."""
    names = {**_names(locale, card_of(locale, transfer, us, peer_name)), "code": transfer.code}
    if transfer.role == "receiver":
        return [
            locale.say("The approvers of {sender} tell their bot that {code} was picked up.", **names),
            locale.say("Their card asks them from {first} on. You don't need to do anything.", **names),
        ]
    return [locale.say("From {first} on, my card of {code} asks whether it was picked up.", **names)]


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
