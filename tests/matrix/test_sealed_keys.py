"""The keys of encrypted rooms in the space's database: the next worker has those of the one before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from nio.crypto import Olm, OlmDevice, OutboundGroupSession

from fedbot.journal.lease import claim
from fedbot.journal.postgresql import PostgresqlDatabase
from fedbot.journal.sealed import FolderInDatabase, Seal
from fedbot.matrix.keys import SealedStore, open_machine, set_aside
from tests.fakes.postgresql import Server

BOT, DEVICE = "@bot:x", "DEVICE"


@pytest.fixture
def folder(postgresql: Server) -> Iterator[FolderInDatabase]:
    lease = claim(postgresql.space(), "the test")
    assert lease is not None
    database = PostgresqlDatabase(lease)
    yield FolderInDatabase(database, Seal(bytes(32), "alpha")).within("matrix-keys")
    database.close()


def used(folder: FolderInDatabase) -> tuple[str, str]:
    """A device that has talked in a room: its key, and a room key that it has."""
    machine: Olm = open_machine(folder, BOT, DEVICE)
    machine.account.shared = True
    machine.save_account()
    anna = OlmDevice("@anna:x", "PHONE", {"ed25519": "e", "curve25519": "c"})
    for name in ("first name", "another name"):
        anna.display_name = name
        machine.store.save_device_keys({"@anna:x": {"PHONE": anna}})
    session = OutboundGroupSession()
    machine.create_group_session("sender", "fingerprint", "!room", session.id, session.session_key)
    machine.store.save_encrypted_rooms(["!room", "!other"])
    machine.store.delete_encrypted_room("!other")
    return machine.account.identity_keys["curve25519"], session.id


def test_another_worker_has_the_same_device_with_all_its_keys(folder: FolderInDatabase) -> None:
    key, session = used(folder)
    again: Olm = open_machine(folder, BOT, DEVICE)
    assert again.account.identity_keys["curve25519"] == key
    assert again.account.shared
    assert again.inbound_group_store.get("!room", "sender", session) is not None
    assert again.store.load_encrypted_rooms() == {"!room"}
    assert again.device_store["@anna:x"]["PHONE"].display_name == "first name"
    assert again.device_store["@anna:x"]["PHONE"].curve25519 == "c"


def test_a_store_that_leaves_the_database_empty_is_noticed(
    folder: FolderInDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant of a key store that stays behind at the first worker."""
    monkeypatch.setattr(SealedStore, "_keep", lambda _: None)
    key, _ = used(folder)
    assert open_machine(folder, BOT, DEVICE).account.identity_keys["curve25519"] != key


def test_a_new_device_reads_messages_to_the_earlier_one(folder: FolderInDatabase) -> None:
    key, session = used(folder)
    set_aside(folder)
    newer: Olm = open_machine(folder, BOT, "NEWER")
    assert newer.account.identity_keys["curve25519"] != key
    assert newer.inbound_group_store.get("!room", "sender", session) is not None
    assert newer.store.load_encrypted_rooms() == {"!room"}
    assert folder.stores() == ["device.db"]
