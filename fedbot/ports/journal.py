"""What is kept: events, documents, the outbox and the audit trail; and what can go wrong with the state folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from fedbot.rules.model.archive import Archive, Document
from fedbot.rules.model.audit import AuditEntry
from fedbot.rules.model.effects import Announce, Ask, Do, Forget, Join, KeepSecret, Leave, MoveSecret, SendEnvelope
from fedbot.rules.model.events import ClockSetBack, Event
from fedbot.rules.model.figures import Chart, LabelCode
from fedbot.rules.model.ledger import Quarantined
from fedbot.rules.wire.envelope import Draft


class JournalProblem(Exception):
    """Base of what keeps the journal from working. Its text is for the admin: what is wrong, what to do."""


class StateInUse(JournalProblem):
    """Another process works on this state folder. `pid` is its process id, None if it can't be told."""

    def __init__(self, text: str, pid: int | None) -> None:
        super().__init__(text)
        self.pid = pid


class JournalDamaged(JournalProblem):
    """The file is no journal any more: it must come from a backup, or be rebuilt."""


class JournalTooNew(JournalProblem):
    """The file was written by a newer fedbot."""


class JournalUnwritable(JournalProblem):
    """The disk doesn't take what it is given: full, read-only, broken. What was written before is safe."""


class UnreadableRow(JournalProblem):
    """A row of the inbox (`number` is its seq), the outbox (its id) or the documents can't be read back.

    `kind` is the name of its class, `subject` what it is about (an effect's key), as far as the row tells.
    """

    def __init__(self, text: str, number: int, kind: str = "", subject: str = "") -> None:
        super().__init__(text)
        self.number = number
        self.kind = kind
        self.subject = subject


class NotStorable(JournalProblem):
    """A record that the journal can't hold without loss, such as a Decimal in a `detail`: a fault of ours."""


class JournalAway(JournalProblem):
    """The database of the journal doesn't answer. What was written is safe, and read again at the next start."""


class JournalMoved(JournalProblem):
    """It goes on elsewhere, or isn't wholly here yet."""


class LeaseLost(JournalProblem):
    """Another worker has taken this space over: this one must not write, nor act, for it any more."""


class BrokenRule(JournalProblem):
    """A row that the journal's tables refuse: a fault of ours, or somebody else writes to them."""


class WrongTurn(JournalProblem):
    """A row is not in the state that this call needs: decided twice, finished twice, begun after its end."""


Lane = Literal["chat", "act", "ask", "vault"]


class Dropping(StrEnum):
    """What giving up something that is set aside would lose; or why it can't be given up."""

    WORD = "word"
    PEER_MESSAGE = "peer message"
    OWN_MESSAGE = "own message"
    QUESTION = "question"
    EVENT = "event"
    UNKNOWN = "unknown"
    STEP = "step"
    AWAITED = "awaited"
    TIMERS = "timers"

    @property
    def is_possible(self) -> bool:
        """Whether it can be given up."""
        return self not in {Dropping.UNKNOWN, Dropping.STEP, Dropping.AWAITED, Dropping.TIMERS}


RowState = Literal["queued", "acting", "quarantined", "done", "failed"]


@dataclass(frozen=True)
class ChatMessage:
    """A `Post` or an `Edit` put into words. `reply_to` and `thread` are event ids or keys of our own posts.

    `answers` is the person whose line it answers; '' for what isn't an answer. `interim`: the answer comes later.
    What depends on other messages' event ids, and the envelope, are made when it is sent.
    """

    key: str
    room: str
    plain: str
    html: str = ""
    edit: bool = False
    reply_to: str = ""
    thread: str = ""
    mentions: tuple[str, ...] = ()
    draft: Draft | None = None
    answers: str = ""
    interim: bool = False


@dataclass(frozen=True)
class SuggestedReaction:
    """A reaction of ours, to be tapped by people, under our own message `key`."""

    key: str
    room: str
    emoji: str


@dataclass(frozen=True)
class Drawing:
    """A `Picture` put into words (its lines); drawn when it is sent."""

    key: str
    room: str
    words: tuple[str, ...]
    shows: Chart | LabelCode
    thread: str = ""
    reply_to: str = ""


Stored = (
    ChatMessage
    | SuggestedReaction
    | Drawing
    | SendEnvelope
    | Announce
    | Join
    | Leave
    | Ask
    | Do
    | KeepSecret
    | Forget
    | MoveSecret
)


@dataclass(frozen=True)
class Queued:
    """One effect on its way into the outbox. A lower `priority` goes first.

    Rows of one lane with the same `key` never overtake each other, whatever their priorities.
    """

    lane: Lane
    effect: Stored
    priority: int = 0
    key: str = ""
    not_before: datetime | None = None


@dataclass(frozen=True)
class Committed:
    """What one event led to: changed documents (None removes one), effects in their order, audit.

    `found` are messages of ours that the journal didn't know, as (event id, key, room); `voided` the subjects whose
    steps that wait in the outbox are over, undone.
    """

    at: datetime
    documents: dict[tuple[str, str], Document | None] = field(default_factory=dict)
    queued: tuple[Queued, ...] = ()
    audit: tuple[AuditEntry, ...] = ()
    found: tuple[tuple[str, str, str], ...] = ()
    voided: tuple[str, ...] = ()


@dataclass(frozen=True)
class OutboxRow:
    """An effect as it stands in the outbox. `cause` is the seq of its event, `ordinal` its place in the turn.

    `acted_at` is when it was last tried in a way that may have reached the other end: if it is set, probe
    before acting again. `attempts` counts the tries, the present one included.
    """

    id: int
    cause: int
    ordinal: int
    lane: Lane
    effect: Stored
    priority: int
    key: str
    state: RowState
    attempts: int
    acted_at: datetime | None
    not_before: datetime | None
    created_at: datetime
    problem: str = ""


class PostPlace(NamedTuple):
    """Where a message of ours stands."""

    room: str
    event_id: str


@dataclass(frozen=True)
class Audited:
    """An entry of the audit, with its time and the seq of the event that led to it."""

    at: datetime
    cause: int
    entry: AuditEntry


@dataclass(frozen=True)
class Retention:
    """How long what is over is kept.

    `lines`: what people said to the bot, their reactions, and what was asked of InvenTree for them. `events`:
    everything else that happened, as protocol messages of peers. `messages`: what the bot has sent, and its steps.
    `event_ids`: by which a late repetition is known; no content. The newest `least_ids` of them are
    kept whatever the clock says. `audit` is for ever if None.
    """

    lines: timedelta = timedelta(days=7)
    events: timedelta = timedelta(days=30)
    messages: timedelta = timedelta(days=30)
    event_ids: timedelta = timedelta(days=60)
    least_ids: int = 5_000
    audit: timedelta | None = None


class Journal(Archive, Protocol):
    """What happened, what is true, what is to be done. Every method is one transaction.

    After `receive` and `begin` this and all before it outlives a power cut; the rest is only sure to outlive the
    end of the process, until the next of these.

    A row that was being acted upon when the process ended is queued again at the next opening, `acted_at`
    set.
    """

    @property
    def journal_id(self) -> str:
        """Random, made with the journal; part of every transaction id."""

    @property
    def recovers(self) -> bool:
        """Whether it is a copy or was rebuilt: the room, and our InvenTree, know more. Until `has_recovered`."""

    def has_recovered(self) -> None:
        """What happened since is known again."""

    def mark(self) -> int:
        """The last mark that it was given; 0 if none."""

    def next_mark(self) -> int:
        """Give it the next one, durably. Who knows a later one than the journal knows that it was put back."""

    def was_put_back(self, mark: int) -> None:
        """It is older than what its bot has done: as a copy, it gets a new `journal_id`, and `recovers`."""

    # what happened

    def token(self) -> str | None:
        """Where to go on with syncing; None in a new journal."""

    def receive(self, events: Sequence[Event], token: str | None) -> int:
        """Take in one sync with its token. Chat events that came before are left out; how many were new.

        Without a token it is only a part of a sync, and would come again after a crash.
        """

    def put(self, event: Event) -> int:
        """Take in one event that isn't from the chat; its seq."""

    def next_event(self, after: int = 0) -> tuple[int, Event] | None:
        """The oldest event behind that seq that isn't decided upon or set aside, with its seq.

        Raises `UnreadableRow`.
        """

    def last_moment(self) -> datetime | None:
        """When the newest event came in, by our clock then; None in a new journal."""

    def clock_set_back(self, event: ClockSetBack) -> None:
        """Take this event in; what the outbox has put off by a clock that was ahead is put off by the right one."""

    def commit(self, seq: int, decision: Committed) -> tuple[int, ...]:
        """The event is decided upon, with everything it led to; the ids of the new outbox rows."""

    # what is true

    def documents(self) -> Iterator[tuple[str, str, Document]]:
        """What isn't at rest as (class name, id, document), oldest first. Raises `UnreadableRow`."""

    def posts(self) -> Iterator[tuple[str, str]]:
        """All messages of ours as (event id, key), edits included."""

    def post(self, key: str) -> PostPlace | None:
        """Where the message of that key stands; of several, the newest; never an edit."""

    def audit(self, subject: str) -> tuple[Audited, ...]:
        """All that is noted about a subject, oldest first. Raises `UnreadableRow`."""

    # what is to be done

    def due(self, lane: Lane, now: datetime) -> tuple[OutboxRow, ...]:
        """What may be begun now, first things first. Raises `UnreadableRow`."""

    def next_due(self, lane: Lane | None = None) -> datetime | None:
        """The earliest time for which a row was put off, of one lane or of all."""

    def waiting(self) -> int:
        """How many effects have not ended yet."""

    def begin(self, row: int, at: datetime) -> None:
        """Write the intent, before the act."""

    def finish(self, row: int, outcome: Event | None) -> None:
        """It is done, and this came of it. A message's `Posted` makes it known by its key."""

    def postpone(
        self,
        row: int,
        not_before: datetime,
        event: Event | None = None,
        *,
        reached: bool = True,
        problem: str = "",
    ) -> None:
        """Try again later. Not `reached`: this try surely changed nothing, `acted_at` is as before it."""

    def fail(self, row: int, outcome: Event | None, problem: str) -> None:
        """It is over without success, and this came of it."""

    # what failed unforeseen

    def set_event_aside(self, seq: int, quarantined: Quarantined) -> int:
        """Leave this event undecided until `try_again`; its number in the quarantine."""

    def set_row_aside(self, row: int, quarantined: Quarantined) -> int:
        """Leave this effect alone until `try_again`, and those behind it of the same key; its number.

        0 if the row has ended already.
        """

    def set_timers_aside(self, quarantined: Quarantined) -> int:
        """The clock does nothing for this subject until `try_again`; its number."""

    def quarantined(self) -> tuple[Quarantined, ...]:
        """All that is set aside, oldest first."""

    def try_again(self, number: int) -> bool:
        """What is set aside under this number is no longer; False if nothing is."""

    def drop(self, number: int, *, is_sure: bool) -> Dropping:
        """Give up for good what is set aside under this number, if that is possible and `is_sure`; noted in the audit.

        The outcome of a step is never given up, nor is an answer for which something would wait for ever.
        """

    # upkeep

    def prune(self, retention: Retention) -> int:
        """Remove decided events and ended effects that are older than `retention` says; how many.

        They are wiped from the file, too: what was removed can't be read in it any more.
        """

    def check(self) -> None:
        """Read all that it holds, beside the work on it and from any thread. Raises `JournalDamaged`.

        Opening it reads only that from which the bot goes on: a start doesn't take longer with the years.
        """

    def backup(self, path: Path) -> None:
        """A copy while running, with everything up to now. Opened, it gets a journal id of its own."""

    def close(self) -> None:
        """Let go of the files. Another process may open them then."""
