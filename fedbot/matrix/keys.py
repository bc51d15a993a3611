"""The store of our device's keys, in a folder of the identity folder that nobody else can read."""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import quote

from nio.crypto import ENCRYPTION_ENABLED

from fedbot.files import PRIVATE_FOLDER, make_private, sync_folder, write_whole
from fedbot.logs import keep_secret
from fedbot.ports.chat import ChatRefused
from fedbot.ports.journal import JournalUnwritable
from fedbot.ports.vault import Folder, SealedFolder

if ENCRYPTION_ENABLED:
    from nio.crypto import Olm
    from nio.store import SqliteStore
    from peewee import PeeweeException

    from fedbot.matrix.sealed_keys import SealedStore

log = logging.getLogger(__name__)

_PICKLE_KEY = "pickle.key"


def open_machine(folder: Folder, user: str, device: str) -> Any:  # noqa: ANN401 -- nio has no types
    """Nio's `Olm` for this device, with the store in `folder`, or with a new one if none there belongs to this device.

    Raises `ChatRefused` if nio was installed without its encryption libraries, and `JournalUnwritable`.
    """
    if not ENCRYPTION_ENABLED:
        raise ChatRefused(
            "The installed matrix-nio can't read encrypted rooms. Install what it needs for that, with the Python "
            "that runs fedbot: python -m pip install 'matrix-nio[e2e]'",
            "no-encryption",
        )
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
        with closing(sqlite3.connect(f"file:{quote(str(store))}?mode=rw", uri=True)) as opened:
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


KEYS = "matrix-keys"
"""The folder in the identity folder for the keys of encrypted rooms."""
STORE = "device.db"
"""The file in it: nio's store, with our device's keys and all room keys."""
_EARLIER = "earlier-*.db"


def private_folder(folder: Path) -> Path:
    """The folder, created if it doesn't exist, and private."""
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    folder.chmod(PRIVATE_FOLDER)
    return folder


def set_aside(folder: Folder) -> None:
    """Set aside the store in `folder`, whose device is gone. Its room keys still decrypt old messages.

    An older copy must never be used again: it would use keys twice, and lacks newer ones.
    """
    if not isinstance(folder, Path):
        if STORE in folder.stores():
            folder.rename_store(STORE, _EARLIER.replace("*", token_hex(4)))
        return
    store = folder / STORE
    if store.exists():
        store.replace(folder / _EARLIER.replace("*", token_hex(4)))
        sync_folder(folder)


def earlier_stores(folder: Path) -> list[Path]:
    """The stores that `set_aside` has left."""
    return sorted(folder.glob(_EARLIER))


def copy_store(source: Path, target: Path) -> None:
    """Copy a store that a bot may be writing to. Raises sqlite3.Error."""
    make_private(target)
    with (
        closing(sqlite3.connect(f"file:{quote(str(source))}?mode=rw", uri=True)) as store,
        closing(sqlite3.connect(target)) as copy,
    ):
        store.backup(copy)
