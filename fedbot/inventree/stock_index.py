"""An index of the stock in our InvenTree, kept beside the journal, so nobody waits for a search there.

InvenTree sums up stock for each part that it lists, which takes a large server minutes. So the bot keeps the words of
the parts, and their quantities in stock, in a separate file. The index only finds things: before the bot shows people
something or acts on it, it reads that again from InvenTree. The file may be deleted at any time; it is built again.

Words match anywhere in a text, like in InvenTree, so the texts are scanned one after the other: 10,000 parts take some
10 ms. A full-text index (FTS5) finds only whole words and their beginnings.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

from fedbot.files import make_private
from fedbot.inventree.client.rows import Row, amount, part_of
from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot.inventree.client.versions import Version
from fedbot.rules.model.queries import IndexStanding, Scope
from fedbot.rules.model.stock import Part

FILE = "index.db"
_FORMAT = "1"
_SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE part (
    pk INTEGER PRIMARY KEY, name TEXT NOT NULL, ipn TEXT NOT NULL, description TEXT NOT NULL, keywords TEXT NOT NULL,
    units TEXT NOT NULL, revision TEXT NOT NULL, category INTEGER, category_name TEXT NOT NULL, flags INTEGER NOT NULL,
    minimum REAL NOT NULL, of_variants REAL NOT NULL, whole INTEGER NOT NULL, sweep INTEGER NOT NULL, text TEXT NOT NULL
);
CREATE TABLE item (
    pk INTEGER PRIMARY KEY, part INTEGER NOT NULL, quantity REAL NOT NULL, here INTEGER NOT NULL, sweep INTEGER NOT NULL
);
CREATE INDEX item_of_part ON item (part, here);
"""
_FLAGS = ("active", "salable", "virtual", "trackable")
_COLUMNS = "pk, name, ipn, description, keywords, units, revision, category, category_name, flags"
_IN_MEMORY = ":memory:"
_IN_STOCK = "EXISTS (SELECT 1 FROM item WHERE item.part = part.pk AND item.here)"

log = logging.getLogger(__name__)

Told = TypeVar("Told")


@dataclass(frozen=True)
class Known:
    """A part in the index. `category` is the key of its category; `whole`: read with keywords and category."""

    part: Part
    category: int | None
    whole: bool


@dataclass(frozen=True)
class Totals:
    """The counts. `low_stock` counts the parts below their minimum stock; None: unknown."""

    parts: int
    stock_items: int
    low_stock: int | None


_PLURALS = ("es", "s", "en", "n", "e")
_SHORTEST_STEM = 3


def forms_of(word: str) -> tuple[str, ...]:
    """A word as typed, and its possible singulars: `lens` for `lenses`, `schraube` for `schrauben`."""
    ends = [end for end in _PLURALS if word.endswith(end) and len(word) - len(end) >= _SHORTEST_STEM]
    is_plural = not word.endswith("ss")
    return tuple(dict.fromkeys((word, *(word.removesuffix(end) for end in ends if is_plural))))


class StockIndex:
    """The index file. Any thread may use it; an unreadable file is built again.

    Args:
        file: the path; None: in memory.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lock = RLock()
        self._connection = self._opened()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    # --- notes about the reading -------------------------------------------------------------------------------

    def value(self, name: str) -> str:
        """The note with that name; '' if there is none."""
        row = self._do(lambda db: db.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone())
        return str(row[0]) if row else ""

    def number(self, name: str) -> int:
        """The note as a number; 0 if there is none."""
        text = self.value(name)
        return int(text) if text else 0

    def moment(self, name: str) -> datetime | None:
        """The note as a moment; None if there is none."""
        text = self.value(name)
        return datetime.fromisoformat(text) if text else None

    def clear(self) -> None:
        """Forget everything, because it belongs to another server."""
        self._do(lambda db: [db.execute(f"DELETE FROM {table}") for table in ("about", "part", "item")])  # noqa: S608

    def keep(
        self,
        version: Version,
        *,
        items: Iterable[Row] = (),
        parts: Iterable[Row] = (),
        gone: Iterable[int] = (),
        noted: dict[str, object] | None = None,
    ) -> None:
        """Store rows of stock (with `part_detail`) and of parts, and notes, all of it or nothing.

        `gone` are stock items that no longer exist. The rows belong to the current reading.
        """
        stock, whole, deleted = list(items), list(parts), list(gone)

        def write(db: sqlite3.Connection) -> None:
            number = _current_sweep(db)
            for row in stock:
                detail = row.get("part_detail")
                if isinstance(detail, dict):
                    _put_brief(db, detail, number)
                values = (row["pk"], row["part"], float(amount(row["quantity"])), version.in_stock(row), number)
                db.execute("INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?)", values)
            for row in whole:
                _put_part(db, row, number)
            db.executemany("DELETE FROM item WHERE pk = ?", [(pk,) for pk in deleted])
            _note(db, noted or {})

        self._do(write)

    def forget_unseen(self, table: str, noted: dict[str, object]) -> None:
        """A reading is complete: delete the rows of `item` or `part` that it hasn't seen."""

        def write(db: sqlite3.Connection) -> None:
            number = _current_sweep(db)
            if table == "item":
                db.execute("DELETE FROM item WHERE sweep < ?", (number,))
            else:
                db.execute("DELETE FROM part WHERE sweep < ?", (number,))
            _note(db, noted)

        self._do(write)

    def forget_part(self, pk: int) -> None:
        """Delete a part that no longer exists, and its items."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM part WHERE pk = ?", (pk,))
            db.execute("DELETE FROM item WHERE part = ?", (pk,))

        self._do(write)

    # --- searching ---------------------------------------------------------------------------------------------

    def part(self, pk: int) -> Known | None:
        """The part with that key."""
        found = self._parts("WHERE pk = ?", (pk,))
        return found[0] if found else None

    def incomplete_parts(self, most: int) -> list[int]:
        """Parts without keywords and category so far, the newest first."""
        query = "SELECT pk FROM part WHERE NOT whole ORDER BY pk DESC LIMIT ?"
        return [int(row[0]) for row in self._do(lambda db: db.execute(query, (most,)).fetchall())]

    def search(
        self,
        words: Sequence[str],
        scope: Scope,
        categories: Iterable[int],
        most: int,
        *,
        in_stock: bool = True,
        lent: Collection[int] = (),
    ) -> list[Known]:
        """Parts with all these words (case-folded) in name, IPN, keywords or description, ordered by name.

        Only parts in the scope, whose categories with all their descendants are `categories`. `in_stock`: only parts
        that have stock, or are in `lent`.
        """
        where = [f"({_IN_STOCK} OR pk IN ({_marks(lent)}))"] if in_stock else []
        values: list[object] = [*lent] if in_stock else []
        for word in words:
            forms = forms_of(word)
            where.append(f"({' OR '.join(['instr(text, ?) > 0'] * len(forms))})")
            values += forms
        if not scope.everything:
            parts = {*scope.parts, *scope.item_parts}
            within = set(categories)
            marks = [f"pk IN ({_marks(parts)})", f"category IN ({_marks(within)})"]
            where.append(f"({' OR '.join(marks)})")
            values += [*parts, *within]
        condition = f"WHERE {' AND '.join(where)}" if where else ""
        return self._parts(f"{condition} ORDER BY name, pk LIMIT ?", (*values, most))

    def totals(self) -> Totals:
        """The counts of the index."""
        query = (
            "SELECT (SELECT COUNT(*) FROM part), (SELECT COUNT(*) FROM item WHERE here), (SELECT COUNT(*) FROM part"
            " WHERE minimum > 0 AND of_variants + (SELECT COALESCE(SUM(quantity), 0) FROM item"
            " WHERE item.part = part.pk AND here) < minimum)"
        )
        parts, items, low = self._do(lambda db: db.execute(query).fetchone())
        return Totals(int(parts), int(items), int(low))

    def size(self) -> tuple[int, int]:
        """The number of parts and stock items in the index, in stock or not."""
        query = "SELECT (SELECT COUNT(*) FROM part), (SELECT COUNT(*) FROM item)"
        parts, items = self._do(lambda db: db.execute(query).fetchone())
        return int(parts), int(items)

    def _parts(self, condition: str, values: Sequence[object]) -> list[Known]:
        query = f"SELECT {_COLUMNS}, whole FROM part {condition}"  # noqa: S608 -- made of constants and of ? only
        rows = self._do(lambda db: db.execute(query, tuple(values)).fetchall())
        return [_known(row) for row in rows]

    # --- the file ----------------------------------------------------------------------------------------------

    def _do(self, work: Callable[[sqlite3.Connection], Told]) -> Told:
        """Run in one transaction. A damaged file is replaced by a new one."""
        with self._lock:
            try:
                with self._connection:
                    return work(self._connection)
            except sqlite3.ProgrammingError:  # closed, or our own mistake: the file is fine
                raise
            except sqlite3.DatabaseError as problem:
                log.warning("the index of our stock can't be used (%s): it is made anew", problem)
                self._connection.close()
                self._connection = self._anew()
                with self._connection:
                    return work(self._connection)

    def _opened(self) -> sqlite3.Connection:
        if self._file is None:
            return _prepared(_connected(_IN_MEMORY))
        try:
            make_private(self._file)
            return _prepared(_connected(self._file))
        except (sqlite3.DatabaseError, OSError) as problem:
            log.warning("the index of our stock can't be read (%s): it is made anew", problem)
            return self._anew()

    def _anew(self) -> sqlite3.Connection:
        """A new, empty index; in memory if the disk can't be written."""
        try:
            if self._file is not None:
                self._remove()
                make_private(self._file)
                return _prepared(_connected(self._file))
        except (sqlite3.DatabaseError, OSError) as problem:
            log.warning("the index of our stock can't be written (%s): it is kept in memory", problem)
        return _prepared(_connected(_IN_MEMORY))

    def _remove(self) -> None:
        if self._file is not None:
            for file in (self._file, self._file.with_name(f"{self._file.name}-journal")):
                file.unlink(missing_ok=True)


def _current_sweep(db: sqlite3.Connection) -> int:
    """The number of the reading that rows belong to."""
    row = db.execute("SELECT value FROM about WHERE name = 'sweep'").fetchone()
    return int(row[0]) if row else 0


def _connected(file: Path | str) -> sqlite3.Connection:
    return sqlite3.connect(file, check_same_thread=False)


def _prepared(db: sqlite3.Connection) -> sqlite3.Connection:
    """Create our tables; drop those of another version of fedbot."""
    try:
        db.execute("PRAGMA synchronous = NORMAL")
        tables = [str(row[0]) for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if tables and str(found) != _FORMAT:
            for table in tables:
                db.execute(f"DROP TABLE {table}")
            tables = []
        if not tables:
            with closing(db.cursor()) as cursor:
                # together, to wait for the disk only once
                cursor.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_FORMAT}; COMMIT;")
    except BaseException:
        db.close()
        raise
    return db


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)


def _note(db: sqlite3.Connection, noted: dict[str, object]) -> None:
    rows = [(name, value.isoformat() if isinstance(value, datetime) else str(value)) for name, value in noted.items()]
    db.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", rows)


def _put_brief(db: sqlite3.Connection, detail: Row, sweep: int) -> None:
    """Update a part from a stock item's row. Fields that the row lacks stay."""
    known = db.execute("SELECT keywords, category, category_name FROM part WHERE pk = ?", (detail["pk"],)).fetchone()
    part = part_of(detail)
    if known is None:
        _insert(db, detail, part, None, whole=False, sweep=sweep)
        return
    part = replace(part, keywords=str(known[0]), category=str(known[2]))
    values = (part.name, part.ipn, part.description, part.units, part.revision, _flags(part), _text(detail, part))
    db.execute(
        "UPDATE part SET name = ?, ipn = ?, description = ?, units = ?, revision = ?, flags = ?, text = ? WHERE pk = ?",
        (*values, part.pk),
    )


def _put_part(db: sqlite3.Connection, row: Row, sweep: int) -> None:
    _insert(db, row, part_of(row), row.get("category"), whole=True, sweep=sweep)


def _insert(db: sqlite3.Connection, row: Row, part: Part, category: object, *, whole: bool, sweep: int) -> None:
    values = (
        part.pk,
        part.name,
        part.ipn,
        part.description,
        part.keywords,
        part.units,
        part.revision,
        category,
        part.category,
        _flags(part),
        float(row.get("minimum_stock") or 0),
        float(row.get("variant_stock") or 0),
        whole,
        sweep,
        _text(row, part),
    )
    db.execute(f"INSERT OR REPLACE INTO part VALUES ({_marks(values)})", values)  # noqa: S608


def _text(row: Row, part: Part) -> str:
    told = (part.name, part.ipn, part.keywords, part.description, str(row.get("full_name") or ""))
    return "\n".join(told).casefold()


def _flags(part: Part) -> int:
    return sum(1 << place for place, name in enumerate(_FLAGS) if getattr(part, name))


def _known(row: Sequence[object]) -> Known:
    pk, name, ipn, description, keywords, units, revision, category, category_name, flags, whole = row
    active, salable, virtual, trackable = (bool(int(str(flags)) & 1 << place) for place in range(len(_FLAGS)))
    part = Part(
        pk=int(str(pk)),
        name=str(name),
        ipn=str(ipn),
        description=str(description),
        keywords=str(keywords),
        units=str(units),
        revision=str(revision),
        category=str(category_name),
        active=active,
        salable=salable,
        virtual=virtual,
        trackable=trackable,
    )
    return Known(part, None if category is None else int(str(category)), bool(whole))


# --- Filling the index and keeping it up to date, at a rate that leaves InvenTree to its people.  First all stock is
# read by pages, so parts and quantities are known after minutes. Then all parts are read, for keywords and categories,
# which takes a large server hours. Afterwards the history shows the changes. It shows neither deleted stock items nor
# changes to parts, so everything is read again from time to time, more often if that is cheap.

# The seconds that a page may cost InvenTree. The cost of a row is measured.
PAGE_SECONDS = 1.0
_LARGEST_PAGE = 250
_FIRST_PAGE = {"stock": 250, "parts": 5}
_OVERLAP = 10
"""Pages go by offset, and a deleted row shifts all later ones."""

# The bot uses at most a quarter of one InvenTree worker's time.
REST_FOR_EACH = 3.0
SHORTEST_REST = 0.05
PATIENCE = 0.2
"""The seconds that an answer waits for a page that is being read."""

_SHARE_OF_TIME = 50
SHORTEST_INTERVAL = timedelta(minutes=10)
LONGEST_INTERVAL = {"stock": timedelta(hours=4), "parts": timedelta(hours=24)}
LOOK_AT_HISTORY = timedelta(minutes=10)

# A server up to this size is read again before each answer: that costs no more than a search there.
SMALL_ITEMS = 1_000
SMALL_SUMS = 250_000

_NEWEST = 25
_MOST_PAGES = 4
_MOST_READ = 20
_A_FEW = 3


@dataclass(frozen=True)
class StockSource:
    """The connection for reading our server, with the everyday token."""

    api: InvenTreeTransport
    version: Version
    name: str


class StockReading:
    """Fills `index` from a server. Any thread may use it; one reads at a time.

    Args:
        index: the index to fill.
        now: the time, aware.
        measure: seconds by a clock that never goes back, for timing pages.
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

    # --- progress ----------------------------------------------------------------------------------------------

    def standing(self) -> IndexStanding:
        """The progress of the reading."""
        parts, items = self.index.size()
        return IndexStanding(
            parts=parts,
            items=items,
            percent=self._percent(),
            stock_read=self.index.moment("stock_at"),
            parts_read=self.index.moment("parts_at"),
        )

    def _percent(self) -> int:
        """The percentage of the first filling; 100 once everything was read."""
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
        """Whether the stock is too large to be read for each answer."""
        items, parts = self.index.number("stock_count"), self.index.number("parts_count")
        return items > SMALL_ITEMS or items * parts > SMALL_SUMS

    # --- for an answer -----------------------------------------------------------------------------------------

    def make_ready(self, source: StockSource) -> None:
        """Bring the index up to date before an answer: from the history, or, if the stock is small, by reading it all.

        While a large server is read for the first time, the index has only part of it (`standing().percent`).
        """
        if not self._lock.acquire(timeout=PATIENCE if self.is_large else -1):
            return  # a page is being read right now, and the index is recent enough
        try:
            self._is_of(source)
            if not self.index.value("stock_count"):
                self._begin(source, "stock")
                self._read_page(source, "stock")
            if self.is_large:
                self._look_at_history(source)
            else:
                self._read_all(source)
        finally:
            self._lock.release()

    def _read_all(self, source: StockSource) -> None:
        for phase in ("stock", "parts"):
            self._begin(source, phase)
            while self.index.value("phase") == phase and not self.is_large:
                self._read_page(source, phase)

    def doubt(self) -> None:
        """The index may come from another state of the server: read everything again."""
        with self._lock:
            self.index.keep(Version(0), noted={"doubted": 1})

    # --- in the background -------------------------------------------------------------------------------------

    def tend(self, source: StockSource) -> float:
        """Read the next page that is due; return the seconds to leave InvenTree alone afterwards."""
        with self._lock:
            self._is_of(source)
            began = self._measure()
            phase = self.index.value("phase") or self._due()
            if not phase:
                return self._at_rest(source)
            if not self.index.value("phase"):
                self._begin(source, phase)
            self._read_page(source, phase)
            return max((self._measure() - began) * REST_FOR_EACH, SHORTEST_REST)

    def _at_rest(self, source: StockSource) -> float:
        """Nothing is due: follow the history, and complete parts that it brought."""
        seen = self.index.moment("history_at")
        if self.is_large and (seen is None or self._now() - seen >= LOOK_AT_HISTORY):
            self._look_at_history(source)
        began = self._measure()
        incomplete = self.index.incomplete_parts(_A_FEW)
        for pk in incomplete:
            self._complete(source, pk)
        if incomplete:
            return max((self._measure() - began) * REST_FOR_EACH, SHORTEST_REST)
        return LOOK_AT_HISTORY.total_seconds()

    def _due(self) -> str:
        """The table to read again now; '' for none."""
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

    def _is_of(self, source: StockSource) -> None:
        """Clear the index if it belongs to another server."""
        if self.index.value("server") != source.name:
            self.index.clear()
            self.index.keep(source.version, noted={"server": source.name})

    def _begin(self, source: StockSource, phase: str) -> None:
        noted: dict[str, object] = {
            "phase": phase,
            "sweep": self.index.number("sweep") + 1,
            f"{phase}_offset": 0,
            f"{phase}_spent": 0.0,
        }
        if phase == "stock":
            noted |= {"top": _top(_newest(source, 1)), "doubted": 0, "history_at": self._now()}
        self.index.keep(source.version, noted=noted)

    def _read_page(self, source: StockSource, phase: str) -> None:
        """Read the next page of a reading. The last page ends it and deletes the rows that it hasn't seen."""
        size = self.index.number(f"{phase}_page") or _FIRST_PAGE[phase]
        offset = self.index.number(f"{phase}_offset")
        began = self._measure()
        details = {"part_detail": "true"} if phase == "stock" else {}
        url = "stock/" if phase == "stock" else "part/"
        try:
            page = source.api.row(url, limit=size, offset=offset, **details)
        except Exception:
            self.index.keep(source.version, noted={f"{phase}_page": max(size // 2, 1)})
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
            source.version,
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

    def _look_at_history(self, source: StockSource) -> None:
        """Store the changes since the last look. If there are very many, everything is read again later."""
        last = self.index.number("top")
        rows = _newest(source, _NEWEST)
        top = _top(rows)
        if top < last:  # entries that we saw are gone: with their items, or with everything that came later
            self.index.keep(source.version, noted={"top": top, "doubted": 1, "history_at": self._now()})
            return
        seen = rows
        for page in range(_MOST_PAGES):
            if len(seen) < _NEWEST or int(rows[-1]["pk"]) <= last:
                break
            seen = _newest(source, _LARGEST_PAGE, _NEWEST + page * _LARGEST_PAGE)
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
            item = source.api.row_if_there(f"stock/{pk}/", part_detail="true")
            if item is None:
                gone.append(pk)
            else:
                told.append(item)
        if len(unknown) > _MOST_READ:
            noted["doubted"] = 1
        self.index.keep(source.version, items=told, gone=gone, noted=noted)
        for pk in self.index.incomplete_parts(_A_FEW) if self.index.moment("parts_at") else ():
            self._complete(source, pk)

    def _complete(self, source: StockSource, pk: int) -> None:
        """Read a part of which only the fields in stock rows are known."""
        row = source.api.row_if_there(f"part/{pk}/")
        if row is None:
            self.index.forget_part(pk)
        else:
            self.index.keep(source.version, parts=[row])


def _next_size(size: int, took: float) -> int:
    """The number of rows that take one page's time, at most twice as many as before."""
    fitting = int(size * PAGE_SECONDS / took) if took > 0 else _LARGEST_PAGE
    return max(min(fitting, size * 2, _LARGEST_PAGE), 1)


def _newest(source: StockSource, most: int, offset: int = 0) -> list[dict[str, Any]]:
    """The newest entries of the history, with their stock items as they are now."""
    rows = source.api.rows("stock/track/", limit=most, offset=offset, item_detail="true")
    return sorted(rows, key=lambda row: -int(row["pk"]))


def _top(rows: list[dict[str, Any]]) -> int:
    return max((int(row["pk"]) for row in rows), default=0)


def _is_whole(detail: object) -> bool:
    return isinstance(detail, dict) and {"pk", "part", "quantity", "part_detail"} <= set(detail)
