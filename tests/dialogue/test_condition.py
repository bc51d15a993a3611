"""The condition of an item is part of the agreement: it is shown, it travels, and it must still be the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fedbot.rules import wire
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.protocol.terms import to_json
from fedbot.rules.wire import SubjectKind, by_line, opened_id
from tests.dialogue.test_lending import owners_card
from tests.scenarios.books import assert_books_balance
from tests.scenarios.forging import forge
from tests.scenarios.space import Space
from tests.scenarios.world import friends, sharing, told

DAMAGED, ATTENTION = 55, 50


def becomes(space: Space, item: int, status: int) -> None:
    """Somebody sets its status in InvenTree."""
    space.admin("POST", "stock/change_status/", items=[item], status=status, note="dropped")


async def test_an_item_that_was_damaged_after_the_offer_does_not_leave() -> None:
    world = await friends()
    card = await world.push("#42")
    becomes(world.alpha, 42, DAMAGED)
    world.cem.reacts(card, "✅")
    await world.grace()
    assert [space.transfer().state for space in world.spaces] == [TransferState.ABORTED] * 2
    assert (world.alpha.row(42).customer, world.alpha.row(42).status) == (None, DAMAGED)
    assert told(world.room, "its condition is not the agreed one")
    assert_books_balance(world)


async def test_an_item_that_was_repaired_after_the_offer_is_offered_again() -> None:
    world = await friends()
    becomes(world.alpha, 42, DAMAGED)
    card = await world.push("#42")
    becomes(world.alpha, 42, 10)
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.ABORTED


async def test_a_damaged_item_is_called_damaged_everywhere_and_arrives_damaged() -> None:
    world = await friends()
    becomes(world.alpha, 42, DAMAGED)
    line = world.anna.says("!fed push #42 to betaspace")
    await world.settle()
    assert "⚠ Damaged" in world.answer_to(line)
    card = world.card()
    assert "⚠ Damaged" in card.text.split("\n")[0]
    assert card.text.count("Damaged") == 1, "in the first line"
    world.cem.reacts(card, "✅")
    await world.grace()
    assert "⚠ Damaged" in world.card().text.split("\n")[0]
    assert "⚠ Damaged" in world.room.messages(sender=world.alpha.chat.user_id)[-1].text
    assert world.beta.row(world.beta.transfer().at(1).item or 0).status == DAMAGED


async def test_a_friends_search_says_how_much_is_damaged() -> None:
    world = await sharing()
    becomes(world.alpha, 42, DAMAGED)
    becomes(world.alpha, world.alpha.item("M3-BOLT", batch="2025-11").pk, ATTENTION)
    line = world.bea.says("!fed find lens")
    await world.settle()
    assert "⚠ Damaged" in world.answer_to(line)
    line = world.bea.says("!fed find bolt")
    await world.settle()
    assert ", of which 90 ⚠ Attention needed" in world.answer_to(line)


async def test_a_request_is_filled_with_undamaged_items_unless_the_requester_approves_others() -> None:
    world = await sharing()
    becomes(world.alpha, world.alpha.item("M3-BOLT", batch="2025-11").pk, DAMAGED)
    world.bea.says("!fed request 5 M3-BOLT from attraktor")
    await world.settle()
    assert world.alpha.transfer().terms.lines[0].status == 10
    lenses = world.alpha.stock(part=world.alpha.part("LENS-2").pk)
    for row in lenses:
        becomes(world.alpha, row.pk, DAMAGED)
    world.tom.says("!fed request 1 LENS-2 from attraktor for 2 weeks")
    await world.settle()
    assert world.alpha.transfer().state is TransferState.CANCELLED
    asked = world.room.message("isn't in good condition")
    assert "⚠ Damaged" in asked.text
    assert world.tom.user_id in asked.mentions
    assert len(told(world.room, "Cancelled: 1 × Laser lens")) == 1  # the owner's card; its bot says no more
    world.cem.says("1", reply_to=asked)  # an approver at the requester's, but not the one who asked
    await world.settle()
    assert world.alpha.transfer().state is TransferState.CANCELLED
    world.tom.says("1", reply_to=asked)
    await world.settle()
    loan = world.alpha.transfer()
    assert (loan.state, loan.terms.loan_until is not None) == (TransferState.OPEN, True)
    assert loan.terms.lines[0].status == DAMAGED
    answer = next(m for m in world.room.messages() if m.event_id == asked.event_id)
    assert answer.text.startswith("Asked Attraktor for 1 × Laser lens"), "the question became the answer"
    assert "⚠ Damaged" in answer.text
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert world.beta.row(world.beta.transfer().at(1).item or 0).status == DAMAGED


async def test_an_approval_of_one_condition_does_not_cover_another() -> None:
    world = await sharing()
    lenses = [row.pk for row in world.alpha.stock(part=world.alpha.part("LENS-2").pk)]
    for pk in lenses:
        becomes(world.alpha, pk, ATTENTION)
    world.tom.says("!fed request 1 LENS-2 from attraktor")
    await world.settle()
    for pk in lenses:
        becomes(world.alpha, pk, DAMAGED)
    world.tom.says("1", reply_to=world.room.message("isn't in good condition"))
    await world.settle()
    assert world.alpha.transfer().state is TransferState.CANCELLED
    assert "⚠ Damaged" in told(world.room, "isn't in good condition")[-1].text


async def test_an_expired_item_needs_the_requesters_approval_too() -> None:
    world = await sharing()
    yesterday = (world.clock.now() - timedelta(days=1)).date().isoformat()
    for row in world.alpha.stock(part=world.alpha.part("M3-NUT").pk):
        world.alpha.admin("PATCH", f"stock/{row.pk}/", expiry_date=yesterday)
    world.tom.says("!fed request 5 M3-NUT from attraktor")
    await world.settle()
    assert "⚠ expired" in world.room.message("isn't in good condition").text
    assert world.alpha.transfer().state is TransferState.CANCELLED


@pytest.mark.parametrize("status", [(65, "Rejected"), (60, "Destroyed"), (70, "Lost"), (999, "Shiny")])
async def test_an_item_in_a_destroyed_or_unknown_condition_is_not_booked_in_as_undamaged(
    status: tuple[int, str],
) -> None:
    """No honest bot lets it leave like that. The card shows what the friend's bot says, and our InvenTree records no
    better.
    """
    world = await friends()
    await world.push("#42")
    honest = world.alpha.transfer()
    assert honest.opening is not None
    opening = replace(honest.opening, cause=by_line("$lie"))
    about = ("transfer", opened_id(SubjectKind.PUSH, opening))
    line = replace(honest.terms.lines[0], status=status[0], status_text=status[1], serial="77")
    terms = to_json(replace(honest.terms, lines=(line,)))
    due = (world.clock.now() + timedelta(days=5)).isoformat()
    body = {"terms": terms, "due": due, "opening": wire.opening_json(opening)}
    forge(world, world.alpha, "betaspace", about, 1, "offer", body, wire.terms_hash(terms))
    await world.settle()
    assert f"⚠ {status[1]}" in world.card().text
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    sent = {"lines": [{"number": 1, "item": 42}], "failed": []}
    forge(world, world.alpha, "betaspace", about, 2, "sent", sent, wire.terms_hash(terms))
    await world.settle()
    booked = world.beta.turn.transfer(about[1])
    assert booked is not None
    assert world.beta.row(booked.at(1).item or 0).status == ATTENTION
