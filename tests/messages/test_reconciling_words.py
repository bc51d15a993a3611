"""Sentences about the differences between two spaces' books."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.messages.reports.reconcile import MOST_SHOWN
from fedbot.rules.model.books import Difference, Kind, Reconciliation
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.transfer import Transfer
from tests.scenarios.scenes import ALPHA, ANNA, BOLTS, CABLE, LOCALES, NOW, connection, plain, transfer

FRIENDS = connection(ConnectionState.ACTIVE, ours=True, company=5)
GIVEN = transfer(BOLTS, CABLE, role="sender", state=TransferState.DONE)


def outcome(*found: Difference, problem: str = "", repair: bool = False, known: Transfer | None = GIVEN) -> Phrase:
    compared = Reconciliation("c" * 20, "!room", NOW, ANNA, "$line", repair, compared=12, differences=found)
    transfers = {known.id: known} if known else {}
    return say(
        messages.reconcile.reconciled,
        connection=FRIENDS,
        us=ALPHA,
        reconciliation=compared,
        transfers=transfers,
        problem=problem,
    )


def differs(kind: Kind, number: int = 1, *, fixed: bool = False) -> Difference:
    return Difference(GIVEN.id, number, kind, 43, 1207, fixed)


ELSEWHERE = {Kind.REST_BY_HAND, Kind.LEFT_OVER, Kind.BORROWED_GONE, Kind.BORROWED_LESS, Kind.PAST, Kind.STRAY}
"""Differences about parcels, loans, messages and stray items, which have examples of their own."""
SAID: dict[str, Phrase] = {
    "they agree": outcome(),
    "they agree, and the metadata is written anew": outcome(repair=True),
    "everything that can differ of what was given": outcome(
        *(differs(kind, 1 + number % 2) for number, kind in enumerate(k for k in Kind if k not in ELSEWHERE))
    ),
    "what was borrowed is missing, or less of it is there": outcome(
        differs(Kind.BORROWED_GONE),
        replace(differs(Kind.BORROWED_LESS), owed=Decimal(10), there=Decimal("7.5")),
    ),
    "a parcel's rest waits to be booked by hand": outcome(
        replace(differs(Kind.REST_BY_HAND), owed=Decimal(18), there=Decimal(20))
    ),
    "a loan is over, and its record here still counts": outcome(differs(Kind.LEFT_OVER)),
    "a request was carried out twice": outcome(replace(differs(Kind.STRAY), there=Decimal(10))),
    "another past": outcome(differs(Kind.PAST, 7)),
    "something is fixed": outcome(differs(Kind.NOT_ARRIVED, fixed=True), repair=True),
    "many, and of things that we don't know": outcome(
        *[Difference("z" * 20, 9, Kind.UNKNOWN_HERE)] * (MOST_SHOWN + 2), known=None
    ),
    "a silent bot": outcome(problem="silent"),
    "a silent InvenTree of theirs": outcome(problem="inventory"),
    "our InvenTree falls silent after some were compared": outcome(differs(Kind.TWICE), problem="own-inventory"),
    "what can't be read": outcome(problem="unreadable"),
    "asked too often": outcome(problem="later"),
    "being compared already": say(messages.reconcile.reconciling_already, connection=FRIENDS),
    "no friends": say(messages.reconcile.nobody_to_reconcile_with, us=ALPHA),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
