"""A room that is encrypted one day: nothing said there counts any more, what was decided before is finished."""

from __future__ import annotations

from datetime import timedelta

from fedbot.federation.documents import TransferState
from tests.dialogue.books import assert_books_balance
from tests.dialogue.world import World, friends, told

DONE, EXPIRED, OPEN = TransferState.DONE, TransferState.EXPIRED, TransferState.OPEN


async def is_encrypted(world: World) -> None:
    """Somebody switches it on, and both bots have seen that."""
    world.anna.sets("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    await world.settle()


async def test_a_line_in_an_encrypted_room_is_answered_by_nobody_even_if_it_comes_in_clear() -> None:
    world = await friends()
    await is_encrypted(world)
    line = world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.settle()
    assert world.room.answers(line) == []
    assert world.alpha.turn.transfers() == []


async def test_a_tap_in_an_encrypted_room_decides_nothing_though_reactions_are_in_clear() -> None:
    world = await friends()
    card = await world.push()
    await is_encrypted(world)
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is OPEN
    await world.passes(timedelta(days=8))
    assert {space.transfer().state for space in world.spaces} == {EXPIRED}
    assert told(world.room, "still waits") == []
    assert_books_balance(world)


async def test_what_was_decided_before_the_room_was_encrypted_arrives() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    await is_encrypted(world)
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert {space.transfer().state for space in world.spaces} == {DONE}
    assert world.beta.total("N-M3") == 910
    assert_books_balance(world)
