"""One worker at a time may write, and one that slept through its lease never again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fedbot.journal import lease as leases
from fedbot.journal.database import Address
from fedbot.journal.journal import StoredJournal
from fedbot.journal.lease import Lease, claim, holder
from fedbot.journal.postgresql import PostgresqlDatabase
from fedbot.journal.server import connect
from fedbot.ports.journal import Committed, JournalAway, JournalProblem, LeaseLost, Queued
from fedbot.rules.model.effects import Join
from fedbot.rules.model.events import CaughtUp, Tick
from tests.fakes.postgresql import Server, running
from tests.journal.conftest import START

PROJECT = Path(__file__).parents[2]


class Boot:
    """Seconds since the machine's start, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def claimed(space: Address, worker: str, boot: Boot | None = None) -> Lease:
    lease = claim(space, worker, boot or Boot())
    assert lease is not None
    return lease


def opened(lease: Lease) -> StoredJournal:
    return StoredJournal(PostgresqlDatabase(lease), lease, lambda: START)


def test_a_space_is_claimed_by_one_worker_until_it_gives_it_back_or_its_time_is_over(postgresql: Server) -> None:
    space = postgresql.space()
    first = claimed(space, "one")
    assert holder(space) == "one"
    assert claim(space, "two") is None
    first.release()
    assert holder(space) == ""
    second = claimed(space, "two")
    postgresql.every_claim_is_over()
    third = claimed(space, "three")
    assert first.epoch < second.epoch < third.epoch
    second.release()  # it isn't its own any more
    assert holder(space) == "three"
    mistaken = Lease(space, second.epoch, 1000.0, Boot())
    with pytest.raises(LeaseLost, match="another worker has taken it over"):
        mistaken.renew()


def test_a_worker_that_lost_the_space_writes_nothing_by_any_call(postgresql: Server) -> None:
    space = postgresql.space()
    with opened(claimed(space, "one")) as slept:
        (row,) = slept.commit(slept.put(Tick(START)), Committed(START, queued=(Queued("act", Join("!r")),)))
        waiting = slept.put(Tick(START))
        postgresql.every_claim_is_over()
        with opened(claimed(space, "two")) as other:
            calls = (
                lambda: slept.receive([CaughtUp(START)], "s1"),
                lambda: slept.put(Tick(START)),
                lambda: slept.commit(waiting, Committed(START)),
                lambda: slept.begin(row, START),
                lambda: slept.finish(row, None),
                lambda: slept.postpone(row, START),
                lambda: slept.fail(row, None, "no"),
                lambda: slept.try_again(1),
                slept.must_recover,
                slept.has_recovered,
            )
            for call in calls:
                with pytest.raises(LeaseLost):
                    call()
            assert other.token() is None
            assert other.next_event() == (waiting, Tick(START))
            (due,) = other.due("act", START)
            assert (due.state, due.acted_at) == ("queued", None)


def test_a_worker_that_let_its_lease_expire_neither_acts_nor_renews_until_it_claims_again(postgresql: Server) -> None:
    boot = Boot()
    lease = claimed(postgresql.space(), "one", boot)
    lease.must_hold()
    boot.seconds += leases.RENEWED_EVERY
    lease.renew()
    boot.seconds += leases.SECONDS - leases.MARGIN
    lease.must_hold()
    boot.seconds += 0.1
    with pytest.raises(LeaseLost, match="not renewed in time"):
        lease.must_hold()
    boot.seconds -= 5
    with pytest.raises(LeaseLost):
        lease.renew()


def test_a_new_claim_waits_for_the_end_of_a_running_transaction(postgresql: Server) -> None:
    """Otherwise the old worker's commit could come after the new one has read the documents."""
    space = postgresql.space()
    with opened(claimed(space, "one")) as journal:
        postgresql.every_claim_is_over()
        with journal._database.transaction() as inside:
            inside.execute("INSERT INTO meta (name, value) VALUES ('token', 'late')")
            with closing(connect(space)) as hurried:
                hurried.execute("SET lock_timeout TO '100ms'")
                with pytest.raises(Exception, match="lock timeout"):
                    hurried.execute(leases._CLAIM, (space.space, "two", 15.0))
        with opened(claimed(space, "two")) as other:
            assert other.token() == "late"


PAUSED = """
import os, signal, sys
from tests.journal.test_leases import *
lease = claimed(Address(sys.argv[1], sys.argv[2]), "one")
journal = opened(lease)
with journal._database.transaction() as inside:
    inside.execute("INSERT INTO meta (name, value) VALUES ('token', 'never')")
    print("inside", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_a_worker_paused_within_a_transaction_is_thrown_out_and_leaves_nothing(postgresql: Server) -> None:
    space = postgresql.space()
    command = [sys.executable, "-c", PAUSED, space.url, space.space]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"inside\n"
        postgresql.every_claim_is_over()
        begun = time.monotonic()
        with opened(claimed(space, "two")) as journal:
            assert time.monotonic() - begun < 8
            os.kill(process.pid, signal.SIGCONT)
            _, told = process.communicate(timeout=30)
            assert process.returncode != 0
            assert b"JournalAway" in told
            assert journal.token() is None


def test_a_lost_database_is_reported_and_its_transaction_left_nothing(postgresql: Server) -> None:
    space = postgresql.space()
    with opened(claimed(space, "one")) as journal:
        seq = journal.put(Tick(START))
        with postgresql.connect() as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'fedbot %'"
            )
        for _ in range(2):
            with pytest.raises(JournalAway, match="doesn't answer"):
                journal.commit(seq, Committed(START))
    with opened(claimed(space, "one again")) as again:
        assert again.next_event() == (seq, Tick(START))


@contextmanager
def _with_a_password(server: Server) -> Iterator[Address]:
    space = server.space()
    yield Address(space.url, space.space, "correct horse battery staple")


def test_no_error_shows_the_password(postgresql: Server) -> None:
    with _with_a_password(postgresql) as space:
        assert "correct" not in repr(space)
        gone = Address("postgresql:///nowhere?host=/nonexistent&user=fedbot", "s", space.password)
        with pytest.raises(JournalProblem) as caught:
            claim(gone, "one")
        assert "correct" not in f"{caught.value}{caught.value.__cause__}"


def test_durable_writes_survive_a_killed_server_and_others_never_half() -> None:
    """The server is killed: changes that were only in its memory are gone, as after a power cut."""
    with running(is_durable=True) as server:
        space = server.space()
        journal = opened(claimed(space, "one"))
        journal.receive([CaughtUp(START)], "s1")
        seq, _ = journal.next_event() or (0, None)
        (row,) = journal.commit(seq, Committed(START, queued=(Queued("act", Join("!r")),)))
        journal.begin(row, START)
        for _ in range(20):
            journal.commit(journal.put(Tick(START)), Committed(START))
        server.is_killed()
        with pytest.raises(JournalAway):
            journal.put(Tick(START))
        server.starts_again()
        server.every_claim_is_over()
        with opened(claimed(space, "two")) as again:
            assert again.token() == "s1"
            (due,) = again.due("act", START)
            assert (due.id, due.acted_at) == (row, START)
            decided = again._database.rows("SELECT seq, decided FROM inbox ORDER BY seq")
            assert [number for number, _ in decided] == list(range(1, len(decided) + 1))
