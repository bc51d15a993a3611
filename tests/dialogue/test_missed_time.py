"""A bot that was away for minutes, hours or days: what still counts when it is back, and how often it is said."""

from __future__ import annotations

from datetime import timedelta

from fedbot.rules.model.lifecycles import TransferState
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, sharing

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


async def away(world: World, time: timedelta) -> None:
    """Both bots are down for that time."""
    for space in world.spaces:
        space.is_asleep = True
    await world.passes(time)


async def back(world: World) -> None:
    """Both bots are up again and have read the missed messages."""
    for space in world.spaces:
        await space.restart()
    await world.settle()
    await world.passes(timedelta(hours=2))


async def test_a_line_a_few_minutes_old_is_done_and_an_older_one_must_be_sent_again() -> None:
    world = await friends()
    await away(world, timedelta(0))
    old = world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.passes(14 * MINUTE)
    new = world.anna.says("!fed push M3-NUT 2 to betaspace")
    await world.passes(2 * MINUTE)
    for space in world.spaces:
        await space.restart()
    await world.settle()
    assert "I have only just read it" in world.answer_to(old)
    assert "send it again: !fed push M3-NUT 10 to betaspace" in world.answer_to(old)
    assert [t.terms.lines[0].quantity for t in world.beta.turn.transfers()] == [2]
    await back(world)
    assert "I have only just read it" in world.answer_to(old)
    assert "I have only just read it" not in world.answer_to(new)


async def test_after_ten_days_away_each_open_request_expires_once_on_both_sides() -> None:
    world = await sharing()
    cards = [await world.push("M3-NUT 10"), await world.push("M3-NUT 2")]
    world.tom.says("!fed request 5 RES-10K from attraktor")
    await world.settle()
    await away(world, DAY)
    for number in range(120):  # more than any homeserver returns at once
        world.kim.says(f"we talk of something else ({number})")
    lines = [world.anna.says("!fed push M3-NUT 3 to betaspace"), world.tom.says("!fed stats")]
    await world.passes(8 * DAY)
    too_late = world.cem.reacts(cards[0], "✅")
    await world.passes(DAY)
    before = len(world.room.messages())
    await back(world)
    for space in world.spaces:
        assert [t.state for t in space.turn.transfers()] == [TransferState.EXPIRED] * 3
    said = world.room.messages()[before:]
    for line in lines:
        assert "send it again" in world.answer_to(line)
    ends = [m for m in said if m not in [a for line in lines for a in world.room.answers(line)]]
    assert len([m for m in ends if "xpired" in m.text]) == 3, world.room.transcript()
    assert not [m for m in said if "remind" in m.text.lower()]
    assert len(world.room.answers(too_late)) <= 1
    after = [m.text for m in world.room.messages()]
    await back(world)
    assert [m.text for m in world.room.messages()] == after, "told again after another start"
    assert_books_balance(world)
