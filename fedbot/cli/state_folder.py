"""`fedbot backup`, `restore`, `rebuild`, `journal` and `verify`: the commands about the state folder."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getpass
from pathlib import Path
from tempfile import TemporaryDirectory

from fedbot import logs
from fedbot.backup import (
    COPIES,
    IDENTITY,
    BackupContents,
    BackupRefused,
    backup,
    is_encrypted,
    refuse_a_used_folder,
    refuse_other_file,
    restore,
)
from fedbot.cli.exits import Exit, failed
from fedbot.cli.settings_file import settings_of
from fedbot.config.settings import Settings
from fedbot.edge_settings import identity_folder, journal_place, sealed_identity_beside
from fedbot.files import PRIVATE_FOLDER
from fedbot.journal.copies import need_psycopg
from fedbot.journal.database import JournalPlace
from fedbot.ports.chat import ChatProblem
from fedbot.ports.inventory import InventoryProblem
from fedbot.ports.journal import JournalProblem

_MEGABYTE = 1_000_000


@contextmanager
def _what_to_keep(settings: Settings) -> Iterator[tuple[JournalPlace, Path]]:
    """The journal's place, and the identity as a folder. From a database, it is a temporary copy."""
    place = journal_place(settings)
    if isinstance(place, Path):
        yield place, identity_folder(settings)
        return
    need_psycopg()
    from fedbot.hub import moving

    settings.state.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=COPIES, dir=settings.state) as folder:
        identity = Path(folder) / IDENTITY
        with sealed_identity_beside(settings, place) as sealed:
            moving.write_identity(sealed, identity)
        yield place, identity


def do_backup(settings: Settings, given: argparse.Namespace) -> str:
    """`fedbot backup`."""
    refuse_other_file(given.file)
    passphrase = None if given.unencrypted else _read_passphrase(given.passphrase_file) or _new_passphrase()
    with _what_to_keep(settings) as (place, identity):
        backup(
            BackupContents(settings.state, place, identity),
            settings.party.id,
            settings.matrix.user,
            given.file,
            passphrase,
        )
    size = given.file.stat().st_size / _MEGABYTE
    closed = "encrypted" if passphrase else "not encrypted: anybody who reads it can speak as you, and has your tokens"
    return (
        f"Backed up {settings.party.id}: {given.file} ({size:.1f} MB, {closed}).\n"
        "The settings file and the secrets that it names are not in it."
    )


def _refuse_database(settings: Settings, command: str) -> None:
    """Raise `BackupRefused` if the journal is in a database, for a command that needs a state folder."""
    if settings.journal.url:
        raise BackupRefused(
            f"fedbot {command} works only on a state folder. Remove `journal` from the settings, run the command, put "
            "`journal` back, then run: fedbot journal move to-database. Nothing was changed."
        )


def do_restore(settings: Settings, given: argparse.Namespace) -> str:
    """`fedbot restore`."""
    _refuse_database(settings, "restore")
    refuse_a_used_folder(settings.state)
    passphrase = _read_passphrase(given.passphrase_file)
    if is_encrypted(given.file) and not passphrase:
        if not sys.stdin.isatty():
            raise BackupRefused(
                "This backup is encrypted, and there is nobody to ask for its passphrase. Give it with "
                "--passphrase-file. Nothing was written."
            )
        passphrase = getpass("Passphrase: ")
    manifest = restore(given.file, settings.state, settings.party.id, passphrase)
    return (
        f"Restored {manifest.party} as it was on {manifest.made} into {settings.state}.\n"
        "Make sure that the bot doesn't run anywhere else any more. Then: fedbot run\n"
        "The bot first reads everything that was sent since the backup, its own messages too. It looks in InvenTree "
        "before each step, so it does nothing twice. It can't read what people typed in encrypted rooms since then; "
        "other bots send their messages again. Don't touch the stock in Outgoing and Incoming until the bot is healthy."
    )


def do_rebuild(settings: Settings, _: argparse.Namespace) -> str:
    """`fedbot rebuild`."""
    _refuse_database(settings, "rebuild")
    from fedbot.engine.bot import rebuild

    found = asyncio.run(rebuild(settings))
    friends = ", ".join(f"{name} ({state})" for name, state in found.connections) or "none"
    lines = [
        f"Rebuilt the journal in {settings.state}.",
        f"Friendships: {friends}. Requests: {found.transfers}, of which {found.unfinished} continue.",
    ]
    lines.append(f"Bookings: {found.booked}. Wants: {found.wanted}.")
    lines.append(f"Places in waiting lists: {found.waiting} of our people, {found.queue} of friends.")
    if found.stopped:
        lines.append(f"No new loans: {', '.join(found.stopped)}.")
    if found.rotas:
        lines.append(
            f"Taken back: requests from anyone, {', '.join(found.rotas)}. Nobody knows whom else they went to. "
            "The bot tells the people who asked to ask again."
        )
    if found.outside:
        lines.append(f"Loans to neighbours without a bot: {found.outside}. See them with !fed outside.")
    if found.lost:
        lines.append(
            f"Not found in the rooms: {', '.join(found.lost)}. InvenTree's metadata names these requests as open. If "
            "nobody was told of one, ask again. Otherwise compare with the other space (!fed reconcile)."
        )
    if found.unsigned:
        lines.append(
            f"Left out: {', '.join(found.unsigned)}. The metadata of these companies was not signed by "
            "this bot, or somebody has changed it since. To be friends with them, connect again."
        )
    lines += [
        "Paused until a superuser has compared the friend's key: each friendship (!fed review).",
        "Lost for good: the audit up to now, and reactions that the bot had not acted on (tap again).",
        "Also lost: our own people's places in our own waiting lists (they type !fed wait again).",
        "Next: fedbot run",
    ]
    return "\n".join(lines)


def do_move(settings: Settings, given: argparse.Namespace) -> str:
    """`fedbot journal move`."""
    need_psycopg()
    from fedbot.hub import moving

    is_going = given.where == "to-database"
    moved = moving.into_database(settings) if is_going else moving.into_folder(settings)
    left = "What is left in the state folder" if is_going else "What is left in the database"
    after = (
        "Next: fedbot run, here or at another worker with the same settings and sealing key."
        if is_going
        else "Next: remove `journal` from the settings, then: fedbot run"
    )
    return (
        f"Moved {settings.party.id} into {moved.where}: {moved.rows} rows of the journal and {moved.keys} of keys and "
        f"tokens, each compared.\n{left} isn't used any more; remove it once the bot has run well.\n{after}"
    )


def do_verify(settings: Settings, _: argparse.Namespace) -> str:
    """`fedbot verify`."""
    from fedbot.check.matrix import verify

    asyncio.run(verify(settings))
    return "The account now has the bot's own keys, and they sign its device. Next: restart the bot."


def _read_passphrase(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        first = file.read_text("utf-8").partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError:
        raise BackupRefused(f"{file} isn't UTF-8 text, so it holds no passphrase.") from None
    if not first:
        raise BackupRefused(f"The first line of {file} is empty, so it holds no passphrase.")
    return first


def _new_passphrase() -> str:
    if not sys.stdin.isatty():
        raise BackupRefused(
            "There is nobody to ask for a passphrase. Give it with --passphrase-file, or type --unencrypted. "
            "Nothing was "
            "written."
        )
    passphrase = getpass("Passphrase: ")
    if not passphrase or getpass("Repeat it: ") != passphrase:
        raise BackupRefused("That was empty, or not the same twice. Nothing was written.")
    return passphrase


COMMANDS = {
    "backup": do_backup,
    "restore": do_restore,
    "rebuild": do_rebuild,
    "journal": do_move,
    "verify": do_verify,
}


def about_state(given: argparse.Namespace) -> Exit:
    """Run one of these commands, and print its result."""
    settings = settings_of(given, "warning")
    try:
        print(logs.redact(COMMANDS[given.command](settings, given)))
    except (BackupRefused, JournalProblem, ChatProblem, InventoryProblem) as problem:
        return failed(problem)
    return Exit.OK
