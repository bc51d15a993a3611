"""The one parser, driven by the verbs' specs, and its reverse. It is forgiving in form, and never guesses a meaning."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate, takewhile
from typing import Any

from fedbot import messages
from fedbot.commands.dates import MOST_IN_A_DAY, is_day, is_span, reads_as_day
from fedbot.commands.items import (
    DASHES,
    Reading,
    Segment,
    Token,
    as_argument,
    in_quotes,
    is_plain,
    is_syntax,
    items_in,
    split_by_and,
    tidied,
    tokens_in,
    typed_again,
    unquoted,
    without_lone_quote,
)
from fedbot.commands.spec import BETWEEN_THINGS, CASE, UNREAD_NOTE, Argument, Kind, Option, Verb
from fedbot.messages.quantities import EVERYTHING, measured_in, quantity_in, typed
from fedbot.rules.model.command import PREFIX
from fedbot.rules.model.effects import Phrase, say
from fedbot.rules.names import without_end
from fedbot.rules.protocol.terms import MOST_LINES

_FOR, _UNTIL, _NOTE = "for", "until", "note"
_IN_GERMAN = ("für", "bis")
LONGEST_WORD = 200
SHOWN = 40
NEAR_ENOUGH = 0.6
PLAINLY_A_TYPO = 0.8
"""The similarity that a word needs before a verb that changes something is suggested for it."""
MUCH_LESS = 0.15


class Unclear(Exception):
    """The line can't be read. `phrase` says which word is the problem and what to do."""

    def __init__(self, phrase: Phrase) -> None:
        super().__init__(phrase.name)
        self.phrase = phrase


def near(word: str, known: list[str], enough: float = NEAR_ENOUGH) -> tuple[str, ...]:
    """The words that this one may have meant: at most three, best first, none much less similar than the best.

    `enough`: the lowest similarity, from 0 to 1.
    """
    wanted = word.casefold()[:LONGEST_WORD]
    by_folded = {entry.casefold(): entry for entry in known}
    alike = {folded: difflib.SequenceMatcher(None, wanted, folded).ratio() for folded in by_folded}
    least = max(enough, max(alike.values(), default=0) - MUCH_LESS)
    hits = sorted((folded for folded in alike if alike[folded] >= least), key=lambda folded: -alike[folded])
    return tuple(by_folded[folded] for folded in hits[:3])


def near_verbs(word: str, specs: Iterable[Verb]) -> tuple[str, ...]:
    """The verbs that the word may have meant. A verb that changes something is only suggested for its own typo.

    If somebody types `unapprove` or `last`, the answer must not suggest `approve` or `lost`.
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


_THANKS = re.compile(
    r"(?:(?<![\s,])[\s,]+|[.!]\s+)"
    r"(?:please|pls|thanks|thank you|thx|bitte|danke(?: dir| euch| schön)?)[^\w\"'“”„‘’»«#]*$",
    re.IGNORECASE,
)


def _without_thanks(text: str) -> str:
    """The line without a `please` or `danke` at its end, unless that is part of an option's text."""
    return text if "--" in text else _THANKS.sub("", text)


def parse(spec: Verb, text: str, spaces: Iterable[str] = ()) -> dict[str, Any] | Phrase:
    """The arguments and options of a line after its verb, or an objection.

    `spaces` are names that the line may contain: a dash in one of them begins no note.
    """
    line = _Line(spec, _without_thanks(tidied(text)), tuple(spaces))
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
    """A message about the missing argument, with the complete line; everything that was typed stays in it."""
    needed = [argument for argument in spec.arguments if not argument.optional or argument is missing]
    placeholders = {argument.name: argument.shown for argument in needed if not arguments.get(argument.name)}
    shown = f"{missing.keyword} {missing.shown}".strip()
    example = render(spec, {**arguments, **placeholders}) if any(arguments.values()) else spec.examples[0]
    return say(messages.line_errors.argument_missing, argument=shown, usage=spec.usage, example=example)


# --- the reverse ------------------------------------------------------------------------------------------


def render(spec: Verb, arguments: Mapping[str, Any]) -> str:
    """The line, verb included, that `parse` reads as these arguments; texts have quotes only if necessary.

    Choices and suggestions are rendered from the parsed line with some arguments replaced, so nothing gets lost.
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
    """The arguments with keywords: `to beta`, `for 2 weeks`."""
    said = [argument for argument in spec.arguments if argument.keyword and arguments.get(argument.name)]
    return [
        f"{_keyword_for(each, arguments[each.name])} {_argument_again(spec, each, arguments[each.name])}"
        for each in said
    ]


def _keyword_for(argument: Argument, value: Any) -> str:  # noqa: ANN401 - as parsed
    """The keyword: `for` in `for 2 weeks`, but `until` in `until friday`."""
    said = str(value)
    if argument.kind is not Kind.DAY or not {_FOR, _UNTIL} <= set(argument.keywords) or not is_day(said):
        return argument.keyword
    span, day = _IN_GERMAN if argument.keyword in _IN_GERMAN else (_FOR, _UNTIL)
    return span if is_span(said) else day


def _lines_again(spec: Verb, value: list[list[dict[str, str]]], keyed: list[str]) -> tuple[str, bool]:
    """The lines, and whether the last one contains the arguments with keywords.

    The last keyword in a line counts. So a line whose item name contains a keyword (`Cable 3 to 4`) gets its own.
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
    """The option's text after its name. A text with both kinds of quotes follows a `=` as it is."""
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
    """The text as the parser would return it for `THINGS`."""
    segments: list[list[Token]] = [[]]
    for token in split_by_and(tokens_in(text)):
        if token.separator:
            segments.append([])
        else:
            segments[-1].append(token)
    return BETWEEN_THINGS.join(Segment(tuple(tokens)).text(text) for tokens in segments if tokens)


def _has_quantity(segment: Segment) -> bool:
    """Whether its first or last word is a quantity."""
    return any(quantity_in(segment.tokens[at].text) is not None for at in (0, -1))


def _is_quantity(text: str) -> bool:
    """Whether the words are one quantity of several words: `3 pcs`, `1 000`, `2 m`."""
    return " " in text and (quantity_in(text) is not None or measured_in(text) is not None)


class _Line:
    """A line being read: first options are taken out, then arguments with a keyword, then the rest by position."""

    def __init__(self, spec: Verb, text: str, spaces: tuple[str, ...]) -> None:
        self.spec = spec
        self.text = text
        self.spaces = spaces
        self.tokens = tokens_in(text)
        if any(argument.kind in {Kind.ITEMS, Kind.THINGS} for argument in spec.arguments):
            self.tokens = split_by_and(self.tokens, _reserved(spec))
        self.segments: list[Segment] = []
        self.has_a_note = False
        self.begun: Argument | None = None
        """The argument whose keyword is at the end of a line, with nothing after it."""

    # options

    def take_options(self) -> dict[str, Any]:
        """Take out every `--option TEXT`. The text is quoted, or ends at the next option or the end of the line."""
        taken: dict[str, Any] = {}
        others: list[Token] = []
        spans: list[tuple[int, int]] = []
        at = 0
        while at < len(self.tokens):
            token = self.tokens[at]
            if found := self._option_in_words(at):
                in_words, size = found
                taken[in_words.name] = "yes" if size > 1 else without_end(token.text)
                spans.append((token.start, self.tokens[at + size - 1].end))
                at += size
                if note_end := self._take_note_behind_comma(taken, at - 1):
                    spans.append((self.tokens[at].start, self.tokens[note_end - 1].end))
                    at = note_end
                continue
            if (note := self._note_begun(at)) and note.name not in taken:
                begun = token.start
                if not token.means_any(DASHES):
                    begun = token.end - 1
                    others.append(replace(token, text=token.text.rstrip(","), end=begun))
                behind = list(takewhile(lambda token: not self._ends_option(token), self.tokens[at + 1 :]))
                self._check_that_it_is_read(note, begun, behind[-1].end)
                taken[note.name] = self._checked(note, unquoted(self.text[token.end : behind[-1].end].strip()))
                spans.append((begun, behind[-1].end))
                at += 1 + len(behind)
                continue
            if token.quoted or not token.text.startswith("--") or token.text == "--":
                others.append(token)
                at += 1
                continue
            name, equals, _ = token.text[2:].partition("=")
            option = self._option(name.rstrip(","))
            begun = at
            if option.name in taken:
                raise Unclear(say(messages.line_errors.option_twice, option=f"--{option.name}", usage=self.spec.usage))
            if not option.shown:
                taken[option.name], at = "yes", at + 1
                at = self._take_note_behind_comma(taken, at - 1) or at
            else:
                start = self.text.index("=", token.start) + 1 if equals else token.end
                taken[option.name], at = self._option_text(option, at, start)
                self._check_that_it_is_read(option, token.start, self.tokens[at - 1].end)
            spans.append((self.tokens[begun].start, self.tokens[at - 1].end))
        for start, end in spans:
            self._blank(start, end)
        self.has_a_note = _NOTE in taken
        self._split(others)
        return taken

    def _take_note_behind_comma(self, taken: dict[str, Any], at: int) -> int:
        """Take what follows a comma behind an option as the note: `--parcel, in the yellow box`. Return where it ends.

        0: there is no such note.
        """
        note = next((option for option in self.spec.options if option.name == _NOTE), None)
        behind = list(takewhile(lambda token: not self._ends_option(token), self.tokens[at + 1 :]))
        if note is None or note.name in taken or not behind or not self.tokens[at].text.endswith(","):
            return 0
        if self._goes_on(at + 1):
            return 0
        taken[note.name] = self._checked(note, unquoted(self.text[behind[0].start : behind[-1].end].strip()))
        return at + 1 + len(behind)

    def _blank(self, start: int, end: int) -> None:
        """Blank out these words, so they are no longer in the middle of a name."""
        self.text = f"{self.text[:start]}{' ' * (end - start)}{self.text[end:]}"

    def _option_in_words(self, at: int) -> tuple[Option, int] | None:
        """The option that the words from here on mean, and how many they are. One word alone has to be the last."""
        for size in (3, 2, 1):
            said = self.tokens[at : at + size]
            if len(said) < size:
                continue
            words = "" if any(token.quoted for token in said) else " ".join(token.text for token in said).casefold()
            words = words.rstrip(",") if size > 1 else without_end(words)
            option = next((option for option in self.spec.options if words in option.in_words), None)
            if option is not None and (size > 1 or self._is_last_word(at)):
                return option, size
        return None

    def _is_last_word(self, at: int) -> bool:
        """Whether only a note or options follow the word."""
        behind = self.tokens[at + 1 : at + 2]
        return not any(not (token.means_any(DASHES) or self._ends_option(token)) for token in behind)

    def _note_begun(self, at: int) -> Option | None:
        """The option for the note that begins behind this word, else None.

        A dash after the space begins one (`to betaspace – for Saturday`), and after an id and what is meant of it; so
        does a comma at the end of a friend's name (`from betaspace, for Saturday`), unless an item or a day follows.
        """
        note = self._note()
        token = self.tokens[at]
        is_dash = token.means_any(DASHES)
        begins = self._may_end_here(at) if is_dash else self._is_a_space_with_a_comma(at)
        if note is None or not begins or (note is UNREAD_NOTE and not is_dash):
            return None
        behind = list(takewhile(lambda token: not self._ends_option(token), self.tokens[at + 1 :]))
        spans = (self._said(tuple(behind[:size])) for size in range(1, MOST_IN_A_DAY + 1))
        if not behind or any(map(is_day, spans)):
            return None
        return note if is_dash or not self._goes_on(at + 1) else None

    def _note(self) -> Option | None:
        """The option for a note. A verb that acts and has none gets one that is refused."""
        note = next((option for option in self.spec.options if option.name == _NOTE), None)
        return note or (None if self.spec.only_looks else UNREAD_NOTE)

    def _check_that_it_is_read(self, note: Option, start: int, end: int) -> None:
        if note is UNREAD_NOTE:
            rest = f"{self.text[:start]} {self.text[end:]}".split()
            line = " ".join([self.spec.name, *rest])
            raise Unclear(say(messages.line_errors.note_unread, verb=self.spec.name, line=line))

    def _may_end_here(self, at: int) -> bool:
        """Whether everything but a note may stand before this word."""
        names = {argument.name for argument in self.spec.arguments}
        has_no_space = not any(argument.kind is Kind.SPACE for argument in self.spec.arguments)
        is_about_a_case = CASE in names or (has_no_space and self._note() is not UNREAD_NOTE and at > 0)
        return is_about_a_case or self._is_behind_the_space(at) or self._is_all_before_a_space(at)

    def _is_all_before_a_space(self, at: int) -> bool:
        """Whether all words before this one are a friend's name, without a keyword: `disconnect betaspace`."""
        is_named_first = any(each.kind is Kind.SPACE and not each.keyword for each in self.spec.arguments)
        said = " ".join(token.text for token in self.tokens[:at] if not token.text.startswith("--")).casefold()
        return is_named_first and said in {name.casefold() for name in self.spaces}

    def _is_a_space_with_a_comma(self, at: int) -> bool:
        """Whether a friend's name, behind its keyword, ends here with a comma."""
        token = self.tokens[at]
        if token.quoted or not token.text.endswith(","):
            return False
        spaces = (each for each in self.spec.arguments if each.kind is Kind.SPACE and each.keyword)
        words = {word for each in spaces for word in each.keywords}
        begun = next((place for place in range(at - 1, -1, -1) if self.tokens[place].means_any(words)), None)
        if begun is None:
            return False
        said = self.text[self.tokens[begun + 1].start : token.end - 1]
        return said.casefold() in {name.casefold() for name in self.spaces}

    def _goes_on(self, at: int) -> bool:
        """Whether an item, an option in words, or an argument with its keyword stands there, so no note."""
        first = self.tokens[at]
        is_item = first.separator or "#" in first.text or "://" in first.text
        return is_item or self._option_in_words(at) is not None or 0 in self._keywords(Segment(tuple(self.tokens[at:])))

    def _is_behind_the_space(self, at: int) -> bool:
        """Whether the space is named with its keyword before this word of the line, and the word isn't in its name."""
        spaces = (each for each in self.spec.arguments if each.kind is Kind.SPACE and each.keyword)
        words = {word for each in spaces for word in each.keywords}
        for place in range(at - 2, -1, -1):
            if self.tokens[place].separator:
                return False
            if self.tokens[place].means_any(words):
                start = self.tokens[place + 1].start
                named = (name for name in self.spaces if self.text[start:].casefold().startswith(name.casefold()))
                return start + max(map(len, named), default=0) <= self.tokens[at].start
        return False

    def _option(self, name: str) -> Option:
        for option in self.spec.options:
            if name.lower() in {option.name, *option.or_names}:
                return option
        if name.lower() == _NOTE:
            return UNREAD_NOTE
        known = [option.name for option in self.spec.options]
        close = tuple(f"--{hit}" for hit in near(name, known, PLAINLY_A_TYPO))
        raise Unclear(
            say(messages.line_errors.no_such_option, word=f"--{name}"[:SHOWN], near=close, usage=self.spec.usage)
        )

    def _option_text(self, option: Option, at: int, start: int) -> tuple[str, int]:
        """The option's text, and the index of the token after it."""
        tokens = self.tokens
        behind = at + 1
        if start == tokens[at].end and behind < len(tokens) and tokens[behind].quoted:
            text, behind = tokens[behind].text, behind + 1
        else:
            while behind < len(tokens) and not self._ends_option(tokens[behind]):
                if option.name != _NOTE and tokens[behind].means_any(DASHES) and self._note_begun(behind):
                    break
                behind += 1
            text = without_lone_quote(unquoted(self.text[start : tokens[behind - 1].end].strip()))
        return self._checked(option, text), behind

    def _checked(self, option: Option, text: str) -> str:
        """The option's text, if there is any and it isn't too long."""
        if not text:
            raise Unclear(
                say(messages.line_errors.option_without_text, option=f"--{option.name}", usage=self.spec.usage)
            )
        if len(text) > option.most:
            raise Unclear(say(messages.line_errors.note_too_long, length=len(text), most=option.most))
        return text

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
        """Join a number alone in a line to the item before it, because a scanner ends each code with a line break."""
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
        """Take out `to SPACE` and the like. If several lines say it, they must agree."""
        found: dict[str, Any] = {}
        no_day = {each.name: self._no_day(each) for each in self.spec.arguments}
        keyed = [argument for argument in self.spec.arguments if argument.keyword]
        for argument in sorted(keyed, key=self._last_said, reverse=True):
            values: dict[str, str] = {}
            for number, segment in enumerate(self.segments):
                value, rest = self._behind_keyword(segment, argument)
                self.segments[number] = rest
                if value and argument.kind is Kind.DAY:
                    value, note = self._day_and_note(value)
                    found |= {_NOTE: note} if note else {}
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

    def _day_and_note(self, value: str) -> tuple[str, str]:
        """The day, and the note that a comma behind it begins: `for a week, we have a class`."""
        note = next((option for option in self.spec.options if option.name == _NOTE), None)
        if note is None or self.has_a_note or is_day(value):
            return value, ""
        *days, _ = accumulate(value.split(","), "{},{}".format)  # the longest counts: `Friday, 5 Dec, for all`
        day = next((day for day in reversed(days) if is_day(day)), value)
        behind = value[len(day) :].strip(", ")
        return (day, self._checked(note, behind)) if behind else (value, "")

    def _last_said(self, argument: Argument) -> int:
        """The position of its last keyword in the line: its text ends at the next keyword."""
        last = ((segment, self._last_keyword(segment, argument)) for segment in self.segments)
        return max((segment.tokens[at].start for segment, at in last if at is not None), default=0)

    def _last_keyword(self, segment: Segment, argument: Argument) -> int | None:
        """The index of its last keyword in the segment."""
        return max((at for at, kinds in self._keywords(segment).items() if argument in kinds), default=None)

    def _keywords(self, segment: Segment) -> dict[int, tuple[Argument, ...]]:
        """The words that are keywords, by index, and the arguments that they belong to.

        A day's keyword counts only if a day follows, which extends to the next keyword of another argument. So they are
        found from the end. If a word is also another argument's keyword, it is that one unless a day follows.
        """
        found: dict[int, tuple[Argument, ...]] = {}
        nearest: dict[str, int] = {}
        for at in range(len(segment.tokens) - 1, -1, -1):
            token = segment.tokens[at]
            meant = [each for each in self.spec.arguments if token.means_any(each.keywords)]
            names = {each.name for each in meant}
            ends = min((place for name, place in nearest.items() if name not in names), default=None)
            behind = segment.tokens[at + 1 : at + 2 + MOST_IN_A_DAY]
            ways = (behind, behind[: ends - at - 1]) if ends is not None else (behind,)
            reads = self._reads_day(token.text.lower())
            texts = {part for words in ways for said in (self._said(words),) for part in (said, said.partition(",")[0])}
            is_a_day = any(each.kind is Kind.DAY for each in meant) and any(map(reads, texts))
            if here := tuple(each for each in meant if (each.kind is Kind.DAY) == is_a_day):
                found[at] = here
                nearest |= dict.fromkeys((each.name for each in here), at)
        return found

    def _reads_day(self, keyword: str) -> Callable[[str], bool]:
        """The check for words after this keyword: a day, or its beginning if the keyword is only for days."""
        only_days = all(each.kind is Kind.DAY for each in self.spec.arguments if keyword in each.keywords)
        return reads_as_day if only_days else is_day

    def _said(self, tokens: tuple[Token, ...]) -> str:
        return Segment(tokens).text(self.text)

    def _behind_keyword(self, segment: Segment, argument: Argument) -> tuple[str, Segment]:
        """The text after its last keyword in the segment, and the segment without both."""
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
        """Take the remaining arguments by position. The last argument that allows several words takes all of them."""
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
        """The decimal string for a word, with its unit after a space; '' for everything there is."""
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
            lines.append([as_argument(reading) for reading in readings])
        self.segments = []
        if len(lines) > MOST_LINES:
            raise Unclear(say(messages.line_errors.too_many_lines, count=len(lines), most=MOST_LINES))
        return lines

    # complaints

    def check_that_all_is_there(self, values: dict[str, Any]) -> None:
        """Check that no argument is missing that the verb needs."""
        needed = [argument for argument in self.spec.arguments if not argument.optional or argument is self.begun]
        missing = next((argument for argument in needed if argument.name not in values), None)
        if missing is not None:
            raise Unclear(incomplete(self.spec, values, missing))

    def check_lengths(self, values: dict[str, Any]) -> None:
        """Check that no word is longer than any name in InvenTree."""
        names = {option.name for option in self.spec.options}
        words = [value for name, value in values.items() if isinstance(value, str) and name not in names]
        words += [r["item"] for value in values.values() if isinstance(value, list) for line in value for r in line]
        for word in words:
            if len(word) > LONGEST_WORD:
                raise Unclear(say(messages.line_errors.word_too_long, word=word[:SHOWN], most=LONGEST_WORD))

    def _no_day(self, argument: Argument) -> Phrase | None:
        """An objection if the words after a day's keyword are no day: `for some time`."""
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
