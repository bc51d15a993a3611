"""Two workers with one space on real servers: the active one is killed, paused and stopped in the middle of a push."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
import yaml

from fedbot_demo import plot
from fedbot_demo.bot_process import BotProcess
from fedbot_demo.stage import Stage
from tests.e2e import scene
from tests.fakes.postgresql import Server

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300), pytest.mark.long]

STAGE = {
    "access": "relayed",
    "default_rate_limits": False,
    "rules": {"grace_seconds": 0.3, "settle_seconds": 0.5, "give_up_minutes": 5.0, "resend_seconds": [3.0, 600.0]},
}
IPN = "RES-10K"
PATIENCE_S = 60.0
"""A take-over takes 30 seconds at most, and longer on a busy machine."""


@dataclass
class Pair:
    """Attraktor's two workers: the active one and the standby."""

    working: BotProcess
    waiting: BotProcess

    def swap(self) -> None:
        self.working, self.waiting = self.waiting, self.working

    async def is_taken_over(self) -> float:
        """Wait until the other one listens to the room; return the seconds that it took."""
        begun = time.monotonic()

        async def hears() -> bool:
            return bool(((await self.waiting.health()) or {}).get("matrix"))

        await scene.eventually(hears, "the other worker to take over", PATIENCE_S)
        self.swap()
        return time.monotonic() - begun


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(stage: Stage, postgresql: Server) -> AsyncIterator[Pair]:
    """Two friends; attraktor moves into the database afterwards."""
    await plot.connect(stage)
    await scene.at_rest(stage)
    attraktor = stage.attraktor
    await attraktor.bot.stop()
    (attraktor.folder / "sealing-key").write_text(os.urandom(32).hex())
    (attraktor.folder / "sealing-key").chmod(0o600)
    attraktor.settings["journal"] = {"url": postgresql.url, "sealing_key_file": "sealing-key"}
    attraktor.write_settings()
    assert "each compared" in await scene.fedbot(attraktor, "journal", "move", "to-database")
    second = attraktor.folder / "second.yaml"
    second.write_text(yaml.safe_dump({**attraktor.settings, "state": "second-state"}, allow_unicode=True))
    second.chmod(0o600)
    found = Pair(attraktor.bot, BotProcess(second, attraktor.folder / "second-state", attraktor.folder / "second.log"))
    await found.working.start(timeout=90)
    await found.waiting.begin()
    yield found
    await found.waiting.stop()


async def offered(stage: Stage, quantity: int) -> plot.Offer:
    return await plot.offer(
        stage, stage.people["piet"], f"!fed push {quantity} {IPN} to betaspace", seen_by=stage.people["cem"]
    )


async def test_the_standby_ends_what_a_killed_worker_began(stage: Stage, pair: Pair) -> None:
    before = await scene.amounts(stage, IPN)
    offer = await offered(stage, 10)
    await stage.people["cem"].react(stage.room, offer.card.event_id, plot.YES)
    await pair.working.kill()
    await pair.is_taken_over()
    await scene.is_done(stage, IPN, before, offer, 10)
    await pair.waiting.begin()


async def test_a_worker_paused_in_a_step_writes_nothing_when_it_wakes_up_after_the_take_over(
    stage: Stage, pair: Pair
) -> None:
    before = await scene.amounts(stage, IPN)
    offer = await offered(stage, 7)
    trap = await scene.set_trap(stage.attraktor, "delay", "POST", "/api/stock/", seconds=1.5)
    await stage.people["cem"].react(stage.room, offer.card.event_id, plot.YES)
    await trap.is_sprung()
    pid = pair.working.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    await pair.is_taken_over()
    await scene.is_done(stage, IPN, before, offer, 7)
    os.kill(pid, signal.SIGCONT)

    async def says_so() -> bool:
        return "works no longer for attraktor" in pair.waiting.log.read_text()

    await scene.eventually(says_so, "the paused worker to notice")
    await scene.is_done(stage, IPN, before, offer, 7)


async def test_a_stopped_worker_gives_the_space_back_at_once(stage: Stage, pair: Pair) -> None:
    before = await scene.amounts(stage, IPN)
    offer = await offered(stage, 5)
    await stage.people["cem"].react(stage.room, offer.card.event_id, plot.YES)
    stopping = asyncio.ensure_future(pair.working.stop())
    await pair.is_taken_over()
    await stopping
    await scene.is_done(stage, IPN, before, offer, 5)
