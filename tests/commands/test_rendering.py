"""A parsed command can be rendered as a line that parses to the same command: the base of choices and suggestions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fedbot.commands.grammar import parse, render
from fedbot.commands.items import first_word
from fedbot.commands.registry import catalogue
from fedbot.commands.spec import Verb
from fedbot.rules.model.effects import Phrase

SPECS = {spec.name: spec for spec in catalogue()}

PIECES = st.sampled_from(
    [
        *("#42", "42", "10", "1,5", "1.1250", "x", "×", "M3-NUT", "Laser lens", "LENS-2#0042", "k7m2", "all", "don't"),
        *('"Laser lens 2"', "'a \"b\" c'", '"10"', '"to"', "“it's ‘so’”", '"a;b"', '"--note"', '"a + b"', "«x»", "`y`"),
        *("https://x.org/;42", '2.0" lens', "A", "B C", "beta", "Beta Space", "accept", "as"),
        *("2 weeks", "31.1.", "friday", "to", "from", "for", "until", "bis", "is", "+", ";", "\n"),
        *('"', "'", "“", "--", "-", "  "),
        *("--note x", '--note "a b"', "--note=x", '--note it\'s "so"', "--note 'a' or \"b\"", '--note="x"'),
        *("--note A; B", "—note „so“"),
        *(
            "ten",
            "½",
            "1/2",
            "3 pcs",
            "pcs",
            "of",
            "1 000",
            "1 500",
            "500",
            "000",
            "ALL",
            "and",
            "&",
            "#6, #7",
            "#6,#7",
            ",",
        ),
        *('"a\nb"', "LENS#1", "#6 and #7", "24/12", "two weeks", "2w", '--note="a b" "c"', "3pcs", "ten pcs"),
        *("by parcel", "mail", "per"),
        *("--parcel", "--loan 2w", "--loan 31.1.", "--damaged", "--sure", "--now", "--since 30d", "--page 2", "--as x"),
    ]
)


def typed_for(spec: Verb) -> st.SearchStrategy[str]:
    """Arguments of a verb: pieces in any order, mostly with the verb's keywords."""
    keyed = [argument.keyword for argument in spec.arguments if argument.keyword]
    value = st.sampled_from(
        ["beta", "Beta Space", '"Road to Nowhere"', '"for"', "2 weeks", "until friday", "k7m2", '"a" b']
    )
    ends = st.tuples(*(value.map(f"{word} {{}}".format) for word in keyed)).map(" ".join)
    options = st.lists(PIECES, max_size=2).map(" ".join)
    return st.builds("{} {} {}".format, st.lists(PIECES, max_size=5).map(" ".join), ends, options)


LINES = st.sampled_from(sorted(SPECS)).flatmap(lambda name: st.tuples(st.just(name), typed_for(SPECS[name])))


def read(spec: Verb, text: str) -> dict[str, Any]:
    outcome = parse(spec, text)
    assert isinstance(outcome, dict), outcome
    return outcome


@given(line=LINES)
@example(line=("push", '"Laser lens" 2 to "Road to Nowhere" --note \'for "you"\''))
@example(line=("push", '10 Screw "M3" 20 + "10" + 10 42 to beta --parcel'))
@example(line=("request", "LENS-2 from beta for 2 weeks --note it's \"so\" or 'so'"))
@example(line=("return", 'k7m2 "a;b"; "Laser lens" 5 --damaged'))
@example(line=("push", '"  " to beta'))
@example(line=("push", '"#6 and #7" 1 500 + 10 #6 and 1/2 M3 to beta'))
@example(line=("return", 'k7m2 "#6 and #7"; 3 pcs LENS-2'))
@example(line=("approve", "3 pcs"))
@example(line=("request", '42 from beta from "beta for beta by beta" + #42'))
@example(line=("borrow", '42 from beta from "2 weeks for 2 weeks by" for friday'))
@example(line=("borrow", "LENS-2 from beta from 12.12. for friday by monday"))
@example(line=("borrow", "#42 from beta from 2 weeks for 2 weeks by for friday"))
@example(line=("request", "#42 from beta from 2 weeks for until friday by beta"))
@example(line=("approve", "42 + 500"))
@example(line=("want", 'by 2 weeks until "2 weeks"\n42'))
@example(line=("lend", "until from\n500 to beta for friday"))
@example(line=("lend", '"2 weeks for" 42 friday friday + bis 2 weeks\n500 to beta'))
@example(line=("push", "#42 to beta\n10"))
def test_a_parsed_line_reads_the_same_when_it_is_rendered(line: tuple[str, str]) -> None:
    name, text = line
    arguments = parse(SPECS[name], text)
    assume(not isinstance(arguments, Phrase))
    assert isinstance(arguments, dict)
    again = render(SPECS[name], arguments)
    verb, rest = first_word(again)
    assert verb == name
    assert parse(SPECS[name], rest) == arguments, (text, again)


@pytest.mark.parametrize(
    ("name", "text", "rendered"),
    [
        ("push", "10 M3-NUT to beta", "push 10 M3-NUT to beta"),
        ("push", "M3-NUT x 10 TO beta —note „for you“", 'push 10 M3-NUT to beta --note "for you"'),
        ("request", "LENS-2 FROM Beta Space bis 31.1.", "request LENS-2 from Beta Space until 31.1."),
        ("lend", "#42 3 to beta for 2 weeks --parcel", "lend 3 #42 to beta for 2 weeks --parcel"),
        ("push", "Laser lens 2; A to beta", "push Laser lens 2 + A to beta"),
    ],
)
def test_a_rendered_line_is_as_a_person_would_type_it(name: str, text: str, rendered: str) -> None:
    assert render(SPECS[name], read(SPECS[name], text)) == rendered
