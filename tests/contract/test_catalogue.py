"""Finding parts and locations, metadata, companies, and the shapes of lists."""

from __future__ import annotations

import pytest

from fedbot.ports.inventory import Refusal
from fedbot.rules.model.queries import MatchPart, PartMatch
from fedbot.rules.model.steps import CreatePart, PartCreated
from fedbot.rules.model.stock import PartDescription
from tests.contract.ground import Ground


def test_the_ipn_filter_is_exact_but_ignores_case(ground: Ground) -> None:
    for ipn in (f"{ground.run}-BOLT", f"{ground.run}-bolt"):
        assert [row["pk"] for row in ground.service.rows("part/", IPN=ipn)] == [ground.bolt]
    assert ground.service.rows("part/", IPN=f"{ground.run}-BOL") == []


def test_the_name_filter_is_ignored_and_the_search_is_not(ground: Ground) -> None:
    assert len(ground.service.rows("part/", name=f"{ground.run} Bolt")) > 1
    found = ground.service.rows("part/", search=f"{ground.run} Bolt", limit=100)
    assert [row["pk"] for row in found] == [ground.bolt]


def test_a_part_has_the_default_location_of_its_items(ground: Ground) -> None:
    part = ground.part("Placed", "PLACED", default_location=ground.shelf)
    (row,) = ground.service.rows("part/", IPN=f"{ground.run}-PLACED")
    assert row["default_location"] == ground.shelf
    item = ground.stock(part, 1, ground.drawer)
    detail = ground.service.row(f"stock/{item}/", part_detail="true")["part_detail"]
    assert detail["default_location"] == ground.shelf
    assert (detail["salable"], detail["virtual"], detail["IPN"]) == (True, False, f"{ground.run}-PLACED")


@pytest.mark.api(since=293)
def test_a_part_has_the_default_location_of_its_category(ground: Ground) -> None:
    category = {"name": f"{ground.run} placed", "parent": ground.category, "default_location": ground.drawer}
    made = ground.admin.post("part/category/", category)
    part = ground.part("Sorted", "SORTED", category=made["pk"])
    (row,) = ground.service.rows("part/", IPN=f"{ground.run}-SORTED")
    for told in (row, ground.service.row(f"part/{part}/")):
        assert (told["default_location"], told["category_default_location"]) == (None, ground.drawer)


@pytest.mark.api(since=436)
def test_the_part_of_a_stock_item_lacks_the_default_location_of_its_category(ground: Ground) -> None:
    category = {"name": f"{ground.run} untold", "parent": ground.category, "default_location": ground.drawer}
    part = ground.part("Untold", "UNTOLD", category=ground.admin.post("part/category/", category)["pk"])
    item = ground.stock(part, 1, ground.drawer)
    detail = ground.service.row(f"stock/{item}/", part_detail="true")["part_detail"]
    assert (detail["default_location"], detail["category_default_location"]) == (None, None)


def test_a_stock_item_has_the_path_of_its_location(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 1, ground.drawer)
    row = ground.service.row(f"stock/{item}/", location_detail="true")
    assert row["location_detail"]["pathstring"] == f"{ground.run}/Drawer"


async def test_a_unit_that_inventree_refuses_is_noticed_before_a_part_is_created(ground: Ground) -> None:
    inventory = ground.inventory()
    for unit, refused in (("spool", True), ("dozen", False), ("10 m", False), ("V*A", False)):
        name = f"{ground.run} counted in {unit}"
        match = await inventory.answer(MatchPart("alpha", PartDescription(name, units=unit)))
        assert isinstance(match, PartMatch)
        assert (match.creatable, match.reason) == (not refused, "unknown-unit" if refused else "none")
        content = {"name": name, "description": "x", "category": ground.category, "units": unit}
        if refused:
            with pytest.raises(Refusal, match="Invalid physical unit"):
                ground.admin.post("part/", content)
        else:
            ground.admin.post("part/", content)
    pieces = CreatePart("x", PartDescription(f"{ground.run} counted", "", units="Stück"), "https://e.org/card?x")
    made = await inventory.act(pieces)
    inventory.close()
    assert isinstance(made, PartCreated)
    assert ground.admin.row(f"part/{made.part}/")["units"] in {"", None}


def test_name_ipn_and_revision_make_a_part_unique(ground: Ground) -> None:
    with pytest.raises(Refusal, match=r"unique|already exists"):
        ground.part("Bolt", "BOLT")
    assert ground.part("Bolt", "BOLT", revision="B") != ground.bolt


def test_stock_is_filtered_by_part_location_and_serial_number(ground: Ground) -> None:
    part = ground.part("Filtered", "FILTERED", trackable=True)
    here = ground.stock(part, 1, ground.drawer, serial="7")
    there = ground.stock(part, 1, ground.shelf, serial="8")
    assert {row["pk"] for row in ground.service.rows("stock/", part=part)} == {here, there}
    assert [row["pk"] for row in ground.service.rows("stock/", part=part, location=ground.drawer)] == [here]
    assert [row["pk"] for row in ground.service.rows("stock/", part=part, serial="8")] == [there]
    ground.assign(here)
    assert [row["pk"] for row in ground.service.rows("stock/", part=part, in_stock="true")] == [there]
    assert {row["pk"] for row in ground.service.rows("stock/", part=part)} == {here, there}


def test_lists_are_plain_or_in_pages(ground: Ground) -> None:
    assert isinstance(ground.service.get("stock/location/"), list)
    page = ground.service.get("stock/location/", params={"limit": 1})
    assert set(page) == {"count", "next", "previous", "results"}
    assert ground.service.count("stock/location/") == len(ground.service.rows("stock/location/"))


def test_metadata_merges_the_top_level_only(ground: Ground) -> None:
    url = ground.metadata_url("company", ground.company("annotated"))
    ground.service.patch(url, {"metadata": {"fedbot": {"a": 1, "b": 1}, "other": {"x": 1}}})
    ground.service.patch(url, {"metadata": {"fedbot": {"a": 2}}})
    assert ground.service.row(url)["metadata"] == {"fedbot": {"a": 2}, "other": {"x": 1}}


@pytest.mark.api(since=293)
def test_a_companys_name_is_unique_and_it_is_a_supplier_by_default(ground: Ground) -> None:
    with pytest.raises(Refusal):
        ground.company("peer")
    row = ground.service.post("company/", {"name": f"{ground.run} default"})
    assert (row["is_supplier"], row["is_customer"]) == (True, False)
    assert ground.service.row(f"company/{row['pk']}/")["active"] is True


def test_a_missing_row_is_reported_as_gone(ground: Ground) -> None:
    for url in ("stock/999999999/", "part/999999999/", "user/999999999/"):
        with pytest.raises(Refusal) as caught:
            ground.admin.get(url)
        assert caught.value.reason == "gone"
