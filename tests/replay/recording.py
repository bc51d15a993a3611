"""Write what a live InvenTree answers to a test, in the form of the recordings that the replay holds us against.

`FEDBOT_LIVE_RECORD=FILE make contract ARGS='-k test_odd_calls'` records the tests of what the differential runs found,
on a server with an empty database and two superusers, `admin` and `hanna`. `make differential` writes the exchanges
that show a difference in the same form. Tokens, platform and the server's address are replaced.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.contract.ground import MakeAccount

HOST = "inventree.example"
_KEPT_HEADERS = ("date", "content-type", "allow", "www-authenticate", "location")


class Recorder(httpx.BaseTransport):
    """Passes each request on to the network, and appends the exchange to a file under a name.

    `name` is the running test's if it is None; nothing is written while it is ''.
    """

    name: str | None = None

    @contextmanager
    def under(self, name: str) -> Iterator[None]:
        """Write what is exchanged meanwhile under this name, and nothing else."""
        self.name = name
        yield
        self.name = ""

    def __init__(self, path: Path, admin_token: str) -> None:
        self._path = path
        self._tokens = [admin_token]
        self._network = httpx.HTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))
        path.write_text("", encoding="utf-8")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The live server's answer; cleaning up after the last test isn't recorded."""
        content = request.read()
        response = self._network.handle_request(request)
        answer = _json(response.read(), response.headers)
        if isinstance(answer, dict) and str(answer.get("token", "")).startswith("inv-"):
            self._tokens.append(answer["token"])
        if isinstance(answer, dict) and answer.get("platform"):
            answer["platform"] = "<platform>"
        sent: dict[str, Any] = {
            "method": request.method,
            "path": request.url.path,
            "query": dict(request.url.params) or None,
            "json": None,
            "auth": "token",
            "as": request.headers["authorization"].removeprefix("Token "),
        }
        if content and request.headers["content-type"] == "application/json":
            sent["json"] = json.loads(content)
        elif content:
            sent |= {"type": request.headers["content-type"], "base64": base64.b64encode(content).decode()}
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        headers |= {"set-cookie": "<cookie>"} if "set-cookie" in response.headers else {}
        told = {"status": response.status_code, "headers": headers, "json": answer}
        self._write({"request": sent, "response": told}, request.url.netloc.decode())
        return response

    def accounts(self, make: MakeAccount | None) -> MakeAccount | None:
        """`make`, with each account that is created on the server itself recorded."""
        if make is None:
            return None

        def recorded(username: str, roles: Mapping[str, tuple[str, ...]]) -> str:
            self._tokens.append(make(username, roles))
            self._write({"request": {"account": username, "roles": roles}, "response": {"token": self._tokens[-1]}})
            return self._tokens[-1]

        return recorded

    def _write(self, exchange: dict[str, Any], host: str = HOST) -> None:
        name = _running_test() if self.name is None else self.name
        if not name:
            return
        line = json.dumps({"name": name, **exchange}, ensure_ascii=False).replace(host, HOST)
        for number, token in enumerate(self._tokens, 1):
            line = line.replace(token, f"<token {number}>")
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def _running_test() -> str:
    """Its name; 'setup' before it, '' after it."""
    test, _, phase = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")
    if phase == "(teardown)":
        return ""
    return "setup" if phase == "(setup)" else test.rpartition("::test_")[2].partition("[")[0]


def _json(content: bytes, headers: httpx.Headers) -> Any:  # noqa: ANN401  any JSON
    if headers.get("content-type", "").startswith("application/json"):
        return json.loads(content)
    return {"_text": headers.get("content-type", "")} if content else None
