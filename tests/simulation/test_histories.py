"""A small fixed budget of histories; `make simulate` runs as many as wanted."""

from __future__ import annotations

import pytest

from tests.simulation.history import lived


@pytest.mark.parametrize("seed", range(1, 31))
def test_no_promise_is_broken_in_a_history_where_everything_goes_wrong(seed: int) -> None:
    outcome = lived(seed, lies=seed % 3 == 0)
    assert outcome.events > 0
    assert not outcome.violations
