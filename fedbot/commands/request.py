"""`!fed request ITEM QUANTITY from SPACE`: ask a friend for an item.

Only the owner's InvenTree knows what the words mean, so they are sent as typed.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal

from fedbot import messages
from fedbot.commands.dates import FROM, UNTIL, Days, days_meant
from fedbot.commands.german import as_said
from fedbot.commands.grammar import SHOWN, render
from fedbot.commands.items import Reading, as_argument, counted_as_one, elsewhere, in_pieces, read_alone, typed_again
from fedbot.commands.lookup import friend_meant, let_choose_how_much, rooms_told_of, whole_line
from fedbot.commands.spec import NOTE, Argument, Handler, Kind, Option, Verb, Where
from fedbot.commands.stock_to_offer import quantity_complaint
from fedbot.rules import time_zones
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.from_anyone import MOST_LIVING, Rota, rota_id
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.stock import PartDescription, Permission, scanned_in
from fedbot.rules.model.transfer import Line, Terms
from fedbot.rules.protocol.terms import presentable
from fedbot.rules.state import Turn
from fedbot.rules.transfer import from_anyone
from fedbot.rules.transfer.opening import open_request
from fedbot.rules.wire import by_line, is_off_chat

A_MOMENT = timedelta(minutes=1)
BY = "by"
ANYONE = frozenset(
    {"anyone", "anybody", "someone", "somebody", "irgendwem", "irgendjemand", "irgendjemandem", "egal wem"}
)

SPEC = Verb(
    name="request",
    aliases=("ask", "get", "order"),
    fillers=("for", "um", "nach"),
    summary="request an item; 'from anyone' asks all friends in turn",
    permission=Permission.MAPPED,
    arguments=(
        Argument("lines", Kind.ITEMS, "ITEM QUANTITY"),
        Argument("space", Kind.SPACE, "SPACE", keyword="from"),
        Argument("starts", Kind.DAY, "DAY", keyword="from", optional=True, or_keywords=FROM),
        Argument("until", Kind.DAY, "TIME", keyword="for", optional=True, or_keywords=(*UNTIL, "to")),
        Argument(BY, Kind.DAY, "DAY", keyword="by", optional=True),
    ),
    options=(
        Option("all", "", "from anyone: ask all friends that have it at once"),
        Option("join", "", "from anyone: several spaces may give a part each"),
        NOTE,
        Option("as-shown", "CODE", "accept what I have shown you; your numbered reply fills it in", 16, filled_in=True),
    ),
    examples=(
        "request 50 M3-BOLT from betaspace",
        "request LENS-2#0042 from betaspace for 2 weeks",
        "request LENS-2#0042 from betaspace from 12.12. until 19.12.",
        'request LENS-2#0042 from betaspace --note "for Saturday\'s workshop"',
        "request 20 M3-BOLT from anyone by friday",
    ),
    details=(
        "With 'for 2 weeks' or 'until 31.1.' you ask to borrow it. The due date is the last day.",
        "With 'from 12.12. until 19.12.' you book it ahead, and pick it up on the first day.",
        "Name the ITEM as the other space does: its #42, IPN, part name or PART#SERIAL.",
        "An approver of the other space decides, and can grant less. Then your approver decides if that is enough.",
        "Nothing moves before that. You keep the item, unless you borrow it.",
        "Separate several items by ' + ', ';' or a line break.",
        "'from anyone' asks the friends that have enough, one after the other, until one gives it.",
        "With 'by friday' I ask until that day and then stop.",
    ),
    where=Where.FEDERATION_ROOM,
    everyday=2,
)

MOST_BY_NUMBER = 9
"""The largest quantity that a number alone can answer."""
_MANY = 20
_SHOWN_AS = re.compile("[0-9a-f]{16}")


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask nothing of our InvenTree; an objection is returned at once."""
    complaint = _complaint(command)
    if not _is_from_anyone(command):
        friend = friend_meant(turn, command)
        complaint = friend if isinstance(friend, Phrase) else _says_too_much(command) or complaint
    for day in (_days(turn, command), _needed_by(turn, command)):
        complaint = day if isinstance(day, Phrase) else complaint
    return complaint or ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...], spec: Verb = SPEC) -> Phrase | None:
    """Ask the friend, or ask the person what is meant. `spec` is the verb that was typed."""
    del answers
    if isinstance(complaint := ask(turn, command), Phrase):
        return complaint
    if _let_choose_several(turn, command, spec):
        return None
    meant = [_with_quantity(readings) for readings in _lines(command)]
    uncounted = next((number for number, ways in enumerate(meant) if not ways), None)
    if uncounted is not None:
        _ask_how_many(turn, command, spec, uncounted)
        return None
    unclear = next((number for number, ways in enumerate(meant) if len(ways) > 1), None)
    if unclear is not None:
        _let_choose(turn, command, spec, unclear)
        return None
    days, until = _days(turn, command), _needed_by(turn, command)
    if isinstance(days, Phrase) or isinstance(until, Phrase):
        return None  # reported above
    if _is_from_anyone(command):
        return _from_anyone(turn, command, [reading for (reading,) in meant], days, until)
    friend = friend_meant(turn, command)
    if isinstance(friend, Phrase):
        return friend
    asker = turn.signature_of(command)
    terms = Terms(
        kind="request",
        sender=friend.peer,
        receiver=turn.us.party,
        lines=tuple(_line(number, reading) for number, (reading,) in enumerate(meant, start=1)),
        asker=asker.person,
        asker_name=presentable(asker.name),
        note=presentable(str(command.arguments.get("note", ""))),
        loan_until=days.last,
        starts=days.first,
    )
    accepted = str(command.arguments.get("as-shown", "")).lower()
    accepted = accepted if _SHOWN_AS.fullmatch(accepted) else ""  # then items that differ are shown again
    answered = command.picked_from if accepted and _is_answered_at_once(turn, command, friend) else ""
    open_request(
        turn, by_line(command.event_id), friend, terms, asker, accepted=accepted, until=until, answered=answered
    )
    return None


def _is_answered_at_once(turn: Turn, command: Command, friend: Connection) -> bool:
    """Whether the person sees an edit of our question in this room: it notifies nobody, and answers no program."""
    is_seen = command.room == friend.room and not is_off_chat(command.event_id)
    return is_seen and turn.now - command.at < A_MOMENT


def _is_from_anyone(command: Command) -> bool:
    return str(command.arguments["space"]).strip().casefold() in ANYONE


def _says_too_much(command: Command) -> Phrase | None:
    """An objection to options that only make sense for a request from anyone."""
    said = next((name for name in ("all", "join") if name in command.arguments), "")
    return say(messages.from_anyone.only_from_anyone, word=f"--{said}") if said else None


def _from_anyone(
    turn: Turn, command: Command, meant: list[Reading], days: Days, until: datetime | None
) -> Phrase | None:
    """Ask this room's friends who has it, and then each of them in turn."""
    if len(meant) > 1:
        return say(messages.from_anyone.one_item_from_anyone, count=len(meant))
    if days.first is not None:
        return say(messages.booking.booking_from_anyone)
    (reading,) = meant
    if "#" in reading.item or "://" in reading.item:
        return say(messages.from_anyone.from_anyone_needs_a_name, word=reading.item)
    here = rooms_told_of(turn, command.room)
    friends = [connection for connection in turn.active_connections() if connection.room in here]
    if not friends:
        return say(messages.from_anyone.no_friends_to_ask)
    running = [each for each in turn.all(Rota) if each.is_living]
    if len(running) >= MOST_LIVING:
        return say(messages.from_anyone.too_many_rotas, count=len(running))
    if again := turn.spends("find", command.sender):
        return say(messages.catalogue.searched_too_often, again=again)
    identifier = rota_id(command.event_id)
    wanted = Rota(
        id=identifier,
        code=turn.short_code(identifier),
        event_id=command.event_id,
        asker=turn.signature_of(command),
        room=command.room,
        key=MessageKind.ROTA.of(identifier),
        word=presentable(reading.item),
        wanted=Decimal(reading.quantity),
        unit=reading.unit,
        at=turn.now,
        note=presentable(str(command.arguments.get("note", ""))),
        loan_until=days.last,
        until=until,
        at_once="all" in command.arguments,
        joins="join" in command.arguments,
    )
    from_anyone.begin(turn, command, wanted, friends)
    return None


def _needed_by(turn: Turn, command: Command) -> datetime | Phrase | None:
    """The moment when the day until which it is needed ends; None if none was given."""
    days = days_meant("", str(command.arguments.get(BY, "")), turn.now, turn.us.time_zone)
    if isinstance(days, Phrase) or (day := days.last) is None:
        return days if isinstance(days, Phrase) else None
    return time_zones.beginning(day + timedelta(days=1), turn.us.time_zone, turn.us.time_zone).astimezone(
        turn.now.tzinfo
    )


def _days(turn: Turn, command: Command) -> Days | Phrase:
    """The first and the last day of a loan; none if it is to keep; or an objection."""
    first, last = (str(command.arguments.get(name, "")) for name in ("starts", "until"))
    days = days_meant(first, last, turn.now, turn.us.time_zone)
    if isinstance(days, Phrase) or days.first is None or days.last is not None:
        return days
    line = render(as_said(SPEC, command.text), {**command.arguments, "until": "1 week"})
    return say(messages.booking.starts_without_an_end, line=line)


def _lines(command: Command) -> list[tuple[Reading, ...]]:
    return [_readings(readings) for readings in command.arguments["lines"]]


def _readings(parsed: list[dict[str, str]]) -> tuple[Reading, ...]:
    return elsewhere(tuple(Reading(**reading) for reading in parsed))


def _with_quantity(readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """The readings with a quantity. A serial number means one piece, and so does a `30 cm ruler`."""
    if readings[0].unit:
        return counted_as_one(readings)
    counted = tuple(reading for reading in readings if reading.quantity)
    if counted:
        return counted
    return tuple(Reading(reading.item, "1") for reading in readings if _names_a_serial(reading.item))


def _names_a_serial(item: str) -> bool:
    """Whether it is like `LENS-2#0042`, but neither `#42` nor a link."""
    part, mark, serial = item.rpartition("#")
    return bool(mark and part.strip() and serial.strip()) and "://" not in item


def _complaint(command: Command) -> Phrase | None:
    """The objection to the quantities, or to a code of our own InvenTree where theirs is needed."""
    for readings in _lines(command):
        if scanned := next((r.item for r in readings if scanned_in(r.item) is not None), ""):
            return say(messages.offer.scanned_code_is_ours, word=scanned[:SHOWN])
        for reading in _with_quantity(readings):
            if complaint := quantity_complaint(reading.quantity):
                return complaint
    return None


def _ask_how_many(turn: Turn, command: Command, spec: Verb, number: int) -> None:
    """Ask how many. Only the owner knows how much there is, so nothing is guessed; the answer is the quantity."""
    lines, fixed = command.arguments["lines"], _as_meant(turn, command)
    item = _lines(command)[number][0].item

    def counted(quantity: int) -> list[list[dict[str, str]]]:
        return [*lines[:number], [{"item": item, "quantity": str(quantity)}], *lines[number + 1 :]]

    ways = tuple(whole_line(turn, command, spec, lines=counted(n), **fixed) for n in range(1, MOST_BY_NUMBER + 1))
    more = render(as_said(spec, command.text), {**command.arguments, "lines": counted(_MANY)})
    phrase = say(messages.offer.how_many_of_it, word=item[:SHOWN], most=MOST_BY_NUMBER, line=more)
    turn.choose(command.room, command.event_id, command.sender, phrase, ways)


def _let_choose_several(turn: Turn, command: Command, spec: Verb) -> bool:
    """Ask whether words with a comma or `and` are several items: only the owner knows if a part is called that."""
    if command.picked_from:
        return False
    lines = command.arguments["lines"]
    for number, parsed in enumerate(lines):
        whole = parsed[-1]["item"]
        apart = tuple(filter(None, map(read_alone, in_pieces(whole))))
        is_counted = any(reading.get("quantity") for reading in parsed)
        if len(apart) < 2 or (is_counted and not all(_is_code(reading.item) for reading in apart)):  # noqa: PLR2004
            continue
        several = [*lines[:number], *([as_argument(each)] for each in apart), *lines[number + 1 :]]
        fixed = _as_meant(turn, command)
        ways = tuple(whole_line(turn, command, spec, lines=each, **fixed) for each in (several, lines))
        items = tuple(typed_again((each,)) for each in apart)
        phrase = say(messages.offer.several_or_one, word=whole[:SHOWN], items=items)
        turn.choose(command.room, command.event_id, command.sender, phrase, ways)
        return True
    return False


def _is_code(item: str) -> bool:
    """Whether it is one word with a digit in it, like an IPN."""
    return " " not in item and any(sign.isdecimal() for sign in item)


def _as_meant(turn: Turn, command: Command) -> dict[str, str]:
    """The days and the space in a form that means the same later."""
    days = _days(turn, command)
    fixed = {} if isinstance(days, Phrase) else days.fixed(command.arguments)
    friend = None if _is_from_anyone(command) else friend_meant(turn, command)
    return {**fixed, "space": friend.peer} if isinstance(friend, Connection) else fixed


def _line(number: int, reading: Reading) -> Line:
    """A line as typed. The owner fills in the item, the part, and the quantity in its own unit."""
    description = PartDescription(name=presentable(reading.item), units=reading.unit)
    return Line(number=number, item=0, part=0, description=description, quantity=Decimal(reading.quantity))


def _let_choose(turn: Turn, command: Command, spec: Verb, unclear: int) -> None:
    """Ask which number is the quantity, if there is one at both ends. The other lines stay as typed."""
    ways = _with_quantity(_readings(command.arguments["lines"][unclear]))
    let_choose_how_much(turn, command, spec, ways, unclear, **_as_meant(turn, command))


HANDLER = Handler(SPEC, ask, act)
