"""The table's verdict on a figure, and the bench's refusals to measure."""

from __future__ import annotations

import re
from pathlib import Path

from bench.chain import differs
from bench.limits import FIGURES, missed, table
from bench.observed import Call

GOOD = {figure.key: (figure.most or 0) for figure in FIGURES}
DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"


def test_a_figure_at_its_limit_is_good_and_one_above_is_missed() -> None:
    assert missed(GOOD) == []
    assert missed({**GOOD, "handover_ratio": 1.16}) == ["handover_ratio"]
    assert missed({**GOOD, "events_by_one_account": 6}) == ["events_by_one_account"]


def test_seconds_are_shown_but_fail_nothing() -> None:
    slow = {**GOOD, "ready_s": 60.0}
    assert missed(slow) == []
    (line,) = (line for line in table(slow).splitlines() if line.startswith("ready_s"))
    assert "missed" in line


def test_the_table_shows_each_figure_with_its_limit() -> None:
    lines = table(GOOD).splitlines()[1:]
    assert [line.split()[0] for line in lines] == [figure.key for figure in FIGURES]
    assert "≤ 1.15" in lines[0]


def test_the_document_explains_each_figure_with_its_limit() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \|", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert dict(rows) == {figure.key: "–" if figure.most is None else f"{figure.most:g}" for figure in FIGURES}


def test_calls_are_compared_by_caller_and_query_not_by_row() -> None:
    bots = [Call(1.0, "attraktor", "GET", "/api/stock/41/"), Call(2.0, "betaspace", "POST", "/api/stock/")]
    chain = [Call(9.0, "attraktor", "GET", "/api/stock/7/"), Call(9.1, "betaspace", "POST", "/api/stock/")]
    assert differs(bots, chain) == ""


def test_a_call_that_only_one_side_makes_is_named() -> None:
    one = Call(1.0, "attraktor", "GET", "/api/user/")
    assert differs([one, one], [one]) == "only the bots: 1 × attraktor GET /api/user/"
    assert differs([], [one]) == "only the chain: 1 × attraktor GET /api/user/"
