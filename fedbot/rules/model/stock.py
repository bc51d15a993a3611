"""InvenTree's data as the rules see it: units, codes, permissions, parts, items, and the details sent along."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

# --- Details of an item and its part beyond what every card shows: which are sent to the receiver, and which stay.


MOST_TAGS = 10
LONGEST_TAG = 50
MOST_TESTS = 10
MOST_PARAMETERS = 20
MOST_INSIDE = 5
LONGEST_WORD = 100
LONGEST_NOTES = 500
LONGEST_LINK = 200
MOST_FILES = 5
LARGEST_FILE = 20_000_000
"""Largest file that is ever sent, in bytes, whatever is configured."""
HIGHEST_PRICE = Decimal(10) ** 9
PRICE_PLACES = 6
_LINK = re.compile(r"https?://[^\s/?#\"'<>\\]+[^\s\"'<>\\]*", re.IGNORECASE)
_CURRENCY = re.compile(r"[A-Z]{3}")
_FILE_NAME = re.compile(
    r"[^/\\<>&\"'\x00-\x1f.][^/\\<>&\"'\x00-\x1f]*\.(jpe?g|png|gif|webp|heic|pdf|txt)", re.IGNORECASE
)


class Trait(StrEnum):
    """The details that aren't sent, in the order of a card. `PART_…`: details of a part to be created."""

    STATUS = "status"
    NOTES = "notes"
    LINK = "link"
    TAGS = "tags"
    PRICE = "price"
    SUPPLIER_PART = "supplier-part"
    TESTS = "tests"
    FILES = "files"
    PART_NOTES = "part-notes"
    PART_LINK = "part-link"
    PART_TAGS = "part-tags"
    PARAMETERS = "parameters"
    PICTURE = "picture"
    PART_FILES = "part-files"
    MINIMUM_STOCK = "minimum-stock"


@dataclass(frozen=True)
class TestResult:
    """The newest result of a test: its name, whether it passed, the measured value."""

    name: str
    passed: bool
    value: str = ""

    __test__ = False  # pytest would take it for a test


@dataclass(frozen=True)
class Parameter:
    """A parameter of a part: its template's name, and the value with its unit."""

    name: str
    value: str


@dataclass(frozen=True)
class FileTold:
    """A file: its name, and its length in bytes (0: InvenTree doesn't report it)."""

    name: str
    size: int = 0


@dataclass(frozen=True)
class ItemDetails:
    """Details of a stock item. `status` is the name of a custom status, `inside` the names of installed items.

    `price` is the purchase price of one, in `currency` (three letters). `files` are its attachments.
    """

    notes: str = ""
    link: str = ""
    tags: tuple[str, ...] = ()
    status: str = ""
    price: Decimal | None = None
    currency: str = ""
    supplier_part: str = ""
    tests: tuple[TestResult, ...] = ()
    inside: tuple[str, ...] = ()
    files: tuple[FileTold, ...] = ()


@dataclass(frozen=True)
class PartDetails:
    """Details of a part, for the new part made from it. `picture` is the name of its image."""

    notes: str = ""
    link: str = ""
    tags: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    picture: str = ""


NO_ITEM_DETAILS = ItemDetails()
NO_PART_DETAILS = PartDetails()


@dataclass(frozen=True)
class ItemSeen:
    """A stock item's details as InvenTree reports them. `untold` are details that this answer lacks.

    `has_more_files`: it has attachments that aren't files, or more than are listed.
    """

    details: ItemDetails = NO_ITEM_DETAILS
    untold: tuple[Trait, ...] = ()
    has_more_files: bool = False


@dataclass(frozen=True)
class PartSeen:
    """A part's details as InvenTree reports them. `untold` as in `ItemSeen`."""

    details: PartDetails = NO_PART_DETAILS
    untold: tuple[Trait, ...] = ()
    has_minimum: bool = False


NOTHING_SEEN = ItemSeen()


def split_item(seen: ItemSeen, *, with_price: bool, largest_file: int = 0) -> tuple[ItemDetails, tuple[Trait, ...]]:
    """Split an item's details into those that are sent and those that stay.

    Files larger than `largest_file` bytes stay (0: all of them).
    """
    known = seen.details
    sends_price = with_price and is_price(known.price, known.currency)
    sent = ItemDetails(
        notes=known.notes[:LONGEST_NOTES],
        link=known.link if _is_link(known.link) else "",
        tags=_words(known.tags, MOST_TAGS, LONGEST_TAG),
        status=known.status[:LONGEST_WORD],
        price=known.price if sends_price else None,
        currency=known.currency if sends_price else "",
        supplier_part=known.supplier_part[:LONGEST_WORD],
        tests=tuple(_short(test) for test in known.tests[:MOST_TESTS]),
        inside=_words(known.inside, MOST_INSIDE, LONGEST_WORD),
        files=_files(known.files, largest_file),
    )
    pairs = (
        (Trait.NOTES, sent.notes != known.notes),
        (Trait.LINK, sent.link != known.link),
        (Trait.TAGS, sent.tags != known.tags),
        (Trait.PRICE, sent.price != known.price),
        (Trait.TESTS, len(known.tests) > len(sent.tests)),
        (Trait.FILES, seen.has_more_files or sent.files != known.files),
    )
    return sent, _in_order({*seen.untold, *(trait for trait, stays in pairs if stays)})


def split_part(seen: PartSeen, *, largest_file: int = 0) -> tuple[PartDetails, tuple[Trait, ...]]:
    """Split a part's details, for a new part, into those that are sent and those that stay."""
    known = seen.details
    fitting = [each for each in known.parameters if max(len(each.name), len(each.value)) <= LONGEST_WORD]
    sent = PartDetails(
        notes=known.notes[:LONGEST_NOTES],
        link=known.link if _is_link(known.link) else "",
        tags=_words(known.tags, MOST_TAGS, LONGEST_TAG),
        parameters=tuple(fitting[:MOST_PARAMETERS]),
        picture=known.picture if largest_file and is_picture(known.picture) else "",
    )
    pairs = (
        (Trait.PART_NOTES, sent.notes != known.notes),
        (Trait.PART_LINK, sent.link != known.link),
        (Trait.PART_TAGS, sent.tags != known.tags),
        (Trait.PARAMETERS, sent.parameters != known.parameters),
        (Trait.PICTURE, sent.picture != known.picture),
        (Trait.MINIMUM_STOCK, seen.has_minimum),
    )
    return sent, _in_order({*seen.untold, *(trait for trait, stays in pairs if stays)})


def left_out_of_item(details: ItemDetails) -> tuple[Trait, ...]:
    """Return the item's details that stay if a message has no room for them."""
    pairs = (
        (Trait.STATUS, details.status),
        (Trait.NOTES, details.notes),
        (Trait.LINK, details.link),
        (Trait.TAGS, details.tags),
        (Trait.PRICE, details.price is not None),
        (Trait.SUPPLIER_PART, details.supplier_part),
        (Trait.TESTS, details.tests),
        (Trait.FILES, details.files),
    )
    return tuple(trait for trait, there in pairs if there)


def left_out_of_part(details: PartDetails) -> tuple[Trait, ...]:
    """Return the part's details that stay if a message has no room for them."""
    pairs = (
        (Trait.PART_NOTES, details.notes),
        (Trait.PART_LINK, details.link),
        (Trait.PART_TAGS, details.tags),
        (Trait.PARAMETERS, details.parameters),
        (Trait.PICTURE, details.picture),
    )
    return tuple(trait for trait, there in pairs if there)


def with_traits(known: Sequence[Trait], more: Sequence[Trait]) -> tuple[Trait, ...]:
    """Return all of these, each once, in the order of `Trait`."""
    return _in_order({*known, *more})


def _is_link(link: str) -> bool:
    """Whether it is a web address that may be sent. Nothing else ever becomes a link at the other space."""
    return len(link) <= LONGEST_LINK and bool(_LINK.fullmatch(link))


def is_price(price: Decimal | None, currency: str) -> bool:
    """Whether InvenTree would accept it."""
    if price is None or not is_written_out(price) or not 0 <= price < HIGHEST_PRICE:
        return False
    return -int(price.as_tuple().exponent) <= PRICE_PLACES and bool(_CURRENCY.fullmatch(currency))


def _is_file_name(name: str) -> bool:
    """Whether a file of that name may be sent: no path, and a suffix against which its content can be checked."""
    return len(name) <= LONGEST_WORD and bool(_FILE_NAME.fullmatch(name))


def is_picture(name: str) -> bool:
    """Whether a part may have a file of that name as its image."""
    return _is_file_name(name) and name.rpartition(".")[2].lower() not in {"pdf", "txt", "heic"}


def complaint_about_item(details: ItemDetails, stays: Sequence[Trait]) -> str:
    """Return the field of a peer's line that `split_item` would never produce; '' if there is none."""
    pairs = (
        ("notes", len(details.notes) <= LONGEST_NOTES),
        ("link", not details.link or _is_link(details.link)),
        ("tags", _are_words(details.tags, MOST_TAGS, LONGEST_TAG)),
        ("status", len(details.status) <= LONGEST_WORD),
        ("price", details.price is None or is_price(details.price, details.currency)),
        ("currency", bool(details.currency) == (details.price is not None)),
        ("supplier_part", len(details.supplier_part) <= LONGEST_WORD),
        ("tests", len(details.tests) <= MOST_TESTS and all(test == _short(test) for test in details.tests)),
        ("inside", _are_words(details.inside, MOST_INSIDE, LONGEST_WORD)),
        ("files", details.files == _files(details.files, LARGEST_FILE)),
        ("stays", tuple(stays) == _in_order(set(stays))),
    )
    return next((field for field, good in pairs if not good), "")


def complaint_about_part(details: PartDetails, stays: Sequence[Trait]) -> str:
    """Return the field of a peer's part that `split_part` would never produce; '' if there is none."""
    names = [each.name for each in details.parameters]
    values = [each.value for each in details.parameters]
    pairs = (
        ("notes", len(details.notes) <= LONGEST_NOTES),
        ("link", not details.link or _is_link(details.link)),
        ("tags", _are_words(details.tags, MOST_TAGS, LONGEST_TAG)),
        ("parameters", len(names) <= MOST_PARAMETERS and all(len(word) <= LONGEST_WORD for word in (*names, *values))),
        ("picture", not details.picture or is_picture(details.picture)),
        ("stays", tuple(stays) == _in_order(set(stays))),
    )
    return next((field for field, good in pairs if not good), "")


def words_for_notes(details: ItemDetails, *, without_status: bool = False) -> tuple[str, ...]:
    """Return the details that have no safe field at the receiver, as lines for a stock item's notes.

    `without_status`: the receiver has that status too. In English, like everything that we write into InvenTree. The
    field `link` there holds our own mark.
    """
    lines = [line for line in details.notes.splitlines() if line.strip()]
    lines += [f"Status there: {details.status}"] if details.status and not without_status else []
    lines += [f"Link: {details.link}"] if details.link else []
    lines += [f"Supplier part: {details.supplier_part}"] if details.supplier_part else []
    lines += [f"Price there: {details.price.normalize():f} {details.currency}"] if details.price is not None else []
    lines += [f"Test there: {_test_in_words(test)}" for test in details.tests]
    lines += [f"Inside: {', '.join(details.inside)}"] if details.inside else []
    return tuple(lines)


def words_of_part(details: PartDetails, without: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the details as lines for a new part's notes, `without` parameters of these names, which have a field."""
    lines = [line for line in details.notes.splitlines() if line.strip()]
    lines += [f"Link: {details.link}"] if details.link else []
    return (*lines, *(f"{each.name}: {each.value}" for each in details.parameters if each.name not in without))


def _test_in_words(test: TestResult) -> str:
    value = f" ({test.value})" if test.value else ""
    return f"{test.name} {'passed' if test.passed else 'failed'}{value}"


def _short(test: TestResult) -> TestResult:
    return replace(test, name=test.name[:LONGEST_WORD], value=test.value[:LONGEST_WORD])


def _files(files: Sequence[FileTold], largest: int) -> tuple[FileTold, ...]:
    fitting = [each for each in files if _is_file_name(each.name) and 0 <= each.size <= largest] if largest else []
    return tuple(fitting[:MOST_FILES])


def _words(words: Sequence[str], most: int, longest: int) -> tuple[str, ...]:
    return tuple([word for word in words if len(word) <= longest][:most])


def _are_words(words: Sequence[str], most: int, longest: int) -> bool:
    return tuple(words) == _words(words, most, longest)


def _in_order(traits: set[Trait]) -> tuple[Trait, ...]:
    return tuple(trait for trait in Trait if trait in traits)


# --- Units of parts, as InvenTree has them: a name such as `m`, `kg` or `10 m`; none for parts counted in pieces.

_PIECES = frozenset(
    {"", "1", "piece", "pieces", "pc", "pcs", "pce", "each", "ea", "unit", "units", "stück", "stueck", "stk", "st"}
)


def counts_pieces(units: str) -> bool:
    """Whether a part is counted in pieces, so that there is no half of it.

    To InvenTree's library `pcs` are parsecs; to people they are pieces.
    """
    return units.strip(" .").casefold() in _PIECES


def is_fraction(quantity: Decimal) -> bool:
    """Whether it isn't a whole number."""
    return quantity != quantity.to_integral_value()


_SIZES = {
    "length": {
        "km": "1000",
        "m": "1",
        "dm": "0.1",
        "cm": "0.01",
        "mm": "0.001",
        "inch": "0.0254",
        "ft": "0.3048",
        "yd": "0.9144",
    },
    "mass": {"t": "1000", "kg": "1", "g": "0.001", "mg": "0.000001", "oz": "0.028349523125", "lb": "0.45359237"},
    "volume": {"l": "1", "dl": "0.1", "cl": "0.01", "ml": "0.001"},
}
_MEASURES = {name: (of, Fraction(size)) for of, sizes in _SIZES.items() for name, size in sizes.items()}
_ALSO_CALLED = {
    **dict.fromkeys(("metre", "metres", "meter", "meters"), "m"),
    **dict.fromkeys(("centimetre", "centimetres", "centimeter", "centimeters", "zentimeter"), "cm"),
    **dict.fromkeys(("millimetre", "millimetres", "millimeter", "millimeters"), "mm"),
    **dict.fromkeys(("gram", "grams", "gramme", "grammes", "gramm", "gr"), "g"),
    **dict.fromkeys(("kilogram", "kilograms", "kilogramm", "kilo", "kilos"), "kg"),
    **dict.fromkeys(("litre", "litres", "liter", "liters"), "l"),
    **dict.fromkeys(("inches", "zoll"), "inch"),
    **dict.fromkeys(("foot", "feet"), "ft"),
    **dict.fromkeys(("yard", "yards"), "yd"),
    **dict.fromkeys(("ounce", "ounces"), "oz"),
    **dict.fromkeys(("pound", "pounds", "lbs"), "lb"),
}
MEASURES = frozenset({*_MEASURES, *_ALSO_CALLED})
"""The units in which people give quantities, in lower case: `2m`, `50 cm`, `3 feet`."""
_MEASURE = re.compile(r"([0-9]+(?:\.[0-9]+)?)? ?([a-zA-Z]+)")


def unit_called(name: str) -> str:
    """Return the unit of that name, such as `m` for metres; '' if it is none.

    The only single letter that may be a capital is L.
    """
    small = name.casefold() if len(name) > 1 or name == "L" else name
    return _ALSO_CALLED.get(small, small) if small in MEASURES else ""


@dataclass(frozen=True)
class UnitFactor:
    """The number of a part's `units` in one `unit`: a fraction such as '1/50', from InvenTree's library."""

    unit: str
    units: str
    number: str


def in_units(quantity: Decimal, unit: str, units: str, factors: Sequence[UnitFactor] = ()) -> Decimal | None:
    """Convert a quantity of `unit` into a part's `units`, exactly; None if they can't be compared.

    `factors` are conversions from InvenTree, for units that we don't know.
    """
    factor = next((Fraction(each.number) for each in factors if (each.unit, each.units) == (unit, units)), None)
    if factor is None:
        theirs, ours = _size_of(unit), _size_of(units)
        if theirs is None or ours is None or theirs[0] != ours[0]:
            return None
        factor = theirs[1] / ours[1]
    amount = Fraction(quantity) * factor
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return exact if Fraction(exact) == amount else None


def is_common(unit: str, units: str) -> bool:
    """Whether we can convert between these units without asking an InvenTree."""
    return counts_pieces(units) or (_size_of(unit) is not None and _size_of(units) is not None)


def _size_of(units: str) -> tuple[str, Fraction] | None:
    """Return the measure and the number of its base units: `10 m` is ten metres of length."""
    found = _MEASURE.fullmatch(units.strip())
    measure = _MEASURES.get(unit_called(found[2])) if found is not None else None
    return (measure[0], measure[1] * Fraction(found[1] or 1)) if found is not None and measure is not None else None


# --- The content of InvenTree's barcodes and QR codes: `INV-SI42` or `{"stockitem": 42}`; parts and locations alike.
#
# Neither says whose InvenTree it comes from.

STOCK_ITEM, PART, LOCATION = "stockitem", "part", "stocklocation"
_SHORT = {"SI": STOCK_ITEM, "PA": PART, "SL": LOCATION}
_CODE = re.compile(
    r'INV-(?P<short>SI|PA|SL)(?P<key>\d{1,9})|\{\s*"?(?P<json>stockitem|part|stocklocation)"?\s*:\s*"?(?P<pk>\d{1,9})"?\s*\}',
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Scanned:
    """The record of InvenTree that a scanned code names, by model and key."""

    model: str
    key: int


def scanned_in(text: str) -> Scanned | None:
    """Return the record that a scanned code names; None if it is no such code."""
    match = _CODE.fullmatch(text.strip())
    if match is None:
        return None
    if match["short"]:
        return Scanned(_SHORT[match["short"].upper()], int(match["key"]))
    return Scanned(match["json"].lower(), int(match["pk"]))


def stock_item_in(text: str) -> int | None:
    """Return the key of the stock item that a scanned code names; None if it is no such code."""
    scanned = scanned_in(text)
    return scanned.key if scanned is not None and scanned.model == STOCK_ITEM else None


# Logical stock status codes. Only those in `TRAVELLING_STATUSES` may be handed over.
STATUS_OK = 10
STATUS_ATTENTION = 50
STATUS_DAMAGED = 55
STATUS_LOST = 70
STATUS_RETURNED = 85
TRAVELLING_STATUSES = frozenset({STATUS_OK, STATUS_ATTENTION, STATUS_DAMAGED, STATUS_RETURNED})


class Permission(StrEnum):
    """The permission that a verb or a card requires, weakest first.

    `ANYONE`: the person is configured. `MAPPED`: and their InvenTree user is active.
    """

    ANYONE = "anyone"
    MAPPED = "mapped"
    APPROVER = "approver"
    SUPERUSER = "superuser"


@dataclass(frozen=True)
class Permissions:
    """InvenTree's current information about one of its users. Unknown users have no permissions.

    `key` is the user's id there. `unpinned`: it is an approver or a superuser in InvenTree, but our configuration,
    which has to name it too, doesn't.
    """

    username: str
    known: bool = False
    active: bool = False
    superuser: bool = False
    approver: bool = False
    key: int = field(default=0, compare=False)
    unpinned: bool = False

    def covers(self, permission: Permission) -> bool:
        """Whether these permissions include `permission` (a superuser is an approver too)."""
        if permission is Permission.ANYONE:
            return True
        if not (self.known and self.active):
            return False
        return (
            permission is Permission.MAPPED or self.superuser or (permission is Permission.APPROVER and self.approver)
        )


@dataclass(frozen=True)
class Part:
    """A part of an InvenTree's catalogue.

    Set only if they were read: `categories`, the keys of its category and of those above; `category_path`, as InvenTree
    writes it; `template`, the part of which it is a variant; `seen`, the further details for a new part that is made
    from it.
    """

    pk: int
    name: str
    ipn: str = ""
    description: str = ""
    keywords: str = ""
    units: str = ""
    revision: str = ""
    category: str = ""
    active: bool = True
    salable: bool = True
    virtual: bool = False
    trackable: bool = False
    categories: tuple[int, ...] = ()
    category_path: str = ""
    template: int | None = None
    seen: PartSeen | None = None

    @property
    def full_name(self) -> str:
        """The name as InvenTree shows it: 'IPN | name | revision'."""
        return " | ".join(word for word in (self.ipn, self.name, self.revision) if word)


@dataclass(frozen=True)
class Provenance:
    """The origin of a stock item, in its metadata under the key `fedbot`.

    `origin` is the party that owned it first; `transfer` brought it here. `item` is the item's own key, which tells the
    original from a copy made by a split.
    """

    origin: str
    transfer: str
    item: int


_MARK = re.compile(r"fed(?::|%3A)(?P<transfer>[0-9a-z-]+)(?::|%3A)(?P<line>\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class StockItem:
    """One stock item. `available` is its quantity without what is allocated to orders and builds.

    `price` is the purchase price of one, in `currency`. `seen` are its further details, if they were read.
    """

    pk: int
    part: Part
    quantity: Decimal
    allocated: Decimal = Decimal(0)
    status: int = STATUS_OK
    status_text: str = "OK"
    in_stock: bool = True
    serial: str = ""
    batch: str = ""
    packaging: str = ""
    expiry: date | None = None
    link: str = ""
    location: int | None = None
    place: str = ""
    customer: int | None = None
    provenance: Provenance | None = None
    metadata: str = ""
    price: Decimal | None = None
    currency: str = ""
    seen: ItemSeen = NOTHING_SEEN

    @property
    def is_ok(self) -> bool:
        """Whether its condition is simply OK, so that no card needs to mention it."""
        return self.status == STATUS_OK and self.status_text in {"", "OK"}

    @property
    def mark(self) -> tuple[str, int] | None:
        """The id and line of the transfer that created it, or the item it was split from, by its link; None if none.

        The link exists as soon as the item does, before its metadata and before we know its key.
        """
        found = _MARK.search(self.link)
        return (found["transfer"], int(found["line"])) if found else None

    @property
    def available(self) -> Decimal:
        """The quantity that isn't allocated inside its own InvenTree."""
        return max(self.quantity - self.allocated, Decimal(0))


def is_sound(item: StockItem) -> bool:
    """Whether it is in stock here and may be handed over."""
    part = item.part
    here = item.in_stock and item.customer is None and item.status in TRAVELLING_STATUSES and item.available > 0
    return here and part.salable and part.active and not part.virtual


MOST_DIGITS = 10  # InvenTree: 15 digits, 5 of them decimals
MOST_PLACES = 5
_MOST_WRITTEN = 1_000


def places(quantity: Decimal) -> int:
    """The exact number of decimals: `Decimal.normalize` makes 0 of a number like 1E-9999999."""
    _, digits, exponent = quantity.as_tuple()
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return 0 if zeros == len(digits) or not isinstance(exponent, int) else max(-exponent - zeros, 0)


def fits(quantity: Decimal) -> bool:
    """Whether InvenTree can note that much as it is."""
    return is_written_out(quantity) and quantity < 10**MOST_DIGITS and places(quantity) <= MOST_PLACES


def is_written_out(quantity: Decimal) -> bool:
    """Whether it is a number that can be written out: a peer can write `1E999999999`, which would take gigabytes."""
    exponent = quantity.as_tuple().exponent
    return isinstance(exponent, int) and abs(exponent) <= _MOST_WRITTEN and abs(quantity.adjusted()) <= _MOST_WRITTEN


def plain(quantity: Decimal) -> str:
    """Return a quantity as InvenTree and the wire write it: no exponent, no trailing zeros ('12.5', '10').

    Raises ValueError for one that would fill the memory.
    """
    if not is_written_out(quantity):
        raise ValueError("the quantity has too many digits to be written out")
    text = format(quantity, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True)
class PartDescription:
    """The sender's description of a part: enough to find it, or to create it, at the receiver.

    `details` are those that a new part also gets, `stays` those that it doesn't.
    """

    name: str
    ipn: str = ""
    description: str = ""
    keywords: str = ""
    units: str = ""
    revision: str = ""
    trackable: bool = False
    details: PartDetails = NO_PART_DETAILS
    stays: tuple[Trait, ...] = ()


@dataclass(frozen=True)
class Anchor:
    """An entry of the stock history: its key, its stock item and its time.

    They identify it if keys are assigned again.
    """

    pk: int
    item: int | None
    date: str
