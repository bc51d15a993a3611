"""Encrypted rooms work as others do, but unencrypted or unreadable messages don't count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fedbot.matrix.room import Decrypted
from fedbot.rules.model.command import MOST_LINES_LISTED, HeardSession
from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.lifecycles import TransferState
from tests.dialogue.test_outside import LINE
from tests.dialogue.test_room_upgrades import upgrade
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, told

DONE = TransferState.DONE
ENCRYPTION = {"algorithm": "m.megolm.v1.aes-sha2"}
NOW = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)


async def is_encrypted(world: World) -> None:
    """Somebody enables encryption, and both bots have seen that."""
    world.anna.sets("m.room.encryption", ENCRYPTION)
    await world.settle()


async def test_items_are_given_in_an_encrypted_room_as_in_any_other() -> None:
    world = await friends()
    await is_encrypted(world)
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert {space.transfer().state for space in world.spaces} == {DONE}
    assert_books_balance(world)


async def test_a_request_from_before_the_encryption_is_decided_in_the_encrypted_room() -> None:
    world = await friends()
    card = await world.push()
    await is_encrypted(world)
    world.cem.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert {space.transfer().state for space in world.spaces} == {DONE}
    assert_books_balance(world)


async def test_an_unencrypted_line_in_an_encrypted_room_does_nothing_and_its_author_is_told() -> None:
    world = await friends()
    await is_encrypted(world)
    world.anna.app_encrypts = False
    line = world.anna.says("!fed push M3-NUT 10 to betaspace")
    again = world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.settle()
    assert [answer.text.split(":")[0] for answer in world.room.answers(line)] == ["I did nothing"]
    assert world.room.answers(again) == []
    assert world.alpha.turn.transfers() == []


async def test_an_unencrypted_number_or_reply_is_ignored() -> None:
    """The homeserver's operator may have written it."""
    world = await friends()
    await is_encrypted(world)
    card = await world.push()
    world.cem.app_encrypts = False
    said = [world.cem.says(text, reply_to=card) for text in ("1", "thanks!", "✅")]
    await world.settle()
    assert [world.room.answers(line) for line in said] == [[], [], []]


async def test_an_unencrypted_typed_approval_does_not_count() -> None:
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


async def test_bots_messages_count_unencrypted_too_because_they_are_signed() -> None:
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


async def test_the_author_of_an_unreadable_message_is_told_by_their_own_bot_once_a_day() -> None:
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


async def test_the_author_of_an_unreadable_message_in_the_upgraded_room_is_told_too() -> None:
    world = await friends()
    await upgrade(world, *world.spaces)
    await is_encrypted(world)
    line = world.anna.sends("m.room.encrypted", {"ciphertext": "x"})
    await world.settle()
    assert len(world.room.answers(line)) == 1


async def test_unreadable_messages_of_strangers_and_bots_are_ignored() -> None:
    world = await friends()
    await is_encrypted(world)
    stranger = world.newcomer("eve")
    line = stranger.sends("m.room.encrypted", {"ciphertext": "x"})
    await world.settle()
    assert world.room.answers(line) == []
    assert told(world.room, "give me its key") == []


async def test_an_account_that_apps_warn_of_is_reported_to_the_admins_once() -> None:
    world = await friends()
    world.alpha.chat.untrusted = "another client has made the account's own keys"
    for _ in range(2):
        await world.alpha.restart()
        await world.settle()
    (told_once,) = told(world.alpha_admins, "show a warning beside my messages")
    assert "fedbot verify" in told_once.text


# --- a homeserver that shows an old line again -------------------------------------------------------------------


def repeats(world: World, line: str) -> None:
    """The homeserver shows the encrypted line again, as if its author had just typed it."""
    (old,) = [event for event in world.server.log if event["event_id"] == line]
    assert isinstance(old, Decrypted)
    now = round(world.clock.now().timestamp() * 1000)
    again = Decrypted({**old, "event_id": f"$again{len(world.server.log)}", "origin_server_ts": now})
    again.session, again.index = old.session, old.index
    world.server.log.append(again)


async def test_an_encrypted_line_that_a_homeserver_repeats_later_does_nothing_again() -> None:
    """For a loan to a neighbour, an approver's line is the whole decision."""
    world = await friends()
    await is_encrypted(world)
    line = world.piet.says(f"!fed {LINE}")
    await world.settle()
    (loan,) = world.alpha.turn.all(OutsideLoan)
    await world.answer(world.piet, f"!fed return {loan.code}")
    nuts = world.alpha.total("M3-NUT")
    for restarts in (False, True, True):
        if restarts:
            await world.alpha.restart()
        await world.passes(timedelta(days=20))
        repeats(world, line)
        await world.settle()
        assert world.alpha.total("M3-NUT") == nuts, world.room.transcript()
    assert not [each for each in world.alpha.turn.all(OutsideLoan) if each.is_living]
    assert len(told(world.room, "I have read exactly this line before")) == 3
    world.piet.says(f"!fed {LINE}")
    await world.settle()
    assert world.alpha.total("M3-NUT") == nuts - loan.quantity, "a line that is typed again counts"


async def test_a_repeated_line_of_the_admin_room_adds_nobody_again() -> None:
    world = await friends()
    world.newcomer("mia")
    world.anna.sets("m.room.encryption", ENCRYPTION, room=world.alpha_admins.id)
    await world.settle()
    line = world.anna.says("!fed people add @mia:twin.test as piet", room=world.alpha_admins.id)
    await world.settle()
    assert "@mia:twin.test" in world.alpha.turn.us.people
    world.anna.says("!fed people remove @mia:twin.test", room=world.alpha_admins.id)
    await world.settle()
    await world.alpha.restart()
    repeats(world, line)
    await world.settle()
    assert "@mia:twin.test" not in world.alpha.turn.us.people, world.alpha_admins.transcript()


def test_the_memory_of_encrypted_lines_is_bounded_and_forgets_no_line_of_a_listed_key() -> None:
    heard = HeardSession("s", "@anna:x", NOW)
    for index in range(0, 3 * MOST_LINES_LISTED, 2):
        assert not heard.has(index)
        heard = heard.after(index)
        assert heard.has(index)
    assert len(heard.indexes) == MOST_LINES_LISTED
    assert all(heard.has(index) for index in range(0, 3 * MOST_LINES_LISTED, 2))
    assert not heard.has(3 * MOST_LINES_LISTED)
    assert heard.after(5) == heard
