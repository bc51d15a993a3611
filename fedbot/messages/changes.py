"""What a card shows otherwise than the card before it, in words; and that the one before is out of force."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from fedbot.messages import naming
from fedbot.messages.formatting import Inline
from fedbot.messages.language import Lines, Locale, marked
from fedbot.messages.transfer_facts import Card
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.queries import PartDescription
from fedbot.rules.model.shown import Change, Landing, ShownLine
from fedbot.rules.model.transfer import Transfer

MOST_CHANGES = 5

FIELDS = {
    "quantity": marked("the quantity"),
    "description": marked("the part"),
    "item": marked("the stock item"),
    "part": marked("the part's number"),
    "serial": marked("the serial number"),
    "batch": marked("the batch"),
    "packaging": marked("the packaging"),
    "expiry": marked("the use-by date"),
    "status": marked("the condition"),
    "status_text": marked("the condition"),
    "details": marked("what comes with it"),
    "stays": marked("what does not travel"),
    "place": marked("the place that it comes from"),
    "origin": marked("the space that it came from at first"),
    "landing": marked("where it lands"),
    "lines": marked("the list"),
    "note": marked("the note"),
    "loan_until": marked("the due date"),
    "starts": marked("the first day"),
    "rules": marked("the lending rules"),
    "outside": marked("since when it is lent"),
    "hands_over": marked("what is asked"),
    "over": marked("which bookings a yes breaks"),
    "obstacles": marked("what InvenTree says of it"),
    "due": marked("how long it stays open"),
    "granted_by": marked("who granted it"),
    "care": marked("how many people have to agree"),
    "confirm": marked("whether others are asked too"),
    "peer_key": marked("the key"),
    "peer_bot": marked("the bot's account"),
    "name": marked("the name"),
    "access": marked("what the other bot can read"),
    "makes_access": marked("who makes the access"),
}
"""What people call the fields of the model."""
OURS = frozenset({"landing", "makes_access", "care"})
"""What our own InvenTree or config changes; everything else is the other space's word."""


def changed(locale: Locale, card: Card, changes: tuple[Change, ...]) -> Lines:
    """One line a change: 'Betaspace changed the quantity from 10 to 20.'."""
    transfer = card.transfer
    peer = card.sender if transfer.role == "receiver" else card.receiver
    return _lines(locale, peer, changes) if changes else []


def connection_changed(locale: Locale, connection: Connection, changes: tuple[Change, ...]) -> Lines:
    """The same of a friendship that is asked for."""
    return _lines(locale, naming.space(locale, connection.peer_name), changes) if changes else []


def _lines(locale: Locale, peer: str, changes: tuple[Change, ...]) -> Lines:
    lines: Lines = [locale.say("⚠ This card takes the place of the one before. Decide again, on this one.")]
    lines += [_change(locale, peer, change) for change in changes[:MOST_CHANGES]]
    if len(changes) > MOST_CHANGES:
        lines.append(locale.say("and {number} more changes", number=len(changes) - MOST_CHANGES))
    return lines


def _change(locale: Locale, peer: str, change: Change) -> tuple[Inline, ...]:
    what = locale.word(FIELDS.get(change.field, marked("what is agreed")))
    before, after = _value(locale, change.before), _value(locale, change.after)
    if change.field in OURS:
        return locale.say("Changed: {what}, from {before} to {after}.", what=what, before=before, after=after)
    return locale.say(
        "{peer} changed {what} from {before} to {after}.", peer=peer, what=what, before=before, after=after
    )


def _value(locale: Locale, value: object) -> str:
    match value:
        case Decimal():
            return locale.quantity(value)
        case PartDescription():
            told = [naming.part(locale, value), locale.short(value.ipn, 40), locale.short(value.revision, 20)]
            return ", ".join(each for each in told if each)
        case ShownLine():
            return f"{locale.quantity(value.quantity)} × {naming.part(locale, value.description)}"
        case Landing():
            told = [locale.short(value.part_name, 60), locale.short(value.place, 60)]
            return ", ".join(each for each in told if each) or locale.word("nowhere yet")
        case datetime():
            return str(locale.when(value))
        case date():
            return locale.day(value)
        case None | "":
            return locale.word("nothing")
        case _:
            return f'"{locale.short(str(value), 60)}"'


def card_is_superseded(locale: Locale, *, subject: Connection | Transfer) -> Lines:
    """A reaction on a card that another one has taken the place of."""
    return [
        locale.say("Not counted: a newer card shows what has changed in {case}.", case=naming.case(locale, subject)),
        locale.say("Please decide on that one."),
    ]


def card_has_changed(locale: Locale, *, subject: Connection | Transfer) -> Lines:
    """A reaction from before the card was edited."""
    return [
        locale.say("Not counted: the card of {case} has changed since.", case=naming.case(locale, subject)),
        locale.say("Please read it again and react anew."),
    ]


def card_superseded(locale: Locale, *, subject: Connection | Transfer) -> Lines:
    """What the former card reads from now on."""
    return [
        locale.say("{case} has changed: a newer card takes the place of this one.", case=naming.case(locale, subject)),
        locale.say("Decide on that one. Nothing has moved."),
        subject.code,
    ]
