"""Stock items and locations as JSON (API 530).

Quantities are JSON numbers, as in a real InvenTree (facts: 'Formats').
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from fedbot_demo.inventree.exchange import JsonObject
from fedbot_demo.inventree.listing import Query
from fedbot_demo.inventree.records import Location, Part, StockItem, TestResult
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.statuses import stock_status_text
from fedbot_demo.inventree.stock_rows import allocated, is_in_stock
from fedbot_demo.inventree.trees import items_below
from fedbot_demo.inventree.versions import Version

THUMBNAIL = "/static/img/blank_image.thumbnail.png"


def thumbnail_of(part: Part) -> str:
    """The path of a part's thumbnail, which exists at once."""
    stem, dot, ending = part.image.rpartition(".")
    return f"{stem}.thumbnail{dot}{ending}" if part.image else THUMBNAIL


@dataclass(frozen=True, slots=True)
class Extent:
    """The details of an item's representation.

    With `annotated` False, the counts that InvenTree's database adds are null, as in the reply to a create and in the
    details of a tracking entry.
    """

    part_detail: bool = True
    location_detail: bool = False
    path_detail: bool = False
    supplier_part_detail: bool = False
    tests: bool = False
    tags: bool = False
    annotated: bool = True

    @classmethod
    def asked(cls, query: Query, version: Version, *, alone: bool = False) -> Extent:
        """The details that the query of a list, or of a single item (`alone`), asks for."""
        if alone and version.item_alone_tells_all:
            return written(version, counted=True)
        return cls(
            part_detail=query.says_yes("part_detail", otherwise=version.tells_part_of_stock),
            location_detail=query.says_yes("location_detail", otherwise=False),
            path_detail=query.says_yes("path_detail", otherwise=False),
            supplier_part_detail=query.says_yes("supplier_part_detail", otherwise=False),
            tests=query.says_yes("tests", otherwise=False),
            tags=version.always_tells_tags or query.text("tags").lower() in {"1", "true", "yes"},
        )


def brief(version: Version) -> Extent:
    """An item inside of another object."""
    return _extent(version.stock_details("brief"))


def written(version: Version, *, counted: bool, numbered: bool = False) -> Extent:
    """An item in the reply to a write; `numbered`: one of several created with serial numbers."""
    what = "numbered" if numbered else "changed" if counted else "created"
    return replace(_extent(version.stock_details(what)), annotated=counted)


def _extent(details: Collection[str]) -> Extent:
    names = ("part_detail", "location_detail", "path_detail", "supplier_part_detail", "tests", "tags")
    return Extent(**{name: name in details for name in names}, annotated=False)


def minute(moment: datetime | None) -> str | None:
    """A time as InvenTree writes it, to the minute."""
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M")


def day(value: date | None) -> str | None:
    """A day as YYYY-MM-DD."""
    return None if value is None else value.isoformat()


def number(value: Decimal | None) -> float | None:
    """A JSON number."""
    return None if value is None else float(value)


def item_of_entry(state: State, item: StockItem) -> JsonObject:
    """A stock item inside of an entry of its history: before 1.0 only what names it."""
    if state.version.tells_whole_item_of_entry:
        return stock_item(state, item, brief(state.version))
    content: JsonObject = {
        "part": item.part,
        "part_name": full_name(state.parts[item.part]),
        "pk": item.pk,
        "location": item.location,
        "quantity": float(item.quantity),
        "serial": item.serial,
        "batch": item.batch,
        "supplier_part": None,
        "barcode_hash": "",
    }
    return state.version.told("stockitem.named", content)


def full_name(part: Part) -> str:
    """InvenTree's display name: IPN, name and revision."""
    return " | ".join(each for each in (part.IPN, part.name, part.revision) if each)


def part_brief(version: Version, part: Part, *, annotated: bool = False) -> JsonObject:
    """A part inside of another object."""
    content: JsonObject = {
        "pk": part.pk,
        "IPN": version.text_or_null(part.IPN),
        "barcode_hash": part.barcode_hash,
        "category_default_location": None,  # always null here on a real server; only `part/` shows the category's
        "default_location": part.default_location,
        "default_expiry": 0,
        "name": part.name,
        "revision": version.text_or_null(part.revision),
        "full_name": full_name(part),
        "description": part.description,
        "image": part.image or None,
        "thumbnail": thumbnail_of(part),
        "active": part.active,
        "locked": part.locked,
        "assembly": part.assembly,
        "component": part.component,
        "minimum_stock": f"{part.minimum_stock:.6f}",
        "is_template": part.is_template,
        "purchaseable": part.purchaseable,
        "salable": part.salable,
        "testable": part.testable,
        "trackable": part.trackable,
        "virtual": part.virtual,
        "consumable": part.consumable,
        "units": part.units,
        "pricing_min": None,
        "pricing_max": None,
    }
    if not annotated and not version.tells_counts_as_null:
        del content["category_default_location"]
    return version.told("part.brief", content)


def location_chain(state: State, location: Location | None) -> list[Location]:
    """A location and its ancestors, outermost first."""
    chain: list[Location] = []
    while location is not None:
        chain.insert(0, location)
        location = state.locations.get(location.parent)
    return chain


def pathstring(chain: list[Location]) -> str:
    """The names of a chain of locations, joined."""
    return "/".join(each.name for each in chain)


def location_full(state: State, location: Location) -> JsonObject:
    """A location without the counts of its content."""
    chain = location_chain(state, location)
    content: JsonObject = {
        "pk": location.pk,
        "url": f"/stock/location/{location.pk}/",
        "barcode_hash": location.barcode_hash,
        "name": location.name,
        "level": len(chain) - 1,
        "description": location.description,
        "parent": location.parent,
        "pathstring": pathstring(chain),
        "owner": None,
        "icon": location.custom_icon or "",
        "custom_icon": location.custom_icon if state.version.has_null_icons else location.custom_icon or "",
        "structural": location.structural,
        "external": location.external,
        "location_type": None,
        "location_type_detail": None,
        "tags": list(location.tags),
    }
    return state.version.told("location", content)


def stock_item(state: State, item: StockItem, extent: Extent) -> JsonObject:
    """A stock item with the details of `extent`."""
    order = state.sales_orders.get(item.sales_order)
    content: JsonObject = {
        "pk": item.pk,
        "part": item.part,
        "quantity": float(item.quantity),
        "serial": item.serial,
        "batch": item.batch,
        "location": item.location,
        "belongs_to": item.belongs_to,
        "build": None,
        "consumed_by": None,
        "customer": item.customer,
        "delete_on_deplete": item.delete_on_deplete,
        "expiry_date": day(item.expiry_date),
        "in_stock": is_in_stock(item),
        "is_building": False,
        "link": item.link,
        "notes": item.notes,
        "owner": None,
        "packaging": item.packaging,
        "parent": item.parent,
        "purchase_order": None,
        "purchase_order_reference": None,
        "sales_order": item.sales_order,
        "sales_order_reference": None if order is None else order.reference,
        "status": item.status,
        "status_text": stock_status_text(state, item.status, item.status_custom_key),
        "status_custom_key": item.status_custom_key or item.status,
        "supplier_part": None,
        "SKU": None,
        "MPN": None,
        "barcode_hash": item.barcode_hash,
        "creation_date": minute(item.creation_date),
        "stocktake_date": day(item.stocktake_date),
        "updated": minute(item.updated),
        "purchase_price": state.version.price(item.purchase_price),
        "purchase_price_currency": item.purchase_price_currency,
    }
    location = state.locations.get(item.location)
    if location is not None:
        content["location_name"] = location.name
    state.version.told("stockitem", content)
    return content | _counts(state, item, extent) | _details(state, item, extent)


def _split_off(state: State, item: StockItem) -> Collection[object]:
    return items_below(state, item) if state.version.counts_all_items_below else state.stock.find("parent", item.pk)


def _counts(state: State, item: StockItem, extent: Extent) -> JsonObject:
    names = ("allocated", "expired", "installed_items", "child_items", "stale", "tracking_items")
    if not extent.annotated:
        return dict.fromkeys(names) if state.version.tells_counts_as_null else {}
    expired = item.expiry_date is not None and item.expiry_date < state.today and is_in_stock(item)
    content: JsonObject = {
        "allocated": float(allocated(state, item)),
        "expired": expired,
        "installed_items": len(state.stock.find("belongs_to", item.pk)),
        "child_items": len(_split_off(state, item)),
        "stale": expired,
        "tracking_items": len(state.tracking.find("item", item.pk)),
    }
    return state.version.told("stockitem.counts", content)


def tested(state: State, row: TestResult, *, with_template: bool) -> JsonObject:
    """A test result. Its template, with the test's name, is only included on request (0.13: always)."""
    template = state.test_templates[row.template]
    content: JsonObject = {
        "pk": row.pk,
        "stock_item": row.stock_item,
        "template": row.template,
        "test": template.test_name,
        "key": template.test_name.lower().replace(" ", ""),
        "result": row.result,
        "value": row.value,
        "notes": row.notes,
        "attachment": None,
        "date": minute(row.date),
    }
    state.version.told("testresult", content)
    if with_template and state.version.has_test_templates:
        detail = {"pk": template.pk, "part": template.part, "test_name": template.test_name}
        content["template_detail"] = detail
    return content


def _details(state: State, item: StockItem, extent: Extent) -> JsonObject:
    content: JsonObject = {}
    if extent.part_detail:
        content["part_detail"] = part_brief(state.version, state.parts[item.part], annotated=extent.annotated)
    if extent.tags:
        content["tags"] = list(item.tags)
    chain: list[Location] = []
    if extent.path_detail or extent.location_detail:
        chain = location_chain(state, state.locations.get(item.location))
    if extent.path_detail:
        path = [{"pk": each.pk, "name": each.name, "icon": each.custom_icon or ""} for each in chain]
        content["location_path"] = path or None
    if extent.supplier_part_detail:
        content["supplier_part_detail"] = None
    if extent.tests and state.version.has_test_templates:
        content["tests"] = [
            tested(state, row, with_template=False) for row in state.test_results.find("stock_item", item.pk)
        ]
    if extent.location_detail:
        last = chain[-1] if chain else None
        content["location_detail"] = (
            None if last is None else {"pk": last.pk, "name": last.name, "pathstring": pathstring(chain)}
        )
    return content
