"""/api/metadata/<model>/…: the free JSON that most rows have (facts: first facts, (c,d))."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fedbot_demo.inventree.access import may
from fedbot_demo.inventree.cleaning import cleaned
from fedbot_demo.inventree.endpoint import Call, Endpoint, Handler, anyone, signed_in
from fedbot_demo.inventree.exchange import ForbiddenError, InvalidError, JsonObject, NotFoundError, Reply, ServerError
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.table import Table

#: The names of a model: in the path, in error texts, and at the start of its old address.
MODELS = {
    "stockitem": ("StockItem", "stock"),
    "stocklocation": ("StockLocation", "stock/location"),
    "part": ("Part", "part"),
    "partcategory": ("PartCategory", "part/category"),
    "company": ("Company", "company"),
    "salesorder": ("SalesOrder", "order/so"),
    "returnorder": ("ReturnOrder", "order/ro"),
}

_CSRF = "CSRF verification failed. Ensure INVENTREE_SITE_URL and INVENTREE_TRUSTED_ORIGINS are configured correctly."


def _table(state: State, model: str) -> Table[Any]:
    tables: dict[str, Table[Any]] = {
        "stockitem": state.stock,
        "stocklocation": state.locations,
        "part": state.parts,
        "partcategory": state.categories,
        "company": state.companies,
        "salesorder": state.sales_orders,
        "returnorder": state.return_orders,
    }
    if model not in tables:
        complaint = f"GenericMetadataView called with invalid model '{model}'"
        raise InvalidError({"non_field_errors": [complaint]})
    return tables[model]


def _below_row(handler: Handler) -> Handler:
    """The handler for the address below the row, which names no model. It checks permissions before the row."""

    def answer(call: Call) -> Reply:
        call = replace(call, word=_model_of(call))
        _check(call)
        return handler(call)

    return answer


def _model_of(call: Call) -> str:
    return next(name for name, (_, start) in MODELS.items() if call.request.path == f"/api/{start}/{call.pk}/metadata/")


def _content(call: Call) -> JsonObject:
    """The row's metadata, if the caller has the permission to change the row (API 436)."""
    if call.pk not in _table(call.state, call.word):
        raise NotFoundError.of_row(MODELS[call.word][0])
    _check(call)
    found = call.state.metadata_of(call.word, call.pk)
    return {} if found is None else dict(found.content)


def _check(call: Call) -> None:
    action = call.state.version.metadata_read if call.request.method == "GET" else "change"
    if not may(call.state, call.user, call.word, action):
        raise ForbiddenError


def read(call: Call) -> Reply:
    """The row's metadata; an empty object if there is none."""
    return Reply({"metadata": _content(call)})


def merge(call: Call) -> Reply:
    """PATCH: merge the top level. Nested values are replaced; null is stored as null."""
    content = _content(call)
    return _store(call, content | _sent(call))


def put(call: Call) -> Reply:
    """PUT: replace all of it."""
    _content(call)
    return _store(call, _sent(call))


def _store(call: Call, content: JsonObject) -> Reply:
    call.state.write_metadata(call.word, call.pk, content)
    return Reply({"metadata": content})


def _sent(call: Call) -> JsonObject:
    """The metadata of the request. Its strings are cleaned like all others, but not those in lists."""
    data = cleaned(call.data(), call.state.version)
    if "metadata" not in data:
        raise ServerError("KeyError", call.request.path)
    sent = data["metadata"]
    if not isinstance(sent, dict):
        raise ServerError("ValueError" if isinstance(sent, str) else "TypeError", call.request.path)
    return sent


def _moved(call: Call) -> Reply:
    """Redirect a read of the old address."""
    where = f"/api/metadata/{_model_of(call)}/pk/{call.pk}/"
    return Reply(status=301, headers=(("Content-Type", "text/html; charset=utf-8"), ("Location", where)))


def _old_address(_call: Call) -> Reply:
    """Answer a write to the old address with InvenTree's misleading error."""
    raise ForbiddenError(_CSRF)


def endpoints() -> list[Endpoint]:
    """The two new addresses and each model's old one."""
    methods = {"GET": read, "PUT": put, "PATCH": merge}
    below = {name: _below_row(handler) for name, handler in methods.items()}
    starts = [start for _, start in MODELS.values()]
    old = {"GET": _moved, "PUT": _old_address, "PATCH": _old_address}
    return [
        Endpoint("metadata/*/#/", methods, signed_in, when="metadata_apart"),
        Endpoint("metadata/*/pk/#/", methods, signed_in, when="metadata_apart"),
        *(Endpoint(f"{start}/#/metadata/", old, anyone, plain=True, when="metadata_apart") for start in starts),
        *(Endpoint(f"{start}/#/metadata/", below, signed_in, when="metadata_in_rows") for start in starts),
    ]
