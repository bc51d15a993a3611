"""Remembers that the check found everything good, for exactly these settings: `fedbot` alone then says `run`."""

from __future__ import annotations

import hashlib

from fedbot.config import Settings

_FILE = "checked"


def remember(settings: Settings) -> None:
    """Everything was good, with the settings as the file says them now."""
    (settings.state / _FILE).write_text(_fingerprint(settings))


def has_passed(settings: Settings) -> bool:
    """Whether that is so for the settings as they are; a change in the file makes it no."""
    try:
        return (settings.state / _FILE).read_text() == _fingerprint(settings)
    except OSError:
        return False


def _fingerprint(settings: Settings) -> str:
    return hashlib.sha256(settings.source.read_bytes()).hexdigest() + "\n"
