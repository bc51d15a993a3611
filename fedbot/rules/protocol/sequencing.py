"""Messages between bots: numbers, re-sending, and what to do with one that comes twice.

Messages about one subject are numbered on each side and read strictly in order: one that comes too early is
dropped and the missing ones are asked for; one that comes again is answered by what its writer has not seen,
or by a bare `seen`, and many copies that come at once are answered once. Every message says how far its writer has
read. One that must arrive is sent again until the peer says that it was seen: after 1 min, 10 min, 1 h, then daily.
So a lost or redacted message heals.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from fedbot import messages
from fedbot.rules.model import audit
from fedbot.rules.model.budgets import MOST_SENT_AGAIN
from fedbot.rules.model.connection import Connection, Exchange
from fedbot.rules.model.effects import SendEnvelope, say
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.protocol.bodies import AskAgain, Body, Message, Seen
from fedbot.rules.state import Turn
from fedbot.rules.wire.envelope import Draft, past_with

S = TypeVar("S", Connection, Transfer)

A_DAY = timedelta(days=1)
MOST_UNHEARD = 10
"""So many questions of a kind are kept for a friend whose bot is silent: nobody waits for the answers by then."""
MOST_UNREAD = 200
"""A peer that writes on without saying that it has read so many of our answers is listened to again once it has."""
MOST_FORGOTTEN = 10_000
"""So many of our own messages may have got lost with a journal; whoever says that it has seen more makes it up."""


def bound_to(sender: str, to: str, subject: str, number: int) -> str:
    """The text that a sealed body is bound to, so that nobody can move it into another message."""
    return f"{sender}>{to}:{subject}:{number}"


def unsealed(turn: Turn, envelope: Message[Body]) -> dict[str, Any]:
    """The opened sealed part of a message; {} if there is none. Raises BadEnvelope if it can't be opened."""
    sealed = envelope.body.sealed
    if sealed is None:
        return {}
    return turn.state.unseal(sealed, bound_to(envelope.sender, envelope.to, envelope.subject, envelope.seq))


def connection_of(turn: Turn, subject: Connection | Transfer) -> Connection:
    """The connection that carries the subject's messages (a connection carries its own)."""
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
    """The subject with its next message recorded, and the message, to go along with a message or alone.

    `secrets`: fields of the body that are put in when it is signed, with where they are kept.

    `awaits` says that it must arrive: then it is sent again until the peer says that it was seen.
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
    """Write a message and send it by itself, unseen by people. While the connection waits, it does too."""
    subject, draft = write(turn, subject, body, awaits=awaits, secrets=secrets)
    post(turn, subject, draft)
    return subject


def post(turn: Turn, subject: Connection | Transfer, *drafts: Draft) -> None:
    """Send messages by themselves, unseen by people; while the connection waits, they do too."""
    if not connection_of(turn, subject).waits:
        turn.do(*(SendEnvelope(subject.room, draft) for draft in drafts))


def is_unheard(turn: Turn, connection: Connection, kind: str) -> bool:
    """Whether the peer hasn't read our last questions of this kind: one more would be kept, and be of no use.

    Then it is asked how far it has read, as it needn't have answered those.
    """
    if sum(draft.kind == kind for draft in connection.exchange.unread) < MOST_UNHEARD:
        return False
    ask_once(turn, connection)
    return True


def send_again(turn: Turn, subject: Connection | Transfer, after: int = 0) -> bool:
    """Send the unacknowledged messages (above `after`) again, with the same ids and numbers.

    Only their acknowledgement of the peer's messages is current: if two messages crossed, neither acknowledges the
    other, and repeating them unchanged would make both sides repeat for ever.
    """
    now = {"seen": subject.exchange.seen, "past": subject.exchange.peer_past}
    wanted = [replace(d, body={**d.body, **now}) for d in subject.exchange.unread if d.number > after]
    post(turn, subject, *wanted[:MOST_SENT_AGAIN])
    return bool(wanted)


def ask(turn: Turn, subject: Connection | Transfer) -> None:
    """Ask the peer for what we have not seen."""
    _send_unnumbered(turn, subject, AskAgain)


def ask_once(turn: Turn, subject: Connection | Transfer) -> None:
    """Ask for earlier messages after one that is useless alone, unless we just did.

    The answer may be useless again (of a newer version, too old by clocks that differ, or without a beginning), and two
    bots would ask each other for ever, as fast as they can.
    """
    if _asks_now(turn, subject.id):
        ask(turn, subject)


def _asks_now(turn: Turn, subject: str) -> bool:
    return turn.tell_once(f"asked:{subject}", turn.us.resend_after[0])


def _send_unnumbered(turn: Turn, subject: Connection | Transfer, kind: type[AskAgain | Seen]) -> None:
    body = kind(seen=subject.exchange.seen, past=subject.exchange.peer_past)
    post(turn, subject, _draft(turn, subject, body, 0))


def read(turn: Turn, subject: S, envelope: Message[Body]) -> S | None:
    """The subject with this message marked as seen, if it is the next one; else None, and what heals is done.

    Two kinds have no number: `ask` (send me what I have not seen) and `seen` (I have it, nothing new from here).
    Neither is ever answered by one of its own kind, so two bots can't go on for ever.
    """
    acknowledged, past = envelope.body.seen, envelope.body.past
    if subject.exchange.sent < acknowledged <= subject.exchange.sent + MOST_FORGOTTEN:
        subject = _go_on_above(turn, subject, acknowledged, past)
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
    return replace(subject, exchange=replace(exchange, seen=envelope.seq, peer_past=_with(exchange, envelope)))


def first_exchange(envelope: Message[Body]) -> Exchange:
    """Our side of what begins with this message of the peer."""
    return Exchange(seen=envelope.seq, peer_past=_with(Exchange(), envelope))


def _with(exchange: Exchange, envelope: Message[Body]) -> str:
    """The peer's past with this message."""
    return past_with(exchange.peer_past, envelope.kind, envelope.seq, envelope.terms_hash, envelope.raw_body)


def _may_repeat(turn: Turn, subject: Connection | Transfer) -> bool:
    """Whether to answer a repeated message, or an `ask`, now; this is remembered.

    Repetitions that arrive at once, as after an outage, are answered once. The peer's own pauses are longer, so its
    next try is answered too.
    """
    if _is_recent(turn, subject.exchange.repeated) or turn.spends("repetition", connection_of(turn, subject).peer):
        return False
    turn.save(replace(subject, exchange=replace(subject.exchange, repeated=turn.now)))
    return True


def _is_recent(turn: Turn, moment: datetime | None) -> bool:
    """Whether that was within half of the first pause; not if it is to come yet, by a clock that was wrong."""
    return moment is not None and timedelta() <= turn.now - moment < turn.us.resend_after[0] / 2


def _answer_ask(turn: Turn, subject: Connection | Transfer, acknowledged: int) -> None:
    """Send the messages that the peer has not seen; a bare `seen` if there are none.

    If the peer forgot messages that we no longer have, the later ones are useless to it: it would ask for ever.
    """
    has_next = any(draft.number == acknowledged + 1 for draft in subject.exchange.unread)
    if not has_next or not send_again(turn, subject, acknowledged):
        _send_unnumbered(turn, subject, Seen)


def _acknowledge(turn: Turn, subject: S, number: int, past: str) -> S:
    """The subject after the peer acknowledged our messages up to that number, with their hash (`past`).

    A lower number than before comes late, or from a peer with an older journal, and says nothing new. If we have lost
    our own record of the messages, we take the peer's hash.
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
    """The peer tells of other messages of ours than we have sent: it, or we, tell the past differently now."""
    turn.note(subject.id, audit.PastDiffers(number))
    peer_name = turn.party_name(subject.peer)
    phrase = say(messages.keys.past_differs, code=subject.code, peer_name=peer_name, number=number)
    turn.tell_admins(phrase, f"past:{subject.id}:{number}")


def at_rest(subject: S) -> S:
    """The subject at rest, so that nothing is sent again, if the peer owes us nothing any more."""
    if _waits(subject):
        return subject
    return replace(subject, exchange=replace(subject.exchange, awaiting=False, resend_at=None))


def _waits(subject: Connection | Transfer) -> bool:
    """Whether the peer owes us something: that it has read what must arrive, or that it is ready, as we are.

    A message that need not arrive is never answered, so nobody waits for it. Nor, once the peer is ready, for an
    answer to our own `ready`: the peer asks for that until it has it.
    """
    needed = {draft.kind for draft in subject.exchange.unread if draft.body.get("awaits") is True}
    if not isinstance(subject, Connection):
        return bool(needed)
    return bool(needed - {"ready"}) if subject.peer_ready else bool(needed) or subject.state is ConnectionState.READY


def _go_on_above(turn: Turn, subject: S, number: int, past: str) -> S:
    """The peer has read more messages than we remember writing, because our journal is older (a backup, a rebuild).

    Those numbers are taken. Our newer messages get numbers above them.
    """
    exchange = subject.exchange
    anew = tuple(replace(draft, number=number + place) for place, draft in enumerate(exchange.unread, start=1))
    turn.note(subject.id, audit.PeerSawMore(exchange.sent, number))
    exchange = replace(exchange, sent=number + len(anew), unread=anew, agreed=number, past=past)
    subject = replace(subject, exchange=exchange)
    post(turn, subject, *anew)
    return subject


def ask_for_unknown(turn: Turn, envelope: Message[Body], connection: Connection) -> None:
    """A message about something that we have never heard of: ask for it from the beginning, as `ask_once` does."""
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
    """Send what is unread again if its time has come, or ask; the subject with the next time set."""
    exchange = subject.exchange
    if not exchange.awaiting or exchange.resend_at is None or exchange.resend_at > turn.now:
        return subject
    if not _waits(subject):
        return at_rest(subject)
    if connection_of(turn, subject).waits:  # nothing goes out, so nobody is silent
        return replace(subject, exchange=replace(exchange, resend_at=turn.now + turn.us.resend_after[-1]))
    if not send_again(turn, subject):
        ask(turn, subject)
    resends = exchange.resends + 1
    pauses = turn.us.resend_after
    pause = pauses[min(resends, len(pauses) - 1)]
    return replace(subject, exchange=replace(exchange, resends=resends, resend_at=turn.now + pause))


def address_anew(subject: S, connection: Connection) -> S:
    """The subject with its unread messages addressed to what the connection pins now."""
    exchange = subject.exchange
    unread = tuple(replace(d, sealed_to=connection.peer_key) for d in exchange.unread)
    return replace(subject, exchange=replace(exchange, unread=unread))
