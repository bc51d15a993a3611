"""Rotates tokens, which are valid for a year: those made for peers, and our own.

A peer's new token is made, handed over for `direct` access, and tried; only then is the old one revoked. The vault
keeps the new secret beside the old one until its trial succeeds. If the bot can't make one, the admins are told what to
click. A token that they put into the vault is recognised by its later expiry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fedbot import messages
from fedbot.rules.connection import provision
from fedbot.rules.model import audit
from fedbot.rules.model.connection import Connection, Renewal
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.diagnosis import Diagnosis, TokenTrialFailed
from fedbot.rules.model.effects import Do, Forget, KeepSecret, MoveSecret, Post, say
from fedbot.rules.model.events import StepDone, StepRefused, StepUnknown, Waiting
from fedbot.rules.model.health import OwnToken
from fedbot.rules.model.lifecycles import ConnectionState
from fedbot.rules.model.queries import OfConnection, OwnTokensSeen, TokenSeen, WhenStepEnds
from fedbot.rules.model.room import MessageKind
from fedbot.rules.model.steps import (
    AccessMade,
    MakeAccess,
    MintToken,
    OwnTokenRenewed,
    RenewOwnToken,
    RevokeOwnToken,
    RevokeToken,
    Step,
    TokenMinted,
    TokenTried,
    TryToken,
    due_in_a_year,
)
from fedbot.rules.protocol import bodies, sequencing
from fedbot.rules.protocol.bodies import Message
from fedbot.rules.state import Turn

BEFORE_ITS_END = timedelta(days=30)
LOOK_AGAIN = timedelta(hours=1)
A_DAY = timedelta(days=1)
WARN_AT = (30, 14, 3)  # days before the token's expiry
BY_HAND = frozenset({"no-admin-token", "unsupported"})
PEER = "peer"


def next_look(connection: Connection) -> datetime | None:
    """Return when the connection's token is checked next; None if it isn't."""
    if connection.state is not ConnectionState.ACTIVE or connection.token_expiry is None:
        return None
    if connection.renewal is not None:
        at_the_peer = connection.renewal.reason == PEER  # each check sends it a message
        return connection.renewal.looked + (A_DAY if at_the_peer else LOOK_AGAIN)
    return datetime.combine(connection.token_expiry, time(), UTC) - BEFORE_ITS_END


def look(turn: Turn, connection: Connection) -> None:
    """Begin a rotation when it is due. Try again one that is stuck, and warn of it."""
    at = next_look(connection)
    if at is None or at > turn.now:
        return
    if connection.renewal is None:
        _begin(turn, connection, Renewal(turn.now))
        return
    looking = replace(connection, renewal=replace(connection.renewal, looked=turn.now))
    _go_on(turn, _warned(turn, looking))


def rotate(turn: Turn, connection: Connection, by: Signature, room: str) -> bool:
    """Rotate the token now, as our superuser asks. The outcome is posted as a reply.

    Return False if a rotation is already in progress.
    """
    turn.note(connection.id, audit.Fact.TOKEN_WANTED, by.person, by.event_id)
    if connection.renewal is None:
        _begin(turn, connection, Renewal(turn.now, by=by, room=room))
        return True
    _go_on(turn, replace(connection, renewal=replace(connection.renewal, looked=turn.now, by=by, room=room)))
    return False


# --- our side: make it, hand it over, try it ---


def _begin(turn: Turn, connection: Connection, renewal: Renewal) -> None:
    connection = replace(connection, renewal=renewal)
    turn.save(connection)
    turn.note(connection.id, audit.Fact.TOKEN_ROTATES)
    turn.do(Forget(provision.next_of(provision.own_reference(connection))))
    _mint(turn, connection)


def look_after_a_loss(turn: Turn, connection: Connection) -> None:
    """After a restore or a rebuild: check that the token in the vault is the journal's, and that it works."""
    if connection.renewal is not None:
        turn.void(connection.id)
    if connection.own_made:
        step = TryToken(_mark(connection, "loss"), provision.own_reference(connection))
        turn.do(Do(TryTokenAfterLoss(connection.id), step))


def _begin_after_a_loss(turn: Turn, connection: Connection) -> None:
    """Start the rotation again. Making the next token revokes any that was made in the meantime."""
    before = connection.renewal or Renewal(turn.now)
    _begin(turn, connection, Renewal(turn.now, by=before.by, room=before.room))


def _go_on(turn: Turn, connection: Connection) -> None:
    """Try a refused rotation again. One that only waits, for a server or the peer's message, continues by itself.

    A peer that has our message and doesn't answer has lost it (with its journal, say), so it is sent again.
    """
    renewal = connection.renewal
    turn.save(connection)
    unanswered = bool(renewal and renewal.name) and connection.access == "direct" and not connection.exchange.awaiting
    if renewal is None or not (renewal.problem or unanswered):
        return
    if not renewal.name:
        _mint(turn, connection)
        if renewal.reason in BY_HAND:
            step = TryToken(_mark(connection, "hand"), provision.own_reference(connection))
            turn.do(Do(TryTokenMadeByHand(connection.id), step))
    elif connection.access == "direct":
        _hand_over(turn, connection)
    else:
        _try_own(turn, connection)


def _mark(connection: Connection, step: str) -> str:
    return f"fed:{connection.id}:0:{step}"


def _do(turn: Turn, connection: Connection, step: Step) -> None:
    turn.do(Do(RotateToken(connection.id), step))


def _mint(turn: Turn, connection: Connection) -> None:
    """Make the next token. An access that was made by hand is first found by its name."""
    if connection.user is None:
        name, for_peer = provision.access_name(connection), connection.access == "direct"
        _do(turn, connection, MakeAccess(_mark(connection, "access"), name, connection.id, for_peer))
        return
    step = MintToken(
        _mark(connection, "renewal"),
        connection.user,
        next_name(connection),
        provision.next_of(provision.own_reference(connection)),
        due_in_a_year(turn.now),
    )
    _do(turn, connection, step)


def next_name(connection: Connection) -> str:
    """Return the next token's name: `fed-<party>-<generation>-<n+1>`."""
    base = f"{provision.access_name(connection)}-"
    number = connection.token_name.removeprefix(base)
    return f"{base}{int(number) + 1 if number.isdecimal() else 2}"


def _source(connection: Connection) -> str:
    """Return the vault's reference of the new secret: beside the old one, or in its place if put there by hand."""
    own = provision.own_reference(connection)
    return own if connection.renewal is not None and connection.renewal.by_hand else provision.next_of(own)


def _try_own(turn: Turn, connection: Connection) -> None:
    _do(turn, connection, TryToken(_mark(connection, "trial"), _source(connection)))


def _hand_over(turn: Turn, connection: Connection) -> None:
    body = bodies.Credentials(url=turn.us.inventory_url, token="")
    secrets = {"token": _source(connection)}
    turn.save(sequencing.send(turn, connection, body, awaits=True, secrets=secrets))


@dataclass(frozen=True)
class RotateToken(OfConnection, WhenStepEnds):
    """Carries on after a step towards the next token that we make for the peer, up to its trial."""

    def done(self, turn: Turn, event: StepDone) -> None:
        """Continue with the next step."""
        connection = _active(turn, self.connection)
        if connection is not None and connection.renewal is not None:
            _continue(turn, connection, connection.renewal, event)

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Keep the old token, and warn people in time."""
        connection = _active(turn, self.connection)
        if connection is not None:
            _note_stuck(turn, connection, event.reason, event.problem)


@dataclass(frozen=True)
class TryTokenMadeByHand(OfConnection, WhenStepEnds):
    """Tries the vault's token, because an admin may have replaced the old one by hand."""

    def done(self, turn: Turn, event: StepDone) -> None:
        """Use it as the next token, if it is newer."""
        connection = _active(turn, self.connection)
        if connection is not None and connection.renewal is not None and isinstance(event.result, TokenTried):
            _made_by_hand(turn, connection, connection.renewal, event.result)

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Do nothing: no working token was put there, and the admins already know what to do."""


@dataclass(frozen=True)
class TryTokenAfterLoss(OfConnection, WhenStepEnds):
    """After a restore or a rebuild: tries the token in the vault, which may differ from the journal's."""

    def done(self, turn: Turn, event: StepDone) -> None:
        """Record which token it is."""
        connection = _active(turn, self.connection)
        if connection is not None and isinstance(event.result, TokenTried):
            _take_over_token(turn, connection, event.result)

    def not_done(self, turn: Turn, _: StepRefused | StepUnknown) -> None:
        """Make another one."""
        connection = _active(turn, self.connection)
        if connection is not None:
            _begin_after_a_loss(turn, connection)


@dataclass(frozen=True)
class RevokeOldToken(OfConnection, WhenStepEnds):
    """Carries on after revoking the old token. `event_id` in `room` is the line that asked for it, '' if none did."""

    room: str = ""
    event_id: str = ""

    def done(self, turn: Turn, _: StepDone) -> None:
        """Answer the line."""
        connection = turn.connection(self.connection)
        turn.note(self.connection, audit.Fact.TOKEN_REVOKED)
        if connection is not None and self.room:
            phrase = say(messages.provision.token_rotated, connection=connection)
            key = MessageKind.ROTATED.of(connection.id, self.event_id)
            turn.do(Post(key, self.room, phrase, reply_to=self.event_id))

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Ask the admins to revoke it by hand."""
        connection = _active(turn, self.connection)
        if connection is not None:
            phrase = say(
                messages.provision.old_token_stays,
                connection=connection,
                name=provision.access_name(connection),
                problem=event.problem,
            )
            turn.tell_admins(phrase, f"old-token:{connection.id}:{event.at.isoformat()}")


@dataclass(frozen=True)
class TryPeersNextToken(OfConnection, WhenStepEnds):
    """The trial of the next token that the peer made for us, at its InvenTree under `url`."""

    url: str
    at_peer = True

    def done(self, turn: Turn, event: StepDone) -> None:
        """Replace the old token, and tell the peer."""
        connection = _active(turn, self.connection)
        if connection is not None and isinstance(event.result, TokenTried):
            _use_peers_token(turn, connection, event.result, self.url)

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Keep the old token, and tell the peer why."""
        connection = _active(turn, self.connection)
        if connection is None:
            return
        turn.do(Forget(provision.next_of(provision.peer_reference(connection))))
        problem = bodies.Renewed(problem=provision.told_to_peers(event.reason))
        turn.save(sequencing.send(turn, connection, problem, awaits=True))
        turn.note(connection.id, audit.PeersTokenRefused(event.problem, is_next=True))

    def waiting(self, turn: Turn, event: Waiting) -> None:
        """Post that the peer's InvenTree is silent."""
        provision.tell_that_peer_is_silent(turn, self.connection, event.problem)


def _active(turn: Turn, identifier: str) -> Connection | None:
    connection = turn.connection(identifier)
    return connection if connection is not None and connection.state is ConnectionState.ACTIVE else None


def _take_over_token(turn: Turn, connection: Connection, tried: TokenTried) -> None:
    """Take over the working token of the vault. If it isn't the journal's, its rotation had been completed."""
    old = connection.token_name
    if not tried.name or tried.name == old:
        if connection.renewal is not None:
            _begin_after_a_loss(turn, connection)
        return
    turn.save(replace(connection, token_name=tried.name, token_expiry=tried.expiry, token_warned=0, renewal=None))
    turn.note(connection.id, audit.TokenRotated(tried.name, before=True))
    turn.do(Forget(provision.next_of(provision.own_reference(connection))))
    if connection.user is not None and old:
        _revoke(turn, connection, connection.user, RevokeOldToken(connection.id), old)


def _revoke(turn: Turn, connection: Connection, user: int, then: RevokeOldToken, token: str) -> None:
    turn.do(Do(then, RevokeToken(_mark(connection, "revoke"), user, token)))


def _continue(turn: Turn, connection: Connection, renewal: Renewal, event: StepDone) -> None:
    match event.result:
        case AccessMade(user, group):
            connection = replace(connection, user=user, group=group)
            turn.save(connection)
            _mint(turn, connection)
        case TokenMinted(name, expiry):
            renewal = replace(renewal, name=name, expiry=expiry, by_hand=False, reason="", problem=None)
            _try_next(turn, replace(connection, renewal=renewal))
        case TokenTried():
            _switch(turn, connection, renewal)


def _made_by_hand(turn: Turn, connection: Connection, renewal: Renewal, tried: TokenTried) -> None:
    known = connection.token_expiry
    newer = tried.expiry is not None and known is not None and tried.expiry > known
    if newer and not renewal.name:
        renewal = replace(renewal, name=tried.name, expiry=tried.expiry, by_hand=True, reason="", problem=None)
        _try_next(turn, replace(connection, renewal=renewal), tried=True)


def _try_next(turn: Turn, connection: Connection, *, tried: bool = False) -> None:
    """Have the new token tried by the side that will use it."""
    turn.save(connection)
    if connection.access == "direct":
        _hand_over(turn, connection)
    elif tried and connection.renewal is not None:
        _switch(turn, connection, connection.renewal)
    else:
        _try_own(turn, connection)


def _switch(turn: Turn, connection: Connection, renewal: Renewal) -> None:
    """Replace the old token by the new one, whose trial succeeded, and revoke the old one."""
    old, own = connection.token_name, provision.own_reference(connection)
    if not renewal.by_hand:
        turn.do(MoveSecret(provision.next_of(own), own))
    warned = connection.token_warned
    connection = replace(connection, token_name=renewal.name, token_expiry=renewal.expiry, token_warned=0, renewal=None)
    turn.save(connection)
    turn.note(connection.id, audit.TokenRotated(renewal.name))
    by_hand_stays = renewal.by_hand or connection.user is None or not old
    if warned:
        phrase = say(messages.provision.token_renewed, connection=connection, old=old if by_hand_stays else "")
        turn.tell_admins(phrase, f"renewed:{connection.id}:{renewal.name}")
    answered = (renewal.room, renewal.by.event_id) if renewal.by else ("", "")
    if connection.user is not None and not by_hand_stays:
        _revoke(turn, connection, connection.user, RevokeOldToken(connection.id, *answered), old)
    elif renewal.by:
        key = MessageKind.ROTATED.of(connection.id, renewal.by.event_id)
        turn.do(
            Post(
                key,
                renewal.room,
                say(messages.provision.token_rotated, connection=connection),
                reply_to=renewal.by.event_id,
            )
        )


# --- the peer's side: take it, try it ---


def on_credentials(turn: Turn, connection: Connection, envelope: Message[bodies.Credentials]) -> None:
    """Take in a token from the peer: its first one, or the next."""
    if connection.state is ConnectionState.MAKING:
        provision.on_credentials(turn, connection, envelope)
        return
    turn.save(connection)
    url = envelope.body.url
    wanted = connection.access == "direct" and connection.own_ready and connection.state is not ConnectionState.ENDED
    if not wanted:
        return
    binding = sequencing.bound_to(envelope.sender, envelope.to, envelope.subject, envelope.seq)
    reference = provision.next_of(provision.peer_reference(connection))
    then = TryPeersNextToken(connection.id, url)
    turn.do(KeepSecret(then, reference, envelope.body.token, binding))
    private = connection.peer in turn.us.private_peers
    turn.do(Do(then, TryToken(_mark(connection, "trial"), reference, url, private=private)))


def _use_peers_token(turn: Turn, connection: Connection, tried: TokenTried, url: str) -> None:
    reference = provision.peer_reference(connection)
    turn.do(MoveSecret(provision.next_of(reference), reference))
    connection = replace(connection, peer_url=url, sees_items=tried.stock_items)
    turn.save(sequencing.send(turn, connection, bodies.Renewed(problem=""), awaits=True))
    turn.note(connection.id, audit.Fact.PEERS_TOKEN_WORKS)


def on_renewed(turn: Turn, connection: Connection, envelope: Message[bodies.Renewed]) -> None:
    """Take in the peer's trial of the token that we handed over."""
    renewal = connection.renewal
    if renewal is None or not renewal.name or connection.access != "direct":
        turn.save(connection)
    elif envelope.body.problem:
        _note_stuck(turn, connection, PEER, TokenTrialFailed(envelope.body.problem))
    else:
        _switch(turn, connection, renewal)


# --- obstacles ---


def _note_stuck(turn: Turn, connection: Connection, reason: str, problem: Diagnosis) -> None:
    renewal = connection.renewal
    if renewal is None:
        turn.save(connection)
        return
    lost = reason == provision.NO_TOKEN  # the vault has lost it, so another one is made
    name = "" if lost or reason in BY_HAND else renewal.name
    renewal = replace(renewal, name=name, reason=reason, problem=problem)
    turn.note(connection.id, audit.RotationWaits(problem))
    if renewal.by is not None:
        phrase = say(messages.provision.rotate_failed, connection=connection, us=turn.us, problem=problem)
        key = MessageKind.ROTATED.of(connection.id, renewal.by.event_id)
        turn.do(Post(key, renewal.room, phrase, reply_to=renewal.by.event_id))
        renewal = replace(renewal, by=None, room="")
    turn.save(_warned(turn, replace(connection, renewal=renewal)))


def _warned(turn: Turn, connection: Connection) -> Connection:
    """Warn the admins 30, 14 and 3 days before the token expires, if there is no new one by then.

    Return the connection.
    """
    renewal, expiry = connection.renewal, connection.token_expiry
    if renewal is None or expiry is None:
        return connection
    left, reached = (expiry - turn.now.date()).days, _warning_reached(turn, expiry)
    is_first = reached == WARN_AT[0]
    if reached is None or connection.token_warned == reached or (is_first and not renewal.problem):
        return connection
    phrase = say(
        messages.provision.token_ends,
        connection=connection,
        us=turn.us,
        left=max(left, 0),
        reason=renewal.reason or "silent",
        problem=renewal.problem,
        name=provision.access_name(connection),
        token=next_name(connection),
    )
    turn.tell_admins(phrase, f"token:{connection.id}:{expiry.isoformat()}:{reached}")
    return replace(connection, token_warned=reached)


def _warning_reached(turn: Turn, expiry: date) -> int | None:
    """Return the last day of `WARN_AT` that has come for a token with that expiry; None if none has."""
    left = (expiry - turn.now.date()).days
    return min((days for days in WARN_AT if left <= days), default=None)


# --- our own tokens, rotated before they expire ---


SETTINGS = ("token", "admin_token")
TOLD_AGAIN_AFTER = timedelta(days=30)


def next_renewal(turn: Turn, token: OwnToken) -> datetime | None:
    """Return when the next token is to be made; None if the expiry isn't known."""
    if token.expiry is None:
        return None
    return datetime.combine(token.expiry - BEFORE_ITS_END, time(), ZoneInfo(turn.us.time_zone))


def on_seen(turn: Turn, seen: OwnTokensSeen) -> None:
    """Check our own tokens in InvenTree: renew those that expire soon, revoke those that were replaced."""
    for token in seen.tokens:
        known = _token_as_seen(turn, token)
        if known.old and known.old != known.pk:
            _revoke_own(turn, known)
        if known.expiry is not None and known.expiry - BEFORE_ITS_END <= turn.now.date():
            step = RenewOwnToken(f"fed:own:0:{known.id}", known.id, _next_name(turn, known, known.expiry))
            turn.do(Do(RotateOwnToken(known.id), step))


def _token_as_seen(turn: Turn, seen: TokenSeen) -> OwnToken:
    """Return the token, saved as seen. It may differ from ours: made just before a crash, or put into the settings."""
    known = turn.own_token(seen.setting)
    other = known.pk not in {0, seen.pk}
    ours = known.expiry is not None and seen.name == _next_name(turn, known, known.expiry)
    if other and known.warned and seen.expiry is not None:
        _tell_renewed(turn, known, seen.expiry, by_hand=not ours)
    kept = OwnToken(seen.setting, old=known.pk if ours else known.old) if other else known
    token = replace(kept, name=seen.name, pk=seen.pk, expiry=seen.expiry)
    turn.save(token)
    return token


def _next_name(turn: Turn, token: OwnToken, expiry: date) -> str:
    """Return the next token's name: the same at each try, but different each year and for each of the two."""
    kind = "fedbot" if token.id == SETTINGS[0] else "fedbot-admin"
    return f"{kind}-{turn.us.party}-{expiry.isoformat()}"


def _revoke_own(turn: Turn, token: OwnToken) -> None:
    step = RevokeOwnToken(f"fed:own:0:revoke-{token.id}", token.id, token.old)
    turn.do(Do(RevokeOwnOldToken(token.id), step))


@dataclass(frozen=True)
class RotateOwnToken(WhenStepEnds):
    """Carries on after one of our own tokens was renewed; `setting` is its name in the settings."""

    setting: str

    def done(self, turn: Turn, event: StepDone) -> None:
        """Revoke the old token, because the new one is in use."""
        if isinstance(event.result, OwnTokenRenewed):
            _on_renewed(turn, turn.own_token(self.setting), event.result)

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Keep the one in use. It is checked again every day."""
        token = turn.own_token(self.setting)
        turn.note("bot", audit.OwnTokenRotated(token.id, problem=event.problem))
        turn.save(_warned_of_own(turn, replace(token, reason=event.reason, problem=event.problem)))


@dataclass(frozen=True)
class RevokeOwnOldToken(WhenStepEnds):
    """Carries on after revoking a replaced token."""

    setting: str

    def done(self, turn: Turn, _: StepDone) -> None:
        """Record that nothing has to be revoked any more."""
        token = turn.own_token(self.setting)
        turn.save(replace(token, old=0))
        turn.note("bot", audit.OwnTokenRevoked(token.id))

    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """Tell the admins once a month. It is tried again every day."""
        token = turn.own_token(self.setting)
        turn.note("bot", audit.OwnTokenRevoked(token.id, event.problem))
        if turn.tell_once(f"own-token-stays:{token.id}", TOLD_AGAIN_AFTER):
            phrase = say(messages.health.own_old_token_stays, token=token, problem=event.problem)
            turn.tell_admins(phrase, f"own-old-token:{token.id}:{turn.now.isoformat()}")


def _on_renewed(turn: Turn, token: OwnToken, result: OwnTokenRenewed) -> None:
    turn.note("bot", audit.OwnTokenRotated(token.id, result.name))
    if token.warned and result.expiry is not None:
        _tell_renewed(turn, token, result.expiry, by_hand=False)
    old = token.pk if token.pk != result.pk else token.old
    token = OwnToken(token.id, result.name, result.pk, result.expiry, old=old)
    turn.save(token)
    if token.old:
        _revoke_own(turn, token)


def _tell_renewed(turn: Turn, token: OwnToken, expiry: date, *, by_hand: bool) -> None:
    phrase = say(messages.health.own_token_renewed, token=token, expiry=expiry, by_hand=by_hand)
    turn.tell_admins(phrase, f"own-token:{token.id}:{turn.now.isoformat()}")


def _warned_of_own(turn: Turn, token: OwnToken) -> OwnToken:
    """Warn the admins 30, 14 and 3 days before the expiry. Return the token."""
    if token.expiry is None:
        return token
    left, reached = (token.expiry - turn.now.date()).days, _warning_reached(turn, token.expiry)
    if reached is None or token.warned == reached:
        return token
    phrase = say(
        messages.health.own_token_ends,
        us=turn.us,
        token=token,
        left=max(left, 0),
        name=_next_name(turn, token, token.expiry),
    )
    turn.tell_admins(phrase, f"own-token:{token.id}:{token.expiry.isoformat()}:{reached}")
    return replace(token, warned=reached)
