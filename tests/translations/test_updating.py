"""`make words`: its changes to a catalogue when the English sentences change."""

from __future__ import annotations

from gettext import translation
from pathlib import Path

import pytest
from babel.messages import Catalog

from fedbot.messages.language import DOMAIN
from tests.translations import catalogues
from tests.translations.catalogues import compiled, languages, read, source, translatable, update


@pytest.fixture(autouse=True)
def locale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(catalogues, "LOCALE", tmp_path)
    return tmp_path


def english(*sentences: str | tuple[str, str]) -> Catalog:
    found = Catalog(fuzzy=False)
    for sentence in sentences:
        found.add(sentence, locations=[("spaces.py", 0)])
    return found


def translate(old: str, new: str) -> None:
    """Translate in the `.po`, as a person does."""
    text = source("de").read_text(encoding="utf-8")
    assert text.count(old) == 1, text
    source("de").write_text(text.replace(old, new), encoding="utf-8")


def test_a_new_language_begins_with_everything_untranslated() -> None:
    assert [message.id for message in update("de", english("Hello.", ("One.", "Many.")))] == [
        "Hello.",
        ("One.", "Many."),
    ]
    assert languages() == ["de"]


def test_translations_are_kept_new_sentences_named_and_old_ones_removed(locale: Path) -> None:
    update("de", english("Hello.", "Bye."))
    translate('msgid "Hello."\nmsgstr ""', 'msgid "Hello."\nmsgstr "Hallo."')
    missing = update("de", english("Hello.", ("{number} thing", "{number} things")))
    assert [message.id for message in missing] == [("{number} thing", "{number} things")]
    assert [message.id for message in translatable(read("de"))] == ["Hello.", ("{number} thing", "{number} things")]
    assert "Bye" not in source("de").read_text()
    german = translation(DOMAIN, locale, ["de"])
    assert german.gettext("Hello.") == "Hallo."
    assert german.ngettext("{number} thing", "{number} things", 2) == "{number} things"


def test_a_sentence_that_got_a_plural_must_be_translated_again() -> None:
    update("de", english("Hello."))
    translate('msgid "Hello."\nmsgstr ""', 'msgid "Hello."\nmsgstr "Hallo."')
    missing = update("de", english(("Hello.", "Hello all.")))
    assert [message.id for message in missing] == [("Hello.", "Hello all.")]
    assert "Hallo" not in source("de").read_text()


def test_without_a_change_both_files_stay_the_same() -> None:
    update("de", english("Hello."))
    before = source("de").read_bytes(), compiled("de").read_bytes()
    update("de", english("Hello."))
    assert (source("de").read_bytes(), compiled("de").read_bytes()) == before
