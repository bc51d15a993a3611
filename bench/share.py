"""`python -m bench.share`: how unequal load divides over the workers of a hub. Nothing runs; each seed is a hub.

The workers share spaces by number, not by load (`fedbot.hub.share`). The load of a space is drawn from a log-normal
distribution in which a tenth of the spaces makes half of all transfers.
"""

from __future__ import annotations

import random
from statistics import median, quantiles

from fedbot.hub.share import Shares

SPACES = (20, 200)
WORKERS = (1, 2, 4)
SEEDS = 100
SIGMA = 1.2816
"""With it, a tenth of the spaces makes half of the load: the 90th percentile of the normal distribution."""


def divided(spaces: int, workers: int, seed: int) -> list[float]:
    """The workers' shares of the whole load in the hub of this seed, the largest first."""
    chance = random.Random(seed)
    load = {f"space-{seed}-{number}": chance.lognormvariate(0, SIGMA) for number in range(spaces)}
    held = _settled(list(load), [f"worker-{seed}-{number}" for number in range(workers)], chance)
    total = sum(load.values())
    counted: dict[str, float] = {}
    for space, worker in held.items():
        counted[worker] = counted.get(worker, 0.0) + load[space] / total
    return sorted(counted.values(), reverse=True)


def _settled(spaces: list[str], workers: list[str], chance: random.Random) -> dict[str, str]:
    """The worker of each space after workers that start together have looked in any order until nothing is free."""
    held: dict[str, str] = {}
    while len(held) < len(spaces):
        worker = chance.choice(workers)
        free = [space for space in spaces if space not in held]
        held |= dict.fromkeys(Shares(frozenset(workers), held, free).to_claim(worker), worker)
    return held


def table() -> str:
    """The table of docs/performance.md: the busiest worker's share of the load, in percent."""
    lines = ["| spaces | workers | spaces each | equal load | busiest worker, median | in 95 % of the hubs below |"]
    lines.append("|---:|---:|---:|---:|---:|---:|")
    for spaces in SPACES:
        for workers in WORKERS:
            busiest = [100 * divided(spaces, workers, seed)[0] for seed in range(SEEDS)]
            most = quantiles(busiest, n=20)[-1]
            row = (spaces, workers, spaces // workers, f"{100 / workers:.0f} %", f"{median(busiest):.0f} %")
            lines.append(f"| {' | '.join(map(str, row))} | {most:.0f} % |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
