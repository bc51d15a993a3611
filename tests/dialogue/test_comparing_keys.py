"""Keys are compared as a whole: an attacker between two bots, or in place of one, can't show people the same emoji."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fedbot.rules.connection import pinning
from fedbot.rules.model import connection as connections
from fedbot.rules.model.catalogue import Allowance
from fedbot.rules.model.connection import Exchange
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.wire import (
    Draft,
    Identity,
    connection_id,
    envelope_id,
    fingerprint,
    key_commitment,
    short_string,
    sign,
)
from tests.dialogue.test_connecting import both_ask_at_once
from tests.dialogue.test_dishonest_friends import forges
from tests.scenarios.space import Space
from tests.scenarios.world import World, a_world, friends, told

ACTIVE, OFFERED, SUSPENDED = ConnectionState.ACTIVE, ConnectionState.OFFERED, ConnectionState.SUSPENDED
CANCELLED = ConnectionState.CANCELLED


def emoji_in(text: str) -> list[str]:
    """The names of the emoji in a message."""
    rows = [line for line in text.splitlines() if line.count(" · ") == 6]
    assert len(rows) <= 1, text
    return [part.split(" ", 1)[1] for row in rows for part in row.split(" · ")]


def changes_letters(space: Space, kind: str, **fields: str) -> None:
    """The space's bot changes these fields in its messages of that kind from now on."""
    honest = space.bot.chat_worker._envelope

    def envelope_of(draft: Draft, room: str) -> dict[str, Any]:
        lie = replace(draft, body={**draft.body, **fields})
        return honest(lie if draft.kind == kind else draft, room)

    space.bot.chat_worker._envelope = envelope_of  # type: ignore[method-assign]


def checks(world: World, body: dict[str, str]) -> None:
    """Betaspace's bot sends a message of a key check, whatever its own code would do."""
    beta = world.beta
    content = beta.bot.chat_worker._envelope(
        Draft("check", "attraktor", beta.connection().id, "connection", 0, body), world.room.id
    )
    transaction = next(iter(body.values()))
    world.server.send(
        beta.chat.user_id,
        world.room.id,
        "dev.fedbot.envelope",
        {"dev.fedbot": content},
        device="liar",
        transaction=transaction,
    )


def states(space: Space) -> list[ConnectionState]:
    """The states of all connections that the space ever had."""
    return [connection.state for connection in space.turn.connections()]


async def test_both_sides_show_the_same_seven_emoji_before_anybody_decides() -> None:
    world = await a_world()
    await world.asks_to_connect()
    asked, card = emoji_in(world.room.message("Asked Betaspace").text), emoji_in(world.card().text)
    assert len(asked) == 7
    assert asked == card


async def test_nothing_can_be_decided_before_the_emoji_are_shown() -> None:
    world = await a_world()
    world.anna.says("!fed connect betaspace")
    await world.settle(asleep=(world.beta,))
    world.alpha.is_asleep = True
    await world.settle()
    assert not [m for m in world.room.messages(sender=world.beta.chat.user_id) if m.reactions], "no card yet"
    world.bea.says(f"!fed approve {world.beta.connection().code}")
    await world.grace()
    assert world.beta.connection().state is OFFERED
    assert told(world.room, "my card for")
    world.alpha.is_asleep = False
    await world.settle()
    assert len(emoji_in(world.card().text)) == 7


async def test_an_attacker_between_two_bots_is_seen() -> None:
    """The attacker may choose the nonces freely, but only before the bots reveal theirs."""
    world = await a_world()
    await world.asks_to_connect()
    ours, theirs = world.alpha.connection(), world.beta.connection()
    assert ours.check is not None
    assert theirs.check is not None
    eve = Identity(bytes(32))
    seen_by_anna = short_string(ours.id, (world.alpha.identity.key, ours.check.ours), (eve.key, "11" * 32))
    seen_by_bea = short_string(ours.id, (world.beta.identity.key, theirs.check.ours), (eve.key, "22" * 32))
    assert seen_by_anna != seen_by_bea


@pytest.mark.parametrize("side", ["asker", "decider"])
async def test_a_nonce_that_breaks_its_commitment_ends_it_and_people_are_told(side: str) -> None:
    """A side that may choose a nonce after seeing the other's can try until the emoji match."""
    world = await a_world()
    if side == "asker":
        changes_letters(world.alpha, "reveal", nonce="ab" * 32)
        world.anna.says("!fed connect betaspace")
        await world.settle()
        assert states(world.beta) == [CANCELLED]
    else:
        await world.asks_to_connect()
        forges(world, world.beta, world.beta.connection(), "reveal", {"nonce": "ab" * 32})
        await world.settle()
        assert states(world.alpha) == [CANCELLED]
    assert told(world.room, "The key check with")
    assert told(world.beta_admins if side == "asker" else world.alpha_admins, "The key check with")


async def test_an_approval_without_a_nonce_does_not_count() -> None:
    world = await a_world()
    world.anna.says("!fed connect betaspace")
    await world.settle(asleep=(world.beta,))
    asked = world.alpha.connection()
    answering = replace(asked, peer="attraktor", exchange=replace(asked.exchange, sent=0, seen=1))
    forges(world, world.beta, answering, "accepted", {"access": "relayed"})
    await world.settle(asleep=(world.beta,))
    assert states(world.alpha) == [CANCELLED]


async def test_a_request_without_a_commitment_is_not_accepted() -> None:
    world = await a_world()
    changes_letters(world.alpha, "connect", commitment="short")
    world.anna.says("!fed connect betaspace")
    await world.settle()
    assert world.beta.turn.connections() == []


async def test_when_both_ask_at_once_both_show_the_same_emoji() -> None:
    world = await a_world()
    await both_ask_at_once(world)
    shown = [emoji_in(m.text) for m in world.room.messages() if "at the same moment" in m.text]
    assert len(shown) == 2
    assert shown[0] == shown[1]
    assert len(shown[0]) == 7
    assert world.alpha.connection().state is world.beta.connection().state is ACTIVE


# --- another key ---------------------------------------------------------------------------------------------


async def another_key() -> World:
    """Attraktor's bot has another key, and both bots have shown their emoji."""
    world = await friends()
    await world.alpha.gets_new_key()
    await world.settle()
    assert world.beta.connection().state is SUSPENDED
    return world


async def test_at_a_review_both_bots_show_the_same_emoji() -> None:
    world = await another_key()
    shown = [emoji_in(m.text) for m in told(world.room, "Compare the keys")]
    assert len(shown) == 2
    assert shown[0] == shown[1]
    line = world.bea.says("!fed review attraktor")
    await world.settle()
    assert emoji_in(world.answer_to(line)) == shown[0]


@pytest.mark.parametrize("typed", ["names", "signs", "key"])
async def test_the_emoji_their_names_or_the_whole_key_let_it_go_on(typed: str) -> None:
    world = await another_key()
    numbers = pinning.emoji_numbers(world.beta.turn, world.beta.connection())
    words = {
        "names": " ".join(connections.KEY_EMOJI[number][1].upper() for number in numbers),
        "signs": " ".join(connections.KEY_EMOJI[number][0] for number in numbers),
        "key": fingerprint(world.alpha.identity.key),
    }
    world.bea.says(f"!fed review attraktor accept {words[typed]}")
    await world.settle()
    assert world.beta.connection().state is ACTIVE
    await world.hand_over()


async def test_a_key_that_begins_like_the_real_one_is_not_accepted() -> None:
    """A key with the same first 20 bits is found in seconds."""
    world = await another_key()
    new = fingerprint(world.alpha.identity.key)
    for typed in (new[:4], new[:19], new[:-1], new + "2", fingerprint(world.beta.identity.key), "x"):
        line = world.bea.says(f"!fed review attraktor accept {typed}")
        await world.settle()
        assert world.beta.connection().state is SUSPENDED
        assert "Not accepted" in world.answer_to(line)


async def test_six_of_seven_emoji_are_not_enough() -> None:
    world = await another_key()
    numbers = pinning.emoji_numbers(world.beta.turn, world.beta.connection())
    six = " ".join(connections.KEY_EMOJI[number][1] for number in numbers[:6])
    world.bea.says(f"!fed review attraktor accept {six}")
    await world.settle()
    assert world.beta.connection().state is SUSPENDED


async def test_emoji_compared_for_one_key_do_not_count_for_another() -> None:
    world = await another_key()
    numbers = pinning.emoji_numbers(world.beta.turn, world.beta.connection())
    world.alpha.identity = Identity(bytes(31) + b"x")
    await world.alpha.restart(key=world.alpha.identity.key)
    await world.settle()
    world.bea.says("!fed review attraktor accept " + " ".join(connections.KEY_EMOJI[number][1] for number in numbers))
    await world.settle()
    assert world.beta.connection().state is SUSPENDED


async def test_a_new_key_that_breaks_its_commitment_is_reported() -> None:
    world = await friends()
    commitment = key_commitment(world.alpha.connection().id, world.beta.identity.key, "11" * 32)
    for body in ({"commitment": commitment}, {"nonce": "22" * 32}):
        checks(world, body)
        await world.settle(asleep=(world.beta,))
    assert told(world.alpha_admins, "The key check with")
    assert world.alpha.connection().state is ACTIVE


async def test_nobody_gets_one_nonce_after_the_other_until_the_emoji_match() -> None:
    world = await friends()
    before = len(world.room.envelopes(sender=world.alpha.chat.user_id))
    for number in range(20):
        commitment = key_commitment(world.alpha.connection().id, world.beta.identity.key, f"{number:064x}")
        checks(world, {"commitment": commitment})
        await world.settle(asleep=(world.beta,))
    assert len(world.room.envelopes(sender=world.alpha.chat.user_id)) == before + 1


async def test_each_request_has_another_nonce_that_nobody_else_can_guess() -> None:
    world = await a_world()
    identity = world.alpha.identity
    assert identity.nonce("one") == identity.nonce("one") != identity.nonce("two")
    assert identity.nonce("one") != world.beta.identity.nonce("one")
    assert re.fullmatch("[0-9a-f]{64}", identity.nonce("one"))


async def test_show_lists_both_whole_fingerprints() -> None:
    world = await friends()
    line = world.piet.says(f"!fed show {world.alpha.connection().code}")
    await world.settle()
    answer = world.answer_to(line)
    for space in (world.alpha, world.beta):
        assert fingerprint(space.identity.key) in answer


# --- others who mix in ---------------------------------------------------------------------------------------


async def test_checks_by_others_in_the_room_cost_and_change_nothing_and_replace_no_emoji() -> None:
    """Members of the room sign as the peer with keys of their own, and send the peer's own messages again."""
    world = await another_key()
    before, check = len(world.room.messages(sender=world.beta.chat.user_id)), world.beta.connection().check
    allowances = len(world.beta.turn.all(Allowance))
    connection, log = world.beta.connection(), [e for e in world.server.log if "dev.fedbot" in e["content"]]
    real = [e["content"] for e in log if e["content"]["dev.fedbot"]["kind"] in {"check", "connect", "reveal"}]
    assert len(real) >= 4
    for number in range(12):
        eve = world.newcomer(f"eve{number}")
        key = Identity(bytes([number]) * 32)
        for each in ({"commitment": "ab" * 32}, {"nonce": f"{number:064x}"}):
            unsigned = {
                "id": envelope_id("attraktor", connection.id, 0),
                "kind": "check",
                "from": "attraktor",
                "to": "betaspace",
                "room": world.room.id,
                "connection": connection.id,
                "seq": 0,
                "terms_hash": "",
                "body": each,
                "sent_at": world.clock.now(),
            }
            eve.sends("dev.fedbot.envelope", {"dev.fedbot": sign(key, unsigned)})
        for content in real:
            eve.sends("m.room.message", {"msgtype": "m.notice", "body": "again", **content})
        await world.settle()
    assert world.beta.connection().check == check, "the emoji that people compare are still the same"
    assert world.beta.connection().state is SUSPENDED
    assert len(world.room.messages(sender=world.beta.chat.user_id)) == before
    about_checks = [each for each in world.beta.turn.all(Allowance) if each.id.startswith("about a connection")]
    assert len(about_checks) <= allowances, "nothing is stored for each of them"
    assert len(world.beta_admins.messages()) <= 20


@pytest.mark.parametrize("body", [{"commitment": "ab" * 32}, {"nonce": "cd" * 32}])
async def test_a_check_before_the_card_is_decided_or_after_the_end_is_not_read(body: dict[str, str]) -> None:
    world = await a_world()
    await world.asks_to_connect()
    before = world.alpha.connection()
    checks(world, body)
    await world.settle(asleep=(world.beta,))
    assert world.alpha.connection() == before, "while we ask, other messages carry nonces"
    world.bea.reacts(world.card(), "❌")
    await world.grace()
    ended, sent = world.alpha.turn.connections()[-1], len(world.server.sent_by(world.alpha.chat.user_id))
    checks(world, {name: value[::-1] for name, value in body.items()})
    await world.settle(asleep=(world.beta,))
    assert world.alpha.turn.connections()[-1] == ended
    assert len(world.server.sent_by(world.alpha.chat.user_id)) == sent


async def test_another_request_during_the_comparison_shows_other_emoji_and_voids_the_decision_on_the_first() -> None:
    """A bot that doesn't like the emoji asks again: people compare again, and a reaction on the old card is void."""
    world = await a_world()
    await world.asks_to_connect()
    first, card = world.beta.connection(), world.card()
    world.bea.reacts(card, "✅")
    await world.settle()
    identifier = connection_id(world.alpha.identity.key, world.beta.identity.key, world.room.id, 2)
    again = replace(world.alpha.connection(), id=identifier, generation=2, exchange=Exchange())
    nonce = "12" * 32
    commitment = key_commitment(identifier, world.alpha.identity.key, nonce)
    due = (world.clock.now() + timedelta(days=7)).isoformat()
    told_of = {"name": "A", "access": "relayed", "asker": "@anna:twin.test", "asker_name": "Anna"}
    world.alpha.is_asleep = True
    forges(world, world.alpha, again, "connect", {**told_of, "commitment": commitment, "generation": 2, "due": due})
    await world.settle()
    forges(world, world.alpha, replace(again, exchange=Exchange(sent=1, seen=1)), "reveal", {"nonce": nonce})
    await world.grace()
    assert [each.state for each in world.beta.turn.connections() if each.id == first.id] == [CANCELLED]
    newest = world.beta.connection()
    assert newest.state is OFFERED, "nobody has decided on this one"
    assert emoji_in(world.card().text) != emoji_in(card.text)
    world.bea.says("!fed approve", reply_to=card)
    await world.grace()
    assert world.beta.connection().state is OFFERED


async def test_one_request_twice_with_another_commitment_changes_no_emoji() -> None:
    world = await a_world()
    await world.asks_to_connect()
    asked, shown = world.beta.connection(), emoji_in(world.card().text)
    due = asked.due.isoformat()
    told_of = {"name": "A", "access": "relayed", "asker": "@anna:twin.test", "asker_name": "Anna"}
    world.alpha.is_asleep = True
    for number in (0, world.alpha.connection().exchange.sent):
        again = replace(world.alpha.connection(), exchange=Exchange(sent=number, seen=asked.exchange.sent))
        forged = {**told_of, "commitment": "cd" * 32, "generation": 1, "due": due}
        forges(world, world.alpha, again, "connect", forged)
        await world.settle()
    assert world.beta.connection().check == asked.check
    assert emoji_in(world.card().text) == shown
