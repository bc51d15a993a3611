"""Everything that can happen, as data: chat events, timers, and the outcomes of effects.

`at` is the time by the homeserver's clock (chat) or ours (the rest); always aware, UTC. An event is journaled before
rules decide on it. Chat events carry the Matrix `event_id`, by which a repeated delivery is recognised.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from fedbot.rules.model.command import WebAccess
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.diagnosis import Diagnosis, reason_of
from fedbot.rules.model.party_config import Practice, RosterChange
from fedbot.rules.model.queries import Answer, Continuation, WhenAnswered, WhenAnsweredOrNot, WhenStepEnds
from fedbot.rules.model.room import MessageKey
from fedbot.rules.model.steps import StepResult
from fedbot.rules.model.stock import Permissions


@dataclass(frozen=True)
class Said:
    """A line of a person (or a stranger) in a room. `reply_to` and `thread` are event ids.

    `unproven`: sent in clear in an encrypted room, so that the admin of a homeserver there may have written it.
    `encrypted`: sent encrypted by a device of the person. `mentions_us`: the person's client says that it mentions the
    bot. `missed`: sent while we were out of the room. `session` and `index`: the key that it was encrypted with, and
    its number under that key; a repetition has the same.
    """

    room: str
    event_id: str
    sender: str
    at: datetime
    text: str
    reply_to: str = ""
    thread: str = ""
    edits: str = ""
    direct: bool = False
    unproven: bool = False
    encrypted: bool = False
    mentions_us: bool = False
    missed: bool = False
    session: str = ""
    index: int = 0


@dataclass(frozen=True)
class Unreadable:
    """A line whose key hasn't arrived. `line` is its event id.

    It may still become readable, and is a new event then.
    """

    room: str
    event_id: str
    sender: str
    at: datetime
    line: str


@dataclass(frozen=True)
class PhotoSent:
    """A picture of a person (or a stranger) in a room, with its caption.

    `file` is its address and key: `{"url": "mxc://…"}`, or the spec's `EncryptedFile`. `size` is in bytes as the
    sender's client says, 0 if it doesn't.
    """

    room: str
    event_id: str
    sender: str
    at: datetime
    file: dict[str, Any]
    size: int = 0
    caption: str = ""
    reply_to: str = ""
    thread: str = ""


@dataclass(frozen=True)
class Reacted:
    """A reaction. `key` is the emoji exactly as sent. `missed`: made while we were out of the room."""

    room: str
    event_id: str
    sender: str
    at: datetime
    target: str
    key: str
    missed: bool = False


@dataclass(frozen=True)
class Redacted:
    """A redaction, by the author of the target or by a moderator (then `sender` is not the author)."""

    room: str
    event_id: str
    sender: str
    at: datetime
    target: str


@dataclass(frozen=True)
class EnvelopeSeen:
    """The content under `dev.fedbot` of a message, as received. The chat edge hasn't verified it.

    `edits` is the message that the carrying one edits. Our own envelopes come only during recovery (`ledger.recover`).
    """

    room: str
    event_id: str
    sender: str
    at: datetime
    envelope: dict[str, Any]
    edits: str = ""


@dataclass(frozen=True)
class Echoed:
    """A message or edit of ours that a sync shows, at its place among other messages. Only cards matter."""

    room: str
    event_id: str
    at: datetime


@dataclass(frozen=True)
class Recalled:
    """A past message, read again while a lost journal is rebuilt. Rules only learn from it and start nothing."""

    message: EnvelopeSeen


@dataclass(frozen=True)
class PastRead:
    """The end of reading past messages: the lost journal is rebuilt."""

    at: datetime


@dataclass(frozen=True)
class PartyAnnounced:
    """The state event `dev.fedbot.party` (state key = the bot's own id), or an announcing envelope."""

    room: str
    event_id: str
    sender: str
    at: datetime
    content: dict[str, Any]


@dataclass(frozen=True)
class Invited:
    """An invitation to a room. `direct`: the inviter's client says that it is a direct chat."""

    room: str
    event_id: str
    sender: str
    at: datetime
    name: str = ""
    direct: bool = False


@dataclass(frozen=True)
class Removed:
    """Our removal from a room: kicked, banned, or left (then `sender` is ourselves)."""

    room: str
    event_id: str
    sender: str
    at: datetime
    reason: str = ""
    banned: bool = False


@dataclass(frozen=True)
class RoomReplaced:
    """A tombstone: the room was upgraded. `replacement` is '' if it names no room (a moderator has redacted it)."""

    room: str
    event_id: str
    sender: str
    at: datetime
    replacement: str


@dataclass(frozen=True)
class RoomSeen:
    """A room as of a sync. Sent when the room is new to us, or anything in it changed.

    `may_*` are computed from the power levels, room version 12 included. `members` maps the joined members' ids to
    their display names. `predecessor` is the room that it claims to replace; `replaced_by` is the one that its
    tombstone names.
    """

    room: str
    event_id: str
    at: datetime
    name: str = ""
    version: str = ""
    may_talk: bool = True
    may_announce: bool = True
    may_react: bool = True
    members: dict[str, str] = field(default_factory=dict)
    predecessor: str = ""
    replaced_by: str = ""


@dataclass(frozen=True)
class CaughtUp:
    """The end of a sync with all its back-fills; `at` is when its request was sent. Nothing older is missing."""

    at: datetime


@dataclass(frozen=True)
class Tick:
    """A timer: work may be due."""

    at: datetime


@dataclass(frozen=True)
class ClockSetBack:
    """A correction of our clock, which had been ahead: it was `last` at the previous check, and is `at` now."""

    at: datetime
    last: datetime


@dataclass(frozen=True)
class SetAside:
    """An unforeseen failure of ours, quarantined under `number` until an admin has it tried again."""

    at: datetime
    number: int
    what: str
    subject: str
    problem: str


@dataclass(frozen=True)
class StatsDue:
    """The schedule of the figures has come round; `due` is the scheduled time."""

    at: datetime
    due: datetime


@dataclass(frozen=True)
class ReconcileDue:
    """The nightly comparison of our books with our peers' is due; `due` is the scheduled time."""

    at: datetime
    due: datetime | None = None


@dataclass(frozen=True)
class ReconcileOrdered:
    """The operator's order to compare our books now, with `party` or, if '', with every peer."""

    at: datetime
    number: str
    party: str = ""
    repair: bool = False


@dataclass(frozen=True)
class PeopleOrdered:
    """The operator's order to add or remove somebody, with InvenTree's answer about that user."""

    at: datetime
    change: RosterChange
    permissions: Permissions
    abilities: tuple[str, ...] = ()


@dataclass(frozen=True)
class SaidOffChat:
    """A line that one of our people, known by a session or token, sends by page or API, without `!fed`.

    `event_id` is ours (`is_off_chat`), the same for the same idempotency key. `subject` is the id that the line is
    about and `room` where it is to be posted, if given. `proven`: no homeserver can have forged it. `through` is the
    name of the API token that they used, if any.
    """

    at: datetime
    event_id: str
    sender: str
    text: str
    subject: str = ""
    room: str = ""
    proven: bool = False
    through: str = ""


@dataclass(frozen=True)
class DecidedOffChat:
    """A decision on a card by page or API. `seen` is the hash of what the page showed (`consent.hash_of`).

    `quantity` is set if less is granted than was requested. `code` is the code that the person typed. The rest is as in
    `SaidOffChat`.
    """

    at: datetime
    event_id: str
    sender: str
    subject: str
    choice: Choice
    seen: str
    quantity: Decimal | None = None
    note: str = ""
    code: str = ""
    proven: bool = False
    through: str = ""


@dataclass(frozen=True)
class AccessGiven:
    """Access that one of our people got by signing in with InvenTree, or by making a token."""

    at: datetime
    access: WebAccess


@dataclass(frozen=True)
class AccessEnded:
    """The end of a session or token by `by`; `access` is the hash of its secret."""

    at: datetime
    access: str
    by: str


@dataclass(frozen=True)
class PracticeOrdered:
    """The operator's order about the practice peer (`fedbot practice`).

    `wants` is `begin` (with that `practice`), `end` (the connection) or `forget` (everything, once it has ended).
    """

    at: datetime
    wants: str
    practice: Practice | None = None


@dataclass(frozen=True)
class SettingsRead:
    """The result of reading the settings again after they, or a file that they name, have changed.

    `changed` are the changed settings, `waiting` those of them that need a restart. If there are `problems` (path,
    error, correction), the old settings stay in use.
    """

    at: datetime
    changed: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    problems: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class HomeserverBack:
    """Our homeserver answers again, after a silence since `since`."""

    at: datetime
    since: datetime


@dataclass(frozen=True)
class Started:
    """The start of the process; `version` is fedbot's own.

    `recovers`: it continues from a backup or a rebuilt journal, and has read the events since. `untrusted`: why
    people's clients warn of its messages in encrypted rooms; '' if they don't.
    """

    at: datetime
    version: str
    recovers: bool = False
    untrusted: str = ""


@dataclass(frozen=True)
class Posted:
    """A message of ours that is in the room: `key` is its name in the journal, `event_id` Matrix's.

    `edits`: it only edits the message of that key. `version` is that of the card which it shows.
    """

    at: datetime
    key: MessageKey
    room: str
    event_id: str
    edits: bool = False
    version: int = 0


@dataclass(frozen=True)
class PostRefused:
    """The homeserver's refusal of a message of ours (no power, too large, left the room).

    `key` is the message's key, or the class name of an effect that is no message. `edits` and `version` as in `Posted`.
    """

    at: datetime
    key: MessageKey
    room: str
    code: str
    text: str
    edits: bool = False
    version: int = 0


@dataclass(frozen=True)
class Answered:
    """The answers to an `Ask`, in the order of its queries."""

    at: datetime
    then: WhenAnswered
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Unanswered:
    """An `Ask` that is given up without an answer, because InvenTree is `silent` or refuses it."""

    at: datetime
    then: WhenAnsweredOrNot
    problem: Diagnosis
    silent: bool = False


@dataclass(frozen=True)
class StepDone:
    """A step that was done, now or earlier (found by its mark)."""

    at: datetime
    then: WhenStepEnds
    result: StepResult


@dataclass(frozen=True)
class StepRefused:
    """A definite refusal of a step, by InvenTree or by our own check: nothing was changed."""

    at: datetime
    then: WhenStepEnds
    problem: Diagnosis

    @property
    def reason(self) -> str:
        """The problem's short code."""
        return reason_of(self.problem)


@dataclass(frozen=True)
class StepUnknown:
    """A step whose outcome no program can find out. It isn't repeated; a person resolves it."""

    at: datetime
    then: WhenStepEnds
    problem: Diagnosis

    @property
    def reason(self) -> str:
        """Always the same short code, because the problem is unknown."""
        return "unknown"


@dataclass(frozen=True)
class Waiting:
    """A step or a repeated query that couldn't be done yet; the next try is at `next_try`.

    Not `silent`: InvenTree answers, but refuses, or has a version that we don't know.
    """

    at: datetime
    then: Continuation
    problem: Diagnosis
    next_try: datetime
    silent: bool = True


Event = (
    Said
    | PhotoSent
    | Unreadable
    | Reacted
    | Redacted
    | EnvelopeSeen
    | Echoed
    | Recalled
    | PastRead
    | PartyAnnounced
    | Invited
    | Removed
    | RoomReplaced
    | RoomSeen
    | CaughtUp
    | Tick
    | ClockSetBack
    | SetAside
    | StatsDue
    | ReconcileDue
    | ReconcileOrdered
    | PeopleOrdered
    | SaidOffChat
    | DecidedOffChat
    | AccessGiven
    | AccessEnded
    | PracticeOrdered
    | SettingsRead
    | HomeserverBack
    | Started
    | Posted
    | PostRefused
    | Answered
    | Unanswered
    | StepDone
    | StepRefused
    | StepUnknown
    | Waiting
)
ChatEvent = (
    Said
    | PhotoSent
    | Unreadable
    | Reacted
    | Redacted
    | EnvelopeSeen
    | Echoed
    | PartyAnnounced
    | Invited
    | Removed
    | RoomReplaced
    | RoomSeen
)

BY_THE_CLOCK = (CaughtUp, Tick, StatsDue, ReconcileDue, Started)
"""The events whose rules look at all documents. They recur, so one that fails may skip a document."""


def subject_of(event: Event) -> str:
    """Return the id of the transfer or connection that the event itself names; '' if it names none.

    A reaction or a reply names only a message. `Turn.subject_of` knows what that message is about.
    """
    match event:
        case Answered() | Unanswered() | StepDone() | StepRefused() | StepUnknown() | Waiting():
            return event.then.subject
        case EnvelopeSeen(envelope=envelope) | Recalled(message=EnvelopeSeen(envelope=envelope)):
            named = envelope.get("transfer") or envelope.get("connection")
            return named if isinstance(named, str) else ""
        case DecidedOffChat():
            return event.subject
    return ""
