"""Units that only one server knows are told by their definition, and pint's are read once."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pint
import pytest

from fedbot.inventree import units
from fedbot.inventree.units import as_told, factor, is_ambiguous, is_known, own_units
from fedbot.rules.model.queries import RelateUnits, UnitsRelated
from fedbot.rules.model.stock import UnitFactor
from tests.inventree.space import Space


def unit(name: str, definition: str, symbol: str = "") -> dict[str, Any]:
    return {"name": name, "symbol": symbol, "definition": definition}


ROLL = unit("roll", "50 * metre", "rol")


@pytest.mark.parametrize(
    ("own", "name", "told"),
    [
        (ROLL, "roll", "50 m"),
        (ROLL, "rol", "50 m"),
        (ROLL, "rolls", "50 m"),
        (ROLL, "2 roll", "100 m"),
        (ROLL, "kilorol", "50000 m"),
        (ROLL, "m", "m"),
        (ROLL, "rod", "rod"),
        (ROLL, "", ""),
        (ROLL, "Stück", "Stück"),
        (ROLL, "kg/m", "kg/m"),
        (ROLL, "roll/kg", '"roll/kg"'),
        (unit("foot", "30 * cm", "ft"), "ft", "0.3 m"),
        (unit("tape", "12 * micrometre"), "tape", "0.012 mm"),
        (unit("sheet", "2 * metre ** 2"), "sheet", "2 m²"),
        (unit("keg", "30 * litre"), "keg", "30 l"),
        (unit("sack", "25 * kg"), "sack", "25 kg"),
        (unit("gross", "144"), "gross", "144 piece"),
        (unit("shift", "8 * hour"), "shift", "28800 second"),
        (unit("box", "[box]"), "box", "box"),
        (unit("rod", "[rod]"), "rod", '"rod"'),
        (unit("third", "metre / 3"), "third", '"third"'),
        (unit("box", "10 * sheet"), "box", '"box"'),
        (unit("circle", "2 * circle"), "circle", '"circle"'),
        (unit("odd", "__import__('os')"), "odd", '"odd"'),
        (unit("A4 sheet", "0.06 * metre ** 2"), "A4 sheet", '"A4 sheet"'),
    ],
)
def test_an_admins_unit_is_told_by_its_definition(own: dict[str, Any], name: str, told: str) -> None:
    assert as_told(name, own_units([own])) == told
    assert as_told(name, own_units([])) == name, "of another server"


def test_only_what_means_the_same_here_is_known() -> None:
    own = own_units([ROLL, unit("foot", "30 * cm", "ft"), unit("box", "[box]")])
    known = ["", "pcs", "m", "50 m", "hectometre", "box", "V*A"]
    unknown = ["roll", "ft", "spool", "9**9**9", '"third"', "V*roll"]
    assert [name for name in [*known, *unknown] if is_known(name, own)] == known


def test_a_unit_is_ambiguous_if_our_admins_define_it_otherwise() -> None:
    own = own_units([ROLL, unit("foot", "30 * cm", "ft"), unit("box", "[box]"), unit("yard", "0.9144 * metre")])
    clear = ["", "pcs", "m", "50 m", "inch", "box", "V*A", "yard", "spool", '"third"']
    unclear = ["roll", "2 roll", "ft", "feet", " ft ", "kilofoot", "kg/roll"]
    assert [name for name in [*clear, *unclear] if is_ambiguous(name, own)] == unclear


@pytest.mark.parametrize(
    ("theirs", "ours", "number"),
    [
        ("50 m", "m", 50),
        ("50 m", "100 m", Fraction(1, 2)),
        ("hectometre", "m", 100),
        ("box", "box", 1),
        ("box", "m", None),
        ('"third"', '"third"', None),
        ("m", "yd", Fraction(10_000, 9_144)),
        ("degC", "kelvin", None),
        ("9**9**9", "m", None),
        ("dozen", "pcs", 12),
    ],
)
def test_units_are_converted_exactly_or_not_at_all(theirs: str, ours: str, number: Fraction | None) -> None:
    assert factor(theirs, ours) == number


def test_pints_definitions_are_read_once_for_the_same_units(monkeypatch: pytest.MonkeyPatch) -> None:
    units._registry.cache_clear()
    units._size.cache_clear()
    made: list[object] = []
    registry = pint.UnitRegistry

    def makes(*, non_int_type: type, on_redefinition: str) -> object:
        made.append(registry(non_int_type=non_int_type, on_redefinition=on_redefinition))
        return made[-1]

    monkeypatch.setattr(pint, "UnitRegistry", makes)
    own = own_units([ROLL])
    for theirs in ("roll", "rol", "unheard", "unheard_of", "roll"):
        as_told(theirs, own)
    assert len(made) == 2, "with our definitions and without"
    units._registry.cache_clear()
    units._size.cache_clear()


async def test_typed_units_count_by_our_definition_and_a_cards_by_the_common_one(beta: Space) -> None:
    pairs = (("ft", "cm"), ("m", "cm"), ("ft", "30 cm"), ("ft", "pcs"), ("cm", "roll"), ("kg", "hectometre"))
    typed = RelateUnits(pairs)
    assert await beta.inventory.answer(typed) == UnitsRelated(())
    for each in (ROLL, unit("foot", "30 * cm", "ft")):
        beta.admin.post("units/", each)
    told = UnitsRelated((UnitFactor("ft", "cm", "30"), UnitFactor("ft", "30 cm", "1")))
    assert await beta.inventory.answer(typed) == told
