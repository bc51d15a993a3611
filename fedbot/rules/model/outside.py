"""Two documents of lending beyond one friend: a rota among several, and a loan to a neighbour without a bot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from fedbot.rules.model.decision import Signature
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.lifecycles import LIVING_ROTA, OUTSIDE_OVER, OutsideState, RotaState
from fedbot.rules.model.stock import PartDescription
from fedbot.rules.wire.envelope import short_hash

LONGEST_NEIGHBOUR = 60
OUTSIDE = "outside:"
"""In front of a neighbour's name, in place of a party's id: no party has an id like that."""


@dataclass(frozen=True)
class LentBefore:
    """A loan that began before the borrower had a bot: its id at the owner, as whom it has it, and since when."""

    loan: str
    neighbour: str
    since: date


@dataclass(frozen=True)
class OutsideLoan:
    """One stock item, or some of it, lent to the `neighbour` of that name until that day, which is included.

    `by` is our approver, whose line was the decision; `room` is where that was said. `source` is the stock item as it
    lay, `item` the one that went, `status` and `location` what it had before. `stage` is the last step that is known to
    be done ('', `taken`, `handed`), `problem` why it is unclear or wasn't lent. `ended_by` said how it ended.
    `handing` is the transfer by which it becomes an ordinary loan to `friend`, whose bot the neighbour has by now.
    `handing_code` is how people name that transfer.
    `again` counts how often it was booked out once more, as that came to nothing,
    `posted` how often its message was posted anew, after a loss of the journal.
    `before` is the code of one just like it that the same person made a moment before.
    """

    id: str
    code: str
    neighbour: str
    by: Signature
    room: str
    until: date
    source: int
    part: int
    description: PartDescription
    quantity: Decimal
    serial: str = ""
    batch: str = ""
    state: OutsideState = OutsideState.BOOKING_OUT
    company: int | None = None
    stage: str = ""
    item: int | None = None
    status: int = 10
    location: int | None = None
    problem: Diagnosis | None = None
    damaged: bool = False
    note: str = ""
    reminded: datetime | None = None
    ended: datetime | None = None
    ended_by: Signature | None = None
    handing: str = ""
    friend: str = ""
    again: int = 0
    posted: int = 0
    before: str = ""
    handing_code: str = ""

    @property
    def is_living(self) -> bool:
        """Whether it isn't over."""
        return self.state not in OUTSIDE_OVER


def outside_id(lending_event: str) -> str:
    """Its id: made from the Matrix event of the line that lends."""
    return short_hash("outside", lending_event)


# --- A rota: one thing asked of several friends until somebody gives it, and in which order they are asked.

KEPT_FOR = timedelta(days=30)
"""So long a rota that is over can be shown."""
MOST_LIVING = 20
"""So many rotas may run at once in a space: each one asks every friend."""


class Order(StrEnum):
    """By what is decided who is asked first."""

    NEAREST = "nearest"
    """As the settings list the spaces; the others come behind."""
    BALANCE = "balance"
    """Whom we have given more than they gave us comes first."""
    RESTED = "rested"
    """Whom we have never asked comes first, then whom we asked longest ago."""
    MOST = "most"
    """The friend with the most of it comes first."""


@dataclass(frozen=True)
class RotaPolicy:
    """The order in which a rota asks (the most important criterion first), and how long it waits for one answer.

    `nearest` are the ids of spaces.
    """

    order: tuple[Order, ...] = (Order.NEAREST, Order.BALANCE, Order.RESTED, Order.MOST)
    nearest: tuple[str, ...] = ()
    wait: timedelta = timedelta(hours=24)


@dataclass(frozen=True)
class Candidate:
    """A friend that has some of it.

    `balance`: pieces that we gave it, less those that we got. `asked`: when we last asked it for something.
    """

    party: str
    quantity: Decimal
    balance: Decimal = Decimal(0)
    asked: datetime | None = None


def in_order(candidates: Sequence[Candidate], wanted: Decimal, policy: RotaPolicy) -> tuple[Candidate, ...]:
    """The candidates in the order in which they are asked: who has enough alone comes before all others."""
    first = [*policy.nearest, *sorted({each.party for each in candidates} - set(policy.nearest))]
    place = {party: min(number, len(policy.nearest)) for number, party in enumerate(first)}

    def rank(each: Candidate) -> tuple[object, ...]:
        ranks: Mapping[Order, object] = {
            Order.NEAREST: place[each.party],
            Order.BALANCE: -each.balance,
            Order.RESTED: each.asked.timestamp() if each.asked else float("-inf"),
            Order.MOST: -each.quantity,
        }
        return (each.quantity < wanted, *(ranks[order] for order in policy.order), each.party)

    return tuple(sorted(candidates, key=rank))


class Why(StrEnum):
    """Why a friend isn't asked, or not waited for any longer."""

    SILENT_SEARCH = "silent search"
    """Its bot did not answer the search."""
    INVENTORY = "inventory"
    HIDDEN = "hidden"
    """It keeps out of shared rooms what it has."""
    TOO_LITTLE = "too little"
    NOT_FRIENDS = "not friends"
    """It is no friend any more."""
    SILENT = "silent"
    """Its people did not decide in time."""
    NOTHING_CAME = "nothing came"
    """Its people agreed, we confirmed, and nothing came: it may still come until its bot says otherwise."""
    GIVEN_UP = "given up"
    """The same, and our people go on without it: whatever still comes goes back."""
    NOT_NEEDED = "not needed"
    """Another space gives it."""
    LESS = "less"
    """It can give less, which nobody asked to join."""
    STOPPED = "stopped"
    TOO_LATE = "too late"
    """The day until which it is needed is over."""


@dataclass(frozen=True)
class Passed:
    """A friend that isn't asked; `quantity` is how much it has, where that is known."""

    party: str
    why: Why
    quantity: Decimal = Decimal(0)


@dataclass(frozen=True)
class AskedInTurn:
    """A friend that was asked for that much, by which transfer and when; `why` it was taken back, if we did that.

    `confirmed`: when we said that we take it. `told`: the asker was told that nothing has come since.
    """

    party: str
    transfer: str
    quantity: Decimal
    at: datetime
    why: Why | None = None
    confirmed: datetime | None = None
    told: bool = False


@dataclass(frozen=True)
class Rota:
    """One line of one person: `wanted` pieces of what is called `word`, to keep or to borrow until `loan_until`.

    `unit` is what that is counted in, if somebody said so; else each space counts it as it does.
    `event_id` is the line, from which the ids of all its requests are made. `room` is where its message stands, `key`
    that message's. `until`: nobody is asked any more from then on. `at_once`: all are asked at the same time.
    `joins`: several spaces may give a part each. `waiting` are asked in that order; `asked` have been.
    `shown` is what the message said last, in short, so that it is edited only when it changes. `stuck` is the code of
    the request that was confirmed and of which nothing comes, once the asker was told so.
    """

    id: str
    code: str
    event_id: str
    asker: Signature
    room: str
    key: str
    word: str
    wanted: Decimal
    at: datetime
    unit: str = ""
    note: str = ""
    loan_until: date | None = None
    until: datetime | None = None
    at_once: bool = False
    joins: bool = False
    state: RotaState = RotaState.SEARCHING
    waiting: tuple[Candidate, ...] = ()
    asked: tuple[AskedInTurn, ...] = ()
    passed: tuple[Passed, ...] = ()
    posted: bool = False
    shown: str = ""
    ended: datetime | None = None
    stuck: str = ""

    @property
    def is_living(self) -> bool:
        """Whether it still asks, or waits."""
        return self.state in LIVING_ROTA


def rota_id(asking_event: str) -> str:
    """A rota's id: made from the Matrix event of the line that asks."""
    return short_hash("rota", asking_event)
