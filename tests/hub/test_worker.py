"""One worker works for a space and another stands by; each takes over from the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from fedbot.config.settings import Settings
from fedbot.engine.bot import BotResources
from fedbot.engine.summary import Summary
from fedbot.hub import worker
from fedbot.identity import open_identity
from fedbot.journal.database import Address
from fedbot.journal.lease import Lease, holder
from fedbot.ports.journal import LeaseLost, StateInUse
from fedbot.rules.model.events import Tick
from tests.fakes.postgresql import Server
from tests.journal.conftest import START

Work = Callable[[BotResources], None]


class Workers:
    """Bots that only note who works; `working` has the resources of the active one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.working: list[BotResources] = []
        self.keys: list[str] = []
        self.changed = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.refused = asyncio.Event()
        self.renewed = asyncio.Event()
        monkeypatch.setattr(worker, "run_on", self._run_on)
        monkeypatch.setattr(worker, "holder", self._holder)
        monkeypatch.setattr(Lease, "renew", self._renewing(Lease.renew))
        monkeypatch.setattr(worker, "TRIED_EVERY", 0.05)
        monkeypatch.setattr(worker, "BEFORE_ANOTHER_TRY", 0.05)
        monkeypatch.setattr(worker, "RENEWED_EVERY", 0.05)

    async def _run_on(self, resources: BotResources, tell: Callable[[Summary], None]) -> None:
        self.working.append(resources)
        self.keys.append(open_identity(resources.identity).key)
        self.changed.set()
        try:
            while True:
                await self.renewed.wait()
                self.renewed.clear()
                resources.journal.put(Tick(START))
        finally:
            self.working.remove(resources)

    def _renewing(self, renew: Callable[[Lease], None]) -> Callable[[Lease], None]:
        """Called by a worker in a thread of its own. Its bot then writes something, whether it may or not."""

        def renews(lease: Lease) -> None:
            try:
                renew(lease)
            finally:
                self.loop.call_soon_threadsafe(self.renewed.set)

        return renews

    def _holder(self, place: Address) -> str:
        """Called by a worker without the lease, in a thread of its own."""
        self.loop.call_soon_threadsafe(self.refused.set)
        return holder(place)

    async def take_turns(self) -> BotResources:
        """Wait until one more bot has started."""
        await asyncio.wait_for(self.changed.wait(), 30)
        self.changed.clear()
        (resources,) = self.working
        return resources


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_standby_takes_over_from_a_stopped_worker_with_all_its_state(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = Workers(monkeypatch)
    first = asyncio.create_task(worker.run(settings))
    one = await workers.take_turns()
    with pytest.raises(StateInUse):
        await worker.run(settings)
    elsewhere = settings.model_copy(update={"state": settings.state.with_name("second-state")})
    second = asyncio.create_task(worker.run(elsewhere))
    for _ in range(3):
        workers.refused.clear()
        await asyncio.wait_for(workers.refused.wait(), 30)
    assert workers.working == [one]
    await ended(first)
    two = await workers.take_turns()
    assert two.journal.journal_id == one.journal.journal_id
    assert workers.keys[0] == workers.keys[1], "the same party, by the key in the database"
    await ended(second)
    lease = one.may_act.__self__  # type: ignore[attr-defined]
    assert holder(lease.address) == "", "it was given back"


async def test_a_worker_that_lost_the_space_stops_and_stands_by_to_take_it_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, postgresql: Server
) -> None:
    workers = Workers(monkeypatch)
    task = asyncio.create_task(worker.run(settings))
    one = await workers.take_turns()
    lease = one.may_act.__self__  # type: ignore[attr-defined]
    with postgresql.connect() as admin:
        admin.execute(
            "UPDATE fedbot.leases SET epoch = epoch + 1, expires = now() + interval '0.7 s', worker = 'other'"
        )
    two = await workers.take_turns()
    assert two.may_act.__self__.epoch > lease.epoch + 1  # type: ignore[attr-defined]
    with pytest.raises(LeaseLost):
        one.may_act()
    await ended(task)


async def test_a_database_that_goes_away_and_comes_back_only_pauses_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, postgresql: Server
) -> None:
    workers = Workers(monkeypatch)
    task = asyncio.create_task(worker.run(settings))
    one = await workers.take_turns()
    with postgresql.connect() as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'fedbot %'")
    two = await workers.take_turns()
    assert two is not one
    await ended(task)


async def test_an_error_that_ends_a_bot_ends_the_worker_and_gives_the_space_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    grounds: list[BotResources] = []

    async def fails(resources: BotResources, tell: object) -> None:
        grounds.append(resources)
        raise ZeroDivisionError

    monkeypatch.setattr(worker, "run_on", fails)
    with pytest.raises(ExceptionGroup) as caught:
        await worker.run(settings)
    assert caught.group_contains(ZeroDivisionError)
    assert holder(grounds[0].may_act.__self__.address) == ""  # type: ignore[attr-defined]
