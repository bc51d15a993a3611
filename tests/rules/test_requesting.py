"""What an owner may make of a request's lines: the same, each from one stock item or from several."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fedbot.rules.transfer.request import adds_up


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
    ],
)
def test_a_line_may_come_in_several_pieces_but_neither_more_nor_less_of_it(
    asked: list[str], offered: list[str], *, fits: bool
) -> None:
    assert adds_up([Decimal(each) for each in asked], [Decimal(each) for each in offered]) is fits
