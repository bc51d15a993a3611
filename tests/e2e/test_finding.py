"""Three bots on one homeserver: search, request a hit by its number, and refuse to pass it on (UC6)."""

from __future__ import annotations

import pytest

from fedbot_demo import plot
from fedbot_demo.checks import in_stock
from fedbot_demo.stage import Space, Stage
from tests.e2e import scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

STAGE = {"third": True, "default_rate_limits": False, "rules": {"grace_seconds": 1.0}}
IPN = "M3-BOLT"


async def stocked(space: Space) -> int:
    """The quantity of bolts that the space has in stock."""
    async with space.stocktake() as stocktake:
        return int(in_stock(await stocktake.items(), IPN))


async def test_an_item_that_two_friends_share_is_found_requested_and_not_passed_on(stage: Stage) -> None:
    kim, piet, dilek = (stage.people[name] for name in ("kim", "piet", "dilek"))
    for friend in (stage.betaspace, stage.gammaspace):
        await plot.connect(stage, stage.attraktor, friend)
    assert "shares nothing" in (await plot.answer_to(stage, kim, f"!fed find {IPN} in betaspace")).body
    for name in ("cem", "mia"):
        await plot.answer_to(stage, stage.people[name], f"!fed share {IPN}")
    hits = await plot.answer_to(stage, kim, f"!fed find {IPN}")
    assert f"1) Betaspace: Bolt M3 ({IPN}), 12" in hits.body
    assert f"2) Gammaspace: M3 bolt steel ({IPN}), 75" in hits.body
    before = [await stocked(space) for space in stage.spaces]
    answer = await plot.answer_to(stage, kim, "ask 1 2", reply_to=hits.event_id)
    card = await plot.card_of(stage, dilek, stage.betaspace, plot.subject_of(answer))
    await dilek.react(stage.room, card.event_id, plot.YES)
    await plot.ended(stage, kim, plot.subject_of(answer), "done", by=stage.betaspace)
    await scene.at_rest(stage)
    after = [await stocked(space) for space in stage.spaces]
    assert [now - then for then, now in zip(before, after, strict=True)] == [2, -2, 0]
    async with stage.attraktor.stocktake() as stocktake:
        received = max(item.pk for item in await stocktake.items() if item.ipn == IPN)
    refused = await plot.answer_to(stage, piet, f"!fed push #{received} 1 to gammaspace")
    assert "Betaspace" in refused.body
    assert plot.kind_of(refused) == ""
    assert "isn't ours to share" in (await plot.answer_to(stage, piet, f"!fed share #{received}")).body
