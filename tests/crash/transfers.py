"""UC2 and UC3, played on a pair whose bots may die meanwhile; and what must be true in the end, on both sides."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from fedbot.demo.plot import YES, envelope_of
from fedbot.demo.stocktake import StockItem
from tests.crash.checks import marks_of, must, of_kind, said
from tests.crash.pair import Pair, Party

IPN = "RES-10K"
#: All rows of the part: at who gives, at who takes.
Stock = tuple[list[StockItem], list[StockItem]]


async def stock_of(pair: Pair) -> Stock:
    """All rows of the part on both sides."""
    found = []
    for party in pair.parties:
        async with party.stocktake() as stocktake:
            found.append(await stocktake.items(IPN))
    return found[0], found[1]


@dataclass(frozen=True)
class Moved:
    """A transfer that has ended, how much it was to move, the stock before it; how often bots posted which letter."""

    transfer: str
    quantity: int
    before: Stock
    letters: dict[str, int]


# --- UC2 ---


async def push(pair: Pair) -> Moved:
    """One of something goes from one to the other."""
    before = await stock_of(pair)
    transfer = await begun(pair, pair.give, f"!fed push 1 {IPN} to {pair.take.id}", seen_by=pair.take)
    await tap(pair, pair.take, transfer, YES)
    await done(pair, transfer)
    return Moved(transfer, 1, before, {"offer": 1, "noted": 1})


# --- UC3 ---


async def request(pair: Pair) -> Moved:
    """Three are asked for, two are granted, which the asker takes."""
    await pair.give.person.say(pair.room, f"!fed share {IPN}")
    await pair.until(lambda: pair.give.documents("Share"), "it to be shared")
    before = await stock_of(pair)
    transfer = await begun(pair, pair.take, f"!fed request 3 {IPN} from {pair.give.id}", seen_by=pair.give)
    card = await pair.until(lambda: pair.give.post(f"card:{transfer}"), "the owner's card")
    await pair.give.person.say(pair.room, "!fed approve 2", reply_to=card)
    await tap(pair, pair.take, transfer, YES)
    await done(pair, transfer)
    return Moved(transfer, 2, before, {"request": 1, "noted": 2})


# --- what they have in common ---


async def begun(pair: Pair, asker: Party, line: str, *, seen_by: Party) -> str:
    """Somebody asks for a transfer; its id, once the other side knows it."""
    known = {each["id"] for each in seen_by.documents("Transfer")}
    await asker.person.say(pair.room, line)
    (transfer,) = await pair.until(
        lambda: [t["id"] for t in seen_by.documents("Transfer") if t["id"] not in known], f"{line!r} at {seen_by.id}"
    )
    return str(transfer)


async def tap(pair: Pair, party: Party, transfer: str, emoji: str) -> None:
    """Its person taps the card of that side, once it is there."""
    card = await pair.until(lambda: party.post(f"card:{transfer}"), f"the card at {party.id}")
    await party.person.react(pair.room, card, emoji)


async def done(pair: Pair, transfer: str) -> None:
    """Wait until it is done on both sides, and nothing is left to do."""
    await pair.until(
        lambda: all(party.document("Transfer", transfer).get("state") == "done" for party in pair.parties),
        f"{transfer} done on both sides",
    )
    await pair.rest()


async def moved_right(pair: Pair, moved: Moved) -> None:
    """Exactly so many left, exactly so many came, each act once in InvenTree's history; nothing said twice."""
    transfer, after = moved.transfer, await stock_of(pair)
    for index, (sign, rows_before, rows_after) in enumerate(zip((-1, 1), moved.before, after, strict=True)):
        party = pair.parties[index]
        more = _in_stock(rows_after) - _in_stock(rows_before)
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


def _in_stock(rows: list[StockItem]) -> Decimal:
    return sum((row.quantity for row in rows if row.in_stock), Decimal(0))
