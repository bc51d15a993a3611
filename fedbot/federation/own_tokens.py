"""Our own two tokens are good for a year as well: the next ones are made in time (DESIGN §2, "the bot's own included").

Made, tried, written into the file that the settings name, and only then the old one is revoked; whatever crash comes in
between, one of the two is in that file and good. Where we can't do it, the admins are told what to do, in time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fedbot.federation.effects import Do, say
from fedbot.federation.events import Context, StepDone, StepRefused, StepUnknown
from fedbot.federation.questions import OwnTokensSeen, TokenSeen
from fedbot.federation.renewing import BEFORE_ITS_END, WARN_AT
from fedbot.federation.standing import OwnToken
from fedbot.federation.state import Turn
from fedbot.federation.steps import OwnTokenRenewed, RenewOwnToken, RevokeOwnToken

RENEWING = "own-token"
SETTINGS = ("token", "admin_token")
TOLD_AGAIN_AFTER = timedelta(days=30)


def next_renewal(turn: Turn, token: OwnToken) -> datetime | None:
    """When the next one is to be made; None where its end isn't known."""
    if token.expiry is None:
        return None
    return datetime.combine(token.expiry - BEFORE_ITS_END, time(), ZoneInfo(turn.home.time_zone))


def on_seen(turn: Turn, seen: OwnTokensSeen) -> None:
    """What InvenTree tells of our tokens today: renew what ends soon, revoke what was replaced."""
    for token in seen.tokens:
        known = _taken_up(turn, token)
        if known.old and known.old != known.pk:
            _revoke(turn, known)
        if known.expiry is not None and known.expiry - BEFORE_ITS_END <= turn.now.date():
            step = RenewOwnToken(f"fed:own:0:{known.id}", known.id, _next_name(turn, known, known.expiry))
            turn.do(Do(Context(RENEWING, detail={"setting": known.id, "step": type(step).__name__}), step))


def _taken_up(turn: Turn, seen: TokenSeen) -> OwnToken:
    """It may be another one than we knew: made by us just before a crash, or put into the settings by hand."""
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
    """The same at each try, whenever that is, and another one each year and for each of the two."""
    kind = "fedbot" if token.id == SETTINGS[0] else "fedbot-admin"
    return f"{kind}-{turn.home.party}-{expiry.isoformat()}"


def _revoke(turn: Turn, token: OwnToken) -> None:
    step = RevokeOwnToken(f"fed:own:0:revoke-{token.id}", token.id, token.old)
    turn.do(Do(Context(RENEWING, detail={"setting": token.id, "step": type(step).__name__}), step))


def on_done(turn: Turn, event: StepDone) -> None:
    """The new one is in use: revoke the old one. Or that is done."""
    token = turn.own_token(event.context.detail["setting"])
    if not isinstance(event.result, OwnTokenRenewed):
        turn.save(replace(token, old=0))
        turn.note("house", "our old token is revoked", setting=token.id)
        return
    result = event.result
    turn.note("house", "our own token is renewed", setting=token.id, name=result.name)
    if token.warned and result.expiry is not None:
        _tell_renewed(turn, token, result.expiry, by_hand=False)
    old = token.pk if token.pk != result.pk else token.old
    token = OwnToken(token.id, result.name, result.pk, result.expiry, old=old)
    turn.save(token)
    if token.old:
        _revoke(turn, token)


def _tell_renewed(turn: Turn, token: OwnToken, expiry: date, *, by_hand: bool) -> None:
    phrase = say("own_token_renewed", token=token, expiry=expiry, by_hand=by_hand)
    turn.tell_admins(phrase, f"own-token:{token.id}:{turn.now.isoformat()}")


def on_refused(turn: Turn, event: StepRefused | StepUnknown) -> None:
    """It could not be done: the one in use serves on, and is looked at again every day."""
    token = turn.own_token(event.context.detail["setting"])
    if event.context.detail["step"] == RevokeOwnToken.__name__:
        turn.note("house", "our old token is not revoked", setting=token.id, detail=event.text)
        if turn.tell_once(f"own-token-stays:{token.id}", TOLD_AGAIN_AFTER):
            phrase = say("own_old_token_stays", token=token, text=event.text)
            turn.tell_admins(phrase, f"own-old-token:{token.id}:{turn.now.isoformat()}")
        return
    reason = event.reason if isinstance(event, StepRefused) else "unknown"
    turn.note("house", f"our own token is not renewed: {reason}", setting=token.id, detail=event.text)
    turn.save(_warned(turn, replace(token, reason=reason, problem=event.text)))


def _warned(turn: Turn, token: OwnToken) -> OwnToken:
    """The admins are told 30, 14 and 3 days before the end."""
    if token.expiry is None:
        return token
    left = (token.expiry - turn.now.date()).days
    reached = [days for days in WARN_AT if left <= days]
    if not reached or token.warned == min(reached):
        return token
    phrase = say(
        "own_token_ends", home=turn.home, token=token, left=max(left, 0), name=_next_name(turn, token, token.expiry)
    )
    turn.tell_admins(phrase, f"own-token:{token.id}:{token.expiry.isoformat()}:{min(reached)}")
    return replace(token, warned=min(reached))
