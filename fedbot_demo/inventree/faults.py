"""What can go wrong between a client and an InvenTree, on purpose, one request at a time.

A fault fits requests by method and path and works a number of times. Whoever carries requests to the server
(`transport`, `server`) asks `answer` what happens to each and then makes it happen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock
from typing import Protocol

from fedbot_demo.inventree.core import SimulatedInvenTree
from fedbot_demo.inventree.costs import Costs
from fedbot_demo.inventree.exchange import Reply, Request, Response, ServerError
from fedbot_demo.inventree.latency import Latency

_LOCKED = 500


class FaultKind(StrEnum):
    """What happens. 'Before' and 'after' say whether the server has done what it was asked."""

    DELAY = "delay"
    ERROR_BEFORE = "error-before"
    ERROR_AFTER = "error-after"
    TIMEOUT_BEFORE = "timeout-before"
    TIMEOUT_AFTER = "timeout-after"
    RESET_BEFORE = "reset-before"
    RESET_AFTER = "reset-after"
    REFUSED = "refused"
    #: The client's time is over at once, and the server does it later: when `Faults.release` is called.
    LATE = "late"


class Broken(StrEnum):
    """How a connection ends without an answer."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the next `times` requests (None: to all) whose method and path match.

    `method` and `path` are patterns that must fit wholly and anywhere, respectively. `seconds` is how long a DELAY
    waits. `status` is that of an ERROR: 500 comes with the body of 'database is locked', others as from a proxy, whose
    429 says after how many seconds to come again (`retry_after`).
    """

    kind: FaultKind
    method: str = ".*"
    path: str = ""
    times: int | None = 1
    status: int = _LOCKED
    seconds: float = 0.0
    retry_after: int = 0

    def fits(self, request: Request) -> bool:
        """Whether this request is one of those."""
        return bool(re.fullmatch(self.method, request.method) and re.search(self.path, request.path))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the client gets: after `delay` seconds a response, or a connection that ends."""

    delay: float
    response: Response | None = None
    broken: Broken | None = None


class Condition(Protocol):
    """Something that lasts: says of each request what happens to it (`conditions`)."""

    def strikes(self, request: Request) -> Fault | None:
        """The fault that hits this request; None: it goes through."""


@dataclass(slots=True)
class _Waiting:
    """A fault and how often it will still happen; None: for ever."""

    fault: Fault
    left: int | None


@dataclass(slots=True)
class Faults:
    """The faults that wait for their requests, oldest first, then the conditions. Any thread may use it."""

    conditions: list[Condition] = field(default_factory=list)
    _waiting: list[_Waiting] = field(default_factory=list)
    _late: list[Request] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock, repr=False)
    hits: int = 0

    def add(self, fault: Fault) -> None:
        """From now on, let this happen."""
        with self._lock:
            self._waiting.append(_Waiting(fault, fault.times))

    def clear(self) -> None:
        """Let nothing more happen."""
        with self._lock:
            self._waiting.clear()
            self.conditions.clear()

    def take(self, request: Request) -> Fault | None:
        """What happens to this request; counts."""
        with self._lock:
            found = next((each for each in self._waiting if each.fault.fits(request)), None)
            if found is None:
                return self._struck(request)
            self.hits += 1
            if found.left is not None:
                found.left -= 1
            self._waiting = [each for each in self._waiting if each.left != 0]
            return found.fault

    def _struck(self, request: Request) -> Fault | None:
        fault = next((struck for each in self.conditions if (struck := each.strikes(request))), None)
        self.hits += fault is not None
        return fault

    def postpone(self, request: Request) -> None:
        """Keep a request whose client has given up."""
        with self._lock:
            self._late.append(request)

    def release(self, server: SimulatedInvenTree) -> list[Response]:
        """Let the server do now what was kept; the answers, which no client gets."""
        with self._lock:
            late, self._late = self._late, []
        return [server.handle(request) for request in late]


def answer(
    server: SimulatedInvenTree,
    request: Request,
    faults: Faults,
    latency: Latency | None = None,
    costs: Costs | None = None,
) -> Outcome:
    """What becomes of one request. Where its cost is counted, a caller that has not the patience gets no answer."""
    delay = latency.seconds(request) if latency is not None else 0.0
    fault = faults.take(request)
    if fault is None:
        response = server.handle(request)
        if costs is None:
            return Outcome(delay, response)
        waits, answered = costs.take(server.state, request, response)
        return Outcome(waits, response) if answered else Outcome(waits, broken=Broken.TIMEOUT)
    if fault.kind is FaultKind.DELAY:
        return Outcome(delay + fault.seconds, server.handle(request))
    if fault.kind is FaultKind.LATE:
        faults.postpone(request)
        return Outcome(0.0, broken=Broken.TIMEOUT)
    if fault.kind in {FaultKind.ERROR_AFTER, FaultKind.TIMEOUT_AFTER, FaultKind.RESET_AFTER}:
        server.handle(request)
    if fault.kind in {FaultKind.ERROR_BEFORE, FaultKind.ERROR_AFTER}:
        return Outcome(delay, _error(request, fault))
    resets = dict.fromkeys((FaultKind.RESET_BEFORE, FaultKind.RESET_AFTER), Broken.RESET)
    broken = {FaultKind.REFUSED: Broken.REFUSED, **resets}
    return Outcome(0.0, broken=broken.get(fault.kind, Broken.TIMEOUT))


def _error(request: Request, fault: Fault) -> Response:
    status = fault.status
    if status == _LOCKED:
        error = ServerError("OperationalError", request.path, module="django.db.utils.")
        return Response.of(Reply(error.content, status))
    text = f"<html><head><title>{status}</title></head><body><h1>{status} from the proxy</h1></body></html>"
    later = (("Retry-After", str(fault.retry_after)),) if fault.retry_after else ()
    return Response(status, (("Content-Type", "text/html"), *later), text.encode())
