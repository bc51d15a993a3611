"""Movements of stock and their entries in InvenTree's history."""

from __future__ import annotations

import secrets
from threading import Thread

import pytest

from fedbot.ports.inventory import Refusal
from fedbot.rules.model.queries import FindItems, ItemsFound
from tests.contract.ground import Ground


def new_mark() -> str:
    return f"fed:{secrets.token_hex(10)}:1:out"


def test_a_partial_quantity_is_split_off_and_both_items_have_the_mark(ground: Ground) -> None:
    mark = new_mark()
    source = ground.stock(ground.bolt, 100, ground.drawer, batch="B-1")
    reply = ground.transfer(source, "12.5", ground.outgoing, f"{mark} on its way", status=50)
    assert isinstance(reply, dict)
    assert "pk" not in reply  # it is only an echo; the child's key is in the history
    entry = ground.history(source)[0]
    child = entry["deltas"]["stockitem"]
    assert (entry["tracking_type"], entry["notes"]) == (42, f"{mark} on its way")
    assert (entry["deltas"]["removed"], entry["deltas"]["quantity"]) == (12.5, 87.5)
    birth = ground.history(child)[-1]
    assert (birth["tracking_type"], birth["deltas"]["stockitem"], birth["notes"]) == (40, source, entry["notes"])
    row, rest = ground.item(child), ground.item(source)
    assert (row["quantity"], row["location"], row["status"], row.get("parent", source)) == (
        12.5,
        ground.outgoing,
        50,
        source,
    )
    assert (rest["quantity"], rest["location"], rest["status"]) == (87.5, ground.drawer, 10)


@pytest.mark.api(since=320)
def test_the_history_can_be_searched_for_a_mark_and_shows_the_child_as_it_is_now(ground: Ground) -> None:
    mark = new_mark()
    source = ground.stock(ground.bolt, 100, ground.drawer)
    ground.transfer(source, 10, ground.outgoing, f"{mark} x")
    child = ground.child_of(source)
    page = ground.service.row("stock/track/", search=mark, limit=50, offset=0)
    assert {(row["item"], row["tracking_type"]) for row in page["results"]} == {(source, 42), (child, 40)}
    detail = next(row for row in page["results"] if row["item"] == source)["deltas"]["stockitem_detail"]
    assert (detail["pk"], detail["part"], detail["quantity"], detail["location"]) == (
        child,
        ground.bolt,
        10.0,
        ground.outgoing,
    )


def test_a_deleted_source_leaves_the_mark_on_the_child(ground: Ground) -> None:
    mark = new_mark()
    source = ground.stock(ground.bolt, 5, ground.drawer)
    ground.transfer(source, 2, ground.outgoing, f"{mark} x")
    child = ground.child_of(source)
    ground.admin.delete(f"stock/{source}/")
    assert [row["tracking_type"] for row in ground.history(child) if row["notes"] == f"{mark} x"] == [40]


@pytest.mark.api(since=320)
def test_the_mark_of_a_deleted_source_can_be_searched_for(ground: Ground) -> None:
    mark = new_mark()
    source = ground.stock(ground.bolt, 5, ground.drawer)
    ground.transfer(source, 2, ground.outgoing, f"{mark} x")
    child = ground.child_of(source)
    ground.admin.delete(f"stock/{source}/")
    rows = ground.service.rows("stock/track/", search=mark, limit=50)
    assert (child, 40) in {(row["item"], row["tracking_type"]) for row in rows}


@pytest.mark.api(until=319)
def test_the_history_of_a_deleted_item_can_not_be_requested(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 5, ground.drawer)
    ground.admin.delete(f"stock/{item}/")
    with pytest.raises(Refusal):
        ground.service.rows("stock/track/", item=item, limit=50)


@pytest.mark.api(since=450)
def test_the_history_of_a_part_has_all_its_items_and_no_others(ground: Ground) -> None:
    source = ground.stock(ground.bolt, 5, ground.drawer)
    ground.transfer(source, 2, ground.outgoing)
    child = ground.child_of(source)
    rows = ground.service.rows("stock/track/", part=ground.bolt, limit=250)
    assert {row["part"] for row in rows} == {ground.bolt}
    for item in (source, child):
        assert [row["pk"] for row in rows if row["item"] == item] == [row["pk"] for row in ground.history(item)]


def test_a_list_of_items_counts_the_entries_of_each_history(ground: Ground) -> None:
    source = ground.stock(ground.bolt, 5, ground.drawer)
    ground.transfer(source, 2, ground.outgoing)
    child = ground.child_of(source)
    rows = {row["pk"]: row for row in ground.service.rows("stock/", part=ground.bolt)}
    for item in (source, child):
        assert rows[item]["tracking_items"] == len(ground.history(item))


def test_a_split_copies_batch_link_and_metadata(ground: Ground) -> None:
    link = "https://example.org/a"
    source = ground.stock(ground.bolt, 10, ground.drawer, batch="LOT", link=link)
    ground.admin.patch(ground.metadata_url("stockitem", source), {"metadata": {"fedbot": {"item": source}}})
    ground.transfer(source, 1, ground.outgoing)
    child = ground.child_of(source)
    row = ground.item(child)
    assert (row["batch"], row["link"]) == ("LOT", link)
    assert ground.admin.row(ground.metadata_url("stockitem", child))["metadata"] == {"fedbot": {"item": source}}


def test_a_whole_item_keeps_its_key_and_a_move_within_its_location_is_recorded(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 3, ground.drawer)
    for location, kind in ((ground.outgoing, 20), (ground.outgoing, 25)):
        mark = new_mark()
        ground.transfer(item, 3, location, f"{mark} x")
        newest = ground.history(item)[0]
        assert (newest["tracking_type"], newest["notes"]) == (kind, f"{mark} x")
        assert ground.item(item)["location"] == location


def test_a_move_of_more_than_there_is_silently_moves_all_of_it(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 3, ground.drawer)
    reply = ground.transfer(item, 30, ground.outgoing)
    assert isinstance(reply, dict)
    assert reply["items"][0]["quantity"] == "30.00000"
    row = ground.item(item)
    assert (row["quantity"], row["location"]) == (3.0, ground.outgoing)


@pytest.mark.api(since=293)
def test_a_transfer_replaces_a_status_that_must_not_travel(ground: Ground) -> None:
    """For this reason we check the status before (facts 'launders')."""
    item = ground.stock(ground.bolt, 3, ground.drawer, status=65)
    with pytest.raises(Refusal):
        ground.assign(item)
    ground.transfer(item, 3, ground.outgoing, status=50)
    ground.assign(item)
    assert ground.item(item)["customer"] == ground.customer


def test_an_assigned_item_is_with_the_customer_and_out_of_stock(ground: Ground) -> None:
    mark = new_mark()
    item = ground.stock(ground.bolt, 4, ground.outgoing, status=50)
    ground.assign(item, f"{mark} given")
    row = ground.item(item)
    assert (row["customer"], row["location"], row["quantity"]) == (ground.customer, None, 4.0)
    assert ground.version.in_stock(row) is False
    newest = ground.history(item)[0]
    assert (newest["tracking_type"], newest["notes"], newest["deltas"]["customer"]) == (
        100,
        f"{mark} given",
        ground.customer,
    )


def test_items_that_can_not_be_assigned_get_a_known_reason(ground: Ground) -> None:
    given = ground.stock(ground.bolt, 1, ground.drawer)
    ground.assign(given)
    fine = ground.stock(ground.bolt, 1, ground.drawer)
    cases = (
        ("not-in-stock", given, None),
        ("not-salable", ground.stock(ground.vice, 1, ground.drawer), None),
        ("foreign-company", fine, ground.company("supplier", is_customer=False)),
        ("gone", 999_999_999, None),
    )
    for reason, item, customer in cases:
        with pytest.raises(Refusal) as caught:
            ground.assign(item, customer=customer)
        assert caught.value.reason == reason
    assert ground.version.in_stock(ground.item(fine)) is True
    with pytest.raises(Refusal) as caught:
        ground.transfer(given, 1, ground.drawer)
    assert caught.value.reason == "not-in-stock"


def test_one_bad_item_stops_an_assign_of_several(ground: Ground) -> None:
    good, bad = ground.stock(ground.bolt, 1, ground.drawer), ground.stock(ground.vice, 1, ground.drawer)
    content = {"items": [{"item": good}, {"item": bad}], "customer": ground.customer}
    with pytest.raises(Refusal, match=r"item 2"):
        ground.service.post("stock/assign/", content)
    assert ground.item(good)["customer"] is None


@pytest.mark.api(since=381)
def test_a_part_of_an_assigned_item_returns_as_a_new_item_with_the_requested_status(ground: Ground) -> None:
    mark = new_mark()
    item = ground.stock(ground.bolt, 10, ground.outgoing, status=50)
    ground.assign(item)
    line = {"pk": item, "quantity": "4", "status": 10}
    content = {"items": [line], "location": ground.incoming, "notes": f"{mark} back", "merge": False}
    ground.service.post("stock/return/", content)
    (entry,) = [row for row in ground.service.rows("stock/track/", search=mark, limit=50) if row["tracking_type"] == 15]
    back = ground.item(entry["item"])
    assert (back["quantity"], back["location"], back["status"], back["customer"]) == (4.0, ground.incoming, 10, None)
    assert (ground.item(item)["quantity"], ground.item(item)["customer"]) == (6.0, ground.customer)


def test_a_whole_assigned_item_returns_as_itself(ground: Ground) -> None:
    mark = new_mark()
    item = ground.stock(ground.bolt, 10, ground.outgoing)
    ground.assign(item)
    url, content = ground.version.return_call(item, "10", 10, ground.incoming, f"{mark} back")
    ground.service.post(url, content)
    row = ground.item(item)
    assert (row["quantity"], row["location"], row["customer"]) == (10.0, ground.incoming, None)
    assert ground.version.in_stock(row) is True
    newest = ground.history(item)[0]
    assert (newest["tracking_type"], newest["notes"]) == (15 if ground.version.returns_parts else 105, f"{mark} back")


def test_an_assigned_items_status_can_be_changed_and_an_unchanged_one_writes_nothing(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 1, ground.outgoing, status=50)
    ground.assign(item)
    for note, expected in (("first", "first"), ("second", "first")):
        ground.service.post("stock/change_status/", {"items": [item], "status": 10, "note": note})
        newest = ground.history(item)[0]
        assert (newest["tracking_type"], newest["notes"]) == (5, expected)
    assert ground.item(item)["status"] == 10


def test_a_new_item_keeps_its_link_and_ignores_metadata_and_notes_of_the_history(ground: Ground) -> None:
    link = f"https://matrix.to/#/!room:example.org/$card?{new_mark()}"
    content = {"part": ground.bolt, "quantity": "2.5", "location": ground.incoming, "link": link, "metadata": {"a": 1}}
    row = ground.version.created(ground.service.post("stock/", content))
    assert row is not None
    assert (row["quantity"], row["location"], row["link"]) == (2.5, ground.incoming, link)
    assert not ground.service.row(ground.metadata_url("stockitem", row["pk"]))["metadata"]
    assert [entry["tracking_type"] for entry in ground.history(row["pk"])] == [1]


def test_no_filter_finds_a_link_but_the_items_of_the_part_do(ground: Ground) -> None:
    part = ground.part("Linked", "LINKED")
    link = f"https://matrix.to/#/!room:example.org/$card?{new_mark()}"
    ground.stock(part, 1, ground.incoming)
    item = ground.stock(part, 1, ground.incoming, link=link)
    assert len(ground.service.rows("stock/", part=part, link="https://nowhere.example/")) == 2
    assert ground.service.rows("stock/", part=part, search=link) == []
    newest = ground.service.rows("stock/", part=part, ordering="-creation_date", limit=100)
    assert [row["pk"] for row in newest if row["link"] == link] == [item]
    lying = ground.service.rows("stock/", part=part, location=ground.incoming)
    assert [row["pk"] for row in lying if row["link"] == link] == [item]


@pytest.mark.timeout(300)
def test_the_largest_undamaged_item_is_among_the_few_found_by_name_however_many_are_newer(ground: Ground) -> None:
    part = ground.part("Everywhere", "EVERYWHERE")
    largest = ground.stock(part, 500, ground.drawer)
    small = [ground.stock(part, 1, ground.drawer) for _ in range(101)]
    ground.admin.post("stock/change_status/", {"items": small[:95], "status": 55})
    found = ground.inventory().answered(FindItems(f"{ground.run}-EVERYWHERE"), None)
    assert isinstance(found, ItemsFound)
    in_order = {item.pk for item in found.items if item.is_ok}
    assert in_order == {largest, *small[95:]}, "the rest is damaged"
    assert len(found.items) == 20


def test_the_newest_item_is_among_the_few_found_by_name(ground: Ground) -> None:
    part = ground.part("Scattered", "SCATTERED")
    for _ in range(20):
        ground.stock(part, 1, ground.drawer)
    last = ground.stock(part, 2, ground.drawer)
    found = ground.inventory().answered(FindItems(f"{ground.run}-SCATTERED"), None)
    assert isinstance(found, ItemsFound)
    assert last in [item.pk for item in found.items]
    newest = ground.service.rows("stock/", part=part, ordering="-creation_date", limit=100)
    assert (newest[0]["pk"] == last) is (ground.version.api >= 496), "it is ignored before"


@pytest.mark.api(until=356)
def test_serial_sets_a_serial_number_and_the_items_key_is_returned_or_found(ground: Ground) -> None:
    serial = secrets.token_hex(4)
    item = ground.stock(ground.lens, 1, ground.incoming, serial)
    assert ground.item(item)["serial"] == serial
    with pytest.raises(Refusal) as caught:
        ground.stock(ground.lens, 1, ground.incoming, serial)
    assert caught.value.reason == "serial"


@pytest.mark.api(since=357)
def test_only_serial_numbers_sets_a_serial_number(ground: Ground) -> None:
    content = {"part": ground.lens, "quantity": 1, "location": ground.incoming}
    serial = secrets.token_hex(4)
    (row,) = ground.service.post("stock/", {**content, "serial_numbers": serial})
    assert row["serial"] == serial
    (row,) = ground.service.post("stock/", {**content, "serial": f"{serial}x"})
    assert row["serial"] is None
    with pytest.raises(Refusal) as caught:
        ground.service.post("stock/", {**content, "serial_numbers": serial})
    assert caught.value.reason == "serial"
    found = ground.service.rows("stock/", part=ground.lens, serial=serial)
    assert [each["serial"] for each in found] == [serial]


def test_items_that_can_not_be_created(ground: Ground) -> None:
    content = {"part": ground.bolt, "quantity": 1, "location": ground.incoming}
    for changed in (
        {"part": ground.licence},
        {"quantity": "-1"},
        {"quantity": "0.1234567"},
        {"link": "no url"},
        {"location": 999_999_999},
        {"serial_numbers": "1"},
    ):
        with pytest.raises(Refusal):
            ground.service.post("stock/", {**content, **changed})


def test_notes_accept_unicode_and_five_hundred_characters_but_no_html(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 1, ground.drawer)
    notes = f"{new_mark()} für Béa – 2.0″ ‹x› " + "y" * 400
    ground.transfer(item, 1, ground.shelf, notes)
    assert ground.history(item)[0]["notes"] == notes
    with pytest.raises(Refusal, match="HTML"):
        ground.transfer(item, 1, ground.drawer, "<b>x</b>")
    ground.transfer(item, 1, ground.drawer, "one\ntwo")
    assert ground.history(item)[0]["notes"] == "onetwo"


def test_an_answer_has_all_requested_fields_whatever_other_clients_request(ground: Ground) -> None:
    """The newest version's threads remove such fields from each other's answers, so the transport reads again."""
    url = f"stock/{ground.stock(ground.bolt, 1, ground.drawer)}/"

    def others() -> None:
        for _ in range(20):
            ground.admin.row(url)

    crowd = [Thread(target=others) for _ in range(2)]
    for each in crowd:
        each.start()
    rows = [ground.admin.row(url, tags="true", location_detail="true") for _ in range(20)]
    for each in crowd:
        each.join()
    assert all({"tags", "location_detail"} <= set(row) for row in rows)


def test_deleting_a_company_returns_its_stock_so_none_is_ever_deleted(ground: Ground) -> None:
    company = ground.company("doomed")
    item = ground.stock(ground.bolt, 1, ground.drawer)
    ground.assign(item, customer=company)
    ground.admin.delete(f"company/{company}/")
    row = ground.item(item)
    assert (row["customer"], row["location"], ground.version.in_stock(row)) == (None, None, True)
