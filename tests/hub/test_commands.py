"""An admin's commands for a space in the database, beside the worker that has it, or while none runs."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from fedbot.backup import restore
from fedbot.cli.exits import Exit
from fedbot.cli.main import main
from fedbot.config.settings import Settings
from fedbot.edge_settings import identity_beside
from fedbot.identity import FileVault, open_identity
from fedbot.journal.database import Address
from fedbot.journal.journal import Journal, StoredJournal
from fedbot.journal.lease import claim
from fedbot.journal.lock import StateLock
from fedbot.journal.postgresql import open_journal
from fedbot.ports.journal import Committed
from fedbot.rules.model.events import Tick
from fedbot.rules.model.health import Quarantined
from tests.config.conftest import ENVIRONMENT
from tests.fakes.postgresql import Server
from tests.journal.conftest import START


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def fedbot(settings: Settings, *words: str) -> int:
    return main([*words, "--config", str(settings.source)])


def works(settings: Settings, server: Server) -> StoredJournal:
    """Let a worker have the space."""
    lease = claim(Address(server.url, settings.party.id), "the worker")
    assert lease is not None
    return open_journal(lease)


def test_a_token_made_by_hand_is_found_by_the_running_worker(
    settings: Settings, postgresql: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with identity_beside(settings) as folder:  # nobody has ever worked here
        key = open_identity(folder).key
    with works(settings, postgresql):
        monkeypatch.setattr("sys.stdin", io.StringIO("inv-0123456789abcdef-20261124"))
        monkeypatch.setattr("fedbot.cli.credentials._unknown", lambda *_: "")
        assert fedbot(settings, "credentials", "add", "betaspace-1") == Exit.OK
        with identity_beside(settings) as folder:
            assert open_identity(folder).key == key
            (name,) = folder.within("secrets").names()  # type: ignore[union-attr]
            assert "betaspace" in name
    assert "inv-0123456789abcdef" not in capsys.readouterr().out


def test_set_aside_items_are_seen_from_everywhere_and_retried_where_nobody_works(
    settings: Settings, postgresql: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    with works(settings, postgresql) as journal:
        seq = journal.put(Tick(START))
        journal.set_event_aside(seq, Quarantined("Tick", "", "ZeroDivisionError", START))
        assert fedbot(settings, "status") == Exit.FAILED
        assert "ZeroDivisionError" in capsys.readouterr().out
        assert fedbot(settings, "retry", "1") == Exit.STATE_IN_USE
        assert "the worker works for" in capsys.readouterr().err
    assert fedbot(settings, "retry", "1") == Exit.OK
    with works(settings, postgresql) as journal:
        assert journal.next_event() == (seq, Tick(START))
    assert not (settings.state / "journal.db").exists()


def test_a_standby_is_healthy_and_names_the_active_worker(
    settings: Settings, postgresql: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    with works(settings, postgresql):
        assert fedbot(settings, "health") == Exit.FAILED, "nobody stands by on this machine"
        lock = StateLock(settings.state)
        assert fedbot(settings, "health") == Exit.OK
        assert "stands by: the worker works for" in capsys.readouterr().out
        assert fedbot(settings, "health", "--json") == Exit.OK
        assert json.loads(capsys.readouterr().out)["standing_by"]
        lock.release()


def test_a_backup_of_the_database_is_restored_into_a_state_folder(
    settings: Settings, postgresql: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with works(settings, postgresql) as journal:
        journal.receive([Tick(START)], "s1")
        seq, _ = journal.next_event() or (0, None)
        journal.commit(seq, Committed(START))
        with identity_beside(settings) as folder:
            key = open_identity(folder).key
            FileVault(folder).keep("made-for/betaspace/1", "inv-secret")
        (tmp_path / "passphrase").write_text("correct horse\n")
        file = tmp_path / "backup"
        assert fedbot(settings, "backup", str(file), "--passphrase-file", str(tmp_path / "passphrase")) == Exit.OK
        original = journal.journal_id
    left = [path for path in settings.state.rglob("*") if path.is_file() and path.name != "lock"]
    assert left == [], "nothing in clear is left"
    restore(file, tmp_path / "new", settings.party.id, "correct horse")
    with Journal.open(tmp_path / "new") as restored:
        assert restored.token() == "s1"
        assert restored.recovers
        assert restored.journal_id != original
    assert open_identity(tmp_path / "new" / "identity").key == key
    assert FileVault(tmp_path / "new" / "identity").read("made-for/betaspace/1") == "inv-secret"
    for refused in (["restore", str(file)], ["rebuild"], ["practice"]):
        assert fedbot(settings, *refused) == Exit.FAILED
    assert "journal" in capsys.readouterr().err


def test_audit_and_export_read_beside_the_worker(settings: Settings, postgresql: Server) -> None:
    with works(settings, postgresql):
        assert fedbot(settings, "audit", "verify") == Exit.OK
        assert fedbot(settings, "audit", "export") == Exit.OK
        assert fedbot(settings, "export") == Exit.OK


@pytest.mark.parametrize("words", [["run"], ["status"], ["journal", "move", "to-database"]])
def test_without_psycopg_the_error_says_what_to_install(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    words: list[str],
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for name in ("lease", "postgresql", "server"):
        monkeypatch.delitem(sys.modules, f"fedbot.journal.{name}", raising=False)
    assert fedbot(settings, *words) == Exit.FAILED
    assert "python -m pip install 'fedbot[postgresql]'" in capsys.readouterr().err + caplog.text
