"""`fedbot export` and `fedbot audit`: export records of the journal, even while the bot runs."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from fedbot.cli import audit, export
from fedbot.cli.exits import Exit, failed
from fedbot.cli.settings_file import settings_of
from fedbot.config.settings import Settings
from fedbot.ports.journal import JournalProblem


def export_command(given: argparse.Namespace) -> Exit:
    """Export all records of one kind."""
    return _written_out(given, export.export)


def audit_command(given: argparse.Namespace) -> Exit:
    """Verify or export the audit."""
    return _written_out(given, audit.run)


def _written_out(given: argparse.Namespace, write: Callable[[Settings, argparse.Namespace], bool]) -> Exit:
    """Run `write` with the settings, and print its errors."""
    settings = settings_of(given, "warning")
    try:
        is_well = write(settings, given)
    except (export.NoSuchPeer, JournalProblem) as problem:
        return failed(problem)
    return Exit.OK if is_well else Exit.FAILED
