"""A backup beside the running bot, and its restore: complete, private, and only where nothing is lost by it."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from nacl.pwhash import argon2id
from nacl.secret import SecretBox

from fedbot import backup as backups
from fedbot.backup import BackupContents, BackupRefused, backup, is_encrypted, restore
from fedbot.identity import FileVault, open_identity
from fedbot.journal.journal import Journal
from fedbot.ports.journal import JournalProblem, StateInUse
from fedbot.rules.model.events import Tick
from tests.journal.conftest import START

BOT = "@attraktor-bot:example.org"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder in which a bot has worked."""
    folder = tmp_path / "state"
    with Journal.open(folder) as journal:
        journal.receive([Tick(START)], "s1")
    open_identity(folder / "identity")
    FileVault(folder / "identity").keep("made-for/betaspace/1", "inv-secret")
    return folder


@pytest.fixture
def running(state: Path) -> Iterator[Journal]:
    with Journal.open(state) as journal:
        yield journal


def made(state: Path, file: Path, passphrase: str | None = None) -> Path:
    backup(BackupContents(state, state, state / "identity"), "attraktor", BOT, file, passphrase)
    return file


def test_a_restored_backup_has_the_state_at_its_time_beside_a_running_bot(
    running: Journal, state: Path, tmp_path: Path
) -> None:
    running.receive([Tick(START)], "s2")
    file = made(state, tmp_path / "b")
    running.receive([Tick(START)], "s3")
    manifest = restore(file, tmp_path / "new", "attraktor")
    assert (manifest.party, manifest.bot) == ("attraktor", BOT)
    with Journal.open(tmp_path / "new") as restored:
        assert restored.token() == "s2"
        assert restored.journal_id != running.journal_id
        assert restored.recovers
        assert not running.recovers
    assert open_identity(tmp_path / "new" / "identity").key == open_identity(state / "identity").key
    assert FileVault(tmp_path / "new" / "identity").read("made-for/betaspace/1") == "inv-secret"


def test_keys_of_encrypted_rooms_are_restored_for_reading_only(state: Path, tmp_path: Path) -> None:
    """Copied as a whole beside a bot that writes to them, and set aside: an old device's keys are never used again."""
    keys = state / "identity" / "matrix-keys"
    keys.mkdir(mode=0o700)
    (keys / "pickle.key").write_text("key")
    with closing(sqlite3.connect(keys / "device.db", isolation_level=None)) as store:
        store.execute("CREATE TABLE accounts (account)")
        store.execute("BEGIN IMMEDIATE")
        store.execute("INSERT INTO accounts VALUES ('half written')")
        file = made(state, tmp_path / "b")
        store.execute("ROLLBACK")
    restore(file, tmp_path / "new", "attraktor")
    restored = tmp_path / "new" / "identity" / "matrix-keys"
    (earlier,) = restored.glob("*.db")
    assert earlier.name.startswith("earlier-")
    with closing(sqlite3.connect(earlier)) as store:
        assert store.execute("SELECT count(*) FROM accounts").fetchone() == (0,)
    assert (restored / "pickle.key").read_text() == "key"


def test_a_damaged_store_of_keys_is_reported_and_no_backup_is_written(state: Path, tmp_path: Path) -> None:
    keys = state / "identity" / "matrix-keys"
    keys.mkdir(mode=0o700)
    (keys / "device.db").write_bytes(b"no database, but long enough to be read as one" * 100)
    with pytest.raises(BackupRefused, match=r"device\.db can't be read"):
        made(state, tmp_path / "b")
    assert list(tmp_path.iterdir()) == [state]


def test_all_of_it_is_for_its_owner_alone(state: Path, tmp_path: Path) -> None:
    file = made(state, tmp_path / "b")
    restore(file, tmp_path / "new", "attraktor")
    paths = [file, *(path for path in (tmp_path / "new").rglob("*") if path.is_file())]
    assert len(paths) > 3
    assert [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    assert not list(tmp_path.glob("*backup-*")), "nothing is left lying about"


def test_with_a_passphrase_nothing_can_be_read_without_it(state: Path, tmp_path: Path) -> None:
    file = made(state, tmp_path / "b", "correct horse")
    assert is_encrypted(file)
    assert not is_encrypted(made(state, tmp_path / "open"))
    content = file.read_bytes()
    assert b"attraktor" not in content
    for wrong in ("", "wrong horse"):
        with pytest.raises(BackupRefused, match="passphrase"):
            restore(file, tmp_path / "new", "attraktor", wrong)
    assert not (tmp_path / "new" / "journal.db").exists()
    restore(file, tmp_path / "new", "attraktor", "correct horse")


def test_a_backup_larger_than_the_memory_is_written_and_restored_in_pieces(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "_PIECE", 1 << 16)
    monkeypatch.setattr(backups, "_WORK", argon2id.OPSLIMIT_MIN)
    large = os.urandom(12_000_000)
    (state / "identity" / "large").write_bytes(large)
    restored = tmp_path / "new" / "identity" / "large"
    for passphrase in (None, "correct horse"):
        tracemalloc.start()
        file = made(state, tmp_path / "b", passphrase)
        restore(file, tmp_path / "new", "attraktor", passphrase or "")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert file.stat().st_size > len(large)
        assert peak < len(large) / 2
        assert restored.read_bytes() == large
        shutil.rmtree(tmp_path / "new")


def test_an_older_backup_in_one_box_can_still_be_restored(state: Path, tmp_path: Path) -> None:
    _, header, packed = made(state, tmp_path / "b").read_bytes().split(b"\n", 2)
    assert "sha256" in json.loads(header)
    salt = bytes(16)
    box = SecretBox(argon2id.kdf(32, b"correct horse", salt, 3, 1 << 20))
    told = {"kdf": "argon2id", "salt": salt.hex(), "opslimit": 3, "memlimit": 1 << 20}
    content = backups.MAGIC + json.dumps(told).encode() + b"\n" + bytes(box.encrypt(packed))
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(BackupRefused, match="passphrase"):
        restore(tmp_path / "b", tmp_path / "new", "attraktor", "wrong horse")
    assert restore(tmp_path / "b", tmp_path / "new", "attraktor", "correct horse").party == "attraktor"


def test_pieces_that_are_missing_moved_or_added_are_noticed(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "_PIECE", 1 << 10)
    monkeypatch.setattr(backups, "_WORK", argon2id.OPSLIMIT_MIN)
    file = made(state, tmp_path / "b", "correct horse")
    begin = len(file.read_bytes()) - len(file.read_bytes().split(b"\n", 2)[2]) + 24
    head, rest = file.read_bytes()[:begin], file.read_bytes()[begin:]
    pieces = [rest[at : at + (1 << 10) + 17] for at in range(0, len(rest), (1 << 10) + 17)]
    assert len(pieces) > 3
    for changed in (
        [],
        pieces[:-1],
        pieces[1:],
        [pieces[1], pieces[0], *pieces[2:]],
        [*pieces, b"x"],
        [*pieces, pieces[-1]],
    ):
        file.write_bytes(head + b"".join(changed))
        with pytest.raises(BackupRefused, match="damaged"):
            restore(file, tmp_path / "new", "attraktor", "correct horse")
    assert {path.name for path in (tmp_path / "new").glob("*")} <= {"lock"}


def test_without_a_passphrase_it_is_refused_unless_encryption_is_switched_off(state: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="no passphrase"):
        made(state, tmp_path / "b", "")
    assert not (tmp_path / "b").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from fedbot import backup, files
where, state, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])

def dies(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

places = {"copied": (backup, "_pack"), "packed": (backup, "enclosed"), "written": (Path, "replace")}
owner, name = places[where]
if where == "written":
    honest = Path.replace
    setattr(owner, name, lambda path, to: dies() if Path(to) == target else honest(path, to))
else:
    setattr(owner, name, dies)
backup.backup(backup.BackupContents(state, state, state / "identity"), "attraktor", "@bot:x", target, "correct horse")
"""


@pytest.mark.parametrize("where", ["copied", "packed", "written"])
def test_a_killed_backup_leaves_nothing_unencrypted_at_its_destination(where: str, state: Path, tmp_path: Path) -> None:
    target = tmp_path / "target" / "b"
    target.parent.mkdir()
    ended = subprocess.run([sys.executable, "-c", KILLED, where, state, target], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    seed = (state / "identity" / "signing.key").read_bytes().strip()
    left = [path for path in target.parent.rglob("*") if path.is_file()]
    assert bool(left) == (where != "copied"), "only what is encrypted is ever there"
    for path in left:
        content = path.read_bytes()
        assert not any(clear in content for clear in (b"SQLite format", seed, b"inv-secret", b"\x1f\x8b\x08"))
    # the remains of the killed one beside the journal are removed by the next backup a day later
    for folder in state.glob("backing-up-*"):
        os.utime(folder, (0, 0))
    made(state, target, "correct horse")
    assert not list(state.glob("backing-up-*"))


def test_a_backup_that_would_fill_disk_or_memory_is_refused(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = made(state, tmp_path / "b")
    bombs = {
        "it unzips to more": gzip.compress(bytes(3_000_000)),
        "more is in it": _archive(tarfile.TarInfo("journal.db"), size=2_500_000),
        "a header that no backup has": _archive(tarfile.TarInfo("journal.db"), pax="x" * 1_500_000),
    }
    monkeypatch.setattr(backups, "LARGEST", 2_000_000)
    for why, bomb in bombs.items():
        file.write_bytes(backups.MAGIC + b"".join(backups.enclosed(io.BytesIO(bomb), None)))
        with pytest.raises(BackupRefused, match=why):
            restore(file, tmp_path / "new", "attraktor")
    file.write_bytes(backups.MAGIC + b"[" * 9_000 + b"\n")
    with pytest.raises(BackupRefused):
        is_encrypted(file)
    with file.open("wb") as large:
        large.write(backups.MAGIC + b"{}\n")
        large.truncate(2_000_001)
    with pytest.raises(BackupRefused, match="larger than any backup"):
        restore(file, tmp_path / "new", "attraktor")
    assert {path.name for path in (tmp_path / "new").glob("*")} <= {"lock"}


def _archive(entry: tarfile.TarInfo, *, size: int = 0, pax: str = "") -> bytes:
    """A gzipped tar whose only entry claims that size, or has a header of that length."""
    entry.size = size
    entry.pax_headers = {"comment": pax} if pax else {}
    header = entry.tobuf(tarfile.PAX_FORMAT)
    return gzip.compress(header + bytes(1024))


@pytest.mark.parametrize("passphrase", [None, "correct horse"])
def test_a_damaged_backup_changes_nothing(state: Path, tmp_path: Path, passphrase: str | None) -> None:
    file = made(state, tmp_path / "b", passphrase)
    content = bytearray(file.read_bytes())
    for place in range(len(content) - 1, len(backups.MAGIC), -(len(content) // 10)):
        file.write_bytes(bytes(content[:place]) + bytes([content[place] ^ 1]) + bytes(content[place + 1 :]))
        with pytest.raises(BackupRefused):
            restore(file, tmp_path / "new", "attraktor", passphrase or "")
    file.write_bytes(bytes(content[:-1000]))
    with pytest.raises(BackupRefused):
        restore(file, tmp_path / "new", "attraktor", passphrase or "")
    assert {path.name for path in (tmp_path / "new").glob("*")} <= {"lock"}


def test_a_folder_with_content_keeps_it(state: Path, tmp_path: Path) -> None:
    file = made(state, tmp_path / "b")
    key = open_identity(state / "identity").key
    with pytest.raises(BackupRefused, match=r"journal\.db is there already"):
        restore(file, state, "attraktor")
    assert open_identity(state / "identity").key == key


def test_an_existing_identity_keeps_its_newer_tokens(state: Path, tmp_path: Path) -> None:
    file = made(state, tmp_path / "b")
    (state / "journal.db").unlink()
    FileVault(state / "identity").keep("made-for/betaspace/1", "newer")
    restore(file, state, "attraktor")
    assert FileVault(state / "identity").read("made-for/betaspace/1") == "newer"
    with Journal.open(state) as journal:
        assert journal.token() == "s1"


def test_an_identity_of_somebody_else_is_left_alone(state: Path, tmp_path: Path) -> None:
    file = made(state, tmp_path / "b")
    key = open_identity(tmp_path / "new" / "identity").key
    with pytest.raises(BackupRefused, match="identity is there already"):
        restore(file, tmp_path / "new", "attraktor")
    assert open_identity(tmp_path / "new" / "identity").key == key


def test_files_of_a_refused_start_do_not_prevent_a_restore(state: Path, tmp_path: Path) -> None:
    file = made(state, tmp_path / "b")
    with Journal.open(tmp_path / "new"):
        key = open_identity(tmp_path / "new" / "identity").key
    restore(file, tmp_path / "new", "attraktor")
    assert open_identity(tmp_path / "new" / "identity").key == open_identity(state / "identity").key
    (aside,) = (tmp_path / "new").glob("identity-unused-*")
    assert open_identity(aside).key == key


def test_a_folder_in_use_by_a_bot_is_left_alone(running: Journal, state: Path, tmp_path: Path) -> None:
    with pytest.raises(StateInUse):
        restore(made(state, tmp_path / "b"), state, "attraktor")


def test_a_backup_of_another_party_is_refused(state: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="backup of attraktor; the settings are those of betaspace"):
        restore(made(state, tmp_path / "b"), tmp_path / "new", "betaspace")


def test_only_an_older_backup_is_replaced(state: Path, tmp_path: Path) -> None:
    file = made(state, tmp_path / "b")
    before = file.read_bytes()
    assert made(state, file).read_bytes() != before
    letter = tmp_path / "letter"
    letter.write_text("dear all")
    with pytest.raises(BackupRefused, match="no backup of fedbot's"):
        made(state, letter)
    assert letter.read_text() == "dear all"
    with pytest.raises(BackupRefused, match="no backup of fedbot's"):
        restore(letter, tmp_path / "new", "attraktor")


def test_without_a_journal_or_an_identity_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with pytest.raises(BackupRefused, match="no identity"):
        made(tmp_path / "state", tmp_path / "b")
    open_identity(tmp_path / "state" / "identity")
    with pytest.raises(JournalProblem, match="no journal"):
        made(tmp_path / "state", tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_an_archive_that_would_write_elsewhere_is_refused(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "IDENTITY", "identity/../../outside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "signing.key").write_text("evil")
    file = tmp_path / "b"
    backup(BackupContents(state, state, state / "identity"), "attraktor", BOT, file, None)
    monkeypatch.undo()
    with pytest.raises(BackupRefused, match="doesn't belong into it"):
        restore(file, tmp_path / "x" / "new", "attraktor")
    assert not (tmp_path / "x" / "outside").exists()
