"""Which friend a person means: the active connection with the space that was named, in the rooms told of here."""

from __future__ import annotations

from fedbot.federation.commands import Command
from fedbot.federation.documents import Connection, ConnectionState
from fedbot.federation.effects import Phrase, say
from fedbot.federation.state import Turn
from fedbot.verbs.naming import room_name, rooms_told_of, space_meant


def friend_meant(turn: Turn, command: Command) -> Connection | Phrase:
    """The active connection with the argument `space`, or what stands against it."""
    return active_friend(turn, command, str(command.arguments["space"]))


def active_friend(turn: Turn, command: Command, word: str) -> Connection | Phrase:
    """The active connection with that space, or what stands against it; in the admin room, in whichever room it is."""
    space = space_meant(turn, command.room, word)
    if isinstance(space, Phrase):
        return space
    connection = turn.connection_with(space.party)
    if connection is None:
        return say("not_friends", name=space.name, party=space.party, home=turn.home)
    if connection.room not in rooms_told_of(turn, command.room):
        return say("connection_elsewhere", connection=connection, room=room_name(turn, connection.room))
    if connection.state is ConnectionState.SUSPENDED:
        return say("needs_review", connection=connection)
    if connection.state is not ConnectionState.ACTIVE:
        return say("connection_not_active", connection=connection)
    return connection
