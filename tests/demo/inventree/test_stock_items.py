"""Listing, creating, editing and deleting stock, as measured on real servers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.demo.inventree.conftest import Json, Space


def _numbers(space: Space, **query: Json) -> set[int]:
    return {row["pk"] for row in space.get("stock/", **query)}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"part": 5}, {2, 7}),
        ({"location": 2}, {1, 2, 4, 5, 6, 7}),
        ({"location": 2, "cascade": "false"}, {2, 4, 5, 6, 7}),
        ({"location": 4}, set()),
        ({"serial": "2"}, {5}),
        ({"serialized": "true"}, {4, 5, 6}),
        ({"batch": "lot-42"}, {2}),
        ({"IPN": "res-10k"}, {2, 7}),
        ({"name_contains": "vice"}, {3}),
        ({"status": 10}, {1, 2, 3, 4, 5, 6, 7}),
        ({"status": 50}, set()),
        ({"allocated": "true"}, {7}),
        ({"has_purchase_price": "true"}, {1}),
        ({"min_stock": 100}, {1, 2}),
        ({"search": "LOT-43"}, {7}),
        ({"search": "raspberry shelf"}, {4, 5, 6}),
        ({"updated_after": "2026-11-24"}, {1, 2, 3, 4, 5, 6, 7}),
        ({"updated_after": "2026-11-25"}, set()),
        ({"category": 1, "salable": "false"}, {3}),
    ],
)
def test_stock_is_found_by(space: Space, query: dict[str, Any], expected: set[int]) -> None:
    assert _numbers(space, **query) == expected


def test_stock_is_found_by_its_current_location(space: Space) -> None:
    child = space.split(2, 5)
    space.post("stock/assign/", items=[{"item": child}], customer=1)
    assert _numbers(space, customer=1) == _numbers(space, sent_to_customer="true") == {child}
    assert _numbers(space, parent=2) == {child}
    assert child not in _numbers(space, in_stock="true")
    assert _numbers(space, depleted="true") == set()


def test_available_means_more_than_is_allocated(space: Space) -> None:
    space.post("stock/transfer/", items=[{"pk": 7, "quantity": 30}], location=4)
    assert 7 not in _numbers(space, available="true", part=5)
    assert _numbers(space, available="false") == {7}


@pytest.mark.parametrize("query", [{"link": "https://e.org/"}, {"bogus": "1"}, {"ancestor": "1"}, {"tracking_type": 1}])
def test_unknown_filters_and_orderings_are_ignored(space: Space, query: dict[str, Any]) -> None:
    assert len(_numbers(space, ordering="no_such_field", **query)) == 7


def test_a_variants_stock_is_found_under_its_template_too(space: Space) -> None:
    variant = space.post("part/", name="Resistor 10k 1 %", category=1, variant_of=5)["pk"]
    item = space.post("stock/", part=variant, location=3, quantity=4)[0]["pk"]
    assert _numbers(space, part=5) == {2, 7, item}
    assert _numbers(space, part=5, include_variants="false") == {2, 7}
    assert space.get("part/5/")["variant_stock"] == 4.0


def test_without_a_limit_a_list_is_plain_and_with_one_it_is_a_page(space: Space) -> None:
    assert len(space.get("stock/")) == len(space.get("stock/", limit=0)) == len(space.get("stock/", offset=3)) == 7
    page = space.get("stock/", limit=3, offset=3)
    assert page["count"] == 7
    assert page["next"] == "http://inventree.test/api/stock/?limit=3&offset=6"
    assert page["previous"] == "http://inventree.test/api/stock/?limit=3"
    assert space.get("stock/", limit=100000)["count"] == 7
    assert space.get("stock/", limit=3, offset=100) == {
        "count": 7,
        "next": None,
        "previous": "http://inventree.test/api/stock/?limit=3&offset=97",
        "results": [],
    }


def test_details_are_included_on_request(space: Space) -> None:
    plain, brief, full = (
        space.get("stock/2/"),
        space.get("stock/2/", part_detail="false"),
        space.get("stock/2/", location_detail="true", path_detail="true", tags="true"),
    )
    assert plain["part_detail"]["IPN"] == "RES-10K"
    assert "location_detail" not in plain
    assert "tags" not in plain
    assert "part_detail" not in brief
    assert full["location_detail"] == {"pk": 2, "name": "Shelf A", "pathstring": "Workshop/Shelf A"}
    assert [each["name"] for each in full["location_path"]] == ["Workshop", "Shelf A"]
    assert full["tags"] == []


def test_a_create_answers_with_a_list_even_for_one(space: Space) -> None:
    (item,) = space.post("stock/", part=5, location=3, quantity="2.5", link="https://e.org/x")
    assert (item["quantity"], item["link"], item["allocated"], item["tracking_items"]) == (
        2.5,
        "https://e.org/x",
        None,
        None,
    )
    (entry,) = space.history(item["pk"])
    assert (entry["tracking_type"], entry["notes"], entry["deltas"]) == (1, "", {"status": 10, "quantity": 2.5})


def test_a_create_ignores_some_fields_silently(space: Space) -> None:
    (item,) = space.post(
        "stock/", part=4, location=3, quantity=1, serial="9", metadata={"a": 1}, tags=["x"], status=999
    )
    assert (item["serial"], item["tags"], item["status"]) == (None, ["x"], 10)
    assert space.get(f"stock/{item['pk']}/", tags="true")["tags"] == [], "told, but not kept"
    assert space.get(f"metadata/stockitem/{item['pk']}/") == {"metadata": {}}


def test_tags_can_be_set_afterwards_and_are_found(space: Space) -> None:
    space.patch("stock/2/", tags=["fed-k7m2"])
    assert _numbers(space, tags="fed-k7m2") == {2}


def test_a_link_is_a_web_address_of_any_length_up_to_two_thousand(space: Space) -> None:
    long = "https://e.org/" + "x" * 1900
    assert space.post("stock/", part=5, quantity=1, link=long)[0]["link"] == long
    for wrong in ("matrix:r/x", "not a url", "https://nodots", "https://e.org/" + "x" * 2000):
        assert "link" in space.refused("stock/", part=5, quantity=1, link=wrong)


@pytest.mark.parametrize(
    "link", ["https://matrix.to/#/!a:b.c/$e?via=b.c&x=1", "http://127.0.0.1:8448/x", "http://localhost/"]
)
def test_such_links_are_accepted(space: Space, link: str) -> None:
    assert space.post("stock/", part=5, quantity=1, link=link)[0]["link"] == link


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        ({"part": 5}, {"quantity": "Quantity is required"}),
        ({"quantity": 1}, {"part": "Valid part must be supplied"}),
        ({"part": 3, "quantity": 1}, {"part": ["Stock item cannot be created for virtual parts"]}),
        ({"part": 5, "quantity": 1, "location": 99}, {"location": ['Invalid pk "99" - object does not exist.']}),
        (
            {"part": 5, "quantity": "0.1234567"},
            {"quantity": ["Ensure that there are no more than 5 decimal places."]},
        ),
        ({"part": 4, "quantity": "1.5"}, {"quantity": ["Quantity must be integer value for trackable parts"]}),
    ],
)
def test_a_create_is_refused(space: Space, content: dict[str, Any], answer: Json) -> None:
    assert space.refused("stock/", **content) == answer


def test_serial_numbers_make_one_item_each(space: Space) -> None:
    made = space.post("stock/", part=4, location=3, quantity=3, serial_numbers="20-22", link="https://e.org/s")
    assert [(row["serial"], row["quantity"], row["link"]) for row in made] == [
        (serial, 1.0, "https://e.org/s") for serial in ("20", "21", "22")
    ]
    assert space.kinds(made[0]["pk"]) == [1]


def test_a_serial_number_is_unique_for_its_part(space: Space) -> None:
    assert space.refused("stock/", part=4, quantity=1, serial_numbers="2") == {
        "serial_numbers": ["The following serial numbers already exist or are invalid : 2"]
    }


@pytest.mark.parametrize(
    ("text", "quantity", "complaint"),
    [
        ("30", 2, "Number of unique serial numbers (1) must match quantity (2)"),
        ("5,5", 2, "Duplicate serial: 5"),
        ("9-3", 7, "Invalid group: 9-3"),
        (",", 1, "No serial numbers found"),
    ],
)
def test_serial_numbers_must_make_sense(space: Space, text: str, quantity: int, complaint: str) -> None:
    answer = space.refused("stock/", part=4, quantity=quantity, serial_numbers=text)
    assert answer == {"quantity": [complaint], "serial_numbers": [complaint]}


@pytest.mark.parametrize(
    ("text", "quantity", "serials"), [("~", 1, ["4"]), ("70+", 2, ["70", "71"]), ("1a,2b", 2, ["1a", "2b"])]
)
def test_serial_numbers_can_be_written_short(space: Space, text: str, quantity: int, serials: list[str]) -> None:
    made = space.post("stock/", part=4, quantity=quantity, serial_numbers=text)
    assert [row["serial"] for row in made] == serials


def test_an_edit_changes_nearly_anything_without_a_trace(space: Space) -> None:
    space.patch("stock/2/", quantity=3, customer=1, location=None, notes="two\nlines")
    item = space.item(2)
    assert (item["quantity"], item["customer"], item["location"], item["notes"]) == (3.0, 1, None, "two\nlines")
    assert space.kinds(2) == [1]


def test_only_an_edited_status_is_recorded_without_a_note(space: Space) -> None:
    space.patch("stock/2/", status=65)
    entry = space.history(2)[0]
    assert (entry["tracking_type"], entry["notes"], entry["user"]) == (5, "", 1)
    assert (entry["deltas"]["status"], entry["deltas"]["old_status"]) == (65, 10)
    assert space.item(2)["in_stock"] is False


def test_a_deleted_item_leaves_its_history_and_gives_its_children_away(space: Space) -> None:
    child = space.split(2, 5)
    grandchild = space.split(child, 1, location=3)
    assert space.as_("admin").delete(f"stock/{child}/").status_code == 204
    assert space.item(grandchild)["parent"] == 2
    assert [entry["item"] for entry in space.get("stock/track/", part=5)].count(None) == 2
    assert space.as_("admin").get(f"stock/{child}/").json() == {"detail": "No StockItem matches the given query."}


def test_the_history_is_newest_first_and_found_by_its_notes(space: Space) -> None:
    space.split(2, 5, notes="fed:ONE")
    space.split(2, 5, notes="fed:TWO")
    assert [entry["notes"] for entry in space.get("stock/track/", item=2, limit=2)["results"]] == ["fed:TWO", "fed:ONE"]
    assert {entry["tracking_type"] for entry in space.get("stock/track/", search="fed:ONE")} == {40, 42}
    numbers = [entry["pk"] for entry in space.get("stock/track/")]
    assert numbers == sorted(numbers, reverse=True)


def test_the_history_includes_existing_rows_and_shows_null_for_deleted_ones(space: Space) -> None:
    child = space.split(2, 5)
    assert space.history(2)[0]["deltas"]["stockitem_detail"]["quantity"] == 5.0
    space.as_("admin").delete(f"stock/{child}/")
    assert space.history(2)[0]["deltas"]["stockitem_detail"] is None


def test_history_can_be_counted_since_a_day_and_by_person(space: Space) -> None:
    space.clock.advance(days=1)
    space.split(2, 5)
    assert space.get("stock/track/", limit=1, min_date="2026-11-25")["count"] == 2
    assert space.get("stock/track/", limit=1, user=1)["count"] == 9
    assert space.get("stock/track/", limit=1, user=2)["count"] == 0


def test_a_custom_status_works_at_once_except_in_stock_actions(space: Space) -> None:
    space.post(
        "generic/status/custom/", reference_status="StockStatus", name="LENT", key=1001, label="Lent", logical_key=10
    )
    answer = space.refused("stock/transfer/", items=[{"pk": 2, "quantity": 1, "status": 1001}], location=4)
    assert answer == {"items": [{"status": ['"1001" is not a valid choice.']}]}
    space.post("stock/change_status/", items=[2], status=1001)
    item = space.item(2)
    assert (item["status"], item["status_custom_key"], item["status_text"]) == (10, 1001, "Lent")
    assert _numbers(space, status=1001) == {2}
    assert 2 not in _numbers(space, status=10)


def test_one_query_counts_everything(space: Space) -> None:
    answer = space.post("search/", search="", limit=1, part={}, stockitem={"in_stock": True}, company={}, salesorder={})
    assert {name: found["count"] for name, found in answer.items()} == {
        "part": 5,
        "stockitem": 7,
        "company": 2,
        "salesorder": 1,
    }


def test_the_overall_search_has_an_error_for_each_model_that_one_may_not_view(space: Space) -> None:
    answer = space.as_("alice").post("search/", json={"search": "", "part": {}, "company": {}}).json()
    assert answer["part"]["count"] == 5
    assert answer["company"] == {"error": "User does not have permission to view this model"}


def test_locations_count_their_items_at_all_depths(space: Space) -> None:
    counts = {row["name"]: (row["items"], row["sublocations"]) for row in space.get("stock/location/")}
    assert counts == {"Workshop": (7, 3), "Outgoing": (0, 0), "Shelf A": (6, 1), "Bin 1": (1, 0)}


def test_a_location_can_be_created_found_and_deleted_with_its_stock_kept(space: Space) -> None:
    made = space.post("stock/location/", name="Incoming", description="for fedbot")
    assert made["pathstring"] == "Incoming"
    assert [row["pk"] for row in space.get("stock/location/", name="Incoming")] == [made["pk"]]
    assert [row["name"] for row in space.get("stock/location/", parent=1)] == ["Outgoing", "Shelf A"]
    assert space.refused("stock/location/", name="Incoming") == {
        "non_field_errors": ["Duplicate names cannot exist under the same parent"]
    }
    unsaid = space.as_("admin").delete("stock/location/2/")
    assert (unsaid.status_code, unsaid.json()) == (
        400,
        {"delete_stock_items": ["This field is required."], "delete_sub_locations": ["This field is required."]},
    )
    keeping = {"delete_stock_items": False, "delete_sub_locations": False}
    assert space.as_("admin").request("DELETE", "stock/location/2/", json=keeping).status_code == 204
    assert space.item(2)["location"] == 1
    assert space.get("stock/location/3/")["pathstring"] == "Workshop/Bin 1"


def test_stock_can_not_be_put_into_a_structural_location(space: Space) -> None:
    frame = space.post("stock/location/", name="Rack", structural=True)["pk"]
    assert space.refused("stock/transfer/", items=[{"pk": 2, "quantity": 1}], location=frame) == {
        "location": ["Structural locations cannot be assigned stock items"]
    }
    assert space.refused("stock/", part=5, quantity=1, location=frame) == {
        "location": ["Stock items cannot be located into structural stock locations!"]
    }
