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
from tests.scenarios import bad_day
from tests.scenarios.hub import HubScene

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(1800), pytest.mark.long]

STAGE = bad_day.STAGE
TRANSFERS = 60
IPN = "RES-10K"


@pytest.fixture(scope="module")
def inventree() -> Iterator[InvenTreeProcess]:
    with InvenTreeProcess(seed="gamma") as process:
        yield process


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(stage: Stage, postgresql: Server, inventree: InvenTreeProcess) -> AsyncIterator[HubScene]:
    async with bad_day.twenty_spaces(stage, postgresql.url, inventree) as found:
        yield found


async def test_a_push_is_not_affected_by_neighbours(
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
    offer = await plot.offer(
        stage, stage.people["piet"], f"!fed push 3 {IPN} to betaspace", seen_by=stage.people["cem"]
    )
    await stage.people["cem"].react(stage.room, offer.card.event_id, plot.YES)
    await scene.is_done(stage, IPN, before, offer, 3)
    assert time.monotonic() - begun < scene.PATIENCE_S
    await flood

    async def told() -> bool:
        spaces = await (await hub.at(hub.quiet[0], 60)).spaces()
        return "set aside" in str(spaces.get(hub.quiet[0]))

    await scene.eventually(told, "the poisoned row to be told")
    await asyncio.to_thread(inventree.start)
    await hub.until_all_are_heard(120)


async def test_nothing_is_lost_or_doubled_while_workers_are_killed_and_paused_at_random(
    stage: Stage, hub: HubScene
) -> None:
    """`python -m tests.scenarios --transfers 500` plays it for longer."""
    troubles = await bad_day.bad_day(stage, hub, TRANSFERS, random.Random(14))
    assert troubles.keys() == set(bad_day.TROUBLES)
    shares = sorted([len(await each.hears()) for each in hub.workers])
    assert sum(shares) == bad_day.QUIET + 2
