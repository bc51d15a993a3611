"""Rooms and the bots in them: documents that mirror Matrix's own state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


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
