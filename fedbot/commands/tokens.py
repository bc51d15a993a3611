"""The words of a typed line: quotes, separators, and invisible characters."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from fedbot.rules.model.command import PREFIX

_DOUBLE = '"“”„‟«»'
_SINGLE = "'‘’‚‛`"
DASHES = frozenset({"-", "--", "–", "—"})
"""Words that may begin a note: `to betaspace – for Saturday`."""
_HYPHENS = re.compile("[\u2010\u2011]")
_INVISIBLE_BUT_NEEDED = "\n\t\u200d"  # the last one joins emoji
_AFTER = (" ", "\t", "\n", ";", ",", "")
"""The characters that may follow a closing quote; the last one is the end of the line."""
_SIGN = re.compile(r"\S")
_NEXT_LINE = re.compile(r"\n\s*+(\S*)")
_NAMED_OPTION = re.compile(r"(?:--|[—–]{1,2})[^\W\d]\w*=")


@dataclass(frozen=True)
class Token:
    """One word, or a quoted text without its quotes. `start` and `end` are its positions in the tidied line."""

    text: str
    start: int
    end: int
    quoted: bool = False
    separator: bool = False

    @property
    def opens_quotes(self) -> bool:
        """Whether it begins with a quote that is never closed."""
        return not self.quoted and self.text[0] in _DOUBLE + _SINGLE

    def means(self, word: str) -> bool:
        """Whether it is that word, in any case, unquoted."""
        return self.means_any((word,))

    def means_any(self, words: Collection[str]) -> bool:
        """Whether it is one of these words, in any case, unquoted."""
        return not self.quoted and self.text.lower() in words


def tidied(text: str) -> str:
    """The text with plain spaces and line feeds, without characters that are invisible or hide others."""
    text = _HYPHENS.sub("-", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    spaced = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in text)
    return "".join(
        sign for sign in spaced if sign in _INVISIBLE_BUT_NEEDED or unicodedata.category(sign) not in {"Cc", "Cf", "Cs"}
    )


def tokens_in(text: str) -> list[Token]:
    """The words of a tidied line. Line feeds, `;` and a `+` by itself are separators."""
    tokens: list[Token] = []
    quotes = _Quotes(text)
    at = 0
    while at < len(text):
        if text[at] == "\n" or text[at] == ";":
            tokens.append(Token(text[at], at, at + 1, separator=True))
            at += 1
        elif text[at].isspace():
            at += 1
        else:
            token = quotes.quoted(at) or _bare(text, at, quotes)
            tokens.append(token)
            at = token.end
    return tokens


class _Quotes:
    """The places of a line where a quoted text can end, found in one pass, however many quotes it has."""

    def __init__(self, text: str) -> None:
        self._text = text
        ends = [at for at, sign in enumerate(text) if sign in _DOUBLE + _SINGLE and text[at + 1 : at + 2] in _AFTER]
        self._ends = {kind: [at for at in ends if text[at] in kind] for kind in (_DOUBLE, _SINGLE)}
        self._commands = [found.start() for found in _NEXT_LINE.finditer(text) if first_word(found[1])[0] == PREFIX]

    def quoted(self, start: int) -> Token | None:
        """A quoted text that begins here. The closing quote must end a word, so 2" or don't is no quote.

        A line break in it becomes a space, unless the next line is a command of its own.
        """
        kind = next((kind for kind in (_DOUBLE, _SINGLE) if self._text[start] in kind), "")
        content = _SIGN.search(self._text, start + 1)
        if not kind or content is None:
            return None
        ends = self._ends[kind]
        nearest = bisect_right(ends, content.start())
        if nearest == len(ends) or bisect_left(self._commands, start) < bisect_left(self._commands, ends[nearest]):
            return None
        end = ends[nearest]
        inside = self._text[start + 1 : end].strip()
        return Token(re.sub(r"\s*\n\s*", " ", inside), start, end + 1, quoted=True)


def _bare(text: str, start: int, quotes: _Quotes) -> Token:
    """An unquoted word. A `;` ends it, except inside a link; so does the `=` before an option's quoted text."""
    named = _NAMED_OPTION.match(text, start)
    if named is not None and _is_all_in_quotes(text, named.end(), quotes):
        return Token(f"--{named[0].lstrip('-—–')}", start, named.end())
    end = start
    while end < len(text) and not text[end].isspace() and (text[end] != ";" or "://" in text[start:end]):
        end += 1
    word = text[start:end]
    dashed = re.fullmatch(r"[—–]{1,2}([^\W\d].*)", word)
    if dashed:
        word = f"--{dashed[1]}"
    return Token(word, start, end, separator=word == "+")


def _is_all_in_quotes(text: str, start: int, quotes: _Quotes) -> bool:
    """Whether a quoted text begins here, and no later quote could be part of the same text."""
    quoted = quotes.quoted(start) if start < len(text) else None
    rest = "" if quoted is None else text[quoted.end :].partition("\n")[0].partition(" --")[0]
    return quoted is not None and not any(sign in rest for sign in _DOUBLE + _SINGLE)


def slice_of(line: str, tokens: Sequence[Token]) -> str:
    """These words as typed, quotes included, with single spaces."""
    return " ".join(line[tokens[0].start : tokens[-1].end].split())


def unquoted(text: str) -> str:
    """The text inside the quotes, if all of it is one quoted text; else the text."""
    tokens = tokens_in(text)
    return tokens[0].text if len(tokens) == 1 and tokens[0].quoted else text


def without_lone_quote(text: str) -> str:
    """The text without an opening quote at its beginning that nothing closes."""
    is_lone = text[:1] in tuple(_DOUBLE) and not any(sign in text[1:] for sign in _DOUBLE)
    return text[1:].lstrip() if is_lone else text


def is_syntax(token: Token, reserved: Collection[str]) -> bool:
    """Whether the parser reads it as one of these keywords, or as the beginning of an option, note or quoted text."""
    begins_option = not token.quoted and token.text.startswith("--")
    return begins_option or token.opens_quotes or token.means_any(reserved) or token.means_any(DASHES)


def is_plain(text: str, reserved: Collection[str]) -> bool:
    """Whether the parser returns the text unchanged without quotes: it has no keyword, option, quote or separator."""
    tokens = tokens_in(text)
    marked = any(token.quoted or token.separator or is_syntax(token, reserved) for token in tokens)
    return bool(tokens) and not marked and " ".join(token.text for token in tokens) == text


def in_quotes(text: str) -> str:
    """The text in quotes, so the parser returns it unchanged; '' if it contains quotes of both kinds."""
    for quote in sorted(('"', "'"), key=text.count):
        quoted = f"{quote}{text}{quote}"
        tokens = tokens_in(quoted)
        if len(tokens) == 1 and tokens[0].quoted and tokens[0].text == text:
            return quoted
    return ""


def first_word(text: str) -> tuple[str, str]:
    """The verb's word in lower case, and the rest of the line, both of a tidied text."""
    words = tidied(text).strip().split(None, 1)
    verb = words[0].rstrip(":,.!?").lower() if words else ""
    return verb, words[1] if len(words) > 1 else ""


@dataclass(frozen=True)
class Segment:
    """The words between two separators. `broken`: only a line break precedes it."""

    tokens: tuple[Token, ...]
    broken: bool = False

    def text(self, line: str) -> str:
        """The words as typed; of a single quoted text, the text inside the quotes."""
        if not self.tokens:
            return ""
        if len(self.tokens) == 1:
            return self.tokens[0].text
        return slice_of(line, self.tokens)
