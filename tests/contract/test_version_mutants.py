"""Broken variants of the bot's versions module. A step on a server of some version catches each of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fedbot.inventree.client.versions import Version as Known
from fedbot.ports.inventory import InventoryProblem
from fedbot.rules.model.steps import CreateItem, Step
from fedbot_demo.inventree.versions import RECORDED, Version
from tests.contract.ground import Ground, simulated
from tests.contract.test_least_roles import acted, work

#: The mutant: what is broken and how, the version on which it shows, and the step that fails.
MUTANTS: dict[str, tuple[str, Callable[..., Any], str, str]] = {
    "metadata at the old address": (
        "metadata_url",
        lambda _, model, pk: f"stock/{pk}/metadata/",
        "newest",
        "mirror into an item",
    ),
    "metadata at the new address": (
        "metadata_url",
        lambda _, model, pk: f"metadata/{model}/{pk}/",
        "1.0",
        "mirror into a company",
    ),
    "returns one by one": (
        "return_call",
        lambda _, item, *rest: Known(293).return_call(item, *rest),
        "newest",
        "take back",
    ),
    "returns several": (
        "return_call",
        lambda _, item, *rest: Known(530).return_call(item, *rest),
        "0.17",
        "book in again",
    ),
    "attachments by model": (
        "attachment_call",
        lambda _, item: Known(160).attachment_call(item),
        "0.17",
        "attach a photo",
    ),
    "attachments of any model": (
        "attachment_call",
        lambda _, item: Known(530).attachment_call(item),
        "0.13",
        "attach a photo",
    ),
    "a new row is no list": ("created", lambda _, reply: {"pk": reply["pk"]}, "newest", "create an item"),
    "a new row is a list": ("created", lambda _, reply: reply[0], "0.13", "create an item"),
    "a serial number in the old field": (
        "serial_field",
        lambda _, serial: {"serial": serial},
        "1.0",
        "with a serial number",
    ),
    "companies that are active": ("closed_company", lambda _: {"active": False}, "0.13", "close a company"),
    "all that is told is in stock": ("in_stock", lambda _, row: bool(row["in_stock"]), "0.13", "take out"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
async def test_a_broken_variant_of_the_versions_fails_a_step(monkeypatch: pytest.MonkeyPatch, mutant: str) -> None:
    name, broken, version, what = MUTANTS[mutant]
    for spoiled in (False, True):
        ground = simulated(Version(RECORDED[version]))
        step = step_on(ground, what)
        if spoiled:
            monkeypatch.setattr(Known, name, broken)
        assert await is_spoiled(ground, step) is spoiled


def step_on(ground: Ground, what: str) -> Step:
    asked = work(ground, f"fed:{secrets.token_hex(10)}:1")
    if what != "with a serial number":
        step = asked[what]
        assert isinstance(step, Step)
        return step
    made = asked["create an item"]
    assert isinstance(made, CreateItem)
    return replace(made, part=ground.lens, quantity=Decimal(1), serial=secrets.token_hex(4))


async def is_spoiled(ground: Ground, step: Step) -> bool:
    """Whether the step isn't done properly."""
    inventory = ground.inventory(superuser=False)
    try:
        await inventory.probe(step)
        done = await acted(inventory, step)
        return await inventory.probe(step) != done
    except InventoryProblem:
        return True
    finally:
        inventory.close()
