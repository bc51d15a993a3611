"""The audit's hash chain: each entry contains the hash of the previous one, so any change or omission shows.

Pruning leaves a checkpoint: the number and the hash of the last removed entry. The rest of the chain follows from it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from fedbot.journal import codec
from fedbot.journal.codec import instant_to_text
from fedbot.journal.database import Statements
from fedbot.rules.model.audit import AuditEntry

GENESIS = "0" * 64
GUARDS = frozenset(
    {"audit_is_appended", "audit_never_changes", "audit_is_kept", "checkpoint_is_true", "checkpoint_never_changes"}
)
"""The triggers that prevent single changes. If somebody removes them, the chain shows the change."""

TABLES = (
    """CREATE TABLE audit (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        cause INTEGER NOT NULL,
        subject TEXT NOT NULL,
        entry TEXT NOT NULL,
        previous TEXT NOT NULL,
        hash TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX audit_subject ON audit (subject, number)",
    """CREATE TABLE audit_checkpoints (
        number INTEGER PRIMARY KEY,
        hash TEXT NOT NULL,
        at TEXT NOT NULL
    ) STRICT""",
    """CREATE VIEW audit_head (number, hash) AS
        SELECT number, hash FROM (
            SELECT * FROM (SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1) AS newest
            UNION ALL SELECT * FROM (SELECT number, hash FROM audit_checkpoints ORDER BY number DESC LIMIT 1) AS pruned
            UNION ALL SELECT 0, replace('00000000', '0', '00000000')
        ) AS ends ORDER BY number DESC LIMIT 1""",
)


@dataclass(frozen=True)
class Link:
    """A row of the audit. `entry` is the JSON text of an `AuditEntry`, `at` is ISO 8601 in UTC."""

    number: int
    at: str
    cause: int
    subject: str
    entry: str
    previous: str
    hash: str


@dataclass(frozen=True)
class Verified:
    """The result of verifying the chain.

    `entries` is the number of entries that fit, from number `first` on; `head` is the hash of the last. `broken` is the
    number of the first entry that doesn't fit (0 if all do), `why` the reason. `known` says whether the requested hash
    was found.
    """

    entries: int
    first: int
    head: str
    broken: int = 0
    why: str = ""
    known: bool = True


class Bookkeeping(NamedTuple):
    """Queries for the database's own records about the audit: its last number ever given, and its triggers."""

    written: str
    guards: str


def hash_of(previous: str, number: int, at: str, cause: int, subject: str, entry: str) -> str:
    """The SHA-256, in hex, of the JSON list of these six values (no white space, ASCII only)."""
    text = json.dumps([previous, number, at, cause, subject, entry], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def append(connection: Statements, cause: int, at: datetime, entries: tuple[AuditEntry, ...]) -> None:
    """Append the entries of one event. Raises `NotStorable`."""
    if not entries:
        return
    number, previous = connection.execute("SELECT number, hash FROM audit_head").fetchone()
    moment = instant_to_text(at)
    for entry in entries:
        number += 1
        _, text = codec.to_text(codec.AUDIT, entry)
        digest = hash_of(previous, number, moment, cause, entry.subject, text)
        connection.execute(
            "INSERT INTO audit (number, at, cause, subject, entry, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, moment, cause, entry.subject, text, previous, digest),
        )
        previous = digest


def prune(connection: Statements, older_than: datetime, now: datetime) -> int:
    """Replace older entries by a checkpoint; return how many."""
    found = connection.execute(
        "SELECT number, hash FROM audit WHERE number < coalesce((SELECT min(number) FROM audit WHERE at >= ?1),"
        " (SELECT max(number) + 1 FROM audit)) ORDER BY number DESC LIMIT 1",
        (instant_to_text(older_than),),
    ).fetchone()
    if found is None:
        return 0
    connection.execute(
        "INSERT INTO audit_checkpoints (number, hash, at) VALUES (?, ?, ?)", (*found, instant_to_text(now))
    )
    return connection.execute("DELETE FROM audit WHERE number <= ?", found[:1]).rowcount


def links(connection: Statements) -> Iterator[Link]:
    """All entries, oldest first."""
    rows = connection.execute("SELECT number, at, cause, subject, entry, previous, hash FROM audit ORDER BY number")
    return (Link(*row) for row in rows)


def verify(connection: Statements, bookkeeping: Bookkeeping, wanted: str = "") -> Verified:
    """Verify the chain from its beginning or newest checkpoint. `wanted`: an earlier head to look for."""
    query = "SELECT number, hash FROM audit_checkpoints ORDER BY number DESC LIMIT 1"
    number, previous = connection.execute(query).fetchone() or (0, GENESIS)
    found = Verified(0, number + 1, previous)
    seen = {row[0] for row in connection.execute("SELECT hash FROM audit_checkpoints")} | {GENESIS}
    for link in links(connection):
        why = _misfit(link, number, previous)
        if why:
            return Verified(found.entries, found.first, previous, link.number, why)
        number, previous = link.number, link.hash
        seen.add(previous)
        found = Verified(found.entries + 1, found.first, previous)
    written = connection.execute(bookkeeping.written).fetchone()[0]
    if written > number:
        return Verified(found.entries, found.first, previous, number + 1, "it and what followed is gone")
    here = {row[0] for row in connection.execute(bookkeeping.guards)}
    if missing := sorted(GUARDS - here):
        why = f"the guards of the table are gone ({', '.join(missing)})"
        return Verified(found.entries, found.first, previous, number + 1, why)
    return Verified(found.entries, found.first, previous, known=not wanted or wanted in seen)


def _misfit(link: Link, number: int, previous: str) -> str:
    """Why the entry doesn't follow the one with that number and hash; '' if it does."""
    if link.number != number + 1:
        return f"entry {number + 1} is gone" if link.number > number else "its number is out of order"
    if link.previous != previous:
        return "it doesn't follow the entry before it"
    if link.hash != hash_of(link.previous, link.number, link.at, link.cause, link.subject, link.entry):
        return "it was changed"
    return ""
