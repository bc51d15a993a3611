"""What will happen by the clock, told by `status`: all of it follows from the documents, nothing is kept apart."""

from __future__ import annotations

from fedbot.rules import health, reminders
from fedbot.rules.approval.subject import is_open
from fedbot.rules.connection import rotate_tokens
from fedbot.rules.loan import lend
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.connection_lifecycle import UNFINISHED_CONNECTION
from fedbot.rules.model.summaries import Due, DueKind
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn

MOST = 8


def upcoming(turn: Turn, rooms: list[str], *, private: bool) -> tuple[Due, ...]:
    """The next things in these rooms, soonest first; `private`: what concerns only us, too."""
    subjects = [subject for subject in turn.subjects() if subject.room in rooms]
    found = [Due(DueKind.REMINDER, at, s.code) for s in subjects if (at := reminders.next_reminder(turn, s))]
    borrowed = [loan for loan in lend.on_loan(turn) if loan.room in rooms]
    found += [
        Due(DueKind.REMINDER, at, loan.code)
        for loan in borrowed
        if (at := reminders.next_due_date_reminder(turn, loan))
    ]
    found += [Due(DueKind.EXPIRY, s.due, s.code) for s in subjects if _ends_by_itself(s)]
    regular = turn.state.regular()
    found += [due for due in regular if due.kind is DueKind.STATS]
    if private:
        found += [due for due in regular if due.kind is not DueKind.STATS]
        renewals = [(connection, rotate_tokens.next_look(connection)) for connection in turn.connections()]
        found += [Due(DueKind.RENEWAL, at, connection.peer_name) for connection, at in renewals if at]
        found += _own_health(turn)
    return tuple(sorted(found, key=lambda due: due.at))[:MOST]


def _ends_by_itself(subject: Connection | Transfer) -> bool:
    if isinstance(subject, Connection):
        return subject.state in UNFINISHED_CONNECTION and subject.decided is None
    return is_open(subject)


def _own_health(turn: Turn) -> list[Due]:
    tokens = [turn.own_token(setting) for setting in health.SETTINGS]
    found = [Due(DueKind.OWN_RENEWAL, at, t.id) for t in tokens if (at := health.next_renewal(turn, t))]
    at = health.next_look(turn)
    return [*found, Due(DueKind.LOOK, at)] if at else found
