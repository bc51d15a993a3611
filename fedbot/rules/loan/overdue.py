"""Overdue loans: tell the admins, and stop new loans to a peer until everything is back.

The borrower's own bot reminds its people (`due_reminders`). Here each side's bot tells its own admins. A superuser of
the lender can stop new loans to a peer. The stop ends by itself.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from fedbot import messages
from fedbot.rules import time_zones
from fedbot.rules.loan import balance
from fedbot.rules.model import audit
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Post, say
from fedbot.rules.model.lending import LendingStop
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn

NO_LOANS = "no-loans"
"""Reason code: the lender gives that peer no new loan until the overdue ones are back."""
ADMINS, STOP = "admins", "stop"


def overdue(turn: Turn, peer: str = "", role: str = "sender") -> list[Transfer]:
    """The overdue loans between us and that party ('': any), oldest first, each with its lines that are still out.

    `role` is ours: `sender` for loans that we gave, `receiver` for those that we have to return.
    """
    loans = [loan for loan in turn.loans() if loan.role == role and peer in {"", loan.peer}]
    return [balance.as_still_out(turn, loan) for loan in loans if is_overdue(turn, loan)]


def is_overdue(turn: Turn, loan: Transfer) -> bool:
    """Whether its due date has passed in the lender's time zone."""
    return loan.is_on_loan and loan.due_day is not None and loan.due_day < turn.day_of(loan)


def is_refused(turn: Turn, transfer: Transfer) -> bool:
    """Whether it is a loan to a peer to which our superuser has stopped new loans."""
    return transfer.is_loan and transfer.role == "sender" and turn.get(LendingStop, transfer.peer) is not None


# --- the stop on new loans ---


def stop(turn: Turn, peer: str, room: str, by: Signature, *, answered_in: str) -> LendingStop:
    """Stop new loans to that peer, and tell the room that we share with it, unless `answered_in` is that room."""
    lending_stop = LendingStop(peer, by, room)
    turn.save(lending_stop)
    turn.note_by(peer, audit.Fact.NO_NEW_LOANS, by)
    if answered_in != room:
        loans, peer_name = tuple(overdue(turn, peer)), turn.party_name(peer)
        phrase = say(messages.overdue.no_new_loans, us=turn.us, peer_name=peer_name, by=by, loans=loans)
        turn.do(Post(MessageKind.NO_LOANS.of(peer, by.event_id), room, phrase))
    return lending_stop


def resume(turn: Turn, lending_stop: LendingStop, by: Signature | None, *, answered_in: str = "") -> None:
    """Allow new loans again, and tell our shared room. `by` is the superuser; None if everything overdue is back."""
    peer = lending_stop.id
    turn.drop(lending_stop)
    turn.note_by(peer, audit.Fact.LOANS_AGAIN, by)
    connection = turn.connection_with(peer)
    room = connection.room if connection is not None else lending_stop.room
    if answered_in != room:
        phrase = say(messages.overdue.loans_again, us=turn.us, peer_name=turn.party_name(peer), by=by)
        turn.do(Post(MessageKind.LOANS_AGAIN.of(peer, turn.now.isoformat()), room, phrase))


def follow(turn: Turn) -> None:
    """After an event that changed a transfer: allow new loans to peers that have returned everything overdue."""
    if any(isinstance(document, Transfer) for document in turn.changes.values()):
        for lending_stop in turn.all(LendingStop):
            if not overdue(turn, lending_stop.id):
                resume(turn, lending_stop, None)


# --- by the clock ---


def look(turn: Turn) -> None:
    """By the clock: tell the admins of overdue loans, once for each step and due date."""
    for loan in turn.loans():
        for step, at in _steps(turn, loan):
            if at <= turn.now:
                known = turn.transfer(loan.id) or loan
                turn.save(known.after_telling(_told_mark(known, step)))
                _tell_admins(turn, known, step)


def next_wake(turn: Turn) -> list[datetime]:
    """The times at which `look` has something to do."""
    return [at for loan in turn.loans() for _, at in _steps(turn, loan)]


def _told_mark(loan: Transfer, step: str) -> str:
    """The entry in `Transfer.told` once the step was taken for that due date."""
    return f"overdue {step} {loan.due_day}"


def _steps(turn: Turn, loan: Transfer) -> list[tuple[str, datetime]]:
    """The steps still to be taken, with their times. Only the lender is asked to stop new loans."""
    due, after = loan.due_day, turn.us.overdue
    if due is None:
        return []
    wanted = [(ADMINS, after.admins_after), (STOP, after.stop_after if loan.role == "sender" else None)]
    steps = [(step, _begins(turn, loan, due, wait)) for step, wait in wanted if wait is not None]
    return [(step, at) for step, at in steps if _told_mark(loan, step) not in loan.told]


def _begins(turn: Turn, loan: Transfer, due: date, wait: timedelta) -> datetime:
    """When the loan has been overdue for that long."""
    begins = time_zones.beginning(due + timedelta(days=1), loan.terms.time_zone, turn.us.time_zone)
    return (begins + wait).astimezone(turn.now.tzinfo)


def _tell_admins(turn: Turn, loan: Transfer, step: str) -> None:
    loan = balance.as_still_out(turn, loan)
    peer_name, today = turn.party_name(loan.peer), turn.day_of(loan)
    if step == ADMINS:
        phrase = say(messages.overdue.overdue_for_admins, loan=loan, us=turn.us, peer_name=peer_name, today=today)
    elif turn.get(LendingStop, loan.peer) is not None:
        return
    else:
        phrase = say(messages.overdue.lend_no_more, loan=loan, us=turn.us, peer_name=peer_name, today=today)
    turn.tell_admins(phrase, f"overdue:{step}:{loan.id}:{loan.due_day}")
