"""The other fields of a stock item and its part: how InvenTree returns and accepts them, and how we read them."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from decimal import Decimal

import pytest

from fedbot.ports.inventory import NotPermitted, Refusal
from fedbot.rules.model.queries import FindItems, ItemsFound
from fedbot.rules.model.steps import (
    CreateItem,
    CreatePart,
    FileKept,
    Furnish,
    Furnished,
    ItemCreated,
    KeepFile,
    Known,
    PartCreated,
    SendFile,
)
from fedbot.rules.model.stock import FileTold, Parameter, PartDescription, PartDetails, TestResult, Trait
from tests.contract.ground import Ground
from tests.contract.test_least_roles import PHOTO

PDF = b"%PDF-1.7 how to hold it"
LINK = "https://lenses.example/l2?a=1&b=2"


def _template(ground: Ground, name: str) -> int:
    return int(ground.admin.post(ground.version.parameter_templates, {"name": name, "units": ""})["pk"])


def _with_everything(ground: Ground) -> int:
    """A serialised device with every field set."""
    part = ground.part("Device", "DEVICE", trackable=True, assembly=True, testable=True)
    fields = {"notes": "Part **notes**", "link": LINK, "tags": ["wood", "two words"], "minimum_stock": 3}
    ground.admin.patch(f"part/{part}/", fields)
    url, of_part = ground.version.parameters_call(part)
    template = _template(ground, f"{ground.run} Focus")
    ground.admin.post(url, {**of_part, "template": template, "data": "50 mm"})
    item = ground.stock(part, 1, ground.drawer, "0042")
    ground.admin.patch(f"stock/{item}/", {"notes": "Item notes", "link": LINK, "tags": ["optics"]})
    if ground.version.api >= 200:
        ground.admin.post("part/test-template/", {"part": part, "test_name": "Power", "description": "x"})
    for value, result in (("10 W", False), ("38 W", True)):
        ground.admin.post("stock/test/", {"stock_item": item, "test": "Power", "result": result, "value": value})
    inner = ground.part("Fan", "FAN", component=True)
    ground.admin.post("bom/", {"part": part, "sub_part": inner, "quantity": 1})
    fan = ground.stock(inner, 1, ground.drawer)
    ground.admin.post(f"stock/{item}/install/", {"stock_item": fan, "quantity": 1, "note": "x"})
    return item


def _seen(ground: Ground, word: str) -> ItemsFound:
    found = ground.inventory().answered(FindItems(word, whole=True), None)
    assert isinstance(found, ItemsFound)
    return found


def test_all_fields_of_an_item_are_read_by_any_of_its_names(ground: Ground) -> None:
    item = _with_everything(ground)
    url, fields = ground.version.attachment_call(item)
    for word in (f"#{item}", f"{ground.run}-DEVICE", f"{ground.run}-DEVICE#0042"):
        (found,) = _seen(ground, word).items
        details = found.seen.details
        assert (details.notes, details.link, details.tags) == ("Item notes", LINK, ("optics",))
        assert details.tests == (TestResult("Power", passed=True, value="38 W"),)
        assert details.inside == (f"{ground.run} Fan",)
        assert (found.seen.untold, details.files, found.seen.has_more_files) == ((), (), False)
        part = found.part.seen
        assert part is not None
        assert (part.details.notes, part.details.link) == ("Part **notes**", LINK)
        assert set(part.details.tags) == {"wood", "two words"}
        assert part.details.parameters == (Parameter(f"{ground.run} Focus", "50 mm"),)
        assert (part.details.picture, part.has_minimum) == ("", True)
    ground.admin.post(url, {**fields, "link": LINK, "comment": "data"})
    assert _seen(ground, f"#{item}").items[0].seen.has_more_files


async def test_files_are_listed_read_and_stored_once_by_their_content(ground: Ground) -> None:
    inventory, mark = ground.inventory(), f"fed:{secrets.token_hex(10)}:1"
    part = ground.part("Camera", "CAMERA", trackable=True)
    item, known = ground.stock(part, 1, ground.drawer, "7"), Known(part, "7")
    url, fields = ground.version.attachment_call(item)
    for name, content in (("how to (1).pdf", PDF), ("drawing.svg", b"<svg/>")):
        ground.admin.upload(url, {**fields, "comment": "x"}, (name, content, "application/pdf"))
    ground.admin.upload(url, {**fields, "comment": f"{mark}:photo-1 Kim"}, ("a.png", PHOTO, "image/png"))
    size = len(PDF) if ground.version.api >= 207 else 0
    file, drawing = _seen(ground, f"#{item}").items[0].seen.details.files
    assert (file, drawing.name) == (FileTold("how_to_1.pdf", size), "drawing.svg")
    digest = hashlib.sha256(PDF).hexdigest()
    keep = KeepFile(
        f"{mark}:file-{digest[:16]}", "stockitem", item, "how_to.pdf", {}, 999, digest, "from <a>", "", known
    )
    assert await inventory.probe(keep) is None
    assert await inventory.attach(keep, PDF) == await inventory.probe(keep) == FileKept()
    again = replace(keep, mark=f"fed:another:2:file-{digest[:16]}")
    assert await inventory.probe(again) == FileKept()
    with pytest.raises(Refusal, match="doesn't match its description"):
        await inventory.attach(replace(keep, name="how_to.txt"), PDF)
    send = SendFile(f"{mark}:send-1", "stockitem", item, "how_to_1.pdf", 999)
    if ground.network is None:  # without a web server in front, InvenTree serves no files
        with pytest.raises(Refusal, match="web server"):
            await inventory.read_file(send)
        return
    assert await inventory.read_file(send) == PDF
    for refused in (replace(send, longest=10), replace(send, name="drawing.svg"), replace(send, name="gone.pdf")):
        with pytest.raises(Refusal):
            await inventory.read_file(refused)


async def test_our_part_without_an_image_gets_one(ground: Ground) -> None:
    inventory, mark = ground.inventory(), f"fed:{secrets.token_hex(10)}:1"
    link = f"https://matrix.to/#/!r:x.example/$e?{mark}:part"
    made = await inventory.act(CreatePart(f"{mark}:part", PartDescription(f"{ground.run} Pictured", "PICT"), link))
    assert isinstance(made, PartCreated)
    digest = hashlib.sha256(PHOTO).hexdigest()
    keep = KeepFile(f"{mark}:file-x", "part", made.part, f"look at {ground.run}.png", {}, 999, digest, link=link)
    assert await inventory.probe(keep) is None
    with pytest.raises(Refusal, match="valid image"):
        await inventory.attach(replace(keep, name="x.txt", digest=hashlib.sha256(b"hi").hexdigest()), b"hi")
    assert await inventory.attach(keep, PHOTO) == await inventory.probe(keep) == FileKept()
    seen = ground.admin.row(f"part/{made.part}/")
    assert seen["image"] == f"/media/part_images/look_at_{ground.run}.png"
    assert await inventory.probe(replace(keep, link="https://another.example/")) == FileKept(), "it isn't ours"
    with pytest.raises(NotPermitted):
        ground.reader.upload(f"part/{made.part}/", {}, ("x.png", PHOTO, "image/png"), field="image", method="PATCH")


def test_items_without_serial_numbers_say_whether_they_have_files(ground: Ground) -> None:
    with_file, without = (ground.stock(ground.bolt, 5, ground.drawer) for _ in range(2))
    url, fields = ground.version.attachment_call(with_file)
    ground.admin.post(url, {**fields, "link": "https://x.example/data.pdf", "comment": "a certificate"})
    for item, has_files in ((with_file, True), (without, False)):
        (found,) = _seen(ground, f"#{item}").items
        assert (Trait.FILES in found.seen.untold) is has_files


async def test_a_new_part_and_its_item_get_the_fields_that_travelled(ground: Ground) -> None:
    inventory = ground.inventory()
    mark = f"fed:{secrets.token_hex(10)}:1:"
    _template(ground, f"{ground.run} Width")
    _template(ground, f"{ground.run} Choice")
    details = PartDetails(
        "Dry storage.",
        LINK,
        ("wood", "two words"),
        (Parameter(f"{ground.run} width", "4 mm"), Parameter("Glue that nobody knows", "D3")),
    )
    told = PartDescription(f"{ground.run} Plywood", f"{ground.run}-PLY", details=details)
    link = f"https://matrix.to/#/!r:x.example/$e?{mark}in"
    made = await inventory.act(CreatePart(f"{mark}part", told, link))
    assert isinstance(made, PartCreated)
    furnish = Furnish(f"{mark}with", "part", made.part, details.tags, (), details, link)
    for _ in range(2):  # it may be done twice
        assert await inventory.act(furnish) == Furnished()
    part = ground.admin.row(f"part/{made.part}/", tags="true", parameters="true")
    assert part["notes"].split("\n\n") == ["Dry storage.", f"Link: {LINK}", "Glue that nobody knows: D3"]
    assert set(part["tags"]) == {"wood", "two words"}
    url, fields = ground.version.parameters_call(made.part)
    assert [row["data"] for row in ground.admin.rows(url, **fields)] == ["4 mm"]
    step = CreateItem(f"{mark}in", made.part, Decimal(2), link, notes="From a\n**b**\nLink: x")
    item = await inventory.act(step)
    assert isinstance(item, ItemCreated)
    assert ground.item(item.item)["notes"].split("\n\n") == ["From a", "**b**", "Link: x"]
    for _ in range(2):
        await inventory.act(Furnish(f"{mark}with", "stockitem", item.item, ("optics", "a,b<c>"), ("**b**", "more")))
    row = ground.admin.row(f"stock/{item.item}/", tags="true")
    assert set(row["tags"]) == {"optics", "a b‹c›"}
    assert row["notes"].split("\n\n") == ["From a", "**b**", "Link: x", "more"]


async def test_a_part_that_a_person_created_gets_no_fields(ground: Ground) -> None:
    furnish = Furnish("fed:x:1:with", "part", ground.bolt, ("t",), (), PartDetails("notes"), "https://x.example/fed")
    assert await ground.inventory().act(furnish) == Furnished()
    row = ground.admin.row(f"part/{ground.bolt}/", tags="true")
    assert not row["notes"]
    assert not row["tags"]


@pytest.mark.api(since=200)
def test_a_locked_part_can_still_move(ground: Ground) -> None:
    item = ground.stock(ground.bolt, 5, ground.drawer)
    ground.admin.patch(f"part/{ground.bolt}/", {"locked": True})
    try:
        ground.transfer(item, 2, ground.outgoing, "fed:x:1:out x", status=50)
        ground.assign(ground.child_of(item), "fed:x:1:hand x")
        ground.stock(ground.bolt, 1, ground.incoming)
        url, fields = ground.version.parameters_call(ground.bolt)
        parameter = {**fields, "template": _template(ground, f"{ground.run} Lock"), "data": "1"}
        with pytest.raises(Refusal):
            ground.admin.post(url, parameter)
    finally:
        ground.admin.patch(f"part/{ground.bolt}/", {"locked": False})
