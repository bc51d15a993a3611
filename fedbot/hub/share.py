"""Which spaces a worker claims, and which it lets go, so that all workers have as many. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

MOST_CLAIMED = 32
"""At one look, which the next one follows soon, so that workers that begin together share from the beginning."""
MOST_LET_GO = 2
"""At one look, or a tenth of what is too much: nobody hears these spaces for a moment."""


@dataclass(frozen=True)
class Shares:
    """Who works for what. `workers` are alive and stay; `free` are spaces that nobody works for and that may begin.

    `wanted` says at which worker an operator wants a space; that counts as long as this worker is there.
    """

    workers: frozenset[str]
    held: Mapping[str, str]
    free: Collection[str]
    wanted: Mapping[str, str] = field(default_factory=dict)

    def of(self, worker: str) -> int:
        """For how many spaces it should work. All shares together are all spaces.

        They differ by one at most, but for workers at which more are wanted.
        """
        wanted = Counter(filter(None, map(self._wanted_at, self._all)))
        rest, others = len(self._all), set(self.workers)
        while full := {name for name in others if wanted[name] * len(others) > rest}:
            rest -= sum(wanted[name] for name in full)
            others -= full
        if worker not in others:
            return wanted[worker]
        counted = Counter(self.held.values())
        in_order = sorted(others, key=lambda name: (-counted[name], name))
        each, more = divmod(rest, len(others))
        return each + (in_order.index(worker) < more)

    def to_claim(self, worker: str) -> list[str]:
        """What it claims now. Each worker begins elsewhere, so that they rarely want the same."""
        missing = self.of(worker) - sum(holder == worker for holder in self.held.values())
        free = [space for space in self.free if self._wanted_at(space) in ("", worker)]
        ordered = sorted(free, key=lambda space: hashlib.sha256(f"{worker} {space}".encode()).digest())
        first = [space for space in ordered if self._wanted_at(space)]
        others = [space for space in ordered if not self._wanted_at(space)]
        return [*first, *others[: max(missing - len(first), 0)]][:MOST_CLAIMED]

    def to_let_go(self, worker: str) -> list[str]:
        """What it gives to others now."""
        own = sorted(space for space, holder in self.held.items() if holder == worker)
        elsewhere = [space for space in own if self._wanted_at(space) not in ("", worker)]
        movable = [space for space in own if not self._wanted_at(space)]
        surplus = len(own) - len(elsewhere) - self.of(worker)
        most = max(MOST_LET_GO, surplus // 10)
        return [*elsewhere, *movable[: max(surplus, 0)]][:most]

    @property
    def _all(self) -> list[str]:
        return [*(space for space, holder in self.held.items() if holder in self.workers), *self.free]

    def _wanted_at(self, space: str) -> str:
        """The worker at which it is wanted, if that is there; else ''."""
        worker = self.wanted.get(space, "")
        return worker if worker in self.workers else ""
