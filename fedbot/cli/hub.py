"""`fedbot hub`: many spaces in one service. docs/hub.md explains it."""

from __future__ import annotations

import argparse
import asyncio
import sys

from fedbot import logs
from fedbot.cli.exits import Exit, failed
from fedbot.cli.settings_file import find_hub
from fedbot.config.hub import HubSettings, load_hub
from fedbot.web.asking import ask


def hub(given: argparse.Namespace) -> Exit:
    """Run one of the hub's commands. Raises `ConfigRefused`."""
    settings = load_hub(find_hub(given))
    as_json = getattr(given, "log_json", False) or settings.log.format == "json"
    level = settings.log.level if given.verb in ("run", "api") else "warning"
    logs.configure(level, [settings.password] if settings.password else [], as_json=as_json)
    if given.verb == "health":
        return _health(settings)
    from fedbot.journal.copies import need_psycopg  # containers check the health again and again
    from fedbot.ports.journal import JournalProblem

    try:
        need_psycopg()
    except JournalProblem as problem:
        return failed(problem)
    if given.verb in ("run", "api"):
        return _serve(settings, given.verb)
    from fedbot.cli.hub_spaces import VERBS
    from fedbot.hub.tending import HubRefused

    try:
        return VERBS[given.verb](settings, given)
    except (HubRefused, JournalProblem) as problem:
        return failed(problem)


def _serve(settings: HubSettings, verb: str) -> Exit:
    """Run a worker or the API until a signal ends it."""
    from fedbot.cli.run import bot_module, ended_by, until_told

    if verb == "api" and not settings.api.listen:
        print(f"The API is off. Write into {settings.source}: api: {{listen: 127.0.0.1:8323}}", file=sys.stderr)
        return Exit.USAGE
    try:
        if verb == "api":
            work = bot_module("fedbot.hub.api").run(settings, [sys.executable, "-m", "fedbot"])
        else:
            work = bot_module("fedbot.hub.hosting").run(settings)
        asyncio.run(until_told(work))
    except Exception as error:  # noqa: BLE001 -- for any error an admin gets a sentence, and a script a code
        return ended_by(error)
    return Exit.OK


def _health(settings: HubSettings) -> Exit:
    answer = ask(settings.health_socket)
    if answer is None:
        print(f"not running (nobody answers in {settings.state})")
        return Exit.FAILED
    spaces = answer["spaces"]
    print(f"{answer['worker']}: {sum(each['well'] for each in spaces.values())} of {len(spaces)} spaces are well")
    for name, each in spaces.items():
        if not each["well"]:
            print(logs.redact(f"  {name} {each['state']}: {'; '.join(each['problems'])}"))
    return Exit.OK
