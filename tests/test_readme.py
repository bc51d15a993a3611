"""README.md and the other pages are true: links lead somewhere, commands and exit codes exist."""

from __future__ import annotations

import argparse
import ast
import builtins
import keyword
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from fedbot.cli.exits import Exit
from fedbot.cli.main import COMMANDS
from fedbot.cli.parser import parser
from fedbot.commands.registry import Registry, catalogue
from fedbot.rules.model.command import MORE
from fedbot.setup.written import service

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
INSTALL = (ROOT / "docs/install.md").read_text(encoding="utf-8")
TROUBLE = (ROOT / "docs/trouble.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
_READ = (
    "*.md",
    "docs/**/*.md",
    "deploy/*",
    "Dockerfile",
    *(f"fedbot/**/*.{kind}" for kind in ("py", "po", "yaml", "html")),
    "fedbot_demo/**/*.py",
)
CODE = ("fedbot", "fedbot_demo", "bench", "tests")
MANY = 20
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    local = [link.partition("#")[0] for link in links if "://" not in link and not link.startswith("#")]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_every_command_in_it_exists() -> None:
    typed = set(re.findall(r"(?:bin/|`)fedbot (\w+)", README + INSTALL + TROUBLE))
    assert typed >= {"init", "check", "run", "health"}
    assert typed <= set(COMMANDS)


def _written(patterns: Sequence[str] = _READ) -> dict[Path, str]:
    """Everything that people read: pages, sentences, comments, files to deploy."""
    pages = (page for pattern in patterns for page in ROOT.glob(pattern))
    return {page: page.read_text(encoding="utf-8") for page in pages}


def test_every_verb_that_is_named_anywhere_exists() -> None:
    known = {name for verb in catalogue() for name in verb.names} | set(Registry().german()) | {"as", MORE}
    named = {word: page for page, text in _written().items() for word in re.findall(r"!fed ([^\W\d_]+)", text)}
    assert {word: str(page) for word, page in named.items() if word not in known} == {}
    assert len(named) > MANY


def test_every_command_that_is_named_anywhere_exists() -> None:
    (listed,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    words = {name: _choices(command) for name, command in listed.choices.items()}
    assert set(words) == set(COMMANDS) - {""}
    typed = re.compile(r"(?:`|bin/|[Rr]un: |^ {4})fedbot ([a-z]+)(?: ([a-z]+))?\b", re.MULTILINE)
    named = {found: page for page, text in _written().items() for found in typed.findall(text)}
    unknown = {
        found: str(page)
        for found, page in named.items()
        if found[0] not in words or (found[1] and words[found[0]] and found[1] not in words[found[0]])
    }
    assert unknown == {}
    assert len({command for command, _ in named}) > MANY / 2


NO_NAMES = {"schraube", "schrauben", "EncryptedFile", "KEY_file", "sha256sum"}
"""Backticked words that are no names of ours: examples, and names of others."""


def test_every_name_in_a_docstring_exists() -> None:
    named: dict[str, str] = {}
    known = {
        word for text in _written(("*.md", "docs/**/*.md", "Makefile", "deploy/*")).values() for word in _words(text)
    }
    for page in (page for folder in CODE for page in ROOT.glob(f"{folder}/**/*.py")):
        known.update(page.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(page.read_text(encoding="utf-8"))):
            match node:
                case ast.Expr(ast.Constant(str(text)) as said):
                    found = re.findall(r"`([A-Za-z_][\w.]*)(?:\(\))?`", text)
                    named |= {word: f"{page}:{node.lineno}" for name in found for word in name.split(".")}
                    said.value = ""  # `walk` comes by it next
                case ast.Constant(str(text)):
                    known.update(_words(text))
                case ast.Name(name) | ast.Attribute(attr=name) | ast.arg(name) | ast.keyword(name):
                    known.add(name or "")
                case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
                    known.add(name)
                case ast.alias(name, other):
                    known.update((*name.split("."), other or ""))
    known.update(dir(builtins), keyword.kwlist, NO_NAMES)
    assert {name: place for name, place in named.items() if name not in known} == {}
    assert len(named) > MANY


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _choices(command: argparse.ArgumentParser) -> set[str]:
    """The words that may follow the command, if only some may."""
    return {word for action in command._actions if not action.option_strings for word in action.choices or ()}


def test_every_make_target_in_it_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    wanted = set(re.findall(r"^ {4}make ([a-z]+)|`make ([a-z]+)", README + CONTRIBUTING, re.MULTILINE))
    named = {word for pair in wanted for word in pair if word}
    assert {"demo", "check", "test"} <= named <= targets


def test_its_exit_codes_are_those_of_the_command() -> None:
    told = {int(code) for code in re.findall(r"exit code (\d)", TROUBLE)}
    hopeless = {Exit.HISTORY_WITHOUT_STATE, Exit.SIGNED_OUT, Exit.ACCOUNT_TAKEN}
    assert told == {Exit.STATE_IN_USE, *hopeless}
    (prevented,) = re.findall(r"RestartPreventExitStatus=([\d ]+)", INSTALL)
    assert [int(code) for code in prevented.split()] == [Exit.USAGE, *sorted(hopeless)]
    (in_cli,) = re.findall(r"RestartPreventExitStatus=([\d ]+)", (ROOT / "docs/cli.md").read_text(encoding="utf-8"))
    assert in_cli.split() == prevented.split()
    unit = service(Path("/etc/fedbot/config.yaml"), Path("/var/lib/fedbot")).text
    assert f"RestartPreventExitStatus={prevented}\n" in unit


def test_the_pictures_are_there_and_small_enough_for_a_phone() -> None:
    shown = re.findall(r'<img src="([^"]+)"', README)
    assert sorted(shown) == ["docs/images/card-de.png", "docs/images/card-en.png"]
    assert all((ROOT / picture).stat().st_size <= 200_000 for picture in shown)
