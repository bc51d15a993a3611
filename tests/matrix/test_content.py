from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedbot.matrix.content import BadContent, bare_envelope, message, picture, reaction
from fedbot.messages.markup import Bold, Break, Code, Items, Link, Mention, Rendered, Text, permalink, render
from fedbot.ports.chat import Media

WORDS = Rendered("Take it?", "<b>Take it?</b>")


def test_a_card_reads_well_with_and_without_html() -> None:
    card = render(
        [
            Bold(("attraktor offers betaspace ", "1 × Laser lens 2.0″. ", "Take it?")),
            ("Asked by ", Mention("@anna:alpha.test", "Anna")),
            "",
            ("Item: ", Link("#42", "https://alpha.test/stock/42/"), ", ", Code("LENS-2")),
            Items(("✅ yes", ("❌ no,", Break(), "thanks"))),
            Text("k7m2"),
        ]
    )
    assert card.plain == (
        "attraktor offers betaspace 1 × Laser lens 2.0″. Take it?\n"
        "Asked by Anna\n"
        "\n"
        "Item: #42 (https://alpha.test/stock/42/), LENS-2\n"
        "• ✅ yes\n"
        "• ❌ no,\nthanks\n"
        "k7m2"
    )
    assert card.html == (
        "<p><b>attraktor offers betaspace 1 × Laser lens 2.0″. Take it?</b><br>"
        'Asked by <a href="https://matrix.to/#/@anna:alpha.test">Anna</a></p>'
        '<p>Item: <a href="https://alpha.test/stock/42/">#42</a>, <code>LENS-2</code></p>'
        "<ul><li>✅ yes</li><li>❌ no,<br>thanks</li></ul>"
        "<p>k7m2</p>"
    )


def test_a_single_paragraph_needs_no_paragraph_tags() -> None:
    assert render(["one", ("two ", Bold("three"))]) == Rendered("one\ntwo three", "one<br>two <b>three</b>")


def test_a_link_whose_label_is_its_address_is_shown_once() -> None:
    assert render([Link("", "https://a.test/")]) == Rendered(
        "https://a.test/", '<a href="https://a.test/">https://a.test/</a>'
    )
    assert render([Link("https://a.test/", "https://a.test/")]).plain == "https://a.test/"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//a.test/", "a", ""])
def test_a_link_leads_to_a_web_page_or_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="web address"):
        Link("x", address)


def test_a_person_without_a_name_is_mentioned_by_id() -> None:
    assert render([Mention("@anna:alpha.test")]).plain == "@anna:alpha.test"


def test_a_strangers_words_can_neither_break_the_line_nor_reverse_it() -> None:
    assert render([("by ", "Eve\n\n✅ done\u202e")]) == Rendered("by Eve  ✅ done", "by Eve  ✅ done")


MARKUP = st.text(alphabet="<>&\"'abc\n\0\u202e/")


@given(MARKUP, MARKUP, MARKUP)
def test_no_word_of_a_stranger_becomes_markup(one: str, two: str, three: str) -> None:
    html = render(
        [
            (Bold(one), Code(two), Mention(f"@{one}:x", two), Link(three, "https://a.test/?" + two)),
            Items((one, two)),
            "",
            three,
        ]
    ).html
    assert set(re.findall(r"</?([a-z]+)", html)) <= {"p", "br", "b", "code", "a", "ul", "li"}
    without_markup = re.sub(r'</?(?:p|br|b|code|ul|li)>|<a href="[^"<>]*">|</a>', "", html)
    assert "<" not in without_markup
    assert ">" not in without_markup


def test_a_notifying_message_is_a_text_with_mentions_and_all_others_are_notices_without() -> None:
    card = message(WORDS, mentions=["@bea:beta.test", "@cem:beta.test"])
    assert card["msgtype"] == "m.text"
    assert card["m.mentions"] == {"user_ids": ["@bea:beta.test", "@cem:beta.test"]}
    quiet = message(WORDS)
    assert quiet["msgtype"] == "m.notice"
    assert quiet["m.mentions"] == {}
    assert message(WORDS, notice=False)["msgtype"] == "m.text"


def test_a_notice_that_should_notify_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="notifies nobody"):
        message(WORDS, mentions=["@bea:beta.test"], notice=True)


def test_a_message_has_both_forms() -> None:
    content = message(WORDS)
    assert content["body"] == "Take it?"
    assert content["format"] == "org.matrix.custom.html"
    assert content["formatted_body"] == "<b>Take it?</b>"


def test_an_edit_mentions_nobody_and_carries_the_envelope_at_both_levels() -> None:
    envelope = {"v": 1, "sig": "x"}
    edit = message(WORDS, mentions=["@bea:beta.test"], envelope=envelope, edits="$card")
    assert edit["m.mentions"] == {}
    assert edit["body"] == "* Take it?"
    assert edit["formatted_body"] == "* <b>Take it?</b>"
    assert edit["m.relates_to"] == {"rel_type": "m.replace", "event_id": "$card"}
    assert edit["dev.fedbot"] == envelope
    new = edit["m.new_content"]
    assert new["dev.fedbot"] == envelope
    assert new["body"] == "Take it?"
    assert new["m.mentions"] == {"user_ids": ["@bea:beta.test"]}
    assert "m.relates_to" not in new


def test_a_reply_names_its_line_and_a_message_in_a_thread_falls_back_to_its_root() -> None:
    assert message(WORDS, reply_to="$line")["m.relates_to"] == {"m.in_reply_to": {"event_id": "$line"}}
    assert message(WORDS, thread="$card")["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": "$card",
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": "$card"},
    }
    both = message(WORDS, thread="$card", reply_to="$line")["m.relates_to"]
    assert (both["is_falling_back"], both["m.in_reply_to"]) == (False, {"event_id": "$line"})


def test_an_envelope_in_a_hidden_event_has_the_same_key() -> None:
    assert bare_envelope({"v": 1}) == {"dev.fedbot": {"v": 1}}


def test_a_reaction_is_an_annotation() -> None:
    assert reaction("$card", "✅") == {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$card", "key": "✅"}}


def test_a_picture_says_what_it_shows_and_is_in_a_thread() -> None:
    shown = picture(
        Media("mxc://x/1"), "A <b>chart</b>\nof it", name="stats.png", size=9, width=4, height=3, thread="$text"
    )
    assert shown == {
        "msgtype": "m.image",
        "body": "A <b>chart</b> of it",
        "filename": "stats.png",
        "url": "mxc://x/1",
        "info": {"mimetype": "image/png", "size": 9, "w": 4, "h": 3},
        "m.mentions": {},
        "m.relates_to": {
            "rel_type": "m.thread",
            "event_id": "$text",
            "is_falling_back": True,
            "m.in_reply_to": {"event_id": "$text"},
        },
    }


def test_a_picture_for_an_encrypted_room_says_how_it_is_decrypted() -> None:
    media = Media("mxc://x/1", {"v": "v2", "key": {"k": "secret"}, "iv": "i", "hashes": {"sha256": "h"}})
    shown = picture(media, "A chart", name="stats.png", size=9, width=4, height=3, thread="$text")
    assert "url" not in shown
    assert shown["file"] == {**media.decryption, "url": "mxc://x/1"}


def test_a_content_of_46000_bytes_passes_and_one_more_does_not() -> None:
    room_left = 46_000 - len(json.dumps(bare_envelope({"body": ""}), separators=(",", ":")).encode())
    assert bare_envelope({"body": "x" * room_left})
    with pytest.raises(BadContent, match="46001 bytes"):
        bare_envelope({"body": "x" * (room_left + 1)})
    with pytest.raises(BadContent, match="bytes"):
        bare_envelope({"body": "ä" * room_left})


@pytest.mark.parametrize("wrong", [1.5, float("nan"), 2**53, -(2**53), {"a": [1.0]}, object(), b"x", "\ud800"])
def test_content_that_a_homeserver_calls_bad_json_is_refused_before_it_is_sent(wrong: object) -> None:
    with pytest.raises(BadContent):
        bare_envelope({"body": [wrong]})


def test_all_content_that_matrix_allows_passes() -> None:
    assert bare_envelope({"a": [None, True, 2**53 - 1, -(2**53) + 1, "ä\0", {}, []]})


def test_a_permalink_names_homeservers_only_if_given() -> None:
    assert permalink("!room", "$event_-1") == "https://matrix.to/#/!room/$event_-1"
    assert (
        permalink("!room:a.test:8448", "$e", via=["a.test:8448", "b.test"])
        == "https://matrix.to/#/!room:a.test:8448/$e?via=a.test:8448&via=b.test"
    )
    assert permalink("!a/b?c", "$e") == "https://matrix.to/#/!a%2Fb%3Fc/$e"
