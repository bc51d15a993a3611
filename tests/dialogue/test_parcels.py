"""Parcels: the items leave the giver at once, and are booked in only when somebody there reports their arrival."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from fedbot.rules.ledger import history
from fedbot.rules.model.events import ReconcileDue
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.stock import STATUS_LOST
from fedbot_demo.inventree.faults import FaultKind
from tests.dialogue.test_dishonest_friends import forges
from tests.dialogue.test_lending import handed_back, owners_card
from tests.fakes.people import Message, Person
from tests.scenarios.books import assert_books_balance
from tests.scenarios.browsing import URL, Web, encrypted
from tests.scenarios.world import World, friends, protocol_messages, told

A_DAY = timedelta(days=1)
SENT, DONE, DISPUTED, REVERTED = (
    TransferState.SENT,
    TransferState.DONE,
    TransferState.DISPUTED,
    TransferState.REVERTED,
)
NUTS, NUTS_THERE = 350, 900


def states(world: World) -> set[TransferState]:
    return {space.transfer().state for space in world.spaces}


def nuts(world: World) -> tuple[int, int]:
    return int(world.alpha.total("M3-NUT")), int(world.beta.total("N-M3"))


async def posted(world: World, words: str = "M3-NUT 10") -> Message:
    """Anna gives ten nuts, Cem approves, they go by parcel; return the card."""
    world.cem.reacts(await world.push(words), "📦")
    await world.grace()
    assert states(world) == {SENT}
    return world.card()


async def says(world: World, person: Person, words: str) -> str:
    """The person writes a line about the newest transfer; return the only answer."""
    return await world.answer(person, f"!fed {words.replace('ID', world.alpha.transfer().code)}")


async def requested(world: World) -> None:
    """Tom requests fifty bolts from Attraktor."""
    world.anna.says("!fed share M3-BOLT")
    await world.settle()
    world.tom.says("!fed request 50 M3-BOLT from attraktor")
    await world.settle()


async def arrives(world: World, person: Person | None = None) -> None:
    await says(world, person or world.bea, "received ID")
    await world.grace()


# --- success --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["by parcel", "per post", "by mail"])
async def test_a_line_may_say_in_words_that_it_goes_by_parcel(words: str) -> None:
    world = await friends()
    world.anna.says(f"!fed push 10 M3-NUT to betaspace {words}")
    await world.settle()
    assert world.alpha.transfer().terms.parcel
    assert [line.quantity for line in world.alpha.transfer().terms.lines] == [10]


@pytest.mark.parametrize("words", ["it arrived", "It's here!", "the parcel has arrived", "es ist angekommen"])
async def test_a_reply_may_report_the_arrival_in_a_sentence(words: str) -> None:
    world = await friends()
    card = await posted(world)
    world.bea.says(f"!fed {words}", reply_to=card.event_id)
    await world.settle()
    await world.grace()
    assert states(world) == {DONE}


@pytest.mark.parametrize(
    "words", ["it arrived, thanks!", "It’s here 🎉", "Paket ist da", "arrived.", "ist angekommen, danke"]
)
async def test_a_reply_that_it_is_here_is_told_what_to_tap(words: str) -> None:
    world = await friends()
    card = await posted(world)
    world.bea.says(words, reply_to=card)
    await world.settle()
    assert len(told(world.room, "That doesn't count. Is the parcel here? Tap 📦 on the card.")) == 1
    await world.grace()
    assert states(world) == {SENT}


async def test_it_leaves_at_once_and_is_booked_in_by_a_second_parcel_reaction() -> None:
    world = await friends()
    offered = await world.push()
    assert "📦 yes, not here yet" in offered.text
    world.cem.reacts(offered, "📦")
    await world.grace()
    card = world.card()
    assert nuts(world) == (NUTS - 10, NUTS_THERE)
    assert world.alpha.given("M3-NUT") == 10
    assert card.text.startswith("📦 On its way: 10 × M3 nut")
    assert "by parcel, since" in card.text
    to_send = world.room.message("please send it to Betaspace now")
    assert to_send.mentions == (world.anna.user_id,)
    assert_books_balance(world)
    await world.passes(20 * A_DAY)
    assert states(world) == {SENT}
    world.bea.reacts(card, "📦")
    await world.grace()
    assert states(world) == {DONE}
    assert nuts(world) == (NUTS - 10, NUTS_THERE + 10)
    assert "Came by parcel, received by Bea (Betaspace)" in world.card().text
    assert "accepted by Cem" in world.card().text
    assert "is at Betaspace" in world.room.message("✅ ").text
    item = world.beta.transfer().at(1).item
    assert any("by parcel, received by Bea" in note for note in world.beta.history(item or 0))
    assert_books_balance(world)


async def test_on_an_offer_by_parcel_a_plain_approval_means_the_same() -> None:
    world = await friends()
    card = await world.push("M3-NUT 10 --parcel")
    assert "It comes by parcel: ✅ yes, send it" in card.text
    world.cem.reacts(card, "✅")
    await world.grace()
    assert states(world) == {SENT}
    await arrives(world)
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_the_owner_sends_a_request_by_parcel_and_the_requesters_approver_reports_its_arrival() -> None:
    world = await friends()
    await requested(world)
    world.piet.says("!fed approve --parcel", reply_to=world.room.message("Give it?"))
    await world.settle()
    assert told(world.room, "by parcel. It counts in")
    await world.grace()
    assert states(world) == {SENT}
    left = world.room.message("is on its way from Attraktor, by parcel")
    assert left.mentions == (world.tom.user_id,)
    assert "📦 On its way" in world.room.message("On its way:").text
    line = world.bea.says(f"!fed received {world.beta.transfer().code}", reply_to=left)
    await world.settle()
    assert "Noted: 50 × M3" in world.answer_to(line)
    await world.grace()
    assert states(world) == {DONE}
    assert "received by Bea (Betaspace)" in world.room.message("✅ Done:").text
    assert_books_balance(world)


async def test_less_is_granted_by_parcel_and_a_requester_without_permission_can_not_report_its_arrival() -> None:
    world = await friends()
    await requested(world)
    world.piet.says("!fed approve 20 --parcel", reply_to=world.room.message("Give it?"))
    await world.grace()
    card = world.room.message("less than asked")
    world.tom.reacts(card, "✅")
    await world.grace()
    assert states(world) == {SENT}
    assert "only an approver of Betaspace can decide" in await says(world, world.tom, "received ID")
    await world.grace()
    assert states(world) == {SENT}
    world.cem.reacts(card, "📦")
    await world.grace()
    assert states(world) == {DONE}
    assert world.beta.total("M3-BOLT") == 32
    assert_books_balance(world)


async def test_a_loan_may_go_by_parcel_and_is_on_loan_once_it_arrives() -> None:
    world = await friends()
    world.anna.says("!fed lend M3-NUT 10 to betaspace for 3 weeks")
    await world.settle()
    world.cem.reacts(world.card(), "📦")
    await world.grace()
    assert states(world) == {SENT}
    assert "On its way: 10 × M3 nut" in world.card().text
    assert not world.beta.transfer().is_on_loan
    await arrives(world)
    assert states(world) == {DONE}
    assert world.beta.transfer().is_on_loan
    assert "received by Bea" in world.card().text
    assert nuts(world) == (NUTS - 10, NUTS_THERE + 10)


async def test_one_of_two_items_had_left_and_the_other_comes_by_parcel() -> None:
    world = await friends()
    card = await world.push("M3-NUT 10 + RES-10K 20")
    with world.alpha.by_hand():
        world.alpha.admin("DELETE", f"stock/{world.alpha.transfer().terms.lines[0].item}/")
    world.cem.reacts(card, "📦")
    await world.grace()
    assert states(world) == {SENT}
    await arrives(world)
    assert states(world) == {DONE}
    assert (world.beta.total("N-M3"), world.beta.total("RES-10K")) == (NUTS_THERE, 60)
    assert "Not given: 10 × M3 nut" in world.card().text
    assert_books_balance(world)


# --- in transit -----------------------------------------------------------------------------------------------


async def test_nothing_is_repeated_or_expires_for_weeks_but_the_approvers_are_asked() -> None:
    world = await friends(beta={"parcel_reminder": 7 * A_DAY})
    card = await posted(world)
    before = len(world.server.log)
    await world.passes(6 * A_DAY)
    assert len(world.server.log) == before
    await world.passes(9 * A_DAY)
    reminders = told(world.room, "arrived by now?")
    assert len(reminders) == 2
    assert reminders[0].thread == card.event_id
    assert reminders[0].mentions[:2] == (world.bea.user_id, world.cem.user_id)
    assert "On its way by parcel since" in reminders[0].text
    await world.beta.restart()
    await world.passes(timedelta(hours=1))
    assert len(told(world.room, "arrived by now?")) == 2
    await arrives(world)
    await world.passes(30 * A_DAY)
    assert len(told(world.room, "arrived by now?")) == 2
    assert states(world) == {DONE}


async def test_everybody_can_see_that_it_is_in_transit() -> None:
    world = await friends()
    await posted(world)
    for person in (world.anna, world.bea):
        assert "On its way by parcel since" in await says(world, person, "show ID")
    assert "when it is here, type !fed received" in await says(world, world.cem, "todo")
    assert "when it is here" not in await says(world, world.tom, "todo")
    assert "is on its way" in await says(world, world.anna, "cancel ID")
    assert states(world) == {SENT}
    await world.passes(2 * A_DAY)
    world.anna.says("!fed reconcile betaspace")
    await world.settle()
    assert told(world.room, "The books of Attraktor and Betaspace agree")


async def test_a_second_approval_before_it_left_does_not_book_it_in() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "📦")
    await world.settle()
    world.bea.reacts(card, "📦")
    world.dilek.reacts(card, "❌")
    await world.grace()
    assert states(world) == {SENT}
    await world.passes(A_DAY)
    assert states(world) == {SENT}
    world.dilek.reacts(card, "✅")
    await world.grace()
    assert told(world.room, "is on its way already")
    assert states(world) == {SENT}
    assert nuts(world) == (NUTS - 10, NUTS_THERE)


async def test_only_an_approver_of_the_receiver_reports_the_arrival_and_only_in_transit() -> None:
    world = await friends()
    await world.push()
    assert "isn't on its way to Betaspace" in await says(world, world.cem, "received ID")
    world.cem.reacts(world.card(), "📦")
    await world.grace()
    assert "goes to Betaspace" in await says(world, world.anna, "received ID")
    await says(world, world.tom, "received ID")
    await world.grace()
    assert states(world) == {SENT}
    assert "only 10 × M3 nut" in await says(world, world.cem, "received ID 11")
    await says(world, world.cem, "received ID 10")
    await world.grace()
    assert states(world) == {DONE}
    assert "isn't on its way to Betaspace" in await says(world, world.cem, "received ID")
    assert nuts(world) == (NUTS - 10, NUTS_THERE + 10)
    assert_books_balance(world)


async def test_a_reported_arrival_can_be_taken_back_in_time() -> None:
    world = await friends()
    await posted(world)
    await says(world, world.bea, "received ID")
    world.bea.says(f"!fed cancel {world.beta.transfer().code}")
    await world.grace()
    assert states(world) == {SENT}
    assert nuts(world) == (NUTS - 10, NUTS_THERE)
    await arrives(world, world.cem)
    assert states(world) == {DONE}


async def test_restarts_and_lost_messages_in_the_middle_change_nothing() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "📦")
    await world.settle()
    world.clock.advance(timedelta(seconds=6))
    await world.settle(asleep=(world.alpha,))
    await world.beta.restart()
    await world.settle(asleep=(world.beta,))
    await world.alpha.restart()
    await world.passes(timedelta(minutes=3))
    assert states(world) == {SENT}
    await world.beta.restart()
    await world.passes(20 * A_DAY, asleep=(world.alpha,))
    assert states(world) == {SENT}
    await says_while_the_other_sleeps(world)
    await world.beta.restart()
    await world.alpha.restart()
    await world.passes(timedelta(hours=1))
    assert states(world) == {DONE}
    assert_books_balance(world)


async def says_while_the_other_sleeps(world: World) -> None:
    world.bea.says(f"!fed received {world.beta.transfer().code}")
    await world.settle(asleep=(world.alpha,))
    await world.passes(timedelta(seconds=6), asleep=(world.alpha,))


# --- only a part arrives --------------------------------------------------------------------------------------


async def seven_come(world: World) -> str:
    """Cem, an approver, reports that seven of the ten arrived; return the message to the sender's people."""
    await posted(world)
    assert "7 of 10 × M3 nut" in await says(world, world.cem, "received ID 7")
    await world.passes(timedelta(minutes=2))
    assert states(world) == {DONE}
    assert nuts(world) == (NUTS - 7, NUTS_THERE + 7)
    assert world.alpha.given("M3-NUT") == 7
    rest = world.alpha.item("M3-NUT", status=STATUS_LOST)
    assert (rest.quantity, rest.customer) == (3, None)
    assert_books_balance(world)
    return world.room.message("@Anna @Cem ✅ 7 × M3 nut is at Betaspace").text


@pytest.mark.parametrize(
    ("truth", "status", "told_then"),
    [
        ("back", 10, "Attraktor has it in stock again"),
        ("lost", STATUS_LOST, "keeps the status 'lost' in the InvenTree of Attraktor"),
        ("found", 10, "!fed push 3 #"),
    ],
)
async def test_fewer_items_than_sent_are_booked_in_by_the_approver_alone_and_the_sender_settles_the_rest(
    truth: str, status: int, told_then: str
) -> None:
    world = await friends()
    end = await seven_come(world)
    assert "Did not arrive: 3 × M3 nut, says Cem" in end
    assert "!fed resolve" in end
    assert "Did not arrive: 3 × M3 nut" in world.card().text
    assert "3 × M3 nut" in await says(world, world.anna, "todo")
    assert "Missing from it: 3 × M3 nut" in await says(world, world.bea, "received ID")
    choice = await says(world, world.anna, "resolve")  # it is the only one
    assert all(each in choice for each in ("came back to us", "Betaspace has found it", "it is lost"))
    await world.alpha.restart()
    answer = await settles(world, world.anna, truth)
    assert told_then in answer, answer
    (rest,) = (row for row in world.alpha.stock(part=world.alpha.part("M3-NUT").pk, quantity=3))
    assert (rest.status, rest.customer) == (status, None)
    assert nuts(world) == (NUTS - 7, NUTS_THERE + 7)
    assert (await says(world, world.anna, "resolve ID")).startswith("Nothing to settle")
    world.anna.says("!fed reconcile betaspace")
    await world.passes(timedelta(minutes=1))
    assert told(world.room, "The books of Attraktor and Betaspace agree")
    assert_books_balance(world)


async def test_lists_figures_exports_and_pages_name_what_came_of_a_parcel() -> None:
    world = await friends(alpha={"pages_url": URL})
    await seven_come(world)
    for person, ours in ((world.anna, "7 × M3 nut to Betaspace"), (world.bea, "7 × M3 nut from Attraktor")):
        told = await says(world, person, "history")
        assert ours in told
        assert "Did not arrive: 3 × M3 nut." in told
        shown = await says(world, person, "show ID")
        assert "7 × M3 nut (M3-NUT) from Attraktor to Betaspace" in shown
        assert "Did not arrive: 3 × M3 nut, says Cem" in shown
    for space in world.spaces:
        (row,) = history.rows(space.turn.transfers())
        assert row.quantity == 7
        (seen,) = space.turn.flows(None, None)
        assert (seen.lines, int(seen.pieces)) == (1, 7)
    await encrypted(world)
    web = Web(world, world.alpha)
    program = await web.program_of(world.anna)
    (transfer,) = (await program.reads("/transfers"))["items"]
    assert [line["quantity"] for line in transfer["lines"]] == ["7"]
    assert [line["quantity"] for line in transfer["missing"]] == ["3"]
    (exported,) = csv.DictReader(io.StringIO((await program.gets("/api/v1/transfers.csv")).text))
    assert exported["quantity"] == "7"
    browser = web.visitor()
    await browser.signs_in(world.anna)
    page = (await browser.gets(f"/transfers/{transfer['id']}")).text
    assert "Did not arrive" in page


async def test_a_loan_that_came_in_part_was_lent_as_much_as_came() -> None:
    world = await friends()
    world.anna.says("!fed lend 10 M3-NUT to betaspace for 2 weeks by parcel")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    await says(world, world.cem, "received ID 7")
    await world.passes(timedelta(minutes=2))
    card = world.card().text
    assert "7 × M3 nut went from Attraktor to Betaspace, on loan" in card.splitlines()[0]
    assert "Lent at first" not in card
    assert "Did not arrive: 3 × M3 nut" in card
    assert "7 × M3 nut" in await says(world, world.anna, "todo")


async def test_only_arrived_items_of_a_loan_are_on_loan_and_people_act_where_inventree_returns_no_parts() -> None:
    world = await friends()
    world.alpha.fails(FaultKind.ERROR_BEFORE, "POST", "stock/return/", status=400)
    world.anna.says("!fed lend M3-NUT 10 to betaspace for 3 weeks")
    await world.settle()
    world.cem.reacts(world.card(), "📦")
    await world.grace()
    await says(world, world.cem, "received ID 7")
    await world.passes(timedelta(minutes=2))
    assert states(world) == {DONE}
    assert "Done in part: 7 × M3 nut went from Attraktor to Betaspace, on loan" in world.card().text
    assert world.alpha.given("M3-NUT") == 10
    assert "3 × M3 nut did not arrive" in world.alpha_admins.message("by hand").text
    settled = await says(world, world.anna, "resolve ID --as lost")
    given = world.alpha.transfer().at(1).item
    assert f"return it from the customer out of stock #{given}, with the status 'lost'" in settled
    assert "keeps the status 'lost'" not in settled
    world.cem.says(f"!fed return {world.beta.transfer().code}")
    await world.settle()
    assert "7 × M3 nut" in world.card().text


async def night(world: World) -> None:
    """Both spaces compare their books, as they do every night."""
    await world.passes(timedelta(days=8))
    for space in world.spaces:
        space.bot.engine.put(ReconcileDue(world.clock.now()))
    await world.settle()


async def compared(world: World, person: Person) -> str:
    """The person asks to reconcile; return the answer."""
    line = person.says("!fed reconcile")
    await world.passes(timedelta(minutes=1))
    return world.answer_to(line)


@pytest.mark.parametrize("by_hand", ["split", "counted"])
async def test_reconcile_names_a_rest_that_nobody_took_out_by_hand_until_it_is_done(by_hand: str) -> None:
    world = await friends()
    world.alpha.fails(FaultKind.ERROR_BEFORE, "POST", "stock/return/", status=400)
    await posted(world)
    assert "agree" in await compared(world, world.anna), "the parcel is under way"
    await says(world, world.cem, "received ID 7")
    await world.passes(timedelta(minutes=2))
    world.alpha.comes_back()
    given = world.alpha.transfer().at(1).item
    differs = f"our record #{given} has 10 with customer Betaspace, but 7 by the books"
    assert differs in await compared(world, world.anna)
    await says(world, world.anna, "resolve ID --as lost")
    answer = await compared(world, world.anna)
    assert differs in answer
    assert "1 difference" in answer
    assert f"return 3 from the customer out of stock #{given}" in answer
    assert "agree" in await compared(world, world.bea), "it is amiss in Attraktor's books only"
    await night(world)
    await night(world)
    assert len(told(world.alpha_admins, differs)) == 2
    if by_hand == "split":
        back = [{"pk": given, "quantity": "3", "status": STATUS_LOST}]
        world.alpha.admin("POST", "stock/return/", items=back, location=1, notes="never arrived")
    else:
        world.alpha.admin("PATCH", f"stock/{given}/", quantity=7)
    assert "agree" in await compared(world, world.anna)


async def test_a_rest_of_a_loan_waits_for_people_until_all_of_the_loan_is_back_and_after() -> None:
    world = await friends()
    world.alpha.fails(FaultKind.ERROR_BEFORE, "POST", "stock/return/", status=400)
    world.anna.says("!fed lend M3-NUT 10 to betaspace for 3 weeks by parcel")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    await says(world, world.cem, "received ID 7")
    await world.passes(timedelta(minutes=2))
    world.alpha.comes_back()
    given = world.alpha.transfer().at(1).item
    await handed_back(world)
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    await world.passes(timedelta(minutes=1))
    assert f"our record #{given} has 3 with customer Betaspace, but 0 by the books" in await compared(world, world.anna)
    back = [{"pk": given, "quantity": "3", "status": STATUS_LOST}]
    world.alpha.admin("POST", "stock/return/", items=back, location=1, notes="never arrived")
    assert "agree" in await compared(world, world.anna)


@pytest.mark.parametrize("quantity", ["11", "10", "0", "-3", "nan", 7, "1e3", "7.0000001"])
async def test_a_dishonest_receiver_reports_neither_less_than_nothing_nor_more_than_was_sent(quantity: object) -> None:
    world = await friends()
    await posted(world)
    items = [{"number": 1, "item": 5, "part": 9, "place": "", "quantity": quantity}]
    forges(world, world.beta, world.beta.transfer(), "received", {"items": items, "refused": []})
    await world.passes(timedelta(minutes=2))
    assert world.alpha.given("M3-NUT") == 10
    assert not world.alpha.stock(status=STATUS_LOST)
    assert world.alpha.bot.engine.failures == 0


# --- only a part of several items arrives ---------------------------------------------------------------------


async def several() -> World:
    """30 nuts, a lens and 20 resistors are on their way to betaspace."""
    world = await friends()
    await posted(world, "M3-NUT 30 + #42 + RES-10K 20")
    return world


@pytest.mark.parametrize(
    ("line", "here", "missing"),
    [
        ("received ID 28 M3-NUT + LENS-2", {"N-M3": 28, "LENS-2": 1, "RES-10K": 0}, "2 × M3 nut and 20 × "),
        ("received ID M3-NUT 28; LENS-2; RES-10K 20", {"N-M3": 28, "LENS-2": 1, "RES-10K": 20}, "2 × M3 nut"),
        ("received 28 M3-NUT", {"N-M3": 28, "LENS-2": 0, "RES-10K": 0}, "2 × M3 nut, 1 × "),
        ("received M3-NUT 28", {"N-M3": 28, "LENS-2": 0, "RES-10K": 0}, "2 × M3 nut, 1 × "),
        ("received ID LENS-2 - the bag was torn", {"N-M3": 0, "LENS-2": 1, "RES-10K": 0}, "30 × M3 nut and 20 × "),
    ],
)
async def test_of_several_items_the_approver_books_in_what_came_and_the_rest_is_missing(
    line: str, here: dict[str, int], missing: str
) -> None:
    world = await several()
    before = {ipn: int(world.beta.total(ipn)) for ipn in here}
    answer = await says(world, world.cem, line)
    assert answer.startswith("Noted: "), answer
    assert f"Then this is missing: {missing}" in answer
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert states(world) == {DONE}
    assert {ipn: int(world.beta.total(ipn)) - before[ipn] for ipn in here} == here
    assert f"Did not arrive: {missing}" in world.card().text
    assert missing in await says(world, world.anna, "todo")
    if "torn" in line:
        assert "the bag was torn" in world.card().text
    await settles(world, world.anna, "back")
    assert (await says(world, world.anna, "resolve ID")).startswith("Nothing to settle")
    world.anna.says("!fed reconcile betaspace")
    await world.passes(timedelta(minutes=1))
    assert told(world.room, "The books of Attraktor and Betaspace agree")
    assert_books_balance(world)


async def test_all_of_several_items_by_name_is_all_of_the_parcel() -> None:
    world = await several()
    assert "is here. I book it in" in await says(world, world.cem, "received ID 30 M3-NUT + LENS-2 + RES-10K")
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert states(world) == {DONE}
    assert "Did not arrive" not in world.card().text


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("received ID 7", '"7" doesn\'t tell me which items'),
        ("received ID 3 SPOOL", '"3 SPOOL" doesn\'t tell me which items'),
        ("received ID 31 M3-NUT", "Not booked in: only 30 × M3 nut"),
        ("received ID 2 LENS-2", "Not booked in: only"),
        ("received ID 0 M3-NUT", "Not"),
        ("missing ID LENS-2", "types what came: !fed received"),
    ],
)
async def test_a_line_that_does_not_say_what_came_books_nothing_in(line: str, answer: str) -> None:
    world = await several()
    assert answer in await says(world, world.cem, line)
    await world.grace()
    assert states(world) == {SENT}


async def test_who_names_more_than_was_sent_is_told_of_what_and_what_to_type_for_the_rest() -> None:
    world = await several()
    answer = await says(world, world.cem, "received ID 28 M3-NUT; RES-10K 60")
    code = world.alpha.transfer().code
    assert answer.startswith("Not booked in: only 20 × "), answer
    assert "M3 nut" not in answer.splitlines()[0]
    assert f"!fed received {code} 28 M3-NUT + 20 RES-10K" in answer
    await says(world, world.cem, "received ID 28 M3-NUT + 20 RES-10K")
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert states(world) == {DONE}


async def test_only_an_approver_says_what_came_of_several_items_and_may_take_it_back() -> None:
    world = await several()
    assert "only an approver of Betaspace can decide" in await says(world, world.tom, "received ID LENS-2")
    await says(world, world.cem, "received ID LENS-2")
    await says(world, world.cem, "cancel ID")
    await world.grace()
    assert states(world) == {SENT}


async def test_why_several_items_are_missing_is_read_by_both_sides() -> None:
    world = await several()
    assert "did not arrive" in await says(world, world.bea, "missing ID - the post has lost it")
    await world.passes(timedelta(minutes=1))
    assert states(world) == {DISPUTED}
    assert 'Why: "the post has lost it"' in world.card().text
    assert world.alpha.transfer().parcel.missing.note == "the post has lost it"  # type: ignore[union-attr]


# --- it never comes ------------------------------------------------------------------------------------------


async def missing(world: World, person: Person | None = None) -> None:
    await posted(world)
    assert "did not arrive" in await says(world, person or world.bea, "missing ID")
    assert states(world) == {DISPUTED}


async def settles(world: World, person: Person, truth: str) -> str:
    answer = await says(world, person, f"resolve ID --as {truth}")
    await world.passes(timedelta(minutes=5))
    return answer


async def test_a_lost_parcel_is_written_off_by_the_givers_superuser() -> None:
    world = await friends()
    await missing(world)
    assert world.card().text.startswith("⚠ Missing: 10 × M3")
    assert "says Bea" in world.card().text
    choice = await says(world, world.anna, "resolve ID")
    assert "the parcel came back to us" in choice
    assert "the parcel is lost" in choice
    await settles(world, world.anna, "lost")
    assert states(world) == {REVERTED}
    assert nuts(world) == (NUTS, NUTS_THERE)
    item = world.alpha.row(world.alpha.transfer().at(1).item or 0)
    assert (item.customer, item.status, item.quantity) == (None, STATUS_LOST, 10)
    assert "Lost: 10 × M3" in world.card().text
    assert "Settled by Anna" in world.card().text
    assert "alone" not in world.card().text, "Bea has said that it did not come"
    assert_books_balance(world)


async def test_statements_about_a_missing_parcel_do_not_contradict_each_other() -> None:
    world = await friends()
    await missing(world, world.piet)
    assert "Attraktor has booked it out, and Betaspace has not booked it in." in world.card().text
    said = [m.text for m in world.room.messages()]
    assert not any("may be wrong now" in text or "Nothing was booked" in text for text in said)


async def test_the_message_about_a_missing_parcel_shows_only_the_settled_truth() -> None:
    world = await friends()
    await missing(world)
    (word,) = told(world.room, "did not arrive, says Bea")[-1:]
    answer = world.room.message("Noted: 10 × M3 nut")
    assert "superuser" not in answer.text, "the message in the thread says who settles it"
    await settles(world, world.anna, "back")
    for room in (world.room, world.alpha_admins, world.beta_admins):
        (settled,) = [m for m in room.messages() if m.text.startswith("▶")]
        assert "in its sender's stock again" in settled.text, settled.text
        assert "On its way" not in settled.text
        assert "has not confirmed it yet" not in settled.text, settled.text
    assert word.event_id in {m.event_id for m in told(world.room, "▶")}


async def test_a_parcel_that_came_back_is_in_stock_again() -> None:
    world = await friends()
    await missing(world, world.piet)
    await settles(world, world.anna, "back")
    ends = [m.text for m in world.room.messages() if "Back again:" in m.text]
    assert ends, world.room.transcript()
    assert not any("fixed" in text for text in ends), "there is nothing to be fixed"
    assert any("can start again." in text for text in ends)
    assert states(world) == {REVERTED}
    assert nuts(world) == (NUTS, NUTS_THERE)
    item = world.alpha.row(world.alpha.transfer().at(1).item or 0)
    assert (item.customer, item.status) == (None, 10)
    assert "Back again" in world.card().text
    assert_books_balance(world)


@pytest.mark.parametrize("who", ["bea", "piet"])
async def test_the_receivers_superuser_reports_that_it_arrived_after_all(who: str) -> None:
    world = await friends()
    await missing(world, getattr(world, who))
    assert "it came after all" in await says(world, world.bea, "resolve ID")
    await settles(world, world.bea, "come")
    if who == "piet":  # the giver's people had said otherwise, so both have to agree
        assert world.alpha.transfer().state is DISPUTED
        await settles(world, world.anna, "arrived")
    assert states(world) == {DONE}
    assert nuts(world) == (NUTS - 10, NUTS_THERE + 10)
    assert_books_balance(world)


@pytest.mark.parametrize("truth", ["back", "lost"])
async def test_the_receiver_closes_it_and_only_the_giver_says_whether_it_came_back(truth: str) -> None:
    world = await friends()
    await missing(world)
    await settles(world, world.bea, "never")
    assert world.alpha.transfer().state is DISPUTED, "the giver's people have to look whether they have it"
    assert world.beta.transfer().state is TransferState.REFUSED, "its own books are settled"
    assert nuts(world) == (NUTS - 10, NUTS_THERE)
    choice = await says(world, world.anna, "resolve ID")
    assert "Betaspace has it" not in choice
    await settles(world, world.anna, truth)
    assert states(world) == {REVERTED}
    assert nuts(world) == (NUTS, NUTS_THERE)
    assert "alone" not in world.card().text
    assert_books_balance(world)


async def test_only_an_approver_reports_it_missing_and_only_in_transit() -> None:
    world = await friends()
    await world.push()
    assert "isn't on its way by parcel" in await says(world, world.bea, "missing ID")
    world.cem.reacts(world.card(), "📦")
    await world.grace()
    await says(world, world.tom, "missing ID")
    await says(world, world.kim, "missing ID")
    assert states(world) == {SENT}
    await says(world, world.cem, "missing ID")
    assert states(world) == {DISPUTED}
    assert (await says(world, world.cem, "missing ID")).startswith(
        "Nothing new: somebody still has to settle 10 × M3 nut"
    )
    await says(world, world.cem, "received ID")
    await world.grace()
    assert states(world) == {DISPUTED}
    assert nuts(world) == (NUTS - 10, NUTS_THERE)


async def test_it_is_booked_in_and_reported_missing_at_the_same_time() -> None:
    world = await friends()
    await posted(world)
    code = world.alpha.transfer().code
    world.bea.says(f"!fed received {code}")
    await world.settle()
    world.clock.advance(timedelta(seconds=6))
    world.anna.says(f"!fed missing {code}")
    await world.settle(asleep=(world.beta,))
    await world.settle(asleep=(world.alpha,))
    await world.passes(timedelta(minutes=5))
    assert states(world) == {DISPUTED}
    await settles(world, world.bea, "come")
    await settles(world, world.anna, "arrived")
    assert states(world) == {DONE}
    assert nuts(world) == (NUTS - 10, NUTS_THERE + 10)
    assert_books_balance(world)


@pytest.mark.parametrize(
    ("line", "lacks"), [("received ID 28 M3-NUT; LENS-2", "2 × M3 nut and 20 × "), ("received ID", "")]
)
async def test_a_parcel_reported_missing_while_it_is_booked_in_lacks_what_the_receiver_says(
    line: str, lacks: str
) -> None:
    world = await several()
    await says(world, world.cem, line)
    world.beta.fails(FaultKind.REFUSED, "POST", times=None)
    await world.grace()
    assert world.beta.transfer().state is TransferState.CREDITING
    await says(world, world.anna, "missing ID")
    world.beta.comes_back()
    await world.passes(timedelta(hours=2))
    assert world.alpha.transfer().state is DISPUTED
    choice = await says(world, world.anna, "resolve ID")
    assert "Betaspace says now that it has booked it in" in choice
    assert not told(world.room, "Not done: it isn't booked in")
    assert (f"except {lacks}" in choice) == bool(lacks)
    await settles(world, world.anna, "arrived")
    assert states(world) == {DONE}
    end = world.room.message("✅ ").text
    assert ("Did not arrive: " + lacks in end) == bool(lacks), end
    if lacks:
        await settles(world, world.anna, "lost")
    assert_books_balance(world)
    world.anna.says("!fed reconcile betaspace")
    await world.passes(timedelta(minutes=1))
    assert told(world.room, "The books of Attraktor and Betaspace agree")


# --- the friendship ends -------------------------------------------------------------------------------------


async def test_the_end_of_the_friendship_waits_for_the_parcel() -> None:
    world = await friends()
    await posted(world)
    code = world.alpha.transfer().code
    world.anna.says("!fed disconnect betaspace")
    await world.settle()
    assert code in world.room.message("I finish first").text
    world.anna.says("!fed disconnect betaspace --sure")
    await world.passes(10 * A_DAY)
    assert {space.connection().state for space in world.spaces} == {ConnectionState.ENDING}
    await arrives(world)
    await world.passes(timedelta(minutes=5))
    assert states(world) == {DONE}
    assert {space.turn.connections()[-1].state for space in world.spaces} == {ConnectionState.ENDED}
    assert_books_balance(world)


@pytest.mark.parametrize("who", ["anna", "bea"])
async def test_after_an_end_at_once_people_settle_items_in_transit(who: str) -> None:
    world = await friends()
    await posted(world)
    person: Person = getattr(world, who)
    peer = "betaspace" if who == "anna" else "attraktor"
    person.says(f"!fed disconnect {peer} --sure --now")
    await world.passes(timedelta(minutes=5))
    assert states(world) == {DISPUTED}
    await settles(world, world.bea, "come")
    if who == "anna":  # she said that she can't tell, so she says now that she can
        await settles(world, world.anna, "arrived")
    assert states(world) == {DONE}
    assert nuts(world) == (NUTS - 10, NUTS_THERE + 10)


# --- a lost message, a silent InvenTree -----------------------------------------------------------------------


async def test_a_lost_message_about_its_departure_is_sent_again() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "📦")
    await world.settle()
    world.server.loses = protocol_messages
    await world.passes(timedelta(seconds=20))
    assert world.beta.transfer().state is TransferState.OPEN
    world.server.loses = lambda user, event: False
    await world.passes(timedelta(hours=2))
    assert states(world) == {SENT}
    await arrives(world)
    assert states(world) == {DONE}


async def test_it_is_booked_in_later_if_inventree_is_down_at_its_arrival() -> None:
    world = await friends()
    await posted(world)
    await says(world, world.bea, "received ID")
    world.beta.fails(FaultKind.REFUSED, "POST", times=None)
    await world.passes(timedelta(minutes=5))
    assert states(world) & {TransferState.CREDITING}
    world.beta.comes_back()
    await world.passes(timedelta(hours=2))
    assert states(world) == {DONE}
    assert_books_balance(world)


@pytest.mark.parametrize("trouble", ["virtual", "refused"])
async def test_items_that_inventree_refuses_at_their_arrival_do_not_go_back_but_wait_for_a_fix(
    trouble: str,
) -> None:
    world = await friends()
    await posted(world)
    part = world.beta.part("N-M3")
    if trouble == "virtual":
        world.beta.admin("PATCH", f"part/{part.pk}/", virtual=True)
    else:
        world.beta.fails(FaultKind.ERROR_BEFORE, "POST", "api/stock/", status=400)
    await arrives(world)
    assert states(world) == {SENT}
    assert nuts(world) == (NUTS - 10, NUTS_THERE)
    (word,) = told(world.room, "is here, but could not be booked in")
    assert word.mentions == (world.bea.user_id,)
    assert "Nothing is booked in, and nothing goes back." in word.text
    assert_books_balance(world)
    if trouble == "virtual":
        assert "the matching part is virtual" in world.card().text
        assert "Not counted" in await says(world, world.bea, "received ID")
        world.beta.admin("PATCH", f"part/{part.pk}/", virtual=False)
        await says(world, world.bea, "received ID")
    await arrives(world, world.cem)
    assert states(world) == {DONE}
    assert "received by Cem" in world.card().text
    assert nuts(world) == (NUTS - 10, NUTS_THERE + 10)
    assert_books_balance(world)
