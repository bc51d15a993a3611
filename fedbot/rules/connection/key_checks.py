"""Keys are compared whole: if nobody stands between two bots, both show the same seven emoji (as Matrix clients do).

Each side puts a nonce into them, and tells it only once the other is bound to its own: who asks commits to its nonce
first, who decides tells its own next, then the first is told. So whoever speaks to each side with a key of his own has
one try in 2^42, and none that nobody notices.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fedbot import messages
from fedbot.rules.model import audit
from fedbot.rules.model.connection import KEY_EMOJI, Connection
from fedbot.rules.model.connection_lifecycle import ConnectionState
from fedbot.rules.model.decision import KeyCheck
from fedbot.rules.model.effects import Draft, Post, SendEnvelope, say
from fedbot.rules.model.events import EnvelopeSeen
from fedbot.rules.protocol import bodies
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.state import Turn
from fedbot.rules.wire.envelope import fingerprint, key_commitment, short_string

ANSWERED_AGAIN_AFTER = timedelta(minutes=1)
FAILED = "keys"
"""The reason of an asking that ends as a nonce isn't the one that was committed to."""
_CHECKED_AGAIN = frozenset({ConnectionState.ACTIVE, ConnectionState.ENDING, ConnectionState.SUSPENDED})
"""Before that the messages by which a friendship is asked for carry all of it."""


def begun(turn: Turn, connection: Connection, peer_key: str, *causes: str, peer_commitment: str = "") -> Connection:
    """The connection with a nonce of ours, another one for every cause and commitment."""
    purpose = ":".join((connection.id, peer_key, peer_commitment, *causes))
    return replace(connection, check=KeyCheck(turn.state.nonce(purpose), peer_key, peer_commitment=peer_commitment))


def our_commitment(turn: Turn, connection: Connection) -> str:
    """What we tell before our nonce."""
    return key_commitment(connection.id, turn.us.key, connection.check.ours) if connection.check else ""


def told(connection: Connection) -> tuple[Connection, dict[str, str]]:
    """The connection with our nonce told, and what the message that tells it holds."""
    if connection.check is None:
        return connection, {}
    return replace(connection, check=replace(connection.check, is_told=True)), {"nonce": connection.check.ours}


def completed(connection: Connection, nonce: str) -> Connection | None:
    """The connection with the peer's nonce; None if the peer wasn't bound to that one before ours was told."""
    check = connection.check
    if check is None or check.theirs == nonce:
        return connection
    is_bound = check.peer_commitment == key_commitment(connection.id, check.peer_key, nonce)
    is_first = not check.peer_commitment and not check.is_told
    if check.theirs or not (is_bound or is_first):
        return None
    return replace(connection, check=replace(check, theirs=nonce))


def numbers(turn: Turn, connection: Connection) -> tuple[int, ...]:
    """The places in `EMOJI` of the seven that both bots show; () as long as they aren't known."""
    check = connection.check
    if check is None or check.is_open or check.peer_key != (connection.changed_key or connection.peer_key):
        return ()
    return short_string(connection.id, (turn.us.key, check.ours), (check.peer_key, check.theirs))


def fits(turn: Turn, connection: Connection, typed: str) -> bool:
    """Whether somebody typed the whole fingerprint of the key that is looked at, or the seven emoji or their names."""
    word = "".join(sign for sign in typed.casefold() if sign.isalnum())
    key = connection.changed_key or connection.peer_key
    if word == fingerprint(key).replace("-", ""):
        return True
    shown = [KEY_EMOJI[number] for number in numbers(turn, connection)]
    names = "".join(name for _, name in shown).casefold().replace(" ", "")
    signs = "".join(emoji for emoji, _ in shown).replace("\ufe0f", "")
    bare = "".join(sign for sign in typed if not sign.isspace()).replace("\ufe0f", "")
    return bool(shown) and (word == names or bare == signs)


# --- when another key is looked at ---------------------------------------------------------------------------


def begin_review(turn: Turn, connection: Connection) -> Connection:
    """Another key or account speaks for the peer: commit to a nonce, and ask for its own."""
    key = connection.changed_key or connection.peer_key
    connection = begun(turn, connection, key, connection.changed_bot, turn.now.isoformat())
    turn.save(connection)
    _send(turn, connection, {"commitment": our_commitment(turn, connection)})
    return connection


def on_check(turn: Turn, connection: Connection, event: EnvelopeSeen, envelope: Message[bodies.Check]) -> None:
    """A commitment or a nonce of whoever speaks for the peer now. Of a key that isn't pinned only that is taken."""
    pinned = (connection.peer_bot, connection.peer_key)
    suspended = connection.state is ConnectionState.SUSPENDED
    looked_at = (connection.changed_bot, connection.changed_key) if suspended and connection.changed_bot else pinned
    if (event.sender, envelope.key) != looked_at or connection.state not in _CHECKED_AGAIN:
        return
    if envelope.body.commitment is not None:
        _on_commitment(turn, connection, envelope.key, envelope.body.commitment)
    elif envelope.body.nonce is not None:
        _on_nonce(turn, connection, envelope.key, envelope.body.nonce)


def _on_commitment(turn: Turn, connection: Connection, key: str, commitment: str) -> None:
    """The peer looks at our key. It gets a nonce of ours, once a minute: nobody may try for a string that he likes."""
    check = connection.check
    if check is not None and check.peer_key == key and check.peer_commitment == commitment:
        _tell(turn, connection)
        return
    if not turn.tell_once(f"key-check:{connection.id}", ANSWERED_AGAIN_AFTER):
        return
    is_ours = connection.state is ConnectionState.SUSPENDED and check is not None and check.is_open
    if is_ours and check is not None and not check.is_told and not check.peer_commitment:
        connection = replace(connection, check=replace(check, peer_commitment=commitment))
    else:
        connection = begun(turn, connection, key, peer_commitment=commitment)
    _tell(turn, connection)


def _tell(turn: Turn, connection: Connection) -> None:
    connection, body = told(connection)
    turn.save(connection)
    _send(turn, connection, body)


def _on_nonce(turn: Turn, connection: Connection, key: str, nonce: str) -> None:
    """Now both are bound: tell ours, if that is still to be done, and show people what to compare."""
    check = connection.check
    if check is None or check.peer_key != key or check.theirs == nonce:
        return
    known = completed(connection, nonce)
    if known is None:
        turn.save(replace(connection, check=None))
        tell_failure(turn, connection)
        return
    turn.save(known)
    if not check.is_told:
        _tell(turn, known)
    turn.note(connection.id, audit.Fact.KEYS_COMPARABLE)
    phrase = say(messages.keys.keys_to_compare, connection=known, us=turn.us, emoji=numbers(turn, known))
    turn.do(Post(f"keys:{connection.id}:{nonce[:8]}", connection.room, phrase))


def _send(turn: Turn, connection: Connection, body: dict[str, str]) -> None:
    draft = Draft(
        kind="check",
        to=connection.peer,
        subject=connection.id,
        subject_kind=connection.subject_kind,
        number=0,
        body=bodies.outgoing("check", body),
    )
    turn.do(SendEnvelope(connection.room, draft))


def tell_failure(turn: Turn, connection: Connection) -> None:
    """Somebody told another nonce than the one that he was bound to: an attack, or a broken bot."""
    turn.note(connection.id, audit.Fact.KEY_CHECK_FAILED)
    phrase = say(messages.keys.key_check_failed, connection=connection)
    if turn.tell_once(f"key-check-failed:{connection.id}", timedelta(days=1)):
        turn.do(Post(f"keys:{connection.id}:failed:{turn.now.isoformat()}", connection.room, phrase))
        turn.tell_admins(phrase, f"keys:{connection.id}:{turn.now.isoformat()}")
