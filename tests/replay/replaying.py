"""Replays recorded exchanges of a real InvenTree against the simulated one, in their order, and tells all differences.

What a recording leaves out (the requests between the recorded ones) is in `UNRECORDED`; what of an answer can't be
the same on another server is in `FREE`; exchanges that may differ are in `LEFT_OUT`, each with its reason.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fedbot_demo.inventree.exchange import Request, Response
from fedbot_demo.inventree.seeds import seed

RECORDINGS = Path(__file__).parent / "recordings"
HOST = "127.0.0.1:8101"
SEEDED_AT = datetime(2026, 11, 24, 11, 56, tzinfo=UTC)
REPLAYED_AT = datetime(2026, 11, 24, 12, 5, tzinfo=UTC)

#: Requests that were made between the recorded ones, by the number of the exchange that they follow. They are known by
#: what they left: row numbers, history entries (one says 'back'), and a status that is another one afterwards.
UNRECORDED: dict[int, list[tuple[str, str, dict[str, Any]]]] = {
    193: [("POST", "stock/transfer/", {"items": [{"pk": 19, "quantity": 10}], "location": 4, "notes": "back"})],
    226: [("POST", "stock/", {"part": 1, "location": 3, "quantity": 5})],
    241: [("POST", "stock/remove/", {"items": [{"pk": 27, "quantity": 5}]})],
    244: [("POST", "stock/change_status/", {"items": [1], "status": 10})],
    252: [("PATCH", "stock/1/", {"status": 10})],
}

#: Exchanges that may differ, by name, with the reason. Everything else must be the same.
LEFT_OUT: dict[str, str] = {}

#: Fields whose value belongs to the one server, by the last name of their path; compared by type.
FREE = {
    "token": "a secret, and replaced by a word in the recordings",
    "worker_pending_tasks": "the recorded server had a queue and nobody who worked on it",
    "database": "there is none",
    "platform": "of the recorded machine",
    "pricing_updated": "set by the recorded server's background task",
}

#: Bodies that are no JSON, of which a recording holds only the word '<raw>'.
RAW_BODIES = {
    "stock_create_bad_json": ("application/json", b"{not json"),
    "attachment_link_multipart": (
        "multipart/form-data; boundary=cut",
        b"".join(
            f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in (
                ("model_type", "stockitem"),
                ("model_id", "1"),
                ("link", "https://e.org/receipt"),
                ("comment", "c"),
            )
        )
        + b"--cut--\r\n",
    ),
}

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_HEADERS = ("content-type", "allow", "www-authenticate", "location")


@dataclass(frozen=True)
class Exchange:
    number: int
    name: str
    request: dict[str, Any]
    response: dict[str, Any]


def exchanges(version: str) -> list[Exchange]:
    lines = (RECORDINGS / f"{version}.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        Exchange(number, each["name"], each["request"], each["response"])
        for number, each in enumerate(map(json.loads, lines))
    ]


@dataclass
class Replay:
    """A server as seeded for the recordings, and who may log in to it how."""

    now: datetime = SEEDED_AT
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.seeded = seed("recorded", clock=lambda: self.now)
        self.passwords = self.seeded.passwords | {"svc": "Zx9-very-long-pw"}
        self.now = REPLAYED_AT

    def run(self, recorded: list[Exchange]) -> dict[int, list[str]]:
        """The differences of each exchange, by its number."""
        differences = {}
        for exchange in recorded:
            response = self.seeded.server.handle(self.request(exchange))
            self._remember_token(exchange, response)
            differences[exchange.number] = compared(exchange, response)
            for method, path, content in UNRECORDED.get(exchange.number, []):
                headers = {"Authorization": f"Token {self.tokens['alice']}"}
                between = self.seeded.server.handle(
                    Request.of(method, f"/api/{path}", headers=headers, json_body=content)
                )
                assert between.status in {200, 201}, between.json()
        return differences

    def request(self, exchange: Exchange) -> Request:
        recorded = exchange.request
        headers = {"Host": HOST} | self._authorization(exchange)
        query = f"?{urlencode(recorded['query'])}" if recorded["query"] else ""
        body: Any = recorded["json"]
        request = Request.of(
            recorded["method"], recorded["path"] + query, headers=headers, json_body=None if body == "<raw>" else body
        )
        if body != "<raw>":
            return request
        kind, raw = RAW_BODIES[exchange.name]
        headers["Content-Type"] = kind
        return Request(request.method, request.path, request.query, tuple(headers.items()), raw)

    def _authorization(self, exchange: Exchange) -> dict[str, str]:
        how, who = exchange.request["auth"], exchange.request.get("as") or ""
        if how == "none":
            return {}
        if how == "basic":
            password = "wrong" if "wrong_password" in exchange.name else self.passwords[who]
            return {"Authorization": "Basic " + base64.b64encode(f"{who}:{password}".encode()).decode()}
        token = self.tokens.get(who, "inv-made-up")
        return {"Authorization": f"{'Bearer' if how == 'bearer' else 'Token'} {token}"}

    def _remember_token(self, exchange: Exchange, response: Response) -> None:
        names = {"token_legacy_url_basic": "alice", "token_create_for_other": "svc"}
        if exchange.name in names:
            self.tokens[names[exchange.name]] = response.json()["token"]


def _are_moments(recorded: object, here: object) -> bool:
    """Whether both are moments with seconds; the replay's clock stands still, so those are not the same."""
    return all(isinstance(each, str) and _MOMENT.fullmatch(each) is not None for each in (recorded, here))


def compared(exchange: Exchange, response: Response) -> list[str]:
    """What differs, one line each."""
    recorded = exchange.response
    found = []
    if response.status != recorded["status"]:
        found.append(f"status: {recorded['status']} recorded, {response.status} here")
    found += [
        f"header {name}: {recorded['headers'].get(name, '')!r} recorded, {response.header(name)!r} here"
        for name in _HEADERS
        if recorded["headers"].get(name, "") != response.header(name)
    ]
    if ("set-cookie" in recorded["headers"]) != bool(response.header("set-cookie")):
        found.append("header set-cookie: only one side sends it")
    is_json = recorded["headers"].get("content-type", "").startswith("application/json")
    content = response.json() if is_json and response.body else None
    found += list(_different("", recorded["json"], content))
    return found


def _untrimmed(recorded: list[Any], here: list[Any]) -> tuple[list[Any], list[Any]]:
    """A long list was cut in the recording; its last word says how many rows are missing."""
    cut = re.fullmatch(r"\.\.\.trimmed (\d+)", str(recorded[-1])) if recorded else None
    if cut is None or len(here) != len(recorded) - 1 + int(cut[1]):
        return recorded, here
    return recorded[:-1], here[: len(recorded) - 1]


def _different(path: str, recorded: object, here: object) -> list[str]:
    if re.split(r"[.\[]", path)[-1] in FREE:
        same = type(recorded) is type(here) or (path.endswith("pricing_updated") and here in (None, recorded))
        return [] if same else [f"{path}: {recorded!r} recorded, {here!r} here"]
    if isinstance(recorded, dict) and isinstance(here, dict):
        found = [f"{path}.{name}: recorded, not here" for name in recorded if name not in here]
        found += [f"{path}.{name}: here, not recorded" for name in here if name not in recorded]
        both = [name for name in recorded if name in here]
        return found + [line for name in both for line in _different(f"{path}.{name}", recorded[name], here[name])]
    if isinstance(recorded, list) and isinstance(here, list):
        recorded, here = _untrimmed(recorded, here)
    if isinstance(recorded, list) and isinstance(here, list) and len(recorded) == len(here):
        pairs = enumerate(zip(recorded, here, strict=True))
        return [line for number, (left, right) in pairs for line in _different(f"{path}[{number}]", left, right)]
    if type(recorded) is type(here) and (recorded == here or _are_moments(recorded, here)):
        return []
    return [f"{path}: {recorded!r} recorded, {here!r} here"]
