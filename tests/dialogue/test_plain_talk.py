"""Lines without `!fed`, and reactions other than the suggested ones: understood, or answered with what to do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from tests.scenarios.world import World, friends, told


async def with_a_list() -> tuple[World, str]:
    """Anna is asked which of two items she means."""
    world = await friends()
    nut = world.alpha.item("M3-NUT")
    world.alpha.admin("POST", "stock/", part=nut.part, quantity=500)
    line = world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.settle()
    assert "Reply 1" in world.answer_to(line)
    return world, line


async def test_a_number_right_after_the_list_needs_no_reply() -> None:
    world, _ = await with_a_list()
    world.anna.says("1")
    await world.settle()
    assert world.beta.transfer().terms.lines[0].quantity == 10


async def test_yes_picks_the_only_choice_and_whether_it_is_for_us_can_be_told(caplog: pytest.LogCaptureFixture) -> None:
    world = await friends()
    await world.answer(world.anna, "!fed push 10 M3 nu to betaspace")
    assert "Offered to Betaspace" in await world.answer(world.anna, "yes")
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_number_in_the_thread_of_the_list_answers_it() -> None:
    world, line = await with_a_list()
    (listed,) = world.room.answers(line)
    world.anna.says("1", thread=listed)
    await world.settle()
    assert world.beta.transfer().terms.lines[0].quantity == 10


async def test_a_number_of_somebody_else_means_nothing() -> None:
    world, _ = await with_a_list()
    before = len(world.room.messages())
    world.piet.says("1")
    await world.settle()
    assert world.beta.turn.transfers() == []
    assert len(world.room.messages()) == before + 1


async def test_a_number_minutes_after_the_list_picks_nothing_and_is_told_how_to_answer() -> None:
    world, _ = await with_a_list()
    await world.passes(timedelta(minutes=3))
    answer = await world.answer(world.anna, "1")
    assert answer.startswith('To answer one of my lists with "1", press and hold the list')
    assert world.beta.turn.transfers() == []


async def test_a_number_after_the_lists_time_means_nothing() -> None:
    world, _ = await with_a_list()
    await world.passes(timedelta(minutes=11))
    line = world.anna.says("1")
    await world.settle()
    assert world.room.answers(line) == []


async def test_a_number_that_is_not_in_the_list_is_reported() -> None:
    world, _ = await with_a_list()
    said = world.anna.says("7")
    await world.settle()
    assert world.answer_to(said).startswith('"7" is not on that list.')


@pytest.mark.parametrize("key", ["☑️", "✓", "✔️", "☑"])
async def test_every_check_mark_is_an_approval(key: str) -> None:
    world = await friends()
    world.cem.reacts(await world.push(), key)
    await world.grace()
    assert world.beta.transfer().state is TransferState.DONE


@pytest.mark.parametrize("key", ["👍", "👍🏽", "👎", "👌"])
async def test_a_thumb_is_answered_with_the_reaction_to_use_and_decides_nothing(key: str) -> None:
    world = await friends()
    world.cem.reacts(await world.push(), key)
    await world.grace()
    assert world.beta.transfer().state is TransferState.OPEN
    (line,) = told(world.room, "That doesn't count")
    assert line.text.startswith("Cem: That doesn't count. Tap ✅ or ❌ on the card")
    assert "\n" not in line.text


async def test_yes_to_a_list_whose_only_choice_acts_at_once_is_told_to_reply_with_it() -> None:
    world = await friends()
    world.anna.says("!fed disconnect betaspace --now")
    await world.settle()
    assert "To answer one of my lists" in await world.answer(world.anna, "yes")
    assert {space.connection().state for space in world.spaces} == {ConnectionState.ACTIVE}
    await world.passes(timedelta(minutes=5))
    said = world.anna.says("ok")
    await world.settle()
    assert not world.room.answers(said)


@pytest.mark.parametrize("word", ["yes", "Yes!", "ok", "no thanks", "👍", "✅"])
async def test_a_spoken_yes_is_answered_with_the_reaction_to_use_and_decides_nothing(word: str) -> None:
    world = await friends()
    world.cem.says(word, reply_to=await world.push())
    await world.grace()
    assert world.beta.transfer().state is TransferState.OPEN
    assert len(told(world.room, "That doesn't count")) == 1


async def test_other_talk_below_a_card_is_at_most_a_reason_by_somebody_who_may_decide() -> None:
    world = await friends()
    card = await world.push()
    before = len(world.room.messages())
    world.cem.says("yes, we had one of these last year", reply_to=card)
    world.cem.reacts(card, "🎉")
    world.anna.says("yes", reply_to=card)  # her own offer: betaspace's bot doesn't know her
    await world.grace()
    assert len(told(world.room, "If you tap ❌, Attraktor gets that as your reason")) == 1
    assert len(world.room.messages()) == before + 3


async def test_a_line_that_begins_with_a_mention_of_the_bot_is_a_command() -> None:
    world = await friends()
    bot = world.alpha.chat.user_id
    lines = (f"{bot} whoami", f"{bot}: whoami", "Attraktor bot: whoami", f"{bot}, !fed whoami")
    said = [world.anna.says(line) for line in lines]
    await world.settle()
    assert all(world.answer_to(line).startswith("You are") for line in said)


async def test_a_mention_by_pill_is_a_command_and_other_talk_is_not() -> None:
    world = await friends()
    bot = world.alpha.chat.user_id
    said = world.anna.says("Attraktor bot whoami", mentions=[bot])
    talk = world.anna.says("Attraktor bot is nice")
    other = world.anna.says("I asked Attraktor bot whoami", mentions=[bot])
    await world.settle()
    assert world.answer_to(said).startswith("You are")
    assert world.room.answers(talk) == world.room.answers(other) == []


async def test_help_needs_no_prefix_in_the_admin_room_and_alone_with_the_bot() -> None:
    world = await friends()
    said = world.anna.says("help", room=world.alpha_admins.id)
    other = world.anna.says("status quo", room=world.alpha_admins.id)
    in_public = world.anna.says("help")
    await world.settle()
    assert len(world.alpha_admins.answers(said)) == 1
    assert world.alpha_admins.answers(other) == world.room.answers(in_public) == []
