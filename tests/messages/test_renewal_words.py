"""What is said of a friend's token: made anew, hanging, about to end."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent
from typing import Any

import pytest

from fedbot import messages
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.diagnosis import Fault, Named, NameFault, Plain, TokenTrialFailed
from fedbot.rules.model.effects import Phrase, say
from tests.scenarios.scenes import ALPHA, SAYS_NO, connection, plain

FRIENDS = connection(ConnectionState.ACTIVE, ours=True, company=5)
ENDS: dict[str, Any] = {"connection": FRIENDS, "us": ALPHA, "name": "fed-beta-1", "token": "fed-beta-1-2"}

SAID: dict[str, tuple[Phrase, str]] = {
    "a new one is wanted": (
        say(messages.rotate_tokens.rotating, connection=FRIENDS, begun=True),
        """
        I make a new token for betaspace's bot.
        The old one is good until the new one works. I tell you here how it ends.
        """,
    ),
    "a new one is on its way": (
        say(messages.rotate_tokens.rotating, connection=FRIENDS, begun=False),
        """
        A new token for betaspace's bot is being made already; I look at it now.
        The old one is good until the new one works. I tell you here how it ends.
        """,
    ),
    "done": (
        say(messages.rotate_tokens.token_rotated, connection=FRIENDS),
        """
        ✅ betaspace's bot has a new token, good until Wed 24 Nov 2027.
        """,
    ),
    "done, without a day": (
        say(messages.rotate_tokens.token_rotated, connection=replace(FRIENDS, token_expiry=None)),
        """
        ✅ betaspace's bot has a new token.
        """,
    ),
    "not done": (
        say(messages.rotate_tokens.rotate_failed, connection=FRIENDS, us=ALPHA, problem=Plain(Fault.NO_ADMIN_TOKEN)),
        """
        Not done: there is no new token for betaspace's bot yet; the old one is as good as before.
        Why: This takes a superuser's token: inventree.admin_token is not set.
        I try again by myself, every hour.
        What to do, if it is needed, I say in our admin room a month before the old one ends.
        """,
    ),
    "it ends, and it is for people to click": (
        say(
            messages.rotate_tokens.token_ends,
            **ENDS,
            left=30,
            reason="no-admin-token",
            problem=Plain(Fault.NO_ADMIN_TOKEN),
        ),
        """
        ⚠ The token that we made for betaspace ends in 30 days, and I have no new one.
        Why: This takes a superuser's token: inventree.admin_token is not set.
        Please, as a superuser:
        • a new token fed-beta-1-2 for the user fed-beta-1: curl -u fed-beta-1 \
'https://inventree.attraktor.example/api/user/token/?name=fed-beta-1-2'
        • paste it (never into a chat) where this command asks for it, on the bot's machine: \
fedbot credentials add beta-1
        • once I say that it works: revoke the old one
        Or write a superuser's token into inventree.admin_token_file: then I do all of it.
        I try again every hour. To make me try now: !fed rotate beta
        c9x4
        """,
    ),
    "it ends tomorrow, and the other bot is silent": (
        say(messages.rotate_tokens.token_ends, **ENDS, left=1, reason="silent", problem=None),
        """
        ⚠ The token that we made for betaspace ends in 1 day, and I have no new one.
        Its bot has not said yet whether the new one works. Is it running?
        I try again every hour. To make me try now: !fed rotate beta
        c9x4
        """,
    ),
    "it ends, and the other bot can't use the new one": (
        say(
            messages.rotate_tokens.token_ends,
            **ENDS,
            left=14,
            reason="peer",
            problem=TokenTrialFailed("not-permitted"),
        ),
        """
        ⚠ The token that we made for betaspace ends in 14 days, and I have no new one.
        Why: The other space can't use the token: InvenTree does not accept the token.
        That is what betaspace's bot says of the new one; its admin can look.
        I try again every hour. To make me try now: !fed rotate beta
        c9x4
        """,
    ),
    "it ends, for another reason": (
        say(
            messages.rotate_tokens.token_ends,
            **ENDS,
            left=3,
            reason="foreign-user",
            problem=Named(NameFault.FOREIGN_USER, "fed-beta-1"),
        ),
        """
        ⚠ The token that we made for betaspace ends in 3 days, and I have no new one.
        Why: The user "fed-beta-1" exists in InvenTree and isn't ours.
        Look with fedbot check; the reason is above.
        I try again every hour. To make me try now: !fed rotate beta
        c9x4
        """,
    ),
    "mended": (
        say(messages.rotate_tokens.token_renewed, connection=FRIENDS, old=""),
        """
        ✅ The new token for betaspace works, good until Wed 24 Nov 2027.
        I revoke the old one by myself. Nothing to do.
        c9x4
        """,
    ),
    "mended by hand": (
        say(messages.rotate_tokens.token_renewed, connection=replace(FRIENDS, token_expiry=None), old="fed-beta-1-1"),
        """
        ✅ The new token for betaspace works.
        Please revoke the old one in InvenTree: fed-beta-1-1
        c9x4
        """,
    ),
    "the old one stays": (
        say(
            messages.rotate_tokens.old_token_stays,
            connection=FRIENDS,
            name="fed-beta-1",
            problem=SAYS_NO,
        ),
        """
        ⚠ The old token that we made for betaspace is still good: I could not revoke it.
        Why: InvenTree said: You do not have permission.
        The new one is in use. Please revoke the older token of the user fed-beta-1 in InvenTree.
        c9x4
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
