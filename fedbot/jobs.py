"""The timers of a bot: the next due time of the rules, and periodic work. On APScheduler.

A late start or a sleeping machine loses nothing: missed work runs once, as soon as possible.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from fedbot.ports.clock import Clock

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
            log.exception("a job failed")
            if self._failed is not None and not self._failed.done():
                self._failed.set_exception(error)
