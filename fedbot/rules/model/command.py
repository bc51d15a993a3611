"""Parsed lines, typed in chat or sent by a page, and the bot's memory of a conversation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from fedbot.rules.model.stock import UnitFactor

PREFIX = "!fed"
"""The beginning of a line for the bot."""
MORE = "more"
LONGEST_LINE = 4_000
"""A longer line isn't read: it would hold up everybody else, and 20 items with a note need less."""


MOST_SESSIONS_HEARD = 1000
"""Most encryption keys of a person that the bot remembers, newest first. Clients change theirs after a week."""
MOST_LINES_LISTED = 200
"""Most lines of one key that are listed one by one (`HeardSession`)."""


class Answers(StrEnum):
    """The kinds of message to which a line may reply to name its subject.

    Another bot's message can show people any text, whatever its envelope holds. So only lines that read may reply to
    it. A line that changes something has to reply to a message of ours; a decision, to our card.
    """

    ANY_MESSAGE = "any message"
    OUR_MESSAGE = "our message"
    OUR_CARD = "our card"


@dataclass(frozen=True)
class About:
    """Whether a line changes nothing (`looks`), and the words in it that name a subject and a space; '' if none does.

    `shared`: it has to be typed in a room that we share with other spaces.
    """

    looks: bool
    shared: bool = False
    case: str = ""
    space: str = ""


@dataclass(frozen=True)
class Command:
    """A line for us. `arguments` are JSON values as the verb's spec names them (quantities are decimal strings).

    `subject` is the id that the line is about, if it replies to, or is in the thread of, a message about it
    (`Answers`). `username` is the person's in our InvenTree, '' for somebody of no party. `encrypted`: the line was
    sent encrypted. `is_picked`: it was picked from a numbered list; the reply relation, which isn't encrypted, says
    from which. `picked_from` is the message with the list; '' if a program picked it. `factors` are InvenTree's
    conversions of the units in the line; None if it wasn't asked. `place`: the number of versions of our cards that
    syncs had shown before it; None if it wasn't typed in a room, or journaled by an earlier release.
    """

    verb: str
    arguments: dict[str, Any]
    room: str
    event_id: str
    sender: str
    at: datetime
    text: str
    username: str = ""
    subject: str = ""
    encrypted: bool = False
    is_picked: bool = False
    detail: dict[str, Any] = field(default_factory=dict)
    factors: tuple[UnitFactor, ...] | None = None
    place: int | None = None
    picked_from: str = ""

    @property
    def is_proven(self) -> bool:
        """Whether the person's own device vouches that they typed all of it."""
        return self.encrypted and not self.is_picked


# --- The bot's memory of a conversation: numbered lists, and things not to repeat.

NUMBER_WITHIN = timedelta(minutes=10)
"""The time for which a number chooses an entry of a list."""


@dataclass(frozen=True)
class Cooldown:
    """Something that was posted once and isn't repeated before `until` (quiet lines, strangers, alarms)."""

    id: str
    until: datetime


@dataclass(frozen=True)
class PendingChoice:
    """A numbered list for a person: a number, as a reply to it, stands for one of `lines`.

    `more` is the line for which the word 'more' stands. `event_id` is the message with the list.
    """

    id: str
    person: str
    room: str
    lines: tuple[str, ...]
    until: datetime
    event_id: str = ""
    more: str = ""


# --- Documents of pages and the API: people's lines with their answers, and who is signed in.

ANSWERS_KEPT = timedelta(days=1)
"""The time for which a line repeated under the same idempotency key gets the same answer."""
MOST_SESSIONS = 50
"""Most sessions of a person. One more ends the oldest."""
MOST_TOKENS = 50
"""Most tokens and addresses of a person. At the limit, one has to be ended before the next."""
SIGN_IN_WITHIN = timedelta(minutes=10)
"""The time for which a sign-in code counts after the page has shown it."""


class Outcome(StrEnum):
    """The outcome of a line: it changed something, it was only answered, or it was refused."""

    DONE = "done"
    TOLD = "told"
    REFUSED = "refused"


@dataclass(frozen=True)
class WebAnswer:
    """One answer to a line, as text. `sentence` is its name in `fedbot.messages`; an edit has the same `key`.

    `choices` are whole lines, of which the person picks one.
    """

    key: str
    sentence: str
    outcome: Outcome
    plain: str
    html: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class WebLine:
    """A line, or a decision, of one of our people by page or API. `id` is its event id (`is_off_chat`).

    `text` is the wish, which shows whether an idempotency key is reused for something else. `through` is the name of
    the API token that they used, if any.
    """

    id: str
    person: str
    at: datetime
    text: str
    answers: tuple[WebAnswer, ...] = ()
    through: str = ""


@dataclass(frozen=True)
class HeardSession:
    """The lines for us that a person's device encrypted with one key (`Said.session`); `indexes` are their numbers.

    A homeserver can show the bot such a line again, under another event id, as if the person had just typed it. Of many
    lines only the newest are listed: all up to `up_to` count as heard.
    """

    id: str
    person: str
    at: datetime
    indexes: tuple[int, ...] = ()
    up_to: int = -1

    def has(self, index: int) -> bool:
        """Whether that line has been heard."""
        return index <= self.up_to or index in self.indexes

    def after(self, index: int) -> HeardSession:
        """Return the session with that line added."""
        if self.has(index):
            return self
        indexes, up_to = tuple(sorted((*self.indexes, index))), self.up_to
        if len(indexes) > MOST_LINES_LISTED:
            up_to, indexes = indexes[-MOST_LINES_LISTED - 1], indexes[-MOST_LINES_LISTED:]
        return replace(self, indexes=indexes, up_to=up_to)


class AccessKind(StrEnum):
    """The kinds of access. A `FEED` and a `SCREEN` are secret addresses that only read."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 -- the name of a kind
    FEED = "feed"
    SCREEN = "screen"


class Scope(StrEnum):
    """The scope of a token. `ACT` includes reading."""

    READ = "read"
    ACT = "act"


@dataclass(frozen=True)
class WebAccess:
    """A session or token of one of our people. `id` is the SHA-256 (hex) of its secret, which nobody stores.

    `name` says which one it is: the browser, or the person's own name for it. `proven`: the person signed in by an
    encrypted line, so that typed codes count. `username` is the person's InvenTree user at that time.
    """

    id: str
    kind: AccessKind
    person: str
    username: str
    name: str
    made: datetime
    ends: datetime
    scope: Scope = Scope.ACT
    proven: bool = False
