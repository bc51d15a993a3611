"""`fedbot run`: run the bot until a signal ends it."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Coroutine
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fedbot import logs
from fedbot.cli.exits import UNWRITABLE, Exit
from fedbot.cli.settings_file import settings_of
from fedbot.journal.copies import need_psycopg
from fedbot.ports.chat import ChatProblem, ChatSignedOut
from fedbot.ports.inventory import InventoryProblem
from fedbot.ports.journal import JournalProblem, JournalUnwritable, StateInUse

if TYPE_CHECKING:
    from fedbot.engine.summary import Summary


log = logging.getLogger(__name__)

UNUSED = ("click", "psycopg", "psycopg2", "chardet", "charset_normalizer")
"""httpx's own command line, the PostgreSQL errors of peewee, and the guessed encodings of requests."""
LAST_MOMENT = 9.5
"""The seconds after which a stopping bot ends in any case (a container is killed after 10)."""


def run(given: argparse.Namespace) -> Exit:
    """Run the bot, and print why it ended."""
    settings = settings_of(given)
    as_json = given.log_json or settings.log.format == "json"
    try:
        if settings.journal.url:
            need_psycopg()
        app = bot_module("fedbot.hub.worker" if settings.journal.url else "fedbot.engine.bot")
        if not as_json:
            logs.hold()  # the summary comes first
        asyncio.run(until_told(app.run(settings, _begun_in_json if as_json else _begun)))
    except Exception as error:  # noqa: BLE001 -- for any error an admin gets a sentence, and a script a code
        return ended_by(error)
    finally:
        logs.release()
    return Exit.OK


def bot_module(name: str) -> ModuleType:
    """Import this module, with all of a bot below it, but without the `UNUSED` extras of its libraries.

    The extras are 14 MiB that no bot uses. Each library loads its extra if it is installed, and does without if it
    isn't, so during this import no extra is found. Extras that are loaded already stay, such as psycopg if the journal
    needs it.
    """
    hidden = [extra for extra in UNUSED if extra not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: "not found", as Python's docs say
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Unable to find acceptable character detection")  # requests misses it
            return importlib.import_module(name)
    finally:
        for extra in hidden:
            sys.modules.pop(extra, None)


def _begun(summary: Summary) -> None:
    print(logs.redact(f"{summary}\nStop it with Ctrl-C. What happens is logged to standard error."), flush=True)
    logs.release()


def _begun_in_json(summary: Summary) -> None:
    log.info("started", extra=summary.fields())


async def until_told(work: Coroutine[Any, Any, None]) -> None:
    """Run until SIGTERM or SIGINT comes, then cancel the work so it ends in order."""
    task = asyncio.ensure_future(work)
    told: list[str] = []

    def stop(name: str) -> None:
        told.append(name)
        task.cancel()
        # a hanging request in its thread can't be cancelled; a step that was begun is journaled as begun
        leave = threading.Timer(LAST_MOMENT, os._exit, [Exit.OK])
        leave.daemon = True
        leave.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop, number.name)
    try:
        await task
    except asyncio.CancelledError:
        if not told:
            raise
        log.info("stopped by %s", told[0])


def ended_by(error: Exception) -> Exit:
    """Log why the bot ended: a known error as a sentence, any other with its traceback."""
    from fedbot.engine.bot import HistoryWithoutState
    from fedbot.engine.syncing import AccountTaken
    from fedbot.web.server import CannotListen

    codes: dict[type[Exception], Exit] = {
        StateInUse: Exit.STATE_IN_USE,
        HistoryWithoutState: Exit.HISTORY_WITHOUT_STATE,
        AccountTaken: Exit.ACCOUNT_TAKEN,
        JournalUnwritable: Exit.UNWRITABLE,
        ChatSignedOut: Exit.SIGNED_OUT,
        JournalProblem: Exit.FAILED,
        ChatProblem: Exit.FAILED,
        InventoryProblem: Exit.FAILED,
        CannotListen: Exit.FAILED,
    }
    for kind, code in codes.items():
        for cause in logs.causes(error):
            if isinstance(cause, kind):
                log.error("ended: %s", cause)
                return code
    for cause in logs.causes(error):
        if isinstance(cause, OSError) and cause.errno in UNWRITABLE:
            log.error("ended: %s can't be written (%s)", cause.filename or "the state folder", cause.strerror)
            return Exit.UNWRITABLE
    log.error("ended by a fault in fedbot or an odd machine", exc_info=error)
    return Exit.FAILED
