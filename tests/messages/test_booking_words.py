"""What is said of bookings: on their cards, on their first day, when something stands against them, and when not."""
# ruff: noqa: E501 -- messages, as they are

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from textwrap import dedent
from typing import Any

import pytest

from fedbot import messages
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import AgendaEntry, OnThatDay
from fedbot.rules.model.lending import Hindrance, Obstacle, Reserved
from fedbot.rules.model.stock import Part, StockItem
from fedbot.rules.model.transfer import Line, Transfer
from fedbot.rules.model.transfer_lifecycle import TransferState
from tests.scenarios.scenes import ALPHA, BETA, BOLTS, BY_BEA, CEM, DUE, LENS, PEOPLE, plain, request, transfer

OPEN, BOOKED = TransferState.OPEN, TransferState.BOOKED
FIRST, LAST = date(2026, 12, 12), date(2026, 12, 19)
UNTIL = datetime(2026, 12, 13, 23, tzinfo=UTC)
OUR: dict[str, Any] = {"us": ALPHA, "peer_name": "betaspace"}


def ahead(given: Transfer, **fields: object) -> Transfer:
    """The same, from 12 to 19 December."""
    return replace(given, terms=replace(given.terms, starts=FIRST, loan_until=LAST), **fields)  # type: ignore[arg-type]


def booked(*lines: Line, role: str = "sender", **fields: object) -> Transfer:
    """Both have agreed to it."""
    done = {"state": BOOKED, "decided": BY_BEA, "due": UNTIL, "was_due": DUE}
    return ahead(transfer(*lines or (LENS,), role=role), **(done | fields))


def card(what: Transfer, *, ours: bool = True) -> Phrase:
    us, peer_name = (ALPHA, "betaspace") if ours else (BETA, "attraktor")
    return say(messages.transfer_card.transfer_card, transfer=what, us=us, peer_name=peer_name, people=PEOPLE)


ALL = tuple(Obstacle(1, why, Decimal(3)) for why in Hindrance)
LESS = (Obstacle(1, Hindrance.LESS, Decimal(3)),)
KEPT = (Reserved("k7m2", "gamma", FIRST, LAST, name="gammaspace", what="Laser lens"),)
ITEM = StockItem(42, Part(7, "Laser lens 2.0″", "LENS-2"), Decimal(1))
ENTRIES = (
    AgendaEntry(date(2026, 11, 24), OnThatDay.OVERDUE, booked(BOLTS)),
    AgendaEntry(FIRST, OnThatDay.FETCHED, booked()),
    AgendaEntry(LAST, OnThatDay.BACK, booked()),
)
NAMED: dict[str, Any] = {"names": {"beta": "betaspace"}, "us": ALPHA}
SAID: dict[str, tuple[Phrase, str]] = {
    "an offer for later": (
        card(ahead(transfer()), ours=False),
        """
        attraktor offers betaspace 1 × Laser lens 2.0″ (LENS-2, serial 0042), on loan Sat 12 Dec to Sat 19 Dec 2026. Take it?
        For Bea, Cem or Dilek (approvers of betaspace), until Tue 1 Dec, 20:14.
        Asked by Anna (attraktor)

        Item: Laser lens 2.0″, LENS-2, serial 0042, status OK
        Comes from: attraktor, Cabinet L1
        Lands in: betaspace, Laser room, as your part "Our thing" (same IPN)
        Booking: picked up from Sat 12 Dec on, back by Sat 19 Dec 2026, that day included; it stays attraktor's.

        ✅ yes, book it for us · ❌ no, thanks
        Nothing has moved yet. · k7m2
        """,
    ),
    "a request for later": (
        card(ahead(request(BOLTS, role="sender"))),
        """
        betaspace asks attraktor for 10 × M3 bolt (M3-BOLT), on loan Sat 12 Dec to Sat 19 Dec 2026. Give it?
        For Bea, Cem or Dilek (approvers of attraktor), until Tue 1 Dec, 20:14.
        Asked by Bea (betaspace)

        Item: M3 bolt, M3-BOLT, status OK
        Comes from: attraktor, Workshop/Drawer A3
        Goes to: betaspace
        Booking: picked up from Sat 12 Dec on, back by Sat 19 Dec 2026, that day included; it stays attraktor's.

        ✅ yes, book it for them · ❌ no, sorry
        By parcel? Add 📦, or reply: !fed approve --parcel · Less will do? Reply for example: !fed approve 5
        Nothing has moved yet. · k7m2
        """,
    ),
    "the card of a booking, once another one asks whether it was fetched": (
        say(messages.booking.first_day_is_here, transfer=booked(calls=True)),
        """
        📅 The first day of this booking is here: 1 × Laser lens 2.0″ (k7m2).
        A newer card asks whether it was handed over.
        k7m2
        """,
    ),
    "a card of what is booked": (
        card(booked(role="receiver"), ours=False),
        """
        📅 Booked: 1 × Laser lens 2.0″ (LENS-2, serial 0042) for betaspace, from Sat 12 Dec until Sat 19 Dec 2026.
        Asked by Anna, accepted by Bea (betaspace), Tue 24 Nov, 20:31

        Item: Laser lens 2.0″, LENS-2, serial 0042, status OK
        Comes from: attraktor, Cabinet L1
        Lands in: betaspace, Laser room, as your part "Our thing" (same IPN)

        Nothing has moved yet. Pick it up at attraktor by Sun 13 Dec 2026.
        To give the booking up: !fed cancel k7m2
        """,
    ),
    "given up, and not noted yet": (
        card(booked(role="receiver", wanted="cancel"), ours=False),
        """
        1 × Laser lens 2.0″ (LENS-2, serial 0042): betaspace wants to cancel, waiting for attraktor's word.
        Asked by Anna (attraktor)

        Nothing is booked in. If it has left attraktor already, it still arrives.
        k7m2
        """,
    ),
    "to be handed over": (
        card(booked(calls=True)),
        """
        📅 Handed over? 1 × Laser lens 2.0″ (LENS-2, serial 0042), booked by betaspace from Sat 12 Dec on.
        For Bea, Cem or Dilek (approvers of attraktor), until Mon 14 Dec, 00:00.
        Asked by Anna (attraktor)

        Item: Laser lens 2.0″, LENS-2, serial 0042, status OK
        Comes from: attraktor, Cabinet L1
        Goes to: betaspace
        Loan: it stays attraktor's; back by Sat 19 Dec 2026, that day included.

        ✅ yes, they have it · 📦 yes, it goes by parcel · ❌ not today
        Nothing has moved. · k7m2
        """,
    ),
    "to be handed over, but there is less": (
        card(booked(BOLTS, calls=True, obstacles=LESS)),
        """
        📅 Handed over? 10 × M3 bolt (M3-BOLT), booked by betaspace from Sat 12 Dec on.
        For Bea, Cem or Dilek (approvers of attraktor), until Mon 14 Dec, 00:00.
        Asked by Anna (attraktor)

        Item: M3 bolt, M3-BOLT, status OK
        Comes from: attraktor, Workshop/Drawer A3
        Goes to: betaspace
        Loan: it stays attraktor's; back by Sat 19 Dec 2026, that day included.
        ⚠ In InvenTree now: 10 × M3 bolt: only 3 left

        ✅ yes, they have it · 📦 yes, it goes by parcel · ❌ not today
        Nothing has moved. · k7m2
        """,
    ),
    "not fetched": (
        card(booked(state=TransferState.EXPIRED, ended=UNTIL, problem="not-fetched", role="receiver"), ours=False),
        """
        Booking over: 1 × Laser lens 2.0″ (LENS-2, serial 0042) stays at attraktor.
        Nobody from betaspace picked it up by Mon 14 Dec, 00:00.
        Nothing has moved. Anna can book anew.
        k7m2
        """,
    ),
    "booked": (
        say(messages.booking.booked, transfer=booked(), **OUR),
        """
        📅 Booked: 1 × Laser lens 2.0″ (LENS-2, serial 0042) for betaspace, from Sat 12 Dec until Sat 19 Dec 2026.
        Pick it up at attraktor by Sun 13 Dec 2026. After that the booking lapses.
        To give it up: !fed cancel k7m2
        """,
    ),
    "at risk": (
        say(messages.booking.obstacles, transfer=booked(obstacles=ALL[:3]), **OUR),
        """
        ⚠ The booking of 1 × Laser lens 2.0″ (LENS-2, serial 0042) from Sat 12 Dec on is at risk.
        ⚠ In InvenTree now:
        • 1 × Laser lens 2.0″: the stock item isn't there any more, or is another thing now
        • 1 × Laser lens 2.0″: it isn't in attraktor's stock any more
        • 1 × Laser lens 2.0″: only 3 left
        Fix it in attraktor's InvenTree, or give it up: !fed cancel k7m2
        """,
    ),
    "at risk for other reasons": (
        say(messages.booking.obstacles, transfer=booked(obstacles=ALL[3:]), **OUR),
        """
        ⚠ The booking of 1 × Laser lens 2.0″ (LENS-2, serial 0042) from Sat 12 Dec on is at risk.
        ⚠ In InvenTree now:
        • 1 × Laser lens 2.0″: its condition has changed
        • 1 × Laser lens 2.0″: it is still lent to somebody else
        Fix it in attraktor's InvenTree, or give it up: !fed cancel k7m2
        """,
    ),
    "not at risk any more": (
        say(messages.booking.obstacles, transfer=booked(), **OUR),
        """
        ✅ The booking of 1 × Laser lens 2.0″ (LENS-2, serial 0042) from Sat 12 Dec on stands again.
        k7m2
        """,
    ),
    "a reminder to hand it over": (
        say(messages.booking.hand_over_reminder, transfer=booked(calls=True), people={CEM: "Cem"}, others=2, **OUR),
        """
        @Cem and others: ⏰ Has betaspace picked up 1 × Laser lens 2.0″ (LENS-2, serial 0042)?
        Tap ✅ or ❌ on the card. The last day to pick it up is Sun 13 Dec 2026; then the booking lapses.
        k7m2
        """,
    ),
    "a first day without a last one": (
        say(messages.booking.starts_without_an_end, line="request 1 LENS-2 from betaspace from 12.12. for 1 week"),
        """
        Not done: I know the first day, but not the last one. Nothing was sent.
        For example: !fed request 1 LENS-2 from betaspace from 12.12. for 1 week
        """,
    ),
    "a card whose yes breaks a booking": (
        card(replace(request(role="sender"), over=KEPT)),
        """
        betaspace asks attraktor for 1 × Laser lens 2.0″ (LENS-2, serial 0042), to keep. Give it?
        ⚠ A yes breaks a booking: Laser lens for gammaspace, Sat 12 Dec to Sat 19 Dec 2026 (k7m2).
        For Bea, Cem or Dilek (approvers of attraktor), until Tue 1 Dec, 20:14.
        Asked by Bea (betaspace)

        Item: Laser lens 2.0″, LENS-2, serial 0042, status OK
        Comes from: attraktor, Cabinet L1
        Goes to: betaspace

        ✅ yes, it may go · ❌ no, sorry
        By parcel? Add 📦, or reply: !fed approve --parcel
        Nothing has moved yet. · k7m2
        """,
    ),
    "not free then": (
        say(
            messages.booking.booked_then,
            item=ITEM,
            wanted=Decimal(1),
            bookings=KEPT,
            nearest=(LAST, date(2026, 12, 27)),
        ),
        """
        Not booked: 1 × Laser lens 2.0″ (stock #42) isn't free then.
        Booked: Laser lens for gammaspace, Sat 12 Dec to Sat 19 Dec 2026 (k7m2)
        The nearest free days are Sat 19 Dec 2026 to Sun 27 Dec 2026. Nothing was sent.
        """,
    ),
    "never free then": (
        say(messages.booking.booked_then, item=ITEM, wanted=Decimal(1), bookings=(), nearest=None),
        """
        Not booked: 1 × Laser lens 2.0″ (stock #42) isn't free then.
        Within a year there are no free days. Nothing was sent.
        """,
    ),
    "a second yes": (
        say(
            messages.booking.would_break,
            what="Laser lens 2.0″",
            bookings=KEPT,
            line="!fed push #42 to gamma --over-booking",
        ),
        """
        ⚠ Not done yet: Laser lens 2.0″ is booked. This would break:
        • Laser lens for gammaspace, Sat 12 Dec to Sat 19 Dec 2026 (k7m2)
        If you mean it, say: !fed push #42 to gamma --over-booking
        """,
    ),
    "others were quicker": (
        card(replace(request(BOLTS, state=TransferState.DECLINED), problem="booked:2026-12-20:2026-12-27"), ours=False),
        """
        ❌ Not given: 10 × M3 bolt (M3-BOLT).
        Why: it is booked then. The nearest free days are Sun 20 Dec 2026 to Sun 27 Dec 2026.
        Nothing has moved.
        Ask for other days.
        k7m2
        """,
    ),
    "no free days, or a strange answer": (
        card(replace(request(BOLTS, state=TransferState.DECLINED), problem="booked"), ours=False),
        """
        ❌ Not given: 10 × M3 bolt (M3-BOLT).
        Why: it is booked then.
        Nothing has moved.
        Ask for other days.
        k7m2
        """,
    ),
    "the calendar": (
        say(messages.calendar.calendar, entries=ENTRIES, first=date(2026, 11, 24), last=LAST, about="", **NAMED),
        """
        📅 Tue 24 Nov to Sat 19 Dec 2026:
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Sat 12 Dec: betaspace picks up 1 × Laser lens 2.0″ at attraktor, until Sat 19 Dec 2026 (k7m2)
        • Sat 19 Dec: betaspace brings 1 × Laser lens 2.0″ back to attraktor (k7m2)
        """,
    ),
    "a long calendar of one space": (
        say(messages.calendar.calendar, entries=ENTRIES[:1] * 41, first=FIRST, last=LAST, about="betaspace", **NAMED),
        """
        📅 betaspace, Sat 12 Dec to Sat 19 Dec 2026:
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • Tue 24 Nov: ⚠ betaspace has 10 × M3 bolt of attraktor overdue since Sat 19 Dec 2026 (k7m2)
        • and 1 more
        """,
    ),
    "an empty calendar": (
        say(messages.calendar.calendar, entries=(), first=FIRST, last=LAST, about="", **NAMED),
        """
        Nothing is picked up or due back, Sat 12 Dec to Sat 19 Dec 2026.
        Another month, for example: !fed calendar january
        """,
    ),
    "an empty calendar of an item": (
        say(messages.calendar.calendar, entries=(), first=FIRST, last=LAST, about="LENS-2", **NAMED),
        """
        Nothing of LENS-2 is picked up or due back, Sat 12 Dec to Sat 19 Dec 2026.
        Another month, for example: !fed calendar january
        """,
    ),
    "the agenda in the morning": (
        say(messages.calendar.agenda, entries=ENTRIES[1:], **NAMED),
        """
        📅 Today and tomorrow:
        • Sat 12 Dec: betaspace picks up 1 × Laser lens 2.0″ at attraktor, until Sat 19 Dec 2026 (k7m2)
        • Sat 19 Dec: betaspace brings 1 × Laser lens 2.0″ back to attraktor (k7m2)
        """,
    ),
    "a booking from anyone": (
        say(messages.booking.booking_from_anyone),
        """
        Not done: a booking needs one certain space. Nothing was sent.
        Look who has it, then name that space: !fed help find
        """,
    ),
    "the last day before the first": (
        say(messages.booking.ends_before_it_starts, first=LAST, last=FIRST),
        """
        Not done: it would end before it begins. Nothing was sent.
        The first day is Sat 19 Dec 2026, the last one Sat 12 Dec 2026.
        """,
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_it_reads_as_written_here(name: str) -> None:
    phrase, text = SAID[name]
    assert plain(phrase) == dedent(text).strip()
