"""The words of a typed line (quotes, separators, invisible characters), and the items and quantities that it names."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from fedbot import messages
from fedbot.messages.quantities import EVERYTHING, Quantity, is_pieces, is_times, measured_in, quantity_in, typed
from fedbot.rules.model.command import PREFIX
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.stock import unit_called

# --- words ---


_DOUBLE = '"“”„‟«»'
_SINGLE = "'‘’‚‛`"
DASHES = frozenset({"-", "--", "–", "—"})
"""Words that may begin a note: `to betaspace – for Saturday`."""
_HYPHENS = re.compile("[\u2010\u2011]")
_INVISIBLE_BUT_NEEDED = "\n\t\u200d"  # the last one joins emoji
_AFTER = (" ", "\t", "\n", ";", ",", "")
"""The characters that may follow a closing quote; the last one is the end of the line."""
_NOT_BLANK = re.compile(r"\S")
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
    spaced = "".join(" " if unicodedata.category(each) == "Zs" else each for each in text)
    return "".join(
        each for each in spaced if each in _INVISIBLE_BUT_NEEDED or unicodedata.category(each) not in {"Cc", "Cf", "Cs"}
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
        ends = [at for at, each in enumerate(text) if each in _DOUBLE + _SINGLE and text[at + 1 : at + 2] in _AFTER]
        self._ends = {kind: [at for at in ends if text[at] in kind] for kind in (_DOUBLE, _SINGLE)}
        self._commands = [found.start() for found in _NEXT_LINE.finditer(text) if first_word(found[1])[0] == PREFIX]

    def quoted(self, start: int) -> Token | None:
        """A quoted text that begins here. The closing quote must end a word, so 2" or don't is no quote.

        A line break in it becomes a space, unless the next line is a command of its own.
        """
        kind = next((kind for kind in (_DOUBLE, _SINGLE) if self._text[start] in kind), "")
        content = _NOT_BLANK.search(self._text, start + 1)
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
    return quoted is not None and not any(quote in rest for quote in _DOUBLE + _SINGLE)


def _slice_of(line: str, tokens: Sequence[Token]) -> str:
    """These words as typed, quotes included, with single spaces."""
    return " ".join(line[tokens[0].start : tokens[-1].end].split())


def unquoted(text: str) -> str:
    """The text inside the quotes, if all of it is one quoted text; else the text."""
    tokens = tokens_in(text)
    return tokens[0].text if len(tokens) == 1 and tokens[0].quoted else text


def without_lone_quote(text: str) -> str:
    """The text without an opening quote at its beginning that nothing closes."""
    is_lone = text[:1] in tuple(_DOUBLE) and not any(quote in text[1:] for quote in _DOUBLE)
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
        return _slice_of(line, self.tokens)


# --- items and quantities ---


_AND = frozenset({"and", "und", "&"})
_LISTED_KEYS = re.compile(r"#\w+(?:,#\w+)*,?")
_AT_MOST_A_QUANTITY = 3
_MOST_GROUPS = 6
"""The most groups of digits in a number with spaces between them."""
_MOST_IN_A_MEASURE = 5
"""The number of words in `two and a half metres`."""


def split_by_and(tokens: list[Token], reserved: Collection[str] = ()) -> list[Token]:
    """The words, with separators in place of `and` and commas between two items that are named unambiguously.

    `reserved` are keywords: no item has such a name.
    """
    apart: list[Token] = []
    for at, token in enumerate(tokens):
        listed = not token.quoted and "," in token.text and _LISTED_KEYS.fullmatch(token.text)
        ends = not token.quoted and re.search(r"[^,],$", token.text) and _begins_an_item(tokens[at + 1 :], reserved)
        apart += _taken_apart(token) if listed or ends else [token]
    return [
        replace(token, separator=True) if _joins(token) and _splits(apart, at, reserved) else token
        for at, token in enumerate(apart)
    ]


_BETWEEN_ITEMS = re.compile(r"\s*,\s*(?:(?:and|und|&)\s+)?|\s+(?:and|und|&)\s+", re.IGNORECASE)


def in_pieces(text: str) -> tuple[str, ...]:
    """The text at its commas and `and`: a name that InvenTree doesn't know may be several items."""
    return tuple(filter(None, (piece.strip() for piece in _BETWEEN_ITEMS.split(text))))


def read_alone(text: str) -> Reading | None:
    """The likeliest meaning of one item's words; None if they are unclear."""
    tokens = tuple(tokens_in(text))
    found = items_in(tokens, text) if tokens and not any(token.separator for token in tokens) else ()
    return None if isinstance(found, Phrase) or not found else found[0]


def _taken_apart(token: Token) -> list[Token]:
    """Split `#6,#7` into three words, and `M3-NUT,` into two."""
    pieces = [piece for piece in re.split("(,)", token.text) if piece]
    starts = [token.start + sum(len(piece) for piece in pieces[:at]) for at in range(len(pieces))]
    return [Token(piece, start, start + len(piece)) for piece, start in zip(pieces, starts, strict=True)]


def _joins(token: Token) -> bool:
    return token.means_any(_AND) or token.means(",")


def _splits(tokens: list[Token], at: int, reserved: Collection[str]) -> bool:
    """Whether both neighbours are items, named unambiguously or after a quantity."""
    before, behind = tokens[:at][::-1], tokens[at + 1 :]
    if _is_thing(_upto_the_next(before)) and _is_thing(_upto_the_next(behind)):
        return True
    begun = next((n for n, token in enumerate(before) if token.separator or _joins(token)), len(before))
    return _is_counted_thing(before[:begun][::-1], reserved) and _is_counted_thing(behind, reserved)


def _is_counted_thing(tokens: list[Token], reserved: Collection[str]) -> bool:
    """Whether the words are a quantity and an item: `5 RES-10K` or `2 m CAB-2C`, but not `10 mm bolt`."""
    size = _words_that_count(tokens)
    if not 0 < size < len(tokens) or tokens[size].separator or tokens[size].means_any(reserved):
        return False
    return any(each.isalpha() for each in tokens[size].text)


def _begins_an_item(tokens: list[Token], reserved: Collection[str]) -> bool:
    """Whether another item begins behind a comma: `2 m CAB-2C`, but not the rest of `Kabel rot, 2 Meter lang`."""
    if not _is_counted_thing(tokens, reserved):
        return False
    size = _words_that_count(tokens)
    is_measure = measured_in(" ".join(token.text for token in tokens[:size])) is not None
    return not is_measure or any(each.isdecimal() for each in tokens[size].text)


def _words_that_count(tokens: list[Token]) -> int:
    """The number of words of the quantity at the beginning: `5`, `2 m` or `2m`; 0 if it is none, or may be a size."""
    for size in (2, 1):
        said = tokens[:size]
        measured = measured_in(" ".join(token.text for token in said))
        if measured and not any(token.quoted or token.separator for token in said):
            return 0 if measured[1] in ALWAYS_SIZES else size
    return 1 if tokens and not tokens[0].quoted and tokens[0].text.isdecimal() else 0


def _upto_the_next(tokens: list[Token]) -> list[Token]:
    end = next((at for at, token in enumerate(tokens) if token.separator or _joins(token)), len(tokens))
    return tokens[:end][:_AT_MOST_A_QUANTITY]


def _is_thing(tokens: list[Token]) -> bool:
    """Whether the first word is a definite item, possibly after a quantity."""
    for token in tokens:
        if _is_definite(token):
            return True
        if quantity_in(token.text) is None and not is_times(token.text) and not is_pieces(token.text):
            return False
    return False


def _is_definite(token: Token) -> bool:
    """Whether the word can only be an item: a key, a serial number, a link, or a quoted text."""
    return token.quoted or "://" in token.text or re.search(r"#\w", token.text) is not None


SIZES = frozenset({"cm", "inch"})
"""Units in which people state an item's size, which is often part of its name."""
ALWAYS_SIZES = frozenset({"mm"})
"""In requests to others, these are part of the name: nobody asks for 3 mm of something."""


@dataclass(frozen=True)
class Reading:
    """A possible meaning of a line. `quantity` is a decimal string, or '' for the whole item; `unit` its unit."""

    item: str
    quantity: str = ""
    unit: str = ""


def items_in(tokens: tuple[Token, ...], line: str) -> tuple[Reading, ...] | Phrase:
    """All possible meanings of these words, the likeliest first; or an objection."""
    joined = _joined(tokens)
    if vague := _vague(joined):
        return say(messages.line_errors.how_many_is_that, word=vague)
    measured = _measured(joined, line)
    if measured and any(_is_definite(token) for token in joined):
        return measured  # then the quantity is no part of the name
    others = _counted_items(joined, line)
    return others if isinstance(others, Phrase) else (*measured, *others)


_VAGUE = frozenset({"some", "several", "few", "couple", "etwas", "einige", "mehrere"})
_DOZENS = frozenset({"dozen", "dozens", "dutzend"})
_ABOUT = frozenset({"about", "around", "roughly", "circa", "ca", "ca.", "etwa", "ungefähr"})
_ARTICLES = frozenset({"a", "an"})
_A = _ARTICLES | {"ein", "eine", "einen"}
_VAGUE_BEHIND_A = frozenset({"few", "couple", "bit", "handful", "bunch", "paar", "bisschen", "handvoll"})


def _vague(tokens: list[Token]) -> str:
    """`some` or `a few` before an item, which is neither a number nor part of a name; '' if there is none."""
    if len(tokens) > 1 and tokens[0].means_any(_VAGUE):
        return tokens[0].text
    dozen = next((at for at, token in enumerate(tokens[:-1]) if token.means_any(_DOZENS)), None)
    if dozen is not None and (dozen == 0 or quantity_in(tokens[dozen - 1].text) is not None):
        return " ".join(token.text for token in tokens[: dozen + 1])
    if len(tokens) > 2 and tokens[0].means_any(_ABOUT) and quantity_in(tokens[1].text):  # noqa: PLR2004 - and a thing
        return f"{tokens[0].text} {tokens[1].text}"
    behind_a = len(tokens) > 2 and tokens[0].means_any(_A) and tokens[1].means_any(_VAGUE_BEHIND_A)  # noqa: PLR2004 - and a thing
    return f"{tokens[0].text} {tokens[1].text}" if behind_a else ""


def _measured(tokens: list[Token], line: str) -> tuple[Reading, ...]:
    """The meaning as a measure: `2m WIRE`, `WIRE 2 m`, `half a metre of WIRE`; empty if it isn't one."""
    words = _Words(tokens, line)
    for size in range(min(len(tokens) - 1, _MOST_IN_A_MEASURE), 0, -1):
        for quantity, rest in ((slice(0, size), slice(size, None)), (slice(-size, None), slice(0, -size))):
            said, left = tokens[quantity], tokens[rest]
            found = None if _is_in_a_name(said, left) else measured_in(" ".join(token.text for token in said))
            if found and not any(token.quoted for token in said) and not _is_counted(left):
                return (Reading(words.item(rest.start, rest.stop), *found),)
    return ()


def _is_in_a_name(said: list[Token], left: list[Token]) -> bool:
    """Whether it only looks like a measure: `a gram scale` is one scale, but `a gram of gold` isn't."""
    return len(said) == 2 and said[0].means_any(_ARTICLES) and not left[0].means("of")  # noqa: PLR2004 - the article and its unit


def _is_counted(tokens: list[Token]) -> bool:
    return any(quantity_in(tokens[at].text) is not None and not tokens[at].quoted for at in (0, -1))


def _counted_items(joined: list[Token], line: str) -> tuple[Reading, ...] | Phrase:
    grouped = _with_groups(joined)
    readings = _readings(_Words(grouped, line))
    if isinstance(readings, Phrase) or grouped == joined or _are_clearly_groups(grouped):
        return readings
    apart = _readings(_Words(joined, line))
    both = readings if isinstance(apart, Phrase) else tuple(dict.fromkeys((*readings, *apart)))
    return tuple(sorted(both, key=lambda reading: not reading.quantity))  # the whole as a name comes last


def _readings(words: _Words) -> tuple[Reading, ...] | Phrase:
    first, last = words.quantity(0), words.quantity(-1)
    for quantity in (first, last):
        if quantity is not None and len(quantity.readings) > 1:
            return say(messages.line_errors.number_unclear, word=quantity.word, readings=quantity.readings)
    if first is not None and last is not None and first.may_be_name != last.may_be_name:
        first, last = (None, last) if first.may_be_name else (first, None)
    if first is None and last is None:
        return (Reading(words.item(0, None)),)
    if first is not None and last is not None:
        return _between_two(words, first, last)
    number = first or last
    rest = slice(1, None) if first is not None else slice(0, -1)
    counted = Reading(words.item(rest.start, rest.stop), number.readings[0] if number else "")
    is_clear = words.is_one(rest) and not (number and number.may_be_name)
    return (counted,) if is_clear else (counted, Reading(words.item(0, None)))


def as_argument(reading: Reading) -> dict[str, str]:
    """The reading as in a parsed line: `item`, `quantity`, and `unit` if it has one."""
    said = {"item": reading.item, "quantity": reading.quantity}
    return {**said, "unit": reading.unit} if reading.unit else said


def elsewhere(readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """The possible meanings for others' items: `30 cm ruler` may be a name, other units after a number are units."""
    measured = tuple(each for each in readings if each.unit)
    named = tuple(each for each in readings if not each.unit and not _begins_with(each, measured))
    if not measured:
        return readings
    if measured[0].unit in ALWAYS_SIZES:
        return named or measured
    return (*measured, *named) if measured[0].unit in SIZES else measured


def counted_as_one(readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """The readings with a quantity: 1 if none was typed."""
    return tuple(reading if reading.quantity else replace(reading, quantity="1") for reading in readings)


def _begins_with(reading: Reading, measured: Sequence[Reading]) -> bool:
    """Whether the name would begin with the unit: `cm ruler`."""
    first = reading.item.partition(" ")[0]
    return any(unit_called(first) == each.unit for each in measured)


def typed_again(readings: tuple[Reading, ...], reserved: Collection[str] = ()) -> str:
    """A line that is read the same way again, given these keywords; with quotes only if necessary."""
    first, last = readings[0], readings[-1]
    ways = (_counted(first, first.item), last.item, f"{last.item} {first.item}", _counted(first, in_quotes(first.item)))
    return next((way for way in ways if _reads_as(way, readings, reserved)), last.item)


def _reads_as(words: str, readings: tuple[Reading, ...], reserved: Collection[str]) -> bool:
    tokens = tuple(split_by_and(tokens_in(words), reserved))
    split = any(token.separator or is_syntax(token, reserved) for token in tokens)
    return bool(tokens) and not split and items_in(tokens, words) == readings


def _counted(reading: Reading, item: str) -> str:
    return f"{typed(Decimal(reading.quantity))}{reading.unit} {item}" if reading.quantity else item


def _between_two(words: _Words, first: Quantity, last: Quantity) -> tuple[Reading, ...] | Phrase:
    """The meanings of words with a number at both ends."""
    one, other = first.readings[0], last.readings[0]
    if len(words.tokens) == 2:  # noqa: PLR2004 - only the two numbers
        ends = ((words.tokens[1].text, last), (words.tokens[0].text, first))
        item, alone = (text if " " in text else quantity.word for text, quantity in ends)
        return (Reading(item, one), Reading(alone, other))
    if words.is_definite(slice(1, -1)):
        return say(messages.line_errors.two_quantities, first=first.word, second=last.word)
    return (
        Reading(words.item(1, None), one),
        Reading(words.item(0, -1), other),
        Reading(words.item(0, None)),
    )


class _Words:
    def __init__(self, tokens: list[Token], line: str) -> None:
        self.tokens = tokens
        self.line = line

    def quantity(self, at: int) -> Quantity | None:
        """The quantity at that index, '' in it for everything. A number alone is an item: some IPNs are numbers."""
        token = self.tokens[at]
        if token.quoted or len(self.tokens) == 1:
            return None
        if token.means_any(EVERYTHING):
            return Quantity(token.text, ("",), may_be_name=True)
        return quantity_in(token.text)

    def item(self, start: int, stop: int | None) -> str:
        """These words as typed, without a sign for 'times' at an end; without quotes if they are one quoted text."""
        tokens = self.without_times(slice(start, stop))
        if len(tokens) == 1:
            return tokens[0].text if tokens[0].quoted else tokens[0].text.rstrip(",:") or tokens[0].text
        return _slice_of(self.line, tokens)

    def without_times(self, place: slice) -> list[Token]:
        """The words there, without a sign for 'times' beside the quantity: `10 x nut`, `10 of M3-NUT`, `nut x 10`."""
        tokens = self.tokens[place]
        while len(tokens) > 1 and place.start and not tokens[0].quoted and _is_between(tokens[0]):
            tokens = tokens[1:]
        while len(tokens) > 1 and place.stop is not None and not tokens[-1].quoted and is_times(tokens[-1].text):
            tokens = tokens[:-1]
        return tokens

    def is_one(self, place: slice) -> bool:
        """Whether it is one word, so a number beside it is no part of a longer name."""
        return len([t for t in self.without_times(place) if t.quoted or not is_times(t.text)]) <= 1

    def is_definite(self, place: slice) -> bool:
        """Whether it is one word that can only be an item."""
        words = [t for t in self.tokens[place] if t.quoted or not is_times(t.text)]
        return len(words) == 1 and (words[0].quoted or words[0].text.startswith("#") or "://" in words[0].text)


def _is_between(token: Token) -> bool:
    return is_times(token.text) or token.means("of")


def _joined(tokens: tuple[Token, ...]) -> list[Token]:
    """Join `# 42` into `#42`, and `3 pcs` into one word."""
    joined: list[Token] = []
    for token in tokens:
        before = joined[-1] if joined else None
        if before is None or before.quoted or token.quoted:
            joined.append(token)
        elif before.text == "#" and token.text.isdecimal():
            joined[-1] = Token(f"#{token.text}", before.start, token.end)
        elif is_pieces(token.text) and quantity_in(before.text) is not None:
            joined[-1] = Token(f"{before.text} {token.text}", before.start, token.end)
        else:
            joined.append(token)
    return joined


def _with_groups(tokens: list[Token]) -> list[Token]:
    """Join `1 000` into one word, at the beginning or the end, if other words remain."""
    for size in range(min(len(tokens) - 1, _MOST_GROUPS), 1, -1):
        for place in (slice(0, size), slice(len(tokens) - size, None)):
            group = tokens[place]
            text = " ".join(token.text for token in group)
            if not any(token.quoted for token in group) and _is_grouped(text):
                one = Token(text, group[0].start, group[-1].end)
                return [one, *tokens[size:]] if place.start == 0 else [*tokens[:-size], one]
    return tokens


def _is_grouped(text: str) -> bool:
    found = quantity_in(text)
    return found is not None and " " in found.word and len(found.readings) == 1


def _are_clearly_groups(tokens: list[Token]) -> bool:
    """Whether the digits can't be two numbers, because no number begins with 0."""
    ends = (tokens[0], tokens[-1])
    return any(not token.quoted and _is_grouped(token.text) and " 0" in token.text for token in ends)
