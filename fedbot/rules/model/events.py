"""Everything that can happen, as data: what the chat brought, what a timer says, how an effect ended.

`at` is when it happened by the homeserver's clock (chat) or ours (the rest); always aware, UTC. An event is
journaled before it is decided upon. Chat events carry the Matrix `event_id`, by which a repeated delivery
is recognised.
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
from fedbot.rules.model.steps import StepResult
from fedbot.rules.model.stock import Permissions


@dataclass(frozen=True)
class Said:
    """A person's (or a stranger's) line in a room. `reply_to` and `thread` are event ids.

    `unproven`: said in clear in an encrypted room, so that whoever runs a homeserver there may have written it.
    `encrypted`: it came encrypted by a device of the person.
    `mentions_us`: the person's app says that the bot is mentioned in it. `missed`: said while we were out of the room.
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


@dataclass(frozen=True)
class Unreadable:
    """A line whose key hasn't come. `line` is its event id; it may still be read one day, and be news then."""

    room: str
    event_id: str
    sender: str
    at: datetime
    line: str


@dataclass(frozen=True)
class PhotoSent:
    """A person's (or a stranger's) picture in a room, with what was written under it.

    `file` tells where it lies and how it is opened: `{"url": "mxc://…"}`, or the spec's `EncryptedFile`. `size` is in
    bytes as the sender's client says, 0 if it doesn't.
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
    """A reaction. `key` is the emoji exactly as sent. `missed`: it was made while we were out of the room."""

    room: str
    event_id: str
    sender: str
    at: datetime
    target: str
    key: str
    missed: bool = False


@dataclass(frozen=True)
class Redacted:
    """Something was taken back: by its author, or by a moderator (then `sender` is not the author)."""

    room: str
    event_id: str
    sender: str
    at: datetime
    target: str


@dataclass(frozen=True)
class EnvelopeSeen:
    """The content under `dev.fedbot` of a message, as it came; not yet verified when journaled by chat.

    `edits` is the message that the carrying one edits. Our own come only while we recover (`ledger.recover`).
    """

    room: str
    event_id: str
    sender: str
    at: datetime
    envelope: dict[str, Any]
    edits: str = ""


@dataclass(frozen=True)
class Echoed:
    """A sync shows a message of ours, or an edit, at its place among what others say. Only cards are of interest."""

    room: str
    event_id: str
    at: datetime


@dataclass(frozen=True)
class Recalled:
    """A message of the past, read again for what it tells while a lost journal is rebuilt: nothing is done for it."""

    message: EnvelopeSeen


@dataclass(frozen=True)
class PastRead:
    """All messages of the past have been read again: the lost journal is rebuilt."""

    at: datetime


@dataclass(frozen=True)
class PartyAnnounced:
    """State event `dev.fedbot.party` (state key = the bot's own id), or an announcing envelope."""

    room: str
    event_id: str
    sender: str
    at: datetime
    content: dict[str, Any]


@dataclass(frozen=True)
class Invited:
    """We were invited to a room; `direct`: as the inviter's client says, to be alone with us."""

    room: str
    event_id: str
    sender: str
    at: datetime
    name: str = ""
    direct: bool = False


@dataclass(frozen=True)
class Removed:
    """We are out of a room: kicked, banned, or left (`sender` is ourselves then)."""

    room: str
    event_id: str
    sender: str
    at: datetime
    reason: str = ""
    banned: bool = False


@dataclass(frozen=True)
class RoomReplaced:
    """A tombstone: the room was upgraded. `replacement` is '' if it names no room (a moderator has taken it back)."""

    room: str
    event_id: str
    sender: str
    at: datetime
    replacement: str


@dataclass(frozen=True)
class RoomSeen:
    """A room as of a sync. Sent when the room is new to us, or anything in it changed.

    `may_*` are computed from the power levels, room version 12 included. `members` maps
    the joined members' ids to their display names. `predecessor` is the room that it says to take the place of;
    `replaced_by` what its tombstone names.
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
    """A sync with all its back-fills is complete; `at` is when its request was sent. Nothing older is missing."""

    at: datetime


@dataclass(frozen=True)
class Tick:
    """A timer: something may be due."""

    at: datetime


@dataclass(frozen=True)
class ClockSetBack:
    """Our clock was ahead, and isn't any more: it was `last` when we last looked, and it is `at` now."""

    at: datetime
    last: datetime


@dataclass(frozen=True)
class SetAside:
    """Something of ours failed unforeseen and waits under `number` until an admin has it tried again."""

    at: datetime
    number: int
    what: str
    subject: str
    problem: str


@dataclass(frozen=True)
class StatsDue:
    """The schedule of the figures has come round; `due` is for when it was meant."""

    at: datetime
    due: datetime


@dataclass(frozen=True)
class ReconcileDue:
    """It is night: our books and those of our friends are to be compared; `due` is for when it was meant."""

    at: datetime
    due: datetime | None = None


@dataclass(frozen=True)
class ReconcileOrdered:
    """The operator wants our books compared now, with `party` or, if '', with every friend."""

    at: datetime
    number: str
    party: str = ""
    repair: bool = False


@dataclass(frozen=True)
class PeopleOrdered:
    """The operator wants somebody added or removed, with InvenTree's answer about that user."""

    at: datetime
    change: RosterChange
    permissions: Permissions
    abilities: tuple[str, ...] = ()


@dataclass(frozen=True)
class SaidOffChat:
    """One of our people, known by a session or token, says a line on a page or through the API, without `!fed`.

    `event_id` is ours (`is_off_chat`), the same for the same idempotency key. `subject` is the id that the line is
    about and `room` where it is to be said, if they say so. `proven`: a homeserver can't have said it. `through` is the
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
    """The same for a decision on a card: `seen` is the hash of what the page showed (`shown.hash_of`).

    `quantity` is what is granted, where that is less than was requested. `code` is what the person has typed.
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
    """One of our people has signed in with InvenTree, or has made a token: this is what they hold now."""

    at: datetime
    access: WebAccess


@dataclass(frozen=True)
class AccessEnded:
    """`by` has ended a session or revoked a token: the hash of its secret."""

    at: datetime
    access: str
    by: str


@dataclass(frozen=True)
class PracticeOrdered:
    """The operator wants a pretend friend (`fedbot practice`).

    `wants` is `begin` (with that `practice`), `end` (the friendship) or `forget` (all of it, once that has ended).
    """

    at: datetime
    wants: str
    practice: Practice | None = None


@dataclass(frozen=True)
class SettingsRead:
    """The settings file, or a file that it names, has changed and was read again.

    `changed` are the settings that are others now, `waiting` those of them that take a restart. `problems` are
    why the file can't be used (path, what is wrong, what to write): then everything stays as it was.
    """

    at: datetime
    changed: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    problems: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class HomeserverBack:
    """Our homeserver answers again, after it was silent since `since`."""

    at: datetime
    since: datetime


@dataclass(frozen=True)
class Started:
    """The process is up; `version` is fedbot's own.

    `recovers`: it goes on from a backup or a rebuilt journal, and has read what happened since. `untrusted`: why
    people's clients warn of what it says in encrypted rooms; '' if they don't.
    """

    at: datetime
    version: str
    recovers: bool = False
    untrusted: str = ""


@dataclass(frozen=True)
class Posted:
    """A message of ours is in the room: `key` is its name in the journal, `event_id` Matrix's.

    `edits`: it only changes how the message of that key reads. `version` is that of the card which it shows.
    """

    at: datetime
    key: str
    room: str
    event_id: str
    edits: bool = False
    version: int = 0


@dataclass(frozen=True)
class PostRefused:
    """The homeserver will not take a message of ours (no power, too large, left the room)."""

    at: datetime
    key: str
    room: str
    code: str
    text: str


@dataclass(frozen=True)
class Answered:
    """The answers to an `Ask`, in the order of its questions."""

    at: datetime
    then: WhenAnswered
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Unanswered:
    """An `Ask` that isn't patient could not be answered: InvenTree is away (`silent`) or says no."""

    at: datetime
    then: WhenAnsweredOrNot
    problem: Diagnosis
    silent: bool = False


@dataclass(frozen=True)
class StepDone:
    """A step was done (now, or before and found again by its mark)."""

    at: datetime
    then: WhenStepEnds
    result: StepResult


@dataclass(frozen=True)
class StepRefused:
    """A definite no, of InvenTree or of our own check: nothing was changed."""

    at: datetime
    then: WhenStepEnds
    problem: Diagnosis

    @property
    def reason(self) -> str:
        """The problem's short code."""
        return reason_of(self.problem)


@dataclass(frozen=True)
class StepUnknown:
    """Nobody can tell whether the step was done; it will not be repeated. A person resolves it."""

    at: datetime
    then: WhenStepEnds
    problem: Diagnosis

    @property
    def reason(self) -> str:
        """Always the same short code: what the problem was, nobody knows."""
        return "unknown"


@dataclass(frozen=True)
class Waiting:
    """A step or a patient query could not be tried or finished yet; the next try is at `next_try`.

    Not `silent`: InvenTree answers, but says no, or is a version that we don't know.
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
"""The events whose rules look at all documents. They come again, so one that fails may skip a document."""


def subject_of(event: Event) -> str:
    """The id of the transfer or connection that the event by itself is about; '' if it is about none.

    A reaction or a reply names a message only: what that is about, the state knows (`Turn.subject_of`).
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
