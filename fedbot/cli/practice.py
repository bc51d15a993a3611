"""`fedbot practice`: a pretend friend for the running bot, in a room of its own; `--clean` removes it."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import signal
import sys
from getpass import getpass
from typing import TYPE_CHECKING

from fedbot import logs
from fedbot.cli.exits import Exit
from fedbot.cli.settings_file import settings_of, typed
from fedbot.config.settings import Settings

if TYPE_CHECKING:
    from fedbot.setup.practice import Practising


def practice(given: argparse.Namespace) -> Exit:
    """Set up the pretend friend and run it until Ctrl-C; or remove it."""
    settings = settings_of(given, "warning")
    if settings.journal.url:
        print("✗ Practice needs a bot whose journal is a file: leave out `journal` in the settings.", file=sys.stderr)
        return Exit.FAILED
    from fedbot.setup.practice import Practising, Refused

    clean_line = typed(given, "practice --clean")
    practising = Practising(settings, given.superuser, _asked, _hidden, _say, clean_line)
    try:
        return asyncio.run(_clean(practising) if given.clean else _live(practising, settings, given.account))
    except Refused as refused:
        print(logs.redact(f"✗ {refused}"), file=sys.stderr)
    except EOFError:
        print("✗ There is nobody to type a password. Run this in a terminal.", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"\nStopped. To continue: {typed(given, 'practice')}")
        print(f"To remove the practice friend and everything that was created for it: {clean_line}")
        return Exit.OK
    return Exit.FAILED


async def _clean(practising: Practising) -> Exit:
    left = await practising.clean()
    if not left:
        _say("✓ InvenTree is as it was")
        return Exit.OK
    _say("! This is still in InvenTree. Please remove it by hand:")
    for each in left:
        _say(f"  {each}")
    return Exit.FAILED


async def _live(practising: Practising, settings: Settings, account: str) -> Exit:
    """Run the friend until Ctrl-C or SIGTERM."""
    play = importlib.import_module("fedbot_demo.practice").play
    friend = await practising.begin(account)
    where = "In your admin room, type" if friend.in_admin_room else "Accept the invitation, and type there"
    if friend.is_known:
        _say(f"\nThe practice continues in {'your admin room' if friend.in_admin_room else 'its room'}.")
        _say("If you haven't connected yet, type there:  !fed connect practice\n")
    else:
        _say(f"\n{where}:  !fed connect practice")
        _say(
            "Robin, the friend's only person, accepts. Then I tell you what you can do next, until you press Ctrl-C.\n"
        )
    living = asyncio.ensure_future(play(friend, settings, _say))
    for stop in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(stop, living.cancel)
    try:
        await living
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    except Exception as error:  # noqa: BLE001 -- as for `fedbot run`: a sentence for a person, and a code
        from fedbot.cli.run import ended_by

        code = ended_by(error)
        _say(f"To remove the practice friend and everything that was created for it: {practising.clean_line}")
        return code
    return Exit.FAILED


def _say(text: str) -> None:
    print(logs.redact(text), flush=True)


def _asked(text: str) -> str:
    return input(f"{text}: ").strip()


def _hidden(text: str) -> str:
    if not sys.stdin.isatty():
        raise EOFError
    said = getpass(f"{text}: ").strip()
    logs.keep_secret(said)
    return said
