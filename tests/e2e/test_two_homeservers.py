"""Each space on a homeserver of its own: the story succeeds although one homeserver is down for a while."""

from __future__ import annotations

import pytest

from fedbot_demo import plot
from fedbot_demo.stage import Stage
from tests.e2e import scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

STAGE = {
    "encrypted": True,
    "apart": True,
    "default_rate_limits": False,
    "rules": {"grace_seconds": 0.5, "settle_seconds": 2.0},
}
IPN = "RES-10K"


async def test_a_receiver_whose_homeserver_is_down_at_sent_books_it_in_afterwards(stage: Stage) -> None:
    piet, cem = stage.people["piet"], stage.people["cem"]
    theirs = stage.homeserver_of(stage.betaspace)
    assert theirs.server_name != stage.homeserver_of(stage.attraktor).server_name
    await plot.connect(stage)
    before = await scene.amounts(stage, IPN)
    trap = await scene.set_trap(stage.attraktor, "delay", "POST", "stock/assign/", seconds=1.0)
    offer = await plot.offer(stage, piet, f"!fed push 20 {IPN} to betaspace", seen_by=cem)
    await cem.react(stage.room, offer.card.event_id, plot.YES)
    await trap.is_sprung()
    await theirs.kill()
    await piet.wait_for(
        lambda event: plot.kind_of(event) == "sent" and plot.subject_of(event) == offer.transfer,
        scene.PATIENCE_S,
        what="that it is sent",
    )
    assert scene.state_of(stage.betaspace, offer.transfer) == "open", "nobody there can have heard that it was sent"
    await theirs.start()
    for person in (piet, cem):
        await plot.ended(stage, person, offer.transfer, "done", "aborted", "reverted", "disputed")

    async def both_are_done() -> bool:
        return [scene.state_of(space, offer.transfer) for space in stage.pair] == ["done", "done"]

    await scene.eventually(both_are_done, "the transfer to be done on both sides")
    await scene.at_rest(stage)
    assert await scene.amounts(stage, IPN) == (before[0] - 20, before[1] + 20)
