"""A few fixed histories; `make test-long` plays more, and `make simulate` any number."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.history import lived
from tests.simulation.skipped_rules import all_asked


@pytest.fixture(autouse=True)
def who_is_not_asked_would_have_done_nothing() -> Iterator[None]:
    """In every history: a rule that a table passes over has nothing to do."""
    with all_asked() as missed:
        yield
    assert not missed


@pytest.mark.parametrize("seed", [*range(1, 7), *(pytest.param(n, marks=pytest.mark.long) for n in range(7, 41))])
def test_no_promise_is_broken_in_a_history_about_bookings_queues_wants_and_requests_from_anyone(seed: int) -> None:
    outcome = lived(seed, ahead=True)
    assert outcome.events > 0
    assert not outcome.violations


@pytest.mark.parametrize("seed", [*range(1, 5), *(pytest.param(n, marks=pytest.mark.long) for n in range(5, 41))])
def test_no_promise_is_broken_in_a_history_about_neighbours_without_a_bot(seed: int) -> None:
    outcome = lived(seed, lies=seed % 3 == 0, outside=True)
    assert outcome.events > 0
    assert not outcome.violations


LONG = (*range(13, 101), 3100055, 71000271, 72000116)


@pytest.mark.parametrize("seed", [*range(1, 13), *(pytest.param(n, marks=pytest.mark.long) for n in LONG)])
def test_no_promise_is_broken_in_a_history_where_everything_goes_wrong(seed: int) -> None:
    outcome = lived(seed, lies=seed % 3 == 0)
    assert outcome.events > 0
    assert not outcome.violations
