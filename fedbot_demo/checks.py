"""The demo's summary: compare what both inventories should hold after the story with what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from fedbot_demo.inventree.statuses import DAMAGED, OK, SENT_TO_CUSTOMER
from fedbot_demo.stage import Space
from fedbot_demo.stocktake import HistoryEntry, StockItem

#: The actions of an account that can only view.
_LOOKS_ONLY = frozenset({"view"})


#: The stock rows of both spaces' InvenTrees, the first space's first.
Inventories: TypeAlias = tuple[list[StockItem], list[StockItem]]


@dataclass(frozen=True)
class Check:
    """One expectation. `found` is what was there instead, or in addition."""

    what: str
    good: bool
    found: str


@dataclass(frozen=True)
class Handover:
    """The items that the story hands over."""

    ipn: str
    quantity: Decimal
    asker: str
    approver: str
    transfer: str
    card: str


def shown(quantity: Decimal) -> str:
    """A quantity as people write it."""
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def in_stock(items: Sequence[StockItem], ipn: str) -> Decimal:
    """The quantity of a part that the makerspace has in stock."""
    return sum((item.quantity for item in items if item.ipn == ipn and item.in_stock), Decimal(0))


def new_items(before: Sequence[StockItem], after: Sequence[StockItem]) -> list[StockItem]:
    """The rows of `after` that are not in `before`."""
    known = {item.pk for item in before}
    return [item for item in after if item.pk not in known]


async def check_sender(sender: Space, receiver: Space, handover: Handover, before: Sequence[StockItem]) -> list[Check]:
    """Check the sender's InvenTree after a handover."""
    async with sender.stocktake() as stocktake:
        after = await stocktake.items()
        given = [item for item in new_items(before, after) if item.customer]
        history = [entry for item in given for entry in await stocktake.history(item.pk)]
    checks = [
        _amount(sender, handover, before, after, -handover.quantity),
        Check(
            f"{sender.name}: one new item of {shown(handover.quantity)} × {handover.ipn},"
            f" with customer {receiver.name}, status OK",
            [(i.ipn, i.quantity, i.customer, i.status) for i in given]
            == [(handover.ipn, handover.quantity, receiver.name, OK)],
            _rows(given),
        ),
        _history(sender, "given", handover, [entry for entry in history if entry.kind == SENT_TO_CUSTOMER]),
    ]
    return [*checks, _rest(sender, handover, before, after)]


async def check_receiver(
    receiver: Space, sender: Space, handover: Handover, before: Sequence[StockItem]
) -> list[Check]:
    """Check the receiver's InvenTree after a handover."""
    async with receiver.stocktake() as stocktake:
        after = await stocktake.items()
        new = new_items(before, after)
        history = [entry for item in new for entry in await stocktake.history(item.pk)]
        notes = [(await stocktake.metadata("stockitem", item.pk)).get("fedbot", {}) for item in new]
    place = receiver.cast.destination
    linked = [item.link for item in new if handover.card in item.link]
    return [
        _amount(receiver, handover, before, after, handover.quantity),
        Check(
            f"{receiver.name}: one new item of {shown(handover.quantity)} × {handover.ipn} in {place}",
            [(i.ipn, i.quantity, i.place) for i in new] == [(handover.ipn, handover.quantity, place)],
            _rows(new),
        ),
        _history(receiver, f"received from {sender.name}", handover, history),
        Check(
            f"{receiver.name}: the new item links to the card in the room",
            len(linked) == len(new) == 1,
            ", ".join(item.link for item in new) or "no item",
        ),
        Check(
            f"{receiver.name}: its metadata says that it comes from {sender.party}",
            [each.get("origin") for each in notes] == [sender.party],
            str([each.get("origin") for each in notes]),
        ),
        _rest(receiver, handover, before, after),
    ]


async def check_loan(owner: Space, borrower: Space, item: int, lent: Inventories, back: Inventories) -> list[Check]:
    """Check a whole stock item that was lent and came back damaged."""
    out = next(row for row in lent[0] if row.pk == item)
    home = next(row for row in back[0] if row.pk == item)
    had = [row for row in lent[1] if row.ipn == out.ipn and row.in_stock and row.serial == out.serial]
    left = [row for row in back[1] if row.ipn == out.ipn and row.in_stock and row.serial == out.serial]
    async with owner.stocktake() as stocktake:
        notes = [entry.notes for entry in await stocktake.history(item) if entry.notes]
    return [
        Check(
            f"{owner.name}: while it was lent, #{item} was with {borrower.name}",
            out.customer == borrower.name,
            str(out),
        ),
        Check(f"{borrower.name}: while it was lent, it was in stock", len(had) == 1, _rows(had)),
        Check(
            f"{owner.name}: #{item} is back where it was, the same item", bool(home.place) and home.in_stock, str(home)
        ),
        Check(f"{owner.name}: its status is 'damaged'", home.status == DAMAGED, str(home.status)),
        Check(f"{owner.name}: its history tells of both ways", any("lent" in note for note in notes), "; ".join(notes)),
        Check(f"{borrower.name}: it is not in stock any more", not left, _rows(left)),
    ]


async def check_access(space: Space, peer: Space) -> list[Check]:
    """Check the peer's account: it can only view, and has one valid, used token.

    Before 1.0 an admin makes the account by hand, and InvenTree shows neither roles nor others' tokens. Nothing is
    checked then.
    """
    name = f"fed-{peer.party}-1"
    if not space.version.edits_rule_sets:
        return []
    async with space.stocktake() as stocktake:
        users = [user for user in await stocktake.users() if user["username"] == name]
        groups = [group["pk"] for user in users for group in user["groups"]]
        roles = [await stocktake.roles(group) for group in groups]
        tokens = [token for token in await stocktake.tokens() if token["user_detail"]["username"] == name]
    actions = {action for role in roles for may in role.values() for action in may.split()}
    return [
        Check(
            f"{space.name}: an account {name} for {peer.name} with view permissions only",
            len(users) == 1 and actions == _LOOKS_ONLY,
            f"{len(users)} accounts, roles {roles}",
        ),
        Check(
            f"{space.name}: one active token for that account, tried by the bot",
            len(tokens) == 1 and tokens[0]["active"] and bool(tokens[0]["last_seen"]),
            ", ".join(f"{t['name']} until {t['expiry']}, last used {t['last_seen']}" for t in tokens) or "no token",
        ),
    ]


async def check_no_access(space: Space, peer: Space) -> list[Check]:
    """Check that the ended friendship left a disabled account, no token and an inactive company.

    Before 1.0 an admin disables the account by hand. Nothing is checked then.
    """
    name = f"fed-{peer.party}-1"
    if not space.version.edits_rule_sets:
        return []
    async with space.stocktake() as stocktake:
        users = [user for user in await stocktake.users() if user["username"] == name]
        tokens = [token for token in await stocktake.tokens() if token["user_detail"]["username"] == name]
        companies = [company for company in await stocktake.companies() if company["name"] == peer.name]
    valid = [token for token in tokens if token["active"]]
    return [
        Check(
            f"{space.name}: {peer.name}'s account is shut and has no valid token",
            [user["is_active"] for user in users] == [False] and not valid,
            f"active: {[user['is_active'] for user in users]}, {len(valid)} valid tokens",
        ),
        Check(
            f"{space.name}: the company {peer.name} is closed, and still there for the history",
            [company["active"] for company in companies] == [False],
            f"active: {[company['active'] for company in companies]}",
        ),
    ]


def _amount(
    space: Space, handover: Handover, before: Sequence[StockItem], after: Sequence[StockItem], change: Decimal
) -> Check:
    had, has = in_stock(before, handover.ipn), in_stock(after, handover.ipn)
    verb = "more" if change > 0 else "less"
    return Check(
        f"{space.name}: {shown(abs(change))} {verb} of {handover.ipn} in stock, {shown(had)} → {shown(had + change)}",
        has == had + change,
        shown(has),
    )


def _history(space: Space, words: str, handover: Handover, entries: Sequence[HistoryEntry]) -> Check:
    """Check that one entry says what happened, who asked and who approved, and holds the transfer's id."""
    wanted = (words, handover.asker, handover.approver, handover.transfer)
    hits = [entry for entry in entries if all(each in entry.notes for each in wanted)]
    return Check(
        f'{space.name}: the history says "{words}", with {handover.asker}, {handover.approver} and the transfer\'s id',
        len(hits) == 1,
        "; ".join(entry.notes for entry in entries if entry.notes) or "nothing",
    )


def _rest(space: Space, handover: Handover, before: Sequence[StockItem], after: Sequence[StockItem]) -> Check:
    """Check that no other row changed."""
    old = {item.pk: item for item in before if item.ipn != handover.ipn}
    new = {item.pk: item for item in after if item.ipn != handover.ipn}
    changed = sorted(pk for pk in old.keys() | new.keys() if old.get(pk) != new.get(pk))
    return Check(
        f"{space.name}: the other {len(old)} items are as they were",
        not changed,
        f"changed: {changed}" if changed else "unchanged",
    )


def _rows(items: Sequence[StockItem]) -> str:
    return "; ".join(f"#{i.pk} {shown(i.quantity)} × {i.ipn}, {i.place or i.customer}" for i in items) or "nothing"
