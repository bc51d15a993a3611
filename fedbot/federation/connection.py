"""UC1: two parties become friends. Asking, crossing, deciding, making the peer's access, trying it (DESIGN §2).

Nothing here needs an arbiter: a connection is `active` on a side only when its own trial passed and it has the
peer's `ready`; a side that cancelled or expired never says `ready`, so the other can't become active either.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from fedbot.federation import letters, making
from fedbot.federation.documents import (
    LIVING_CONNECTION,
    UNFINISHED_CONNECTION,
    AnnouncedParty,
    Connection,
    ConnectionState,
    Exchange,
    Signature,
)
from fedbot.federation.effects import Ask, Edit, Phrase, Post, SendEnvelope, say
from fedbot.federation.envelope import Envelope, connection_id, fingerprint
from fedbot.federation.events import Answered, Context
from fedbot.federation.questions import Able, WhoMay
from fedbot.federation.reactions import APPROVE_KEY, DECLINE_KEY
from fedbot.federation.state import Turn
from fedbot.federation.stock import Right

MOST_RINGS = 3
DAY = timedelta(days=1)


def next_generation(turn: Turn, peer: str) -> int:
    """1 + the highest generation that we know of with this peer."""
    return 1 + max((c.generation for c in turn.connections() if c.peer == peer), default=0)


def ask(
    turn: Turn, bot: str, party: AnnouncedParty, room: str, asker: Signature, line: str, generation: int = 0
) -> Connection:
    """Ask a peer to connect; pins what its bot announces now. `line` is the event to reply to."""
    generation = max(generation, next_generation(turn, party.id))
    identifier = connection_id(turn.home.party, party.id, room, generation)
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
        due=turn.now + turn.home.request_open_for,
        waiting_since=turn.now,
    )
    connection, draft = letters.write(turn, connection, "connect", _asking_body(turn, connection), awaits=True)
    turn.save(connection)
    phrase = say("connect_asked", connection=connection, fingerprint=fingerprint(party.key))
    turn.do(Post(f"offer:{identifier}", room, phrase, reply_to=line, draft=draft))
    turn.note(identifier, f"asked {party.id} to connect", asker.person, asker.event_id)
    return connection


def _agreed_access(turn: Turn, theirs: str) -> str:
    """`direct` only where both sides have opted in."""
    return "direct" if theirs == "direct" == turn.home.peer_access else "relayed"


def _asking_body(turn: Turn, connection: Connection) -> dict[str, Any]:
    return {
        "generation": connection.generation,
        "name": turn.home.name,
        "access": turn.home.peer_access,
        "asker": connection.asked.person,
        "asker_name": connection.asked.name,
        "due": connection.due.isoformat(),
    }


# --- what the peer's bot writes ---


def on_connect(turn: Turn, envelope: Envelope, announced: AnnouncedParty, bot: str) -> None:
    """A peer asks to connect: a card for our superusers; or, if we asked too, both have said yes."""
    known = turn.connection(envelope.subject)
    if known is not None:
        _on_repeated_connect(turn, known, envelope)
        return
    generation = int(envelope.body["generation"])
    expected = next_generation(turn, envelope.sender)
    current = turn.connection_with(envelope.sender)
    if generation < expected or current is not None:
        _answer_lower_generation(turn, envelope, announced, bot, current, expected)
        return
    connection = _offered(turn, envelope, announced, bot, generation)
    if too_many := _throttled(turn, envelope.sender):
        connection = replace(connection, state=ConnectionState.DECLINED, problem=too_many)
        turn.save(letters.send(turn, connection, "declined", {"reason": "throttled"}))
        turn.tell_admins(say("connect_throttled", connection=connection), f"throttled:{connection.id}")
        return
    turn.save(connection)
    turn.note(
        connection.id,
        f"{envelope.sender} asks to connect",
        connection.asked.person,
        connection.asked.event_id,
    )
    people = tuple(turn.home.people.values())
    turn.do(Ask(Context("connect-card", connection.id), (WhoMay(Right.SUPERUSER, people),), patient=True))


def _on_repeated_connect(turn: Turn, known: Connection, envelope: Envelope) -> None:
    """Both asked at once, or the same asking came again."""
    read = letters.read(turn, known, envelope)
    if read is None:
        return
    known = read
    if known.state is ConnectionState.ASKED:
        body = envelope.body
        theirs = Signature(body["asker"], body["asker_name"], known.peer, envelope.sent_at, "")
        known = replace(known, access=_agreed_access(turn, str(body["access"])), decided=theirs)
        turn.note(known.id, "both sides asked at once: each asking is the other's approval", theirs.person)
        turn.do(Edit(f"offer:{known.id}", known.room, say("connect_crossed", connection=known)))
        making.begin(turn, known)
        return
    turn.save(known)


def _answer_lower_generation(
    turn: Turn,
    envelope: Envelope,
    announced: AnnouncedParty,
    bot: str,
    current: Connection | None,
    expected: int,
) -> None:
    """Say under which generation to ask again; while a connection lives, that it does."""
    answer = _offered(turn, envelope, announced, bot, int(envelope.body["generation"]))
    reason = "connected" if current else "generation"
    _, draft = letters.write(turn, answer, "declined", {"reason": reason, "generation": expected})
    turn.do(SendEnvelope(answer.room, draft))


def _offered(turn: Turn, envelope: Envelope, announced: AnnouncedParty, bot: str, generation: int) -> Connection:
    body = envelope.body
    asked = Signature(str(body["asker"]), str(body["asker_name"])[:60], envelope.sender, envelope.sent_at)
    connection = Connection(
        id=envelope.subject,
        code=turn.short_code(envelope.subject),
        peer=envelope.sender,
        peer_name=announced.name,
        peer_bot=bot,
        peer_key=announced.key,
        room=envelope.room,
        generation=generation,
        state=ConnectionState.OFFERED,
        asked=asked,
        ours=False,
        access=_agreed_access(turn, str(body["access"])),
        due=turn.now + turn.home.request_open_for,
    )
    return replace(connection, exchange=Exchange(seen=envelope.seq))


def _throttled(turn: Turn, peer: str) -> str:
    """Why this asking is one too many today, or ''."""
    since = turn.now - DAY
    today = [c for c in turn.connections() if not c.ours and c.due - turn.home.request_open_for > since]
    if len([c for c in today if c.peer == peer]) >= turn.home.connects_a_day_per_peer:
        return "throttled: this space asked too often today"
    if len(today) >= turn.home.connects_a_day:
        return "throttled: too many spaces asked today"
    return ""


def on_card_addressees(turn: Turn, event: Answered) -> None:
    """We know who may decide: post the card."""
    connection = turn.connection(event.context.subject)
    (able,) = event.answers
    if connection is None or connection.state is not ConnectionState.OFFERED or not isinstance(able, Able):
        return
    connection, draft = letters.write(turn, connection, "noted")
    turn.save(connection)
    people = addressees(turn, able)
    turn.do(
        Post(
            f"card:{connection.id}",
            connection.room,
            card(turn, connection, [turn.name_of(person, connection.room) for person in people]),
            rings=tuple(people[:MOST_RINGS]),
            draft=draft,
            seeds=(APPROVE_KEY, DECLINE_KEY),
        )
    )


def addressees(turn: Turn, able: Able) -> list[str]:
    """The Matrix ids of the people who have the right, in the configuration's order."""
    return [person for person, username in turn.home.people.items() if username in able.usernames]


def card(turn: Turn, connection: Connection, people: list[str] | None = None) -> Phrase:
    """The card as it reads in the connection's present state."""
    return say(
        "connection_card",
        connection=connection,
        home=turn.home,
        fingerprint=fingerprint(connection.peer_key),
        own_fingerprint=fingerprint(turn.home.key),
        people=people or [],
    )


def on_accepted(turn: Turn, connection: Connection, envelope: Envelope) -> None:
    """The peer's superuser said yes: make our side too."""
    if connection.state is not ConnectionState.ASKED:
        turn.save(connection)
        return
    body = envelope.body
    decided = Signature(str(body["by"]), str(body["by_name"])[:60], connection.peer, envelope.sent_at)
    connection = replace(connection, decided=decided, access=_agreed_access(turn, str(body["access"])))
    turn.note(connection.id, f"accepted by {connection.peer}", decided.person)
    making.begin(turn, connection)


def on_declined(turn: Turn, connection: Connection, envelope: Envelope) -> None:
    """The peer said no, or asks for another generation."""
    if connection.state is not ConnectionState.ASKED:
        turn.save(connection)
        return
    reason = str(envelope.body.get("reason", "declined"))
    ended = replace(connection, state=ConnectionState.DECLINED, problem=reason)
    turn.save(ended)
    turn.note(connection.id, f"declined by {connection.peer}: {reason}", str(envelope.body.get("by", "")))
    announced = turn.announced(connection.room, connection.peer)
    if reason == "generation" and len(announced) == 1:
        bot, party = announced[0]
        generation = int(envelope.body["generation"])
        ask(turn, bot, party, connection.room, connection.asked, connection.asked.event_id, generation)
        return
    phrase = say("connect_declined", connection=ended, by=str(envelope.body.get("by_name", ""))[:60])
    turn.do(Post(f"end:{ended.id}", ended.room, phrase, rings=(ended.asked.person,)))


def on_ready(turn: Turn, connection: Connection, envelope: Envelope) -> None:
    """The peer's trial passed."""
    items = envelope.body.get("items")
    connection = replace(connection, peer_ready=True, peer_sees_items=items if isinstance(items, int) else None)
    making.become_active(turn, connection)


def on_cancelled(turn: Turn, connection: Connection, envelope: Envelope) -> None:
    """The peer's side cancelled or let it expire: take back what we made."""
    if connection.state in LIVING_CONNECTION and connection.state is not ConnectionState.ACTIVE:
        finish(turn, connection, ConnectionState.CANCELLED, str(envelope.body.get("by_name", ""))[:60])
    else:
        turn.save(connection)


# --- what our own people and the clock do ---


def on_approved(turn: Turn, connection: Connection, decided: Signature) -> None:
    """Our superuser said yes: tell the peer, make our side."""
    connection = replace(connection, decided=decided)
    body = {"by": decided.person, "by_name": decided.name, "access": turn.home.peer_access}
    connection, draft = letters.write(turn, connection, "accepted", body, awaits=True)
    turn.note(connection.id, "accepted", decided.person, decided.event_id)
    connection = making.begin(turn, connection)
    turn.do(Edit(f"card:{connection.id}", connection.room, card(turn, connection), draft=draft))


def on_refused(turn: Turn, connection: Connection, decided: Signature) -> None:
    """Our superuser said no."""
    connection = replace(connection, decided=decided, state=ConnectionState.DECLINED)
    body = {"by": decided.person, "by_name": decided.name, "reason": "declined"}
    connection, draft = letters.write(turn, connection, "declined", body)
    turn.save(connection)
    turn.note(connection.id, "declined", decided.person, decided.event_id)
    turn.do(Edit(f"card:{connection.id}", connection.room, card(turn, connection), draft=draft))


def finish(turn: Turn, connection: Connection, state: ConnectionState, by: str) -> Connection:
    """It ends before it was ready on both sides: what was made is taken back, the people are told."""
    ended = replace(connection, state=state, verdict=None, problem=by)
    turn.save(ended)
    making.take_back(turn, ended)
    key = f"offer:{ended.id}" if ended.ours else f"card:{ended.id}"
    phrase = say("connect_over", connection=ended, by=by) if ended.ours else card(turn, ended)
    turn.do(Edit(key, ended.room, phrase))
    turn.note(ended.id, f"{state}", by)
    if ended.ours and state is ConnectionState.EXPIRED:
        turn.do(Post(f"end:{ended.id}", ended.room, phrase, rings=(ended.asked.person,)))
    return ended


def cancel(turn: Turn, connection: Connection, by: Signature) -> Connection:
    """Our side takes it back before it is active; the peer is told."""
    ended = finish(turn, connection, ConnectionState.CANCELLED, by.name)
    ended = letters.send(turn, ended, "cancelled", {"by": by.person, "by_name": by.name})
    turn.save(ended)
    return ended


def expire(turn: Turn, connection: Connection) -> None:
    """Nobody decided, or it never became ready: it ends here and the peer is told. After `ready` it is kept."""
    if connection.state not in UNFINISHED_CONNECTION or connection.due > turn.now or connection.verdict:
        return
    ended = finish(turn, connection, ConnectionState.EXPIRED, "")
    turn.save(letters.send(turn, ended, "cancelled", {"by": "", "by_name": ""}))
