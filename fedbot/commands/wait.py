"""`!fed wait ITEM from SPACE`: join the queue for an item that is on loan or booked, at a friend's or here."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from fedbot import messages
from fedbot.commands.items import Reading, as_argument, counted_as_one, elsewhere
from fedbot.commands.lookup import friend_meant, is_our_space, let_choose_how_much, rooms_told_of, whole_line
from fedbot.commands.spec import Argument, Handler, Kind, Verb, Where
from fedbot.commands.stock_to_offer import quantity_complaint, similar_parts, units_said
from fedbot.rules.loan import waiting_list
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import MOST_PLACES, PlaceInLine, QueueEntry
from fedbot.rules.model.lifecycles import PlaceState
from fedbot.rules.model.queries import Answer, FindItems, Query
from fedbot.rules.model.stock import Part, Permission
from fedbot.rules.protocol.terms import presentable
from fedbot.rules.state import Turn
from fedbot.rules.transfer import opening
from fedbot.rules.wire import Opening, SubjectKind, by_line, opened_id

LONGEST_WORD = 100

SPEC = Verb(
    name="wait",
    aliases=("queue",),
    fillers=("for", "auf"),
    summary="wait for an item that is on loan or booked",
    permission=Permission.MAPPED,
    arguments=(
        Argument("lines", Kind.ITEMS, "ITEM [QUANTITY]", optional=True),
        Argument("space", Kind.SPACE, "SPACE", keyword="from", optional=True),
    ),
    examples=("wait LENS-2 from attraktor", "wait LENS-2#0042 from attraktor", "wait LENS-2", "wait"),
    details=(
        "First come, first served: the lender's bot keeps the list, and tells you your place.",
        "When it is back in good condition, I tell the first in line, and reserve it for them for a few days.",
        "Reply 'borrow for 2 weeks' within that time; the lender's approvers decide. Otherwise I tell the next one.",
        "Without a space you wait for an item of our own. 'cancel ID' leaves the list.",
        "Without an item you see who waits for what.",
    ),
    where=Where.FEDERATION_ROOM,
    is_named_in_help=True,
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask our own InvenTree about our items; a friend's bot asks its own."""
    if not command.arguments.get("lines"):
        return ()
    meant = _meant(command)
    if isinstance(meant, Phrase):
        return meant
    if isinstance(meant, tuple):
        return ()
    if _is_ours(turn, command):
        return waiting_list.queries(turn, FindItems(meant.item, units=units_said([(meant,)])))
    friend = friend_meant(turn, command)
    return friend if isinstance(friend, Phrase) else ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Join the queue, or list it."""
    if not command.arguments.get("lines"):
        return _listed(turn, command)
    meant = _meant(command)
    if isinstance(meant, Phrase):
        return meant
    if isinstance(meant, tuple):
        let_choose_how_much(turn, command, SPEC, meant)
        return None
    if _is_ours(turn, command):
        return _here(turn, command, meant, answers)
    friend = friend_meant(turn, command)
    return friend if isinstance(friend, Phrase) else _there(turn, command, meant, friend)


def _is_ours(turn: Turn, command: Command) -> bool:
    word = str(command.arguments.get("space", ""))
    return not word or is_our_space(turn, word)


def _meant(command: Command) -> Reading | tuple[Reading, ...] | Phrase:
    """The item and its quantity, 1 if none is typed; or the possible meanings; or an objection."""
    lines = command.arguments["lines"]
    if len(lines) > 1:
        return say(messages.waiting_list.one_thing_in_line)
    readings = elsewhere(tuple(Reading(**each) for each in lines[0]))
    if readings[0].unit and len(readings) > 1:
        return counted_as_one(readings)
    meant = next((each for each in readings if each.quantity), Reading(readings[0].item, "1"))
    word = presentable(meant.item).strip()[:LONGEST_WORD]
    return quantity_complaint(meant.quantity) or replace(meant, item=word)


def _there(turn: Turn, command: Command, meant: Reading, friend: Connection) -> Phrase | None:
    living = [each for each in turn.all(PlaceInLine) if each.is_living and each.peer == friend.peer]
    if len(living) >= MOST_PLACES:
        return say(messages.waiting_list.too_many_places, count=len(living))
    opened = opening.own_opening(turn, friend, by_line(command.event_id))
    identifier, by = opened_id(SubjectKind.WAIT, opened), turn.signature_of(command)
    place = PlaceInLine(
        identifier,
        turn.short_code(identifier),
        by,
        command.room,
        friend.id,
        friend.peer,
        meant.item,
        Decimal(meant.quantity),
        unit=meant.unit,
    )
    waiting_list.begin(turn, place, opened)
    return None


def _let_choose(turn: Turn, command: Command, meant: Reading, parts: tuple[Part, ...]) -> None:
    """Nothing of ours is called that: list the parts whose names are similar."""
    called = [as_argument(replace(meant, item=part.ipn or part.name)) for part in parts]
    ways = tuple(whole_line(turn, command, SPEC, lines=[[each]]) for each in called)
    phrase = say(messages.offer.similar_parts, word=meant.item, parts=parts)
    turn.choose(command.room, command.event_id, command.sender, phrase, ways)


def _here(turn: Turn, command: Command, meant: Reading, answers: tuple[Answer, ...]) -> Phrase | None:
    own = [each for each in turn.queue() if each.by is not None and each.by.person == command.sender]
    if len(own) >= MOST_PLACES:
        return say(messages.waiting_list.too_many_places, count=len(own))
    opened = Opening(turn.us.key, command.room, by_line(command.event_id))
    identifier, by = opened_id(SubjectKind.WAIT, opened), turn.signature_of(command)
    code, quantity = turn.short_code(identifier), Decimal(meant.quantity)
    entry = QueueEntry(
        identifier, code, turn.us.party, "", command.room, meant.item, quantity, 0, turn.now, by, unit=meant.unit
    )
    outcome = waiting_list.join_ours(turn, entry, waiting_list.merged_answers(answers))
    similar = similar_parts(answers) if outcome is PlaceState.UNKNOWN else ()
    if similar:
        _let_choose(turn, command, meant, similar)
        return None
    if not isinstance(outcome, QueueEntry):
        return say(messages.waiting_list.not_in_line, word=meant.item, why=outcome)
    return waiting_list.own_page(turn, outcome)


def _listed(turn: Turn, command: Command) -> Phrase:
    here = rooms_told_of(turn, command.room)
    waiting = tuple(
        (each.by.name if each.by else turn.party_name(each.party), waiting_list.place_of(turn, each), each)
        for each in turn.queue()
        if each.room in here and each.part
    )
    places = [each for each in turn.all(PlaceInLine) if each.is_living and each.room in here]
    named = tuple((turn.party_name(place.peer), place) for place in places)
    return say(messages.waiting_list.queue_list, us=turn.us, queue=waiting, places=named)


HANDLER = Handler(SPEC, ask, act)
