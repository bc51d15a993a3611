"""`fedbot check`: whether settings, Matrix and InvenTree are ready; and `fedbot` without a command: what to do next."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict

from fedbot import logs
from fedbot.check.findings import Finding, has_passed, of_problem, remember
from fedbot.cli.exits import Exit
from fedbot.cli.settings_file import find_config, settings_of, told, typed
from fedbot.config.problems import ConfigRefused
from fedbot.web.asking import ask

_MARKS = {"good": ("✓", "32"), "bad": ("✗", "31"), "warning": ("!", "33")}


def check(given: argparse.Namespace) -> Exit:
    """Check everything, and print each finding."""
    try:
        settings = settings_of(given, "warning")
    except ConfigRefused as refused:
        tell([of_problem(problem) for problem in refused.problems], as_json=given.json)
        return Exit.USAGE
    from fedbot.check.everything import check  # nio alone takes half a second to import

    findings = asyncio.run(check(settings, tell_wait))
    tell(findings, as_json=given.json)
    failed = sum(not finding.good for finding in findings)
    if not failed:
        remember(settings)
    if not given.json:
        print(f"\n{failed} to fix." if failed else f"\nAll good. Next: {typed(given, 'run')}")
    return Exit.FAILED if failed else Exit.OK


def tell_wait(text: str) -> None:
    """Say what the command waits for, beside its output, which a program may read."""
    sys.stderr.write(f"{text}\n")  # in one piece: two threads may speak at once
    sys.stderr.flush()


def next_step(given: argparse.Namespace) -> Exit:
    """Say what to do next, without a call to Matrix or InvenTree."""
    path = find_config(given)
    if not path.exists():
        print(f"There are no settings yet ({path}). Next: {typed(given, 'init')}")
        return Exit.OK
    settings = settings_of(given, "warning")
    if ask(settings.health_socket) is not None:
        print(f"The bot of {settings.party.name} is running. To see its health: {typed(given, 'health')}")
    elif has_passed(settings):
        print(f"Settings and access were good when last checked. Next: {typed(given, 'run')}")
    else:
        print(f"{path} is fine. Next, check whether Matrix and InvenTree are ready: {typed(given, 'check')}")
    return Exit.OK


def tell(findings: Sequence[Finding], *, as_json: bool = False) -> None:
    """Print each finding, or all of them as JSON."""
    if as_json:
        rows = [asdict(finding) for finding in findings]
        everything = {"ok": all(finding.good for finding in findings), "findings": rows}
        print(logs.redact(json.dumps(everything, ensure_ascii=False)))
        return
    for finding in findings:
        kind = "bad" if not finding.good else "warning" if finding.todo else "good"
        mark, colour = _MARKS[kind]
        if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
            mark = f"\x1b[{colour}m{mark}\x1b[0m"
        print(f"{mark} {told(finding.name, finding.what)}")
        if finding.todo:
            print(logs.redact(f"  → {finding.todo}"))
