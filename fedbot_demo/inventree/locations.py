"""/api/stock/location/: the locations of stock."""

from __future__ import annotations

from dataclasses import replace

from fedbot_demo.inventree.endpoint import Call, Endpoint, on_model
from fedbot_demo.inventree.exchange import InvalidError, JsonObject, NotFoundError, Reply
from fedbot_demo.inventree.fields import Form
from fedbot_demo.inventree.listing import Query, ordered, page, search
from fedbot_demo.inventree.records import Location
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.stock_json import location_chain, location_full, pathstring
from fedbot_demo.inventree.stock_rows import delete
from fedbot_demo.inventree.trees import in_tree_order, location_branch


def location_json(state: State, location: Location) -> JsonObject:
    """A location with the number of items and locations in it, at all depths."""
    branch = location_branch(state, location)
    counts = {
        "items": sum(len(state.stock.find("location", pk)) for pk in branch),
        "sublocations": len(branch) - 1,
    }
    return location_full(state, location) | state.version.told("location.counts", counts)


def filtered(state: State, query: Query) -> list[Location]:
    """The locations that match all filters of the query: as a tree, or in the requested order."""
    found = in_tree_order(state.locations)
    parent = query.row("parent", state.locations)
    query.check()
    cascade = query.flag("cascade")
    if parent is not None:
        wanted = location_branch(state, parent) if cascade else {parent.pk}
        found = [each for each in found if each.parent in wanted]
    elif cascade is False or (query.flag("top_level") and not cascade):
        found = [each for each in found if each.parent is None]
    for name in ("structural", "external"):
        flag = query.flag(name)
        if flag is not None:
            found = [each for each in found if getattr(each, name) == flag]
    if query.text("name"):
        found = [each for each in found if each.name == query.text("name")]

    def path(location: Location) -> str:
        return pathstring(location_chain(state, location))

    found = search(found, query, lambda each: (each.name, each.description, path(each), *each.tags))
    place = {location.pk: number for number, location in enumerate(found)}
    keys = {
        "tree": lambda each: place[each.pk],
        "name": lambda each: each.name,
        "pathstring": path,
        "level": lambda each: len(location_chain(state, each)),
        "items": lambda each: location_json(state, each)["items"],
    }
    return ordered(found, query, keys, ("tree",))


def list_locations(call: Call) -> Reply:
    """The locations that match the filters."""
    rows = filtered(call.state, call.query)
    return page(call.request, call.query, rows, lambda each: location_json(call.state, each))


def _location_form(call: Call, location: Location | None) -> JsonObject:
    form = Form(call.row_fields(), partial=call.request.method == "PATCH")
    form.text("name", required=True, blank=False, longest=100)
    form.text("description", longest=250)
    parent = form.row("parent", call.state.locations, null=True)
    if location is not None and parent is not None and parent.pk in location_branch(call.state, location):
        form.fail("parent", "A node may not be made a child of any of its descendants.")
    form.flag("structural")
    form.flag("external")
    form.text("custom_icon", null=True, longest=100)
    return form.check()


def _save(call: Call, location: Location) -> Location:
    for other in call.state.locations.find("parent", location.parent):
        if other.name == location.name and other.pk != location.pk:
            raise InvalidError({"non_field_errors": ["Duplicate names cannot exist under the same parent"]})
    return call.state.locations.put(location)


def _written(call: Call, location: Location) -> JsonObject:
    chain = location_chain(call.state, location)
    path = [{"pk": each.pk, "name": each.name, "icon": each.custom_icon or ""} for each in chain]
    extra = call.state.version.told("location.written", {"path": path, "tags": list(location.tags), "parameters": []})
    return location_full(call.state, location) | extra


def create_location(call: Call) -> Reply:
    """Create a location."""
    values = _location_form(call, None)
    location = _save(call, Location(pk=call.state.locations.next_pk, **values))
    return Reply(_written(call, location), 201, call.state.version.created_at(f"/stock/location/{location.pk}/"))


def _find(call: Call) -> Location:
    location = call.state.locations.get(call.pk)
    if location is None:
        raise NotFoundError.of_row("StockLocation")
    return location


def read_location(call: Call) -> Reply:
    """One location."""
    return Reply(location_json(call.state, _find(call)))


def edit_location(call: Call) -> Reply:
    """Change or move a location."""
    location = _find(call)
    changed = _save(call, replace(location, **_location_form(call, location)))
    return Reply(_written(call, changed) | location_json(call.state, changed))


def delete_location(call: Call) -> Reply:
    """Delete a location. The request says whether its content moves to the parent location or is deleted too."""
    form = Form(call.row_fields())
    form.flag("delete_stock_items", required=True)
    form.flag("delete_sub_locations", required=True)
    values = form.check()
    state, location = call.state, _find(call)
    gone = location_branch(state, location) if values["delete_sub_locations"] else {location.pk}
    for item in [item for pk in gone for item in state.stock.find("location", pk)]:
        if values["delete_stock_items"]:
            delete(state, item)
        else:
            state.stock.put(replace(item, location=location.parent))
    for child in state.locations.find("parent", location.pk):
        if child.pk not in gone:
            state.locations.put(replace(child, parent=location.parent))
    for pk in gone:
        state.forget("stocklocation", pk)
        state.locations.remove(pk)
    return Reply(status=204)


def endpoints() -> list[Endpoint]:
    """The list and the single location."""
    guard = on_model("stocklocation")
    single = {"GET": read_location, "PUT": edit_location, "PATCH": edit_location, "DELETE": delete_location}
    return [
        Endpoint(
            "stock/location/",
            {"GET": list_locations, "POST": create_location},
            guard,
            also="PUT PATCH",
            also_when="edits_in_bulk",
        ),
        Endpoint("stock/location/#/", single, guard),
    ]
