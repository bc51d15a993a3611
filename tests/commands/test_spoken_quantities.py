"""Spoken quantities, several items and quotes: understood, or both meanings are kept."""

from __future__ import annotations

import pytest

from fedbot.rules.model.effects import Phrase
from tests.commands.test_grammar import complaint, lines, parsed


@pytest.mark.parametrize(
    ("words", "quantity"),
    [
        ("3 pcs M3-NUT", "3"),
        ("3 pieces of M3-NUT", "3"),
        ("M3-NUT 3 pcs", "3"),
        ("M3-NUT 3 Stück", "3"),
        ("3pcs M3-NUT", "3"),
        ("1 000 M3-NUT", "1000"),
        ("M3-NUT 1 000", "1000"),
        ("1 000 000 pcs M3-NUT", "1000000"),
        ("10 of M3-NUT", "10"),
    ],
)
def test_a_counted_item_is_read_in_every_spelling(words: str, quantity: str) -> None:
    assert lines(f"push {words} to beta") == [[("M3-NUT", quantity)]]


@pytest.mark.parametrize(
    ("words", "quantity"),
    [
        ("ten M3-NUT", "10"),
        ("M3-NUT ten", "10"),
        ("zwölf M3-NUT", "12"),
        ("½ M3-NUT", "0.5"),
        ("1/2 M3-NUT", "0.5"),
        ("2½ M3-NUT", "2.5"),
        ("M3-NUT 3/4", "0.75"),
        ("all M3-NUT", ""),
        ("M3-NUT all", ""),
        ("alle M3-NUT", ""),
    ],
)
def test_a_word_that_may_be_part_of_a_name_is_read_as_both(words: str, quantity: str) -> None:
    assert lines(f"push {words} to beta") == [[("M3-NUT", quantity), (words, "")]]


def test_digits_in_groups_may_be_two_numbers_and_nothing_is_guessed() -> None:
    assert lines("push 1 500 M3-NUT to beta") == [[("M3-NUT", "1500"), ("500 M3-NUT", "1"), ("1 500 M3-NUT", "")]]


def test_a_third_has_no_decimals_and_is_no_quantity() -> None:
    assert lines("push 1/3 M3-NUT to beta") == [[("1/3 M3-NUT", "")]]


@pytest.mark.parametrize("words", ["ten", "all", "½", "1/2"])
def test_a_word_alone_is_an_item(words: str) -> None:
    assert lines(f"push {words} to beta") == [[(words, "")]]


@pytest.mark.parametrize(
    "words", ["#6 and #7", "#6, #7", "#6 und #7", "#6 & #7", "#6,#7", "10 #6 and 5 #7", "#6 10 and #7 5"]
)
def test_and_splits_words_that_can_only_be_items(words: str) -> None:
    assert [line[0][0] for line in lines(f"push {words} to beta")] == ["#6", "#7"]


@pytest.mark.parametrize("words", ["nuts and bolts", "Salt and #7"])
def test_and_in_a_name_stays_in_the_name(words: str) -> None:
    assert lines(f"push {words} to beta")[0][-1] == (words, "")


def test_items_of_a_loan_are_split_by_and_too() -> None:
    assert parsed("return k7m2 #6 and #7")["id"] == "k7m2 #6; #7"


def test_a_line_break_inside_quotes_is_a_space() -> None:
    assert parsed('push #6 10 to beta --note "for your\n  workshop"')["note"] == "for your workshop"
    assert lines('push "Laser\nlens" 2 to beta') == [[("Laser lens", "2")]]


def test_an_unclosed_quote_does_not_swallow_another_command() -> None:
    text = 'push #6 10 to beta --note "for you\n!fed push #7 5 to beta --note "x"'
    assert complaint(text).name == "one_at_a_time"


@pytest.mark.parametrize(
    "text",
    [
        'push #6 10 to beta --note="for you"',
        'push #6 10 --note="for you" to beta',
        "push —note=„for you“ #6 10 to beta",
        "push #6 10 to beta —note=“for you”",
    ],
)
def test_a_note_behind_an_equals_sign_loses_its_quotes_and_nothing_else(text: str) -> None:
    found = parsed(text)
    assert (found["note"], found["space"], lines(text)) == ("for you", "beta", [[("#6", "10")]])


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("approve k7m2 3 pcs", "3"),
        ("approve k7m2 ten", "10"),
        ("approve k7m2 ½", "0.5"),
        ("approve k7m2 1 000", "1000"),
        ("approve k7m2 all", None),
    ],
)
def test_a_quantity_behind_an_id_is_read_in_every_spelling(text: str, quantity: str | None) -> None:
    found = parsed(text)
    assert not isinstance(found, Phrase)
    assert found["id"] == "k7m2"
    assert found.get("quantity") == quantity
