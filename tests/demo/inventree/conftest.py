from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import httpx
import pytest

from fedbot_demo.inventree.seeding import Seeded
from fedbot_demo.inventree.seeds import seed
from fedbot_demo.inventree.transport import SimulatedTransport

#: The content of a body; tests access it without checking its type.
Json: TypeAlias = Any


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **interval: float) -> None:
        self.now += timedelta(**interval)


class Space:
    """The recorded server, accessed with its accounts."""

    def __init__(self, which: str) -> None:
        self.clock = Clock()
        self.seeded: Seeded = seed(which, clock=self.clock)
        self.transport = SimulatedTransport(self.seeded.server)

    def anonymous(self) -> httpx.Client:
        return httpx.Client(transport=self.transport, base_url="http://inventree.test/api/")

    def as_(self, username: str) -> httpx.Client:
        client = self.anonymous()
        client.headers["Authorization"] = f"Token {self.seeded.token(username)}"
        return client

    def get(self, path: str, **query: Json) -> Json:
        """A successful read as the admin."""
        response = self.as_("admin").get(path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, **content: Json) -> Json:
        """A successful write as the admin."""
        response = self.as_("admin").post(path, json=content)
        assert response.status_code in {200, 201}, response.text
        return response.json()

    def refused(self, path: str, **content: Json) -> Json:
        """The error of a write by the admin that is refused with 400."""
        response = self.as_("admin").post(path, json=content)
        assert response.status_code == 400, response.text
        return response.json()

    def patch(self, path: str, **content: Json) -> Json:
        response = self.as_("admin").patch(path, json=content)
        assert response.status_code == 200, response.text
        return response.json()

    def item(self, pk: int) -> Json:
        return self.get(f"stock/{pk}/")

    def history(self, pk: int) -> list[Json]:
        """An item's history, newest first."""
        entries: list[Json] = self.get("stock/track/", item=pk)
        return entries

    def kinds(self, pk: int) -> list[int]:
        return [entry["tracking_type"] for entry in self.history(pk)]

    def split(self, pk: int, quantity: float, location: int = 4, **more: Json) -> int:
        """Move a part of an item; return its number from the history of its source, the only place that has it."""
        line = {"pk": pk, "quantity": quantity} | more.pop("line", {})
        self.post("stock/transfer/", items=[line], location=location, **more)
        entry = self.history(pk)[0]
        assert entry["tracking_type"] == 42
        return int(entry["deltas"]["stockitem"])


@pytest.fixture
def space() -> Space:
    return Space("recorded")


@pytest.fixture
def alpha() -> Space:
    return Space("alpha")
