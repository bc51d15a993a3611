"""Timers: the next due time, and daily work. Tests wait for events, never for time to pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import apscheduler.schedulers.base
import pytest

from fedbot.engine.schedule import Jobs

LONG_AGO = datetime(2020, 1, 1, 12, tzinfo=UTC)


class Stopped:
    """A clock that stands still, at another time than the machine's."""

    def now(self) -> datetime:
        return LONG_AGO

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")


class Ticks:
    """Counts ticks; the last expected tick sets `wanted`."""

    def __init__(self) -> None:
        self.count = 0
        self.came = asyncio.Event()

    async def __call__(self) -> None:
        self.count += 1
        self.came.set()

    async def next(self) -> None:
        async with asyncio.timeout(5):
            await self.came.wait()
        self.came.clear()


def next_run(jobs: Jobs, name: str) -> datetime | None:
    """The next run of the job with this name; None if there is none."""
    job = jobs._scheduler.get_job(name)
    moment: datetime | None = job.next_run_time if job else None
    return moment


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
async def jobs(ticks: Ticks) -> AsyncIterator[Jobs]:
    async with Jobs(Stopped(), ticks) as started:
        yield started


async def test_a_past_time_ticks_at_once(jobs: Jobs, ticks: Ticks) -> None:
    jobs.wake_at(LONG_AGO - timedelta(days=400))
    await ticks.next()
    assert ticks.count == 1
    assert next_run(jobs, "next due") is None


async def test_a_time_counts_by_our_clock_not_the_machines(jobs: Jobs, ticks: Ticks) -> None:
    jobs.wake_at(LONG_AGO + timedelta(seconds=0.05))
    await ticks.next()
    assert ticks.count == 1


async def test_only_the_last_requested_time_counts(jobs: Jobs, ticks: Ticks) -> None:
    for hours in (3, 2, 1):
        jobs.wake_at(LONG_AGO + timedelta(hours=hours))
    due = next_run(jobs, "next due")
    assert due is not None
    assert timedelta(minutes=59) < due - datetime.now(UTC) <= timedelta(hours=1)
    jobs.wake_at(LONG_AGO)
    await ticks.next()
    assert ticks.count == 1
    assert next_run(jobs, "next due") is None


async def test_nothing_to_wait_for_removes_the_timer(jobs: Jobs) -> None:
    jobs.wake_at(None)
    jobs.wake_at(LONG_AGO + timedelta(hours=1))
    jobs.wake_at(None)
    assert next_run(jobs, "next due") is None


async def test_a_tick_may_ask_for_the_next_one() -> None:
    enough = asyncio.Event()
    moments = [LONG_AGO, LONG_AGO]

    started: list[Jobs] = []

    async def tick() -> None:
        if moments:
            started[0].wake_at(moments.pop())
        else:
            enough.set()

    async with Jobs(Stopped(), tick) as jobs:
        started.append(jobs)
        jobs.wake_at(LONG_AGO)
        async with asyncio.timeout(5):
            await enough.wait()


async def test_a_time_that_comes_while_a_tick_still_runs_gets_a_tick_of_its_own() -> None:
    running, go_on = asyncio.Semaphore(0), asyncio.Semaphore(0)
    at_once = most_at_once = 0

    async def tick() -> None:
        nonlocal at_once, most_at_once
        at_once += 1
        most_at_once = max(at_once, most_at_once)
        running.release()
        await go_on.acquire()
        at_once -= 1

    async with Jobs(Stopped(), tick) as jobs, asyncio.timeout(5):
        jobs.wake_at(LONG_AGO)
        await running.acquire()
        jobs.wake_at(LONG_AGO)
        go_on.release()
        await running.acquire()
        go_on.release()
    assert most_at_once == 1


async def test_a_clock_that_is_set_forward_makes_nothing_late(ticks: Ticks, monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + timedelta(hours=2)

    async with Jobs(Stopped(), ticks, look_again=0.02) as jobs:
        jobs.wake_at(LONG_AGO + timedelta(hours=1))
        monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Later)
        await ticks.next()
    assert ticks.count == 1


async def test_daily_work_runs_by_the_wall_clock(jobs: Jobs, ticks: Ticks) -> None:
    jobs.daily("look at the version", time(4, 30), "Europe/Berlin", ticks)
    due = next_run(jobs, "look at the version")
    assert due is not None
    assert due > datetime.now(UTC)
    assert due - datetime.now(UTC) <= timedelta(hours=25)
    wall = due.astimezone(ZoneInfo("Europe/Berlin"))
    assert (wall.hour, wall.minute, wall.second) == (4, 30, 0)


async def test_daily_work_is_done_and_missed_work_is_done_once(jobs: Jobs, ticks: Ticks) -> None:
    jobs.daily("prune", time(4), "UTC", ticks)
    jobs._scheduler.get_job("prune").modify(next_run_time=datetime.now(UTC) - timedelta(days=3))
    await ticks.next()
    assert ticks.count == 1
    due = next_run(jobs, "prune")
    assert due is not None
    assert due > datetime.now(UTC) - timedelta(seconds=1)


async def test_a_jobs_exception_is_raised_to_the_watcher_and_not_logged_here_as_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails() -> None:
        raise OSError("the disk is full")

    async with Jobs(Stopped(), fails) as jobs:
        jobs.wake_at(LONG_AGO)
        async with asyncio.timeout(5):
            with pytest.raises(OSError, match="the disk is full"):
                await jobs.watch()
    assert "a job failed" not in caplog.messages


async def test_watching_may_be_cancelled_and_started_again(jobs: Jobs) -> None:
    for _ in range(2):
        watching = asyncio.create_task(jobs.watch())
        await asyncio.sleep(0)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching


async def test_nothing_runs_after_the_end(ticks: Ticks) -> None:
    async with Jobs(Stopped(), ticks) as jobs:
        jobs.wake_at(LONG_AGO + timedelta(hours=1))
    assert not jobs._scheduler.running
    assert ticks.count == 0


async def test_watching_unstarted_jobs_is_a_mistake(ticks: Ticks) -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Jobs(Stopped(), ticks).watch()
