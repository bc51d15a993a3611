"""Converts a peer's unit into ours. InvenTree knows pint's units, its own, and those that its admins define.

Import this only if units differ: pint imports numpy, which takes half a second.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pint

from fedbot.ports.inventory import Refusal
from fedbot.rules.model.stock import counts_pieces

if TYPE_CHECKING:
    from fedbot.inventree.server import Server

_OF_INVENTREE = ("piece = 1", "each = 1 = ea", "dozen = 12 = dz", "hundred = 100", "thousand = 1000")
_UNIT = re.compile(r"(?:(\d{1,6}(?:\.\d{1,5})?) ?)?([^\W\d_]{1,24})(?:(?:\^|\*\*)?([23])|([²³]))?")
_POWERS = {"²": 2, "³": 3}
_OWN_NAME = re.compile(r"[^\W\d_]{1,24}")
_OWN_DEFINITION = re.compile(r"[\w. */]{1,40}")


def factor(server: Server, theirs: str, ours: str) -> Fraction | None:
    """The number of `ours` in one of `theirs`, exactly; None if they can't be converted.

    A peer's unit is never evaluated. It must be a number, one name and a power; anything else is unknown.
    """
    try:
        return _converted(_registry(), theirs, ours)
    except pint.UndefinedUnitError:
        own = _registry(_own_definitions(server))
    try:
        return _converted(own, theirs, ours)
    except pint.UndefinedUnitError:
        return None


@lru_cache(maxsize=4)
def _registry(own: tuple[str, ...] = ()) -> pint.UnitRegistry[Any]:
    """The units of every InvenTree, and these. Cached, because reading pint's definitions takes half a second."""
    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(non_int_type=Fraction)
    for definition in (*_OF_INVENTREE, *own):
        registry.define(definition)
    return registry


def _own_definitions(server: Server) -> tuple[str, ...]:
    """The simple definitions among the units that our server's admins defined, in pint's syntax."""
    try:
        rows = server.api.rows("units/")
    except Refusal:  # the server doesn't list them, so they are unknown units
        return ()
    found = []
    for row in rows:
        name, symbol, definition = (str(row.get(field) or "") for field in ("name", "symbol", "definition"))
        if _OWN_NAME.fullmatch(name) and _OWN_DEFINITION.fullmatch(definition):
            found.append(f"{name} = {definition}" + (f" = {symbol}" if _OWN_NAME.fullmatch(symbol) else ""))
    return tuple(found)


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
