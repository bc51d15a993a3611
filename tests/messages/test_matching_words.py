"""Sentences of `match`."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.catalogue import Alias
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.stock import Part
from tests.scenarios.scenes import ALPHA, LOCALES, NOW, plain

RED = Alias("beta:pla-red", "beta", "PLA-RED", 7, "Rotes PLA", "PLA-ROT", "Anna", NOW)

SAID: dict[str, Phrase] = {
    "kept": say(messages.catalogue.matched, alias=RED, peer="betaspace", before=None),
    "kept, in place of another": say(
        messages.catalogue.matched,
        alias=RED,
        peer="betaspace",
        before=replace(RED, part=8, name="PLA", ipn="", by="Piet"),
    ),
    "all that was said": say(messages.catalogue.matches, us=ALPHA, aliases=(RED, replace(RED, word="Filament rot"))),
    "nothing was said": say(messages.catalogue.matches, us=ALPHA, aliases=()),
    "forgotten": say(messages.catalogue.match_forgotten, aliases=(RED,)),
    "several forgotten": say(messages.catalogue.match_forgotten, aliases=(RED, replace(RED, word="Filament rot"))),
    "nothing to forget": say(messages.catalogue.nothing_matched, word="PLA-REED", near=()),
    "nothing to forget, but nearly": say(messages.catalogue.nothing_matched, word="PLA-REED", near=("PLA-RED",)),
    "forget what": say(messages.catalogue.nothing_matched, word="", near=()),
    "a real part for the practice friend's": say(
        messages.catalogue.practice_stays_practice, part=Part(7, "PLA", "PLA-ROT"), peer="PRACTICE friend"
    ),
    "no such part here": say(messages.catalogue.no_part_to_match, word="PLA-ROTT", near=("Rotes PLA",)),
    "we have no part like that": say(messages.catalogue.no_part_to_match, word="PLA-RED", near=()),
    "without their name": say(
        messages.catalogue.match_incomplete,
        item="PLA-ROT",
        name="",
        lines=("!fed match PLA-ROT NAME from betaspace", "!fed match PLA-ROT NAME from gammaspace"),
    ),
    "without the friend": say(
        messages.catalogue.match_incomplete,
        item="PLA-ROT",
        name="PLA-RED",
        lines=("!fed match PLA-ROT PLA-RED from betaspace", "!fed match PLA-ROT PLA-RED from gammaspace"),
    ),
    "several of our parts": say(
        messages.catalogue.several_parts_match, word="PLA", parts=(Part(7, "PLA", "PLA-ROT"), Part(8, "PLA", ""))
    ),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
