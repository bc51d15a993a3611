"""The only way to an InvenTree: the official package's API class over one pooled httpx client.

The package's own class opens a connection for every call, sends a body with every GET, logs the token in
`requestToken`, and sends it to any host that `downloadFile` is given. Everything that it does over `requests` is
overridden here. A test makes any use of `requests` fail.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx
from inventree.api import InvenTreeAPI

from fedbot.config.values import trusting
from fedbot.inventree.client import errors
from fedbot.inventree.client.network_limits import PeerTransport, PrivateAddress
from fedbot.ports.inventory import InventoryProblem, Refusal
from fedbot.rules.model.diagnosis import GONE, Fault, Named, NameFault, Plain

Json = Any

logger = logging.getLogger("fedbot.inventree")

FOREIGN = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict, OSError, ValueError)
"""Exceptions of httpx, and of ssl, idna and the codecs below it, for an address or an answer. Converted here."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

# A read is tried again at once when it hit a dying worker or a locked SQLite, but not after a time-out, because the
# caller has waited long enough. Seconds before each further try:
PAUSES = (0.1, 0.4)
_WORTH_ANOTHER_TRY = frozenset({500, 502, 503, 504})

ON_REQUEST = ("location_detail", "parameters", "part_detail", "roles", "tags", "template_detail", "tests")
"""The fields of a record that InvenTree returns only if the query asks for them by name."""
# API 530 keeps one list of fields for all its threads, so a request that doesn't ask for such a field removes it from
# the answer to one that does (measured: every sixth answer, with four clients). Seconds before each further try:
PAUSES_FOR_FIELDS = (0.05, 0.1, 0.2, 0.4)

# gunicorn drops idle connections after 2 s by default. A write on a connection that the server is just closing has an
# unknown outcome, which costs a person's time. A new connection costs milliseconds.
KEEP_ALIVE_SECONDS = 1.5
# Without it, Linux goes on for a quarter of an hour to send what a closed connection still holds. When a network comes
# back, an old request would arrive after the probe that found no trace of it.
UNDELIVERED_FOR_MS = 30_000
LONGEST_ADDRESS = 2_000
_IS_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Bound:
    """The largest answer, in bytes, and the seconds that it may take."""

    size: int
    seconds: float


OF_A_FRIEND = Bound(size=1_000_000, seconds=30)
"""Limits for a friend's server: it is asked for a few short answers, while our own steps wait."""


class InvenTreeTransport(InvenTreeAPI):  # type: ignore[misc]  # the package ships no types
    """An `InvenTreeAPI` that the package's typed classes work on; it raises only problems from `fedbot.ports`.

    `may_write` is called before each write is sent, and again once its connection exists.

    Thread-safe. Only the httpx client has the token, and its repr hides it. `accepted` counts the calls that changed
    something.

    Args:
        host: address of the server, with or without `/api`; a path in it is kept.
        token: an API token, sent as `Authorization: Token …` to this host only.
        timeout: seconds for each of: connect, send, wait for the answer.
        certificate: PEM file with a CA to trust besides the public ones.
        transport: replaces the network (tests, the in-process simulator).
        pause: waits between tries of a read (tests need not wait).
        bound: limit for each answer of a foreign server; None: no limit. With a limit, all calls
          together have its `seconds`, and private addresses are refused, unless `private`.
    """

    def __init__(
        self,
        host: str,
        token: str,
        *,
        timeout: float = 10.0,
        certificate: str = "",
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
        bound: Bound | None = None,
        private: bool = False,
    ) -> None:
        self.may_write: Callable[[], None] = lambda: None
        self.accepted = 0
        if not token.isascii() or not token.isprintable() or " " in token or not token:
            raise Refusal(Plain(Fault.BAD_TOKEN))
        # The credentials are empty on purpose, because the package would else take them from the environment.
        super().__init__(host, username="", password="", token="", timeout=timeout, connect=False)
        self.api_version = 0
        self.connected = True
        self.host = urlsplit(self.base_url).netloc
        self._pause = pause
        self._bound = bound
        self._untold: frozenset[tuple[str, str]] = frozenset()
        """The fields that this server doesn't return although we ask for them, as (address, field)."""
        verify = verification(self.base_url, certificate)
        if transport is None:
            transport = _network(verify) if bound is None else PeerTransport(verify, bound.seconds, private=private)
        self._client = httpx.Client(
            headers={
                "Authorization": f"Token {token}",
                "Accept": "application/json",
                "Accept-Language": "en",  # refusals are recognised by their English words (see `errors`)
                "User-Agent": "fedbot",
                **({} if bound is None else {"Accept-Encoding": "identity"}),
            },
            timeout=timeout,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
            transport=transport,
            trust_env=False,
        )

    def __repr__(self) -> str:
        return f"InvenTreeTransport({self.base_url!r})"

    def use_token(self, token: str) -> None:
        """Use another token from the next call on."""
        self._client.headers["Authorization"] = f"Token {token}"

    def use_login(self, username: str, password: str) -> None:
        """Use that name and password from the next call on."""
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._client.headers["Authorization"] = f"Basic {pair}"

    def uses_token(self, token: str) -> bool:
        """Whether this is the token in use."""
        return self._client.headers["Authorization"] == f"Token {token}"

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    # --- the package's interface ---------------------------------------------------------------------------

    def setHostName(self, host: str) -> None:  # noqa: N802  the package's name
        """Parse the address. Raises `Refusal` if it is no http(s) URL."""
        if not _is_address(host):
            raise Refusal(Plain(Fault.BAD_URL))
        super().setHostName(host)

    def constructApiUrl(self, endpoint_url: str) -> str:  # noqa: N802  the package's name
        """The URL of an endpoint below `/api/`: one slash between its parts and one at its end.

        Another host, or a path that leaves `/api/`, is refused, because every call carries the token.
        """
        path, mark, query = endpoint_url.partition("?")
        steps = [step for step in path.split("/") if step]
        if "://" in path or path.startswith("//") or ".." in steps:
            raise Refusal(Plain(Fault.BAD_PATH))
        ended = "".join(f"{step}/" for step in steps)
        return f"{self.api_url}{ended}{mark}{query}"

    def testServer(self) -> bool:  # noqa: N802  the package's name
        """Read `/api/` and store the API version. Every version is accepted here; `versions` judges it."""
        try:
            details = self.get("")
        except Refusal as problem:
            if problem.reason != GONE:
                raise
            raise Refusal(Named(NameFault.NO_INVENTREE, self.host)) from None
        self.server_details = details if isinstance(details, dict) else {}
        version = str(self.server_details.get("apiVersion", ""))
        if self.server_details.get("server") != "InvenTree" or not _IS_NUMBER.fullmatch(version):
            raise Refusal(Named(NameFault.NO_INVENTREE, self.host))
        self.api_version = int(version)
        return True

    def connect(self) -> None:
        """Read the server's version. Raises the problems of a read."""
        self.testServer()

    def testAuth(self) -> bool:  # noqa: N802  the package's name
        """Whether the token is valid. Raises `NotPermitted` if not."""
        self.get("user/me/")
        return True

    def requestToken(self) -> NoReturn:  # noqa: N802  the package's name
        """Refuse: we have a token, and the package's method would log a new one."""
        raise Refusal(Plain(Fault.NO_PASSWORDS))

    def downloadFile(self, *_: object, **__: object) -> NoReturn:  # noqa: N802  the package's name
        """Refuse: the package's method sends the token to any host that a record names."""
        raise Refusal(Plain(Fault.NO_DOWNLOADS))

    # --- calls ---------------------------------------------------------------------------------------------

    def request(self, url: str, **arguments: Any) -> httpx.Response:  # noqa: ANN401  the package's signature
        """One call, with the package's arguments (`method`, `params`, `search`, `json` or `data`, `timeout`).

        Raises: `Unavailable`, `Refusal`, `NotPermitted`, and for anything but a read `OutcomeUnknown`.
        """
        params = dict(arguments.get("params") or {})
        if arguments.get("search") is not None:
            params["search"] = arguments["search"]
        if arguments.get("files"):
            raise Refusal(Plain(Fault.NO_UPLOADS))
        content = arguments["json"] if "json" in arguments else arguments.get("data")
        return self.send(str(arguments.get("method", "get")).upper(), url, params, content)

    def get(self, url: str, **arguments: Any) -> Json:  # noqa: ANN401  any JSON; the package's signature
        """Read, and return the JSON of the answer."""
        return self._content(self.request(url, **{**arguments, "method": "get"}))

    def post(self, url: str, data: object, **arguments: Any) -> Json:  # noqa: ANN401
        """Create or act, and return the JSON of the answer."""
        return self._content(self.request(url, **{**arguments, "method": "post", "json": data}))

    def patch(self, url: str, data: object, **arguments: Any) -> Json:  # noqa: ANN401
        """Change, and return the JSON of the answer."""
        return self._content(self.request(url, **{**arguments, "method": "patch", "json": data}))

    def put(self, url: str, data: object, **arguments: Any) -> Json:  # noqa: ANN401
        """Replace, and return the JSON of the answer."""
        return self._content(self.request(url, **{**arguments, "method": "put", "json": data}))

    def delete(self, url: str, **arguments: Any) -> httpx.Response:  # noqa: ANN401
        """Remove (revoke, for a token), and return the answer, which has no body."""
        return self.request(url, **{**arguments, "method": "delete"})

    def rows(self, url: str, **params: object) -> list[dict[str, Json]]:
        """Read a list, with or without paging."""
        content = self._with_fields(url, params)
        listed = content.get("results") if isinstance(content, dict) else content
        if not isinstance(listed, list):
            raise errors.unreadable(self.host, reading=True)
        return [row for row in listed if isinstance(row, dict)]

    def row(self, url: str, **params: object) -> dict[str, Json]:
        """Read one record, or a page of a list with its `count`."""
        content = self._with_fields(url, params)
        if not isinstance(content, dict):
            raise errors.unreadable(self.host, reading=True)
        return content

    def _with_fields(self, url: str, params: Mapping[str, object]) -> Json:
        """Read, and read again if a record lacks a field of `ON_REQUEST` that we asked for.

        Only the first time do we wait for a field that never comes, as on older versions or without the role for it.
        """
        address = re.sub(r"\d+", "N", url)
        asked = {(address, name) for name in ON_REQUEST if params.get(name) == "true"}
        for pause in (*PAUSES_FOR_FIELDS, None):
            content = self.get(url, params=params)
            records = _records_in(content) if asked else []
            lacking = {(at, name) for at, name in asked if any(name not in record for record in records)}
            if records:
                self._untold -= asked - lacking
            if lacking <= self._untold or pause is None:
                break
            self._pause(pause)
        self._untold |= lacking
        return content

    def row_if_there(self, url: str, **params: object) -> dict[str, Json] | None:
        """Read one record; None if there is none with that key (any more)."""
        try:
            return self.row(url, **params)
        except Refusal as problem:
            if problem.reason != GONE:
                raise
            return None

    def count(self, url: str, **params: object) -> int:
        """The number of records, by the cheapest call (`limit=1`)."""
        found = self.row(url, **params, limit=1).get("count")
        if not isinstance(found, int):
            raise errors.unreadable(self.host, reading=True)
        return found

    def ask(self, url: str, query: object) -> dict[str, Json]:
        """Read by a POST that changes nothing (`search/`). Retries and errors are those of a read."""
        content = self._content(self.send("POST", url, {}, query, reading=True), reading=True)
        if not isinstance(content, dict):
            raise errors.unreadable(self.host, reading=True)
        return content

    def try_post(self, url: str) -> InventoryProblem | None:
        """Post nothing; return why InvenTree would refuse the call; None if only the content is missing.

        InvenTree checks roles before content, so it answers an empty call with 400 only if the roles suffice.
        """
        try:
            response = self._once("POST", self.constructApiUrl(url), {}, {}, None, reading=True)
        except FOREIGN as error:
            return errors.of_exception(error, self.host, reading=True)
        if response.status_code == HTTPStatus.BAD_REQUEST and errors.is_json(response):
            return None
        return errors.of_response(response, self.host, reading=True)

    def upload(
        self,
        url: str,
        fields: Mapping[str, object],
        file: tuple[str, bytes, str],
        *,
        field: str = "attachment",
        method: str = "POST",
    ) -> Json:
        """Send a file (name, content, media type) as `field` of a form with these fields; return the answer's JSON."""
        form = {name: str(value) for name, value in fields.items()}
        return self._content(self.send(method, url, {}, form, files={field: file}))

    def media(self, address: str, longest: int) -> bytes | None:
        """The file at an address from a record; None if it isn't available to us, or is longer (bytes).

        The web server in front of InvenTree has it, and asks InvenTree whether the token is valid. Only this host is
        asked.
        """
        place = urlsplit(address)
        if place.netloc not in ("", self.host) or not place.path.startswith("/"):
            return None
        url = httpx.URL(self.base_url).copy_with(path=place.path, query=None)
        content = bytearray()
        try:
            with self._client.stream("GET", url, headers={"Accept": "*/*"}) as response:
                if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    response.read()
                    raise errors.of_response(response, self.host, reading=True)
                for chunk in response.iter_bytes() if response.status_code == HTTPStatus.OK else ():
                    content += chunk
                    if len(content) > longest:
                        return None
        except FOREIGN as error:
            raise errors.of_exception(error, self.host, reading=True) from None
        return bytes(content) or None

    def send(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any],
        content: object = None,
        *,
        reading: bool | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
    ) -> httpx.Response:
        """Send one request. A read is tried again after a broken connection or a 5xx, a write never is."""
        address = self.constructApiUrl(url)
        reading = method in SAFE if reading is None else reading
        pauses = iter(PAUSES if reading else ())
        while True:
            try:
                response = self._once(method, address, params, content, files, reading=reading)
            except FOREIGN as error:
                if isinstance(error.__cause__, PrivateAddress):
                    raise Refusal(Named(NameFault.PRIVATE_ADDRESS, self.host)) from None
                pause = next(pauses, None) if _just_broke(error) else None
                if pause is None:
                    raise errors.of_exception(error, self.host, reading=reading) from None
            else:
                pause = next(pauses, None) if response.status_code in _WORTH_ANOTHER_TRY else None
                if pause is None:
                    return self._accepted(response, reading=reading)
            self._pause(pause)

    def _once(
        self,
        method: str,
        address: str,
        params: Mapping[str, Any],
        content: object,
        files: Mapping[str, tuple[str, bytes, str]] | None,
        *,
        reading: bool,
    ) -> httpx.Response:
        started = time.perf_counter()
        body: dict[str, Any] = {} if method in SAFE else {"json": content}
        if files is not None:
            body = {"data": content, "files": files}
        if not reading:
            self.may_write()
            body["extensions"] = {"trace": self._before_it_is_sent}
        with self._client.stream(method, address, params=params or None, **body) as streamed:
            response = streamed if self._bound is None else self._bounded(streamed, self._bound)
            response.read()
            if response.is_client_error and not reading:
                _never_reuse(streamed)
        if logger.isEnabledFor(logging.DEBUG):
            took = (time.perf_counter() - started) * 1000
            logger.debug("%s %s: %s, %.0f ms", method, urlsplit(address).path, response.status_code, took)
        return response

    def _before_it_is_sent(self, moment: str, _: dict[str, Any]) -> None:
        """Check at the last moment: connecting may have outlasted our lease on the space."""
        if moment in ("http11.send_request_headers.started", "http11.send_request_body.started"):
            self.may_write()

    def _bounded(self, response: httpx.Response, bound: Bound) -> httpx.Response:
        """The response with its body, read up to the limit."""
        ends, content = time.monotonic() + bound.seconds, bytearray()
        if response.headers.get("content-encoding", "identity") != "identity":
            raise Refusal(Named(NameFault.ANSWERS_PACKED, self.host))
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > bound.size:
                raise Refusal(Named(NameFault.ANSWERS_WITHOUT_END, self.host))
            if time.monotonic() > ends:
                raise httpx.ReadTimeout("the answer takes too long", request=response.request)
        kind = {"content-type": response.headers.get("content-type", "")}
        return httpx.Response(
            response.status_code,
            headers=kind,
            content=bytes(content),
            request=response.request,
            extensions=response.extensions,
        )

    def _accepted(self, response: httpx.Response, *, reading: bool) -> httpx.Response:
        if not response.is_success:
            raise errors.of_response(response, self.host, reading=reading)
        if response.request.method not in SAFE:
            self.accepted += 1
        return response

    def _content(self, response: httpx.Response, *, reading: bool | None = None) -> Json:
        reading = response.request.method in SAFE if reading is None else reading
        try:
            return json.loads(response.content)
        except (ValueError, RecursionError):
            raise errors.unreadable(self.host, reading=reading) from None


def _network(verify: ssl.SSLContext | bool) -> httpx.HTTPTransport:  # noqa: FBT001 -- httpx's
    return httpx.HTTPTransport(
        verify=verify,
        limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_SECONDS),
        trust_env=False,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNDELIVERED_FOR_MS)],
    )


def _records_in(content: Json) -> list[Mapping[str, Json]]:
    """The records of an answer: those of a page, those of a bare list, or the single one."""
    listed = content.get("results", [content]) if isinstance(content, dict) else content
    return [record for record in listed if isinstance(record, dict)] if isinstance(listed, list) else []


def _is_address(host: str) -> bool:
    """Whether it is an http(s) address without a password in it, as httpx parses it."""
    try:
        parts, url = urlsplit(host), httpx.URL(host)
    except (httpx.InvalidURL, ValueError):
        return False
    is_plain = host.isprintable() and len(host) <= LONGEST_ADDRESS and parts.username is None
    return is_plain and url.scheme in ("http", "https") and bool(url.host.strip(".")) and url.host == parts.hostname


def _never_reuse(response: httpx.Response) -> None:
    """Never use this response's connection again.

    gunicorn 26 reads the rest of a body that InvenTree refused unread, and sometimes swallows the next request with it.
    InvenTree never carries out the swallowed request, and its connection closes after 2 seconds.
    """
    if (stream := response.extensions.get("network_stream")) is not None:
        stream.close()


def _just_broke(error: Exception) -> bool:
    """Whether an existing connection broke: the server closed it, or its worker died."""
    broke = isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError)
    return broke and not isinstance(error, httpx.ConnectError)


def verification(url: str, certificate: str) -> ssl.SSLContext | bool:
    """The certificate check for this server: by the system's CAs, certifi's, and the given one."""
    if not url.startswith("https:"):
        return False  # nothing to check without TLS, and loading all CAs takes a while
    try:
        return trusting(Path(certificate) if certificate else None, public=True)
    except OSError:  # also ssl.SSLError, for a file that is no certificate
        raise Refusal(Named(NameFault.NO_CA_FILE, certificate)) from None


def clock_ahead(answer: httpx.Response) -> timedelta:
    """Our clock's lead over the clock of the server that has just answered; zero if the answer doesn't say."""
    try:
        there = parsedate_to_datetime(answer.headers.get("date", ""))
        return datetime.now(UTC) - there
    except (ValueError, TypeError):  # no date, no time zone in it, or nonsense
        return timedelta()
