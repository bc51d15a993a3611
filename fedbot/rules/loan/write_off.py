"""A borrower's superuser settles a loan (`!fed resolve`): ended items still in our stock, or a lender that is gone.

The bot reads InvenTree first. If the lender's bot is gone for good, only our own books are settled. The item stays in
them as the lender's, and is on loan again if the lender connects again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from fedbot import messages
from fedbot.rules import names
from fedbot.rules.catalogue.provenance import known_item
from fedbot.rules.loan import balance, end
from fedbot.rules.model import audit
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Do, say
from fedbot.rules.model.events import StepDone, StepRefused, StepUnknown
from fedbot.rules.model.ledger import Truth
from fedbot.rules.model.lifecycles import ConnectionState, Ending
from fedbot.rules.model.queries import ItemSeen, ItemsSeen, OfLine, WhenStepEnds, Whereabouts, WhereIsIt
from fedbot.rules.model.steps import WriteOff
from fedbot.rules.model.transfer import Transfer, step_mark
from fedbot.rules.state import Turn
from fedbot.rules.transfer.resolve import Seen

WORDS = OFF, BY_HAND, KEPT = "off", "by-hand", "kept"
HERE = frozenset({Whereabouts.STOCK, Whereabouts.OUTGOING})


def is_abandoned(turn: Turn, loan: Transfer) -> bool:
    """Whether we borrowed it, and no connection is left through which we could return it."""
    connection = turn.connection_with(loan.peer) or turn.connection(loan.connection)
    ended = connection is not None and connection.state is ConnectionState.ENDED
    return loan.role == "receiver" and loan.is_on_loan and ended


def queries(loan: Transfer) -> tuple[WhereIsIt, ...]:
    """The queries for where each stock item is, in the order of `left_over`."""
    return tuple(_query(loan, number) for number in loan.left_over)


def _query(loan: Transfer, number: int) -> WhereIsIt:
    progress = loan.at(number)
    known = (progress.item,) if progress.item else ()
    return WhereIsIt(f"fed:{loan.id}:{number}", known, progress.part)


def seen_in(loan: Transfer, answers: tuple[object, ...]) -> Seen:
    """The answers to `queries`, by line number. Raises TypeError for another answer."""
    seen: Seen = {}
    for number, answer in zip(loan.left_over, answers, strict=True):
        if not isinstance(answer, ItemsSeen):
            raise TypeError(f"the query is where items are, not {answer!r}")
        seen[number] = answer
    return seen


def truths(turn: Turn, loan: Transfer, seen: Seen) -> tuple[Truth, ...]:
    """The answers that our superuser can choose from."""
    if not loan.left_over:
        return (Truth(KEPT),) if is_abandoned(turn, loan) else ()
    here = _still_here(loan, seen)
    owed = balance.not_back(turn, loan)
    fits = all(item.quantity <= owed.get(number, Decimal(0)) for number, item in here.items())
    return (Truth(OFF), Truth(BY_HAND)) if here and fits else (Truth(BY_HAND),)


def _still_here(loan: Transfer, seen: Seen) -> dict[int, ItemSeen]:
    """The stock items that still count in our stock, by line number."""
    return {
        number: item
        for number, answer in seen.items()
        for item in answer.items
        if item.pk == loan.at(number).item and item.where in HERE
    }


def settle(turn: Turn, loan: Transfer, truth: Truth, seen: Seen, by: Signature) -> Transfer:
    """Settle the loan as the superuser says, and return it."""
    turn.note(loan.id, audit.Settled(truth.name), by.person, by.event_id)
    if truth.name == KEPT:
        return end.keep(turn, loan, by)
    here = _still_here(loan, seen) if truth.name == OFF else {}
    loan = replace(loan, left_over=tuple(number for number in loan.left_over if number in here))
    turn.save(loan)
    for number, item in here.items():
        ending = loan.ending_of(number)
        where = "lost" if ending is Ending.LOST else "back"
        lender = names.party_in_history(turn.party_name(loan.peer), loan.peer)
        note = f"borrowed from {lender}, {where}, out of our stock, says {by.in_history}"
        mark = step_mark(loan, number, "off")
        owed = balance.not_back(turn, loan)[number]
        step = WriteOff(mark, note, item.pk, owed, known_item(turn, loan, number))
        turn.do(Do(WriteOffItem(loan.id, number), step))
    return loan


@dataclass(frozen=True)
class WriteOffItem(OfLine, WhenStepEnds):
    """Takes an ended line out of our stock."""

    def done(self, turn: Turn, _: StepDone) -> None:
        """Note that it no longer counts in our stock."""
        loan = turn.transfer(self.transfer)
        if loan is not None:
            turn.save(replace(loan, left_over=tuple(n for n in loan.left_over if n != self.line)))
            turn.note(loan.id, audit.WrittenOff(self.line))

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Tell the admins. The superuser can settle it again."""
        loan = turn.transfer(self.transfer)
        if loan is not None:
            phrase = say(messages.loan.not_written_off, loan=loan, problem=event.problem)
            turn.tell_admins(phrase, f"not-off:{loan.id}:{self.line}:{turn.now.isoformat()}")
