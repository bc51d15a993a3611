"""The written form of terms: what is new in it leaves old terms, and their hashes, as they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from fedbot.rules.model.queries import PartDescription
from fedbot.rules.model.transfer import Line, Terms
from fedbot.rules.protocol.terms import BadTerms, hash_of, understood, written

LOAN = Terms(
    kind="push",
    sender="attraktor",
    receiver="betaspace",
    lines=(Line(1, 42, 3, PartDescription(name="Laser lens", ipn="LENS-2"), Decimal(1), serial="0042"),),
    asker="@anna:x",
    asker_name="Anna",
    loan_until=date(2026, 12, 15),
)
HASH_BEFORE_ZONES = "8ae92046ec65255d79b84b971d85eabacb19f0393cd7e174c578cd5d57dfafa0"


def test_a_loan_without_a_zone_has_the_hash_that_it_had_before_there_were_any() -> None:
    assert "time_zone" not in written(LOAN)
    assert hash_of(LOAN) == HASH_BEFORE_ZONES
    assert understood(written(LOAN)) == LOAN


def test_a_zone_is_part_of_what_is_agreed() -> None:
    there = replace(LOAN, time_zone="Pacific/Auckland")
    assert understood(written(there)) == there
    assert hash_of(there) != hash_of(LOAN)


def test_what_is_to_keep_has_no_zone() -> None:
    with pytest.raises(BadTerms, match="time_zone"):
        understood(written(replace(LOAN, loan_until=None, time_zone="Pacific/Auckland")))
