"""Parts with units: converted where that is exact, and shown on the card; else refused. Counted items stay whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from fedbot.rules.model.lifecycles import TransferState
from tests.fakes.people import Message, Person
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, sharing, told


def has_part(space: Space, *, stock: int = 0, units: str = "", **fields: object) -> int:
    """A part CABLE in that space's InvenTree, with that quantity in stock; `units` may be a unit of its admins' own."""
    content = {"name": f"Cable {space.party}", "IPN": "CABLE", "salable": True, **fields}
    part = space.admin("POST", "part/", description="", category=1, active=True, component=True, **content)
    space.tables.parts.put(replace(space.tables.parts[part["pk"]], units=units))
    if stock:
        space.admin("POST", "stock/", part=part["pk"], quantity=stock)
    return int(part["pk"])


Defined = tuple[str, ...]


def defines(space: Space, name: str, definition: str, symbol: str = "") -> None:
    """An admin of that InvenTree defines a unit."""
    space.admin("POST", "units/", name=name, definition=definition, symbol=symbol)


async def offered(
    theirs: dict[str, Any],
    ours: dict[str, Any],
    line: str = "push 2 CABLE to betaspace",
    *,
    there: Sequence[Defined] = (),
    here: Sequence[Defined] = (),
) -> World:
    """Attraktor has 10 of CABLE, betaspace has the part, and Anna writes the line.

    `there` and `here` are the units that the admins of Attraktor's and betaspace's InvenTree have defined.
    """
    world = await friends()
    for space, units in ((world.alpha, there), (world.beta, here)):
        for unit in units:
            defines(space, *unit)
    has_part(world.alpha, stock=10, **theirs)
    has_part(world.beta, **ours)
    world.anna.says(f"!fed {line}")
    await world.settle()
    return world


async def taken(world: World) -> None:
    world.cem.reacts(world.card(), "✅")
    await world.grace()


@pytest.mark.parametrize(
    ("theirs", "ours", "told", "booked"),
    [
        ("m", "cm", "2 m = 200 cm", "200"),
        ("cm", "m", "2 cm = 0.02 m", "0.02"),
        ("10 m", "m", "2 × 10 m = 20 m", "20"),
        ("dozen", "pcs", "2 dozen = 24 pcs", "24"),
    ],
)
async def test_a_quantity_is_converted_exactly_and_the_card_shows_it(
    theirs: str, ours: str, told: str, booked: str
) -> None:
    world = await offered({"units": theirs}, {"units": ours})
    assert told in world.card().text
    await taken(world)
    assert world.alpha.transfer().state is TransferState.DONE
    assert world.beta.total("CABLE") == Decimal(booked)
    assert world.alpha.total("CABLE") == 8


@pytest.mark.parametrize("side", ["alpha", "beta"])
@pytest.mark.parametrize("when", ["before the reaction", "in the grace", "after it has left"])
async def test_an_item_whose_unit_changed_since_the_card_does_not_move(side: str, when: str) -> None:
    """Somebody corrects the unit of a part: two metres on the card are not two kilometres, and 200 cm not 200 m."""
    world = await offered({"units": "m"}, {"units": "cm"})
    space, units = (world.alpha, "km") if side == "alpha" else (world.beta, "m")
    card = world.card()
    for moment in ("before the reaction", "in the grace", "after it has left"):
        if moment == "in the grace":
            world.cem.reacts(card, "✅")
            await world.settle()
        elif moment == "after it has left":
            world.clock.advance(timedelta(seconds=6))
            await world.settle(asleep=(world.alpha,))
            await world.settle(asleep=(world.beta,))
        if moment == when:
            with space.by_hand():
                space.admin("PATCH", f"part/{space.part('CABLE').pk}/", units=units)
    await world.passes(timedelta(minutes=20))
    if side == "alpha" and when == "after it has left":
        assert (world.alpha.total("CABLE"), world.beta.total("CABLE")) == (8, 200), "it is gone as the card said"
        return
    assert (world.alpha.total("CABLE"), world.beta.total("CABLE")) == (10, 0), world.room.transcript()
    assert told(world.room, "somebody has changed the unit of the part in InvenTree since the card")


@pytest.mark.parametrize(("theirs", "ours"), [("pcs", "Stk"), ("", "pcs"), ("sheet", "sheet")])
async def test_pieces_are_pieces_and_spellings_of_a_unit_are_one_unit(theirs: str, ours: str) -> None:
    world = await offered({"units": theirs}, {"units": ours})
    await taken(world)
    assert world.beta.total("CABLE") == 2


@pytest.mark.parametrize(("theirs", "ours"), [("m", "kg"), ("g", "lb"), ("m", ""), ("m", "Rolle"), ("9**9**9", "m")])
async def test_a_unit_that_can_not_be_converted_is_refused_and_nothing_moves(theirs: str, ours: str) -> None:
    world = await offered({"units": theirs}, {"units": ours})
    assert "has another unit, and this quantity can't be converted exactly" in world.card().text
    await taken(world)
    assert world.alpha.total("CABLE") == 10
    assert world.beta.total("CABLE") == 0


async def test_a_loan_keeps_the_unit_in_which_it_came() -> None:
    world = await offered({"units": "m"}, {"units": "cm"}, "lend 2 CABLE to betaspace for 2 weeks")
    assert "a loan has to return in its own unit" in world.card().text
    await taken(world)
    assert world.beta.total("CABLE") == 0


async def test_a_unit_that_a_new_part_can_not_have_is_reported_before_anything_moves() -> None:
    world = await friends(beta={"new_part_category": "Material"})
    has_part(world.alpha, stock=10, units="spool")
    world.anna.says("!fed push 2 CABLE to betaspace")
    await world.settle()
    assert "its InvenTree doesn't know the unit for a new one" in world.card().text
    assert "define that unit in InvenTree's settings" in world.card().text
    await taken(world)
    assert world.alpha.total("CABLE") == 10
    assert [part for part in world.beta.tables.parts if part.IPN == "CABLE"] == []
    assert len(world.alpha.stock(part=world.alpha.part("CABLE").pk)) == 1, "nothing was split off"


async def test_a_new_part_that_is_counted_in_pieces_is_created_without_a_unit() -> None:
    world = await friends(beta={"new_part_category": "Material"})
    has_part(world.alpha, stock=10, units="Stück")
    world.anna.says("!fed push 2 CABLE to betaspace")
    await world.settle()
    assert "counted in pieces, created if you approve" in world.card().text
    await taken(world)
    assert (world.beta.part("CABLE").units, world.beta.total("CABLE")) == ("", 2)


@pytest.mark.parametrize("units", ["", "pcs", "Stück"])
async def test_a_counted_item_can_not_be_halved(units: str) -> None:
    world = await friends()
    has_part(world.alpha, stock=10, units=units)
    line = world.anna.says("!fed push 2.5 CABLE to betaspace")
    await world.settle()
    assert "is counted in whole pieces, so 2.5 of it can't move." in world.answer_to(line)
    assert world.beta.turn.transfers() == []


async def test_half_a_metre_is_possible() -> None:
    world = await offered({"units": "m"}, {"units": "m"}, "push 2.5 CABLE to betaspace")
    await taken(world)
    assert world.beta.total("CABLE") == Decimal("2.5")


async def test_another_revision_is_shown_on_the_card() -> None:
    world = await offered({"revision": "B"}, {"revision": "A"})
    assert "⚠ theirs is revision B, yours is revision A" in world.card().text
    await taken(world)
    assert world.beta.total("CABLE") == 2


async def test_another_revision_does_not_fill_a_request() -> None:
    world = await sharing()
    has_part(world.alpha, stock=10, revision="B")
    has_part(world.beta, revision="A")
    world.bea.says("!fed request 2 CABLE from attraktor")
    await world.settle()
    world.piet.reacts(world.room.messages(sender=world.alpha.chat.user_id)[-1], "✅")
    await world.grace()
    (refusal,) = [m for m in world.room.messages() if m.text.startswith("Taken back: Betaspace can't book in")]
    assert "has another revision" in refusal.text
    assert world.alpha.total("CABLE") == 10
    line = "!fed match CABLE CABLE from attraktor"
    assert line in refusal.text
    world.bea.says(line)
    await world.settle()
    world.bea.says("!fed request 2 CABLE from attraktor")
    await world.settle()
    world.piet.reacts(world.room.messages(sender=world.alpha.chat.user_id)[-1], "✅")
    await world.grace()
    assert world.alpha.total("CABLE") == 8


async def test_half_a_counted_item_is_refused_with_the_true_reason() -> None:
    world = await sharing()
    world.bea.says("!fed request 2.5 M3-NUT from attraktor")
    await world.settle()
    assert "Write a whole number" in world.room.message("Attraktor counts it in whole pieces").text


@pytest.mark.parametrize(
    ("typed", "units", "left"),
    [
        ("push 2m CABLE to betaspace", "m", "8"),
        ("push 2 m CABLE to betaspace", "m", "8"),
        ("push CABLE 50cm to betaspace", "m", "9.5"),
        ("push CABLE 50 cm to betaspace", "metre", "9.5"),
        ("push 0,02m CABLE to betaspace", "cm", "8"),
        ("push 20 m CABLE to betaspace", "10 m", "8"),
    ],
)
async def test_a_quantity_with_a_unit_is_converted_to_the_unit_of_the_part(typed: str, units: str, left: str) -> None:
    world = await offered({"units": units}, {"units": units}, typed)
    await taken(world)
    assert world.alpha.total("CABLE") == Decimal(left), world.room.transcript()


@pytest.mark.parametrize(
    ("typed", "units", "why"),
    [
        ("push 2 kg CABLE to betaspace", "m", "is counted in m, and 2 kg can't be converted into that"),
        ("push 2m CABLE to betaspace", "", "is counted in pieces, not in m"),
        ("push 1 mm CABLE to betaspace", "3 m", "can't be converted"),
    ],
)
async def test_a_unit_that_does_not_fit_is_refused_with_what_helps(typed: str, units: str, why: str) -> None:
    world = await friends()
    has_part(world.alpha, stock=10, units=units)
    line = world.anna.says(f"!fed {typed}")
    await world.settle()
    assert why in world.answer_to(line)
    assert not world.alpha.turn.open_transfers()


async def test_a_name_that_looks_like_a_quantity_is_a_name_where_only_that_exists() -> None:
    world = await friends()
    for name in ("5mm plate", "l bracket"):
        part = world.alpha.admin(
            "POST", "part/", name=name, IPN="", description="", category=1, active=True, salable=True
        )
        world.alpha.admin("POST", "stock/", part=part["pk"], quantity=9)
    for typed, offered_then in (("5mm plate", "9 × 5mm plate"), ("2 l bracket", "2 × l bracket")):
        line = world.anna.says(f"!fed push {typed} to betaspace")
        await world.settle()
        assert offered_then in world.answer_to(line)


async def in_units(theirs: str = "cm", ours: str = "m") -> World:
    """Friends that share everything; attraktor has 1000 of CABLE in the first unit, betaspace counts in the second."""
    world = await sharing()
    has_part(world.alpha, stock=1000, units=theirs)
    has_part(world.beta, units=ours)
    return world


async def says(world: World, person: Person, line: str, reply_to: str | Message = "") -> str:
    """The answer to the line; '' if it is a decision on a card."""
    event = person.says(f"!fed {line}", reply_to=reply_to)
    await world.settle()
    return "\n".join(answer.text for answer in world.room.answers(event))


def owners_card(world: World) -> Message:
    return [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1]


async def test_a_request_and_its_grant_may_use_any_unit_that_fits() -> None:
    world = await in_units()
    assert "2 m of CABLE" in await says(world, world.bea, "request 2 metres CABLE from attraktor")
    assert "200 cm of Cable attraktor" in owners_card(world).text
    for typed, why in (("1.5 kg", "is counted in cm, and 1.5 kg"), ("3 m", "300 cm")):
        assert why in await says(world, world.anna, f"approve {typed}", owners_card(world)), typed
    await says(world, world.anna, "approve 1,5 m", owners_card(world))
    await world.grace()
    assert "150 cm" in world.card().text
    world.bea.reacts(world.card(), "✅")
    await world.grace()
    assert (world.alpha.total("CABLE"), world.beta.total("CABLE")) == (850, Decimal("1.5")), world.room.transcript()


async def test_returns_and_parcels_may_be_reported_in_any_unit() -> None:
    world = await in_units(ours="cm")
    await says(world, world.bea, "borrow 3m CABLE from attraktor for 2 weeks")
    world.anna.reacts(owners_card(world), "✅")
    await world.grace()
    loan = world.beta.transfer()
    assert "can't be converted" in await says(world, world.bea, f"return {loan.code} 1 kg")
    for typed, left in (("CABLE 50 cm", 750), ("2.5m", 1000)):
        await says(world, world.bea, f"return {loan.code} {typed}")
        world.anna.reacts(owners_card(world), "✅")
        await world.grace()
        assert world.alpha.total("CABLE") == left, world.room.transcript()
    await says(world, world.anna, "push 2m #43 to betaspace --parcel")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    code = world.beta.transfer().code
    assert "2 m" not in await says(world, world.cem, f"received {code} 1.5 m")
    await world.grace()
    assert world.beta.total("CABLE") == 150, world.room.transcript()


async def test_wants_and_queue_entries_keep_their_unit() -> None:
    world = await in_units(ours="cm")
    world.piet.says("!fed unshare all")
    assert "2 m of CABLE" in await says(world, world.tom, "want 2m CABLE")
    await says(world, world.piet, "share CABLE")
    (told_once,) = told(world.room, "Betaspace wants 2 m of CABLE")
    assert "Free: 10 m" in told_once.text
    world.piet.says("offer", reply_to=told_once)
    await world.settle()
    assert "200 cm" in world.card().text
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert told(world.room, "✅ Found: 2 m of CABLE")
    await says(world, world.bea, "borrow 7.5 m CABLE from attraktor for 2 weeks")
    world.anna.reacts(owners_card(world), "✅")
    await world.grace()
    assert "1 m of CABLE" in await says(world, world.tom, "wait 1m CABLE from attraktor")
    (entry,) = world.alpha.turn.queue()
    assert (int(entry.quantity), entry.name) == (100, "Cable attraktor")
    await says(world, world.dilek, "wait 1kg CABLE from attraktor")
    assert told(world.room, "1 kg of CABLE: Attraktor counts it in another unit")
    await says(world, world.dilek, "wait 30 cm ruler from attraktor")
    (choice,) = told(world.room, "That can mean different things")
    assert ('1) 30 cm of "ruler"' in choice.text, '2) 1 × "30 cm ruler"' in choice.text) == (True, True), choice.text
    world.dilek.says("2", reply_to=choice)
    await world.settle()
    assert told(world.room, "1 × 30 cm ruler: Attraktor shares nothing under that name")


async def test_in_a_request_from_anyone_each_counts_in_its_own_unit() -> None:
    world = await in_units()
    assert "2 m of CABLE" in await says(world, world.bea, "request 2m CABLE from anyone")
    assert told(world.room, "Attraktor: asked for 2 m")
    world.anna.reacts(owners_card(world), "✅")
    await world.grace()
    assert (world.alpha.total("CABLE"), world.beta.total("CABLE")) == (800, 2), world.room.transcript()


async def test_a_unit_that_only_one_inventree_knows_is_shown_before_it_is_requested() -> None:
    world = await sharing()
    has_part(world.alpha, stock=10, units="hectometre")
    has_part(world.beta, units="m")
    assert "2 hectometre of Cable" in await says(world, world.anna, "push 200m CABLE to betaspace")
    assert "is counted in hectometre, and 1 kg" in await says(world, world.anna, "push 1kg CABLE to betaspace")
    await says(world, world.bea, "request 300m CABLE from attraktor")
    (asked_anew,) = told(world.room, "counts it in another unit")
    assert "You asked for: 300 m of CABLE. It offers: 3 hectometre of Cable attraktor" in asked_anew.text
    world.bea.says("1", reply_to=asked_anew)
    await world.settle()
    world.anna.reacts(owners_card(world), "✅")
    await world.grace()
    assert (world.alpha.total("CABLE"), world.beta.total("CABLE")) == (7, 300), world.room.transcript()


async def test_a_unit_that_only_inventree_knows_is_read_by_every_verb() -> None:
    world = await in_units("hectometre", "hectometre")
    await says(world, world.bea, "request 3 CABLE from attraktor")
    assert "150 kg can't be converted" in await says(world, world.anna, "approve 150 kg", owners_card(world))
    await says(world, world.anna, "approve 150 m", owners_card(world))
    await world.grace()
    world.bea.reacts(world.card(), "✅")
    await world.grace()
    assert (world.alpha.total("CABLE"), world.beta.total("CABLE")) == (Decimal("998.5"), Decimal("1.5"))
    await says(world, world.anna, "push 2 CABLE to betaspace --parcel")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    await says(world, world.cem, "received 150m", world.card())
    await world.grace()
    assert world.beta.total("CABLE") == 3, world.room.transcript()
    await says(world, world.bea, "borrow 3 CABLE from attraktor for 2 weeks")
    world.anna.reacts(owners_card(world), "✅")
    await world.grace()
    for line in ("return CABLE 50 m", "return 0,05 km CABLE"):
        await says(world, world.bea, line)
        world.anna.reacts(owners_card(world), "✅")
        await world.grace()
    assert "150 kg can't be converted" in await says(world, world.bea, "return CABLE 150 kg")
    assert world.beta.total("CABLE") == 5, world.room.transcript()


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("push half a metre of CABLE to betaspace", "9.5"),
        ("push CABLE half a metre to betaspace", "9.5"),
        ("push a metre of CABLE to betaspace", "9"),
        ("push ½ m CABLE to betaspace", "9.5"),
        ("push two and a half metres CABLE to betaspace", "7.5"),
        ("push einen halben Meter CABLE to betaspace", "9.5"),
        ("push anderthalb Meter CABLE to betaspace", "8.5"),
        ("push zweieinhalb m CABLE to betaspace", "7.5"),
        ("push ein Meter CABLE to betaspace", "9"),
    ],
)
async def test_a_measure_may_be_written_in_words(typed: str, left: str) -> None:
    world = await offered({"units": "m"}, {"units": "m"}, typed)
    await taken(world)
    assert world.alpha.total("CABLE") == Decimal(left), world.room.transcript()


async def test_half_a_kilo_is_granted_and_a_name_that_only_looks_like_a_measure_is_a_name() -> None:
    world = await in_units("g", "kg")
    await says(world, world.bea, "request a kilo of CABLE from attraktor")
    await says(world, world.anna, "approve half a kilo", owners_card(world))
    await world.grace()
    assert "500 g" in world.card().text
    await says(world, world.bea, "want a gram scale")
    assert told(world.room, "1 × gram scale")


ROD, ROLL = ("rod", "3 * metre"), ("roll", "50 * metre")


@pytest.mark.parametrize(
    ("there", "theirs", "here", "ours", "booked"),
    [
        ([ROD], "rod", [], "m", "6"),  # to Pint a rod is 5.0292 m
        ([ROD], "rod", [ROD], "rod", "2"),
        ([ROD], "kilorod", [], "m", "6000"),
        ([ROLL], "roll", [("roll", "100 * metre")], "roll", "1"),
        ([ROLL], "roll", [("roll", "100 * metre")], "m", "100"),
        ([ROLL], "roll", [("coil", "10 * metre")], "coil", "10"),
        ([("foot", "30 * cm", "ft")], "ft", [], "cm", "60"),
        ([("gross", "144")], "gross", [], "pcs", "288"),
        ([("box", "[box]")], "box", [("box", "[box]")], "box", "2"),
    ],
)
async def test_a_unit_counts_by_the_definition_of_the_inventree_that_it_comes_from(
    there: list[Defined], theirs: str, here: list[Defined], ours: str, booked: str
) -> None:
    world = await offered({"units": theirs}, {"units": ours}, there=there, here=here)
    await taken(world)
    assert (world.alpha.total("CABLE"), world.beta.total("CABLE")) == (8, Decimal(booked)), world.room.transcript()


@pytest.mark.parametrize(
    ("there", "theirs", "here", "ours"),
    [
        ([ROD], "rod", [], "rod"),
        ([("third", "metre / 3")], "third", [], "m"),
        ([("third", "metre / 3")], "third", [("third", "metre / 4")], "third"),
        ([("rod", "[rod]")], "rod", [], "m"),
        ([("roll", "1e2 * metre - 1 * metre")], "roll", [ROLL], "roll"),
        ([("box", "10 * sheet")], "box", [("box", "20 * sheet")], "box"),
    ],
)
async def test_a_unit_that_no_other_inventree_can_know_moves_nothing(
    there: list[Defined], theirs: str, here: list[Defined], ours: str
) -> None:
    world = await offered({"units": theirs}, {"units": ours}, there=there, here=here)
    assert "has another unit, and this quantity can't be converted exactly" in world.card().text
    await taken(world)
    assert (world.alpha.total("CABLE"), world.beta.total("CABLE")) == (10, 0), world.room.transcript()


async def test_a_new_part_is_counted_by_the_definition_of_the_sender() -> None:
    world = await friends(beta={"new_part_category": "Material"})
    defines(world.alpha, *ROD)
    has_part(world.alpha, stock=10, units="rod")
    world.anna.says("!fed push 2 CABLE to betaspace")
    await world.settle()
    assert "2 × 3 m of Cable" in world.card().text
    await taken(world)
    assert (world.beta.part("CABLE").units, world.beta.total("CABLE")) == ("3 m", 2)


FOOT, BOX = ("foot", "30 * cm", "ft"), ("box", "10 * sheet")


@pytest.mark.parametrize(
    ("theirs", "here", "ours"),
    [("ft", FOOT, "cm"), ("feet", FOOT, "ft"), ("rod", ROD, "rod"), ("ft", FOOT, "pcs"), ("box", BOX, "box")],
)
async def test_a_unit_that_this_inventree_defines_otherwise_moves_nothing(
    theirs: str, here: Defined, ours: str
) -> None:
    """An older bot sends the name of a unit that its own admins have defined: 2 ft may be 60 cm, or 60.96 cm."""
    world = await offered({"units": theirs}, {"units": ours}, here=[here])
    assert "the InvenTree of Betaspace defines this unit in its own way" in world.card().text
    assert "rename your own unit, or ask the sender to count the part in a common unit" in world.card().text
    await taken(world)
    assert (world.alpha.total("CABLE"), world.beta.total("CABLE")) == (10, 0), world.room.transcript()


@pytest.mark.parametrize(
    ("theirs", "why"),
    [
        ("rod", "the InvenTree of Betaspace defines this unit in its own way"),
        ("third", "its InvenTree doesn't know the unit for a new one"),
    ],
)
async def test_no_new_part_gets_a_unit_that_means_something_else_here(theirs: str, why: str) -> None:
    world = await friends(beta={"new_part_category": "Material"})
    defines(world.alpha, "third", "metre / 3")
    defines(world.beta, *ROD)
    has_part(world.alpha, stock=10, units=theirs)
    world.anna.says("!fed push 2 CABLE to betaspace")
    await world.settle()
    assert why in world.card().text
    await taken(world)
    assert [part for part in world.beta.tables.parts if part.IPN == "CABLE"] == []


@pytest.mark.parametrize("side", ["alpha", "beta"])
async def test_a_unit_that_is_defined_anew_after_the_card_moves_nothing(side: str) -> None:
    world = await friends()
    for space in (world.alpha, world.beta):
        defines(space, *ROLL)
        has_part(space, stock=10 if space is world.alpha else 0, units="roll")
    world.anna.says("!fed push 2 CABLE to betaspace")
    await world.settle()
    space = world.alpha if side == "alpha" else world.beta
    (unit,) = space.tables.custom_units
    space.tables.custom_units.put(replace(unit, definition="100 * metre"))
    await taken(world)
    await world.passes(timedelta(minutes=20))
    assert (world.alpha.total("CABLE"), world.beta.total("CABLE")) == (10, 0), world.room.transcript()


async def test_a_request_in_feet_means_feet_though_the_owners_are_shorter() -> None:
    world = await sharing()
    defines(world.alpha, "foot", "30 * cm", "ft")
    has_part(world.alpha, stock=1000, units="ft")
    has_part(world.beta, units="cm")
    await says(world, world.bea, "request 50 feet CABLE from attraktor")
    world.anna.reacts(owners_card(world), "✅")
    await world.grace()
    assert world.beta.total("CABLE") == 1524, world.room.transcript()
    await says(world, world.anna, "push 10 feet CABLE to betaspace")
    await taken(world)
    assert world.beta.total("CABLE") == 1824, world.room.transcript()


async def test_an_arrived_quantity_may_be_typed_in_a_unit_that_this_inventree_defines_otherwise() -> None:
    world = await friends()
    has_part(world.alpha, stock=10, units="hand")  # 4 inches
    has_part(world.beta, units="mm")
    await says(world, world.anna, "push 2 CABLE to betaspace --parcel")
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    defines(world.beta, "hand", "10 * cm")
    await says(world, world.cem, f"received {world.beta.transfer().code} 101.6 mm")
    await world.grace()
    assert world.beta.total("CABLE") == Decimal("101.6"), world.room.transcript()


async def test_a_loan_in_a_unit_of_both_is_lent_and_comes_back() -> None:
    world = await friends()
    for space in (world.alpha, world.beta):
        defines(space, *ROLL)
        has_part(space, stock=10 if space is world.alpha else 0, units="roll")
    await says(world, world.anna, "lend 2 CABLE to betaspace for 2 weeks")
    await taken(world)
    assert (world.alpha.total("CABLE"), world.beta.total("CABLE")) == (8, 2), world.room.transcript()
    await says(world, world.bea, "return CABLE 50 m")
    world.anna.reacts(owners_card(world), "✅")
    await world.grace()
    assert (world.alpha.total("CABLE"), world.beta.total("CABLE")) == (9, 1), world.room.transcript()


async def test_a_loan_of_several_items_of_which_one_counts_otherwise_is_offered_without_it() -> None:
    world = await friends()
    has_part(world.alpha, stock=10, units="m")
    has_part(world.beta, units="cm")
    await says(world, world.anna, "lend 2 CABLE + 5 M3-NUT to betaspace for 2 weeks")
    card = world.card().text
    assert "a loan has to return in its own unit" in card
    code = world.beta.transfer().code
    assert f"To offer only the rest, Anna first takes this offer back: !fed cancel {code}" in card
    await says(world, world.anna, f"cancel {code}")
    await says(world, world.anna, "lend 5 M3-NUT to betaspace for 2 weeks")
    await taken(world)
    assert world.beta.total("N-M3") == 905


async def test_a_borrowed_item_that_counts_otherwise_does_not_end_the_request_for_the_others() -> None:
    world = await sharing()
    has_part(world.alpha, stock=10, units="m")
    has_part(world.beta, units="cm")
    line = world.bea.says("!fed borrow 2m CABLE + 5 M3-NUT from attraktor for 2 weeks --note for the fair")
    await world.passes(timedelta(minutes=1))
    (list_,) = [message for message in world.room.answers(line) if "can't book in 2 m of" in message.text]
    assert "To ask for the rest alone (5 × M3 nut), reply 1" in list_.text
    assert "a loan has to return in its own unit" in list_.text
    world.bea.says("1", reply_to=list_)
    await world.settle()
    asked = world.alpha.transfer().terms
    assert [(each.description.name, int(each.quantity)) for each in asked.lines] == [("M3 nut", 5)]
    assert (asked.note, asked.loan_until is not None) == ("for the fair", True)
    world.anna.reacts(owners_card(world), "✅")
    await world.grace()
    assert world.beta.total("N-M3") == 905
