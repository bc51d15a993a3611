"""The folder, within the identity folder, of what encrypted rooms need: our device's keys, and all room keys."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

from fedbot.files import PRIVATE_FOLDER, make_private, sync_folder

KEYS = "matrix-keys"
"""The folder, within the identity folder, of what encrypted rooms need."""
STORE = "device.db"
"""In it: nio's store, with our device's keys and all room keys."""
_EARLIER = "earlier-*.db"


def private_folder(folder: Path) -> Path:
    """The folder, made if need be, and closed to others."""
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    folder.chmod(PRIVATE_FOLDER)
    return folder


def set_aside(folder: Path) -> None:
    """The store in `folder` is none of a living device any more; the room keys in it are still good to read by.

    An older copy must never be gone on with: it would use keys a second time, and lacks those that came since.
    """
    store = folder / STORE
    if store.exists():
        store.replace(folder / _EARLIER.replace("*", token_hex(4)))
        sync_folder(folder)


def earlier_stores(folder: Path) -> list[Path]:
    """What `set_aside` has left."""
    return sorted(folder.glob(_EARLIER))


def copy_store(source: Path, target: Path) -> None:
    """Copy a store that a bot may be writing to. Raises sqlite3.Error."""
    make_private(target)
    with (
        closing(sqlite3.connect(f"file:{quote(str(source))}?mode=rw", uri=True)) as store,
        closing(sqlite3.connect(target)) as copy,
    ):
        store.backup(copy)
