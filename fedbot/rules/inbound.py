"""Incoming envelopes: checked, assigned to party and subject, read in order, and passed to their rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from fedbot import messages
from fedbot.rules import budgets
from fedbot.rules.catalogue import search, want
from fedbot.rules.connection import connect as connections
from fedbot.rules.connection import disconnect, pinning, rooms, rotate_tokens
from fedbot.rules.ledger import reconcile, stats
from fedbot.rules.loan import balance, end, extend, hand_back, waiting_list
from fedbot.rules.model import audit
from fedbot.rules.model.command import Cooldown
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Post, SendEnvelope, say
from fedbot.rules.model.events import EnvelopeSeen
from fedbot.rules.model.lifecycles import LIVING_CONNECTION, ConnectionState, TransferState
from fedbot.rules.model.room import AnnouncedParty, MessageKind
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol import announcements, bodies, sequencing, who_answers
from fedbot.rules.protocol.bodies import Body, Message
from fedbot.rules.protocol.terms import BadTerms
from fedbot.rules.state import Turn
from fedbot.rules.transfer import booking, both_sides, files, opening, receive, request, send
from fedbot.rules.transfer.send import on_confirmed
from fedbot.rules.wire import OTHER_VERSION, VERSION, BadEnvelope, Draft, check

A_DAY = timedelta(days=1)
MOST_PEER_EVENTS = 10
ENDED: tuple[type[bodies.Ended], ...] = (
    bodies.Declined,
    bodies.Cancelled,
    bodies.Expired,
    bodies.Aborted,
    bodies.Done,
    bodies.Reverted,
)


def opened(turn: Turn, event: EnvelopeSeen) -> Message[Body] | None:
    """Return the message in an envelope of a federation room, with its signature checked; None if it can't be read.

    No rule sees the time that its sender wrote into it, which may be any. It counts as sent when the room got it, and
    never ahead of our clock: else it would be the newest for ever.
    """
    if event.room not in announcements.federation_rooms(turn):
        return None
    try:
        return replace(bodies.parse(check(event.envelope)), sent_at=min(event.at, turn.now))
    except BadEnvelope as problem:
        if turn.spends("stray", event.sender) is None:
            turn.note("mail", audit.NotTaken(str(problem), is_unreadable=True), event.sender, event.event_id)
            _complain(turn, event, str(problem))
        return None


def on_message(turn: Turn, event: EnvelopeSeen, envelope: Message[Body]) -> None:
    """Handle another bot's message. One that isn't for us, or isn't signed with the pinned key, has no effect."""
    if budgets.MESSAGES[envelope.kind][1] is budgets.Scope.SENDER and _is_too_much(turn, envelope, event.sender):
        return
    if bodies.says(envelope, bodies.Announce):
        rooms.on_announced_by_message(turn, event, envelope.body)
        return
    if envelope.to != turn.us.party or envelope.room != event.room:
        return
    try:
        _deliver(turn, event, envelope)
    except BadTerms as problem:
        if turn.spends("stray", event.sender) is None:
            turn.note(envelope.subject, audit.NotTaken(str(problem)), event.sender, event.event_id)
            _complain(turn, event, str(problem))


def _is_too_much(turn: Turn, envelope: Message[Body], whose: str) -> bool:
    """Whether this message is over the budget of its kind. It then stays unread, and is repeated if it must arrive.

    `whose` is the peer, or the Matrix account, if the budget isn't the subject's own.
    """
    budget, scope = budgets.MESSAGES[envelope.kind]
    key = envelope.subject if scope is budgets.Scope.SUBJECT else f"{whose} {envelope.kind}"
    if turn.spends(budget, key) is None:
        return False
    if turn.tell_once(f"too-many:{budget}:{whose}", A_DAY):
        turn.note(envelope.subject or "mail", audit.LeftUnread(envelope.kind), whose)
        turn.tell_admins(
            say(messages.health.peer_sends_too_much, peer=whose), f"too-many:{whose}:{turn.now.isoformat()}"
        )
    return True


def _note_stray(turn: Turn, event: EnvelopeSeen, subject: str, what: audit.Fact) -> None:
    """Note a stray message in the audit, within a budget for each account."""
    if turn.spends("stray", event.sender) is None:
        turn.note(subject, what, event.sender, event.event_id)


def _complain(turn: Turn, event: EnvelopeSeen, problem: str) -> None:
    """Post one polite notice for each bot and day."""
    if who_answers.is_bot(turn, event.room, event.sender) and turn.tell_once(f"unreadable:{event.sender}", A_DAY):
        theirs = event.envelope.get("v")
        if problem == OTHER_VERSION and type(theirs) is int:
            phrase = say(messages.rooms.message_of_another_version, bot=event.sender, theirs=theirs, ours=VERSION)
        else:
            phrase = say(messages.rooms.unreadable_message, bot=event.sender, problem=problem, version=VERSION)
        turn.do(Post(MessageKind.UNREADABLE.of(rest=event.event_id), event.room, phrase))


def _deliver(turn: Turn, event: EnvelopeSeen, envelope: Message[Body]) -> None:
    if envelope.subject_kind == "connection":
        _about_connection(turn, event, envelope)
    else:
        _about_transfer(turn, event, envelope)


# --- connections ---


def _about_connection(turn: Turn, event: EnvelopeSeen, envelope: Message[Body]) -> None:
    connection = turn.connection(envelope.subject)
    if connection is None:
        _from_unknown(turn, event, envelope)
        return
    if bodies.says(envelope, bodies.Check):
        if pinning.is_from_compared_key(connection, event, envelope) and not _is_too_much(turn, envelope, event.sender):
            pinning.on_check(turn, connection, envelope)
        return
    if not _is_pinned(turn, connection, event, envelope):
        return
    if envelope.kind != "connect" and _is_too_much(turn, envelope, connection.peer):
        return
    connection = _in_room_of_answers(turn, connection)
    if bodies.says(envelope, bodies.Connect):
        pinned = AnnouncedParty(connection.peer, connection.peer_name, connection.peer_key)
        connections.on_connect(turn, envelope, pinned, event)
        return
    read = sequencing.read(turn, connection, envelope)
    if read is None:
        return
    read = replace(read, peer_events=(*read.peer_events, event.event_id)[-MOST_PEER_EVENTS:])
    rule = _ABOUT_CONNECTIONS.get(type(envelope.body))
    if rule is None:
        turn.save(read)
    else:
        rule(turn, read, envelope)


B = TypeVar("B", bound=Body)
_ConnectionRule = Callable[[Turn, Connection, Message[B]], None]
_TransferRule = Callable[[Turn, Transfer, Message[B], EnvelopeSeen], None]


def _of_connection(kind: type[B], rule: _ConnectionRule[B]) -> tuple[type[Body], _ConnectionRule[Any]]:
    return kind, rule


def _of_transfer(kind: type[B], rule: _TransferRule[B]) -> tuple[type[Body], _TransferRule[Any]]:
    return kind, rule


_ABOUT_CONNECTIONS: dict[type[Body], _ConnectionRule[Any]] = dict(
    (
        _of_connection(bodies.Accepted, connections.on_accepted),
        _of_connection(bodies.Declined, connections.on_declined),
        _of_connection(bodies.Reveal, connections.on_revealed),
        _of_connection(bodies.Credentials, rotate_tokens.on_credentials),
        _of_connection(bodies.Renewed, rotate_tokens.on_renewed),
        _of_connection(bodies.Ready, connections.on_ready),
        _of_connection(bodies.Cancelled, connections.on_cancelled),
        _of_connection(bodies.Disconnecting, disconnect.on_disconnecting),
        _of_connection(bodies.StatsAsk, stats.on_asked),
        _of_connection(bodies.Stats, stats.on_told),
        _of_connection(bodies.FindAsk, search.on_asked),
        _of_connection(bodies.Find, search.on_hits),
        _of_connection(bodies.Want, want.on_want),
        _of_connection(bodies.Wait, waiting_list.on_wait),
        _of_connection(bodies.PlaceInQueue, waiting_list.on_place),
        _of_connection(bodies.BooksAsk, reconcile.on_asked),
        _of_connection(bodies.Books, reconcile.on_page),
    )
)


def _from_unknown(turn: Turn, event: EnvelopeSeen, envelope: Message[Body]) -> None:
    """Begin an unknown connection: only a request does, from the bot that we believe."""
    if not bodies.says(envelope, bodies.Connect):
        return
    announced = turn.announced(event.room, envelope.sender)
    fits = [party for bot, party in announced if bot == event.sender and party.key == envelope.key]
    if not fits:
        _note_stray(turn, event, envelope.subject, audit.Fact.PARTY_NOT_ANNOUNCED)
        if turn.tell_once(f"misannounced:{event.sender}:{envelope.sender}", A_DAY):
            believed = announced[0][0] if announced else ""
            phrase = say(messages.rooms.party_not_announced, party=envelope.sender, bot=event.sender, believed=believed)
            turn.do(Post(MessageKind.MISANNOUNCED.of(rest=event.event_id), event.room, phrase))
        return
    connections.on_connect(turn, envelope, fits[0], event)


def _in_room_of_answers(turn: Turn, connection: Connection) -> Connection:
    """Return the connection in the room where messages about it are answered. An ended one needs no review to move."""
    return connection if connection.state in LIVING_CONNECTION else rooms.follow_ended(turn, connection)


def _is_pinned(turn: Turn, connection: Connection, event: EnvelopeSeen, envelope: Message[Body]) -> bool:
    """Whether the message is from the party, account, key and room that the connection pins.

    Messages in a room that this one replaced count too.
    """
    room = connection.room if connection.state in LIVING_CONNECTION else rooms.room_of(turn, connection)
    if envelope.sender != connection.peer or event.room not in announcements.lineage(turn, room):
        _note_stray(turn, event, envelope.subject, audit.Fact.NOT_THE_SENDERS)
        return False
    if (event.sender, envelope.key) == (connection.peer_bot, connection.peer_key):
        return True
    pinning.mismatch(turn, connection, event.sender, envelope.key)
    return False


# --- transfers ---


def _about_transfer(turn: Turn, event: EnvelopeSeen, envelope: Message[Body]) -> None:
    transfer = turn.transfer(envelope.subject)
    connection = turn.connection(transfer.connection) if transfer else _newest_with(turn, envelope.sender)
    if connection is None or connection.state not in LIVING_CONNECTION | {ConnectionState.ENDED}:
        _note_stray(turn, event, envelope.subject, audit.Fact.NO_CONNECTION)
        return
    is_heard = _is_pinned(turn, connection, event, envelope)
    if not is_heard or (transfer is not None and _is_too_much(turn, envelope, connection.peer)):
        return
    connection = _in_room_of_answers(turn, connection)
    if transfer is None:
        _new_transfer(turn, envelope, connection, event.edits or event.event_id)
        return
    if connection.state is ConnectionState.SUSPENDED:
        return
    if transfer.room != connection.room:
        transfer = rooms.follow(turn, transfer, connection.room)
    if transfer.role == "receiver" and receive.is_stale(turn, envelope):
        sequencing.ask_once(turn, transfer)
        return
    read = sequencing.read(turn, transfer, envelope)
    if read is not None:
        read = replace(read, peer_events=(*read.peer_events, event.event_id)[-MOST_PEER_EVENTS:])
        disputed = read.state is TransferState.DISPUTED
        read = both_sides.take_report(turn, read, envelope)
        rule = (_TO_SENDER if read.role == "sender" else _TO_RECEIVER).get(type(envelope.body))
        if rule is None:
            turn.save(read)
        else:
            rule(turn, read, envelope, event)
        if disputed:
            _go_on_if_settled(turn, read.id)


def _go_on_if_settled(turn: Turn, identifier: str) -> None:
    """Continue a transfer after the peer has reported the outcome, and update the card."""
    transfer = turn.transfer(identifier)
    if transfer is None or transfer.state is TransferState.DISPUTED:
        return
    both_sides.update_dispute_messages(turn, transfer)
    if transfer.state is TransferState.CREDITING and not any(p.acting for p in transfer.progress):
        receive.go_on(turn, transfer)
    else:
        both_sides.update_card(turn, transfer)


def _newest_with(turn: Turn, party: str) -> Connection | None:
    """Return the connection for a new transfer with that party: the living one, else the last that ended."""
    ended = [c for c in turn.connections() if c.peer == party and c.state is ConnectionState.ENDED]
    return turn.connection_with(party) or max(ended, key=lambda c: c.generation, default=None)


def _new_transfer(turn: Turn, envelope: Message[Body], connection: Connection, event_id: str) -> None:
    kind = ""
    if bodies.says(envelope, bodies.Opens):
        kind = envelope.body.terms.kind
        opening.peers_opening(turn, connection, envelope)
    comes_home = connection.state is ConnectionState.ENDING and kind == balance.RETURN
    if connection.state in {ConnectionState.ENDING, ConnectionState.ENDED} and not comes_home:
        if turn.spends("stray", connection.peer) is None:
            _decline_unseen(turn, envelope, connection, disconnect.DISCONNECTED)
        return
    if (connection.state is not ConnectionState.ACTIVE and not comes_home) or envelope.seq == 0:
        return
    if envelope.seq > 1:
        if turn.spends("stray", connection.peer) is None:
            sequencing.ask_for_unknown(turn, envelope, connection)
    elif kind == "request" and _is_one_too_many(turn, envelope, connection):
        _decline_unseen(turn, envelope, connection, receive.TOO_MANY)
    elif not _opens_too_much(turn, connection, kind):
        _begin(turn, envelope, connection, kind, event_id)


def _begin(turn: Turn, envelope: Message[Body], connection: Connection, kind: str, event_id: str) -> None:
    if bodies.says(envelope, bodies.Offer):
        if kind == balance.RETURN:
            hand_back.on_handed_back(turn, connection, envelope, event_id)
        else:
            receive.on_offer(turn, connection, envelope, _sealed(turn, envelope), event_id)
    elif bodies.says(envelope, bodies.Request):
        begin = {balance.RETURN: hand_back.on_asked_back, balance.EXTENSION: extend.on_asked}.get(
            kind, request.on_request
        )
        begin(turn, connection, envelope, event_id)


def _is_one_too_many(turn: Turn, envelope: Message[Body], connection: Connection) -> bool:
    """Whether the peer has sent too many requests within an hour. Once declined for that, a request stays declined."""
    known = f"too-many:{envelope.subject}"
    if not any(cooldown.id == known for cooldown in turn.all(Cooldown)):
        if turn.spends("request", connection.peer) is None:
            return False
        if turn.spends("stray", connection.peer) is not None:
            return True
        turn.note(connection.id, audit.Fact.ASKS_TOO_OFTEN)
        turn.tell_once(known, A_DAY)
    return True


def _opens_too_much(turn: Turn, connection: Connection, kind: str) -> bool:
    """Whether the peer opens more at once than we accept. The message stays unread, and the room is told once.

    New offers and requests never hold up a return or an extension of a loan.
    """
    purpose = _purpose(kind)
    undecided = [
        t
        for t in turn.open_transfers()
        if t.state is TransferState.OPEN and t.asked.party == connection.peer and _purpose(t.terms.kind) == purpose
    ]
    is_full = len(undecided) >= budgets.MOST_OPEN_PER_PEER
    again = None if is_full else _opens_again(turn, connection, purpose)
    if not is_full and again is None:
        return False
    if turn.tell_once(f"opens-too-much:{connection.peer}", budgets.HOUR):
        turn.note(connection.id, audit.Fact.OPENS_TOO_MUCH)
        phrase = say(messages.connect.peer_opens_too_much, connection=connection, again=again, most=len(undecided))
        turn.do(Post(MessageKind.BUSY.of(connection.id, turn.now.isoformat()), connection.room, phrase))
    return True


def _opens_again(turn: Turn, connection: Connection, purpose: str) -> datetime | None:
    """Spend from the budgets of openings. Return None, or when the peer may open something again.

    Openings within a peer's own share cost the others nothing, and they can't use it up. Only beyond that, the
    peers of a room share a budget.
    """
    whose = f"{connection.peer} {purpose}"
    if (again := turn.spends("opening", whose)) is not None:
        return again
    if turn.spends("opening within one's share", whose) is None:
        return None
    return turn.spends("opening in one room", f"{connection.room} {purpose}")


def _purpose(kind: str) -> str:
    """The purpose that the budgets distinguish: new transfers, and messages about a loan."""
    return "loan" if kind in {balance.RETURN, balance.EXTENSION} else "new"


def _decline_unseen(turn: Turn, envelope: Message[Body], connection: Connection, reason: str) -> None:
    """Decline a request that crossed with the end of the connection, or is one too many: only we can end it.

    Nothing of it is stored: a repeated request gets the same message again.
    """
    if envelope.kind == "request" and envelope.seq == 1:
        body = bodies.Declined(reason=reason, seen=envelope.seq)
        draft = Draft(
            kind=body.kind,
            to=connection.peer,
            subject=envelope.subject,
            subject_kind=envelope.subject_kind,
            number=1,
            body=body.to_json(),
            terms_hash=envelope.terms_hash,
        )
        turn.do(SendEnvelope(connection.room, draft))


def _sealed(turn: Turn, envelope: Message[Body]) -> dict[str, Any]:
    try:
        return sequencing.unsealed(turn, envelope)
    except BadEnvelope as problem:
        raise BadTerms(f"sealed body: {problem}") from None


def _approved(turn: Turn, transfer: Transfer, envelope: Message[bodies.Approve], event: EnvelopeSeen) -> None:
    rule = on_confirmed if transfer.terms.kind == "request" else send.on_approve
    rule(turn, transfer, envelope, event.event_id, event.at)


def _granted(turn: Turn, transfer: Transfer, envelope: Message[bodies.Granted], event: EnvelopeSeen) -> None:
    if transfer.terms.kind == "request":
        request.on_granted(turn, transfer, envelope, event.event_id)
    else:
        turn.save(transfer)


def _sent(turn: Turn, transfer: Transfer, envelope: Message[bodies.Sent], event: EnvelopeSeen) -> None:
    receive.on_sent(turn, transfer, envelope, event.event_id, event.at, _sealed(turn, envelope))


def _file(turn: Turn, transfer: Transfer, envelope: Message[bodies.File], _: EnvelopeSeen) -> None:
    files.on_file(turn, transfer, envelope, _sealed(turn, envelope))


def _extended(turn: Turn, transfer: Transfer, envelope: Message[bodies.Extended], _: EnvelopeSeen) -> None:
    if transfer.is_loan:
        extend.on_extended(turn, transfer, envelope)
    else:
        turn.save(transfer)


def _closed(turn: Turn, transfer: Transfer, envelope: Message[bodies.Closed], _: EnvelopeSeen) -> None:
    if transfer.is_loan:
        end.on_closed(turn, transfer, envelope)
    else:
        turn.save(transfer)


def _on_card(turn: Turn, transfer: Transfer, _: Message[bodies.Noted], event: EnvelopeSeen) -> None:
    turn.save(both_sides.with_card(transfer, event.event_id))


_TO_SENDER: dict[type[Body], _TransferRule[Any]] = dict(
    (
        _of_transfer(bodies.Noted, _on_card),
        _of_transfer(bodies.Approve, _approved),
        _of_transfer(bodies.Decline, send.on_decline),
        _of_transfer(bodies.Cancel, send.on_cancel),
        _of_transfer(bodies.Received, send.on_received),
        _of_transfer(bodies.Refused, send.on_refused_by_receiver),
        _of_transfer(bodies.Disputed, both_sides.on_disputed),
    )
)
_TO_RECEIVER: dict[type[Body], _TransferRule[Any]] = dict(
    (
        _of_transfer(bodies.Noted, request.on_noted),
        _of_transfer(bodies.Granted, _granted),
        _of_transfer(bodies.Booked, booking.on_booked),
        _of_transfer(bodies.Sent, _sent),
        _of_transfer(bodies.File, _file),
        *(_of_transfer(kind, receive.on_end) for kind in ENDED if kind is not bodies.Declined),
        _of_transfer(bodies.Declined, request.on_declined),
        _of_transfer(bodies.Extended, _extended),
        _of_transfer(bodies.Closed, _closed),
        _of_transfer(bodies.Disputed, both_sides.on_disputed),
    )
)
