"""Answers to odd calls that `make differential` found on real servers; the simulated one used to differ in each."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any

import httpx
import pytest

from fedbot.ports.inventory import NotPermitted, Refusal
from fedbot.rules.model.steps import Known, WriteOff, WrittenOff
from tests.contract.ground import SERVICE_ROLES, Ground

ABSENT = 99_999_999
JOINED = "\U0001f469\u200d\U0001f527"


def answer(ground: Ground, method: str, url: str, content: object = None, token: str = "") -> tuple[int, Any]:
    """Status and content of the answer, also of an error."""
    headers = {"Authorization": f"Token {token or ground.token}", "Accept-Language": "en"}
    with httpx.Client(base_url=ground.admin.api_url, transport=ground.network, timeout=60) as http:
        response = http.request(method, url, headers=headers, json=content)
    return response.status_code, response.json()


async def test_an_empty_call_is_refused_for_being_empty_and_changes_nothing(ground: Ground) -> None:
    """`fedbot check` uses such calls to test the permissions of a first handover."""
    tables = ("stock/", "stock/track/", "part/", "company/", "user/", "user/group/")
    before = [ground.admin.count(table) for table in tables]
    inventory = ground.inventory()
    try:
        tried = await inventory.rehearse()
    finally:
        inventory.close()
    assert [(call.path, call.problem) for call in tried.calls if call.problem] == []
    assert tried.parts > tried.salable > 0
    assert [ground.admin.count(table) for table in tables] == before
    for path in ("stock/transfer/", "stock/assign/", "stock/", "part/", "company/"):
        problem = ground.nobody.try_post(path)
        assert isinstance(problem, NotPermitted), (path, problem)


def test_a_new_empty_item_has_no_quantity_in_its_history(ground: Ground) -> None:
    (entry,) = ground.history(ground.stock(ground.bolt, 0, ground.drawer))
    assert "quantity" not in entry["deltas"]
    (entry,) = ground.history(ground.stock(ground.bolt, 1, ground.drawer))
    assert entry["deltas"]["quantity"] == 1.0


@pytest.mark.api(since=200)
def test_child_items_counts_all_descendants_below_1_0(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 9, ground.drawer)
    ground.transfer(item, 5, ground.shelf, "one")
    ground.transfer(ground.child_of(item), 2, ground.drawer, "of it")
    assert ground.item(item)["child_items"] == (2 if ground.version.api < 391 else 1)


@pytest.mark.api(since=383)
def test_a_serialised_item_created_with_a_status_is_saved_twice(ground: Ground) -> None:
    content = {"part": ground.lens, "location": ground.drawer, "quantity": 1, "status": 75}
    _, (made,) = answer(ground, "POST", "stock/", {**content, "serial_numbers": f"{ground.run}-75"})
    made_entry, edited = ground.history(made["pk"])
    assert (made_entry["tracking_type"], edited["tracking_type"], edited["user"]) == (1, 5, None)
    before = {"status_logical": 75, "old_status": 10, "old_status_logical": 10} if ground.version.api > 500 else {}
    assert edited["deltas"] == {"status": 75, **before}
    assert made["delete_on_deplete"] is False


@pytest.mark.parametrize("status", ["x", 11])
@pytest.mark.api(since=383)
def test_a_serialised_item_created_with_an_unknown_status_is_saved_twice_too(ground: Ground, status: object) -> None:
    content = {"part": ground.lens, "location": ground.drawer, "quantity": 1, "status": status}
    _, (made,) = answer(ground, "POST", "stock/", {**content, "serial_numbers": f"{ground.run}-{status}"})
    assert (made["status"], made["delete_on_deplete"]) == (10, False)
    made_entry, *before = ground.history(made["pk"])
    assert (made_entry["tracking_type"], made_entry["deltas"]["status"]) == (1, status)
    assert [(row["tracking_type"], row["user"]) for row in before] == ([(1, None)] if ground.version.api > 500 else [])


def test_a_new_items_status_may_be_a_number_in_a_text_except_in_1_0(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 1, ground.drawer, status="75")
    assert ground.item(item)["status"] == (10 if ground.version.api == 391 else 75)


@pytest.mark.api(until=350)
def test_a_new_items_status_is_not_null_before_1_0(ground: Ground) -> None:
    content = {"part": ground.bolt, "location": ground.drawer, "quantity": 1, "status": None}
    assert answer(ground, "POST", "stock/", content) == (400, {"status": ["This field may not be null."]})


@pytest.mark.parametrize(("serial", "stored"), [("", ""), (" ", ""), (None, None)])
@pytest.mark.api(until=350)
def test_an_empty_serial_number_is_stored_as_empty_text_before_1_0(
    ground: Ground, serial: str | None, stored: str | None
) -> None:
    content = {"part": ground.lens, "location": ground.drawer, "quantity": 2, "serial": serial}
    status, made = answer(ground, "POST", "stock/", content)
    assert (status, made["serial"], ground.item(made["pk"])["serial"]) == (201, stored, stored)


@pytest.mark.api(since=530)
def test_an_item_shows_part_and_location_only_to_callers_who_may_view_them(ground: Ground) -> None:
    item, asked = ground.stock(ground.bolt, 1, ground.drawer), {"part_detail": "true", "location_detail": "true"}
    for role, missing in (("part", "part_detail"), ("stock_location", "location_detail")):
        left = {name: actions for name, actions in SERVICE_ROLES.items() if name != role}
        api = ground.transport(ground.account(f"without-{role}", left))
        (listed,) = api.rows("stock/", part=ground.bolt, location=ground.drawer, limit=1, **asked)
        for row in (listed, api.row(f"stock/{item}/", **asked)):
            assert {name for name in asked if name not in row} == {missing}
        (entry,) = api.rows("stock/track/", item=item, item_detail="true")
        assert entry["item_detail"]["part_detail"]["pk"] == ground.bolt


def test_a_status_change_of_a_missing_item_names_only_the_item(ground: Ground) -> None:
    content = {"items": [ABSENT], "status": 50, "note": "x"}
    refusal = f'Invalid pk "{ABSENT}" - object does not exist.'
    assert answer(ground, "POST", "stock/change_status/", content) == (400, {"items": [refusal]})


def test_tags_of_a_new_item_are_echoed_and_only_older_versions_store_them(ground: Ground) -> None:
    content = {"part": ground.bolt, "quantity": 1, "location": ground.drawer, "tags": ["fedbot: lent"]}
    status, reply = answer(ground, "POST", "stock/", content)
    row = ground.version.created(reply)
    assert row is not None
    assert (status, row["tags"]) == (201, ["fedbot: lent"])
    kept = ground.admin.row(f"stock/{row['pk']}/", tags="true")["tags"]
    assert kept == ([] if ground.version.api > 500 else ["fedbot: lent"])


def test_tags_are_a_list_or_a_json_text_of_one(ground: Ground) -> None:
    content = {"part": ground.bolt, "quantity": 1, "location": ground.drawer}
    refusal = "Invalid json list. A tag list submitted in string form must be valid json."
    assert answer(ground, "POST", "stock/", {**content, "tags": "x"}) == (400, {"tags": [refusal]})
    item = ground.stock(ground.bolt, 1, ground.drawer)
    assert answer(ground, "PATCH", f"stock/{item}/", {"tags": "x"}) == (400, {"tags": [refusal]})
    assert ground.admin.patch(f"stock/{item}/", {"tags": '["a,b", "c"]'})
    assert sorted(ground.admin.row(f"stock/{item}/", tags="true")["tags"]) == ["a,b", "c"]


@pytest.mark.parametrize(
    ("text", "since_470", "before", "in_0_13"),
    [
        ("10\u00a0mm", None, "10\u00a0mm", "10\u00a0mm"),
        ("a &copy= b", None, "a &copy= b", "a &copy= b"),
        ("a <b", None, "a <b", "a <b"),
        ("a <b>c</b>", None, None, None),
        ("x &amp; y", None, None, None),
        ("2 < 3 & so", "2 < 3 & so", "2 < 3 & so", "2 < 3 & so"),
        (
            "\U0001f469\u200d\U0001f527",
            "\U0001f469\u200d\U0001f527",
            "\U0001f469\u200d\U0001f527",
            "\U0001f469\U0001f527",
        ),
    ],
)
def test_the_version_decides_which_text_counts_as_html(
    ground: Ground, text: str, since_470: str | None, before: str | None, in_0_13: str | None
) -> None:
    item, api = ground.stock(ground.bolt, 1, ground.drawer), ground.version.api
    content = {"items": [{"pk": item, "quantity": 2}], "notes": text}
    status, reply = answer(ground, "POST", "stock/count/", content)
    kept = since_470 if api >= 470 else before if api >= 293 else in_0_13
    if kept is None:
        assert (status, reply) == (400, {"notes": ["Remove HTML tags from this value"]})
    else:
        assert status == 201
        assert ground.history(item)[0]["notes"] == kept


def test_an_item_created_with_a_status_begins_its_history_with_it_in_1_0(ground: Ground) -> None:
    (entry,) = ground.history(ground.stock(ground.bolt, 3, ground.drawer, status=70))
    if ground.version.api == 391:
        assert (entry["tracking_type"], entry["deltas"]) == (5, {"status": 70})
    else:
        assert (entry["tracking_type"], entry["deltas"]["status"]) == (1, 70)


@pytest.mark.parametrize("who", ["service", "reader"])
@pytest.mark.api(since=207)
def test_an_empty_file_is_refused_before_permissions_are_checked(ground: Ground, who: str) -> None:
    item = ground.stock(ground.bolt, 1, ground.drawer)
    url, fields = ground.version.attachment_call(item)
    with pytest.raises(Refusal, match="The submitted file is empty") as caught:
        getattr(ground, who).upload(url, {**fields, "comment": "x"}, ("a.png", b"", "image/png"))
    assert not isinstance(caught.value, NotPermitted)


@pytest.mark.parametrize("quantity", [3, 0])
def test_all_versions_but_the_oldest_move_a_lost_item(ground: Ground, quantity: int) -> None:
    item = ground.stock(ground.bolt, 3, ground.drawer, status=70)
    content = {"items": [{"pk": item, "quantity": quantity}], "location": ground.shelf, "notes": "x"}
    if not quantity and ground.version.api >= 391:
        assert answer(ground, "POST", "stock/transfer/", content)[0] == 400, "nothing can't be moved since"
    elif ground.version.api < 293:
        refusal = "StockItem cannot be moved as it is not in stock"
        assert answer(ground, "POST", "stock/transfer/", content) == (400, {"non_field_errors": [refusal]})
    else:
        assert answer(ground, "POST", "stock/transfer/", content)[0] == 201


def test_a_move_within_the_same_location_without_notes_leaves_no_empty_entry(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 3, ground.drawer)
    for notes, entries in (("", 1 if 293 <= ground.version.api < 500 else 2), ("x", None)):
        before = len(ground.history(item))
        content = {"items": [{"pk": item, "quantity": 3}], "location": ground.drawer, "notes": notes}
        assert answer(ground, "POST", "stock/transfer/", content)[0] == 201
        assert len(ground.history(item)) == (entries or before + 1)


def test_both_errors_of_a_quantity_are_returned(ground: Ground) -> None:
    content = {"part": ground.lens, "location": ground.drawer, "quantity": "1.1234567"}
    told = [
        "Ensure that there are no more than 5 decimal places.",
        "Quantity must be integer value for trackable parts",
    ]
    assert answer(ground, "POST", "stock/", content) == (400, {"quantity": told})


def test_a_merge_records_the_added_quantity_from_512_on_and_the_location_before(ground: Ground) -> None:
    items = [ground.stock(ground.bolt, quantity, ground.drawer) for quantity in (3, 4)]
    content = {"items": [{"item": item} for item in items], "location": ground.drawer, "notes": "x"}
    assert answer(ground, "POST", "stock/merge/", content)[0] == 201
    deltas = ground.history(items[0])[0]["deltas"]
    assert deltas["quantity"] == 7.0
    told = (deltas.get("added"), deltas.get("location"))
    assert told == ((4.0, None) if ground.version.api >= 512 else (None, ground.drawer))


@pytest.mark.api(until=380)
def test_returning_a_missing_item_ends_in_an_error_500(ground: Ground) -> None:
    status, reply = answer(ground, "POST", f"stock/{ABSENT}/return/", {"location": ground.drawer, "notes": ""})
    assert (status, reply["error"]) == (500, "KeyError")


@pytest.mark.api(since=530)
def test_a_file_that_only_begins_like_a_picture_gets_no_thumbnail(ground: Ground) -> None:
    url, fields = ground.version.attachment_call(ground.stock(ground.bolt, 1, ground.drawer))
    told = ground.service.upload(url, {**fields, "comment": "x"}, ("a.png", b"\x89PNG\r\n\x1a\n", "image/png"))
    assert ground.admin.row(f"attachment/{told['pk']}/")["thumbnail"] is None


def test_metadata_below_a_missing_company_checks_permissions_before_the_row(
    ground: Ground,
) -> None:
    url = ground.metadata_url("company", ABSENT)
    status, _ = answer(ground, "GET", url, token=ground.reader_token)
    assert status == (403 if url.startswith("company/") else 404)


@pytest.mark.api(since=200)
async def test_a_write_off_marks_an_item_as_lost_even_if_0_17_keeps_an_old_custom_key(
    ground: Ground,
) -> None:
    item = ground.stock(ground.bolt, 5, ground.drawer)
    ground.admin.patch(f"stock/{item}/", {"status": 50})
    inventory = ground.inventory()
    step = WriteOff(f"fed:{secrets.token_hex(10)}:1:off", "x", item, Decimal(5), Known(ground.bolt))
    assert await inventory.act(step) == await inventory.probe(step) == WrittenOff(item)
    inventory.close()
    row = ground.item(item)
    assert (row["status"], row["status_custom_key"]) == (70, 50 if ground.version.api < 391 else 70)


@pytest.mark.api(since=200)
def test_all_errors_of_a_new_item_are_returned_at_once(ground: Ground) -> None:
    content = {"part": ground.bolt, "location": ground.drawer, "quantity": 1, "status": "x", "batch": "z" * 101}
    status, told = answer(ground, "POST", "stock/", content)
    assert status == 400
    assert set(told) == ({"batch", "status"} if ground.version.api < 391 else {"batch"})


def test_the_history_leaves_out_a_deleted_split_item_in_0_13(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 5, ground.drawer)
    ground.transfer(item, 2, ground.shelf, "x")
    child = ground.child_of(item)
    ground.admin.delete(f"stock/{child}/")
    deltas = ground.history(item)[0]["deltas"]
    assert deltas["stockitem"] == child
    assert deltas.get("stockitem_detail", "nothing") == ("nothing" if ground.version.api < 200 else None)


def test_a_whole_item_that_moves_with_another_status_gets_another_entry_in_0_13(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 5, ground.drawer)
    ground.transfer(item, 5, ground.shelf, "x", status=85)
    told = [(row["tracking_type"], row["deltas"].get("status"), row["notes"]) for row in ground.history(item)]
    apart = [(5, 85, "")] if ground.version.api < 200 else []
    assert [(kind, status, notes or "") for kind, status, notes in told][:-1] == [*apart, (20, 85, "x")]


def test_the_status_of_a_split_item_is_recorded_even_if_unchanged_up_to_1_0(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 5, ground.drawer)
    ground.transfer(item, 2, ground.shelf, "x", status=10)
    deltas = ground.history(ground.child_of(item))[0]["deltas"]
    assert deltas.get("status") == (10 if ground.version.api < 500 else None)


@pytest.mark.parametrize("field", ["status", "status_custom_key"])
@pytest.mark.parametrize("wrong", ["x", 11, ""])
@pytest.mark.api(since=200)
def test_an_edit_with_an_unknown_status_gets_a_short_error(ground: Ground, field: str, wrong: object) -> None:
    item = ground.stock(ground.bolt, 5, ground.drawer)
    assert answer(ground, "PATCH", f"stock/{item}/", {field: wrong}) == (400, {field: ["Invalid choice"]})


@pytest.mark.api(until=200)
def test_an_unknown_status_is_named_in_0_13(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 5, ground.drawer)
    said = {"status": ['"x" is not a valid choice.']}
    assert answer(ground, "PATCH", f"stock/{item}/", {"status": "x"}) == (400, said)


@pytest.mark.api(since=381)
def test_a_partial_return_is_split_off_without_a_location_in_the_history(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 5, ground.drawer)
    ground.admin.post("stock/change_status/", {"items": [item], "status": 60})
    rows = [{"pk": item, "quantity": 2}]
    sent = {"items": rows, "location": ground.shelf, "merge": False}
    assert answer(ground, "POST", "stock/return/", sent)[0] == 201
    child = ground.child_of(item)
    assert [row["deltas"].get("location") for row in ground.history(child)] == [ground.shelf, None]
    assert "location" not in ground.history(item)[0]["deltas"]


@pytest.mark.api(since=207)
def test_attachments_are_deleted_with_their_row(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 5, ground.drawer)
    about = {"model_type": "stockitem", "model_id": item}
    ground.admin.post("attachment/", {**about, "link": "https://x.example/data.pdf", "comment": "x"})
    assert len(ground.admin.rows("attachment/", **about)) == 1
    ground.admin.delete(f"stock/{item}/")
    assert ground.admin.rows("attachment/", **about) == []
