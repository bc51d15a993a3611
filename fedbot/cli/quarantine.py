"""`fedbot status`, `retry` and `drop`: list quarantined work, try it again, or drop it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from fedbot import logs
from fedbot.cli.exits import Exit, failed, refused
from fedbot.cli.health import health
from fedbot.cli.settings_file import settings_of, typed
from fedbot.config.settings import Settings
from fedbot.edge_settings import journal_place
from fedbot.journal.copies import need_psycopg, quarantined
from fedbot.journal.journal import Journal, StoredJournal
from fedbot.ports.journal import JournalProblem, StateInUse
from fedbot.web.asking import ask, order


def status(given: argparse.Namespace) -> Exit:
    """Print the health, and the quarantined work from the journal, whether the bot runs or not."""
    settings = settings_of(given, "warning")
    answer = ask(settings.health_socket)
    try:
        asides = quarantined(journal_place(settings))
    except JournalProblem as problem:
        return failed(problem)
    if given.json:
        told = [{**asdict(aside), "at": aside.at.isoformat(timespec="seconds")} for aside in asides]
        everything = {"running": answer is not None, **(answer or {}), "set_aside": told}
        print(logs.redact(json.dumps(everything, ensure_ascii=False)))
        return Exit.FAILED if asides else Exit.OK
    health(given)
    gauges = (answer or {}).get("gauges", {})
    if "index_percent" in gauges:
        known = f"{gauges['index_stock_items']:,.0f} stock items, {gauges['index_parts']:,.0f} parts"
        print(f"index of the stock: {gauges['index_percent']:.0f} % read ({known})")
    for aside in asides:
        about = f" about {aside.subject}" if aside.subject else ""
        print(logs.redact(f"quarantined on {aside.at:%Y-%m-%d %H:%M}: {aside.what}{about}: {aside.problem}"))
        print(f"  → {typed(given, 'retry')} {aside.number}, or to give it up: {typed(given, 'drop')} {aside.number}")
    if not asides:
        print("nothing is quarantined")
    return Exit.FAILED if asides else Exit.OK


def retry(given: argparse.Namespace) -> Exit:
    """Let the running bot try it again; if none runs, mark it for the next start."""
    settings = settings_of(given, "warning")
    answer = order(settings.health_socket, "retry", number=given.number)
    if answer is None:
        try:
            with _opened(settings) as journal:
                found = journal.try_again(given.number)
        except JournalProblem as problem:
            return failed(problem)
        answer = {"problem": "" if found else f"Nothing is quarantined under the number {given.number}."}
    if answer["problem"]:
        return refused(answer["problem"])
    print(f"The bot tries {given.number} again. To see whether it worked: {typed(given, 'status')}")
    return Exit.OK


def drop(given: argparse.Namespace) -> Exit:
    """Let the running bot drop it; without `--sure` only print what would be lost."""
    settings = settings_of(given, "warning")
    answer = order(settings.health_socket, "drop", number=given.number, sure=given.sure)
    if answer is None:
        return refused("The bot is not running. Start it first: only the running bot knows what waits for that work.")
    if answer["problem"]:
        return refused(answer["problem"])
    print(answer["loses"])
    if given.sure:
        print(f"{given.number} is given up for good; the audit names it.")
        return Exit.OK
    print(f"Nothing is given up yet. To do it: {typed(given, 'drop')} {given.number} --sure")
    return Exit.FAILED


@contextmanager
def _opened(settings: Settings) -> Iterator[StoredJournal]:
    """The journal of a bot that doesn't run. Raises `StateInUse`, other `JournalProblem`s, OSError."""
    place = journal_place(settings)
    if isinstance(place, Path):
        with Journal.open(place) as journal:
            yield journal
        return
    need_psycopg()
    from fedbot.journal.lease import claim, holder
    from fedbot.journal.postgresql import open_journal

    lease = claim(place, "a command")
    if lease is None:
        raise StateInUse(f"{holder(place)} works for {place.space}: give the command there.", None)
    with open_journal(lease) as journal:
        yield journal
