"""A bot as an admin runs it: `fedbot run --config …` as a process that can be started, awaited, stopped and killed."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import time
from asyncio.subprocess import PIPE, STDOUT
from contextlib import closing
from pathlib import Path
from typing import Any

from fedbot.config.settings import HEALTH_SOCKET
from fedbot.journal.copies import FILE as JOURNAL
from fedbot.web.asking import ask
from fedbot_demo.leash import LeashedProcess

_LOOK_EVERY_S = 0.1
READY_WITHIN_S = 30.0


class BotEndedError(RuntimeError):
    """The bot ended, or never got ready. The message holds the end of its log."""


class BotProcess:
    """One bot, with its settings in `config`, its state in `state` and its output in `log`.

    `start` and `stop` may be repeated. The bot continues from its state, as on a real machine.
    """

    def __init__(self, config: Path, state: Path, log: Path) -> None:
        self.config = config
        self.state = state
        self._process = LeashedProcess("fedbot", ["run", "--config", str(config)], log=log, folder=config.parent)

    @property
    def log(self) -> Path:
        """The bot's log file; it grows over restarts."""
        return self._process.log

    @property
    def pid(self) -> int | None:
        """The process id of the running or last bot."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is running."""
        return self._process.is_running

    @property
    def exit_code(self) -> int | None:
        """The exit code (negative: the signal), or None while it runs."""
        return self._process.exit_code

    async def start(self, timeout: float | None = None) -> None:
        """Start it and wait until it receives events from the homeserver.

        Raises:
            BotEndedError: It ended, or wasn't ready within `timeout` seconds (`READY_WITHIN_S`).
        """
        timeout = READY_WITHIN_S if timeout is None else timeout
        await self.begin()
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.is_running:
                raise BotEndedError(f"The bot ended with {self.exit_code}. The end of {self.log}:\n{self.log_tail()}")
            if ((await self.health()) or {}).get("matrix"):
                return
            await asyncio.sleep(_LOOK_EVERY_S)
        await self.stop()
        raise BotEndedError(f"The bot wasn't ready in {timeout:g} s. The end of {self.log}:\n{self.log_tail()}")

    async def has_read_of(self, spaces: set[str], timeout: float) -> None:
        """Wait until the bot's journal holds the announcements of the spaces with these ids.

        Raises:
            TimeoutError: It didn't within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while lacking := spaces - self._known():
            if time.monotonic() > deadline:
                raise TimeoutError(f"It hasn't read of {sorted(lacking)} in {timeout:g} s; its log is {self.log}")
            await asyncio.sleep(_LOOK_EVERY_S)

    def _known(self) -> set[str]:
        with closing(sqlite3.connect(f"file:{self.state / JOURNAL}?mode=ro", uri=True)) as journal:
            found = journal.execute("SELECT payload FROM all_documents WHERE kind = 'Announcement'").fetchall()
        return {party["id"] for (text,) in found for party in json.loads(text)["parties"]}

    async def begin(self) -> None:
        """Start it without waiting, for a test that expects it to end by itself (`ended`)."""
        await self._process.start()

    async def ended(self, timeout: float = 30.0) -> int:
        """Wait for it to end by itself; return its exit code. Raise TimeoutError if it doesn't."""
        return await self._process.ended(timeout)

    async def stop(self, grace: float = 10.0) -> None:
        """Ask it to end; kill it after `grace` seconds. Do nothing if it isn't running."""
        await self._process.stop(grace)

    async def kill(self) -> None:
        """Kill it, as a power cut would."""
        await self._process.kill()

    async def health(self) -> dict[str, Any] | None:
        """The reply that `fedbot health` gets; None if the bot doesn't answer."""
        return await asyncio.to_thread(ask, self.state / HEALTH_SOCKET)

    async def give_token(self, name: str, token: str) -> None:
        """Run `fedbot credentials add NAME` with the token on its standard input.

        Raises:
            BotEndedError: The bot refused it.
        """
        command = [sys.executable, "-m", "fedbot", "credentials", "--config", str(self.config), "add", name]
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=STDOUT)
        said, _ = await process.communicate(token.encode())
        if process.returncode:
            raise BotEndedError(f"The token for {name} was not taken: {said.decode()}")

    def log_tail(self) -> str:
        """The last lines of its log."""
        return self._process.log_tail()
