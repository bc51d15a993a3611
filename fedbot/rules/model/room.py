"""Rooms, the bots in them, and the keys of our messages there.

By its key, a message is edited later, and a reaction or reply to it is understood.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True)
class Room:
    """A Matrix room that we are in, or were (`joined`).

    `replaced_by` is the room that its tombstone names, `predecessor` the one that its first event names;
    `announcements` compares them. `removed` is when we were last removed from it, or left. `announce_at` is when we
    announce ourselves again, for a bot that may have missed it.
    """

    id: str
    name: str = ""
    version: str = ""
    joined: bool = True
    may_talk: bool = True
    may_announce: bool = True
    may_react: bool = True
    replaced_by: str = ""
    predecessor: str = ""
    members: dict[str, str] = field(default_factory=dict)
    removed: datetime | None = None
    announce_at: datetime | None = None


@dataclass(frozen=True)
class AnnouncedParty:
    """One party as its bot announces it. `people` are for addressing only; they get no permission from it.

    `speaks` are the oldest and the newest protocol version of its bot. `at` is when it was signed, in milliseconds by
    the bot's clock; `since` when we first read that this bot hosts the party with this key.
    """

    id: str
    name: str
    key: str
    people: tuple[str, ...] = ()
    access: str = "relayed"
    speaks: tuple[int, int] = (1, 1)
    at: int = 0
    since: datetime | None = None


@dataclass(frozen=True)
class Announcement:
    """The parties that a bot says it hosts, in one room. For our own bot only the times are used."""

    room: str
    bot: str
    parties: tuple[AnnouncedParty, ...] = ()

    @property
    def id(self) -> str:
        """The room and the bot: there is one announcement for both, as of the state event."""
        return f"{self.room} {self.bot}"


@dataclass(frozen=True)
class OwnAnnouncement:
    """Our own announcement in a room, without its time, by the state event or `by_message`."""

    room: str
    parties: tuple[AnnouncedParty, ...]
    by_message: bool

    @property
    def id(self) -> str:
        """The room: there is one announcement in each."""
        return self.room


@dataclass(frozen=True)
class Account:
    """A user of our InvenTree as last read: `id` is the name, `key` the user's id there."""

    id: str
    key: int


# --- the keys of our messages ---


class MessageKind(StrEnum):
    """The kind of one of our messages. Its value begins the message's key, which journals keep: it never changes."""

    # about a transfer or a connection
    CARD = "card"
    OFFER = "offer"
    END = "end"
    WAIT = "wait"
    SILENT = "silent"
    DISPUTED = "disputed"
    REMINDER = "reminder"
    QUIET = "quiet"
    TOO_MANY_REACTIONS = "too-many-reactions"
    REFUSED = "refused"
    NOTED = "noted"
    REOPENED = "reopened"
    FIRST_YES = "first-yes"
    # about a connection
    SUSPENDED = "suspended"
    KEYS = "keys"
    RENAMED = "renamed"
    ADOPTED = "adopted"
    MAKING = "making"
    ROTATED = "rotated"
    BUSY = "busy"
    DISCONNECTING = "disconnecting"
    AT_ONCE = "at-once"
    BOOKS = "books"
    # about a transfer
    PARCEL = "parcel"
    BOOKED = "booked"
    OBSTACLES = "obstacles"
    UNBOOKED = "unbooked"
    NO_PART = "nopart"
    DUE = "due"
    EXTENDED = "extended"
    CLOSED = "closed"
    REMARK = "remark"
    PHOTO = "photo"
    ROTA_STUCK = "rota-stuck"
    ROTA_LOST = "rota-lost"
    # about another document, or about a party
    ROTA = "rota"
    ROTA_END = "rota-end"
    HITS = "found"
    WANT = "want"
    WANT_FOUND = "want-found"
    FRIENDS_WANT = "wanted"
    PLACE = "place"
    TURN = "turn"
    PLACE_OVER = "place-over"
    OUTSIDE = "outside"
    OUTSIDE_DUE = "outside-due"
    NO_LOANS = "no-loans"
    LOANS_AGAIN = "loans-again"
    # about a line, a room or a person
    ANSWER = "answer"
    CHOICE = "choice"
    WAITS = "waits"
    MISSED = "missed"
    UNREADABLE = "unreadable"
    MISANNOUNCED = "misannounced"
    THROTTLED = "throttled"
    HELP = "help"
    CODE = "code"
    STATS = "stats"
    CHART = "chart"
    AGENDA = "agenda"
    HELLO = "hello"
    GREETING = "met"
    MOVED = "moved"
    DIRECT = "direct"
    DIRECT_OVER = "direct-over"
    ADMIN = "admin"

    def of(self, subject: str = "", rest: str = "") -> MessageKey:
        """Return the key of a message of this kind about that subject. `rest` tells it from others of its kind."""
        about = () if self in WITHOUT_SUBJECT else (subject or NO_SUBJECT,)
        return MessageKey(":".join((self.value, *about, *((rest,) if rest else ()))))


WITHOUT_SUBJECT = frozenset({MessageKind.ADMIN, MessageKind.AGENDA})
"""Their keys have no place for a subject."""
NO_SUBJECT = "-"
_KINDS: dict[str, MessageKind] = {kind.value: kind for kind in MessageKind}


class MessageKey(str):
    """The name of one of our messages: `kind:subject:rest`, as the journal keeps it. Made by `MessageKind.of`.

    `subject` is the id of the transfer, connection or other document that the message is about; it has no colon. `rest`
    tells the message from others of its kind, and may have colons, as Matrix's ids do.
    """

    __slots__ = ()

    @property
    def kind(self) -> MessageKind | None:
        """The kind; None for the empty key, and for a kind that only another version knows."""
        return _KINDS.get(self.partition(":")[0])

    @property
    def subject(self) -> str:
        """The id of the document that the message is about; '' if it is about none."""
        subject = "" if self.kind in WITHOUT_SUBJECT else self.partition(":")[2].partition(":")[0]
        return "" if subject == NO_SUBJECT else subject

    @property
    def rest(self) -> str:
        """The part that distinguishes messages of one kind about the same subject; '' if there is only one."""
        rest = self.partition(":")[2]
        return rest if self.kind in WITHOUT_SUBJECT else rest.partition(":")[2]


NO_KEY = MessageKey("")
