"""A subject id belongs to one subject: nobody opens another under it, or under an id of another party."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from fedbot.rules.model.connection import Connection
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.stock import PartDescription
from fedbot.rules.model.transfer import Line, Terms
from fedbot.rules.protocol.terms import hash_of, to_json
from fedbot.rules.wire import Identity, Opening, SubjectKind, by_line, connection_id, opened_id
from fedbot.rules.wire import opening_json as written_opening
from tests.dialogue.test_room_upgrades import say_so, upgrade
from tests.fakes.people import Message
from tests.scenarios.forging import forge
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, nothing, protocol_messages, told

BY_GUS = {"by": "@gus:x", "by_name": "Gus", "event": ""}


async def three_of_whom_two_are_friends() -> World:
    """Betaspace is Attraktor's friend and finds all its stock; Gammaspace is connected with nobody."""
    world = await World().with_gammaspace().start()
    await world.connect()
    for person in (world.piet, world.cem):
        person.says("!fed share all")
    await world.settle()
    return world


def asks_for_nuts(
    world: World, identifier: str, opening: dict[str, Any] | None = None, field: str = "transfer"
) -> None:
    """Betaspace's bot requests ten nuts from Attraktor under an id of its choice."""
    line = Line(1, 0, 0, PartDescription("M3-NUT"), Decimal(10))
    terms = Terms("request", "attraktor", "betaspace", (line,), world.bea.user_id, "Bea")
    due = world.beta.connection().due.isoformat()
    body = {"terms": to_json(terms), "due": due, **({"opening": opening} if opening else {})}
    forge(world, world.beta, "attraktor", (field, identifier), 1, "request", body, hash_of(terms))


def card_of_asking(world: World) -> Message:
    """Attraktor's card about Gammaspace's request to be friends."""
    messages = world.room.messages(sender=world.alpha.chat.user_id)
    cards = [m for m in messages if m.reactions and "Gammaspace" in m.text]
    assert cards, f"no card:\n{world.room.transcript()}"
    return cards[0]


def with_gamma(world: World) -> Connection:
    """Attraktor's side of the friendship with Gammaspace."""
    (connection,) = [c for c in world.alpha.turn.connections() if c.peer == "gammaspace"]
    return connection


async def test_a_request_under_the_id_of_a_pending_friendship_is_refused() -> None:
    world = await three_of_whom_two_are_friends()
    world.gus.says("!fed connect attraktor")
    await world.settle()
    before = world.alpha.total("M3-NUT")
    asks_for_nuts(world, with_gamma(world).id)
    await world.settle()
    world.anna.reacts(card_of_asking(world), "✅")
    await world.grace()
    assert world.alpha.total("M3-NUT") == before
    assert with_gamma(world).state is ConnectionState.ACTIVE
    assert world.alpha.turn.transfers() == []


async def test_a_request_under_the_id_of_a_future_friendship_does_not_block_it() -> None:
    world = await three_of_whom_two_are_friends()
    asks_for_nuts(world, connection_id(world.alpha.identity.key, world.gamma.identity.key, world.room.id, 1))
    await world.settle()
    for transfer in world.alpha.turn.transfers():
        world.piet.says(f"!fed decline {transfer.code}")
    await world.grace()
    world.gus.says("!fed connect attraktor")
    await world.settle()
    world.anna.reacts(card_of_asking(world), "✅")
    await world.grace()
    assert with_gamma(world).state is ConnectionState.ACTIVE


def opened_by(world: World, space: Space, room: str = "") -> Opening:
    """The opening that a line in this room would make for that space."""
    return Opening(space.identity.key, room or world.room.id, by_line("$line"))


async def refused(world: World, identifier: str, opening: dict[str, Any], field: str = "transfer") -> bool:
    """Whether Attraktor's bot stores nothing of a request under that id, and reports it once, however
    often it comes.
    """
    before = world.alpha.turn.transfers()
    for _ in range(3):
        asks_for_nuts(world, identifier, opening, field)
        await world.settle()
    complaints = [
        m for m in told(world.room, "I can't read the message from @") if m.sender == world.alpha.chat.user_id
    ]
    return world.alpha.turn.transfers() == before and len(complaints) == 1


async def test_a_request_under_its_proper_id_is_accepted() -> None:
    world = await three_of_whom_two_are_friends()
    opening = opened_by(world, world.beta)
    asks_for_nuts(world, opened_id(SubjectKind.REQUEST, opening), written_opening(opening))
    await world.settle()
    assert [t.opening for t in world.alpha.turn.transfers()] == [opening]


async def test_nobody_chooses_an_id() -> None:
    world = await three_of_whom_two_are_friends()
    opening = opened_by(world, world.beta)
    other = opened_id(SubjectKind.REQUEST, replace(opening, cause=by_line("$other")))
    assert await refused(world, other, written_opening(opening))


async def test_a_request_is_not_opened_under_the_id_of_an_offer() -> None:
    world = await three_of_whom_two_are_friends()
    opening = opened_by(world, world.beta)
    assert await refused(world, opened_id(SubjectKind.PUSH, opening), written_opening(opening))


@pytest.mark.parametrize("field", ["transfer", "connection"])
async def test_a_message_whose_field_and_id_are_of_two_kinds_is_refused(field: str) -> None:
    world = await three_of_whom_two_are_friends()
    opening = opened_by(world, world.beta)
    of_transfer = opened_id(SubjectKind.REQUEST, opening)
    identifier = world.beta.connection().id if field == "transfer" else of_transfer
    assert await refused(world, identifier, written_opening(opening), field)


async def test_nobody_opens_a_subject_in_the_name_of_another_party() -> None:
    world = await three_of_whom_two_are_friends()
    opening = opened_by(world, world.gamma)
    assert await refused(world, opened_id(SubjectKind.REQUEST, opening), written_opening(opening))


async def test_nothing_is_opened_in_the_name_of_another_room() -> None:
    world = await three_of_whom_two_are_friends()
    opening = opened_by(world, world.beta, room="!elsewhere:x")
    assert await refused(world, opened_id(SubjectKind.REQUEST, opening), written_opening(opening))


async def test_a_friend_can_not_write_about_what_another_friend_has_opened() -> None:
    world = await three_of_whom_two_are_friends()
    world.gus.says("!fed connect attraktor")
    await world.settle()
    world.anna.reacts(card_of_asking(world), "✅")
    await world.grace()
    await world.push("M3-NUT 10")
    offered = world.alpha.turn.transfers()[-1]
    forge(world, world.gamma, "attraktor", ("transfer", offered.id), 1, "approve", BY_GUS, offered.terms_hash)
    await world.grace()
    assert world.alpha.turn.transfer(offered.id) == offered


async def test_a_subject_opened_before_a_new_key_keeps_its_id() -> None:
    world = await friends()
    world.server.loses = protocol_messages
    world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.settle()
    world.server.loses = nothing
    offered = world.alpha.transfer()
    pinned = world.beta.connection()
    former, now = Identity(b"f" * 32).key, world.alpha.identity.key
    opening = replace(opened_by(world, world.alpha), key=former)
    assert offered.opening is not None
    world.beta.bot.engine.state.take_over(
        {("Connection", pinned.id): replace(pinned, peer_key=now, former_keys=(former,))}
    )
    identifier = opened_id(SubjectKind.PUSH, opening)
    body = {"terms": to_json(offered.terms), "due": offered.due.isoformat(), "opening": written_opening(opening)}
    forge(world, world.alpha, "betaspace", ("transfer", identifier), 1, "offer", body, offered.terms_hash)
    await world.settle()
    assert world.beta.turn.transfer(identifier) is not None


async def test_a_message_under_a_former_key_does_not_pause_the_friendship() -> None:
    """An old message, or a replaced key, can't make us review that key again."""
    world = await friends()
    pinned = world.beta.connection()
    old = Identity(b"f" * 32)
    world.beta.bot.engine.state.take_over({("Connection", pinned.id): replace(pinned, former_keys=(old.key,))})
    body = {"by": "", "by_name": ""}
    forge(world, world.alpha, "betaspace", ("connection", pinned.id), 99, "disconnecting", body, key=old)
    await world.settle()
    assert world.beta.connection().state is ConnectionState.ACTIVE


async def test_an_upgraded_room_changes_no_id() -> None:
    world = await friends()
    old = world.room.id
    world.server.loses = protocol_messages
    world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.settle()
    world.server.loses = nothing
    offered = world.alpha.transfer()
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea")
    await world.passes(timedelta(minutes=2))
    taken = world.beta.turn.transfer(offered.id)
    assert taken is not None
    assert taken.opening is not None
    assert (taken.opening.room, taken.room) == (old, world.room.id)
