"""Parts with units: converted where that is exact, and said on the card; else refused. What is counted stays whole."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fedbot.rules.model.lifecycles import TransferState
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends, sharing


def has_part(space: Space, *, stock: int = 0, **fields: object) -> int:
    """A part CABLE in that space's InvenTree, with so much of it in stock."""
    content = {"name": f"Cable {space.party}", "IPN": "CABLE", "salable": True, **fields}
    part = space.admin("POST", "part/", description="", category=1, active=True, component=True, **content)
    if stock:
        space.admin("POST", "stock/", part=part["pk"], quantity=stock)
    return int(part["pk"])


async def offered(theirs: dict[str, Any], ours: dict[str, Any], line: str = "push 2 CABLE to betaspace") -> World:
    """Attraktor has 10 of CABLE, betaspace has the part, and Anna says the line."""
    world = await friends()
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
        ("10 m", "m", "2 10 m = 20 m", "20"),
        ("dozen", "pcs", "2 dozen = 24 pcs", "24"),
    ],
)
async def test_a_quantity_is_converted_exactly_and_the_card_says_it(
    theirs: str, ours: str, told: str, booked: str
) -> None:
    world = await offered({"units": theirs}, {"units": ours})
    assert told in world.card().text
    await taken(world)
    assert world.alpha.transfer().state is TransferState.DONE
    assert world.beta.total("CABLE") == Decimal(booked)
    assert world.alpha.total("CABLE") == 8


@pytest.mark.parametrize(("theirs", "ours"), [("pcs", "Stk"), ("", "pcs"), ("sheet", "sheet")])
async def test_pieces_are_pieces_and_one_word_is_one_unit(theirs: str, ours: str) -> None:
    world = await offered({"units": theirs}, {"units": ours})
    await taken(world)
    assert world.beta.total("CABLE") == 2


@pytest.mark.parametrize(("theirs", "ours"), [("m", "kg"), ("g", "lb"), ("m", ""), ("m", "Rolle"), ("9**9**9", "m")])
async def test_what_can_not_be_converted_is_refused_and_nothing_moves(theirs: str, ours: str) -> None:
    world = await offered({"units": theirs}, {"units": ours})
    assert "has another unit, and this quantity can't be converted exactly" in world.card().text
    await taken(world)
    assert world.alpha.total("CABLE") == 10
    assert world.beta.total("CABLE") == 0


async def test_a_loan_stays_in_the_unit_that_it_came_in() -> None:
    world = await offered({"units": "m"}, {"units": "cm"}, "lend 2 CABLE to betaspace for 2 weeks")
    assert "a loan has to go back in the unit that it came in" in world.card().text
    await taken(world)
    assert world.beta.total("CABLE") == 0


@pytest.mark.parametrize("units", ["", "pcs", "Stück"])
async def test_there_is_no_half_of_what_is_counted(units: str) -> None:
    world = await friends()
    has_part(world.alpha, stock=10, units=units)
    line = world.anna.says("!fed push 2.5 CABLE to betaspace")
    await world.settle()
    assert "is counted in whole pieces, so 2.5 of it can't go." in world.answer_to(line)
    assert world.beta.turn.transfers() == []


async def test_there_is_a_half_of_a_metre() -> None:
    world = await offered({"units": "m"}, {"units": "m"}, "push 2.5 CABLE to betaspace")
    await taken(world)
    assert world.beta.total("CABLE") == Decimal("2.5")


async def test_another_revision_stands_on_the_card() -> None:
    world = await offered({"revision": "B"}, {"revision": "A"})
    assert "Careful: theirs is revision B, yours is revision A" in world.card().text
    await taken(world)
    assert world.beta.total("CABLE") == 2


async def test_another_revision_is_no_answer_to_a_request() -> None:
    world = await sharing()
    has_part(world.alpha, stock=10, revision="B")
    has_part(world.beta, revision="A")
    world.bea.says("!fed request 2 CABLE from attraktor")
    await world.settle()
    world.piet.reacts(world.room.messages(sender=world.alpha.chat.user_id)[-1], "✅")
    await world.grace()
    assert "has another revision" in world.room.transcript()
    assert world.alpha.total("CABLE") == 10


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
async def test_a_quantity_with_a_unit_is_that_much_in_the_unit_of_the_part(typed: str, units: str, left: str) -> None:
    world = await offered({"units": units}, {"units": units}, typed)
    await taken(world)
    assert world.alpha.total("CABLE") == Decimal(left), world.room.transcript()


@pytest.mark.parametrize(
    ("typed", "units", "why"),
    [
        ("push 2 kg CABLE to betaspace", "m", "is counted in m, and 2 kg can't be converted into that"),
        ("push 2m CABLE to betaspace", "", "is counted in pieces, not in m"),
        ("push 1 mm CABLE to betaspace", "3 m", "can't be converted"),
        ("request 2m CABLE from betaspace", "m", "Only its owner knows how that is counted"),
        ("want 2m CABLE", "m", "Only its owner knows how that is counted"),
    ],
)
async def test_a_unit_that_does_not_fit_is_refused_with_what_helps(typed: str, units: str, why: str) -> None:
    world = await friends()
    has_part(world.alpha, stock=10, units=units)
    line = world.anna.says(f"!fed {typed}")
    await world.settle()
    assert why in world.answer_to(line)
    assert not world.alpha.turn.open_transfers()


async def test_a_name_that_looks_like_a_quantity_is_a_name_where_only_that_is_there() -> None:
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
