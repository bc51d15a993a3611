"""`!fed want QUANTITY ITEM [until DAY]`: leave a want with the friends' bots until somebody shares such an item."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from fedbot import messages
from fedbot.commands.dates import UNTIL, day_from
from fedbot.commands.grammar import SHOWN
from fedbot.commands.items import Reading, counted_as_one, elsewhere
from fedbot.commands.lookup import let_choose_how_much, rooms_told_of
from fedbot.commands.spec import NOTE, Argument, Handler, Kind, Verb, Where
from fedbot.commands.stock_to_offer import quantity_complaint
from fedbot.rules.catalogue import search, want
from fedbot.rules.model.catalogue import LONGEST_DAYS, LONGEST_NOTE, MOST_WANTS, FriendWant, Want, want_id
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.protocol.terms import presentable
from fedbot.rules.state import Turn

USUAL_DAYS = 60
_UNREAD_DAY = re.compile(r" (?:until|by|bis) (.+)", re.IGNORECASE)

SPEC = Verb(
    name="want",
    aliases=("wish", "need"),
    fillers=("for",),
    summary="tell friends what you are looking for",
    permission=Permission.MAPPED,
    arguments=(
        Argument("lines", Kind.ITEMS, "ITEM QUANTITY", optional=True),
        Argument("until", Kind.DAY, "DAY", keyword="until", optional=True, or_keywords=("for", *UNTIL)),
    ),
    options=(replace(NOTE, summary="a note for the friends; or type it at the end, after a dash", most=LONGEST_NOTE),),
    examples=("want 200 M3-BOLT until 31.12.", "want 1 LENS-2 - for the summer camp", "want"),
    details=(
        "The bots of your friends in this room remember it, and tell their people once when they share some of it.",
        "Their approvers can then reply 'offer'. Name the item by its IPN or part name.",
        f"A want ends on the day that you name (by default, after {USUAL_DAYS} days), or once the item has come.",
        "'cancel ID' stops it.",
        "Without an item you see our wants, and those of friends.",
    ),
    where=Where.FEDERATION_ROOM,
    is_named_in_help=True,
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask nothing of our InvenTree; an objection is returned at once."""
    meant = _meant(turn, command) if command.arguments.get("lines") else None
    return meant if isinstance(meant, Phrase) else ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Tell the friends, or list the wants."""
    del answers
    if not command.arguments.get("lines"):
        return _listed(turn, command)
    meant = _meant(turn, command)
    if isinstance(meant, Phrase):
        return meant
    if not isinstance(meant, Want):
        let_choose_how_much(turn, command, SPEC, meant)
        return None
    want.begin(turn, meant)
    return None


def _meant(turn: Turn, command: Command) -> Want | tuple[Reading, ...] | Phrase:
    """The want; or the possible meanings; or an objection."""
    lines = command.arguments["lines"]
    if len(lines) > 1:
        return say(messages.catalogue.one_want_a_line)
    readings = elsewhere(tuple(Reading(**each) for each in lines[0]))
    if readings[0].unit and len(readings) > 1:
        return counted_as_one(readings)
    reading = next((each for each in readings if each.quantity), Reading(readings[0].item, "1"))
    if unread := _UNREAD_DAY.search(reading.item):
        return say(messages.loan.day_unclear, word=unread[1][:SHOWN])
    if complaint := quantity_complaint(reading.quantity):
        return complaint
    word = presentable(reading.item).strip()
    if not search.is_plain_name(word):
        return say(messages.catalogue.want_by_name, word=word)
    until = _until(turn, command)
    if isinstance(until, Phrase):
        return until
    count = sum(each.is_living for each in turn.all(Want))
    if count >= MOST_WANTS:
        return say(messages.catalogue.too_many_wants, count=count)
    identifier, quantity = want_id(command.event_id), Decimal(reading.quantity)
    by = turn.signature_of(command)
    code = turn.short_code(identifier)
    note = presentable(str(command.arguments.get("note", "")))
    return Want(identifier, code, by, command.room, word, quantity, quantity, until, unit=reading.unit, note=note)


def _until(turn: Turn, command: Command) -> date | Phrase:
    words, today = str(command.arguments.get("until", "")), turn.today()
    day = day_from(words, today, today) if words else today + timedelta(days=USUAL_DAYS)
    if isinstance(day, date) and day > today + timedelta(days=LONGEST_DAYS):
        return say(messages.catalogue.too_long_a_want, days=LONGEST_DAYS)
    return day


def _listed(turn: Turn, command: Command) -> Phrase:
    here = rooms_told_of(turn, command.room)
    own = tuple(each for each in turn.all(Want) if each.is_living and each.room in here)
    theirs = []
    for wanted in turn.all(FriendWant):
        connection = turn.connection(wanted.connection)
        if connection is not None and connection.room in here:
            theirs.append((turn.party_name(wanted.peer), wanted))
    return say(messages.catalogue.want_list, us=turn.us, wants=own, friends=tuple(theirs))


HANDLER = Handler(SPEC, ask, act)
