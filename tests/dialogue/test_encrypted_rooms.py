"""Encrypted rooms: all is as in others, but what comes in clear or can't be read counts for nothing."""

from __future__ import annotations

from datetime import timedelta

from fedbot.rules.model.lifecycles import TransferState
from tests.dialogue.test_moving import upgrade
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, told

DONE = TransferState.DONE
ENCRYPTION = {"algorithm": "m.megolm.v1.aes-sha2"}


async def is_encrypted(world: World) -> None:
    """Somebody switches it on, and both bots have seen that."""
    world.anna.sets("m.room.encryption", ENCRYPTION)
    await world.settle()


async def test_in_an_encrypted_room_things_are_given_as_in_any_other() -> None:
    world = await friends()
    await is_encrypted(world)
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert {space.transfer().state for space in world.spaces} == {DONE}
    assert_books_balance(world)


async def test_what_was_asked_before_the_room_was_encrypted_is_decided_in_it() -> None:
    world = await friends()
    card = await world.push()
    await is_encrypted(world)
    world.cem.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert {space.transfer().state for space in world.spaces} == {DONE}
    assert_books_balance(world)


async def test_a_line_that_comes_in_clear_into_an_encrypted_room_does_nothing_and_its_author_is_told() -> None:
    world = await friends()
    await is_encrypted(world)
    world.anna.app_encrypts = False
    line = world.anna.says("!fed push M3-NUT 10 to betaspace")
    again = world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.settle()
    assert [answer.text.split(":")[0] for answer in world.room.answers(line)] == ["I did nothing"]
    assert world.room.answers(again) == []
    assert world.alpha.turn.transfers() == []


async def test_a_number_or_a_reply_that_comes_in_clear_is_for_nobody() -> None:
    """Whoever runs the homeserver may have written it."""
    world = await friends()
    await is_encrypted(world)
    card = await world.push()
    world.cem.app_encrypts = False
    said = [world.cem.says(text, reply_to=card) for text in ("1", "thanks!", "✅")]
    await world.settle()
    assert [world.room.answers(line) for line in said] == [[], [], []]


async def test_an_approval_typed_in_clear_doesnt_count() -> None:
    world = await friends()
    await is_encrypted(world)
    card = await world.push()
    world.cem.app_encrypts = False
    world.cem.says("!fed approve", reply_to=card)
    await world.grace()
    assert {space.transfer().state for space in world.spaces} == {TransferState.OPEN}
    world.cem.app_encrypts = True
    world.cem.says("!fed approve", reply_to=card)
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert {space.transfer().state for space in world.spaces} == {DONE}
    assert_books_balance(world)


async def test_messages_of_bots_count_in_clear_too_as_they_are_signed() -> None:
    """A bot may not know yet that the room is encrypted when it writes."""
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    await is_encrypted(world)
    for event in world.server.log:
        assert "dev.fedbot" not in event["content"] or type(event) is dict
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert {space.transfer().state for space in world.spaces} == {DONE}


async def test_who_says_what_nobody_can_read_is_told_by_the_own_bot_once_a_day() -> None:
    world = await friends()
    await is_encrypted(world)
    lines = [world.anna.sends("m.room.encrypted", {"ciphertext": "x"}) for _ in range(3)]
    await world.settle()
    answers = [world.room.answers(line) for line in lines]
    assert [len(found) for found in answers] == [1, 0, 0]
    assert answers[0][0].sender == world.alpha.chat.user_id
    await world.passes(timedelta(days=1, minutes=1))
    later = world.anna.sends("m.room.encrypted", {"ciphertext": "x"})
    await world.settle()
    assert len(world.room.answers(later)) == 1


async def test_who_says_it_in_the_room_that_took_the_old_ones_place_is_told_too() -> None:
    world = await friends()
    await upgrade(world, *world.spaces)
    await is_encrypted(world)
    line = world.anna.sends("m.room.encrypted", {"ciphertext": "x"})
    await world.settle()
    assert len(world.room.answers(line)) == 1


async def test_what_strangers_and_bots_say_unreadably_is_passed_over() -> None:
    world = await friends()
    await is_encrypted(world)
    stranger = world.newcomer("eve")
    line = stranger.sends("m.room.encrypted", {"ciphertext": "x"})
    await world.settle()
    assert world.room.answers(line) == []
    assert told(world.room, "give me its key") == []


async def test_an_account_of_which_apps_warn_is_told_to_the_admins_once() -> None:
    world = await friends()
    world.alpha.chat.untrusted = "another client has made the account's own keys"
    for _ in range(2):
        await world.alpha.restart()
        await world.settle()
    (told_once,) = told(world.alpha_admins, "show a warning beside my messages")
    assert "fedbot verify" in told_once.text
