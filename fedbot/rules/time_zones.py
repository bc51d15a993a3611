"""Time zones by their IANA names. A loan's due date counts in the lender's zone, whoever reads it.

A name can come from a peer's message. If this machine doesn't know it (its table of zones may be older), our own zone
is used. Then a day is wrong by some hours at worst, and no stock moves by the clock.
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
    """Whether this machine knows a zone of that name; any text may come in."""
    return name in _all_names()


def zone(name: str, own: str) -> ZoneInfo:
    """Return the zone of that name; our own one if the name is '' or unknown."""
    return ZoneInfo(name if is_known(name) else own)


def day_at(moment: datetime, name: str, own: str) -> date:
    """Return the day in that zone at that moment."""
    return moment.astimezone(zone(name, own)).date()


def beginning(day: date, name: str, own: str) -> datetime:
    """Return the moment at which the day begins in that zone."""
    return datetime.combine(day, time(), zone(name, own))


def after_the_night(us: PartyConfig, moment: datetime) -> datetime:
    """Return the moment, or the end of our quiet hours if it is within them."""
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
