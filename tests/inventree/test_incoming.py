"""The receiver's steps."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fedbot.inventree.client.versions import Version
from fedbot.ports.inventory import NotPermitted, Refusal
from fedbot.rules.model.steps import CreateItem, ItemCreated, PartCreated, PlacedAt
from tests.inventree.situations import LINK, MARK, book_in_again, create_item, create_part, mark_as_here, put_away
from tests.inventree.space import Space


async def made(space: Space, step: CreateItem) -> ItemCreated:
    result = await space.inventory.act(step)
    assert isinstance(result, ItemCreated)
    return result


def serial_item(space: Space, serial: str, quantity: Decimal = Decimal(1)) -> CreateItem:
    part = space.admin.rows("part/", IPN="LENS-2")[0]["pk"]
    return CreateItem(f"{MARK}:in", part, quantity, LINK, serial=serial)


# --- the stock item ----------------------------------------------------------------------------------------


async def test_the_item_is_in_incoming_with_all_its_details(beta: Space) -> None:
    result = await made(beta, await create_item(beta))
    row = beta.stock(result.item)
    assert result.quantity == Decimal("12.5")
    assert (row["location"], row["quantity"], row["link"], row["status"]) == (beta.place("Incoming"), 12.5, LINK, 10)
    assert (row["batch"], row["packaging"], row["expiry_date"], row["notes"]) == ("LOT ‹7›", "bag", "2027-01-31", "x")


async def test_a_serial_number_is_really_set(beta: Space) -> None:
    result = await made(beta, serial_item(beta, "0042"))
    assert beta.stock(result.item)["serial"] == "0042"
    assert await beta.inventory.probe(serial_item(beta, "0042")) == result


async def test_a_serial_number_needs_the_quantity_one(beta: Space) -> None:
    with pytest.raises(Refusal) as caught:
        await beta.inventory.act(serial_item(beta, "0042", Decimal(2)))
    assert caught.value.reason == "serial"


@pytest.mark.parametrize("serial", ["B-7", "1,2"])
async def test_an_impossible_serial_number_is_refused(beta: Space, serial: str) -> None:
    before = len(beta.admin.rows("stock/"))
    with pytest.raises(Refusal) as caught:
        await beta.inventory.act(serial_item(beta, serial))
    assert caught.value.reason in {"serial", "refused"}
    assert len(beta.admin.rows("stock/")) == before


async def test_a_virtual_part_accepts_no_stock(beta: Space) -> None:
    virtual = beta.admin.rows("part/", search="CAD licence")[0]["pk"]
    with pytest.raises(Refusal) as caught:
        await beta.inventory.act(replace(await create_item(beta), part=virtual))
    assert caught.value.reason == "virtual"


async def test_a_link_that_an_older_server_would_refuse_is_refused_before(
    beta: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Version, "longest_link", property(lambda _: 200))
    with pytest.raises(Refusal) as caught:
        await beta.inventory.act(replace(await create_item(beta), link=LINK + "x" * 200))
    assert caught.value.reason == "link-too-long"


async def test_an_item_that_a_person_has_already_moved_is_found(beta: Space) -> None:
    step = await create_item(beta)
    result = await made(beta, step)
    line = {"pk": result.item, "quantity": "12.5"}
    beta.admin.post("stock/transfer/", {"items": [line], "location": beta.place("Store")})
    assert await beta.inventory.probe(step) == result


async def test_a_split_copies_the_link_but_the_first_item_counts(beta: Space) -> None:
    step = await create_item(beta)
    result = await made(beta, step)
    line = {"pk": result.item, "quantity": 5}
    beta.admin.post("stock/transfer/", {"items": [line], "location": beta.place("Store")})
    found = await beta.inventory.probe(step)
    assert found == ItemCreated(result.item, Decimal("7.5"))


async def test_the_link_is_compared_as_a_whole(beta: Space) -> None:
    await made(beta, replace(await create_item(beta), link=f"{LINK}0"))
    assert await beta.inventory.probe(await create_item(beta)) is None


async def test_it_is_found_in_incoming_among_very_many_newer_items_of_the_part(beta: Space) -> None:
    step = await create_item(beta)
    result = await made(beta, step)
    place = beta.place("Store")
    for _ in range(101):
        beta.admin.post("stock/", {"part": step.part, "quantity": 1, "location": place})
    assert await beta.inventory.probe(step) == result


async def test_an_older_server_that_returns_no_key_is_searched_for_the_link(
    beta: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Version, "created", lambda _self, _reply: None)
    step = serial_item(beta, "0042")
    result = await made(beta, step)
    assert beta.stock(result.item)["link"] == LINK


# --- the part ----------------------------------------------------------------------------------------------


async def test_a_part_is_created_as_described_and_may_go_back_one_day(beta: Space) -> None:
    step = await create_part(beta)
    result = await beta.inventory.act(step)
    assert isinstance(result, PartCreated)
    row = beta.admin.row(f"part/{result.part}/")
    assert (row["name"], row["IPN"], row["revision"], row["keywords"]) == ("Widget ‹XL›", "W-XL", "B", "widget")
    assert (row["salable"], row["trackable"], row["category_name"], row["link"]) == (True, True, "Machines", LINK)


async def test_without_a_configured_category_a_part_is_created_without_one(beta: Space) -> None:
    result = await beta.edge(new_part_category="").act(await create_part(beta))
    assert isinstance(result, PartCreated)
    assert beta.admin.row(f"part/{result.part}/")["category"] is None


async def test_a_part_that_somebody_just_created_is_used(beta: Space) -> None:
    step = await create_part(beta)
    content = {"name": "Widget ‹XL›", "IPN": "W-XL", "revision": "B", "category": 1}
    part = beta.admin.post("part/", content)["pk"]
    assert await beta.inventory.act(step) == PartCreated(part)


async def test_without_a_category_or_the_role_no_part_is_created(beta: Space) -> None:
    step = await create_part(beta)
    with pytest.raises(Refusal) as caught:
        await beta.edge(new_part_category="Nowhere").act(step)
    assert caught.value.reason == "no-category"
    for rule in beta.admin.rows("user/ruleset/"):
        if rule["name"] == "part":
            beta.admin.patch(f"user/ruleset/{rule['pk']}/", {"can_add": False, "can_change": False})
    with pytest.raises(NotPermitted, match="part: add"):
        await beta.edge().act(step)


# --- putting away ------------------------------------------------------------------------------------------


async def test_the_history_says_where_it_came_from(alpha: Space) -> None:
    step = await put_away(alpha)
    assert await alpha.inventory.act(step) == PlacedAt(step.item, alpha.place("Workshop"), "Workshop")
    newest = alpha.history(step.item)[0]
    assert (newest["tracking_type"], newest["notes"]) == (20, f"{MARK}:away received from Attraktor")


async def test_without_a_location_it_goes_to_that_of_part_category_or_configuration(beta: Space) -> None:
    step = replace(await put_away(await _with_workshop(beta)), location=None)
    part = beta.stock(step.item)["part"]
    category = beta.admin.row(f"part/{part}/")["category"]
    beta.admin.patch(f"part/category/{category}/", {"default_location": beta.place("Wood shop")})
    assert await beta.inventory.act(step) == PlacedAt(step.item, beta.place("Wood shop"), "Wood shop")
    beta.admin.patch(f"part/{part}/", {"default_location": beta.place("Laser room")})
    again = replace(step, mark=step.mark.replace(":away", ":again"))
    assert await beta.inventory.act(again) == PlacedAt(step.item, beta.place("Laser room"), "Laser room")


async def test_an_item_that_stays_in_incoming_still_gets_its_history(beta: Space) -> None:
    step = replace(await put_away(await _with_workshop(beta)), location=None)
    edge = beta.edge(destination="")
    result = await edge.act(step)
    assert result == PlacedAt(step.item, beta.place("Incoming"), "Incoming")
    newest = beta.history(step.item)[0]
    assert (newest["tracking_type"], newest["notes"]) == (25, f"{MARK}:away received from Attraktor")
    assert await edge.probe(step) == result


@pytest.mark.parametrize("what", ["less of it", "with a customer"])
async def test_an_item_with_another_quantity_or_a_customer_is_not_marked_as_here(beta: Space, what: str) -> None:
    step = await mark_as_here(beta)
    if what == "with a customer":
        company = beta.admin.post("company/", {"name": "Customer", "is_customer": True})["pk"]
        beta.admin.post("stock/assign/", {"items": [{"item": step.item}], "customer": company, "notes": "by hand"})
    else:
        beta.admin.post("stock/remove/", {"items": [{"pk": step.item, "quantity": "1"}], "notes": "by hand"})
    with pytest.raises(Refusal) as caught:
        await beta.inventory.act(step)
    assert caught.value.reason == "serial"
    assert await beta.inventory.probe(step) is None


async def test_an_item_marked_as_here_keeps_its_location(beta: Space) -> None:
    step = await mark_as_here(beta)
    before = beta.stock(step.item)
    assert await beta.inventory.act(step) == ItemCreated(step.item, step.quantity)
    after = beta.stock(step.item)
    assert [after[name] for name in ("location", "quantity", "status", "serial", "customer")] == [
        before[name] for name in ("location", "quantity", "status", "serial", "customer")
    ]
    assert await beta.inventory.probe(step) == ItemCreated(step.item, step.quantity)


async def _with_workshop(space: Space) -> Space:
    space.admin.post("stock/location/", {"name": "Workshop"})
    return space


async def test_a_record_that_is_no_longer_with_the_peer_is_not_booked_in_again(beta: Space) -> None:
    step = await book_in_again(beta, "THERMO-1")
    line = {"pk": step.item, "quantity": "1"}
    beta.admin.post("stock/return/", {"items": [line], "location": beta.place("Store"), "notes": "by hand"})
    with pytest.raises(Refusal) as caught:
        await beta.inventory.act(step)
    assert caught.value.reason == "serial"
    assert await beta.inventory.probe(step) is None
