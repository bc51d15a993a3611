"""Spans of time as people type them: `30d`, `6 weeks`, `1y`."""

from __future__ import annotations

import re

from fedbot.federation.stats import LONGEST_DAYS

_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_SPAN = re.compile(r"(\d{1,5})\s*(d|w|m|y|days?|weeks?|months?|years?)", re.IGNORECASE)


def days_in(text: str) -> int | None:
    """The span in days; 0 for nothing said, None for what is no span."""
    if not text:
        return 0
    found = _SPAN.fullmatch(text.strip())
    days = int(found[1]) * _DAYS[found[2][0].lower()] if found else 0
    return days if 0 < days <= LONGEST_DAYS else None
