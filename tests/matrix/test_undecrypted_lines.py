"""Lines that wait for their keys: they are stored outside of the process, or end it."""

from __future__ import annotations

import errno
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest

from fedbot.matrix.undecrypted_lines import (
    GIVE_UP_AFTER,
    MOST_BYTES,
    MOST_OF_ONE,
    TELL_AFTER,
    WAITING_FILE,
    UndecryptedLines,
)
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


def sent(sender: str, number: int, letters: int = 500) -> tuple[str, dict[str, object]]:
    event_id = f"${sender}-{number}"
    return "!a", {**LINE, "event_id": event_id, "sender": sender, "content": {"ciphertext": "x" * letters}}


def test_a_member_that_floods_the_room_with_unreadable_lines_pushes_out_only_its_own(tmp_path: Path) -> None:
    waiting = UndecryptedLines(tmp_path)
    waiting.add([sent("@anna:twin.test", number) for number in range(3)], NOW)
    for number in range(0, 600, 10):
        waiting.add([sent("@mallory:twin.test", number + each, 60_000) for each in range(10)], NOW)
    readable, _ = waiting.look(lambda _, raw: dict(raw), NOW)
    lines = [raw["event_id"] for _, raw in readable]
    assert lines == [*(f"$@anna:twin.test-{number}" for number in range(3)), *lines[3:]]
    assert lines[-1] == "$@mallory:twin.test-599"
    assert (tmp_path / WAITING_FILE).stat().st_size < MOST_OF_ONE + 3 * 1_000


def test_many_senders_that_flood_share_the_file_and_whoever_sends_least_loses_nothing(tmp_path: Path) -> None:
    waiting = UndecryptedLines(tmp_path)
    waiting.add([sent("@anna:twin.test", 1)], NOW)
    for number in range(100):
        waiting.add([sent(f"@m{each}:twin.test", number) for each in range(40)], NOW)
    assert (tmp_path / WAITING_FILE).stat().st_size < MOST_BYTES
    readable, _ = waiting.look(lambda _, raw: dict(raw), NOW)
    of_sender = Counter(raw["sender"] for _, raw in readable)
    assert of_sender["@anna:twin.test"] == 1
    assert set(of_sender.values()) == {1, 12, 13}


def test_a_line_that_is_larger_than_a_share_is_not_stored(tmp_path: Path) -> None:
    waiting = UndecryptedLines(tmp_path)
    waiting.add([sent("@mallory:twin.test", 1, MOST_OF_ONE)], NOW)
    assert found(waiting) == []
    assert not (tmp_path / WAITING_FILE).exists()
