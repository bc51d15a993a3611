"""An owner's allowed changes to a request's lines: the same items, each from one stock item or from several."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fedbot.rules.model.stock import PartDescription
from fedbot.rules.model.transfer import Line
from fedbot.rules.protocol.terms import pieces


@pytest.mark.parametrize(
    ("asked", "offered", "fits"),
    [
        ([12], [12], True),
        ([12], [8, 4], True),
        ([12, 5], [8, 4, 5], True),
        ([12, 5], [12, 3, 2], True),
        (["1.5"], ["1", "0.5"], True),
        ([12], [8], False),
        ([12], [8, 5], False),
        ([12], [12, 1], False),
        ([12, 5], [12], False),
        ([12, 5], [5, 12], False),
        ([12, 5], [13, 4], False),
        ([12, 5], [17], False),
        (["2 m"], ["200 cm"], True),
        (["2 m", 5], ["150 cm", "50 cm", 5], True),
        (["2 m"], ["2 cm"], False),
        (["2 m"], ["2 kg"], True),
        (["2 m"], ["1 roll", "1 roll"], False),
        (["2 m", "2 m"], ["1 roll", "200 cm"], True),
    ],
)
def test_a_line_may_come_in_several_pieces_with_exactly_its_quantity(
    asked: list[str], offered: list[str], *, fits: bool
) -> None:
    assert bool(pieces([line(each) for each in asked], [line(each) for each in offered])) is fits


def line(said: object) -> Line:
    quantity, _, units = str(said).partition(" ")
    return Line(1, 0, 0, PartDescription("a thing", units=units), Decimal(quantity))
