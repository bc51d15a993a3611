"""Rows in memory: numbered, found by indexed fields, and restored when a request fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Row(Protocol):
    """Anything with a row number. Rows are immutable; a change stores a new row with the old number."""

    @property
    def pk(self) -> int:
        """The row's number; never reused, even after the row was deleted."""


R = TypeVar("R", bound=Row)


class Table(Generic[R]):
    """All rows of one kind, with an index for each of the `indexed` fields.

    `begin` opens a transaction. `roll_back` undoes all later changes, as a real server's database does when a request
    ends in an error.
    """

    def __init__(self, *indexed: str) -> None:
        self._rows: dict[int, R] = {}
        self._indices: dict[str, dict[object, dict[int, None]]] = {name: {} for name in indexed}
        self._next_pk = 1
        self._before: dict[int, R | None] = {}
        self._next_pk_before = 1
        self.changes = 0
        """The number of rows stored or removed so far."""

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[R]:
        return iter(list(self._rows.values()))

    def __contains__(self, pk: object) -> bool:
        return pk in self._rows

    def __getitem__(self, pk: int) -> R:
        return self._rows[pk]

    @property
    def next_pk(self) -> int:
        """The number of the next new row."""
        return self._next_pk

    def get(self, pk: int | None) -> R | None:
        """The row with this number, or None."""
        return None if pk is None else self._rows.get(pk)

    def find(self, field: str, value: object) -> list[R]:
        """All rows whose indexed `field` is `value`, by row number."""
        return [self._rows[pk] for pk in sorted(self._indices[field].get(value, ()))]

    def put(self, row: R) -> R:
        """Store `row` under its number and return it; it replaces an existing row."""
        old = self._rows.get(row.pk)
        self._before.setdefault(row.pk, old)
        self._replace(row.pk, row)
        self._next_pk = max(self._next_pk, row.pk + 1)
        return row

    def remove(self, pk: int) -> None:
        """Delete the row with this number."""
        self._before.setdefault(pk, self._rows[pk])
        self._replace(pk, None)

    def begin(self) -> None:
        """Begin a transaction and commit the one before."""
        self._before.clear()
        self._next_pk_before = self._next_pk

    def roll_back(self) -> None:
        """Undo every change since `begin`, including the use of row numbers."""
        for pk, old in self._before.items():
            self._replace(pk, old)
        self._before.clear()
        self._next_pk = self._next_pk_before

    def load(self, rows: list[R], next_pk: int) -> None:
        """Start over with these rows."""
        for pk in list(self._rows):
            self._replace(pk, None)
        for row in rows:
            self._replace(row.pk, row)
        self._next_pk = next_pk
        self.begin()

    def _replace(self, pk: int, row: R | None) -> None:
        old = self._rows.get(pk)
        self.changes += 1
        for name, index in self._indices.items():
            if old is not None:
                index[getattr(old, name)].pop(pk, None)
            if row is not None:
                index.setdefault(getattr(row, name), {})[pk] = None
        if row is None:
            self._rows.pop(pk, None)
        else:
            self._rows[pk] = row
