"""Overdue loans: telling the admins, and stopping new loans to a friend until everything is back.

The borrower's own bot reminds its people (`due_reminders`). Here each side's bot tells its own admins. A superuser of
the owner may stop new loans to a friend; the stop ends by itself.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from fedbot import messages
from fedbot.rules.loan import lend
from fedbot.rules.model import audit, time_zones
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Post, say
from fedbot.rules.model.lending import LendingStop
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn

NO_LOANS = "no-loans"
"""Why a loan isn't given: its owner lends that friend nothing before what is overdue is back."""
ADMINS, STOP = "admins", "stop"


def overdue(turn: Turn, peer: str = "", role: str = "sender") -> list[Transfer]:
    """The overdue loans between us and that party (or anybody), the longest overdue first, with the items still out.

    `role` is ours: `sender` for loans that we gave, `receiver` for those that we have to return.
    """
    loans = [loan for loan in turn.loans() if loan.role == role and peer in {"", loan.peer}]
    return [lend.as_out(turn, loan) for loan in loans if is_overdue(turn, loan)]


def is_overdue(turn: Turn, loan: Transfer) -> bool:
    """Whether its last day is over where its owner is."""
    return loan.is_on_loan and loan.due_day is not None and loan.due_day < turn.day_of(loan)


def is_refused(turn: Turn, transfer: Transfer) -> bool:
    """Whether it would be a new loan to a friend that gets none."""
    return transfer.is_loan and transfer.role == "sender" and turn.lending_stop(transfer.peer) is not None


# --- a superuser decides ---


def stop(turn: Turn, peer: str, room: str, by: Signature, *, answered_in: str) -> LendingStop:
    """Stop new loans to that friend, and tell the room that we share with it, unless the line is answered there."""
    stopped = LendingStop(peer, by, room)
    turn.save(stopped)
    turn.note_by(peer, audit.Fact.NO_NEW_LOANS, by)
    if answered_in != room:
        _tell_room(turn, stopped, f"no-loans:{peer}:{by.event_id}")
    return stopped


def _tell_room(turn: Turn, stopped: LendingStop, key: str) -> None:
    loans = tuple(overdue(turn, stopped.id))
    phrase = say(
        messages.lending.no_new_loans,
        us=turn.us,
        peer_name=turn.party_name(stopped.id),
        by=stopped.by,
        loans=loans,
    )
    turn.do(Post(key, stopped.room, phrase))


def resume(turn: Turn, stopped: LendingStop, by: Signature | None, *, answered_in: str = "") -> None:
    """It may borrow again: a superuser says so, or all of it is back (`by` nobody). The room that we share is told."""
    turn.drop(stopped)
    turn.note_by(stopped.id, audit.Fact.LOANS_AGAIN, by)
    peer_name = turn.party_name(stopped.id)
    phrase = say(messages.lending.loans_again, us=turn.us, peer_name=peer_name, by=by)
    connection = turn.connection_with(stopped.id)
    room = connection.room if connection is not None else stopped.room
    if answered_in == room:
        return
    turn.do(Post(f"loans-again:{stopped.id}:{turn.now.isoformat()}", room, phrase))


def follow(turn: Turn) -> None:
    """After any event that changed a transfer: who has brought all of it back may borrow again."""
    if any(isinstance(document, Transfer) for document in turn.changes.values()):
        for stopped in turn.lending_stops():
            if not overdue(turn, stopped.id):
                resume(turn, stopped, None)


# --- by the clock ---


def look(turn: Turn) -> None:
    """By the clock: the admins are told of what is overdue, once for each step and due date."""
    for loan in turn.loans():
        for step, at in _steps(turn, loan):
            if at <= turn.now:
                known = turn.transfer(loan.id) or loan
                turn.save(replace(known, told=(*known.told, _word(known, step))))
                _tell_admins(turn, known, step)


def next_wake(turn: Turn) -> list[datetime]:
    """When `look` has something to do."""
    return [at for loan in turn.loans() for _, at in _steps(turn, loan)]


def _word(loan: Transfer, step: str) -> str:
    """In `Transfer.told` once the step was taken for that due date."""
    return f"overdue {step} {loan.due_day}"


def _steps(turn: Turn, loan: Transfer) -> list[tuple[str, datetime]]:
    """The steps that are still to be taken, each with its time. Whether a friend gets no loans only its owner says."""
    due, after = loan.due_day, turn.us.overdue
    if due is None:
        return []
    wanted = [(ADMINS, after.admins_after), (STOP, after.stop_after if loan.role == "sender" else None)]
    steps = [(step, _begins(turn, loan, due, wait)) for step, wait in wanted if wait is not None]
    return [(step, at) for step, at in steps if _word(loan, step) not in loan.told]


def _begins(turn: Turn, loan: Transfer, due: date, wait: timedelta) -> datetime:
    """When the loan is overdue for so long: its last day is over, and that many more."""
    begins = time_zones.beginning(due + timedelta(days=1), loan.terms.time_zone, turn.us.time_zone)
    return (begins + wait).astimezone(turn.now.tzinfo)


def _tell_admins(turn: Turn, loan: Transfer, step: str) -> None:
    loan = lend.as_out(turn, loan)
    peer_name, today = turn.party_name(loan.peer), turn.day_of(loan)
    if step == ADMINS:
        phrase = say(messages.lending.overdue_for_admins, loan=loan, us=turn.us, peer_name=peer_name, today=today)
    elif turn.lending_stop(loan.peer) is not None:
        return
    else:
        phrase = say(messages.lending.lend_no_more, loan=loan, us=turn.us, peer_name=peer_name, today=today)
    turn.tell_admins(phrase, f"overdue:{step}:{loan.id}:{loan.due_day}")
