"""Nio's store of keys in memory; each call seals the changed rows in the space's database before it returns.

So another worker can continue in an encrypted room. The database refuses a worker that has lost its lease, and nio
stores a key before it sends with it, so that worker can't use a key that it hasn't stored.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import Any

from nio.store import SqliteStore
from peewee import SqliteDatabase

from fedbot.ports.vault import SealedFolder

_BYTES = "bytes"
_VERSION = "storeversion"
_READING = ("load_", "is_device_")


class SealedStore(SqliteStore):  # type: ignore[misc]  # nio has no types
    """A `SqliteStore` with its tables in memory; `folder` has its rows under `name`."""

    def __init__(self, user: str, device: str, folder: SealedFolder, name: str, key: str) -> None:
        self._folder = folder
        self._name = name
        super().__init__(user, device, "", pickle_key=key, database_name=name)
        self._load()
        for kept in _keeping(SqliteStore):
            setattr(self, kept, self._kept_after(getattr(self, kept)))

    def _create_database(self) -> Any:  # noqa: ANN401 -- peewee has no types
        # a replaced row is noted as removed, too
        return _InMemory(":memory:", pragmas={"foreign_keys": 0, "recursive_triggers": 1})

    def _load(self) -> None:
        """Read the stored rows. From then on, note which rows change."""
        ours = self.database.connection()
        put_rows(ours, self._folder.rows(self._name))
        ours.execute("CREATE TEMP TABLE changed (part TEXT, number INTEGER, PRIMARY KEY (part, number))")
        for table in _tables(ours):
            for when, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD")):
                noted = f"BEGIN INSERT OR IGNORE INTO changed VALUES ('{table}', {row}.rowid); END"  # noqa: S608 -- nio's
                ours.execute(f'CREATE TEMP TRIGGER "{table}_{when}_{row}" AFTER {when} ON main."{table}" {noted}')
        ours.commit()

    def device(self) -> tuple[str, str] | None:
        """The user and device of the keys; None if the store is new."""
        found = self.database.connection().execute("SELECT user_id, device_id FROM accounts").fetchone()
        return (str(found[0]), str(found[1])) if found else None

    def _kept_after(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def kept(*given: Any, **named: Any) -> Any:  # noqa: ANN401 -- nio's own
            answer = call(*given, **named)
            self._keep()
            return answer

        return kept

    def _keep(self) -> None:
        """Seal the changed rows in the database of the space. Raises `JournalProblem`, such as `LeaseLost`."""
        ours = self.database.connection()
        if ours.in_transaction:
            return  # a call within a call: the outer one keeps it
        changed = ours.execute("SELECT part, number FROM changed").fetchall()
        if not changed:
            return
        self._folder.keep_rows(self._name, [(table, number, self._row(table, number)) for table, number in changed])
        ours.execute("DELETE FROM changed")
        ours.commit()

    def _row(self, table: str, number: int) -> bytes | None:
        found = _read(self.database.connection(), table, "WHERE rowid = ?", number)
        return found[0][2] if found else None


class _InMemory(SqliteDatabase):  # type: ignore[misc]  # peewee has no types
    """Doesn't look for the tables that nio's tables refer to: nio names them all, and looking is most of a call."""

    def bind_ctx(self, models: Any, bind_refs: bool = False, bind_backrefs: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 -- peewee's
        return super().bind_ctx(models, bind_refs, bind_backrefs)


def of_keys(rows: list[tuple[str, int, bytes]]) -> list[tuple[str, int, bytes]]:
    """The rows without nio's version of its tables, which belongs to the file and not to the keys."""
    return [row for row in rows if row[0] != _VERSION]


def rows_of(store: sqlite3.Connection) -> list[tuple[str, int, bytes]]:
    """All rows of one of nio's stores, as (table, number, content)."""
    return [row for table in sorted(_tables(store)) for row in _read(store, table, "ORDER BY rowid")]


def put_rows(store: sqlite3.Connection, rows: list[tuple[str, int, bytes]]) -> None:
    """Put these rows into a store that nio has just created."""
    tables = _tables(store)
    for table in {table for table, _, _ in rows} & tables:
        store.execute(f'DELETE FROM "{table}"')  # noqa: S608 -- one of nio's tables
    for table, number, content in rows:
        if table in tables:
            row = json.loads(content, object_hook=_bytes_back)
            names = ", ".join(f'"{column}"' for column in ("rowid", *row))
            places = ", ".join("?" * (len(row) + 1))
            store.execute(
                f'INSERT OR REPLACE INTO "{table}" ({names}) VALUES ({places})',  # noqa: S608 -- nio's names, and ?
                (number, *row.values()),
            )
    store.commit()


def _tables(store: sqlite3.Connection) -> set[str]:
    found = store.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return {name for (name,) in found} - {_VERSION}


def _read(store: sqlite3.Connection, table: str, which: str, *values: int) -> list[tuple[str, int, bytes]]:
    cursor = store.execute(f'SELECT rowid, * FROM "{table}" {which}', values)  # noqa: S608 -- one of nio's tables
    columns = [column[0] for column in cursor.description][1:]
    return [
        (table, number, json.dumps(dict(zip(columns, row, strict=True)), default=_bytes_as_text).encode())
        for number, *row in cursor.fetchall()
    ]


def _keeping(store: type) -> list[str]:
    """The methods that may change the store."""
    return [
        name
        for name in dir(store)
        if not name.startswith(("_", *_READING)) and callable(getattr(store, name)) and name != "upgrade_to_v2"
    ]


def _bytes_as_text(value: object) -> dict[str, str]:
    if not isinstance(value, bytes | memoryview):
        raise TypeError(type(value).__name__)
    return {_BYTES: base64.b64encode(value).decode()}


def _bytes_back(value: dict[str, Any]) -> Any:  # noqa: ANN401 -- JSON
    return base64.b64decode(value[_BYTES]) if value.keys() == {_BYTES} else value
