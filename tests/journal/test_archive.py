"""Finished documents move to the archive and are found again. SQLite's archive agrees with the one in memory."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from fedbot.journal import copies
from fedbot.journal.archive import A_PAGE
from fedbot.journal.journal import Journal, StoredJournal
from fedbot.ports.journal import Committed, JournalDamaged
from fedbot.rules.archive import Archive, Document, Mark, PeerFlow, is_at_rest
from fedbot.rules.model.decision import Signature
from fedbot.rules.model.events import Tick
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.transfer import Progress, Transfer
from tests.commands.worlds import BOLT, pushed
from tests.fakes.archive import RememberedArchive
from tests.journal.conftest import START

ROOMS = ("!one", "!two")
PEERS = ("betaspace", "gammaspace")


def over(number: int, **changes: object) -> Transfer:
    """The number-th of many finished transfers, each requested a minute after the one before."""
    at = START + timedelta(minutes=number // 2)
    signed = Signature("@anna:x", "Anna", "attraktor", at, f"$line{number}")
    identifier = f"{number * 7919 % 100000:05d}{'2' * 15}-push"
    transfer = replace(
        pushed(),
        id=identifier,
        code=identifier[:4],
        asked=signed,
        room=ROOMS[number % 2],
        peer=PEERS[number % 3 % 2],
        state=TransferState.DONE,
        progress=(Progress(1, stage="arrived", item=42),),
        ended=at + timedelta(days=number % 5),
    )
    return replace(transfer, **changes)  # type: ignore[arg-type]


def commit(journal: StoredJournal, *documents: Document | tuple[str, str]) -> None:
    """Commit in one decision; a name in place of a document removes it."""
    changes: dict[tuple[str, str], Document | None] = {}
    for each in documents:
        if isinstance(each, tuple):
            changes[each] = None
        else:
            changes[type(each).__name__, each.id] = each
    journal.commit(journal.put(Tick(START)), Committed(START, changes))


def all_that_is_asked(archive: Archive, transfers: list[Transfer]) -> list[object]:
    """All lookups that the rules may make."""
    spans = [None, START + timedelta(minutes=40), START + timedelta(days=2)]
    listed = list(product((None, [], ["!one"], list(ROOMS)), ("", *PEERS), spans))
    words = [(Mark.WORD, BOLT.name.casefold()), (Mark.WORD, "nothing")]
    marks = [*words, (Mark.PEER, "betaspace"), (Mark.EVENT, "$line7"), (Mark.ITEM, "42"), (Mark.PARENT, "")]
    return [
        [archive.transfer_at_rest(transfer.id) for transfer in transfers],
        [archive.ids_at_rest(beginning) for beginning in ("", "0", "07", "07919", "x")],
        [list(archive.newest(*each)) for each in listed],
        [archive.count(*each) for each in listed],
        [list(archive.marked(*mark, after)) for mark in marks for after in ("", "05", "~")],
        [_summed(archive.flows(rooms, since)) for rooms, since in product((None, ["!one"], []), spans)],
        archive.peers_at_rest(),
        archive.key_of("$nothing"),
    ]


def _summed(flows: Iterable[PeerFlow]) -> dict[tuple[str, str], tuple[int, Decimal]]:
    found: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for each in flows:
        lines, pieces = found.get((each.peer, each.way), (0, Decimal(0)))
        found[each.peer, each.way] = lines + each.lines, pieces + each.pieces
    return found


def test_the_journal_finds_what_the_archive_in_memory_finds(journal: StoredJournal) -> None:
    transfers = [over(number) for number in range(2 * A_PAGE + 10)]
    remembered = RememberedArchive()
    remembered.keeps({("Transfer", each.id): each for each in transfers})
    commit(journal, *transfers)
    assert list(journal.documents()) == []
    assert all_that_is_asked(journal, transfers) == all_that_is_asked(remembered, transfers)


def test_a_reopened_transfer_is_a_document_again_at_its_old_place(journal: StoredJournal) -> None:
    first, second = over(1), over(2)
    commit(journal, replace(first, state=TransferState.OPEN), replace(second, state=TransferState.OPEN))
    commit(journal, first)
    assert [identifier for _, identifier, _ in journal.documents()] == [second.id]
    again = replace(first, state=TransferState.DISPUTED)
    commit(journal, again)
    assert [document for *_, document in journal.documents()] == [again, replace(second, state=TransferState.OPEN)]
    assert journal.transfer_at_rest(first.id) is None
    assert list(journal.marked(Mark.PEER, first.peer)) == []
    commit(journal, first, second)
    commit(journal, ("Transfer", first.id))
    assert list(journal.newest()) == [second]
    assert not list(journal.marked(Mark.EVENT, first.asked.event_id))


def test_a_transfer_that_waits_for_an_answer_is_not_archived() -> None:
    done = over(1)
    assert is_at_rest(done)
    assert not is_at_rest(replace(done, exchange=replace(done.exchange, awaiting=True)))
    assert not is_at_rest(replace(done, exchange=replace(done.exchange, resend_at=START)))
    assert not is_at_rest(replace(done, told=("recalled",)))
    assert not is_at_rest(replace(done, left_over=(1,)))
    assert not is_at_rest(replace(done, state=TransferState.SENT))


def test_an_export_beside_the_bot_includes_the_archive(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        commit(journal, over(1), replace(over(2), state=TransferState.OPEN))
        found = copies.documents(tmp_path, Transfer)
        assert {document.id for document in found} == {over(1).id, over(2).id}


def test_damage_in_the_archive_is_found_while_the_bot_runs(tmp_path: Path) -> None:
    with Journal.open(tmp_path) as journal:
        commit(journal, *(over(number) for number in range(50)))
        journal.check()
    file = tmp_path / "journal.db"
    with closing(sqlite3.connect(file)) as beside:
        (page,) = beside.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'archive_peers'").fetchone()
        (size,) = beside.execute("PRAGMA page_size").fetchone()
    content = bytearray(file.read_bytes())
    content[(page - 1) * size : page * size] = b"\x55" * size
    file.write_bytes(content)
    with Journal.open(tmp_path) as journal, pytest.raises(JournalDamaged, match="backup"):
        journal.check()
