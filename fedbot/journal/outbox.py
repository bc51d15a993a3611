"""The outbox: effects in order, each done once; and the quarantine."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from fedbot.journal import codec
from fedbot.journal.codec import (
    instant_from_text,
    instant_to_text,
    optional_instant_from_text,
    optional_instant_to_text,
)
from fedbot.journal.database import Statements
from fedbot.ports.journal import OutboxRow, Queued, QueueName, RowState, WrongTurn
from fedbot.rules.reminders import moved_back

_READ = """
    SELECT cause, lane, kind, payload, priority, key, state, attempts, acted_at, not_before,
        created_at, problem
    FROM outbox WHERE id = ?
"""


def insert(connection: Statements, cause: int, at: datetime, queued: tuple[Queued, ...]) -> tuple[int, ...]:
    """Append these effects of one event; return the ids of the rows."""
    ids = []
    for ordinal, entry in enumerate(queued):
        kind, payload = codec.to_text(codec.EFFECTS, entry.effect)
        row = connection.execute(
            "INSERT INTO outbox (cause, ordinal, lane, kind, payload, priority, key, not_before, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                cause,
                ordinal,
                entry.queue,
                kind,
                payload,
                entry.priority,
                entry.key,
                optional_instant_to_text(entry.not_before),
                instant_to_text(at),
            ),
        ).fetchone()
        ids.append(row[0])
    return tuple(ids)


class Unfinished(NamedTuple):
    """The part of an unfinished row that decides when it may begin; `not_before` as it is stored."""

    id: int
    key: str
    priority: int
    state: RowState
    not_before: str | None


def due(rows: Iterable[Unfinished], now: datetime, held: frozenset[str] = frozenset()) -> list[Unfinished]:
    """Choose the rows that may begin, from all unfinished rows of a queue by id.

    The most urgent come first. Rows with the same key keep their order: a row that is postponed, quarantined or being
    acted on holds back the rows after it, and an urgent row makes the rows before it urgent. No row with a key in
    `held` may begin.
    """
    instant = instant_to_text(now)
    held_keys = set(held)
    free: list[Unfinished] = []
    for row in rows:
        is_due = row.not_before is None or row.not_before <= instant
        if row.state == "queued" and row.key not in held_keys and is_due:
            free.append(row)
        elif row.key:
            held_keys.add(row.key)
    of_key: dict[str, int] = {}
    urgency: dict[int, int] = {}
    for row in reversed(free):
        urgency[row.id] = min(row.priority, of_key.get(row.key, row.priority)) if row.key else row.priority
        of_key[row.key] = urgency[row.id]
    return sorted(free, key=lambda row: (urgency[row.id], row.id))


def unfinished(connection: Statements, queue: QueueName) -> list[Unfinished]:
    """The rows of a queue that `due` chooses from."""
    found = connection.execute(
        "SELECT id, key, priority, state, not_before FROM outbox"
        " WHERE lane = ? AND state IN ('queued', 'acting', 'quarantined') ORDER BY id",
        (queue,),
    )
    return [Unfinished(*row) for row in found]


def read(connection: Statements, number: int) -> OutboxRow:
    """One row. Raises `WrongTurn` if there is none, `UnreadableRow` if it can't be read."""
    found = connection.execute(_READ, (number,)).fetchone()
    if found is None:
        raise WrongTurn(f"there is no outbox row {number}")
    cause, queue, kind, payload, priority, key, state, attempts, *times, problem = found
    acted_at, not_before, created_at = times
    return OutboxRow(
        id=number,
        cause=cause,
        queue=queue,
        effect=codec.read_row(codec.EFFECTS, kind, payload, what=f"the effect {number}", number=number),
        priority=priority,
        key=key,
        state=state,
        attempts=attempts,
        acted_at=optional_instant_from_text(acted_at),
        not_before=optional_instant_from_text(not_before),
        created_at=instant_from_text(created_at),
        problem=problem,
    )


def begin(connection: Statements, number: int, at: datetime) -> None:
    """`queued -> acting`. The time of the previous try is kept, in case this one never reaches the other end."""
    changed = connection.execute(
        "UPDATE outbox SET state = 'acting', attempts = attempts + 1, acted_before = acted_at, acted_at = ?"
        " WHERE id = ? AND state = 'queued'",
        (instant_to_text(at), number),
    ).rowcount
    _must_be_one(changed, number, "begun")


def end(connection: Statements, number: int, state: RowState, at: datetime, problem: str = "") -> None:
    """End a row as `done` or `failed`; also directly from `queued`, if a probe found it done or it became void."""
    changed = connection.execute(
        "UPDATE outbox SET state = ?, ended_at = ?, problem = ?, not_before = NULL"
        " WHERE id = ? AND state IN ('queued', 'acting')",
        (state, instant_to_text(at), problem, number),
    ).rowcount
    _must_be_one(changed, number, "ended")


def void(connection: Statements, keys: tuple[str, ...], at: datetime) -> None:
    """End the unfinished steps with these keys, undone."""
    if not keys:
        return
    connection.executemany(
        "UPDATE outbox SET state = 'failed', ended_at = ?, problem = 'void', not_before = NULL"
        " WHERE lane = 'act' AND key = ? AND state IN ('queued', 'acting', 'quarantined')",
        [(instant_to_text(at), key) for key in keys],
    )
    connection.execute("DELETE FROM quarantine WHERE effect IN (SELECT id FROM outbox WHERE state = 'failed')")


def postpone(connection: Statements, number: int, not_before: datetime, *, reached: bool, problem: str) -> None:
    """Back to `queued`, with the earliest time of the next try."""
    changed = connection.execute(
        "UPDATE outbox SET state = 'queued', not_before = ?, problem = ?,"
        " acted_at = CASE WHEN state = 'acting' AND NOT ? THEN acted_before ELSE acted_at END"
        " WHERE id = ? AND state IN ('queued', 'acting')",
        (instant_to_text(not_before), problem, reached, number),
    ).rowcount
    _must_be_one(changed, number, "put off")


def set_aside(connection: Statements, number: int) -> bool:
    """To `quarantined`, with the time of the last try; False if the row has ended already."""
    return bool(
        connection.execute(
            "UPDATE outbox SET state = 'quarantined', not_before = NULL WHERE id = ? AND state IN ('queued', 'acting')",
            (number,),
        ).rowcount
    )


def take_back(connection: Statements, number: int) -> None:
    """`quarantined -> queued`."""
    connection.execute("UPDATE outbox SET state = 'queued' WHERE id = ? AND state = 'quarantined'", (number,))


def clock_set_back(connection: Statements, now: datetime, ahead: timedelta) -> None:
    """Set back the times that a clock wrote while it was `ahead`, by as much, but not before `now`."""
    found = connection.execute(
        "SELECT id, acted_at, acted_before, not_before, created_at FROM outbox"
        " WHERE state IN ('queued', 'acting', 'quarantined')"
    ).fetchall()
    for number, *times in found:
        moments = [moved_back(optional_instant_from_text(time), now, ahead) for time in times]
        connection.execute(
            "UPDATE outbox SET acted_at = ?, acted_before = ?, not_before = ?, created_at = ? WHERE id = ?",
            (*(optional_instant_to_text(moment) for moment in moments), number),
        )


def requeue_interrupted(connection: Statements) -> None:
    """Queue the rows again that were being acted on when the process ended; `acted_at` shows that they were."""
    connection.execute("UPDATE outbox SET state = 'queued' WHERE state = 'acting'")


def _must_be_one(changed: int, number: int, what: str) -> None:
    if changed != 1:
        raise WrongTurn(f"the outbox row {number} can't be {what} now")


# The quarantine's rows, read by the running bot and, at the same time, by `fedbot status`.
