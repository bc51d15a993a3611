"""A rota as a document: one thing requested from several peers in turn, until somebody gives it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from fedbot.rules.model.decision import Signature
from fedbot.rules.model.lifecycles import LIVING_ROTA, RotaState
from fedbot.rules.model.room import MessageKey
from fedbot.rules.wire import short_hash

KEPT_FOR = timedelta(days=30)
"""The time for which a finished rota can be shown."""
MOST_LIVING = 20
"""Most rotas that may run at once in a space, because each one asks every peer."""


class Order(StrEnum):
    """A criterion for who is asked first."""

    NEAREST = "nearest"
    """In the order of the settings; the others follow."""
    BALANCE = "balance"
    """Peers that owe us most, by pieces given, come first."""
    RESTED = "rested"
    """Peers that we have never asked come first, then those asked longest ago."""
    MOST = "most"
    """Peers with the largest quantity come first."""


@dataclass(frozen=True)
class RotaPolicy:
    """The order in which a rota asks (the most important criterion first), and how long it waits for each answer.

    `nearest` are the ids of spaces.
    """

    order: tuple[Order, ...] = (Order.NEAREST, Order.BALANCE, Order.RESTED, Order.MOST)
    nearest: tuple[str, ...] = ()
    wait: timedelta = timedelta(hours=24)


@dataclass(frozen=True)
class Candidate:
    """A peer that has some of it.

    `balance`: see `Dealings`. `asked`: when we last asked it for something.
    """

    party: str
    quantity: Decimal
    balance: Decimal = Decimal(0)
    asked: datetime | None = None


class Why(StrEnum):
    """The reason why a peer isn't asked, or not waited for any longer."""

    SILENT_SEARCH = "silent search"
    """Its bot did not answer the search."""
    INVENTORY = "inventory"
    HIDDEN = "hidden"
    """It doesn't show its stock in shared rooms."""
    TOO_LITTLE = "too little"
    NOT_FRIENDS = "not friends"
    """It isn't connected with us any more."""
    SILENT = "silent"
    """Its people did not decide in time."""
    NOTHING_CAME = "nothing came"
    """Its people agreed, we confirmed, and nothing arrived. It may still arrive until its bot reports otherwise."""
    GIVEN_UP = "given up"
    """As `NOTHING_CAME`, and our people continue without it. A late arrival is returned."""
    NOT_NEEDED = "not needed"
    """Another space gives it."""
    LESS = "less"
    """It can give less, and the asker did not allow joining several gifts."""
    STOPPED = "stopped"
    TOO_LATE = "too late"
    """The day until which it is needed has passed."""


@dataclass(frozen=True)
class Passed:
    """A peer that isn't asked. `quantity` is how much it has, if known."""

    party: str
    why: Why
    quantity: Decimal = Decimal(0)


@dataclass(frozen=True)
class AskedInTurn:
    """A peer that was asked for a quantity, by which transfer and when. `why` is set if we took the request back.

    `confirmed`: when we confirmed that we take it. `told`: the asker knows that nothing has arrived since.
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
    """One person's request to several peers: `wanted` pieces of `word`, to keep or to borrow until `loan_until`.

    `unit` is the unit of the quantity if the person gave one; else each space counts in its own. `event_id` is the
    line, from which the ids of all its requests are derived. `room` is where its message is, `key` that message's key.
    `until`: nobody is asked after that. `at_once`: all are asked at the same time. `joins`: several spaces may give a
    part each. `waiting` are to be asked in that order; `asked` have been. `shown` is a digest of the message's last
    content, so that it is edited only when it changes. `stuck` is the code of a confirmed request of which nothing
    arrives, once the asker knows.
    """

    id: str
    code: str
    event_id: str
    asker: Signature
    room: str
    key: MessageKey
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
        """Whether it still asks, or waits for answers."""
        return self.state in LIVING_ROTA


def rota_id(asking_event: str) -> str:
    """Return a rota's id, derived from the Matrix event of the line that asks."""
    return short_hash("rota", asking_event)
