"""/api/stock/track/: the history of stock, newest first (facts: API-version gates, (a) 2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time

from fedbot_demo.inventree.companies import company_json
from fedbot_demo.inventree.endpoint import Call, Endpoint, on_model
from fedbot_demo.inventree.exchange import JsonObject, NotFoundError, Reply, ServerError
from fedbot_demo.inventree.listing import Query, ordered, page, search
from fedbot_demo.inventree.records import TrackingEntry
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.statuses import label_of
from fedbot_demo.inventree.stock_json import brief, item_of_entry, location_full, minute, part_brief, stock_item
from fedbot_demo.inventree.trees import variants
from fedbot_demo.inventree.users import user_brief


def _details(state: State) -> dict[str, Callable[[int], JsonObject | None]]:
    """The row behind a number in an entry's deltas, by name; None if it is gone."""

    def item(pk: int) -> JsonObject | None:
        row = state.stock.get(pk)
        return None if row is None else stock_item(state, row, brief(state.version))

    def location(pk: int) -> JsonObject | None:
        row = state.locations.get(pk)
        return None if row is None else location_full(state, row)

    def customer(pk: int) -> JsonObject | None:
        row = state.companies.get(pk)
        return None if row is None else company_json(state.version, row)

    def part(pk: int) -> JsonObject | None:
        row = state.parts.get(pk)
        return None if row is None else part_brief(state.version, row)

    return {"part": part, "location": location, "customer": customer, "item": item, "stockitem": item}


def entry_json(state: State, entry: TrackingEntry, *, details: bool) -> JsonObject:
    """One entry. In lists it includes the rows that its deltas refer to, as they are now."""
    deltas = dict(entry.deltas)
    if details:
        for name, describe in _details(state).items():
            if name not in entry.deltas:
                continue
            described = describe(entry.deltas[name])
            if described is not None or state.version.tells_what_is_gone:
                deltas[f"{name}_detail"] = described
    content: JsonObject = {
        "pk": entry.pk,
        "item": entry.item,
        "part": entry.part,
        "date": minute(entry.date),
        "deltas": deltas,
        "label": label_of("StockHistoryCode", entry.tracking_type),
        "notes": entry.notes,
        "tracking_type": entry.tracking_type,
        "user": entry.user,
    }
    return state.version.told("history", content)


def list_entries(call: Call) -> Reply:
    """The entries that match the filters. `tracking_type` is no filter; asking for a deleted item is an error."""
    state, query = call.state, call.query

    def represent(entry: TrackingEntry) -> JsonObject:
        content = entry_json(state, entry, details=True)
        item = state.stock.get(entry.item)
        if query.says_yes("item_detail", otherwise=False):
            content["item_detail"] = None if item is None else item_of_entry(state, item)
        if query.says_yes("user_detail", otherwise=False):
            user = state.users.get(entry.user)
            content["user_detail"] = None if user is None else user_brief(user)
        return content

    if query.text("search") and not state.version.searches_history:
        raise ServerError("FieldError", call.request.path, module="django.core.exceptions.")
    rows = search(_filtered(state, query), query, lambda entry: (entry.notes,))
    rows = ordered(rows, query, {"date": lambda entry: entry.date}, ("-date",))
    return page(call.request, query, rows, represent)


def _filtered(state: State, query: Query) -> list[TrackingEntry]:
    item = query.row("item", state.stock)
    user = query.row("user", state.users)
    part, after, before = None, None, None
    if state.version.filters_history:
        part = query.row("part", state.parts)
        after, before = query.day("min_date"), query.day("max_date")
    query.check()
    found = list(state.tracking) if item is None else state.tracking.find("item", item.pk)
    if user is not None:
        found = [entry for entry in found if entry.user == user.pk]
    if part is not None:
        wanted = {part.pk}
        if query.says_yes("include_variants", otherwise=False):
            wanted = {each.pk for each in variants(state, part)}
        found = [entry for entry in found if entry.part in wanted]
    if after is not None:
        start = datetime.combine(after, time(), UTC)
        found = [entry for entry in found if entry.date > start]
    if before is not None:
        end = datetime.combine(before, time(), UTC)
        found = [entry for entry in found if entry.date < end]
    return found


def read_entry(call: Call) -> Reply:
    """One entry, without details."""
    entry = call.state.tracking.get(call.pk)
    if entry is None:
        raise NotFoundError.of_row("StockItemTracking")
    return Reply(entry_json(call.state, entry, details=False))


def endpoints() -> list[Endpoint]:
    """The list and the single entry; read-only."""
    guard = on_model("stockitemtracking")
    return [
        Endpoint("stock/track/", {"GET": list_entries}, guard),
        Endpoint("stock/track/#/", {"GET": read_entry}, guard),
    ]
