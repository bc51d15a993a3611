"""`!fed connect SPACE`: ask another space to be friends."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.lookup import Space, room_name, space_meant
from fedbot.commands.spec import Argument, Handler, Kind, Verb, Where
from fedbot.rules import decisions
from fedbot.rules.connection import connect as connections
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.room import AnnouncedParty
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Turn
from fedbot.rules.wire import OLDEST_VERSION, VERSION, common_version

SPEC = Verb(
    name="connect",
    summary="connect with another space",
    permission=Permission.SUPERUSER,
    arguments=(Argument("space", Kind.SPACE, "SPACE"),),
    examples=("connect betaspace",),
    details=(
        "Nothing moves between two spaces before they are connected. A superuser of the other one approves.",
        "Before that, both bots show seven emoji. Call the other space: if the emoji differ, nobody may approve.",
    ),
    where=Where.FEDERATION_ROOM,
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask for nothing but the permission; an objection is returned at once."""
    meant = _meant(turn, command)
    return meant if isinstance(meant, Phrase) else ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Ask the space; if it has asked us already, approve its request."""
    del answers
    meant = _meant(turn, command)
    if isinstance(meant, Phrase):
        return meant
    if isinstance(meant, Connection):
        event = command.event_id
        return decisions.take_up(turn, meant, Choice.APPROVE, command.sender, event, reply_to=event, at=command.at)
    bot, party = meant
    connections.ask(turn, bot, party, command.room, turn.signature_of(command), command.event_id)
    return None


def _meant(turn: Turn, command: Command) -> tuple[str, AnnouncedParty] | Connection | Phrase:
    """The bot and party to ask, or the connection that the party has asked for, or an objection."""
    if not turn.us.discoverable:
        return say(messages.connect.we_are_hidden, us=turn.us)
    space = space_meant(turn, command.room, str(command.arguments["space"]))
    if isinstance(space, Phrase):
        return space
    existing = turn.connection_with(space.party)
    if existing is not None:
        return _existing(turn, command, existing)
    return _announced(turn, command, space)


def _existing(turn: Turn, command: Command, connection: Connection) -> Connection | Phrase:
    if connection.changed_room:
        return say(messages.connect.needs_review, connection=connection)
    if connection.room != command.room:
        return say(messages.connect.connection_elsewhere, connection=connection, room=room_name(turn, connection.room))
    match connection.state:
        case ConnectionState.OFFERED:
            return connection
        case ConnectionState.ACTIVE:
            return say(messages.connect.connected_already, connection=connection)
        case ConnectionState.SUSPENDED:
            return say(messages.connect.needs_review, connection=connection)
        case ConnectionState.ENDING:
            return say(messages.disconnect.still_ending, connection=connection)
        case _:
            return say(messages.connect.asked_already, connection=connection)


def _announced(turn: Turn, command: Command, space: Space) -> tuple[str, AnnouncedParty] | Phrase:
    announced = turn.announced(command.room, space.party)
    if not announced:
        return say(messages.connect.space_not_here, name=space.name)
    _, party = announced[0]
    if common_version(party.speaks) is None:
        ours = (OLDEST_VERSION, VERSION)
        return say(messages.connect.speaks_otherwise, name=space.name, theirs=party.speaks, ours=ours)
    return announced[0]


HANDLER = Handler(SPEC, ask, act)
