"""What `match` says."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.catalogue import Alias
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.stock import Part
from tests.scenarios.scenes import ALPHA, NOW, plain

RED = Alias("beta:pla-red", "beta", "PLA-RED", 7, "Rotes PLA", "PLA-ROT", "Anna", NOW)

SAID: dict[str, tuple[Phrase, str]] = {
    "kept": (
        say(messages.match.matched, alias=RED, peer="betaspace", before=None),
        """
        ✅ What betaspace calls "PLA-RED" is our Rotes PLA (PLA-ROT) from now on.
        A card that waits for a place changes now; other open cards stay as they are.
        To undo it: !fed match "PLA-RED" --forget from beta
        """,
    ),
    "kept, in place of another": (
        say(
            messages.match.matched,
            alias=RED,
            peer="betaspace",
            before=replace(RED, part=8, name="PLA", ipn="", by="Piet"),
        ),
        """
        ✅ What betaspace calls "PLA-RED" is our Rotes PLA (PLA-ROT) from now on.
        A card that waits for a place changes now; other open cards stay as they are.
        Before, it was PLA, as Piet had said.
        To undo it: !fed match "PLA-RED" --forget from beta
        """,
    ),
    "all that was said": (
        say(messages.match.matches, us=ALPHA, aliases=(RED, replace(RED, word="Filament rot"))),
        """
        2 things are matched by hand:
        • "PLA-RED" of beta is Rotes PLA (PLA-ROT), says Anna
        • "Filament rot" of beta is Rotes PLA (PLA-ROT), says Anna
        Not any more: !fed match NAME --forget
        """,
    ),
    "nothing was said": (
        say(messages.match.matches, us=ALPHA, aliases=()),
        """
        Nothing is matched by hand at attraktor.
        Parts with the same IPN or name find each other by themselves. Others: !fed match OUR-IPN THEIR-IPN from SPACE
        """,
    ),
    "forgotten": (
        say(messages.match.match_forgotten, aliases=(RED,)),
        """
        Forgotten: "PLA-RED" of beta is Rotes PLA (PLA-ROT).
        """,
    ),
    "several forgotten": (
        say(messages.match.match_forgotten, aliases=(RED, replace(RED, word="Filament rot"))),
        """
        Forgotten:
        • "PLA-RED" of beta is Rotes PLA (PLA-ROT)
        • "Filament rot" of beta is Rotes PLA (PLA-ROT)
        """,
    ),
    "nothing to forget": (
        say(messages.match.nothing_matched, word="PLA-REED", near=()),
        """
        "PLA-REED" isn't matched, so there is nothing to forget.
        """,
    ),
    "nothing to forget, but nearly": (
        say(messages.match.nothing_matched, word="PLA-REED", near=("PLA-RED",)),
        """
        "PLA-REED" isn't matched. Did you mean PLA-RED? I did nothing.
        """,
    ),
    "forget what": (
        say(messages.match.nothing_matched, word="", near=()),
        """
        Forget what? Say it like this: !fed match NAME --forget
        """,
    ),
    "a real part for the practice friend's": (
        say(messages.match.practice_stays_practice, part=Part(7, "PLA", "PLA-ROT"), peer="PRACTICE friend"),
        """
        PLA and what PRACTICE friend has can't be the same; nothing was done.
        Practice and real stock don't mix.
        """,
    ),
    "no part of ours": (
        say(messages.match.no_part_to_match, word="PLA-ROTT", near=("Rotes PLA",)),
        """
        We have no part "PLA-ROTT". I did nothing.
        Did you mean Rotes PLA?
        """,
    ),
    "we have no part like that": (
        say(messages.match.no_part_to_match, word="PLA-RED", near=()),
        """
        We have no part "PLA-RED". I did nothing.
        Ours comes first, then what the friend calls it.
        """,
    ),
    "several parts of ours": (
        say(messages.match.several_parts_match, word="PLA", parts=(Part(7, "PLA", "PLA-ROT"), Part(8, "PLA", ""))),
        """
        "PLA" is several of our parts; say which by its IPN. I did nothing.
        • PLA, PLA-ROT
        • PLA, –
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
