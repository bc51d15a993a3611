"""The reason for declining reaches the person who asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.rules.model.lifecycles import TransferState
from tests.dialogue.test_lending import back, lent, owners_card
from tests.scenarios.world import friends, sharing, told


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
