"""Find the space, friend, transfer or connection that a word means, or that the line replies to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any

from fedbot import messages
from fedbot.commands.german import as_said
from fedbot.commands.grammar import PLAINLY_A_TYPO, SHOWN, near, render
from fedbot.commands.items import Reading
from fedbot.commands.sentences import beginning_with
from fedbot.commands.spec import Verb
from fedbot.rules.archive import Mark
from fedbot.rules.ledger import history
from fedbot.rules.model.catalogue import Want
from fedbot.rules.model.command import PREFIX, Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.from_anyone import Rota
from fedbot.rules.model.lending import PlaceInLine, QueueEntry
from fedbot.rules.model.lifecycles import LIVING_CONNECTION, ConnectionState
from fedbot.rules.model.queries import Answer, ItemsFound, RelateUnits
from fedbot.rules.model.room import Room
from fedbot.rules.model.stock import counts_pieces, stock_item_in
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.names import bare_word, is_called, without_end
from fedbot.rules.protocol import announcements, who_answers
from fedbot.rules.protocol.bodies import LONGEST_REASON
from fedbot.rules.protocol.terms import presentable
from fedbot.rules.state import CODE_LENGTH, Turn
from fedbot.rules.who_decides import Subject

MOST_NEAR = 3
"""The number of names that are suggested for an unknown one."""
WITHOUT_ID = "without id"
"""In a command's arguments: the words beside an id, if both are one argument."""


@dataclass(frozen=True)
class Space:
    """Another space: it announces itself in the room, or we have a connection with it there."""

    party: str
    name: str


def is_private(turn: Turn, room: str) -> bool:
    """Whether only our own admins read this room."""
    return bool(turn.us.admin_room) and room == turn.us.admin_room


def rooms_told_of(turn: Turn, room: str) -> list[str]:
    """The rooms whose subjects this room may show: itself and its predecessors; in a direct chat, the person's rooms.

    The admin room may show all, except a room that was created for practice.
    """
    if person := who_answers.direct_with(turn, turn.room(room)):
        return who_answers.shared_with(turn, person)
    if not is_private(turn, room):
        return announcements.lineage(turn, room)
    practice = turn.practice()
    for_practice = practice.room if practice is not None and practice.room != room else ""
    return [each for each in announcements.federation_rooms(turn) if each != for_practice]


def room_name(turn: Turn, room: str) -> str:
    """The room's name, or else its id."""
    known = turn.room(room)
    return known.name if isinstance(known, Room) and known.name else room


def spaces_in(turn: Turn, room: str) -> list[Space]:
    """All other spaces that this room may show, each once, sorted by name."""
    return spaces_of(turn, rooms_told_of(turn, room))


def spaces_of(turn: Turn, places: list[str]) -> list[Space]:
    """All other spaces in these rooms, each once, sorted by name."""
    names: dict[str, str] = {}
    for place in places:
        for announcement in turn.announcements(place):
            if announcement.bot != turn.us.bot:
                names |= {party.id: party.name for party in announcement.parties}
    for connection in turn.connections():  # a friend has the name that our people know
        if connection.room in places and connection.state in LIVING_CONNECTION:
            names[connection.peer] = connection.peer_name
    names.pop(turn.us.party, None)
    return sorted((Space(party, name) for party, name in names.items()), key=lambda space: space.name.casefold())


def space_meant(turn: Turn, room: str, word: str) -> Space | Phrase:
    """The space with that id or display name, in any case; else an objection."""
    wanted = word.strip().casefold()
    if is_called(turn.us.party, turn.us.name, word):
        return say(messages.line_errors.that_is_us, us=turn.us)
    spaces = spaces_in(turn, room)
    by_id = [space for space in spaces if space.party.casefold() == without_end(wanted)]
    hits = by_id or [space for space in spaces if is_called(space.party, space.name, wanted)]
    if len(hits) == 1:
        return hits[0]
    if hits:
        return say(messages.line_errors.several_spaces, word=word[:SHOWN], spaces=tuple(space.party for space in hits))
    names = {space.name: space for space in spaces} | {space.party: space for space in spaces}
    begun = (name for name in names if wanted.startswith(f"{name.casefold()} "))
    hits_near = (*begun, *beginning_with(word.strip(), names), *near(word, list(names), PLAINLY_A_TYPO))
    close = [names[hit].name for hit in hits_near][:MOST_NEAR]
    known = tuple(space.name for space in spaces)
    return say(messages.line_errors.no_such_space, word=word[:SHOWN], near=tuple(dict.fromkeys(close)), known=known)


def subject_meant(turn: Turn, command: Command, spec: Verb, fitting: tuple[Subject, ...]) -> Subject | Phrase:
    """The transfer or connection of the typed id, else of the message that the line replies to.

    `fitting` are those that the verb could be about; they are listed if nothing says which one.
    """
    word = bare_word(str(command.arguments.get("id", "")))
    found = _by_word(turn, command, word) if word else turn.subject(command.subject)
    if found is None:
        told = tuple(subject for subject in fitting if subject.room in rooms_told_of(turn, command.room))
        return say(messages.line_errors.which_one, verb=spec.name, subjects=told, line=_with_id(command, spec, told))
    if isinstance(found, Phrase):
        return found
    if found.room not in rooms_told_of(turn, command.room):
        return say(messages.line_errors.subject_elsewhere, subject=found, room=room_name(turn, found.room))
    return found


def rota_meant(turn: Turn, command: Command) -> Rota | None:
    """The rota that is meant, by its code or because the line replies to its message; None if none is."""
    word = bare_word(str(command.arguments.get("id", ""))).lower()
    here = rooms_told_of(turn, command.room)
    if not word:
        found = turn.get(Rota, command.subject)
        return found if found is not None and found.room in here else None
    known = [
        each for each in turn.all(Rota) if len(word) >= CODE_LENGTH and each.id.startswith(word) and each.room in here
    ]
    return known[0] if len(known) == 1 and not turn.by_code(word) else None


def want_meant(turn: Turn, command: Command) -> Want | None:
    """The want that is meant, by its code or because the line replies to its message; None if none is."""
    word = bare_word(str(command.arguments.get("id", ""))).lower()
    here = rooms_told_of(turn, command.room)
    known = [each for each in turn.all(Want) if each.room in here]
    return next((each for each in known if (each.code == word if word else each.id == command.subject)), None)


def place_meant(turn: Turn, command: Command) -> PlaceInLine | QueueEntry | None:
    """The place in a queue, ours or a friend's, that is meant, by code or by reply; None if none is."""
    word = bare_word(str(command.arguments.get("id", ""))).lower()
    here = rooms_told_of(turn, command.room)
    every: list[PlaceInLine | QueueEntry] = [*turn.all(PlaceInLine), *turn.queue()]
    known = [each for each in every if each.room in here]
    return next((each for each in known if (each.code == word if word else each.id == command.subject)), None)


def is_our_space(turn: Turn, word: str) -> bool:
    """Whether the word means our own space."""
    return is_called(turn.us.party, turn.us.name, word)


def _with_id(command: Command, spec: Verb, told: tuple[Subject, ...]) -> str:
    """The typed line with the id of the first of them; '' if there is none."""
    if not told:
        return ""
    typed = str(command.arguments.get(WITHOUT_ID, command.arguments.get("id", "")))
    return render(as_said(spec, command.text), {**command.arguments, "id": f"{told[0].code} {typed}".strip()})


def _by_word(turn: Turn, command: Command, word: str) -> Subject | Phrase:
    hits = turn.by_code(word)
    if len(hits) > 1:
        here = rooms_told_of(turn, command.room)
        hits = [hit for hit in hits if hit.room in here] or hits
    if len(hits) == 1:
        return hits[0]
    if hits:
        return say(messages.line_errors.several_subjects, word=word[:SHOWN], subjects=tuple(hits))
    here = rooms_told_of(turn, command.room)
    newest = islice(turn.newest(here), NEAR_CODES)
    subjects: list[Connection | Transfer] = [*turn.open_transfers(), *newest, *turn.connections()]
    codes = [subject.code for subject in subjects if subject.room in here]
    return say(messages.line_errors.no_such_id, word=word[:SHOWN], near=near(word, codes))


def whole_line(turn: Turn, command: Command, spec: Verb, **instead: Any) -> str:  # noqa: ANN401 - as parsed
    """The command's line with some arguments or options replaced; everything else stays as typed.

    Choosing a number of a list runs such a line.
    """
    as_whom = f"as {turn.us.party} " if who_answers.claimed_by_several(turn, command.sender, command.room) else ""
    return f"{PREFIX} {as_whom}{render(as_said(spec, command.text), {**command.arguments, **instead})}"


def let_choose_how_much(
    turn: Turn,
    command: Command,
    spec: Verb,
    ways: Sequence[Reading],
    number: int = 0,
    **fixed: Any,  # noqa: ANN401 - as parsed
) -> None:
    """Ask which quantity is meant in that line of the command; the other lines stay as typed."""
    lines = command.arguments["lines"]
    whole = []
    for way in ways:
        meant = {"item": way.item, "quantity": way.quantity, **({"unit": way.unit} if way.unit else {})}
        whole.append(whole_line(turn, command, spec, lines=[*lines[:number], [meant], *lines[number + 1 :]], **fixed))
    told = tuple((Decimal(way.quantity), way.unit, way.item[:SHOWN]) for way in ways)
    phrase = say(messages.offer.which_is_the_quantity, ways=told)
    turn.choose(command.room, command.event_id, command.sender, phrase, tuple(whole))


def signature_with_note(turn: Turn, command: Command) -> Signature:
    """The signature of the line's sender, with the note in the line, which the other space reads."""
    note = presentable(" ".join(str(command.arguments.get("note", "")).split()))
    return replace(turn.signature_of(command), note=note[:LONGEST_REASON])


NEAR_CODES = 200
"""The number of newest subjects whose codes are compared with a mistyped id."""
_NUMBER = re.compile(r"#\s*(\d+)")


def units_to_relate(command: Command, pairs: Iterable[tuple[str, str]]) -> tuple[RelateUnits, ...]:
    """Ask our InvenTree once how the typed units and the parts' units convert. Its admins may define any unit."""
    unknown = tuple(dict.fromkeys((unit, units) for unit, units in pairs if unit != units and not counts_pieces(units)))
    return (RelateUnits(unknown),) if unknown and command.factors is None else ()


def found_in(answers: tuple[Answer, ...]) -> ItemsFound:
    """The items that `FindItems` found; none, if it wasn't asked."""
    found = answers[0] if answers else ItemsFound()
    if not isinstance(found, ItemsFound):
        raise TypeError(f"items were asked for, not {found!r}")
    return found


def keys_of(word: str, found: ItemsFound) -> frozenset[int]:
    """The keys of our stock items that a word means: those that InvenTree found, and the key in the word itself."""
    number = _NUMBER.fullmatch(word)
    scanned = stock_item_in(word)
    keys = {int(number[1])} if number else {scanned} if scanned is not None else set()
    return frozenset(item.pk for item in found.items) | keys


def of_item(turn: Turn, rooms: Sequence[str], word: str, found: ItemsFound) -> list[Transfer]:
    """The transfers of the item that a word means: one that InvenTree found, a number, a name or an IPN."""
    items = keys_of(word, found)
    brought = {item.provenance.transfer for item in found.items if item.provenance}
    marked = [*turn.marked(Mark.WORD, word.casefold()), *(t for item in items for t in turn.marked(Mark.ITEM, item))]
    meant = [*(t for t in marked if history.touches(t, items, word)), *filter(None, map(turn.transfer, brought))]
    return list({t.id: t for t in meant if t.room in rooms}.values())


def friend_meant(turn: Turn, command: Command) -> Connection | Phrase:
    """The active connection with the argument `space`, or an objection."""
    return active_friend(turn, command, str(command.arguments["space"]))


def active_friend(turn: Turn, command: Command, word: str) -> Connection | Phrase:
    """The active connection with that space, or an objection.

    In the admin room, the connection's room doesn't matter.
    """
    space = space_meant(turn, command.room, word)
    if isinstance(space, Phrase):
        return space
    connection = turn.connection_with(space.party)
    if connection is None:
        return say(messages.connect.not_friends, name=space.name, party=space.party, us=turn.us)
    if connection.room not in rooms_told_of(turn, command.room):
        return say(messages.connect.connection_elsewhere, connection=connection, room=room_name(turn, connection.room))
    if connection.state is ConnectionState.SUSPENDED:
        return say(messages.connect.needs_review, connection=connection)
    if connection.state is not ConnectionState.ACTIVE:
        return say(messages.approval.connection_not_active, connection=connection)
    return connection
