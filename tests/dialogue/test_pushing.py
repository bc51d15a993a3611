"""UC2: one space gives another something, as people and InvenTrees of both spaces see it."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from fedbot.rules.model.lifecycles import TransferState
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import GRACE, friends, told

DONE, OPEN = TransferState.DONE, TransferState.OPEN


async def test_anna_offers_nuts_cem_approves_and_they_are_at_betaspace() -> None:
    world = await friends()
    before = world.alpha.total("M3-NUT"), world.beta.total("N-M3")
    line = world.anna.says('!fed push M3-NUT 10 to betaspace --note "for your workshop"')
    await world.settle()
    assert "Offered to Betaspace: 10 × M3 nut" in world.answer_to(line)
    card = world.card()
    assert card.mentions == (world.bea.user_id, world.cem.user_id, world.dilek.user_id)
    assert "for your workshop" in card.text
    assert "same name" in card.text
    world.cem.reacts(card, "✅")
    await world.settle()
    assert (world.alpha.total("M3-NUT"), world.beta.total("N-M3")) == before, "nothing moves within the grace"
    await world.grace()
    assert (world.alpha.total("M3-NUT"), world.beta.total("N-M3")) == (before[0] - 10, before[1] + 10)
    assert world.alpha.given("M3-NUT") == 10
    assert [space.transfer().state for space in world.spaces] == [DONE, DONE]
    assert "✅ Done: 10 × M3 nut" in world.card().text
    end = world.room.message("is at Betaspace")
    assert set(end.mentions) == {world.anna.user_id, world.cem.user_id}
    assert_books_balance(world)


async def test_each_inventrees_history_says_from_whom_and_to_whom() -> None:
    world = await friends()
    await world.hand_over()
    given, got = world.alpha.transfer().at(1), world.beta.transfer().at(1)
    assert given.item is not None
    assert got.item is not None
    anna, cem = "Anna (@anna:twin.test, InvenTree user anna)", "Cem (@cem:twin.test of betaspace)"
    given_to = f"given to Betaspace (betaspace), offered by {anna}, approved by {cem}"
    assert any(given_to in note for note in world.alpha.history(given.item))
    assert any("received from Attraktor (attraktor), offered by Anna" in note for note in world.beta.history(got.item))
    assert world.alpha.row(given.item).status == 10, "no longer 'on its way'"


async def test_the_records_of_both_sides_link_to_each_other() -> None:
    world = await friends()
    card = await world.hand_over()
    item = world.beta.transfer().at(1).item
    assert item is not None
    assert card.event_id in world.beta.row(item).link
    mark = world.beta.metadata("stockitem", item)
    assert (mark["from"], mark["origin"], mark["item"]) == ("attraktor", "attraktor", item)
    given = world.alpha.transfer().at(1).item
    assert given is not None
    assert world.alpha.metadata("stockitem", given)["to"] == "betaspace"
    assert f"stock #{item}" in world.room.message("✅ Done").text


async def test_the_senders_metadata_arrives_with_the_item_and_is_never_readable_in_transit() -> None:
    world = await friends()
    source = world.alpha.item("M3-NUT")
    world.alpha.admin("PATCH", f"metadata/stockitem/{source.pk}/", metadata={"torque": "1.2 Nm, very quiet secret"})
    await world.hand_over()
    item = world.beta.transfer().at(1).item
    assert item is not None
    assert world.beta.metadata("stockitem", item)["sender_metadata"]["torque"] == "1.2 Nm, very quiet secret"
    assert "very quiet secret" not in json.dumps(world.server.log, default=str)


async def test_a_whole_item_is_moved_before_it_is_assigned_and_keeps_its_number() -> None:
    world = await friends()
    whole = world.alpha.item("CAB-USBC-1")
    world.beta.admin("POST", "part/", name="USB-C cable 1 m", description="x", category=1)
    card = await world.push("CAB-USBC-1")
    assert "the whole stock item" in card.text
    world.dilek.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().at(1).item == whole.pk
    assert world.alpha.row(whole.pk).customer == world.alpha.connection().company
    assert world.beta.total("USB-C cable 1 m") == 14
    assert_books_balance(world)


async def test_a_serialised_item_keeps_its_serial_number() -> None:
    world = await friends()
    card = await world.push("#42")
    assert "0042" in card.text
    world.cem.reacts(card, "✅")
    await world.grace()
    lens = world.beta.item("LENS-2", serial="0042")
    assert lens.quantity == 1
    assert world.alpha.row(42).customer == world.alpha.connection().company
    assert_books_balance(world)


async def test_fractions_stay_exact() -> None:
    world = await friends(beta={"new_part_category": "Material"})
    await world.hand_over("PLA-175-BK 0.12345")
    assert world.alpha.total("PLA-175-BK") == Decimal("7.12655")
    assert world.beta.total("PLA-175-BK") == Decimal("0.12345")
    assert_books_balance(world)


async def test_a_damaged_item_arrives_as_damaged() -> None:
    world = await friends(beta={"new_part_category": "Material"})
    await world.hand_over("TUBE-60")
    assert world.beta.item("TUBE-60").status == 55
    assert world.alpha.item("TUBE-60").status == 55
    assert_books_balance(world)


async def test_several_lines_are_decided_together_and_each_moves_once() -> None:
    world = await friends()
    card = await world.push("M3-NUT 10 + RES-10K 20 + #42")
    world.cem.reacts(card, "✅")
    await world.grace()
    assert (world.beta.total("N-M3"), world.beta.total("RES-10K")) == (910, 60)
    assert world.beta.item("LENS-2", serial="0042").quantity == 1
    assert world.alpha.transfer().state is DONE
    assert_books_balance(world)


async def test_without_a_matching_part_the_card_proposes_a_new_one_created_after_approval() -> None:
    world = await friends(beta={"new_part_category": "Material"})
    card = await world.push("PLY-4-BIRCH 5")
    assert "as a new part" in card.text
    assert [part for part in world.beta.tables.parts if part.IPN == "PLY-4-BIRCH"] == []
    world.cem.reacts(card, "✅")
    await world.grace()
    part = world.beta.part("PLY-4-BIRCH")
    assert (part.name, part.salable, part.active) == ("Birch plywood 4 mm 600 × 300", True, True)
    assert world.beta.total("PLY-4-BIRCH") == 5
    assert_books_balance(world)


async def test_without_a_matching_part_and_permission_the_card_says_so_and_an_approval_waits() -> None:
    world = await friends()
    card = await world.push("PLY-4-BIRCH 5")
    assert "can't accept it yet" in card.text
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.beta.transfer().state is OPEN
    assert told(world.room, "no part")
    world.beta.admin("POST", "part/", name="Plywood", IPN="PLY-4-BIRCH", description="x", category=1)
    world.dilek.reacts(card, "✅")
    await world.settle()
    assert 'as your part "Plywood"' in world.card().text
    await world.passes(timedelta(seconds=5))  # to read it
    world.dilek.says("!fed approve", reply_to=card)
    await world.grace()
    assert world.beta.total("PLY-4-BIRCH") == 5
    assert_books_balance(world)


async def test_a_friend_is_not_found_under_another_name() -> None:
    world = await friends()
    line = world.anna.says("!fed push M3-NUT 10 to btaspace")
    await world.settle()
    assert "to betaspace?" in world.answer_to(line)
    assert world.alpha.turn.transfers() == []


async def test_an_item_may_go_back() -> None:
    world = await friends()
    await world.hand_over("RES-10K 20")
    item = world.beta.transfer().at(1).item
    line = world.cem.says(f"!fed push #{item} 20 to attraktor")
    await world.settle()
    assert "Offered to Attraktor" in world.answer_to(line)
    card = world.room.messages(sender=world.alpha.chat.user_id)[-1]
    world.piet.reacts(card, "✅")
    await world.grace()
    assert world.alpha.total("RES-10K") == 500
    assert world.beta.total("RES-10K") == 40
    assert_books_balance(world)


async def test_a_push_takes_no_more_events_than_a_default_homeserver_allows_at_once() -> None:
    world = await friends()
    start = len(world.server.log)
    await world.hand_over()
    await world.passes(timedelta(hours=2))
    accounts = [space.chat.user_id for space in world.spaces]
    sent = [event["sender"] for event in world.server.log[start:] if event["sender"] in accounts]
    assert len(sent) <= 9
    assert max(sent.count(account) for account in accounts) <= 6


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("M3-NUT 351", "350"),
        ("RES-10K 450", "allocated"),
        ("VICE-NONE 1", "VICE-NONE"),
        ('"Workshop vice" 1', "salable"),
        ('"LightBurn licence" 1', "LightBurn"),
        ("#42 2", "serial"),
        ("M3-NUT 0", "0"),
    ],
)
async def test_an_impossible_offer_is_refused_at_once_and_nothing_is_sent(words: str, why: str) -> None:
    world = await friends()
    start = len(world.room.envelopes())
    line = world.anna.says(f"!fed push {words} to betaspace")
    await world.settle()
    assert why in world.answer_to(line)
    assert len(world.room.envelopes()) == start
    assert world.alpha.turn.transfers() == []


async def test_an_item_whose_status_may_not_travel_is_refused() -> None:
    world = await friends()
    rejected = next(row for row in world.alpha.stock(part=world.alpha.part("PLY-4-BIRCH").pk) if row.status == 65)
    line = world.anna.says(f"!fed push #{rejected.pk} 1 to betaspace")
    await world.settle()
    assert "Rejected" in world.answer_to(line)
    assert world.alpha.turn.transfers() == []


async def test_an_offered_item_can_not_be_offered_twice() -> None:
    world = await friends()
    await world.push("M3-NUT 300")
    line = world.anna.says("!fed push M3-NUT 100 to betaspace")
    await world.settle()
    assert "50" in world.answer_to(line)
    assert len(world.alpha.turn.transfers()) == 1


async def test_the_same_line_twice_is_a_second_offer_and_says_so_before_its_card() -> None:
    world = await friends()
    world.piet.says("!fed share all")
    lines = (("push 10 M3-NUT to betaspace", world.anna), ("request 10 M3-NUT from attraktor", world.bea))
    for line, person in lines:
        answers = []
        for typed in (line, line, line.replace("10", "11")):
            said = person.says(f"!fed {typed}")
            await world.settle()
            answers.append(world.answer_to(said))
            await world.passes(timedelta(minutes=2))
        first, second, other = answers
        code = first.splitlines()[0].split()[-1]
        assert f"You typed the same thing 2 minutes ago ({code}). This is a second one." in second
        assert "is a second one" not in first + other
    assert len(world.beta.turn.open_transfers()) == 6
    world.dilek.says("!fed request 10 M3-NUT from attraktor")  # somebody else may want as many
    await world.settle()
    assert world.room.transcript().count("is a second one") == 2


async def test_several_stock_items_of_one_part_are_listed_and_a_reply_with_a_number_picks_one() -> None:
    world = await friends()
    line = world.anna.says("!fed push M3-BOLT 10 to betaspace")
    await world.settle()
    choice = world.room.answers(line)[0]
    assert "Drawer A3" in choice.text
    assert "Box 7" in choice.text
    world.piet.says("2", reply_to=choice)
    await world.settle()
    assert world.alpha.turn.transfers() == [], "only the person who was asked picks"
    none_such = world.anna.says("7", reply_to=choice)
    await world.settle()
    assert world.answer_to(none_such) == '"7" is not on that list. Reply 1 or 2.'
    world.anna.says("2", reply_to=choice)
    await world.settle()
    twice = world.anna.says("2", reply_to=choice)
    await world.settle()
    assert "answered already" in world.answer_to(twice)
    assert world.alpha.transfer().terms.lines[0].place.endswith("Box 7")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.beta.total("M3-BOLT") == 22
    assert_books_balance(world)


async def test_a_quantity_that_no_single_item_has_is_offered_from_several_on_one_card() -> None:
    world = await friends()
    world.anna.says("!fed push 150 M3-BOLT to betaspace")
    await world.settle()
    choice = world.room.message("M3-BOLT")
    assert "1) Together they have it:" in choice.text.splitlines()
    world.anna.says("1", reply_to=choice)
    await world.settle()
    card = world.card()
    assert card.text.startswith("Attraktor offers Betaspace 150 × M3 bolt, to keep")
    world.cem.reacts(card, "✅")
    await world.grace()
    assert world.alpha.transfer().state is TransferState.DONE
    assert (world.alpha.total("M3-BOLT"), world.beta.total("M3-BOLT")) == (60, 162)
    assert_books_balance(world)


async def test_a_number_after_ten_minutes_picks_nothing() -> None:
    world = await friends()
    line = world.anna.says("!fed push M3-BOLT 10 to betaspace")
    await world.settle()
    choice = world.room.answers(line)[0]
    await world.passes(timedelta(minutes=11))
    world.anna.says("1", reply_to=choice)
    await world.settle()
    assert world.alpha.turn.transfers() == []


async def test_show_lists_who_did_what_and_when() -> None:
    world = await friends()
    await world.hand_over()
    line = world.anna.says("!fed show", reply_to=world.card())
    await world.settle()
    answer = world.answer_to(line)
    assert "Anna" in answer
    assert "Cem" in answer
    await world.passes(GRACE)
