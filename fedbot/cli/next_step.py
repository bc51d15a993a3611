"""`fedbot` alone: what to do next."""

from __future__ import annotations

import argparse

from fedbot.check.findings import has_passed
from fedbot.cli.exits import Exit
from fedbot.cli.settings_file import find_config, settings_of, typed
from fedbot.web.asking import ask

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
