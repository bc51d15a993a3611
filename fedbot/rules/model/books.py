"""Two spaces' records of one line of a transfer, their differences, and a comparison in progress."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of difference between the books, and of errors in ours."""

    TWICE = "twice"
    NOWHERE = "nowhere"
    UNKNOWN_THERE = "unknown-there"
    UNKNOWN_HERE = "unknown-here"
    RECORD_GONE = "record-gone"
    QUANTITY = "quantity"
    STILL_GIVEN = "still-given"
    UNMARKED = "unmarked"
    NOT_ARRIVED = "not-arrived"
    DISPUTED = "disputed"
    LEFT_OVER = "left-over"
    BORROWED_GONE = "borrowed-gone"
    BORROWED_LESS = "borrowed-less"
    PAST = "past"
    STRAY = "stray"


@dataclass(frozen=True)
class BookLine:
    """One line of a transfer in one side's books: its journal, and its InvenTree at that moment.

    `stage` as in `Progress`; `quantity` is the agreed one, `now` that of the stock item. `where` is `stock`,
    `outgoing`, `customer` (the other side's company), `elsewhere`, `gone`, or '' if there never was an item.
    `overtaken`: the stock item has left by a later transfer, so this line says nothing about it any more. `owed` is how
    much of a loan's line the borrower still has by its journal, `there` how much of that is in its stock. `left_over`:
    the borrower should not have it any more (`Transfer.left_over`). `marked`: its history shows the hand-over (None:
    unknown). `marked_arrived`: it has its old status.
    """

    transfer: str
    number: int
    role: str
    state: str
    stage: str = ""
    item: int | None = None
    quantity: Decimal = Decimal(0)
    now: Decimal = Decimal(0)
    where: str = ""
    marked: bool | None = None
    marked_arrived: bool = True
    settled: bool = False
    overtaken: bool = False
    left_over: bool = False
    owed: Decimal = Decimal(0)
    there: Decimal = Decimal(0)


@dataclass(frozen=True)
class Past:
    """One side's record of the messages about a subject (an id): its own acknowledged ones, and those it read.

    `ours` and `theirs` are from the view of the side that reports them: it has sent `sent`, and read `seen` of the
    other's. The hashes are those of `envelope.past_with`.
    """

    subject: str
    sent: int
    ours: str
    seen: int
    theirs: str


@dataclass(frozen=True)
class Difference:
    """One difference; `ours` and `theirs` are the stock items. `fixed`: it is being corrected.

    If the two sides disagree about past messages, `transfer` is the id of their subject (also a connection), and
    `number` that of the message up to which they disagree. For a loan, `owed` is the quantity that the borrower should
    have, and `there` how much of that is in its stock.
    """

    transfer: str
    number: int
    kind: Kind
    ours: int | None = None
    theirs: int | None = None
    fixed: bool = False
    owed: Decimal = Decimal(0)
    there: Decimal = Decimal(0)


@dataclass(frozen=True)
class Reconciliation:
    """A comparison with one peer in progress; `id` is the connection's. A nightly one has no `asked_by`.

    `order` is the number under which the command line waits for it. Transfers up to the id `after` are compared, page
    by page. The peer is to answer by `until`.
    """

    id: str
    room: str
    until: datetime
    asked_by: str = ""
    event_id: str = ""
    repair: bool = False
    order: str = ""
    after: str = ""
    theirs: tuple[BookLine, ...] = ()
    pasts: tuple[Past, ...] = ()
    compared: int = 0
    differences: tuple[Difference, ...] = ()
