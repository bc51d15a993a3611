"""What is lent to a neighbour without a bot, as people read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from textwrap import dedent

import pytest

from fedbot import messages
from fedbot.rules.model.audit import AuditEntry, OutsideIs
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.outside import OutsideLoan
from fedbot.rules.model.outside_lifecycle import OutsideState
from fedbot.rules.model.queries import PartDescription
from tests.scenarios.scenes import ALPHA, BY_ANNA, BY_PIET, NOW, ROOM, plain

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


SAID: dict[str, tuple[Phrase, str]] = {
    "on loan": (
        stands(OutsideState.OUT),
        """
        ✅ 1 × Laser lens 2.0″ (serial 0042) is on loan to Repair Café (outside) until Tue 8 Dec 2026. u5t4
        Lent by Anna (attraktor), Tue 24 Nov, 20:14
        Back: !fed return u5t4 · more time: !fed extend u5t4 2 weeks · !fed gift u5t4 · !fed lost u5t4
        """,
    ),
    "back, damaged": (
        stands(OutsideState.RETURNED, damaged=True, note="scratched", ended=NOW, ended_by=BY_PIET),
        """
        ✅ 1 × Laser lens 2.0″ (serial 0042) is back from Repair Café (outside). u5t4
        Lent by Anna (attraktor), Tue 24 Nov, 20:14
        Ended by Piet, Tue 24 Nov, 20:31
        It came back damaged.
        Note: scratched
        """,
    ),
    "unclear": (
        stands(OutsideState.UNCLEAR, problem=Plain(Fault.SILENT)),
        """
        ⚠ 1 × Laser lens 2.0″ (serial 0042), lent to Repair Café (outside): people have to look. u5t4
        Lent by Anna (attraktor), Tue 24 Nov, 20:14
        Why: InvenTree does not answer.
        Look at it in InvenTree. If it is back, say: !fed return u5t4
        If it was put right by hand, close it here: !fed cancel u5t4
        """,
    ),
    "due tomorrow": (
        reminder(date(2026, 11, 25)),
        """
        @Anna 1 × Laser lens 2.0″ (serial 0042) is due back from Repair Café (outside) by Wed 25 Nov 2026. u5t4
        They have no bot: please call them.
        Back: !fed return u5t4 · more time: !fed extend u5t4 2 weeks · !fed gift u5t4 · !fed lost u5t4
        """,
    ),
    "overdue": (
        reminder(date(2026, 11, 20)),
        """
        @Anna ⚠ 1 × Laser lens 2.0″ (serial 0042) was to be back from Repair Café (outside) by Fri 20 Nov 2026. u5t4
        They have no bot: please call them.
        Back: !fed return u5t4 · more time: !fed extend u5t4 2 weeks · !fed gift u5t4 · !fed lost u5t4
        """,
    ),
    "not marked": (
        say(messages.outside.not_marked, loan=replace(LOAN, problem=Plain(Fault.SILENT))),
        """
        Stock item #42 could not be marked: 1 × Laser lens 2.0″ (serial 0042) (u5t4).
        Why: InvenTree does not answer.
        """,
    ),
    "nobody named": (
        say(messages.outside.neighbour_without_name),
        """
        Not lent: who is it? Name the neighbour, in up to 60 characters.
        For example: !fed lend LENS-2 to outside "Repair Café" for 2 weeks
        """,
    ),
    "several things": (
        say(messages.outside.one_item_to_outside),
        """
        Not lent: a neighbour without a bot gets one stock item a line, now and by hand.
        Write a line for each; name the stock item by its #number if there are several.
        """,
    ),
    "high value": (
        say(messages.outside.two_people_outside),
        """
        Not lent: it would take two people's yes.
        There is no card for neighbours without a bot. Lend it in InvenTree, by hand.
        """,
    ),
    "not so": (
        say(messages.outside.outside_not_so, loan=replace(LOAN, state=OutsideState.GIFT), us=ALPHA),
        """
        Not done: that does not fit now.
        🎁 1 × Laser lens 2.0″ (serial 0042) was given to Repair Café (outside). u5t4
        Lent by Anna (attraktor), Tue 24 Nov, 20:14
        """,
    ),
    "no later day": (
        say(messages.outside.day_not_later, loan=LOAN),
        "Nothing to do: 1 × Laser lens 2.0″ (serial 0042) is on loan until Tue 8 Dec 2026 already. u5t4",
    ),
    "offered to their bot": (
        stands(OutsideState.HANDING_OVER, handing="k7m2", friend="repaircafe"),
        """
        1 × Laser lens 2.0″ (serial 0042) at Repair Café (outside) is offered to repaircafe now. u5t4
        Lent by Anna (attraktor), Tue 24 Nov, 20:14
        See the loan to repaircafe: !fed show k7m2
        """,
    ),
    "handed over": (
        stands(OutsideState.HANDED_OVER, handing="k7m2", friend="repaircafe", ended=NOW, ended_by=BY_PIET),
        """
        ✅ 1 × Laser lens 2.0″ (serial 0042), lent to Repair Café (outside), is an ordinary loan to repaircafe now. u5t4
        Lent by Anna (attraktor), Tue 24 Nov, 20:14
        Ended by Piet, Tue 24 Nov, 20:31
        See the loan to repaircafe: !fed show k7m2
        """,
    ),
    "what neighbours have": (
        say(messages.outside.with_neighbours, loans=(LOAN,), us=ALPHA, today=TODAY),
        """
        Neighbours without a bot have this of attraktor:
        • u5t4 – 1 × Laser lens 2.0″ (serial 0042) at Repair Café (outside), until Tue 8 Dec 2026
        One of them has a bot now and is your friend? A superuser says: !fed outside "Repair Café" is SPACE
        """,
    ),
    "neighbours have nothing": (
        say(messages.outside.with_neighbours, loans=(), us=ALPHA, today=TODAY),
        "Neighbours without a bot have nothing of attraktor.",
    ),
    "not as known": (
        say(messages.outside.not_as_known, neighbour="Repair Café", loans=(LOAN,), us=ALPHA),
        """
        Not handed over: attraktor's InvenTree shows otherwise than I know it.
        • u5t4 – 1 × Laser lens 2.0″ (serial 0042)
        Look at them in InvenTree. Once they are right, say it again.
        """,
    ),
    "nothing to hand over": (
        say(messages.outside.not_as_known, neighbour="Repair Café", loans=(), us=ALPHA),
        """
        Nothing to hand over: Repair Café has nothing of ours, by my books.
        See what neighbours have: !fed outside
        """,
    ),
    "the whole story": (
        say(
            messages.show.outside_story,
            loan=LOAN,
            us=ALPHA,
            entries=((NOW, AuditEntry("u5t4", OutsideIs(OutsideState.OUT))),),
            names={},
        ),
        """
        ✅ 1 × Laser lens 2.0″ (serial 0042) is on loan to Repair Café (outside) until Tue 8 Dec 2026. u5t4
        Lent by Anna (attraktor), Tue 24 Nov, 20:14
        Back: !fed return u5t4 · more time: !fed extend u5t4 2 weeks · !fed gift u5t4 · !fed lost u5t4
        • Tue 24 Nov, 20:31 – it is with the neighbour
        """,
    ),
    "noted": (
        say(messages.outside.outside_noted, loan=LOAN),
        """
        Noted: 1 × Laser lens 2.0″ (serial 0042) at Repair Café (outside). u5t4
        My message about it shows what becomes of it.
        """,
    ),
}


@pytest.mark.parametrize(("phrase", "words"), SAID.values(), ids=SAID)
def test_as_people_read_it(phrase: Phrase, words: str) -> None:
    assert plain(phrase) == dedent(words).strip()
