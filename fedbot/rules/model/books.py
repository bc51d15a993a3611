"""The books of a space as data: its stock, the stock that moved to and from it, and a comparison with a peer's books.

`rules.ledger` has the rules.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from fedbot.rules.model.stock import is_written_out, plain

# --- figures: the stock, and the stock that moved to and from us ---


MOST_OF_ANYTHING = 10**12
"""Highest count or quantity that is accepted in a peer's figures."""

COUNTS = ("parts", "stock_items", "low_stock", "categories", "locations")
"""The figures that InvenTree counts."""
BALANCE = "balance"
"""The kind of the figures that our journal counts: given, received and open."""


STATS_SILENT_AFTER = timedelta(minutes=2)
"""The time that an answer waits for the figures of a space."""


class Way(StrEnum):
    """The direction in which a line moved, seen from us. A loan counts as lent, one that became a gift as given."""

    GIVEN = "given"
    RECEIVED = "received"
    LENT = "lent"
    BORROWED = "borrowed"


WAYS = tuple(way.value for way in Way)


@dataclass(frozen=True)
class Flow:
    """The stock that moved one way: the lines of transfers, and the pieces in lines that are counted by the piece."""

    lines: int = 0
    pieces: Decimal = Decimal(0)


@dataclass(frozen=True)
class Dealings:
    """The stock that moved between us and one peer, seen from us; `open` counts unfinished transfers."""

    party: str
    name: str
    given: Flow = Flow()
    received: Flow = Flow()
    open: int = 0
    lent: Flow = Flow()
    borrowed: Flow = Flow()

    @property
    def balance(self) -> Decimal:
        """The pieces that the peer has from us, for good or on loan, less those that we have from it."""
        return self.given.pieces + self.lent.pieces - self.received.pieces - self.borrowed.pieces


@dataclass(frozen=True)
class SpaceFigures:
    """One space's figures as of `at`. Figures that it doesn't report are None.

    The movements are those of the last `days` (0: all); only our own figures name the peer. `problem` is why there are
    no figures: `inventory` (its InvenTree doesn't answer), `hidden` (not for a shared room), `later` (asked too often,
    until `again`). `shared` is the length of its sharing list.
    """

    party: str
    name: str
    at: datetime
    days: int = 0
    parts: int | None = None
    stock_items: int | None = None
    low_stock: int | None = None
    categories: int | None = None
    locations: int | None = None
    given: Flow | None = None
    received: Flow | None = None
    open: int | None = None
    dealings: tuple[Dealings, ...] = ()
    problem: str = ""
    lent: Flow | None = None
    borrowed: Flow | None = None
    shared: int | None = None
    again: datetime | None = None

    @property
    def id(self) -> str:
        """The party, because only the newest figures of each are kept."""
        return self.party


@dataclass(frozen=True)
class Survey:
    """A `stats` line that waits for figures: our own from our InvenTree, others' from their bots.

    `waiting` are parties. It is answered when none is missing, at the latest at `until`; later figures are added to the
    answer (`posted`). `chart`: a picture is wanted with it.
    """

    id: str
    room: str
    days: int
    until: datetime
    waiting: tuple[str, ...]
    came: tuple[SpaceFigures, ...] = ()
    posted: bool = False
    chart: bool = False


@dataclass(frozen=True)
class StockHistory:
    """The number of our stock items on each day that figures were posted, oldest first, for the chart."""

    id: str = "stock-history"
    points: tuple[tuple[date, int], ...] = ()


@dataclass(frozen=True)
class Chart:
    """The data of a chart: stock items by day, and lines given and received by peer."""

    stock: tuple[tuple[date, int], ...] = ()
    exchange: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True)
class LabelCode:
    """A QR code that leads to the page of one of our stock items."""

    item: int
    address: str


def figures_written(figures: SpaceFigures) -> dict[str, Any]:
    """Return the figures as messages carry them and our metadata keeps them. Missing figures are left out."""
    data: dict[str, Any] = {name: getattr(figures, name) for name in (*COUNTS, "shared", "open")}
    for way in WAYS:
        flow: Flow | None = getattr(figures, way)
        data[way] = {"lines": flow.lines, "pieces": plain(flow.pieces)} if flow else None
    return {name: value for name, value in data.items() if value is not None}


def figures_read(nothing_yet: SpaceFigures, data: dict[str, Any]) -> SpaceFigures:
    """Parse a peer's figures into `nothing_yet`. Unknown ones are left out. Raises ValueError for invalid counts."""
    figures: dict[str, Any] = {name: _count(data[name]) for name in (*COUNTS, "shared", "open") if name in data}
    figures |= {way: _flow(data[way]) for way in WAYS if way in data}
    return replace(nothing_yet, **figures)


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MOST_OF_ANYTHING:
        raise ValueError("invalid count")
    return value


def _flow(value: object) -> Flow:
    if not isinstance(value, dict) or not isinstance(value.get("pieces"), str):
        raise ValueError("invalid flow")  # noqa: TRY004 -- a message is data: what is wrong in it is a value
    try:
        pieces = Decimal(value["pieces"])
    except InvalidOperation:
        raise ValueError("invalid number of pieces") from None
    if not is_written_out(pieces) or not 0 <= pieces <= MOST_OF_ANYTHING:
        raise ValueError("invalid number of pieces")
    return Flow(_count(value.get("lines")), pieces)


# --- reconciliation: two spaces' records of one line of a transfer, their differences, and a comparison in progress ---


class Kind(StrEnum):
    """The kinds of difference between the books, and of errors in ours."""

    TWICE = "twice"
    NOWHERE = "nowhere"
    UNKNOWN_THERE = "unknown-there"
    UNKNOWN_HERE = "unknown-here"
    RECORD_GONE = "record-gone"
    QUANTITY = "quantity"
    REST_BY_HAND = "rest-by-hand"
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
    `overtaken`: the stock item has left by a later transfer, so this line says nothing about it any more. `owed` is the
    quantity of a loan's line that the borrower still has by its journal, `there` the part of that in its stock.
    `left_over`: the borrower should not have it any more (`Transfer.left_over`). `marked`: its history shows the
    hand-over (None: unknown). `marked_arrived`: it has its old status. `by_hand` is the quantity that a parcel lacked,
    and that the sender's people have to take out of the stock item, because its InvenTree could not.
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
    by_hand: Decimal = Decimal(0)


@dataclass(frozen=True)
class Past:
    """One side's record of the messages about a subject (an id): its own acknowledged ones, and those it read.

    `ours` and `theirs` are from the view of the side that reports them: it has sent `sent`, and read `seen` of the
    other's. The hashes are those of `wire.past_with`.
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
    have, and `there` how much of that is in its stock. For a parcel's rest, `owed` is the quantity that should be with
    the peer's company in our InvenTree, and `there` that which is.
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
    by page. The peer is to answer by `until`. `looked` is when this page was asked for: both sides have looked since.
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
    looked: datetime | None = None
