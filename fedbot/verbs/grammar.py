"""The one parser, made from the verbs' specs (DESIGN §8): forgiving in form, and it never guesses what was meant.

What comes out are JSON values by the arguments' names. `ITEMS` are lines, each a list of readings
`{"item": …, "quantity": …}` (a decimal string, or '' for the whole item): `Laser lens 2` can be two of the
one or all of the other, and which of them exists only InvenTree knows.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fedbot.federation.effects import Phrase, say
from fedbot.federation.lines import PREFIX
from fedbot.federation.terms import MOST_LINES
from fedbot.verbs.dates import reads_as_day
from fedbot.verbs.items import Reading, items_in, typed_again
from fedbot.verbs.quantities import quantity_in, typed
from fedbot.verbs.spec import BETWEEN_THINGS, Argument, Kind, Option, Verb
from fedbot.verbs.tokens import Token, in_quotes, is_plain, is_syntax, slice_of, tidied, tokens_in, unquoted

LONGEST_WORD = 200
SHOWN = 40
NEAR_ENOUGH = 0.6
MUCH_LESS = 0.15


class Unclear(Exception):
    """The line can't be read; `phrase` says which word is the trouble and what to do."""

    def __init__(self, phrase: Phrase) -> None:
        super().__init__(phrase.name)
        self.phrase = phrase


def near(word: str, known: list[str]) -> tuple[str, ...]:
    """What the word may have meant, best first, at most three, and none that is much less alike than the best."""
    wanted = word.casefold()[:LONGEST_WORD]
    by_folded = {entry.casefold(): entry for entry in known}
    alike = {folded: difflib.SequenceMatcher(None, wanted, folded).ratio() for folded in by_folded}
    least = max(NEAR_ENOUGH, max(alike.values(), default=0) - MUCH_LESS)
    hits = sorted((folded for folded in alike if alike[folded] >= least), key=lambda folded: -alike[folded])
    return tuple(by_folded[folded] for folded in hits[:3])


def first_word(text: str) -> tuple[str, str]:
    """The verb's word in lower case, and the rest of the line, both of a tidied text."""
    words = tidied(text).strip().split(None, 1)
    verb = words[0].rstrip(":,.!?").lower() if words else ""
    return verb, words[1] if len(words) > 1 else ""


def parse(spec: Verb, text: str) -> dict[str, Any] | Phrase:
    """The arguments and options of a line behind its verb, or what is wrong with it."""
    line = _Line(spec, tidied(text))
    if any(token.means(PREFIX) for token in line.tokens):
        return say("one_at_a_time")
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
    example = render(spec, {**arguments, **placeholders})
    return say("argument_missing", argument=shown, usage=spec.usage, example=example)


# --- the way back -----------------------------------------------------------------------------------------


def render(spec: Verb, arguments: Mapping[str, Any]) -> str:
    """The line, verb included, that `parse` reads as these arguments; a text without quotes where that will do.

    Choices and suggestions are rendered from the parsed line with something else put in, so that nothing gets lost.
    """
    words = [spec.name]
    for argument in spec.arguments:
        value = arguments.get(argument.name)
        if value:
            words += [argument.keyword] if argument.keyword else []
            words.append(_argument_again(spec, argument, value))
    for option in spec.options:
        value = str(arguments.get(option.name, ""))
        if value:
            words.append(f"--{option.name}{_option_again(value) if option.shown else ''}")
    return " ".join(words)


def _argument_again(spec: Verb, argument: Argument, value: Any) -> str:  # noqa: ANN401 - as parsed
    if isinstance(value, list):
        lines = (tuple(Reading(**reading) for reading in readings) for readings in value)
        return " + ".join(typed_again(readings, _reserved(spec)) for readings in lines)
    text = str(value)
    if argument.kind is Kind.QUANTITY:
        return typed(Decimal(text))
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
    return frozenset(word for argument in spec.arguments if argument.keyword for word in argument.keywords)


def _holds(text: str, reserved: frozenset[str]) -> bool:
    """Whether one of its words would be read as a keyword or an option."""
    return any(is_syntax(token, reserved) for token in tokens_in(text))


def _things_in(text: str) -> str:
    """What the parser makes of things that are typed like this."""
    segments: list[list[Token]] = [[]]
    for token in tokens_in(text):
        if token.separator:
            segments.append([])
        else:
            segments[-1].append(token)
    return BETWEEN_THINGS.join(Segment(tuple(tokens)).text(text) for tokens in segments if tokens)


@dataclass(frozen=True)
class Segment:
    """What stands between two separators."""

    tokens: tuple[Token, ...]

    def text(self, line: str) -> str:
        """The words as typed; of a single quoted text, what is in the quotes."""
        if not self.tokens:
            return ""
        if len(self.tokens) == 1:
            return self.tokens[0].text
        return slice_of(line, self.tokens)


class _Line:
    """A line being read: options are taken out first, then what has a keyword, then the rest by its place."""

    def __init__(self, spec: Verb, text: str) -> None:
        self.spec = spec
        self.text = text
        self.tokens = tokens_in(text)
        self.segments: list[Segment] = []

    # options

    def take_options(self) -> dict[str, Any]:
        """Take out every `--option TEXT`; the text goes on to the next option or the line's end, or is quoted."""
        taken: dict[str, Any] = {}
        left: list[Token] = []
        spans: list[tuple[int, int]] = []
        at = 0
        while at < len(self.tokens):
            token = self.tokens[at]
            if token.quoted or not token.text.startswith("--") or token.text == "--":
                left.append(token)
                at += 1
                continue
            name, equals, _ = token.text[2:].partition("=")
            option = self._option(name)
            begun = at
            if option.name in taken:
                raise Unclear(say("option_twice", option=f"--{option.name}", usage=self.spec.usage))
            if not option.shown:
                taken[option.name], at = "yes", at + 1
            else:
                start = token.start + token.text.index("=") + 1 if equals else token.end
                taken[option.name], at = self._option_text(option, at, start)
            spans.append((self.tokens[begun].start, self.tokens[at - 1].end))
        for start, end in spans:  # so that a name in whose middle it stood is whole
            self.text = f"{self.text[:start]}{' ' * (end - start)}{self.text[end:]}"
        self._split(left)
        return taken

    def _option(self, name: str) -> Option:
        for option in self.spec.options:
            if option.name == name.lower():
                return option
        close = tuple(f"--{hit}" for hit in near(name, [option.name for option in self.spec.options]))
        raise Unclear(say("no_such_option", word=f"--{name}"[:SHOWN], near=close, usage=self.spec.usage))

    def _option_text(self, option: Option, at: int, start: int) -> tuple[str, int]:
        """The option's text, and which token comes behind it."""
        tokens = self.tokens
        behind = at + 1
        if start == tokens[at].end and behind < len(tokens) and tokens[behind].quoted:
            text, behind = tokens[behind].text, behind + 1
        else:
            while behind < len(tokens) and not self._ends_option(tokens[behind]):
                behind += 1
            text = unquoted(self.text[start : tokens[behind - 1].end].strip())
        if not text:
            raise Unclear(say("option_without_text", option=f"--{option.name}", usage=self.spec.usage))
        if len(text) > option.most:
            raise Unclear(say("note_too_long", length=len(text), most=option.most))
        return text, behind

    def _ends_option(self, token: Token) -> bool:
        begins_option = not token.quoted and token.text.startswith("--") and token.text != "--"
        return begins_option or (token.separator and token.text == "\n")

    def _split(self, tokens: list[Token]) -> None:
        unclosed = next((token for token in tokens if token.opens_quotes), None)
        if unclosed is not None:
            raise Unclear(say("quotes_not_closed", word=unclosed.text[:SHOWN]))
        current: list[Token] = []
        for token in tokens:
            if token.separator:
                self._add(current)
                current = []
            else:
                current.append(token)
        self._add(current)

    def _add(self, tokens: list[Token]) -> None:
        if tokens:
            self.segments.append(Segment(tuple(tokens)))

    # arguments with a keyword

    def take_keywords(self) -> dict[str, Any]:
        """Take out `to SPACE` and the like; said in several lines they must agree."""
        found: dict[str, Any] = {}
        said = tuple(self.segments)
        keyed = [argument for argument in self.spec.arguments if argument.keyword]
        for argument in sorted(keyed, key=self._last_said, reverse=True):
            values: dict[str, str] = {}
            for number, segment in enumerate(self.segments):
                value, rest = self._behind_keyword(segment, argument)
                self.segments[number] = rest
                if value:
                    values.setdefault(value.casefold(), value)
            self.segments = [segment for segment in self.segments if segment.tokens]
            if len(values) > 1:
                first, second = list(values.values())[:2]
                raise Unclear(say("two_different", keyword=argument.keyword, first=first, second=second))
            if values:
                found[argument.name] = next(iter(values.values()))
            elif not argument.optional and (no_day := self._no_day(argument, said)):
                raise Unclear(no_day)
        return found

    def _last_said(self, argument: Argument) -> int:
        """How far back in the line its keyword stands last: what follows it goes only as far as the next one."""
        keyed = [(segment, at) for segment in self.segments for at in range(len(segment.tokens))]
        return max((s.tokens[at].start for s, at in keyed if self._is_keyword(s, at, argument)), default=0)

    def _is_keyword(self, segment: Segment, at: int, argument: Argument) -> bool:
        """Whether that word stands for the argument; a day's only in front of a day."""
        token = segment.tokens[at]
        if not token.means_any(argument.keywords):
            return False
        return argument.kind is not Kind.DAY or reads_as_day(Segment(segment.tokens[at + 1 :]).text(self.text))

    def _behind_keyword(self, segment: Segment, argument: Argument) -> tuple[str, Segment]:
        """What follows the last such word of the segment, and the segment without both."""
        for at in range(len(segment.tokens) - 1, -1, -1):
            if self._is_keyword(segment, at, argument):
                behind = Segment(segment.tokens[at + 1 :])
                if behind.tokens and argument.kind in {Kind.WORD, Kind.SUBJECT} and len(behind.tokens) > 1:
                    raise Unclear(self._too_many(behind.tokens[1].text))
                return behind.text(self.text), Segment(segment.tokens[:at])
        return "", segment

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
        several = kind in {Kind.SPACE, Kind.ANYTHING}
        taken = first if several else Segment(first.tokens[:1])
        left = Segment(first.tokens[len(taken.tokens) :])
        self.segments = [left, *others] if left.tokens else others
        return taken.text(self.text)

    def _quantity(self, word: str) -> str:
        """The decimal string that a word stands for."""
        found = quantity_in(word)
        if found is None:
            raise Unclear(self._too_many(word))
        if len(found.readings) > 1:
            raise Unclear(say("number_unclear", word=found.word, readings=found.readings))
        return found.readings[0]

    def _take_lines(self) -> list[list[dict[str, str]]]:
        lines = []
        for segment in self.segments:
            readings = items_in(segment.tokens, self.text)
            if isinstance(readings, Phrase):
                raise Unclear(readings)
            lines.append([{"item": reading.item, "quantity": reading.quantity} for reading in readings])
        self.segments = []
        if len(lines) > MOST_LINES:
            raise Unclear(say("too_many_lines", count=len(lines), most=MOST_LINES))
        return lines

    # complaints

    def check_that_all_is_there(self, values: dict[str, Any]) -> None:
        """No argument is missing that the verb needs."""
        needed = [argument for argument in self.spec.arguments if not argument.optional]
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
                raise Unclear(say("word_too_long", word=word[:SHOWN], most=LONGEST_WORD))

    def _no_day(self, argument: Argument, said: tuple[Segment, ...]) -> Phrase | None:
        """What stands where a day should: `for some time`."""
        if argument.kind is not Kind.DAY:
            return None
        behind = (
            Segment(segment.tokens[at:]).text(self.text)
            for segment in said
            for at, token in enumerate(segment.tokens[:-1], start=1)
            if token.means_any(argument.keywords)
        )
        words = next(behind, "")
        return say("day_unclear", word=words[:SHOWN]) if words else None

    def _too_many(self, word: str) -> Phrase:
        return say("word_too_many", word=word[:SHOWN], usage=self.spec.usage, example=self.spec.examples[0])
