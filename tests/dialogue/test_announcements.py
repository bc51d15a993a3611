"""An announcement in a room is proven or has no effect: signed, of this room, current, by a member."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.wire import Identity, sign_announcement, wire_time
from tests.dialogue.test_room_upgrades import say_so, upgrade
from tests.fakes.people import Person
from tests.scenarios.world import World, a_world, friends, told

ACTIVE, ASKED, SUSPENDED = ConnectionState.ACTIVE, ConnectionState.ASKED, ConnectionState.SUSPENDED
PARTY = "dev.fedbot.party"
MALLORYS = Identity(sha256(b"mallory").digest())


def genuine(world: World, user: str) -> dict[str, Any]:
    """That bot's own state event, which anybody can copy."""
    return dict(world.server.rooms[world.room.id].state[(PARTY, user)]["content"])


def claim(party: str, key: str) -> dict[str, Any]:
    """An unsigned claim."""
    entry = {"id": party, "name": party.capitalize(), "key": key, "people": [], "access": "relayed"}
    return {"v": 1, "parties": [entry]}


def signed_claim(world: World, sender: str, party: str, room: str = "") -> dict[str, Any]:
    """A claim that its author signed with a key of their own."""
    content = claim(party, MALLORYS.key)
    content["parties"][0]["at"] = wire_time(world.clock.now())
    return sign_announcement(MALLORYS, sender, room or world.room.id, content)


def puts(world: World, sender: str, content: Mapping[str, Any], room: str = "") -> None:
    world.server.put_state(sender, room or world.room.id, PARTY, sender, content)


async def mallory(world: World, content: Mapping[str, Any]) -> Person:
    """A member without any permission announces that."""
    person = world.newcomer("mallory")
    puts(world, person.user_id, content)
    await world.settle()
    return person


async def become_friends(world: World) -> None:
    await world.connect()
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]


async def test_an_unsigned_claim_of_a_party_with_its_public_key_blocks_nothing() -> None:
    world = await a_world()
    await mallory(world, claim("betaspace", world.beta.identity.key))
    assert len(told(world.alpha_admins, "without its signature")) == 1
    await become_friends(world)


async def test_a_copied_announcement_is_worthless_in_another_account() -> None:
    world = await a_world()
    person = await mallory(world, genuine(world, world.beta.chat.user_id))
    assert not world.alpha.turn.announced(world.room.id, "mallory")
    assert [bot for bot, _ in world.alpha.turn.announced(world.room.id, "betaspace")] == [world.beta.chat.user_id]
    puts(world, person.user_id, claim("betaspace", world.beta.identity.key) | {"more": 1})
    await world.settle()
    assert len(told(world.alpha_admins, "without its signature")) == 1, "once"
    await become_friends(world)


async def test_a_copied_announcing_message_is_worthless_from_another_sender() -> None:
    world = World()
    world.anna.sets_power(events={PARTY: 50})
    await world.start()
    (letter,) = [e for e in world.room.envelopes(sender=world.beta.chat.user_id) if e["kind"] == "announce"]
    world.newcomer("mallory").sends("dev.fedbot.envelope", {"dev.fedbot": letter})
    await world.settle()
    assert [bot for bot, _ in world.alpha.turn.announced(world.room.id, "betaspace")] == [world.beta.chat.user_id]
    await become_friends(world)


async def test_a_later_claim_of_an_announced_party_under_another_key_blocks_nothing() -> None:
    world = await a_world()
    await mallory(world, signed_claim(world, "@mallory:twin.test", "betaspace"))
    assert len(told(world.alpha_admins, "also claims to be")) == 1
    await become_friends(world)


async def test_an_open_card_can_be_approved_despite_other_claims() -> None:
    world = await a_world()
    await world.asks_to_connect()
    await mallory(world, signed_claim(world, "@mallory:twin.test", "attraktor"))
    world.bea.reacts(world.card(), "✅")
    await world.grace()
    assert world.beta.connection().state is ACTIVE


async def test_a_ban_lifts_a_claim_that_came_first() -> None:
    world = World()
    person = world.newcomer("mallory")
    puts(world, person.user_id, signed_claim(world, person.user_id, "betaspace"))
    await world.start()
    assert [bot for bot, _ in world.alpha.turn.announced(world.room.id, "betaspace")] == [person.user_id]
    world.anna.bans(person.user_id)
    await world.settle()
    assert [bot for bot, _ in world.alpha.turn.announced(world.room.id, "betaspace")] == [world.beta.chat.user_id]
    await become_friends(world)


async def test_a_bot_that_is_not_in_the_room_announces_nothing() -> None:
    world = await a_world()
    world.anna.bans(world.beta.chat.user_id)
    await world.settle()
    line = world.anna.says("!fed connect betaspace")
    await world.settle()
    assert "No other space announces itself in this room." in world.answer_to(line)
    assert world.alpha.turn.connections() == []


async def test_in_an_upgraded_room_a_claim_suspends_nothing_and_proposes_no_key() -> None:
    world = await friends()
    await upgrade(world, world.alpha)
    await say_so(world, "anna")
    assert world.alpha.connection().state is ACTIVE
    await mallory(world, signed_claim(world, "@mallory:twin.test", "betaspace"))
    connection = world.alpha.connection()
    assert (connection.state, connection.changed_key, connection.changed_bot) == (ACTIVE, "", "")
    assert told(world.alpha_admins, "speaks in the name of")


async def test_an_unsigned_claim_of_another_key_by_the_friends_own_account_has_no_effect() -> None:
    world = await friends()
    puts(world, world.beta.chat.user_id, claim("betaspace", MALLORYS.key))
    await world.settle()
    assert world.alpha.connection().state is ACTIVE


async def test_an_old_announcement_of_a_friend_does_not_come_back() -> None:
    """The homeserver's operator can post it again, but its key is gone."""
    world = await friends()
    old = genuine(world, world.beta.chat.user_id)
    await world.passes(timedelta(hours=1))
    await world.beta.gets_new_key()
    await world.settle()
    assert world.alpha.connection().state is SUSPENDED
    (before,) = world.alpha.turn.announced(world.room.id, "betaspace")
    puts(world, world.beta.chat.user_id, old)
    await world.settle()
    (after,) = world.alpha.turn.announced(world.room.id, "betaspace")
    assert after[1].key == before[1].key == world.beta.identity.key


async def test_an_announcement_of_another_room_is_worthless() -> None:
    world = await a_world()
    content = genuine(world, world.beta.chat.user_id)
    await upgrade(world, world.alpha, world.beta)
    puts(world, world.beta.chat.user_id, content)
    await world.settle()
    assert told(world.alpha_admins, "without its signature")
    (holder,) = world.alpha.turn.announced(world.room.id, "betaspace")
    assert holder[0] == world.beta.chat.user_id


async def test_nobody_can_speak_in_our_name() -> None:
    world = await a_world()
    await mallory(world, signed_claim(world, "@mallory:twin.test", "attraktor"))
    assert told(world.alpha_admins, "claims to be Attraktor")
    line = world.anna.says("!fed spaces")
    await world.settle()
    assert "mallory" not in world.answer_to(line)


async def test_a_bot_whose_clock_was_fast_is_believed_when_it_announces_itself_again() -> None:
    world = await a_world()
    world.clock.advance(timedelta(days=60))
    await world.beta.restart(name="Beta of tomorrow")
    await world.settle()
    world.clock.advance(timedelta(days=-60))
    await world.beta.restart(name="Beta of today")
    await world.settle()
    (holder,) = world.alpha.turn.announced(world.room.id, "betaspace")
    assert holder[1].name == "Beta of today (betaspace)"
