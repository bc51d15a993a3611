"""What is told of the bot's own health: InvenTree back or upgraded, the bot's own tokens."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.inventree.versions import ABILITIES
from fedbot.messages.health import _CAN, _CANNOT
from fedbot.rules.model.diagnosis import Fault, Named, NameFault, Plain, TokenRefused
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.health import BotStatus, OwnToken
from fedbot.rules.model.ledger import Lost
from fedbot.rules.model.queries import InventoryStanding
from tests.scenarios.scenes import ALPHA, ASKED_AT, BOLTS, NOW, SAYS_NO, plain, transfer

OLD = BotStatus(release="1.0.2", api=380)
NEW = InventoryStanding(
    name="attraktor",
    version="1.4.0",
    api=472,
    username="fedbot",
    can_move_stock=True,
    has_admin_token=True,
    admin_is_superuser=True,
    stock_items=4120,
)
TOKEN = OwnToken(
    "token", "seed", 3, date(2026, 12, 8), reason="no-file", problem=Named(NameFault.SETTING_NOT_IN_FILE, "token")
)


def ends(token: OwnToken, left: int) -> Phrase:
    return say(messages.health.own_token_ends, us=ALPHA, token=token, left=left, name="fedbot-attraktor-2026-12-08")


GIVEN, GOT = (transfer(BOLTS, role=role) for role in ("sender", "receiver"))

SAID: dict[str, tuple[Phrase, str]] = {
    "InvenTree is back": (
        say(messages.health.inventory_back, us=ALPHA, since=ASKED_AT, until=NOW),
        """
        ✅ attraktor's InvenTree answers again, since Tue 24 Nov, 20:31.
        It was silent since Tue 24 Nov, 20:14. What waited for it goes on by itself; nothing to do.
        """,
    ),
    "InvenTree was put back to an earlier state": (
        say(
            messages.health.inventory_went_back,
            us=ALPHA,
            lost=(
                Lost(GIVEN, GIVEN.terms.lines[0], 43, is_another=True),
                Lost(GOT, GOT.terms.lines[0], 1207, is_another=False),
            ),
        ),
        """
        ⚠ attraktor's InvenTree was put back to an earlier state.
        I move no stock in it until a superuser says: !fed resume
        Missing in it, or another thing under the same number:
        • #43: 10 × M3 bolt, given to beta (k7m2), is another thing now
        • #1207: 10 × M3 bolt, got from attraktor (k7m2)
        Correct the stock in InvenTree first, then compare: !fed reconcile
        """,
    ),
    "InvenTree was put back, and nothing of ours is missing": (
        say(messages.health.inventory_went_back, us=ALPHA, lost=()),
        """
        ⚠ attraktor's InvenTree was put back to an earlier state.
        I move no stock in it until a superuser says: !fed resume
        Of what I know nothing is missing. Compare: !fed reconcile
        """,
    ),
    "more is missing than is shown": (
        say(
            messages.health.inventory_went_back,
            us=ALPHA,
            lost=(Lost(GOT, GOT.terms.lines[0], 7, is_another=False),) * 12,
        ),
        "\n".join(
            [
                "⚠ attraktor's InvenTree was put back to an earlier state.",
                "I move no stock in it until a superuser says: !fed resume",
                "Missing in it, or another thing under the same number:",
                *["• #7: 10 × M3 bolt, got from attraktor (k7m2)"] * 10,
                "• and 2 more",
                "Correct the stock in InvenTree first, then compare: !fed reconcile",
            ]
        ),
    ),
    "stock may move again": (
        say(messages.health.resumed, us=ALPHA),
        """
        From now on I move stock in attraktor's InvenTree again.
        What waited goes on within a minute. A thing that isn't the one I know stays untouched.
        """,
    ),
    "nothing was stopped": (
        say(messages.health.nothing_to_resume, us=ALPHA),
        """
        Nothing to do: I do move stock in attraktor's InvenTree.
        """,
    ),
    "InvenTree says no": (
        say(
            messages.health.inventory_refuses,
            us=ALPHA,
            problem=TokenRefused("Invalid token."),
        ),
        """
        ⚠ attraktor's InvenTree doesn't let me do what waits.
        Why: InvenTree does not accept the token (Invalid token): make a new token and write it into the configuration.
        I try again by myself. More on the bot's machine: fedbot check
        I say this once a day.
        """,
    ),
    "a first look at one that isn't known": (
        say(
            messages.health.version_changed,
            us=ALPHA,
            old=BotStatus(),
            inventory=replace(NEW, version="0.12.0", api=100, writes_allowed=False),
            gained=(),
            lost=(),
        ),
        """
        attraktor's InvenTree is 0.12.0 (API 100).
        • ⚠ I don't know that version, so I only read: nothing is moved until you upgrade me, or a superuser writes accept_api: 100 below inventree and restarts me.
        """,  # noqa: E501
    ),
    "an upgrade that brings something": (
        say(
            messages.health.version_changed,
            us=ALPHA,
            old=OLD,
            inventory=NEW,
            gained=("returns_parts", "direct_access_is_safe"),
            lost=(),
        ),
        """
        attraktor's InvenTree is 1.4.0 (API 472) now, it was 1.0.2 (API 380).
        • A part of what is with a friend can come back.
        • Friends may be given tokens of their own (peer_access: direct).
        """,
    ),
    "a version that isn't known": (
        say(
            messages.health.version_changed,
            us=ALPHA,
            old=OLD,
            inventory=replace(NEW, version="2.0.0", api=600, writes_allowed=False),
            gained=(),
            lost=("searches_history",),
        ),
        """
        attraktor's InvenTree is 2.0.0 (API 600) now, it was 1.0.2 (API 380).
        • ⚠ I don't know that version, so I only read: nothing is moved until you upgrade me, or a superuser writes accept_api: 600 below inventree and restarts me.
        • I can't look through the stock history; what is unclear, people must look up.
        """,  # noqa: E501 -- one line on the phone
    ),
    "our own token ends": (
        ends(TOKEN, 14),
        """
        ⚠ My own InvenTree token (inventree.token) ends in 14 days, and I have no new one.
        After that I can neither look into InvenTree nor move anything.
        Why: inventree.token doesn't come from a file that I could write the next one into.
        Please:
        • as the user behind it, make a new token: curl -u USER 'https://inventree.attraktor.example/api/user/token/?name=fedbot-attraktor-2026-12-08'
        • on the bot's machine, write it in the old one's place (inventree.token_file, or where inventree.token comes from). Never into a chat
        • once I say that it works, revoke the old one: seed
        Or put it into a file of its own (inventree.token_file) that my user may replace, folder included: then I do it.
        I look at it every day.
        """,  # noqa: E501
    ),
    "the superuser's token ends": (
        ends(replace(TOKEN, id="admin_token", reason="unsupported", problem=Plain(Fault.OWN_TOKEN_UNSUPPORTED)), 1),
        """
        ⚠ My own InvenTree token (inventree.admin_token) ends in 1 day, and I have no new one.
        After that I can make no accounts and tokens for friends; all else goes on.
        Why: This InvenTree can't make the next token over REST.
        Please:
        • as the user behind it, make a new token: curl -u USER 'https://inventree.attraktor.example/api/user/token/?name=fedbot-attraktor-2026-12-08'
        • on the bot's machine, write it in the old one's place (inventree.admin_token_file, or where inventree.admin_token comes from). Never into a chat
        • once I say that it works, revoke the old one: seed
        I look at it every day.
        """,  # noqa: E501
    ),
    "the next one works": (
        say(messages.health.own_token_renewed, token=TOKEN, expiry=date(2027, 12, 8), by_hand=False),
        """
        ✅ My new InvenTree token (inventree.token) works, good until Wed 8 Dec 2027.
        I revoke the old one by myself. Nothing to do.
        """,
    ),
    "the next one works, made by hand": (
        say(messages.health.own_token_renewed, token=TOKEN, expiry=date(2027, 12, 8), by_hand=True),
        """
        ✅ My new InvenTree token (inventree.token) works, good until Wed 8 Dec 2027.
        Please revoke the old one in InvenTree: seed
        """,
    ),
    "the old one stays": (
        say(messages.health.own_old_token_stays, token=TOKEN, problem=SAYS_NO),
        """
        ⚠ My old InvenTree token (inventree.token) is still good: I could not revoke it.
        Why: InvenTree said: You do not have permission.
        The new one is in use: seed. I try again every day.
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")


def test_there_are_words_for_all_that_differs_between_versions() -> None:
    assert set(_CAN) == set(_CANNOT) == set(ABILITIES)
