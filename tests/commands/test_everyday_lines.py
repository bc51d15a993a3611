"""Lines that people of a makerspace type, sixty in each language: each is understood, or answered with what to type.

`verb …` is carried out, `? verb …` is only suggested, and `! sentence` is answered with that sentence.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fedbot.commands.grammar import render
from fedbot.commands.registry import catalogue
from fedbot.rules.model.effects import Phrase
from tests.commands.worlds import HOME, World, connected

ENGLISH = {
    "what's open?": "todo",
    "what do I have open": "todo",
    "what is waiting for me?": "todo",
    "anything to do?": "todo",
    "what's new": "todo",
    "what's due?": "todo",
    "what did we borrow?": "todo",
    "what have we lent out": "todo",
    "my loans": "todo",
    "my requests": "todo",
    "what is overdue?": "overdue",
    "anything overdue?": "overdue",
    "what can I borrow?": "find",
    "what do you have?": "find",
    "what's available": "find",
    "show me everything": "find",
    "what can I get from betaspace": "find in betaspace",
    "who has a laser lens?": "find laser lens",
    "has anybody got a 0.4 nozzle?": "find 0.4 nozzle",
    "does anyone have M3-NUT?": "find M3-NUT",
    "do you have M3 nuts?": "find M3 nuts",
    "is there a label printer?": "find label printer",
    "how many M3-NUT do we have?": "find M3-NUT",
    "how much PLA is there": "find PLA",
    "where's LENS-2?": "find LENS-2",
    "when is LENS-2 back?": "find LENS-2",
    "is LENS-2 free?": "find LENS-2",
    "looking for a soldering iron": "find soldering iron",
    "who borrowed LENS-2?": "show LENS-2",
    "who approved k7m2": "show k7m2",
    "what happened to k7m2?": "show k7m2",
    "status of k7m2": "show k7m2",
    "history of LENS-2": "history LENS-2",
    "what do we share?": "share",
    "who are our friends?": "spaces",
    "how does this work?": "help",
    "what can you do?": "help",
    "commands": "help",
    "?": "help",
    "ping": "! greeted",
    "are you there?": "! greeted",
    "thanks a lot!": "! thanked",
    "found LENS-2": "! found_something",
    "I found it!": "! found_something",
    "LENS-2 turned up again": "! found_something",
    "LENS-2 is broken": "! something_is_broken",
    "broken": "! something_is_broken",
    "can we keep LENS-2 longer?": "? extend LENS-2 2 weeks",
    "can I keep LENS-2 until friday?": "? extend LENS-2 until friday",
    "renew k7m2 2 weeks": "extend k7m2 2 weeks",
    "bring back LENS-2": "? return LENS-2",
    "LENS-2 is back": "? return LENS-2",
    "it's back": "? return",
    "give LENS-2 back": "? return LENS-2",
    "it never arrived": "? missing",
    "nothing came": "? missing",
    "never mind": "? cancel",
    "stop sharing M3-NUT": "? unshare M3-NUT",
    "LENS-2 was picked up": "! which_one",
    "donate 5 M3-NUT to betaspace": "push 5 M3-NUT to betaspace",
    "order 5 M3-NUT from betaspace": "request 5 M3-NUT from betaspace",
    "loan 1 LENS-2 to betaspace for a week": "lend 1 LENS-2 to betaspace for a week",
    "rent 1 LENS-2 from betaspace for a week": "borrow 1 LENS-2 from betaspace for a week",
    "we need 10 M3-NUT": "? want 10 M3-NUT",
}
GERMAN = {
    "was hab ich offen?": "todo",
    "was habe ich noch offen": "todo",
    "was ist offen?": "todo",
    "was steht an?": "todo",
    "was ist fällig?": "todo",
    "was gibt's Neues?": "todo",
    "was muss ich tun?": "todo",
    "was haben wir ausgeliehen?": "todo",
    "was haben wir verliehen?": "todo",
    "was ist gerade verliehen?": "todo",
    "meine Ausleihen": "todo",
    "gibt es was zu tun?": "todo",
    "was ist überfällig?": "overdue",
    "wer ist zu spät?": "overdue",
    "was kann ich ausleihen?": "find",
    "was kann man leihen": "find",
    "was habt ihr alles?": "find",
    "was gibt es hier?": "find",
    "zeig mir alles": "find",
    "was gibt es bei betaspace?": "find in betaspace",
    "was hat betaspace": "find in betaspace",
    "wer hat eine Linse?": "find Linse",
    "wo ist LENS-2?": "find LENS-2",
    "hat jemand M3-NUT?": "find M3-NUT",
    "habt ihr noch M3 Muttern?": "find M3 Muttern",
    "gibt es einen Etikettendrucker?": "find Etikettendrucker",
    "ich suche einen Lötkolben": "find Lötkolben",
    "wie viele M3-NUT haben wir?": "find M3-NUT",
    "wann ist LENS-2 zurück?": "find LENS-2",
    "ist LENS-2 frei?": "find LENS-2",
    "wer hat LENS-2 ausgeliehen?": "show LENS-2",
    "wer hat k7m2 genehmigt?": "show k7m2",
    "was ist mit k7m2?": "show k7m2",
    "status von k7m2": "show k7m2",
    "verlauf von LENS-2": "history LENS-2",
    "was teilen wir?": "share",
    "wer sind unsere Freunde?": "spaces",
    "hilfe": "help",
    "wie geht das?": "help",
    "was kannst du alles?": "help",
    "befehle": "help",
    "bist du da?": "! greeted",
    "moin": "! greeted",
    "vielen Dank!": "! thanked",
    "gefunden": "! found_something",
    "LENS-2 gefunden": "! found_something",
    "wir haben LENS-2 wiedergefunden": "! found_something",
    "LENS-2 ist wieder aufgetaucht": "! found_something",
    "LENS-2 ist kaputt": "! something_is_broken",
    "kaputt": "! something_is_broken",
    "können wir LENS-2 noch länger behalten?": "? extend LENS-2 2 weeks",
    "LENS-2 verlängern": "? extend LENS-2 2 weeks",
    "verlängern LENS-2 2 Wochen": "extend LENS-2 2 Wochen",
    "LENS-2 ist wieder da": "? return LENS-2",
    "ich gebe LENS-2 zurück": "? return LENS-2",
    "gib LENS-2 zurück": "? return LENS-2",
    "LENS-2 zurückgeben": "? return LENS-2",
    "wieder da": "? return",
    "nicht angekommen": "? missing",
    "das Paket kam nie an": "? missing",
    "doch nicht": "? cancel",
    "vergiss es": "? cancel",
    "teile M3-NUT nicht mehr": "? unshare M3-NUT",
    "LENS-2 wurde abgeholt": "! which_one",
    "ich brauche 10 M3-NUT": "? want 10 M3-NUT",
    "verschenke 5 M3-NUT an betaspace": "push 5 M3-NUT to betaspace",
}
SPECS = {spec.name: spec for spec in catalogue()}


def outcome(world: World, line: str) -> str:
    """The line's verb with its arguments, the suggested line, or the sentence that answers it."""
    parsed = world.verbs.parse(world.turn, line)
    if not isinstance(parsed, Phrase):
        return render(SPECS[parsed[0]], parsed[1])
    suggested = parsed.about.get("line", "")
    if not suggested:
        return f"! {parsed.name}"
    meant = world.verbs.parse(world.turn, suggested)
    assert not isinstance(meant, Phrase), f"{line}: {suggested} can't be typed"
    return f"? {render(SPECS[meant[0]], meant[1])}"


@pytest.mark.parametrize(("line", "meant"), ENGLISH.items())
@pytest.mark.parametrize("language", ["en", "de"])
def test_an_english_line_is_understood_or_answered_with_what_to_type(line: str, meant: str, language: str) -> None:
    assert outcome(World(connected(), us=replace(HOME, language=language)), line) == meant


@pytest.mark.parametrize(("line", "meant"), GERMAN.items())
def test_a_german_line_is_understood_or_answered_with_what_to_type(line: str, meant: str) -> None:
    assert outcome(World(connected(), us=replace(HOME, language="de")), line) == meant


def test_a_sentence_about_no_change_is_never_carried_out_as_one() -> None:
    looks = {name for name, spec in SPECS.items() if spec.only_looks} | {"share", "overdue"}  # these list, alone
    typed = {"renew", "donate", "order", "loan", "rent", "verlängern", "verschenke"}
    for line, meant in (*ENGLISH.items(), *GERMAN.items()):
        if not meant.startswith(("?", "!")) and line.split()[0] not in typed:
            assert meant.split()[0] in looks, line


@pytest.mark.parametrize(
    ("line", "verb"),
    [
        ("push 10 broken lens to betaspace", "push"),
        ("find broken lens", "find"),
        ("find LENS-2 found", "find"),
        ("lost k7m2 - it is back and broken", "lost"),
        ("missing k7m2 - never arrived", "missing"),
        ("show k7m2", "show"),
        ("cancel k7m2 - never mind", "cancel"),
        ("want 1 picked up thing", "want"),
    ],
)
def test_words_of_a_sentence_in_a_line_with_a_verb_change_nothing_of_it(line: str, verb: str) -> None:
    world = World(connected())
    parsed = world.verbs.parse(world.turn, line)
    assert not isinstance(parsed, Phrase), parsed
    assert parsed[0] == verb
