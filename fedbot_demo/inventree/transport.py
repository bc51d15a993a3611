"""Reach a simulated InvenTree in the same process through an httpx transport without sockets."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl

import httpx

from fedbot_demo.inventree.core import SimulatedInvenTree
from fedbot_demo.inventree.costs import Costs
from fedbot_demo.inventree.exchange import Request
from fedbot_demo.inventree.faults import Broken, Faults, answer
from fedbot_demo.inventree.latency import Latency

NOTHING_HERE = b"<html><head><title>404</title></head><body><h1>404 from the web server</h1></body></html>"


class SimulatedTransport(httpx.BaseTransport):
    """Hands requests to `server`, whatever their host. `calls` counts them; `log` holds their method and path.

    `folder` is the web server's folder that holds InvenTree ('/inventree'); other paths get a 404. `faults` may be
    added at any time. `sleep` waits for delays, so tests need no real time. `costs` counts the server's seconds and
    moves its own clock instead of waiting.
    """

    def __init__(
        self,
        server: SimulatedInvenTree,
        *,
        faults: Faults | None = None,
        latency: Latency | None = None,
        costs: Costs | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.server = server
        self.folder = ""
        self.faults = faults if faults is not None else Faults()
        self.latency = latency
        self.costs = costs
        self.log: list[str] = []
        self._sleep = sleep

    @property
    def calls(self) -> int:
        """The number of requests so far."""
        return len(self.log)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, or fail as the faults say.

        Raises:
            httpx.ConnectError: Refused; the server did nothing.
            httpx.ReadTimeout: No answer in time; the server may have done it.
            httpx.ReadError: The connection broke; the server did it.
        """
        self.log.append(f"{request.method} {request.url.path}")
        translated = inside(_translated(request), self.folder)
        if translated is None:
            return httpx.Response(404, headers={"Content-Type": "text/html"}, content=NOTHING_HERE, request=request)
        outcome = answer(self.server, translated, self.faults, self.latency, self.costs)
        if outcome.delay > 0 and self.costs is None:
            self._sleep(outcome.delay)
        if outcome.broken is Broken.REFUSED:
            raise httpx.ConnectError("Connection refused", request=request)
        if outcome.broken is Broken.TIMEOUT:
            raise httpx.ReadTimeout("The read operation timed out", request=request)
        if outcome.broken is Broken.RESET or outcome.response is None:
            raise httpx.ReadError("Connection reset by peer", request=request)
        response = outcome.response
        return httpx.Response(response.status, headers=list(response.headers), content=response.body, request=request)


def inside(request: Request, folder: str) -> Request | None:
    """The request as InvenTree gets it from a web server that holds it in a folder; None if it is outside of it."""
    if not request.path.startswith(f"{folder}/"):
        return None
    return replace(request, path=request.path.removeprefix(folder)) if folder else request


def _translated(request: httpx.Request) -> Request:
    query = request.url.query.decode()
    return Request(
        method=request.method,
        path=request.url.path,
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers=tuple(request.headers.items()),
        body=request.read(),
    )
