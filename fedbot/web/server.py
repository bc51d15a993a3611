"""The status of a bot for a monitor, and the small HTTP server for monitors and for orders of the command line.

The status is JSON for scripts, and Prometheus' text format for its collector.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NotRequired, Self, TypedDict
from urllib.parse import urlsplit

from aiohttp import web

# --- the status ---


_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PREFIX = "fedbot_"


class Status(TypedDict):
    """The bot's health and figures at this moment.

    `matrix`: the homeserver answered the sync loop lately. `inventree`: the last call was answered. `problems`: texts
    for an admin. `gauges` and `counters` are figures by name (`outbox_waiting`, `transfers_done`), without prefix; a
    counter only grows.
    """

    version: str
    matrix: bool
    inventree: bool
    problems: NotRequired[list[str]]
    gauges: NotRequired[dict[str, float]]
    counters: NotRequired[dict[str, int]]


def is_healthy(status: Status) -> bool:
    """Whether Matrix and InvenTree answer."""
    return status["matrix"] and status["inventree"]


def metrics(status: Status) -> str:
    """All metrics in Prometheus' text format, version 0.0.4. Raises `ValueError` for an invalid name."""
    up = {
        "healthy": is_healthy(status),
        "matrix_up": status["matrix"],
        "inventree_up": status["inventree"],
    }
    gauges = {name: float(value) for name, value in up.items()} | status.get("gauges", {})
    lines = [*metric_lines("gauge", gauges), *metric_lines("counter", status.get("counters", {}))]
    lines += labelled_lines("gauge", "info", "version", {status["version"]: 1})
    return "\n".join(lines) + "\n"


def metric_lines(kind: str, figures: Mapping[str, float]) -> list[str]:
    """Lines of Prometheus' text format, two per figure. Raises `ValueError` for an invalid name."""
    lines = []
    for name, value in sorted(figures.items()):
        full = _full_name(kind, name)
        lines += [f"# TYPE {full} {kind}", f"{full} {_written(value)}"]
    return lines


def labelled_lines(kind: str, name: str, label: str, figures: Mapping[str, float]) -> list[str]:
    """The lines of one metric with a figure for each value of a label."""
    full = _full_name(kind, name)
    return [f"# TYPE {full} {kind}"] + [
        f'{full}{{{label}="{_escaped(value)}"}} {_written(figure)}' for value, figure in sorted(figures.items())
    ]


def _full_name(kind: str, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} can't name a metric: use lowercase letters, digits and _")
    return f"{_PREFIX}{name}" + ("_total" if kind == "counter" else "")


def _written(value: float) -> str:
    return f"{value:g}" if value % 1 else f"{value:.0f}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


# --- the server ---


_ONLY_US = 0o600


Order = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""The order and its outcome, both as JSON."""


class CannotListen(OSError):
    """The bot can't listen on an address in the settings. The text says which, why, and what to do."""

    def __init__(self, setting: str, listen: str, problem: OSError) -> None:
        why = os.strerror(problem.errno) if problem.errno else str(problem)
        super().__init__(
            f"Nothing can listen on {listen}: {why}. Stop what has it, or change {setting} in the settings."
        )


class Listening:
    """An application that listens on a Unix socket, and on an address if given, while the context is entered.

    Raises `CannotListen` if the address is taken.
    """

    def __init__(self, application: web.Application, unix_socket: Path, listen: str) -> None:
        self._socket = unix_socket
        self._listen = listen
        self._runner = web.AppRunner(application, access_log=None)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            # a crash left this socket behind; the state folder's lock ensures that nobody else uses it
            self._socket.unlink(missing_ok=True)
            await web.SockSite(self._runner, _bound(self._socket)).start()
            if self._listen:
                address = urlsplit(f"//{self._listen}")
                try:
                    await web.TCPSite(self._runner, address.hostname, address.port).start()
                except OSError as problem:
                    raise CannotListen("web.listen", self._listen, problem) from None
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._end()

    async def _end(self) -> None:
        await self._runner.cleanup()
        self._socket.unlink(missing_ok=True)


class Web(Listening):
    """Answers GET /healthz (200 or 503, JSON) and GET /metrics while it is entered (async context manager).

    `status` is called for every request and must not block. `unix_socket` is always served, readable by our own user
    only; `listen` ('127.0.0.1:8321') besides, if given. `OSError` if an address is in use. `orders` are accepted by
    POST under their names, on the socket only (`fedbot.engine.orders`).
    """

    def __init__(
        self,
        status: Callable[[], Status],
        unix_socket: Path,
        listen: str = "",
        orders: Mapping[str, Order] | None = None,
    ) -> None:
        self._status = status
        self._orders = orders or {}
        application = web.Application()
        application.router.add_get("/healthz", self._healthz)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_post("/{order}", self._ordered)
        super().__init__(application, unix_socket, listen)

    async def _healthz(self, _: web.Request) -> web.Response:
        status = self._status()
        healthy = is_healthy(status)
        return web.json_response({"healthy": healthy, **status}, status=200 if healthy else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        body = metrics(self._status())
        return web.Response(body=body.encode(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _ordered(self, request: web.Request) -> web.Response:
        order = self._orders.get(request.match_info["order"])
        if order is None or not _is_ours(request):
            raise web.HTTPNotFound
        return web.json_response(await order(await request.json()))


def _is_ours(request: web.Request) -> bool:
    """Whether the request came over the Unix socket, which only the bot's own user can open."""
    asked_from = request.transport.get_extra_info("socket") if request.transport else None
    return asked_from is not None and asked_from.family == socket.AF_UNIX


def _bound(path: Path) -> socket.socket:
    """A socket at `path` that only our own user can open."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(str(path))
        path.chmod(_ONLY_US)
    except OSError:
        made.close()
        raise
    return made
