"""One makerspace's simulated InvenTree with our edge on it, and methods to read it without the edge."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from fedbot.inventree.client.server import InventorySettings
from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot.inventree.inventory import OwnInventory
from fedbot_demo.inventree.costs import Costs
from fedbot_demo.inventree.faults import Fault, FaultKind
from fedbot_demo.inventree.seeding import Seeded
from fedbot_demo.inventree.transport import SimulatedTransport
from tests.fakes.vault import FakeVault

BEGINNING = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@dataclass
class FaultyTransport(httpx.BaseTransport):
    """Passes requests on; somebody else changes the server just before a matching one."""

    network: httpx.BaseTransport
    plans: list[tuple[str, str, Callable[[], object]]] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for plan in list(self.plans):
            method, path, change = plan
            if request.method == method and re.search(path, request.url.path):
                self.plans.remove(plan)
                change()
        return self.network.handle_request(request)


class Space:
    """`inventory` is under test; `admin` acts like a person, uncounted and without faults."""

    def __init__(
        self,
        seeded: Seeded,
        superuser: str,
        url: str,
        destination: str = "",
        category: str = "",
        *,
        costs: Costs | None = None,
        index: Path | None = None,
    ) -> None:
        self.seeded = seeded
        self.costs = costs or Costs()
        self.index = index
        self.network = SimulatedTransport(seeded.server, costs=costs)
        self.wire = FaultyTransport(self.network)
        self.peers: dict[str, httpx.BaseTransport] = {}
        self.vault = FakeVault()
        self.url = url
        self.settings = InventorySettings(
            url=url,
            token=SecretStr(seeded.token("fedbot")),
            admin_token=SecretStr(seeded.token(superuser)),
            approvers_group="fedbot approvers",
            destination=destination,
            new_parts=True,
            new_part_category=category,
        )
        self.admin = InvenTreeTransport(url, seeded.token(superuser), transport=SimulatedTransport(seeded.server))
        self.inventory = self.edge()

    def edge(self, **changed: object) -> OwnInventory:
        """Another edge on the same server, as after a restart, optionally with other settings."""
        return OwnInventory(
            replace(self.settings, **changed),  # type: ignore[arg-type]  # any of its fields
            self.vault,
            network=lambda address: self.peers.get(address, self.wire),
            pause=lambda _: None,
            index=self.index,
            now=self.now,
            measure=lambda: self.costs.now,
        )

    def now(self) -> datetime:
        """The time by which the edge refreshes its stock: that of a server whose costs are counted."""
        return BEGINNING + timedelta(seconds=self.costs.now)

    def fails(
        self, kind: FaultKind, path: str, method: str = "POST", *, times: int | None = 1, status: int = 500
    ) -> None:
        """Make the edge's next such calls fail like this."""
        self.network.faults.add(Fault(kind, method, path, times=times, status=status))

    def meanwhile(self, path: str, change: Callable[[], object], method: str = "POST") -> None:
        """Let a person do this just before the edge's next such call."""
        self.wire.plans.append((method, path, change))

    def stock(self, pk: int) -> dict[str, Any]:
        """A stock item as InvenTree has it."""
        return self.admin.row(f"stock/{pk}/")

    def history(self, pk: int) -> list[dict[str, Any]]:
        """A stock item's history, newest first."""
        return self.admin.rows("stock/track/", item=pk)

    def item(self, ipn: str, **filters: object) -> dict[str, Any]:
        """The oldest stock item of the part with this IPN."""
        part = self.admin.rows("part/", IPN=ipn)[0]
        return min(self.admin.rows("stock/", part=part["pk"], **filters), key=lambda row: int(row["pk"]))

    def place(self, path: str) -> int:
        """The key of a location."""
        found = next(row for row in self.admin.rows("stock/location/") if row["pathstring"] == path)
        return int(found["pk"])

    def company(self, name: str = "Betaspace (peer)", **fields: object) -> int:
        """A new customer company."""
        content = {"name": name, "is_customer": True, "is_supplier": False, **fields}
        return int(self.admin.post("company/", content)["pk"])
