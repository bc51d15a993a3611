"""Lists: filters, search, ordering and pages. As in InvenTree, unknown names are ignored.

Facts: (h) pagination; 'Unknown query filters are silently ignored'.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlencode

from fedbot_demo.inventree.exchange import InvalidError, JsonObject, Pairs, Reply, Request
from fedbot_demo.inventree.fields import as_decimal
from fedbot_demo.inventree.table import Row, Table

T = TypeVar("T")
R = TypeVar("R", bound=Row)

NO_SUCH_CHOICE = "Select a valid choice. That choice is not one of the available choices."
_NULL_WORDS = frozenset({"top", "null", "none", "empty", "false", "-1", ""})
_YES_WORDS = frozenset({"1", "y", "yes", "t", "true", "ok", "on"})


class Query:
    """A request's query. The last value of a repeated name counts. An empty value is no filter."""

    def __init__(self, pairs: Pairs) -> None:
        self._values = dict(pairs)
        self._errors: JsonObject = {}

    @property
    def values(self) -> dict[str, str]:
        """All values by name."""
        return self._values

    def all_but_page(self) -> Pairs:
        """The query without the page's limit and offset."""
        return tuple(pair for pair in self._values.items() if pair[0] not in {"limit", "offset"})

    def check(self) -> None:
        """Raise InvalidError if a value read so far was an invalid choice."""
        if self._errors:
            raise InvalidError(self._errors)

    def text(self, name: str) -> str:
        """The value, or an empty string."""
        return self._values.get(name, "")

    def flag(self, name: str) -> bool | None:
        """True, false, or None if it isn't given or can't be read (InvenTree ignores that)."""
        return {"true": True, "1": True, "false": False, "0": False}.get(self.text(name).lower())

    def says_yes(self, name: str, *, otherwise: bool) -> bool:
        """A switch as InvenTree reads it: everything but a yes is a no."""
        return self.text(name).lower() in _YES_WORDS if name in self._values else otherwise

    def row(self, name: str, table: Table[R]) -> R | None:
        """The requested row of `table`; a wrong number is an error."""
        value = self.text(name)
        if not value:
            return None
        row = table.get(int(value)) if value.isdecimal() else None
        if row is None:
            self._errors[name] = [NO_SUCH_CHOICE]
        return row

    def number(self, name: str) -> Decimal | None:
        """A number or None; anything else is an error."""
        value = self.text(name)
        if not value:
            return None
        number = as_decimal(value)
        if number is None:
            self._errors[name] = ["Enter a number."]
        return number

    def number_or_null(self, name: str) -> Decimal | str | None:
        """A number, 'null' for any spelling of null, or None if it isn't given."""
        if name in self._values and self.text(name).strip().lower() in _NULL_WORDS:
            return "null"
        return self.number(name)

    def day(self, name: str) -> date | None:
        """A day as YYYY-MM-DD or None; anything else is an error."""
        value = self.text(name)
        if not value:
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            self._errors[name] = ["Enter a valid date."]
            return None

    def whole(self, name: str) -> int:
        """A whole number for paging; 0 if it is missing or not a number."""
        value = self.text(name)
        return int(value) if value.isdecimal() else 0


def same_text(left: str | None, permission: str) -> bool:
    """Equal without regard to case, as with SQLite's LIKE."""
    return (left or "").lower() == permission.lower()


def matches(pattern: str, text: str | None) -> bool:
    """Whether the pattern matches somewhere in the text, ignoring case; an invalid pattern never does."""
    try:
        return re.search(pattern, text or "", re.IGNORECASE) is not None
    except re.error:
        return False


def search(rows: Iterable[T], query: Query, texts: Callable[[T], Sequence[str | None]]) -> list[T]:
    """The rows whose `texts` contain every word of ?search=."""
    words = _words(query.text("search"))
    if not words:
        return list(rows)
    if query.says_yes("search_whole", otherwise=False):
        words = [rf"\y{word}\y" for word in words]  # this is a PostgreSQL pattern; SQLite finds nothing with it
    if query.says_yes("search_regex", otherwise=False):
        return [row for row in rows if all(any(matches(word, text) for text in texts(row)) for word in words)]
    words = [word.lower() for word in words]
    found = []
    for row in rows:
        lowered = [text.lower() for text in texts(row) if text]
        if all(any(word in text for text in lowered) for word in words):
            found.append(row)
    return found


def _words(text: str) -> list[str]:
    text = text.replace("\x00", "").replace(",", " ")
    if '"' not in text:
        return text.split()
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


Key = Callable[[T], object]


def ordered(rows: Iterable[R], query: Query, keys: Mapping[str, Key[R]], default: Sequence[str] = ()) -> list[R]:
    """The rows in the requested order; unknown orderings are ignored. Ties are ordered by row number."""
    asked = [name.strip() for name in query.text("ordering").split(",")]
    names = [name for name in asked if name.removeprefix("-") in keys] or list(default)
    result = sorted(rows, key=lambda row: row.pk, reverse=bool(names) and names[-1].startswith("-"))
    for name in reversed(names):
        key = keys[name.removeprefix("-")]
        result.sort(key=lambda row: _sortable(key(row)), reverse=name.startswith("-"))
    return result


def _sortable(value: object) -> tuple[bool, Any]:
    """Sorts nulls first, as SQLite does."""
    return (value is not None, value if value is not None else 0)


def page(request: Request, query: Query, rows: Sequence[T], represent: Callable[[T], JsonObject]) -> Reply:
    """All rows as a plain list; with a limit above 0, one page with the count and absolute links."""
    limit = query.whole("limit")
    if limit <= 0:
        return Reply([represent(row) for row in rows])
    offset = query.whole("offset")
    base = f"{request.base_url}{request.path}"
    return Reply(
        {
            "count": len(rows),
            "next": _next(base, query, limit, offset, len(rows)),
            "previous": _previous(base, query, limit, offset),
            "results": [represent(row) for row in rows[offset : offset + limit]],
        }
    )


def _next(base: str, query: Query, limit: int, offset: int, count: int) -> str | None:
    if offset + limit >= count:
        return None
    values = query.values | {"limit": str(limit), "offset": str(offset + limit)}
    return f"{base}?{urlencode(sorted(values.items()))}"


def _previous(base: str, query: Query, limit: int, offset: int) -> str | None:
    if offset <= 0:
        return None
    values = query.values | {"limit": str(limit), "offset": str(offset - limit)}
    if offset - limit <= 0:
        del values["offset"]
    return f"{base}?{urlencode(sorted(values.items()))}"
