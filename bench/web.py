"""`ledger_pages_a_second`, `ledger_p99_s`, `web_rss_mib`: the page of a ledger with 100,000 transfers, calls in turn.

The bots, their InvenTrees and the browser are in this process, as in the dialogue tests; the journal is in memory.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from bench.history import lengthen
from bench.observed import resident_mib
from tests.scenarios.browsing import URL, Web, encrypted
from tests.scenarios.world import friends

CALLS = 300


@dataclass(frozen=True)
class Served:
    """Each call's seconds, and the memory that the pages took, in MiB."""

    seconds: list[float]
    rss_mib: float

    @property
    def a_second(self) -> float:
        """Calls in a second, one after the other."""
        return len(self.seconds) / sum(self.seconds)

    @property
    def p99_s(self) -> float:
        """How long the slowest hundredth takes at least."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)]


async def measure(transfers: int) -> Served:
    """Pages of one person, from all over the ledger."""
    world = await friends(alpha={"pages_url": URL})
    await world.hand_over()
    lengthen(world.alpha.journal._database._connection, world.alpha.transfer(), transfers)  # noqa: SLF001
    await encrypted(world)
    before = resident_mib(os.getpid())
    web = Web(world, world.alpha, calls_a_minute=10 * CALLS)
    browser = web.visitor()
    await browser.signs_in(world.anna)
    seconds: list[float] = []
    path = "/ledger"
    for _ in range(CALLS):
        began = time.perf_counter()
        answer = await browser.client.get(f"/lending{path}")
        seconds.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.text  # noqa: PLR2004
        path = _older(answer.text) or "/ledger"
    return Served(seconds, resident_mib(os.getpid()) - before)


def _older(page: str) -> str:
    """The link to what is older."""
    _, found, rest = page.partition('href="/lending/ledger?cursor=')
    return f"/ledger?cursor={rest.partition(chr(34))[0]}" if found else ""
