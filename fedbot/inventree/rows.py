"""InvenTree's JSON rows as the rules' records, and numbers as both sides write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from fedbot.federation.questions import QUANTITY_PLACES
from fedbot.federation.stock import Part, Provenance, StockItem
from fedbot.inventree.versions import Version

Row = Mapping[str, Any]


def amount(value: object) -> Decimal:
    """A quantity out of InvenTree's JSON: a float, or a string after an adjustment; at most five places.

    InvenTree holds at most 15 digits, which a float keeps exactly.
    """
    return Decimal(str(value or 0)).quantize(QUANTITY_PLACES).normalize() + 0


def written(quantity: Decimal) -> str:
    """A quantity as it is sent: a plain decimal string."""
    return f"{quantity:f}"


def part_of(row: Row, categories: tuple[int, ...] = ()) -> Part:
    """A part, from `part/` or from the `part_detail` of a stock item (which has no keywords and category)."""
    return Part(
        pk=int(row["pk"]),
        name=_text(row, "name"),
        ipn=_text(row, "IPN"),
        description=_text(row, "description"),
        keywords=_text(row, "keywords"),
        units=_text(row, "units"),
        revision=_text(row, "revision"),
        category=_text(row, "category_name"),
        active=bool(row.get("active", True)),
        salable=bool(row.get("salable", True)),
        virtual=bool(row.get("virtual", False)),
        trackable=bool(row.get("trackable", False)),
        categories=categories,
    )


def item_of(
    row: Row,
    version: Version,
    *,
    part: Part | None = None,
    provenance: Provenance | None = None,
    metadata: str = "",
) -> StockItem:
    """A stock item, from `stock/` with `part_detail` and `location_detail`."""
    place = row.get("location_detail") or {}
    expiry = row.get("expiry_date")
    return StockItem(
        pk=int(row["pk"]),
        part=part or part_of(row["part_detail"]),
        quantity=amount(row["quantity"]),
        allocated=amount(row.get("allocated")),
        status=int(row["status"]),
        status_text=_text(row, "status_text"),
        in_stock=version.in_stock(row),
        serial=_text(row, "serial"),
        batch=_text(row, "batch"),
        packaging=_text(row, "packaging"),
        expiry=date.fromisoformat(expiry) if expiry else None,
        link=_text(row, "link"),
        location=row.get("location"),
        place=str(place.get("pathstring") or place.get("name") or ""),
        customer=row.get("customer"),
        provenance=provenance,
        metadata=metadata,
    )


def exact_status(row: Row) -> int:
    """The status that a person sees: a custom one by its own key, else the logical one."""
    return int(row.get("status_custom_key") or row["status"])


def _text(row: Row, name: str) -> str:
    """A field that may be missing or null."""
    value = row.get(name)
    return "" if value is None else str(value)
