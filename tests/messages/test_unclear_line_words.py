"""Answers to lines that can't be read or name nothing."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from tests.scenarios.scenes import ALPHA, BOLTS, LOCALES, connection, plain, transfer

USAGE = "push ITEM [QUANTITY] to SPACE [--note TEXT]"

SAID: dict[str, Phrase] = {
    "a line without its key": say(messages.line_errors.line_unreadable),
    "a line in clear in an encrypted room": say(messages.line_errors.said_in_clear),
    "an encrypted line that a homeserver shows again": say(messages.line_errors.line_repeated),
    "no such verb": say(messages.line_errors.no_such_verb, word="pusch", near=("push",)),
    "no such verb, nothing near": say(messages.line_errors.no_such_verb, word="xyzzy", near=()),
    "a number that is no reply": say(messages.line_errors.reply_to_the_list, word="2"),
    "a number for a list that is over": say(messages.line_errors.choice_is_over),
    "a number for somebody else's list": say(messages.line_errors.choice_of_another, whose="Anna"),
    "a number that the list hasn't got": say(messages.line_errors.not_on_the_list, word="4", count=3),
    "a number for a list that can only go on": say(messages.line_errors.not_on_the_list, word="4", count=0),
    "several lines for me in one message": say(messages.line_errors.one_at_a_time),
    "a note that nobody would read": say(messages.line_errors.note_unread, verb="wait", line="wait LENS-2 from beta"),
    "no such option": say(messages.line_errors.no_such_option, word="--nte", near=("--note",), usage=USAGE),
    "an option without its text": say(messages.line_errors.option_without_text, option="--note", usage=USAGE),
    "an option twice": say(messages.line_errors.option_twice, option="--note", usage=USAGE),
    "something is missing": say(
        messages.line_errors.argument_missing, argument="to SPACE", usage=USAGE, example="push 10 M3-BOLT to beta"
    ),
    "the keyword in front of a space is missing": say(
        messages.line_errors.keyword_missing, line="push 10 M3-BOLT to beta"
    ),
    "no number": say(messages.line_errors.how_many_is_that, word="a few"),
    "something turned up": say(messages.line_errors.found_something, item="LENS-2"),
    "something is broken": say(messages.line_errors.something_is_broken, item=""),
    "a word too many": say(messages.line_errors.word_too_many, word="please", usage="whoami", example="whoami"),
    "two spaces": say(messages.line_errors.two_different, keyword="to", first="beta", second="gamma"),
    "two quantities": say(messages.line_errors.two_quantities, first="10", second="20"),
    "a quote that isn't closed": say(messages.line_errors.quotes_not_closed, word='"Laser'),
    "an unclear number": say(messages.line_errors.number_unclear, word="1.000", readings=("1", "1000")),
    "an unclear number that has three decimals": say(
        messages.line_errors.number_unclear, word="1,125", readings=("1.125", "1125")
    ),
    "a line that is too long": say(messages.line_errors.line_too_long, length=61_234, most=4_000),
    "a word that is too long": say(messages.line_errors.word_too_long, word="a" * 300, most=200),
    "a note that is too long": say(messages.line_errors.note_too_long, length=612, most=500),
    "too many lines": say(messages.line_errors.too_many_lines, count=25, most=20),
    "in the wrong room": say(
        messages.line_errors.not_in_this_room, text="push M3-BOLT 10 to betaspace", rooms=("Makerspaces",)
    ),
    "not in a direct chat": say(
        messages.line_errors.not_in_direct_chat, text="push M3-BOLT 10 to betaspace", rooms=("Makerspaces",)
    ),
    "in a direct chat with somebody who shares no room": say(
        messages.line_errors.not_in_direct_chat, text="push M3-BOLT 10 to betaspace", rooms=()
    ),
    "no such space": say(
        messages.line_errors.no_such_space, word="btea", near=("betaspace",), known=("betaspace", "gamma")
    ),
    "no such space, nothing near": say(
        messages.line_errors.no_such_space, word="xyz", near=(), known=("betaspace", "gamma")
    ),
    "no such space, and maybe a neighbour": say(
        messages.line_errors.no_such_space,
        word="Repair Café",
        near=(),
        known=("betaspace", "gamma"),
        outside="lend 10 M3-NUT to outside Repair Café for 2 weeks",
    ),
    "no space at all": say(messages.line_errors.no_such_space, word="xyz", near=(), known=()),
    "several spaces of one name": say(messages.line_errors.several_spaces, word="beta", spaces=("beta-1", "beta-2")),
    "our own space": say(messages.line_errors.that_is_us, us=ALPHA),
    "which case": say(
        messages.line_errors.which_one, verb="approve", subjects=(transfer(), connection()), line="approve k7m2"
    ),
    "which case, none fits": say(messages.line_errors.which_one, verb="show", subjects=(), line=""),
    "no such id": say(messages.line_errors.no_such_id, word="k7m3", near=("k7m2",)),
    "no such id, nothing near": say(messages.line_errors.no_such_id, word="zzzz", near=()),
    "several of that id": say(
        messages.line_errors.several_subjects, word="k7m2", subjects=(transfer(), transfer(BOLTS))
    ),
    "a reply to another bot's message": say(
        messages.line_errors.answers_another_message, subject=transfer(BOLTS), text="approve k7m2 5"
    ),
    "a case of another room": say(messages.line_errors.subject_elsewhere, subject=transfer(), room="Makerspaces"),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
