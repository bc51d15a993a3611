"""Reminders of open cards: on day 2 and a day before the end, in the deciding space's waking hours, never twice."""
# ruff: noqa: ANN401 -- `beta` are any settings that a test needs

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fedbot.rules.model.lifecycles import ConnectionState
from fedbot_demo.inventree.faults import Fault, FaultKind
from tests.fakes.people import Message
from tests.scenarios.world import World, a_world, friends, sharing

BERLIN = ZoneInfo("Europe/Berlin")
A_DAY = timedelta(days=1)


def reminders(world: World) -> list[Message]:
    return [m for m in world.room.messages() if "is still waiting for your decision" in m.text]


def times(world: World) -> list[datetime]:
    """The times of the reminders, by the wall clock in Berlin."""
    known = {m.event_id for m in reminders(world)}
    stamps = [e["origin_server_ts"] for e in world.server.log if e["event_id"] in known]
    return [datetime.fromtimestamp(stamp / 1000, BERLIN) for stamp in stamps]


async def offered(start: datetime | None = None, **beta: Any) -> tuple[World, Message]:
    """A push offered at that time (by default Tue 24 Nov, 21:14 in Berlin), and not decided by betaspace."""
    world = await friends(beta={"time_zone": "Europe/Berlin", **beta})
    if start is not None:
        world.clock.advance(start - world.clock.now())
    return world, await world.push("M3-NUT 10")


async def test_approvers_are_reminded_on_day_two_and_a_day_before_the_end_in_the_cards_thread() -> None:
    world, card = await offered()
    await world.passes(timedelta(days=8))
    assert [f"{at:%a %H:%M}" for at in times(world)] == ["Thu 21:14", "Mon 21:14"]
    for reminder in reminders(world):
        assert reminder.thread == card.event_id
        assert reminder.sender == world.beta.chat.user_id
        assert not reminder.is_notice
        assert reminder.mentions == card.mentions
        assert 1 <= len(reminder.mentions) <= 3
    assert reminders(world)[0].text.splitlines()[0].startswith("@Bea @Cem")
    assert "10 × " in reminders(world)[0].text


async def test_nobody_is_reminded_at_night_but_the_next_morning() -> None:
    world, _ = await offered(datetime(2026, 11, 25, 22, 30, tzinfo=UTC))
    await world.passes(timedelta(days=8))
    assert [f"{at:%a %H:%M}" for at in times(world)] == ["Sat 08:00", "Wed 08:00"]


async def test_the_night_is_the_deciding_spaces_own_in_summer_and_winter() -> None:
    world, _ = await offered(datetime(2027, 3, 26, 4, tzinfo=UTC), quiet_from=datetime.min.time().replace(hour=21))
    await world.passes(timedelta(days=8))
    # asked at 05:00 in winter; day 2 is the Sunday on which 02:00 becomes 03:00
    assert [f"{at:%d.%m. %H:%M %Z}" for at in times(world)] == ["28.03. 08:00 CEST", "01.04. 08:00 CEST"]
    world, _ = await offered(datetime(2027, 10, 29, 4, 30, tzinfo=UTC))
    await world.passes(timedelta(days=8))
    assert [f"{at:%d.%m. %H:%M %Z}" for at in times(world)] == ["31.10. 08:00 CET", "04.11. 08:00 CET"]


async def test_a_decision_ends_the_reminding() -> None:
    world, card = await offered()
    world.bea.reacts(card, "❌")
    await world.grace()
    await world.passes(timedelta(days=8))
    assert reminders(world) == []


async def test_a_restart_neither_repeats_nor_drops_a_reminder() -> None:
    world, _ = await offered()
    await world.passes(timedelta(days=2, minutes=5))
    assert len(reminders(world)) == 1
    await world.beta.restart()
    await world.passes(A_DAY)
    assert len(reminders(world)) == 1
    await world.beta.restart()
    await world.passes(timedelta(days=3))
    assert len(reminders(world)) == 2


async def test_reminders_that_a_sleeping_bot_missed_are_sent_once() -> None:
    world, _ = await offered()
    await world.passes(timedelta(days=6, hours=14), asleep=(world.beta,))
    await world.beta.restart()
    await world.passes(timedelta(days=1))
    assert len(reminders(world)) == 1


async def test_a_short_deadline_has_one_reminder_and_a_very_short_one_none() -> None:
    for days, count in ((1, 0), (2, 1), (3, 1), (4, 2)):
        world = await friends(alpha={"request_open_for": timedelta(days=days)}, beta={"time_zone": "Europe/Berlin"})
        await world.push("M3-NUT 10")
        await world.passes(timedelta(days=days + 1))
        assert len(reminders(world)) == count, days


async def test_reminders_wait_for_an_inventree_that_is_down_and_then_for_the_morning() -> None:
    world, _ = await offered()
    world.beta.transport.faults.add(Fault(FaultKind.REFUSED, ".*", ".*", times=None))
    await world.passes(timedelta(days=2, hours=3))
    assert reminders(world) == []
    world.beta.transport.faults.clear()
    await world.passes(timedelta(hours=12))
    assert [f"{at:%a %H:%M}" for at in times(world)] == ["Fri 08:00"]


async def test_superusers_are_reminded_of_a_space_that_asks_to_be_friends() -> None:
    world = await a_world(beta={"time_zone": "Europe/Berlin"})
    world.anna.says("!fed connect betaspace")
    await world.settle()
    card = world.room.message("Agree?")
    await world.passes(timedelta(days=8))
    assert [f"{at:%a %H:%M}" for at in times(world)] == ["Thu 21:14", "Mon 21:14"]
    assert {reminder.thread for reminder in reminders(world)} == {card.event_id}
    assert all(reminder.mentions == card.mentions for reminder in reminders(world))
    assert "the friendship with Attraktor" in reminders(world)[0].text


async def test_nobody_is_reminded_of_a_cancelled_transfer() -> None:
    world, _ = await offered()
    world.anna.says(f"!fed cancel {world.alpha.transfer().code}")
    await world.settle()
    await world.passes(timedelta(days=8))
    assert reminders(world) == []


async def test_nobody_is_reminded_while_the_connection_is_paused() -> None:
    world, _ = await offered()
    connection = world.beta.connection("attraktor")
    world.beta.bot.engine.state.take_over(
        {("Connection", connection.id): replace(connection, state=ConnectionState.SUSPENDED)}
    )
    await world.passes(timedelta(days=3))
    assert reminders(world) == []


async def test_between_reminders_the_bot_sleeps() -> None:
    world, _ = await offered()
    await world.passes(timedelta(minutes=5))
    wake = world.beta.bot.next_wake()
    assert wake is not None
    assert wake - world.clock.now() > timedelta(days=1)


async def test_the_requester_is_reminded_of_a_smaller_grant() -> None:
    world = await sharing(alpha={"time_zone": "Europe/Berlin"}, beta={"time_zone": "Europe/Berlin"})
    world.tom.says("!fed request 50 M3-BOLT from attraktor")
    await world.settle()
    world.piet.says("!fed approve 20", reply_to=world.room.message("Give it?"))
    await world.grace()
    card = world.room.message("less than asked")
    await world.passes(timedelta(days=8))
    assert [f"{at:%a %H:%M}" for at in times(world)] == ["Thu 21:14", "Mon 21:14"]
    for reminder in reminders(world):
        assert (reminder.sender, reminder.thread) == (world.beta.chat.user_id, card.event_id)
        assert reminder.mentions[0] == world.tom.user_id
