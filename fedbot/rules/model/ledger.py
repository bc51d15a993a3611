"""The data of overviews: transfers, loans and the bot as verbs show them, and how disputes can be settled."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import IntEnum

from fedbot.rules.model.catalogue import Want
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.from_anyone import Rota
from fedbot.rules.model.health import BotStatus, Due, Quarantined
from fedbot.rules.model.lending import OutsideLoan, PlaceInLine, QueueEntry
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.queries import InventoryStanding
from fedbot.rules.model.stock import Permission, StockItem
from fedbot.rules.model.transfer import Line, Transfer

# --- Only data: no rule is decided here, and none of it is stored.


@dataclass(frozen=True)
class VerbLine:
    """A verb on a help page: what to type, its purpose, and who may use it.

    `also`: its English name, if another one is shown.
    """

    name: str
    shown: str
    summary: str
    permission: Permission
    also: str = ""


@dataclass(frozen=True)
class SpaceSeen:
    """Another space in the room, or one that we are connected with.

    `claims` is the number of bots that say that they host it (more than one is a conflict; 0: known only from the
    connection). `fingerprint` is of the key that the connection pins, else of the announced one. `unanswered` is how
    often we have sent messages again that its bot hasn't acknowledged: 0 if none waits. `shares`: the length of its
    sharing list.
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
    """One of our people, with the permissions read just now.

    `added`: by a superuser since the settings were written.
    """

    person: str
    name: str
    username: str
    approver: bool
    superuser: bool
    added: bool = False


@dataclass(frozen=True)
class Cancellable:
    """Everything that a person can cancel. `places` and `in_line` are as in `Todo`."""

    subjects: tuple[Connection | Transfer, ...] = ()
    rotas: tuple[Rota, ...] = ()
    wants: tuple[Want, ...] = ()
    places: tuple[tuple[str, PlaceInLine], ...] = ()
    in_line: tuple[tuple[int, QueueEntry], ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The short code of each, in the order of display."""
        codes = [subject.code for subject in self.subjects]
        codes += [rota.code for rota in self.rotas]
        codes += [want.code for want in self.wants]
        codes += [place.code for _, place in self.places]
        codes += [entry.code for _, entry in self.in_line]
        return tuple(codes)


@dataclass(frozen=True)
class Todo:
    """A person's open tasks: their decisions, their own requests, problems to review, and loans.

    `left_behind`: decisions on cards in a room that was replaced; nobody can write there, and they are posted again.
    `elsewhere`: the number of tasks in other rooms, which this one doesn't show. `names`: of the other spaces of the
    loans, by id.
    """

    to_decide: tuple[Connection | Transfer, ...] = ()
    left_behind: tuple[Connection | Transfer, ...] = ()
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
    names: dict[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is open in this room."""
        waiting = self.to_decide or self.left_behind or self.asked or self.suspended or self.to_make
        waiting = waiting or self.disputed or self.parcels
        listed = self.on_loan or self.rotas or self.outside or self.wants or self.places or self.in_line
        return not (waiting or self.left_over or self.lacking or listed)


@dataclass(frozen=True)
class StatusSeen:
    """The bot's status. `inventory` is None if our InvenTree doesn't answer; `problem` says why.

    `waiting` are the codes of subjects that wait for InvenTree, `due` is the next scheduled work, soonest first.
    `moved` are configured rooms that were replaced, with their replacements. `quarantined` rows failed and wait for an
    admin. `mute` are the names of rooms in which the power levels don't let us write or react.
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
    """A stock item that may be meant, and the quantity that would be taken."""

    item: StockItem
    quantity: Decimal


@dataclass(frozen=True)
class ChangeSeen:
    """The change of a suspended connection's peer: the pinned account and key, and those announced now.

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
    """A subject for `show`, without its history.

    `returns` are a loan's returns, `left` are its lines still out. `keys` are the fingerprints of a connection's keys,
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
    """The effects of a disconnection: the transfers to cancel, and those to finish first (with --now: left unclear).

    `on_loan` are the loans to settle one by one: the connection ends when the last is returned, given or lost.
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
    """The kinds of calendar entry, in the order of display."""

    OVERDUE = 0
    BACK = 1
    FETCHED = 2


@dataclass(frozen=True)
class AgendaEntry:
    """A calendar entry: a pick-up or return of a booking or loan on that day."""

    day: date
    what: OnThatDay
    transfer: Transfer


@dataclass(frozen=True)
class NeighbourEntry:
    """A calendar entry: a return from a neighbour without a bot, due or overdue."""

    day: date
    what: OnThatDay
    loan: OutsideLoan


# --- Settling a transfer whose outcome no program can find out: the outcomes, by the words that people type.

LEFT, OUT, STAYS = "left", "out", "stays"
ARRIVED, BACK, LOST = "arrived", "back", "lost"
BOOKED, NEVER, COME, STANDS = "booked", "never", "come", "stands"
FOUND = "found"
WORDS_OF_TRUTHS = (LEFT, OUT, STAYS, ARRIVED, BACK, LOST, BOOKED, NEVER, COME, STANDS, FOUND)
SETTLED = "settled"
"""Reason code for a line that did not go on because people settled it."""
GONE = "gone"


@dataclass(frozen=True)
class Truth:
    """One possible outcome, by the word that people type. `item` is the stock item that it concerns."""

    name: str
    item: int | None = None

    @property
    def typed(self) -> str:
        """The text to type for it."""
        return f"{self.name} #{self.item}" if self.item is not None and self.name in {LEFT, BOOKED} else self.name
