"""`!fed lost [ID]`: what is lent is lost; the owner's approver says so (DESIGN §2)."""

from __future__ import annotations

from fedbot.federation import closing
from fedbot.federation.commands import Command
from fedbot.federation.documents import Ending
from fedbot.federation.effects import Phrase
from fedbot.federation.questions import Answer, Question
from fedbot.federation.state import Turn
from fedbot.federation.stock import Right
from fedbot.verbs.loans_meant import owned_loan
from fedbot.verbs.spec import Argument, Handler, Kind, Verb, Where

SPEC = Verb(
    name="lost",
    summary="what is lent is lost",
    right=Right.APPROVER,
    arguments=(Argument("id", Kind.SUBJECT, "ID", optional=True),),
    examples=("lost k7m2", "lost"),
    details=(
        "Said by an approver of the owner: it is written off, with the status 'lost' and your name in InvenTree.",
        "As a reply to the card it needs no ID.",
    ),
    where=Where.FEDERATION_ROOM,
)


def ask(turn: Turn, command: Command) -> tuple[Question, ...] | Phrase:
    """Nothing of InvenTree; what stands against it is said at once."""
    loan = owned_loan(turn, command, SPEC)
    return loan if isinstance(loan, Phrase) else ()


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Close the loan so."""
    del answers
    loan = owned_loan(turn, command, SPEC)
    if isinstance(loan, Phrase):
        return loan
    closing.close(turn, loan, Ending.LOST, command.signature(turn))
    return None


HANDLER = Handler(SPEC, ask, act)
