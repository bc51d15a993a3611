"""What is booked for days to come: booked, in the way, to be handed over, not fetched."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.formatting import Code, Inline, Items
from fedbot.messages.language import Lines, Locale, Words, marked
from fedbot.messages.lending_rules import rules_lines
from fedbot.messages.naming import command
from fedbot.messages.transfer_facts import Card, asked, card_of, decided, for_whom, what_and_where
from fedbot.rules.model import time_zones
from fedbot.rules.model.lending import Hindrance, Obstacle, Reserved
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import StockItem
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState

MOST_BROKEN = 2
MOST_IN_LINE = 5

_HINDRANCES: dict[Hindrance, str] = {
    Hindrance.GONE: marked("{what}: the stock item isn't there any more, or is another thing now"),
    Hindrance.NOT_HERE: marked("{what}: it isn't in {sender}'s stock any more"),
    Hindrance.LESS: marked("{what}: only {left} left"),
    Hindrance.CONDITION: marked("{what}: its condition has changed"),
    Hindrance.LENT: marked("{what}: it is still lent to somebody else"),
}


def _names(locale: Locale, card: Card) -> dict[str, Words]:
    transfer = card.transfer
    return {
        "what": naming.moved(locale, transfer),
        "sender": card.sender,
        "receiver": card.receiver,
        "first": naming.first_day(locale, transfer),
        "last": naming.last_day(locale, transfer),
        "until": locale.day_there(_last_to_fetch(locale, transfer), transfer.terms.time_zone),
    }


def _last_to_fetch(locale: Locale, transfer: Transfer) -> date:
    """The last day on which it may be fetched: what it is kept until is the beginning of the next one."""
    zone = time_zones.zone(transfer.terms.time_zone, locale.time_zone)
    return (transfer.due - timedelta(seconds=1)).astimezone(zone).date()


def booked_card(locale: Locale, card: Card) -> Lines:
    """The card of what is booked, and of what is to be handed over."""
    if card.transfer.calls:
        return _to_hand_over(locale, card)
    names = _names(locale, card)
    return [
        locale.say("📅 Booked: {what} for {receiver}, from {first} until {last}.", **names),
        decided(locale, card),
        "",
        *what_and_where(locale, card),
        *rules_lines(locale, card),
        *obstacle_lines(locale, card),
        "",
        locale.say("Nothing has moved yet. Pick it up at {sender} by {until}.", **names),
        locale.say("To give the booking up: {cancel}", cancel=command(f"cancel {card.transfer.code}")),
    ]


def _to_hand_over(locale: Locale, card: Card) -> Lines:
    """The owner's approvers say whether it was fetched."""
    names = _names(locale, card)
    return [
        locale.say("📅 Handed over? {what}, booked by {receiver} from {first} on.", **names),
        for_whom(locale, card, card.sender),
        *asked(locale, card),
        "",
        *what_and_where(locale, card),
        locale.say("Loan: it stays {sender}'s; back by {last}, that day included.", **names),
        *rules_lines(locale, card),
        *obstacle_lines(locale, card),
        "",
        locale.say("✅ yes, they have it · 📦 yes, it goes by parcel · ❌ not today"),
        locale.say("Nothing has moved. · {code}", code=card.transfer.code),
    ]


def breaks(locale: Locale, card: Card) -> Lines:
    """The bookings that a yes breaks."""
    if card.transfer.state is not TransferState.OPEN:
        return []
    over = card.transfer.over
    booked = [each for each in over if not each.waits]
    lines: Lines = [
        locale.say("⚠ A yes breaks a booking: {booking}.", booking=_reserved(locale, each))
        for each in booked[:MOST_BROKEN]
    ]
    return [*lines, *_in_line(locale, over)]


def _in_line(locale: Locale, over: tuple[Reserved, ...]) -> Lines:
    """Who waits for it: the first ones by name, in their order."""
    waiting = [each for each in over if each.waits]
    if not waiting:
        return []
    names: list[Inline] = []
    for number, each in enumerate(waiting[:MOST_IN_LINE], start=1):
        since = locale.day(each.first, year=False)
        names += [", "] if names else []
        party = naming.space(locale, each.name or each.peer)
        names += locale.say("{number}. {party} (since {day})", number=locale.count(number), party=party, day=since)
    total = locale.count(len(waiting))
    return [locale.say("⏳ In line for it, {total}: {names}.", total=total, names=tuple(names))]


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
    """What stands against handing it over, as our InvenTree is now."""
    said = [_obstacle(locale, card, obstacle) for obstacle in card.transfer.obstacles]
    if len(said) == 1:
        return [(*locale.say("⚠ In InvenTree now:"), " ", *said[0])]
    return [locale.say("⚠ In InvenTree now:"), Items(tuple(said))] if said else []


def _obstacle(locale: Locale, card: Card, obstacle: Obstacle) -> tuple[Inline, ...]:
    line = card.transfer.line(obstacle.line)
    left = locale.quantity(obstacle.left, line.description.units)
    return locale.say(_HINDRANCES[obstacle.why], what=naming.thing(locale, line), left=left, sender=card.sender)


def first_day_is_here(locale: Locale, *, transfer: Transfer) -> Lines:
    """What the card of a booking reads, once another one asks whether it was handed over."""
    return [
        locale.say("📅 The first day of this booking is here: {case}.", case=naming.case(locale, transfer)),
        locale.say("A newer card asks whether it was handed over."),
        transfer.code,
    ]


def booked(locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str) -> Lines:
    """Both sides have agreed: for who asked, and who said yes."""
    names = _names(locale, card_of(locale, transfer, us, peer_name))
    return [
        locale.say("📅 Booked: {what} for {receiver}, from {first} until {last}.", **names),
        locale.say("Pick it up at {sender} by {until}. After that the booking lapses.", **names),
        locale.say("To give it up: {cancel}", cancel=command(f"cancel {transfer.code}")),
    ]


def obstacles(locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str) -> Lines:
    """What is booked can't be handed over as our InvenTree stands, or can be again; for both sides."""
    card = card_of(locale, transfer, us, peer_name)
    names = _names(locale, card)
    if not transfer.obstacles:
        return [locale.say("✅ The booking of {what} from {first} on stands again.", **names), transfer.code]
    return [
        locale.say("⚠ The booking of {what} from {first} on is at risk.", **names),
        *obstacle_lines(locale, card),
        locale.say("Fix it in {sender}'s InvenTree, or give it up: {cancel}", **names, cancel=_cancel(transfer)),
    ]


def _cancel(transfer: Transfer) -> Inline:
    return command(f"cancel {transfer.code}")


def hand_over_reminder(
    locale: Locale, *, transfer: Transfer, us: PartyConfig, peer_name: str, people: dict[str, str], others: int
) -> Lines:
    """In the card's thread: what is booked hasn't been fetched yet."""
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
    """A first day, but no last one."""
    return [
        locale.say("Not done: I know the first day, but not the last one. Nothing was sent."),
        locale.say("For example: {line}", line=command(line)),
    ]


def ends_before_it_starts(locale: Locale, *, first: date, last: date) -> Lines:
    """The last day lies before the first one."""
    return [
        locale.say("Not done: it would end before it begins. Nothing was sent."),
        locale.say("The first day is {first}, the last one {last}.", first=locale.day(first), last=locale.day(last)),
    ]


def booking_from_anyone(locale: Locale) -> Lines:
    """A booking asks one space, as the others would have to keep theirs for nothing."""
    return [
        locale.say("Not done: a booking needs one certain space. Nothing was sent."),
        locale.say("Look who has it, then name that space: {find}", find=command("help find")),
    ]


def booked_then(
    locale: Locale,
    *,
    item: StockItem,
    wanted: Decimal,
    bookings: tuple[Reserved, ...],
    nearest: tuple[date, date] | None,
) -> Lines:
    """A booking over other bookings or loans."""
    what = f"{locale.quantity(wanted, item.part.units)} × {locale.short(item.part.name, 60)}"
    lines: Lines = [locale.say("Not booked: {what} (stock #{item}) isn't free then.", what=what, item=item.pk)]
    lines += [locale.say("Booked: {booking}", booking=_reserved(locale, each)) for each in bookings[:MOST_BROKEN]]
    if nearest is None:
        return [*lines, locale.say("Within a year there are no free days. Nothing was sent.")]
    first, last = (locale.day(day) for day in nearest)
    free = locale.say("The nearest free days are {first} to {last}. Nothing was sent.", first=first, last=last)
    return [*lines, free]


def would_break(locale: Locale, *, what: str, bookings: tuple[Reserved, ...], line: str) -> Lines:
    """What somebody wants to do takes what is booked: it needs a second yes."""
    name = locale.short(what, 60)
    booked = [each for each in bookings if not each.waits]
    if booked:
        lines: Lines = [locale.say("⚠ Not done yet: {what} is booked. This would break:", what=name)]
        lines.append(Items(tuple(_reserved(locale, each) for each in booked[:MOST_BROKEN])))
    else:
        lines = [locale.say("⚠ Not done yet: others wait for {what}.", what=name)]
    lines += _in_line(locale, bookings)
    return [*lines, locale.say("If you mean it, say: {line}", line=Code(line))]
