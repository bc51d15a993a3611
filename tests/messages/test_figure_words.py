"""Sentences for figures and reminders."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.books import Dealings, Flow, SpaceFigures
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import TransferState
from tests.scenarios.scenes import ALPHA, BEA, BETA, BOLTS, CEM, DILEK, LOCALES, NOW, connection, plain, transfer

OURS = SpaceFigures(
    "attraktor",
    "attraktor",
    NOW,
    30,
    parts=812,
    stock_items=4120,
    low_stock=12,
    categories=31,
    locations=1,
    given=Flow(13, Decimal("211.5")),
    received=Flow(5, Decimal(5)),
    open=2,
    dealings=(
        Dealings("beta", "betaspace", Flow(12, Decimal("210.5")), Flow(5, Decimal(5)), 2),
        Dealings("gamma", "Gamma", Flow(1, Decimal(1)), Flow(0)),
        Dealings("delta", "Delta"),
    ),
)
THEIRS = SpaceFigures("beta", "betaspace", NOW, 30, 1, 1, None, 1, 40, Flow(), Flow(1, Decimal(0)), 0)


def stats(*figures: SpaceFigures, silent: tuple[str, ...] = (), days: int = 0) -> Phrase:
    return say(messages.stats.stats, us=ALPHA, figures=figures, silent=silent, days=days)


SAID: dict[str, Phrase] = {
    "our own": stats(OURS),
    "everybody's": stats(OURS, THEIRS, days=30),
    "some can't tell": stats(
        SpaceFigures("attraktor", "attraktor", NOW, problem="inventory"),
        SpaceFigures("beta", "betaspace", NOW, problem="hidden"),
        SpaceFigures("gamma", "Gamma", NOW, problem="unreadable"),
        SpaceFigures("delta", "Delta", NOW),
        silent=("Epsilon",),
    ),
    "silent": stats(silent=("betaspace",)),
    "only parts": stats(SpaceFigures("beta", "betaspace", NOW, parts=7, given=Flow(), received=Flow())),
    "only places": stats(SpaceFigures("beta", "betaspace", NOW, locations=7)),
    "pieces among more that is measured": stats(replace(OURS, given=Flow(2, Decimal(1)))),
    "even": stats(replace(OURS, low_stock=None, parts=None, dealings=(Dealings("b", "B", Flow(1), Flow(1)),), open=0)),
    "chart": say(messages.stats.stats_chart, us=ALPHA, figures=OURS),
    "no span": say(messages.stats.no_such_span, word="yesterday", usage="stats [SPACE|all] [--since 30d]"),
    "reminder of an offer": say(
        messages.approval.reminder,
        subject=transfer(BOLTS, state=TransferState.OPEN),
        us=BETA,
        people={BEA: "Bea", CEM: "Cem", DILEK: "Dilek"},
        others=1,
    ),
    "reminder of a space that asks": say(
        messages.approval.reminder, subject=connection(), us=BETA, people={BEA: "Bea"}, others=0
    ),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
