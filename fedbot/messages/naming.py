"""Names of people, items, transfers and connections, for use in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from fedbot.messages.language import Lines, Locale, marked
from fedbot.messages.markup import Bold, Code, Inline, Mention
from fedbot.rules import time_zones
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import STATUS_OK, PartDescription, counts_pieces
from fedbot.rules.model.transfer import Line, Transfer
from fedbot.rules.names import LONGEST_LABEL
from fedbot.rules.wire import BY_API, BY_PAGE

MOST_IN_FIRST_LINE = 3
MOST_SERIALS = 3
STATUSES = frozenset(
    {
        marked("OK"),
        marked("Attention needed"),
        marked("Damaged"),
        marked("Destroyed"),
        marked("Rejected"),
        marked("Lost"),
        marked("Quarantined"),
        marked("Returned"),
    }
)
"""InvenTree's own, as it calls them in English; a server may have others."""


def command(text: str) -> Code:
    """A line to type: `!fed …`."""
    return Code(f"!fed {text}".rstrip())


def inventory_url(us: PartyConfig) -> str:
    """The address of our InvenTree, for a command to copy."""
    return us.inventory_url or "https://OUR-INVENTREE"


def space(locale: Locale, name: str) -> str:
    """A makerspace by its label (`names`)."""
    return locale.short(name, LONGEST_LABEL) or locale.word("a space without a name")


def person(locale: Locale, name: str) -> str:
    """A person by their label (`names`)."""
    return locale.short(name, LONGEST_LABEL) or locale.word("somebody")


def pill(locale: Locale, user: str, name: str) -> Mention:
    """A person who is mentioned: '@Anna'."""
    return Mention(user, f"@{person(locale, name or user)}")


def pills(locale: Locale, people: Mapping[str, str], others: int) -> list[Inline]:
    """These people (names by Matrix id), each mentioned, and a note if there are others."""
    found: list[Inline] = []
    for user, name in people.items():
        found += [pill(locale, user, name), " "]
    return [*found, *locale.say("and others: ")] if others else found


def signed(locale: Locale, signature: Signature | None) -> str:
    """The person who asked or decided, with the page or program if it wasn't in chat."""
    if signature is None:
        return person(locale, "")
    name = person(locale, signature.name or signature.person)
    return off_chat(locale, name, signature.event_id, signature.through)


def opened_by(locale: Locale, subject: Connection | Transfer) -> str:
    """'asked by Anna', or 'offered by Anna': the person who began it."""
    offers = isinstance(subject, Transfer) and subject.is_offer
    sentence = marked("offered by {who}") if offers else marked("asked by {who}")
    return locale.word(sentence).format(who=signed(locale, subject.asked))


def capital(text: str) -> str:
    """The same text to begin a line."""
    return text[:1].upper() + text[1:]


def noted(locale: Locale, signature: Signature | None) -> tuple[Inline, ...]:
    """The note that a person gave with a decision, behind its sentence: ': "thanks!"'; nothing if there is none."""
    note = locale.short(signature.note, 300) if signature is not None else ""
    return locale.say(': "{note}"', note=note) if note else ()


def because(locale: Locale, signature: Signature | None) -> Lines:
    """The reason that a person gave, as a line; nothing if there is none."""
    note = locale.short(signature.note, 300) if signature is not None else ""
    return [locale.say('Why: "{why}"', why=note)] if note else []


def off_chat(locale: Locale, name: str, event_id: str, through: str = "") -> str:
    """A person's name, with the page or program that they used if it wasn't in chat. `through`: their token's name."""
    if event_id.startswith(BY_PAGE):
        return locale.word("{name}, on a page").format(name=name)
    if not event_id.startswith(BY_API):
        return name
    if not through:
        return locale.word("{name}, by API").format(name=name)
    token = locale.short(through, LONGEST_LABEL)
    return locale.word('{name}, by API token "{token}"').format(name=name, token=token)


def people(locale: Locale, names: Sequence[str], *, any_of: bool = False) -> str:
    """Several people; only the first three by name."""
    return locale.names([person(locale, name) for name in names], any_of=any_of)


def part(locale: Locale, description: PartDescription) -> str:
    """A part by its name, or its IPN if it has none."""
    return locale.short(description.name or description.ipn, 60) or locale.word("something without a name")


def thing(locale: Locale, line: Line) -> str:
    """'10 × M3 bolt', '1.5 m of cable'."""
    return amount(locale, line.quantity, line.description.units, part(locale, line.description))


def amount(locale: Locale, quantity: Decimal, units: str, name: str) -> str:
    """'10 × M3 bolt', '1.5 m of cable'."""
    if not counts_pieces(units):
        return locale.word("{quantity} of {name}").format(quantity=locale.quantity(quantity, units), name=name)
    return f"{locale.quantity(quantity)} × {name}"


def revision(locale: Locale, name: str) -> str:
    """'revision B'."""
    return locale.word("revision {revision}").format(revision=locale.short(name, 20))


def marks(locale: Locale, line: Line) -> list[str]:
    """The item's IPN, serial number and batch."""
    told = [locale.short(line.description.ipn, 40)]
    if line.serial:
        told.append(locale.word("serial {serial}").format(serial=locale.short(line.serial, 40)))
    if line.batch:
        told.append(locale.word("batch {batch}").format(batch=locale.short(line.batch, 40)))
    return [mark for mark in told if mark]


def condition(locale: Locale, line: Line) -> str:
    """'⚠ Damaged'; '' if it is OK."""
    if line.is_ok:
        return ""
    named = status(locale, line.status_text, line.status)
    return named if line.status == STATUS_OK else f"⚠ {named}"


def marked_thing(locale: Locale, line: Line) -> str:
    """'1 × Laser lens 2.0″ (LENS-2, serial 0042)'."""
    told = [*marks(locale, line), *filter(None, [condition(locale, line)])]
    return f"{thing(locale, line)} ({', '.join(told)})" if told else thing(locale, line)


def flawed_thing(locale: Locale, line: Line) -> str:
    """'1 × Laser lens 2.0″ (LENS-2, serial 0042, ⚠ Damaged, revision B, ⚠ expired (use by 1 Dec))'."""
    told = [*marks(locale, line), *filter(None, [condition(locale, line)]), *further(locale, line)]
    return f"{thing(locale, line)} ({', '.join(told)})" if told else thing(locale, line)


def further(locale: Locale, line: Line) -> list[str]:
    """Its revision and its use-by date, which `marked_thing` leaves out."""
    told = [revision(locale, line.description.revision)] if line.description.revision else []
    return told + ([_use_by(locale, line)] if line.expiry else [])


def _use_by(locale: Locale, line: Line) -> str:
    if line.expiry is None:
        return ""
    is_over = line.expiry < locale.today_there("")
    sentence = marked("⚠ expired (use by {day})") if is_over else marked("use by {day}")
    return locale.word(sentence).format(day=locale.day(line.expiry))


def details(locale: Locale, line: Line) -> str:
    """Everything that the card says about the item: 'Laser lens 2.0″, LENS-2, serial 0042, status OK'."""
    told = [part(locale, line.description), *marks(locale, line)]
    if line.description.revision:
        told.append(revision(locale, line.description.revision))
    if line.packaging:
        told.append(locale.word("packaging {packaging}").format(packaging=locale.short(line.packaging, 30)))
    if line.expiry:
        told.append(_use_by(locale, line))
    named = status(locale, line.status_text, line.status)
    told.append(
        locale.word("status {status}").format(status=named)
        if line.status == STATUS_OK
        else locale.word("⚠ status {status}").format(status=named)
    )
    return ", ".join(told)


def status(locale: Locale, text: str, number: int) -> str:
    """The name of a stock item's status in InvenTree, or its number."""
    return locale.word(text) if text in STATUSES else locale.short(text, 30) or str(number)


def things(locale: Locale, lines: Sequence[Line]) -> str:
    """Everything that a transfer moves, on one line: '10 × M3 bolt, 2 × lens (serial 0041, 0042) and 2 more'."""
    alike = _alike(locale, lines)
    shown = [_together(locale, each) for each in alike[:MOST_IN_FIRST_LINE]]
    if len(alike) > MOST_IN_FIRST_LINE:
        more = locale.word("{number} more").format(number=len(alike) - MOST_IN_FIRST_LINE)
        return locale.word("{first} and {last}").format(first=", ".join(shown), last=more)
    if len(shown) > 1:
        return locale.word("{first} and {last}").format(first=", ".join(shown[:-1]), last=shown[-1])
    return "".join(shown)


def _alike(locale: Locale, lines: Sequence[Line]) -> list[list[Line]]:
    """The lines, those of one kind together."""
    alike: dict[tuple[str, ...], list[Line]] = {}
    for line in lines:
        part = line.description
        kind = (part.name, part.ipn, part.revision, part.units, condition(locale, line))
        alike.setdefault(kind, []).append(line)
    return list(alike.values())


def above_list(locale: Locale, lines: Sequence[Line]) -> Bold:
    """The items for the first line of a message that lists them below: '10 × M3 bolt and 4 other items'."""
    first, *others = _alike(locale, lines)
    if len(others) < MOST_IN_FIRST_LINE - 1:
        return Bold(all_of(locale, lines))
    one, many = "{first} and {number} other item", "{first} and {number} other items"
    return Bold(locale.some(one, many, len(others), first=_together(locale, first)))


def _together(locale: Locale, lines: Sequence[Line]) -> str:
    """'10 × M3 bolt', '1 × lens (⚠ Damaged)'; for several alike their serial numbers."""
    first, *others = lines
    serials = [locale.short(line.serial, 20) for line in lines if line.serial] if others else []
    are_told = 0 < len(serials) <= MOST_SERIALS
    told = [locale.word("serial {serial}").format(serial=", ".join(serials))] if are_told else []
    told += filter(None, [condition(locale, first)])
    what = thing(locale, replace(first, quantity=sum((line.quantity for line in lines), Decimal(0))))
    return f"{what} ({', '.join(told)})" if told else what


def moved(locale: Locale, transfer: Transfer) -> Bold:
    """The items that the transfer moves, in bold, for first lines."""
    return Bold(all_of(locale, transfer.lines_told))


def all_of(locale: Locale, lines: Sequence[Line]) -> str:
    """These items; a single one with the details that identify it."""
    return marked_thing(locale, lines[0]) if len(lines) == 1 else things(locale, lines)


def last_day(locale: Locale, transfer: Transfer) -> str:
    """The due date of a loan, with extensions, and with the zone if it isn't ours; '' if it is no loan."""
    return locale.day_there(transfer.due_day, transfer.terms.time_zone) if transfer.due_day else ""


def first_day(locale: Locale, transfer: Transfer) -> str:
    """The first day of a booking, to stand before its last one: 'Sat 12 Dec'; '' if it isn't booked ahead."""
    starts, due = transfer.terms.starts, transfer.due_day
    if starts is None:
        return ""
    if due is not None and due.year == starts.year:  # the last day shows the year and the time zone
        return locale.day(starts, year=False)
    return locale.day_there(starts, transfer.terms.time_zone)


def open_until(locale: Locale, subject: Connection | Transfer) -> str:
    """The deadline for a decision; for a booking, the last day to pick it up, with its zone if it isn't ours."""
    if isinstance(subject, Connection) or not (subject.calls or subject.was_due):
        return locale.when(subject.due)
    zone = time_zones.zone(subject.terms.time_zone, locale.time_zone)
    last = (subject.due - timedelta(seconds=1)).astimezone(zone).date()  # it lasts until the next day begins
    return locale.day_there(last, subject.terms.time_zone)


def sender(locale: Locale, transfer: Transfer, us: PartyConfig, peer_name: str) -> str:
    """The space that gives it."""
    return space(locale, us.name if transfer.role == "sender" else peer_name)


def receiver(locale: Locale, transfer: Transfer, us: PartyConfig, peer_name: str) -> str:
    """The space that gets it."""
    return space(locale, us.name if transfer.role == "receiver" else peer_name)


def party(locale: Locale, identifier: str, us: PartyConfig, peer_name: str) -> str:
    """One of the two spaces."""
    return space(locale, us.name if identifier == us.party else peer_name)


def case(locale: Locale, subject: Connection | Transfer) -> tuple[Inline, ...]:
    """A transfer or connection within a sentence: '10 × M3 bolt (k7m2)'."""
    if isinstance(subject, Transfer):
        return locale.say("{things} ({code})", things=things(locale, subject.lines_told), code=subject.code)
    return locale.say("the friendship with {peer} ({code})", peer=space(locale, subject.peer_name), code=subject.code)
