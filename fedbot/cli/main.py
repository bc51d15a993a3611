"""The command line: what an admin types, and what a container or a script calls. docs/cli.md explains it."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from fedbot.cli.exits import Exit, failed
from fedbot.cli.parser import parser

COMMANDS = {
    "": "check.next_step",
    "init": "init.init",
    "check": "check.check",
    "run": "run.run",
    "health": "health.health",
    "status": "quarantine.status",
    "retry": "quarantine.retry",
    "drop": "quarantine.drop",
    "verbs": "verbs.verbs",
    "people": "people.people",
    "practice": "practice.practice",
    "credentials": "credentials.credentials",
    "export": "export.export",
    "audit": "audit.audit",
    "reconcile": "reconcile.reconcile",
    **dict.fromkeys(("backup", "restore", "rebuild", "journal", "verify"), "state_folder.about_state"),
    "hub": "hub.hub",
    "demo": "demo.demo",
}
"""Each command's module and function. A command imports only what it needs."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    try:
        try:
            return _run(arguments)
        finally:
            # here, because at its exit Python can only print an error about a closed pipe or a full disk
            sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output has closed the pipe
        _write_nowhere()
        return Exit.OK
    except OSError as problem:
        if problem.filename is None:  # no file, so it is the output
            _write_nowhere()
        return failed(problem)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return Exit.FAILED


def _write_nowhere() -> None:
    """Discard the rest of our output: Python would try to write it once more at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: Sequence[str] | None) -> int:
    given = parser().parse_args(arguments)
    # every command needs these, but not help and version
    from fedbot.cli.settings_file import told
    from fedbot.config.problems import ConfigRefused

    module, _, function = COMMANDS[given.command].partition(".")
    try:
        return int(getattr(importlib.import_module(f"fedbot.cli.{module}"), function)(given))
    except ConfigRefused as refused:
        # a health check only knows 0 and 1 (Docker reserves 2)
        for problem in refused.problems:
            print(told(problem.path, problem.said, problem.instead), file=sys.stderr)
        return Exit.FAILED if given.command == "health" else Exit.USAGE
