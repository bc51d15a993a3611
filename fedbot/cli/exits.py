"""The exit codes of the commands."""

from __future__ import annotations

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
