"""The `hub_…` figures: one worker with many spaces, then a second one beside it; and a decision on either database.

With a real Synapse, PostgreSQL and simulated InvenTrees. Two spaces make transfers; the others listen in rooms of
eight.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench import history
from bench.observed import resident_mib
from fedbot.journal import codec
from fedbot.journal.copies import FILE
from fedbot.journal.journal import Journal, StoredJournal
from fedbot.journal.lease import claim
from fedbot.journal.postgresql import open_journal
from fedbot.ports.journal import Committed, Queued
from fedbot.rules.model.effects import Join
from fedbot.rules.model.events import Tick
from fedbot.rules.model.room import Room
from fedbot.rules.model.transfer import Transfer
from fedbot_demo import plot
from fedbot_demo.inventree.process import InvenTreeProcess
from fedbot_demo.stage import Stage
from tests.e2e import scene
from tests.fakes.postgresql import running
from tests.scenarios.busy import p95
from tests.scenarios.hub import HubScene, HubWorker, hub_on

GRACE_S = 0.3
SECONDS_BETWEEN_TRANSFERS = 3.6
"""1,000 an hour."""
_IDLE_S = 60.0
_PATIENCE_S = 900.0
IPN = "RES-10K"
_DECISIONS = 400


@dataclass(frozen=True)
class Hub:
    """The parameters: the number of spaces, in encrypted rooms or not, and one space's number of finished transfers."""

    spaces: int
    transfers: int
    past: int = 0
    encrypted: bool = False


@dataclass(frozen=True)
class HubMeasured:
    """The results. `handovers`: each transfer's seconds from the reaction until both sides are done.

    `load`: the machine's load at the start and the end.
    """

    of: Hub
    mib_a_space: float
    idle_percent: float
    ready_s: float
    ready_cpu_s: float
    again_cpu_s: float
    handovers: list[float]
    after_kill_s: float
    after_pause_s: float
    decision_ms: dict[str, float]
    load: tuple[float, float]

    def figures(self) -> dict[str, float]:
        """The figures by their keys, together with the number of spaces, because they depend on it."""
        return {
            "hub_spaces": self.of.spaces,
            "hub_mib_a_space": round(self.mib_a_space, 2),
            "hub_idle_percent": round(self.idle_percent, 1),
            "hub_ready_s": round(self.ready_s, 1),
            "hub_ready_cpu_s": round(self.ready_cpu_s, 1),
            "hub_again_cpu_s": round(self.again_cpu_s, 1),
            "hub_p95_s": round(p95(self.handovers), 2),
            "hub_takeover_s": round(max(self.after_kill_s, self.after_pause_s), 1),
            "hub_decision_ratio": round(self.decision_ms["postgresql"] / self.decision_ms["file"], 1),
        }


async def measure(wanted: Hub) -> HubMeasured:
    """Measure everything."""
    load = os.getloadavg()[0]
    decisions = _decisions()
    with running() as server, InvenTreeProcess(seed="gamma") as inventree:
        async with Stage(default_rate_limits=False, rules={"grace_seconds": GRACE_S}) as stage:
            await plot.connect(stage)
            await _handed_over(stage)
            await scene.at_rest(stage)
            async with hub_on(stage, server.url) as hub:
                one = hub.worker()
                await one.process.start()
                empty = await _rests(one)
                await one.process.stop(grace=12)
                await stage.attraktor.bot.stop()
                if wanted.past:
                    _has_a_past(stage.attraktor.folder / "state" / FILE, wanted.past)
                await hub.take_in_the_stage()
                await hub.add_quiet(wanted.spaces - len(stage.spaces), inventree, encrypted=wanted.encrypted)
                ready, ready_cpu = await _begun(hub, one)
                full = await _rests(one)
                handovers = [await _handed_over(stage) for _ in range(wanted.transfers)]
                two = hub.worker()
                await two.process.start()
                await _shared(hub, wanted.spaces)
                after_kill = await _taken_over(hub, one, two, is_paused=False)
                await one.process.start()
                await _shared(hub, wanted.spaces)
                after_pause = await _taken_over(hub, one, two, is_paused=True)
                one.go_on()
                for each in (one, two):
                    await each.process.stop(grace=30)
                _, again_cpu = await _begun(hub, one)
    mib = (full.mib - empty.mib) / wanted.spaces
    return HubMeasured(
        wanted,
        mib,
        full.percent,
        ready,
        ready_cpu,
        again_cpu,
        handovers,
        after_kill,
        after_pause,
        decisions,
        (load, os.getloadavg()[0]),
    )


async def _begun(hub: HubScene, worker: HubWorker) -> tuple[float, float]:
    """Start the worker alone; return the seconds until it hears all rooms, and the processor seconds until then."""
    begun = time.monotonic()
    await worker.process.start()
    await hub.until_all_are_heard(_PATIENCE_S, worker)
    return time.monotonic() - begun, _cpu_seconds(worker.process.pid or 0)


def _has_a_past(file: Path, transfers: int) -> None:
    """Repeat the journal's last finished transfer that many times."""
    with closing(sqlite3.connect(file, isolation_level=None)) as journal:
        (payload,) = journal.execute("SELECT payload FROM archive ORDER BY number DESC LIMIT 1").fetchone()
        template = codec.from_text(codec.DOCUMENTS, Transfer.__name__, payload)
        history.lengthen(journal, template, transfers)


def _decisions() -> dict[str, float]:
    """The median milliseconds for an event that leads to a document and an effect, including the wait for the disk."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="fedbot-bench-") as folder, running(is_durable=True) as server:
        lease = claim(server.space(), "the bench")
        assert lease is not None
        journals: dict[str, StoredJournal] = {"file": Journal.open(Path(folder)), "postgresql": open_journal(lease)}
        for name, journal in journals.items():
            with journal:
                found[name] = 1000 * median(_decided(journal, number) for number in range(_DECISIONS))
    return found


def _decided(journal: StoredJournal, number: int) -> float:
    begun, now = time.perf_counter(), datetime.now(UTC)
    seq = journal.put(Tick(now))
    room = f"!{number % 10}"
    (row,) = journal.commit(
        seq, Committed(now, {("Room", room): Room(room, str(number))}, queued=(Queued("act", Join(room)),))
    )
    taken = time.perf_counter() - begun
    journal.finish(row, None)
    return taken


@dataclass(frozen=True)
class _Idle:
    mib: float
    percent: float


async def _rests(worker: HubWorker) -> _Idle:
    """The memory and processor load of an idle worker."""
    await asyncio.sleep(10)
    pid = worker.process.pid or 0
    before = _cpu_seconds(pid)
    await asyncio.sleep(_IDLE_S)
    return _Idle(resident_mib(pid), 100 * (_cpu_seconds(pid) - before) / _IDLE_S)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _handed_over(stage: Stage) -> float:
    """Make one push, at a pace of 1,000 per hour; return the seconds from the reaction until both sides are done."""
    begun = time.monotonic()
    offer = await plot.offer(
        stage, stage.people["piet"], f"!fed push 1 {IPN} to betaspace", seen_by=stage.people["cem"]
    )
    tapped = time.monotonic()
    await stage.people["cem"].react(stage.room, offer.card.event_id, plot.YES)

    async def done() -> bool:
        return [scene.state_of(space, offer.transfer) for space in stage.spaces] == ["done", "done"]

    await scene.eventually(done, f"{offer.transfer} to be done")
    taken = time.monotonic() - tapped
    await asyncio.sleep(max(0.0, SECONDS_BETWEEN_TRANSFERS - (time.monotonic() - begun)))
    return taken


async def _shared(hub: HubScene, spaces: int) -> None:
    """Wait until both workers have the same number of spaces."""
    least = spaces // len(hub.workers)

    async def look() -> bool:
        return all([len(await each.hears()) >= least for each in hub.workers])

    await scene.eventually(look, "the spaces to be shared", _PATIENCE_S)


async def _taken_over(hub: HubScene, lost: HubWorker, other: HubWorker, *, is_paused: bool) -> float:
    """Seconds until the other worker hears the rooms of all spaces of the lost worker."""
    begun = time.monotonic()
    if is_paused:
        lost.pause()
    else:
        await lost.process.kill()
    await hub.until_all_are_heard(_PATIENCE_S, other)
    return time.monotonic() - begun
