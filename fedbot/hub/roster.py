"""The tables that the workers of a hub share: running workers, and spaces that are paused or fail.

Only the table `fedbot.leases` says which worker has a space. One look renews all claims of a worker at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from fedbot.config.hub import HubSettings
from fedbot.journal import lease as leases
from fedbot.journal.database import ARRIVING, MOVED, Address
from fedbot.journal.lease import RENEWED_EVERY, SECONDS, Lease, since_boot
from fedbot.journal.server import Row, connect, translated

HUB = "hub"
"""The name under which the hub itself connects, instead of a space."""
PAUSES = (10, 60, 300, 1800)
"""The seconds before a space that failed is tried again; the last one repeats."""
WELL_AFTER = 600
"""The seconds that a bot runs until the space's earlier failures no longer count."""
LATE_AFTER = 1.5 * RENEWED_EVERY
"""The seconds after which a worker has missed a look, so its spaces may be free soon."""
LONGEST_PROBLEM = 500
_CONNECTIONS_A_WORKER = 10
"""One for the roster, and some for claims and for commands."""

_TABLES = (
    """
    CREATE TABLE IF NOT EXISTS fedbot.workers (
        worker TEXT COLLATE "C" PRIMARY KEY,
        seen TIMESTAMPTZ NOT NULL,
        leaves BOOLEAN NOT NULL DEFAULT false
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS fedbot.spaces (
        space TEXT COLLATE "C" PRIMARY KEY,
        is_paused BOOLEAN NOT NULL DEFAULT false,
        problem TEXT NOT NULL DEFAULT '',
        failures INTEGER NOT NULL DEFAULT 0,
        not_before TIMESTAMPTZ NOT NULL DEFAULT '-infinity'
    )
    """,
    """
    ALTER TABLE fedbot.spaces
        ADD COLUMN IF NOT EXISTS wanted_at TEXT NOT NULL DEFAULT '',
        ADD COLUMN IF NOT EXISTS told_by TEXT NOT NULL DEFAULT '',
        ADD COLUMN IF NOT EXISTS is_well BOOLEAN NOT NULL DEFAULT false,
        ADD COLUMN IF NOT EXISTS troubles TEXT NOT NULL DEFAULT ''
    """,
    """
    CREATE TABLE IF NOT EXISTS fedbot.tokens (
        hash TEXT COLLATE "C" PRIMARY KEY,
        name TEXT NOT NULL,
        may_act BOOLEAN NOT NULL,
        made TIMESTAMPTZ NOT NULL,
        ends TIMESTAMPTZ NOT NULL,
        used TIMESTAMPTZ
    )
    """,
)
_NEWEST = "fedbot.tokens"
_SEEN = """
    INSERT INTO fedbot.workers (worker, seen) VALUES ($1, clock_timestamp())
    ON CONFLICT (worker) DO UPDATE SET seen = excluded.seen
"""
_RENEW = """
    UPDATE fedbot.leases AS held SET expires = clock_timestamp() + $3 * interval '1 second'
    FROM unnest($1::text[], $2::bigint[]) AS ours (space, epoch)
    WHERE held.space = ours.space AND held.epoch = ours.epoch AND held.worker <> ''
    RETURNING held.space
"""
_WORKERS = """
    SELECT worker, seen < clock_timestamp() - $2 * interval '1 second' FROM fedbot.workers
    WHERE NOT leaves AND seen > clock_timestamp() - $1 * interval '1 second'
"""
_CONNECTIONS = """
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
"""
_SPACES = """
    SELECT space, coalesce(held.worker, ''), coalesce(is_paused, false), coalesce(problem, ''), coalesce(failures, 0),
        CASE WHEN isfinite(not_before) THEN greatest(extract(epoch FROM not_before - clock_timestamp()), 0) ELSE 0 END,
        coalesce(wanted_at, ''), CASE WHEN told_by = held.worker THEN is_well END, coalesce(troubles, ''),
        is_paused IS NOT NULL
    FROM fedbot.spaces AS known
    FULL JOIN (SELECT space, worker FROM fedbot.leases WHERE worker <> '' AND expires >= clock_timestamp()) AS held
    USING (space)
"""
_SET_PAUSED = """
    INSERT INTO fedbot.spaces (space, is_paused, problem) VALUES ($1, $2, $3)
    ON CONFLICT (space) DO UPDATE SET is_paused = excluded.is_paused, problem = excluded.problem, failures = 0,
        not_before = '-infinity'
"""
_FAILED = """
    INSERT INTO fedbot.spaces AS known (space, problem, failures, not_before)
    VALUES ($1, $2, 1, clock_timestamp() + ($3::int[])[1] * interval '1 second')
    ON CONFLICT (space) DO UPDATE SET problem = excluded.problem, failures = known.failures + 1,
        not_before = clock_timestamp()
            + ($3::int[])[least(known.failures + 1, array_length($3::int[], 1))] * interval '1 second'
"""
_WANT_AT = """
    INSERT INTO fedbot.spaces (space, wanted_at) VALUES ($1, $2)
    ON CONFLICT (space) DO UPDATE SET wanted_at = excluded.wanted_at
"""
_TELL = """
    INSERT INTO fedbot.spaces (space, told_by, is_well, troubles) VALUES ($1, $2, $3, $4)
    ON CONFLICT (space) DO UPDATE
        SET told_by = excluded.told_by, is_well = excluded.is_well, troubles = excluded.troubles
"""
_RESERVE = "SELECT pg_try_advisory_lock(hashtext('fedbot hub'), hashtext($1))"
_WENT_WELL = "UPDATE fedbot.spaces SET problem = '', failures = 0 WHERE space = $1 AND failures > 0"


@dataclass(frozen=True)
class SpaceRow:
    """A space's entry in the roster. `worker`: '' if none has it. `waits`: seconds until a worker may try it again.

    `wanted_at`: the worker that an operator moved it to. `is_well` and `troubles`: the running bot's health as its
    worker reports it; None before the first report. `is_hosted`: it is or was a space of the hub, not one with a
    standby of its own.
    """

    worker: str = ""
    is_paused: bool = False
    problem: str = ""
    failures: int = 0
    waits: float = 0.0
    wanted_at: str = ""
    is_well: bool | None = None
    troubles: tuple[str, ...] = ()
    is_hosted: bool = False

    @property
    def state(self) -> str:
        """`works`, `paused`, `fails` or `waits` (for a worker)."""
        if self.worker:
            return "works"
        if self.is_paused:
            return "paused"
        return "fails" if self.problem else "waits"

    @property
    def may_begin(self) -> bool:
        """Whether a worker may claim it."""
        return not self.worker and not self.is_paused and self.waits <= 0


def _space_row(found: Row) -> SpaceRow:
    """A row of `_SPACES`, without the space."""
    worker, is_paused, problem, failures, waits, wanted_at, is_well, troubles, is_hosted = found
    told = tuple(troubles.splitlines()) if is_well is not None else ()
    return SpaceRow(worker, is_paused, problem, failures, float(waits), wanted_at, is_well, told, is_hosted)


@dataclass(frozen=True)
class View:
    """The running workers, and the spaces with an entry in the roster.

    `is_a_worker_late`: a worker has missed a look, so its spaces may be free soon. `connections`: how many the
    database allows.
    """

    workers: frozenset[str] = frozenset()
    spaces: Mapping[str, SpaceRow] = field(default_factory=dict)
    is_a_worker_late: bool = False
    connections: int = 0

    def too_few_connections(self, spaces: int) -> str:
        """The warning to an operator that so many spaces may be left without a connection; '' otherwise.

        A worker that hangs keeps its connections, while others take over all of its spaces.
        """
        needed = 2 * spaces + _CONNECTIONS_A_WORKER * (len(self.workers) + 1)
        if needed <= self.connections:
            return ""
        return (
            f"PostgreSQL allows {self.connections} connections. {spaces} spaces need up to {needed}: when a worker "
            "hangs, the others take over its spaces, and it keeps its connections. Raise max_connections "
            "in postgresql.conf."
        )

    def of(self, space: str) -> SpaceRow:
        """The entry of this space; an empty one if it has none."""
        return self.spaces.get(space, SpaceRow())


@dataclass(frozen=True)
class JournalFound:
    """What the database has of a space's journal. `is_used`: a bot has worked on it.

    `moved_to`: its new state folder. `arrives_from`: the folder from which it isn't completely copied yet.
    """

    has_journal: bool = False
    is_used: bool = False
    arrives_from: str = ""
    moved_to: str = ""

    @property
    def is_here(self) -> bool:
        """Whether a bot can work on the journal."""
        return self.has_journal and not self.arrives_from and not self.moved_to


class Roster:
    """The hub's tables, on one connection; threads take turns. Methods raise `JournalProblem`."""

    def __init__(self, hub: HubSettings, worker: str = "", now: Callable[[], float] = since_boot) -> None:
        self.worker = worker
        self._database = Address(hub.database.url, HUB, hub.password)
        self._now = now
        self._turn = threading.Lock()
        self._connection: psycopg.Connection[Row] | None = None
        self._connections = 0

    def address(self, space: str) -> Address:
        """The address of the space's journal."""
        return Address(self._database.url, space, self._database.password)

    def look(self, held: Collection[Lease]) -> View:
        """Report that this worker runs, renew its claims, and read the roster.

        A lease that another worker has now is marked as lost.
        """
        asked_at = self._now()
        with self.connected() as connection:
            connection.execute(_SEEN, (self.worker,))
            ours = ([lease.address.space for lease in held], [lease.epoch for lease in held], SECONDS)
            renewed = {space for (space,) in connection.execute(_RENEW, ours)}
        for lease in held:
            if lease.address.space in renewed:
                lease.renewed(asked_at)
            else:
                lease.lose("another worker has taken it over")
        return self.view()

    def view(self) -> View:
        """Read the roster."""
        with self.connected() as connection:
            workers = dict(connection.execute(_WORKERS, (SECONDS, LATE_AFTER)).fetchall())
            found = connection.execute(_SPACES).fetchall()
        spaces = {row[0]: _space_row(row[1:]) for row in found}
        return View(frozenset(workers), spaces, any(workers.values()), self._connections)

    def takes_part(self, *, is_so: bool) -> None:
        """Report whether this worker claims spaces. If not, the others leave it no share."""
        with self.connected() as connection:
            connection.execute("UPDATE fedbot.workers SET leaves = $2 WHERE worker = $1", (self.worker, not is_so))

    def is_gone(self) -> None:
        """Report that this worker has ended."""
        with self.connected() as connection:
            connection.execute(
                "DELETE FROM fedbot.workers WHERE worker = $1 OR seen < clock_timestamp() - interval '1 day'",
                (self.worker,),
            )

    def pause(self, space: str, problem: str = "") -> None:
        """Let no worker claim the space until `resume`. `problem`: the reason, for the operator."""
        with self.connected() as connection:
            connection.execute(_SET_PAUSED, (space, True, problem[:LONGEST_PROBLEM]))

    def resume(self, space: str) -> None:
        """Let workers claim the space at once."""
        with self.connected() as connection:
            connection.execute(_SET_PAUSED, (space, False, ""))

    def failed(self, space: str, problem: str) -> None:
        """Note a failure. Workers may claim the space again after a pause that grows (`PAUSES`)."""
        with self.connected() as connection:
            connection.execute(_FAILED, (space, problem[:LONGEST_PROBLEM], list(PAUSES)))

    def want_at(self, space: str, worker: str) -> None:
        """Move the space to this worker for as long as it runs; '' means the worker with the fewest spaces."""
        with self.connected() as connection:
            connection.execute(_WANT_AT, (space, worker))

    def tell(self, healths: Mapping[str, tuple[bool, tuple[str, ...]]]) -> None:
        """Report the health of this worker's bots: by space, whether it is well, and its troubles."""
        with self.connected() as connection, connection.transaction():
            for space, (is_well, troubles) in sorted(healths.items()):
                text = "\n".join(troubles)[:LONGEST_PROBLEM]
                connection.execute(_TELL, (space, self.worker, is_well, text))

    def went_well(self, space: str) -> None:
        """Forget the failures of the space."""
        with self.connected() as connection:
            connection.execute(_WENT_WELL, (space,))

    def drop(self, space: str) -> None:
        """Delete the space's journal, keys and tokens. The caller has claimed it.

        The row of its lease stays, so a worker that wakes up with an old claim never gets a new one.
        """
        with self.connected() as connection:
            schema = psycopg.sql.Identifier(self.address(space).schema)
            connection.execute(psycopg.sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))

    def forget(self, space: str) -> None:
        """Delete the space's row here: it isn't paused any more, so a worker would take it if it had a folder."""
        with self.connected() as connection:
            connection.execute("DELETE FROM fedbot.spaces WHERE space = $1", (space,))

    def reserve(self, space: str) -> bool:
        """Keep other operators away from this space until this roster is closed. False if one is there already."""
        with self.connected() as connection:
            return connection.execute(_RESERVE, (space,)).fetchone() == (True,)

    def journal_of(self, space: str) -> JournalFound:
        """What the database has of the space's journal."""
        schema = psycopg.sql.Identifier(self.address(space).schema)
        with self.connected() as connection:
            if connection.execute("SELECT to_regclass($1)", (f"{schema.as_string()}.meta",)).fetchone() == (None,):
                return JournalFound()
            found = connection.execute(psycopg.sql.SQL("SELECT name, value FROM {}.meta").format(schema)).fetchall()
        marks = dict(found)
        return JournalFound("journal_id" in marks, "token" in marks, marks.get(ARRIVING, ""), marks.get(MOVED, ""))

    def close(self) -> None:
        """Close the connection."""
        with self._turn:
            self._let_go()

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection[Any]]:
        """The connection. After an error the next call opens a new one."""
        with self._turn, translated(self._database):
            try:
                if self._connection is None:
                    self._connection = connect(self._database)
                    self._prepare(self._connection)
                    found = self._connection.execute(_CONNECTIONS).fetchone()
                    self._connections = int(found[0]) if found else 0  # PostgreSQL changes it only at its start
                yield self._connection
            except BaseException:
                self._let_go()
                raise

    @staticmethod
    def _prepare(connection: psycopg.Connection[Any]) -> None:
        leases.prepare(connection)
        if connection.execute("SELECT to_regclass($1)", (_NEWEST,)).fetchone() != (None,):
            return
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('fedbot'))")
            for table in _TABLES:
                connection.execute(table)
