"""The reading of a bot whose journal knows less than the room, on a real Synapse; and the claim of an account."""

from __future__ import annotations

import pytest

from fedbot.matrix import content
from fedbot.matrix.client import MatrixChat
from fedbot.messages import markup
from fedbot.ports.chat import Delivery
from fedbot.rules.model.events import EnvelopeSeen, Said
from fedbot_demo.homeserver import Homeserver
from tests.demo.conftest import Introduce
from tests.matrix.conftest import Bot, Employ

pytestmark = pytest.mark.asyncio(loop_scope="module")

LETTER = {"kind": "noted", "id": "x"}


async def _says(bot: Bot, room: str, text: str, transaction: str, *, reply_to: str = "", edits: str = "") -> str:
    message = content.message(markup.render([text]), reply_to=reply_to, envelope=LETTER, edits=edits)
    return await bot.chat.send(Delivery(room, "m.room.message", message, transaction))


async def test_it_catches_up_with_its_own_messages_too_and_knows_its_answers(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-copy"), await employ(homeserver, "bot-copy")
    room = await anna.create_room("Makers", invite=[bot.chat.user_id])
    await bot.chat.join(room)
    since = (await bot.chat.sync(None, 0)).token
    line = await anna.say(room, "!fed help")
    answer = await _says(bot, room, "the answer", "t1", reply_to=line)
    edit = await _says(bot, room, "the answer, edited", "t2", edits=answer)
    for number in range(15):  # the timeline is limited and must be back-filled
        await anna.say(room, f"chatter {number}")
    assert not [e for e in (await bot.chat.sync(since, 0)).events if isinstance(e, EnvelopeSeen)]
    batch = await bot.chat.catch_up(since)
    told = [(e.event_id, e.sender, e.edits) for e in batch.events if isinstance(e, EnvelopeSeen)]
    assert told == [(answer, bot.chat.user_id, ""), (edit, bot.chat.user_id, answer)]
    assert line in [e.event_id for e in batch.events if isinstance(e, Said)]
    assert batch.answered == {line}
    assert [(m.event_id, m.body) for m in batch.own] == [(answer, "the answer")]


async def test_all_messages_of_a_rooms_past_come_in_their_order(
    homeserver: Homeserver, introduce: Introduce, employ: Employ
) -> None:
    anna, bot = await introduce(homeserver, "anna-past"), await employ(homeserver, "bot-past")
    room = await anna.create_room("Makers", invite=[bot.chat.user_id])
    await bot.chat.join(room)
    sent = []
    for number in range(120):  # more than a page
        if number % 40:
            await anna.say(room, f"chatter {number}")
        else:
            sent.append(await _says(bot, room, f"letter {number}", f"p{number}"))
    theirs = await anna.send(room, "dev.fedbot.envelope", {"dev.fedbot": LETTER})
    letters = await bot.chat.protocol_messages(room)
    assert [letter.event_id for letter in letters] == [*sent, theirs]


async def test_all_are_told_who_claimed_the_account_last_even_after_a_restart(
    homeserver: Homeserver, employ: Employ
) -> None:
    older = await employ(homeserver, "bot-twice")
    since = (await older.chat.sync(None, 0)).token
    assert await older.chat.last_mark() == 0
    await older.chat.claim("older")
    assert await older.chat.last_mark() == 0
    since_older = await older.chat.sync(since, 0)
    assert since_older.instance == "older"
    newer = await MatrixChat.open(older.account, older.folder)
    try:
        await newer.claim("newer", mark=7)
        assert await older.chat.last_mark() == 7
        assert (await newer.sync(since, 0)).instance == "newer"
    finally:
        await newer.close()
    assert (await older.chat.sync(since_older.token, 5)).instance == "newer"
    again = await MatrixChat.open(older.account, older.folder)
    try:
        await again.claim("again")
        assert (await again.sync(since, 0)).instance == "again", "the homeserver repeated an older answer"
    finally:
        await again.close()
