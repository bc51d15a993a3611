"""README.md and the other pages are true: links lead somewhere, commands and exit codes exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fedbot.cli.exits import Exit
from fedbot.cli.main import COMMANDS
from fedbot.setup.written import service

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
INSTALL = (ROOT / "docs/install.md").read_text(encoding="utf-8")
TROUBLE = (ROOT / "docs/trouble.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
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
