"""The data of overviews: transfers, loans and the bot, as verbs show them, and how a dispute is settled."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import IntEnum

from fedbot.rules.model.catalogue import Want
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.health import BotStatus, Due, Quarantined
from fedbot.rules.model.lending import PlaceInLine, QueueEntry
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.outside import OutsideLoan, Rota
from fedbot.rules.model.queries import InventoryStanding
from fedbot.rules.model.stock import Permission, StockItem
from fedbot.rules.model.transfer import Line, Transfer

# --- No rule is decided here, nothing of it is kept.


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
    """The things that a person can cancel. `places` and `in_line` are as in `Todo`."""

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
    """The open tasks: this person's decisions, their own requests that wait for others, problems to look at, and loans.

    `elsewhere`: the number of tasks in other rooms, which this one doesn't show.
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


@dataclass(frozen=True)
class StatusSeen:
    """The bot's status. `inventory` is None if our InvenTree does not answer; `problem` says why.

    `waiting` are the codes of the cases that wait for it, `due` is the next scheduled work, soonest first. `moved` are
    configured rooms that were replaced, with their replacements. `quarantined` rows failed and wait for an admin.
    `mute` are the names of rooms in which the power levels don't let us write or react.
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
class AvailableStock:
    """A stock item that may be meant, and how much of it would go."""

    item: StockItem
    quantity: Decimal


@dataclass(frozen=True)
class ChangeSeen:
    """The change at a suspended connection's peer: the pinned account and key, and those announced now.

    `emoji`: those that people compare; () until the peer's bot has answered.
    """

    connection: Connection
    old_fingerprint: str
    new_fingerprint: str
    old_bot: str
    new_bot: str
    emoji: tuple[int, ...] = ()


@dataclass(frozen=True)
class CaseSeen:
    """A case for `show`, besides its history.

    `returns` are a loan's returns, `left` is the part still out. `keys` are the fingerprints of a friendship's keys,
    ours and theirs; `emoji` are those that people compare, () if there is nothing to compare. `users`: people's
    InvenTree users by Matrix id.
    """

    returns: tuple[Transfer, ...] = ()
    keys: tuple[str, ...] = ()
    emoji: tuple[int, ...] = ()
    users: dict[str, str] = field(default_factory=dict)
    left: tuple[Line, ...] | None = None


@dataclass(frozen=True)
class Preview:
    """The effects of a disconnection: the transfers to cancel and to finish first (with --now: those left unclear).

    `on_loan` are the loans to settle one by one: the friendship ends when the last is returned, given or lost.
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
    """The kinds of entry on a day of the calendar, in the order of display."""

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
