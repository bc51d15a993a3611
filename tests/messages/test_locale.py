"""Dates, amounts, lists and quoted words, as a bot writes them, and sentences in other languages."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from gettext import NullTranslations
from pathlib import Path
from string import Formatter

import pytest

from fedbot.messages import language as module
from fedbot.messages import markup
from fedbot.messages.language import Locale
from fedbot.messages.markup import Bold
from fedbot.messages.quantities import quantity_in
from tests.scenarios.scenes import NOW

BERLIN = Locale("en", "Europe/Berlin", NOW)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(2026, 12, 1, 19, 14, tzinfo=UTC), "Tue 1 Dec, 20:14"),
        (datetime(2026, 7, 1, 19, 14, tzinfo=UTC), "Wed 1 Jul, 21:14"),
        (datetime(2027, 1, 1, 0, 0, tzinfo=UTC), "Fri 1 Jan 2027, 01:00"),
        (datetime(2025, 12, 31, 23, 30, tzinfo=UTC), "Thu 1 Jan, 00:30"),
    ],
)
def test_a_moment_is_shown_in_local_time_with_the_year_if_it_is_another(moment: datetime, shown: str) -> None:
    today = date(2026, 11, 24)
    assert BERLIN.when(moment, today) == shown
    assert BERLIN.when(moment) == shown


def test_a_moment_of_today_is_shown_by_the_time_alone() -> None:
    assert BERLIN.clock(datetime(2026, 11, 24, 19, 36, tzinfo=UTC)) == "20:36"
    assert BERLIN.clock(datetime(2026, 11, 24, 23, 36, tzinfo=UTC)) == "Wed 25 Nov, 00:36"


def test_a_day_is_shown_with_its_year() -> None:
    assert BERLIN.day(date(2026, 12, 15)) == "Tue 15 Dec 2026"


def test_the_ends_of_time_are_shown_without_an_error() -> None:
    assert BERLIN.when(datetime.max.replace(tzinfo=UTC)).startswith("Fri 31 Dec 9999")
    assert BERLIN.when(datetime.min.replace(tzinfo=UTC)).startswith("Mon 1 Jan 1")


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (timedelta(0), "0 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=59.9), "59 seconds"),
        (timedelta(minutes=10), "10 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(days=7), "7 days"),
        (timedelta(seconds=-5), "0 seconds"),
    ],
)
def test_a_span_is_shown_in_its_largest_unit(length: timedelta, shown: str) -> None:
    assert BERLIN.span(length) == shown


@pytest.mark.parametrize(
    ("quantity", "units", "shown"),
    [
        (Decimal(10), "", "10"),
        (Decimal("1.50000"), "m", "1.5 m"),
        (Decimal(1000), "", "1000"),
        (Decimal("1E+3"), "pcs", "1000 pcs"),
        (Decimal("0.00001"), "kg", "0.00001 kg"),
    ],
)
def test_a_quantity_reads_as_it_may_be_typed(quantity: Decimal, units: str, shown: str) -> None:
    assert BERLIN.quantity(quantity, units) == shown


@pytest.mark.parametrize("digits", ["10", "1.5", "1.125", "999.125", "0.125", "1000.125", "1.1255", "1000", "0.00001"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_quantity_to_copy_is_read_back_exactly(digits: str, language: str) -> None:
    copied = quantity_in(Locale(language).typed(Decimal(digits)))
    assert copied is not None
    assert copied.readings == (digits,)


def test_a_number_that_nobody_types_has_separators() -> None:
    assert BERLIN.count(4120) == "4,120"


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], ""),
        (["Bea"], "Bea"),
        (["Bea", "Cem"], "Bea or Cem"),
        (["Bea", "Cem", "Dilek"], "Bea, Cem or Dilek"),
        (["Bea", "Cem", "Dilek", "Ed"], "Bea, Cem, Dilek or others"),
        (["{first}", "{last}"], "{first} or {last}"),
    ],
)
def test_at_most_three_people_are_named(names: list[str], shown: str) -> None:
    assert BERLIN.names(names, any_of=True) == shown


def test_a_long_text_is_cut_with_a_mark() -> None:
    assert BERLIN.short("a" * 100, 10) == "aaaaaaaaa…"
    assert BERLIN.short("two\nlines  and\tmore", 60) == "two lines and more"
    assert BERLIN.short("Laser lens 2.0″ — für Öl", 24) == "Laser lens 2.0″ — für Öl"
    assert len(BERLIN.short("漢" * 100, 30).encode()) <= 61
    assert BERLIN.short("e\u202ev\x00il", 60) == "evil"
    assert BERLIN.short(None) == ""


def test_words_may_be_nodes_and_keep_their_braces() -> None:
    said = BERLIN.say("{who} gives {what}.", who="{what}", what=Bold("<b>"))
    rendered = markup.render([said])
    assert rendered.plain == "{what} gives <b>."
    assert rendered.html == "{what} gives <b>&lt;b&gt;</b>."


class _Backwards(NullTranslations):
    """A language that puts the item first and has its own plural."""

    def gettext(self, message: str) -> str:
        return {"{who} gives {what}.": "{what}: {who} gibt es.", ".": ","}.get(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return "{number} Ding" if n == 1 else "{number} Dinge"


@pytest.fixture
def backwards(monkeypatch: pytest.MonkeyPatch) -> Locale:
    monkeypatch.setattr(module, "_catalogue", lambda _: _Backwards())
    return Locale("xx", "Europe/Berlin", NOW)


def test_another_language_may_put_the_words_in_another_order(backwards: Locale) -> None:
    said = backwards.say("{who} gives {what}.", who="Anna", what=Bold("lens"))
    assert markup.render([said]).html == "<b>lens</b>: Anna gibt es."
    assert markup.render([backwards.some("{number} thing", "{number} things", 2)]).plain == "2 Dinge"
    assert markup.render([backwards.some("{number} thing", "{number} things", 1)]).plain == "1 Ding"
    assert backwards.quantity(Decimal("1.5"), "m") == "1,5 m"


def _sentences() -> Iterator[tuple[str, ast.Call]]:
    """Every `tongue.say(…)` and `tongue.some(…)` in the sentences."""
    for path in sorted(Path(inspect.getfile(module)).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"say", "some"}
            ):
                yield f"{path.name}:{node.lineno}", node


def test_every_place_in_a_sentence_is_filled() -> None:
    checked = 0
    for place, call in _sentences():
        given = {keyword.arg for keyword in call.keywords}
        if None in given:  # **names: the tables of sentences try these
            continue
        for sentence in call.args:
            if isinstance(sentence, ast.Constant) and isinstance(sentence.value, str):
                wanted = {name for _, name, _, _ in Formatter().parse(sentence.value) if name is not None}
                assert wanted <= given | {"number"}, f"{place}: {sentence.value}"
                if call.func.attr == "say":  # type: ignore[attr-defined]
                    assert wanted == given, f"{place}: {sentence.value} is given {given}"
                checked += 1
    assert checked > 200
