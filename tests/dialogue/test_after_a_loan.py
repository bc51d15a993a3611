"""The traces in both InvenTrees of a loan that isn't returned: a gift, a loss, a lender that is gone for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from fedbot.commands import stock_to_offer
from fedbot.rules.catalogue import provenance
from fedbot.rules.model.lifecycles import ConnectionState, Ending
from fedbot.rules.model.queries import FindItems, ItemsFound
from fedbot.rules.model.stock import StockItem
from fedbot.rules.model.transfer import Transfer
from fedbot_demo.inventree.faults import FaultKind
from tests.dialogue.test_lending import handed_back, lent, loan, reminders
from tests.dialogue.test_recovery import RESENDS
from tests.dialogue.test_settling import quarter_of_an_hour, unanswered
from tests.fakes.people import Person
from tests.scenarios.books import assert_books_balance
from tests.scenarios.forging import lie
from tests.scenarios.space import Space
from tests.scenarios.world import World, nothing, protocol_messages, told

WEEKS = timedelta(days=60)


async def picks(world: World, person: Person, line: str, number: str) -> str:
    """The person picks a number from the list that answers the line."""
    event = person.says(line)
    await world.settle()
    (listed,) = world.room.answers(event)
    person.says(number, reply_to=listed.event_id)
    await world.settle()
    return listed.text


def lent_item(space: Space) -> int:
    item = loan(space).at(1).item
    assert item is not None
    return item


def before_the_second(space: Space, happens: Callable[[], None]) -> None:
    """Call `happens` just before the second change of a status."""
    space.before("POST", "change_status", lambda: space.before("POST", "change_status", happens))


async def seen(space: Space, item: int) -> StockItem:
    found = await space.inventory.answer(FindItems(f"#{item}"))
    assert isinstance(found, ItemsFound)
    return found.items[0]


def may_go(space: Space, item: StockItem, destination: str) -> str:
    """The reason why the verbs refuse to move the item there; '' if they allow it."""
    complaint = stock_to_offer.item_complaint(
        space.turn, item, provenance.origins_of(space.turn, item, ()), destination
    )
    return complaint.name if complaint else ""


# --- a gift ---------------------------------------------------------------------------------------------------


async def test_a_gift_is_in_the_owners_history_by_name_and_changes_nothing_else_of_the_item() -> None:
    world = await lent("#42")
    world.alpha.admin("POST", "stock/change_status/", items=[42], status=55, note="worn")
    await world.answer(world.anna, f"!fed gift {loan(world.alpha).code}")
    row = world.alpha.row(42)
    assert (row.status, row.customer) == (55, world.alpha.connection().company)
    told_of = [note for note in world.alpha.history(42) if f"fed:{loan(world.alpha).id}:1:gift" in note]
    assert len(told_of) == 2
    assert "a gift from now on to Betaspace (betaspace), says Anna (@anna:twin.test, InvenTree user anna)" in told_of[0]
    assert "its status as before" in told_of[1]
    assert_books_balance(world)


@pytest.mark.parametrize("kind", [FaultKind.ERROR_AFTER, FaultKind.ERROR_BEFORE, FaultKind.RESET_AFTER])
@pytest.mark.parametrize("nth", [1, 2])
async def test_a_gift_is_noted_once_and_the_status_is_restored_though_inventree_fails(
    kind: FaultKind, nth: int
) -> None:
    world = await lent("#42")
    if nth == 1:
        world.alpha.fails(kind, "POST", "change_status")
    else:
        before_the_second(world.alpha, lambda: world.alpha.fails(kind, "POST", "change_status"))
    await world.answer(world.anna, f"!fed gift {loan(world.alpha).code}")
    await world.passes(timedelta(minutes=30))
    assert world.alpha.row(42).status == 10
    assert sum("a gift from now on" in note for note in world.alpha.history(42)) == 1
    assert_books_balance(world)


async def test_a_crash_between_the_change_and_the_change_back_leaves_the_old_status() -> None:
    world = await lent("#42")
    before_the_second(world.alpha, world.alpha.goes_down)
    await world.answer(world.anna, f"!fed gift {loan(world.alpha).code}")
    assert world.alpha.row(42).status == 50, "changed, and not back yet"
    world.alpha.comes_back()
    await world.alpha.restart()
    await world.passes(timedelta(minutes=30))
    assert world.alpha.row(42).status == 10
    assert_books_balance(world)


async def test_a_note_that_inventree_refuses_is_reported_to_the_admins_and_the_gift_stands() -> None:
    world = await lent("#42")
    world.alpha.fails(FaultKind.ERROR_BEFORE, "POST", "change_status", status=400)
    await world.answer(world.anna, f"!fed gift {loan(world.alpha).code}")
    await world.settle()
    assert "is a gift, but InvenTree's history doesn't show it" in world.alpha_admins.messages()[-1].text
    assert [loan(space).closed.how for space in world.spaces] == [Ending.GIFT, Ending.GIFT]  # type: ignore[union-attr]


async def test_a_gift_belongs_to_the_borrower_keeps_its_origin_and_goes_to_no_third_space() -> None:
    world = await lent("M3-NUT 10")
    item = lent_item(world.beta)
    assert may_go(world.beta, await seen(world.beta, item), "attraktor") == "borrowed_goes_back_by_return"
    await world.answer(world.anna, f"!fed gift {loan(world.alpha).code}")
    assert world.beta.metadata("stockitem", item)["loan"] == "gift"
    assert world.beta.metadata("stockitem", item)["origin"] == "attraktor"
    thing = await seen(world.beta, item)
    assert may_go(world.beta, thing, "gammaspace") == "may_not_go_on"
    assert may_go(world.beta, thing, "attraktor") == ""
    assert_books_balance(world)


# --- a loss ---------------------------------------------------------------------------------------------------


async def lost(words: str = "M3-NUT 10") -> World:
    """Anna has written off the items at betaspace."""
    world = await lent(words)
    await world.answer(world.anna, f"!fed lost {loan(world.alpha).code}")
    assert loan(world.beta).left_over == (1,)
    return world


async def test_a_lost_item_leaves_the_borrowers_stock_on_a_superusers_line() -> None:
    world = await lost()
    item, code = lent_item(world.beta), loan(world.beta).code
    notice = world.beta_admins.message("Lost, says Attraktor, but still in our stock: 10 × M3 nut").text
    assert f"(stock #{item}): !fed resolve {code}" in notice
    assert "Ended, but still in our stock. A superuser settles these with !fed resolve:" in await world.answer(
        world.bea, "!fed todo"
    )
    before = world.beta.total("N-M3")
    listed = await picks(world, world.bea, f"!fed resolve {code}", "1")
    assert f"#{item}: 10, in stock" in listed
    row = world.beta.row(item)
    assert (row.status, row.quantity, row.customer) == (70, 10, None)
    assert any("lost, out of our stock, says Bea" in note for note in world.beta.history(item))
    assert world.beta.total("N-M3") == before, "the row is there, as lost"
    assert loan(world.beta).left_over == ()
    assert "Ended, but" not in await world.answer(world.bea, "!fed todo")
    assert "Nothing to settle" in await world.answer(world.bea, f"!fed resolve {code}")
    assert_books_balance(world)


async def test_reconcile_names_the_loss_with_cause_and_repair_until_it_is_booked_out() -> None:
    world = await lost()
    code = loan(world.beta).code
    line = world.bea.says("!fed reconcile")
    await world.settle()
    text = world.room.answers(line)[-1].text
    assert f"our record #{lent_item(world.beta)} still counts in our stock" in text
    assert f"To fix it: one of our superusers types !fed resolve {code}." in text
    await world.answer(world.bea, f"!fed resolve {code} --as off")
    line = world.bea.says("!fed reconcile")
    await world.settle()
    assert "agree" in world.room.answers(line)[-1].text


async def test_only_a_superuser_books_out_a_lost_item_and_is_told_how() -> None:
    world = await lost()
    assert "superuser" in await world.answer(world.cem, f"!fed resolve {loan(world.beta).code}")
    assert "Ended, but" not in await world.answer(world.cem, "!fed todo")
    assert "Nothing to settle" in await world.answer(world.anna, f"!fed resolve {loan(world.alpha).code}")
    assert world.beta.row(lent_item(world.beta)).status == 10


async def test_an_item_that_is_already_gone_is_only_noted() -> None:
    world = await lost()
    item = lent_item(world.beta)
    with world.beta.by_hand():
        world.beta.admin("DELETE", f"stock/{item}/")
    listed = await picks(world, world.bea, f"!fed resolve {loan(world.beta).code}", "1")
    assert "1) somebody has taken it out of our stock by hand, or will." in listed
    assert "2)" not in listed
    assert loan(world.beta).left_over == ()
    assert world.beta.bot.engine.failures == 0


async def test_only_people_book_out_the_right_quantity_of_a_used_or_merged_item() -> None:
    world = await lost()
    item = lent_item(world.beta)
    with world.beta.by_hand():
        world.beta.admin("POST", "stock/add/", items=[{"pk": item, "quantity": "1"}], notes="ours")
    listed = await picks(world, world.bea, f"!fed resolve {loan(world.beta).code}", "7")
    assert "1) somebody has taken it out" in listed
    assert loan(world.beta).left_over == (1,), "no such number"
    with world.beta.by_hand():
        world.beta.admin("POST", "stock/remove/", items=[{"pk": item, "quantity": "5"}], notes="used")
    await picks(world, world.bea, f"!fed resolve {loan(world.beta).code}", "1")
    assert (world.beta.row(item).status, world.beta.row(item).quantity) == (70, 6)
    assert loan(world.beta).left_over == ()


async def test_a_change_between_the_line_and_the_step_is_refused_and_reported() -> None:
    world = await lost()
    item = lent_item(world.beta)
    line = f"!fed resolve {loan(world.beta).code} --as off"
    more = {"items": [{"pk": item, "quantity": "1"}], "notes": "ours"}

    def is_more_by_then() -> None:
        world.beta.admin("POST", "stock/add/", **more)

    world.beta.before("GET", f"stock/{item}/", is_more_by_then)
    await world.answer(world.bea, line)
    assert world.beta.row(item).status == 10
    assert "holds more than was borrowed" in world.beta_admins.message("has ended, but is still in our stock").text
    assert loan(world.beta).left_over == (1,)


@pytest.mark.parametrize("kind", [FaultKind.ERROR_AFTER, FaultKind.ERROR_BEFORE, FaultKind.RESET_AFTER])
async def test_a_lost_item_is_booked_out_once_though_inventree_fails_and_the_bot_dies(kind: FaultKind) -> None:
    world = await lost()
    world.beta.fails(kind, "POST", "change_status")
    for _ in range(2):
        await world.answer(world.bea, f"!fed resolve {loan(world.beta).code} --as off")
    await world.beta.restart()
    await world.passes(timedelta(minutes=30))
    assert world.beta.row(lent_item(world.beta)).status == 70
    assert loan(world.beta).left_over == ()
    assert_books_balance(world)


async def test_an_unknown_outcome_of_the_booking_out_is_reported_and_admins_repeat_the_line() -> None:
    world = await lost()
    with unanswered(world.beta, "change_status", FaultKind.TIMEOUT_BEFORE):
        await world.answer(world.bea, f"!fed resolve {loan(world.beta).code} --as off")
        await world.passes(timedelta(seconds=6))
    await quarter_of_an_hour(world, world.beta)
    assert told(world.beta_admins, "has ended, but is still in our stock")
    assert loan(world.beta).left_over == (1,)
    await world.answer(world.bea, f"!fed resolve {loan(world.beta).code} --as off")
    assert world.beta.row(lent_item(world.beta)).status == 70


async def test_an_item_that_the_owner_took_back_alone_leaves_the_borrowers_stock_in_the_same_way() -> None:
    world = await lent("M3-NUT 10")
    world.bea.says("!fed disconnect attraktor --now --sure")
    await world.settle()
    world.anna.says(f"!fed return {loan(world.alpha).code}")
    await world.settle()
    assert loan(world.beta).left_over == (1,)
    await picks(world, world.bea, f"!fed resolve {loan(world.beta).code}", "1")
    item = lent_item(world.beta)
    assert world.beta.row(item).status == 70
    assert any(
        "borrowed from Attraktor (attraktor), back, out of our stock, says Bea" in n for n in world.beta.history(item)
    )


# --- a lost item turns up ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("words", "line"), [("#42", "LENS-2"), ("#42", "3zsh"), ("M3-NUT 10", "M3-NUT 4")])
async def test_a_lost_item_that_turns_up_is_told_what_it_is_and_how_it_comes_back(words: str, line: str) -> None:
    world = await lost(words)
    assert loan(world.beta).code == "3zsh"
    item = lent_item(world.beta)
    at_the_borrower = await world.answer(world.bea, f"!fed return {line}")
    first, *others = at_the_borrower.splitlines()
    assert first.startswith("Not done: ")
    assert first.endswith("counts as lost. 3zsh")
    assert others[0].startswith("Anna (Attraktor) wrote it off: Tue 24 Nov, ")
    assert f"Has it turned up? Give it to Attraktor: !fed push #{item} to attraktor" in others
    assert f"If InvenTree shows stock item #{item} as lost, change its status first." in others
    at_the_lender = await world.answer(world.anna, f"!fed return {line}")
    assert f"Has it turned up? Somebody at Betaspace types: !fed push #{item} to attraktor" in at_the_lender
    assert "Then your approvers book it in on a card." in at_the_lender


@pytest.mark.parametrize("settled", [False, True])
async def test_a_lost_item_comes_back_by_a_gift_into_its_own_record_and_counts_as_lost_nowhere(settled: bool) -> None:
    world = await lost("#42")
    item, code = lent_item(world.beta), loan(world.beta).code
    if settled:
        await world.answer(world.bea, f"!fed resolve {code} --as off")
        with world.beta.by_hand():
            world.beta.admin("POST", "stock/change_status/", items=[item], status=10, note="found")
    assert may_go(world.beta, await seen(world.beta, item), "gammaspace") == "may_not_go_on"
    await world.answer(world.bea, f"!fed push #{item} to attraktor")
    card = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1]
    assert "as your stock #42" in card.text
    world.anna.reacts(card, "✅")
    await world.grace()
    await world.settle()
    ours = world.alpha.row(42)
    assert (ours.status, ours.customer, ours.location is not None) == (10, None, True)
    assert (ours.notes, ours.tags) == ("", ())
    theirs = world.beta.row(item)
    assert "Returned to Attraktor – fedbot 3zsh" in theirs.notes
    assert theirs.tags == ()
    assert loan(world.beta).left_over == ()
    assert "Ended, but" not in await world.answer(world.bea, "!fed todo")
    for person in (world.bea, world.anna):
        told_so = await world.answer(person, "!fed return LENS-2")
        assert "It has turned up since: !fed show " in told_so
        assert "Has it turned up" not in told_so
        assert "it turned up, and was given back" in await world.answer(person, f"!fed show {code}")
    line = world.bea.says("!fed reconcile")
    await world.settle()
    assert "agree" in world.room.answers(line)[-1].text
    assert_books_balance(world)


async def given_back(world: World, words: str) -> str:
    """Bea gives something to Attraktor, and Anna approves; return the card before that."""
    await world.answer(world.bea, f"!fed push {words} to attraktor")
    card = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1]
    world.anna.reacts(card, "✅")
    await world.grace()
    await world.settle()
    return card.text


async def test_lost_pieces_without_a_serial_number_come_back_into_their_own_record() -> None:
    world = await lost()
    item, before = lent_item(world.beta), len(world.alpha.stock(part=world.alpha.part("M3-NUT").pk))
    ours = loan(world.alpha).at(1).item
    assert ours is not None
    assert (world.alpha.row(ours).status, world.alpha.row(ours).quantity) == (70, 10)
    assert f"as your stock #{ours}" in await given_back(world, f"#{item}")
    row = world.alpha.row(ours)
    assert (row.status, row.customer, row.location is not None, row.quantity) == (10, None, True, 10)
    assert len(world.alpha.stock(part=world.alpha.part("M3-NUT").pk)) == before
    assert "It has turned up since" in await world.answer(world.anna, "!fed return M3-NUT")
    world.bea.says("!fed reconcile")
    await world.settle()
    assert_books_balance(world)


@pytest.mark.parametrize("change", ["less comes back", "another batch", "another quantity", "moved by hand"])
async def test_lost_pieces_whose_record_differs_become_a_stock_item_that_says_why(change: str) -> None:
    world = await lost()
    ours = loan(world.alpha).at(1).item
    assert ours is not None
    with world.alpha.by_hand():
        if change == "another batch":
            world.alpha.admin("PATCH", f"stock/{ours}/", batch="B7")
        elif change == "another quantity":
            world.alpha.tables.stock.put(replace(world.alpha.row(ours), quantity=Decimal(9)))
        elif change == "moved by hand":
            world.alpha.admin("POST", "stock/return/", items=[{"pk": ours, "quantity": 10}], location=1)
    card = await given_back(world, f"{4 if change == 'less comes back' else 10} #{lent_item(world.beta)}")
    assert "which was here before" not in card
    item = world.alpha.transfer().at(1).item
    assert item != ours
    assert f"Was lost before: stock item {ours}" in world.alpha.row(item or 0).notes


async def test_a_part_of_a_lost_quantity_that_is_given_back_leaves_the_rest_to_settle() -> None:
    world = await lost()
    item = lent_item(world.beta)
    await world.answer(world.bea, f"!fed push 4 #{item} to attraktor")
    world.anna.reacts([m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1], "✅")
    await world.grace()
    assert loan(world.beta).left_over == (1,)
    assert "fedbot: lost" in world.beta.row(item).tags
    assert_books_balance(world)


async def test_one_lost_item_of_a_loan_that_runs_on_is_named_as_lost() -> None:
    world = await lent("#42; M3-NUT 10")
    code = loan(world.alpha).code
    await world.answer(world.anna, f"!fed lost {code} LENS-2")
    for line in ("LENS-2", f"{code} LENS-2"):
        assert "counts as lost" in await world.answer(world.bea, f"!fed return {line}")
    assert loan(world.beta).is_on_loan


async def test_an_item_lost_by_a_former_friend_comes_back_once_they_are_friends_again() -> None:
    world = await lost("#42")
    world.bea.says("!fed disconnect attraktor --now --sure")
    await world.settle()
    for person, peer in ((world.bea, "attraktor"), (world.anna, "betaspace")):
        told_so = await world.answer(person, "!fed return LENS-2")
        assert f"Has it turned up? Become friends again first: !fed connect {peer}" in told_so


# --- a lender that is gone for good ---------------------------------------------------------------------------


async def left_alone() -> World:
    """Attraktor's bot is gone, and Bea has ended the friendship."""
    world = await lent("M3-NUT 10", "until 15.12.")
    world.alpha.is_asleep = True
    world.bea.says("!fed disconnect attraktor --now --sure")
    await world.settle()
    assert world.beta.turn.connections()[-1].state is ConnectionState.ENDED
    return world


def both(world: World) -> list[Transfer]:
    return [loan(space) for space in world.spaces]


async def test_a_superuser_closes_the_loans_of_a_space_that_is_gone_and_keeps_the_items() -> None:
    world = await left_alone()
    code, item = loan(world.beta).code, lent_item(world.beta)
    parted = world.room.message("are no longer friends").text
    assert f"Is Attraktor gone for good? Then a superuser settles our borrowed items: !fed resolve {code}" in parted
    assert code in await world.answer(world.bea, "!fed todo")
    assert "superuser" in await world.answer(world.cem, f"!fed resolve {code}")
    listed = await picks(world, world.bea, f"!fed resolve {code}", "1")
    assert "1) Attraktor is gone for good." in listed
    assert loan(world.beta).closed is not None
    assert code not in await world.answer(world.bea, "!fed todo")
    assert world.beta.metadata("stockitem", item)["loan"] == "kept"
    assert world.beta.metadata("stockitem", item)["origin"] == "attraktor"
    assert may_go(world.beta, await seen(world.beta, item), "gammaspace") == "may_not_go_on"
    assert "Kept by Betaspace, still owned by Attraktor: 10 × M3 nut (M3-NUT), says Bea, " in world.card().text
    assert "it stays here as theirs, says Bea" in await world.answer(world.bea, f"!fed show {code}")
    rung = len(reminders(world))
    await world.passes(WEEKS)
    assert len(reminders(world)) == rung, "nobody is reminded for ever"
    assert "Nothing to settle" in await world.answer(world.bea, f"!fed resolve {code}")


async def test_the_lender_is_not_gone_while_the_spaces_are_friends() -> None:
    world = await lent("M3-NUT 10")
    answer = await world.answer(world.bea, f"!fed resolve {loan(world.beta).code}")
    assert "Nothing to settle" in answer
    assert "!fed disconnect attraktor --now" in answer
    answer = await world.answer(world.bea, f"!fed resolve {loan(world.beta).code} --as kept")
    assert "Nothing to settle" in answer
    assert loan(world.beta).is_on_loan


async def test_once_the_lender_is_a_friend_again_the_loan_is_open_again_and_returned() -> None:
    world = await left_alone()
    await world.answer(world.bea, f"!fed resolve {loan(world.beta).code} --as kept")
    await world.passes(timedelta(days=2))
    world.alpha.is_asleep = False
    await world.settle()
    await world.connect()
    assert [each.is_on_loan for each in both(world)] == [True, True]
    assert "is on loan from Attraktor to Betaspace" in next(
        m.text for m in world.room.messages() if m.event_id == loan(world.beta).card_event
    )
    assert "loan" not in world.beta.metadata("stockitem", lent_item(world.beta))
    world.piet.reacts(await handed_back(world, f"return {loan(world.beta).code}"), "✅")
    await world.grace()
    assert [each.closed.how for each in both(world)] == [Ending.RETURNED, Ending.RETURNED]  # type: ignore[union-attr]
    assert_books_balance(world)


@pytest.mark.parametrize(("words", "how"), [("return", Ending.RETURNED), ("gift", Ending.GIFT), ("lost", Ending.LOST)])
async def test_the_lenders_own_decision_overrides_the_borrowers_whenever_it_arrives(words: str, how: Ending) -> None:
    world = await left_alone()
    world.alpha.is_asleep = False
    world.server.loses = protocol_messages
    await world.settle()
    world.anna.says("!fed disconnect betaspace --now --sure")
    await world.settle()
    world.anna.says(f"!fed {words} {loan(world.alpha).code}")
    await world.answer(world.bea, f"!fed resolve {loan(world.beta).code} --as kept")
    assert loan(world.beta).closed.how is Ending.KEPT  # type: ignore[union-attr]
    world.server.loses = nothing
    await world.passes(timedelta(days=2))
    await world.connect()
    await world.passes(RESENDS)
    assert [each.closed and each.closed.how for each in both(world)] == [how, how]
    assert loan(world.beta).left_over == (() if how is Ending.GIFT else (1,))
    assert world.beta.bot.engine.failures == 0


@pytest.mark.parametrize("word", ["kept", "eaten", ""])
async def test_a_friend_can_not_send_an_end_that_it_may_not_decide(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await lent("M3-NUT 10")
    lie(monkeypatch, "closed", how=word)
    world.anna.says(f"!fed gift {loan(world.alpha).code}")
    await world.settle()
    assert loan(world.beta).is_on_loan
    assert world.beta.bot.engine.failures == 0


async def test_the_notes_of_a_deleted_item_are_missed_by_nobody() -> None:
    world = await lent("M3-NUT 10")
    world.beta.admin("DELETE", f"stock/{lent_item(world.beta)}/")
    await world.answer(world.anna, f"!fed lost {loan(world.alpha).code}")
    assert not told(world.beta_admins, "could not write my notes")
