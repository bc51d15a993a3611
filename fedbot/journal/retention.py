"""Deletes what is older than the settings keep it: events, effects, audit entries and event ids."""

from __future__ import annotations

from datetime import datetime

from fedbot.journal import audit_chain
from fedbot.journal.codec import instant_to_text
from fedbot.journal.database import Statements, places
from fedbot.ports.journal import Retention
from fedbot.rules.model.events import (
    Answered,
    DecidedOffChat,
    PhotoSent,
    Reacted,
    Redacted,
    Said,
    SaidOffChat,
    Unanswered,
    Unreadable,
)

_FROM_LINES = [
    kind.__name__
    for kind in (Said, SaidOffChat, DecidedOffChat, PhotoSent, Reacted, Redacted, Unreadable, Answered, Unanswered)
]
"""The kinds of events that contain what people said or asked for."""


def prune(connection: Statements, retention: Retention, now: datetime) -> int:
    """Remove events, effects, audit entries and event ids that have ended and are too old.

    Return the number of removed events, effects and audit entries.
    """
    removed = 0
    kinds = places(len(_FROM_LINES))
    for of_lines, age in ((True, retention.lines), (False, retention.events)):
        removed += connection.execute(
            f"DELETE FROM inbox WHERE decided = 1 AND received_at < ? AND (kind IN ({kinds})) = ?",  # noqa: S608 -- ?
            (instant_to_text(now - age), *_FROM_LINES, of_lines),
        ).rowcount
    for of_lines, age in ((True, retention.lines), (False, retention.messages)):
        removed += connection.execute(
            "DELETE FROM outbox WHERE state IN ('done', 'failed') AND ended_at < ? AND (lane = 'ask') = ?",
            (instant_to_text(now - age), of_lines),
        ).rowcount
    if retention.audit is not None:
        removed += audit_chain.prune(connection, now - retention.audit, now)
    # a clock that is far ahead would make all of them old
    connection.execute(
        "DELETE FROM seen WHERE received_at < ?"
        " AND event_id NOT IN (SELECT event_id FROM seen ORDER BY received_at DESC LIMIT ?)",
        (instant_to_text(now - retention.event_ids), retention.least_ids),
    )
    return removed
