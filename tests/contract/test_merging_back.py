"""What was split off and came back is merged into its source, unless anything would be lost."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot.inventree.inventory import OwnInventory
from fedbot.ports.inventory import NotPermitted, OutcomeUnknown, Refusal
from fedbot.rules.model.diagnosis import Apart, Fault, ItemFault, OfItem, Plain, StaysApart
from fedbot.rules.model.steps import (
    OWN_KEY,
    HandOver,
    Known,
    Label,
    LoanLabel,
    MergeBack,
    MergedBack,
    PlacedAt,
    PutBack,
    TakeBack,
    Taken,
    TakeOut,
)
from tests.contract.ground import Ground

FIELDS: dict[str, Any] = {"batch": "B7", "packaging": "box", "expiry_date": "2099-01-01", "link": "https://x.example/a"}
PRICE: dict[str, Any] = {"purchase_price": "1.25", "purchase_price_currency": "USD"}
WAYS = ("put back", "taken back")
TEN = Decimal(10)


@dataclass(frozen=True)
class Case:
    """Ten of forty were split off, and are back in their old location as an item of their own."""

    ground: Ground
    inventory: OwnInventory
    mark: str
    part: int
    source: int
    item: int
    out: TakeOut
    back: PutBack | TakeBack

    @property
    def step(self) -> MergeBack:
        return MergeBack(f"{self.mark}:merge", "put back here", self.item, self.source, self.part, TEN)

    def quantity(self, item: int) -> float:
        return float(self.ground.item(item)["quantity"])

    def is_there(self, item: int) -> bool:
        return bool(self.ground.admin.row_if_there(f"stock/{item}/"))

    def patch(self, item: int, **fields: object) -> None:
        self.ground.admin.patch(f"stock/{item}/", fields)

    async def stays_apart(self, why: Apart) -> None:
        with pytest.raises(Refusal) as refused:
            await self.inventory.act(self.step)
        assert refused.value.problem == StaysApart(self.item, self.source, why)
        assert self.is_there(self.source) is (why is not Apart.SOURCE)
        assert self.is_there(self.item) is (why is not Apart.GONE)


@pytest.fixture
def inventory(ground: Ground) -> Iterator[OwnInventory]:
    made = ground.inventory()
    yield made
    made.close()


async def split_and_back(
    ground: Ground, inventory: OwnInventory, way: str = WAYS[0], part: int = 0, **fields: object
) -> Case:
    part = part or ground.bolt
    source = ground.stock(part, 40, ground.drawer, "", **{**FIELDS, **fields})
    return await taken_and_back(ground, inventory, part, source, way)


async def taken_and_back(ground: Ground, inventory: OwnInventory, part: int, source: int, way: str) -> Case:
    mark = f"fed:{secrets.token_hex(10)}:1"
    out = TakeOut(f"{mark}:out", "on its way", source, part, TEN)
    taken = await inventory.act(out)
    assert isinstance(taken, Taken)
    back: PutBack | TakeBack = PutBack(
        f"{mark}:putback", "not given", taken.item, TEN, taken.location, taken.status, source=source
    )
    if way == "taken back":
        await inventory.act(HandOver(f"{mark}:over", "given", taken.item, TEN, ground.customer))
        where = (taken.location, taken.status, ground.customer)
        back = TakeBack(f"{mark}:back", "refused", taken.item, TEN, *where, source=source)
    placed = await inventory.act(back)
    assert isinstance(placed, PlacedAt)
    return Case(ground, inventory, mark, part, source, taken.item, out, back)


@pytest.mark.parametrize("way", WAYS)
async def test_it_is_merged_into_its_source_which_stays_as_it_was(
    ground: Ground, inventory: OwnInventory, way: str
) -> None:
    case = await split_and_back(ground, inventory, way, 0, notes="careful", **PRICE)
    case.patch(case.source, tags=["optics"])
    before = ground.admin.row(f"stock/{case.source}/", tags="true")
    assert await inventory.probe(case.step) is None
    assert await inventory.act(case.step) == MergedBack(case.source)
    assert await inventory.probe(case.step) == MergedBack(case.source)
    assert (case.quantity(case.source), case.is_there(case.item)) == (40, False)
    after = ground.admin.row(f"stock/{case.source}/", tags="true")
    kept = ("batch", "packaging", "expiry_date", "link", "notes", "tags", "location", "status", "purchase_price")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    newest = ground.history(case.source)[0]
    assert (newest["tracking_type"], newest["notes"]) == (45, f"{case.mark}:merge put back here")


@pytest.mark.parametrize("way", WAYS)
async def test_earlier_steps_are_found_done_and_over_after_the_merge(
    ground: Ground, inventory: OwnInventory, way: str
) -> None:
    """The journal may be lost after the merge; the marks that it looks for were in the history of the merged item."""
    case = await split_and_back(ground, inventory, way)
    known = Known(ground.bolt, mark=f"{case.mark}:")
    await inventory.act(case.step)
    for back in (case.back, replace(case.back, known=known)):
        assert await inventory.probe(back) == MergedBack(case.source)
    with pytest.raises(Refusal) as refused:
        await inventory.probe(case.out)
    assert refused.value.problem == OfItem(ItemFault.PUT_BACK_ALREADY, case.source)
    other = replace(case.back, mark=case.back.mark.replace(case.mark, f"fed:{secrets.token_hex(10)}:1"))
    with pytest.raises(Refusal) as refused:
        await inventory.probe(other)
    assert refused.value.reason == "gone", "the merge of another line proves nothing"


async def test_two_lines_of_one_source_come_back_one_after_the_other(ground: Ground, inventory: OwnInventory) -> None:
    first = await split_and_back(ground, inventory)
    second = await taken_and_back(ground, inventory, first.part, first.source, WAYS[1])
    for case, quantity in ((second, 30), (first, 40)):
        assert await inventory.act(case.step) == MergedBack(first.source)
        assert case.quantity(first.source) == quantity
    assert await inventory.probe(first.step) == MergedBack(first.source)
    assert await inventory.probe(second.step) == MergedBack(first.source)


async def test_our_own_label_on_the_item_keeps_nothing_apart(ground: Ground, inventory: OwnInventory) -> None:
    case = await split_and_back(ground, inventory, notes="careful")
    case.patch(case.source, tags=["optics"])
    await inventory.act(Label(f"{case.mark}:label", case.item, LoanLabel.LENT, "Beta", "gp75", None, Known(case.part)))
    own = {OWN_KEY: {"to": "beta", "item": case.item}}
    ground.admin.patch(ground.metadata_url("stockitem", case.item), {"metadata": own})
    assert await inventory.act(case.step) == MergedBack(case.source)
    row = ground.admin.row(f"stock/{case.source}/", tags="true")
    assert (row["notes"], row["tags"]) == ("careful", ["optics"])


async def test_a_source_that_people_moved_on_and_counted_takes_it_in(ground: Ground, inventory: OwnInventory) -> None:
    """Other people's work on the source is no obstacle: its history stays."""
    case = await split_and_back(ground, inventory)
    line = {"pk": case.source, "quantity": 3}
    ground.admin.post("stock/remove/", {"items": [line], "notes": "used"})
    ground.admin.post("stock/count/", {"items": [{**line, "quantity": 25}], "notes": "counted"})
    case.patch(case.source, notes="read me", tags=["new"])
    assert await inventory.act(case.step) == MergedBack(case.source)
    assert case.quantity(case.source) == 35


def _tested(case: Case) -> None:
    if case.ground.version.api >= 200:
        test = {"part": case.part, "test_name": "Power", "description": "x"}
        case.ground.admin.post("part/test-template/", test)
    result = {"stock_item": case.item, "test": "Power", "result": True, "value": "38 W"}
    case.ground.admin.post("stock/test/", result)


def _has_file(case: Case) -> None:
    url, fields = case.ground.version.attachment_call(case.item)
    case.ground.admin.upload(url, {**fields, "comment": f"{case.mark}:photo x"}, ("x.txt", b"x", "text/plain"))


def _has_metadata(case: Case) -> None:
    url = case.ground.metadata_url("stockitem", case.item)
    case.ground.admin.patch(url, {"metadata": {"theirs": 1}})


def _counted(case: Case) -> None:
    case.ground.admin.post("stock/count/", {"items": [{"pk": case.item, "quantity": 10}], "notes": "counted"})


def _moved(case: Case) -> None:
    case.ground.transfer(case.source, case.quantity(case.source), case.ground.shelf, "tidy")


def _status(case: Case) -> None:
    case.ground.admin.post("stock/change_status/", {"items": [case.source], "status": 55, "note": "x"})


def _all_given(case: Case) -> None:
    case.ground.assign(case.source)


def _deleted(case: Case) -> None:
    case.ground.admin.delete(f"stock/{case.source}/")


def _patched(whose: str, **fields: object) -> Callable[[Case], None]:
    def change(case: Case) -> None:
        case.patch(case.item if whose == "item" else case.source, **fields)

    return change


CHANGES: dict[str, tuple[Callable[[Case], Any], Apart]] = {
    "batch": (_patched("source", batch="B8"), Apart.BATCH),
    "batch of the item": (_patched("item", batch=""), Apart.BATCH),
    "packaging": (_patched("source", packaging="bag"), Apart.PACKAGING),
    "expiry": (_patched("source", expiry_date="2099-01-02"), Apart.EXPIRY),
    "expiry of the item": (_patched("item", expiry_date=None), Apart.EXPIRY),
    "link": (_patched("item", link="https://x.example/b"), Apart.LINK),
    "price": (_patched("source", purchase_price="2"), Apart.PRICE),
    "status": (_status, Apart.STATUS),
    "location": (_moved, Apart.LOCATION),
    "source is with a customer": (_all_given, Apart.LOCATION),
    "quantity": (_patched("item", quantity=9), Apart.QUANTITY),
    "notes": (_patched("item", notes="scratched"), Apart.NOTES),
    "tags": (_patched("item", tags=["scratched"]), Apart.TAGS),
    "keeping": (_patched("source", delete_on_deplete=False), Apart.OTHER),
    "file": (_has_file, Apart.FILES),
    "metadata": (_has_metadata, Apart.METADATA),
    "somebody's work": (_counted, Apart.HISTORY),
    "source deleted": (_deleted, Apart.SOURCE),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_it_stays_apart_if_anything_differs(ground: Ground, inventory: OwnInventory, what: str) -> None:
    change, why = CHANGES[what]
    case = await split_and_back(ground, inventory, WAYS[0], 0, **PRICE)
    change(case)
    assert await inventory.probe(case.step) is None
    before = {item: case.quantity(item) for item in (case.source, case.item) if case.is_there(item)}
    await case.stays_apart(why)
    assert {item: case.quantity(item) for item in before} == before


async def test_test_results_of_its_own_keep_it_apart(ground: Ground, inventory: OwnInventory) -> None:
    part = ground.part("Tested", f"TESTED-{secrets.token_hex(3)}", trackable=True, testable=True)
    case = await split_and_back(ground, inventory, part=part)
    _tested(case)
    await case.stays_apart(Apart.TESTS)


async def test_copied_test_results_and_notes_are_no_obstacle(ground: Ground, inventory: OwnInventory) -> None:
    part = ground.part("Tested", f"TESTED-{secrets.token_hex(3)}", trackable=True, testable=True)
    source = ground.stock(part, 40, ground.drawer, notes="line\n\nline two")
    if ground.version.api >= 200:
        ground.admin.post("part/test-template/", {"part": part, "test_name": "Power", "description": "x"})
    ground.admin.post("stock/test/", {"stock_item": source, "test": "Power", "result": True, "value": "38 W"})
    case = await taken_and_back(ground, inventory, part, source, WAYS[1])
    assert len(ground.admin.rows("stock/test/", stock_item=case.item)) == 1
    assert await inventory.act(case.step) == MergedBack(source)
    assert len(ground.admin.rows("stock/test/", stock_item=source)) == 1


@pytest.mark.api(since=293)
async def test_a_custom_status_of_the_same_class_keeps_it_apart(ground: Ground, inventory: OwnInventory) -> None:
    model = ground.admin.row("contenttype/model/stockitem/")["pk"]
    key = 1000 + secrets.randbelow(8000)
    custom = {"key": key, "name": f"K{key}", "label": f"Kiosk {key}", "color": "primary", "logical_key": 10}
    custom |= {"reference_status": "StockStatus", "model": model}
    ground.admin.post("generic/status/custom/", custom)
    case = await split_and_back(ground, inventory)
    case.patch(case.source, status_custom_key=key)
    await case.stays_apart(Apart.STATUS)


async def test_an_item_that_is_gone_was_not_merged_by_us(ground: Ground, inventory: OwnInventory) -> None:
    """Somebody merged it by hand, the other way round even: then the source's number is gone."""
    case = await split_and_back(ground, inventory)
    items = [{"item": case.source}, {"item": case.item}]
    ground.admin.post("stock/merge/", {"items": items, "location": ground.drawer, "notes": "tidy"})
    with pytest.raises(Refusal) as refused:
        await inventory.probe(case.step)
    assert refused.value.problem == StaysApart(case.item, case.source, Apart.GONE)
    assert case.quantity(case.source) == 40
    other = await split_and_back(ground, inventory)
    items = [{"item": other.item}, {"item": other.source}]
    ground.admin.post("stock/merge/", {"items": items, "location": ground.drawer, "notes": "tidy"})
    await other.stays_apart(Apart.SOURCE)
    assert other.quantity(other.item) == 40


async def test_an_item_that_was_not_split_off_by_that_line_stays_apart(ground: Ground, inventory: OwnInventory) -> None:
    """After a restore another item may have the number: only the entry of our own split proves what it is."""
    case = await split_and_back(ground, inventory)
    alike = ground.stock(ground.bolt, 10, ground.drawer, "", **FIELDS)
    stranger = replace(case.step, item=alike)
    swapped = replace(case.step, item=case.source, source=case.item)
    for step in (stranger, swapped, replace(case.step, mark=f"fed:{secrets.token_hex(10)}:1:merge")):
        with pytest.raises(Refusal) as refused:
            await inventory.act(step)
        assert isinstance(refused.value.problem, StaysApart)
        assert refused.value.problem.why is Apart.SOURCE
    assert [case.quantity(item) for item in (case.source, case.item, alike)] == [30, 10, 10]


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_lost_answer_is_looked_up_and_never_merged_twice(
    ground: Ground, inventory: OwnInventory, monkeypatch: pytest.MonkeyPatch, *, arrives: bool
) -> None:
    case = await split_and_back(ground, inventory)
    post = InvenTreeTransport.post

    def lost(self: InvenTreeTransport, url: str, content: object) -> object:
        if url == "stock/merge/":
            if arrives:
                post(self, url, content)
            raise OutcomeUnknown(Plain(Fault.SILENT))
        return post(self, url, content)

    with monkeypatch.context() as patch:
        patch.setattr(InvenTreeTransport, "post", lost)
        with pytest.raises(OutcomeUnknown):
            await inventory.act(case.step)
    if arrives:
        assert await inventory.probe(case.step) == MergedBack(case.source)
        with pytest.raises(Refusal):
            await inventory.act(case.step)
    else:
        assert await inventory.probe(case.step) is None
        assert await inventory.act(case.step) == MergedBack(case.source)
    assert (case.quantity(case.source), case.is_there(case.item)) == (40, False)


async def test_a_bot_that_may_not_merge_leaves_both(
    ground: Ground, inventory: OwnInventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await split_and_back(ground, inventory)
    weak = ground.inventory()
    try:
        monkeypatch.setattr(weak, "_settings", replace(ground.settings(), token=SecretStr(ground.reader_token)))
        with pytest.raises(NotPermitted):
            await weak.act(case.step)
    finally:
        weak.close()
    assert [case.quantity(item) for item in (case.source, case.item)] == [30, 10]
