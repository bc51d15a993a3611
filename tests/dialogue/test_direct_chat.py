"""A person in a direct chat with their space's bot: what it answers, what it refuses, and when it leaves."""

from __future__ import annotations

from fedbot.rules.model.audit import InRoom, RoomChange
from tests.fakes.people import Person, RoomView, everybody_in
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, a_world, friends, told


async def chats(world: World, person: Person) -> RoomView:
    """The person opens a direct chat with attraktor's bot, which joins."""
    chat = person.opens_direct_chat(world.alpha.chat.user_id)
    await world.settle()
    assert world.server.membership(chat.id, world.alpha.chat.user_id) == "join"
    return chat


async def answer(world: World, chat: RoomView, person: Person, line: str) -> str:
    """The only answer to a line in the direct chat."""
    said = person.says(line, room=chat.id)
    await world.settle()
    answers = chat.answers(said)
    assert len(answers) == 1, f"{len(answers)} answers:\n{chat.transcript()}"
    return answers[0].text


def bot_is_in(world: World, chat: RoomView) -> bool:
    return world.server.membership(chat.id, world.alpha.chat.user_id) == "join"


async def test_our_people_read_in_a_direct_chat_what_they_could_read_in_the_room() -> None:
    world = await friends()
    await world.push("M3-NUT 10", note="for Saturday")
    code = world.alpha.transfer().code
    chat = await chats(world, world.kim)
    assert "in private" in chat.messages()[-1].text
    assert "!fed request" in await answer(world, chat, world.kim, "help")
    assert "!fed request" in await answer(world, chat, world.kim, "!fed help")
    assert "user kim" in await answer(world, chat, world.kim, "whoami")
    assert "Betaspace" in await answer(world, chat, world.kim, "Spaces")
    assert "for Saturday" in await answer(world, chat, world.kim, f"show {code}")
    assert "bot of Attraktor is healthy" in await answer(world, chat, world.kim, "status")
    assert "1 transfer is open" in await answer(world, chat, world.kim, "stats")
    assert "stock items of" in await answer(world, chat, world.kim, "stats betaspace")
    assert "No space" in await answer(world, chat, world.kim, "stats gamma")
    assert "I don't know" in await answer(world, chat, world.kim, "frobnicate")


async def test_a_verb_that_changes_something_is_refused_outside_the_shared_room() -> None:
    world = await friends()
    await world.push()
    code = world.alpha.transfer().code
    chat = await chats(world, world.anna)
    lines = ["push M3-NUT 10 to betaspace", "request 5 N-M3 from betaspace", f"cancel {code}", "connect betaspace"]
    lines += ["disconnect betaspace", f"approve {code}", "reconcile betaspace", "review", "rotate betaspace"]
    for line in lines:
        told_where = await answer(world, chat, world.anna, line)
        assert "Please type it in Makerspaces" in told_where
        assert f"!fed {line}" in told_where
    assert len(world.alpha.turn.transfers()) == 1
    assert world.alpha.transfer().state.value == "open"
    assert_books_balance(world)


async def test_people_are_changed_in_the_admin_room_not_in_the_shared_one() -> None:
    world = await friends()
    chat = await chats(world, world.anna)
    told = await answer(world, chat, world.anna, "people add @kim:attraktor.example as kim")
    assert "Please type it in" not in told
    assert "Type it in the admin room, with encryption on." in told
    assert "fedbot people add @kim:attraktor.example as kim" in told
    assert "Piet" in await answer(world, chat, world.anna, "people")


async def test_a_hit_in_a_direct_chat_is_requested_in_the_shared_room() -> None:
    world = await friends()
    world.bea.says("!fed share N-M3")
    await world.settle()
    chat = await chats(world, world.kim)
    found = world.kim.says("find m3 in betaspace", room=chat.id)
    await world.settle()
    (hits,) = chat.answers(found)
    assert "1) " in hits.text
    asked = world.kim.says("ask 1 5", room=chat.id, reply_to=hits)
    await world.settle()
    (told_where,) = chat.answers(asked)
    assert "Please type it in Makerspaces: !fed request 5" in told_where.text
    assert world.alpha.turn.transfers() == []
    line = told_where.text.partition("Please type it in Makerspaces: ")[2]
    world.kim.says(line)
    await world.settle()
    assert world.alpha.transfer().terms.kind == "request"


async def test_a_direct_chat_shows_nothing_of_rooms_that_the_person_has_left() -> None:
    world = await friends()
    await world.push()
    code = world.alpha.transfer().code
    world.kim.leaves()
    chat = await chats(world, world.kim)
    assert "belongs to the room" in await answer(world, chat, world.kim, f"show {code}")
    assert "No other space" in await answer(world, chat, world.kim, "spaces")
    assert "in none of the rooms" in await answer(world, chat, world.kim, "request N-M3 1 from betaspace")


async def test_a_direct_chat_is_no_federation_room() -> None:
    world = await friends()
    chat = await chats(world, world.anna)
    assert not [e for e in world.server.log if e["room_id"] == chat.id and e["type"].startswith("dev.fedbot")]
    card = await world.push()
    assert chat.envelopes() == []
    assert card.event_id in {message.event_id for message in world.room.messages()}
    edited = world.anna.says("status", room=chat.id)
    await world.settle()
    world.anna.edits(edited, "todo", room=chat.id)
    await world.settle()
    assert told(chat, "Edited lines do nothing")


async def test_the_bot_says_so_and_leaves_when_somebody_else_joins() -> None:
    world = await friends()
    chat = await chats(world, world.anna)
    world.anna.invites(world.piet.user_id, room=chat.id)
    await world.settle()
    assert bot_is_in(world, chat)
    world.piet.joins(chat)
    world.piet.says("status", room=chat.id)
    world.anna.says("status", room=chat.id)
    await world.settle()
    assert not bot_is_in(world, chat)
    assert "I leave this room" in chat.messages()[-1].text
    assert not told(chat, "bot of Attraktor is healthy")
    again = await chats(world, world.anna)
    assert "bot of Attraktor is healthy" in await answer(world, again, world.anna, "status")


async def test_a_direct_chat_with_somebody_else_in_it_is_left_at_once() -> None:
    world = await a_world()
    chat = world.anna.opens_direct_chat(world.piet.user_id)
    world.piet.joins(chat)
    world.server.invite(world.anna.user_id, chat.id, world.alpha.chat.user_id, direct=True)
    await world.settle()
    assert not bot_is_in(world, chat)
    assert "I leave this room" in chat.messages()[-1].text


async def test_the_bot_leaves_silently_when_the_person_has_left() -> None:
    world = await a_world()
    chat = await chats(world, world.kim)
    said = len(chat.messages())
    world.kim.leaves(room=chat.id)
    await world.settle()
    assert not bot_is_in(world, chat)
    assert len(chat.messages()) == said


async def test_invitations_by_others_or_to_rooms_with_others_are_declined_and_reported_to_the_admins() -> None:
    world = await a_world()
    bot = world.alpha.chat.user_id
    stranger = world.newcomer("mallory")
    for person in (stranger, world.bea):
        chat = person.opens_direct_chat(bot)
        await world.settle()
        assert world.server.membership(chat.id, bot) == "leave"
        assert not chat.messages()
        assert told(world.alpha_admins, person.user_id)
    group = everybody_in(world.server, world.anna, "Anna's party", world.piet.user_id)
    world.anna.invites(bot, room=group.id)
    await world.settle()
    assert world.server.membership(group.id, bot) == "leave"
    assert told(world.alpha_admins, "start a direct chat with me")
    bots_chat = world.server.create_room(world.beta.chat.user_id, "")
    world.server.invite(world.beta.chat.user_id, bots_chat.id, bot, direct=True)
    await world.settle()
    assert world.server.membership(bots_chat.id, bot) == "leave"
    noted = [entry.entry.what for entry in world.alpha.journal.audit("rooms")]
    assert [each.change for each in noted if isinstance(each, InRoom)].count(RoomChange.DECLINED) == 4


async def test_an_encrypted_direct_chat_is_answered_like_any_other() -> None:
    world = await a_world()
    chat = await chats(world, world.anna)
    world.anna.sets("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}, room=chat.id)
    assert "bot of Attraktor is healthy" in await answer(world, chat, world.anna, "status")
    assert bot_is_in(world, chat)


async def test_a_direct_chat_survives_a_restart_and_ends_when_the_person_is_removed() -> None:
    world = await friends()
    chat = await chats(world, world.kim)
    await world.alpha.restart()
    assert "bot of Attraktor is healthy" in await answer(world, chat, world.kim, "status")
    people = {person: user for person, user in world.alpha.us.people.items() if user != "kim"}
    await world.alpha.restart(people=people)
    line = world.kim.says("status", room=chat.id)
    await world.settle()
    assert chat.answers(line) == []


async def test_a_page_of_help_is_sent_to_the_direct_chat_if_there_is_one() -> None:
    world = await friends()
    line = world.kim.says("!fed help push")
    await world.settle()
    assert "!fed push" in world.answer_to(line)
    chat = await chats(world, world.kim)
    for words, page in (("help", "!fed request"), ("help push", "For example"), ("help more", "!fed wait")):
        line = world.kim.says(f"!fed {words}")
        await world.settle()
        assert world.answer_to(line) == "The help is in our direct chat."
        assert page in chat.messages()[-1].text
    line = world.piet.says("!fed help")
    await world.settle()
    assert "!fed request" in world.answer_to(line), "Piet has no such chat"
    line = world.kim.says("!fed help pusch")
    await world.settle()
    assert "Did you mean" in world.answer_to(line)
