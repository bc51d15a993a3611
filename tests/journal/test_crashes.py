"""After a kill at any statement, each call to the journal has happened wholly or not at all."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from fedbot.journal.journal import StoredJournal
from fedbot.ports.journal import ChatMessage, JournalAway, PostPlace
from fedbot.rules.model.audit import PeerRefused
from fedbot.rules.model.effects import Join
from fedbot.rules.model.events import Posted
from fedbot.rules.model.room import Room
from tests.fakes.postgresql import Server, running
from tests.journal.conftest import START
from tests.journal.crashing import ROUNDS, at_each_statement, opened, work
from tests.journal.test_archive import over

PROJECT = Path(__file__).parents[2]


def assert_whole(journal: StoredJournal) -> None:
    """Each transaction left all of its traces or none."""
    rows = journal._database.rows
    inbox = rows("SELECT seq, kind, decided FROM inbox ORDER BY seq")
    received = [seq for seq, kind, _ in inbox if kind == "Said"]
    # receive: the events, their ids and the token belong together
    assert journal.token() == (f"s{len(received) - 1}" if received else None)
    assert len(rows("SELECT 1 FROM seen")) == len(received)
    assert len([1 for _, kind, _ in inbox if kind == "CaughtUp"]) == len(received)
    # commit: the mark, the document, the effects and the audit belong together
    decided = [seq for seq, _, mark in inbox if mark]
    assert [document for _, _, document in journal.documents()] == [Room(f"!{seq}") for seq in decided]
    assert [line.entry.what for line in journal.audit("all")] == [PeerRefused(f"decided {seq}") for seq in decided]
    effects = rows("SELECT cause, kind FROM outbox ORDER BY id")
    assert effects == [(seq, kind) for seq in decided if seq in received for kind in ("ChatMessage", "Join")]
    # finish: the row's end, the post and the outcome belong together
    done = [row for (row,) in rows("SELECT id FROM outbox WHERE state = 'done' ORDER BY id")]
    posts = [event for event, _ in journal.posts()]
    assert [event for event in posts if event.startswith("$card")] == [f"$card{row}" for row in done]
    # commit: what was found, and what has gone into the archive with its marks, belong to it, too
    assert [event for event in posts if event.startswith("$found")] == [f"$found{seq}" for seq in decided]
    archived = {over(seq).id for seq in decided if seq in received}
    assert {transfer for (transfer,) in rows("SELECT id FROM archive")} == archived
    assert {transfer for (transfer,) in rows("SELECT transfer FROM archive_marks")} == archived
    assert len([1 for _, kind, _ in inbox if kind == "Posted"]) == len(done)
    # postpone: the row put off and the event about it belong together
    put_off = rows("SELECT id FROM outbox WHERE not_before IS NOT NULL OR state = 'done'")
    assert len([1 for _, kind, _ in inbox if kind == "Tick"]) == len(put_off)


def assert_nothing_said_is_lost(journal: StoredJournal, said: list[str]) -> None:
    """Everything that a call reported as done is there after the kill."""
    rows = journal._database.rows
    for line in said:
        what, _, which = line.partition(" ")
        if what == "received":
            assert rows("SELECT 1 FROM seen WHERE event_id = ?", f"${which}"), line
        elif what == "committed":
            assert rows("SELECT decided FROM inbox WHERE seq = ?", int(which)) == [(1,)], line
        elif what == "finished":
            assert rows("SELECT state FROM outbox WHERE id = ?", int(which)) == [("done",)], line
        else:
            assert what in ("begun", "postponed")
            assert rows("SELECT acted_at IS NOT NULL FROM outbox WHERE id = ?", int(which)) == [(True,)], line


def go_on(journal: StoredJournal) -> None:
    """The same calls can finish the work that a crash left."""
    for row in journal.due("chat", START):
        assert isinstance(row.effect, ChatMessage)
        journal.finish(row.id, Posted(START, row.effect.key, "!r", f"$card{row.id}"))
        assert journal.post(row.effect.key) == PostPlace("!r", f"$card{row.id}")
    assert journal.due("chat", START) == ()
    assert all(row.effect == Join("!r") for row in journal.due("act", START))


@pytest.mark.parametrize(
    ("database", "step"), [("sqlite", 1), ("postgresql", 7), pytest.param("postgresql", 1, marks=pytest.mark.long)]
)
def test_a_process_killed_at_any_statement_leaves_a_whole_journal(
    database: str, step: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server: Server | None = request.getfixturevalue("postgresql") if database == "postgresql" else None
    url = server.url if server else ""
    subprocess.run(
        [sys.executable, "-m", "tests.journal.crashing", "each", str(tmp_path), *([url, str(step)] if url else [])],
        cwd=PROJECT,
        timeout=600,
        check=True,
    )
    places = sorted(int(folder.name) for folder in tmp_path.iterdir())
    if server:
        server.every_claim_is_over()
    ends = []
    for place in places:
        folder = tmp_path / str(place)
        said = (folder / "said").read_text().splitlines()
        with opened(folder, url) as journal:
            assert_whole(journal)
            assert_nothing_said_is_lost(journal, said)
            ends.append(journal.token())
            go_on(journal)
    # From the first statement, which had no effect yet, to the last, a kill was tried at every one.
    assert places == list(range(1, places[-1] + 1, step))
    assert places[-1] > 60
    assert (ends[0], ends[-1]) == (None, f"s{ROUNDS - 1}")


@dataclass
class Outage:
    """What happens to the database at the statement of that number. `said` is what the calls have reported."""

    server: Server
    space: str
    fatal: int
    count: int = 0
    said: list[str] = field(default_factory=list)

    def before(self) -> None:
        """Count a statement that is about to begin."""
        self.count += 1
        if self.count == self.fatal:
            self.begins()

    def after(self) -> None:
        """The statement has ended, and its answer is here."""

    def begins(self) -> None:
        """The database goes away."""

    def must_survive(self) -> list[str]:
        """The reports that the journal still has to know."""
        return self.said


class ConnectionLost(Outage):
    """The server ends the connection, as when it is restarted."""

    def begins(self) -> None:
        with self.server.connect() as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = %s",
                (f"fedbot {self.space}",),
            )


class AnswerLost(Outage):
    """The server does what it is asked, and the connection ends before its answer is here."""

    def after(self) -> None:
        if self.count == self.fatal:
            raise psycopg.OperationalError("server closed the connection unexpectedly")


class PowerCut(Outage):
    """The server is gone, with what was only in its memory."""

    def begins(self) -> None:
        self.server.is_killed()

    def must_survive(self) -> list[str]:
        durable = [number for number, line in enumerate(self.said) if line.startswith(("received", "begun"))]
        return self.said[: durable[-1] + 1] if durable else []


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("kind", "step"),
    [
        (ConnectionLost, 10),
        (AnswerLost, 10),
        (PowerCut, 50),
        *(pytest.param(kind, 1, marks=pytest.mark.long) for kind in (ConnectionLost, AnswerLost)),
        pytest.param(PowerCut, 7, marks=pytest.mark.long),
    ],
)
def test_a_database_that_goes_away_at_any_statement_leaves_a_whole_journal(kind: type[Outage], step: int) -> None:
    ends = []
    with running(is_durable=kind is PowerCut) as server:
        for fatal in itertools.count(1, step):
            space = server.space().space
            outage = kind(server, space, fatal)
            journal = opened(Path(space), server.url)
            gone = False
            with at_each_statement(journal, outage.before, outage.after):
                try:
                    work(journal, outage.said.append)
                except JournalAway:
                    gone = True
            if gone and kind is PowerCut:
                server.starts_again()
            journal.close()
            server.every_claim_is_over()
            with opened(Path(space), server.url) as again:
                assert_whole(again)
                assert_nothing_said_is_lost(again, outage.must_survive())
                ends.append(again.token())
                go_on(again)
            if not gone:
                break
    assert len(ends) > 100 / step
    assert (ends[0], ends[-1]) == (None, f"s{ROUNDS - 1}")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_process_killed_in_the_middle_of_a_step_is_known_to_have_begun_it(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server: Server | None = request.getfixturevalue("postgresql") if database == "postgresql" else None
    folder, url = tmp_path / "space", server.url if server else ""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.journal.crashing", "hang", str(folder), *([url] if url else [])],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"acting\n"
        process.kill()
        assert process.wait(timeout=30) == -signal.SIGKILL
    if server:
        server.every_claim_is_over()
    with opened(folder, url) as journal:
        (row,) = journal.due("act", START)
        assert (row.acted_at, row.attempts, row.effect) == (START, 1, Join("!r"))
