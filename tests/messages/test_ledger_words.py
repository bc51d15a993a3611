"""The ledger, as people read it."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.scenarios.scenes import BOLTS, BY_BEA, CABLE, LENS, NOW, plain, transfer

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


SAID: dict[str, tuple[Phrase, str]] = {
    "all of them": (
        told(OPEN, DONE),
        """
        2 transfers, newest first:
        • k7m2 – 1 × Laser lens 2.0″ from Gamma, asked by Anna, Tue 24 Nov, 20:14.
        Waits for a yes or no, until Tue 1 Dec, 20:14.
        • k7m2 – 10 × M3 bolt and 1.5 m of Speaker cable to betaspace, asked by Anna, Tue 24 Nov, 20:14.
        Done, Tue 24 Nov, 20:31.
        One of them in full: !fed history k7m2
        """,
    ),
    "a page of those with a space": (
        told(DONE, space="betaspace", days=30, before=10, total=23, more=True),
        """
        23 transfers with betaspace, newest first:
        Of the last 30 days only.
        • k7m2 – 10 × M3 bolt and 1.5 m of Speaker cable to betaspace, asked by Anna, Tue 24 Nov, 20:14.
        Done, Tue 24 Nov, 20:31.
        11 to 11 of 23. For the next ones reply more.
        One of them in full: !fed history k7m2
        """,
    ),
    "the last page of those of an item": (
        told(DONE, item="M3-BOLT", before=10, total=11),
        """
        11 transfers of "M3-BOLT", newest first:
        • k7m2 – 10 × M3 bolt and 1.5 m of Speaker cable to betaspace, asked by Anna, Tue 24 Nov, 20:14.
        Done, Tue 24 Nov, 20:31.
        11 to 11 of 11.
        One of them in full: !fed history k7m2
        """,
    ),
    "the cases of an item, which are all": (
        of_item(OPEN, DONE),
        """
        2 transfers of "M3-BOLT", newest first:
        • k7m2 – 1 × Laser lens 2.0″ from Gamma, asked by Anna, Tue 24 Nov, 20:14.
        Waits for a yes or no, until Tue 1 Dec, 20:14.
        • k7m2 – 10 × M3 bolt and 1.5 m of Speaker cable to betaspace, asked by Anna, Tue 24 Nov, 20:14.
        Done, Tue 24 Nov, 20:31.
        One of them in full: !fed show k7m2
        """,
    ),
    "the cases of an item, of many": (
        of_item(REFUSED, total=7),
        """
        What is open of "M3-BOLT", and the last that is over:
        • k7m2 – 10 × M3 bolt and 1.5 m of Speaker cable to betaspace, asked by Anna, Tue 24 Nov, 20:14.
        It could not be given. Nothing has moved.
        One of them in full: !fed show k7m2
        All 7 of them: !fed history M3-BOLT
        """,
    ),
    "an item without a case": (
        of_item(),
        """
        No transfers of "M3-BOLT" to tell of.
        """,
    ),
    "none": (
        told(days=1),
        """
        No transfers to tell of.
        Of the last day only.
        """,
    ),
    "none with a space": (
        told(space="betaspace"),
        """
        No transfers with betaspace to tell of.
        """,
    ),
    "none of an item": (
        told(item="M3-NIT"),
        """
        No transfers of "M3-NIT" to tell of.
        """,
    ),
    "no page as late as that": (
        told(before=40, total=23),
        """
        Nothing on that page: there are 23, on earlier ones.
        """,
    ),
    "no number of a page": (
        say(messages.history.no_such_page, word="two", usage="history [SPACE|ITEM|ID]"),
        """
        "two" is no number of a page. I did nothing.
        Usage: !fed history [SPACE|ITEM|ID]
        """,
    ),
}


@pytest.mark.parametrize("situation", SAID)
def test_it_reads_as_written_here(situation: str) -> None:
    phrase, text = SAID[situation]
    assert plain(phrase) == dedent(text).strip()
