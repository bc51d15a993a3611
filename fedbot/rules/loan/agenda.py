"""What is fetched and due back on which day: for `calendar`, and for the agenda that is posted in the morning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from fedbot import messages
from fedbot.rules.loan import lend
from fedbot.rules.model import time_zones
from fedbot.rules.model.effects import Post, say
from fedbot.rules.model.summaries import AgendaEntry, OnThatDay
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from fedbot.rules.protocol import room_upgrades
from fedbot.rules.state import Turn

A_DAY = timedelta(days=1)
DAYS_AHEAD = timedelta(days=31)


def entries(turn: Turn, rooms: Sequence[str], first: date, last: date) -> list[AgendaEntry]:
    """What is fetched and due back on these days, by the day. What is overdue stands under today."""
    here = (t for t in turn.restless_transfers() if t.room in rooms)
    found = [entry for transfer in here for entry in _of(turn, transfer) if first <= entry.day <= last]
    return sorted(found, key=lambda entry: (entry.day, entry.what, entry.transfer.id))


def _of(turn: Turn, transfer: Transfer) -> Iterator[AgendaEntry]:
    terms = transfer.terms
    if transfer.state is TransferState.BOOKED and terms.starts is not None and terms.loan_until is not None:
        yield AgendaEntry(max(terms.starts, lend.today(turn, transfer)), OnThatDay.FETCHED, transfer)
        yield AgendaEntry(terms.loan_until, OnThatDay.BACK, transfer)
    elif transfer.is_on_loan and transfer.due_day is not None:
        today = lend.today(turn, transfer)
        what = OnThatDay.OVERDUE if transfer.due_day < today else OnThatDay.BACK
        yield AgendaEntry(max(transfer.due_day, today), what, lend.as_out(turn, transfer))


# --- in the morning ---------------------------------------------------------------------------------------------


def look(turn: Turn) -> None:
    """By the clock: what today and tomorrow bring is posted once a day in each room, if the config says so."""
    at = _next(turn)
    if at is None or at > turn.now:
        return
    today = turn.today()
    turn.tell_once(_telling(today), 2 * A_DAY)
    for room in room_upgrades.federation_rooms(turn):
        found = entries(turn, [room], today, today + A_DAY)
        if found:
            names = {entry.transfer.peer: turn.party_name(entry.transfer.peer) for entry in found}
            phrase = say(messages.calendar.agenda, entries=tuple(found), names=names, us=turn.us)
            turn.do(Post(f"agenda:{room}:{today}", room, phrase))


def next_wake(turn: Turn) -> list[datetime]:
    """When `look` has something to do."""
    at = _next(turn)
    return [] if at is None else [at]


def _next(turn: Turn) -> datetime | None:
    if not turn.us.agenda:
        return None
    today = turn.today()
    is_told = any(cooldown.id == _telling(today) for cooldown in turn.cooldowns())
    begins = time_zones.beginning(today + A_DAY if is_told else today, "", turn.us.time_zone)
    return max(time_zones.after_the_night(turn.us, begins.astimezone(turn.now.tzinfo)), turn.now)


def _telling(day: date) -> str:
    return f"agenda:{day}"
