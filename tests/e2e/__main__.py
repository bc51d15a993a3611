"""Measure how long it is from `fedbot init` to the first item: `python -m tests.e2e --inventree URL --password …`.

The InvenTree is a real one that may lose its data, with a superuser hanna, and nothing of fedbot's in it yet.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from fedbot_demo.homeserver import Homeserver
from fedbot_demo.person import Person
from tests.e2e.first_handover import Ours, Took, first_handover
from tests.setup.terminal import A_PERSON, AT_ONCE


async def _measured(given: argparse.Namespace) -> Took:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fedbot-")))
        (folder / "homeserver").mkdir()
        homeserver = await stack.enter_async_context(Homeserver(folder / "homeserver"))
        hanna, bea = [
            await stack.enter_async_context(Person(await homeserver.register(name))) for name in ("hanna", "bea")
        ]
        pace = AT_ONCE if given.at_once else A_PERSON
        ours = Ours(given.inventree, given.password)
        return await first_handover(homeserver, hanna, bea, ours, folder, pace=pace)


def main() -> int:
    """Measure it and print the result."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e", description=__doc__)
    parser.add_argument("--inventree", required=True, metavar="URL")
    parser.add_argument("--password", required=True, help="of its superuser hanna")
    parser.add_argument("--at-once", action="store_true", help="nobody takes time to read, type or call")
    took = asyncio.run(_measured(parser.parse_args()))
    print(f"{took.questions} questions, {took.init_s:.0f} s to the end of init, {took.all_s:.0f} s to the first item")
    return 0


if __name__ == "__main__":
    sys.exit(main())
