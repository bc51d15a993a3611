"""Reactions and lines on a card that count, and when: permissions, grace, one's own ✅ taken back, two at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fedbot.rules.model.decision import DecisionStage
from fedbot.rules.model.lifecycles import TransferState
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import GRACE, World, friends, nothing, protocol_messages, told

CANCELLED, DECLINED, DONE = TransferState.CANCELLED, TransferState.DECLINED, TransferState.DONE
EXPIRED, OPEN = TransferState.EXPIRED, TransferState.OPEN
WEEK = timedelta(days=7)


def states(world: World) -> set[TransferState]:
    """The transfer's states on both sides."""
    return {space.transfer().state for space in world.spaces}


async def test_cem_declines_and_anna_is_mentioned() -> None:
    world = await friends()
    world.cem.reacts(await world.push(), "❌")
    await world.grace()
    assert states(world) == {DECLINED}
    assert "Declined" in world.card().text
    end = world.room.messages(sender=world.alpha.chat.user_id)[-1]
    assert world.anna.user_id in end.mentions
    assert_books_balance(world)


async def test_a_person_without_permission_is_told_who_has_it_and_the_card_stays_open() -> None:
    world = await friends()
    card = await world.push()
    world.tom.reacts(card, "✅")
    await world.grace()
    assert states(world) == {OPEN}
    (answer,) = world.room.answers(card)
    assert answer.text.startswith("Tom: Not counted: ")
    assert "Bea" in answer.text
    assert answer.is_notice
    world.cem.reacts(card, "✅")
    await world.grace()
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_a_person_of_the_other_party_is_told_once_and_moves_nothing() -> None:
    world = await friends()
    card = await world.push()
    world.piet.reacts(card, "✅")
    await world.grace()
    world.piet.reacts(card, "👍")
    world.piet.reacts(card, "❌")
    await world.grace()
    assert states(world) == {OPEN}
    (answer,) = world.room.answers(card)
    assert answer.text.startswith("Piet: Not counted: you belong to Attraktor, and Betaspace decides on 10 × M3 nut")
    assert "Betaspace decides on" in answer.text
    assert "take it back" not in answer.text
    world.anna.reacts(card, "❌")
    await world.settle()
    assert f"!fed cancel {world.beta.transfer().code}" in world.room.answers(card)[-1].text


async def test_a_decision_on_a_card_that_the_other_space_has_closed_is_answered_with_its_end() -> None:
    world = await friends()
    card = await world.push()
    code = world.alpha.transfer().code
    waits = world.piet.says(f"!fed approve {code}")
    await world.settle()
    assert "Betaspace decides on" in world.room.answers(waits)[0].text
    world.cem.reacts(card, "✅")
    await world.grace()
    over = world.piet.says(f"!fed approve {code}")
    await world.settle()
    (answer,) = world.room.answers(over)
    assert "is closed" in answer.text
    assert "Cem approved it" in answer.text
    assert "take it back" not in answer.text
    world.anna.reacts(card, "✅")
    await world.settle()
    late = world.room.answers(card)[-1]
    assert late.text.startswith("Anna: Not counted: the card of ")
    assert "take it back" not in late.text


async def test_a_stranger_and_a_bot_move_nothing() -> None:
    world = await friends()
    card = await world.push()
    stranger = world.newcomer("eve")
    stranger.reacts(card, "✅")
    world.server.send(
        world.alpha.chat.user_id,
        world.room.id,
        "m.reaction",
        {"m.relates_to": {"rel_type": "m.annotation", "event_id": card.event_id, "key": "✅"}},
        device="other",
        transaction="1",
    )
    await world.grace()
    assert states(world) == {OPEN}
    assert len(told(world.room, "only people of Betaspace")) == 1


async def test_the_asker_may_not_approve_her_own_offer_though_she_is_of_both_spaces() -> None:
    people = {"@anna:twin.test": "dilek", "@cem:twin.test": "cem"}
    world = await friends(beta={"people": {**people, "@bea:twin.test": "bea"}})
    world.anna.says("!fed as attraktor push M3-NUT 10 to betaspace")
    await world.settle()
    card = world.card()
    world.anna.reacts(card, "✅")
    await world.grace()
    assert states(world) == {OPEN}
    assert "you asked for" in world.room.answers(card)[-1].text


async def test_the_asker_may_not_approve_it_from_another_account_of_the_same_user() -> None:
    """Two Matrix accounts, one InvenTree user: names are not identities."""
    world = await friends()
    phone = world.newcomer("phone")
    await world.beta.restart(people={**world.beta.us.people, phone.user_id: "dilek", world.anna.user_id: "dilek"})
    world.anna.says("!fed as attraktor push M3-NUT 10 to betaspace")
    await world.settle()
    card = world.card()
    phone.reacts(card, "✅")
    await world.grace()
    assert states(world) == {OPEN}
    assert "you asked for" in world.room.answers(card)[-1].text


async def test_the_asker_may_approve_where_the_configuration_says_so() -> None:
    people = {"@anna:twin.test": "bea", "@bea:twin.test": "bea", "@cem:twin.test": "cem"}
    world = await friends(beta={"people": people, "self_approval": True})
    world.anna.says("!fed as attraktor push M3-NUT 10 to betaspace")
    await world.settle()
    world.anna.reacts(world.card(), "✅")
    await world.grace()
    assert states(world) == {DONE}
    assert_books_balance(world)


@pytest.mark.parametrize("key", ["✅", "✅\ufe0f", "✔️", "✔"])
async def test_a_reaction_counts_in_all_spellings_of_clients(key: str) -> None:
    world = await friends()
    world.cem.reacts(await world.push(), key)
    await world.grace()
    assert states(world) == {DONE}


async def test_emojis_that_could_not_mean_a_decision_are_not_answered() -> None:
    world = await friends()
    card = await world.push()
    for key in ("🎉", "🚀", ""):
        world.cem.reacts(card, key)
    await world.grace()
    assert states(world) == {OPEN}
    assert world.room.answers(card) == []


async def test_a_reaction_to_another_message_means_nothing() -> None:
    world = await friends()
    await world.push()
    world.cem.reacts(world.room.message("Offered to Betaspace"), "✅")
    world.cem.reacts(world.room.message("are friends"), "✅")
    await world.grace()
    assert states(world) == {OPEN}


async def test_within_the_grace_cem_takes_his_own_reaction_back() -> None:
    world = await friends()
    card = await world.push()
    tap = world.cem.reacts(card, "✅")
    await world.settle()
    world.cem.takes_back(tap)
    await world.grace()
    assert states(world) == {OPEN}
    world.dilek.reacts(card, "✅")
    await world.grace()
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_within_the_grace_cem_writes_cancel() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    line = world.cem.says("!fed cancel", reply_to=card)
    await world.grace()
    assert states(world) == {OPEN}
    assert "Stopped" in world.answer_to(line)


async def test_within_the_grace_a_moderator_removes_the_reaction() -> None:
    world = await friends()
    tap = world.cem.reacts(await world.push(), "✅")
    await world.settle()
    world.anna.takes_back(tap, "not yet")
    await world.grace()
    assert states(world) == {OPEN}


async def test_a_redaction_in_another_room_does_not_take_a_reaction_back() -> None:
    """A homeserver need not know the event that a redaction names, and a direct chat with the bot is a room too."""
    world = await friends()
    tap = world.cem.reacts(await world.push(), "✅")
    chat = world.tom.opens_direct_chat(world.beta.chat.user_id)
    await world.settle()
    world.tom.sends("m.room.redaction", {"redacts": tap}, room=chat.id)
    await world.grace()
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_a_reaction_taken_back_after_the_grace_stays_decided() -> None:
    world = await friends()
    tap = world.cem.reacts(await world.push(), "✅")
    await world.grace()
    world.cem.takes_back(tap)
    await world.passes(timedelta(minutes=5))
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_a_reaction_taken_back_while_the_bot_was_down_never_counts() -> None:
    world = await friends()
    card = await world.push()
    world.beta.is_asleep = True
    tap = world.cem.reacts(card, "✅")
    world.cem.takes_back(tap)
    await world.beta.restart()
    await world.grace()
    assert states(world) == {OPEN}


async def test_a_person_who_loses_the_permission_within_the_grace_has_not_decided() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    world.beta.deactivates("cem")
    await world.grace()
    assert states(world) == {OPEN}
    assert told(world.room, "inactive")


async def test_the_asker_who_loses_the_permission_before_the_debit_stops_it() -> None:
    world = await friends()
    world.piet.says("!fed push M3-NUT 10 to betaspace")
    await world.settle()
    card = world.card()
    world.alpha.deactivates("piet")
    world.cem.reacts(card, "✅")
    await world.grace()
    assert states(world) == {TransferState.ABORTED}
    assert world.alpha.given("M3-NUT") == 0
    assert "may not give items away any more" in world.room.messages(sender=world.alpha.chat.user_id)[-1].text
    assert_books_balance(world)


async def test_one_of_two_approvers_at_once_wins() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    world.dilek.reacts(card, "❌")
    await world.grace()
    assert states(world) == {DONE}
    assert "Cem" in world.card().text
    assert world.beta.total("N-M3") == 910
    assert_books_balance(world)


async def test_the_second_approver_is_told_when_the_first_takes_it_back_and_nobody_else_is() -> None:
    world = await friends()
    card = await world.push()
    tap = world.cem.reacts(card, "✅")
    await world.settle()
    world.cem.takes_back(tap)
    await world.settle()
    assert world.room.answers(card) == [], "who has only seen the ✅ sees it go"
    for _ in range(2):
        tap = world.cem.reacts(card, "✅")
        await world.settle()
        other = world.dilek.reacts(card, "❌")
        await world.settle()
        assert "Cem is deciding" in world.room.answers(card)[-1].text
        world.cem.takes_back(tap)
        await world.settle()
        assert world.room.answers(card)[-1].text.startswith("10 × M3 nut (")
        assert "is open again: nothing was decided" in world.room.answers(card)[-1].text
        world.dilek.takes_back(other)
        await world.settle()
    assert len(world.room.answers(card)) == 4
    world.dilek.reacts(card, "❌")
    await world.grace()
    assert states(world) == {DECLINED}


async def test_a_person_who_reacts_with_two_emoji_is_told_that_the_first_one_counts() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    world.cem.reacts(card, "❌")
    await world.settle()
    (answer,) = world.room.answers(card)
    assert answer.text.startswith("Cem: Not counted: your own ✅ on 10 × M3 nut")
    await world.grace()
    assert states(world) == {DONE}


@pytest.mark.parametrize("key", ["✅", "❌"])
async def test_a_person_who_types_a_decision_and_taps_it_too_reads_that_it_is_decided(key: str) -> None:
    world = await friends()
    card = await world.push()
    world.cem.says({"✅": "!fed approve", "❌": "!fed decline"}[key], reply_to=card)
    await world.settle()
    world.cem.reacts(card, key)
    await world.settle()
    answer = world.room.answers(card)[-1].text
    assert answer.startswith(f"Cem: You have decided that already: your {key} on 10 × M3 nut")
    assert "remove" not in answer
    await world.grace()
    assert states(world) == {DONE if key == "✅" else DECLINED}


async def test_a_loan_that_is_cancelled_too_late_names_the_line_that_brings_it_back() -> None:
    world = await friends()
    world.anna.says("!fed lend M3-NUT 10 to betaspace for 2 weeks")
    await world.settle()
    card = world.card()
    world.cem.reacts(card, "✅")
    world.server.loses = lambda user, event: user == world.beta.chat.user_id and _kind(event) == "sent"
    await world.grace()
    code = world.alpha.transfer().code
    answer = await world.answer(world.anna, f"!fed cancel {code}")
    world.server.loses = nothing
    assert "Too late" in answer
    assert f"!fed return {code}" in answer
    assert "offer it back" not in answer


async def test_somebody_without_permission_does_not_keep_others_from_deciding() -> None:
    world = await friends()
    card = await world.push()
    world.tom.reacts(card, "✅")
    world.cem.reacts(card, "✅")
    await world.grace()
    assert states(world) == {DONE}
    assert "accepted by Cem" in world.card().text
    assert_books_balance(world)


async def test_approving_twice_moves_it_once() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.grace()
    line = world.dilek.says("!fed approve", reply_to=card)
    await world.grace()
    assert "is closed" in world.answer_to(line)
    assert world.beta.total("N-M3") == 910
    assert_books_balance(world)


async def test_a_typed_approval_is_the_same_as_a_reaction() -> None:
    world = await friends()
    card = await world.push()
    code = world.beta.transfer().code
    line = world.cem.says(f"!fed approve {code}")
    await world.settle()
    assert "counts in 5 seconds" in world.answer_to(line)
    await world.passes(GRACE + timedelta(seconds=1))
    assert states(world) == {DONE}
    assert card.event_id


async def test_an_edited_line_never_executes_and_its_author_is_told() -> None:
    world = await friends()
    line = world.anna.says("hello")
    world.anna.edits(line, "!fed push M3-NUT 10 to betaspace")
    await world.settle()
    assert world.alpha.turn.transfers() == []
    assert told(world.room, "Edited lines do nothing")


async def test_who_edits_a_line_that_has_opened_a_transfer_is_told_that_it_stays() -> None:
    world = await friends()
    line = world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.settle()
    code = world.alpha.transfer().code
    edit = world.anna.edits(line, "!fed push M3-NUT 12 to betaspace")
    await world.settle()
    answer = world.answer_to(edit)
    assert f"{code} stays as you typed it first: 10 × M3 nut" in answer
    assert f"type !fed cancel {code}, then send your line" in answer
    world.kim.edits(line, "!fed push M3-NUT 13 to betaspace")
    await world.settle()
    assert len(told(world.room, "stays as you typed it first")) == 1


async def test_who_deletes_a_line_that_has_opened_a_transfer_is_told_that_it_is_still_open() -> None:
    world = await friends()
    line = world.anna.says("!fed push M3-NUT 10 to betaspace")
    await world.settle()
    code = world.alpha.transfer().code
    world.anna.takes_back(line)
    await world.settle()
    (said,) = told(world.room, f"Anna: You deleted your line, but {code} is still open: 10 × M3 nut")
    assert f"!fed cancel {code}" in said.text
    assert said.mentions == (world.anna.user_id,)
    world.anna.says(f"!fed cancel {code}")
    await world.settle()
    world.anna.takes_back(line)
    await world.settle()
    assert len(told(world.room, "You deleted your line")) == 1


async def test_anna_cancels_while_it_is_open() -> None:
    world = await friends()
    card = await world.push()
    world.anna.says(f"!fed cancel {world.alpha.transfer().code}", reply_to=card)
    await world.settle()
    assert states(world) == {CANCELLED}
    assert "Cancelled" in world.card().text
    world.cem.reacts(card, "✅")
    await world.grace()
    assert states(world) == {CANCELLED}
    assert_books_balance(world)


async def test_if_approve_and_cancel_cross_the_sender_who_cancelled_first_keeps_it() -> None:
    world = await friends()
    card = await world.push()
    world.server.loses = protocol_messages
    world.anna.says("!fed cancel", reply_to=world.room.message("Offered to Betaspace"))
    world.cem.reacts(card, "✅")
    await world.grace()
    assert "waiting for Attraktor" in world.card().text
    world.server.loses = nothing
    await world.passes(timedelta(minutes=15))
    assert states(world) == {CANCELLED}
    assert world.alpha.given("M3-NUT") == 0
    assert_books_balance(world)


async def test_an_approval_taken_back_before_the_sender_has_read_it_moves_nothing() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    await world.passes(GRACE + timedelta(seconds=1), asleep=(world.alpha,))
    line = world.cem.says("!fed cancel", reply_to=card)
    await world.settle(asleep=(world.alpha,))
    assert "asked" in world.answer_to(line).lower()
    await world.passes(timedelta(minutes=15))
    assert states(world) == {CANCELLED}
    assert world.alpha.given("M3-NUT") == 0
    assert_books_balance(world)


async def test_a_cancellation_that_arrives_after_it_has_left_does_not_stop_it() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    world.server.loses = lambda user, event: user == world.beta.chat.user_id and _kind(event) == "sent"
    await world.grace()
    line = world.anna.says(f"!fed cancel {world.alpha.transfer().code}", reply_to=card)
    cems = world.cem.says("!fed cancel", reply_to=card)
    await world.settle()
    assert "Too late" in world.answer_to(line)
    assert len(world.room.answers(cems)) == 1
    world.server.loses = nothing
    await world.passes(timedelta(minutes=15))
    assert states(world) == {DONE}
    assert_books_balance(world)


def _kind(event: object) -> str:
    content = event["content"]  # type: ignore[index]
    envelope = content.get("dev.fedbot") or content.get("m.new_content", {}).get("dev.fedbot") or {}
    return str(envelope.get("kind", ""))


async def test_a_transfer_that_nobody_decides_for_a_week_expires_on_both_sides() -> None:
    world = await friends()
    await world.push()
    await world.passes(WEEK + timedelta(hours=1))
    assert states(world) == {EXPIRED}
    assert "Expired" in world.card().text
    assert_books_balance(world)


async def test_an_approval_in_the_last_minute_counts_though_the_sender_was_down_then() -> None:
    world = await friends()
    card = await world.push()
    await world.passes(WEEK - timedelta(minutes=5))
    world.alpha.is_asleep = True
    world.cem.reacts(card, "✅")
    await world.passes(timedelta(hours=2))
    await world.alpha.restart()
    await world.passes(timedelta(minutes=20))
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_an_approval_that_reaches_the_room_after_the_end_is_too_late_though_both_were_down() -> None:
    world = await friends()
    card = await world.push()
    await world.passes(WEEK - timedelta(minutes=5))
    for space in world.spaces:
        space.is_asleep = True
    world.cem.reacts(card, "✅")
    await world.passes(timedelta(hours=2))
    await world.beta.restart()
    await world.grace()
    await world.alpha.restart()
    await world.passes(timedelta(minutes=20))
    assert states(world) == {EXPIRED}
    assert_books_balance(world)


async def test_an_approval_that_the_sender_could_not_read_in_time_is_too_late() -> None:
    world = await friends()
    card = await world.push()
    await world.passes(WEEK - timedelta(minutes=5))
    world.beta.is_asleep = True
    world.cem.reacts(card, "✅")
    await world.passes(timedelta(hours=2))
    await world.beta.restart()
    await world.grace()
    await world.passes(timedelta(minutes=2))
    assert states(world) == {EXPIRED}
    assert_books_balance(world)


async def test_a_grace_ends_only_after_a_sync_that_began_later() -> None:
    world = await friends()
    card = await world.push()
    tap = world.cem.reacts(card, "✅")
    await world.settle()
    world.beta.chat.is_unreachable = True
    await world.passes(timedelta(minutes=1))
    decision = world.beta.transfer().decision
    assert decision is not None
    assert decision.stage is DecisionStage.GRACE
    world.cem.takes_back(tap)
    world.beta.chat.is_unreachable = False
    await world.passes(timedelta(minutes=1))
    assert states(world) == {OPEN}


async def test_cem_reacts_while_inventree_is_down_and_is_told_to_react_again_later() -> None:
    world = await friends()
    card = await world.push()
    world.beta.goes_down()
    tap = world.cem.reacts(card, "✅")
    await world.grace()
    assert told(world.room, "can't read your permissions")
    assert states(world) == {OPEN}
    world.beta.comes_back()
    world.cem.takes_back(tap)
    world.cem.reacts(card, "✅")
    await world.grace()
    assert states(world) == {DONE}
    assert_books_balance(world)


async def test_inventree_goes_down_within_the_grace_and_nothing_is_decided() -> None:
    world = await friends()
    card = await world.push()
    world.cem.reacts(card, "✅")
    await world.settle()
    world.beta.goes_down()
    await world.grace()
    assert states(world) == {OPEN}
    assert world.beta.transfer().decision is None
    assert told(world.room, "can't read your permissions")
