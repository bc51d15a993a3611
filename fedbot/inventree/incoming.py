"""The receiver's steps: create a missing part, create the item in Incoming, put it away, and write it off.

`POST stock/` leaves no notes in the history, so its mark is the item's `link`. No query finds a link, so the bot looks
through the part's items, newest and those in Incoming.
"""

from __future__ import annotations

from decimal import Decimal

from inventree.part import Part as Parts

from fedbot.inventree.client.rows import (
    Row,
    address,
    amount,
    exact_status,
    lines_for_notes,
    part_of,
    plain,
    quantity_text,
    same,
)
from fedbot.inventree.client.server import Places, Server
from fedbot.inventree.history import RETURNED, trace
from fedbot.inventree.marks import by_others, mirrored_at_once
from fedbot.inventree.returns import bring_back, keeps_status, set_status_of_returned
from fedbot.inventree.stock import found_moved, item_row, move_to, notes_of, rows_with_link, set_status
from fedbot.ports.inventory import OutcomeUnknown, Refusal
from fedbot.rules.model.diagnosis import Fault, ItemFault, Named, NameFault, OfItem, Plain
from fedbot.rules.model.steps import (
    BookInAgain,
    CreateItem,
    CreatePart,
    ItemCreated,
    MarkAsHere,
    PartCreated,
    PlacedAt,
    PutAway,
    WriteOff,
    WrittenOff,
)
from fedbot.rules.model.stock import STATUS_LOST, PartDescription, counts_pieces

# --- the part ----------------------------------------------------------------------------------------------


def find_part_created(server: Server, step: CreatePart) -> PartCreated | None:
    """Probe of `CreatePart`: a part with this name, IPN and revision, which InvenTree allows only once."""
    wanted = step.description
    query = {"IPN": plain(wanted.ipn)} if wanted.ipn else {"search": plain(wanted.name)}
    rows = server.api.rows("part/", **query)
    found = next((row for row in rows if _is(row, wanted)), None)
    return None if found is None else PartCreated(int(found["pk"]))


def create_part(server: Server, step: CreatePart) -> PartCreated:
    """Create the part as described. It is salable, so loans can be returned.

    Raises `Refusal` with reason `no-category` if the configured category isn't exactly one.
    """
    found = find_part_created(server, step)
    if found is not None:  # a person created it since the card was written
        return found
    wanted = step.description
    row = server.api.post(
        Parts.URL,
        {
            "name": plain(wanted.name),
            "IPN": plain(wanted.ipn),
            "description": plain(wanted.description),
            "keywords": plain(wanted.keywords),
            "units": "" if counts_pieces(wanted.units) else wanted.units,  # InvenTree refuses `Stück`
            "revision": plain(wanted.revision),
            "trackable": wanted.trackable,
            **category_for_new_parts(server),
            "link": address(step.link),
            "active": True,
            "component": True,
            "salable": True,
        },
    )
    if not isinstance(row, dict) or not isinstance(row.get("pk"), int):
        raise OutcomeUnknown(Plain(Fault.PART_NOT_NAMED))
    return PartCreated(row["pk"])


def category_for_new_parts(server: Server) -> dict[str, int]:
    """The field with the category of `new_part_category`; empty if that setting is empty."""
    word = server.settings.new_part_category
    if not word and server.version.takes_parts_without_category:
        return {}
    found = Places(server.api.rows("part/category/")).meant_by(word) if word else ()
    if len(found) != 1 or found[0].structural:
        raise Refusal(Named(NameFault.NO_CATEGORY, word))
    return {"category": found[0].pk}


def _is(row: Row, wanted: PartDescription) -> bool:
    """Whether InvenTree considers them the same part: name, IPN and revision together are unique."""
    pairs = (("name", wanted.name), ("IPN", wanted.ipn), ("revision", wanted.revision))
    return all(same(str(row.get(field) or ""), value) for field, value in pairs)


# --- the stock item ----------------------------------------------------------------------------------------


def find_item_created(server: Server, step: CreateItem) -> ItemCreated | None:
    """Probe of `CreateItem`: the item with our link, in Incoming, or where a person has moved it since.

    A split copies the link, so the oldest item with it is the one.
    """
    link = address(step.link)
    mine = [row for row in rows_with_link(server, step.part, link) if row.get("link") == link]
    if not mine:
        return None
    row = min(mine, key=lambda each: int(each["pk"]))
    return ItemCreated(int(row["pk"]), amount(row["quantity"]))


def create_item(server: Server, step: CreateItem) -> ItemCreated:
    """Create the item in Incoming and read it back.

    Raises `Refusal` with reason `serial` for a serial number that can't be given, `link-too-long`, or InvenTree's own
    refusal.
    """
    _can_be_created(server, step)
    _must_count_as_shown(server, step)
    content: dict[str, object] = {
        "part": step.part,
        "location": server.incoming.pk,
        "quantity": quantity_text(step.quantity),
        "link": address(step.link),
        "status": step.status,
    }
    if step.serial:
        content |= server.version.serial_field(step.serial)
    notes = lines_for_notes(by_others(line) for line in step.notes.split("\n"))
    optional = {"batch": plain(step.batch), "packaging": plain(step.packaging), "notes": notes}
    content |= {field: text for field, text in optional.items() if text}
    if step.expiry is not None:
        content["expiry_date"] = step.expiry.isoformat()
    row = _created(server, step, server.api.post("stock/", content))
    if str(row.get("serial") or "") != step.serial or row.get("link") != address(step.link):
        raise OutcomeUnknown(OfItem(ItemFault.NOT_AS_MADE, int(row["pk"])))
    pk = int(row["pk"])
    return ItemCreated(pk, amount(row["quantity"]), mirrored=mirrored_at_once(server, pk, step.mirror))


def _can_be_created(server: Server, step: CreateItem) -> None:
    if step.serial and step.quantity != 1:
        raise Refusal(Plain(Fault.SERIAL_OF_SEVERAL))
    if not server.version.can_be_given(step.serial):
        raise Refusal(Named(NameFault.SERIAL_NOT_TAKEN, step.serial))
    if len(address(step.link)) > server.version.longest_link:
        raise Refusal(Plain(Fault.LINK_TOO_LONG))


def _must_count_as_shown(server: Server, step: CreateItem) -> None:
    """Refuse if the part's unit is not the one on the card: 200 centimetres must not become 200 metres."""
    if step.units is None:
        return
    part = part_of(server.api.row(f"part/{step.part}/"))
    if server.units_told(part.units) != step.units:
        raise Refusal(Named(NameFault.PART_IN_OTHER_UNITS, part.name))


def _created(server: Server, step: CreateItem, reply: object) -> Row:
    """The new row, from InvenTree's answer, or read back if the answer lacks fields that are checked.

    Older versions don't return the key of a serialised item. Putting it away reads the row again.
    """
    told = server.version.created(reply)
    if told is not None:
        return told if {"serial", "link", "quantity"} <= set(told) else item_row(server, int(told["pk"]))
    found = find_item_created(server, step)
    if found is None:
        raise OutcomeUnknown(Plain(Fault.ITEM_NOT_THERE))
    return item_row(server, found.item)


# --- an item that was here before: one with a serial number, or one that was lost -----------------------------


def find_booked_in_again(server: Server, step: BookInAgain) -> ItemCreated | None:
    """Probe of `BookInAgain`: the item was returned from the customer under this mark, and its status was set."""
    marked = trace(server, step.mark, step.item)
    if marked.last(RETURNED, step.item) is None:
        return None
    row = item_row(server, step.item)
    if keeps_status(server, row, step.status) and all(entry.kind in RETURNED for entry in marked.entries):
        return None  # an earlier try stopped between the two calls
    return ItemCreated(step.item, amount(row["quantity"]))


def book_in_again(server: Server, step: BookInAgain) -> ItemCreated:
    """Return our own record with `stock/return/`. It has been with the peer's company since the item went there.

    A second record can't have the same serial number, not even while the first is with a customer. Renumbering the old
    record would leave no trace in the history, and can be switched off (STOCK_ALLOW_EDIT_SERIAL). So the old record
    continues. If an earlier try stopped before the status was set, this sets it. Raises `Refusal` with reason `serial`
    if it isn't that item, or isn't with the company any more.
    """
    row = item_row(server, step.item)
    notes = notes_of(step.mark, step.note)
    if keeps_status(server, row, step.status) and trace(server, step.mark, step.item).last(RETURNED, step.item):
        set_status_of_returned(server, step.item, step.status, notes)
        return ItemCreated(step.item, amount(row["quantity"]))
    known = (row.get("part"), str(row.get("serial") or ""), row.get("customer"))
    is_other_quantity = step.quantity is not None and amount(row["quantity"]) != step.quantity
    if known != (step.part, step.serial, step.company) or is_other_quantity:
        raise Refusal(OfItem(ItemFault.CHANGED_SINCE_CARD, step.item))
    bring_back(
        server,
        row,
        quantity=amount(row["quantity"]),
        status=step.status,
        location=server.incoming.pk,
        notes=notes,
    )
    row = item_row(server, step.item)
    if row.get("customer") is not None or row.get("location") != server.incoming.pk:
        raise OutcomeUnknown(OfItem(ItemFault.NOT_IN_INCOMING, step.item))
    return ItemCreated(step.item, amount(row["quantity"]))


# --- an item that was here before, by hand -------------------------------------------------------------------


def find_marked_as_here(server: Server, step: MarkAsHere) -> ItemCreated | None:
    """Probe of `MarkAsHere`."""
    found = found_moved(server, step.mark, step.item, None)
    return None if found is None else ItemCreated(step.item, step.quantity)


def mark_as_here(server: Server, step: MarkAsHere) -> ItemCreated:
    """Move the item to its own location: that puts the mark into its history and changes nothing else.

    Raises `Refusal` if the item differs from what the card showed.
    """
    row = item_row(server, step.item)
    if row.get("part") != step.part or why_not_here(server, row, step.quantity, step.serial):
        raise Refusal(OfItem(ItemFault.CHANGED_SINCE_CARD, step.item))
    location = row.get("location")
    move_to(
        server,
        mark=step.mark,
        item=step.item,
        quantity=step.quantity,
        location=server.place_for(step.part).pk if location is None else int(location),
        status=None,
        notes=notes_of(step.mark, step.note),
    )
    return ItemCreated(step.item, step.quantity)


def why_not_here(server: Server, row: Row, quantity: Decimal, serial: str) -> ItemFault | None:
    """The reason why this stock item of ours can't be the one that a friend lends; None if it can."""
    checks = (
        (not server.version.in_stock(row) or row.get("customer") is not None, ItemFault.NOT_IN_STOCK),
        (amount(row["quantity"]) != quantity, ItemFault.OTHER_QUANTITY),
        (not same(str(row.get("serial") or ""), serial), ItemFault.OTHER_SERIAL),
        (amount(row.get("allocated")) > 0, ItemFault.ALLOCATED),
    )
    return next((fault for wrong, fault in checks if wrong), None)


# --- putting away ------------------------------------------------------------------------------------------


def find_put_away(server: Server, step: PutAway) -> PlacedAt | None:
    """Probe of `PutAway`."""
    return found_moved(server, step.mark, step.item, None)


def put_away(server: Server, step: PutAway) -> PlacedAt:
    """Move the item from Incoming to its destination, with 'received from …' in the history.

    It is moved even if the destination is Incoming itself: that leaves an entry of type 25 in the history.
    """
    location = step.location
    if server.place(location) is None:
        location = server.place_for(item_row(server, step.item)["part"]).pk
    return move_to(
        server,
        mark=step.mark,
        item=step.item,
        quantity=step.quantity,
        location=location if location is not None else server.incoming.pk,
        status=None,
        notes=notes_of(step.mark, step.note),
    )


# --- borrowed items that are lost ----------------------------------------------------------------------------


def find_written_off(server: Server, step: WriteOff) -> WrittenOff | None:
    """Probe of `WriteOff`."""
    is_lost = exact_status(item_row(server, step.item)) == STATUS_LOST
    return WrittenOff(step.item) if is_lost and trace(server, step.mark, step.item).stands else None


def write_off(server: Server, step: WriteOff) -> WrittenOff:
    """Give the item the status 'lost'. It is no longer in stock, and keeps its history.

    Raises `Refusal` with one of: gone, not-in-stock, too-much, allocated.
    """
    row = item_row(server, step.item)
    here = server.version.in_stock(row) and row.get("customer") is None
    checks = (
        (not here, ItemFault.NOT_IN_STOCK),
        (amount(row["quantity"]) > step.quantity, ItemFault.MORE_THAN_BORROWED),
        (amount(row.get("allocated")) > 0, ItemFault.ALLOCATED),
    )
    for wrong, fault in checks:
        if wrong:
            raise Refusal(OfItem(fault, step.item))
    set_status(server, item=step.item, status=STATUS_LOST, notes=notes_of(step.mark, step.note))
    if exact_status(item_row(server, step.item)) != STATUS_LOST:
        raise OutcomeUnknown(OfItem(ItemFault.NOT_LOST, step.item))
    return WrittenOff(step.item)
