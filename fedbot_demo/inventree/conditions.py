"""Lasting trouble, as real servers had it: a locked SQLite, a strict proxy, many clients at once.

A fault (`faults`) hits the requests that a test picks. A condition picks its own requests while it lasts.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fedbot_demo.inventree.exchange import Request
from fedbot_demo.inventree.faults import Condition, Fault, FaultKind, asked_for

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass
class Locked:
    """Other writers on the same SQLite: 60 to 70 % of the writes are refused at once and not done."""

    share: float = 0.65
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def strikes(self, request: Request) -> Fault | None:
        """Fail most writes with error 500, 'database is locked'."""
        if request.method in _READS or self.chance.random() >= self.share:
            return None
        return Fault(FaultKind.ERROR_BEFORE)


@dataclass
class Restarting:
    """A gunicorn worker that restarts after a number of requests and breaks the connection of the current one.

    On a real server nobody knows whether that request was done. Here every second one was.
    """

    every: int = 50
    requests: int = 0
    cut: int = 0

    def strikes(self, request: Request) -> Fault | None:
        """Break every `every`-th request."""
        del request
        self.requests += 1
        if self.requests % self.every:
            return None
        self.cut += 1
        return Fault(FaultKind.RESET_AFTER if self.cut % 2 else FaultKind.RESET_BEFORE)


@dataclass
class Proxy:
    """A web server in front, with its own HTML pages for large bodies, too many calls and missing workers.

    `largest_body` is in bytes (nginx's default: 1 MiB). More than `most_calls` within `seconds` get 429 with a Retry-
    After of `seconds`. Every `no_worker`-th request gets 502 (0: none).
    """

    largest_body: int = 2**20
    most_calls: int = 200
    seconds: float = 10.0
    no_worker: int = 60
    clock: Callable[[], float] = time.monotonic
    requests: int = 0
    _lately: list[float] = field(default_factory=list)

    def strikes(self, request: Request) -> Fault | None:
        """Answer 413, 429 or 502 without InvenTree."""
        now = self.clock()
        self._lately = [when for when in self._lately if now - when < self.seconds]
        self.requests += 1
        if len(request.body) > self.largest_body:
            return Fault(FaultKind.ERROR_BEFORE, status=413)
        if len(self._lately) >= self.most_calls:
            return Fault(FaultKind.ERROR_BEFORE, status=429, retry_after=int(self.seconds))
        self._lately.append(now)
        if self.no_worker and self.requests % self.no_worker == 0:
            return Fault(FaultKind.ERROR_BEFORE, status=502)
        return None


@dataclass
class Crowded:
    """Other clients ask for other fields at the same moment, and InvenTree's threads take them from each other.

    Measured on API 530 with four clients: the fields that a query asks for lack in every sixth answer.
    """

    share: float = 1 / 6
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def strikes(self, request: Request) -> Fault | None:
        """Some of the reads that ask for such a field."""
        if not asked_for(request) or self.chance.random() >= self.share:
            return None
        return Fault(FaultKind.FIELDS_TAKEN)


#: The conditions by their names on the command line.
CONDITIONS: dict[str, Callable[[], Condition]] = {
    "crowded": Crowded,
    "locked": Locked,
    "proxy": Proxy,
    "restarting": Restarting,
}
