"""Neighbours without a bot: lending, reminders, returns, gifts and losses on our side alone."""
# ruff: noqa: ANN401 -- rows of the simulated tables, and any place where a line is written

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fedbot.rules.ledger import history
from fedbot.rules.model.lending import LendingRule, OutsideLoan
from fedbot.rules.model.lifecycles import OutsideState, TransferState
from fedbot.rules.model.stock import STATUS_DAMAGED
from fedbot_demo.inventree.faults import FaultKind
from tests.dialogue.test_lending import lent
from tests.dialogue.test_recovery import is_rebuilt
from tests.dialogue.test_restarts import Rests, after_each_step, approved, settles_with_restarts
from tests.scenarios.books import assert_books_balance
from tests.scenarios.browsing import URL, Web, encrypted
from tests.scenarios.space import GIVE_UP
from tests.scenarios.world import GRACE, World, a_world, friends, told

A_DAY = timedelta(days=1)
LINE = 'lend 10 M3-NUT to outside "Repair Café" for 2 weeks'


async def says(world: World, person: str, line: str, **where: Any) -> str:
    """The answer to a line of that person."""
    event = getattr(world, person).says(f"!fed {line}", **where)
    await world.settle()
    room = world.alpha_admins if where.get("room") else world.room
    (answer,) = room.answers(event)
    return answer.text


async def lent_outside(line: str = LINE, **options: Any) -> World:
    world = await a_world(**options)
    await says(world, "piet", line)
    assert state(world) is OutsideState.OUT, world.room.transcript()
    return world


def state(world: World) -> OutsideState:
    return world.alpha.turn.all(OutsideLoan)[-1].state


def code(world: World) -> str:
    return world.alpha.turn.all(OutsideLoan)[-1].code


def with_neighbour(world: World) -> list[Any]:
    company = world.alpha.turn.all(OutsideLoan)[-1].company
    return [row for row in world.alpha.stock(customer=company) if company]


async def test_it_is_lent_and_returned_by_the_same_steps() -> None:
    world = await lent_outside()
    (row,) = with_neighbour(world)
    assert row.quantity == 10
    assert world.alpha.total("M3-NUT") == 340
    (company,) = [c for c in world.alpha.tables.companies if c.name == "Repair Café"]
    assert company.is_customer
    assert any("lent to Repair Café until 8 Dec 2026, said by Piet" in note for note in world.alpha.history(row.pk))
    assert world.alpha.row(row.pk).notes.startswith("Lent to Repair Café until 8 Dec 2026 – fedbot")
    assert "10 × M3 nut at Repair Café (outside), until Tue 8 Dec 2026" in await says(world, "kim", "todo")
    assert "approver" in await says(world, "kim", f"return {code(world)}")
    await says(world, "anna", f'return {code(world)} --note "all there"')
    assert state(world) is OutsideState.RETURNED
    assert world.alpha.total("M3-NUT") == 350
    assert world.room.message("is back from Repair Café").text.startswith("✅ 10 × M3 nut is back")
    assert "all there" in await says(world, "kim", f"show {code(world)}")
    assert_books_balance(world)


async def test_the_same_line_twice_lends_twice_and_says_so() -> None:
    world = await lent_outside()
    first = code(world)
    await world.passes(timedelta(minutes=2))
    again = await says(world, "piet", LINE)
    assert f"You typed the same thing a moment ago ({first}). This is a second one." in again
    await world.passes(timedelta(minutes=20))
    assert "a second one" not in await says(world, "piet", LINE)


async def test_the_lending_person_is_reminded_until_an_extension_or_the_end() -> None:
    world = await lent_outside()
    await world.passes(13 * A_DAY)
    (before,) = told(world.room, "is due back from Repair Café (outside) by Tue 8 Dec")
    assert set(before.mentions) == {world.piet.user_id}
    await says(world, "piet", f"extend {code(world)} 1 week")
    await world.passes(9 * A_DAY)
    assert len(told(world.room, "was due back")) == 0
    await world.passes(7 * A_DAY)
    assert len(told(world.room, "⚠ 10 × M3 nut was due back from Repair Café")) == 1
    assert "⚠ it was due" in await says(world, "kim", "todo")
    await says(world, "piet", f"lost {code(world)}")
    assert state(world) is OutsideState.LOST
    (row,) = with_neighbour(world)
    assert row.status == 70
    await world.passes(20 * A_DAY)
    assert len(told(world.room, "was due back")) == 1


async def test_a_gift_stays_there_and_an_item_from_a_friend_does_not_leave() -> None:
    world = await lent_outside()
    await says(world, "piet", f"gift {code(world)}")
    assert state(world) is OutsideState.GIFT
    await says(world, "piet", 'lend 5 M3-BOLT to outside "Repair Café" for 2 weeks')
    assert len([c for c in world.alpha.tables.companies if c.name == "Repair Café"]) == 1
    assert "isn't possible now" in await says(world, "piet", f"return {world.alpha.turn.all(OutsideLoan)[0].code}")
    assert_books_balance(world)


async def test_a_borrowed_item_does_not_go_on_to_a_neighbour() -> None:
    world = await lent("M3-NUT 10")
    item = world.beta.transfer().at(1).item
    answer = await says(world, "cem", f'lend #{item} to outside "Repair Café" for 2 weeks')
    assert "came from Attraktor, so it may not go on to a neighbour." in answer
    assert "outside:" not in answer
    assert "can ask" not in answer


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("lend 10 M3-NUT to outside for 2 weeks", "to whom? Name the neighbour"),
        ('lend 10 M3-NUT + 5 M3-BOLT to outside "Repair Café" for 2 weeks', "one line lends one stock item"),
        ('lend 9999 M3-NUT to outside "Repair Café" for 2 weeks', "350"),
    ],
)
async def test_an_item_that_can_not_be_lent_is_refused(line: str, words: str) -> None:
    world = await a_world()
    assert words in await says(world, "piet", line)
    assert world.alpha.turn.all(OutsideLoan) == []


async def test_a_booked_item_goes_to_a_neighbour_only_by_a_second_line_that_repeats_everything() -> None:
    world = await friends()
    await says(world, "anna", "lend #42 to betaspace from 12.12. until 19.12.")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    booking = world.alpha.turn.open_transfers()[0].code
    answer = await says(world, "piet", 'lend #42 to outside "Repair Café" for 4 weeks --note "for their laser"')
    assert f"for Betaspace, Sat 12 Dec to Sat 19 Dec 2026 ({booking})" in answer
    assert world.alpha.turn.all(OutsideLoan) == []
    await says(world, "piet", answer.partition("!fed ")[2])
    loan = world.alpha.turn.all(OutsideLoan)[-1]
    assert (loan.neighbour, loan.state, loan.note) == ("Repair Café", OutsideState.OUT, "for their laser")
    assert loan.until.isoformat() == "2026-12-22"
    await says(world, "piet", f"return {code(world)}")
    await says(world, "piet", 'lend #42 to outside "Repair Café" until 11.12.')
    assert state(world) is OutsideState.OUT, "it is back before the booking begins"


async def test_a_number_lends_all_that_was_typed() -> None:
    world = await a_world()
    await says(world, "piet", 'lend LENS-2 to outside "Repair Café" for 2 weeks --note "for their laser"')
    world.piet.says("1")
    await world.settle()
    loan = world.alpha.turn.all(OutsideLoan)[-1]
    assert (loan.neighbour, loan.note) == ("Repair Café", "for their laser")


async def test_only_approvers_lend_also_in_the_admin_room() -> None:
    world = await a_world()
    assert "approver" in await says(world, "kim", LINE)
    assert world.alpha.turn.all(OutsideLoan) == []
    await says(world, "anna", LINE, room=world.alpha_admins.id)
    assert state(world) is OutsideState.OUT
    assert "is on loan to Repair Café" in await says(world, "anna", f"show {code(world)}", room=world.alpha_admins.id)
    assert not told(world.room, "is on loan to Repair Café")


async def test_after_a_failed_step_nothing_is_lent_or_people_settle_it() -> None:
    world = await a_world()
    world.alpha.fails(FaultKind.ERROR_BEFORE, "POST", "/api/stock/assign/", status=400)
    await says(world, "piet", LINE)
    assert state(world) is OutsideState.NOT_LENT
    assert world.alpha.total("M3-NUT") == 350
    await says(world, "piet", LINE)
    assert state(world) is OutsideState.OUT, world.room.transcript()
    world.alpha.fails(FaultKind.ERROR_BEFORE, "POST", "/api/stock/.*return.*", times=None, status=400)
    await says(world, "piet", f"return {code(world)}")
    assert state(world) is OutsideState.UNCLEAR
    assert told(world.alpha_admins, "somebody has to look")
    world.alpha.comes_back()
    await says(world, "piet", f"return {code(world)}")
    assert state(world) is OutsideState.RETURNED
    assert world.alpha.total("M3-NUT") == 350
    assert_books_balance(world)


async def waits_for_inventree() -> World:
    """An approver lends, and InvenTree has accepted no changes since the line was read."""
    world = await a_world()
    world.alpha.fails(FaultKind.REFUSED, "POST|PATCH|PUT", times=None)
    await says(world, "piet", LINE)
    assert state(world) is OutsideState.BOOKING_OUT
    return world


async def test_a_delayed_loan_leaves_only_if_its_lender_still_has_the_permission() -> None:
    world = await waits_for_inventree()
    await world.passes(A_DAY)
    world.alpha.deactivates("piet")
    world.alpha.comes_back()
    await world.passes(timedelta(hours=1))
    assert state(world) is OutsideState.NOT_LENT
    assert world.alpha.total("M3-NUT") == 350
    assert "isn't an approver any more" in world.room.transcript()


async def test_a_delayed_loan_is_counted_in_its_original_unit() -> None:
    world = await waits_for_inventree()
    part = world.alpha.part("M3-NUT").pk
    with world.alpha.by_hand():
        world.alpha.admin("PATCH", f"part/{part}/", units="kg")
    world.alpha.comes_back()
    await world.passes(timedelta(hours=1))
    assert state(world) is OutsideState.NOT_LENT
    assert world.alpha.total("M3-NUT") == 350
    assert "has another unit now" in world.room.transcript()


async def test_a_restart_after_any_step_lends_it_once() -> None:
    async def lends(rests: Rests) -> World:
        world = await a_world()
        world.piet.says(f"!fed {LINE}")
        await rests(world)
        return world

    async for world, number in after_each_step(lends, "alpha"):
        assert state(world) is OutsideState.OUT, number
        assert world.alpha.total("M3-NUT") == 340
        assert len(told(world.room, "is on loan to Repair Café")) == 1
        assert_books_balance(world)


# --- the neighbour has a bot now --------------------------------------------------------------------------------

HAND_OVER = 'outside "Betaspace e.V." is betaspace'


async def lent_before_they_had_a_bot(line: str = "lend 10 M3-NUT") -> World:
    """Attraktor has lent something to "Betaspace e.V.", which became a friend later."""
    world = await a_world()
    await says(world, "piet", f'{line} to outside "Betaspace e.V." for 2 weeks')
    assert state(world) is OutsideState.OUT, world.room.transcript()
    await world.connect()
    return world


async def hands_over(world: World) -> str:
    """A superuser hands the loan over; return the offer, which answers the line."""
    answer = await says(world, "anna", HAND_OVER)
    assert state(world) is OutsideState.HANDING_OVER, world.room.transcript()
    return answer


async def test_a_neighbours_loan_becomes_an_ordinary_one_once_its_new_bot_approves() -> None:
    world = await lent_before_they_had_a_bot()
    assert "superuser" in await says(world, "piet", HAND_OVER)
    offer = await hands_over(world)
    assert "to take over 10 × M3 nut (M3-NUT), on loan until Tue 8 Dec" in offer
    (row,) = with_neighbour(world)
    assert row.quantity == 10, "nothing has moved"
    assert world.beta.total("N-M3") == 900
    card = world.card().text
    assert "Betaspace has 10 × M3 nut (M3-NUT) of Attraktor, on loan" in card
    assert 'On loan as "Betaspace e.V." since Tue 24 Nov 2026, says Attraktor. Approve only if you have it' in card
    assert "Nothing to hand over" in await says(world, "anna", HAND_OVER), "it is on offer already"
    assert "isn't possible now" in await says(world, "anna", f"return {code(world)}")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    (loan,) = [t for t in world.alpha.turn.transfers() if t.is_loan]
    assert loan.is_on_loan
    assert world.beta.transfer().is_on_loan
    assert state(world) is OutsideState.HANDED_OVER
    assert with_neighbour(world) == []
    assert world.alpha.given("M3-NUT") == 10, "debited once: it was out of our stock before"
    assert world.alpha.total("M3-NUT") == 340
    assert world.beta.total("N-M3") == 910
    assert world.alpha.row(loan.progress[0].item or 0).notes.startswith("Lent to Betaspace until 8 Dec 2026 – fedbot")
    told_of_it = await says(world, "kim", f"show {code(world)}")
    assert "is an ordinary loan to Betaspace now" in told_of_it
    assert f"!fed show {loan.code}" in told_of_it
    assert loan.id not in world.room.transcript()
    world.cem.says(f"!fed return {world.beta.transfer().code}")
    await world.settle()
    world.anna.reacts(world.room.messages(sender=world.alpha.chat.user_id)[-1], "✅")
    await world.grace()
    assert world.alpha.total("M3-NUT") == 350, world.room.transcript()
    assert_books_balance(world)


async def test_an_item_that_the_neighbour_has_already_does_not_come_by_parcel() -> None:
    world = await lent_before_they_had_a_bot()
    await hands_over(world)
    world.cem.reacts(world.card(), "📦")
    await world.grace()
    assert world.beta.transfer().state is TransferState.OPEN
    assert "this card has no such answer" in world.room.messages(sender=world.beta.chat.user_id)[-1].text
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.beta.transfer().is_on_loan


async def test_a_loan_that_is_handed_over_keeps_its_lending_rules_and_show_says_where_they_are() -> None:
    world = await a_world(alpha={"lending": (LendingRule(parts=("M3-NUT",), extensions=1, longest=30),)})
    await says(world, "piet", 'lend 10 M3-NUT to outside "Betaspace e.V." for 2 weeks')
    await world.connect()
    await hands_over(world)
    assert "at most 30 days" in world.card().text
    loan = world.alpha.transfer().code
    assert "Its lending rules come from: part M3-NUT (settings)" in await says(world, "kim", f"show {loan}")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert "part M3-NUT (settings)" in await says(world, "kim", f"show {loan}")
    assert "lending rules come from" not in await says(world, "cem", f"show {loan}"), "that is the owner's own business"


@pytest.mark.parametrize("how", ["declined", "cancelled", "expired"])
async def test_if_their_bot_does_not_accept_it_the_neighbour_has_it_as_before(how: str) -> None:
    world = await lent_before_they_had_a_bot()
    await hands_over(world)
    if how == "declined":
        world.cem.reacts(world.card(), "❌")
        await world.grace()
    elif how == "cancelled":
        world.anna.says(f"!fed cancel {world.alpha.transfer().code}")
        await world.settle()
    else:
        await world.passes(8 * A_DAY)
    assert state(world) is OutsideState.OUT, world.room.transcript()
    assert [row.quantity for row in with_neighbour(world)] == [10]
    await hands_over(world)
    assert_books_balance(world)


async def test_a_loan_that_differs_from_our_inventree_is_not_handed_over() -> None:
    world = await lent_before_they_had_a_bot()
    (row,) = with_neighbour(world)
    with world.alpha.by_hand():
        world.alpha.admin("POST", "stock/return/", items=[{"pk": row.pk, "quantity": 10}], location=row.location or 1)
    assert "the InvenTree of Attraktor doesn't match my books" in await says(world, "anna", HAND_OVER)
    assert state(world) is OutsideState.OUT
    assert world.alpha.turn.transfers() == []
    assert "10 × M3 nut" in await says(world, "kim", "outside")
    assert "has nothing on loan" in await says(world, "anna", 'outside "Nobody" is betaspace')


@pytest.mark.parametrize(
    ("method", "path", "after"),
    [
        ("POST", "/api/stock/.*return.*", OutsideState.UNCLEAR),
        ("POST", "/api/stock/assign/", OutsideState.OUT),
    ],
)
async def test_after_a_failed_hand_over_the_neighbour_still_has_it_or_people_check(
    method: str, path: str, after: OutsideState
) -> None:
    world = await lent_before_they_had_a_bot()
    await hands_over(world)
    world.alpha.fails(FaultKind.ERROR_BEFORE, method, path, status=400)
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert state(world) is after, world.room.transcript()
    assert [row.quantity for row in with_neighbour(world)] == [10]
    assert world.beta.total("N-M3") == 900
    await hands_over(world)
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert state(world) is OutsideState.HANDED_OVER, world.room.transcript()
    assert world.alpha.given("M3-NUT") == 10
    assert_books_balance(world)


async def test_after_a_refusal_by_their_inventree_the_neighbour_has_it_as_before() -> None:
    world = await lent_before_they_had_a_bot()
    await hands_over(world)
    world.beta.fails(FaultKind.ERROR_BEFORE, "POST", "/api/stock/$", times=None, status=400)
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    await world.passes(GIVE_UP)
    assert state(world) is OutsideState.OUT, world.room.transcript()
    assert [row.quantity for row in with_neighbour(world)] == [10]
    assert world.alpha.given("M3-NUT") == 0
    assert_books_balance(world)


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("side", ["alpha", "beta"])
async def test_a_restart_after_any_step_hands_it_over_once(side: str, every: int) -> None:
    async def is_handed_over(rests: Rests) -> World:
        world = await lent_before_they_had_a_bot()
        await hands_over(world)
        return await approved(world, world.cem, rests)

    async for world, number in after_each_step(is_handed_over, side, every):
        assert state(world) is OutsideState.HANDED_OVER, (number, world.room.transcript())
        assert (world.alpha.given("M3-NUT"), world.beta.total("N-M3")) == (10, 910)
        assert_books_balance(world)


# --- the borrower entered it by hand before ---------------------------------------------------------------------


async def is_here_by_hand(world: World, *, quantity: int = 10, **fields: Any) -> int:
    """Somebody at betaspace has entered the borrowed item by hand; return its number."""
    with world.beta.by_hand():
        part = world.beta.part(fields.pop("ipn", "N-M3")).pk
        place = world.beta.location("Shelf 2")
        made = world.beta.admin("POST", "stock/", part=part, quantity=quantity, location=place, **fields)
    row = made[0] if isinstance(made, list) else made
    return int(row["pk"])


async def test_an_item_that_the_borrower_entered_by_hand_is_marked_as_borrowed_and_nothing_is_added() -> None:
    world = await lent_before_they_had_a_bot()
    item = await is_here_by_hand(world)
    await hands_over(world)
    assert "Is it in your InvenTree already? Reply with its number: !fed here #42" in world.card().text
    assert "approver" in await says(world, "tom", f"here {world.beta.transfer().code} #{item}")
    said = world.cem.says(f"!fed here #{item}", reply_to=world.card())
    await world.settle()
    assert f"is your stock #{item}. A new card follows." in world.room.answers(said)[0].text
    card = world.card()
    told_where = f'as your stock #{item} of the part "{world.beta.part("N-M3").name}": nothing is added'
    assert told_where in card.text, card.text
    assert "This card replaces the one before" in card.text
    assert world.beta.total("N-M3") == 910
    world.cem.reacts(card, "✅")
    await world.grace()
    loan = world.beta.transfer()
    assert (loan.is_on_loan, loan.progress[0].item) == (True, item), world.room.transcript()
    assert world.beta.total("N-M3") == 910, "nothing was added"
    assert world.beta.row(item).notes.startswith("Borrowed from Attraktor until 8 Dec 2026 – fedbot")
    assert any("borrowed from Attraktor" in note for note in world.beta.history(item))
    assert world.alpha.given("M3-NUT") == 10
    refused = await says(world, "cem", f"push #{item} to attraktor")
    assert "return" in refused, "it is borrowed now, like anything else that is"
    await says(world, "cem", f"return {loan.code}")
    world.anna.reacts(world.room.messages(sender=world.alpha.chat.user_id)[-1], "✅")
    await world.grace()
    assert (world.alpha.total("M3-NUT"), world.beta.total("N-M3")) == (350, 900), world.room.transcript()


async def test_the_borrowers_own_record_of_a_serialised_item_is_used() -> None:
    world = await lent_before_they_had_a_bot("lend #42")
    item = await is_here_by_hand(world, ipn="LENS-2", quantity=1, serial_numbers="0042")
    await hands_over(world)
    assert "serial number 0042 here is taken" in world.card().text or "0042-attraktor" in world.card().text
    await says(world, "cem", f"here {world.beta.transfer().code} #{item}")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    loan = world.beta.transfer()
    assert (loan.is_on_loan, loan.progress[0].item, loan.progress[0].serial) == (True, item, "")
    assert [row.serial for row in world.beta.stock(part=world.beta.part("LENS-2").pk)] == ["B-7", "0042"]


@pytest.mark.parametrize("what", ["less", "serial", "given", "two"])
async def test_a_stock_item_that_does_not_match_exactly_is_refused_with_what_to_do(what: str) -> None:
    world = await lent_before_they_had_a_bot()
    item = await is_here_by_hand(world, quantity=4 if what == "less" else 10)
    word = f"#{item}"
    if what == "serial":
        item = await is_here_by_hand(world, ipn="LENS-2", quantity=1, serial_numbers="7")
        word = f"#{item}"
    elif what == "given":
        await world.push("M3-NUT 10")
        world.cem.reacts(world.card(), "✅")
        await world.grace()
        word = f"#{world.beta.transfer().progress[0].item}"
    elif what == "two":
        word = "N-M3"
    await hands_over(world)
    loan = world.beta.turn.open_transfers()[0]
    answer = await says(world, "cem", f"here {loan.code} {word}")
    assert answer.startswith("Nothing changed: "), answer
    assert world.beta.turn.transfer(loan.id).progress[0].here is None  # type: ignore[union-attr]
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert state(world) is OutsideState.HANDED_OVER, "as it was before"


async def test_an_item_that_changes_after_the_card_is_not_marked_and_stays_with_the_neighbour() -> None:
    world = await lent_before_they_had_a_bot()
    item = await is_here_by_hand(world)
    await hands_over(world)
    await says(world, "cem", f"here {world.beta.transfer().code} #{item}")
    world.cem.reacts(world.card(), "✅")
    await world.settle()
    with world.beta.by_hand():
        world.beta.admin("POST", "stock/remove/", items=[{"pk": item, "quantity": 3}], notes="used")
    await world.grace()
    assert world.beta.row(item).quantity == 7
    assert not world.beta.transfer().is_on_loan, world.room.transcript()
    assert state(world) is OutsideState.OUT, world.room.transcript()
    assert world.alpha.given("M3-NUT") == 0


async def test_an_offered_item_that_is_borrowed_by_now_does_not_leave() -> None:
    """A careless member offers an item that they entered by hand, and then somebody says that it is only borrowed."""
    world = await lent_before_they_had_a_bot()
    item = await is_here_by_hand(world)
    await hands_over(world)
    loan = world.beta.transfer()
    await says(world, "cem", f"push #{item} 4 to attraktor")
    offered = world.beta.turn.open_transfers()[-1]
    await says(world, "cem", f"here {loan.code} #{item}")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.beta.turn.transfer(loan.id).is_on_loan  # type: ignore[union-attr]
    await says(world, "anna", f"approve {offered.code}")
    await world.grace()
    assert world.beta.turn.transfer(offered.id).state is TransferState.ABORTED, world.room.transcript()  # type: ignore[union-attr]
    assert (world.beta.row(item).quantity, world.beta.row(item).customer) == (10, None)
    assert "have since said that it is only on loan to them" in world.room.transcript()


async def test_here_can_be_taken_back_and_works_only_for_such_loans() -> None:
    world = await lent_before_they_had_a_bot()
    item = await is_here_by_hand(world)
    await hands_over(world)
    loan = world.beta.transfer().code
    assert "Which one?" in await says(world, "cem", f"here #{item}")
    await says(world, "cem", f"here {loan} #{item}")
    assert "isn't in your stock yet" in await says(world, "cem", f"here {loan} --forget")
    assert "as your stock" not in world.card().text
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.beta.total("N-M3") == 920, "the entry by hand, and the loan"
    assert "isn't a loan from before" in await says(world, "cem", f"here {loan} #{item}")


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.long)])
async def test_a_restart_after_any_step_marks_it_once(every: int) -> None:
    items = list[int]()

    async def is_marked(rests: Rests) -> World:
        world = await lent_before_they_had_a_bot()
        items.append(await is_here_by_hand(world))
        await hands_over(world)
        await says(world, "cem", f"here {world.beta.transfer().code} #{items[-1]}")
        return await approved(world, world.cem, rests)

    async for world, number in after_each_step(is_marked, "beta", every):
        item = items[-1]
        assert state(world) is OutsideState.HANDED_OVER, (number, world.room.transcript())
        assert world.beta.total("N-M3") == 910, number
        marks = [note for note in world.beta.history(item) if ":1:in" in note]
        assert len(marks) == 1, (number, marks)


@pytest.mark.parametrize("steps", [0, 2, 4, 6, 9, 12])
async def test_after_a_loss_it_is_marked_all_the_same_and_nothing_is_added(steps: int) -> None:
    """The journal is lost between approval and booking. The line is in our own message in the room."""
    world = await lent_before_they_had_a_bot()
    item = await is_here_by_hand(world)
    await hands_over(world)
    await says(world, "cem", f"here {world.beta.transfer().code} #{item}")
    world.cem.reacts(world.card(), "✅")
    await world.settle()
    world.clock.advance(GRACE + timedelta(seconds=1))
    await world.settle(asleep=(world.alpha,))
    assert world.beta.transfer().wanted == "approve"
    await settles_with_restarts(world, {}, [0], at_most=steps)
    await is_rebuilt(world.beta)
    await world.passes(timedelta(minutes=15))
    assert state(world) is OutsideState.HANDED_OVER, world.room.transcript()
    loan = world.beta.transfer()
    assert (loan.is_on_loan, loan.progress[0].item) == (True, item), world.room.transcript()
    assert world.beta.total("N-M3") == 910, "nothing was added"
    assert len([note for note in world.beta.history(item) if ":1:in" in note]) == 1


@pytest.mark.parametrize("is_forgotten", [False, True])
async def test_after_a_loss_before_the_approval_the_card_shows_the_same(is_forgotten: bool) -> None:
    """Somebody had said which stock item it is, and nobody had decided: an approval counts for what its card showed."""
    world = await lent_before_they_had_a_bot()
    item = await is_here_by_hand(world)
    await hands_over(world)
    await says(world, "cem", f"here {world.beta.transfer().code} #{item}")
    if is_forgotten:
        await says(world, "cem", f"here {world.beta.transfer().code} --forget")
    card = world.card()
    await is_rebuilt(world.beta)
    await world.passes(timedelta(minutes=15))
    assert ("nothing is added" in world.card().text) is not is_forgotten, world.room.transcript()
    world.cem.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=15))
    assert state(world) is OutsideState.HANDED_OVER, world.room.transcript()
    assert (world.beta.transfer().progress[0].item == item) is not is_forgotten
    assert world.beta.total("N-M3") == (920 if is_forgotten else 910)


# --- ledger, figures, loss of the journal -----------------------------------------------------------------------


async def test_the_ledger_and_the_figures_show_neighbours_loans() -> None:
    world = await lent_outside(alpha={"pages_url": URL})
    await says(world, "piet", f"return {code(world)}")
    await world.passes(timedelta(hours=1))
    await says(world, "piet", LINE.replace("10 M3-NUT", "5 #1"))
    await says(world, "piet", f"gift {code(world)}")
    await world.passes(timedelta(hours=1))
    await says(world, "anna", LINE.replace("10 M3-NUT", "#42"))
    listed = await says(world, "kim", "history")
    places = [listed.index(name) for name in ("Laser lens", "M3 bolt", "M3 nut")]
    assert places == sorted(places), listed
    for words in ("On loan until Tue 8 Dec 2026.", "A gift now.", "Returned."):
        assert words in listed
    of_item = await says(world, "kim", "history #42")
    assert "1 transfer of" in of_item
    assert "On loan until Tue 8 Dec 2026." in of_item
    assert "it is with the neighbour" in await says(world, "kim", f"history {code(world)}")
    figures = await says(world, "kim", "stats")
    assert "5 pieces" in figures
    loans = world.alpha.turn.all(OutsideLoan)
    rows = history.outside_rows(loans)
    assert [(row.kind, row.peer, row.loan_end, row.part) for row in rows] == [
        ("outside", "outside:Repair Café", "", "Laser lens 2.0″ ZnSe"),
        ("outside", "outside:Repair Café", "gift", "M3 bolt"),
        ("outside", "outside:Repair Café", "returned", "M3 nut"),
    ]
    await encrypted(world)
    program = await Web(world, world.alpha).program_of(world.kim, "read")
    for asked, parts in (("", ["Laser lens 2.0″ ZnSe", "M3 bolt", "M3 nut"]), ("?words=m3+bolt", ["M3 bolt"])):
        table = await program.gets(f"/api/v1/transfers.csv{asked}")
        told = [row for row in csv.DictReader(io.StringIO(table.text)) if row["kind"] == "outside"]
        assert [row["part"] for row in told] == parts, table.text
        assert {row["peer"] for row in told} == {"outside:Repair Café"}
    assert "outside" not in (await program.gets("/api/v1/transfers.csv?kind=push")).text.partition("\n")[2]
    lens, bolt, nut = await program.reads("/outside")
    expected = {
        "neighbour": "Repair Café",
        "state": "out",
        "part": "Laser lens 2.0″ ZnSe",
        "quantity": "1",
        "due_day": "2026-12-08",
        "overdue_days": 0,
        "ended_at": None,
    }
    assert {name: lens[name] for name in expected} == expected
    assert (lens["state_text"], lens["lent_by"]["user"]) == ("On loan until Tue 8 Dec 2026.", "anna")
    assert [(each["state"], each["ended_by"]["user"]) for each in (bolt, nut)] == [
        ("gift", "piet"),
        ("returned", "piet"),
    ]
    await world.passes(16 * A_DAY)
    assert (await program.reads("/outside"))[0]["overdue_days"] == 2


async def test_after_a_rebuild_neighbours_loans_are_known_again_and_returned() -> None:
    world = await lent_outside()
    await says(world, "piet", f"return {code(world)}")
    await says(world, "piet", LINE)
    world.piet.says("1")
    await world.settle()
    before = world.alpha.turn.all(OutsideLoan)[-1]
    rebuilt = await is_rebuilt(world.alpha)
    await world.settle()
    assert rebuilt.outside == 1, "what is over stands in InvenTree's history alone"
    assert world.alpha.turn.all(OutsideLoan) == [replace(before, posted=1)]
    assert len(told(world.room, "is on loan to Repair Café")) == 2, "which one was its message isn't known any more"
    await world.passes(22 * A_DAY)
    assert told(world.room, "⚠ 10 × M3 nut was due back from Repair Café")
    await says(world, "piet", f"return {code(world)}")
    assert state(world) is OutsideState.RETURNED
    assert world.alpha.total("M3-NUT") == 350
    assert (await is_rebuilt(world.alpha)).outside == 0
    assert_books_balance(world)


@pytest.mark.parametrize("is_over", [False, True])
async def test_a_hand_over_goes_on_after_a_rebuild_and_is_booked_once(*, is_over: bool) -> None:
    world = await lent_before_they_had_a_bot()
    await hands_over(world)
    if is_over:
        world.alpha.fails(FaultKind.ERROR_BEFORE, "PATCH", "/api/(metadata/company|company)/.*", times=None)
        world.cem.reacts(world.card(), "✅")
        await world.grace()
        world.alpha.comes_back()
    await is_rebuilt(world.alpha)
    await world.settle()
    if not is_over:
        assert state(world) is OutsideState.HANDING_OVER, world.room.transcript()
        world.cem.reacts(world.card(), "✅")
        await world.grace()
    await world.passes(timedelta(minutes=30))
    assert state(world) is OutsideState.HANDED_OVER, world.room.transcript()
    assert (world.alpha.given("M3-NUT"), world.beta.total("N-M3")) == (10, 910)
    assert_books_balance(world)


async def test_a_neighbours_loan_is_named_by_its_item() -> None:
    world = await lent_outside()
    assert await says(world, "piet", "return lens") == (
        'Nothing called "lens" is on loan, and no card has that id. I did nothing.\nSee what is on loan: !fed todo'
    )
    assert "Which loan?" in await says(world, "piet", "extend 3 weeks")
    assert "Noted" in await says(world, "piet", "extend M3 nut by 3 weeks")
    assert world.alpha.turn.all(OutsideLoan)[-1].until.isoformat() == "2026-12-29"
    for less in ("return M3-NUT 3", f"return {code(world)} 3 pcs", "gift 3 M3-NUT"):
        assert "as a whole: 10 × M3 nut" in await says(world, "piet", less)
    assert state(world) is OutsideState.OUT
    await says(world, "piet", "return M3-NUT 10")
    assert state(world) is OutsideState.RETURNED


async def test_an_item_that_a_neighbour_and_a_friend_have_is_asked_about() -> None:
    world = await friends()
    await says(world, "piet", LINE)
    world.anna.says("!fed lend 5 M3-NUT to betaspace for 2 weeks")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    loan = world.alpha.transfer().code
    for verb in ("return", "extend", "gift", "lost"):
        told_back = await says(world, "piet", f"{verb} M3-NUT" + (" 1 week" if verb == "extend" else ""))
        assert 'Several loans include "M3-NUT"' in told_back
        assert {loan, code(world)} <= set(told_back.split())
    assert "Which loan?" in await says(world, "piet", "return all")
    await says(world, "piet", f"return {code(world)}")
    world.piet.says("!fed extend M3-NUT by 1 week")
    await world.settle()
    assert str(world.alpha.transfer().due_day) == "2026-12-15"


async def test_a_neighbours_item_comes_back_broken_by_a_word() -> None:
    world = await lent_outside()
    (row,) = with_neighbour(world)
    await says(world, "piet", f"return {code(world)} broken")
    assert state(world) is OutsideState.RETURNED
    assert world.alpha.row(row.pk).status == STATUS_DAMAGED


@pytest.mark.parametrize("name", ["Repair Café", '"Repair Café"'])
async def test_a_loan_to_a_name_that_nobody_has_names_the_way_to_lend_to_a_neighbour(name: str) -> None:
    world = await friends()
    answer = await says(world, "piet", f"lend 10 M3-NUT to {name} for 2 weeks")
    line = "lend 10 M3-NUT to outside Repair Café for 2 weeks"
    assert f"A neighbour without a bot? !fed {line}" in answer
    await says(world, "piet", line)
    assert "10 × M3 nut at Repair Café (outside)" in await says(world, "kim", "todo")
    assert "neighbour" not in await says(world, "piet", "push 10 M3-NUT to Repair Café")
    assert "neighbour" not in await says(world, "piet", "lend 10 M3-NUT to betaspce for 2 weeks")


async def test_the_reason_for_the_end_of_a_neighbours_loan_is_kept() -> None:
    world = await lent_outside()
    code = world.alpha.turn.all(OutsideLoan)[0].code
    await says(world, "piet", f"lost {code} - they have moved away")
    assert ': "they have moved away"' in await says(world, "kim", f"show {code}")
