"""How many of our unit one of a peer's is. InvenTree's units are pint's, with some of its own and the server's.

A module of its own, imported where units differ: pint brings numpy, and half a second.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
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
    """How many of `ours` one of `theirs` is, exactly; None if that can't be told.

    What a peer calls its unit is never evaluated: it is a number, one name and a power, or it isn't understood.
    """
    try:
        return _converted(_registry(), theirs, ours)
    except pint.UndefinedUnitError:
        own = _own_registry(server)
    try:
        return _converted(own, theirs, ours)
    except pint.UndefinedUnitError:
        return None


def _new_registry() -> pint.UnitRegistry[Any]:
    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(non_int_type=Fraction)
    for definition in _OF_INVENTREE:
        registry.define(definition)
    return registry


@cache
def _registry() -> pint.UnitRegistry[Any]:
    """The units that every InvenTree has; reading pint's definitions takes half a second."""
    return _new_registry()


def _own_registry(server: Server) -> pint.UnitRegistry[Any]:
    """Those and what the admins of our server have defined, as far as it is plain."""
    registry = _new_registry()
    _add_own(registry, server)
    return registry


def _add_own(registry: pint.UnitRegistry[Any], server: Server) -> None:
    try:
        rows = server.api.rows("units/")
    except Refusal:  # it doesn't tell them: then they are unknown units
        return
    for row in rows:
        name, symbol, definition = (str(row.get(field) or "") for field in ("name", "symbol", "definition"))
        if _OWN_NAME.fullmatch(name) and _OWN_DEFINITION.fullmatch(definition):
            names = f"{name} = {definition}" + (f" = {symbol}" if _OWN_NAME.fullmatch(symbol) else "")
            registry.define(names)


def _converted(registry: pint.UnitRegistry[Any], theirs: str, ours: str) -> Fraction | None:
    one, other = _quantity(registry, theirs), _quantity(registry, ours)
    if one is None or other is None:
        return None
    try:
        return Fraction((one / other).to("dimensionless").magnitude)
    except (pint.DimensionalityError, pint.OffsetUnitCalculusError):
        return None


def _quantity(registry: pint.UnitRegistry[Any], unit: str) -> Any:  # noqa: ANN401 - pint's quantity of a Fraction
    """One of that unit: `10 m` is ten metres. None for what isn't a number, a name and a power."""
    if counts_pieces(unit):
        return registry.Quantity(Fraction(1), "dimensionless")
    found = _UNIT.fullmatch(unit.strip())
    if found is None:
        return None
    number, name, digit, sign = found.groups()
    power = int(digit) if digit else _POWERS.get(sign or "", 1)
    return registry.Quantity(Fraction(number or 1), registry.Unit(name) ** power)
