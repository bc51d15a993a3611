"""The audit's entries: who did what, through which event. `messages.audit` words each kind in the reader's language.

An entry is data: a kind and its fields. A kind without fields is a `Fact`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from fedbot.rules.model.command import AccessKind
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.diagnosis import Diagnosis, Hindrance
from fedbot.rules.model.lifecycles import ConnectionState, Ending, OutsideState, TransferState


class Fact(StrEnum):
    """An entry without fields."""

    # a transfer
    LESS_GRANTED = "less granted"
    LESS_TAKEN = "smaller quantity taken"
    GRANTED = "granted"
    CONFIRMED = "confirmed by the asker's bot"
    AGREED_THERE = "agreed to at the receiver"
    RELEASED = "released by a second person"
    NO_PART = "no part for it"
    CANCELLED_HERE = "cancelled here"
    NOT_AS_ASKED = "not what was asked for"
    CANCEL_ASKED = "asked the sender to cancel"
    DECISION_STOPPED = "decision taken back in time"
    CARD_REDACTED = "card redacted"
    CARD_NOT_EDITED = "card not edited"
    LENDERS_CARD_AWAITED = "waits for the owner's card"
    FETCHED = "what was booked was handed over"
    NOT_FETCHED = "what was booked wasn't fetched today"
    PARCEL_LEFT = "on its way by parcel"
    PARCEL_MISSING = "parcel missing"
    PEER_DISPUTES = "disputed by the peer"
    PEER_DISPUTES_TOO_LATE = "the peer disputes what is not its to say now"
    RECEIVER_SAYS_SO_TOO = "the receiver says so too"
    # requests to several peers, wants and queues
    WANTED = "wanted"
    NOT_WANTED = "not wanted any more"
    WANT_TOLD = "our people were told that a friend wants it"
    WANTS_TOO_MUCH = "wants more than is kept"
    WAITS = "joined the waiting list"
    WAITS_NO_MORE = "waits for it no more"
    FOUND_OUTSIDE = "found outside"
    WAITS_FOR_TOO_MUCH = "waits for more than is kept"
    TURN_HAS_COME = "their turn has come"
    ROTA_BEGUN = "asked for from anyone"
    ROTA_FILLED = "given by somebody"
    ROTA_NOBODY = "given by nobody"
    ROTA_STOPPED = "not asked for any more"
    GIVEN_UP = "confirmed, nothing came, and given up"
    # a loan
    ASKED_BACK = "asked back"
    CAME_BACK_IN_PART = "came back in part"
    TURNED_UP = "turned up"
    ON_LOAN_AGAIN = "on loan again"
    ENDING_NOTED = "ending noted in InvenTree"
    NO_NEW_LOANS = "no new loans"
    LOANS_AGAIN = "loans again"
    REMARK = "remark"
    PHOTO = "photo"
    # a connection
    ACCEPTED = "accepted"
    PEER_ACCEPTED = "accepted by the peer"
    BOTH_ASKED = "both sides asked at once"
    BOTH_ASKED_LATER_GENERATION = "both sides asked at once, under different generations"
    ASKED_TOO_OFTEN_TO_CONNECT = "asked too often to connect"
    KEYS_COMPARABLE = "keys can be compared"
    KEY_CHECK_FAILED = "the peer's nonce isn't the one that it committed to"
    DISCONNECTS = "disconnects"
    DISCONNECTS_AT_ONCE = "disconnects at once"
    PEER_DISCONNECTS = "the peer disconnects"
    SUSPENDED = "suspended"
    REVIEWED = "reviewed"
    ANOTHER_FINGERPRINT = "another fingerprint was typed"
    FORMER_KEY = "a message under a former key"
    PEER_READS_NOTHING = "the peer reads nothing of ours"
    OPENS_TOO_MUCH = "opens more at once than is taken"
    ASKS_TOO_OFTEN = "asks for things too often"
    ASKS_FOR_BOOKS_TOO_OFTEN = "asks for our books too often"
    # tokens
    TOKEN_WANTED = "token wanted"  # noqa: S105 -- the name of a fact
    TOKEN_ROTATES = "token is rotated"  # noqa: S105
    TOKEN_REVOKED = "old token revoked"  # noqa: S105
    PEERS_TOKEN_WORKS = "the peer's new token works"  # noqa: S105
    # figures, searches, books, our list
    FIGURES_ASKED = "asked for our figures"
    SEARCHED = "searched in what we share"
    SEARCH_WITHOUT_WORDS = "search without words"
    BOOKS_NOT_ASKED = "the last question about the books isn't read yet"
    SHARED = "shared"
    NOT_SHARED = "not shared any more"
    # the practice peer
    PRACTICE_BEGINS = "practice begins"
    PRACTICE_IS_OVER = "practice is over"
    # the bot itself
    RESUMED = "stock may move again"
    WENT_BACK = "InvenTree went back in time"
    INVENTORY_SILENT = "InvenTree does not answer"
    INVENTORY_BACK = "InvenTree answers again"
    RECOVERED = "what is unfinished goes on"
    PARTY_NOT_ANNOUNCED = "asks for a party that its bot has not announced"
    NO_CONNECTION = "a message without a connection"
    NOT_THE_SENDERS = "not the sender's, or in another room"


@dataclass(frozen=True)
class Happened:
    """An entry that is just a fact."""

    fact: Fact


@dataclass(frozen=True)
class SaidToBeHere:
    """An approver reported that the item lent to us is already this stock item of ours (0: that it is none)."""

    item: int


# --- transfers and connections -------------------------------------------------------------------------------


class Asking(StrEnum):
    """The kinds of request to another space."""

    OFFER = "offer"
    REQUEST = "request"
    HAND_BACK = "hand back"
    ASK_BACK = "ask back"
    TAKE_BACK_ALONE = "take back alone"
    MORE_TIME = "more time"
    FRIENDSHIP = "friendship"


@dataclass(frozen=True)
class Asked:
    """A request to the other space, `peer`, or by it (`by_peer`)."""

    what: Asking
    peer: str
    by_peer: bool = False


@dataclass(frozen=True)
class TransferIs:
    """A transfer's new state; `reason` is a short code or a text. `stock_items`: those concerned."""

    state: TransferState
    reason: str = ""
    stock_items: tuple[int, ...] = ()
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class ConnectionIs:
    """A connection's new state."""

    state: ConnectionState


@dataclass(frozen=True)
class PeerDeclined:
    """The other space's refusal of a connection."""

    reason: str


@dataclass(frozen=True)
class PeerReceived:
    """The other space has booked it in, as these stock items of its own."""

    stock_items: tuple[int, ...]


@dataclass(frozen=True)
class PeerRefused:
    """The other space could not book it in."""

    reason: str


class Stage(StrEnum):
    """The stage of a person's decision."""

    IN_GRACE = "in grace"
    FIRST = "first of two"
    VOID = "void"
    NOT_COUNTED = "not counted"


@dataclass(frozen=True)
class Decided:
    """A person's decision on a card. `why` is the name of the sentence that told why it doesn't count."""

    choice: Choice
    stage: Stage
    why: str = ""


@dataclass(frozen=True)
class AskedOfSender:
    """Our side's decision, which the sender's bot has to carry out: `approve` or `decline`."""

    kind: str
    reason: str = ""


CLOSED_COMPANY = "CloseAccess"
"""In `StepWasDone.step`, instead of the step's kind: the company of a former peer was closed."""


@dataclass(frozen=True)
class StepWasDone:
    """A completed step in our InvenTree; `step` is its kind (`StepKind`), or that of an earlier version."""

    step: str
    line: int = 0


@dataclass(frozen=True)
class StepWasRefused:
    """A step that InvenTree refused. `waits`: people may report the parcel's arrival again."""

    line: int
    problem: Diagnosis
    waits: bool = False


@dataclass(frozen=True)
class NothingFollows:
    """An outcome that arrived after the transfer was disputed, so that nothing follows from it."""

    line: int


@dataclass(frozen=True)
class NeedsCare:
    """Our approval takes two people because of this part, category, location or value, as in the config."""

    why: str


@dataclass(frozen=True)
class AskerHasToSee:
    """A request that was taken back because the offered items differ from the request (`why`, a short code)."""

    why: str


@dataclass(frozen=True)
class BookingStands:
    """What hinders a booking in our InvenTree: for each obstacle, why its line can't be handed over as agreed."""

    why: tuple[Hindrance, ...]


@dataclass(frozen=True)
class Waits:
    """A wait for InvenTree."""

    problem: Diagnosis


@dataclass(frozen=True)
class Disputed:
    """An unknown outcome of that line (0: of all)."""

    line: int
    problem: Diagnosis


@dataclass(frozen=True)
class Settled:
    """People, or the other space's bot (`by_peer`), have said which outcome is true."""

    truth: str
    by_peer: bool = False


@dataclass(frozen=True)
class ParcelHere:
    """The arrival of a parcel. `missing`: the quantities that were not in it, one for each line."""

    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class RestSettled:
    """A superuser's decision about the missing part of a parcel."""

    truth: str


@dataclass(frozen=True)
class RestBack:
    """The missing part of a parcel is in our stock again."""

    line: int


@dataclass(frozen=True)
class VanishedFound:
    """A superuser has reported what became of a vanished quantity of that line."""

    line: int
    quantity: str


@dataclass(frozen=True)
class LoanEnded:
    """The end of a loan, or of a part of it."""

    how: Ending
    in_part: bool = False


@dataclass(frozen=True)
class LentOutside:
    """A loan to a neighbour without a bot."""

    neighbour: str


@dataclass(frozen=True)
class OutsideIs:
    """The new state of a loan to a neighbour without a bot."""

    state: OutsideState


@dataclass(frozen=True)
class DueDate:
    """The loan's new due date."""

    day: date


@dataclass(frozen=True)
class WrittenOff:
    """An ended line was taken out of our stock."""

    line: int


@dataclass(frozen=True)
class PhotoKept:
    """The photo is attached to that stock item."""

    item: int


@dataclass(frozen=True)
class FileNotSent:
    """A file of that line can't be sent."""

    line: int
    problem: Diagnosis


@dataclass(frozen=True)
class PhotoNotKept:
    """The photo could not be attached."""

    problem: Diagnosis


@dataclass(frozen=True)
class GoesOn:
    """The transfer continues under the next generation of the connection."""

    generation: int


@dataclass(frozen=True)
class Reminded:
    """A reminder that mentioned these people."""

    people: tuple[str, ...]


# --- setting up a connection ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Provisioned:
    """A step of the setup; `result` is the name of its result's class."""

    result: str


@dataclass(frozen=True)
class ProvisionWaits:
    """The setup waits for people."""

    problem: Diagnosis


@dataclass(frozen=True)
class PeersTokenRefused:
    """The token that the peer made for us, or the next one (`is_next`), doesn't work."""

    problem: Diagnosis
    is_next: bool = False


@dataclass(frozen=True)
class PeerSilent:
    """The peer's InvenTree can't be reached."""

    problem: Diagnosis


@dataclass(frozen=True)
class Active:
    """Both sides are ready."""

    peer: str


@dataclass(frozen=True)
class TokenRotated:
    """The peer's new token works. `before`: it already did when we found it after a loss."""

    name: str
    before: bool = False


@dataclass(frozen=True)
class RotationWaits:
    """The rotation of a token has to wait."""

    problem: Diagnosis


@dataclass(frozen=True)
class NewName:
    """The name that the peer wants, or may use from now on (`accepted`)."""

    name: str
    accepted: bool = False


@dataclass(frozen=True)
class RoomReplaced:
    """The room of a connection was replaced. `is_over`: the connection has ended."""

    room: str
    is_over: bool = False


@dataclass(frozen=True)
class GoesOnInRoom:
    """A superuser's decision that the connection continues in that room."""

    room: str


# --- messages ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """A verb that a person typed. `counted`: it didn't reply to a message about something else."""

    verb: str
    counted: bool = True


@dataclass(frozen=True)
class LineTakenBack:
    """A line with that verb that was redacted while it waited for our InvenTree."""

    verb: str


@dataclass(frozen=True)
class NotEntitled:
    """A verb that the person may not use."""

    verb: str


@dataclass(frozen=True)
class NotTaken:
    """A message of another bot that can't be accepted, or (`is_unreadable`) not even be read."""

    problem: str
    is_unreadable: bool = False


@dataclass(frozen=True)
class LeftUnread:
    """A message that stays unread because the budget of its kind is used up."""

    kind: str


@dataclass(frozen=True)
class NotUnderstood:
    """The sealed part of a peer's `search`, `hits`, `books` or `figures` that can't be read."""

    what: str
    problem: str


@dataclass(frozen=True)
class FiguresTold:
    """The peer has sent its figures, or the reason why not."""

    problem: str


@dataclass(frozen=True)
class PastDiffers:
    """The peer's record of our messages differs from ours from that number on."""

    number: int


@dataclass(frozen=True)
class PeerSawMore:
    """The peer has read more of our messages than we know of."""

    known: int
    seen: int


@dataclass(frozen=True)
class PastLost:
    """A part of our own messages is lost."""

    known: int
    read: int


@dataclass(frozen=True)
class KnownFromOwnMessage:
    """Learnt from our own message of that kind, during recovery."""

    kind: str


@dataclass(frozen=True)
class FoundMirrored:
    """A connection in that state was found in our InvenTree."""

    state: ConnectionState


@dataclass(frozen=True)
class Reconciles:
    """The start of a comparison of the books, with `repair` or without."""

    repair: bool


@dataclass(frozen=True)
class ReconciledByNight:
    """The nightly comparison ran; `problem` is why it failed, '' if there is nothing new."""

    problem: str


# --- the bot itself ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AdminsTold:
    """A message to the admins, by its sentence's name and its key."""

    sentence: str
    key: str


@dataclass(frozen=True)
class NotPosted:
    """A message of ours that the homeserver refused."""

    code: str
    key: str
    text: str


@dataclass(frozen=True)
class HomeserverBack:
    """The homeserver answers again."""

    since: datetime


@dataclass(frozen=True)
class SetAside:
    """An unforeseen failure of ours, quarantined under that number."""

    number: int
    kind: str
    problem: str


@dataclass(frozen=True)
class Dropped:
    """The operator gave up the quarantined row with that number for good."""

    number: int
    kind: str
    problem: str


@dataclass(frozen=True)
class RulesFailed:
    """The rules failed on an event of that kind."""

    kind: str


@dataclass(frozen=True)
class InventoryVersion:
    """InvenTree has another API version."""

    old: int
    new: int


@dataclass(frozen=True)
class OwnTokenRotated:
    """Our own token was rotated, or could not be (`problem`)."""

    setting: str
    name: str = ""
    problem: Diagnosis | None = None


@dataclass(frozen=True)
class OwnTokenRevoked:
    """Our old token was revoked, or could not be (`problem`)."""

    setting: str
    problem: Diagnosis | None = None


@dataclass(frozen=True)
class ClockSetBack:
    """Our clock was ahead by that much."""

    seconds: int


class RoomChange(StrEnum):
    """The changes of a room."""

    JOINED = "joined"
    DECLINED = "invitation declined"
    LEFT = "left"
    REMOVED = "removed"
    REPLACED = "replaced"
    UNSIGNED = "announcement without its signature"


@dataclass(frozen=True)
class InRoom:
    """A change of a room; `about` is the reason, the room that replaces it, or the announced party."""

    change: RoomChange
    room: str
    about: str = ""


@dataclass(frozen=True)
class WebAccessGiven:
    """A session or token of that name by which the person may use the pages or the API."""

    kind: AccessKind
    name: str


@dataclass(frozen=True)
class WebAccessEnded:
    """A session or token ended."""

    kind: AccessKind
    name: str


@dataclass(frozen=True)
class PersonListed:
    """A person was added (`added`), as that InvenTree user and as an admin or not, or removed."""

    person: str
    user: str
    admin: bool
    added: bool


@dataclass(frozen=True)
class SettingsRead:
    """The settings were read again; `faulty`: the old ones stay in use. `changed`: the settings' names."""

    changed: tuple[str, ...]
    faulty: bool


@dataclass(frozen=True)
class Matched:
    """A peer's name was assigned to that part of ours; 0: the assignment was removed."""

    peer: str
    word: str
    part: int


@dataclass(frozen=True)
class MirrorUnreadable:
    """The mirror in that company's metadata can't be read."""

    company: int


Noted = (
    Happened
    | Asked
    | TransferIs
    | ConnectionIs
    | PeerDeclined
    | PeerReceived
    | PeerRefused
    | Decided
    | AskedOfSender
    | StepWasDone
    | StepWasRefused
    | NothingFollows
    | NeedsCare
    | AskerHasToSee
    | BookingStands
    | Waits
    | Disputed
    | Settled
    | ParcelHere
    | RestSettled
    | RestBack
    | VanishedFound
    | LoanEnded
    | DueDate
    | LentOutside
    | OutsideIs
    | SaidToBeHere
    | WrittenOff
    | PhotoKept
    | PhotoNotKept
    | FileNotSent
    | GoesOn
    | Reminded
    | Provisioned
    | ProvisionWaits
    | PeersTokenRefused
    | PeerSilent
    | Active
    | TokenRotated
    | RotationWaits
    | NewName
    | RoomReplaced
    | GoesOnInRoom
    | Said
    | LineTakenBack
    | NotEntitled
    | NotTaken
    | LeftUnread
    | NotUnderstood
    | FiguresTold
    | PastDiffers
    | PeerSawMore
    | PastLost
    | KnownFromOwnMessage
    | FoundMirrored
    | Reconciles
    | ReconciledByNight
    | AdminsTold
    | NotPosted
    | HomeserverBack
    | SetAside
    | Dropped
    | RulesFailed
    | InventoryVersion
    | OwnTokenRotated
    | OwnTokenRevoked
    | ClockSetBack
    | InRoom
    | PersonListed
    | WebAccessGiven
    | WebAccessEnded
    | SettingsRead
    | Matched
    | MirrorUnreadable
)


@dataclass(frozen=True)
class AuditEntry:
    """One entry about `subject`: who caused it (a Matrix id, or ''), and through which Matrix event.

    `says`: the peer that alone reports it of one of our people. `user` and `user_key` are the name and the id of the
    person's user in our InvenTree ('' and 0 if not known); `terms_hash` is that of the transfer's terms at the time.
    `through` is the name of the API token that the person used, if any.
    """

    subject: str
    what: Noted
    who: str = ""
    event_id: str = ""
    says: str = ""
    user: str = ""
    user_key: int = 0
    terms_hash: str = ""
    through: str = ""
