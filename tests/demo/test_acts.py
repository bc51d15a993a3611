"""Each act of the story has its page, with an explanation and a run of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from fedbot.rules import time_zones
from fedbot_demo.acts import ACTS, SHORT
from fedbot_demo.story import Wishes, rules_of
from tests.commands.worlds import HOME

PAGES = Path(__file__).parents[2] / "docs" / "use-cases"
NAMES = [act.name for act in ACTS]
BY_A_TEST = "overdue"
"""Its days pass by hand: `tests/dialogue/test_overdue.py` writes it, and fails if it isn't what the bots say."""


def test_the_pages_are_those_of_the_acts() -> None:
    assert sorted(page.stem for page in PAGES.glob("*.md")) == sorted([*NAMES, BY_A_TEST])


def test_the_demo_begins_with_becoming_friends() -> None:
    assert set(SHORT) <= set(NAMES)
    assert NAMES[0] == SHORT[0] == "connect"
    assert NAMES[-1] == "disconnect"


@pytest.mark.parametrize("name", NAMES)
def test_a_page_shows_a_real_run(name: str) -> None:
    before, _, told = (PAGES / f"{name}.md").read_text(encoding="utf-8").partition("```text\n")
    assert before.startswith("# ")
    transcript, closed, _ = told.partition("\n```")
    assert closed
    assert " bot  " in transcript, "write it anew: fedbot demo --fast --all --pages docs/use-cases"


def test_a_demo_at_night_does_not_wait_for_the_morning() -> None:
    begins, ends = (time.fromisoformat(rules_of(Wishes())[name]) for name in ("quiet_from", "quiet_until"))
    us, midnight = replace(HOME, quiet_from=begins, quiet_until=ends), datetime(2026, 11, 29, tzinfo=UTC)
    hours = [midnight + timedelta(hours=hour) for hour in range(24)]
    assert [time_zones.after_the_night(us, hour) for hour in hours] == hours
