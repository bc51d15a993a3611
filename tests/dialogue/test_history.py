"""`history`: the ledger in chat, by space, by item and by transfer; shown only where the person may read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fedbot.rules.ledger import history
from fedbot.rules.ledger.history import item_page
from tests.dialogue import test_lending
from tests.scenarios.world import World, friends, told


async def answer(world: World, line: str, room: str = "") -> str:
    said = world.anna.says(line, room=room)
    await world.settle()
    answers = (world.alpha_admins if room else world.room).answers(said)
    assert len(answers) == 1, world.room.transcript()
    return answers[0].text


def codes_in(text: str) -> list[str]:
    """The ids of the listed transfers in order."""
    return [line.removeprefix("• ").split(" ")[0] for line in text.splitlines() if line.startswith("• ")]


async def test_history_lists_all_transfers_newest_first_on_both_sides() -> None:
    world = await friends()
    assert await answer(world, "!fed history") == "No transfers."
    await world.hand_over("M3-NUT 10")
    first = world.alpha.transfer().code
    await world.passes(timedelta(days=40))
    await world.push("M3-NUT 20")
    second = world.alpha.transfer().code
    text = await answer(world, "!fed history")
    assert text.startswith("2 transfers, newest first:")
    assert codes_in(text) == [second, first]
    assert "20 × M3 nut to Betaspace, offered by Anna" in text
    assert "Waiting for a decision" in text
    assert "Done, " in text
    assert f"!fed history {second}" in text
    assert codes_in(await answer(world, "!fed history --since 30d")) == [second]
    assert codes_in(await answer(world, "!fed ledger Betaspace")) == [second, first]
    assert "isn't a period" in await answer(world, "!fed history --since yesterday")
    said = world.bea.says("!fed history attraktor")
    await world.settle()
    assert "10 × M3 nut from Attraktor, offered by Anna" in world.answer_to(said)


async def test_history_of_an_item_finds_it_by_number_ipn_name_and_link_on_either_side() -> None:
    world = await friends()
    await world.hand_over("M3-NUT 10")
    transfer = world.alpha.transfer()
    await world.hand_over("LENS-2#0042")
    lens = world.alpha.transfer()
    nuts, given = transfer.terms.lines[0].item, transfer.progress[0].item
    url = world.alpha.us.inventory_url
    words = [f"#{nuts}", f"#{given}", "M3-NUT", "m3 nut", f"{url}/web/stock/item/{nuts}/"]
    for word in words:
        assert codes_in(await answer(world, f"!fed history {word}")) == [transfer.code], word
    assert codes_in(await answer(world, "!fed history LENS-2#0042")) == [lens.code]
    assert await answer(world, "!fed history M3-NIT") == 'No transfers of "M3-NIT".'
    booked_in = world.beta.transfer().progress[0].item
    said = world.bea.says(f"!fed history #{booked_in}")
    await world.settle()
    assert codes_in(world.answer_to(said)) == [lens.code]


async def test_a_number_means_an_item_and_never_the_serial_number_of_a_part_without_ipn() -> None:
    world = await friends()
    await world.hand_over("LENS-2#0042")
    transfer = world.alpha.transfer()
    line = transfer.terms.lines[0]
    line = replace(line, description=replace(line.description, ipn=""))
    transfer = replace(transfer, terms=replace(transfer.terms, lines=(line,)))
    assert history.touches(transfer, (), f"{line.description.name}#0042")
    assert not history.touches(transfer, (), "#0042")
    assert not history.touches(transfer, (), "")


async def test_a_loan_and_its_return_are_in_the_history_of_the_item_that_was_lent() -> None:
    world = await test_lending.lent()
    loan = world.alpha.transfer()
    world.anna.reacts(await test_lending.handed_back(world), "✅")
    await world.grace()
    text = await answer(world, f"!fed history #{loan.progress[0].item}")
    assert codes_in(text) == [world.alpha.transfer().code, loan.code]
    assert "10 × M3 nut back from Betaspace, asked by Bea" in text
    assert "10 × M3 nut to Betaspace, offered by Anna" in text


async def test_history_of_one_transfer_is_complete_by_id_or_by_reply() -> None:
    world = await friends()
    card = await world.hand_over("M3-NUT 10")
    code = world.alpha.transfer().code
    text = await answer(world, f"!fed history {code}")
    for words in ("offered it", "Cem: approved it, and it counted", "taken out of stock", "Done, ", "stock #"):
        assert words in text, text
    said = world.anna.says("!fed history", reply_to=card)
    await world.settle()
    assert world.answer_to(said) == text
    assert await answer(world, f"!fed history {world.alpha.connection().code}") != text


async def test_a_long_ledger_is_sent_in_pages_of_ten_and_more_is_a_reply() -> None:
    world = await friends()
    for number in range(23):
        await world.push(f"M3-NUT {number + 1}")
        world.anna.says(f"!fed cancel {world.alpha.transfer().code}")
        await world.settle()
        await world.passes(timedelta(minutes=1))
    first = await answer(world, "!fed history betaspace")
    assert first.startswith("23 transfers with Betaspace, newest first:")
    assert "1 to 10 of 23. For the next ones, reply: more" in first
    page = world.room.message("1 to 10 of 23")
    somebody_else = world.piet.says("more", reply_to=page)
    await world.settle()
    assert world.answer_to(somebody_else) == "That list is for Anna, so only Anna can answer it. I did nothing."
    assert "hold the list, choose Reply" in await answer(world, "!fed more")
    second = await answer_to_reply(world, "More", "1 to 10 of 23")
    third = await answer_to_reply(world, "!fed more", "11 to 20 of 23")
    assert third.splitlines()[-2] == "21 to 23 of 23."
    shown = codes_in(first) + codes_in(second) + codes_in(third)
    assert shown == [t.code for t in reversed(world.alpha.turn.transfers())]
    assert "all 23 are on earlier pages" in await answer(world, "!fed history --page 4")
    assert "isn't a page number" in await answer(world, "!fed history --page 0")


async def answer_to_reply(world: World, words: str, to: str) -> str:
    return await world.answer(world.anna, words, reply_to=world.room.message(to))


async def test_history_waits_while_inventree_is_silent_and_shows_admins_all_rooms() -> None:
    world = await friends()
    await world.hand_over("M3-NUT 10")
    transfer = world.alpha.transfer()
    assert codes_in(await answer(world, "!fed history", room=world.alpha_admins.id)) == [transfer.code]
    world.alpha.goes_down()
    line = world.anna.says("!fed history M3-NUT")
    await world.settle()
    assert "Your line is waiting" in world.answer_to(line), "whether Anna is still one of us, only InvenTree knows"
    world.alpha.comes_back()
    await world.passes(timedelta(minutes=6))
    assert codes_in(world.room.answers(line)[-1].text) == [transfer.code]
    for word in (f"#{transfer.terms.lines[0].item}", "M3-NUT", "betaspace", ""):
        assert codes_in(await answer(world, f"!fed history {word}")) == [transfer.code]
    assert "taken out of stock" in await answer(world, f"!fed history {transfer.code}")


async def test_one_transfer_has_links_to_our_items_in_private_but_not_in_the_shared_room() -> None:
    world = await friends()
    await world.hand_over("M3-NUT 10")
    transfer = world.alpha.transfer()
    url, item = world.alpha.us.inventory_url, transfer.progress[0].item
    assert f"{url}/web/stock/item/{item}/" in await answer(
        world, f"!fed history {transfer.code}", room=world.alpha_admins.id
    )
    assert url not in await answer(world, f"!fed history {transfer.code}")


def test_links_to_items_fit_an_older_server() -> None:
    assert item_page("https://stock.example/", 293, 42) == "https://stock.example/stock/item/42/"
    assert item_page("https://stock.example", 391, 42) == "https://stock.example/web/stock/item/42/"


async def test_history_in_a_direct_chat_shows_only_rooms_that_the_person_reads() -> None:
    world = await friends()
    await world.hand_over("M3-NUT 10")
    chat = world.kim.opens_direct_chat(world.alpha.chat.user_id)
    await world.settle()
    world.kim.says("history", room=chat.id)
    await world.settle()
    assert told(chat, "1 transfer:")
    world.kim.leaves()
    world.kim.says("history", room=chat.id)
    await world.settle()
    assert told(chat, "No transfers.")


async def test_show_lists_the_open_transfers_of_an_item_and_the_last_finished_one() -> None:
    world = await friends()
    await world.hand_over("M3-NUT 10")
    await world.passes(timedelta(hours=1))
    await world.hand_over("M3-NUT 20")
    over = world.alpha.transfer()
    nuts = over.terms.lines[0].item
    await world.passes(timedelta(hours=1))
    await world.push("M3-NUT 30")
    asked = world.alpha.transfer()
    url = world.alpha.us.inventory_url
    for word in (f"#{nuts}", "M3-NUT", "m3 nut", f"{url}/stock/item/{nuts}/"):
        text = await answer(world, f"!fed show {word}")
        assert codes_in(text) == [asked.code, over.code], word
        assert f"!fed show {asked.code}" in text
        assert "All 3 of them: !fed history" in text
    assert codes_in(await answer(world, f"!fed show #{over.progress[0].item}")) == [over.code]
    assert await answer(world, "!fed show LENS-2#0042") == 'No transfers of "LENS-2#0042".'
    assert 'No card has the id "M3-NIT"' in await answer(world, "!fed show M3-NIT")
    near = over.code[:3] + ("a" if over.code[3] != "a" else "b")
    assert "Did you mean" in await answer(world, f"!fed show {near}")


async def test_show_of_a_lent_item_shows_the_loan() -> None:
    world = await test_lending.lent()
    loan = test_lending.loan(world.alpha)
    assert codes_in(await answer(world, f"!fed show #{loan.terms.lines[0].item}")) == [loan.code]
