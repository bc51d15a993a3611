"""`fedbot health`: the running bot's health. Containers call it every few seconds, so it imports only what it needs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from fedbot.cli.exits import Exit
from fedbot.cli.settings_file import settings_of
from fedbot.config.settings import Settings
from fedbot.files import why_unwritable
from fedbot.web.asking import ask

_ENDS = {"Matrix": "matrix", "InvenTree": "inventree"}


def health(given: argparse.Namespace) -> Exit:
    """Ask the running bot for its health, and print it."""
    settings = settings_of(given, "warning")
    answer = ask(settings.health_socket)
    healthy = answer is not None and answer.get("healthy") is True
    if answer is None and (working := _works_elsewhere(settings)):
        told = {"running": True, "healthy": True, "standing_by": True, "working": working}
        print(json.dumps(told) if given.json else f"stands by: {working} works for {settings.party.id}")
        return Exit.OK
    if given.json:
        print(json.dumps({"running": answer is not None, "healthy": healthy} | (answer or {}), ensure_ascii=False))
    elif answer is None:
        why = why_unwritable(settings.state)
        print(f"not running ({why or f'nobody answers in {settings.state}'})")
    else:
        ends = ", ".join(f"{end} {'reached' if answer.get(key) else 'lost'}" for end, key in _ENDS.items())
        print(f"{'healthy' if healthy else 'not well'}: {ends}")
        for problem in answer.get("problems", []):
            print(f"  {problem}")
    return Exit.OK if healthy else Exit.FAILED


def _works_elsewhere(settings: Settings) -> str:
    """The worker elsewhere that runs this space's bot while one on this machine stands by; else ''."""
    # takes a second, and isn't needed if the bot answers
    from fedbot.edge_settings import journal_place
    from fedbot.journal.copies import need_psycopg
    from fedbot.journal.lock import StateLock
    from fedbot.ports.journal import JournalProblem, StateInUse

    place = journal_place(settings)
    if isinstance(place, Path):
        return ""
    try:
        StateLock(settings.state).release()
    except StateInUse:
        try:
            need_psycopg()
            from fedbot.journal.lease import holder

            return holder(place)
        except JournalProblem:
            return ""
    return ""
