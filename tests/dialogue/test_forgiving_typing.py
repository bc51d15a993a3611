"""Lines as a phone autocorrects them, and the ways to name an item: understood, or asked about."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from fedbot.rules.model.catalogue import Share
from tests.dialogue.test_lending import handed_back, lent
from tests.scenarios.world import World, friends, sharing


async def offered(world: World, line: str) -> tuple[int, Decimal, str]:
    """The stock item, quantity and note of the offer that this line made to betaspace."""
    world.anna.says(line)
    await world.settle()
    transfers = world.beta.turn.transfers()
    assert len(transfers) == 1, f"not offered:\n{world.room.transcript()}"
    (terms_line,) = transfers[0].terms.lines
    return terms_line.item, terms_line.quantity, transfers[0].terms.note


@pytest.mark.parametrize(
    "line",
    [
        '!fed push M3-NUT 10 to betaspace --note "for you"',
        '!Fed Push 10 M3-NUT TO Betaspace --note "for you"',
        "!FED give 10 m3-nut to BETASPACE —note “for you”",
        "!fed\u00a0push M3-NUT\u00a010 to betaspace –note „for you“",
        "!fed push 10,0 M3-NUT to betaspace --note 'for you'",
        "!fed push M3-NUT 10.0 to betaspace --note «for you»",
        '!fed push 10 x "M3 nut" to betaspace --note for you',
        "!fed push 10 M3\u2011NUT to betaspace --note for you",
        "!fed push #{item} 10 to betaspace --note for you",
        "!fed push {url}/stock/item/{item}/ 10 to betaspace --note for you",
        "!fed push {url}/web/stock/item/{item}/details 10 to betaspace --note for you",
    ],
)
async def test_one_line_in_many_spellings(line: str) -> None:
    world = await friends()
    item = world.alpha.item("M3-NUT").pk
    said = line.format(item=item, url=world.alpha.us.inventory_url)
    assert await offered(world, said) == (item, Decimal(10), "for you")


async def test_a_full_stop_at_the_end_as_phones_set_it_changes_nothing() -> None:
    world = await sharing()
    for person, line, answer in (
        (world.anna, "push 5 M3-NUT to betaspace.", "Offered to Betaspace: 5 × M3 nut"),
        (world.anna, "push 5 M3-BOLT. to betaspace", 'There are several of "M3-BOLT."'),
        (world.anna, "lend #42 to betaspace for 2 weeks.", "Offered to Betaspace, on loan until Tue 8 Dec 2026"),
        (world.anna, "share Fasteners.", "Fasteners is shared already"),
        (world.kim, "find lens.", '2 hits for "lens"'),
        (world.kim, "find in betaspace.", "Shared items that are free now"),
        (world.cem, "request 1 NOZ-04 from attraktor. Danke 🙏", "Asked Attraktor for 1 × NOZ-04"),
    ):
        said = person.says(f"!fed {line}")
        await world.settle()
        assert world.answer_to(said).startswith(answer), line


@pytest.mark.parametrize("time", ["for 3 weeks", "für 3 wochen", "fuer 21 Tage", "bis 15.12.", "bis zum 15.12.2026"])
async def test_a_due_date_may_be_said_in_german(time: str) -> None:
    world = await friends()
    world.anna.says(f"!fed lend M3-NUT 10 to betaspace {time}")
    await world.settle()
    (transfer,) = world.beta.turn.transfers()
    assert transfer.due_day == date(2026, 12, 15)


@pytest.mark.parametrize("time", ["für einige wochen", "until yesterday", "for some time"])
async def test_an_unreadable_day_is_named(time: str) -> None:
    world = await friends()
    line = world.anna.says(f"!fed lend M3-NUT 10 to betaspace {time}")
    await world.settle()
    assert world.answer_to(line).startswith(f'Not done: I can\'t read "{time.partition(" ")[2]}" as a day.')


async def test_several_lines_in_one_message_are_separated_by_the_person() -> None:
    world = await friends()
    line = world.anna.says("!fed push M3-NUT 10 to betaspace\n!fed push M3-BOLT 5 to betaspace")
    await world.settle()
    assert world.answer_to(line) == "Please write each !fed in its own message. I did nothing."
    assert world.beta.turn.transfers() == []


async def test_a_part_with_its_serial_number_names_one_item() -> None:
    world = await friends()
    lens = world.alpha.item("LENS-2", serial="0042").pk
    assert await offered(world, "!fed push LENS-2#0042 to betaspace") == (lens, Decimal(1), "")


@pytest.mark.parametrize("amount", ["1.000", "1,000"])
async def test_a_number_that_may_mean_thousands_is_asked_about_and_nothing_is_sent(amount: str) -> None:
    world = await friends()
    said = world.anna.says(f"!fed push M3-NUT {amount} to betaspace")
    await world.settle()
    assert amount in world.answer_to(said)
    assert world.alpha.turn.transfers() == []


@pytest.mark.parametrize("separator", ["\n", "; ", " + "])
async def test_several_items_may_be_separated_in_three_ways(separator: str) -> None:
    world = await friends()
    world.anna.says(f"!fed push M3-NUT 10{separator}RES-10K 5 to betaspace")
    await world.settle()
    (transfer,) = world.beta.turn.transfers()
    assert [line.quantity for line in transfer.terms.lines] == [10, 5]


async def test_a_typo_is_pointed_out_and_does_nothing() -> None:
    world = await friends()
    said = world.anna.says("!fed push M3-NUT 10 to btaspace")
    await world.settle()
    assert world.answer_to(said) == 'No space "btaspace". Did you mean !fed push 10 M3-NUT to betaspace? I did nothing.'
    said = world.anna.says("!fed pusch M3-NUT 10 to betaspace")
    await world.settle()
    answer = 'I don\'t know "pusch". Did you mean !fed push 10 M3-NUT to betaspace? I did nothing.'
    assert world.answer_to(said) == answer
    assert world.alpha.turn.transfers() == []


async def test_an_amount_with_three_decimals_can_be_chosen_from_a_list() -> None:
    world = await friends()
    item = world.alpha.stock(part=world.alpha.part("PLA-175-BK").pk)[0]  # counted in kg, so there can be a part of one
    world.alpha.admin("POST", "stock/", part=item.part, quantity=50)
    line = world.anna.says("!fed push PLA-175-BK 1.1250 to betaspace")
    await world.settle()
    (choice,) = world.room.answers(line)
    assert "Reply 1" in choice.text
    world.anna.says("1", reply_to=choice)
    await world.settle()
    assert world.beta.transfer().terms.lines[0].quantity == Decimal("1.125")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("want 3 mm acrylic", "Wanted: 1 × 3 mm acrylic"),
        ("want 5mm plate 2", "Wanted: 2 × 5mm plate"),
        ("want a soldering iron", "Wanted: 1 × soldering iron"),
        ("want a soldering iron until christmas", 'I can\'t read "christmas" as a day'),
        ("request 3 mm acrylic from betaspace", 'How much of "3 mm acrylic"?'),
        ("book LENS-2#0042 from betaspace for 2 weeks", "Asked Betaspace for 1 × LENS-2#0042, on loan"),
    ],
)
async def test_lines_as_people_of_a_makerspace_type_them_are_understood(line: str, answer: str) -> None:
    world = await friends()
    said = world.kim.says(f"!fed {line}")
    await world.settle()
    assert answer in world.answer_to(said)


async def test_a_plural_finds_the_singular() -> None:
    world = await sharing()
    for words in ("lenses", "m3 nuts", "laser lens"):
        line = world.tom.says(f"!fed find {words}")
        await world.settle()
        assert "hit" in world.answer_to(line), words
    line = world.anna.says("!fed push 10 m3 nuts to betaspace")
    await world.settle()
    assert "M3-NUT" in world.answer_to(line)


async def test_a_person_who_would_wait_for_a_free_item_is_told_once_that_it_is_free() -> None:
    world = await sharing()
    before = len(world.room.messages())
    world.tom.says("!fed wait LENS-2 from attraktor")
    await world.settle()
    (answer,) = world.room.messages()[before + 1 :]
    assert "so you don't need to wait" in answer.text


@pytest.mark.parametrize(
    "line",
    [
        "give beta 10 M3-NUT",
        "give Beta 10 M3-NUT",
        "push 10 M3-NUT for betaspace",
        "push 10 M3-NUT an betaspace",
        "please give 10 M3-NUT betaspace",
        "can I give 10 M3-NUT to Betaspace?",
    ],
)
async def test_a_line_without_its_keyword_is_answered_with_the_line_to_type(line: str) -> None:
    world = await friends()
    said = world.anna.says(f"!fed {line}")
    await world.settle()
    told_back = world.answer_to(said)
    assert told_back.casefold() == "did you mean !fed push 10 m3-nut to betaspace? i did nothing."
    assert world.beta.turn.transfers() == []


async def test_the_beginning_of_a_spaces_name_is_suggested_and_never_used() -> None:
    world = await friends()
    said = world.anna.says("!fed push 10 M3-NUT to beta")
    await world.settle()
    assert world.answer_to(said) == 'No space "beta". Did you mean !fed push 10 M3-NUT to betaspace? I did nothing.'


async def test_a_loan_named_in_the_wrong_direction_is_answered_with_the_right_line() -> None:
    world = await sharing()
    for line, meant in (
        ("borrow 10 M3-NUT to betaspace for 2 weeks", "lend 10 M3-NUT to betaspace for 2 weeks"),
        ("lend 10 M3-BOLT from betaspace until friday", "borrow 10 M3-BOLT from betaspace until friday"),
        ("push 10 M3-BOLT from betaspace", "request 10 M3-BOLT from betaspace"),
    ):
        said = world.anna.says(f"!fed {line}")
        await world.settle()
        assert world.answer_to(said) == f"Did you mean !fed {meant}? I did nothing."
    assert world.alpha.turn.transfers() == []


async def test_a_verb_alone_is_answered_with_an_example_line() -> None:
    world = await friends()
    said = world.anna.says("!fed push")
    await world.settle()
    assert "For example: !fed push 200 M3-BOLT to betaspace" in world.answer_to(said)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("lend me 10 M3-NUT from attraktor until friday", "borrow 10 M3-NUT from attraktor until friday"),
        ("could you give us 10 M3-NUT from attraktor", "request 10 M3-NUT from attraktor"),
        ("can I borrow 10 M3-NUT from attraktor for 2 weeks?", "borrow 10 M3-NUT from attraktor for 2 weeks"),
        ("we need 10 M3-NUT", "want 10 M3-NUT"),
    ],
)
async def test_a_verb_in_a_sentence_is_answered_with_a_line_and_does_nothing(line: str, meant: str) -> None:
    world = await friends()
    said = world.bea.says(f"!fed {line}")
    await world.settle()
    assert world.answer_to(said) == f"Did you mean !fed {meant}? I did nothing."


@pytest.mark.parametrize(
    "line", ["who has M3-NUT?", "Who's got M3-NUT", "wer hat M3-NUT?", "where is M3-NUT", "wo gibt es M3-NUT?"]
)
async def test_who_has_an_item_is_a_search(line: str) -> None:
    world = await sharing()
    world.bea.says(f"!fed {line}")
    await world.settle()
    assert '1 hit for "M3-NUT"' in world.room.transcript()


@pytest.mark.parametrize(
    "things",
    [
        "10 M3-NUT, 5 RES-10K",
        "10 M3-NUT and 5 RES-10K",
        "10 M3-NUT & 5 x RES-10K",
        "10 pcs M3-NUT und 5 RES-10K",
        "10 of M3-NUT, 5 of RES-10K",
    ],
)
async def test_items_after_their_quantities_are_separated_by_and_and_commas(things: str) -> None:
    world = await friends()
    world.anna.says(f"!fed push {things} to betaspace")
    await world.settle()
    lines = [(line.description.ipn, int(line.quantity)) for line in world.beta.transfer().terms.lines]
    assert lines == [("M3-NUT", 10), ("RES-10K", 5)]


@pytest.mark.parametrize("name", ["Screw M3, 10 mm", "Kabel rot, 2 Meter lang", "Nuts and 5"])
async def test_a_comma_in_a_name_stays_there(name: str) -> None:
    world = await friends()
    part = world.alpha.admin("POST", "part/", name=name, description="", category=1, active=True, salable=True)
    world.alpha.admin("POST", "stock/", part=part["pk"], quantity=9)
    assert (await offered(world, f"!fed push 5 {name} to betaspace"))[1] == 5


@pytest.mark.parametrize("word", ["M3-NUT: 10", "M3-NUT, 10", "10 M3-NUT,"])
async def test_a_colon_or_comma_after_an_item_is_not_part_of_its_name(word: str) -> None:
    world = await friends()
    assert (await offered(world, f"!fed push {word} to betaspace"))[1] == 10


async def test_about_ten_is_asked_about_and_an_item_is_never_a_space() -> None:
    world = await friends()
    for line, answer in (
        ("push about 10 M3-NUT to betaspace", 'How many is "about 10"?'),
        ("push to betaspace", "Something is missing: ITEM [QUANTITY]"),
        ("push 10 M3-NUT to betaspace tomorrow", 'No space "betaspace tomorrow". Did you mean !fed push 10 M3-NUT to'),
        ("push 10 M3-NUT -> betaspace", "Did you mean !fed push 10 M3-NUT to betaspace?"),
    ):
        said = world.anna.says(f"!fed {line}")
        await world.settle()
        assert world.answer_to(said).startswith(answer)


@pytest.mark.parametrize(
    "line",
    ["list attraktor", "browse Attraktor", "what does attraktor have?", "show me what attraktor has"],
)
async def test_a_friends_stock_is_searched_by_many_wordings(line: str) -> None:
    world = await sharing()
    world.bea.says(f"!fed {line}")
    await world.settle()
    assert "Shared items that are free now:\n1) Attraktor: Arduino Nano, 6" in world.room.transcript()


@pytest.mark.parametrize("line", ["find me a nut", "search for nut", "look for nut"])
async def test_words_between_verb_and_item_are_not_part_of_a_name(line: str) -> None:
    world = await sharing()
    world.bea.says(f"!fed {line}")
    await world.settle()
    assert '2 hits for "nut"' in world.room.transcript()


async def test_an_item_to_request_or_wait_for_may_follow_for() -> None:
    world = await sharing()
    line = world.bea.says("!fed wait for LENS-2 from attraktor")
    await world.settle()
    answer = world.room.answers(line)[0].text
    assert "1 × LENS-2: it is free at Attraktor," in answer
    assert "!fed borrow 1 LENS-2 from attraktor for 2 weeks" in answer, "who waits for a loan wants no gift"
    line = world.bea.says("!fed ask for 10 M3-NUT from attraktor for 2 weeks")
    await world.settle()
    assert "Asked Attraktor for 10 × M3-NUT, on loan until Tue 8 Dec 2026" in world.answer_to(line)
    line = world.bea.says("!fed request for 2 weeks LENS-2 from attraktor")
    await world.settle()
    assert "2 weeks" in world.answer_to(line)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("ask attraktor for 10 M3-NUT", "request 10 M3-NUT from attraktor"),
        ("ask Attraktor for 10 M3-NUT until friday", "request 10 M3-NUT from Attraktor until friday"),
        ("request from attraktor: 10 M3-NUT", "request 10 M3-NUT from attraktor"),
        ("request 10 M3-NUT @attraktor", "request 10 M3-NUT from attraktor"),
        ("borrow from attraktor LENS-2 for 2 weeks", "borrow LENS-2 from attraktor for 2 weeks"),
        ("10 M3-NUT from attraktor", "request 10 M3-NUT from attraktor"),
    ],
)
async def test_a_request_in_another_order_is_answered_with_the_line_to_type(line: str, meant: str) -> None:
    world = await sharing()
    said = world.bea.says(f"!fed {line}")
    await world.settle()
    assert world.answer_to(said) == f"Did you mean !fed {meant}? I did nothing."
    assert world.beta.turn.transfers() == []


@pytest.mark.parametrize("said", ["a dozen M3-NUT", "2 dozen M3-NUT", "half a dozen M3-NUT", "ein Dutzend M3-NUT"])
async def test_a_dozen_is_asked_about_because_parts_may_be_counted_in_dozens(said: str) -> None:
    world = await sharing()
    line = world.bea.says(f"!fed request {said} from attraktor")
    await world.settle()
    assert world.answer_to(line).startswith(f'How many is "{said.removesuffix(" M3-NUT")}"?')


async def test_a_german_loan_over_the_weekend_and_an_extension_by_a_week() -> None:
    world = await sharing(beta={"language": "de"})
    world.bea.says("!fed leihe 1 LENS-2 von attraktor übers Wochenende")
    await world.settle()
    assert str(world.beta.transfer().terms.loan_until) == "2026-11-29"
    world.piet.reacts(world.room.messages(sender=world.alpha.chat.user_id)[-1], "✅")
    await world.grace()
    world.bea.says("!fed verlängere LENS-2 um 1 Woche")
    await world.settle()
    assert str(world.beta.transfer().terms.loan_until) == "2026-12-06"


@pytest.mark.parametrize("line", ["find all", "list everything", "browse *", "find everything"])
async def test_everything_means_all_that_friends_share(line: str) -> None:
    world = await sharing()
    world.bea.says(f"!fed {line}")
    await world.settle()
    assert "Shared items that are free now:\n1) Betaspace:" in world.room.transcript()


async def test_whoami_may_be_asked_in_words_and_a_note_may_lack_its_closing_quote() -> None:
    world = await sharing()
    said = world.kim.says("!fed who am I?")
    await world.settle()
    assert world.answer_to(said).startswith("You are Kim of Attraktor")
    world.bea.says('!fed request 10 M3-NUT from attraktor --note "robot club')
    await world.settle()
    assert world.beta.transfer().terms.note == "robot club"


async def test_the_same_line_after_a_return_is_not_called_a_repetition() -> None:
    world = await lent("M3-NUT 10", "until 15.12.")
    again = world.anna.says("!fed lend M3-NUT 10 to betaspace until 15.12.")
    await world.settle()
    assert "You typed the same" in world.answer_to(again)
    world = await lent("M3-NUT 10", "until 15.12.")
    world.piet.reacts(await handed_back(world), "✅")
    await world.grace()
    again = world.anna.says("!fed lend M3-NUT 10 to betaspace until 15.12.")
    await world.settle()
    assert "You typed the same" not in world.answer_to(again)


async def test_a_part_of_an_items_name_is_answered_with_the_items_to_choose() -> None:
    world = await friends()
    said = world.anna.says("!fed push 10 nut to betaspace --note soon")
    await world.settle()
    assert world.answer_to(said).splitlines()[:2] == ['There is no item "nut". Do you mean this?', "1) M3 nut (M3-NUT)"]
    world.anna.says("1")
    await world.settle()
    (line,) = world.beta.transfer().terms.lines
    assert (line.description.ipn, int(line.quantity), world.beta.transfer().terms.note) == ("M3-NUT", 10, "soon")


@pytest.mark.parametrize("yes", ["yes", "Ja", "ok."])
async def test_yes_picks_the_only_choice(yes: str) -> None:
    world = await friends()
    world.anna.says("!fed push 10 nut to betaspace")
    await world.settle()
    world.piet.says(yes)
    await world.settle()
    assert world.beta.turn.transfers() == []
    world.anna.says(yes)
    await world.settle()
    assert world.beta.transfer().terms.lines[0].description.ipn == "M3-NUT"


async def test_yes_without_a_reply_never_confirms_what_nobody_else_decides() -> None:
    world = await sharing()
    world.anna.says("!fed disconnect betaspace")
    await world.settle()
    world.anna.says("yes")
    await world.settle()
    assert len(world.alpha.turn.active_connections()) == 1


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("hi", "Hello! What you can type: !fed help"),
        ("Hallo zusammen!", "Hello! What you can type: !fed help"),
        ("thanks", "You're welcome."),
        ("danke dir!", "You're welcome."),
    ],
)
async def test_a_greeting_and_thanks_are_answered_as_by_a_person(line: str, answer: str) -> None:
    world = await friends()
    said = world.kim.says(f"!fed {line}")
    await world.settle()
    assert world.answer_to(said) == answer


@pytest.mark.parametrize("line", ["where is my M3-NUT?", "find the M3-NUT", "wo sind unsere M3-NUT"])
async def test_articles_are_no_part_of_what_is_looked_for(line: str) -> None:
    world = await sharing()
    world.bea.says(f"!fed {line}")
    await world.settle()
    assert '1 hit for "M3-NUT"' in world.room.transcript()


@pytest.mark.parametrize("word", ["alles", "everything", "all", "alle"])
async def test_everything_can_be_shared_by_any_word_for_it(word: str) -> None:
    world = await friends()
    said = world.piet.says(f"!fed share {word}")
    await world.settle()
    assert "Shared: everything that we have" in world.answer_to(said)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("request 5 M3-BOLT from betaspace per Paket", 'request 5 M3-BOLT from betaspace --note "per Paket"'),
        ("push 5 M3-NUT to Betaspace the nice ones", 'push 5 M3-NUT to betaspace --note "the nice ones"'),
        ("push 5 M3-NUT to betaspcae", "push 5 M3-NUT to betaspace"),
    ],
)
async def test_words_after_a_friends_name_become_the_note_of_the_suggested_line(line: str, meant: str) -> None:
    world = await friends()
    said = world.anna.says(f"!fed {line}")
    await world.settle()
    assert f"Did you mean !fed {meant}?" in world.answer_to(said)


# --- several items with commas or `and` ---


@pytest.mark.parametrize("words", ["LENS-2#0042, NOZ-04", "LENS-2#0042 and NOZ-04", "1 LENS-2, 2 NOZ-04 and M3-NUT"])
async def test_items_with_commas_to_borrow_are_several_or_one_and_the_person_says_which(words: str) -> None:
    world = await sharing()
    said = world.cem.says(f"!fed borrow {words} from attraktor for 2 weeks")
    await world.settle()
    assert "several items, or one of that name?" in world.answer_to(said)
    choice = world.room.message("several items, or one of that name?")
    world.cem.says("1", reply_to=choice)
    await world.settle()
    while "How much of" in world.room.messages(sender=world.beta.chat.user_id)[-1].text:
        world.cem.says("1", reply_to=world.room.messages(sender=world.beta.chat.user_id)[-1])
        await world.settle()
    (asked,) = world.beta.turn.open_transfers()
    names = [line.description.ipn or line.description.name for line in asked.terms.lines]
    assert len(names) == words.count(",") + words.count("and") + 1
    assert all("," not in name and " and " not in name for name in names)


async def test_one_item_with_a_comma_in_its_name_can_be_borrowed() -> None:
    world = await sharing()
    said = world.cem.says("!fed borrow Resistor, carbon film from attraktor for 2 weeks")
    await world.settle()
    world.cem.says("2", reply_to=world.room.message("several items, or one of that name?"))
    await world.settle()
    assert 'How much of "Resistor, carbon film"?' in world.room.transcript(), said


@pytest.mark.parametrize("words", ["RES-10K, NOZ-04", "RES-10K and NOZ-04", "RES-10K, NOZ-04 und PLY-4-BIRCH"])
async def test_several_parts_are_shared_with_one_line(words: str) -> None:
    world = await friends()
    said = world.anna.says(f"!fed share {words}")
    await world.settle()
    shared = {share.name for share in world.alpha.turn.all(Share)}
    assert len(shared) == (3 if "und" in words else 2), world.answer_to(said)


async def test_one_unknown_name_among_several_shares_none() -> None:
    world = await friends()
    said = world.anna.says("!fed share RES-10K, NOTHING-9")
    await world.settle()
    assert 'No item, part or category "NOTHING-9"' in world.answer_to(said)
    assert not world.alpha.turn.all(Share)
