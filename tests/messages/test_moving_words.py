"""Sentences in a room that replaced another, and about transfers that wait for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from tests.scenarios.scenes import ALPHA, BOLTS, LOCALES, connection, plain, transfer

WAITS = replace(connection(ConnectionState.SUSPENDED, ours=True), changed_room="!new")
GAMMA = replace(WAITS, peer_name="gammaspace", changed_bot="@other:gamma.example", changed_room="")
OPEN = transfer(BOLTS, role="sender", state=TransferState.OPEN)

SAID: dict[str, Phrase] = {
    "one waits": say(messages.rooms.friendships_wait_here, us=ALPHA, waiting=(WAITS,), open_ones=(OPEN,)),
    "two wait": say(messages.rooms.friendships_wait_here, us=ALPHA, waiting=(WAITS, GAMMA), open_ones=()),
    "somebody has said so": say(
        messages.rooms.moved, us=ALPHA, by="Anna", moved=(replace(WAITS, changed_room=""), GAMMA), open_ones=()
    ),
    "nothing waits": say(messages.rooms.nothing_moves_here, rooms=()),
    "others wait elsewhere": say(messages.rooms.nothing_moves_here, rooms=("Makerspaces",)),
    "not offered": say(messages.connect.needs_review, connection=WAITS),
    "not decided": say(messages.approval.connection_not_active, connection=WAITS),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
