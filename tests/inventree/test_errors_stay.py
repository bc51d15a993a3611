"""Only the Inventory port's problems leave the InvenTree edge, whatever httpx, requests, ssl or Python raises."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, NoReturn

import httpx
import pint
import pytest
import requests

from fedbot.ports.inventory import InventoryProblem
from fedbot.rules.model.queries import FindItems, Overview, OwnTokens, PersonPermissions, StockFigures
from fedbot.rules.model.steps import AttachPhoto, TakeOut, TryToken
from tests.inventree.space import Space

FOREIGN = [
    httpx.InvalidURL("secret"),
    httpx.StreamError("secret"),
    httpx.DecodingError("secret"),
    httpx.CookieConflict("secret"),
    requests.ConnectionError("secret"),
    ssl.SSLError("secret"),
    pint.UndefinedUnitError("secret"),
    UnicodeError("secret"),
    RuntimeError("secret"),
    KeyError("secret"),
    RecursionError("secret"),
]
TAKE_OUT = TakeOut("fed:t:1:out", "on its way", 42, 7, Decimal(1))
PHOTO = AttachPhoto("fed:t:1:photo", "Anna", 42, {"url": "mxc://x/1"})
CALLS: list[Callable[[Space], Awaitable[Any]]] = [
    lambda space: space.inventory.answer(Overview()),
    lambda space: space.inventory.answer(OwnTokens()),
    lambda space: space.inventory.answer(PersonPermissions("anna")),
    lambda space: space.inventory.answer(StockFigures()),
    lambda space: space.inventory.answer(FindItems("M3-BOLT")),
    lambda space: space.inventory.probe(TAKE_OUT),
    lambda space: space.inventory.act(TAKE_OUT),
    lambda space: space.inventory.attach(PHOTO, b"\x89PNG"),
    lambda space: space.inventory.tend(),
    lambda space: space.inventory.act(TryToken("fed:c:0:trial", "got-from/beta/1", "https://beta.example")),
]


@pytest.mark.parametrize("error", FOREIGN, ids=lambda error: f"{type(error).__module__}.{type(error).__name__}")
async def test_no_method_of_the_inventory_lets_it_out(alpha: Space, error: Exception) -> None:
    class Broken(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> NoReturn:
            raise error

    alpha.wire.network = Broken()
    alpha.peers["https://beta.example"] = Broken()
    alpha.vault.keep("got-from/beta/1", "inv-0123456789abcdef")
    for call in CALLS:
        with pytest.raises(InventoryProblem) as left:
            await call(alpha)
        assert "secret" not in left.value.text
