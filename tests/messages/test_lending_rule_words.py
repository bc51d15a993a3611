"""Sentences about lending rules: on both sides' cards, and in refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import LoanRules, RuleOrigin, against_extension, against_loan
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import Transfer
from tests.scenarios.scenes import ALPHA, LENS, LOCALES, PEOPLE, plain, request, transfer

DAY = date(2026, 12, 15)
ALL = LoanRules(14, 2, ("laser safety briefing needed",), photo_out=True, photo_back=True, two_people=True)


def ruled(given: Transfer, rules: LoanRules = ALL) -> Transfer:
    """The same as a loan under these rules."""
    return replace(given, terms=replace(given.terms, loan_until=DAY, rules=rules))


def declined(code: str) -> Phrase:
    """Attraktor's bot declines a request for that reason."""
    asked = ruled(replace(request(LENS, role="sender"), state=TransferState.DECLINED, problem=code))
    return say(messages.transfer_card.transfer_card, transfer=asked, us=ALPHA, peer_name="betaspace", people=PEOPLE)


LOAN = ruled(transfer(LENS))
SAID: dict[str, Phrase] = {
    "an offer that is too long": say(
        messages.lending.lent_too_long,
        most=14,
        latest=DAY,
        line="!fed lend #42 to betaspace until 2026-12-15",
        by=(RuleOrigin("part LENS-2"), RuleOrigin("location Attic", in_inventree=True), RuleOrigin("")),
    ),
    "an offer to a space that may not borrow it": say(messages.lending.not_lent_to, us=ALPHA, peer_name="betaspace"),
    "a rule in InvenTree that makes no sense": say(
        messages.lending.rule_not_understood, where="part LENS-2", is_hidden=False
    ),
    "metadata that the bot may not read": say(
        messages.lending.rule_not_understood, where="location Attic", is_hidden=True
    ),
    "an extension that is too long": say(
        messages.lending.extended_too_long,
        loan=LOAN,
        refused=against_extension(ALL, 1, date(2026, 12, 1), date(2026, 12, 31)),
    ),
    "an extension too many": say(
        messages.lending.extended_too_long, loan=LOAN, refused=against_extension(ALL, 2, DAY, DAY)
    ),
    "never an extension": say(
        messages.lending.extended_too_long,
        loan=LOAN,
        refused=against_extension(LoanRules(extensions=0), 0, DAY, DAY),
    ),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot


def test_all_rules_are_on_the_owners_card() -> None:
    asked = replace(ruled(request(LENS, role="sender")), care=True)
    text = plain(
        say(messages.transfer_card.transfer_card, transfer=asked, us=ALPHA, peer_name="betaspace", people=PEOPLE)
    )
    assert "⚠ Lending rules: two approvers of attraktor have to approve." in text
    assert "⚠ attraktor lends it only if betaspace agrees: laser safety briefing needed" in text
    limits = "at most 14 days · 2 extensions · two approvers have to approve"
    assert f"Lending rules of attraktor: {limits} · 📷 photo at the hand-over · 📷 photo at the return" in text


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (against_loan(ALL, date(2026, 12, 1), date(2027, 1, 1)), "allow 14 days, until Tue 15 Dec 2026."),
        ("no-more-time:1", "the lending rules allow 1 extension, and it has had that already."),
        ("not-to-you", "the lending rules of attraktor don't let betaspace borrow it."),
        ("too-long", "the lending rules of attraktor don't allow such a long loan."),
        ("too-long:2026-12-15:99999", ""),
        ("too-long:2026-99-15:14", ""),
        ("no-more-time:-1", ""),
        ("no-more-time:٣", ""),
    ],
)
def test_a_refusal_gives_its_reason_whatever_a_friends_bot_writes(code: str, said: str) -> None:
    assert said in plain(declined(code))
