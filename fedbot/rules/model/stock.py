"""What stands in an InvenTree, as the rules see it: units, scanned codes, parts, stock items, people, permissions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from fedbot.rules.model.whole_item import NO_PART_DETAILS, NOTHING_SEEN, ItemSeen, PartDetails, PartSeen, Trait

# --- Units of parts, as InvenTree has them: a name such as `m`, `kg` or `10 m`; none for what is counted in pieces.

_PIECES = frozenset(
    {"", "1", "piece", "pieces", "pc", "pcs", "pce", "each", "ea", "unit", "units", "stück", "stueck", "stk", "st"}
)


def counts_pieces(units: str) -> bool:
    """Whether a part is counted, so that there is no half of it.

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
"""The units in which people say how much, in lower case: `2m`, `50 cm`, `3 feet`."""
_MEASURE = re.compile(r"([0-9]+(?:\.[0-9]+)?)? ?([a-zA-Z]+)")


def unit_called(name: str) -> str:
    """The unit of that name, `m` for metres; '' if it is none. Of one letter, only a capital L is a small one, too."""
    small = name.casefold() if len(name) > 1 or name == "L" else name
    return _ALSO_CALLED.get(small, small) if small in MEASURES else ""


@dataclass(frozen=True)
class UnitFactor:
    """How many of a part's `units` one of `unit` is: a fraction, such as '1/50', as an InvenTree's library says."""

    unit: str
    units: str
    number: str


def in_units(quantity: Decimal, unit: str, units: str, told: Sequence[UnitFactor] = ()) -> Decimal | None:
    """How many of a part's `units` so much of `unit` is, exactly; None if these can't be compared.

    `told` is what an InvenTree says of units that aren't common knowledge.
    """
    factor = next((Fraction(each.number) for each in told if (each.unit, each.units) == (unit, units)), None)
    if factor is None:
        theirs, ours = _size_of(unit), _size_of(units)
        if theirs is None or ours is None or theirs[0] != ours[0]:
            return None
        factor = theirs[1] / ours[1]
    amount = Fraction(quantity) * factor
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return exact if Fraction(exact) == amount else None


def is_common(unit: str, units: str) -> bool:
    """Whether anybody can say, without an InvenTree, what one is in the other."""
    return counts_pieces(units) or (_size_of(unit) is not None and _size_of(units) is not None)


def _size_of(units: str) -> tuple[str, Fraction] | None:
    """What it measures, and how many of that measure's own unit it is: `10 m` is ten metres."""
    found = _MEASURE.fullmatch(units.strip())
    measure = _MEASURES.get(unit_called(found[2])) if found is not None else None
    return (measure[0], measure[1] * Fraction(found[1] or 1)) if found is not None and measure is not None else None


# --- What InvenTree's barcodes and QR codes hold: `INV-SI42` or `{"stockitem": 42}`, and so of parts and places.
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
    """What a code stands for: a record of InvenTree's, of `model`, by its key."""

    model: str
    key: int


def scanned_in(text: str) -> Scanned | None:
    """What the scanned code stands for; None if it is no such code."""
    match = _CODE.fullmatch(text.strip())
    if match is None:
        return None
    if match["short"]:
        return Scanned(_SHORT[match["short"].upper()], int(match["key"]))
    return Scanned(match["json"].lower(), int(match["pk"]))


def stock_item_in(text: str) -> int | None:
    """The key of the stock item that a scanned code stands for; None if it is no such code."""
    scanned = scanned_in(text)
    return scanned.key if scanned is not None and scanned.model == STOCK_ITEM else None


# Logical stock status codes: only these four may be handed over.
STATUS_OK = 10
STATUS_ATTENTION = 50
STATUS_DAMAGED = 55
STATUS_LOST = 70
STATUS_RETURNED = 85
TRAVELLING_STATUSES = frozenset({STATUS_OK, STATUS_ATTENTION, STATUS_DAMAGED, STATUS_RETURNED})


class Permission(StrEnum):
    """What a verb or a card asks of a person, weakest first.

    `ANYONE`: to be among the configured people. `MAPPED`: besides, their InvenTree user is active.
    """

    ANYONE = "anyone"
    MAPPED = "mapped"
    APPROVER = "approver"
    SUPERUSER = "superuser"


@dataclass(frozen=True)
class Permissions:
    """What an InvenTree says of one of its users at this moment. Unknown users have no permissions at all.

    `key` is the user's id there. `unpinned`: InvenTree says that it is an approver or a superuser, but our
    configuration has to say so too, and doesn't.
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
    """A part of an InvenTree's catalogue. `categories` are the keys of its own and of those above, where read.

    So are `category_path`, as InvenTree writes it, `template`, the part that it is a variant of, and `seen`: what a new
    part that is made from it would get besides.
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
        """As InvenTree shows it: 'IPN | name | revision'."""
        return " | ".join(word for word in (self.ipn, self.name, self.revision) if word)


@dataclass(frozen=True)
class Provenance:
    """Where a stock item came from: kept in its metadata under the key `fedbot`.

    `origin` is the party that owned it first; `item` the row's own key, so that a mark copied by a split is
    told from the real one; `transfer` the transfer that brought it here.
    """

    origin: str
    transfer: str
    item: int


@dataclass(frozen=True)
class StockItem:
    """One row of stock. `available` = quantity minus what is allocated to orders and builds.

    `price` is what one of it was bought for, in `currency`. `seen` is what else InvenTree has of it, where it was read.
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
        """Whether its condition is simply OK, so that nobody needs to be told of it."""
        return self.status == STATUS_OK and self.status_text in {"", "OK"}

    @property
    def available(self) -> Decimal:
        """How much of it nobody has laid claim to inside its own InvenTree."""
        return max(self.quantity - self.allocated, Decimal(0))


def is_sound(item: StockItem) -> bool:
    """Whether it lies here and InvenTree would let it go."""
    part = item.part
    here = item.in_stock and item.customer is None and item.status in TRAVELLING_STATUSES and item.available > 0
    return here and part.salable and part.active and not part.virtual


def plain(quantity: Decimal) -> str:
    """A quantity as InvenTree and the wire write it: no exponent, no trailing zeros ('12.5', '10')."""
    text = format(quantity, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True)
class PartDescription:
    """How the sender describes a part: enough to find it, or to create it, at the receiver.

    `details` is what a new one gets besides, `stays` what it doesn't.
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
