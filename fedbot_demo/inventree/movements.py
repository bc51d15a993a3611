"""Changes of stock (split, move, add, remove, count, assign, return) and their history entries.

Pure functions on the state; `stock_actions` maps requests to them. Facts: (a), 'The chain that works on all four
versions', 'More on the chain'.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from fedbot_demo.inventree.exchange import InvalidError, JsonObject
from fedbot_demo.inventree.records import Company, Location, StockItem, User
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.statuses import (
    ADDED,
    COUNTED,
    EDITED,
    MOVED,
    REMOVED,
    RETURNED_TO_STOCK,
    SENT_TO_CUSTOMER,
    SPLIT_CHILD,
    SPLIT_FROM_PARENT,
    UPDATED,
)
from fedbot_demo.inventree.stock_rows import (
    change_status,
    is_held,
    is_in_stock,
    is_serialized,
    save,
    set_quantity,
    write_history,
)


@dataclass(frozen=True, slots=True)
class Extras:
    """Other changes of an item within a stock action; None leaves the value."""

    batch: str | None = None
    status: int | None = None
    packaging: str | None = None

    def applied(self, item: StockItem, deltas: JsonObject) -> StockItem:
        """The item with batch and packaging changed; the changes are added to `deltas`."""
        if self.batch:
            item = replace(item, batch=self.batch)
            deltas["batch"] = self.batch
        if self.packaging:
            item = replace(item, packaging=self.packaging)
            deltas["packaging"] = self.packaging
        return item


NO_EXTRAS = Extras()


@dataclass(frozen=True, slots=True)
class Act:
    """The user, the user's note, and the state of one action."""

    state: State
    user: User | None
    notes: str = ""

    def write(self, item: StockItem | None, kind: int, deltas: JsonObject, *, part: int) -> None:
        """Add an entry to the history of `item`."""
        write_history(self.state, item, kind, self.user, deltas, part=part, notes=self.notes)


def split(
    act: Act,
    item: StockItem,
    quantity: Decimal,
    location: Location | None = None,
    extras: Extras = NO_EXTRAS,
    *,
    told: bool = True,
) -> StockItem | None:
    """Split `quantity` off `item` into a new item: a copy with its metadata and test results, but without its tags.

    Returns the new item; None if there is nothing to split (serialised, 0 or all of it). The child's history entry
    (type 40) comes before the parent's (42). With `told` False neither is written.
    """
    state = act.state
    if is_serialized(item) or quantity <= 0 or quantity >= item.quantity:
        return None
    deltas: JsonObject = {"stockitem": item.pk}
    child = replace(
        item,
        pk=state.stock.next_pk,
        quantity=quantity,
        location=item.location if location is None else location.pk,
        parent=item.pk,
        creation_date=state.now,
        tags=(),
    )
    child = extras.applied(change_status(state, child, extras.status, deltas), deltas)
    if extras.status and state.version.tells_status_of_split:
        deltas["status"] = extras.status
    child = save(state, child)
    copied = state.metadata_of("stockitem", item.pk)
    if copied is not None:
        state.write_metadata("stockitem", child.pk, dict(copied.content))
    for result in state.test_results.find("stock_item", item.pk):
        state.test_results.put(replace(result, pk=state.test_results.next_pk, stock_item=child.pk))
    if told:
        place: JsonObject = {} if location is None else {"location": location.pk}
        deltas |= {"quantity": float(quantity)} | place
        act.write(child, SPLIT_FROM_PARENT, deltas, part=item.part)
    rest = save(state, replace(item, quantity=item.quantity - quantity))
    if told:
        left = {"removed": float(quantity), "quantity": float(rest.quantity), "stockitem": child.pk} | place
        act.write(rest, SPLIT_CHILD, left, part=item.part)
    return child


def move(act: Act, item: StockItem, quantity: Decimal, location: Location, extras: Extras = NO_EXTRAS) -> None:
    """Move `quantity` of `item` to `location`. A partial quantity is split off; a whole item keeps its number.

    A larger quantity silently moves all of it. The history then shows the requested quantity.

    Raises:
        InvalidError: The item is empty or no longer here.
    """
    state = act.state
    item = state.as_written(item)
    here = is_in_stock(item) if state.version.moves_available_only else item.quantity > 0 and is_held(item)
    if not here:
        raise InvalidError({"non_field_errors": ["StockItem cannot be moved as it is not in stock"]})
    if quantity == 0:
        return
    if quantity < item.quantity:
        split(act, item, quantity, location, extras)
        return
    deltas: JsonObject = {"quantity": float(quantity)}
    stays = location.pk == item.location
    if not stays:
        deltas["location"] = location.pk
    moved = replace(item, location=location.pk)
    moved = extras.applied(change_status(state, moved, extras.status, deltas), deltas)
    if not (stays and not act.notes and state.version.leaves_out(UPDATED, deltas)):
        act.write(item, UPDATED if stays else MOVED, deltas, part=item.part)
    if moved.status != item.status and state.version.tells_moved_status_apart:
        write_status_edit(state, item, moved, user=None)
    save(state, moved)


def add(act: Act, item: StockItem, quantity: Decimal, extras: Extras = NO_EXTRAS) -> None:
    """Add `quantity` to the item; a serialised item silently stays as it is."""
    state = act.state
    item = state.as_written(item)
    if is_serialized(item) or quantity <= 0:
        return
    deltas: JsonObject = {}
    changed = change_status(state, item, extras.status, deltas)
    grown = save(state, replace(changed, quantity=item.quantity + quantity))
    deltas |= {"added": float(quantity), "quantity": float(grown.quantity)}
    grown = save(state, extras.applied(grown, deltas))
    act.write(grown, ADDED, deltas, part=item.part)


def remove(act: Act, item: StockItem, quantity: Decimal, extras: Extras = NO_EXTRAS) -> bool:
    """Remove `quantity` from the item, at most all of it. False if it was depleted and deleted."""
    state = act.state
    item = state.as_written(item)
    quantity = min(quantity, item.quantity)
    if is_serialized(item) or quantity <= 0:
        return True
    deltas: JsonObject = {}
    changed = change_status(state, item, extras.status, deltas)
    left = set_quantity(state, changed, item.quantity - quantity)
    deltas |= {"removed": float(quantity), "quantity": float(item.quantity - quantity)}
    if left is not None:
        left = save(state, extras.applied(left, deltas))
    if left is not None or state.version.history_outlives_items:
        act.write(left, REMOVED, deltas, part=item.part)
    return left is not None


def count(act: Act, item: StockItem, quantity: Decimal, location: Location | None, extras: Extras = NO_EXTRAS) -> bool:
    """Set the counted quantity, here or at `location`. False if it is 0 and the item was deleted."""
    state = act.state
    item = state.as_written(item)
    deltas: JsonObject = {}
    changed = item
    if location is not None and location.pk != item.location:
        changed = replace(changed, location=location.pk)
        deltas |= {"location": location.pk, "old_location": item.location}
    changed = extras.applied(change_status(state, changed, extras.status, deltas), deltas)
    serialized = is_serialized(item)
    if deltas or serialized or quantity != item.quantity:
        user = None if act.user is None else act.user.pk
        changed = replace(changed, stocktake_date=state.today, stocktake_user=user)
    left: StockItem | None = changed
    if not serialized:
        left = set_quantity(state, changed, quantity)
    if left is not None and changed != item:
        left = save(state, left)
    if serialized and not state.version.counts_numbered:
        return True
    deltas["quantity"] = 1 if serialized else float(quantity)
    act.write(left, COUNTED, deltas, part=item.part)
    return left is not None


def assign(act: Act, item: StockItem, customer: Company) -> None:
    """Assign the whole item to a customer: it loses its location and leaves the stock."""
    state = act.state
    item = state.as_written(item)
    handed = save(state, replace(item, customer=customer.pk, location=None, sales_order=None))
    deltas = {"quantity": float(item.quantity), "customer": customer.pk, "customer_name": customer.name}
    act.write(handed, SENT_TO_CUSTOMER, deltas, part=item.part)


def take_back(
    act: Act, item: StockItem, quantity: Decimal, location: Location, extras: Extras = NO_EXTRAS
) -> StockItem:
    """Return `quantity` of an item to stock at `location`. A partial quantity is split off first, without a note.

    A changed status appears twice: in an entry 'edited' without a user, and in the return itself.

    Raises:
        InvalidError: There isn't that much of it.
    """
    state = act.state
    item = state.as_written(item)
    if not is_serialized(item):
        if quantity > item.quantity:
            raise InvalidError({"quantity": ["Quantity exceeds available stock"]})
        item = split(replace(act, notes=""), item, quantity) or item
    deltas: JsonObject = {"quantity": float(quantity), "location": location.pk}
    customer = state.companies.get(item.customer)
    if customer is not None:
        deltas |= {"customer": customer.pk, "customer_name": customer.name}
    back = replace(item, customer=None, sales_order=None, belongs_to=None, location=location.pk)
    back = change_status(state, back, extras.status, deltas)
    if back.status != item.status:
        write_status_edit(act.state, item, back, user=None)
    back = save(state, back)
    for claim in state.allocations.find("item", back.pk):
        state.allocations.remove(claim.pk)
    act.write(back, RETURNED_TO_STOCK, deltas, part=back.part)
    return back


def write_status_edit(state: State, before: StockItem, after: StockItem, user: User | None) -> None:
    """Write the entry (type 5) that InvenTree adds when an item is saved with another logical status."""
    deltas = {
        "status": after.status_custom_key or after.status,
        "status_logical": after.status,
        "old_status": before.status_custom_key or before.status,
        "old_status_logical": before.status,
    }
    write_history(state, after, EDITED, user, deltas, part=after.part)
