"""Serving the pages and the API on a TCP port, beside the bot."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import h11
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from fedbot.web.server import CannotListen
from fedbot.web.site.guard import network_of, plain_address

log = logging.getLogger(__name__)

SECONDS_TO_FINISH = 3
SECONDS_TO_ASK = 20.0
"""The seconds that a caller may take to send one request, from its first byte to its last."""
MOST_CONNECTIONS = 200
MOST_OF_ONE_CALLER = 50
"""The number of these that one network address may have, unless it is a proxy's."""


class _Bounded(H11Protocol):
    """One connection. It is closed if its caller has too many, or its request comes too slowly."""

    proxies: frozenset[str] = frozenset()
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # like uvicorn's
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > MOST_CONNECTIONS or self._has_too_many():
            transport.abort()

    def _has_too_many(self) -> bool:
        """Whether its caller has too many connections."""
        host = plain_address(self.client[0] if self.client else "")
        if host in self.proxies:
            return False
        callers = [each.client[0] for each in self.connections if isinstance(each, _Bounded) and each.client]
        return [network_of(each) for each in callers].count(network_of(host)) > MOST_OF_ONE_CALLER

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_asked()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Close the connection if the request isn't complete in time."""
        if self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}:
            self._is_asked()
        elif self._late is None:
            self._late = self.loop.call_later(SECONDS_TO_ASK, self.transport.abort)

    def _is_asked(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class _Server(uvicorn.Server):
    """A server that leaves signals to the bot. `is_up` is set once it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Unquoted:
    """Logs what a call raises without its text, which may quote a password, a token or a whole form.

    Uvicorn would log the text, and that of each exception before it, such as of a form that didn't fit.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def sends(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, sends)
        except Exception as fault:  # noqa: BLE001 -- the last place before uvicorn
            log.error("a call failed unexpectedly", extra={"exception": _unquoted(fault)})  # noqa: TRY400 -- no text
            if not has_begun:
                headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
                await send({"type": "http.response.start", "status": 500, "headers": headers})
                await send({"type": "http.response.body", "body": b"Internal Server Error"})


def _unquoted(fault: BaseException) -> str:
    """The kinds of the error and of those before it, and where they were raised."""
    chain: list[BaseException] = []
    each: BaseException | None = fault
    while each is not None and each not in chain:
        chain.append(each)
        each = each.__cause__ or each.__context__
    told = ("".join(traceback.format_tb(each.__traceback__)) + type(each).__name__ for each in reversed(chain))
    return "\n".join(told)


class Served:
    """Serves while it is entered (async context manager). Raises `CannotListen` if the address is taken.

    `proxies`: the network addresses of proxies, which may have more connections.
    """

    def __init__(self, app: FastAPI, listen: str, proxies: tuple[str, ...] = ()) -> None:
        self._listen = listen
        options: dict[str, Any] = {
            "log_config": None,
            "access_log": False,
            "lifespan": "off",
            "proxy_headers": False,
            "server_header": False,
            "timeout_graceful_shutdown": SECONDS_TO_FINISH,
            "ws": "none",
            "http": type("Bounded", (_Bounded,), {"proxies": frozenset(map(plain_address, proxies))}),
        }
        self._server = _Server(uvicorn.Config(_Unquoted(app), **options))
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        address = urlsplit(f"//{self._listen}")
        try:
            bound = _bound(address.hostname or "", address.port or 0)
        except OSError as problem:
            raise CannotListen("pages.listen", self._listen, problem) from None
        self._task = asyncio.create_task(self._server.serve(sockets=[bound]))
        is_up = asyncio.ensure_future(self._server.is_up.wait())
        await asyncio.wait({self._task, is_up}, return_when=asyncio.FIRST_COMPLETED)
        is_up.cancel()
        if self._task.done():
            await self._task
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await self._task

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.servers[0].sockets[0].getsockname()[1])


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made
