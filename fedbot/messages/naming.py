"""How people, things and cases are called in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from fedbot.messages.formatting import Bold, Code, Inline, Mention
from fedbot.messages.language import Locale, marked
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.names import LONGEST_LABEL
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.queries import PartDescription
from fedbot.rules.model.stock import STATUS_OK
from fedbot.rules.model.transfer import Line, Transfer

MOST_IN_FIRST_LINE = 3
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
    """A line to be typed: `!fed …`."""
    return Code(f"!fed {text}".rstrip())


def space(tongue: Locale, name: str) -> str:
    """A makerspace by its label (`names`)."""
    return tongue.short(name, LONGEST_LABEL) or tongue.word("a space without a name")


def person(tongue: Locale, name: str) -> str:
    """A person by their label (`names`)."""
    return tongue.short(name, LONGEST_LABEL) or tongue.word("somebody")


def pill(tongue: Locale, user: str, name: str) -> Mention:
    """A person who is addressed: '@Anna'."""
    return Mention(user, f"@{person(tongue, name or user)}")


def signed(tongue: Locale, signature: Signature | None) -> str:
    """Who asked or decided."""
    return person(tongue, (signature.name or signature.person) if signature else "")


def people(tongue: Locale, names: Sequence[str], *, any_of: bool = False) -> str:
    """Several people, of whom the first three are named."""
    return tongue.names([person(tongue, name) for name in names], any_of=any_of)


def part(tongue: Locale, description: PartDescription) -> str:
    """A part by its name, or its IPN if it has none."""
    return tongue.short(description.name or description.ipn, 60) or tongue.word("something without a name")


def thing(tongue: Locale, line: Line) -> str:
    """'10 × M3 bolt', '1.5 m of cable'."""
    name, units = part(tongue, line.description), line.description.units
    if units:
        return tongue.word("{quantity} of {name}").format(quantity=tongue.quantity(line.quantity, units), name=name)
    return f"{tongue.quantity(line.quantity)} × {name}"


def marks(tongue: Locale, line: Line) -> list[str]:
    """What tells this item from others: IPN, serial number, batch."""
    told = [tongue.short(line.description.ipn, 40)]
    if line.serial:
        told.append(tongue.word("serial {serial}").format(serial=tongue.short(line.serial, 40)))
    if line.batch:
        told.append(tongue.word("batch {batch}").format(batch=tongue.short(line.batch, 40)))
    return [mark for mark in told if mark]


def condition(tongue: Locale, line: Line) -> str:
    """'⚠ Damaged'; '' if it is OK."""
    if line.is_ok:
        return ""
    named = status(tongue, line.status_text, line.status)
    return named if line.status == STATUS_OK else f"⚠ {named}"


def marked_thing(tongue: Locale, line: Line) -> str:
    """'1 × Laser lens 2.0″ (LENS-2, serial 0042)'."""
    told = [*marks(tongue, line), *filter(None, [condition(tongue, line)])]
    return f"{thing(tongue, line)} ({', '.join(told)})" if told else thing(tongue, line)


def details(tongue: Locale, line: Line) -> str:
    """Everything that the card says of the item: 'Laser lens 2.0″, LENS-2, serial 0042, status OK'."""
    told = [part(tongue, line.description), *marks(tongue, line)]
    if line.description.revision:
        told.append(tongue.word("revision {revision}").format(revision=tongue.short(line.description.revision, 20)))
    if line.packaging:
        told.append(tongue.word("packaging {packaging}").format(packaging=tongue.short(line.packaging, 30)))
    if line.expiry:
        is_over = line.expiry < tongue.today_there("")
        sentence = marked("⚠ expired (use by {day})") if is_over else marked("use by {day}")
        told.append(tongue.word(sentence).format(day=tongue.day(line.expiry)))
    named = status(tongue, line.status_text, line.status)
    told.append(
        tongue.word("status {status}").format(status=named)
        if line.status == STATUS_OK
        else tongue.word("⚠ status {status}").format(status=named)
    )
    return ", ".join(told)


def status(tongue: Locale, text: str, number: int) -> str:
    """A stock item's status by its name, as InvenTree calls it; without one its number."""
    return tongue.word(text) if text in STATUSES else tongue.short(text, 30) or str(number)


def things(tongue: Locale, lines: Sequence[Line]) -> str:
    """All that a transfer moves, on one line: '10 × M3 bolt, 1 × lens and 2 more'."""
    shown = [_with_condition(tongue, line) for line in lines[:MOST_IN_FIRST_LINE]]
    if len(lines) > MOST_IN_FIRST_LINE:
        more = tongue.word("{number} more").format(number=len(lines) - MOST_IN_FIRST_LINE)
        return tongue.word("{first} and {last}").format(first=", ".join(shown), last=more)
    if len(shown) > 1:
        return tongue.word("{first} and {last}").format(first=", ".join(shown[:-1]), last=shown[-1])
    return "".join(shown)


def _with_condition(tongue: Locale, line: Line) -> str:
    """'10 × M3 bolt', '1 × lens (⚠ Damaged)'."""
    told = condition(tongue, line)
    return f"{thing(tongue, line)} ({told})" if told else thing(tongue, line)


def moved(tongue: Locale, transfer: Transfer) -> Bold:
    """What the transfer moves, standing out: for first lines."""
    return Bold(all_of(tongue, transfer.terms.lines))


def all_of(tongue: Locale, lines: Sequence[Line]) -> str:
    """These things; a single one with what tells it from others."""
    return marked_thing(tongue, lines[0]) if len(lines) == 1 else things(tongue, lines)


def last_day(tongue: Locale, transfer: Transfer) -> str:
    """The last day of a loan, as extended, with where that is the day if it isn't ours; '' of what is no loan."""
    return tongue.day_there(transfer.due_day, transfer.terms.time_zone) if transfer.due_day else ""


def sender(tongue: Locale, transfer: Transfer, home: PartyConfig, peer_name: str) -> str:
    """The space whose stock it is."""
    return space(tongue, home.name if transfer.role == "sender" else peer_name)


def receiver(tongue: Locale, transfer: Transfer, home: PartyConfig, peer_name: str) -> str:
    """The space that gets it."""
    return space(tongue, home.name if transfer.role == "receiver" else peer_name)


def party(tongue: Locale, identifier: str, home: PartyConfig, peer_name: str) -> str:
    """One of the two parties of a case."""
    return space(tongue, home.name if identifier == home.party else peer_name)


def case(tongue: Locale, subject: Connection | Transfer) -> tuple[Inline, ...]:
    """A transfer or a connection within a sentence: '10 × M3 bolt (k7m2)'."""
    if isinstance(subject, Transfer):
        return tongue.say("{things} ({code})", things=things(tongue, subject.terms.lines), code=subject.code)
    return tongue.say("the friendship with {peer} ({code})", peer=space(tongue, subject.peer_name), code=subject.code)
