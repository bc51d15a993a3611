"""UC6: items from one space may go back there, but not on to a third; the sender and the receiver both check."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.commands import stock_to_offer
from fedbot.rules.catalogue import provenance
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.queries import FindItems, ItemsFound
from fedbot_demo.inventree.faults import FaultKind
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import friends

DECLINED, DONE = TransferState.DECLINED, TransferState.DONE


def came_from(space: Space, ipn: str, origin: str) -> int:
    """Mark the stock of that part as coming from that space."""
    item = space.item(ipn).pk
    mark = {"from": origin, "origin": origin, "item": item, "transfer": "2" * 20, "line": 1}
    space.admin("PATCH", f"metadata/stockitem/{item}/", metadata={"fedbot": mark})
    return int(item)


async def test_an_item_of_a_third_space_is_refused_at_once() -> None:
    world = await friends()
    item = came_from(world.alpha, "M3-NUT", "gammaspace")
    line = world.anna.says(f"!fed push #{item} 10 to betaspace")
    await world.settle()
    assert "gammaspace" in world.answer_to(line)
    assert world.alpha.turn.transfers() == []


async def test_a_piece_split_off_from_it_is_refused_too() -> None:
    world = await friends()
    item = came_from(world.alpha, "M3-NUT", "gammaspace")
    workshop = world.alpha.location("Workshop")
    world.alpha.admin("POST", "stock/transfer/", items=[{"pk": item, "quantity": "20"}], location=workshop)
    piece = world.alpha.item("M3-NUT", location=workshop).pk
    line = world.anna.says(f"!fed push #{piece} 10 to betaspace")
    await world.settle()
    assert "gammaspace" in world.answer_to(line)


async def test_another_name_of_its_part_changes_nothing() -> None:
    world = await friends()
    item = came_from(world.alpha, "M3-NUT", "gammaspace")
    part = world.alpha.part("M3-NUT").pk
    world.alpha.admin("PATCH", f"part/{part}/", name="Hexagonal thing", IPN="HEX-3")
    line = world.anna.says(f"!fed push #{item} 10 to betaspace")
    await world.settle()
    assert "gammaspace" in world.answer_to(line)


async def test_an_item_from_betaspace_may_go_back_there() -> None:
    world = await friends()
    item = came_from(world.alpha, "M3-NUT", "betaspace")
    await world.hand_over(f"#{item} 10")
    assert world.alpha.transfer().state is DONE
    got = world.beta.transfer().at(1).item
    assert got is not None
    assert world.beta.metadata("stockitem", got).get("origin") != "gammaspace"
    assert_books_balance(world)


async def test_a_sender_that_does_not_check_is_refused_by_the_receiver_and_nothing_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await friends()
    item = came_from(world.alpha, "M3-NUT", "gammaspace")
    monkeypatch.setattr(stock_to_offer, "origin_forbids", lambda _origin, _there: False)
    world.anna.says(f"!fed push #{item} 10 to betaspace")
    await world.settle()
    assert {space.transfer().state for space in world.spaces} == {DECLINED}
    assert "third space" in world.room.messages(sender=world.alpha.chat.user_id)[-1].text
    assert world.alpha.given("M3-NUT") == 0
    assert_books_balance(world)


async def test_a_received_item_is_recognised_by_its_origin() -> None:
    world = await friends()
    await world.hand_over("RES-10K 20")
    item = world.beta.transfer().at(1).item
    found = await world.beta.inventory.answer(FindItems(f"#{item}"))
    assert isinstance(found, ItemsFound)
    provenance = found.items[0].provenance
    assert provenance is not None
    assert provenance.origin == "attraktor"


@pytest.mark.parametrize("words", ["", "for 3 weeks"])
async def test_an_item_whose_entry_inventree_has_not_confirmed_goes_nowhere(words: str) -> None:
    world = await friends()
    world.beta.fails(FaultKind.TIMEOUT_AFTER, "POST", "/api/stock/$")
    world.anna.says(f"!fed {'lend' if words else 'push'} RES-10K 20 to betaspace {words}")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.beta.transfer().state is TransferState.CREDITING
    assert world.beta.transfer().at(1).item is None
    there = max(row.pk for row in world.beta.stock(part=world.beta.part("RES-10K").pk))
    found = await world.beta.inventory.answer(FindItems(f"#{there}"))
    assert isinstance(found, ItemsFound)
    turn = world.beta.turn
    origins = provenance.origins_of(turn, found.items[0], found.tainted)
    why = stock_to_offer.item_complaint(turn, found.items[0], origins, "gammaspace")
    assert why is not None
    assert why.name == "may_not_go_on"
    if words:
        refused = await world.answer(world.bea, f"!fed push #{there} 5 to attraktor")
        assert f"Hand it back: !fed return {world.beta.transfer().code}" in refused
    await world.passes(timedelta(minutes=10))
    assert {space.transfer().state for space in world.spaces} == {DONE}
    assert_books_balance(world)
