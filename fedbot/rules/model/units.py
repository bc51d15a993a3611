"""Units of parts, as InvenTree has them: a name such as `m`, `kg` or `10 m`; none for what is counted in pieces."""

from __future__ import annotations

from decimal import Decimal

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
