"""Turns a phrase into its lines. It is the only way in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fedbot.messages import markup
from fedbot.messages.language import Lines, Locale, lines_of
from fedbot.messages.markup import Items
from fedbot.messages.naming import off_chat, person
from fedbot.rules.model.effects import Phrase

MOST_BYTES = 6_000
MOST_HTML_BYTES = 10_000
MOST_JSON_BYTES = 17_000
"""The limits for a message's two forms, and for both as JSON, which writes a quotation mark as two characters. An edit
carries both twice, and an offer adds an envelope of 28,000 bytes. All of it must fit into the 46,000 bytes of one event
(`content.MOST_BYTES`)."""
BREVITIES = (1, 2, 4, 8, 16, 32)


def render(phrase: Phrase, locale: Locale, now: datetime) -> Lines:
    """The lines of a phrase. Other people's words are shortened further if it would become too large."""
    lines: Lines = []
    for brevity in BREVITIES:
        speaking = replace(locale, now=now, brevity=brevity)
        lines = lines_of(speaking, phrase)
        if phrase.to:
            name = off_chat(speaking, person(speaking, phrase.to), phrase.line, phrase.through)
            lines = _addressed(name, lines)
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
    words = markup.render(lines)
    if len(words.plain.encode()) > MOST_BYTES or len(words.html.encode()) > MOST_HTML_BYTES:
        return False
    return len(json.dumps([words.plain, words.html], ensure_ascii=False).encode()) <= MOST_JSON_BYTES


def _cut(lines: Lines) -> Lines:
    """The first lines that fit, if shortening isn't enough."""
    kept: Lines = []
    for line in lines:
        if not _fits([*kept, line, "…"]):
            break
        kept.append(line)
    return [*kept, "…"]
