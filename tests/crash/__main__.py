"""`python -m tests.crash`: all crash points, or every N-th of them; ends with `N crash points, M right`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.crash.campaign import Outcome, campaigns, plays
from tests.crash.pair import PATIENCE_S
from tests.crash.stories import STORIES
from tests.fakes.postgresql import running


async def _all(given: argparse.Namespace, databases: Sequence[str]) -> Outcome:
    outcome = Outcome()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fc-") as folder:
        async with campaigns(Path(folder), databases, given.patience) as grounds:
            wanted = given.story or tuple(STORIES)
            points = [p for p in await grounds[0].learn(wanted) if given.only in str(p)][:: given.every]
            total = len(points)
            _tell(f"{total} points learned in {time.monotonic() - started:.0f} s")

            def tell(words: str) -> None:
                _tell(f"{outcome.tried}/{total} {time.monotonic() - started:.0f} s: {words}")

            left = plays(points, given.deaths)
            await asyncio.gather(*(ground.try_plays(left, outcome, tell) for ground in grounds))
    return outcome


def _tell(words: str) -> None:
    print(words, flush=True)  # noqa: T201 -- it is a command


def main() -> int:
    """Return the exit code: 0 if all are right."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every N-th point")
    parser.add_argument("--only", default="", help="only points whose name holds this")
    parser.add_argument("--workers", type=int, default=2, help="so many pairs beside each other (1 or 2)")
    parser.add_argument("--deaths", type=int, default=2, help="how often each bot dies in one play of a story")
    parser.add_argument("--story", action="append", choices=sorted(STORIES), help="only this story; may be repeated")
    parser.add_argument("--journal", choices=("sqlite", "postgresql"), default="sqlite", help="where the bots keep it")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, help="how many seconds anything may take; more on a busy machine"
    )
    given = parser.parse_args()
    with ExitStack() as stack:
        url = stack.enter_context(running()).url if given.journal == "postgresql" else ""
        outcome = asyncio.run(_all(given, [url] * given.workers))
    for point in outcome.missed:
        _tell(f"never came up: {point}")
    for point, problem in outcome.wrong.items():
        _tell(f"wrong: {point}: {problem.splitlines()[0]}")
    for deaths, problem in outcome.together.items():
        _tell(f"wrong together: {' + '.join(map(str, deaths))}: {problem.splitlines()[0]}")
    _tell(f"{outcome.tried} crash points, {outcome.right} right")
    return 0 if outcome.is_right else 1


if __name__ == "__main__":
    sys.exit(main())
