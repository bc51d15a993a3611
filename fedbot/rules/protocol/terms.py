"""Terms on the wire: their one written form, its hash, and the strict parsing of a peer's terms.

The longest time that a request may stay open is part of the protocol, because both sides have to agree on it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from fedbot.rules import wire
from fedbot.rules.model import stock
from fedbot.rules.model.lending import LONGEST_NEIGHBOUR
from fedbot.rules.model.stock import NO_PART_DETAILS, ItemDetails, Part, PartDescription, StockItem, fits, plain
from fedbot.rules.model.transfer import Line, Terms, total
from fedbot.rules.wire import shown_hash

MOST_LINES = 20
LONGEST_TEXT = 500
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2200, 1, 1)
KINDS = frozenset({"push", "request", "return", "extension"})

_LOAN = re.compile(rf"[{wire.ALPHABET}]{{{wire.ID_LENGTH}}}")
_NEEDED = "\n\t\u200d"
_TERMS = TypeAdapter(Terms)


class BadTerms(ValueError):
    """A peer's invalid terms. The text names the field, and quotes nothing of the peer's."""


def to_json(terms: Terms) -> dict[str, Any]:
    """Return the one written form of terms: JSON without floats."""
    data: dict[str, Any] = _TERMS.dump_python(terms, mode="json")
    for line, written in zip(terms.lines, data["lines"], strict=True):
        written["quantity"] = plain(line.quantity)
        for record in (written, written["description"]):  # leave out empty ones, so that other terms keep their form
            record["details"] = {name: value for name, value in record["details"].items() if value}
            for name in ("of_line", "details", "stays"):
                if not record.get(name, True):
                    del record[name]
    for name in ("parcel", "parent", "time_zone", "confirm", "starts", "rules", "outside"):
        if not data[name]:
            del data[name]
    return data


def hash_of(terms: Terms) -> str:
    """Return the hash to which decisions are bound."""
    return wire.terms_hash(to_json(terms))


def parse(data: object) -> Terms:
    """Parse a peer's terms. Raises BadTerms with the name of the wrong field."""
    _check_texts(data)
    try:
        terms = _TERMS.validate_python(data)
    except (ValidationError, InvalidOperation) as problem:
        path = problem.errors()[0]["loc"] if isinstance(problem, ValidationError) else ()
        raise BadTerms(".".join(("terms", *map(str, path)))) from None
    if terms.kind not in KINDS or not 1 <= len(terms.lines) <= MOST_LINES:
        raise BadTerms("terms.kind or terms.lines")
    if bool(terms.parent) != (terms.kind in {"return", "extension"}) or (terms.confirm and terms.kind != "request"):
        raise BadTerms("terms.parent or terms.confirm")
    if [line.number for line in terms.lines] != list(range(1, len(terms.lines) + 1)):
        raise BadTerms("terms.lines.number")
    for line in terms.lines:
        _check_line(line)
    _check_days(terms)
    _check_rules(terms)
    _check_outside(terms)
    if to_json(terms) != data:
        raise BadTerms("terms are not in their written form")
    return terms


def _check_days(terms: Terms) -> None:
    """Check that a loan's days are in their order and not too far off."""
    if terms.time_zone and terms.loan_until is None:
        raise BadTerms("terms.time_zone of what is no loan")
    if terms.loan_until is not None:
        check_day(terms.loan_until)
    if terms.starts is None:
        return
    check_day(terms.starts)
    if terms.parent or terms.loan_until is None or terms.starts > terms.loan_until:
        raise BadTerms("terms.starts")


def _check_rules(terms: Terms) -> None:
    """Check that lending rules belong to a loan or its return, and are valid."""
    if terms.rules is None:
        return
    if terms.kind != "return" and (terms.loan_until is None or terms.parent):
        raise BadTerms("terms.rules of what is no loan")
    if field := terms.rules.complaint():
        raise BadTerms(f"terms.rules.{field}")


def _check_outside(terms: Terms) -> None:
    """Check that only an offered loan of one thing claims to have begun before the borrower had a bot."""
    before = terms.outside
    if before is None:
        return
    if terms.kind != "push" or terms.loan_until is None or terms.starts is not None or len(terms.lines) != 1:
        raise BadTerms("terms.outside of what is no loan of one thing")
    if not _LOAN.fullmatch(before.loan) or not 0 < len(before.neighbour) <= LONGEST_NEIGHBOUR:
        raise BadTerms("terms.outside.loan or terms.outside.neighbour")
    check_day(before.since)


def _check_line(line: Line) -> None:
    check_quantity(line.quantity)
    if line.serial and line.quantity != 1:
        raise BadTerms("terms.lines.quantity of a serial")
    part = line.description
    field = stock.complaint_about_item(line.details, line.stays)
    if field := field or stock.complaint_about_part(part.details, part.stays):
        raise BadTerms(f"terms.lines.details.{field}")


def metadata_in(sealed: Mapping[str, Any]) -> dict[str, str]:
    """Return the items' metadata in the peer's InvenTree, as JSON text by line number.

    It is written into our own InvenTree once the item is there, and must not fail then. So everything that isn't a JSON
    object is left out.
    """
    texts = sealed.get("metadata")
    return {number: text for number, text in texts.items() if _is_object(text)} if isinstance(texts, dict) else {}


def _is_object(text: object) -> bool:
    try:
        value = json.loads(text) if isinstance(text, str) else None
        if not isinstance(value, dict) or not wire.is_shallow(value):
            return False
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


def presentable(text: str) -> str:
    """Return a text as terms allow it: limited in length, and without invisible characters."""
    return _visible(text)[:LONGEST_TEXT]


def _visible(text: str) -> str:
    """Return the whole text without invisible characters."""
    return "".join(each for each in text if not _is_invisible(each))


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"} and character not in _NEEDED


T = TypeVar("T")


def _all_visible(value: T) -> T:
    """Return the record with invisible characters removed from every text in it."""
    if isinstance(value, StrEnum):
        return value
    if isinstance(value, str):
        return cast("T", _visible(value))
    if isinstance(value, tuple):
        return cast("T", tuple(_all_visible(each) for each in value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _all_visible(getattr(value, field.name)) for field in fields(value)})
    return value


def line_of(
    number: int, item: StockItem, quantity: Decimal, origin: str, *, with_price: bool, largest_file: int
) -> Line:
    """Return a line of the terms with that quantity of the stock item.

    `with_price`: its purchase price may be sent. `largest_file`: largest file to send along, in bytes.
    """
    details, stays = stock.split_item(_all_visible(item.seen), with_price=with_price, largest_file=largest_file)
    return Line(
        number=number,
        item=item.pk,
        part=item.part.pk,
        description=described(item.part, largest_file=largest_file),
        quantity=quantity,
        serial=presentable(item.serial),
        batch=presentable(item.batch),
        packaging=presentable(item.packaging),
        expiry=item.expiry,
        status=item.status,
        status_text=presentable(item.status_text),
        place=presentable(item.place),
        origin=origin,
        whole=quantity == item.quantity,
        details=details,
        stays=stays,
    )


def bare(line: Line) -> Line:
    """Return the line without its details, which then stay: for terms that don't fit into a message."""
    part = line.description
    part_stays = stock.with_traits(part.stays, stock.left_out_of_part(part.details))
    return replace(
        line,
        details=ItemDetails(inside=line.details.inside),
        stays=stock.with_traits(line.stays, stock.left_out_of_item(line.details)),
        description=replace(part, details=NO_PART_DETAILS, stays=part_stays),
    )


def described(part: Part, *, largest_file: int = 0) -> PartDescription:
    """Return a part as terms describe it, with its picture if files are sent along."""
    seen = part.seen
    details, stays = stock.split_part(_all_visible(seen), largest_file=largest_file) if seen else (NO_PART_DETAILS, ())
    return PartDescription(
        name=presentable(part.name),
        ipn=presentable(part.ipn),
        description=presentable(part.description),
        keywords=presentable(part.keywords),
        units=presentable(part.units),
        revision=presentable(part.revision),
        trackable=part.trackable,
        details=details,
        stays=stays,
    )


def check_quantity(quantity: Decimal) -> None:
    """Check InvenTree's limits: positive, at most 10 digits before the point and 5 after it. Raises BadTerms."""
    if not quantity.is_finite() or quantity <= 0:
        raise BadTerms("quantity: not positive")
    if not fits(quantity):
        raise BadTerms("quantity: too many digits")


def check_day(day: date) -> None:
    """Refuse days so far off that timers based on them would fail. Raises BadTerms."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise BadTerms("a day beyond all calendars")


def _check_texts(data: object) -> None:
    """Refuse overlong texts, and characters that make a text look like another. Raises BadTerms."""
    if isinstance(data, dict):
        for key, value in data.items():
            _check_texts(key)
            _check_texts(value)
    elif isinstance(data, list):
        for value in data:
            _check_texts(value)
    elif isinstance(data, str):
        if len(data) > LONGEST_TEXT:
            raise BadTerms("a text is too long")
        if any(map(_is_invisible, data)):
            raise BadTerms("a text has control characters")


# --- limits and files ------------------------------------------------------------------------------------------

MOST_OPEN_DAYS = 62
LONGEST_OPEN = timedelta(days=MOST_OPEN_DAYS)
"""The longest time that a request may stay open. A peer refuses longer ones."""
CLOCKS_DIFFER_BY = timedelta(hours=1)
"""The largest difference between the clocks of honest bots and homeservers that is allowed for."""


def file_in(value: object) -> dict[str, Any]:
    """Return a file's address and key (`AttachPhoto.file`); {} if the peer wrote anything else."""
    if not isinstance(value, Mapping):
        return {}
    key, hashes = value.get("key"), value.get("hashes")
    texts = (
        value.get("url"),
        value.get("iv"),
        key.get("k") if isinstance(key, Mapping) else None,
        hashes.get("sha256") if isinstance(hashes, Mapping) else None,
    )
    if not all(isinstance(text, str) and len(text) <= LONGEST_TEXT for text in texts):
        return {}
    url, iv, secret, sha256 = texts
    return {"url": url, "iv": iv, "key": {"k": secret}, "hashes": {"sha256": sha256}}


# --- Comparing an offer with the request it answers.
#
# A request is typed in words, and the owner's bot finds the stock items for them. An item counts as requested only if
# the words name it: by its key, or by its part's IPN or name, with the serial number if one was typed. Everything else,
# and anything not in order, needs the asker's own approval.

_KEY = re.compile(r"#\s*(\d{1,9})")
_LINK = re.compile(r"\w+://.+/stock/(?:item/)?(\d{1,9})(?:/.*)?")
_INVISIBLE = "\u200d"


def names_line(word: str, line: Line) -> bool:
    """Whether the words of a request name this line."""
    word = word.strip()
    key = _KEY.fullmatch(word) or _LINK.fullmatch(word)
    if key is not None:
        return line.item == int(key[1])
    if _folded(word) in _names(line):
        return True
    part, _, serial = word.rpartition("#")
    return bool(part.strip()) and _folded(part) in _names(line) and serial.strip() == line.serial != ""


def _names(line: Line) -> set[str]:
    """Return the part's possible names: its IPN, its name, or its full name as InvenTree shows it."""
    ipn, name, revision = line.description.ipn, line.description.name, line.description.revision
    full = {" | ".join(filter(None, words)) for words in ((ipn, name), (ipn, name, revision), (name, revision))}
    return {_folded(each) for each in {ipn, name, *full} if each}


def _folded(text: str) -> str:
    """Return the text for comparison: blanks, case and joiners make no difference, as in InvenTree."""
    return " ".join(text.replace(_INVISIBLE, "").split()).casefold()


def pieces(requested: Sequence[Line], offered: Sequence[Line]) -> list[tuple[Line, list[Line]]]:
    """Return each requested line with the pieces offered for it, in order; [] if they don't add up.

    Only the owner can convert a unit that isn't common, so such a line is offered in one piece.
    """
    rest = list(offered)
    paired: list[tuple[Line, list[Line]]] = []
    for asked in requested:
        given = rest[:1]
        wanted = asked_in(asked, given[0]) if given else None
        while wanted is not None and total(given) < wanted and len(given) < len(rest):
            given = rest[: len(given) + 1]
        if not given or (wanted is not None and total(given) != wanted):
            return []
        paired.append((asked, given))
        rest = rest[len(given) :]
    return [] if rest else paired


def asked_in(asked: Line, given: Line) -> Decimal | None:
    """Return the requested quantity in the units of the offered line; None if only its owner can convert it."""
    return given.amount(asked.quantity, asked.description.units)


def differences(requested: Sequence[Line], offered: Sequence[Line], today: date) -> list[tuple[Line, list[Line]]]:
    """Return the requested lines for which something else, or something not in order, is offered."""
    return [
        (asked, given)
        for asked, given in pieces(requested, offered)
        if asked_in(asked, given[0]) is None
        or not all(names_line(asked.description.name, line) and _is_in_order(line, today) for line in given)
    ]


def _is_in_order(line: Line, today: date) -> bool:
    """Whether its condition is OK and it hasn't expired."""
    return line.is_ok and (line.expiry is None or line.expiry >= today)


def shown_as(terms: Terms) -> str:
    """Return a hash of the items as the asker saw them, in 16 hex digits, which a request for them carries.

    The location of the items, and whether they are the whole stock item, may change. Lending rules may not.
    """
    lines = tuple(replace(line, place="", whole=False) for line in terms.lines)
    written = to_json(replace(terms, lines=lines))
    return shown_hash("asked", {name: written[name] for name in ("lines", "rules") if name in written})[:16]
