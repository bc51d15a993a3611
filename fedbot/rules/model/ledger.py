"""What is told of transfers: books compared, summaries for verbs, and how a dispute may be settled. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum

from fedbot.rules.model.catalogue import Want
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.health import BotStatus
from fedbot.rules.model.lending import PlaceInLine, QueueEntry
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.outside import OutsideLoan, Rota
from fedbot.rules.model.queries import InventoryStanding
from fedbot.rules.model.stock import Permission, StockItem
from fedbot.rules.model.transfer import Line, Transfer

# --- What two spaces' books say of one line of a transfer, and how they differ (`ledger.reconcile`).


class Kind(StrEnum):
    """How the books differ, or what is amiss in ours."""

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


@dataclass(frozen=True)
class BookLine:
    """One line of a transfer in one side's books: its journal, and its InvenTree at that moment.

    `stage` as in `Progress`; `quantity` is what was agreed, `now` what the stock item has. `where` is `stock`,
    `outgoing`, `customer` (the other side's company), `elsewhere`, `gone`, or '' if there never was an item.
    `overtaken`: the stock item has gone by another transfer since, so that this one says nothing of it any more.
    `owed` is how much of a loan's line the borrower still has by its journal, `there` how much of that is in its stock.
    `left_over`: as the borrower we should have it no more (`Transfer.left_over`).
    `marked`: the hand-over stands in its history (None: can't be told). `marked_arrived`: it has its old status.
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
    """What one side knows of the messages about a subject (an id): those of its own that were read, and those it read.

    `ours` and `theirs` are as the side sees it that tells of them: it has sent `sent`, and read `seen` of the other's.
    The hashes are those of `envelope.past_with`.
    """

    subject: str
    sent: int
    ours: str
    seen: int
    theirs: str


@dataclass(frozen=True)
class Difference:
    """One thing that doesn't agree; `ours` and `theirs` are the stock items. `fixed`: that is being put right.

    Where the two sides tell another past, `transfer` is the id of what it is about (also the friendship's), and
    `number` that of the message up to which they do.

    Of a loan `owed` is how much the borrower should have, and `there` how much of that is in its stock.
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
    """A comparison with one friend under way; `id` is the connection's. By night nobody asked: no `asked_by`.

    `order` is the number under which the command line waits for it.

    Transfers up to the id `after` are compared, page by page. The friend is to answer by `until`.
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


# --- What verbs tell of the state, put together for reading: no rule is decided here, nothing of it is kept.


@dataclass(frozen=True)
class VerbLine:
    """A verb on a page of help: what to type, what for, and who may. `also`: the same verb in our own language."""

    name: str
    shown: str
    summary: str
    permission: Permission
    also: str = ""


@dataclass(frozen=True)
class SpaceSeen:
    """Another space in the room, or one that we are connected with.

    `claims` bots say that they host it (more than one is a conflict; none: only the connection tells of it).
    `fingerprint` is of the key that the connection pins, else of the announced one. `unanswered` is how often
    we have sent again what its bot has not seen: 0 if it is up to date. `shares`: how long its sharing list is.
    """

    party: str
    name: str
    fingerprint: str
    access: str
    claims: int
    connection: Connection | None = None
    unanswered: int = 0
    shares: int | None = None


@dataclass(frozen=True)
class PersonSeen:
    """One of our people, with the permissions read just now; `added`: since the settings were written."""

    person: str
    name: str
    username: str
    approver: bool
    superuser: bool
    added: bool = False


@dataclass(frozen=True)
class Cancellable:
    """What a person can take back. `places` and `in_line` are as in `Todo`."""

    subjects: tuple[Connection | Transfer, ...] = ()
    rotas: tuple[Rota, ...] = ()
    wants: tuple[Want, ...] = ()
    places: tuple[tuple[str, PlaceInLine], ...] = ()
    in_line: tuple[tuple[int, QueueEntry], ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The short code of each, in the order in which they are told."""
        codes = [subject.code for subject in self.subjects]
        codes += [rota.code for rota in self.rotas]
        codes += [want.code for want in self.wants]
        codes += [place.code for _, place in self.places]
        codes += [entry.code for _, entry in self.in_line]
        return tuple(codes)


@dataclass(frozen=True)
class Todo:
    """What waits: for this person's decision, for others though this person asked, and for a look. What is on loan.

    `elsewhere`: how much more there is in other rooms, which isn't told in this one.
    """

    to_decide: tuple[Connection | Transfer, ...] = ()
    asked: tuple[Connection | Transfer, ...] = ()
    suspended: tuple[Connection, ...] = ()
    to_make: tuple[Connection, ...] = ()
    disputed: tuple[Transfer, ...] = ()
    parcels: tuple[Transfer, ...] = ()
    left_over: tuple[Transfer, ...] = ()
    lacking: tuple[Transfer, ...] = ()
    on_loan: tuple[Transfer, ...] = ()
    rotas: tuple[Rota, ...] = ()
    outside: tuple[OutsideLoan, ...] = ()
    wants: tuple[Want, ...] = ()
    places: tuple[tuple[str, PlaceInLine], ...] = ()
    in_line: tuple[tuple[int, QueueEntry], ...] = ()
    elsewhere: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits in this room."""
        waiting = self.to_decide or self.asked or self.suspended or self.to_make or self.disputed or self.parcels
        listed = self.on_loan or self.rotas or self.outside or self.wants or self.places or self.in_line
        return not (waiting or self.left_over or self.lacking or listed)


class DueKind(StrEnum):
    """What may be due by the clock."""

    REMINDER = "reminder"
    EXPIRY = "expiry"
    STATS = "stats"
    RENEWAL = "renewal"
    OWN_RENEWAL = "own renewal"
    RECONCILE = "reconcile"
    LOOK = "look"


@dataclass(frozen=True)
class Due:
    """Something that will happen by the clock. `about` is the case's code, or the space."""

    kind: DueKind
    at: datetime
    about: str = ""


@dataclass(frozen=True)
class Quarantined:
    """Something that failed in a way that nobody has foreseen, set aside until an admin has it tried again.

    `what` is the name of the event's or the effect's class, or `timers`; `subject` is what it is about (of a message:
    its key), '' if nothing else has to wait for it. `problem` is the exception's type and a short text without
    secrets. `number` is given by the journal. `is_event`: later events about the same wait for it.
    """

    what: str
    subject: str
    problem: str
    at: datetime
    number: int = 0
    is_event: bool = False


@dataclass(frozen=True)
class StatusSeen:
    """How the bot is. `inventory` is None if our InvenTree does not answer; `problem` says why.

    `waiting` are the codes of what waits for it, `due` is what is due next, soonest first. `moved` are configured rooms
    that were replaced, with what took their place. `quarantined` is what failed and waits for an admin. `mute` are the
    rooms, by name, in which the power levels keep us from writing or reacting.
    """

    standing: BotStatus
    inventory: InventoryStanding | None
    problem: Diagnosis | None = None
    connections: dict[ConnectionState, int] = field(default_factory=dict)
    transfers: int = 0
    disputed: int = 0
    unread: int = 0
    waiting: tuple[str, ...] = ()
    due: tuple[Due, ...] = ()
    moved: tuple[tuple[str, str], ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    mute: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lying:
    """A stock item that may be meant, and how much of it would go."""

    item: StockItem
    quantity: Decimal


@dataclass(frozen=True)
class ChangeSeen:
    """What changed at a suspended connection's peer: the pinned account and key, and those announced now.

    `emoji`: by which people compare them; () as long as the peer's bot hasn't answered.
    """

    connection: Connection
    old_fingerprint: str
    new_fingerprint: str
    old_bot: str
    new_bot: str
    emoji: tuple[int, ...] = ()


@dataclass(frozen=True)
class CaseSeen:
    """What belongs to a case besides its history.

    `returns`: what of a loan came back; `left`: what of it did not. `keys`: of a friendship, the fingerprints of our
    key and of theirs; `emoji` by which people compare them, () if nothing is to be compared. `users`: people's
    InvenTree users by Matrix id.
    """

    returns: tuple[Transfer, ...] = ()
    keys: tuple[str, ...] = ()
    emoji: tuple[int, ...] = ()
    users: dict[str, str] = field(default_factory=dict)
    left: tuple[Line, ...] | None = None


@dataclass(frozen=True)
class Preview:
    """What a disconnection would do: what is cancelled, what is finished first (at once: what would be unclear).

    `on_loan` is what has to be settled one by one: it ends when the last of them is back, given or lost.
    """

    cancelled: tuple[Transfer, ...]
    finished: tuple[Transfer, ...]
    on_loan: tuple[Transfer, ...] = ()


@dataclass(frozen=True)
class Lost:
    """A line whose stock item isn't in our InvenTree any more, or is another thing now (`is_another`)."""

    transfer: Transfer
    line: Line
    item: int
    is_another: bool


class OnThatDay(IntEnum):
    """What happens on a day of the calendar, in the order in which it is told."""

    OVERDUE = 0
    BACK = 1
    FETCHED = 2


@dataclass(frozen=True)
class AgendaEntry:
    """On that day this happens, by that booking or loan."""

    day: date
    what: OnThatDay
    transfer: Transfer


@dataclass(frozen=True)
class NeighbourEntry:
    """On that day a neighbour without a bot brings something back, or has it overdue."""

    day: date
    what: OnThatDay
    loan: OutsideLoan


# --- What may be true of a transfer of which nobody can tell by machine, by the words that people type.

LEFT, OUT, STAYS = "left", "out", "stays"
ARRIVED, BACK, LOST = "arrived", "back", "lost"
BOOKED, NEVER, COME, STANDS = "booked", "never", "come", "stands"
FOUND = "found"
SETTLED = "settled"
"""Why a line did not go on, where people have said so."""
GONE = "gone"


@dataclass(frozen=True)
class Truth:
    """One thing that may be true, by the word that stands for it; `item` is the stock item that it is about."""

    name: str
    item: int | None = None

    @property
    def typed(self) -> str:
        """As it is typed behind `--as`."""
        return f"{self.name} #{self.item}" if self.item is not None and self.name in {LEFT, BOOKED} else self.name
