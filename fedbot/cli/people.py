"""`fedbot people`: list the space's people, or have the running bot add or remove somebody."""

from __future__ import annotations

import argparse
import json
import sys

from fedbot import logs
from fedbot.check.findings import roster_of
from fedbot.cli.exits import Exit, failed, refused
from fedbot.cli.settings_file import settings_of
from fedbot.config.settings import Settings
from fedbot.ports.journal import JournalProblem
from fedbot.web.asking import order

AS = "as"
_WORDS = 2


def people(given: argparse.Namespace) -> Exit:
    """List our people, or have the running bot add or remove somebody."""
    settings = settings_of(given, "warning")
    if not given.change:
        return _listed(settings, as_json=given.json)
    words = given.user
    if not given.person or (words and (len(words) != _WORDS or words[0] != AS)):
        print("Type it like that: fedbot people add @kim:example.org as kim", file=sys.stderr)
        return Exit.USAGE
    answer = order(
        settings.health_socket,
        "people",
        adds=given.change == "add",
        person=given.person,
        username=words[-1] if words else "",
        admin=given.admin,
    )
    if answer is None:
        problem = f"The bot isn't running (nobody answers in {settings.state})."
        answer = {"problem": f"{problem} Start it, or write into {settings.source}.", "told": ""}
    if given.json:
        print(logs.redact(json.dumps(answer, ensure_ascii=False)))
        return Exit.FAILED if answer["problem"] else Exit.OK
    if answer["problem"]:
        return refused(answer["problem"])
    print(logs.redact(answer["told"]))
    return Exit.OK


def _listed(settings: Settings, *, as_json: bool) -> Exit:
    try:
        roster = roster_of(settings)
    except JournalProblem as problem:
        return failed(problem)
    us = roster.over(settings.party_config(""))
    rows = [{"person": person, "user": user, "added": person in roster.people} for person, user in us.people.items()]
    if as_json:
        told = {"people": rows, "admins": list(us.admins), "removed": list(roster.removed)}
        print(logs.redact(json.dumps(told, ensure_ascii=False)))
        return Exit.OK
    for row in rows:
        print(logs.redact(f"{row['person']} as {row['user']}{' (added since)' if row['added'] else ''}"))
    for admin in us.admins:
        print(logs.redact(f"{admin}, admin{' (added since)' if admin in roster.admins else ''}"))
    for person in roster.removed:
        print(logs.redact(f"{person}: removed, although {settings.source} names them"))
    return Exit.OK
