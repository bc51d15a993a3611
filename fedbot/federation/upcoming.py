"""What will happen by the clock, told by `status`: all of it follows from the documents, nothing is kept apart."""

from __future__ import annotations

from fedbot.federation import due_days, house, loans, own_tokens, reminders, renewing
from fedbot.federation.documents import UNFINISHED_CONNECTION, Connection, Transfer
from fedbot.federation.state import Turn
from fedbot.federation.verdicts import is_open
from fedbot.federation.views import Due, DueKind

MOST = 8


def upcoming(turn: Turn, rooms: list[str], *, private: bool) -> tuple[Due, ...]:
    """The next things in these rooms, soonest first; `private`: what concerns only us, too."""
    subjects = [subject for subject in turn.subjects() if subject.room in rooms]
    found = [Due(DueKind.REMINDER, at, s.code) for s in subjects if (at := reminders.next_reminder(turn, s))]
    borrowed = [loan for loan in loans.on_loan(turn) if loan.room in rooms]
    found += [Due(DueKind.REMINDER, at, loan.code) for loan in borrowed if (at := due_days.next_reminder(turn, loan))]
    found += [Due(DueKind.EXPIRY, s.due, s.code) for s in subjects if _ends_by_itself(s)]
    regular = turn.state.regular()
    found += [due for due in regular if due.kind is DueKind.STATS]
    if private:
        found += [due for due in regular if due.kind is not DueKind.STATS]
        renewals = [(connection, renewing.next_look(connection)) for connection in turn.connections()]
        found += [Due(DueKind.RENEWAL, at, connection.peer_name) for connection, at in renewals if at]
        found += _own_house(turn)
    return tuple(sorted(found, key=lambda due: due.at))[:MOST]


def _ends_by_itself(subject: Connection | Transfer) -> bool:
    if isinstance(subject, Connection):
        return subject.state in UNFINISHED_CONNECTION and subject.decided is None
    return is_open(subject)


def _own_house(turn: Turn) -> list[Due]:
    tokens = [turn.own_token(setting) for setting in own_tokens.SETTINGS]
    found = [Due(DueKind.OWN_RENEWAL, at, t.id) for t in tokens if (at := own_tokens.next_renewal(turn, t))]
    at = house.next_look(turn)
    return [*found, Due(DueKind.LOOK, at)] if at else found
