"""`python -m tests.journal`: record the journal of a short story as `vectors/NUMBER.sql`, by today's schema.

Two spaces have connected, given and lent, and a request is open. A frozen recording is never made again.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from fedbot.journal.sqlite import MIGRATIONS
from tests import frozen
from tests.scenarios.world import World, sharing

FOLDER = Path(__file__).parent / "vectors"


async def _story() -> World:
    world = await sharing()
    for line in ("!fed push M3-NUT 10 to betaspace", "!fed lend M3-NUT 5 to betaspace until 2027-01-01"):
        world.anna.says(line)
        await world.settle()
        world.cem.reacts(world.card(), "✅")
        await world.grace()
    world.cem.says("!fed request 5 M3-NUT from attraktor")
    await world.settle()
    return world


def main() -> None:
    """The version comes first, because SQLite's own dump leaves it out."""
    path = FOLDER / f"{len(MIGRATIONS)}.sql"
    frozen.refuse(path)
    world = asyncio.run(_story())
    with sqlite3.connect(":memory:") as copy:
        world.beta.journal._database.copy_to(copy)
        lines = [f"PRAGMA user_version = {len(MIGRATIONS)};", *copy.iterdump()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
