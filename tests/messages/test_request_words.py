"""What is answered to a request's line, and to a quantity behind `approve`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.decision import Choice, Decision, DecisionStage
from fedbot.rules.model.effects import Phrase, say
from tests.scenarios.scenes import ANNA, BOLTS, CABLE, LENS, NOW, connection, plain, request, transfer

FOR_BOLTS = request(replace(BOLTS, quantity=Decimal(50)), role="sender")
GRANTING = Decision(Choice.APPROVE, ANNA, "anna", "$line", DecisionStage.CHECKING, NOW, quantity=Decimal(20))


SAID: dict[str, tuple[Phrase, str]] = {
    "how many": (
        say(messages.offer.how_many_of_it, word="M3-BOLT", line="request 1 M3-BOLT from beta"),
        """
        How much of "M3-BOLT"? I did nothing.
        For example: !fed request 1 M3-BOLT from beta
        """,
    ),
    "two numbers": (
        say(
            messages.offer.which_is_the_quantity, ways=((Decimal(2), "4 mm plywood 3"), (Decimal(3), "2 4 mm plywood"))
        ),
        """
        That can mean different things. Which?
        1) 2 × "4 mm plywood 3"
        2) 3 × "2 4 mm plywood"
        Reply 1 or 2 within 10 minutes. I did nothing yet.
        """,
    ),
    "a part of an offer": (
        say(messages.offer.all_or_nothing, subject=transfer(BOLTS)),
        """
        Not counted: of 10 × M3 bolt (k7m2) no part can be chosen.
        A quantity only goes with what another space requests of us.
        Yes to all of it: !fed approve k7m2
        """,
    ),
    "a part of a friendship": (
        say(messages.offer.all_or_nothing, subject=connection()),
        """
        Not counted: of the friendship with attraktor (c9x4) no part can be chosen.
        A quantity only goes with what another space requests of us.
        Yes to all of it: !fed approve c9x4
        """,
    ),
    "a part of one piece": (
        say(messages.offer.all_or_nothing, subject=request(LENS, role="sender")),
        """
        Not counted: of 1 × Laser lens 2.0″ (k7m2) no part can be chosen.
        Each piece has a serial number, so only whole ones can go.
        Yes to all of it: !fed approve k7m2
        """,
    ),
    "a part of several lines": (
        say(messages.offer.all_or_nothing, subject=request(BOLTS, CABLE, role="sender")),
        """
        Not counted: of 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed) (k7m2) no part can be chosen.
        It is of several parts, so it is all or nothing.
        Yes to all of it: !fed approve k7m2
        """,
    ),
    "more than asked": (
        say(messages.offer.more_than_asked, transfer=FOR_BOLTS, wanted=Decimal(60)),
        """
        Not counted: 60 is more than the 50 that are asked for.
        Yes to all of it: !fed approve k7m2
        """,
    ),
    "less is noted": (
        say(
            messages.approval.noted_in_grace,
            subject=replace(FOR_BOLTS, decision=GRANTING),
            choice=Choice.APPROVE,
            seconds=timedelta(seconds=5),
        ),
        """
        Noted: 20 of 50 × M3 bolt (k7m2). It counts in 5 seconds.
        To take it back until then, reply: !fed cancel
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
