"""A moderator redacts a card, or the homeserver refuses its edit: it no longer counts, and is posted again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.ports.chat import ChatRefused, Delivery
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import a_world, friends, told


def refuses(space: Space, code: str, *, edits_only: bool = True) -> None:
    """The homeserver refuses all edits of that space's bot from now on, or everything that it sends."""
    chat = space.chat
    takes = chat.send

    async def send(delivery: Delivery) -> str:
        relation = delivery.content.get("m.relates_to", {})
        if relation.get("rel_type") == "m.replace" or not edits_only:
            raise ChatRefused(f"sending to {delivery.room}: {code} No.", code)
        return await takes(delivery)

    chat.send = send  # type: ignore[method-assign]


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


@pytest.mark.parametrize("code", ["M_TOO_LARGE", "M_FORBIDDEN"])
async def test_a_card_whose_edit_the_homeserver_refuses_is_posted_anew_and_only_that_one_counts(code: str) -> None:
    world = await friends()
    card = await world.push()
    refuses(world.beta, code)
    world.cem.reacts(card, "📦")  # the parcel leaves, and the card asks whether it has arrived
    await world.grace()
    await world.passes(timedelta(minutes=3))  # what went with the refused edit is sent again by itself
    another = world.card()
    assert another.event_id != card.event_id, world.room.transcript()
    assert another.text.startswith("📦 On its way: 10 × M3 nut")
    notice = told(world.beta_admins, "I could not change a card in ")[-1]
    assert "people there read the former text" in notice.text.splitlines()[0]
    assert f'The homeserver said: "{code} No."' in notice.text
    assert "I post the card anew. Only the new one counts." in notice.text
    world.bea.reacts(card.event_id, "📦")
    await world.grace()
    assert world.beta.transfer().state is TransferState.SENT, "nobody can read there what a tap means by now"
    assert "there is a newer card" in world.room.transcript()
    world.bea.reacts(another, "📦")
    await world.grace()
    await world.passes(timedelta(minutes=3))
    assert world.beta.transfer().state is TransferState.DONE, world.room.transcript()
    assert_books_balance(world)


async def test_a_card_of_a_finished_transfer_is_not_posted_anew_if_its_edit_is_refused() -> None:
    world = await friends()
    card = await world.push()
    refuses(world.beta, "M_TOO_LARGE")
    world.cem.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=3))
    assert world.beta.transfer().state is TransferState.DONE
    assert world.card().event_id == card.event_id
    notices = told(world.beta_admins, "I could not change a card in ")
    assert notices
    assert not any("post the card anew" in notice.text for notice in notices)


async def test_a_room_that_takes_nothing_at_all_gets_one_more_card_and_no_more() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "📦")
    await world.settle()
    await world.passes(timedelta(seconds=2))
    refuses(world.beta, "M_FORBIDDEN", edits_only=False)
    await world.grace()
    await world.passes(timedelta(hours=2))
    assert world.card().event_id == card.event_id
    tried = [each for each in world.beta.chat.deliveries if "On its way" in str(each.content.get("body"))]
    assert len(tried) <= 2, tried
