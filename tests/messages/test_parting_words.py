"""What is said around the end of a friendship: before it, when it hangs, and when it begins anew."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import Preview
from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.scenarios.scenes import ALPHA, BOLTS, BY_ANNA, connection, plain, request, transfer

OPEN = replace(transfer(BOLTS, role="sender"), code="b7d2")
SENT = transfer(role="sender", state=TransferState.SENT)
ASKED = replace(request(BOLTS, role="receiver"), code="q3wx")
NOTHING = Preview((), ())
FRIENDS = connection(ConnectionState.ACTIVE, ours=True, company=5)
ENDING = replace(FRIENDS, state=ConnectionState.ENDING, ended_by=BY_ANNA)

SAID: dict[str, tuple[Phrase, str]] = {
    "before, with things under way": (
        say(
            messages.disconnect.disconnect_preview,
            connection=FRIENDS,
            us=ALPHA,
            orderly=Preview((OPEN,), (SENT,)),
            at_once=Preview((OPEN,), (SENT,)),
        ),
        """
        End the friendship of attraktor and betaspace? I did nothing yet.
        What was given stays given, and the history stays.
        1) in order: what moves is finished, then betaspace's access ends
        Is cancelled:
        • b7d2 – 10 × M3 bolt, asked by Anna
        Is finished first:
        • k7m2 – 1 × Laser lens 2.0″, asked by Anna
        2) at once: betaspace's access ends now; for a space that is gone, or not to be trusted
        Is cancelled:
        • b7d2 – 10 × M3 bolt, asked by Anna
        ⚠ Stays unclear, people have to look:
        • k7m2 – 1 × Laser lens 2.0″, asked by Anna
        Reply 1 or 2 within 10 minutes.
        """,
    ),
    "before, only at once, with nothing under way": (
        say(messages.disconnect.disconnect_preview, connection=FRIENDS, us=ALPHA, orderly=None, at_once=NOTHING),
        """
        End the friendship of attraktor and betaspace? I did nothing yet.
        What was given stays given, and the history stays.
        Nothing is open or moving.
        1) at once: betaspace's access ends now; for a space that is gone, or not to be trusted
        Reply 1 within 10 minutes.
        """,
    ),
    "before, with nothing under way": (
        say(messages.disconnect.disconnect_preview, connection=FRIENDS, us=ALPHA, orderly=NOTHING, at_once=NOTHING),
        """
        End the friendship of attraktor and betaspace? I did nothing yet.
        What was given stays given, and the history stays.
        Nothing is open or moving.
        1) in order: what moves is finished, then betaspace's access ends
        2) at once: betaspace's access ends now; for a space that is gone, or not to be trusted
        Reply 1 or 2 within 10 minutes.
        """,
    ),
    "no friends": (
        say(messages.disconnect.nothing_to_end, name="gammaspace"),
        """
        We and gammaspace aren't friends. I did nothing.
        """,
    ),
    "only asked": (
        say(messages.disconnect.not_friends_yet, connection=connection(ConnectionState.ASKED, ours=True)),
        """
        We and betaspace aren't friends yet. I did nothing.
        To take it back: !fed cancel c9x4
        """,
    ),
    "only offered": (
        say(messages.disconnect.not_friends_yet, connection=connection(ConnectionState.OFFERED)),
        """
        We and attraktor aren't friends yet. I did nothing.
        To say no: !fed decline c9x4
        """,
    ),
    "ending already": (
        say(messages.disconnect.ending_already, connection=ENDING, us=ALPHA, preview=Preview((ASKED,), (SENT,))),
        """
        The friendship with betaspace is ending already. I did nothing.
        By Anna (attraktor), Tue 24 Nov, 20:14
        It waits for:
        • q3wx – 10 × M3 bolt, asked by Bea
        • k7m2 – 1 × Laser lens 2.0″, asked by Anna
        A superuser who doesn't want to wait: !fed disconnect beta --now
        """,
    ),
    "it hangs": (
        say(messages.disconnect.ending_waits, connection=ENDING, us=ALPHA, preview=Preview((), (SENT,))),
        """
        ⏸ c9x4 waits: betaspace's bot has not answered for ten minutes.
        Not finished yet:
        • k7m2 – 1 × Laser lens 2.0″, asked by Anna
        betaspace's access to attraktor's InvenTree is not shut yet.
        Next: I send it again by myself. Nothing to do now.
        A superuser who doesn't want to wait: !fed disconnect beta --now
        """,
    ),
    "asked again too early": (
        say(messages.disconnect.still_ending, connection=ENDING),
        """
        Not asked: the old friendship with betaspace is still ending.
        Please ask when it is over. To see what it waits for: !fed disconnect beta
        """,
    ),
    "friends again": (
        say(messages.disconnect.goes_on_from_before, connection=FRIENDS, transfers=(SENT,)),
        """
        We were friends with betaspace before.
        This was left open then, and goes on:
        • k7m2 – 1 × Laser lens 2.0″, asked by Anna
        """,
    ),
    "made by hand": (
        say(messages.disconnect.access_made_by_hand, connection=ENDING, name="fed-beta-1"),
        """
        ⚠ The friendship with betaspace is over. Its access was made by hand, so please end it by hand.
        In our InvenTree, as a superuser, and in this order:
        • set the user fed-beta-1 inactive, don't just remove it from its group
        • revoke its tokens
        Its token is gone from the bot's machine.
        c9x4
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
