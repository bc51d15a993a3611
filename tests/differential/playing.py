"""Play one sequence of calls on two servers, and make their answers and contents comparable.

Rows have different numbers on each server, so they are named by the order in which they were first seen. Times, file
paths and the server's address are compared by their form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx

from fedbot.inventree.client.versions import Version
from tests.contract.ground import Ground
from tests.differential.calls import Act, Call, called

MOST_TRIES = 60
_TIMEOUT_S = 60
_LONGEST_TEXT = 200

#: The table of a number by the name of its field; `pk` belongs to the listed table.
_NUMBERED = {
    "part": "part",
    "location": "location",
    "default_location": "location",
    "category_default_location": "location",
    "old_location": "location",
    "customer": "company",
    "company": "company",
    "category": "category",
    "item": "stockitem",
    "stockitem": "stockitem",
    "parent": "stockitem",
    "belongs_to": "stockitem",
    "stock_item": "stockitem",
    "model_id": "stockitem",
    "user": "user",
    "upload_user": "user",
    "creation_user": "user",
    "updated_by": "user",
}
#: The table of a nested record.
_NESTED = {
    "part_detail": "part",
    "location_detail": "location",
    "item_detail": "stockitem",
    "stockitem_detail": "stockitem",
    "customer_detail": "company",
    "company_detail": "company",
    "user_detail": "user",
    "category_detail": "category",
    "location_path": "location",
    "category_path": "category",
}
_KIND_OF_LIST = {
    "stock/": "stockitem",
    "stock/track/": "entry",
    "part/": "part",
    "company/": "company",
    "attachment/": "attachment",
    "stock/attachment/": "attachment",
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)?")
_NO_ROW = re.compile(r'Invalid pk "(\d+)"')
#: The suffix of a file name that exists already.
_AGAIN = re.compile(r"_[0-9A-Za-z]{7}(?=\.\w+$)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
#: Compared by type: they belong to the server's machine, or a background worker sets them.
_FREE = frozenset({"path", "url", "barcode_hash", "attachment"})
#: Not compared: a background task sets them at some time.
_LATER = frozenset({"pricing_min", "pricing_max", "pricing_updated"})


@dataclass
class Side:
    """One of the two servers, with the rows that a sequence has created on it."""

    ground: Ground
    http: httpx.Client
    play: str = ""
    items: list[int] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    companies: list[int] = field(default_factory=list)
    names: dict[tuple[str, int], str] = field(default_factory=dict)

    @classmethod
    def on(cls, ground: Ground) -> Side:
        """A server with test data of our own on it."""
        return cls(
            ground,
            httpx.Client(
                base_url=ground.admin.api_url,
                transport=ground.network,
                timeout=_TIMEOUT_S,
                # gunicorn 26 may swallow the request after a refused one
                limits=httpx.Limits(max_keepalive_connections=0),
            ),
        )

    @property
    def version(self) -> Version:
        """Its version."""
        return self.ground.version

    @property
    def run(self) -> str:
        """The prefix of all our names."""
        return self.ground.run

    @property
    def places(self) -> list[int]:
        """Our locations."""
        ground = self.ground
        return [ground.outgoing, ground.incoming, ground.drawer, ground.shelf]

    def begin(self, number: int) -> None:
        """Create parts and a company that nothing was done with."""
        word = f"no{number}x"  # this search word is in no other name, and not in the run's
        self.play, self.items, self.names = word, [], {}
        self.parts = [
            self.ground.part(f"Bolt {word}", f"BOLT-{word}", description="of brass", minimum_stock=3),
            self.ground.part(f"Lens {word}", f"LENS-{word}", trackable=True),
            self.ground.part(f"Vice {word}", f"VICE-{word}", salable=False),
        ]
        self.companies = [
            self.ground.company(f"peer {number}"),
            self.ground.company(f"shop {number}", is_customer=False),
        ]
        for model, pks in (("part", self.parts), ("location", self.places), ("company", self.companies)):
            for each in pks:
                self.name(model, each)
        self.items = [self.ground.stock(self.parts[0], 20, self.ground.drawer)]

    def end(self) -> None:
        """Delete the stock to keep the next lists short, the newest first.

        0.17 can't delete an item with children if a merge has damaged its tree of stock items (500 IntegrityError).
        """
        for row in reversed(self._stock()):
            self.ground.admin.delete(f"stock/{row['pk']}/")

    def name(self, model: str, pk: int) -> str:
        """The name of a row: its place in the order in which its table's rows were seen."""
        count = sum(1 for table, _ in self.names if table == model)
        return self.names.setdefault((model, pk), f"{model} {count + 1}")

    def answer(self, call: Call) -> tuple[int, Any]:
        """The status, and the answer in comparable form."""
        tokens = {"admin": self.ground.token, "service": self.ground.service_token, "reader": self.ground.reader_token}
        token = tokens.get(call.caller, self.ground.nobody_token)
        body: dict[str, Any] = {} if call.method == "GET" else {"json": call.content}
        if call.files is not None:
            body = {"data": {name: str(value) for name, value in call.content.items()}, "files": call.files}
        headers = {"Authorization": f"Token {token}", "Accept-Language": "en", "Accept": "application/json"}
        response = self.http.request(call.method, call.url, params=call.params or None, headers=headers, **body)
        if "json" not in response.headers.get("content-type", ""):
            return response.status_code, f"<{response.headers.get('content-type', 'nothing').partition(';')[0]}>"
        kind = _KIND_OF_LIST.get(re.sub(r"\d+/$", "", call.url), "")
        return response.status_code, self.comparable(json.loads(response.content), kind)

    def stands(self) -> list[Any]:
        """All stock of our parts as it is now; new rows get names."""
        rows = self._stock()
        self.items += [row["pk"] for row in rows if row["pk"] not in self.items]
        return [self.comparable(row, "stockitem") for row in rows]

    def past(self) -> list[Any]:
        """All remaining stock with its history and its metadata."""
        told = []
        for row in self._stock():
            told.append(self.comparable(row, "stockitem"))
            told.append(self.comparable(self.ground.history(row["pk"]), "entry"))
            url = self.version.metadata_url("stockitem", row["pk"])
            told.append(self.comparable(self.ground.admin.row(url), "stockitem"))
        return told

    def _stock(self) -> list[dict[str, Any]]:
        """In one call for all our parts, because a real server takes its time for each."""
        rows = self.ground.admin.rows("stock/", category=self.ground.category)
        return sorted((row for row in rows if row["part"] in self.parts), key=lambda row: int(row["pk"]))

    def comparable(self, content: Any, kind: str, name: str = "") -> Any:  # noqa: ANN401  any JSON
        """The content without this server's row numbers, times, address and run name."""
        if isinstance(content, dict):
            return {key: self._field(key, value, kind) for key, value in content.items()}
        if isinstance(content, list):
            if name == "items" and all(type(each) is int for each in content):
                return [self._field("item", each, kind) for each in content]
            if name == "tags" and all(type(each) is str for each in content):  # their order is random
                return sorted(content)
            return [self.comparable(each, kind, name) for each in content]
        if isinstance(content, str):
            return self._text(content)
        return content

    def _field(self, name: str, value: Any, kind: str) -> Any:  # noqa: ANN401
        if name in _LATER:
            return "<later>"
        if name in _FREE and not isinstance(value, list):
            return f"<{type(value).__name__}>"
        if name in ("next", "previous"):
            return value is not None
        if name == "pk" or (name in ("id", "parent") and kind in ("part", "company", "location", "category")):
            return self.name(kind, value) if isinstance(value, int) and kind else f"<{type(value).__name__}>"
        model = _NUMBERED.get(name)
        if model and isinstance(value, int) and not isinstance(value, bool):
            return self.name(model, value) if value != 99_999_999 else "absent"
        if name == "user_detail" and isinstance(value, dict):
            return sorted(value)
        return self.comparable(value, _NESTED.get(name, kind), name)

    def _text(self, text: str) -> str:
        text = text.replace(self.run, "RUN").replace(str(self.ground.admin.base_url), "SERVER/")
        text = _NO_ROW.sub(lambda found: f'Invalid pk "{self.names.get(("stockitem", int(found[1])), found[1])}"', text)
        text = _AGAIN.sub("_AGAIN", _MOMENT.sub("MOMENT", text))
        return _DAY.sub("DAY", text) if _DAY.fullmatch(text) else text


@dataclass(frozen=True)
class Difference:
    """A difference of two servers: the call of a sequence, and the values. Similar ones have the same `sort`."""

    at: int
    call: str
    lines: tuple[str, ...]

    @property
    def sort(self) -> str:
        """The kind of difference: the call and the fields, without row numbers."""
        kind = self.call.partition("(")[0]
        fields = sorted({re.sub(r"\[\d+\]|\d+", "", line.partition(":")[0]) for line in self.lines})
        return f"{kind}: {', '.join(fields)}"


@dataclass
class Pair:
    """The two servers. `calls` counts the compared calls."""

    live: Side
    simulated: Side
    calls: int = 0
    _plays: int = 0

    def play(self, acts: Sequence[Act]) -> Difference | None:
        """Play a sequence on both from the start to the first difference."""
        self._plays += 1
        sides = (self.live, self.simulated)
        for side in sides:
            side.begin(self._plays)
        try:
            return self._played(acts)
        finally:
            for side in sides:
                side.end()

    def _played(self, acts: Sequence[Act]) -> Difference | None:
        live, simulated = self.live, self.simulated
        for number, act in enumerate(acts):
            calls = [called(act, side) for side in (live, simulated)]
            answers = [side.answer(call) for side, call in zip((live, simulated), calls, strict=True)]
            self.calls += 1
            lines = different("answer", list(answers[0]), list(answers[1]))
            if not lines and not calls[0].reads and answers[0][0] < HTTPStatus.BAD_REQUEST:
                lines = different("stock", live.stands(), simulated.stands())
            if lines:
                return Difference(number, f"{act.kind}({_shown(calls[0], live)})", tuple(lines))
        lines = different("past", live.past(), simulated.past())
        return Difference(len(acts), "the end()", tuple(lines)) if lines else None

    def shrunk(self, acts: Sequence[Act], found: Difference) -> tuple[tuple[Act, ...], Difference]:
        """A short sequence that ends in a difference of the same sort."""
        best, difference = tuple(acts[: found.at + 1]), found
        size, tries = max(len(best) // 2, 1), 0
        while size and tries < MOST_TRIES:
            for start in range(0, len(best), size):
                shorter = best[:start] + best[start + size :]
                tries += 1
                again = self.play(shorter)
                if again is not None and again.sort == difference.sort:
                    best, difference = shorter[: again.at + 1], again
                    break
                if tries >= MOST_TRIES:
                    break
            else:
                size //= 2
                continue
            size = min(size, max(len(best) // 2, 1))
        return best, difference

    def told(self, acts: Sequence[Act]) -> list[str]:
        """A sequence for people: each call, and the live server's answer."""
        self._plays += 1
        self.live.begin(self._plays)
        lines = []
        for act in acts:
            call = called(act, self.live)
            status, answer = self.live.answer(call)
            self.live.stands()
            lines.append(f"{_shown(call, self.live)} → {status} {str(answer)[:_LONGEST_TEXT]}")
        self.live.end()
        return lines


def _shown(call: Call, side: Side) -> str:
    what = call.params if call.method == "GET" else call.content
    return f"{call.caller} {call.method} {call.url} {side.comparable(what, '')}"


def different(path: str, live: Any, simulated: Any) -> list[str]:  # noqa: ANN401  any JSON
    """The differences of two answers, a line each: the path, then both values."""
    if isinstance(live, dict) and isinstance(simulated, dict):
        lines = [f"{path}.{name}: only on the live server" for name in live if name not in simulated]
        lines += [f"{path}.{name}: only simulated" for name in simulated if name not in live]
        both = [name for name in live if name in simulated]
        return lines + [line for name in both for line in different(f"{path}.{name}", live[name], simulated[name])]
    if isinstance(live, list) and isinstance(simulated, list) and len(live) == len(simulated):
        pairs = enumerate(zip(live, simulated, strict=True))
        return [line for number, (left, right) in pairs for line in different(f"{path}[{number}]", left, right)]
    if type(live) is type(simulated) and live == simulated:
        return []
    return [f"{path}: {str(live)[:_LONGEST_TEXT]!r} live, {str(simulated)[:_LONGEST_TEXT]!r} simulated"]
