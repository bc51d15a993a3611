"""Messages that get lost, come twice, arrive in another order or are redacted; a peer's bot that is silent."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from fedbot.ports.clock import Clock
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.protocol.sequencing import MOST_UNHEARD
from fedbot_demo.inventree.faults import FaultKind
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, a_world, friends, nothing, protocol_messages, sharing, told

DECLINED, DONE, OPEN = TransferState.DECLINED, TransferState.DONE, TransferState.OPEN


def states(world: World) -> set[TransferState]:
    """The transfer's states on both sides."""
    return {space.transfer().state for space in world.spaces}


def kind_of(event: Mapping[str, Any]) -> str:
    """The kind of the event's protocol message; '' if it has none."""
    content = event["content"]
    letter = content.get("dev.fedbot") or content.get("m.new_content", {}).get("dev.fedbot") or {}
    return str(letter.get("kind", ""))


@pytest.mark.parametrize("kind", ["offer", "noted", "approve", "sent", "received", "done"])
async def test_a_lost_message_is_sent_again(kind: str) -> None:
    world = await friends()
    lost: list[str] = []

    def loses(user: str, event: Mapping[str, Any]) -> bool:
        del user
        if kind_of(event) == kind and (not lost or event["event_id"] in lost):
            lost.append(event["event_id"])
            return True
        return False

    world.server.loses = loses
    world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.passes(timedelta(minutes=3))
    world.cem.reacts(world.card(), "✅")
    await world.passes(timedelta(minutes=30))
    assert lost
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_a_lost_end_is_sent_again_to_a_receiver_that_has_stopped_asking() -> None:
    world = await friends()
    world.cem.reacts(await world.push("M3-NUT 10"), "✅")
    world.server.loses = lambda _, event: kind_of(event) == "received"
    await world.grace()
    world.alpha.goes_down()  # so it acknowledges that, and can't mark the item yet
    world.server.loses = nothing
    await world.passes(timedelta(minutes=30))
    assert not world.beta.transfer().exchange.awaiting
    world.server.loses = lambda _, event: kind_of(event) == "done"
    world.alpha.comes_back()
    await world.passes(timedelta(minutes=10))
    assert world.alpha.transfer().state is TransferState.DONE
    assert world.beta.transfer().state is TransferState.RECEIVED
    world.server.loses = nothing
    await world.passes(timedelta(days=1))
    assert world.beta.transfer().state is TransferState.DONE
    assert not world.alpha.transfer().exchange.awaiting


async def test_two_crossing_ready_messages_are_not_sent_again() -> None:
    world = await a_world()
    for space in world.spaces:
        space.fails(FaultKind.REFUSED, "POST", "company/", times=None)
    await world.connect()
    for space in world.spaces:
        space.chat.is_unreachable = True
        space.comes_back()
    await world.passes(timedelta(seconds=50))
    for space in world.spaces:
        assert space.connection().state is ConnectionState.READY
        space.chat.is_unreachable = False
    await world.passes(timedelta(hours=2))
    assert [space.connection().state for space in world.spaces] == [ConnectionState.ACTIVE] * 2
    kinds = Counter(kind_of(event) for event in world.server.log)
    assert (kinds["ready"], kinds["seen"], kinds["ask"]) == (2, 0, 0)


@pytest.mark.parametrize("loser", ["alpha", "beta"])
@pytest.mark.parametrize("access", ["relayed", "direct"])
async def test_a_lost_ready_is_requested_by_the_side_that_waits_for_it(access: str, loser: str) -> None:
    world = await a_world(alpha={"peer_access": access}, beta={"peer_access": access})
    reader = getattr(world, loser).chat.user_id
    lost: list[str] = []

    def loses(user: str, event: Mapping[str, Any]) -> bool:
        if user == reader and kind_of(event) == "ready" and event["sender"] != reader and not lost:
            lost.append(event["event_id"])
        return user == reader and event["event_id"] in lost

    world.server.loses = loses
    await world.connect()
    await world.passes(timedelta(minutes=3))
    assert lost
    assert [space.connection().state for space in world.spaces] == [ConnectionState.ACTIVE] * 2
    assert [space.connection().exchange.awaiting for space in world.spaces] == [False] * 2


@pytest.mark.parametrize("seed", range(5))
async def test_it_ends_once_although_half_of_all_messages_get_lost_for_days(seed: int) -> None:
    dice = random.Random(seed)
    world = await friends()
    fate: dict[tuple[str, str], bool] = {}

    def loses(user: str, event: Mapping[str, Any]) -> bool:
        return bool(kind_of(event)) and fate.setdefault((user, event["event_id"]), dice.random() < 0.5)

    world.server.loses = loses
    world.anna.says("!fed push M3-NUT 10 to betaspace")
    for _ in range(12):
        await world.passes(timedelta(hours=12))
        if world.beta.turn.transfers():
            break
    world.cem.reacts(world.card(), "✅")
    await world.passes(timedelta(days=4))
    world.server.loses = nothing
    await world.passes(timedelta(days=2))
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_repeated_and_reordered_messages_change_nothing() -> None:
    world = await friends()
    await world.hand_over()
    dice = random.Random(1)
    for bot in (world.alpha.chat, world.beta.chat):
        old = [event for event in world.server.log if event["sender"] == bot.user_id and kind_of(event)]
        dice.shuffle(old)
        for number, event in enumerate(old):
            content = {
                "dev.fedbot": event["content"].get("dev.fedbot") or event["content"]["m.new_content"]["dev.fedbot"]
            }
            world.server.send(
                bot.user_id, world.room.id, "dev.fedbot.envelope", content, device="again", transaction=f"{number}"
            )
            await world.settle()
    await world.passes(timedelta(hours=2))
    assert states(world) == {DONE}
    assert world.beta.total("N-M3") == 910
    assert_books_balance(world)


async def test_a_message_repeated_by_another_account_is_refused() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    stranger = world.newcomer("eve")
    envelope = next(e for e in world.room.envelopes() if e["kind"] == "offer")
    stranger.sends("dev.fedbot.envelope", {"dev.fedbot": dict(envelope)})
    await world.grace()
    assert states(world) == {DONE}
    assert told(world.beta_admins, "speaks in the name of")
    assert_books_balance(world)


async def test_a_message_changed_in_transit_is_refused() -> None:
    world = await friends()
    await world.push()
    envelope = dict(next(e for e in world.room.envelopes() if e["kind"] == "offer"))
    envelope["kind"] = "sent"
    world.server.send(
        world.alpha.chat.user_id,
        world.room.id,
        "dev.fedbot.envelope",
        {"dev.fedbot": envelope},
        device="again",
        transaction="1",
    )
    await world.settle()
    assert states(world) == {OPEN}
    assert world.beta.bot.engine.failures == 0


async def test_an_offer_redacted_before_betaspace_has_read_it_is_sent_again() -> None:
    world = await friends()
    world.beta.is_asleep = True
    world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.settle()
    world.anna.takes_back(world.room.message("Offered to Betaspace"))
    await world.passes(timedelta(minutes=2))
    await world.beta.restart()
    await world.passes(timedelta(minutes=12))
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_a_bot_that_has_forgotten_a_transfer_does_not_request_its_beginning_without_end() -> None:
    world = await friends()
    card = await world.push()
    offered = world.alpha.transfer()
    world.alpha.knows_instead({("Transfer", offered.id): None})
    world.cem.reacts(card, "✅")
    await world.grace()
    before = len(world.server.log)
    await world.passes(timedelta(hours=2))
    assert len(world.server.log) - before < 20
    assert world.alpha.given("M3-NUT") == 0


class Behind(Clock):
    """The clock of a small machine that hasn't received the time yet."""

    def __init__(self, true: Clock) -> None:
        self._true = true

    def now(self) -> datetime:
        return self._true.now() - timedelta(hours=2)

    async def sleep(self, seconds: float) -> None:
        await self._true.sleep(seconds)


async def test_a_bot_whose_clock_is_hours_behind_still_gives() -> None:
    """Its messages look old; the homeserver says when they arrived."""
    world = await friends()
    world.alpha.bot.chat_worker._clock = Behind(world.clock)
    await world.hand_over()
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_a_homeserver_that_is_hours_behind_too_makes_nobody_ask_without_end() -> None:
    """Then even a new message looks old, also a requested one."""
    world = await friends()
    world.alpha.bot.chat_worker._clock = Behind(world.clock)
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    world.server.behind = timedelta(hours=2)
    await world.grace()
    assert states(world) == {TransferState.SENT, OPEN}
    before = len(world.server.log)
    await world.passes(timedelta(hours=1))
    assert len(world.server.log) - before < 30
    assert_books_balance(world, at_rest=False, with_history=False)


async def test_a_redacted_card_can_still_be_decided_by_a_line() -> None:
    world = await friends()
    card = await world.push()
    world.anna.takes_back(card)
    await world.settle()
    world.cem.says(f"!fed approve {world.beta.transfer().code}")
    await world.grace()
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_the_thread_is_told_once_that_the_other_bot_is_silent() -> None:
    world = await friends()
    world.beta.is_asleep = True
    line = world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.passes(timedelta(days=2))
    silent = told(world.room, "has not answered for 11 minutes")
    assert len(silent) == 1
    assert silent[0].thread == world.room.message("Offered to Betaspace").event_id
    assert world.answer_to(line)
    await world.beta.restart()
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    await world.passes(timedelta(hours=25))
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_nothing_is_lost_if_the_sender_falls_silent_after_the_approval() -> None:
    world = await friends()
    card = await world.push()
    world.alpha.is_asleep = True
    world.cem.reacts(card, "✅")
    await world.passes(timedelta(hours=5))
    assert "waiting for Attraktor" in world.card().text
    await world.alpha.restart()
    await world.passes(timedelta(minutes=5))
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_a_message_sent_more_than_an_hour_ago_is_confirmed_before_booking_in() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    world.server.loses = lambda user, event: user == world.beta.chat.user_id and kind_of(event) == "sent"
    await world.grace()
    world.beta.is_asleep = True
    world.server.loses = nothing
    await world.passes(timedelta(minutes=50))
    world.alpha.is_asleep = True
    await world.passes(timedelta(hours=2))
    await world.beta.restart()
    await world.settle()
    assert world.beta.transfer().state is OPEN
    await world.alpha.restart()
    await world.passes(timedelta(minutes=2))
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_a_refusal_arrives_after_a_day_without_messages() -> None:
    world = await friends()
    card = await world.push()
    world.server.loses = protocol_messages
    world.cem.reacts(card, "❌")
    await world.passes(timedelta(hours=20))
    assert world.alpha.transfer().state is OPEN
    world.server.loses = nothing
    await world.passes(timedelta(days=1))
    assert states(world) == {DECLINED}
    assert_books_balance(world)


async def test_two_idle_bots_send_nothing_to_each_other_for_days() -> None:
    world = await friends()
    await world.hand_over()
    await world.passes(timedelta(days=1))
    before = len(world.room.envelopes())
    await world.passes(timedelta(days=5))
    assert len(world.room.envelopes()) == before


async def test_under_the_homeservers_limits_everything_arrives_in_order() -> None:
    world = await friends()
    for space in world.spaces:
        space.chat.limited_calls = 3
    world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.passes(timedelta(minutes=3))
    world.cem.reacts(world.card(), "✅")
    await world.passes(timedelta(minutes=3))
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_a_lost_answer_of_the_homeserver_causes_no_second_message() -> None:
    world = await friends()
    for space in world.spaces:
        space.chat.lost_answers = 2
    world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.passes(timedelta(minutes=3))
    assert len(told(world.room, "Offered to Betaspace")) == 1
    world.cem.reacts(world.card(), "✅")
    await world.passes(timedelta(minutes=3))
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_a_friend_that_was_away_during_many_searches_is_searched_at_again() -> None:
    """It reads the old queries and answers none, because nobody waits for the answers any more."""
    world = await sharing()
    for _ in range(MOST_UNHEARD + 2):
        world.anna.says("!fed find bolt")
        await world.passes(timedelta(minutes=3), asleep=(world.beta,))
    await world.passes(timedelta(hours=2), asleep=(world.beta,))
    await world.passes(timedelta(minutes=1))
    for _ in range(2):
        line = world.anna.says("!fed find bolt")
        await world.passes(timedelta(minutes=1))
    assert "its bot has not answered" not in world.answer_to(line)
    assert "Betaspace" in world.answer_to(line)


async def test_queries_to_a_friend_whose_bot_is_gone_are_not_kept_without_end() -> None:
    world = await sharing()
    for number in range(15):
        world.anna.says("!fed find nut")
        world.piet.says(f"!fed stats betaspace --since {number + 1}d")
        world.anna.says("!fed reconcile betaspace")
        await world.passes(timedelta(minutes=3), asleep=(world.beta,))
    kept = Counter(draft.kind for draft in world.alpha.connection().exchange.unread)
    assert [kept[kind] for kind in ("find-ask", "stats-ask", "books-ask")] == [MOST_UNHEARD] * 3
    await world.passes(timedelta(days=1))
    line = world.anna.says("!fed reconcile betaspace")
    await world.settle()
    assert "✅ The books of" in world.answer_to(line)
