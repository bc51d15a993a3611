"""The balance of a loan: what was lent, what came back, what is still out; and the terms of a return."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from fedbot.rules.archive import Mark
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Closing, Signature
from fedbot.rules.model.lifecycles import FINAL, Ending, TransferState
from fedbot.rules.model.stock import NO_ITEM_DETAILS, NO_PART_DETAILS, StockItem
from fedbot.rules.model.transfer import Line, Terms, Transfer
from fedbot.rules.protocol.terms import presentable
from fedbot.rules.state import Turn

RETURN = "return"
EXTENSION = "extension"
LOAN_OVER = "loan-over"
"""Reason code: the loan has ended, so nobody can return or extend it any more."""
OTHER_DAY = "other-day"
"""Reason code for a declined extension: the lender has set another due date itself."""
ARRIVED = frozenset({"arrived", "created", "placed"})
"""Stages of a line that has arrived: `arrived` at the sender, `created` and `placed` at the receiver."""
OVER_WITH_STOCK = frozenset({TransferState.RECEIVED, TransferState.DONE})
COMES_IN = frozenset({TransferState.CREDITING, TransferState.DISPUTED})


def children(turn: Turn, loan: Transfer) -> list[Transfer]:
    """The loan's returns and extension requests, oldest first."""
    return turn.marked(Mark.PARENT, loan.id)


def returns(turn: Turn, loan: Transfer) -> list[Transfer]:
    """The loan's returns, oldest first."""
    return [t for t in children(turn, loan) if t.is_return]


def open_extensions(turn: Turn, loan: Transfer) -> list[Transfer]:
    """The loan's extension requests that the lender hasn't decided yet."""
    extensions = (t for t in children(turn, loan) if t.terms.kind == EXTENSION)
    return [t for t in extensions if t.state is TransferState.OPEN]


def open_return(turn: Turn, loan: Transfer) -> Transfer | None:
    """The loan's return that is under way; None if there is none."""
    return next((t for t in turn.open_transfers() if t.is_return and t.terms.parent == loan.id), None)


def lent(loan: Transfer) -> dict[int, Decimal]:
    """The quantity of each line that arrived at the borrower, by line number."""
    return {
        line.number: line.quantity
        for line in loan.lines_come
        if loan.at(line.number).stage in ARRIVED  # a loan's lines use the same stages
    }


def came_back(turn: Turn, loan: Transfer) -> dict[int, Decimal]:
    """The returned quantity of each line that was lent, by line number."""
    back = dict.fromkeys(lent(loan), Decimal(0))
    for transfer in returns(turn, loan):
        for line in transfer.terms.lines if transfer.state in OVER_WITH_STOCK else ():
            if transfer.at(line.number).stage in ARRIVED and line.of_line in back:
                back[line.of_line] += line.quantity
    return back


def not_back(turn: Turn, loan: Transfer) -> dict[int, Decimal]:
    """The quantity of each line that was not returned, by line number: still out, given away or lost."""
    back = came_back(turn, loan)
    rest = {number: quantity - back[number] for number, quantity in lent(loan).items()}
    return {number: quantity for number, quantity in rest.items() if quantity > 0}


def still_out(turn: Turn, loan: Transfer) -> dict[int, Decimal]:
    """The quantity of each line that the borrower still has and must return, by line number."""
    ended = {closing.line for closing in loan.line_ends}
    return {number: quantity for number, quantity in not_back(turn, loan).items() if number not in ended}


def lines_still_out(turn: Turn, loan: Transfer) -> tuple[Line, ...]:
    """The lines that the borrower still has, each with the quantity still out."""
    return tuple(replace(loan.line(number), quantity=quantity) for number, quantity in still_out(turn, loan).items())


def away(turn: Turn, loan: Transfer) -> dict[int, Decimal]:
    """The quantity of each line that the lender doesn't have: still out, or on its way to the borrower."""
    if not loan.is_on_its_way:
        return still_out(turn, loan)
    return {line.number: line.quantity for line in loan.terms.lines if not loan.at(line.number).failed}


def lines_away(turn: Turn, loan: Transfer) -> tuple[Line, ...]:
    """The lines of `away`, each with that quantity."""
    return tuple(replace(loan.line(number), quantity=quantity) for number, quantity in away(turn, loan).items())


def lines_not_back(turn: Turn, loan: Transfer) -> tuple[Line, ...]:
    """The lines of `not_back`, each with that quantity."""
    return tuple(replace(loan.line(number), quantity=quantity) for number, quantity in not_back(turn, loan).items())


def written_off(turn: Turn, loan: Transfer) -> tuple[Line, ...]:
    """The lines that the lender has written off as lost, each with the lost quantity."""
    return tuple(line for line in lines_not_back(turn, loan) if loan.ending_of(line.number) is Ending.LOST)


def lost_before(turn: Turn, peer: str, line: Line) -> list[tuple[Transfer, int]]:
    """The loans, with the number of their line, of which that peer has lost the stock item that this line gives us.

    It is found by its name or IPN, and recognised by the borrower's stock item, which the borrower's bot has told us.
    Only an item that came from us can be one.
    """
    if line.origin != turn.us.party:
        return []
    words = {word.casefold() for word in (line.description.name, line.description.ipn) if word}
    loans = {loan.id: loan for word in words for loan in turn.marked(Mark.WORD, word)}
    ours = [loan for loan in loans.values() if loan.is_loan and loan.role == "sender" and loan.peer == peer]
    return [
        (loan, number)
        for loan in ours
        for number in not_back(turn, loan)
        if loan.ending_of(number) is Ending.LOST
        and (borrowers_stock(loan, number) or (0, 0))[0] == line.item
        and turned_up(turn, loan, number) is None
    ]


def turned_up(turn: Turn, loan: Transfer, number: int) -> Transfer | None:
    """The gift by which the borrower gave that lost item back later, the whole stock item; None if there is none."""
    item, end = loan.at(number).item, loan.closing_of(number)
    if end is None or loan.ending_of(number) is not Ending.LOST:
        return None
    for other in turn.marked(Mark.ITEM, item):
        comes_back = other.role != loan.role and other.peer == loan.peer and not other.moves_what_is_lent
        moved = any(each.item == item and each.stage in ARRIVED for each in other.progress)
        if comes_back and moved and other.state in OVER_WITH_STOCK and other.asked.at >= end.by.at:
            return other
    return None


def as_still_out(turn: Turn, loan: Transfer) -> Transfer:
    """Return the loan reduced to its lines still out, else to those not returned. Only for messages to people."""
    return loan.named_by(lines_away(turn, loan) or lines_not_back(turn, loan) or loan.lines_told)


def still_here(turn: Turn, loan: Transfer) -> dict[int, Decimal]:
    """At the borrower: the quantities still out that no return has begun to book out, by line number."""
    moving = [t for t in returns(turn, loan) if t.state is not TransferState.OPEN]
    return _without(still_out(turn, loan), moving)


def free_to_return(turn: Turn, loan: Transfer, but: str = "") -> dict[int, Decimal]:
    """The quantities still out that no open return covers, by line number. Ignores the return with the id `but`."""
    return _without(still_out(turn, loan), [t for t in returns(turn, loan) if t.id != but])


def _without(out: dict[int, Decimal], going_back: Iterable[Transfer]) -> dict[int, Decimal]:
    """`out` without the quantities that these returns bring back, unless they have failed or finished."""
    rest = dict(out)
    for transfer in going_back:
        if transfer.state in FINAL or transfer.state in OVER_WITH_STOCK:
            continue
        for line in transfer.terms.lines:
            if line.of_line in rest and not transfer.at(line.number).failed:
                rest[line.of_line] -= line.quantity
    return {number: quantity for number, quantity in rest.items() if quantity > 0}


def with_ends(loan: Transfer, end: Closing, numbers: Iterable[int]) -> Transfer:
    """Return the loan with `end` recorded for these lines. A line that has already ended keeps its first end."""
    known = {closing.line for closing in loan.line_ends}
    ends = tuple(replace(end, line=number) for number in numbers if number not in known)
    return replace(loan, line_ends=(*loan.line_ends, *ends))


def borrowers_stock(loan: Transfer, number: int) -> tuple[int, int] | None:
    """The borrower's stock item and part of that line; None if this side doesn't know them."""
    if loan.role == "receiver":
        progress = loan.at(number)
        return (progress.item, progress.part) if progress.item and progress.part else None
    arrived = [p.number for p in loan.progress if p.stage == "arrived"]
    known = dict(zip(arrived, zip(loan.peer_items, loan.peer_parts, strict=False), strict=False))
    return known.get(number)


def return_terms(loan: Transfer, wanted: Mapping[int, Decimal], asker: Signature, note: str = "") -> Terms | None:
    """Return the terms of a return of these quantities; None if a borrower's stock item isn't known here."""
    lines: list[Line] = []
    for number, quantity in wanted.items():
        stock = borrowers_stock(loan, number)
        if stock is None:
            return None
        item, part = stock
        lines.append(_line_back(loan, number, quantity, item, part, len(lines) + 1))
    return Terms(
        kind=RETURN,
        sender=loan.terms.receiver,
        receiver=loan.terms.sender,
        lines=tuple(lines),
        asker=asker.person,
        asker_name=presentable(asker.name),
        note=note,
        parent=loan.id,
        rules=loan.terms.rules,
    )


def _line_back(loan: Transfer, of_line: int, quantity: Decimal, item: int, part: int, number: int) -> Line:
    lent = loan.line(of_line)
    return replace(
        lent,
        description=replace(lent.description, details=NO_PART_DETAILS, stays=()),
        number=number,
        item=item,
        part=part,
        quantity=quantity,
        origin=loan.terms.sender,
        whole=False,
        of_line=of_line,
        details=NO_ITEM_DETAILS,  # the lender takes back its own item, which still has its details
        stays=(),
    )


def wrong_return(turn: Turn, loan: Transfer | None, transfer: Transfer) -> str:
    """Return the reason code for which a peer's return doesn't fit this loan; '' if it fits."""
    if loan is None or not loan.is_loan or loan.peer != transfer.peer:
        return "no-loan"
    if not loan.is_on_loan:
        return LOAN_OVER
    wanted = {line.of_line: line.quantity for line in transfer.terms.lines}
    free = free_to_return(turn, loan, transfer.id)
    if len(wanted) != len(transfer.terms.lines) or any(q > free.get(n, Decimal(0)) for n, q in wanted.items()):
        return "too-much-back"
    asker = Signature(transfer.terms.asker, transfer.terms.asker_name, "", turn.now)
    return "" if return_terms(loan, wanted, asker, transfer.terms.note) == transfer.terms else "moved"


def borrowed(turn: Turn, item: StockItem) -> Transfer | None:
    """Return the loan by which we have that stock item, or the item it was split from; None if it isn't borrowed."""
    marked_by = item.provenance.transfer if item.provenance else ""
    for loan in turn.loans():
        ended = {loan.at(closing.line).item for closing in loan.line_ends}
        brought_it = loan.id == marked_by or item.pk in {p.item for p in loan.progress}
        if loan.role == "receiver" and brought_it and item.pk not in ended:
            return loan
    brought = turn.brought(item)
    if brought is not None:
        loan, line = brought
        has_come = loan.is_on_loan or loan.state in COMES_IN
        if loan.is_loan and has_come and loan.ending_of(line.number) is None:
            return loan
    return None


def became_borrowed(turn: Turn, items: Collection[int], but: str = "") -> bool:
    """Whether one of these stock items has come to belong to a peer, by another transfer than `but`.

    This happens if our approver says that an incoming line is an item that we already have (`Progress.here`).
    """
    others = (t for t in turn.restless_transfers() if t.role == "receiver" and t.id != but)
    coming = (t for t in others if t.is_on_loan or t.state in COMES_IN or t.wanted == "approve")
    return any(p.here in items and t.ending_of(p.number) is None for t in coming for p in t.progress)


def is_closed_alone(loan: Transfer) -> bool:
    """Whether we, the borrower, closed the loan alone because the lender's bot is gone."""
    return loan.closed is not None and loan.closed.how is Ending.KEPT


def reopened(loan: Transfer) -> Transfer:
    """Return the loan without the end that we recorded alone. Called when the lender is back and decides again."""
    return replace(loan, closed=None, line_ends=tuple(e for e in loan.line_ends if e.how is not Ending.KEPT))


def of_connection(turn: Turn, connection: Connection) -> Sequence[Transfer]:
    """The open loans between us and that peer, including those of earlier connections."""
    return [t for t in turn.loans() if t.peer == connection.peer]
