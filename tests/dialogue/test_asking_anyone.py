"""A request from anyone: friends are asked in turn or all at once, and no two of them give the same thing."""
# ruff: noqa: ANN401 -- options have any fields that a test needs

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fedbot.rules.model.from_anyone import Order, Rota, RotaPolicy
from fedbot.rules.model.lending import LoanRules
from fedbot.rules.model.lifecycles import RotaState, TransferState
from fedbot.rules.protocol.terms import hash_of, to_json
from tests.dialogue.test_dishonest_friends import forges
from tests.dialogue.test_recovery import is_rebuilt, is_restored, is_watched
from tests.dialogue.test_room_upgrades import upgrade
from tests.fakes.people import Message
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, nothing, protocol_messages, told

A_DAY = timedelta(days=1)
BETA_FIRST = RotaPolicy(nearest=("betaspace", "gammaspace"))


async def three(**alpha: Any) -> World:
    """Kim's Attraktor has two friends with M3 bolts: betaspace has 12 of them, gammaspace 75."""
    world = await World(alpha={"rota": BETA_FIRST, **alpha}).with_gammaspace().start()
    await world.connect()
    world.anna.says("!fed connect gammaspace")
    await world.settle()
    world.gus.reacts(card_of(world, world.gamma, "gammaspace"), "✅")
    await world.grace()
    world.cem.says("!fed share all")
    world.mia.says("!fed share all")
    await world.settle()
    return world


def card_of(world: World, space: Space, words: str = "Give") -> Message:
    """The newest card of that space's bot that contains these words."""
    cards = [m for m in world.room.messages(sender=space.chat.user_id) if m.reactions]
    assert cards, f"no card of {space.party} ({words}):\n{world.room.transcript()}"
    return cards[-1]


async def asks(world: World, words: str = "10 M3-BOLT from anyone") -> Message:
    """Kim asks anyone; return the rota's message."""
    line = world.kim.says(f"!fed request {words}")
    await world.settle()
    (answer,) = world.room.answers(line)
    return answer


def again(world: World, message: Message) -> str:
    """The message as it reads now."""
    return next(m for m in world.room.messages() if m.event_id == message.event_id).text


def rotas(world: World) -> list[Rota]:
    return world.alpha.turn.all(Rota)


def rota_of(world: World) -> RotaState:
    return rotas(world)[-1].state


def bolts(world: World) -> tuple[int, int, int]:
    return tuple(int(space.total("M3-BOLT")) for space in (world.alpha, world.beta, world.gamma))  # type: ignore[return-value]


async def test_the_first_grant_is_accepted_and_nobody_else_is_asked() -> None:
    world = await three()
    message = await asks(world)
    assert "Asking for 10 × M3-BOLT, to keep: one space after the other" in message.text
    assert "Betaspace: asked for 10. Its approvers decide until" in message.text
    assert "Gammaspace: has 75; I'll ask there next." in message.text
    card = card_of(world, world.beta)
    assert "They may ask others too: after your approval their bot confirms, then it goes." in card.text
    world.cem.reacts(card, "✅")
    await world.grace()
    assert bolts(world) == (220, 2, 75)
    assert rota_of(world) is RotaState.FILLED
    assert again(world, message).startswith("✅ 10 × M3-BOLT found, to keep.")
    assert "Betaspace: gave 10" in again(world, message)
    assert world.gamma.turn.transfers() == []
    assert_books_balance(world)


async def test_the_rotas_message_is_edited_only_when_its_text_changes() -> None:
    world = await three()
    message = await asks(world)
    world.server.loses = lambda _, event: event["content"].get("dev.fedbot", {}).get("kind") == "received"
    world.cem.reacts(card_of(world, world.beta), "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.RECEIVED
    world.server.loses = nothing
    await world.passes(timedelta(minutes=15))
    assert world.alpha.transfer().state is TransferState.DONE
    edits = world.room.edits(message)
    assert "gave 10" in edits[-1]
    assert len(edits) == len(set(edits))


async def test_after_a_refusal_or_silence_the_next_friend_is_asked_and_one_message_shows_it() -> None:
    world = await three()
    message = await asks(world)
    world.cem.reacts(card_of(world, world.beta), "❌")
    await world.grace()
    assert "Betaspace: declined by Cem" in again(world, message)
    assert "Gammaspace: asked for 10" in again(world, message)
    assert len(told(world.room, "Declined: ")) == 1  # the card, without another message
    world.mia.reacts(card_of(world, world.gamma), "✅")
    await world.grace()
    assert bolts(world) == (220, 12, 65)

    second = await asks(world, "11 M3-BOLT from anyone")
    await world.passes(A_DAY + timedelta(minutes=1))
    assert "Betaspace: didn't decide within 1 day, so I took it back" in again(world, second)
    assert "Gammaspace: asked for 11" in again(world, second)
    assert world.beta.transfer().state is TransferState.CANCELLED
    world.mia.reacts(card_of(world, world.gamma), "❌")
    await world.grace()
    assert rota_of(world) is RotaState.NOBODY
    (end,) = told(world.room, "nobody can give 11 × M3-BOLT now")
    assert set(end.mentions) == {world.kim.user_id}
    assert_books_balance(world)


async def test_by_balance_a_loan_counts_as_long_as_it_is_out() -> None:
    """Betaspace got one piece for good, Gammaspace has two on loan."""
    world = await three(rota=RotaPolicy(order=(Order.BALANCE,)))
    await world.hand_over("M3-NUT 1")
    world.anna.says("!fed lend 2 #1 to gammaspace until 2026-12-31")
    await world.settle()
    world.mia.reacts(card_of(world, world.gamma, "gammaspace"), "✅")
    await world.grace()
    message = await asks(world)
    assert "Gammaspace: asked for 10" in message.text
    assert {each.party: each.balance for each in rotas(world)[-1].waiting} == {"betaspace": 1}


async def test_a_smaller_grant_is_not_accepted_unless_parts_may_be_joined() -> None:
    world = await three()
    message = await asks(world)
    world.cem.says("!fed approve 4", reply_to=card_of(world, world.beta))
    await world.grace()
    assert "Betaspace: can give only 4, so I took it back" in again(world, message)
    assert "Gammaspace: asked for 10" in again(world, message)
    world.mia.reacts(card_of(world, world.gamma), "❌")
    await world.grace()
    assert bolts(world) == (210, 12, 75)

    message = await asks(world, "80 M3-BOLT from anyone")
    assert message.text.startswith("Nobody can give 80 × M3-BOLT now.")
    assert "Betaspace: has only 12." in message.text
    message = await asks(world, "80 M3-BOLT from anyone --join --all")
    assert "Betaspace: asked for 12" in message.text
    assert "Gammaspace: asked for 68" in message.text
    world.mia.reacts(card_of(world, world.gamma), "✅")
    await world.grace()
    assert bolts(world) == (278, 12, 7)
    world.cem.says(
        "!fed approve 10", reply_to=[m for m in world.room.messages(sender=world.beta.chat.user_id) if m.reactions][-1]
    )
    await world.grace()
    assert bolts(world) == (288, 2, 7)
    assert "In part: 78 of 80 × M3-BOLT found" in again(world, message)
    assert_books_balance(world)


async def test_only_one_of_two_crossing_grants_is_confirmed() -> None:
    """Both approve before either has heard from us. One is confirmed, the other is cancelled before it moves."""
    world = await three()
    message = await asks(world, "10 M3-BOLT from anyone --all")
    assert "all spaces that have it, at once" in message.text
    beta, gamma = card_of(world, world.beta), card_of(world, world.gamma)
    world.server.loses = protocol_messages
    world.cem.reacts(beta, "✅")
    world.mia.reacts(gamma, "✅")
    await world.grace()
    assert bolts(world) == (210, 12, 75)
    assert "goes once the bot of Attraktor confirms" in again(world, beta)
    world.server.loses = nothing
    await world.passes(timedelta(minutes=15))
    assert sorted(bolts(world)[1:]) in ([2, 75], [12, 65])
    assert bolts(world)[0] == 220
    assert rota_of(world) is RotaState.FILLED
    assert "not needed any more, so I took it back" in again(world, message)
    assert_books_balance(world)


async def test_a_silent_bot_delays_nobody_and_its_late_grant_moves_nothing() -> None:
    world = await three()
    await asks(world)
    world.cem.reacts(card_of(world, world.beta), "✅")
    await world.settle()
    world.beta.is_asleep = True
    await world.passes(A_DAY + timedelta(minutes=1))
    world.mia.reacts(card_of(world, world.gamma), "✅")
    await world.grace()
    assert bolts(world) == (220, 12, 65)
    world.beta.is_asleep = False
    await world.passes(A_DAY)
    assert bolts(world) == (220, 12, 65)
    assert world.beta.transfer().state is TransferState.CANCELLED
    assert rota_of(world) is RotaState.FILLED
    assert_books_balance(world)


async def test_the_next_friend_is_asked_if_a_confirmed_grant_fails() -> None:
    world = await three()
    await asks(world)
    world.cem.reacts(card_of(world, world.beta), "✅")
    await world.settle()
    with world.beta.by_hand():
        item = world.beta.item("M3-BOLT").pk
        world.beta.admin("POST", "stock/remove/", items=[{"pk": item, "quantity": 9}], notes="used")
    await world.grace()
    world.mia.reacts(card_of(world, world.gamma), "✅")
    await world.grace()
    assert bolts(world) == (220, 3, 65)
    assert rota_of(world) is RotaState.FILLED
    assert_books_balance(world)


async def is_confirmed_and_silent(world: World, words: str = "10 M3-BOLT from anyone") -> Message:
    """Betaspace approves and is confirmed, but its bot is down before it reads that; return the rota's message."""
    message = await asks(world, words)
    world.cem.reacts(card_of(world, world.beta), "✅")
    world.server.loses = lambda _, event: event["content"].get("dev.fedbot", {}).get("kind") == "approve"
    await world.grace()
    world.server.loses = nothing
    world.beta.is_asleep = True
    assert "Betaspace: gives 10. I confirmed" in again(world, message)
    return message


async def test_a_confirmed_friend_that_falls_silent_is_asked_to_cancel_and_then_the_next_is_asked() -> None:
    world = await three()
    message = await is_confirmed_and_silent(world)
    await world.passes(A_DAY + timedelta(minutes=1))
    assert "Betaspace: agreed to 10, but nothing came yet. I asked to take it back" in again(world, message)
    assert len(world.gamma.turn.transfers()) == 0  # it may still come from Betaspace
    world.beta.is_asleep = False
    await world.passes(timedelta(minutes=30))
    assert world.beta.transfer().state is TransferState.CANCELLED
    assert "Betaspace: agreed, but nothing came within 1 day, so I took it back" in again(world, message)
    world.mia.reacts(card_of(world, world.gamma), "✅")
    await world.grace()
    assert bolts(world) == (220, 12, 65)
    assert told(world.room, "but nothing came.") == []  # nobody was mentioned, because the bot went on by itself
    assert_books_balance(world)


async def test_people_hear_once_that_nothing_came_and_can_go_on_without_it() -> None:
    world = await three()
    message = await is_confirmed_and_silent(world)
    await world.passes(A_DAY + timedelta(hours=2))
    (end,) = told(world.room, "Kim: Betaspace agreed to give 10 × M3-BOLT, but nothing came.")
    assert set(end.mentions) == {world.kim.user_id}
    await world.passes(3 * A_DAY)
    assert len(told(world.room, "but nothing came.")) == 1
    line = world.kim.says("!fed todo")
    await world.settle()
    code = rotas(world)[0].stuck
    assert "a space agreed, but nothing came. For details: !fed show" in world.answer_to(line)
    assert f"To continue without it: !fed cancel {code}" in again(world, message)
    world.tom.says(f"!fed cancel {code}")
    await world.settle()
    assert "Gammaspace: has 75" in again(world, message)  # no line of Betaspace's people lets it go on
    line = world.kim.says(f"!fed cancel {code}")
    await world.settle()
    assert world.answer_to(line).startswith("I continue without 10 × Bolt M3")
    world.mia.reacts(card_of(world, world.gamma), "✅")
    await world.grace()
    assert bolts(world) == (220, 12, 65)
    assert rota_of(world) is RotaState.FILLED
    world.beta.is_asleep = False
    await world.passes(A_DAY)
    assert world.beta.transfer().state is TransferState.CANCELLED
    assert bolts(world) == (220, 12, 65)
    assert_books_balance(world)


async def test_an_item_that_arrives_after_people_went_on_without_it_goes_back() -> None:
    """Betaspace's bot sent it, and its message was in its homeserver's queue for days."""
    world = await three()
    message = await asks(world)
    world.cem.reacts(card_of(world, world.beta), "✅")
    sent = lambda _, event: event["content"].get("dev.fedbot", {}).get("kind") == "sent"  # noqa: E731
    world.server.loses = sent
    await world.grace()
    assert world.beta.transfer().state is TransferState.SENT
    world.beta.is_asleep = True
    world.server.loses = nothing
    await world.passes(A_DAY + timedelta(hours=2))
    world.kim.says(f"!fed cancel {rotas(world)[0].stuck}")
    await world.settle()
    world.mia.reacts(card_of(world, world.gamma), "✅")
    await world.grace()
    world.beta.is_asleep = False
    await world.passes(A_DAY)
    assert world.beta.transfer().state is TransferState.REVERTED
    assert bolts(world) == (220, 12, 65)
    assert "Betaspace: agreed, but nothing came. If it still comes, it goes back" in again(world, message)
    assert_books_balance(world)


async def test_a_recent_confirmation_can_not_be_given_up() -> None:
    world = await three()
    await is_confirmed_and_silent(world)
    (request,) = [t for t in world.alpha.turn.transfers() if t.approved_hash]
    for _ in range(2):
        line = world.kim.says(f"!fed cancel {request.code}")
        await world.settle()
        assert "If the stock has left Betaspace already, it still comes." in world.answer_to(line)
    assert rota_of(world) is RotaState.STOPPED
    await world.passes(A_DAY + timedelta(hours=1))
    line = world.kim.says(f"!fed cancel {request.code}")
    await world.settle()
    assert "Nobody else is asked." in world.answer_to(line)


async def test_an_item_that_a_friend_sends_after_cancelling_goes_back() -> None:
    world = await three()
    await is_confirmed_and_silent(world)
    (request,) = [t for t in world.alpha.turn.transfers() if t.approved_hash]
    await world.passes(A_DAY + timedelta(minutes=1))
    world.beta.is_asleep = False
    world.server.loses = lambda _, event: event["content"].get("dev.fedbot", {}).get("kind") in {"cancel", "approve"}
    forges(world, world.beta, world.beta.transfer(), "cancelled", {"reason": ""})
    await world.settle()
    theirs = [{"number": 1, "item": world.beta.transfer().terms.lines[0].item}]
    forges(world, world.beta, world.beta.transfer(), "sent", {"lines": theirs, "failed": []})
    await world.settle()
    world.beta.is_asleep = True
    world.server.loses = nothing
    world.mia.reacts(card_of(world, world.gamma), "✅")
    await world.grace()
    assert bolts(world)[0] == 220
    assert world.alpha.turn.transfer(request.id).state is TransferState.CANCELLED  # type: ignore[union-attr]


async def test_after_a_loss_of_the_journal_an_item_given_up_still_goes_back() -> None:
    world = await three()
    await asks(world)
    world.cem.reacts(card_of(world, world.beta), "✅")
    world.server.loses = lambda _, event: event["content"].get("dev.fedbot", {}).get("kind") == "sent"
    await world.grace()
    world.beta.is_asleep = True
    world.server.loses = nothing
    await world.passes(A_DAY + timedelta(hours=2))
    world.kim.says(f"!fed cancel {rotas(world)[0].stuck}")
    await world.settle()
    await is_rebuilt(world.alpha)
    await world.passes(timedelta(hours=1))
    world.beta.is_asleep = False
    await world.passes(A_DAY)
    assert world.beta.transfer().state is TransferState.REVERTED
    assert bolts(world) == (210, 12, 75)


async def test_if_the_confirmed_friend_can_not_give_it_the_others_are_asked_again() -> None:
    world = await three()
    message = await asks(world, "10 M3-BOLT from anyone --all")
    world.cem.reacts(card_of(world, world.beta), "✅")
    await world.settle()
    with world.beta.by_hand():
        item = world.beta.item("M3-BOLT").pk
        world.beta.admin("POST", "stock/remove/", items=[{"pk": item, "quantity": 9}], notes="used")
    await world.grace()
    assert "Gammaspace: not needed any more" in again(world, message)
    assert "Gammaspace: asked for 10" in again(world, message)
    world.mia.reacts(card_of(world, world.gamma), "✅")
    await world.grace()
    assert bolts(world) == (220, 3, 65)
    assert rota_of(world) is RotaState.FILLED


async def test_an_item_that_a_friend_sends_without_confirmation_goes_back() -> None:
    world = await three()
    await asks(world)
    request = world.beta.transfer()
    forges(
        world,
        world.beta,
        request,
        "sent",
        {"lines": [{"number": 1, "item": request.terms.lines[0].item}], "failed": []},
    )
    await world.settle()
    assert world.alpha.turn.transfer(request.id).state is TransferState.REFUSED  # type: ignore[union-attr]
    assert bolts(world) == (210, 12, 75)
    world.mia.reacts(card_of(world, world.gamma), "✅")  # the others don't depend on the one who lies
    await world.grace()
    assert bolts(world) == (220, 12, 65)


async def test_a_grant_with_a_text_to_accept_is_not_confirmed_because_nobody_has_seen_the_text() -> None:
    world = await three()
    await asks(world, "3 M3-BOLT from anyone until 15 Dec")
    request = world.beta.transfer()
    terms = replace(request.terms, rules=LoanRules(agree=("whoever borrows it pays for it",)))
    granted = replace(request, terms=terms, terms_hash=hash_of(terms))
    forges(world, world.beta, granted, "granted", {"terms": to_json(terms)})
    await world.settle()
    ours = world.alpha.turn.transfer(request.id)
    assert ours is not None
    assert (ours.approved_hash, ours.granted, ours.terms.rules) == ("", None, None)


async def test_the_requester_stops_it_and_later_grants_move_nothing() -> None:
    world = await three()
    message = await asks(world, "10 M3-BOLT from anyone --all")
    world.tom.says("!fed cancel", reply_to=message)
    line = world.kim.says("!fed cancel", reply_to=message)
    world.cem.reacts(card_of(world, world.beta), "✅")
    await world.grace()
    assert world.answer_to(line).startswith("Stopped: 10 × M3-BOLT. I take my requests back.")
    assert rota_of(world) is RotaState.STOPPED
    assert {world.beta.transfer().state, world.gamma.transfer().state} == {TransferState.CANCELLED}
    assert bolts(world) == (210, 12, 75)
    assert again(world, message).startswith("Stopped: I don't ask for 10 × M3-BOLT any more.")


async def test_it_ends_with_its_day_and_todo_and_show_list_it() -> None:
    world = await three()
    message = await asks(world, "10 M3-BOLT from anyone by tomorrow")
    line = world.kim.says("!fed todo")
    shown = world.piet.says("!fed show", reply_to=message)
    await world.settle()
    assert "10 × M3-BOLT: 1 asked, 1 left to ask" in world.answer_to(line)
    assert world.answer_to(shown) == message.text
    await world.passes(2 * A_DAY)
    assert rota_of(world) is RotaState.NOBODY
    assert "Gammaspace: didn't decide in time" in again(world, message)
    assert world.gamma.transfer().state in {TransferState.CANCELLED, TransferState.EXPIRED}
    await world.passes(31 * A_DAY)
    assert world.alpha.turn.all(Rota) == []


async def test_a_friend_that_leaves_and_a_room_that_moves_delay_nobody() -> None:
    world = await three()
    message = await asks(world)
    world.bea.says("!fed disconnect attraktor --sure")
    await world.settle()
    world.bea.says("1")
    await world.settle()
    assert "Gammaspace: asked for 10" in again(world, message), again(world, message)
    world.mia.reacts(card_of(world, world.gamma), "✅")
    await world.grace()
    assert bolts(world) == (220, 12, 65)


async def test_after_the_room_has_moved_the_next_friend_is_asked_in_the_new_one() -> None:
    world = await three()
    await asks(world)
    await upgrade(world, *world.spaces)
    for person in (world.anna, world.bea, world.gus):
        person.says("!fed review --room")
        await world.settle()
    await world.passes(A_DAY + timedelta(hours=1))
    (message,) = told(world.room, "Asking for 10 × M3-BOLT")
    assert "Betaspace: didn't decide within 1 day" in message.text
    world.mia.reacts(card_of(world, world.gamma), "✅")
    await world.grace()
    assert bolts(world) == (220, 12, 65)
    assert again(world, message).startswith("✅ 10 × M3-BOLT found")


async def no_then_yes(world: World) -> None:
    """Betaspace declines, then gammaspace approves."""
    await asks(world)
    world.cem.reacts(card_of(world, world.beta), "❌")
    await world.grace()
    world.mia.reacts(card_of(world, world.gamma), "✅")
    await world.grace()


@pytest.mark.timeout(120)
async def test_a_backup_restored_at_any_time_requests_and_accepts_nothing_twice() -> None:
    world = await three()
    journal = await is_watched(world.alpha, 10**9)
    await no_then_yes(world)
    for moment in range(1, journal.calls, journal.calls // 4):
        world = await three()
        journal = await is_watched(world.alpha, moment)
        await no_then_yes(world)
        await is_restored(world.alpha, journal.backup_taken)
        await world.passes(timedelta(hours=2))
        asked = [len(space.turn.transfers()) for space in (world.beta, world.gamma)]
        assert asked == [1, 1], f"{moment}\n{world.room.transcript()}"
        assert bolts(world) == (220, 12, 65), moment
        assert {rota.state for rota in world.alpha.turn.all(Rota)} <= {RotaState.FILLED}, moment
        assert len(told(world.room, "10 × M3-BOLT found")) == 1, f"{moment}\n{world.room.transcript()}"
        assert_books_balance(world)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("10 #42 from anyone", 'Not asked: "#42" is one specific item of one space.'),
        ("10 M3-BOLT + 5 M3-NUT from anyone", "Not asked: those are 2 items."),
        ("10 M3-BOLT from betaspace --all", "Not asked: --all only goes with 'from anyone'."),
        ("M3-BOLT from anyone", 'How much of "M3-BOLT"?'),
    ],
)
async def test_a_request_that_nobody_can_fill_is_refused_with_the_line_to_type(line: str, words: str) -> None:
    world = await three()
    said = world.kim.says(f"!fed request {line}")
    await world.settle()
    assert words in world.answer_to(said)
    assert world.alpha.turn.all(Rota) == []


async def test_a_name_that_nobody_has_exactly_is_answered_with_what_friends_have() -> None:
    world = await three()
    answer = await asks(world, "10 bolt from anyone by friday --all --note for the fair")
    assert 'no space has "bolt" under exactly this name' in answer.text
    assert "1) Bolt M3 (M3-BOLT)" in answer.text, answer.text
    assert rotas(world)[-1].state is RotaState.NOBODY
    assert [m for m in world.room.messages() if m.reactions and "Give" in m.text] == []
    world.kim.says("1", reply_to=answer)
    await world.settle()
    asked = rotas(world)[-1]
    assert (asked.word, int(asked.wanted), asked.note, asked.at_once) == ("M3-BOLT", 10, "for the fair", True)
    assert asked.until == rotas(world)[0].until
    assert asked.state is RotaState.ASKING


async def test_a_name_of_which_friends_have_too_little_or_nothing_similar_suggests_nothing() -> None:
    world = await three()
    assert "Nobody can give" in (await asks(world, "1000 M3-BOLT from anyone")).text
    assert "Nobody can give" in (await asks(world, "1 unicorn from anyone")).text
