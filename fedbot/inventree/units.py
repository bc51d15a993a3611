"""Converts a peer's unit into ours. InvenTree knows pint's units, its own, and those that its admins define.

Import this only if units differ: pint imports numpy, which takes half a second.
"""

from __future__ import annotations

import logging
import re
from fractions import Fraction
from functools import lru_cache
from typing import Any

import pint

from fedbot.rules.model.stock import counts_pieces

log = logging.getLogger(__name__)

_OF_INVENTREE = ("piece = 1", "each = 1 = ea", "dozen = 12 = dz", "hundred = 100", "thousand = 1000")
_UNIT = re.compile(r"(?:(\d{1,6}(?:\.\d{1,5})?) ?)?([^\W\d_]{1,24})(?:(?:\^|\*\*)?([23])|([²³]))?")
_POWERS = {"²": 2, "³": 3}


def factor(own: tuple[str, ...], theirs: str, ours: str) -> Fraction | None:
    """The number of `ours` in one of `theirs`, exactly; None if they can't be converted.

    `own` are the definitions of our server's admins. As in InvenTree, they win over what pint knows by that name. A
    peer's unit is never evaluated. It must be a number, one name and a power; anything else is unknown.
    """
    try:
        return _converted(_registry(own), theirs, ours)
    except (pint.UndefinedUnitError, RecursionError):  # RecursionError: a unit that is defined by itself
        return None


def is_undefined(unit: str) -> bool:
    """Whether this is one name, with a number or a power, that InvenTree knows only if its admins define it."""
    found = _UNIT.fullmatch(unit.strip())
    return found is not None and found[2] not in _registry()


@lru_cache(maxsize=4)
def _registry(own: tuple[str, ...] = ()) -> pint.UnitRegistry[Any]:
    """The units of every InvenTree, and these. Cached, because reading pint's definitions takes half a second."""
    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(non_int_type=Fraction, on_redefinition="ignore")
    for definition in (*_OF_INVENTREE, *own):
        try:
            registry.define(definition)
        except (pint.PintError, TypeError, ValueError) as error:  # InvenTree leaves such a unit out, too
            log.warning("InvenTree's unit %r can't be read, so it is unknown: %s", definition, error)
    return registry


def _converted(registry: pint.UnitRegistry[Any], theirs: str, ours: str) -> Fraction | None:
    one, other = _quantity(registry, theirs), _quantity(registry, ours)
    if one is None or other is None:
        return None
    try:
        return Fraction((one / other).to("dimensionless").magnitude)
    except (pint.DimensionalityError, pint.OffsetUnitCalculusError):
        return None


def _quantity(registry: pint.UnitRegistry[Any], unit: str) -> Any:  # noqa: ANN401 - pint's quantity of a Fraction
    """One of that unit: `10 m` is ten metres. None unless it is a number, a name and a power."""
    if counts_pieces(unit):
        return registry.Quantity(Fraction(1), "dimensionless")
    found = _UNIT.fullmatch(unit.strip())
    if found is None:
        return None
    number, name, digit, sign = found.groups()
    power = int(digit) if digit else _POWERS.get(sign or "", 1)
    return registry.Quantity(Fraction(number or 1), registry.Unit(name) ** power)
