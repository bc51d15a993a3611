"""Who has claimed the account, as the homeserver keeps it."""

from __future__ import annotations

import pytest

from fedbot.engine.syncing import AccountClaim


@pytest.mark.parametrize("claimant", [AccountClaim("a1b2"), AccountClaim("a1b2", "journal", 7)])
def test_a_claimant_is_read_as_it_was_written(claimant: AccountClaim) -> None:
    assert AccountClaim.read(str(claimant)) == claimant


@pytest.mark.parametrize("written", ["a1b2", "a.b", "a.b.c", "a.1.2.3", ".1.a", "a.0.b", "a.-1.b", "a.².b", "…"])
def test_a_claim_that_no_worker_wrote_came_before_nobody(written: str) -> None:
    assert not AccountClaim.read(written).came_before(AccountClaim("us", "a", 9))
    assert not AccountClaim.read(written).came_before(AccountClaim("us"))


def test_only_an_earlier_claim_on_the_same_journal_came_before() -> None:
    us = AccountClaim("us", "journal", 9)
    assert AccountClaim.read("journal.8.other").came_before(us)
    assert not any(
        AccountClaim.read(each).came_before(us) for each in ("journal.9.other", "journal.10.other", "other.8.x")
    )
