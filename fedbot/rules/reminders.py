"""Reminders (never at night), and a clock that was set back."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar, overload

from fedbot import messages
from fedbot.rules import health, time_zones
from fedbot.rules.connection import rotate_tokens
from fedbot.rules.connection.rotate_tokens import SETTINGS, next_renewal
from fedbot.rules.loan.due_reminders import next_due_date_reminder
from fedbot.rules.model import audit
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Ask, Phrase, Post, say
from fedbot.rules.model.events import Answered, ClockSetBack
from fedbot.rules.model.health import BotStatus, Due, DueKind, counted_from
from fedbot.rules.model.lifecycles import UNFINISHED_CONNECTION
from fedbot.rules.model.queries import Able, WhenAnswered
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides
from fedbot.rules.transfer.opening import MOST_MENTIONED, addressees
from fedbot.rules.who_decides import (
    Subject,
    asks_if_handed_over,
    awaits_parcel,
    decides_here,
    is_open,
    permission_to_decide,
    takes_less,
)

DAY_TWO = timedelta(days=2)
BEFORE_THE_END = timedelta(days=1)
TOO_SOON = timedelta(hours=12)
"""A reminder this soon after the card or another reminder is left out."""


def look(turn: Turn) -> None:
    """By the clock: start the reminders that are due. Each first reads who may decide."""
    for subject in turn.subjects():
        when = _next_reminder(turn, subject)
        if when is not None and when <= turn.now:
            turn.save(replace(subject, reminded=turn.now))
            turn.do(Ask(Remind(subject.id, turn.now), (turn.who_may(permission_to_decide(subject)),)))


def next_wake(turn: Turn) -> list[datetime]:
    """The times at which `look` has something to do."""
    times = [_next_reminder(turn, subject) for subject in turn.subjects()]
    return [when for when in times if when is not None]


def _next_reminder(turn: Turn, subject: Subject) -> datetime | None:
    """Return when people are reminded of it next; None if they aren't."""
    if isinstance(subject, Transfer) and (last := subject.parcel_last_told) is not None:
        when = max(last + turn.us.parcel_reminder, turn.now)
        return time_zones.after_the_night(turn.us, when) if subject.decision is None else None
    if subject.shown is None or not _waits(turn, subject):
        return None
    earliest = (subject.reminded or subject.shown) + TOO_SOON
    wanted = [subject.shown + DAY_TWO, subject.due - BEFORE_THE_END]
    moments = [moment for moment in wanted if moment >= earliest]
    if not moments:
        return None
    when = time_zones.after_the_night(turn.us, max(min(moments), turn.now))
    return when if when < subject.due else None


def _waits(turn: Turn, subject: Subject) -> bool:
    """Whether our people can still decide on it, and nobody is deciding now."""
    if not (decides_here(turn.us, subject) and is_open(subject)) or subject.decision or subject.due <= turn.now:
        return False
    connection = turn.connection(subject.connection) if isinstance(subject, Transfer) else None
    return not isinstance(subject, Transfer) or connection is None or subject.is_carried_by(connection)


@dataclass(frozen=True)
class Remind(WhenAnswered):
    """Reads who may decide, before the reminder of the time `at` is posted for a connection or transfer."""

    about: str
    at: datetime

    @property
    def subject(self) -> str:
        """The id of the connection or transfer."""
        return self.about

    def answered(self, turn: Turn, event: Answered) -> None:
        """Post the reminder in the card's thread, unless it is decided or quiet hours have begun."""
        subject = turn.subject(self.about)
        (able,) = event.answers
        if not isinstance(able, Able):
            raise TypeError(f"a reminder asks who may decide, not {able!r}")
        if subject is None or subject.reminded != self.at:
            return
        if not (awaits_parcel(subject) or _waits(turn, subject)):
            return
        if time_zones.after_the_night(turn.us, turn.now) != turn.now:
            turn.save(replace(subject, reminded=None))
            return
        people = addressees(turn, able)
        if isinstance(subject, Transfer) and takes_less(subject):
            people = list(dict.fromkeys([subject.terms.asker, *people]))
        mentions = tuple(people[:MOST_MENTIONED])
        phrase = _reminder(turn, subject, mentions, others=len(people) - len(mentions))
        key = MessageKind.REMINDER.of(subject.id, self.at.isoformat())
        thread: str = MessageKind.CARD.of(subject.id)
        if isinstance(subject, Transfer) and not subject.has_card:  # the card of a request is the owner's
            thread = both_sides.thread_of(subject)
        turn.do(Post(key, subject.room, phrase, thread=thread, mentions=mentions))
        turn.note(subject.id, audit.Reminded(mentions))


def _reminder(turn: Turn, subject: Subject, mentions: tuple[str, ...], others: int) -> Phrase:
    """Return the reminder that names these people, and counts the others who may decide."""
    people = {person: turn.name_of(person, subject.room) for person in mentions}
    if awaits_parcel(subject):
        return say(messages.parcel.parcel_reminder, subject=subject, us=turn.us, people=people, others=others)
    if not asks_if_handed_over(subject):
        return say(messages.approval.reminder, subject=subject, us=turn.us, people=people, others=others)
    return say(
        messages.booking.hand_over_reminder,
        transfer=subject,
        us=turn.us,
        peer_name=turn.party_name(subject.peer),
        people=people,
        others=others,
    )


# --- Scheduled work for `status`: all of it follows from the documents, nothing is stored separately.

MOST = 8


def upcoming(turn: Turn, rooms: list[str], *, private: bool) -> tuple[Due, ...]:
    """Return the next due work in these rooms, soonest first; `private`: also work that concerns only us."""
    subjects = [subject for subject in turn.subjects() if subject.room in rooms]
    listed = [Due(DueKind.REMINDER, at, s.code) for s in subjects if (at := _next_reminder(turn, s))]
    borrowed = [loan for loan in turn.loans() if loan.room in rooms]
    listed += [Due(DueKind.REMINDER, at, loan.code) for loan in borrowed if (at := next_due_date_reminder(turn, loan))]
    listed += [Due(DueKind.EXPIRY, s.due, s.code) for s in subjects if _ends_by_itself(s)]
    regular = turn.state.regular()
    listed += [due for due in regular if due.kind is DueKind.STATS]
    if private:
        listed += [due for due in regular if due.kind is not DueKind.STATS]
        renewals = [(connection, rotate_tokens.next_look(connection)) for connection in turn.connections()]
        listed += [Due(DueKind.RENEWAL, at, connection.peer_name) for connection, at in renewals if at]
        listed += _own_health(turn)
    return tuple(sorted(listed, key=lambda due: due.at))[:MOST]


def _ends_by_itself(subject: Connection | Transfer) -> bool:
    if isinstance(subject, Connection):
        return subject.state in UNFINISHED_CONNECTION and subject.decided is None
    return is_open(subject)


def _own_health(turn: Turn) -> list[Due]:
    tokens = [turn.own_token(setting) for setting in SETTINGS]
    listed = [Due(DueKind.OWN_RENEWAL, at, t.id) for t in tokens if (at := next_renewal(turn, t))]
    at = health.next_look(turn)
    return [*listed, Due(DueKind.LOOK, at)] if at else listed


# --- A clock that was ahead and has been corrected: times noted by it lie in the future, and nothing may wait for them.
# A machine without a battery-backed clock (a Raspberry Pi) may start in any year until it has asked the network. While
# its clock is ahead, things are due too early, which people can put right. Once it is corrected, everything that was
# postponed to a wrong time would wait for days or years.

TOLERATED = timedelta(minutes=1)
"""A smaller correction of the clock is ignored: nothing waits noticeably longer because of it."""
_AGREED = frozenset({"due", "terms"})
"""Times that both sides have agreed on aren't moved on one side."""

T = TypeVar("T")


@overload
def moved_back(moment: datetime, now: datetime, ahead: timedelta) -> datetime: ...
@overload
def moved_back(moment: datetime | None, now: datetime, ahead: timedelta) -> datetime | None: ...
def moved_back(moment: datetime | None, now: datetime, ahead: timedelta) -> datetime | None:
    """Return a future moment as the right clock would have noted it, `now` at the earliest. The past stays."""
    if moment is None or moment <= now:
        return moment
    return now if moment - now <= ahead else moment - ahead


def on_set_back(turn: Turn, event: ClockSetBack) -> None:
    """Correct all documents, as if the clock had not been ahead; of past transfers those noted by that clock."""
    ahead = event.last - event.at
    for document in [*turn.everything(), *turn.state.archive.newest(since=event.at)]:
        corrected = _corrected(document, event.at, ahead)
        if isinstance(document, BotStatus) and isinstance(corrected, BotStatus):
            corrected = _with_due_times(corrected, document, event.at)
        if isinstance(corrected, Connection) and not corrected.ours:  # our own clock alone decides how long it is open
            corrected = replace(corrected, due=moved_back(corrected.due, event.at, ahead))
        if corrected != document:
            turn.save(corrected)
    turn.note("clock", audit.ClockSetBack(int(ahead.total_seconds())))


def _with_due_times(corrected: BotStatus, before: BotStatus, now: datetime) -> BotStatus:
    """Return the status with scheduled work at such times that it isn't repeated when the clock goes back by hours."""
    stats, reconcile = before.last_stats, before.last_reconcile
    return replace(
        corrected,
        last_stats=stats and counted_from(stats, now),
        last_reconcile=reconcile and counted_from(reconcile, now),
    )


def _corrected(value: T, now: datetime, ahead: timedelta) -> T:
    """Return the value with future moments moved back, at any depth."""
    corrected: Any = value
    if isinstance(value, datetime):
        corrected = moved_back(value, now, ahead)
    elif is_dataclass(value) and not isinstance(value, type):
        old = {field.name: getattr(value, field.name) for field in fields(value) if field.name not in _AGREED}
        new = {name: _corrected(content, now, ahead) for name, content in old.items()}
        changed = {name: content for name, content in new.items() if content != old[name]}
        corrected = replace(value, **changed) if changed else value
    elif isinstance(value, tuple):
        corrected = tuple(_corrected(content, now, ahead) for content in value)
    elif isinstance(value, dict):
        corrected = {key: _corrected(content, now, ahead) for key, content in value.items()}
    return corrected  # type: ignore[no-any-return]
