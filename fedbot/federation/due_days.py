"""Reminders of what we have borrowed: before its last day, on it, and weekly when it is over; never at night.

The borrower's bot reminds its own people, when it is such a day at the owner's and no night at home. As with cards,
everything follows from the documents (the last day as extended, when was last reminded), so a restart forgets and
doubles nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from fedbot.federation import loans, zones
from fedbot.federation import transfer as transfers
from fedbot.federation.documents import ConnectionState, Transfer
from fedbot.federation.effects import Ask, Post, say
from fedbot.federation.events import Answered, Context
from fedbot.federation.opening import MOST_RINGS, addressees
from fedbot.federation.questions import Able
from fedbot.federation.reminders import after_the_night
from fedbot.federation.returning import who_may
from fedbot.federation.state import Turn

BEFORE = (timedelta(days=3), timedelta(days=1), timedelta(0))
WEEK = timedelta(days=7)


def look(turn: Turn) -> None:
    """By the clock: whose turn is it to be reminded? Who may hand it back is read first."""
    for loan in loans.on_loan(turn):
        when = next_reminder(turn, loan)
        if when is not None and when <= turn.now:
            turn.save(replace(loan, reminded=turn.now))
            context = Context("due-day", loan.id, detail={"at": turn.now.isoformat()})
            turn.do(Ask(context, (who_may(turn),), patient=True))


def next_wake(turn: Turn) -> list[datetime]:
    """When `look` has something to do."""
    times = [next_reminder(turn, loan) for loan in loans.on_loan(turn)]
    return [when for when in times if when is not None]


def next_reminder(turn: Turn, loan: Transfer) -> datetime | None:
    """When our people are to be reminded of it next; None if nobody is. What was missed is made up for once."""
    connection = turn.connection(loan.connection)
    over = connection is None or connection.state is ConnectionState.ENDED
    if loan.role != "receiver" or loan.due_day is None or over:
        return None
    begun = loan.ended or (loan.decided or loan.asked).at
    # one that is to come yet was noted by a clock that was ahead
    last = min(max(begun, loan.reminded) if loan.reminded else begun, turn.now)
    days = _days(loan.due_day, loans.today(turn, loan))
    moments = [moment for moment in (_begins(turn, loan, day) for day in days) if moment > last]
    missed = [moment for moment in moments if moment <= turn.now]
    return after_the_night(turn.home, max(missed[-1] if missed else moments[0], turn.now))


def _days(due: date, today: date) -> list[date]:
    """The days on which is reminded, up to the first one after today."""
    weeks = max((today - due).days // 7, 0) + 1
    return [due - before for before in BEFORE] + [due + week * WEEK for week in range(1, weeks + 1)]


def _begins(turn: Turn, loan: Transfer, day: date) -> datetime:
    """When our people may be reminded that it is that day at the owner's."""
    begins = zones.beginning(day, loan.terms.time_zone, turn.home.time_zone)
    return after_the_night(turn.home, begins.astimezone(turn.now.tzinfo))


def on_able(turn: Turn, event: Answered) -> None:
    """We know who may hand it back: remind those who took it, and them, unless it is back, or night by now."""
    loan = turn.transfer(event.context.subject)
    (able,) = event.answers
    if not isinstance(able, Able):
        raise TypeError(f"a reminder asks who may hand it back, not {able!r}")
    at = event.context.detail["at"]
    if loan is None or not loan.is_on_loan or loan.reminded is None or loan.reminded.isoformat() != at:
        return
    if after_the_night(turn.home, turn.now) != turn.now:
        turn.save(replace(loan, reminded=None))
        return
    took = [s.person for s in (loan.asked, loan.decided) if s and s.person in turn.home.people]
    rings = tuple(dict.fromkeys([*took, *addressees(turn, able)]))[:MOST_RINGS]
    phrase = say(
        "loan_reminder",
        loan=loan,
        home=turn.home,
        peer_name=turn.party_name(loan.peer),
        people={person: turn.name_of(person, loan.room) for person in rings},
        out=loans.lines_out(turn, loan),
        today=loans.today(turn, loan),
    )
    turn.do(Post(f"due:{loan.id}:{at}", loan.room, phrase, thread=transfers.thread_of(loan), rings=rings))
    turn.note(loan.id, "reminded", people=list(rings))
