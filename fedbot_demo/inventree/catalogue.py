"""/api/part/: the parts, as the catalogue of stock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from fedbot_demo.inventree.attachments import is_picture
from fedbot_demo.inventree.endpoint import Call, Endpoint, Uploaded, on_model, valid_name
from fedbot_demo.inventree.exchange import InvalidError, JsonObject, NotFoundError, Reply
from fedbot_demo.inventree.fields import Form
from fedbot_demo.inventree.listing import Query, matches, ordered, page, same_text, search
from fedbot_demo.inventree.part_json import (
    PartStock,
    category_path,
    parameter_json,
    part_full,
    part_listed,
    part_written,
)
from fedbot_demo.inventree.records import Part
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.stock_rows import delete
from fedbot_demo.inventree.trees import category_branch

FLAGS = (
    "active",
    "assembly",
    "component",
    "consumable",
    "is_template",
    "locked",
    "purchaseable",
    "salable",
    "testable",
    "trackable",
    "virtual",
)

Test = Callable[[Part], bool]


def filtered(state: State, query: Query) -> list[Part]:
    """The parts that match all filters of the query, in its order. ?name= isn't a filter and is ignored."""
    tests = _plain_tests(state, query) + _stock_tests(state, query)
    query.check()
    found = [part for part in state.parts if all(test(part) for test in tests)]
    found = search(found, query, lambda part: _search_texts(state, part))
    keys: dict[str, Callable[[Part], object]] = {
        "id": lambda part: part.pk,
        "name": lambda part: part.name,
        "creation_date": lambda part: part.creation_date,
        "IPN": lambda part: part.IPN,
        "in_stock": lambda part: PartStock.of(state, part).here,
        "total_in_stock": lambda part: PartStock.of(state, part).total,
        "unallocated_stock": lambda part: PartStock.of(state, part).free,
        "category": lambda part: part.category,
        "default_location": lambda part: part.default_location,
        "units": lambda part: part.units,
        "revision": lambda part: part.revision,
    }
    return ordered(found, query, keys, ("name",))


def _search_texts(state: State, part: Part) -> list[str | None]:
    category = state.categories.get(part.category)
    above = None if category is None else category.name
    return [part.name, part.description, part.IPN, part.revision, part.keywords, above, *part.tags]


def _plain_tests(state: State, query: Query) -> list[Test]:
    tests: list[Test] = []

    def test(name: str, fits: Callable[[Part, str], bool]) -> None:
        value = query.text(name)
        if value:
            tests.append(lambda part: fits(part, value))

    test("IPN", lambda part, value: same_text(part.IPN, value))
    test("IPN_regex", lambda part, value: matches(value, part.IPN))
    test("name_regex", lambda part, value: matches(value, part.name))
    for name in FLAGS:
        wanted = query.flag(name)
        if wanted is not None:
            tests.append(lambda part, name=name, wanted=wanted: getattr(part, name) == wanted)  # type: ignore[misc]
    has_ipn = query.flag("has_ipn")
    if has_ipn is not None:
        tests.append(lambda part: bool(part.IPN) == has_ipn)
    parent = query.row("variant_of", state.parts)
    if parent is not None:
        tests.append(lambda part: part.variant_of == parent.pk)
    place = query.row("default_location", state.locations)
    if place is not None:
        tests.append(lambda part: part.default_location == place.pk)
    return tests + _category_tests(state, query)


def _category_tests(state: State, query: Query) -> list[Test]:
    asked = query.number_or_null("category")
    cascade = query.says_yes("cascade", otherwise=True)
    if asked is None or (asked == "null" and cascade):
        return []
    if not isinstance(asked, Decimal):
        return [lambda part: part.category is None]
    category = state.categories.get(int(asked))
    if not cascade:
        return [lambda part: part.category == int(asked)]
    if category is None:
        return []
    branch = category_branch(state, category)
    return [lambda part: part.category in branch]


def _stock_tests(state: State, query: Query) -> list[Test]:
    tests: list[Test] = []

    def test(name: str, holds: Callable[[Part, PartStock], bool]) -> None:
        wanted = query.flag(name)
        if wanted is not None:
            tests.append(lambda part: holds(part, PartStock.of(state, part)) == wanted)

    test("has_stock", lambda _part, stock: stock.here > 0)
    test("unallocated_stock", lambda _part, stock: stock.free > 0)
    test("depleted_stock", lambda _part, stock: stock.here == 0 and stock.items > 0)
    low = query.flag("low_stock")
    if low is True:
        tests.append(lambda part: part.minimum_stock > 0 and PartStock.of(state, part).total < part.minimum_stock)
    elif low is False:
        tests.append(lambda part: PartStock.of(state, part).total >= part.minimum_stock)
    return tests


def list_parts(call: Call) -> Reply:
    """The parts that match the filters."""
    state, query = call.state, call.query
    with_category = query.says_yes("category_detail", otherwise=False)
    with_path = query.says_yes("path_detail", otherwise=False)

    def represent(part: Part) -> JsonObject:
        content = part_listed(state, part)
        if with_category:
            content["category_detail"] = part_written(state, part)["category_detail"]
        if with_path:
            content["category_path"] = category_path(state, part)
        return content

    rows = state.listed_as(("part", *query.all_but_page()), lambda: filtered(state, query))
    return page(call.request, query, rows, represent)


def _part_form(call: Call) -> JsonObject:
    state = call.state
    form = Form(call.row_fields(), partial=call.request.method == "PATCH")
    form.text("name", required=True, blank=False, longest=100)
    form.text("description", longest=250)
    form.text("IPN", longest=100)
    form.text("revision", longest=100)
    form.text("keywords", null=True, longest=250)
    form.text("notes", null=True)
    form.unit("units", {called for row in state.custom_units for called in (row.name, row.symbol)})
    form.link("link", null=True)
    form.tags("tags")
    required = state.version.parts_need_category
    category = form.row("category", state.categories, null=not required, required=required)
    if category is not None and category.structural:
        form.fail("category", "Parts cannot be assigned to structural part categories!")
    form.row("default_location", state.locations, null=True)
    form.row("variant_of", state.parts, null=True)
    form.quantity("minimum_stock")
    form.quantity("maximum_stock")
    for flag in FLAGS:
        form.flag(flag)
    _image(form)
    return form.check()


def _image(form: Form) -> None:
    """The image, which only form data can hold; null removes it. Its first bytes must be those of a picture."""
    if "image" not in form.data:
        return
    file = form.data["image"]
    if file is None:
        form.values |= {"image": "", "picture": b""}
    elif not isinstance(file, Uploaded):
        form.fail("image", "The submitted data was not a file. Check the encoding type on the form.")
    elif not file.content:
        form.fail("image", "The submitted file is empty.")
    elif not is_picture(file.content):
        form.fail("image", NO_IMAGE)
    else:
        form.values |= {"image": f"/media/part_images/{valid_name(file.name)}", "picture": file.content}


NO_IMAGE = "Upload a valid image. The file you uploaded was either not an image or a corrupted image."


def _save(state: State, part: Part) -> Part:
    for other in state.parts:
        same = (other.name, other.IPN, other.revision) == (part.name, part.IPN, part.revision)
        if same and other.pk != part.pk:
            raise InvalidError({"non_field_errors": state.version.same_part})
    return state.parts.put(part)


def create_part(call: Call) -> Reply:
    """Create a part. It isn't salable by default; `metadata` is silently ignored."""
    state = call.state
    part = Part(pk=state.parts.next_pk, creation_date=state.today, creation_user=call.user.pk, **_part_form(call))
    if not state.version.keeps_notes_of_new_parts:
        part = replace(part, notes=None)
    return Reply(part_written(state, _save(state, part), counted=False), 201)


def find_part(call: Call) -> Part:
    """The part in the path."""
    part = call.state.parts.get(call.pk)
    if part is None:
        raise NotFoundError.of_row("Part")
    return part


def read_part(call: Call) -> Reply:
    """One part, with its notes."""
    part = find_part(call)
    content = part_full(call.state, part) | {"notes": part.notes}
    if call.query.says_yes("tags", otherwise=False):
        content["tags"] = list(part.tags)
    if call.query.says_yes("parameters", otherwise=False):
        rows = call.state.parameters.find("part", part.pk)
        content["parameters"] = [parameter_json(call.state, row) for row in rows]
    if call.query.says_yes("path_detail", otherwise=False):
        content["category_path"] = category_path(call.state, part)
    return Reply(content)


def edit_part(call: Call) -> Reply:
    """Change fields of a part."""
    part = _save(call.state, replace(find_part(call), **_part_form(call)))
    return Reply(part_written(call.state, part))


def delete_part(call: Call) -> Reply:
    """Delete an inactive part with all its stock and history."""
    state, part = call.state, find_part(call)
    if part.active:
        raise InvalidError({"non_field_errors": ["Cannot delete this part as it is still active"]})
    remove_part(state, part)
    return Reply(status=204)


def remove_part(state: State, part: Part) -> None:
    """Delete a part with all its stock and history."""
    for item in state.stock.find("part", part.pk):
        delete(state, item)
    for entry in state.tracking:
        if entry.part == part.pk:
            state.tracking.remove(entry.pk)
    state.forget("part", part.pk)
    state.parts.remove(part.pk)


def endpoints() -> list[Endpoint]:
    """The list and the single part."""
    guard = on_model("part")
    single = {"GET": read_part, "PUT": edit_part, "PATCH": edit_part, "DELETE": delete_part}
    return [
        Endpoint("part/", {"GET": list_parts, "POST": create_part}, guard, also="PUT PATCH", also_when="edits_in_bulk"),
        Endpoint("part/#/", single, guard),
    ]
