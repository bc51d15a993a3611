"""Keys and tokens in the database: sealed, each in its own place, written only by the worker that holds the space."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest

from fedbot.identity import FileVault, IdentityDamaged, open_identity
from fedbot.journal.lease import claim
from fedbot.journal.postgresql import PostgresqlDatabase
from fedbot.journal.sealed import FolderInDatabase, Seal, WrongKey
from fedbot.ports.journal import LeaseLost
from fedbot.ports.vault import NoSuchSecret
from tests.fakes.postgresql import Server

KEY = secrets.token_bytes(32)


@pytest.fixture
def folder(postgresql: Server) -> Iterator[FolderInDatabase]:
    lease = claim(postgresql.space(), "the test")
    assert lease is not None
    database = PostgresqlDatabase(lease)
    yield FolderInDatabase(database, Seal(KEY, "alpha"))
    database.close()


def everything(folder: FolderInDatabase) -> bytes:
    """Everything that somebody with access to the database reads."""
    found = folder.database.rows("SELECT name, content FROM sealed_files")
    rows = folder.database.rows("SELECT content FROM sealed_rows")
    return b"".join(name.encode() + bytes(content) for name, content in found) + b"".join(bytes(row[0]) for row in rows)


def test_identity_and_tokens_are_stored_and_nobody_can_read_them_in_the_database(folder: FolderInDatabase) -> None:
    key = open_identity(folder).key
    vault = FileVault(folder)
    vault.keep("betaspace/1", "inv-0123456789abcdef")
    assert open_identity(folder).key == key
    assert FileVault(folder).read("betaspace/1") == "inv-0123456789abcdef"
    seed = (folder / "signing.key").read_bytes().strip()
    assert seed not in everything(folder)
    assert bytes.fromhex(seed.decode()) not in everything(folder)
    assert b"inv-0123456789abcdef" not in everything(folder)
    vault.forget("betaspace/1")
    vault.forget("betaspace/1")
    with pytest.raises(NoSuchSecret):
        vault.read("betaspace/1")


def test_another_key_opens_nothing_and_makes_nothing(folder: FolderInDatabase) -> None:
    open_identity(folder)
    before = everything(folder)
    other = FolderInDatabase(folder.database, Seal(secrets.token_bytes(32), "alpha"))
    with pytest.raises(WrongKey, match="sealing key"):
        open_identity(other)
    assert everything(folder) == before


def test_sealed_content_is_valid_in_its_own_place_only(folder: FolderInDatabase) -> None:
    vault = FileVault(folder)
    vault.keep("betaspace/1", "first-token")
    vault.keep("gammaspace/1", "other-token")
    with folder.database.transaction() as connection:
        connection.execute(
            "UPDATE sealed_files SET content = (SELECT content FROM sealed_files WHERE name LIKE '%gamma%')"
            " WHERE name LIKE '%beta%'"
        )
    with pytest.raises(WrongKey, match="Somebody has put"):
        vault.read("betaspace/1")
    of_another_space = FolderInDatabase(folder.database, Seal(KEY, "beta"))
    with pytest.raises(WrongKey):
        FileVault(of_another_space).read("gammaspace/1")


def test_a_worker_that_lost_the_space_changes_no_key(folder: FolderInDatabase, postgresql: Server) -> None:
    vault = FileVault(folder)
    vault.keep("betaspace/1", "token-0")
    folder.keep_rows("device.db", [("accounts", 1, b"pickle")])
    postgresql.every_claim_is_over()
    assert claim(folder.database._lease.address, "another")  # type: ignore[attr-defined]
    changes: tuple[Callable[[], object], ...] = (
        lambda: vault.keep("betaspace/1", "token-1"),
        lambda: vault.forget("betaspace/1"),
        lambda: folder.keep_rows("device.db", [("accounts", 1, b"newer")]),
        lambda: folder.rename_store("device.db", "earlier.db"),
        lambda: folder.remove_store("device.db"),
    )
    for change in changes:
        with pytest.raises(LeaseLost):
            change()
    assert vault.read("betaspace/1") == "token-0"
    assert folder.rows("device.db") == [("accounts", 1, b"pickle")]


def test_a_damaged_key_is_not_replaced(folder: FolderInDatabase) -> None:
    (folder / "signing.key").write_whole(b"no key")
    with pytest.raises(IdentityDamaged, match="in the database"):
        open_identity(folder)
    assert list(folder.names()) == ["signing.key"]
