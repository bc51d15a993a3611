"""What runs when: the next due time of the rules, and regular work.

Nothing is lost by a late start or a sleeping machine: what was missed runs once, as soon as it can. A job whose time
comes while it runs isn't started twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from fedbot.ports.clock import Clock

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[None]]
LOOK_AGAIN = 60.0
"""Seconds. A sleep neither counts a suspended machine's time nor notices when the wall clock is set (a Raspberry Pi has
none before it is online), so nothing is slept for longer."""
LONGEST_WAIT = timedelta(hours=1)
"""Then it is asked anew when the next moment is: the clock may be another by then."""
_TICK = "next due"


class Jobs:
    """The timers of one bot: an async context manager.

    `on_tick` is awaited when `wake_at`'s time has come, one tick after the other, none lost: it may ask for
    the next one itself. What a job raises ends nothing by itself: `watch` raises it.
    """

    def __init__(self, clock: Clock, on_tick: Work, look_again: float = LOOK_AGAIN) -> None:
        self._clock = clock
        self._on_tick = on_tick
        self._look_again = look_again
        self._due: dict[str, datetime] = {}
        self._changed = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._failed: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        self._failed = asyncio.get_running_loop().create_future()
        self._running[_TICK] = asyncio.create_task(self._tick_when_due())
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._failed is not None:
            self._failed.cancel()
        for task in self._running.values():
            task.cancel()
        await asyncio.wait(self._running.values())

    async def watch(self) -> None:
        """Wait for ever, or raise what the first failing job raised. Belongs into a task group."""
        if self._failed is None:
            raise RuntimeError("watch() is for jobs that run: use `async with Jobs(...)`")
        await asyncio.shield(self._failed)

    def next_run(self, name: str = _TICK) -> datetime | None:
        """When that job runs next (without a name: the next tick), by the machine's clock; None if it doesn't."""
        return self._due.get(name)

    def wake_at(self, moment: datetime | None) -> None:
        """Tick at `moment` (aware), at once if it is past; instead of whatever was asked for before.

        None: there is nothing to wait for.
        """
        if moment is None:
            self._due.pop(_TICK, None)
        else:
            # the clock may be another than the machine's: what counts is how far away the moment is
            self._due[_TICK] = _now() + min(moment - self._clock.now(), LONGEST_WAIT)
        self._changed.set()

    def daily(self, name: str, at: time, time_zone: str, work: Work) -> None:
        """Do `work` every day at `at` by the clock on the wall in `time_zone` (IANA name)."""
        zone = ZoneInfo(time_zone)

        def after(moment: datetime) -> datetime:
            today = datetime.combine(moment.astimezone(zone).date(), at, zone)
            return today if today > moment else datetime.combine(today.date() + timedelta(days=1), at, zone)

        self._begin(name, after, work)

    def every(self, name: str, seconds: float, work: Work) -> None:
        """Do `work` every so many seconds."""
        self._begin(name, lambda moment: moment + timedelta(seconds=seconds), work)

    def _begin(self, name: str, after: Callable[[datetime], datetime], work: Work) -> None:
        self._due[name] = after(_now())
        self._running[name] = asyncio.create_task(self._repeat(name, after, work))

    async def _repeat(self, name: str, after: Callable[[datetime], datetime], work: Work) -> None:
        while True:
            if (left := self._left(name)) > 0:
                await asyncio.sleep(left)
            else:
                await self._watched(work)
                self._due[name] = after(_now())

    async def _tick_when_due(self) -> None:
        while True:
            self._changed.clear()
            if _TICK in self._due and self._left(_TICK) <= 0:
                del self._due[_TICK]
                await self._watched(self._on_tick)
                continue
            try:
                async with asyncio.timeout(self._left(_TICK) if _TICK in self._due else None):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _left(self, name: str) -> float:
        """Seconds until it is due, as far as may be slept at a stretch."""
        return min((self._due[name] - _now()).total_seconds(), self._look_again)

    async def _watched(self, work: Work) -> None:
        try:
            await work()
        except Exception as error:
            log.exception("a job failed")
            if self._failed is not None and not self._failed.done():
                self._failed.set_exception(error)


def _now() -> datetime:
    return datetime.now(UTC)
