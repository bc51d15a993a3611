"""Bots of neighbouring versions use a version that both speak. Without one they don't connect, and people know why."""

from __future__ import annotations

from typing import Any

import pytest

from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.wire import VERSION, Draft, common_version, sign_announcement, wire_time
from tests.dialogue.test_announcements import genuine, puts
from tests.dialogue.test_dishonest_friends import forges
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, a_world, friends, told

NEXT = VERSION + 1


def speaks(world: World, *versions: int) -> None:
    """Betaspace's bot announces these versions, and a field that we don't know."""
    content = genuine(world, world.beta.chat.user_id)
    entry = {name: value for name, value in content["parties"][0].items() if name != "sig"}
    entry |= {"speaks": list(versions), "at": wire_time(world.clock.now()) + 1, "smell": "of tomorrow"}
    signed = sign_announcement(
        world.beta.identity, world.beta.chat.user_id, world.room.id, {"v": 1, "parties": [entry]}
    )
    puts(world, world.beta.chat.user_id, signed)


def says_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each message of betaspace's bot has a field that we don't know from now on."""
    envelope = world.beta.bot.chat_worker._envelope

    def more(draft: Draft, room: str) -> dict[str, Any]:
        draft.body["tomorrow"] = {"says": "more"}
        return envelope(draft, room)

    monkeypatch.setattr(world.beta.bot.chat_worker, "_envelope", more)


async def test_a_bot_of_the_next_version_that_speaks_ours_too_is_a_friend_like_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await a_world()
    speaks(world, VERSION, NEXT)
    says_more(world, monkeypatch)
    await world.settle()
    assert world.alpha.turn.announcements(world.room.id)[0].parties[0].speaks == (VERSION, NEXT)
    await world.connect()
    await world.hand_over()
    assert world.alpha.connection().state is ConnectionState.ACTIVE
    assert {space.transfer().state for space in world.spaces} == {TransferState.DONE}
    assert_books_balance(world)


async def test_without_a_common_version_nobody_is_asked_and_it_is_said_who_has_to_update() -> None:
    world = await a_world()
    speaks(world, NEXT, NEXT)
    await world.settle()
    line = world.anna.says("!fed connect betaspace")
    await world.settle()
    assert f"It speaks version {NEXT} of the bots' protocol, I speak {VERSION}" in world.answer_to(line)
    assert world.alpha.turn.connections() == []


async def test_a_message_of_a_version_that_we_do_not_speak_has_no_effect_and_is_reported_once() -> None:
    world = await friends()
    before = world.alpha.connection()
    for number in range(2):
        content = {"dev.fedbot": {"v": NEXT, "tomorrow": number}}
        sender = world.beta.chat.user_id
        world.server.send(sender, world.room.id, "dev.fedbot.envelope", content, device="x", transaction=str(number))
        await world.settle()
    assert len(told(world.room, f"It speaks version {NEXT} of the bots' protocol")) == 1
    assert world.alpha.connection() == before
    forges(world, world.beta, world.beta.connection(), "seen", {"tomorrow": True})
    await world.settle()
    assert world.alpha.connection().state is ConnectionState.ACTIVE


@pytest.mark.parametrize(
    ("theirs", "common"),
    [((1, 1), VERSION), ((VERSION, NEXT), VERSION), ((NEXT, NEXT), None), ((1, 1_000_000), VERSION)],
)
def test_the_newest_version_that_both_speak_is_used(theirs: tuple[int, int], common: int | None) -> None:
    assert common_version(theirs) == common
