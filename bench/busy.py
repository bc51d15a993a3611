"""`busy_p95_s`: 20 transfers in 10 minutes under a default homeserver's rate limits, with a clock moved by hand.

Two whole bots run in one process, with simulated InvenTrees that answer at once. So the figure depends on how the send
queue uses the homeserver's limits, and not on this machine.
"""

from __future__ import annotations

from tests.scenarios.busy import busy_hours, p95


async def measure(times: int) -> tuple[float, list[float]]:
    """Seconds from a reaction until both sides are done, including the grace of 5 s: the 95th percentile, and all."""
    waits = await busy_hours(range(1, times + 1))
    return p95(waits.handovers), sorted(waits.handovers)
