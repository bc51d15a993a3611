"""A bad day of a hub: two spaces hand items over while its workers are killed, paused and ended at random."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from fedbot.journal import audit_chain, postgresql
from fedbot.journal.database import Address
from fedbot_demo import plot
from fedbot_demo.inventree.process import InvenTreeProcess
from fedbot_demo.stage import Stage
from tests.e2e import scene
from tests.scenarios.hub import HubScene, HubWorker, hub_on, patient

STAGE = {
    "access": "relayed",
    "default_rate_limits": False,
    "rules": {"grace_seconds": 0.3, "settle_seconds": 0.5, "give_up_minutes": 15.0, "resend_seconds": [3.0, 600.0]},
}
QUIET = 18
WORKERS = 3
ROUND = 25
"""The number of transfers at the same time."""
IPN = "RES-10K"
PATIENCE_S = 900.0
"""A take-over takes 30 seconds at most, and much longer on a busy machine."""
TROUBLES = ("kill", "pause", "end")


@asynccontextmanager
async def twenty_spaces(
    stage: Stage, url: str, inventree: InvenTreeProcess, *, encrypted: bool = False
) -> AsyncIterator[HubScene]:
    """A hub with three workers, the stage's two spaces as friends, and quiet ones."""
    await plot.connect(stage)
    await scene.at_rest(stage)
    async with hub_on(stage, url) as hub:
        await hub.take_in_the_stage()
        await hub.add_quiet(QUIET, inventree, encrypted=encrypted)
        for _ in range(WORKERS):
            await hub.worker().process.start()
        await hub.until_all_are_heard(PATIENCE_S)
        yield hub


async def bad_day(
    stage: Stage, hub: HubScene, transfers: int, chance: random.Random, tell: Callable[[str], None] = lambda _: None
) -> Counter[str]:
    """Play that many transfers, `ROUND` at a time; return how often each trouble happened.

    Raises AssertionError if an item is lost or duplicated, or if a journal or its audit is damaged in the end.
    """
    troubles: Counter[str] = Counter()
    set_aside = await asyncio.to_thread(_set_aside, hub)
    for first in range(0, transfers, ROUND):
        count = min(ROUND, transfers - first)
        begun = time.monotonic()
        with patient(PATIENCE_S):
            happened = await _round(stage, hub, count, chance, tell)
        troubles.update(happened)
        tell(f"{first + count} transfers; {', '.join(happened)}; {time.monotonic() - begun:.0f} s")
    assert await asyncio.to_thread(_set_aside, hub) == set_aside
    return troubles


def _set_aside(hub: HubScene) -> list[tuple[object, ...]]:
    """The quarantined rows of all spaces. Raises AssertionError if an audit doesn't hold."""
    found: list[tuple[object, ...]] = []
    for space in sorted(hub.everybody):
        with postgresql.reading(Address(hub.url, space)) as journal:
            audit = audit_chain.verify(journal, postgresql.BOOKKEEPING)
            assert not audit.broken, f"{space}: {audit.why}"
            rows = journal.execute("SELECT number, what, problem FROM quarantine ORDER BY number").fetchall()
        found += [(space, *row) for row in rows]
    return found


async def _round(
    stage: Stage, hub: HubScene, count: int, chance: random.Random, tell: Callable[[str], None]
) -> list[str]:
    """Play some transfers at once with one or two troubles. All workers run again at the end."""
    for each in hub.workers:
        assert each.process.is_running, f"a worker ended by itself:\n{each.process.log_tail()}"
    await _restocked(stage, count)
    before, known = await scene.amounts(stage, IPN), await _arrived(stage)
    troubled = asyncio.ensure_future(_troubled(hub, chance, tell))
    offers = await asyncio.gather(*(_approved(stage) for _ in range(count)))
    happened, paused = await troubled

    async def done() -> bool:
        states = [scene.state_of(space, offer.transfer) for space in stage.pair for offer in offers]
        return set(states) == {"done"}

    await scene.eventually(done, f"{[offer.transfer for offer in offers]} to be done on both sides", PATIENCE_S)
    await scene.at_rest(stage)
    for each in paused:
        each.go_on()
    for each in hub.workers:
        if not each.process.is_running:
            await each.process.start()
    await hub.until_all_are_heard(PATIENCE_S)
    after = await scene.amounts(stage, IPN)
    assert after == (before[0] - count, before[1] + count), f"{before} before {count} transfers, {after} after them"
    new = await _arrived(stage) - known
    notes = await _notes(stage, new)
    marks = Counter(offer.transfer for offer in offers for each in notes if offer.transfer in each)
    assert len(new) == count, f"{len(new)} items arrived for {count} transfers"
    assert set(marks.values()) == {1}, marks
    return happened


async def _restocked(stage: Stage, count: int) -> None:
    """Give the sender as much as the round takes: it has 500, of which 100 are allocated."""
    inventree = stage.attraktor.inventree
    async with stage.attraktor.stocktake() as stocktake:
        largest = max((row for row in await stocktake.items(IPN) if row.in_stock), key=lambda row: row.quantity)
    headers = {"Authorization": f"Token {inventree.tokens['admin']}"}
    items = [{"pk": largest.pk, "quantity": str(count)}]
    async with httpx.AsyncClient(base_url=inventree.url, headers=headers, trust_env=False) as client:
        (await client.post("/api/stock/add/", json={"items": items, "notes": "bought"})).raise_for_status()


async def _approved(stage: Stage) -> plot.Offer:
    offer = await offered(stage)
    await stage.people["cem"].react(stage.room, offer.card.event_id, plot.YES)
    return offer


async def offered(stage: Stage) -> plot.Offer:
    """Offer one. The bot may first answer that it has to wait, because its InvenTree runs on this busy machine."""
    piet = stage.people["piet"]
    line = await piet.say(stage.room, f"!fed push 1 {IPN} to betaspace")
    answer = await piet.wait_for(
        lambda event: event.replies_to == line and plot.kind_of(event) == "offer", PATIENCE_S, what="an offer"
    )
    transfer = plot.subject_of(answer)
    card = await plot.card_of(stage, stage.people["cem"], stage.betaspace, transfer)
    return plot.Offer(transfer, line, answer, card)


async def _troubled(
    hub: HubScene, chance: random.Random, tell: Callable[[str], None]
) -> tuple[list[str], list[HubWorker]]:
    """Make trouble; return what happened and the paused workers. At least one worker keeps running."""
    happened: list[str] = []
    paused: list[HubWorker] = []
    for _ in range(chance.choice([1, 2])):
        await asyncio.sleep(chance.uniform(0, 12))
        victim = await hub.at(chance.choice(["attraktor", "betaspace", *hub.quiet[:2]]), PATIENCE_S)
        happened.append(chance.choice(TROUBLES))
        tell(f"{happened[-1]} {victim.settings.state.name}")
        match happened[-1]:
            case "kill":
                await victim.process.kill()
            case "pause":
                victim.pause()
                paused.append(victim)
            case _:
                await victim.process.stop(grace=12)
    return happened, paused


async def _arrived(stage: Stage) -> set[int]:
    """Betaspace's stock items of the part."""
    async with stage.betaspace.stocktake() as stocktake:
        return {item.pk for item in await stocktake.items(IPN)}


async def _notes(stage: Stage, items: set[int]) -> list[str]:
    """The notes in each item's history."""
    async with stage.betaspace.stocktake() as stocktake:
        return ["\n".join(entry.notes for entry in await stocktake.history(item)) for item in sorted(items)]
