"""Time zones by their IANA names: a loan's last day is reckoned where its owner is, whoever reads it.

A name comes from a friend's message, too. One that this machine doesn't know (its table of zones may be older) is read
as the own zone: by then a day is wrong by some hours at worst, and no stock moves by the clock.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from fedbot.rules.model.party_config import PartyConfig


@cache
def _all_names() -> frozenset[str]:
    return frozenset(available_timezones())


def is_known(name: str) -> bool:
    """Whether this machine knows the zone, whatever was written as its name."""
    return name in _all_names()


def zone(name: str, own: str) -> ZoneInfo:
    """The zone of that name; the own one where none is named, or an unknown one."""
    return ZoneInfo(name if is_known(name) else own)


def day_at(moment: datetime, name: str, own: str) -> date:
    """The day there at that moment."""
    return moment.astimezone(zone(name, own)).date()


def beginning(day: date, name: str, own: str) -> datetime:
    """When the day begins there."""
    return datetime.combine(day, time(), zone(name, own))


def after_the_night(us: PartyConfig, moment: datetime) -> datetime:
    """The moment itself, or the end of our quiet hours that it falls into."""
    local = moment.astimezone(ZoneInfo(us.time_zone))
    if not _is_quiet(us, local.time()):
        return moment
    day = local.date() + timedelta(days=1 if local.time() >= us.quiet_until else 0)
    return datetime.combine(day, us.quiet_until, local.tzinfo).astimezone(moment.tzinfo)


def _is_quiet(us: PartyConfig, at: time) -> bool:
    begins, ends = us.quiet_from, us.quiet_until
    if begins <= ends:
        return begins <= at < ends
    return at >= begins or at < ends
