"""A clock that was ahead and is right again: what was noted by it lies in the future, and nothing may wait for that.

A machine without a clock of its own (a Raspberry Pi) may wake up in any year until it has asked the network. While
its clock is ahead, things are due too early, which does no harm that people can't put right. Once it is right again,
everything that was put off until a moment of the wrong time would wait for days or years.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar, overload

from fedbot.rules.model import audit
from fedbot.rules.model.events import ClockSetBack
from fedbot.rules.model.health import BotStatus, counted_from
from fedbot.rules.state import Turn

TOLERATED = timedelta(minutes=1)
"""A clock that is put back by less is corrected, as clocks are: nothing waits noticeably longer for that."""
_AGREED = frozenset({"due", "terms"})
"""What both sides have said to each other isn't moved on one side."""

T = TypeVar("T")


@overload
def moved_back(moment: datetime, now: datetime, ahead: timedelta) -> datetime: ...
@overload
def moved_back(moment: datetime | None, now: datetime, ahead: timedelta) -> datetime | None: ...
def moved_back(moment: datetime | None, now: datetime, ahead: timedelta) -> datetime | None:
    """A moment to come as it would have been noted by the right clock, `now` at the earliest. The past stays."""
    if moment is None or moment <= now:
        return moment
    return now if moment - now <= ahead else moment - ahead


def on_set_back(turn: Turn, event: ClockSetBack) -> None:
    """All documents, as they would be if the clock had not been ahead; of the past what was noted by that clock."""
    ahead = event.last - event.at
    for document in [*turn.everything(), *turn.state.archive.newest(since=event.at)]:
        righted = _righted(document, event.at, ahead)
        if isinstance(document, BotStatus) and isinstance(righted, BotStatus):
            righted = _with_what_was_due(righted, document, event.at)
        if righted != document:
            turn.save(righted)
    turn.note("clock", audit.ClockSetBack(int(ahead.total_seconds())))


def _with_what_was_due(righted: BotStatus, before: BotStatus, now: datetime) -> BotStatus:
    """What was done by a schedule isn't done again for a clock that is put back by some hours."""
    stats, reconcile = before.last_stats, before.last_reconcile
    return replace(
        righted,
        last_stats=stats and counted_from(stats, now),
        last_reconcile=reconcile and counted_from(reconcile, now),
    )


def _righted(value: T, now: datetime, ahead: timedelta) -> T:
    """The same with the moments to come moved back, however deep they lie."""
    found: Any = value
    if isinstance(value, datetime):
        found = moved_back(value, now, ahead)
    elif is_dataclass(value) and not isinstance(value, type):
        old = {field.name: getattr(value, field.name) for field in fields(value) if field.name not in _AGREED}
        new = {name: _righted(content, now, ahead) for name, content in old.items()}
        changed = {name: content for name, content in new.items() if content != old[name]}
        found = replace(value, **changed) if changed else value
    elif isinstance(value, tuple):
        found = tuple(_righted(content, now, ahead) for content in value)
    elif isinstance(value, dict):
        found = {key: _righted(content, now, ahead) for key, content in value.items()}
    return found  # type: ignore[no-any-return]
