"""The store of our device's keys: in a folder that nobody else can read, or sealed in the database."""

from __future__ import annotations

import base64
import json
import logging
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from nio.crypto import Olm
from nio.store import SqliteStore
from peewee import PeeweeException, SqliteDatabase

from fedbot.files import make_private, open_sqlite, private_folder, sync_folder, write_whole
from fedbot.logs import keep_secret
from fedbot.ports.journal import JournalUnwritable
from fedbot.ports.vault import Folder, SealedFolder

log = logging.getLogger(__name__)

KEYS = "matrix-keys"
"""The folder in the identity folder for the keys of encrypted rooms."""
STORE = "device.db"
"""The file in it: nio's store, with our device's keys and all room keys."""
_EARLIER = "earlier-*.db"
_PICKLE_KEY = "pickle.key"

# --- nio's store, sealed in a database ---

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


# --- the store in a folder ---


def open_machine(folder: Folder, user: str, device: str) -> Any:  # noqa: ANN401 -- nio has no types
    """Nio's `Olm` for this device, with the store in `folder`, or with a new one if none there belongs to this device.

    Raises `JournalUnwritable`.
    """
    with writing(folder):
        if not isinstance(folder, Path):
            return _opened_in_database(folder, user, device)
        private_folder(folder)
        key = _pickle_key(folder)
        if _device_of(folder / STORE) not in (None, (user, device)):
            set_aside(folder)
        try:
            machine = _opened(folder, user, device, key)
        except (PeeweeException, ValueError) as problem:
            if not (folder / STORE).exists():
                raise
            log.warning("the store of our keys can't be read (%s): beginning a new one", problem)
            set_aside(folder)
            machine = _opened(folder, user, device, key)
        _take_over(folder, machine, key)
    return machine


@contextmanager
def writing(folder: Folder) -> Iterator[None]:
    """Turn a failed write into the error that ends the bot: without its keys it would lose the messages it reads."""
    try:
        yield
    except (PeeweeException, sqlite3.Error, OSError) as problem:
        raise JournalUnwritable(f"The store of keys in {folder} can't be written: {problem}") from problem


def close_machine(machine: Any) -> None:  # noqa: ANN401 -- nio has no types
    """Close the store's file."""
    machine.store.database.close()


def _opened(folder: Path, user: str, device: str, key: str) -> Any:  # noqa: ANN401 -- nio has no types
    make_private(folder / STORE)
    return Olm(user, device, SqliteStore(user, device, str(folder), pickle_key=key, database_name=STORE))


def _opened_in_database(folder: SealedFolder, user: str, device: str) -> Any:  # noqa: ANN401 -- nio has no types
    """Like `open_machine`, with a store that is sealed in the space's database."""
    key = _pickle_key(folder)
    store = SealedStore(user, device, folder, STORE, key)
    if store.device() not in (None, (user, device)):
        store.database.close()
        set_aside(folder)
        store = SealedStore(user, device, folder, STORE, key)
    machine = Olm(user, device, store)
    for name in folder.stores():
        if name == STORE:
            continue
        earlier = SealedStore("", "", folder, name, key)
        earlier.user_id, earlier.device_id = earlier.device() or ("", "")
        _take_keys(machine, earlier)
        earlier.database.close()
        folder.remove_store(name)
    return machine


def _pickle_key(folder: Folder) -> str:
    """The key that encrypts everything in the store."""
    file = folder / _PICKLE_KEY
    if not file.exists():
        write_whole(file, secrets.token_hex(32).encode())
    key = file.read_text().strip()
    keep_secret(key)
    return key


def _device_of(store: Path) -> tuple[str, str] | None:
    """The user and device of the store; None for a new one, ('', '') if it can't be read."""
    if not store.exists():
        return None
    try:
        with closing(open_sqlite(store)) as opened:
            if not opened.execute("SELECT count(*) FROM sqlite_master WHERE name = 'accounts'").fetchone()[0]:
                return None
            found = opened.execute("SELECT user_id, device_id FROM accounts").fetchone()
    except sqlite3.DatabaseError:
        return ("", "")
    return (str(found[0]), str(found[1])) if found else None


def _take_over(folder: Path, machine: Any, key: str) -> None:  # noqa: ANN401 -- nio has no types
    """Copy the room keys and the list of encrypted rooms of earlier devices, so old messages stay readable."""
    for file in earlier_stores(folder):
        device = _device_of(file)
        if device in (None, ("", "")):
            continue  # damaged: it stays, in case somebody can fix it
        store = SqliteStore(*device, str(folder), pickle_key=key, database_name=file.name)
        try:
            _take_keys(machine, store)
        except (PeeweeException, ValueError) as problem:
            log.warning("the room keys of an earlier device can't be read (%s)", problem)
            continue
        finally:
            store.database.close()
        file.unlink()


def _take_keys(machine: Any, earlier: Any) -> None:  # noqa: ANN401 -- nio has no types
    for session in earlier.load_inbound_group_sessions():
        if machine.inbound_group_store.get(session.room_id, session.sender_key, session.id) is None:
            machine.inbound_group_store.add(session)
            machine.save_inbound_group_session(session)
    machine.store.save_encrypted_rooms(earlier.load_encrypted_rooms())


def set_aside(folder: Folder) -> None:
    """Set aside the store in `folder`, whose device is gone. Its room keys still decrypt old messages.

    An older copy must never be used again: it would use keys twice, and lacks newer ones.
    """
    if not isinstance(folder, Path):
        if STORE in folder.stores():
            folder.rename_store(STORE, _EARLIER.replace("*", secrets.token_hex(4)))
        return
    store = folder / STORE
    if store.exists():
        store.replace(folder / _EARLIER.replace("*", secrets.token_hex(4)))
        sync_folder(folder)


def earlier_stores(folder: Path) -> list[Path]:
    """The stores that `set_aside` has left."""
    return sorted(folder.glob(_EARLIER))


def copy_store(source: Path, target: Path) -> None:
    """Copy a store that a bot may be writing to. Raises sqlite3.Error."""
    make_private(target)
    with (
        closing(open_sqlite(source)) as store,
        closing(sqlite3.connect(target)) as copy,
    ):
        store.backup(copy)
