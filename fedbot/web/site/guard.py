"""What holds for every call: which address it came from, what headers the answer has, and who may send a form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

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
MOST_BODY = 64 * 1024


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
            return peer
        named = [each.strip() for each in request.headers.get("x-forwarded-for", "").split(",") if each.strip()]
        others = [each for each in named if each not in self.proxies]
        return others[-1] if others else peer


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


async def guarded(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """The answer with our headers; a body that is too large isn't read."""
    length = request.headers.get("content-length", "0")
    if "transfer-encoding" in request.headers or not length.isdecimal() or int(length) > MOST_BODY:
        problem = Problem(413, say(messages.web.too_large, most=MOST_BODY))
        response: Response = of_problem(problem, request.app.state.site.own_locale())
    else:
        response = await go_on(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def of_problem(problem: Problem, locale: Locale) -> JSONResponse:
    """The problem as the API tells it."""
    headers = {"Retry-After": str(problem.wait)} if problem.wait else None
    return JSONResponse(problem.document(locale).model_dump(), problem.status, headers, media_type=MEDIA_TYPE)
