"""`history_ready_s` and `history_rss_mib`: the extra cost of a bot's start with 100,000 finished transfers.

Both journals are copies of one that a whole bot has written (`tests.dialogue`). In one of them, its finished transfer
is repeated that many times, each with its own ids, messages and audit entry. A process opens the journal, loads the
state, decides its first event, and reports the time and its memory. By hand: `python -m bench.history FOLDER`.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from statistics import median

from bench.observed import resident_mib
from fedbot.commands.registry import Registry
from fedbot.engine.bot import WallClock
from fedbot.engine.pipeline import Engine
from fedbot.journal import audit_chain, codec
from fedbot.journal.codec import instant_to_text
from fedbot.journal.copies import FILE
from fedbot.journal.journal import Journal
from fedbot.messages.formatting import render as put_into_html
from fedbot.messages.language import Locale
from fedbot.messages.rendering import render
from fedbot.rules.model.archive import flows_of_transfer, latest, marks_of
from fedbot.rules.model.audit import AuditEntry, TransferIs
from fedbot.rules.model.events import Tick
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import State
from fedbot.rules.wire.envelope import Identity, unseal
from tests.scenarios.world import friends

POSTS = 4
"""The number of our messages per transfer."""


@dataclass(frozen=True)
class Cost:
    """The seconds and MiB of each start, without a past and with one."""

    without: list[tuple[float, float]]
    with_past: list[tuple[float, float]]

    @property
    def ready_s(self) -> float:
        """The extra seconds of a start, by the medians."""
        return median(s for s, _ in self.with_past) - median(s for s, _ in self.without)

    @property
    def rss_mib(self) -> float:
        """The extra memory, by the medians."""
        return median(mib for _, mib in self.with_past) - median(mib for _, mib in self.without)


async def measure(transfers: int, starts: int) -> Cost:
    """Start each `starts` times, in turn."""
    with tempfile.TemporaryDirectory(prefix="fedbot-bench-") as name:
        short, long = Path(name) / "short", Path(name) / "long"
        short.mkdir()
        world = await friends()
        await world.hand_over()
        template = world.alpha.transfer()
        world.alpha.journal.backup(short / FILE)
        shutil.copytree(short, long)
        with closing(sqlite3.connect(long / FILE, isolation_level=None)) as journal:
            journal.execute("PRAGMA synchronous = OFF")
            lengthen(journal, template, transfers)
        found: dict[Path, list[tuple[float, float]]] = {short: [], long: []}
        for _ in range(starts):
            for folder, costs in found.items():
                costs.append(await _start(folder))
    return Cost(found[short], found[long])


async def _start(folder: Path) -> tuple[float, float]:
    command = (sys.executable, "-m", "bench.history", str(folder))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"a start ended with {process.returncode}")
    seconds, mib = json.loads(told)
    return seconds, mib


def lengthen(journal: sqlite3.Connection, template: Transfer, transfers: int) -> None:
    """Write the past like the journal itself would have, but all at once."""
    journal.execute("BEGIN")
    first = journal.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'documents'").fetchone()[0]
    for number, transfer in enumerate(_copies(template, transfers), start=first + 1):
        _, payload = codec.to_text(codec.DOCUMENTS, transfer)
        asked, changed = instant_to_text(transfer.asked.at), instant_to_text(latest(transfer))
        row = (number, transfer.id, transfer.peer, transfer.room, asked, changed, payload)
        journal.execute("INSERT INTO archive VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        marks = [(mark.value, value, transfer.id) for mark, value in marks_of(transfer)]
        journal.executemany("INSERT INTO archive_marks VALUES (?, ?, ?)", marks)
        flows = [
            (transfer.id, transfer.room, changed, f.peer, f.way.value, f.lines, str(f.pieces))
            for f in flows_of_transfer(transfer)
        ]
        journal.executemany("INSERT INTO archive_flows VALUES (?, ?, ?, ?, ?, ?, ?)", flows)
        posts = [(f"$post-{number}-{n}", f"card:{transfer.id}", transfer.room) for n in range(POSTS)]
        journal.executemany("INSERT INTO posts (event_id, key, room, edit) VALUES (?, ?, ?, 0)", posts)
        audit_chain.append(journal, 1, transfer.asked.at, (AuditEntry(transfer.id, TransferIs(TransferState.DONE)),))
    journal.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'documents'", (first + transfers,))
    journal.execute("COMMIT")


def _copies(template: Transfer, transfers: int) -> Iterator[Transfer]:
    """Copies of the transfer, one per hour, ending at the original; with a thousand stock items in turn."""
    for number in range(transfers):
        identifier = sha256(str(number).encode()).hexdigest()[:20] + template.id[20:]
        asked = replace(
            template.asked, event_id=f"$asked{number}", at=template.asked.at - timedelta(hours=transfers - number)
        )
        progress = tuple(replace(each, item=10_000 + number % 1000) for each in template.progress)
        peer_events = tuple(f"$heard{number}-{n}" for n in range(len(template.peer_events)))
        yield replace(
            template,
            id=identifier,
            code=identifier[:4],
            asked=asked,
            peer_events=peer_events,
            progress=progress,
            own_card="",
        )


def start(folder: Path) -> tuple[float, float]:
    """Seconds until the first event is decided, and the MiB of this process then."""
    began = time.perf_counter()
    identity, now = Identity(bytes(32)), datetime.now(UTC)
    us = PartyConfig("attraktor", "Attraktor", "@attraktor:x", identity.key)
    words = Locale(us.language, us.time_zone)
    with Journal.open(folder) as journal:
        state = State(us, lambda box, binding: unseal(identity, box, bound_to=binding), identity.nonce, journal)
        engine = Engine(
            journal, state, Registry(), WallClock(), lambda phrase, at: put_into_html(render(phrase, words, at))
        )
        engine.load()
        engine.put(Tick(now))
        seconds = time.perf_counter() - began
        return seconds, resident_mib(os.getpid())


if __name__ == "__main__":
    print(json.dumps(start(Path(sys.argv[1]))))
