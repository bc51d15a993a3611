"""The `hub_…` figures: one worker with many spaces, then a second one beside it; and a decision on either database.

With a real Synapse, PostgreSQL and simulated InvenTrees. Two spaces make transfers, one every 3.6 seconds, whether
earlier ones are done or not. The others listen in rooms of eight. On a busy machine everything only takes longer.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.observed import resident_mib
from fedbot.journal.database import Address
from fedbot.journal.journal import Journal, StoredJournal
from fedbot.journal.lease import claim
from fedbot.journal.postgresql import open_journal
from fedbot.journal.server import connect
from fedbot.ports.journal import Committed, Queued
from fedbot.rules.model.effects import Join
from fedbot.rules.model.events import Tick
from fedbot.rules.model.room import Room
from fedbot_demo import plot
from fedbot_demo.inventree.process import InvenTreeProcess
from fedbot_demo.stage import Stage
from tests.e2e import scene
from tests.fakes.postgresql import running
from tests.scenarios.bad_day import offered
from tests.scenarios.busy import p95
from tests.scenarios.hub import OF_A_ROOM, HubScene, HubWorker, hub_on, patient

GRACE_S = 0.3
SECONDS_BETWEEN_TRANSFERS = 3.6
"""1,000 an hour."""
_IDLE_S = 60.0
_PATIENCE_S = 1800.0
_LOOK_EVERY_S = 0.05
_DECISIONS = 400


@dataclass(frozen=True)
class Hub:
    """The parameters: the number of spaces, minutes of transfers, and whether the rooms are encrypted."""

    spaces: int
    minutes: float
    encrypted: bool = False


@dataclass(frozen=True)
class HubMeasured:
    """The results. `handovers`: each transfer's seconds from the reaction until both sides are done.

    `again_…`: a start when all spaces have worked before. `an_hour`: the transfers done, at the sustained pace.
    `load`: the machine's load at the start and the end.
    """

    of: Hub
    mib_a_space: float
    idle_percent: float
    ready_s: float
    ready_cpu_s: float
    again_s: float
    again_cpu_s: float
    handovers: list[float]
    an_hour: float
    after_kill_s: float
    after_pause_s: float
    decision_ms: dict[str, float]
    load: tuple[float, float]

    def figures(self) -> dict[str, float]:
        """The figures by their keys, together with the number of spaces, because they depend on it."""
        return {
            "hub_spaces": self.of.spaces,
            f"hub_mib_a_space{'_encrypted' if self.of.encrypted else ''}": round(self.mib_a_space, 2),
            "hub_idle_percent": round(self.idle_percent, 1),
            "hub_ready_s": round(self.ready_s, 1),
            "hub_ready_cpu_s": round(self.ready_cpu_s, 1),
            "hub_again_s": round(self.again_s, 1),
            "hub_again_cpu_s": round(self.again_cpu_s, 1),
            "hub_p95_s": round(p95(self.handovers), 2),
            "hub_transfers_an_hour": round(self.an_hour),
            "hub_takeover_s": round(max(self.after_kill_s, self.after_pause_s), 1),
            "hub_decision_ratio": round(self.decision_ms["postgresql"] / self.decision_ms["file"], 1),
        }


async def measure(wanted: Hub, tell: Callable[[str], None]) -> HubMeasured:
    """Measure everything; `tell` hears what happens next."""
    load = os.getloadavg()[0]
    tell("a decision in a file and in PostgreSQL …")
    decisions = _decisions()
    async with AsyncExitStack() as stack:
        stack.enter_context(patient(_PATIENCE_S))
        server = stack.enter_context(running())
        inventree = stack.enter_context(InvenTreeProcess(seed="gamma"))
        tell("a homeserver, two InvenTrees, two bots, a worker without spaces …")
        rules = {"grace_seconds": GRACE_S}
        stage = await stack.enter_async_context(
            Stage(default_rate_limits=False, rules=rules, encrypted=wanted.encrypted)
        )
        await plot.connect(stage)
        await _handed_over(stage, _states_in_files(stage))
        await scene.at_rest(stage)
        hub = await stack.enter_async_context(hub_on(stage, server.url))
        one = hub.worker()
        await one.process.start()
        empty = await _rests(one)
        await one.process.stop(grace=12)
        await stage.attraktor.bot.stop()
        tell(f"{wanted.spaces} spaces move in …")
        await hub.take_in_the_stage()
        await hub.add_quiet(wanted.spaces - len(stage.spaces), inventree, encrypted=wanted.encrypted)
        tell("the worker starts all of them …")
        ready, ready_cpu = await _begun(hub, one)
        tell(f"all heard after {ready:.0f} s; each answers a line …")
        await _all_answer(hub)
        full = await _rests(one)
        mib = (full.mib - empty.mib) / wanted.spaces
        tell(f"{mib:.2f} MiB a space, {full.percent:.1f} %; {wanted.minutes:g} minutes at 1,000 transfers an hour …")
        handovers, an_hour = await _sustained(stage, hub, wanted.minutes)
        tell("a second worker gets its half, and the first one is killed …")
        two = hub.worker()
        await two.process.start()
        await _shared(hub, wanted.spaces)
        after_kill = await _taken_over(hub, one, two, is_paused=False)
        tell("the first one gets its half again, and is stopped …")
        await one.process.start()
        await _shared(hub, wanted.spaces)
        after_pause = await _taken_over(hub, one, two, is_paused=True)
        one.go_on()
        for each in (one, two):
            await each.process.stop(grace=30)
        tell("one worker starts all again …")
        again, again_cpu = await _begun(hub, one)
    return HubMeasured(
        of=wanted,
        mib_a_space=mib,
        idle_percent=full.percent,
        ready_s=ready,
        ready_cpu_s=ready_cpu,
        again_s=again,
        again_cpu_s=again_cpu,
        handovers=handovers,
        an_hour=an_hour,
        after_kill_s=after_kill,
        after_pause_s=after_pause,
        decision_ms=decisions,
        load=(load, os.getloadavg()[0]),
    )


async def _begun(hub: HubScene, worker: HubWorker) -> tuple[float, float]:
    """Start the worker alone; return the seconds until it hears all rooms, and the processor seconds until then."""
    begun = time.monotonic()
    await worker.process.start()
    await hub.until_all_are_heard(_PATIENCE_S, worker)
    return time.monotonic() - begun, _cpu_seconds(worker.process.pid or 0)


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


States = Callable[[str], list[str]]
"""The states of a transfer in both journals."""


def _states_in_files(stage: Stage) -> States:
    return lambda transfer: [scene.state_of(space, transfer) for space in stage.spaces]


@contextmanager
def _states_in_the_hub(stage: Stage, hub: HubScene) -> Iterator[States]:
    """Reads on one connection for each journal, so that looking often costs little."""
    query = b"SELECT payload FROM all_documents WHERE kind = 'Transfer' AND id = $1"
    with ExitStack() as stack:
        journals = [stack.enter_context(connect(Address(hub.url, space.party))) for space in stage.spaces]

        def states(transfer: str) -> list[str]:
            found = [journal.execute(query, (transfer,)).fetchone() for journal in journals]
            return [json.loads(row[0])["state"] if row else "" for row in found]

        yield states


async def _handed_over(stage: Stage, states: States) -> float:
    """Make one push; return the seconds from the reaction until both sides are done."""
    offer = await offered(stage)
    tapped = time.monotonic()
    await stage.people["cem"].react(stage.room, offer.card.event_id, plot.YES)
    while states(offer.transfer) != ["done", "done"]:
        if time.monotonic() - tapped > _PATIENCE_S:
            raise TimeoutError(f"{offer.transfer} is {states(offer.transfer)}")
        await asyncio.sleep(_LOOK_EVERY_S)
    return time.monotonic() - tapped


async def _sustained(stage: Stage, hub: HubScene, minutes: float) -> tuple[list[float], float]:
    """Begin a transfer every 3.6 seconds, whether earlier ones are done or not.

    Return the seconds that each took, and how many were done in an hour at that pace.
    """
    begun = time.monotonic()
    pushes: list[asyncio.Task[float]] = []
    with _states_in_the_hub(stage, hub) as states:
        async with asyncio.TaskGroup() as group:
            for number in range(max(round(minutes * 60 / SECONDS_BETWEEN_TRANSFERS), 1)):
                await asyncio.sleep(begun + number * SECONDS_BETWEEN_TRANSFERS - time.monotonic())
                pushes.append(group.create_task(_handed_over(stage, states)))
    return [push.result() for push in pushes], 3600 * len(pushes) / (time.monotonic() - begun)


async def _all_answer(hub: HubScene) -> None:
    """Ask all quiet spaces something; each answers in its room, in an encrypted one by its own keys."""
    maker = hub.stage.attraktor.superuser
    for number, room in enumerate(hub.quiet_rooms):
        line = await maker.say(room, "!fed whoami")
        bots = min(OF_A_ROOM, len(hub.quiet) - number * OF_A_ROOM)

        async def answered(line: str = line, bots: int = bots) -> bool:
            await maker.sync(1.0)
            return len({event.sender for event in maker.seen if event.replies_to == line}) >= bots

        await scene.eventually(answered, f"{bots} answers in {room}")


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
