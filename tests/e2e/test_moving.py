"""A real upgrade of the room, each space on its own homeserver: a friendship, an offer and a loan go on after it."""

from __future__ import annotations

import asyncio

import pytest

from fedbot_demo import plot
from fedbot_demo.stage import Space, Stage
from tests.e2e import scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

STAGE = {"apart": True, "default_rate_limits": False, "rules": {"grace_seconds": 0.5, "settle_seconds": 2.0}}
IPN = "RES-10K"


async def waits_in(stage: Stage, space: Space) -> str:
    """The bot's message about transfers that wait in the stage's room."""
    told = await space.superuser.wait_for(
        lambda event: (
            event.room == stage.room and event.sender == space.account.user_id and "review --room" in event.body
        ),
        scene.PATIENCE_S,
        what=f"{space.name}'s word of what waits",
    )
    return told.body


async def test_transfers_go_on_in_the_new_room_after_an_upgrade(stage: Stage) -> None:
    anna, bea, piet, cem = (stage.people[name] for name in ("anna", "bea", "piet", "cem"))
    old = stage.room
    await plot.connect(stage)
    before = await scene.amounts(stage, IPN)
    lent = await plot.answer_to(stage, piet, f"!fed lend {IPN} 5 to betaspace for 3 weeks")
    loan = plot.subject_of(lent)
    card = await plot.card_of(stage, cem, stage.betaspace, loan)
    await cem.react(stage.room, card.event_id, plot.YES)
    await plot.ended(stage, piet, loan, "done")
    offer = await plot.offer(stage, piet, f"!fed push 20 {IPN} to betaspace", seen_by=cem)
    await scene.at_rest(stage)

    await anna.set_state(old, "m.room.join_rules", {"join_rule": "public"})  # so that the bots can join by themselves
    stage.room = await anna.upgrade_room(old, "12")
    host = anna.user_id.partition(":")[2]
    await asyncio.gather(*(person.join(stage.room, via=(host,)) for person in (bea, piet, cem)))
    for space in stage.pair:
        told = await waits_in(stage, space)
        assert f"1 friendship of {space.name} waits here" in told
        assert offer.transfer[:4] in told
        assert loan[:4] in told
        await scene.admins_read(space, "change my settings", stage.room.lower())
    for superuser in (anna, bea):
        assert "continues here" in (await plot.answer_to(stage, superuser, "!fed review --room")).body

    again = await plot.card_of(stage, cem, stage.betaspace, offer.transfer)
    await cem.react(stage.room, again.event_id, plot.YES)
    await plot.ended(stage, piet, offer.transfer, "done")
    await scene.at_rest(stage)
    assert await scene.amounts(stage, IPN) == (before[0] - 25, before[1] + 25)
    back = await plot.answer_to(stage, cem, f"!fed return {loan[:4]}")
    home = await plot.card_of(stage, piet, stage.attraktor, plot.subject_of(back))
    await piet.react(stage.room, home.event_id, plot.YES)
    await plot.ended(stage, cem, plot.subject_of(back), "done", by=stage.betaspace)
    await scene.at_rest(stage)
    assert await scene.amounts(stage, IPN) == (before[0] - 20, before[1] + 20)


async def test_transfers_go_on_with_the_new_room_in_the_settings(stage: Stage) -> None:
    piet, cem = stage.people["piet"], stage.people["cem"]
    for space in stage.pair:
        space.settings["rooms"] = [stage.room]
        space.write_settings()
        await space.bot.stop()
        await space.bot.start()
    made = await plot.push(stage, "!fed push 1 M3-NUT to betaspace", asker=piet, approver=cem)

    async def both_are_done() -> bool:
        return [scene.state_of(space, made.transfer) for space in stage.pair] == ["done", "done"]

    await scene.eventually(both_are_done, "the transfer to be done on both sides")
