"""What there is in our InvenTree, kept beside the journal so that nobody waits for a search there.

InvenTree sums up stock for each part that it lists, which takes a large server minutes; so the bot keeps the words of
the parts, and how much of each lies in stock, in a file of its own. It is only a way to find things: what is told to
people or acted upon is read again from InvenTree. The file may be deleted at any time; it is made anew then.

Words are looked for anywhere in a text, as InvenTree does, so the texts are read one after the other: of 10,000 parts
that takes some 10 ms. A full-text index (FTS5) finds whole words and their beginnings only.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import TypeVar

from fedbot.files import make_private
from fedbot.inventree.rows import Row, amount, part_of
from fedbot.inventree.versions import Version
from fedbot.rules.model.queries import Scope
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
    """A part as the index knows it. `category` is the key of its category; `whole`: read with keywords and category."""

    part: Part
    category: int | None
    whole: bool


@dataclass(frozen=True)
class Totals:
    """How much there is. `low_stock` counts the parts of which there is less than there should be; None: not known."""

    parts: int
    stock_items: int
    low_stock: int | None


class StockIndex:
    """The file. Any thread may use it; a file that can't be read is made anew.

    Args:
        file: where it is kept; None: in memory.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lock = RLock()
        self._connection = self._opened()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    # --- what is kept about the reading ------------------------------------------------------------------------

    def value(self, name: str) -> str:
        """What was noted under that name; '' if nothing was."""
        row = self._do(lambda db: db.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone())
        return str(row[0]) if row else ""

    def number(self, name: str) -> int:
        """The same as a number; 0 if nothing was noted."""
        text = self.value(name)
        return int(text) if text else 0

    def moment(self, name: str) -> datetime | None:
        """The same as a moment; None if nothing was noted."""
        text = self.value(name)
        return datetime.fromisoformat(text) if text else None

    def clear(self) -> None:
        """Forget everything: it is of another server."""
        self._do(lambda db: [db.execute(f"DELETE FROM {table}") for table in ("about", "part", "item")])  # noqa: S608

    def keep(
        self,
        version: Version,
        *,
        items: Iterable[Row] = (),
        parts: Iterable[Row] = (),
        gone: Iterable[int] = (),
        sweep: int | None = None,
        noted: dict[str, object] | None = None,
    ) -> None:
        """Take in rows of stock (with `part_detail`) and of parts, and what is noted with them: all of it or nothing.

        `gone` are stock items that aren't there any more. `sweep` is the number of the reading that the rows are of;
        None: they were read beside it, and belong to the one under way.
        """
        stock, whole, deleted = list(items), list(parts), list(gone)

        def write(db: sqlite3.Connection) -> None:
            number = self._number(db, "sweep") if sweep is None else sweep
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
        """A reading is complete: rows of `item` or `part` that it hasn't seen are gone."""

        def write(db: sqlite3.Connection) -> None:
            number = self._number(db, "sweep")
            if table == "item":
                db.execute("DELETE FROM item WHERE sweep < ?", (number,))
            else:
                db.execute("DELETE FROM part WHERE sweep < ?", (number,))
            _note(db, noted)

        self._do(write)

    def forget_part(self, pk: int) -> None:
        """That part isn't there any more."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM part WHERE pk = ?", (pk,))
            db.execute("DELETE FROM item WHERE part = ?", (pk,))

        self._do(write)

    # --- what is found in it -----------------------------------------------------------------------------------

    def part(self, pk: int) -> Known | None:
        """The part of that key."""
        found = self._parts("WHERE pk = ?", (pk,))
        return found[0] if found else None

    def incomplete_parts(self, most: int) -> list[int]:
        """Parts of which keywords and category were not read yet, the newest first."""
        query = "SELECT pk FROM part WHERE NOT whole ORDER BY pk DESC LIMIT ?"
        return [int(row[0]) for row in self._do(lambda db: db.execute(query, (most,)).fetchall())]

    def search(
        self, words: Sequence[str], scope: Scope, categories: Iterable[int], most: int, *, in_stock: bool = True
    ) -> list[Known]:
        """Parts with all these words (case-folded) in name, IPN, keywords or description, by name.

        Only of the scope, whose categories with all below them are `categories`. `in_stock`: of which something is.
        """
        where = [_IN_STOCK] if in_stock else []
        values: list[object] = []
        for word in words:
            where.append("instr(text, ?) > 0")
            values.append(word)
        if not scope.everything:
            parts = {*scope.parts, *scope.item_parts}
            within = set(categories)
            marks = [f"pk IN ({_marks(parts)})", f"category IN ({_marks(within)})"]
            where.append(f"({' OR '.join(marks)})")
            values += [*parts, *within]
        condition = f"WHERE {' AND '.join(where)}" if where else ""
        return self._parts(f"{condition} ORDER BY name, pk LIMIT ?", (*values, most))

    def totals(self) -> Totals:
        """Counted in what is known."""
        query = (
            "SELECT (SELECT COUNT(*) FROM part), (SELECT COUNT(*) FROM item WHERE here), (SELECT COUNT(*) FROM part"
            " WHERE minimum > 0 AND of_variants + (SELECT COALESCE(SUM(quantity), 0) FROM item"
            " WHERE item.part = part.pk AND here) < minimum)"
        )
        parts, items, low = self._do(lambda db: db.execute(query).fetchone())
        return Totals(int(parts), int(items), int(low))

    def size(self) -> tuple[int, int]:
        """How many parts and stock items it knows, whether these are in stock or not."""
        query = "SELECT (SELECT COUNT(*) FROM part), (SELECT COUNT(*) FROM item)"
        parts, items = self._do(lambda db: db.execute(query).fetchone())
        return int(parts), int(items)

    def _parts(self, condition: str, values: Sequence[object]) -> list[Known]:
        query = f"SELECT {_COLUMNS}, whole FROM part {condition}"  # noqa: S608 -- made of constants and of ? only
        rows = self._do(lambda db: db.execute(query, tuple(values)).fetchall())
        return [_known(row) for row in rows]

    # --- the file ----------------------------------------------------------------------------------------------

    def _do(self, work: Callable[[sqlite3.Connection], Told]) -> Told:
        """In one transaction. A file that is damaged is put away, and it is begun anew."""
        with self._lock:
            try:
                with self._connection:
                    return work(self._connection)
            except sqlite3.ProgrammingError:  # closed, or our own mistake: the file is all right
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
        """An empty one; in memory if the disk doesn't take it."""
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

    @staticmethod
    def _number(db: sqlite3.Connection, name: str) -> int:
        row = db.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0


def _connected(file: Path | str) -> sqlite3.Connection:
    return sqlite3.connect(file, check_same_thread=False)


def _prepared(db: sqlite3.Connection) -> sqlite3.Connection:
    """With our tables; those of another version of fedbot are dropped."""
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
                cursor.executescript(f"{_SCHEMA} PRAGMA user_version = {_FORMAT};")
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
    """A part as a stock item tells it: what that doesn't tell stays as it was."""
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
