"""Sentences about a friend's token: rotated, stuck, about to expire."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.diagnosis import Fault, Named, NameFault, Plain, TokenTrialFailed
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import ConnectionState
from tests.scenarios.scenes import ALPHA, LOCALES, SAYS_NO, connection, plain

FRIENDS = connection(ConnectionState.ACTIVE, ours=True, company=5)
ENDS: dict[str, Any] = {"connection": FRIENDS, "us": ALPHA, "name": "fed-beta-1", "token": "fed-beta-1-2"}

SAID: dict[str, Phrase] = {
    "a new one is wanted": say(messages.provision.rotating, connection=FRIENDS, begun=True),
    "a new one is on its way": say(messages.provision.rotating, connection=FRIENDS, begun=False),
    "done": say(messages.provision.token_rotated, connection=FRIENDS),
    "done, without a day": say(messages.provision.token_rotated, connection=replace(FRIENDS, token_expiry=None)),
    "not done": say(
        messages.provision.rotate_failed, connection=FRIENDS, us=ALPHA, problem=Plain(Fault.NO_ADMIN_TOKEN)
    ),
    "it ends, and it is for people to click": say(
        messages.provision.token_ends,
        **ENDS,
        left=30,
        reason="no-admin-token",
        problem=Plain(Fault.NO_ADMIN_TOKEN),
    ),
    "it ends tomorrow, and the other bot is silent": say(
        messages.provision.token_ends, **ENDS, left=1, reason="silent", problem=None
    ),
    "it ends, and the other bot can't use the new one": say(
        messages.provision.token_ends,
        **ENDS,
        left=14,
        reason="peer",
        problem=TokenTrialFailed("not-permitted"),
    ),
    "it ends, for another reason": say(
        messages.provision.token_ends,
        **ENDS,
        left=3,
        reason="foreign-user",
        problem=Named(NameFault.FOREIGN_USER, "fed-beta-1"),
    ),
    "fixed": say(messages.provision.token_renewed, connection=FRIENDS, old=""),
    "fixed by hand": say(
        messages.provision.token_renewed, connection=replace(FRIENDS, token_expiry=None), old="fed-beta-1-1"
    ),
    "the old one stays": say(
        messages.provision.old_token_stays,
        connection=FRIENDS,
        name="fed-beta-1",
        problem=SAYS_NO,
    ),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
