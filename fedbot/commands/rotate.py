"""`!fed rotate SPACE`: rotate a friend's token now, instead of 30 days before it expires."""

from __future__ import annotations

from fedbot import messages
from fedbot.commands.lookup import friend_meant
from fedbot.commands.spec import Argument, Handler, Kind, Verb
from fedbot.rules.connection import rotate_tokens
from fedbot.rules.model.command import Command
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.queries import Answer, Query
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Turn

SPEC = Verb(
    name="rotate",
    summary="rotate a friend's token",
    permission=Permission.SUPERUSER,
    arguments=(Argument("space", Kind.SPACE, "SPACE"),),
    examples=("rotate betaspace",),
    details=(
        "I try the new token before I revoke the old one, so nothing stops.",
        "I do this by myself 30 days before a token expires.",
    ),
)


def ask(turn: Turn, command: Command) -> tuple[Query, ...] | Phrase:
    """Ask for nothing but the permission; an objection is returned at once."""
    meant = friend_meant(turn, command)
    return meant if isinstance(meant, Phrase) else ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Begin; another reply reports the outcome."""
    del answers
    connection = friend_meant(turn, command)
    if isinstance(connection, Phrase):
        return connection
    begun = rotate_tokens.rotate(turn, connection, turn.signature_of(command), command.room)
    return say(messages.provision.rotating, connection=connection, begun=begun)


HANDLER = Handler(SPEC, ask, act)
