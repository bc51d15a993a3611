"""One process that simulates many parties in one room: memory for each, and events a second."""

from __future__ import annotations

import asyncio
import gc
import random as machine_random
import time
from datetime import timedelta
from pathlib import Path

from fedbot.rules.model.lifecycles import TransferState
from tests.simulation.end_checks import must_agree
from tests.simulation.federation import Federation, Setup
from tests.simulation.party import Party
from tests.simulation.room_actions import become_friends

PUSHES = 1


def measured(parties: int) -> str:
    """One line: memory for each party, and the number of events that they decide a second."""
    machine_random.seed(0)
    return asyncio.run(_measured(parties))


def resident_kib() -> int:
    """The memory of this process in KiB (VmRSS)."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


async def _measured(parties: int) -> str:
    gc.collect()
    before, started = resident_kib(), time.perf_counter()
    setup = Setup(parties, (0,) * parties, direct=False, friends=False, open_for=timedelta(days=7))
    federation = Federation(setup)
    await federation.begins()
    gc.collect()
    begun, events_before = resident_kib(), federation.events
    for one, other in zip(federation.parties, federation.parties[1:], strict=False):
        await become_friends(federation, one, other)
    for _ in range(PUSHES):
        for one, other in zip(federation.parties, federation.parties[1:], strict=False):
            await _pushed(federation, one, other)
    seconds = time.perf_counter() - started
    must_agree(federation.auditor)
    gc.collect()
    done = sum(t.state is TransferState.DONE for party in federation.parties for t in party.transfers()) // 2
    each = (resident_kib() - before) / parties
    return (
        f"{parties} parties, {done} pushes done, {federation.events} events ({events_before} to begin with), "
        f"{federation.events / seconds:.0f} events/s, {(begun - before) / parties:.0f} KiB a party at the start, "
        f"{each:.0f} KiB at the end, {len(federation.auditor.violations)} violations"
    )


async def _pushed(federation: Federation, one: Party, other: Party) -> None:
    federation.people[one.person(one.people.approver)].says(f"!fed push #1 1 to {other.id}")
    await federation.rests()
    card = federation.auditor.cards[-1]
    approver = federation.people[other.person(other.people.approver)]
    federation.auditor.tapped(approver.reacts(card[2], "✅"), approver.user_id, card, "✅")
    await federation.rests()
    await federation.passes(timedelta(seconds=40))
