"""The cost of a call on a large server, in seconds of one of its workers, as measured on real ones.

Measured with the newest version on SQLite without ANALYZE, with 20,000 stock items (3,000 parts) and 55,020 (6,016). A
part is expensive because each of its rows sums up stock. Without ANALYZE, SQLite scans the whole table for each sum. A
stock item is cheap. The seconds are only counted; a caller may wait for them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from fedbot_demo.inventree.exchange import Request, Response
from fedbot_demo.inventree.latency import Latency
from fedbot_demo.inventree.state import State

WORKERS = 2
_INDEXED = frozenset({"part", "customer", "location", "parent", "belongs_to", "serial"})
_PART = re.compile(r"/api/part/(\d+/)?")
_STOCK = re.compile(r"/api/stock/(\d+/)?")
_OF_PARTS = frozenset({"IPN", "IPN_regex", "name", "name_regex", "name_contains", "category"})


@dataclass(frozen=True, slots=True)
class Rates:
    """Seconds for each stock item, part or history entry that a call reads, and for each row in its response."""

    sums_of_a_part: float = 1.75e-6
    low_stock: float = 3.0e-7
    parts_looked_at: float = 1.7e-5
    parts_counted: float = 4e-5
    parts_searched: float = 9e-5
    stock_looked_at: float = 3.2e-6
    stock_searched: float = 2e-5
    history_counted: float = 2e-7
    history_searched: float = 6e-7
    row: float = 4e-4

    @classmethod
    def after_analyze(cls) -> Rates:
        """The same server after ANALYZE: a sum costs only as much as the part has stock."""
        return cls(sums_of_a_part=2.9e-8, low_stock=8e-10)


@dataclass(frozen=True, slots=True)
class Spent:
    """One call, and its cost in seconds."""

    what: str
    seconds: float


@dataclass(slots=True)
class Costs:
    """Counts the cost of each call. `items` and `parts` can make the server larger than it is.

    `now` is the server's time in seconds. It only moves when a caller waits, so a test needs no real time. A call keeps
    a worker busy until it is done, even if its caller gives up after `patience` seconds.
    """

    items: int = 0
    parts: int = 0
    rates: Rates = field(default_factory=Rates)
    workers: int = WORKERS
    patience: float = 10.0
    now: float = 0.0
    spent: list[Spent] = field(default_factory=list)
    _free_at: list[float] = field(default_factory=list)
    _latency: Latency = field(default_factory=Latency)
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def total(self) -> float:
        """All seconds so far."""
        return sum(each.seconds for each in self.spent)

    @property
    def dearest(self) -> Spent:
        """The most expensive call."""
        return max(self.spent, key=lambda each: each.seconds, default=Spent("", 0.0))

    def forget(self) -> None:
        """Reset the count. Busy workers stay busy."""
        self.spent.clear()

    def take(self, state: State, request: Request, response: Response) -> tuple[float, bool]:
        """Count a call. Return how long its caller waits, and whether it gets an answer."""
        seconds = self.of(state, request, response)
        query = "&".join(f"{name}={value}" for name, value in request.query)
        with self._lock:
            self.spent.append(Spent(f"{request.method} {request.path}{'?' if query else ''}{query}", seconds))
            free = self._free_at or [0.0] * self.workers
            worker = free.index(min(free))
            free[worker] = max(self.now, free[worker]) + seconds
            self._free_at = free
            waits = free[worker] - self.now
            answered = waits <= self.patience
            self.now += min(waits, self.patience)
            return min(waits, self.patience), answered

    def of(self, state: State, request: Request, response: Response) -> float:
        """The worker seconds of this call: those of a small server, and what the size adds."""
        items = self.items or len(state.stock)
        parts = self.parts or len(state.parts)
        query = dict(request.query)
        looks = _LOOKS.get((request.method, _kind(request.path)))
        more = looks(self.rates, _Size(items, parts), query, response) if looks else 0.0
        return self._latency.seconds(request) + more


@dataclass(frozen=True, slots=True)
class _Size:
    items: int
    parts: int

    @property
    def entries(self) -> int:
        """The number of history entries."""
        return 2 * self.items


def _kind(path: str) -> str:
    if _PART.fullmatch(path):
        return "part"
    if _STOCK.fullmatch(path):
        return "stock"
    return {"/api/stock/track/": "history", "/api/search/": "search"}.get(path, "")


def _rows(response: Response) -> int:
    try:
        content: Any = json.loads(response.body)
    except ValueError:
        return 0
    rows = content.get("results", [content]) if isinstance(content, dict) else content
    return len(rows)


def _of_parts(rates: Rates, size: _Size, query: Mapping[str, str], response: Response) -> float:
    rows = _rows(response) * (rates.row + rates.sums_of_a_part * size.items)
    if query.get("low_stock") == "true":
        rows += rates.low_stock * size.items * size.parts
    if any(name in query for name in ("search", "has_stock")):
        return rows + rates.parts_searched * size.parts
    if _OF_PARTS & set(query):
        return rows + rates.parts_looked_at * size.parts
    return rows + (rates.parts_counted * size.parts if "limit" in query else 0.0)


def _of_stock(rates: Rates, size: _Size, query: Mapping[str, str], response: Response) -> float:
    rows = _rows(response) * rates.row
    if _INDEXED & set(query):
        return rows
    if "search" in query:
        return rows + rates.stock_searched * size.items
    if _OF_PARTS & set(query):
        return rows + rates.parts_looked_at * size.parts
    looked_at = size.items if "limit" in query or "updated_after" in query else 0
    return rows + rates.stock_looked_at * looked_at


def _of_history(rates: Rates, size: _Size, query: Mapping[str, str], response: Response) -> float:
    rows = _rows(response) * rates.row
    if "item" in query:
        return rows
    return rows + size.entries * (rates.history_searched if "search" in query else rates.history_counted)


def _of_totals(rates: Rates, size: _Size, query: Mapping[str, str], response: Response) -> float:
    del query
    told: Any = json.loads(response.body)
    parts = rates.parts_counted * size.parts + rates.sums_of_a_part * size.items if "part" in told else 0.0
    return parts + (rates.stock_looked_at * size.items if "stockitem" in told else 0.0)


_LOOKS: dict[tuple[str, str], Callable[[Rates, _Size, Mapping[str, str], Response], float]] = {
    ("GET", "part"): _of_parts,
    ("GET", "stock"): _of_stock,
    ("GET", "history"): _of_history,
    ("POST", "search"): _of_totals,
}
