"""The queries that rules send to InvenTree and the journal (reads only), their answers, and their continuations."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from fedbot.rules.model.audit import AuditEntry
from fedbot.rules.model.stock import (
    Anchor,
    Part,
    PartDescription,
    Permission,
    Permissions,
    StockItem,
    UnitFactor,
    in_units,
)

if TYPE_CHECKING:
    from fedbot.rules.model.events import Answered, StepDone, StepRefused, StepUnknown, Unanswered, Waiting
    from fedbot.rules.state import Turn


@dataclass(frozen=True)
class PersonPermissions:
    """Reads the current permissions of a user. Answer: `Permissions`."""

    username: str


@dataclass(frozen=True)
class WhoMay:
    """Reads which of these users, all of them mapped people, have the permission now. Answer: `Able`."""

    permission: Permission
    usernames: tuple[str, ...]


@dataclass(frozen=True)
class Able:
    """The users that have the permission, in the order of the query."""

    usernames: tuple[str, ...]


@dataclass(frozen=True)
class Received:
    """A received line: the stock item that it became, our part, and the quantity."""

    transfer: str
    line: int
    item: int
    part: int
    quantity: Decimal


ReceivedOf = Callable[[int], tuple[Received, ...]]
"""Returns everything received of that part of ours. It grows over the years, so it isn't stored with a query."""


@dataclass(frozen=True)
class FindItems:
    """Finds the stock items that a word means: `#42`, a pasted link, an IPN, a part's name, `PART#SERIAL`.

    `with_categories`: the answer includes the parts' categories. `merges`: it includes received items of the same parts
    that have vanished since (`ReceivedOf`). `whole`: it includes other stock of the same parts (`seen`). `lending`: it
    includes the lending rules in the metadata of their parts, categories and locations. `units` are units in which
    somebody gave a quantity; the answer relates them to the parts' (`factors`). `by_peer`: it was a peer, who
    doesn't know our admins' definitions. Answer: `ItemsFound`.
    """

    word: str
    with_categories: bool = False
    merges: bool = False
    whole: bool = False
    lending: bool = False
    units: tuple[str, ...] = ()
    by_peer: bool = False


@dataclass(frozen=True)
class LendingSaid:
    """A lending rule in InvenTree, as JSON text, and the stock that it covers: 'part LENS-2', 'location Attic'.

    `text` is None if the metadata can't be read.
    """

    where: str
    text: str | None


@dataclass(frozen=True)
class ItemsFound:
    """The stock items meant, those in stock first. `parts` are near matches if no stock item was meant exactly.

    `tainted` lists the items whose foreign origin is recorded on them, or on an item from which they were split, as
    (stock item key, origin party). `vanished` lists received lines that have no stock item any more, with the vanished
    quantity, and `merged` when others were last merged into an item, or into the one it was split from. `lending` are
    lending rules, as (stock item key, rule). `factors` relate the parts' units to those of the query, if that isn't
    common knowledge. A part's unit that our admins have defined is replaced by its definition: `50 m`.
    """

    items: tuple[StockItem, ...] = ()
    parts: tuple[Part, ...] = ()
    tainted: tuple[tuple[int, str], ...] = ()
    vanished: tuple[Received, ...] = ()
    merged: tuple[tuple[int, datetime], ...] = ()
    lending: tuple[tuple[int, LendingSaid], ...] = ()
    factors: tuple[UnitFactor, ...] = ()

    def amount(self, quantity: Decimal, unit: str, item: StockItem) -> Decimal | None:
        """Return a quantity of `unit` in the units of the item's part, exactly; None if it can't be converted."""
        return in_units(quantity, unit, item.part.units, self.factors) if unit else quantity


@dataclass(frozen=True)
class RelateUnits:
    """Converts between units that a person typed and those of parts. Answer: `UnitsRelated`."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class UnitsRelated:
    """The factors from our InvenTree, without pairs of units that can't be compared."""

    factors: tuple[UnitFactor, ...] = ()


@dataclass(frozen=True)
class FindShareable:
    """Finds stock that can be shared under this word: a stock item, part or category. Answer: `Shareable`.

    Accepts what `FindItems` accepts, and a category's name or path, `part:12`, `category:5`.
    """

    word: str


@dataclass(frozen=True)
class Thing:
    """A stock item, part or category. `model` is `stockitem`, `part` or `partcategory`, `above` the ids it is under.

    `origin` is the other party from which an item came. `quantity` is the quantity of an item or part in stock, `parts`
    the number of parts in a category. Only `salable` things can be given to another space. `is_template`: its variants
    are parts of their own.
    """

    model: str
    pk: int
    name: str
    above: tuple[str, ...] = ()
    origin: str = ""
    quantity: Decimal = Decimal(0)
    parts: int = 0
    salable: bool = True
    is_template: bool = False


@dataclass(frozen=True)
class Shareable:
    """Exact matches of the word; if there are none, the names of similar parts and categories."""

    things: tuple[Thing, ...] = ()
    near: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scope:
    """A subset of our stock: single items (of `item_parts`), all items of parts, or of categories and those below.

    `templates` are those of the parts whose variants are included too.
    """

    everything: bool = False
    items: tuple[int, ...] = ()
    item_parts: tuple[int, ...] = ()
    parts: tuple[int, ...] = ()
    categories: tuple[int, ...] = ()
    templates: tuple[int, ...] = ()

    def covers(self, item: StockItem) -> bool:
        """Whether it includes that item. Its part must name its template, and its categories if the scope has any."""
        return item.pk in self.items or self.covers_part(item.part)

    def covers_part(self, part: Part) -> bool:
        """Whether it includes all stock items of the part."""
        named = part.pk in self.parts or part.template in self.templates
        return self.everything or named or bool(set(self.categories) & set(part.categories))


@dataclass(frozen=True)
class SearchStock:
    """Searches for stock with all these words in its part's name, IPN, keywords or description. Answer: `StockHits`.

    Finds only items in stock and in `scope`; without words, all of them. `reference`: the vault's token to read with,
    '' for our own. The search uses our own index and reads each hit again in InvenTree, so no call there grows with the
    stock. Vanished items of the parts found (`ReceivedOf`) are searched with our own token. `category`: only that name
    or path, and below it. `page`: the first is 1. `lent` are the keys of parts and stock items on loan; their parts are
    found even if none is here.
    """

    words: str
    scope: Scope
    reference: str = ""
    category: str = ""
    page: int = 1
    lent: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class StockHits:
    """The items found, by part, without their provenance; `cut` if there may be more.

    `percent` is how much of our stock has been read so far: below 100 while the index is filled for the first time.
    `vanished` and `merged` as in `ItemsFound`. `lent` are parts found of which none is here. `pictures`: the key of
    each part that has an image, and the address of the small version that InvenTree makes.
    """

    items: tuple[StockItem, ...] = ()
    cut: bool = False
    lent: tuple[Part, ...] = ()
    percent: int = 100
    vanished: tuple[Received, ...] = ()
    merged: tuple[tuple[int, datetime], ...] = ()
    pictures: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class PictureMeant:
    """The picture of a part, at its address in our InvenTree.

    `digest` is that of the last upload, as in `PartPicture`.
    """

    part: int
    where: str
    digest: str = ""


@dataclass(frozen=True)
class PicturesOf:
    """Uploads these pictures to the homeserver, encrypted, if they have changed. Answer: `PicturesPut`.

    Only recipients of the key can open them. Trying again leaves a copy that nobody can read.
    """

    pictures: tuple[PictureMeant, ...]


@dataclass(frozen=True)
class PicturePut:
    """An uploaded picture, as in `PartPicture`. `file` is {} if it hasn't changed, or if nothing can be shown."""

    part: int
    digest: str
    file: dict[str, Any]


@dataclass(frozen=True)
class PicturesPut:
    """The pictures processed. They may be fewer than requested, because the time for it is limited."""

    pictures: tuple[PicturePut, ...] = ()


@dataclass(frozen=True)
class NamedThings:
    """Checks the parts, categories and locations that the settings name. Answer: `UnknownThings`."""

    parts: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnknownThings:
    """The names that InvenTree doesn't know."""

    parts: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()


@dataclass(frozen=True)
class MatchPart:
    """Finds our part for a description: by an earlier assignment (`alias`, a part's key), IPN, then exact name.

    `mark` is that of booking it in. `gave` are our stock items with this serial number that went to this peer for good,
    to its `company`: one of them may come back. `with_category`: the answer includes the path of the part's category.
    `status` is the name of a custom status of the class `status_class`, which is matched to one of ours. `here` is our
    stock item that this is, as an approver says; it must then have exactly this quantity and serial number. `lost` are
    our stock items that the peer had borrowed and lost: one of them comes back if it has this quantity and batch.
    Answer: `PartMatch`.
    """

    peer: str
    description: PartDescription
    serial: str = ""
    alias: int | None = None
    mark: str = ""
    gave: tuple[int, ...] = ()
    company: int | None = None
    quantity: Decimal = Decimal(1)
    with_category: bool = False
    status: str = ""
    status_class: int = 10
    here: int | None = None
    batch: str = ""
    lost: tuple[int, ...] = ()


@dataclass(frozen=True)
class PartMatch:
    """The one part that fits and may take the item, or why there is none.

    Without `part`: `creatable` says whether a new part may be made (`category` is where), and `reason` why nothing fits
    (`none`, `several`, `virtual`, `inactive`, `serial-taken`, `not-trackable`, `units`, `own-unit`, `unknown-unit`,
    `fraction`, `not-that`). `how` it was found: `alias`, `ipn`, `name`, or `here`: it already is the stock item
    `again` of ours. `factor` is how many of our units make one of the peer's, as a fraction such as '1/100'. `serial`
    is its number here, if another item of ours has the peer's number. `location` and `place` are where the item would
    be put away. `again` is our own stock item that it becomes again, because it was here before. `status_key` is our
    key of the custom status.
    """

    part: Part | None = None
    how: str = ""
    creatable: bool = False
    category: str = ""
    reason: str = ""
    place: str = ""
    location: int | None = None
    again: int | None = None
    factor: str = "1"
    serial: str = ""
    status_key: int | None = None


@dataclass(frozen=True)
class StockFigures:
    """Counts what is in our InvenTree. Answer: `StockCounts`.

    `reference`: read with that token of the vault, which we made for the peer that asks; '' for our own.
    """

    reference: str = ""


@dataclass(frozen=True)
class StockCounts:
    """The number of each kind; None if the token lacks the permission. Stock items are those in stock.

    `low_stock` is also None while our stock is read for the first time.
    """

    parts: int | None = None
    stock_items: int | None = None
    low_stock: int | None = None
    categories: int | None = None
    locations: int | None = None


@dataclass(frozen=True)
class Overview:
    """Reads whether our InvenTree answers, and as whom we are signed in. Answer: `InventoryStanding`."""


@dataclass(frozen=True)
class CompanyMirrors:
    """Reads the mirrors of connections in our companies' metadata. Answer: `MirrorsFound`."""


@dataclass(frozen=True)
class CompanyMirror:
    """The mirror in one company's metadata: `value` is the JSON text under our key, signed by us for this company."""

    company: int
    name: str
    value: str


@dataclass(frozen=True)
class MirrorsFound:
    """The mirrors found. `unsigned` are companies with data under our key that we haven't signed."""

    companies: tuple[CompanyMirror, ...]
    unsigned: tuple[str, ...] = ()


@dataclass(frozen=True)
class OwnTokens:
    """Reads the tokens that we use and their expiry. Answer: `OwnTokensSeen`."""


@dataclass(frozen=True)
class TokenSeen:
    """One of our tokens: the setting that holds it, its name, its key in InvenTree, its expiry."""

    setting: str
    name: str
    pk: int
    expiry: date | None = None


@dataclass(frozen=True)
class OwnTokensSeen:
    """The tokens that the server reports: none below API 227."""

    tokens: tuple[TokenSeen, ...] = ()


@dataclass(frozen=True)
class IndexStanding:
    """The state of the stock index: its parts, its stock items, and the progress of the first filling in percent.

    `stock_read` and `parts_read`: when a sweep last read all of them.
    """

    parts: int = 0
    items: int = 0
    percent: int = 0
    stock_read: datetime | None = None
    parts_read: datetime | None = None


@dataclass(frozen=True)
class InventoryStanding:
    """InvenTree's version and settings, and our token's permissions; without secrets.

    `abilities` are the names of what this version can do and others can't (`client.versions.ABILITIES`). `index` is
    set for a server that is too large to be read again for each answer. `reads_lending_rules`: whether metadata of
    parts, categories and locations can be read. `makes_parts`: whether an approval may make a missing part.
    """

    name: str
    version: str
    api: int
    username: str
    can_move_stock: bool
    has_admin_token: bool
    admin_is_superuser: bool
    stock_items: int
    writes_allowed: bool = True
    complaints: tuple[str, ...] = ()
    abilities: tuple[str, ...] = ()
    index: IndexStanding | None = None
    makes_parts: bool = False
    reads_lending_rules: bool = False


@dataclass(frozen=True)
class HistoryAt:
    """Reads whether the stock history still holds these entries, and its newest ones. Answer: `HistorySeen`."""

    anchors: tuple[Anchor, ...] = ()


@dataclass(frozen=True)
class HistorySeen:
    """The newest entries, of different stock items. `went_back`: the entries of the query are gone or have changed.

    Then InvenTree was restored to an earlier state. Entries deleted with their stock items don't count.
    """

    anchors: tuple[Anchor, ...] = ()
    went_back: bool = False


@dataclass(frozen=True)
class WhereIsIt:
    """Reads the stock items of one line of a transfer that still exist. Answer: `ItemsSeen`.

    `mark` is the line's (`fed:<transfer>:<line>`). The query reads `items`, the items whose history has the mark, and,
    with a `part`, its items whose link has the mark.
    """

    mark: str
    items: tuple[int, ...] = ()
    part: int | None = None


@dataclass(frozen=True)
class BooksOf:
    """Reads the state of these stock items. Answer: `ItemsSeen`. The number of calls doesn't grow with the items.

    `borrowed` are lines on loan here. If one isn't there whole, all stock items of its part are read. `strays`:
    read the other items in Outgoing and Incoming, too.
    """

    items: tuple[int, ...]
    borrowed: tuple[Received, ...] = ()
    strays: bool = False


class Whereabouts(StrEnum):
    """The place of a stock item in our books."""

    STOCK = "stock"
    OUTGOING = "outgoing"
    CUSTOMER = "customer"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class ItemSeen:
    """The current state of a stock item. `place` is the location's name; `marks` are those in its history and its link.

    `came_from` and `old_status` are its location and status before it was taken out, if the history has them. `parent`
    is the item that it was split off from.
    """

    pk: int
    part: int
    quantity: Decimal
    status: int
    where: Whereabouts
    serial: str = ""
    batch: str = ""
    customer: int | None = None
    location: int | None = None
    place: str = ""
    marks: tuple[str, ...] = ()
    came_from: int | None = None
    old_status: int | None = None
    parent: int | None = None


@dataclass(frozen=True)
class ItemsSeen:
    """The items that exist. `history_read`: their history was searched for marks (API >= 320).

    `borrowed` repeats the query's, with the quantity in stock, including items split off.
    `strays` are the other items in Outgoing and Incoming.
    """

    items: tuple[ItemSeen, ...] = ()
    history_read: bool = True
    borrowed: tuple[Received, ...] = ()
    strays: tuple[ItemSeen, ...] = ()


@dataclass(frozen=True)
class AuditOf:
    """Reads the audit of a transfer or connection. Answer: `AuditTrail`. The journal answers, not InvenTree."""

    subject: str


@dataclass(frozen=True)
class AuditTrail:
    """The audit entries about a subject with their times, oldest first."""

    entries: tuple[tuple[datetime, AuditEntry], ...] = ()


@dataclass(frozen=True)
class SignInShown:
    """Finds the page that shows this sign-in code. Answer: `SignInFound`. Our own pages answer, not InvenTree."""

    code: str


@dataclass(frozen=True)
class SignInFound:
    """The hash of the secret that only the page has, and its browser; '' if no page shows the code."""

    access: str = ""
    browser: str = ""


Query = (
    PersonPermissions
    | WhoMay
    | FindItems
    | RelateUnits
    | MatchPart
    | StockFigures
    | Overview
    | OwnTokens
    | AuditOf
    | SignInShown
    | HistoryAt
    | WhereIsIt
    | BooksOf
    | CompanyMirrors
    | FindShareable
    | SearchStock
    | PicturesOf
    | NamedThings
)
Answer = (
    Permissions
    | Able
    | ItemsFound
    | UnitsRelated
    | PartMatch
    | StockCounts
    | InventoryStanding
    | OwnTokensSeen
    | AuditTrail
    | SignInFound
    | HistorySeen
    | ItemsSeen
    | MirrorsFound
    | Shareable
    | StockHits
    | PicturesPut
    | UnknownThings
)

ANSWER_OF: dict[type[Query], type[Answer]] = {
    PersonPermissions: Permissions,
    WhoMay: Able,
    FindItems: ItemsFound,
    RelateUnits: UnitsRelated,
    MatchPart: PartMatch,
    StockFigures: StockCounts,
    Overview: InventoryStanding,
    OwnTokens: OwnTokensSeen,
    AuditOf: AuditTrail,
    SignInShown: SignInFound,
    HistoryAt: HistorySeen,
    WhereIsIt: ItemsSeen,
    BooksOf: ItemsSeen,
    CompanyMirrors: MirrorsFound,
    FindShareable: Shareable,
    SearchStock: StockHits,
    PicturesOf: PicturesPut,
    NamedThings: UnknownThings,
}

QUANTITY_PLACES = Decimal("0.00001")


# --- Continuations: stored with a query or a step, and run with its outcome.


class Continuation:
    """The rule that runs on an effect's outcome. `at_peer`: the outcome is of a peer's InvenTree, not of ours."""

    at_peer: ClassVar[bool] = False

    @property
    def subject(self) -> str:
        """The id of the effect's subject; '' if it has none."""
        return ""

    def waiting(self, turn: Turn, event: Waiting) -> None:
        """React to a query or step that is delayed and will be tried again. By default, do nothing."""


class WhenAnswered(Continuation, ABC):
    """A continuation of a query that is sent until InvenTree answers."""

    @abstractmethod
    def answered(self, turn: Turn, event: Answered) -> None:
        """Act on the answers, which are in the order of the queries."""


class WhenAnsweredOrNot(WhenAnswered):
    """A continuation of a query that is given up if InvenTree is silent or refuses, because somebody waits for it."""

    @abstractmethod
    def unanswered(self, turn: Turn, event: Unanswered) -> None:
        """Act on the lack of an answer."""


class WhenStepEnds(Continuation, ABC):
    """A continuation of a step."""

    @abstractmethod
    def done(self, turn: Turn, event: StepDone) -> None:
        """Act on the step's success."""

    @abstractmethod
    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Act on a refusal or an unknown outcome."""


@dataclass(frozen=True)
class OfTransfer(Continuation):
    """A continuation about the transfer with the id `transfer`."""

    transfer: str

    @property
    def subject(self) -> str:
        """The transfer's id."""
        return self.transfer


@dataclass(frozen=True)
class OfLine(OfTransfer):
    """A continuation about the line with the number `line` of a transfer."""

    line: int


@dataclass(frozen=True)
class OfConnection(Continuation):
    """A continuation about the connection with the id `connection`."""

    connection: str

    @property
    def subject(self) -> str:
        """The connection's id."""
        return self.connection


def kinds() -> tuple[type[Continuation], ...]:
    """Return every concrete kind of continuation in the loaded modules (`dispatch` loads them all), by name."""
    found: set[type[Continuation]] = set()
    below: list[type[Continuation]] = [WhenAnswered, WhenStepEnds]
    while below:
        kind = below.pop()
        found.add(kind)
        below += kind.__subclasses__()
    return tuple(sorted((kind for kind in found if not inspect.isabstract(kind)), key=lambda kind: kind.__name__))
