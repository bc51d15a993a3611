"""Asking questions: a person at a terminal, or a file of answers."""

from __future__ import annotations

import os
import re
import select
import shutil
import sys
import textwrap
from collections.abc import Awaitable, Callable, Mapping
from getpass import getpass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from fedbot import logs

QUESTIONS = 8
_WIDEST = 100
_HEAD = re.compile(r"\s*(?:[•✓✗!]|\d+\.)? +")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

T = TypeVar("T")


class BadAnswer(Exception):
    """The answer can't be used. The text says why, and what to answer."""


class Stopped(Exception):
    """Nobody can answer. The text says what to do."""


class Asker(Protocol):
    """The person or file that answers."""

    async def ask(
        self, key: str, text: str, test: Callable[[str], Awaitable[T]], *, default: str = "", last: bool = False
    ) -> T:
        """Ask until `test` accepts an answer, and return its result. `test` refuses an answer with `BadAnswer`.

        `key` is the answer's name in a file. `default` replaces an empty answer. Raises `Stopped`.
        """

    def secret(self, key: str, text: str) -> str:
        """Ask for a secret as part of the current question, without showing it. It may be empty."""

    def say(self, *paragraphs: str) -> None:
        """Show these paragraphs."""

    def wait(self, text: str) -> None:
        """Wait until a person has done what the text says. Raises `Stopped` if there is nobody."""

    def has_typed(self) -> bool:
        """Whether the person has typed a line that nobody has read yet. The next question reads it."""


class Terminal:
    """A person at a terminal."""

    def __init__(self) -> None:
        self.asked = 0

    async def ask(
        self, key: str, text: str, test: Callable[[str], Awaitable[T]], *, default: str = "", last: bool = False
    ) -> T:
        """See `Asker`."""
        del key
        self.asked = QUESTIONS if last else self.asked + 1
        head = f"\n[{self.asked}/{QUESTIONS}] "
        prompt = _wrapped(f"{text} [{default}]:" if default else f"{text}:")
        while True:
            said = self._read(f"{head}{prompt} ").strip()
            try:
                return await test(said or default)
            except BadAnswer as problem:
                self.say(f"✗ {problem}")
                head = ""

    def _read(self, prompt: str) -> str:
        try:
            return input(prompt)
        except EOFError:
            raise Stopped(
                "There is nobody to answer. At a terminal: fedbot init; in a script: --answers FILE."
            ) from None

    def secret(self, key: str, text: str) -> str:
        """See `Asker`."""
        del key
        try:
            said = getpass(f"      {text}: ").strip()
        except EOFError:
            raise Stopped("There is nobody to answer.") from None
        logs.keep_secret(said)
        return said

    def say(self, *paragraphs: str) -> None:
        """See `Asker`."""
        for paragraph in paragraphs:
            print(_wrapped(paragraph), flush=True)

    def wait(self, text: str) -> None:
        """See `Asker`."""
        self._read(f"\n{_wrapped(text)} ")

    def has_typed(self) -> bool:
        """See `Asker`."""
        return bool(select.select([sys.stdin], [], [], 0)[0])


class Answers:
    """A file of answers, for automation. Secrets may be in separate files (`KEY_file`) or in `${VARIABLES}`."""

    def __init__(self, answers: Mapping[str, Any], folder: Path, environment: Mapping[str, str] = os.environ) -> None:
        """`folder`: relative paths in the file start here."""
        self._answers = dict(answers)
        self._folder = folder
        self._environment = environment

    async def ask(
        self, key: str, text: str, test: Callable[[str], Awaitable[T]], *, default: str = "", last: bool = False
    ) -> T:
        """See `Asker`."""
        del last
        said = self._value(key) or default
        self.say(f"{text}: {said}")
        try:
            return await test(said)
        except BadAnswer as problem:
            raise Stopped(f"{key}: {problem}") from None

    def secret(self, key: str, text: str) -> str:
        """See `Asker`."""
        del text
        said = self._value(key)
        logs.keep_secret(said)
        return said

    def say(self, *paragraphs: str) -> None:
        """See `Asker`."""
        for paragraph in paragraphs:
            print(paragraph, flush=True)

    def wait(self, text: str) -> None:
        """See `Asker`."""
        del text
        raise Stopped("Somebody has to do that by hand. Run it again when it is done.")

    def has_typed(self) -> bool:
        """See `Asker`: nobody types."""
        return False

    def _value(self, key: str) -> str:
        file = self._answers.get(f"{key}_file")
        if file is not None:
            try:
                return (self._folder / str(file)).read_text("utf-8").strip()
            except (OSError, ValueError) as problem:
                raise Stopped(f"{key}_file: {file} can't be read ({problem}).") from None
        value = self._answers.get(key, "")
        said = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        return _VARIABLE.sub(self._variable, said).strip()

    def _variable(self, found: re.Match[str]) -> str:
        if found[1] not in self._environment:
            raise Stopped(f"Set the environment variable {found[1]}, which the answers name.")
        return self._environment[found[1]]


KEYS = (
    "inventree",
    "superuser",
    "superuser_password",
    "superuser_token",
    "name",
    "bot",
    "bot_password",
    "rooms",
    "people",
    "keep_superuser",
    "go",
)
"""The keys allowed in a file of answers; secrets also as `…_file`."""


def unknown_keys(answers: Mapping[str, Any]) -> list[str]:
    """The keys in the file that belong to no question."""
    return sorted(str(key) for key in answers if str(key).removesuffix("_file") not in KEYS)


async def yes_or_no(said: str) -> bool:
    """A test for `ask`: yes or no."""
    match said.strip().lower():
        case "y" | "yes" | "j" | "ja" | "true":
            return True
        case "n" | "no" | "nein" | "false":
            return False
    raise BadAnswer("Answer y or n.")


def _wrapped(text: str) -> str:
    """The text wrapped to the terminal's width, except addresses to copy. A bullet's or number's lines are indented."""
    width = min(_WIDEST, shutil.get_terminal_size().columns)
    lines = []
    for line in text.split("\n"):
        if len(line) <= width or line.lstrip().startswith("http"):
            lines.append(line)
            continue
        found = _HEAD.match(line)
        hang = " " * len(found[0]) if found else ""
        lines += textwrap.wrap(line, width, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)
