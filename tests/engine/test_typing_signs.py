"""The typing notification starts at once and ends when the answer is in the room."""

from __future__ import annotations

import asyncio

from fedbot.engine.chat_worker import TypingNotifications
from fedbot.ports.chat import ChatUnreachable
from fedbot.rules.model.effects import Typing
from tests.scenarios.space import Space
from tests.scenarios.world import World, a_world


class SilentChat:
    """Accepts typing notifications, or doesn't."""

    def __init__(self, *, reachable: bool = True) -> None:
        self.typed: list[tuple[str, int]] = []
        self.reachable = reachable

    async def typing(self, room: str, seconds: int) -> None:
        if not self.reachable:
            raise ChatUnreachable("nobody is there")
        self.typed.append((room, seconds))


async def _all_begun() -> None:
    """Let every task that has begun run once."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*filter(None, others))


async def test_the_notification_stays_until_all_is_said() -> None:
    chat = SilentChat()
    signs = TypingNotifications(chat)  # type: ignore[arg-type]  # the part of the port that it uses
    signs.show(Typing("!r", 30))
    signs.show(Typing("!r", 0))
    await _all_begun()
    assert chat.typed == [("!r", 30)]
    signs.all_is_said()
    signs.all_is_said()
    await _all_begun()
    assert chat.typed == [("!r", 30), ("!r", 0)]


async def test_the_end_of_the_last_answer_does_not_end_the_next_lines_notification() -> None:
    chat = SilentChat()
    signs = TypingNotifications(chat)  # type: ignore[arg-type]
    signs.show(Typing("!r", 0))
    signs.show(Typing("!r", 30))
    signs.all_is_said()
    await _all_begun()
    assert chat.typed == [("!r", 30)]


async def test_a_homeserver_that_refuses_typing_notifications_disturbs_nothing() -> None:
    signs = TypingNotifications(SilentChat(reachable=False))  # type: ignore[arg-type]
    signs.show(Typing("!r", 30))
    signs.show(Typing("!r", 0))
    signs.all_is_said()
    await _all_begun()


async def test_the_courier_ends_the_notification_after_the_answer() -> None:
    world = await a_world()
    space = world.alpha
    world.anna.says("!fed connect betaspace")
    courier = asyncio.create_task(space.bot.chat_worker.run())
    try:
        async with asyncio.timeout(10):
            await _until_the_sign_is_down(world, space)
    finally:
        courier.cancel()
    assert world.room.messages(sender=space.chat.user_id), "the sign went down, but nothing was said"


async def _until_the_sign_is_down(world: World, space: Space) -> None:
    """Read and answer, but leave the sending to the courier."""
    while (space.chat.user_id, world.room.id, 0) not in world.server.typed:
        space.bot.syncing.take(await space.chat.sync(space.journal.token(), 0))
        for row in space.journal.due("ask", world.clock.now()):
            await space.bot.query_worker.perform(row)
        await asyncio.sleep(0)
