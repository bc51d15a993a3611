"""The state, as documents: what is true now of rooms, parties, connections and transfers.

A document is frozen and saved whole under (class name, `id`). Rules read them from `State` and save changed
copies in a `Turn`; nothing else changes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from fedbot.federation.alias import Alias
from fedbot.federation.books import Reconciliation
from fedbot.federation.connection_lifecycle import LIVING_CONNECTION, UNFINISHED_CONNECTION, ConnectionState
from fedbot.federation.decisions import (
    Choice,
    Closing,
    Ending,
    KeyCheck,
    Parcel,
    Settlement,
    Signature,
    Verdict,
    VerdictStage,
    Wish,
)
from fedbot.federation.effects import Draft
from fedbot.federation.envelope import past_with
from fedbot.federation.figures import SpaceFigures, StockHistory, Survey
from fedbot.federation.questions import PartDescription
from fedbot.federation.shelf import Allowance, Search, Share
from fedbot.federation.shown import ShownConnection, ShownTransfer
from fedbot.federation.standing import OwnToken, Standing
from fedbot.federation.stock import STATUS_OK
from fedbot.federation.subject_ids import Opening
from fedbot.federation.surroundings import Account, Announcement, Room
from fedbot.federation.transfer_lifecycle import BEFORE_DEBIT, FINAL, TransferState

__all__ = [
    "BEFORE_DEBIT",
    "FINAL",
    "LIVING_CONNECTION",
    "UNFINISHED_CONNECTION",
    "Choice",
    "Closing",
    "ConnectionState",
    "Ending",
    "KeyCheck",
    "Parcel",
    "Settlement",
    "Signature",
    "TransferState",
    "Verdict",
    "VerdictStage",
    "Wish",
]


@dataclass(frozen=True)
class Exchange:
    """Our side of the letters about one transfer or connection (DESIGN §4).

    Letters are numbered from 1 on each side and read strictly in order. `sent` and `seen` are the highest
    numbers sent and read; `unread` our letters that the peer has not said to have seen. While `awaiting`,
    they are sent again at `resend_at`. `said` is when our last one was written, `repeated` when we last sent
    some again, or answered a message that came again.
    `agreed` is the highest number of ours that the peer has said to have read; `past` is the hash of our messages up
    to it, and `peer_past` that of the peer's up to `seen` (`envelope.past_with`). `differs` is the number of ours up to
    which the peer tells another past (0: it never did).
    """

    sent: int = 0
    seen: int = 0
    unread: tuple[Draft, ...] = ()
    awaiting: bool = False
    resend_at: datetime | None = None
    resends: int = 0
    said: datetime | None = None
    repeated: datetime | None = None
    agreed: int = 0
    past: str = ""
    peer_past: str = ""
    differs: int = 0

    def past_at(self, number: int) -> str | None:
        """The hash of our messages up to that number, if it isn't below `agreed` and none of them is lost."""
        past = self.past
        between = [draft for draft in self.unread if self.agreed < draft.number <= number]
        if number < self.agreed or len(between) != number - self.agreed:
            return None
        for draft in between:
            past = past_with(past, draft.kind, draft.number, draft.terms_hash, draft.body)
        return past


@dataclass(frozen=True)
class Renewal:
    """The peer's next token on its way. The old one serves until this one has proved good.

    `name` and `expiry` once it is there; `reason` and `problem` while it hangs. `by_hand`: somebody put it into
    the vault, in the old one's place. `by` asked for it in `room`, where the outcome is told.
    """

    looked: datetime
    name: str = ""
    expiry: date | None = None
    by_hand: bool = False
    reason: str = ""
    problem: str = ""
    by: Signature | None = None
    room: str = ""


@dataclass(frozen=True)
class Connection:
    """The standing relation of our party with a peer, as one of its two sides.

    `peer_bot`, `peer_key` and `room` are pinned when it is asked for; `former_keys` were pinned before a review.
    `own_made`: the peer's access is made and
    its token tried (`relayed`) or handed over (`direct`). `needs` is why our side of it waits for a person,
    `peer_needs` why the peer's token is no good (`direct`); `problem` and `peer_problem` what was said then.
    `heard` are the peer's newest messages about it, to which people may reply.
    `shown`, `reminded`, `card`, `own_card` and `superseded` are as of a transfer. `peer_shares`: how long the peer's
    sharing list was when it last told.
    `check`: what people compare the keys by, while it is asked for and when another key is looked at.
    `peer_has_left`: it has ended the friendship at once, so nothing that is on loan can come back by it any more.
    """

    id: str
    code: str
    peer: str
    peer_name: str
    peer_bot: str
    peer_key: str
    room: str
    generation: int
    state: ConnectionState
    asked: Signature
    ours: bool
    access: str
    due: datetime
    decided: Signature | None = None
    verdict: Verdict | None = None
    exchange: Exchange = Exchange()
    card_event: str = ""
    heard: tuple[str, ...] = ()
    company: int | None = None
    user: int | None = None
    group: int | None = None
    token_name: str = ""
    token_expiry: date | None = None
    token_warned: int = 0
    renewal: Renewal | None = None
    sees_items: int | None = None
    peer_sees_items: int | None = None
    peer_url: str = ""
    own_made: bool = False
    own_ready: bool = False
    peer_ready: bool = False
    needs: str = ""
    problem: str = ""
    peer_needs: str = ""
    peer_problem: str = ""
    ended_by: Signature | None = None
    peer_has_left: bool = False
    changed_bot: str = ""
    changed_key: str = ""
    waiting_since: datetime | None = None
    shown: datetime | None = None
    reminded: datetime | None = None
    peer_shares: int | None = None
    changed_room: str = ""
    former_keys: tuple[str, ...] = ()
    check: KeyCheck | None = None
    card: ShownConnection | None = None
    own_card: str = ""
    superseded: tuple[str, ...] = ()

    @property
    def subject_kind(self) -> str:
        """The envelope field that names it."""
        return "connection"

    @property
    def waits(self) -> bool:
        """Whether nothing is said to the peer until a superuser of ours has looked: at its key, or at the new room."""
        return self.state is ConnectionState.SUSPENDED or bool(self.changed_room)


@dataclass(frozen=True)
class Line:
    """One line of the terms: which item, how much, and what it is. `item` is the sender's stock key.

    `of_line` is set in a return: the number of the loan's line that it brings back.
    """

    number: int
    item: int
    part: int
    description: PartDescription
    quantity: Decimal
    serial: str = ""
    batch: str = ""
    packaging: str = ""
    expiry: date | None = None
    status: int = 10
    status_text: str = "OK"
    place: str = ""
    origin: str = ""
    whole: bool = False
    of_line: int = 0

    @property
    def is_ok(self) -> bool:
        """Whether its condition is simply OK, so that nobody needs to be told of it."""
        return self.status == STATUS_OK and self.status_text in {"", "OK"}


@dataclass(frozen=True)
class Terms:
    """What was asked, frozen; a decision counts for exactly these terms (their hash).

    `loan_until` is the last day of a loan, that day included, and `time_zone` (IANA name) where it is that day: at the
    owner's. `parent` is the loan that a `return` brings back, or that an `extension` asks to have longer.
    """

    kind: str
    sender: str
    receiver: str
    lines: tuple[Line, ...]
    asker: str
    asker_name: str
    note: str = ""
    loan_until: date | None = None
    parcel: bool = False
    parent: str = ""
    time_zone: str = ""

    @property
    def decider(self) -> str:
        """The party whose approvers decide: the receiver of a push, else the owner (of a return the receiver)."""
        return self.receiver if self.kind in {"push", "return"} else self.sender


@dataclass(frozen=True)
class Progress:
    """How far one line has come in our own InvenTree. `stage` is the last step that is known to be done.

    Sender: `''`, `taken`, `handed`, `arrived`, `back`. Receiver: `''`, `created`, `placed`.
    `acting` is the step that is under way, `unknown` the one of which nobody can tell what it did (class names).
    `accounted` is how much has vanished here since and was accounted for by a superuser (`merges`).
    Of the receiver's part: its `units`, how many of them one of the sender's is (`factor`, a fraction: '100', '1/100'),
    and its `revision`, if that is another one than the sender's. `serial` is the number at the receiver, where the
    sender's was taken; the sender's stays in the terms.
    """

    number: int
    stage: str = ""
    item: int | None = None
    quantity: Decimal = Decimal(0)
    status: int = 10
    location: int | None = None
    place: str = ""
    part: int | None = None
    part_name: str = ""
    create_part: bool = False
    category: str = ""
    match: str = ""
    metadata: str = ""
    failed: str = ""
    acting: str = ""
    unknown: str = ""
    accounted: Decimal = Decimal(0)
    factor: str = "1"
    units: str = ""
    revision: str = ""
    serial: str = ""


@dataclass(frozen=True)
class Dispute:
    """Why nothing goes on by itself: `by` are the parties that can't tell what happened, or can't agree to it.

    `was` is the state before it, `line` the line in question (0: all), `said` the kind of the letter by which the
    peer has told its own truth since.
    """

    was: TransferState
    by: tuple[str, ...]
    line: int = 0
    said: str = ""


@dataclass(frozen=True)
class Transfer:
    """One agreed movement of stock, as one of its two sides. `role` is ours: `sender` or `receiver`.

    `opening` is what its id is the hash of.
    `heard` are the peer's newest messages about it, to which people may reply.
    `granted` is the owner's decision for less than was requested, which the asker's side has to confirm.
    `approved_hash` is the hash of the terms that an approver of ours said yes to, as the receiver.
    `shown` is when our card was posted, `reminded` when people were last reminded of it; both by our clock.
    `card` is what our newest card shows (None: that isn't known, after a loss), `own_card` its event, `redrawn` when it
    was edited to show that, `superseded` the cards before it, on which nothing is decided any more. `consented` is the
    hash of what our approver's decision was for. `wished` are the lines that our person asked another space for.
    Of a loan: `back_by` is the last day as extended (None: as in the terms), `closed` how it ended, `line_ends` how
    those of its lines did that didn't come back, `left_over` the lines that are over, but still count in our stock, as
    the borrower, and `peer_parts` the borrower's parts, as `peer_items`. Of a return: `damaged` is what the owner's
    approver saw, `remark` what was said of it.
    """

    id: str
    code: str
    role: str
    peer: str
    connection: str
    room: str
    terms: Terms
    terms_hash: str
    state: TransferState
    asked: Signature
    due: datetime
    decided: Signature | None = None
    verdict: Verdict | None = None
    wanted: str = ""
    progress: tuple[Progress, ...] = ()
    granted: Signature | None = None
    approved_hash: str = ""
    peer_items: tuple[int, ...] = ()
    peer_place: str = ""
    exchange: Exchange = Exchange()
    card_event: str = ""
    heard: tuple[str, ...] = ()
    problem: str = ""
    waiting_since: datetime | None = None
    ended: datetime | None = None
    told: tuple[str, ...] = ()
    dispute: Dispute | None = None
    settled: Settlement | None = None
    shown: datetime | None = None
    reminded: datetime | None = None
    parcel: Parcel | None = None
    back_by: date | None = None
    closed: Closing | None = None
    peer_parts: tuple[int, ...] = ()
    damaged: bool = False
    remark: str = ""
    line_ends: tuple[Closing, ...] = ()
    left_over: tuple[int, ...] = ()
    opening: Opening | None = None
    card: ShownTransfer | None = None
    own_card: str = ""
    redrawn: datetime | None = None
    superseded: tuple[str, ...] = ()
    consented: str = ""
    wished: tuple[Line, ...] = ()

    @property
    def subject_kind(self) -> str:
        """The envelope field that names it."""
        return "transfer"

    @property
    def is_loan(self) -> bool:
        """Whether it lends something (a return or an extension of it doesn't)."""
        return self.terms.loan_until is not None and not self.terms.parent

    @property
    def is_on_loan(self) -> bool:
        """Whether the borrower has it, and owes it."""
        here = self.state is TransferState.DONE or (self.role == "receiver" and self.state is TransferState.RECEIVED)
        return self.is_loan and here and self.closed is None

    @property
    def due_day(self) -> date | None:
        """The last day of the loan, as extended."""
        return self.back_by or self.terms.loan_until

    def ending_of(self, number: int) -> Ending | None:
        """How that line of a loan ended; None if it isn't over (or came back while the others are out)."""
        for closing in self.line_ends:
            if closing.line == number:
                return closing.how
        if self.closed is None:
            return None
        return Ending.RETURNED if self.line_ends else self.closed.how

    @property
    def awaits_parcel(self) -> bool:
        """Whether it is on its way to us, and our approvers say when it is here."""
        return self.role == "receiver" and self.state is TransferState.SENT

    def line(self, number: int) -> Line:
        """The line of that number; KeyError if there is none."""
        for line in self.terms.lines:
            if line.number == number:
                return line
        raise KeyError(number)

    def here(self, number: int) -> Decimal:
        """How much of that line is in our own units, as the receiver."""
        quantity = Fraction(self.line(number).quantity) * Fraction(self.at(number).factor)
        return Decimal(quantity.numerator) / Decimal(quantity.denominator)

    def serial_here(self, number: int) -> str:
        """The line's serial number in our own InvenTree, as the receiver."""
        return self.at(number).serial or self.line(number).serial

    def at(self, number: int) -> Progress:
        """How far the line of that number has come."""
        for progress in self.progress:
            if progress.number == number:
                return progress
        return Progress(number)


@dataclass(frozen=True)
class Telling:
    """Something that was said once and is not said again before `until` (quiet lines, strangers, alarms)."""

    id: str
    until: datetime


@dataclass(frozen=True)
class Question:
    """A numbered list put to a person: a number, said as a reply to it, stands for one of `lines`.

    `more` is the line for which the word 'more' stands. `event_id` is the message with the list.
    """

    id: str
    person: str
    room: str
    lines: tuple[str, ...]
    until: datetime
    event_id: str = ""
    more: str = ""


@dataclass(frozen=True)
class WaitingLine:
    """A line that waits for our InvenTree, by its event id. `command` is how `lines` writes a command.

    `told`: the person knows that it waits.
    """

    id: str
    command: dict[str, Any]
    asked: datetime
    told: bool = False


Document = (
    Room
    | Announcement
    | Connection
    | Transfer
    | Telling
    | Question
    | WaitingLine
    | Standing
    | OwnToken
    | Alias
    | SpaceFigures
    | Survey
    | StockHistory
    | Reconciliation
    | Share
    | Search
    | Allowance
    | Account
)
