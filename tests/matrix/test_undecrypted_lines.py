"""Lines that wait for their keys: they are stored outside of the process, or end it."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest

from fedbot.matrix.encryption import GIVE_UP_AFTER, TELL_AFTER, WAITING_FILE, UndecryptedLines
from fedbot.ports.journal import JournalUnwritable

NOW = datetime(2026, 11, 24, 20, tzinfo=UTC)
LINE = {"type": "m.room.encrypted", "event_id": "$1", "sender": "@anna:twin.test"}


def found(waiting: UndecryptedLines) -> list[str]:
    readable, _ = waiting.look(lambda _, raw: dict(raw), NOW)
    return [room for room, _ in readable]


def test_a_line_that_is_redacted_elsewhere_still_waits(tmp_path: Path) -> None:
    waiting = UndecryptedLines(tmp_path)
    waiting.add([("!a", LINE), ("!b", {**LINE, "event_id": "$2"})], NOW)
    waiting.forget({("!b", "$1"), ("!b", "$2")})
    assert found(waiting) == found(UndecryptedLines(tmp_path)) == ["!a"]


def test_a_full_disk_ends_the_bot_before_a_line_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(JournalUnwritable, match="No space left"):
        UndecryptedLines(tmp_path).add([("!a", LINE)], NOW)


def test_a_line_waits_encrypted_and_leaves_nothing_once_its_key_comes_or_its_time_is_over(tmp_path: Path) -> None:
    secret = {**LINE, "content": {"ciphertext": "unreadable to whoever has the disk"}}
    waiting = UndecryptedLines(tmp_path)
    waiting.add([("!a", secret)], NOW)
    assert b"unreadable to whoever" in (tmp_path / WAITING_FILE).read_bytes()
    waiting.look(lambda _, raw: {**raw, "content": {"body": "my plain words"}}, NOW)
    waiting.settle()
    assert (tmp_path / WAITING_FILE).read_bytes() == b"[]"
    waiting.add([("!a", secret)], NOW)
    for now in (NOW + TELL_AFTER, NOW + GIVE_UP_AFTER):
        waiting.look(lambda _, raw: raw, now)
        waiting.settle()
    assert (tmp_path / WAITING_FILE).read_bytes() == b"[]"
