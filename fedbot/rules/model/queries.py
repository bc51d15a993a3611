"""The queries that rules may ask of InvenTree and the journal (reads only), their answers, and their continuations."""

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
    """What may this user do right now? Answer: `Permissions`."""

    username: str


@dataclass(frozen=True)
class WhoMay:
    """Which of these users (all of them mapped people) have this right now? Answer: `Able`."""

    permission: Permission
    usernames: tuple[str, ...]


@dataclass(frozen=True)
class Able:
    """The users that have the permission asked for, in the order asked."""

    usernames: tuple[str, ...]


@dataclass(frozen=True)
class Received:
    """A received line: the stock item that it became, the part of ours, and the quantity."""

    transfer: str
    line: int
    item: int
    part: int
    quantity: Decimal


ReceivedOf = Callable[[int], tuple[Received, ...]]
"""Returns everything received of that part of ours. It grows with the years, so it isn't stored with a query."""


@dataclass(frozen=True)
class FindItems:
    """Which stock items does this word mean? `#42`, a pasted link, an IPN, a part's name, `PART#SERIAL`.

    `with_categories`: the parts' categories are told too. `merges`: it is told as well what has vanished of what was
    received of the same parts (`ReceivedOf`). `whole`: what else InvenTree has of them is told too (`seen`).
    `lending`: so are the lending rules in the metadata of their parts, categories and locations. `units` are those in
    which somebody says how much of them (`factors`).
    Answer: `ItemsFound`.
    """

    word: str
    with_categories: bool = False
    merges: bool = False
    whole: bool = False
    lending: bool = False
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class LendingSaid:
    """A lending rule in InvenTree, as JSON text, and the thing it is for: 'part LENS-2', 'location Attic'.

    `text` is None where metadata can't be read.
    """

    where: str
    text: str | None


@dataclass(frozen=True)
class ItemsFound:
    """The stock items meant, in stock first; `parts` are near hits when no stock item was meant exactly.

    `tainted` lists the items whose foreign origin is seen in themselves or in an item they were split from,
    as (stock item key, origin party). `vanished` lists what was received and has no stock item any more, with the
    quantity of that, and `merged` when others were last merged into an item, or into what it was split from.
    `lending` are the lending rules that were said of an item: (stock item key, rule). `factors` tell how the parts'
    units and those that were asked about relate, where that isn't common knowledge.
    """

    items: tuple[StockItem, ...] = ()
    parts: tuple[Part, ...] = ()
    tainted: tuple[tuple[int, str], ...] = ()
    vanished: tuple[Received, ...] = ()
    merged: tuple[tuple[int, datetime], ...] = ()
    lending: tuple[tuple[int, LendingSaid], ...] = ()
    factors: tuple[UnitFactor, ...] = ()

    def amount(self, quantity: Decimal, unit: str, item: StockItem) -> Decimal | None:
        """So much of `unit` in the units of the item's part, exactly; None if that can't be told."""
        return in_units(quantity, unit, item.part.units, self.factors) if unit else quantity


@dataclass(frozen=True)
class RelateUnits:
    """Convert between these units: one that a person typed, and a part's. Answer: `UnitsRelated`."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class UnitsRelated:
    """The factors that our InvenTree's units tell; of a pair that can't be compared none."""

    factors: tuple[UnitFactor, ...] = ()


@dataclass(frozen=True)
class FindShareable:
    """What can be shared under this word? A stock item, part or category. Answer: `Shareable`.

    As `FindItems`, and a category's name or path, `part:12`, `category:5`.
    """

    word: str


@dataclass(frozen=True)
class Thing:
    """A stock item, part or category. `model` is `stockitem`, `part` or `partcategory`, `above` the ids it is under.

    `origin` is the other party that an item came from. `quantity` is how much of an item or part is in stock,
    `parts` how many a category has. Only what is `salable` can be given to another space.
    `is_template`: its variants are parts of their own.
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
    """All that the word means exactly; without any, the names of parts and categories that are near."""

    things: tuple[Thing, ...] = ()
    near: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scope:
    """A part of our stock: single items (of `item_parts`), all items of parts, or of categories and those below.

    `templates` are those of the parts whose variants are in it, too.
    """

    everything: bool = False
    items: tuple[int, ...] = ()
    item_parts: tuple[int, ...] = ()
    parts: tuple[int, ...] = ()
    categories: tuple[int, ...] = ()
    templates: tuple[int, ...] = ()

    def covers(self, item: StockItem) -> bool:
        """Whether it is in it. Its part must tell its categories, if there are any here, and so its template."""
        return item.pk in self.items or self.covers_part(item.part)

    def covers_part(self, part: Part) -> bool:
        """Whether all stock items of the part are in it."""
        named = part.pk in self.parts or part.template in self.templates
        return self.everything or named or bool(set(self.categories) & set(part.categories))


@dataclass(frozen=True)
class SearchStock:
    """Search stock with all these words in its part's name, IPN, keywords or description. Answer: `StockHits`.

    Only items in stock and in `scope`. `reference`: the vault's token to read with, '' for our own. The search uses our
    own index, and reads each hit again in InvenTree, so no call there grows with the stock. Vanished items of the parts
    found (`ReceivedOf`) are searched with our own token. Without words it returns all of the scope. `category`: only
    that name or path, and below it. `page`: the first is 1. `lent` are the keys of parts and stock items on loan: such
    a part is found even if none of it is here.
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

    `percent` is the part of our stock that was read so far: below 100 while the index is filled for the first time.
    `vanished` and `merged` as in `ItemsFound`. `lent` are parts found of which none is here.
    `pictures`: the key of each part that has an image, and the address of the small one that InvenTree makes of it.
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
    """The picture of a part, at its address in our InvenTree. `digest`: as in `PartPicture`, of what lies there."""

    part: int
    where: str
    digest: str = ""


@dataclass(frozen=True)
class PicturesOf:
    """Put these pictures onto the homeserver, encrypted, and only what has changed. Answer: `PicturesPut`.

    Nobody but who is told how can open them; a second try leaves a copy that nobody can read.
    """

    pictures: tuple[PictureMeant, ...]


@dataclass(frozen=True)
class PicturePut:
    """As in `PartPicture`. `file` is {} if it lies there as it was, or if there is nothing that can be shown."""

    part: int
    digest: str
    file: dict[str, Any]


@dataclass(frozen=True)
class PicturesPut:
    """Those that were looked at, which may be fewer than were meant: only so long somebody waits for them."""

    pictures: tuple[PicturePut, ...] = ()


@dataclass(frozen=True)
class NamedThings:
    """Which of these parts, categories and locations of the settings are there? Answer: `UnknownThings`."""

    parts: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnknownThings:
    """Those that InvenTree doesn't know."""

    parts: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()


@dataclass(frozen=True)
class MatchPart:
    """Which of our parts is this? By what somebody has said (`alias`, a part's key), IPN, then exact name.

    `mark` is that of booking it in. `gave` are our stock items with this serial number that went to this peer for
    good, to its `company`: one of them may come again. `with_category`: the path of the part's category is told.
    `status` is the name of a custom status, of the class `status_class`: have we got that, too? `here` is our stock
    item that an approver says this is: then it has to be just that much, with the same serial number.
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


@dataclass(frozen=True)
class PartMatch:
    """The one part that fits and may take the item, or why there is none.

    Without `part`: `creatable` says whether a new part may be made (`category` is where), and `reason` why
    nothing fits (`none`, `several`, `virtual`, `inactive`, `serial-taken`, `not-trackable`, `units`, `unknown-unit`,
    `fraction`, `not-that`). `how` it was found: `alias`, `ipn`, `name`, or `here`: it is a stock item of ours already,
    `again`.
    `factor` is how many of our units one of the peer's is, a fraction such as '1/100'.
    `serial` is the number that it gets here, where something else of ours has the peer's number already.
    `location` and `place` are where the item would be put away. `again` is our own stock item that it becomes once
    more, because it was here before. `status_key` is that of the custom status.
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
    """How much is there in our InvenTree? Answer: `StockCounts`.

    `reference`: read under that token of the vault, which we made for the friend that asks; '' for our own.
    """

    reference: str = ""


@dataclass(frozen=True)
class StockCounts:
    """The numbers of each kind; None where the token lacks the permission. Stock items are those in stock.

    `low_stock` is also None while our stock is read for the first time.
    """

    parts: int | None = None
    stock_items: int | None = None
    low_stock: int | None = None
    categories: int | None = None
    locations: int | None = None


@dataclass(frozen=True)
class Overview:
    """Is our InvenTree there, and who are we in it? Answer: `InventoryStanding`."""


@dataclass(frozen=True)
class CompanyMirrors:
    """What have we written about connections into our companies' metadata? Answer: `MirrorsFound`."""


@dataclass(frozen=True)
class CompanyMirror:
    """One company's: `value` is the JSON text under our key, which bears our own signature for this company."""

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
    """Which tokens do we work with, and when do they end? Answer: `OwnTokensSeen`."""


@dataclass(frozen=True)
class TokenSeen:
    """One of our tokens: the setting that it stands in, its name, InvenTree's key of it, its end."""

    setting: str
    name: str
    pk: int
    expiry: date | None = None


@dataclass(frozen=True)
class OwnTokensSeen:
    """Those that the server tells of: none below API 293."""

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
    """InvenTree's own version and settings, and our token's permissions; without secrets.

    `abilities` are the names of what this version can do and others can't (`inventree.versions.ABILITIES`). `index` is
    told of a server that is too large to be read anew for each answer. `reads_lending_rules`: whether metadata of
    parts, categories and locations can be read. `makes_parts`: whether a yes may make a part
    that is not there yet.
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
    """Does the stock history still hold these entries, and which are its newest? Answer: `HistorySeen`."""

    anchors: tuple[Anchor, ...] = ()


@dataclass(frozen=True)
class HistorySeen:
    """The newest entries, of different stock items. `went_back`: those asked for are gone, or are others now.

    Then InvenTree was put back to an earlier state. Entries that went with their stock items tell nothing.
    """

    anchors: tuple[Anchor, ...] = ()
    went_back: bool = False


@dataclass(frozen=True)
class WhereIsIt:
    """What became of one line of a transfer? Answer: `ItemsSeen`, as far as its stock items are still there.

    `mark` is the line's (`fed:<transfer>:<line>`). Looked at are `items`, what the history shows under the mark,
    and, with a `part`, the items of it whose link holds the mark.
    """

    mark: str
    items: tuple[int, ...] = ()
    part: int | None = None


@dataclass(frozen=True)
class BooksOf:
    """How do these stock items stand? Answer: `ItemsSeen`. The number of calls doesn't grow with that of the items.

    `borrowed` is what is on loan here: of what isn't there whole, all stock items of the part are looked through.
    """

    items: tuple[int, ...]
    borrowed: tuple[Received, ...] = ()


class Whereabouts(StrEnum):
    """The place of a stock item in our books."""

    STOCK = "stock"
    OUTGOING = "outgoing"
    CUSTOMER = "customer"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class ItemSeen:
    """A stock item as it stands now. `place` is the location's name; `marks` those in its history and its link.

    `came_from` and `old_status` are where it lay before it was taken out, and as what, if the history tells.
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


@dataclass(frozen=True)
class ItemsSeen:
    """The items that are there. `history_read`: their history was looked through for marks (API >= 320).

    `borrowed` is as it was asked, with how much of it is in stock, what was split off from it included.
    """

    items: tuple[ItemSeen, ...] = ()
    history_read: bool = True
    borrowed: tuple[Received, ...] = ()


@dataclass(frozen=True)
class AuditOf:
    """What is noted about this transfer or connection? Answer: `AuditTrail`. The journal answers, not InvenTree."""

    subject: str


@dataclass(frozen=True)
class AuditTrail:
    """All that is noted about a subject, with its times, oldest first."""

    entries: tuple[tuple[datetime, AuditEntry], ...] = ()


@dataclass(frozen=True)
class SignInShown:
    """Which page shows this code, to be signed in? Answer: `SignInFound`. Our own pages answer, not InvenTree."""

    code: str


@dataclass(frozen=True)
class SignInFound:
    """The hash of the secret that only the page has, and which browser it is in; '' if no page shows the code."""

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

QUESTIONS: dict[type[Query], type[Answer]] = {
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


# --- What follows when a query is answered or a step has ended: it goes along, and comes back with the outcome.


class Continuation:
    """The rule that runs on an effect's outcome. `at_peer`: the outcome is of a peer's InvenTree, not of ours."""

    at_peer: ClassVar[bool] = False

    @property
    def subject(self) -> str:
        """The id of what the effect is about; '' if it is about nothing that has one."""
        return ""

    def waiting(self, turn: Turn, event: Waiting) -> None:
        """It can't be done now, and is tried again: tell those who wait for it. By itself, nobody does."""


class WhenAnswered(Continuation, ABC):
    """For a query that is asked until it is answered."""

    @abstractmethod
    def answered(self, turn: Turn, event: Answered) -> None:
        """The answers are here, in the order of the queries."""


class WhenAnsweredOrNot(WhenAnswered):
    """For a query that somebody waits for: it is given up when InvenTree is silent or says no."""

    @abstractmethod
    def unanswered(self, turn: Turn, event: Unanswered) -> None:
        """There will be no answer."""


class WhenStepEnds(Continuation, ABC):
    """For a step."""

    @abstractmethod
    def done(self, turn: Turn, event: StepDone) -> None:
        """It was done."""

    @abstractmethod
    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """It was refused, or nobody can tell."""


@dataclass(frozen=True)
class OfTransfer(Continuation):
    """`transfer` is its id."""

    transfer: str

    @property
    def subject(self) -> str:
        """The transfer's id."""
        return self.transfer


@dataclass(frozen=True)
class OfLine(OfTransfer):
    """`line` is the line's number in the transfer."""

    line: int


@dataclass(frozen=True)
class OfConnection(Continuation):
    """`connection` is its id."""

    connection: str

    @property
    def subject(self) -> str:
        """The connection's id."""
        return self.connection


def kinds() -> tuple[type[Continuation], ...]:
    """Every kind that can be made, of those modules that are loaded (`dispatch` loads them all)."""
    found: set[type[Continuation]] = set()
    below: list[type[Continuation]] = [WhenAnswered, WhenStepEnds]
    while below:
        kind = below.pop()
        found.add(kind)
        below += kind.__subclasses__()
    return tuple(sorted((kind for kind in found if not inspect.isabstract(kind)), key=lambda kind: kind.__name__))
