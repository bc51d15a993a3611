"""A moderator redacts a card: it no longer counts, and is posted again."""

from __future__ import annotations

from datetime import timedelta

from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import a_world, friends


async def test_a_redacted_card_is_posted_again_and_only_the_new_one_counts() -> None:
    world = await friends()
    card = await world.push()
    world.anna.takes_back(card)
    await world.settle()
    another = world.card()
    assert another.event_id != card.event_id, world.room.transcript()
    assert "Take it?" in another.text
    world.cem.reacts(card.event_id, "✅")
    await world.grace()
    assert world.beta.transfer().state is TransferState.OPEN, "what is taken down decides nothing"
    world.cem.reacts(another, "✅")
    await world.grace()
    assert world.beta.transfer().state is TransferState.DONE
    assert_books_balance(world)


async def test_a_decision_on_a_card_that_is_redacted_in_the_grace_is_void() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    await world.passes(timedelta(seconds=2))
    world.anna.takes_back(card)
    await world.grace()
    assert world.beta.transfer().state is TransferState.OPEN
    assert world.cem.user_id in world.card().mentions, "whose decision was void is told"
    assert_books_balance(world)


async def test_a_redacted_card_of_a_friendship_is_posted_again() -> None:
    world = await a_world()
    await world.asks_to_connect()
    card = world.card()
    world.anna.takes_back(card)
    await world.settle()
    another = world.card()
    assert another.event_id != card.event_id
    world.bea.reacts(card.event_id, "✅")
    await world.grace()
    assert world.beta.connection().state is ConnectionState.OFFERED
    world.bea.reacts(another, "✅")
    await world.grace()
    assert world.beta.connection().state is ConnectionState.ACTIVE


async def test_a_redacted_card_of_a_finished_transfer_is_not_posted_again() -> None:
    world = await friends()
    card = await world.hand_over()
    before = len(world.room.messages())
    world.anna.takes_back(card)
    await world.settle()
    assert len(world.room.messages()) == before - 1
