"""Figures and reminders, as people read them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.figures import Dealings, Flow, SpaceFigures
from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.scenarios.scenes import ALPHA, BEA, BETA, BOLTS, CEM, DILEK, NOW, connection, plain, transfer

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


SAID: dict[str, tuple[Phrase, str]] = {
    "our own": (
        stats(OURS),
        """
        attraktor: 4,120 stock items of 812 parts.
        • 12 parts run low
        • 31 categories
        • 1 place
        • given: 13 things (211.5 pieces); received: 5 things
        • with betaspace: given 12 things (210.5 pieces), received 5 things – 7 more given
        • with Gamma: given 1 thing, received 0 things – 1 more given
        • 2 transfers are open
        """,
    ),
    "everybody's": (
        stats(OURS, THEIRS, days=30),
        """
        2 spaces have 4,121 stock items.
        attraktor: 4,120 stock items of 812 parts.
        • 12 parts run low
        • 31 categories
        • 1 place
        • given: 13 things (211.5 pieces); received: 5 things
        • with betaspace: given 12 things (210.5 pieces), received 5 things – 7 more given
        • with Gamma: given 1 thing, received 0 things – 1 more given
        • 2 transfers are open
        betaspace: 1 stock item of 1 part.
        • 1 category
        • 40 places
        • given: 0 things; received: 1 thing
        Given and received: in the last 30 days.
        """,
    ),
    "some can't tell": (
        stats(
            SpaceFigures("attraktor", "attraktor", NOW, problem="inventory"),
            SpaceFigures("beta", "betaspace", NOW, problem="hidden"),
            SpaceFigures("gamma", "Gamma", NOW, problem="unreadable"),
            SpaceFigures("delta", "Delta", NOW),
            silent=("Epsilon",),
        ),
        """
        1 of 5 spaces tell their figures.
        attraktor: no figures now, as its InvenTree does not answer.
        betaspace keeps its figures out of shared rooms. Ask me in our admin room: !fed stats beta
        Gamma: its bot's answer can't be read.
        Delta discloses no figures.
        Epsilon: its bot has not answered for 2 minutes. I add its figures here when it does.
        """,
    ),
    "silent": (
        stats(silent=("betaspace",)),
        """
        betaspace: its bot has not answered for 2 minutes. I add its figures here when it does.
        """,
    ),
    "only parts": (
        stats(SpaceFigures("beta", "betaspace", NOW, parts=7, given=Flow(), received=Flow())),
        """
        betaspace: 7 parts.
        • nothing given, nothing received
        """,
    ),
    "only places": (stats(SpaceFigures("beta", "betaspace", NOW, locations=7)), "betaspace:\n• 7 places"),
    "even": (
        stats(replace(OURS, low_stock=None, parts=None, dealings=(Dealings("b", "B", Flow(1), Flow(1)),), open=0)),
        """
        attraktor: 4,120 stock items.
        • 31 categories
        • 1 place
        • given: 13 things (211.5 pieces); received: 5 things
        • with B: given 1 thing, received 1 thing – even
        """,
    ),
    "chart": (
        say(messages.stats.stats_chart, us=ALPHA, figures=OURS),
        """
        Chart: stock items of attraktor, and what it gave and received
        attraktor: stock items
        attraktor: given and received, by space
        given
        received
        """,
    ),
    "no span": (
        say(messages.stats.no_such_span, word="yesterday", usage="stats [SPACE|all] [--since 30d]"),
        """
        "yesterday" is no length of time. I did nothing.
        Write days, weeks, months or years: --since 30d. Usage: !fed stats [SPACE|all] [--since 30d]
        """,
    ),
    "reminder of an offer": (
        say(
            messages.approval.reminder,
            subject=transfer(BOLTS, state=TransferState.OPEN),
            us=BETA,
            people={BEA: "Bea", CEM: "Cem", DILEK: "Dilek"},
            others=1,
        ),
        """
        @Bea @Cem @Dilek and others: ⏰ 10 × M3 bolt (k7m2) still waits for your yes or no.
        Asked by Anna. Open until Tue 1 Dec, 20:14, then it is over by itself.
        Nothing has moved. Tap ✅ or ❌ on the card, or reply: !fed approve k7m2 · !fed decline k7m2
        """,
    ),
    "reminder of a space that asks": (
        say(messages.approval.reminder, subject=connection(), us=BETA, people={BEA: "Bea"}, others=0),
        """
        @Bea ⏰ the friendship with attraktor (c9x4) still waits for your yes or no.
        Asked by Anna. Open until Tue 1 Dec, 20:14, then it is over by itself.
        Nothing has moved. Tap ✅ or ❌ on the card, or reply: !fed approve c9x4 · !fed decline c9x4
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
