"""Quantities as people type them: `10`, `1,5` and `1.5` are clear, `1.000` and `1,000` are not (DESIGN §8)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from fedbot.rules.model.stock import plain

_NUMBER = re.compile(r"([-+]?)([0-9]+(?:[.,][0-9]+)*|[.,][0-9]+)")


@dataclass(frozen=True)
class Quantity:
    """A number as typed, with what it can mean: one decimal string, or two if it is unclear."""

    word: str
    readings: tuple[str, ...]


def quantity_in(word: str) -> Quantity | None:
    """The quantity that a word is, with or without a sign for 'times' (`10x`, `×10`); None if it is none."""
    bare = re.sub(r"^[x×*]|[x×*]$", "", word, flags=re.IGNORECASE)
    match = _NUMBER.fullmatch(bare)
    if match is None:
        return None
    sign, digits = match.groups()
    readings = _readings(digits)
    signed = tuple(plain(Decimal(("-" if sign == "-" else "") + reading)) for reading in readings)
    return Quantity(bare, signed) if signed else None


def typed(quantity: Decimal) -> str:
    """How the quantity is typed so that it is read as just that: '10', '1.5', but '1.1250', as `1.125` may be 1125."""
    text = plain(quantity)
    return text if len(_readings(text)) == 1 else f"{text}0"


def is_times(word: str) -> bool:
    """Whether the word is only a sign for 'times'."""
    return word.lower() in {"x", "×", "*"}


def _readings(digits: str) -> tuple[str, ...]:
    """All that these digits with their separators can mean, as decimal strings; none if it is no number."""
    separators = re.findall(r"[.,]", digits)
    groups = re.split(r"[.,]", digits)
    if not separators:
        return (digits,)
    whole, last = "".join(groups[:-1]), groups[-1]
    thousands = _are_thousands(groups)
    if len(separators) == 1:
        # `0,125` can't be thousands: no number of them begins with 0. `1.000` can be both.
        return (f"{whole or '0'}.{last}", whole + last) if thousands else (f"{whole or '0'}.{last}",)
    if len(set(separators)) == 1:
        return (whole + last,) if thousands else ()
    if len(set(separators[:-1])) == 1 and separators[-1] != separators[0] and _are_thousands(groups[:-1]):
        return (f"{whole}.{last}",)
    return ()


def _are_thousands(groups: list[str]) -> bool:
    first, *others = groups
    return 1 <= len(first) <= 3 and not first.startswith("0") and all(len(group) == 3 for group in others)  # noqa: PLR2004 - digits in a group of thousands
