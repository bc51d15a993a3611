"""The database interface of the journal: transactions, and the SQL that SQLite and PostgreSQL share.

Placeholders are `?` and `?1`. SQL that only one database understands is in `sqlite` or `postgresql`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from fedbot.ports.journal import JournalMoved


@dataclass(frozen=True)
class Address:
    """The address of a space's journal. `url` contains no password; `space` is the party's id."""

    url: str
    space: str
    password: str = field(default="", repr=False)

    @property
    def schema(self) -> str:
        """The schema that holds its tables."""
        return f"{SCHEMA}{self.space}"


JournalPlace = Path | Address
"""The place of a journal: a state folder, or a space in a database."""
SCHEMA = "space_"


class Cursor(Protocol):
    """The result of a statement. `rowcount` is the number of rows that it changed."""

    @property
    def rowcount(self) -> int:
        """The number of changed rows."""

    def fetchone(self) -> Any:  # noqa: ANN401 -- a row
        """The next row, None at the end."""

    def fetchall(self) -> list[Any]:
        """All remaining rows."""

    def __iter__(self) -> Iterator[Any]:
        """The remaining rows."""


class Statements(Protocol):
    """A connection within a transaction."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Cursor:
        """Execute one statement."""

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> object:
        """Execute one statement for each of these values."""


class Tables(Protocol):
    """One space's tables. Threads take turns."""

    def transaction(self, *, durable: bool = True) -> AbstractContextManager[Statements]:
        """All or nothing. `durable`: when the block ends, this write and all before it survive a power cut.

        Other writes survive the end of the process. A power cut may undo the newest of them, but never one in between.
        Raises `JournalProblem` and its subclasses.
        """

    def rows(self, query: str, *values: object) -> list[Any]:
        """All rows that the query finds."""

    def close(self) -> None:
        """Close the connection."""


class Database(Tables, Protocol):
    """One journal's database, for the process that writes to it."""

    def check(self) -> None:
        """Read the whole database while others may use it. Raises `JournalDamaged`."""

    def wipe(self) -> None:
        """Erase removed rows, as far as the database can."""

    def copy_to(self, other: sqlite3.Connection) -> None:
        """Copy everything that is committed, consistently, into an empty SQLite database."""


MOVED = "moved"
"""The entry of `meta` that names the new place of a journal that was moved."""
ARRIVING = "arriving"
"""The entry of `meta` in a journal that isn't completely copied yet."""


def refuse_moved(connection: Statements) -> None:
    """Raise `JournalMoved` if the journal was moved elsewhere."""
    for mark, value in connection.execute("SELECT name, value FROM meta WHERE name IN (?, ?)", (MOVED, ARRIVING)):
        raise JournalMoved(
            f"This journal was moved: it goes on in {value}. Nothing was changed. Look at `journal` in the settings."
            if mark == MOVED
            else "This journal is being moved, and that was not brought to its end. Do it again: fedbot journal move"
        )


def places(values: int) -> str:
    """Text with this number of placeholders."""
    return ", ".join("?" * values)
