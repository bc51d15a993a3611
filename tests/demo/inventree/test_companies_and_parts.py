"""Companies, metadata, parts and texts, as measured on real servers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.demo.inventree.conftest import Space


def test_a_company_is_a_supplier_and_no_customer_by_default(space: Space) -> None:
    made = space.post("company/", name="Betaspace", metadata={"x": 1})
    assert (made["is_customer"], made["is_supplier"], made["active"]) == (False, True, True)
    assert space.get(f"metadata/company/{made['pk']}/") == {"metadata": {}}


def test_a_company_is_found_by_its_exact_name_and_made_once(space: Space) -> None:
    made = space.post("company/", name="Betaspace", is_customer=True)
    assert [row["pk"] for row in space.get("company/", name="Betaspace")] == [made["pk"]]
    assert space.get("company/", name="betaspace") == []
    assert space.refused("company/", name="Betaspace") == {
        "non_field_errors": ["The fields name, email must make a unique set."]
    }
    assert space.post("company/", name="Betaspace", email="b@example.org")["pk"] == made["pk"] + 1


def test_deleting_a_company_puts_its_stock_back_nowhere(space: Space) -> None:
    space.post("stock/assign/", items=[{"item": 2}], customer=1)
    assert space.as_("admin").delete("company/1/").status_code == 204
    item = space.item(2)
    assert (item["in_stock"], item["customer"], item["location"], item["quantity"]) == (True, None, None, 500.0)


def test_metadata_is_merged_at_the_top_level_only(space: Space) -> None:
    space.patch("metadata/company/1/", metadata={"fedbot": {"a": 1, "b": 2}, "other": 1})
    merged = space.patch("metadata/company/1/", metadata={"fedbot": {"c": 3}, "other": None})
    assert merged == {"metadata": {"fedbot": {"c": 3}, "other": None}}
    replaced = space.as_("admin").put("metadata/company/1/", json={"metadata": {"x": 1}}).json()
    assert replaced == {"metadata": {"x": 1}} == space.get("metadata/company/pk/1/")


@pytest.mark.parametrize(
    ("content", "error"), [({"metadata": "x"}, "ValueError"), ({"metadata": [1]}, "TypeError"), ({}, "KeyError")]
)
def test_metadata_that_is_no_object_is_a_server_error(space: Space, content: dict[str, Any], error: str) -> None:
    answer = space.as_("admin").patch("metadata/company/1/", json=content)
    assert (answer.status_code, answer.json()["error"]) == (500, error)


def test_reading_metadata_needs_the_permission_to_change(alpha: Space) -> None:
    assert alpha.as_("piet").get("metadata/stockitem/1/").status_code == 200
    assert alpha.as_("piet").get("metadata/part/1/").status_code == 403
    assert alpha.as_("piet").get("metadata/stockitem/999/").status_code == 404


def test_the_old_address_of_metadata_redirects_reading_and_misleads_writing(space: Space) -> None:
    read = space.as_("admin").get("stock/1/metadata/")
    assert (read.status_code, read.headers["location"]) == (301, "/api/metadata/stockitem/pk/1/")
    assert "CSRF" in space.as_("admin").patch("stock/1/metadata/", json={"metadata": {}}).json()["detail"]


def test_strings_in_metadata_are_cleaned_but_not_those_in_lists(space: Space) -> None:
    stored = space.patch("metadata/company/1/", metadata={"fedbot": {"a": " two\nlines ", "b": ["two\nlines"]}})
    assert stored == {"metadata": {"fedbot": {"a": "twolines", "b": ["two\nlines"]}}}
    refused = space.as_("admin").patch("metadata/company/1/", json={"metadata": {"a": "<b>x</b>"}})
    assert refused.json() == {"a": ["Remove HTML tags from this value"]}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("line1\nline2", "line1line2"),
        ("tab\there\r\n", "tabhere"),
        ("  spaces  ", "spaces"),
        ('fed:{"tx":"abc"}', 'fed:{"tx":"abc"}'),
        ("2.0″ × 3 – ünï ✅", "2.0″ × 3 – ünï ✅"),
        ("a < b & c > d, <3", "a < b & c > d, <3"),
        ("x" * 2000, "x" * 2000),
    ],
)
def test_notes_are_stored_on_one_line(space: Space, sent: str, stored: str) -> None:
    space.split(2, 1, notes=sent)
    assert space.history(2)[0]["notes"] == stored


@pytest.mark.parametrize("notes", ["<b>x</b>", "a<b", "<!-- x -->", "no\u00a0break", "&amp;", "?a=1&copy=2"])
def test_notes_that_a_sanitizer_would_change_are_refused(space: Space, notes: str) -> None:
    answer = space.refused("stock/transfer/", items=[{"pk": 2, "quantity": 1}], location=4, notes=notes)
    assert answer == {"notes": ["Remove HTML tags from this value"]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"IPN": "res-10k"}, {5}),
        ({"IPN": "RES"}, set()),
        ({"IPN_regex": "^r"}, {4, 5}),
        ({"name_regex": "^resistor 10k$"}, {5}),
        ({"name_regex": "("}, set()),
        ({"name": "Resistor 10k"}, {1, 2, 3, 4, 5}),
        ({"search": "resist 0805"}, {5}),
        ({"salable": "false"}, {2}),
        ({"virtual": "true"}, {3}),
        ({"has_stock": "false"}, {3}),
        ({"low_stock": "true"}, set()),
        ({"unallocated_stock": "true"}, {1, 2, 4, 5}),
        ({"category": 1}, {1, 2, 3, 4, 5}),
        ({"category": "null", "cascade": "false"}, set()),
        ({"bogus": 1}, {1, 2, 3, 4, 5}),
    ],
)
def test_parts_are_found_by(space: Space, query: dict[str, Any], expected: set[int]) -> None:
    assert {row["pk"] for row in space.get("part/", **query)} == expected


def test_a_part_is_not_salable_by_default_and_its_counts_come_later(space: Space) -> None:
    made = space.post("part/", name="Widget", IPN="W-1", category=1, metadata={"x": 1})
    assert (made["salable"], made["in_stock"], made["full_name"]) == (False, None, "W-1 | Widget")
    assert space.get(f"part/{made['pk']}/")["in_stock"] == 0.0


def test_name_ipn_and_revision_make_a_part_unique(space: Space) -> None:
    answer = {"non_field_errors": ["The fields name, IPN, revision must make a unique set."]}
    assert space.refused("part/", name="Resistor 10k", IPN="RES-10K") == answer
    assert space.post("part/", name="Resistor 10k", IPN="RES-10K", revision="B")["revision"] == "B"
    assert space.post("part/", name="Other name", IPN="RES-10K")["IPN"] == "RES-10K"


def test_a_part_in_use_must_be_inactive_before_it_can_be_deleted(space: Space) -> None:
    assert space.as_("admin").delete("part/1/").json() == {
        "non_field_errors": ["Cannot delete this part as it is still active"]
    }
    space.patch("part/1/", active=False)
    assert space.as_("admin").delete("part/1/").status_code == 204
    assert space.as_("admin").get("stock/1/").status_code == 404


def test_a_parts_stock_is_summed_without_items_that_are_away_or_broken(space: Space) -> None:
    child = space.split(2, 100)
    space.post("stock/assign/", items=[{"item": child}], customer=1)
    part = space.get("part/5/")
    sums = ("in_stock", "allocated_to_sales_orders", "unallocated_stock", "stock_item_count")
    assert [part[name] for name in sums] == [450.0, 20.0, 430.0, 3]
    space.patch("stock/2/", status=65)
    assert space.get("part/5/")["in_stock"] == 50.0


def test_quantities_are_json_numbers_but_echoes_are_text(space: Space) -> None:
    text = space.as_("admin").get("stock/1/").text
    assert '"quantity": 100.0' in text
    reply = space.post("stock/add/", items=[{"pk": 1, "quantity": 5}])
    assert reply["items"][0]["quantity"] == "5.00000"


def test_a_barcode_is_linked_once_and_found_again(space: Space) -> None:
    space.post("barcode/link/", barcode="FED-1", stockitem=1)
    assert space.post("barcode/", barcode="FED-1")["stockitem"]["pk"] == 1
    assert space.refused("barcode/link/", barcode="FED-1", stockitem=2)["error"] == "Barcode matches existing item"
    assert space.as_("bob").post("barcode/", json={"barcode": "FED-1"}).status_code == 403


@pytest.mark.parametrize("parts_too", [False, True])
def test_deleting_a_category_must_say_what_happens_to_its_parts(space: Space, *, parts_too: bool) -> None:
    category = space.post("part/category/", name="Doomed", parent=1)["pk"]
    below = space.post("part/category/", name="Below", parent=category)["pk"]
    part = space.post("part/", name="Widget", category=category, active=True)["pk"]
    url = f"part/category/{category}/"
    unsaid = space.as_("admin").delete(url)
    assert (unsaid.status_code, unsaid.json()) == (
        400,
        {"delete_child_categories": ["This field is required."], "delete_parts": ["This field is required."]},
    )
    said = {"delete_parts": parts_too, "delete_child_categories": False}
    assert space.as_("admin").request("DELETE", url, json=said).status_code == 204
    assert space.get(f"part/category/{below}/")["parent"] == 1
    kept = [row["category"] for row in space.get("part/", search="Widget") if row["pk"] == part]
    assert kept == ([] if parts_too else [1])
