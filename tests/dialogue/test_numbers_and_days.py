"""Quantities and days at the edge of what can be written: over the wire, typed, and added up many times."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from fedbot.rules import wire
from fedbot.rules.model.connection import Exchange
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol import bodies
from fedbot.rules.protocol.terms import to_json
from fedbot.rules.transfer.opening import opens
from fedbot.rules.wire import SubjectKind, by_line, opened_id
from tests.dialogue.test_dishonest_friends import forges
from tests.dialogue.test_lending import owners_card
from tests.scenarios.books import assert_books_balance
from tests.scenarios.world import World, friends, sharing

DONE = TransferState.DONE
FILAMENT = "PLA-175-BK"
NEW_PARTS = {"new_part_category": "Material"}

# a float has no signature: nothing in a message is one
NO_QUANTITY: list[object] = [
    "NaN", "sNaN", "Infinity", "-Infinity", "-0", "0", "0.0", "-1", "1e-9", "1E+308", "1e308", "0.000001",
    "10000000000", "99999999999999999999", "0.12345678901234567890", "1.0", "01", "+1", " 1", "1 ", "1_0", "１", "٣",
    "0x10", "1,5", "", "one", 1, True, None, [], {}, ["1"],
]  # fmt: skip
NO_DAY: list[object] = [
    "9999-12-31", "0001-01-01", "2200-01-02", "1999-12-31", "2027-02-29", "2026-13-01", "2026-12-32", "20261224",
    "2026-W52-1", "2026-12-24T00:00:00", "tomorrow", "", 20261224, True, [], {},
]  # fmt: skip


def offers(world: World, honest: Transfer, **changed: object) -> None:
    """Attraktor's bot offers the same under another id, with these values in its terms or in its line."""
    terms: dict[str, Any] = to_json(honest.terms)
    for name, value in changed.items():
        (terms["lines"][0] if name == "quantity" else terms)[name] = value
    assert honest.opening is not None
    opening = replace(honest.opening, cause=by_line(f"$ {changed!r}"))
    identifier = opened_id(SubjectKind.PUSH, opening)
    offer = replace(honest, id=identifier, opening=opening, terms_hash=wire.terms_hash(terms), exchange=Exchange())
    forges(world, world.alpha, offer, "offer", {**bodies.Offer(**opens(offer)).to_json(), "terms": terms})


async def assert_refused(world: World) -> None:
    """The bot takes none of it, and goes on."""
    await world.settle()
    assert len(world.beta.turn.transfers()) == 1
    assert world.beta.bot.engine.failures == 0
    await world.hand_over("RES-10K 3")
    assert [t.state for t in world.beta.turn.transfers() if t.terms.lines[0].description.ipn == "RES-10K"] == [DONE]


async def test_no_offer_has_a_quantity_that_inventree_could_not_store() -> None:
    world = await friends()
    await world.push()
    for quantity in NO_QUANTITY:
        offers(world, world.alpha.transfer(), quantity=quantity)
    await assert_refused(world)


async def test_no_loan_has_a_day_beyond_the_calendar() -> None:
    world = await friends()
    world.anna.says("!fed lend M3-NUT 10 to betaspace for 3 weeks")
    await world.settle()
    for day in NO_DAY:
        offers(world, world.alpha.transfer(), loan_until=day)
        offers(world, world.alpha.transfer(), starts=day)
    await assert_refused(world)


@pytest.mark.parametrize(
    "word",
    [
        "1e308",
        "1e-9",
        "NaN",
        "Infinity",
        "-0",
        "-1",
        "0",
        "0.000001",
        "9" * 40,
        "0." + "1" * 20,
        "1/0",
        "٣",
        "10000000000",
    ],
)
@pytest.mark.parametrize("line", ["push {} M3-NUT to attraktor", "request {} M3-NUT from attraktor"])
async def test_a_typed_number_that_is_no_quantity_is_answered_once_and_moves_nothing(line: str, word: str) -> None:
    world = await sharing()
    said = world.cem.says(f"!fed {line.format(word)}")
    await world.settle()
    assert len(world.room.answers(said)) == 1, world.room.transcript()
    assert world.beta.turn.transfers() == []
    assert world.beta.bot.engine.failures == 0


@pytest.mark.parametrize("word", ["1e308", "NaN", "-0", "0", "0.000001", "51", "9" * 40, "1/0"])
async def test_a_grant_of_what_is_no_quantity_moves_nothing(word: str) -> None:
    world = await sharing()
    world.tom.says("!fed request M3-BOLT 50 from attraktor")
    await world.settle()
    said = world.piet.says(f"!fed approve {word}", reply_to=world.room.message("Give it?"))
    await world.grace()
    assert world.room.answers(said), world.room.transcript()
    assert world.alpha.transfer().granted is None
    assert world.alpha.transfer().state is TransferState.OPEN
    assert world.alpha.bot.engine.failures == 0


async def test_many_tenths_add_up_to_exactly_what_was_there() -> None:
    """0.1 + 0.2 isn't 0.3 as a binary fraction, and InvenTree answers in such."""
    world = await friends(beta=NEW_PARTS)
    with world.alpha.by_hand():
        (rest,) = world.alpha.stock(part=world.alpha.part(FILAMENT).pk)
        world.alpha.admin("POST", "stock/count/", items=[{"pk": rest.pk, "quantity": "0.7"}], notes="a rest")
    for tenths in ("0.1", "0.2", "0.1", "0.3"):
        world.cem.reacts(await world.push(f"#{rest.pk} {tenths} kg"), "✅")
        await world.grace()
        assert world.alpha.transfer().state is DONE, world.room.transcript()
    assert world.alpha.given(FILAMENT) == Decimal("0.7")
    assert world.beta.total(FILAMENT) == Decimal("0.7")
    assert world.alpha.total(FILAMENT) == 0
    assert_books_balance(world)


async def test_a_loan_returned_in_tenths_is_over_with_the_last_one() -> None:
    world = await friends(beta=NEW_PARTS)
    world.anna.says(f"!fed lend {FILAMENT} 0.6 kg to betaspace for 3 weeks")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    code = world.alpha.transfer().code
    for tenths in ("0.1", "0.2", "0.1", "0.2"):
        world.bea.says(f"!fed return {code} {tenths}")
        await world.settle()
        world.piet.reacts(owners_card(world), "✅")
        await world.grace()
    (loan,) = [t for t in world.alpha.turn.transfers() if t.is_loan]
    assert not loan.is_on_loan, world.room.transcript()
    assert world.alpha.given(FILAMENT) == 0
    assert_books_balance(world)


async def test_a_loan_until_29_february_is_extended_from_that_day() -> None:
    world = await friends()
    world.anna.says("!fed lend #42 to betaspace until 29.2.")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    assert world.alpha.transfer().due_day == date(2028, 2, 29)
    world.anna.says(f"!fed extend {world.alpha.transfer().code} 1 month")
    await world.grace()
    assert [space.transfer().due_day for space in world.spaces] == [date(2028, 3, 29)] * 2
    assert all(space.bot.engine.failures == 0 for space in world.spaces)
