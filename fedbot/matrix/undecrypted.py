"""Lines that can't be read yet: their room key may come later, since another server brings it on another way.

Kept in a file, as the sync's token moves on beyond them. What is kept of them is what the homeserver has too.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fedbot.files import write_whole
from fedbot.matrix.keys import writing
from fedbot.matrix.room import Raw

FILE = "waiting.json"
TELL_AFTER = timedelta(minutes=1)
"""A key that is on its way is there by then."""
GIVE_UP_AFTER = timedelta(days=1)
MOST = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Waiting:
    """A line that waits for its key, since when, and whether somebody was told of it."""

    room: str
    raw: dict[str, Any]
    since: datetime
    told: bool = False

    @property
    def event_id(self) -> str:
        """Of the line."""
        return str(self.raw.get("event_id"))


class WaitingRoom:
    """All of them. What `look` finds stays in the file until `settle`: until then it may have to be found again."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._lines = _read(self._file)
        self._next: tuple[Waiting, ...] | None = None

    def settle(self) -> None:
        """What was found by the last look has been taken note of."""
        if self._next is not None and self._next != self._lines:
            self._keep(self._next)
        self._next = None

    def add(self, lines: Iterable[tuple[str, Raw]], now: datetime) -> None:
        """These wait from now on; the oldest are given up if there are too many."""
        known = {line.event_id for line in self._lines}
        waiting = {str(raw.get("event_id")): Waiting(room, dict(raw), now) for room, raw in lines}
        new = [line for event_id, line in waiting.items() if event_id not in known]
        if new:
            self._keep((*self._lines, *new)[-MOST:])

    def forget(self, taken_back: Collection[tuple[str, str]]) -> None:
        """Lines, as (room, event id), that somebody has taken back: nobody wants to have them read any more."""
        left = tuple(line for line in self._lines if (line.room, line.event_id) not in taken_back)
        if left != self._lines:
            self._keep(left)

    def look(
        self, opened: Callable[[str, Raw], Raw], now: datetime
    ) -> tuple[list[tuple[str, Raw]], list[tuple[str, Raw]]]:
        """The lines that can be read by now, opened; and those of which somebody should be told that they can't."""
        readable: list[tuple[str, Raw]] = []
        overdue: list[tuple[str, Raw]] = []
        left: list[Waiting] = []
        for line in self._lines:
            raw = opened(line.room, line.raw)
            if raw is not line.raw:
                readable.append((line.room, raw))
                continue
            if not line.told and now - line.since >= TELL_AFTER:
                overdue.append((line.room, line.raw))
                left.append(replace(line, told=True))
            elif now - line.since < GIVE_UP_AFTER:
                left.append(line)
        self._next = tuple(left)
        return readable, overdue

    def _keep(self, lines: tuple[Waiting, ...]) -> None:
        rows = [asdict(line) | {"since": line.since.isoformat()} for line in lines]
        with writing(self._file.parent):
            write_whole(self._file, json.dumps(rows).encode())
        self._lines = lines


def _read(file: Path) -> tuple[Waiting, ...]:
    try:
        rows = json.loads(file.read_text())
        return tuple(Waiting(**row | {"since": datetime.fromisoformat(row["since"])}) for row in rows)
    except FileNotFoundError:
        return ()
    except (ValueError, KeyError, TypeError) as problem:
        log.warning("%s can't be read (%s): what waited there for its keys is given up", file, problem)
        return ()
