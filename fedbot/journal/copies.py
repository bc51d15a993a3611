"""Copying a journal: reading one to which its bot may be writing, and moving all rows from one database to another.

Numbers stay the same, and so do the last numbers ever given: a number is never given twice, wherever the journal is.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fedbot.files import make_private, open_sqlite, sync_folder
from fedbot.journal import audit_chain, codec, quarantine, schema, sqlite
from fedbot.journal.audit_chain import Bookkeeping, Link, Verified, links, verify
from fedbot.journal.database import Address, JournalPlace, Statements, places, refuse_moved
from fedbot.journal.sqlite import BOOKKEEPING, refused
from fedbot.ports.journal import JournalDamaged, JournalProblem, NoJournal, NotStorable
from fedbot.rules.archive import Document
from fedbot.rules.model.health import Quarantined

FILE = "journal.db"


def need_psycopg() -> None:
    """Raise `JournalProblem` if psycopg isn't installed. Only a journal in PostgreSQL needs it (`postgresql`)."""
    try:
        importlib.import_module("psycopg")
    except ModuleNotFoundError as problem:
        raise JournalProblem(
            "A journal in PostgreSQL needs psycopg. Install it with the Python that runs fedbot: "
            "python -m pip install 'fedbot[postgresql]'"
        ) from problem


def _journal_in(folder: Path) -> Path:
    file = folder / FILE
    if not file.exists():
        raise NoJournal(f"There is no journal in {folder}: the bot has not run yet, or keeps its state elsewhere.")
    return file


def copy_beside(place: JournalPlace, path: Path) -> None:
    """Copy the journal at this place to an SQLite file at `path`, even while a bot uses it.

    Raises `NoJournal`; `JournalProblem` if it can't be read; `JournalDamaged` if the copy is unusable; `JournalMoved`,
    because a copy of what was moved on is old.
    """
    if isinstance(place, Address):
        need_psycopg()
        from fedbot.journal.postgresql import copy_to_sqlite  # noqa: PLC0415 -- needs psycopg

        write_copy(partial(copy_to_sqlite, place), path)
        check_copy(path)
        return
    file = _journal_in(place)
    try:
        with closing(open_sqlite(file)) as source:
            write_copy(source.backup, path)
    except sqlite3.Error as problem:
        raise refused(f"The journal {file} can't be copied", problem) from problem
    check_copy(path)


def is_used(folder: Path) -> bool:
    """Whether a bot has worked with this journal, or the file is unreadable.

    A start that was refused because the account has a history leaves an empty journal.
    """
    file = folder / FILE
    if not file.exists():
        return False
    try:
        with closing(open_sqlite(file)) as journal:
            return bool(journal.execute("SELECT count(*) FROM meta WHERE name = 'token'").fetchone()[0])
    except sqlite3.Error:
        return True


def remove_unused(folder: Path) -> None:
    """Remove an empty journal with its companion files."""
    for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
        (folder / name).unlink(missing_ok=True)


def write_copy(copy_to: Callable[[sqlite3.Connection], None], path: Path) -> None:
    """Let `copy_to` fill a new file at `path`, completely or not at all. It replaces an older file.

    The copy has no journal id and gets a new one when it is opened, because a homeserver answers used transaction ids
    with the old events. The new id also tells the bot that it runs on a copy.
    """
    unfinished = path.with_name(path.name + ".part")
    unfinished.unlink(missing_ok=True)
    make_private(unfinished)
    try:
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as copy:
            copy_to(copy)
            # one file, without companion files that somebody would forget to copy
            copy.execute("PRAGMA journal_mode = DELETE")
            copy.execute("DELETE FROM meta WHERE name = 'journal_id'")
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    unfinished.replace(path)
    sync_folder(path.parent)


def check_copy(path: Path) -> None:
    """Read the whole copy. Raises `JournalDamaged`; `JournalTooNew` for one of a newer fedbot; `JournalMoved`."""
    try:
        with closing(open_sqlite(path)) as copy:
            findings = [row[0] for row in copy.execute("PRAGMA integrity_check(5)")]
            version = copy.execute("PRAGMA user_version").fetchone()[0]
            copy.execute("SELECT count(*) FROM documents").fetchone()
            refuse_moved(copy)
    except sqlite3.DatabaseError as problem:
        raise JournalDamaged(f"{path.name} is no journal: {problem}") from problem
    if findings != ["ok"]:
        raise JournalDamaged(f"The journal is damaged: {'; '.join(findings)}")
    schema.refuse_newer(version, len(sqlite.MIGRATIONS))


def documents(place: JournalPlace, *kinds: type) -> list[Document]:
    """All documents of these kinds in the journal at this place, as of one moment, oldest first.

    Raises `NoJournal`, `JournalDamaged`, `JournalTooNew`; `JournalProblem` if it can't be read.
    """
    names = [kind.__name__ for kind in kinds]
    with _opened(place) as (journal, _):
        marks = places(len(names))
        query = f"SELECT kind, payload FROM all_documents WHERE kind IN ({marks}) ORDER BY number"  # noqa: S608 -- ?
        found = journal.execute(query, names).fetchall()
        return [codec.from_text(codec.DOCUMENTS, kind, payload) for kind, payload in found]


def audit_verified(place: JournalPlace, wanted: str = "") -> Verified:
    """Verify the audit's chain, and whether the hash `wanted` was ever its head. Raises like `documents`."""
    with _opened(place) as (journal, bookkeeping):
        return verify(journal, bookkeeping, wanted)


def audit_links(place: JournalPlace) -> Iterator[Link]:
    """The audit's entries, oldest first, as of one moment. Raises like `documents`."""
    with _opened(place) as (journal, _):
        yield from links(journal)


def quarantined(place: JournalPlace) -> tuple[Quarantined, ...]:
    """The quarantined rows, oldest first. Raises like `documents`."""
    with _opened(place) as (journal, _):
        return quarantine.entries(journal.execute(quarantine.ENTRIES).fetchall())


@contextmanager
def _opened(place: JournalPlace) -> Iterator[tuple[Statements, Bookkeeping]]:
    """The journal at this place, as of one moment, for reading."""
    if isinstance(place, Address):
        need_psycopg()
        from fedbot.journal import postgresql  # noqa: PLC0415 -- needs psycopg

        try:
            with postgresql.reading(place) as found:
                yield found, postgresql.BOOKKEEPING
        except NotStorable as problem:
            raise JournalDamaged(f"The journal of {place.space} can't be read back: {problem}") from problem
        return
    file = _journal_in(place)
    try:
        with closing(open_sqlite(file, "ro")) as journal:
            journal.execute("BEGIN")
            version = journal.execute("PRAGMA user_version").fetchone()[0]
            schema.refuse_newer(version, len(sqlite.MIGRATIONS))
            yield journal, BOOKKEEPING
    except sqlite3.OperationalError as problem:
        raise refused(f"The journal {file} can't be read", problem) from problem
    except (sqlite3.DatabaseError, NotStorable) as problem:
        raise JournalDamaged(f"The journal {file} can't be read back: {problem}") from problem


# --- all rows, from one database to another ---


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
