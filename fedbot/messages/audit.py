"""Every kind of entry of the audit in words, for `show` and `fedbot audit export`. They leave out the person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from fedbot.messages.diagnosis import diagnosis
from fedbot.messages.language import Locale, marked
from fedbot.rules.model.audit import (
    CLOSED_COMPANY,
    Active,
    AdminsTold,
    Asked,
    AskedOfSender,
    AskerHasToSee,
    Asking,
    AuditEntry,
    BookingStands,
    ClockSetBack,
    ConnectionIs,
    Decided,
    Disputed,
    Dropped,
    DueDate,
    Fact,
    FiguresTold,
    FileNotSent,
    FoundMirrored,
    GoesOn,
    GoesOnInRoom,
    Happened,
    HomeserverBack,
    InRoom,
    InventoryVersion,
    KnownFromOwnMessage,
    LeftUnread,
    LentOutside,
    LineTakenBack,
    LoanEnded,
    Matched,
    MirrorUnreadable,
    NeedsCare,
    NewName,
    Noted,
    NotEntitled,
    NothingFollows,
    NotPosted,
    NotTaken,
    NotUnderstood,
    OutsideIs,
    OwnTokenRevoked,
    OwnTokenRotated,
    ParcelHere,
    PastDiffers,
    PastLost,
    PeerDeclined,
    PeerReceived,
    PeerRefused,
    PeerSawMore,
    PeerSilent,
    PeersTokenRefused,
    PersonListed,
    PhotoKept,
    PhotoNotKept,
    Provisioned,
    ProvisionWaits,
    ReconciledByNight,
    Reconciles,
    Reminded,
    RestBack,
    RestSettled,
    RoomChange,
    RoomReplaced,
    RotationWaits,
    RulesFailed,
    Said,
    SaidToBeHere,
    SetAside,
    SettingsRead,
    Settled,
    Stage,
    StepWasDone,
    StepWasRefused,
    TokenRotated,
    TransferIs,
    VanishedFound,
    Waits,
    WebAccessEnded,
    WebAccessGiven,
    WrittenOff,
)
from fedbot.rules.model.command import AccessKind
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.diagnosis import Diagnosis, reason_of
from fedbot.rules.model.lifecycles import ConnectionState, Ending, OutsideState, TransferState
from fedbot.rules.model.steps import AccessMade, CompanyMade, StepKind, TokenMinted, TokenTried

LONGEST_FIELD = 40

FACTS: dict[Fact, str] = {
    Fact.LESS_GRANTED: marked("granted less than was asked for"),
    Fact.LESS_TAKEN: marked("agreed to the smaller quantity"),
    Fact.GRANTED: marked("granted it; the requesting space has to confirm"),
    Fact.CONFIRMED: marked("the requesting space confirmed"),
    Fact.NO_NEW_LOANS: marked("stopped new loans to that space"),
    Fact.LOANS_AGAIN: marked("allowed new loans to that space again"),
    Fact.WANTED: marked("said that they want it"),
    Fact.NOT_WANTED: marked("said that they don't want it any more"),
    Fact.WANT_TOLD: marked("our people were told that a friend wants it"),
    Fact.WANTS_TOO_MUCH: marked("the other space wants more items than we keep"),
    Fact.WAITS: marked("joined the waiting list"),
    Fact.WAITS_NO_MORE: marked("left the waiting list"),
    Fact.FOUND_OUTSIDE: marked("a loan to a neighbour without a bot was found in our InvenTree, after a restore"),
    Fact.WAITS_FOR_TOO_MUCH: marked("the other space waits for more items than we keep"),
    Fact.TURN_HAS_COME: marked("it is back, and reserved for the first in line"),
    Fact.ROTA_BEGUN: marked("asked for it from anyone"),
    Fact.ROTA_FILLED: marked("a space gave it"),
    Fact.ROTA_NOBODY: marked("no space gave it"),
    Fact.ROTA_STOPPED: marked("stopped asking for it"),
    Fact.GIVEN_UP: marked("continues without it: if it still comes, it goes back"),
    Fact.AGREED_THERE: marked("approved it, for the other space"),
    Fact.RELEASED: marked("gave the second approval: it may go"),
    Fact.NO_PART: marked("our space had no location for it, so it was taken back"),
    Fact.CANCELLED_HERE: marked("it came although it was cancelled here; it goes back"),
    Fact.NOT_AS_ASKED: marked("it came, but isn't the requested item; it goes back"),
    Fact.CANCEL_ASKED: marked("asked the other space to take it back"),
    Fact.DECISION_STOPPED: marked("stopped the decision in time"),
    Fact.CARD_REDACTED: marked("removed the card, so it was posted again"),
    Fact.CARD_NOT_EDITED: marked("the homeserver refused to change the card, so it was posted again"),
    Fact.LENDERS_CARD_AWAITED: marked("waits for the lender's card"),
    Fact.FETCHED: marked("said that it was handed over"),
    Fact.NOT_FETCHED: marked("said that it wasn't picked up that day"),
    Fact.PARCEL_LEFT: marked("it has left the other space, by parcel"),
    Fact.PARCEL_MISSING: marked("said that the parcel did not arrive"),
    Fact.PEER_DISPUTES: marked("stopped, because the other bot could not tell what happened"),
    Fact.PEER_DISPUTES_TOO_LATE: marked("the other bot could not tell what happened, but that doesn't count any more"),
    Fact.RECEIVER_SAYS_SO_TOO: marked("the other space gives the same answer, so both agree"),
    Fact.ASKED_BACK: marked("said that it is back"),
    Fact.CAME_BACK_IN_PART: marked("a part of it came back"),
    Fact.TURNED_UP: marked("it turned up, and was given back"),
    Fact.ON_LOAN_AGAIN: marked("on loan again, because the lender is a friend again"),
    Fact.ENDING_NOTED: marked("noted in InvenTree's history"),
    Fact.REMARK: marked("wrote a remark for the item's history"),
    Fact.PHOTO: marked("sent a photo of it"),
    Fact.ACCEPTED: marked("approved it, and it counted"),
    Fact.PEER_ACCEPTED: marked("approved it, for the other space"),
    Fact.BOTH_ASKED: marked("asked at the same moment, so both have approved"),
    Fact.BOTH_ASKED_LATER_GENERATION: marked("asked at the same moment, so both have approved"),
    Fact.ASKED_TOO_OFTEN_TO_CONNECT: marked("asked to be friends too often; the rest comes later"),
    Fact.KEYS_COMPARABLE: marked("both bots can show the emoji by which keys are compared"),
    Fact.KEY_CHECK_FAILED: marked("the key check with the other bot failed"),
    Fact.DISCONNECTS: marked("ended the friendship"),
    Fact.DISCONNECTS_AT_ONCE: marked("ended the friendship at once"),
    Fact.PEER_DISCONNECTS: marked("ended the friendship, at the other space"),
    Fact.SUSPENDED: marked("paused, because the other bot's key or account changed"),
    Fact.REVIEWED: marked("accepted the other bot's new key and account"),
    Fact.ANOTHER_FINGERPRINT: marked("typed another fingerprint than that of the new key"),
    Fact.FORMER_KEY: marked("the other bot wrote under its former key; the bot doesn't read that"),
    Fact.PEER_READS_NOTHING: marked("the other bot doesn't read our messages, so they wait"),
    Fact.OPENS_TOO_MUCH: marked(
        "the other space sends more requests at once than the bot accepts; the rest comes later"
    ),
    Fact.ASKS_TOO_OFTEN: marked("the other space sends requests too often; the rest comes later"),
    Fact.ASKS_FOR_BOOKS_TOO_OFTEN: marked("the other bot asks for our books too often"),
    Fact.TOKEN_WANTED: marked("ordered a new token for the other bot"),
    Fact.TOKEN_ROTATES: marked("the other bot's token is being rotated"),
    Fact.TOKEN_REVOKED: marked("the other bot's old token is revoked"),
    Fact.PEERS_TOKEN_WORKS: marked("our new token at the other space works"),
    Fact.FIGURES_ASKED: marked("the other space asked for our figures"),
    Fact.SEARCHED: marked("the other space searched our shared items"),
    Fact.SEARCH_WITHOUT_WORDS: marked("the other bot sent a search without words"),
    Fact.BOOKS_NOT_ASKED: marked("the books were not compared: the other bot has not read the last query yet"),
    Fact.SHARED: marked("shared it"),
    Fact.NOT_SHARED: marked("stopped sharing it"),
    Fact.PRACTICE_BEGINS: marked("added a pretend friend for practice"),
    Fact.PRACTICE_IS_OVER: marked("ended the practice, and the bot forgot everything about it"),
    Fact.RESUMED: marked("checked the stock; stock may move again"),
    Fact.WENT_BACK: marked("InvenTree was restored to an earlier state"),
    Fact.INVENTORY_SILENT: marked("InvenTree does not answer"),
    Fact.INVENTORY_BACK: marked("InvenTree answers again"),
    Fact.RECOVERED: marked("unfinished work continues, after a restore"),
    Fact.PARTY_NOT_ANNOUNCED: marked("asked to be friends for a space that it doesn't announce"),
    Fact.NO_CONNECTION: marked("wrote although there is no friendship"),
    Fact.NOT_THE_SENDERS: marked("wrote about a case that isn't theirs, or in another room"),
}
_STATES: dict[TransferState, str] = {
    TransferState.OPEN: marked("open"),
    TransferState.BOOKED: marked("booked it for its first day"),
    TransferState.APPROVED: marked("approved it, and it counted"),
    TransferState.DEBITING: marked("booking out began"),
    TransferState.SENT: marked("the other bot was told that it has left"),
    TransferState.CREDITING: marked("it has left the other space; booking in began"),
    TransferState.RECEIVED: marked("the other bot was told that it is booked in"),
    TransferState.DONE: marked("done"),
    TransferState.DECLINED: marked("declined it"),
    TransferState.CANCELLED: marked("took it back"),
    TransferState.EXPIRED: marked("it expired"),
    TransferState.ABORTED: marked("it could not be given; nothing has left"),
    TransferState.REFUSED: marked("it could not be booked in; the other bot was told"),
    TransferState.REVERTING: marked("it goes back"),
    TransferState.REVERTED: marked("everything is back where it came from"),
    TransferState.DISPUTED: marked("stopped, because nobody could tell what happened"),
}
_CONNECTIONS: dict[ConnectionState, str] = {
    ConnectionState.ASKED: marked("asked to be friends"),
    ConnectionState.OFFERED: marked("asked to be friends"),
    ConnectionState.MAKING: marked("both have approved; each side is being set up"),
    ConnectionState.READY: marked("our side is ready"),
    ConnectionState.ACTIVE: marked("both sides are ready: friends now"),
    ConnectionState.SUSPENDED: marked("paused"),
    ConnectionState.ENDING: marked("ended the friendship"),
    ConnectionState.DECLINED: marked("declined it"),
    ConnectionState.CANCELLED: marked("took it back"),
    ConnectionState.EXPIRED: marked("it expired"),
    ConnectionState.ENDED: marked("nothing moves any more, and the access is closed"),
}
_ASKED: dict[Asking, str] = {
    Asking.OFFER: marked("offered it"),
    Asking.REQUEST: marked("asked for it"),
    Asking.HAND_BACK: marked("wanted to hand it back"),
    Asking.ASK_BACK: marked("said that it is back"),
    Asking.TAKE_BACK_ALONE: marked("said that it is back, without the other space"),
    Asking.MORE_TIME: marked("asked for more time"),
    Asking.FRIENDSHIP: marked("asked to be friends"),
}
_IN_GRACE: dict[Choice, str] = {
    Choice.APPROVE: marked("approved it"),
    Choice.DECLINE: marked("declined it"),
    Choice.DAMAGED: marked("said that it is back, but damaged"),
    Choice.PARCEL: marked("chose 📦"),
}
_NOT_COUNTED: dict[Choice, str] = {
    Choice.APPROVE: marked("wanted to approve; it did not count"),
    Choice.DECLINE: marked("wanted to decline; it did not count"),
    Choice.DAMAGED: marked("wanted to say that it is damaged; it did not count"),
    Choice.PARCEL: marked("chose 📦; it did not count"),
}
_STEPS: dict[str, str] = {
    StepKind.TAKE_OUT: marked("taken out of stock, into Outgoing"),
    StepKind.HAND_OVER: marked("given to the other space's company in InvenTree"),
    StepKind.PUT_BACK: marked("put back in its old location"),
    StepKind.TAKE_BACK: marked("taken back into stock"),
    StepKind.MERGE_BACK: marked("merged into the stock item from which it had been split off"),
    StepKind.ARRIVED: marked("our record marked as arrived"),
    StepKind.CREATE_PART: marked("the new part was created"),
    StepKind.CREATE_ITEM: marked("booked in"),
    StepKind.BOOK_IN_AGAIN: marked("booked in"),
    StepKind.MARK_AS_HERE: marked("our own record marked as borrowed"),
    StepKind.PUT_AWAY: marked("put away"),
}
SILENT_STEPS = frozenset({StepKind.MIRROR, StepKind.LABEL, StepKind.FURNISH, StepKind.KEEP_FILE, CLOSED_COMPANY})
_PROVISIONED: dict[str, str] = {
    CompanyMade.__name__: marked("the other space's company was created in our InvenTree"),
    AccessMade.__name__: marked("a read-only user was created in our InvenTree"),
    TokenMinted.__name__: marked("its token was created"),
    TokenTried.__name__: marked("a token was tried, and it works"),
}
_ENDED: dict[Ending, str] = {
    Ending.RETURNED: marked("all of it is back"),
    Ending.GIFT: marked("turned it into a gift"),
    Ending.LOST: marked("said that it is lost"),
    Ending.KEPT: marked("said that it stays here as theirs, because the lender's bot is gone"),
}
_ENDED_IN_PART: dict[Ending, str] = {
    Ending.RETURNED: marked("said that a part of it is lost, or back"),
    Ending.GIFT: marked("turned a part of it into a gift"),
    Ending.LOST: marked("said that a part of it is lost, or back"),
    Ending.KEPT: marked("said that a part of it stays here as theirs"),
}
_OUTSIDE: dict[OutsideState, str] = {
    OutsideState.BOOKING_OUT: marked("books it out"),
    OutsideState.OUT: marked("it is with the neighbour"),
    OutsideState.HANDING_OVER: marked("it is offered to the neighbour's bot"),
    OutsideState.HANDED_OVER: marked("it is an ordinary loan now"),
    OutsideState.COMING_BACK: marked("books it in again"),
    OutsideState.RETURNED: marked("all of it is back"),
    OutsideState.GIFT: marked("turned it into a gift"),
    OutsideState.LOST: marked("said that it is lost"),
    OutsideState.NOT_LENT: marked("it was not lent"),
    OutsideState.UNCLEAR: marked("somebody has to look"),
    OutsideState.CLOSED: marked("corrected by hand"),
}
_ROOMS: dict[RoomChange, str] = {
    RoomChange.JOINED: marked("joined {room}"),
    RoomChange.DECLINED: marked("declined the invitation to {room}"),
    RoomChange.LEFT: marked("left {room}, because it is no direct chat"),
    RoomChange.REMOVED: marked("was removed from {room} ({about})"),
    RoomChange.REPLACED: marked("{room} was replaced by {about}"),
    RoomChange.UNSIGNED: marked("announced {about} in {room} without its signature"),
}
_VERBS_TOLD = frozenset({"cancel", "approve", "decline", "review", "resolve", "received", "missing"})


def _decided(noted: Decided) -> str:
    if noted.stage is Stage.IN_GRACE:
        return _IN_GRACE[noted.choice]
    if noted.stage is Stage.FIRST:
        return marked("gave the first of two approvals")
    if noted.stage is Stage.VOID:
        return marked("the decision is void, because the card has changed by now")
    return _NOT_COUNTED[noted.choice]


def _asked_of_sender(noted: AskedOfSender) -> str:
    if noted.kind == "approve":
        return marked("approved it, and it counted; the other bot was told")
    return marked("declined it, and it counted; the other bot was told")


def _listed(noted: PersonListed) -> str:
    if not noted.added:
        return marked("removed {person}")
    if noted.user and noted.admin:
        return marked("added {person} as InvenTree user {user}, and as an admin")
    return marked("added {person} as an admin") if noted.admin else marked("added {person} as InvenTree user {user}")


_ACCESS_GIVEN: dict[AccessKind, str] = {
    AccessKind.SESSION: marked("signed in on a page ({name})"),
    AccessKind.TOKEN: marked("created an API token ({name})"),
    AccessKind.FEED: marked("created an address for a calendar ({name})"),
    AccessKind.SCREEN: marked("created an address for a wall screen ({name})"),
}
_ACCESS_ENDED: dict[AccessKind, str] = {
    AccessKind.SESSION: marked("signed out of a page ({name})"),
    AccessKind.TOKEN: marked("revoked an API token ({name})"),
    AccessKind.FEED: marked("revoked the address of a calendar ({name})"),
    AccessKind.SCREEN: marked("revoked the address of a wall screen ({name})"),
}


def _one_of(yes: str, no: str, name: str) -> Callable[[Any], str]:
    return lambda noted: yes if getattr(noted, name) else no


WORDS: dict[type[Noted], str | Callable[[Any], str]] = {
    Happened: lambda noted: FACTS[noted.fact],
    Asked: lambda noted: _ASKED[noted.what],
    TransferIs: lambda noted: _STATES[noted.state],
    ConnectionIs: lambda noted: _CONNECTIONS[noted.state],
    PeerDeclined: marked("declined it, for the other space"),
    PeerReceived: marked("the other space has booked it in"),
    PeerRefused: marked("the other space could not book it in"),
    Decided: _decided,
    AskedOfSender: _asked_of_sender,
    StepWasDone: lambda noted: _STEPS.get(noted.step, marked("{step} done in InvenTree")),
    StepWasRefused: _one_of(
        marked("InvenTree refused it ({reason}); people can say again that the parcel is here"),
        marked("InvenTree refused it ({reason})"),
        "waits",
    ),
    NothingFollows: marked("a message came after it was stopped; it had no effect"),
    NeedsCare: marked("it needs two approvals"),
    AskerHasToSee: marked("taken back, so that the requesting space first sees what it would get ({why})"),
    BookingStands: _one_of(
        marked("the booked item can't be handed over in InvenTree's present state ({why})"),
        marked("the booked item can be handed over again"),
        "why",
    ),
    Waits: marked("had to wait for InvenTree"),
    Disputed: marked("stopped, because nobody could tell what happened"),
    Settled: _one_of(
        marked("the other space's bot reported the answer ({truth})"), marked("settled it ({truth})"), "by_peer"
    ),
    ParcelHere: _one_of(
        marked("said that the parcel is here, without {missing} of it; booking in began"),
        marked("said that the parcel is here; booking in began"),
        "missing",
    ),
    RestSettled: marked("settled the missing items ({truth})"),
    RestBack: marked("the missing items are in stock again"),
    VanishedFound: marked("the missing items were accounted for"),
    LoanEnded: lambda noted: (_ENDED_IN_PART if noted.in_part else _ENDED)[noted.how],
    DueDate: marked("extended it until {day}"),
    LentOutside: marked("lent it to {neighbour}, outside"),
    OutsideIs: lambda noted: _OUTSIDE[noted.state],
    WrittenOff: marked("taken out of our stock"),
    SaidToBeHere: _one_of(
        marked("said that it is our stock #{item} already"), marked("said that it isn't in our stock yet"), "item"
    ),
    PhotoKept: marked("the photo is with the item in InvenTree"),
    PhotoNotKept: marked("the photo could not be kept"),
    FileNotSent: marked("a file could not be sent"),
    GoesOn: marked("continues under the new friendship"),
    Reminded: marked("people were reminded"),
    Provisioned: lambda noted: _PROVISIONED.get(noted.result, marked("{result} done in InvenTree")),
    ProvisionWaits: marked("setting up had to wait ({reason})"),
    PeersTokenRefused: _one_of(
        marked("our new token at the other space did not work"),
        marked("our token at the other space did not work ({reason})"),
        "is_next",
    ),
    PeerSilent: marked("the other space's InvenTree does not answer"),
    Active: marked("both sides are ready: friends now"),
    TokenRotated: _one_of(
        marked("the other bot's token had been rotated before"), marked("the other bot's new token works"), "before"
    ),
    RotationWaits: marked("the new token had to wait ({reason})"),
    NewName: _one_of(marked("accepted the other space's new name"), marked("announced another name"), "accepted"),
    RoomReplaced: marked("the room was replaced"),
    GoesOnInRoom: marked("said that it continues in the new room"),
    Said: _one_of(marked("typed !fed {verb}"), marked("typed !fed {verb} in reply to another message"), "counted"),
    LineTakenBack: marked("took a line back that still waited: {verb}"),
    NotEntitled: marked("wanted to {verb}, without permission"),
    NotTaken: marked("a message of the other bot could not be read"),
    LeftUnread: marked("sent too many messages ({kind}); the bot doesn't read the rest"),
    NotUnderstood: marked("the other bot sent data that can't be read ({what})"),
    FiguresTold: _one_of(
        marked("the other space sent no figures ({problem})"), marked("the other space sent its figures"), "problem"
    ),
    PastDiffers: marked("the other bot reports another past, from message {number} on"),
    PeerSawMore: marked("the other bot has read more of our messages than we know of ({seen}, not {known})"),
    PastLost: marked("a part of our own messages is lost ({read}, not {known})"),
    KnownFromOwnMessage: marked("read in our own message ({kind}), after a restore"),
    FoundMirrored: marked("found in our InvenTree, after a restore"),
    Reconciles: marked("the books are compared"),
    ReconciledByNight: _one_of(
        marked("the books were not compared at night ({problem})"),
        marked("the books were compared at night, with nothing new"),
        "problem",
    ),
    AdminsTold: marked("our admins were told ({sentence})"),
    NotPosted: marked("the homeserver didn't accept our message {key} ({code})"),
    HomeserverBack: marked("the homeserver answers again, after {since}"),
    Dropped: marked("quarantined work ({kind}, no. {number}) was given up for good"),
    SetAside: marked("quarantined under the number {number}: {kind} ({problem})"),
    RulesFailed: marked("the bot failed on a {kind}"),
    InventoryVersion: _one_of(
        marked("InvenTree's API is {new} now, not {old}"), marked("InvenTree's API is {new}"), "old"
    ),
    OwnTokenRotated: _one_of(
        marked("our own token {setting} could not be rotated ({reason})"),
        marked("our own token {setting} is rotated"),
        "problem",
    ),
    OwnTokenRevoked: _one_of(
        marked("our old token {setting} could not be revoked"), marked("our old token {setting} is revoked"), "problem"
    ),
    ClockSetBack: marked("our clock was {seconds} s ahead"),
    InRoom: lambda noted: _ROOMS[noted.change],
    PersonListed: _listed,
    WebAccessGiven: lambda noted: _ACCESS_GIVEN[noted.kind],
    WebAccessEnded: lambda noted: _ACCESS_ENDED[noted.kind],
    SettingsRead: _one_of(
        marked("the settings file has a fault, so the old settings stay in use"),
        marked("the settings were read again ({changed})"),
        "faulty",
    ),
    Matched: lambda noted: (
        marked("{word} of {peer} is part #{part}")
        if noted.part
        else marked("{word} of {peer} is no longer matched to one of our parts")
    ),
    MirrorUnreadable: marked("the metadata of company #{company} can't be read"),
}


def is_told(noted: Noted) -> bool:
    """Whether `show` lists the entry. It leaves out mere requests, and what the bot writes into notes and metadata."""
    if isinstance(noted, Said):
        return noted.verb in _VERBS_TOLD
    return not (isinstance(noted, StepWasDone) and noted.step in SILENT_STEPS)


def are_told(entries: Sequence[AuditEntry]) -> list[bool]:
    """Whether each entry of a story is listed. A typed decision is listed once: as the decision, or as the line."""
    counted = (Stage.IN_GRACE, Stage.FIRST)
    decided = {e.event_id: e.what.choice for e in entries if isinstance(e.what, Decided) and e.what.stage in counted}
    typed = {entry.event_id for entry in entries if isinstance(entry.what, Said)}
    told: list[bool] = []
    for entry in entries:
        choice = decided.get(entry.event_id) if entry.event_id in typed else None
        is_double = choice is not None and (
            isinstance(entry.what, Decided) if choice is Choice.PARCEL else isinstance(entry.what, Said)
        )
        told.append(is_told(entry.what) and not is_double)
    return told


def entry_in_words(locale: Locale, noted: Noted) -> str:
    """The sentence of an audit entry, without a full stop and without the person."""
    words = WORDS[type(noted)]
    template = words if isinstance(words, str) else words(noted)
    places = {each.name: _field(locale, getattr(noted, each.name)) for each in fields(noted)}
    problem = getattr(noted, "problem", None)
    if isinstance(problem, Diagnosis):
        places["reason"] = reason_of(problem)
    return locale.word(template).format(**places)


def _field(locale: Locale, value: object) -> str:
    if isinstance(value, Diagnosis):
        return diagnosis(locale, value, LONGEST_FIELD)
    if isinstance(value, datetime):
        return locale.when(value)
    if isinstance(value, date):
        return locale.day(value)
    if isinstance(value, tuple):
        return locale.short(", ".join(str(each) for each in value), LONGEST_FIELD)
    return locale.short(str(value), LONGEST_FIELD)
