"""A space moves into the database and back with everything, and never exists twice."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from nio.crypto import Olm
from nio.store import SqliteStore

from fedbot.cli.main import main
from fedbot.config.settings import Settings
from fedbot.edge_settings import identity_folder
from fedbot.hub import moving
from fedbot.identity import FileVault, open_identity
from fedbot.journal.copies import audit_verified
from fedbot.journal.database import Address
from fedbot.journal.journal import Journal, StoredJournal
from fedbot.journal.lease import claim
from fedbot.journal.postgresql import open_journal
from fedbot.journal.sealed import FolderInDatabase, Seal
from fedbot.matrix.keys import open_machine
from fedbot.ports.journal import Committed, JournalMoved, Queued, Retention, StateInUse
from fedbot.rules.model.audit import AuditEntry, PeerRefused
from fedbot.rules.model.effects import Join
from fedbot.rules.model.events import Said, Tick
from fedbot.rules.model.room import Room
from tests.fakes.postgresql import Server
from tests.journal.conftest import START, StandingClock
from tests.journal.test_archive import over

ODD = "ends \0 here, \ufffe0 there 🙂"


def lived(settings: Settings) -> None:
    """Let a bot work in the state folder for a while."""
    clock = StandingClock()
    with Journal.open(settings.state, clock) as journal:
        for number in range(5):
            clock.pass_by(days=1)
            journal.receive([Said("!r", f"${number}", "@anna:x", START, ODD)], f"s{number}")
            seq, _ = journal.next_event() or (0, None)
            journal.commit(
                seq,
                Committed(
                    clock(),
                    documents={("Room", f"!{number}"): Room(f"!{number}", ODD)},
                    queued=(Queued("act", Join(f"!{number}")),),
                    audit=(AuditEntry(ODD, PeerRefused("no")),),
                ),
            )
        done = over(3)
        journal.commit(journal.put(Tick(START)), Committed(START, {("Transfer", done.id): done}))
        journal.prune(Retention(timedelta(0), timedelta(0), timedelta(0), timedelta(0), 0, timedelta(days=2)))
    folder = identity_folder(settings)
    open_identity(folder)
    FileVault(folder).keep("made-for/betaspace/1", "inv-secret")
    machine = open_machine(folder / "matrix-keys", "@bot:x", "DEVICE")
    machine.store.save_encrypted_rooms(["!secret"])
    machine.store.database.close()


def in_database(settings: Settings, space: Address) -> tuple[StoredJournal, FolderInDatabase]:
    lease = claim(space, "a worker")
    assert lease is not None
    journal = open_journal(lease)
    return journal, FolderInDatabase(journal.database, Seal(b"\xab" * 32, settings.party.id))


def everything(journal: StoredJournal) -> list[object]:
    return [
        journal.journal_id,
        journal.token(),
        list(journal.documents()),
        list(journal.newest()),
        journal.audit(ODD),
        [row.effect for row in journal.due("act", START)],
    ]


def command(settings: Settings, where: str) -> int:
    return main(["journal", "move", where, "--config", str(settings.source)])


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "correct horse")
    monkeypatch.setenv("TOKEN", "inv-1234567890abcdef-20261124")


def test_a_space_moves_into_the_database_and_back_with_everything(
    settings: Settings, postgresql: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    lived(settings)
    space = Address(postgresql.url, settings.party.id)
    with Journal.open(settings.state) as journal:
        before, next_seq = everything(journal), journal.put(Tick(START)) + 1
    key = open_identity(identity_folder(settings)).key
    head = audit_verified(settings.state)
    assert head.first > 1, "the audit begins behind a checkpoint"

    assert command(settings, "to-database") == 0
    assert "rows of the journal" in capsys.readouterr().out
    with pytest.raises(JournalMoved, match="goes on in"):
        Journal.open(settings.state)
    assert audit_verified(space) == head
    moved, folder = in_database(settings, space)
    with moved:
        assert everything(moved) == before
        assert moved.put(Tick(START)) == next_seq, "no number is given twice"
        assert open_identity(folder).key == key
        assert FileVault(folder).read("made-for/betaspace/1") == "inv-secret"
        machine = open_machine(folder.within("matrix-keys"), "@bot:x", "DEVICE")
        assert machine.store.load_encrypted_rooms() == {"!secret"}
        identity_keys = machine.account.identity_keys

    assert command(settings, "to-database") == 1
    assert "was moved already" in capsys.readouterr().err
    assert command(settings, "to-file") == 0
    with Journal.open(settings.state) as journal:
        assert everything(journal)[:5] == before[:5]
        assert journal.put(Tick(START)) == next_seq + 1
    folder_again = identity_folder(settings)
    assert open_identity(folder_again).key == key
    store = SqliteStore(
        "@bot:x",
        "DEVICE",
        str(folder_again / "matrix-keys"),
        pickle_key=(folder_again / "matrix-keys" / "pickle.key").read_text(),
        database_name="device.db",
    )
    assert Olm("@bot:x", "DEVICE", store).account.identity_keys == identity_keys
    store.database.close()
    lease = claim(space, "a worker that wasn't told")
    assert lease is not None
    with pytest.raises(JournalMoved, match="goes on in"):
        open_journal(lease)
    lease.release()
    assert command(settings, "to-database") == 0, "and there again, in the place of what was left"


def test_keys_of_encrypted_rooms_made_in_the_database_leave_it_too(settings: Settings, postgresql: Server) -> None:
    journal, folder = in_database(settings, Address(postgresql.url, settings.party.id))
    with journal:
        journal.receive([], "s1")
        open_identity(folder)
        machine = open_machine(folder.within("matrix-keys"), "@bot:x", "DEVICE")
        machine.store.save_encrypted_rooms(["!secret"])
        made = machine.account.identity_keys
    assert moving.into_folder(settings).keys
    left = open_machine(identity_folder(settings) / "matrix-keys", "@bot:x", "DEVICE")
    assert left.account.identity_keys == made
    assert left.store.load_encrypted_rooms() == {"!secret"}
    left.store.database.close()


def test_nobody_else_may_work_during_the_move_and_no_newer_work_is_overwritten(
    settings: Settings, postgresql: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    lived(settings)
    space = Address(postgresql.url, settings.party.id)
    with Journal.open(settings.state), pytest.raises(StateInUse):
        moving.into_database(settings)
    journal, _ = in_database(settings, space)
    with journal:
        with pytest.raises(StateInUse, match="a worker works for"):
            moving.into_database(settings)
        journal.receive([], "s1")
    with pytest.raises(moving.MoveRefused, match="was worked on"):
        moving.into_database(settings)
    with pytest.raises(moving.MoveRefused, match="was worked on"):
        moving.into_folder(settings)
    with Journal.open(settings.state) as untouched:
        assert untouched.token() == "s4"


STEPS = ("replace_rows", "_compared", "_mark_in", "_put_aside", "_unmark", "_arrive", "write_identity")


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("step", STEPS)
def test_a_move_interrupted_anywhere_leaves_at_most_one_bot_and_is_finished_by_repeating_it(
    settings: Settings, postgresql: Server, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    lived(settings)
    space = Address(postgresql.url, settings.party.id)
    done = getattr(moving, step)

    def interrupted(*given: object) -> object:
        done(*given)
        raise Interrupted

    for move in (moving.into_database, moving.into_folder):
        with monkeypatch.context() as patch:
            patch.setattr(moving, step, interrupted)
            try:
                move(settings)
            except Interrupted:
                assert _how_many_can_begin(settings, space) <= 1
        with suppress(moving.MovedAlready):
            move(settings)
        assert _how_many_can_begin(settings, space) == 1


def _how_many_can_begin(settings: Settings, space: Address) -> int:
    """The number of bots that can start on a used journal, here and in the database."""
    opened: list[bool] = []
    try:
        with Journal.open(settings.state) as journal:
            opened.append(journal.token() is not None)
    except JournalMoved:
        pass
    lease = claim(space, "a worker")
    assert lease is not None
    try:
        opened.append(open_journal(lease).token() is not None)
    except JournalMoved:
        pass
    finally:
        lease.release()
    return sum(opened)
