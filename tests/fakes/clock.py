"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from fedbot.ports.clock import Clock

START = datetime(2026, 11, 24, 20, 14, tzinfo=UTC)


class FakeClock(Clock):
    """Starts on a Tuesday evening; `advance` wakes the sleepers in the order of their alarms."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._alarms: list[tuple[datetime, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        alarm: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (self._now + timedelta(seconds=seconds), alarm)
        self._alarms.append(entry)
        try:
            await alarm
        finally:
            if entry in self._alarms:
                self._alarms.remove(entry)

    def next_alarm(self) -> datetime | None:
        """The time of the first alarm."""
        return min((at for at, _ in self._alarms), default=None)

    def advance(self, seconds: float | timedelta) -> None:
        """Move time on. Sleepers that are due wake when the loop runs next."""
        self._now += seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds)
        due = [entry for entry in sorted(self._alarms, key=lambda entry: entry[0]) if entry[0] <= self._now]
        self._alarms = [entry for entry in self._alarms if entry not in due]
        for _, alarm in due:
            if not alarm.done():
                alarm.set_result(None)

    def is_set(self, by: timedelta) -> None:
        """Set the wall clock forward or back, without effect on the sleepers."""
        self._now += by
        self._alarms = [(at + by, alarm) for at, alarm in self._alarms]
