"""One line of items as typed: `10 M3-BOLT`, `M3-BOLT 10`, `#42`, `LENS-2#0042`, a pasted link, a name in quotes.

A number at either end is a quantity, unless the name goes on to it: `Laser lens 2` is read both ways.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from fedbot.federation.effects import Phrase, say
from fedbot.verbs.quantities import Quantity, is_times, quantity_in, typed
from fedbot.verbs.tokens import Token, in_quotes, is_syntax, slice_of, tokens_in


@dataclass(frozen=True)
class Reading:
    """What a line can mean. `quantity` is a decimal string, or '' for the whole item."""

    item: str
    quantity: str = ""


def items_in(tokens: tuple[Token, ...], line: str) -> tuple[Reading, ...] | Phrase:
    """All that these words can mean, the likeliest first; or what is unclear about them."""
    words = _Words(_joined(tokens), line)
    first, last = words.quantity(0), words.quantity(-1)
    for quantity in (first, last):
        if quantity is not None and len(quantity.readings) > 1:
            return say("number_unclear", word=quantity.word, readings=quantity.readings)
    if first is None and last is None:
        return (Reading(words.item(0, None)),)
    if first is not None and last is not None:
        return _between_two(words, first, last)
    number = first or last
    rest = slice(1, None) if first is not None else slice(0, -1)
    counted = Reading(words.item(rest.start, rest.stop), number.readings[0] if number else "")
    return (counted,) if words.is_one(rest) else (counted, Reading(words.item(0, None)))


def typed_again(readings: tuple[Reading, ...], reserved: Collection[str] = ()) -> str:
    """A line so that it is read the same way again, where these words are keywords; without quotes if that will do."""
    first, last = readings[0], readings[-1]
    ways = (_counted(first, first.item), last.item, f"{last.item} {first.item}", _counted(first, in_quotes(first.item)))
    return next((way for way in ways if _reads_as(way, readings, reserved)), last.item)


def _reads_as(words: str, readings: tuple[Reading, ...], reserved: Collection[str]) -> bool:
    tokens = tuple(tokens_in(words))
    split = any(token.separator or is_syntax(token, reserved) for token in tokens)
    return bool(tokens) and not split and items_in(tokens, words) == readings


def _counted(reading: Reading, item: str) -> str:
    return f"{typed(Decimal(reading.quantity))} {item}" if reading.quantity else item


def _between_two(words: _Words, first: Quantity, last: Quantity) -> tuple[Reading, ...] | Phrase:
    """A number at both ends."""
    one, other = first.readings[0], last.readings[0]
    if len(words.tokens) == 2:  # noqa: PLR2004 - only the two numbers
        return (Reading(last.word, one), Reading(first.word, other))
    if words.is_definite(slice(1, -1)):
        return say("two_quantities", first=first.word, second=last.word)
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
        """The quantity at that place. A number alone is an item: some IPN are numbers."""
        token = self.tokens[at]
        return None if token.quoted or len(self.tokens) == 1 else quantity_in(token.text)

    def item(self, start: int, stop: int | None) -> str:
        """These words as typed, without a sign for 'times' at an end; of one quoted text what is in the quotes."""
        tokens = self.tokens[start:stop]
        while len(tokens) > 1 and not tokens[0].quoted and is_times(tokens[0].text) and start > 0:
            tokens = tokens[1:]
        while len(tokens) > 1 and not tokens[-1].quoted and is_times(tokens[-1].text) and stop is not None:
            tokens = tokens[:-1]
        if len(tokens) == 1:
            return tokens[0].text
        return slice_of(self.line, tokens)

    def is_one(self, place: slice) -> bool:
        """Whether it is one word, so that a number beside it is no part of a longer name."""
        return len([t for t in self.tokens[place] if t.quoted or not is_times(t.text)]) <= 1

    def is_definite(self, place: slice) -> bool:
        """Whether it is one word that can be nothing but an item."""
        words = [t for t in self.tokens[place] if t.quoted or not is_times(t.text)]
        return len(words) == 1 and (words[0].quoted or words[0].text.startswith("#") or "://" in words[0].text)


def _joined(tokens: tuple[Token, ...]) -> list[Token]:
    """`# 42` is `#42`."""
    joined: list[Token] = []
    for token in tokens:
        before = joined[-1] if joined else None
        is_key = before is not None and before.text == "#" and not before.quoted and token.text.isdecimal()
        if is_key and before is not None and not token.quoted:
            joined[-1] = Token(f"#{token.text}", before.start, token.end)
        else:
            joined.append(token)
    return joined
