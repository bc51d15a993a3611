"""UC3: one space requests something from another; the owner decides and may grant less."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from fedbot.rules.model.lifecycles import TransferState
from fedbot_demo.inventree.faults import Fault, FaultKind
from tests.fakes.people import Message, Person
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, sharing, told

A_WEEK = timedelta(days=7)
DOWN = Fault(FaultKind.REFUSED, times=None)
DOWN_BUT_FOR_PEOPLE = Fault(FaultKind.REFUSED, path="/api/(?!user/)", times=None)
"""Users can still be read, because without that nobody can request anything."""


async def request(world: World, words: str = "50 M3-BOLT", by: Person | None = None) -> Message:
    """Somebody of betaspace requests something from attraktor; return the card of attraktor's bot."""
    await asks(world, words, by)
    return world.room.message("Betaspace asks Attraktor for")


async def asks(world: World, words: str, by: Person | None = None) -> str:
    line = (by or world.tom).says(f"!fed request {words} from attraktor")
    await world.settle()
    return line


def states(world: World) -> tuple[TransferState, TransferState]:
    return world.alpha.transfer().state, world.beta.transfer().state


def both(state: TransferState) -> tuple[TransferState, TransferState]:
    return state, state


def bolts(world: World) -> tuple[int, int]:
    """The M3 bolts in stock: at attraktor (210 at first), at betaspace (12)."""
    return int(world.alpha.total("M3-BOLT")), int(world.beta.total("M3-BOLT"))


def assert_nothing_moved(world: World) -> None:
    assert bolts(world) == (210, 12)
    assert_books_balance(world)


def assert_moved(world: World, quantity: int) -> None:
    """Exactly that much left attraktor and arrived at betaspace."""
    assert bolts(world) == (210 - quantity, 12 + quantity)
    assert_books_balance(world)


# --- success ---


async def test_requested_items_move_once_the_owner_has_approved() -> None:
    world = await sharing()
    world.tom.says("!fed request M3-BOLT 50 from attraktor --note for Saturday")
    await world.settle()
    card = world.room.message("Give it?")
    answer = world.room.message("Asked Attraktor for 50 × M3-BOLT")
    assert not answer.mentions
    assert card.name == "Attraktor bot"
    assert set(card.mentions) == {world.anna.user_id, world.piet.user_id}
    assert 'Asked by Tom (Betaspace): "for Saturday"' in card.text
    assert_nothing_moved(world)
    world.piet.reacts(card, "✅")
    await world.grace()
    assert states(world) == both(TransferState.DONE)
    assert_moved(world, 50)
    end = world.room.message("is at Betaspace")
    assert set(end.mentions) == {world.tom.user_id, world.piet.user_id}
    assert "Asked by Tom, accepted by Piet (Attraktor)" in end.text
    notes = world.beta.history(world.beta.transfer().at(1).item or 0)
    assert any(
        "received from Attraktor (attraktor), asked by Tom (@tom:twin.test, InvenTree user tom), approved by Piet"
        in note
        for note in notes
    )


async def test_the_events_of_a_request_are_within_a_homeservers_limits() -> None:
    world = await sharing()
    before = len(world.server.log)
    card = await request(world)
    world.piet.reacts(card, "✅")
    await world.grace()
    bots = [space.chat.user_id for space in world.spaces]
    kinds = {"m.room.message", "m.reaction", "dev.fedbot.envelope", "m.room.redaction"}
    sent = [e["sender"] for e in world.server.log[before:] if e["sender"] in bots and e["type"] in kinds]
    assert len(sent) <= 9
    assert max(sent.count(bot) for bot in bots) <= 6


async def test_a_serialised_item_is_requested_without_a_quantity() -> None:
    world = await sharing()
    card = await request(world, "LENS-2#0042")
    assert "1 × Laser lens 2.0″ ZnSe (LENS-2, serial 0042)" in card.text
    world.piet.reacts(card, "✅")
    await world.grace()
    assert states(world) == both(TransferState.DONE)
    assert world.alpha.row(42).customer is not None
    assert world.beta.item("LENS-2", serial="0042").customer is None


async def test_the_smallest_stock_item_that_has_enough_is_taken() -> None:
    world = await sharing()
    card = await request(world, "100 M3-BOLT")
    assert "Drawer A3" in card.text
    world.piet.reacts(card, "✅")
    await world.grace()
    assert_moved(world, 100)


async def test_several_lines_are_one_card_and_one_decision() -> None:
    world = await sharing()
    await asks(world, "50 M3-BOLT + 5 RES-10K")
    card = world.room.message("Give them?")
    world.piet.reacts(card, "✅")
    await world.grace()
    assert states(world) == both(TransferState.DONE)
    assert bolts(world) == (160, 62)
    assert world.beta.total("RES-10K") == 45


async def test_the_owners_metadata_of_an_item_is_sent_only_once_the_item_has_left() -> None:
    world = await sharing()
    item = world.alpha.item("M3-BOLT", batch="2025-11")
    world.alpha.tables.write_metadata("stockitem", item.pk, {"colour": "blue"})
    card = await request(world)
    sealed = [e["kind"] for e in world.room.envelopes(sender=world.alpha.chat.user_id) if "sealed" in e["body"]]
    assert sealed == []
    world.piet.reacts(card, "✅")
    await world.grace()
    sealed = [e["kind"] for e in world.room.envelopes(sender=world.alpha.chat.user_id) if "sealed" in e["body"]]
    assert sealed == ["sent"]
    received = world.beta.transfer().at(1)
    metadata = world.beta.tables.metadata_of("stockitem", received.item or 0)
    assert metadata is not None
    assert "blue" in str(metadata.content)


# --- the line ---


async def test_a_missing_quantity_is_asked_about() -> None:
    world = await sharing()
    line = await asks(world, "M3-BOLT")
    (answer,) = world.room.answers(line)
    assert answer.text.startswith('How much of "M3-BOLT"?')
    assert world.beta.turn.transfers() == []


async def test_two_numbers_are_asked_about_and_a_number_answers() -> None:
    world = await sharing()
    line = await asks(world, "2 Cap screw M3 4")
    (answer,) = world.room.answers(line)
    assert '1) 2 × "Cap screw M3 4"' in answer.text
    world.tom.says("2", reply_to=answer)
    await world.settle()
    (terms,) = [t.terms for t in world.beta.turn.transfers()]
    assert [(line.description.name, int(line.quantity)) for line in terms.lines] == [("2 Cap screw M3", 4)]


async def test_nothing_is_requested_from_a_space_that_is_no_friend() -> None:
    world = await World().start()
    line = await asks(world, "50 M3-BOLT")
    (answer,) = world.room.answers(line)
    assert "aren't friends yet" in answer.text
    assert world.beta.turn.transfers() == []


# --- refusals ---


async def test_the_owner_declines() -> None:
    world = await sharing()
    card = await request(world)
    world.piet.reacts(card, "❌")
    await world.grace()
    assert states(world) == both(TransferState.DECLINED)
    end = world.room.messages()[-1]
    assert set(end.mentions) == {world.tom.user_id, world.piet.user_id}
    assert "Declined" in end.text
    assert "By Piet (Attraktor)" in end.text
    assert_nothing_moved(world)


async def test_a_request_that_nobody_decides_expires() -> None:
    world = await sharing()
    await request(world)
    await world.passes(A_WEEK + timedelta(minutes=10))
    assert states(world) == both(TransferState.EXPIRED)
    assert world.tom.user_id in world.room.message("Nobody at Attraktor decided").mentions
    assert_nothing_moved(world)


async def test_the_requester_cancels() -> None:
    world = await sharing()
    await request(world)
    answer = world.room.message("Asked Attraktor for")
    world.tom.says("!fed cancel", reply_to=answer)
    await world.settle()
    assert states(world) == both(TransferState.CANCELLED)
    assert "By Tom (Betaspace)" in world.room.message("Cancelled: ").text
    assert_nothing_moved(world)


async def test_only_the_requester_or_an_approver_of_the_requesting_space_can_cancel() -> None:
    world = await sharing()
    await request(world, by=world.dilek)
    answer = world.room.message("Asked Attraktor for")
    line = world.tom.says("!fed cancel", reply_to=answer)
    await world.settle()
    assert "isn't yours" in world.room.answers(line)[0].text
    assert states(world) == both(TransferState.OPEN)
    world.cem.says("!fed cancel", reply_to=answer)
    await world.settle()
    assert states(world) == both(TransferState.CANCELLED)


async def test_the_owner_does_not_cancel_but_decline() -> None:
    world = await sharing()
    card = await request(world)
    line = world.anna.says("!fed cancel", reply_to=card)
    await world.settle()
    assert "!fed decline" in world.room.answers(line)[0].text
    assert states(world) == both(TransferState.OPEN)


async def test_only_the_owners_approvers_decide() -> None:
    world = await sharing()
    card = await request(world)
    for person in (world.tom, world.cem, world.kim):
        world.clock.advance(1)
        person.reacts(card, "✅")
    await world.grace()
    assert states(world) == both(TransferState.OPEN)
    assert len([m for m in world.room.answers(card) if "Not counted" in m.text]) == 3
    assert_nothing_moved(world)


async def test_a_quantity_that_no_single_item_has_is_given_from_several_on_one_card() -> None:
    world = await sharing()
    await asks(world, "1 LENS-2#0042 + 150 M3-BOLT")
    card = world.room.message("Give them?")
    assert card.text.startswith("Betaspace asks Attraktor for 1 × Laser lens 2.0″ ZnSe and 150 × M3 bolt")
    assert "Box 7" in card.text
    world.piet.reacts(card, "✅")
    await world.grace()
    assert states(world) == both(TransferState.DONE)
    assert [line.quantity for line in world.beta.transfer().terms.lines] == [1, 120, 30]
    assert_moved(world, 150)
    assert "are at Betaspace" in world.room.transcript()
    assert world.room.message("✅ Done:").text.count("At Betaspace: stock #") == 3


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("5 flux capacitor", "Attraktor shares nothing of exactly that name"),
        ("1 Workshop vice", "Attraktor shares nothing of exactly that name"),
        ("500 M3-BOLT", "not that much free"),
        ("1 PLY-4-BIRCH + 5 flux capacitor", "Because of 5 × flux capacitor: Attraktor shares nothing of"),
        ("500 M3-BOLT + 1 PLY-4-BIRCH", "Because of 500 × M3-BOLT: Attraktor has some of it, but not that much free"),
    ],
)
async def test_a_request_that_can_not_be_filled_is_declined_with_the_reason(words: str, why: str) -> None:
    world = await sharing()
    await asks(world, words)
    assert states(world) == both(TransferState.DECLINED)
    end = world.room.messages()[-1]
    assert end.name == "Attraktor bot"
    assert world.tom.user_id in end.mentions
    assert why in end.text
    assert ("Or ask for the rest without it." in end.text) == ("+" in words)
    of_line = 2 if "+ 5" in words else 1
    assert [space.transfer().because_of for space in world.spaces] == [of_line] * 2
    assert_nothing_moved(world)


async def test_an_item_of_a_third_space_is_not_given() -> None:
    world = await sharing()
    state = world.alpha.tables
    for row in world.alpha.stock(part=world.alpha.item("NOZ-04").part):
        content = {"fedbot": {"item": row.pk, "origin": "gammaspace", "transfer": "x" * 20}}
        state.write_metadata("stockitem", row.pk, content)
    await asks(world, "5 NOZ-04")
    assert states(world) == both(TransferState.DECLINED)
    assert "came from a third space" in world.room.messages()[-1].text


async def test_both_sides_say_that_the_asker_has_cancelled_it() -> None:
    world = await sharing()
    await asks(world, "5 NOZ-04")
    code = world.alpha.transfer().code
    world.tom.says(f"!fed cancel {code}")
    await world.settle()
    assert states(world) == both(TransferState.CANCELLED)
    assert {space.transfer().decided.party for space in world.spaces} == {"betaspace"}  # type: ignore[union-attr]
    assert not told(world.room, "@Tom Cancelled"), "he knows, and the card shows it"
    assert any(m.text.startswith("Cancelled: 5 × ") for m in world.room.messages())
    assert "Tom took it back" in await world.answer(world.tom, f"!fed history {code}")


async def test_a_request_without_a_matching_part_is_cancelled_and_the_requester_told_what_helps() -> None:
    world = await sharing()
    await asks(world, "5 PLY-4-BIRCH")
    assert states(world) == both(TransferState.CANCELLED)
    assert world.tom.user_id in world.room.messages()[-1].mentions
    told = world.room.message("Taken back")
    assert "In InvenTree: create a part with the same IPN" in told.text
    card = next(m for m in world.room.messages() if m.text.startswith("Cancelled:"))
    world.piet.reacts(card, "✅")
    await world.grace()
    assert "A bot cancelled it" in world.room.messages()[-1].text
    assert_nothing_moved(world)


async def test_a_missing_part_is_created_with_the_first_item_where_that_is_allowed() -> None:
    world = await sharing(beta={"new_part_category": "Material"})
    card = await request(world, "5 PLY-4-BIRCH")
    world.piet.reacts(card, "✅")
    await world.grace()
    assert states(world) == both(TransferState.DONE)
    assert world.beta.total("PLY-4-BIRCH") == 5


# --- smaller grants ---


async def granted(world: World, words: str = "!fed approve 20") -> Message:
    """Piet grants less; return the card that betaspace's bot posts for the requester."""
    card = await request(world)
    world.piet.says(words, reply_to=card)
    await world.grace()
    return world.room.message("Attraktor can give Betaspace less than asked")


async def test_the_requester_accepts_a_smaller_grant() -> None:
    world = await sharing()
    card = await granted(world)
    assert card.name == "Betaspace bot"
    assert card.mentions[0] == world.tom.user_id
    assert_nothing_moved(world)
    assert "less than Betaspace asked for" in world.room.message("granted by Piet").text
    world.tom.reacts(card, "✅")
    await world.grace()
    assert states(world) == both(TransferState.DONE)
    assert_moved(world, 20)


async def test_an_approver_of_the_requesting_space_may_accept_a_smaller_grant() -> None:
    world = await sharing()
    card = await granted(world)
    world.cem.reacts(card, "✅")
    await world.grace()
    assert_moved(world, 20)


async def test_less_is_granted_by_the_id_too() -> None:
    world = await sharing()
    await request(world)
    world.piet.says(f"!fed approve {world.alpha.transfer().code} 20")
    await world.grace()
    world.tom.reacts(world.room.message("less than asked"), "✅")
    await world.grace()
    assert_moved(world, 20)


async def test_the_owner_can_not_accept_for_the_requesting_space() -> None:
    world = await sharing()
    card = await granted(world)
    world.piet.reacts(card, "✅")
    owners = world.room.message("granted by Piet")
    world.anna.reacts(owners, "✅")
    await world.grace()
    assert states(world) == both(TransferState.OPEN)
    assert_nothing_moved(world)


async def test_the_requester_declines_a_smaller_grant() -> None:
    world = await sharing()
    card = await granted(world)
    world.tom.reacts(card, "❌")
    await world.grace()
    assert states(world) == both(TransferState.DECLINED)
    assert "By Tom (Betaspace)" in world.room.messages()[-1].text
    assert_nothing_moved(world)


async def test_a_smaller_grant_that_nobody_accepts_expires() -> None:
    world = await sharing()
    await granted(world)
    await world.passes(A_WEEK + timedelta(minutes=10))
    assert states(world) == both(TransferState.EXPIRED)
    assert_nothing_moved(world)


async def test_the_owner_cancels_a_smaller_grant() -> None:
    world = await sharing()
    await granted(world)
    world.piet.says("!fed cancel", reply_to=world.room.message("granted by Piet"))
    await world.settle()
    assert states(world) == both(TransferState.CANCELLED)
    assert_nothing_moved(world)


async def test_the_requester_cancels_although_less_was_granted() -> None:
    world = await sharing()
    card = await granted(world)
    world.tom.says("!fed cancel", reply_to=card)
    await world.settle()
    assert states(world) == both(TransferState.CANCELLED)
    assert_nothing_moved(world)


@pytest.mark.parametrize(("less", "lines"), [(20, [20]), (120, [120]), (140, [120, 20])])
async def test_a_smaller_grant_from_two_locations_uses_the_first_ones(less: int, lines: list[int]) -> None:
    world = await sharing()
    card = await request(world, "150 M3-BOLT")
    assert "!fed approve 75" in card.text
    line = world.piet.says(f"!fed approve {less}", reply_to=card)
    await world.grace()
    assert world.answer_to(line).startswith(f"Noted: {less} of 150 × M3 bolt (")
    world.tom.reacts(world.room.message("Attraktor can give Betaspace less than asked"), "✅")
    await world.grace()
    assert states(world) == both(TransferState.DONE)
    for space in world.spaces:
        assert [line.quantity for line in space.transfer().terms.lines] == lines
        assert [progress.number for progress in space.transfer().progress] == [n + 1 for n in range(len(lines))]
    assert_moved(world, less)


async def test_the_whole_quantity_in_two_locations_is_granted_by_its_sum_and_no_more() -> None:
    world = await sharing()
    card = await request(world, "150 M3-BOLT")
    line = world.piet.says("!fed approve 151", reply_to=card)
    await world.grace()
    assert "151 is more than the requested 150" in world.answer_to(line)
    world.piet.says("!fed approve 150", reply_to=card)
    await world.grace()
    assert_moved(world, 150)


async def test_several_parts_are_all_or_nothing() -> None:
    world = await sharing()
    card = await request(world, "1 LENS-2#0042 + 50 M3-BOLT")
    assert "To grant less" not in card.text
    line = world.piet.says("!fed approve 20", reply_to=card)
    await world.grace()
    assert "It has several parts, so you can only approve all or nothing." in world.answer_to(line)
    assert states(world) == both(TransferState.OPEN)


async def test_the_card_says_how_to_send_it_by_parcel_because_no_reaction_does() -> None:
    world = await sharing()
    card = await request(world)
    assert "📦" not in card.reactions
    assert "📦 by parcel" in card.text
    world.piet.says("!fed approve 20 --parcel", reply_to=card)
    await world.grace()
    less = world.room.message("Attraktor can give Betaspace less than asked")
    assert "📦 yes, not here yet" in less.text


async def test_granting_all_of_it_is_a_plain_approval() -> None:
    world = await sharing()
    card = await request(world)
    world.piet.says("!fed approve 50", reply_to=card)
    await world.grace()
    assert_moved(world, 50)


@pytest.mark.parametrize(
    ("quantity", "answer"),
    [
        ("60", "more than the requested 50"),
        ("0", "isn't a quantity"),
        ("-3", "isn't a quantity"),
        ("1.000", "is that"),
        ("some", "don't understand"),
    ],
)
async def test_an_impossible_quantity_is_not_granted(quantity: str, answer: str) -> None:
    world = await sharing()
    await request(world)
    line = world.piet.says(f"!fed approve {world.alpha.transfer().code} {quantity}")
    await world.grace()
    assert answer in world.room.answers(line)[0].text
    assert states(world) == both(TransferState.OPEN)
    assert world.alpha.transfer().granted is None


async def test_an_offer_can_not_be_accepted_in_part() -> None:
    world = await sharing()
    card = await world.push("10 #1")
    line = world.cem.says("!fed approve 5", reply_to=card)
    await world.grace()
    assert "you can't choose a part" in world.room.answers(line)[0].text
    assert states(world) == both(TransferState.OPEN)


# --- outages ---


async def test_the_owners_inventree_is_down_when_the_request_comes() -> None:
    world = await sharing()
    world.alpha.transport.faults.add(DOWN)
    line = await asks(world, "50 M3-BOLT")
    await world.passes(timedelta(minutes=3))
    waiting = [
        m
        for m in world.room.messages(sender=world.alpha.chat.user_id)
        if "waited for the InvenTree of Attraktor" in m.text
    ]
    assert len(waiting) == 1
    assert waiting[0].thread == world.room.answers(line)[0].event_id
    world.alpha.transport.faults.clear()
    await world.passes(timedelta(minutes=10))
    world.piet.reacts(world.room.message("Give it?"), "✅")
    await world.grace()
    assert_moved(world, 50)


async def test_the_owners_inventree_is_down_at_the_approval() -> None:
    world = await sharing()
    card = await request(world)
    world.alpha.transport.faults.add(DOWN)
    world.piet.reacts(card, "✅")
    await world.grace()
    assert "can't read your permissions" in world.room.transcript()
    assert states(world) == both(TransferState.OPEN)
    assert_nothing_moved(world)


async def test_the_owners_inventree_goes_down_before_the_stock_is_booked_out() -> None:
    world = await sharing()
    card = await request(world)
    world.alpha.transport.faults.add(Fault(FaultKind.REFUSED, method="POST", path="stock/transfer", times=None))
    world.piet.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=3))
    assert world.alpha.transfer().state is TransferState.DEBITING
    assert bolts(world) == (210, 12)
    world.alpha.transport.faults.clear()
    await world.passes(timedelta(minutes=10))
    assert states(world) == both(TransferState.DONE)
    assert_moved(world, 50)


async def test_it_leaves_before_the_requesting_space_knows_its_destination() -> None:
    world = await sharing()
    world.beta.transport.faults.add(DOWN_BUT_FOR_PEOPLE)
    card = await request(world)
    world.piet.reacts(card, "✅")
    await world.grace()
    assert states(world) == (TransferState.SENT, TransferState.CREDITING)
    world.beta.transport.faults.clear()
    await world.passes(timedelta(minutes=10))
    assert states(world) == both(TransferState.DONE)
    assert_moved(world, 50)


async def test_it_leaves_although_the_requesting_space_has_no_part_for_it_and_is_taken_back() -> None:
    world = await sharing()
    world.beta.transport.faults.add(DOWN_BUT_FOR_PEOPLE)
    card = await request(world, "5 PLY-4-BIRCH")
    world.piet.reacts(card, "✅")
    await world.grace()
    assert world.alpha.total("PLY-4-BIRCH") == 37
    world.beta.transport.faults.clear()
    await world.passes(timedelta(minutes=10))
    assert states(world) == both(TransferState.REVERTED)
    assert world.alpha.total("PLY-4-BIRCH") == 42


async def test_a_late_cancellation_does_not_stop_it_from_being_booked_in() -> None:
    world = await sharing()
    card = await request(world)
    world.piet.reacts(card, "✅")
    await world.settle()
    await world.passes(timedelta(seconds=6), asleep=(world.beta,))
    assert world.alpha.transfer().state is TransferState.SENT
    world.server.loses = lambda user, event: False
    world.tom.says("!fed cancel", reply_to=world.room.message("Asked Attraktor for"))
    await world.settle()
    assert states(world) == both(TransferState.DONE)
    assert_moved(world, 50)


async def test_it_is_taken_back_if_the_requesting_spaces_inventree_refuses_it() -> None:
    world = await sharing()
    card = await request(world)
    fault = Fault(FaultKind.ERROR_BEFORE, method="POST", path="/api/stock/$", status=400, times=None)
    world.beta.transport.faults.add(fault)
    world.piet.reacts(card, "✅")
    await world.grace()
    await world.passes(timedelta(minutes=1))
    assert states(world) == both(TransferState.REVERTED)
    assert bolts(world) == (210, 12)
    source = world.alpha.transfer().terms.lines[0].item
    assert world.alpha.transfer().at(1).item == source
    assert f"It was put back into stock #{source}." in world.room.transcript()


async def test_the_owners_permission_is_lost_within_the_grace() -> None:
    world = await sharing()
    card = await request(world)
    world.piet.reacts(card, "✅")
    await world.settle()
    users = world.alpha.tables.users
    piet = next(user for user in users if user.username == "piet")
    users.put(replace(piet, groups=()))
    await world.grace()
    assert states(world) == both(TransferState.OPEN)
    assert_nothing_moved(world)


async def test_the_stock_is_gone_before_the_owner_approves() -> None:
    world = await sharing()
    card = await request(world)
    item = world.alpha.item("M3-BOLT", batch="2025-11")
    world.alpha.tables.stock.put(replace(item, quantity=type(item.quantity)(3)))
    world.piet.reacts(card, "✅")
    await world.grace()
    assert states(world) == both(TransferState.ABORTED)
    assert "there isn't that much of it left" in world.room.messages()[-1].text


async def test_a_silent_bot_of_the_owner_is_reported_once() -> None:
    world = await sharing()
    world.tom.says("!fed request 50 M3-BOLT from attraktor")
    await world.settle(asleep=(world.alpha,))
    await world.passes(timedelta(hours=5), asleep=(world.alpha,))
    silent = [m for m in world.room.messages() if "has not answered for 11 minutes" in m.text]
    assert len(silent) == 1
    world.tom.says("!fed cancel", reply_to=silent[0])
    await world.settle()
    assert world.beta.transfer().state is TransferState.CANCELLED


@pytest.mark.parametrize("who", ["alpha", "beta"])
async def test_a_restart_at_any_moment_changes_nothing(who: str) -> None:
    world = await sharing()
    space: Space = getattr(world, who)
    card = await request(world)
    await space.restart()
    await world.settle()
    world.piet.says("!fed approve 20", reply_to=card)
    await world.settle()
    await space.restart()
    await world.grace()
    await space.restart()
    world.tom.reacts(world.room.message("less than asked"), "✅")
    await world.settle()
    await space.restart()
    await world.grace()
    await world.passes(timedelta(minutes=20))
    assert states(world) == both(TransferState.DONE)
    assert bolts(world) == (190, 32)


async def test_a_second_request_leaves_out_what_another_open_request_wants() -> None:
    world = await sharing()
    first = await request(world, "90 M3-BOLT")
    assert first.text
    second = await request(world, "50 M3-BOLT", world.bea)
    assert second.text
    by_quantity = {t.terms.lines[0].quantity: t.terms.lines for t in world.alpha.turn.transfers()}
    assert {line.item for line in by_quantity[Decimal(90)]} == {2}
    assert {line.item for line in by_quantity[Decimal(50)]} == {1}


async def test_our_people_decide_where_two_want_the_same() -> None:
    world = await sharing()
    await request(world, "90 M3-BOLT")
    await request(world, "200 M3-BOLT", world.bea)
    assert [t.state for t in world.alpha.turn.transfers()] == [TransferState.OPEN, TransferState.OPEN]


async def test_an_item_requested_by_number_is_called_by_name_once_that_is_known() -> None:
    world = await sharing()
    line = world.tom.says("!fed borrow 1 #42 from attraktor for 2 weeks")
    await world.settle()
    assert "Asked Attraktor for 1 × Laser lens" in world.answer_to(line)
    named = world.tom.says("!fed request 5 M3-NUT from attraktor")
    await world.settle()
    assert "Asked Attraktor for 5 × M3-NUT" in world.answer_to(named)


async def test_a_number_alone_is_the_quantity_and_keeps_everything_typed() -> None:
    world = await sharing()
    line = world.bea.says('!fed borrow LENS-2 from attraktor over the weekend --note "for the fair"')
    await world.settle()
    assert world.answer_to(line) == (
        'How much of "LENS-2"? I have done nothing yet.\n'
        "Reply with a number up to 9. For more, type: "
        '!fed borrow 20 LENS-2 from attraktor for the weekend --note "for the fair"'
    )
    assert world.beta.turn.transfers() == []
    world.bea.says("1")
    await world.settle()
    (transfer,) = world.beta.turn.transfers()
    assert (int(transfer.terms.lines[0].quantity), transfer.terms.note) == (1, "for the fair")
    assert str(transfer.terms.loan_until) == "2026-11-29"


async def test_each_item_without_a_quantity_is_asked_about() -> None:
    world = await sharing()
    world.bea.says("!fed request M3-NUT + RES-10K from attraktor")
    await world.settle()
    for number in ("5", "7"):
        assert world.beta.turn.transfers() == []
        world.bea.says(number)
        await world.settle()
    assert [line.quantity for line in world.beta.transfer().terms.lines] == [5, 7]


# --- a word of a name ---


async def asked_by_a_word(world: World, line: str) -> list[Message]:
    """Tom requests something by a word; the messages of his own bot about it."""
    said = world.tom.says(line)
    await world.settle()
    return [m for m in world.room.answers(said) if m.sender == world.beta.chat.user_id]


async def test_a_request_by_a_word_of_a_name_is_asked_again_with_what_the_friend_finds() -> None:
    world = await sharing()
    line = '!fed borrow 20 nut from attraktor for 2 weeks --note "for the class"'
    _, meant = await asked_by_a_word(world, line)
    assert 'Did you mean this by "nut"?' in meant.text
    assert "1) Attraktor: M3 nut (M3-NUT), 350" in meant.text
    refused = world.beta.transfer()
    assert refused.state is TransferState.DECLINED
    world.tom.says("1")
    await world.settle()
    terms = world.beta.transfer().terms
    assert (terms.lines[0].description.name, int(terms.lines[0].quantity)) == ("M3 nut", 20)
    assert (terms.loan_until, terms.note) == (refused.terms.loan_until, "for the class")
    assert_nothing_moved(world)


async def test_a_friend_that_finds_something_late_is_still_heard() -> None:
    world = await sharing()
    said = world.tom.says("!fed request 20 nut from attraktor")
    await world.settle(asleep=(world.alpha,))
    await world.settle(asleep=(world.beta,))
    await world.passes(timedelta(minutes=3), asleep=(world.alpha,))
    assert not [m for m in world.room.answers(said) if "Did you mean" in m.text]
    await world.settle()
    assert "1) Attraktor: M3 nut (M3-NUT), 350" in world.room.answers(said)[-1].text


async def test_a_request_for_several_items_asks_again_only_about_the_unknown_one() -> None:
    world = await sharing()
    _, meant = await asked_by_a_word(world, "!fed request 5 RES-10K + 3 M3 from attraktor")
    assert told(world.room, "Attraktor shares nothing of exactly that name"), "which the list doesn't contradict"
    assert told(world.room, "If something has a similar name, your bot lists it in a moment")
    assert 'Did you mean one of these by "M3"?' in meant.text
    number = next(n for n in range(1, 9) if f"{n}) Attraktor: M3 nut" in meant.text)
    world.tom.says(str(number), reply_to=meant)
    await world.settle()
    lines = world.beta.transfer().terms.lines
    assert [(line.description.ipn, int(line.quantity)) for line in lines] == [("RES-10K", 5), ("M3-NUT", 3)]


async def test_a_friend_that_shares_or_tells_nothing_suggests_nothing() -> None:
    for world in (await friends(), await sharing(alpha={"disclose_in_room": frozenset()})):
        (answer,) = await asked_by_a_word(world, "!fed request 3 nut from attraktor")
        assert "Asked Attraktor for 3 × nut" in answer.text
        await world.passes(timedelta(minutes=1))
        assert not told(world.room, "Did you mean")
