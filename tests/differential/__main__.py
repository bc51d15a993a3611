"""`make differential AGAINST=URL`: the same random calls on a live InvenTree and on the simulated one of its version.

The live server is written to, and what is made there is removed again: FEDBOT_LIVE_DISPOSABLE=yes says that it may be.
FEDBOT_LIVE_TOKEN is a superuser's token. Accounts below API 335: FEDBOT_LIVE_MAKE_ACCOUNT, as for `make contract`.
The shortest exchange that shows each difference is written to a file, in the form of the replay's recordings.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from contextlib import nullcontext
from pathlib import Path

from fedbot_demo.inventree.versions import Version
from tests.contract.ground import Ground, made_by_command, simulated
from tests.differential.calls import drawn
from tests.differential.playing import Difference, Pair, Side
from tests.replay.recording import Recorder

#: With this many sorts of difference it is better to fix them than to look for more.
MOST_SORTS = 25


def main(arguments: list[str] | None = None) -> int:
    """Return 0 if both answered the same, 1 if they differed, 2 if the live server may not be changed."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--against", required=True, help="the live server's address", metavar="URL")
    parser.add_argument("--seeds", type=int, default=50, help="how many sequences")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--length", type=int, default=25, help="calls in a sequence")
    parser.add_argument("--minutes", type=float, default=60, help="begin no sequence after so many (60)")
    parser.add_argument("--record", type=Path, default=Path("build/differences.jsonl"), help="the file for exchanges")
    chosen = parser.parse_args(arguments)
    if os.environ.get("FEDBOT_LIVE_DISPOSABLE") != "yes":
        print(f"{chosen.against} would be written to: say FEDBOT_LIVE_DISPOSABLE=yes if it may be", file=sys.stderr)
        return 2
    token = os.environ.get("FEDBOT_LIVE_TOKEN", "")
    if not token:
        print("FEDBOT_LIVE_TOKEN must be a superuser's token", file=sys.stderr)
        return 2
    chosen.record.parent.mkdir(parents=True, exist_ok=True)
    recorder = Recorder(chosen.record, token)
    with recorder.under("setup"):
        live = Ground(chosen.against, token, recorder, recorder.accounts(made_by_command()))
    try:
        print(f"InvenTree at {chosen.against}, API {live.version.api}", flush=True)
        pair = Pair(Side.on(live), Side.on(simulated(Version(live.version.api))))
        seeds = range(chosen.first_seed, chosen.first_seed + chosen.seeds)
        found = searched(pair, seeds, chosen.length, time.monotonic() + chosen.minutes * 60, recorder)
    finally:
        live.clear()
    if found:
        print(f"\nThe exchanges of each difference are in {chosen.record}")
    else:
        chosen.record.unlink()
    print(f"{pair.calls} calls, {len(found)} differences")
    return 1 if found else 0


def searched(
    pair: Pair, seeds: range, length: int, ends: float = math.inf, recorder: Recorder | None = None
) -> dict[str, Difference]:
    """The sorts of difference that these seeds show, each with a short sequence that ends in it.

    `ends`: no sequence begins after that time of the monotonic clock. `recorder` writes down the live server's answers
    to that sequence.
    """
    found: dict[str, Difference] = {}
    for seed in seeds:
        if time.monotonic() > ends:
            print(f"\nthe time is over before seed {seed}")
            break
        acts = drawn(seed, length)
        difference = pair.play(acts)
        if difference is None or difference.sort in found:
            continue
        acts, shortest = pair.shrunk(acts, difference)
        found[difference.sort] = shortest
        print(f"\nseed {seed}: {'; '.join(map(str, acts))}")
        with recorder.under(f"difference {len(found)}: {difference.sort}") if recorder else nullcontext():
            for line in pair.told(acts):
                print(f"  {line}")
        for line in shortest.lines[:12]:
            print(f"  DIFFERS {line}", flush=True)
        if len(found) >= MOST_SORTS:
            break
    return found


if __name__ == "__main__":
    sys.exit(main())
