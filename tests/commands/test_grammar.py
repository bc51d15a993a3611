from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fedbot.commands import borrow, grammar, items, push, request
from fedbot.commands.grammar import parse, render
from fedbot.commands.items import tokens_in
from fedbot.commands.sentences import with_the_space
from fedbot.messages.quantities import quantity_in
from fedbot.rules.model.effects import Phrase
from tests.commands.worlds import World

WORLD = World()


def parsed(text: str) -> dict[str, Any]:
    outcome = WORLD.verbs.parse(WORLD.turn, text)
    assert not isinstance(outcome, Phrase), outcome
    return outcome[1]


def complaint(text: str) -> Phrase:
    outcome = WORLD.verbs.parse(WORLD.turn, text)
    assert isinstance(outcome, Phrase), outcome
    return outcome


def lines(text: str) -> list[list[tuple[str, str]]]:
    return [[(reading["item"], reading["quantity"]) for reading in line] for line in parsed(text)["lines"]]


@pytest.mark.parametrize(
    ("text", "item", "quantity"),
    [
        ("push #42 10 to beta", "#42", "10"),
        ("push 10 #42 to beta", "#42", "10"),
        ("push 10 # 42 to beta", "#42", "10"),
        ("push 10 M3-BOLT to beta", "M3-BOLT", "10"),
        ("push M3-BOLT 10 to beta", "M3-BOLT", "10"),
        ("PuSh M3-BOLT 10 TO beta", "M3-BOLT", "10"),
        ("give M3-BOLT 10 to beta", "M3-BOLT", "10"),
        ("push 10x M3-BOLT to beta", "M3-BOLT", "10"),
        ("push M3-BOLT ×10 to beta", "M3-BOLT", "10"),
        ("push 10 × M3-BOLT to beta", "M3-BOLT", "10"),
        ("push M3-BOLT x 10 to beta", "M3-BOLT", "10"),
        ("push\u00a010\u202fM3-BOLT to\u00a0beta", "M3-BOLT", "10"),
        ("push 1,5 PLA to beta", "PLA", "1.5"),
        ("push 1.5 PLA to beta", "PLA", "1.5"),
        ("push PLA 0,125 to beta", "PLA", "0.125"),
        ("push PLA 1.234,5 to beta", "PLA", "1234.5"),
        ("push PLA 1,234.50 to beta", "PLA", "1234.5"),
        ("push PLA 1.000.000 to beta", "PLA", "1000000"),
        ("push PLA 1234.567 to beta", "PLA", "1234.567"),
        ("push PLA -5 to beta", "PLA", "-5"),
        ("push LENS-2#0042 to beta", "LENS-2#0042", ""),
        (
            "push https://inv.example.org/web/stock/item/42/ 3 to beta",
            "https://inv.example.org/web/stock/item/42/",
            "3",
        ),
        ('push "Laser lens 2" to beta', "Laser lens 2", ""),
        ("push „Laser lens 2“ to beta", "Laser lens 2", ""),
        ("push «Laser lens 2» 3 to beta", "Laser lens 2", "3"),
        ("push 'Laser lens 2' to beta", "Laser lens 2", ""),
        ('push 2.0" lens to beta', '2.0" lens', ""),
        ("push Laser lens 2.0″ to beta", "Laser lens 2.0″", ""),
        ("push Cable 3 to 4 to beta", "Cable 3 to 4", "?"),
        ('push "10" to beta', "10", ""),
        ("push 10 to beta", "10", ""),
    ],
)
def test_an_item_and_its_quantity_are_found_in_every_spelling(text: str, item: str, quantity: str) -> None:
    if quantity == "?":
        assert lines(text)[0][-1] == (item, "")
        return
    assert lines(text) == [[(item, quantity)]]
    assert parsed(text)["space"] == "beta"


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("push Laser lens 2 to beta", [("Laser lens", "2"), ("Laser lens 2", "")]),
        ("push 3 mm plywood to beta", [("plywood", "3"), ("mm plywood", "3"), ("3 mm plywood", "")]),
        ("push 10 Screw M3 20 to beta", [("Screw M3 20", "10"), ("10 Screw M3", "20"), ("10 Screw M3 20", "")]),
        ("push 10 42 to beta", [("42", "10"), ("10", "42")]),
    ],
)
def test_a_number_that_may_belong_to_the_name_is_read_both_ways(text: str, readings: list[tuple[str, str]]) -> None:
    assert lines(text) == [readings]


@pytest.mark.parametrize("word", ["1.000", "1,000", "12,500", "999.999"])
def test_a_number_that_can_be_thousands_or_decimals_is_asked_about(word: str) -> None:
    phrase = complaint(f"push {word} M3-BOLT to beta")
    assert phrase.name == "number_unclear"
    assert phrase.about["word"] == word
    assert len(phrase.about["readings"]) == 2


@pytest.mark.parametrize("word", ["1e3", "1.2.3", "1,2,3", "1.23,456.7", "v2", "x", "1_000", "1/3", "٣"])
def test_a_word_that_is_no_number_is_part_of_a_name(word: str) -> None:
    assert quantity_in(word) is None


@pytest.mark.parametrize(
    "text",
    [
        "push 10 A + 5 B to beta",
        "push 10 A; 5 B to beta",
        "push 10 A\n5 B to beta",
        "push\n10 A to beta\n5 B",
        "push 10 A to beta; 5 B to Beta",
        "push\n\n10 A;\n5 B\nto beta\n",
    ],
)
def test_several_lines_are_split_by_line_breaks_semicolons_and_plus(text: str) -> None:
    assert lines(text) == [[("A", "10")], [("B", "5")]]
    assert parsed(text)["space"] == "beta"


def test_a_plus_or_semicolon_inside_a_name_or_link_splits_nothing() -> None:
    assert lines('push LED+5V + "a; b" + https://x.org/;42 to beta') == [
        [("LED+5V", "")],
        [("a; b", "")],
        [("https://x.org/;42", "")],
    ]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("push #42 to beta --note for you; bring it back + thanks", "for you; bring it back + thanks"),
        ("push #42 to beta —note für dich", "für dich"),
        ("push #42 to beta –NOTE für dich", "für dich"),
        ("push #42 to beta --note=für dich", "für dich"),
        ('push #42 --note "a to b; c" to beta', "a to b; c"),
        ("push #42 --note “don't” to beta", "don't"),
        ("push #42 to beta\n--note first\n#43", "first"),
        ("push #42 to beta - for you + Bea", "for you + Bea"),
        ("push #42 to beta – bring it to Anna", "bring it to Anna"),
        ("push #42 to beta — “don't” is fine", "“don't” is fine"),
        ('push #42 to beta -- "a; b"', "a; b"),
        ("push #42 to beta by parcel – soon", "soon"),
        ("push #42 to beta by parcel, in the yellow box", "in the yellow box"),
        ("push #42 to beta --parcel, in the yellow box", "in the yellow box"),
        ("borrow #42 from beta from 1 dec until 5 dec, for the class", "for the class"),
        ("borrow #42 from beta until 5 dec, for us, and you", "for us, and you"),
    ],
)
def test_a_note_is_taken_as_it_is_written(text: str, note: str) -> None:
    assert parsed(text)["note"] == note
    assert parsed(text)["space"] == "beta"


def test_a_dash_is_a_note_only_behind_the_space_and_no_part_of_its_name() -> None:
    assert parsed("push Screw M3 - black to beta")["lines"][0][0]["item"] == "Screw M3 - black"
    assert "note" not in parsed("request #42 from beta from 12.12. – 19.12.")
    spec = push.SPEC
    line = parse(spec, "#42 to Makers – Ulm – soon", ("Makers – Ulm",))
    assert not isinstance(line, Phrase)
    assert (line["space"], line["note"]) == ("Makers – Ulm", "soon")
    assert render(spec, {**line, "note": ""}) == 'push #42 to "Makers – Ulm"'
    assert parsed("push #42 to beta –")["space"] == "beta –"


@pytest.mark.parametrize(
    ("text", "note", "until"),
    [
        ("5 M3-NUT from beta, for the workshop on Saturday", "for the workshop on Saturday", ""),
        ("5 M3-NUT from Makers Ulm, thanks to Kim it is urgent", "thanks to Kim it is urgent", ""),
        ("5 M3-NUT from beta, until friday", "", "friday"),
        ("5 M3-NUT from beta, for 2 weeks", "", "2 weeks"),
        ("5 M3-NUT from beta for a week, we have a class", "we have a class", "a week"),
        ("5 M3-NUT from beta until fri, 12.12.", "", "fri, 12.12."),
        ("5 M3-NUT from beta, by parcel", "by parcel", ""),
    ],
)
def test_a_comma_after_a_friends_name_begins_a_note(text: str, note: str, until: str) -> None:
    line = parse(request.SPEC, text, ("beta", "Makers Ulm"))
    assert not isinstance(line, Phrase)
    assert (line.get("note", ""), line.get("until", "")) == (note, until)
    assert str(line["space"]).rstrip(",") in {"beta", "Makers Ulm"}


def test_a_comma_begins_no_note_before_another_item_or_in_an_unknown_name() -> None:
    for text in ("5 M3-NUT from beta, #43", "5 M3-NUT from gamma, for the workshop"):
        line = parse(request.SPEC, text, ("beta",))
        assert isinstance(line, Phrase) or "note" not in line


@pytest.mark.parametrize("things", ["2 m CAB-2C and 3 ARD", "2m CAB-2C, 3 ARD", "1,5 m CAB-2C und 3 ARD"])
def test_items_after_measures_are_separated_too(things: str) -> None:
    lines = parsed(f"push {things} to beta")["lines"]
    assert [line[0]["item"] for line in lines] == ["CAB-2C", "ARD"]
    assert [line[0].get("unit", "") for line in lines] == ["m", ""]


def test_a_dash_after_what_is_returned_begins_a_note() -> None:
    assert parsed("return k7m2 - scratched a bit") == {"id": "k7m2", "note": "scratched a bit"}
    for dash in ("-", "–", "—", "--"):
        assert parsed(f"return LENS-2 {dash} scratched") == {"id": "LENS-2", "note": "scratched"}
        assert parsed(f"return {dash} scratched") == {"note": "scratched"}, "a reply to the card"
    assert parsed("return k7m2 LENS-2; RES-10K 5 – all fine") == {"id": "k7m2 LENS-2; RES-10K 5", "note": "all fine"}


def test_a_space_may_have_a_name_of_several_words() -> None:
    assert parsed("push #42 to Beta Space")["space"] == "Beta Space"
    assert parsed('push #42 to "Road to Nowhere"')["space"] == "Road to Nowhere"
    assert parsed("connect Beta Space")["space"] == "Beta Space"
    assert parsed("review Beta Space accept k3f9") == {"space": "Beta Space", "accept": "k3f9"}
    assert parsed("review beta accept Dog Light Bulb") == {"space": "beta", "accept": "Dog Light Bulb"}


def test_an_empty_line_is_help() -> None:
    assert WORLD.verbs.parse(WORLD.turn, "") == ("help", {})
    assert WORLD.verbs.parse(WORLD.turn, " \n ") == ("help", {})


@pytest.mark.parametrize(
    ("text", "name", "about"),
    [
        ("pusch #42 to beta", "no_such_verb", {"word": "pusch", "near": ("push",)}),
        ("push #42 to beta --nte x", "no_such_option", {"word": "--nte", "near": ("--note",)}),
        ("push #42 to beta --note", "option_without_text", {"option": "--note"}),
        ("push #42 to beta --note a --note b", "option_twice", {"option": "--note"}),
        ("push #42", "argument_missing", {"argument": "to SPACE"}),
        ("push to beta", "argument_missing", {"argument": "ITEM [QUANTITY]"}),
        ("connect", "argument_missing", {"argument": "SPACE"}),
        ("wait LENS-2 from", "argument_missing", {"argument": "from SPACE"}),
        ("approve k7m2 quickly", "word_too_many", {"word": "quickly"}),
        ("todo now", "word_too_many", {"word": "now"}),
        ("push A to beta; B to gamma", "two_different", {"keyword": "to", "first": "beta", "second": "gamma"}),
        ("push 10 #42 20 to beta", "two_quantities", {"first": "10", "second": "20"}),
        (f"push {'x ' * 2000} to beta", "line_too_long", {"length": 4013, "most": 4_000}),
        (f"push {'x' * 201} to beta", "word_too_long", {"word": "x" * 40, "most": 200}),
        (f"push #42 to beta --note {'x' * 501}", "note_too_long", {"length": 501, "most": 500}),
        (f"push {'#1;' * 21} to beta", "too_many_lines", {"count": 21, "most": 20}),
    ],
)
def test_an_error_points_at_the_word(text: str, name: str, about: dict[str, Any]) -> None:
    phrase = complaint(text)
    assert phrase.name == name
    assert {key: phrase.about[key] for key in about} == about


VERBS = st.sampled_from([spec for handler in WORLD.verbs._by_name.values() for spec in handler.spec.names])
PIECES = st.sampled_from(
    ["to", "#", "#42", "10", "1.000", "x", "--note", "—note", '"', "“", "'", ";", "+", "\n", " ", "A"]
)


@given(text=st.text() | st.lists(PIECES).map(" ".join), verb=st.just("") | VERBS)
@example(text='"', verb="push")
@example(text='" " to "  "', verb="push")
@example(text="\ud800 to \ud800", verb="push")
def test_no_text_makes_the_parser_fail(text: str, verb: str) -> None:
    outcome = WORLD.verbs.parse(WORLD.turn, f"{verb} {text}")
    assert isinstance(outcome, (Phrase, tuple))


@given(number=st.decimals(min_value=0, max_value=10**9, places=2))
def test_every_decimal_number_is_understood_as_it_is(number: Decimal) -> None:
    quantity = quantity_in(f"{number:f}")
    assert quantity is not None
    assert [Decimal(reading) for reading in quantity.readings] == [number]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("10 M3-NUT betaspace", "push 10 M3-NUT to betaspace"),
        ("betaspace 10 M3-NUT", "push 10 M3-NUT to betaspace"),
        ('10 M3-NUT Betaspace --note "for you"', 'push 10 M3-NUT to Betaspace --note "for you"'),
        ("10 M3-NUT somewhere", ""),
        ("betaspace", ""),
    ],
)
def test_a_space_without_its_keyword_gets_it(text: str, meant: str) -> None:
    assert with_the_space(push.SPEC, text, ["betaspace", "Betaspace"]) == meant


@pytest.mark.parametrize("text", ["some M3-NUT to beta", "a few M3-NUT to beta", "ein paar M3-NUT to beta"])
def test_some_of_it_is_no_quantity_and_never_all_of_it(text: str) -> None:
    found = parse(push.SPEC, text)
    assert isinstance(found, Phrase)
    assert found.name == "how_many_is_that"


@pytest.mark.parametrize(
    "text",
    [
        "10 M3-NUT to beta please",
        "10 M3-NUT to beta, thanks!",
        "10 M3-NUT to beta bitte.",
        "10 M3-NUT to beta. Danke 🙏",
    ],
)
def test_a_word_of_thanks_is_no_part_of_the_line(text: str) -> None:
    found = parse(push.SPEC, text)
    assert not isinstance(found, Phrase)
    assert found["space"] == "beta"


def test_a_day_may_be_named_by_its_weekday_too() -> None:
    line = parsed("borrow 1 LENS-2 from beta from friday 4 december until sat 12.12.")
    assert (line["space"], line["starts"], line["until"]) == ("beta", "friday 4 december", "sat 12.12.")


@pytest.mark.parametrize("words", ["from ", "by friday from ", "1 a from 1 ", "and #1 and "])
def test_the_work_grows_no_faster_than_the_line(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0

    def counted(reads: Callable[[str], object]) -> Callable[[str], object]:
        def reading(text: str) -> object:
            nonlocal read
            read += len(text)
            return reads(text)

        return reading

    readers = [(grammar, "is_day"), (grammar, "reads_as_day"), (items, "quantity_in"), (items, "measured_in")]
    for module, name in readers:
        monkeypatch.setattr(module, name, counted(getattr(module, name)))

    def work(times: int) -> int:
        nonlocal read
        read = 0
        parse(borrow.SPEC, words * times)
        return read

    assert work(200) < 2.5 * work(100)


@pytest.mark.parametrize("piece", ['"a ', "'a ", '"a\n', '"\n', '--n="a '])
def test_twice_the_quotes_that_nothing_closes_are_twice_the_work(piece: str) -> None:
    once, twice = (lines_of_code_run(partial(tokens_in, piece * pieces)) for pieces in (60, 120))
    assert twice < 2.5 * once


def lines_of_code_run(work: Callable[[], object]) -> int:
    count = 0

    def trace(_frame: FrameType, kind: str, _value: object) -> Callable[..., Any]:
        nonlocal count
        count += kind == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
