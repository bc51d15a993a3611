"""What is said when nobody can tell what became of stock, and how people settle it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from textwrap import dedent
from typing import Any

import pytest

from fedbot import messages
from fedbot.rules.model.decision import Settlement
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import Truth
from fedbot.rules.model.queries import ItemSeen, ItemsSeen, Whereabouts
from fedbot.rules.model.transfer import Dispute, Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.scenarios.scenes import ALPHA, BETA, BOLTS, BY_ANNA, BY_BEA, CABLE, NOW, connection, plain, transfer

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


SAID: dict[str, tuple[Phrase, str]] = {
    "disputed, by us, in one of two lines": (
        say(
            messages.resolve.transfer_disputed,
            transfer=disputed("receiver", TransferState.CREDITING, ("beta",), line=2),
            us=BETA,
            peer_name="attraktor",
        ),
        """
        ⚠ k7m2 stopped: I can't tell what became of 1.5 m of Speaker cable (⚠ Attention needed).
        Why: The request may have been carried out, but InvenTree shows no trace of it.
        Some of it may be done. Not done: I do nothing more with it, at neither space.
        Next: a superuser of betaspace settles it: !fed resolve k7m2
        In the stock history in InvenTree it is under fed:k7m2abcdefghjkmnpqrs. All that I know of it: !fed show k7m2
        """,
    ),
    "disputed, by the other space": (
        say(
            messages.resolve.transfer_disputed,
            transfer=disputed("receiver", SENT, ("attraktor",)),
            us=BETA,
            peer_name="attraktor",
        ),
        """
        ⚠ k7m2 stopped: I can't tell what became of 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed).
        Why: The request may have been carried out, but InvenTree shows no trace of it.
        Some of it may be done. Not done: I do nothing more with it, at neither space.
        Next: a superuser of attraktor settles it: !fed resolve k7m2
        In the stock history in InvenTree it is under fed:k7m2abcdefghjkmnpqrs. All that I know of it: !fed show k7m2
        """,
    ),
    "disputed, and the other space knows more": (
        say(
            messages.resolve.transfer_disputed,
            transfer=disputed("sender", SENT, ("attraktor",), "received"),
            us=ALPHA,
            peer_name="betaspace",
        ),
        """
        ⚠ k7m2 stopped: I can't tell what became of 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed).
        Why: The request may have been carried out, but InvenTree shows no trace of it.
        betaspace says now that it has booked it in.
        Some of it may be done. Not done: I do nothing more with it, at neither space.
        Next: a superuser of attraktor settles it: !fed resolve k7m2
        In the stock history in InvenTree it is under fed:k7m2abcdefghjkmnpqrs. All that I know of it: !fed show k7m2
        """,
    ),
    "settled": (
        say(messages.resolve.dispute_settled, transfer=SETTLED, us=ALPHA, peer_name="betaspace"),
        """
        ▶ k7m2 is settled: 10 × M3 bolt.
        Settled by Anna (attraktor) alone, Tue 24 Nov, 20:31; betaspace has not said so yet.
        Done, Tue 24 Nov, 20:31.
        """,
    ),
    "settled by the other space": (
        say(
            messages.resolve.dispute_settled,
            transfer=replace(SETTLED, settled=Settlement(BY_BEA, "booked")),
            us=ALPHA,
            peer_name="betaspace",
        ),
        """
        ▶ k7m2 is settled: 10 × M3 bolt.
        Settled by Bea (betaspace), Tue 24 Nov, 20:31
        Done, Tue 24 Nov, 20:31.
        """,
    ),
    "what may be true: it lies in Outgoing": (
        choice(disputed("sender", DEBITING, ("attraktor",)), (SEEN,), (Truth("out", 43), Truth("stays", 43))),
        """
        k7m2: what became of 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed)? I did nothing yet.
        attraktor's InvenTree shows now:
        • #43: 10, in Outgoing, on its way out
        1) it lies ready in Outgoing, #43. Then I hand it over to betaspace now
        2) it was not given, nothing is with betaspace. Then it ends, and what lies in Outgoing goes back
        Reply 1 or 2 within 10 minutes; your name goes into the records.
        Done by hand, under another number? !fed resolve k7m2 --as left #NUMBER
        """,
    ),
    "what may be true: it left": (
        choice(disputed("sender", DEBITING, ("attraktor",)), (GIVEN, SOLD), (Truth("left", 43),), "stays"),
        """
        k7m2: what became of 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed)? I did nothing yet.
        "stays" does not fit with what InvenTree shows.
        attraktor's InvenTree shows now:
        • #43: 10, with a customer
        • #44: 2, no longer in stock
        1) it left: #43 is with customer betaspace. Then I tell betaspace, which books it in
        Reply 1 within 10 minutes; your name goes into the records.
        Done by hand, under another number? !fed resolve k7m2 --as left #NUMBER
        """,
    ),
    "what may be true: it was ended at once": (
        choice(
            disputed("sender", SENT, ("attraktor",), "received"), (GIVEN,), (Truth("arrived", 43), Truth("back", 43))
        ),
        """
        k7m2: what became of 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed)? I did nothing yet.
        betaspace says now that it has booked it in.
        attraktor's InvenTree shows now:
        • #43: 10, with a customer
        1) betaspace has it. Then it is done, on your word
        2) betaspace has not got it, and we take it back. Then it is in our stock again, on your word
        Reply 1 or 2 within 10 minutes; your name goes into the records.
        """,
    ),
    "what may be true: it is nowhere": (
        choice(disputed("sender", TransferState.REVERTING, ("attraktor",)), (), (Truth("lost"),)),
        """
        k7m2: what became of 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed)? I did nothing yet.
        attraktor's InvenTree shows nothing of it now.
        1) it is nowhere. Then it is written off, on your word
        Reply 1 within 10 minutes; your name goes into the records.
        """,
    ),
    "what may be true: it was booked in": (
        choice(
            disputed("receiver", TransferState.CREDITING, ("beta",)), (HERE,), (Truth("booked", 1207), Truth("never"))
        ),
        """
        k7m2: what became of 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed)? I did nothing yet.
        betaspace's InvenTree shows now:
        • #1207: 10, in stock, Laser room
        1) it was booked in as #1207. Then attraktor is told, and it is done
        2) it is not in our books, and never will be. Then attraktor takes it back
        Reply 1 or 2 within 10 minutes; your name goes into the records.
        Done by hand, under another number? !fed resolve k7m2 --as booked #NUMBER
        """,
    ),
    "what may be true, but others know better": (
        choice(disputed("sender", SENT, ("beta",)), (GIVEN,), (Truth("arrived", 43), Truth("back", 43))),
        """
        k7m2: what became of 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed)? I did nothing yet.
        attraktor's InvenTree shows now:
        • #43: 10, with a customer
        betaspace's superusers can say it for sure; here it is on your word alone.
        1) betaspace has it. Then it is done, on your word
        2) betaspace has not got it, and we take it back. Then it is in our stock again, on your word
        Reply 1 or 2 within 10 minutes; your name goes into the records.
        """,
    ),
    "both have it": (
        choice(disputed("receiver", RECEIVED, ("beta",), "reverted"), (HERE,), (Truth("stands"),)),
        """
        k7m2: what became of 10 × M3 bolt and 1.5 m of Speaker cable (⚠ Attention needed)? I did nothing yet.
        attraktor says now that it took it back.
        betaspace's InvenTree shows now:
        • #1207: 10, in stock, Laser room
        1) it is booked in here, and stays in our stock. Then I tell attraktor so
        Reply 1 within 10 minutes; your name goes into the records.
        If attraktor is right, first delete it from betaspace's stock, then ask again.
        """,
    ),
    "the answer": (
        say(messages.resolve.resolved, transfer=SETTLED, truth=Truth("arrived"), us=ALPHA, peer_name="betaspace"),
        """
        Settled: k7m2, 10 × M3 bolt.
        Settled by Anna (attraktor) alone, Tue 24 Nov, 20:31; betaspace has not said so yet.
        Done, Tue 24 Nov, 20:31.
        """,
    ),
    "nothing to settle": (
        say(messages.resolve.nothing_to_settle, subject=transfer(BOLTS)),
        """
        Nothing to settle: 10 × M3 bolt (k7m2). I did nothing.
        Waits for a yes or no, until Tue 1 Dec, 20:14.
        """,
    ),
    "a loan that is over, but in our stock": (
        loan_choice((HERE,), (Truth("off"), Truth("by-hand")), "kept"),
        """
        k7m2: what about 10 × M3 bolt (M3-BOLT)? I did nothing yet.
        "kept" does not fit with what is known.
        betaspace's InvenTree shows now:
        • #1207: 10, in stock, Laser room
        1) it counts in our stock still. Then I give it the status 'lost', so that it doesn't any more
        2) somebody has taken it out of our stock by hand, or will. Then I only note that
        Reply 1 or 2 within 10 minutes; your name goes into the records.
        """,
    ),
    "an owner who is gone": (
        loan_choice((), (Truth("kept"),)),
        """
        k7m2: what about 10 × M3 bolt (M3-BOLT)? I did nothing yet.
        1) attraktor is gone for ever. Then it is no loan any more, and stays in our books as attraktor's
        Reply 1 within 10 minutes; your name goes into the records.
        Should attraktor be a friend again, it is on loan again.
        """,
    ),
    "it leaves our stock": (
        say(messages.resolve.loan_settled, loan=transfer(BOLTS), truth=Truth("off"), peer_name="attraktor"),
        """
        Settled: 10 × M3 bolt (k7m2) leaves our stock now.
        In InvenTree it gets the status 'lost', with your name in its history.
        """,
    ),
    "it has left our stock": (
        say(messages.resolve.loan_settled, loan=transfer(BOLTS), truth=Truth("by-hand"), peer_name="attraktor"),
        """
        Noted: 10 × M3 bolt (k7m2) is out of our stock.
        """,
    ),
    "it stays here": (
        say(messages.resolve.loan_settled, loan=transfer(BOLTS), truth=Truth("kept"), peer_name="attraktor"),
        """
        Settled: 10 × M3 bolt (k7m2) stays in our books as attraktor's.
        Nobody is reminded of it any more. It goes to no third space.
        """,
    ),
    "nothing to settle while its owner is a friend": (
        say(messages.resolve.nothing_to_settle, subject=replace(borrowed(), code="k7m2")),
        """
        Nothing to settle: 10 × M3 bolt (k7m2). I did nothing.
        Borrowed until Tue 15 Dec 2026.
        Is its owner gone for ever? Then first end the friendship: !fed disconnect attraktor --now
        """,
    ),
    "nothing to settle with a friendship": (
        say(messages.resolve.nothing_to_settle, subject=connection()),
        """
        Nothing to settle: the friendship with attraktor (c9x4). I did nothing.
        Waits for one of our superusers, until Tue 1 Dec, 20:14.
        """,
    ),
    "still being tried": (
        say(messages.resolve.still_being_tried, transfer=disputed("sender", DEBITING, ("attraktor",)), us=ALPHA),
        """
        Not yet: attraktor's InvenTree has not told the outcome of the last step of k7m2.
        I'll keep checking for up to 15 minutes. I did nothing else; please say it again then.
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
