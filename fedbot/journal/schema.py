"""The tables of a journal, and their migrations, in SQLite's SQL.

A change of the tables, or of a record's fields that `codec` can't read, is one more entry at the end of `TABLES`, with
its triggers in `sqlite` and `postgresql`. A released entry is never changed. `postgresql` translates each statement.
"""

from __future__ import annotations

from fedbot.journal import audit_chain
from fedbot.ports.journal import JournalTooNew

TABLES: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE meta (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID""",
        # AUTOINCREMENT: a pruned number is never given again, because transaction ids are made from it
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
        # an event of the inbox, an effect of the outbox, or, with neither, a failed timer of `subject`
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
        # transfers at rest, by their former number among the documents; `latest` as in `rules.archive`
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
        # the flows of each transfer, one row per direction: `rules.archive.PeerFlow`
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
        *audit_chain.TABLES,
    ),
)


def refuse_newer(version: int, known: int) -> None:
    """Raise `JournalTooNew` if the journal has a newer version than the newest `known` one."""
    if version > known:
        raise JournalTooNew(
            f"The journal has version {version}, this fedbot knows {known} at most. "
            "Install the fedbot that last worked with it, or a newer one."
        )
