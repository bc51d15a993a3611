"""How the commands end: exit codes, and the one sentence that says what to do next."""

from __future__ import annotations

import argparse
from enum import IntEnum

from fedbot.check.findings import has_passed
from fedbot.cli.settings_file import find_config, settings_of, typed
from fedbot.web.asking import ask


class Exit(IntEnum):
    """How a command ended. A test compares these with docs/cli.md."""

    OK = 0
    FAILED = 1
    USAGE = 2
    STATE_IN_USE = 3
    HISTORY_WITHOUT_STATE = 4
    SIGNED_OUT = 5
    ACCOUNT_TAKEN = 6
    UNWRITABLE = 7


EXITS = {
    Exit.OK: "success",
    Exit.FAILED: "failed; the message says why",
    Exit.USAGE: "the command line or the settings are wrong",
    Exit.STATE_IN_USE: "another process uses the state folder",
    Exit.HISTORY_WITHOUT_STATE: "the account has a history, but its state, or the key in it, is lost",
    Exit.SIGNED_OUT: "Matrix no longer takes the bot's token",
    Exit.ACCOUNT_TAKEN: "another fedbot uses this Matrix account now",
    Exit.UNWRITABLE: "the state folder can't be written: no space, or read-only",
}


# --- `fedbot` alone: what to do next.

# --- the commands ------------------------------------------------------------------------------------------


def next_step(given: argparse.Namespace) -> Exit:
    """What to do next: as far as it can be told without asking anybody."""
    path = find_config(given)
    if not path.exists():
        print(f"There are no settings yet ({path}). Next: {typed(given, 'init')}")
        return Exit.OK
    settings = settings_of(given, "warning")
    if ask(settings.health_socket) is not None:
        print(f"The bot of {settings.party.name} is running. How it is: {typed(given, 'health')}")
    elif has_passed(settings):
        print(f"Settings and access were good when last checked. Next: {typed(given, 'run')}")
    else:
        print(f"{path} is fine so far. Next, look whether Matrix and InvenTree are ready: {typed(given, 'check')}")
    return Exit.OK
