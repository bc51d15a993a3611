"""The `hub_…` figures: one worker with many spaces, then a second one beside it.

Real Synapse, PostgreSQL and simulated InvenTrees. Two spaces hand things over, the others listen in rooms of eight.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path

from bench.observed import resident_mib
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
_PATIENCE_S = 300.0
IPN = "RES-10K"


@dataclass(frozen=True)
class HubMeasured:
    """Of so many spaces. `handovers`: seconds from a tap until both sides are done, of each transfer."""

    spaces: int
    mib_a_space: float
    idle_percent: float
    ready_s: float
    handovers: list[float]
    after_kill_s: float
    after_pause_s: float

    def figures(self) -> dict[str, float]:
        """By their keys; the spaces are told beside them, as nothing can be compared without that number."""
        return {
            "hub_spaces": self.spaces,
            "hub_mib_a_space": round(self.mib_a_space, 2),
            "hub_idle_percent": round(self.idle_percent, 1),
            "hub_ready_s": round(self.ready_s, 1),
            "hub_p95_s": round(p95(self.handovers), 2),
            "hub_takeover_s": round(max(self.after_kill_s, self.after_pause_s), 1),
        }


async def measure(spaces: int, transfers: int) -> HubMeasured:
    """All of it, with so many spaces in the hub."""
    with running() as server, InvenTreeProcess(seed="gamma") as inventree:
        async with Stage(default_rate_limits=False, rules={"grace_seconds": GRACE_S}) as stage:
            await plot.connect(stage)
            await scene.at_rest(stage)
            async with hub_on(stage, server.url) as hub:
                one = hub.worker()
                await one.process.start()
                empty = await _rests(one)
                await one.process.stop(grace=12)
                await hub.take_in_the_stage()
                await hub.add_quiet(spaces - len(stage.spaces), inventree)
                begun = time.monotonic()
                await one.process.start()
                await hub.until_all_are_heard(_PATIENCE_S, one)
                ready = time.monotonic() - begun
                full = await _rests(one)
                handovers = [await _handed_over(stage) for _ in range(transfers)]
                two = hub.worker()
                await two.process.start()
                await _shared(hub, spaces)
                after_kill = await _taken_over(hub, one, two, is_paused=False)
                await one.process.start()
                await _shared(hub, spaces)
                after_pause = await _taken_over(hub, one, two, is_paused=True)
    return HubMeasured(spaces, (full.mib - empty.mib) / spaces, full.percent, ready, handovers, after_kill, after_pause)


@dataclass(frozen=True)
class _Idle:
    mib: float
    percent: float


async def _rests(worker: HubWorker) -> _Idle:
    """What a worker takes that nobody asks anything."""
    await asyncio.sleep(10)
    pid = worker.process.pid or 0
    before = _cpu_seconds(pid)
    await asyncio.sleep(_IDLE_S)
    return _Idle(resident_mib(pid), 100 * (_cpu_seconds(pid) - before) / _IDLE_S)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _handed_over(stage: Stage) -> float:
    """One push, begun at the pace of 1,000 an hour; seconds from the tap until both sides are done."""
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
    """Wait until both workers have as many."""
    least = spaces // len(hub.workers)

    async def look() -> bool:
        return all([len(await each.hears()) >= least for each in hub.workers])

    await scene.eventually(look, "the spaces to be shared", _PATIENCE_S)


async def _taken_over(hub: HubScene, lost: HubWorker, other: HubWorker, *, is_paused: bool) -> float:
    """Seconds until the other worker hears the rooms of all spaces of the one that is lost."""
    begun = time.monotonic()
    if is_paused:
        lost.pause()
    else:
        await lost.process.kill()
    await hub.until_all_are_heard(_PATIENCE_S, other)
    return time.monotonic() - begun
