"""Copies all rows of a journal from one database to another, and compares the two.

Numbers stay the same, and so do the last numbers ever given: a number is never given twice, wherever the journal is.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fedbot.journal import audit_chain, sqlite
from fedbot.journal.database import Statements, places


@dataclass(frozen=True)
class Table:
    """One table: its columns, the column that orders it, and whether its first column is numbered automatically."""

    name: str
    columns: tuple[str, ...]
    order: str
    numbers_itself: bool = False

    @property
    def query(self) -> str:
        """A query for all rows, in order."""
        return f"SELECT {', '.join(self.columns)} FROM {self.name} ORDER BY {self.order}"  # noqa: S608 -- our own names

    @property
    def insertion(self) -> str:
        """A statement that inserts one row."""
        names, values = ", ".join(self.columns), places(len(self.columns))
        return f"INSERT INTO {self.name} ({names}) VALUES ({values})"  # noqa: S608 -- our own names


TABLES = (
    Table("meta", ("name", "value"), "name"),
    Table("inbox", ("seq", "kind", "payload", "subject", "received_at", "decided"), "seq", numbers_itself=True),
    Table("seen", ("event_id", "received_at"), "event_id"),
    Table("documents", ("number", "kind", "id", "payload"), "number", numbers_itself=True),
    Table(
        "outbox",
        (
            *("id", "cause", "ordinal", "lane", "kind", "payload", "priority", "key", "state", "attempts"),
            *("acted_at", "acted_before", "not_before", "problem", "created_at", "ended_at"),
        ),
        "id",
        numbers_itself=True,
    ),
    Table(
        "quarantine",
        ("number", "event", "effect", "what", "subject", "problem", "at"),
        "number",
        numbers_itself=True,
    ),
    Table("posts", ("number", "event_id", "key", "room", "edit"), "number", numbers_itself=True),
    Table("archive", ("number", "id", "peer", "room", "asked_at", "latest", "payload"), "number"),
    Table("archive_marks", ("mark", "value", "transfer"), "mark, value, transfer"),
    Table(
        "archive_flows",
        ("transfer", "room", "went_at", "peer", "way", "lines", "pieces"),
        "transfer, room, went_at, peer, way, lines, pieces",
    ),
    Table("audit", ("number", "at", "cause", "subject", "entry", "previous", "hash"), "number", numbers_itself=True),
    Table("audit_checkpoints", ("number", "hash", "at"), "number"),
)
_PAGE = 500


@dataclass(frozen=True)
class Counted:
    """The number of rows of a table, and the SHA-256 of all of them, in order."""

    rows: int
    digest: str


def counted(source: Statements, *, without: tuple[str, ...] = ()) -> dict[str, Counted]:
    """The `Counted` of each table. Entries of `meta` with these names don't count."""
    found = {}
    for table in TABLES:
        digest, rows = hashlib.sha256(), 0
        for row in _rows(source, table):
            if table.name != "meta" or row[0] not in without:
                digest.update(json.dumps(list(row), separators=(",", ":")).encode() + b"\n")
                rows += 1
        found[table.name] = Counted(rows, digest.hexdigest())
    return found


def copy(source: Statements, target: Statements) -> None:
    """Copy every row into empty tables.

    The audit's triggers must be off, and the last numbers must be taken over separately.
    """
    for table in TABLES:
        page: list[Any] = []
        for row in _rows(source, table):
            page.append(row)
            if len(page) == _PAGE:
                target.executemany(table.insertion, page)
                page = []
        target.executemany(table.insertion, page)


def _rows(source: Statements, table: Table) -> Iterator[Any]:
    yield from source.execute(table.query)


def into_sqlite(source: Statements, target: sqlite3.Connection, last: dict[str, int]) -> None:
    """Create the tables in an empty SQLite database and copy everything; `last` are the last numbers ever given.

    `target` is in autocommit mode.
    """
    target.execute("BEGIN IMMEDIATE")
    for statements in sqlite.MIGRATIONS:
        for statement in statements:
            target.execute(statement)
    for guard in audit_chain.GUARDS:
        target.execute(f"DROP TRIGGER {guard}")
    copy(source, target)
    for guards in sqlite.GUARDS:
        for statement in guards:
            target.execute(statement)
    target.execute("DELETE FROM sqlite_sequence")
    target.executemany("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", last.items())
    target.execute(f"PRAGMA user_version = {len(sqlite.MIGRATIONS)}")
    target.execute("COMMIT")
