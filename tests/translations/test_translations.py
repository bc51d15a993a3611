"""Each catalogue keeps its promises: places, marks and typed words as in English, fit for a phone, complete in the bot.

A new English sentence without a translation fails nothing: it is shown in English, and `make words` counts it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from gettext import NullTranslations
from string import Formatter

import pytest
from babel.messages import Catalog, Message
from babel.messages.mofile import read_mo

from fedbot.commands.dates import day_from
from fedbot.commands.registry import catalogue as verbs
from fedbot.messages import language as module
from fedbot.messages.language import Locale
from fedbot.rules.model.effects import Phrase
from tests.messages.test_any_text import EXAMPLES
from tests.scenarios.scenes import NOW, plain
from tests.translations.catalogues import compiled, forms, is_translated, languages, read, source, translatable
from tests.translations.sentences import sentences

LANGUAGES = languages()
ON_A_LOCK_SCREEN = 120
VERBS = "|".join(sorted({name for spec in verbs() for name in spec.names} | {"more", "ask"}))
NO_STATUS = r"(?<![sS]tatus\ )(?<!status\ to\ )(?<!mark\ )"
KEPT = re.compile(
    rf"""!fed(?:\ [a-z]+)?            # a typed line
    | {NO_STATUS}'(?:{VERBS})(?:\ [^']*)?'  # a verb within a sentence
    | --[a-z]+                        # an option
    | \b[A-Z_]{{3,}}\b                # what usage calls an argument: ITEM, SPACE; IPN, API, REST
    | [`*_]{{2,}} | ` | \#\d+ | •     # marks
    | [\u2190-\u2bff\U0001f300-\U0001faff]  # ✅ ❌ 📦 ⏸ ⚠
    """,
    re.VERBOSE,
)


class _Listening(NullTranslations):
    """Answers like a catalogue, and records its lookups."""

    def __init__(self, answers: NullTranslations) -> None:
        super().__init__()
        self.answers = answers
        self.asked: set[str] = set()

    def gettext(self, message: str) -> str:
        self.asked.add(message)
        return self.answers.gettext(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        self.asked.add(msgid1)
        return self.answers.ngettext(msgid1, msgid2, n)


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, _Listening]]:
    """The catalogues that were used, by language."""
    real, heard = module._catalogue, dict[str, _Listening]()

    def catalogue(language: str) -> _Listening:
        return heard.setdefault(language, _Listening(real(language)))

    monkeypatch.setattr(module, "_catalogue", catalogue)
    yield heard
    real.cache_clear()


def _singular(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _msgids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _english(message: Message, form: int) -> str:
    """The English text of a form."""
    return message.id if isinstance(message.id, str) else message.id[min(form, 1)]


def _places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def _translated(catalogue: Catalog) -> Iterator[tuple[Message, str, str]]:
    """Each translated form with its English text."""
    for message in translatable(catalogue):
        if is_translated(message):
            for number, form in enumerate(forms(message)):
                yield message, _english(message, number), form


# --- sentences in the source -------------------------------------------------------------------------------------


def test_every_sentence_in_use_is_found_for_translation(listening: dict[str, _Listening]) -> None:
    for phrase in EXAMPLES:
        plain(phrase, Locale("xx", "Europe/Berlin"))
    known = {_singular(message) for message in translatable(sentences())}
    assert sorted(listening["xx"].asked - known) == []


def test_no_sentence_is_used_both_alone_and_as_the_first_of_a_plural() -> None:
    found = sentences()
    plurals = {message.id[0] for message in translatable(found) if not isinstance(message.id, str)}
    assert sorted(plurals & {message.id for message in translatable(found) if isinstance(message.id, str)}) == []


def test_no_name_takes_an_apostrophe() -> None:
    """The name may be 'Hackbase e.V. (hackbase)': write 'the bot of {space}', not '{space}'s bot'."""
    said = [form for message in translatable(sentences()) for form in _msgids(message)]
    assert [form for form in said if re.search(r"\}['’]", form)] == []


def test_the_verbs_own_texts_are_found() -> None:
    known = {_singular(message) for message in translatable(sentences())}
    assert {spec.summary for spec in verbs()} <= known


# --- each catalogue ----------------------------------------------------------------------------------------------


def test_there_is_german() -> None:
    assert "de" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_places_and_typed_words_are_those_of_the_english_sentence(language: str) -> None:
    wrong = []
    for message, english, other in _translated(read(language)):
        optional = {"number"} if isinstance(message.id, tuple | list) else set[str]()
        if _places(other) | optional != _places(english) | optional:
            wrong.append(f"places: {english!r}: {other!r}")
        if sorted(KEPT.findall(other)) != sorted(KEPT.findall(english)):
            wrong.append(f"{sorted(KEPT.findall(english))}: {english!r}: {other!r}")
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_brackets_and_the_spaces_at_either_end_fit(language: str) -> None:
    wrong = []
    for _, english, other in _translated(read(language)):
        open_ones = [text.count("(") - text.count(")") for text in (english, other)]
        outer = [re.match(r"\s*", text[::step])[0] for text in (english, other) for step in (1, -1)]  # type: ignore[index]
        if open_ones[0] != open_ones[1] or outer[:2] != outer[2:]:
            wrong.append(f"{english!r}: {other!r}")
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_doubtful_or_half_translated(language: str) -> None:
    catalogue = read(language)
    assert not catalogue.obsolete
    assert [message.id for message in catalogue if message.fuzzy] == []
    plural = [message for message in translatable(catalogue) if not isinstance(message.id, str)]
    assert [m.id for m in plural if any(forms(m)) and not is_translated(m)] == []
    assert {len(forms(message)) for message in plural if is_translated(message)} <= {catalogue.num_plurals}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_bots_file_was_made_from_the_translators_file(language: str) -> None:
    with compiled(language).open("rb") as file:
        read_by_the_bot = {_singular(m): forms(m) for m in translatable(read_mo(file))}
    wanted = {_singular(m): forms(m) for m in translatable(read(language)) if is_translated(m)}
    assert read_by_the_bot == wanted, f"{source(language)} was changed: run `make words`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_example_differs_from_english(language: str, listening: dict[str, _Listening]) -> None:
    translated = {_singular(message) for message in translatable(read(language)) if is_translated(message)}
    same = []
    for phrase in EXAMPLES:
        listening.clear()
        other = plain(phrase, Locale(language, "Europe/Berlin"))
        if other == plain(phrase) and listening[language].asked <= translated:
            same.append(phrase.name)
    assert same == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("phrase", EXAMPLES, ids=lambda phrase: phrase.name)
def test_the_first_line_fits_on_a_lock_screen_in_each_language(phrase: Phrase, language: str) -> None:
    first = plain(phrase, Locale(language, "Europe/Berlin")).split("\n")[0]
    assert len(first) <= ON_A_LOCK_SCREEN, first


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_day_as_the_bot_writes_it_can_be_typed(language: str) -> None:
    locale, today = Locale(language, "Europe/Berlin", NOW), date(2026, 1, 1)
    days = [date(2026, month, day) for month, day in zip(range(1, 13), range(11, 23), strict=True)]
    assert [day_from(locale.day(day), today, today) for day in days] == days


# --- German ------------------------------------------------------------------------------------------------------

GERMAN = Locale("de", "Europe/Berlin", NOW)


def test_german_quotes_are_closed() -> None:
    assert [other for _, _, other in _translated(read("de")) if other.count("„") != other.count("“")] == []


def test_german_days_numbers_and_lists() -> None:
    assert GERMAN.day(date(2026, 12, 15)) == "Di 15. Dez 2026"
    assert GERMAN.when(datetime(2026, 12, 1, 19, 14, tzinfo=UTC)) == "Di 1. Dez, 20:14"
    assert GERMAN.quantity(Decimal("1.50000"), "m") == "1,5 m"
    assert GERMAN.count(4120) == "4.120"
    assert GERMAN.names(["Bea", "Cem", "Dilek", "Ed"], any_of=True) == "Bea, Cem, Dilek oder andere"
