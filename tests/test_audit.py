"""The audit proves itself: `fedbot audit verify` finds a changed, added, moved or missing entry."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from fedbot.cli.exits import Exit
from fedbot.cli.main import main
from fedbot.journal.audit_chain import GUARDS
from fedbot.journal.journal import Journal
from fedbot.ports.journal import Committed, Retention
from fedbot.rules.model.audit import AuditEntry, Decided, PeerRefused, Stage
from fedbot.rules.model.decision import Choice
from fedbot.rules.model.events import Tick
from tests.config.conftest import ENVIRONMENT, least
from tests.journal.conftest import START, StandingClock
from tests.scenarios.world import friends

FAR = timedelta(days=3650)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(least() | {"state": str(tmp_path / "state")}))
    return path


@pytest.fixture
def journal(config: Path) -> Path:
    """The path of a journal with ten entries, one for each event."""
    clock = StandingClock()
    with Journal.open(config.parent / "state", clock) as opened:
        for number in range(10):
            write(opened, f"entry {number + 1}")
    return config.parent / "state" / "journal.db"


def write(journal: Journal, what: str) -> None:
    seq = journal.put(Tick(START))
    journal.commit(seq, Committed(START, audit=(AuditEntry("k7m2", PeerRefused(what), "@anna:x", "$1"),)))


def meddle(journal: Path, *statements: str, guarded: bool = False) -> None:
    """Change the file by hand; `guarded` keeps the triggers."""
    with closing(sqlite3.connect(journal)) as database:
        guards = [row[0] for row in database.execute("SELECT sql FROM sqlite_schema WHERE type = 'trigger'")]
        for name in [] if guarded else GUARDS:
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement)
        for sql in [] if guarded else guards:
            database.execute(sql)
        database.commit()


def verify(config: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["audit", "verify", *arguments, "--config", str(config)])
    return code, capsys.readouterr().out


def test_an_untouched_audit_is_ok_and_has_its_last_hash(
    config: Path, journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = verify(config, capsys)
    assert code == Exit.OK
    assert told.startswith("OK: 10 entries, all unchanged.\nThe last hash is ")
    head = told.split()[-1]
    assert verify(config, capsys, head)[0] == Exit.OK
    assert json.loads(verify(config, capsys, "--json")[1]) == {
        "ok": True,
        "entries": 10,
        "first": 1,
        "head": head,
        "broken": 0,
        "why": "",
        "known": True,
    }


REWRITE = "UPDATE audit SET entry = replace(entry, 'anna', 'eve') WHERE number = 4"


@pytest.mark.parametrize(
    ("statements", "broken", "why"),
    [
        ([REWRITE], 4, "it was changed"),
        (["UPDATE audit SET at = '2020-01-01T00:00:00+00:00' WHERE number = 7"], 7, "it was changed"),
        (["UPDATE audit SET subject = 'other' WHERE number = 1"], 1, "it was changed"),
        (["UPDATE audit SET cause = 99 WHERE number = 2"], 2, "it was changed"),
        (["DELETE FROM audit WHERE number = 5"], 6, "entry 5 is gone"),
        (["DELETE FROM audit WHERE number = 1"], 2, "entry 1 is gone"),
        (["DELETE FROM audit WHERE number > 8"], 9, "it and what followed is gone"),
        (["DELETE FROM audit"], 1, "it and what followed is gone"),
        (
            [
                "UPDATE audit SET number = 100 WHERE number = 3",
                "UPDATE audit SET number = 3 WHERE number = 4",
                "UPDATE audit SET number = 4 WHERE number = 100",
            ],
            3,
            "it doesn't follow the entry before it",
        ),
    ],
)
def test_any_change_in_the_file_is_found_at_the_first_entry_that_does_not_fit(
    config: Path, journal: Path, capsys: pytest.CaptureFixture[str], statements: list[str], broken: int, why: str
) -> None:
    meddle(journal, *statements)
    code, told = verify(config, capsys)
    assert code == Exit.FAILED
    assert told.startswith(f"Entry {broken} doesn't match: {why}.\n")


def test_a_chain_rewritten_as_a_whole_does_not_have_the_noted_hash(
    config: Path, journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noted = verify(config, capsys)[1].split()[-1]
    journal.unlink()
    with Journal.open(journal.parent) as forged:
        for number in range(10):
            write(forged, f"entry {number + 1}, retold")
    assert verify(config, capsys)[0] == Exit.OK
    code, told = verify(config, capsys, noted)
    assert code == Exit.FAILED
    assert told.startswith("That hash is not in the chain")


CUT = ("DELETE FROM audit WHERE number > 8", "UPDATE sqlite_sequence SET seq = 8 WHERE name = 'audit'")


@pytest.mark.parametrize("how", ["cut", "older copy"])
def test_an_end_that_is_gone_without_a_trace_does_not_have_the_noted_hash(
    config: Path, journal: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    older = verify(config, capsys)[1].split()[-1]
    copy = journal.read_bytes()
    with Journal.open(journal.parent) as opened:
        write(opened, "the newest")
    noted = verify(config, capsys)[1].split()[-1]
    if how == "cut":
        meddle(journal, *CUT)
    else:
        journal.write_bytes(copy)
    code, told = verify(config, capsys)
    assert code == Exit.OK
    assert told.startswith(f"OK: {8 if how == 'cut' else 10} entries")
    code, told = verify(config, capsys, noted)
    assert code == Exit.FAILED
    assert told.startswith("That hash is not in the chain")
    assert verify(config, capsys, older)[0] == (Exit.FAILED if how == "cut" else Exit.OK)


def test_a_continued_copy_has_the_hash_of_its_own_past(
    config: Path, journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noted = verify(config, capsys)[1].split()[-1]
    with Journal.open(journal.parent) as opened:
        write(opened, "later")
    assert verify(config, capsys, noted)[0] == Exit.OK


@pytest.mark.parametrize(
    "statement",
    [
        REWRITE,
        "DELETE FROM audit WHERE number = 10",
        "INSERT INTO audit SELECT number + 10, at, cause, subject, entry, previous, hash FROM audit",
        "INSERT INTO audit SELECT 11, at, cause, subject, entry, previous, hash FROM audit WHERE number = 10",
        "INSERT OR REPLACE INTO audit SELECT 4, at, cause, subject, 'x', previous, hash FROM audit WHERE number = 4",
        "INSERT INTO audit_checkpoints VALUES (10, 'made up', 'now')",
    ],
)
def test_no_single_statement_changes_the_table(journal: Path, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        meddle(journal, statement, guarded=True)


def test_removed_guards_are_found(config: Path, journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    meddle(journal, "DROP TRIGGER audit_never_changes", guarded=True)
    code, told = verify(config, capsys)
    assert code == Exit.FAILED
    assert "audit_never_changes" in told


def test_pruned_entries_leave_a_checkpoint_from_which_the_chain_goes_on(
    config: Path, journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = StandingClock()
    old = verify(config, capsys)[1].split()[-1]
    with Journal.open(journal.parent, clock) as opened:
        clock.pass_by(days=40)
        opened.commit(opened.put(Tick(START)), Committed(clock(), audit=(AuditEntry("k7m2", PeerRefused("young")),)))
        opened.prune(Retention(audit=timedelta(days=30)))
        assert [line.entry.what for line in opened.audit("k7m2")] == [PeerRefused("young")]
    code, told = verify(config, capsys, old)
    assert code == Exit.OK
    assert told.startswith("OK: 1 entries, from number 11 on (older ones were pruned), all unchanged.\n")
    with Journal.open(journal.parent, clock) as opened:
        clock.pass_by(days=40)
        opened.prune(Retention(audit=timedelta(days=30)))
        write(opened, "after all was pruned")
    assert verify(config, capsys)[1].startswith("OK: 1 entries, from number 12 on")


def test_the_export_is_private_and_anybody_can_follow_its_chain(config: Path, journal: Path) -> None:
    del journal
    output = config.parent / "audit.jsonl"
    assert main(["audit", "export", "--output", str(output), "--config", str(config)]) == Exit.OK
    assert output.stat().st_mode & 0o777 == 0o600
    previous = "0" * 64
    lines: list[dict[str, Any]] = [json.loads(line) for line in output.read_text().splitlines()]
    assert [line["number"] for line in lines] == list(range(1, 11))
    for line in lines:
        entry = json.dumps(line["entry"], separators=(",", ":"))
        hashed = [previous, line["number"], line["at"], line["cause"], line["subject"], entry]
        assert line["previous"] == previous
        previous = hashlib.sha256(json.dumps(hashed, separators=(",", ":")).encode()).hexdigest()
        assert line["hash"] == previous
        assert line["entry"]["what"] == {"type": "PeerRefused", "reason": f"entry {line['number']}"}
        assert line["in_words"] == "the other space could not book it in"


async def test_a_decision_names_the_person_by_matrix_id_and_inventree_user_its_event_and_the_terms() -> None:
    world = await friends()
    card = await world.push()
    tap = world.cem.reacts(card, "✅")
    await world.grace()
    transfer = world.beta.transfer()
    entries = [line.entry for line in world.beta.journal.audit(transfer.id)]
    (decision,) = [entry for entry in entries if entry.what == Decided(Choice.APPROVE, Stage.IN_GRACE)]
    assert (decision.who, decision.user, decision.event_id) == (world.cem.user_id, "cem", tap)
    assert decision.user_key == world.beta.user("cem").pk
    assert decision.terms_hash == transfer.terms_hash
