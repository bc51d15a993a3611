"""UC2 and UC3, played on a pair whose bots may die meanwhile; and what must be true in the end, on both sides."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import httpx

from fedbot.demo.inventree.process import InvenTreeProcess
from fedbot.demo.plot import YES, envelope_of
from fedbot.demo.stocktake import StockItem, Stocktake
from tests.crash.checks import marks_of, must, of_kind, said
from tests.crash.pair import Pair, Party

IPN = "RES-10K"
PARCEL, DAMAGED = "📦", "🔧"
STATUS_OK, STATUS_DAMAGED, STATUS_LOST = 10, 55, 70
REFUSED = {"kind": "error-before", "method": "POST", "path": "/api/stock/$", "status": 400, "times": None}
#: All rows of the part: at who gives, at who takes.
Stock = tuple[list[StockItem], list[StockItem]]


async def stock_of(pair: Pair) -> Stock:
    """All rows of the part on both sides."""
    found = []
    for party in pair.parties:
        async with party.stocktake() as stocktake:
            found.append(await stocktake.items(IPN))
    return found[0], found[1]


async def restocked(inventree: InvenTreeProcess) -> None:
    """Who gives in one story after the other has enough for the next sixty."""
    async with Stocktake(inventree.url, inventree.tokens["admin"]) as stocktake:
        rows = [row for row in await stocktake.items(IPN) if row.in_stock]
    most = max(rows, key=lambda row: row.quantity)
    headers = {"Authorization": f"Token {inventree.tokens['admin']}"}
    async with httpx.AsyncClient(base_url=inventree.url, headers=headers, trust_env=False) as client:
        items = [{"pk": most.pk, "quantity": "400"}]
        (await client.post("/api/stock/add/", json={"items": items, "notes": "bought"})).raise_for_status()


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
    transfer = await begun(pair, pair.give, f"!fed push 1 #{most_of(before)} to {pair.take.id}", seen_by=pair.take)
    await tap(pair, pair.take, transfer, YES)
    await done(pair, transfer)
    return Moved(transfer, 1, before, {"offer": 1, "noted": 1})


async def refused(pair: Pair) -> Moved:
    """It has left, and the other InvenTree will not have it: it comes back."""
    before = await stock_of(pair)
    pair.take.inventree.control("POST", "faults/", REFUSED)
    transfer = await begun(pair, pair.give, f"!fed push 1 #{most_of(before)} to {pair.take.id}", seen_by=pair.take)
    await tap(pair, pair.take, transfer, YES)
    await ended(pair, transfer, "reverted")
    pair.take.inventree.control("DELETE", "faults/")
    return Moved(transfer, 1, before, {"offer": 1, "noted": 1})


async def came_back_untaken_right(pair: Pair, moved: Moved) -> None:
    """As much in stock as before; what had left lies there again, each act once in its history."""
    after = await stock_of(pair)
    for party, rows_before, rows_after in zip(pair.parties, moved.before, after, strict=True):
        more = _in_stock(rows_after) - _in_stock(rows_before)
        must(more == 0, f"{party.id} has {more} more in stock")
    must(len(after[1]) == len(moved.before[1]), "the receiver has a new row")
    (back,) = [row for row in after[0] if row.pk not in {old.pk for old in moved.before[0]}]
    marks, _ = await marks_of(pair.give, back, moved.transfer)
    must(
        marks == Counter({"out": 1, "over": 1, "back": 2}), f"history at the sender: {marks}"
    )  # returned, and put away
    must(back.status == STATUS_OK, f"its status is {back.status}")
    await said(pair)


# --- UC3 ---


async def is_shared(pair: Pair) -> None:
    """What isn't shared can't be asked for."""
    if not pair.give.documents("Share"):
        await pair.give.person.say(pair.room, f"!fed share {IPN}")
        await pair.until(lambda: pair.give.documents("Share"), "it to be shared")
        await pair.rest()


async def request(pair: Pair) -> Moved:
    """Three are asked for, two are granted, which the asker takes."""
    before = await stock_of(pair)
    transfer = await begun(pair, pair.take, f"!fed request 3 {IPN} from {pair.give.id}", seen_by=pair.give)
    card = await pair.until(lambda: pair.give.post(f"card:{transfer}"), "the owner's card")
    await pair.give.person.say(pair.room, "!fed approve 2", reply_to=card)
    await tap(pair, pair.take, transfer, YES)
    await done(pair, transfer)
    return Moved(transfer, 2, before, {"request": 1, "noted": 2})


# --- a parcel ---


async def parcel(pair: Pair) -> Moved:
    """It is sent by parcel, and arrives."""
    before = await stock_of(pair)
    transfer = await begun(pair, pair.give, f"!fed push 1 #{most_of(before)} to {pair.take.id}", seen_by=pair.take)
    await tap(pair, pair.take, transfer, PARCEL)
    await pair.until(lambda: pair.take.document("Transfer", transfer)["state"] == "sent", "it is on its way")
    await pair.take.person.say(pair.room, f"!fed received {code_of(pair, transfer)}")
    await done(pair, transfer)
    return Moved(transfer, 1, before, {"offer": 1, "noted": 1})


# --- a loan ---


async def lend(pair: Pair) -> Moved:
    """Five are lent."""
    before = await stock_of(pair)
    line = f"!fed lend #{most_of(before)} 5 to {pair.take.id} for 3 weeks"
    transfer = await begun(pair, pair.give, line, seen_by=pair.take)
    await tap(pair, pair.take, transfer, YES)
    await done(pair, transfer)
    return Moved(transfer, 5, before, {"offer": 1, "noted": 1})


async def extend(pair: Pair) -> tuple[str, str]:
    """More time is asked for and given: the loan (the last one is as good as another), and its last day before."""
    loan = open_loan(pair)
    before = last_day(pair.give, loan)
    line = f"!fed extend {code_of(pair, loan)} 2 weeks"
    extension = await begun(pair, pair.take, line, seen_by=pair.give)
    await tap(pair, pair.give, extension, YES)
    await done(pair, extension)
    return loan, before


async def extended_right(pair: Pair, extended: tuple[str, str]) -> None:
    """A fortnight more, on both sides."""
    loan, before = extended
    wanted = (date.fromisoformat(before) + timedelta(weeks=2)).isoformat()
    days = [last_day(party, loan) for party in pair.parties]
    must(days == [wanted, wanted], f"until {before}, two weeks more is not {days}")
    await said(pair)


@dataclass(frozen=True)
class Back:
    """A loan that has gone back, the stock before that, and the key of what was lent."""

    loan: str
    back: str
    before: Stock
    item: int


async def give_back(pair: Pair) -> Back:
    """What was lent comes back, and isn't as it was."""
    loan = open_loan(pair)
    before = await stock_of(pair)
    back = await begun(pair, pair.take, f"!fed return {code_of(pair, loan)}", seen_by=pair.give)
    await tap(pair, pair.give, back, DAMAGED)
    await done(pair, back)
    return Back(loan, back, before, pair.give.document("Transfer", loan)["progress"][0]["item"])


async def came_back_right(pair: Pair, returned: Back) -> None:
    """The owner has the very item that was lent, damaged; the borrower has nothing of it; each act once."""
    after = await stock_of(pair)
    for party, more, rows_before, rows_after in zip(pair.parties, (5, -5), returned.before, after, strict=True):
        moved = _in_stock(rows_after) - _in_stock(rows_before)
        must(moved == more, f"{party.id} has {moved} more in stock")
        must(len(rows_after) == len(rows_before), f"{party.id} has other rows than before")
    (home,) = [row for row in after[0] if row.pk == returned.item]
    must((home.status, home.in_stock) == (STATUS_DAMAGED, True), f"what came back: {home}")
    marks, _ = await marks_of(pair.give, home, returned.back)
    must(marks == Counter({"home": 2}), f"history at the owner: {marks}")  # returned, and put to its place
    gone = pair.take.document("Transfer", returned.loan)["progress"][0]["item"]
    (borrowed,) = [row for row in after[1] if row.pk == gone]
    marks, _ = await marks_of(pair.take, borrowed, returned.back)
    must(marks == Counter(["out", "over", "arrived"]), f"history at the borrower: {marks}")
    await said(pair)


async def lose(pair: Pair) -> str:
    """The owner writes a loan off, and the borrower's superuser takes it out of the stock there; its id."""
    loan = await over(pair, "lost")
    await pair.until(lambda: pair.take.document("Transfer", loan)["left_over"], "the borrower to be asked")
    await pair.take.person.say(pair.room, f"!fed resolve {code_of(pair, loan)} --as off")
    await pair.until(lambda: not pair.take.document("Transfer", loan)["left_over"], "it to leave the borrower's stock")
    await pair.rest()
    return loan


async def give_for_good(pair: Pair) -> str:
    """The owner makes a loan a gift; its id."""
    loan = await over(pair, "gift")
    await pair.rest()
    return loan


async def over(pair: Pair, how: str) -> str:
    """The owner says how a loan ended; its id, once both sides know."""
    loan = open_loan(pair)
    await pair.give.person.say(pair.room, f"!fed {how} {code_of(pair, loan)}")
    await pair.until(
        lambda: all(party.document("Transfer", loan)["closed"] for party in pair.parties), f"{how}, for both sides"
    )
    return loan


async def given_right(pair: Pair, loan: str) -> None:
    """It stays with the friend's company as it was, and the history says once that it is a gift."""
    ends = [party.document("Transfer", loan)["closed"]["how"] for party in pair.parties]
    must(ends == ["gift", "gift"], f"it ended as {ends}")
    item = pair.give.document("Transfer", loan)["progress"][0]["item"]
    (row,) = [row for row in (await stock_of(pair))[0] if row.pk == item]
    must((row.status, row.in_stock) == (STATUS_OK, False), f"what is given: {row}")
    marks, _ = await marks_of(pair.give, row, loan)
    must((marks["gift"], marks["gifted"]) == (1, 1), f"history at the owner: {marks}")
    await said(pair)


async def lost_right(pair: Pair, loan: str) -> None:
    """It stays with the friend's company, as lost, and is in nobody's stock; both sides know how the loan ended."""
    ends = [party.document("Transfer", loan)["closed"]["how"] for party in pair.parties]
    must(ends == ["lost", "lost"], f"it ended as {ends}")
    item = pair.give.document("Transfer", loan)["progress"][0]["item"]
    (row,) = [row for row in (await stock_of(pair))[0] if row.pk == item]
    must((row.status, row.in_stock) == (STATUS_LOST, False), f"what is lost: {row}")
    item = pair.take.document("Transfer", loan)["progress"][0]["item"]
    (row,) = [row for row in (await stock_of(pair))[1] if row.pk == item]
    marks, _ = await marks_of(pair.take, row, loan)
    must((row.status, marks["off"]) == (STATUS_LOST, 1), f"what was borrowed: {row}, {marks}")
    await said(pair)


async def is_lent(pair: Pair) -> None:
    """There is a loan that can be given back."""
    if not open_loan(pair):
        await lend(pair)


def open_loan(pair: Pair) -> str:
    """One that is still out; or ''."""
    known = pair.give.documents("Transfer")
    lent = [t for t in known if t["state"] == "done" and t["terms"]["loan_until"] and not t["terms"]["parent"]]
    return next((str(each["id"]) for each in lent if each["closed"] is None), "")


def last_day(party: Party, loan: str) -> str:
    """Until when it is lent, as extended."""
    known = party.document("Transfer", loan)
    return str(known["back_by"] or known["terms"]["loan_until"])


# --- what they have in common ---


def most_of(stock: Stock) -> int:
    """The key of the giver's largest row, as there may be several."""
    return max((row for row in stock[0] if row.in_stock), key=lambda row: row.quantity).pk


def code_of(pair: Pair, transfer: str) -> str:
    """By which people name it."""
    return str(pair.give.document("Transfer", transfer)["code"])


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
    await ended(pair, transfer, "done")


async def ended(pair: Pair, transfer: str, state: str) -> None:
    """Wait until it has that end on both sides, and nothing is left to do."""
    await pair.until(
        lambda: all(party.document("Transfer", transfer).get("state") == state for party in pair.parties),
        f"{transfer} {state} on both sides",
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
