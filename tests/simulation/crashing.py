"""A process that can crash at any point: between the calls of its journal, its chat and its InvenTree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx

from fedbot.journal.journal import Journal
from fedbot.journal.sqlite import SqliteDatabase
from fedbot.ports.journal import Committed, OutboxRow, QueueName
from fedbot.rules.model.events import Event
from fedbot_demo.inventree.transport import SimulatedTransport


class Crash(BaseException):
    """The process has crashed. Not an Exception, because nothing in the product may catch it."""


@dataclass
class Fuse:
    """Counts down at each point and crashes the process at zero. None: not lit."""

    left: int | None = None
    passed: int = 0

    def light(self, points: int) -> None:
        """Crash the process at the n-th point from now."""
        self.left = points

    def point(self, name: str) -> None:
        """Pass a point between two operations of a process."""
        self.passed += 1
        if self.left is None:
            return
        if self.left > 0:
            self.left -= 1
            return
        self.left = None
        raise Crash(name)


@dataclass
class Watched:
    """Callbacks of the journal: commits with their rows, the row being sent, and the event that it became."""

    committed: Callable[[Event, Committed, Sequence[int]], None]
    sent: Callable[[int, str], None]
    sending: int = 0


class CrashingJournal(Journal):
    """The real journal on a database that outlives the process, with a point before and after each change.

    `changes` counts the writes. While it stays the same, an empty result is still empty.
    """

    def __init__(self, database: SqliteDatabase, now: Callable[[], datetime], fuse: Fuse, watched: Watched) -> None:
        super().__init__(database, None, now)
        self._fuse = fuse
        self._watched = watched
        self._event: Event | None = None
        self._decided_upon = -1
        self._idle: dict[QueueName, tuple[int, datetime]] = {}

    @property
    def changes(self) -> int:
        """The number of rows written so far."""
        return self._database._connection.total_changes

    def receive(self, events: Sequence[Event], token: str | None) -> int:
        self._fuse.point("before the sync is journaled")
        new = super().receive(events, token)
        self._fuse.point("after the sync is journaled")
        return new

    def put(self, event: Event) -> int:
        self._fuse.point("before an event is journaled")
        return super().put(event)

    def next_event(self, after: int = 0) -> tuple[int, Event] | None:
        if self._decided_upon == self.changes:
            return None
        found = super().next_event(after)
        if found is None and not after:
            self._decided_upon = self.changes
        self._event = found[1] if found else None
        return found

    def commit(self, seq: int, decision: Committed) -> tuple[int, ...]:
        self._fuse.point("before a decision is committed")
        rows = super().commit(seq, decision)
        if self._event is not None:
            self._watched.committed(self._event, decision, rows)
        self._fuse.point("after a decision is committed")
        return rows

    def due(self, queue: QueueName, now: datetime) -> tuple[OutboxRow, ...]:
        if self._idle.get(queue) == (self.changes, now):
            return ()
        found = super().due(queue, now)
        if not found:
            self._idle[queue] = (self.changes, now)
        return found

    def begin(self, row: int, at: datetime) -> None:
        self._fuse.point("before an intent is written")
        super().begin(row, at)
        self._watched.sending = row
        self._fuse.point("after an intent is written")

    def finish(self, row: int, outcome: Event | None) -> None:
        self._fuse.point("before an outcome is written")
        super().finish(row, outcome)
        self._fuse.point("after an outcome is written")

    def postpone(
        self,
        row: int,
        not_before: datetime,
        event: Event | None = None,
        *,
        reached: bool = True,
        problem: str = "",
    ) -> None:
        self._fuse.point("before a row is put off")
        super().postpone(row, not_before, event, reached=reached, problem=problem)
        self._fuse.point("after a row is put off")

    def fail(self, row: int, outcome: Event | None, problem: str) -> None:
        self._fuse.point("before a failure is written")
        super().fail(row, outcome, problem)
        self._fuse.point("after a failure is written")


class CrashingTransport(httpx.BaseTransport):
    """The transport to the InvenTree, with a point before and after each request, and people who meddle.

    `meddling`: somebody's change in the same InvenTree just before a later writing request. `late_since`: the time of
    the first request that the server will still do although its client has given up.
    """

    def __init__(self, network: SimulatedTransport, fuse: Fuse, now: Callable[[], datetime]) -> None:
        self._network = network
        self._fuse = fuse
        self._now = now
        self.late_since: datetime | None = None
        self.meddling: list[tuple[int, Callable[[], None]]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            self._fuse.point(f"before {request.method} {request.url.path}")
            self._meddle()
            try:
                response = self._network.handle_request(request)
            finally:
                if self._network.faults._late and self.late_since is None:
                    self.late_since = self._now()
            self._fuse.point(f"after {request.method} {request.url.path}")
            return response
        return self._network.handle_request(request)

    def _meddle(self) -> None:
        due = [meddle for wait, meddle in self.meddling if wait <= 0]
        self.meddling = [(wait - 1, meddle) for wait, meddle in self.meddling if wait > 0]
        for meddle in due:
            meddle()
