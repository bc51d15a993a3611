"""The file and its folder: one process at a time, private, checked, migrated, copied."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from fedbot.journal import sqlite
from fedbot.journal.journal import Journal
from fedbot.journal.sqlite import MIGRATIONS
from fedbot.ports.journal import Committed, JournalDamaged, JournalProblem, JournalTooNew, Queued, Retention, StateInUse
from fedbot.rules.model.audit import AuditEntry, PeerRefused
from fedbot.rules.model.effects import Join
from fedbot.rules.model.events import Said, Tick
from fedbot.rules.model.room import Room
from tests.journal.conftest import START


def fill(journal: Journal) -> None:
    journal.receive([Said("!r", "$1", "@anna:x", START, "hello")], "s1")
    journal.commit(
        journal.put(Tick(START)),
        Committed(
            START,
            documents={("Room", "!r"): Room("!r", "Makers")},
            queued=(Queued("chat", Join("!r")),),
            audit=(AuditEntry("k7m2", PeerRefused("filled")),),
        ),
    )


def assert_filled(journal: Journal) -> None:
    assert journal.token() == "s1"
    assert journal.next_event() == (1, Said("!r", "$1", "@anna:x", START, "hello"))
    assert [document for _, _, document in journal.documents()] == [Room("!r", "Makers")]
    assert [row.effect for row in journal.due("chat", START)] == [Join("!r")]
    assert [line.entry.what for line in journal.audit("k7m2")] == [PeerRefused("filled")]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_written_data_is_there_at_the_next_opening(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        identifier = journal.journal_id
        fill(journal)
    with Journal.open(tmp_path) as journal:
        assert_filled(journal)
        assert journal.journal_id == identifier


def test_a_running_step_is_due_again_and_known_to_have_been_tried(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        fill(journal)
        (row,) = journal.due("chat", START)
        journal.begin(row.id, START)
    with Journal.open(tmp_path) as journal:
        (row,) = journal.due("chat", START)
        assert (row.state, row.acted_at, row.attempts) == ("queued", START, 1)


def test_a_second_process_is_refused_and_told_who_is_there(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from fedbot.journal.journal import Journal\n"
        "journal = Journal.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdin
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StateInUse, match=str(other.pid)) as caught:
            Journal.open(tmp_path)
        assert caught.value.pid == other.pid
        other.stdin.close()
        assert other.wait(timeout=30) == 0
    Journal.open(tmp_path).close()


def test_a_second_journal_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with Journal.open(tmp_path), pytest.raises(StateInUse) as caught:
        Journal.open(tmp_path)
    assert caught.value.pid == os.getpid()
    assert isinstance(caught.value, JournalProblem)


def test_a_lock_file_left_over_locks_nobody_out(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("1\n")
    with Journal.open(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_closing_twice_does_no_harm_and_lets_others_in(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    journal.close()
    journal.close()
    Journal.open(tmp_path).close()


def test_nobody_else_can_read_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "state"
    before = os.umask(0)
    try:
        with Journal.open(folder) as journal:
            fill(journal)
            journal.backup(tmp_path / "copy.db")
            names = {path.name: mode(path) for path in folder.iterdir()}
    finally:
        os.umask(before)
    assert names == dict.fromkeys(("journal.db", "journal.db-wal", "journal.db-shm", "lock"), 0o600)
    assert mode(folder) == 0o700
    assert mode(tmp_path / "copy.db") == 0o600


def test_a_file_that_was_left_open_to_others_is_made_private(tmp_path: Path) -> None:
    Journal.open(tmp_path).close()
    (tmp_path / "journal.db").chmod(0o644)
    Journal.open(tmp_path).close()
    assert mode(tmp_path / "journal.db") == 0o600


def test_only_received_events_and_begun_steps_wait_for_the_disk(tmp_path: Path) -> None:
    """SQLite syncs the write-ahead log at the end of a transaction by this setting: 2 is FULL, 1 NORMAL."""
    with Journal.open(tmp_path) as journal:
        assert journal._database.rows("PRAGMA journal_mode") == [("wal",)]

        def waits() -> bool:
            return journal._database.rows("PRAGMA synchronous") == [(2,)]

        journal.receive([Said("!r", "$1", "@anna:x", START, "hello")], "s1")
        assert waits()
        journal.receive([], "s2")
        assert not waits()
        found = journal.next_event()
        assert found is not None
        (row,) = journal.commit(found[0], Committed(START, queued=(Queued("chat", Join("!r")),)))
        assert not waits()
        journal.begin(row, START)
        assert waits()
        journal.finish(row, None)
        assert not waits()


def test_a_damaged_file_is_refused_unchanged_with_what_to_do(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        for number in range(200):
            journal.put(Said("!r", f"${number}", "@anna:x", START, "hello" * 50))
    file = tmp_path / "journal.db"
    content = bytearray(file.read_bytes())
    content[8192:20480] = os.urandom(12288)
    file.write_bytes(content)
    for _ in range(2):
        with pytest.raises(JournalDamaged, match="backup"):
            Journal.open(tmp_path)
    assert file.read_bytes() == bytes(content)


def test_a_file_that_never_was_a_journal_is_refused_unchanged(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_text("dear diary, " * 1000)
    with pytest.raises(JournalDamaged, match="not a database"):
        Journal.open(tmp_path)
    assert (tmp_path / "journal.db").read_text() == "dear diary, " * 1000


def test_a_journal_of_a_newer_fedbot_is_refused_unchanged(tmp_path: Path) -> None:
    Journal.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(JournalTooNew, match=str(len(MIGRATIONS) + 1)):
        Journal.open(tmp_path)


def test_an_older_journal_is_migrated_with_everything_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal.open(tmp_path) as journal:
        fill(journal)
    newer = (*MIGRATIONS, ("CREATE TABLE shelf (name TEXT) STRICT", "INSERT INTO shelf VALUES ('A3')"))
    monkeypatch.setattr(sqlite, "MIGRATIONS", newer)
    for _ in range(2):
        with Journal.open(tmp_path) as journal:
            assert_filled(journal)
            assert journal._database.rows("SELECT name FROM shelf") == [("A3",)]
            assert journal._database.rows("PRAGMA user_version") == [(len(newer),)]


def test_a_failed_migration_leaves_the_journal_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal.open(tmp_path) as journal:
        fill(journal)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE shelf (name TEXT) STRICT", "no SQL")))
        with pytest.raises(JournalProblem, match="syntax error"):
            Journal.open(tmp_path)
    with Journal.open(tmp_path) as journal:
        assert_filled(journal)
        assert journal._database.rows("SELECT name FROM sqlite_schema WHERE name = 'shelf'") == []


def test_a_refused_opening_does_not_keep_the_folder_locked(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_text("dear diary")
    with pytest.raises(JournalDamaged):
        Journal.open(tmp_path)
    (tmp_path / "journal.db").unlink()
    Journal.open(tmp_path).close()


def test_a_backup_made_while_running_is_complete_and_one_file(tmp_path: Path) -> None:
    copy = tmp_path / "restored" / "journal.db"
    copy.parent.mkdir()
    with Journal.open(tmp_path / "state") as journal:
        fill(journal)
        journal.backup(copy)
        journal.prune(Retention(lines=timedelta(0), events=timedelta(0), messages=timedelta(0)))
        original = journal.journal_id
    assert [path.name for path in copy.parent.iterdir()] == ["journal.db"]
    with Journal.open(copy.parent) as restored:
        assert_filled(restored)
        # Under the old id a homeserver would answer new sends with old events.
        first = restored.journal_id
        assert first != original
    with Journal.open(copy.parent) as restored:
        assert restored.journal_id == first


def test_a_backup_replaces_an_older_one(tmp_path: Path) -> None:
    copy = tmp_path / "journal.db"
    with Journal.open(tmp_path / "state") as journal:
        journal.backup(copy)
        (tmp_path / "journal.db.part").write_text("left over from a crash")
        fill(journal)
        journal.backup(copy)
    with Journal.open(tmp_path) as restored:
        assert_filled(restored)
