"""Days as people type them, and impossible ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from fedbot.commands.dates import day_from, days_meant, is_day, reads_as_day
from fedbot.rules.model.effects import Phrase

NOW = datetime(2026, 11, 24, 20, 14, tzinfo=UTC)  # a Tuesday


def last_day(words: str, now: datetime, time_zone: str) -> date | Phrase | None:
    days = days_meant("", words, now, time_zone)
    return days if isinstance(days, Phrase) else days.last


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("3 weeks", "2026-12-15"),
        ("a week", "2026-12-01"),
        ("10 days", "2026-12-04"),
        ("2 weeks.", "2026-12-08"),
        ("2 Wochen …", ""),
        ("2026-12-15.", "2026-12-15"),
        ("the 12th.", "2026-12-12"),
        ("24/12.", "2026-12-24"),
        ("the weekend.", "2026-11-29"),
        ("10days", "2026-12-04"),
        ("zehn", ""),
        ("2 Wochen", "2026-12-08"),
        ("einen Monat", "2026-12-24"),
        ("3 months", "2027-02-24"),
        ("1 year", "2027-11-24"),
        ("today", "2026-11-24"),
        ("Tomorrow", "2026-11-25"),
        ("morgen", "2026-11-25"),
        ("friday", "2026-11-27"),
        ("next Fri", "2026-11-27"),
        ("Freitag", "2026-11-27"),
        ("tuesday", "2026-12-01"),
        ("31.1.", "2027-01-31"),
        ("24.11.", "2026-11-24"),
        ("31. 1. 2027", "2027-01-31"),
        ("31.1.27", "2027-01-31"),
        ("2026-12-15", "2026-12-15"),
        ("15 Dec", "2026-12-15"),
        ("Tue 15 Dec 2026", "2026-12-15"),
        ("15. Dezember", "2026-12-15"),
        ("Dec 15th, 2026", "2026-12-15"),
        ("29.2.", "2028-02-29"),
        ("30.2.", ""),
        ("soon", ""),
        ("the weekend", "2026-11-29"),
        ("Wochenende", "2026-11-29"),
        ("end of the month", "2026-11-30"),
        ("Monatsende", "2026-11-30"),
        ("half a year", "2027-05-24"),
        ("tomorrow evening", "2026-11-25"),
        ("Freitag Abend", "2026-11-27"),
        ("the 12th", "2026-12-12"),
        ("the 31st", "2026-12-31"),
        ("zum 25.", "2026-11-25"),
        ("friday next week", "2026-12-04"),
        ("Freitag nächste Woche", "2026-12-04"),
        ("friday the 4th", "2026-12-04"),
        ("Freitag, den 4.12.", "2026-12-04"),
        ("another week", "2026-12-01"),
        ("one more week", "2026-12-01"),
        ("2 more weeks", "2026-12-08"),
        ("noch eine Woche", "2026-12-01"),
        ("noch 2 Wochen", "2026-12-08"),
        ("eine Woche länger", "2026-12-01"),
        ("friday in two weeks", ""),
        ("friday 3 weeks", ""),
        ("99999 days", ""),
        ("9999 years", ""),
    ],
)
def test_a_day_is_read_as_people_type_it(words: str, day: str) -> None:
    meant = last_day(words, NOW, "Europe/Berlin")
    assert (meant.isoformat() if isinstance(meant, date) else "") == day
    assert is_day(words) == bool(day)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("yesterday", "day_unclear"),
        ("friday 5.12.", "day_ambiguous"),
        ("Fri 5 Dec", "day_ambiguous"),
        ("on friday 5.12.", "day_ambiguous"),
        ("1.1.2020", "day_is_past"),
        ("1.1.2030", "day_too_far"),
        ("3", "day_unclear"),
    ],
)
def test_an_impossible_day_says_why(words: str, complaint: str) -> None:
    meant = last_day(words, NOW, "UTC")
    assert isinstance(meant, Phrase)
    assert meant.name == complaint


@pytest.mark.parametrize("today", [date.max, date.max - timedelta(days=1), date(9999, 11, 30), date(9998, 1, 1)])
def test_near_the_end_of_the_calendar_an_impossible_day_is_unclear(today: date) -> None:
    spans = ("tomorrow", "friday", "friday evening", "weekend", "next week", "friday next week", "2 weeks", "fr 1.1.")
    for words in spans:
        day = day_from(words, today, today)
        assert (isinstance(day, date) and day > today) or (isinstance(day, Phrase) and day.name == "day_unclear"), words
    assert day_from("9999-12-31", date(9998, 12, 31), date(9998, 12, 31)) == date.max


def test_today_is_the_spaces_own_date() -> None:
    late = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    assert last_day("today", late, "UTC") == date(2026, 11, 24)
    assert last_day("today", late, "Europe/Berlin") == date(2026, 11, 25)


def test_an_extension_is_counted_from_the_due_date_but_a_date_is_a_date() -> None:
    today, due = date(2026, 11, 24), date(2026, 12, 15)
    assert day_from("2 weeks", today, due) == date(2026, 12, 29)
    assert day_from("until 31.1.", today, due) == date(2027, 1, 31)


@pytest.mark.parametrize(("words", "is_one"), [("printer", False), ("3 weaks", True), ("friday", True), ("", False)])
def test_a_name_with_for_in_it_is_no_day(words: str, is_one: bool) -> None:
    assert reads_as_day(words) is is_one


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("2w", date(2026, 12, 8)),
        ("2 w", date(2026, 12, 8)),
        ("10d", date(2026, 12, 4)),
        ("two weeks", date(2026, 12, 8)),
        ("in two weeks", date(2026, 12, 8)),
        ("zwei Wochen", date(2026, 12, 8)),
        ("a fortnight", date(2026, 12, 8)),
        ("next week", date(2026, 12, 1)),
        ("nächste Woche", date(2026, 12, 1)),
        ("next month", date(2026, 12, 24)),
        ("24/12", date(2026, 12, 24)),
        ("12/24", date(2026, 12, 24)),
        ("24/12/2026", date(2026, 12, 24)),
        ("4/4", date(2027, 4, 4)),
    ],
)
def test_spoken_days_are_read(words: str, day: date) -> None:
    assert reads_as_day(words)
    assert day_from(words, date(2026, 11, 24), date(2026, 11, 24)) == day


@pytest.mark.parametrize("words", ["3/4", "3/4/2027", "03/04"])
def test_a_day_with_a_slash_that_may_be_two_days_is_asked_about(words: str) -> None:
    outcome = day_from(words, date(2026, 11, 24), date(2026, 11, 24))
    assert isinstance(outcome, Phrase)
    assert outcome.name == "day_ambiguous"
    assert outcome.about["days"] == (date(2027, 4, 3), date(2027, 3, 4))


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [("monday", "friday", "2026-11-30 2026-12-04"), ("fri", "mon", "2026-11-27 2026-11-30")],
)
def test_a_weekday_that_ends_a_loan_comes_after_the_one_that_begins_it(first: str, last: str, days: str) -> None:
    meant = days_meant(first, last, NOW, "UTC")
    assert not isinstance(meant, Phrase)
    assert f"{meant.first} {meant.last}" == days
