"""Practice by the operator's order: the practice peer comes, leaves, and is forgotten without a trace."""

from __future__ import annotations

from fedbot import messages
from fedbot.rules.archive import Document
from fedbot.rules.connection import connect as connections
from fedbot.rules.connection import disconnect
from fedbot.rules.model import audit
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Leave, say
from fedbot.rules.model.events import PracticeOrdered
from fedbot.rules.model.lifecycles import LIVING_CONNECTION, UNFINISHED_CONNECTION, ConnectionState
from fedbot.rules.model.party_config import PRACTICE, Practice
from fedbot.rules.model.room import Announcement, OwnAnnouncement
from fedbot.rules.state import Turn

OPERATOR = "the command line"


def on_ordered(turn: Turn, event: PracticeOrdered) -> None:
    """Carry out the operator's order: begin, end or forget."""
    practice = turn.practice()
    match event.wants:
        case "begin" if practice is None and event.practice is not None and event.practice.is_whole:
            turn.save(event.practice)
            turn.note(PRACTICE, audit.Fact.PRACTICE_BEGINS, OPERATOR)
        case "end":
            _end(turn)
        case "forget" if practice is not None and not _living(turn):
            _forget(turn, practice)


def _living(turn: Turn) -> list[Connection]:
    return [c for c in turn.connections() if c.peer == PRACTICE and c.state in LIVING_CONNECTION]


def _end(turn: Turn) -> None:
    """End the connection at once, without waiting for returns."""
    by = Signature(OPERATOR, OPERATOR, turn.us.party, turn.now)
    for connection in _living(turn):
        if connection.state in UNFINISHED_CONNECTION:
            connections.finish(turn, connection, ConnectionState.CANCELLED, by.name)
        elif connection.state is ConnectionState.ENDING:
            disconnect.end_now(turn, connection, by)
        else:
            disconnect.begin(turn, connection, by, at_once=True)


def _forget(turn: Turn, practice: Practice) -> None:
    """Forget it completely, except in the audit: no figures, no past, no reminders."""
    room = practice.room if practice.room != turn.us.admin_room else ""
    gone = [*turn.with_peer(PRACTICE), *(each for each in turn.everything() if _is_of(practice, room, each))]
    for document in gone:
        turn.void(document.id)
        turn.drop(document)
    if practice.room != turn.us.admin_room:
        turn.do(Leave(practice.room))
    turn.note(PRACTICE, audit.Fact.PRACTICE_IS_OVER, OPERATOR)
    turn.tell_admins(say(messages.rooms.practice_is_over), f"practice:{turn.now.isoformat()}")


def _is_of(practice: Practice, room: str, document: Document) -> bool:
    """Whether the document is the practice peer's, or that of the room made for it ('': it used one of ours)."""
    if PRACTICE in {document.id, getattr(document, "peer", "")}:
        return True
    if isinstance(document, Announcement | OwnAnnouncement):
        return practice.room in document.id
    return room != "" and (room in document.id or getattr(document, "room", "") == room)
