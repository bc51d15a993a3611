"""The exit codes of the commands."""

from __future__ import annotations

import errno
import sys
from enum import IntEnum


class Exit(IntEnum):
    """The result of a command. A test compares these with docs/cli.md."""

    OK = 0
    FAILED = 1
    USAGE = 2
    STATE_IN_USE = 3
    HISTORY_WITHOUT_STATE = 4
    SIGNED_OUT = 5
    ACCOUNT_TAKEN = 6
    UNWRITABLE = 7


EXITS = {
    Exit.OK: "success",
    Exit.FAILED: "failed; the message says why",
    Exit.USAGE: "the command line or the settings are wrong",
    Exit.STATE_IN_USE: "another process uses the state folder",
    Exit.HISTORY_WITHOUT_STATE: "the account has a history, but its state, or the key in it, is lost",
    Exit.SIGNED_OUT: "Matrix no longer takes the bot's token",
    Exit.ACCOUNT_TAKEN: "another fedbot uses this Matrix account now",
    Exit.UNWRITABLE: "the state folder can't be written: no space, or read-only",
}


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_CLOSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
UNWRITABLE = _FULL | _CLOSED
"""The numbers of an `OSError` if a file can't be written."""


def refused(why: str) -> Exit:
    """Print why a command failed, and return its exit code."""
    from fedbot import logs  # not needed for help or the version

    print(logs.redact(why), file=sys.stderr)
    return Exit.FAILED


def failed(problem: Exception) -> Exit:
    """Print why a command failed, and return its exit code: a problem whose text says it, or any `OSError`."""
    from fedbot.ports.journal import JournalUnwritable, StateInUse  # not needed for help or the version

    refused(_sentence(problem))
    match problem:
        case StateInUse():
            return Exit.STATE_IN_USE
        case JournalUnwritable():
            return Exit.UNWRITABLE
        case OSError(errno=number) if number in _FULL | {errno.EROFS}:
            return Exit.UNWRITABLE
        case _:
            return Exit.FAILED


def _sentence(problem: Exception) -> str:
    if not isinstance(problem, OSError) or problem.errno is None:
        return str(problem)
    said = f"{problem.filename or 'The output'}: {problem.strerror}."
    if problem.errno in _FULL:
        return f"{said} Make room on that disk, then try again."
    if problem.errno in _CLOSED:
        return f"{said} Run fedbot as the user who owns it, or choose another place."
    return said
