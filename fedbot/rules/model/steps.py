"""The steps in an InvenTree: each is one change, journaled before and after. First a peer's access, then stock.

Every step carries a `mark`, which its act writes into InvenTree's own history, so that a probe can tell whether the act
was done. A mark is `fed:<transfer or connection id>:<line>:<step>`. `note` is the sentence for people behind the mark.
A step on a stock item of ours carries the identity that the item must have (`known`); without that, the item's history
must at least show a mark of the same line.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from fedbot.rules.model.stock import NO_PART_DETAILS, PartDescription, PartDetails

# --- Steps that give a peer access to an InvenTree and end it, and that rotate our own tokens.


@dataclass(frozen=True)
class MakeCompany:
    """Makes the customer company that stands for a peer. `link` identifies it in every generation.

    Result: `CompanyMade`.
    """

    mark: str
    link: str
    name: str
    description: str


@dataclass(frozen=True)
class CompanyMade:
    """The peer's company, found or made."""

    company: int


@dataclass(frozen=True)
class MakeAccess:
    """Makes a group with view-only roles, and in it the peer's service user. Needs the admin token.

    `name` is `fed-<party>-<generation>`, for both; `last_name` holds the connection's id. `for_peer`: the token will be
    handed over (`direct`), which is refused where any account can make itself admin. Result: `AccessMade`.
    """

    mark: str
    name: str
    last_name: str
    for_peer: bool = False


@dataclass(frozen=True)
class AccessMade:
    """The peer's user and group in our InvenTree."""

    user: int
    group: int


@dataclass(frozen=True)
class MintToken:
    """Makes a token for the peer's user, valid for a year. The secret goes into the vault under `reference`.

    Its name is `fed-<party>-<generation>-<number>`. A token's value is shown only once. So if the outcome is unknown,
    the token with that number is revoked and the next one made. Result: `TokenMinted`.
    """

    mark: str
    user: int
    name: str
    reference: str
    expiry: date


@dataclass(frozen=True)
class TokenMinted:
    """The token is in the vault. `name` is its actual name, because the number may have advanced."""

    name: str
    expiry: date


@dataclass(frozen=True)
class TryToken:
    """Reads an inventory with the token in the vault: ours for relayed answers, the peer's for direct ones.

    `url` is empty for our own InvenTree; `private`: it may have a private address. Fails unless the token can read
    stock and can't write it. `for_peer`: as in `MakeAccess`. Result: `TokenTried`.
    """

    mark: str
    reference: str
    url: str = ""
    for_peer: bool = False
    private: bool = False


@dataclass(frozen=True)
class TokenTried:
    """The stock that the token can read, and its name and expiry if the server reports them (API ≥ 293)."""

    stock_items: int
    api: int
    name: str = ""
    expiry: date | None = None


@dataclass(frozen=True)
class RevokeToken:
    """Revokes the token of that name, after another one has replaced it. Result: `TokenRevoked`."""

    mark: str
    user: int
    name: str


@dataclass(frozen=True)
class TokenRevoked:
    """No token of that name is valid any more."""


@dataclass(frozen=True)
class RenewOwnToken:
    """Replaces our own token in that setting (`token`, `admin_token`) by a new one of that name.

    Makes it, tries it, writes it into the file that the setting names, and uses it from then on. The old one stays
    valid. Repeating the step with the same name gives the same token. Result: `OwnTokenRenewed`.
    """

    mark: str
    setting: str
    name: str


@dataclass(frozen=True)
class OwnTokenRenewed:
    """The new token is in use. `pk` is its key in InvenTree."""

    name: str
    pk: int
    expiry: date | None = None


@dataclass(frozen=True)
class RevokeOwnToken:
    """Revokes our own token with that key, after another one is in use. Result: `TokenRevoked`."""

    mark: str
    setting: str
    token: int


@dataclass(frozen=True)
class EndAccess:
    """Deactivates the peer's user, then revokes its tokens: in that order, because a token can make tokens.

    Result: `AccessEnded`.
    """

    mark: str
    user: int
    reference: str


@dataclass(frozen=True)
class CloseCompany:
    """Sets the peer's company inactive. It is never deleted. Result: `AccessEnded`."""

    mark: str
    company: int


@dataclass(frozen=True)
class AccessEnded:
    """Nothing of the peer's access is left."""


def due_in_a_year(moment: datetime) -> date:
    """Return the day one year later, on which a token made at that moment expires (UC1)."""
    year, month, day = moment.year + 1, moment.month, moment.day
    return date(year, month, 28) if (month, day) == (2, 29) else date(year, month, day)


# --- Steps that move stock, and write what belongs to it.

OWN_KEY, SHARE_KEY, LENDING_KEY = "fedbot", "fedbot_share", "fedbot_lending"
"""Our keys in InvenTree's metadata: the journal's data on a record, the sharing mark, and people's lending rule."""


@dataclass(frozen=True)
class Known:
    """The identity that a stock item must have before a step touches it.

    An InvenTree that was restored to an earlier state assigns keys again, so a key alone proves nothing. `mark` is the
    beginning of our mark in its history or link (`fed:<transfer>:<line>:`); '' if it needs none, because a superuser
    named the item. `batch` is None if any batch is right.
    """

    part: int
    serial: str = ""
    batch: str | None = None
    mark: str = ""


@dataclass(frozen=True)
class TakeOut:
    """Sender: moves exactly `quantity` of `item` to *Outgoing*, with the status for transit. Result: `Taken`.

    `batch`, `status`, `status_text` and `units` are those that people agreed to; None and '' accept any. `company` will
    get the item; nothing leaves for an inactive one.
    """

    mark: str
    note: str
    item: int
    part: int
    quantity: Decimal
    serial: str = ""
    batch: str | None = None
    status: int | None = None
    status_text: str = ""
    known: Known | None = None
    company: int | None = None
    units: str | None = None


@dataclass(frozen=True)
class Taken:
    """The item in *Outgoing*: split off, or the item itself if all of it was taken.

    `status` and `location` are the earlier ones, for `Arrived`, `PutBack` and `TakeBack`.
    """

    item: int
    quantity: Decimal
    status: int
    location: int | None
    whole: bool


@dataclass(frozen=True)
class HandOver:
    """Sender: assigns the item in *Outgoing* to the peer's company. Result: `HandedOver`.

    `mirror` is written into its metadata, as in `Mirror`.
    """

    mark: str
    note: str
    item: int
    quantity: Decimal
    company: int
    known: Known | None = None
    mirror: str = ""


@dataclass(frozen=True)
class HandedOver:
    """The item is with the company, in the agreed quantity. `mirrored`: its metadata is written too."""

    item: int
    mirrored: bool = False


@dataclass(frozen=True)
class PutBack:
    """Sender: moves an item that was taken out, but not handed over, back to its location.

    `source` is the item from which it was split off, None if all of it was taken. Result: `PlacedAt`, or `MergedBack`
    if it was merged into its source since.
    """

    mark: str
    note: str
    item: int
    quantity: Decimal
    location: int | None
    status: int
    known: Known | None = None
    source: int | None = None


@dataclass(frozen=True)
class TakeBack:
    """Sender: takes an item back from the company into stock. `source` and result are as in `PutBack`."""

    mark: str
    note: str
    item: int
    quantity: Decimal
    location: int | None
    status: int
    company: int
    known: Known | None = None
    source: int | None = None


@dataclass(frozen=True)
class MergeBack:
    """Sender: merges an item that was split off, and came back whole, into the item from which it was split.

    Refused with `StaysApart` unless `source` has everything that `item` has. Result: `MergedBack`.
    """

    mark: str
    note: str
    item: int
    source: int
    part: int
    quantity: Decimal


@dataclass(frozen=True)
class MergedBack:
    """The split-off item is gone, and its quantity is in `item`, its source.

    `adds_up` is False if somebody else may have changed the source at the same moment, on a server without row locks.
    """

    item: int
    adds_up: bool = True


@dataclass(frozen=True)
class Arrived:
    """Sender: sets the status of a handed-over item: the old one once it has arrived, or 'lost'.

    Result: `HandedOver`.
    """

    mark: str
    note: str
    item: int
    status: int
    known: Known | None = None


@dataclass(frozen=True)
class Remark:
    """Sender: writes a sentence into the history of an item with the receiver's company, and changes nothing else.

    Result: `HandedOver`.
    """

    mark: str
    note: str
    item: int
    known: Known | None = None


@dataclass(frozen=True)
class WriteOff:
    """Receiver: removes a borrowed item that is lost, or back at the lender, from our stock: its status becomes 'lost'.

    Refused if the item has more than `quantity`, because the rest is something else. Result: `WrittenOff`.
    """

    mark: str
    note: str
    item: int
    quantity: Decimal
    known: Known | None = None


@dataclass(frozen=True)
class WrittenOff:
    """The item has the status 'lost'."""

    item: int


@dataclass(frozen=True)
class CreatePart:
    """Receiver: makes a part for an incoming item, as proposed on the card. Result: `PartCreated`."""

    mark: str
    description: PartDescription
    link: str


@dataclass(frozen=True)
class PartCreated:
    """The part, new or found."""

    part: int


@dataclass(frozen=True)
class CreateItem:
    """Receiver: makes the stock item, in *Incoming*; `link` holds the mark. Result: `ItemCreated`.

    `mirror` is its metadata from the start, as in `Mirror`, without the item's key. `units` are those of the part in
    which `quantity` is given, as on the card; None if no card showed any.
    """

    mark: str
    part: int
    quantity: Decimal
    link: str
    serial: str = ""
    batch: str = ""
    packaging: str = ""
    expiry: date | None = None
    status: int = 10
    notes: str = ""
    mirror: str = ""
    units: str | None = None


@dataclass(frozen=True)
class BookInAgain:
    """Receiver: brings our own stock item back from the peer's company into *Incoming*, instead of making a new one.

    For items with a serial number: InvenTree allows each number once per part, and counts items with a customer. Also
    for items that the peer had lost; `quantity` is then what the item must still have. Result: `ItemCreated`.
    """

    mark: str
    note: str
    item: int
    part: int
    serial: str
    company: int
    status: int = 10
    known: Known | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True)
class MarkAsHere:
    """Receiver: records that the transfer's item is a stock item that we already have. Result: `ItemCreated`.

    Adds no stock and moves nothing, but writes it into the item's history. `quantity` is all of it.
    """

    mark: str
    note: str
    item: int
    part: int
    quantity: Decimal
    serial: str = ""


@dataclass(frozen=True)
class ItemCreated:
    """The stock item in *Incoming*. `mirrored`: its metadata says where it came from."""

    item: int
    quantity: Decimal
    mirrored: bool = False


@dataclass(frozen=True)
class PutAway:
    """Receiver: moves the item from *Incoming* to its destination, with 'received from …' in its history.

    Without a `location`, it goes to the default location (of the part, then the category, then the configured one).
    Result: `PlacedAt`.
    """

    mark: str
    note: str
    item: int
    quantity: Decimal
    location: int | None
    known: Known | None = None


@dataclass(frozen=True)
class PlacedAt:
    """The item's location now."""

    item: int
    location: int | None
    place: str


@dataclass(frozen=True)
class Mirror:
    """Writes one of our keys in the metadata of a company, stock item, part or category. Result: `Mirrored`.

    `value` is JSON text, which the edge signs. The journal is authoritative; metadata mirrors it. `is_new`: it can't
    exist yet, so no probe looks for it.
    """

    mark: str
    model: str
    pk: int
    value: str
    key: str = OWN_KEY
    known: Known | None = None
    is_new: bool = False


@dataclass(frozen=True)
class Mirrored:
    """The metadata reads as written."""


class LoanLabel(StrEnum):
    """The role of a stock item in a loan, as its notes and tag in InvenTree say.

    `NOTHING`: none any more. `AS_IS`: keep the text about a loan, and write only the bookings.
    """

    LENT = "lent"
    BORROWED = "borrowed"
    RETURNED = "returned"
    GIVEN = "given"
    GIFT = "gift"
    LOST_THERE = "lost there"
    LOST_HERE = "lost here"
    NOTHING = "nothing"
    AS_IS = "as is"


@dataclass(frozen=True)
class BookedFor:
    """A booking of a stock item: the space, the days and its code."""

    peer_name: str
    first: date
    last: date
    code: str


@dataclass(frozen=True)
class Label:
    """Either side of a loan: writes our line into the stock item's notes, and our tag. Result: `Labelled`.

    `until` is the due date; `code` the loan's code. `booked` are all bookings of the item, a line each; None keeps
    those lines. Text of other people is kept.
    """

    mark: str
    item: int
    what: LoanLabel
    peer_name: str
    code: str
    until: date | None = None
    known: Known | None = None
    booked: tuple[BookedFor, ...] | None = None


@dataclass(frozen=True)
class Labelled:
    """The notes and tags hold our line and our tag, and no older ones of ours."""


@dataclass(frozen=True)
class Furnish:
    """Receiver: adds the sender's other details to a stock item, or to the part made for it. Result: `Furnished`.

    `model` is `stockitem` or `part`. Adds the tags, and to the notes those lines of `notes` that they lack. Changes
    only a part that we made (recognised by its `link`): that gets the parameters whose templates exist by name, and the
    rest of `details` as text in its notes, if those are empty. `status_key` is a custom status of ours. A `price` in a
    currency that InvenTree doesn't list isn't set.
    """

    mark: str
    model: str
    pk: int
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    details: PartDetails = NO_PART_DETAILS
    link: str = ""
    known: Known | None = None
    status_key: int | None = None
    price: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True)
class Furnished:
    """It has all details that it can have here."""


@dataclass(frozen=True)
class AttachPhoto:
    """Attaches a picture from the room to a stock item. The mark and `note` are its comment. Result: `PhotoAttached`.

    `file` is its address on the homeserver (`events.PhotoSent`). Each try fetches it again; its bytes are never in our
    journal.
    """

    mark: str
    note: str
    item: int
    file: dict[str, Any]
    known: Known | None = None


@dataclass(frozen=True)
class SendFile:
    """Sender: uploads a file of a stock item, or the image of a part, to the homeserver, encrypted. Result: `FileSent`.

    `model` is `stockitem` or `part`. Refuses a file that is longer than `longest` (bytes), or isn't of the type that
    its name says. It changes nothing in InvenTree; trying again leaves another copy on the homeserver that nobody can
    read.
    """

    mark: str
    model: str
    pk: int
    name: str
    longest: int


@dataclass(frozen=True)
class FileSent:
    """The file's address and key (as `AttachPhoto.file`), its length in bytes, its SHA-256 in hex."""

    file: dict[str, Any]
    size: int
    digest: str


@dataclass(frozen=True)
class KeepFile:
    """Receiver: attaches a received file to a stock item, or makes it the image of a new part. Result: `FileKept`.

    `file` is as in `AttachPhoto`; its content must have this `digest` and be of the type that `name` says. The end of
    the mark identifies it, so that it isn't attached twice. A part that we didn't make (recognised by its `link`), or
    that has an image, stays as it is.
    """

    mark: str
    model: str
    pk: int
    name: str
    file: dict[str, Any]
    longest: int
    digest: str
    note: str = ""
    link: str = ""
    known: Known | None = None


@dataclass(frozen=True)
class FileKept:
    """InvenTree has the file, or needs none."""


@dataclass(frozen=True)
class PhotoAttached:
    """InvenTree has the photo, under this key."""

    attachment: int


Step = (
    TakeOut
    | HandOver
    | PutBack
    | TakeBack
    | MergeBack
    | Arrived
    | Remark
    | WriteOff
    | CreatePart
    | CreateItem
    | BookInAgain
    | MarkAsHere
    | PutAway
    | MakeCompany
    | MakeAccess
    | MintToken
    | TryToken
    | RevokeToken
    | RenewOwnToken
    | RevokeOwnToken
    | EndAccess
    | CloseCompany
    | Mirror
    | Label
    | Furnish
    | AttachPhoto
    | SendFile
    | KeepFile
)


class StepKind(StrEnum):
    """The kind of a step, as documents and continuations store it: the name of its class. `NONE`: no step."""

    NONE = ""
    TAKE_OUT = "TakeOut"
    HAND_OVER = "HandOver"
    PUT_BACK = "PutBack"
    TAKE_BACK = "TakeBack"
    MERGE_BACK = "MergeBack"
    ARRIVED = "Arrived"
    REMARK = "Remark"
    WRITE_OFF = "WriteOff"
    CREATE_PART = "CreatePart"
    CREATE_ITEM = "CreateItem"
    BOOK_IN_AGAIN = "BookInAgain"
    MARK_AS_HERE = "MarkAsHere"
    PUT_AWAY = "PutAway"
    MAKE_COMPANY = "MakeCompany"
    MAKE_ACCESS = "MakeAccess"
    MINT_TOKEN = "MintToken"  # noqa: S105 -- a step, not a secret
    TRY_TOKEN = "TryToken"  # noqa: S105 -- a step, not a secret
    REVOKE_TOKEN = "RevokeToken"  # noqa: S105 -- a step, not a secret
    RENEW_OWN_TOKEN = "RenewOwnToken"  # noqa: S105 -- a step, not a secret
    REVOKE_OWN_TOKEN = "RevokeOwnToken"  # noqa: S105 -- a step, not a secret
    END_ACCESS = "EndAccess"
    CLOSE_COMPANY = "CloseCompany"
    MIRROR = "Mirror"
    LABEL = "Label"
    FURNISH = "Furnish"
    ATTACH_PHOTO = "AttachPhoto"
    SEND_FILE = "SendFile"
    KEEP_FILE = "KeepFile"


def kind_of_step(step: Step) -> StepKind:
    """Return the kind of the step."""
    return StepKind(type(step).__name__)


StepResult = (
    Taken
    | HandedOver
    | WrittenOff
    | PlacedAt
    | MergedBack
    | PartCreated
    | ItemCreated
    | CompanyMade
    | AccessMade
    | TokenMinted
    | TokenTried
    | TokenRevoked
    | OwnTokenRenewed
    | AccessEnded
    | Mirrored
    | Labelled
    | Furnished
    | PhotoAttached
    | FileSent
    | FileKept
)

OF_STOCK = (
    TakeOut
    | HandOver
    | PutBack
    | TakeBack
    | MergeBack
    | Arrived
    | Remark
    | WriteOff
    | CreatePart
    | CreateItem
    | BookInAgain
    | MarkAsHere
    | PutAway
    | Mirror
    | Label
    | Furnish
    | AttachPhoto
    | KeepFile
)
"""The steps that change stock or its records. None is done while InvenTree's books are in doubt."""


# These steps only read, or can be repeated without harm. Their outcome is never unknown.
REPEATABLE: frozenset[type[Step]] = frozenset(
    {TryToken, RevokeToken, RenewOwnToken, RevokeOwnToken, Mirror, Label, Furnish, SendFile, EndAccess, CloseCompany}
)


def note_of(mark: str, sentence: str) -> str:
    """Return the text for InvenTree's history: the mark, then the sentence for people (≤ 500 characters)."""
    return f"{mark} {sentence}"[:500]


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day_in_notes(day: date) -> str:
    """Return a day as in InvenTree's notes and history, in English like everything we write there: '12 Dec 2026'."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
