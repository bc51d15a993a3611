"""Servers between the recorded versions: each of our queries and steps on both sides of each gate.

`OF_THE_SERVER` are changes of InvenTree in calls of ours that need no gate in the bot.
"""

from __future__ import annotations

import secrets

import pytest

from fedbot.inventree.client.versions import GATES
from fedbot.inventree.inventory import OwnInventory
from fedbot.rules.model.queries import Query
from fedbot_demo.inventree.versions import RECORDED, Version
from tests.contract.ground import simulated
from tests.contract.test_least_roles import acted, work
from tests.fakes.vault import FakeVault

OF_THE_SERVER = {
    383: "creating stock answers a list",
    434: "another filter for tags",
    470: "texts are parsed as HTML",
    492: "transfer orders, and their role",
    512: "a move may merge",
    521: "another filter for the children of an item",
}
NUMBERS = {*(gate.api for gate in GATES.values()), *OF_THE_SERVER}
SIDES = sorted({side for api in NUMBERS for side in (api - 1, api)} - set(RECORDED.values()))


@pytest.mark.parametrize("api", SIDES)
async def test_all_queries_and_steps_work_on_both_sides_of_each_gate(api: int) -> None:
    ground = simulated(Version(api))
    inventory = OwnInventory(ground.settings(superuser=False), FakeVault(), network=lambda _: ground.network)
    for asked in work(ground, f"fed:{secrets.token_hex(10)}:1").values():
        if isinstance(asked, Query):
            await inventory.answer(asked)
            continue
        assert await inventory.probe(asked) is None
        done = await acted(inventory, asked)
        assert await inventory.probe(asked) == done
    inventory.close()
