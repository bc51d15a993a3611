"""Leases: which worker may write to a space's journal in PostgreSQL, until when, and how another takes over.

The row of `fedbot.leases` is the only truth. Every transaction on the journal locks it and checks that its epoch is
still the worker's own, so a worker that slept through its lease writes nothing. Our InvenTree can't check that row, so
the worker checks its own clock before it writes to InvenTree.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

import psycopg
from psycopg import sql

from fedbot.journal.database import Address
from fedbot.journal.server import connect, translated
from fedbot.ports.journal import LeaseLost

SECONDS = 15.0
"""The seconds that a claim holds without renewal."""
RENEWED_EVERY = 4.0
TRIED_EVERY = 2.0
"""The seconds between two tries to claim a space that another worker has."""
MARGIN = 3.0
"""In the last seconds before the lease ends, the worker begins nothing outside of the database."""

_TABLE = """
    CREATE TABLE IF NOT EXISTS fedbot.leases (
        space TEXT COLLATE "C" PRIMARY KEY,
        worker TEXT NOT NULL,
        epoch BIGINT NOT NULL,
        expires TIMESTAMPTZ NOT NULL
    )
"""
_CLAIM = """
    INSERT INTO fedbot.leases AS held (space, worker, epoch, expires)
    VALUES ($1, $2, 1, clock_timestamp() + $3 * interval '1 second')
    ON CONFLICT (space) DO UPDATE SET worker = excluded.worker, epoch = held.epoch + 1, expires = excluded.expires
    WHERE held.expires < clock_timestamp()
    RETURNING epoch
"""
_HELD = "SELECT 1 FROM fedbot.leases WHERE space = $1 AND expires >= clock_timestamp()"
_RENEW = """
    UPDATE fedbot.leases SET expires = clock_timestamp() + $3 * interval '1 second'
    WHERE space = $1 AND epoch = $2 AND worker <> ''
"""
_RELEASE = "UPDATE fedbot.leases SET expires = '-infinity', worker = '' WHERE space = $1 AND epoch = $2"


def since_boot() -> float:
    """The seconds since boot, by a clock that nobody can set and that runs while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lease:
    """A claim on a space. It is lost once it can't be renewed, or the row says that another worker has it.

    `now` is in seconds and never goes back.
    """

    def __init__(self, address: Address, epoch: int, claimed_at: float, now: Callable[[], float] = since_boot) -> None:
        self.address = address
        self.epoch = epoch
        self._now = now
        self._until = claimed_at + SECONDS
        self._lost = ""

    def held_row(self) -> sql.Composed:
        """The statement that finds a row, and locks it until the transaction ends, if the claim still holds."""
        return sql.SQL("SELECT 1 FROM fedbot.leases WHERE space = {} AND epoch = {} AND worker <> '' FOR SHARE").format(
            sql.Literal(self.address.space), sql.Literal(self.epoch)
        )

    def renew(self) -> None:
        """Renew the lease. Raises `LeaseLost`; `JournalAway` if the database doesn't answer."""
        self.must_hold()
        asked_at = self._now()
        with translated(self.address), closing(connect(self.address)) as connection:
            if not connection.execute(_RENEW, (self.address.space, self.epoch, SECONDS)).rowcount:
                raise self.lose("another worker has taken it over")
        self.renewed(asked_at)

    def renewed(self, asked_at: float) -> None:
        """Note that the lease was renewed in the database, by a request made at `asked_at`."""
        self._until = asked_at + SECONDS

    def must_hold(self) -> None:
        """Raise `LeaseLost` unless the lease holds; call it before anything begins.

        This goes by our own clock, so it alone doesn't protect the journal: its transactions check the row.
        """
        if not self._lost and self._now() > self._until - MARGIN:
            self._lost = "it was not renewed in time"
        if self._lost:
            raise self.lose(self._lost)

    def lose(self, why: str) -> LeaseLost:
        """Mark the lease as lost for good; return the error for it."""
        self._lost = self._lost or why
        return LeaseLost(f"The space {self.address.space} is another worker's now: {self._lost}.")

    def release(self) -> None:
        """Let another worker take over at once."""
        if self._lost:
            return
        self._lost = "it was given back"
        with translated(self.address), closing(connect(self.address)) as connection:
            connection.execute(_RELEASE, (self.address.space, self.epoch))


def claim(address: Address, worker: str, now: Callable[[], float] = since_boot) -> Lease | None:
    """Claim the space for this worker; None while another worker holds it. Raises `JournalAway`."""
    asked_at = now()
    with translated(address), closing(connect(address)) as connection:
        prepare(connection)
        if connection.execute(_HELD, (address.space,)).fetchone():
            return None  # without a lock, which that worker would have to wait for
        found = connection.execute(_CLAIM, (address.space, worker, SECONDS)).fetchone()
    return Lease(address, int(found[0]), asked_at, now) if found else None


def holder(address: Address) -> str:
    """The worker that holds the space; '' if none does. Raises `JournalAway`."""
    with translated(address), closing(connect(address)) as connection:
        prepare(connection)
        found = connection.execute(
            "SELECT worker FROM fedbot.leases WHERE space = $1 AND expires >= clock_timestamp()", (address.space,)
        ).fetchone()
    return str(found[0]) if found else ""


def prepare(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Create the table if it doesn't exist. Other workers may do so at the same time."""
    if connection.execute("SELECT to_regclass('fedbot.leases')").fetchone() != (None,):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('fedbot'))")
        connection.execute("CREATE SCHEMA IF NOT EXISTS fedbot")
        connection.execute(_TABLE)
