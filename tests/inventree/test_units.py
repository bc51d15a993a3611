"""Units that only our server knows: read each time, as an admin may add one, but worked out once."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pint

from fedbot.inventree import units

if TYPE_CHECKING:
    import pytest

    from fedbot.inventree.server import Server


def defining(*rows: dict[str, Any]) -> Server:
    return cast("Server", SimpleNamespace(api=SimpleNamespace(rows=lambda _: list(rows))))


ROLL = {"name": "roll", "symbol": "rol", "definition": "50 * metre"}


def test_a_unit_of_our_admins_is_known_by_name_and_symbol_and_what_is_not_plain_is_left_out() -> None:
    odd = {"name": "odd", "symbol": "", "definition": "__import__('os')"}
    server = defining(ROLL, odd)
    assert units.factor(server, "roll", "m") == 50
    assert units.factor(server, "cm", "rol") == Fraction(1, 5000)
    assert units.factor(server, "odd", "m") is None
    assert units.factor(defining(), "roll", "m") is None


def test_pints_definitions_are_read_once_for_the_same_units(monkeypatch: pytest.MonkeyPatch) -> None:
    units._registry.cache_clear()
    made: list[object] = []
    registry = pint.UnitRegistry

    def makes(*, non_int_type: type) -> object:
        made.append(registry(non_int_type=non_int_type))
        return made[-1]

    monkeypatch.setattr(pint, "UnitRegistry", makes)
    for theirs in ("roll", "rol", "unheard", "unheard_of", "roll"):
        units.factor(defining(ROLL), theirs, "m")
    assert len(made) == 2, "what every InvenTree has, and with what our admins have defined"
    units._registry.cache_clear()
