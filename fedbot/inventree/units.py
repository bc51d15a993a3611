"""Units of parts: what InvenTree's library (Pint) knows, and what the admins of a server define beside it or instead.

A definition of one server means nothing to another, or something else. So what leaves a server is told in units that
every InvenTree knows (`as_told`): `50 m` for a roll of ours. All conversions are made between such units.

Pint imports numpy, which takes half a second, so it is imported only for units that aren't common.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fedbot.inventree.client.rows import Row
from fedbot.rules.model.stock import MOST_PLACES, counts_pieces, in_units, is_common, plain

if TYPE_CHECKING:
    import pint


log = logging.getLogger(__name__)

_OF_INVENTREE = ("piece = 1", "each = 1 = ea", "dozen = 12 = dz", "hundred = 100", "thousand = 1000")
_WORD = re.compile(r"[^\W\d_]{1,24}")
_DEFINITION = re.compile(r"[\w. */]{1,50}")
_UNIT = re.compile(r"(?:(\d{1,6}(?:\.\d{1,5})?) ?)?([^\W\d_]{1,24})(?:(?:\^|\*\*)?([23])|([²³]))?")
_COMPOUND = re.compile(r"[^\W\d_]{1,24}(?: ?[*/] ?[^\W\d_]{1,24})+")  # InvenTree says whether it knows the names
_POWERS = {"²": 2, "³": 3}
_WRITTEN: dict[str, tuple[tuple[str, Fraction], ...]] = {
    "": (("piece", Fraction(1)),),
    "meter": (("m", Fraction(1)), ("mm", Fraction(1, 1000))),
    "meter ** 2": (("m²", Fraction(1)), ("mm²", Fraction(1, 10**6))),
    "meter ** 3": (("l", Fraction(1, 1000)), ("ml", Fraction(1, 10**6))),
    "kilogram": (("kg", Fraction(1)), ("g", Fraction(1, 1000)), ("mg", Fraction(1, 10**6))),
}
"""The units in which sizes are told, by Pint's base unit."""
_MOST_WHOLE = 10**6
_QUOTE = '"'

Size = tuple[Fraction, str]
"""The number of base units, and which base unit."""


@dataclass(frozen=True)
class OwnUnits:
    """The units that a server's admins have defined. In its InvenTree they win over what Pint knows by these names.

    `definitions` are in Pint's syntax, of the units called `names`. `counted` are names that stand for nothing else, as
    in `box = [box]`. `unread` are those that may stand for anything.
    """

    definitions: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()


def own_units(rows: Iterable[Row]) -> OwnUnits:
    """The units in `/api/units/`, which may change at any time."""
    definitions: list[str] = []
    names: set[str] = set()
    counted: set[str] = set()
    unread: set[str] = set()
    for row in rows:
        name, symbol, definition = (str(row.get(field) or "").strip() for field in ("name", "symbol", "definition"))
        called = {each for each in (name, symbol) if each}
        if definition == f"[{name}]":
            known = {each for each in called if _size(each) is not None}
            unread |= known
            counted |= called - known
        elif _WORD.fullmatch(name) and _DEFINITION.fullmatch(definition):
            words = {each for each in called if _WORD.fullmatch(each)}
            definitions.append(" = ".join([name, definition, *(words - {name})]))
            names |= words
            unread |= called - words
        else:
            unread |= called
    return OwnUnits(tuple(definitions), frozenset(names), frozenset(counted), frozenset(unread))


def factor(theirs: str, ours: str) -> Fraction | None:
    """The number of `ours` in one of `theirs`, exactly; None if they can't be converted. Both are as they are told.

    A unit is never evaluated. It must be a number, one name and a power. Any other is only equal to itself.
    """
    if theirs == ours:
        return None if theirs.startswith(_QUOTE) else Fraction(1)
    amount = in_units(Decimal(1), theirs, ours)
    if amount is not None:
        return Fraction(amount)
    one, other = _size(theirs), _size(ours)
    return one[0] / other[0] if one is not None and other is not None and one[1] == other[1] else None


def as_told(unit: str, own: OwnUnits) -> str:
    """The unit as every InvenTree reads it: `50 m` for a roll of our own.

    One of our own that can't be written so is put in quotes. No InvenTree knows that, so it is converted into nothing.
    """
    if counts_pieces(unit) or own == OwnUnits():
        return unit
    size = _size(unit, own.definitions)
    if any(name in unit for name in own.unread) or (size is None and any(name in unit for name in own.names)):
        return _quoted(unit)
    if size is None or size == _size(unit):
        return unit
    return _written(size) or _quoted(unit)


def is_ambiguous(unit: str, own: OwnUnits) -> bool:
    """Whether our admins define the unit of a peer's part otherwise than every InvenTree does.

    An older bot sends the name of a unit that its own admins have defined, so we can't know which of them it means.
    """
    unit = unit.strip()
    return not unit.startswith(_QUOTE) and as_told(unit, own) != unit


def is_known(unit: str, own: OwnUnits) -> bool:
    """Whether our InvenTree takes the unit for a new part, and understands the same by it."""
    if counts_pieces(unit) or (own == OwnUnits() and is_common(unit, unit)):
        return True
    is_read = _size(unit) is not None or unit in own.counted or _COMPOUND.fullmatch(unit) is not None
    return is_read and as_told(unit, own) == unit


def _quoted(unit: str) -> str:
    return f"{_QUOTE}{unit}{_QUOTE}"


def _written(size: Size) -> str:
    """The size as a number and a unit that everybody knows, such as `50 m`; '' if it can't be told exactly."""
    number, base = size
    units = _WRITTEN.get(base, ((base, Fraction(1)),))
    for unit, of_base in units:
        told = number / of_base
        if told < _MOST_WHOLE and (told * 10**MOST_PLACES).denominator == 1:
            text = f"{plain(Decimal(told.numerator) / Decimal(told.denominator))} {unit}"
            if _size(text) == size:
                return text
    return ""


@lru_cache(maxsize=256)
def _size(unit: str, own: tuple[str, ...] = ()) -> Size | None:
    """One of that unit in base units, by Pint and these definitions: `10 m` is ten metres. None if it is unknown."""
    if counts_pieces(unit):
        return Fraction(1), ""
    found = _UNIT.fullmatch(unit.strip())
    if found is None:
        return None
    import pint  # noqa: PLC0415 -- imports numpy

    registry = _registry(own)
    number, name, digit, sign = found.groups()
    power = int(digit) if digit else _POWERS.get(sign or "", 1)
    try:
        one = registry.Quantity(Fraction(number or 1), registry.Unit(name) ** power)
        base = one.to_base_units().units
        size = (one / registry.Quantity(Fraction(1), base)).to("dimensionless").magnitude
        names = sorted(one.to_base_units().unit_items())
        return Fraction(size), " * ".join(name if times == 1 else f"{name} ** {times}" for name, times in names)
    except (pint.PintError, RecursionError):  # unknown, with another zero point, or defined by itself
        return None


@lru_cache(maxsize=4)
def _registry(own: tuple[str, ...]) -> pint.UnitRegistry[Any]:
    """The units of every InvenTree, and these. Cached, because reading pint's definitions takes half a second."""
    import pint  # noqa: PLC0415 -- imports numpy

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(non_int_type=Fraction, on_redefinition="ignore")
    for definition in (*_OF_INVENTREE, *own):
        try:
            registry.define(definition)
        except (pint.PintError, TypeError, ValueError) as error:  # InvenTree leaves such a unit out, too
            log.warning("InvenTree's unit %r can't be read, so it is unknown: %s", definition, error)
    return registry
