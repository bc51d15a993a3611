"""Loans: lent, due, returned whole or in parts, extended, given away, lost; as people and InvenTrees of both spaces see
it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fedbot.commands import stock_to_offer
from fedbot.rules.model.lifecycles import Ending, TransferState
from fedbot.rules.model.queries import FindItems, ItemsFound
from fedbot.rules.model.transfer import Transfer
from tests.fakes.people import Message
from tests.scenarios.books import assert_books_balance
from tests.scenarios.forging import lie
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, nothing, protocol_messages, sharing, told

DONE, OPEN, DECLINED, ABORTED, CANCELLED = (
    TransferState.DONE,
    TransferState.OPEN,
    TransferState.DECLINED,
    TransferState.ABORTED,
    TransferState.CANCELLED,
)


async def lent(words: str = "M3-NUT 10", until: str = "for 3 weeks", world: World | None = None) -> World:
    """Attraktor has lent something to betaspace."""
    world = world or await friends()
    world.anna.says(f"!fed lend {words} to betaspace {until}")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.alpha.transfer().is_on_loan
    return world


def loan(space: Space) -> Transfer:
    return next(t for t in space.turn.transfers() if t.is_loan)


def back(space: Space) -> Transfer:
    return [t for t in space.turn.transfers() if t.terms.kind == "return"][-1]


def owners_card(world: World) -> Message:
    """The newest card of attraktor's bot."""
    cards = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions]
    assert cards, f"no card:\n{world.room.transcript()}"
    return cards[-1]


async def handed_back(world: World, words: str = "return") -> Message:
    """Bea replies to the card that it goes back; return the card of attraktor's bot."""
    before = {m.event_id for m in world.room.messages()}
    world.bea.says(f"!fed {words}", reply_to=world.card().event_id)
    await world.settle()
    card = owners_card(world)
    assert card.event_id not in before, f"no card:\n{world.room.transcript()}"
    return card


async def test_a_loan_is_made_with_a_due_date_in_chat_and_in_both_inventrees() -> None:
    world = await friends()
    line = world.anna.says("!fed lend M3-NUT 10 to betaspace for 3 weeks")
    await world.settle()
    day = "Tue 15 Dec 2026"
    assert f"Offered to Betaspace, on loan until {day}: 10 × M3 nut" in world.answer_to(line)
    card = world.card()
    assert f"on loan until {day}. Take it?" in card.text
    assert f"it still belongs to Attraktor. Due back {day}, that day included" in card.text
    world.cem.reacts(card, "✅")
    await world.grace()
    assert f"is on loan from Attraktor to Betaspace until {day}." in world.card().text
    code = loan(world.beta).code
    assert f"!fed return {code} · !fed extend {code} 2 weeks · !fed show" in world.card().text
    assert f"is at Betaspace, due {day}." in world.room.message("is at Betaspace").text
    given, got = world.alpha.transfer().at(1).item, world.beta.transfer().at(1).item
    assert given
    assert got
    assert world.alpha.metadata("stockitem", given)["loan_until"] == "2026-12-15"
    assert world.beta.metadata("stockitem", got)["loan_until"] == "2026-12-15"
    assert_books_balance(world)


async def test_the_owners_own_item_returns_to_its_location_when_its_approver_approves() -> None:
    world = await lent("#42", "until 31.1.")
    card = await handed_back(world)
    assert "Betaspace returns 1 × Laser lens" in card.text
    assert world.alpha.row(42).customer is not None, "nothing moves before the owner's yes"
    world.piet.reacts(card, "✅")
    await world.grace()
    row = world.alpha.row(42)
    assert row.customer is None
    assert row.status == 10
    assert [back(space).state for space in world.spaces] == [DONE, DONE]
    assert [loan(space).closed.how for space in world.spaces] == [Ending.RETURNED, Ending.RETURNED]  # type: ignore[union-attr]
    assert "is back at Attraktor" in world.room.messages(sender=world.beta.chat.user_id)[-1].text
    assert "Back since" in next(m.text for m in world.room.messages() if m.event_id == loan(world.beta).card_event)
    assert any(
        "returned by Betaspace (betaspace), fine, says Piet (@piet:twin.test, InvenTree user piet)" in note
        for note in world.alpha.history(42)
    )
    assert_books_balance(world)


async def test_a_member_who_brings_it_back_returns_it_and_the_owners_approver_decides() -> None:
    world = await lent("#42", "until 31.1.")
    line = world.tom.says(f"!fed return {loan(world.beta).code}")
    await world.settle()
    assert "Not done" not in world.answer_to(line)
    card = world.room.message("returns 1 × Laser lens")
    assert world.alpha.row(42).customer is not None
    world.kim.reacts(card, "✅")
    await world.grace()
    assert world.alpha.row(42).customer is not None, "a member of the owner decides nothing"
    world.piet.reacts(card, "✅")
    await world.grace()
    assert [back(space).state for space in world.spaces] == [DONE, DONE]
    assert_books_balance(world)


async def test_the_owners_line_is_the_decision_and_states_the_condition() -> None:
    world = await lent("#42")
    line = world.anna.says(f'!fed return {loan(world.alpha).code} --damaged --note "scratched at the rim"')
    await world.settle()
    assert "is coming back, damaged" in world.answer_to(line)
    assert back(world.beta).state is DONE
    row = world.alpha.row(42)
    assert (row.customer, row.status) == (None, 55)
    assert any(
        "damaged, says Anna (@anna:twin.test, InvenTree user anna): scratched at the rim" in note
        for note in world.alpha.history(42)
    )
    assert "is back at Attraktor, damaged" in world.room.message("is back at Attraktor").text
    assert_books_balance(world)


async def test_a_reaction_reports_damage_and_a_reply_to_the_card_is_in_the_history() -> None:
    world = await lent("#42")
    card = await handed_back(world)
    world.kim.says("the coating is burnt", reply_to=card)
    await world.settle()
    world.piet.says("look at it", reply_to=card)
    await world.settle()
    assert "I'll write it into the item's history" in world.room.messages(sender=world.alpha.chat.user_id)[-1].text
    world.piet.reacts(card, "🔧")
    await world.grace()
    assert world.alpha.row(42).status == 55
    assert any(
        "says Piet (@piet:twin.test, InvenTree user piet); @kim:twin.test: the coating is burnt; look at it" in note
        for note in world.alpha.history(42)
    )
    assert_books_balance(world)


async def test_not_here_leaves_it_on_loan_and_both_stocks_unchanged() -> None:
    world = await lent()
    before = world.alpha.total("M3-NUT"), world.beta.total("N-M3")
    world.piet.reacts(await handed_back(world), "❌")
    await world.grace()
    assert [back(space).state for space in world.spaces] == [DECLINED, DECLINED]
    assert (world.alpha.total("M3-NUT"), world.beta.total("N-M3")) == before
    assert "stays on loan to Betaspace" in world.room.message("Not here").text
    assert loan(world.alpha).is_on_loan
    assert_books_balance(world)
    world.piet.reacts(await handed_back(world), "✅")
    await world.grace()
    assert not loan(world.alpha).is_on_loan, "asked again, it may be yes"
    assert_books_balance(world)


async def test_partial_returns_go_on_until_the_last_which_ends_the_loan() -> None:
    world = await lent("M3-NUT 10")
    item = loan(world.alpha).at(1).item
    assert item
    world.piet.reacts(await handed_back(world, "return 4"), "✅")
    await world.grace()
    assert loan(world.beta).is_on_loan
    assert world.alpha.row(item).quantity == 6
    assert_books_balance(world)
    line = world.bea.says("!fed return 7", reply_to=world.card().event_id)
    await world.settle()
    assert "only 6 of M3 nut can go back, not 7" in world.answer_to(line)
    world.anna.says(f"!fed return {loan(world.alpha).code}")
    await world.settle()
    assert world.alpha.row(item).customer is None
    assert [loan(space).closed is not None for space in world.spaces] == [True, True]
    assert_books_balance(world)


async def test_a_return_begun_by_both_sides_happens_once() -> None:
    world = await lent()
    code = loan(world.alpha).code
    world.server.loses = protocol_messages
    world.bea.says(f"!fed return {code}")
    world.anna.says(f"!fed return {code}")
    await world.settle()
    assert {back(space).state for space in world.spaces} == {OPEN}
    world.server.loses = nothing
    await world.passes(timedelta(minutes=15))
    states = sorted(t.state for t in world.beta.turn.transfers() if t.terms.kind == "return")
    assert states == [CANCELLED, DONE]
    assert not loan(world.alpha).is_on_loan
    assert_books_balance(world)


async def test_a_second_return_is_refused_while_the_first_is_open() -> None:
    world = await lent()
    await handed_back(world)
    for person in (world.cem, world.anna):
        line = person.says(f"!fed return {loan(world.alpha).code}")
        await world.settle()
        assert "on its way back already" in world.answer_to(line)
    assert len([t for t in world.beta.turn.transfers() if t.terms.kind == "return"]) == 1
    assert_books_balance(world)


@pytest.mark.parametrize("words", ["return", "extend 1 week", "gift", "lost"])
async def test_a_person_who_is_no_approver_can_not_end_a_loan(words: str) -> None:
    world = await lent()
    verb, _, rest = words.partition(" ")
    line = world.kim.says(f"!fed {verb} {loan(world.alpha).code} {rest}")
    await world.settle()
    assert "approver" in world.answer_to(line)
    assert loan(world.alpha).is_on_loan
    assert loan(world.alpha).back_by is None


async def test_a_refused_reply_to_a_card_is_shown_with_its_id_for_others_to_copy() -> None:
    world = await lent()
    answer = await world.answer(world.tom, "!fed extend 1 week", reply_to=world.card().event_id)
    assert f"They can copy this: !fed extend {loan(world.alpha).code} 1 week" in answer


@pytest.mark.parametrize("words", ["gift", "lost", "return --damaged"])
async def test_only_the_owner_decides_the_end_and_the_condition(words: str) -> None:
    world = await lent()
    line = world.bea.says(f"!fed {words}", reply_to=world.card().event_id)
    await world.settle()
    assert "Not done" in world.answer_to(line)
    assert loan(world.beta).is_on_loan
    assert_books_balance(world)


async def test_the_borrower_asks_for_an_extension_and_the_owner_decides() -> None:
    world = await lent("M3-NUT 10", "until 15.12.")
    line = world.bea.says("!fed extend 2 weeks", reply_to=world.card().event_id)
    await world.settle()
    assert "until Tue 29 Dec 2026" in world.answer_to(line)
    assert loan(world.beta).due_day == loan(world.beta).terms.loan_until, "only asked"
    again = world.bea.says("!fed extend 3 weeks", reply_to=world.card().event_id)
    await world.settle()
    assert "was requested already" in world.answer_to(again)
    days = "Present due date: Tue 15 Dec 2026. New due date: Tue 29 Dec 2026, that day included."
    assert days in owners_card(world).text.splitlines()
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert [str(loan(space).due_day) for space in world.spaces] == ["2026-12-29", "2026-12-29"]
    assert "until Tue 29 Dec 2026" in world.card().text
    item = loan(world.beta).at(1).item
    assert item
    assert world.beta.metadata("stockitem", item)["loan_until"] == "2026-12-29"
    world.bea.says("!fed extend 2 weeks", reply_to=world.card().event_id)
    await world.settle()
    world.piet.reacts(owners_card(world), "❌")
    await world.grace()
    assert [str(loan(space).due_day) for space in world.spaces] == ["2026-12-29", "2026-12-29"]
    assert_books_balance(world)


async def test_the_owners_approver_extends_at_once() -> None:
    world = await lent("M3-NUT 10", "until 15.12.")
    line = world.anna.says(f"!fed extend {loan(world.alpha).code} until 31.1.")
    await world.settle()
    assert "until Sun 31 Jan 2027" in world.answer_to(line)
    assert [str(loan(space).due_day) for space in world.spaces] == ["2027-01-31", "2027-01-31"]
    assert_books_balance(world)


async def test_an_extension_that_arrives_after_the_return_sets_the_final_due_date() -> None:
    """Otherwise the two sides' histories would differ for ever (found by the simulation, seed 501565)."""
    world = await lent("M3-NUT 10", "until 15.12.")
    alpha, code = world.alpha.chat.user_id, loan(world.alpha).code
    world.server.loses = lambda user, event: user == world.beta.chat.user_id and event["sender"] == alpha
    world.anna.says(f"!fed extend {code} until 31.1.")
    await world.settle()
    world.server.loses = lambda _user, _event: False
    world.piet.says(f"!fed return {code}")
    await world.settle()
    assert not any(loan(space).is_on_loan for space in world.spaces)
    await world.passes(timedelta(minutes=2))
    assert [str(loan(space).due_day) for space in world.spaces] == ["2027-01-31", "2027-01-31"]
    assert_books_balance(world)


async def test_the_owner_shortens_an_extension_but_not_below_the_agreed_day() -> None:
    world = await lent("M3-NUT 10", "until 15.12.")
    code = loan(world.alpha).code
    for words, due in [
        ("until 31.1.2028", "2028-01-31"),
        ("until 31.1.2027", "2027-01-31"),
        ("until 15.12.", "2026-12-15"),
    ]:
        world.anna.says(f"!fed extend {code} {words}")
        await world.settle()
        assert [str(loan(space).due_day) for space in world.spaces] == [due, due]
    line = world.anna.says(f"!fed extend {code} until 14.12.")
    await world.settle()
    assert "is lent until Tue 15 Dec 2026, and both sides have approved that" in world.answer_to(line)
    assert [str(loan(space).due_day) for space in world.spaces] == ["2026-12-15", "2026-12-15"]
    assert_books_balance(world)


@pytest.mark.parametrize(
    ("given", "ends", "word"),
    [
        ("2 weeks", DONE, "until Tue 29 Dec 2026."),
        ("until 31.1.", DECLINED, "Betaspace can keep 10 × M3 nut (M3-NUT) until Sun 31 Jan 2027."),
        ("until 20.12.", DECLINED, "Betaspace can keep 10 × M3 nut (M3-NUT) until Sun 20 Dec 2026."),
    ],
)
async def test_a_day_that_the_owner_sets_answers_the_borrowers_open_request(
    given: str, ends: TransferState, word: str
) -> None:
    world = await lent("M3-NUT 10", "until 15.12.")
    world.bea.says("!fed extend 2 weeks", reply_to=world.card().event_id)
    await world.settle()
    card = owners_card(world)
    world.anna.says(f"!fed extend {loan(world.alpha).code} {given}")
    await world.settle()
    asked = [next(t for t in space.turn.transfers() if t.terms.kind == "extension") for space in world.spaces]
    assert [t.state for t in asked] == [ends, ends]
    assert word in owners_card(world).text
    assert len({str(loan(space).due_day) for space in world.spaces}) == 1
    line = world.bea.says(f"!fed show {asked[0].code}")
    await world.settle()
    assert ("Extended by Anna" if ends is DONE else "Anna has set another day") in world.answer_to(line)
    before = str(loan(world.beta).due_day)
    world.piet.reacts(card, "✅")
    await world.grace()
    assert [str(loan(space).due_day) for space in world.spaces] == [before, before], "it is answered already"
    world.bea.says("!fed extend 1 week", reply_to=world.card().event_id)
    await world.settle()
    assert owners_card(world).event_id != card.event_id, "there may be another question"
    assert_books_balance(world)


async def test_the_owner_sets_a_day_during_the_grace_of_a_decision_on_the_request() -> None:
    world = await lent("M3-NUT 10", "until 15.12.")
    world.bea.says("!fed extend 2 weeks", reply_to=world.card().event_id)
    await world.settle()
    world.piet.reacts(owners_card(world), "✅")
    await world.settle()
    world.anna.says(f"!fed extend {loan(world.alpha).code} until 31.1.")
    await world.grace()
    assert [str(loan(space).due_day) for space in world.spaces] == ["2027-01-31", "2027-01-31"]
    assert not any(space.bot.engine.failures for space in world.spaces)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "tomorrow"])
async def test_a_due_date_beyond_all_calendars_is_refused(day: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await lent("#42")
    lie(monkeypatch, "extended", until=day)
    world.anna.says(f"!fed extend {loan(world.alpha).code} 2 weeks")
    await world.settle()
    await world.passes(timedelta(days=30))
    assert loan(world.beta).back_by is None
    assert world.beta.bot.engine.failures == 0
    assert told(world.room, "was due back at Attraktor"), "reminded of the day that was agreed"


async def test_open_requests_about_a_loan_end_with_it() -> None:
    world = await lent("#42")
    world.bea.says("!fed extend 2 weeks", reply_to=world.card().event_id)
    await world.settle()
    world.anna.says(f"!fed gift {loan(world.alpha).code}")
    await world.settle()
    longer = [next(t for t in space.turn.transfers() if t.terms.kind == "extension") for space in world.spaces]
    assert [t.state for t in longer] == [DECLINED, DECLINED]
    assert told(world.room, "needs no extension")
    assert not any(space.bot.engine.failures for space in world.spaces)


async def test_a_lost_item_is_written_off_with_a_persons_name_in_inventrees_history() -> None:
    world = await lent("#42")
    line = world.anna.says(f"!fed lost {loan(world.alpha).code}")
    await world.settle()
    assert "Lost: 1 × Laser lens" in world.answer_to(line)
    row = world.alpha.row(42)
    assert (row.status, row.customer) == (70, world.alpha.connection().company)
    assert any(
        "lost at Betaspace (betaspace), says Anna (@anna:twin.test, InvenTree user anna)" in note
        for note in world.alpha.history(42)
    )
    assert [loan(space).closed.how for space in world.spaces] == [Ending.LOST, Ending.LOST]  # type: ignore[union-attr]
    late = world.bea.says("!fed return", reply_to=world.card().event_id)
    await world.settle()
    assert "counts as lost" in world.answer_to(late)
    assert_books_balance(world)


async def test_a_gift_stays_with_the_borrower_even_if_a_return_crosses_it() -> None:
    world = await lent()
    code = loan(world.alpha).code
    world.anna.says(f"!fed gift {code}")
    world.bea.says(f"!fed return {code}")
    await world.settle()
    assert [loan(space).closed.how for space in world.spaces] == [Ending.GIFT, Ending.GIFT]  # type: ignore[union-attr]
    assert all(t.state in {ABORTED, DECLINED} for t in world.beta.turn.transfers() if t.terms.kind == "return")
    assert world.beta.total("N-M3") - world.beta.counted[world.beta.part("N-M3").pk] == 10 + Decimal(0)
    assert_books_balance(world)


def reminders(world: World) -> list[Message]:
    return [m for m in world.room.messages() if "is due back at Attraktor" in m.text or "was due back" in m.text]


def hour_of(world: World, message: Message) -> int:
    event = next(e for e in world.server.log if e.get("event_id") == message.event_id)
    return datetime.fromtimestamp(event["origin_server_ts"] / 1000, UTC).hour


async def test_the_borrowers_people_are_reminded_before_and_on_the_day_then_weekly_and_never_at_night() -> None:
    world = await lent("M3-NUT 10", "until 15.12.")
    await world.passes(timedelta(days=17))  # 11 December, evening
    assert reminders(world) == []
    await world.passes(timedelta(days=20))  # the last of the year
    told = [(m.text.splitlines()[0], hour_of(world, m)) for m in reminders(world)]
    assert [text.split("10 × M3 nut (M3-NUT) ")[1] for text, _ in told] == [
        "is due back at Attraktor by Tue 15 Dec 2026.",
        "is due back at Attraktor tomorrow, Tue 15 Dec 2026.",
        "is due back at Attraktor today, Tue 15 Dec 2026.",
        "was due back at Attraktor on Tue 15 Dec 2026.",
        "was due back at Attraktor on Tue 15 Dec 2026.",
    ]
    assert {hour for _, hour in told} == {8}
    assert all(world.cem.user_id in m.mentions for m in reminders(world)), "Cem took it"
    world.bea.says("!fed extend 1 week", reply_to=reminders(world)[-1])
    await world.settle()
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    await world.passes(timedelta(days=3))
    assert len(reminders(world)) == 5, "it is due on 7 January now"
    world.piet.reacts(await handed_back(world), "✅")
    await world.grace()
    await world.passes(timedelta(days=30))
    assert len(reminders(world)) == 5


async def test_a_borrower_that_slept_through_the_days_is_reminded_once() -> None:
    world = await lent("M3-NUT 10", "until 15.12.")
    await world.passes(timedelta(days=23), asleep=(world.beta,))
    await world.settle()
    await world.passes(timedelta(hours=14))
    assert len(reminders(world)) == 1
    assert_books_balance(world)


async def test_todo_and_show_list_loans_with_due_dates_and_returns() -> None:
    world = await lent("M3-NUT 10", "until 15.12.")
    world.piet.reacts(await handed_back(world, "return 4"), "✅")
    await world.grace()
    code = loan(world.alpha).code
    for person, words in ((world.anna, "Lent until Tue 15 Dec 2026"), (world.bea, "Borrowed until Tue 15 Dec 2026")):
        line = person.says("!fed todo")
        await world.settle()
        assert f"{code} – " in world.answer_to(line)
        assert words in world.answer_to(line)
    await world.passes(timedelta(days=23))
    line = world.anna.says(f"!fed show {code}")
    await world.settle()
    assert "⚠ Lent; it was due Tue 15 Dec 2026" in world.answer_to(line)
    assert "Returned:\n• " in world.answer_to(line)
    assert "4 × M3 nut" in world.answer_to(line)
    assert "a part of it came back" in world.answer_to(line)


async def test_a_borrowed_item_goes_back_by_return_and_nowhere_else() -> None:
    world = await lent("RES-10K 20", world=await sharing())
    item = loan(world.beta).at(1).item
    line = world.bea.says(f"!fed push #{item} 5 to attraktor")
    await world.settle()
    assert "it is on loan here" in world.answer_to(line)
    asked = world.anna.says(f"!fed request #{item} 5 from betaspace")
    await world.settle()
    assert "Asked Betaspace" in world.answer_to(asked)
    assert world.alpha.transfer().state is DECLINED
    found = await world.beta.inventory.answer(FindItems(f"#{item}"))
    assert isinstance(found, ItemsFound)
    complaint = stock_to_offer.item_complaint(world.beta.turn, found.items[0], (), "gammaspace")
    assert complaint is not None
    assert complaint.name == "may_not_go_on"
    assert_books_balance(world)


async def test_a_loan_by_request_is_borrowed_and_returned_in_the_same_way() -> None:
    world = await sharing()
    line = world.bea.says("!fed request 5 RES-10K from attraktor until 15.12.")
    await world.settle()
    assert "on loan until Tue 15 Dec 2026" in world.answer_to(line)
    assert "on loan until Tue 15 Dec 2026. Give it?" in owners_card(world).text
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert [loan(space).is_on_loan for space in world.spaces] == [True, True]
    assert str(loan(world.beta).due_day) == "2026-12-15"
    world.bea.says(f"!fed return {loan(world.beta).code}")
    await world.settle()
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert [loan(space).is_on_loan for space in world.spaces] == [False, False]
    assert_books_balance(world)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("for 3 weaks", "can't read"),
        ("until 24.11.2025", "is in the past"),
        ("for 3 years", "more than two years ahead"),
        ("", "Something is missing: for TIME"),
    ],
)
async def test_an_impossible_day_is_refused_with_a_possible_one(words: str, answer: str) -> None:
    world = await friends()
    line = world.anna.says(f"!fed lend M3-NUT 10 to betaspace {words}")
    await world.settle()
    assert answer in world.answer_to(line)
    assert world.alpha.turn.transfers() == []


async def test_push_with_loan_is_a_loan_and_a_number_of_a_list_keeps_the_day() -> None:
    world = await friends()
    line = world.anna.says("!fed push M3-BOLT 10 to betaspace --loan 31.1.")
    await world.settle()
    (choice,) = world.room.answers(line)
    world.anna.says("1", reply_to=choice)
    await world.settle()
    assert str(world.alpha.transfer().terms.loan_until) == "2027-01-31"


async def test_if_less_is_back_than_announced_the_lender_is_told_what_to_type_and_the_rest_stays_on_loan() -> None:
    world = await lent("M3-NUT 10")
    world.cem.says("!fed return 4 M3-NUT")
    await world.settle()
    code = back(world.alpha).code
    line = world.anna.says(f"!fed approve {code} 3")
    await world.settle()
    instead = f"!fed return {loan(world.alpha).code} 3"
    assert f"If only 3 came back: {instead} (closes this return)" in world.answer_to(line)
    world.anna.says(instead)
    await world.settle()
    await world.grace()
    assert (world.alpha.total("M3-NUT"), world.beta.total("N-M3")) == (350 - 7, 900 + 7)
    ended = world.room.message("Not returned: 4 × M3 nut").text
    assert "Why: the lender has already booked back what is there, with a return of its own." in ended
    assert_books_balance(world)


async def test_parts_of_a_returned_loan_are_used_up_first_without_a_question() -> None:
    world = await lent("M3-NUT 10")
    world.anna.says(f"!fed return {loan(world.alpha).code} 3")
    await world.grace()
    assert sorted(row.quantity for row in world.alpha.stock(part=world.alpha.part("M3-NUT").pk)) == [3, 7, 340]
    world.anna.says("!fed push 2 M3-NUT to betaspace")
    await world.settle()
    (crumbs,) = world.alpha.stock(part=world.alpha.part("M3-NUT").pk, quantity=3)
    assert world.alpha.transfer().terms.lines[0].item == crumbs.pk
    world.alpha.admin("PATCH", f"stock/{crumbs.pk}/", notes="for the course only")
    line = world.anna.says("!fed push 1 M3-NUT to betaspace")
    await world.settle()
    assert "Which do you mean?" in world.answer_to(line), "the two differ in what stands in their notes"


@pytest.mark.parametrize("words", ["nut", "m3 nuts", "the nut"])
async def test_a_part_of_the_name_is_enough_to_return_or_extend_the_only_loan_that_it_fits(words: str) -> None:
    world = await lent()
    world.bea.says(f"!fed return 4 {words} - in a bag")
    await world.settle()
    (line,) = back(world.alpha).terms.lines
    assert (line.description.ipn, line.quantity) == ("M3-NUT", Decimal(4))
    assert back(world.alpha).terms.note == "in a bag"


async def test_a_verb_that_ends_a_loan_for_good_needs_the_whole_name() -> None:
    world = await lent()
    said = world.anna.says("!fed lost nut")
    await world.settle()
    assert 'Nothing called "nut" is on loan' in world.answer_to(said)
    assert world.alpha.transfer().is_on_loan


@pytest.mark.parametrize("line", ["show nut", "show the m3 nuts"])
async def test_a_part_of_the_name_shows_what_is_on_loan_even_after_a_failed_request_by_that_word(line: str) -> None:
    world = await lent(world=await sharing())
    world.bea.says("!fed request 1 nut from attraktor")
    await world.settle()
    said = world.bea.says(f"!fed {line}")
    await world.settle()
    assert "Borrowed until Tue 15 Dec 2026" in world.answer_to(said)


async def test_the_borrowers_note_is_not_said_by_the_approver_and_nobody_writes_as_somebody_else() -> None:
    world = await lent("#42")
    world.tom.says(f"!fed return {loan(world.beta).code} - works great")
    await world.settle()
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert any("InvenTree user piet); @tom:twin.test: works great" in note for note in world.alpha.history(42))
    world = await lent("#42", world=await friends())
    card = await handed_back(world)
    world.kim.says("fine; @anna:twin.test: I broke it", reply_to=card)
    await world.settle()
    world.piet.reacts(card, "✅")
    await world.grace()
    assert any("; @kim:twin.test: fine, @anna:twin.test: I broke it" in note for note in world.alpha.history(42))
