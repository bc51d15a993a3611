"""`python -m tests.simulation --seeds N --first-seed K`, and `--mutants`: see docs/reliability.md."""

from __future__ import annotations

import argparse
import sys
import time

from tests.simulation.attacks import ATTACKS, attacked
from tests.simulation.history import lived
from tests.simulation.mutants import ELSEWHERE, MUTANTS, SEEDS, broken, searched
from tests.simulation.scale import measured
from tests.simulation.shrinking import as_a_story, shrunk

MOST_STORIES = 3
TOLD_EVERY = 100
"""The interval at which a long run reports its progress."""


def main() -> int:
    """Return 0 if no promise was broken (or each broken variant was caught), else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="how many histories")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--mutants", action="store_true", help="try the broken variants instead")
    parser.add_argument("--parties", type=int, help="one process with so many parties: memory and rate")
    chosen = parser.parse_args()
    if chosen.parties:
        print(measured(chosen.parties))
        return 0
    if chosen.mutants:
        return _mutants(chosen.first_seed, chosen.seeds)
    return _histories(chosen.first_seed, chosen.seeds)


def _histories(first: int, seeds: int) -> int:
    started = time.perf_counter()
    events = violations = 0
    for seed in range(first, first + seeds):
        outcome = lived(seed, lies=seed % 3 == 0, ahead=seed % 4 == 1, outside=seed % 4 == 3)
        events += outcome.events
        if outcome.violations:
            violations += 1
            if violations <= MOST_STORIES:
                print(as_a_story(seed, shrunk(outcome)), end="\n\n", flush=True)
            else:
                print(f"seed {seed}: {outcome.violations[0]}", flush=True)
        played = seed - first + 1
        if played % TOLD_EVERY == 0 and played < seeds:
            print(f"{played} of {seeds} histories, {events} events, {violations} violations", flush=True)
    rate = events / (time.perf_counter() - started)
    print(f"{seeds} histories, {events} events, {violations} violations, {rate:.0f} events/s")
    return 1 if violations else 0


def _mutants(first: int, seeds: int) -> int:
    found = 0
    names = [name for name in MUTANTS if name not in ELSEWHERE]
    for name in ATTACKS:
        before = attacked(name)
        with broken(name):
            wrong = attacked(name)
        found += bool(wrong) and not before
        print(f"{'attack    ' if wrong and not before else 'NOT CAUGHT'}   {name}: {(*before, *wrong)[:1]}", flush=True)
    for name in names:
        if name in ATTACKS:
            continue
        known = SEEDS.get(name)
        caught = (searched(name, known, 1) if known else None) or searched(name, first, seeds)
        if caught is None:
            print(f"NOT CAUGHT   {name}", flush=True)
        else:
            found += 1
            print(f"seed {caught.seed:5}   {name}: {caught.outcome.violations[0]}", flush=True)
    for name, where in ELSEWHERE.items():
        print(f"not tried    {name}: that is for {where}")
    print(f"{len(names)} broken variants, {found} caught")
    return 0 if found == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())
