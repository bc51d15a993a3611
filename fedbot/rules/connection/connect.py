"""UC1: two parties connect. Requests, also crossing ones, decisions, and the peer's access with its trial.

No side has to arbitrate. A connection is `active` on a side only once its own trial passed and it has the peer's
`ready`. A side that cancelled or expired never sends `ready`, so the other can't become active either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from fedbot import messages
from fedbot.rules import card_content, health
from fedbot.rules.card_content import Change
from fedbot.rules.connection import pinning, provision
from fedbot.rules.model import audit
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.decision import APPROVE_KEY, DECLINE_KEY, Signature
from fedbot.rules.model.effects import Ask, Edit, Phrase, Post, SendEnvelope, say
from fedbot.rules.model.events import Answered, EnvelopeSeen
from fedbot.rules.model.lifecycles import LIVING_CONNECTION, UNFINISHED_CONNECTION, ConnectionState
from fedbot.rules.model.party_config import SILENT_AFTER_RESENDS
from fedbot.rules.model.queries import Able, OfConnection, WhenAnswered
from fedbot.rules.model.room import AnnouncedParty, MessageKind
from fedbot.rules.model.stock import Permission
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.protocol.terms import BadTerms
from fedbot.rules.state import Turn
from fedbot.rules.transfer import opening
from fedbot.rules.wire import connection_id, fingerprint

MOST_AHEAD = 1000  # generations: enough for a peer that knows connections which we have lost
SAID_ONCE = timedelta(days=30)
DAY = timedelta(days=1)


def _next_generation(turn: Turn, peer: str) -> int:
    """Return 1 + the highest generation that we know of with this peer."""
    return 1 + max((c.generation for c in turn.connections() if c.peer == peer), default=0)


def ask(
    turn: Turn, bot: str, party: AnnouncedParty, room: str, asker: Signature, line: str, generation: int = 0
) -> Connection:
    """Ask a peer to connect, and pin what its bot announces now. `line` is the event to reply to."""
    generation = max(generation, _next_generation(turn, party.id))
    while turn.connection(identifier := connection_id(turn.us.key, party.key, room, generation)) is not None:
        generation += 1  # we already used that id: with that key under another party id, or before a review
    connection = Connection(
        id=identifier,
        code=turn.short_code(identifier),
        peer=party.id,
        peer_name=party.name,
        peer_bot=bot,
        peer_key=party.key,
        room=room,
        generation=generation,
        state=ConnectionState.ASKED,
        asked=asker,
        ours=True,
        access=_agreed_access(turn, party.access),
        due=turn.now + turn.us.request_open_for,
        waiting_since=turn.now,
    )
    connection = with_key_check(turn, connection)
    connection, draft = sequencing.write(turn, connection, _body(turn, connection), awaits=True)
    turn.save(connection)
    turn.do(Post(MessageKind.OFFER.of(identifier), room, _phrase(turn, connection), reply_to=line, draft=draft))
    turn.note_by(identifier, audit.Asked(audit.Asking.FRIENDSHIP, party.id), asker)
    return connection


def with_key_check(turn: Turn, connection: Connection) -> Connection:
    """Return our request with its nonce. A rebuilt journal derives the same nonce from our request in the room."""
    return pinning.begin_check(
        turn, connection, connection.peer_key, connection.asked.person, connection.due.isoformat()
    )


def _phrase(turn: Turn, connection: Connection) -> Phrase:
    """Return the text of our request in its present state."""
    key, emoji = fingerprint(connection.peer_key), pinning.emoji_numbers(turn, connection)
    return say(messages.connect.connect_asked, connection=connection, fingerprint=key, emoji=emoji)


def _agreed_access(turn: Turn, theirs: str) -> str:
    """Return `direct` only if both sides have opted in, else `relayed`."""
    return "direct" if theirs == "direct" == turn.us.peer_access else "relayed"


def _body(turn: Turn, connection: Connection) -> bodies.Connect:
    return bodies.Connect(
        generation=connection.generation,
        name=turn.us.name,
        access=turn.us.peer_access,
        asker=connection.asked.person,
        asker_name=connection.asked.name,
        due=connection.due,
        asked_key=connection.peer_key,
        commitment=pinning.our_commitment(turn, connection),
    )


# --- messages of the peer's bot ---


def on_connect(turn: Turn, envelope: Message[bodies.Connect], announced: AnnouncedParty, event: EnvelopeSeen) -> None:
    """Take in a peer's request: a card for our superusers; or, if we asked too, both sides have agreed.

    Raises BadTerms if its id isn't that of both keys, the room and the generation.
    """
    known = turn.connection(envelope.subject)
    generation = _generation_in(turn, envelope, known)
    connection = _offered(turn, envelope, announced, event, generation)
    if known is not None:
        _on_repeated_connect(turn, known, envelope, connection)
        return
    current = turn.connection_with(envelope.sender)
    if current is not None and _gives_way(current, connection):
        if current.ours:
            _merge_requests(turn, current, connection)
            return
        current = finish(turn, current, ConnectionState.CANCELLED, "")
    if current is not None and current.state in LIVING_CONNECTION:
        reason, instead = _refusal(turn, current)
        if generation < _next_generation(turn, envelope.sender) or _throttled(turn, envelope.sender):
            _decline_by_itself(turn, connection, reason, instead)
        else:  # kept, because our next request would otherwise get this id, of which the peer has already read messages
            connection = replace(connection, state=ConnectionState.DECLINED, problem=reason)
            turn.save(sequencing.send(turn, connection, bodies.Declined(reason=reason), awaits=True))
    elif generation < _next_generation(turn, envelope.sender):
        _decline_by_itself(turn, connection, "generation", _next_generation(turn, envelope.sender))
    elif _throttled(turn, envelope.sender):
        _leave_for_later(turn, connection)
    else:
        _accept_request(turn, connection)


def _generation_in(turn: Turn, envelope: Message[bodies.Connect], known: Connection | None) -> int:
    """Return the generation of the request.

    An id that we know was checked when it first came, maybe with another key.
    """
    generation = envelope.body.generation
    if known is not None:
        is_it = known.generation == generation
    else:
        named = connection_id(turn.us.key, envelope.key, envelope.room, generation)
        is_it = envelope.subject == named and generation <= _next_generation(turn, envelope.sender) + MOST_AHEAD
    if not is_it:
        raise BadTerms("connection or body.generation")
    return generation


def _accept_request(turn: Turn, connection: Connection) -> None:
    """Reveal our nonce. Once the peer has revealed its own, a card for our superusers is posted."""
    turn.save(_reveal(turn, connection))
    turn.note_by(connection.id, audit.Asked(audit.Asking.FRIENDSHIP, connection.peer, by_peer=True), connection.asked)


def _ask_for_card(turn: Turn, connection: Connection) -> None:
    """Read who our superusers are. Then the card is posted."""
    turn.do(Ask(ShowConnectCard(connection.id), (turn.who_may(Permission.SUPERUSER),)))


def _on_repeated_connect(turn: Turn, known: Connection, envelope: Message[bodies.Connect], asked: Connection) -> None:
    """React to a request whose id we know: both asked at once, it was sent again, or the peer has lost its journal."""
    read = sequencing.read(turn, known, envelope)
    if read is None:
        if known.state not in UNFINISHED_CONNECTION and not known.exchange.unread:
            _decline_by_itself(turn, asked, *_refusal(turn, known))
        return
    known = read
    if known.state is ConnectionState.ASKED:
        body = envelope.body
        theirs = _asker_in(turn, envelope)
        known = replace(known, access=_agreed_access(turn, body.access), decided=theirs)
        if known.check is not None:
            known = replace(known, check=replace(known.check, peer_commitment=body.commitment))
        known = _reveal(turn, known)
        turn.note_by(known.id, audit.Fact.BOTH_ASKED, theirs)
        crossed = say(messages.connect.connect_crossed, connection=known, emoji=())
        turn.do(Edit(MessageKind.OFFER.of(known.id), known.room, crossed))
        provision.begin(turn, known)
        return
    turn.save(known)


def _reveal(turn: Turn, connection: Connection) -> Connection:
    """Reveal our nonce. The peer is committed to its own, or will be before it reads ours."""
    connection, nonce = pinning.reveal_nonce(connection)
    if nonce is None:
        raise ValueError(f"no keys are compared in {connection.id}")
    return sequencing.send(turn, connection, bodies.Reveal(nonce=nonce), awaits=True)


def _gives_way(current: Connection, asked: Connection) -> bool:
    """Whether the present connection yields to the peer's new request: a higher generation, from the pinned bot."""
    pinned = (current.peer_bot, current.peer_key, current.room) == (asked.peer_bot, asked.peer_key, asked.room)
    undecided = current.state in {ConnectionState.ASKED, ConnectionState.OFFERED}
    return undecided and pinned and asked.generation > current.generation


def _merge_requests(turn: Turn, ours: Connection, theirs: Connection) -> None:
    """Both asked at once, the peer under the higher generation: end our request, and let it count as our approval."""
    turn.save(replace(ours, state=ConnectionState.CANCELLED, problem="asked anew"))
    turn.note_by(ours.id, audit.Fact.BOTH_ASKED_LATER_GENERATION, theirs.asked)
    connection = replace(theirs, ours=True, asked=ours.asked, decided=theirs.asked, due=ours.due)
    connection, nonce = pinning.reveal_nonce(connection)
    by = ours.asked
    body = bodies.Accepted(by=by.person, by_name=by.name, access=turn.us.peer_access, nonce=nonce)
    connection, draft = sequencing.write(turn, connection, body, awaits=True)
    turn.note_by(connection.id, audit.Fact.BOTH_ASKED, theirs.asked)
    phrase = say(messages.connect.connect_crossed, connection=connection, emoji=())
    key, thread = MessageKind.OFFER.of(connection.id), MessageKind.OFFER.of(ours.id)
    turn.do(Post(key, connection.room, phrase, thread=thread, draft=draft))
    provision.begin(turn, connection)


def _refusal(turn: Turn, current: Connection) -> tuple[str, int]:
    """Return why a request isn't accepted beside an existing connection, and the generation under which to ask."""
    if current.state is ConnectionState.ASKED:
        return "generation", current.generation
    reason = "connected" if current.state in LIVING_CONNECTION else "generation"
    return reason, _next_generation(turn, current.peer)


def _decline_by_itself(turn: Turn, asked: Connection, reason: str, generation: int) -> None:
    """Send a refusal without keeping the request. The request is repeated until it is answered, and so is this."""
    _, draft = sequencing.write(turn, asked, bodies.Declined(reason=reason, generation=generation))
    turn.do(SendEnvelope(asked.room, draft))


def _asker_in(turn: Turn, envelope: Message[bodies.Connect]) -> Signature:
    """Return the signature of the peer's person who asks."""
    person = envelope.body.asker
    name = turn.called(envelope.body.asker_name, person, envelope.sender)
    return Signature(person, name, envelope.sender, envelope.sent_at)


def _offered(
    turn: Turn, envelope: Message[bodies.Connect], announced: AnnouncedParty, event: EnvelopeSeen, generation: int
) -> Connection:
    body = envelope.body
    connection = Connection(
        id=envelope.subject,
        code=turn.short_code(envelope.subject),
        peer=envelope.sender,
        peer_name=announced.name,
        peer_bot=event.sender,
        peer_key=announced.key,
        room=envelope.room,
        generation=generation,
        state=ConnectionState.OFFERED,
        asked=replace(_asker_in(turn, envelope), event_id=event.event_id),
        ours=False,
        access=_agreed_access(turn, body.access),
        due=turn.now + turn.us.request_open_for,
        exchange=sequencing.first_exchange(envelope),
    )
    return pinning.begin_check(turn, connection, announced.key, peer_commitment=body.commitment)


def _leave_for_later(turn: Turn, asked: Connection) -> None:
    """Ignore one request too many today. The peer repeats it by itself, so an honest one is read tomorrow."""
    if turn.tell_once(f"throttled:{asked.room}", DAY):
        turn.note("connect", audit.Fact.ASKED_TOO_OFTEN_TO_CONNECT, asked.peer_bot)
        turn.do(
            Post(
                MessageKind.THROTTLED.of(rest=turn.now.isoformat()),
                asked.room,
                say(messages.connect.connect_throttled, connection=asked),
            )
        )


def _throttled(turn: Turn, peer: str) -> bool:
    """Whether this request is one too many today."""
    since = turn.now - DAY
    today = [c for c in turn.connections() if not c.ours and c.due - turn.us.request_open_for > since]
    if len([c for c in today if c.peer == peer]) >= turn.us.connects_a_day_per_peer:
        return True
    return len(today) >= turn.us.connects_a_day


@dataclass(frozen=True)
class ShowConnectCard(OfConnection, WhenAnswered):
    """Reads who may decide, before the card is posted. `void`: whose decision on the card before is void, or ''."""

    void: str = ""

    def answered(self, turn: Turn, event: Answered) -> None:
        """Post the card."""
        connection = turn.connection(self.connection)
        (able,) = event.answers
        if connection is None or connection.state is not ConnectionState.OFFERED or not isinstance(able, Able):
            return
        health.remember_superusers(turn, able)
        changes = card_content.changes(turn.us, connection)
        if changes:
            turn.do(
                Edit(
                    MessageKind.CARD.of(connection.id),
                    connection.room,
                    say(messages.transfer_card.card_superseded, subject=connection),
                )
            )
            connection = replace(opening.without_card(connection), decision=None)
        in_room = connection.in_room.read_differently()
        connection = replace(connection, card=card_content.of_connection(turn.us, connection), in_room=in_room)
        connection, draft = sequencing.write(turn, connection, bodies.Noted())
        turn.save(connection)
        people = list(dict.fromkeys([*([self.void] if self.void else []), *opening.addressees(turn, able)]))
        turn.do(
            Post(
                MessageKind.CARD.of(connection.id),
                connection.room,
                card(turn, connection, opening.names(turn, people, connection.room), changes),
                mentions=tuple(people[: opening.MOST_MENTIONED]),
                draft=draft,
                suggestions=(APPROVE_KEY, DECLINE_KEY),
                version=connection.in_room.version,
            )
        )


def card(
    turn: Turn, connection: Connection, people: list[str] | None = None, changes: tuple[Change, ...] = ()
) -> Phrase:
    """Return the card in the connection's present state. `changes`: the differences from the card before."""
    return say(
        messages.connect.connection_card,
        connection=connection,
        us=turn.us,
        fingerprint=fingerprint(connection.peer_key),
        own_fingerprint=fingerprint(turn.us.key),
        people=people or [],
        emoji=pinning.emoji_numbers(turn, connection),
        changes=changes,
    )


def on_revealed(turn: Turn, connection: Connection, envelope: Message[bodies.Reveal]) -> None:
    """Take in the peer's nonce, and reveal ours if it isn't yet.

    People can then compare the emoji, and decide on our card.
    """
    known = _with_nonce(turn, connection, envelope.body.nonce)
    if known is None or known.check == connection.check:
        turn.save(known or turn.connection(connection.id) or connection)
        return
    turn.save(known)
    if known.state is ConnectionState.OFFERED:
        _ask_for_card(turn, known)
    elif known.state is ConnectionState.ASKED:
        turn.do(Edit(MessageKind.OFFER.of(known.id), known.room, _phrase(turn, known)))
    elif known.ours and known.state in LIVING_CONNECTION:
        phrase = say(messages.connect.connect_crossed, connection=known, emoji=pinning.emoji_numbers(turn, known))
        turn.do(Edit(MessageKind.OFFER.of(known.id), known.room, phrase))
        provision.become_active(turn, known)


def _with_nonce(turn: Turn, connection: Connection, nonce: str) -> Connection | None:
    """Return the connection with the peer's nonce and ours revealed; None if the wrong nonce has ended it."""
    known = pinning.accept_nonce(connection, nonce)
    if known is None:
        pinning.tell_failure(turn, connection)
        _refuse_for_keys(turn, connection)
        return None
    return known if known.check is None or known.check.is_told else _reveal(turn, known)


def _refuse_for_keys(turn: Turn, connection: Connection) -> None:
    """End a connection whose keys can't be trusted: somebody may be between the two bots."""
    if connection.state in UNFINISHED_CONNECTION | {ConnectionState.READY}:
        body = bodies.Cancelled(reason=pinning.FAILED)
        finish(turn, replace(connection, check=None), ConnectionState.CANCELLED, "", body)
    else:
        turn.save(connection)


def on_accepted(turn: Turn, connection: Connection, envelope: Message[bodies.Accepted]) -> None:
    """Take in the approval of the peer's superuser, and provision our side."""
    if connection.state is not ConnectionState.ASKED:
        turn.save(_with_cancellation(turn, connection))
        return
    body = envelope.body
    at, name = envelope.sent_at, turn.called(body.by_name, body.by, connection.peer)
    decided = Signature(body.by, name, connection.peer, at)
    connection = replace(connection, decided=decided, access=_agreed_access(turn, body.access))
    known = _with_nonce(turn, connection, body.nonce) if body.nonce is not None else connection
    if known is None:
        return
    connection = known
    if connection.check is not None and connection.check.is_open:
        pinning.tell_failure(turn, connection)
        _refuse_for_keys(turn, connection)
        return
    turn.note_by(connection.id, audit.Fact.PEER_ACCEPTED, decided)
    provision.begin(turn, connection)


def _with_cancellation(turn: Turn, connection: Connection) -> Connection:
    """Return the connection, with a cancellation for the approver if our request ended with its room.

    At that time we could tell nobody there.
    """
    is_told = any(draft.kind == "cancelled" for draft in connection.exchange.unread)
    if connection.state is not ConnectionState.CANCELLED or is_told:
        return connection
    body = bodies.Cancelled(by=connection.asked.person, by_name=connection.asked.name)
    return sequencing.send(turn, connection, body, awaits=True)


def on_declined(turn: Turn, connection: Connection, envelope: Message[bodies.Declined]) -> None:
    """Take in the peer's refusal, or its wish for another generation."""
    if connection.state is not ConnectionState.ASKED:
        turn.save(connection)
        return
    reason = envelope.body.reason or "declined"
    ended = replace(connection, state=ConnectionState.DECLINED, problem=reason[:60])
    turn.save(ended)
    turn.note(connection.id, audit.PeerDeclined(ended.problem), envelope.body.by)
    announced = turn.announced(connection.room, connection.peer)
    generation = envelope.body.generation
    if reason == "generation" and len(announced) == 1 and generation is not None:
        bot, party = announced[0]
        if connection.generation < generation <= connection.generation + MOST_AHEAD:
            ask(turn, bot, party, connection.room, connection.asked, connection.asked.event_id, generation)
            return
    phrase = say(messages.connect.connect_declined, connection=ended, by=envelope.body.by_name[:60])
    ended, draft = sequencing.write(turn, ended, bodies.Noted())
    turn.save(ended)
    turn.do(Post(MessageKind.END.of(ended.id), ended.room, phrase, mentions=(ended.asked.person,), draft=draft))


def on_ready(turn: Turn, connection: Connection, envelope: Message[bodies.Ready]) -> None:
    """Take in that the peer's trial passed."""
    connection = replace(connection, peer_ready=True, peer_sees_items=envelope.body.items)
    provision.become_active(turn, connection)


def on_cancelled(turn: Turn, connection: Connection, envelope: Message[bodies.Cancelled]) -> None:
    """Take in that the peer cancelled, or let it expire: undo our provisioning. It can't end an active connection."""
    was_active = connection.own_ready and connection.peer_ready
    if connection.state in LIVING_CONNECTION - {ConnectionState.ENDING} and not was_active:
        state = ConnectionState.CANCELLED if envelope.body.by else ConnectionState.EXPIRED
        finish(turn, connection, state, envelope.body.by_name[:60], bodies.Noted())
    else:
        turn.save(connection)


# --- our own people and the clock ---


def on_approved(turn: Turn, connection: Connection, decided: Signature) -> None:
    """Tell the peer our superuser's approval, and provision our side."""
    connection = replace(connection, decided=decided)
    body = bodies.Accepted(by=decided.person, by_name=decided.name, access=turn.us.peer_access)
    connection, draft = sequencing.write(turn, connection, body, awaits=True)
    turn.note_by(connection.id, audit.Fact.ACCEPTED, decided)
    connection = provision.begin(turn, connection)
    turn.do(Edit(MessageKind.CARD.of(connection.id), connection.room, card(turn, connection), draft=draft))


def on_refused(turn: Turn, connection: Connection, decided: Signature) -> None:
    """Tell the peer our superuser's refusal."""
    connection = replace(connection, decided=decided, state=ConnectionState.DECLINED)
    body = bodies.Declined(by=decided.person, by_name=decided.name, reason="declined")
    connection, draft = sequencing.write(turn, connection, body, awaits=True)
    turn.save(connection)
    turn.note_by(connection.id, audit.ConnectionIs(connection.state), decided)
    turn.do(Edit(MessageKind.CARD.of(connection.id), connection.room, card(turn, connection), draft=draft))


def finish(
    turn: Turn,
    connection: Connection,
    state: ConnectionState,
    by: str,
    body: bodies.Cancelled | bodies.Noted | None = None,
) -> Connection:
    """End a connection before both sides were ready: undo the provisioning, and tell people.

    `body` is the message that tells the peer, or acknowledges its own, if one is to be sent.
    """
    is_shown = connection.ours or connection.exchange.sent > 1  # the card carries our second message
    ended, draft = replace(connection, state=state, decision=None, problem=by), None
    if body is not None:
        ended, draft = sequencing.write(turn, ended, body, awaits=isinstance(body, bodies.Cancelled))
    turn.save(ended)
    turn.note(ended.id, audit.ConnectionIs(state), by)
    provision.take_back(turn, ended)
    phrase = say(messages.connect.connect_over, connection=ended, by=by) if ended.ours else card(turn, ended)
    if is_shown:
        key = MessageKind.OFFER.of(ended.id) if ended.ours else MessageKind.CARD.of(ended.id)
        turn.do(Edit(key, ended.room, phrase, draft=draft))
    elif draft is not None:
        sequencing.post(turn, ended, draft)
    if ended.ours and state is ConnectionState.EXPIRED:
        turn.do(Post(MessageKind.END.of(ended.id), ended.room, phrase, mentions=(ended.asked.person,)))
    return ended


def cancel(turn: Turn, connection: Connection, by: Signature) -> Connection:
    """Cancel for our side before it is active, and tell the peer."""
    body = bodies.Cancelled(by=by.person, by_name=by.name)
    return finish(turn, connection, ConnectionState.CANCELLED, by.name, body)


def expire(turn: Turn, connection: Connection) -> None:
    """Expire a connection that nobody decided on, or that never became ready, and tell the peer.

    Not after our `ready`. Call it only after a complete sync that began at `turn.now`.
    """
    if connection.is_overdue(turn.now):
        finish(turn, connection, ConnectionState.EXPIRED, "", bodies.Cancelled())


def announced_alone(turn: Turn, connection: Connection) -> bool:
    """Whether exactly the bot and key that the connection pins announce its party now."""
    announced = [(bot, party.key) for bot, party in turn.announced(connection.room, connection.peer)]
    return announced == [(connection.peer_bot, connection.peer_key)]


def tell_silence(turn: Turn, connection: Connection) -> None:
    """Post once, in the thread of the card or of our request, that the peer's bot hasn't answered for a while."""
    if connection.exchange.resends != SILENT_AFTER_RESENDS or connection.state not in UNFINISHED_CONNECTION:
        return
    if turn.tell_once(f"silent:{connection.id}", SAID_ONCE):
        phrase = say(messages.connect.peer_bot_silent, connection=connection, us=turn.us)
        thread = MessageKind.OFFER.of(connection.id) if connection.ours else MessageKind.CARD.of(connection.id)
        turn.do(Post(MessageKind.SILENT.of(connection.id), connection.room, phrase, thread=thread))
