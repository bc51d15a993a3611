"""An iCalendar file (RFC 5545) of whole days, for subscriptions by calendar programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

LONGEST_LINE = 75
"""Octets of one line, without its line break."""
PRODUCT = "-//fedbot//due days//EN"
_LINE_BREAK = re.compile(r"\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""The characters at which some program might end a line."""
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class WholeDay:
    """An event of one or more whole days, `last` included. `uid` is globally unique and never changes."""

    uid: str
    first: date
    last: date
    summary: str
    description: str = ""
    url: str = ""


def calendar(name: str, days: Iterable[WholeDay], now: datetime) -> str:
    """The file's content. `now`: the time of writing (aware)."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", f"X-WR-CALNAME:{escaped(name)}"]
    for day in days:
        lines += _event(day, f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    return "".join(f"{part}\r\n" for line in (*lines, "END:VCALENDAR") for part in folded(line))


def _event(day: WholeDay, stamp: str) -> list[str]:
    told = {"DESCRIPTION": escaped(day.description), "URL": day.url}
    return [
        "BEGIN:VEVENT",
        f"UID:{day.uid}",
        f"DTSTAMP:{stamp}",
        f"DTSTART;VALUE=DATE:{day.first:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day.last + timedelta(days=1):%Y%m%d}",  # the first day after it
        f"SUMMARY:{escaped(day.summary)}",
        *(f"{name}:{value}" for name, value in told.items() if value),
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def escaped(text: str) -> str:
    """A text escaped for a property, so it can't end the line or start another property."""
    text = _UNPRINTABLE.sub("", _LINE_BREAK.sub("\n", text).replace("\t", " "))
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", "\\n")


def folded(line: str) -> Iterator[str]:
    """The line folded at 75 octets, never within a character. All parts but the first begin with a space."""
    part, octets = "", 0
    for character in line:
        size = len(character.encode())
        if octets + size > LONGEST_LINE:
            yield part
            part, octets = " ", 1
        part += character
        octets += size
    yield part
