"""Replays recorded exchanges of a real InvenTree against the simulated one in order, and lists all differences.

`UNRECORDED` holds the requests between the recorded ones, `FREE` the parts of an answer that differ between servers,
and `LEFT_OUT` the exchanges that may differ, each with its reason.

What the differential runs found is recorded apart (`found-<version>.jsonl`, see `tests.replay.recording`).
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fedbot_demo.inventree.access import hash_password
from fedbot_demo.inventree.exchange import Request, Response
from fedbot_demo.inventree.records import User
from fedbot_demo.inventree.seeding import Seeder, make_account
from fedbot_demo.inventree.seeds import seed
from fedbot_demo.inventree.versions import Version
from tests.replay.recording import HOST

RECORDINGS = Path(__file__).parent / "recordings"
#: The recorded servers: address and name.
SERVERS = {
    "newest": ("127.0.0.1:8101", "Alpha Makerspace"),
    "1.0": ("127.0.0.1:8103", "Gamma Makerspace (1.0)"),
    "0.17": ("127.0.0.1:8104", "Delta Makerspace (0.17)"),
    "0.13": ("127.0.0.1:8105", "Epsilon Makerspace (0.13)"),
}
#: The recordings took some minutes, and some of their replies name the minute.
AS_GOOD_AS_THE_SAME = timedelta(minutes=2)
SERVICE_PASSWORD = "Zx9-very-long-pw"
SEEDED_AT = datetime(2026, 11, 24, 11, 56, tzinfo=UTC)
REPLAYED_AT = datetime(2026, 11, 24, 12, 5, tzinfo=UTC)

#: Requests made between the recorded ones, by the name of the preceding exchange. They were reconstructed from their
#: effects: row numbers, history entries (one says 'back'), and a changed status. `CHILD` and `EMPTIED` stand for rows
#: with that version's numbers.
CHILD, EMPTIED = "the child", "the emptied row"
UNRECORDED: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "transfer_full": [
        ("POST", "stock/transfer/", {"items": [{"pk": CHILD, "quantity": 10}], "location": 4, "notes": "back"})
    ],
    "assign_bob": [("POST", "stock/", {"part": 1, "location": 3, "quantity": 5})],
    "stock_create_delete_on_deplete": [("POST", "stock/remove/", {"items": [{"pk": EMPTIED, "quantity": 5}]})],
    "stock_change_status": [("POST", "stock/change_status/", {"items": [1], "status": 10})],
    "transfer_custom_status": [("PATCH", "stock/1/", {"status": 10})],
}
_ROWS = {"newest": (19, 27), "1.0": (19, 27), "0.17": (17, 25), "0.13": (17, 25)}

#: Exchanges that may differ, by version and name, with the reason. Everything else must be the same.
LEFT_OUT: dict[str, dict[str, str]] = {"newest": {}, "1.0": {}, "0.17": {}, "0.13": {}}

#: Fields whose values belong to one server, by the last name of their path; compared by type.
FREE = {
    "token": "a secret, and replaced by a word in the recordings",
    "worker_pending_tasks": "the recorded server had a queue and nobody who worked on it",
    "database": "there is none",
    "platform": "of the recorded machine",
    "pricing_updated": "set by the recorded server's background task",
}

#: Bodies that are no JSON; the recording holds only '<raw>' for them.
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

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z| \d\d:\d\d)")
_HEADERS = ("content-type", "allow", "www-authenticate", "location")


@dataclass(frozen=True)
class Exchange:
    number: int
    name: str
    request: dict[str, Any]
    response: dict[str, Any]


def exchanges(version: str) -> list[Exchange]:
    """The recorded exchanges with that version; `found-` and a version are those about findings."""
    lines = (RECORDINGS / f"{version}.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        Exchange(number, each["name"], each["request"], each["response"])
        for number, each in enumerate(map(json.loads, lines))
    ]


@dataclass
class Replay:
    """A server of one version with the recordings' seed, and its logins."""

    version: str
    now: datetime = SEEDED_AT
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.host, name = SERVERS[self.version]
        self.seeded = seed("recorded", name, clock=lambda: self.now, version=Version.named(self.version))
        self.passwords = self.seeded.passwords | {"svc": SERVICE_PASSWORD}
        self.now = REPLAYED_AT

    def run(self, recorded: list[Exchange]) -> dict[int, list[str]]:
        """The differences of each exchange by its number."""
        differences = {}
        for exchange in recorded:
            response = self.seeded.server.handle(self.request(exchange))
            self._remember_token(exchange, response)
            differences[exchange.number] = compared(exchange, response)
            self._unrecorded(exchange)
        return differences

    def _unrecorded(self, exchange: Exchange) -> None:
        """Do what was done on the server after this exchange without being recorded."""
        for method, path, content in UNRECORDED.get(exchange.name, []):
            headers = {"Authorization": f"Token {self.tokens['alice']}"}
            between = self.seeded.server.handle(
                Request.of(method, f"/api/{path}", headers=headers, json_body=self._numbered(content))
            )
            assert between.status in {200, 201}, between.json()
        if exchange.name == "me_svc_password_given_on_create":
            self._service_account()

    def _numbered(self, content: dict[str, Any]) -> dict[str, Any]:
        """The content with this version's row numbers."""
        rows = dict(zip((CHILD, EMPTIED), _ROWS[self.version], strict=True))
        if "items" not in content or not isinstance(content["items"][0], dict):
            return content
        items = [{**item, "pk": rows[item["pk"]]} for item in content["items"]]
        return {**content, "items": items}

    def _service_account(self) -> None:
        """Create the account and its password, which old versions don't offer over REST."""
        if self.seeded.server.state.version.sets_passwords:
            return
        users = self.seeded.server.state.users
        made = users.find("username", "svc")
        user = made[0] if made else User(pk=users.next_pk, username="svc")
        users.put(replace(user, password_hash=hash_password(SERVICE_PASSWORD)))

    def request(self, exchange: Exchange) -> Request:
        recorded = exchange.request
        headers = {"Host": self.host} | self._authorization(exchange)
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
        names = {"token_legacy_url_basic": "alice", "token_create_for_other": "svc", "token_get_svc_basic": "svc"}
        if exchange.name in names and response.status in {200, 201}:
            self.tokens[names[exchange.name]] = response.json()["token"]


@dataclass
class FoundReplay:
    """A server of one version with two superusers and nothing else, as those on which the findings were recorded."""

    version: str
    now: datetime = SEEDED_AT
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seeder = Seeder("InvenTree", clock=lambda: self.now, version=Version.named(self.version))
        seeder.user("hanna", is_staff=True, is_superuser=True)
        self.seeded = seeder.finished()
        self.tokens["<token 1>"] = self.seeded.token("admin")

    def run(self, recorded: list[Exchange]) -> dict[int, list[str]]:
        """The differences of each exchange by its number; accounts that were created on the server itself have none."""
        differences = {}
        for exchange in recorded:
            if "account" in exchange.request:
                self._account(exchange)
            else:
                differences[exchange.number] = self._differences(exchange)
        return differences

    def _account(self, exchange: Exchange) -> None:
        allowed = {role: " ".join(actions) for role, actions in exchange.request["roles"].items()}
        made = make_account(self.seeded.server.state, exchange.request["account"], allowed)
        self.tokens[exchange.response["token"]] = made

    def _differences(self, exchange: Exchange) -> list[str]:
        self.now = parsedate_to_datetime(exchange.response["headers"]["date"])
        response = self.seeded.server.handle(self._request(exchange.request))
        answer = exchange.response["json"]
        if (
            isinstance(answer, dict)
            and str(answer.get("token")).startswith("<token ")
            and response.status in {200, 201}
        ):
            self.tokens[answer["token"]] = response.json()["token"]
        return compared(exchange, response)

    def _request(self, recorded: dict[str, Any]) -> Request:
        headers = {"Host": HOST, "Authorization": f"Token {self.tokens[recorded['as']]}"}
        query = f"?{urlencode(recorded['query'])}" if recorded["query"] else ""
        request = Request.of(recorded["method"], recorded["path"] + query, headers=headers, json_body=recorded["json"])
        if "base64" not in recorded:
            return request
        sent = (*request.headers, ("Content-Type", recorded["type"]))
        return replace(request, headers=sent, body=base64.b64decode(recorded["base64"]))


def _are_moments(recorded: object, here: object) -> bool:
    """Whether both are times with seconds, or minutes close to each other; the replay's clock stands still."""
    if not isinstance(recorded, str) or not isinstance(here, str):
        return False
    if not _MOMENT.fullmatch(recorded) or not _MOMENT.fullmatch(here):
        return False
    first, second = datetime.fromisoformat(recorded), datetime.fromisoformat(here)
    return "T" in recorded or abs(first - second) <= AS_GOOD_AS_THE_SAME


def compared(exchange: Exchange, response: Response) -> list[str]:
    """The differences, one line each."""
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
    if not is_json and isinstance(recorded["json"], dict) and "_text" in recorded["json"]:
        return found if response.body else [*found, "a page recorded, nothing here"]
    content = response.json() if is_json and response.body else None
    found += list(_different("", recorded["json"], content))
    return found


def _untrimmed(recorded: list[Any], here: list[Any]) -> tuple[list[Any], list[Any]]:
    """A long list was cut in the recording; its last entry is the number of missing rows."""
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
