"""Shows loans in InvenTree: in the notes, tags and history of their stock items.

The text is derived from the journal again whenever the loan changes.
"""

from __future__ import annotations

from dataclasses import replace

from fedbot.rules.catalogue.provenance import LabelItem, known_item
from fedbot.rules.loan import balance
from fedbot.rules.model.effects import Do
from fedbot.rules.model.lifecycles import Ending
from fedbot.rules.model.steps import Known, Label, LoanLabel, day_in_notes
from fedbot.rules.model.transfer import Progress, Transfer
from fedbot.rules.state import Turn

_STAGES = frozenset({"handed", "back"}) | balance.ARRIVED
_AT_THE_LENDER = {
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
    """The due date as a suffix for InvenTree's history: ' until 15 Dec 2026'; '' if it is no loan."""
    return f" until {day_in_notes(transfer.due_day)}" if transfer.is_loan and transfer.due_day is not None else ""


def show(turn: Turn, transfer: Transfer) -> None:
    """Update the notes and tags of the stock items of this loan or return."""
    for progress in transfer.progress:
        what = _what(turn, transfer, progress)
        if what is not None and progress.item is not None:
            label = _label(turn, transfer, progress, progress.item, what)
            turn.do(Do(LabelItem(transfer.id, progress.number), label))


def _label(turn: Turn, transfer: Transfer, progress: Progress, item: int, what: LoanLabel) -> Label:
    loan = (turn.transfer(transfer.terms.parent) if transfer.is_return else None) or transfer
    return Label(
        mark=f"fed:{transfer.id}:{progress.number}:label",
        item=item,
        what=what,
        peer_name=turn.party_name(transfer.peer),
        code=loan.code,
        until=loan.due_day,
        known=_known(turn, transfer, progress.number),
    )


def _known(turn: Turn, transfer: Transfer, number: int) -> Known | None:
    """A returned item may have been split from the lender's own item. Then it has only the marks of the return."""
    known = known_item(turn, transfer, number)
    is_home = known is not None and known.mark and transfer.is_return and transfer.role == "receiver"
    return replace(known, mark=f"fed:{transfer.id}:{number}:") if known is not None and is_home else known


def _what(turn: Turn, transfer: Transfer, progress: Progress) -> LoanLabel | None:
    """The label of that line's stock item; None if the bot has no text to change there.

    An item into which the line was merged back never had one for it.
    """
    if progress.stage not in _STAGES or progress.is_merged_back:
        return None
    if transfer.is_return:
        return _of_a_return(transfer, progress)
    if not transfer.is_loan:
        return None
    if progress.stage == "back":
        return LoanLabel.NOTHING
    is_owner = transfer.role == "sender"
    ending = transfer.ending_of(progress.number)
    if ending is None and progress.number not in balance.not_back(turn, transfer) and progress.stage in balance.ARRIVED:
        ending = Ending.RETURNED  # this line is back, others are still out
    if balance.turned_up(turn, transfer, progress.number) is not None:
        ending = Ending.RETURNED
    if ending is None:
        return LoanLabel.LENT if is_owner else LoanLabel.BORROWED
    return (_AT_THE_LENDER if is_owner else _AT_THE_BORROWER)[ending]


def _of_a_return(transfer: Transfer, progress: Progress) -> LoanLabel | None:
    """The label of a returned line: a split copies the notes, so both sides' labels are replaced."""
    if transfer.role == "receiver":
        return LoanLabel.NOTHING if progress.stage in balance.ARRIVED else None
    if progress.stage == "back":
        return LoanLabel.BORROWED
    return LoanLabel.RETURNED if progress.stage in balance.ARRIVED else None
