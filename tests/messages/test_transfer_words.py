"""What is said about a transfer besides its card, as people read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.connection import Exchange
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.transfer import Progress, Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
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
    NOW,
    SAYS_NO,
    SILENT,
    connection,
    plain,
    request,
    transfer,
)


def end(transfer: Transfer) -> Phrase:
    return say(messages.transfer.transfer_end, transfer=transfer, us=ALPHA, peer_name="betaspace")


def waits(transfer: Transfer) -> Phrase:
    us, peer = (BETA, "attraktor") if transfer.role == "receiver" else (ALPHA, "betaspace")
    return say(
        messages.transfer.transfer_waits,
        transfer=replace(transfer, waiting_since=ASKED_AT),
        us=us,
        problem=SILENT,
        next_try=NOW + timedelta(minutes=5),
        peer_name=peer,
    )


def silent(transfer: Transfer) -> Phrase:
    us, peer = (BETA, "attraktor") if transfer.role == "receiver" else (ALPHA, "betaspace")
    awaiting = replace(transfer, exchange=Exchange(awaiting=True, resend_at=NOW + timedelta(hours=1), resends=2))
    return say(messages.transfer.peer_silent, transfer=awaiting, us=us, peer_name=peer)


SPLIT_OFF = (Progress(1, stage="arrived", item=43, quantity=Decimal(10)),)
TAKEN = (Progress(1, stage="taken", item=43, quantity=Decimal(10)),)

SAID: dict[str, tuple[Phrase, str]] = {
    "offered": (
        say(
            messages.transfer.transfer_offered,
            transfer=transfer(BOLTS, role="sender"),
            connection=connection(ConnectionState.ACTIVE, ours=True),
            us=ALPHA,
        ),
        """
        Offered to betaspace: 10 × M3 bolt (M3-BOLT). k7m2
        Nothing has moved yet: betaspace's approvers decide until Tue 1 Dec, 20:14. To take it back, reply: !fed cancel
        """,
    ),
    "offered, all of it, with a note": (
        say(
            messages.transfer.transfer_offered,
            transfer=transfer(replace(BOLTS, whole=True), role="sender", note="from the sale"),
            connection=connection(ConnectionState.ACTIVE, ours=True),
            us=ALPHA,
        ),
        """
        Offered to betaspace: 10 × M3 bolt (M3-BOLT). That is all that lies there. k7m2
        Nothing has moved yet: betaspace's approvers decide until Tue 1 Dec, 20:14. To take it back, reply: !fed cancel
        """,
    ),
    "offered, several lines": (
        say(
            messages.transfer.transfer_offered,
            transfer=transfer(BOLTS, CABLE, role="sender"),
            connection=connection(ConnectionState.ACTIVE, ours=True),
            us=ALPHA,
        ),
        """
        Offered to betaspace: 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed). k7m2
        • 10 × M3 bolt (M3-BOLT)
        • 1.5 m of Speaker cable (batch 2025-11, ⚠ Attention needed)
        Nothing has moved yet: betaspace's approvers decide until Tue 1 Dec, 20:14. To take it back, reply: !fed cancel
        """,
    ),
    "the end: done": (
        end(transfer(BOLTS, role="sender", state=TransferState.DONE, decided=BY_BEA, progress=SPLIT_OFF)),
        """
        @Anna @Bea ✅ 10 × M3 bolt (M3-BOLT) is at betaspace. k7m2
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31
        """,
    ),
    "the end: done, with the place at the other space": (
        end(
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
        """
        @Anna @Bea ✅ 1 × Laser lens 2.0″ (LENS-2, serial 0042) is at betaspace. k7m2
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31
        """,
    ),
    "the end: one line came back": (
        end(
            transfer(
                BOLTS,
                CABLE,
                role="sender",
                state=TransferState.DONE,
                decided=BY_BEA,
                progress=(Progress(1, stage="arrived", item=43), Progress(2, stage="back", item=44)),
            )
        ),
        """
        @Anna @Bea ✅ 10 × M3 bolt is at betaspace. k7m2
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31
        Not booked in: 1.5 m of Speaker cable: betaspace could not, so it is back at attraktor.
        """,
    ),
    "the end: declined": (
        end(transfer(BOLTS, role="sender", state=TransferState.DECLINED, decided=BY_BEA)),
        """
        @Anna @Bea ❌ Declined: 10 × M3 bolt (M3-BOLT) stays at attraktor. k7m2
        By Bea (betaspace), Tue 24 Nov, 20:31
        """,
    ),
    "the end: declined by the other bot, as it came from a third space": (
        end(transfer(BOLTS, role="sender", state=TransferState.DECLINED, problem="chain")),
        """
        @Anna ❌ Not given: 10 × M3 bolt (M3-BOLT). k7m2
        Why: it came from a third space, and what was given may go back there, but not on to others.
        Ask the space that it came from.
        """,
    ),
    "the end: cancelled": (
        end(transfer(BOLTS, role="sender", state=TransferState.CANCELLED, decided=BY_ANNA)),
        """
        @Anna Cancelled: 10 × M3 bolt (M3-BOLT) stays at attraktor. k7m2
        By Anna (attraktor), Tue 24 Nov, 20:14
        """,
    ),
    "the end: expired": (
        end(transfer(BOLTS, role="sender", state=TransferState.EXPIRED)),
        """
        @Anna Expired: 10 × M3 bolt (M3-BOLT) stays at attraktor. k7m2
        Nobody of betaspace decided until Tue 1 Dec, 20:14. · Nothing has moved. Anna can start it again.
        """,
    ),
    "the end: aborted": (
        end(transfer(BOLTS, role="sender", state=TransferState.ABORTED, decided=BY_BEA, problem="gone")),
        """
        @Anna @Bea Not given: 10 × M3 bolt (M3-BOLT) stays at attraktor. k7m2
        Why: the stock item isn't there any more.
        Look it up in attraktor's InvenTree and start again with what is there.
        """,
    ),
    "the end: back again": (
        end(transfer(BOLTS, role="sender", state=TransferState.REVERTED, decided=BY_BEA, problem="No such part")),
        """
        @Anna @Bea Back again: 10 × M3 bolt (M3-BOLT) is in attraktor's stock as before. k7m2
        betaspace's InvenTree said: No such part
        betaspace could not book it in, so attraktor took it back.
        Once that is fixed, Anna can start again.
        """,
    ),
    "waits before anything moved": (
        waits(transfer(BOLTS, role="sender", state=TransferState.APPROVED, decided=BY_BEA)),
        """
        ⏸ k7m2 waits for attraktor's InvenTree since 20:14.
        Why: InvenTree at inventree.example can't be reached: no connection.
        Done: Bea said yes. Not done: nothing has moved, at neither space.
        Next: I try again by myself (next 20:36). Nothing to do now.
        To stop it: !fed cancel k7m2
        """,
    ),
    "waits, to be taken out": (
        waits(transfer(BOLTS, role="sender", state=TransferState.DEBITING, decided=BY_BEA)),
        """
        ⏸ k7m2 waits for attraktor's InvenTree since 20:14.
        Why: InvenTree at inventree.example can't be reached: no connection.
        Done: Bea said yes. Not done: it isn't taken out of attraktor's stock yet.
        Next: I try again by myself (next 20:36). Nothing to do now.
        It can't be stopped half-way.
        """,
    ),
    "waits, taken out already": (
        waits(transfer(BOLTS, role="sender", state=TransferState.DEBITING, decided=BY_BEA, progress=TAKEN)),
        """
        ⏸ k7m2 waits for attraktor's InvenTree since 20:14.
        Why: InvenTree at inventree.example can't be reached: no connection.
        Done: it is taken out of attraktor's shelf (it lies in Outgoing). Not done: it isn't betaspace's yet.
        Next: I try again by myself (next 20:36). Nothing to do now.
        It can't be stopped half-way.
        """,
    ),
    "waits, to be marked as arrived": (
        waits(transfer(BOLTS, role="sender", state=TransferState.RECEIVED, decided=BY_BEA)),
        """
        ⏸ k7m2 waits for attraktor's InvenTree since 20:14.
        Why: InvenTree at inventree.example can't be reached: no connection.
        Done: betaspace has it. Not done: attraktor's own record isn't marked as arrived yet.
        Next: I try again by myself (next 20:36). Nothing to do now.
        It can't be stopped half-way.
        """,
    ),
    "waits, to be taken back": (
        waits(transfer(BOLTS, role="sender", state=TransferState.REVERTING, decided=BY_BEA)),
        """
        ⏸ k7m2 waits for attraktor's InvenTree since 20:14.
        Why: InvenTree at inventree.example can't be reached: no connection.
        Done: betaspace could not book it in. Not done: it isn't back in attraktor's stock yet.
        Next: I try again by myself (next 20:36). Nothing to do now.
        It can't be stopped half-way.
        """,
    ),
    "waits before the card": (
        waits(transfer(BOLTS)),
        """
        ⏸ k7m2 waits for betaspace's InvenTree since 20:14.
        Why: InvenTree at inventree.example can't be reached: no connection.
        Done: the offer is here. Not done: I don't know yet where it would land. Nothing has moved.
        Next: I try again by myself (next 20:36). Nothing to do now.
        To stop it: !fed decline k7m2
        """,
    ),
    "waits, to be booked in": (
        waits(transfer(BOLTS, state=TransferState.CREDITING, decided=BY_BEA)),
        """
        ⏸ k7m2 waits for betaspace's InvenTree since 20:14.
        Why: InvenTree at inventree.example can't be reached: no connection.
        Done: it has left attraktor's stock. Not done: it isn't booked in at betaspace yet.
        Next: I try again by myself (next 20:36). Nothing to do now.
        It can't be stopped half-way.
        """,
    ),
    "waits, to be put away": (
        waits(transfer(BOLTS, state=TransferState.RECEIVED, decided=BY_BEA)),
        """
        ⏸ k7m2 waits for betaspace's InvenTree since 20:14.
        Why: InvenTree at inventree.example can't be reached: no connection.
        Done: it is booked in at betaspace. Not done: it isn't put away yet, it lies in Incoming.
        Next: I try again by myself (next 20:36). Nothing to do now.
        It can't be stopped half-way.
        """,
    ),
    "goes on": (
        say(messages.transfer.transfer_goes_on, transfer=transfer(BOLTS)),
        """
        ▶ k7m2 goes on: InvenTree answers again. Nothing to do.
        """,
    ),
    "the other bot is silent about an offer": (
        silent(transfer(BOLTS, role="sender")),
        """
        ⏸ k7m2 waits: betaspace's bot has not answered for ten minutes.
        Done: it is offered. Not done: nothing has moved, at neither space.
        Next: I send it again by myself (next 21:31). Nothing to do now.
        To stop it: !fed cancel k7m2
        """,
    ),
    "the other bot is silent about a yes": (
        silent(transfer(BOLTS, wanted="approve", decided=BY_BEA)),
        """
        ⏸ k7m2 waits: attraktor's bot has not answered for ten minutes.
        Done: Bea said yes. Not done: nothing is booked in at betaspace yet.
        Next: I send it again by myself (next 21:31). Nothing to do now.
        To stop it: !fed cancel k7m2
        """,
    ),
    "the other bot is silent about what has left": (
        silent(transfer(BOLTS, role="sender", state=TransferState.SENT, decided=BY_BEA)),
        """
        ⏸ k7m2 waits: betaspace's bot has not answered for ten minutes.
        Done: it has left attraktor's stock. Not done: betaspace has not said that it is booked in.
        Next: I send it again by myself (next 21:31). Nothing to do now.
        It can't be stopped half-way.
        """,
    ),
    "requested": (
        say(
            messages.transfer.transfer_requested,
            transfer=request(BOLTS, CABLE, note="for the open day"),
            connection=connection(ConnectionState.ACTIVE),
            us=BETA,
        ),
        """
        Asked attraktor for 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed). k7m2
        • 10 × M3 bolt (M3-BOLT)
        • 1.5 m of Speaker cable (batch 2025-11, ⚠ Attention needed)
        Nothing has moved yet: attraktor's approvers decide until Tue 1 Dec, 20:14. To take it back, reply: !fed cancel
        """,
    ),
    "requested, but there is no part for it": (
        say(
            messages.transfer.request_without_part,
            transfer=request(BOLTS, progress=(Progress(1, match="none"),)),
            us=BETA,
        ),
        """
        Taken back: betaspace has no place for 10 × M3 bolt (k7m2).
        M3 bolt: no part of betaspace fits, and I may not make one.
        In InvenTree: make a part with the same IPN or exactly this name.
        If one of your parts is it under another name: !fed match OUR-IPN M3-BOLT from attraktor
        Nothing has moved. Once that is fixed, ask again.
        """,
    ),
    "the other bot is silent about a request": (
        silent(request(BOLTS)),
        """
        ⏸ k7m2 waits: attraktor's bot has not answered for ten minutes.
        Done: attraktor was asked. Not done: nothing has moved, at neither space.
        Next: I send it again by myself (next 21:31). Nothing to do now.
        To stop it: !fed cancel k7m2
        """,
    ),
    "waits, a request": (
        waits(request(BOLTS, role="sender")),
        """
        ⏸ k7m2 waits for attraktor's InvenTree since 20:14.
        Why: InvenTree at inventree.example can't be reached: no connection.
        Done: betaspace has asked. Not done: nobody has decided yet, and nothing has moved.
        Next: I try again by myself (next 20:36). Nothing to do now.
        To stop it: !fed decline k7m2
        """,
    ),
    "waits, less granted": (
        waits(replace(request(BOLTS, role="sender"), granted=BY_PIET)),
        """
        ⏸ k7m2 waits for attraktor's InvenTree since 20:14.
        Why: InvenTree at inventree.example can't be reached: no connection.
        Done: Piet granted less. Not done: betaspace has not agreed yet. Nothing has moved.
        Next: I try again by myself (next 20:36). Nothing to do now.
        To stop it: !fed cancel k7m2
        """,
    ),
    "not put away": (
        say(
            messages.transfer.not_put_away,
            transfer=transfer(),
            peer_name="attraktor",
            problem=SAYS_NO,
        ),
        """
        1 × Laser lens 2.0″ from attraktor lies in Incoming: I could not put it away.
        Done: it is booked in, and attraktor knows. Not done: moving it to its place.
        Why: InvenTree said: You do not have permission.
        Please move it in InvenTree by hand; I don't try again.
        k7m2
        """,
    ),
    "not marked as arrived": (
        say(messages.transfer.not_marked_arrived, transfer=transfer(role="sender"), problem=SAYS_NO),
        """
        1 × Laser lens 2.0″ has arrived, but our record of it still says that it is on its way.
        Why: InvenTree said: You do not have permission.
        Please set the item's status back in InvenTree by hand; I don't try again.
        k7m2
        """,
    ),
    "the sum does not add up": (
        say(
            messages.transfer.sum_does_not_add_up,
            transfer=transfer(role="sender"),
            line=LENS,
            problem=Plain(Fault.MOVED_BACK),
        ),
        """
        Please count stock #42 (Laser lens 2.0″) in InvenTree: what I moved isn't what I asked for.
        What InvenTree says: Stock was changed by somebody else at the same moment; all was moved back.
        Nothing was handed over. Somebody moved the same stock at the same moment; its quantity may be wrong now.
        k7m2
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
