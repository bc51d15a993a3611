"""The text of a friend's message can say anything, so a reply to it decides and moves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fedbot.ports.chat import Delivery
from fedbot.rules.model.lifecycles import TransferState
from tests.dialogue.test_lending import lent
from tests.scenarios.space import Space
from tests.scenarios.world import World, sharing

OPEN, DONE = TransferState.OPEN, TransferState.DONE
LURE = "Minutes of yesterday's meeting are ready. Reply with the line that I told you."


def lures(liar: Space) -> None:
    """Everything that the liar's bot posts reads like this from now on; its envelopes stay valid."""
    honest = liar.chat.send

    async def send(delivery: Delivery) -> str:
        if "body" not in delivery.content:
            return await honest(delivery)
        return await honest(replace(delivery, content={**delivery.content, "body": LURE}))

    liar.chat.send = send  # type: ignore[method-assign]


def bait(world: World) -> str:
    """The liar's newest message with an envelope."""
    return [m for m in world.room.messages() if m.text == LURE and m.envelope][-1].event_id


async def asked_with_a_lure() -> World:
    """Betaspace requests 300 nuts from Attraktor; the text that people read says something else."""
    world = await sharing()
    lures(world.beta)
    world.bea.says("!fed request M3-NUT 300 from attraktor")
    await world.settle()
    return world


@pytest.mark.parametrize("line", ["approve", "decline", "approve 20", "approve --parcel", "APPROVE", "cancel"])
async def test_a_decision_in_reply_to_a_friends_message_does_not_count(line: str) -> None:
    world = await asked_with_a_lure()
    said = world.piet.says(f"!fed {line}", reply_to=bait(world))
    await world.grace()
    assert world.alpha.transfer().state is OPEN
    assert world.alpha.given("M3-NUT") == 0
    verb, _, rest = line.partition(" ")
    meant = f"!fed {verb} {world.alpha.transfer().code} {rest}".strip()
    assert meant in world.answer_to(said)
    assert "300 × M3" in world.answer_to(said)


async def test_a_decision_in_the_thread_of_a_friends_message_does_not_count() -> None:
    world = await asked_with_a_lure()
    world.piet.says("!fed approve", thread=bait(world))
    await world.grace()
    assert world.alpha.transfer().state is OPEN
    assert world.alpha.given("M3-NUT") == 0


async def test_a_decision_in_reply_to_a_friends_message_in_the_thread_of_our_card_does_not_count() -> None:
    world = await asked_with_a_lure()
    card = world.alpha.transfer().card_event
    world.piet.says("!fed approve", thread=card, reply_to=bait(world))
    await world.grace()
    assert world.alpha.transfer().state is OPEN


async def test_a_decision_with_its_code_counts_whatever_it_replies_to() -> None:
    world = await asked_with_a_lure()
    world.piet.says(f"!fed approve {world.alpha.transfer().code}", reply_to=bait(world))
    await world.grace()
    assert world.alpha.transfer().state is DONE


async def test_a_decision_in_reply_to_our_own_card_counts() -> None:
    world = await asked_with_a_lure()
    world.piet.says("!fed approve", reply_to=world.alpha.transfer().card_event)
    await world.grace()
    assert world.alpha.transfer().state is DONE


async def test_a_decision_in_reply_to_another_message_of_our_own_bot_does_not_count() -> None:
    """Only the card shows everything that is decided."""
    world = await asked_with_a_lure()
    world.piet.says("!fed approve 20", reply_to=world.alpha.transfer().card_event)
    await world.settle()
    noted = world.room.message("Noted: 20")
    world.piet.says("!fed cancel", reply_to=noted.event_id)
    await world.settle()
    world.piet.says("!fed approve", reply_to=noted.event_id)
    await world.grace()
    assert world.alpha.transfer().state is OPEN


@pytest.mark.parametrize("line", ["lost", "gift", "extend 2 weeks", "return", "resolve", "missing"])
async def test_a_loan_is_not_ended_or_changed_in_reply_to_a_friends_message(line: str) -> None:
    world = await lent("M3-NUT 10")
    loan = world.alpha.transfer()
    lures(world.beta)
    world.bea.says("!fed extend 2 weeks", reply_to=world.card().event_id)
    await world.settle()
    await world.passes(world.alpha.us.resend_after[0])
    asked = world.alpha.turn.transfer(world.beta.transfer().id)
    heard = [m.event_id for m in world.room.messages() if m.text == LURE]
    assert heard
    assert asked is not None
    for event_id in {*loan.peer_events, *asked.peer_events, asked.asked.event_id, *heard}:
        world.piet.says(f"!fed {line}", reply_to=event_id)
    await world.grace()
    after = world.alpha.turn.transfer(loan.id)
    assert after is not None
    assert (after.closed, after.due_day, after.state) == (None, loan.due_day, loan.state)
    assert world.alpha.given("M3-NUT") == 10


async def test_a_line_that_only_reads_may_reply_to_any_message() -> None:
    world = await asked_with_a_lure()
    said = world.piet.says("!fed show", reply_to=bait(world))
    await world.settle()
    assert "300 × M3" in world.answer_to(said)


@pytest.mark.parametrize("line", ["approve {code}", "approve {code} 20", "approve {code} --parcel", "approve"])
async def test_an_approval_typed_before_our_card_is_posted_does_not_count(line: str) -> None:
    world = await sharing()
    lures(world.beta)
    world.alpha.is_asleep = True
    world.bea.says("!fed request M3-NUT 300 from attraktor")
    await world.settle()
    said = world.piet.says(f"!fed {line.format(code=world.beta.transfer().code)}")
    world.alpha.is_asleep = False
    await world.settle()
    await world.grace()
    assert world.alpha.transfer().state is OPEN
    assert world.alpha.given("M3-NUT") == 0
    if "{code}" in line:
        assert "my card for" in world.answer_to(said)
    (card,) = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions]
    world.piet.reacts(card, "✅")
    await world.grace()
    assert world.alpha.given("M3-NUT") == 300


async def test_an_approval_typed_before_our_card_and_read_after_it_does_not_count() -> None:
    world = await asked_with_a_lure()
    line = f"!fed approve {world.alpha.transfer().code}"
    world.server.behind = timedelta(minutes=1)  # a homeserver that delivers it late
    late = world.piet.says(line)
    world.server.behind = timedelta()
    await world.grace()
    assert "my card for" in world.answer_to(late)
    assert world.alpha.given("M3-NUT") == 0
    world.piet.says(line)
    await world.grace()
    assert world.alpha.given("M3-NUT") == 300
