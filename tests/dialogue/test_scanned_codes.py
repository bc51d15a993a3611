"""InvenTree's own codes, scanned into a line, and items named without their transfer's id."""

from __future__ import annotations

import pytest

from tests.scenarios.world import World, friends


async def offers(world: World, item: str) -> str:
    return await world.answer(world.anna, f"!fed push {item} 10 to betaspace")


@pytest.mark.parametrize("code", ["INV-SI{item}", "inv-si{item}", '{{"stockitem": {item}}}', '{{"stockitem":{item}}}'])
async def test_a_scanned_code_is_the_item_and_the_answer_names_it(code: str) -> None:
    world = await friends()
    item = world.alpha.item("M3-NUT").pk
    answer = await offers(world, code.format(item=item))
    assert "10 × M3 nut (M3-NUT)" in answer
    assert world.beta.transfer().terms.lines[0].item == item


@pytest.mark.parametrize(
    "code", ["INV-PA{part}", '{{"part": {part}}}', "INV-SL{place}", '{{"stocklocation": {place}}}']
)
async def test_the_code_of_a_part_or_location_stands_for_the_items_there(code: str) -> None:
    world = await friends()
    place = world.alpha.admin("POST", "stock/location/", name="Scanned box")["pk"]
    nuts = world.alpha.item("M3-NUT")
    world.alpha.admin("POST", "stock/transfer/", items=[{"pk": nuts.pk, "quantity": "350"}], location=place)
    answer = await offers(world, code.format(part=nuts.part, place=place))
    assert "10 × M3 nut (M3-NUT)" in answer, answer
    assert world.beta.transfer().terms.lines[0].item == nuts.pk
    line = world.kim.says(f"!fed request 1 {code.format(part=nuts.part, place=place)} from betaspace")
    await world.settle()
    assert "is an item in our own InvenTree" in world.answer_to(line)


async def test_each_item_in_a_scanned_location_is_named() -> None:
    world = await friends()
    answer = await offers(world, f"INV-SL{world.alpha.location('Drawer A3')}")
    assert "1) M3 bolt, Workshop/Drawer A3, 10, of 120" in answer


@pytest.mark.parametrize(
    "words", ["push {code}\n10 to betaspace", "push\n{code}\n10\nto betaspace", "push {code}\r\n 10 pcs to betaspace"]
)
async def test_a_line_break_added_by_a_scanner_separates_item_and_quantity(words: str) -> None:
    world = await friends()
    line = world.anna.says("!fed " + words.format(code=f"INV-SI{world.alpha.item('M3-NUT').pk}"))
    await world.settle()
    assert "10 × M3 nut (M3-NUT)" in world.answer_to(line)


@pytest.mark.parametrize(
    "link", ["http://betaspace.test/stock/item/{item}/", "https://evil.test/web/stock/item/{item}"]
)
async def test_a_link_of_another_host_is_never_ours(link: str) -> None:
    world = await friends()
    await offers(world, link.format(item=world.alpha.item("M3-NUT").pk))
    assert world.alpha.turn.transfers() == []


async def test_a_scanned_code_is_not_used_for_an_item_of_the_friend() -> None:
    world = await friends()
    line = world.kim.says("!fed request 1 INV-SI7 from betaspace")
    await world.settle()
    assert world.answer_to(line).startswith('Not done: the code "INV-SI7" is an item in our own InvenTree')
    assert world.beta.turn.transfers() == []


async def lent() -> tuple[World, int]:
    world = await friends()
    world.anna.says("!fed lend M3-NUT 10 to betaspace for 3 weeks")
    await world.settle()
    world.cem.reacts(world.card(), "✅")
    await world.grace()
    borrowed = world.beta.transfer().at(1).item
    assert borrowed is not None
    return world, borrowed


@pytest.mark.parametrize("named", ["M3-NUT", "M3-NUT 4", "4 M3 nut", "#{borrowed}", "INV-SI{borrowed}"])
async def test_a_borrowed_item_is_returned_by_its_name(named: str) -> None:
    world, borrowed = await lent()
    world.cem.says(f"!fed return {named.format(borrowed=borrowed)}")
    await world.settle()
    back = world.alpha.transfer()
    assert back.terms.parent
    assert back.terms.lines[0].quantity == (4 if "4 M" in named or named.endswith(" 4") else 10)


@pytest.mark.parametrize("named", ["#{borrowed}", "INV-SI{borrowed}", "M3-NUT"])
async def test_a_transfer_is_shown_by_the_item_that_came_with_it(named: str) -> None:
    world, borrowed = await lent()
    line = world.cem.says(f"!fed show {named.format(borrowed=borrowed)}")
    await world.settle()
    assert world.beta.transfer().code in world.answer_to(line)


async def test_a_search_for_a_code_shows_our_item() -> None:
    world = await friends()
    code = f"INV-SI{world.alpha.item('M3-NUT').pk}"
    await offers(world, code)
    answers = []
    for verb in ("show", "find"):
        line = world.anna.says(f"!fed {verb} {code}")
        await world.settle()
        answers.append(world.answer_to(line))
    assert "10 × M3 nut" in answers[0]
    assert answers[0] == answers[1]
