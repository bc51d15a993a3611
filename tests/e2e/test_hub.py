"""A hub on real servers: three workers and twenty spaces, killed and paused at random, and bad neighbours."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from fedbot.journal.database import Address
from fedbot.journal.server import connect
from fedbot_demo import plot
from fedbot_demo.inventree.process import InvenTreeProcess
from fedbot_demo.stage import Stage
from tests.e2e import scene
from tests.fakes.postgresql import Server
from tests.scenarios.hub import HubScene, HubWorker, hub_on

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(1800), pytest.mark.long]

STAGE = {
    "access": "relayed",
    "default_rate_limits": False,
    "rules": {"grace_seconds": 0.3, "settle_seconds": 0.5, "give_up_minutes": 5.0, "resend_seconds": [3.0, 600.0]},
}
QUIET = 18
WORKERS = 3
TRANSFERS = 16
IPN = "RES-10K"
TAKE_OVER_S = 60.0
"""A take-over takes 30 seconds at most; a machine on which all tests run at once is slower."""


@pytest.fixture(scope="module")
def inventree() -> Iterator[InvenTreeProcess]:
    with InvenTreeProcess(seed="gamma") as process:
        yield process


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(stage: Stage, postgresql: Server, inventree: InvenTreeProcess) -> AsyncIterator[HubScene]:
    await plot.connect(stage)
    await scene.at_rest(stage)
    async with hub_on(stage, postgresql.url) as found:
        await found.take_in_the_stage()
        await found.add_quiet(QUIET, inventree)
        for _ in range(WORKERS):
            await found.worker().process.start()
        await found.until_all_are_heard(180)
        yield found


async def at(hub: HubScene, space: str) -> HubWorker:
    """The worker that works for that space."""

    async def look() -> list[HubWorker]:
        return [each for each in hub.workers if await each.has(space)]

    return (await scene.eventually(look, f"somebody to work for {space}"))[0]


async def offered(stage: Stage, quantity: int) -> plot.Offer:
    return await plot.offer(
        stage, stage.people["piet"], f"!fed push {quantity} {IPN} to betaspace", seen_by=stage.people["cem"]
    )


async def test_what_neighbours_do_leaves_a_push_untouched(
    stage: Stage, hub: HubScene, inventree: InvenTreeProcess, postgresql: Server
) -> None:
    def poison(space: str) -> None:
        with connect(Address(postgresql.url, space)) as database:
            database.execute("INSERT INTO inbox (kind, payload, subject, received_at) VALUES ('Tick', 'no', '', '')")

    await asyncio.to_thread(inventree.stop)
    await asyncio.to_thread(poison, hub.quiet[0])
    maker = stage.attraktor.superuser

    async def floods() -> None:
        for number in range(60):
            await maker.say(hub.quiet_rooms[0], f"!fed find {number}")

    flood = asyncio.ensure_future(floods())
    before = await scene.amounts(stage, IPN)
    begun = time.monotonic()
    offer = await offered(stage, 3)
    await stage.people["cem"].react(stage.room, offer.card.event_id, plot.YES)
    await scene.is_done(stage, IPN, before, offer, 3)
    assert time.monotonic() - begun < scene.PATIENCE_S
    await flood

    async def told() -> bool:
        spaces = await (await at(hub, hub.quiet[0])).spaces()
        return "set aside" in str(spaces.get(hub.quiet[0]))

    await scene.eventually(told, "the poisoned row to be told")
    await asyncio.to_thread(inventree.start)
    await hub.until_all_are_heard(120)


async def test_nothing_is_lost_or_doubled_while_workers_are_killed_and_paused_at_random(
    stage: Stage, hub: HubScene
) -> None:
    chance = random.Random(14)
    paused: list[HubWorker] = []
    for number in range(TRANSFERS):
        before = await scene.amounts(stage, IPN)
        offer = await offered(stage, 1 + number % 3)
        await stage.people["cem"].react(stage.room, offer.card.event_id, plot.YES)
        await asyncio.sleep(chance.uniform(0, 1.5))
        victim = await at(hub, chance.choice(["attraktor", "betaspace", *hub.quiet[:2]]))
        match chance.choice(["kill", "pause", "end", "nothing"]):
            case "kill":
                await victim.process.kill()
            case "pause":
                victim.pause()
                paused.append(victim)
            case "end":
                await victim.process.stop(grace=12)
            case _:
                pass
        await scene.is_done(stage, IPN, before, offer, 1 + number % 3)
        for each in paused:
            each.go_on()
        paused.clear()
        for each in hub.workers:
            if not each.process.is_running:
                await each.process.start()
        await hub.until_all_are_heard(2 * TAKE_OVER_S)
    shares = sorted([len(await each.hears()) for each in hub.workers])
    assert sum(shares) == QUIET + 2
