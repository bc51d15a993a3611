"""Sentences about bookings: on cards, on the first day, about conflicts and refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.diagnosis import Hindrance
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.ledger import AgendaEntry, NeighbourEntry, OnThatDay
from fedbot.rules.model.lending import Obstacle, Reserved
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.stock import Part, StockItem
from fedbot.rules.model.transfer import Line, Transfer
from tests.messages.test_outside_words import LOAN
from tests.scenarios.scenes import ALPHA, BETA, BOLTS, BY_BEA, CEM, DUE, LENS, LOCALES, PEOPLE, plain, request, transfer

OPEN, BOOKED = TransferState.OPEN, TransferState.BOOKED
FIRST, LAST = date(2026, 12, 12), date(2026, 12, 19)
UNTIL = datetime(2026, 12, 13, 23, tzinfo=UTC)
OUR: dict[str, Any] = {"us": ALPHA, "peer_name": "betaspace"}


def ahead(given: Transfer, **fields: object) -> Transfer:
    """The same transfer, booked from 12 to 19 December."""
    return replace(given, terms=replace(given.terms, starts=FIRST, loan_until=LAST), **fields)  # type: ignore[arg-type]


def booked(*lines: Line, role: str = "sender", **fields: object) -> Transfer:
    """A booking on which both have agreed."""
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
WITH_NEIGHBOURS = (
    NeighbourEntry(date(2026, 11, 24), OnThatDay.OVERDUE, LOAN),
    NeighbourEntry(LAST, OnThatDay.BACK, replace(LOAN, until=LAST)),
)
NAMED: dict[str, Any] = {"names": {"beta": "betaspace"}, "us": ALPHA}
SAID: dict[str, Phrase] = {
    "an offer for later": card(ahead(transfer()), ours=False),
    "a request for later": card(ahead(request(BOLTS, role="sender"))),
    "the card of a booking, once another one asks whether it was fetched": say(
        messages.booking.first_day_is_here, transfer=booked(calls=True)
    ),
    "a card of what is booked": card(booked(role="receiver"), ours=False),
    "given up, and not noted yet": card(booked(role="receiver", wanted="cancel"), ours=False),
    "to be handed over": card(booked(calls=True)),
    "to be handed over, but there is less": card(booked(BOLTS, calls=True, obstacles=LESS)),
    "not fetched": card(
        booked(state=TransferState.EXPIRED, ended=UNTIL, problem="not-fetched", role="receiver"), ours=False
    ),
    "booked": say(messages.booking.booked, transfer=booked(), **OUR),
    "picked up, says a borrower": say(messages.booking.lender_says_it, transfer=booked(role="receiver"), **OUR),
    "picked up, says a lender": say(messages.booking.lender_says_it, transfer=booked(), **OUR),
    "at risk": say(messages.booking.obstacles, transfer=booked(obstacles=ALL[:3]), **OUR),
    "at risk for other reasons": say(messages.booking.obstacles, transfer=booked(obstacles=ALL[3:]), **OUR),
    "not at risk any more": say(messages.booking.obstacles, transfer=booked(), **OUR),
    "a reminder to hand it over": say(
        messages.booking.hand_over_reminder, transfer=booked(calls=True), people={CEM: "Cem"}, others=2, **OUR
    ),
    "a first day without a last one": say(
        messages.booking.starts_without_an_end, line="request 1 LENS-2 from betaspace from 12.12. for 1 week"
    ),
    "a card whose yes breaks a booking": card(replace(request(role="sender"), over=KEPT)),
    "not free then": say(
        messages.booking.booked_then,
        item=ITEM,
        wanted=Decimal(1),
        bookings=KEPT,
        nearest=(LAST, date(2026, 12, 27)),
    ),
    "never free then": say(messages.booking.booked_then, item=ITEM, wanted=Decimal(1), bookings=(), nearest=None),
    "a second yes": say(
        messages.booking.would_break,
        what="Laser lens 2.0″",
        bookings=KEPT,
        line="!fed push #42 to gamma --over-booking",
    ),
    "others were quicker": card(
        replace(request(BOLTS, state=TransferState.DECLINED), problem="booked:2026-12-20:2026-12-27"), ours=False
    ),
    "no free days, or a strange answer": card(
        replace(request(BOLTS, state=TransferState.DECLINED), problem="booked"), ours=False
    ),
    "the calendar": say(
        messages.calendar.calendar, entries=ENTRIES, first=date(2026, 11, 24), last=LAST, about="", **NAMED
    ),
    "a long calendar of one space": say(
        messages.calendar.calendar, entries=ENTRIES[:1] * 41, first=FIRST, last=LAST, about="betaspace", **NAMED
    ),
    "an empty calendar": say(messages.calendar.calendar, entries=(), first=FIRST, last=LAST, about="", **NAMED),
    "an empty calendar of an item": say(
        messages.calendar.calendar, entries=(), first=FIRST, last=LAST, about="LENS-2", **NAMED
    ),
    "the agenda in the morning": say(messages.calendar.agenda, entries=ENTRIES[1:], **NAMED),
    "the agenda, with what neighbours have": say(
        messages.calendar.agenda, entries=ENTRIES[1:], outside=WITH_NEIGHBOURS, **NAMED
    ),
    "its last day passed while the owner was down": card(
        booked(state=TransferState.EXPIRED, ended=UNTIL, problem="day-over", role="receiver"), ours=False
    ),
    "a reminder that it waits to be handed over": say(
        messages.approval.reminder, subject=booked(calls=True), us=ALPHA, people={CEM: "Cem"}, others=0
    ),
    "in the history": say(
        messages.history.ledger,
        transfers=(booked(), booked(state=TransferState.EXPIRED, decided=None)),
        names={"beta": "betaspace"},
        space="",
        item="",
        days=0,
        before=0,
        total=2,
        more=False,
    ),
    "a booking from anyone": say(messages.booking.booking_from_anyone),
    "the last day before the first": say(messages.booking.ends_before_it_starts, first=LAST, last=FIRST),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
