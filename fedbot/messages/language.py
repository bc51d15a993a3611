"""The bot's language and time zone, and how it writes dates, amounts, lists and other people's words.

English is the source (the msgids); other languages lie in `locale/` as gettext catalogues. docs/words.md says how
they are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path
from string import Formatter
from typing import cast
from zoneinfo import ZoneInfo

from fedbot.messages.markup import Inline, Line
from fedbot.messages.quantities import typed
from fedbot.rules import time_zones
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.stock import plain
from fedbot.rules.names import clean_text

DOMAIN = "fedbot"
LOCALE = Path(__file__).parent / "locale"
SOURCE = "en"
SHORTEST_AT_EIGHT = 4
"""Characters that are left of any word at a brevity of eight; beyond that fewer are."""
ELLIPSIS = "…"

Lines = list[Line]
Words = Inline | Sequence[Inline] | int


def marked(text: str) -> str:
    """A msgid that is translated elsewhere, by its value (a table of reasons, say): only found by extraction."""
    return text


def lines_of(locale: Locale, phrase: Phrase) -> Lines:
    """The lines of a phrase, in full: `rendering` shortens them."""
    return cast("Lines", phrase.sentence(locale, **phrase.about))


WEEKDAYS = (marked("Mon"), marked("Tue"), marked("Wed"), marked("Thu"), marked("Fri"), marked("Sat"), marked("Sun"))
MONTHS = (
    marked("Jan"),
    marked("Feb"),
    marked("Mar"),
    marked("Apr"),
    marked("May"),
    marked("Jun"),
    marked("Jul"),
    marked("Aug"),
    marked("Sep"),
    marked("Oct"),
    marked("Nov"),
    marked("Dec"),
)
MOST_NAMES = 3


def languages() -> list[str]:
    """The languages that have sentences."""
    return sorted({SOURCE, *(folder.name for folder in LOCALE.iterdir())})


@cache
def _catalogue(language: str) -> NullTranslations:
    return translation(DOMAIN, LOCALE, [language], fallback=True)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@dataclass(frozen=True)
class Locale:
    """A language (`en`, `de`), a time zone (IANA name), and the present moment.

    `brevity` shortens other people's words further: 2 is half as long. It is raised only if a message would become too
    large (`rendering`).
    """

    language: str = SOURCE
    time_zone: str = "UTC"
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    brevity: int = 1

    # sentences

    def say(self, sentence: str, /, **words: Words) -> tuple[Inline, ...]:
        """A sentence in this language. Each `{name}` is replaced by words, which may be nodes (`Bold`, `Code`, …)."""
        return _filled(_catalogue(self.language).gettext(sentence), words)

    def some(self, one: str, many: str, number: int, /, **words: Words) -> tuple[Inline, ...]:
        """A sentence in the singular or plural form for a number; `{number}` is replaced by it."""
        chosen = _catalogue(self.language).ngettext(one, many, number)
        return _filled(chosen, {"number": self.count(number), **words})

    def of_many(self, one: str, many: str, things: Sized, /, **words: Words) -> tuple[Inline, ...]:
        """A sentence in the singular or plural form for the things that are its subject: 'is', or 'are'."""
        return _filled(_catalogue(self.language).ngettext(one, many, len(things)), words)

    def word(self, msgid: str) -> str:
        """A plain word or text in this language."""
        return _catalogue(self.language).gettext(msgid)

    # times

    def _local(self, moment: datetime) -> datetime:
        try:
            return moment.astimezone(_zone(self.time_zone))
        except OverflowError:
            return moment

    def day(self, day: date, *, year: bool = True) -> str:
        """'Tue 15 Dec 2026'."""
        names = {"weekday": self.word(WEEKDAYS[day.weekday()]), "month": self.word(MONTHS[day.month - 1])}
        sentence = self.word("{weekday} {day} {month} {year}") if year else self.word("{weekday} {day} {month}")
        return sentence.format(day=day.day, year=day.year, **names)

    def day_there(self, day: date, time_zone: str) -> str:
        """'Tue 15 Dec 2026', or 'Tue 15 Dec 2026 (Auckland time)' if that day ends at another moment there.

        `time_zone`: the IANA name of the day's zone, also an unknown one; '' for ours.
        """
        ends_there, ends_here = (
            time_zones.beginning(day + timedelta(days=1), name, self.time_zone).astimezone(UTC)
            for name in (time_zone, self.time_zone)
        )
        if not time_zone or (time_zones.is_known(time_zone) and ends_there == ends_here):
            return self.day(day)
        place = self.short(time_zone.rpartition("/")[2].replace("_", " "), 30)
        return self.word("{day} ({place} time)").format(day=self.day(day), place=place)

    def today_there(self, time_zone: str) -> date:
        """Today's date in that zone."""
        return time_zones.day_at(self.now, time_zone, self.time_zone)

    def when(self, moment: datetime, today: date | None = None) -> str:
        """'Tue 1 Dec, 20:14'; with the year unless it is the year of `today` (by default the present day)."""
        local = self._local(moment)
        present = today or self._local(self.now).date()
        day = self.day(local.date(), year=local.year != present.year)
        return self.word("{day}, {time}").format(day=day, time=f"{local:%H:%M}")

    def clock(self, moment: datetime) -> str:
        """'20:14' if that is today, else like `when`."""
        local = self._local(moment)
        return f"{local:%H:%M}" if local.date() == self._local(self.now).date() else self.when(moment)

    def span(self, length: timedelta) -> str:
        """'5 seconds', '10 minutes', '1 hour', '7 days': in the largest unit that fits."""
        seconds = max(int(length.total_seconds()), 0)
        days, hours, minutes = seconds // 86400, seconds // 3600, seconds // 60
        if days:
            words = self.some("{number} day", "{number} days", days)
        elif hours:
            words = self.some("{number} hour", "{number} hours", hours)
        elif minutes:
            words = self.some("{number} minute", "{number} minutes", minutes)
        else:
            words = self.some("{number} second", "{number} seconds", seconds)
        return "".join(str(word) for word in words)

    # amounts

    def quantity(self, quantity: Decimal, units: str = "") -> str:
        """'10', '1.5 m', '2 × 50 m'. Never with a separator of thousands: `1,000` is ambiguous."""
        number = plain(quantity).replace(".", self.word("."))
        unit = self.short(units, 12)
        between = " × " if unit[:1].isdigit() else " "
        return f"{number}{between}{unit}" if unit else number

    def typed(self, quantity: Decimal) -> str:
        """A quantity as people should type it in a line to copy: '1.1250', because `1.125` may be 1125."""
        return typed(quantity).replace(".", self.word("."))

    def count(self, number: int) -> str:
        """'4,120': a number that nobody types in."""
        return f"{number:,}".replace(",", self.word(","))

    # other people's words

    def short(self, text: object, most: int = 60) -> str:
        """The text on one line, without characters that mislead.

        At most `most` characters, in wide scripts fewer.
        """
        words = " ".join(clean_text(text).split())
        most = max(most // self.brevity, SHORTEST_AT_EIGHT * 8 // max(self.brevity, 8))
        if len(words) <= most and len(words.encode()) <= 2 * most:
            return words
        cut = words[: most - 1].encode()[: 2 * (most - 1)].decode(errors="ignore")
        return cut.rstrip() + ELLIPSIS

    def names(self, names: Iterable[str], *, any_of: bool = False, most: int = MOST_NAMES) -> str:
        """'Bea, Cem and Dilek', or with `or`; if there are more than `most`, only the first ones, 'and others'."""
        known = [self.short(name, 40) for name in names]
        shown = known[:most] + ([self.word("others")] if len(known) > most else [])
        if len(shown) <= 1:
            return "".join(shown)
        pattern = self.word("{first} or {last}") if any_of else self.word("{first} and {last}")
        return pattern.format(first=", ".join(shown[:-1]), last=shown[-1])


def _filled(sentence: str, words: dict[str, Words]) -> tuple[Inline, ...]:
    """The words of the sentence and of its placeholders, in the order of this language."""
    nodes: list[Inline] = []
    for text, place, _, _ in Formatter().parse(sentence):
        if text:
            nodes.append(text)
        if place is not None:
            nodes.extend(_nodes(words[place]))
    return tuple(nodes)


def _nodes(words: Words) -> tuple[Inline, ...]:
    if isinstance(words, int):
        return (str(words),)
    if isinstance(words, str):
        return (words,)
    if isinstance(words, Sequence):
        return tuple(words)
    return (words,)
