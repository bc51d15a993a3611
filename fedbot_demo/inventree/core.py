"""The simulated InvenTree itself: a request in, a response out; no sockets, no threads, no clock of its own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Lock
from typing import NoReturn

from fedbot_demo.inventree import (
    attachments,
    barcodes,
    catalogue,
    categories,
    companies,
    locations,
    metadata,
    orders,
    overall_search,
    page,
    server_info,
    stock,
    stock_actions,
    tokens,
    tracking,
    users,
)
from fedbot_demo.inventree.access import Session, authenticate
from fedbot_demo.inventree.endpoint import Call, Endpoint
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

_MODULES = (
    server_info,
    users,
    tokens,
    companies,
    metadata,
    categories,
    catalogue,
    locations,
    stock_actions,
    tracking,
    stock,
    orders,
    attachments,
    barcodes,
    overall_search,
)
_WORD = r"([^/]+)"
_VARY = "Authorization, origin, Accept-Language, Cookie"


@dataclass(frozen=True, slots=True)
class _Routes:
    """The endpoints by path; those whose path holds a word by pattern."""

    exact: dict[str, Endpoint]
    patterns: list[tuple[re.Pattern[str], Endpoint]]

    @classmethod
    def collected(cls) -> _Routes:
        endpoints = [endpoint for module in _MODULES for endpoint in module.endpoints()]
        exact = {f"/api/{each.path}": each for each in endpoints if "*" not in each.path}
        patterns = [
            (re.compile(re.escape(f"/api/{each.path}").replace(r"\#", "#").replace(r"\*", _WORD)), each)
            for each in endpoints
            if "*" in each.path
        ]
        return cls(exact, patterns)

    def find(self, path: str) -> tuple[Endpoint, int, str] | None:
        """The endpoint at `path` with the number and the word in it; None if there is none."""
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


_ROUTES = _Routes.collected()


@dataclass(slots=True)
class SimulatedInvenTree:
    """One InvenTree server (API 530) in memory. Any number of threads may call `handle`.

    `state` may be looked at by tests; whoever changes it does so before the server is used, or under `lock`.
    """

    state: State = field(default_factory=State)
    lock: Lock = field(default_factory=Lock, repr=False)

    def handle(self, request: Request) -> Response:
        """Answer one request. What ends in an error changes nothing."""
        with self.lock:
            if not request.path.startswith("/api"):
                return page.answer(self.state, request)
            if request.path == "/api":
                return Response(302, _headers(Reply(), "", ("Location", "/accounts/login/?next=/api")))
            return self._api(request)

    def _api(self, request: Request) -> Response:
        found = _ROUTES.find(request.path)
        endpoint = found[0] if found else None
        try:
            with self.state.transaction():
                session = authenticate(self.state, request)
                if found is None:
                    _refuse_unknown(session, request)
                reply = _answer(self.state, session, request, *found)
        except RefusedError as error:
            more: Pairs = (("WWW-Authenticate", "Token"),) if error.status == HTTPStatus.UNAUTHORIZED else ()
            reply = Reply(error.content, error.status, more)
        return _response(reply, endpoint, request)


def _refuse_unknown(session: Session, request: Request) -> NoReturn:
    if session.user is None:
        raise NotAuthenticatedError
    query = "&".join(f"{name}={value}" for name, value in request.query)
    url = f"{request.base_url}{request.path}" + (f"?{query}" if query else "")
    raise NotFoundError({"detail": "API endpoint not found", "url": url})


def _answer(state: State, session: Session, request: Request, endpoint: Endpoint, number: int, word: str) -> Reply:
    """Let the endpoint answer: first who may, then whether there is such a method."""
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


def _response(reply: Reply, endpoint: Endpoint | None, request: Request) -> Response:
    body = b"" if reply.content is None else json.dumps(reply.content, ensure_ascii=False).encode()
    allowed = endpoint.allowed if endpoint is not None else "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
    vary = endpoint.vary if endpoint is not None else _VARY
    headers = _headers(reply, allowed, ("Vary", vary))
    return Response(reply.status, headers, b"" if request.method == "HEAD" else body)
