"""Which friend a person means: the active connection with the space that was named, in this room."""

from __future__ import annotations

from fedbot.federation.commands import Command
from fedbot.federation.documents import Connection, ConnectionState
from fedbot.federation.effects import Phrase, say
from fedbot.federation.state import Turn
from fedbot.verbs.naming import room_name, space_meant


def friend_meant(turn: Turn, command: Command) -> Connection | Phrase:
    """The active connection with the space that was named, or what stands against it."""
    space = space_meant(turn, command.room, str(command.arguments["space"]))
    if isinstance(space, Phrase):
        return space
    connection = turn.connection_with(space.party)
    if connection is None:
        return say("not_friends", name=space.name, party=space.party, home=turn.home)
    if connection.room != command.room:
        return say("connection_elsewhere", connection=connection, room=room_name(turn, connection.room))
    if connection.state is ConnectionState.SUSPENDED:
        return say("needs_review", connection=connection)
    if connection.state is not ConnectionState.ACTIVE:
        return say("connection_not_active", connection=connection)
    return connection
