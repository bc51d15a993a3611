"""Days and time spans as people type them: `3 weeks`, `2w`, `friday`, `31.1.`, `24/12`, `30d` (English, German)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from fedbot import messages
from fedbot.messages.quantities import NUMBER_WORDS
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.names import bare_word, without_end
from fedbot.rules.protocol.bodies import LONGEST_DAYS

MOST_DAYS = 731
"""Nobody lends for longer than two years on purpose."""
SHOWN = 40

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TAGE = ("mo", "di", "mi", "do", "fr", "sa", "so")
_LONG_DAYS = (
    "monday montag",
    "tuesday dienstag",
    "wednesday mittwoch",
    "thursday donnerstag",
    "friday freitag",
    "saturday samstag sonnabend",
    "sunday sonntag",
)
WEEKDAYS = {name: number for number in range(7) for name in (_DAYS[number], _TAGE[number], *_LONG_DAYS[number].split())}
_MONTHS = (
    "jan january januar jän jänner",
    "feb february februar",
    "mar march mär märz mrz",
    "apr april",
    "may mai",
    "jun june juni",
    "jul july juli",
    "aug august",
    "sep sept september",
    "oct october okt oktober",
    "nov november",
    "dec december dez dezember",
)
MONTHS = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()}
_WEEKENDS = {"weekend", "wochenende"}
_MONTH_ENDS = {"end of month", "end of the month", "end of this month", "monatsende", "ende des monats", "ende monat"}
_TIMES_OF_DAY = (
    *("morning", "noon", "afternoon", "evening", "night"),
    *("früh", "vormittag", "mittag", "nachmittag", "abend", "nacht"),
)
_HALF_A_YEAR = dict.fromkeys(("half a year", "half year", "halbes jahr", "ein halbes jahr"), "6 months")
NEAR = {"today": 0, "heute": 0, "tomorrow": 1, "morgen": 1, "übermorgen": 2}
_UNITS = {"day": 1, "days": 1, "tag": 1, "tage": 1, "tagen": 1, "week": 7, "weeks": 7, "woche": 7, "wochen": 7}
_UNITS |= {"d": 1, "w": 7, "fortnight": 14, "fortnights": 14}
_WEEKS = {"week", "woche"}
_LONG_UNITS = {"month": 1, "months": 1, "monat": 1, "monate": 1, "monaten": 1, "year": 12, "years": 12, "jahr": 12}
_ARTICLES = NUMBER_WORDS | {"a": 1, "an": 1}
_NEXT = {"next", "nächste", "nächsten", "nächster", "nächstes"}
_IN_FRONT = {*_NEXT, "on", "am", "the", "this", "den", "dem", "das", "dieses", "bis", "zum", "until", "in"}

MOST_IN_A_DAY = 8
"""One more word than `until friday the 4th of december 2026` has."""
FROM = ("von", "ab", "starting")
"""Words that mean `from` before a first day."""
UNTIL = ("until", "till", "til", "through", "over", "für", "fuer", "bis", "über", "übers")
"""Words that mean `for` before a day or a span."""

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_NUMBERS = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.?(?:\s?(\d{4}|\d{2}))?")
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?")
_DAY_FIRST = re.compile(r"(\d{1,2})\.?(?:st|nd|rd|th)? ([^\W\d]+)\.?(?:,? (\d{4}))?")
_MONTH_FIRST = re.compile(r"([^\W\d]+)\.? (\d{1,2})(?:st|nd|rd|th)?(?:,? (\d{4}))?")
_ANOTHER = re.compile(r"^(?:another|one more|noch eine?n?) (?=[^\W\d])")
_MORE = re.compile(r" (?:more|weitere|länger)\b|^(?:noch|weitere) ")
_DAY_ALONE = re.compile(r"(\d{1,2})(?:\.|st|nd|rd|th)")
_SPAN = re.compile(r"(\d{1,4}|[^\W\d]+) ?([^\W\d]+)")


def reads_as_day(words: str) -> bool:
    """Whether the words can only be meant as a day or a span: they are one, or begin with a digit."""
    return words[:1].isdigit() or is_day(words)


def is_day(words: str) -> bool:
    """Whether it is a day or a span in any year: `friday 4 december` is one, too."""
    any_day = date(2000, 1, 1)
    return _read(words, any_day, any_day) is not None or bool(_with_another_weekday(words, any_day))


def is_span(words: str) -> bool:
    """Whether it is a time span, whose end depends on its beginning. A weekend is one, too."""
    if _WEEKENDS & set(words.casefold().split()):
        return True
    any_day = date(2000, 1, 1)
    end = _read(words, any_day, any_day)
    return end is not None and end != _read(words, any_day, any_day + timedelta(days=1))


def day_from(words: str, today: date, start: date) -> date | Phrase:
    """The day that the words mean, with spans counted from `start`; or an objection.

    A day without a year is the next one with that date.
    """
    if len(days := _with_slashes(words, today) or _with_another_weekday(words, today)) > 1:
        return say(messages.loan.day_ambiguous, word=words[:SHOWN], days=days)
    day = _read(words, today, start)
    if day is None:
        return say(messages.loan.day_unclear, word=words[:SHOWN])
    if day < today:
        return say(messages.loan.day_is_past, day=day)
    if (day - today).days > MOST_DAYS:
        return say(messages.loan.day_too_far, day=day)
    return day


@dataclass(frozen=True)
class Days:
    """The first and the last day of a loan. `first` None means now, `last` None means for good."""

    first: date | None = None
    last: date | None = None

    def fixed(self, arguments: Mapping[str, object]) -> dict[str, str]:
        """The arguments for these days as dates, which mean the same later."""
        days = {"starts": self.first, "until": self.last, "loan": self.last}
        return {name: day.isoformat() for name, day in days.items() if day is not None and name in arguments}


def days_meant(first: str, last: str, now: datetime, time_zone: str) -> Days | Phrase:
    """The days that the words mean, from today in that time zone (IANA name); or an objection.

    A span as the last day is counted from the first day.
    """
    today = now.astimezone(ZoneInfo(time_zone)).date()
    begins = day_from(first, today, today) if first else None
    if isinstance(begins, Phrase):
        return begins
    ends = day_from(last, today, begins or today) if last else None
    if begins is not None and isinstance(ends, date) and ends < begins and without_end(_tidied(last)) in WEEKDAYS:
        ends = day_from(last, begins, begins)  # `from monday to friday`
    if isinstance(ends, Phrase):
        return ends
    if begins is not None and ends is not None and ends < begins:
        return say(messages.booking.ends_before_it_starts, first=begins, last=ends)
    return Days(begins, ends)


def _read(words: str, today: date, start: date) -> date | None:
    """The day; None if it isn't one, or is beyond the calendar (`9999 years`)."""
    try:
        return _in_words(words, today, start)
    except (ValueError, OverflowError, StopIteration):
        return None


def _in_words(words: str, today: date, start: date) -> date | None:
    text = _tidied(words)
    first, _, behind = text.partition(" ")
    if first in _NEXT and behind in _UNITS | _LONG_UNITS:
        return _read(f"1 {behind}", today, start)
    word = bare_word(first)
    if behind and word in _IN_FRONT:
        return _read(behind, today, start)
    if behind and word in WEEKDAYS and behind not in _TIMES_OF_DAY:
        return _with_weekday(WEEKDAYS[word], behind, today)
    if days := _with_slashes(text, today):
        return days[0]
    text = " ".join(_MORE.sub(" ", _ANOTHER.sub("1 ", _HALF_A_YEAR.get(text, text))).split())
    day, _, time = text.rpartition(" ")
    if time in _TIMES_OF_DAY and (at := _one_word(day, today)):
        return at
    day_meant = _one_word(text, today) or _in_calendar(text, today) or _span(text, start)
    ended = text.rstrip(".")  # a full stop ends the sentence, not the day: `2 weeks.`
    return _read(ended, today, start) if day_meant is None and ended != text else day_meant


def _with_slashes(words: str, today: date) -> tuple[date, ...]:
    """All days that `3/4` can be, with the day first and with the month first; `24/12` can be only one."""
    found = _SLASHES.fullmatch(without_end(_tidied(words)))
    if found is None:
        return ()
    days: list[date] = []
    for day, month in ((int(found[1]), int(found[2])), (int(found[2]), int(found[1]))):
        try:
            days.append(_in_year(day, month, found[3], today))
        except (ValueError, StopIteration):  # no such day
            continue
    return tuple(dict.fromkeys(days))


def _with_weekday(weekday: int, behind: str, today: date) -> date | None:
    """The day that `friday 4 december`, if that is a Friday, or `friday next week` means."""
    first, _, word = behind.partition(" ")
    if first in _NEXT and word in _WEEKS:
        return today + timedelta(days=7 - today.weekday() + weekday)
    day = _calendar_day(behind, today)
    return day if day is not None and day.weekday() == weekday else None


def _calendar_day(words: str, today: date) -> date | None:
    """The day that a date means: `the 4th`, `4.12.`, `Dec 4`; None for anything else."""
    text = _tidied(words)
    text = text.partition(" ")[2] if text.partition(" ")[0] in _IN_FRONT else text
    try:
        return next(iter(_with_slashes(text, today)), None) or _in_calendar(text, today)
    except (ValueError, OverflowError, StopIteration):
        return None


def _with_another_weekday(words: str, today: date) -> tuple[date, ...]:
    """Both days that `friday 5.12.` can mean, if that date is a Saturday."""
    first, _, behind = _tidied(words).partition(" ")
    word = bare_word(first)
    if behind and word in _IN_FRONT:
        return _with_another_weekday(behind, today)
    weekday, day = WEEKDAYS.get(word), _calendar_day(behind, today)
    named = _read(word, today, today) if weekday is not None else None
    return (day, named) if named and day is not None and day.weekday() != weekday else ()


def _tidied(words: str) -> str:
    return " ".join(words.casefold().split()).strip(" ,!?")


def _in_calendar(text: str, today: date) -> date | None:
    return _numbers(text, today) or _with_month(text, today) or _of_this_month(text, today)


def _of_this_month(text: str, today: date) -> date | None:
    """The month's last day, or `the 12th`; the next month's, if that is past."""
    if text in _MONTH_ENDS:
        return today.replace(day=calendar.monthrange(today.year, today.month)[1])
    if found := _DAY_ALONE.fullmatch(text):
        day, months = int(found[1]), [(today.month - 1 + ahead) % 12 + 1 for ahead in range(3)]
        having = [month for month in months if day <= calendar.monthrange(today.year, month)[1]]
        return min(_in_year(day, month, None, today) for month in having)
    return None


def _one_word(text: str, today: date) -> date | None:
    if text in NEAR:
        return today + timedelta(days=NEAR[text])
    if text in _WEEKENDS:
        return today + timedelta(days=6 - today.weekday())
    if (weekday := WEEKDAYS.get(without_end(text))) is not None:
        ahead = (weekday - today.weekday()) % 7
        return today + timedelta(days=ahead or 7)
    return None


def _numbers(text: str, today: date) -> date | None:
    if found := _ISO.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
        return date(year, month, day)
    if found := _NUMBERS.fullmatch(text):
        return _in_year(int(found[1]), int(found[2]), found[3], today)
    return None


def _with_month(text: str, today: date) -> date | None:
    if (found := _DAY_FIRST.fullmatch(text)) and found[2] in MONTHS:
        return _in_year(int(found[1]), MONTHS[found[2]], found[3], today)
    if (found := _MONTH_FIRST.fullmatch(text)) and found[1] in MONTHS:
        return _in_year(int(found[2]), MONTHS[found[1]], found[3], today)
    return None


def _in_year(day: int, month: int, year: str | None, today: date) -> date:
    """The day in the given year (two digits mean this century), else the next such day."""
    if year:
        return date(int(year) + (2000 if len(year) == 2 else 0), month, day)  # noqa: PLR2004 - two digits
    years = range(today.year, today.year + 9)
    if not 1 <= month <= 12:  # noqa: PLR2004 - months of a year
        raise ValueError(f"no month {month}")
    days = [date(each, month, day) for each in years if 1 <= day <= calendar.monthrange(each, month)[1]]
    return next(each for each in days if each >= today)


def _span(text: str, today: date) -> date | None:
    found = _SPAN.fullmatch(text)
    if found is None:
        return None
    number = int(found[1]) if found[1].isdecimal() else _ARTICLES.get(found[1], 0)
    if not number:
        return None
    if found[2] in _UNITS:
        return today + timedelta(days=number * _UNITS[found[2]])
    if found[2] in _LONG_UNITS:
        months = today.month - 1 + number * _LONG_UNITS[found[2]]
        year, month = today.year + months // 12, months % 12 + 1
        return date(year, month, min(today.day, calendar.monthrange(year, month)[1]))
    return None


_DAYS_OF = {"d": 1, "w": 7, "m": 30, "y": 365}
_PAST_SPAN = re.compile(r"(\d{1,5})\s*(d|w|m|y|days?|weeks?|months?|years?)", re.IGNORECASE)


def days_in(text: str) -> int | None:
    """The span in days; 0 for an empty text, None if it is no span."""
    if not text:
        return 0
    found = _PAST_SPAN.fullmatch(text.strip())
    days = int(found[1]) * _DAYS_OF[found[2][0].lower()] if found else 0
    return days if 0 < days <= LONGEST_DAYS else None
