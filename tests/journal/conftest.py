"""A journal in memory under a clock that stands still until it is moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from fedbot.journal.journal import Journal

START = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)


class StandingClock:
    """Call it for the time; it moves only by `pass_by`."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, **units: float) -> datetime:
        self.time += timedelta(**units)
        return self.time


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def journal(clock: StandingClock) -> Iterator[Journal]:
    with Journal.in_memory(clock) as opened:
        yield opened
