"""Quantities as people type and read them: `10`, `1,5`, `3 pcs` and `1 000` are clear, `1.000` and `1,000` are not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from fedbot.rules.model.stock import plain, unit_called

_NUMBER = re.compile(r"([-+]?)([0-9]+(?:[.,][0-9]+)*|[.,][0-9]+)")
_FRACTION = re.compile(r"([0-9]{1,4})/([0-9]{1,4})")
_SIGNED_FRACTION = re.compile(r"([0-9]{0,4})([½¼¾⅛⅜⅝⅞])")
_FRACTIONS = {"½": "0.5", "¼": "0.25", "¾": "0.75", "⅛": "0.125", "⅜": "0.375", "⅝": "0.625", "⅞": "0.875"}
_PIECES = r"(?:pcs?|pieces?|stück|stueck|stk)\.?"
_COUNTED = re.compile(rf"(.*[0-9½¼¾⅛⅜⅝⅞]|[^\W\d]+ ) ?{_PIECES}", re.IGNORECASE)
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?: [0-9]{3})+")
_SAID = (
    "one a an ein eine einen",
    "two zwei",
    "three drei",
    "four vier",
    "five fünf fuenf",
    "six sechs",
    "seven sieben",
    "eight acht",
    "nine neun",
    "ten zehn",
    "eleven elf",
    "twelve zwölf zwoelf",
)
NUMBER_WORDS = {word: number for number, words in enumerate(_SAID, start=1) for word in words.split()}
"""Numbers as they are said in English and German; the small ones, as nobody writes out the large."""
EVERYTHING = frozenset({"all", "alle", "alles"})
"""Words for all that there is, where a quantity may stand."""


_MEASURED = re.compile(r"(.*[0-9½¼¾⅛⅜⅝⅞]|[^\W\d]\D* |[0-9]{1,4} and a half ) ?([a-z]+)", re.IGNORECASE)
_HALF = re.compile(
    r"(?:half(?: an?)?|a half|(?:(?:ein|eine|einen) )?halbe[nrs]?) |"
    r"([^\W\d]+|[0-9]{1,4}) and a half |(?:anderthalb|([^\W\d]+)einhalb) ",
    re.IGNORECASE,
)


def measured_in(word: str) -> tuple[str, str] | None:
    """The decimal string and the unit of `2m`, `1,5 kg`, `half a metre`; None if it isn't, or is unclear."""
    found = _MEASURED.fullmatch(word)
    unit = unit_called(found[2]) if found else ""
    if found is None or not unit:
        return None
    number = found[1].strip()
    number = number.replace(" ", "") if _GROUPED.fullmatch(number) else number
    readings = _readings(number) if number[:1].isdecimal() and _NUMBER.fullmatch(number) else ()
    readings = readings or (_said(number) or _half_said(found[1]),)
    return (plain(Decimal(readings[0])), unit) if len(readings) == 1 and readings[0] else None


def _half_said(words: str) -> str:
    """The decimal string that `half a ` or `two and a half ` stands for; '' for anything else."""
    found = _HALF.fullmatch(words)
    if found is None:
        return ""
    whole = found[1] or found[2] or ("one" if words.casefold().startswith("anderthalb") else "")
    number = whole if not whole or whole.isdecimal() else str(NUMBER_WORDS.get(whole.casefold(), ""))
    return plain(Decimal(number or "0") + Decimal("0.5")) if number or not whole else ""


@dataclass(frozen=True)
class Quantity:
    """A number as typed, with what it can mean: one decimal string, or two if it is unclear.

    `may_be_name`: the same word may be part of a thing's name.
    """

    word: str
    readings: tuple[str, ...]
    may_be_name: bool = False


def quantity_in(word: str) -> Quantity | None:
    """The quantity that a word is, with or without a sign for 'times' (`10x`, `×10`); None if it is none.

    Also of several words, with single blanks: `3 pcs`, `1 000`.
    """
    bare = re.sub(r"^[x×*]|[x×*]$", "", word, flags=re.IGNORECASE)
    counted = _COUNTED.fullmatch(bare)
    bare = counted[1].strip() if counted else bare
    if _GROUPED.fullmatch(bare):
        return Quantity(bare, (bare.replace(" ", ""),))
    match = _NUMBER.fullmatch(bare)
    if match is None:
        reading = _said(bare)
        return Quantity(bare, (reading,), may_be_name=counted is None) if reading else None
    sign, digits = match.groups()
    readings = _readings(digits)
    signed = tuple(plain(Decimal(("-" if sign == "-" else "") + reading)) for reading in readings)
    return Quantity(bare, signed) if signed else None


def _said(word: str) -> str:
    """The decimal string that `ten`, `½`, `2½` or `1/2` stands for; '' for anything else, and for endless decimals."""
    if (number := NUMBER_WORDS.get(word.casefold())) is not None:
        return str(number)
    if found := _SIGNED_FRACTION.fullmatch(word):
        return plain(Decimal(found[1] or "0") + Decimal(_FRACTIONS[found[2]]))
    found = _FRACTION.fullmatch(word)
    above, below = (int(found[1]), int(found[2])) if found else (0, 0)
    if not above or not below or 10**4 * above % below:
        return ""
    return plain(Decimal(above) / Decimal(below))


def is_pieces(word: str) -> bool:
    """Whether the word only says that pieces are counted: `pcs`."""
    return re.fullmatch(_PIECES, word, re.IGNORECASE) is not None


def typed(quantity: Decimal) -> str:
    """Write the quantity so that it can't be misread: '10', '1.5', but '1.1250', because `1.125` may be 1125."""
    text = plain(quantity)
    return text if len(_readings(text)) == 1 else f"{text}0"


def is_times(word: str) -> bool:
    """Whether the word only joins a quantity to its item: `10 x nut`, `10 of them`."""
    return word.lower() in {"x", "×", "*", "of"}


def _readings(digits: str) -> tuple[str, ...]:
    """All meanings of these digits and separators, as decimal strings; none if it is no number."""
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
