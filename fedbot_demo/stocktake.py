"""Reads the content of an InvenTree over its API as its admin, without fedbot's own code.

The demo's summary and the end-to-end tests compare inventories with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import httpx

from fedbot_demo.inventree.versions import NEWEST, Version

#: The longest time for one request, in seconds.
PATIENCE_S = 20.0


@dataclass(frozen=True)
class StockItem:
    """One stock row. Either `place` or `customer` says where it is; the other is empty."""

    pk: int
    part: str
    ipn: str
    quantity: Decimal
    serial: str
    place: str
    customer: str
    status: int
    link: str

    @property
    def in_stock(self) -> bool:
        """Whether it counts as stock of this makerspace."""
        return not self.customer


@dataclass(frozen=True)
class HistoryEntry:
    """One entry of a stock item's history. `kind` is InvenTree's tracking type (facts: 42 split off, 100 given…)."""

    kind: int
    label: str
    notes: str
    user: str


class Stocktake:
    """Reads one InvenTree of that version by its address and a superuser's token. Raises httpx's errors."""

    def __init__(self, url: str, token: str, version: Version = NEWEST) -> None:
        self._version = version
        self._http = httpx.AsyncClient(
            base_url=f"{url}/api/",
            headers={"Authorization": f"Token {token}"},
            timeout=PATIENCE_S,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        """Do nothing: the first request opens the connection."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def items(self, ipn: str = "", **filters: str | int) -> list[StockItem]:
        """The stock rows (of the part with that IPN), oldest first, including those with customers."""
        if ipn:
            parts = [part["pk"] for part in await self._rows("part/", IPN=ipn)]
            found = [row for part in parts for row in await self._stock(part=part, **filters)]
        else:
            found = await self._stock(**filters)
        companies = {row["pk"]: row["name"] for row in await self._rows("company/")}
        return sorted((_item(row, companies) for row in found), key=lambda item: item.pk)

    async def item(self, pk: int) -> StockItem:
        """One stock row."""
        return next(item for item in await self.items() if item.pk == pk)

    async def history(self, pk: int) -> list[HistoryEntry]:
        """The history of one stock item, oldest first."""
        rows = await self._rows("stock/track/", item=pk, user_detail="true")
        return [
            HistoryEntry(
                kind=row["tracking_type"],
                label=row.get("label") or "",
                notes=row.get("notes") or "",
                user=(row.get("user_detail") or {}).get("username", ""),
            )
            for row in sorted(rows, key=lambda row: row["pk"])
        ]

    async def notes(self, pk: int) -> str:
        """The notes of one stock item; InvenTree's lists leave them out."""
        return str((await self._get(f"stock/{pk}/")).get("notes") or "").strip()

    async def metadata(self, model: str, pk: int) -> dict[str, Any]:
        """The metadata of a `stockitem` or `company`."""
        place = {"stockitem": "stock", "company": "company"}[model]
        path = f"metadata/{model}/{pk}/" if self._version.metadata_apart else f"{place}/{pk}/metadata/"
        content: dict[str, Any] = (await self._get(path))["metadata"] or {}
        return content

    async def attached(self, pk: int) -> list[str]:
        """The comment of each file attached to a stock item."""
        rows = await self._rows("attachment/", model_type="stockitem", model_id=pk)
        return [row["comment"] for row in rows]

    async def companies(self) -> list[dict[str, Any]]:
        """All companies, as InvenTree lists them."""
        return await self._rows("company/")

    async def users(self) -> list[dict[str, Any]]:
        """All accounts."""
        return await self._rows("user/")

    async def roles(self, group: int) -> dict[str, str]:
        """The permissions of a group: role to actions ('view add'), without the roles that have none."""
        permissions = ("view", "add", "change", "delete")
        rows = await self._rows("user/ruleset/", group=group)
        found = {
            row["name"]: " ".join(permission for permission in permissions if row[f"can_{permission}"]) for row in rows
        }
        return {role: actions for role, actions in found.items() if actions}

    async def tokens(self) -> list[dict[str, Any]]:
        """All accounts' tokens; InvenTree hides their values."""
        return await self._rows("user/tokens/", all_users="true")

    async def _stock(self, **filters: str | int) -> list[dict[str, Any]]:
        return await self._rows("stock/", part_detail="true", location_detail="true", **filters)

    async def _rows(self, path: str, **filters: str | int) -> list[dict[str, Any]]:
        answer = await self._http.get(path, params=filters)
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()
        return rows

    async def _get(self, path: str) -> dict[str, Any]:
        answer = await self._http.get(path)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content


def _item(row: dict[str, Any], companies: dict[int, str]) -> StockItem:
    part = row.get("part_detail") or {}
    place = row.get("location_detail") or {}
    customer = row.get("customer")
    return StockItem(
        pk=row["pk"],
        part=part.get("name") or "",
        ipn=part.get("IPN") or "",
        # InvenTree writes quantities as JSON floats; with 5 decimals their shortest text is exact
        quantity=Decimal(str(row["quantity"])),
        serial=row.get("serial") or "",
        place=place.get("pathstring") or place.get("name") or "",
        customer=companies.get(customer, f"company {customer}") if customer else "",
        status=row["status"],
        link=row.get("link") or "",
    )
