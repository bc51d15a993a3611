"""Which spaces a worker claims, and which it lets go, so that all workers have as many. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

MOST_CLAIMED = 16
"""At one look: those that begin at once slow each other down."""
MOST_LET_GO = 2
"""At one look: nobody hears these spaces for a moment."""


@dataclass(frozen=True)
class Shares:
    """Who works for what. `workers` are alive and stay; `free` are spaces that nobody works for and that may begin."""

    workers: frozenset[str]
    held: Mapping[str, str]
    free: Collection[str]

    def of(self, worker: str) -> int:
        """For how many spaces it should work. All shares together are all spaces; they differ by one at most."""
        counted = Counter(holder for holder in self.held.values() if holder in self.workers)
        each, rest = divmod(counted.total() + len(self.free), len(self.workers))
        in_order = sorted(self.workers, key=lambda name: (-counted[name], name))
        return each + (in_order.index(worker) < rest)

    def to_claim(self, worker: str) -> list[str]:
        """What it claims now. Each worker begins elsewhere, so that they rarely want the same."""
        missing = self.of(worker) - self._has(worker)
        wanted = sorted(self.free, key=lambda space: hashlib.sha256(f"{worker} {space}".encode()).digest())
        return wanted[: min(max(missing, 0), MOST_CLAIMED)]

    def to_let_go(self, worker: str) -> list[str]:
        """What it gives to others now."""
        surplus = self._has(worker) - self.of(worker)
        own = sorted(space for space, holder in self.held.items() if holder == worker)
        return own[: min(max(surplus, 0), MOST_LET_GO)]

    def _has(self, worker: str) -> int:
        return sum(holder == worker for holder in self.held.values())
