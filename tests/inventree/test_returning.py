"""Items that return from a peer's company: refused ones, and loans at their end."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fedbot.inventree.client.versions import Version
from fedbot.ports.inventory import OutcomeUnknown, Refusal
from fedbot.rules.model.steps import HandOver, PlacedAt, TakeBack
from fedbot_demo.inventree.faults import FaultKind
from tests.inventree.situations import MARK, TEN, take_back, taken
from tests.inventree.space import Space

DRAWER = "Workshop/Drawer A3"


async def test_it_returns_through_incoming_to_its_old_location_and_status(alpha: Space) -> None:
    step = await take_back(alpha)
    assert await alpha.inventory.act(step) == PlacedAt(step.item, alpha.place(DRAWER), DRAWER)
    row = alpha.stock(step.item)
    assert (row["customer"], row["status"], row["quantity"]) == (None, 10, 10.0)
    newest = [(entry["tracking_type"], entry["deltas"].get("location")) for entry in alpha.history(step.item)[:2]]
    assert newest == [(20, alpha.place(DRAWER)), (15, alpha.place("Incoming"))]


async def test_a_part_of_a_loan_returns_as_a_new_item(alpha: Space) -> None:
    step = replace(await take_back(alpha), quantity=Decimal(4))
    result = await alpha.inventory.act(step)
    assert isinstance(result, PlacedAt)
    assert result.item != step.item
    assert (alpha.stock(result.item)["quantity"], alpha.stock(step.item)["quantity"]) == (4.0, 6.0)
    assert alpha.stock(step.item)["customer"] == step.company
    assert await alpha.inventory.probe(step) == result


async def test_a_whole_serialised_item_returns_as_itself(alpha: Space) -> None:
    lying = await taken(alpha, Decimal(1), "LENS-2")
    company = alpha.company()
    await alpha.inventory.act(HandOver(f"{MARK}:over", "", lying.item, Decimal(1), company))
    step = TakeBack(f"{MARK}:back", "", lying.item, Decimal(1), lying.location, lying.status, company)
    assert await alpha.inventory.act(step) == PlacedAt(
        41, alpha.place("Laser room/Cabinet L1"), "Laser room/Cabinet L1"
    )


async def test_a_deleted_old_location_is_replaced_by_that_of_the_part(alpha: Space) -> None:
    step = replace(await take_back(alpha), location=9999)
    part = alpha.stock(step.item)["part"]
    alpha.admin.patch(f"part/{part}/", {"default_location": alpha.place("Laser room")})
    assert await alpha.inventory.act(step) == PlacedAt(step.item, alpha.place("Laser room"), "Laser room")


async def test_a_returned_item_that_can_not_be_put_away_stays_in_incoming_and_is_no_refusal(alpha: Space) -> None:
    step = await take_back(alpha)
    alpha.fails(FaultKind.ERROR_BEFORE, "stock/transfer/", status=400)
    assert await alpha.inventory.act(step) == PlacedAt(step.item, alpha.place("Incoming"), "Incoming")
    assert alpha.stock(step.item)["customer"] is None


async def test_an_item_with_somebody_else_or_nobody_is_not_taken_back(alpha: Space) -> None:
    step = await take_back(alpha)
    for changed, reason in (
        (replace(step, company=step.company + 1), "gone"),
        (replace(step, quantity=Decimal(11)), "too-much"),
        (replace(step, item=9999), "gone"),
    ):
        with pytest.raises(Refusal) as caught:
            await alpha.inventory.act(changed)
        assert caught.value.reason == reason
    assert alpha.stock(step.item)["customer"] == step.company


async def test_half_way_back_it_goes_on_from_incoming(alpha: Space) -> None:
    step = await take_back(alpha)
    alpha.fails(FaultKind.ERROR_BEFORE, "stock/transfer/")
    with pytest.raises(OutcomeUnknown):
        await alpha.inventory.act(step)
    assert alpha.stock(step.item)["location"] == alpha.place("Incoming")
    assert await alpha.inventory.probe(step) is None
    assert await alpha.inventory.act(step) == PlacedAt(step.item, alpha.place(DRAWER), DRAWER)
    returned = [entry for entry in alpha.history(step.item) if entry["tracking_type"] == 15]
    assert len(returned) == 1


async def test_older_servers_take_back_all_or_nothing(alpha: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    step = replace(await take_back(alpha), quantity=TEN - 1)
    monkeypatch.setattr(Version, "returns_parts", property(lambda _: False))
    with pytest.raises(Refusal, match="only return a whole stock item"):
        await alpha.inventory.act(step)


async def test_an_item_deleted_right_after_its_return_counts_as_returned(alpha: Space) -> None:
    """If it counted as refused, the other side would take it back too."""
    step = await take_back(alpha)
    alpha.meanwhile("stock/transfer/$", lambda: alpha.admin.delete(f"stock/{step.item}/"))
    with pytest.raises(OutcomeUnknown, match="No StockItem matches"):
        await alpha.inventory.act(step)


async def test_an_item_deleted_right_after_the_hand_over_counts_as_handed_over(alpha: Space) -> None:
    lying = await taken(alpha)
    step = HandOver(f"{MARK}:over", "", lying.item, TEN, alpha.company())
    alpha.meanwhile(f"stock/{lying.item}/$", lambda: alpha.admin.delete(f"stock/{lying.item}/"), method="GET")
    with pytest.raises(OutcomeUnknown, match="No StockItem matches"):
        await alpha.inventory.act(step)
