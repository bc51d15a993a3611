"""A loan of several items, which are returned, given away or lost one by one; it is over with the last of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fedbot.rules.loan import balance
from fedbot.rules.model.lifecycles import Ending, TransferState
from tests.dialogue.test_lending import back, handed_back, lent, loan, owners_card
from tests.dialogue.test_recovery import RESENDS, is_rebuilt, side
from tests.fakes.people import Message, Person
from tests.scenarios.books import assert_books_balance
from tests.scenarios.forging import lie
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, nothing, protocol_messages, sharing

THINGS = "#42; RES-10K 20; M3-NUT 10"
LENS, RESISTORS, NUTS = 1, 2, 3
DONE, DECLINED = TransferState.DONE, TransferState.DECLINED


async def lent_several() -> World:
    world = await lent(THINGS)
    assert [line.number for line in loan(world.alpha).terms.lines] == [LENS, RESISTORS, NUTS]
    return world


def out(space: Space) -> dict[int, Decimal]:
    return balance.still_out(space.turn, loan(space))


async def said(world: World, person: Person, words: str) -> str:
    """The answer to a line about the loan."""
    verb, _, rest = words.partition(" ")
    return await world.answer(person, f"!fed {verb} {loan(world.alpha).code} {rest}")


async def back_home(world: World, words: str) -> Message:
    """Bea hands it back and Piet confirms; return the owner's card afterwards."""
    card = await handed_back(world, words)
    world.piet.reacts(card, "✅")
    await world.grace()
    return owners_card(world)


def endings(space: Space) -> tuple[Ending | None, list[Ending | None]]:
    """The end of the loan, and of each of its lines."""
    known = loan(space)
    return known.closed.how if known.closed else None, [known.ending_of(line.number) for line in known.terms.lines]


async def test_a_return_lists_the_open_items_and_a_number_picks_one() -> None:
    world = await lent_several()
    line = world.bea.says('!fed return --note "used once"', reply_to=world.card().event_id)
    await world.settle()
    (listed,) = world.room.answers(line)
    assert listed.text.splitlines()[1:5] == [
        "1) 1 × Laser lens 2.0″ ZnSe (LENS-2, serial 0042)",
        "2) 20 × Resistor 10 kΩ (RES-10K, batch LOT-42)",
        "3) 10 × M3 nut (M3-NUT)",
        "4) all of it",
    ]
    assert f"!fed return {loan(world.beta).code} 1; 2" in listed.text
    world.bea.says("2", reply_to=listed.event_id)
    await world.settle()
    assert [each.of_line for each in back(world.beta).terms.lines] == [RESISTORS]
    assert back(world.beta).terms.note == "used once"
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert [out(space) for space in world.spaces] == [{LENS: 1, NUTS: 10}] * 2
    assert_books_balance(world)
    line = world.bea.says("!fed return", reply_to=world.card().event_id)
    await world.settle()
    (listed,) = world.room.answers(line)
    assert "Resistor" not in listed.text, "it is back"
    world.bea.says("4", reply_to=listed.event_id)
    await world.settle()
    assert {each.of_line for each in back(world.beta).terms.lines} == {LENS, NUTS}
    assert "Are they here, and in good condition?" in owners_card(world).text
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert endings(world.alpha) == endings(world.beta) == (Ending.RETURNED, [Ending.RETURNED] * 3)
    assert "are back at Attraktor" in world.room.messages(sender=world.beta.chat.user_id)[-1].text
    assert_books_balance(world)


async def test_the_owners_line_gets_the_list_too_and_keeps_the_stated_condition() -> None:
    world = await lent_several()
    line = world.anna.says(f"!fed return {loan(world.alpha).code} --damaged")
    await world.settle()
    (listed,) = world.room.answers(line)
    world.anna.says("1", reply_to=listed.event_id)
    await world.settle()
    assert back(world.alpha).state is DONE
    assert (world.alpha.row(42).customer, world.alpha.row(42).status) == (None, 55)
    assert loan(world.alpha).is_on_loan
    assert_books_balance(world)


@pytest.mark.parametrize(
    ("words", "goes"),
    [
        ("LENS-2", {LENS: 1}),
        ("lens-2#0042", {LENS: 1}),
        ("#42", {LENS: 1}),
        ('"Laser lens 2.0″ ZnSe"', {LENS: 1}),
        ("1; 3", {LENS: 1, NUTS: 10}),
        ("1 + M3-NUT 4", {LENS: 1, NUTS: 4}),
        ("5 RES-10K", {RESISTORS: 5}),
        ("RES-10K 5", {RESISTORS: 5}),
        ("2 5", {RESISTORS: 5}),
        ("3 × M3-NUT; 2 x M3-NUT", {NUTS: 5}),
        ("all", {LENS: 1, RESISTORS: 20, NUTS: 10}),
    ],
)
async def test_an_item_is_named_by_number_ipn_name_or_serial_with_or_without_a_quantity(
    words: str, goes: dict[int, int]
) -> None:
    world = await lent_several()
    await handed_back(world, f"return {words}")
    assert {line.of_line: line.quantity for line in back(world.beta).terms.lines} == goes
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    everything = {LENS: 1, RESISTORS: 20, NUTS: 10}
    left = {number: everything[number] - goes.get(number, 0) for number in everything}
    assert [out(space) for space in world.spaces] == [{n: q for n, q in left.items() if q}] * 2
    assert_books_balance(world)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("5", ' is called "5". Its items:'),
        ("LENS-3", "3) 10 × M3 nut (M3-NUT)"),
        ("RES-10K 21", "only 20 of Resistor 10 kΩ can go back, not 21"),
        ("RES-10K 15; 2 6", "only 20 of Resistor 10 kΩ can go back, not 21"),
        ("RES-10K 0", "0"),
        ("RES-10K 1.000", "1.000"),
        ("1; 1", "only 1 of Laser lens 2.0″ ZnSe can go back, not 2"),
        ("all; 1", ' is called "all"'),
        ("99999999999999999999999999", "Its items:"),
    ],
)
async def test_a_line_that_matches_no_item_moves_nothing(words: str, answer: str) -> None:
    world = await lent_several()
    assert answer in await said(world, world.bea, f"return {words}")
    assert [t.terms.kind for t in world.beta.turn.transfers()] == ["push"]


async def test_an_item_on_its_way_back_can_not_be_returned_again_but_the_others_can() -> None:
    world = await lent_several()
    await handed_back(world, "return 2")
    assert "on its way back already" in await said(world, world.bea, "return 2")
    assert "on its way back already" in await said(world, world.bea, "return all")
    assert "on its way back already" in await said(world, world.bea, "return")
    assert "on its way back already" in await said(world, world.anna, "lost 2")
    first = owners_card(world)
    await handed_back(world, "return 1")
    for card in (owners_card(world), first):
        world.piet.reacts(card, "✅")
        await world.grace()
    assert [out(space) for space in world.spaces] == [{NUTS: 10}] * 2
    assert_books_balance(world)


async def test_several_items_of_one_name_are_told_apart_in_a_partial_return() -> None:
    world = await sharing()
    world.bea.says("!fed request 150 M3-BOLT from attraktor for 3 weeks")
    await world.settle()
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    code = loan(world.beta).code
    line = world.bea.says(f"!fed return {code} M3-BOLT 130")
    await world.settle()
    assert "I have done nothing yet.\n1) 120 × M3 bolt (M3-BOLT)\n2) 30 × M3 bolt (M3-BOLT" in world.answer_to(line)
    world.bea.says(f"!fed return {code} M3-BOLT")
    await world.settle()
    assert [line.quantity for line in back(world.beta).terms.lines] == [120, 30]
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert loan(world.beta).closed is not None
    assert_books_balance(world)


async def test_a_missing_part_of_a_return_stays_on_loan_with_the_rest() -> None:
    world = await lent_several()
    world.piet.reacts(await handed_back(world, "return 1; 3"), "❌")
    await world.grace()
    assert [back(space).state for space in world.spaces] == [DECLINED, DECLINED]
    assert "stay on loan to Betaspace" in world.room.message("Not here").text
    assert len(out(world.beta)) == 3
    assert_books_balance(world)


async def test_the_loan_is_over_when_its_items_are_a_gift_lost_and_returned() -> None:
    world = await lent_several()
    gift = await said(world, world.anna, "gift RES-10K")
    assert "A gift to Betaspace: 20 × Resistor 10 kΩ, says Anna (Attraktor)" in gift
    assert "The rest is still on loan" in gift
    assert [out(space) for space in world.spaces] == [{LENS: 1, NUTS: 10}] * 2
    items = [loan(world.beta).at(number).item or 0 for number in (LENS, RESISTORS)]
    assert [world.beta.metadata("stockitem", item).get("loan") for item in items] == [None, "gift"]
    assert "A gift to Betaspace: 20 × Resistor 10 kΩ" in world.card().text
    assert "isn't on loan any more" in await said(world, world.bea, "return 2")
    lost = await said(world, world.anna, "lost 1")
    assert "Lost: 1 × Laser lens" in lost
    assert world.alpha.row(42).status == 70
    assert [out(space) for space in world.spaces] == [{NUTS: 10}] * 2
    assert f"!fed resolve {loan(world.beta).code}" in world.beta_admins.message("Lost, says Attraktor").text
    await back_home(world, "return")
    assert endings(world.alpha) == endings(world.beta) == (Ending.LOST, [Ending.LOST, Ending.GIFT, Ending.RETURNED])
    card = world.card().text
    assert card.startswith("✅ Over since")
    assert "A gift to Betaspace: 20 × Resistor 10 kΩ" in card
    assert "Lost: 1 × Laser lens" in card
    assert_books_balance(world)


async def test_a_return_typed_while_an_item_becomes_a_gift_is_of_the_others() -> None:
    world = await lent_several()
    code = loan(world.alpha).code
    world.piet.says(f"!fed gift {code} 2")
    line = world.anna.says(f"!fed return {code} all")
    await world.grace()
    assert "back" in world.answer_to(line)
    assert endings(world.alpha) == endings(world.beta) == (Ending.GIFT, [Ending.RETURNED, Ending.GIFT, Ending.RETURNED])
    assert not world.alpha.bot.quarantined()
    assert_books_balance(world)


async def test_the_last_end_closes_the_loan_and_both_sides_agree_on_it() -> None:
    world = await lent_several()
    await said(world, world.anna, "lost 1")
    await said(world, world.anna, "gift 2; 3")
    assert endings(world.alpha) == endings(world.beta) == (Ending.LOST, [Ending.LOST, Ending.GIFT, Ending.GIFT])
    assert_books_balance(world)


async def test_all_remaining_items_become_a_gift_without_a_name() -> None:
    world = await lent_several()
    await back_home(world, "return 1")
    assert "Over since" in await said(world, world.anna, "gift")
    assert endings(world.alpha) == endings(world.beta) == (Ending.GIFT, [Ending.RETURNED, Ending.GIFT, Ending.GIFT])
    line = world.anna.says("!fed stats")
    await world.settle()
    assert "given: 2 items (30 pieces)" in world.room.answers(line)[-1].text
    assert "on loan now" not in world.room.answers(line)[-1].text, "one is back, two are gifts"
    assert_books_balance(world)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("gift RES-10K 5", "of each item, you can only give away or write off all that is still on loan"),
        ("lost nothing", ' is called "nothing"'),
        ("gift 7", ' is called "7"'),
    ],
)
async def test_only_whole_open_items_of_the_loan_can_end(words: str, answer: str) -> None:
    world = await lent_several()
    assert answer in await said(world, world.anna, words)
    assert loan(world.alpha).line_ends == ()


async def test_a_return_that_crosses_with_the_owners_end_of_a_line_is_refused() -> None:
    world = await lent_several()
    code = loan(world.alpha).code
    world.server.loses = protocol_messages
    world.anna.says(f"!fed gift {code} 2")
    world.bea.says(f"!fed return {code} 2; 3")
    await world.settle()
    world.server.loses = nothing
    await world.passes(RESENDS)
    assert back(world.beta).state is DECLINED
    assert [out(space) for space in world.spaces] == [{LENS: 1, NUTS: 10}] * 2
    assert_books_balance(world)


async def test_a_late_or_repeated_message_about_a_line_ends_it_once_by_the_owners_version() -> None:
    world = await lent_several()
    code = loan(world.alpha).code
    world.server.loses = lambda user, event: user == world.beta.chat.user_id and protocol_messages(user, event)
    world.anna.says(f"!fed lost {code} 1")
    await world.settle()
    world.server.loses = nothing
    await back_home(world, "return 2; 3")
    await world.passes(RESENDS)
    assert endings(world.alpha) == endings(world.beta)
    assert loan(world.beta).left_over == (LENS,)
    assert_books_balance(world)


@pytest.mark.parametrize("told", [[], [77, "2", None, {}], "2", {"2": 2}])
async def test_a_message_that_names_no_line_of_the_loan_ends_nothing(
    told: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await lent_several()
    lie(monkeypatch, "closed", lines=told)
    world.anna.says(f"!fed gift {loan(world.alpha).code} 2")
    await world.settle()
    assert loan(world.beta).line_ends == ()
    assert loan(world.beta).is_on_loan
    assert world.beta.bot.engine.failures == 0


async def all_that_follows(world: World) -> None:
    await lent(THINGS, world=world)
    await said(world, world.anna, "gift 2")
    await back_home(world, "return 3")
    await said(world, world.anna, "lost 1")


@pytest.mark.parametrize("of", ["sender", "receiver"])
async def test_a_rebuilt_journal_has_the_end_of_each_item(of: str) -> None:
    world = await sharing()
    await all_that_follows(world)
    wanted = [endings(space) for space in world.spaces]
    await is_rebuilt(side(world, of))
    await world.passes(RESENDS)
    assert [endings(space) for space in world.spaces] == wanted
    assert_books_balance(world)


@pytest.mark.parametrize("moment", ["gift", "return", "lost"])
async def test_a_crash_of_both_bots_between_the_ends_changes_nothing(moment: str) -> None:
    world = await lent_several()
    world.alpha.before("POST", "stock/change_status" if moment != "return" else "stock/.*return", world.alpha.goes_down)
    if moment == "return":
        world.piet.reacts(await handed_back(world, "return 3"), "✅")
        await world.grace()
    else:
        await said(world, world.anna, f"{moment} 1")
    for space in world.spaces:
        space.comes_back()
        await space.restart()
    await world.passes(RESENDS)
    assert len(out(world.alpha)) == len(out(world.beta)) == 2
    assert_books_balance(world)


async def test_one_of_several_items_of_the_same_name_is_chosen_by_a_number() -> None:
    world = await lent("#41; #42")
    (first_line, *_) = world.card().text.splitlines()
    assert "2 × Laser lens 2.0″ ZnSe (serial 0041, 0042)" in first_line
    line = world.bea.says("!fed return one LENS-2")
    await world.settle()
    assert world.answer_to(line) == (
        f"Which item of {loan(world.beta).code}? I have done nothing yet.\n"
        "1) 1 × Laser lens 2.0″ ZnSe (LENS-2, serial 0041)\n"
        "2) 1 × Laser lens 2.0″ ZnSe (LENS-2, serial 0042)\n"
        "Reply with the number within 10 minutes."
    )
    world.bea.says("2")
    await world.settle()
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert list(out(world.alpha)) == [1], world.room.transcript()


async def test_the_number_of_one_of_two_boxes_keeps_the_quantity() -> None:
    world = await sharing()
    nut = world.alpha.item("M3-NUT")
    box = world.alpha.admin("POST", "stock/", part=nut.part, quantity=500)[0]["pk"]
    world.anna.says(f"!fed lend #{nut.pk} 10 + #{box} 20 to betaspace for 2 weeks")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    world.bea.says("!fed return M3-NUT 5")
    await world.settle()
    world.bea.says("2")
    await world.settle()
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert out(world.alpha) == {1: 10, 2: 15}, world.room.transcript()


async def test_a_return_of_several_items_names_their_parts_and_places_while_the_borrower_books_them_out() -> None:
    world = await lent_several()
    card = await handed_back(world, "return #42; M3-NUT")
    world.server.loses = protocol_messages
    world.piet.reacts(card, "✅")
    await world.grace()
    text = owners_card(world).text
    assert "approved by Piet" in text
    assert "Goes back to: " in text
    assert "of the part" not in text
    assert "which was here before" not in text


async def test_the_card_of_a_loan_shows_no_place_of_what_is_back() -> None:
    world = await lent_several()
    await back_home(world, "return M3-NUT")
    text = world.card().text
    assert "At Betaspace" in text
    assert "M3 nut" in text.splitlines()[1]  # it was lent at first
    assert "M3 nut" not in text.partition("At Betaspace")[2]
    assert text.count("At Betaspace") == 2


@pytest.mark.parametrize(("words", "remark"), [("return #42 broken", "broken"), ("return #42 kaputt!", "kaputt")])
async def test_the_borrowers_word_for_damage_is_a_remark_on_the_owners_card(words: str, remark: str) -> None:
    world = await lent(THINGS, world=await friends(beta={"language": "de"}))
    card = await handed_back(world, f"{words} – the rim")
    assert f': "{remark}, the rim"' in card.text
    assert out(world.alpha)[LENS] == 1


async def test_the_owners_word_for_damage_counts_for_one_item_only() -> None:
    world = await lent_several()
    answer = await said(world, world.anna, "return #42; M3-NUT broken")
    assert answer.startswith('Not done: you named several items, and I can\'t tell which are "broken".')
    await said(world, world.anna, "return #42 broken")
    await world.settle()
    assert back(world.alpha).damaged
    assert back(world.alpha).terms.lines[0].description.ipn == "LENS-2"


async def test_items_between_commas_and_an_and_are_listed_as_several() -> None:
    world = await friends()
    answer = await world.answer(world.anna, "!fed lend LENS-2#0042 and M3 nut to betaspace for 3 weeks – for a fair")
    assert answer.splitlines()[:2] == [
        'There is no item "LENS-2#0042 and M3 nut". Do you mean these 2?',
        "1) LENS-2#0042 + M3 nut",
    ]
    assert "Offered to Betaspace" in await world.answer(world.anna, "1")
    terms = world.alpha.transfer().terms
    assert [each.description.ipn for each in terms.lines] == ["LENS-2", "M3-NUT"]
    assert terms.note == "for a fair"


@pytest.mark.parametrize(
    "words", ["return M3-NUT and LENS-2", "return M3 nut, laser lens", "return ID LENS-2 & M3-NUT"]
)
async def test_items_of_a_loan_are_returned_together_by_commas_or_an_and(words: str) -> None:
    world = await lent_several()
    world.bea.says("!fed " + words.replace("ID", loan(world.beta).code))
    await world.settle()
    assert {each.description.ipn for each in back(world.alpha).terms.lines} == {"LENS-2", "M3-NUT"}


@pytest.mark.parametrize("words", ["10 of {code}", "all of {code}.", "M3-NUT 10 from {code}", "10 von {code}"])
async def test_items_may_be_named_before_the_id(words: str) -> None:
    world = await lent("M3-NUT 10")
    code = loan(world.alpha).code
    world.anna.says("!fed gift " + words.format(code=code))
    await world.settle()
    assert endings(world.alpha)[0] is Ending.GIFT


async def test_some_pieces_of_a_loan_are_returned_with_the_quantity_before_the_id() -> None:
    world = await lent("M3-NUT 10")
    card = await handed_back(world, f"return 4 of {loan(world.alpha).code}, the rest is in use")
    assert "4 × M3 nut" in card.text
    assert '"the rest is in use"' in card.text


async def test_a_part_of_a_loan_is_not_extended_and_the_line_for_all_of_it_is_named() -> None:
    world = await lent("M3-NUT 10")
    code, due = loan(world.alpha).code, loan(world.alpha).due_day
    for words in (f"4 of {code} for 2 weeks", f"{code} 4 for 2 weeks"):
        answer = await world.answer(world.anna, f"!fed extend {words} - the fair")
        assert f'To extend all of it: !fed extend {code} 2 weeks --note "the fair"' in answer
    assert loan(world.alpha).due_day == due
