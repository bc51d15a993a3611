"""Our own steps and queries on this server, from one end of a push to the other."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from fedbot.inventree import stock
from fedbot.inventree.inventory import OwnInventory
from fedbot.ports.inventory import NotPermitted, OutcomeUnknown, Refusal
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.queries import (
    FindItems,
    InventoryStanding,
    ItemsFound,
    MatchPart,
    Overview,
    PartMatch,
    PersonPermissions,
)
from fedbot.rules.model.steps import (
    AccessEnded,
    AccessMade,
    Arrived,
    AttachPhoto,
    BookedFor,
    BookInAgain,
    CloseCompany,
    CompanyMade,
    CreateItem,
    CreatePart,
    EndAccess,
    HandOver,
    ItemCreated,
    Known,
    Label,
    LoanLabel,
    MakeAccess,
    MakeCompany,
    MarkAsHere,
    MintToken,
    Mirror,
    PartCreated,
    PlacedAt,
    PutAway,
    PutBack,
    Remark,
    RevokeToken,
    Step,
    StepResult,
    TakeBack,
    Taken,
    TakeOut,
    TokenMinted,
    TokenRevoked,
    TokenTried,
    TryToken,
    WriteOff,
)
from fedbot.rules.model.stock import STATUS_DAMAGED as DAMAGED
from fedbot.rules.model.stock import STATUS_LOST as LOST
from fedbot.rules.model.stock import PartDescription, Permissions
from tests.contract.ground import Ground

MOST_NEWER = 120
"""Items on one page of a part's newest ones, and some more."""


@pytest.fixture
def inventory(ground: Ground) -> Iterator[OwnInventory]:
    made = ground.inventory()
    yield made
    made.close()


@pytest.fixture
def transfer() -> str:
    return f"fed:{secrets.token_hex(10)}:1"


async def once(inventory: OwnInventory, step: Step) -> StepResult:
    """Do a step as the runner does; the probe must find it afterwards, and not before."""
    assert await inventory.probe(step) is None
    result = await inventory.act(step)
    assert await inventory.probe(step) == result
    return result


async def taken(inventory: OwnInventory, transfer: str, item: int, part: int, quantity: str) -> Taken:
    result = await once(inventory, TakeOut(f"{transfer}:out", "on its way", item, part, Decimal(quantity)))
    assert isinstance(result, Taken)
    return result


async def test_the_overview_has_nothing_to_complain_about(inventory: OwnInventory, ground: Ground) -> None:
    standing = await inventory.answer(Overview())
    assert isinstance(standing, InventoryStanding)
    assert standing.complaints == ()
    assert (standing.can_move_stock, standing.admin_is_superuser) == (True, True)
    assert standing.username == ground.usernames["service"]


async def test_current_permissions_are_read(inventory: OwnInventory, ground: Ground) -> None:
    name = ground.usernames["service"]
    assert await inventory.answer(PersonPermissions(name)) == Permissions(name, known=True, active=True, approver=True)
    other = ground.usernames["reader"]
    assert await inventory.answer(PersonPermissions(other)) == Permissions(other, known=True, active=True)


async def test_items_are_found_by_every_kind_of_word(inventory: OwnInventory, ground: Ground) -> None:
    part = ground.part("Sought", "SOUGHT", trackable=True, keywords="k")
    item = ground.stock(part, 1, ground.drawer, serial="S1")
    words = (
        f"#{item}",
        f"{ground.run}-sought",
        f"{ground.run} Sought",
        f"{ground.run}-SOUGHT#S1",
        f"{ground.admin.base_url}web/stock/item/{item}",
    )
    for word in words:
        found = await inventory.answer(FindItems(word))
        assert isinstance(found, ItemsFound)
        assert [(each.pk, each.serial, each.place) for each in found.items] == [(item, "S1", f"{ground.run}/Drawer")]


async def test_a_booked_out_item_is_found_after_its_source_was_deleted(
    inventory: OwnInventory, ground: Ground, transfer: str
) -> None:
    source = ground.stock(ground.bolt, 40, ground.drawer)
    step = TakeOut(f"{transfer}:out", "on its way", source, ground.bolt, Decimal("12.5"))
    out = await inventory.act(step)
    ground.admin.delete(f"stock/{source}/")
    assert await inventory.probe(step) == out


@pytest.mark.parametrize("quantity", [3, 5])
async def test_an_item_in_transit_is_not_used_for_another_transfer(
    inventory: OwnInventory, ground: Ground, transfer: str, quantity: int
) -> None:
    """A whole item keeps its number when it is booked out; a split-off item has a number of its own."""
    source = ground.stock(ground.bolt, 5, ground.drawer)
    out = await taken(inventory, transfer, source, ground.bolt, str(quantity))
    another = f"fed:{secrets.token_hex(10)}:1:out"
    with pytest.raises(Refusal, match="another transfer"):
        await inventory.act(TakeOut(another, "on its way", out.item, ground.bolt, Decimal(1)))


async def test_a_token_is_tested_before_it_is_trusted(inventory: OwnInventory, ground: Ground) -> None:
    trial = TryToken("fed:c:0:trial", "ref")
    inventory._vault.keep("ref", ground.reader_token)
    tried = await inventory.act(trial)
    assert isinstance(tried, TokenTried)
    assert (tried.stock_items, tried.api) == (ground.admin.count("stock/"), ground.version.api)
    for reference, secret in (("bots", ground.service_token), ("admins", ground.token)):
        inventory._vault.keep(reference, secret)
        with pytest.raises(Refusal) as caught:
            await inventory.act(replace(trial, reference=reference))
        assert caught.value.reason == "too-much-right"


@pytest.mark.parametrize(("quantity", "whole"), [("12.5", False), ("40", True)])
async def test_a_push_from_the_senders_side(
    inventory: OwnInventory, ground: Ground, transfer: str, quantity: str, *, whole: bool
) -> None:
    source = ground.stock(ground.bolt, 40, ground.drawer)
    out = await taken(inventory, transfer, source, ground.bolt, quantity)
    assert (out.whole, out.status, out.location) == (whole, 10, ground.drawer)
    row = ground.item(out.item)
    assert (row["location"], row["status"]) == (ground.outgoing, 50)
    await once(inventory, HandOver(f"{transfer}:over", "given", out.item, out.quantity, ground.customer))
    await once(inventory, Arrived(f"{transfer}:arrived", "arrived", out.item, out.status))
    row = ground.item(out.item)
    assert (row["customer"], row["status"], Decimal(str(row["quantity"]))) == (ground.customer, 10, out.quantity)


async def test_a_push_from_the_receivers_side(inventory: OwnInventory, ground: Ground, transfer: str) -> None:
    description = PartDescription(f"{ground.run} New", f"{ground.run}-NEW", "new", trackable=True)
    match = await inventory.answer(MatchPart("alpha", description, "S-77"))
    assert isinstance(match, PartMatch)
    assert (match.part, match.creatable, match.place) == (None, True, f"{ground.run}/Shelf")
    link = f"https://matrix.to/#/!room:example.org/$card?{transfer}"
    part = await once(inventory, CreatePart(f"{transfer}:part", description, f"{link}:part"))
    assert isinstance(part, PartCreated)
    match = await inventory.answer(MatchPart("alpha", description, "S-77"))
    assert isinstance(match, PartMatch)
    assert match.part is not None
    assert (match.part.pk, match.part.salable, match.how) == (part.part, True, "ipn")
    step = CreateItem(
        f"{transfer}:in",
        part.part,
        Decimal(1),
        f"{link}:in",
        "S-77",
        "LOT",
        "box",
        date(2099, 1, 1),
        notes="from alpha",
    )
    made = await once(inventory, step)
    assert isinstance(made, ItemCreated)
    row = ground.item(made.item)
    assert (row["serial"], row["batch"], row["packaging"], row["expiry_date"], row["location"]) == (
        "S-77",
        "LOT",
        "box",
        "2099-01-01",
        ground.incoming,
    )
    placed = await once(inventory, PutAway(f"{transfer}:away", "received from alpha", made.item, Decimal(1), None))
    assert placed == PlacedAt(made.item, ground.shelf, f"{ground.run}/Shelf")
    assert ground.history(made.item)[0]["notes"] == f"{transfer}:away received from alpha"
    assert await inventory.probe(step) == made
    value = {"origin": "alpha", "transfer": transfer, "item": made.item}
    await once(inventory, Mirror(f"{transfer}:mirror", "stockitem", made.item, json.dumps(value)))
    found = await inventory.answer(FindItems(f"#{made.item}"))
    assert isinstance(found, ItemsFound)
    assert found.tainted == ((made.item, "alpha"),)
    match = await inventory.answer(MatchPart("alpha", description, "S-77"))
    assert isinstance(match, PartMatch)
    assert match.serial == "S-77-alpha"


async def test_a_new_item_is_found_although_its_part_has_many_newer_variants(
    inventory: OwnInventory, ground: Ground, transfer: str
) -> None:
    template = ground.part("Lens of any kind", "ANY", trackable=True, is_template=True)
    variant = ground.part("Lens of one kind", "ONE", trackable=True, variant_of=template)
    step = CreateItem(f"{transfer}:in", template, Decimal(1), f"https://matrix.to/?{transfer}:in", "7")
    made = await once(inventory, step)
    serials = {"quantity": MOST_NEWER, "serial_numbers": f"1001-{1000 + MOST_NEWER}"}
    ground.admin.post("stock/", {"part": variant, "location": ground.drawer, **serials})
    assert await inventory.probe(step) == made


async def test_a_serialised_item_that_was_here_before_returns_to_its_former_record(
    inventory: OwnInventory, ground: Ground, transfer: str
) -> None:
    item = ground.stock(ground.lens, 1, ground.drawer, serial="AGAIN-1")
    out = await once(inventory, TakeOut(f"{transfer}:out", "goes back", item, ground.lens, Decimal(1), "AGAIN-1"))
    assert isinstance(out, Taken)
    await once(inventory, HandOver(f"{transfer}:over", "given back", item, Decimal(1), ground.customer))
    await once(inventory, Arrived(f"{transfer}:arrived", "arrived", item, out.status))
    row = ground.admin.row(f"part/{ground.lens}/")
    description, mark = PartDescription(row["name"], row["IPN"], trackable=True), f"{transfer[:-1]}2:in"
    question = MatchPart("alpha", description, "AGAIN-1", mark=mark, company=ground.customer)
    match = await inventory.answer(question)
    assert isinstance(match, PartMatch)
    assert match.serial == f"{question.serial}-alpha"
    with pytest.raises(Refusal):
        await inventory.act(
            CreateItem(question.mark, ground.lens, Decimal(1), f"https://matrix.to/?{question.mark}", "AGAIN-1")
        )
    match = await inventory.answer(replace(question, gave=(item,)))
    assert isinstance(match, PartMatch)
    assert match.again == item
    known = Known(ground.lens, "AGAIN-1", mark=f"{transfer}:")
    step = BookInAgain(
        question.mark, "here again, from alpha", item, ground.lens, "AGAIN-1", ground.customer, DAMAGED, known
    )
    assert await once(inventory, step) == ItemCreated(item, Decimal(1))
    row = ground.item(item)
    assert (row["customer"], row["location"], row["serial"], row["status"]) == (
        None,
        ground.incoming,
        "AGAIN-1",
        DAMAGED,
    )
    assert f"{question.mark} here again, from alpha" in {entry["notes"] for entry in ground.history(item)}
    match = await inventory.answer(replace(question, gave=(item,)))
    assert isinstance(match, PartMatch)
    assert match.again == item, "it is found again by its mark, if the journal was lost"
    with pytest.raises(Refusal):
        await inventory.act(replace(step, mark=f"{transfer[:-1]}3:in"))
    await once(inventory, PutAway(f"{transfer[:-1]}2:away", "received from alpha", item, Decimal(1), ground.shelf))
    assert ground.item(item)["location"] == ground.shelf


async def test_an_item_is_not_left_with_its_old_status_if_the_bot_dies_after_the_return(
    inventory: OwnInventory, ground: Ground, transfer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older versions need a second call for the status: an item that was lost would stay so, though it is here."""

    def killed(*_: object, **__: object) -> None:
        raise OutcomeUnknown(Plain(Fault.ITEM_NOT_THERE))

    item = ground.stock(ground.lens, 1, ground.drawer, serial="LOST-1")
    await once(inventory, TakeOut(f"{transfer}:out", "lent", item, ground.lens, Decimal(1), "LOST-1"))
    await once(inventory, HandOver(f"{transfer}:over", "lent to", item, Decimal(1), ground.customer))
    await once(inventory, Arrived(f"{transfer}:lost", "lost at alpha", item, LOST))
    known = Known(ground.lens, "LOST-1", mark=f"{transfer}:")
    step = BookInAgain(
        f"{transfer[:-1]}2:in", "here again", item, ground.lens, "LOST-1", ground.customer, DAMAGED, known
    )
    with monkeypatch.context() as patch:
        patch.setattr(stock, "set_status", killed)
        with suppress(OutcomeUnknown):
            await inventory.act(step)
    if await inventory.probe(step) is None:
        await inventory.act(step)
    assert await inventory.probe(step) == ItemCreated(item, Decimal(1))
    row = ground.item(item)
    assert (row["customer"], row["location"], row["status"]) == (None, ground.incoming, DAMAGED)


async def test_lost_pieces_return_to_their_former_record_if_that_is_as_it_was_lent(
    inventory: OwnInventory, ground: Ground, transfer: str
) -> None:
    item = ground.stock(ground.bolt, 10, ground.drawer, batch="B7")
    await once(inventory, TakeOut(f"{transfer}:out", "lent", item, ground.bolt, Decimal(10), "", batch="B7"))
    await once(inventory, HandOver(f"{transfer}:over", "lent to", item, Decimal(10), ground.customer))
    await once(inventory, Arrived(f"{transfer}:lost", "lost at alpha", item, LOST))
    row = ground.admin.row(f"part/{ground.bolt}/")
    mark = f"{transfer[:-1]}2:in"
    question = MatchPart(
        "alpha",
        PartDescription(row["name"], row["IPN"]),
        mark=mark,
        company=ground.customer,
        quantity=Decimal(10),
        batch="B7",
        lost=(item,),
    )
    for other in (replace(question, quantity=Decimal(9)), replace(question, batch=""), replace(question, lost=())):
        match = await inventory.answer(other)
        assert isinstance(match, PartMatch)
        assert (match.part is not None, match.again) == (True, None)
    match = await inventory.answer(question)
    assert isinstance(match, PartMatch)
    assert match.again == item
    step = BookInAgain(
        mark,
        "here again, from alpha",
        item,
        ground.bolt,
        "",
        ground.customer,
        known=Known(ground.bolt, mark=f"{transfer}:"),
        quantity=Decimal(9),
    )
    with pytest.raises(Refusal):
        await inventory.act(step)
    step = replace(step, quantity=Decimal(10))
    assert await once(inventory, step) == ItemCreated(item, Decimal(10))
    row = ground.item(item)
    assert (row["customer"], row["location"], row["status"], float(row["quantity"])) == (None, ground.incoming, 10, 10)


async def test_an_item_entered_by_hand_is_marked_as_borrowed_and_keeps_its_location(
    inventory: OwnInventory, ground: Ground, transfer: str
) -> None:
    item = ground.stock(ground.bolt, 7, ground.drawer)
    question = MatchPart("alpha", PartDescription("Any name"), mark=f"{transfer}:in", quantity=Decimal(7), here=item)
    match = await inventory.answer(question)
    assert isinstance(match, PartMatch)
    assert (match.part and match.part.pk, match.how, match.again) == (ground.bolt, "here", item)
    assert match.location == ground.drawer
    for other in (replace(question, quantity=Decimal(6)), replace(question, serial="7"), replace(question, here=10**9)):
        assert await inventory.answer(other) == PartMatch(reason="not-that")
    step = MarkAsHere(f"{transfer}:in", "this is alpha's", item, ground.bolt, Decimal(7))
    with pytest.raises(Refusal):
        await inventory.act(replace(step, quantity=Decimal(6)))
    with pytest.raises(Refusal):
        await inventory.act(replace(step, part=ground.lens))
    assert await once(inventory, step) == ItemCreated(item, Decimal(7))
    row = ground.item(item)
    assert (row["location"], float(row["quantity"]), row["customer"]) == (ground.drawer, 7, None)
    assert f"{transfer}:in this is alpha's" in {entry["notes"] for entry in ground.history(item)}
    known = Known(ground.bolt, mark=f"{transfer}:")
    away = PutAway(f"{transfer}:away", "borrowed from alpha", item, Decimal(7), ground.drawer, known)
    await once(inventory, away)
    assert ground.item(item)["location"] == ground.drawer


async def test_a_photo_is_attached_to_an_item_that_is_lent_and_found_again(
    inventory: OwnInventory, ground: Ground, transfer: str
) -> None:
    item, photo = ground.stock(ground.bolt, 3, ground.drawer), b"\x89PNG\r\n\x1a\n" + secrets.token_bytes(5000)
    ground.assign(item)
    said, known = "Piet: ✓ scratched <left> & so on " * 20, Known(ground.bolt)
    steps = [AttachPhoto(f"{transfer}:photo-{number}", said, item, {}, known) for number in range(2)]
    for step in steps:
        assert await inventory.probe(step) is None
        done = await inventory.attach(step, photo)
        assert await inventory.probe(step) == done
    assert await inventory.probe(replace(steps[0], item=ground.stock(ground.bolt, 1, ground.drawer))) is None
    url, fields = ground.version.attachment_call(item)
    with pytest.raises(NotPermitted):
        ground.reader.upload(url, {**fields, "comment": "no"}, ("x.png", photo, "image/png"))


async def test_items_not_handed_over_are_put_back(inventory: OwnInventory, ground: Ground, transfer: str) -> None:
    source = ground.stock(ground.bolt, 40, ground.drawer, status=55)
    out = await taken(inventory, transfer, source, ground.bolt, "10")
    step = PutBack(f"{transfer}:putback", "not given", out.item, out.quantity, out.location, out.status)
    assert await once(inventory, step) == PlacedAt(out.item, ground.drawer, f"{ground.run}/Drawer")
    assert ground.item(out.item)["status"] == 55


@pytest.mark.parametrize("quantity", ["10", pytest.param("4", marks=pytest.mark.api(since=381))])
async def test_refused_or_returned_items_are_taken_back(
    inventory: OwnInventory, ground: Ground, transfer: str, quantity: str
) -> None:
    source = ground.stock(ground.bolt, 40, ground.drawer)
    out = await taken(inventory, transfer, source, ground.bolt, "10")
    await once(inventory, HandOver(f"{transfer}:over", "given", out.item, out.quantity, ground.customer))
    step = TakeBack(
        f"{transfer}:back", "refused", out.item, Decimal(quantity), out.location, out.status, ground.customer
    )
    back = await once(inventory, step)
    assert isinstance(back, PlacedAt)
    row = ground.item(back.item)
    assert (row["location"], row["status"], row["customer"]) == (ground.drawer, 10, None)
    assert Decimal(str(row["quantity"])) == Decimal(quantity)


@pytest.mark.parametrize("gone", [True, False])
async def test_an_item_that_can_not_go_back_to_its_old_location_stays_in_incoming(
    inventory: OwnInventory, ground: Ground, transfer: str, *, gone: bool
) -> None:
    name = f"old {secrets.token_hex(4)}"
    home = int(ground.admin.post("stock/location/", {"name": name, "parent": ground.root})["pk"])
    lent = ground.stock(ground.bolt, 3, home)
    out = await taken(inventory, transfer, lent, ground.bolt, "3")
    await once(inventory, HandOver(f"{transfer}:over", "lent", lent, Decimal(3), ground.customer))
    if gone:
        keeping = {"delete_stock_items": False, "delete_sub_locations": False}
        ground.admin.delete(f"stock/location/{home}/", data=keeping)
    else:
        ground.admin.patch(f"stock/location/{home}/", {"structural": True})
    step = TakeBack(f"{transfer}:home", "back", lent, Decimal(3), out.location, out.status, ground.customer)
    in_incoming = PlacedAt(lent, ground.incoming, f"{ground.run}/Incoming")
    assert await inventory.probe(step) is None
    assert await inventory.act(step) == in_incoming
    assert await inventory.act(step) == in_incoming, "an interrupted try continues from there"


@pytest.mark.parametrize("quantity", ["3", pytest.param("2", marks=pytest.mark.api(since=381))])
async def test_a_whole_item_returns_damaged_into_the_same_record(
    inventory: OwnInventory, ground: Ground, transfer: str, quantity: str
) -> None:
    lent = ground.stock(ground.bolt, 3, ground.drawer)
    out = await taken(inventory, transfer, lent, ground.bolt, "3")
    await once(inventory, HandOver(f"{transfer}:over", "lent", lent, Decimal(3), ground.customer))
    await once(inventory, Arrived(f"{transfer}:arrived", "arrived", lent, out.status))
    step = TakeBack(
        f"{transfer}:home", "back, damaged", lent, Decimal(quantity), out.location, DAMAGED, ground.customer
    )
    back = await once(inventory, step)
    assert isinstance(back, PlacedAt)
    row = ground.item(back.item)
    assert (row["location"], row["status"], row["customer"]) == (ground.drawer, DAMAGED, None)
    assert Decimal(str(row["quantity"])) == Decimal(quantity)
    assert (back.item == lent) is (quantity == "3")
    if back.item != lent:  # the rest is still with the borrower and not damaged
        rest = ground.item(lent)
        assert (Decimal(str(rest["quantity"])), rest["customer"], rest["status"]) == (Decimal(1), ground.customer, 10)


async def test_a_remark_is_added_to_the_history_of_an_item_that_stays_with_a_friend(
    inventory: OwnInventory, ground: Ground, transfer: str
) -> None:
    lent = ground.stock(ground.bolt, 3, ground.drawer)
    await taken(inventory, transfer, lent, ground.bolt, "3")
    await once(inventory, HandOver(f"{transfer}:over", "lent", lent, Decimal(3), ground.customer))
    await once(inventory, Arrived(f"{transfer}:arrived", "arrived, damaged", lent, DAMAGED))
    await once(inventory, Remark(f"{transfer}:gift", "a gift from now on", lent))
    row = ground.item(lent)
    assert (row["customer"], row["status"]) == (ground.customer, DAMAGED)
    query = {"item": lent, "limit": 10}
    notes = [entry["notes"] for entry in ground.admin.row("stock/track/", **query)["results"]]
    assert any(note.startswith(f"{transfer}:gift a gift from now on") for note in notes)


async def test_a_borrowed_item_is_written_off_once_and_no_more_of_it(
    inventory: OwnInventory, ground: Ground, transfer: str
) -> None:
    item = ground.stock(ground.bolt, 3, ground.drawer)
    with pytest.raises(Refusal) as refused:
        await inventory.act(WriteOff(f"{transfer}:off", "lost", item, Decimal(2), Known(ground.bolt)))
    assert refused.value.reason == "too-much"
    await once(inventory, WriteOff(f"{transfer}:off", "lost", item, Decimal(3), Known(ground.bolt)))
    assert (ground.item(item)["status"], ground.item(item)["location"]) == (LOST, ground.drawer)


@pytest.mark.parametrize("model", ["stockitem", "part", "company"])
async def test_mirrored_metadata_is_found_again_and_keeps_other_entries(
    inventory: OwnInventory, ground: Ground, transfer: str, model: str
) -> None:
    pk = {
        "stockitem": ground.stock(ground.bolt, 1, ground.drawer),
        "part": ground.bolt,
        "company": ground.customer,
    }[model]
    ground.admin.patch(ground.metadata_url(model, pk), {"metadata": {"theirs": 1}})
    await once(inventory, Mirror(f"{transfer}:mirror", model, pk, json.dumps({"matches": {"alpha": ["A<1"]}})))
    await once(inventory, Mirror(f"{transfer}:mirror", model, pk, json.dumps({"matches": {}})))
    assert ground.admin.row(ground.metadata_url(model, pk))["metadata"]["theirs"] == 1


async def test_a_loan_is_labelled_in_notes_and_tags_beside_those_of_people(
    inventory: OwnInventory, ground: Ground, transfer: str
) -> None:
    item = ground.stock(ground.bolt, 5, ground.drawer)
    ground.admin.patch(f"stock/{item}/", {"notes": "# Care\n\nonly isopropanol & water", "tags": ["optics", "a,b"]})
    known = Known(ground.bolt)
    lent = Label(f"{transfer}:label", item, LoanLabel.LENT, "B & [co] <1>", "gp75", date(2026, 12, 12), known)
    await once(inventory, lent)
    row = ground.admin.row(f"stock/{item}/", tags="true")
    line, *rest = row["notes"].split("\n")
    assert (line, rest) == (
        r"Lent to B & \[co\] ‹1› until 12 Dec 2026 – fedbot gp75",
        ["", "# Care", "", "only isopropanol & water"],
    )
    assert set(row["tags"]) == {"optics", "a,b", "fedbot: lent"}
    await once(inventory, replace(lent, what=LoanLabel.LOST_THERE))
    row = ground.admin.row(f"stock/{item}/", tags="true")
    assert row["notes"].startswith(r"Lost, lent to B & \[co\] ‹1› – fedbot gp75")
    assert set(row["tags"]) == {"optics", "a,b", "fedbot: lost"}
    await once(inventory, replace(lent, what=LoanLabel.NOTHING))
    row = ground.admin.row(f"stock/{item}/", tags="true")
    assert (row["notes"], set(row["tags"])) == ("# Care\n\nonly isopropanol & water", {"optics", "a,b"})


async def test_bookings_are_shown_in_notes_and_a_tag_until_the_last_is_over(
    inventory: OwnInventory, ground: Ground, transfer: str
) -> None:
    item = ground.stock(ground.bolt, 5, ground.drawer)
    ground.admin.patch(f"stock/{item}/", {"notes": "only isopropanol", "tags": ["optics"]})
    first = BookedFor("B [co] <1>", date(2026, 12, 12), date(2026, 12, 19), "gp75")
    later = BookedFor("Gamma", date(2026, 12, 24), date(2026, 12, 31), "k7m2")
    told = [
        r"Booked for B \[co\] ‹1› from 12 Dec 2026 until 19 Dec 2026 – fedbot gp75",
        "Booked for Gamma from 24 Dec 2026 until 31 Dec 2026 – fedbot k7m2",
    ]
    shows = Label(f"{transfer}:booked", item, LoanLabel.AS_IS, "", "gp75", known=Known(ground.bolt), booked=())
    for bookings, lines in (((first, later), told), ((later,), told[1:]), ((), [])):
        await once(inventory, replace(shows, booked=bookings))
        row = ground.admin.row(f"stock/{item}/", tags="true")
        assert row["notes"].split("\n\n") == [*lines, "only isopropanol"]
        assert set(row["tags"]) == ({"optics", "fedbot: booked"} if lines else {"optics"})


async def test_a_categorys_metadata_needs_a_permission_that_a_bot_may_lack(
    inventory: OwnInventory, ground: Ground, transfer: str
) -> None:
    with pytest.raises(NotPermitted):
        await inventory.act(Mirror(f"{transfer}:mirror", "partcategory", ground.category, "{}", "fedbot_share"))


@pytest.mark.api(since=293)
async def test_an_item_without_a_default_location_goes_to_that_of_its_category(
    inventory: OwnInventory, ground: Ground, transfer: str
) -> None:
    category = {"name": f"{ground.run} here", "parent": ground.category, "default_location": ground.drawer}
    part = ground.part("Here", "HERE", category=ground.admin.post("part/category/", category)["pk"])
    match = await inventory.answer(MatchPart("alpha", PartDescription(f"{ground.run} Here")))
    assert isinstance(match, PartMatch)
    assert match.location == ground.drawer
    item = ground.stock(part, 1, ground.incoming)
    placed = await once(inventory, PutAway(f"{transfer}:away", "x", item, Decimal(1), None, Known(part)))
    assert placed == PlacedAt(item, ground.drawer, f"{ground.run}/Drawer")


async def test_texts_that_inventree_would_refuse_are_stored(
    inventory: OwnInventory, ground: Ground, transfer: str
) -> None:
    typed = "for <b>Bea</b>\n10\u00a0mm &copy; [here](ftp://x.org) {: #i } AT&T 2.0″ 👩\u200d🔧 <"
    card = f"https://matrix.to/#/!a:example.org/$card?via=x&copy=<1>&{transfer}:in"
    company = await once(inventory, MakeCompany(transfer, card, f"{ground.run} R&D <3 &copy", typed))
    assert isinstance(company, CompanyMade)
    source = ground.stock(ground.bolt, 5, ground.drawer)
    await once(inventory, TakeOut(f"{transfer}:out", typed, source, ground.bolt, Decimal(5)))
    await once(inventory, HandOver(f"{transfer}:over", typed, source, Decimal(5), company.company))
    await once(inventory, Arrived(f"{transfer}:arrived", typed, source, 55))
    named = PartDescription(
        f"{ground.run} <Widget>\u200b &copy", f"{ground.run}-&LT", typed, typed[:90], "", "a\u00a0b"
    )
    part = await once(inventory, CreatePart(f"{transfer}:part", named, card))
    assert isinstance(part, PartCreated)
    for description, how in ((named, "ipn"), (replace(named, ipn=""), "name")):
        match = await inventory.answer(MatchPart("alpha", description))
        assert isinstance(match, PartMatch)
        assert match.part is not None
        assert (match.part.pk, match.how) == (part.part, how)
    step = CreateItem(f"{transfer}:in", part.part, Decimal(5), card, batch="<7>", packaging="a\tb", notes=f"5. {typed}")
    made = await once(inventory, step)
    assert isinstance(made, ItemCreated)
    await once(inventory, PutAway(f"{transfer}:away", typed, made.item, Decimal(5), ground.shelf))
    value = {"origin": "alpha", "sender_metadata": {"text": typed, "list": [typed, {"x": typed}], "none": None}}
    mirror = Mirror(f"{transfer}:mirror", "stockitem", made.item, json.dumps(value))
    await once(inventory, mirror)
    assert await inventory.probe(replace(mirror, value=json.dumps({**value, "origin": "beta"}))) is None


@pytest.mark.parametrize("serial", ["0042", "SN-1", "2024-001", "1-2", "a/b#7", "A;B", "5+", "Ä1"])
async def test_serial_numbers_are_stored_unchanged(inventory: OwnInventory, ground: Ground, serial: str) -> None:
    mark = f"fed:{secrets.token_hex(10)}:1:in"
    part = ground.part(f"Numbered {mark}", mark, trackable=True)
    made = await once(inventory, CreateItem(mark, part, Decimal(1), f"https://example.org/?{mark}", serial))
    assert isinstance(made, ItemCreated)
    assert ground.item(made.item)["serial"] == serial


async def test_items_that_must_not_leave_are_refused_before_anything_moves(
    inventory: OwnInventory, ground: Ground, transfer: str
) -> None:
    item = ground.stock(ground.bolt, 5, ground.drawer)
    lens = ground.stock(ground.lens, 1, ground.drawer, serial=secrets.token_hex(3))
    step = TakeOut(f"{transfer}:out", "x", item, ground.bolt, Decimal(1))
    cases = {
        "too-much": replace(step, quantity=Decimal(6)),
        "changed": replace(step, part=ground.lens),
        "serial": replace(step, item=lens, part=ground.lens, serial="other"),
        "status": replace(step, item=ground.stock(ground.bolt, 5, ground.drawer, status=65)),
        "not-salable": replace(step, item=ground.stock(ground.vice, 5, ground.drawer), part=ground.vice),
        "gone": replace(step, item=999_999_999),
    }
    for reason, case in cases.items():
        with pytest.raises(Refusal) as caught:
            await inventory.act(case)
        assert caught.value.reason == reason
    assert ground.item(item)["quantity"] == 5.0


@pytest.mark.api(until=334)
async def test_a_person_is_needed_where_accounts_can_not_be_created_over_rest(
    inventory: OwnInventory, ground: Ground
) -> None:
    name = f"{ground.run}-beta-1"
    for step in (
        MakeAccess("fed:c:0:access", name, "connection"),
        MintToken("fed:c:0:token", ground.users["reader"], f"{name}-1", "ref", date(2099, 1, 1)),
    ):
        with pytest.raises(Refusal) as caught:
            await inventory.act(step)
        assert caught.value.reason == "unsupported"


@pytest.mark.api(since=335)
async def test_a_peer_gets_access_and_loses_it_again(inventory: OwnInventory, ground: Ground) -> None:
    name, link = f"{ground.run}-beta-1", f"https://matrix.to/#/@{ground.run}:example.org"
    company = await once(inventory, MakeCompany("fed:c:0:company", link, f"{ground.run} Beta", "a friend"))
    assert isinstance(company, CompanyMade)
    access = await once(inventory, MakeAccess("fed:c:0:access", name, "connection"))
    assert isinstance(access, AccessMade)
    minted = await once(inventory, MintToken("fed:c:0:token", access.user, f"{name}-1", "ref", date(2099, 1, 1)))
    assert minted == TokenMinted(f"{name}-1", date(2099, 1, 1))
    tried = await inventory.act(TryToken("fed:c:0:trial", "ref"))
    assert isinstance(tried, TokenTried)
    assert tried.stock_items == ground.admin.count("stock/")
    assert (tried.name, tried.expiry) == (minted.name, minted.expiry)
    renewed = await once(inventory, MintToken("fed:c:0:renewal", access.user, f"{name}-2", "next", date(2099, 1, 2)))
    assert await once(inventory, RevokeToken("fed:c:0:revoke", access.user, f"{name}-2")) == TokenRevoked()
    assert renewed == TokenMinted(f"{name}-2", date(2099, 1, 2))
    with pytest.raises(NotPermitted):
        ground.transport(inventory._vault.read("next")).get("stock/")
    peer = ground.transport(inventory._vault.read("ref"))
    with pytest.raises(NotPermitted):
        peer.post("stock/", {"part": ground.bolt, "quantity": 1})
    assert await once(inventory, EndAccess("fed:c:0:end", access.user, "ref")) == AccessEnded()
    with pytest.raises(NotPermitted):
        peer.get("stock/")
    assert await once(inventory, CloseCompany("fed:c:0:close", company.company)) == AccessEnded()
    again = await once(inventory, MakeCompany("fed:c2:0:company", link, f"{ground.run} Beta", "a friend"))
    assert again == company
    with pytest.raises(Refusal) as caught:
        await inventory.act(MakeAccess("fed:c:0:access", name, "connection"))
    assert caught.value.reason == "ended"
