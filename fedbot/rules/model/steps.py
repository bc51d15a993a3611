"""The steps in an InvenTree: one step is one change, journaled before and after. A peer's access, then stock.

Every step carries `mark`, which is written into InvenTree's own history by the act, so that a probe can tell
whether the act was done. A step on a stock item of ours carries what that is `known` to be; without that, its history
must at least show a mark of the same line. Marks are `fed:<transfer or connection id>:<line>:<step>`. `note` is the
sentence that a person reads in the history behind the mark. `STEPS` pairs every step with its result's type.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from fedbot.rules.model.stock import NO_PART_DETAILS, PartDescription, PartDetails

# --- The acts by which a peer gets access to an InvenTree and loses it, and our own tokens are renewed.


@dataclass(frozen=True)
class MakeCompany:
    """The customer company that stands for a peer; found again by `link` in every generation.

    Result: `CompanyMade`.
    """

    mark: str
    link: str
    name: str
    description: str


@dataclass(frozen=True)
class CompanyMade:
    """`foreign` is set when a company of that name exists and isn't ours: a person must decide."""

    company: int


@dataclass(frozen=True)
class MakeAccess:
    """A group with view-only roles, and in it the peer's service user (admin token needed).

    `name` is `fed-<party>-<generation>`, for both; `last_name` holds the connection's id. `for_peer`: its token will
    be handed over (`direct`), which is refused where any account can make itself admin. Result: `AccessMade`.
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
    """A token for the peer's user, one year; the secret goes into the vault under `reference`.

    Name `fed-<party>-<generation>-<number>`. With an unknown outcome that number is revoked and the next one
    minted, since a token's value is shown only once. Result: `TokenMinted`.
    """

    mark: str
    user: int
    name: str
    reference: str
    expiry: date


@dataclass(frozen=True)
class TokenMinted:
    """The token is in the vault; `name` is the one that was really minted."""

    name: str
    expiry: date


@dataclass(frozen=True)
class TryToken:
    """Read an inventory under the token in the vault: ours for relayed answers, the peer's for direct.

    `url` is empty for our own InvenTree; `private`: it may be at a private address. Fails unless the token can read
    stock and cannot write it. `for_peer`: as with `MakeAccess`. Result: `TokenTried`.
    """

    mark: str
    reference: str
    url: str = ""
    for_peer: bool = False
    private: bool = False


@dataclass(frozen=True)
class TokenTried:
    """The token's view; its name and expiry, where the server tells them (API ≥ 293)."""

    stock_items: int
    api: int
    name: str = ""
    expiry: date | None = None


@dataclass(frozen=True)
class RevokeToken:
    """Revoke the token of that name, once another one has taken its place. Result: `TokenRevoked`."""

    mark: str
    user: int
    name: str


@dataclass(frozen=True)
class TokenRevoked:
    """No token of that name is good any more."""


@dataclass(frozen=True)
class RenewOwnToken:
    """The next token of our own, in place of the one in the setting (`token`, `admin_token`), with that name.

    Made, tried, written into the file that the setting names, used from then on; the old one stays good. Asked for
    again by the same name it is the same token. Result: `OwnTokenRenewed`.
    """

    mark: str
    setting: str
    name: str


@dataclass(frozen=True)
class OwnTokenRenewed:
    """The new one is in use. `pk` is InvenTree's key of it."""

    name: str
    pk: int
    expiry: date | None = None


@dataclass(frozen=True)
class RevokeOwnToken:
    """Revoke the token of ours with that key, once another one is in use. Result: `TokenRevoked`."""

    mark: str
    setting: str
    token: int


@dataclass(frozen=True)
class EndAccess:
    """Deactivate the peer's user first (a token can mint tokens), then revoke its tokens. Result: `AccessEnded`."""

    mark: str
    user: int
    reference: str


@dataclass(frozen=True)
class CloseCompany:
    """Set the peer's company inactive; it is never deleted. Result: `AccessEnded`."""

    mark: str
    company: int


@dataclass(frozen=True)
class AccessEnded:
    """Nothing of the peer's access is left."""


def due_in_a_year(moment: datetime) -> date:
    """The expiry of a token minted now: one year, as UC1 says."""
    year, month, day = moment.year + 1, moment.month, moment.day
    return date(year, month, 28) if (month, day) == (2, 29) else date(year, month, day)


__all__ = [
    "AccessEnded",
    "AccessMade",
    "CloseCompany",
    "CompanyMade",
    "EndAccess",
    "MakeAccess",
    "MakeCompany",
    "MintToken",
    "OwnTokenRenewed",
    "RenewOwnToken",
    "RevokeOwnToken",
    "RevokeToken",
    "TokenMinted",
    "TokenRevoked",
    "TokenTried",
    "TryToken",
    "due_in_a_year",
]


OWN_KEY, SHARE_KEY, LENDING_KEY = "fedbot", "fedbot_share", "fedbot_lending"
"""Ours in InvenTree's metadata: what the journal says of a record, whether it is shared, and people's lending rule."""


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
    """Sender: move exactly `quantity` of `item` to *Outgoing*, with the travelling status. Result: `Taken`.

    `batch`, `status`, `status_text` and `units` are as people agreed to it; None and '' where they may be others.
    `company` is that which will get it: nothing leaves for one that is inactive.
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
    """The item in *Outgoing*: the split-off child, or the item itself if all of it was taken.

    `status` and `location` are the earlier ones, for `Arrived`, `PutBack` and `TakeBack`.
    """

    item: int
    quantity: Decimal
    status: int
    location: int | None
    whole: bool


@dataclass(frozen=True)
class HandOver:
    """Sender: give the item in *Outgoing* to the peer's company. Result: `HandedOver`.

    `mirror` is what its metadata then tells, as in `Mirror`.
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
    """Read back: the item is with the company, in the agreed quantity. `mirrored`: its metadata tells of it, too."""

    item: int
    mirrored: bool = False


@dataclass(frozen=True)
class PutBack:
    """Sender: what was taken out, but not handed over, goes back where it lay. Result: `PlacedAt`."""

    mark: str
    note: str
    item: int
    quantity: Decimal
    location: int | None
    status: int
    known: Known | None = None


@dataclass(frozen=True)
class TakeBack:
    """Sender: what the receiver refused comes back from the company into stock. Result: `PlacedAt`."""

    mark: str
    note: str
    item: int
    quantity: Decimal
    location: int | None
    status: int
    company: int
    known: Known | None = None


@dataclass(frozen=True)
class Arrived:
    """Sender: what became of what was handed over, as its status: the old one once it has arrived, or 'lost'.

    Result: `HandedOver`.
    """

    mark: str
    note: str
    item: int
    status: int
    known: Known | None = None


@dataclass(frozen=True)
class Remark:
    """Sender: a sentence in the history of what is with the receiver's company, which stays as it is.

    Result: `HandedOver`.
    """

    mark: str
    note: str
    item: int
    known: Known | None = None


@dataclass(frozen=True)
class WriteOff:
    """Receiver: what was borrowed, and is lost or back at its owner, is in our stock no more: its status is 'lost'.

    At most `quantity` is: more in that stock item is something else, too. Result: `WrittenOff`.
    """

    mark: str
    note: str
    item: int
    quantity: Decimal
    known: Known | None = None


@dataclass(frozen=True)
class WrittenOff:
    """Read back: the item has that status."""

    item: int


@dataclass(frozen=True)
class CreatePart:
    """Receiver: a part for what comes in, as proposed on the card. Result: `PartCreated`."""

    mark: str
    description: PartDescription
    link: str


@dataclass(frozen=True)
class PartCreated:
    """The new (or found) part."""

    part: int


@dataclass(frozen=True)
class CreateItem:
    """Receiver: the stock item, in *Incoming*; `link` holds the mark. Result: `ItemCreated`.

    `mirror` is what its metadata tells from the first moment, as in `Mirror`, but for the item's key. `units` are those
    of the part in which `quantity` is, as the card has shown; None if nobody has seen any.
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
    """Receiver: bring our own stock item back from the peer's company into *Incoming*, instead of creating one.

    For serialised items: InvenTree allows a serial number once per part, including items with a customer.
    Result: `ItemCreated`.
    """

    mark: str
    note: str
    item: int
    part: int
    serial: str
    company: int
    status: int = 10
    known: Known | None = None


@dataclass(frozen=True)
class MarkAsHere:
    """Receiver: a stock item of ours that was here before the transfer is what comes by it. Result: `ItemCreated`.

    Nothing is added, and it stays where it lies: its history says so. `quantity` is all of it.
    """

    mark: str
    note: str
    item: int
    part: int
    quantity: Decimal
    serial: str = ""


@dataclass(frozen=True)
class ItemCreated:
    """Read back: the stock item in *Incoming*. `mirrored`: its metadata tells where it came from."""

    item: int
    quantity: Decimal
    mirrored: bool = False


@dataclass(frozen=True)
class PutAway:
    """Receiver: from *Incoming* to its destination, with 'received from …' in the history.

    Without a `location` the item's default place is meant (part, then category, then the configured one).
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
    """The item's place now."""

    item: int
    location: int | None
    place: str


@dataclass(frozen=True)
class Mirror:
    """Write a key of ours in the metadata of a company, stock item, part or category, read back. Result: `Mirrored`.

    `value` is JSON text; the journal decides, metadata mirrors it. The edge signs it. `is_new`: it can't stand there
    yet, so it isn't looked for before it is written.
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
    """The part that a stock item plays in a loan, as its notes and tag in InvenTree say.

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
    """A booking of a stock item: for which space, on which days, and its short id."""

    peer_name: str
    first: date
    last: date
    code: str


@dataclass(frozen=True)
class Label:
    """Either side of a loan: write our line in the stock item's notes, and our tag. Result: `Labelled`.

    `until` is the loan's last day; `code` its short id. `booked` are all bookings of the item, a line each; None keeps
    those lines. Other people's text is kept.
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
    """Read back: notes and tags hold our line and our tag, and no older ones of ours."""


@dataclass(frozen=True)
class Furnish:
    """Receiver: a stock item, or a part that was made for it, gets what else travelled. Result: `Furnished`.

    `model` is `stockitem` or `part`. Tags are added, and to the notes the lines `notes` that aren't in them yet. A part
    that isn't the one that we made (by its `link`) stays as it is; ours gets the parameters whose templates are there
    by name, and the rest of `details` in words in its notes, if it has none. `status_key` is a custom status of ours. A
    `price` in a currency that InvenTree doesn't list isn't set.
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
    """Read back: it has what it can have here."""


@dataclass(frozen=True)
class AttachPhoto:
    """Attach a picture of the room to a stock item. The mark and `note` are its comment. Result: `PhotoAttached`.

    `file` tells where it lies on the homeserver (`events.PhotoSent`), where it is fetched anew at each try: its bytes
    are nowhere in our journal.
    """

    mark: str
    note: str
    item: int
    file: dict[str, Any]
    known: Known | None = None


@dataclass(frozen=True)
class SendFile:
    """Sender: put a file of a stock item, or the image of a part, onto the homeserver, encrypted. Result: `FileSent`.

    `model` is `stockitem` or `part`. A file that is longer than `longest` (bytes), or isn't what its name says, is
    refused. It leaves no trace in InvenTree; a second try leaves another copy on the homeserver that nobody can read.
    """

    mark: str
    model: str
    pk: int
    name: str
    longest: int


@dataclass(frozen=True)
class FileSent:
    """The file's address and key (as `file` of `AttachPhoto`), its length in bytes, its SHA-256 in hex."""

    file: dict[str, Any]
    size: int
    digest: str


@dataclass(frozen=True)
class KeepFile:
    """Receiver: a file that came along is attached to a stock item, or is the image of a new part. Result: `FileKept`.

    `file` as of `AttachPhoto`; its content must have this `digest` and be what `name` says. It is known by the end of
    its mark, so that what came before isn't attached twice. A part that isn't the one that we made (by its `link`), or
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
    """InvenTree has it, or needs none."""


@dataclass(frozen=True)
class PhotoAttached:
    """InvenTree has it, under this key."""

    attachment: int


Step = (
    TakeOut
    | HandOver
    | PutBack
    | TakeBack
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
StepResult = (
    Taken
    | HandedOver
    | WrittenOff
    | PlacedAt
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

STEPS: dict[type[Step], type[StepResult]] = {
    TakeOut: Taken,
    HandOver: HandedOver,
    PutBack: PlacedAt,
    TakeBack: PlacedAt,
    Arrived: HandedOver,
    Remark: HandedOver,
    WriteOff: WrittenOff,
    CreatePart: PartCreated,
    CreateItem: ItemCreated,
    BookInAgain: ItemCreated,
    MarkAsHere: ItemCreated,
    PutAway: PlacedAt,
    MakeCompany: CompanyMade,
    MakeAccess: AccessMade,
    MintToken: TokenMinted,
    TryToken: TokenTried,
    RevokeToken: TokenRevoked,
    RenewOwnToken: OwnTokenRenewed,
    RevokeOwnToken: TokenRevoked,
    EndAccess: AccessEnded,
    CloseCompany: AccessEnded,
    Mirror: Mirrored,
    Label: Labelled,
    Furnish: Furnished,
    AttachPhoto: PhotoAttached,
    SendFile: FileSent,
    KeepFile: FileKept,
}

OF_STOCK = (
    TakeOut
    | HandOver
    | PutBack
    | TakeBack
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

# Steps that only read, or that may be repeated without harm: never an unknown outcome.
REPEATABLE: frozenset[type[Step]] = frozenset(
    {TryToken, RevokeToken, RenewOwnToken, RevokeOwnToken, Mirror, Label, Furnish, SendFile, EndAccess, CloseCompany}
)


def note_of(mark: str, sentence: str) -> str:
    """The text that goes into InvenTree's history: the mark first, then what a person reads (≤ 500 characters)."""
    return f"{mark} {sentence}"[:500]


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day_in_notes(day: date) -> str:
    """A day as it stands in InvenTree's notes and history, in English like all that we write there: '12 Dec 2026'."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
