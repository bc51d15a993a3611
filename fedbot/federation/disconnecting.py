"""UC5: the end of a connection (DESIGN §2). Nothing new starts, what moves is finished, then the access ends.

`ending` until nothing moves any more, then `ended`. The company is closed, never deleted (that would bring its
items back into stock), and found again by the next connection.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fedbot.federation import letters, making
from fedbot.federation import transfer as transfers
from fedbot.federation.documents import (
    BEFORE_DEBIT,
    FINAL,
    Connection,
    ConnectionState,
    Signature,
    Transfer,
    TransferState,
)
from fedbot.federation.effects import Edit, Post, say
from fedbot.federation.envelope import Envelope
from fedbot.federation.state import Turn

LASTING = frozenset({ConnectionState.READY, ConnectionState.ACTIVE, ConnectionState.SUSPENDED, ConnectionState.ENDING})


@dataclass(frozen=True)
class Preview:
    """What a disconnection would do: requests that are cancelled, movements that are finished first."""

    cancelled: tuple[Transfer, ...]
    finished: tuple[Transfer, ...]


def preview(turn: Turn, connection: Connection) -> Preview:
    """What would happen to what is under way."""
    under_way = [t for t in turn.open_transfers() if t.connection == connection.id]
    return Preview(
        tuple(t for t in under_way if t.state in BEFORE_DEBIT),
        tuple(t for t in under_way if t.state not in BEFORE_DEBIT),
    )


def begin(turn: Turn, connection: Connection, by: Signature, *, at_once: bool) -> Connection:
    """Our superuser ends it. `at_once`: access ends now, what moves is settled without the peer."""
    body = {"by": by.person, "by_name": by.name, "at_once": at_once}
    ending = replace(connection, state=ConnectionState.ENDING, verdict=None, ended_by=by)
    ending, draft = letters.write(turn, ending, "disconnecting", body, awaits=True)
    turn.save(ending)
    turn.note(connection.id, "disconnecting at once" if at_once else "disconnecting", by.person, by.event_id)
    phrase = say("disconnecting", connection=ending, home=turn.home, at_once=at_once, preview=preview(turn, ending))
    turn.do(Post(f"disconnecting:{connection.id}", connection.room, phrase, reply_to=by.event_id, draft=draft))
    _cancel_open(turn, ending, by)
    if at_once:
        for transfer in turn.open_transfers():
            if transfer.connection == connection.id:
                text = "the connection was ended at once, before the other space had answered"
                transfers.dispute(turn, transfer, 0, text)
        _end(turn, ending)
    return ending


def on_disconnecting(turn: Turn, connection: Connection, envelope: Envelope) -> None:
    """The peer ends it: we do the same on our side, and say so."""
    if connection.state not in LASTING:
        turn.save(connection)
        return
    by = transfers.signature_in(envelope, connection.peer, "")
    ending = replace(connection, state=ConnectionState.ENDING, verdict=None, ended_by=by)
    ending, draft = letters.write(turn, ending, "noted")
    turn.save(ending)
    turn.note(connection.id, "the peer disconnects", by.person)
    phrase = say("peer_disconnects", connection=ending, home=turn.home, preview=preview(turn, ending))
    turn.do(Post(f"disconnecting:{connection.id}", connection.room, phrase, draft=draft))
    _cancel_open(turn, ending, by)


def _cancel_open(turn: Turn, connection: Connection, by: Signature) -> None:
    """Open requests are cancelled by their arbiter, the sender; the receiver's side follows by its letter."""
    for transfer in turn.open_transfers():
        if transfer.connection == connection.id and transfer.role == "sender" and transfer.state in BEFORE_DEBIT:
            transfers.end(turn, transfer, TransferState.CANCELLED, by, "disconnected")


def finish_what_is_over(turn: Turn) -> None:
    """After any event: a connection that is ending and has nothing under way any more has ended."""
    for connection in turn.connections():
        if connection.state is ConnectionState.ENDING and not _under_way(turn, connection):
            _end(turn, connection)


def _under_way(turn: Turn, connection: Connection) -> bool:
    return any(t.connection == connection.id and t.state not in FINAL for t in turn.open_transfers())


def _end(turn: Turn, connection: Connection) -> None:
    ended = replace(connection, state=ConnectionState.ENDED)
    turn.save(ended)
    making.take_back(turn, ended)
    making.mirror(turn, ended)
    turn.note(connection.id, "ended")
    turn.do(
        Edit(f"disconnecting:{connection.id}", connection.room, say("disconnected", connection=ended, home=turn.home))
    )
