"""After a kill at any statement, each call to the journal has happened wholly or not at all."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fedbot.journal.journal import Journal, StoredJournal
from fedbot.ports.journal import ChatMessage, PostPlace
from fedbot.rules.model.audit import PeerRefused
from fedbot.rules.model.effects import Join
from fedbot.rules.model.events import Posted
from fedbot.rules.model.room import Room
from tests.fakes.postgresql import Server
from tests.journal.conftest import START
from tests.journal.crashing import ROUNDS, opened

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
    assert [event for event, _ in journal.posts()] == [f"$card{row}" for row in done]
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


def test_a_process_killed_in_the_middle_of_a_step_is_known_to_have_begun_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.journal.crashing", "hang", str(tmp_path)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"acting\n"
        process.kill()
        assert process.wait(timeout=30) == -signal.SIGKILL
    with Journal.open(tmp_path) as journal:
        (row,) = journal.due("act", START)
        assert (row.acted_at, row.attempts, row.effect) == (START, 1, Join("!r"))
