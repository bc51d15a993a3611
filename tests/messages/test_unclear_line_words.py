"""What is said to lines that can't be read or name nothing, as people read it."""

from __future__ import annotations

from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from tests.scenarios.scenes import ALPHA, BOLTS, connection, plain, transfer

USAGE = "push ITEM [QUANTITY] to SPACE [--note TEXT]"

SAID: dict[str, tuple[Phrase, str]] = {
    "a line without its key": (
        say(messages.line_errors.line_unreadable),
        """
        I can't read this line: your app didn't give me its key.
        If it was for me: I did nothing. Please say it again.
        If that doesn't help, sign out of that app and in again, then say it again.
        I say this once a day.
        """,
    ),
    "a line in clear in an encrypted room": (
        say(messages.line_errors.said_in_clear),
        """
        I did nothing: your app sent this line without encryption, and this room is encrypted.
        Who runs a server here could have written it in your name. Please say it in an app that encrypts.
        """,
    ),
    "no such verb": (
        say(messages.line_errors.no_such_verb, word="pusch", near=("push",)),
        """
        I don't know "pusch". Did you mean push? I did nothing.
        All that I know: !fed help
        """,
    ),
    "no such verb, nothing near": (
        say(messages.line_errors.no_such_verb, word="xyzzy", near=()),
        """
        I don't know "xyzzy". I did nothing.
        All that I know: !fed help
        """,
    ),
    "a number that is no reply": (
        say(messages.line_errors.reply_to_the_list, word="2"),
        """
        "2" answers a list of mine: hold that message, choose Reply, and send it there.
        It counts for who asked, within 10 minutes. I did nothing.
        """,
    ),
    "a number for a list that is over": (
        say(messages.line_errors.choice_is_over),
        """
        That list is answered already, or older than 10 minutes. I did nothing.
        If you still want it, please send your first line again.
        """,
    ),
    "a number for somebody else's list": (
        say(messages.line_errors.choice_of_another, whose="Anna"),
        """
        That list was put to Anna, who has to choose. I did nothing.
        """,
    ),
    "a number that the list hasn't got": (
        say(messages.line_errors.not_on_the_list, word="4", count=3),
        """
        "4" is not on that list. Reply 1, 2 or 3.
        """,
    ),
    "a number for a list that can only go on": (
        say(messages.line_errors.not_on_the_list, word="4", count=0),
        """
        To that list only more can be replied. I did nothing.
        """,
    ),
    "several lines for me in one message": (
        say(messages.line_errors.one_at_a_time),
        """
        Each !fed goes in a message of its own, please. I did nothing.
        """,
    ),
    "no such option": (
        say(messages.line_errors.no_such_option, word="--nte", near=("--note",), usage=USAGE),
        """
        I don't know "--nte". Did you mean --note? I did nothing.
        Usage: !fed push ITEM [QUANTITY] to SPACE [--note TEXT]
        """,
    ),
    "an option without its text": (
        say(messages.line_errors.option_without_text, option="--note", usage=USAGE),
        """
        After --note comes a text. I did nothing.
        Usage: !fed push ITEM [QUANTITY] to SPACE [--note TEXT]
        """,
    ),
    "an option twice": (
        say(messages.line_errors.option_twice, option="--note", usage=USAGE),
        """
        --note stands there twice; say it once. I did nothing.
        Usage: !fed push ITEM [QUANTITY] to SPACE [--note TEXT]
        """,
    ),
    "something is missing": (
        say(messages.line_errors.argument_missing, argument="to SPACE", usage=USAGE, example="push 10 M3-BOLT to beta"),
        """
        Something is missing: to SPACE. I did nothing.
        Usage: !fed push ITEM [QUANTITY] to SPACE [--note TEXT]
        For example: !fed push 10 M3-BOLT to beta
        """,
    ),
    "a word too many": (
        say(messages.line_errors.word_too_many, word="please", usage="whoami", example="whoami"),
        """
        I can't place "please". I did nothing.
        Usage: !fed whoami
        For example: !fed whoami
        """,
    ),
    "two spaces": (
        say(messages.line_errors.two_different, keyword="to", first="beta", second="gamma"),
        """
        After "to" there are two: "beta" and "gamma". One at a time, please; I did nothing.
        A name that has "to" in it goes in quotes.
        """,
    ),
    "two quantities": (
        say(messages.line_errors.two_quantities, first="10", second="20"),
        """
        10 and 20 could both be the quantity. Write it once; I did nothing.
        A name that begins or ends with a number goes in quotes.
        """,
    ),
    "a quote that isn't closed": (
        say(messages.line_errors.quotes_not_closed, word='"Laser'),
        """
        A quote opens at "Laser and is never closed. I did nothing.
        Put a quote behind the text too, or leave both out.
        """,
    ),
    "an unclear number": (
        say(messages.line_errors.number_unclear, word="1.000", readings=("1", "1000")),
        """
        "1.000": is that 1 or 1000? I did nothing.
        Please send the line again with the number written like that.
        """,
    ),
    "an unclear number that has three decimals": (
        say(messages.line_errors.number_unclear, word="1,125", readings=("1.125", "1125")),
        """
        "1,125": is that 1.1250 or 1125? I did nothing.
        Please send the line again with the number written like that.
        """,
    ),
    "a word that is too long": (
        say(messages.line_errors.word_too_long, word="a" * 300, most=200),
        """
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa…" is too long, at most 200 characters. I did nothing.
        """,
    ),
    "a note that is too long": (
        say(messages.line_errors.note_too_long, length=612, most=500),
        """
        The note is too long: 612 characters, at most 500. I did nothing.
        """,
    ),
    "too many lines": (
        say(messages.line_errors.too_many_lines, count=25, most=20),
        """
        25 items are too many for one go, at most 20. I did nothing.
        """,
    ),
    "in the wrong room": (
        say(messages.line_errors.not_in_this_room, text="push M3-BOLT 10 to betaspace", rooms=("Makerspaces",)),
        """
        Not done: that must be said where the other spaces read along.
        Please say it in Makerspaces: !fed push M3-BOLT 10 to betaspace
        """,
    ),
    "not in a direct chat": (
        say(messages.line_errors.not_in_direct_chat, text="push M3-BOLT 10 to betaspace", rooms=("Makerspaces",)),
        """
        Not done: here I only tell. What does something is said where everybody concerned reads it.
        Please say it in Makerspaces: !fed push M3-BOLT 10 to betaspace
        """,
    ),
    "in a direct chat with somebody who shares no room": (
        say(messages.line_errors.not_in_direct_chat, text="push M3-BOLT 10 to betaspace", rooms=()),
        """
        Not done: here I only tell. What does something is said where everybody concerned reads it.
        You are in none of the rooms that our space shares; somebody there can invite you.
        """,
    ),
    "no such space": (
        say(messages.line_errors.no_such_space, word="btea", near=("betaspace",), known=("betaspace", "gamma")),
        """
        No space "btea". Did you mean betaspace? I did nothing.
        """,
    ),
    "no such space, nothing near": (
        say(messages.line_errors.no_such_space, word="xyz", near=(), known=("betaspace", "gamma")),
        """
        No space "xyz". I did nothing.
        Here are: betaspace and gamma
        """,
    ),
    "no space at all": (
        say(messages.line_errors.no_such_space, word="xyz", near=(), known=()),
        """
        No space "xyz". I did nothing.
        No other space announces itself in this room.
        """,
    ),
    "several spaces of one name": (
        say(messages.line_errors.several_spaces, word="beta", spaces=("beta-1", "beta-2")),
        """
        Several spaces are called "beta". Say which by its id: beta-1 or beta-2. I did nothing.
        """,
    ),
    "our own space": (
        say(messages.line_errors.that_is_us, us=ALPHA),
        """
        attraktor is us. I did nothing.
        """,
    ),
    "which case": (
        say(messages.line_errors.which_one, verb="approve", subjects=(transfer(), connection()), line="approve k7m2"),
        """
        Which one? Reply to my card of it, or say its id: !fed approve k7m2. I did nothing.
        • k7m2 – 1 × Laser lens 2.0″, asked by Anna
        • c9x4 – friendship with attraktor, asked by Anna
        """,
    ),
    "which case, none fits": (
        say(messages.line_errors.which_one, verb="show", subjects=(), line=""),
        """
        Which one? None that I know here fits !fed show. I did nothing.
        If you mean another, reply to my card of it. What waits: !fed todo
        """,
    ),
    "no such id": (
        say(messages.line_errors.no_such_id, word="k7m3", near=("k7m2",)),
        """
        No card has the id "k7m3". Did you mean k7m2? I did nothing.
        """,
    ),
    "no such id, nothing near": (
        say(messages.line_errors.no_such_id, word="zzzz", near=()),
        """
        No card has the id "zzzz". I did nothing.
        What is open for you: !fed todo
        """,
    ),
    "several of that id": (
        say(messages.line_errors.several_subjects, word="k7m2", subjects=(transfer(), transfer(BOLTS))),
        """
        "k7m2" fits several; say one more letter. I did nothing.
        • k7m2 – 1 × Laser lens 2.0″, asked by Anna
        • k7m2 – 10 × M3 bolt, asked by Anna
        """,
    ),
    "a reply to another bot's message": (
        say(messages.line_errors.answers_another_message, subject=transfer(BOLTS), text="approve k7m2 5"),
        """
        I did nothing: your message replies to another message than my own.
        The message that you replied to is about 10 × M3 bolt (k7m2).
        If you mean that: !fed approve k7m2 5
        """,
    ),
    "a case of another room": (
        say(messages.line_errors.subject_elsewhere, subject=transfer(), room="Makerspaces"),
        """
        k7m2 belongs to the room "Makerspaces": please say it there. I did nothing.
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
