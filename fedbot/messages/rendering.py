"""From a phrase to its lines: the one way in. Every public function of the modules below is a phrase of its name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from types import ModuleType

from fedbot.messages import (
    approval,
    changes,
    connection,
    disconnect,
    formatting,
    health,
    help_pages,
    keys,
    line_errors,
    loan,
    match,
    offer,
    overview,
    parcel,
    reconcile,
    resolve,
    rooms,
    rotate_tokens,
    search,
    share,
    show,
    stats,
    transfer,
    transfer_card,
)
from fedbot.messages import history as historys
from fedbot.messages import rooms as messages_rooms
from fedbot.messages.formatting import Items
from fedbot.messages.language import Lines, Locale
from fedbot.messages.naming import person
from fedbot.rules.model.effects import Phrase

Sentence = Callable[..., Lines]

MODULES: tuple[ModuleType, ...] = (
    health,
    line_errors,
    changes,
    connection,
    connection,
    connection,
    keys,
    approval,
    stats,
    line_errors,
    help_pages,
    show,
    health,
    loan,
    loan,
    loan,
    historys,
    match,
    messages_rooms,
    offer,
    overview,
    parcel,
    disconnect,
    loan,
    reconcile,
    approval,
    rotate_tokens,
    offer,
    rooms,
    search,
    resolve,
    share,
    connection,
    approval,
    transfer_card,
    transfer,
    line_errors,
)
MOST_BYTES = 6_000
MOST_HTML_BYTES = 10_000
"""Of a message's two forms. An edit carries both twice, and an offer 28,000 bytes of envelope with them: all of it
must fit into the 46,000 that go into one event (`content.MOST_BYTES`)."""
BREVITIES = (1, 2, 4, 8)


class NoSuchPhrase(LookupError):
    """The rules say something that has no words: a mistake in the program (a test looks for it)."""


def phrases() -> dict[str, Sentence]:
    """Every phrase by its name."""
    return {
        name: function
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and _is_phrase(function)
    }


def _is_phrase(function: Sentence) -> bool:
    """Phrases take a tongue, and everything else by keyword; what helps them is private or takes it in order."""
    first, *others = inspect.signature(function).parameters.values()
    by_keyword = all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in others)
    return first.name == "tongue" and by_keyword and not function.__name__.startswith("_")


_PHRASES = phrases()


def render(phrase: Phrase, tongue: Locale, now: datetime) -> Lines:
    """The lines of a phrase, said now. Other people's words are shortened further if it would grow too large.

    Raises `NoSuchPhrase`.
    """
    sentence = _PHRASES.get(phrase.name)
    if sentence is None:
        raise NoSuchPhrase(phrase.name)
    lines: Lines = []
    for brevity in BREVITIES:
        speaking = replace(tongue, now=now, brevity=brevity)
        lines = sentence(speaking, **phrase.about)
        if phrase.to:
            lines = _addressed(person(speaking, phrase.to), lines)
        if _fits(lines):
            return lines
    return _cut(lines)


def _addressed(name: str, lines: Lines) -> Lines:
    """'Kim: Not counted: …'."""
    first, *others = lines
    if isinstance(first, Items):
        return [f"{name}:", *lines]
    words = (first,) if isinstance(first, str) or not isinstance(first, Sequence) else first
    return [(f"{name}: ", *words), *others]


def _fits(lines: Lines) -> bool:
    words = formatting.render(lines)
    return len(words.plain.encode()) <= MOST_BYTES and len(words.html.encode()) <= MOST_HTML_BYTES


def _cut(lines: Lines) -> Lines:
    """As many of the first lines as fit: the last resort."""
    kept: Lines = []
    for line in lines:
        if not _fits([*kept, line, "…"]):
            break
        kept.append(line)
    return [*kept, "…"]
