"""A relayed connection on a real homeserver: who may decide and who may not, declining, taking a reaction back."""

from __future__ import annotations

import pytest
import pytest_asyncio

from fedbot_demo import plot
from fedbot_demo.checks import check_access
from fedbot_demo.room_event import RoomEvent
from fedbot_demo.stage import Stage
from tests.e2e import scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

STAGE = {"access": "relayed", "rules": {"grace_seconds": 1.0}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def friends(stage: Stage) -> Stage:
    await scene.connect_unlimited(stage)
    return stage


async def test_relayed_access_keeps_each_token_with_the_bot_that_made_it(friends: Stage) -> None:
    attraktor, betaspace = friends.spaces
    checks = [*await check_access(attraktor, betaspace), *await check_access(betaspace, attraktor)]
    assert [check for check in checks if not check.good] == []
    timeline = await attraktor.superuser.messages(friends.room)
    assert "credentials" not in {plot.kind_of(event) for event in timeline}
    kept = [name for name in scene.secrets_of(friends) if "got-from" in name]
    assert kept == []


async def test_a_reaction_without_permission_does_nothing(friends: Stage) -> None:
    """Tom belongs to Betaspace but is no approver; Piet approves, but for Attraktor. Neither reaction
    moves anything.
    """
    piet, tom, cem = (friends.people[name] for name in ("piet", "tom", "cem"))
    before = await scene.amounts(friends, "RES-10K")
    offer = await plot.offer(friends, piet, "!fed push 25 RES-10K to betaspace", seen_by=cem)
    told: RoomEvent = offer.card
    for stranger in (piet, tom):
        await stranger.react(friends.room, offer.card.event_id, plot.YES)
        told = await cem.wait_for(
            lambda event: (
                event.sender == friends.betaspace.account.user_id
                and event.type == "m.room.message"
                and event.relation == "m.thread"
                and event.relates_to == offer.card.event_id
            ),
            scene.PATIENCE_S,
            after=told,
            what=f"one helpful line for {stranger.user_id}, in the card's thread",
        )
        assert told.content["msgtype"] == "m.notice"
        assert "Not counted" in told.body
    await cem.react(friends.room, offer.card.event_id, plot.NO)
    end = await plot.ended(friends, piet, offer.transfer, "declined", "done")
    assert plot.kind_of(end) == "declined"
    assert plot.envelope_of(end)["body"]["by"] == cem.user_id
    await scene.at_rest(friends)
    assert await scene.amounts(friends, "RES-10K") == before


async def test_a_reaction_taken_back_within_the_grace_does_nothing(friends: Stage) -> None:
    betaspace = friends.betaspace
    piet, cem = friends.people["piet"], friends.people["cem"]
    betaspace.settings["rules"]["grace_seconds"] = 4.0
    betaspace.write_settings()
    await betaspace.bot.stop()
    await betaspace.bot.start()
    before = await scene.amounts(friends, "RES-10K")
    offer = await plot.offer(friends, piet, "!fed push 25 RES-10K to betaspace", seen_by=cem)
    tap = await cem.react(friends.room, offer.card.event_id, plot.YES)
    await cem.redact(friends.room, tap)
    await piet.say(friends.room, "!fed cancel", reply_to=offer.answer.event_id)
    end = await plot.ended(friends, piet, offer.transfer, "cancelled", "done")
    assert plot.kind_of(end) == "cancelled"
    await scene.at_rest(friends)
    assert await scene.amounts(friends, "RES-10K") == before


async def test_a_refusal_names_who_has_the_permission(friends: Stage) -> None:
    kim = friends.people["kim"]
    answer = await plot.answer_to(friends, kim, "!fed push 5 RES-10K to betaspace")
    assert plot.envelope_of(answer) == {}
    assert answer.content["msgtype"] == "m.notice"
    assert "Piet" in answer.body


async def test_a_parcel_leaves_at_once_and_is_booked_in_by_a_second_reaction(friends: Stage) -> None:
    piet, cem, bea = (friends.people[name] for name in ("piet", "cem", "bea"))
    given, got = await scene.amounts(friends, "RES-10K")
    offer = await plot.offer(friends, piet, "!fed push 4 RES-10K to betaspace", seen_by=cem)
    await cem.react(friends.room, offer.card.event_id, plot.PARCEL)
    await scene.eventually(lambda: _all_stand_at(friends, offer.transfer, "sent"), "both bots to know it on its way")
    await scene.at_rest(friends)
    assert await scene.amounts(friends, "RES-10K") == (given - 4, got)
    await bea.react(friends.room, offer.card.event_id, plot.PARCEL)
    await plot.ended(friends, piet, offer.transfer, "done")
    await scene.at_rest(friends)
    assert await scene.amounts(friends, "RES-10K") == (given - 4, got + 4)


async def _all_stand_at(stage: Stage, transfer: str, state: str) -> bool:
    return {scene.state_of(space, transfer) for space in stage.spaces} == {state}


async def test_a_code_typed_right_after_the_card_counts(friends: Stage) -> None:
    piet, cem = friends.people["piet"], friends.people["cem"]
    before = await scene.amounts(friends, "RES-10K")
    offer = await plot.offer(friends, piet, "!fed push 3 RES-10K to betaspace", seen_by=cem)
    await cem.say(friends.room, f"!fed approve {offer.transfer[:4]}")
    await scene.is_done(friends, "RES-10K", before, offer, 3)
