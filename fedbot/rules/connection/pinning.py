"""Pins: a connection belongs to one party, account, key and room. Any change suspends it until people compare keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from fedbot import messages
from fedbot.rules.connection import provision
from fedbot.rules.model import audit
from fedbot.rules.model.connection import KEY_EMOJI, Connection
from fedbot.rules.model.decision import KeyCheck, Signature
from fedbot.rules.model.effects import Post, SendEnvelope, say
from fedbot.rules.model.events import EnvelopeSeen
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.room import AnnouncedParty, Announcement, MessageKind
from fedbot.rules.protocol import announcements, bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.state import Turn
from fedbot.rules.wire import Draft, fingerprint, key_commitment, short_string

TOLD_FOR = timedelta(days=30)
RENAMED_FOR = timedelta(days=1)
"""The time within which several new names of a peer are reported only once."""
PINNED = frozenset({ConnectionState.READY, ConnectionState.ACTIVE, ConnectionState.MAKING, ConnectionState.SUSPENDED})


def on_announced(turn: Turn, room: str, bot: str, content: dict[str, Any]) -> None:
    """Take in a bot's announcement: store the proven parties, compare them with the pins, and report the others."""
    read = announcements.read_announcement(room, bot, content)
    known = turn.announcement(room, bot)
    before = {party.id: party for party in known.parties} if known else {}
    ours = [party for party in read.parties if turn.us.party == party.id or turn.us.key == party.key]
    proven = [_newer(turn, before.get(party.id), party) for party in read.parties if party not in ours]
    ignored = {party.id for party in read.unproven} - {party.id for party in read.parties}
    parties = (*proven, *(party for party in before.values() if party.id in ignored))
    turn.save(Announcement(room, bot, parties))
    for party in read.unproven:
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
    """Return the newer announcement of the same bot, so that nobody can restore an older one."""
    if before is not None and party.at <= before.at:
        return before
    is_known = before is not None and before.key == party.key
    return replace(party, since=before.since if is_known and before else turn.now)


def _compare(turn: Turn, room: str, bot: str, party: AnnouncedParty) -> None:
    """Compare an announcement with the pins.

    Only the pinned bot, or the holder of the pinned key, may change a connection. The admins are told about other
    claims.
    """
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
            say(messages.connect.party_claimed, connection=connection, bot=bot), f"claim:{connection.id}:{bot}"
        )


def _hear_name(turn: Turn, connection: Connection, name: str) -> None:
    """Keep a new name of the peer until a superuser accepts it. People hear of it once, even if it changes again."""
    new = name if name != connection.peer_name else ""
    if new == connection.new_name:
        return
    renamed = replace(connection, new_name=new)
    turn.save(renamed)
    if new and turn.tell_once(f"renamed:{connection.id}", RENAMED_FOR):
        turn.note(connection.id, audit.NewName(new), connection.peer_bot)
        phrase = say(messages.keys.peer_renamed, connection=renamed, us=turn.us)
        turn.do(Post(MessageKind.RENAMED.of(connection.id, str(turn.now.date())), connection.room, phrase))


def accept_name(turn: Turn, connection: Connection, by: Signature) -> Connection:
    """Use the peer's new name from now on, as a superuser agrees."""
    renamed = replace(connection, peer_name=connection.new_name, new_name="")
    turn.note(connection.id, audit.NewName(renamed.peer_name, accepted=True), by.person, by.event_id)
    turn.save(renamed)
    return renamed


def _has_moved(turn: Turn, room: str, connection: Connection, party: AnnouncedParty) -> bool:
    """Whether the holder of the pinned key uses another account, and not the pinned one any more."""
    still_there = any(bot == connection.peer_bot for bot, _ in turn.claims(room, party.id))
    return party.key == connection.peer_key and not still_there


def mismatch(turn: Turn, connection: Connection, bot: str, key: str) -> None:
    """React to a message in the peer's name from another account or key. It is never acted upon.

    From the pinned account it means that the key changed. From another one somebody pretends to be the peer, and the
    admins are told.
    """
    if key in connection.former_keys:
        if turn.spends("stray", bot) is None:  # anybody in the room can send an old message again
            turn.note(connection.id, audit.Fact.FORMER_KEY, bot)
    elif bot == connection.peer_bot and connection.state in PINNED:
        suspend(turn, connection, bot, key)
    elif turn.tell_once(f"pretender:{connection.id}:{bot}", turn.us.resend_after[-1]):
        turn.tell_admins(
            say(messages.connect.party_claimed, connection=connection, bot=bot), f"pretender:{connection.id}:{bot}"
        )


def suspend(turn: Turn, connection: Connection, bot: str, key: str) -> None:
    """Allow no new requests and no decisions until a superuser has reviewed it (`!fed review`)."""
    if connection.state is ConnectionState.SUSPENDED and connection.changed_key == key:
        return
    suspended = replace(connection, state=ConnectionState.SUSPENDED, changed_bot=bot, changed_key=key)
    suspended = begin_review(turn, suspended)
    turn.note(connection.id, audit.Fact.SUSPENDED, bot)
    phrase = say(messages.connect.connection_suspended, connection=suspended, us=turn.us)
    turn.do(Post(MessageKind.SUSPENDED.of(connection.id, key[:8]), connection.room, phrase))
    turn.tell_admins(phrase, f"suspended:{connection.id}:{key[:8]}")


def compare_again(turn: Turn) -> None:
    """Suspend each connection after a rebuild: its key comes from InvenTree or a room, where others can write."""
    for connection in turn.connections():
        if connection.state in PINNED:
            suspend(turn, connection, connection.peer_bot, connection.peer_key)


def accept_change(turn: Turn, connection: Connection, by: Signature) -> Connection:
    """Pin the account and key announced now, because a superuser has compared the keys, and continue.

    Unacknowledged messages are sent again, sealed to the new key.
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
    accepted = sequencing.address_again(accepted, accepted)
    turn.save(accepted)
    sequencing.send_again(turn, accepted)
    for transfer in turn.open_transfers():
        if transfer.connection == connection.id:
            readdressed = sequencing.address_again(transfer, accepted)
            turn.save(readdressed)
            sequencing.send_again(turn, readdressed)
    if accepted.state is ConnectionState.MAKING:
        return provision.begin(turn, accepted)
    return accepted


def _former_keys(connection: Connection) -> tuple[str, ...]:
    """Return the peer's keys before the one that is now accepted. Subjects that they opened keep their ids."""
    now = connection.changed_key or connection.peer_key
    return tuple(key for key in dict.fromkeys((*connection.former_keys, connection.peer_key)) if key != now)


def restored(connection: Connection) -> Connection:
    """Return the suspended connection as active, if nothing is left to review. Trials that passed still count."""
    if connection.state is not ConnectionState.SUSPENDED or connection.changed_bot or connection.changed_room:
        return connection
    if not connection.own_ready:
        return replace(connection, state=ConnectionState.MAKING)
    return replace(connection, state=ConnectionState.ACTIVE if connection.peer_ready else ConnectionState.READY)


# --- Comparing whole keys: if nobody is between two bots, both show the same seven emoji.
#
# Each side contributes a nonce, and reveals it only once the other is committed to its own: the asker commits to its
# nonce first, the decider reveals its own next, then the asker reveals. So somebody between them, with a key of their
# own for each side, has one try in 2^42, and people notice each failure.

ANSWERED_AGAIN_AFTER = timedelta(minutes=1)
FAILED = "keys"
"""The reason of a request that ends because a nonce isn't the committed one."""
_CHECKED_AGAIN = frozenset({ConnectionState.ACTIVE, ConnectionState.ENDING, ConnectionState.SUSPENDED})
"""In earlier states, the messages of the request carry commitments and nonces."""


def begin_check(
    turn: Turn, connection: Connection, peer_key: str, *causes: str, peer_commitment: str = ""
) -> Connection:
    """Return the connection with our nonce, which differs for every cause and commitment."""
    purpose = ":".join((connection.id, peer_key, peer_commitment, *causes))
    return replace(connection, check=KeyCheck(turn.state.nonce(purpose), peer_key, peer_commitment=peer_commitment))


def our_commitment(turn: Turn, connection: Connection) -> str:
    """Return our commitment, which is sent before our nonce; '' if no keys are compared."""
    return key_commitment(connection.id, turn.us.key, connection.check.ours) if connection.check else ""


def reveal_nonce(connection: Connection) -> tuple[Connection, str | None]:
    """Return the connection with our nonce revealed, and that nonce; None instead if no keys are compared."""
    if connection.check is None:
        return connection, None
    return replace(connection, check=replace(connection.check, is_told=True)), connection.check.ours


def accept_nonce(connection: Connection, nonce: str) -> Connection | None:
    """Return the connection with the peer's nonce; None if the peer wasn't committed to it before we revealed ours."""
    check = connection.check
    if check is None or check.theirs == nonce:
        return connection
    is_bound = check.peer_commitment == key_commitment(connection.id, check.peer_key, nonce)
    is_first = not check.peer_commitment and not check.is_told
    if check.theirs or not (is_bound or is_first):
        return None
    return replace(connection, check=replace(check, theirs=nonce))


def emoji_numbers(turn: Turn, connection: Connection) -> tuple[int, ...]:
    """Return the indices in `KEY_EMOJI` of the seven that both bots show; () while they aren't known."""
    check = connection.check
    if check is None or check.is_open or check.peer_key != (connection.changed_key or connection.peer_key):
        return ()
    return short_string(connection.id, (turn.us.key, check.ours), (check.peer_key, check.theirs))


def is_typed_key(turn: Turn, connection: Connection, typed: str) -> bool:
    """Whether the text is the whole fingerprint of the reviewed key, or the seven emoji or their names."""
    word = "".join(character for character in typed.casefold() if character.isalnum())
    key = connection.changed_key or connection.peer_key
    if word == fingerprint(key).replace("-", ""):
        return True
    shown = [KEY_EMOJI[number] for number in emoji_numbers(turn, connection)]
    names = "".join(name for _, name in shown).casefold().replace(" ", "")
    emoji = "".join(each for each, _ in shown).replace("\ufe0f", "")
    bare = "".join(typed.split()).replace("\ufe0f", "")
    return bool(shown) and (word == names or bare == emoji)


# --- reviewing another key ---------------------------------------------------------------------------------


def begin_review(turn: Turn, connection: Connection) -> Connection:
    """Begin the review of another key or account of the peer: commit to a nonce, and ask for the peer's."""
    key = connection.changed_key or connection.peer_key
    connection = begin_check(turn, connection, key, connection.changed_bot, turn.now.isoformat())
    turn.save(connection)
    _send(turn, connection, bodies.Check(commitment=our_commitment(turn, connection)))
    return connection


def is_from_compared_key(connection: Connection, event: EnvelopeSeen, envelope: Message[bodies.Check]) -> bool:
    """Whether it is from the account and key that people compare now, in its room. Others' messages are ignored."""
    compared = (connection.peer_bot, connection.peer_key)
    if connection.state is ConnectionState.SUSPENDED and connection.changed_bot:
        compared = (connection.changed_bot, connection.changed_key)
    is_theirs = envelope.sender == connection.peer and event.room == connection.room
    return is_theirs and (event.sender, envelope.key) == compared and connection.state in _CHECKED_AGAIN


def on_check(turn: Turn, connection: Connection, envelope: Message[bodies.Check]) -> None:
    """Take a commitment or a nonce from the bot that claims to be the peer. An unpinned key may send nothing else."""
    if envelope.body.commitment is not None:
        _on_commitment(turn, connection, envelope.key, envelope.body.commitment)
    elif envelope.body.nonce is not None:
        _on_nonce(turn, connection, envelope.key, envelope.body.nonce)


def _on_commitment(turn: Turn, connection: Connection, key: str, commitment: str) -> None:
    """Answer a peer that reviews our key. Reveal a nonce at most once a minute, so that nobody can try for a string."""
    check = connection.check
    if check is not None and check.peer_key == key and check.peer_commitment == commitment:
        _reveal(turn, connection)
        return
    if not turn.tell_once(f"key-check:{connection.id}", ANSWERED_AGAIN_AFTER):
        return
    ours = check if connection.state is ConnectionState.SUSPENDED else None
    if ours is not None and ours.is_open and not ours.is_told and not ours.peer_commitment:
        connection = replace(connection, check=replace(ours, peer_commitment=commitment))
    else:
        connection = begin_check(turn, connection, key, peer_commitment=commitment)
    _reveal(turn, connection)


def _reveal(turn: Turn, connection: Connection) -> None:
    connection, nonce = reveal_nonce(connection)
    turn.save(connection)
    if nonce is not None:
        _send(turn, connection, bodies.Check(nonce=nonce))


def _on_nonce(turn: Turn, connection: Connection, key: str, nonce: str) -> None:
    """Both are committed now: reveal our nonce if we haven't, and show people the emoji to compare."""
    check = connection.check
    if check is None or check.peer_key != key or check.theirs == nonce:
        return
    known = accept_nonce(connection, nonce)
    if known is None:
        turn.save(replace(connection, check=None))
        tell_failure(turn, connection)
        return
    turn.save(known)
    if not check.is_told:
        _reveal(turn, known)
    turn.note(connection.id, audit.Fact.KEYS_COMPARABLE)
    phrase = say(messages.keys.keys_to_compare, connection=known, us=turn.us, emoji=emoji_numbers(turn, known))
    turn.do(Post(MessageKind.KEYS.of(connection.id, nonce[:8]), connection.room, phrase))


def _send(turn: Turn, connection: Connection, body: bodies.Check) -> None:
    draft = Draft(
        kind=body.kind,
        to=connection.peer,
        subject=connection.id,
        subject_kind=connection.subject_kind,
        number=0,
        body=body.to_json(),
    )
    turn.do(SendEnvelope(connection.room, draft))


def tell_failure(turn: Turn, connection: Connection) -> None:
    """Post that the revealed nonce isn't the committed one: an attack, or a broken bot."""
    turn.note(connection.id, audit.Fact.KEY_CHECK_FAILED)
    phrase = say(messages.keys.key_check_failed, connection=connection)
    if turn.tell_once(f"key-check-failed:{connection.id}", timedelta(days=1)):
        turn.do(Post(MessageKind.KEYS.of(connection.id, f"failed:{turn.now.isoformat()}"), connection.room, phrase))
        turn.tell_admins(phrase, f"keys:{connection.id}:{turn.now.isoformat()}")
