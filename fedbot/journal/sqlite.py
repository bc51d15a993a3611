"""A journal's SQLite file: opening, checking, writing and copying it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from fedbot.files import make_private, open_sqlite
from fedbot.journal import schema
from fedbot.journal.audit_chain import Bookkeeping
from fedbot.journal.database import Database, Statements
from fedbot.ports.journal import BrokenRule, JournalDamaged, JournalProblem, JournalUnwritable

GUARDS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TRIGGER audit_is_appended BEFORE INSERT ON audit
            WHEN NEW.number != 1 + (SELECT number FROM audit_head) OR NEW.previous != (SELECT hash FROM audit_head)
            BEGIN SELECT RAISE(ABORT, 'the audit is only ever appended to'); END""",
        """CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
            BEGIN SELECT RAISE(ABORT, 'an entry of the audit is never changed'); END""",
        """CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
            WHEN OLD.number > coalesce((SELECT max(number) FROM audit_checkpoints), 0)
            BEGIN SELECT RAISE(ABORT, 'an entry of the audit is removed only below a checkpoint'); END""",
        """CREATE TRIGGER checkpoint_is_true BEFORE INSERT ON audit_checkpoints
            WHEN NOT EXISTS (SELECT 1 FROM audit WHERE number = NEW.number AND hash = NEW.hash)
            BEGIN SELECT RAISE(ABORT, 'a checkpoint is the end of what is removed'); END""",
        """CREATE TRIGGER checkpoint_never_changes BEFORE UPDATE ON audit_checkpoints
            BEGIN SELECT RAISE(ABORT, 'a checkpoint is never changed'); END""",
    ),
)
"""The triggers for each entry of `schema.TABLES`."""
MIGRATIONS = tuple((*tables, *guards) for tables, guards in zip(schema.TABLES, GUARDS, strict=True))
BOOKKEEPING = Bookkeeping(
    written="SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'audit'",
    guards="SELECT name FROM sqlite_schema WHERE type = 'trigger'",
)
CHECKED_AT_START = ("meta", "inbox", "outbox", "quarantine", "documents")
"""The tables that a start continues from; they don't grow over the years. The others are checked later (`check`)."""
UNWRITABLE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})


def refused(text: str, problem: sqlite3.Error) -> JournalProblem:
    """The error if the file can't be opened, read or copied, as `text` says. On a full disk even reading may fail."""
    if getattr(problem, "sqlite_errorcode", 0) & 0xFF not in UNWRITABLE:
        return JournalProblem(f"{text}: {problem}")
    return JournalUnwritable(
        f"{text} ({problem}). Its disk is full or read-only, or the file isn't this user's. Nothing was changed. Make "
        "room, or the state folder writable for fedbot's user; then try again."
    )


def _damaged(where: Path | str, problem: sqlite3.DatabaseError) -> JournalDamaged:
    return JournalDamaged(
        f"The journal {where} is damaged ({problem}). Nothing was changed. "
        "Put a backup in its place, or move it away and run: fedbot rebuild"
    )


def _refuse_damaged(check: Iterable[tuple[str]]) -> None:
    findings = [finding for (finding,) in check]
    if findings != ["ok"]:
        raise sqlite3.DatabaseError("; ".join(findings))


class SqliteDatabase(Database):
    """One SQLite connection, on which each change is a transaction. Threads take turns."""

    def __init__(self, path: Path | None) -> None:
        """Open and check the file, and migrate its tables; None is a database in memory.

        Raises `JournalDamaged` or `JournalTooNew`, and then the file is unchanged; `JournalProblem` if it can't be
        opened at all (no disk space, no access).
        """
        where = path or ":memory:"
        self._path = path
        if path:
            make_private(path)
        self._turn = threading.RLock()
        self._is_durable: bool | None = None
        self._connection = sqlite3.connect(where, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except sqlite3.OperationalError as problem:
            self._connection.close()
            raise refused(f"The journal {where} can't be opened", problem) from problem
        except sqlite3.DatabaseError as problem:
            self._connection.close()
            raise _damaged(where, problem) from problem
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        present = {row[0] for row in self._connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        for table in CHECKED_AT_START:
            if table in present:
                _refuse_damaged(self._connection.execute(f"PRAGMA quick_check({table})"))
        schema.refuse_newer(version, len(MIGRATIONS))
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA secure_delete = ON")  # removed rows are overwritten, and in no later backup
        for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
            with self.transaction() as connection:
                for statement in statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Statements]:
        """All or nothing. `durable`: when the block ends, this write and all before it survive a power cut.

        Other writes survive the end of the process. A power cut may undo the newest of them, but never one in between:
        the write-ahead log is one file, written in order and synced as a whole.
        """
        try:
            with self._turn:
                if durable is not self._is_durable:
                    self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                    self._is_durable = durable
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
        except sqlite3.IntegrityError as problem:
            raise BrokenRule(f"the journal's tables refuse a row: {problem}") from problem
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF not in UNWRITABLE:  # the low byte is the kind, the rest are the details
                raise
            raise JournalUnwritable(
                f"The journal can't be written ({problem}). Nothing is lost, but nothing new is begun. Make room on "
                "the disk, or make the state folder writable; then start the bot again: it goes on where it was."
            ) from problem

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """All rows that the query finds."""
        with self._turn:
            return self._connection.execute(query, values).fetchall()

    @property
    def changes(self) -> int:
        """The number of rows that this connection has written so far."""
        return self._connection.total_changes

    def check(self) -> None:
        """Read the whole file while others may use it. Raises `JournalDamaged`."""
        if self._path is None:
            return
        try:
            with closing(open_sqlite(self._path, "ro")) as beside:
                _refuse_damaged(beside.execute("PRAGMA quick_check(5)"))
        except sqlite3.DatabaseError as problem:
            raise _damaged(self._path, problem) from problem

    def wipe(self) -> None:
        """Remove wiped rows from the write-ahead log too, unless somebody reads from it at this moment."""
        with self._turn:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def copy_to(self, other: sqlite3.Connection) -> None:
        """Copy everything that is committed, consistently, with SQLite's online backup."""
        with self._turn:
            self._connection.backup(other)

    def close(self) -> None:
        """Close the file; the write-ahead log is merged into it."""
        with self._turn:
            self._connection.close()
