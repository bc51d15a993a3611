"""Faults between a client and an InvenTree, made on purpose, one request at a time.

A fault matches requests by method and path, a number of times. Each carrier of requests (`transport`, `server`) asks
`answer` for the outcome and then performs it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from threading import Lock
from typing import Protocol

from fedbot_demo.inventree.core import SimulatedInvenTree
from fedbot_demo.inventree.costs import Costs
from fedbot_demo.inventree.exchange import Reply, Request, Response, ServerError
from fedbot_demo.inventree.latency import Latency

_LOCKED = 500
_OPTIONAL_FIELDS = frozenset(
    {"location_detail", "parameters", "part_detail", "roles", "tags", "template_detail", "tests", "user_detail"}
)


class FaultKind(StrEnum):
    """The kind of a fault. 'Before' and 'after' say whether the server has done the request."""

    DELAY = "delay"
    ERROR_BEFORE = "error-before"
    ERROR_AFTER = "error-after"
    TIMEOUT_BEFORE = "timeout-before"
    TIMEOUT_AFTER = "timeout-after"
    RESET_BEFORE = "reset-before"
    RESET_AFTER = "reset-after"
    REFUSED = "refused"
    #: The client times out at once; the server handles the request later, when `Faults.release` is called.
    LATE = "late"
    #: Another thread takes the fields out of the answer that the query asks for (API 530).
    FIELDS_TAKEN = "fields-taken"


class Broken(StrEnum):
    """The ways in which a connection ends without an answer."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault for the next `times` requests (None: all) whose method and path match.

    `method` is a pattern for the whole method, `path` one for any part of the path. A DELAY waits `seconds`. An ERROR
    has the status `status`: 500 comes with the body of 'database is locked', others look like a proxy's. `retry_after`
    is the Retry-After header of a 429, in seconds.
    """

    kind: FaultKind
    method: str = ".*"
    path: str = ""
    times: int | None = 1
    status: int = _LOCKED
    seconds: float = 0.0
    retry_after: int = 0

    def fits(self, request: Request) -> bool:
        """Whether it matches this request."""
        return bool(re.fullmatch(self.method, request.method) and re.search(self.path, request.path))


@dataclass(frozen=True, slots=True)
class Outcome:
    """The client's view: after `delay` seconds a response, or a broken connection."""

    delay: float
    response: Response | None = None
    broken: Broken | None = None


class Condition(Protocol):
    """A lasting source of faults (`conditions`), asked for each request."""

    def strikes(self, request: Request) -> Fault | None:
        """The fault for this request; None if there is none."""


@dataclass(slots=True)
class _Waiting:
    """A fault and how often it will still happen; None: without limit."""

    fault: Fault
    left: int | None


@dataclass(slots=True)
class Faults:
    """The waiting faults, oldest first, then the conditions. Thread-safe."""

    conditions: list[Condition] = field(default_factory=list)
    _waiting: list[_Waiting] = field(default_factory=list)
    _late: list[Request] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock, repr=False)
    hits: int = 0

    def add(self, fault: Fault) -> None:
        """Add a fault from now on."""
        with self._lock:
            self._waiting.append(_Waiting(fault, fault.times))

    def clear(self) -> None:
        """Remove all faults and conditions."""
        with self._lock:
            self._waiting.clear()
            self.conditions.clear()

    def take(self, request: Request) -> Fault | None:
        """Return the fault for this request and count it."""
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
        """Let the server handle the postponed requests now. Return the responses, which no client gets."""
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
    """The outcome of one request. With `costs`, a caller whose patience ends first gets no answer."""
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
    if fault.kind is FaultKind.FIELDS_TAKEN:
        return Outcome(delay, _without_fields(request, server.handle(request)))
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


def asked_for(request: Request) -> frozenset[str]:
    """The fields that a read asks for, and that the answer has for that reason alone."""
    asked = {name for name, value in request.query if value == "true"} if request.method == "GET" else set()
    return _OPTIONAL_FIELDS & asked


def _without_fields(request: Request, response: Response) -> Response:
    content, taken = json.loads(response.body), asked_for(request)
    listed = content.get("results", [content]) if isinstance(content, dict) else content
    for record in listed:
        for name in taken & set(record):
            del record[name]
    return replace(response, body=json.dumps(content).encode())


def _error(request: Request, fault: Fault) -> Response:
    status = fault.status
    if status == _LOCKED:
        error = ServerError("OperationalError", request.path, module="django.db.utils.")
        return Response.of(Reply(error.content, status))
    text = f"<html><head><title>{status}</title></head><body><h1>{status} from the proxy</h1></body></html>"
    later = (("Retry-After", str(fault.retry_after)),) if fault.retry_after else ()
    return Response(status, (("Content-Type", "text/html"), *later), text.encode())
