"""Loans, played on a pair whose bots may die, and checked at the end: extended, returned, lost, given away.

Besides a loan of some resistors there is one of two items, and one of a serialised item.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from fedbot_demo.plot import DAMAGED, YES
from fedbot_demo.stocktake import StockItem
from tests.crash.checks import marks_of, must, said
from tests.crash.pair import Pair, Party
from tests.crash.transfers import (
    IPN,
    Moved,
    Stock,
    admin,
    begun,
    code_of,
    done,
    in_stock,
    is_shared,
    most_of,
    stock_of,
    tap,
)

OTHER, LENS = "M3-BOLT", "LENS-2"
STATUS_OK, STATUS_DAMAGED, STATUS_LOST = 10, 55, 70
PHOTO = b"\xff\xd8\xff\xe0" + bytes(2000)


async def lend(pair: Pair) -> Moved:
    """Lend five."""
    before = await stock_of(pair)
    transfer = await _lent(pair, f"#{most_of(before)} 5")
    return Moved(transfer, 5, before, {"offer": 1, "noted": 1})


async def _lent(pair: Pair, things: str) -> str:
    transfer = await begun(pair, pair.give, f"!fed lend {things} to {pair.take.id} for 3 weeks", seen_by=pair.take)
    await tap(pair, pair.take, transfer, YES)
    await done(pair, transfer)
    return transfer


async def extend(pair: Pair) -> tuple[str, str]:
    """Ask for an extension and grant it; return the loan (any open one) and its former due date."""
    loan = open_loan(pair)
    before = last_day(pair.give, loan)
    line = f"!fed extend {code_of(pair, loan)} 2 weeks"
    extension = await begun(pair, pair.take, line, seen_by=pair.give)
    await tap(pair, pair.give, extension, YES)
    await done(pair, extension)
    return loan, before


async def extended_right(pair: Pair, extended: tuple[str, str]) -> None:
    """The due date is two weeks later on both sides."""
    loan, before = extended
    wanted = (date.fromisoformat(before) + timedelta(weeks=2)).isoformat()
    days = [last_day(party, loan) for party in pair.parties]
    must(days == [wanted, wanted], f"until {before}, two weeks more is not {days}")
    await said(pair)


# --- returns ---


@dataclass(frozen=True)
class Back:
    """A returned loan, the transfers that returned it, and the stock before."""

    loan: str
    returns: tuple[str, ...]
    before: Stock


async def give_back(pair: Pair) -> Back:
    """Return a loan, damaged."""
    loan = open_loan(pair)
    before = await stock_of(pair)
    return Back(loan, (await _handed_back(pair, loan, DAMAGED),), before)


async def _handed_back(pair: Pair, loan: str, emoji: str = YES, things: str = "") -> str:
    back = await begun(pair, pair.take, f"!fed return {code_of(pair, loan)} {things}".rstrip(), seen_by=pair.give)
    await tap(pair, pair.give, back, emoji)
    await done(pair, back)
    return back


async def came_back_right(pair: Pair, returned: Back) -> None:
    """The lender has the same item back, damaged; the borrower has none of it; each change was made once."""
    after = await stock_of(pair)
    for party, more, rows_before, rows_after in zip(pair.parties, (5, -5), returned.before, after, strict=True):
        moved = in_stock(rows_after) - in_stock(rows_before)
        must(moved == more, f"{party.id} has {moved} more in stock")
        must(len(rows_after) == len(rows_before), f"{party.id} has other rows than before")
    (back,) = returned.returns
    await _is_home(pair, returned.loan, back, STATUS_DAMAGED)
    await said(pair)


async def _is_home(pair: Pair, loan: str, back: str, status: int) -> None:
    """This return brought one item: each change was made once on both sides."""
    (line,) = pair.give.document("Transfer", back)["terms"]["lines"]
    number = line["of_line"]
    us = await _row(pair.give, _item(pair.give, loan, number))
    must((us.status, us.in_stock) == (status, True), f"what came back: {us}")
    marks, _ = await marks_of(pair.give, us, back)
    must(marks == Counter({"home": 2}), f"history at the owner: {marks}")  # returned, and put away
    borrowed = await _row(pair.take, _item(pair.take, loan, number))
    must(not borrowed.in_stock, f"what was borrowed: {borrowed}")
    marks, _ = await marks_of(pair.take, borrowed, back)
    must(marks == Counter(["out", "over", "arrived"]), f"history at the borrower: {marks}")


async def two_are_lent(pair: Pair) -> None:
    """Make sure that there is a loan of two items."""
    if not open_loan(pair, IPN, OTHER):
        things = [most_of(await stock_of(pair, ipn)) for ipn in (IPN, OTHER)]
        await _lent(pair, " + ".join(f"#{item} 2" for item in things))


async def give_back_one_by_one(pair: Pair) -> Back:
    """Return one item, then the other."""
    loan = open_loan(pair, IPN, OTHER)
    before = await stock_of(pair)
    first = await _handed_back(pair, loan, things="1")
    ended = [party.document("Transfer", loan)["closed"] for party in pair.parties]
    must(ended == [None, None], f"one of two is back, and it is over: {ended}")
    return Back(loan, (first, await _handed_back(pair, loan)), before)


async def came_back_one_by_one_right(pair: Pair, returned: Back) -> None:
    """Both are returned, each by its own transfer, and the loan is over on both sides."""
    for back in returned.returns:
        await _is_home(pair, returned.loan, back, STATUS_OK)
    _ended_as(pair, returned.loan, "returned")
    await said(pair)


# --- a photo of a returned item ---


async def has_come_back(pair: Pair) -> None:
    """Make sure that there is a recent return."""
    if not _returns(pair):
        await is_lent(pair)
        await give_back(pair)


def _returns(pair: Pair) -> list[str]:
    known = pair.give.documents("Transfer")
    return [str(t["id"]) for t in known if t["terms"]["kind"] == "return" and t["state"] == "done"]


async def show(pair: Pair) -> str:
    """The lender replies to the return's card with a photo; return its event id."""
    card = pair.give.post(f"card:{_returns(pair)[-1]}")
    photo = await pair.give.person.show(pair.room, PHOTO, reply_to=card)
    await pair.until(lambda: _answer_to(pair, photo), "an answer to the photo")
    await pair.rest()
    return photo


def _answer_to(pair: Pair, photo: str) -> str:
    return pair.give.post(f"photo:{_returns(pair)[-1]}:{photo}")


async def shown_right(pair: Pair, photo: str) -> None:
    """The photo is attached to the stock item once, and that is said once."""
    back = _returns(pair)[-1]
    terms = pair.give.document("Transfer", back)["terms"]
    loan, (line,) = terms["parent"], terms["lines"]
    comments = await _comments(pair.give, _item(pair.give, loan, line["of_line"]))
    mark = f"fed:{back}:{line['number']}:photo-{sha256(photo.encode()).hexdigest()[:8]}"
    must(sum(comment.startswith(mark) for comment in comments) == 1, f"attached: {comments}")
    answers = [event for event in await said(pair) if event.replies_to == photo]
    must(len(answers) == 1, f"{len(answers)} answers")
    must("Saved" in answers[0].body, f"not kept: {answers[0].body}")


async def _comments(party: Party, item: int) -> list[str]:
    async with party.stocktake() as stocktake:
        return await stocktake.attached(item)


# --- a serialised item, lent several times ---


@dataclass(frozen=True)
class Again:
    """A loan of an item that was lent before, and the borrower's former record of it."""

    loan: str
    record: int


async def lens_was_here(pair: Pair) -> None:
    """Make sure that a lens with a unique serial number was lent and returned."""
    if not _loans(pair, LENS):
        await _lent(pair, f"#{await _new_lens(pair.give)}")
    if loan := open_loan(pair, LENS):
        await _handed_back(pair, loan)


async def _new_lens(party: Party) -> int:
    """Create a lens beside the existing ones."""
    known = next(row for row in await _lenses(party) if row.in_stock)
    async with admin(party.inventree) as client:
        like = (await client.get(f"/api/stock/{known.pk}/")).json()
        content = {"part": like["part"], "location": like["location"], "quantity": 1, "serial_numbers": _serial(party)}
        answer = (await client.post("/api/stock/", json=content)).raise_for_status()
    (made,) = answer.json()
    return int(made["pk"])


async def _lenses(party: Party) -> list[StockItem]:
    async with party.stocktake() as stocktake:
        return await stocktake.items(LENS)


def _serial(party: Party) -> str:
    return party.id.replace("-", "")  # a dash would make it a range


async def lend_again(pair: Pair) -> Again:
    """Lend it again."""
    first = _loans(pair, LENS)[0]["id"]
    record = _item(pair.take, first)
    return Again(await _lent(pair, f"#{_item(pair.give, first)}"), record)


async def lent_again_right(pair: Pair, lent: Again) -> None:
    """Each side has one record of it, the borrower's being the former one; each change was made once."""
    ours, theirs = [[row for row in await _lenses(party) if row.serial == _serial(pair.give)] for party in pair.parties]
    must([row.pk for row in theirs] == [lent.record], f"the borrower's records: {theirs}")
    must((theirs[0].in_stock, theirs[0].status) == (True, STATUS_OK), f"what is borrowed: {theirs}")
    must([row.in_stock for row in ours] == [False], f"the owner's records: {ours}")
    marks, _ = await marks_of(pair.give, ours[0], lent.loan)
    must(marks == Counter(["out", "over", "arrived"]), f"history at the owner: {marks}")
    marks, _ = await marks_of(pair.take, theirs[0], lent.loan)
    must(marks == Counter(["in", "away"]), f"history at the borrower: {marks}")
    on_loan = [t["id"] for t in _loans(pair, LENS) if t["closed"] is None]
    must(on_loan == [lent.loan], f"on loan: {on_loan}")
    await said(pair)


# --- bookings ---


async def book(pair: Pair) -> Moved:
    """Book one item from today on and pick it up: the lender approves on the card of that day."""
    before = await stock_of(pair)
    line = f"!fed lend #{most_of(before)} 1 to {pair.take.id} from today for 3 weeks"
    booking = await begun(pair, pair.give, line, seen_by=pair.take)
    await tap(pair, pair.take, booking, YES)
    await pair.until(lambda: pair.give.document("Transfer", booking)["calls"], "the card of its first day")
    await tap(pair, pair.give, booking, YES)
    await done(pair, booking)
    return Moved(booking, 1, before, {"offer": 1, "noted": 1})


# --- waiting lists ---


async def lens_is_with_a_neighbour(pair: Pair) -> None:
    """Lend a lens with a unique serial number to a neighbour without a bot."""
    await lens_was_here(pair)
    await is_shared(pair)
    if len(pair.give.documents("Share")) == 1:
        await pair.give.person.say(pair.room, f"!fed share {LENS}")
        await pair.until(lambda: len(pair.give.documents("Share")) > 1, "lenses to be shared, too")
    lens = next(row for row in await _lenses(pair.give) if row.serial == _serial(pair.give))
    await pair.give.person.say(pair.room, f'!fed lend #{lens.pk} to outside "Café {pair.give.id}" for 1 week')
    await pair.until(lambda: _outside(pair, "out"), "it to be with the neighbour")
    await pair.rest()


def _outside(pair: Pair, state: str) -> list[dict[str, Any]]:
    return [loan for loan in pair.give.documents("OutsideLoan") if loan["state"] == state]


async def wait_for_turn(pair: Pair) -> Again:
    """A friend waits for it, it is returned, and the friend requests and gets it in its turn."""
    lens, record = f"{LENS}#{_serial(pair.give)}", _item(pair.take, _loans(pair, LENS)[0]["id"])
    await pair.take.person.say(pair.room, f"!fed wait {lens} from {pair.give.id}")
    await pair.until(lambda: _places(pair, "waiting"), "a place in the line")
    await pair.give.person.say(pair.room, f"!fed return {_outside(pair, 'out')[0]['code']}")
    (place,) = await pair.until(lambda: _places(pair, "turn"), "their turn")
    turn = await pair.until(lambda: pair.take.post(f"turn:{place['id']}"), "the word that it is their turn")
    known = {each["id"] for each in pair.give.documents("Transfer")}
    await pair.take.person.say(pair.room, "borrow for 2 weeks", reply_to=turn)
    (loan,) = await pair.until(
        lambda: [t["id"] for t in pair.give.documents("Transfer") if t["id"] not in known], "the request in their turn"
    )
    await tap(pair, pair.give, loan, YES)
    await done(pair, loan)
    return Again(loan, record)


def _places(pair: Pair, state: str) -> list[dict[str, Any]]:
    return [place for place in pair.take.documents("PlaceInLine") if place["state"] == state]


async def had_their_turn_right(pair: Pair, lent: Again) -> None:
    """It is lent once, the queue is empty, and it was their turn once."""
    await lent_again_right(pair, lent)
    must(not pair.give.documents("QueueEntry"), "somebody still waits at the owner's")
    living = [place for place in pair.take.documents("PlaceInLine") if place["state"] != "served"]
    must(not living, f"places that aren't over: {living}")


# --- a neighbour without a bot ---


@dataclass(frozen=True)
class Outside:
    """A neighbour's loan that is over, and the stock before it and while it ran."""

    loan: str
    before: Stock
    while_out: Stock


async def lend_outside(pair: Pair) -> Outside:
    """Lend four to a neighbour without a bot; they come back."""
    before, known = await stock_of(pair), {loan["id"] for loan in pair.give.documents("OutsideLoan")}
    line = f'!fed lend #{most_of(before)} 4 to outside "{_club(pair)}" for 2 weeks'
    await pair.give.person.say(pair.room, line)
    (loan,) = await pair.until(
        lambda: [each for each in _outside(pair, "out") if each["id"] not in known], "it to be with the neighbour"
    )
    await pair.rest()
    while_out = await stock_of(pair)
    await pair.give.person.say(pair.room, f"!fed return {loan['code']}")
    await pair.until(lambda: pair.give.document("OutsideLoan", loan["id"])["state"] == "returned", "it to be back")
    await pair.rest()
    return Outside(loan["id"], before, while_out)


async def came_back_from_neighbour_right(pair: Pair, lent: Outside) -> None:
    """Four were away, and all are back in a row of their own; each change was made once, one company stands for the
    neighbour.
    """
    after = await stock_of(pair)
    amounts = [in_stock(stock[0]) for stock in (lent.before, lent.while_out, after)]
    must(
        amounts == [amounts[0], amounts[0] - 4, amounts[0]], f"in stock before, while it was lent, and after: {amounts}"
    )
    (away,) = [row for row in lent.while_out[0] if row.pk not in {old.pk for old in lent.before[0]}]
    must((away.quantity, away.customer) == (Decimal(4), _club(pair)), f"what the neighbour had: {away}")
    must({row.pk for row in after[0]} == {row.pk for row in lent.while_out[0]}, "other rows than while it was lent")
    (back,) = [row for row in after[0] if row.pk == away.pk]
    lay = next(row.place for row in lent.before[0] if row.pk == most_of(lent.before))
    must((back.quantity, back.place, back.status) == (Decimal(4), lay, STATUS_OK), f"what came back: {back}")
    marks, _ = await marks_of(pair.give, back, lent.loan)
    must(
        marks == Counter({"out": 1, "over": 1, "arrived": 1, "back": 2}), f"history: {marks}"
    )  # returned, and put away
    async with admin(pair.give.inventree) as client:
        found = (await client.get("/api/company/", params={"search": _club(pair), "limit": 10})).json()["results"]
    must([each["name"] for each in found] == [_club(pair)], f"companies: {found}")
    must(after[1] == lent.before[1], "the friend's stock has changed")
    await said(pair)


# --- a neighbour that now has a bot, and has entered the loan in its InvenTree ---


@dataclass(frozen=True)
class Here:
    """A loan that was handed over to the borrower's new bot, the borrower's own record, and the stock before."""

    loan: str
    record: int
    before: Stock


async def neighbour_has_entered_it(pair: Pair) -> None:
    """Five are with a neighbour, who has entered them by hand."""
    before = await stock_of(pair)
    line = f'!fed lend #{most_of(before)} 5 to outside "{_club(pair)}" for 3 weeks'
    await pair.give.person.say(pair.room, line)
    await pair.until(lambda: _outside(pair, "out"), "it to be with the neighbour")
    await pair.rest()
    theirs = before[1][0]
    async with admin(pair.take.inventree) as client:
        like = (await client.get(f"/api/stock/{theirs.pk}/")).json()
        content = {"part": like["part"], "location": like["location"], "quantity": 5}
        (await client.post("/api/stock/", json=content)).raise_for_status()


def _club(pair: Pair) -> str:
    return f"Club {pair.take.id}"


async def hand_over_what_is_here(pair: Pair) -> Here:
    """The lender hands the loan over to their bot; they name their stock item and approve."""
    before = await stock_of(pair)
    record = max(row.pk for row in before[1])
    line = f'!fed outside "{_club(pair)}" is {pair.take.id}'
    loan = await begun(pair, pair.give, line, seen_by=pair.take)
    first = await pair.until(lambda: pair.take.post(f"card:{loan}"), "the card")
    await pair.take.person.say(pair.room, f"!fed here #{record}", reply_to=first)
    await pair.until(lambda: pair.take.post(f"card:{loan}") not in {"", first}, "the card that shows the record")
    await tap(pair, pair.take, loan, YES)
    await done(pair, loan)
    await pair.until(lambda: not _outside(pair, "handing over"), "the neighbour's loan to be over")
    await pair.rest()
    return Here(loan, record, before)


async def is_here_once_right(pair: Pair, here: Here) -> None:
    """Both have the same quantities in the same rows as before; the record is marked once, each change
    was made once.
    """
    after = await stock_of(pair)
    for party, rows_before, rows_after in zip(pair.parties, here.before, after, strict=True):
        must(in_stock(rows_after) == in_stock(rows_before), f"{party.id} has other stock than before")
        must({row.pk for row in rows_after} == {row.pk for row in rows_before}, f"{party.id} has other rows")
    lay, lies = (next(row.place for row in rows if row.pk == here.record) for rows in (here.before[1], after[1]))
    must(lay == lies, f"the record lay at {lay}, and lies at {lies}")
    must(_item(pair.take, here.loan) == here.record, "another record than the one that was named")
    marks, metadata = await marks_of(pair.take, await _row(pair.take, here.record), here.loan)
    must(marks == Counter(["in", "away"]), f"history at the borrower: {marks}")
    must(here.loan in str(metadata), f"the record's metadata: {metadata}")
    ours = await _row(pair.give, _item(pair.give, here.loan))
    must(not ours.in_stock, f"what is lent: {ours}")
    marks, _ = await marks_of(pair.give, ours, here.loan)
    must(marks == Counter(["brought", "brought", "out", "over", "arrived"]), f"history at the owner: {marks}")
    await said(pair)


# --- other ends ---


async def lose(pair: Pair) -> str:
    """The lender writes a loan off, and the borrower's superuser books it out there; return its id."""
    loan = await over(pair, "lost")
    await pair.until(lambda: pair.take.document("Transfer", loan)["left_over"], "the borrower to be asked")
    await pair.take.person.say(pair.room, f"!fed resolve {code_of(pair, loan)} --as off")
    await pair.until(lambda: not pair.take.document("Transfer", loan)["left_over"], "it to leave the borrower's stock")
    await pair.rest()
    return loan


async def give_for_good(pair: Pair) -> str:
    """The lender makes a loan a gift; return its id."""
    loan = await over(pair, "gift")
    await pair.rest()
    return loan


async def over(pair: Pair, how: str) -> str:
    """The lender says how a loan ended; return its id once both sides know."""
    loan = open_loan(pair)
    await pair.give.person.say(pair.room, f"!fed {how} {code_of(pair, loan)}")
    await pair.until(
        lambda: all(party.document("Transfer", loan)["closed"] for party in pair.parties), f"{how}, for both sides"
    )
    return loan


async def given_right(pair: Pair, loan: str) -> None:
    """It stays with the friend's company, and the history says once that it is a gift."""
    _ended_as(pair, loan, "gift")
    row = await _row(pair.give, _item(pair.give, loan))
    must((row.status, row.in_stock) == (STATUS_OK, False), f"what is given: {row}")
    marks, _ = await marks_of(pair.give, row, loan)
    must((marks["gift"], marks["gifted"]) == (1, 1), f"history at the owner: {marks}")
    await said(pair)


async def lost_right(pair: Pair, loan: str) -> None:
    """It stays with the friend's company as lost and is in nobody's stock; both sides know the end."""
    _ended_as(pair, loan, "lost")
    row = await _row(pair.give, _item(pair.give, loan))
    must((row.status, row.in_stock) == (STATUS_LOST, False), f"what is lost: {row}")
    row = await _row(pair.take, _item(pair.take, loan))
    marks, _ = await marks_of(pair.take, row, loan)
    must((row.status, marks["off"]) == (STATUS_LOST, 1), f"what was borrowed: {row}, {marks}")
    await said(pair)


def _ended_as(pair: Pair, loan: str, how: str) -> None:
    ends = [party.document("Transfer", loan)["closed"] for party in pair.parties]
    must([end and end["how"] for end in ends] == [how, how], f"it ended as {ends}")


# --- finding a loan ---


async def is_lent(pair: Pair) -> None:
    """Make sure that there is a loan that can be returned."""
    if not open_loan(pair):
        await lend(pair)


def open_loan(pair: Pair, *of: str) -> str:
    """An open loan of these items (IPNs; by default of resistors only), or ''."""
    return next((str(loan["id"]) for loan in _loans(pair, *of or (IPN,)) if loan["closed"] is None), "")


def _loans(pair: Pair, *of: str) -> list[dict[str, Any]]:
    known = pair.give.documents("Transfer")
    lent = [t for t in known if t["state"] == "done" and t["terms"]["loan_until"] and not t["terms"]["parent"]]
    return [loan for loan in lent if [line["description"]["ipn"] for line in loan["terms"]["lines"]] == [*of]]


def last_day(party: Party, loan: str) -> str:
    """Its due date, as extended."""
    known = party.document("Transfer", loan)
    return str(known["back_by"] or known["terms"]["loan_until"])


def _item(party: Party, loan: str, number: int = 1) -> int:
    """The key of the party's record of one item of the loan."""
    progress = party.document("Transfer", loan)["progress"]
    return next(int(line["item"]) for line in progress if line["number"] == number)


async def _row(party: Party, item: int) -> StockItem:
    async with party.stocktake() as stocktake:
        return await stocktake.item(item)
