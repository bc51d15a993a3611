"""The ports between the rules and the world. Each has an in-memory twin that the tests use.

`app` wires the real ones: Chat is `chat.client`, Inventory `inventree.inventory`, Journal `journal.journal`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from fedbot.federation.documents import Document
from fedbot.federation.effects import (
    Announce,
    Ask,
    Do,
    Draft,
    Forget,
    Join,
    KeepSecret,
    Leave,
    MoveSecret,
    SendEnvelope,
)
from fedbot.federation.events import ChatEvent, EnvelopeSeen, Event
from fedbot.federation.figures import Chart
from fedbot.federation.questions import Answer, Question
from fedbot.federation.state import AuditEntry
from fedbot.federation.steps import AttachPhoto, PhotoAttached, Step, StepResult


class Clock(Protocol):
    """Time. `now` is aware, UTC."""

    def now(self) -> datetime:
        """The time, aware, UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


# --- InvenTree ---


class InventoryProblem(Exception):
    """Base of what an InvenTree can answer instead of a result. `text` is safe to show: no secrets, no HTML."""

    def __init__(self, text: str, reason: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.reason = reason or type(self).__name__.lower()


class Unavailable(InventoryProblem):
    """It can't have reached the server, or a read failed: nothing was changed. Try again later."""


class Refusal(InventoryProblem):
    """A definite no (a 4xx, or our own check before the act): nothing was changed by this step."""


class NotPermitted(Refusal):
    """401 or 403: the token or its roles are not enough. `text` says which role or what to do."""


class OutcomeUnknown(InventoryProblem):
    """The request may have been carried out (time-out after sending, reset, 5xx): probe before anything else."""


class Inventory(Protocol):
    """Our own InvenTree.

    Every method may raise `Unavailable`, `Refusal` or `NotPermitted`; `act` also `OutcomeUnknown`.
    """

    async def answer(self, question: Question) -> Answer:
        """Read the answer; the type is `QUESTIONS[type(question)]`."""

    async def probe(self, step: Step) -> StepResult | None:
        """Whether the step's mark stands in InvenTree: its result read back, or None if it was not done."""

    async def attach(self, step: AttachPhoto, photo: bytes) -> PhotoAttached:
        """As `act`, for the one step that needs what isn't in it."""

    async def act(self, step: Step) -> StepResult:
        """Do the step once and read it back. The type of the result is `STEPS[type(step)]`.

        A step that can be found half done (taken out, but in the wrong quantity) is put right or raises
        `Refusal` only after it has been undone.
        """


# --- Matrix ---


@dataclass(frozen=True)
class Delivery:
    """One outgoing Matrix event. `transaction` is the transaction id, the same at each retry of one send."""

    room: str
    kind: str
    content: dict[str, Any]
    transaction: str
    state_key: str | None = None


class OwnMessage(NamedTuple):
    """A message of ours, edits left out, as the room has it. `answers` is the event id of the line that it answers."""

    room: str
    event_id: str
    body: str
    answers: str


@dataclass(frozen=True)
class Media:
    """A file on the homeserver: its address (mxc), and how to open it (spec, `EncryptedFile`; {} if it is in clear)."""

    address: str
    decryption: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """One sync response, back-fills included, in order. `asked_at` is when the request was sent.

    `has_history`, after a first sync only: this account has already spoken as a fedbot in a room that it is in.
    `own`, when catching up: our own messages. `instance`: which process has claimed the account last, if this sync
    tells of it.
    """

    token: str
    events: tuple[ChatEvent, ...]
    asked_at: datetime
    has_history: bool = False
    own: tuple[OwnMessage, ...] = ()
    instance: str = ""

    @property
    def answered(self) -> frozenset[str]:
        """The ids of the lines to which we have answered."""
        return frozenset(message.answers for message in self.own if message.answers)


class ChatProblem(Exception):
    """Base of what a homeserver can answer instead of a result. `code` is Matrix's errcode, or ours."""

    def __init__(self, text: str, code: str = "", retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.retry_after = retry_after


class ChatUnreachable(ChatProblem):
    """No answer, or a 5xx: try the same transaction again."""


class ChatLimited(ChatProblem):
    """429: try the same transaction again after `retry_after` seconds."""


class ChatRefused(ChatProblem):
    """A definite no: no power, not in the room, too large, unknown target."""


class ChatSignedOut(ChatProblem):
    """The access token is no longer good: the bot can't go on without a new login."""


class Chat(Protocol):
    """Our own Matrix account. `untrusted`: why people's clients warn of what it says encrypted; '' if they don't."""

    user_id: str
    untrusted: str

    async def claim(self, instance: str) -> None:
        """Say that this process works with the account from now on; every other one is told by its next sync."""

    async def sync(self, since: str | None, timeout: float) -> Batch:
        """Wait at most `timeout` seconds for news; gaps are back-filled before it returns."""

    async def catch_up(self, since: str) -> Batch:
        """What happened since, our own letters included, for a journal that knows less than the room."""

    async def letters(self, room: str) -> tuple[EnvelopeSeen, ...]:
        """All letters of the room's past that we may read, our own included, oldest first."""

    async def send(self, delivery: Delivery) -> str:
        """Send one event (or put one state event); returns its event id."""

    async def upload(self, room: str, content: bytes, kind: str, name: str) -> Media:
        """Put a file (of that media type) onto the homeserver, for a room: encrypted if the room is."""

    async def download(self, file: Mapping[str, Any], longest: int) -> bytes:
        """A file of the homeserver, of at most so many bytes, opened; `file` as in `events.PhotoSent`.

        Raises `ChatRefused` with the code `too-large`, `not-there` or `unreadable` if it can't be had, ever.
        """

    async def join(self, room: str, via: Sequence[str] = ()) -> None:
        """Accept an invitation, or go into an open room; `via` are servers that know it."""

    async def leave(self, room: str) -> None:
        """Decline an invitation, or leave."""

    async def typing(self, room: str, seconds: int) -> None:
        """Show the typing sign for so long; 0 takes it down."""


# --- secrets ---


class NoSuchSecret(LookupError):
    """Nothing is kept under this reference. The reference is no secret itself."""


class Vault(Protocol):
    """Tokens by reference, apart from the journal, in the identity folder."""

    def keep(self, reference: str, secret: str) -> None:
        """Keep it durably, in place of what was there."""

    def read(self, reference: str) -> str:
        """The secret. Raises `NoSuchSecret`."""

    def forget(self, reference: str) -> None:
        """Remove it, if it is there."""


# --- the journal ---


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
    """A row of the inbox (`number` is its seq), the outbox (its id) or the documents can't be read back."""

    def __init__(self, text: str, number: int) -> None:
        super().__init__(text)
        self.number = number


class NotStorable(JournalProblem):
    """A record that the journal can't hold without loss, such as a Decimal in a `detail`: a fault of ours."""


class WrongTurn(JournalProblem):
    """A row is not in the state that this call needs: decided twice, finished twice, begun after its end."""


Lane = Literal["chat", "act", "ask", "vault"]
RowState = Literal["queued", "acting", "done", "failed"]


@dataclass(frozen=True)
class Letter:
    """A `Post` or an `Edit` put into words. `reply_to` and `thread` are event ids or keys of our own posts.

    What depends on other messages' event ids, and the envelope, are made when it is sent.
    """

    key: str
    room: str
    plain: str
    html: str = ""
    edit: bool = False
    reply_to: str = ""
    thread: str = ""
    rings: tuple[str, ...] = ()
    draft: Draft | None = None


@dataclass(frozen=True)
class Seed:
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
    chart: Chart
    thread: str


Stored = Letter | Seed | Drawing | SendEnvelope | Announce | Join | Leave | Ask | Do | KeepSecret | Forget | MoveSecret


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


class Journal(Protocol):
    """What happened, what is true, what is to be done. Every method is one transaction.

    After `receive` and `begin` this and all before it outlives a power cut; the rest is only sure to outlive the
    end of the process, until the next of these.

    A row that was being acted upon when the process ended is queued again at the next opening, `acted_at`
    set.
    """

    @property
    def journal_id(self) -> str:
        """Random, made with the journal; part of every transaction id (DESIGN §4)."""

    @property
    def recovers(self) -> bool:
        """Whether it is a copy or was rebuilt: the room, and our InvenTree, know more. Until `has_recovered`."""

    def has_recovered(self) -> None:
        """What happened since is known again."""

    # what happened

    def token(self) -> str | None:
        """Where to go on with syncing; None in a new journal."""

    def receive(self, events: Sequence[Event], token: str) -> int:
        """Take in one sync with its token. Chat events that came before are left out; how many were new."""

    def put(self, event: Event) -> int:
        """Take in one event that isn't from the chat; its seq."""

    def next_event(self) -> tuple[int, Event] | None:
        """The oldest event that isn't decided upon, with its seq. Raises `UnreadableRow`."""

    def commit(self, seq: int, decision: Committed) -> tuple[int, ...]:
        """The event is decided upon, with everything it led to; the ids of the new outbox rows."""

    # what is true

    def documents(self) -> Iterator[tuple[str, str, Document]]:
        """All documents as (class name, id, document), oldest first. Raises `UnreadableRow`."""

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

    # upkeep

    def prune(self, keep_rows: timedelta, keep_ids: timedelta = timedelta(days=60)) -> int:
        """Remove decided events and ended effects older than `keep_rows`; how many.

        Event ids are remembered for `keep_ids`, so that a late repetition is still known.
        """

    def backup(self, path: Path) -> None:
        """A copy while running, with everything up to now. Opened, it gets a journal id of its own."""

    def close(self) -> None:
        """Let go of the files. Another process may open them then."""
