"""Units that only our server knows: read each time, because an admin may add one, but computed once."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pint

from fedbot.inventree import units
from fedbot.inventree.catalogue import ratio_of, relate_units
from fedbot.rules.model.queries import RelateUnits
from fedbot.rules.model.stock import UnitFactor

if TYPE_CHECKING:
    import pytest

    from fedbot.inventree.server import Server


def defining(*rows: dict[str, Any]) -> Server:
    return cast("Server", SimpleNamespace(api=SimpleNamespace(rows=lambda _: list(rows))))


ROLL = {"name": "roll", "symbol": "rol", "definition": "50 * metre"}


def test_an_admins_unit_is_known_by_name_and_symbol_and_unusual_ones_are_left_out() -> None:
    odd = {"name": "odd", "symbol": "", "definition": "__import__('os')"}
    server = defining(ROLL, odd)
    assert ratio_of(server, "roll", "m") == 50
    assert ratio_of(server, "cm", "rol") == Fraction(1, 5000)
    assert ratio_of(server, "odd", "m") is None
    assert ratio_of(defining(), "roll", "m") is None


def test_pints_definitions_are_read_once_for_the_same_units(monkeypatch: pytest.MonkeyPatch) -> None:
    units._registry.cache_clear()
    made: list[object] = []
    registry = pint.UnitRegistry

    def makes(*, non_int_type: type, on_redefinition: str) -> object:
        made.append(registry(non_int_type=non_int_type, on_redefinition=on_redefinition))
        return made[-1]

    monkeypatch.setattr(pint, "UnitRegistry", makes)
    for theirs in ("roll", "rol", "unheard", "unheard_of", "roll"):
        ratio_of(defining(ROLL), theirs, "m")
    assert len(made) == 1
    units._registry.cache_clear()


def test_an_admins_unit_wins_over_pints_unit_of_that_name() -> None:
    rod = {"name": "profile", "symbol": "rod", "definition": "3 * metre"}
    foot = {"name": "foot", "symbol": "ft", "definition": "30 * cm"}
    server = defining(rod, foot)
    assert ratio_of(server, "rod", "m") == 3
    assert ratio_of(defining(), "rod", "m") not in {3, None}, "an old measure of length"
    pairs = (("ft", "cm"), ("m", "cm"), ("rod", "pcs"), ("cm", "cm"))
    assert relate_units(server, RelateUnits(pairs)).factors == (UnitFactor("ft", "cm", "30"),)
    assert relate_units(defining(), RelateUnits(pairs)).factors == ()


def test_a_definition_that_makes_no_sense_hides_no_other_unit() -> None:
    broken = {"name": "broken", "symbol": "", "definition": "3 * cord *"}
    circle = {"name": "circle", "symbol": "", "definition": "2 * circle"}
    server = defining(broken, circle, ROLL)
    assert [ratio_of(server, unit, "m") for unit in ("broken", "circle", "roll")] == [None, None, 50]
