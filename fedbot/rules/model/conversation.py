"""What the bot remembers of a conversation: numbered lists, and what it doesn't say twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

NUMBER_WITHIN = timedelta(minutes=10)
"""So long a number stands for a line of a list."""


@dataclass(frozen=True)
class Cooldown:
    """Something that was said once and is not said again before `until` (quiet lines, strangers, alarms)."""

    id: str
    until: datetime


@dataclass(frozen=True)
class PendingChoice:
    """A numbered list put to a person: a number, said as a reply to it, stands for one of `lines`.

    `more` is the line for which the word 'more' stands. `event_id` is the message with the list.
    """

    id: str
    person: str
    room: str
    lines: tuple[str, ...]
    until: datetime
    event_id: str = ""
    more: str = ""
