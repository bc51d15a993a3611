"""A person who answers `fedbot` at a terminal of its own: what it asks is read, what is typed ends with Enter."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 40.0
_QUESTION = re.compile(r"\[(\d)/8\] ")


class Typist:
    """One command at a pseudo-terminal. `screen` is all that it has shown."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self._process = process
        self._terminal = terminal
        self._read_to = 0
        self._changed = asyncio.Event()
        self._has_hung_up = False
        self.screen = ""
        self.patience_s = PATIENCE_S
        asyncio.get_running_loop().add_reader(terminal, self._read)

    def _read(self) -> None:
        try:
            shown = os.read(self._terminal, 65536)
        except OSError:  # the other end is closed
            shown = b""
        if not shown:
            self._has_hung_up = True
            asyncio.get_running_loop().remove_reader(self._terminal)
        self.screen += shown.decode(errors="replace").replace("\r\n", "\n")
        self._changed.set()

    async def reads(self, words: str, *, pressing: str = "") -> str:
        """What is shown from where it was read before to these words (a regular expression).

        `pressing`: a key that is pressed again as long as nothing is shown. A signal that comes after a question was
        written, but before the answer is waited for, is only noticed with the next one.
        """
        wanted = re.compile(words, re.DOTALL)
        deadline = time.monotonic() + self.patience_s
        while not (found := wanted.search(self.screen, self._read_to)):
            if self._has_hung_up or time.monotonic() > deadline:
                raise AssertionError(f"it never said {words!r}, but:\n{self.screen[self._read_to :]}")
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), 5.0 if pressing else 0.5)
            except TimeoutError:
                if pressing:
                    self.presses(pressing)
        seen = self.screen[self._read_to : found.end()]
        self._read_to = found.end()
        return seen

    def types(self, line: str) -> None:
        """Type a line."""
        os.write(self._terminal, f"{line}\n".encode())

    def presses(self, key: str) -> None:
        """Press a key, such as Ctrl-C."""
        os.write(self._terminal, key.encode())

    async def answers(self, words: str, line: str) -> None:
        """Wait for the words, and type the line."""
        await self.reads(words)
        self.types(line)

    async def ends(self) -> int:
        """Wait for its end; the exit code."""
        async with asyncio.timeout(PATIENCE_S):
            code = await asyncio.to_thread(self._process.wait)
        await asyncio.sleep(0)
        return code

    @property
    def questions(self) -> int:
        """How many different ones it has asked."""
        return len(set(_QUESTION.findall(self.screen)))


@contextmanager
def fedbot(folder: Path, *arguments: str, **environment: str) -> Iterator[Typist]:
    """`fedbot` with these arguments in a folder, at a terminal; ended when the context is."""
    ours, its = pty.openpty()
    kept: Mapping[str, str] = {name: value for name, value in os.environ.items() if not name.startswith("FEDBOT_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "fedbot", *arguments],
        cwd=folder,
        stdin=its,
        stdout=its,
        stderr=its,
        env={**kept, "NO_COLOR": "1", "COLUMNS": "200", **environment},
        preexec_fn=lambda: os.login_tty(its),  # noqa: PLW1509 -- getpass reads from the controlling terminal
    )
    os.close(its)
    try:
        yield Typist(process, ours)
    finally:
        asyncio.get_running_loop().remove_reader(ours)
        process.kill()
        process.wait()
        os.close(ours)
