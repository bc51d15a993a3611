"""Workers of a hub that end, pause, and wake up late, on a clock moved by hand; the database is real.

Its `clock_timestamp()` is the simulation's. A worker that wakes up goes on with its current operation before it checks
whether it still may. Mutants show that these checks notice a broken rule.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

from fedbot import edge_settings
from fedbot.config.hub import HubSettings
from fedbot.engine.bot import Bot, BotResources
from fedbot.hub import hosting, roster
from fedbot.hub.hosting import Worker
from fedbot.journal import lease as leases
from fedbot.journal import postgresql as journals
from fedbot.journal.database import Address
from fedbot.journal.postgresql import PostgresqlDatabase
from fedbot.journal.sealed import FolderInDatabase
from fedbot.journal.server import Row, connect
from fedbot.matrix.keys import KEYS, open_machine
from fedbot.ports.journal import LeaseLost
from fedbot.ports.vault import Folder
from fedbot.rules.model.events import Tick
from tests.dialogue.test_workers import _by_the_clock, _without_a_look
from tests.fakes.postgresql import Server
from tests.hub.test_hosting import _environment, hub, space_in
from tests.journal.conftest import START

__all__ = ["_environment", "hub"]

WORKERS, SPACES = 3, 5
TAKE_OVER = 30
SETTLED = 45
"""The seconds after which all spaces are shared evenly, if nothing else happens."""
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))]


class Broken(AssertionError):
    """A promise was broken."""


class Standing:
    """All that a worker asks of a bot."""

    def health(self) -> dict[str, object]:
        return {"matrix": True, "inventree": True}

    def counters(self) -> dict[str, int]:
        return {}


@dataclass
class Simulated:
    """A worker process. `sleeps_with_it`: its clock pauses with it, as on a machine that is swapped out."""

    name: str
    worker: Worker
    looks_at: float = 0.0
    slept: float = 0.0
    paused_until: float = -1.0
    is_dead: bool = False
    bots: dict[str, tuple[BotResources, asyncio.Event]] = field(default_factory=dict)
    begun: asyncio.Event = field(default_factory=asyncio.Event)


class Simulation:
    """All workers, and the commits that the database accepted."""

    def __init__(self, hub: HubSettings, server: Server, spaces: list[str], *, sleeps_with_it: bool) -> None:
        self.hub = hub
        self.now = 0.0
        self.spaces = spaces
        self.sleeps_with_it = sleeps_with_it
        self.workers: list[Simulated] = []
        self.epochs: dict[str, int] = dict.fromkeys(spaces, 0)
        self.heard_at: dict[str, float] = dict.fromkeys(spaces, 0.0)
        self.keys: dict[str, set[str]] = {space: set() for space in spaces}
        self._clock = server.connect()

    def begin_worker(self) -> None:
        name = f"w{len(self.workers) + 1}"
        simulated = Simulated(name, cast("Worker", None))
        simulated.worker = Worker(self.hub, name, partial(self._bot, simulated))
        simulated.worker.roster._now = partial(self._clock_of, simulated)
        simulated.looks_at = self.now
        self.workers.append(simulated)

    def _clock_of(self, simulated: Simulated) -> float:
        return self.now - (simulated.slept if self.sleeps_with_it else 0.0)

    async def _bot(self, simulated: Simulated, resources: BotResources, _: object) -> None:
        space, lost = resources.settings.party.id, asyncio.Event()
        machine = open_machine(resources.identity.within(KEYS), "@bot:x", "DEVICE")  # type: ignore[union-attr]
        self.keys[space].add(machine.account.identity_keys["ed25519"])
        resources.shared.begun(cast("Bot", Standing()))
        simulated.bots[space] = (resources, lost)
        self.heard_at[space] = self.now  # taken over, even if this worker pauses before the bot's first commit
        simulated.begun.set()
        try:
            await lost.wait()
            raise LeaseLost("it noticed")
        finally:
            del simulated.bots[space]
            resources.shared.ended()

    async def second(self) -> None:
        """Let everybody who is awake go on for a second, starting with the late ones' current operations."""
        self.now += 1
        self._clock.execute("UPDATE fake.clock SET at = timestamptz 'epoch' + %s * interval '1 s'", [1e9 + self.now])
        for simulated in self.workers:
            if simulated.is_dead or simulated.paused_until > self.now:
                simulated.slept += simulated.paused_until > self.now
                continue
            for space, (resources, lost) in list(simulated.bots.items()):
                self._works(simulated, space, resources, lost)
            if simulated.looks_at <= self.now:
                lease_of = partial(leases.claim, now=partial(self._clock_of, simulated))
                vars(hosting)["claim"] = lease_of
                simulated.looks_at = self.now + await simulated.worker.look()
                await _begun(simulated)

    def _works(self, simulated: Simulated, space: str, resources: BotResources, lost: asyncio.Event) -> None:
        epoch = resources.journal._lock.epoch  # type: ignore[union-attr]
        try:
            resources.journal.put(Tick(START))
        except LeaseLost:
            lost.set()
            return
        if epoch < self.epochs[space]:
            raise Broken(f"{simulated.name} wrote to {space} at {self.now:.0f} s after another had taken over")
        self.epochs[space] = epoch
        self.heard_at[space] = self.now

    def look(self) -> None:
        """Check the promises that hold at any time."""
        for space, at in self.heard_at.items():
            if self.now - at > TAKE_OVER and self.now > TAKE_OVER:
                raise Broken(f"nobody has heard {space} for {self.now - at:.0f} s")
        for space, keys in self.keys.items():
            if len(keys) > 1:
                raise Broken(f"{space} has other keys for encrypted rooms at another worker")

    def shares(self) -> list[int]:
        return [len(each.bots) for each in self.workers if not each.is_dead]

    async def end(self) -> None:
        for simulated in self.workers:
            for hosted in list(simulated.worker.hosted.values()):
                hosted.stop("the simulation ends")
            await simulated.worker._drain()
        self._clock.close()


async def _begun(simulated: Simulated) -> None:
    """Wait until starting bots work and stopping bots have stopped."""
    hosted = simulated.worker.hosted
    async with asyncio.timeout(30):
        while changing := {
            each.task for each in hosted.values() if each.task and (each.task.cancelling() or not each.bot)
        }:
            simulated.begun.clear()
            begun = asyncio.create_task(simulated.begun.wait())
            await asyncio.wait({begun, *changing}, return_when=asyncio.FIRST_COMPLETED)
            begun.cancel()


@contextmanager
def fake_clock(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Replace the database's time, as workers read it, by a row in a table."""
    with server.connect() as admin:
        admin.execute("CREATE SCHEMA IF NOT EXISTS fake")
        admin.execute(
            "CREATE TABLE IF NOT EXISTS fake.clock AS SELECT timestamptz 'epoch' + interval '1000000000 s' AS at"
        )
        admin.execute("UPDATE fake.clock SET at = timestamptz 'epoch' + interval '1000000000 s'")
        admin.execute(
            "CREATE OR REPLACE FUNCTION fake.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE"
            " AS 'SELECT at FROM fake.clock'"
        )

    def connected(address: Address, *, is_patient: bool = False) -> psycopg.Connection[Row]:
        connection = connect(address, is_patient=is_patient)
        connection.execute(
            psycopg.sql.SQL("SET search_path TO {}, fake, pg_catalog").format(psycopg.sql.Identifier(address.schema))
        )
        return connection

    for module in (leases, roster, journals):
        monkeypatch.setattr(module, "connect", connected)
    monkeypatch.setattr(hosting, "claim", leases.claim)
    monkeypatch.setattr(hosting, "RENEWED_EVERY", leases.RENEWED_EVERY)
    yield
    with server.connect() as admin:
        admin.execute("UPDATE fedbot.leases SET expires = '-infinity'")
        admin.execute("DELETE FROM fedbot.workers")


async def a_bad_day(simulation: Simulation, chance: random.Random, seconds: int) -> None:
    """End and pause workers at random, at least one of them properly; then let nothing else happen."""
    for _ in range(WORKERS):
        simulation.begin_worker()
    for second in range(seconds + SETTLED):
        alive = [each for each in simulation.workers if not each.is_dead]
        awake = [each for each in alive if each.paused_until <= simulation.now]
        if second < seconds and len(awake) > 1 and chance.random() < 0.08:
            victim = chance.choice(awake)
            if chance.random() < 0.3:
                victim.is_dead = True
                simulation.begin_worker()
            else:
                victim.paused_until = simulation.now + chance.randint(2, 50)
        await simulation.second()
        simulation.look()
    if max(simulation.shares()) - min(simulation.shares()) > 1:
        raise Broken(f"not evenly shared: {simulation.shares()}")


@pytest.mark.parametrize("sleeps_with_it", [False, True], ids=["a clock that goes on", "a clock that sleeps"])
@pytest.mark.parametrize("seed", SEEDS)
async def test_each_space_has_at_most_one_bot_and_is_taken_over_within_30_seconds(
    hub: HubSettings, postgresql: Server, monkeypatch: pytest.MonkeyPatch, seed: int, *, sleeps_with_it: bool
) -> None:
    with fake_clock(postgresql, monkeypatch):
        spaces = [space_in(hub, postgresql) for _ in range(SPACES)]
        simulation = Simulation(hub, postgresql, spaces, sleeps_with_it=sleeps_with_it)
        try:
            await a_bad_day(simulation, random.Random(seed), 120)
        finally:
            await simulation.end()


class OwnFolder(FolderInDatabase):
    """An identity folder whose keys for encrypted rooms stay at the worker that made them."""

    worker_folder: Path

    def within(self, name: str) -> Any:  # noqa: ANN401 -- a folder of either kind
        if name != KEYS:
            return super().within(name)
        folder: Folder = self.worker_folder / str(id(self))
        cast("Path", folder).mkdir(parents=True)
        return folder


def _no_fencing(patch: pytest.MonkeyPatch, _: Path) -> None:
    patch.setattr(PostgresqlDatabase, "_lease_is_ours", _without_a_look)


def _lease_by_clock_alone(patch: pytest.MonkeyPatch, _: Path) -> None:
    patch.setattr(PostgresqlDatabase, "_lease_is_ours", _by_the_clock)


def _key_store_left_behind(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setattr(OwnFolder, "worker_folder", folder / "left", raising=False)
    patch.setattr(edge_settings, "FolderInDatabase", OwnFolder)


def _never_taken_over(patch: pytest.MonkeyPatch, _: Path) -> None:
    patch.setattr(leases, "_HELD", "SELECT 1 FROM fedbot.leases WHERE space = $1")


MUTANTS: dict[Callable[[pytest.MonkeyPatch, Path], None], str] = {
    _no_fencing: "wrote to",
    _lease_by_clock_alone: "wrote to",
    _key_store_left_behind: "other keys",
    _never_taken_over: "nobody has heard",
}


@pytest.mark.parametrize("mutant", MUTANTS)
async def test_a_broken_hub_is_noticed(
    hub: HubSettings,
    postgresql: Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    mutant: Callable[[pytest.MonkeyPatch, Path], None],
) -> None:
    with fake_clock(postgresql, monkeypatch):
        mutant(monkeypatch, tmp_path)
        simulation = Simulation(hub, postgresql, [space_in(hub, postgresql) for _ in range(3)], sleeps_with_it=True)
        try:
            with pytest.raises(Broken, match=MUTANTS[mutant]):
                await a_bad_day(simulation, random.Random(1), 120)
        finally:
            with suppress(LeaseLost):
                await simulation.end()
