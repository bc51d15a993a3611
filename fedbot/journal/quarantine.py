"""The quarantine: rows that the bot can't handle. People try them again, or drop them and lose what they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from fedbot.journal import audit_chain, outbox
from fedbot.journal.codec import instant_from_text, instant_to_text
from fedbot.journal.database import Statements
from fedbot.ports.journal import Loss, UnreadableRow
from fedbot.rules.model.audit import AuditEntry, Dropped
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Ask
from fedbot.rules.model.events import Event, Unanswered
from fedbot.rules.model.health import Quarantined
from fedbot.rules.model.queries import WhenAnsweredOrNot

ENTRIES = "SELECT number, what, subject, problem, at, event FROM quarantine ORDER BY number"


def entries(rows: Iterable[tuple[Any, ...]]) -> tuple[Quarantined, ...]:
    """The entries of the rows that `ENTRIES` finds."""
    return tuple(
        Quarantined(what, subject, problem, instant_from_text(at), number, is_event=event is not None)
        for number, what, subject, problem, at, event in rows
    )


def set_aside(
    connection: Statements, quarantined: Quarantined, *, event: int | None = None, effect: int | None = None
) -> int:
    """Quarantine an event, an effect or a subject's timers; return the entry's number."""
    row = connection.execute(
        "INSERT INTO quarantine (event, effect, what, subject, problem, at) VALUES (?, ?, ?, ?, ?, ?) RETURNING number",
        (event, effect, quarantined.what, quarantined.subject, quarantined.problem, instant_to_text(quarantined.at)),
    ).fetchone()
    return int(row[0])


_LOSS_OF_EFFECT: dict[str | None, Loss] = {
    "act": Loss.STEP,
    "chat": Loss.OWN_MESSAGE,
    "vault": Loss.AWAITED,
}
"""By the effect's queue."""
_LOSS_OF_EVENT = {
    **dict.fromkeys(("StepDone", "StepRefused", "StepUnknown"), Loss.STEP),
    **dict.fromkeys(("Answered", "Unanswered"), Loss.AWAITED),
    **dict.fromkeys(
        ("Said", "SaidOffChat", "DecidedOffChat", "Reacted", "Redacted", "PhotoSent", "Unreadable"), Loss.WORD
    ),
    "EnvelopeSeen": Loss.PEER_MESSAGE,
}
"""By the event's class."""


def _loss_of(kind: str | None, queue: str | None, continuation: WhenAnsweredOrNot | None) -> Loss:
    """The loss if an event of this kind, or an effect of this queue, is dropped; else it is a timer.

    `continuation`: of a query that may stay unanswered.
    """
    if kind is not None:
        return _LOSS_OF_EVENT.get(kind, Loss.EVENT)
    if queue == "ask":
        return Loss.AWAITED if continuation is None else Loss.QUESTION
    return _LOSS_OF_EFFECT.get(queue, Loss.TIMERS)


def try_again(connection: Statements, number: int) -> bool:
    """Take the entry with this number out; False if there is none."""
    gone = connection.execute("DELETE FROM quarantine WHERE number = ? RETURNING effect", (number,)).fetchone()
    if gone is not None and gone[0] is not None:
        outbox.take_back(connection, gone[0])
    return gone is not None


def drop(
    connection: Statements,
    number: int,
    now: datetime,
    append: Callable[[Statements, Event, str], object],
    *,
    is_sure: bool,
) -> Loss:
    """Drop the entry with this number for good, if that is possible and `is_sure`; return what is lost.

    `append` stores the outcome of a query that nobody will answer now.
    """
    found = connection.execute(
        "SELECT q.event, q.effect, q.what, q.problem, i.kind, o.lane, o.cause FROM quarantine q"
        " LEFT JOIN inbox i ON i.seq = q.event LEFT JOIN outbox o ON o.id = q.effect WHERE q.number = ?",
        (number,),
    ).fetchone()
    if found is None:
        return Loss.UNKNOWN
    event, effect, what, problem, kind, queue, cause = found
    continuation = _unanswerable(connection, effect) if queue == "ask" else None
    loses = _loss_of(kind, queue, continuation)
    if not (loses.is_possible and is_sure):
        return loses
    connection.execute("DELETE FROM quarantine WHERE number = ?", (number,))
    if event is not None:
        connection.execute("UPDATE inbox SET decided = 1 WHERE seq = ?", (event,))
    else:
        outbox.take_back(connection, effect)
        outbox.end(connection, effect, "failed", now, problem)
    if continuation is not None:
        append(connection, Unanswered(now, continuation, Plain(Fault.GIVEN_UP)), instant_to_text(now))
    note = AuditEntry("failures", Dropped(number, what, problem))
    audit_chain.append(connection, event if event is not None else cause, now, (note,))
    return loses


def _unanswerable(connection: Statements, effect: int) -> WhenAnsweredOrNot | None:
    """The continuation of a query that may stay unanswered; None for another query, or an unreadable one."""
    try:
        asked = outbox.read(connection, effect).effect
    except UnreadableRow:
        return None
    return asked.then if isinstance(asked, Ask) and isinstance(asked.then, WhenAnsweredOrNot) else None
