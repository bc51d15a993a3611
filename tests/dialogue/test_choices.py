"""A number or a suggested line stands for everything that was typed; nothing of it is lost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.scenarios.world import World, friends


async def chosen(world: World, line: str, number: str = "1") -> None:
    """Anna writes the line, is asked which item she means, and replies with the number."""
    said = world.anna.says(line)
    await world.settle()
    (question,) = world.room.answers(said)
    assert f"Reply {number}" in question.text or "Reply 1" in question.text, question.text
    world.anna.says(number, reply_to=question)
    await world.settle()


async def test_a_choice_keeps_the_quantity_that_was_typed() -> None:
    world = await friends()
    item = world.alpha.item("RES-10K")
    for quantity in (1, 20, 30):
        world.alpha.admin("POST", "stock/", part=item.part, quantity=quantity, location=item.location)
    said = world.anna.says("!fed lend 20 RES-10K to betaspace for 2 weeks")
    await world.settle()
    (question,) = world.room.answers(said)
    assert ", 1 " not in question.text, question.text
    world.anna.says("2", reply_to=question)
    await world.settle()
    (transfer,) = world.beta.turn.transfers()
    assert transfer.terms.lines[0].quantity == 20


async def test_more_than_any_or_all_of_them_have_is_refused() -> None:
    world = await friends()
    lens = world.alpha.item("LENS-2", serial="0042")
    world.alpha.admin("POST", "stock/", part=lens.part, quantity=1, serial_numbers="77")
    said = world.anna.says("!fed lend 5000 LENS-2 to betaspace for 2 weeks")
    await world.settle()
    assert world.answer_to(said).startswith('Not offered: nothing of "LENS-2" can move.')
    assert world.beta.turn.transfers() == []


@pytest.mark.parametrize("note", ["for Saturday", 'it\'s "so"', "a 'b' \"c\"", "„so“"])
async def test_a_choice_keeps_every_option(note: str) -> None:
    world = await friends()
    item = world.alpha.item("M3-NUT")
    world.alpha.admin("POST", "stock/", part=item.part, quantity=50)
    await chosen(world, f"!fed lend 3 M3-NUT to betaspace until 15.12. --parcel --note={note}")
    (transfer,) = world.beta.turn.transfers()
    assert transfer.terms.lines[0].quantity == Decimal(3)
    assert transfer.terms.loan_until == date(2026, 12, 15)
    assert transfer.terms.parcel
    assert transfer.terms.note == note.strip("„“")


async def test_the_example_of_a_request_without_a_quantity_keeps_loan_and_note() -> None:
    world = await friends()
    said = world.bea.says('!fed request LENS-2 from attraktor for 2 weeks --note "for Saturday"')
    await world.settle()
    example = '!fed request 20 LENS-2 from attraktor for 2 weeks --note "for Saturday"'
    assert example in world.answer_to(said)


async def test_the_example_for_an_incomplete_line_keeps_what_was_typed() -> None:
    world = await friends()
    said = world.anna.says('!fed lend 5 M3-NUT to betaspace --note "for you"')
    await world.settle()
    assert '!fed lend 5 M3-NUT to betaspace for TIME --note "for you"' in world.answer_to(said)


async def test_an_alternative_offer_is_lent_as_it_was_typed() -> None:
    world = await friends()
    nut = world.alpha.item("M3-NUT")
    said = world.anna.says(
        f'!fed lend 5000 #{nut.pk} + 2 RES-10K to betaspace until 15.12. --parcel --note "it\'s yours"'
    )
    await world.settle()
    line = f'!fed lend {nut.quantity:f} #{nut.pk} + 2 RES-10K to betaspace until 15.12. --note "it\'s yours" --parcel'
    assert line in world.answer_to(said)
