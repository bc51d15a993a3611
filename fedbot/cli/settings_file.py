"""Finds and loads the settings file of a command, and prints without secrets."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from fedbot import logs
from fedbot.cli.parser import DEFAULT_CONFIG, DEFAULT_HUB, SYSTEM
from fedbot.config.loading import load
from fedbot.config.settings import Settings


def find_config(given: argparse.Namespace, default: Path = DEFAULT_CONFIG, variable: str = "FEDBOT_CONFIG") -> Path:
    """The settings file by `--config`, the environment variable, or its usual places. It need not exist."""
    if "config" in given:
        chosen: Path = given.config
        return chosen
    if os.environ.get(variable):
        return Path(os.environ[variable])
    return next((path for path in (default, SYSTEM / default) if path.exists()), default)


def find_hub(given: argparse.Namespace) -> Path:
    """The settings file of a hub, found in the same way."""
    return find_config(given, DEFAULT_HUB, "FEDBOT_HUB")


def settings_of(given: argparse.Namespace, level: str = "") -> Settings:
    """Load the settings, and set up the log without their secrets. Raises `ConfigRefused`."""
    settings = load(find_config(given))
    as_json = getattr(given, "log_json", False) or settings.log.format == "json"
    logs.configure(level or settings.log.level, settings.secrets(), as_json=as_json)
    return settings


def typed(given: argparse.Namespace, command: str) -> str:
    """The command to type, with `--config` if it was given."""
    return f"{program()} {command}" + (f" --config {given.config}" if "config" in given else "")


def program() -> str:
    """The word to type for this fedbot: its path, if the shell wouldn't find it or would find another one."""
    called = Path(sys.argv[0])
    if called.name != "fedbot":
        return "fedbot"
    found = shutil.which("fedbot")
    is_found = found is not None and Path(found).resolve() == called.resolve()
    return "fedbot" if is_found else str(called)


def told(*parts: str) -> str:
    """The parts, joined by `: `, each redacted alone: in one text the word after `token:` would count as a secret."""
    return ": ".join(logs.redact(part) for part in parts if part)
