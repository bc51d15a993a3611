"""A bot as in real life, except that it kills itself at the points that it is told (`points`).

It is forked from a server process that has already imported everything, so a restart takes a tenth of a second.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from fedbot.config.settings import HEALTH_SOCKET
from fedbot.web.asking import ask

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["fedbot.engine.bot", "fedbot.cli.main", "fedbot.hub.worker", "tests.crash.points"])
_LOOK_EVERY_S = 0.02
KILLED = -9


def run(folder: Path) -> None:
    """Run `fedbot run` in this process with its points installed."""
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    log = os.open(folder / "bot.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    from fedbot.cli import main as cli  # noqa: PLC0415 -- imported by the server already
    from tests.crash import points  # noqa: PLC0415

    points.install(folder)
    sys.exit(cli.main(["run", "--config", str(folder / "config.yaml")]))


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


class CrashingBot:
    """A bot that is started again whenever it was killed; each death is counted.

    `at_death` is called before each new start.
    """

    def __init__(self, folder: Path, at_death: Callable[[], None]) -> None:
        self.folder = folder
        self._at_death = at_death
        self.deaths = 0
        self._process: ForkServerProcess | None = None
        self._reviving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it, and again after each death, until `stop`."""
        self._begin()
        self._reviving = asyncio.create_task(self._revive())

    def _begin(self) -> None:
        self._process = _CONTEXT.Process(target=run, args=(self.folder,))
        self._process.start()

    async def _revive(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            code = self._process.exitcode if self._process else None
            if code is None:
                continue
            if code != KILLED:
                raise AssertionError(f"the bot in {self.folder} ended with {code}:\n{self.log_tail()}")
            self.deaths += 1
            await asyncio.to_thread(self._at_death)
            self._begin()

    def check(self) -> None:
        """Raise the error that ended it for good."""
        if self._reviving is not None and self._reviving.done():
            self._reviving.result()

    async def is_up(self, timeout: float = 30.0) -> None:
        """Wait until it receives events from the homeserver."""
        deadline = time.monotonic() + timeout
        while not ((await asyncio.to_thread(ask, self.folder / "state" / HEALTH_SOCKET)) or {}).get("matrix"):
            self.check()
            if time.monotonic() > deadline:
                raise AssertionError(f"the bot in {self.folder} isn't up:\n{self.log_tail()}")
            await asyncio.sleep(_LOOK_EVERY_S)

    async def stop(self) -> None:
        """End it in order."""
        if self._reviving is not None:
            self._reviving.cancel()
            await asyncio.wait({self._reviving})
        process: Any = self._process
        if process is not None:
            process.terminate()
            await asyncio.to_thread(process.join, 10)
            process.kill()
            await asyncio.to_thread(process.join)

    def log_tail(self, lines: int = 40) -> str:
        """The last lines of its log."""
        log = self.folder / "bot.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""
