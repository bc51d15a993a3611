"""Pins: a connection is with one party, Matrix account, key and room. Any change suspends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from fedbot import messages
from fedbot.rules.connection import key_checks, provision
from fedbot.rules.model import audit
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.effects import Post, say
from fedbot.rules.model.room import AnnouncedParty, Announcement
from fedbot.rules.protocol import announcements, sequencing
from fedbot.rules.state import Turn

TOLD_FOR = timedelta(days=30)
RENAMED_FOR = timedelta(days=1)
"""So long a peer that changes its name again and again is told of once."""
PINNED = frozenset({ConnectionState.READY, ConnectionState.ACTIVE, ConnectionState.MAKING, ConnectionState.SUSPENDED})


def on_announced(turn: Turn, room: str, bot: str, content: dict[str, Any]) -> None:
    """A bot announces its parties: keep what is proven, compare it with what is pinned, tell the admins of the rest."""
    heard = announcements.read_announcement(room, bot, content)
    known = turn.announcement(room, bot)
    before = {party.id: party for party in known.parties} if known else {}
    ours = [party for party in heard.parties if turn.us.party == party.id or turn.us.key == party.key]
    proven = [_newer(turn, before.get(party.id), party) for party in heard.parties if party not in ours]
    ignored = {party.id for party in heard.unproven} - {party.id for party in heard.parties}
    parties = (*proven, *(party for party in before.values() if party.id in ignored))
    turn.save(Announcement(room, bot, parties))
    for party in heard.unproven:
        if turn.tell_once(f"unproven:{bot}", TOLD_FOR):
            turn.note("rooms", audit.InRoom(audit.RoomChange.UNSIGNED, room, party.id), bot)
            turn.tell_admins(
                say(messages.rooms.claim_without_signature, party=party.id, bot=bot), f"unproven:{room}:{bot}"
            )
    for party in ours:
        if turn.tell_once(f"as-us:{bot}", TOLD_FOR):
            phrase = say(messages.rooms.claims_to_be_us, us=turn.us, bot=bot, has_key=party.key == turn.us.key)
            turn.tell_admins(phrase, f"as-us:{room}:{bot}")
    for party in parties:
        _compare(turn, room, bot, party)


def _newer(turn: Turn, before: AnnouncedParty | None, party: AnnouncedParty) -> AnnouncedParty:
    """An older announcement of the same bot doesn't come back, whoever puts it there again."""
    if before is not None and party.at <= before.at:
        return before
    is_known = before is not None and before.key == party.key
    return replace(party, since=before.since if is_known and before else turn.now)


def _compare(turn: Turn, room: str, bot: str, party: AnnouncedParty) -> None:
    """Only the pinned bot, or whoever holds the pinned key, can say something of a connection; others are told of."""
    connection = turn.connection_with(party.id)
    if connection is None or connection.state not in PINNED:
        believed = turn.announced(room, party.id)
        if believed and believed[0][0] != bot and turn.tell_once(f"second:{room}:{party.id}:{bot}", TOLD_FOR):
            phrase = say(messages.rooms.second_claim, party=party.id, bot=bot, believed=believed[0][0])
            turn.tell_admins(phrase, f"second:{room}:{party.id}:{bot}")
        return
    is_here = room in {connection.room, connection.changed_room}
    if bot == connection.peer_bot and party.key == connection.peer_key:
        if room == connection.room:
            _hear_name(turn, connection, party.name)
    elif is_here and (bot == connection.peer_bot or _has_moved(turn, room, connection, party)):
        suspend(turn, connection, bot, party.key)
    elif turn.tell_once(f"claim:{connection.id}:{bot}", TOLD_FOR):
        turn.tell_admins(
            say(messages.connection.party_claimed, connection=connection, bot=bot), f"claim:{connection.id}:{bot}"
        )


def _hear_name(turn: Turn, connection: Connection, name: str) -> None:
    """Another name of the peer waits for a superuser's word. It is told once, however often it changes meanwhile."""
    new = name if name != connection.peer_name else ""
    if new == connection.new_name:
        return
    renamed = replace(connection, new_name=new)
    turn.save(renamed)
    if new and turn.tell_once(f"renamed:{connection.id}", RENAMED_FOR):
        turn.note(connection.id, audit.NewName(new), connection.peer_bot)
        phrase = say(messages.review.peer_renamed, connection=renamed, us=turn.us)
        turn.do(Post(f"renamed:{connection.id}:{turn.now.date()}", connection.room, phrase))


def accept_name(turn: Turn, connection: Connection, by: Signature) -> Connection:
    """A superuser has read the peer's new name: from now on it is called so."""
    renamed = replace(connection, peer_name=connection.new_name, new_name="")
    turn.note(connection.id, audit.NewName(renamed.peer_name, accepted=True), by.person, by.event_id)
    turn.save(renamed)
    return renamed


def _has_moved(turn: Turn, room: str, connection: Connection, party: AnnouncedParty) -> bool:
    """Whether the holder of the pinned key speaks by another account, and no more by the pinned one."""
    still_there = any(bot == connection.peer_bot for bot, _ in turn.claims(room, party.id))
    return party.key == connection.peer_key and not still_there


def mismatch(turn: Turn, connection: Connection, bot: str, key: str) -> None:
    """A message in the peer's name from another account or key: never acted upon.

    From the pinned account it means that the key changed; from elsewhere somebody pretends, and the admins
    are told.
    """
    if key in connection.former_keys:
        turn.note(connection.id, audit.Fact.FORMER_KEY, bot)
    elif bot == connection.peer_bot and connection.state in PINNED:
        suspend(turn, connection, bot, key)
    elif turn.tell_once(f"pretender:{connection.id}:{bot}", turn.us.resend_after[-1]):
        turn.tell_admins(
            say(messages.connection.party_claimed, connection=connection, bot=bot), f"pretender:{connection.id}:{bot}"
        )


def suspend(turn: Turn, connection: Connection, bot: str, key: str) -> None:
    """No new requests and no decisions until a superuser has looked (`!fed review`)."""
    if connection.state is ConnectionState.SUSPENDED and connection.changed_key == key:
        return
    suspended = replace(connection, state=ConnectionState.SUSPENDED, changed_bot=bot, changed_key=key)
    suspended = key_checks.begin_review(turn, suspended)
    turn.note(connection.id, audit.Fact.SUSPENDED, bot)
    phrase = say(messages.connection.connection_suspended, connection=suspended, us=turn.us)
    turn.do(Post(f"suspended:{connection.id}:{key[:8]}", connection.room, phrase))
    turn.tell_admins(phrase, f"suspended:{connection.id}:{key[:8]}")


def compare_again(turn: Turn) -> None:
    """The journal was rebuilt: each key comes from InvenTree or a room, which others write. A superuser compares it."""
    for connection in turn.connections():
        if connection.state in PINNED:
            suspend(turn, connection, connection.peer_bot, connection.peer_key)


def accept_change(turn: Turn, connection: Connection, by: Signature) -> Connection:
    """A superuser has compared the keys: pin what is announced now, and go on where it stopped.

    What the peer has not seen goes out again, sealed to the new key.
    """
    accepted = restored(
        replace(
            connection,
            peer_bot=connection.changed_bot or connection.peer_bot,
            peer_key=connection.changed_key or connection.peer_key,
            former_keys=_former_keys(connection),
            changed_bot="",
            changed_key="",
            check=None,
        )
    )
    turn.note(connection.id, audit.Fact.REVIEWED, by.person, by.event_id)
    accepted = sequencing.address_anew(accepted, accepted)
    turn.save(accepted)
    sequencing.send_again(turn, accepted)
    for transfer in turn.open_transfers():
        if transfer.connection == connection.id:
            readdressed = sequencing.address_anew(transfer, accepted)
            turn.save(readdressed)
            sequencing.send_again(turn, readdressed)
    if accepted.state is ConnectionState.MAKING:
        return provision.begin(turn, accepted)
    return accepted


def _former_keys(connection: Connection) -> tuple[str, ...]:
    """The keys that the peer had before the one that is accepted now: what it opened then keeps its id."""
    now = connection.changed_key or connection.peer_key
    return tuple(key for key in dict.fromkeys((*connection.former_keys, connection.peer_key)) if key != now)


def restored(connection: Connection) -> Connection:
    """A suspended connection for which nothing more has to be looked at: each trial that passed still counts."""
    if connection.state is not ConnectionState.SUSPENDED or connection.changed_bot or connection.changed_room:
        return connection
    if not connection.own_ready:
        return replace(connection, state=ConnectionState.MAKING)
    return replace(connection, state=ConnectionState.ACTIVE if connection.peer_ready else ConnectionState.READY)
