"""`fedbot init`: ask eight questions and create everything that a makerspace's bot needs; or write the example."""

from __future__ import annotations

import argparse
import asyncio
import importlib.resources
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fedbot.check.findings import remember
from fedbot.cli.check import tell, tell_wait
from fedbot.cli.exits import Exit
from fedbot.cli.parser import DEFAULT_CONFIG, STANDARD_INPUT
from fedbot.cli.settings_file import program
from fedbot.config.loading import load, read_yaml
from fedbot.config.problems import ConfigRefused, Problem
from fedbot.files import write_whole

if TYPE_CHECKING:
    from fedbot.setup.written import Service


def init(given: argparse.Namespace) -> Exit:
    """Set up a bot; or write the example."""
    there = Path(os.environ.get("FEDBOT_CONFIG") or DEFAULT_CONFIG)
    path: Path = given.path or (given.config if "config" in given else there)
    return write_example(path) if given.example else set_up(given, path)


def set_up(given: argparse.Namespace, path: Path, *, is_hosted: bool = False) -> Exit:
    """Ask, show the plan, carry it out, check. `is_hosted`: a hub runs the bot. Raises `ConfigRefused`."""
    # only this command needs them: nio alone takes half a second to import
    from fedbot.setup.asking import KEYS, Answers, Asker, Stopped, Terminal, unknown_keys
    from fedbot.setup.conversation import Conversation
    from fedbot.setup.written import Files, service

    asker: Asker = Terminal()
    if given.answers is not None:
        answers = _answers(given.answers)
        if unknown := unknown_keys(answers):
            wrong, known = ", ".join(unknown), ", ".join(KEYS)
            print(f"{given.answers}: no question is called {wrong}. The file may have: {known}.", file=sys.stderr)
            return Exit.USAGE
        asker = Answers(answers, given.answers.absolute().parent)
    elif is_without_answers(given):
        return Exit.FAILED
    files = Files(path)

    async def conversation() -> bool:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # asyncio's handler waits for the answer being typed
        return await Conversation(asker, files, dry_run=given.dry_run).run() is not None

    try:
        if not asyncio.run(conversation()):
            return Exit.OK
    except Stopped as stopped:
        print(f"✗ {stopped}", file=sys.stderr)
        return Exit.FAILED
    except KeyboardInterrupt:
        print("\nStopped. Everything created so far stays. To continue: fedbot init", file=sys.stderr)
        return Exit.FAILED
    return _checked(path, None if is_hosted else service(files.config, files.state))


def is_without_answers(given: argparse.Namespace) -> bool:
    """Say so if nobody is at a terminal and there is no file of answers either."""
    if given.answers is not None or sys.stdin.isatty():
        return False
    print("There is nobody to ask. In a script, give the answers with --answers FILE.", file=sys.stderr)
    return True


def _answers(file: Path) -> dict[str, object]:
    try:
        return read_yaml(sys.stdin.read() if file == STANDARD_INPUT else file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "it isn't text"
        raise ConfigRefused([Problem(str(file), f"can't be read ({reason})", "write your answers into it")]) from None


def _checked(path: Path, service: Service | None) -> Exit:
    """Check the new settings, and print the remaining work."""
    from fedbot.check.everything import check

    settings = load(path)
    print("\nNow I check everything:")
    findings = asyncio.run(check(settings, tell_wait))
    tell(findings)
    if failed := sum(not finding.good for finding in findings):
        print(f"\n{failed} to fix. Then run: {program()} check --config {path}")
        return Exit.FAILED
    remember(settings)
    if service is not None:
        print(f"\nTo keep the bot running, put this into {service.file}:\n\n{service.text}")
        print(f"Then run: {service.start}")
        if service.runs_here:
            print(f"To try it first, in this terminal: {program()} run --config {path}")
        print()
    print(
        f"Tell the others. You can paste this into the shared room:\n\n  {settings.matrix.user} is here for "
        f"{settings.party.name} now. Type !fed help to see what it can do. To become friends with us, a superuser of "
        f"your makerspace types: !fed connect {settings.party.id}\n"
    )
    return Exit.OK


def write_example(path: Path) -> Exit:
    """Write the example settings. Never overwrites a file."""
    example = importlib.resources.files("fedbot.config").joinpath("example.yaml").read_text("utf-8")
    if path.exists():
        print(f"{path} exists already. Nothing was written. Next: fedbot check --config {path}", file=sys.stderr)
        return Exit.FAILED
    write_whole(path, example.encode())
    print(f"Wrote {path}. Next:")
    print("  1. fill it in; the comments say what is what")
    print("  2. put the secrets into the files that it names, readable by you alone (chmod 600)")
    print(f"  3. fedbot check --config {path}")
    return Exit.OK
