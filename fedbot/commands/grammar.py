"""The one parser, made from the verbs' specs: forgiving in form, and it never guesses what was meant."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from fedbot import messages
from fedbot.commands.dates import is_day, is_span, reads_as_day
from fedbot.commands.spec import BETWEEN_THINGS, Argument, Kind, Option, Verb
from fedbot.messages.formatting import EVERYTHING, Quantity, is_pieces, is_times, measured_in, quantity_in, typed
from fedbot.rules.lines import PREFIX
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.model.stock import unit_called
from fedbot.rules.protocol.terms import MOST_LINES

_DOUBLE = '"“”„‟«»'
_SINGLE = "'‘’‚‛`"
_HYPHENS = re.compile("[\u2010\u2011]")
_INVISIBLE_BUT_NEEDED = "\n\t\u200d"  # the last one joins emoji
_NAMED_OPTION = re.compile(r"(?:--|[—–]{1,2})[^\W\d]\w*=")
_AND = frozenset({"and", "und", "&"})
_LISTED_KEYS = re.compile(r"#\w+(?:,#\w+)*,?")
_FOR, _UNTIL = "for", "until"
_AT_MOST_A_QUANTITY = 3
_MOST_IN_A_DAY = 8
"""As many words as `until friday the 4th of december 2026` has, and one more."""
_MOST_GROUPS = 6
"""Of digits, in a number with blanks between them."""
_MOST_IN_A_MEASURE = 5
"""As many words as `two and a half metres` has."""


@dataclass(frozen=True)
class Token:
    """One word, or a quoted text without its quotes. `start` and `end` are its place in the tidied line."""

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
    """The text with plain spaces and line feeds, and without signs that can't be seen or that hide others."""
    text = _HYPHENS.sub("-", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    spaced = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in text)
    return "".join(
        sign for sign in spaced if sign in _INVISIBLE_BUT_NEEDED or unicodedata.category(sign) not in {"Cc", "Cf", "Cs"}
    )


def tokens_in(text: str) -> list[Token]:
    """The words of a tidied line. Line feeds, `;` and a `+` that stands alone are separators."""
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if text[at] == "\n" or text[at] == ";":
            tokens.append(Token(text[at], at, at + 1, separator=True))
            at += 1
        elif text[at].isspace():
            at += 1
        else:
            token = _quoted(text, at) or _bare(text, at)
            tokens.append(token)
            at = token.end
    return tokens


def _quoted(text: str, start: int) -> Token | None:
    """A quoted text that begins here. The closing quote must end a word, so that 2" or don't is no quote.

    A line break in it is a blank, unless the next line is a command of its own.
    """
    kind = next((kind for kind in (_DOUBLE, _SINGLE) if text[start] in kind), "")
    if not kind:
        return None
    for at in range(start + 1, len(text)):
        if text[at] == "\n" and first_word(text[at:].lstrip())[0] == PREFIX:
            return None
        if text[at] in kind and (text[at + 1 : at + 2] or " ") in " \t\n;," and text[start + 1 : at].strip():
            return Token(re.sub(r"\s*\n\s*", " ", text[start + 1 : at].strip()), start, at + 1, quoted=True)
    return None


def _bare(text: str, start: int) -> Token:
    """An unquoted word. A `;` ends it, but not inside a link; so does the `=` in front of an option's quoted text."""
    named = _NAMED_OPTION.match(text, start)
    if named is not None and _is_all_in_quotes(text, named.end()):
        return Token(f"--{named[0].lstrip('-—–')}", start, named.end())
    end = start
    while end < len(text) and not text[end].isspace() and (text[end] != ";" or "://" in text[start:end]):
        end += 1
    word = text[start:end]
    dashed = re.fullmatch(r"[—–]{1,2}([^\W\d].*)", word)
    if dashed:
        word = f"--{dashed[1]}"
    return Token(word, start, end, separator=word == "+")


def _is_all_in_quotes(text: str, start: int) -> bool:
    """Whether a quoted text begins here, with no other quote behind it that could be part of the same text."""
    quoted = _quoted(text, start) if start < len(text) else None
    rest = "" if quoted is None else text[quoted.end :].partition("\n")[0].partition(" --")[0]
    return quoted is not None and not any(sign in rest for sign in _DOUBLE + _SINGLE)


def split_by_and(tokens: list[Token], reserved: Collection[str] = ()) -> list[Token]:
    """The words with separators in place of `and` and commas that stand between two things named beyond doubt.

    `reserved` are keywords: no thing is called so.
    """
    apart: list[Token] = []
    for at, token in enumerate(tokens):
        listed = not token.quoted and "," in token.text and _LISTED_KEYS.fullmatch(token.text)
        ends = not token.quoted and re.search(r"[^,],$", token.text) and _is_counted_thing(tokens[at + 1 :], reserved)
        apart += _taken_apart(token) if listed or ends else [token]
    return [
        replace(token, separator=True) if _joins(token) and _splits(apart, at, reserved) else token
        for at, token in enumerate(apart)
    ]


def _taken_apart(token: Token) -> list[Token]:
    """`#6,#7` as three words, and `M3-NUT,` as two."""
    pieces = [piece for piece in re.split("(,)", token.text) if piece]
    starts = [token.start + sum(len(piece) for piece in pieces[:at]) for at in range(len(pieces))]
    return [Token(piece, start, start + len(piece)) for piece, start in zip(pieces, starts, strict=True)]


def _joins(token: Token) -> bool:
    return token.means_any(_AND) or token.means(",")


def _splits(tokens: list[Token], at: int, reserved: Collection[str]) -> bool:
    """Whether both what stands before and what follows is a thing, named beyond doubt or behind its quantity."""
    before, behind = tokens[:at][::-1], tokens[at + 1 :]
    if _is_thing(_upto_the_next(before)) and _is_thing(_upto_the_next(behind)):
        return True
    begun = next((n for n, token in enumerate(before) if token.separator or _joins(token)), len(before))
    return _is_counted_thing(before[:begun][::-1], reserved) and _is_counted_thing(behind, reserved)


def _is_counted_thing(tokens: list[Token], reserved: Collection[str]) -> bool:
    """Whether the words begin with digits and a word that isn't their unit: `5 RES-10K`, but not `10 mm`."""
    first, second = tokens[:2] if len(tokens) > 1 else (None, None)
    if first is None or second is None or second.separator or second.means_any(reserved):
        return False
    if first.quoted or not first.text.isdecimal():
        return False
    return measured_in(f"{first.text} {second.text}") is None and any(sign.isalpha() for sign in second.text)


def _upto_the_next(tokens: list[Token]) -> list[Token]:
    end = next((at for at, token in enumerate(tokens) if token.separator or _joins(token)), len(tokens))
    return tokens[:end][:_AT_MOST_A_QUANTITY]


def _is_thing(tokens: list[Token]) -> bool:
    """Whether the first word is a definite item, behind a quantity at most."""
    for token in tokens:
        if _is_definite(token):
            return True
        if quantity_in(token.text) is None and not is_times(token.text) and not is_pieces(token.text):
            return False
    return False


def _is_definite(token: Token) -> bool:
    """Whether the word can be nothing but an item: a key, a serial number, a link, or what is in quotes."""
    return token.quoted or "://" in token.text or re.search(r"#\w", token.text) is not None


def slice_of(line: str, tokens: Sequence[Token]) -> str:
    """These words as typed, quotes included, with single spaces."""
    return " ".join(line[tokens[0].start : tokens[-1].end].split())


def unquoted(text: str) -> str:
    """What is in the quotes, if all of it is one quoted text; else the text."""
    tokens = tokens_in(text)
    return tokens[0].text if len(tokens) == 1 and tokens[0].quoted else text


def _without_lone_quote(text: str) -> str:
    """The text without a quote at its beginning that nothing closes."""
    is_lone = text[:1] in tuple(_DOUBLE) and not any(sign in text[1:] for sign in _DOUBLE)
    return text[1:].lstrip() if is_lone else text


# --- the way back -----------------------------------------------------------------------------------------


def is_syntax(token: Token, reserved: Collection[str]) -> bool:
    """Whether the parser takes it for one of these keywords, or for the beginning of an option or of a quoted text."""
    begins_option = not token.quoted and token.text.startswith("--") and token.text != "--"
    return begins_option or token.opens_quotes or token.means_any(reserved)


def is_plain(text: str, reserved: Collection[str]) -> bool:
    """Whether the parser reads the text as it is without quotes: no keyword, option, quote or separator is in it."""
    tokens = tokens_in(text)
    marked = any(token.quoted or token.separator or is_syntax(token, reserved) for token in tokens)
    return bool(tokens) and not marked and " ".join(token.text for token in tokens) == text


def in_quotes(text: str) -> str:
    """The text in quotes, so that the parser takes it back unchanged; '' if it holds quotes of both kinds."""
    for quote in sorted(('"', "'"), key=text.count):
        quoted = f"{quote}{text}{quote}"
        tokens = tokens_in(quoted)
        if len(tokens) == 1 and tokens[0].quoted and tokens[0].text == text:
            return quoted
    return ""


SIZES = frozenset({"cm", "inch"})
"""What people measure a thing's size in, which is often part of its name."""
ALWAYS_SIZES = frozenset({"mm"})
"""Of what others have, this is part of the name: nobody asks for 3 mm of something."""


@dataclass(frozen=True)
class Reading:
    """What a line can mean. `quantity` is a decimal string, or '' for the whole item; `unit` what it is measured in."""

    item: str
    quantity: str = ""
    unit: str = ""


def items_in(tokens: tuple[Token, ...], line: str) -> tuple[Reading, ...] | Phrase:
    """All that these words can mean, the likeliest first; or what is unclear about them."""
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
    """`some` or `a few` in front of a thing: nobody can count that, and it isn't part of a name."""
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
    """`2m WIRE`, `WIRE 2 m`, `half a metre of WIRE`: so much of what is left, if anything is."""
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


def _as_argument(reading: Reading) -> dict[str, str]:
    said = {"item": reading.item, "quantity": reading.quantity}
    return {**said, "unit": reading.unit} if reading.unit else said


def elsewhere(readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """What a line can mean of what others have: a unit behind a number is one, but `30 cm ruler` may be a name."""
    measured = tuple(each for each in readings if each.unit)
    named = tuple(each for each in readings if not each.unit and not _begins_with(each, measured))
    if not measured:
        return readings
    if measured[0].unit in ALWAYS_SIZES:
        return named or measured
    return (*measured, *named) if measured[0].unit in SIZES else measured


def counted_as_one(readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """The readings with a quantity: one, where none was said."""
    return tuple(reading if reading.quantity else replace(reading, quantity="1") for reading in readings)


def _begins_with(reading: Reading, measured: Sequence[Reading]) -> bool:
    """Whether the name would begin with the unit: `cm ruler`."""
    first = reading.item.partition(" ")[0]
    return any(unit_called(first) == each.unit for each in measured)


def typed_again(readings: tuple[Reading, ...], reserved: Collection[str] = ()) -> str:
    """A line so that it is read the same way again, where these words are keywords; without quotes if that will do."""
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
    """A number at both ends."""
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
        """The quantity at that place; '' of it is all there is. A number alone is an item: some IPN are numbers."""
        token = self.tokens[at]
        if token.quoted or len(self.tokens) == 1:
            return None
        if token.means_any(EVERYTHING):
            return Quantity(token.text, ("",), may_be_name=True)
        return quantity_in(token.text)

    def item(self, start: int, stop: int | None) -> str:
        """These words as typed, without a sign for 'times' at an end; of one quoted text what is in the quotes."""
        tokens = self.without_times(slice(start, stop))
        if len(tokens) == 1:
            return tokens[0].text if tokens[0].quoted else tokens[0].text.rstrip(",:") or tokens[0].text
        return slice_of(self.line, tokens)

    def without_times(self, place: slice) -> list[Token]:
        """The words there, without a sign for 'times' beside the quantity: `10 x nut`, `10 of M3-NUT`, `nut x 10`."""
        tokens = self.tokens[place]
        while len(tokens) > 1 and place.start and not tokens[0].quoted and _is_between(tokens[0]):
            tokens = tokens[1:]
        while len(tokens) > 1 and place.stop is not None and not tokens[-1].quoted and is_times(tokens[-1].text):
            tokens = tokens[:-1]
        return tokens

    def is_one(self, place: slice) -> bool:
        """Whether it is one word, so that a number beside it is no part of a longer name."""
        return len([t for t in self.without_times(place) if t.quoted or not is_times(t.text)]) <= 1

    def is_definite(self, place: slice) -> bool:
        """Whether it is one word that can be nothing but an item."""
        words = [t for t in self.tokens[place] if t.quoted or not is_times(t.text)]
        return len(words) == 1 and (words[0].quoted or words[0].text.startswith("#") or "://" in words[0].text)


def _is_between(token: Token) -> bool:
    return is_times(token.text) or token.means("of")


def _joined(tokens: tuple[Token, ...]) -> list[Token]:
    """`# 42` is `#42`, and `3 pcs` one word."""
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
    """`1 000` as one word, at the beginning or the end; if something else is left."""
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
    """Whether the digits can't be two numbers: no number begins with 0."""
    ends = (tokens[0], tokens[-1])
    return any(not token.quoted and _is_grouped(token.text) and " 0" in token.text for token in ends)


LONGEST_WORD = 200
SHOWN = 40
NEAR_ENOUGH = 0.6
PLAINLY_A_TYPO = 0.8
"""How alike a word must be to one that acts, before that is suggested for it."""
MUCH_LESS = 0.15


class Unclear(Exception):
    """The line can't be read; `phrase` says which word is the trouble and what to do."""

    def __init__(self, phrase: Phrase) -> None:
        super().__init__(phrase.name)
        self.phrase = phrase


def near(word: str, known: list[str], enough: float = NEAR_ENOUGH) -> tuple[str, ...]:
    """What the word may have meant, best first, at most three, and none that is much less alike than the best.

    `enough`: how alike it must be, from 0 to 1.
    """
    wanted = word.casefold()[:LONGEST_WORD]
    by_folded = {entry.casefold(): entry for entry in known}
    alike = {folded: difflib.SequenceMatcher(None, wanted, folded).ratio() for folded in by_folded}
    least = max(enough, max(alike.values(), default=0) - MUCH_LESS)
    hits = sorted((folded for folded in alike if alike[folded] >= least), key=lambda folded: -alike[folded])
    return tuple(by_folded[folded] for folded in hits[:3])


def near_verbs(word: str, specs: Iterable[Verb]) -> tuple[str, ...]:
    """The verbs that the word may have meant. One that acts is suggested for its own typo alone.

    Whoever types `unapprove` or `last` must not be told to say `approve` or `lost`.
    """
    all_specs = tuple(specs)
    looks = [name for spec in all_specs if spec.only_looks for name in spec.names]
    acts = [name for spec in all_specs if not spec.only_looks for name in spec.names]
    typos = [name for name in near(word, acts, PLAINLY_A_TYPO) if name[0] == word[:1]]
    verbs = {name: spec.name for spec in all_specs for name in spec.names}
    once: dict[str, str] = {}
    for name in near(word, [*looks, *typos]):
        once.setdefault(verbs[name], name)
    return tuple(once.values())


def first_word(text: str) -> tuple[str, str]:
    """The verb's word in lower case, and the rest of the line, both of a tidied text."""
    words = tidied(text).strip().split(None, 1)
    verb = words[0].rstrip(":,.!?").lower() if words else ""
    return verb, words[1] if len(words) > 1 else ""


_THANKS = re.compile(r"[\s,]+(?:please|pls|thanks|thank you|thx|bitte|danke)[\s.!]*$", re.IGNORECASE)


def without_thanks(text: str) -> str:
    """The line without a `please` or `danke` at its end, where no option's text stands."""
    return text if "--" in text else _THANKS.sub("", text)


def with_the_space(spec: Verb, text: str, names: Iterable[str]) -> str:
    """The whole line with the keyword in front of a space that is named without it; '' if that won't do."""
    argument = next((each for each in spec.arguments if each.kind is Kind.SPACE and each.keyword), None)
    known = tuple(dict.fromkeys(names))
    text = tidied(text)
    tokens = tokens_in(text) if argument is not None else []
    for at, token in enumerate(tokens):
        name = _name_meant(token, known)
        if argument is None or not name:
            continue
        keyword = at > 0 and tokens[at - 1].means_any({*argument.keywords, *_OTHER_KEYWORDS})  # `for betaspace`
        said = f"{argument.keyword} {in_quotes(name) if ' ' in name else name}"
        before, behind = text[: tokens[at - keyword].start], without_fillers(spec, text[token.end :])
        for way in (f"{before}{said}{behind}", f"{before}{behind} {said}"):
            parsed = parse(spec, way)
            if not isinstance(parsed, Phrase) and str(parsed.get(argument.name, "")) == name:
                return render(spec, parsed)
    return ""


_ARROWS = frozenset({"->", ">", "→", "=>"})
_OTHER_KEYWORDS = _ARROWS | {"an", "at", "aus", "bei", "for", "für", "in", "nach", "of", "von", "with"}
_SHORTEST_BEGINNING = 3


def beginning_with(word: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that begin so, in any case; none for a word that is too short to say anything."""
    begun = word.casefold() if len(word) >= _SHORTEST_BEGINNING else ""
    return tuple(name for name in names if begun and name.casefold().startswith(begun))


def _name_meant(token: Token, names: Sequence[str]) -> str:
    """The name that the word is, or of which it is the beginning; '' if it is none, or could be several."""
    if token.quoted:
        return ""
    word = token.text.strip("@:,")
    named = [name for name in names if name.casefold() == word.casefold()]
    begun = {name.casefold(): name for name in beginning_with(word, names)}
    return word if named else next(iter(begun.values())) if len(begun) == 1 else ""


_QUESTION = re.compile(
    r"(?:who(?:'s| has| have)(?: got)?|wer hat|where(?:'s| is| are| can i find)|wo (?:ist|sind|gibt es|gibt's)) +",
    re.IGNORECASE,
)
_WHAT_HAS = re.compile(
    r"(?:(?:show|zeig|zeige) (?:me|us|mir|uns),? )?(?:"
    r"what(?: all)? (?:has|does|do|can i (?:get|borrow) (?:from|at)|is there (?:at|in)) +(?P<asked>.+?)"
    r"(?: (?:have|has|share|shares|got))*|what +(?P<told>.+?) (?:has|have|shares|shares)|"
    r"was (?:alles )?(?:hat|gibt es bei|gibt es in) +(?P<gefragt>.+?)|was (?P<gesagt>.+?) (?:alles )?(?:hat|teilt))",
    re.IGNORECASE,
)
_WHO_AM_I = re.compile(r"(?:who am i|wer bin ich)[\s?!.]*", re.IGNORECASE)
_ARRIVED = re.compile(
    r"(?:(?:it|(?:the |my |our )?parcel)(?:'s| is| has)?(?: just)? (?:arrived|here|come|been delivered)|"
    r"(?:es|(?:das )?paket) ist (?:da|angekommen)|angekommen)",
    re.IGNORECASE,
)
_PLEASE = re.compile(r"(?:please|pls|bitte)[\s,]+", re.IGNORECASE)
_LOOKS_FOR_A_VERB = 4
"""Among so many words at the beginning of a sentence a verb is looked for."""


def without_fillers(spec: Verb, text: str) -> str:
    """What stands behind the verb, without words that join it to its thing: `wait for LENS-2`, `find me a nut`."""
    first, _, rest = text.lstrip().partition(" ")
    is_one = first.casefold() in spec.fillers and rest.strip() and not _begins_with_a_day(rest)
    return without_fillers(spec, rest) if is_one else text


def _begins_with_a_day(text: str) -> bool:
    words = text.split()
    return any(is_day(" ".join(words[:size])) for size in range(1, _MOST_IN_A_DAY + 1))


def as_typed_line(text: str) -> str:
    """A tidied line without `please`, and sentences as the verb that is meant: `who has …?`, `it arrived`."""
    text = _PLEASE.sub("", text.strip(), count=1) if _PLEASE.match(text.strip()) else text
    if _ARRIVED.fullmatch(text.strip(" .!")):
        return "received"
    if _WHO_AM_I.fullmatch(text.strip()):
        return "whoami"
    asked = _QUESTION.match(text.strip())
    if space := _WHAT_HAS.fullmatch(text.strip().rstrip(" ?!.")):
        return f"find in {next(filter(None, space.groups()))}"
    return f"find {text.strip()[asked.end() :].rstrip(' ?!.')}" if asked else text


_TO_ME = re.compile(r"(lend|loan|give|send|leih|leihe|gib|schick) (?:me|us|mir|uns) +", re.IGNORECASE)


def asked_for(text: str) -> str:
    """`lend me …` and `give us …` as the line that asks a friend for it; '' if it is neither."""
    found = _TO_ME.match(text.strip())
    verb = "borrow" if found is not None and found[1][:2].casefold() in {"le", "lo"} else "request"
    return f"{verb} {text.strip()[found.end() :]}" if found else ""


def verb_in_sentence(text: str, names: Collection[str]) -> str:
    """The line from the first word on that is a verb: `can I borrow …` is `borrow …`; '' if none comes soon."""
    tokens = [token for token in tokens_in(tidied(text)) if not token.separator][:_LOOKS_FOR_A_VERB]
    found = next((token for token in tokens[1:] if token.means_any(names)), None)
    return tidied(text)[found.start :].rstrip(" ?!.") if found else ""


def parse(spec: Verb, text: str) -> dict[str, Any] | Phrase:
    """The arguments and options of a line behind its verb, or what is wrong with it."""
    line = _Line(spec, without_thanks(tidied(text)))
    if any(token.means(PREFIX) for token in line.tokens):
        return say(messages.line_errors.one_at_a_time)
    try:
        options = line.take_options()
        arguments = line.take_keywords() | line.take_places()
        line.check_that_all_is_there({**arguments, **options})
        line.check_lengths({**options, **arguments})
    except Unclear as unclear:
        return unclear.phrase
    return {**arguments, **options}


def incomplete(spec: Verb, arguments: Mapping[str, Any], missing: Argument) -> Phrase:
    """What is missing, with the line as it would be with it; all that was typed stays in it."""
    needed = [argument for argument in spec.arguments if not argument.optional or argument is missing]
    placeholders = {argument.name: argument.shown for argument in needed if not arguments.get(argument.name)}
    shown = f"{missing.keyword} {missing.shown}".strip()
    example = render(spec, {**arguments, **placeholders}) if any(arguments.values()) else spec.examples[0]
    return say(messages.line_errors.argument_missing, argument=shown, usage=spec.usage, example=example)


# --- the way back -----------------------------------------------------------------------------------------


def render(spec: Verb, arguments: Mapping[str, Any]) -> str:
    """The line, verb included, that `parse` reads as these arguments; a text without quotes where that will do.

    Choices and suggestions are rendered from the parsed line with something else put in, so that nothing gets lost.
    """
    words, keyed = [spec.name], _keyed(spec, arguments)
    is_said = False
    for argument in spec.arguments:
        value = arguments.get(argument.name)
        if not value or argument.keyword:
            continue
        if isinstance(value, list):
            again, is_said = _lines_again(spec, value, keyed)
            words.append(again)
        else:
            again = _argument_again(spec, argument, value)
            words += ["+"] if len(words) > 1 and _is_quantity(f"{words[-1]} {again}") else []  # `42 500` is one number
            words.append(again)
    words += [] if is_said else keyed
    for option in spec.options:
        value = str(arguments.get(option.name, ""))
        if value:
            words.append(f"--{option.name}{_option_again(value) if option.shown else ''}")
    return " ".join(words)


def _keyed(spec: Verb, arguments: Mapping[str, Any]) -> list[str]:
    """`to beta`, `for 2 weeks` and the like."""
    said = [argument for argument in spec.arguments if argument.keyword and arguments.get(argument.name)]
    return [
        f"{_keyword_for(each, arguments[each.name])} {_argument_again(spec, each, arguments[each.name])}"
        for each in said
    ]


def _keyword_for(argument: Argument, value: Any) -> str:  # noqa: ANN401 - as parsed
    """`for 2 weeks`, but `until friday`."""
    said = str(value)
    if argument.kind is not Kind.DAY or not {_FOR, _UNTIL} <= set(argument.keywords) or not is_day(said):
        return argument.keyword
    return _FOR if is_span(said) else _UNTIL


def _lines_again(spec: Verb, value: list[list[dict[str, str]]], keyed: list[str]) -> tuple[str, bool]:
    """The lines, and whether the last one says what has a keyword.

    Of two keywords in a line the last one counts, so a line where a name holds one (`Cable 3 to 4`) says it for itself.
    """
    told, is_said = [], False
    for readings in value:
        line = typed_again(tuple(Reading(**reading) for reading in readings), _reserved(spec))
        is_said = bool(keyed) and _holds(line, _reserved(spec))
        told.append(" ".join([line, *keyed]) if is_said else line)
    return " + ".join(told), is_said


def _argument_again(spec: Verb, argument: Argument, value: Any) -> str:  # noqa: ANN401 - as parsed
    text = str(value)
    if argument.kind is Kind.QUANTITY:
        quantity, _, unit = text.partition(" ")
        return f"{typed(Decimal(quantity))}{unit}"
    if argument.kind is Kind.THINGS:
        return text if _things_in(text) == text and not _holds(text, _reserved(spec)) else in_quotes(text) or text
    one_word = argument.kind in {Kind.WORD, Kind.SUBJECT}
    if is_plain(text, _reserved(spec)) and not (one_word and " " in text):
        return text
    return in_quotes(text) or text


def _option_again(text: str) -> str:
    """The option's text behind its name. What holds quotes of both kinds stands as it is behind a `=`."""
    quoted = in_quotes(text)
    return f" {quoted}" if quoted else f"={text}"


def _reserved(spec: Verb) -> frozenset[str]:
    keywords = (word for argument in spec.arguments if argument.keyword for word in argument.keywords)
    of_options = (words.split()[-1] for option in spec.options for words in option.in_words)
    return frozenset((*keywords, *of_options))


def _holds(text: str, reserved: frozenset[str]) -> bool:
    """Whether one of its words would be read as a keyword or an option."""
    return any(is_syntax(token, reserved) for token in tokens_in(text))


def _things_in(text: str) -> str:
    """What the parser makes of things that are typed like this."""
    segments: list[list[Token]] = [[]]
    for token in split_by_and(tokens_in(text)):
        if token.separator:
            segments.append([])
        else:
            segments[-1].append(token)
    return BETWEEN_THINGS.join(Segment(tuple(tokens)).text(text) for tokens in segments if tokens)


@dataclass(frozen=True)
class Segment:
    """What stands between two separators. `broken`: only a line break stands before it."""

    tokens: tuple[Token, ...]
    broken: bool = False

    def text(self, line: str) -> str:
        """The words as typed; of a single quoted text, what is in the quotes."""
        if not self.tokens:
            return ""
        if len(self.tokens) == 1:
            return self.tokens[0].text
        return slice_of(line, self.tokens)


def _has_quantity(segment: Segment) -> bool:
    """Whether one of its ends is a quantity, or all of it may be one."""
    return any(quantity_in(segment.tokens[at].text) is not None for at in (0, -1))


def _is_quantity(text: str) -> bool:
    """Whether the words are one quantity of several words: `3 pcs`, `1 000`, `2 m`."""
    return " " in text and (quantity_in(text) is not None or measured_in(text) is not None)


class _Line:
    """A line being read: options are taken out first, then what has a keyword, then the rest by its place."""

    def __init__(self, spec: Verb, text: str) -> None:
        self.spec = spec
        self.text = text
        self.tokens = tokens_in(text)
        if any(argument.kind in {Kind.ITEMS, Kind.THINGS} for argument in spec.arguments):
            self.tokens = split_by_and(self.tokens, _reserved(spec))
        self.segments: list[Segment] = []
        self.begun: Argument | None = None
        """Of which the keyword stands at the end of a line, with nothing behind it."""

    # options

    def take_options(self) -> dict[str, Any]:
        """Take out every `--option TEXT`; the text goes on to the next option or the line's end, or is quoted."""
        taken: dict[str, Any] = {}
        left: list[Token] = []
        spans: list[tuple[int, int]] = []
        at = 0
        while at < len(self.tokens):
            token = self.tokens[at]
            if said := self._option_in_words(at):
                taken[said.name] = "yes"
                spans.append((token.start, self.tokens[at + 1].end))
                at += 2
                continue
            if token.quoted or not token.text.startswith("--") or token.text == "--":
                left.append(token)
                at += 1
                continue
            name, equals, _ = token.text[2:].partition("=")
            option = self._option(name)
            begun = at
            if option.name in taken:
                raise Unclear(say(messages.line_errors.option_twice, option=f"--{option.name}", usage=self.spec.usage))
            if not option.shown:
                taken[option.name], at = "yes", at + 1
            else:
                start = self.text.index("=", token.start) + 1 if equals else token.end
                taken[option.name], at = self._option_text(option, at, start)
            spans.append((self.tokens[begun].start, self.tokens[at - 1].end))
        for start, end in spans:
            self._blank(start, end)
        self._split(left)
        return taken

    def _blank(self, start: int, end: int) -> None:
        """What was taken out doesn't stand in the middle of a name any more."""
        self.text = f"{self.text[:start]}{' ' * (end - start)}{self.text[end:]}"

    def _option_in_words(self, at: int) -> Option | None:
        """The option that this word and the next one say."""
        pair = self.tokens[at : at + 2]
        words = "" if any(token.quoted for token in pair) else " ".join(token.text for token in pair).casefold()
        return next((option for option in self.spec.options if words in option.in_words), None)

    def _option(self, name: str) -> Option:
        for option in self.spec.options:
            if name.lower() in {option.name, *option.or_names}:
                return option
        known = [option.name for option in self.spec.options]
        close = tuple(f"--{hit}" for hit in near(name, known, PLAINLY_A_TYPO))
        raise Unclear(
            say(messages.line_errors.no_such_option, word=f"--{name}"[:SHOWN], near=close, usage=self.spec.usage)
        )

    def _option_text(self, option: Option, at: int, start: int) -> tuple[str, int]:
        """The option's text, and which token comes behind it."""
        tokens = self.tokens
        behind = at + 1
        if start == tokens[at].end and behind < len(tokens) and tokens[behind].quoted:
            text, behind = tokens[behind].text, behind + 1
        else:
            while behind < len(tokens) and not self._ends_option(tokens[behind]):
                behind += 1
            text = _without_lone_quote(unquoted(self.text[start : tokens[behind - 1].end].strip()))
        if not text:
            raise Unclear(
                say(messages.line_errors.option_without_text, option=f"--{option.name}", usage=self.spec.usage)
            )
        if len(text) > option.most:
            raise Unclear(say(messages.line_errors.note_too_long, length=len(text), most=option.most))
        return text, behind

    def _ends_option(self, token: Token) -> bool:
        begins_option = not token.quoted and token.text.startswith("--") and token.text != "--"
        return begins_option or (token.separator and token.text == "\n")

    def _split(self, tokens: list[Token]) -> None:
        unclosed = next((token for token in tokens if token.opens_quotes), None)
        if unclosed is not None:
            raise Unclear(say(messages.line_errors.quotes_not_closed, word=unclosed.text[:SHOWN]))
        current: list[Token] = []
        broken = True
        for token in tokens:
            if token.separator:
                self._add(current, broken=broken)
                broken = token.text == "\n" and (broken or bool(current))
                current = []
            else:
                current.append(token)
        self._add(current, broken=broken)

    def _add(self, tokens: list[Token], *, broken: bool) -> None:
        if tokens:
            self.segments.append(Segment(tuple(tokens), broken))

    def _join_quantities(self) -> None:
        """A scanner ends each code with a line break: a number alone in the next line is the quantity of that item."""
        joined: list[Segment] = []
        for segment in (each for each in self.segments if each.tokens or not each.broken):
            before = joined[-1] if joined else Segment(())
            counted = quantity_in(segment.text(self.text)) if segment.broken else None
            is_quantity = counted is not None and not counted.may_be_name and not segment.tokens[0].quoted
            whole = replace(before, tokens=(*before.tokens, *segment.tokens))
            if is_quantity and before.tokens and not _has_quantity(before) and not self._keywords(whole):
                joined[-1] = whole
            else:
                joined.append(segment)
        self.segments = [segment for segment in joined if segment.tokens]

    # arguments with a keyword

    def take_keywords(self) -> dict[str, Any]:
        """Take out `to SPACE` and the like; said in several lines they must agree."""
        found: dict[str, Any] = {}
        no_day = {each.name: self._no_day(each) for each in self.spec.arguments}
        keyed = [argument for argument in self.spec.arguments if argument.keyword]
        for argument in sorted(keyed, key=self._last_said, reverse=True):
            values: dict[str, str] = {}
            for number, segment in enumerate(self.segments):
                value, rest = self._behind_keyword(segment, argument)
                self.segments[number] = rest
                if value and argument.kind is Kind.DAY and not self._reads_day(argument.keyword)(value):
                    raise Unclear(say(messages.loan.day_unclear, word=value[:SHOWN]))
                if value:
                    values.setdefault(value.casefold(), value)
            if len(values) > 1:
                first, second = list(values.values())[:2]
                raise Unclear(
                    say(messages.line_errors.two_different, keyword=argument.keyword, first=first, second=second)
                )
            if values:
                found[argument.name] = next(iter(values.values()))
            elif not argument.optional and (complaint := no_day[argument.name]):
                raise Unclear(complaint)
        self._join_quantities()
        return found

    def _last_said(self, argument: Argument) -> int:
        """How far back in the line its keyword stands last: what follows it goes only as far as the next one."""
        last = ((segment, self._last_keyword(segment, argument)) for segment in self.segments)
        return max((segment.tokens[at].start for segment, at in last if at is not None), default=0)

    def _last_keyword(self, segment: Segment, argument: Argument) -> int | None:
        """Where in the segment the last word stands that is its keyword."""
        return max((at for at, kinds in self._keywords(segment).items() if argument in kinds), default=None)

    def _keywords(self, segment: Segment) -> dict[int, tuple[Argument, ...]]:
        """The words that are keywords, by their place, and of which arguments.

        A day's keyword stands in front of a day, which goes up to the next keyword of something else: so they are found
        from the end. A word that is a keyword of something else, too, is that where no day follows.
        """
        found: dict[int, tuple[Argument, ...]] = {}
        nearest: dict[str, int] = {}
        for at in range(len(segment.tokens) - 1, -1, -1):
            token = segment.tokens[at]
            meant = [each for each in self.spec.arguments if token.means_any(each.keywords)]
            names = {each.name for each in meant}
            ends = min((place for name, place in nearest.items() if name not in names), default=None)
            behind = segment.tokens[at + 1 : at + 2 + _MOST_IN_A_DAY]
            ways = (behind, behind[: ends - at - 1]) if ends is not None else (behind,)
            reads = self._reads_day(token.text.lower())
            is_a_day = any(each.kind is Kind.DAY for each in meant) and any(reads(self._said(words)) for words in ways)
            if here := tuple(each for each in meant if (each.kind is Kind.DAY) == is_a_day):
                found[at] = here
                nearest |= dict.fromkeys((each.name for each in here), at)
        return found

    def _reads_day(self, keyword: str) -> Callable[[str], bool]:
        """What words behind it have to be: a day, or at least the beginning of one if nothing else can be meant."""
        only_days = all(each.kind is Kind.DAY for each in self.spec.arguments if keyword in each.keywords)
        return reads_as_day if only_days else is_day

    def _said(self, tokens: tuple[Token, ...]) -> str:
        return Segment(tokens).text(self.text)

    def _behind_keyword(self, segment: Segment, argument: Argument) -> tuple[str, Segment]:
        """What follows the last such word of the segment, and the segment without both."""
        at = self._last_keyword(segment, argument)
        if at is None:
            return "", segment
        behind = Segment(segment.tokens[at + 1 :])
        if argument.kind in {Kind.WORD, Kind.SUBJECT} and len(behind.tokens) > 1:
            raise Unclear(self._too_many(behind.tokens[1].text))
        if not behind.tokens:
            self.begun = argument
        value = behind.text(self.text)
        self._blank(segment.tokens[at].start, segment.tokens[-1].end)
        return value, replace(segment, tokens=segment.tokens[:at])

    # arguments by their place

    def take_places(self) -> dict[str, Any]:
        """What is left, by place. The last argument of several words takes all of them."""
        found: dict[str, Any] = {}
        for argument in [argument for argument in self.spec.arguments if not argument.keyword]:
            value = self._take_lines() if argument.kind is Kind.ITEMS else self._take(argument.kind)
            if value and argument.kind is Kind.QUANTITY:
                value = self._quantity(str(value))
            if value:
                found[argument.name] = value
        if self.segments:
            raise Unclear(self._too_many(self.segments[0].text(self.text)))
        return found

    def _take(self, kind: Kind) -> str:
        if not self.segments:
            return ""
        if kind is Kind.THINGS:
            segments, self.segments = self.segments, []
            return BETWEEN_THINGS.join(segment.text(self.text) for segment in segments)
        first, *others = self.segments
        several = kind in {Kind.SPACE, Kind.ANYTHING} or _is_quantity(first.text(self.text))
        taken = first if several else Segment(first.tokens[:1])
        left = Segment(first.tokens[len(taken.tokens) :])
        self.segments = [left, *others] if left.tokens else others
        return taken.text(self.text)

    def _quantity(self, word: str) -> str:
        """The decimal string that a word stands for, with its unit behind a blank; '' for all that there is."""
        if word.casefold() in EVERYTHING:
            return ""
        if measured := measured_in(word):
            return " ".join(measured)
        found = quantity_in(word)
        if found is None:
            raise Unclear(self._too_many(word))
        if len(found.readings) > 1:
            raise Unclear(say(messages.line_errors.number_unclear, word=found.word, readings=found.readings))
        return found.readings[0]

    def _take_lines(self) -> list[list[dict[str, str]]]:
        lines = []
        for segment in self.segments:
            readings = items_in(segment.tokens, self.text)
            if isinstance(readings, Phrase):
                raise Unclear(readings)
            lines.append([_as_argument(reading) for reading in readings])
        self.segments = []
        if len(lines) > MOST_LINES:
            raise Unclear(say(messages.line_errors.too_many_lines, count=len(lines), most=MOST_LINES))
        return lines

    # complaints

    def check_that_all_is_there(self, values: dict[str, Any]) -> None:
        """No argument is missing that the verb needs."""
        needed = [argument for argument in self.spec.arguments if not argument.optional or argument is self.begun]
        missing = next((argument for argument in needed if argument.name not in values), None)
        if missing is not None:
            raise Unclear(incomplete(self.spec, values, missing))

    def check_lengths(self, values: dict[str, Any]) -> None:
        """No word is longer than anything in InvenTree can be called."""
        names = {option.name for option in self.spec.options}
        words = [value for name, value in values.items() if isinstance(value, str) and name not in names]
        words += [r["item"] for value in values.values() if isinstance(value, list) for line in value for r in line]
        for word in words:
            if len(word) > LONGEST_WORD:
                raise Unclear(say(messages.line_errors.word_too_long, word=word[:SHOWN], most=LONGEST_WORD))

    def _no_day(self, argument: Argument) -> Phrase | None:
        """What stands where a day should: `for some time`."""
        if argument.kind is not Kind.DAY:
            return None
        behind = (
            self._said(segment.tokens[at:])
            for segment in self.segments
            for at, token in enumerate(segment.tokens[:-1], start=1)
            if token.means_any(argument.keywords)
        )
        words = next(behind, "")
        return say(messages.loan.day_unclear, word=words[:SHOWN]) if words else None

    def _too_many(self, word: str) -> Phrase:
        return say(
            messages.line_errors.word_too_many, word=word[:SHOWN], usage=self.spec.usage, example=self.spec.examples[0]
        )
