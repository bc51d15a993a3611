"""What a loan's stock items are, for who looks at them in InvenTree: in notes, tags and the history.

Derived from what the journal knows, each time that something of the loan has changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from fedbot import messages
from fedbot.rules.catalogue.provenance import known_item
from fedbot.rules.loan import bookings, lend
from fedbot.rules.loan.bookings import Claim, Span
from fedbot.rules.model import audit
from fedbot.rules.model.effects import Do, say
from fedbot.rules.model.events import StepDone, StepRefused, StepUnknown
from fedbot.rules.model.lifecycles import Ending
from fedbot.rules.model.queries import OfLine, WhenStepEnds
from fedbot.rules.model.steps import BookedFor, Known, Label, LoanLabel, day_in_notes
from fedbot.rules.model.transfer import Progress, Transfer
from fedbot.rules.state import Turn

_STAGES = frozenset({"handed", "back"}) | lend.CAME_BACK
_AT_THE_OWNER = {
    Ending.RETURNED: LoanLabel.NOTHING,
    Ending.GIFT: LoanLabel.GIVEN,
    Ending.LOST: LoanLabel.LOST_THERE,
    Ending.KEPT: LoanLabel.LENT,
}
_AT_THE_BORROWER = {
    Ending.RETURNED: LoanLabel.RETURNED,
    Ending.GIFT: LoanLabel.GIFT,
    Ending.LOST: LoanLabel.LOST_HERE,
    Ending.KEPT: LoanLabel.BORROWED,
}


def until(transfer: Transfer) -> str:
    """For InvenTree's history: ' until 15 Dec 2026'; '' of what is no loan."""
    return f" until {day_in_notes(transfer.due_day)}" if transfer.is_loan and transfer.due_day is not None else ""


def show(turn: Turn, transfer: Transfer) -> None:
    """The stock items of this loan, or return, say what they are now."""
    for progress in transfer.progress:
        what = _what(turn, transfer, progress)
        if what is not None and progress.item is not None:
            turn.do(Do(LabelItem(transfer.id, progress.number), _label(turn, transfer, progress, what)))


def _label(turn: Turn, transfer: Transfer, progress: Progress, what: LoanLabel) -> Label:
    loan = turn.transfer(transfer.terms.parent) if transfer.is_return else transfer
    loan = loan or transfer
    return Label(
        mark=f"fed:{transfer.id}:{progress.number}:label",
        item=progress.item or 0,
        what=what,
        peer_name=turn.party_name(transfer.peer),
        code=loan.code,
        until=loan.due_day,
        known=_known(turn, transfer, progress.number),
    )


def show_bookings(turn: Turn, transfer: Transfer) -> None:
    """The stock items of this booking say who has booked them: they may be booked by others, too."""
    for line in transfer.terms.lines:
        items = dict.fromkeys((line.item, transfer.at(line.number).item or line.item))  # a split copies the notes
        for item in items:
            spans = bookings.spans(turn, item, Claim.DECIDED)
            booked = tuple(_booked_for(turn, span.booking, span) for span in spans if span.booking is not None)
            mark = f"fed:{transfer.id}:{line.number}:booked:{item}"
            known = Known(line.part, line.serial)
            step = Label(mark, item, LoanLabel.AS_IS, "", transfer.code, known=known, booked=booked)
            turn.do(Do(LabelItem(transfer.id, line.number), step))


def _booked_for(turn: Turn, booking: Transfer, span: Span) -> BookedFor:
    first, last = booking.terms.starts or span.first, booking.terms.loan_until or span.first
    return BookedFor(turn.party_name(booking.peer), first, last, booking.code)


def _known(turn: Turn, transfer: Transfer, number: int) -> Known | None:
    """A returned item may be split off from the lender's own item: then it has only the return's marks."""
    known = known_item(turn, transfer, number)
    is_home = known is not None and known.mark and transfer.is_return and transfer.role == "receiver"
    return replace(known, mark=f"fed:{transfer.id}:{number}:") if known is not None and is_home else known


def _what(turn: Turn, transfer: Transfer, progress: Progress) -> LoanLabel | None:
    """What that line's stock item is; None if there is nothing of ours in its notes to change."""
    if progress.stage not in _STAGES:
        return None
    if transfer.is_return:
        return _of_a_return(transfer, progress)
    if not transfer.is_loan:
        return None
    if progress.stage == "back":
        return LoanLabel.NOTHING
    is_owner = transfer.role == "sender"
    ending = transfer.ending_of(progress.number)
    if ending is None and progress.number not in lend.not_back(turn, transfer) and progress.stage in lend.CAME_BACK:
        ending = Ending.RETURNED  # this thing is back, others are still out
    if ending is None:
        return LoanLabel.LENT if is_owner else LoanLabel.BORROWED
    return (_AT_THE_OWNER if is_owner else _AT_THE_BORROWER)[ending]


def _of_a_return(transfer: Transfer, progress: Progress) -> LoanLabel | None:
    """A split copies the notes: what left the borrower isn't borrowed any more, what is home isn't lent."""
    if transfer.role == "receiver":
        return LoanLabel.NOTHING if progress.stage in lend.CAME_BACK else None
    if progress.stage == "back":
        return LoanLabel.BORROWED
    return LoanLabel.RETURNED if progress.stage in lend.CAME_BACK else None


@dataclass(frozen=True)
class LabelItem(OfLine, WhenStepEnds):
    """A stock item says what it is now."""

    def done(self, turn: Turn, _: StepDone) -> None:
        """Nothing follows."""
        turn.note(self.transfer, audit.StepWasDone(Label.__name__, self.line))

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """The admins are told once a day, nothing waits for it. Of what is gone, nobody is told."""
        _on_not_labelled(turn, self, event)


def _on_not_labelled(turn: Turn, then: LabelItem, event: StepRefused | StepUnknown) -> None:
    if isinstance(event, StepRefused) and event.reason == "gone":
        return
    transfer = turn.transfer(then.transfer)
    if transfer is not None and turn.tell_once("labelling", timedelta(days=1)):
        item = transfer.at(then.line).item or 0
        phrase = say(messages.loan.not_labelled, transfer=transfer, item=item, problem=event.problem)
        turn.tell_admins(phrase, f"labelling:{turn.now.date()}")
