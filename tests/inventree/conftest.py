from __future__ import annotations

from typing import NoReturn

import pytest
import requests

from fedbot_demo.inventree import seeds
from tests.inventree.space import Space

ALPHA_URL = "https://inventory.attraktor.example"
BETA_URL = "https://inventree.betaspace.example"


@pytest.fixture
def alpha() -> Space:
    return Space(seeds.alpha(), "anna", ALPHA_URL, category="Tools")


@pytest.fixture
def fake() -> Space:
    """Another alpha, to show the undisturbed outcome."""
    return Space(seeds.alpha(), "anna", ALPHA_URL, category="Tools")


@pytest.fixture
def beta() -> Space:
    return Space(seeds.beta(), "bea", BETA_URL, destination="Store", category="Machines")


@pytest.fixture(autouse=True)
def _no_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if the official package calls `requests`, as it does in places."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("something used requests")

    monkeypatch.setattr(requests.Session, "request", refuse)
    monkeypatch.setattr(requests.Session, "send", refuse)
    for name in ("request", "get", "post", "put", "patch", "delete", "head", "options"):
        monkeypatch.setattr(requests, name, refuse)
