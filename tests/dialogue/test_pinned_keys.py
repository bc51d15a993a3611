"""Pins: the account and key of a friend are fixed; a change suspends the friendship until a superuser reviews it."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.wire import Identity, fingerprint, sign_announcement, wire_time
from fedbot_demo.inventree.faults import FaultKind
from tests.fakes.chat import FakeChat
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, a_world, friends, told

ACTIVE, ASKED, OFFERED = ConnectionState.ACTIVE, ConnectionState.ASKED, ConnectionState.OFFERED
SUSPENDED = ConnectionState.SUSPENDED
PARTY = "dev.fedbot.party"


async def reviews(world: World) -> None:
    """Bea has compared the whole new fingerprint on the phone."""
    new = fingerprint(world.alpha.identity.key)
    line = world.bea.says(f"!fed review attraktor accept {new}")
    await world.settle()
    assert world.room.answers(line)


async def test_another_key_of_a_friends_bot_suspends_the_friendship_and_both_rooms_are_told() -> None:
    world = await friends()
    await world.alpha.gets_new_key()
    await world.settle()
    assert world.beta.connection().state is SUSPENDED
    assert told(world.room, "a new key or account")
    assert told(world.beta_admins, "a new key or account")


async def test_while_suspended_nothing_new_is_offered_or_decided() -> None:
    world = await friends()
    card = await world.push()
    await world.alpha.gets_new_key()
    await world.settle()
    world.cem.reacts(card, "✅")
    line = world.cem.says("!fed push N-M3 1 to attraktor")
    await world.grace()
    assert world.beta.transfer().state is TransferState.OPEN
    assert world.alpha.given("M3-NUT") == 0
    assert "review" in world.answer_to(line)
    assert told(world.room, "isn't active at the moment")


async def test_a_change_within_the_grace_stops_the_decision() -> None:
    world = await friends()
    world.cem.reacts(await world.push(), "✅")
    await world.settle()
    await world.alpha.gets_new_key()
    await world.grace()
    assert world.beta.transfer().decision is None
    assert world.beta.transfer().wanted == ""
    assert world.alpha.given("M3-NUT") == 0


async def test_after_a_review_it_goes_on_where_it_stopped() -> None:
    world = await friends()
    card = await world.push()
    await world.alpha.gets_new_key()
    await world.settle()
    await reviews(world)
    assert world.beta.connection().state is ACTIVE
    world.cem.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=15))
    assert world.alpha.transfer().state is TransferState.DONE
    assert_books_balance(world)


async def test_a_wrong_fingerprint_changes_nothing() -> None:
    world = await friends()
    await world.alpha.gets_new_key()
    await world.settle()
    world.bea.says("!fed review attraktor accept 2222")
    await world.settle()
    assert world.beta.connection().state is SUSPENDED


async def test_only_a_superuser_reviews() -> None:
    world = await friends()
    await world.alpha.gets_new_key()
    await world.settle()
    new = fingerprint(world.alpha.identity.key)
    world.cem.says(f"!fed review attraktor accept {new}")
    await world.settle()
    assert world.beta.connection().state is SUSPENDED


async def test_an_item_that_left_before_the_change_arrives_after_the_review() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    world.beta.is_asleep = True
    await world.passes(timedelta(seconds=1))
    world.beta.is_asleep = False
    world.beta.fails(FaultKind.REFUSED, "POST", "/api/stock/$", times=None)
    await world.grace()
    await world.alpha.gets_new_key()
    await world.settle()
    assert world.beta.connection().state is SUSPENDED
    world.beta.comes_back()
    await world.passes(timedelta(minutes=10))
    assert world.beta.total("N-M3") == 910, "what was begun is finished"
    await reviews(world)
    await world.passes(timedelta(minutes=15))
    assert world.alpha.transfer().state is TransferState.DONE
    assert_books_balance(world)


async def impostor(world: World, party: str) -> FakeChat:
    """Another account announces the party as its own, signed with a key of its own."""
    chat = FakeChat(world.server, "impostor", "Impostor")
    world.anna.invites(chat.user_id)
    await chat.join(world.room.id)
    identity = Identity(sha256(b"impostor").digest())
    entry = {"id": party, "name": "Betaspace", "key": identity.key, "at": wire_time(world.clock.now())}
    content = sign_announcement(identity, chat.user_id, world.room.id, {"v": 1, "parties": [entry]})
    world.server.put_state(chat.user_id, world.room.id, PARTY, chat.user_id, content)
    await world.settle()
    return chat


async def test_a_second_bot_that_claims_a_friend_is_reported_to_the_admins_and_the_friendship_goes_on() -> None:
    world = await friends()
    await impostor(world, "betaspace")
    assert told(world.alpha_admins, "speaks in the name of")
    assert world.alpha.connection().state is ACTIVE
    await world.hand_over()
    assert world.alpha.transfer().state is TransferState.DONE
    assert_books_balance(world)


async def test_another_key_of_the_asking_space_keeps_an_open_card_from_being_approved() -> None:
    world = await a_world()
    await world.asks_to_connect()
    await world.alpha.gets_new_key()
    await world.settle()
    world.bea.reacts(world.card(), "✅")
    await world.grace()
    assert world.beta.connection().state is OFFERED
    assert world.alpha.connection().state is ASKED


async def test_another_name_of_a_friend_waits_for_a_superuser_and_stops_nothing() -> None:
    world = await friends()
    await world.beta.restart(name="Beta Space Kassel")
    await world.settle()
    assert world.alpha.connection().peer_name == "Betaspace"
    assert world.alpha.connection().state is ACTIVE
