"""`reconcile`: both spaces' books are compared, differences are named, and only safe ones are fixed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from fedbot.rules.ledger import reconcile
from fedbot.rules.model.books import BookLine, Kind, Reconciliation
from fedbot.rules.model.events import ReconcileDue
from fedbot.rules.model.lifecycles import TransferState
from fedbot_demo.inventree.faults import FaultKind
from tests.dialogue.test_lending import handed_back, lent
from tests.fakes.people import Message, Person
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, nothing, protocol_messages, told


async def asks(world: World, person: Person, words: str = "") -> Message:
    """The person asks to reconcile; return the answer."""
    line = person.says(f"!fed reconcile {words}".strip())
    await world.settle()
    answers = world.room.answers(line)
    assert len(answers) == 1, world.room.transcript()
    return answers[0]


async def given() -> World:
    """Ten nuts and the lens went from Attraktor to Betaspace."""
    world = await friends()
    await world.hand_over()
    await world.hand_over("#42")
    return world


async def test_books_that_agree_are_reported_as_such_by_either_side() -> None:
    world = await given()
    for person, words in ((world.anna, "betaspace"), (world.bea, "")):
        answer = await asks(world, person, words)
        assert "✅ The books of" in answer.text
        assert "2 lines compared" in answer.text
    assert_books_balance(world)


async def test_an_item_brought_back_by_hand_is_in_stock_twice_and_both_are_told() -> None:
    world = await given()
    lens = world.alpha.row(42)
    world.alpha.admin("POST", "stock/return/", items=[{"pk": 42, "quantity": "1", "status": 10}], location=1, notes="x")
    assert world.alpha.row(42).customer is None, lens
    answer = await asks(world, world.anna, "betaspace")
    assert "1 difference" in answer.text
    assert "in stock at both spaces (#42 here, #" in answer.text
    assert "Likely: somebody brought it back by hand" in answer.text
    assert "there, #42" not in answer.text
    assert "(#1208 here, #42 there)" in (await asks(world, world.bea)).text
    assert world.alpha.row(42).customer is None, "nothing is moved"


@pytest.mark.parametrize(
    ("side", "path", "place"), [("alpha", "stock/transfer/", "Outgoing"), ("beta", "/api/stock/$", "Incoming")]
)
async def test_an_item_that_a_very_late_request_brought_into_outgoing_or_incoming_is_named(
    side: str, path: str, place: str
) -> None:
    world = await friends()
    card = await world.push()
    space = getattr(world, side)
    space.fails(FaultKind.LATE, "POST", path)
    world.cem.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=5))
    assert space.transfer().state is TransferState.DONE
    (answer,) = space.transport.faults.release(space.seeded.server)
    assert answer.status == 201
    late = max((row for row in space.stock() if row.location == space.location(place)), key=lambda row: row.pk)
    person = world.anna if side == "alpha" else world.bea
    told_of = await asks(world, person, "" if side == "beta" else "betaspace")
    assert "1 difference" in told_of.text
    assert f"it was moved twice: #{late.pk} (quantity 10) is left in Outgoing or Incoming" in told_of.text
    other = await asks(world, world.bea if side == "alpha" else world.anna)
    assert "✅ The books of" in other.text


async def test_an_item_that_people_split_off_in_incoming_is_no_stray() -> None:
    world = await friends(beta={"destination": "Incoming"})
    await world.hand_over()
    item = world.beta.transfer().progress[0].item
    aside = {"items": [{"pk": item, "quantity": "4"}], "location": world.beta.location("Incoming")}
    world.beta.admin("POST", "stock/transfer/", **aside, notes="for the course")
    assert len([row for row in world.beta.stock() if row.location == world.beta.location("Incoming")]) == 2
    assert "left in Outgoing or Incoming" not in (await asks(world, world.bea)).text


async def test_a_missing_changed_or_unmarked_record_is_named() -> None:
    world = await given()
    nuts = world.alpha.turn.transfers()[0].at(1).item
    world.alpha.admin("DELETE", "stock/42/")
    back = [{"pk": nuts, "quantity": "4", "status": 10}]
    world.alpha.admin("POST", "stock/return/", items=back, location=1, notes="four came back")
    answer = await asks(world, world.anna, "betaspace")
    assert "2 differences" in answer.text
    assert "is no longer with customer Betaspace" in answer.text
    assert f"#{nuts}, has another quantity now" in answer.text
    assert "✅ The books of" in (await asks(world, world.bea)).text, "it is amiss in Attraktor's books only"


async def test_items_that_betaspace_uses_up_are_no_difference() -> None:
    world = await given()
    got = world.beta.turn.transfers()[0].at(1).item
    world.beta.admin("DELETE", f"stock/{got}/")
    assert "✅ The books of" in (await asks(world, world.anna, "betaspace")).text


async def test_a_missing_mark_and_a_damaged_mirror_are_repaired_only_on_request() -> None:
    world = await friends()
    world.alpha.fails(FaultKind.ERROR_BEFORE, "POST", "stock/change_status/", status=400, times=None)
    await world.hand_over()
    world.alpha.comes_back()
    await world.passes(timedelta(minutes=1))
    item = world.alpha.transfer().at(1).item
    assert item is not None
    assert world.alpha.row(item).status == 50
    url = f"metadata/stockitem/{item}/"
    world.alpha.admin("PATCH", url, metadata={"fedbot": {"value": "spoiled"}})
    assert "our record #" in (await asks(world, world.anna, "betaspace")).text
    await world.passes(timedelta(minutes=1))
    assert world.alpha.row(item).status == 50, "nobody has asked to fix it"
    answer = await asks(world, world.anna, "betaspace --repair")
    assert "being fixed now" in answer.text
    await world.passes(timedelta(minutes=1))
    assert world.alpha.row(item).status == 10
    assert world.alpha.metadata("stockitem", item)["to"] == "betaspace"
    assert "✅ The books of" in (await asks(world, world.anna, "betaspace")).text
    assert_books_balance(world)


async def test_a_friend_that_lost_its_journal_knows_nothing_of_its_items() -> None:
    world = await given()
    transfers = world.beta.turn.transfers()
    world.beta.knows_instead({("Transfer", transfer.id): None for transfer in transfers})
    answer = await asks(world, world.anna, "betaspace")
    assert "the bot of Betaspace knows nothing of it" in answer.text
    assert "we know nothing of it" in (await asks(world, world.bea)).text


async def test_only_superusers_may_and_only_with_friends() -> None:
    world = await given()
    assert "superuser" in (await asks(world, world.piet, "betaspace")).text
    world = await friends()
    world.anna.says("!fed disconnect betaspace --sure")
    await world.settle()
    assert "no friends" in (await asks(world, world.anna)).text
    assert "aren't friends" in (await asks(world, world.anna, "betaspace")).text


async def test_a_silent_bot_and_a_silent_inventree_are_reported() -> None:
    world = await given()
    line = world.anna.says("!fed reconcile betaspace")
    await world.settle(asleep=(world.beta,))
    assert not world.room.answers(line)
    await world.passes(timedelta(minutes=3), asleep=(world.beta,))
    assert "The bot of Betaspace has not answered" in world.answer_to(line)
    await world.settle()
    world.beta.goes_down()
    assert "The InvenTree of Betaspace does not answer" in (await asks(world, world.anna, "betaspace")).text
    world.beta.comes_back()
    await world.passes(timedelta(minutes=1))


async def test_lost_messages_are_sent_again() -> None:
    world = await given()
    world.server.loses = protocol_messages
    line = world.anna.says("!fed reconcile betaspace")
    await world.settle()
    world.server.loses = nothing
    await world.passes(timedelta(seconds=90))
    assert "✅ The books of" in world.answer_to(line)


async def test_long_books_are_sent_in_pages_that_are_never_readable_in_transit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fedbot.rules.ledger.reconcile.MOST_BYTES", 300)
    world = await friends()
    for _ in range(5):
        await world.hand_over("M3-NUT 2")
    answer = await asks(world, world.anna, "betaspace")
    assert "5 lines compared" in answer.text
    pages = [e for e in world.room.envelopes(sender=world.beta.chat.user_id) if e["kind"] == "books"]
    assert len(pages) == 5
    assert all("lines" not in page["body"] for page in pages)


async def test_by_night_the_admins_are_told_new_differences_only_once() -> None:
    world = await given()

    async def night() -> None:
        for space in world.spaces:
            space.bot.engine.put(ReconcileDue(world.clock.now()))
        await world.settle()
        await world.passes(timedelta(days=1))

    await night()
    assert not told(world.alpha_admins, "difference")
    world.alpha.admin("POST", "stock/return/", items=[{"pk": 42, "quantity": "1", "status": 10}], location=1, notes="x")
    await night()
    await night()
    assert len(told(world.alpha_admins, "1 difference")) == 1
    assert len(told(world.beta_admins, "1 difference")) == 1
    assert not told(world.room, "difference")


async def test_a_friend_whose_bot_is_gone_is_not_asked_again_each_night() -> None:
    world = await given()
    world.beta.is_asleep = True
    for _ in range(5):
        world.alpha.bot.engine.put(ReconcileDue(world.clock.now()))
        await world.passes(timedelta(days=1))
    assert [draft.kind for draft in world.alpha.connection().exchange.unread].count("books-ask") == 1
    await world.beta.restart()
    await world.passes(timedelta(days=1))
    asked = world.alpha.connection().exchange.sent
    world.alpha.bot.engine.put(ReconcileDue(world.clock.now()))
    await world.settle()
    assert world.alpha.connection().exchange.sent > asked, "it is asked again once it has read the last question"
    assert world.alpha.turn.all(Reconciliation) == []


async def test_a_friend_that_asks_for_our_books_too_often_is_told_to_wait() -> None:
    world = await friends(beta={"questions_an_hour_per_peer": 2})
    await world.hand_over()
    await world.hand_over("#42")
    for _ in range(2):
        assert "✅ The books of" in (await asks(world, world.anna, "betaspace")).text
    calls = len(world.beta.wire.network.log)  # type: ignore[attr-defined]
    assert "We asked Betaspace for its books too often" in (await asks(world, world.anna, "betaspace")).text
    assert len(world.beta.wire.network.log) == calls  # type: ignore[attr-defined]
    await world.passes(timedelta(hours=1))
    assert "✅ The books of" in (await asks(world, world.anna, "betaspace")).text


async def ordered(world: World, space: str = "", *, repair: bool = False) -> dict[str, Any]:
    """The admin of Attraktor's machine runs it; return the output of the command line."""
    order = asyncio.ensure_future(world.alpha.bot.orders.reconcile(space, repair=repair))
    await asyncio.sleep(0)
    await world.settle()
    return await order


async def test_the_command_line_prints_what_the_admins_read() -> None:
    world = await given()
    answer = await ordered(world)
    assert [told["agree"] for told in answer["told"]] == [True]
    assert "✅ The books of Attraktor and Betaspace agree" in answer["told"][0]["text"]
    assert world.alpha_admins.messages()[-1].text == answer["told"][0]["text"]
    world.alpha.admin("POST", "stock/return/", items=[{"pk": 42, "quantity": "1", "status": 10}], location=1, notes="x")
    again = await ordered(world, "BetaSpace")
    assert [told["agree"] for told in again["told"]] == [False]
    assert "in stock at both spaces" in again["told"][0]["text"]
    assert (await ordered(world, "gamma"))["problem"] == "There is no friend gamma; friends are: betaspace."
    running = asyncio.ensure_future(world.alpha.bot.orders.reconcile("", repair=False))
    await asyncio.sleep(0)
    assert (
        "being compared with betaspace already" in (await world.alpha.bot.orders.reconcile("", repair=False))["problem"]
    )
    await world.settle()
    assert len((await running)["told"]) == 1


async def _waiting_goes_on() -> None:
    """Let an order that waits see that time has passed, or begin to wait again."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_command_line_does_not_wait_for_an_outcome_that_can_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order fails unforeseen, so it is set aside: nobody will ever say the outcome."""
    world = await given()

    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(reconcile, "begin", fails)
    order = asyncio.ensure_future(world.alpha.bot.orders.reconcile("", repair=False))
    await _waiting_goes_on()
    world.clock.advance(timedelta(minutes=1))
    await _waiting_goes_on()
    assert order.done()
    (said,) = (await order)["told"]
    assert not said["agree"]
    assert "came to no end: the bot has set something aside. fedbot status lists it" in said["text"]
    assert world.alpha.bot.engine.listeners == {}


async def test_the_command_line_waits_half_an_hour_for_a_long_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await given()
    monkeypatch.setattr(reconcile, "ANSWERS_WITHIN", timedelta(hours=1))
    world.beta.is_asleep = True
    order = asyncio.ensure_future(world.alpha.bot.orders.reconcile("", repair=False))
    for _ in range(29):
        await _waiting_goes_on()
        await world.passes(timedelta(minutes=1))
    await _waiting_goes_on()
    assert not order.done()
    await world.passes(timedelta(minutes=2))
    await _waiting_goes_on()
    assert order.done()
    (said,) = (await order)["told"]
    assert said["text"] == "The comparison with Betaspace takes long. The admin room will be told its outcome."
    assert world.alpha.bot.engine.listeners == {}


async def test_a_result_for_a_command_line_that_is_gone_is_posted_to_the_admins() -> None:
    world = await given()
    order = asyncio.ensure_future(world.alpha.bot.orders.reconcile("", repair=False))
    await asyncio.sleep(0)
    order.cancel()
    await world.settle()
    assert len(told(world.alpha_admins, "The books of Attraktor and Betaspace agree")) == 1


async def test_a_result_for_the_command_line_is_posted_to_the_admins_though_the_bot_ended() -> None:
    world = await given()
    order = asyncio.ensure_future(world.alpha.bot.orders.reconcile("", repair=True))
    await asyncio.sleep(0)
    await world.alpha.restart()
    await world.settle()
    assert len(told(world.alpha_admins, "The books of Attraktor and Betaspace agree")) == 1
    order.cancel()


async def test_items_that_go_back_and_forth_are_no_difference() -> None:
    world = await friends()
    await world.hand_over("RES-10K 20")
    item = world.beta.transfer().at(1).item
    world.cem.says(f"!fed push #{item} 20 to attraktor")
    await world.settle()
    world.piet.reacts(world.room.messages(sender=world.alpha.chat.user_id)[-1], "✅")
    await world.grace()
    world.beta.fails(FaultKind.ERROR_BEFORE, "POST", "/api/stock/$", status=400)
    await world.hand_over("#42")
    await world.passes(timedelta(minutes=1))
    assert world.alpha.transfer().state is TransferState.REVERTED
    await world.hand_over("#42")
    assert world.alpha.transfer().state is TransferState.DONE
    assert "✅ The books of" in (await asks(world, world.anna, "betaspace")).text
    assert "4 lines compared" in (await asks(world, world.bea)).text


async def a_loan() -> tuple[World, int]:
    """Betaspace has borrowed 10 nuts; return its stock item."""
    world = await lent("M3-NUT 10")
    item = world.beta.transfer().at(1).item
    assert item
    return world, item


async def test_a_loan_that_a_restored_borrower_has_lost_is_reported_on_both_sides() -> None:
    world = await friends()
    before = world.beta.snapshot()
    await lent("#42", world=world)
    world.beta.put_back(before)
    for person, words in ((world.anna, "betaspace"), (world.bea, "")):
        answer = await asks(world, person, words)
        assert "1 difference" in answer.text, answer.text
        assert "is on loan, but missing from the stock of" in answer.text


async def test_another_item_under_the_same_number_at_the_borrower_is_not_the_lent_one() -> None:
    world = await friends()
    before = world.beta.snapshot()
    await lent("M3-NUT 10", world=world)
    world.beta.put_back(before)
    await world.hand_over("M3-NUT 10")
    assert "is on loan, but missing from the stock of" in (await asks(world, world.anna, "betaspace")).text


async def test_a_borrowed_row_that_was_deleted_or_counted_down_is_a_difference() -> None:
    world, item = await a_loan()
    world.beta.admin("POST", "stock/count/", items=[{"pk": item, "quantity": 7}], notes="three are gone")
    assert "has less of it in stock than is on loan: 7 of 10" in (await asks(world, world.anna, "betaspace")).text
    assert "has less of it in stock than is on loan: 7 of 10" in (await asks(world, world.bea)).text
    world.beta.admin("DELETE", f"stock/{item}/")
    assert "is on loan, but missing from the stock of" in (await asks(world, world.bea)).text


async def test_a_borrowed_row_that_was_merged_into_another_is_reported() -> None:
    world, item = await a_loan()
    other = world.beta.admin("POST", "stock/", part=world.beta.row(item).part, quantity=5, location=1)
    first = other[0]["pk"] if isinstance(other, list) else other["pk"]
    content = {"items": [{"item": first}, {"item": item}], "location": 1, "notes": "tidied"}
    world.beta.admin("POST", "stock/merge/", **content, allow_mismatched_suppliers=True, allow_mismatched_status=True)
    assert "is on loan, but missing from the stock of" in (await asks(world, world.anna, "betaspace")).text


async def test_a_borrowed_row_that_people_split_into_two_boxes_is_no_difference() -> None:
    world, item = await a_loan()
    world.beta.admin("POST", "stock/transfer/", items=[{"pk": item, "quantity": 4}], location=1, notes="two boxes")
    assert world.beta.row(item).quantity == 6
    assert "✅ The books of" in (await asks(world, world.anna, "betaspace")).text
    assert "✅ The books of" in (await asks(world, world.bea)).text


@pytest.mark.parametrize(("state", "kinds"), [("sent", []), ("received", []), ("done", [Kind.TWICE])])
def test_an_item_that_was_looked_at_while_it_moved_is_no_difference(state: str, kinds: list[Kind]) -> None:
    here = BookLine("x" * 20, 1, "receiver", "received", "placed", 42, Decimal(1))
    there = BookLine("x" * 20, 1, "sender", state, "handed", 7, Decimal(1), where="stock")
    assert [each.kind for each in reconcile.differences([here], [there])] == kinds


async def test_a_return_that_ended_since_the_friend_looked_is_no_difference() -> None:
    """Betaspace's page is lost at first: it is older than the return, which Attraktor's own look already shows."""
    world, _ = await a_loan()
    world.server.loses = lambda _, event: event["content"].get("dev.fedbot", {}).get("kind") == "books"
    line = world.anna.says("!fed reconcile betaspace")
    await world.settle()
    card = await handed_back(world)
    world.piet.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DONE
    assert not world.room.answers(line)
    world.server.loses = nothing
    await world.passes(timedelta(seconds=90))
    assert "✅ The books of" in world.answer_to(line)
