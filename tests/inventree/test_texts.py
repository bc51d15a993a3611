"""Texts that InvenTree would refuse or silently change."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fedbot.inventree.client.rows import address, for_notes, plain, restored, same, stored
from fedbot_demo.inventree.cleaning import cleaned, cleaned_text
from fedbot_demo.inventree.versions import NEWEST

# Messages and words that the sanitizer of a real InvenTree changed or refused.
WORDS = ("&copy", "&amp;", "&lt", "&#60;", "&nbsp;", "&notit", "&x;", "<b>", "</b>", "<!--", "5. ", "json:", '"')
LETTERS = "<>&;#!/?-_*`[]{}|:=+.~\\\"' \t\nabx1é😀\u00a0\u200b\u200d\u200e\u202e\ufeff\u00ad\u2028\x00\x7f\x85"
TRICKY = some.lists(some.sampled_from([*LETTERS, *WORDS]), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("for your Saturday workshop", "for your Saturday workshop"),
        ("size < 5 mm, <b>now</b>", "size ‹ 5 mm, ‹b›now‹/b›"),
        ("one\ntwo\r\n  three\tfour", "one two three four"),
        ("10\u00a0mm", "10 mm"),
        ("Laser lens 2.0″ – für Béa 👩\u200d🔧", "Laser lens 2.0″ – für Béa 👩\u200d🔧"),
        ("turned\u202e round\u0000 \u200e", "turned round"),
        ("\ufeffzero\u200bwidth, soft\u00adhyphen", "zerowidth, softhyphen"),
        ("nuts & bolts, AT&T", "nuts & bolts, AT&T"),
        ("&lt;b&gt; and &copy", "＆lt;b＆gt; and ＆copy"),
        ("half an emoji \ud83d", "half an emoji"),
        ("", ""),
    ],
)
def test_a_typed_text_is_sent_in_a_form_that_inventree_accepts(typed: str, sent: str) -> None:
    assert plain(typed) == sent
    assert plain(sent) == sent


@given(TRICKY)
def test_a_sent_text_stays_unchanged(text: str) -> None:
    for sent in (plain(text), address(f"https://example.org/{text}"), stored(text)):
        assert cleaned_text("x", sent, NEWEST) == sent
    assert cleaned_text("notes", for_notes(text), NEWEST, multi_line=True) == for_notes(text)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("clean with isopropanol only (M3_bolt*)", "clean with isopropanol only (M3_bolt*)"),
        ("[here](ftp://x.org) &x; &copy;", r"\[here\](ftp://x.org) ＆x; ＆copy;"),
        ("text[^1] {: #i }", r"text\[^1\] \{: #i \}"),
        ("5. floor", r"5\. floor"),
        ("C:\\tmp", r"C:\\tmp"),
    ],
)
def test_notes_keep_their_text_though_they_are_markdown(typed: str, sent: str) -> None:
    assert for_notes(typed) == sent


@pytest.mark.parametrize(
    ("link", "sent"),
    [
        ("https://matrix.to/#/!a_B-1:ex.org/$c?fed:ab:1:in", "https://matrix.to/#/!a_B-1:ex.org/$c?fed:ab:1:in"),
        ("https://matrix.to/#/!a/$b?via=x.org&via=y.org", "https://matrix.to/#/!a/$b?via=x.org&via=y.org"),
        ("https://matrix.to/#/!a/$b?a=1&copy=2", "https://matrix.to/#/!a/$b?a=1%26copy=2"),
        ('https://x.org/<b> "é"%20', "https://x.org/%3Cb%3E%20%22%C3%A9%22%20"),
    ],
)
def test_links_are_encoded_where_inventree_would_refuse_them(link: str, sent: str) -> None:
    assert address(link) == sent
    assert address(sent) == sent


def test_names_are_equal_if_inventree_says_so() -> None:
    assert same("Laser\u200d lens <2>", "LASER lens ‹2›")
    assert not same("Laser lens", "Laser lens 2")


@given(some.recursive(TRICKY | some.integers() | some.none(), lambda v: some.dictionaries(TRICKY, v) | some.lists(v)))
def test_metadata_is_read_back_unchanged(value: Any) -> None:  # noqa: ANN401  any JSON
    kept = cleaned({"fedbot": {"value": stored(value)}}, NEWEST)
    assert restored(kept["fedbot"]["value"]) == value


def test_metadata_stays_readable_where_it_can() -> None:
    value = {"origin": "alpha", "name": "Größe 2″ & mehr", "note": "a <b>\n"}
    assert stored(value) == {**value, "note": r'json:"a \u003cb\u003e\n"'}


@pytest.mark.parametrize("text", ["json:", "json:{", "json:1", "json:[1]"])
def test_a_text_that_only_looks_quoted_is_left_alone(text: str) -> None:
    assert restored(text) == text
    assert restored(stored(text)) == text
