"""Sentences about decisions and lines that don't count."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Choice, Vote
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.stock import Permission, Permissions
from fedbot.rules.model.transfer import Transfer
from tests.scenarios.scenes import (
    ALPHA,
    ASKED_AT,
    BEA,
    BY_ANNA,
    BY_BEA,
    KIM,
    LOCALES,
    NOW,
    ROOM,
    SAYS_NO,
    SILENT,
    connection,
    plain,
    to_be_compared,
    transfer,
)

KIMS = Permissions("kim", known=True, active=True)
PUSH = Command("push", {}, ROOM, "$line", KIM, ASKED_AT, "push 10 M3-BOLT to beta", "kim")


def decided(subject: Transfer | Connection) -> Phrase:
    return say(messages.approval.decided_already, subject=subject)


SAID: dict[str, Phrase] = {
    "a typed yes": say(
        messages.approval.noted_in_grace, subject=transfer(), choice=Choice.APPROVE, seconds=timedelta(seconds=5)
    ),
    "a typed no": say(
        messages.approval.noted_in_grace, subject=connection(), choice=Choice.DECLINE, seconds=timedelta(seconds=1)
    ),
    "a reason for declining a friendship": say(messages.approval.no_reason_here, subject=connection()),
    "a note with a yes to a friendship": say(
        messages.approval.no_reason_here, subject=connection(), choice=Choice.APPROVE
    ),
    "a thumb, or a yes in words": say(messages.approval.tap_instead, subject=transfer()),
    "a yes to the other bot's message": say(
        messages.approval.tap_our_card, subject=replace(transfer(), own_card="$card"), peer_name="attraktor"
    ),
    "a yes to the other bot's message before our card": say(
        messages.approval.tap_our_card, subject=transfer(), peer_name="attraktor"
    ),
    "the first of two yeses": say(messages.approval.first_yes_noted, transfer=transfer(), by="Bea", party="betaspace"),
    "both yeses by one person": say(messages.approval.needs_another_person, subject=transfer(), by="Bea"),
    "two yeses to different things": say(
        messages.approval.not_the_same_yes,
        transfer=transfer(),
        first=Vote(Choice.PARCEL, BEA, "bea", "$tap", NOW),
        by="Bea",
    ),
    "somebody of another space": say(messages.approval.not_yours_to_decide, subject=transfer(), party="betaspace"),
    "whoever is addressed, as nothing else shows it": replace(
        say(messages.approval.too_late, subject=transfer()), to="@kim:attraktor.example"
    ),
    "somebody of a friend": say(
        messages.approval.for_the_other_space_to_decide,
        subject=transfer(),
        party="betaspace",
        own="attraktor",
        asked=False,
    ),
    "somebody of a friend, who asked for it": say(
        messages.approval.for_the_other_space_to_decide,
        subject=transfer(),
        party="betaspace",
        own="attraktor",
        asked=True,
    ),
    "decided: yes": decided(transfer(state=TransferState.DONE, decided=BY_BEA)),
    "decided: no": decided(transfer(state=TransferState.DECLINED, decided=BY_BEA)),
    "decided: yes, but not yet confirmed": decided(transfer(wanted="approve", decided=BY_BEA)),
    "decided: being cancelled": decided(transfer(wanted="cancel")),
    "decided: cancelled": decided(transfer(state=TransferState.CANCELLED, decided=BY_ANNA)),
    "decided: cancelled by a bot, as there is no place for it": decided(
        transfer(state=TransferState.CANCELLED, decided=replace(BY_BEA, person="", name=""))
    ),
    "decided: expired": decided(connection(ConnectionState.EXPIRED)),
    "too late": say(messages.approval.too_late, subject=transfer()),
    "the friendship is paused": say(
        messages.approval.connection_not_active, connection=connection(ConnectionState.SUSPENDED)
    ),
    "a key is to be compared after a rebuild": say(
        messages.approval.connection_not_active,
        connection=to_be_compared(connection(ConnectionState.SUSPENDED)),
    ),
    "the friendship is being set up": say(
        messages.approval.connection_not_active, connection=connection(ConnectionState.MAKING)
    ),
    "one's own": say(messages.approval.not_your_own, subject=transfer()),
    "before the card is up": say(messages.approval.no_card_yet, subject=transfer()),
    "somebody was first": say(messages.approval.being_decided, subject=transfer(), by="Cem"),
    "one's own other tap was first": say(messages.approval.decided_by_yourself, subject=transfer(), key="✅"),
    "the same once more": say(messages.approval.decided_so_already, subject=transfer(), key="✅"),
    "who was first has taken it back": say(messages.approval.open_again, subject=transfer()),
    "no approver": say(
        messages.approval.not_entitled_to_decide,
        subject=transfer(),
        permissions=KIMS,
        permission=Permission.APPROVER,
        party="attraktor",
        able=["Bea", "Cem"],
    ),
    "no superuser, and nobody is": say(
        messages.approval.not_entitled_to_decide,
        subject=connection(),
        permissions=KIMS,
        permission=Permission.SUPERUSER,
        party="attraktor",
        able=[],
    ),
    "permissions can't be read": say(messages.approval.permissions_unreadable, subject=transfer(), problem=SILENT),
    "an edited line": say(messages.line_errors.edits_never_execute, waited=False, opened=None),
    "an edited line that still waited": say(messages.line_errors.edits_never_execute, waited=True, opened=None),
    "an edited line that had opened a transfer": say(
        messages.line_errors.edits_never_execute, waited=False, opened=transfer()
    ),
    "a deleted line that had opened a transfer": say(
        messages.line_errors.deleted_line_still_counts, transfer=transfer()
    ),
    "a line that waited and was taken back": say(
        messages.line_errors.line_taken_back, text="push 3 M3-NUT to betaspace"
    ),
    "a stranger": say(messages.line_errors.stranger, person="@eve:example.org", us=ALPHA),
    "more reactions at once than count": say(messages.approval.reacts_too_much, most=30),
    "more lines at once than are read": say(messages.line_errors.says_too_much, person="Piet", most=30),
    "an old line": say(messages.line_errors.line_too_old, text="!fed push 10 M3-BOLT to beta", at=ASKED_AT),
    "two spaces list the same person": say(messages.line_errors.is_it_for_us, us=ALPHA, others=("beta", "gamma")),
    "for a space of others": say(messages.line_errors.not_of_that_space, party="beta", us=ALPHA),
    "not entitled": say(
        messages.line_errors.not_entitled,
        command=PUSH,
        permissions=KIMS,
        permission=Permission.APPROVER,
        us=ALPHA,
        able=["Anna", "Piet"],
    ),
    "not entitled, inactive, and nobody is": say(
        messages.line_errors.not_entitled,
        command=PUSH,
        permissions=replace(KIMS, active=False),
        permission=Permission.SUPERUSER,
        us=ALPHA,
        able=[],
    ),
    "not entitled, as the configuration doesn't name the user": say(
        messages.line_errors.not_entitled,
        command=PUSH,
        permissions=Permissions("kim", known=True, active=True, unpinned=True),
        permission=Permission.APPROVER,
        us=ALPHA,
        able=["Anna"],
    ),
    "an inactive user": say(
        messages.line_errors.not_entitled,
        command=PUSH,
        permissions=replace(KIMS, active=False),
        permission=Permission.MAPPED,
        us=ALPHA,
        able=[],
    ),
    "not entitled, unknown to InvenTree": say(
        messages.line_errors.not_entitled,
        command=PUSH,
        permissions=Permissions("kim"),
        permission=Permission.APPROVER,
        us=ALPHA,
        able=[],
    ),
    "a line waits for InvenTree": say(
        messages.line_errors.line_waits, us=ALPHA, problem=SILENT, wait=timedelta(minutes=15)
    ),
    "a line waits for a slow InvenTree": say(
        messages.line_errors.line_waits, us=ALPHA, problem=None, wait=timedelta(minutes=15)
    ),
    "no superuser when InvenTree was last read": say(
        messages.line_errors.not_last_seen_as_superuser, command=PUSH, us=ALPHA
    ),
    "an answer to a card in own words": say(messages.approval.reason_noted, subject=transfer(), peer_name="attraktor"),
    "a line that InvenTree's admins have to fix": say(
        messages.line_errors.inventory_silent,
        problem=SAYS_NO,
        text="push 10 M3-BOLT to beta",
        us=ALPHA,
        silent=False,
    ),
    "InvenTree is silent": say(
        messages.line_errors.inventory_silent, problem=SILENT, text="push 10 M3-BOLT to beta", us=ALPHA
    ),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
