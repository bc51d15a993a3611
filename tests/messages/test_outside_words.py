"""Sentences about loans to a neighbour without a bot."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.audit import AuditEntry, OutsideIs
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.lifecycles import OutsideState
from fedbot.rules.model.stock import Part, PartDescription, StockItem
from tests.scenarios.scenes import ALPHA, BOLTS, BY_ANNA, BY_PIET, LOCALES, NOW, ROOM, plain, transfer

TODAY = date(2026, 11, 24)
LOAN = OutsideLoan(
    id="u5t4abcdefghjkmnpqrs",
    code="u5t4",
    neighbour="Repair Café",
    by=BY_ANNA,
    room=ROOM,
    until=date(2026, 12, 8),
    source=42,
    part=7,
    description=PartDescription("Laser lens 2.0″", "LENS-2"),
    quantity=Decimal(1),
    serial="0042",
    state=OutsideState.OUT,
)


def stands(state: OutsideState, **changes: object) -> Phrase:
    return say(messages.outside.outside_loan, loan=replace(LOAN, state=state, **changes), us=ALPHA)  # type: ignore[arg-type]  # any


def reminder(until: date) -> Phrase:
    return say(messages.outside.outside_reminder, loan=replace(LOAN, until=until), us=ALPHA, today=TODAY)


LENT_BEFORE = transfer()
ITEM = StockItem(42, Part(7, "Laser lens 2.0″", "LENS-2"), Decimal(1))
SAID: dict[str, Phrase] = {
    "on loan": stands(OutsideState.OUT),
    "back, damaged": stands(OutsideState.RETURNED, damaged=True, note="scratched", ended=NOW, ended_by=BY_PIET),
    "unclear": stands(OutsideState.UNCLEAR, problem=Plain(Fault.SILENT)),
    "due tomorrow": reminder(date(2026, 11, 25)),
    "overdue": reminder(date(2026, 11, 20)),
    "not marked": say(messages.outside.not_marked, loan=replace(LOAN, problem=Plain(Fault.SILENT))),
    "nobody named": say(messages.outside.neighbour_without_name),
    "several things": say(messages.outside.one_item_to_outside),
    "high value": say(messages.outside.two_people_outside),
    "not so": say(messages.outside.outside_not_so, loan=replace(LOAN, state=OutsideState.GIFT), us=ALPHA),
    "less than all": say(messages.outside.outside_goes_whole, loan=LOAN, said="3 pcs"),
    "nothing called so": say(messages.outside.nothing_on_loan_called, word="M3-NUT"),
    "several called so": say(
        messages.outside.several_on_loan, word="lens", loans=(transfer(BOLTS),), neighbours=(LOAN,), verb="return"
    ),
    "which loan": say(messages.outside.several_on_loan, word="", loans=(), neighbours=(LOAN,), verb="extend"),
    "no later day": say(messages.outside.day_not_later, loan=LOAN),
    "offered to their bot": stands(OutsideState.HANDING_OVER, handing="k7m2", friend="repaircafe"),
    "handed over": stands(OutsideState.HANDED_OVER, handing="k7m2", friend="repaircafe", ended=NOW, ended_by=BY_PIET),
    "what neighbours have": say(messages.outside.with_neighbours, loans=(LOAN,), us=ALPHA, today=TODAY),
    "neighbours have nothing": say(messages.outside.with_neighbours, loans=(), us=ALPHA, today=TODAY),
    "not as known": say(messages.outside.not_as_known, neighbour="Repair Café", loans=(LOAN,), us=ALPHA),
    "nothing to hand over": say(messages.outside.not_as_known, neighbour="Repair Café", loans=(), us=ALPHA),
    "the whole story": say(
        messages.overview.outside_story,
        loan=LOAN,
        us=ALPHA,
        entries=((NOW, AuditEntry("u5t4", OutsideIs(OutsideState.OUT))),),
        names={},
    ),
    "noted": say(messages.outside.outside_noted, loan=LOAN),
    "it is here already": say(messages.outside.said_to_be_here, transfer=LENT_BEFORE, item=42),
    "it isn't here": say(messages.outside.said_to_be_here, transfer=LENT_BEFORE, item=0),
    "no such item": say(messages.outside.no_such_item_here, transfer=LENT_BEFORE, word="#42", several=False),
    "several items": say(messages.outside.no_such_item_here, transfer=LENT_BEFORE, word="lens", several=True),
    "another item": say(messages.outside.not_that_one, transfer=LENT_BEFORE, item=ITEM),
    "another one of several": say(messages.outside.not_that_one, transfer=transfer(BOLTS), item=ITEM),
    "never here": say(messages.outside.never_here, subject=transfer()),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
