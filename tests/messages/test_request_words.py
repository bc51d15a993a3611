"""Answers to a request's line, and to a quantity after `approve`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.decision import Choice, Decision, DecisionStage
from fedbot.rules.model.effects import Phrase, say
from tests.scenarios.scenes import ANNA, BOLTS, CABLE, LENS, LOCALES, NOW, connection, plain, request, transfer

FOR_BOLTS = request(replace(BOLTS, quantity=Decimal(50)), role="sender")
GRANTING = Decision(Choice.APPROVE, ANNA, "anna", "$line", DecisionStage.CHECKING, NOW, quantity=Decimal(20))


SAID: dict[str, Phrase] = {
    "how many": say(messages.offer.how_many_of_it, word="M3-BOLT", most=9, line="request 20 M3-BOLT from beta"),
    "two numbers": say(
        messages.offer.which_is_the_quantity, ways=((Decimal(30), "cm", "ruler"), (Decimal(1), "", "30 cm ruler"))
    ),
    "a part of an offer": say(messages.offer.all_or_nothing, subject=transfer(BOLTS)),
    "a part of a friendship": say(messages.offer.all_or_nothing, subject=connection()),
    "a part of one piece": say(messages.offer.all_or_nothing, subject=request(LENS, role="sender")),
    "a part of several lines": say(messages.offer.all_or_nothing, subject=request(BOLTS, CABLE, role="sender")),
    "more than asked": say(messages.offer.more_than_asked, transfer=FOR_BOLTS, wanted=Decimal(60)),
    "less is noted": say(
        messages.approval.noted_in_grace,
        subject=replace(FOR_BOLTS, decision=GRANTING),
        choice=Choice.APPROVE,
        seconds=timedelta(seconds=5),
    ),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
