"""The sender's steps on a simulated InvenTree, while people and other programs change it too."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fedbot.inventree.client.versions import Version
from fedbot.ports.inventory import NotPermitted, OutcomeUnknown, Refusal
from fedbot.rules.model.steps import Arrived, HandedOver, HandOver, PlacedAt, PutBack, Taken
from fedbot_demo.inventree.versions import NEWEST
from tests.inventree import situations
from tests.inventree.situations import MARK, TEN, hand_over, put_back, take_out, taken
from tests.inventree.space import Space

DRAWER = "Workshop/Drawer A3"


async def refused(space: Space, step: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await space.inventory.act(step)  # type: ignore[arg-type]  # any step
    assert type(caught.value) is Refusal
    return caught.value


# --- take out ----------------------------------------------------------------------------------------------


async def test_a_part_is_split_off_into_outgoing_and_its_source_stays_unchanged(alpha: Space) -> None:
    source = alpha.item("M3-BOLT")
    result = await taken(alpha)
    assert result == Taken(result.item, TEN, 10, alpha.place(DRAWER), whole=False)
    child, rest = alpha.stock(result.item), alpha.stock(source["pk"])
    assert (child["location"], child["status"], child["quantity"]) == (alpha.place("Outgoing"), 50, 10.0)
    assert (rest["location"], rest["status"], rest["quantity"]) == (alpha.place(DRAWER), 10, 110.0)


async def test_the_history_begins_with_the_mark_and_tells_people_what_happened(alpha: Space) -> None:
    result = await taken(alpha)
    notes = alpha.history(result.item)[0]["notes"]
    assert notes == f"{MARK}:out on its way to Betaspace (was: place {alpha.place(DRAWER)}, status 10)"


async def test_a_whole_item_keeps_its_key(alpha: Space) -> None:
    source = alpha.item("M3-BOLT")
    result = await taken(alpha, Decimal(120))
    assert (result.item, result.whole, result.status) == (source["pk"], True, 10)
    assert alpha.stock(source["pk"])["location"] == alpha.place("Outgoing")


async def test_a_serialised_item_leaves_as_itself(alpha: Space) -> None:
    result = await taken(alpha, Decimal(1), "LENS-2")
    assert (result.item, result.whole) == (41, True)
    assert alpha.stock(41)["serial"] == "0041"


async def test_fractions_are_exact(alpha: Space) -> None:
    result = await taken(alpha, Decimal("0.12345"), "PLA-175-BK")
    assert (result.quantity, alpha.stock(result.item)["quantity"]) == (Decimal("0.12345"), 0.12345)


async def test_an_item_that_needed_attention_travels_as_ok_and_its_status_is_remembered(alpha: Space) -> None:
    source = alpha.item("M3-BOLT")
    alpha.admin.post("stock/change_status/", {"items": [source["pk"]], "status": 50, "note": ""})
    result = await taken(alpha)
    assert (result.status, alpha.stock(result.item)["status"]) == (50, 10)


async def test_a_damaged_item_may_travel(alpha: Space) -> None:
    result = await taken(alpha, Decimal(1), "TUBE-60")
    assert (result.status, alpha.stock(result.item)["status"]) == (55, 50)


async def test_an_item_that_is_already_in_outgoing_is_taken_from_there(alpha: Space) -> None:
    source = alpha.item("M3-BOLT")
    outgoing = alpha.place("Outgoing")
    line = {"pk": source["pk"], "quantity": 120}
    alpha.admin.post("stock/transfer/", {"items": [line], "location": outgoing, "notes": "to be picked up"})
    step = take_out(alpha, Decimal(120))
    result = await alpha.inventory.act(step)
    assert result == Taken(source["pk"], Decimal(120), 10, outgoing, whole=True)
    assert await alpha.inventory.probe(step) == result


async def test_an_item_in_transit_to_one_peer_is_not_used_for_another(alpha: Space) -> None:
    """The card said OK, and the travelling status is our own bot's: nobody has changed its condition."""
    step = replace(take_out(alpha, Decimal(120)), mark="fed:another:1:out", status=10, status_text="OK")
    handing = await hand_over(alpha, Decimal(120))
    assert (await refused(alpha, step)).reason == "not-in-stock"
    await alpha.inventory.act(handing)
    assert (await refused(alpha, step)).reason == "not-in-stock"


async def test_a_mark_is_compared_as_a_whole(alpha: Space) -> None:
    await alpha.inventory.act(replace(take_out(alpha), mark="fed:x:10"))
    assert await alpha.inventory.probe(replace(take_out(alpha), mark="fed:x:1")) is None


async def test_a_mark_in_the_middle_of_somebodys_notes_is_no_mark(alpha: Space) -> None:
    step = take_out(alpha)
    line = {"pk": step.item, "quantity": 1}
    note = f"see {step.mark}"
    alpha.admin.post("stock/transfer/", {"items": [line], "location": alpha.place("Outgoing"), "notes": note})
    assert await alpha.inventory.probe(step) is None


async def test_it_is_found_by_the_child_when_the_source_is_deleted(alpha: Space) -> None:
    step = take_out(alpha)
    result = await alpha.inventory.act(step)
    alpha.admin.delete(f"stock/{step.item}/")
    assert await alpha.inventory.probe(step) == result


async def test_a_note_with_angle_brackets_and_line_breaks_does_not_fail(alpha: Space) -> None:
    step = replace(take_out(alpha), note="for <Bea>\nsize < 5\u00a0mm &copy;")
    result = await alpha.inventory.act(step)
    assert isinstance(result, Taken)
    assert alpha.history(result.item)[0]["notes"].startswith(f"{MARK}:out for ‹Bea› size ‹ 5 mm ＆copy; (was:")


async def test_a_very_long_note_loses_its_end_but_not_its_recorded_values(alpha: Space) -> None:
    step = replace(take_out(alpha), note="very " * 200)
    result = await alpha.inventory.act(step)
    assert isinstance(result, Taken)
    assert result.location == alpha.place(DRAWER)
    assert len(alpha.history(result.item)[0]["notes"]) == 500


async def test_an_item_that_must_not_leave_is_refused_with_a_reason_and_nothing_moves(alpha: Space) -> None:
    bolt, lens = take_out(alpha), take_out(alpha, Decimal(1), "LENS-2")
    vice = alpha.admin.rows("part/", search="Workshop vice")[0]["pk"]
    vices = alpha.admin.rows("stock/", part=vice)[0]
    rejected = alpha.item("PLY-4-BIRCH", status=65)
    cases = {
        "gone": replace(bolt, item=9999),
        "changed": replace(bolt, part=bolt.part + 1),
        "serial": replace(lens, serial="0042"),
        "not-salable": replace(bolt, item=vices["pk"], part=vice, quantity=Decimal(1)),
        "status": replace(bolt, item=rejected["pk"], part=rejected["part"], quantity=Decimal(1)),
        "too-much": replace(bolt, quantity=Decimal("120.00001")),
        "allocated": take_out(alpha, Decimal("400.5"), "RES-10K"),
    }
    for reason, step in cases.items():
        assert (await refused(alpha, step)).reason == reason
    assert (await refused(alpha, replace(bolt, quantity=Decimal(0)))).reason == "too-much"
    assert not alpha.admin.rows("stock/", location=alpha.place("Outgoing"))


async def test_the_unallocated_rest_may_leave(alpha: Space) -> None:
    assert (await taken(alpha, Decimal(400), "RES-10K")).quantity == 400


async def test_an_item_with_a_customer_is_not_in_stock(alpha: Space) -> None:
    step = take_out(alpha)
    alpha.admin.post("stock/assign/", {"items": [{"item": step.item}], "customer": alpha.company()})
    assert (await refused(alpha, step)).reason == "not-in-stock"


async def test_a_missing_outgoing_is_reported_with_what_to_do(alpha: Space) -> None:
    edge = alpha.edge(outgoing="Lending shelf")
    with pytest.raises(Refusal, match='Create a stock location "Lending shelf"') as caught:
        await edge.act(take_out(alpha))
    assert caught.value.reason == "no-outgoing"


async def test_if_a_person_takes_some_at_the_same_time_all_of_it_is_moved_back(alpha: Space) -> None:
    """InvenTree clamps: asked for 60 of an item that now has 50, it moves all 50 and says 60 (facts, 'clamped')."""
    step = take_out(alpha, Decimal(60))
    line = {"pk": step.item, "quantity": 70}
    alpha.meanwhile("stock/transfer/", lambda: alpha.admin.post("stock/remove/", {"items": [line]}))
    assert (await refused(alpha, step)).reason == "changed"
    row = alpha.stock(step.item)
    assert (row["location"], row["quantity"], row["status"]) == (alpha.place(DRAWER), 50.0, 10)
    assert await alpha.inventory.probe(step) is None


async def test_simultaneous_moves_by_people_do_not_stop_it_where_rows_are_locked(alpha: Space) -> None:
    step = take_out(alpha)
    alpha.meanwhile("stock/transfer/", lambda: moved_by_a_person(alpha, step.item))
    result = await alpha.inventory.act(step)
    assert isinstance(result, Taken)
    assert (result.quantity, alpha.stock(result.item)["quantity"]) == (TEN, 10.0)
    assert alpha.stock(step.item)["quantity"] == 107.0


def moved_by_a_person(space: Space, item: int) -> None:
    content = {"items": [{"pk": item, "quantity": "3"}], "location": space.place("Workshop"), "notes": "for Kim"}
    space.admin.post("stock/transfer/", content)


async def test_a_sum_that_does_not_add_up_is_moved_back_where_rows_are_not_locked(alpha: Space) -> None:
    alpha.seeded.server.state.version = replace(NEWEST, api=521)
    step = take_out(alpha)
    line = {"pk": step.item, "quantity": 5}
    alpha.meanwhile("stock/transfer/", lambda: alpha.admin.post("stock/remove/", {"items": [line]}))
    assert (await refused(alpha, step)).reason == "changed"
    assert not alpha.admin.rows("stock/", location=alpha.place("Outgoing"))
    assert sum(row["quantity"] for row in alpha.admin.rows("stock/", part=step.part)) == 205
    assert await alpha.inventory.probe(step) is None


async def test_a_probe_that_finds_another_quantity_moves_it_back(alpha: Space) -> None:
    step = take_out(alpha, Decimal(60))
    outgoing = alpha.place("Outgoing")
    note = f"{step.mark} on its way (was: place {alpha.place(DRAWER)}, status 10)"
    content = {"items": [{"pk": step.item, "quantity": "50", "status": 50}], "location": outgoing, "notes": note}
    alpha.admin.post("stock/transfer/", content)
    child = alpha.admin.rows("stock/", location=outgoing)[0]["pk"]
    with pytest.raises(Refusal) as caught:
        await alpha.inventory.probe(step)
    assert caught.value.reason == "changed"
    row = alpha.stock(child)
    assert (row["location"], row["status"]) == (alpha.place(DRAWER), 10)


async def test_an_item_that_a_person_moved_out_of_outgoing_is_left_there(alpha: Space) -> None:
    step = take_out(alpha)
    result = await taken(alpha)
    line = {"pk": result.item, "quantity": 10}
    elsewhere = alpha.place("Laser room")
    alpha.admin.post("stock/transfer/", {"items": [line], "location": elsewhere})
    alpha.admin.post("stock/count/", {"items": [{"pk": result.item, "quantity": 3}]})
    with pytest.raises(Refusal, match="out of Outgoing"):
        await alpha.inventory.probe(step)
    assert alpha.stock(result.item)["location"] == elsewhere


async def test_without_the_role_the_text_names_it(alpha: Space) -> None:
    for rule in alpha.admin.rows("user/ruleset/"):
        if rule["name"] == "stock":
            content = {"can_view": True, "can_add": False, "can_change": False, "can_delete": False}
            alpha.admin.patch(f"user/ruleset/{rule['pk']}/", content)
    with pytest.raises(NotPermitted, match="stock: add"):
        await alpha.inventory.act(take_out(alpha))


async def test_an_older_servers_items_are_read_because_its_history_can_not_be_searched(
    alpha: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Version, "searches_history", property(lambda _: False))
    step = take_out(alpha)
    assert await alpha.inventory.probe(step) is None
    result = await alpha.inventory.act(step)
    assert await alpha.inventory.probe(step) == result
    alpha.admin.delete(f"stock/{step.item}/")
    assert await alpha.inventory.probe(step) == result


# --- hand over ---------------------------------------------------------------------------------------------


async def test_the_item_goes_to_the_peers_company(alpha: Space) -> None:
    step = await hand_over(alpha)
    assert await alpha.inventory.act(step) == HandedOver(step.item)
    row = alpha.stock(step.item)
    assert (row["customer"], row["location"], row["in_stock"]) == (step.company, None, False)
    assert alpha.history(step.item)[0]["notes"] == f"{MARK}:over given to Betaspace"


async def test_a_company_that_is_no_customer_is_refused(alpha: Space) -> None:
    step = replace(await hand_over(alpha), company=alpha.company("Supplier", is_customer=False))
    assert (await refused(alpha, step)).reason == "foreign-company"


async def test_an_item_that_a_person_has_sold_is_not_handed_over(alpha: Space) -> None:
    step = await hand_over(alpha)
    content = {"items": [{"item": step.item}], "customer": alpha.company("Walk-in")}
    alpha.admin.post("stock/assign/", content)
    assert (await refused(alpha, step)).reason == "not-in-stock"
    assert await alpha.inventory.probe(step) is None


async def test_an_item_assigned_to_somebody_else_at_the_same_time_needs_a_person(alpha: Space) -> None:
    """On PostgreSQL both of two simultaneous assigns succeed, and the last one wins."""
    step = await hand_over(alpha)
    other = alpha.company("Walk-in")
    assert await alpha.inventory.probe(step) is None
    alpha.meanwhile(
        f"stock/{step.item}/", lambda: alpha.admin.patch(f"stock/{step.item}/", {"customer": other}), method="GET"
    )
    with pytest.raises(OutcomeUnknown, match="another customer"):
        await alpha.inventory.act(step)
    assert await alpha.inventory.probe(step) is None


async def test_another_quantity_than_agreed_returns_to_outgoing(alpha: Space) -> None:
    step = await hand_over(alpha)
    alpha.admin.post("stock/count/", {"items": [{"pk": step.item, "quantity": 4}]})
    assert (await refused(alpha, step)).reason == "changed"
    row = alpha.stock(step.item)
    assert (row["customer"], row["location"], row["quantity"]) == (None, alpha.place("Outgoing"), 4.0)
    assert await alpha.inventory.probe(step) is None


async def test_an_item_that_came_back_since_counts_as_handed_over(alpha: Space) -> None:
    step = await hand_over(alpha)
    await alpha.inventory.act(step)
    line = {"pk": step.item, "quantity": 10}
    alpha.admin.post("stock/return/", {"items": [line], "location": alpha.place("Workshop")})
    assert await alpha.inventory.probe(step) == HandedOver(step.item)


# --- arrived, put back -------------------------------------------------------------------------------------


async def test_arrived_restores_the_old_status(alpha: Space) -> None:
    step = await situations.arrived(alpha)
    await alpha.inventory.act(step)
    row = alpha.stock(step.item)
    assert (row["status"], row["customer"] is not None) == (10, True)
    assert alpha.history(step.item)[0]["notes"] == f"{MARK}:arrived arrived at Betaspace"


async def test_arrived_is_done_if_the_status_is_already_right(alpha: Space) -> None:
    step = await situations.arrived(alpha)
    alpha.admin.patch(f"stock/{step.item}/", {"status": 10})
    assert await alpha.inventory.probe(step) == HandedOver(step.item)


async def test_a_custom_status_comes_back_too(alpha: Space) -> None:
    source = alpha.item("M3-BOLT")
    custom = {"key": 1001, "name": "BORROWED", "label": "Borrowed", "color": "secondary", "logical_key": 10}
    model = alpha.admin.row("contenttype/model/stockitem/")["pk"]
    alpha.admin.post("generic/status/custom/", {**custom, "reference_status": "StockStatus", "model": model})
    alpha.admin.patch(f"stock/{source['pk']}/", {"status_custom_key": 1001})
    result = await taken(alpha)
    assert result.status == 1001
    back = PutBack(f"{MARK}:putback", "not given", result.item, TEN, result.location, result.status)
    await alpha.inventory.act(back)
    assert alpha.stock(result.item)["status_custom_key"] == 1001
    assert isinstance(await alpha.inventory.probe(back), PlacedAt)


async def test_put_back_restores_the_old_location_and_status(alpha: Space) -> None:
    step = await put_back(alpha)
    assert await alpha.inventory.act(step) == PlacedAt(step.item, alpha.place(DRAWER), DRAWER)
    row = alpha.stock(step.item)
    assert (row["location"], row["status"], row["quantity"]) == (alpha.place(DRAWER), 10, 10.0)
    assert alpha.history(step.item)[0]["notes"] == f"{MARK}:putback not given"


async def test_an_item_without_a_location_is_put_where_its_part_belongs(alpha: Space) -> None:
    step = await put_back(alpha)
    part = alpha.stock(step.item)["part"]
    alpha.admin.patch(f"part/{part}/", {"default_location": alpha.place("Laser room")})
    result = await alpha.inventory.act(replace(step, location=None))
    assert result == PlacedAt(step.item, alpha.place("Laser room"), "Laser room")


async def test_an_item_that_is_no_longer_in_stock_can_not_be_put_back(alpha: Space) -> None:
    step = await put_back(alpha)
    alpha.admin.post("stock/assign/", {"items": [{"item": step.item}], "customer": alpha.company()})
    assert (await refused(alpha, step)).reason == "not-in-stock"


# --- the calls ---------------------------------------------------------------------------------------------


async def test_the_senders_side_of_a_push_takes_seven_calls(alpha: Space) -> None:
    """docs/performance.md gives the reason for each."""
    company = alpha.company()
    await alpha.inventory.probe(take_out(alpha))  # the first check of the server is not part of it
    alpha.network.log.clear()
    result = await taken(alpha)
    calls = list(alpha.network.log)
    for step in (
        HandOver(f"{MARK}:over", "", result.item, TEN, company),
        Arrived(f"{MARK}:arrived", "", result.item, result.status),
    ):
        await alpha.inventory.probe(step)  # the runner does so with calls of its own
        alpha.network.log.clear()
        await alpha.inventory.act(step)
        calls += alpha.network.log
    assert calls == [
        "GET /api/stock/1/",
        "POST /api/stock/transfer/",
        "GET /api/stock/track/",
        "POST /api/stock/assign/",
        f"GET /api/stock/{result.item}/",
        "POST /api/stock/change_status/",
        f"GET /api/stock/{result.item}/",
    ]
