"""What a cron expression in the settings means.

Five fields as in crontab: minute, hour, day of month, month, weekday. Weekdays count as crontab's do (0 and 7
are Sunday), which APScheduler 3 doesn't. Unlike crontab's, day of month and weekday must both fit if both are
given: APScheduler's rule, told in docs/configuration.md.
"""

from __future__ import annotations

from datetime import UTC, datetime

from apscheduler.triggers.cron import CronTrigger

FIELDS = 5
SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def trigger(expression: str, time_zone: str) -> CronTrigger:
    """When `expression` fires next, in `time_zone` (IANA name). Raises `ValueError` with what is wrong."""
    fields = expression.split()
    if len(fields) != FIELDS:
        raise ValueError(f"{len(fields)} fields instead of {FIELDS}")
    minute, hour, day, month, weekday = fields
    found = CronTrigger(
        minute=minute,
        hour=hour,
        day=day,
        month=month,
        day_of_week=",".join(_weekdays(part) for part in weekday.lower().split(",")),
        timezone=time_zone,
    )
    if found.get_next_fire_time(None, SOME_DAY) is None:
        raise ValueError("there is no such day")
    return found


def _weekdays(part: str) -> str:
    """One part of the weekday field as names of days, so that nobody's first day of the week matters."""
    days, slash, step = part.partition("/")
    if days == "*":
        return part if not slash else _named(0, 6, step)
    first, dash, last = days.partition("-")
    start = _number(first)
    end = _number(last) if dash else start
    if not dash and slash:
        raise ValueError(f"{part!r}: a step needs a range, as in 1-5/2")
    # fri-mon runs over the end of the week
    return _named(start, end if end >= start else end + len(_WEEKDAYS), step if slash else "1")


def _named(start: int, end: int, step: str) -> str:
    if not step.isdecimal() or int(step) == 0:
        raise ValueError(f"{step!r} is no step")
    return ",".join(_WEEKDAYS[number % len(_WEEKDAYS)] for number in range(start, end + 1, int(step)))


def _number(day: str) -> int:
    if day in _WEEKDAYS:
        return _WEEKDAYS.index(day)
    if day.isdecimal() and int(day) <= len(_WEEKDAYS):
        return int(day)
    raise ValueError(f"{day!r} is no weekday")
