"""Converts the settings into those of each edge, for `engine` and `check`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from fedbot.config.settings import Settings
from fedbot.inventree.client.server import InventorySettings
from fedbot.journal.copies import need_psycopg
from fedbot.journal.database import Address, JournalPlace, Tables
from fedbot.journal.sealed import FolderInDatabase, Seal
from fedbot.matrix.login import Account
from fedbot.ports.journal import Retention
from fedbot.ports.vault import Folder


def identity_folder(settings: Settings) -> Path:
    """The folder of keys, tokens and the Matrix session, apart from the journal."""
    return settings.state / "identity"


def journal_place(settings: Settings) -> JournalPlace:
    """The place of the journal."""
    kept = settings.journal
    if not kept.url:
        return settings.state
    return Address(kept.url, settings.party.id, kept.password.get_secret_value() if kept.password else "")


def sealing_key(settings: Settings) -> bytes:
    """The key that seals keys and tokens in the database."""
    key = settings.journal.sealing_key
    return bytes.fromhex(key.get_secret_value()) if key else b""


def sealed_identity(settings: Settings, database: Tables) -> FolderInDatabase:
    """The identity folder that is sealed in the space's database."""
    return FolderInDatabase(database, Seal(sealing_key(settings), settings.party.id))


@contextmanager
def identity_beside(settings: Settings) -> Iterator[Folder]:
    """The identity folder for an admin's command, which reads and adds to it, whether a bot runs or not.

    Raises `JournalProblem`.
    """
    place = journal_place(settings)
    if isinstance(place, Path):
        yield identity_folder(settings)
        return
    with sealed_identity_beside(settings, place) as folder:
        yield folder


@contextmanager
def sealed_identity_beside(settings: Settings, place: Address) -> Iterator[FolderInDatabase]:
    """Like `identity_beside`, for a space whose journal is in a database."""
    need_psycopg()
    from fedbot.journal import postgresql  # noqa: PLC0415 -- needs psycopg
    from fedbot.journal.lease import claim  # noqa: PLC0415

    lease = claim(place, "a command")
    if lease is not None:  # no worker has it or ever had it: create its tables
        try:
            postgresql.open_journal(lease).close()
        finally:
            lease.release()
    tables = postgresql.AdminTables(place)
    try:
        yield sealed_identity(settings, tables)
    finally:
        tables.close()


def matrix_account(settings: Settings) -> Account:
    """The bot's account and login."""
    matrix = settings.matrix
    return Account(
        homeserver=matrix.homeserver,
        user=matrix.user,
        password=matrix.password.get_secret_value() if matrix.password else "",
        token=matrix.access_token.get_secret_value() if matrix.access_token else "",
        device_name=matrix.device_name,
        certificate=matrix.ca_file,
    )


def _beside(settings: Settings, file: Path | None) -> Path | None:
    """The path, resolved from the settings file's folder if it is relative."""
    return settings.source.parent / file.expanduser() if file is not None else None


def inventory_settings(settings: Settings) -> InventorySettings:
    """The settings of our own InvenTree."""
    inventree = settings.inventree
    return InventorySettings(
        url=inventree.url,
        public_url=inventree.public_url,
        token=inventree.token,
        admin_token=inventree.admin_token,
        token_file=_beside(settings, inventree.token_file),
        admin_token_file=_beside(settings, inventree.admin_token_file),
        approvers_group=inventree.approvers_group,
        pinned_approvers=settings.rules.pinned_approvers,
        pinned_superusers=settings.rules.pinned_superusers,
        outgoing=inventree.outgoing,
        incoming=inventree.incoming,
        destination=inventree.destination,
        new_parts=inventree.new_parts,
        new_part_category=inventree.new_part_category,
        taken_serial=inventree.taken_serial,
        timeout=inventree.timeout_seconds,
        certificate=str(inventree.ca_file or ""),
        accept_api=inventree.accept_api,
    )


def retention(settings: Settings) -> Retention:
    """The times for which the journal keeps finished things."""
    kept = settings.retention
    return Retention(
        lines=timedelta(days=kept.lines_days),
        events=timedelta(days=kept.events_days),
        messages=timedelta(days=kept.messages_days),
        event_ids=timedelta(days=kept.event_ids_days),
        audit=timedelta(days=kept.audit_days) if kept.audit_days else None,
    )
