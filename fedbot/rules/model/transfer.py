"""A transfer as a document: its terms, its state, and the progress of each line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from fedbot.rules.model.command import Command
from fedbot.rules.model.connection import Connection, Exchange
from fedbot.rules.model.decision import (
    NO_CARD,
    NO_PICKUP,
    Closing,
    Decision,
    HasCard,
    InRoom,
    Parcel,
    Pickup,
    Settlement,
    Signature,
    SpokenReason,
    Vote,
)
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.lending import LentBefore, LoanRules, Obstacle, Reserved, RuleOrigin
from fedbot.rules.model.lifecycles import ConnectionState, Ending, TransferState
from fedbot.rules.model.steps import StepKind
from fedbot.rules.model.stock import (
    NO_ITEM_DETAILS,
    STATUS_OK,
    ItemDetails,
    PartDescription,
    Trait,
    UnitFactor,
    in_units,
)
from fedbot.rules.wire import Opening

LONGEST_CARD_LINK = 200

FAILED_AT_SENDER = "not-sent"
"""Reason code for a line that failed here because it had failed at the sender."""
NOT_IN_PARCEL = "not-come"
"""Reason code for a line that was missing from a parcel, as the receiver's approver reports."""
_HAS_LEFT = frozenset({TransferState.SENT, TransferState.CREDITING, TransferState.RECEIVED})


class Told(StrEnum):
    """An entry of `Transfer.told`.

    `CARD`: our card is in the room. `WAIT`, `SILENT`, `DISPUTED`: so is our message about the delay, the peer's
    silence, the dispute. `CALLED`: the lender's people were asked whether the booking was picked up. `MOVED`: it moved
    to another room, where nobody can reply to its earlier messages. `RECALLED`: after a loss, the rooms are still read
    for what they say of it.
    """

    CARD = "card"
    WAIT = "wait"
    SILENT = "silent"
    DISPUTED = "disputed"
    CALLED = "called"
    MOVED = "moved"
    RECALLED = "recalled"


@dataclass(frozen=True)
class Line:
    """One line of the terms: the item, its quantity and its description. `item` is the sender's stock item key.

    In a request that has only the asker's words, the `units` of the description are those of the requested quantity.
    `of_line` is set in a return: the number of the loan's line that it brings back. `details` are sent to the receiver,
    `stays` aren't.
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
    details: ItemDetails = NO_ITEM_DETAILS
    stays: tuple[Trait, ...] = ()

    @property
    def is_ok(self) -> bool:
        """Whether its condition is simply OK, so that no card needs to mention it."""
        return self.status == STATUS_OK and self.status_text in {"", "OK"}

    @property
    def tells_of_files(self) -> bool:
        """Whether there are files that could be sent with it."""
        return bool(self.details.files or self.description.details.picture)

    def amount(self, quantity: Decimal, unit: str, factors: Sequence[UnitFactor] = ()) -> Decimal | None:
        """Return a quantity of `unit` in the units of the line's part; None if it can't be converted.

        `unit` is '' if the person gave none. `factors` come from an InvenTree, for units that aren't common knowledge.
        """
        return in_units(quantity, unit, self.description.units, factors) if unit else quantity


@dataclass(frozen=True)
class Terms:
    """The terms of a request or offer, frozen. A decision is bound to exactly these terms (their hash).

    `loan_until` is the due date of a loan, inclusive, in the lender's `time_zone` (IANA name). `starts` is the first
    day of a booking, in the same zone. `parent` is the loan that a `return` brings back or an `extension` prolongs.
    `confirm`: the asker asks several spaces, so the sender's approval only grants the request, and nothing leaves
    before the asker's bot confirms. `rules` are the lender's rules for this loan and its return. `outside`: the
    borrower already has the item, from a time when it had no bot.
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
    confirm: bool = False
    starts: date | None = None
    rules: LoanRules | None = None
    outside: LentBefore | None = None

    @property
    def decider(self) -> str:
        """The party whose approvers decide: the receiver of a push or a return, else the sender."""
        return self.receiver if self.kind in {"push", "return"} else self.sender


@dataclass(frozen=True)
class Progress:
    """The progress of one line in our own InvenTree.

    Stages of a sender: `''`, `brought` (back from a neighbour without a bot), `taken`, `handed`, `arrived`, `back`.
    Stages of a receiver: `''`, `created`, `placed`.
    """

    number: int
    stage: str = ""  # the last step that is known to be done
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
    acting: StepKind = StepKind.NONE  # the step that is under way
    unknown: StepKind = StepKind.NONE  # the step whose outcome nobody knows
    accounted: Decimal = Decimal(0)  # vanished here since, and explained by a superuser (`provenance.hidden`)
    factor: str = "1"  # the receiver's units in one of the sender's, as a fraction: '100', '1/100'
    units: str = ""  # units of the receiver's part
    revision: str = ""  # revision of the receiver's part, if it differs from the sender's
    serial: str = ""  # the number at the receiver, if the sender's was taken; the sender's stays in the terms
    short: Decimal = Decimal(0)  # did not arrive by parcel, in the sender's units
    short_item: int | None = None  # the sender's stock item that holds `short`; 0 if people have to book it by hand
    mirrored: bool = False  # the step that made the item also wrote its metadata
    largest_file: int = 0  # bytes; the receiver accepts no larger file
    status_key: int | None = None  # the receiver's own custom status of the same name
    here: int | None = None  # the receiver's stock item that this line already is, as its approver says
    split_from: int | None = None  # the sender's stock item from which `item` was split off
    apart: Diagnosis | None = None  # why `item` came back, but wasn't merged into `split_from`

    @property
    def is_merged_back(self) -> bool:
        """Whether it is back in the sender's stock item from which it had been split, which is `item` now."""
        return self.stage == "back" and self.item is not None and self.item == self.split_from

    @property
    def is_apart(self) -> bool:
        """Whether it is back at the sender as a stock item of its own."""
        return self.stage == "back" and self.split_from is not None and not self.is_merged_back


@dataclass(frozen=True)
class Landing:
    """The place where a line would be booked in, as a card shows it: our part and location, or the new part.

    Its fields are those of the line's `Progress`. `item` is our own stock item that it returns. `match` says how the
    part was found, or why none was.
    """

    item: int | None
    place: str
    location: int | None
    part: int | None
    part_name: str
    create_part: bool
    category: str
    match: str
    factor: str
    units: str
    revision: str
    serial: str
    largest_file: int
    status_key: int | None


@dataclass(frozen=True)
class ShownTransfer:
    """Everything that a transfer's card shows. `role` is ours.

    `terms` name the asker by the Matrix id alone. `landings` say where each line would be booked in, if that is with
    us, in the order of the lines; None until our InvenTree has answered. `granted_by` is a Matrix id, set if the sender
    grants less than requested. `care`: an approval takes two people. `hands_over`: the first day of a booking has come,
    and an approval says that it was handed over; `obstacles` are the reasons against that. `over`: the bookings that an
    approval breaks.
    """

    role: str
    terms: Terms
    due: datetime
    landings: tuple[Landing | None, ...] = ()
    granted_by: str = ""
    care: bool = False
    hands_over: bool = False
    obstacles: tuple[Obstacle, ...] = ()
    over: tuple[Reserved, ...] = ()


@dataclass(frozen=True)
class Dispute:
    """The reason why a transfer can't continue by itself. `by` are the parties that can't tell or don't agree.

    `was` is the state before the dispute, `line` the line in question (0: all), `said` the kind of the message by which
    the peer has reported its own outcome since. `lacking` are number and quantity of what it lacked of a parcel then.
    """

    was: TransferState
    by: tuple[str, ...]
    line: int = 0
    said: str = ""
    lacking: tuple[tuple[int, Decimal], ...] = ()

    @property
    def is_contradicted(self) -> bool:
        """Whether the sender has taken back, without the receiver's word, stock that the receiver has booked in."""
        return self.said == "reverted" or (self.was is TransferState.RECEIVED and self.said != "done")


@dataclass(frozen=True)
class Transfer(HasCard):
    """One agreed movement of stock, seen from one side. `role` is ours: `sender` or `receiver`.

    Identity: the id is a hash of `opening`. `peer_items` are the stock items at the peer, in the order of the lines
    that moved: booked in there (at the sender) or handed over there (at the receiver). `peer_events` are the peer's
    newest messages about it, to which people may reply.

    Card and consent: `shown` is when our first card was posted, `reminded` when people were last reminded, both by our
    clock. `card` is the content of our newest card (None: unknown after a loss), `own_card` its event, `card_since`
    when it was posted, `in_room` how much of it syncs have shown. `consented` is the hash to which our approver's
    decision is bound, `approved_hash` that of the terms which our approver accepted as the receiver. `reasons` are our
    people's replies. `care`: our approval takes two people, or the code typed in an encrypted room. `dearer`: it takes
    them only since the last read before the debit. `first_yes` is the first of the two votes (for our own offer, the
    line that asked for it), `released` the second. `peer_agreed` is the receiver's approval before that. `granted` is
    the sender's decision to give less than requested, or to give as one of several spaces that were asked; the asker's
    side has to confirm it. `requested` are the lines that our person requested; `accepted` names the items that we saw
    offered for them (`terms.shown_as`). `because_of` is the number of the line for which the sender's bot declined it.

    `cancelled_by`: our person for whom we asked the sender to cancel it.

    `ruled_by`: the sources of the lending rules, at the lender. `pickup` is where the receiver's people pick it up.

    Booking: `due` is until when it is kept for pick-up, `was_due` until when it could be decided. At the lender,
    `looked` is the day on which InvenTree was last read for it, `obstacles` are those found then, `calls` says that our
    card asks whether it was handed over, and `handed` who said so. `there` is the quantity of each line's stock item
    when it was picked, `over` the bookings that can't be kept if this one leaves.

    Loan: `back_by` is the due date as extended (None: as in the terms), `extended` the number of extensions, `closed`
    how it ended, `line_ends` how the lines ended that weren't returned. At the borrower, `left_over` are ended lines
    that still count in our stock; `peer_parts` are the borrower's parts, like `peer_items`. Return: `damaged` is the
    condition that the lender's approver saw, `remark` the text about it.
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
    decision: Decision | None = None
    wanted: str = ""
    cancelled_by: Signature | None = None
    progress: tuple[Progress, ...] = ()
    granted: Signature | None = None
    approved_hash: str = ""
    peer_items: tuple[int, ...] = ()
    peer_place: str = ""
    exchange: Exchange = Exchange()
    card_event: str = ""
    peer_events: tuple[str, ...] = ()
    problem: str = ""
    obstacle: Diagnosis | None = None
    waiting_since: datetime | None = None
    ended: datetime | None = None
    told: tuple[str, ...] = ()
    dispute: Dispute | None = None
    settled: Settlement | None = None
    shown: datetime | None = None
    reminded: datetime | None = None
    parcel: Parcel | None = None
    back_by: date | None = None
    extended: int = 0
    closed: Closing | None = None
    peer_parts: tuple[int, ...] = ()
    damaged: bool = False
    remark: str = ""
    line_ends: tuple[Closing, ...] = ()
    left_over: tuple[int, ...] = ()
    opening: Opening | None = None
    card: ShownTransfer | None = None
    own_card: str = ""
    consented: str = ""
    reasons: tuple[SpokenReason, ...] = ()
    requested: tuple[Line, ...] = ()
    accepted: str = ""
    care: bool = False
    dearer: bool = False
    first_yes: Vote | None = None
    released: Signature | None = None
    peer_agreed: Signature | None = None
    pickup: Pickup = NO_PICKUP
    was_due: datetime | None = None
    looked: date | None = None
    obstacles: tuple[Obstacle, ...] = ()
    calls: bool = False
    handed: Signature | None = None
    ruled_by: tuple[RuleOrigin, ...] = ()
    there: tuple[Decimal, ...] = ()
    over: tuple[Reserved, ...] = ()
    card_since: datetime | None = None
    in_room: InRoom = NO_CARD
    because_of: int = 0

    @property
    def subject_kind(self) -> str:
        """The envelope field that holds its id."""
        return "transfer"

    @property
    def has_card(self) -> bool:
        """Whether our card is in the room."""
        return Told.CARD in self.told

    @property
    def is_recalled(self) -> bool:
        """Whether the rooms are still read for what they say of it, after a loss."""
        return Told.RECALLED in self.told

    def after_telling(self, *words: str) -> Transfer:
        """Return the transfer with these entries of `told` (`Told`) added."""
        return replace(self, told=tuple(dict.fromkeys((*self.told, *map(str, words)))))

    @property
    def declined_line(self) -> Line | None:
        """The one of several requested lines for which the sender's bot has declined it; None if there isn't one."""
        lines = self.requested or self.terms.lines
        return next((line for line in lines if line.number == self.because_of), None) if len(lines) > 1 else None

    @property
    def is_loan(self) -> bool:
        """Whether it lends something. Returns and extensions don't."""
        return self.terms.loan_until is not None and not self.terms.parent

    @property
    def is_offer(self) -> bool:
        """Whether the giving space began it. Else it is a request, or a return or extension of a loan."""
        return self.terms.kind == "push"

    @property
    def opened_in_history(self) -> str:
        """'offered by Anna (…)' or 'asked by Anna (…)', for InvenTree's history."""
        return f"{'offered' if self.is_offer else 'asked'} by {self.asked.in_history}"

    @property
    def is_return(self) -> bool:
        """Whether it returns borrowed stock."""
        return self.terms.kind == "return"

    @property
    def moves_what_is_lent(self) -> bool:
        """Whether it is a loan or a return, so that its stock items belong to the lender."""
        return self.is_loan or self.is_return

    def is_carried_by(self, connection: Connection) -> bool:
        """Whether it can go on over this connection. An ending connection still carries returns."""
        if connection.state is ConnectionState.ENDING:
            return self.is_return
        return connection.state is ConnectionState.ACTIVE

    @property
    def is_on_loan(self) -> bool:
        """Whether the borrower has it and must return it."""
        here = self.state is TransferState.DONE or (self.role == "receiver" and self.state is TransferState.RECEIVED)
        return self.is_loan and here and self.closed is None

    @property
    def is_on_its_way(self) -> bool:
        """Whether it is a loan that has left the lender and that the borrower hasn't booked in yet."""
        return self.is_loan and self.state in _HAS_LEFT and not self.is_on_loan and self.closed is None

    @property
    def asks_if_handed_over(self) -> bool:
        """Whether it is a booking at the lender whose first day has come, and whose card asks for the hand-over."""
        return self.state is TransferState.BOOKED and self.role == "sender" and self.calls

    @property
    def is_settled_alone(self) -> bool:
        """Whether our own people alone have settled its outcome. A peer's report about its people doesn't count."""
        ours = self.terms.sender if self.role == "sender" else self.terms.receiver
        return self.settled is not None and self.settled.alone and self.settled.by.party == ours

    @property
    def waits_for_release(self) -> bool:
        """Whether it is our own offer, and a second person of ours has to agree before it can leave."""
        return self.is_our_offer and self.care and self.released is None and self.state is TransferState.OPEN

    @property
    def is_our_offer(self) -> bool:
        """Whether we offered it, so that the receiver decides."""
        return self.role == "sender" and self.is_offer

    def given_item(self, number: int) -> int | None:
        """The sender's stock item that left for that line, split off or whole; None if this side doesn't know it."""
        if self.role == "sender":
            return self.at(number).item
        sent = [line.number for line in self.terms.lines if self.at(line.number).failed != FAILED_AT_SENDER]
        return dict(zip(sent, self.peer_items, strict=False)).get(number)

    @property
    def over_at(self) -> datetime | None:
        """When it ended; for a loan, when it was returned, given away or lost. None before that."""
        if self.closed:
            return self.closed.by.at
        return None if self.is_on_loan else self.ended

    @property
    def due_day(self) -> date | None:
        """The due date of the loan, as extended; None if it is no loan."""
        return self.back_by or self.terms.loan_until

    def ending_of(self, number: int) -> Ending | None:
        """The end of that line of a loan; None if it hasn't ended, or was returned while others are still out."""
        for closing in self.line_ends:
            if closing.line == number:
                return closing.how
        if self.closed is None:
            return None
        return Ending.RETURNED if self.line_ends else self.closed.how

    def closing_of(self, number: int) -> Closing | None:
        """The end of that line of a loan, or of all of it, with its time and decision; None if it hasn't ended."""
        return next((closing for closing in self.line_ends if closing.line == number), self.closed)

    @property
    def has_parcel_under_way(self) -> bool:
        """Whether a parcel left the sender, and the receiver hasn't reported its arrival; for either side."""
        return self.parcel is not None and self.state is TransferState.SENT

    @property
    def awaits_parcel(self) -> bool:
        """Whether a parcel is in transit to us, and our approvers report its arrival."""
        return self.role == "receiver" and self.state is TransferState.SENT

    @property
    def parcel_last_told(self) -> datetime | None:
        """When the parcel left, or people were last reminded of it; None if none is in transit to us."""
        if not self.awaits_parcel or self.parcel is None or self.parcel.left is None:
            return None
        return max(self.parcel.left, self.reminded) if self.reminded else self.parcel.left

    @property
    def is_booked_here(self) -> bool:
        """Whether it is a booking at the lender that waits for its first day."""
        return self.state is TransferState.BOOKED and self.role == "sender"

    def line(self, number: int) -> Line:
        """Return the line with that number. Raises KeyError if there is none."""
        for line in self.terms.lines:
            if line.number == number:
                return line
        raise KeyError(number)

    def came(self, number: int) -> Decimal:
        """The quantity of that line that arrives, in the sender's units: all of it, or the part in the parcel."""
        at = self.at(number)
        return Decimal(0) if at.failed == NOT_IN_PARCEL else self.line(number).quantity - at.short

    @property
    def lines_come(self) -> tuple[Line, ...]:
        """The lines as they arrived, without what a parcel did not hold."""
        lines = (replace(line, quantity=self.came(line.number)) for line in self.terms.lines)
        return tuple(line for line in lines if line.quantity)

    @property
    def lines_moved(self) -> tuple[Line, ...]:
        """The lines that leave, or left: without failed and returned ones and without missing parts of a parcel."""
        stays = {progress.number for progress in self.progress if progress.failed or progress.stage == "back"}
        return tuple(line for line in self.lines_come if line.number not in stays)

    @property
    def lines_told(self) -> tuple[Line, ...]:
        """The lines for messages to people: `lines_moved`, or all lines of the terms if none moves."""
        return self.lines_moved or self.terms.lines

    @property
    def lines_missing(self) -> tuple[Line, ...]:
        """The lines, or parts of lines, that were missing from a parcel."""
        lines = (replace(line, quantity=line.quantity - self.came(line.number)) for line in self.terms.lines)
        return tuple(line for line in lines if line.quantity)

    def named_by(self, lines: tuple[Line, ...]) -> Transfer:
        """Return the transfer with only these lines. Only for messages to people."""
        stages = {"back": ""}  # even of what is back at the sender, such as a thing that was missing from a parcel
        progress = tuple(
            replace(each, failed="", short=Decimal(0), stage=stages.get(each.stage, each.stage))
            for each in self.progress
        )
        return replace(self, terms=replace(self.terms, lines=lines), progress=progress)

    @property
    def lacks_a_rest(self) -> bool:
        """Whether our superuser, as the sender, has to say what became of the stock missing from a parcel."""
        settled = self.parcel is None or self.parcel.rest is not None
        return self.role == "sender" and self.state is TransferState.DONE and bool(self.lines_missing) and not settled

    def here(self, number: int) -> Decimal:
        """The quantity of that line in our own units, as the receiver."""
        quantity = Fraction(self.came(number)) * Fraction(self.at(number).factor)
        return Decimal(quantity.numerator) / Decimal(quantity.denominator)

    @property
    def said_here(self) -> int | None:
        """The receiver's stock item that this already is, as its approver says; None if it is new here."""
        return next((progress.here for progress in self.progress if progress.here is not None), None)

    def serial_here(self, number: int) -> str:
        """The line's serial number in our own InvenTree, as the receiver."""
        return self.at(number).serial or self.line(number).serial

    def at(self, number: int) -> Progress:
        """Return the progress of that line, a new one if there is none yet."""
        for progress in self.progress:
            if progress.number == number:
                return progress
        return Progress(number)


@dataclass(frozen=True)
class WaitingLine:
    """A line that waits until our InvenTree answers. `id` is its event id.

    `told`: its author knows that it waits.
    """

    id: str
    command: Command
    asked: datetime
    told: bool = False


def total(lines: Sequence[Line], unit: str = "") -> Decimal:
    """Return the total of lines of one part, in its own units or in `unit`.

    Leaves out lines that can't be converted.
    """
    if not unit:
        return sum((line.quantity for line in lines), Decimal(0))
    amounts = (in_units(line.quantity, line.description.units, unit) for line in lines)
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def less_of(lines: Sequence[Line], quantity: Decimal) -> tuple[Line, ...] | None:
    """Return the lines reduced to that total, taking from the last ones; all of them if they hold less.

    None if they are of several parts, or an item with a serial number would have to be split.
    """
    if len({line.part for line in lines}) > 1:
        return None
    kept: list[Line] = []
    rest = quantity
    for line in lines:
        taken = min(line.quantity, rest)
        if line.serial and taken not in {0, line.quantity}:
            return None
        if taken > 0:
            kept.append(line if taken == line.quantity else replace(line, quantity=taken, whole=False))
        rest -= taken
    return tuple(kept)


def step_mark(transfer: Transfer, line: int, step: str) -> str:
    """Return the mark of one step, as InvenTree's history holds it."""
    return f"fed:{transfer.id}:{line}:{step}"


def with_progress(transfer: Transfer, progress: Progress) -> Transfer:
    """Return the transfer with this line's progress replaced."""
    others = tuple(p for p in transfer.progress if p.number != progress.number)
    return replace(transfer, progress=tuple(sorted((*others, progress), key=lambda p: p.number)))


def link_to_card(transfer: Transfer, line: Line) -> str:
    """Return the permalink to the card, with the line's mark. It identifies the new item, and leads people back.

    Leaves out the event if the link would be longer than InvenTree stores.
    """
    room, mark = f"https://matrix.to/#/{transfer.room}", step_mark(transfer, line.number, "in")
    link = f"{room}/{transfer.card_event}?{mark}"
    return link if len(link) <= LONGEST_CARD_LINK else f"{room}?{mark}"
