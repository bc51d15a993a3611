"""What a comparison of two spaces' books has found."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.messages.reconcile import MOST_SHOWN
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import Difference, Kind, Reconciliation
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.scenarios.scenes import ALPHA, ANNA, BOLTS, CABLE, NOW, connection, plain, transfer

FRIENDS = connection(ConnectionState.ACTIVE, ours=True, company=5)
GIVEN = transfer(BOLTS, CABLE, role="sender", state=TransferState.DONE)


def outcome(*found: Difference, problem: str = "", repair: bool = False, known: Transfer | None = GIVEN) -> Phrase:
    compared = Reconciliation("c" * 20, "!room", NOW, ANNA, "$line", repair, compared=12, differences=found)
    transfers = {known.id: known} if known else {}
    return say(
        messages.reconcile.reconciled,
        connection=FRIENDS,
        us=ALPHA,
        reconciliation=compared,
        transfers=transfers,
        problem=problem,
    )


def differs(kind: Kind, number: int = 1, *, fixed: bool = False) -> Difference:
    return Difference(GIVEN.id, number, kind, 43, 1207, fixed)


ELSEWHERE = {Kind.LEFT_OVER, Kind.BORROWED_GONE, Kind.BORROWED_LESS, Kind.PAST}
"""Of loans and of messages: each has an example of its own."""
SAID: dict[str, tuple[Phrase, str]] = {
    "they agree": (
        outcome(),
        """
        ✅ The books of attraktor and betaspace agree: 12 lines compared.
        """,
    ),
    "they agree, and the metadata is written anew": (
        outcome(repair=True),
        """
        ✅ The books of attraktor and betaspace agree: 12 lines compared.
        The bot repairs now what is ours and safe; the metadata is written anew.
        """,
    ),
    "everything that can differ of what was given": (
        outcome(*(differs(kind, 1 + number % 2) for number, kind in enumerate(k for k in Kind if k not in ELSEWHERE))),
        """
        ⚠ 10 differences: attraktor and betaspace.
        12 lines compared.
        • k7m2, 10 × M3 bolt: in stock at both spaces (#43 here, #1207 there).
        Likely: somebody brought it back by hand where it came from.
        To fix it: where it does not belong, take it out of stock in InvenTree, or give it to the customer again.
        • k7m2, 1.5 m of Speaker cable: given away here, but the other side has not booked it in and won't.
        Likely: it was settled by hand on one side only.
        To fix it: settle it with the other space; what came back is booked in here by hand.
        • k7m2, 10 × M3 bolt: betaspace's bot knows nothing of it.
        Likely: betaspace's bot lost its journal.
        To fix it: betaspace looks into its stock history for fed:k7m2abcdefghjkmnpqrs.
        • k7m2, 1.5 m of Speaker cable: betaspace has it in its books, and we know nothing of it.
        Likely: our bot lost its journal.
        To fix it: look into our stock history for fed:k7m2abcdefghjkmnpqrs.
        • k7m2, 10 × M3 bolt: our record of what was given, #43, is no longer with customer betaspace.
        Likely: somebody deleted or moved it by hand.
        To fix it: nothing has to be done: it is at betaspace; the history here is lost.
        • k7m2, 1.5 m of Speaker cable: our record of what was given, #43, has another quantity now.
        Likely: somebody split it, or took some of it back, by hand.
        To fix it: find the rest in our InvenTree, and give it to customer betaspace again if it is there.
        • k7m2, 10 × M3 bolt: it came back, but our InvenTree has it with customer betaspace, #43.
        Likely: somebody gave it to the customer by hand.
        To fix it: return #43 from the customer in our InvenTree.
        • k7m2, 1.5 m of Speaker cable: #43 is with customer betaspace, but its history does not tell by which transfer.
        Likely: somebody gave it to the customer by hand, or its history was changed.
        To fix it: add a note with fed:k7m2abcdefghjkmnpqrs to the item's history.
        • k7m2, 10 × M3 bolt: it has arrived, but our record #43 is still on its way.
        Likely: InvenTree did not take the status at the time.
        To fix it: I can do that: !fed reconcile beta --repair.
        • k7m2, 1.5 m of Speaker cable: nobody could tell what became of it.
        Likely: an InvenTree was silent at the wrong moment.
        To fix it: a superuser settles it: !fed resolve k7m2.
        No stock was moved.
        """,
    ),
    "what was borrowed is missing, or less of it is there": (
        outcome(
            differs(Kind.BORROWED_GONE),
            replace(differs(Kind.BORROWED_LESS), owed=Decimal(10), there=Decimal("7.5")),
        ),
        """
        ⚠ 2 differences: attraktor and betaspace.
        12 lines compared.
        • k7m2, 10 × M3 bolt: it is on loan, but is missing in betaspace's stock.
        Likely: somebody deleted, merged, used or gave it away by hand, or InvenTree was put back to an earlier state.
        To fix it: betaspace looks for fed:k7m2abcdefghjkmnpqrs; what is lost its owner writes off: !fed lost k7m2.
        • k7m2, 10 × M3 bolt: of it less is there than is on loan: 7.5 of 10 in betaspace's stock.
        Likely: somebody counted it down, used some of it, or merged it by hand.
        To fix it: betaspace looks for the rest; what is lost its owner writes off: !fed lost k7m2.
        No stock was moved.
        """,
    ),
    "a loan is over, and its record here still counts": (
        outcome(differs(Kind.LEFT_OVER)),
        """
        ⚠ 1 difference: attraktor and betaspace.
        12 lines compared.
        • k7m2, 10 × M3 bolt: the loan is over, but our record #43 still counts in our stock.
        Likely: it is lost, or back at betaspace without the bots.
        To fix it: one of our superusers has it taken out: !fed resolve k7m2.
        No stock was moved.
        """,
    ),
    "another past": (
        outcome(differs(Kind.PAST, 7)),
        """
        ⚠ 1 difference: attraktor and betaspace.
        12 lines compared.
        • k7m2: betaspace's bot tells of other messages than ours, up to number 7.
        Likely: one of the two journals was changed, or its bot doesn't tell the truth.
        To fix it: both admins run fedbot audit verify and compare what was said in the room.
        No stock was moved.
        """,
    ),
    "something is mended": (
        outcome(differs(Kind.NOT_ARRIVED, fixed=True), repair=True),
        """
        ⚠ 1 difference: attraktor and betaspace.
        12 lines compared.
        • k7m2, 10 × M3 bolt: it has arrived, but our record #43 is still on its way.
        Likely: InvenTree did not take the status at the time.
        To fix it: being fixed now.
        No stock was moved.
        The bot repairs now what is ours and safe; the metadata is written anew.
        """,
    ),
    "many, and of things that we don't know": (
        outcome(*[Difference("z" * 20, 9, Kind.UNKNOWN_HERE)] * (MOST_SHOWN + 2), known=None),
        """
        ⚠ 12 differences: attraktor and betaspace.
        12 lines compared.
        • zzzzzzz…: betaspace has it in its books, and we know nothing of it.
        Likely: our bot lost its journal.
        To fix it: look into our stock history for fed:zzzzzzzzzzzzzzzzzzzz.
        • zzzzzzz…: betaspace has it in its books, and we know nothing of it.
        Likely: our bot lost its journal.
        To fix it: look into our stock history for fed:zzzzzzzzzzzzzzzzzzzz.
        • zzzzzzz…: betaspace has it in its books, and we know nothing of it.
        Likely: our bot lost its journal.
        To fix it: look into our stock history for fed:zzzzzzzzzzzzzzzzzzzz.
        • zzzzzzz…: betaspace has it in its books, and we know nothing of it.
        Likely: our bot lost its journal.
        To fix it: look into our stock history for fed:zzzzzzzzzzzzzzzzzzzz.
        • zzzzzzz…: betaspace has it in its books, and we know nothing of it.
        Likely: our bot lost its journal.
        To fix it: look into our stock history for fed:zzzzzzzzzzzzzzzzzzzz.
        • zzzzzzz…: betaspace has it in its books, and we know nothing of it.
        Likely: our bot lost its journal.
        To fix it: look into our stock history for fed:zzzzzzzzzzzzzzzzzzzz.
        • zzzzzzz…: betaspace has it in its books, and we know nothing of it.
        Likely: our bot lost its journal.
        To fix it: look into our stock history for fed:zzzzzzzzzzzzzzzzzzzz.
        • zzzzzzz…: betaspace has it in its books, and we know nothing of it.
        Likely: our bot lost its journal.
        To fix it: look into our stock history for fed:zzzzzzzzzzzzzzzzzzzz.
        • zzzzzzz…: betaspace has it in its books, and we know nothing of it.
        Likely: our bot lost its journal.
        To fix it: look into our stock history for fed:zzzzzzzzzzzzzzzzzzzz.
        • zzzzzzz…: betaspace has it in its books, and we know nothing of it.
        Likely: our bot lost its journal.
        To fix it: look into our stock history for fed:zzzzzzzzzzzzzzzzzzzz.
        • and 2 more
        No stock was moved.
        """,
    ),
    "a silent bot": (
        outcome(problem="silent"),
        """
        ⏸ betaspace's bot has not answered, so our books are not compared (any further).
        12 lines compared before that.
        """,
    ),
    "a silent InvenTree of theirs": (
        outcome(problem="inventory"),
        """
        ⏸ betaspace's InvenTree does not answer, so our books are not compared (any further).
        12 lines compared before that.
        """,
    ),
    "a silent InvenTree of ours, after some were compared": (
        outcome(differs(Kind.TWICE), problem="own-inventory"),
        """
        ⏸ attraktor's InvenTree does not answer, so our books are not compared (any further).
        12 lines compared before that.
        • k7m2, 10 × M3 bolt: in stock at both spaces (#43 here, #1207 there).
        Likely: somebody brought it back by hand where it came from.
        To fix it: where it does not belong, take it out of stock in InvenTree, or give it to the customer again.
        No stock was moved.
        """,
    ),
    "what can't be read": (
        outcome(problem="unreadable"),
        """
        ⏸ What betaspace's bot says of its books can't be read; one of the bots may be too old.
        12 lines compared before that.
        """,
    ),
    "asked too often": (
        outcome(problem="later"),
        """
        ⏸ betaspace's bot was asked for its books too often; ask again in an hour.
        12 lines compared before that.
        """,
    ),
    "being compared already": (
        say(messages.reconcile.reconciling_already, connection=FRIENDS),
        """
        Our books and betaspace's are being compared already. The outcome comes by itself.
        """,
    ),
    "no friends": (
        say(messages.reconcile.nobody_to_reconcile_with, us=ALPHA),
        """
        Nothing to compare: attraktor has no friends here.
        """,
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_written_here(case: str) -> None:
    phrase, expected = SAID[case]
    assert plain(phrase) == dedent(expected).strip("\n")
