"""`fedbot reconcile`: let the running bot reconcile its books."""

from __future__ import annotations

import argparse
import json

from fedbot import logs
from fedbot.cli.exits import Exit, refused
from fedbot.cli.settings_file import settings_of
from fedbot.web.asking import order


def reconcile(given: argparse.Namespace) -> Exit:
    """Let the running bot reconcile its books, and print the result."""
    settings = settings_of(given, "warning")
    answer = order(settings.health_socket, "reconcile", space=given.space, repair=given.repair)
    answer = answer or {"problem": f"The bot isn't running (nobody answers in {settings.state}). Start it: fedbot run"}
    found = answer.get("told", [])
    if given.json:
        print(logs.redact(json.dumps(answer, ensure_ascii=False)))
    elif answer["problem"]:
        return refused(answer["problem"])
    else:
        for told in found:
            print(logs.redact(told["text"]))
    return Exit.FAILED if answer["problem"] or not all(told["agree"] for told in found) else Exit.OK
