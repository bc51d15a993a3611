"""UC1 and UC2, played on a pair whose bots may die meanwhile; and what must be true in the end, on both sides."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from fedbot.demo.plot import YES, envelope_of
from fedbot.demo.room_event import RoomEvent
from fedbot.demo.stocktake import StockItem
from tests.crash.pair import NotRight, Pair, Party

IPN = "RES-10K"


def must(holds: object, what: str) -> None:
    """An invariant."""
    if not holds:
        raise NotRight(what)


# --- UC1 ---


async def connect(pair: Pair) -> None:
    """They become friends, from the bots' first start on."""
    await pair.until(lambda: all(_knows_the_other(pair, party) for party in pair.parties), "both announced")
    await pair.give.person.say(pair.room, f"!fed connect {pair.take.id}")
    asked = await pair.until(lambda: pair.take.documents("Connection"), "the request to connect")
    card = await pair.until(lambda: pair.take.post(f"card:{asked[0]['id']}"), "the card")
    await pair.take.person.react(pair.room, card, YES)
    await pair.until(lambda: all(_states(party, "Connection") == ["active"] for party in pair.parties), "both active")
    await pair.rest()


async def connected_right(pair: Pair) -> None:
    """One company, one account, one group, one token on each side, all as they should be; nothing said twice."""
    for party, peer in (pair.parties, pair.parties[::-1]):
        async with party.stocktake() as stocktake:
            companies = [c for c in await stocktake.companies() if peer.account.user_id in (c.get("link") or "")]
            users = [u for u in await stocktake.users() if u["username"].startswith(f"fed-{peer.id}-")]
            tokens = [t for t in await stocktake.tokens() if t["name"].startswith(f"fed-{peer.id}-")]
            must(len(companies) == 1, f"{party.id} has {len(companies)} companies for {peer.id}")
            mirror = (await stocktake.metadata("company", companies[0]["pk"])).get("fedbot", {})
        must('"active"' in str(mirror).replace("'", '"'), f"the company's metadata at {party.id}: {mirror}")
        must([u["username"] for u in users] == [f"fed-{peer.id}-1"], f"accounts at {party.id}: {users}")
        must(users[0].get("is_active") is not False, f"{users} isn't active")
        valid = [t for t in tokens if t.get("active") and not t.get("revoked")]
        must(len(valid) == 1, f"valid tokens at {party.id}: {tokens}")
        (connection,) = party.documents("Connection")
        must(connection["company"] == companies[0]["pk"], "another company")
        must(connection["token_name"] == valid[0]["name"], f"{connection['token_name']} is not {valid[0]['name']}")
    timeline = await _said(pair)
    must(_of_kind(timeline, "connect") == 1, "asked in the room otherwise than once")
    must(_of_kind(timeline, "noted") == 1, "one card, not more")


def _knows_the_other(pair: Pair, party: Party) -> bool:
    other = next(each for each in pair.parties if each is not party)
    announced = [p["id"] for a in party.documents("Announcement") for p in a["parties"]]
    return other.id in announced


def _states(party: Party, kind: str) -> list[str]:
    return [each["state"] for each in party.documents(kind)]


# --- UC2 ---


async def push(pair: Pair) -> str:
    """Ten of something go from one to the other; the transfer's id."""
    known = {each["id"] for each in pair.take.documents("Transfer")}
    await pair.give.person.say(pair.room, f"!fed push 1 {IPN} to {pair.take.id}")
    new = await pair.until(
        lambda: [t["id"] for t in pair.take.documents("Transfer") if t["id"] not in known], "the offer at the receiver"
    )
    (transfer,) = new
    card = await pair.until(lambda: pair.take.post(f"card:{transfer}"), "the card")
    await pair.take.person.react(pair.room, card, YES)
    await pair.until(lambda: all(_state(party, transfer) == "done" for party in pair.parties), "done on both sides")
    await pair.rest()
    return str(transfer)


def _state(party: Party, transfer: str) -> str:
    return str(party.document("Transfer", transfer).get("state", ""))


Stock = tuple[list[StockItem], list[StockItem]]


async def stock_of(pair: Pair) -> Stock:
    """All rows of the part on both sides."""
    found = []
    for party in pair.parties:
        async with party.stocktake() as stocktake:
            found.append(await stocktake.items(IPN))
    return found[0], found[1]


async def pushed_right(pair: Pair, transfer: str, before: Stock) -> None:
    """Exactly one left, exactly one came, each act once in InvenTree's history; nothing said twice."""
    after = await stock_of(pair)
    for index, (sign, rows_before, rows_after) in enumerate(zip((-1, 1), before, after, strict=True)):
        party = pair.parties[index]
        moved = _in_stock(rows_after) - _in_stock(rows_before)
        must(moved == sign, f"{party.id} has {moved} more in stock")
        new = [row for row in rows_after if row.pk not in {old.pk for old in rows_before}]
        must(len(new) == 1, f"new rows at {party.id}: {new}")
        marks, metadata = await _marks(party, new[0], transfer)
        wanted = {0: ["arrived", "out", "over"], 1: ["away"]}[index]
        must(marks == Counter(wanted), f"history at {party.id}: {marks}")
        must(transfer in str(metadata), f"the item's metadata at {party.id}: {metadata}")
    must(transfer in next(r.link for r in after[1] if r.pk not in {o.pk for o in before[1]}), "the link is missing")
    timeline = [event for event in await _said(pair) if envelope_of(event).get("transfer") == transfer]
    must(_of_kind(timeline, "offer") == 1, "offered in the room otherwise than once")
    must(_of_kind(timeline, "noted") == 1, "one card, not more")


def _in_stock(rows: list[StockItem]) -> Decimal:
    return sum((row.quantity for row in rows if row.in_stock), Decimal(0))


async def _marks(party: Party, item: StockItem, transfer: str) -> tuple[Counter[str], dict[str, Any]]:
    async with party.stocktake() as stocktake:
        notes = [entry.notes for entry in await stocktake.history(item.pk)]
        metadata = await stocktake.metadata("stockitem", item.pk)
    words = [note.split(" ", 1)[0] for note in notes if note.startswith(f"fed:{transfer}:")]
    return Counter(word.rpartition(":")[2] for word in words), metadata


async def _said(pair: Pair) -> list[RoomEvent]:
    """The bots' new messages in the room, edits left out; no text of theirs may stand there twice."""
    bots = {party.account.user_id for party in pair.parties}
    timeline = [
        event
        for event in await pair.give.person.messages(pair.room)
        if event.sender in bots and event.type == "m.room.message" and event.relation != "m.replace"
    ]
    twice = [body for body, count in Counter((e.sender, e.body, e.replies_to) for e in timeline).items() if count > 1]
    must(not twice, f"said twice: {twice}")
    return timeline


def _of_kind(timeline: list[RoomEvent], kind: str) -> int:
    return sum(envelope_of(event).get("kind") == kind for event in timeline)
