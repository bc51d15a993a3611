from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedbot.rules.names import can_be_stored, clean_name, clean_text


def test_nul_and_other_controls_are_dropped_but_line_feeds_and_tabs_stay() -> None:
    assert clean_text("a\0b\x07c\x1b[31m\td\ne") == "abc[31m\td\ne"


def test_every_kind_of_line_break_becomes_a_line_feed() -> None:
    assert clean_text("a\r\nb\rc\u2028d\u0085e") == "a\nb\nc\nd\ne"


def test_bidi_overrides_that_change_how_a_line_reads_are_dropped() -> None:
    assert clean_text("\u202e01\u202c to \u2066beta\u2069\u200f") == "01 to beta"


def test_emoji_made_of_several_characters_survive() -> None:
    assert clean_text("👩‍🔧 ✔️ 👍🏽") == "👩‍🔧 ✔️ 👍🏽"


def test_half_surrogates_are_dropped_because_no_database_can_store_them() -> None:
    assert clean_text("a\ud800b") == "ab"


@pytest.mark.parametrize("wrong", [None, 5, {"body": "x"}, ["x"]])
def test_a_value_that_is_no_string_becomes_the_empty_text(wrong: object) -> None:
    assert clean_text(wrong) == ""
    assert clean_name(wrong) == ""


def test_a_name_is_one_line_of_at_most_80_characters() -> None:
    assert clean_name("  Anna\n the\u00a0Great ") == "Anna the Great"
    assert len(clean_name("x" * 500)) == 80


@given(st.text(alphabet=st.characters()))
def test_a_cleaned_text_can_always_be_stored_and_cleaning_again_changes_nothing(text: str) -> None:
    cleaned = clean_text(text)
    assert cleaned.encode().decode() == cleaned
    assert clean_text(cleaned) == cleaned


def nested(levels: int) -> dict[str, object]:
    """An object in an object, and so on."""
    innermost: dict[str, object] = {}
    for _ in range(levels):
        innermost = {"a": innermost}
    return innermost


@pytest.mark.parametrize(
    "wrong",
    [{"a": "\udc00"}, {"a": [float("nan")]}, {"\ud800": 1}, nested(100_000)],
    ids=["text", "nan", "key", "deep"],
)
def test_json_that_utf8_can_not_hold_is_recognised(wrong: dict[str, object]) -> None:
    assert not can_be_stored(wrong)
    assert can_be_stored({"a": "ä", "b": [1, None, {"c": 1.5}]})
