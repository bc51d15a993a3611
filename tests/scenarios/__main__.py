"""A bad day of a hub, on a real Synapse and PostgreSQL: `python -m tests.scenarios --transfers 500 --seed 14`."""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing

from fedbot.journal.database import Address
from fedbot.journal.postgresql import copy_to_sqlite
from fedbot_demo.inventree.process import InvenTreeProcess
from fedbot_demo.stage import Stage
from tests.fakes.postgresql import running
from tests.scenarios.bad_day import PATIENCE_S, STAGE, bad_day, twenty_spaces
from tests.scenarios.hub import REPOSITORY, HubScene, patient

LOGS = REPOSITORY / "build" / "bad-day"


async def _played(transfers: int, seed: int, *, encrypted: bool) -> Counter[str]:
    with running() as server, InvenTreeProcess(seed="gamma") as inventree:
        async with (
            Stage(**STAGE, encrypted=encrypted) as stage,  # type: ignore[arg-type]
            twenty_spaces(stage, server.url, inventree, encrypted=encrypted) as hub,
        ):
            try:
                return await bad_day(stage, hub, transfers, random.Random(seed), lambda line: print(line, flush=True))
            except BaseException:
                await asyncio.to_thread(_kept, hub)
                raise


def _kept(hub: HubScene) -> None:
    """Keep what explains a failure: the workers' logs and the journals of the two friends."""
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    for worker in hub.workers:
        shutil.copy(worker.process.log, LOGS)
    for space in hub.stage.pair:
        with closing(sqlite3.connect(LOGS / f"{space.party}.db", isolation_level=None)) as journal:
            copy_to_sqlite(Address(hub.url, space.party), journal)
    print(f"The logs and journals are in {LOGS}.", flush=True)


def main() -> int:
    """Play it and print the events."""
    parser = argparse.ArgumentParser(prog="python -m tests.scenarios", description=__doc__)
    parser.add_argument("--transfers", type=int, default=500)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--encrypted", action="store_true", help="all rooms are encrypted")
    given = parser.parse_args()
    begun = time.monotonic()
    with patient(PATIENCE_S):
        troubles = asyncio.run(_played(given.transfers, given.seed, encrypted=given.encrypted))
    told = ", ".join(f"{number} × {what}" for what, number in sorted(troubles.items()))
    print(f"{given.transfers} transfers, none lost or doubled; {told}; {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
