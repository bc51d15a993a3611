"""Sentences about an unknown outcome, and how people settle it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.decision import Settlement
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import Truth
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.queries import ItemSeen, ItemsSeen, Whereabouts
from fedbot.rules.model.transfer import Dispute, Transfer
from tests.scenarios.scenes import ALPHA, BETA, BOLTS, BY_ANNA, BY_BEA, CABLE, LOCALES, NOW, connection, plain, transfer

DEBITING, SENT, RECEIVED = TransferState.DEBITING, TransferState.SENT, TransferState.RECEIVED


def disputed(role: str, was: TransferState, by: tuple[str, ...], said: str = "", line: int = 0) -> Transfer:
    unclear = transfer(BOLTS, CABLE, role=role, state=TransferState.DISPUTED)
    return replace(unclear, obstacle=Plain(Fault.NO_TRACE), dispute=Dispute(was, by, line, said))


SEEN = ItemSeen(43, 3, Decimal(10), 50, Whereabouts.OUTGOING, location=2, place="Outgoing")
GIVEN = ItemSeen(43, 3, Decimal(10), 50, Whereabouts.CUSTOMER, customer=5)
SOLD = ItemSeen(44, 3, Decimal(2), 10, Whereabouts.ELSEWHERE)
HERE = ItemSeen(1207, 9, Decimal(10), 10, Whereabouts.STOCK, location=4, place="Laser room")
SETTLED = replace(
    transfer(BOLTS, role="sender", state=TransferState.DONE),
    ended=NOW,
    settled=Settlement(replace(BY_ANNA, at=NOW), "arrived", alone=True),
)


def choice(unclear: Transfer, items: tuple[ItemSeen, ...], truths: tuple[Truth, ...], said: str = "") -> Phrase:
    us, peer = (ALPHA, "betaspace") if unclear.role == "sender" else (BETA, "attraktor")
    seen = {1: ItemsSeen(items)}
    return say(
        messages.resolve.resolve_choice,
        transfer=unclear,
        us=us,
        peer_name=peer,
        seen=seen,
        truths=truths,
        said=said,
    )


def loan_choice(items: tuple[ItemSeen, ...], truths: tuple[Truth, ...], said: str = "") -> Phrase:
    seen = {1: ItemsSeen(items)} if items else {}
    about: dict[str, Any] = {"transfer": transfer(BOLTS), "us": BETA, "peer_name": "attraktor"}
    return say(messages.resolve.resolve_loan_choice, **about, seen=seen, truths=truths, said=said)


def borrowed() -> Transfer:
    given = transfer(BOLTS, state=TransferState.DONE)
    return replace(given, terms=replace(given.terms, loan_until=date(2026, 12, 15)))


SAID: dict[str, Phrase] = {
    "disputed, by us, in one of two lines": say(
        messages.resolve.transfer_disputed,
        transfer=disputed("receiver", TransferState.CREDITING, ("beta",), line=2),
        us=BETA,
        peer_name="attraktor",
    ),
    "disputed, by the other space": say(
        messages.resolve.transfer_disputed,
        transfer=disputed("receiver", SENT, ("attraktor",)),
        us=BETA,
        peer_name="attraktor",
    ),
    "disputed, and the other space knows more": say(
        messages.resolve.transfer_disputed,
        transfer=disputed("sender", SENT, ("attraktor",), "received"),
        us=ALPHA,
        peer_name="betaspace",
    ),
    "settled": say(messages.resolve.dispute_settled, transfer=SETTLED, us=ALPHA, peer_name="betaspace"),
    "settled by the other space": say(
        messages.resolve.dispute_settled,
        transfer=replace(SETTLED, settled=Settlement(BY_BEA, "booked")),
        us=ALPHA,
        peer_name="betaspace",
    ),
    "what may be true: it lies in Outgoing": choice(
        disputed("sender", DEBITING, ("attraktor",)), (SEEN,), (Truth("out", 43), Truth("stays", 43))
    ),
    "what may be true: it left": choice(
        disputed("sender", DEBITING, ("attraktor",)), (GIVEN, SOLD), (Truth("left", 43),), "stays"
    ),
    "what may be true: it was ended at once": choice(
        disputed("sender", SENT, ("attraktor",), "received"), (GIVEN,), (Truth("arrived", 43), Truth("back", 43))
    ),
    "what may be true: it is nowhere": choice(
        disputed("sender", TransferState.REVERTING, ("attraktor",)), (), (Truth("lost"),)
    ),
    "what may be true: it was booked in": choice(
        disputed("receiver", TransferState.CREDITING, ("beta",)), (HERE,), (Truth("booked", 1207), Truth("never"))
    ),
    "what may be true, but others know better": choice(
        disputed("sender", SENT, ("beta",)), (GIVEN,), (Truth("arrived", 43), Truth("back", 43))
    ),
    "both have it": choice(disputed("receiver", RECEIVED, ("beta",), "reverted"), (HERE,), (Truth("stands"),)),
    "the answer": say(
        messages.resolve.resolved, transfer=SETTLED, truth=Truth("arrived"), us=ALPHA, peer_name="betaspace"
    ),
    "nothing to settle": say(messages.resolve.nothing_to_settle, subject=transfer(BOLTS)),
    "a loan that is over, but in our stock": loan_choice((HERE,), (Truth("off"), Truth("by-hand")), "kept"),
    "an owner who is gone": loan_choice((), (Truth("kept"),)),
    "it leaves our stock": say(
        messages.resolve.loan_settled, loan=transfer(BOLTS), truth=Truth("off"), peer_name="attraktor"
    ),
    "it has left our stock": say(
        messages.resolve.loan_settled, loan=transfer(BOLTS), truth=Truth("by-hand"), peer_name="attraktor"
    ),
    "it stays here": say(
        messages.resolve.loan_settled, loan=transfer(BOLTS), truth=Truth("kept"), peer_name="attraktor"
    ),
    "nothing to settle while its owner is a friend": say(
        messages.resolve.nothing_to_settle, subject=replace(borrowed(), code="k7m2")
    ),
    "nothing to settle with a friendship": say(messages.resolve.nothing_to_settle, subject=connection()),
    "still being tried": say(
        messages.resolve.still_being_tried, transfer=disputed("sender", DEBITING, ("attraktor",)), us=ALPHA
    ),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
