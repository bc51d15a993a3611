"""A power cut, and a homeserver or InvenTree that goes away in the middle of a push: the items move once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
import pytest_asyncio

from fedbot_demo import plot
from fedbot_demo.stage import Stage
from tests.e2e import scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

STAGE = {"access": "relayed", "rules": {"grace_seconds": 0.5, "settle_seconds": 2.0, "give_up_minutes": 5.0}}
IPN = "RES-10K"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def friends(stage: Stage) -> Stage:
    await scene.connect_unlimited(stage)
    return stage


async def _tapped_offer(stage: Stage, quantity: int) -> plot.Offer:
    """An offer that Cem has just approved."""
    piet, cem = stage.people["piet"], stage.people["cem"]
    offer = await plot.offer(stage, piet, f"!fed push {quantity} {IPN} to betaspace", seen_by=cem)
    await cem.react(stage.room, offer.card.event_id, plot.YES)
    return offer


async def _moved_once(stage: Stage, before: tuple[Decimal, Decimal], offer: plot.Offer, quantity: int) -> None:
    await plot.ended(stage, stage.people["piet"], offer.transfer, "done", "aborted", "reverted", "disputed")
    await scene.at_rest(stage)
    assert await scene.amounts(stage, IPN) == (before[0] - quantity, before[1] + quantity)
    for space in stage.spaces:
        async with space.stocktake() as stocktake:
            items = await stocktake.items(IPN)
            marked = [item for item in items for e in await stocktake.history(item.pk) if offer.transfer in e.notes]
        assert len({item.pk for item in marked} - {items[0].pk}) == 1, f"{space.name} moved it more than once"


async def test_the_senders_bot_killed_while_it_hands_over_goes_on_after_its_restart(friends: Stage) -> None:
    """InvenTree has done the step, but the bot dies before the answer."""
    before = await scene.amounts(friends, IPN)
    trap = await scene.set_trap(friends.attraktor, "timeout-after", "POST", "stock/assign/")
    offer = await _tapped_offer(friends, 20)
    await trap.is_sprung()
    await friends.attraktor.bot.kill()
    await friends.attraktor.bot.start()
    await _moved_once(friends, before, offer, 20)


async def test_the_receivers_bot_killed_while_it_books_in_goes_on_after_its_restart(friends: Stage) -> None:
    before = await scene.amounts(friends, IPN)
    trap = await scene.set_trap(friends.betaspace, "timeout-after", "POST", "/api/stock/$")
    offer = await _tapped_offer(friends, 30)
    await trap.is_sprung()
    await friends.betaspace.bot.kill()
    await friends.betaspace.bot.start()
    await _moved_once(friends, before, offer, 30)


async def test_a_homeserver_that_restarts_in_the_middle_only_delays_it(friends: Stage) -> None:
    before = await scene.amounts(friends, IPN)
    trap = await scene.set_trap(friends.attraktor, "delay", "POST", "stock/transfer/", seconds=2.0)
    offer = await _tapped_offer(friends, 10)
    await trap.is_sprung()
    await friends.homeserver.kill()
    await friends.homeserver.start()
    await _moved_once(friends, before, offer, 10)


async def test_an_inventree_that_goes_away_in_the_middle_is_reported_and_awaited(friends: Stage) -> None:
    before = await scene.amounts(friends, IPN)
    piet = friends.people["piet"]
    trap = await scene.set_trap(friends.attraktor, "delay", "POST", "stock/assign/", seconds=2.0)
    offer = await _tapped_offer(friends, 40)
    await trap.is_sprung()
    await friends.betaspace.stop_inventree()
    waits = await piet.wait_for(
        lambda event: event.relation == "m.thread" and event.relates_to == offer.card.event_id,
        scene.PATIENCE_S,
        what="the word that it waits, in the card's thread",
    )
    assert "InvenTree" in waits.body
    await friends.betaspace.start_inventree()
    await _moved_once(friends, before, offer, 40)


async def test_a_token_that_expires_soon_is_renewed_in_its_file_and_the_bot_goes_on(friends: Stage) -> None:
    space = friends.attraktor
    file = space.folder / "inventree-token"
    headers = {"Authorization": f"Token {space.inventree.tokens['admin']}"}
    async with httpx.AsyncClient(base_url=f"{space.inventree.url}/api/", headers=headers, trust_env=False) as admin:
        users = (await admin.get("user/", params={"search": "fedbot"})).json()
        user = next(row["pk"] for row in users if row["username"] == "fedbot")
        ends = datetime.now(UTC).date() + timedelta(days=20)
        made = await admin.post("user/tokens/", json={"user": user, "name": "short", "expiry": ends.isoformat()})
        old = made.json()["token"]
        await space.bot.stop()
        file.write_text(old)
        await space.bot.start()

        async def replaced() -> bool:
            tokens = (await admin.get("user/tokens/", params={"all_users": "true", "user": user})).json()
            return all(row["revoked"] for row in tokens if row["name"] == "short")

        await scene.eventually(replaced, "the old token to be revoked")
    assert file.read_text().strip() != old
    before = await scene.amounts(friends, IPN)
    await space.bot.stop()
    await space.bot.start()
    offer = await _tapped_offer(friends, 10)
    await _moved_once(friends, before, offer, 10)
