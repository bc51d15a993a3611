"""Messages of another version: an unknown kind or version has no effect, and is reported once a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fedbot.rules import wire
from tests.scenarios.world import World, friends, told

NOTICE = "I can't read the message from @"


def writes(world: World, content: dict[str, Any], number: int) -> None:
    """Attraktor's bot writes a message that its own code would not."""
    sender = world.alpha.chat.user_id
    about = {"dev.fedbot": content}
    world.server.send(sender, world.room.id, "dev.fedbot.envelope", about, device="newer", transaction=f"{number}")


def of_kind(world: World, kind: str) -> dict[str, Any]:
    """A properly signed message about the friendship, of that kind."""
    connection = world.alpha.connection()
    unsigned = {
        "id": "a" * 20,
        "kind": kind,
        "from": "attraktor",
        "to": "betaspace",
        "room": world.room.id,
        "connection": connection.id,
        "seq": connection.exchange.sent + 1,
        "terms_hash": "",
        "body": {},
        "sent_at": world.clock.now(),
    }
    return wire.sign(world.alpha.identity, unsigned)


async def test_a_message_of_an_unknown_kind_changes_nothing_and_is_reported_once_a_day() -> None:
    world = await friends()
    before = world.beta.connection()
    for number in range(3):
        writes(world, of_kind(world, "lend-out"), number)
        await world.settle()
    assert world.beta.connection() == before
    assert len(told(world.room, NOTICE)) == 1
    assert "kind" in told(world.room, NOTICE)[0].text
    await world.passes(timedelta(days=1, minutes=1))
    writes(world, of_kind(world, "lend-out"), 9)
    await world.settle()
    assert len(told(world.room, NOTICE)) == 2


async def test_a_message_of_an_unknown_version_changes_nothing_and_is_reported_once() -> None:
    world = await friends()
    before = world.beta.connection()
    writes(world, {**of_kind(world, "seen"), "v": 2}, 1)
    writes(world, {"v": 3, "anything": ["else"]}, 2)
    await world.settle()
    assert world.beta.connection() == before
    assert len(told(world.room, NOTICE)) == 1
    assert "version" in told(world.room, NOTICE)[0].text


async def test_a_strangers_nonsense_under_our_key_is_answered_by_nobody() -> None:
    world = await friends()
    world.tom.sends("dev.fedbot.envelope", {"dev.fedbot": {"v": 2}})
    await world.settle()
    assert told(world.room, NOTICE) == []
    assert world.alpha.bot.engine.failures == world.beta.bot.engine.failures == 0
