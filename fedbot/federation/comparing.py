"""Two sides' books of the same lines, and what of it can't both be true. Pure; nothing is asked or told here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from fedbot.federation.books import BookLine, Difference, Kind, Past
from fedbot.federation.documents import FINAL, Connection, Progress, Transfer, TransferState
from fedbot.federation.questions import ItemSeen, ItemsSeen, Whereabouts
from fedbot.federation.stock import STATUS_ATTENTION, STATUS_OK

GIVEN = frozenset({"handed", "arrived"})
BOOKED_IN = frozenset({"created", "placed"})
HERE = frozenset({"stock", "outgoing"})


def lines_of(
    transfer: Transfer,
    seen: ItemsSeen,
    company: int | None,
    newest: Mapping[int, str] | None = None,
    returned: Mapping[int, Decimal] | None = None,
    owed: Mapping[int, Decimal] | None = None,
) -> list[BookLine]:
    """A transfer as our books have it, line by line.

    `company` is the peer's in our InvenTree; `newest` names the last transfer that each stock item went by;
    `returned` is how much of each line of a loan is back, and so not with the company any more; `owed`, at its
    borrower, how much of each line should be in stock.
    """
    items = {item.pk: item for item in seen.items}
    lines = [_line(transfer, progress, items, company, seen, newest or {}) for progress in _all_lines(transfer)]
    there = {(each.transfer, each.line): each.quantity for each in seen.borrowed}
    return [
        replace(
            line,
            quantity=line.quantity - (returned or {}).get(line.number, Decimal(0)),
            owed=(owed or {}).get(line.number, Decimal(0)),
            there=there.get((line.transfer, line.number), Decimal(0)),
        )
        for line in lines
    ]


def _all_lines(transfer: Transfer) -> list[Progress]:
    return [transfer.at(line.number) for line in transfer.terms.lines]


def newest_by_item(transfers: Iterable[Transfer]) -> dict[int, str]:
    """By which transfer each stock item of ours went last."""
    in_order = sorted(transfers, key=lambda t: (t.asked.at, t.id))
    return {p.item: t.id for t in in_order for p in t.progress if p.item is not None and p.stage}


def _line(
    transfer: Transfer,
    progress: Progress,
    items: Mapping[int, ItemSeen],
    company: int | None,
    seen: ItemsSeen,
    newest: Mapping[int, str],
) -> BookLine:
    book = BookLine(
        transfer=transfer.id,
        number=progress.number,
        role=transfer.role,
        state=transfer.state.value,
        stage=progress.stage,
        item=progress.item,
        quantity=transfer.line(progress.number).quantity,
        settled=transfer.settled is not None,
        left_over=progress.number in transfer.left_over,
    )
    if progress.item is None:
        return book
    book = replace(book, overtaken=newest.get(progress.item, transfer.id) != transfer.id)
    item = items.get(progress.item)
    if item is None:
        return replace(book, where="gone")
    travelling = STATUS_OK if progress.status == STATUS_ATTENTION else STATUS_ATTENTION
    return replace(
        book,
        where=_where(item, company),
        now=item.quantity,
        marked=(f"fed:{transfer.id}:{progress.number}:over" in item.marks) if seen.history_read else None,
        marked_arrived=item.status != travelling,
    )


def _where(item: ItemSeen, company: int | None) -> str:
    if item.where is Whereabouts.CUSTOMER and item.customer != company:
        return Whereabouts.ELSEWHERE.value
    return item.where.value


def differences(ours: Sequence[BookLine], theirs: Iterable[BookLine]) -> list[Difference]:
    """What doesn't agree between our lines and theirs, and what is amiss in ours."""
    by_line = {(line.transfer, line.number): line for line in theirs}
    found = [d for line in ours for d in _compared(line, by_line.pop((line.transfer, line.number), None))]
    unknown = [line for line in by_line.values() if line.stage in GIVEN | BOOKED_IN]
    return found + [Difference(line.transfer, line.number, Kind.UNKNOWN_HERE, theirs=line.item) for line in unknown]


def _compared(ours: BookLine, theirs: BookLine | None) -> list[Difference]:
    """Of what doesn't agree between the two only the gravest is named; what is amiss in ours comes with it."""
    between = _between(ours, theirs)
    kinds = ([between] if between else []) + (_amiss(ours) if between is not Kind.TWICE else [])
    other = theirs.item if theirs else None
    found = [Difference(ours.transfer, ours.number, kind, ours.item, other) for kind in kinds]
    return [*found, *_missing_at_borrower(ours, theirs)]


def _missing_at_borrower(ours: BookLine, theirs: BookLine | None) -> list[Difference]:
    """What is on loan must be in the borrower's stock, whichever side that is."""
    borrower = ours if ours.role == "receiver" else theirs
    if borrower is None or borrower.role != "receiver" or borrower.there >= borrower.owed:
        return []
    kind = Kind.BORROWED_LESS if borrower.there > 0 else Kind.BORROWED_GONE
    other = theirs.item if theirs else None
    line = Difference(ours.transfer, ours.number, kind, ours.item, other)
    return [replace(line, owed=borrower.owed, there=borrower.there)]


def _between(ours: BookLine, theirs: BookLine | None) -> Kind | None:
    if theirs is None:
        return Kind.UNKNOWN_THERE if ours.stage in GIVEN | BOOKED_IN else None
    if ours.role == theirs.role:
        return Kind.UNKNOWN_THERE
    sender, receiver = (ours, theirs) if ours.role == "sender" else (theirs, ours)
    booked_in = receiver.stage in BOOKED_IN
    both = sender.where in HERE and sender.stage in GIVEN | {"back"} and not sender.overtaken
    if booked_in and both:
        return Kind.TWICE
    if TransferState.DISPUTED in {sender.state, receiver.state}:
        return Kind.DISPUTED
    never_will_be = receiver.state in FINAL
    if sender.stage == "arrived" and sender.state == TransferState.DONE and not booked_in and never_will_be:
        return Kind.NOWHERE
    return None


def _amiss(ours: BookLine) -> list[Kind]:
    """What is amiss in our own record of what we gave, or had borrowed."""
    if ours.left_over:
        return [Kind.LEFT_OVER] if ours.where in HERE else []
    if ours.role != "sender" or ours.overtaken:
        return []
    with_peer = ours.where == "customer"
    if ours.state in FINAL and ours.state != TransferState.DONE:
        return [Kind.STILL_GIVEN] if with_peer else []
    if ours.state != TransferState.DONE or ours.stage != "arrived":
        return []
    if not with_peer:
        return [Kind.RECORD_GONE]
    checks = (
        (Kind.QUANTITY, ours.now != ours.quantity),
        (Kind.NOT_ARRIVED, not ours.marked_arrived),
        (Kind.UNMARKED, ours.marked is False and not ours.settled),
    )
    return [kind for kind, holds in checks if holds]


def past_of(subject: Connection | Transfer) -> Past:
    """What we know of the messages about that subject."""
    exchange = subject.exchange
    return Past(subject.id, exchange.sent, exchange.past_at(exchange.sent) or "", exchange.seen, exchange.peer_past)


def pasts_that_differ(ours: Iterable[Connection | Transfer], theirs: Iterable[Past]) -> list[Difference]:
    """Where the friend's account of the messages isn't ours. One that only knows less has an older journal."""
    told = {past.subject: past for past in theirs}
    found = []
    for subject in ours:
        mine, other = past_of(subject), told.get(subject.id)
        numbers = [subject.exchange.differs] if subject.exchange.differs else []
        if other is not None and other.ours and other.sent == mine.seen and other.ours != mine.theirs:
            numbers.append(mine.seen)
        if other is not None and subject.exchange.past_at(other.seen) not in {None, other.theirs}:
            numbers.append(other.seen)
        if numbers:
            found.append(Difference(subject.id, min(numbers), Kind.PAST))
    return found
