"""Sentences about friendships of spaces."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import (
    BadVersion,
    Diagnosis,
    Fault,
    Forbidden,
    Lacks,
    Named,
    NameFault,
    Plain,
    VersionFault,
    reason_of,
)
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import Preview
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.party_config import PartyConfig
from tests.scenarios.scenes import (
    ALPHA,
    BEA,
    BETA,
    BOLTS,
    BY_ANNA,
    BY_BEA,
    LOCALES,
    NOW,
    SAYS_NO,
    SILENT,
    connection,
    plain,
    to_be_compared,
    transfer,
)

SEVEN = (0, 1, 36, 41, 61, 63, 47)
KEY, OWN_KEY = "k3f9-2mxa-7rtw-h4cd-p9qe", "w5nh-8d2c-xq4m-t7ra-6kzj"


def card(connection: Connection, people: list[str] | None = None, us: PartyConfig = BETA) -> Phrase:
    return say(
        messages.connect.connection_card,
        connection=connection,
        us=us,
        fingerprint=KEY,
        own_fingerprint=OWN_KEY,
        people=people or [],
        emoji=SEVEN,
    )


HOME = replace(BETA, inventory_url="https://inventree.betaspace.example")


def making_waits(problem: Diagnosis, reason: str = "") -> Phrase:
    making = connection(ConnectionState.MAKING, ours=True)
    about = {"name": "fed-beta-1", "reference": "made-for/beta/1"}
    reason = reason or reason_of(problem)
    return say(messages.provision.making_waits, connection=making, us=HOME, reason=reason, problem=problem, **about)


def disconnecting(*, at_once: bool) -> Phrase:
    ending = replace(connection(ConnectionState.ENDING), ended_by=BY_BEA)
    moving = transfer(state=TransferState.CREDITING)
    return say(
        messages.disconnect.disconnecting,
        connection=ending,
        us=BETA,
        at_once=at_once,
        preview=Preview((transfer(BOLTS),), (moving,)),
    )


SAID: dict[str, Phrase] = {
    "an open card": card(connection(), [BEA, "Cem"]),
    "an open card, direct, no admin token, nobody who may decide": card(
        connection(access="direct"), us=replace(BETA, has_admin_token=False)
    ),
    "being set up": card(connection(ConnectionState.MAKING, decided=BY_BEA)),
    "being set up, waits for an admin": card(
        replace(connection(ConnectionState.MAKING, decided=BY_BEA), needs="no-admin-token")
    ),
    "our side is ready": card(replace(connection(ConnectionState.READY, decided=BY_BEA), own_ready=True)),
    "declined": card(connection(ConnectionState.DECLINED, decided=BY_BEA)),
    "cancelled after something was made": card(connection(ConnectionState.CANCELLED, problem="Anna", company=5)),
    "expired": card(connection(ConnectionState.EXPIRED)),
    "ended": card(connection(ConnectionState.ENDED, company=5)),
    "friends": say(
        messages.connect.connected,
        connection=connection(ConnectionState.ACTIVE, ours=True, decided=BY_BEA),
        us=ALPHA,
    ),
    "friends, direct": say(
        messages.connect.connected,
        connection=replace(
            connection(ConnectionState.ACTIVE, access="direct", decided=BY_BEA), sees_items=4120, peer_sees_items=1
        ),
        us=BETA,
    ),
    "asked": say(
        messages.connect.connect_asked,
        connection=connection(ConnectionState.ASKED, ours=True),
        fingerprint=KEY,
        emoji=SEVEN,
    ),
    "asked, direct": say(
        messages.connect.connect_asked,
        connection=connection(ConnectionState.ASKED, ours=True, access="direct"),
        fingerprint=KEY,
        emoji=(),
    ),
    "both asked at once": say(
        messages.connect.connect_crossed, connection=connection(ConnectionState.ASKED, ours=True), emoji=SEVEN
    ),
    "keys to compare": say(
        messages.keys.keys_to_compare,
        connection=replace(connection(ConnectionState.SUSPENDED), changed_bot="@new:attraktor.example"),
        us=BETA,
        emoji=SEVEN,
    ),
    "our own key is looked at": say(
        messages.keys.keys_to_compare, connection=connection(ConnectionState.ACTIVE), us=BETA, emoji=SEVEN
    ),
    "no emoji yet": say(messages.keys.keys_not_compared_yet, connection=connection()),
    "the check failed": say(messages.keys.key_check_failed, connection=connection()),
    "another past": say(messages.keys.past_differs, code="k7m2", peer_name="betaspace", number=3),
    "the other bot is silent": say(
        messages.connect.peer_bot_silent, connection=connection(ConnectionState.ASKED, ours=True), us=ALPHA
    ),
    "the other InvenTree lets us not in": say(
        messages.provision.peers_access_waits,
        connection=connection(ConnectionState.MAKING, ours=True, access="direct"),
        us=ALPHA,
        problem=SILENT,
    ),
    "the other InvenTree lets us not in, where the other space reads along": say(
        messages.provision.peers_access_waits_in_room,
        connection=connection(ConnectionState.MAKING, ours=True, access="direct"),
        us=ALPHA,
        code="unreachable",
    ),
    "the other space said no": say(
        messages.connect.connect_declined, connection=connection(ConnectionState.DECLINED, ours=True), by="Bea"
    ),
    "our asking expired": say(
        messages.connect.connect_over, connection=connection(ConnectionState.EXPIRED, ours=True), by=""
    ),
    "our asking was taken back": say(
        messages.connect.connect_over, connection=connection(ConnectionState.CANCELLED, ours=True), by="Anna"
    ),
    "paused": say(
        messages.connect.connection_suspended,
        connection=connection(ConnectionState.SUSPENDED, ours=True),
        us=ALPHA,
    ),
    "paused after a rebuild": say(
        messages.connect.connection_suspended,
        connection=to_be_compared(connection(ConnectionState.SUSPENDED, ours=True)),
        us=ALPHA,
    ),
    "setting up waits, told in the room": say(
        messages.provision.making_waits_in_room,
        connection=connection(ConnectionState.MAKING, ours=True),
        us=ALPHA,
    ),
    "setting up waits, without an admin room": say(
        messages.provision.making_waits_in_room,
        connection=connection(ConnectionState.MAKING, ours=True),
        us=replace(ALPHA, admin_room=""),
    ),
    "no admin token": making_waits(Plain(Fault.NO_ADMIN_TOKEN)),
    "an InvenTree that can't do it over REST": making_waits(Plain(Fault.USERS_UNSUPPORTED)),
    "an InvenTree in which any account can make itself admin": making_waits(BadVersion(VersionFault.UNSAFE, 391)),
    "a user of that name": making_waits(Named(NameFault.FOREIGN_USER, "fed-beta-1")),
    "a company of that name": making_waits(Named(NameFault.FOREIGN_COMPANY, "betaspace")),
    "a role is missing": making_waits(Forbidden(Lacks.ROLE, "", "return_order", "add")),
    "a token with too much right": making_waits(Plain(Fault.TOO_MUCH_RIGHT)),
    "a token with too little right": making_waits(Plain(Fault.TOO_LITTLE_RIGHT)),
    "no token": making_waits(Plain(Fault.NO_TOKEN)),
    "an unknown outcome": making_waits(SAYS_NO, "unknown"),
    "an unforeseen reason": making_waits(Plain(Fault.BAD_PATH)),
    "asked too often": say(messages.connect.connect_throttled, connection=connection(ConnectionState.OFFERED)),
    "more at once than gets cards": say(
        messages.connect.peer_opens_too_much, connection=connection(ConnectionState.ACTIVE), again=NOW, most=3
    ),
    "more open than gets cards": say(
        messages.connect.peer_opens_too_much, connection=connection(ConnectionState.ACTIVE), again=None, most=100
    ),
    "access that could not be ended": say(
        messages.provision.access_not_ended,
        connection=connection(ConnectionState.CANCELLED),
        name="fed-attraktor-1",
        problem=SAYS_NO,
    ),
    "ending": card(replace(connection(ConnectionState.ENDING), ended_by=BY_BEA)),
    "we end it": disconnecting(at_once=False),
    "we end it at once": disconnecting(at_once=True),
    "the other space ends it": say(
        messages.disconnect.peer_disconnects,
        connection=replace(connection(ConnectionState.ENDING), ended_by=BY_ANNA),
        us=BETA,
        preview=Preview((), ()),
    ),
    "it has ended, and something is on loan": say(
        messages.disconnect.disconnected,
        connection=replace(connection(ConnectionState.ENDED), ended_by=BY_ANNA),
        us=BETA,
        on_loan=(transfer(BOLTS),),
    ),
    "it has ended": say(
        messages.disconnect.disconnected,
        connection=replace(connection(ConnectionState.ENDED), ended_by=BY_ANNA),
        us=BETA,
    ),
    "somebody speaks in a friend's name": say(
        messages.connect.party_claimed, connection=connection(ConnectionState.ACTIVE), bot="@evil:example.org"
    ),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
