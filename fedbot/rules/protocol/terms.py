"""Terms on the wire: their one written form, its hash, and a careful reading of what a peer sent.

Quantities are decimal strings (canonical JSON has no floats). What a peer wrote is taken only if writing what
we understood gives exactly the same form again, so that both sides hash the same.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fedbot.rules.model.queries import PartDescription
from fedbot.rules.model.stock import Part, plain
from fedbot.rules.model.transfer import Terms
from fedbot.rules.wire import envelope

MOST_LINES = 20
LONGEST_TEXT = 500
MOST_DIGITS = 10  # InvenTree: 15 digits, 5 of them decimals
MOST_PLACES = 5
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2200, 1, 1)
KINDS = frozenset({"push", "request", "return", "extension"})

_NEEDED = "\n\t\u200d"
_TERMS = TypeAdapter(Terms)


class BadTerms(ValueError):
    """A peer's terms that we can't take. The text names the field, and holds nothing that the peer wrote."""


def written(terms: Terms) -> dict[str, Any]:
    """The one written form of terms: JSON without floats."""
    data: dict[str, Any] = _TERMS.dump_python(terms, mode="json")
    for line, wire in zip(terms.lines, data["lines"], strict=True):
        wire["quantity"] = plain(line.quantity)
        if not line.of_line:  # only what is so is written: the form and hash of all other terms stay as they are
            del wire["of_line"]
    for name in ("parcel", "parent", "time_zone", "confirm", "starts"):
        if not data[name]:
            del data[name]
    return data


def hash_of(terms: Terms) -> str:
    """The hash that decisions are bound to."""
    return envelope.terms_hash(written(terms))


def understood(data: object) -> Terms:
    """A peer's terms. BadTerms says which field is wrong."""
    _check_texts(data)
    try:
        terms = _TERMS.validate_python(data)
    except (ValidationError, InvalidOperation) as problem:
        field = (
            ".".join(str(part) for part in problem.errors()[0]["loc"]) if isinstance(problem, ValidationError) else ""
        )
        raise BadTerms(f"terms.{field}") from None
    if terms.kind not in KINDS or not 1 <= len(terms.lines) <= MOST_LINES:
        raise BadTerms("terms.kind or terms.lines")
    if bool(terms.parent) != (terms.kind in {"return", "extension"}) or (terms.confirm and terms.kind != "request"):
        raise BadTerms("terms.parent or terms.confirm")
    if [line.number for line in terms.lines] != list(range(1, len(terms.lines) + 1)):
        raise BadTerms("terms.lines.number")
    for line in terms.lines:
        check_quantity(line.quantity)
        if line.serial and line.quantity != 1:
            raise BadTerms("terms.lines.quantity of a serial")
    _check_days(terms)
    if written(terms) != data:
        raise BadTerms("terms are not in their written form")
    return terms


def _check_days(terms: Terms) -> None:
    """A loan's days lie within the calendar, and in their order."""
    if terms.time_zone and terms.loan_until is None:
        raise BadTerms("terms.time_zone of what is no loan")
    if terms.loan_until is not None:
        check_day(terms.loan_until)
    if terms.starts is None:
        return
    check_day(terms.starts)
    if terms.parent or terms.loan_until is None or terms.starts > terms.loan_until:
        raise BadTerms("terms.starts")


def metadata_in(sealed: Mapping[str, Any]) -> dict[str, str]:
    """What the peer's InvenTree says of the items, as JSON text by the line's number.

    It goes into our own InvenTree once the item is there, and must not stop anything then: what is no JSON object that
    can be written again is left out.
    """
    texts = sealed.get("metadata")
    return {number: text for number, text in texts.items() if _is_object(text)} if isinstance(texts, dict) else {}


def _is_object(text: object) -> bool:
    try:
        value = json.loads(text) if isinstance(text, str) else None
        if not isinstance(value, dict) or not envelope.is_shallow(value):
            return False
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


def presentable(text: str) -> str:
    """A text as terms may have it: not endless, and without signs that can't be seen."""
    seen = "".join(s for s in text if s in _NEEDED or unicodedata.category(s) not in {"Cc", "Cf", "Cs"})
    return seen[:LONGEST_TEXT]


def described(part: Part) -> PartDescription:
    """A part as terms tell of it."""
    return PartDescription(
        name=presentable(part.name),
        ipn=presentable(part.ipn),
        description=presentable(part.description),
        keywords=presentable(part.keywords),
        units=presentable(part.units),
        revision=presentable(part.revision),
        trackable=part.trackable,
    )


def check_quantity(quantity: Decimal) -> None:
    """InvenTree's limits: positive, at most 10 digits before the point and 5 behind it."""
    if not quantity.is_finite() or quantity <= 0:
        raise BadTerms("quantity: not positive")
    if quantity >= 10**MOST_DIGITS or -int(quantity.as_tuple().exponent) > MOST_PLACES:
        raise BadTerms("quantity: too many digits")


def check_day(day: date) -> None:
    """No day so far off that reckoning with it fails: every timer after it would."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise BadTerms("a day beyond all calendars")


def _check_texts(data: object) -> None:
    """No endless texts, and none of the characters that make a text show as something else."""
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
        if any(unicodedata.category(sign) in {"Cc", "Cf", "Cs"} and sign not in _NEEDED for sign in data):
            raise BadTerms("a text has control characters")
