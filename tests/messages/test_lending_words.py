"""Sentences about loans: cards, due dates, extensions, ends, and refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from fedbot import messages
from fedbot.rules.model.decision import Closing, Signature
from fedbot.rules.model.diagnosis import ItemFault, OfItem, Speaker, Verbatim
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.lending import LentBefore
from fedbot.rules.model.lifecycles import Ending, TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.stock import Part, StockItem
from fedbot.rules.model.transfer import Line, Progress, Terms, Transfer
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
    LOCALES,
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
    """A push with a due date."""
    given = transfer(*lines or (LENS,), role=role)
    terms = replace(given.terms, loan_until=DAY)
    progress = tuple(
        Progress(line.number, stage="placed", item=1207, part=3, place="Laser room") for line in terms.lines
    )
    done = {"state": TransferState.DONE, "decided": BY_BEA, "ended": NOW, "progress": progress, "terms": terms}
    return replace(given, **(done | fields))  # type: ignore[arg-type]


def abroad(loan: Transfer, zone: str = "Pacific/Auckland") -> Transfer:
    """The same loan with an owner in another time zone."""
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


def card(what: Transfer, us: PartyConfig = ALPHA, peer_name: str = "betaspace", due: date | None = None) -> Phrase:
    return say(messages.transfer_card.transfer_card, transfer=what, us=us, peer_name=peer_name, people=PEOPLE, due=due)


def closed(how: Ending) -> Transfer:
    return lent(role="sender", closed=Closing(how, BY_PIET))


OPEN, DONE = TransferState.OPEN, TransferState.DONE
PART = Part(3, "Laser lens 2.0″", "LENS-2")
ITEM = StockItem(1207, PART, Decimal(10))
OUR: dict[str, Any] = {"us": ALPHA, "peer_name": "betaspace"}


LOST_HERE: dict[str, Any] = {
    "loan": lent(closed=Closing(Ending.LOST, BY_PIET)),
    "lines": (LENS,),
    "us": BETA,
    "peer_name": "attraktor",
}
SEVERAL = lent(LENS, replace(BOLTS, number=2), replace(CABLE, number=3), role="sender")


LONG_AGO = LentBefore("2" * 20, "Repair Café", date(2026, 11, 12))


def had_before(role: str = "receiver") -> Transfer:
    """A loan from before the borrower had a bot."""
    given = lent(role=role, state=OPEN, decided=None, ended=None)
    return replace(given, terms=replace(given.terms, outside=LONG_AGO))


SAID: dict[str, Phrase] = {
    "an open card of what is there already": card(had_before(), BETA, "attraktor"),
    "the offer of what is there already": say(
        messages.transfer_card.transfer_offered,
        transfer=had_before("sender"),
        connection=connection(),
        us=ALPHA,
    ),
    "an open card": card(lent(state=OPEN, decided=None, ended=None), BETA, "attraktor"),
    "done": card(lent(), BETA, "attraktor"),
    "done, and longer": card(lent(back_by=date(2027, 1, 31)), BETA, "attraktor"),
    "back": card(closed(Ending.RETURNED)),
    "offered": say(
        messages.transfer_card.transfer_offered,
        transfer=lent(role="sender", state=OPEN),
        connection=connection(),
        us=ALPHA,
    ),
    "at its end": say(
        messages.transfer_card.transfer_end,
        transfer=lent(role="sender", progress=(Progress(1, stage="arrived", item=42),)),
        **OUR,
    ),
    "a return to decide": card(child("return")),
    "a return that is home": card(child("return", state=DONE, decided=BY_PIET)),
    "a return that could not go to its old place": card(
        child("return", state=DONE, decided=BY_PIET, progress=(Progress(1, part=3, match="lent", place="Incoming"),))
    ),
    "a return that is not here": card(child("return", state=TransferState.DECLINED, decided=BY_PIET)),
    "a return that can't be": card(child("return", state=TransferState.DECLINED, problem="in-parts")),
    "a return is offered": say(
        messages.transfer_card.transfer_offered,
        transfer=child("return", role="sender"),
        connection=connection(),
        us=BETA,
    ),
    "the owner has it": say(messages.loan.return_asked, transfer=child("return", asked=BY_ANNA, damaged=True), **OUR),
    "a return at its end": say(
        messages.transfer_card.transfer_end,
        transfer=child("return", role="sender", state=DONE, decided=BY_PIET, damaged=True),
        us=BETA,
        peer_name="attraktor",
    ),
    "more time to decide": card(child("extension", role="sender"), due=date(2026, 12, 1)),
    "more time is asked for": say(
        messages.transfer_card.transfer_requested, transfer=child("extension"), connection=connection(), us=BETA
    ),
    "more time is not given": card(child("extension", role="sender", state=TransferState.DECLINED, decided=BY_PIET)),
    "more time at its end": say(
        messages.transfer_card.transfer_end,
        transfer=child("extension", role="sender", state=DONE, decided=BY_PIET),
        **OUR,
    ),
    "more time at once": say(messages.loan.loan_extended, loan=lent(role="sender", back_by=date(2027, 1, 31)), **OUR),
    "more time at once, with a reason": say(
        messages.loan.loan_extended,
        loan=lent(role="sender", back_by=date(2027, 1, 31)),
        note="the fair is later",
        **OUR,
    ),
    "lost, with a reason": say(
        messages.loan.loan_closed,
        loan=SEVERAL,
        part=Closing(Ending.LOST, replace(BY_PIET, note="it fell into the lake")),
        lines=(BOLTS,),
        **OUR,
    ),
    "a gift": say(messages.loan.loan_closed, loan=closed(Ending.GIFT), **OUR),
    "lost": say(messages.loan.loan_closed, loan=closed(Ending.LOST), **OUR),
    "lost, but not noted": say(messages.loan.loss_not_noted, loan=closed(Ending.LOST), problem=SAYS_NO),
    "a reminder of what is out still, by the owner's day": say(
        messages.loan.loan_reminder,
        loan=abroad(lent(LENS, BOLTS)),
        out=(LENS, replace(BOLTS, quantity=Decimal(4))),
        us=BETA,
        peer_name="attraktor",
        people={ANNA: "Bea"},
        today=date(2026, 12, 14),
    ),
    "done, by a calendar that nobody here knows": card(abroad(lent(BOLTS), "Mars/Mount_Sharp"), BETA, "attraktor"),
    "done, by a calendar that is ours under another name": card(abroad(lent(), "Europe/Vienna"), BETA, "attraktor"),
    "a reminder, three days before": say(
        messages.loan.loan_reminder,
        loan=lent(),
        us=BETA,
        peer_name="attraktor",
        people={ANNA: "Bea"},
        today=date(2026, 12, 12),
    ),
    "a reminder, a day before": say(
        messages.loan.loan_reminder,
        loan=lent(),
        us=BETA,
        peer_name="attraktor",
        people={ANNA: "Bea"},
        today=date(2026, 12, 14),
    ),
    "a reminder, on the day": say(
        messages.loan.loan_reminder, loan=lent(), us=BETA, peer_name="attraktor", people={ANNA: "Bea"}, today=DAY
    ),
    "a reminder, overdue": say(
        messages.loan.loan_reminder,
        loan=lent(),
        us=BETA,
        peer_name="attraktor",
        people={ANNA: "Bea"},
        today=date(2026, 12, 22),
    ),
    "no day": say(messages.loan.day_unclear, word="3 weaks"),
    "a day that may be two": say(messages.loan.day_ambiguous, word="3/4", days=(date(2027, 4, 3), date(2027, 3, 4))),
    "a day that is over": say(messages.loan.day_is_past, day=date(2025, 11, 24)),
    "a day too far ahead": say(messages.loan.day_too_far, day=date(2030, 1, 1)),
    "no loan": say(messages.loan.no_loan, subject=transfer(BOLTS)),
    "not on loan yet": say(messages.loan.not_on_loan, loan=lent(state=OPEN), **OUR),
    "not on loan any more": say(messages.loan.not_on_loan, loan=closed(Ending.GIFT), **OUR),
    "lost, for the lender": say(
        messages.loan.was_lost, loan=closed(Ending.LOST), lines=(LENS,), item=1207, are_friends=True, **OUR
    ),
    "lost, for the borrower": say(messages.loan.was_lost, **LOST_HERE, item=1207, are_friends=True),
    "lost, and the stock item isn't known": say(
        messages.loan.was_lost, loan=closed(Ending.LOST), lines=(LENS,), item=None, are_friends=True, **OUR
    ),
    "lost by a former friend": say(messages.loan.was_lost, **LOST_HERE, item=1207, are_friends=False),
    "lost, and turned up": say(
        messages.loan.was_lost, **LOST_HERE, item=1207, are_friends=True, back=replace(transfer(LENS), code="wtyb")
    ),
    "the owner decides": say(messages.loan.owner_decides, loan=lent(), peer_name="attraktor", usage="gift [ID]"),
    "which of several is damaged": say(messages.loan.which_is_damaged, loan=lent(BOLTS), word="broken"),
    "the owner sees damage": say(messages.loan.owner_sees_damage, loan=lent(), peer_name="attraktor"),
    "under way already": say(messages.loan.return_under_way, loan=lent(), transfer=child("return"), **OUR),
    "under way, said the lender": say(
        messages.loan.return_under_way,
        loan=lent(),
        transfer=child("return", asked=BY_ANNA, role="sender"),
        us=BETA,
        peer_name="attraktor",
    ),
    "unknown stock": say(messages.loan.borrowed_stock_unknown, loan=lent(), peer_name="beta"),
    "several things": say(
        messages.loan.which_things_of_a_loan,
        loan=SEVERAL,
        lines=(LENS, replace(CABLE, number=3)),
        everything=4,
        verb="return",
    ),
    "less is back than announced": say(
        messages.loan.less_is_back, back=child("return"), loan="gp75", quantity=Decimal(3)
    ),
    "nothing is called so": say(messages.loan.no_such_thing_lent, loan=SEVERAL, word="LENS-3", numbers=(1, 2)),
    "several are called so": say(messages.loan.several_things_called_so, loan=SEVERAL, numbers=(1, 2), verb=""),
    "which of those": say(messages.loan.several_things_called_so, loan=SEVERAL, numbers=(1, 2), verb="return"),
    "more than is out": say(
        messages.loan.more_than_out, loan=lent(BOLTS), line=BOLTS, wanted=Decimal(12), out=Decimal(10)
    ),
    "what is not out": say(
        messages.loan.more_than_out, loan=lent(BOLTS), line=BOLTS, wanted=Decimal(12), out=Decimal(0)
    ),
    "a part of a thing can not be a gift": say(
        messages.loan.only_all_of_a_thing, loan=lent(BOLTS), usage="gift [ID] [THING]"
    ),
    "one thing of several is a gift": say(
        messages.loan.loan_closed, loan=SEVERAL, part=Closing(Ending.GIFT, BY_PIET), lines=(BOLTS,), **OUR
    ),
    "one thing of several is lost": say(
        messages.loan.loan_closed, loan=SEVERAL, part=Closing(Ending.LOST, BY_PIET), lines=(BOLTS,), **OUR
    ),
    "several things that ended otherwise": card(
        lent(
            LENS,
            replace(BOLTS, number=2),
            role="sender",
            closed=Closing(Ending.LOST, BY_PIET),
            line_ends=(Closing(Ending.LOST, BY_PIET, 2),),
        )
    ),
    "kept, as its owner is gone": say(
        messages.loan.not_on_loan, loan=lent(closed=Closing(Ending.KEPT, BY_BEA)), us=BETA, peer_name="attraktor"
    ),
    "moved by the borrower": say(
        messages.loan.borrowed_is_elsewhere,
        loan=lent(BOLTS),
        line=replace(BOLTS, item=1207),
        item=ITEM,
        there=Decimal(7),
    ),
    "gone at the borrower": say(
        messages.loan.borrowed_is_elsewhere, loan=lent(), line=replace(LENS, item=1207), item=None, there=Decimal(0)
    ),
    "returned from something else than a stock item": say(
        messages.loan.returned_from_one_item, loan=lent(), word="the drawer"
    ),
    "returned from another part": say(messages.loan.not_of_that_part, loan=lent(), item=7),
    "not salable any more": say(messages.loan.borrowed_not_salable, loan=lent(), item=ITEM),
    "moved by the owner": say(messages.loan.can_not_come_back, loan=lent(role="sender"), reason="moved", **OUR),
    "in parts": say(messages.loan.can_not_come_back, loan=lent(role="sender"), reason="in-parts", **OUR),
    "a part of it longer": say(messages.loan.extended_as_a_whole, loan=lent(), line="!fed extend k7m2 2 weeks"),
    "until when": say(messages.loan.extend_until_when, usage="extend [ID] TIME", example="extend 2 weeks"),
    "longer anyway": say(messages.loan.due_later_already, loan=lent()),
    "earlier than agreed": say(messages.loan.agreed_until_later, loan=lent(back_by=date(2027, 1, 31))),
    "nothing on loan": say(messages.loan.nothing_on_loan),
    "asked for already": say(messages.loan.extension_asked_already, loan=lent(), transfer=child("extension")),
    "back, as the owner says alone": say(
        messages.loan.over_but_in_our_books, loan=lent(), peer_name="attraktor", numbers=(1,)
    ),
    "lost, as the owner says": say(
        messages.loan.over_but_in_our_books,
        loan=lent(line_ends=(Closing(Ending.LOST, BY_PIET, 1),)),
        peer_name="attraktor",
        numbers=(1,),
    ),
    "not taken out": say(messages.loan.not_written_off, loan=lent(), problem=OfItem(ItemFault.ALLOCATED, 1207)),
    "not in the notes": say(messages.loan.not_labelled, transfer=lent(), item=1207, problem=SAYS_NO),
    "a gift, but not noted": say(messages.loan.gift_not_noted, loan=closed(Ending.GIFT), problem=SAYS_NO),
    "nobody to hand it back to": say(messages.loan.no_friends_to_return_to, loan=lent(), peer_name="attraktor"),
    "an answer that another card has": say(messages.loan.not_on_this_card, subject=transfer(BOLTS)),
    "a remark": say(messages.loan.remark_noted, transfer=child("return")),
    "a remark of somebody who is switched off": say(
        messages.loan.remark_not_noted, transfer=child("return"), problem=None
    ),
    "a remark while InvenTree is silent": say(messages.loan.remark_not_noted, transfer=child("return"), problem=SILENT),
    "a photo": say(messages.loan.photo_kept, transfer=child("return"), items=(42, 43)),
    "a photo that is too large": say(
        messages.loan.photo_not_kept, transfer=child("return"), reason="too-large", problem=None
    ),
    "one photo too many": say(messages.loan.photo_not_kept, transfer=child("return"), reason="too-many", problem=None),
    "a photo that the bot may not attach": say(
        messages.loan.photo_not_kept,
        transfer=child("return"),
        reason="not-permitted",
        problem=SAYS_NO,
    ),
    "a photo that InvenTree refuses": say(
        messages.loan.photo_not_kept,
        transfer=child("return"),
        reason="refused",
        problem=Verbatim(Speaker.INVENTREE, "Disk is full."),
    ),
    "borrowed things are not given": say(messages.offer.borrowed_goes_back_by_return, item=ITEM, loan=lent()),
}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("case", SAID)
def test_it_reads_as_in_the_snapshot(case: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert plain(SAID[case], LOCALES[language]) == snapshot
