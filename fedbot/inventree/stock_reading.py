"""How the index of our stock is filled and kept true, at a rate that leaves InvenTree to its people.

All stock is read by pages, from which parts and quantities are known after minutes; then all parts, for keywords and
categories, which takes a large server hours. After that the history tells what has changed. It tells neither of deleted
stock items nor of changes to parts; so all of it is read again, the more often the less that costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

from fedbot.inventree.stock_index import StockIndex
from fedbot.inventree.transport import InvenTreeTransport
from fedbot.inventree.versions import Version
from fedbot.rules.model.queries import IndexStanding

# A page costs InvenTree about so much; what a row costs is found out by doing it.
PAGE_SECONDS = 1.0
_LARGEST_PAGE = 250
_FIRST_PAGE = {"stock": 250, "parts": 5}
_OVERLAP = 10
"""Pages go by offset, and what is deleted meanwhile moves all that comes after it."""

# A quarter of one worker's time is ours at most.
REST_FOR_EACH = 3.0
SHORTEST_REST = 0.05
PATIENCE = 0.2
"""Seconds that an answer waits for a page that is being read."""

_SHARE_OF_TIME = 50
SHORTEST_INTERVAL = timedelta(minutes=10)
LONGEST_INTERVAL = {"stock": timedelta(hours=4), "parts": timedelta(hours=24)}
LOOK_AT_HISTORY = timedelta(minutes=10)

# So small a server is read anew before each answer: it costs no more than a search there.
SMALL_ITEMS = 1_000
SMALL_SUMS = 250_000

_NEWEST = 25
_MOST_PAGES = 4
_MOST_READ = 20
_A_FEW = 3


@dataclass(frozen=True)
class Reader:
    """What of our server is read: under the everyday token."""

    api: InvenTreeTransport
    version: Version
    name: str


class StockReading:
    """Fills `index` from a server. Any thread may use it; one reads at a time.

    Args:
        index: what is filled.
        now: the time, aware.
        measure: seconds by a clock that never goes back, by which pages are timed.
    """

    def __init__(
        self,
        index: StockIndex,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        measure: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.index = index
        self._now = now
        self._measure = measure
        self._lock = RLock()

    # --- as it stands ------------------------------------------------------------------------------------------

    def standing(self) -> IndexStanding:
        """How far it is."""
        parts, items = self.index.size()
        return IndexStanding(
            parts=parts,
            items=items,
            percent=self._percent(),
            stock_read=self.index.moment("stock_at"),
            parts_read=self.index.moment("parts_at"),
        )

    def _percent(self) -> int:
        """Of the first filling; 100 once all was read."""
        if self.index.moment("parts_at"):
            return 100
        stock, parts = (
            min(self.index.number(f"{phase}_offset") / max(self.index.number(f"{phase}_count"), 1), 1.0)
            for phase in ("stock", "parts")
        )
        if self.index.moment("stock_at"):
            return min(50 + int(50 * parts), 99)
        return int(50 * stock)

    @property
    def is_large(self) -> bool:
        """Whether it is too much to be read anew for each answer."""
        items, parts = self.index.number("stock_count"), self.index.number("parts_count")
        return items > SMALL_ITEMS or items * parts > SMALL_SUMS

    # --- for an answer -----------------------------------------------------------------------------------------

    def make_ready(self, reader: Reader) -> None:
        """Bring it up to date before somebody is answered from it: by the history, or if it is little, by reading all.

        While a large server is read for the first time it knows a part of it (`standing().percent`).
        """
        if not self._lock.acquire(timeout=PATIENCE if self.is_large else -1):
            return  # a page is being read right now: what was known a moment ago will do
        try:
            self._is_of(reader)
            if not self.index.value("stock_count"):
                self._begin(reader, "stock")
                self._read_page(reader, "stock")
            if self.is_large:
                self._look_at_history(reader)
            else:
                self._read_all(reader)
        finally:
            self._lock.release()

    def _read_all(self, reader: Reader) -> None:
        for phase in ("stock", "parts"):
            self._begin(reader, phase)
            while self.index.value("phase") == phase and not self.is_large:
                self._read_page(reader, phase)

    def doubt(self) -> None:
        """It may be of another state of the server: read all of it again, from now on."""
        with self._lock:
            self.index.keep(Version(0), noted={"doubted": 1})

    # --- in the background -------------------------------------------------------------------------------------

    def tend(self, reader: Reader) -> float:
        """Read one page of what is to be read next; the seconds to leave InvenTree in peace after it."""
        with self._lock:
            self._is_of(reader)
            began = self._measure()
            phase = self.index.value("phase") or self._due()
            if not phase:
                return self._at_rest(reader)
            if not self.index.value("phase"):
                self._begin(reader, phase)
            self._read_page(reader, phase)
            return max((self._measure() - began) * REST_FOR_EACH, SHORTEST_REST)

    def _at_rest(self, reader: Reader) -> float:
        """Nothing is due: keep up with the history, and complete parts that it has brought."""
        seen = self.index.moment("history_at")
        if self.is_large and (seen is None or self._now() - seen >= LOOK_AT_HISTORY):
            self._look_at_history(reader)
        began = self._measure()
        incomplete = self.index.incomplete_parts(_A_FEW)
        for pk in incomplete:
            self._complete(reader, pk)
        if incomplete:
            return max((self._measure() - began) * REST_FOR_EACH, SHORTEST_REST)
        return LOOK_AT_HISTORY.total_seconds()

    def _due(self) -> str:
        """What is to be read again now; '' if nothing is."""
        if self.index.value("doubted") == "1":
            return "stock"
        for phase in ("stock", "parts"):
            last = self.index.moment(f"{phase}_at")
            if last is None or not timedelta(0) <= self._now() - last < self._interval(phase):
                return phase
        return ""

    def _interval(self, phase: str) -> timedelta:
        if not self.is_large:
            return LONGEST_INTERVAL[phase]
        took = float(self.index.value(f"{phase}_took") or 0)
        return min(max(timedelta(seconds=took * _SHARE_OF_TIME), SHORTEST_INTERVAL), LONGEST_INTERVAL[phase])

    # --- reading all -------------------------------------------------------------------------------------------

    def _is_of(self, reader: Reader) -> None:
        """What is known of another server is nothing here."""
        if self.index.value("server") != reader.name:
            self.index.clear()
            self.index.keep(reader.version, noted={"server": reader.name})

    def _begin(self, reader: Reader, phase: str) -> None:
        noted: dict[str, object] = {
            "phase": phase,
            "sweep": self.index.number("sweep") + 1,
            f"{phase}_offset": 0,
            f"{phase}_spent": 0.0,
        }
        if phase == "stock":
            noted |= {"top": _top(_newest(reader, 1)), "doubted": 0, "history_at": self._now()}
        self.index.keep(reader.version, noted=noted)

    def _read_page(self, reader: Reader, phase: str) -> None:
        """The next page of a reading; the last one ends it, and what it hasn't seen is gone."""
        size = self.index.number(f"{phase}_page") or _FIRST_PAGE[phase]
        offset = self.index.number(f"{phase}_offset")
        began = self._measure()
        details = {"part_detail": "true"} if phase == "stock" else {}
        url = "stock/" if phase == "stock" else "part/"
        try:
            page = reader.api.row(url, limit=size, offset=offset, **details)
        except Exception:
            self.index.keep(reader.version, noted={f"{phase}_page": max(size // 2, 1)})
            raise
        took = self._measure() - began
        rows = [row for row in page.get("results") or [] if isinstance(row, dict)]
        is_last = not page.get("next") or not rows
        overlap = min(_OVERLAP, len(rows) // 4)
        noted: dict[str, object] = {
            f"{phase}_count": int(page.get("count") or 0),
            f"{phase}_offset": offset + len(rows) - (0 if is_last else overlap),
            f"{phase}_spent": float(self.index.value(f"{phase}_spent") or 0) + took,
            f"{phase}_page": _next_size(size, took),
        }
        self.index.keep(
            reader.version,
            items=rows if phase == "stock" else (),
            parts=rows if phase == "parts" else (),
            noted=noted,
        )
        if is_last:
            self._end(phase)

    def _end(self, phase: str) -> None:
        spent = self.index.value(f"{phase}_spent")
        noted = {"phase": "", f"{phase}_at": self._now(), f"{phase}_took": spent}
        self.index.forget_unseen("item" if phase == "stock" else "part", noted)

    # --- keeping up --------------------------------------------------------------------------------------------

    def _look_at_history(self, reader: Reader) -> None:
        """Take in what has changed since the last look; if that is very much, all of it is to be read again."""
        last = self.index.number("top")
        rows = _newest(reader, _NEWEST)
        top = _top(rows)
        if top < last:  # entries that we have seen are gone: with their items, or with all that came later
            self.index.keep(reader.version, noted={"top": top, "doubted": 1, "history_at": self._now()})
            return
        seen = rows
        for page in range(_MOST_PAGES):
            if len(seen) < _NEWEST or int(rows[-1]["pk"]) <= last:
                break
            seen = _newest(reader, _LARGEST_PAGE, _NEWEST + page * _LARGEST_PAGE)
            rows += seen
        is_too_much = bool(rows) and len(rows) > _NEWEST and int(rows[-1]["pk"]) > last
        changed = {int(row["item"]): row for row in reversed(rows) if int(row["pk"]) > last and row.get("item")}
        noted: dict[str, object] = {"top": top, "history_at": self._now()}
        if is_too_much:
            noted["doubted"] = 1
        told = [row["item_detail"] for row in changed.values() if _is_whole(row.get("item_detail"))]
        unknown = [pk for pk, row in changed.items() if not _is_whole(row.get("item_detail"))]
        gone = []
        for pk in unknown[:_MOST_READ]:
            item = reader.api.row_if_there(f"stock/{pk}/", part_detail="true")
            if item is None:
                gone.append(pk)
            else:
                told.append(item)
        if len(unknown) > _MOST_READ:
            noted["doubted"] = 1
        self.index.keep(reader.version, items=told, gone=gone, noted=noted)
        for pk in self.index.incomplete_parts(_A_FEW) if self.index.moment("parts_at") else ():
            self._complete(reader, pk)

    def _complete(self, reader: Reader, pk: int) -> None:
        """Read a part of which only what stock tells is known."""
        row = reader.api.row_if_there(f"part/{pk}/")
        if row is None:
            self.index.forget_part(pk)
        else:
            self.index.keep(reader.version, parts=[row])


def _next_size(size: int, took: float) -> int:
    """As many rows as take a page's time, at most twice as many as before."""
    fitting = int(size * PAGE_SECONDS / took) if took > 0 else _LARGEST_PAGE
    return max(min(fitting, size * 2, _LARGEST_PAGE), 1)


def _newest(reader: Reader, most: int, offset: int = 0) -> list[dict[str, Any]]:
    """The newest entries of the history, with the stock items that they are of, as these are now."""
    rows = reader.api.rows("stock/track/", limit=most, offset=offset, item_detail="true")
    return sorted(rows, key=lambda row: -int(row["pk"]))


def _top(rows: list[dict[str, Any]]) -> int:
    return max((int(row["pk"]) for row in rows), default=0)


def _is_whole(detail: object) -> bool:
    return isinstance(detail, dict) and {"pk", "part", "quantity", "part_detail"} <= set(detail)
