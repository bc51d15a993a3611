"""Errors at the InvenTree edge: everything that httpx, the official package and the libraries below them report.

| problem | when | what follows |
|---|---|---|
| `Unavailable` | the request can't have reached the server, or a read failed | the same again, later |
| `Refusal` | a definite refusal: a 4xx, or our own check before the step | never again |
| `NotPermitted` | also a refusal: 401 or 403 | people are told which role is missing |
| `OutcomeUnknown` | the request may have been carried out | a probe, before anything else |

`InventoryProblem` is their base, and the edge raises nothing else: `transport` converts the errors of one request,
`OwnInventory` those of reading the answers. The kind decides what happens next, so the question is always: can the
server have done it?

A text never contains tokens, HTML, an unreadable body, or httpx's own message, which may quote a header.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx

from fedbot.ports.inventory import InventoryProblem, NotPermitted, OutcomeUnknown, Refusal, Unavailable
from fedbot.rules.model.diagnosis import (
    GONE,
    NO_CODE,
    AnsweredOnly,
    Cause,
    Fault,
    Forbidden,
    Lacks,
    Named,
    NameFault,
    NoJson,
    NoResponse,
    Plain,
    Redirected,
    ServerError,
    Speaker,
    TokenRefused,
    Verbatim,
)
from fedbot.rules.wire import is_shallow

# The request was never sent: nothing can have happened, whatever the method.
UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
    UnicodeError,
)

LONGEST_WAIT = 3600
"""The most seconds that a server may ask us to leave it alone."""

_CAUSES: tuple[tuple[type[Exception], Cause], ...] = (
    (httpx.ConnectTimeout, Cause.NO_CONNECTION_IN_TIME),
    (httpx.ConnectError, Cause.NO_CONNECTION),
    (httpx.PoolTimeout, Cause.BUSY),
    (httpx.TimeoutException, Cause.NO_ANSWER_IN_TIME),
    (httpx.NetworkError, Cause.BROKE),
    (httpx.RemoteProtocolError, Cause.BROKE),
    (httpx.ProxyError, Cause.PROXY),
)

# InvenTree's own words in a refusal, and our short code for each.
_REASONS: tuple[tuple[str, str], ...] = (
    ("must be in stock", "not-in-stock"),
    ("not in stock", "not-in-stock"),
    ("must be salable", "not-salable"),
    ("allocated", "allocated"),
    ("not a customer", "foreign-company"),
    ("serial number", "serial"),
    ("virtual part", "virtual"),
    ("does not exist", "gone"),
    ("matches the given query", "gone"),
    ("endpoint not found", NO_CODE),
)

_TOKEN = re.compile(r"\binv-[A-Za-z0-9*-]{6,}")
_TAG = re.compile(r"<[^<>]*>")
_LONGEST_TEXT = 300


def of_exception(error: Exception, host: str, *, reading: bool) -> InventoryProblem:
    """The problem behind a request that got no response."""
    cause = next((cause for kind, cause in _CAUSES if isinstance(error, kind)), Cause.FAILED)
    if "CERTIFICATE_VERIFY_FAILED" in str(error):  # only httpx's text says so
        cause = Cause.NOT_TRUSTED
    if reading or isinstance(error, UNSENT):
        return Unavailable(NoResponse(host, cause, may_be_done=False))
    return OutcomeUnknown(NoResponse(host, cause, may_be_done=True))


def of_response(response: httpx.Response, host: str, *, reading: bool) -> InventoryProblem:
    """The problem behind a response that isn't a success (a status of 300 or more)."""
    status = response.status_code
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        said = ServerError(host, status, _error_name(_json(response)), may_be_done=not reading)
        return Unavailable(said) if reading else OutcomeUnknown(said)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Unavailable(Named(NameFault.TOO_MANY_CALLS, host), _asked_to_wait(response))
    if status < HTTPStatus.BAD_REQUEST:
        return Refusal(Redirected(host, status))
    return _definite_no(response, status)


def _asked_to_wait(response: httpx.Response) -> float:
    """The seconds of a Retry-After; 0 if there is none, or it is a date, which few servers send."""
    told = response.headers.get("retry-after", "")
    return float(min(int(told), LONGEST_WAIT)) if told.isdecimal() and told.isascii() else 0.0


def _definite_no(response: httpx.Response, status: int) -> Refusal:
    """The refusal behind a 4xx. If the answer is a web page (a proxy's, or 0.13's own), only its status is reported."""
    said = readable(_json(response))
    if status == HTTPStatus.UNAUTHORIZED:
        return NotPermitted(TokenRefused(said))
    if status == HTTPStatus.FORBIDDEN:
        return NotPermitted(_forbidden(response, said))
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Refusal(Plain(Fault.TOO_LARGE))
    reason = _reason(said, status)
    if said:
        return Refusal(Verbatim(Speaker.INVENTREE, said, reason))
    return Refusal(AnsweredOnly(status, response.reason_phrase, reason))


def unreadable(host: str, *, reading: bool) -> InventoryProblem:
    """The problem behind a success whose body isn't the expected JSON."""
    said = NoJson(host, may_be_done=not reading)
    return Unavailable(said) if reading else OutcomeUnknown(said)


def readable(content: object) -> str:
    """InvenTree's error body as a short text.

    `{"items": [{}, {"pk": ["Not there"]}]}` becomes 'Not there (item 2)', `{"link": ["Bad"]}` 'link: Bad'.
    """
    text = "; ".join(dict.fromkeys(_sentences(content)))
    text = _TOKEN.sub("(a token)", _TAG.sub("", text))
    text = "".join(character for character in text if character.isprintable()).strip()
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def _sentences(content: object, field: str = "") -> Iterator[str]:
    if isinstance(content, dict):
        for name, value in content.items():
            plain = name in ("detail", "non_field_errors", "items", "item", "pk", "error", "__all__")
            yield from _sentences(value, field if plain else str(name))
    elif isinstance(content, list):
        several = len(content) > 1
        for number, value in enumerate(content, start=1):
            for sentence in _sentences(value, field):
                yield f"{sentence} (item {number})" if several and isinstance(value, dict) else sentence
    elif isinstance(content, str) and content:
        yield f"{field}: {content}" if field else content


def _json(response: httpx.Response) -> Any:  # noqa: ANN401  an error body may be any JSON
    if "json" not in response.headers.get("content-type", ""):
        return None
    try:
        content = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return content if is_shallow(content) else None


def is_json(response: httpx.Response) -> bool:
    """Whether InvenTree itself answered, rather than a proxy before it."""
    return _json(response) is not None


def _error_name(content: object) -> str:
    """The name of the server's Python exception ('OperationalError'); '' if it doesn't tell."""
    name = content.get("error") if isinstance(content, dict) else None
    return name if isinstance(name, str) and name.isidentifier() else ""


def _reason(said: str, status: int) -> str:
    found = next((code for words, code in _REASONS if words in said), "")
    return found or (GONE if status == HTTPStatus.NOT_FOUND else NO_CODE)


# The role that a refused call needs; the first matching path counts.
_ROLES = {
    "stock/location/": "stock_location",
    "stock/": "stock",
    "part/category/": "part_category",
    "part/": "part",
    "company/": "return_order",
    "attachment/": "stock",
    "metadata/stockitem/": "stock",
    "metadata/company/": "return_order",
    "metadata/part/": "part",
}
_PERMISSIONS = {"GET": "view", "HEAD": "view", "POST": "add", "PATCH": "change", "PUT": "change"}


def _forbidden(response: httpx.Response, said: str) -> Forbidden:
    """The permission that the user behind the token lacks."""
    request = response.request
    path = request.url.path.partition("/api/")[2]
    if path.startswith("user/"):
        return Forbidden(Lacks.SUPERUSER, said)
    role = next((role for prefix, role in _ROLES.items() if path.startswith(prefix)), "")
    if not role:
        return Forbidden(Lacks.UNKNOWN, said)
    changes = path.startswith(("attachment/", "metadata/"))
    permission = "change" if changes else _PERMISSIONS.get(request.method, "delete")
    return Forbidden(Lacks.ROLE, said, role, permission)
