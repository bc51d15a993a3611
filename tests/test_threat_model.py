"""Each promise of docs/threat-model.md names attackers, defences, tests that attack, and limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("**Attackers:**", "**What stops them:**", "**Tests:**", "**Not stopped:**")
PROMISE = re.compile(r"^### (\d+)\. (.+)$", re.MULTILINE)
NAMED = re.compile(r"(tests/[\w/]+\.py)|::(test_\w+)")
_, *_FOUND = PROMISE.split((ROOT / "docs" / "threat-model.md").read_text())
PROMISES = {int(number): text for number, text in zip(_FOUND[::3], _FOUND[2::3], strict=True)}


def test_there_are_fifteen() -> None:
    assert list(PROMISES) == list(range(1, 16))


@pytest.mark.parametrize("number", PROMISES)
def test_each_has_attackers_defences_limits_and_existing_tests(number: int) -> None:
    text = PROMISES[number]
    places = [text.find(part) for part in PARTS]
    assert -1 not in places
    assert places == sorted(places)
    file, attacks = Path(), 0
    for path, name in NAMED.findall(text[places[2] : places[3]]):
        file = ROOT / path if path else file
        assert file.is_file()
        assert not name or re.search(rf"^(async )?def {name}\(", file.read_text(), re.MULTILINE), name
        attacks += bool(name)
    assert attacks
