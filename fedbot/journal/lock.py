"""Exclusive use of a state folder: two bots on one journal would do everything twice."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from fedbot.files import PRIVATE_FILE, PRIVATE_FOLDER
from fedbot.ports.journal import JournalUnwritable, StateInUse


class StateLock:
    """The file `lock` of a state folder, locked while this object (or the process) lives. It contains our process id.

    The kernel releases the lock when the process ends, for any reason. So a left-over file locks nobody out.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock. Raises `StateInUse` if another process has it, `JournalUnwritable`."""
        self.path = folder / "lock"
        try:
            folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        except OSError as problem:
            raise unwritable(folder, problem) from problem
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            pid = self._holder()
            os.close(self._file)
            whose = f"by the process {pid}" if pid else "by another process"
            raise StateInUse(
                f"The state folder {folder} is in use {whose}. End that one first, or use another folder.",
                pid,
            ) from problem
        try:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        except OSError as problem:
            os.close(self._file)
            raise unwritable(folder, problem) from problem

    def _holder(self) -> int | None:
        written = os.pread(self._file, 20, 0).strip()
        return int(written) if written.isdigit() else None

    def release(self) -> None:
        """Release the lock. The file stays, because another process may have locked it just now."""
        os.close(self._file)


def unwritable(folder: Path, problem: OSError) -> JournalUnwritable:
    """The error for a state folder in which a file can't be created or written."""
    return JournalUnwritable(
        f"The state folder {folder} can't be written ({problem.strerror}). Nothing was changed. Make room on the disk, "
        "or make the folder writable for fedbot's user; then try again."
    )
