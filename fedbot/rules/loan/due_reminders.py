"""Reminders of due dates at the borrower: when they are posted, and whom they mention."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from fedbot import messages
from fedbot.rules import time_zones
from fedbot.rules.loan import balance
from fedbot.rules.model import audit
from fedbot.rules.model.effects import Ask, Post, say
from fedbot.rules.model.events import Answered
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.queries import Able, OfTransfer, WhenAnswered
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.stock import Permission
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides
from fedbot.rules.transfer.opening import MOST_MENTIONED, addressees

BEFORE = (timedelta(days=3), timedelta(days=1), timedelta(0))
WEEK = timedelta(days=7)


def look(turn: Turn) -> None:
    """By the clock: start the reminders that are due. Each first reads who may return the loan."""
    for loan in turn.loans():
        when = next_due_date_reminder(turn, loan)
        if when is not None and when <= turn.now:
            turn.save(replace(loan, reminded=turn.now))
            turn.do(Ask(RemindOfDueDate(loan.id, turn.now), (turn.who_may(Permission.APPROVER),)))


def next_wake(turn: Turn) -> list[datetime]:
    """The times at which `look` has something to do."""
    times = [next_due_date_reminder(turn, loan) for loan in turn.loans()]
    return [when for when in times if when is not None]


def next_due_date_reminder(turn: Turn, loan: Transfer) -> datetime | None:
    """When our people are reminded next; None if they aren't. Several missed reminders become one."""
    connection = turn.connection(loan.connection)
    over = connection is None or connection.state is ConnectionState.ENDED
    if loan.role != "receiver" or loan.due_day is None or over:
        return None
    begun = loan.ended or (loan.decided or loan.asked).at
    # a reminder in the future was noted by a clock that was ahead
    last = min(max(begun, loan.reminded) if loan.reminded else begun, turn.now)
    days = _days(loan.due_day, turn.day_of(loan))
    moments = [moment for moment in (_begins(turn, loan, day) for day in days) if moment > last]
    missed = [moment for moment in moments if moment <= turn.now]
    return time_zones.after_the_night(turn.us, max(missed[-1] if missed else moments[0], turn.now))


def _days(due: date, today: date) -> list[date]:
    """The days with a reminder, up to the first one after today."""
    weeks = max((today - due).days // 7, 0) + 1
    return [due - before for before in BEFORE] + [due + week * WEEK for week in range(1, weeks + 1)]


def _begins(turn: Turn, loan: Transfer, day: date) -> datetime:
    """When that day has begun at the lender, and no quiet hours are here."""
    begins = time_zones.beginning(day, loan.terms.time_zone, turn.us.time_zone)
    return time_zones.after_the_night(turn.us, begins.astimezone(turn.now.tzinfo))


@dataclass(frozen=True)
class RemindOfDueDate(OfTransfer, WhenAnswered):
    """Reads who may return the loan, before the reminder of the time `at` is posted."""

    at: datetime

    def answered(self, turn: Turn, event: Answered) -> None:
        """Post the reminder, unless the loan has been returned or quiet hours have begun."""
        loan = turn.transfer(self.transfer)
        (able,) = event.answers
        if not isinstance(able, Able):
            raise TypeError(f"a reminder asks who may hand it back, not {able!r}")
        if loan is None or not loan.is_on_loan or loan.reminded != self.at:
            return
        if time_zones.after_the_night(turn.us, turn.now) != turn.now:
            turn.save(replace(loan, reminded=None))
            return
        took = [s.person for s in (loan.asked, loan.decided) if s and s.person in turn.us.people]
        mentions = tuple(dict.fromkeys([*took, *addressees(turn, able)]))[:MOST_MENTIONED]
        phrase = say(
            messages.loan.loan_reminder,
            loan=loan,
            us=turn.us,
            peer_name=turn.party_name(loan.peer),
            people={person: turn.name_of(person, loan.room) for person in mentions},
            out=balance.lines_still_out(turn, loan),
            today=turn.day_of(loan),
        )
        turn.do(
            Post(
                MessageKind.DUE.of(loan.id, self.at.isoformat()),
                loan.room,
                phrase,
                thread=both_sides.thread_of(loan),
                mentions=mentions,
            )
        )
        turn.note(loan.id, audit.Reminded(mentions))
