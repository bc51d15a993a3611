"""Our own InvenTree tokens: rotated before they expire. If the bot can't, it warns people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fedbot import messages
from fedbot.rules.connection.rotate_tokens import BEFORE_ITS_END, WARN_AT
from fedbot.rules.model import audit
from fedbot.rules.model.effects import Do, say
from fedbot.rules.model.events import StepDone, StepRefused, StepUnknown
from fedbot.rules.model.health import OwnToken
from fedbot.rules.model.queries import OwnTokensSeen, TokenSeen, WhenStepEnds
from fedbot.rules.model.steps import OwnTokenRenewed, RenewOwnToken, RevokeOwnToken
from fedbot.rules.state import Turn

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
            _revoke(turn, known)
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


def _revoke(turn: Turn, token: OwnToken) -> None:
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
        turn.save(_warned(turn, replace(token, reason=event.reason, problem=event.problem)))


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
        _revoke(turn, token)


def _tell_renewed(turn: Turn, token: OwnToken, expiry: date, *, by_hand: bool) -> None:
    phrase = say(messages.health.own_token_renewed, token=token, expiry=expiry, by_hand=by_hand)
    turn.tell_admins(phrase, f"own-token:{token.id}:{turn.now.isoformat()}")


def _warned(turn: Turn, token: OwnToken) -> OwnToken:
    """Warn the admins 30, 14 and 3 days before the expiry. Return the token."""
    if token.expiry is None:
        return token
    left = (token.expiry - turn.now.date()).days
    reached = [days for days in WARN_AT if left <= days]
    if not reached or token.warned == min(reached):
        return token
    phrase = say(
        messages.health.own_token_ends,
        us=turn.us,
        token=token,
        left=max(left, 0),
        name=_next_name(turn, token, token.expiry),
    )
    turn.tell_admins(phrase, f"own-token:{token.id}:{token.expiry.isoformat()}:{min(reached)}")
    return replace(token, warned=min(reached))
