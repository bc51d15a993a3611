"""Our messages' notifications on a phone, as the homeserver's own push rule evaluator decides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from fedbot.matrix import content
from fedbot.messages import markup
from fedbot.ports.chat import Delivery
from fedbot_demo.homeserver import Homeserver
from fedbot_demo.person import Person
from tests.demo.conftest import Introduce
from tests.matrix.conftest import Bot, Employ

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Names the person as older push rules search for them: display name and local part.
WORDS = markup.render(["Bea-rings bea-rings @room: take it?"])


@dataclass
class Scene:
    """A bot and a person in one room with a third, so no rule for direct rooms applies."""

    bot: Bot
    bea: Person
    room: str

    async def send(self, transaction: str, message: dict[str, object]) -> str:
        return await self.bot.chat.send(Delivery(self.room, "m.room.message", message, transaction))

    async def rung(self, *, loudly: bool = False) -> list[str]:
        """The events that notified Bea, oldest first; waits for the last event, because rules are evaluated with a
        delay.
        """
        end = await self.bot.chat.send(
            Delivery(self.room, "m.room.message", content.message(WORDS, mentions=[self.bea.user_id]), "end")
        )
        while True:
            rung = [event.event_id for event in await self.bea.notifications(only_highlights=loudly)]
            if end in rung:
                return [event for event in reversed(rung) if event != end]
            await self.bea.sync(wait=0.2)


@pytest_asyncio.fixture(loop_scope="module")
async def scene(
    homeserver: Homeserver, introduce: Introduce, employ: Employ, request: pytest.FixtureRequest
) -> AsyncIterator[Scene]:
    name = request.function.__name__[-40:].replace("_", "-")
    anna = await introduce(homeserver, f"anna-{name}")
    bea = await introduce(homeserver, f"bea-rings-{name}")
    bot = await employ(homeserver, f"bot-{name}")
    room = await anna.create_room("Makers", invite=[bea.user_id, bot.user_id])
    await bea.join(room)
    await bot.chat.join(room)
    await bea.mark_read(room, await anna.say(room, "welcome"))
    yield Scene(bot, bea, room)


async def test_a_text_that_mentions_a_person_notifies_loudly(scene: Scene) -> None:
    card = await scene.send("card", content.message(WORDS, mentions=[scene.bea.user_id]))
    assert card in await scene.rung(loudly=True)


async def test_a_notice_notifies_nobody_although_it_names_the_person(scene: Scene) -> None:
    await scene.send("quiet", content.message(WORDS))
    await scene.send("reply", content.message(WORDS, reply_to=await scene.send("line", content.message(WORDS))))
    assert await scene.rung() == []


async def test_a_notice_with_a_mention_would_notify_nobody_so_we_refuse_to_make_one(scene: Scene) -> None:
    mistaken = content.message(WORDS) | {"m.mentions": {"user_ids": [scene.bea.user_id]}}
    await scene.send("mistaken", mistaken)
    assert await scene.rung() == []


async def test_an_edit_of_a_card_notifies_nobody_again(scene: Scene) -> None:
    card = await scene.send("card", content.message(WORDS, mentions=[scene.bea.user_id]))
    await scene.bea.mark_read(scene.room, card)
    await scene.send("edit", content.message(WORDS, mentions=[scene.bea.user_id], edits=card))
    await scene.send("edit-2", content.message(WORDS, edits=card, envelope={"v": 1}))
    await scene.send("edit-3", content.message(WORDS, edits=card, notice=False))
    assert await scene.rung() == []


async def test_a_message_in_a_thread_notifies_only_the_people_it_mentions(scene: Scene) -> None:
    card = await scene.send("card", content.message(WORDS))
    await scene.send("waits", content.message(WORDS, thread=card))
    end = await scene.send("done", content.message(WORDS, thread=card, mentions=[scene.bea.user_id]))
    assert await scene.rung(loudly=True) == [end]


async def test_suggested_reactions_and_hidden_envelopes_notify_nobody(scene: Scene) -> None:
    card = await scene.send("card", content.message(WORDS))
    chat, room = scene.bot.chat, scene.room
    await chat.send(Delivery(room, "m.reaction", content.reaction(card, "✅"), "seed"))
    await chat.send(Delivery(room, "dev.fedbot.envelope", content.bare_envelope({"v": 1}), "unseen"))
    assert await scene.rung() == []
