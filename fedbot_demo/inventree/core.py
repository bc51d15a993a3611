"""The simulated InvenTree itself: a request in, a response out; no sockets, no threads, no clock of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from threading import Lock
from typing import NoReturn

from fedbot_demo.inventree import (
    attachments,
    barcodes,
    catalogue,
    categories,
    companies,
    item_details,
    locations,
    metadata,
    orders,
    overall_search,
    page,
    server_info,
    sign_in,
    stock,
    stock_actions,
    tokens,
    tracking,
    users,
)
from fedbot_demo.inventree.access import Session, authenticate
from fedbot_demo.inventree.endpoint import Call, Endpoint, anyone
from fedbot_demo.inventree.exchange import (
    JSON_TYPE,
    MethodNotAllowedError,
    NotAuthenticatedError,
    NotFoundError,
    Pairs,
    RefusedError,
    Reply,
    Request,
    Response,
)
from fedbot_demo.inventree.listing import Query
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.versions import Version

_MODULES = (
    server_info,
    users,
    tokens,
    sign_in,
    companies,
    metadata,
    categories,
    catalogue,
    locations,
    stock_actions,
    tracking,
    item_details,
    stock,
    orders,
    attachments,
    barcodes,
    overall_search,
)
_WORD = r"([^/]+)"
FORBIDDEN_PAGE = b"<!DOCTYPE html><html><head><title>InvenTree | Permission denied</title></head><body></body></html>"
_VARY = "Authorization, origin, Accept-Language, Cookie"


@dataclass(frozen=True, slots=True)
class _Routes:
    """The endpoints by path, or by pattern if the path holds a word."""

    exact: dict[str, Endpoint]
    patterns: list[tuple[re.Pattern[str], Endpoint]]

    @classmethod
    def of(cls, version: Version) -> _Routes:
        """The endpoints of this version."""
        every = [endpoint for module in _MODULES for endpoint in module.endpoints()]
        endpoints = [each for each in every if not each.when or getattr(version, each.when)]
        exact = {f"/api/{each.path}": each for each in endpoints if "*" not in each.path}
        patterns = [
            (re.compile(re.escape(f"/api/{each.path}").replace(r"\#", "#").replace(r"\*", _WORD)), each)
            for each in endpoints
            if "*" in each.path
        ]
        return cls(exact, patterns)

    def find(self, path: str) -> tuple[Endpoint, int, str] | None:
        """The endpoint at `path` with the number and word in it; None if there is none."""
        numbers = [segment for segment in path.split("/") if segment.isdecimal()]
        shape = "/".join("#" if segment.isdecimal() else segment for segment in path.split("/"))
        number = int(numbers[-1]) if numbers else 0
        endpoint = self.exact.get(shape)
        if endpoint is not None:
            return endpoint, number, ""
        for pattern, candidate in self.patterns:
            found = pattern.fullmatch(shape)
            if found is not None:
                return candidate, number, found[1]
        return None


_routes = cache(_Routes.of)


@dataclass(slots=True)
class SimulatedInvenTree:
    """One InvenTree server in memory, of the version in its state. Any number of threads may call `handle`.

    Tests may read `state`. They change it only before the server is used, or under `lock`.
    """

    state: State = field(default_factory=State)
    lock: Lock = field(default_factory=Lock, repr=False)

    #: Called after each request, before its response.
    after_each: Callable[[], None] = field(default=lambda: None, repr=False)

    def handle(self, request: Request) -> Response:
        """Answer one request. A request that ends in an error changes nothing."""
        with self.lock:
            answered = self._handle(request)
            self.after_each()
            return answered

    def _handle(self, request: Request) -> Response:
        if request.path.startswith("/media/"):
            return attachments.media(self.state, request)
        if not request.path.startswith("/api"):
            return page.answer(self.state, request)
        if request.path == "/api":
            return Response(302, _headers(Reply(), "", ("Location", "/accounts/login/?next=/api")))
        return self._api(request)

    def _api(self, request: Request) -> Response:
        version = self.state.version
        found = _routes(version).find(version.path(request.path))
        endpoint = found[0] if found else None
        try:
            with self.state.transaction():
                session = self._session(request, endpoint)
                if found is None:
                    _refuse_unknown(self.state, session, request)
                reply = _answer(self.state, session, request, *found)
        except RefusedError as error:
            more: Pairs = ()
            if error.status == HTTPStatus.UNAUTHORIZED:
                more = (("WWW-Authenticate", version.challenge),)
            reply = Reply(version.refusal(error.content), error.status, more)
            if found is None and version.unknown_address_is_a_page:
                return _unknown_address(reply, request)
        return _response(version, reply, endpoint, request)

    def _session(self, request: Request, endpoint: Endpoint | None) -> Session:
        """The caller. A wrong token is refused even where none is needed, except by 0.13."""
        try:
            return authenticate(self.state, request)
        except NotAuthenticatedError:
            needed = endpoint is not None and endpoint.guard is not anyone
            if needed or self.state.version.refuses_bad_token_everywhere:
                raise
            return Session()


def _unknown_address(reply: Reply, request: Request) -> Response:
    """The answer of 0.13 to an unknown address: JSON to a read, a page to a write."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        body = json.dumps(reply.content).encode()
        return Response(reply.status, _headers(reply, ""), b"" if request.method == "HEAD" else body)
    return Response(HTTPStatus.FORBIDDEN, (("Content-Type", "text/html"),), FORBIDDEN_PAGE)


def _refuse_unknown(state: State, session: Session, request: Request) -> NoReturn:
    if session.user is None and state.version.keeps_unknown_addresses_from_strangers:
        raise NotAuthenticatedError
    query = "&".join(f"{name}={value}" for name, value in request.query)
    url = f"{request.base_url}{request.path}" + (f"?{query}" if query else "")
    raise NotFoundError({"detail": "API endpoint not found", "url": url})


def _answer(state: State, session: Session, request: Request, endpoint: Endpoint, number: int, word: str) -> Reply:
    """Let the endpoint answer. The permission is checked before the method."""
    call = Call(
        state=state,
        request=request,
        query=Query(request.query),
        signed_in=session.user,
        token=session.token,
        pk=number,
        word=word,
    )
    endpoint.guard(call)
    if request.method == "OPTIONS":
        return Reply({"name": endpoint.path, "description": ""})
    method = "GET" if request.method == "HEAD" else request.method
    handler = endpoint.methods.get(method)
    if handler is None:
        raise MethodNotAllowedError(request.method)
    return handler(call)


def _headers(reply: Reply, allowed: str, *more: tuple[str, str]) -> Pairs:
    names = {name.lower() for name, _ in (*reply.headers, *more)}
    headers: list[tuple[str, str]] = [*reply.headers, *more]
    if "content-type" not in names and (reply.content is not None or reply.status != HTTPStatus.NO_CONTENT):
        kind = JSON_TYPE if reply.content is not None else "text/html; charset=utf-8"
        headers.append(("Content-Type", kind))
    if allowed:
        headers.append(("Allow", allowed))
    headers.append(("X-Frame-Options", "DENY"))
    return tuple(headers)


def _response(version: Version, reply: Reply, endpoint: Endpoint | None, request: Request) -> Response:
    body = b"" if reply.content is None else json.dumps(reply.content, ensure_ascii=False).encode()
    allowed = endpoint.allowed(version) if endpoint is not None else "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
    vary = endpoint.vary if endpoint is not None else _VARY
    headers = _headers(reply, allowed, ("Vary", vary))
    return Response(reply.status, headers, b"" if request.method == "HEAD" else body)
