"""Sentences about a transfer outside its card."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.connection import Exchange
from fedbot.rules.model.diagnosis import GONE, Apart, Fault, Plain, Speaker, StaysApart, Verbatim
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.transfer import Progress, Transfer
from tests.scenarios.scenes import (
    ALPHA,
    ASKED_AT,
    BETA,
    BOLTS,
    BY_ANNA,
    BY_BEA,
    BY_PIET,
    CABLE,
    LENS,
    LOCALES,
    NOW,
    SAYS_NO,
    SILENT,
    connection,
    plain,
    request,
    transfer,
)


def end(transfer: Transfer) -> Phrase:
    return say(messages.transfer_card.transfer_end, transfer=transfer, us=ALPHA, peer_name="betaspace")


def waits(transfer: Transfer) -> Phrase:
    us, peer = (BETA, "attraktor") if transfer.role == "receiver" else (ALPHA, "betaspace")
    return say(
        messages.transfer_card.transfer_waits,
        transfer=replace(transfer, waiting_since=ASKED_AT),
        us=us,
        problem=SILENT,
        next_try=NOW + timedelta(minutes=5),
        peer_name=peer,
    )


def silent(transfer: Transfer) -> Phrase:
    us, peer = (BETA, "attraktor") if transfer.role == "receiver" else (ALPHA, "betaspace")
    awaiting = replace(transfer, exchange=Exchange(awaiting=True, resend_at=NOW + timedelta(hours=1), resends=2))
    return say(messages.transfer_card.peer_silent, transfer=awaiting, us=us, peer_name=peer)


SPLIT_OFF = (Progress(1, stage="arrived", item=43, quantity=Decimal(10)),)
TAKEN = (Progress(1, stage="taken", item=43, quantity=Decimal(10)),)

SAID: dict[str, Phrase] = {
    "offered": say(
        messages.transfer_card.transfer_offered,
        transfer=transfer(BOLTS, role="sender"),
        connection=connection(ConnectionState.ACTIVE, ours=True),
        us=ALPHA,
    ),
    "offered, all of it, with a note": say(
        messages.transfer_card.transfer_offered,
        transfer=transfer(replace(BOLTS, whole=True), role="sender", note="from the sale"),
        connection=connection(ConnectionState.ACTIVE, ours=True),
        us=ALPHA,
    ),
    "offered, once more": say(
        messages.transfer_card.transfer_offered,
        transfer=transfer(BOLTS, role="sender"),
        connection=connection(ConnectionState.ACTIVE, ours=True),
        us=ALPHA,
        before=replace(transfer(BOLTS, role="sender"), code="abcd"),
    ),
    "offered, several lines": say(
        messages.transfer_card.transfer_offered,
        transfer=transfer(BOLTS, CABLE, role="sender"),
        connection=connection(ConnectionState.ACTIVE, ours=True),
        us=ALPHA,
    ),
    "the end: done": end(transfer(BOLTS, role="sender", state=TransferState.DONE, decided=BY_BEA, progress=SPLIT_OFF)),
    "the end: done, with the place at the other space": end(
        replace(
            transfer(
                role="sender",
                state=TransferState.DONE,
                decided=BY_BEA,
                progress=(Progress(1, stage="arrived", item=42),),
            ),
            peer_items=(1207,),
            peer_place="Laser room",
        )
    ),
    "the end: one line came back": end(
        transfer(
            BOLTS,
            CABLE,
            role="sender",
            state=TransferState.DONE,
            decided=BY_BEA,
            progress=(Progress(1, stage="arrived", item=43), Progress(2, stage="back", item=44)),
        )
    ),
    "the end: declined": end(transfer(BOLTS, role="sender", state=TransferState.DECLINED, decided=BY_BEA)),
    "the end: declined by the other bot, as it came from a third space": end(
        transfer(BOLTS, role="sender", state=TransferState.DECLINED, problem="chain")
    ),
    "the end: cancelled": end(transfer(BOLTS, role="sender", state=TransferState.CANCELLED, decided=BY_ANNA)),
    "the end: expired": end(transfer(BOLTS, role="sender", state=TransferState.EXPIRED)),
    "the end: aborted": end(
        transfer(BOLTS, role="sender", state=TransferState.ABORTED, decided=BY_BEA, problem="gone")
    ),
    "the end: back again": end(
        transfer(BOLTS, role="sender", state=TransferState.REVERTED, decided=BY_BEA, problem="No such part")
    ),
    **{
        f"the end: back again, {how}": end(
            transfer(
                BOLTS,
                role="sender",
                state=TransferState.REVERTED,
                decided=BY_BEA,
                progress=(Progress(1, "back", item, split_from=12, apart=apart),),
            )
        )
        for how, item, apart in (
            ("in the item from which it was taken", 12, None),
            ("as a stock item of its own", 43, None),
            ("as a stock item of its own, of another batch", 43, StaysApart(43, 12, Apart.BATCH)),
            ("but somebody has merged it since", 43, StaysApart(43, 12, Apart.GONE)),
            ("but nobody knows whether it was merged", 43, Plain(Fault.NO_TRACE)),
        )
    },
    "waits before anything moved": waits(transfer(BOLTS, role="sender", state=TransferState.APPROVED, decided=BY_BEA)),
    "waits, to be taken out": waits(transfer(BOLTS, role="sender", state=TransferState.DEBITING, decided=BY_BEA)),
    "waits, taken out already": waits(
        transfer(BOLTS, role="sender", state=TransferState.DEBITING, decided=BY_BEA, progress=TAKEN)
    ),
    "waits, to be marked as arrived": waits(
        transfer(BOLTS, role="sender", state=TransferState.RECEIVED, decided=BY_BEA)
    ),
    "waits, to be taken back": waits(transfer(BOLTS, role="sender", state=TransferState.REVERTING, decided=BY_BEA)),
    "waits before the card": waits(transfer(BOLTS)),
    "waits, to be booked in": waits(transfer(BOLTS, state=TransferState.CREDITING, decided=BY_BEA)),
    "waits, to be put away": waits(transfer(BOLTS, state=TransferState.RECEIVED, decided=BY_BEA)),
    "goes on": say(messages.transfer_card.transfer_goes_on, transfer=transfer(BOLTS)),
    "the other bot is silent about an offer": silent(transfer(BOLTS, role="sender")),
    "the other bot is silent about a yes": silent(transfer(BOLTS, wanted="approve", decided=BY_BEA)),
    "the other bot is silent about what has left": silent(
        transfer(BOLTS, role="sender", state=TransferState.SENT, decided=BY_BEA)
    ),
    "requested": say(
        messages.transfer_card.transfer_requested,
        transfer=request(BOLTS, CABLE, note="for the open day"),
        connection=connection(ConnectionState.ACTIVE),
        us=BETA,
    ),
    "requested, but there is no part for it": say(
        messages.transfer_card.request_without_part,
        transfer=request(BOLTS, progress=(Progress(1, match="none"),)),
        us=BETA,
    ),
    "requested, but there is no part for one of two things": say(
        messages.transfer_card.request_without_part,
        transfer=request(BOLTS, CABLE, progress=(Progress(1, match="units-of-loan"), Progress(2, part=3))),
        us=BETA,
        rest=(CABLE,),
    ),
    "the other bot is silent about a request": silent(request(BOLTS)),
    "waits, a request": waits(request(BOLTS, role="sender")),
    "waits, less granted": waits(replace(request(BOLTS, role="sender"), granted=BY_PIET)),
    "not put away": say(
        messages.transfer_card.not_put_away,
        transfer=transfer(),
        peer_name="attraktor",
        problem=SAYS_NO,
    ),
    "deleted before it was put away": say(
        messages.transfer_card.not_put_away,
        transfer=transfer(),
        peer_name="attraktor",
        problem=Verbatim(Speaker.INVENTREE, 'Invalid pk "1207" - object does not exist.', GONE),
    ),
    "not marked as arrived": say(
        messages.transfer_card.not_marked_arrived, transfer=transfer(role="sender"), problem=SAYS_NO
    ),
    "back, but nobody knows whether it was merged": say(
        messages.parcel.not_merged_back,
        transfer=transfer(role="sender"),
        progress=Progress(1, "back", 43, split_from=12),
        problem=Plain(Fault.NO_TRACE),
    ),
    "the sum does not add up": say(
        messages.transfer_card.sum_does_not_add_up,
        transfer=transfer(role="sender"),
        line=LENS,
        problem=Plain(Fault.MOVED_BACK),
    ),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
