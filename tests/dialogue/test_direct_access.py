"""`peer_access: direct`: the tokens are exchanged, sealed, and tested at the peer's InvenTree."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest

from fedbot.inventree.client.versions import Version
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot_demo.inventree.faults import FaultKind
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, a_world, friends, told

ACTIVE, CANCELLED, MAKING = ConnectionState.ACTIVE, ConnectionState.CANCELLED, ConnectionState.MAKING
DIRECT = {"peer_access": "direct"}


async def direct_friends() -> World:
    """Both opted in."""
    return await friends(alpha=dict(DIRECT), beta=dict(DIRECT))


async def test_either_bot_can_read_the_others_inventree_and_change_nothing() -> None:
    world = await direct_friends()
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
    for space, peer in ((world.alpha, world.beta), (world.beta, world.alpha)):
        token = space.vault.read(f"got-from/{peer.party}/1")
        assert token == peer.vault.read(f"made-for/{space.party}/1")
        assert space.connection().sees_items == len(peer.stock())
        assert space.connection().peer_sees_items == len(space.stock())
    assert_books_balance(world)


async def test_the_card_says_what_direct_access_shows_before_anybody_approves() -> None:
    world = await a_world(alpha=dict(DIRECT), beta=dict(DIRECT))
    await world.asks_to_connect()
    assert "Each can read all stock items of the other" in world.room.message("Asked Betaspace").text
    assert "read" in world.card().text


async def test_no_token_is_ever_readable_in_the_room() -> None:
    world = await direct_friends()
    said = json.dumps(world.server.log, default=str)
    for space in world.spaces:
        for secret in space.vault.secrets.values():
            assert secret not in said


async def test_access_is_relayed_if_only_one_side_opted_in() -> None:
    world = await friends(alpha=dict(DIRECT))
    assert [space.connection().access for space in world.spaces] == ["relayed", "relayed"]
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]


async def test_an_inventree_in_which_any_account_can_become_admin_gives_no_token_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Version, "direct_access_is_safe", property(lambda _: False))
    world = await a_world(alpha=dict(DIRECT), beta=dict(DIRECT))
    for space, superuser in ((world.alpha, "anna"), (world.beta, "bea")):
        space.settings.update(pinned_superusers=(superuser,))
        await space.restart()
    await world.connect()
    await world.passes(timedelta(minutes=10))
    for space, admins in ((world.alpha, world.alpha_admins), (world.beta, world.beta_admins)):
        assert space.connection().state is MAKING
        assert space.vault.secrets == {}
        assert len(told(admins, "any account can make itself admin")) == 1
        assert len(told(admins, "peer_access: relayed")) == 1
    assert_books_balance(world)


async def test_the_room_is_told_whose_inventree_can_not_be_reached() -> None:
    world = await a_world(alpha=dict(DIRECT), beta=dict(DIRECT))
    world.alpha.out_of_reach.add("http://betaspace.test")
    await world.connect()
    await world.passes(timedelta(minutes=30))
    assert world.alpha.connection().state is MAKING
    assert len(told(world.room, "can't read the InvenTree of Betaspace")) == 1
    assert not told(world.alpha_admins, "InvenTree of Attraktor does not answer")
    assert world.alpha.turn.status().inventory_down_since is None
    world.alpha.out_of_reach.clear()
    await world.passes(timedelta(minutes=15))
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
    assert_books_balance(world)


async def test_nothing_that_the_peers_server_answers_reaches_the_room_or_the_peer() -> None:
    """The address may be any server that our bot can reach, and its answer nobody else's business."""
    world = await a_world(alpha=dict(DIRECT), beta=dict(DIRECT))
    inside = "Internal Server Error: postgres://admin:hush@10.0.0.7/payroll"
    answers = httpx.MockTransport(lambda _: httpx.Response(500, text=inside, headers={"X-Inside": "hush-too"}))
    world.alpha.network = {**world.network, "http://betaspace.test": answers}
    await world.connect()
    await world.passes(timedelta(minutes=30))
    assert world.alpha.connection().state is MAKING
    said = json.dumps(world.server.log, default=str)
    assert told(world.room, "can't read the InvenTree of Betaspace")
    for word in ("postgres:", "hush", "10.0.0.7", "payroll"):
        assert word not in said


async def test_if_the_peers_inventree_stays_out_of_reach_everything_is_removed_at_the_end() -> None:
    soon = {**DIRECT, "request_open_for": timedelta(hours=6)}
    world = await a_world(alpha=dict(soon), beta=dict(soon))
    world.alpha.out_of_reach.add("http://betaspace.test")
    await world.connect()
    await world.passes(timedelta(hours=8))
    assert ACTIVE not in [space.connection().state for space in world.spaces]
    for space, peer in ((world.alpha, world.beta), (world.beta, world.alpha)):
        assert not space.user(f"fed-{peer.party}-1").is_active
        assert space.vault.secrets == {}
    assert_books_balance(world)


async def test_a_token_that_could_change_things_is_refused_and_reported() -> None:
    world = await a_world(alpha=dict(DIRECT), beta=dict(DIRECT))
    await world.asks_to_connect()
    world.bea.reacts(world.card(), "✅")
    await world.settle()
    world.beta.before("POST", "user/tokens/", lambda: _promote(world))
    await world.grace()
    assert world.alpha.connection().state is MAKING
    assert told(world.room, "can do more than read")
    user = world.beta.user("fed-attraktor-1")
    world.beta.admin("PATCH", f"user/{user.pk}/", is_staff=False)
    await world.passes(timedelta(minutes=3))
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]


def _promote(world: World) -> None:
    user = world.beta.user("fed-attraktor-1")
    world.beta.admin("PATCH", f"user/{user.pk}/", is_staff=True)


async def test_another_token_is_made_if_the_reply_with_the_first_gets_lost() -> None:
    world = await a_world(alpha=dict(DIRECT), beta=dict(DIRECT))
    world.beta.fails(FaultKind.TIMEOUT_AFTER, "POST", "user/tokens/")
    await world.connect()
    await world.passes(timedelta(minutes=10))
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
    names = [token.name for token in world.beta.tables.tokens if token.name.startswith("fed-") and not token.revoked]
    assert names == ["fed-attraktor-1-2"]


async def test_a_lost_message_with_the_token_is_sent_again() -> None:
    world = await a_world(alpha=dict(DIRECT), beta=dict(DIRECT))
    lost: list[str] = []

    def loses(user: str, event: object) -> bool:
        del user
        envelope = event["content"].get("dev.fedbot", {})  # type: ignore[index]
        if envelope.get("kind") == "credentials" and len(lost) < 2:
            lost.append(str(envelope))
            return True
        return False

    world.server.loses = loses
    await world.connect()
    await world.passes(timedelta(minutes=15))
    assert lost
    assert [space.connection().state for space in world.spaces] == [ACTIVE, ACTIVE]
