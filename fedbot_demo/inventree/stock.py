"""/api/stock/: list, create, read, edit and delete stock items."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from fedbot_demo.inventree.access import may
from fedbot_demo.inventree.endpoint import Call, Endpoint, on_model
from fedbot_demo.inventree.exchange import InvalidError, JsonObject, NotFoundError, Reply
from fedbot_demo.inventree.fields import Form, as_decimal, precision_error
from fedbot_demo.inventree.listing import Query, matches, ordered, page, same_text, search
from fedbot_demo.inventree.movements import write_status_edit
from fedbot_demo.inventree.records import Part, StockItem, User
from fedbot_demo.inventree.serial_numbers import extract_serial_numbers
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.statuses import CLASSES, CREATED, OK
from fedbot_demo.inventree.stock_json import Extent, location_chain, pathstring, stock_item, written
from fedbot_demo.inventree.stock_rows import (
    NO_FRACTION,
    allocated,
    delete,
    is_in_stock,
    place_of,
    save,
    with_status,
    write_history,
)
from fedbot_demo.inventree.table import Table
from fedbot_demo.inventree.trees import category_branch, location_branch, variants
from fedbot_demo.inventree.versions import Version

Test = Callable[[StockItem], bool]


def list_items(call: Call) -> Reply:
    """The stock items that match the filters, in pages and with details as requested."""
    rows = call.state.listed_as(("stock", *call.query.all_but_page()), lambda: filtered(call.state, call.query))
    extent = seen(call, Extent.asked(call.query, call.state.version))
    return page(call.request, call.query, rows, lambda item: stock_item(call.state, item, extent))


def seen(call: Call, extent: Extent) -> Extent:
    """The part of `extent` that the caller may see. Items inside of other objects are not restricted."""
    if not call.state.version.narrows_details:
        return extent
    return replace(
        extent,
        part_detail=extent.part_detail and may(call.state, call.user, "part", "view"),
        supplier_part_detail=extent.supplier_part_detail and may(call.state, call.user, "part", "view"),
        location_detail=extent.location_detail and may(call.state, call.user, "stocklocation", "view"),
    )


def filtered(state: State, query: Query) -> list[StockItem]:
    """The stock items that match all filters of the query, in its order."""
    rows = _candidates(state, query)
    tests = _relation_tests(state, query) + _text_tests(state, query) + _state_tests(state, query)
    tests += _value_tests(state, query)
    query.check()
    found = [item for item in rows if all(test(item) for test in tests)]
    return _in_order(state, query, search(found, query, lambda item: _search_texts(state, item)))


def _candidates(state: State, query: Query) -> Iterable[StockItem]:
    """The candidate rows, by index if a filter allows, because servers hold thousands of items."""
    part = query.row("part", state.parts)
    if part is None and query.text("part") and state.version.names_bad_part:
        raise InvalidError({"part": "Invalid Part ID specified"})
    if part is not None:
        wanted = [part]
        if query.says_yes("include_variants", otherwise=True):
            wanted = variants(state, part)
        return [item for each in wanted for item in state.stock.find("part", each.pk)]
    for name, table in _relations(state).items():
        row = query.row(name, table)
        if row is not None and name != "sales_order":
            return state.stock.find(name, row.pk)
    branch = _asked_branch(state, query)
    if branch is not None:
        return [item for pk in sorted(branch) for item in state.stock.find("location", pk)]
    return state.stock


def _relations(state: State) -> dict[str, Table[Any]]:
    """The tables that an item can be filtered by, by filter."""
    tables: dict[str, Table[Any]] = {
        "customer": state.companies,
        "sales_order": state.sales_orders,
        "belongs_to": state.stock,
    }
    return tables | {"parent": state.stock} if state.version.filters_by_parent else tables


def _asked_branch(state: State, query: Query) -> set[int] | None:
    """The locations that ?location= means; with ?cascade=false only that one. An unknown one is no filter."""
    asked = query.number_or_null("location")
    if not isinstance(asked, Decimal):
        return None
    location = state.locations.get(int(asked))
    if not query.says_yes("cascade", otherwise=True):
        return {int(asked)}
    return None if location is None else location_branch(state, location)


def _descends(state: State, item: StockItem, ancestor: StockItem) -> bool:
    parent = state.stock.get(item.parent)
    while parent is not None and parent.pk != ancestor.pk:
        parent = state.stock.get(parent.parent)
    return parent is not None


def _relation_tests(state: State, query: Query) -> list[Test]:
    tests: list[Test] = []
    ancestor = None if state.version.filters_by_parent else query.row("ancestor", state.stock)
    if ancestor is not None:
        tests.append(lambda item: _descends(state, item, ancestor))
    for name, table in _relations(state).items():
        row = query.row(name, table)
        if row is not None:
            tests.append(lambda item, name=name, pk=row.pk: getattr(item, name) == pk)  # type: ignore[misc]
    branch = _asked_branch(state, query)
    if branch is not None:
        tests.append(lambda item: item.location in branch)
    cascade = query.says_yes("cascade", otherwise=True)
    if query.number_or_null("location") == "null" and not cascade:
        tests.append(lambda item: item.location is None)
    category = query.row("category", state.categories)
    if category is not None:
        within = category_branch(state, category)
        tests.append(lambda item: state.parts[item.part].category in within)
    return tests


def _text_tests(state: State, query: Query) -> list[Test]:
    tests: list[Test] = []

    def test(name: str, fits: Callable[[StockItem, str], bool]) -> None:
        value = query.text(name)
        if value:
            tests.append(lambda item: fits(item, value))

    def part_of(item: StockItem) -> Part:
        return state.parts[item.part]

    test("IPN", lambda item, value: same_text(part_of(item).IPN, value))
    test("IPN_contains", lambda item, value: value.lower() in part_of(item).IPN.lower())
    test("IPN_regex", lambda item, value: matches(value, part_of(item).IPN))
    test("name", lambda item, value: same_text(part_of(item).name, value))
    test("name_contains", lambda item, value: value.lower() in part_of(item).name.lower())
    test("name_regex", lambda item, value: matches(value, part_of(item).name))
    test("batch", lambda item, value: same_text(item.batch, value))
    test("batch_regex", lambda item, value: matches(value, item.batch))
    test("serial", lambda item, value: item.serial == value)
    tags = state.version.tags_filter
    if query.text(tags).lower() not in {"true", "false", "1", "0", "yes", "no"}:
        test(tags, lambda item, value: bool(set(value.split(",")) & set(item.tags)))
    return tests


def _state_tests(state: State, query: Query) -> list[Test]:
    tests: list[Test] = []

    def test(name: str, holds: Test) -> None:
        wanted = query.flag(name)
        if wanted is not None:
            tests.append(lambda item: holds(item) == wanted)

    test("in_stock", is_in_stock)
    test("allocated", lambda item: bool(state.allocations.find("item", item.pk)))
    test("serialized", lambda item: bool(item.serial))
    test("has_batch", lambda item: bool(item.batch))
    test("tracked", lambda item: bool(item.batch or item.serial))
    test("sent_to_customer", lambda item: item.customer is not None)
    test("depleted", lambda item: item.quantity <= 0)
    test("has_purchase_price", lambda item: item.purchase_price is not None)
    test("has_child_items", lambda item: bool(state.stock.find("parent", item.pk)))
    test("has_stocktake", lambda item: item.stocktake_date is not None)
    test("installed", lambda item: item.belongs_to is not None)
    test("salable", lambda item: state.parts[item.part].salable)
    test("active", lambda item: state.parts[item.part].active)
    test("assembly", lambda item: state.parts[item.part].assembly)
    available = query.flag("available")
    if available is True:
        tests.append(lambda item: is_in_stock(item) and item.quantity > allocated(state, item))
    elif available is False:
        tests.append(lambda item: item.quantity <= allocated(state, item))
    return tests


def _value_tests(state: State, query: Query) -> list[Test]:
    tests: list[Test] = []
    status = query.number("status")
    if status is not None:
        tests.append(lambda item: (item.status_custom_key or item.status) == status)
    least, most = query.number("min_stock"), query.number("max_stock")
    if least is not None:
        tests.append(lambda item: item.quantity >= least)
    if most is not None:
        tests.append(lambda item: item.quantity <= most)
    dates = {"updated": "updated"} | ({"created": "creation_date"} if state.version.dates_items else {})
    for name, field in dates.items():
        after, before = query.day(f"{name}_after"), query.day(f"{name}_before")
        if after is not None:
            start = datetime.combine(after, time(), UTC)
            tests.append(lambda item, field=field, start=start: getattr(item, field) > start)  # type: ignore[misc]
        if before is not None:
            end = datetime.combine(before, time(), UTC)
            tests.append(lambda item, field=field, end=end: getattr(item, field) < end)  # type: ignore[misc]
    return tests


def _search_texts(state: State, item: StockItem) -> list[str | None]:
    part = state.parts[item.part]
    location = state.locations.get(item.location)
    place = None if location is None else location.name
    return [item.serial, item.batch, place, part.name, part.IPN, part.description, *item.tags]


def _in_order(state: State, query: Query, rows: list[StockItem]) -> list[StockItem]:
    def place(item: StockItem) -> str | None:
        if item.location is None:
            return None
        return pathstring(location_chain(state, state.locations[item.location]))

    keys: dict[str, Callable[[StockItem], object]] = {
        "part__name": lambda item: state.parts[item.part].name,
        "quantity": lambda item: item.quantity,
        "location": place,
        "batch": lambda item: item.batch,
        "part": lambda item: state.parts[item.part].name,
        "part__IPN": lambda item: state.parts[item.part].IPN,
        "IPN": lambda item: state.parts[item.part].IPN,
        "updated": lambda item: item.updated,
        **({"creation_date": lambda item: item.creation_date} if state.version.dates_items else {}),
        "stocktake_date": lambda item: item.stocktake_date,
        "expiry_date": lambda item: item.expiry_date,
        "purchase_price": lambda item: item.purchase_price,
        "packaging": lambda item: item.packaging,
        "status": lambda item: item.status,
        "stock": lambda item: item.quantity,
    }
    return ordered(rows, query, keys, ("part__name", "quantity", "location"))


def create_items(call: Call) -> Reply:
    """Create a stock item, or one for each serial number.

    `metadata` and unknown fields are silently ignored. Newer versions also ignore `serial`, `tags` and an unknown
    status.
    """
    data, version = call.row_fields(), call.state.version
    if data.get("quantity") is None:
        raise InvalidError({"quantity": "Quantity is required"})
    part = _asked_part(call.state, data)
    if data.get("location") is None and part.default_location is not None:
        data["location"] = part.default_location
    status = _asked_status(version, data)
    serials = _asked_serials(call.state, part, data)
    if serials:
        data["quantity"] = 1
    serial = data.get("serial") if version.takes_serial else None
    for ignored in ("serial", "serial_numbers"):
        data.pop(ignored, None)
    values = _new_item_form(call.state, data, status.refusal).check()
    _check_quantity(values["quantity"], part)
    tags = values.get("tags")
    if not version.takes_tags_on_create:
        values.pop("tags", None)
    if not serials:
        return _create_one(call, values, None if serial is None else str(serial).strip(), status, tags)
    return _create_numbered(call, values, serials, status)


def _create_numbered(call: Call, values: JsonObject, serials: list[str], status: _AskedStatus) -> Reply:
    state, version = call.state, call.state.version
    items = [_create(call, values, serial, status, in_bulk=True) for serial in serials]
    for number, item in enumerate(items):
        # this save has no user and turns delete_on_deplete off
        if version.saves_numbered_twice and status.differs:
            items[number] = state.stock.put(replace(item, delete_on_deplete=False))
            if item.status != OK:
                write_status_edit(state, replace(item, status=OK), item, None)
            elif version.tells_second_save:
                _write_created(state, item, None, item.status)
        _write_created(state, item, call.user, status.text if version.saves_numbered_twice else status.number)
    if not version.answers_list_to_create:
        return Reply({"quantity": len(serials), "serial_numbers": serials}, 201)
    extent = seen(call, written(version, counted=True, numbered=True))
    return Reply([stock_item(state, item, extent) for item in items], 201)


def _create_one(
    call: Call, values: JsonObject, serial: str | None, status: _AskedStatus, tags: tuple[str, ...] | None
) -> Reply:
    version, item = call.state.version, _create(call, values, serial, status)
    if version.edits_after_making and item.status != OK:
        write_status_edit(call.state, replace(item, status=OK), item, call.user)
    else:
        _write_created(call.state, item, call.user, item.status)
    content = stock_item(call.state, item, seen(call, written(version, counted=False)))
    if tags is not None:
        content["tags"] = list(tags)  # returned even by versions that don't store them
    return Reply([content] if version.answers_list_to_create else content, 201)


def _asked_part(state: State, data: JsonObject) -> Part:
    number = str(data.get("part"))
    part = state.parts.get(int(number)) if number.isdecimal() else None
    if part is None:
        raise InvalidError({"part": "Valid part must be supplied"})
    return part


def _new_item_form(state: State, data: JsonObject, complaint: str | None) -> Form:
    """A form that already holds the error about the status, if there is one."""
    form = _item_form(state, data, partial=False)
    if complaint is not None:
        form.fail("status", complaint)
    return form


@dataclass(frozen=True)
class _AskedStatus:
    """The status that a new item is to get, as it was sent, and as a number; the error about one that is refused."""

    text: object = None
    number: int | None = None
    refusal: str | None = None

    @property
    def differs(self) -> bool:
        """Whether InvenTree tries to set it, because a new item has another one."""
        return bool(self.text) and self.number != OK


def _asked_status(version: Version, data: JsonObject) -> _AskedStatus:
    plain, custom = data.get("status", ""), data.pop("status_custom_key", None)
    refusal = None
    if "status" in data and str(plain) not in map(str, CLASSES["StockStatus"]):
        refusal = version.status_refusal(plain)
    asked = custom or data.pop("status", None)
    is_number = isinstance(asked, int) or (isinstance(asked, str) and asked.isdecimal() and version.takes_status_text)
    return _AskedStatus(asked, int(asked) if is_number else None, refusal)


def _asked_serials(state: State, part: Part, data: JsonObject) -> list[str]:
    text = data.get("serial_numbers")
    if not text:
        return []
    if not part.trackable:
        raise InvalidError({"serial_numbers": ["Serial numbers cannot be supplied for a non-trackable part"]})
    known = {item.serial for each in variants(state, part) for item in state.stock.find("part", each.pk)}
    serials = extract_serial_numbers(str(text), data["quantity"], known)
    taken = [serial for serial in serials if serial in known]
    if taken:
        complaints = state.version.taken_serials(taken)
        raise InvalidError({"serial_numbers": complaints})
    return serials


def _item_form(state: State, data: JsonObject, *, partial: bool) -> Form:
    """The editable fields of a stock item, checked one by one."""
    form = Form(data, partial=partial)
    part = form.row("part", state.parts, required=True)
    if part is not None and part.virtual:
        form.fail("part", "Stock item cannot be created for virtual parts")
    if "quantity" in data:
        amount = as_decimal(data["quantity"])
        if amount is None:
            form.fail("quantity", "Invalid value")
        else:
            form.values["quantity"] = amount
    form.row("location", state.locations, null=True)
    form.row("customer", state.companies, null=True)
    form.row("sales_order", state.sales_orders, null=True)
    form.row("belongs_to", state.stock, null=True)
    form.text("batch", longest=100)
    form.text("serial", longest=100, null=True)
    form.text("packaging", longest=50, null=True)
    form.text("notes", null=True)
    form.link("link", longest=state.version.longest_link)
    form.tags("tags")
    form.flag("delete_on_deplete")
    form.day("expiry_date")
    form.money("purchase_price")
    form.text("purchase_price_currency", longest=3)
    return form


def _check_quantity(quantity: Decimal, part: Part) -> None:
    """The model's own checks, which InvenTree makes after those of the fields."""
    complaint = precision_error(quantity)
    if complaint is not None:
        broken = part.trackable and quantity != int(quantity)
        raise InvalidError({"quantity": [complaint, *([NO_FRACTION] if broken else [])]})
    if quantity < 0:
        complaints = [
            "Ensure this value is greater than or equal to 0.",
            "Quantity must be greater than zero",
        ]
        raise InvalidError({"quantity": complaints})


def _create(
    call: Call, values: JsonObject, serial: str | None, status: _AskedStatus, *, in_bulk: bool = False
) -> StockItem:
    state = call.state
    item = StockItem(
        pk=state.stock.next_pk, creation_date=state.now, updated=state.now, **(values | {"serial": serial})
    )
    if status.number is not None:
        item = with_status(state, item, status.number)
    saved = save(state, item)
    if not in_bulk or call.state.version.numbered_items_stay:
        return saved
    # Serialised items are created in bulk, which skips the step that turns delete_on_deplete off.
    return state.stock.put(replace(saved, delete_on_deplete=item.delete_on_deplete))


def _write_created(state: State, item: StockItem, user: User | None, status: object) -> None:
    told = {"quantity": float(item.quantity)} if item.quantity else {}  # a quantity of 0 isn't recorded
    deltas = {"status": status} | told | place_of(item)
    write_history(state, item, CREATED, user, deltas, part=item.part)


def find_item(call: Call) -> StockItem:
    """The stock item in the path."""
    item = call.state.stock.get(call.pk)
    if item is None:
        raise NotFoundError.of_row("StockItem")
    return item


def read_item(call: Call) -> Reply:
    """One stock item."""
    extent = seen(call, Extent.asked(call.query, call.state.version, alone=True))
    return Reply(stock_item(call.state, find_item(call), extent))


def edit_item(call: Call) -> Reply:
    """Change fields of an item. Hardly anything is checked; only a status leaves a history entry."""
    state, item = call.state, find_item(call)
    data = call.row_fields()
    there = [*CLASSES["StockStatus"], *(row.key for row in state.custom_statuses)]
    statuses = Form({name: data.pop(name) for name in ("status", "status_custom_key") if name in data})
    for name in ("status", "status_custom_key"):
        statuses.choice(name, there, refusal=state.version.wrong_status)
    form = _item_form(state, data, partial=call.request.method == "PATCH")
    form.errors |= statuses.errors
    values = form.check()
    if "quantity" in values:
        _check_quantity(values["quantity"], state.parts[item.part])
    extent = seen(call, written(state.version, counted=True))
    before = stock_item(state, item, extent)
    changed = replace(item, **values)
    status = statuses.values.get("status_custom_key") or statuses.values.get("status")
    if status is not None:
        changed = with_status(state, changed, int(status))
        if state.version.keeps_custom_key:
            changed = replace(changed, status_custom_key=changed.status_custom_key or int(status))
    if changed.status != item.status:
        write_status_edit(state, item, changed, call.user)
    saved = save(state, changed)
    names = ("allocated", "child_items", "tracking_items", "expired", "stale")
    counts = {name: before[name] for name in names if name in before}
    return Reply(stock_item(state, saved, extent) | counts)


def delete_item(call: Call) -> Reply:
    """Delete an item, wherever it is."""
    delete(call.state, find_item(call))
    return Reply(status=204)


def delete_items(call: Call) -> Reply:
    """Delete the listed items."""
    numbers = call.data().get("items")
    if not numbers:
        raise InvalidError({"non_field_errors": call.state.version.nothing_to_delete})
    if not isinstance(numbers, list):
        raise InvalidError({"non_field_errors": "Items must be provided as a list"})
    found = [item for number in numbers if (item := call.state.stock.get(int(number))) is not None]
    if not found:
        raise InvalidError({"non_field_errors": "No items match the provided criteria"})
    for item in found:
        delete(call.state, item)
    return Reply(status=204)


def endpoints() -> list[Endpoint]:
    """The list and the single item."""
    guard = on_model("stockitem")
    return [
        Endpoint(
            "stock/",
            {"GET": list_items, "POST": create_items, "DELETE": delete_items},
            guard,
            also="PUT PATCH",
            also_when="edits_stock_in_bulk",
        ),
        Endpoint("stock/#/", {"GET": read_item, "PUT": edit_item, "PATCH": edit_item, "DELETE": delete_item}, guard),
    ]
