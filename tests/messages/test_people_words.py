"""Sentences about adding, removing and greeting people."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.party_config import RosterChange
from fedbot.rules.model.stock import Permissions
from tests.scenarios.scenes import ALPHA, KIM, LOCALES, plain

NOT_YET = replace(ALPHA, admins=(KIM,))

SAID: dict[str, Phrase] = {
    "added": say(
        messages.people.added, change=RosterChange(adds=True, person=KIM, username="kim"), us=ALPHA, again=False
    ),
    "added again, and admin": say(
        messages.people.added,
        change=RosterChange(adds=True, person=KIM, username="kim", admin=True),
        us=ALPHA,
        again=True,
    ),
    "an admin only": say(
        messages.people.added, change=RosterChange(adds=True, person=KIM, admin=True), us=NOT_YET, again=False
    ),
    "removed": say(messages.people.removed, person=KIM, configured=True, us=ALPHA),
    "no Matrix id": say(messages.people.no_matrix_id, word="Kim"),
    "which user": say(messages.people.user_missing, person=KIM),
    "no such user": say(messages.people.no_such_user, username="kym", inactive=False, us=ALPHA),
    "an inactive user": say(messages.people.no_such_user, username="kim", inactive=True, us=ALPHA),
    "the settings say otherwise": say(messages.people.configured_otherwise, person=KIM, username="kim"),
    "an InvenTree below API 472": say(messages.people.approves_by_configuration_only, person=KIM, username="anna"),
    "a bot": say(messages.people.is_a_bot, person="@bot:attraktor.example"),
    "oneself": say(messages.people.not_yourself),
    "not one of our people": say(messages.people.not_known, person="@eve:example.org", us=ALPHA),
    "in another room": say(
        messages.people.only_in_the_admin_room, text="people remove @kim:attraktor.example", encrypted=True
    ),
    "in clear": say(
        messages.people.only_in_the_admin_room, text="people remove @kim:attraktor.example", encrypted=False
    ),
    "a first line": say(
        messages.people.met,
        us=ALPHA,
        name="Kim",
        permissions=Permissions("kim", known=True, active=True, approver=True),
    ),
    "a first line that asks for help": say(
        messages.people.met,
        us=ALPHA,
        name="Kim",
        permissions=Permissions("kim", known=True, active=True, approver=True),
        knows_help=True,
    ),
    "a greeting": say(messages.people.greeted),
    "thanks": say(messages.people.thanked),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
