"""Situations in which one step is next: each function prepares one and returns the step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from fedbot.rules.model.steps import (
    AccessMade,
    Arrived,
    BookInAgain,
    CloseCompany,
    CreateItem,
    CreatePart,
    EndAccess,
    Furnish,
    HandOver,
    ItemCreated,
    Known,
    Label,
    LoanLabel,
    MakeAccess,
    MakeCompany,
    MarkAsHere,
    MergeBack,
    MintToken,
    Mirror,
    PutAway,
    PutBack,
    Remark,
    RevokeToken,
    Step,
    TakeBack,
    Taken,
    TakeOut,
    WriteOff,
)
from fedbot.rules.model.stock import PartDescription
from tests.inventree.space import Space

MARK = "fed:k7m2xq4w9tz3b5c8d6f2:1"
LINK = f"https://matrix.to/#/!room:example.org/$card?{MARK}:in"
TEN = Decimal(10)


def take_out(space: Space, quantity: Decimal = TEN, ipn: str = "M3-BOLT") -> TakeOut:
    """A part of a stock item."""
    row = space.item(ipn)
    return TakeOut(f"{MARK}:out", "on its way to Betaspace", row["pk"], row["part"], quantity, row["serial"] or "")


async def taken(space: Space, quantity: Decimal = TEN, ipn: str = "M3-BOLT") -> Taken:
    """The item is booked out already."""
    result = await space.inventory.act(take_out(space, quantity, ipn))
    assert isinstance(result, Taken)
    return result


async def hand_over(space: Space, quantity: Decimal = TEN, ipn: str = "M3-BOLT") -> HandOver:
    """The item is in Outgoing, and the peer has a company."""
    lying = await taken(space, quantity, ipn)
    return HandOver(f"{MARK}:over", "given to Betaspace", lying.item, quantity, space.company())


async def arrived(space: Space) -> Arrived:
    """The item is with the peer's company."""
    step = await hand_over(space)
    await space.inventory.act(step)
    return Arrived(f"{MARK}:arrived", "arrived at Betaspace", step.item, 10)


async def remark(space: Space) -> Remark:
    """The item is with the peer's company, in an unusual status."""
    step = await arrived(space)
    await space.inventory.act(replace(step, status=55))
    return Remark(f"{MARK}:gift", "a gift from now on to Betaspace, says Anna", step.item)


async def write_off(space: Space) -> WriteOff:
    """A borrowed item in stock."""
    row = space.item("M3-NUT")
    known, quantity = Known(row["part"]), Decimal(str(row["quantity"]))
    return WriteOff(f"{MARK}:off", "borrowed from Alpha, lost", row["pk"], quantity, known)


async def put_back(space: Space) -> PutBack:
    """The item is in Outgoing and will not be handed over."""
    lying = await taken(space)
    return PutBack(f"{MARK}:putback", "not given", lying.item, TEN, lying.location, lying.status)


async def take_back(space: Space) -> TakeBack:
    """The item is with the peer's company, and was refused."""
    lying = await taken(space)
    company = space.company()
    await space.inventory.act(HandOver(f"{MARK}:over", "given to Betaspace", lying.item, TEN, company))
    return TakeBack(f"{MARK}:back", "refused", lying.item, TEN, lying.location, lying.status, company)


async def merge_back(space: Space) -> MergeBack:
    """The item was split off, and is back in its old location."""
    step = await put_back(space)
    await space.inventory.act(step)
    row = space.item("M3-BOLT")
    return MergeBack(f"{MARK}:merge", "put back here", step.item, row["pk"], row["part"], TEN)


async def create_part(space: Space) -> CreatePart:
    """A part that doesn't exist."""
    description = PartDescription("Widget <XL>", "W-XL", "A widget", "widget", "", "B", trackable=True)
    return CreatePart(f"{MARK}:part", description, LINK)


async def create_item(space: Space) -> CreateItem:
    """A part that exists."""
    part = space.admin.rows("part/", IPN="M3-BOLT")[0]["pk"]
    return CreateItem(
        f"{MARK}:in", part, Decimal("12.5"), LINK, batch="LOT <7>", packaging="bag", expiry=date(2027, 1, 31), notes="x"
    )


async def book_in_again(space: Space, ipn: str = "LENS-2") -> BookInAgain:
    """A serialised item that is with the peer's company."""
    given = await hand_over(space, Decimal(1), ipn)
    await space.inventory.act(given)
    row = space.stock(given.item)
    return BookInAgain(
        f"{MARK}:in", "here again, from Betaspace", given.item, row["part"], row["serial"], given.company
    )


async def mark_as_here(space: Space) -> MarkAsHere:
    """An item that somebody entered by hand."""
    row = next(row for row in space.admin.rows("stock/", in_stock=True) if row["part"] and not row["serial"])
    quantity = Decimal(str(row["quantity"]))
    return MarkAsHere(f"{MARK}:in", "this belongs to Attraktor, and was here before", row["pk"], row["part"], quantity)


async def put_away(space: Space) -> PutAway:
    """An item in Incoming."""
    made = await space.inventory.act(await create_item(space))
    assert isinstance(made, ItemCreated)
    return PutAway(f"{MARK}:away", "received from Attraktor", made.item, made.quantity, space.place("Workshop"))


async def make_company(space: Space) -> MakeCompany:
    """No company yet."""
    return MakeCompany("fed:c:0:company", "https://matrix.to/#/@beta:example.org?fed=beta", "Betaspace", "a friend")


async def close_company(space: Space) -> CloseCompany:
    """A company that belonged to a peer."""
    return CloseCompany("fed:c:0:close", space.company())


async def make_access(space: Space) -> MakeAccess:
    """No user yet."""
    return MakeAccess("fed:c:0:access", "fed-beta-1", "connection-one")


async def mint_token(space: Space) -> MintToken:
    """A user without a token."""
    made = await space.inventory.act(await make_access(space))
    assert isinstance(made, AccessMade)
    return MintToken("fed:c:0:token", made.user, "fed-beta-1-1", "made-for/beta/1", date(2027, 11, 24))


async def revoke_token(space: Space) -> RevokeToken:
    """A user with two tokens, of which the older is to be revoked."""
    step = await mint_token(space)
    await space.inventory.act(step)
    await space.inventory.act(replace(step, name="fed-beta-1-2", reference="made-for/beta/1/next"))
    return RevokeToken("fed:c:0:revoke", step.user, step.name)


async def end_access(space: Space) -> EndAccess:
    """A user with a token."""
    step = await mint_token(space)
    await space.inventory.act(step)
    return EndAccess("fed:c:0:end", step.user, step.reference)


async def mirror(space: Space) -> Mirror:
    """A company whose metadata is still empty."""
    return Mirror("fed:c:0:mirror", "company", space.company(), '{"party": "beta", "requests": []}')


async def label(space: Space) -> Label:
    """A stock item with empty notes."""
    row = space.item("M3-BOLT")
    return Label(
        "fed:c:1:label", row["pk"], LoanLabel.LENT, "Betaspace", "gp75", date(2026, 12, 12), Known(row["part"])
    )


async def furnish(space: Space) -> Furnish:
    """A stock item without these tags and notes."""
    row = space.item("M3-BOLT")
    return Furnish(
        f"{MARK}:with", "stockitem", row["pk"], ("optics",), ("Came with: a certificate",), known=Known(row["part"])
    )


async def take_out_part(space: Space) -> TakeOut:
    """As `take_out`, for the table."""
    return take_out(space)


async def take_out_whole(space: Space) -> TakeOut:
    """A whole stock item."""
    return take_out(space, Decimal(120))


async def take_out_serial(space: Space) -> TakeOut:
    """A serialised item."""
    return take_out(space, Decimal(1), "LENS-2")


Situation = Callable[[Space], Awaitable[Step]]

# Each kind of writing step, and its call.
WRITES: dict[str, tuple[Situation, str, str]] = {
    "take out a part": (take_out_part, "POST", "stock/transfer/"),
    "take out a whole": (take_out_whole, "POST", "stock/transfer/"),
    "take out a serial": (take_out_serial, "POST", "stock/transfer/"),
    "hand over": (hand_over, "POST", "stock/assign/"),
    "arrived": (arrived, "POST", "stock/change_status/"),
    "remark": (remark, "POST", "stock/change_status/"),
    "write off": (write_off, "POST", "stock/change_status/"),
    "put back": (put_back, "POST", "stock/transfer/"),
    "merge back": (merge_back, "POST", "stock/merge/"),
    "take back": (take_back, "POST", "stock/return/"),
    "take back, second half": (take_back, "POST", "stock/transfer/"),
    "create part": (create_part, "POST", "part/"),
    "create item": (create_item, "POST", "/api/stock/$"),
    "book in again": (book_in_again, "POST", "stock/return/"),
    "mark as here": (mark_as_here, "POST", "stock/transfer/"),
    "put away": (put_away, "POST", "stock/transfer/"),
    "make company": (make_company, "POST", "company/"),
    "close company": (close_company, "PATCH", "company/"),
    "make access, user": (make_access, "POST", "api/user/$"),
    "make access, group": (make_access, "POST", "user/group/"),
    "make access, rules": (make_access, "PATCH", "user/ruleset/"),
    "make access, membership": (make_access, "PATCH", "api/user/[0-9]+/$"),
    "revoke token": (revoke_token, "DELETE", "user/tokens/"),
    "end access, user": (end_access, "PATCH", "api/user/[0-9]+/$"),
    "end access, token": (end_access, "DELETE", "user/tokens/"),
    "mirror": (mirror, "PATCH", "metadata/"),
    "furnish": (furnish, "PATCH", "/api/stock/[0-9]+/$"),
    "label": (label, "PATCH", "/api/stock/[0-9]+/$"),
}
