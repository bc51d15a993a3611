"""Events of a bot in rooms: strangers' invitations, kicks. Its admins are told."""

from __future__ import annotations

import pytest

from fedbot_demo.person import Person
from fedbot_demo.stage import Stage
from tests.e2e import scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

STAGE: dict[str, object] = {}


async def test_a_strangers_invitation_is_declined_and_reported(stage: Stage) -> None:
    bot = stage.betaspace.account.user_id
    async with Person(await stage.homeserver.register("mallory")) as mallory:
        room = await mallory.create_room("Free prizes", invite=[bot])
        await mallory.wait_for(
            lambda event: event.room == room and event.state_key == bot and event.content.get("membership") == "leave",
            what="the invitation to be declined",
        )
    assert "mallory" in (await scene.admins_read(stage.betaspace, "mallory")).body


async def test_a_direct_chat_is_answered_and_left_when_it_is_no_longer_one(stage: Stage) -> None:
    attraktor, kim = stage.attraktor, stage.people["kim"]
    bot = attraktor.account.user_id
    chat = await kim.create_room("", preset="trusted_private_chat", invite=[bot], direct=True)

    async def says(line: str, words: str) -> None:
        await kim.say(chat, line)
        await kim.wait_for(
            lambda e: e.room == chat and e.sender == bot and words in e.body, what=f"the answer to {line}"
        )

    await kim.wait_for(lambda e: e.room == chat and e.sender == bot and "private" in e.body, what="a first word")
    await says("whoami", "user kim")
    await says("!fed status", "is healthy")
    await says("push M3-NUT 1 to betaspace", "needs an approver")
    await kim.invite(chat, stage.people["piet"].user_id)
    await stage.people["piet"].join(chat)
    await kim.wait_for(
        lambda e: e.room == chat and e.sender == bot and "I leave this room" in e.body, what="last words"
    )

    async def has_left() -> bool:
        return bot not in await kim.members(chat)

    await scene.eventually(has_left, "the bot to leave")


async def test_a_kick_is_reported_and_a_new_invitation_brings_the_bot_back(stage: Stage) -> None:
    attraktor, betaspace = stage.spaces
    bot = betaspace.account.user_id
    await attraktor.superuser.kick(stage.room, bot, "wrong button")
    told = await scene.admins_read(betaspace, "wrong button")
    assert "Makerspaces" in told.body or stage.room in told.body
    await betaspace.superuser.invite(stage.room, bot)

    async def is_back() -> bool:
        return bot in await attraktor.superuser.members(stage.room)

    await scene.eventually(is_back, "the bot to be back in the room")
