"""UC2 and UC3, played on a pair whose bots may die, and checked at the end on both sides."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from fedbot_demo.inventree.process import InvenTreeProcess
from fedbot_demo.plot import PARCEL, YES, envelope_of
from fedbot_demo.stocktake import StockItem, Stocktake
from tests.crash.checks import marks_of, must, of_kind, said
from tests.crash.pair import Pair, Party

IPN, WANTED = "RES-10K", "M3-BOLT"
DRAWERS = {IPN: 1, WANTED: 2}
STATUS_OK = 10
REFUSED = {"kind": "error-before", "method": "POST", "path": "/api/stock/$", "status": 400, "times": None}
#: All rows of the part: the giver's, then the receiver's.
Stock = tuple[list[StockItem], list[StockItem]]


async def stock_of(pair: Pair, ipn: str = IPN) -> Stock:
    """All rows of the part on both sides."""
    found = []
    for party in pair.parties:
        async with party.stocktake() as stocktake:
            found.append(await stocktake.items(ipn))
    return found[0], found[1]


def admin(inventree: InvenTreeProcess) -> httpx.AsyncClient:
    """Its API, as its admin."""
    headers = {"Authorization": f"Token {inventree.tokens['admin']}"}
    return httpx.AsyncClient(base_url=inventree.url, headers=headers, trust_env=False)


async def restocked(inventree: InvenTreeProcess) -> None:
    """Give the giver enough stock for the next sixty stories. What is wanted lies in two drawers, so the bot asks."""
    async with Stocktake(inventree.url, inventree.tokens["admin"]) as stocktake:
        largest = [row for ipn, drawers in DRAWERS.items() for row in (await _in_stock(stocktake, ipn))[:drawers]]
    items = [{"pk": row.pk, "quantity": "400"} for row in largest]
    async with admin(inventree) as client:
        (await client.post("/api/stock/add/", json={"items": items, "notes": "bought"})).raise_for_status()


async def _in_stock(stocktake: Stocktake, ipn: str) -> list[StockItem]:
    """The part's rows in stock, the largest first."""
    rows = [row for row in await stocktake.items(ipn) if row.in_stock]
    return sorted(rows, key=lambda row: row.quantity, reverse=True)


@dataclass(frozen=True)
class Moved:
    """An ended transfer, its quantity, the stock before it, and how often bots posted each message."""

    transfer: str
    quantity: int
    before: Stock
    letters: dict[str, int]
    ipn: str = IPN


# --- UC2 ---


async def push(pair: Pair) -> Moved:
    """Move one item from one space to the other."""
    before = await stock_of(pair)
    transfer = await begun(pair, pair.give, f"!fed push 1 #{most_of(before)} to {pair.take.id}", seen_by=pair.take)
    await tap(pair, pair.take, transfer, YES)
    await done(pair, transfer)
    return Moved(transfer, 1, before, {"offer": 1, "noted": 1})


async def refused(pair: Pair) -> Moved:
    """An item has left, and the receiver's InvenTree refuses it: it is taken back."""
    before = await stock_of(pair)
    pair.take.inventree.control("POST", "faults/", REFUSED)
    transfer = await begun(pair, pair.give, f"!fed push 1 #{most_of(before)} to {pair.take.id}", seen_by=pair.take)
    await tap(pair, pair.take, transfer, YES)
    await ended(pair, transfer, "reverted")
    pair.take.inventree.control("DELETE", "faults/")
    return Moved(transfer, 1, before, {"offer": 1, "noted": 1})


async def came_back_untaken_right(pair: Pair, moved: Moved) -> None:
    """The stock is as before: the item is one with the rest again, each change once in their common history."""
    after = await stock_of(pair)
    for party, rows_before, rows_after in zip(pair.parties, moved.before, after, strict=True):
        more = in_stock(rows_after) - in_stock(rows_before)
        must(more == 0, f"{party.id} has {more} more in stock")
        must(len(rows_after) == len(rows_before), f"{party.id} has {len(rows_after)} rows, before {len(rows_before)}")
    quantities = {row.pk: row.quantity for row in moved.before[0]}
    (source,) = [row for row in after[0] if (await marks_of(pair.give, row, moved.transfer))[0]]
    marks, _ = await marks_of(pair.give, source, moved.transfer)
    must(marks == Counter({"out": 1, "merge": 1}), f"history at the sender: {marks}")
    must(source.quantity == quantities[source.pk], f"{source.quantity} are in #{source.pk}")
    must(source.status == STATUS_OK, f"its status is {source.status}")
    await said(pair)


# --- UC3 ---


async def is_shared(pair: Pair) -> None:
    """Share the items, because others can't be requested."""
    if not pair.give.documents("Share"):
        await pair.give.person.say(pair.room, f"!fed share {IPN}")
        await pair.until(lambda: pair.give.documents("Share"), "it to be shared")
        await pair.rest()


async def request(pair: Pair) -> Moved:
    """Request three; two are granted, and the requester accepts."""
    before = await stock_of(pair)
    transfer = await begun(pair, pair.take, f"!fed request 3 {IPN} from {pair.give.id}", seen_by=pair.give)
    card = await pair.until(lambda: pair.give.post(f"card:{transfer}"), "the owner's card")
    await pair.give.person.say(pair.room, "!fed approve 2", reply_to=card)
    await tap(pair, pair.take, transfer, YES)
    await done(pair, transfer)
    return Moved(transfer, 2, before, {"request": 1, "noted": 2})


async def request_from_anyone(pair: Pair) -> Moved:
    """Request three from anyone; the only friend who has them grants them, and the requester's bot confirms."""
    before = await stock_of(pair)
    transfer = await begun(pair, pair.take, f"!fed request 3 {IPN} from anyone", seen_by=pair.give)
    await tap(pair, pair.give, transfer, YES)
    await done(pair, transfer)
    await pair.until(lambda: not _rotas(pair, "asking"), "it to be filled")
    await pair.rest()
    return Moved(transfer, 3, before, {"request": 1, "noted": 1})


async def filled_once_right(pair: Pair, moved: Moved) -> None:
    """It was confirmed once and arrived once, and nobody is asked any more."""
    await moved_right(pair, moved)
    filled = [r for r in _rotas(pair, "filled") if moved.transfer in {asked["transfer"] for asked in r["asked"]}]
    must(len(filled) == 1, f"filled by this: {filled}")
    must(not _rotas(pair, "asking") + _rotas(pair, "searching"), "somebody is still asked")


def _rotas(pair: Pair, state: str) -> list[dict[str, Any]]:
    return [rota for rota in pair.take.documents("Rota") if rota["state"] == state]


# --- a want ---


async def nobody_shares_it(pair: Pair) -> None:
    """Stop sharing the item, because wants are about items that nobody shares."""
    if pair.give.documents("Share"):
        await pair.give.person.say(pair.room, "!fed unshare all")
        await pair.until(lambda: not pair.give.documents("Share"), "nothing to be shared")
        await pair.rest()


async def want(pair: Pair) -> Moved:
    """Three are wanted; the friend shares the item, reads of the want, replies with an offer, and they come."""
    before = await stock_of(pair, WANTED)
    await pair.take.person.say(pair.room, f"!fed want 3 {WANTED}")
    (wanted,) = await pair.until(lambda: pair.give.documents("FriendWant"), "the friend's bot to keep the want")
    await pair.give.person.say(pair.room, f"!fed share {WANTED}")
    (told,) = await pair.until(lambda: _told_of(pair, wanted["id"]), "the word that it is wanted")
    known = {each["id"] for each in pair.take.documents("Transfer")}
    offered = await pair.give.person.say(pair.room, "offer", reply_to=told)
    listed = await pair.until(lambda: pair.give.post(f"choice:-:{offered}"), "the list of the drawers that have it")
    await pair.give.person.say(pair.room, "1", reply_to=listed)
    (transfer,) = await pair.until(
        lambda: [t["id"] for t in pair.take.documents("Transfer") if t["id"] not in known], "the offer"
    )
    await tap(pair, pair.take, transfer, YES)
    await done(pair, transfer)
    await pair.until(lambda: not pair.give.documents("FriendWant"), "the friend's bot to forget the want")
    await pair.rest()
    return Moved(transfer, 3, before, {"offer": 1, "noted": 1}, WANTED)


def _told_of(pair: Pair, wanted: str) -> list[str]:
    """The messages that tell the friend's people of the want."""
    return [event for (event,) in pair.give.rows("SELECT event_id FROM posts WHERE key LIKE ?", f"wanted:{wanted}:%")]


async def found_once_right(pair: Pair, moved: Moved) -> None:
    """It was offered once and has come once; nobody wants it any more, and the friend's people were told once."""
    await moved_right(pair, moved)
    living = [each for each in pair.take.documents("Want") if each["state"] != "found"]
    must(not living, f"still wanted: {living}")
    wants = [each["id"] for each in pair.take.documents("Want")]
    told = pair.give.rows("SELECT event_id FROM posts WHERE key LIKE 'wanted:%'")
    must(len(told) == len(wants), f"{len(told)} messages tell of {len(wants)} wants")


# --- a parcel ---


async def parcel(pair: Pair) -> Moved:
    """Send an item by parcel; it arrives."""
    before = await stock_of(pair)
    transfer = await begun(pair, pair.give, f"!fed push 1 #{most_of(before)} to {pair.take.id}", seen_by=pair.take)
    await tap(pair, pair.take, transfer, PARCEL)
    await pair.until(lambda: pair.take.document("Transfer", transfer)["state"] == "sent", "it is on its way")
    await pair.take.person.say(pair.room, f"!fed received {code_of(pair, transfer)}")
    await done(pair, transfer)
    return Moved(transfer, 1, before, {"offer": 1, "noted": 1})


# --- shared steps ---


def most_of(stock: Stock) -> int:
    """The key of the giver's largest row."""
    return max((row for row in stock[0] if row.in_stock), key=lambda row: row.quantity).pk


def code_of(pair: Pair, transfer: str) -> str:
    """The code by which people name it."""
    return str(pair.give.document("Transfer", transfer)["code"])


async def begun(pair: Pair, asker: Party, line: str, *, seen_by: Party) -> str:
    """Write a line that opens a transfer; return its id once the other side knows it."""
    known = {each["id"] for each in seen_by.documents("Transfer")}
    await asker.person.say(pair.room, line)
    (transfer,) = await pair.until(
        lambda: [t["id"] for t in seen_by.documents("Transfer") if t["id"] not in known], f"{line!r} at {seen_by.id}"
    )
    return str(transfer)


async def tap(pair: Pair, party: Party, transfer: str, emoji: str) -> None:
    """React to the card of that side, once it is there."""
    card = await pair.until(lambda: party.post(f"card:{transfer}"), f"the card at {party.id}")
    await party.person.react(pair.room, card, emoji)


async def done(pair: Pair, transfer: str) -> None:
    """Wait until it is done on both sides, and nothing is left to do."""
    await ended(pair, transfer, "done")


async def ended(pair: Pair, transfer: str, state: str) -> None:
    """Wait until it has that state on both sides, and nothing is left to do."""
    await pair.until(
        lambda: all(party.document("Transfer", transfer).get("state") == state for party in pair.parties),
        f"{transfer} {state} on both sides",
    )
    await pair.rest()


async def moved_right(pair: Pair, moved: Moved) -> None:
    """The exact quantity left and arrived, each change once in InvenTree's history; nothing was said twice."""
    transfer, after = moved.transfer, await stock_of(pair, moved.ipn)
    for index, (sign, rows_before, rows_after) in enumerate(zip((-1, 1), moved.before, after, strict=True)):
        party = pair.parties[index]
        more = in_stock(rows_after) - in_stock(rows_before)
        must(more == sign * moved.quantity, f"{party.id} has {more} more in stock")
        new = [row for row in rows_after if row.pk not in {old.pk for old in rows_before}]
        must(len(new) == 1, f"new rows at {party.id}: {new}")
        marks, metadata = await marks_of(party, new[0], transfer)
        wanted = {0: ["arrived", "out", "over"], 1: ["away"]}[index]
        must(marks == Counter(wanted), f"history at {party.id}: {marks}")
        must(transfer in str(metadata), f"the item's metadata at {party.id}: {metadata}")
        must(not index or transfer in new[0].link, "the link is missing")
    timeline = [event for event in await said(pair) if envelope_of(event).get("transfer") == transfer]
    for kind, times in moved.letters.items():
        must(of_kind(timeline, kind) == times, f"{of_kind(timeline, kind)} × {kind} in the room, not {times}")


def in_stock(rows: list[StockItem]) -> Decimal:
    """The quantity in stock."""
    return sum((row.quantity for row in rows if row.in_stock), Decimal(0))
