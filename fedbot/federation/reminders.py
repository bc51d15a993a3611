"""Reminders of cards that wait for a decision: on day 2 and a day before the end, never at night (DESIGN §8).

The bot that wrote the card reminds, in its own time zone: it is the deciding party's. Everything follows from the
documents (when the card was shown, when it ends, when was last reminded), so a restart forgets and doubles nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from fedbot.federation import loans, parcels
from fedbot.federation import transfer as transfers
from fedbot.federation.documents import Transfer
from fedbot.federation.effects import Ask, Post, say
from fedbot.federation.events import Answered, Context
from fedbot.federation.home import Home
from fedbot.federation.opening import MOST_RINGS, addressees
from fedbot.federation.questions import Able, WhoMay
from fedbot.federation.state import Turn
from fedbot.federation.verdicts import Subject, decides_here, is_open, right_to_decide, subject_by_id, takes_less

DAY_TWO = timedelta(days=2)
BEFORE_THE_END = timedelta(days=1)
TOO_SOON = timedelta(hours=12)
"""A reminder that would come that soon after the card or another one is left out."""


def look(turn: Turn) -> None:
    """By the clock: whose turn is it to be reminded? Who may decide is read first."""
    for subject in turn.subjects():
        when = next_reminder(turn, subject)
        if when is not None and when <= turn.now:
            turn.save(replace(subject, reminded=turn.now))
            context = Context("reminder", subject.id, detail={"at": turn.now.isoformat()})
            people = tuple(turn.home.people.values())
            turn.do(Ask(context, (WhoMay(right_to_decide(subject), people),), patient=True))


def next_wake(turn: Turn) -> list[datetime]:
    """When `look` has something to do."""
    times = [next_reminder(turn, subject) for subject in turn.subjects()]
    return [when for when in times if when is not None]


def next_reminder(turn: Turn, subject: Subject) -> datetime | None:
    """When people are to be reminded of it next; None if nobody is."""
    if isinstance(subject, Transfer) and (last := parcels.last_word(subject)) is not None:
        when = max(last + turn.home.parcel_reminder, turn.now)
        return after_the_night(turn.home, when) if subject.verdict is None else None
    if subject.shown is None or not _waits(turn, subject):
        return None
    earliest = (subject.reminded or subject.shown) + TOO_SOON
    wanted = [subject.shown + DAY_TWO, subject.due - BEFORE_THE_END]
    moments = [moment for moment in wanted if moment >= earliest]
    if not moments:
        return None
    when = after_the_night(turn.home, max(min(moments), turn.now))
    return when if when < subject.due else None


def _waits(turn: Turn, subject: Subject) -> bool:
    """Whether our people can still decide on it, and nobody is just doing so."""
    if not (decides_here(turn, subject) and is_open(subject)) or subject.verdict or subject.due <= turn.now:
        return False
    connection = turn.connection(subject.connection) if isinstance(subject, Transfer) else None
    return not (isinstance(subject, Transfer) and connection) or loans.carries(connection, subject)


def after_the_night(home: Home, moment: datetime) -> datetime:
    """The moment itself, or the end of the quiet hours that it falls into."""
    local = moment.astimezone(ZoneInfo(home.time_zone))
    if not _is_quiet(home, local.time()):
        return moment
    day = local.date() + timedelta(days=1 if local.time() >= home.quiet_until else 0)
    return datetime.combine(day, home.quiet_until, local.tzinfo).astimezone(moment.tzinfo)


def _is_quiet(home: Home, at: time) -> bool:
    begins, ends = home.quiet_from, home.quiet_until
    if begins <= ends:
        return begins <= at < ends
    return at >= begins or at < ends


def on_able(turn: Turn, event: Answered) -> None:
    """We know who may decide: remind them in the card's thread, unless it is over, or night by now."""
    subject = subject_by_id(turn, event.context.subject)
    (able,) = event.answers
    if not isinstance(able, Able):
        raise TypeError(f"a reminder asks who may decide, not {able!r}")
    if subject is None or subject.reminded is None or subject.reminded.isoformat() != event.context.detail["at"]:
        return
    on_its_way = isinstance(subject, Transfer) and subject.awaits_parcel
    if not (on_its_way or _waits(turn, subject)):
        return
    if after_the_night(turn.home, turn.now) != turn.now:
        turn.save(replace(subject, reminded=None))
        return
    people = addressees(turn, able)
    if isinstance(subject, Transfer) and takes_less(subject):
        people = list(dict.fromkeys([subject.terms.asker, *people]))
    rings = tuple(people[:MOST_RINGS])
    names = {person: turn.name_of(person, subject.room) for person in rings}
    name = "parcel_reminder" if on_its_way else "reminder"
    phrase = say(name, subject=subject, home=turn.home, people=names, others=len(people) - len(rings))
    key = f"reminder:{subject.id}:{event.context.detail['at']}"
    no_card = isinstance(subject, Transfer) and "card" not in subject.told  # the card of a request is its owner's
    thread = transfers.thread_of(subject) if isinstance(subject, Transfer) and no_card else f"card:{subject.id}"
    turn.do(Post(key, subject.room, phrase, thread=thread, rings=rings))
    turn.note(subject.id, "reminded", people=list(rings))
