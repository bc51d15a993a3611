"""An endpoint: a path, a handler for each method, its permission; and the call that a handler gets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP
from urllib.parse import parse_qsl

from fedbot_demo.inventree.access import ACTIONS, has_role, may
from fedbot_demo.inventree.cleaning import MULTI_LINE, cleaned
from fedbot_demo.inventree.exchange import (
    ForbiddenError,
    InvalidError,
    JsonObject,
    NotAuthenticatedError,
    Reply,
    Request,
)
from fedbot_demo.inventree.listing import Query
from fedbot_demo.inventree.records import Token, User
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.versions import Version


@dataclass(frozen=True, slots=True)
class Call:
    """One request at one endpoint: the server's state, the caller, and the values of path and query."""

    state: State
    request: Request
    query: Query
    signed_in: User | None
    token: Token | None
    pk: int = 0
    word: str = ""

    @property
    def user(self) -> User:
        """The caller.

        Raises:
            NotAuthenticatedError: The request has no credentials.
        """
        if self.signed_in is None:
            raise NotAuthenticatedError
        return self.signed_in

    def data(self) -> JsonObject:
        """The body's fields, not cleaned.

        Raises:
            InvalidError: The body is neither a JSON object nor a form.
        """
        kind = self.request.header("Content-Type").lower()
        if kind.startswith("multipart/form-data"):
            return _multipart(self.request)
        if kind.startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(self.request.body.decode(), keep_blank_values=True))
        if not self.request.body:
            return {}
        try:
            content = json.loads(self.request.body)
        except ValueError as error:
            raise InvalidError({"detail": f"JSON parse error - {error}"}) from error
        if not isinstance(content, dict):
            kind = type(content).__name__
            raise InvalidError({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})
        return content

    def fields(self) -> JsonObject:
        """The body's fields, cleaned; `notes` is one line, as in all stock actions."""
        return cleaned(self.data(), self.state.version)

    def row_fields(self) -> JsonObject:
        """The body's fields, cleaned, for a model whose `notes` may have several lines."""
        return cleaned(self.data(), self.state.version, multi_line=MULTI_LINE)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file in form data."""

    name: str
    content: bytes = field(repr=False)


def valid_name(name: str) -> str:
    """A file's name after Django's cleaning."""
    return re.sub(r"[^-\w.]", "", name.rpartition("/")[2].strip().replace(" ", "_"))


def _multipart(request: Request) -> JsonObject:
    head = f"Content-Type: {request.header('Content-Type')}\r\n\r\n".encode()
    message = message_from_bytes(head + request.body, policy=HTTP)
    result: JsonObject = {}
    for part in message.iter_parts():
        name, file = part.get_param("name", header="content-disposition"), part.get_filename()
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            raise InvalidError({"detail": "Multipart form parse error"})
        result[str(name)] = Uploaded(file, content) if file else content.decode().rstrip("\r\n")
    return result


Handler = Callable[[Call], Reply]
#: Raises NotAuthenticatedError or ForbiddenError if the call may not be made.
Guard = Callable[[Call], None]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path under /api/ with `#` for a row number and `*` for a word, and its handlers by method."""

    path: str
    methods: Mapping[str, Handler]
    guard: Guard
    #: The Vary header.
    vary: str = "Authorization, origin, Accept-Language, Cookie"
    #: Methods that a real server has here and this one doesn't; the Allow header names them.
    also: str = ""
    #: The property of `versions.Version` that says whether it names those; empty: always.
    also_when: str = ""
    #: Outside the API proper: answers without an Allow header.
    plain: bool = False
    #: The property of `versions.Version` that says whether the endpoint exists; empty: always.
    when: str = ""

    def allowed(self, version: Version) -> str:
        """The Allow header."""
        if self.plain:
            return ""
        also = self.also.split() if not self.also_when or getattr(version, self.also_when) else []
        every = ("GET", "POST", "PUT", "PATCH", "DELETE")
        named = [method for method in every if method in self.methods or method in also]
        more = ["HEAD", "OPTIONS"] if "GET" in self.methods else ["OPTIONS"]
        return ", ".join(named + more)


def anyone(call: Call) -> None:
    """No credentials needed, but wrong ones are refused."""
    del call


def signed_in(call: Call) -> None:
    """Any account, even one without a role."""
    _ = call.user


def superuser(call: Call) -> None:
    """Superusers only."""
    if not call.user.is_superuser:
        raise ForbiddenError


def staff_or_read(call: Call) -> None:
    """Any account may read; staff may write."""
    if call.request.method not in {"GET", "HEAD"} and not call.user.is_staff:
        raise ForbiddenError
    signed_in(call)


def staff_with_admin_role_or_read(call: Call) -> None:
    """Any account may read; a superuser, or staff with the role admin, may write."""
    user = call.user
    if call.request.method in {"GET", "HEAD"} or user.is_superuser:
        return
    action = ACTIONS.get(call.request.method, "view")
    if not user.is_staff or not has_role(call.state, user, "admin", action):
        raise ForbiddenError


def on_model(model: str) -> Guard:
    """The permission on `model` for the method: GET view, POST add, PUT and PATCH change, DELETE delete."""

    def guard(call: Call) -> None:
        action = ACTIONS.get(call.request.method, "view")
        if not may(call.state, call.user, model, action):
            raise ForbiddenError

    return guard


def writing_on_model(model: str) -> Guard:
    """As `on_model`, but GET needs no permission (stock actions then answer 405)."""
    checked = on_model(model)

    def guard(call: Call) -> None:
        signed_in(call)
        if call.request.method not in {"GET", "HEAD"}:
            checked(call)

    return guard
