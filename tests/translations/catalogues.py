"""The catalogues as files: `fedbot/messages/locale/LANGUAGE/LC_MESSAGES/fedbot.po`, and the `.mo` made from it."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from fedbot.messages.language import DOMAIN, LOCALE

LINE_LENGTH = 120


def languages() -> list[str]:
    """The languages with a catalogue."""
    return sorted(path.parents[1].name for path in LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def source(language: str) -> Path:
    """The file that people translate."""
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def compiled(language: str) -> Path:
    """The file that the bot reads."""
    return source(language).with_suffix(".mo")


def read(language: str) -> Catalog:
    """A language's catalogue; an empty one if it has none yet."""
    path = source(language)
    if not path.exists():
        return Catalog(
            locale=language,
            domain=DOMAIN,
            header_comment="# Translations of fedbot/messages and fedbot/commands, kept up to date by `make words`.",
            project="fedbot",
            version="1",
            msgid_bugs_address="see docs/words.md",
            last_translator="see git log",
            language_team=language,
            revision_date=datetime.now(UTC),
            fuzzy=False,
        )
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def compile_(catalogue: Catalog) -> bytes:
    """The `.mo`'s content, without untranslated sentences, which are then shown in English."""
    translated = Catalog(catalogue.locale, DOMAIN, creation_date=catalogue.creation_date, fuzzy=False)
    for message in translatable(catalogue):
        if is_translated(message):
            translated[message.id] = message
    out = io.BytesIO()
    write_mo(out, translated)
    return out.getvalue()


def update(language: str, sentences: Catalog) -> list[Message]:
    """Update both files: add new sentences, remove old ones. Return those that need a translation or a review."""
    catalogue = read(language)
    catalogue.update(sentences, no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    missing = [message for message in translatable(catalogue) if not is_translated(message)]
    for message in missing:
        message.string = "" if isinstance(message.id, str) else ("",) * catalogue.num_plurals
        message.flags.discard("fuzzy")
    source(language).parent.mkdir(parents=True, exist_ok=True)
    with source(language).open("wb") as file:
        write_po(file, catalogue, width=LINE_LENGTH, include_lineno=False)
    compiled(language).write_bytes(compile_(catalogue))
    return missing


def translatable(catalogue: Catalog) -> list[Message]:
    """All messages but the header."""
    return [message for message in catalogue if message.id]


def is_translated(message: Message) -> bool:
    """Whether each of its forms is translated."""
    return all(forms(message))


def forms(message: Message) -> tuple[str, ...]:
    """The translation; for a sentence with a number, one for each plural form of the language."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))
