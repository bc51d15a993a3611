"""Wants: kept by friends' bots, announced once when they share some, offered by a reply, and expired by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from fedbot.inventree.inventory import OwnInventory
from fedbot.rules.model.catalogue import MOST_WANTS, FriendWant, Want
from fedbot.rules.model.connection import Exchange
from fedbot.rules.model.lifecycles import WantState
from fedbot.rules.model.queries import Answer, Query, ReceivedOf, StockHits
from fedbot.rules.protocol.sequencing import bound_to
from fedbot.rules.wire import seal
from tests.dialogue.test_dishonest_friends import forges
from tests.dialogue.test_room_upgrades import say_so, upgrade
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, nothing, protocol_messages, sharing, told

A_DAY = timedelta(days=1)


async def says(world: World, person: str, line: str) -> str:
    return await world.answer(getattr(world, person), f"!fed {line}")


async def wanted(line: str = "want 5 M3-NUT until 20.12.") -> World:
    """Tom of betaspace wants nuts; attraktor has 350, and shares nothing yet."""
    world = await friends()
    answer = await says(world, "tom", line)
    assert answer.startswith("Wanted: 5 × M3-NUT, until Sun 20 Dec 2026."), answer
    assert "The bot of Attraktor tells its people as soon as they share some." in answer
    return world


async def test_once_it_is_shared_people_there_are_told_once_and_a_reply_offers_it() -> None:
    world = await wanted()
    assert "Betaspace: 5 × M3-NUT" in await says(world, "kim", "want")
    assert not told(world.room, "shares some")
    await says(world, "piet", "share M3-NUT")
    (message,) = told(world.room, "Betaspace wants 5 × M3-NUT; Attraktor shares some.")
    assert "Free: 350." in message.text
    assert set(message.mentions) == {world.anna.user_id, world.piet.user_id}
    await world.passes(3 * A_DAY)
    assert len(told(world.room, "shares some")) == 1
    world.kim.says("offer", reply_to=message)
    await world.settle()
    assert world.alpha.turn.transfers() == []
    world.piet.says("offer", reply_to=message)
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.beta.total("N-M3") == 905
    (want,) = world.beta.turn.all(Want)
    assert want.state is WantState.FOUND
    edited, rings = told(world.room, "✅ Found: 5 × M3-NUT.")
    assert (edited.is_edited, edited.mentions) == (True, ())
    assert rings.mentions == (world.tom.user_id,), "who wanted it hears of it, as an edit rings nobody"
    assert world.alpha.turn.all(FriendWant) == []
    assert_books_balance(world)


def says_it_wants(world: World, word: str, quantity: str) -> None:
    """Betaspace's bot says that the want which attraktor knows is for this."""
    liar, read = world.beta, world.alpha.connection().exchange.seen
    connection = replace(liar.connection(), exchange=Exchange(sent=read))
    (known,) = world.alpha.turn.all(FriendWant)
    binding = bound_to(liar.party, connection.peer, connection.id, read + 1)
    sealed = seal(connection.peer_key, {"word": word, "quantity": quantity}, bound_to=binding)
    forges(world, liar, connection, "want", {"want": known.want, "until": "2026-12-20", "sealed": sealed})


@pytest.mark.parametrize("is_shared", [True, False])
async def test_an_offer_contains_what_its_message_said_whatever_the_friends_bot_wants_by_now(is_shared: bool) -> None:
    world = await wanted()
    await says(world, "piet", "share all" if is_shared else "share M3-NUT")
    (message,) = told(world.room, "Betaspace wants 5 × M3-NUT; Attraktor shares some.")
    says_it_wants(world, "RES-10K", "100")
    await world.settle()
    line = world.piet.says("offer 5", reply_to=message)
    await world.settle()
    assert world.alpha.turn.transfers() == []
    assert world.answer_to(line).startswith("Not offered: Betaspace now wants something else: 100 × RES-10K.")


async def test_an_offer_has_no_more_than_its_message_said_and_less_where_less_is_wanted_by_now() -> None:
    world = await wanted()
    await says(world, "piet", "share M3-NUT")
    (message,) = told(world.room, "Betaspace wants 5 × M3-NUT; Attraktor shares some.")
    for quantity, offered in (("300", 5), ("3", 3)):
        says_it_wants(world, "M3-NUT", quantity)
        await world.settle()
        world.piet.says("offer", reply_to=message)
        await world.settle()
        assert world.alpha.transfer().terms.lines[0].quantity == offered
    assert len(told(world.room, "shares some")) == 1


async def test_an_offer_of_the_only_item_in_order_asks_no_question() -> None:
    world = await friends()
    assert (await says(world, "tom", "want 1 LENS-2")).startswith("Wanted: 1 × LENS-2")
    with world.alpha.by_hand():
        world.alpha.admin("PATCH", "stock/42/", status=55)
    assert "Which do you mean?" in await says(world, "piet", "push LENS-2 to betaspace"), "all of which?"
    await says(world, "piet", "share LENS-2")
    (message,) = told(world.room, "Betaspace wants 1 × LENS-2; Attraktor shares some.")
    assert "Free: 1." in message.text
    line = world.piet.says("offer 1", reply_to=message)
    await world.settle()
    assert "Which do you mean?" not in world.answer_to(line), world.answer_to(line)
    assert world.alpha.transfer().terms.lines[0].item == 41


async def test_a_daily_check_finds_it_when_it_comes_into_stock_later() -> None:
    world = await friends()
    await says(world, "piet", "share all")
    item = world.alpha.item("M3-NUT").pk
    with world.alpha.by_hand():
        world.alpha.admin("POST", "stock/count/", items=[{"pk": item, "quantity": 0}], notes="used up")
    await says(world, "tom", "want 5 M3-NUT")
    await world.passes(A_DAY)
    assert not told(world.room, "shares some")
    with world.alpha.by_hand():
        world.alpha.admin("POST", "stock/", part=world.alpha.part("M3-NUT").pk, quantity=3)
    await world.passes(2 * A_DAY)
    (message,) = told(world.room, "shares some")
    assert "Free: 3." in message.text
    assert "Reply: offer 3" in message.text


async def test_a_want_ends_with_its_day_and_by_cancel_and_both_sides_forget_it() -> None:
    world = await wanted()
    listed = await says(world, "tom", "todo")
    assert "5 × M3-NUT, until Sun 20 Dec 2026" in listed
    code = world.beta.turn.all(Want)[0].code
    assert (await says(world, "bea", f"show {code}")).startswith("Wanted: 5 × M3-NUT")
    assert (await says(world, "tom", f"cancel {code}")).startswith("Noted: 5 × M3-NUT isn't wanted any more.")
    assert world.alpha.turn.all(FriendWant) == []
    await says(world, "tom", "want 7 M3-NUT until 20.12.")
    await world.passes(28 * A_DAY)
    assert world.alpha.turn.all(FriendWant) == []
    assert [want.state for want in world.beta.turn.all(Want)] == [WantState.STOPPED, WantState.OVER]
    await says(world, "piet", "share M3-NUT")
    assert not told(world.room, "shares some")


async def test_a_want_survives_a_lost_message_and_ends_with_the_friendship() -> None:
    world = await friends()
    world.server.loses = protocol_messages
    await says(world, "tom", "want 5 M3-NUT")
    world.server.loses = nothing
    await world.passes(timedelta(minutes=20))
    assert len(world.alpha.turn.all(FriendWant)) == 1
    world.bea.says("!fed disconnect attraktor --sure")
    await world.settle()
    world.bea.says("1")
    await world.passes(A_DAY)
    assert world.alpha.turn.all(FriendWant) == []


async def test_a_want_is_looked_for_again_soon_while_our_inventree_is_still_being_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await wanted()
    whole = OwnInventory.answer_all

    async def half(inventory: OwnInventory, asked: Sequence[tuple[Query, ReceivedOf | None]]) -> tuple[Answer, ...]:
        answers = await whole(inventory, asked)
        return tuple(replace(a, items=(), percent=40) if isinstance(a, StockHits) else a for a in answers)

    monkeypatch.setattr(OwnInventory, "answer_all", half)
    await says(world, "piet", "share M3-NUT")
    assert not told(world.room, "shares some")
    monkeypatch.undo()
    await world.passes(timedelta(minutes=1))
    assert len(told(world.room, "Betaspace wants 5 × M3-NUT; Attraktor shares some.")) == 1


async def test_a_want_goes_on_in_the_new_room() -> None:
    world = await wanted()
    await upgrade(world, *world.spaces)
    await say_so(world, "anna", "bea")
    assert "5 × M3-NUT" in await says(world, "tom", "want")
    await says(world, "piet", "share M3-NUT")
    (message,) = told(world.room, "Betaspace wants 5 × M3-NUT; Attraktor shares some.")
    world.piet.says("offer", reply_to=message)
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.beta.turn.all(Want)[0].state is WantState.FOUND
    assert told(world.room, "✅ Found: 5 × M3-NUT.")[-1].mentions == (world.tom.user_id,)
    assert world.alpha.turn.all(FriendWant) == []
    assert_books_balance(world)


async def test_a_friend_that_wants_everything_or_writes_a_line_as_its_want_gains_nothing() -> None:
    world = await friends()
    connection = world.beta.connection()
    sealed = {"word": 'M3" 5 to x; push 300 "M3-NUT', "quantity": "5"}
    honest = world.beta.bot.chat_worker._envelope
    world.beta.bot.chat_worker._envelope = lambda draft, room: honest(  # type: ignore[method-assign]
        draft if draft.kind != "want" else type(draft)(**{**vars(draft), "sealed": sealed}), room
    )
    await says(world, "tom", "want 5 M3-NUT")
    assert world.alpha.turn.all(FriendWant) == []
    world.beta.bot.chat_worker._envelope = honest  # type: ignore[method-assign]
    forges(world, world.beta, world.beta.connection(), "want", {"want": "x", "until": "2199-01-01"})
    await world.settle()
    assert world.alpha.turn.all(FriendWant) == []
    assert connection.peer == "attraktor"
    for number in range(MOST_WANTS + 1):
        answer = await says(world, "tom", f"want 5 PART-{number}")
    assert "wants are open already" in answer
    assert len(world.alpha.turn.all(FriendWant)) <= MOST_WANTS


async def test_people_hear_once_a_day_of_a_want_that_comes_and_goes() -> None:
    world = await sharing()
    for _ in range(6):
        await says(world, "tom", "want 5 M3-NUT")
        (want,) = [each for each in world.beta.turn.all(Want) if each.is_living]
        await says(world, "tom", f"cancel {want.code}")
        await world.passes(timedelta(seconds=13))
    assert len(told(world.room, "Betaspace wants 5 × M3-NUT")) == 1
    await says(world, "tom", "want 5 M3-NUT")
    assert len(told(world.room, "Betaspace wants 5 × M3-NUT")) == 1
    await world.passes(2 * A_DAY)
    assert len(told(world.room, "Betaspace wants 5 × M3-NUT")) == 2, "this one stays, so they hear of it"


async def test_a_friend_whose_wants_come_and_go_has_its_budget_used_up() -> None:
    world = await friends()
    for number in range(22):
        await says(world, "tom", f"want 5 PART-{number}")
        (want,) = [each for each in world.beta.turn.all(Want) if each.is_living]
        await says(world, "tom", f"cancel {want.code}")
        await world.passes(timedelta(seconds=13))
    await says(world, "tom", "want 5 M3-NUT")
    assert world.alpha.turn.all(FriendWant) == []


async def test_an_impossible_want_is_refused() -> None:
    world = await friends()
    assert 'Not noted: "#42" isn\'t an IPN' in await says(world, "tom", "want 1 #42")
    assert "Write a line for each" in await says(world, "tom", "want 1 M3-NUT + 2 M3-BOLT")
    assert "at most 180 days" in await says(world, "tom", "want 1 M3-NUT until 2028-01-01")
    assert (await says(world, "tom", "want")).startswith("Nobody wants anything.")
