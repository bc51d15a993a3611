"""Pins: a connection is with one party, Matrix account, key and room. Any change suspends it (DESIGN §4)."""

from __future__ import annotations

from dataclasses import replace

from fedbot.federation import letters, making
from fedbot.federation.documents import (
    Connection,
    ConnectionState,
    Signature,
)
from fedbot.federation.effects import Post, say
from fedbot.federation.state import Turn
from fedbot.federation.surroundings import Announcement

PINNED = frozenset({ConnectionState.READY, ConnectionState.ACTIVE, ConnectionState.MAKING, ConnectionState.SUSPENDED})


def on_announced(turn: Turn, announcement: Announcement) -> None:
    """A bot announces its parties: compare with what is pinned."""
    turn.save(announcement)
    for party in announcement.parties:
        connection = turn.connection_with(party.id)
        if connection is None or connection.state not in PINNED or connection.room != announcement.room:
            continue
        same_bot = connection.peer_bot == announcement.bot
        if same_bot and connection.peer_key == party.key:
            if connection.peer_name != party.name:
                turn.save(replace(connection, peer_name=party.name))
        elif same_bot or not _still_announced(turn, connection):
            suspend(turn, connection, announcement.bot, party.key)
        elif turn.tell_once(f"claim:{connection.id}:{announcement.bot}", turn.home.resend_after[-1]):
            phrase = say("party_claimed", connection=connection, bot=announcement.bot)
            turn.tell_admins(phrase, f"claim:{connection.id}:{announcement.bot}")


def _still_announced(turn: Turn, connection: Connection) -> bool:
    """Whether the pinned bot still says that it hosts the party."""
    return any(bot == connection.peer_bot for bot, _ in turn.announced(connection.room, connection.peer))


def mismatch(turn: Turn, connection: Connection, bot: str, key: str) -> None:
    """A letter in the peer's name from another account or key: never acted upon.

    From the pinned account it means that the key changed; from elsewhere somebody pretends, and the admins
    are told.
    """
    if key in connection.former_keys:
        turn.note(connection.id, "a message under a key that the peer had before: not read", bot)
    elif bot == connection.peer_bot and connection.state in PINNED:
        suspend(turn, connection, bot, key)
    elif turn.tell_once(f"pretender:{connection.id}:{bot}", turn.home.resend_after[-1]):
        turn.tell_admins(say("party_claimed", connection=connection, bot=bot), f"pretender:{connection.id}:{bot}")


def suspend(turn: Turn, connection: Connection, bot: str, key: str) -> None:
    """No new requests and no decisions until a superuser has looked (`!fed review`)."""
    if connection.state is ConnectionState.SUSPENDED and connection.changed_key == key:
        return
    suspended = replace(connection, state=ConnectionState.SUSPENDED, changed_bot=bot, changed_key=key)
    turn.save(suspended)
    turn.note(connection.id, "suspended: the peer's account or key changed", bot)
    phrase = say("connection_suspended", connection=suspended, home=turn.home)
    turn.do(Post(f"suspended:{connection.id}:{key[:8]}", connection.room, phrase))
    turn.tell_admins(phrase, f"suspended:{connection.id}:{key[:8]}")


def accept_change(turn: Turn, connection: Connection, by: Signature) -> Connection:
    """A superuser has compared the fingerprints: pin what is announced now, and go on where it stopped.

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
        )
    )
    turn.note(connection.id, "reviewed: the new account and key are pinned", by.person, by.event_id)
    accepted = letters.address_anew(accepted, accepted)
    turn.save(accepted)
    letters.send_again(turn, accepted)
    for transfer in turn.open_transfers():
        if transfer.connection == connection.id:
            readdressed = letters.address_anew(transfer, accepted)
            turn.save(readdressed)
            letters.send_again(turn, readdressed)
    if accepted.state is ConnectionState.MAKING:
        return making.begin(turn, accepted)
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
