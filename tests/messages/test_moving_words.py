"""What is said in a room that took the place of another, and of what waits for it."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.scenarios.scenes import ALPHA, BOLTS, connection, plain, transfer

WAITS = replace(connection(ConnectionState.SUSPENDED, ours=True), changed_room="!new")
GAMMA = replace(WAITS, peer_name="gammaspace", changed_bot="@other:gamma.example", changed_room="")
OPEN = transfer(BOLTS, role="sender", state=TransferState.OPEN)

SAID: dict[str, tuple[Phrase, str]] = {
    "one waits": (
        say(messages.rooms.friendships_wait_here, us=ALPHA, waiting=(WAITS,), open_ones=(OPEN,)),
        """
        This room takes the place of another. 1 friendship of attraktor waits here:
        • betaspace
        Open, or on loan:
        • k7m2 – 10 × M3 bolt, asked by Anna
        A superuser of attraktor says here that they go on in this room: !fed review --room
        Each space does so for itself. Until then nothing new is offered or decided.
        """,
    ),
    "two wait": (
        say(messages.rooms.friendships_wait_here, us=ALPHA, waiting=(WAITS, GAMMA), open_ones=()),
        """
        This room takes the place of another. 2 friendships of attraktor wait here:
        • betaspace
        • gammaspace
        A superuser of attraktor says here that they go on in this room: !fed review --room
        Each space does so for itself. Until then nothing new is offered or decided.
        """,
    ),
    "somebody has said so": (
        say(messages.rooms.moved, us=ALPHA, by="Anna", moved=(replace(WAITS, changed_room=""), GAMMA), open_ones=()),
        """
        ✅ attraktor goes on here with betaspace and gammaspace, says Anna.
        What waited goes on by itself, once the other space has said so too. Open cards come again, below.
        Paused still, as the key has changed: gammaspace. See !fed review
        """,
    ),
    "nothing waits": (
        say(messages.rooms.nothing_moves_here, rooms=()),
        """
        No friendship waits for this room. I did nothing.
        """,
    ),
    "others wait elsewhere": (
        say(messages.rooms.nothing_moves_here, rooms=("Makerspaces",)),
        """
        No friendship waits for this room. I did nothing.
        Some wait for another: Makerspaces. Please say it there.
        """,
    ),
    "not offered": (
        say(messages.connection.needs_review, connection=WAITS),
        """
        Not done: the friendship with betaspace waits, as its room was replaced.
        A superuser says in the new room: !fed review --room
        """,
    ),
    "not decided": (
        say(messages.approval.connection_not_active, connection=WAITS),
        """
        Not done: the friendship with betaspace isn't active at the moment.
        Its room was replaced; nothing has moved.
        A superuser says in the new room that it goes on: !fed review --room
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
