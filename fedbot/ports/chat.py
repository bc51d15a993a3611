"""Our Matrix account: what it receives and sends, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from fedbot.rules.model.events import ChatEvent, EnvelopeSeen


@dataclass(frozen=True)
class Delivery:
    """One outgoing Matrix event. Every retry of a send uses the same `transaction` (the transaction id)."""

    room: str
    kind: str
    content: dict[str, Any]
    transaction: str
    state_key: str | None = None


class OwnMessage(NamedTuple):
    """One of our own messages as it is in the room; edits are left out.

    `answers`: the event id of the line that it answers; '' if it only says that the answer comes later.
    """

    room: str
    event_id: str
    body: str
    answers: str


@dataclass(frozen=True)
class Media:
    """A file on the homeserver: its address (mxc) and its `EncryptedFile` (spec; {} if not encrypted)."""

    address: str
    decryption: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """One sync response, back-filled events included, in order. `asked_at` is when the request was sent.

    `has_history`, only after a first sync: this account has already spoken as a fedbot in one of its rooms. `own`, when
    catching up: our own messages. `instance`: the process that claimed the account last, if this sync shows it.
    """

    token: str
    events: tuple[ChatEvent, ...]
    asked_at: datetime
    has_history: bool = False
    own: tuple[OwnMessage, ...] = ()
    instance: str = ""

    @property
    def answered(self) -> frozenset[str]:
        """The ids of the lines that we have answered."""
        return frozenset(message.answers for message in self.own if message.answers)


class ChatProblem(Exception):
    """Base of everything that can go wrong with our account.

    `text` is safe to show; `code` is Matrix's errcode, or ours. The kind tells the caller what to do: try
    `ChatUnreachable` and `ChatLimited` again, never retry `ChatRefused`, end the bot on `ChatSignedOut`, and set aside
    what caused a `ChatFault`. The edge raises nothing else, except `JournalProblem` if the journal or the key store
    beside it can't be written.
    """

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
    """A definite refusal: missing power, not in the room, too large, unknown target."""


class ChatSignedOut(ChatProblem):
    """The access token is no longer valid: the bot can't continue without a new login."""


class ChatFault(ChatProblem):
    """An unforeseen failure in a library or in our own parsing; the log says why.

    The request may have been carried out.
    """


class Chat(Protocol):
    """Our own Matrix account. `untrusted`: why people's clients warn about its encrypted messages; '' if they don't."""

    user_id: str
    untrusted: str

    async def claim(self, instance: str, mark: int = 0) -> None:
        """Claim the account for this process. Every other process learns of it from its next sync.

        `mark`: the mark of this process's journal.
        """

    async def last_mark(self) -> int:
        """The mark of the last claim; 0 if it had none."""

    async def sync(self, since: str | None, timeout: float) -> Batch:
        """Wait at most `timeout` seconds for new events; gaps are back-filled before it returns."""

    async def catch_up(self, since: str) -> Batch:
        """Everything that happened since, our own messages included, for a journal that knows less than the room."""

    async def protocol_messages(self, room: str) -> tuple[EnvelopeSeen, ...]:
        """All protocol messages in the room's history that we may read, our own included, oldest first."""

    async def send(self, delivery: Delivery) -> str:
        """Send one event (or set one state event) and return its event id."""

    async def upload(self, room: str, content: bytes, kind: str, name: str) -> Media:
        """Upload a file (`kind` is its media type) for a room, encrypted if the room is."""

    async def upload_sealed(self, content: bytes) -> Media:
        """Upload a file for no room: always encrypted, so only a person who is given its key can open it."""

    async def download(self, file: Mapping[str, Any], longest: int) -> bytes:
        """Download and decrypt a file of at most `longest` bytes; `file` as in `events.PhotoSent`.

        Raises `ChatRefused` with the code `too-large`, `not-there` or `unreadable` if no retry can help.
        """

    async def join(self, room: str, via: Sequence[str] = ()) -> None:
        """Accept an invitation, or join an open room; `via` are servers that know it."""

    async def leave(self, room: str) -> None:
        """Decline an invitation, or leave."""

    async def resolve(self, alias: str) -> str:
        """The id of the room with this address (`#space:example.org`).

        Raises `ChatRefused` if there is no such room.
        """

    async def typing(self, room: str, seconds: int) -> None:
        """Show the typing notification for `seconds`; 0 hides it."""
