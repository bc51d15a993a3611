"""Workers of a hub in one process: they share the spaces, take over from each other, and end nobody else's bot."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import yaml

from fedbot.cli.exits import Exit
from fedbot.cli.main import main
from fedbot.config.hub import HubSettings, load_hub
from fedbot.engine.bot import Bot, BotResources
from fedbot.engine.syncing import AccountTaken
from fedbot.hub import hosting, roster, tending
from fedbot.hub.hosting import Worker
from fedbot.hub.page import HubPage, hub_metrics, hub_page
from fedbot.hub.roster import Roster
from fedbot.identity import open_identity
from fedbot.rules.model.events import Tick
from tests.config.conftest import ENVIRONMENT, least, spelled_out
from tests.fakes.postgresql import Server
from tests.journal.conftest import START


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for module in (hosting, tending):
        monkeypatch.setattr(
            module, "RENEWED_EVERY" if module is hosting else "PATIENCE", 0.1 if module is hosting else 5
        )


@pytest.fixture
def hub(postgresql: Server, tmp_path: Path) -> HubSettings:
    (tmp_path / "hub.yaml").write_text(yaml.safe_dump({"database": {"url": postgresql.url}, "state": "hub-state"}))
    return load_hub(tmp_path / "hub.yaml")


def space_in(hub: HubSettings, server: Server, **changed: object) -> str:
    """A new space in the hub's folder; return its name."""
    name = server.space().space
    folder = hub.folder_of(name)
    folder.mkdir(parents=True)
    (folder / "sealing-key").write_text("ab" * 32)
    raw = least() | {"party": {"id": name, "name": name}}
    raw["journal"] = {"url": server.url, "sealing_key_file": "sealing-key"}
    (folder / "config.yaml").write_text(spelled_out(raw | changed))
    return name


class Bots:
    """Bots that only write to their journals after each look; `working` maps spaces to their workers."""

    def __init__(self) -> None:
        self.happened = asyncio.Condition()
        self.working: dict[str, str] = {}
        self.keys: dict[str, set[str]] = {}
        self.broken: dict[str, Exception] = {}
        self.tries: Counter[str] = Counter()
        self.troubles: dict[str, str] = {}
        self.counted: Counter[str] = Counter()

    def status(self, space: str) -> dict[str, object]:
        self.counted[space] += 1
        return self.health(space)

    def health(self, space: str) -> dict[str, object]:
        assert space in self.working, "nobody asks how a bot is that has ended"
        troubles = [self.troubles[space]] if space in self.troubles else []
        return {"version": "", "matrix": True, "inventree": True, "problems": troubles}

    def bot(self, space: str) -> SimpleNamespace:
        return SimpleNamespace(
            status=partial(self.status, space),
            health=partial(self.health, space),
            counters=lambda: {"events_decided": 10, "rule_failures": self.tries[space]},
        )

    def of(self, worker: str) -> hosting.Begin:
        async def run_on(resources: BotResources, _: object) -> None:
            space = resources.settings.party.id
            self.tries[space] += 1
            logging.getLogger("fedbot.bot").info("hello")
            if space in self.broken:
                raise self.broken[space]
            assert space not in self.working, "two work for one space"
            self.working[space] = worker
            self.keys.setdefault(space, set()).add(open_identity(resources.identity).key)
            resources.shared.begun(cast("Bot", self.bot(space)))
            try:
                while True:
                    resources.journal.put(Tick(START))
                    async with self.happened:
                        await self.happened.wait()
            finally:
                del self.working[space]
                resources.shared.ended()

        return run_on

    def looks(self, worker: Worker) -> Callable[[], Coroutine[None, None, float]]:
        """The worker's look, after which all waiting workers look too."""
        look = worker.look

        async def looks() -> float:
            pause = await look()
            async with self.happened:
                self.happened.notify_all()
            return pause

        return looks

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until the condition holds, checking after each look of a worker."""
        async with asyncio.timeout(20), self.happened:
            await self.happened.wait_for(is_so)

    def shares(self) -> list[int]:
        return sorted(Counter(self.working.values()).values())


@asynccontextmanager
async def working(hub: HubSettings, bots: Bots, name: str) -> AsyncIterator[asyncio.Task[None]]:
    """A running worker; cancel the task to end it properly."""
    worker = Worker(hub, name, bots.of(name))
    worker.look = bots.looks(worker)  # type: ignore[method-assign]
    task = asyncio.create_task(worker.run())
    task.worker = worker  # type: ignore[attr-defined]
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_workers_share_the_spaces_evenly_and_take_over_from_one_that_ends_or_dies(
    hub: HubSettings, postgresql: Server
) -> None:
    bots = Bots()
    spaces = [space_in(hub, postgresql) for _ in range(6)]
    async with working(hub, bots, "one") as one:
        await bots.until(lambda: bots.shares() == [6])
        async with working(hub, bots, "two"), working(hub, bots, "three") as three:
            await bots.until(lambda: bots.shares() == [2, 2, 2])
            tasks = [hosted.task for hosted in three.worker.hosted.values()]  # type: ignore[attr-defined]
            hangs = asyncio.Event()

            async def hang() -> None:
                hangs.set()
                await asyncio.Event().wait()

            three.worker.look = hang  # type: ignore[attr-defined]
            await hangs.wait()
            for task in tasks:
                task.cancel()
            with postgresql.connect() as admin:  # the claim has expired
                admin.execute("UPDATE fedbot.leases SET expires = '-infinity' WHERE worker = 'three'")
                admin.execute("UPDATE fedbot.workers SET seen = '-infinity' WHERE worker = 'three'")
            await bots.until(lambda: bots.shares() == [3, 3])
            one.cancel()
            await bots.until(lambda: bots.shares() == [6])
    assert {len(bots.keys[space]) for space in spaces} == {1}, "the same party everywhere, by the key in the database"
    assert Roster(hub).view().workers == frozenset()


async def test_a_broken_space_affects_no_other_and_is_reported_and_tried_again(
    hub: HubSettings, postgresql: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(roster, "PAUSES", (1, 3600))
    bots = Bots()
    well = space_in(hub, postgresql)
    no_settings = space_in(hub, postgresql, people="nobody")
    misplaced = space_in(hub, postgresql, state="its-own")
    failing = space_in(hub, postgresql)
    bots.broken[failing] = ZeroDivisionError("of its own")
    taken = space_in(hub, postgresql)
    bots.broken[taken] = AccountTaken("Another fedbot works with this account")
    async with working(hub, bots, "one") as one:
        seen = Roster(hub)
        broken = (no_settings, misplaced, failing)
        await bots.until(lambda: seen.view().of(failing).failures == 2 and well in bots.working)
        await bots.until(lambda: all(seen.view().of(space).state == "fails" for space in broken))
        await bots.until(lambda: failing not in one.worker.hosted)  # type: ignore[attr-defined]
        await bots.until(lambda: seen.view().of(taken).state == "paused")
        rows = seen.view().spaces
        assert "Another fedbot" in rows[taken].problem
        assert bots.tries[taken] == 1, "it doesn't take the account back"
        assert [rows[space].state for space in (well, no_settings, misplaced, failing)] == ["works", *["fails"] * 3]
        assert "people" in rows[no_settings].problem
        assert "leave it out" in rows[misplaced].problem
        assert "ZeroDivisionError" in rows[failing].problem
        assert 3000 < rows[failing].waits <= 3600, "the pauses grow"
        look = one.worker.statuses  # type: ignore[attr-defined]
        await bots.until(lambda: f'fedbot_space_failing{{space="{failing}"}} 1' in hub_metrics(look(counted=True), {}))
        statuses = look(counted=True)
        assert "fedbot_hub_spaces_fails 3" in hub_metrics(statuses, {})
        async with HubPage("one", look, dict, hub.health_socket):
            assert await asyncio.to_thread(main, ["hub", "health", "--config", str(hub.source)]) == Exit.OK
        assert "1 of 5 spaces are well" in (told := capsys.readouterr().out)
        assert f"{no_settings} fails: people" in told
        assert hub_page("one", statuses).index(failing) < hub_page("one", statuses).index(well)
        del bots.broken[failing]
        tending.resume(hub, failing)
        await bots.until(lambda: failing in bots.working)
        assert Roster(hub).view().of(failing).problem == ""


async def test_a_worker_that_misses_a_look_is_checked_more_often_so_its_spaces_are_soon_taken_over(
    hub: HubSettings, postgresql: Server
) -> None:
    worker = Worker(hub, "one", Bots().of("one"))
    usual = await worker.look()
    with postgresql.connect() as admin:
        admin.execute("INSERT INTO fedbot.workers (worker, seen) VALUES ('two', now() - interval '8 s')")
        assert await worker.look() < usual
        admin.execute("UPDATE fedbot.workers SET seen = now() - interval '20 s' WHERE worker = 'two'")
        assert await worker.look() == usual, "it is gone, and what it had is free"
        admin.execute("DELETE FROM fedbot.workers")
    await worker._drain()


async def test_a_counter_never_falls_when_a_space_leaves_the_worker(hub: HubSettings, postgresql: Server) -> None:
    """Otherwise Prometheus would take the lower sum for a restart, and count it all again."""
    bots = Bots()
    stays, leaves = (space_in(hub, postgresql) for _ in range(2))
    async with working(hub, bots, "one") as one:
        counters = one.worker.counters  # type: ignore[attr-defined]
        await bots.until(lambda: {stays, leaves} <= bots.working.keys())
        assert counters() == {"events_decided": 20, "rule_failures": 2}
        await asyncio.to_thread(tending.pause, hub, leaves)
        await bots.until(lambda: leaves not in bots.working)
        assert counters() == {"events_decided": 20, "rule_failures": 2}
        tending.resume(hub, leaves)
        await bots.until(lambda: leaves in bots.working)
        assert counters() == {"events_decided": 30, "rule_failures": 4}
        assert "fedbot_hub_events_decided_total 30\n" in hub_metrics({}, counters())


async def test_a_bot_with_an_unknown_health_ends_no_other(hub: HubSettings, postgresql: Server) -> None:
    bots = Bots()
    odd, well = (space_in(hub, postgresql) for _ in range(2))
    told = bots.health

    def health(space: str) -> dict[str, object]:
        if space == odd:
            raise ZeroDivisionError
        return told(space)

    bots.health = health  # type: ignore[method-assign]
    async with working(hub, bots, "one") as one:
        seen = Roster(hub)
        await bots.until(lambda: bots.working.keys() == {odd, well} and seen.view().of(well).is_well is True)
        assert seen.view().of(odd).is_well is None
        assert one.worker.statuses(counted=False)[odd].problems == []  # type: ignore[attr-defined]
        await asyncio.to_thread(tending.pause, hub, well)
        assert not one.done()
    seen.close()


async def test_a_worker_reports_its_bots_health_without_counting_their_figures(
    hub: HubSettings, postgresql: Server
) -> None:
    bots = Bots()
    space = space_in(hub, postgresql)
    async with working(hub, bots, "one") as one:
        seen = Roster(hub)
        await bots.until(lambda: seen.view().of(space).is_well is True)
        async with HubPage("one", one.worker.statuses, one.worker.counters, hub.health_socket) as page:  # type: ignore[attr-defined]
            assert page.statuses()[space].is_well
            assert bots.counted[space] == 0
            assert page.statuses(counted=True)[space].is_well
            assert bots.counted[space] == 1
    seen.close()


async def test_a_paused_space_is_released_everywhere_until_it_is_resumed(hub: HubSettings, postgresql: Server) -> None:
    bots = Bots()
    spaces = {space_in(hub, postgresql) for _ in range(2)}
    paused, other = sorted(spaces)
    async with working(hub, bots, "one") as one:
        await bots.until(lambda: bots.working.keys() == spaces)
        await asyncio.to_thread(tending.pause, hub, paused)
        assert bots.working.keys() == {other}
        looks = Counter[str]()
        look = one.worker.look  # type: ignore[attr-defined]

        async def counted() -> float:
            looks["one"] += 1
            return float(await look())

        one.worker.look = counted  # type: ignore[attr-defined]
        await bots.until(lambda: looks["one"] > 2)
        assert bots.working.keys() == {other}
        tending.resume(hub, paused)
        await bots.until(lambda: bots.working.keys() == spaces)


async def test_a_worker_warns_once_that_the_database_allows_too_few_connections(
    hub: HubSettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(roster, "_CONNECTIONS_A_WORKER", 300)
    worker = Worker(hub, "one")
    for _ in range(2):
        await worker.look()
    (warning,) = (each for each in caplog.messages if "max_connections" in each)
    assert "allows 497 connections. 0 spaces need up to 600: when a worker hangs" in warning
    await worker._drain()


async def test_a_worker_that_does_not_see_the_shared_folder_takes_nothing_and_nobody_leaves_it_a_share(
    hub: HubSettings, postgresql: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bots = Bots()
    spaces = {space_in(hub, postgresql) for _ in range(4)}
    seen = Roster(hub)
    for space in spaces:
        seen.resume(space)
    blind = hub.model_copy(update={"spaces": tmp_path / "not-mounted"})
    async with working(hub, bots, "one") as one:
        await bots.until(lambda: bots.working.keys() == spaces)
        async with working(blind, bots, "two") as two:
            await bots.until(lambda: "not-mounted" in caplog.text)
            looks = [await _looks(one), await _looks(two)]
            await bots.until(lambda: min(map(len, looks)) > 3)
            assert bots.working == dict.fromkeys(spaces, "one")
            assert seen.view().workers == {"one"}
            blind.spaces.symlink_to(hub.spaces)
            await bots.until(lambda: bots.shares() == [2, 2])
    seen.close()


async def _looks(task: asyncio.Task[None]) -> list[float]:
    """A list that grows with each of the worker's looks."""
    worker: Worker = task.worker  # type: ignore[attr-defined]
    look, looks = worker.look, list[float]()

    async def counted() -> float:
        looks.append(await look())
        return looks[-1]

    worker.look = counted  # type: ignore[method-assign]
    return looks
