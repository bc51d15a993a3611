"""The calendar file, read back by the rules of RFC 5545."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from fedbot.web.site.screen_and_calendars import LONGEST_LINE, WholeDay, calendar

NOW = datetime(2026, 11, 24, 19, 14, tzinfo=UTC)
PRINTABLE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")))


def unfolded(file: str) -> list[str]:
    """The lines as a program reads them."""
    assert file.endswith("\r\n")
    assert "\n" not in file.replace("\r\n", "")
    parts = file.split("\r\n")[:-1]
    assert all(len(part.encode()) <= LONGEST_LINE for part in parts)
    return re.sub("\r\n ", "", "\r\n".join(parts)).split("\r\n")


def read(value: str) -> str:
    """A text before it was escaped."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def test_a_due_day_is_one_whole_day() -> None:
    day = WholeDay("t1@fed.example", date(2026, 12, 31), date(2026, 12, 31), "Lens; back, to us", "a\nb", "https://x/y")
    assert unfolded(calendar("Due days", [day], NOW)) == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//fedbot//due days//EN",
        "X-WR-CALNAME:Due days",
        "BEGIN:VEVENT",
        "UID:t1@fed.example",
        "DTSTAMP:20261124T191400Z",
        "DTSTART;VALUE=DATE:20261231",
        "DTEND;VALUE=DATE:20270101",
        r"SUMMARY:Lens\; back\, to us",
        r"DESCRIPTION:a\nb",
        "URL:https://x/y",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
        "END:VCALENDAR",
    ]


@given(PRINTABLE, st.text())
@example("x", "a\u2028b\x85c\x1ed\re")
def test_no_text_breaks_out_of_its_line_and_every_text_comes_back(summary: str, note: str) -> None:
    note = note.encode(errors="ignore").decode()
    day = WholeDay("1@x", date(2026, 12, 1), date(2026, 12, 2), summary, note)
    file = calendar("x", [day], NOW)
    lines = unfolded(file)
    assert len(file.splitlines()) == file.count("\r\n"), "not even to a program that ends lines at other characters"
    told = dict(line.split(":", 1) for line in lines if line.split(":")[0] in {"SUMMARY", "DESCRIPTION"})
    assert read(told["SUMMARY"]) == summary
    assert len(lines) == 13 + ("DESCRIPTION" in told)
