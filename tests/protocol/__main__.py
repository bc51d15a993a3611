"""`python -m tests.protocol`: record a vector for each kind of message that has none, or for each `KIND …`.

`--story NAME …` records what our bot says in these stories of decisions (`tests/protocol/stories`); read the diff.
"""

from __future__ import annotations

import asyncio
import sys

from fedbot.rules.protocol import bodies
from tests import frozen
from tests.protocol import stories, vectors


def main(wanted: list[str]) -> None:
    """Record vectors. Refuse to record a frozen one again, because bots that send such messages would not be
    understood.
    """
    if wanted[:1] == ["--story"]:
        for name in wanted[1:] or stories.names():
            asyncio.run(stories.record(name))
        return
    for kind in wanted or sorted(kind for kind in bodies.KINDS if not vectors.path_of(kind).exists()):
        frozen.refuse(vectors.path_of(kind))
        vectors.write(kind)
        sys.stdout.write(f"wrote {vectors.path_of(kind)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
