"""What holds for every call: which address it came from, what headers the answer has, and who may send a form."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fedbot import messages
from fedbot.messages.language import Locale
from fedbot.rules.model.effects import say
from fedbot.web.site.problems import MEDIA_TYPE, Problem

COOKIE = "fedbot"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
ASKED_AGAIN = ("/api/v1/", "/calendar/", "/screen/")
"""What is asked for again and again, mostly unchanged."""
_WRITTEN_AT = re.compile(rb'DTSTAMP:[0-9TZ]+|<time id="updated"[^>]*>[^<]*')
MOST_BODY = 64 * 1024
LOOKS_AGAIN = 0.02
"""Seconds between two looks whether the bot has a moment."""
INSIDE_FOR = 0.1
"""Seconds after which a call that isn't answered yet lets the next one in."""
OF_ONE_HOUSEHOLD = 64
"""So many bits of an IPv6 address are one caller's: whoever has one of its addresses has all."""
WIDTHS = {4: (16, 24, 32), 6: (32, 48, OF_ONE_HOUSEHOLD)}
"""How many bits the networks have that one party may hold: a provider or hoster, its customer, a single caller."""


@dataclass(frozen=True)
class Address:
    """Where people find us: `https://fed.example.org/lending`."""

    url: str
    proxies: frozenset[str]

    @property
    def prefix(self) -> str:
        """The path before ours: `/lending`, or ''."""
        return urlsplit(self.url).path.rstrip("/")

    @property
    def origin(self) -> str:
        """Scheme, host and port, as browsers tell them."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}".lower()

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by HTTPS."""
        return self.url.startswith("https://")

    def caller(self, request: Request) -> str:
        """The network address that asks: of a proxy that we trust, the last one that it names."""
        peer = request.client.host if request.client else ""
        if peer not in self.proxies:
            return network_of(peer)
        named = [each.strip() for each in request.headers.get("x-forwarded-for", "").split(",") if each.strip()]
        others = [each for each in named if each not in self.proxies]
        return network_of(others[-1]) if others else peer


def network_of(address: str) -> str:
    """An IPv4 address, or the network of an IPv6 one; '?' for what is neither, as nobody can be told by it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "?"
    return str(found) if found.version == 4 else str(ipaddress.ip_network((int(found), OF_ONE_HOUSEHOLD), strict=False))  # noqa: PLR2004


def networks(caller: str) -> tuple[str, ...]:
    """The networks that a caller (`Address.caller`) is in, the widest first."""
    try:
        own = ipaddress.ip_network(caller)
    except ValueError:
        return (caller,) * len(WIDTHS[4])
    return tuple(str(own.supernet(new_prefix=width)) for width in WIDTHS[own.version])


class Turnstile:
    """Lets in one call after the other, and holds each for up to `patience` seconds while the bot moves something.

    Pages are made on the bot's own event loop: without it, a crowd of readers would slow down what it moves. Whoever is
    inside for long only waits, for InvenTree or for the answer to a line; so the next one comes in meanwhile.
    """

    def __init__(self, is_busy: Callable[[], bool], patience: float) -> None:
        self._is_busy = is_busy
        self._patience = patience
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """Wait for one's turn, and have it until one leaves, or for a moment."""
        if not self._patience:
            yield
            return
        await self._turn.acquire()
        with ExitStack() as turn:
            turn.callback(self._turn.release)
            waited = 0.0
            while self._is_busy() and waited < self._patience:
                await asyncio.sleep(LOOKS_AGAIN)
                waited += LOOKS_AGAIN
            await asyncio.sleep(0)  # whatever became ready meanwhile goes first
            asyncio.get_running_loop().call_later(INSIDE_FOR, turn.close)
            yield


def bare(title: str, summary: str, prefix: str = "") -> FastAPI:
    """An application that answers nothing yet, with its schema under `/api/v1/`; people find it behind `prefix`."""
    return FastAPI(
        title=title,
        summary=summary,
        version=version("fedbot"),
        license_info={"name": "MIT"},
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        redirect_slashes=False,  # it would redirect to whatever host the caller names
        servers=[{"url": prefix or "/"}],
    )


def mistakes_in(fault: RequestValidationError) -> tuple[str, ...]:
    """What can't be understood in a call, a line each: which field, and why."""
    return tuple(f"{'.'.join(str(part) for part in each['loc'][1:])}: {each['msg']}" for each in fault.errors())


def is_our_page(request: Request, address: Address) -> bool:
    """Whether a browser says that a form came from one of our own pages."""
    origin = request.headers.get("origin", "")
    if origin and origin != "null":
        return origin.lower() == address.origin
    return request.headers.get("sec-fetch-site", "") == "same-origin"


class Prefixed:
    """Takes calls with the prefix of our address, and those from which a proxy has taken it away."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell the router what of the path is the prefix."""
        if self._prefix and str(scope.get("path", "")).startswith(f"{self._prefix}/"):
            scope = {**scope, "root_path": self._prefix}
        await self._app(scope, receive, send)


def is_too_large(request: Request) -> bool:
    """Whether its body is, or doesn't say how large it is."""
    length = request.headers.get("content-length", "0")
    return "transfer-encoding" in request.headers or not length.isdecimal() or int(length) > MOST_BODY


class Conditional:
    """Answers 304 to whoever has what it asks for: programs, calendars and wall screens ask again and again.

    Their tag leaves out when an answer was written. They may keep it, to ask by its tag; nobody else may.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold back what can be told apart by its tag, until all of it is there."""
        path = str(scope.get("path", "")).removeprefix(self._prefix)
        if scope.get("method") != "GET" or not path.startswith(ASKED_AGAIN):
            await self._app(scope, receive, send)
            return
        held: list[Message] = []

        async def hold(message: Message) -> None:
            is_start = message["type"] == "http.response.start"
            if is_start and message["status"] == HTTPStatus.OK and "content-length" in Headers(raw=message["headers"]):
                held.append(message)
            elif not held:
                await send(message)
            else:
                held.append(message)
                if not message.get("more_body"):
                    for each in _tagged(Headers(scope=scope).get("if-none-match", ""), *held):
                        await send(each)

        await self._app(scope, receive, hold)


def _tagged(known: str, start: Message, *pieces: Message) -> tuple[Message, ...]:
    """The answer with its tag; without its content if the caller knows that."""
    body = b"".join(piece.get("body", b"") for piece in pieces)
    tag = f'W/"{hashlib.sha256(_WRITTEN_AT.sub(b"", body)).hexdigest()[:32]}"'
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["ETag"] = tag
    headers["Cache-Control"] = "private, no-cache"
    headers["Vary"] = "Authorization, Accept-Language"
    is_known = tag in [each.strip() for each in known.split(",")]
    if is_known:
        del headers["content-length"]
    status = HTTPStatus.NOT_MODIFIED if is_known else HTTPStatus.OK
    content = b"" if is_known else body
    return {**start, "status": status, "headers": headers.raw}, {"type": "http.response.body", "body": content}


async def guarded(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """The answer with our headers; a body that is too large isn't read."""
    if is_too_large(request):
        problem = Problem(say(messages.web.too_large, most=MOST_BODY))
        response: Response = await request.app.state.tell(request, problem)
    else:
        async with request.app.state.turnstile.entered():
            response = await go_on(request)
    if is_static(request):
        response.headers["Cache-Control"] = "max-age=600"
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def is_static(request: Request) -> bool:
    """Whether it asks for a file that is the same for everybody."""
    prefix = str(request.app.state.site.address.prefix)
    return str(request.scope["path"]).removeprefix(prefix).startswith("/static/")


def of_problem(problem: Problem, locale: Locale) -> JSONResponse:
    """The problem as the API tells it."""
    headers = {"Retry-After": str(problem.wait)} if problem.wait else None
    return JSONResponse(problem.document(locale).model_dump(), problem.status, headers, media_type=MEDIA_TYPE)
