"""/api/search/: one query over many lists; the cheapest way to count everything (facts: (i))."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from fedbot_demo.inventree import catalogue, categories, companies, locations, orders, stock
from fedbot_demo.inventree.access import may
from fedbot_demo.inventree.endpoint import Call, Endpoint, signed_in
from fedbot_demo.inventree.exchange import InvalidError, JsonObject, RefusedError, Reply
from fedbot_demo.inventree.listing import Query, page
from fedbot_demo.inventree.part_json import category_json, part_listed
from fedbot_demo.inventree.records import Company, StockItem
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.stock_json import Extent, stock_item

Find = Callable[[State, Query], Sequence[Any]]
Show = Callable[[Call, Any], JsonObject]


def _plain(show: Callable[[State, Any], JsonObject]) -> Show:
    """A representation that doesn't depend on the caller."""
    return lambda call, row: show(call.state, row)


def _company(call: Call, row: Company) -> JsonObject:
    return companies.listed(call.state.version, row)


def _stock_item(call: Call, row: StockItem) -> JsonObject:
    return stock_item(call.state, row, stock.seen(call, Extent.asked(Query(()), call.state.version)))


#: For each searchable model: the model whose view permission it needs, how its rows are found and shown, a filter.
_KINDS: dict[str, tuple[str, Find, Show, dict[str, str]]] = {
    "company": ("company", companies.filtered, _company, {}),
    "supplier": (
        "company",
        companies.filtered,
        _company,
        {"is_supplier": "true"},
    ),
    "manufacturer": (
        "company",
        companies.filtered,
        _company,
        {"is_manufacturer": "true"},
    ),
    "customer": (
        "company",
        companies.filtered,
        _company,
        {"is_customer": "true"},
    ),
    "part": ("part", catalogue.filtered, _plain(part_listed), {}),
    "partcategory": ("partcategory", categories.filtered, _plain(category_json), {}),
    "salesorder": ("salesorder", orders.sales_orders, _plain(orders.sales_order_json), {}),
    "returnorder": ("returnorder", orders.return_orders, _plain(orders.return_order_json), {}),
    "stockitem": (
        "stockitem",
        stock.filtered,
        _stock_item,
        {},
    ),
    "stocklocation": ("stocklocation", locations.filtered, _plain(locations.location_json), {}),
}

_PASSED_ON = {
    "search": "",
    "search_regex": "false",
    "search_whole": "false",
    "search_notes": "false",
    "limit": "1",
    "offset": "0",
}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def search_all(call: Call) -> Reply:
    """The count and first rows of each requested model, or an error if the caller may not view it."""
    data = call.data()
    if "search" not in data:
        raise InvalidError({"search": "Search term must be provided"})
    passed_on = {name: _text(data.get(name, value)) for name, value in _PASSED_ON.items()}
    results: JsonObject = {}
    for name, (model, find, show, fixed) in _KINDS.items():
        asked = data.get(name)
        if not isinstance(asked, dict):
            continue
        if not may(call.state, call.user, model, "view"):
            results[name] = {"error": "User does not have permission to view this model"}
            continue
        own = {key: _text(value) for key, value in asked.items()}
        query = Query(tuple((own | passed_on | fixed).items()))
        links = Query(tuple((key, passed_on[key]) for key in ("limit", "offset")))
        try:
            rows = find(call.state, query)
        except RefusedError as error:
            results[name] = {"error": str(error.content)}
            continue
        results[name] = page(call.request, links, rows, partial(show, call)).content
    return Reply(results)


def endpoints() -> list[Endpoint]:
    """The one endpoint."""
    return [Endpoint("search/", {"POST": search_all}, signed_in)]
