"""`!fed review`: check a space whose bot, key or name changed, or what waits in a new room, and accept it."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.grammar import SHOWN
from fedbot.commands.lookup import Space, rooms_told_of, space_meant
from fedbot.commands.spec import Argument, Handler, Kind, Option, Verb
from fedbot.rules import names
from fedbot.rules.connection import pinning
from fedbot.rules.connection import rooms as connection_rooms
from fedbot.rules.ledger import recover
from fedbot.rules.model import audit
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import ChangeSeen
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Turn
from fedbot.rules.wire import fingerprint

NAME_LENGTH = 60

SPEC = Verb(
    name="review",
    summary="accept a friend's new key, account or room",
    permission=Permission.SUPERUSER,
    arguments=(
        Argument("space", Kind.SPACE, "SPACE", optional=True),
        Argument("accept", Kind.ANYTHING, "KEY", keyword="accept", optional=True),
    ),
    options=(
        Option("room", "", "continue the connections of the old room in this room"),
        Option("name", "NAME", "use this name for the friend, which it has announced", most=NAME_LENGTH),
    ),
    examples=(
        "review",
        "review betaspace accept dog cat lion horse fish moon key",
        'review betaspace --name "Beta Lab"',
        "review --room",
    ),
    details=(
        "Alone it lists the spaces that are waiting for a review, with the known and the new fingerprint.",
        "KEY is the seven emoji (or their names) that somebody at that space reads to you by phone from their own bot.",
        "You can also type the whole new fingerprint: all 20 letters and digits.",
        "A friend that announces a new name keeps its old one here until a superuser types the new one.",
        "After a room upgrade, connections wait until a superuser of each space types --room in the new room.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask for nothing but the permission; a wrong name is reported at once."""
    meant = _meant(turn, command)
    return meant if isinstance(meant, Phrase) else ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Show what changed, or accept it."""
    del answers
    meant = _meant(turn, command)
    if isinstance(meant, Phrase):
        return meant
    if command.arguments.get("room"):
        return _move(turn, command)
    if command.arguments.get("name"):
        return _accept_name(turn, command, meant)
    return _look(turn, command, meant)


def _look(turn: Turn, command: Command, meant: Space | None) -> Phrase:
    """Show what waits, or check the typed key."""
    word = str(command.arguments.get("accept", ""))
    waiting = connection_rooms.waiting_for(turn, command.room)
    if waiting and not word:
        return connection_rooms.waiting_message(turn, waiting)
    suspended, renamed = _suspended(turn, command, meant), _renamed(turn, command, meant)
    elsewhere = () if meant else connection_rooms.rooms_waited_for(turn)
    if not suspended and renamed and not word:
        return say(messages.keys.names_to_review, us=turn.us, connections=tuple(renamed))
    if not suspended and elsewhere:
        return say(messages.rooms.nothing_moves_here, rooms=elsewhere)
    if not suspended:
        return say(messages.keys.review_nothing, space=meant.name if meant else "")
    if not word:
        return say(messages.keys.review_list, us=turn.us, changes=tuple(_looked_at(turn, each) for each in suspended))
    return _accept(turn, command, suspended[0], word)


def _meant(turn: Turn, command: Command) -> Space | Phrase | None:
    """The named space, if any; or an objection."""
    word = str(command.arguments.get("space", ""))
    if word:
        return space_meant(turn, command.room, word)
    if command.arguments.get("accept"):
        return say(messages.keys.accept_without_space, usage=SPEC.usage)
    if command.arguments.get("name"):
        return say(messages.keys.name_without_space, usage=SPEC.usage)
    return None


def _suspended(turn: Turn, command: Command, space: Space | None) -> list[Connection]:
    rooms = rooms_told_of(turn, command.room)
    return [
        connection
        for connection in turn.connections()
        if connection.state is ConnectionState.SUSPENDED
        and (connection.changed_bot or not connection.changed_room)
        and connection.room in rooms
        and (space is None or connection.peer == space.party)
    ]


def _renamed(turn: Turn, command: Command, space: Space | None) -> list[Connection]:
    """The connections whose peer has announced a new name."""
    rooms = rooms_told_of(turn, command.room)
    known = [c for c in turn.connections() if c.new_name and c.room in rooms and c.state in pinning.PINNED]
    return [c for c in known if space is None or c.peer == space.party]


def _accept_name(turn: Turn, command: Command, space: Space | None) -> Phrase:
    """Accept the new name if the typed one is announced now: it may have changed since it was shown."""
    waiting = _renamed(turn, command, space)
    if not waiting:
        return say(messages.keys.no_new_name, space=space.name if space else "")
    (connection,) = waiting
    if names.bare(str(command.arguments["name"])) != names.display_name(connection.new_name, connection.peer):
        return say(messages.keys.another_name, connection=connection)
    before, by = connection.peer_name, turn.signature_of(command)
    return say(messages.keys.renamed, connection=pinning.accept_name(turn, connection, by), before=before)


def _looked_at(turn: Turn, connection: Connection) -> ChangeSeen:
    """The change. If people can't compare the keys yet, ask the peer's bot again."""
    if connection.check is None or (connection.check.is_open and not connection.check.is_told):
        pinning.begin_review(turn, connection)
    return ChangeSeen(
        connection=connection,
        old_fingerprint=fingerprint(connection.peer_key),
        new_fingerprint=fingerprint(connection.changed_key or connection.peer_key),
        old_bot=connection.peer_bot,
        new_bot=connection.changed_bot or connection.peer_bot,
        emoji=pinning.emoji_numbers(turn, connection),
    )


def _move(turn: Turn, command: Command) -> Phrase:
    """Move everything that waits for this room into it."""
    if not connection_rooms.waiting_for(turn, command.room):
        return say(messages.rooms.nothing_moves_here, rooms=connection_rooms.rooms_waited_for(turn))
    by = turn.signature_of(command)
    moved, open_ones = connection_rooms.move(turn, command.room, by)
    return say(messages.rooms.moved, us=turn.us, by=by.name, moved=moved, open_ones=open_ones)


def _accept(turn: Turn, command: Command, connection: Connection, word: str) -> Phrase:
    """Accept the new key if the whole fingerprint or all emoji were typed: a part of them could be forged."""
    if not pinning.is_typed_key(turn, connection, word):
        turn.note(connection.id, audit.Fact.ANOTHER_FINGERPRINT, command.sender, command.event_id)
        return say(messages.keys.fingerprint_differs, connection=connection, word=word[:SHOWN])
    by = turn.signature_of(command)
    restored = pinning.accept_change(turn, connection, by)
    if connection.is_to_be_compared:
        recover.resume_with(turn, restored)
    return say(messages.keys.reviewed, connection=restored, by=by.name)


HANDLER = Handler(SPEC, ask, act)
