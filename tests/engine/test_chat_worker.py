"""The chat worker running: it waits while the homeserver is silent, and can be stopped at once."""

from __future__ import annotations

import asyncio

from tests.scenarios.world import World, a_world


async def with_something_to_say() -> World:
    """Attraktor's bot has an answer to send, and its homeserver has just gone away."""
    world = await a_world()
    world.anna.says("!fed help")
    batch = await world.alpha.chat.sync(world.alpha.journal.token(), 0)
    world.alpha.bot.syncing.take(batch)
    assert world.alpha.journal.due("chat", world.clock.now())
    world.alpha.chat.is_unreachable = True
    return world


async def rounds(number: int) -> None:
    """Let everything run that needs no time."""
    for _ in range(number):
        await asyncio.sleep(0)


async def test_a_bot_that_waits_for_its_homeserver_stops_at_once() -> None:
    world = await with_something_to_say()
    running = asyncio.create_task(world.alpha.bot.chat_worker.run())
    await rounds(50)
    assert world.alpha.bot.homeserver.since is not None
    running.cancel()
    ended, _ = await asyncio.wait({running}, timeout=2)
    assert ended


async def test_a_silent_homeserver_gets_few_tries_and_all_messages_in_the_end() -> None:
    world = await with_something_to_say()
    running = asyncio.create_task(world.alpha.bot.chat_worker.run())
    await rounds(50)
    tried = len(world.alpha.chat.deliveries)
    await rounds(50)
    assert len(world.alpha.chat.deliveries) == tried
    world.alpha.chat.is_unreachable = False
    world.clock.advance(300)
    await rounds(50)
    assert not world.alpha.journal.due("chat", world.clock.now())
    running.cancel()
