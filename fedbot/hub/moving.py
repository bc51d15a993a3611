"""`fedbot journal move`: move a space's whole state from its folder into the database, or back.

It moves the journal, keys, tokens and the keys of encrypted rooms. Nothing is removed: the old place is marked as
moved, and no bot starts there. Bots can never start in both places: the new place is locked first, then the old one is
marked, and only then the new one is unlocked. After an interruption, the same command finishes the move.
"""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from nio.store import SqliteStore

from fedbot.config.settings import Settings
from fedbot.edge_settings import identity_folder, journal_place, sealed_identity
from fedbot.files import PRIVATE_FOLDER, make_private, sync_folder, write_whole
from fedbot.identity import SEED_FILE
from fedbot.journal import audit_chain, copies, postgresql, sealed, sqlite
from fedbot.journal.copies import FILE, Counted
from fedbot.journal.database import ARRIVING, MOVED, Address, Database, Statements
from fedbot.journal.lease import claim, holder
from fedbot.journal.lock import StateLock
from fedbot.journal.sealed import FolderInDatabase
from fedbot.journal.sqlite import SqliteDatabase
from fedbot.matrix.keys import KEYS, of_keys, put_rows, rows_of
from fedbot.ports.journal import JournalProblem, StateInUse

MARKS = (MOVED, ARRIVING)
LEFT = "identity-moved"
"""The name of the old identity folder. No bot may ever use its Matrix device again."""
DRAFT = "moving"


class MoveRefused(JournalProblem):
    """Nothing was moved; the text says why and what to do."""


class MovedAlready(MoveRefused):
    """Everything has been moved before."""


@dataclass(frozen=True)
class Moved:
    """The numbers of moved and compared items: rows of the journal, and files and rows of keys."""

    where: str
    rows: int
    keys: int


@dataclass(frozen=True)
class KeysAndTokens:
    """Keys and tokens: the files by their names in the identity folder, and the rows of key stores."""

    files: dict[str, bytes]
    stores: dict[str, list[tuple[str, int, bytes]]]

    @property
    def count(self) -> int:
        """The number of files and rows."""
        return len(self.files) + sum(map(len, self.stores.values()))


def into_database(settings: Settings) -> Moved:
    """Move from the state folder into the database. Raises `MoveRefused`, `StateInUse` and other `JournalProblem`s."""
    with _both(settings) as (state, database, folder):
        address = _address(settings)
        identity = identity_folder(settings)
        if not (state / FILE).exists():
            raise MoveRefused(f"There is no journal in {state}. Nothing was changed.")
        with closing(SqliteDatabase(state / FILE)) as left:
            here, there = marks(left), marks(database)
            if MOVED in here and ARRIVING not in there:
                raise MovedAlready(
                    f"The journal in {state} was moved already, into {here[MOVED]}. Nothing was changed."
                )
            if ARRIVING in here:
                raise MoveRefused(f"The journal in {state} isn't wholly there yet: end that move first (to-file).")
            if MOVED not in here:
                _refuse_used(database, there, f"The database has a journal of {address.space} that was worked on")
                _refuse_unfinished(there.get(ARRIVING, ""), state)
                belongings = _in_folder(identity)
                with database.transaction() as target, left.transaction() as source:
                    replace_rows(source, target)
                    _mark(target, ARRIVING, str(state))
                    for path, content in belongings.files.items():
                        sealed.put_file(target, folder.seal, path, content)
                    for store, rows in belongings.stores.items():
                        sealed.put_rows(target, folder.seal, f"{KEYS}/{store}", rows)
            else:
                belongings = _in_folder(identity if identity.exists() else state / LEFT)
            moved = Moved(_told(address), _compared(left, database), belongings.count)
            if _in_database(folder) != belongings:
                raise MoveRefused("Keys or tokens are not the same there as here. The journal stays where it is.")
            _mark_in(left, MOVED, _told(address))
        if identity.exists():
            _put_aside(state / LEFT)
            identity.replace(state / LEFT)
            sync_folder(state)
        _unmark(database, ARRIVING)
    return moved


def into_folder(settings: Settings) -> Moved:
    """Move from the database into the state folder. Raises like `into_database`."""
    with _both(settings) as (state, database, folder):
        address = _address(settings)
        there = marks(database)
        here = marks_of_file(state / FILE)
        if ARRIVING in there or not database.rows("SELECT 1 FROM meta WHERE name = 'token'"):
            raise MoveRefused(f"The database has no journal of {address.space} that a bot has worked on.")
        if MOVED in there and ARRIVING not in here:
            raise MovedAlready(f"The journal of {address.space} was moved already, into {there[MOVED]}.")
        if MOVED not in there:
            if (state / FILE).exists() and not (here.keys() & set(MARKS)) and _is_used(state / FILE):
                raise MoveRefused(f"There is a journal in {state} that was worked on. Nothing was changed.")
            _arrive(state, address, folder)
        with closing(SqliteDatabase(state / FILE)) as arrived:
            moved = Moved(str(state), _compared(database, arrived), _in_database(folder).count)
            if _in_folder(identity_folder(settings)) != _in_database(folder):
                raise MoveRefused("Keys or tokens are not the same there as here. The journal stays where it is.")
            _mark_in(database, MOVED, str(state))
            _unmark(arrived, ARRIVING)
    return moved


@contextmanager
def _both(settings: Settings) -> Iterator[tuple[Path, postgresql.PostgresqlDatabase, FolderInDatabase]]:
    """The state folder and the database, both locked."""
    address = _address(settings)
    lock = StateLock(settings.state)
    try:
        lease = claim(address, "fedbot journal move")
        if lease is None:
            raise StateInUse(f"{holder(address)} works for {address.space}. End it first.", None)
        try:
            with closing(postgresql.PostgresqlDatabase(lease)) as database:
                yield settings.state, database, sealed_identity(settings, database)
        finally:
            lease.release()
    finally:
        lock.release()


def _address(settings: Settings) -> Address:
    place = journal_place(settings)
    if not isinstance(place, Address):
        raise MoveRefused("The settings name no database: write journal.url and journal.sealing_key_file first.")
    return place


def _told(address: Address) -> str:
    return f"{address.url}, schema {address.schema}"


# --- the journal ---------------------------------------------------------------------------------------------


def replace_rows(source: Statements, target: Statements) -> None:
    """Copy all rows, replacing those of an interrupted move, or of a journal that was moved away since."""
    for guarded in ("audit", "audit_checkpoints"):
        target.execute(f"ALTER TABLE {guarded} DISABLE TRIGGER USER")
    for table in reversed(copies.TABLES):
        target.execute(f"DELETE FROM {table.name}")  # noqa: S608 -- our own names
    target.execute("DELETE FROM sealed_files")
    target.execute("DELETE FROM sealed_rows")
    copies.copy(source, target)
    postgresql.take_over_numbers(target, dict(source.execute("SELECT name, seq FROM sqlite_sequence").fetchall()))
    for guarded in ("audit", "audit_checkpoints"):
        target.execute(f"ALTER TABLE {guarded} ENABLE TRIGGER USER")


def _compared(left: Database, arrived: Database) -> int:
    """The number of rows that both have. Raises `MoveRefused` if any differ."""
    before, after = _counted(left), _counted(arrived)
    unlike = [table for table, counted in before.items() if after[table] != counted]
    if unlike:
        raise MoveRefused(f"Not the same there as here: {', '.join(unlike)}. The journal stays where it is.")
    return sum(counted.rows for counted in before.values())


def _counted(database: Database) -> dict[str, Counted]:
    with database.transaction() as connection:
        bookkeeping = sqlite.BOOKKEEPING if isinstance(database, SqliteDatabase) else postgresql.BOOKKEEPING
        found = audit_chain.verify(connection, bookkeeping)
        if found.broken:
            raise MoveRefused(f"The audit doesn't hold at entry {found.broken}: {found.why}.")
        return copies.counted(connection, without=MARKS)


def marks(database: Database) -> dict[str, str]:
    """The marks of a journal: `MOVED` with its new place, or `ARRIVING` with its old one."""
    return dict(database.rows("SELECT name, value FROM meta WHERE name IN (?, ?)", *MARKS))


def marks_of_file(file: Path) -> dict[str, str]:
    """The marks of the journal in this file; none if there is no file."""
    if not file.exists():
        return {}
    with closing(SqliteDatabase(file)) as database:
        return marks(database)


def _is_used(file: Path) -> bool:
    with closing(SqliteDatabase(file)) as database:
        return bool(database.rows("SELECT 1 FROM meta WHERE name = 'token'"))


def _refuse_used(database: Database, there: dict[str, str], what: str) -> None:
    if not there and database.rows("SELECT 1 FROM meta WHERE name = 'token'"):
        raise MoveRefused(f"{what}. Nothing was changed.")


def _refuse_unfinished(source: str, state: Path) -> None:
    """Raise `MoveRefused` if the database has the only working copy of another folder's journal."""
    if source and Path(source) != state and MOVED in marks_of_file(Path(source) / FILE):
        raise MoveRefused(
            f"The journal in {source} is moving into the database, and that hasn't ended. Nothing was changed. First "
            "give that command again."
        )


def _mark(connection: Statements, name: str, value: str) -> None:
    connection.execute("DELETE FROM meta WHERE name IN (?, ?)", MARKS)
    connection.execute("INSERT INTO meta (name, value) VALUES (?, ?)", (name, value))


def _mark_in(database: Database, name: str, value: str) -> None:
    with database.transaction() as connection:
        _mark(connection, name, value)


def _unmark(database: Database, name: str) -> None:
    with database.transaction() as connection:
        connection.execute("DELETE FROM meta WHERE name = ?", (name,))


def _arrive(state: Path, address: Address, folder: FolderInDatabase) -> None:
    """Write journal and identity into the state folder, the journal marked as arriving."""
    draft = state / DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=PRIVATE_FOLDER)
    make_private(draft / FILE)
    with closing(sqlite3.connect(draft / FILE, isolation_level=None)) as copy:
        postgresql.copy_to_sqlite(address, copy)
        _mark(copy, ARRIVING, _told(address))
    write_identity(folder, draft / "identity")
    for name in ("identity", FILE):
        _put_aside(state / name)
    for companion in (f"{FILE}-wal", f"{FILE}-shm"):
        (state / companion).unlink(missing_ok=True)
    (draft / "identity").replace(state / "identity")
    (draft / FILE).replace(state / FILE)
    sync_folder(state)
    draft.rmdir()


def _put_aside(path: Path) -> None:
    """Rename it, because no key is ever deleted."""
    if path.exists():
        path.replace(path.with_name(f"{path.name}-unused-{secrets.token_hex(4)}"))


# --- keys and tokens -----------------------------------------------------------------------------------------


def _in_folder(identity: Path) -> KeysAndTokens:
    """Read an identity folder. Raises `MoveRefused` if it has no signing key."""
    if not (identity / SEED_FILE).exists():
        raise MoveRefused(f"There is no signing key in {identity}. Nothing was changed.")
    found = KeysAndTokens({}, {})
    for path in sorted(identity.rglob("*")):
        if path.parent == identity / KEYS and path.suffix == ".db":
            with closing(sqlite3.connect(path)) as store:
                found.stores[path.name] = rows_of(store)
        elif path.is_file() and not path.name.endswith((".new", "-journal", "-wal", "-shm")):
            found.files[path.relative_to(identity).as_posix()] = path.read_bytes()
    return found


def _in_database(folder: FolderInDatabase) -> KeysAndTokens:
    files = {str(name): (folder / str(name)).read_bytes() for (name,) in _names(folder)}
    keys = folder.within(KEYS)
    return KeysAndTokens(files, {store: of_keys(keys.rows(store)) for store in keys.stores()})


def _names(folder: FolderInDatabase) -> list[tuple[str]]:
    return folder.database.rows("SELECT name FROM sealed_files ORDER BY name")


def write_identity(folder: FolderInDatabase, target: Path) -> None:
    """Write the identity from the database into a new folder."""
    belongings = _in_database(folder)
    target.mkdir(mode=PRIVATE_FOLDER)
    for name, content in belongings.files.items():
        for parent in reversed((target / name).relative_to(target).parents):
            (target / parent).mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        write_whole(target / name, content)
    for store, rows in belongings.stores.items():
        make_private(target / KEYS / store)
        opened = SqliteStore("", "", str(target / KEYS), database_name=store)
        try:
            put_rows(opened.database.connection(), rows)
        finally:
            opened.database.close()
