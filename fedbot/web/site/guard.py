"""Rules for every call: network addresses, headers of answers, limits, and the check of forms."""

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
"""Paths that programs poll. Most answers are unchanged."""
_WRITTEN_AT = re.compile(rb'DTSTAMP:[0-9TZ]+|<time id="updated"[^>]*>[^<]*')
MOST_BODY = 64 * 1024
LOOKS_AGAIN = 0.02
"""The seconds between two checks whether the bot is still busy."""
INSIDE_FOR = 0.1
"""The seconds after which a call that is still inside lets the next one in."""
OF_ONE_HOUSEHOLD = 64
"""The prefix length of an IPv6 network that counts as one caller, who can usually choose the rest."""
WIDTHS = {4: (16, 24, 32), 6: (32, 48, OF_ONE_HOUSEHOLD)}
"""By IP version, the prefix lengths of a provider's network, a customer's, and a single caller's."""


@dataclass(frozen=True)
class Address:
    """The public address: `https://fed.example.org/lending`. `proxies`: addresses whose X-Forwarded-For we trust."""

    url: str
    proxies: frozenset[str]

    @property
    def prefix(self) -> str:
        """The path of the public address: `/lending`, or ''."""
        return urlsplit(self.url).path.rstrip("/")

    @property
    def origin(self) -> str:
        """Scheme, host and port, as browsers send them in `Origin`."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}".lower()

    @property
    def is_secure(self) -> bool:
        """Whether browsers use HTTPS."""
        return self.url.startswith("https://")

    def caller(self, request: Request) -> str:
        """The caller's network address. Behind a trusted proxy, the last address that it names."""
        peer = plain_address(request.client.host if request.client else "")
        if peer not in self.proxies:
            return network_of(peer)
        told = ",".join(request.headers.getlist("x-forwarded-for"))  # a proxy may add a header instead of a word
        named = [plain_address(each.strip()) for each in told.split(",") if each.strip()]
        others = [each for each in named if each not in self.proxies]
        return network_of(others[-1]) if others else peer


def plain_address(text: str) -> str:
    """The address; of one that only wraps an IPv4 address (a socket for both) that one. Else the text as it is."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return text
    return str((found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None) or found)


def network_of(address: str) -> str:
    """The IPv4 address, or the network of the IPv6 address; '?' if it is neither."""
    try:
        found = ipaddress.ip_address(plain_address(address))
    except ValueError:
        return "?"
    return str(found) if found.version == 4 else str(ipaddress.ip_network((int(found), OF_ONE_HOUSEHOLD), strict=False))  # noqa: PLR2004


def networks(caller: str) -> tuple[str, ...]:
    """The networks of a caller (`Address.caller`), the widest first (`WIDTHS`)."""
    try:
        own = ipaddress.ip_network(caller)
    except ValueError:
        return (caller,) * len(WIDTHS[4])
    return tuple(str(own.supernet(new_prefix=width)) for width in WIDTHS[own.version])


class Turnstile:
    """Lets one call in at a time, and holds it for up to `patience` seconds while the bot is busy.

    Pages are rendered on the bot's own event loop, so many readers would slow down its work. A call that stays inside
    for long is only waiting for InvenTree or for an answer, so the next one may enter.
    """

    def __init__(self, is_busy: Callable[[], bool], patience: float) -> None:
        self._is_busy = is_busy
        self._patience = patience
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """Wait for the turn, and keep it until the block ends, or for `INSIDE_FOR` seconds."""
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
            await asyncio.sleep(0)  # lets everything go first that became ready during the wait
            asyncio.get_running_loop().call_later(INSIDE_FOR, turn.close)
            yield


def bare(title: str, summary: str, prefix: str = "", description: str = "") -> FastAPI:
    """An application without routes. Its schema is under `/api/v1/`. `prefix`: the path of its public address."""
    return FastAPI(
        title=title,
        summary=summary,
        description=description,
        version=version("fedbot"),
        license_info={"name": "MIT"},
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        redirect_slashes=False,  # it would redirect to any host that the caller names
        servers=[{"url": prefix or "/"}],
        generate_unique_id_function=lambda route: route.name,  # what a generated client calls its methods
    )


def mistakes_in(fault: RequestValidationError) -> tuple[str, ...]:
    """The errors in a call, one line for each field."""
    return tuple(f"{'.'.join(str(part) for part in each['loc'][1:])}: {each['msg']}" for each in fault.errors())


def is_our_page(request: Request, address: Address) -> bool:
    """Whether the browser says that a form came from our own pages."""
    origin = request.headers.get("origin", "")
    if origin and origin != "null":
        return origin.lower() == address.origin
    return request.headers.get("sec-fetch-site", "") == "same-origin"


class Prefixed:
    """Middleware that accepts paths with the public address's prefix, and without it if a proxy removed it."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set `root_path` for a path with the prefix."""
        if self._prefix and str(scope.get("path", "")).startswith(f"{self._prefix}/"):
            scope = {**scope, "root_path": self._prefix}
        await self._app(scope, receive, send)


def is_too_large(request: Request) -> bool:
    """Whether the body is too large, or the request doesn't say its length."""
    length = request.headers.get("content-length", "0")
    return "transfer-encoding" in request.headers or not length.isdecimal() or int(length) > MOST_BODY


class Conditional:
    """Middleware that answers 304 if the caller already has the answer, for programs that poll (`ASKED_AGAIN`).

    The tag ignores the time at which an answer was written. Only the caller may cache the answer, and must ask each
    time.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold the answer back until it is complete, then compare its tag."""
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
    """The answer with its tag; without content if the caller knows the tag."""
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
    """Middleware that adds our headers, refuses too large bodies unread, and passes the turnstile."""
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
    """Whether the request is for a static file."""
    prefix = str(request.app.state.site.address.prefix)
    return str(request.scope["path"]).removeprefix(prefix).startswith("/static/")


def of_problem(problem: Problem, locale: Locale) -> JSONResponse:
    """The problem as an answer of the API."""
    headers = {"Retry-After": str(problem.wait)} if problem.wait else None
    return JSONResponse(problem.document(locale).model_dump(), problem.status, headers, media_type=MEDIA_TYPE)
