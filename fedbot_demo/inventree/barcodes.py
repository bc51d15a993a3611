"""/api/barcode/: find a row by its barcode, and link a barcode to a stock item (facts: (b), candidates)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from fedbot_demo.inventree.access import may
from fedbot_demo.inventree.endpoint import Call, Endpoint, signed_in
from fedbot_demo.inventree.exchange import ForbiddenError, InvalidError, JsonObject, Reply
from fedbot_demo.inventree.fields import Form
from fedbot_demo.inventree.part_json import part_full
from fedbot_demo.inventree.records import Location, Part, StockItem
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.stock_json import brief, location_full, stock_item

Coded = StockItem | Part | Location


def barcode_hash(text: str) -> str:
    """The hash under which a barcode is stored. MD5, as in InvenTree, because it only has to find, not protect."""
    return hashlib.md5(text.strip().encode(), usedforsecurity=False).hexdigest()


def _rows(state: State, model: str) -> list[Coded]:
    if model == "stockitem":
        return list(state.stock)
    return list(state.parts) if model == "part" else list(state.locations)


def _match(state: State, text: str) -> tuple[str, Coded] | None:
    """The row that a barcode names itself, or is linked to."""
    models = ("stockitem", "part", "stocklocation")
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    wanted = barcode_hash(text)
    for model in models:
        for row in _rows(state, model):
            named = isinstance(content, dict) and content.get(model) == row.pk
            if named or row.barcode_hash == wanted:
                return model, row
    return None


def _described(state: State, model: str, row: Coded) -> JsonObject:
    if isinstance(row, StockItem):
        instance, api, web = stock_item(state, row, brief(state.version)), "stock", "stock/item"
    elif isinstance(row, Part):
        instance, api, web = part_full(state, row, counted=False), "part", "part"
    else:
        instance, api, web = location_full(state, row), "stock/location", "stock/location"
    content = {
        "pk": row.pk,
        "api_url": f"/api/{api}/{row.pk}/",
        "instance": instance,
        "web_url": state.version.web_address(web, row.pk),
    }
    return {model: state.version.told("scanned", content)}


def _barcode(call: Call) -> tuple[Form, str]:
    form = Form(call.data())
    form.text("barcode", required=True, blank=False, longest=4096)
    return form, form.check()["barcode"]


def scan(call: Call) -> Reply:
    """Find the row of a barcode."""
    _, text = _barcode(call)
    found = _match(call.state, text)
    about: JsonObject = {"barcode_data": text, "barcode_hash": barcode_hash(text)}
    if found is None:
        raise InvalidError({"plugin": "None"} | about | {"error": "No match found for barcode data"})
    model, row = found
    if call.state.version.barcode_needs_role and not may(call.state, call.user, model, "view"):
        raise ForbiddenError
    success = {"success": "Match found for barcode data", "plugin": "InvenTreeBarcode"}
    return Reply(_described(call.state, model, row) | success | about)


def _as_texts(content: object) -> object:
    """Convert everything to text, as errors show it: None becomes 'None'."""
    if isinstance(content, dict):
        return {name: _as_texts(value) for name, value in content.items()}
    return [_as_texts(value) for value in content] if isinstance(content, list) else str(content)


def link(call: Call) -> Reply:
    """Link a barcode to a stock item; refuse one that already belongs to a row."""
    form, text = _barcode(call)
    item = form.row("stockitem", call.state.stock)
    form.check()
    found = _match(call.state, text)
    if found is not None:
        content = _as_texts(_described(call.state, *found))
        about = {"error": "Barcode matches existing item", "plugin": "InvenTreeBarcode", "barcode_data": text}
        raise InvalidError((content if isinstance(content, dict) else {}) | about)
    if item is None:
        raise InvalidError({"error": "Missing data: provide one of '['stockitem']'"})
    if not may(call.state, call.user, "stockitem", "change"):
        raise ForbiddenError
    call.state.stock.put(replace(item, barcode_hash=barcode_hash(text)))
    return Reply(
        {
            "success": "Assigned barcode to stockitem instance",
            "stockitem": {"pk": item.pk},
            "barcode_data": text,
            "barcode_hash": barcode_hash(text),
        }
    )


def endpoints() -> list[Endpoint]:
    """Scan and link."""
    return [
        Endpoint("barcode/", {"POST": scan}, signed_in),
        Endpoint("barcode/link/", {"POST": link}, signed_in),
    ]
