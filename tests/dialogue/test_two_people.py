"""Extra care for items of high value: one person's approval moves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from fedbot.rules.model.care import Care
from fedbot.rules.model.lifecycles import TransferState
from tests.dialogue.test_encrypted_rooms import is_encrypted
from tests.dialogue.test_lending import owners_card
from tests.dialogue.test_recovery import is_rebuilt
from tests.fakes.people import Message
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, sharing, told

DONE, OPEN = TransferState.DONE, TransferState.OPEN
NUTS = Care(parts=("M3-NUT",))


async def asked(care: Care = NUTS, words: str = "M3-NUT 10") -> tuple[World, Message]:
    """Betaspace requests an item of Attraktor's that needs care; return Attraktor's card."""
    world = await sharing(alpha={"care": care})
    world.tom.says(f"!fed request {words} from attraktor")
    await world.settle()
    return world, owners_card(world)


async def says_yes(world: World, person: str, card: Message) -> None:
    getattr(world, person).reacts(card, "✅")
    await world.grace()


def state(space: Space) -> TransferState:
    return space.transfer().state


async def test_one_approval_moves_nothing_a_second_by_the_same_person_neither_and_two_people_do() -> None:
    world, card = await asked()
    assert "⚠ High value: two approvers of Attraktor have to approve." in card.text
    await says_yes(world, "piet", card)
    assert state(world.alpha) is OPEN
    assert "approved it" in owners_card(world).text, owners_card(world).text
    line = world.kim.says(f"!fed show {world.alpha.transfer().code}")
    await world.settle()
    assert "Another approver of Attraktor has to approve" in world.answer_to(line)
    second = world.newcomer("piet-phone")  # Piet's other account, the same InvenTree user
    await world.alpha.restart(people={**world.alpha.us.people, second.user_id: "piet"})
    second.reacts(card, "✅")
    await world.grace()
    assert state(world.alpha) is OPEN
    assert told(world.room, "as the same InvenTree user as you")
    await says_yes(world, "kim", card)  # no approver
    assert state(world.alpha) is OPEN
    await says_yes(world, "anna", card)
    assert state(world.alpha) is DONE
    assert "Two people of Attraktor approved it" in owners_card(world).text
    assert_books_balance(world)


@pytest.mark.parametrize("how", ["redacts", "cancels", "loses the right"])
async def test_the_first_approval_can_be_taken_back_and_then_the_other_one_is_the_first(how: str) -> None:
    world, card = await asked()
    reaction = world.piet.reacts(card, "✅")
    await world.grace()
    if how == "redacts":
        world.piet.takes_back(reaction)
    elif how == "cancels":
        world.piet.says(f"!fed cancel {world.alpha.transfer().code}")
    else:
        world.alpha.deactivates("piet")
    await world.settle()
    await says_yes(world, "anna", card)
    assert state(world.alpha) is OPEN
    first = world.alpha.transfer().first_yes
    assert first is not None
    assert first.person == world.anna.user_id


async def test_a_change_voids_both_approvals() -> None:
    world, card = await asked()
    await says_yes(world, "piet", card)
    transfer = world.alpha.transfer()
    changed = replace(transfer, terms=replace(transfer.terms, note="for Gammaspace"))
    world.alpha.knows_instead({("Transfer", transfer.id): changed})
    await says_yes(world, "anna", card)
    assert state(world.alpha) is OPEN
    assert world.alpha.transfer().first_yes is None
    newer = owners_card(world)
    assert newer.event_id != card.event_id
    assert "two approvers of Attraktor have to approve" in newer.text


async def test_the_second_person_decides_the_same_or_nothing() -> None:
    world, card = await asked()
    world.piet.says("!fed approve 5", reply_to=card)
    await world.grace()
    await says_yes(world, "anna", card)
    assert state(world.alpha) is OPEN
    assert told(world.room, "has approved 10 × M3 nut")
    world.anna.says("!fed approve 5", reply_to=card)
    await world.grace()
    assert world.alpha.transfer().granted is not None


async def test_a_restart_between_the_two_loses_neither() -> None:
    world, card = await asked()
    await says_yes(world, "piet", card)
    await world.alpha.restart()
    await world.settle()
    assert state(world.alpha) is OPEN
    await says_yes(world, "anna", card)
    assert state(world.alpha) is DONE
    assert_books_balance(world)


async def test_declining_takes_one_person() -> None:
    world, card = await asked()
    world.piet.reacts(card, "❌")
    await world.grace()
    assert state(world.alpha) is TransferState.DECLINED


async def test_in_an_encrypted_room_the_typed_code_is_enough_and_a_reply_or_a_number_is_not() -> None:
    world, card = await asked()
    await is_encrypted(world)
    world.piet.says("!fed approve", reply_to=card)  # the reply relation isn't encrypted
    await world.grace()
    assert state(world.alpha) is OPEN
    world.anna.says(f"!fed cancel {world.alpha.transfer().code}")
    await world.settle()
    world.piet.says(f"!fed approve {world.alpha.transfer().code}")
    await world.grace()
    assert state(world.alpha) is DONE


async def test_unencrypted_the_typed_code_counts_like_a_reaction_also_where_the_config_says_so() -> None:
    world, _ = await asked()
    world.piet.says(f"!fed approve {world.alpha.transfer().code}")
    await world.grace()
    assert state(world.alpha) is OPEN
    world, card = await asked(replace(NUTS, typed_code=False))
    assert "types" not in card.text
    await is_encrypted(world)
    world.piet.says(f"!fed approve {world.alpha.transfer().code}")
    await world.grace()
    assert state(world.alpha) is OPEN


async def test_our_offer_leaves_when_both_the_receiver_and_a_second_person_of_ours_agree() -> None:
    for order in ("receiver first", "second first", "second says no"):
        world = await friends(alpha={"care": NUTS, "self_approval": True})
        offered = await world.push()
        assert told(world.room, "a second approver of Attraktor has to approve, too")
        card = owners_card(world)
        await says_yes(world, "anna", card)  # the person who asked for it
        if order == "receiver first":
            await says_yes(world, "cem", offered)
            await world.passes(timedelta(hours=1))
            assert state(world.alpha) is OPEN
            assert not told(world.room, "has not answered")
        assert state(world.alpha) is OPEN
        world.piet.reacts(card, "❌" if order == "second says no" else "✅")
        await world.grace()
        if order == "second first":
            assert state(world.alpha) is OPEN
            await says_yes(world, "cem", offered)
        assert state(world.alpha) is (TransferState.CANCELLED if order == "second says no" else DONE)
        assert_books_balance(world)


async def test_after_a_loss_our_offer_is_asked_about_again_and_leaves_once_two_of_us_agree() -> None:
    world = await friends(alpha={"care": NUTS, "self_approval": True})
    offered = await world.push()
    former = owners_card(world)
    await is_rebuilt(world.alpha)
    await world.passes(timedelta(minutes=15))
    card = owners_card(world)
    assert card.event_id != former.event_id
    await says_yes(world, "cem", offered)
    for person in ("anna", "piet"):
        assert state(world.alpha) is OPEN
        await says_yes(world, person, card)
    await world.passes(timedelta(minutes=15))
    assert state(world.alpha) is DONE, world.room.transcript()
    assert_books_balance(world)


async def test_an_offer_to_us_takes_two_people_only_if_the_config_says_so() -> None:
    for taken_in in (True, False):
        world = await friends(beta={"care": Care(categories=("small parts",), taken_in=taken_in)})
        card = await world.push()
        await says_yes(world, "cem", card)
        assert state(world.beta) is (OPEN if taken_in else DONE)
        if taken_in:
            await says_yes(world, "dilek", card)
            assert state(world.beta) is DONE


VALUED = Care(from_value=Decimal(30), currency="EUR", is_dear_without_price=False)


@pytest.mark.parametrize(
    ("price", "currency", "care", "is_dear"),
    [
        ("3.00", "EUR", VALUED, True),
        ("2.99", "EUR", VALUED, False),
        ("3.00", "USD", VALUED, False),
        (None, "EUR", VALUED, False),
        (None, "EUR", replace(VALUED, is_dear_without_price=True), True),
        (None, "EUR", Care(locations=("Workshop",)), True),
    ],
)
async def test_the_value_is_that_of_the_whole_quantity_by_the_prices_in_inventree(
    price: str | None, currency: str, care: Care, is_dear: bool
) -> None:
    world = await sharing(alpha={"care": care})
    nuts = world.alpha.item("M3-NUT").pk
    world.alpha.admin("PATCH", f"stock/{nuts}/", purchase_price=price, purchase_price_currency=currency)
    world.tom.says("!fed request M3-NUT 10 from attraktor")
    await world.settle()
    assert ("High value" in owners_card(world).text) is is_dear
    assert "EUR" not in world.room.transcript()


async def dear(world: World, ipn: str = "M3-NUT") -> None:
    """Anna sets the price of one of them in InvenTree."""
    item = world.alpha.item(ipn).pk
    world.alpha.admin("PATCH", f"stock/{item}/", purchase_price="9.00", purchase_price_currency="EUR")
    await world.settle()


async def two_more_say_yes(world: World) -> None:
    card = owners_card(world)
    assert "High value: two approvers of Attraktor have to approve." in card.text, card.text
    await says_yes(world, "piet", card)
    assert state(world.alpha) in {OPEN, TransferState.BOOKED}
    await says_yes(world, "anna", card)
    assert state(world.alpha) is DONE, world.room.transcript()
    assert_books_balance(world)


@pytest.mark.parametrize("words", ["M3-NUT 10", "M3-NUT 10 from tomorrow for 3 days"])
async def test_an_item_that_became_expensive_after_the_card_takes_two_people(words: str) -> None:
    world = await sharing(alpha={"care": VALUED})
    world.tom.says(f"!fed request M3-NUT 10 from attraktor {words.removeprefix('M3-NUT 10')}".strip())
    await world.settle()
    card = owners_card(world)
    assert "High value" not in card.text
    if "tomorrow" in words:
        await says_yes(world, "piet", card)
        await world.passes(timedelta(days=1))
        card = owners_card(world)
        assert state(world.alpha) is TransferState.BOOKED
    await dear(world)
    await says_yes(world, "piet", card)
    assert not world.beta.stock(part=world.beta.part("N-M3").pk, quantity=Decimal(10))
    assert "tomorrow" in words or told(world.room, "Changed: two people have to approve now.")
    await two_more_say_yes(world)


async def test_an_accepted_grant_that_became_expensive_is_asked_about_again_here_only() -> None:
    world = await sharing(alpha={"care": VALUED})
    world.tom.says("!fed request M3-NUT 20 from attraktor")
    await world.settle()
    world.piet.says("!fed approve 10", reply_to=owners_card(world))
    await world.grace()
    await dear(world)
    world.tom.reacts(world.card(), "✅")
    await world.grace()
    assert state(world.alpha) is OPEN
    less = world.piet.says("!fed approve 5", reply_to=owners_card(world))
    await world.settle()
    assert "all or nothing" in world.answer_to(less).lower(), world.answer_to(less)
    await two_more_say_yes(world)


async def test_our_offer_that_became_expensive_takes_two_of_us_though_the_receiver_agreed() -> None:
    world = await friends(alpha={"care": VALUED})
    offered = await world.push()
    await dear(world)
    await says_yes(world, "cem", offered)
    assert state(world.alpha) is OPEN
    card = owners_card(world)
    await says_yes(world, "piet", card)
    assert state(world.alpha) is DONE
    assert_books_balance(world)
