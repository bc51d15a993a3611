"""Times that others write: a friend's bot into its messages, and a homeserver beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fedbot.engine import chat_worker
from fedbot.rules.model.catalogue import FriendWant
from fedbot.rules.model.connection import Exchange
from fedbot.rules.model.lending import QueueEntry
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.wire import LATEST
from tests.dialogue.test_booking import booked
from tests.dialogue.test_dishonest_friends import forges
from tests.dialogue.test_lending import lent
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, a_world

DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def history() -> World:
    """Everything in which a friend's message has a time: a friendship, gifts, loans, parcels, bookings, lists."""
    world = await a_world()
    await world.connect()
    for person in (world.piet, world.cem):
        person.says("!fed share all")
    await world.settle()
    world.cem.says("!fed push 5 N-M3 to attraktor")
    await world.settle()
    world.piet.reacts([m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1], "📦")
    await world.grace()
    await world.passes(2 * DAY)
    await world.answer(world.piet, f"!fed received {world.alpha.transfer().code}")
    await world.grace()
    await lent("#4 4", world=world)
    world.bea.says("!fed extend 2 weeks", reply_to=world.card().event_id)
    await world.settle()
    world.cem.says("!fed request 5 #4 from attraktor")
    await world.settle()
    world.piet.reacts([m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1], "✅")
    await world.grace()
    world.tom.says("!fed want 3 flux capacitor")
    world.tom.says("!fed find M3")
    world.tom.says("!fed stats")
    await world.settle()
    await world.passes(8 * DAY)
    return world


def known(world: World) -> list[str]:
    """What Attraktor's bot knows, and what everybody read; without the hashes over signed messages."""
    turn = world.alpha.turn
    documents: Iterable[Any] = (
        *(replace(transfer, exchange=Exchange()) for transfer in turn.transfers()),
        *(replace(connection, exchange=Exchange()) for connection in turn.connections()),
        *turn.all(QueueEntry),
        *turn.all(FriendWant),
    )
    texts = [f"{m.sender}: {m.text}" for m in world.room.messages()]
    return [*map(repr, documents), *texts]


@pytest.mark.parametrize("stamp", [0, LATEST])
async def test_whatever_time_a_friend_writes_into_its_messages_everything_goes_as_otherwise(
    stamp: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = known(await history())
    monkeypatch.setattr(chat_worker, "wire_time", lambda _: stamp)
    world = await history()
    assert known(world) == honest
    assert_books_balance(world)


def dated(world: World, at: datetime) -> None:
    """The newest event has that time, as the homeserver of its author says."""
    world.server.log[-1]["origin_server_ts"] = (at - EPOCH) // timedelta(milliseconds=1)


@pytest.mark.parametrize("days", [18, 30, 40_000])
async def test_a_homeserver_that_runs_ahead_brings_no_booking_before_its_first_day(days: int) -> None:
    """A friend may run its own homeserver, which dates the friend's messages."""
    world = await booked()
    booking, before = world.alpha.transfer(), world.beta.total("LENS-2")
    told_of = {"lines": [{"number": 1, "item": booking.terms.lines[0].item}], "failed": []}
    forges(world, world.alpha, booking, "sent", told_of)
    dated(world, world.clock.now() + days * DAY)
    await world.settle()
    ours = world.beta.transfer()
    assert (ours.state, ours.problem) == (TransferState.REFUSED, "not-yet")
    assert world.beta.total("LENS-2") == before


async def test_our_own_clock_may_be_a_little_slow_on_the_first_day_of_a_booking() -> None:
    world = await booked()
    booking = world.alpha.transfer()
    first = datetime(2026, 12, 12, tzinfo=UTC)
    await world.passes(first - world.clock.now() - timedelta(minutes=30))
    told_of = {"lines": [{"number": 1, "item": booking.terms.lines[0].item}], "failed": []}
    forges(world, world.alpha, booking, "sent", told_of)
    dated(world, first + timedelta(seconds=1))
    await world.settle()
    assert world.beta.transfer().state is not TransferState.REFUSED
