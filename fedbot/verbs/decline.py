"""`!fed decline ID`: the same as ❌ on the card."""

from __future__ import annotations

from fedbot.federation.commands import Command
from fedbot.federation.documents import Choice
from fedbot.federation.effects import Phrase
from fedbot.federation.questions import Answer
from fedbot.federation.state import Turn
from fedbot.federation.stock import Right
from fedbot.verbs.deciding import decide
from fedbot.verbs.spec import Argument, Handler, Kind, Verb, Where, nothing_to_ask

SPEC = Verb(
    name="decline",
    summary="say no to what is offered or asked",
    right=Right.MAPPED,  # the card asks for more, and checks it
    arguments=(Argument("id", Kind.SUBJECT, "ID", optional=True),),
    examples=("decline k7m2", "decline"),
    details=(
        "The same as ❌ on the card; as a reply to the card it needs no ID.",
        "What is offered to a space is decided by its approvers, a connection by its superusers.",
        "It counts after a few seconds; until then 'cancel' takes it back.",
    ),
    where=Where.FEDERATION_ROOM,
    decides=True,
)


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Begin the decision, or say why not."""
    del answers
    return decide(turn, command, SPEC, Choice.DECLINE)


HANDLER = Handler(SPEC, nothing_to_ask, act)
