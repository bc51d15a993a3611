"""Work on a schedule: what the rules have due next, figures as the settings say, and the nightly reconciliation.

On APScheduler. A late start or a sleeping machine loses nothing: missed work runs once, as soon as possible. Nothing is
stored here: each next time is computed from the journal's record of the last one, so a restart or a changed clock
neither misses a time nor repeats one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from fedbot.config.values import trigger
from fedbot.engine.pipeline import Engine
from fedbot.ports.clock import Clock
from fedbot.rules.model.events import ReconcileDue, StatsDue
from fedbot.rules.model.health import BotStatus, Due, DueKind
from fedbot.rules.state import Turn

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[None]]
LOOK_AGAIN = 60.0
"""In seconds.

The scheduler's sleep doesn't count a suspended machine's time, and doesn't notice when the wall clock is set (a
Raspberry Pi has none before it is online). So the scheduler is woken this often.
"""
LONGEST_WAIT = timedelta(hours=1)
"""After this wait the next moment is computed again, because the clock may have been set."""
_NEXT_DUE = "next due"


class Jobs:
    """The timers of one bot: an async context manager.

    `on_tick` is awaited at the time given to `wake_at`, one tick after the other, none lost; it may set the next time
    itself. Other work is not started a second time while it still runs. A job's exception ends nothing by itself:
    `watch` raises it.
    """

    def __init__(self, clock: Clock, on_tick: Work, look_again: float = LOOK_AGAIN) -> None:
        self._clock = clock
        self._on_tick = on_tick
        self._look_again = look_again
        self._due = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._failed: asyncio.Future[None] | None = None
        # late is better than never, and once is enough
        defaults = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=defaults)

    async def __aenter__(self) -> Self:
        self._failed = asyncio.get_running_loop().create_future()
        self._scheduler.start()
        self._tasks = [asyncio.create_task(work()) for work in (self._tick_when_due, self._wake_often)]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._scheduler.shutdown(wait=False)
        if self._failed is not None:
            self._failed.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)  # the scheduler also ends in this round of the loop

    async def watch(self) -> None:
        """Wait until cancelled, or raise the exception of the first failing job. Belongs into a task group."""
        if self._failed is None:
            raise RuntimeError("watch() is for jobs that run: use `async with Jobs(...)`")
        await asyncio.shield(self._failed)

    def wake_at(self, moment: datetime | None) -> None:
        """Tick at `moment` (aware), at once if it is past; this replaces the earlier request.

        None: nothing to wait for.
        """
        if moment is None:
            if self._scheduler.get_job(_NEXT_DUE) is not None:
                self._scheduler.remove_job(_NEXT_DUE)
            return
        # the bot's clock may differ from the machine's, so only the distance to the moment counts
        due = datetime.now(UTC) + min(moment - self._clock.now(), LONGEST_WAIT)
        # setting a flag ends at once, so a run that is being cleaned up must not make the next one skip
        self._scheduler.add_job(self._set_due, DateTrigger(due), id=_NEXT_DUE, replace_existing=True, max_instances=100)

    def daily(self, name: str, at: time, time_zone: str, work: Work) -> None:
        """Do `work` every day at the local time `at` in `time_zone` (IANA name)."""
        when = CronTrigger(hour=at.hour, minute=at.minute, second=at.second, timezone=ZoneInfo(time_zone))
        self._scheduler.add_job(self._watched, when, args=[work], id=name, replace_existing=True)

    def every(self, name: str, seconds: float, work: Work) -> None:
        """Do `work` at this interval."""
        when = IntervalTrigger(seconds=seconds, timezone=UTC)
        self._scheduler.add_job(self._watched, when, args=[work], id=name, replace_existing=True)

    async def _set_due(self) -> None:
        self._due.set()

    async def _tick_when_due(self) -> None:
        """Run ticks one after the other. As jobs of the scheduler, a tick would be skipped while the last one runs."""
        while True:
            await self._due.wait()
            self._due.clear()
            await self._watched(self._on_tick)

    async def _wake_often(self) -> None:
        while True:
            await asyncio.sleep(self._look_again)
            self._scheduler.wakeup()

    async def _watched(self, work: Work) -> None:
        try:
            await work()
        except Exception as error:
            if self._failed is not None and not self._failed.done():
                self._failed.set_exception(error)  # whoever watches logs it
            else:
                log.exception("a job failed")


# --- figures and reconciliation ---


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
        self._scheduled: list[ScheduledWork] = []
        self.read()

    def read(self) -> None:
        """Read the times from the current settings."""
        us = self._engine.state.us
        self._scheduled.clear()
        if us.stats_schedule:
            when = trigger(us.stats_schedule, us.time_zone)
            self._scheduled.append(ScheduledWork(DueKind.STATS, when, lambda status: status.last_stats, StatsDue))
        if us.reconcile_at:
            when = trigger(f"{us.reconcile_at.minute} {us.reconcile_at.hour} * * *", us.time_zone)
            self._scheduled.append(
                ScheduledWork(DueKind.RECONCILE, when, lambda status: status.last_reconcile, ReconcileDue)
            )

    def upcoming(self) -> tuple[Due, ...]:
        """When each is due next; a time in the past is when it became overdue."""
        now = self._engine.clock.now()
        status = Turn(self._engine.state, now).status()
        times = [(work.kind, _next(work, status, now)) for work in self._scheduled]
        return tuple(Due(kind, at) for kind, at in times if at is not None)

    def next_due(self) -> datetime | None:
        """When anything is due next."""
        return min((due.at for due in self.upcoming()), default=None)

    def look(self) -> None:
        """Put an event for everything that is due."""
        now = self._engine.clock.now()
        for work in self._scheduled:
            due = _next(work, Turn(self._engine.state, now).status(), now)
            if due is not None and due <= now:
                self._engine.put(work.event(now, due))


def _next(work: ScheduledWork, status: BotStatus, now: datetime) -> datetime | None:
    last = work.last(status)
    if last is None:
        return None
    due = _after(work.trigger, min(last, now))
    while due is not None and due.fold:  # the hour that the end of summer time repeats counts once
        due = _after(work.trigger, due)
    return due.astimezone(UTC) if due else None


def _after(when: CronTrigger, moment: datetime) -> datetime | None:
    due: datetime | None = when.get_next_fire_time(None, moment.astimezone(UTC) + timedelta(microseconds=1))
    return due
