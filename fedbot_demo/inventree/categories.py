"""/api/part/category/: the tree of part categories."""

from __future__ import annotations

from dataclasses import replace

from fedbot_demo.inventree.catalogue import remove_part
from fedbot_demo.inventree.endpoint import Call, Endpoint, on_model
from fedbot_demo.inventree.exchange import InvalidError, JsonObject, NotFoundError, Reply
from fedbot_demo.inventree.fields import Form
from fedbot_demo.inventree.listing import Query, ordered, page, search
from fedbot_demo.inventree.part_json import category_chain, category_json
from fedbot_demo.inventree.records import Category
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.trees import category_branch, in_tree_order


def filtered(state: State, query: Query) -> list[Category]:
    """The categories that match all filters of the query: as a tree, or in the requested order."""
    found = in_tree_order(state.categories)
    parent = query.row("parent", state.categories)
    query.check()
    cascade = query.flag("cascade")
    if parent is not None:
        wanted = category_branch(state, parent) if cascade else {parent.pk}
        found = [each for each in found if each.parent in wanted]
    elif cascade is False or (query.flag("top_level") and not cascade):
        found = [each for each in found if each.parent is None]
    structural = query.flag("structural")
    if structural is not None:
        found = [each for each in found if each.structural == structural]
    if query.text("name"):
        found = [each for each in found if each.name == query.text("name")]
    found = search(found, query, lambda each: (each.name, each.description))
    place = {category.pk: number for number, category in enumerate(found)}
    keys = {
        "tree": lambda each: place[each.pk],
        "name": lambda each: each.name,
        "level": lambda each: len(category_chain(state, each)),
    }
    return ordered(found, query, keys, ("tree",))


def list_categories(call: Call) -> Reply:
    """The categories that match the filters."""
    rows = filtered(call.state, call.query)
    return page(call.request, call.query, rows, lambda each: category_json(call.state, each))


def _category_form(call: Call) -> JsonObject:
    form = Form(call.row_fields(), partial=call.request.method == "PATCH")
    form.text("name", required=True, blank=False, longest=100)
    form.text("description", longest=250)
    form.row("parent", call.state.categories, null=True)
    form.text("default_keywords", null=True, longest=250)
    form.row("default_location", call.state.locations, null=True)
    form.flag("structural")
    return form.check()


def _save(state: State, category: Category) -> Category:
    for other in state.categories.find("parent", category.parent):
        if other.name == category.name and other.pk != category.pk:
            raise InvalidError({"non_field_errors": ["Duplicate names cannot exist under the same parent"]})
    return state.categories.put(category)


def _written(call: Call, category: Category) -> JsonObject:
    path = [{"pk": each.pk, "name": each.name} for each in category_chain(call.state, category)]
    return category_json(call.state, category) | call.state.version.told(
        "category.written", {"path": path, "parameters": []}
    )


def create_category(call: Call) -> Reply:
    """Create a category."""
    category = _save(call.state, Category(pk=call.state.categories.next_pk, **_category_form(call)))
    version = call.state.version
    content = _written(call, category) | {"part_count": None, "subcategories": None}
    if not version.tells_counts_as_null:
        for name in ("part_count", "subcategories", "parent_default_location"):
            content.pop(name, None)
    return Reply(content, 201, version.created_at(f"/part/category/{category.pk}/"))


def _find(call: Call) -> Category:
    category = call.state.categories.get(call.pk)
    if category is None:
        raise NotFoundError.of_row("PartCategory")
    return category


def read_category(call: Call) -> Reply:
    """One category."""
    return Reply(category_json(call.state, _find(call)))


def edit_category(call: Call) -> Reply:
    """Change a category."""
    return Reply(_written(call, _save(call.state, replace(_find(call), **_category_form(call)))))


def delete_category(call: Call) -> Reply:
    """Delete a category. The request says whether its content moves to the parent category or is deleted too.

    Active parts are deleted with their category (tested on a real server).
    """
    form = Form(call.row_fields())
    form.flag("delete_child_categories", required=True)
    form.flag("delete_parts", required=True)
    values = form.check()
    state, category = call.state, _find(call)
    gone = category_branch(state, category) if values["delete_child_categories"] else {category.pk}
    for part in [part for pk in gone for part in state.parts.find("category", pk)]:
        if values["delete_parts"]:
            remove_part(state, part)
        else:
            state.parts.put(replace(part, category=category.parent))
    for child in state.categories.find("parent", category.pk):
        if child.pk not in gone:
            state.categories.put(replace(child, parent=category.parent))
    for pk in gone:
        state.forget("partcategory", pk)
        state.categories.remove(pk)
    return Reply(status=204)


def endpoints() -> list[Endpoint]:
    """The list and the single category."""
    guard = on_model("partcategory")
    single = {"GET": read_category, "PUT": edit_category, "PATCH": edit_category, "DELETE": delete_category}
    return [
        Endpoint(
            "part/category/",
            {"GET": list_categories, "POST": create_category},
            guard,
            also="PUT PATCH",
            also_when="edits_in_bulk",
        ),
        Endpoint("part/category/#/", single, guard),
    ]
