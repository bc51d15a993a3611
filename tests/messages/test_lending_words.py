"""What is said of loans: on their cards, when they are due, longer, over; and why something can't be."""
# ruff: noqa: E501 -- messages, as they are

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from textwrap import dedent
from typing import Any

import pytest

from fedbot import messages
from fedbot.rules.model.decision import Closing, Ending, Signature
from fedbot.rules.model.diagnosis import ItemFault, OfItem, Speaker, Verbatim
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.outside import LentBefore
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import Part, StockItem
from fedbot.rules.model.transfer import Line, Progress, Terms, Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.scenarios.scenes import (
    ALPHA,
    ANNA,
    BETA,
    BOLTS,
    BY_ANNA,
    BY_BEA,
    BY_PIET,
    CABLE,
    LENS,
    NOW,
    PEOPLE,
    SAYS_NO,
    SILENT,
    connection,
    plain,
    request,
    transfer,
)

DAY = date(2026, 12, 15)


def lent(*lines: Line, role: str = "receiver", **fields: object) -> Transfer:
    """A push with a last day."""
    given = transfer(*lines or (LENS,), role=role)
    terms = replace(given.terms, loan_until=DAY)
    progress = tuple(
        Progress(line.number, stage="placed", item=1207, part=3, place="Laser room") for line in terms.lines
    )
    done = {"state": TransferState.DONE, "decided": BY_BEA, "ended": NOW, "progress": progress, "terms": terms}
    return replace(given, **(done | fields))  # type: ignore[arg-type]


def abroad(loan: Transfer, zone: str = "Pacific/Auckland") -> Transfer:
    """The same, by the calendar of an owner elsewhere."""
    return replace(loan, terms=replace(loan.terms, time_zone=zone))


def child(kind: str, asked: Signature = BY_BEA, role: str = "receiver", **fields: object) -> Transfer:
    """A return of the lens, or an extension; the owner is attraktor."""
    back = kind == "return"
    given = transfer(LENS, role=role) if back else request(LENS, role=role)
    sender, receiver = ("beta", "attraktor") if back else ("attraktor", "beta")
    line = replace(LENS, place="cabinet L1")
    terms = Terms(
        kind, sender, receiver, (line,), asked.person, asked.name, parent="p" * 20, loan_until=None if back else DAY
    )
    changes = {"terms": terms, "asked": asked, "decided": None, "progress": (Progress(1, part=3, match="lent"),)}
    return replace(given, **(changes | fields))  # type: ignore[arg-type]


def card(what: Transfer, us: PartyConfig = ALPHA, peer_name: str = "betaspace") -> Phrase:
    return say(messages.transfer_card.transfer_card, transfer=what, us=us, peer_name=peer_name, people=PEOPLE)


def closed(how: Ending) -> Transfer:
    return lent(role="sender", closed=Closing(how, BY_PIET))


OPEN, DONE = TransferState.OPEN, TransferState.DONE
PART = Part(3, "Laser lens 2.0″", "LENS-2")
ITEM = StockItem(1207, PART, Decimal(10))
OUR: dict[str, Any] = {"us": ALPHA, "peer_name": "betaspace"}


SEVERAL = lent(LENS, replace(BOLTS, number=2), replace(CABLE, number=3), role="sender")


LONG_AGO = LentBefore("2" * 20, "Repair Café", date(2026, 11, 12))


def had_before(role: str = "receiver") -> Transfer:
    """A loan that began when the borrower had no bot."""
    given = lent(role=role, state=OPEN, decided=None, ended=None)
    return replace(given, terms=replace(given.terms, outside=LONG_AGO))


SAID: dict[str, tuple[Phrase, str]] = {
    "an open card of what is there already": (
        card(had_before(), BETA, "attraktor"),
        """
        betaspace has 1 × Laser lens 2.0″ (LENS-2, serial 0042) of attraktor already, on loan until Tue 15 Dec 2026. \
Take it into the books?
        For Bea, Cem or Dilek (approvers of betaspace), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        Item: Laser lens 2.0″, LENS-2, serial 0042, status OK
        Comes from: attraktor, Cabinet L1
        Lands in: betaspace, Laser room, as your part "#3"
        Lent as "Repair Café" since Thu 12 Nov 2026, says attraktor. Say yes only if you have it. Back by Tue 15 Dec 2026, \
that day too.
        It stays attraktor's. Entered in your InvenTree by hand? Take that entry out.

        ✅ yes, we have it: book it in as borrowed · ❌ no, we don't
        Nothing has moved yet. · k7m2
        """,
    ),
    "the offer of what is there already": (
        say(
            messages.transfer.transfer_offered,
            transfer=had_before("sender"),
            connection=connection(),
            us=ALPHA,
        ),
        """
        attraktor has a bot now: it is asked to take over 1 × Laser lens 2.0″ (LENS-2, serial 0042), lent to it as \
Repair Café, on loan until Tue 15 Dec 2026. k7m2
        Nothing has moved yet: attraktor's approvers decide until Tue 1 Dec, 20:14. To take it back, reply: !fed cancel
        """,
    ),
    "an open card": (
        card(lent(state=OPEN, decided=None, ended=None), BETA, "attraktor"),
        """
        attraktor offers betaspace 1 × Laser lens 2.0″ (LENS-2, serial 0042), on loan until Tue 15 Dec 2026. Take it?
        For Bea, Cem or Dilek (approvers of betaspace), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        Item: Laser lens 2.0″, LENS-2, serial 0042, status OK
        Comes from: attraktor, Cabinet L1
        Lands in: betaspace, Laser room, as your part "#3"
        Loan: it stays attraktor's; back by Tue 15 Dec 2026, that day included.

        ✅ yes, book it in · ❌ no, thanks · 📦 yes, but it isn't here yet
        Nothing has moved yet. · k7m2
        """,
    ),
    "done": (
        card(lent(), BETA, "attraktor"),
        """
        ✅ Done: 1 × Laser lens 2.0″ (LENS-2, serial 0042) is on loan from attraktor to betaspace until Tue 15 Dec 2026.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        At betaspace: stock #1207, Laser room
        At attraktor: stock #42, with customer betaspace

        Reply here with: !fed return k7m2 · !fed extend k7m2 2 weeks · !fed show
        k7m2
        """,
    ),
    "done, and longer": (
        card(lent(back_by=date(2027, 1, 31)), BETA, "attraktor"),
        """
        ✅ Done: 1 × Laser lens 2.0″ (LENS-2, serial 0042) is on loan from attraktor to betaspace until Sun 31 Jan 2027.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        At betaspace: stock #1207, Laser room
        At attraktor: stock #42, with customer betaspace

        Reply here with: !fed return k7m2 · !fed extend k7m2 2 weeks · !fed show
        k7m2
        """,
    ),
    "back": (
        card(closed(Ending.RETURNED)),
        """
        ✅ Back again since Tue 24 Nov, 20:31: 1 × Laser lens 2.0″ (LENS-2, serial 0042), lent by attraktor to betaspace.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Reply here with: !fed show
        k7m2
        """,
    ),
    "offered": (
        say(
            messages.transfer.transfer_offered,
            transfer=lent(role="sender", state=OPEN),
            connection=connection(),
            us=ALPHA,
        ),
        """
        Offered to attraktor, on loan until Tue 15 Dec 2026: 1 × Laser lens 2.0″ (LENS-2, serial 0042). k7m2
        Nothing has moved yet: attraktor's approvers decide until Tue 1 Dec, 20:14. To take it back, reply: !fed cancel
        """,
    ),
    "at its end": (
        say(
            messages.transfer.transfer_end,
            transfer=lent(role="sender", progress=(Progress(1, stage="arrived", item=42),)),
            **OUR,
        ),
        """
        @Anna @Bea ✅ 1 × Laser lens 2.0″ (LENS-2, serial 0042) is at betaspace, due Tue 15 Dec 2026. k7m2
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31
        """,
    ),
    "a return to decide": (
        card(child("return")),
        """
        betaspace hands back 1 × Laser lens 2.0″ (LENS-2, serial 0042). Is it here, and as it was?
        For Bea, Cem or Dilek (approvers of attraktor), until Tue 1 Dec, 20:14.
        Asked by Bea (betaspace)

        Item: Laser lens 2.0″, LENS-2, serial 0042, status OK
        Goes back to: cabinet L1

        ✅ here, fine · 🔧 here, but damaged · ❌ not here
        A reply before you tap goes into the item's history; a photo is kept with the item, later too.
        k7m2
        """,
    ),
    "a return that is home": (
        card(child("return", state=DONE, decided=BY_PIET)),
        """
        ✅ 1 × Laser lens 2.0″ (LENS-2, serial 0042) is back at attraktor.
        Asked by Bea, accepted by Piet (attraktor), Tue 24 Nov, 20:31

        k7m2
        """,
    ),
    "a return that is not here": (
        card(child("return", state=TransferState.DECLINED, decided=BY_PIET)),
        """
        ❌ Not here: 1 × Laser lens 2.0″ (LENS-2, serial 0042) stays on loan, at betaspace.
        By Piet (attraktor), Tue 24 Nov, 20:31
        Nothing has moved.
        k7m2
        """,
    ),
    "a return that can't be": (
        card(child("return", state=TransferState.DECLINED, problem="in-parts")),
        """
        Not handed back: 1 × Laser lens 2.0″ (LENS-2, serial 0042) stays on loan, at betaspace.
        Why: the owner's InvenTree can only take back all of it at once.
        Hand back all that is out, without a quantity.
        Nothing has moved.
        k7m2
        """,
    ),
    "a return is offered": (
        say(
            messages.transfer.transfer_offered,
            transfer=child("return", role="sender"),
            connection=connection(),
            us=BETA,
        ),
        """
        attraktor is asked to take back 1 × Laser lens 2.0″ (LENS-2, serial 0042). k7m2
        Nothing has moved yet: an approver of attraktor says whether it is there. To take it back, reply: !fed cancel
        """,
    ),
    "the owner has it": (
        say(messages.loan.return_asked, transfer=child("return", asked=BY_ANNA, damaged=True), **OUR),
        """
        1 × Laser lens 2.0″ (LENS-2, serial 0042) comes back, damaged. k7m2
        betaspace's bot books it out; then attraktor has it in stock again, in its old place.
        """,
    ),
    "a return at its end": (
        say(
            messages.transfer.transfer_end,
            transfer=child("return", role="sender", state=DONE, decided=BY_PIET, damaged=True),
            us=BETA,
            peer_name="attraktor",
        ),
        """
        @Bea @Piet 🔧 1 × Laser lens 2.0″ (LENS-2, serial 0042) is back at attraktor, damaged. k7m2
        Asked by Bea, accepted by Piet (attraktor), Tue 24 Nov, 20:31
        """,
    ),
    "more time to decide": (
        card(child("extension", role="sender")),
        """
        betaspace asks to keep 1 × Laser lens 2.0″ (LENS-2, serial 0042) until Tue 15 Dec 2026. May it stay longer?
        For Bea, Cem or Dilek (approvers of attraktor), until Tue 1 Dec, 20:14.
        Asked by Bea (betaspace)

        ✅ yes, that is fine · ❌ no, sorry
        k7m2
        """,
    ),
    "more time is asked for": (
        say(messages.transfer.transfer_requested, transfer=child("extension"), connection=connection(), us=BETA),
        """
        attraktor is asked whether 1 × Laser lens 2.0″ (LENS-2, serial 0042) may stay until Tue 15 Dec 2026. k7m2
        Until an approver of attraktor says yes, it is due as before. To take it back, reply: !fed cancel
        """,
    ),
    "more time is not given": (
        card(child("extension", role="sender", state=TransferState.DECLINED, decided=BY_PIET)),
        """
        ❌ No more time for 1 × Laser lens 2.0″ (LENS-2, serial 0042): it goes back as agreed.
        By Piet (attraktor), Tue 24 Nov, 20:31
        Nothing has moved.
        k7m2
        """,
    ),
    "more time at its end": (
        say(
            messages.transfer.transfer_end,
            transfer=child("extension", role="sender", state=DONE, decided=BY_PIET),
            **OUR,
        ),
        """
        @Bea @Piet ✅ 1 × Laser lens 2.0″ (LENS-2, serial 0042) may stay at betaspace until Tue 15 Dec 2026. k7m2
        Asked by Bea, accepted by Piet (attraktor), Tue 24 Nov, 20:31
        """,
    ),
    "more time at once": (
        say(messages.loan.loan_extended, loan=lent(role="sender", back_by=date(2027, 1, 31)), **OUR),
        """
        ✅ 1 × Laser lens 2.0″ (LENS-2, serial 0042) may stay until Sun 31 Jan 2027, that day included.
        k7m2
        """,
    ),
    "a gift": (
        say(messages.loan.loan_closed, loan=closed(Ending.GIFT), **OUR),
        """
        ✅ A gift since Tue 24 Nov, 20:31: 1 × Laser lens 2.0″ (LENS-2, serial 0042) is betaspace's now, says Piet (attraktor).
        Nothing is owed any more. Nothing moves.
        k7m2
        """,
    ),
    "lost": (
        say(messages.loan.loan_closed, loan=closed(Ending.LOST), **OUR),
        """
        ❌ Lost: 1 × Laser lens 2.0″ (LENS-2, serial 0042), lent to betaspace. Says Piet (attraktor), Tue 24 Nov, 20:31.
        At attraktor it stays with customer betaspace, with the status 'lost'.
        betaspace's admins are told how it leaves the stock there.
        k7m2
        """,
    ),
    "lost, but not noted": (
        say(messages.loan.loss_not_noted, loan=closed(Ending.LOST), problem=SAYS_NO),
        """
        1 × Laser lens 2.0″ (k7m2) is lost, but InvenTree has not taken the status.
        Why: InvenTree said: You do not have permission.
        Please set the item's status to 'lost' in InvenTree by hand; I don't try again.
        """,
    ),
    "a reminder of what is out still, by the owner's day": (
        say(
            messages.loan.loan_reminder,
            loan=abroad(lent(LENS, BOLTS)),
            out=(LENS, replace(BOLTS, quantity=Decimal(4))),
            us=BETA,
            peer_name="attraktor",
            people={ANNA: "Bea"},
            today=date(2026, 12, 14),
        ),
        """
        @Bea 1 × Laser lens 2.0″ and 4 × M3 bolt go back to attraktor by tomorrow, Tue 15 Dec 2026 (Auckland time).
        When it goes back, reply: !fed return · for more time: !fed extend 2 weeks
        k7m2
        """,
    ),
    "done, by a calendar that nobody here knows": (
        card(abroad(lent(BOLTS), "Mars/Mount_Sharp"), BETA, "attraktor"),
        """
        ✅ Done: 10 × M3 bolt (M3-BOLT) is on loan from attraktor to betaspace until Tue 15 Dec 2026 (Mount Sharp time).
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        At betaspace: stock #1207, Laser room
        At attraktor: taken out of stock #12, with customer betaspace

        Reply here with: !fed return k7m2 · !fed extend k7m2 2 weeks · !fed show
        k7m2
        """,
    ),
    "done, by a calendar that is ours under another name": (
        card(abroad(lent(), "Europe/Vienna"), BETA, "attraktor"),
        """
        ✅ Done: 1 × Laser lens 2.0″ (LENS-2, serial 0042) is on loan from attraktor to betaspace until Tue 15 Dec 2026.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        At betaspace: stock #1207, Laser room
        At attraktor: stock #42, with customer betaspace

        Reply here with: !fed return k7m2 · !fed extend k7m2 2 weeks · !fed show
        k7m2
        """,
    ),
    "a reminder, three days before": (
        say(
            messages.loan.loan_reminder,
            loan=lent(),
            us=BETA,
            peer_name="attraktor",
            people={ANNA: "Bea"},
            today=date(2026, 12, 12),
        ),
        """
        @Bea 1 × Laser lens 2.0″ (LENS-2, serial 0042) goes back to attraktor by Tue 15 Dec 2026.
        When it goes back, reply: !fed return · for more time: !fed extend 2 weeks
        k7m2
        """,
    ),
    "a reminder, a day before": (
        say(
            messages.loan.loan_reminder,
            loan=lent(),
            us=BETA,
            peer_name="attraktor",
            people={ANNA: "Bea"},
            today=date(2026, 12, 14),
        ),
        """
        @Bea 1 × Laser lens 2.0″ (LENS-2, serial 0042) goes back to attraktor by tomorrow, Tue 15 Dec 2026.
        When it goes back, reply: !fed return · for more time: !fed extend 2 weeks
        k7m2
        """,
    ),
    "a reminder, on the day": (
        say(messages.loan.loan_reminder, loan=lent(), us=BETA, peer_name="attraktor", people={ANNA: "Bea"}, today=DAY),
        """
        @Bea 1 × Laser lens 2.0″ (LENS-2, serial 0042) goes back to attraktor today, Tue 15 Dec 2026.
        When it goes back, reply: !fed return · for more time: !fed extend 2 weeks
        k7m2
        """,
    ),
    "a reminder, overdue": (
        say(
            messages.loan.loan_reminder,
            loan=lent(),
            us=BETA,
            peer_name="attraktor",
            people={ANNA: "Bea"},
            today=date(2026, 12, 22),
        ),
        """
        @Bea 1 × Laser lens 2.0″ (LENS-2, serial 0042) was to be back at attraktor by Tue 15 Dec 2026.
        When it goes back, reply: !fed return · for more time: !fed extend 2 weeks
        k7m2
        """,
    ),
    "no day": (
        say(messages.loan.day_unclear, word="3 weaks"),
        """
        Not done: I can't read "3 weaks" as a day. Nothing was sent.
        For example: 3 weeks · tomorrow · friday · 31.1. · 2026-12-15
        """,
    ),
    "a day that may be two": (
        say(messages.loan.day_ambiguous, word="3/4", days=(date(2027, 4, 3), date(2027, 3, 4))),
        """
        Not done: "3/4" can be Sat 3 Apr 2027 or Thu 4 Mar 2027. Nothing was sent.
        Write the day like this: 2027-04-03
        """,
    ),
    "a day that is over": (
        say(messages.loan.day_is_past, day=date(2025, 11, 24)),
        """
        Not done: Mon 24 Nov 2025 is over. Nothing was sent.
        """,
    ),
    "a day too far ahead": (
        say(messages.loan.day_too_far, day=date(2030, 1, 1)),
        """
        Not done: Tue 1 Jan 2030 is more than two years ahead. Nothing was sent.
        What stays that long can be given to keep: !fed help push
        """,
    ),
    "no loan": (
        say(messages.loan.no_loan, subject=transfer(BOLTS)),
        """
        Not done: 10 × M3 bolt (k7m2) is no loan.
        What is on loan: !fed todo
        """,
    ),
    "not on loan yet": (
        say(messages.loan.not_on_loan, loan=lent(state=OPEN), **OUR),
        """
        Not done: 1 × Laser lens 2.0″ (k7m2) isn't on loan (yet).
        """,
    ),
    "not on loan any more": (
        say(messages.loan.not_on_loan, loan=closed(Ending.GIFT), **OUR),
        """
        Not done: k7m2 is over already.
        ✅ A gift since Tue 24 Nov, 20:31: 1 × Laser lens 2.0″ (LENS-2, serial 0042) is betaspace's now, says Piet (attraktor).
        """,
    ),
    "the owner decides": (
        say(messages.loan.owner_decides, loan=lent(), peer_name="attraktor", usage="gift [ID]"),
        """
        Not done: 1 × Laser lens 2.0″ (k7m2) is attraktor's, so an approver of attraktor says that.
        """,
    ),
    "the owner sees damage": (
        say(messages.loan.owner_sees_damage, loan=lent(), peer_name="attraktor"),
        """
        Not done: in which state k7m2 comes back says attraktor, on its card.
        You can write it along: !fed return k7m2 --note "…"
        """,
    ),
    "under way already": (
        say(messages.loan.return_under_way, loan=lent(), transfer=child("return")),
        """
        Not done: 1 × Laser lens 2.0″ (k7m2) is on its way back already.
        How it stands: !fed show k7m2
        Waits for a yes: the owner's people decide on its card. To stop it before: !fed cancel k7m2
        """,
    ),
    "unknown stock": (
        say(messages.loan.borrowed_stock_unknown, loan=lent(), peer_name="beta"),
        """
        Not done: I don't know which stock item 1 × Laser lens 2.0″ (k7m2) is at the borrower's.
        An approver of beta can start it: !fed return k7m2
        """,
    ),
    "several things": (
        say(
            messages.loan.which_things_of_a_loan,
            loan=SEVERAL,
            lines=(LENS, replace(CABLE, number=3)),
            everything=4,
            verb="return",
        ),
        """
        What of k7m2 goes back? I did nothing yet.
        1) 1 × Laser lens 2.0″ (LENS-2, serial 0042)
        3) 1.5 m of Speaker cable (batch 2025-11, ⚠ Attention needed)
        4) all of it
        Reply with the number within 10 minutes. For several of them: !fed return k7m2 1; 3
        """,
    ),
    "nothing is called so": (
        say(messages.loan.no_such_thing_lent, loan=SEVERAL, word="LENS-3", numbers=(1, 2)),
        """
        Not done: nothing called "LENS-3" was lent by k7m2. It is of:
        1) 1 × Laser lens 2.0″ (LENS-2, serial 0042)
        2) 10 × M3 bolt (M3-BOLT)
        """,
    ),
    "several are called so": (
        say(messages.loan.several_things_called_so, loan=SEVERAL, numbers=(1, 2)),
        """
        Not done: several things of k7m2 are called so. Please say its number:
        1) 1 × Laser lens 2.0″ (LENS-2, serial 0042)
        2) 10 × M3 bolt (M3-BOLT)
        """,
    ),
    "more than is out": (
        say(messages.loan.more_than_out, loan=lent(BOLTS), line=BOLTS, wanted=Decimal(12), out=Decimal(10)),
        """
        Not done: of M3 bolt 10 can go back, not 12.
        All of it: !fed return k7m2
        """,
    ),
    "what is not out": (
        say(messages.loan.more_than_out, loan=lent(BOLTS), line=BOLTS, wanted=Decimal(12), out=Decimal(0)),
        """
        Not done: M3 bolt isn't out any more, or is on its way back already.
        How it stands: !fed show k7m2
        """,
    ),
    "a part of a thing can not be a gift": (
        say(messages.loan.only_all_of_a_thing, loan=lent(BOLTS), usage="gift [ID] [THING]"),
        """
        Not done: only all that is out of a thing can be given, or lost.
        What is there can go back before: !fed return k7m2 QUANTITY
        """,
    ),
    "one thing of several is a gift": (
        say(messages.loan.loan_closed, loan=SEVERAL, part=Closing(Ending.GIFT, BY_PIET), lines=(BOLTS,), **OUR),
        """
        A gift to betaspace: 10 × M3 bolt, says Piet (attraktor), Tue 24 Nov, 20:31.
        Nothing of that is owed any more; the rest is on loan still. Nothing moves.
        k7m2
        """,
    ),
    "one thing of several is lost": (
        say(messages.loan.loan_closed, loan=SEVERAL, part=Closing(Ending.LOST, BY_PIET), lines=(BOLTS,), **OUR),
        """
        Lost: 10 × M3 bolt, says Piet (attraktor), Tue 24 Nov, 20:31.
        At attraktor it stays with customer betaspace, with the status 'lost'.
        betaspace's admins are told how it leaves the stock there.
        k7m2
        """,
    ),
    "several things that ended otherwise": (
        card(
            lent(
                LENS,
                replace(BOLTS, number=2),
                role="sender",
                closed=Closing(Ending.LOST, BY_PIET),
                line_ends=(Closing(Ending.LOST, BY_PIET, 2),),
            )
        ),
        """
        ✅ Over since Tue 24 Nov, 20:31: 1 × Laser lens 2.0″ and 10 × M3 bolt, lent to betaspace.
        Lost: 10 × M3 bolt, says Piet (attraktor), Tue 24 Nov, 20:31.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        • 1 × Laser lens 2.0″
        At betaspace: in stock · At attraktor: stock #1207, split off from #42, with customer betaspace
        • 10 × M3 bolt
        At betaspace: in stock · At attraktor: stock #1207, split off from #12, with customer betaspace

        Reply here with: !fed show
        k7m2
        """,
    ),
    "kept, as its owner is gone": (
        say(messages.loan.not_on_loan, loan=lent(closed=Closing(Ending.KEPT, BY_BEA)), us=BETA, peer_name="attraktor"),
        """
        Not done: k7m2 is over already.
        ✅ Kept: 1 × Laser lens 2.0″ (LENS-2, serial 0042) stays at betaspace as attraktor's. Says Bea, Tue 24 Nov, 20:31.
        """,
    ),
    "moved by the borrower": (
        say(
            messages.loan.borrowed_is_elsewhere,
            loan=lent(BOLTS),
            line=replace(BOLTS, item=1207),
            item=ITEM,
            there=Decimal(7),
        ),
        """
        Not done: 10 × M3 bolt isn't all in stock #1207 any more.
        Free there: 7, status OK. Merge or move it back in InvenTree, then say it again.
        Or hand back what is there: !fed return k7m2 7
        k7m2
        """,
    ),
    "gone at the borrower": (
        say(
            messages.loan.borrowed_is_elsewhere, loan=lent(), line=replace(LENS, item=1207), item=None, there=Decimal(0)
        ),
        """
        Not done: 1 × Laser lens 2.0″ isn't all in stock #1207 any more.
        That stock item is gone. The owner's approver can settle it as a gift, or lost.
        If it was merged into another one, name that: !fed return k7m2 --from #12
        k7m2
        """,
    ),
    "returned from something else than a stock item": (
        say(messages.loan.returned_from_one_item, loan=lent(), word="the drawer"),
        """
        Not done: "--from the drawer". It takes the number of one of your own stock items, for one thing at a time.
        For example: !fed return k7m2 --from #12
        """,
    ),
    "returned from another part": (
        say(messages.loan.not_of_that_part, loan=lent(), item=7),
        """
        Not done: stock #7 is not here, is of another part, or came from another space itself. k7m2
        """,
    ),
    "not salable any more": (
        say(messages.loan.borrowed_not_salable, loan=lent(), item=ITEM),
        """
        Not done: InvenTree hands back only salable parts, and Laser lens 2.0″ isn't one any more.
        Who may change parts can switch on 'salable' at it; then say it again.
        k7m2
        """,
    ),
    "moved by the owner": (
        say(messages.loan.can_not_come_back, loan=lent(role="sender"), reason="moved", **OUR),
        """
        Not done: 1 × Laser lens 2.0″ (k7m2) stays on loan.
        Why: the owner's stock item isn't with the borrower any more, or not all of it: somebody moved it by hand.
        In InvenTree, hand the stock item to the borrower's company again; or settle it as a gift, or lost.
        """,
    ),
    "in parts": (
        say(messages.loan.can_not_come_back, loan=lent(role="sender"), reason="in-parts", **OUR),
        """
        Not done: 1 × Laser lens 2.0″ (k7m2) stays on loan.
        Why: the owner's InvenTree can only take back all of it at once.
        Hand back all that is out, without a quantity.
        """,
    ),
    "until when": (
        say(messages.loan.extend_until_when, usage="extend [ID] TIME", example="extend 2 weeks"),
        """
        Not done: until when? !fed extend [ID] TIME
        For example: !fed extend 2 weeks
        """,
    ),
    "longer anyway": (
        say(messages.loan.due_later_already, loan=lent()),
        """
        Nothing to do: 1 × Laser lens 2.0″ (k7m2) may stay until Tue 15 Dec 2026 anyway.
        """,
    ),
    "earlier than agreed": (
        say(messages.loan.agreed_until_later, loan=lent(back_by=date(2027, 1, 31))),
        """
        Not done: 1 × Laser lens 2.0″ (k7m2) was lent until Tue 15 Dec 2026, and both said yes to that.
        If you need it earlier, ask them in the room. Once it is here: !fed return k7m2
        """,
    ),
    "asked for already": (
        say(messages.loan.extension_asked_already, loan=lent(), transfer=child("extension")),
        """
        Not done: more time for k7m2 was asked for already.
        To ask otherwise, take that back first: !fed cancel k7m2
        """,
    ),
    "back, as the owner says alone": (
        say(messages.loan.over_but_in_our_books, loan=lent(), peer_name="attraktor", numbers=(1,)),
        """
        ⚠ Back at attraktor, but still in our stock: 1 × Laser lens 2.0″ (LENS-2, serial 0042).
        A superuser has it taken out (stock #1207): !fed resolve k7m2
        k7m2
        """,
    ),
    "lost, as the owner says": (
        say(
            messages.loan.over_but_in_our_books,
            loan=lent(line_ends=(Closing(Ending.LOST, BY_PIET, 1),)),
            peer_name="attraktor",
            numbers=(1,),
        ),
        """
        ⚠ Lost, says attraktor, but still in our stock: 1 × Laser lens 2.0″ (LENS-2, serial 0042).
        A superuser has it taken out (stock #1207): !fed resolve k7m2
        k7m2
        """,
    ),
    "not taken out": (
        say(messages.loan.not_written_off, loan=lent(), problem=OfItem(ItemFault.ALLOCATED, 1207)),
        """
        1 × Laser lens 2.0″ (k7m2) is over, but still in our stock.
        Why: Stock item #1207 is allocated.
        To look again, a superuser says: !fed resolve k7m2
        """,
    ),
    "not in the notes": (
        say(messages.loan.not_labelled, transfer=lent(), item=1207, problem=SAYS_NO),
        """
        The notes of stock item #1207 don't say how loan k7m2 stands.
        Why: InvenTree said: You do not have permission.
        The loan itself goes on. I say this at most once a day.
        """,
    ),
    "a gift, but not noted": (
        say(messages.loan.gift_not_noted, loan=closed(Ending.GIFT), problem=SAYS_NO),
        """
        1 × Laser lens 2.0″ (k7m2) is a gift, but InvenTree's history doesn't tell so.
        Why: InvenTree said: You do not have permission.
        Please look whether its status is as it was; I don't try again.
        """,
    ),
    "nobody to hand it back to": (
        say(messages.loan.no_friends_to_return_to, loan=lent(), peer_name="attraktor"),
        """
        Not done: we and attraktor are no friends any more, so no bot can book 1 × Laser lens 2.0″ (k7m2) back.
        Bring it back all the same; an approver of attraktor then says: !fed return k7m2
        If attraktor is gone for ever, one of our superusers settles it: !fed resolve k7m2
        """,
    ),
    "an answer that another card has": (
        say(messages.loan.not_on_this_card, subject=transfer(BOLTS)),
        """
        Not counted: this card has no such answer. Nothing is decided. k7m2
        Please tap one of those at its end; what comes by parcel, once it is here.
        """,
    ),
    "a remark": (
        say(messages.loan.remark_noted, transfer=child("return")),
        """
        Noted: it will stand in the item's history, if k7m2 is taken back.
        """,
    ),
    "a remark of somebody who is switched off": (
        say(messages.loan.remark_not_noted, transfer=child("return"), problem=None),
        """
        Not noted, and nothing else is changed: k7m2
        Why: you have no active user of InvenTree.
        """,
    ),
    "a remark while InvenTree is silent": (
        say(messages.loan.remark_not_noted, transfer=child("return"), problem=SILENT),
        """
        Not noted, and nothing else is changed: k7m2
        Why: InvenTree at inventree.example can't be reached: no connection.
        """,
    ),
    "a photo": (
        say(messages.loan.photo_kept, transfer=child("return"), items=(42, 43)),
        """
        Kept: the photo is with stock #42, #43 in InvenTree. k7m2
        """,
    ),
    "a photo that is too large": (
        say(messages.loan.photo_not_kept, transfer=child("return"), reason="too-large", problem=None),
        """
        The photo is not kept: it is larger than 20 MB. Send it smaller. k7m2
        """,
    ),
    "one photo too many": (
        say(messages.loan.photo_not_kept, transfer=child("return"), reason="too-many", problem=None),
        """
        The photo is not kept: you sent too many at once. Send it again in an hour. k7m2
        """,
    ),
    "a photo that the bot may not attach": (
        say(
            messages.loan.photo_not_kept,
            transfer=child("return"),
            reason="not-permitted",
            problem=SAYS_NO,
        ),
        """
        The photo is not kept: I lack the role for it, stock: add. See fedbot check. k7m2
        """,
    ),
    "a photo that InvenTree refuses": (
        say(
            messages.loan.photo_not_kept,
            transfer=child("return"),
            reason="refused",
            problem=Verbatim(Speaker.INVENTREE, "Disk is full."),
        ),
        """
        The photo is not kept: InvenTree said: Disk is full. k7m2
        """,
    ),
    "borrowed things are not given": (
        say(messages.offer.borrowed_goes_back_by_return, item=ITEM, loan=lent()),
        """
        Not offered: Laser lens 2.0″ (stock #1207) is theirs: it is on loan here (k7m2).
        Hand it back: !fed return k7m2
        Nothing was sent, nothing has moved.
        """,
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_it_reads_as_written_here(name: str) -> None:
    phrase, text = SAID[name]
    assert plain(phrase) == dedent(text).strip()
