"""`!fed extend [ID] 2 weeks`: more time for what is lent; the owner gives it, or decides on it (DESIGN §2)."""

from __future__ import annotations

from fedbot.federation import extending, loans
from fedbot.federation.commands import Command
from fedbot.federation.documents import ConnectionState, Transfer
from fedbot.federation.effects import Phrase, say
from fedbot.federation.questions import Answer, Question
from fedbot.federation.state import Turn
from fedbot.federation.stock import Right
from fedbot.federation.subject_ids import by_line
from fedbot.verbs.dates import day_from
from fedbot.verbs.loans_meant import carrier, id_and_rest, loan_meant
from fedbot.verbs.spec import Argument, Handler, Kind, Verb, Where

SPEC = Verb(
    name="extend",
    summary="more time for what is lent",
    right=Right.APPROVER,
    arguments=(Argument("id", Kind.ANYTHING, "[ID] TIME"),),
    examples=("extend 2 weeks", "extend k7m2 until 31.1."),
    details=(
        "A span counts from the last day of the loan, or from today if that is over.",
        "The owner's approver gives it at once; the space that borrowed it asks, and the owner's people decide.",
        "The owner's approver may take back too much, but not to before the day that both agreed on.",
    ),
    where=Where.FEDERATION_ROOM,
)


def ask(turn: Turn, command: Command) -> tuple[Question, ...] | Phrase:
    """Nothing of InvenTree; what stands against it is said at once."""
    meant = _meant(turn, command)
    return meant if isinstance(meant, Phrase) else ()


def _meant(turn: Turn, command: Command) -> tuple[Transfer, str] | Phrase:
    """The loan, and the words for how long."""
    words = str(command.arguments.get("id", ""))
    command, rest = id_and_rest(turn, command, words)
    loan = loan_meant(turn, command, SPEC)
    if isinstance(loan, Phrase):
        return loan
    rest = rest.removeprefix("by ").removeprefix("for ")
    return (loan, rest) if rest else say("extend_until_when", usage=SPEC.usage, example=SPEC.examples[0])


def act(turn: Turn, command: Command, answers: tuple[Answer, ...]) -> Phrase | None:
    """Give more time, or ask for it."""
    del answers
    meant = _meant(turn, command)
    if isinstance(meant, Phrase):
        return meant
    loan, words = meant
    today = loans.today(turn, loan)
    day = day_from(words, today, max(loan.due_day or today, today))
    if isinstance(day, Phrase):
        return day
    by, connection = command.signature(turn), carrier(turn, loan)
    if loan.role == "sender":
        if loan.terms.loan_until and day < loan.terms.loan_until:
            return say("agreed_until_later", loan=loan)
        extending.prolong(turn, loan, day, by)
        return None
    if loan.due_day and day <= loan.due_day:
        return say("due_later_already", loan=loan)
    if connection.state is not ConnectionState.ACTIVE:
        return say("connection_not_active", connection=connection)
    if waiting := loans.open_extensions(turn, loan):
        return say("extension_asked_already", loan=loan, transfer=waiting[0])
    extending.ask(turn, by_line(command.event_id), connection, loan, day, by)
    return None


HANDLER = Handler(SPEC, ask, act)
