"""Other words for the verbs, and suggestions for unknown words, which are never harmful."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fedbot.commands.registry import Registry, catalogue
from fedbot.rules.model.effects import Phrase
from tests.commands.worlds import HOME, World, connected

ACTS = {name for spec in catalogue() if not spec.only_looks for name in spec.names}


def near(world: World, word: str) -> tuple[str, ...]:
    outcome = world.verbs.parse(world.turn, f"{word} x")
    assert isinstance(outcome, Phrase), f"{word} is a verb"
    assert outcome.name == "no_such_verb"
    found: tuple[str, ...] = outcome.about["near"]
    return found


@pytest.mark.parametrize(
    "word",
    [
        "take",
        "last",
        "unapprove",
        "disapprove",
        "unlend",
        "friend",
        "lose",
        "rebate",
        "render",
        "pull",
        "lens",
        "remove",
        "mist",
        "move",
        "most",
        "lift",
        "rest",
    ],
)
def test_a_word_that_is_not_plainly_a_typo_suggests_no_verb_that_changes_something(word: str) -> None:
    assert not ACTS & set(near(World(), word))


@pytest.mark.parametrize(
    ("word", "meant"), [("pusch", "push"), ("requst", "request"), ("disconect", "disconnect"), ("aprove", "approve")]
)
def test_a_typo_is_still_understood_as_one(word: str, meant: str) -> None:
    assert near(World(), word)[0] == meant


@pytest.mark.parametrize(("word", "meant"), [("statu", "status"), ("histroy", "history"), ("fnd", "find")])
def test_verbs_that_only_read_are_suggested_more_freely(word: str, meant: str) -> None:
    assert meant in near(World(), word)


def test_another_space_is_only_suggested_for_a_typo() -> None:
    world = World(connected())
    told = world.says("disconnect alphaspace", room=HOME.rooms[0])
    assert told.name == "no_such_space"
    assert told.about["near"] == (), told
    assert "Beta Space" in world.says("disconnect betasspace").about["near"]


def test_another_option_is_only_suggested_for_a_typo() -> None:
    world = World()
    outcome = world.verbs.parse(world.turn, "return k7m2 --changed")
    assert isinstance(outcome, Phrase)
    assert outcome.about["near"] == ()


@pytest.mark.parametrize(
    ("line", "verb"),
    [
        ("accept k7m2", "approve"),
        ("yes k7m2", "approve"),
        ("ok k7m2", "approve"),
        ("reject k7m2", "decline"),
        ("no k7m2", "decline"),
        ("loans", "todo"),
        ("due", "todo"),
        ("offer 10 M3-NUT to beta", "push"),
        ("send 10 M3-NUT to beta", "push"),
        ("undo k7m2", "cancel"),
        ("withdraw k7m2", "cancel"),
        ("friends", "spaces"),
        ("list", "find"),
        ("browse", "find"),
        ("borrow 1 LENS-2 from beta for 2 weeks", "borrow"),
    ],
)
def test_an_everyday_phrase_is_a_verb(line: str, verb: str) -> None:
    world = World()
    outcome = world.verbs.parse(world.turn, line)
    assert not isinstance(outcome, Phrase), outcome
    assert outcome[0] == verb


def test_a_borrower_says_until_when() -> None:
    """Otherwise it would be requested as a gift."""
    world = World()
    outcome = world.verbs.parse(world.turn, "borrow 1 LENS-2 from beta")
    assert isinstance(outcome, Phrase)
    assert outcome.name == "argument_missing"
    assert outcome.about["example"] == "borrow 1 LENS-2 from beta for TIME"


GERMAN = World(us=replace(HOME, language="de"))


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("verleihe LENS-2 an beta für 2 Wochen", "lend LENS-2 to beta for 2 Wochen"),
        ("verleihen LENS-2 an beta bis 31.1. --notiz für euch", "lend LENS-2 to beta until 31.1. --note für euch"),
        ("gib 10 M3-NUT an beta --paket", "push 10 M3-NUT to beta --parcel"),
        ("leihe 1 LENS-2 von beta für 2 Wochen", "borrow 1 LENS-2 from beta for 2 Wochen"),
        ("suche Düse in beta", "find Düse in beta"),
        ("annehmen k7m2", "approve k7m2"),
        ("ja k7m2", "approve k7m2"),
        ("genehmige k7m2", "approve k7m2"),
        ("stornieren k7m2", "cancel k7m2"),
        ("aufgaben", "todo"),
        ("wer bin ich?", "whoami"),
        ("ablehnen k7m2 --notiz leider", "decline k7m2 --note leider"),
        ("zurück k7m2 --beschädigt", "return k7m2 --damaged"),
        ("freunde", "spaces"),
    ],
)
def test_german_words_are_understood_if_the_bot_speaks_german(line: str, same: str) -> None:
    assert GERMAN.verbs.parse(GERMAN.turn, line) == GERMAN.verbs.parse(GERMAN.turn, same)
    assert not isinstance(GERMAN.verbs.parse(GERMAN.turn, line), Phrase)


def test_german_words_are_no_words_elsewhere() -> None:
    world = World()
    assert isinstance(world.verbs.parse(world.turn, "verleihe LENS-2 an beta für 2 Wochen"), Phrase)


def test_every_german_word_stands_for_one_verb() -> None:
    registry = Registry()
    names = {name for spec in catalogue() for name in spec.names}
    assert set(registry.german()) & names == set()
