"""The tables, how they came to be what they are, and how the file is opened.

A change of the tables, or of a record's fields that `codec` can't read, is one more entry at the end of
`MIGRATIONS`; an entry that was released is never changed.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from fedbot.files import make_private
from fedbot.journal import chain
from fedbot.ports.journal import JournalDamaged, JournalProblem, JournalTooNew, JournalUnwritable

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE meta (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
        # AUTOINCREMENT: a pruned number is never given again, since transaction ids are made from it
        """CREATE TABLE inbox (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            payload TEXT NOT NULL,
            subject TEXT NOT NULL,
            received_at TEXT NOT NULL,
            decided INTEGER NOT NULL DEFAULT 0 CHECK (decided IN (0, 1))
        ) STRICT""",
        "CREATE INDEX inbox_undecided ON inbox (seq) WHERE decided = 0",
        """CREATE TABLE seen (
            event_id TEXT PRIMARY KEY,
            received_at TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE documents (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            id TEXT NOT NULL,
            payload TEXT NOT NULL,
            UNIQUE (kind, id)
        ) STRICT""",
        """CREATE TABLE outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            cause INTEGER NOT NULL,
            ordinal INTEGER NOT NULL,
            lane TEXT NOT NULL CHECK (lane IN ('chat', 'act', 'ask', 'vault')),
            kind TEXT NOT NULL,
            payload TEXT NOT NULL,
            priority INTEGER NOT NULL,
            key TEXT NOT NULL,
            state TEXT NOT NULL DEFAULT 'queued'
                CHECK (state IN ('queued', 'acting', 'quarantined', 'done', 'failed')),
            attempts INTEGER NOT NULL DEFAULT 0,
            acted_at TEXT,
            acted_before TEXT,
            not_before TEXT,
            problem TEXT NOT NULL DEFAULT '',
            created_at TEXT NOT NULL,
            ended_at TEXT,
            UNIQUE (cause, ordinal)
        ) STRICT""",
        "CREATE INDEX outbox_open ON outbox (lane, id) WHERE state IN ('queued', 'acting', 'quarantined')",
        # an event of the inbox, an effect of the outbox, or, with neither, what the clock can't do for `subject`
        """CREATE TABLE quarantine (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            event INTEGER UNIQUE,
            effect INTEGER UNIQUE,
            what TEXT NOT NULL,
            subject TEXT NOT NULL,
            problem TEXT NOT NULL,
            at TEXT NOT NULL
        ) STRICT""",
        """CREATE TABLE posts (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            event_id TEXT NOT NULL UNIQUE,
            key TEXT NOT NULL,
            room TEXT NOT NULL,
            edit INTEGER NOT NULL CHECK (edit IN (0, 1))
        ) STRICT""",
        # transfers at rest, by the number that they had among the documents; `latest` as in `rules.model.archive`
        """CREATE TABLE archive (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            peer TEXT NOT NULL,
            room TEXT NOT NULL,
            asked_at TEXT NOT NULL,
            latest TEXT NOT NULL,
            payload TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX archive_listed ON archive (asked_at, id, room, peer, latest)",
        "CREATE INDEX archive_peers ON archive (peer, room, latest)",
        """CREATE TABLE archive_marks (
            mark TEXT NOT NULL,
            value TEXT NOT NULL,
            transfer TEXT NOT NULL,
            PRIMARY KEY (mark, value, transfer)
        ) STRICT, WITHOUT ROWID""",
        # what went over by them, a row a line: `rules.model.archive.Flowed`
        """CREATE TABLE archive_flows (
            transfer TEXT NOT NULL,
            room TEXT NOT NULL,
            went_at TEXT NOT NULL,
            peer TEXT NOT NULL,
            way TEXT NOT NULL,
            lines INTEGER NOT NULL,
            pieces TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX archive_flows_transfer ON archive_flows (transfer)",
        "CREATE INDEX archive_marks_transfer ON archive_marks (transfer)",
        """CREATE VIEW all_documents (number, kind, id, payload) AS
            SELECT number, kind, id, payload FROM documents
            UNION ALL SELECT number, 'Transfer', id, payload FROM archive""",
        "CREATE INDEX posts_key ON posts (key, number) WHERE edit = 0",
        *chain.SCHEMA,
    ),
)


CHECKED_AT_START = ("meta", "inbox", "outbox", "quarantine", "documents")
"""The tables from which a start goes on; they don't grow with the years. The others are checked in time (`copies`)."""
UNWRITABLE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})


def _damaged(where: Path | str, problem: sqlite3.DatabaseError) -> JournalDamaged:
    return JournalDamaged(
        f"The journal {where} is damaged ({problem}). Nothing was changed. "
        "Put a backup in its place, or move it away and run: fedbot rebuild"
    )


def _refuse_damaged(check: Iterable[tuple[str]]) -> None:
    findings = [finding for (finding,) in check]
    if findings != ["ok"]:
        raise sqlite3.DatabaseError("; ".join(findings))


class Database:
    """One SQLite connection, on which each change is a transaction. Threads take turns."""

    def __init__(self, path: Path | None) -> None:
        """Open, check and bring up to date; None is a database in memory.

        Raises `JournalDamaged` or `JournalTooNew`, and then the file is as it was; `JournalProblem` if it
        can't be opened at all (no space, no access).
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
            raise JournalProblem(f"The journal {where} can't be opened: {problem}") from problem
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
        if version > len(MIGRATIONS):
            raise JournalTooNew(
                f"The journal has version {version}, this fedbot knows {len(MIGRATIONS)} at most. "
                "Install the fedbot that last worked with it, or a newer one."
            )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA secure_delete = ON")  # what is removed is overwritten, and in no backup
        for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
            with self.transaction() as connection:
                for statement in statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """All or nothing. `durable`: this and all before it outlive a power cut from the end of the block on.

        What isn't durable outlives the end of the process all the same. A power cut takes back only the last of
        it, never something in between: the write-ahead log is one file, written in order and synced as a whole.
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
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF not in UNWRITABLE:  # the low byte says which, the rest how
                raise
            raise JournalUnwritable(
                f"The journal can't be written ({problem}). Nothing is lost, but nothing new is begun. Make room on "
                "the disk, or make the state folder writable; then start the bot again: it goes on where it was."
            ) from problem

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Every row that the query finds."""
        with self._turn:
            return self._connection.execute(query, values).fetchall()

    def check(self) -> None:
        """Read all of the file, beside whoever works with it. Raises `JournalDamaged`."""
        if self._path is None:
            return
        try:
            with closing(sqlite3.connect(f"file:{quote(str(self._path))}?mode=ro", uri=True)) as beside:
                _refuse_damaged(beside.execute("PRAGMA quick_check(5)"))
        except sqlite3.DatabaseError as problem:
            raise _damaged(self._path, problem) from problem

    def wipe(self) -> None:
        """What was removed leaves the write-ahead log, too, unless somebody reads by it at this moment."""
        with self._turn:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def copy_to(self, other: sqlite3.Connection) -> None:
        """SQLite's online backup: everything that is committed, in one consistent copy."""
        with self._turn:
            self._connection.backup(other)

    def close(self) -> None:
        """Close the file; the write-ahead log goes into it."""
        with self._turn:
            self._connection.close()
