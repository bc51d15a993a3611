"""Sentences about the end of a friendship: before it, when it waits, and when it starts again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import Preview
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from tests.scenarios.scenes import ALPHA, BOLTS, BY_ANNA, LOCALES, connection, plain, request, transfer

OPEN = replace(transfer(BOLTS, role="sender"), code="b7d2")
SENT = transfer(role="sender", state=TransferState.SENT)
ASKED = replace(request(BOLTS, role="receiver"), code="q3wx")
NOTHING = Preview((), ())
FRIENDS = connection(ConnectionState.ACTIVE, ours=True, company=5)
ENDING = replace(FRIENDS, state=ConnectionState.ENDING, ended_by=BY_ANNA)

SAID: dict[str, Phrase] = {
    "before, with things under way": say(
        messages.disconnect.disconnect_preview,
        connection=FRIENDS,
        us=ALPHA,
        orderly=Preview((OPEN,), (SENT,)),
        at_once=Preview((OPEN,), (SENT,)),
    ),
    "before, only at once, with nothing under way": say(
        messages.disconnect.disconnect_preview, connection=FRIENDS, us=ALPHA, orderly=None, at_once=NOTHING
    ),
    "before, with nothing under way": say(
        messages.disconnect.disconnect_preview, connection=FRIENDS, us=ALPHA, orderly=NOTHING, at_once=NOTHING
    ),
    "no friends": say(messages.disconnect.nothing_to_end, name="gammaspace"),
    "only asked": say(messages.disconnect.not_friends_yet, connection=connection(ConnectionState.ASKED, ours=True)),
    "only offered": say(messages.disconnect.not_friends_yet, connection=connection(ConnectionState.OFFERED)),
    "ending already": say(
        messages.disconnect.ending_already, connection=ENDING, us=ALPHA, preview=Preview((ASKED,), (SENT,))
    ),
    "it hangs": say(messages.disconnect.ending_waits, connection=ENDING, us=ALPHA, preview=Preview((), (SENT,))),
    "asked again too early": say(messages.disconnect.still_ending, connection=ENDING),
    "friends again": say(messages.disconnect.goes_on_from_before, connection=FRIENDS, transfers=(SENT,)),
    "made by hand": say(messages.disconnect.access_made_by_hand, connection=ENDING, name="fed-beta-1"),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
