"""Sentences of the ledger."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import Transfer
from tests.scenarios.scenes import BOLTS, BY_BEA, CABLE, LENS, LOCALES, NOW, plain, transfer

WIRE = replace(CABLE, status=10, status_text="OK")
DONE = replace(transfer(BOLTS, WIRE, state=TransferState.DONE), role="sender", peer="beta", decided=BY_BEA, ended=NOW)
REFUSED = replace(DONE, state=TransferState.DECLINED, decided=None)
OPEN = replace(transfer(LENS, state=TransferState.OPEN), role="receiver", peer="gamma")


def told(*transfers: Transfer, **about: object) -> Phrase:
    nothing = {"space": "", "item": "", "days": 0, "before": 0, "more": False}
    names = {"beta": "betaspace", "gamma": "Gamma"}
    return Phrase(
        messages.history.ledger, {**nothing, "transfers": transfers, "total": len(transfers), "names": names, **about}
    )


def of_item(*transfers: Transfer, total: int = 0) -> Phrase:
    names = {"beta": "betaspace", "gamma": "Gamma"}
    about = {"item": "M3-BOLT", "total": total or len(transfers)}
    return Phrase(messages.history.cases_of_item, {"transfers": transfers, "names": names, **about})


SAID: dict[str, Phrase] = {
    "all of them": told(OPEN, DONE),
    "a page of those with a space": told(DONE, space="betaspace", days=30, before=10, total=23, more=True),
    "the last page of those of an item": told(DONE, item="M3-BOLT", before=10, total=11),
    "the cases of an item, which are all": of_item(OPEN, DONE),
    "the cases of an item, of many": of_item(REFUSED, total=7),
    "an item without a case": of_item(),
    "none": told(days=1),
    "none with a space": told(space="betaspace"),
    "none of an item": told(item="M3-NIT"),
    "no page as late as that": told(before=40, total=23),
    "no number of a page": say(messages.history.no_such_page, word="two", usage="history [SPACE|ITEM|ID]"),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
