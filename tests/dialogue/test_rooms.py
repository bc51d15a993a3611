"""Events of a room: it is replaced, denies power, removes the bot."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, a_world, friends, told

ACTIVE, DONE = ConnectionState.ACTIVE, TransferState.DONE


async def test_a_removed_bot_tells_its_admins_who_removed_it() -> None:
    world = await friends()
    world.anna.kicks(world.beta.chat.user_id, "spring cleaning")
    await world.settle()
    message = told(world.beta_admins, "spring cleaning")
    assert len(message) == 1


async def test_a_removed_bot_that_is_invited_again_goes_on() -> None:
    world = await friends()
    card = await world.push()
    world.anna.kicks(world.beta.chat.user_id)
    await world.settle()
    await world.passes(timedelta(minutes=30))
    world.bea.invites(world.beta.chat.user_id)
    await world.settle()
    world.cem.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(hours=1))
    assert world.alpha.transfer().state is DONE
    assert_books_balance(world)


@pytest.mark.parametrize("how", ["kicked", "banned", "kicked while it slept", "banned while it slept"])
async def test_reactions_and_lines_from_the_bots_absence_never_count_and_people_are_told(
    how: str,
) -> None:
    world = await friends()
    card, bot = await world.push(), world.beta.chat.user_id
    await world.passes(timedelta(minutes=1))
    asleep = (world.beta,) if "slept" in how else ()
    (world.anna.bans if "banned" in how else world.anna.kicks)(bot)
    await world.settle(asleep=asleep)
    tap = world.cem.reacts(card, "✅")
    line = world.bea.says("!fed todo")
    world.bea.says("Anybody here?")
    world.kim.says("!fed todo")
    if "banned" in how:
        world.anna.unbans(bot)
        await world.settle(asleep=asleep)  # the homeserver returns everything since, as for a room that it was in
    await world.passes(timedelta(minutes=1), asleep=asleep)
    world.bea.invites(bot)
    if "slept" in how:
        world.server.join(bot, world.room.id)
        await world.beta.restart()
    await world.settle()
    await world.passes(timedelta(minutes=5))
    assert world.alpha.transfer().state is TransferState.OPEN
    (tapped,) = [m for m in told(world.room, "I was out of this room") if m.thread == card.event_id]
    assert "Cem" in tapped.text
    assert any("I was out of this room" in answer.text for answer in world.room.answers(line))
    assert len(told(world.room, "I was out of this room")) == 2
    world.cem.takes_back(tap)
    world.cem.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=5))
    assert world.alpha.transfer().state is DONE


async def test_a_bot_that_may_not_write_tells_its_admins_which_power_it_lacks() -> None:
    world = await friends()
    world.anna.sets_power(events_default=50)
    await world.settle()
    for admins in (world.alpha_admins, world.beta_admins):
        assert told(admins, "power")
    line = world.anna.says("!fed status", room=world.alpha_admins.id)
    await world.settle()
    (answer,) = world.alpha_admins.answers(line)
    assert answer.text.startswith("⚠ The bot of Attraktor is here, but may not write or react in Makerspaces.")


async def test_a_message_that_the_room_refuses_is_reported_with_transfer_and_room_not_with_an_internal_key() -> None:
    world = await friends()
    card = await world.push()
    code = world.beta.transfer().code
    world.anna.sets_power(events_default=50, users={world.cem.user_id: 50})
    world.cem.reacts(card, "❌")
    await world.grace()
    refused = told(world.beta_admins, f"More about it: !fed show {code}")[0].text
    assert "I could not change a card in Makerspaces (!" in refused
    assert refused.count("M_FORBIDDEN") == 1
    assert "card:" not in refused


async def test_a_bot_that_may_write_again_catches_up() -> None:
    world = await friends()
    card = await world.push()
    world.anna.sets_power(events_default=50, users={world.cem.user_id: 50})
    world.cem.reacts(card, "✅")
    await world.grace()
    world.anna.sets_power(events_default=0)
    await world.passes(timedelta(minutes=30))
    assert world.alpha.transfer().state is DONE
    assert_books_balance(world)


async def test_a_space_that_a_room_denies_announcing_does_so_by_a_message_and_shows_the_exact_line() -> None:
    world = World()
    world.anna.sets_power(events={"dev.fedbot.party": 50})
    await world.start()
    assert told(world.alpha_admins, "dev.fedbot.party")
    await world.connect()
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]


async def test_admins_hear_once_that_a_room_denies_announcing_whatever_is_announced() -> None:
    world = World()
    denied = {"dev.fedbot.party": 50}
    world.anna.sets_power(events=denied)
    await world.start()
    for name in ("Attraktor e.V.", "Attraktor"):
        await world.alpha.restart(name=name)
        await world.settle()
    assert len(told(world.alpha_admins, "I may not announce")) == 1
    for events in ({"dev.fedbot.party": 0}, denied):
        world.anna.sets_power(events=events)
        await world.settle()
    assert len(told(world.alpha_admins, "I may not announce")) == 2, "it was allowed meanwhile"


def announced_by(world: World, party: str) -> list[Mapping[str, Any]]:
    return [each for each in world.room.envelopes() if (each["kind"], each["from"]) == ("announce", party)]


async def test_a_bot_that_joins_later_reads_what_others_announced_by_message_before() -> None:
    world = World()
    world.anna.sets_power(events={"dev.fedbot.party": 50})
    world.spaces = [world.alpha]
    await world.start()
    world.spaces = [world.beta]
    await world.start()
    world.spaces = [world.alpha, world.beta]
    await world.settle()
    await world.connect()
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
    assert [len(announced_by(world, party)) for party in ("attraktor", "betaspace")] == [2, 1], "no answer to an answer"


async def test_a_bot_that_announces_by_state_reads_of_one_that_may_not_and_a_flood_costs_little() -> None:
    world = World()
    world.anna.sets_power(events={"dev.fedbot.party": 50})
    world.spaces = [world.alpha]
    await world.start()
    world.anna.sets_power(events={"dev.fedbot.party": 50}, users={world.beta.chat.user_id: 50})
    world.spaces = [world.beta]
    await world.start()
    world.spaces = [world.alpha, world.beta]
    await world.settle()
    await world.connect()
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
    for number in range(20):
        await world.beta.restart(name=f"Beta {number}")
        await world.settle()
    assert len(announced_by(world, "attraktor")) == 1 + 5
    await world.passes(timedelta(minutes=11))
    assert len(announced_by(world, "attraktor")) == 1 + 5 + 1, "the last that came wasn't forgotten"


async def test_a_bot_that_may_write_nothing_at_first_announces_itself_by_a_message_once_it_may() -> None:
    world = World()
    world.anna.sets_power(events_default=50, events={"dev.fedbot.party": 50})
    await world.start()
    world.anna.sets_power(events_default=0)
    await world.settle()
    await world.connect()
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]


async def test_a_replaced_room_is_reported_to_the_admins() -> None:
    world = await friends()
    new = world.anna.upgrades()
    await world.settle()
    assert told(world.alpha_admins, new.id)
    assert told(world.beta_admins, new.id)


async def test_the_admins_read_that_a_stranger_invited_the_bot_into_a_room_of_its_settings() -> None:
    world = await a_world()
    eve = world.newcomer("eve")
    elsewhere = eve.creates("One")
    eve.invites(world.alpha.chat.user_id, room=elsewhere.id)
    await world.settle()
    listed = eve.creates("Makers")
    await world.alpha.restart(rooms=(*world.alpha.us.rooms, listed.id))
    eve.invites(world.alpha.chat.user_id, room=listed.id)
    await world.settle()
    assert world.server.membership(listed.id, world.alpha.chat.user_id) == "leave"
    assert len(told(world.alpha_admins, "declined an invitation")) == 2
    assert told(world.alpha_admins, "That room is in my settings, but I don't know that person")


async def test_an_invitation_by_a_stranger_is_declined_and_reported_once() -> None:
    world = await a_world()
    eve = world.newcomer("eve")
    for name in ("One", "Two"):
        room = eve.creates(name)
        eve.invites(world.alpha.chat.user_id, room=room.id)
        await world.settle()
        assert world.server.membership(room.id, world.alpha.chat.user_id) == "leave"
    assert len(told(world.alpha_admins, "declined an invitation")) == 1
