"""The whole item: all of InvenTree's fields travel along, or the card says that they don't."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fedbot.inventree import what_travels
from fedbot.rules.model.lifecycles import TransferState
from fedbot_demo.inventree.faults import FaultKind
from fedbot_demo.inventree.versions import Version
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, told

NOTES = "Handle with care.\n\n**Never** wipe it dry."
LINK = "https://lenses.example/l2?a=1&b=2"
OWN_STATUS: dict[str, Any] = {
    "key": 1001,
    "name": "LAB",
    "color": "dark",
    "logical_key": 10,
    "model": 1,
    "reference_status": "StockStatus",
}
STATUS_AND_PRICE = {"status_custom_key": 1001, "purchase_price": "12.50", "purchase_price_currency": "EUR"}
HOSTILE = 'Say [click](javascript:x) &amp; "now" {x}\u202e'


def _with_everything(world: World) -> int:
    """Give Attraktor's lens all fields that an item can have; return its key."""
    alpha = world.alpha
    lens: int = alpha.item("LENS-2", serial="0042").pk
    values = {"purchase_price": "12.50", "purchase_price_currency": "EUR"}
    alpha.admin("PATCH", f"stock/{lens}/", notes=NOTES, link=LINK, tags=["optics", "fragile"], **values)
    alpha.admin("POST", "part/test-template/", part=alpha.part("LENS-2").pk, test_name="Power")
    for value, passed in (("10 W", False), ("38 W", True)):
        alpha.admin("POST", "stock/test/", stock_item=lens, test="Power", result=passed, value=value)
    nut = alpha.item("M3-NUT").pk
    with alpha.by_hand():
        alpha.admin("POST", "bom/", part=alpha.part("LENS-2").pk, sub_part=alpha.part("M3-NUT").pk, quantity=1)
        alpha.admin("POST", f"stock/{lens}/install/", stock_item=nut, quantity=1)
    return lens


def _attach(space: Space, item: int) -> None:
    space.admin("POST", "attachment/", model_type="stockitem", model_id=item, link="https://x.example/data.pdf")


async def test_all_fields_of_an_item_travel_or_the_card_says_that_they_do_not() -> None:
    world = await friends()
    lens = _with_everything(world)
    _attach(world.alpha, lens)
    card = await world.push("LENS-2#0042")
    assert "Travels with it: notes, link, tags, 1 test." in card.text
    assert "Inside it, only noted there: M3 nut." in card.text
    assert "Does not travel: price, files." in card.text
    in_full = (
        'Travels with it: notes "Handle with care. **Never** wipe it dry.", link to lenses.example, tags optics,'
        " fragile, 1 test."
    )
    show = world.cem.says("!fed show", reply_to=card)
    await world.settle()
    assert in_full in world.answer_to(show)
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    here = world.beta.item("LENS-2", serial="0042")
    for line in ("Handle with care.", "**Never** wipe it dry.", f"Link: {LINK}", "Test there: Power passed (38 W)"):
        assert line in here.notes.split("\n\n")
    assert set(here.tags) == {"optics", "fragile"}
    assert here.purchase_price is None
    assert world.beta.transfer().state is TransferState.DONE


@pytest.mark.parametrize("by", ["asked", "offered"])
async def test_the_price_travels_where_the_sender_allows_it_and_our_own_labels_do_not(by: str) -> None:
    world = await friends(alpha={"tells_prices": True})
    lens = _with_everything(world)
    ours = f"From gammaspace, {by} by Gus (@g:x) (abcd)\n\nLent to Betaspace until 1 Dec 2026 – fedbot abcd"
    world.alpha.admin("PATCH", f"stock/{lens}/", notes=f"{ours}\n\n{NOTES}", tags=["fedbot: lent", "optics"])
    world.anna.says(f"!fed lend #{lens} to betaspace for 2 weeks")
    await world.settle()
    assert "price 12.5 EUR" in world.card().text
    assert "Does not travel" not in world.card().text
    assert "gammaspace" not in world.card().text
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    here = world.beta.item("LENS-2", serial="0042")
    assert "Price there: 12.5 EUR" in here.notes
    assert "gammaspace" not in here.notes
    assert sorted(here.tags) == ["fedbot: borrowed", "optics"]


@pytest.mark.parametrize("version", ["newest", "1.0", "0.17"])
async def test_a_custom_status_and_a_price_are_set_in_their_fields_where_the_receiver_has_them(version: str) -> None:
    pinned = {"pinned_superusers": ("anna",), "pinned_approvers": ("anna",)}
    world = await friends(alpha={"tells_prices": True, **pinned})
    world.alpha.seeded.server.state.version = Version.named(version)
    world.alpha.inventory.look_again()
    for space, label in ((world.alpha, "Lab only"), (world.beta, "lab ONLY")):
        space.admin("POST", "generic/status/custom/", **OWN_STATUS, label=label)
    lens = world.alpha.item("LENS-2", serial="0042").pk
    world.alpha.admin("PATCH", f"stock/{lens}/", **STATUS_AND_PRICE)
    card = await world.push(f"#{lens}")
    assert 'Travels with it: status "Lab only", price 12.5 EUR.' in card.text
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    here = world.beta.item("LENS-2", serial="0042")
    assert (here.status, here.status_custom_key, here.purchase_price) == (10, 1001, Decimal("12.5"))
    assert "Status there" not in here.notes
    assert "Price there: 12.5 EUR" in here.notes


async def test_a_custom_status_unknown_to_the_receiver_is_in_its_notes_and_a_loan_has_no_price() -> None:
    world = await friends(alpha={"tells_prices": True})
    world.alpha.admin("POST", "generic/status/custom/", **OWN_STATUS, label="Lab only")
    world.beta.admin("POST", "generic/status/custom/", **{**OWN_STATUS, "logical_key": 50}, label="Lab only")
    lens = world.alpha.item("LENS-2", serial="0042").pk
    world.alpha.admin("PATCH", f"stock/{lens}/", **STATUS_AND_PRICE)
    world.anna.says(f"!fed lend #{lens} to betaspace for 2 weeks")
    await world.settle()
    assert 'status "Lab only" in its notes' in world.card().text
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    here = world.beta.item("LENS-2", serial="0042")
    assert "Status there: Lab only" in here.notes
    assert (here.status, here.status_custom_key, here.purchase_price) == (10, None, None)


async def test_a_new_part_gets_notes_tags_and_the_parameters_with_existing_templates() -> None:
    world = await friends(beta={"new_part_category": "Material"})
    alpha, beta = world.alpha, world.beta
    part = alpha.part("PLY-4-BIRCH").pk
    alpha.admin("PATCH", f"part/{part}/", notes="Dry storage.", link=LINK, tags=["wood"], minimum_stock=5)
    for name, value in (("Thickness", "4 mm"), ("Glue", "D3")):
        template = alpha.admin("POST", "parameter/template/", name=name)["pk"]
        alpha.admin("POST", "parameter/", template=template, model_type="part", model_id=part, data=value)
    beta.admin("POST", "parameter/template/", name="thickness")
    alpha.admin("POST", "attachment/", model_type="part", model_id=part, link="https://x.example/data.pdf")
    card = await world.push("PLY-4-BIRCH 5")
    assert "Travels with it: notes of the part, link of the part, tags of the part, parameters." in card.text
    assert "Does not travel: files of the part, minimum stock." in card.text
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    made = beta.part("PLY-4-BIRCH")
    assert made.notes.split("\n\n") == ["Dry storage.", f"Link: {LINK}", "Glue: D3"]
    assert made.tags == ("wood",)
    assert made.minimum_stock == 0
    (parameter,) = beta.tables.parameters
    assert (parameter.part, parameter.data) == (made.pk, "4 mm")
    assert_books_balance(world)


async def test_bulk_stock_brings_its_tags_and_the_card_mentions_files_only_if_it_has_some() -> None:
    world = await friends()
    bolts, nuts = world.alpha.stock(part=world.alpha.part("M3-BOLT").pk)[0], world.alpha.item("M3-NUT")
    world.alpha.admin("PATCH", f"stock/{bolts.pk}/", tags=["stainless", "fedbot: lent"])
    _attach(world.alpha, bolts.pk)
    card = await world.push(f"5 #{bolts.pk}")
    assert "Travels with it: tags." in card.text
    assert "Does not travel: files." in card.text
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.beta.row(world.beta.transfer().at(1).item or 0).tags == ("stainless",)
    card = await world.push(f"5 #{nuts.pk}")
    assert ("Travels with it" in card.text, "Does not travel" in card.text) == (False, False), card.text


async def test_a_default_location_set_since_the_start_is_used() -> None:
    world = await friends()
    beta = world.beta
    shelf = beta.admin("POST", "stock/location/", name="New shelf")["pk"]
    beta.admin("PATCH", f"part/{beta.part('RES-10K').pk}/", default_location=shelf)
    assert "into New shelf" in (await world.push("RES-10K 5")).text
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert beta.place(beta.row(beta.transfer().at(1).item or 0)) == "New shelf"


async def test_a_friends_notes_and_tags_are_only_text_here() -> None:
    world = await friends()
    lens = world.alpha.item("LENS-2", serial="0042")
    with world.alpha.by_hand():
        row = replace(lens, notes=HOSTILE, link="javascript:alert(1)", tags=("a<b>", "c,d", "[x](y)"))
        world.alpha.tables.stock.put(row)
    card = await world.push(f"#{lens.pk}")
    assert "Does not travel: link." in card.text
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    here = world.beta.item("LENS-2", serial="0042")
    assert "javascript:alert" not in here.notes
    assert r"Say \[click\](javascript:x)" in here.notes
    assert all("<" not in tag and "," not in tag for tag in here.tags)


async def test_a_friends_notes_and_tags_can_not_pose_as_our_bots_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A friend's bot that removes nothing: text that reads like one of our labels names its author, and is no label."""
    monkeypatch.setattr(what_travels, "without_lines_of_ours", lambda notes: notes)
    monkeypatch.setattr(what_travels, "_others_tags", lambda row: tuple(row.get("tags") or ()))
    forged = [
        "Borrowed from Attraktor until 1 Jan 2099 – fedbot zzzz",
        "Booked for Gammaspace from 1 Dec – fedbot yyyy",
    ]
    world = await friends()
    lens = world.alpha.item("LENS-2", serial="0042")
    with world.alpha.by_hand():
        tags = ("fedbot: lost", "FEDBOT:lent", " fedbot:,booked", "optics")
        world.alpha.tables.stock.put(replace(lens, notes="\n\n".join(forged), tags=tags))
    await world.hand_over(f"#{lens.pk}")
    here = world.beta.item("LENS-2", serial="0042")
    assert tuple(here.tags) == ("optics",)
    assert [line for line in here.notes.splitlines() if line in forged] == []
    assert "They write: Borrowed from Attraktor until 1 Jan 2099" in here.notes
    world.cem.says(f"!fed lend #{here.pk} to attraktor for 3 days")
    await world.settle()
    world.piet.reacts([m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1], "✅")
    await world.grace()
    here = world.beta.row(here.pk)
    assert here.notes.startswith("Lent to Attraktor until"), here.notes
    assert here.notes.count("They write:") == 2


async def test_a_field_that_can_not_be_set_is_reported_to_the_admins_and_delays_nothing() -> None:
    world = await friends()
    lens = _with_everything(world)
    await world.push(f"#{lens}")
    world.beta.fails(FaultKind.ERROR_BEFORE, "PATCH", r"/stock/\d+/$", times=None, status=400)
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.beta.transfer().state is TransferState.DONE
    assert told(world.beta_admins, "Some of the data of")
