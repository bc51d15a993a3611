"""Each act of the story has its page, with what people should know and a run of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fedbot_demo.acts import ACTS, SHORT

PAGES = Path(__file__).parents[2] / "docs" / "use-cases"
NAMES = [act.name for act in ACTS]


def test_the_pages_are_those_of_the_acts() -> None:
    assert sorted(page.stem for page in PAGES.glob("*.md")) == sorted(NAMES)


def test_what_the_demo_plays_begins_with_becoming_friends() -> None:
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
