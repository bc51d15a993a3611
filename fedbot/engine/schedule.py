"""Work on a schedule: figures as the settings say, and the nightly reconciliation.

This module stores nothing. Each next time is computed from the journal's record of the last one. So a restart or a
changed clock neither misses a time (it comes late) nor repeats one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.cron import CronTrigger

from fedbot.config.values import trigger
from fedbot.engine.pipeline import Engine
from fedbot.rules.model.events import ReconcileDue, StatsDue
from fedbot.rules.model.health import BotStatus, Due, DueKind
from fedbot.rules.state import Turn


@dataclass(frozen=True)
class ScheduledWork:
    """One piece of scheduled work: its trigger, its last time, and the event that says that it is due."""

    kind: DueKind
    trigger: CronTrigger
    last: Callable[[BotStatus], datetime | None]
    event: Callable[[datetime, datetime], StatsDue | ReconcileDue]


class Timetable:
    """The scheduled work of one bot (`PartyConfig.stats_schedule`, `PartyConfig.reconcile_at`)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._regular: list[ScheduledWork] = []
        self.read()

    def read(self) -> None:
        """Read the times from the current settings."""
        us = self._engine.state.us
        self._regular.clear()
        if us.stats_schedule:
            when = trigger(us.stats_schedule, us.time_zone)
            self._regular.append(ScheduledWork(DueKind.STATS, when, lambda standing: standing.last_stats, StatsDue))
        if us.reconcile_at:
            when = trigger(f"{us.reconcile_at.minute} {us.reconcile_at.hour} * * *", us.time_zone)
            self._regular.append(
                ScheduledWork(DueKind.RECONCILE, when, lambda standing: standing.last_reconcile, ReconcileDue)
            )

    def upcoming(self) -> tuple[Due, ...]:
        """When each is due next; a time in the past is when it became overdue."""
        now = self._engine.clock.now()
        standing = Turn(self._engine.state, now).standing()
        times = [(regular.kind, _next(regular, standing, now)) for regular in self._regular]
        return tuple(Due(kind, at) for kind, at in times if at is not None)

    def next_due(self) -> datetime | None:
        """When anything is due next."""
        return min((due.at for due in self.upcoming()), default=None)

    def look(self) -> None:
        """Put an event for everything that is due."""
        now = self._engine.clock.now()
        for regular in self._regular:
            due = _next(regular, Turn(self._engine.state, now).standing(), now)
            if due is not None and due <= now:
                self._engine.put(regular.event(now, due))


def _next(regular: ScheduledWork, standing: BotStatus, now: datetime) -> datetime | None:
    last = regular.last(standing)
    if last is None:
        return None
    due = _after(regular.trigger, min(last, now))
    while due is not None and due.fold:  # the hour that the end of summer time repeats counts once
        due = _after(regular.trigger, due)
    return due.astimezone(UTC) if due else None


def _after(when: CronTrigger, moment: datetime) -> datetime | None:
    due: datetime | None = when.get_next_fire_time(None, moment.astimezone(UTC) + timedelta(microseconds=1))
    return due
