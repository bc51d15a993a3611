"""What is overdue, as people read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import LendingStop
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.scenarios.scenes import ALPHA, BETA, BOLTS, BY_ANNA, LENS, ROOM, plain, transfer

TODAY = date(2026, 11, 24)


def loan(role: str = "sender", lens: bool = False) -> Transfer:
    lent = transfer(LENS if lens else BOLTS, role=role, state=TransferState.DONE)
    return replace(lent, terms=replace(lent.terms, loan_until=date(2026, 11, 14), time_zone="Europe/Berlin"))


STOPPED = LendingStop("beta", BY_ANNA, ROOM)

SAID: dict[str, tuple[Phrase, str]] = {
    "to the lender's admins": (
        say(messages.overdue.overdue_for_admins, loan=loan(), us=ALPHA, peer_name="Betaspace", today=TODAY),
        """
        ⚠ Overdue for 10 days at Betaspace: 10 × M3 bolt (k7m2)
        It was due Sat 14 Nov 2026. Betaspace's bot has reminded its people.
        Call them. More time: !fed extend k7m2 2 weeks · it is gone: !fed lost k7m2
        """,
    ),
    "to the borrower's admins": (
        say(messages.overdue.overdue_for_admins, loan=loan("receiver"), us=BETA, peer_name="Attraktor", today=TODAY),
        """
        ⚠ betaspace is 10 days late with 10 × M3 bolt of Attraktor (k7m2)
        It was due Sat 14 Nov 2026. After some time Attraktor may lend us nothing more.
        Bring it back: !fed return k7m2 · ask for more time: !fed extend k7m2 2 weeks
        """,
    ),
    "shall we stop?": (
        say(messages.overdue.lend_no_more, loan=loan(), us=ALPHA, peer_name="Betaspace", today=TODAY),
        """
        ⚠ Lend Betaspace nothing more? 10 × M3 bolt has been overdue for 10 days (k7m2)
        A superuser can say so: !fed overdue beta --stop
        It ends by itself when all of it is back. If nobody says so, nothing changes.
        """,
    ),
    "stopped": (
        say(messages.overdue.no_new_loans, us=ALPHA, peer_name="Betaspace", by=BY_ANNA, loans=(loan(),)),
        """
        attraktor lends Betaspace nothing new for now, says Anna.
        Overdue:
        • 10 × M3 bolt (k7m2, due Sat 14 Nov)
        It ends by itself when all of that is back. Gifts and returns go on.
        """,
    ),
    "over by itself": (
        say(messages.overdue.loans_again, us=ALPHA, peer_name="Betaspace", by=None),
        "attraktor lends Betaspace things again: nothing is overdue any more.",
    ),
    "lifted": (
        say(messages.overdue.loans_again, us=ALPHA, peer_name="Betaspace", by=BY_ANNA),
        "attraktor lends Betaspace things again, says Anna.",
    ),
    "not offered": (
        say(
            messages.overdue.gets_no_loans,
            stopped=STOPPED,
            peer_name="Betaspace",
            loans=(loan(lens=True), loan(lens=True), loan()),
        ),
        """
        Not offered: Betaspace gets no new loans, says Anna.
        ⚠ Overdue at Betaspace: 1 × Laser lens 2.0″ (k7m2, due Sat 14 Nov) and 2 more
        A superuser can lift that: !fed overdue beta --resume
        """,
    ),
    "the list": (
        say(
            messages.overdue.overdue_list,
            lent=(loan(),),
            borrowed=(replace(loan("receiver"), peer="beta"),),
            stopped=(("beta", BY_ANNA),),
            us=ALPHA,
            names={"beta": "Betaspace"},
        ),
        """
        Betaspace has these things of attraktor overdue:
        • 10 × M3 bolt (k7m2, due Sat 14 Nov)
        attraktor owes Betaspace:
        • 10 × M3 bolt (k7m2, due Sat 14 Nov)
        Betaspace gets no new loans, says Anna.
        """,
    ),
    "an empty list": (
        say(messages.overdue.overdue_list, lent=(), borrowed=(), stopped=(), us=ALPHA, names={}),
        "Nothing is overdue.",
    ),
    "nothing to stop for": (
        say(messages.overdue.nothing_to_stop, peer_name="Betaspace"),
        """
        Not done: Betaspace has nothing of ours that is overdue.
        New loans can be stopped only while something is overdue.
        """,
    ),
    "nothing to lift": (
        say(messages.overdue.not_stopped, peer_name="Betaspace"),
        "Nothing to do: Betaspace may borrow.",
    ),
}


@pytest.mark.parametrize(("phrase", "words"), SAID.values(), ids=SAID)
def test_as_people_read_it(phrase: Phrase, words: str) -> None:
    assert plain(phrase) == dedent(words).strip()
