"""The journal: events come in, decisions are committed, effects go out. Each is one transaction.

Two writes must reach the disk before the bot continues. One is a sync's events with its token, because the homeserver
may forget them afterwards. The other is the intent of an effect, with everything that led to it, because others see the
effect. All other writes reach the disk with the next of these two. If a power cut undoes them, the bot makes the same
decision again from the same events, and probes or resends (with the same transaction id) a row that it was acting on,
as if the process had ended at that moment.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, Self, get_args

from fedbot.journal import archive, audit_chain, codec, outbox, quarantine
from fedbot.journal.archive import StoredArchive
from fedbot.journal.codec import instant_from_text, instant_to_text, optional_instant_from_text
from fedbot.journal.copies import FILE, write_copy
from fedbot.journal.database import Database, Statements, refuse_moved
from fedbot.journal.lock import StateLock, unwritable
from fedbot.journal.retention import prune
from fedbot.journal.sqlite import SqliteDatabase
from fedbot.ports import journal
from fedbot.ports.journal import (
    Audited,
    ChatMessage,
    Committed,
    Loss,
    NotStorable,
    OutboxRow,
    PostPlace,
    QueueName,
    Retention,
    WrongTurn,
)
from fedbot.rules.archive import Document, is_at_rest
from fedbot.rules.model.audit import AuditEntry
from fedbot.rules.model.events import (
    ChatEvent,
    ClockSetBack,
    Event,
    Posted,
    RoomSeen,
    subject_of,
)
from fedbot.rules.model.health import Quarantined
from fedbot.rules.model.transfer import Transfer

log = logging.getLogger(__name__)


def clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def _undecided_outcomes(connection: Statements) -> frozenset[str]:
    """The subjects with an undecided outcome of a step. Nothing else may begin on them."""
    found = connection.execute(
        "SELECT subject FROM inbox WHERE decided = 0 AND kind IN ('StepDone', 'StepRefused', 'StepUnknown')"
    ).fetchall()
    return frozenset(row[0] for row in found)


def _set_meta(connection: Statements, name: str, value: str) -> None:
    connection.execute(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


class Releasable(Protocol):
    """The lock or lease that keeps others away from this journal."""

    def release(self) -> None:
        """Release it."""


class StoredJournal(StoredArchive, journal.Journal):
    """The port `Journal` on a database. Also a context manager, which closes it.

    `now` dates the receipt and the end of rows, for pruning. Everything that decisions depend on has its own time.
    """

    _database: Database

    def __init__(self, database: Database, lock: Releasable | None, now: Callable[[], datetime]) -> None:
        super().__init__(database)
        self._lock = lock
        self._now = now
        self._empty_queues: set[QueueName] = set()
        """Queues without unfinished rows. Only `commit` adds to a queue, and nobody else writes here."""
        self._quarantined: tuple[Quarantined, ...] | None = None
        """A cache of the quarantine; None after a change."""
        with database.transaction() as connection:
            refuse_moved(connection)
            is_new = connection.execute(
                "INSERT INTO meta (name, value) VALUES ('journal_id', ?) ON CONFLICT DO NOTHING",
                (secrets.token_hex(16),),
            ).rowcount
            if is_new:  # with a token already, it is a copy, whose original may have continued
                connection.execute(
                    "INSERT INTO meta (name, value) SELECT 'recovers', 'copy' FROM meta WHERE name = 'token'"
                    " ON CONFLICT DO NOTHING"
                )
            found = connection.execute("SELECT value FROM meta WHERE name = 'journal_id'").fetchone()
            outbox.requeue_interrupted(connection)
        self._journal_id = str(found[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and release the state folder."""
        self._database.close()
        if self._lock:
            self._lock.release()
            self._lock = None

    @property
    def database(self) -> Database:
        """The database; it may contain keys and tokens, too."""
        return self._database

    @property
    def journal_id(self) -> str:
        """A random id, created with the journal."""
        return self._journal_id

    @property
    def epoch(self) -> int:
        """The number of our claim; 0 for a journal that needs none."""
        return getattr(self._lock, "epoch", 0)

    @property
    def recovers(self) -> bool:
        """Whether this is a copy or was rebuilt, and the rooms haven't been read since."""
        return self._meta("recovers") is not None

    def must_recover(self) -> None:
        """Note that the journal was rebuilt: the next start has to read the rooms, as after a copy."""
        with self._database.transaction() as connection:
            connection.execute("INSERT INTO meta (name, value) VALUES ('recovers', 'rebuilt') ON CONFLICT DO NOTHING")

    def has_recovered(self) -> None:
        """Note that the rooms were read."""
        with self._database.transaction(durable=False) as connection:
            connection.execute("DELETE FROM meta WHERE name = 'recovers'")

    def mark(self) -> int:
        """The journal's last mark; 0 for none."""
        return int(self._meta("mark") or 0)

    def next_mark(self) -> int:
        """Increase the mark, durably."""
        with self._database.transaction() as connection:
            mark = self.mark() + 1
            _set_meta(connection, "mark", str(mark))
        return mark

    def was_put_back(self, mark: int) -> None:
        """Note that the bot has done more than the journal knows: it gets a new id, and the rooms must be read."""
        with self._database.transaction() as connection:
            _set_meta(connection, "mark", str(mark))
            self._journal_id = secrets.token_hex(16)
            connection.execute("UPDATE meta SET value = ? WHERE name = 'journal_id'", (self._journal_id,))
            connection.execute("INSERT INTO meta (name, value) VALUES ('recovers', 'older') ON CONFLICT DO NOTHING")

    def _meta(self, name: str) -> str | None:
        found = self._database.rows("SELECT value FROM meta WHERE name = ?", name)
        return str(found[0][0]) if found else None

    # --- events -------------------------------------------------------------------------------------------

    def token(self) -> str | None:
        """The sync token; None in a new journal."""
        return self._meta("token")

    def receive(self, events: Sequence[Event], token: str | None) -> int:
        """Store the events of one sync with its token; return how many were new. Raises `NotStorable`, without effect.

        Events that are nested too deeply are left out. Otherwise they would stop every start again.
        """
        received_at = instant_to_text(self._now())
        with self._database.transaction(durable=bool(events)) as connection:
            new = 0
            for event in events:
                if not self._is_new(connection, event, received_at):
                    continue
                try:
                    self._append(connection, event, received_at)
                    new += 1
                except codec.TooDeep as problem:
                    log.warning("left out an event (%s): %s", getattr(event, "event_id", ""), problem)
            if token is not None:
                _set_meta(connection, "token", token)
        return new

    @staticmethod
    def _is_new(connection: Statements, event: Event, received_at: str) -> bool:
        """Whether a chat event is new. Always for `RoomSeen`, which we create ourselves without a useful id."""
        if not isinstance(event, get_args(ChatEvent)) or isinstance(event, RoomSeen) or not event.event_id:
            return True
        return bool(
            connection.execute(
                "INSERT INTO seen (event_id, received_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (event.event_id, received_at),
            ).rowcount
        )

    def put(self, event: Event) -> int:
        """Store one event that isn't from the chat; return its seq."""
        with self._database.transaction(durable=False) as connection:
            return self._append(connection, event, instant_to_text(self._now()))

    @staticmethod
    def _append(connection: Statements, event: Event, received_at: str) -> int:
        kind, payload = codec.to_text(codec.EVENTS, event)
        row = connection.execute(
            "INSERT INTO inbox (kind, payload, subject, received_at) VALUES (?, ?, ?, ?) RETURNING seq",
            (kind, payload, subject_of(event), received_at),
        ).fetchone()
        return int(row[0])

    def next_event(self, after: int = 0) -> tuple[int, Event] | None:
        """The oldest undecided event after `after`. Raises `UnreadableRow`, whose seq can be quarantined."""
        found = self._database.rows(
            "SELECT seq, kind, payload, subject FROM inbox WHERE decided = 0 AND seq > ?"
            " AND seq NOT IN (SELECT event FROM quarantine WHERE event IS NOT NULL) ORDER BY seq LIMIT 1",
            after,
        )
        if not found:
            return None
        seq, kind, payload, subject = found[0]
        what = f"the event {seq}"
        return seq, codec.read_row(codec.EVENTS, kind, payload, what=what, number=seq, subject=subject)

    def last_moment(self) -> datetime | None:
        """The newest time of an event or an unfinished effect, by our clock at that moment; None in a new journal."""
        found = self._database.rows(
            "SELECT (SELECT received_at FROM inbox ORDER BY seq DESC LIMIT 1),"
            " (SELECT max(acted_at) FROM outbox WHERE state IN ('queued', 'acting'))"
        )
        return max((instant_from_text(moment) for moment in found[0] if moment), default=None)

    def clock_set_back(self, event: ClockSetBack) -> None:
        """Store this event, and correct the times of the outbox that a fast clock set."""
        with self._database.transaction(durable=False) as connection:
            outbox.clock_set_back(connection, event.at, event.last - event.at)
            self._append(connection, event, instant_to_text(event.at))

    def commit(self, seq: int, decision: Committed) -> tuple[int, ...]:
        """Commit everything that follows from one event. Raises `WrongTurn` if it is decided already, or unknown."""
        self._empty_queues.difference_update(queued.queue for queued in decision.queued)
        self._quarantined = None if decision.voided else self._quarantined
        with self._database.transaction(durable=False) as connection:
            marked = connection.execute("UPDATE inbox SET decided = 1 WHERE seq = ? AND decided = 0", (seq,)).rowcount
            if marked != 1:
                raise WrongTurn(f"the event {seq} is not waiting for a decision")
            for (kind, identifier), document in decision.documents.items():
                self._save(connection, kind, identifier, document)
            audit_chain.append(connection, seq, decision.at, decision.audit)
            connection.executemany(
                "INSERT INTO posts (event_id, key, room, edit) VALUES (?, ?, ?, 0)"
                " ON CONFLICT (event_id) DO UPDATE SET key = excluded.key",
                decision.found,
            )
            outbox.void(connection, decision.voided, decision.at)
            return outbox.insert(connection, seq, decision.at, decision.queued)

    @staticmethod
    def _save(connection: Statements, kind: str, identifier: str, document: Document | None) -> None:
        if kind == Transfer.__name__:
            archive.take_out(connection, identifier)
        if document is None:
            connection.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, identifier))
            return
        real_kind, payload = codec.to_text(codec.DOCUMENTS, document)
        if (kind, identifier) != (real_kind, document.id):
            raise NotStorable(f"{real_kind} {document.id} under the name {kind} {identifier}")
        connection.execute(
            "INSERT INTO documents (kind, id, payload) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET payload = excluded.payload",
            (kind, identifier, payload),
        )
        if isinstance(document, Transfer) and is_at_rest(document):
            archive.put_in(connection, document)

    # --- documents ----------------------------------------------------------------------------------------

    def documents(self) -> Iterator[tuple[str, str, Document]]:
        """All documents that aren't at rest, as (class name, id, document), oldest first. Raises `UnreadableRow`."""
        found = self._database.rows("SELECT number, kind, id, payload FROM documents ORDER BY number")
        for number, kind, identifier, payload in found:
            what = f"the document {identifier}"
            document = codec.read_row(codec.DOCUMENTS, kind, payload, what=what, number=number)
            yield kind, identifier, document

    def posts(self) -> Iterator[tuple[str, str]]:
        """All messages that we sent, as (event id, key), edits included."""
        found = self._database.rows("SELECT event_id, key FROM posts ORDER BY number")
        yield from found

    def post(self, key: str) -> PostPlace | None:
        """The newest message with this key; never an edit."""
        found = self._database.rows(
            "SELECT room, event_id FROM posts WHERE key = ? AND edit = 0 ORDER BY number DESC LIMIT 1", key
        )
        return PostPlace(*found[0]) if found else None

    def audit(self, subject: str) -> tuple[Audited, ...]:
        """The audit of a subject, oldest first. Raises `UnreadableRow`."""
        found = self._database.rows(
            "SELECT number, at, cause, entry FROM audit WHERE subject = ? ORDER BY number", subject
        )
        audited = []
        for number, at, cause, text in found:
            what = f"the audit's line {number}"
            entry = codec.read_row(codec.AUDIT, AuditEntry.__name__, text, what=what, number=number)
            audited.append(Audited(instant_from_text(at), cause, entry))
        return tuple(audited)

    # --- the outbox ---------------------------------------------------------------------------------------

    def due(self, queue: QueueName, now: datetime) -> tuple[OutboxRow, ...]:
        """The rows that may begin now, the most urgent first. Raises `UnreadableRow`; such a row can be failed."""
        if queue in self._empty_queues:
            return ()
        with self._database.transaction(durable=False) as connection:
            rows = outbox.unfinished(connection, queue)
            if not rows:
                self._empty_queues.add(queue)
                return ()
            held = _undecided_outcomes(connection) if queue == "act" else frozenset[str]()
            chosen = outbox.due(rows, now, held)
            return tuple(outbox.read(connection, row.id) for row in chosen)

    def next_due(self, queue: QueueName | None = None) -> datetime | None:
        """The earliest time that a row waits for, in one queue or in all. It may be past."""
        if queue in self._empty_queues:
            return None
        found = self._database.rows(
            "SELECT min(not_before) FROM outbox WHERE state = 'queued' AND (lane = ?1 OR CAST(?1 AS TEXT) IS NULL)",
            queue,
        )
        return optional_instant_from_text(found[0][0])

    def waiting(self) -> int:
        """The number of effects that have not ended yet."""
        if self._empty_queues.issuperset(get_args(QueueName)):
            return 0
        found = self._database.rows("SELECT count(*) FROM outbox WHERE state IN ('queued', 'acting')")
        return int(found[0][0])

    def begin(self, row: int, at: datetime) -> None:
        """Write the intent durably, before the effect. Raises `WrongTurn` if the row isn't queued."""
        with self._database.transaction() as connection:
            outbox.begin(connection, row, at)

    def finish(self, row: int, outcome: Event | None) -> None:
        """Note that a row is done, with its result. Raises `WrongTurn` if it has ended already."""
        now = self._now()
        with self._database.transaction(durable=False) as connection:
            outbox.end(connection, row, "done", now)
            if isinstance(outcome, Posted) and outcome.key:
                effect = outbox.read(connection, row).effect
                edit = isinstance(effect, ChatMessage) and effect.edit
                connection.execute(
                    "INSERT INTO posts (event_id, key, room, edit) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (outcome.event_id, outcome.key, outcome.room, int(edit)),
                )
            if outcome:
                self._append(connection, outcome, instant_to_text(now))

    def postpone(
        self,
        row: int,
        not_before: datetime,
        event: Event | None = None,
        *,
        reached: bool = True,
        problem: str = "",
    ) -> None:
        """Postpone a row. Raises `WrongTurn` if it has ended already."""
        with self._database.transaction(durable=False) as connection:
            outbox.postpone(connection, row, not_before, reached=reached, problem=problem)
            if event:
                self._append(connection, event, instant_to_text(self._now()))

    def fail(self, row: int, outcome: Event | None, problem: str) -> None:
        """Note that a row has failed for good. Raises `WrongTurn` if it has ended already."""
        now = self._now()
        with self._database.transaction(durable=False) as connection:
            outbox.end(connection, row, "failed", now, problem)
            if outcome:
                self._append(connection, outcome, instant_to_text(now))

    # --- the quarantine -----------------------------------------------------------------------------------

    def set_event_aside(self, seq: int, quarantined: Quarantined) -> int:
        """Quarantine an event until `try_again`; return its number."""
        self._quarantined = None
        with self._database.transaction(durable=False) as connection:
            return quarantine.set_aside(connection, quarantined, event=seq)

    def set_row_aside(self, row: int, quarantined: Quarantined) -> int:
        """Quarantine an effect until `try_again`; return its number, or 0 if the row has ended already."""
        self._quarantined = None
        with self._database.transaction(durable=False) as connection:
            return quarantine.set_aside(connection, quarantined, effect=row) if outbox.set_aside(connection, row) else 0

    def set_timers_aside(self, quarantined: Quarantined) -> int:
        """Quarantine the timers of a subject until `try_again`; return the number."""
        self._quarantined = None
        with self._database.transaction(durable=False) as connection:
            return quarantine.set_aside(connection, quarantined)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """The quarantined rows, oldest first."""
        if self._quarantined is None:
            self._quarantined = quarantine.entries(self._database.rows(quarantine.ENTRIES))
        return self._quarantined

    def try_again(self, number: int) -> bool:
        """Take the entry with this number out of quarantine; False if there is none."""
        self._quarantined = None
        with self._database.transaction() as connection:
            return quarantine.try_again(connection, number)

    def drop(self, number: int, *, is_sure: bool) -> Loss:
        """Drop the entry with this number for good, if that is possible and `is_sure`."""
        self._quarantined = None
        with self._database.transaction() as connection:
            return quarantine.drop(connection, number, self._now(), self._append, is_sure=is_sure)

    # --- upkeep -------------------------------------------------------------------------------------------

    def prune(self, retention: Retention) -> int:
        """Remove and wipe ended rows. The documents, the archive and our posts stay."""
        with self._database.transaction(durable=False) as connection:
            removed = prune(connection, retention, self._now())
        self._database.wipe()
        return removed

    def check(self) -> None:
        """Read the whole file while the bot uses it. Raises `JournalDamaged`."""
        self._database.check()

    def backup(self, path: Path) -> None:
        """Write a consistent copy to `path`, completely or not at all. It replaces an older file (`copies`)."""
        write_copy(self._database.copy_to, path)


class Journal(StoredJournal):
    """A journal on SQLite, created by `open` or `in_memory`."""

    _database: SqliteDatabase

    @classmethod
    def open(cls, folder: Path, now: Callable[[], datetime] = clock) -> Journal:
        """Open the journal in this state folder, and create it if there is none.

        Raises `StateInUse`, `JournalDamaged`, `JournalTooNew`, `JournalUnwritable` or `JournalProblem`.
        """
        lock = StateLock(folder)
        try:
            return cls(SqliteDatabase(folder / FILE), lock, now)
        except OSError as problem:
            lock.release()
            raise unwritable(folder, problem) from problem
        except BaseException:
            lock.release()
            raise

    @classmethod
    def in_memory(cls, now: Callable[[], datetime] = clock) -> Journal:
        """A journal in memory, for tests."""
        return cls(SqliteDatabase(None), None, now)
