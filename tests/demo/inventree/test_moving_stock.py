"""Moving stock as measured: the chain that works on all versions, and its traps."""

from __future__ import annotations

import pytest

from tests.demo.inventree.conftest import Json, Space


def test_a_split_copies_the_whole_row_with_its_metadata(space: Space) -> None:
    space.patch("stock/2/", link="https://e.org/1", notes="two\nlines", packaging="reel")
    space.patch("metadata/stockitem/2/", metadata={"fedbot": {"pk": 2}})
    child = space.split(2, 12.5)
    kept = ("part", "batch", "link", "notes", "packaging", "status", "purchase_price")
    assert {name: space.item(child)[name] for name in kept} == {name: space.item(2)[name] for name in kept}
    assert space.get(f"metadata/stockitem/{child}/") == {"metadata": {"fedbot": {"pk": 2}}}
    assert space.item(child)["parent"] == 2
    assert space.item(child)["quantity"] == 12.5
    assert space.item(2)["quantity"] == 487.5


def test_metadata_copied_by_a_split_is_a_copy(space: Space) -> None:
    space.patch("metadata/stockitem/2/", metadata={"fedbot": {"pk": 2}})
    child = space.split(2, 1)
    space.patch(f"metadata/stockitem/{child}/", metadata={"fedbot": {"pk": child}})
    assert space.get("metadata/stockitem/2/") == {"metadata": {"fedbot": {"pk": 2}}}


def test_a_split_is_in_both_histories_with_the_same_notes(space: Space) -> None:
    child = space.split(2, 12.5, notes="fed:KEY", line={"status": 50})
    parent_entry, child_entry = space.history(2)[0], space.history(child)[0]
    assert (parent_entry["tracking_type"], parent_entry["notes"]) == (42, "fed:KEY")
    assert {name: parent_entry["deltas"][name] for name in ("removed", "quantity", "stockitem")} == {
        "removed": 12.5,
        "quantity": 487.5,
        "stockitem": child,
    }
    assert (child_entry["tracking_type"], child_entry["notes"]) == (40, "fed:KEY")
    told = {name: value for name, value in child_entry["deltas"].items() if name != "stockitem_detail"}
    assert told == {
        "stockitem": 2,
        "quantity": 12.5,
        "status": 50,
        "status_logical": 50,
        "old_status": 10,
        "old_status_logical": 10,
    }


def test_a_status_given_to_a_split_does_not_change_the_source(space: Space) -> None:
    child = space.split(2, 1, line={"status": 50})
    assert (space.item(child)["status"], space.item(2)["status"]) == (50, 10)


def test_the_reply_to_a_transfer_is_an_echo_without_the_new_number(space: Space) -> None:
    reply = space.post("stock/transfer/", items=[{"pk": 2, "quantity": "12.5"}], location=4, notes="fed:KEY")
    assert reply == {
        "items": [{"pk": 2, "quantity": "12.50000", "status": None, "merge": False}],
        "notes": "fed:KEY",
        "location": 4,
    }


def test_moving_all_of_an_item_keeps_its_number_and_is_recorded_as_a_move(space: Space) -> None:
    space.post("stock/transfer/", items=[{"pk": 2, "quantity": 500, "status": 50}], location=4, notes="fed:KEY")
    item, entry = space.item(2), space.history(2)[0]
    assert (item["quantity"], item["location"], item["status"]) == (500.0, 4, 50)
    assert (entry["tracking_type"], entry["notes"], entry["deltas"]["location"]) == (20, "fed:KEY", 4)


def test_a_move_of_more_than_there_is_silently_moves_all_and_records_the_requested_quantity(space: Space) -> None:
    reply = space.post("stock/transfer/", items=[{"pk": 3, "quantity": 1000}], location=4)
    assert reply["items"][0]["quantity"] == "1000.00000"
    assert (space.item(3)["quantity"], space.item(3)["location"]) == (5.0, 4)
    assert space.history(3)[0]["deltas"]["quantity"] == 1000.0


def test_a_move_within_the_same_location_is_recorded_as_an_update(space: Space) -> None:
    space.post("stock/transfer/", items=[{"pk": 2, "quantity": 500}], location=2, notes="fed:KEY")
    entry = space.history(2)[0]
    assert (entry["tracking_type"], entry["notes"]) == (25, "fed:KEY")
    assert "location" not in entry["deltas"]


def test_a_serialised_item_moves_whole_whatever_quantity_is_asked_for_above_one(space: Space) -> None:
    space.post("stock/transfer/", items=[{"pk": 4, "quantity": 7}], location=4, notes="fed:KEY")
    assert (space.item(4)["quantity"], space.item(4)["location"], space.kinds(4)[0]) == (1.0, 4, 20)


def test_a_part_of_a_serialised_item_is_silently_not_moved(space: Space) -> None:
    space.post("stock/transfer/", items=[{"pk": 4, "quantity": "0.5"}], location=4)
    assert (space.item(4)["location"], space.kinds(4)) == (2, [1])


def test_items_allocated_to_orders_can_be_moved(space: Space) -> None:
    space.post("stock/transfer/", items=[{"pk": 7, "quantity": 40}], location=4)
    assert (space.item(7)["quantity"], space.item(7)["allocated"]) == (10.0, 20.0)


def test_nothing_and_less_than_nothing_are_refused(space: Space) -> None:
    assert space.refused("stock/transfer/", items=[{"pk": 2, "quantity": 0}], location=4) == {
        "items": [{"quantity": ["Quantity must be greater than zero"]}]
    }
    assert space.refused("stock/transfer/", items=[{"pk": 2, "quantity": -1}], location=4) == {
        "items": [{"quantity": ["Ensure this value is greater than or equal to 0."]}]
    }


def test_errors_are_aligned_with_the_items_and_nothing_is_moved(space: Space) -> None:
    answer = space.refused(
        "stock/transfer/", items=[{"pk": 2, "quantity": 5}, {"pk": 99999, "quantity": 1}], location=4
    )
    assert answer == {"items": [{}, {"pk": ['Invalid pk "99999" - object does not exist.']}]}
    assert space.item(2)["quantity"] == 500.0


def test_an_empty_item_cant_be_moved(space: Space) -> None:
    empty = space.post("stock/", part=5, location=3, quantity=0)[0]["pk"]
    answer = space.refused("stock/transfer/", items=[{"pk": empty, "quantity": 1}], location=4)
    assert answer == {"non_field_errors": ["StockItem cannot be moved as it is not in stock"]}


def test_a_failing_line_undoes_the_lines_before_it(space: Space) -> None:
    empty = space.post("stock/", part=5, location=3, quantity=0)[0]["pk"]
    before = space.kinds(2)
    space.refused("stock/transfer/", items=[{"pk": 2, "quantity": 5}, {"pk": empty, "quantity": 1}], location=4)
    assert (space.item(2)["quantity"], space.kinds(2)) == (500.0, before)
    assert space.split(2, 1) == empty + 1  # the number of the undone split is used again


def test_a_status_travels_with_a_transfer_and_makes_rejected_stock_assignable(space: Space) -> None:
    space.patch("stock/2/", status=65)
    assert space.refused("stock/assign/", items=[{"item": 2}], customer=1) == {
        "items": [{"item": ["Item must be in stock"]}]
    }
    child = space.split(2, 5, line={"status": 50})
    space.post("stock/assign/", items=[{"item": child}], customer=1)
    assert space.item(child)["customer"] == 1


def test_assigning_takes_the_item_out_of_stock_and_leaves_its_quantity(space: Space) -> None:
    space.post("stock/assign/", items=[{"item": 2}], customer=1, notes="fed:KEY")
    item, entry = space.item(2), space.history(2)[0]
    assert (item["customer"], item["location"], item["quantity"], item["in_stock"]) == (1, None, 500.0, False)
    assert (entry["tracking_type"], entry["notes"]) == (100, "fed:KEY")
    told = {name: value for name, value in entry["deltas"].items() if name != "customer_detail"}
    assert told == {"quantity": 500.0, "customer": 1, "customer_name": "Walk-in customer"}


@pytest.mark.parametrize("status", [10, 50, 55, 85])
def test_an_item_in_an_available_status_may_be_assigned(space: Space, status: int) -> None:
    space.patch("stock/2/", status=status)
    space.post("stock/assign/", items=[{"item": 2}], customer=1)


@pytest.mark.parametrize("status", [60, 65, 70, 75])
def test_an_item_in_another_status_may_not_be_assigned(space: Space, status: int) -> None:
    space.patch("stock/2/", status=status)
    answer = space.refused("stock/assign/", items=[{"item": 2}], customer=1)
    assert answer == {"items": [{"item": ["Item must be in stock"]}]}


@pytest.mark.parametrize(
    ("item", "customer", "answer"),
    [
        (3, 1, {"items": [{"item": ["Part must be salable"]}]}),
        (7, 1, {"items": [{"item": ["Item is allocated to a sales order"]}]}),
        (2, 2, {"customer": ["Selected company is not a customer"]}),
        (2, 99, {"customer": ['Invalid pk "99" - object does not exist.']}),
    ],
)
def test_an_assignment_needs_a_salable_free_item_and_a_customer(
    space: Space, item: int, customer: int, answer: Json
) -> None:
    assert space.refused("stock/assign/", items=[{"item": item}], customer=customer) == answer


def test_one_bad_item_stops_the_whole_assignment(space: Space) -> None:
    answer = space.refused("stock/assign/", items=[{"item": 2}, {"item": 3}], customer=1)
    assert answer == {"items": [{}, {"item": ["Part must be salable"]}]}
    assert space.item(2)["customer"] is None


def test_a_second_assignment_and_a_move_of_an_assigned_item_are_refused(space: Space) -> None:
    space.post("stock/assign/", items=[{"item": 2}], customer=1)
    assert space.refused("stock/assign/", items=[{"item": 2}], customer=1) == {
        "items": [{"item": ["Item must be in stock"]}]
    }
    assert space.refused("stock/transfer/", items=[{"pk": 2, "quantity": 1}], location=4) == {
        "items": [{"pk": ["Stock item is not in stock"]}]
    }


@pytest.mark.parametrize("action", ["add", "remove", "count"])
def test_an_assigned_item_is_not_counted_added_to_or_taken_from(space: Space, action: str) -> None:
    space.post("stock/assign/", items=[{"item": 2}], customer=1)
    answer = space.refused(f"stock/{action}/", items=[{"pk": 2, "quantity": 1}])
    assert answer == {"items": [{"pk": ["Stock item is not in stock"]}]}


def test_a_return_brings_the_item_back_with_its_number(space: Space) -> None:
    space.post("stock/assign/", items=[{"item": 2}], customer=1)
    space.post("stock/return/", items=[{"pk": 2, "quantity": 500}], location=2, notes="fed:KEY")
    item, entry = space.item(2), space.history(2)[0]
    assert (item["customer"], item["location"], item["in_stock"]) == (None, 2, True)
    assert (entry["tracking_type"], entry["notes"], entry["deltas"]["customer"]) == (15, "fed:KEY", 1)


def test_a_partial_return_splits_and_only_the_return_itself_bears_the_notes(space: Space) -> None:
    space.post("stock/assign/", items=[{"item": 2}], customer=1)
    space.post("stock/return/", items=[{"pk": 2, "quantity": 100}], location=2, notes="fed:KEY")
    source = space.history(2)[0]
    assert (source["tracking_type"], source["notes"]) == (42, "")
    child = source["deltas"]["stockitem"]
    assert [(entry["tracking_type"], entry["notes"]) for entry in space.history(child)] == [(15, "fed:KEY"), (40, "")]
    assert (space.item(child)["quantity"], space.item(child)["customer"]) == (100.0, None)
    assert (space.item(2)["quantity"], space.item(2)["customer"]) == (400.0, 1)


def test_a_return_without_a_status_keeps_the_one_it_has(space: Space) -> None:
    child = space.split(2, 5, line={"status": 50})
    space.post("stock/assign/", items=[{"item": child}], customer=1)
    space.post("stock/return/", items=[{"pk": child, "quantity": 5}], location=2)
    assert space.item(child)["status"] == 50


def test_a_return_with_another_status_is_recorded_twice(space: Space) -> None:
    child = space.split(2, 5, line={"status": 50})
    space.post("stock/assign/", items=[{"item": child}], customer=1)
    space.post("stock/return/", items=[{"pk": child, "quantity": 5, "status": 10}], location=2, notes="fed:KEY")
    returned, edited = space.history(child)[:2]
    assert (returned["tracking_type"], returned["notes"], returned["deltas"]["status"]) == (15, "fed:KEY", 10)
    assert (edited["tracking_type"], edited["notes"], edited["user"]) == (5, "", None)
    assert space.item(child)["status"] == 10


@pytest.mark.parametrize(
    ("quantity", "answer"),
    [
        (None, {"items": [{"quantity": ["This field is required."]}]}),
        (501, {"quantity": ["Quantity exceeds available stock"]}),
    ],
)
def test_a_return_needs_a_quantity_that_is_there(space: Space, quantity: int | None, answer: Json) -> None:
    space.post("stock/assign/", items=[{"item": 2}], customer=1)
    line = {"pk": 2} if quantity is None else {"pk": 2, "quantity": quantity}
    assert space.refused("stock/return/", items=[line], location=2) == answer


def test_an_item_in_stock_can_not_be_returned(space: Space) -> None:
    answer = space.refused("stock/return/", items=[{"pk": 2, "quantity": 1}], location=2)
    assert answer == {"items": [{"pk": ["Stock item is already in stock"]}]}


def test_a_return_with_merge_goes_into_its_parent_at_that_location(space: Space) -> None:
    child = space.split(2, 100)
    space.post("stock/assign/", items=[{"item": child}], customer=1)
    space.post("stock/return/", items=[{"pk": child, "quantity": 100}], location=2, merge=True)
    assert space.as_("admin").get(f"stock/{child}/").status_code == 404
    assert (space.item(2)["quantity"], space.kinds(2)[0]) == (500.0, 45)


def test_a_changed_status_is_recorded_with_the_note_even_for_an_assigned_item(space: Space) -> None:
    space.post("stock/assign/", items=[{"item": 2}], customer=1)
    space.post("stock/change_status/", items=[2], status=50, note="fed:KEY")
    entry = space.history(2)[0]
    assert (entry["tracking_type"], entry["notes"], entry["deltas"]["status"]) == (5, "fed:KEY", 50)
    assert entry["deltas"]["old_status"] == 10


def test_an_unchanged_status_leaves_no_entry(space: Space) -> None:
    before = space.kinds(2)
    assert space.post("stock/change_status/", items=[2], status=10, note="n")["status"] == 10
    assert space.kinds(2) == before


def test_taking_more_than_there_is_empties_and_deletes_the_item(space: Space) -> None:
    reply = space.post("stock/remove/", items=[{"pk": 1, "quantity": 1000}], notes="n")
    assert reply["items"][0]["pk"] is None
    assert space.as_("admin").get("stock/1/").status_code == 404
    assert space.as_("admin").get("stock/track/?item=1").status_code == 400
    entry = space.get("stock/track/", part=1)[0]
    assert (entry["tracking_type"], entry["item"], entry["deltas"]) == (12, None, {"removed": 100.0, "quantity": 0.0})


def test_an_item_marked_to_stay_is_emptied_and_stays(space: Space) -> None:
    space.patch("stock/1/", delete_on_deplete=False)
    space.post("stock/remove/", items=[{"pk": 1, "quantity": 1000}])
    assert (space.item(1)["quantity"], space.item(1)["in_stock"]) == (0.0, False)


def test_an_empty_item_that_is_allocated_is_not_deleted(space: Space) -> None:
    space.post("stock/remove/", items=[{"pk": 7, "quantity": 50}])
    assert space.item(7)["quantity"] == 0.0


def test_adding_to_an_empty_item_works_and_is_recorded(space: Space) -> None:
    empty = space.post("stock/", part=5, location=3, quantity=0)[0]["pk"]
    space.post("stock/add/", items=[{"pk": empty, "quantity": "2.5"}], notes="fed:KEY")
    entry = space.history(empty)[0]
    assert (entry["tracking_type"], entry["notes"], entry["deltas"]) == (
        11,
        "fed:KEY",
        {"added": 2.5, "quantity": 2.5},
    )


def test_a_count_is_recorded_with_its_date(space: Space) -> None:
    space.post("stock/count/", items=[{"pk": 2, "quantity": 480}], location=3, notes="n")
    item, entry = space.item(2), space.history(2)[0]
    assert (item["quantity"], item["location"], item["stocktake_date"]) == (480.0, 3, "2026-11-24")
    assert entry["tracking_type"] == 10
    assert (entry["deltas"]["quantity"], entry["deltas"]["old_location"]) == (480.0, 2)


def test_merging_keeps_only_quantities(space: Space) -> None:
    space.patch("metadata/stockitem/7/", metadata={"fedbot": {"origin": "beta"}})
    other = space.post("stock/", part=5, location=3, quantity=7)[0]["pk"]
    space.post("stock/merge/", items=[{"item": 2}, {"item": other}], location=3, notes="n")
    assert space.item(2)["quantity"] == 507.0
    assert space.as_("admin").get(f"stock/{other}/").status_code == 404
    assert space.get("metadata/stockitem/2/") == {"metadata": {}}
    entry = space.history(2)[0]
    assert (entry["tracking_type"], entry["deltas"]) == (45, {"quantity": 507.0, "added": 7.0})


def test_merging_different_items_is_refused(space: Space) -> None:
    assert space.refused("stock/merge/", items=[{"item": 2}, {"item": 1}], location=3) == {
        "non_field_errors": ["Stock items must refer to the same part"]
    }
    assert space.refused("stock/merge/", items=[{"item": 4}, {"item": 5}], location=3) == {
        "items": [{"item": ["Serialized stock cannot be merged"]}, {"item": ["Serialized stock cannot be merged"]}]
    }


def test_a_transfer_with_merge_names_the_item_it_came_from(space: Space) -> None:
    other = space.post("stock/", part=5, location=4, quantity=7)[0]["pk"]
    space.post("stock/transfer/", items=[{"pk": 2, "quantity": 10, "merge": True}], location=4)
    assert (space.item(other)["quantity"], space.item(2)["quantity"]) == (17.0, 490.0)
    entry = space.history(other)[0]
    assert (entry["tracking_type"], entry["deltas"]["stockitem"], entry["deltas"]["added"]) == (45, 2, 10.0)
    assert 42 not in space.kinds(2)


def test_the_whole_chain_works_with_the_least_roles(alpha: Space) -> None:
    bot = alpha.as_("fedbot")
    outgoing, incoming = 1, 2
    customer = bot.post("company/", json={"name": "Betaspace", "is_customer": True}).json()["pk"]
    moved = {"items": [{"pk": 1, "quantity": "12.5", "status": 50}], "location": outgoing, "notes": "fed:K"}
    assert bot.post("stock/transfer/", json=moved).status_code == 201
    entry = bot.get("stock/track/", params={"item": 1, "limit": 20}).json()["results"][0]
    child = entry["deltas"]["stockitem"]
    assigned = {"items": [{"item": child}], "customer": customer, "notes": "fed:K"}
    assert bot.post("stock/assign/", json=assigned).status_code == 201
    assert bot.post("stock/change_status/", json={"items": [child], "status": 10}).status_code == 201
    back = {"items": [{"pk": child, "quantity": "12.5"}], "location": incoming, "notes": "fed:K"}
    assert bot.post("stock/return/", json=back).status_code == 201
    created = {"part": 1, "location": incoming, "quantity": 3, "link": "https://matrix.to/#/!r:x/$e?line=1"}
    received = bot.post("stock/", json=created).json()[0]
    assert received["link"] == created["link"]
    assert bot.patch(f"metadata/stockitem/{child}/", json={"metadata": {"fedbot": {}}}).status_code == 200
    assert bot.patch(f"metadata/company/{customer}/", json={"metadata": {"fedbot": {}}}).status_code == 200
    kinds = [each["tracking_type"] for each in bot.get("stock/track/", params={"item": child}).json()]
    assert kinds == [15, 5, 100, 40]
