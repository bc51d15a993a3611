"""The port of the journal: events, documents, the outbox and the audit trail, and what can go wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from fedbot.rules.archive import Archive, Document
from fedbot.rules.model.audit import AuditEntry
from fedbot.rules.model.books import Chart, LabelCode
from fedbot.rules.model.effects import Announce, Ask, Do, Forget, Join, KeepSecret, Leave, MoveSecret, SendEnvelope
from fedbot.rules.model.events import ClockSetBack, Event
from fedbot.rules.model.health import Quarantined
from fedbot.rules.model.room import MessageKey
from fedbot.rules.wire import Draft


class JournalProblem(Exception):
    """Base of everything that stops the journal from working. The text tells the admin what is wrong and what to do."""


class NoJournal(JournalProblem):
    """There is no journal at this place: the bot has not run yet, or keeps its state elsewhere."""


class StateInUse(JournalProblem):
    """Another process uses this state folder. `pid` is its process id, or None if unknown."""

    def __init__(self, text: str, pid: int | None) -> None:
        super().__init__(text)
        self.pid = pid


class JournalDamaged(JournalProblem):
    """The file is not a readable journal any more: restore it from a backup, or rebuild it."""


class JournalTooNew(JournalProblem):
    """The file was written by a newer fedbot."""


class JournalUnwritable(JournalProblem):
    """The disk accepts no writes: full, read-only or broken. Everything written before is safe."""


class UnreadableRow(JournalProblem):
    """A row of the inbox (`number` is its seq), the outbox (its id) or the documents can't be read back.

    `kind` is the name of its class, `subject` what it is about (an effect's key), if that is still readable.
    """

    def __init__(self, text: str, number: int, kind: str = "", subject: str = "") -> None:
        super().__init__(text)
        self.number = number
        self.kind = kind
        self.subject = subject


class NotStorable(JournalProblem):
    """A record that the journal can't hold without loss, such as a Decimal in a `detail`: a bug in fedbot."""


class JournalAway(JournalProblem):
    """The journal's database doesn't answer. Everything written is safe; the next start reads it again."""


class JournalMoved(JournalProblem):
    """The journal is used elsewhere now, or isn't completely copied to here yet."""


class LeaseLost(JournalProblem):
    """Another worker has taken over this space: this one must not write or act for it any more."""


class BrokenRule(JournalProblem):
    """The journal's tables refuse a row: a bug in fedbot, or somebody else writes to them."""


class WrongTurn(JournalProblem):
    """A row is not in the state that this call needs: decided twice, finished twice, begun after its end."""


QueueName = Literal["chat", "act", "ask", "vault"]


class Loss(StrEnum):
    """The loss if a quarantined thing is dropped, or the reason why it can't be."""

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
        """Whether it can be dropped."""
        return self not in {Loss.UNKNOWN, Loss.STEP, Loss.AWAITED, Loss.TIMERS}


RowState = Literal["queued", "acting", "quarantined", "done", "failed"]


@dataclass(frozen=True)
class ChatMessage:
    """A `Post` or an `Edit` as text. `reply_to` and `thread` are event ids or keys of our own posts.

    `answers` is the person whose line it answers; '' if it isn't an answer. `interim`: the answer comes later. The
    envelope, and everything that depends on other messages' event ids, is made when it is sent. `version` as in `Post`.
    """

    key: MessageKey
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
    version: int = 0


@dataclass(frozen=True)
class SuggestedReaction:
    """A reaction that the bot adds to its own message `key` so people can react with it."""

    key: MessageKey
    room: str
    emoji: str


@dataclass(frozen=True)
class Drawing:
    """A `Picture` with its text lines; drawn when it is sent."""

    key: MessageKey
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

    Rows of one `queue` with the same `key` never overtake each other, whatever their priorities.
    """

    queue: QueueName
    effect: Stored
    priority: int = 0
    key: str = ""
    not_before: datetime | None = None


@dataclass(frozen=True)
class Committed:
    """The result of deciding one event: changed documents (None removes one), effects in their order, audit.

    `found` are our messages that the journal didn't know, as (event id, key, room). `voided` are the subjects whose
    steps in the outbox end without being done.
    """

    at: datetime
    documents: dict[tuple[str, str], Document | None] = field(default_factory=dict)
    queued: tuple[Queued, ...] = ()
    audit: tuple[AuditEntry, ...] = ()
    found: tuple[tuple[str, str, str], ...] = ()
    voided: tuple[str, ...] = ()


@dataclass(frozen=True)
class OutboxRow:
    """An effect as a row of the outbox. `cause` is the seq of its event.

    `acted_at` is the last try that may have reached the other end: if it is set, probe before acting again. `attempts`
    counts the tries, the current one included.
    """

    id: int
    cause: int
    queue: QueueName
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
    """The place of one of our messages."""

    room: str
    event_id: str


@dataclass(frozen=True)
class Audited:
    """An entry of the audit, with its time and the seq of the event that caused it."""

    at: datetime
    cause: int
    entry: AuditEntry


@dataclass(frozen=True)
class Retention:
    """The times for which finished things are kept.

    `lines`: what people said to the bot, their reactions, and the queries made for them. `events`: all other events,
    such as protocol messages of peers. `messages`: messages that the bot has sent, and its steps. `event_ids`: they let
    the bot recognise a late repetition; no content. The newest `least_ids` of them are kept regardless of age. `audit`:
    None keeps it for ever.
    """

    lines: timedelta = timedelta(days=7)
    events: timedelta = timedelta(days=30)
    messages: timedelta = timedelta(days=30)
    event_ids: timedelta = timedelta(days=60)
    least_ids: int = 5_000
    audit: timedelta | None = None


class Journal(Archive, Protocol):
    """The events, the documents and the outbox. Every method is one transaction.

    After `receive` and `begin`, this write and all writes before it survive a power cut. The others are only sure to
    survive the end of the process, until the next `receive` or `begin`.

    A row that was being acted on when the process ended is queued again at the next opening, with `acted_at` set.
    """

    @property
    def journal_id(self) -> str:
        """A random id, created with the journal; part of every transaction id."""

    @property
    def recovers(self) -> bool:
        """Whether it is a copy or was rebuilt, so the rooms and our InvenTree know more. True until `has_recovered`."""

    def has_recovered(self) -> None:
        """Note that the bot has caught up with the rooms and InvenTree."""

    def mark(self) -> int:
        """The last mark that it was given; 0 if none."""

    def next_mark(self) -> int:
        """Give the journal its next mark, durably.

        A later mark elsewhere shows that the journal was restored from a backup.
        """

    def was_put_back(self, mark: int) -> None:
        """Note that the bot has done more than the journal knows.

        Like a copy, the journal gets a new `journal_id`, and `recovers`.
        """

    # Events

    def token(self) -> str | None:
        """The token to continue syncing from; None in a new journal."""

    def receive(self, events: Sequence[Event], token: str | None) -> int:
        """Store one sync with its token, without chat events that came before. Return how many events were new.

        Without a token it is only part of a sync, and would come again after a crash.
        """

    def put(self, event: Event) -> int:
        """Store one event that isn't from the chat; return its seq."""

    def next_event(self, after: int = 0) -> tuple[int, Event] | None:
        """The oldest event after that seq that is neither decided nor set aside, with its seq.

        Raises `UnreadableRow`.
        """

    def last_moment(self) -> datetime | None:
        """The newest time of an event or an unfinished effect, by our clock at that moment; None in a new journal."""

    def clock_set_back(self, event: ClockSetBack) -> None:
        """Store this event, and correct outbox rows that were postponed by a clock that was ahead."""

    def commit(self, seq: int, decision: Committed) -> tuple[int, ...]:
        """Mark the event as decided and store what follows from it; return the ids of the new outbox rows."""

    # Documents

    def documents(self) -> Iterator[tuple[str, str, Document]]:
        """All documents that aren't at rest, as (class name, id, document), oldest first. Raises `UnreadableRow`."""

    def posts(self) -> Iterator[tuple[str, str]]:
        """All our messages as (event id, key), edits included."""

    def post(self, key: str) -> PostPlace | None:
        """The place of the newest message with that key; never an edit."""

    def audit(self, subject: str) -> tuple[Audited, ...]:
        """All audit entries about a subject, oldest first. Raises `UnreadableRow`."""

    # The outbox

    def due(self, queue: QueueName, now: datetime) -> tuple[OutboxRow, ...]:
        """The rows that may begin now, in their order. Raises `UnreadableRow`."""

    def next_due(self, queue: QueueName | None = None) -> datetime | None:
        """The earliest time to which a row is postponed, in one queue or in all."""

    def waiting(self) -> int:
        """The number of effects that have not ended yet."""

    def begin(self, row: int, at: datetime) -> None:
        """Write down the intent before the effect is performed."""

    def finish(self, row: int, outcome: Event | None) -> None:
        """Mark the row as done, and store its outcome. `Posted` of a message makes the message known by its key."""

    def postpone(
        self,
        row: int,
        not_before: datetime,
        event: Event | None = None,
        *,
        reached: bool = True,
        problem: str = "",
    ) -> None:
        """Try again later. Not `reached`: this try surely changed nothing, so `acted_at` stays as it was before."""

    def fail(self, row: int, outcome: Event | None, problem: str) -> None:
        """Mark the row as failed, and store its outcome."""

    # The quarantine

    def set_event_aside(self, seq: int, quarantined: Quarantined) -> int:
        """Leave this event undecided until `try_again`; return its number in the quarantine."""

    def set_row_aside(self, row: int, quarantined: Quarantined) -> int:
        """Leave this effect and later ones with the same key alone until `try_again`; return its number.

        0 if the row has ended already.
        """

    def set_timers_aside(self, quarantined: Quarantined) -> int:
        """Let no timer act for this subject until `try_again`; return its number."""

    def quarantined(self) -> tuple[Quarantined, ...]:
        """Everything that is set aside, oldest first."""

    def try_again(self, number: int) -> bool:
        """Take the entry with this number out of quarantine; False if there is none."""

    def drop(self, number: int, *, is_sure: bool) -> Loss:
        """Drop the entry with this number for good, if that is possible and `is_sure`; the audit notes it.

        A step whose outcome is open is never dropped, nor an answer that something would wait for without end.
        """

    # Upkeep

    def prune(self, retention: Retention) -> int:
        """Remove decided events and ended effects that are older than `retention` allows; return how many.

        They are wiped from the file, so nobody can read them there any more.
        """

    def check(self) -> None:
        """Read everything in it, in any thread and while others use it. Raises `JournalDamaged`.

        Opening reads only what the bot continues from, so a start doesn't take longer over the years.
        """

    def backup(self, path: Path) -> None:
        """Make a copy while running, with everything up to now. When opened, the copy gets its own journal id."""

    def close(self) -> None:
        """Release the files. Another process may open them then."""
