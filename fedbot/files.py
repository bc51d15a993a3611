"""Files with secrets or records: written completely or not at all, durably, and only readable by the bot."""

from __future__ import annotations

import errno
import logging
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Literal

from fedbot.ports.vault import File, Folder

log = logging.getLogger(__name__)

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
KEEP_FREE = 10_000_000
"""The free bytes on the state folder's disk below which it counts as full."""


def within(folder: Folder, name: str) -> Folder:
    """The subfolder of that name."""
    return folder / name if isinstance(folder, Path) else folder.within(name)


def write_whole(file: File, content: bytes, mode: int = PRIVATE_FILE) -> None:
    """Replace the file's content durably, or change nothing. The file stays private until it has its mode.

    Raises OSError, or `JournalProblem` for a file in a database.
    """
    if not isinstance(file, Path):
        file.write_whole(content)
        return
    with written_whole(file, mode) as out:
        out.write(content)


@contextmanager
def written_whole(file: Path, mode: int = PRIVATE_FILE) -> Iterator[BinaryIO]:
    """As `write_whole`, for content in pieces. An `OSError` names the file, which Python forgets if a disk is full."""
    if file.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    draft = file.absolute().with_name(f"{file.absolute().name}.{secrets.token_hex(4)}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        draft.replace(file)
    except BaseException as problem:
        if isinstance(problem, OSError) and problem.errno:  # Python forgets the file if its disk is full
            problem.filename = str(file)
        with suppress(OSError):
            draft.unlink()
        raise
    sync_folder(file.parent)


def drafts_of(file: Path) -> Iterator[Path]:
    """The drafts that crashes may have left while the file was written."""
    return file.parent.glob(f"{file.name}.*.new")


def make_private(file: Path) -> None:
    """Create the file if necessary, and close it to others, so its later content is private from the beginning."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        os.fchmod(descriptor, PRIVATE_FILE)
    finally:
        os.close(descriptor)
    sync_folder(file.parent)


def private_folder(folder: Path) -> Path:
    """The folder, created if necessary, and closed to others."""
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    close_to_others(folder, PRIVATE_FOLDER)
    return folder


def close_to_others(path: Path, mode: int = PRIVATE_FILE) -> None:
    """Take back permissions that a copy or a restore gave to others, and log it: somebody may have read it."""
    if path.stat().st_mode & 0o077:
        log.warning("%s was open to others; it is private again, but may have been read", path)
        path.chmod(mode)


def open_sqlite(file: Path, mode: Literal["ro", "rw"] = "rw") -> sqlite3.Connection:
    """Open an SQLite file that exists: none is ever created."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True)


def sync_folder(folder: Path) -> None:
    """Make new, renamed and removed names in it survive a power cut. Some file systems can't, and need not."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as problem:
        if problem.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def is_full(folder: Path) -> bool:
    """Whether the folder's disk counts as full."""
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize < KEEP_FREE


def why_unwritable(folder: Path) -> str:
    """Name the reason if nobody can write into the state folder; '' if that works."""
    if not folder.is_dir():
        return f"{folder} is not there"
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return f"{folder} can't be written by this user, or is read-only"
    if is_full(folder):
        return f"the disk of {folder} is full"
    return ""
