"""The stock actions: transfer, assign, return, count, add, remove, merge, change_status.

Each checks the whole request before it changes anything. Each returns an echo of its request rather than the result, so
clients must read back new row numbers and clamped quantities (facts: (a), 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from fedbot_demo.inventree.endpoint import Call, Endpoint, writing_on_model
from fedbot_demo.inventree.exchange import InvalidError, JsonObject, Reply, ServerError
from fedbot_demo.inventree.fields import REQUIRED, Form
from fedbot_demo.inventree.merging import merge, merge_obstacle, move_and_merge, take_back_whole
from fedbot_demo.inventree.movements import Act, Extras, add, assign, count, move, remove, take_back
from fedbot_demo.inventree.records import Location, StockItem
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.statuses import CLASSES, EDITED, OK
from fedbot_demo.inventree.stock import find_item
from fedbot_demo.inventree.stock_rows import has_status, is_held, is_in_stock, save, with_status, write_history

NO_ITEMS = "A list of stock items must be provided"

#: Returns why this action isn't possible with an item; None if it is.
ItemCheck = Callable[[State, StockItem], str | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One checked item of a stock action. `echo` holds the reply's fields beside number and quantity."""

    item: StockItem
    quantity: Decimal
    extras: Extras
    merge: bool
    echo: JsonObject


def _must_be_here(state: State, item: StockItem) -> str | None:
    if state.version.acts_on_handed_over:
        return None
    here = is_held(item) and not (state.version.empty_is_not_here and item.quantity <= 0)
    return None if here else "Stock item is not in stock"


def _must_be_away(_state: State, item: StockItem) -> str | None:
    return "Stock item is already in stock" if is_in_stock(item) else None


def _is_assignable(state: State, item: StockItem) -> str | None:
    if not is_in_stock(item):
        return "Item must be in stock"
    if not state.parts[item.part].salable:
        return "Part must be salable"
    if state.allocations.find("item", item.pk):
        return "Item is allocated to a sales order"
    return None


def _item_rows(form: Form) -> list[JsonObject]:
    """The `items` of a request as objects; an invalid list is an error."""
    rows = form.data.get("items")
    if "items" not in form.data:
        form.fail("items", REQUIRED)
    elif not isinstance(rows, list):
        kind = type(rows).__name__
        form.errors["items"] = {"non_field_errors": [f'Expected a list of items but got type "{kind}".']}
    elif not all(isinstance(row, dict) for row in rows):
        form.errors["items"] = [
            {}
            if isinstance(row, dict)
            else {"non_field_errors": [f"Invalid data. Expected a dictionary, but got {type(row).__name__}."]}
            for row in rows
        ]
    else:
        return list(rows)
    return []


def _lines(state: State, form: Form, check: ItemCheck, *, non_zero: bool = False) -> list[Line]:
    """The checked items of a stock adjustment, by row number; errors are aligned with the request's list."""
    lines: list[Line] = []
    errors: list[JsonObject] = []
    for row in _item_rows(form):
        line, error = _line(state, row, check, non_zero=non_zero)
        errors.append(error)
        if line is not None:
            lines.append(line)
    if any(errors):
        form.errors["items"] = errors
    return sorted(lines, key=lambda line: line.item.pk)


def _line(state: State, row: JsonObject, check: ItemCheck, *, non_zero: bool) -> tuple[Line | None, JsonObject]:
    form = Form(row)
    item = form.row("pk", state.stock, required=True)
    if item is not None and (complaint := check(state, item)) is not None:
        form.fail("pk", complaint)
    form.quantity("quantity", required=True)
    if non_zero and form.values.get("quantity") == 0:
        form.fail("quantity", "Quantity must be greater than zero")
    form.text("batch", longest=100)
    if row.get("status") != "":
        form.choice("status", [*CLASSES["StockStatus"], *state.custom_statuses_at_start])
    form.text("packaging", longest=50)
    form.flag("merge")
    if form.errors or item is None:
        return None, form.errors
    values = form.values
    echo: JsonObject = {name: values[name] for name in ("batch", "packaging") if name in values}
    echo["status"] = values.get("status")
    echo["merge"] = merge = values.get("merge", False) and state.version.merges_in_transfer
    state.version.told("line", echo)
    extras = Extras(values.get("batch"), values.get("status"), values.get("packaging"))
    return Line(item, values["quantity"], extras, merge, echo), {}


def _place(state: State, form: Form, *, required: bool) -> Location | None:
    location = form.row("location", state.locations, required=required, null=not required)
    if location is not None and location.structural:
        form.fail("location", "Structural locations cannot be assigned stock items")
    return location


def _some(state: State, form: Form, lines: list[Any]) -> None:
    """Raise an error if there are errors, or no items."""
    form.check()
    if not lines:
        raise InvalidError({"non_field_errors": [NO_ITEMS]})
    state.let_others_act()


def _echo(form: Form, lines: list[Line], *gone: int, **more: object) -> Reply:
    items = [
        {"pk": None if line.item.pk in gone else line.item.pk, "quantity": f"{line.quantity:.5f}"} | line.echo
        for line in lines
    ]
    content: JsonObject = {"items": items}
    if "notes" in form.values:
        content["notes"] = form.values["notes"]
    return Reply(content | more, 201)


def _act(call: Call, form: Form, notes: str = "notes") -> Act:
    return Act(call.state, call.user, form.values.get(notes, ""))


def transfer(call: Call) -> Reply:
    """Move items to another location, even if they are allocated to orders."""
    form = Form(call.fields())
    lines = _lines(call.state, form, _must_be_here, non_zero=not call.state.version.moves_nothing)
    form.text("notes")
    location = _place(call.state, form, required=True)
    _some(call.state, form, lines)
    if location is not None:
        act = _act(call, form)
        for line in lines:
            if line.item.pk not in call.state.stock:
                continue  # an earlier line merged it
            if line.merge and line.quantity and move_and_merge(act, line.item, line.quantity, location, line.extras):
                continue
            move(act, line.item, line.quantity, location, line.extras)
    return _echo(form, lines, location=form.values["location"])


def give_back(call: Call) -> Reply:
    """Return items to stock, wholly or in part (API 381 and later)."""
    form = Form(call.fields())
    lines = _lines(call.state, form, _must_be_away, non_zero=True)
    form.text("notes")
    location = _place(call.state, form, required=True)
    form.flag("merge")
    _some(call.state, form, lines)
    merged = form.values.get("merge", False)
    if location is not None:
        act = _act(call, form)
        for line in lines:
            back = take_back(act, line.item, line.quantity, location, line.extras)
            parent = call.state.stock.get(back.parent)
            if merged and parent is not None and parent.location == location.pk:
                merge(act, parent, [back], location)
    return _echo(form, lines, location=form.values["location"], merge=merged)


def give_one_back(call: Call) -> Reply:
    """Return one whole item to stock (before API 381). A missing one ends in an error 500."""
    state = call.state
    form = Form(call.fields())
    location = _place(call.state, form, required=True)
    form.text("notes")
    form.choice("status", CLASSES["StockStatus"])
    form.check()
    if state.stock.get(call.pk) is None:
        raise ServerError("KeyError", call.request.path)
    if location is not None:
        take_back_whole(_act(call, form), find_item(call), location, form.values.get("status"))
    content = call.state.version.told(
        "return", {"location": form.values["location"], "status": form.values.get("status")}
    )
    if "notes" in form.values:
        content["notes"] = form.values["notes"]
    return Reply(content, 201)


def count_items(call: Call) -> Reply:
    """Set the quantity of each item."""
    form = Form(call.fields())
    lines = _lines(call.state, form, _must_be_here)
    form.text("notes")
    location = _place(call.state, form, required=False) if call.state.version.counts_elsewhere else None
    _some(call.state, form, lines)
    act = _act(call, form)
    gone = [line.item.pk for line in lines if not count(act, line.item, line.quantity, location, line.extras)]
    more = {"location": form.values.get("location")} if call.state.version.counts_elsewhere else {}
    return _echo(form, lines, *gone, **more)


def add_items(call: Call) -> Reply:
    """Add to items."""
    form = Form(call.fields())
    lines = _lines(call.state, form, _must_be_here)
    form.text("notes")
    _some(call.state, form, lines)
    for line in lines:
        add(_act(call, form), line.item, line.quantity, line.extras)
    return _echo(form, lines)


def remove_items(call: Call) -> Reply:
    """Remove from items; an emptied item is deleted if it is marked so, which is the default."""
    form = Form(call.fields())
    lines = _lines(call.state, form, _must_be_here)
    form.text("notes")
    _some(call.state, form, lines)
    act = _act(call, form)
    gone = [line.item.pk for line in lines if not remove(act, line.item, line.quantity, line.extras)]
    return _echo(form, lines, *gone)


def assign_items(call: Call) -> Reply:
    """Assign whole items to a customer: all of them or none."""
    form = Form(call.fields())
    items, errors = _plain_items(call.state, form, _is_assignable)
    if any(errors):
        form.errors["items"] = errors
    customer = form.row("customer", call.state.companies, required=True)
    if customer is not None and not customer.is_customer:
        form.fail("customer", "Selected company is not a customer")
    form.text("notes")
    _some(call.state, form, items)
    content: JsonObject = {"items": [{"item": item.pk} for item in items]}
    if customer is not None:
        content["customer"] = customer.pk
        for item in items:
            assign(_act(call, form), item, customer)
    if "notes" in form.values:
        content["notes"] = form.values["notes"]
    return Reply(content, 201)


def _plain_items(state: State, form: Form, check: ItemCheck) -> tuple[list[StockItem], list[JsonObject]]:
    """The items of `{"items": [{"item": 1}, …]}`, and the errors of each."""
    items: list[StockItem] = []
    errors: list[JsonObject] = []
    for row in _item_rows(form):
        line = Form(row)
        item = line.row("item", state.stock, required=True)
        if item is not None and (complaint := check(state, item)) is not None:
            line.fail("item", complaint)
        errors.append(line.errors)
        if item is not None:
            items.append(item)
    return items, errors


def merge_items(call: Call) -> Reply:
    """Merge several items into the first one."""
    form = Form(call.fields())
    items, errors = _plain_items(call.state, form, lambda _state, item: merge_obstacle(item))
    if any(errors):
        form.errors["items"] = errors
    location = form.row("location", call.state.locations, required=True)
    form.text("notes")
    form.flag("allow_mismatched_suppliers")
    form.flag("allow_mismatched_status")
    form.check()
    mixed = form.values.get("allow_mismatched_status", False)
    if len(items) < 2:  # noqa: PLR2004  it takes two
        raise InvalidError({"non_field_errors": ["At least two stock items must be provided"]})
    if len({item.pk for item in items}) < len(items):
        raise InvalidError({"non_field_errors": ["Duplicate stock items"]})
    for item in items[1:]:
        obstacle = merge_obstacle(item, items[0], mixed_status=mixed)
        if obstacle is not None:
            raise InvalidError({"non_field_errors": [obstacle]})
    if location is not None:
        merge(_act(call, form), items[0], items[1:], location, mixed_status=mixed)
    content = {"items": [{"item": items[0].pk}, *({"item": None} for _ in items[1:])]}
    return Reply(content | form.values, 201)


def change_statuses(call: Call) -> Reply:
    """Set items' status, even if they are with a customer. Items that have it already are skipped."""
    state = call.state
    form = Form(call.fields())
    items = form.rows("items", state.stock, required=True)
    if form.values.get("items") == () and "items" not in form.errors:
        form.fail("items", "No stock items selected")
    form.choice("status", [*CLASSES["StockStatus"], *(row.key for row in state.custom_statuses)])
    form.text("note")
    form.check()
    status = int(form.values.get("status", OK))
    for item in items:
        if has_status(item, status) and item.status_custom_key in {status, None}:
            continue
        _change_one(call, item, status, form.values.get("note", ""))
    content: JsonObject = {"items": [item.pk for item in items], "status": status}
    if "note" in form.values:
        content["note"] = form.values["note"]
    return Reply(content, 201)


def _change_one(call: Call, item: StockItem, status: int, note: str) -> None:
    """Change the status and record it. Unlike all others, this history entry has no part."""
    changed = with_status(call.state, replace(item), status)
    if call.state.version.keeps_custom_key:
        changed = replace(changed, status_custom_key=item.status_custom_key)
    changed = save(call.state, changed)
    deltas = {
        "status": status,
        "old_status_logical": item.status,
        "old_status": item.status_custom_key or item.status,
        "status_logical": changed.status,
    }
    write_history(call.state, changed, EDITED, call.user, deltas, part=None, notes=note)


def endpoints() -> list[Endpoint]:
    """All stock actions. A POST needs the permission to add stock (facts: (e))."""
    actions = {
        "transfer": transfer,
        "assign": assign_items,
        "count": count_items,
        "add": add_items,
        "remove": remove_items,
        "merge": merge_items,
        "change_status": change_statuses,
    }
    guard = writing_on_model("stockitem")
    return [
        *(Endpoint(f"stock/{name}/", {"POST": action}, guard) for name, action in actions.items()),
        Endpoint("stock/return/", {"POST": give_back}, guard, when="returns_in_bulk"),
        Endpoint("stock/#/return/", {"POST": give_one_back}, guard, when="returns_one"),
    ]
