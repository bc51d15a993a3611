"""`large_find_s`, `large_stats_s`, `large_push_s`: two whole bots, each with an InvenTree of 100,000 stock items.

Both run in one process. Their simulated InvenTrees add up what each call would cost such a server, as measured on real
ones (SQLite without ANALYZE). A figure is the seconds of both servers, as if no two calls ran at the same time, plus
the processor time of our own work. So other programs on the machine don't change it much.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

import httpx

from fedbot.rules.model.lifecycles import TransferState
from fedbot_demo.inventree.costs import Costs
from fedbot_demo.inventree.large import Large
from tests.scenarios.world import World, friends

_A_REST_S = 60.0


@dataclass
class Stopwatch(httpx.BaseTransport):
    """Passes requests on, and measures the simulation's own time, which counts for nobody."""

    network: httpx.BaseTransport
    seconds: float = 0.0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on."""
        began = time.process_time()
        try:
            return self.network.handle_request(request)
        finally:
            self.seconds += time.process_time() - began


async def measure(items: int) -> tuple[dict[str, float], dict[str, Any]]:
    """All figures by their keys, and the calls behind them."""
    world = await friends()
    costs = [Costs(), Costs()]
    watches = []
    for space, counted in zip(world.spaces, costs, strict=True):
        Large.of(items).put_into(space.seeded.server.state)
        space.transport.costs = counted
        watch = Stopwatch(space.wire.network)
        space.wire.network = watch
        watches.append(watch)
    filled = [_fill(space.inventory, counted) for space, counted in zip(world.spaces, costs, strict=True)]
    world.cem.says("!fed share M3-BOLT")
    world.piet.says("!fed share M3-NUT")
    await world.settle()
    spent: dict[str, Any] = {"first_filling_h": [round(seconds / 3600, 2) for seconds in filled]}
    measured: dict[str, float] = {}
    for key, line in (
        ("large_find_s", "!fed find bolt"),
        ("large_stats_s", "!fed stats all"),
        ("large_push_s", "!fed push 5 RES-10K to betaspace"),
    ):
        _tell(line)
        for counted in costs:
            counted.forget()
        before, began = sum(watch.seconds for watch in watches), time.process_time()
        world.piet.says(line)
        await world.settle()
        if key == "large_push_s":
            world.cem.reacts(world.card(), "✅")
            await world.grace()
        ours = time.process_time() - began - (sum(watch.seconds for watch in watches) - before)
        servers = sum(counted.total for counted in costs)
        measured[key] = round(servers + ours, 2)
        calls = [[round(each.seconds, 3), each.what] for counted in costs for each in counted.spent]
        spent[key] = {"servers": round(servers, 3), "ours": round(ours, 3), "calls": calls}
    _check(world)
    return measured, spent


def _fill(inventory: Any, counted: Costs) -> float:  # noqa: ANN401 -- the edge on the simulation
    """Let the index fill; return the seconds that it takes, pauses included."""
    _tell("the index is filled …")
    began = counted.now
    while (pause := inventory.tended()) < _A_REST_S:
        counted.now += pause
    return counted.now - began


def _check(world: World) -> None:
    """Check that the push worked, because otherwise its figure means nothing."""
    if any(space.transfer().state is not TransferState.DONE for space in world.spaces):
        raise RuntimeError(f"the push did not go through:\n{world.room.transcript()}")


def _tell(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)
