"""An empty journal under a clock that is moved by hand. Each test runs on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from fedbot.journal.journal import Journal, StoredJournal
from fedbot.journal.lease import claim
from fedbot.journal.postgresql import PostgresqlDatabase
from tests.fakes.postgresql import Server

START = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
Opened = Callable[[], StoredJournal]


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


@pytest.fixture(params=["sqlite", "postgresql"])
def another_journal(request: pytest.FixtureRequest, clock: StandingClock) -> Iterator[Opened]:
    """Creates empty journals."""
    with ExitStack() as stack:

        def made() -> StoredJournal:
            if request.param == "sqlite":
                return stack.enter_context(Journal.in_memory(clock))
            return stack.enter_context(in_postgresql(request.getfixturevalue("postgresql"), clock))

        yield made


def in_postgresql(server: Server, clock: Callable[[], datetime]) -> StoredJournal:
    lease = claim(server.space(), "the test")
    assert lease is not None
    return StoredJournal(PostgresqlDatabase(lease), lease, clock)


@pytest.fixture
def journal(another_journal: Opened) -> StoredJournal:
    return another_journal()
