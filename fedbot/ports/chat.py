"""Our Matrix account: what it hears and says, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from fedbot.rules.model.events import ChatEvent, EnvelopeSeen


@dataclass(frozen=True)
class Delivery:
    """One outgoing Matrix event. `transaction` is the transaction id, the same at each retry of one send."""

    room: str
    kind: str
    content: dict[str, Any]
    transaction: str
    state_key: str | None = None


class OwnMessage(NamedTuple):
    """A message of ours, edits left out, as the room has it.

    `answers`: the event id of the line that it answers; '' if it only says that the answer comes later.
    """

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
    """Base of all that can go wrong with our account. `text` is safe to show; `code` is Matrix's errcode, or ours.

    What a caller does follows from the kind: `ChatUnreachable` and `ChatLimited` are tried again, `ChatRefused` never,
    `ChatSignedOut` ends the bot, and what meets a `ChatFault` is set aside. Nothing else leaves the edge, but what
    keeps the journal, or the store of keys beside it, from being written (`JournalProblem`).
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
    """A definite no: no power, not in the room, too large, unknown target."""


class ChatSignedOut(ChatProblem):
    """The access token is no longer good: the bot can't go on without a new login."""


class ChatFault(ChatProblem):
    """A library, or our own reading, failed unforeseen; the log has why. It may have been carried out."""


class Chat(Protocol):
    """Our own Matrix account. `untrusted`: why people's clients warn of what it says encrypted; '' if they don't."""

    user_id: str
    untrusted: str

    async def claim(self, instance: str, mark: int = 0) -> None:
        """Say that this process works with the account from now on; every other one is told by its next sync.

        `mark`: how far its journal is.
        """

    async def last_mark(self) -> int:
        """The mark of the last claim; 0 if it had none."""

    async def sync(self, since: str | None, timeout: float) -> Batch:
        """Wait at most `timeout` seconds for news; gaps are back-filled before it returns."""

    async def catch_up(self, since: str) -> Batch:
        """What happened since, our own messages included, for a journal that knows less than the room."""

    async def protocol_messages(self, room: str) -> tuple[EnvelopeSeen, ...]:
        """All messages of the room's past that we may read, our own included, oldest first."""

    async def send(self, delivery: Delivery) -> str:
        """Send one event (or put one state event); returns its event id."""

    async def upload(self, room: str, content: bytes, kind: str, name: str) -> Media:
        """Put a file (of that media type) onto the homeserver, for a room: encrypted if the room is."""

    async def upload_sealed(self, content: bytes) -> Media:
        """The same for no room: always encrypted, so that only who is told how can open it."""

    async def download(self, file: Mapping[str, Any], longest: int) -> bytes:
        """A file of the homeserver, of at most so many bytes, opened; `file` as in `events.PhotoSent`.

        Raises `ChatRefused` with the code `too-large`, `not-there` or `unreadable` if it can't be had, ever.
        """

    async def join(self, room: str, via: Sequence[str] = ()) -> None:
        """Accept an invitation, or go into an open room; `via` are servers that know it."""

    async def leave(self, room: str) -> None:
        """Decline an invitation, or leave."""

    async def resolve(self, alias: str) -> str:
        """The id of the room with this address (`#space:example.org`). Raises `ChatRefused` if it leads nowhere."""

    async def typing(self, room: str, seconds: int) -> None:
        """Show the typing sign for so long; 0 takes it down."""
