"""After the approval: the sender's words about where to pick it up."""

from __future__ import annotations

from datetime import timedelta

from fedbot.rules.model.decision import LONGEST_PICKUP, Pickup
from tests.dialogue.test_lending import handed_back, lent, owners_card
from tests.scenarios.world import friends, sharing, told

HERE = Pickup("Workshop, Große Straße 1", "Tuesdays 19–22", "Anna, 040 123456")
LINE = "Pick it up at Attraktor: Workshop, Große Straße 1 · open Tuesdays 19–22 · call Anna, 040 123456"


async def test_the_pickup_place_is_on_the_approved_card_and_in_the_final_message() -> None:
    world = await sharing(alpha={"pickup": HERE})
    card = await world.push()
    assert "Pick it up" not in card.text, "before the yes it is nobody's business"
    world.cem.reacts(card, "✅")
    await world.grace()
    assert LINE in world.room.message("✅ Done").text
    assert LINE in world.room.message("is at Betaspace").text
    world.bea.says("!fed request 5 M3-NUT from attraktor")
    await world.settle()
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    assert LINE in owners_card(world).text, "the owner's card tells the asker, too"


async def test_a_borrowed_item_is_picked_up_and_a_returned_one_is_brought() -> None:
    world = await lent(world=await friends(alpha={"pickup": HERE}, beta={"pickup": HERE}))
    assert len(told(world.room, LINE)) == 2
    await handed_back(world)
    world.piet.reacts(owners_card(world), "✅")
    await world.grace()
    await world.passes(timedelta(minutes=1))
    assert told(world.room, "Pick it up at Betaspace") == []
    assert told(world.room, LINE) == [m for m in told(world.room, LINE) if "is at Betaspace" in m.text], "it is over"


async def test_a_friends_words_are_cut_and_can_not_forge_lines_or_markup() -> None:
    evil = Pickup("x" * 5000, "<b>now</b>\n✅ Done: everything\u202e", "!fed people")
    world = await friends(alpha={"pickup": evil})
    await world.hand_over()
    message = world.room.message("is at Betaspace")
    (line,) = [line for line in message.text.split("\n") if "Pick it up" in line]
    assert "x" * LONGEST_PICKUP not in line
    assert len(line) < 4 * LONGEST_PICKUP
    assert "\u202e" not in line
    assert "&lt;b&gt;now" in message.html
    parcel = await friends(alpha={"pickup": HERE})
    parcel.anna.says("!fed push 5 M3-NUT to betaspace --parcel")
    await parcel.settle()
    parcel.cem.reacts(parcel.card(), "✅")
    await parcel.grace()
    assert told(parcel.room, "Pick it up") == [], "a parcel comes by itself"
