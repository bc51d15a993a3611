"""Node trees of a message, their two forms, plain text and HTML, and quantities as people type and read them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote, urlsplit

from fedbot.rules.model.stock import plain, unit_called
from fedbot.rules.names import clean_text

_MATRIX_TO = "https://matrix.to/#/"
_BULLET = "• "


# --- nodes -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    """Plain words; a line feed in it becomes a space."""

    text: str


@dataclass(frozen=True)
class Bold:
    """Words that stand out, in HTML only."""

    inside: Inline | tuple[Inline, ...]


@dataclass(frozen=True)
class Code:
    """Words to be typed exactly like this."""

    text: str


@dataclass(frozen=True)
class Link:
    """A link to a web page. `address` is http or https, else it is refused (ValueError)."""

    inside: Inline | tuple[Inline, ...]
    address: str

    def __post_init__(self) -> None:
        if urlsplit(self.address).scheme not in ("http", "https"):
            raise ValueError(f"not a web address: {self.address}")


@dataclass(frozen=True)
class Mention:
    """A person by name, shown as a pill. It notifies them only if the message's `mentions` say so."""

    user: str
    name: str = ""


@dataclass(frozen=True)
class Break:
    """A line break within a line, for instance in an item of a list."""


Inline = str | Text | Bold | Code | Link | Mention | Break


@dataclass(frozen=True)
class Items:
    """A list with bullets."""

    items: tuple[Inline | tuple[Inline, ...], ...]


class ChatOnly(tuple[Inline, ...]):
    """A line that says how to answer in chat. A page has buttons, and leaves it out."""

    __slots__ = ()


Line = Inline | Items | Sequence[Inline]
"""One line of a message. An empty one ('' or ()) ends a paragraph."""


# --- rendering ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rendered:
    """Words in both forms. The first line of `plain` is the push text."""

    plain: str
    html: str


def render(lines: Iterable[Line], *, on_page: bool = False) -> Rendered:
    """The lines as plain text and as HTML. `on_page`: without those that are for chat only (`ChatOnly`)."""
    plain: list[str] = []
    blocks: list[str] = []
    paragraph: list[str] = []

    def end_paragraph() -> None:
        if paragraph:
            blocks.append(f"<p>{'<br>'.join(paragraph)}</p>")
            paragraph.clear()

    for line in lines:
        if on_page and isinstance(line, ChatOnly):
            continue
        if isinstance(line, Items):
            end_paragraph()
            plain += [_BULLET + _plain(item) for item in line.items]
            blocks.append(f"<ul>{''.join(f'<li>{_html(item)}</li>' for item in line.items)}</ul>")
        elif not line:
            end_paragraph()
            plain.append("")
        else:
            plain.append(_plain(line))
            paragraph.append(_html(line))
    if not blocks:
        return Rendered("\n".join(plain).strip("\n"), "<br>".join(paragraph))
    end_paragraph()
    return Rendered("\n".join(plain).strip("\n"), "".join(blocks))


def _plain(node: Inline | Sequence[Inline]) -> str:
    match node:
        case str() | Text() | Code():
            words = _words(node)
        case Bold(inside):
            words = _plain(inside)
        case Link(inside, address):
            label = _plain(inside)
            words = address if label in ("", address) else f"{label} ({address})"
        case Mention(user, name):
            words = _words(name) or user
        case Break():
            words = "\n"
        case _:
            words = "".join(_plain(each) for each in node)
    return words


def _html(node: Inline | Sequence[Inline]) -> str:
    match node:
        case str() | Text():
            markup = html.escape(_words(node), quote=False)
        case Code():
            markup = f"<code>{html.escape(_words(node), quote=False)}</code>"
        case Bold(inside):
            markup = f"<b>{_html(inside)}</b>"
        case Link(inside, address):
            markup = _anchor(address, _html(inside) or html.escape(address))
        case Mention(user, name):
            markup = _anchor(_matrix_to(user), html.escape(_words(name) or user, quote=False))
        case Break():
            markup = "<br>"
        case _:
            markup = "".join(_html(each) for each in node)
    return markup


def _anchor(address: str, label: str) -> str:
    return f'<a href="{html.escape(address)}">{label}</a>'


def _words(node: str | Text | Code) -> str:
    """The text on one line, without characters that mislead: names and titles come from strangers."""
    text = node if isinstance(node, str) else node.text
    return clean_text(text).replace("\n", " ").replace("\t", " ")


def permalink(room: str, event: str, via: Sequence[str] = ()) -> str:
    """A link to a message. `via` names homeservers in the room: an id of room version 12 names none."""
    query = "&".join(f"via={quote(server, safe=':')}" for server in via)
    return _matrix_to(room, event) + (f"?{query}" if query else "")


def _matrix_to(*parts: str) -> str:
    return _MATRIX_TO + "/".join(quote(part, safe="@:!$#") for part in parts)


# --- Quantities as people type them: `10`, `1,5`, `3 pcs` and `1 000` are clear, `1.000` and `1,000` are not.

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
