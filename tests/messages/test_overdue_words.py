"""Sentences about overdue loans."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import LendingStop
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import Transfer
from tests.scenarios.scenes import ALPHA, BETA, BOLTS, BY_ANNA, LENS, LOCALES, ROOM, plain, transfer

TODAY = date(2026, 11, 24)


def loan(role: str = "sender", lens: bool = False) -> Transfer:
    lent = transfer(LENS if lens else BOLTS, role=role, state=TransferState.DONE)
    return replace(lent, terms=replace(lent.terms, loan_until=date(2026, 11, 14), time_zone="Europe/Berlin"))


STOPPED = LendingStop("beta", BY_ANNA, ROOM)

SAID: dict[str, Phrase] = {
    "to the lender's admins": say(
        messages.overdue.overdue_for_admins, loan=loan(), us=ALPHA, peer_name="Betaspace", today=TODAY
    ),
    "to the borrower's admins": say(
        messages.overdue.overdue_for_admins, loan=loan("receiver"), us=BETA, peer_name="Attraktor", today=TODAY
    ),
    "shall we stop?": say(messages.overdue.lend_no_more, loan=loan(), us=ALPHA, peer_name="Betaspace", today=TODAY),
    "stopped": say(messages.overdue.no_new_loans, us=ALPHA, peer_name="Betaspace", by=BY_ANNA, loans=(loan(),)),
    "over by itself": say(messages.overdue.loans_again, us=ALPHA, peer_name="Betaspace", by=None),
    "lifted": say(messages.overdue.loans_again, us=ALPHA, peer_name="Betaspace", by=BY_ANNA),
    "not offered": say(
        messages.overdue.gets_no_loans,
        stopped=STOPPED,
        peer_name="Betaspace",
        loans=(loan(lens=True), loan(lens=True), loan()),
    ),
    "the list": say(
        messages.overdue.overdue_list,
        lent=(loan(),),
        borrowed=(replace(loan("receiver"), peer="beta"),),
        stopped=(("beta", BY_ANNA),),
        us=ALPHA,
        names={"beta": "Betaspace"},
    ),
    "an empty list": say(messages.overdue.overdue_list, lent=(), borrowed=(), stopped=(), us=ALPHA, names={}),
    "nothing to stop for": say(messages.overdue.nothing_to_stop, peer_name="Betaspace"),
    "nothing to lift": say(messages.overdue.not_stopped, peer_name="Betaspace"),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
