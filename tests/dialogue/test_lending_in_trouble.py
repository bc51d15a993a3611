"""Loans in trouble: the end of a friendship, InvenTree down or old, items moved by hand, a crash."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.inventree.client.versions import Version
from fedbot.rules.model.lifecycles import ConnectionState, Ending, TransferState
from fedbot_demo.inventree.faults import FaultKind
from tests.dialogue.test_lending import back, handed_back, lent, loan, owners_card
from tests.dialogue.test_recovery import RESENDS, is_rebuilt, is_restored, is_watched, side, undisturbed
from tests.dialogue.test_settling import quarter_of_an_hour, unanswered
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, sharing, told

ABORTED, CANCELLED, DECLINED, DONE, OPEN, REVERTED = (
    TransferState.ABORTED,
    TransferState.CANCELLED,
    TransferState.DECLINED,
    TransferState.DONE,
    TransferState.OPEN,
    TransferState.REVERTED,
)


def states(world: World) -> list[ConnectionState]:
    return [space.turn.connections()[-1].state for space in world.spaces]


def is_company_open(world: World) -> bool:
    company = world.alpha.turn.connections()[-1].company
    return bool(world.alpha.tables.companies[company].active)


@pytest.mark.parametrize("change", ["structural", "deleted"])
async def test_an_item_that_can_not_go_back_to_its_old_location_is_reported_in_incoming(change: str) -> None:
    world = await friends()
    location = world.alpha.admin("POST", "stock/location/", name="Old shelf")["pk"]
    with world.alpha.by_hand():
        world.alpha.admin("POST", "stock/", part=world.alpha.part("M3-BOLT").pk, quantity=7, location=location)
    item = world.alpha.stock(location=location)[0].pk
    await lent(f"#{item}", world=world)
    if change == "structural":
        world.alpha.admin("PATCH", f"stock/location/{location}/", structural=True)
    else:
        path = f"stock/location/{location}/"
        world.alpha.admin("DELETE", path, delete_stock_items=False, delete_sub_locations=False)
    card = await handed_back(world)
    assert "Goes back to: Old shelf" in card.text
    world.piet.reacts(card, "✅")
    await world.grace()
    assert "M3 bolt lies in Incoming now: InvenTree doesn't take it back to Old shelf." in owners_card(world).text
    assert world.alpha.place(world.alpha.row(item)) == "Incoming"
    assert_books_balance(world)


@pytest.mark.parametrize("settled_by", ["return", "gift", "lost"])
async def test_a_friendship_ends_when_the_last_loan_is_settled(settled_by: str) -> None:
    world = await lent("M3-NUT 10")
    line = world.anna.says("!fed disconnect betaspace")
    await world.settle()
    code = loan(world.alpha).code
    (preview,) = world.room.answers(line)
    assert "On loan; settle each with !fed return, !fed gift or !fed lost:" in preview.text
    assert code in preview.text
    world.anna.says("1", reply_to=preview)
    await world.settle()
    ends = [message.text for message in told(world.room, "On loan; settle each with")]
    assert len(ends) == 3, "the preview, and a message of each bot"
    assert not any("You don't need to do anything" in text for text in ends)
    assert states(world) == [ConnectionState.ENDING, ConnectionState.ENDING]
    assert is_company_open(world)
    again = world.bea.says("!fed extend 2 weeks", reply_to=world.card().event_id)
    await world.settle()
    assert "isn't active" in world.answer_to(again), "nothing new starts"
    if settled_by == "return":
        world.piet.reacts(await handed_back(world), "✅")
        await world.grace()
    else:
        world.anna.says(f"!fed {settled_by} {code}")
        await world.settle()
    assert loan(world.alpha).closed is not None
    assert states(world) == [ConnectionState.ENDED, ConnectionState.ENDED]
    assert not is_company_open(world)
    assert_books_balance(world)


async def test_after_an_end_at_once_the_owner_settles_a_loan_alone_and_then_the_company_is_closed() -> None:
    world = await lent("#42")
    world.beta.is_asleep = True
    world.anna.says("!fed disconnect betaspace --now --sure")
    await world.settle()
    assert states(world)[0] is ConnectionState.ENDED
    assert is_company_open(world), "there is something with it"
    world.anna.says(f"!fed return {loan(world.alpha).code}")
    await world.settle()
    assert world.alpha.row(42).customer is None
    assert back(world.alpha).state is DONE
    assert loan(world.alpha).closed is not None
    assert not is_company_open(world)
    await world.passes(timedelta(days=3))
    world.beta.is_asleep = False
    await world.settle()
    closed = loan(world.beta).closed
    assert closed is not None
    assert closed.how is Ending.RETURNED, "the borrower hears of it, should it be there again"


async def test_after_an_end_at_once_by_the_borrower_the_owner_needs_no_superuser_to_take_it_back() -> None:
    world = await lent("M3-NUT 10")
    card = await handed_back(world)
    world.bea.says("!fed disconnect attraktor --now --sure")
    await world.settle()
    assert states(world) == [ConnectionState.ENDED, ConnectionState.ENDED], "a loan can't come back by it any more"
    assert [back(space).state for space in world.spaces] == [CANCELLED, CANCELLED], "as the preview says"
    assert "Still on loan" in world.room.message("Attraktor and Betaspace are no longer friends.").text
    line = world.bea.says(f"!fed return {loan(world.beta).code}")
    await world.settle()
    assert "Then an approver of Attraktor types: !fed return" in world.answer_to(line)
    world.anna.says("!fed return", reply_to=card)
    await world.settle()
    assert back(world.alpha).state is DONE
    item = loan(world.beta).at(1).item
    told = world.beta_admins.message("Back at Attraktor, but still in our stock").text
    assert f"(stock #{item}): !fed resolve {loan(world.beta).code}" in told
    assert not is_company_open(world)


@pytest.mark.parametrize("in_order_first", [False, True])
async def test_a_space_that_was_left_at_once_can_be_a_friend_again_and_the_loan_goes_on(in_order_first: bool) -> None:
    world = await lent("M3-NUT 10")
    if in_order_first:
        world.anna.says("!fed disconnect betaspace --sure")
        await world.settle()
        assert states(world) == [ConnectionState.ENDING, ConnectionState.ENDING]
    world.anna.says("!fed disconnect betaspace --now --sure")
    await world.settle()
    await world.connect()
    assert states(world) == [ConnectionState.ACTIVE, ConnectionState.ACTIVE]
    world.piet.reacts(await handed_back(world, f"return {loan(world.beta).code}"), "✅")
    await world.grace()
    assert loan(world.alpha).closed is not None
    assert is_company_open(world)
    assert_books_balance(world)


async def test_a_loan_that_ends_while_the_next_friendship_is_being_made_leaves_the_company_open() -> None:
    world = await lent("M3-NUT 10")
    world.anna.says("!fed disconnect betaspace --now --sure")
    await world.settle()
    world.beta.before("POST", "api/user/", world.beta.goes_down)
    await world.connect()
    assert states(world) == [ConnectionState.READY, ConnectionState.MAKING]
    world.anna.says(f"!fed gift {loan(world.alpha).code}")
    await world.settle()
    world.beta.comes_back()
    await world.passes(timedelta(hours=2))
    assert states(world) == [ConnectionState.ACTIVE, ConnectionState.ACTIVE]
    assert is_company_open(world)


async def test_the_borrowers_inventree_is_down_and_it_goes_on_when_it_is_back() -> None:
    world = await lent("M3-NUT 10")
    world.beta.goes_down()
    world.anna.says(f"!fed return {loan(world.alpha).code}")
    await world.settle()
    assert world.alpha.row(loan(world.alpha).at(1).item or 0).customer is not None, "the borrower debits first"
    await world.passes(timedelta(hours=2))
    world.beta.comes_back()
    await world.passes(timedelta(hours=2))
    assert back(world.alpha).state is DONE
    assert_books_balance(world)


async def test_the_owners_inventree_is_down_and_the_item_is_booked_in_when_it_is_back() -> None:
    world = await lent("M3-NUT 10")
    world.piet.reacts(await handed_back(world), "✅")
    await world.settle()
    world.alpha.before("POST", "stock/.*return", world.alpha.goes_down)
    await world.grace()
    await world.passes(timedelta(minutes=30))
    assert back(world.alpha).state is not DONE
    world.alpha.comes_back()
    await world.passes(timedelta(hours=2))
    assert back(world.alpha).state is DONE
    assert_books_balance(world)


@pytest.mark.parametrize("kind", [FaultKind.ERROR_AFTER, FaultKind.ERROR_BEFORE, FaultKind.RESET_AFTER])
async def test_the_return_is_made_once_though_inventree_fails_in_the_middle(kind: FaultKind) -> None:
    world = await lent("M3-NUT 10")
    world.alpha.fails(kind, "POST", "return")
    world.anna.says(f"!fed return {loan(world.alpha).code}")
    await world.settle()
    await world.passes(timedelta(minutes=30))
    assert back(world.alpha).state is DONE
    assert_books_balance(world)


async def test_a_crash_of_either_bot_in_the_middle_does_not_change_the_end() -> None:
    world = await lent("M3-NUT 10")
    world.alpha.before("POST", "stock/.*return", world.alpha.goes_down)
    world.beta.before("POST", "stock/assign", world.beta.goes_down)
    world.anna.says(f"!fed return {loan(world.alpha).code}")
    await world.settle()
    for space in (world.beta, world.alpha):
        space.comes_back()
        await space.restart()
        await world.passes(timedelta(minutes=40))
    world.alpha.comes_back()
    await world.passes(timedelta(minutes=40))
    assert back(world.alpha).state is DONE
    assert loan(world.beta).closed is not None
    assert_books_balance(world)


async def test_an_item_that_the_owner_took_back_by_hand_is_reported_and_stays_with_the_borrower() -> None:
    world = await lent("#42")
    world.alpha.admin("POST", "stock/return/", items=[{"pk": 42, "quantity": "1"}], location=1, notes="by hand")
    line = world.anna.says(f"!fed return {loan(world.alpha).code}")
    await world.settle()
    assert "moved it by hand" in world.answer_to(line)
    assert "settle it as a gift, or as lost" in world.answer_to(line)
    world.bea.says("!fed return", reply_to=world.card().event_id)
    await world.settle()
    assert back(world.beta).state is DECLINED
    assert "moved it by hand" in world.room.message("Not returned").text
    assert loan(world.beta).is_on_loan


async def test_an_item_that_the_borrower_moved_by_hand_is_reported_with_what_to_do() -> None:
    world = await lent("M3-NUT 10")
    item = loan(world.beta).at(1).item
    with world.beta.by_hand():
        world.beta.admin("POST", "stock/remove/", items=[{"pk": item, "quantity": "3"}], notes="used")
    line = world.bea.says("!fed return", reply_to=world.card().event_id)
    await world.settle()
    assert "isn't all in stock" in world.answer_to(line)
    assert f"!fed return {loan(world.beta).code} 7" in world.answer_to(line)
    world.anna.says(f"!fed return {loan(world.alpha).code}")
    await world.settle()
    assert [back(space).state for space in world.spaces] == [ABORTED, ABORTED]
    assert world.alpha.row(loan(world.alpha).at(1).item or 0).customer is not None
    assert loan(world.alpha).is_on_loan


async def test_the_owners_item_vanishes_after_the_card_and_the_borrower_keeps_its_own() -> None:
    world = await lent("#42")
    card = await handed_back(world)
    world.alpha.admin("POST", "stock/return/", items=[{"pk": 42, "quantity": "1"}], location=1, notes="by hand")
    world.piet.reacts(card, "✅")
    await world.grace()
    assert [back(space).state for space in world.spaces] == [REVERTED, REVERTED]
    item = loan(world.beta).at(1).item
    assert world.beta.row(item or 0).customer is None
    assert loan(world.beta).is_on_loan


async def test_an_inventree_without_partial_returns_says_so_before_anything_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await lent("M3-NUT 10")
    monkeypatch.setattr(Version, "returns_parts", property(lambda _: False))  # API < 381
    line = world.anna.says(f"!fed return {loan(world.alpha).code} 4")
    await world.settle()
    assert "can only return all of it at once" in world.answer_to(line)
    world.bea.says("!fed return 4", reply_to=world.card().event_id)
    await world.settle()
    assert back(world.beta).state is DECLINED
    assert "can only return all of it at once" in world.room.message("Not returned").text
    await handed_back(world)  # a whole item can be returned
    assert_books_balance(world)


async def test_an_item_that_could_not_be_handed_back_is_not_borrowed() -> None:
    world = await friends()
    part = world.beta.part("N-M3").pk
    world.beta.admin("PATCH", f"part/{part}/", salable=False)
    world.anna.says("!fed lend M3-NUT 10 to betaspace for 3 weeks")
    await world.settle()
    assert "isn't salable, so you could not return it later" in world.card().text
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.beta.transfer().state is OPEN
    world.beta.admin("PATCH", f"part/{part}/", salable=True)
    world.cem.reacts(world.card(), "❌")
    world.dilek.reacts(world.card(), "✅")
    await world.grace()
    assert_books_balance(world)


async def test_reconcile_finds_nothing_wrong_with_loans_partly_returned_given_or_lost() -> None:
    world = await lent("M3-NUT 10")
    world.anna.says(f"!fed return {loan(world.alpha).code} 4")
    await world.settle()
    for words, settled_by in (("RES-10K 20", "gift"), ("#42", "lost"), ("#4 2", "return")):
        await lent(words, world=world)
        world.anna.says(f"!fed {settled_by} {world.alpha.transfer().code}")
        await world.settle()
    assert_books_balance(world)
    world.bea.says(f"!fed resolve {next(t.code for t in world.beta.turn.transfers() if t.left_over)} --as off")
    await world.settle()
    for person in (world.anna, world.bea):
        line = person.says("!fed reconcile")
        await world.settle()
        assert "agree" in world.room.answers(line)[-1].text, world.room.transcript()


async def test_figures_count_lent_and_borrowed_items_apart_from_given_ones() -> None:
    world = await lent("M3-NUT 10")
    await world.hand_over("RES-10K 20")
    line = world.anna.says("!fed stats")
    await world.settle()
    text = world.room.answers(line)[-1].text
    assert "given: 1 item (20 pieces); received: 0 items" in text
    assert "on loan now: 1 item (10 pieces) lent, 0 items borrowed" in text
    world.anna.says(f"!fed return {loan(world.alpha).code}")
    await world.settle()
    line = world.anna.says("!fed stats")
    await world.settle()
    assert "on loan now" not in world.room.answers(line)[-1].text, "what is back is not lent"
    await lent("#4 3", world=world)
    world.anna.says(f"!fed gift {next(t.code for t in world.alpha.turn.transfers() if t.is_on_loan)}")
    await world.settle()
    again = world.anna.says("!fed stats")
    await world.settle()
    assert "given: 2 items (23 pieces)" in world.room.answers(again)[-1].text


@pytest.mark.parametrize("was_done", [False, True])
async def test_a_return_with_an_unknown_outcome_is_settled_by_a_superuser(was_done: bool) -> None:
    world = await lent("#42")
    card = await handed_back(world)
    world.piet.reacts(card, "✅")
    await world.settle()
    with unanswered(world.alpha, "stock/return", FaultKind.LATE if was_done else FaultKind.TIMEOUT_BEFORE):
        await world.passes(timedelta(seconds=6))
    await quarter_of_an_hour(world, world.alpha)
    world.alpha.transport.faults.release(world.alpha.seeded.server)
    assert back(world.alpha).state is TransferState.DISPUTED
    line = world.anna.says(f"!fed resolve {back(world.alpha).code}")
    await world.settle()
    (choice,) = world.room.answers(line)
    world.anna.says("1", reply_to=choice)
    await world.settle()
    await world.passes(timedelta(minutes=30))
    end = DONE if was_done else REVERTED
    assert [back(space).state for space in world.spaces] == [end, end], choice.text
    assert [loan(space).is_on_loan for space in world.spaces] == [not was_done, not was_done]
    assert (world.alpha.row(42).customer is None) is was_done
    assert_books_balance(world)


async def test_a_returned_item_that_can_not_be_put_away_is_returned_for_both() -> None:
    world = await lent("M3-NUT 10")
    card = await handed_back(world)
    world.alpha.fails(FaultKind.ERROR_BEFORE, "POST", "stock/transfer/", status=400)
    world.piet.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(hours=2))
    assert [back(space).state for space in world.spaces] == [DONE, DONE]
    item = loan(world.alpha).at(1).item
    assert item is not None
    assert world.alpha.row(item).location == world.alpha.location("Incoming")
    assert_books_balance(world)


async def a_loan_with_all_that_follows(world: World) -> None:
    await lent("M3-NUT 10", world=world)
    world.bea.says("!fed extend 1 week", reply_to=world.card().event_id)
    await world.settle()
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    world.piet.reacts(await handed_back(world, "return 4"), "🔧")
    await world.grace()
    world.anna.says(f"!fed return {loan(world.alpha).code}")
    await world.settle()


def known(world: World) -> list[tuple[str, str, bool, str]]:
    """Both sides' state of the loan and its children."""
    return [
        (t.terms.kind, t.state.value, t.closed is not None, str(t.due_day))
        for space in world.spaces
        for t in sorted(space.turn.transfers(), key=lambda t: t.id)
    ]


@pytest.mark.parametrize("of", ["sender", "receiver"])
async def test_a_lost_journal_or_an_old_backup_recovers_the_loan_and_its_returns(of: str) -> None:
    wanted, calls = await undisturbed(a_loan_with_all_that_follows, of)
    world = await sharing()
    await a_loan_with_all_that_follows(world)
    await is_rebuilt(side(world, of))
    await world.passes(RESENDS)
    assert known(world) == known(wanted)
    assert_books_balance(world)
    for moment in range(1, calls, calls // 4):
        world = await sharing()
        journal = await is_watched(side(world, of), moment)
        await a_loan_with_all_that_follows(world)
        await is_restored(side(world, of), journal.backup_taken)
        await world.passes(RESENDS)
        assert known(world) == known(wanted), moment
        assert_books_balance(world)


async def test_borrowed_items_merged_into_own_stock_go_back_out_of_it_when_it_is_named() -> None:
    world = await lent("M3-NUT 10")
    beta, borrowed = world.beta, loan(world.beta).at(1).item or 0
    part, place = beta.row(borrowed).part, beta.row(borrowed).location
    with beta.by_hand():
        (row,) = beta.admin("POST", "stock/", part=part, quantity=100, location=place)
        into = [{"item": row["pk"]}, {"item": borrowed}]
        beta.admin("POST", "stock/merge/", items=into, location=place, notes="tidy")
    assert beta.row(row["pk"]).quantity == 110
    line = world.bea.says(f"!fed return {loan(beta).code}")
    await world.settle()
    assert "If somebody merged it into another one, name that: !fed return" in world.answer_to(line)
    for word in ("#1", "nuts"):
        line = world.bea.says(f"!fed return {loan(beta).code} --from {word}")
        await world.settle()
        assert "Not done" in world.answer_to(line)
    world.bea.says(f"!fed return {loan(beta).code} --from #{row['pk']}")
    await world.settle()
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert back(world.alpha).state is DONE
    assert beta.row(row["pk"]).quantity == 100
    assert world.alpha.total("M3-NUT") == 350
    assert not told(world.beta_admins, "Not done")
