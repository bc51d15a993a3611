"""The open quantity of a loan is the same everywhere, and so is the card to act on."""

from __future__ import annotations

from datetime import timedelta

from fedbot_demo.inventree.faults import FaultKind
from tests.dialogue.test_lending import back, handed_back, lent, loan
from tests.fakes.people import Message
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, sharing, told

NUTS = "M3 nut"


async def partly_back(words: str = "return 4") -> World:
    """Four of ten nuts on loan are returned."""
    world = await lent("M3-NUT 10", "until 15.12.")
    world.piet.reacts(await handed_back(world, words), "✅")
    await world.grace()
    return world


async def asked(world: World, line: str) -> str:
    """The answer to Anna's line."""
    return await world.answer(world.anna, line)


def cards_text(world: World) -> str:
    """The loan's card as it reads now."""
    return next(m.text for m in world.room.messages() if m.event_id == loan(world.beta).card_event)


async def test_the_card_of_a_partly_returned_loan_names_the_open_quantity() -> None:
    world = await partly_back()
    first, second = cards_text(world).splitlines()[:2]
    assert "6 × M3 nut (M3-NUT) is on loan from Attraktor to Betaspace until Tue 15 Dec 2026" in first
    assert second == "Lent at first: 10 × M3 nut (M3-NUT); the rest is not on loan any more."
    assert_books_balance(world)


async def test_a_gift_or_a_loss_of_the_rest_names_only_the_rest() -> None:
    for verb, words in (("gift", "A gift since"), ("lost", "Lost: 6 × M3 nut")):
        world = await partly_back()
        line = world.piet.says(f"!fed {verb} {loan(world.alpha).code}")
        await world.settle()
        assert words in (answer := world.answer_to(line))
        assert "6 × M3 nut (M3-NUT)" in answer.splitlines()[0]
        first, second = cards_text(world).splitlines()[:2]
        assert words in first
        assert "6 × M3 nut" in first
        assert second == "Lent at first: 10 × M3 nut (M3-NUT); the rest is back."
        over = await asked(world, f"!fed {verb} {loan(world.alpha).code}")
        assert ("counts as lost" if verb == "lost" else "has already ended") in over
        assert "6 × M3 nut (M3-NUT)" in over
        if verb == "lost":
            (left_over,) = told(world.beta_admins, "still in our stock")
            assert "6 × M3 nut (M3-NUT)" in left_over.text


async def test_todo_history_show_and_the_preview_of_a_disconnection_name_the_open_quantity() -> None:
    world = await partly_back()
    todo = await asked(world, "!fed todo")
    assert "6 × M3 nut to Betaspace, offered by Anna" in todo
    there = world.bea.says("!fed todo")
    await world.settle()
    assert "6 × M3 nut from Attraktor, offered by Anna" in world.answer_to(there)
    assert "Lent; once it is back, type !fed return ID:" in todo
    code = loan(world.alpha).code
    assert "Still out: 6 × M3 nut" in await asked(world, f"!fed show {code}")
    told = await asked(world, "!fed history")
    assert "10 × M3 nut to Betaspace" in told
    assert "Still out: 6 × M3 nut" in told
    assert "6 × M3 nut, offered by Anna" in await asked(world, "!fed disconnect betaspace")


async def test_a_return_does_not_read_like_a_gift_in_the_history() -> None:
    world = await partly_back()
    assert "4 × M3 nut back from Betaspace, asked by Bea" in await asked(world, "!fed history")
    line = world.bea.says("!fed history")
    await world.settle()
    answers = [m.text for m in world.room.answers(line) if m.sender == world.beta.chat.user_id]
    assert any("4 × M3 nut back to Attraktor, asked by Bea" in text for text in answers)
    assert back(world.alpha).terms.lines[0].quantity == 4


async def test_the_figures_count_only_the_open_quantity_as_lent() -> None:
    world = await partly_back()
    assert "on loan now: 1 item (6 pieces) lent" in await stats(world)
    world.piet.reacts(await handed_back(world, "return"), "✅")
    await world.grace()
    assert "on loan now" not in await stats(world)


async def stats(world: World) -> str:
    """Our own figures."""
    said = world.anna.says("!fed stats attraktor", room=world.alpha_admins.id)
    await world.settle()
    await world.passes(timedelta(minutes=3))
    return world.alpha_admins.answers(said)[-1].text


async def test_after_a_smaller_grant_todo_and_show_link_the_card_for_the_requester() -> None:
    world = await sharing()
    world.bea.says("!fed request 20 RES-10K from attraktor")
    await world.settle()
    card = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1]
    world.piet.says("!fed approve 5", reply_to=card)
    await world.grace()
    ours = world.card()
    assert "can give Betaspace less than asked" in ours.text
    for line in ("!fed todo", f"!fed show {world.beta.transfer().code}", "!fed history"):
        said = world.bea.says(line)
        await world.settle()
        answer = answer_of_beta(world, said)
        assert ours.event_id in answer.html, line
        assert card.event_id not in answer.html, line


def answer_of_beta(world: World, line: str) -> Message:
    """The answer of betaspace's bot."""
    return next(m for m in world.room.answers(line) if m.sender == world.beta.chat.user_id)


async def test_a_whole_item_that_was_counted_up_since_is_named_by_the_row_that_went() -> None:
    world = await friends()
    row = world.alpha.item("M3-NUT")
    world.anna.says(f"!fed push #{row.pk} all to betaspace")
    await world.settle()
    if not world.alpha.turn.transfers():
        world.anna.says(f"!fed push #{row.pk} {row.quantity:f} to betaspace")
        await world.settle()
    assert world.alpha.transfer().terms.lines[0].whole
    with world.alpha.by_hand():
        world.alpha.admin("POST", "stock/count/", items=[{"pk": row.pk, "quantity": float(row.quantity + 50)}])
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    given = world.alpha.transfer().at(1).item
    assert given != row.pk
    assert f"At Attraktor: stock #{given}, split off from #{row.pk}" in world.card().text


async def test_an_edit_of_the_card_is_no_card() -> None:
    world = await partly_back()
    card = loan(world.beta).own_card
    assert card in {message.event_id for message in world.room.messages()}
    assert next(m for m in world.room.messages() if m.event_id == card).is_edited


async def test_a_refusal_names_what_is_out_and_who_has_said_that_the_rest_is_back() -> None:
    world = await partly_back("return 2")
    code = loan(world.alpha).code
    await handed_back(world, "return 3")
    for line in (f"gift {code}", f"lost {code}"):
        refusal = await asked(world, f"!fed {line}")
        assert f"Not done: 8 × M3 nut ({code}) is on its way back already." in refusal
        assert "If it is here, tap ✅ or 🔧 on its card" in refusal


async def test_a_return_that_the_lender_has_started_is_told_to_the_borrower_as_decided() -> None:
    world = await lent("M3-NUT 10", "until 15.12.")
    code = loan(world.alpha).code
    world.beta.fails(FaultKind.REFUSED, "POST", times=None)  # so it stays in their books
    await asked(world, f"!fed return {code}")
    answer = await world.answer(world.bea, f"!fed return {code}")
    assert f"Not done: 10 × M3 nut ({code}) is on its way back already." in answer
    assert "Anna (Attraktor) has confirmed that it is there." in answer
    assert "The bot of Betaspace books it out, then Attraktor has it in stock. You don't need to do anything." in answer
    assert "cancel" not in answer
    own = await asked(world, f"!fed return {code}")
    assert "Anna (Attraktor) has confirmed that it is there." in own
    assert "tap" not in own
