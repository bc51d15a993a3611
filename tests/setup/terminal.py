"""A person who answers `fedbot` at a pseudo-terminal: reads its questions and types lines."""

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
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 40.0
_QUESTION = re.compile(r"\[(\d)/8\] ")


@dataclass(frozen=True)
class Pace:
    """The seconds that somebody takes for a key, for a word that they read, and to begin an answer."""

    key_s: float
    word_s: float
    think_s: float

    async def types(self, line: str) -> None:
        """Wait as long as thinking about and typing a line takes."""
        await asyncio.sleep(self.think_s + self.key_s * (len(line) + 1))

    async def reads(self, text: str) -> None:
        """Wait as long as reading a text takes."""
        await asyncio.sleep(self.word_s * len(text.split()))

    async def waits(self, seconds: float) -> None:
        """Wait that long, unless the pace is instant."""
        await asyncio.sleep(seconds if self.think_s else 0)


AT_ONCE = Pace(0, 0, 0)
A_PERSON = Pace(key_s=0.2, word_s=0.25, think_s=5.5)
"""60 words a minute typed, 240 read, and 5.5 seconds (of 3 to 8) before each answer."""


class Typist:
    """One command at a pseudo-terminal. `screen` is its whole output."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int, pace: Pace) -> None:
        self._pace = pace
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
        """The output from the last read position up to these words (a regular expression).

        `pressing`: a key that is pressed again while nothing is shown. A signal that arrives between a question and the
        wait for its answer is only noticed with the next key.
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
        """Wait for the words, read the output so far, and type the line, key by key."""
        seen = await self.reads(words)
        await self._pace.reads(seen)
        await asyncio.sleep(self._pace.think_s)
        for key in line if self._pace.key_s else ():
            self.presses(key)
            await asyncio.sleep(self._pace.key_s)
        self.types("" if self._pace.key_s else line)

    async def ends(self) -> int:
        """Wait for its end, and until all of its output is on the screen; return the exit code."""
        async with asyncio.timeout(self.patience_s):
            code = await asyncio.to_thread(self._process.wait)
            while not self._has_hung_up:
                self._changed.clear()
                await self._changed.wait()
        return code

    @property
    def questions(self) -> int:
        """The number of different questions so far."""
        return len(set(_QUESTION.findall(self.screen)))


@contextmanager
def fedbot(folder: Path, *arguments: str, pace: Pace = AT_ONCE, **environment: str) -> Iterator[Typist]:
    """Run `fedbot` with these arguments in a folder, at a terminal, until the context ends."""
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
        yield Typist(process, ours, pace)
    finally:
        asyncio.get_running_loop().remove_reader(ours)
        process.kill()
        process.wait()
        os.close(ours)
