"""Which settings file a command means, and what it prints, without secrets."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from fedbot import logs
from fedbot.cli.parser import DEFAULT_CONFIG, DEFAULT_HUB, SYSTEM
from fedbot.config.loading import load
from fedbot.config.settings import Settings


def find_config(
    given: argparse.Namespace,
    default: Path = DEFAULT_CONFIG,
    variable: str = "FEDBOT_CONFIG",
    environment: Mapping[str, str] = os.environ,
) -> Path:
    """The settings file that is meant; it need not exist."""
    if "config" in given:
        chosen: Path = given.config
        return chosen
    if environment.get(variable):
        return Path(environment[variable])
    return next((path for path in (default, SYSTEM / default) if path.exists()), default)


def find_hub(given: argparse.Namespace) -> Path:
    """The same of the settings of a hub."""
    return find_config(given, DEFAULT_HUB, "FEDBOT_HUB")


def settings_of(given: argparse.Namespace, level: str = "") -> Settings:
    """The settings, and the log set up with their secrets. Raises `ConfigRefused`."""
    settings = load(find_config(given))
    as_json = getattr(given, "log_json", False) or settings.log.format == "json"
    logs.configure(level or settings.log.level, settings.secrets(), as_json=as_json)
    return settings


def typed(given: argparse.Namespace, command: str) -> str:
    """The command as it is to be typed, with the settings file if it was given."""
    return f"{program()} {command}" + (f" --config {given.config}" if "config" in given else "")


def program() -> str:
    """How this fedbot is called: by its path where the shell wouldn't find it, or would find another one."""
    called = Path(sys.argv[0])
    if called.name != "fedbot":
        return "fedbot"
    found = shutil.which("fedbot")
    is_found = found is not None and Path(found).resolve() == called.resolve()
    return "fedbot" if is_found else str(called)


def told(*parts: str) -> str:
    """The parts, each without secrets: in one text a word behind `token:` would be taken for one."""
    return ": ".join(logs.redact(part) for part in parts if part)
