from __future__ import annotations

from pathlib import Path

import pytest

from fedbot.commands.reference_page import pages
from fedbot.commands.registry import Registry, catalogue
from fedbot.commands.spec import Verb
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.stock import Permission
from fedbot.rules.state import Verbs
from tests.commands.worlds import World

SPECS = catalogue()


def test_every_name_and_alias_belongs_to_one_verb() -> None:
    names = [name for spec in SPECS for name in spec.names]
    assert len(names) == len(set(names))


def test_the_verbs_are_those_that_the_rules_expect() -> None:
    verbs: Verbs = Registry()
    permissions = {spec.name: verbs.permission(spec.name) for spec in SPECS}
    assert permissions == {
        "help": Permission.ANYONE,
        "whoami": Permission.ANYONE,
        "spaces": Permission.MAPPED,
        "people": Permission.SUPERUSER,
        "connect": Permission.SUPERUSER,
        "disconnect": Permission.SUPERUSER,
        "push": Permission.APPROVER,
        "lend": Permission.APPROVER,
        "return": Permission.MAPPED,  # any member of the borrower; of the lender the verb itself asks for an approver
        "extend": Permission.APPROVER,
        "gift": Permission.APPROVER,
        "lost": Permission.APPROVER,
        "want": Permission.MAPPED,
        "wait": Permission.MAPPED,
        "overdue": Permission.MAPPED,  # to stop lending, the verb itself requires a superuser
        "request": Permission.MAPPED,
        "borrow": Permission.MAPPED,
        "calendar": Permission.MAPPED,
        "approve": Permission.MAPPED,
        "decline": Permission.MAPPED,
        "received": Permission.MAPPED,
        "missing": Permission.APPROVER,
        "cancel": Permission.MAPPED,
        "show": Permission.MAPPED,
        "history": Permission.MAPPED,
        "todo": Permission.MAPPED,
        "stats": Permission.MAPPED,
        "find": Permission.MAPPED,
        "share": Permission.APPROVER,
        "unshare": Permission.APPROVER,
        "status": Permission.MAPPED,
        "review": Permission.SUPERUSER,
        "resolve": Permission.SUPERUSER,
        "resume": Permission.SUPERUSER,
        "clear": Permission.SUPERUSER,
        "reconcile": Permission.SUPERUSER,
        "rotate": Permission.SUPERUSER,
        "match": Permission.APPROVER,
        "here": Permission.APPROVER,
        "outside": Permission.MAPPED,
        "web": Permission.MAPPED,
        "qr": Permission.MAPPED,
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
def test_every_verb_has_help(spec: Verb) -> None:
    assert World().says(f"help {spec.name}").about["usage"] == spec.usage


def test_the_pages_about_the_verbs_are_current() -> None:
    docs = Path(__file__).parents[2] / "docs"
    files = [docs / "verbs.md", *(docs / "verbs").glob("*.md")]
    found = {str(file.relative_to(docs)): file.read_text(encoding="utf-8") for file in files}
    assert found == pages(), "write them anew: python -m fedbot.commands"
