"""`!fed disconnect SPACE`: end a friendship, after a preview of the effects."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.lookup import room_name, signature_with_note, space_meant, whole_line
from fedbot.commands.spec import WHY, Argument, Handler, Kind, Option, Verb, Where
from fedbot.rules.connection import disconnect
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import UNFINISHED_CONNECTION, ConnectionState
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Turn

SPEC = Verb(
    name="disconnect",
    summary="end a connection",
    permission=Permission.SUPERUSER,
    arguments=(Argument("space", Kind.SPACE, "SPACE"),),
    options=(
        Option("sure", "", "do it; without it I only show what would happen"),
        Option("now", "", "don't wait for the other space, because it is gone or can't be trusted"),
        WHY,
    ),
    examples=("disconnect betaspace", "disconnect betaspace --sure", "disconnect betaspace --sure --now"),
    details=(
        "Nothing new starts. I cancel open requests and let running transfers finish. Then the space's access ends.",
        "Gifts stay gifts, and the history stays. You can connect again later.",
        "With --now it also works while InvenTree is down, for people who were superusers when I last looked.",
    ),
    where=Where.FEDERATION_ROOM,
    ends_trust=True,
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask for nothing but the permission; an objection is returned at once."""
    meant = _meant(turn, command)
    return meant if isinstance(meant, Phrase) else ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Show what would happen and ask, or do it."""
    del answers
    connection = _meant(turn, command)
    if isinstance(connection, Phrase):
        return connection
    at_once = bool(command.arguments.get("now"))
    ending = connection.state is ConnectionState.ENDING
    if ending and not at_once:
        preview = disconnect.preview(turn, connection)
        return say(messages.disconnect.ending_already, connection=connection, us=turn.us, preview=preview)
    if not command.arguments.get("sure"):
        _let_choose(turn, command, connection, at_once=at_once)
        return None
    by = signature_with_note(turn, command)
    if ending:
        disconnect.end_now(turn, connection, by)
    else:
        disconnect.begin(turn, connection, by, at_once=at_once)
    return None


def answer_without(turn: Turn, command: Command, problem: Diagnosis | None) -> bool:
    """If our InvenTree doesn't answer, let a person who was last seen as a superuser end a friendship at once."""
    del problem
    if not command.arguments.get("now"):
        return False
    if command.username in turn.status().superusers:
        turn.answer(command, act(turn, command, ()))
    else:
        turn.answer(command, say(messages.line_errors.not_last_seen_as_superuser, command=command, us=turn.us))
    return True


def _meant(turn: Turn, command: Command) -> Connection | Phrase:
    """The connection that can be ended, or an objection."""
    space = space_meant(turn, command.room, str(command.arguments["space"]))
    if isinstance(space, Phrase):
        return space
    connection = turn.connection_with(space.party)
    if connection is None:
        return say(messages.disconnect.nothing_to_end, name=space.name)
    if connection.changed_room:
        return say(messages.connect.needs_review, connection=connection)
    if connection.room != command.room:
        return say(messages.connect.connection_elsewhere, connection=connection, room=room_name(turn, connection.room))
    if connection.state in UNFINISHED_CONNECTION:
        return say(messages.disconnect.not_friends_yet, connection=connection)
    return connection


def _let_choose(turn: Turn, command: Command, connection: Connection, *, at_once: bool) -> None:
    """Show the effect of each way as a numbered list."""
    lines = [whole_line(turn, command, SPEC, space=connection.peer, sure="yes", now="yes")]
    if not at_once:
        lines.insert(0, whole_line(turn, command, SPEC, space=connection.peer, sure="yes"))
    phrase = say(
        messages.disconnect.disconnect_preview,
        connection=connection,
        us=turn.us,
        orderly=None if at_once else disconnect.preview(turn, connection),
        at_once=disconnect.preview(turn, connection, at_once=True),
    )
    turn.choose(command.room, command.event_id, command.sender, phrase, tuple(lines))


HANDLER = Handler(SPEC, ask, act, answer_without)
