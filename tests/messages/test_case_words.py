"""Sentences about connecting, reviewing, cancelling and a transfer's history."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.audit import (
    Asked,
    Asking,
    AuditEntry,
    Decided,
    Fact,
    Happened,
    PeerReceived,
    ProvisionWaits,
    Said,
    Stage,
    StepWasDone,
    TransferIs,
    Waits,
)
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import CaseSeen, ChangeSeen
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.stock import Permission, Permissions
from fedbot.rules.model.transfer import Progress, Transfer
from tests.scenarios.scenes import (
    ALPHA,
    ANNA,
    BEA,
    BETA,
    BETA_BOT,
    BOLTS,
    BY_BEA,
    LOCALES,
    NOW,
    SILENT,
    connection,
    plain,
    to_be_compared,
    transfer,
)

OLD = "k3f9-2mxa-7rtw-h4cd-p9qe"
ARRIVED = (Progress(1, stage="arrived", item=43),)

RENAMED = replace(connection(ConnectionState.ACTIVE, ours=True), new_name="Attraktor (beta)")


def review(bot: str, fingerprint: str, emoji: tuple[int, ...] = ()) -> Phrase:
    suspended = connection(ConnectionState.SUSPENDED, ours=True)
    if (bot, fingerprint) == (BETA_BOT, OLD):
        suspended = to_be_compared(suspended)
    return say(
        messages.keys.review_list,
        us=ALPHA,
        changes=(ChangeSeen(suspended, OLD, fingerprint, BETA_BOT, bot, emoji),),
    )


def shown(subject: Transfer | Connection, *entries: AuditEntry, pages: tuple[tuple[int, str], ...] = ()) -> Phrase:
    us, peer = (ALPHA, "betaspace") if subject.peer == "beta" else (BETA, "attraktor")
    told = tuple((NOW, entry) for entry in entries)
    names = {ANNA: "Anna", BEA: "Bea"}
    return say(
        messages.overview.shown,
        subject=subject,
        us=us,
        peer_name=peer,
        entries=told,
        names=names,
        case=CaseSeen(users={ANNA: "anna"}),
        pages=pages,
    )


SAID: dict[str, Phrase] = {
    "we are hidden": say(messages.connect.we_are_hidden, us=ALPHA),
    "its bot has not come along into the new room": say(messages.connect.space_not_here, name="betaspace"),
    "friends already": say(
        messages.connect.connected_already, connection=connection(ConnectionState.ACTIVE, ours=True)
    ),
    "asked already": say(messages.connect.asked_already, connection=connection(ConnectionState.ASKED, ours=True)),
    "being set up already": say(
        messages.connect.asked_already, connection=connection(ConnectionState.MAKING, ours=True)
    ),
    "they have asked us": say(messages.connect.asked_already, connection=connection(ConnectionState.OFFERED)),
    "friends in another room": say(
        messages.connect.connection_elsewhere, connection=connection(ConnectionState.ACTIVE), room="Makerspaces"
    ),
    "paused": say(messages.connect.needs_review, connection=connection(ConnectionState.SUSPENDED, ours=True)),
    "to be compared first": say(
        messages.connect.needs_review,
        connection=to_be_compared(connection(ConnectionState.SUSPENDED, ours=True)),
    ),
    "nothing to review": say(messages.keys.review_nothing, space=""),
    "nothing to review about one": say(messages.keys.review_nothing, space="betaspace"),
    "a new key and account": review("@new:beta.example", "w5nh-8d2c-xq4m-t7ra-6kzj"),
    "only a new account": review("@new:beta.example", OLD, (0, 1, 36, 41, 61, 63, 47)),
    "keys to compare after a rebuild": review(BETA_BOT, OLD),
    "another fingerprint": say(
        messages.keys.fingerprint_differs,
        connection=connection(ConnectionState.SUSPENDED, ours=True),
        word="abcd",
    ),
    "accept whose": say(messages.keys.accept_without_space, usage="review [SPACE] [accept KEY]"),
    "reviewed": say(messages.keys.reviewed, connection=connection(ConnectionState.ACTIVE, ours=True), by="Anna"),
    "no part for it": say(
        messages.approval.no_part_for_it_yet,
        transfer=transfer(BOLTS, progress=(Progress(1, match="none"),)),
        numbers=(1,),
        us=BETA,
    ),
    "decided elsewhere": say(messages.approval.decided_elsewhere, subject=transfer(role="sender"), party="betaspace"),
    "a decision stopped": say(messages.approval.decision_stopped, subject=transfer()),
    "cancelled": say(messages.approval.cancelled, subject=transfer(), us=ALPHA),
    "a connection cancelled": say(messages.approval.cancelled, subject=connection(company=5), us=ALPHA),
    "a connection cancelled before anything was made": say(messages.approval.cancelled, subject=connection(), us=ALPHA),
    "the other space was asked to cancel": say(
        messages.approval.cancel_asked, transfer=transfer(), peer_name="attraktor"
    ),
    "too late: under way": say(
        messages.approval.too_late_to_cancel,
        subject=transfer(role="sender", state=TransferState.SENT),
        peer_name="betaspace",
    ),
    "too late: booked in": say(
        messages.approval.too_late_to_cancel, subject=transfer(state=TransferState.RECEIVED), peer_name="attraktor"
    ),
    "too late: unclear": say(
        messages.approval.too_late_to_cancel, subject=transfer(state=TransferState.DISPUTED), peer_name="attraktor"
    ),
    "too late: a connection": say(
        messages.approval.too_late_to_cancel, subject=connection(ConnectionState.READY), peer_name="attraktor"
    ),
    "decline instead": say(messages.approval.decline_instead, subject=transfer()),
    "friends stay friends": say(messages.approval.friends_stay, connection=connection(ConnectionState.ACTIVE)),
    "over already": say(messages.approval.over_already, subject=transfer(state=TransferState.DECLINED, decided=BY_BEA)),
    "not yours to cancel": say(
        messages.approval.not_yours_to_cancel,
        subject=transfer(),
        permissions=Permissions("kim", known=True, active=True),
        permission=Permission.APPROVER,
        us=ALPHA,
        able=("Piet",),
    ),
    "not yours to cancel, and nobody else may": say(
        messages.approval.not_yours_to_cancel,
        subject=connection(),
        permissions=Permissions("kim", known=True, active=True),
        permission=Permission.SUPERUSER,
        us=ALPHA,
        able=(),
    ),
    "a friend wants another name": say(messages.keys.peer_renamed, connection=RENAMED, us=ALPHA),
    "names to review": say(messages.keys.names_to_review, us=ALPHA, connections=(RENAMED,)),
    "the name is agreed to": say(
        messages.keys.renamed, connection=connection(ConnectionState.ACTIVE), before="Beta Lab (beta)"
    ),
    "another name than the one that is announced": say(messages.keys.another_name, connection=RENAMED),
    "no other name is announced": say(messages.keys.no_new_name, space="betaspace"),
    "a name without a space": say(messages.keys.name_without_space, usage="review [SPACE] [--name NAME]"),
    "the history of a transfer": shown(
        replace(
            transfer(BOLTS, role="sender", state=TransferState.DONE, decided=BY_BEA, progress=ARRIVED),
            ended=NOW,
            card_event="$card",
        ),
        AuditEntry("k7m2", Asked(Asking.OFFER, "beta"), ANNA),
        AuditEntry("k7m2", Said("show"), ANNA),
        AuditEntry("k7m2", TransferIs(TransferState.APPROVED), BEA),
        AuditEntry("k7m2", Happened(Fact.LESS_TAKEN), ANNA, says="beta"),
        AuditEntry("k7m2", StepWasDone("TakeOut", 1)),
        AuditEntry("k7m2", Waits(SILENT)),
        AuditEntry("k7m2", StepWasDone("HandOver", 1)),
        AuditEntry("k7m2", TransferIs(TransferState.SENT)),
        AuditEntry("k7m2", PeerReceived((9,))),
        AuditEntry("k7m2", StepWasDone("Mirror")),
        AuditEntry("k7m2", TransferIs(TransferState.DONE)),
    ),
    "the history of a connection": shown(
        replace(
            connection(ConnectionState.MAKING, decided=BY_BEA),
            needs="no-admin-token",
            obstacle=Plain(Fault.NO_ADMIN_TOKEN),
        ),
        AuditEntry("c9x4", Asked(Asking.FRIENDSHIP, "attraktor", by_peer=True), ANNA),
        AuditEntry("c9x4", Decided(Choice.APPROVE, Stage.IN_GRACE), BEA),
        AuditEntry("c9x4", Happened(Fact.ACCEPTED), BEA),
        AuditEntry("c9x4", ProvisionWaits(Plain(Fault.NO_ADMIN_TOKEN))),
    ),
    "a long history": shown(transfer(), *(AuditEntry("k7m2", Waits(SILENT)) for _ in range(32))),
    "in private, with links": shown(
        transfer(BOLTS, state=TransferState.OPEN, role="sender"),
        pages=((12, "https://inventree.attraktor.example/web/stock/item/12/"),),
    ),
    "no history": shown(connection(ConnectionState.SUSPENDED)),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
