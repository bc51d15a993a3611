"""Read a request's fields, each kind with a real server's error texts.

A `Form` collects valid fields in `values` and all others in `errors`, so one answer names all errors.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Collection
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TypeVar
from urllib.parse import urlsplit

from fedbot_demo.inventree.exchange import InvalidError, JsonObject
from fedbot_demo.inventree.table import Row, Table

REQUIRED = "This field is required."
NULL = "This field may not be null."
BLANK = "This field may not be blank."

#: Units that need no library, which takes half a second to import.
_COMMON_UNITS = frozenset({"", "m", "cm", "mm", "kg", "g", "l", "ml", "pcs", "piece"})
_OF_INVENTREE = ("piece = 1", "each = 1 = ea", "dozen = 12 = dz", "hundred = 100", "thousand = 1000")

_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})
_LABEL = re.compile(r"(?!-)[A-Za-z0-9\u00a1-\uffff_-]{1,63}(?<!-)")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_URL_SCHEMES = frozenset({"http", "https", "ftp", "ftps"})
_INTEGER_DIGITS = 10
_DECIMAL_PLACES = 5

R = TypeVar("R", bound=Row)


@cache
def is_unit(text: str) -> bool:
    """Whether InvenTree takes this as a unit, without any that its admins define."""
    if text in _COMMON_UNITS:
        return True
    import pint  # noqa: PLC0415 -- imports numpy

    registry: pint.UnitRegistry[float] = pint.UnitRegistry(on_redefinition="ignore")
    for definition in _OF_INVENTREE:
        registry.define(definition)
    try:
        registry.parse_expression(text)
    except (AssertionError, AttributeError):
        return False
    return True


class Form:
    """The fields of one request. With `partial` (PATCH) nothing is required."""

    def __init__(self, data: JsonObject, *, partial: bool = False) -> None:
        self.data = data
        self.partial = partial
        self.values: JsonObject = {}
        self.errors: JsonObject = {}

    def check(self) -> JsonObject:
        """The valid values by field.

        Raises:
            InvalidError: There were errors.
        """
        if self.errors:
            raise InvalidError(self.errors)
        return self.values

    def fail(self, name: str, *messages: object) -> None:
        """Add error messages for a field."""
        self.errors.setdefault(name, []).extend(messages)

    def _given(self, name: str, *, required: bool, null: bool) -> bool:
        """Whether there is a value to check; adds an error for a missing or null one."""
        if name not in self.data:
            if required and not self.partial:
                self.fail(name, REQUIRED)
            return False
        if self.data[name] is None:
            if null:
                self.values[name] = None
            else:
                self.fail(name, NULL)
            return False
        return True

    def text(
        self,
        name: str,
        *,
        required: bool = False,
        blank: bool = True,
        null: bool = False,
        longest: int | None = None,
    ) -> None:
        """A string of at most `longest` characters."""
        if not self._given(name, required=required, null=null):
            return
        value = self.data[name]
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.fail(name, "Not a valid string.")
            return
        text = str(value).strip()
        if not text and not blank:
            self.fail(name, BLANK)
        elif longest is not None and len(text) > longest:
            self.fail(name, f"Ensure this field has no more than {longest} characters.")
        else:
            self.values[name] = text

    def unit(self, name: str, own: Collection[str]) -> None:
        """A part's unit: `own` are those of the server's admins, the others have to be in the library."""
        self.text(name, longest=20)
        unit = self.values.get(name, "")
        if unit not in own and not is_unit(unit):
            self.fail(name, "Invalid physical unit")

    def tags(self, name: str) -> None:
        """A list of texts, or a JSON text with such a list; `values` gets a tuple."""
        if not self._given(name, required=False, null=False):
            return
        value = self.data[name]
        if isinstance(value, str):
            try:
                value = json.loads(value or "[]")
            except ValueError:
                self.fail(name, "Invalid json list. A tag list submitted in string form must be valid json.")
                return
        if not isinstance(value, list):
            self.fail(name, f'Expected a list of items but got type "{type(value).__name__}".')
        elif not all(isinstance(each, str) for each in value):
            self.fail(name, "All list items must be of string type.")
        else:
            self.values[name] = tuple(value)

    def email(self, name: str, *, required: bool = False) -> None:
        """An e-mail address, or nothing."""
        self.text(name, required=required, longest=254)
        value = self.values.get(name)
        if value and not _EMAIL.fullmatch(value):
            del self.values[name]
            self.fail(name, "Enter a valid email address.")

    def link(self, name: str, *, null: bool = False, longest: int = 2000) -> None:
        """A web address (http, https, ftp, ftps), or nothing (facts: (b), link)."""
        self.text(name, null=null, longest=longest)
        value = self.values.get(name)
        if value and not is_web_address(value):
            del self.values[name]
            self.fail(name, "Enter a valid URL.")

    def flag(self, name: str, *, required: bool = False) -> None:
        """A boolean in any of the spellings that InvenTree accepts."""
        if not self._given(name, required=required, null=False):
            return
        word = str(self.data[name]).lower()
        if word in _TRUE or word in _FALSE:
            self.values[name] = word in _TRUE
        else:
            self.fail(name, "Must be a valid boolean.")

    def quantity(self, name: str, *, required: bool = False) -> None:
        """A stock quantity: at least 0, at most 10 digits before and 5 after the point (facts: 'Formats')."""
        if not self._given(name, required=required, null=False):
            return
        number = as_decimal(self.data[name])
        if number is None:
            self.fail(name, "A valid number is required.")
            return
        error = precision_error(number)
        if error is not None:
            self.fail(name, error)
        elif number < 0:
            self.fail(name, "Ensure this value is greater than or equal to 0.")
        else:
            self.values[name] = number

    def money(self, name: str) -> None:
        """An amount, rounded to 6 decimals, or null."""
        if not self._given(name, required=False, null=True):
            return
        if self.data[name] == "":
            self.values[name] = None
            return
        amount = as_decimal(self.data[name])
        if amount is None:
            self.fail(name, "Must be a valid number")
        else:
            self.values[name] = round(amount, 6)

    def day(self, name: str) -> None:
        """A calendar day as YYYY-MM-DD, or null."""
        if not self._given(name, required=False, null=True):
            return
        try:
            self.values[name] = date.fromisoformat(str(self.data[name]))
        except ValueError:
            self.fail(name, "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.")

    def choice(
        self,
        name: str,
        choices: Collection[object],
        *,
        required: bool = False,
        refusal: Callable[[str], str] = '"{}" is not a valid choice.'.format,
    ) -> None:
        """One of `choices`, given as itself or as text."""
        if not self._given(name, required=required, null=False):
            return
        value = str(self.data[name])
        for choice in choices:
            if str(choice) == value:
                self.values[name] = choice
                return
        self.fail(name, refusal(value))

    def row(self, name: str, table: Table[R], *, required: bool = False, null: bool = False) -> R | None:
        """The row of `table` with the given number; `values` gets the number."""
        if not self._given(name, required=required, null=null):
            return None
        row, error = find_row(self.data[name], table)
        if row is None:
            self.fail(name, error)
        else:
            self.values[name] = row.pk
        return row

    def rows(self, name: str, table: Table[R], *, required: bool = False) -> list[R]:
        """The rows of `table` with the given numbers; `values` gets the numbers."""
        if not self._given(name, required=required, null=False):
            return []
        numbers = self.data[name]
        if not isinstance(numbers, list):
            self.fail(name, f'Expected a list of items but got type "{type(numbers).__name__}".')
            return []
        found = [find_row(number, table) for number in numbers]
        for row, error in found:
            if row is None:
                self.fail(name, error)
        result = [row for row, _ in found if row is not None]
        self.values[name] = tuple(row.pk for row in result)
        return result


def find_row(number: object, table: Table[R]) -> tuple[R | None, str]:
    """The row with this number, or the error text of a related field."""
    if isinstance(number, bool) or not isinstance(number, int | str):
        return None, f"Incorrect type. Expected pk value, received {type(number).__name__}."
    try:
        row = table.get(int(number))
    except ValueError:
        return None, "Incorrect type. Expected pk value, received str."
    return row, f'Invalid pk "{number}" - object does not exist.'


def as_decimal(value: object) -> Decimal | None:
    """A number from JSON, or a number as text; None if it is neither."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def precision_error(number: Decimal) -> str | None:
    """The error text about a quantity's number of digits, if it has too many."""
    _sign, digits, exponent = number.as_tuple()
    places = max(0, -int(exponent))
    whole = max(0, len(digits) + int(exponent))
    if places > _DECIMAL_PLACES:
        return f"Ensure that there are no more than {_DECIMAL_PLACES} decimal places."
    if whole > _INTEGER_DIGITS:
        return f"Ensure that there are no more than {_INTEGER_DIGITS} digits before the decimal point."
    return None


def is_web_address(text: str) -> bool:
    """Whether InvenTree accepts `text` as a link: a web scheme and a possible host."""
    if any(character.isspace() for character in text):
        return False
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in _URL_SCHEMES and (host == "localhost" or _is_address(host) or _is_domain(host))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_domain(host: str) -> bool:
    labels = host.rstrip(".").split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):  # noqa: PLR2004  name and top level
        return False
    return len(labels[-1]) > 1 and not labels[-1].isdigit()
