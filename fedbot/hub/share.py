"""Decides which spaces a worker claims and gives up, so that all workers have equally many. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

MOST_CLAIMED = 32
"""The limit per look. The next look follows soon, so workers that start together share from the start."""
MOST_LET_GO = 2
"""The limit per look, or a tenth of the surplus if that is more: these spaces have no bot for a moment."""


@dataclass(frozen=True)
class Shares:
    """The distribution of spaces.

    `workers` run and stay, `held` is the worker by space, `free` are the spaces to claim. `wanted`: by space, the
    worker that an operator moved it to. It counts while that worker runs.
    """

    workers: frozenset[str]
    held: Mapping[str, str]
    free: Collection[str]
    wanted: Mapping[str, str] = field(default_factory=dict)

    def of(self, worker: str) -> int:
        """The number of spaces that the worker should have. The shares add up to all spaces.

        They differ by at most one, except for workers that operators moved more to.
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
        """The spaces that the worker claims now. Each worker has its own order, so they rarely want the same."""
        missing = self.of(worker) - sum(holder == worker for holder in self.held.values())
        free = [space for space in self.free if self._wanted_at(space) in ("", worker)]
        ordered = sorted(free, key=lambda space: hashlib.sha256(f"{worker} {space}".encode()).digest())
        first = [space for space in ordered if self._wanted_at(space)]
        others = [space for space in ordered if not self._wanted_at(space)]
        return [*first, *others[: max(missing - len(first), 0)]][:MOST_CLAIMED]

    def to_let_go(self, worker: str) -> list[str]:
        """The spaces that the worker gives up now."""
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
        """The worker that an operator moved the space to, if it runs; else ''."""
        worker = self.wanted.get(space, "")
        return worker if worker in self.workers else ""
