"""The text of a friend's message can say anything, so a reply to it decides and moves nothing."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from fedbot.ports.chat import Delivery
from fedbot.rules.model.lifecycles import TransferState
from tests.dialogue.test_lending import lent
from tests.fakes.people import Message
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, sharing, step, told

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


def says_just_before_the_card(world: World, line: str) -> list[str]:
    """Piet says the line when the card is on its way, so that the room has it before the card."""
    said: list[str] = []
    send = world.alpha.chat.send

    async def after_the_line(delivery: Delivery) -> str:
        if not said and "300 × M3" in delivery.content.get("body", ""):
            said.append(world.piet.says(line.format(code=world.alpha.transfer().code)))
        return await send(delivery)

    world.alpha.chat.send = after_the_line  # type: ignore[method-assign]
    return said


@pytest.mark.parametrize("bots_clock_is_behind", [timedelta(), timedelta(minutes=2), -timedelta(minutes=2)])
@pytest.mark.parametrize("restarts", [False, True])
async def test_the_room_says_what_came_first_whatever_our_clock_says(
    bots_clock_is_behind: timedelta, *, restarts: bool
) -> None:
    world = await sharing()
    lures(world.beta)
    world.server.behind = -bots_clock_is_behind
    (said,) = [says_just_before_the_card(world, "!fed approve {code}")]
    world.bea.says("!fed request M3-NUT 300 from attraktor")
    await world.settle()
    if restarts:
        await world.alpha.restart()
    await world.grace()
    assert "my card for" in world.answer_to(said[0])
    assert world.alpha.given("M3-NUT") == 0
    world.piet.says(f"!fed approve {world.alpha.transfer().code}")
    await world.grace()
    assert world.alpha.given("M3-NUT") == 300


async def test_a_bot_that_ends_before_it_reads_its_own_card_still_knows_what_came_first() -> None:
    """The homeserver has taken the card, but no sync has shown it yet when the bot ends."""
    world = await sharing()
    lures(world.beta)
    world.server.behind = -timedelta(minutes=2)
    said = says_just_before_the_card(world, "!fed approve {code}")
    world.bea.says("!fed request M3-NUT 300 from attraktor")
    while not world.alpha.turn.transfers() or not world.alpha.transfer().own_card:
        for space in world.spaces:
            await step(space)
    world.piet.says(f"!fed approve {world.alpha.transfer().code}")
    await world.alpha.restart()
    await world.settle()
    assert "my card for" in world.answer_to(said[0])
    await world.grace()
    assert world.alpha.given("M3-NUT") == 300


async def test_a_card_whose_answer_is_lost_and_that_a_sync_shows_first_can_be_decided_by_code() -> None:
    world = await sharing()
    world.bea.says("!fed request M3-NUT 300 from attraktor")
    send, attempts = world.alpha.chat.send, itertools.count()

    async def unheard(delivery: Delivery) -> str:
        is_card = "300 × M3" in delivery.content.get("body", "")
        world.alpha.chat.lost_answers = int(is_card and next(attempts) == 0)
        return await send(delivery)

    world.alpha.chat.send = unheard  # type: ignore[method-assign]
    await world.settle()
    await world.passes(timedelta(minutes=1))
    world.piet.says(f"!fed approve {world.alpha.transfer().code}")
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


async def test_a_reaction_from_before_the_card_says_that_a_parcel_left_is_no_arrival() -> None:
    """A second approver reacts while the bot, which knows that the parcel left, still waits to edit its card."""
    world = await sharing()
    card = await world.push()
    world.cem.reacts(card, "📦")
    send, reactions = world.beta.chat.send, list[str]()

    async def after_a_reaction(delivery: Delivery) -> str:
        if not reactions and world.beta.transfer().awaits_parcel and "m.new_content" in delivery.content:
            reactions.append(world.bea.reacts(card, "📦"))
        return await send(delivery)

    world.beta.chat.send = after_a_reaction  # type: ignore[method-assign]
    world.server.behind = -timedelta(minutes=2)
    await world.grace()
    await world.grace()
    assert reactions
    assert world.beta.transfer().awaits_parcel, world.room.transcript()
    assert "has only just left" in world.room.transcript()
    world.dilek.reacts(card, "📦")
    await world.grace()
    assert world.beta.transfer().state in {TransferState.RECEIVED, DONE}


# --- a tap on the other bot's message, which people see first ---


def pointed(world: World) -> list[Message]:
    """What attraktor's bot says about taps on other bots' messages."""
    said = world.room.messages(sender=world.alpha.chat.user_id)
    return [message for message in said if "the bot of Betaspace wrote that message" in message.text]


async def requested() -> tuple[World, Message]:
    """Betaspace requests 30 nuts from Attraktor; return its bot's message, too."""
    world = await sharing()
    world.bea.says("!fed request M3-NUT 30 from attraktor")
    await world.settle()
    theirs = [m for m in world.room.messages(sender=world.beta.chat.user_id) if m.envelope]
    return world, theirs[-1]


@pytest.mark.parametrize("key", ["✅", "❌", "👍", "📦"])
async def test_a_reaction_to_a_friends_message_decides_nothing_and_is_told_once_where_to_tap(key: str) -> None:
    world, theirs = await requested()
    for again in (key, "👎"):
        world.piet.reacts(theirs, again)
        await world.grace()
    assert world.alpha.transfer().state is OPEN
    assert world.alpha.given("M3-NUT") == 0
    (answer,) = pointed(world)
    card = world.alpha.transfer().own_card
    assert answer.thread == card
    assert card in answer.html
    assert "30 × M3 nut" in answer.text
    world.piet.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is DONE


async def test_yes_in_reply_to_a_friends_message_is_told_where_to_tap() -> None:
    world, theirs = await requested()
    world.piet.says("yes please", reply_to=theirs)
    await world.grace()
    assert world.alpha.transfer().state is OPEN
    assert len(pointed(world)) == 1


async def test_other_reactions_to_a_friends_message_and_those_of_others_are_not_answered() -> None:
    world, theirs = await requested()
    world.piet.reacts(theirs, "🎉")
    world.cem.reacts(theirs, "✅")
    world.piet.says("nice", reply_to=theirs)
    await world.grace()
    assert pointed(world) == []


async def test_a_reaction_to_a_friends_message_before_our_card_is_there_is_answered_in_reply_to_it() -> None:
    world = await sharing()
    world.alpha.goes_down()
    world.bea.says("!fed request M3-NUT 30 from attraktor")
    await world.settle()
    theirs = [m for m in world.room.messages(sender=world.beta.chat.user_id) if m.envelope][-1]
    world.piet.reacts(theirs, "✅")
    await world.settle()
    (answer,) = pointed(world)
    assert answer.reply_to == theirs.event_id
    assert "My own card" in answer.text


async def test_once_it_is_decided_a_reaction_to_a_friends_message_is_not_answered() -> None:
    world, theirs = await requested()
    world.piet.reacts(world.alpha.transfer().own_card, "✅")
    await world.grace()
    world.kim.reacts(theirs, "✅")
    await world.settle()
    assert pointed(world) == []


@pytest.mark.parametrize("how", ["tap", "reply"])
async def test_a_yes_to_a_message_of_the_other_bot_in_the_same_sync_is_answered(how: str) -> None:
    world = await friends()
    held = True
    world.server.withholds = lambda user, _event: held and user == world.beta.chat.user_id
    world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.settle()
    offer = world.room.message("Offered to Betaspace")
    if how == "tap":
        world.cem.reacts(offer, "✅")
    else:
        world.cem.says("yes", reply_to=offer)
    await world.settle()
    assert not told(world.room, "That doesn't count")
    held = False
    world.kim.says("hello")
    await world.settle()
    assert len(told(world.room, "That doesn't count: the bot of Attraktor wrote that message.")) == 1
    assert world.beta.transfer().state is TransferState.OPEN
