"""Serve a simulated InvenTree over HTTP(S) on loopback, with a control address for faults."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import secrets
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from fedbot_demo.inventree.core import SimulatedInvenTree
from fedbot_demo.inventree.costs import Costs
from fedbot_demo.inventree.exchange import JsonObject, Request
from fedbot_demo.inventree.faults import Broken, Fault, FaultKind, Faults, answer
from fedbot_demo.inventree.latency import Latency
from fedbot_demo.inventree.seeding import make_account
from fedbot_demo.inventree.state import Copy
from fedbot_demo.inventree.transport import NOTHING_HERE, inside
from fedbot_demo.inventree.versions import RECORDED, Version

HOST = "127.0.0.1"
CONTROL_HEADER = "X-Control-Key"
#: The longest hold of a request without an answer; clients give up long before.
_HELD_SECONDS = 600.0
_LARGEST_BODY = 16 * 2**20
#: The number of newest requests kept; more than a few transfers make.
_REMEMBERED = 2000


@dataclass(slots=True)
class Serving:
    """A server and how it is served. `control_key` is the secret of the control address."""

    server: SimulatedInvenTree
    faults: Faults = field(default_factory=Faults)
    latency: Latency | None = None
    costs: Costs | None = None
    control_key: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    #: The web server's folder that holds InvenTree ('/inventree'); it is part of `url`.
    folder: str = ""
    url: str = ""
    copy: Copy = field(default_factory=dict, repr=False)
    #: The requests, oldest first: `at` (arrival in seconds since 1970), `method` and `path` without query.
    requests: deque[JsonObject] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def application(self) -> web.Application:
        """The aiohttp application: the control address; everything else goes to the server."""
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", "/_control/faults/", self._control)
        application.router.add_post("/_control/faults/release/", self._release)
        application.router.add_get("/_control/requests/", self._requests)
        application.router.add_post("/_control/accounts/", self._accounts)
        application.router.add_post("/_control/database/", self._database)
        application.router.add_route("*", "/{path:.*}", self._handle)
        return application

    async def _handle(self, incoming: web.Request) -> web.StreamResponse:
        self.requests.append({"at": time.time(), "method": incoming.method, "path": incoming.path})
        request = Request(
            method=incoming.method,
            path=incoming.path,
            query=tuple(incoming.query.items()),
            headers=tuple(incoming.headers.items()),
            body=await incoming.read(),
        )
        if self.costs is not None:
            self.costs.now = time.monotonic()
        inner = inside(request, self.folder)
        if inner is None:
            return web.Response(status=404, content_type="text/html", body=NOTHING_HERE)
        outcome = answer(self.server, inner, self.faults, self.latency, self.costs)
        if outcome.delay > 0:
            await asyncio.sleep(outcome.delay)
        if outcome.broken is Broken.TIMEOUT:
            await asyncio.sleep(_HELD_SECONDS)
        if outcome.response is None:
            if incoming.transport is not None:
                incoming.transport.abort()
            return web.Response()
        answered = outcome.response
        return web.Response(status=answered.status, body=answered.body or None, headers=answered.headers)

    def _check_key(self, incoming: web.Request) -> None:
        if not hmac.compare_digest(incoming.headers.get(CONTROL_HEADER, ""), self.control_key):
            raise web.HTTPForbidden(text="wrong control key")

    async def _control(self, incoming: web.Request) -> web.Response:
        """POST adds a fault or a list of them, DELETE removes all, GET returns the number of requests hit."""
        self._check_key(incoming)
        if incoming.method == "POST":
            try:
                content = await incoming.json()
                faults = [fault_from(each) for each in (content if isinstance(content, list) else [content])]
            except (TypeError, ValueError) as error:
                raise web.HTTPBadRequest(text=str(error)) from error
            for fault in faults:
                self.faults.add(fault)
        elif incoming.method == "DELETE":
            self.faults.clear()
        return web.json_response({"hits": self.faults.hits})

    async def _release(self, incoming: web.Request) -> web.Response:
        """Let the server handle the postponed requests."""
        self._check_key(incoming)
        done = self.faults.release(self.server)
        return web.json_response({"statuses": [response.status for response in done]})

    async def _accounts(self, incoming: web.Request) -> web.Response:
        """Create an account `name` with `roles`, as in the admin pages, which aren't simulated; return its token."""
        self._check_key(incoming)
        content = await incoming.json()
        with self.server.lock:
            token = make_account(self.server.state, content["name"], content["roles"])
        return web.json_response({"token": token})

    async def _database(self, incoming: web.Request) -> web.Response:
        """Do the admin's work on the database: copy it, restore the copy, or upgrade it to another version."""
        self._check_key(incoming)
        content = await incoming.json()
        with self.server.lock:
            state = self.server.state
            if content.get("do") == "copy":
                self.copy = state.copy()
            elif content.get("do") == "put-back":
                state.put_back(self.copy)
            elif content.get("upgrade") in RECORDED:
                state.upgrade(Version.named(content["upgrade"]))
            else:
                raise web.HTTPBadRequest(text="copy, put-back or upgrade")
        return web.json_response({"api": state.version.api})

    async def _requests(self, incoming: web.Request) -> web.Response:
        """The requests so far, for callers that count or time them."""
        self._check_key(incoming)
        return web.json_response(list(self.requests))


def fault_from(content: JsonObject) -> Fault:
    """A fault from its JSON, whose fields are those of `Fault`.

    Raises:
        ValueError: The kind is unknown.
        TypeError: A field is unknown or missing.
    """
    fields = dict(content)
    kind = FaultKind(str(fields.pop("kind", "")))
    return Fault(kind=kind, **fields)


@asynccontextmanager
async def serve(
    serving: Serving, *, port: int = 0, certificate: Path | None = None, key: Path | None = None
) -> AsyncIterator[Serving]:
    """Serve on 127.0.0.1 while the context lasts; port 0 takes a free one.

    `serving.url` is the address, without a slash at its end. With a certificate (PEM) and its key it is HTTPS.
    """
    context: ssl.SSLContext | None = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    runner = web.AppRunner(serving.application(), access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port, ssl_context=context)
        await site.start()
        bound = runner.addresses[0][1]
        serving.url = f"{'https' if context else 'http'}://{HOST}:{bound}{serving.folder}"
        yield serving
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await runner.cleanup()


def ready_line(serving: Serving, tokens: dict[str, str], passwords: dict[str, str]) -> str:
    """The JSON object that the process prints once it serves. It holds secrets of a made-up server."""
    return json.dumps(
        {
            "url": serving.url,
            "admin_token": tokens.get("admin", ""),
            "fedbot_token": tokens.get("fedbot", ""),
            "control_key": serving.control_key,
            "passwords": passwords,
        }
    )
