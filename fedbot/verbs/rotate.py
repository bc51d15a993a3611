"""`!fed rotate SPACE`: a new token for a friend's bot now, instead of a month before the old one ends (DESIGN §2)."""

from __future__ import annotations

from fedbot.federation import renewing
from fedbot.federation.commands import Command
from fedbot.federation.effects import Phrase, say
from fedbot.federation.questions import Answer, Question
from fedbot.federation.state import Turn
from fedbot.federation.stock import Right
from fedbot.verbs.friends import friend_meant
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
    meant = friend_meant(turn, command)
    return meant if isinstance(meant, Phrase) else ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase:
    """Begin it; the outcome is told by another reply."""
    del answers
    connection = friend_meant(turn, command)
    if isinstance(connection, Phrase):
        return connection
    begun = renewing.rotate(turn, connection, command.signature(turn), command.room)
    return say("rotating", connection=connection, begun=begun)


HANDLER = Handler(SPEC, ask, act)
