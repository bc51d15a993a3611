"""Messages between bots: numbers, sending again, and repeated messages.

Messages about one subject are numbered on each side and read strictly in order. One that comes too early is dropped,
and the missing ones are asked for. A repeated one is answered with the messages that its sender hasn't read, or with a
bare `seen`; many copies that arrive at once are answered once. Every message acknowledges the messages that its sender
has read. One that must arrive is sent again until the peer acknowledges it: after 1 minute, 10 minutes, 1 hour, then
daily. So a lost or redacted message does no harm.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from fedbot import messages
from fedbot.rules.budgets import MOST_SENT_AGAIN
from fedbot.rules.model import audit
from fedbot.rules.model.connection import Connection, Exchange
from fedbot.rules.model.effects import SendEnvelope, say
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol.bodies import AskAgain, Body, Message, Seen
from fedbot.rules.state import Turn
from fedbot.rules.wire import Draft, past_with

S = TypeVar("S", Connection, Transfer)

A_DAY = timedelta(days=1)
MOST_UNHEARD = 10
"""Most requests of a kind that are kept for a peer whose bot is silent. By then nobody waits for the answers."""
MOST_UNREAD = 200
"""Most unacknowledged messages. A peer that keeps sending without reading more is ignored until it has read them."""
MOST_FORGOTTEN = 10_000
"""Most of our own messages that can have got lost with a journal. A peer that claims to have read more is lying."""


def bound_to(sender: str, to: str, subject: str, number: int) -> str:
    """Return the text to which a sealed body is bound, so that nobody can move it into another message."""
    return f"{sender}>{to}:{subject}:{number}"


def unsealed(turn: Turn, envelope: Message[Body]) -> dict[str, Any]:
    """Return the decrypted sealed part of a message; {} if there is none.

    Raises BadEnvelope if it can't be decrypted.
    """
    sealed = envelope.body.sealed
    if sealed is None:
        return {}
    return turn.state.unseal(sealed, bound_to(envelope.sender, envelope.to, envelope.subject, envelope.seq))


def connection_of(turn: Turn, subject: Connection | Transfer) -> Connection:
    """Return the connection that carries the subject's messages (a connection carries its own).

    Raises LookupError for a transfer whose connection is unknown.
    """
    if isinstance(subject, Connection):
        return subject
    connection = turn.connection(subject.connection)
    if connection is None:
        raise LookupError(f"transfer {subject.id} has no connection {subject.connection}")
    return connection


def write(
    turn: Turn,
    subject: S,
    body: Body,
    *,
    awaits: bool = False,
    sealed: dict[str, Any] | None = None,
    secrets: dict[str, str] | None = None,
) -> tuple[S, Draft]:
    """Return the subject with its next message recorded, and the message, to be carried by a post or sent alone.

    `secrets`: body fields that are filled in when the message is signed, with their vault references. `awaits`: it must
    arrive, so it is sent again until the peer acknowledges it.
    """
    before: Exchange = subject.exchange
    full = body.model_copy(update={"awaits": awaits, "seen": before.seen, "past": before.peer_past})
    draft = _draft(turn, subject, full, before.sent + 1, sealed, secrets)
    waits = awaits or before.awaiting
    exchange = replace(
        before,
        sent=draft.number,
        unread=(*before.unread, draft),
        awaiting=waits,
        resend_at=turn.now + turn.us.resend_after[0] if waits else None,
        resends=0,
        said=turn.now,
    )
    return replace(subject, exchange=exchange), draft


def _draft(
    turn: Turn,
    subject: Connection | Transfer,
    body: Body,
    number: int,
    sealed: dict[str, Any] | None = None,
    secrets: dict[str, str] | None = None,
) -> Draft:
    connection = connection_of(turn, subject)
    return Draft(
        kind=body.kind,
        to=connection.peer,
        subject=subject.id,
        subject_kind=subject.subject_kind,
        number=number,
        body={field: value for field, value in body.to_json().items() if field not in (secrets or {})},
        terms_hash=subject.terms_hash if isinstance(subject, Transfer) else "",
        sealed_to=connection.peer_key,
        sealed=sealed or {},
        secrets=secrets or {},
    )


def send(
    turn: Turn,
    subject: S,
    body: Body,
    *,
    awaits: bool = False,
    secrets: dict[str, str] | None = None,
) -> S:
    """Write a message and send it alone, unseen by people. While the connection waits, so does the message."""
    subject, draft = write(turn, subject, body, awaits=awaits, secrets=secrets)
    post(turn, subject, draft)
    return subject


def post(turn: Turn, subject: Connection | Transfer, *drafts: Draft) -> None:
    """Send messages alone, unseen by people. While the connection waits, so do they."""
    if not connection_of(turn, subject).waits:
        turn.do(*(SendEnvelope(subject.room, draft) for draft in drafts))


def is_unheard(turn: Turn, connection: Connection, kind: str) -> bool:
    """Whether the peer hasn't read our last requests of this kind, so that another one would be stored for nothing.

    If so, ask the peer how far it has read, because requests needn't be answered.
    """
    if sum(draft.kind == kind for draft in connection.exchange.unread) < MOST_UNHEARD:
        return False
    ask_once(turn, connection)
    return True


def send_again(turn: Turn, subject: Connection | Transfer, after: int = 0) -> bool:
    """Send the unacknowledged messages (above `after`) again, with the same ids and numbers.

    Return whether there were any. Only their acknowledgement of the peer's messages is current: if two messages
    crossed, neither acknowledges the other, and repeating them unchanged would make both sides repeat forever.
    """
    now = {"seen": subject.exchange.seen, "past": subject.exchange.peer_past}
    wanted = [replace(d, body={**d.body, **now}) for d in subject.exchange.unread if d.number > after]
    post(turn, subject, *wanted[:MOST_SENT_AGAIN])
    return bool(wanted)


def ask(turn: Turn, subject: Connection | Transfer) -> None:
    """Ask the peer for messages that we haven't read."""
    _send_unnumbered(turn, subject, AskAgain)


def ask_once(turn: Turn, subject: Connection | Transfer) -> None:
    """Ask for earlier messages after one that is useless alone, unless we just did.

    The answer may be useless again (of a newer version, too old by differing clocks, or without a beginning), and two
    bots would ask each other forever, as fast as they can.
    """
    if _asks_now(turn, subject.id):
        ask(turn, subject)


def _asks_now(turn: Turn, subject: str) -> bool:
    return turn.tell_once(f"asked:{subject}", turn.us.resend_after[0])


def _send_unnumbered(turn: Turn, subject: Connection | Transfer, kind: type[AskAgain | Seen]) -> None:
    body = kind(seen=subject.exchange.seen, past=subject.exchange.peer_past)
    post(turn, subject, _draft(turn, subject, body, 0))


def read(turn: Turn, subject: S, envelope: Message[Body]) -> S | None:
    """Return the subject with this message marked as read, if it is the next one; else repair and return None.

    Two kinds have no number: `ask` (send me what I haven't read) and `seen` (I have read it, nothing new from here).
    Neither is ever answered by one of its own kind, so two bots can't go on forever.
    """
    acknowledged, past = envelope.body.seen, envelope.body.past
    if subject.exchange.sent < acknowledged <= subject.exchange.sent + MOST_FORGOTTEN:
        subject = _continue_above(turn, subject, acknowledged, past)
    else:
        subject = _acknowledge(turn, subject, acknowledged, past)
    turn.save(subject)
    if envelope.seq == 0:
        if envelope.kind == "ask" and _may_repeat(turn, subject):
            _answer_ask(turn, subject, acknowledged)
        return None
    exchange = subject.exchange
    if len(exchange.unread) >= MOST_UNREAD:
        if turn.tell_once(f"reads-nothing:{subject.id}", A_DAY):
            turn.note(subject.id, audit.Fact.PEER_READS_NOTHING)
        return None
    if envelope.seq > exchange.seen + 1:
        ask_once(turn, subject)
        return None
    if envelope.seq <= exchange.seen:
        needs_answer = envelope.body.awaits and not _is_recent(turn, exchange.said)
        if needs_answer and _may_repeat(turn, subject) and not send_again(turn, subject, acknowledged):
            _send_unnumbered(turn, subject, Seen)
        return None
    return replace(
        subject, exchange=replace(exchange, seen=envelope.seq, peer_past=_peer_past_with(exchange, envelope))
    )


def first_exchange(envelope: Message[Body]) -> Exchange:
    """Return our side of an exchange that begins with this message of the peer."""
    return Exchange(seen=envelope.seq, peer_past=_peer_past_with(Exchange(), envelope))


def _peer_past_with(exchange: Exchange, envelope: Message[Body]) -> str:
    """Return the hash of the peer's messages including this one."""
    return past_with(exchange.peer_past, envelope.kind, envelope.seq, envelope.terms_hash, envelope.raw_body)


def _may_repeat(turn: Turn, subject: Connection | Transfer) -> bool:
    """Return whether to answer a repeated message, or an `ask`, now; and remember it.

    Repetitions that arrive at once, as after an outage, are answered once. The peer's own pauses are longer, so its
    next try is answered too.
    """
    if _is_recent(turn, subject.exchange.repeated) or turn.spends("repetition", connection_of(turn, subject).peer):
        return False
    turn.save(replace(subject, exchange=replace(subject.exchange, repeated=turn.now)))
    return True


def _is_recent(turn: Turn, moment: datetime | None) -> bool:
    """Whether that was within half of the first pause.

    A moment in the future was noted by a wrong clock and doesn't count.
    """
    return moment is not None and timedelta() <= turn.now - moment < turn.us.resend_after[0] / 2


def _answer_ask(turn: Turn, subject: Connection | Transfer, acknowledged: int) -> None:
    """Send the messages that the peer hasn't read; a bare `seen` if there are none.

    If the peer lost messages that we no longer have, the later ones are useless to it: it would ask forever.
    """
    has_next = any(draft.number == acknowledged + 1 for draft in subject.exchange.unread)
    if not has_next or not send_again(turn, subject, acknowledged):
        _send_unnumbered(turn, subject, Seen)


def _acknowledge(turn: Turn, subject: S, number: int, past: str) -> S:
    """Return the subject after the peer acknowledged our messages up to that number, with their hash (`past`).

    A lower number than before is late, or from a peer with an older journal, and says nothing new. If we have lost our
    own record of the messages, we take the peer's hash.
    """
    exchange = subject.exchange
    if not 0 < number <= exchange.sent or number < exchange.agreed:
        return subject
    unread = tuple(draft for draft in exchange.unread if draft.number > number)
    ours = exchange.past_at(number)
    if ours is None:
        turn.note(subject.id, audit.PastLost(exchange.agreed, number))
        ours = past
    exchange = replace(exchange, unread=unread, agreed=number, past=ours)
    if past != ours and not exchange.differs:
        exchange = replace(exchange, differs=number)
        _tell_that_pasts_differ(turn, subject, number)
    return at_rest(replace(subject, exchange=exchange))


def _tell_that_pasts_differ(turn: Turn, subject: Connection | Transfer, number: int) -> None:
    """Tell the admins that the peer acknowledges other messages than we have sent: one of the two pasts was changed."""
    turn.note(subject.id, audit.PastDiffers(number))
    peer_name = turn.party_name(subject.peer)
    phrase = say(messages.keys.past_differs, code=subject.code, peer_name=peer_name, number=number)
    turn.tell_admins(phrase, f"past:{subject.id}:{number}")


def at_rest(subject: S) -> S:
    """Return the subject with sending again switched off, if the peer owes us nothing any more."""
    if _waits(subject):
        return subject
    return replace(subject, exchange=replace(subject.exchange, awaiting=False, resend_at=None))


def _waits(subject: Connection | Transfer) -> bool:
    """Whether the peer owes us something: an acknowledgement of a message that must arrive, or its `ready` after ours.

    A message that need not arrive is never answered, so nobody waits for it. Once the peer is ready, we don't wait for
    an answer to our own `ready` either: the peer asks for that until it has it.
    """
    needed = {draft.kind for draft in subject.exchange.unread if draft.body.get("awaits") is True}
    if not isinstance(subject, Connection):
        return bool(needed)
    return bool(needed - {"ready"}) if subject.peer_ready else bool(needed) or subject.state is ConnectionState.READY


def _continue_above(turn: Turn, subject: S, number: int, past: str) -> S:
    """Continue above numbers that the peer has read and we don't know, because our journal is older (backup, rebuild).

    Those numbers are taken. Our newer messages get numbers above them.
    """
    exchange = subject.exchange
    renumbered = tuple(replace(draft, number=number + place) for place, draft in enumerate(exchange.unread, start=1))
    turn.note(subject.id, audit.PeerSawMore(exchange.sent, number))
    exchange = replace(exchange, sent=number + len(renumbered), unread=renumbered, agreed=number, past=past)
    subject = replace(subject, exchange=exchange)
    post(turn, subject, *renumbered)
    return subject


def ask_for_unknown(turn: Turn, envelope: Message[Body], connection: Connection) -> None:
    """Ask for an unknown subject's messages from the beginning, at most as often as `ask_once`."""
    if not _asks_now(turn, envelope.subject):
        return
    draft = Draft(
        kind="ask",
        to=connection.peer,
        subject=envelope.subject,
        subject_kind=envelope.subject_kind,
        number=0,
        body=AskAgain(seen=0).to_json(),
        sealed_to=connection.peer_key,
    )
    turn.do(SendEnvelope(connection.room, draft))


def resend_due(turn: Turn, subject: S) -> S:
    """Send unacknowledged messages again if that is due, or ask. Return the subject with the next time set."""
    exchange = subject.exchange
    if not exchange.awaiting or exchange.resend_at is None or exchange.resend_at > turn.now:
        return subject
    if not _waits(subject):
        return at_rest(subject)
    if connection_of(turn, subject).waits:  # nothing is sent, so nobody is silent
        return replace(subject, exchange=replace(exchange, resend_at=turn.now + turn.us.resend_after[-1]))
    if not send_again(turn, subject):
        ask(turn, subject)
    resends = exchange.resends + 1
    pauses = turn.us.resend_after
    pause = pauses[min(resends, len(pauses) - 1)]
    return replace(subject, exchange=replace(exchange, resends=resends, resend_at=turn.now + pause))


def address_again(subject: S, connection: Connection) -> S:
    """Return the subject with its unacknowledged messages sealed to the key that the connection pins now."""
    exchange = subject.exchange
    unread = tuple(replace(d, sealed_to=connection.peer_key) for d in exchange.unread)
    return replace(subject, exchange=replace(exchange, unread=unread))
