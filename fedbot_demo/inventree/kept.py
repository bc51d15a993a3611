"""A simulated InvenTree that outlives its process: its tables are written to one file before each response."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter

from fedbot.files import write_whole
from fedbot_demo.inventree.core import SimulatedInvenTree
from fedbot_demo.inventree.seeding import Seeded
from fedbot_demo.inventree.state import Clock, State, system_clock
from fedbot_demo.inventree.versions import NEWEST, Version


@dataclass
class Kept:
    """A server's tables in a file that only its owner can read, because it holds tokens."""

    state: State
    file: Path
    _written: int = field(default=-1, init=False)

    def write(self) -> None:
        """Write the tables if a row has changed since. Raises OSError."""
        changes = sum(table.changes for table in self.state.tables().values())
        if changes != self._written:
            rows = {name: (list(table), table.next_pk) for name, table in _of(self.state)}
            written = {name: _rows(name).dump_python(each, mode="json") for name, each in rows.items()}
            write_whole(self.file, json.dumps(written).encode())
            self._written = changes


def keep(seeded: Seeded, file: Path) -> Seeded:
    """Keep this server in that file from now on. Raises OSError."""
    kept = Kept(seeded.server.state, file)
    kept.write()
    seeded.server.after_each = kept.write
    return seeded


def kept(file: Path, clock: Clock = system_clock, version: Version = NEWEST) -> Seeded:
    """Load the server from `file` and keep it there. Raises OSError, and ValueError if it can't be read."""
    state = State(clock=clock, version=version)
    rows = json.loads(file.read_bytes())
    for name, table in _of(state):
        table.load(*_rows(name).validate_json(json.dumps(rows[name])))
    return keep(Seeded(SimulatedInvenTree(state)), file)


def _of(state: State) -> list[tuple[str, Any]]:
    return list(state.tables().items())


def _rows(name: str) -> TypeAdapter[Any]:
    """Reads and writes a table's rows and its next number."""
    [row] = get_args(get_type_hints(State)[name])
    files = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
    return TypeAdapter(tuple[list[row], int], config=files)  # type: ignore[valid-type]
