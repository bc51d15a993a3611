"""A journal written by an earlier version opens in this one, and all its content is read."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fedbot.journal import audit_chain, codec
from fedbot.journal.copies import FILE
from fedbot.journal.journal import Journal
from fedbot.journal.sqlite import BOOKKEEPING, MIGRATIONS
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.lifecycles import ConnectionState, TransferState
from fedbot.rules.model.transfer import Transfer
from tests.journal.__main__ import FOLDER

RECORDED = sorted(FOLDER.glob("*.sql"))
TABLES = {"inbox": codec.EVENTS, "outbox": codec.EFFECTS, "documents": codec.DOCUMENTS}


@pytest.fixture(params=RECORDED, ids=lambda path: path.stem)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A state folder with the recorded journal."""
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.executescript(request.param.read_text(encoding="utf-8"))
    return tmp_path


def test_the_schema_of_today_is_recorded() -> None:
    assert str(len(MIGRATIONS)) in [path.stem for path in RECORDED], "run: python -m tests.journal"


def test_a_recorded_journal_opens_with_the_same_story(folder: Path) -> None:
    with Journal.open(folder) as journal:
        documents = [document for _, _, document in journal.documents()]
        (connection,) = (each for each in documents if isinstance(each, Connection))
        assert (connection.state, connection.peer) == (ConnectionState.ACTIVE, "attraktor")
        transfers = [each for each in documents if isinstance(each, Transfer)] + list(journal.newest())
        assert {each.state for each in transfers} == {TransferState.DONE, TransferState.OPEN}
        assert all(journal.audit(each.id) for each in transfers)


def test_every_row_of_a_recorded_journal_is_read_and_written_the_same(folder: Path) -> None:
    with sqlite3.connect(folder / FILE) as connection:
        assert audit_chain.verify(connection, BOOKKEEPING).broken == 0
        for table, kinds in TABLES.items():
            rows = connection.execute(f"SELECT kind, payload FROM {table}").fetchall()  # noqa: S608 -- our own names
            assert rows
            for kind, payload in rows:
                record = codec.from_text(kinds, kind, payload)
                assert codec.from_text(kinds, *codec.to_text(kinds, record)) == record
