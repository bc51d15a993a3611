"""The reason for declining reaches the person who asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.rules.model.catalogue import Want
from fedbot.rules.model.lifecycles import TransferState
from tests.dialogue.test_lending import back, lent, owners_card
from tests.scenarios.world import World, a_world, friends, sharing, told


async def test_the_reason_for_declining_an_offer_reaches_who_offered_it() -> None:
    world = await friends()
    await world.push()
    world.cem.says(f'!fed decline {world.beta.transfer().code} --note "no room until Saturday"')
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DECLINED
    assert world.alpha.transfer().decided is not None
    (end,) = [m for m in told(world.room, "no room until Saturday") if m.sender == world.alpha.chat.user_id]
    assert world.anna.user_id in end.mentions


async def test_the_reason_for_declining_a_request_is_in_the_message_that_mentions_the_requester() -> None:
    world = await sharing()
    world.dilek.says("!fed request 5 M3-NUT from attraktor")
    await world.settle()
    card = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1]
    world.piet.says('!fed decline --note "in use on Saturday"', reply_to=card)
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DECLINED
    heard = [m for m in told(world.room, "in use on Saturday") if world.dilek.user_id in m.mentions]
    assert len(heard) == 1


@pytest.mark.parametrize("order", ["before the tap", "in the grace"])
async def test_a_plain_reply_to_the_card_is_the_reason_of_its_author_who_then_declines(order: str) -> None:
    world = await friends()
    card = await world.push()
    if order == "in the grace":
        world.cem.reacts(card, "❌")
        await world.settle()
    world.bea.says("I would take them", reply_to=card)
    world.cem.says("no room until Saturday, sorry", reply_to=card)
    await world.settle()
    (told_once,) = [m for m in told(world.room, "gets that as your reason") if "Cem" in m.text]
    assert told_once.thread == card.event_id
    if order == "before the tap":
        world.cem.reacts(card, "❌")
    await world.grace()
    await world.passes(timedelta(minutes=1))
    end = world.room.message("Declined")
    assert "no room until Saturday, sorry" in end.text
    assert "I would take them" not in end.text
    assert end.mentions[:1] == (world.anna.user_id,)


async def test_somebody_elses_reply_is_no_reason_and_is_not_stored() -> None:
    world = await friends()
    card = await world.push()
    world.anna.says("It is from Attraktor", reply_to=card)
    world.cem.says("Just talk")
    await world.settle()
    world.cem.reacts(card, "❌")
    await world.grace()
    assert "Why:" not in world.card().text
    assert not told(world.room, "gets that as your reason")


@pytest.mark.parametrize("how", ["as a reply", "with the id"])
async def test_the_words_after_decline_are_the_reason(how: str) -> None:
    world = await friends()
    card = await world.push()
    code = world.beta.transfer().code
    if how == "as a reply":
        world.cem.says("!fed decline thanks, we have enough", reply_to=card)
    else:
        world.cem.says(f"!fed decline {code} – thanks, we have enough")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DECLINED
    assert '"thanks, we have enough"' in world.room.message("@Anna @Cem ❌").text


@pytest.mark.parametrize("words", ["extend 2 weeks", "return"])
async def test_the_reason_for_refusing_more_time_or_a_return_reaches_who_asked(words: str) -> None:
    world = await lent()
    world.bea.says(f"!fed {words}", reply_to=world.card().event_id)
    await world.settle()
    card = owners_card(world)
    if words == "return":
        world.piet.says(f"!fed decline {back(world.alpha).code} still at your place, I guess")
    else:
        world.piet.says("still at your place, I guess", reply_to=card)
        world.piet.reacts(card, "❌")
    await world.grace()
    heard = [m for m in told(world.room, '"still at your place, I guess"') if world.bea.user_id in m.mentions]
    assert len(heard) == 1
    assert 'Why: "still at your place, I guess"' in owners_card(world).text


# --- a note after a dash, with every verb that acts on something shared ---


async def test_a_note_with_an_approval_is_on_the_card_and_reaches_the_other_side() -> None:
    world = await friends()
    await world.push()
    world.cem.says(f"!fed approve {world.beta.transfer().code} - thanks, for the robot club")
    await world.grace()
    await world.passes(timedelta(minutes=1))
    for space in world.spaces:
        assert space.transfer().decided is not None
        assert space.transfer().decided.note == "thanks, for the robot club"  # type: ignore[union-attr]
    assert "thanks, for the robot club" in world.card().text


async def test_the_reason_for_taking_something_back_is_on_the_card() -> None:
    world = await friends()
    await world.push()
    world.anna.says(f"!fed cancel {world.beta.transfer().code} – we need them ourselves")
    await world.settle()
    assert world.beta.transfer().state is TransferState.CANCELLED
    assert 'Why: "we need them ourselves"' in world.card().text


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("gift ID - thanks for your help", "thanks for your help"),
        ("gift ID, thanks for your help", "thanks for your help"),
        ("gift M3-NUT, thanks, Tom", "thanks, Tom"),
        ("lost ID, it fell into the lake", "it fell into the lake"),
        ("lost ID M3-NUT - it fell into the lake", "it fell into the lake"),
        ('lost --note "it fell into the lake"', "it fell into the lake"),
        ("extend ID 2 weeks - the fair is later", "the fair is later"),
        ("extend ID until 31.12. — the fair is later", "the fair is later"),
    ],
)
async def test_the_lenders_reason_is_in_the_message_that_both_sides_read(line: str, note: str) -> None:
    world = await lent()
    loan = world.alpha.transfer()
    said = world.anna.says(f"!fed {line.replace('ID', loan.code)}", reply_to=owners_card_of(world))
    await world.settle()
    assert f'Why: "{note}"' in world.answer_to(said), world.room.transcript()
    after = world.beta.turn.transfer(loan.id)
    assert after is not None
    assert after.closed is None or after.closed.by.note == note


@pytest.mark.parametrize(
    ("line", "quantity"),
    [
        ("return ID, one is bent", 10),
        ("return ID 5, one is bent", 5),
        ("return 5 M3-NUT, one is bent", 5),
        ("return M3-NUT, one is bent", 10),
    ],
)
async def test_what_the_borrower_says_behind_a_comma_is_on_the_lenders_card(line: str, quantity: int) -> None:
    world = await lent()
    world.bea.says(f"!fed {line.replace('ID', world.beta.transfer().code)}")
    await world.settle()
    returned = world.beta.turn.open_transfers()[-1]
    assert [int(each.quantity) for each in returned.terms.lines] == [quantity], world.room.transcript()
    card = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1]
    assert '"one is bent"' in card.text


async def test_the_borrowers_reason_for_an_extension_is_on_the_lenders_card() -> None:
    world = await lent()
    world.bea.says(f"!fed extend {world.beta.transfer().code} 2 weeks - the fair is later")
    await world.settle()
    card = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1]
    assert '"the fair is later"' in card.text


async def test_a_note_with_a_settlement_reaches_the_other_side() -> None:
    world = await friends()
    world.cem.reacts(await world.push(), "📦")
    await world.grace()
    world.bea.says(f"!fed missing {world.beta.transfer().code}")
    await world.settle()
    world.anna.says(f"!fed resolve {world.alpha.transfer().code} --as lost - the post says so")
    await world.passes(timedelta(minutes=5))
    assert world.alpha.transfer().settled is not None
    assert 'Why: "the post says so"' in world.card().text


async def test_the_reason_for_ending_a_friendship_is_in_both_messages() -> None:
    world = await friends()
    world.anna.says("!fed disconnect betaspace --sure - we close at the end of the year")
    await world.settle()
    assert len(told(world.room, 'Why: "we close at the end of the year"')) == 2


async def test_a_note_with_a_decision_on_a_friendship_is_refused_with_the_line_to_type() -> None:
    world = await a_world()
    await world.asks_to_connect()
    code = world.beta.turn.connections()[0].code
    answer = await world.answer(world.bea, f"!fed approve {code} - welcome", reply_to=world.card())
    assert "To approve without a note" in answer
    assert "To decline without a note" in await world.answer(
        world.bea, f"!fed decline {code} - no", reply_to=world.card()
    )


async def test_words_and_a_note_after_a_dash_are_one_reason_for_declining() -> None:
    world = await friends()
    card = await world.push()
    world.cem.says("!fed decline no room - sorry", reply_to=card)
    await world.grace()
    assert 'Why: "no room – sorry"' in world.card().text


def owners_card_of(world: World) -> str:
    """The message of attraktor's bot with the loan."""
    return next(m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.envelope).event_id


async def test_a_note_with_a_smaller_grant_is_on_the_requesters_card() -> None:
    world = await sharing()
    world.bea.says("!fed request 50 M3-NUT from attraktor")
    await world.settle()
    world.piet.says(f"!fed approve {world.alpha.transfer().code} 20 - the rest is reserved")
    await world.grace()
    assert ': "the rest is reserved"' in world.room.message("less than asked").text


# --- a note where nobody would read it ---


@pytest.mark.parametrize("note", [" – for the summer camp", ' --note "for the summer camp"', " --note=camp"])
@pytest.mark.parametrize(
    "line",
    [
        "wait LENS-2 from betaspace",
        "connect betaspace",
        "match LENS-2 LENS-B from betaspace",
        "here k7m2 #42",
        "rotate betaspace",
    ],
)
async def test_a_note_that_nobody_would_read_is_refused_and_the_line_is_kept(line: str, note: str) -> None:
    world = await sharing()
    said = world.anna.says(f"!fed {line}{note}")
    await world.settle()
    answer = world.answer_to(said)
    assert "nobody would read your note" in answer
    assert answer.endswith(f"!fed {line}")


async def test_share_says_so_too() -> None:
    world = await sharing()
    said = world.anna.says('!fed share RES-10K --note "a whole reel"')
    await world.settle()
    assert "nobody would read your note" in world.answer_to(said)


@pytest.mark.parametrize("line", ["want 7 GOLD – for the camp", 'want 7 GOLD until 31.12. --note "for the camp"'])
async def test_the_note_of_a_want_is_read_by_the_friends(line: str) -> None:
    world = await friends()
    note = "for the camp"
    said = world.cem.says(f"!fed {line}")
    await world.settle()
    assert f'Note: "{note}"' in world.answer_to(said)
    listed = world.anna.says("!fed want")
    await world.settle()
    assert "7 × GOLD, until" in world.answer_to(listed)
    assert f'Note: "{note}"' in world.answer_to(listed)
    gold = {"name": "Gold leaf", "IPN": "GOLD", "description": "x", "category": 1, "salable": True}
    world.alpha.admin("POST", "stock/", part=world.alpha.admin("POST", "part/", **gold)["pk"], quantity=9)
    world.anna.says("!fed share GOLD")
    await world.settle()
    assert f'Note: "{note}"' in world.room.message("wants 7 × GOLD").text


async def test_a_name_with_a_dash_in_quotes_is_no_note() -> None:
    world = await sharing()
    said = world.cem.says('!fed want 7 "PLA - black"')
    await world.settle()
    assert "Wanted: 7 × PLA - black" in world.answer_to(said)
    assert "Note" not in world.answer_to(said)


async def test_who_cancels_a_want_with_a_reason_is_told_that_nobody_reads_it() -> None:
    world = await sharing()
    world.cem.says("!fed want 7 GOLD")
    await world.settle()
    (want,) = world.beta.turn.all(Want)
    said = world.cem.says(f"!fed cancel {want.code} – we found some")
    await world.settle()
    assert "isn't wanted any more" in world.answer_to(said)
    assert "please write them the reason yourself" in world.answer_to(said)
