"""UC5: a friendship ends, in order or at once, and may start again."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from fedbot.rules.connection import provision
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot_demo.inventree.faults import Fault, FaultKind
from tests.scenarios.space import Space
from tests.scenarios.world import GRACE, World, friends, sharing

DOWN = Fault(FaultKind.REFUSED, times=None)
HOUR = timedelta(hours=1)


def connections(world: World) -> tuple[list[ConnectionState], list[ConnectionState]]:
    """The connections of both, oldest first."""
    alpha, beta = ([c.state for c in space.turn.connections()] for space in world.spaces)
    return alpha, beta


def both(*states: ConnectionState) -> tuple[list[ConnectionState], list[ConnectionState]]:
    return list(states), list(states)


def transfers(world: World) -> tuple[TransferState, TransferState]:
    return world.alpha.transfer().state, world.beta.transfer().state


def token_of(space: Space, generation: int = 1) -> str:
    """The secret that the space made for the other one."""
    connection = next(c for c in space.turn.connections() if c.generation == generation)
    return space.vault.read(provision.own_reference(connection))


def answers_to(space: Space, secret: str) -> int:
    """The answer of the space's InvenTree to a read of its stock with that token."""
    with httpx.Client(transport=space.network[space.us.inventory_url], base_url=space.us.inventory_url) as client:
        return client.get("/api/stock/?limit=1", headers={"Authorization": f"Token {secret}"}).status_code


def assert_shut(space: Space, secret: str, generation: int = 1) -> None:
    """The peer's user is inactive, and its token is revoked and gone from the vault."""
    connection = next(c for c in space.turn.connections() if c.generation == generation)
    user = space.tables.users[connection.user or 0]
    assert not user.is_active
    tokens = space.tables.tokens.find("user", user.pk)
    assert tokens
    assert all(token.revoked for token in tokens)
    assert answers_to(space, secret) in {401, 403}
    assert secret not in space.vault.secrets.values()


async def disconnect(world: World, options: str = "--sure") -> str:
    line = world.anna.says(f"!fed disconnect betaspace {options}")
    await world.settle()
    return line


# --- in order ---


async def test_a_preview_shows_the_consequences_and_a_number_confirms_it() -> None:
    world = await friends()
    secrets = [token_of(space) for space in world.spaces]
    assert [answers_to(space, secret) for space, secret in zip(world.spaces, secrets, strict=True)] == [200, 200]
    line = await disconnect(world, "")
    (preview,) = world.room.answers(line)
    assert "End the friendship of Attraktor and Betaspace? I have done nothing yet." in preview.text
    assert connections(world) == both(ConnectionState.ACTIVE)
    world.anna.says("1", reply_to=preview)
    await world.settle()
    assert connections(world) == both(ConnectionState.ENDED)
    for space, secret in zip(world.spaces, secrets, strict=True):
        assert_shut(space, secret)
        company = space.tables.companies[space.turn.connections()[0].company or 0]
        assert not company.active
    assert len([m for m in world.room.messages() if "are no longer friends" in m.text]) == 2


async def test_only_a_superuser_may() -> None:
    world = await friends()
    line = world.piet.says("!fed disconnect betaspace --sure")
    await world.settle()
    assert "needs an InvenTree superuser" in world.room.answers(line)[0].text
    assert connections(world) == both(ConnectionState.ACTIVE)


async def test_a_number_by_somebody_else_does_nothing() -> None:
    world = await friends()
    line = await disconnect(world, "")
    (preview,) = world.room.answers(line)
    world.piet.says("2", reply_to=preview)
    await world.settle()
    assert connections(world) == both(ConnectionState.ACTIVE)


async def test_nothing_new_starts_afterwards() -> None:
    world = await friends()
    await disconnect(world)
    for person, text in ((world.piet, "push 10 #1 to betaspace"), (world.tom, "request 5 M3-BOLT from attraktor")):
        line = person.says(f"!fed {text}")
        await world.settle()
        assert "aren't friends yet" in world.room.answers(line)[0].text
    assert [space.turn.transfers() for space in world.spaces] == [[], []]


async def test_there_is_nothing_to_end() -> None:
    world = await World().start()
    line = await disconnect(world)
    assert "aren't friends" in world.room.answers(line)[0].text
    world.anna.says("!fed connect betaspace")
    await world.settle()
    line = await disconnect(world)
    assert "!fed cancel" in world.room.answers(line)[0].text
    line = world.bea.says("!fed disconnect attraktor --sure")
    await world.settle()
    assert "!fed decline" in world.room.answers(line)[0].text
    assert connections(world) == ([ConnectionState.ASKED], [ConnectionState.OFFERED])


# --- while something is in progress ---


async def test_an_open_offer_is_cancelled() -> None:
    world = await friends()
    await world.push("10 #1")
    await disconnect(world)
    assert transfers(world) == (TransferState.CANCELLED, TransferState.CANCELLED)
    assert connections(world) == both(ConnectionState.ENDED)
    assert world.alpha.total("M3-BOLT") == 210


@pytest.mark.parametrize("who", ["anna", "bea"])
async def test_an_open_request_is_cancelled_whoever_ends_it(who: str) -> None:
    world = await sharing()
    world.tom.says("!fed request 5 M3-BOLT from attraktor")
    await world.settle()
    other = "betaspace" if who == "anna" else "attraktor"
    getattr(world, who).says(f"!fed disconnect {other} --sure")
    await world.settle()
    assert transfers(world) == (TransferState.CANCELLED, TransferState.CANCELLED)
    assert connections(world) == both(ConnectionState.ENDED)
    ended = "attraktor" if who == "anna" else "betaspace"
    assert {space.transfer().decided.party for space in world.spaces} == {ended}  # type: ignore[union-attr]


async def test_a_decision_within_its_grace_has_no_effect() -> None:
    world = await friends()
    card = await world.push("10 #1")
    world.cem.reacts(card, "✅")
    await world.settle()
    await disconnect(world)
    await world.grace()
    assert transfers(world) == (TransferState.CANCELLED, TransferState.CANCELLED)
    assert world.alpha.total("M3-BOLT") == 210


async def test_a_booking_out_in_progress_is_finished_first() -> None:
    world = await friends()
    card = await world.push("10 #1")
    fault = Fault(FaultKind.REFUSED, method="POST", path="stock/transfer", times=None)
    world.alpha.transport.faults.add(fault)
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DEBITING
    await disconnect(world)
    assert connections(world) == both(ConnectionState.ENDING)
    assert "These are moving. I finish them first" in world.room.message("Attraktor ends the friendship").text
    world.alpha.transport.faults.clear()
    await world.passes(timedelta(minutes=10))
    assert transfers(world) == (TransferState.DONE, TransferState.DONE)
    assert connections(world) == both(ConnectionState.ENDED)
    assert (world.alpha.total("M3-BOLT"), world.beta.total("M3-BOLT")) == (200, 22)


async def test_an_item_in_transit_is_booked_in_first() -> None:
    world = await friends()
    secret = token_of(world.alpha)
    card = await world.push("10 #1")
    fault = Fault(FaultKind.REFUSED, method="POST", path="/api/stock/$", times=None)
    world.beta.transport.faults.add(fault)
    world.cem.reacts(card, "✅")
    await world.grace()
    assert transfers(world) == (TransferState.SENT, TransferState.CREDITING)
    await disconnect(world)
    assert connections(world) == both(ConnectionState.ENDING)
    assert answers_to(world.alpha, secret) == 200
    line = await disconnect(world)
    assert "is ending already" in world.room.answers(line)[0].text
    line = world.anna.says("!fed connect betaspace")
    await world.settle()
    assert "still ending" in world.room.answers(line)[0].text
    world.beta.transport.faults.clear()
    await world.passes(timedelta(minutes=10))
    assert transfers(world) == (TransferState.DONE, TransferState.DONE)
    assert connections(world) == both(ConnectionState.ENDED)
    assert_shut(world.alpha, secret)


async def test_both_end_it_at_once() -> None:
    world = await friends()
    world.anna.says("!fed disconnect betaspace --sure")
    world.bea.says("!fed disconnect attraktor --sure")
    await world.settle()
    await world.passes(2 * HOUR)
    assert connections(world) == both(ConnectionState.ENDED)
    assert [space.bot.engine.failures for space in world.spaces] == [0, 0]
    assert all(not c.exchange.awaiting for space in world.spaces for c in space.turn.connections())


# --- when something is down ---


async def test_with_our_inventree_down_nobody_says_that_access_is_closed_before_it_is() -> None:
    world = await friends()
    secret = token_of(world.alpha)
    world.anna.says("!fed disconnect betaspace --sure")
    world.alpha.transport.faults.add(Fault(FaultKind.REFUSED, method="PATCH|DELETE", times=None))
    await world.settle()
    await world.passes(timedelta(minutes=2))
    assert answers_to(world.alpha, secret) == 200
    assert not [m for m in world.room.messages(sender=world.alpha.chat.user_id) if "no longer has access" in m.text]
    world.alpha.transport.faults.clear()
    await world.passes(timedelta(minutes=10))
    assert_shut(world.alpha, secret)
    assert [m for m in world.room.messages(sender=world.alpha.chat.user_id) if "no longer has access" in m.text]


async def test_without_an_admin_token_the_admins_are_told_what_to_click() -> None:
    world = await friends()
    await world.alpha.restart(has_admin_token=False)
    await disconnect(world)
    told = world.alpha_admins.message("still has access")
    assert "set the user fed-betaspace-1 inactive" in told.text
    assert not [m for m in world.room.messages(sender=world.alpha.chat.user_id) if "no longer has access" in m.text]


async def test_a_silent_bot_is_reported_once_and_a_superuser_need_not_wait() -> None:
    world = await friends()
    secret = token_of(world.alpha)
    card = await world.push("10 #1")
    world.cem.reacts(card, "✅")
    await world.settle()
    world.clock.advance(GRACE + timedelta(seconds=1))
    await world.settle(asleep=(world.alpha,))
    await world.settle(asleep=(world.beta,))
    assert world.alpha.transfer().state is TransferState.SENT
    world.anna.says("!fed disconnect betaspace --sure")
    await world.settle(asleep=(world.beta,))
    await world.passes(5 * HOUR, asleep=(world.beta,))
    silent = [m for m in world.room.messages() if "still has access to the InvenTree of Attraktor" in m.text]
    assert len(silent) == 1
    assert answers_to(world.alpha, secret) == 200
    line = world.anna.says("!fed disconnect betaspace --now")
    await world.settle(asleep=(world.beta,))
    (preview,) = world.room.answers(line)
    world.anna.says("1", reply_to=preview)
    await world.settle(asleep=(world.beta,))
    assert_shut(world.alpha, secret)
    assert world.alpha.transfer().state is TransferState.DISPUTED
    assert "a superuser of Attraktor settles it" in world.alpha_admins.message("I can't tell what happened to").text
    await world.settle()
    assert connections(world) == both(ConnectionState.ENDED)
    assert transfers(world) == (TransferState.DISPUTED, TransferState.RECEIVED)  # Betaspace's own stock is settled


async def test_a_peer_that_is_gone_for_ever_is_not_written_to_for_ever() -> None:
    world = await friends()
    world.anna.says("!fed disconnect betaspace --sure")
    await world.settle(asleep=(world.beta,))
    assert world.alpha.turn.connections()[0].state is ConnectionState.ENDED
    await world.passes(timedelta(days=33), asleep=(world.beta,))
    before = len(world.room.envelopes(sender=world.alpha.chat.user_id))
    await world.passes(timedelta(days=10), asleep=(world.beta,))
    assert len(world.room.envelopes(sender=world.alpha.chat.user_id)) == before


async def test_at_once_an_offer_to_us_is_cancelled_and_refused_if_it_comes() -> None:
    world = await friends()
    card = await world.push("10 #1")
    world.cem.reacts(card, "✅")
    await world.settle()
    world.clock.advance(GRACE + timedelta(seconds=1))
    await world.settle(asleep=(world.alpha,))
    world.bea.says("!fed disconnect attraktor --sure --now")
    world.server.loses = lambda user, event: user == world.alpha.chat.user_id and _is(event, "disconnecting", "cancel")
    await world.settle(asleep=(world.alpha,))
    assert world.beta.transfer().state is TransferState.CANCELLED
    await world.settle(asleep=(world.beta,))
    assert world.alpha.transfer().state is TransferState.SENT
    assert world.alpha.total("M3-BOLT") == 200
    world.server.loses = lambda _user, _event: False
    await world.passes(timedelta(hours=2))
    assert transfers(world) == (TransferState.REVERTED, TransferState.CANCELLED)
    assert (world.alpha.total("M3-BOLT"), world.beta.total("M3-BOLT")) == (210, 12)
    assert connections(world) == both(ConnectionState.ENDED)


def _is(event: object, *kinds: str) -> bool:
    content = event["content"] if isinstance(event, dict) else {}
    return content.get("dev.fedbot", {}).get("kind") in kinds


# --- again ---


async def test_friends_again_with_the_old_company_and_everything_else_new() -> None:
    world = await friends()
    secrets = [token_of(space) for space in world.spaces]
    card = await world.push("10 #1")
    world.cem.reacts(card, "✅")
    await world.grace()
    await disconnect(world)
    await world.connect()
    assert connections(world) == both(ConnectionState.ENDED, ConnectionState.ACTIVE)
    for space, secret in zip(world.spaces, secrets, strict=True):
        old, new = space.turn.connections()
        assert new.generation == 2
        assert new.company == old.company
        assert space.tables.companies[new.company or 0].active
        assert new.user != old.user
        assert new.group != old.group
        assert_shut(space, secret)
        assert answers_to(space, token_of(space, 2)) == 200
    card = await world.push("5 #1")
    world.cem.reacts(card, "✅")
    await world.grace()
    assert (world.alpha.total("M3-BOLT"), world.beta.total("M3-BOLT")) == (195, 27)


async def test_a_space_that_was_left_at_once_need_not_wait_for_the_last_message_about_a_booked_in_item() -> None:
    world = await friends()
    card = await world.push("10 #1")
    world.cem.reacts(card, "✅")
    await world.settle()
    world.clock.advance(GRACE + timedelta(seconds=1))
    await world.settle(asleep=(world.alpha,))
    await world.settle(asleep=(world.beta,))
    world.anna.says("!fed disconnect betaspace --sure --now")
    await world.settle()
    assert transfers(world) == (TransferState.DISPUTED, TransferState.RECEIVED)
    assert connections(world) == both(ConnectionState.ENDED)
    world.anna.says(f"!fed resolve {world.alpha.transfer().code} --as arrived")
    await world.settle()
    await world.passes(timedelta(minutes=5))
    assert transfers(world) == (TransferState.DONE, TransferState.DONE), "it is still heard when it comes"
    assert (world.alpha.total("M3-BOLT"), world.beta.total("M3-BOLT")) == (200, 22)


async def test_open_transfers_go_on_under_the_new_friendship() -> None:
    world = await friends()
    card = await world.push("10 #1")
    world.cem.reacts(card, "✅")
    await world.settle()
    world.clock.advance(GRACE + timedelta(seconds=1))
    await world.settle(asleep=(world.alpha,))
    await world.settle(asleep=(world.beta,))
    world.anna.says("!fed disconnect betaspace --sure --now")
    await world.settle()
    assert transfers(world) == (TransferState.DISPUTED, TransferState.RECEIVED), "it was booked in meanwhile"
    assert connections(world) == both(ConnectionState.ENDED)
    await world.connect()
    assert "continues" in world.room.message("We were friends with Betaspace before").text
    for space in world.spaces:
        assert space.transfer().connection == space.connection("betaspace" if space is world.alpha else "attraktor").id
        assert space.bot.engine.failures == 0
