"""When figures are posted by themselves: the settings' schedule, counted on from what the journal last knew.

Nothing is remembered here, so a restart neither misses a time (it comes late) nor doubles one, nor does a clock
that is set: what counts is the last time in the journal.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fedbot.app.engine import Engine
from fedbot.config.schedule import trigger
from fedbot.federation.events import StatsDue
from fedbot.federation.state import Turn


class Timetable:
    """The schedule of one bot (`Home.stats_schedule`)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        home = engine.state.home
        self._trigger = trigger(home.stats_schedule, home.time_zone) if home.stats_schedule else None

    def next_due(self) -> datetime | None:
        """When figures are due next (past: since when they are overdue); None without a schedule."""
        now = self._engine.clock.now()
        last = Turn(self._engine.state, now).standing().last_stats
        if self._trigger is None or last is None:
            return None
        due = self._after(min(last, now))
        while due is not None and due.fold:  # the hour that the end of summer time repeats counts once
            due = self._after(due)
        return due.astimezone(UTC) if due else None

    def _after(self, moment: datetime) -> datetime | None:
        due: datetime | None = None
        if self._trigger is not None:
            due = self._trigger.get_next_fire_time(None, moment.astimezone(UTC) + timedelta(microseconds=1))
        return due

    def look(self) -> None:
        """Say so if they are due."""
        due = self.next_due()
        now = self._engine.clock.now()
        if due is not None and due <= now:
            self._engine.put(StatsDue(now, due))
