"""Reads secrets: from the environment (`${NAME}`), a file (`…_file`) or, with a warning, the settings."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fedbot.config.problems import SECRET_SETTINGS, Problem

FILE = "_file"
_VARIABLE = re.compile(r"\$(?:\$\{|\{([A-Za-z_][A-Za-z0-9_]*)\})")
TOKENS = SECRET_SETTINGS - {"password"}
LARGEST = 1_000_000
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def content_of(file: Path) -> str:
    """The text of a small file of an admin's. Raises OSError and UnicodeDecodeError.

    The running bot reads such files again. It doesn't wait for a named pipe, and fills no memory from a device.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, encoding="utf-8") as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is a pipe or a device")
        text = opened.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise OSError(errno.EFBIG, f"it has more than {LARGEST} characters")
    return text


def token_in(text: str) -> str:
    """The token in `text`: alone, or in InvenTree's JSON answer; '' if there is none."""
    text = text.strip()
    if text.startswith("{"):
        try:
            text = str(json.loads(text).get("token", ""))
        except ValueError:
            return ""
    return text if text.isascii() and text.isprintable() and " " not in text else ""


class SecretSources:
    """Fills in the secrets that the settings refer to, and collects `problems` and `warnings`."""

    def __init__(self, source: Path, environment: Mapping[str, str] | None) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._source = source
        self._environment = environment

    def filled(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return `raw` with secrets filled in. For a failure, note a problem and use a placeholder."""
        self._warn_of_literals(raw)
        expanded = {key: self._expanded(value, key) for key, value in raw.items()}
        for name, section in expanded.items():
            if isinstance(section, dict):
                self._read_files(name, section)
        return expanded

    def _expanded(self, value: object, path: str) -> object:
        if isinstance(value, str):
            return _VARIABLE.sub(lambda found: self._variable(found, path), value)
        if isinstance(value, dict):
            return {key: self._expanded(inner, f"{path}.{key}") for key, inner in value.items()}
        if isinstance(value, list):
            return [self._expanded(inner, f"{path}.{place}") for place, inner in enumerate(value)]
        return value

    def _variable(self, found: re.Match[str], path: str) -> str:
        name = found[1]
        if name is None:
            return "${"  # written as $${
        if self._environment is None:
            advice = f"write it into a file in this folder and give {path}{FILE}: the environment is the hub's"
        elif name not in self._environment:
            advice = f"set the environment variable {name} before fedbot starts"
        else:
            return self._environment[name]
        self.problems.append(Problem(path, f"${{{name}}}", advice))
        return "unset"

    def _read_files(self, name: str, section: dict[str, Any]) -> None:
        for secret in sorted(SECRET_SETTINGS):
            file = section.get(secret + FILE)
            if not isinstance(file, str):
                continue
            path = f"{name}.{secret}{FILE}"
            if section.get(secret) is not None:
                self.problems.append(Problem(f"{name}.{secret}", "given twice", f"keep it or {path}"))
                continue
            section[secret] = self._content(path, Path(file), is_token=secret in TOKENS)

    def _content(self, path: str, file: Path, *, is_token: bool) -> str:
        """The file's content without the final line break; after a problem, a placeholder."""
        try:
            file = self._source.parent / file.expanduser()
            mode = file.stat().st_mode
            content = content_of(file).strip()
        except FileNotFoundError:
            self.problems.append(Problem(path, str(file), "there is no such file; write the secret into it, mode 0600"))
        except RuntimeError:  # a user without a home, as in a container
            self.problems.append(Problem(path, str(file), "~ leads nowhere here; write the whole path"))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "it isn't text"
            self.problems.append(
                Problem(path, str(file), f"can't be read ({reason}); make it readable for fedbot's user")
            )
        else:
            if not content:
                self.problems.append(Problem(path, str(file), "the file is empty; write the secret into it"))
            elif is_token and not token_in(content):
                advice = "there is no token in it; a token is one line without spaces"
                self.problems.append(Problem(path, str(file), advice))
            elif mode & _OTHERS:
                self.warnings.append(Problem(path, str(file), f"others may read it; chmod 600 {file}"))
            return (token_in(content) if is_token else content) or "empty"
        return "unreadable"

    def _warn_of_literals(self, raw: dict[str, Any]) -> None:
        literals = [
            f"{name}.{secret}"
            for name, section in raw.items()
            if isinstance(section, dict)
            for secret in sorted(SECRET_SETTINGS)
            if isinstance(section.get(secret), str) and not _VARIABLE.search(section[secret])
        ]
        self.warnings += [
            Problem(
                path,
                "a secret in the settings",
                f"write it into a file and give {path}{FILE}, or use ${{NAME}}",
            )
            for path in literals
        ]
        if literals and self._source.stat().st_mode & _OTHERS:
            self.warnings.append(
                Problem("", str(self._source), f"holds a secret and others may read it; chmod 600 {self._source}")
            )
