"""A bad day of a hub, on a real Synapse and PostgreSQL: `python -m tests.scenarios --transfers 500 --seed 14`."""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import time
from collections import Counter

from fedbot_demo.inventree.process import InvenTreeProcess
from fedbot_demo.stage import Stage
from tests.fakes.postgresql import running
from tests.scenarios.bad_day import STAGE, bad_day, twenty_spaces
from tests.scenarios.hub import REPOSITORY

LOGS = REPOSITORY / "build" / "bad-day"


async def _played(transfers: int, seed: int) -> Counter[str]:
    with running() as server, InvenTreeProcess(seed="gamma") as inventree:
        async with Stage(**STAGE) as stage, twenty_spaces(stage, server.url, inventree) as hub:  # type: ignore[arg-type]
            try:
                return await bad_day(stage, hub, transfers, random.Random(seed), lambda line: print(line, flush=True))
            except BaseException:
                LOGS.mkdir(parents=True, exist_ok=True)
                for each in hub.workers:
                    shutil.copy(each.process.log, LOGS)
                print(f"The workers' logs are in {LOGS}.", flush=True)
                raise


def main() -> int:
    """Play it and print the events."""
    parser = argparse.ArgumentParser(prog="python -m tests.scenarios", description=__doc__)
    parser.add_argument("--transfers", type=int, default=500)
    parser.add_argument("--seed", type=int, default=14)
    given = parser.parse_args()
    begun = time.monotonic()
    troubles = asyncio.run(_played(given.transfers, given.seed))
    told = ", ".join(f"{number} × {what}" for what, number in sorted(troubles.items()))
    print(f"{given.transfers} transfers, none lost or doubled; {told}; {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
