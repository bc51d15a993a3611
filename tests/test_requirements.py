"""The pinned requirements are complete, agree with each other, and name no registry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parent.parent / "requirements"
FILES = ["build", "run", "demo", "test"]
PIN = re.compile(r"^([a-z0-9-]+)==(\S+) \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def lines_of(name: str) -> list[str]:
    lines = (REQUIREMENTS / f"{name}.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def versions_in(name: str) -> dict[str, str]:
    return {found[1]: found[2] for line in lines_of(name) if (found := PIN.match(line))}


@pytest.mark.parametrize("name", FILES)
def test_every_line_is_an_exact_version_or_a_hash(name: str) -> None:
    assert [line for line in lines_of(name) if not PIN.match(line) and not HASH.match(line)] == []
    assert versions_in(name)


@pytest.mark.parametrize("name", FILES)
def test_every_version_has_a_hash(name: str) -> None:
    lines = lines_of(name)
    followed = zip(lines, [*lines[1:], ""], strict=True)
    assert [line for line, following in followed if PIN.match(line) and not HASH.match(following)] == []


@pytest.mark.parametrize(("small", "large"), [("run", "demo"), ("demo", "test"), ("build", "test")])
def test_a_smaller_set_takes_its_versions_from_a_larger_one(small: str, large: str) -> None:
    assert versions_in(small).items() <= versions_in(large).items()
