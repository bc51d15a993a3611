"""Observes the bots: from their journals, and from the requests to their InvenTrees."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fedbot_demo.stage import Space, Stage

PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Call:
    """One request to an InvenTree: its time (seconds since 1970), its party, method and path."""

    at: float
    party: str
    method: str
    path: str

    @property
    def kind(self) -> tuple[str, str]:
        """The party and the request, without row numbers: `("betaspace", "GET /api/stock/N/")`."""
        return self.party, f"{self.method} {re.sub(r'[0-9]+', 'N', self.path)}"


async def calls_since(stage: Stage, moment: float) -> list[Call]:
    """The requests to both InvenTrees since then, oldest first."""
    found: list[Call] = []
    for space in stage.spaces:
        asked = await asyncio.to_thread(space.inventree.control, "GET", "requests/")
        if not isinstance(asked, list):
            raise TypeError(f"{space.name}'s InvenTree tells no requests, but {asked!r}")
        found += [Call(each["at"], space.party, each["method"], each["path"]) for each in asked]
    return sorted((call for call in found if call.at >= moment), key=lambda call: call.at)


def noted(space: Space, subject: str) -> dict[str, float]:
    """The bot's audit about a subject: each entry, and when it first appeared (seconds since 1970).

    An entry is named by its kind and its words, such as `StepWasDone PutAway`.
    """
    found: dict[str, float] = {}
    for at, payload in _rows(space, "SELECT at, entry FROM audit WHERE subject = ? ORDER BY number", subject):
        what = json.loads(str(payload))["what"]
        named = " ".join(word for word in what.values() if isinstance(word, str) and word)
        found.setdefault(named, datetime.fromisoformat(str(at)).timestamp())
    return found


async def until_noted(space: Space, subject: str, *whats: str) -> dict[str, float]:
    """Wait until the bot's audit has all of these entries about a subject. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE_S
    while not set(whats) <= (found := noted(space, subject)).keys():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{space.name} noted only {sorted(found)} about {subject}, not {whats}")
        await asyncio.sleep(_LOOK_EVERY_S)
    return found


async def at_rest(stage: Stage) -> None:
    """Wait until neither bot has any work left. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE_S
    while left := [space.name for space in stage.spaces if _unfinished(space)]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"still busy: {left}")
        await asyncio.sleep(_LOOK_EVERY_S)


def _unfinished(space: Space) -> bool:
    return bool(_rows(space, "SELECT 1 FROM outbox WHERE state IN ('queued', 'acting') LIMIT 1"))


def _rows(space: Space, query: str, *values: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{space.folder}/state/journal.db?mode=ro", uri=True)) as journal:
        return journal.execute(query, values).fetchall()


def resident_mib(pid: int) -> float:
    """The resident memory of a process, shared libraries included, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)
