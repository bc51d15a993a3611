"""The bot's own state: its last catch-up, its InvenTree and homeserver, its own tokens, and the next due work.

Fields have defaults, because older journals lack some.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.room import NO_KEY, MessageKey
from fedbot.rules.model.stock import Anchor

LARGEST_STEP_BACK = timedelta(days=1)
"""A clock that is corrected by more had been wrong."""


def counted_from(last: datetime | None, now: datetime) -> datetime:
    """Return the time from which regular work counts at a start: its last due time if known, else now.

    A time more than a day ahead was noted by a wrong clock and is ignored. A clock that is set back by an hour,
    however, must not make the work run twice.
    """
    return last if last is not None and last <= now + LARGEST_STEP_BACK else now


@dataclass(frozen=True)
class BotStatus:
    """The bot's status: one document with everything that concerns no other party.

    `inventory_down_since`, `inventory_problem` and `inventory_next_try` are set while our InvenTree is silent; `outage`
    is the message about that in the admin room, `outage_told` when it was posted. `silent_from` and `silent_until`: the
    homeserver's last silence. `last_stats` and `last_reconcile` are when these were last due by their schedules (None
    without one). `looked` is when our own health was last checked, `release`, `api` and `abilities` are InvenTree's at
    that time.

    `anchors` are the newest entries of InvenTree's stock history at the last check; `went_back` is since when we know
    that it was restored to an earlier state: no stock is moved there until a superuser allows it. `address` is where
    that check last succeeded: at another address there may be another InvenTree. `superusers` are those of our people
    (InvenTree user names) who were superusers at the last read. `cards_seen` counts the versions of our cards that
    syncs have shown. `echoes` are our newest messages, with their times, that a sync showed before the homeserver
    answered that it took them.
    """

    id: str = "standing"
    caught_up: datetime | None = None
    started: datetime | None = None
    version: str = ""
    inventory_down_since: datetime | None = None
    inventory_problem: Diagnosis | None = None
    inventory_next_try: datetime | None = None
    outage: MessageKey = NO_KEY
    outage_told: datetime | None = None
    silent_from: datetime | None = None
    silent_until: datetime | None = None
    last_stats: datetime | None = None
    last_reconcile: datetime | None = None
    looked: datetime | None = None
    release: str = ""
    api: int = 0
    abilities: tuple[str, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    went_back: datetime | None = None
    address: str = ""
    superusers: tuple[str, ...] = ()
    cards_seen: int = 0
    echoes: tuple[tuple[str, datetime], ...] = ()

    def has_moved(self, address: str) -> bool:
        """Whether our InvenTree has another address now than when its history was last checked."""
        return bool(self.address and address) and address != self.address


@dataclass(frozen=True)
class OwnToken:
    """One of our own tokens; `id` is the setting that holds it, `token` or `admin_token`.

    `pk` is its key in InvenTree, `old` that of the one before, while that is still valid. `warned`: how many days
    before its expiry the admins were last told. `reason` and `problem` are set while there is no new one.
    """

    id: str
    name: str = ""
    pk: int = 0
    expiry: date | None = None
    old: int = 0
    warned: int = 0
    reason: str = ""
    problem: Diagnosis | None = None


class DueKind(StrEnum):
    """The kinds of work that may be due."""

    REMINDER = "reminder"
    EXPIRY = "expiry"
    STATS = "stats"
    RENEWAL = "renewal"
    OWN_RENEWAL = "own renewal"
    RECONCILE = "reconcile"
    LOOK = "look"


@dataclass(frozen=True)
class Due:
    """Work that the clock will start. `about` is the subject's code, or the space."""

    kind: DueKind
    at: datetime
    about: str = ""


@dataclass(frozen=True)
class Quarantined:
    """An unforeseen failure, set aside until an admin has it tried again.

    `what` is the name of the event's or the effect's class, or `timers`; `subject` is its subject (of a message: its
    key), '' if nothing else has to wait for it. `problem` is the exception's type and a short text without secrets.
    `number` is given by the journal. `is_event`: later events about the same subject wait for it.
    """

    what: str
    subject: str
    problem: str
    at: datetime
    number: int = 0
    is_event: bool = False
