"""`!fed request ITEM QUANTITY from SPACE`: ask a friend for something of theirs.

What is meant by the words only the owner's InvenTree knows: they go there as they were typed.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from fedbot import messages
from fedbot.commands.dates import UNTIL, day_meant
from fedbot.commands.grammar import SHOWN, Reading, render
from fedbot.commands.lookup import friend_meant, whole_line
from fedbot.commands.picking import quantity_complaint
from fedbot.commands.spec import Argument, Handler, Kind, Option, Verb, Where
from fedbot.rules import command as chat_lines
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer, PartDescription, Query
from fedbot.rules.model.scanned_codes import scanned_in
from fedbot.rules.model.stock import Right
from fedbot.rules.model.transfer import Line, Terms
from fedbot.rules.protocol.terms import presentable
from fedbot.rules.state import Turn
from fedbot.rules.transfer import request
from fedbot.rules.wire.subject_ids import by_line

SPEC = Verb(
    name="request",
    aliases=("ask",),
    summary="request an item",
    right=Right.MAPPED,
    arguments=(
        Argument("lines", Kind.ITEMS, "ITEM QUANTITY"),
        Argument("space", Kind.SPACE, "SPACE", keyword="from"),
        Argument("until", Kind.DAY, "TIME", keyword="for", optional=True, or_keywords=UNTIL),
    ),
    options=(
        Option("note", "TEXT", "a note for the other space"),
        Option("as-shown", "CODE", "accept exactly what I have shown you; your numbered reply fills it in", 16),
    ),
    examples=(
        "request 50 M3-BOLT from betaspace",
        "request LENS-2#0042 from betaspace for 2 weeks",
        'request LENS-2#0042 from betaspace --note "for Saturday\'s workshop"',
    ),
    details=(
        "With 'for 2 weeks' or 'until 31.1.' you ask to borrow it. The due date is the last day.",
        "Name the ITEM as the other space does: its #42, IPN, part name or PART#SERIAL.",
        "An approver of the other space decides, and can grant less; then your approver decides if that is enough.",
        "Nothing moves before. Unless you borrow it, it is yours then.",
        "Separate several items by ' + ', ';' or a line break.",
    ),
    where=Where.FEDERATION_ROOM,
    everyday=2,
)

_SHOWN_AS = re.compile("[0-9a-f]{16}")


def ask(turn: Turn, command: Command, spec: Verb = SPEC) -> tuple[Query, ...] | Phrase:
    """Nothing of our InvenTree; what stands against it is said at once. `spec` is the verb that was typed."""
    friend = friend_meant(turn, command)
    if isinstance(friend, Phrase):
        return friend
    last_day = _last_day(turn, command)
    return last_day if isinstance(last_day, Phrase) else _complaint(command, spec) or ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...], spec: Verb = SPEC) -> Phrase | None:
    """Ask for it; or ask back what is meant. `spec` is the verb that was typed."""
    del answers
    friend = friend_meant(turn, command)
    if isinstance(friend, Phrase):
        return friend
    if complaint := _complaint(command, spec):
        return complaint
    meant = [_with_quantity(readings) for readings in _lines(command)]
    unclear = next((number for number, ways in enumerate(meant) if len(ways) > 1), None)
    if unclear is not None:
        _let_choose(turn, command, spec, friend, unclear)
        return None
    last_day = _last_day(turn, command)
    if isinstance(last_day, Phrase):
        return last_day
    asker = turn.signature_of(command)
    terms = Terms(
        kind="request",
        sender=friend.peer,
        receiver=turn.us.party,
        lines=tuple(_line(number, reading) for number, (reading,) in enumerate(meant, start=1)),
        asker=asker.person,
        asker_name=presentable(asker.name),
        note=presentable(str(command.arguments.get("note", ""))),
        loan_until=last_day,
    )
    accepted = str(command.arguments.get("as-shown", "")).lower()
    accepted = accepted if _SHOWN_AS.fullmatch(accepted) else ""  # then what isn't as asked is shown again
    request.open_request(turn, by_line(command.event_id), friend, terms, asker, accepted)
    return None


def _last_day(turn: Turn, command: Command) -> date | Phrase | None:
    """The last day of what is to be borrowed; None if it is to keep; or what is wrong with the day."""
    word = str(command.arguments.get("until", ""))
    return day_meant(word, turn.now, turn.us.time_zone) if word else None


def _lines(command: Command) -> list[tuple[Reading, ...]]:
    return [_readings(readings) for readings in command.arguments["lines"]]


def _readings(parsed: list[dict[str, str]]) -> tuple[Reading, ...]:
    return tuple(Reading(**reading) for reading in parsed)


def _with_quantity(readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """The readings that say how much. A serial number is one piece without saying so."""
    counted = tuple(reading for reading in readings if reading.quantity)
    if counted:
        return counted
    return tuple(Reading(reading.item, "1") for reading in readings if _names_a_serial(reading.item))


def _names_a_serial(item: str) -> bool:
    """`LENS-2#0042`, but neither `#42` nor a link."""
    part, sign, serial = item.rpartition("#")
    return bool(sign and part.strip() and serial.strip()) and "://" not in item


def _complaint(command: Command, spec: Verb) -> Phrase | None:
    """What is wrong with the quantities, or missing; or with a code of our own InvenTree, where theirs is meant."""
    for readings in _lines(command):
        if scanned := next((r.item for r in readings if scanned_in(r.item) is not None), ""):
            return say(messages.offer.scanned_code_is_ours, word=scanned[:SHOWN])
        meant = _with_quantity(readings)
        if not meant:
            return say(
                messages.offer.how_many_of_it, word=readings[0].item[:SHOWN], line=_with_one_of_each(command, spec)
            )
        for reading in meant:
            if complaint := quantity_complaint(reading.quantity):
                return complaint
    return None


def _with_one_of_each(command: Command, spec: Verb) -> str:
    """The line with a quantity, where there was none."""
    lines = [
        readings if _with_quantity(_readings(readings)) else [{**readings[0], "quantity": "1"}]
        for readings in command.arguments["lines"]
    ]
    return render(spec, {**command.arguments, "lines": lines})


def _line(number: int, reading: Reading) -> Line:
    """A line as typed: the owner fills in which item and part that is."""
    description = PartDescription(name=presentable(reading.item))
    return Line(number=number, item=0, part=0, description=description, quantity=Decimal(reading.quantity))


def _let_choose(turn: Turn, command: Command, spec: Verb, friend: Connection, unclear: int) -> None:
    """A number at both ends: which one is the quantity? The other lines stay as they were typed."""
    lines = command.arguments["lines"]
    ways = _with_quantity(_readings(lines[unclear]))
    last_day = _last_day(turn, command)
    fixed = {"until": last_day.isoformat()} if isinstance(last_day, date) else {}
    whole = []
    for way in ways:
        meant = [*lines[:unclear], [{"item": way.item, "quantity": way.quantity}], *lines[unclear + 1 :]]
        whole.append(whole_line(turn, command, spec, space=friend.peer, lines=meant, **fixed))
    phrase = say(
        messages.offer.which_is_the_quantity, ways=tuple((Decimal(way.quantity), way.item[:SHOWN]) for way in ways)
    )
    chat_lines.choose(turn, command.room, command.event_id, command.sender, phrase, tuple(whole))


HANDLER = Handler(SPEC, ask, act)
