"""`!fed rotate SPACE`: a new token for a friend's bot now, instead of a month before the old one ends (DESIGN §2)."""

from __future__ import annotations

from fedbot.federation import renewing
from fedbot.federation.commands import Command
from fedbot.federation.documents import Connection, ConnectionState
from fedbot.federation.effects import Phrase, say
from fedbot.federation.questions import Answer, Question
from fedbot.federation.state import Turn
from fedbot.federation.stock import Right
from fedbot.verbs.naming import room_name, rooms_told_of, space_meant
from fedbot.verbs.spec import Argument, Handler, Kind, Verb

SPEC = Verb(
    name="rotate",
    summary="make a new token for a friend",
    right=Right.SUPERUSER,
    arguments=(Argument("space", Kind.SPACE, "SPACE"),),
    examples=("rotate betaspace",),
    details=(
        "The new one is tried before the old one is revoked, so nothing stops meanwhile.",
        "I do it by myself 30 days before a token ends.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Question, ...] | Phrase:
    """Nothing but the right; what stands against it is said at once."""
    meant = _meant(turn, command)
    return meant if isinstance(meant, Phrase) else ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Begin it; the outcome is told by another reply."""
    del answers
    connection = _meant(turn, command)
    if isinstance(connection, Phrase):
        return connection
    begun = renewing.rotate(turn, connection, command.signature(turn), command.room)
    return say("rotating", connection=connection, begun=begun)


def _meant(turn: Turn, command: Command) -> Connection | Phrase:
    space = space_meant(turn, command.room, str(command.arguments["space"]))
    if isinstance(space, Phrase):
        return space
    connection = turn.connection_with(space.party)
    if connection is None:
        return say("nothing_to_end", name=space.name)
    if connection.room not in rooms_told_of(turn, command.room):
        return say("connection_elsewhere", connection=connection, room=room_name(turn, connection.room))
    if connection.state is not ConnectionState.ACTIVE:
        return say("connection_not_active", connection=connection)
    return connection


HANDLER = Handler(SPEC, ask, act)
