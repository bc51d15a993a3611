"""A simulated InvenTree that outlives its process: its tables in one file, written before a change is answered."""

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
    """The tables of a server in a file for its owner alone, as it holds tokens."""

    state: State
    file: Path
    _written: int = field(default=-1, init=False)

    def write(self) -> None:
        """Write them if any row has changed since. Raises OSError."""
        changes = sum(table.changes for table in self.state.tables().values())
        if changes != self._written:
            rows = {name: (list(table), table.next_pk) for name, table in _of(self.state)}
            written = {name: _rows(name).dump_python(each, mode="json") for name, each in rows.items()}
            write_whole(self.file, json.dumps(written).encode())
            self._written = changes


def keep(seeded: Seeded, file: Path) -> Seeded:
    """From now on this server is kept in that file. Raises OSError."""
    kept = Kept(seeded.server.state, file)
    kept.write()
    seeded.server.after_each = kept.write
    return seeded


def kept(file: Path, clock: Clock = system_clock, version: Version = NEWEST) -> Seeded:
    """The server that `file` keeps, and goes on to keep. Raises OSError, and ValueError if it can't be read."""
    state = State(clock=clock, version=version)
    rows = json.loads(file.read_bytes())
    for name, table in _of(state):
        table.load(*_rows(name).validate_json(json.dumps(rows[name])))
    return keep(Seeded(SimulatedInvenTree(state)), file)


def _of(state: State) -> list[tuple[str, Any]]:
    return list(state.tables().items())


def _rows(name: str) -> TypeAdapter[Any]:
    """How a table's rows, and the number that its next one gets, are written and read."""
    [row] = get_args(get_type_hints(State)[name])
    files = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
    return TypeAdapter(tuple[list[row], int], config=files)  # type: ignore[valid-type]
