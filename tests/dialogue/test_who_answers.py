"""The bot of the speaker's party answers a line. A person of two parties is answered by both, and served by one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.rules.model.catalogue import Share
from fedbot.rules.model.lifecycles import TransferState
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, a_world, friends, told

BOTH = {"@anna:twin.test": "dilek", "@bea:twin.test": "bea", "@cem:twin.test": "cem"}


async def answered_by(world: World, line: str) -> list[str]:
    """The parties whose bots have answered the line."""
    await world.settle()
    return [space.party for space in world.spaces for m in world.room.answers(line) if m.sender == space.chat.user_id]


async def test_each_person_is_answered_by_their_own_spaces_bot() -> None:
    world = await a_world()
    assert await answered_by(world, world.anna.says("!fed whoami")) == ["attraktor"]
    assert await answered_by(world, world.bea.says("!fed whoami")) == ["betaspace"]
    assert await answered_by(world, world.tom.says("!fed help")) == ["betaspace"]


async def test_a_stranger_is_answered_once_a_day_by_the_bot_with_the_lowest_id() -> None:
    world = await friends()
    eve = world.newcomer("eve")
    line = eve.says("!fed help")
    assert await answered_by(world, line) == ["attraktor"]
    assert "admin" in world.answer_to(line)
    assert await answered_by(world, eve.says("!fed push M3-NUT 1 to betaspace")) == []
    await world.passes(timedelta(days=1, minutes=1))
    assert await answered_by(world, eve.says("!fed help")) == ["attraktor"]
    assert world.alpha.turn.transfers() == []


async def test_a_line_that_is_not_addressed_to_us_is_answered_by_nobody() -> None:
    world = await friends()
    for text in ("hello", "fed help", "!federation", "I said !fed help", ""):
        assert await answered_by(world, world.anna.says(text)) == []


async def test_a_bots_own_messages_are_answered_by_nobody() -> None:
    world = await friends()
    line = world.server.send(
        world.beta.chat.user_id,
        world.room.id,
        "m.room.message",
        {"msgtype": "m.text", "body": "!fed help"},
        device="x",
        transaction="1",
    )
    assert await answered_by(world, line) == []


async def test_before_two_spaces_are_friends_neither_believes_the_others_list_of_people() -> None:
    world = await a_world(beta={"people": BOTH})
    assert await answered_by(world, world.anna.says("!fed whoami")) == ["attraktor", "betaspace"]


async def test_a_read_by_a_person_of_two_friendly_spaces_is_answered_by_each() -> None:
    world = await friends(beta={"people": BOTH})
    line = world.anna.says("!fed whoami")
    assert await answered_by(world, line) == ["attraktor", "betaspace"]
    again = world.anna.says("!fed as attraktor whoami")
    assert await answered_by(world, again) == ["attraktor"]


async def test_a_change_is_made_for_the_space_that_a_person_of_two_confirms() -> None:
    world = await friends(beta={"people": BOTH})
    line = world.anna.says("!fed share M3-NUT")
    assert await answered_by(world, line) == ["attraktor", "betaspace"]
    (theirs,) = [m for m in world.room.answers(line) if m.sender == world.beta.chat.user_id]
    number = world.anna.says("1", reply_to=theirs)
    assert await answered_by(world, number) == ["betaspace"]
    assert world.alpha.turn.all(Share) == []


async def test_a_line_for_a_space_that_does_not_have_the_person_is_refused_by_their_own() -> None:
    world = await friends()
    line = world.anna.says("!fed as betaspace push M3-NUT 10 to attraktor")
    assert await answered_by(world, line) == ["attraktor"]
    assert "Not done: you belong to Attraktor, not to betaspace." in world.answer_to(line)
    assert world.alpha.turn.transfers() == []
    own = world.anna.says("!fed as attraktor whoami")
    assert await answered_by(world, own) == ["attraktor"]
    assert "Anna" in world.answer_to(own)


async def test_a_person_of_two_spaces_who_names_a_third_is_told_so_by_both() -> None:
    world = await friends(beta={"people": BOTH})
    line = world.anna.says("!fed as attrktor whoami")
    assert await answered_by(world, line) == ["attraktor", "betaspace"]
    assert all("Not done" in message.text for message in world.room.answers(line))


async def test_an_edited_line_of_a_person_of_two_spaces_is_answered_by_each_once() -> None:
    world = await friends(beta={"people": BOTH})
    line = world.anna.says("hello")
    await world.settle()
    world.anna.edits(line, "!fed whoami")
    await world.settle()
    assert [message.name for message in told(world.room, "Edited lines do nothing")] == [
        "Attraktor bot",
        "Betaspace bot",
    ]


async def test_an_endless_number_picks_nothing_and_breaks_nothing() -> None:
    world = await friends(beta={"people": BOTH})
    line = world.anna.says("!fed share M3-NUT")
    await world.settle()
    choice, _ = world.room.answers(line)
    assert await answered_by(world, world.anna.says("9" * 5_000, reply_to=choice)) == []
    assert [space.bot.engine.failures for space in world.spaces] == [0, 0]


async def test_only_the_confirmed_one_of_two_spaces_acts() -> None:
    world = await friends(beta={"people": BOTH})
    line = world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.settle()
    number = world.anna.says("1", reply_to=world.room.answers(line)[0])
    assert await answered_by(world, number) == ["attraktor"]
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DONE
    assert_books_balance(world)


async def test_a_line_that_arrives_late_is_not_carried_out() -> None:
    world = await friends()
    world.alpha.is_asleep = True
    line = world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.passes(timedelta(minutes=16))
    await world.alpha.restart()
    assert await answered_by(world, line) == ["attraktor"]
    assert world.alpha.turn.transfers() == []


async def test_with_inventree_down_a_line_that_needs_it_gets_one_answer() -> None:
    world = await friends()
    world.alpha.goes_down()
    line = world.anna.says("!fed push M3-NUT 10 to betaspace")
    assert await answered_by(world, line) == ["attraktor"]
    assert "has not answered" in world.answer_to(line)
    assert world.alpha.turn.transfers() == []


async def test_in_the_wrong_room_nothing_is_offered_and_the_right_room_reads_nothing_of_it() -> None:
    world = await friends()
    line = world.anna.says("!fed push M3-NUT 10 to betaspace", room=world.alpha_admins.id)
    await world.settle()
    answers = world.alpha_admins.answers(line)
    assert len(answers) == 1
    assert world.alpha.turn.transfers() == []


async def test_the_bot_does_not_join_a_room_that_is_not_configured() -> None:
    world = await friends()
    elsewhere = world.anna.creates("Elsewhere")
    world.anna.invites(world.alpha.chat.user_id, room=elsewhere.id)
    await world.settle()
    assert world.server.membership(elsewhere.id, world.alpha.chat.user_id) == "leave"
    assert told(world.alpha_admins, "declined an invitation")


@pytest.mark.parametrize(
    ("line", "who"),
    [
        ("as gammaspace whoami", "gammaspace"),
        ("as Gammaspace whoami", "gammaspace"),
        ("as gamma whoami", "gammaspace"),
        ("as attraktor whoami", "attraktor"),
        ("as Attraktor push M3-NUT 1 to betaspace", "attraktor"),
    ],
)
async def test_a_line_for_one_space_of_a_person_of_two_that_are_no_friends_gets_one_answer(line: str, who: str) -> None:
    people = {"@gus:twin.test": "gus", "@anna:twin.test": "mia"}
    world = await World().with_gammaspace(people=people).start()
    said = world.anna.says(f"!fed {line}")
    assert await answered_by(world, said) == [who]
    assert ("Not done: you belong" in world.answer_to(said)) == ("gamma whoami" in line)
