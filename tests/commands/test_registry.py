from __future__ import annotations

from pathlib import Path

import pytest

from fedbot.commands.reference_page import pages
from fedbot.commands.registry import Registry, catalogue
from fedbot.commands.spec import Verb
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.stock import Right
from fedbot.rules.state import Verbs
from tests.commands.worlds import World

SPECS = catalogue()


def test_every_name_and_alias_belongs_to_one_verb() -> None:
    names = [name for spec in SPECS for name in spec.names]
    assert len(names) == len(set(names))


def test_the_verbs_are_those_that_the_rules_expect() -> None:
    verbs: Verbs = Registry()
    rights = {spec.name: verbs.right(spec.name) for spec in SPECS}
    assert rights == {
        "help": Right.ANYONE,
        "whoami": Right.ANYONE,
        "spaces": Right.MAPPED,
        "people": Right.SUPERUSER,
        "connect": Right.SUPERUSER,
        "disconnect": Right.SUPERUSER,
        "push": Right.APPROVER,
        "lend": Right.APPROVER,
        "return": Right.MAPPED,  # any member of the borrower; of the lender the verb itself asks for an approver
        "extend": Right.APPROVER,
        "gift": Right.APPROVER,
        "lost": Right.APPROVER,
        "want": Right.MAPPED,
        "wait": Right.MAPPED,
        "overdue": Right.MAPPED,  # to stop lending the verb itself asks for a superuser
        "request": Right.MAPPED,
        "borrow": Right.MAPPED,
        "calendar": Right.MAPPED,
        "approve": Right.MAPPED,
        "decline": Right.MAPPED,
        "received": Right.MAPPED,
        "missing": Right.APPROVER,
        "cancel": Right.MAPPED,
        "show": Right.MAPPED,
        "history": Right.MAPPED,
        "todo": Right.MAPPED,
        "stats": Right.MAPPED,
        "find": Right.MAPPED,
        "share": Right.APPROVER,
        "unshare": Right.APPROVER,
        "status": Right.MAPPED,
        "review": Right.SUPERUSER,
        "resolve": Right.SUPERUSER,
        "resume": Right.SUPERUSER,
        "clear": Right.SUPERUSER,
        "reconcile": Right.SUPERUSER,
        "rotate": Right.SUPERUSER,
        "match": Right.APPROVER,
        "outside": Right.MAPPED,
        "web": Right.MAPPED,
        "qr": Right.MAPPED,
    }


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_example_is_understood_as_its_own_verb(spec: Verb) -> None:
    world = World()
    assert spec.examples
    for example in spec.examples:
        parsed = world.verbs.parse(world.turn, example)
        assert not isinstance(parsed, Phrase), (example, parsed)
        assert parsed[0] == spec.name


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_verb_can_be_helped_with(spec: Verb) -> None:
    assert World().says(f"help {spec.name}").about["usage"] == spec.usage


def test_the_pages_about_the_verbs_are_current() -> None:
    docs = Path(__file__).parents[2] / "docs"
    files = [docs / "verbs.md", *(docs / "verbs").glob("*.md")]
    found = {str(file.relative_to(docs)): file.read_text(encoding="utf-8") for file in files}
    assert found == pages(), "write them anew: python -m fedbot.commands"
