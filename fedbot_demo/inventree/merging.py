"""Merge stock items: quantities add up, and the merged rows disappear (facts: 'Merging (type 45)')."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from fedbot_demo.inventree.exchange import JsonObject
from fedbot_demo.inventree.movements import Act, Extras, split
from fedbot_demo.inventree.records import Location, StockItem
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.statuses import MERGED, RETURNED_FROM_CUSTOMER
from fedbot_demo.inventree.stock_rows import change_status, delete, is_serialized, place_of, save


def merge_obstacle(item: StockItem, other: StockItem | None = None, *, mixed_status: bool = False) -> str | None:
    """Why `item` (with `other`) can't be merged; None if it can."""
    checks: list[tuple[bool, str]] = [
        (item.sales_order is not None, "Stock item has been assigned to a sales order"),
        (item.belongs_to is not None, "Stock item is installed in another item"),
        (item.customer is not None, "Stock item has been assigned to a customer"),
        (is_serialized(item), "Serialized stock cannot be merged"),
    ]
    if other is not None:
        checks += [
            (item.pk == other.pk, "Duplicate stock items"),
            (item.part != other.part, "Stock items must refer to the same part"),
            (item.status != other.status and not mixed_status, "Stock status codes must match"),
        ]
    return next((message for holds, message in checks if holds), None)


def merge(
    act: Act,
    target: StockItem,
    others: Sequence[StockItem],
    location: Location,
    *,
    mixed_status: bool = False,
    moved: JsonObject | None = None,
) -> None:
    """Merge `others` into `target`, which moves to `location`; do nothing if one of them can't be merged.

    `moved` is a transfer's addition to the history entry: the number of the moved item, and its new location.
    """
    state = act.state
    target = state.stock[target.pk]
    others = [state.stock[other.pk] for other in others]
    for other in others:
        for pair in ((target, other), (other, target)):
            if merge_obstacle(*pair, mixed_status=mixed_status) is not None:
                return
    price = _mixed_price([target, *others])
    merged = sum((other.quantity for other in others), Decimal(0))
    for other in others:
        for claim in state.allocations.find("item", other.pk):
            state.allocations.put(replace(claim, item=target.pk))
        delete(state, other)
        target = state.stock[target.pk]
    whole = replace(target, quantity=target.quantity + merged, location=location.pk, purchase_price=price)
    told: JsonObject = {"added": float(merged)} if state.version.merges_in_transfer else {"location": location.pk}
    deltas: JsonObject = {"quantity": float(whole.quantity)} | told | (moved or {})
    act.write(target, MERGED, deltas, part=target.part)
    save(state, whole)


def _mixed_price(items: Sequence[StockItem]) -> Decimal | None:
    priced = [(item.purchase_price, item.quantity) for item in items if item.purchase_price]
    total = sum((quantity for _, quantity in priced), Decimal(0))
    if not total:
        return items[0].purchase_price
    return round(sum((price * quantity for price, quantity in priced), Decimal(0)) / total, 6)


def merge_target(state: State, item: StockItem, location: Location) -> StockItem | None:
    """The item at `location` into which `item` would be merged: of the same part, preferably of the same batch."""
    if merge_obstacle(item) is not None:
        return None
    there = [
        other for other in state.stock.find("part", item.part) if other.location == location.pk and other.pk != item.pk
    ]
    there.sort(key=lambda other: (bool(item.batch) and other.batch != item.batch, other.pk))
    for other in there:
        if merge_obstacle(other, item) is None:
            return other
    return None


def move_and_merge(act: Act, item: StockItem, quantity: Decimal, location: Location, extras: Extras) -> bool:
    """Merge into an item at `location`. False if there is none, so the caller must do a plain move."""
    item = act.state.as_written(item)
    target = merge_target(act.state, item, location)
    if target is None:
        return False
    deltas: JsonObject = {"stockitem": item.pk, "location": location.pk}
    piece: StockItem | None = item
    if quantity < item.quantity:
        piece = split(act, item, quantity, location, extras, told=False)
    else:
        extras.applied(item, deltas)
    if piece is not None:
        merge(act, target, [piece], location, moved=deltas)
    return True


def take_back_whole(act: Act, item: StockItem, location: Location, status: int | None = None) -> None:
    """Return a whole item, away or not, as servers without `stock/return/` do.

    An item that returns to its parent's location is merged into the parent, and its number is gone.
    """
    state = act.state
    item = state.as_written(item)
    deltas: JsonObject = place_of(replace(item, location=location.pk))
    customer = state.companies.get(item.customer)
    if customer is not None:
        deltas |= {"customer": customer.pk, "customer_name": customer.name}
    back = replace(item, customer=None, sales_order=None, belongs_to=None, location=location.pk)
    back = save(state, change_status(state, back, status, deltas))
    for claim in state.allocations.find("item", back.pk):
        state.allocations.remove(claim.pk)
    act.write(back, RETURNED_FROM_CUSTOMER, deltas, part=back.part)
    parent = state.stock.get(back.parent)
    if parent is not None and parent.location == location.pk:
        merge(act, parent, [back], location)
