"""The database as the journal needs it: transactions, and the SQL that SQLite and PostgreSQL share.

Placeholders are `?` and `?1`. SQL of only one of them is in `sqlite` or `postgresql`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Address:
    """Where a space's journal is. `url` has no password in it; `space` is the party's id."""

    url: str
    space: str
    password: str = field(default="", repr=False)

    @property
    def schema(self) -> str:
        """The schema that holds its tables."""
        return f"{SCHEMA}{self.space}"


Place = Path | Address
"""Where a journal is: a state folder, or a space in a database."""
SCHEMA = "space_"


class Found(Protocol):
    """The result of a statement. `rowcount` is how many rows it changed."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchone(self) -> Any:  # noqa: ANN401 -- a row
        """The next row, None at the end."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """The rows that are left."""


class Statements(Protocol):
    """A connection within a transaction."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Found:
        """Carry out one statement."""

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> object:
        """Carry out one statement for each of these values."""


class Database(Protocol):
    """One journal's tables. Threads take turns."""

    def transaction(self, *, durable: bool = True) -> AbstractContextManager[Statements]:
        """All or nothing. `durable`: this and all before it outlive a power cut from the end of the block on.

        What isn't durable outlives the end of the process all the same, and is taken back by a power cut only from
        its end on, never something in between. Raises `JournalProblem` and its kinds.
        """

    def rows(self, query: str, *values: object) -> list[Any]:
        """Every row that the query finds."""

    def check(self) -> None:
        """Read the whole database while others may work with it. Raises `JournalDamaged`."""

    def wipe(self) -> None:
        """Erase what was removed, as far as the database can."""

    def copy_to(self, other: sqlite3.Connection) -> None:
        """Copy everything that is committed, consistently, into an empty SQLite database."""

    def close(self) -> None:
        """Close the connection."""


def places(values: int) -> str:
    """The text of so many placeholders."""
    return ", ".join("?" * values)
