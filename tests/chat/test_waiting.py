"""Lines that wait for their keys: kept in a file, found again until somebody has taken note of them, given up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fedbot.chat.room import Raw
from fedbot.chat.waiting import FILE, GIVE_UP_AFTER, MOST, TELL_AFTER, WaitingRoom

NOW = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
ROOM = "!room"


def line(number: int) -> dict[str, Any]:
    return {"event_id": f"${number}", "type": "m.room.encrypted"}


def closed(_room: str, raw: Raw) -> Raw:
    return raw


def opened(_room: str, raw: Raw) -> Raw:
    return {**raw, "type": "m.room.message"}


def test_a_line_is_told_of_after_a_while_once_and_can_be_read_later_still(tmp_path: Path) -> None:
    waiting = WaitingRoom(tmp_path)
    waiting.add([(ROOM, line(1)), (ROOM, line(1))], NOW)
    assert waiting.look(closed, NOW) == ([], [])
    waiting.settle()
    assert waiting.look(closed, NOW + TELL_AFTER) == ([], [(ROOM, line(1))])
    waiting.settle()
    assert waiting.look(closed, NOW + 2 * TELL_AFTER) == ([], [])
    waiting.settle()
    readable, overdue = WaitingRoom(tmp_path).look(opened, NOW + 2 * TELL_AFTER)
    assert ([raw["event_id"] for _, raw in readable], overdue) == (["$1"], [])


def test_what_was_found_is_found_again_until_it_is_settled_also_by_the_next_process(tmp_path: Path) -> None:
    waiting = WaitingRoom(tmp_path)
    waiting.add([(ROOM, line(1))], NOW)
    assert len(waiting.look(opened, NOW)[0]) == 1
    assert len(waiting.look(opened, NOW)[0]) == 1
    assert len(WaitingRoom(tmp_path).look(opened, NOW)[0]) == 1
    waiting.settle()
    assert waiting.look(opened, NOW) == ([], [])
    assert WaitingRoom(tmp_path).look(opened, NOW) == ([], [])


def test_a_line_is_given_up_after_a_day(tmp_path: Path) -> None:
    waiting = WaitingRoom(tmp_path)
    waiting.add([(ROOM, line(1))], NOW)
    waiting.look(closed, NOW + TELL_AFTER)
    waiting.settle()
    waiting.look(closed, NOW + GIVE_UP_AFTER)
    waiting.settle()
    assert waiting.look(opened, NOW + GIVE_UP_AFTER + timedelta(seconds=1)) == ([], [])


def test_of_too_many_the_oldest_are_given_up(tmp_path: Path) -> None:
    waiting = WaitingRoom(tmp_path)
    for number in range(MOST + 3):
        waiting.add([(ROOM, line(number))], NOW)
    readable, _ = WaitingRoom(tmp_path).look(opened, NOW)
    assert [raw["event_id"] for _, raw in readable] == [f"${number}" for number in range(3, MOST + 3)]


def test_the_file_is_private_and_a_damaged_one_keeps_nobody_from_anything(tmp_path: Path) -> None:
    WaitingRoom(tmp_path).add([(ROOM, line(1))], NOW)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    for damaged in ("", "[{}]", '[{"room": 1}]', "7"):
        (tmp_path / FILE).write_text(damaged)
        assert WaitingRoom(tmp_path).look(opened, NOW) == ([], [])
