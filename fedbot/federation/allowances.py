"""How often a friend may ask: a flood of questions costs neither our InvenTree nor our journal more than this."""

from __future__ import annotations

from datetime import datetime, timedelta

from fedbot.federation.shelf import Allowance
from fedbot.federation.state import Turn

AN_HOUR = timedelta(hours=1)


def again_in(turn: Turn, text: object) -> datetime:
    """When a friend says that we may ask again: within an hour, whatever it says. ValueError for what is no time."""
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return max(turn.now, min(moment, turn.now + AN_HOUR))


def back_at(turn: Turn, kind: str, party: str) -> datetime | None:
    """When that party, or person of ours, may ask this kind of question again; None: now, and this one is counted."""
    known = turn.allowance(f"{kind}:{party}")
    lately = tuple(time for time in known.times if time > turn.now - AN_HOUR)
    if len(lately) >= max(turn.home.questions_an_hour_per_peer, 1):
        return lately[0] + AN_HOUR
    turn.save(Allowance(known.id, (*lately, turn.now)))
    return None
