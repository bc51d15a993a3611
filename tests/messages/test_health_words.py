"""Sentences about the bot's own health: InvenTree back or upgraded, the bot's own tokens."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.inventree.client.versions import ABILITIES
from fedbot.messages.health import _CAN, _CANNOT
from fedbot.rules.model.diagnosis import Fault, Named, NameFault, Plain, TokenRefused
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.health import BotStatus, OwnToken
from fedbot.rules.model.ledger import Lost
from fedbot.rules.model.queries import InventoryStanding, UnknownThings
from tests.scenarios.scenes import ALPHA, ASKED_AT, BOLTS, LOCALES, NOW, SAYS_NO, plain, transfer

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

SAID: dict[str, Phrase] = {
    "InvenTree is back": say(messages.health.inventory_back, us=ALPHA, since=ASKED_AT, until=NOW),
    "InvenTree was restored to an earlier state": say(
        messages.health.inventory_went_back,
        us=ALPHA,
        lost=(
            Lost(GIVEN, GIVEN.terms.lines[0], 43, is_another=True),
            Lost(GOT, GOT.terms.lines[0], 1207, is_another=False),
        ),
    ),
    "InvenTree was put back, and nothing is missing": say(messages.health.inventory_went_back, us=ALPHA, lost=()),
    "more is missing than is shown": say(
        messages.health.inventory_went_back,
        us=ALPHA,
        lost=(Lost(GOT, GOT.terms.lines[0], 7, is_another=False),) * 12,
    ),
    "stock may move again": say(messages.health.resumed, us=ALPHA),
    "nothing was stopped": say(messages.health.nothing_to_resume, us=ALPHA),
    "InvenTree says no": say(
        messages.health.inventory_refuses,
        us=ALPHA,
        problem=TokenRefused("Invalid token."),
    ),
    "rules about what InvenTree doesn't have": say(
        messages.health.unknown_names, unknown=UnknownThings(("LENS-22",), ("Lasers",), ("Vault/Shelf 3",))
    ),
    "a first look at one that isn't known": say(
        messages.health.version_changed,
        us=ALPHA,
        old=BotStatus(),
        inventory=replace(NEW, version="0.12.0", api=100, writes_allowed=False),
        gained=(),
        lost=(),
    ),
    "an upgrade that brings something": say(
        messages.health.version_changed,
        us=ALPHA,
        old=OLD,
        inventory=NEW,
        gained=("returns_parts", "direct_access_is_safe"),
        lost=(),
    ),
    "a version that isn't known": say(
        messages.health.version_changed,
        us=ALPHA,
        old=OLD,
        inventory=replace(NEW, version="2.0.0", api=600, writes_allowed=False),
        gained=(),
        lost=("searches_history",),
    ),
    "our own token ends": ends(TOKEN, 14),
    "the superuser's token ends": ends(
        replace(TOKEN, id="admin_token", reason="unsupported", problem=Plain(Fault.OWN_TOKEN_UNSUPPORTED)), 1
    ),
    "the next one works": say(messages.health.own_token_renewed, token=TOKEN, expiry=date(2027, 12, 8), by_hand=False),
    "the next one works, made by hand": say(
        messages.health.own_token_renewed, token=TOKEN, expiry=date(2027, 12, 8), by_hand=True
    ),
    "the old one stays": say(messages.health.own_old_token_stays, token=TOKEN, problem=SAYS_NO),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot


def test_every_difference_between_versions_has_a_sentence() -> None:
    assert set(_CAN) == set(_CANNOT) == set(ABILITIES)
