"""`busy_p95_s`: 20 transfers in 10 minutes under a default homeserver's rate limits, by a clock that is moved by hand.

Two whole bots in one process, with simulated InvenTrees that answer at once. So it says how the send queue spends what
the homeserver allows, and nothing about this machine.
"""

from __future__ import annotations

from tests.scenarios.busy import busy_hours, p95


async def measure(times: int) -> tuple[float, list[float]]:
    """Seconds from a tap until both sides are done, the grace of 5 s included: the 95th percentile, and all of them."""
    waits = await busy_hours(range(1, times + 1))
    return p95(waits.handovers), sorted(waits.handovers)
