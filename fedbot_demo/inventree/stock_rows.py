"""Stock items as rows: their properties, and how one is saved, changed in status and deleted.

Facts: 'Status matters', 'Custom status', first facts (split copies).
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from fedbot_demo.inventree.exchange import InvalidError, JsonObject
from fedbot_demo.inventree.records import ZERO, StockItem, TrackingEntry, User
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.statuses import AVAILABLE, CLASSES, SALES_ORDERS_OPEN


def is_serialized(item: StockItem) -> bool:
    """Whether the item is a single thing with a serial number."""
    return bool((item.serial or "").strip()) and item.quantity == 1


def is_held(item: StockItem) -> bool:
    """Whether the item is here: with no customer, in no order, in no other item."""
    return item.customer is None and item.sales_order is None and item.belongs_to is None


def is_in_stock(item: StockItem) -> bool:
    """InvenTree's "in stock": here, not empty, and in an available status."""
    return item.quantity > 0 and item.status in AVAILABLE and is_held(item)


def place_of(item: StockItem) -> JsonObject:
    """The location of an item as its history entries name it; empty if it has none."""
    return {} if item.location is None else {"location": item.location}


def allocated(state: State, item: StockItem) -> Decimal:
    """The quantity that is allocated to orders."""
    return sum((each.quantity for each in state.allocations.find("item", item.pk)), ZERO)


def has_status(item: StockItem, status: int) -> bool:
    """Whether `status` is the item's logical or its custom status."""
    return status in (item.status, item.status_custom_key)


def with_status(state: State, item: StockItem, status: int) -> StockItem:
    """The item with this status, logical or custom; an unknown one is silently ignored."""
    if status in CLASSES["StockStatus"]:
        return replace(item, status=status, status_custom_key=None)
    for custom in state.custom_statuses:
        if custom.key == status and custom.reference_status == "StockStatus":
            return replace(item, status=custom.logical_key, status_custom_key=custom.key)
    return item


def change_status(state: State, item: StockItem, status: int | None, deltas: JsonObject) -> StockItem:
    """The item with this status; a change is added to `deltas`."""
    if not status or has_status(item, status):
        return item
    changed = with_status(state, item, status)
    deltas["status"] = status
    deltas["status_logical"] = changed.status
    deltas["old_status"] = item.status_custom_key or item.status
    deltas["old_status_logical"] = item.status
    return changed


NO_FRACTION = "Quantity must be integer value for trackable parts"


def save(state: State, item: StockItem) -> StockItem:
    """Check the item as InvenTree does on every save, and store it with the current time.

    Raises:
        InvalidError: The item isn't valid.
    """
    part = state.parts[item.part]
    location = state.locations.get(item.location)
    if location is not None and location.structural:
        raise InvalidError({"location": ["Stock items cannot be located into structural stock locations!"]})
    if part.trackable and item.quantity != int(item.quantity):
        raise InvalidError({"quantity": [NO_FRACTION]})
    if part.virtual:
        raise InvalidError({"part": ["Stock item cannot be created for virtual parts"]})
    if item.serial:
        item = _checked_serial(state, item)
    return state.stock.put(replace(item, batch=item.batch.strip(), updated=state.now))


def _checked_serial(state: State, item: StockItem) -> StockItem:
    if item.quantity > 1:
        raise InvalidError(
            {
                "quantity": ["Quantity must be 1 for item with a serial number"],
                "serial": ["Serial number cannot be set if quantity greater than 1"],
            }
        )
    for other in state.stock.find("part", item.part):
        if other.serial == item.serial and other.pk != item.pk:
            raise InvalidError({"serial": ["Stock item with this serial number already exists"]})
    return replace(item, quantity=item.quantity or Decimal(1), delete_on_deplete=False)


def can_delete(state: State, item: StockItem) -> bool:
    """Whether InvenTree deletes a depleted item: not if it is allocated to an order."""
    if item.sales_order is not None:
        return False
    orders = [state.sales_orders.get(each.sales_order) for each in state.allocations.find("item", item.pk)]
    return not any(order is not None and order.status in SALES_ORDERS_OPEN for order in orders)


def delete(state: State, item: StockItem) -> None:
    """Delete the item: its children move to its parent, its history stays, its allocations and test results go."""
    for child in state.stock.find("parent", item.pk):
        state.stock.put(replace(child, parent=item.parent))
    for entry in state.tracking.find("item", item.pk):
        if state.version.history_outlives_items:
            state.tracking.put(replace(entry, item=None))
        else:
            state.tracking.remove(entry.pk)
    for claim in state.allocations.find("item", item.pk):
        state.allocations.remove(claim.pk)
    for result in state.test_results.find("stock_item", item.pk):
        state.test_results.remove(result.pk)
    state.forget("stockitem", item.pk)
    state.stock.remove(item.pk)


def set_quantity(state: State, item: StockItem, quantity: Decimal) -> StockItem | None:
    """The item with another quantity, at least 0. None if it was depleted and deleted."""
    quantity = max(quantity, ZERO)
    if is_serialized(item) or quantity == item.quantity:
        return item
    changed = replace(item, quantity=quantity)
    if quantity == 0 and item.delete_on_deplete and can_delete(state, item):
        delete(state, item)
        return None
    return save(state, changed)


def write_history(
    state: State,
    item: StockItem | None,
    kind: int,
    user: User | None,
    deltas: JsonObject,
    *,
    part: int | None,
    notes: str = "",
) -> TrackingEntry:
    """Add an entry to an item's history. `item` is None for the entry about its deletion."""
    return state.tracking.put(
        TrackingEntry(
            pk=state.tracking.next_pk,
            item=None if item is None else item.pk,
            part=part,
            date=state.now,
            tracking_type=kind,
            notes=notes,
            user=None if user is None else user.pk,
            deltas=state.version.deltas(kind, deltas),
        )
    )
