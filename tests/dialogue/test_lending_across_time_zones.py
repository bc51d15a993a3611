"""A loan's due date is a day in the owner's time zone: Auckland, where it is already tomorrow, lends to Los Angeles."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest

from fedbot.commands import push, request
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import Terms
from tests.dialogue.test_lending import lent, loan, owners_card
from tests.fakes.people import Message
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, sharing, told

AUCKLAND, LOS_ANGELES = "Pacific/Auckland", "America/Los_Angeles"
# The clock starts on Tue 24 Nov, 20:14 UTC: 12:14 in Los Angeles, 9:14 of the 25th in Auckland.


async def between(owner: str, borrower: str) -> World:
    """Attraktor, in the first zone, and betaspace, in the second, share everything with each other."""
    return await sharing(alpha={"time_zone": owner}, beta={"time_zone": borrower})


async def until(world: World, moment: datetime) -> None:
    await world.passes(moment - world.clock.now())


def reminded(world: World) -> list[tuple[str, str]]:
    """The reminders in Los Angeles (or betaspace's zone): local time and text."""
    zone = ZoneInfo(world.beta.us.time_zone)
    return [
        (_at(world, m).astimezone(zone).strftime("%a %d %b, %H:%M"), m.text.splitlines()[0].split("(M3-NUT) ")[1])
        for m in world.room.messages(sender=world.beta.chat.user_id)
        if "due back at Attraktor" in m.text or "was due back" in m.text
    ]


def _at(world: World, message: Message) -> datetime:
    event = next(e for e in world.server.log if e.get("event_id") == message.event_id)
    return datetime.fromtimestamp(event["origin_server_ts"] / 1000, UTC)


def zone_in_metadata(space: Space) -> object:
    item = loan(space).at(1).item
    assert item
    return space.metadata("stockitem", item).get("time_zone")


async def test_the_due_date_is_the_owners_on_both_sides_and_says_so_where_it_differs() -> None:
    world = await between(AUCKLAND, LOS_ANGELES)
    await lent("M3-NUT 10", "for 3 days", world)
    assert [str(loan(space).due_day) for space in world.spaces] == ["2026-11-28", "2026-11-28"]
    assert {loan(space).terms.time_zone for space in world.spaces} == {AUCKLAND}
    assert "on loan from Attraktor to Betaspace until Sat 28 Nov 2026 (Auckland time)." in world.card().text
    assert "due Sat 28 Nov 2026." in world.room.message("is at Betaspace, due").text, "the owner's bot says that"
    assert [zone_in_metadata(space) for space in world.spaces] == [AUCKLAND, AUCKLAND]
    assert_books_balance(world)


async def test_it_is_overdue_for_both_at_the_owners_midnight() -> None:
    world = await between(AUCKLAND, LOS_ANGELES)
    await lent("M3-NUT 10", "for 3 days", world)
    midnight = datetime(2026, 11, 29, tzinfo=ZoneInfo(AUCKLAND))
    await until(world, midnight - timedelta(minutes=1))
    assert "Lent until Sat 28 Nov 2026." in await world.answer(world.anna, "!fed todo")
    assert "Borrowed until Sat 28 Nov 2026 (Auckland time)." in await world.answer(world.bea, "!fed todo")
    await until(world, midnight)
    assert "⚠ Lent; it was due Sat 28 Nov 2026." in await world.answer(world.anna, "!fed todo")
    assert "⚠ Borrowed; it was due Sat 28 Nov 2026 (Auckland time)." in await world.answer(world.bea, "!fed todo")


async def test_reminders_come_on_the_owners_days_but_never_in_the_borrowers_night() -> None:
    world = await between(AUCKLAND, LOS_ANGELES)
    await lent("M3-NUT 10", "until 2.12.", world)
    await until(world, datetime(2026, 12, 11, tzinfo=UTC))
    day = "Wed 2 Dec 2026 (Auckland time)."
    assert reminded(world) == [  # in Los Angeles, 29 November in Auckland begins at 3 in the night before
        ("Sat 28 Nov, 08:00", f"is due back at Attraktor by {day}"),
        ("Mon 30 Nov, 08:00", f"is due back at Attraktor tomorrow, {day}"),
        ("Tue 01 Dec, 08:00", f"is due back at Attraktor today, {day}"),
        ("Tue 08 Dec, 08:00", f"was due back at Attraktor on {day}"),
    ]


async def test_in_the_other_direction_a_day_begins_in_the_evening_before_the_night() -> None:
    world = await between(LOS_ANGELES, AUCKLAND)
    await lent("M3-NUT 10", "until 28.11.", world)
    await until(world, datetime(2026, 11, 29, 12, tzinfo=UTC))
    day = "Sat 28 Nov 2026 (Los Angeles time)."
    assert reminded(world)[-2:] == [
        ("Fri 27 Nov, 21:00", f"is due back at Attraktor tomorrow, {day}"),
        ("Sat 28 Nov, 21:00", f"is due back at Attraktor today, {day}"),
    ]


async def test_an_extension_is_counted_by_the_owners_calendar_whoever_asks() -> None:
    world = await between(AUCKLAND, LOS_ANGELES)
    await lent("M3-NUT 10", "until today", world)
    answer = await world.answer(world.bea, f"!fed extend {loan(world.beta).code} until tomorrow")
    assert "until Thu 26 Nov 2026 (Auckland time)" in answer
    assert "until Thu 26 Nov 2026. Extend" in owners_card(world).text
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert [str(loan(space).due_day) for space in world.spaces] == ["2026-11-26", "2026-11-26"]
    await until(world, datetime(2026, 11, 27, 10, tzinfo=ZoneInfo(AUCKLAND)))
    await world.answer(world.bea, f"!fed extend {loan(world.beta).code} 1 day")
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert [str(loan(space).due_day) for space in world.spaces] == ["2026-11-28", "2026-11-28"], "from the owner's day"


async def test_the_owners_answer_to_a_request_says_whose_day_it_is() -> None:
    world = await between(AUCKLAND, LOS_ANGELES)
    assert "until Wed 25 Nov 2026." in await world.answer(
        world.bea, "!fed request 5 RES-10K from attraktor until tomorrow"
    )
    assert world.beta.transfer().terms.time_zone == AUCKLAND
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert [loan(space).is_on_loan for space in world.spaces] == [True, True]
    await until(world, datetime(2026, 11, 26, tzinfo=ZoneInfo(AUCKLAND)))
    assert "it was due Wed 25 Nov 2026 (Auckland time)" in await world.answer(world.bea, "!fed todo")
    assert_books_balance(world)


async def test_a_smaller_grant_keeps_the_owners_day() -> None:
    world = await between(AUCKLAND, LOS_ANGELES)
    await world.answer(world.bea, "!fed request 5 RES-10K from attraktor for 2 weeks")
    world.piet.says("!fed approve 3", reply_to=owners_card(world))
    await world.grace()
    world.bea.reacts(world.card(), "✅")
    await world.grace()
    assert {(loan(s).is_on_loan, loan(s).terms.time_zone, str(loan(s).due_day)) for s in world.spaces} == {
        (True, AUCKLAND, "2026-12-08")
    }
    assert_books_balance(world)


async def test_a_day_that_has_passed_at_the_owners_is_declined_with_what_to_do() -> None:
    world = await between(AUCKLAND, LOS_ANGELES)
    await world.answer(world.bea, "!fed request 5 RES-10K from attraktor until today")
    assert [space.transfer().state for space in world.spaces] == [TransferState.DECLINED, TransferState.DECLINED]
    end = world.room.message("that due date is in the past at Attraktor").text
    assert "Ask until a later day." in end
    assert_books_balance(world)


def with_zone(monkeypatch: pytest.MonkeyPatch, verb: ModuleType, zone: str) -> None:
    """That verb makes terms with this zone."""
    monkeypatch.setattr(verb, "Terms", lambda **fields: replace(Terms(**fields), time_zone=zone))


async def test_an_unknown_time_zone_is_shown_as_it_is_and_read_as_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await between(AUCKLAND, LOS_ANGELES)
    with_zone(monkeypatch, push, "../../Mars/Phobos")
    await lent("M3-NUT 10", "until 28.11.", world)
    await until(world, datetime(2026, 11, 28, 16, 30, tzinfo=UTC))
    assert reminded(world)[-1] == (
        "Sat 28 Nov, 08:00",
        "is due back at Attraktor today, Sat 28 Nov 2026 (Phobos time).",
    )
    await world.answer(world.bea, f"!fed extend {loan(world.beta).code} 1 week")
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert [str(loan(space).due_day) for space in world.spaces] == ["2026-12-05", "2026-12-05"]
    assert [space.bot.engine.failures for space in world.spaces] == [0, 0]


async def test_a_loan_without_an_agreed_time_zone_is_read_by_each_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await between(AUCKLAND, LOS_ANGELES)
    with_zone(monkeypatch, push, "")
    await lent("M3-NUT 10", "until 28.11.", world)
    await until(world, datetime(2026, 11, 29, tzinfo=ZoneInfo(AUCKLAND)))
    assert "⚠ Lent; it was due Sat 28 Nov 2026." in await world.answer(world.anna, "!fed todo")
    assert "Borrowed until Sat 28 Nov 2026." in await world.answer(world.bea, "!fed todo")
    assert [zone_in_metadata(space) for space in world.spaces] == [None, None]


async def test_the_borrower_can_not_change_the_time_zone_of_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await between(AUCKLAND, LOS_ANGELES)
    with_zone(monkeypatch, request, LOS_ANGELES)
    world.bea.says("!fed request 5 RES-10K from attraktor until tomorrow")
    await world.settle()
    assert world.alpha.turn.transfers() == []
    assert told(world.room, "I can't read the message from @")
    assert world.alpha.bot.engine.failures == 0
