"""A full disk: one clear error, and everything written before is still there."""

from __future__ import annotations

import itertools
from collections import deque
from functools import partial
from pathlib import Path

import pytest

from fedbot.journal.journal import Journal
from fedbot.ports.journal import Committed, JournalUnwritable
from fedbot.rules.model.events import CaughtUp, Said, Tick
from fedbot.rules.model.room import Room
from tests.journal.conftest import START


def _fill(journal: Journal) -> int:
    """Write until the disk is full; return the number of events written."""
    numbers = itertools.count()
    with pytest.raises(JournalUnwritable, match="Nothing is lost"):
        deque(map(partial(_receive, journal), numbers))
    return next(numbers) - 1


def _receive(journal: Journal, number: int) -> None:
    journal.receive([Said("!r", f"${number}", "@anna:x", START, "x" * 2000)], f"s{number}")


def test_a_full_disk_is_reported_and_earlier_writes_are_there(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.commit(journal.put(Tick(START)), Committed(START, documents={("Room", "!r"): Room("!r")}))
        pages = journal._database.rows("PRAGMA page_count")[0][0]
        journal._database.rows(f"PRAGMA max_page_count = {int(str(pages)) + 4}")
        written = _fill(journal)
        with pytest.raises(JournalUnwritable, match="start the bot again"):
            journal.receive([Said("!r", "$more", "@anna:x", START, "y" * 4000)], "s-more")
        assert journal.token() == f"s{written - 1}", "the token never runs ahead of the events"
    with Journal.open(tmp_path) as again:
        assert again.token() == f"s{written - 1}"
        assert [identifier for _, identifier, _ in again.documents()] == ["!r"]
        again.receive([CaughtUp(START)], "s-after")


def test_a_read_only_disk_is_reported(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        journal.receive([Tick(START)], "s1")
        journal._database.rows("PRAGMA query_only = 1")
        with pytest.raises(JournalUnwritable, match="state folder writable"):
            journal.put(Tick(START))
        assert journal.token() == "s1"
