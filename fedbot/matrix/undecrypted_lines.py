"""Lines that can't be decrypted yet. Their room key may come later, because another server sends it separately.

They are in a file, because the sync's token moves past them. The file has no more than the homeserver has.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from fedbot.files import write_whole
from fedbot.matrix.encryption import log
from fedbot.matrix.keys import writing
from fedbot.matrix.room import Raw
from fedbot.ports.vault import File, Folder

WAITING_FILE = "waiting.json"
TELL_AFTER = timedelta(minutes=1)
"""A key that is on its way has arrived by then."""
GIVE_UP_AFTER = timedelta(days=1)
MOST_BYTES = 2_000_000
MOST_OF_ONE = 200_000
"""The most bytes of one sender: three of the largest events, or 50 lines."""
_LEAST = 4_000
"""The bytes that even a short line counts as, so that nobody fills the file with thousands of them."""


@dataclass(frozen=True)
class UndecryptedLine:
    """A line that waits for its key, since when, and whether it was reported as unreadable."""

    room: str
    raw: dict[str, Any]
    since: datetime
    told: bool = False

    @property
    def event_id(self) -> str:
        """The line's event id."""
        return str(self.raw.get("event_id"))

    @property
    def size(self) -> int:
        """The bytes that it counts as."""
        return max(_LEAST, len(json.dumps(self.raw)))


class UndecryptedLines:
    """All lines that wait for their keys.

    Lines that `look` finds stay in the file until `settle`, in case of a crash.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder, self._file = folder, folder / WAITING_FILE
        self._lines = _read(self._file)
        self._next: tuple[UndecryptedLine, ...] | None = None

    def settle(self) -> None:
        """Note that the result of the last `look` is journaled."""
        if self._next is not None and self._next != self._lines:
            self._keep(self._next)
        self._next = None

    def add(self, lines: Iterable[tuple[str, Raw]], now: datetime) -> None:
        """Add lines that wait for their keys. If there are too many, whoever has most of them loses the oldest."""
        known = {line.event_id for line in self._lines}
        waiting = {str(raw.get("event_id")): UndecryptedLine(room, dict(raw), now) for room, raw in lines}
        new = [line for event_id, line in waiting.items() if event_id not in known]
        kept = _within_limits((*self._lines, *new))
        if kept != self._lines:
            self._keep(kept)

    def forget(self, taken_back: Collection[tuple[str, str]]) -> None:
        """Drop these lines, as (room, event id), because they were redacted."""
        left = tuple(line for line in self._lines if (line.room, line.event_id) not in taken_back)
        if left != self._lines:
            self._keep(left)

    def look(
        self, decrypt: Callable[[str, Raw], Raw], now: datetime
    ) -> tuple[list[tuple[str, Raw]], list[tuple[str, Raw]]]:
        """The lines that can be decrypted now, decrypted; and the lines to report as unreadable now."""
        readable: list[tuple[str, Raw]] = []
        overdue: list[tuple[str, Raw]] = []
        left: list[UndecryptedLine] = []
        for line in self._lines:
            raw = decrypt(line.room, line.raw)
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

    def _keep(self, lines: tuple[UndecryptedLine, ...]) -> None:
        rows = [asdict(line) | {"since": line.since.isoformat()} for line in lines]
        with writing(self._folder):
            write_whole(self._file, json.dumps(rows).encode())
        self._lines = lines


def _within_limits(lines: tuple[UndecryptedLine, ...]) -> tuple[UndecryptedLine, ...]:
    """The newest lines of each sender. Nobody pushes out the lines of somebody who sent less."""
    of_sender: Counter[str] = Counter()
    shares: list[tuple[int, UndecryptedLine]] = []
    for line in reversed(lines):
        sender = str(line.raw.get("sender"))
        of_sender[sender] += line.size
        shares.append((of_sender[sender], line))
    kept: set[int] = set()
    total = 0
    for share, line in sorted(shares, key=itemgetter(0)):
        total += line.size
        if share > MOST_OF_ONE or total > MOST_BYTES:
            break
        kept.add(id(line))
    return tuple(line for line in lines if id(line) in kept)


def _read(file: File) -> tuple[UndecryptedLine, ...]:
    try:
        rows = json.loads(file.read_text())
        return tuple(UndecryptedLine(**row | {"since": datetime.fromisoformat(row["since"])}) for row in rows)
    except FileNotFoundError:
        return ()
    except (ValueError, KeyError, TypeError) as problem:
        log.warning("%s can't be read (%s): the lines that waited there for their keys are lost", file, problem)
        return ()
