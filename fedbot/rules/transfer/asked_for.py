"""What a person asked another space for, and whether what its owner would give is that.

A request is typed in words, and the owner says which of its stock items they mean. Only an item that is called so is
what was asked for: by its key, its part's IPN or name, with the serial number where one was named. Everything else,
and what isn't in order, needs the asker's own yes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from fedbot.rules.model.transfer import Line, Terms
from fedbot.rules.protocol.terms import written
from fedbot.rules.wire.envelope import shown_hash

_KEY = re.compile(r"#\s*(\d{1,9})")
_LINK = re.compile(r"\w+://.+/stock/(?:item/)?(\d{1,9})(?:/.*)?")
_INVISIBLE = "\u200d"


def is_meant(word: str, line: Line) -> bool:
    """Whether the words of a request name what this line gives."""
    word = word.strip()
    key = _KEY.fullmatch(word) or _LINK.fullmatch(word)
    if key is not None:
        return line.item == int(key[1])
    if _folded(word) in _names(line):
        return True
    part, _, serial = word.rpartition("#")
    return bool(part.strip()) and _folded(part) in _names(line) and serial.strip() == line.serial != ""


def _names(line: Line) -> set[str]:
    """What the part may be called: its IPN, its name, or its full name as InvenTree shows it."""
    told = line.description
    full = {
        " | ".join(piece for piece in pieces if piece) for pieces in _full_names(told.ipn, told.name, told.revision)
    }
    return {_folded(name) for name in {told.ipn, told.name, *full} if name}


def _full_names(ipn: str, name: str, revision: str) -> tuple[tuple[str, ...], ...]:
    return (ipn, name), (ipn, name, revision), (name, revision)


def _folded(text: str) -> str:
    """Blanks, case and joiners make no difference, as in InvenTree."""
    return " ".join(text.replace(_INVISIBLE, "").split()).casefold()


def adds_up(asked: Sequence[Decimal], offered: Sequence[Decimal]) -> bool:
    """Whether what is offered is what was asked for, line by line in that order, each in one piece or several."""
    lines = iter(asked)
    rest = Decimal(0)
    for quantity in offered:
        rest = (rest or next(lines, Decimal(0))) - quantity
        if rest < 0:
            return False
    return rest == 0 and next(lines, None) is None


def pieces(requested: Sequence[Line], offered: Sequence[Line]) -> list[tuple[Line, list[Line]]]:
    """Each line asked for, with the pieces that it would be given in; `offered` adds up to it."""
    rest = iter(offered)
    found: list[tuple[Line, list[Line]]] = []
    for asked in requested:
        given: list[Line] = []
        while sum((line.quantity for line in given), Decimal(0)) < asked.quantity:
            given.append(next(rest))
        found.append((asked, given))
    return found


def unlike(requested: Sequence[Line], offered: Sequence[Line], today: date) -> list[tuple[Line, list[Line]]]:
    """Of those the lines for which something else would be given, or something that isn't in order."""
    return [
        (asked, given)
        for asked, given in pieces(requested, offered)
        if not all(is_meant(asked.description.name, line) and is_in_order(line, today) for line in given)
    ]


def is_in_order(line: Line, today: date) -> bool:
    """Whether its condition is OK and its date isn't over."""
    return line.is_ok and (line.expiry is None or line.expiry >= today)


def shown_as(terms: Terms) -> str:
    """What the asker has seen of what would be given, in 16 hex digits: a request for it carries them.

    Where it lies at its owner, and whether that is all of it, may change. Lending rules may not.
    """
    lines = tuple(replace(line, place="", whole=False) for line in terms.lines)
    told = written(replace(terms, lines=lines))
    return shown_hash("asked", {name: told[name] for name in ("lines", "rules") if name in told})[:16]
