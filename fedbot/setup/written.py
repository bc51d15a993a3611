"""The files that `fedbot init` writes, and the service that it prints."""

from __future__ import annotations

import copy
import errno
import getpass
import importlib.resources
import os
import re
import string
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fedbot.config.loading import read_yaml, text_of
from fedbot.config.secrets import token_in
from fedbot.config.settings import LONGEST_STATE_PATH
from fedbot.files import PRIVATE_FILE, PRIVATE_FOLDER, is_full, write_whole

HEAD = """\
# fedbot: the settings of one bot, for one makerspace. `fedbot init` wrote this file and may write it again; you may
# change it, too. `fedbot init --example PATH` writes one with every setting explained. After a change: fedbot check
"""
SECRETS = "secrets"
_NAMES = {
    ("password_file", "matrix"): "matrix-password",
    ("access_token_file", "matrix"): "matrix-token",
    ("token_file", "inventree"): "inventree-token",
    ("admin_token_file", "inventree"): "inventree-admin-token",
}
_TO_BE_SET = "inventree-user-password"
"""The password that a person gives the bot's user in InvenTree, until the bot has its token."""
_FIRST = ("party", "matrix", "rooms", "admin_room", "people", "admins", "inventree", "rules")


class Files:
    """The settings file, the secret files beside it, and their present content."""

    def __init__(self, config: Path) -> None:
        """Read the existing files. Raises `ConfigRefused` for a settings file that isn't YAML."""
        self.config = config.absolute()
        self.secrets = self.config.parent / SECRETS
        self.before: dict[str, Any] = read_yaml(text_of(self.config)) if self.config.exists() else {}
        self._kept: dict[str, dict[str, str]] = {}

    def said(self, *path: str) -> Any:  # noqa: ANN401 -- anything that the file contains
        """A setting's current value; '' if there is none."""
        found: Any = self.before
        for step in path:
            found = found.get(step, "") if isinstance(found, Mapping) else ""
        return found

    @property
    def state(self) -> Path:
        """The state folder from the settings."""
        said = str(self.said("state") or os.environ.get("FEDBOT_STATE", "state"))
        return self.config.parent / Path(said).expanduser()

    def secret(self, section: str, name: str) -> str:
        """A stored secret; '' if there is none."""
        file = self._kept.get(section, {}).get(f"{name}_file") or self.said(section, f"{name}_file")
        return self._read(str(file), name) if file else ""

    def left_over(self, section: str, name: str) -> str:
        """A secret that an earlier run stored and no settings name, because it ended before it wrote them; or ''."""
        file, said = self.file_of(section, name), self.said(section, f"{name}_file")
        is_named = f"{name}_file" in self._kept.get(section, {}) or bool(said and self._path(str(said)) == file)
        return "" if is_named else self._read(str(file), name)

    def adopt(self, section: str, name: str) -> None:
        """Let the settings refer to such a secret."""
        self._kept.setdefault(section, {})[f"{name}_file"] = f"{SECRETS}/{_NAMES[f'{name}_file', section]}"

    def file_of(self, section: str, name: str) -> Path:
        """The file into which `keep` writes that secret."""
        return self.secrets / _NAMES[f"{name}_file", section]

    def _path(self, file: str) -> Path:
        return self.config.parent / os.path.expanduser(file)  # noqa: PTH111 -- Path's own raises for an unknown home

    def _read(self, file: str, name: str) -> str:
        try:
            text = self._path(file).read_text("utf-8").strip()
        except (OSError, ValueError):
            return ""
        return text if name == "password" else token_in(text)

    def keep(self, section: str, setting: str, secret: str) -> None:
        """Write a secret into a file that only this user may read, for the settings to refer to. Raises OSError."""
        self.secrets.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        name = _NAMES[setting, section]
        write_whole(self.secrets / name, f"{secret}\n".encode())
        self._kept.setdefault(section, {})[setting] = f"{SECRETS}/{name}"

    @property
    def password_to_set(self) -> str:
        """The password that a former run asked a person to set; '' if none."""
        file = self.secrets / _TO_BE_SET
        return file.read_text("utf-8").strip() if file.exists() else ""

    def keep_password_to_set(self, password: str) -> None:
        """Keep it for the next run: a person may set it only after this one has ended. Raises OSError."""
        self.secrets.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        write_whole(self.secrets / _TO_BE_SET, f"{password}\n".encode())

    def forget_password_to_set(self) -> None:
        """Delete it: nobody needs it any more."""
        (self.secrets / _TO_BE_SET).unlink(missing_ok=True)

    def merged(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The file's content with these settings replaced; a setting that is None is removed."""
        found = copy.deepcopy(self.before)
        for name, value in settings.items():
            if isinstance(value, Mapping) and name != "people":
                section = found.setdefault(name, {})
                section |= {**value, **self._kept.get(name, {})}
                found[name] = {key: each for key, each in section.items() if each is not None}
            else:
                found[name] = value
        return {name: value for name, value in found.items() if value not in (None, {}, [])}

    def says(self, settings: Mapping[str, Any]) -> bool:
        """Whether the settings file already has all of these settings."""
        return self.merged(settings) == self.before

    def try_to_write(self) -> None:
        """Raise OSError if nothing can be written here, before a person answers all the questions."""
        folder = next(each for each in self.config.parents if each.exists())
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        if is_full(folder):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        if len(bytes(self.state)) > LONGEST_STATE_PATH:
            why = f"its path is too long for a socket in it; use one of at most {LONGEST_STATE_PATH} characters"
            raise OSError(errno.ENAMETOOLONG, why, str(self.state))

    def write(self, settings: Mapping[str, Any]) -> Path | None:
        """Write the settings file, if anything is new. Return the path of the old one's copy. Raises OSError."""
        if self.says(settings):
            return None
        settings = self.merged(settings)
        self.config.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        old = None
        if self.config.exists():
            old = self.config.with_name(f"{self.config.name}.before-init")
            write_whole(old, self.config.read_bytes(), PRIVATE_FILE)
        write_whole(self.config, as_yaml(settings).encode(), PRIVATE_FILE)
        self.before = dict(settings)
        return old


def as_yaml(settings: Mapping[str, Any]) -> str:
    """The settings file, one paragraph per section."""
    names = [*(name for name in _FIRST if name in settings), *(name for name in settings if name not in _FIRST)]
    sections = (
        yaml.safe_dump({name: settings[name]}, allow_unicode=True, sort_keys=False, width=1000) for name in names
    )
    return "\n".join([HEAD, *sections])


def is_container() -> bool:
    """Whether this runs in a container."""
    return Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()


@dataclass(frozen=True)
class Service:
    """The service that keeps the bot running, its file, and the command that starts it.

    `runs_here`: `fedbot run` works in this terminal, too.
    """

    file: str
    text: str
    start: str
    runs_here: bool


def service(config: Path, state: Path) -> Service:
    """A systemd unit; in a container a service for compose."""
    if is_container():
        place = f"compose.yaml, beside the folder that is mounted as {config.parent} (here ./fedbot)"
        return Service(place, compose_service(config, state), "docker compose up -d", runs_here=False)
    program = Path(sys.argv[0]).absolute()
    if program.name != "fedbot":
        program = Path(sys.executable).with_name("fedbot")
    text = unit(config, state, program, getpass.getuser())
    return Service("/etc/systemd/system/fedbot.service", text, "sudo systemctl enable --now fedbot", runs_here=True)


def compose_service(config: Path, state: Path) -> str:
    """The service for compose: deploy/compose.yaml with these paths."""
    return _template("compose.yaml").substitute(config=config, folder=config.parent, state=state)


def unit(config: Path, state: Path, program: Path, user: str) -> str:
    """The systemd unit: deploy/fedbot.service with these paths and this user."""
    is_at_home = any(path.is_relative_to(home) for path in (config, state, program) for home in _HOMES)
    # systemd makes it, if it is where such folders belong
    makes = f"StateDirectory={state.name}\nStateDirectoryMode=0700\n" if state.parent == _STATE_FOLDERS else ""
    return _template("fedbot.service").substitute(
        program=_word(program),
        config=_word(config),
        folder=config.parent,
        written=f"{_word(f'-{config.parent / SECRETS}')} {_word(f'-{state}')}",
        state=state,
        environment=_word(f"FEDBOT_STATE={state}"),
        state_directory=makes,
        user=user,
        protect_home="read-only" if is_at_home else "yes",
    )


_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
"""The folders that `ProtectHome` hides."""
_STATE_FOLDERS = Path("/var/lib")


def _template(name: str) -> string.Template:
    return string.Template(importlib.resources.files("fedbot.setup").joinpath(name).read_text("utf-8"))


def _word(said: Path | str) -> str:
    """The text as one word of a unit file: `%` and quotation marks mean something there, and spaces end a word."""
    text = str(said).replace("%", "%%")
    return text if re.fullmatch(r"[^\s\"'\\;]+", text) else '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
