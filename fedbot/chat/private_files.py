"""Files of the identity folder that the Matrix edge keeps: written whole, readable by the bot alone."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700

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


def make_private(file: Path) -> None:
    """The file, made empty if need be, and closed to others: what is put into it later is private from the first."""
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE))
    file.chmod(PRIVATE_FILE)


def write_private(file: Path, text: str) -> None:
    """The file has this text, durably, or is as it was."""
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename durable; some file systems can't do that for a folder, and need not."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- the store of keys, as a file --------------------------------------------------------------------------


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
