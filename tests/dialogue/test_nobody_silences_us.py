"""Neither an announcement nor an outage of InvenTree keeps a bot from answering its own people."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from tests.fakes.people import Message
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, a_world, friends, told

LISTED = {"@anna:twin.test": "anna", "@bea:twin.test": "anna", "@cem:twin.test": "anna"}
"""Attraktor, whose bot has the lower id, claims Betaspace's people."""
SHORTLY = timedelta(seconds=2)


def answers_of(world: World, line: str) -> list[Message]:
    """The answers of betaspace's bot, the victim."""
    return [m for m in world.room.answers(line) if m.sender == world.beta.chat.user_id]


async def hostile() -> World:
    """Friends; then attraktor begins to claim betaspace's people."""
    world = await friends()
    await world.alpha.restart(people=LISTED)
    await world.settle()
    return world


async def test_a_friend_that_claims_our_people_does_not_keep_them_from_ending_the_friendship() -> None:
    world = await hostile()
    line = world.bea.says("!fed disconnect attraktor --sure --now")
    await world.settle()
    assert answers_of(world, line)
    assert world.beta.turn.connections()[-1].state is ConnectionState.ENDED


@pytest.mark.parametrize("text", ["!fed help", "!fed whoami", "!fed status", "!fed spaces", "!fed todo"])
async def test_a_friend_that_claims_our_people_does_not_keep_us_from_answering_them(text: str) -> None:
    world = await hostile()
    line = world.bea.says(text)
    await world.settle()
    assert len(answers_of(world, line)) == 1


async def test_a_change_is_made_once_its_author_confirms_that_it_is_for_us() -> None:
    world = await hostile()
    line = world.cem.says("!fed push N-M3 1 to attraktor")
    await world.settle()
    (asked,) = answers_of(world, line)
    assert world.beta.turn.transfers() == []
    world.cem.says("1", reply_to=asked)
    await world.settle()
    assert world.beta.transfer().state is TransferState.OPEN
    named = world.cem.says("!fed as betaspace push N-M3 2 to attraktor")
    await world.settle()
    assert len(answers_of(world, named)) == 1
    assert len(world.beta.turn.transfers()) == 2
    assert_books_balance(world)


async def test_edits_and_unreadable_messages_of_our_people_are_answered_by_us() -> None:
    world = await hostile()
    line = world.bea.says("hello")
    await world.settle()
    world.bea.edits(line, "!fed whoami")
    typo = world.bea.says("!fed whoamy")
    await world.settle()
    assert [m for m in told(world.room, "Edited lines do nothing") if m.sender == world.beta.chat.user_id]
    assert answers_of(world, typo)


async def test_our_person_who_announces_a_party_is_still_answered() -> None:
    world = await friends()
    content = {"v": 1, "parties": []}
    world.server.put_state(world.bea.user_id, world.room.id, "dev.fedbot.party", world.bea.user_id, content)
    line = world.bea.says("!fed disconnect attraktor --sure --now")
    await world.settle()
    assert answers_of(world, line)


# --- InvenTree is down -------------------------------------------------------------------------------------


async def test_with_inventree_down_help_whoami_and_status_are_answered_at_once() -> None:
    world = await friends()
    world.beta.goes_down()
    for text, words in (("help", "!fed"), ("whoami", "can't be reached"), ("status", "does not answer")):
        line = world.bea.says(f"!fed {text}")
        await world.settle()
        (answer,) = answers_of(world, line)
        assert words in answer.text


async def test_with_inventree_down_a_superuser_still_ends_a_friendship_at_once() -> None:
    world = await friends()
    world.beta.goes_down()
    line = world.bea.says("!fed disconnect attraktor --sure --now")
    await world.settle()
    assert answers_of(world, line)
    assert world.beta.turn.connections()[-1].state is ConnectionState.ENDED
    assert world.alpha.turn.connections()[-1].peer_has_left
    user = world.beta.turn.connections()[-1].user
    assert world.beta.tables.users[user].is_active
    world.beta.comes_back()
    await world.passes(timedelta(minutes=10))
    assert not world.beta.tables.users[user].is_active


async def test_with_inventree_down_the_way_to_end_it_is_shown_and_its_number_works() -> None:
    world = await friends()
    world.beta.goes_down()
    line = world.bea.says("!fed disconnect attraktor --now")
    await world.settle()
    (preview,) = answers_of(world, line)
    world.bea.says("1", reply_to=preview)
    await world.settle()
    assert world.beta.turn.connections()[-1].state is ConnectionState.ENDED


async def test_with_inventree_down_nobody_else_ends_a_friendship() -> None:
    world = await friends()
    world.beta.goes_down()
    line = world.cem.says("!fed disconnect attraktor --sure --now")
    await world.settle()
    (answer,) = answers_of(world, line)
    assert "superuser" in answer.text
    assert world.beta.connection().state is ConnectionState.ACTIVE


@pytest.mark.parametrize("text", ["push N-M3 1 to attraktor", "todo", "people", "disconnect attraktor"])
async def test_with_inventree_down_other_lines_are_told_to_wait_and_answered_later(text: str) -> None:
    world = await friends()
    world.beta.goes_down()
    line = world.bea.says(f"!fed {text}")
    await world.settle()
    (waits,) = answers_of(world, line)
    assert "has not answered" in waits.text
    await world.passes(timedelta(minutes=1))
    assert len(answers_of(world, line)) == 1
    world.beta.comes_back()
    await world.passes(timedelta(minutes=6))
    assert len(answers_of(world, line)) == 2
    assert_books_balance(world)


async def test_a_line_that_waits_too_long_is_given_up_and_never_done() -> None:
    world = await friends()
    world.beta.goes_down()
    line = world.cem.says("!fed push N-M3 1 to attraktor")
    await world.passes(timedelta(minutes=16))
    *_, last = answers_of(world, line)
    assert "Not done" in last.text
    assert "push N-M3 1 to attraktor" in last.text
    world.beta.comes_back()
    await world.passes(timedelta(minutes=30))
    assert world.beta.turn.transfers() == []
    assert len(answers_of(world, line)) == 2


async def test_a_line_is_told_to_wait_within_two_seconds_when_inventree_hangs() -> None:
    world = await friends()
    world.beta.hangs = True
    lines = {text: world.bea.says(f"!fed {text}") for text in ("whoami", "status", "push N-M3 1 to attraktor", "todo")}
    ends = world.bea.says("!fed disconnect attraktor --sure --now")
    await world.passes(SHORTLY)
    assert all(len(answers_of(world, line)) == 1 for line in lines.values())
    assert answers_of(world, ends)
    assert world.beta.turn.connections()[-1].state is ConnectionState.ENDED
    world.beta.hangs = False
    await world.passes(SHORTLY)
    assert len(answers_of(world, lines["whoami"])) == 1
    assert len(answers_of(world, lines["todo"])) == 2


async def test_a_bot_that_is_restarted_meanwhile_still_gives_the_answer() -> None:
    world = await friends()
    world.beta.hangs = True
    line = world.bea.says("!fed todo")
    await world.passes(SHORTLY)
    await world.beta.restart()
    world.beta.hangs = False
    await world.passes(SHORTLY)
    assert len(answers_of(world, line)) == 2


async def test_nothing_is_said_about_an_inventree_that_answers_in_time() -> None:
    world = await a_world()
    line = world.bea.says("!fed todo")
    await world.passes(timedelta(minutes=20))
    assert len(answers_of(world, line)) == 1
