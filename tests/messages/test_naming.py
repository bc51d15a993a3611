"""How amounts of things are written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fedbot.messages import naming
from fedbot.messages.language import Locale


@pytest.mark.parametrize(
    ("units", "told"),
    [("", "100 × M3 bolt"), ("piece", "100 × M3 bolt"), ("pcs", "100 × M3 bolt"), ("m", "100 m of M3 bolt")],
)
def test_pieces_are_counted_and_the_rest_is_measured(units: str, told: str) -> None:
    assert naming.amount(Locale(), Decimal(100), units, "M3 bolt") == told
