"""`history_…` and `hub_past_…`: what 100,000 finished transfers cost a bot, and the spaces of a hub.

Both journals are copies of one that a whole bot has written (`tests.dialogue`). In one of them, its finished transfer
is repeated that many times, each with its own ids, messages and audit entry. A process opens the journal, loads the
state, decides its first event, and reports the time and its memory. By hand: `python -m bench.history FOLDER`.

For the hub, such journals of twenty spaces are in one PostgreSQL. A process opens all of them, as a worker does, and
then decides reactions to the message of a finished transfer. By hand: `python -m bench.history URL SPACES PREFIX…`.
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
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from statistics import median

from bench.observed import resident_mib
from fedbot.commands.registry import Registry
from fedbot.engine.bot import WallClock
from fedbot.engine.pipeline import Engine
from fedbot.hub.moving import replace_rows
from fedbot.journal import audit_chain, codec
from fedbot.journal.codec import instant_to_text
from fedbot.journal.copies import FILE
from fedbot.journal.database import Address
from fedbot.journal.journal import Journal, StoredJournal
from fedbot.journal.lease import claim
from fedbot.journal.postgresql import PostgresqlDatabase, open_journal
from fedbot.journal.sqlite import SqliteDatabase
from fedbot.messages.language import Locale
from fedbot.messages.markup import render as put_into_html
from fedbot.messages.rendering import render
from fedbot.rules.archive import flows_of_transfer, latest, marks_of
from fedbot.rules.model.audit import AuditEntry, TransferIs
from fedbot.rules.model.events import Reacted, Tick
from fedbot.rules.model.lifecycles import TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import State
from fedbot.rules.wire import Identity, unseal
from tests.fakes.postgresql import running
from tests.scenarios.world import friends

DECISIONS = 20
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
        for folder in (short, long):
            _onto_disk(folder / FILE)
        found: dict[Path, list[tuple[float, float]]] = {short: [], long: []}
        for _ in range(starts):
            for folder, costs in found.items():
                costs.append(await _start(folder))
    return Cost(found[short], found[long])


def _onto_disk(file: Path) -> None:
    """Wait until the disk has all of it. Otherwise the first start, which syncs its own write, waits for that too."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


async def _start(folder: Path) -> tuple[float, float]:
    seconds, mib = await _reported(str(folder))
    return seconds, mib


async def _reported(*words: str) -> list[float]:
    """The figures that this module prints as a program."""
    command = (sys.executable, "-m", "bench.history", *words)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"a start ended with {process.returncode}")
    found: list[float] = json.loads(told)
    return found


@dataclass(frozen=True)
class HubCost:
    """Starts of all spaces of a hub by one process, without a past and with one, as (processor seconds, MiB).

    `decision_ms`: the milliseconds of a decision, without a past and with one, 10th percentile.
    """

    without: list[tuple[float, float]]
    with_past: list[tuple[float, float]]
    decision_ms: tuple[float, float]

    def figures(self) -> dict[str, float]:
        """The figures by their keys, those of the starts by the medians."""
        (cpu, mib), (past_cpu, past_mib) = (
            [median(of) for of in zip(*starts, strict=True)] for starts in (self.without, self.with_past)
        )
        without, with_past = self.decision_ms
        return {
            "hub_past_ready_ratio": round(past_cpu / cpu, 2),
            "hub_past_mib": round(past_mib - mib, 1),
            "hub_past_decision_ratio": round(with_past / without, 2),
        }


async def measure_hub(transfers: int, spaces: int, starts: int) -> HubCost:
    """Put that many finished transfers into the spaces of a hub, and start all of them `starts` times."""
    with tempfile.TemporaryDirectory(prefix="fedbot-bench-") as name, running(is_durable=True) as server:
        world = await friends()
        await world.hand_over()
        files = {prefix: Path(name) / prefix for prefix in ("without", "with")}
        for file in files.values():
            world.alpha.journal.backup(file)
        with closing(sqlite3.connect(files["with"], isolation_level=None)) as journal:
            journal.execute("PRAGMA synchronous = OFF")
            lengthen(journal, world.alpha.transfer(), transfers // spaces)
        for prefix, file in files.items():
            for number in range(spaces):
                _into_database(file, Address(server.url, f"{prefix}-{number}"))
        with server.connect() as admin:
            admin.execute("VACUUM ANALYZE")
        found: dict[str, list[tuple[float, float]]] = {prefix: [] for prefix in files}
        for _ in range(starts):
            for prefix, costs in found.items():
                cpu, mib, _ = await _reported(server.url, str(spaces), prefix)
                costs.append((cpu, mib))
        _, _, without, with_past = await _reported(server.url, str(spaces), *files)
    return HubCost(found["without"], found["with"], (without, with_past))


def _into_database(file: Path, space: Address) -> None:
    """Copy a journal from a file, as `fedbot journal move` does."""
    lease = claim(space, "the bench")
    assert lease is not None
    with (
        closing(SqliteDatabase(file)) as left,
        closing(PostgresqlDatabase(lease)) as database,
        database.transaction() as target,
        left.transaction() as source,
    ):
        replace_rows(source, target)
    lease.release()


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
    with Journal.open(folder) as journal:
        _engine(journal)
        seconds = time.perf_counter() - began
        return seconds, resident_mib(os.getpid())


def start_hub(url: str, spaces: int, prefixes: list[str]) -> list[float]:
    """Processor seconds until all spaces have decided their first event, MiB, and for each prefix a decision's ms."""
    began = time.process_time()
    with ExitStack() as stack:
        engines: dict[str, list[Engine]] = {prefix: [] for prefix in prefixes}
        messages = []
        for prefix, started in engines.items():
            for number in range(spaces):
                lease = claim(Address(url, f"{prefix}-{number}"), "the bench")
                assert lease is not None
                journal = stack.enter_context(open_journal(lease))
                started.append(_engine(journal))
                messages += journal.database.rows("SELECT room, event_id FROM posts ORDER BY number LIMIT 1")
        cpu, mib = time.process_time() - began, resident_mib(os.getpid())
        message = messages[0]  # the same in all of them
        taken: dict[str, list[float]] = {prefix: [] for prefix in prefixes}
        for turn in range(DECISIONS):
            for number in range(spaces):
                for prefix in prefixes if turn % 2 else reversed(prefixes):
                    taken[prefix].append(_decided(engines[prefix][number], message))
    # of the quiet moments, because a busy machine only adds to it
    return [cpu, mib, *(1000 * sorted(each)[len(each) // 10] for each in taken.values())]


def _decided(engine: Engine, message: tuple[str, str]) -> float:
    """The seconds for a stranger's reaction to that message."""
    room, target = message
    begun = time.perf_counter()
    engine.put(Reacted(room, f"$tap-{begun}", "@stranger:x", datetime.now(UTC), target, "✅"))
    return time.perf_counter() - begun


def _engine(journal: StoredJournal) -> Engine:
    """A bot's engine, which has loaded its state and decided its first event."""
    identity = Identity(bytes(32))
    us = PartyConfig("attraktor", "Attraktor", "@attraktor:x", identity.key)
    words = Locale(us.language, us.time_zone)
    state = State(us, lambda box, binding: unseal(identity, box, bound_to=binding), identity.nonce, journal)
    engine = Engine(
        journal, state, Registry(), WallClock(), lambda phrase, at: put_into_html(render(phrase, words, at))
    )
    engine.load()
    engine.put(Tick(datetime.now(UTC)))
    return engine


if __name__ == "__main__":
    if len(sys.argv) == 2:  # noqa: PLR2004 -- the program and a folder
        print(json.dumps(start(Path(sys.argv[1]))))
    else:
        print(json.dumps(start_hub(sys.argv[1], int(sys.argv[2]), sys.argv[3:])))
