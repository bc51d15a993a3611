"""What verbs tell of the state, put together for reading: no rule is decided here, nothing of it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum

from fedbot.rules.model.connection import Connection
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.health import BotStatus
from fedbot.rules.model.outside import OutsideLoan
from fedbot.rules.model.queries import InventoryStanding
from fedbot.rules.model.queue import PlaceInLine, QueueEntry
from fedbot.rules.model.rota import Rota
from fedbot.rules.model.stock import Right, StockItem
from fedbot.rules.model.transfer import Line, Transfer
from fedbot.rules.model.want import Want


@dataclass(frozen=True)
class VerbLine:
    """A verb on a page of help: what to type, what for, and who may."""

    name: str
    shown: str
    summary: str
    right: Right


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
    """One of our people, with the rights read just now; `added`: since the settings were written."""

    person: str
    name: str
    username: str
    approver: bool
    superuser: bool
    added: bool = False


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
    that were replaced, with what took their place. `quarantined` is what failed and waits for an admin.
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
