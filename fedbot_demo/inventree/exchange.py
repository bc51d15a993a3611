"""HTTP messages of the simulated InvenTree: one request, one response, no sockets.

The errors are one tree. Each leaf is an answer of a real server, with its status and its JSON body, as recorded in
tests/replay/recordings.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

JsonObject: TypeAlias = dict[str, Any]
Pairs: TypeAlias = tuple[tuple[str, str], ...]

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, independent of its transport.

    `path` holds no query. `query` keeps order and repetitions. Header names are case-insensitive. The body stays out of
    the repr because it may hold a password.
    """

    method: str
    path: str
    query: Pairs = ()
    headers: Pairs = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, method: str, url: str, *, headers: dict[str, str] | None = None, json_body: object = None) -> Request:
        """A request for `url` (absolute, or a path with its query), with `json_body` as its JSON body."""
        parts = urlsplit(url)
        body = b"" if json_body is None else json.dumps(json_body).encode()
        sent = dict(headers or {})
        if body:
            sent.setdefault("Content-Type", JSON_TYPE)
        if parts.netloc:
            sent.setdefault("Host", parts.netloc)
        return cls(
            method=method.upper(),
            path=parts.path,
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers=tuple(sent.items()),
            body=body,
        )

    def header(self, name: str) -> str:
        """The value of the first header called `name`, or an empty string."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")

    @property
    def base_url(self) -> str:
        """The server's address as the client sees it. InvenTree builds `next` links from the Host header."""
        scheme = self.header("X-Forwarded-Proto") or "http"
        return f"{scheme}://{self.header('Host') or 'localhost'}"


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response. The body stays out of the repr because it may hold a token."""

    status: int
    headers: Pairs = ()
    body: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, reply: Reply) -> Response:
        """The response for this reply, with its own headers and content type."""
        return cls(reply.status, (*reply.headers, ("Content-Type", JSON_TYPE)), json.dumps(reply.content).encode())

    def json(self) -> Any:  # noqa: ANN401  a reply may be any JSON, as with httpx
        """The body as JSON; None if it is empty."""
        return json.loads(self.body) if self.body else None

    def header(self, name: str) -> str:
        """The value of the first header called `name`, or an empty string."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")


@dataclass(frozen=True, slots=True)
class Reply:
    """An endpoint's answer before it becomes bytes. `content` None means no body."""

    content: object = None
    status: int = 200
    headers: Pairs = ()


class RefusedError(Exception):
    """A request that the server answers with an error. All its changes are rolled back."""

    status = 400

    def __init__(self, content: JsonObject) -> None:
        self.content = content
        super().__init__(f"{self.status} {content}")


class InvalidError(RefusedError):
    """400: the fields are wrong. The content names them, in lists aligned by index (facts: 'Error shapes')."""


class NotAuthenticatedError(RefusedError):
    """401: no credentials, or wrong ones."""

    status = 401

    def __init__(self, detail: str = "Authentication credentials were not provided.") -> None:
        super().__init__({"detail": detail})


class FactorNeededError(RefusedError):
    """401: this server requires a second factor, and the session's account has none."""

    status = 401

    def __init__(self) -> None:
        error = "You must enable two-factor authentication before doing anything else."
        super().__init__({"id": "mfa_register", "error": error})


class ForbiddenError(RefusedError):
    """403: a known account without the permission."""

    status = 403

    def __init__(self, detail: str = "You do not have permission to perform this action.") -> None:
        super().__init__({"detail": detail})


class NotFoundError(RefusedError):
    """404: no such row, or no such endpoint."""

    status = 404

    @classmethod
    def of_row(cls, model: str) -> NotFoundError:
        """No row of this model (its class name in InvenTree) has the requested number."""
        return cls({"detail": f"No {model} matches the given query."})


class MethodNotAllowedError(RefusedError):
    """405: the endpoint exists, but not for this method."""

    status = 405

    def __init__(self, method: str) -> None:
        super().__init__({"detail": f'Method "{method}" not allowed.'})


class ServerError(RefusedError):
    """500 in InvenTree's JSON form. `error` is the name of the real server's Python exception."""

    status = 500

    def __init__(self, error: str, path: str, *, module: str = "") -> None:
        super().__init__(
            {
                "error": error,
                "error_class": f"<class '{module}{error}'>",
                "detail": "Error details can be found in the admin panel",
                "path": path,
                "status_code": 500,
            }
        )
