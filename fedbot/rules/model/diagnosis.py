"""Diagnoses: why a step, a query or a transfer can't continue, as data. `messages.diagnosis` words them for people.

A diagnosis is a kind and its fields. `reason_of` returns its short code, which rules act on and peers are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum

NO_CODE = "refused"
"""The reason code of a refusal that we only know in InvenTree's own words."""
ANOTHER_THING = "another-thing"
CHANGED = "changed"
GONE = "gone"


class Fault(Enum):
    """Diagnoses without fields. The value is also the reason code, unless `_REASONS` has another."""

    # accounts, companies and tokens
    ACCESS_STAYS = "access-stays"
    COMPANY_STAYS = "company-stays"
    USERS_UNSUPPORTED = "users-unsupported"
    TOKENS_UNSUPPORTED = "tokens-unsupported"
    OWN_TOKEN_UNSUPPORTED = "own-token-unsupported"  # noqa: S105 -- the name of a fault
    NO_ADMIN_TOKEN = "no-admin-token"  # noqa: S105
    NO_SUPERUSER = "no-superuser"
    NO_TOKEN = "no-token"  # noqa: S105
    NO_FRIENDS_TOKEN = "no-friends-token"  # noqa: S105
    TOKEN_NOT_SHOWN = "token-not-shown"  # noqa: S105
    TOKEN_OF_ANOTHER = "token-of-another"  # noqa: S105
    TOO_MUCH_RIGHT = "too-much-right"
    TOO_LITTLE_RIGHT = "too-little-right"
    NEW_TOKEN_UNUSED = "new-token-unused"  # noqa: S105
    NEW_TOKEN_WEAKER = "new-token-weaker"  # noqa: S105
    OLD_TOKEN_IN_USE = "in-use"  # noqa: S105
    OLD_TOKEN_GOOD = "old-token-good"  # noqa: S105
    ANOTHER_TOKEN_IN_FILE = "another-token-in-file"  # noqa: S105
    BAD_TOKEN = "bad-token"  # noqa: S105
    SECOND_FACTOR_MISSING = "second-factor-missing"
    SECOND_FACTOR_WRONG = "second-factor-wrong"
    SECOND_FACTOR_UNSET = "second-factor-unset"
    SIGN_IN_LATER = "sign-in-later"
    SIGN_IN_UNSUPPORTED = "sign-in-unsupported"
    SEALED = "sealed"
    # calls
    BAD_URL = "bad-url"
    BAD_PATH = "bad-path"
    NO_PASSWORDS = "no-token-requests"
    NO_DOWNLOADS = "no-downloads"
    NO_UPLOADS = "no-uploads"
    TOO_LARGE = "too-large-there"
    SILENT = "silent"
    FRIEND_SILENT = "unreachable"
    # parts and stock
    PART_NOT_NAMED = "part-not-named"
    SERIAL_OF_SEVERAL = "serial-of-several"
    LINK_TOO_LONG = "link-too-long"
    ITEM_NOT_THERE = "item-not-there"
    METADATA_CHANGED = "metadata-changed"
    DETAILS_CHANGED = "details-changed"
    BAD_VALUE = "bad-value"
    NO_PICTURE = "no-picture"
    MOVED_BACK = "moved-back"
    MOVE_NOT_SHOWN = "move-not-shown"
    ALL_OR_NOTHING = "all-or-nothing"
    NOTHING_TO_HAND_OVER = "nothing-to-hand-over"
    COMPANY_INACTIVE = "company-inactive"
    PART_INACTIVE = "inactive"
    NOT_SALABLE = "not-salable"
    # the bot itself
    WENT_BACK = "went-back"
    NO_TRACE = "no-trace"
    GIVEN_UP = "given-up"
    LENDER_MAY_NOT = "right-lost"
    BORROWED_BY_NOW = "borrowed-by-now"
    # contradictions between both sides
    REVERTED_BUT_HERE = "reverted-but-here"
    TAKEN_BACK_BUT_RECEIVED = "taken-back-but-received"
    PARCEL_DID_NOT_ARRIVE = "parcel-did-not-arrive"
    SETTLED_BUT_REFUSED = "settled-but-refused"
    RECEIVED_BUT_NOT_SENT = "received-but-not-sent"
    NOT_APPROVED = "not-approved"
    OTHER_TERMS = "other-terms"
    ENDED_AT_ONCE = "ended-at-once"
    PARCEL_MISSING = "parcel-missing"
    PEER_CAN_NOT_TELL = "peer-can-not-tell"


class ItemFault(Enum):
    """Problems of one of our stock items."""

    NOT_AS_MADE = "item-not-as-made"
    CHANGED_SINCE_CARD = "changed-since-card"
    NOT_IN_INCOMING = "not-in-incoming"
    LEFT_OUTGOING = "left-outgoing"
    OTHER_CUSTOMER = "other-customer"
    OTHER_QUANTITY = "other-quantity"
    OLD_STATUS_NOT_TAKEN = "old-status-not-taken"
    STATUS_NOT_BACK = "status-not-back"
    NOT_LOST = "not-lost"
    NOT_IN_STOCK = "not-in-stock"
    MORE_THAN_BORROWED = "more-than-borrowed"
    ALLOCATED = "allocated"
    FOR_ANOTHER_TRANSFER = "for-another-transfer"
    CUSTOMER_HAS_IT_NOT = "customer-has-it-not"
    NOT_WHERE_MOVED = "not-where-moved"
    RETURN_NOT_SHOWN = "return-not-shown"
    OTHER_PART = "other-part"
    VIRTUAL = "virtual"
    OTHER_SERIAL = "other-serial"
    OTHER_BATCH = "batch"
    OTHER_UNITS = "units-changed"
    PHOTO_NOT_THERE = "photo-not-there"
    PUT_BACK_ALREADY = "put-back"
    MERGE_NOT_SHOWN = "merge-not-shown"
    CHANGED_WHILE_MERGED = "changed-while-merged"
    NOTES_CHANGED = "notes-changed"


class NameFault(Enum):
    """Problems of a named thing: a user, a setting, a file, a host."""

    FOREIGN_GROUP = "foreign-group"
    FOREIGN_USER = "foreign-user"
    FOREIGN_COMPANY = "foreign-company"
    ACCESS_ENDED = "ended"
    USER_NOT_AS_MADE = "user-not-as-made"
    COMPANY_NOT_AS_MADE = "company-not-as-made"
    NOT_LISTED = "not-listed"
    TOKEN_GOOD = "token-good"  # noqa: S105 -- the name of a fault
    SERIAL_NOT_TAKEN = "serial-not-taken"
    PART_IN_OTHER_UNITS = "part-in-other-units"
    NO_CATEGORY = "no-category"
    NO_ROLE_FOR_COMPANIES = "no-role-for-companies"
    SETTING_NOT_SET = "setting-not-set"
    SETTING_NOT_IN_FILE = "no-file"
    FILE_STAYS = "not-writable"
    NO_CA_FILE = "no-ca-file"
    PRIVATE_ADDRESS = "private-address"
    NO_INVENTREE = "no-inventree"
    ANSWERS_PACKED = "answers-packed"
    ANSWERS_WITHOUT_END = "answers-without-end"
    TOKEN_NOT_ACCEPTED = "token-not-accepted"  # noqa: S105
    TOO_MANY_CALLS = "too-many-requests"
    FILE_NOT_HAD = "file-not-had"
    FILE_NOT_SENT = "file-not-sent"
    FILE_NOT_AS_TOLD = "file-not-as-told"


_REASONS: dict[Enum, str] = {
    Fault.USERS_UNSUPPORTED: "unsupported",
    Fault.TOKENS_UNSUPPORTED: "unsupported",
    Fault.OWN_TOKEN_UNSUPPORTED: "unsupported",
    Fault.NO_SUPERUSER: "no-admin-token",
    Fault.NO_FRIENDS_TOKEN: "no-token",
    Fault.NEW_TOKEN_WEAKER: "too-little-right",
    Fault.ANOTHER_TOKEN_IN_FILE: "not-writable",
    Fault.BAD_PATH: "bad-url",
    Fault.SERIAL_OF_SEVERAL: "serial",
    Fault.MOVED_BACK: CHANGED,
    Fault.ALL_OR_NOTHING: "too-much",
    Fault.NOTHING_TO_HAND_OVER: "too-much",
    ItemFault.CHANGED_SINCE_CARD: "serial",
    ItemFault.LEFT_OUTGOING: CHANGED,
    ItemFault.OTHER_QUANTITY: CHANGED,
    ItemFault.OTHER_PART: CHANGED,
    ItemFault.OTHER_SERIAL: "serial",
    ItemFault.MORE_THAN_BORROWED: "too-much",
    ItemFault.FOR_ANOTHER_TRANSFER: "not-in-stock",
    ItemFault.CUSTOMER_HAS_IT_NOT: GONE,
    NameFault.NOT_LISTED: GONE,
    NameFault.SERIAL_NOT_TAKEN: "serial",
    NameFault.PART_IN_OTHER_UNITS: ItemFault.OTHER_UNITS.value,
    NameFault.NO_ROLE_FOR_COMPANIES: "not-permitted",
    NameFault.SETTING_NOT_SET: "no-token",
    NameFault.ANSWERS_PACKED: "no-inventree",
    NameFault.ANSWERS_WITHOUT_END: "no-inventree",
    NameFault.TOKEN_NOT_ACCEPTED: "not-permitted",
}


@dataclass(frozen=True)
class Plain:
    """A fault without a subject."""

    fault: Fault


@dataclass(frozen=True)
class OfItem:
    """A fault of the stock item with that key."""

    fault: ItemFault
    item: int


@dataclass(frozen=True)
class Named:
    """A fault of the thing with that name."""

    fault: NameFault
    name: str


class Speaker(StrEnum):
    """The author of verbatim text."""

    INVENTREE = "InvenTree"
    HOMESERVER = "homeserver"
    PEER = "peer"


@dataclass(frozen=True)
class Verbatim:
    """Another program's own words. Safe to show: without secrets or HTML. `reason` is our code for them."""

    speaker: Speaker
    text: str
    reason: str = NO_CODE


# --- stock items ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ItemHasStatus:
    """A wrong status, as InvenTree calls it: it isn't the agreed one (`is_agreed` False) or forbids a transfer."""

    item: int
    status: str
    is_agreed: bool


@dataclass(frozen=True)
class ItemHasOnly:
    """The stock item has less than wanted."""

    item: int
    quantity: Decimal


@dataclass(frozen=True)
class ItemAllocated:
    """Too much of the stock item is allocated to orders or builds."""

    item: int
    allocated: Decimal
    quantity: Decimal


class Unlike(Enum):
    """The property in which a stock item differs from the one that we know."""

    MARK = "mark"
    PART = "part"
    SERIAL = "serial"
    BATCH = "batch"


@dataclass(frozen=True)
class AnotherThing:
    """The key of a stock item that we know names another thing now. `found` is the differing value ('' if none)."""

    item: int
    unlike: Unlike
    found: str = ""


class Apart(Enum):
    """Why an item that was split off and came back isn't merged into its source. Most name what differs."""

    GONE = "gone"
    SOURCE = "source"
    QUANTITY = "quantity"
    ALLOCATED = "allocated"
    LOCATION = "location"
    STATUS = "status"
    BATCH = "batch"
    EXPIRY = "expiry"
    PACKAGING = "packaging"
    LINK = "link"
    PRICE = "price"
    SUPPLIER_PART = "supplier part"
    OWNER = "owner"
    NOTES = "notes"
    TAGS = "tags"
    FILES = "files"
    TESTS = "tests"
    METADATA = "metadata"
    HISTORY = "history"
    OTHER = "other"


@dataclass(frozen=True)
class StaysApart:
    """The stock item isn't merged into its source."""

    item: int
    source: int
    why: Apart


# --- places and files ----------------------------------------------------------------------------------------


class PlaceFault(Enum):
    """Why a configured stock location can't be used."""

    MISSING = "missing"
    SEVERAL = "several"
    STRUCTURAL = "structural"


@dataclass(frozen=True)
class BadPlace:
    """The location `word` in `inventree.{setting}` can't be used. `paths` are those that it could mean."""

    fault: PlaceFault
    setting: str
    word: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileUnusable:
    """The file can't be read, or (`written`) not be replaced; `why` is what the operating system says."""

    file: str
    why: str
    written: bool


# --- bad answers, and none ------------------------------------------------------------------------------------


class Cause(Enum):
    """Why a request got no response."""

    NOT_TRUSTED = "not trusted"
    NO_CONNECTION_IN_TIME = "no connection in time"
    NO_CONNECTION = "no connection"
    BUSY = "busy"
    NO_ANSWER_IN_TIME = "no answer in time"
    BROKE = "broke"
    PROXY = "proxy"
    FAILED = "failed"


@dataclass(frozen=True)
class NoResponse:
    """No response from `host`; `may_be_done`: the request may have been carried out."""

    host: str
    cause: Cause
    may_be_done: bool


@dataclass(frozen=True)
class ServerError:
    """A 5xx response; `error` is the Python exception that the server names, '' if none."""

    host: str
    status: int
    error: str
    may_be_done: bool


@dataclass(frozen=True)
class NoJson:
    """A success whose body isn't the expected JSON."""

    host: str
    may_be_done: bool


@dataclass(frozen=True)
class NotUnderstood:
    """An answer on which our own code, or a library, failed; `error` is the exception's name."""

    error: str
    of_friend: bool


@dataclass(frozen=True)
class Redirected:
    """A redirect, which we don't follow."""

    host: str
    status: int


@dataclass(frozen=True)
class AnsweredOnly:
    """A 4xx response without readable text."""

    status: int
    phrase: str
    reason: str


@dataclass(frozen=True)
class TokenRefused:
    """A 401 response, with InvenTree's text."""

    said: str


class Lacks(Enum):
    """The permissions that our token's user may lack."""

    SUPERUSER = "superuser"
    ROLE = "role"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Forbidden:
    """A 403 response, with InvenTree's text.

    If a role is missing, `role` and `permission` name it: 'stock', 'change'.
    """

    lacks: Lacks
    said: str
    role: str = ""
    permission: str = ""


class VersionFault(Enum):
    """Why an InvenTree of that version can't be used."""

    TOO_OLD = "too-old"
    UNKNOWN = "unknown-version"
    UNSAFE = "unsafe-version"
    LOGINS_UNSAFE = "logins-unsafe"


@dataclass(frozen=True)
class BadVersion:
    """The API version of our InvenTree can't be used."""

    fault: VersionFault
    api: int


@dataclass(frozen=True)
class TokenTrialFailed:
    """The peer can't use the token that we made; `code` is one of `TOKEN_CODES`."""

    code: str


OfStock = OfItem | ItemHasStatus | ItemHasOnly | ItemAllocated | AnotherThing | StaysApart
OfCall = NoResponse | ServerError | NoJson
OfServer = NotUnderstood | Redirected | AnsweredOnly | TokenRefused | Forbidden | BadVersion
Diagnosis = Plain | Named | Verbatim | BadPlace | FileUnusable | TokenTrialFailed | OfStock | OfCall | OfServer


_OF_KIND: dict[type[Diagnosis], str] = {
    ItemHasOnly: "too-much",
    ItemAllocated: "allocated",
    AnotherThing: ANOTHER_THING,
    StaysApart: "stays-apart",
    FileUnusable: "not-writable",
    NoJson: "unreadable",
    NotUnderstood: "misunderstood",
    ServerError: "server-error",
    Redirected: "redirect",
    TokenRefused: "not-permitted",
    Forbidden: "not-permitted",
    TokenTrialFailed: "peer",
}


def reason_of(problem: Diagnosis) -> str:
    """Return the diagnosis's short code."""
    match problem:
        case Plain(fault) | OfItem(fault, _) | Named(fault, _):
            return _REASONS.get(fault, str(fault.value))
        case Verbatim() | AnsweredOnly():
            return problem.reason
        case ItemHasStatus():
            return "status" if problem.is_agreed else "condition"
        case NoResponse():
            return "no-answer" if problem.may_be_done else "unreachable"
        case BadPlace():
            return f"no-{problem.setting}"
        case BadVersion():
            return problem.fault.value
    return _OF_KIND[type(problem)]


class Hindrance(StrEnum):
    """Why a line of a booking can't be handed over, as of the last read of InvenTree."""

    GONE = "gone"
    NOT_HERE = "not here"
    LESS = "less"
    CONDITION = "condition"
    LENT = "lent"
