"""UC5: ends a connection. Nothing new starts, movements under way are finished, then the access ends.

The connection is `ending` until nothing moves, then `ended`. The company is closed, never deleted, because InvenTree
would bring its items back into stock; the next connection uses it again.

With `--now`, for a peer that is gone or hostile, access ends first. Transfers that our own books leave open become
`disputed`; those that only the peer could finish are cancelled here, and refused if they still arrive.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fedbot import messages
from fedbot.rules.connection import connect as connections
from fedbot.rules.connection import provision
from fedbot.rules.loan import balance
from fedbot.rules.model import audit
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Post, say
from fedbot.rules.model.ledger import Preview
from fedbot.rules.model.lifecycles import (
    BEFORE_DEBIT,
    BOOKS_SETTLED,
    FINAL,
    UNFINISHED_CONNECTION,
    ConnectionState,
    TransferState,
)
from fedbot.rules.model.party_config import SILENT_AFTER_RESENDS
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.state import Turn
from fedbot.rules.transfer import both_sides

LASTING = frozenset({ConnectionState.READY, ConnectionState.ACTIVE, ConnectionState.SUSPENDED})
OVER = FINAL | {TransferState.DISPUTED}
TELLS_FOR = timedelta(days=30)
DISCONNECTED = "disconnected"


def preview(turn: Turn, connection: Connection, *, at_once: bool = False) -> Preview:
    """Return the effects of a disconnection on open transfers and loans."""
    on_loan = tuple(balance.as_still_out(turn, loan) for loan in balance.of_connection(turn, connection))
    under_way = [t for t in turn.open_transfers() if t.connection == connection.id and t.state not in OVER]
    if at_once:
        return Preview(
            tuple(t for t in under_way if t.state in BEFORE_DEBIT),
            tuple(t for t in under_way if _would_be_unclear(t)),
            on_loan,
        )
    stays = tuple(t for t in under_way if _is_cancelled(t) and not _may_be_on_its_way(t))
    return Preview(stays, tuple(t for t in under_way if t not in stays), on_loan)


def _is_cancelled(transfer: Transfer) -> bool:
    """Whether it is cancelled with the connection: it has not begun to move, and isn't a return."""
    return transfer.state in BEFORE_DEBIT and not transfer.is_return


def _may_be_on_its_way(transfer: Transfer) -> bool:
    """Whether we have approved it, and the sender hasn't answered yet."""
    said_yes = transfer.role == "receiver" and transfer.approved_hash == transfer.terms_hash
    return said_yes and transfer.state is not TransferState.BOOKED


def _would_be_unclear(transfer: Transfer) -> bool:
    """Whether it is leaving our stock, or has left the sender's: only the peer, or the post, knows its outcome."""
    leaves = transfer.role == "sender" and transfer.state is TransferState.DEBITING
    return leaves or transfer.state is TransferState.SENT


# --- by our superuser ---


def begin(turn: Turn, connection: Connection, by: Signature, *, at_once: bool) -> Connection:
    """End the connection for our superuser.

    `at_once`: access ends now, and moving stock is settled without the peer.
    """
    seen = preview(turn, connection, at_once=at_once)
    body = bodies.Disconnecting(by=by.person, by_name=by.name, note=by.note, at_once=at_once)
    ending = replace(connection, state=ConnectionState.ENDING, decision=None, ended_by=by)
    ending, draft = sequencing.write(turn, ending, body, awaits=True)
    turn.save(ending)
    turn.note(
        connection.id, audit.Fact.DISCONNECTS_AT_ONCE if at_once else audit.Fact.DISCONNECTS, by.person, by.event_id
    )
    phrase = say(messages.disconnect.disconnecting, connection=ending, us=turn.us, at_once=at_once, preview=seen)
    key = MessageKind.DISCONNECTING.of(connection.id)
    turn.do(Post(key, connection.room, phrase, reply_to=by.event_id, draft=draft))
    _cancel_open(turn, ending, by)
    if at_once:
        _settle_alone(turn, ending, by)
        _end(turn, ending)
    return ending


def end_now(turn: Turn, connection: Connection, by: Signature) -> None:
    """End an `ending` connection now, because our superuser doesn't want to wait for the peer any longer."""
    turn.note_by(connection.id, audit.Fact.DISCONNECTS_AT_ONCE, by)
    seen = preview(turn, connection, at_once=True)
    phrase = say(messages.disconnect.disconnecting, connection=connection, us=turn.us, at_once=True, preview=seen)
    body = bodies.Disconnecting(by=by.person, by_name=by.name, note=by.note, at_once=True)
    connection, draft = sequencing.write(turn, connection, body, awaits=True)
    turn.save(connection)
    turn.do(Post(MessageKind.AT_ONCE.of(connection.id), connection.room, phrase, reply_to=by.event_id, draft=draft))
    _settle_alone(turn, connection, by)
    _end(turn, connection)


def _cancel_open(turn: Turn, connection: Connection, by: Signature) -> None:
    """Cancel the open requests that we, the sender, decide. The receiver's side follows our message."""
    for transfer in turn.open_transfers():
        if transfer.connection == connection.id and transfer.role == "sender" and _is_cancelled(transfer):
            both_sides.end(turn, transfer, TransferState.CANCELLED, by, DISCONNECTED)


def _settle_alone(turn: Turn, connection: Connection, by: Signature) -> None:
    """Settle without the peer: dispute what it may hold, and cancel what it has not sent us."""
    for transfer in turn.open_transfers():
        if transfer.connection != connection.id:
            continue
        if _would_be_unclear(transfer):
            both_sides.dispute(turn, transfer, 0, Plain(Fault.ENDED_AT_ONCE))
        elif transfer.role == "sender" and transfer.state in BEFORE_DEBIT:  # a return: the others are already cancelled
            both_sides.end(turn, transfer, TransferState.CANCELLED, by, DISCONNECTED)
        elif transfer.role == "receiver" and transfer.state in {TransferState.OPEN, TransferState.BOOKED}:
            _cancel_alone(turn, transfer, by)


def _cancel_alone(turn: Turn, transfer: Transfer, by: Signature) -> None:
    """Cancel without waiting for the sender, who may be gone. A late arrival is refused."""
    ended = replace(
        transfer, state=TransferState.CANCELLED, decided=by, decision=None, problem=DISCONNECTED, ended=turn.now
    )
    body = bodies.Cancel(reason=DISCONNECTED, **both_sides.said_by(by))
    ended, draft = sequencing.write(turn, ended, body, awaits=True)
    turn.save(ended)
    turn.note_by(transfer.id, audit.TransferIs(TransferState.CANCELLED, DISCONNECTED), by)
    sequencing.post(turn, ended, draft)
    both_sides.update_card(turn, ended)


# --- by the peer ---


def on_disconnecting(turn: Turn, connection: Connection, envelope: Message[bodies.Disconnecting]) -> None:
    """End our side too, because the peer ends it. If it does so at once, no loan can be returned over it."""
    by = both_sides.signature_in(turn, envelope, connection.peer, "")
    has_left = connection.peer_has_left or envelope.body.at_once
    connection = replace(connection, peer_has_left=has_left)
    if connection.state in UNFINISHED_CONNECTION:
        connections.finish(turn, connection, ConnectionState.CANCELLED, by.name)
        return
    if connection.state not in LASTING:
        turn.save(connection)
        return
    seen = preview(turn, connection)
    ending = replace(connection, state=ConnectionState.ENDING, decision=None, ended_by=by)
    ending, draft = sequencing.write(turn, ending, bodies.Noted())
    turn.save(ending)
    turn.note_by(connection.id, audit.Fact.PEER_DISCONNECTS, by)
    phrase = say(messages.disconnect.peer_disconnects, connection=ending, us=turn.us, preview=seen)
    turn.do(Post(MessageKind.DISCONNECTING.of(connection.id), connection.room, phrase, draft=draft))
    _cancel_open(turn, ending, by)


# --- the end ---


def finish_ending(turn: Turn) -> None:
    """After an event: end each connection that is ending and has nothing under way or on loan any more.

    If the peer has left, loans don't keep it open: each side settles them alone, or under the next connection.
    """
    for connection in turn.connections():
        if connection.state is not ConnectionState.ENDING or _under_way(turn, connection):
            continue
        if connection.peer_has_left or not balance.of_connection(turn, connection):
            _end(turn, connection)
    for transfer in turn.open_transfers():
        ended_by = _ended_by(turn, transfer)
        if ended_by is None:
            continue
        if transfer.state is TransferState.SENT:
            both_sides.dispute(turn, transfer, 0, Plain(Fault.ENDED_AT_ONCE))
        elif transfer.state in BEFORE_DEBIT and transfer.role == "receiver":  # it was disputed at the end
            _cancel_alone(turn, transfer, ended_by)


def _ended_by(turn: Turn, transfer: Transfer) -> Signature | None:
    """Return the person who ended the transfer's connection; None if it hasn't ended.

    Afterwards only our own people can settle the transfer.
    """
    connection = turn.connection(transfer.connection)
    return connection.ended_by if connection is not None and connection.state is ConnectionState.ENDED else None


def _under_way(turn: Turn, connection: Connection) -> bool:
    return any(t.connection == connection.id and not _needs_no_access(connection, t) for t in turn.open_transfers())


def _needs_no_access(connection: Connection, transfer: Transfer) -> bool:
    """Whether a transfer doesn't keep the access: it is disputed and waits for people, or only lacks a confirmation."""
    answered = transfer.state in BOOKS_SETTLED[transfer.role]
    return transfer.state in OVER or (connection.peer_has_left and answered)


def _end(turn: Turn, connection: Connection) -> None:
    ended = replace(connection, state=ConnectionState.ENDED)
    turn.save(ended)
    turn.note(connection.id, audit.ConnectionIs(ended.state))
    provision.take_back(turn, ended)
    provision.mirror(turn, ended)
    if connection.user is None:
        provision.tell_ended(turn, ended)


def tell_silence(turn: Turn, connection: Connection) -> None:
    """Post once that the peer's bot hasn't answered for a while, so its unfinished work is stuck."""
    silent = connection.exchange.resends == SILENT_AFTER_RESENDS
    if connection.state is not ConnectionState.ENDING or not silent:
        return
    if turn.tell_once(f"silent:{connection.id}", TELLS_FOR):
        phrase = say(
            messages.disconnect.ending_waits, connection=connection, us=turn.us, preview=preview(turn, connection)
        )
        key = MessageKind.DISCONNECTING.of(connection.id)
        turn.do(Post(MessageKind.SILENT.of(connection.id), connection.room, phrase, thread=key))


def stop_resending(turn: Turn, connection: Connection) -> Connection:
    """Stop sending the end to a peer that hasn't answered for a month. Return the connection."""
    by = connection.ended_by if connection.state is ConnectionState.ENDED else None
    if by is None or not connection.exchange.awaiting or by.at + TELLS_FOR > turn.now:
        return connection
    return replace(connection, exchange=replace(connection.exchange, awaiting=False, resend_at=None))
