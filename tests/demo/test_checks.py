"""The demo's summary passes only if both inventories hold what they should: differences are found."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import httpx
import pytest

from fedbot_demo.checks import Check, Handover, check_access, check_receiver, check_sender
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.server import Serving, serve
from fedbot_demo.inventree.versions import NEWEST, Version
from fedbot_demo.stage import ATTRAKTOR, BETASPACE, Cast, Space
from fedbot_demo.stocktake import Stocktake

HANDOVER = Handover("RES-10K", Decimal(50), "Piet", "Cem", "k7m2k7m2", "$card")


@dataclass
class JustInvenTree:
    """A space as far as the checks use it."""

    cast: Cast
    url: str
    token: str
    version: Version = NEWEST

    @property
    def name(self) -> str:
        return self.cast.name

    @property
    def party(self) -> str:
        return self.cast.party

    def stocktake(self) -> Stocktake:
        return Stocktake(self.url, self.token)

    async def post(self, path: str, content: dict[str, object]) -> None:
        """A person's change by hand."""
        headers = {"Authorization": f"Token {self.token}"}
        async with httpx.AsyncClient(base_url=f"{self.url}/api/", headers=headers, trust_env=False) as client:
            (await client.post(path, json=content)).raise_for_status()


@pytest.fixture
async def attraktor() -> AsyncIterator[JustInvenTree]:
    seeded = seeds.alpha()
    async with serve(Serving(seeded.server)) as serving:
        yield JustInvenTree(ATTRAKTOR, serving.url, seeded.token("admin"))


@pytest.fixture
async def betaspace() -> AsyncIterator[JustInvenTree]:
    seeded = seeds.beta()
    async with serve(Serving(seeded.server)) as serving:
        yield JustInvenTree(BETASPACE, serving.url, seeded.token("admin"))


def space(double: JustInvenTree) -> Space:
    return cast("Space", double)


def good(checks: list[Check]) -> list[str]:
    return [check.what for check in checks if check.good]


async def test_without_a_movement_every_check_but_that_on_the_rest_differs(
    attraktor: JustInvenTree, betaspace: JustInvenTree
) -> None:
    async with attraktor.stocktake() as alpha, betaspace.stocktake() as beta:
        before = await alpha.items(), await beta.items()
    sender = await check_sender(space(attraktor), space(betaspace), HANDOVER, before[0])
    receiver = await check_receiver(space(betaspace), space(attraktor), HANDOVER, before[1])
    access = await check_access(space(attraktor), space(betaspace))
    assert good(sender) == ["Attraktor: the other 19 items are as they were"]
    assert good(receiver) == ["Betaspace: the other 14 items are as they were"]
    assert good(access) == []
    assert sender[0].found == "500"


async def test_a_wrong_amount_is_found(attraktor: JustInvenTree, betaspace: JustInvenTree) -> None:
    async with attraktor.stocktake() as stocktake:
        before = await stocktake.items()
    (reel,) = [item for item in before if item.ipn == HANDOVER.ipn]
    await attraktor.post("stock/remove/", {"items": [{"pk": reel.pk, "quantity": "49"}]})
    amount = (await check_sender(space(attraktor), space(betaspace), HANDOVER, before))[0]
    assert (amount.good, amount.found) == (False, "451")
    await attraktor.post("stock/remove/", {"items": [{"pk": reel.pk, "quantity": "1"}]})
    amount, given, *_ = await check_sender(space(attraktor), space(betaspace), HANDOVER, before)
    assert amount.good
    assert not given.good, "gone, but nobody has got it"


async def test_any_other_change_is_found(attraktor: JustInvenTree, betaspace: JustInvenTree) -> None:
    async with attraktor.stocktake() as stocktake:
        before = await stocktake.items()
    await attraktor.post("stock/add/", {"items": [{"pk": 41, "quantity": "1"}, {"pk": 2, "quantity": "5"}]})
    rest = (await check_sender(space(attraktor), space(betaspace), HANDOVER, before))[-1]
    assert not rest.good
    assert rest.found == "changed: [2]", "41 has a serial number: InvenTree adds nothing"
