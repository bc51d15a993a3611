"""Remove the bot's roles one by one, and compare the refusals and their texts with the docs."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from fedbot.inventree.client.rows import address
from fedbot.inventree.inventory import OwnInventory
from fedbot.ports.inventory import NotPermitted
from fedbot.rules.model.queries import (
    FindItems,
    InventoryStanding,
    MatchPart,
    Overview,
    Query,
    Scope,
    SearchStock,
    StockFigures,
)
from fedbot.rules.model.steps import (
    Arrived,
    AttachPhoto,
    BookInAgain,
    CloseCompany,
    CreateItem,
    CreatePart,
    HandOver,
    KeepFile,
    Known,
    Label,
    LoanLabel,
    MakeCompany,
    MarkAsHere,
    MergeBack,
    Mirror,
    PutAway,
    PutBack,
    Remark,
    Step,
    StepResult,
    TakeBack,
    TakeOut,
    WriteOff,
)
from fedbot.rules.model.stock import STATUS_DAMAGED as DAMAGED
from fedbot.rules.model.stock import PartDescription
from fedbot.setup.plan import ROLES
from tests.contract.ground import SERVICE_ROLES, Ground
from tests.fakes.vault import FakeVault

DOCS = Path(__file__).parents[2] / "docs"
OK = 10
PHOTO = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
"""A picture of one pixel; InvenTree accepts only real pictures as images."""
LADDER = ("view", "change", "add")
Roles = Mapping[str, tuple[str, ...]]


def work(ground: Ground, mark: str) -> dict[str, Query | Step]:
    """One of each query and step of the everyday token, each on prepared items of its own."""

    def lying(place: int = ground.drawer) -> int:
        return ground.stock(ground.bolt, 5, place)

    def out(item: int) -> int:
        line = {"pk": item, "quantity": 5}
        content = {"items": [line], "location": ground.outgoing, "notes": f"{mark}:out x"}
        ground.admin.post("stock/transfer/", content)
        return item

    def given(item: int) -> int:
        content = {"items": [{"item": out(item)}], "customer": ground.customer, "notes": f"{mark}:over x"}
        ground.admin.post("stock/assign/", content)
        return item

    def apart() -> MergeBack:
        source, line = ground.stock(ground.bolt, 10, ground.drawer), f"{mark}2"
        ground.transfer(source, 5, ground.outgoing, f"{line}:out x")
        item = ground.child_of(source)
        ground.transfer(item, 5, ground.drawer, f"{line}:putback x")
        return MergeBack(f"{line}:merge", "x", item, source, ground.bolt, five)

    serial = secrets.token_hex(4)
    came = given(ground.stock(ground.lens, 1, ground.drawer, serial=serial))
    five, known, link = Decimal(5), Known(ground.bolt), f"https://matrix.to/#/!a:example.org/$card?{mark}"
    sent = Known(ground.bolt, mark=mark)
    lens = Known(ground.lens, serial, mark=mark)
    bolt, new = f"{ground.run}-BOLT", PartDescription(f"{ground.run} {mark}", mark)
    again = BookInAgain(f"{mark}:in", "x", came, ground.lens, serial, ground.customer, OK, lens)
    made = ground.part(f"Pictured {secrets.token_hex(4)}", secrets.token_hex(4), link=address(f"{link}:part"))
    digest = hashlib.sha256(PHOTO).hexdigest()
    return {
        "find": FindItems(f"#{lying()}"),
        "match": MatchPart("alpha", PartDescription(f"{ground.run} Bolt", bolt)),
        "search": SearchStock(bolt, Scope(categories=(ground.category,))),
        "figures": StockFigures(),
        "take out": TakeOut(f"{mark}:out", "x", lying(), ground.bolt, five),
        "hand over": HandOver(f"{mark}:over", "x", out(lying()), five, ground.customer, sent),
        "arrived": Arrived(f"{mark}:arrived", "x", given(lying()), DAMAGED, sent),
        "put back": PutBack(f"{mark}:putback", "x", out(lying()), five, ground.drawer, OK, sent),
        "take back": TakeBack(f"{mark}:back", "x", given(lying()), five, ground.drawer, OK, ground.customer, sent),
        "merge back": apart(),
        "remark": Remark(f"{mark}:gift", "x", given(lying()), sent),
        "write off": WriteOff(f"{mark}:off", "x", lying(), five, known),
        "create an item": CreateItem(f"{mark}:in", ground.bolt, five, f"{link}:in"),
        "book in again": again,
        "mark as here": MarkAsHere(f"{mark}:here", "x", lying(), ground.bolt, five),
        "put away": PutAway(f"{mark}:away", "x", lying(ground.incoming), five, ground.shelf, known),
        "label": Label(f"{mark}:label", lying(), LoanLabel.LENT, "B", "gp75", date(2099, 1, 1), known),
        "attach a photo": AttachPhoto(f"{mark}:photo", "x", lying(), {}, known),
        "keep a file": KeepFile(f"{mark}:file-1", "stockitem", lying(), "x.png", {}, len(PHOTO), digest, known=known),
        "give a part its picture": KeepFile(
            f"{mark}:picture", "part", made, "x.png", {}, 1, digest, link=f"{link}:part"
        ),
        "mirror into an item": Mirror(f"{mark}:mirror", "stockitem", lying(), '{"a": 1}'),
        "mirror into a company": Mirror(f"{mark}:mirror", "company", ground.customer, json.dumps({"a": mark})),
        "make a company": MakeCompany(mark, link, f"{ground.run} {mark}", "a friend"),
        "close a company": CloseCompany(f"{mark}:close", ground.company(f"closing {mark}")),
        "create a part": CreatePart(f"{mark}:part", new, f"{link}:part"),
        "mirror into a part": Mirror(f"{mark}:mirror", "part", ground.bolt, json.dumps({"a": mark})),
    }


async def refusals(ground: Ground, roles: Roles, name: str) -> dict[str, str]:
    """The refusals that a bot with these roles gets, with their texts; 'overview' holds the complaints at its start."""
    settings = replace(ground.settings(superuser=False), token=SecretStr(ground.account(name, roles)))
    inventory = OwnInventory(settings, FakeVault(), network=lambda _: ground.network)
    refused = {}
    for what, asked in work(ground, f"fed:{secrets.token_hex(10)}:1").items():
        try:
            await does(inventory, asked)
        except NotPermitted as problem:
            refused[what] = problem.text
    try:
        standing = await inventory.answer(Overview())
        assert isinstance(standing, InventoryStanding)
        refused["overview"] = " ".join(standing.complaints)
    except NotPermitted as problem:
        refused["overview"] = problem.text
    inventory.close()
    return refused


async def does(inventory: OwnInventory, asked: Query | Step) -> None:
    """Answer a query, or probe and then do a step, as the runner does."""
    if isinstance(asked, Query):
        await inventory.answer(asked)
        return
    assert await inventory.probe(asked) is None
    await acted(inventory, asked)


async def acted(inventory: OwnInventory, step: Step) -> StepResult:
    """Do the step, with the picture if it takes one."""
    return await (inventory.attach(step, PHOTO) if isinstance(step, AttachPhoto | KeepFile) else inventory.act(step))


def told(api: int) -> dict[str, set[str]]:
    """The refusals for each missing permission on a server of this API number, from docs/design/inventree.md."""
    page = (DOCS / "design" / "inventree.md").read_text(encoding="utf-8")
    table = page.partition("| without | is refused |")[2].partition("\n\n")[0]
    return {
        permission: {what for each in cell.split(", ") for what in _of_version(each, api)}
        for permission, cell in re.findall(r"^\| \*(.+?)\* \| (.+?) \|$", table, re.MULTILINE)
    }


def _of_version(cell: str, api: int) -> list[str]:
    """Split `find (from 436)` and the like; keep the words about this version."""
    found = re.fullmatch(r"(.+?)(?: \((from|below) (\d+)\))?", cell)
    assert found is not None
    what, side, number = found.groups()
    about = side is None or (api >= int(number) if side == "from" else api < int(number))
    return [what] if about else []


def asked_for() -> tuple[dict[str, str], dict[str, str]]:
    """The roles that docs/install-by-hand.md lists, and those for a bot that may create parts."""
    page = (DOCS / "install-by-hand.md").read_text(encoding="utf-8")
    step = page.partition("exactly these\n   roles:")[2].partition("\n2. ")[0]
    always, _, creating = step.partition("Give *part")
    creating = f"*part{creating}"
    roles = [
        {role.replace(" ", "_"): action for role, action in re.findall(r"\*([a-z ]+): (\w+)\*", words)}
        for words in (always, creating)
    ]
    return roles[0], roles[0] | roles[1]


def with_all(roles: Mapping[str, str]) -> Roles:
    """The roles with the permissions that they include: add includes change, change includes view."""
    return {role: LADDER[: LADDER.index(action) + 1] for role, action in roles.items()}


async def test_with_the_roles_in_the_docs_only_the_creation_of_parts_is_refused(ground: Ground) -> None:
    always, creating = asked_for()
    refused = await refusals(ground, with_all(always), "bot")
    table = told(ground.version.api)
    assert refused.keys() - {"overview"} == table["part: add"] | table["part: change"]
    assert await refusals(ground, with_all(creating), "bot-that-creates") == {"overview": ""}
    assert with_all(creating) == SERVICE_ROLES
    assert {role: LADDER[: max(map(LADDER.index, may)) + 1] for role, may in ROLES.items()} == SERVICE_ROLES


async def test_a_bot_that_creates_no_parts_asks_for_every_role_too(ground: Ground) -> None:
    always, _ = asked_for()
    less = {role: actions for role, actions in with_all(always).items() if role != "part_category"}
    token = SecretStr(ground.account("no-category", less))
    settings = replace(ground.settings(), token=token, new_part_category="")
    inventory = OwnInventory(settings, FakeVault(), network=lambda _: ground.network)
    standing = await inventory.answer(Overview())
    inventory.close()
    assert isinstance(standing, InventoryStanding)
    assert [words for words in standing.complaints if "the roles part_category: view" in words]


@pytest.mark.timeout(600)  # hundreds of calls: minutes on a real server that is busy
async def test_each_missing_role_refuses_what_the_docs_say_and_is_named(ground: Ground) -> None:
    expected = told(ground.version.api)
    assert set(expected) == {f"{role}: {action}" for role, actions in SERVICE_ROLES.items() for action in actions}
    for permission, whats in expected.items():
        role, _, action = permission.partition(": ")
        left = LADDER[: LADDER.index(action)]
        refused = await refusals(ground, {**SERVICE_ROLES, role: left}, f"no-{role}-{action}")
        assert refused.keys() - {"overview"} == whats, permission
        for what, words in refused.items():
            named = re.findall(rf"\b{role}: (\w+)", words)
            assert set(named) & (set(LADDER) - set(left)), f"without {permission}, {what} says: {words}"
