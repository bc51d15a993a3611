"""A scripted person writes, reacts and sees what a human's client would, on a real homeserver."""

from __future__ import annotations

import asyncio

import pytest

from fedbot_demo.client_server import MatrixError
from fedbot_demo.homeserver import Homeserver
from fedbot_demo.person import Person
from tests.demo.conftest import Introduce

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def two_in_a_room(homeserver: Homeserver, introduce: Introduce, name: str) -> tuple[Person, Person, str]:
    anna, bea = await introduce(homeserver, f"anna.{name}"), await introduce(homeserver, f"bea.{name}")
    room = await anna.create_room(name, invite=[bea.user_id])
    await bea.join(await bea.wait_for_invitation())
    await bea.sync()
    return anna, bea, room


async def test_an_invitation_names_its_sender_and_is_gone_once_joined(
    homeserver: Homeserver, introduce: Introduce
) -> None:
    anna, bea = await introduce(homeserver, "anna.invites"), await introduce(homeserver, "bea.invited")
    room = await anna.create_room("friends", invite=[bea.user_id])
    assert await bea.wait_for_invitation() == room
    assert bea.invitations == {room: anna.user_id}
    await bea.join(room)
    await bea.sync()
    assert bea.invitations == {}
    assert await anna.members(room) == {anna.user_id, bea.user_id}


async def test_a_declined_invitation_is_gone(homeserver: Homeserver, introduce: Introduce) -> None:
    anna, bea = await introduce(homeserver, "anna.asks"), await introduce(homeserver, "bea.declines")
    room = await anna.create_room("friends", invite=[bea.user_id])
    await bea.leave(await bea.wait_for_invitation(room))
    await bea.sync()
    assert bea.invitations == {}


async def test_replies_threads_and_edits_relate_to_their_event(homeserver: Homeserver, introduce: Introduce) -> None:
    anna, bea, room = await two_in_a_room(homeserver, introduce, "relations")
    card = await anna.say(room, "a card", html="<b>a card</b>")
    await bea.say(room, "a reply", reply_to=card)
    await bea.say(room, "in the thread", thread=card)
    await bea.say(room, "a reply in the thread", thread=card, reply_to=card)
    await anna.edit(room, card, "the card, edited")
    reply = await anna.wait_for(lambda seen: seen.body == "a reply")
    threaded = await anna.wait_for(lambda seen: seen.body == "in the thread")
    both = await anna.wait_for(lambda seen: seen.body == "a reply in the thread")
    edit = await bea.wait_for(lambda seen: seen.relation == "m.replace")
    assert (reply.relation, reply.replies_to) == ("", card)
    assert (threaded.relation, threaded.relates_to) == ("m.thread", card)
    assert threaded.content["m.relates_to"]["is_falling_back"] is True
    assert both.content["m.relates_to"]["is_falling_back"] is False
    assert (edit.body, edit.relates_to) == ("the card, edited", card)


async def test_a_reaction_is_seen_and_can_be_taken_back(homeserver: Homeserver, introduce: Introduce) -> None:
    anna, bea, room = await two_in_a_room(homeserver, introduce, "taps")
    card = await anna.say(room, "a card")
    tap = await bea.react(room, card, "✅")
    seen = await anna.wait_for(lambda event: event.event_id == tap)
    assert (seen.key, seen.relates_to) == ("✅", card)
    await bea.redact(room, tap, "not yet")
    redaction = await anna.wait_for(lambda event: event.type == "m.room.redaction", after=seen)
    assert redaction.sender == bea.user_id
    assert (await anna.event(room, tap)).content == {}


async def test_waiting_finds_what_was_seen_before_and_can_ask_for_later_ones(
    homeserver: Homeserver, introduce: Introduce
) -> None:
    anna, bea, room = await two_in_a_room(homeserver, introduce, "waiting")
    for _ in range(2):
        await anna.say(room, "again")
    first = await bea.wait_for(lambda seen: seen.body == "again")
    assert await bea.wait_for(lambda seen: seen.body == "again") == first
    second = await bea.wait_for(lambda seen: seen.body == "again", after=first)
    assert second.event_id != first.event_id


async def test_two_may_wait_at_once_on_one_client(homeserver: Homeserver, introduce: Introduce) -> None:
    anna, bea, room = await two_in_a_room(homeserver, introduce, "at.once")
    waiting = asyncio.gather(
        bea.wait_for(lambda seen: seen.body == "one"), bea.wait_for(lambda seen: seen.body == "two")
    )
    await anna.say(room, "two")
    await anna.say(room, "one")
    assert [event.body for event in await waiting] == ["one", "two"]
    assert len({event.event_id for event in bea.seen}) == len(bea.seen)


async def test_waiting_in_vain_ends_in_an_error_that_shows_what_came(
    homeserver: Homeserver, introduce: Introduce
) -> None:
    anna, bea, room = await two_in_a_room(homeserver, introduce, "never")
    await anna.say(room, "something else")
    await bea.wait_for(lambda seen: seen.body == "something else")
    with pytest.raises(TimeoutError, match=r"(?s)for a card; .*something else"):
        await bea.wait_for(lambda seen: seen.body == "a card", timeout=0.2, what="a card")


async def test_events_that_a_sync_leaves_out_are_fetched(homeserver: Homeserver, introduce: Introduce) -> None:
    anna, bea, room = await two_in_a_room(homeserver, introduce, "gap")
    for number in range(230):
        await anna.say(room, str(number))
    await bea.wait_for(lambda seen: seen.body == "229")
    lines = [seen.body for seen in bea.seen if seen.type == "m.room.message"]
    assert lines == [str(number) for number in range(230)]
    assert [event.body for event in await bea.messages(room, most=3)] == ["227", "228", "229"]


async def test_the_typing_notification_is_seen_and_ends(homeserver: Homeserver, introduce: Introduce) -> None:
    anna, bea, room = await two_in_a_room(homeserver, introduce, "typing")
    await anna.typing(room)
    shown = await bea.wait_for(lambda seen: seen.type == "m.typing")
    assert shown.content["user_ids"] == [anna.user_id]
    await anna.typing(room, seconds=0)
    gone = await bea.wait_for(lambda seen: seen.type == "m.typing", after=shown)
    assert gone.content["user_ids"] == []


async def test_a_mention_notifies_and_a_notice_with_a_mention_does_not(
    homeserver: Homeserver, introduce: Introduce
) -> None:
    anna, bea, room = await two_in_a_room(homeserver, introduce, "rings")
    await anna.say(room, "a line for nobody")
    mention = {"m.mentions": {"user_ids": [bea.user_id]}}
    await anna.send(room, "m.room.message", {"msgtype": "m.notice", "body": "a notice", **mention})
    card = await anna.say(room, "a card for Bea", mentions=[bea.user_id])
    await bea.wait_for(lambda seen: seen.event_id == card)
    assert [event.body for event in await bea.notifications(only_highlights=True)] == ["a card for Bea"]
    await bea.mark_read(room, card)
    assert await bea.notifications() == []


async def test_power_levels_are_changed_one_by_one(homeserver: Homeserver, introduce: Introduce) -> None:
    anna, bea, room = await two_in_a_room(homeserver, introduce, "power")
    with pytest.raises(MatrixError) as refused:
        await bea.set_state(room, "dev.fedbot.party", {"parties": []}, key=bea.user_id)
    assert refused.value.code == "M_FORBIDDEN"
    before = await anna.state(room, "m.room.power_levels")
    await anna.set_power_levels(room, events={"dev.fedbot.party": 0}, users={bea.user_id: 10})
    after = await anna.state(room, "m.room.power_levels")
    assert after["events"] == {**before["events"], "dev.fedbot.party": 0}
    assert after["users"] == {**before["users"], bea.user_id: 10}
    await bea.set_state(room, "dev.fedbot.party", {"parties": []}, key=bea.user_id)
    assert await anna.state(room, "dev.fedbot.party", bea.user_id) == {"parties": []}


async def test_a_removal_from_a_room_is_seen(homeserver: Homeserver, introduce: Introduce) -> None:
    anna, bea, room = await two_in_a_room(homeserver, introduce, "kick")
    await anna.kick(room, bea.user_id, "by mistake")
    put_out = await bea.wait_for(lambda seen: seen.content.get("membership") == "leave")
    assert (put_out.sender, put_out.content["reason"]) == (anna.user_id, "by mistake")
    assert room not in bea.rooms
    await anna.ban(room, bea.user_id)
    with pytest.raises(MatrixError):
        await bea.join(room)


async def test_an_upgraded_room_has_a_tombstone(homeserver: Homeserver, introduce: Introduce) -> None:
    anna, bea, room = await two_in_a_room(homeserver, introduce, "upgrade")
    replacement = await anna.upgrade_room(room, "11")
    tombstone = await bea.wait_for(lambda seen: seen.type == "m.room.tombstone")
    assert tombstone.content["replacement_room"] == replacement
