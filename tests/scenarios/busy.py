"""A busy hour under a homeserver's default rate limits, on a clock moved by hand: the waiting times of people."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fedbot.matrix.send_queue import Budget
from fedbot.rules.model.lifecycles import TransferState
from tests.fakes.chat import RateLimit
from tests.scenarios.world import World, friends

NEVER = datetime.max.replace(tzinfo=UTC)
LOOK_EVERY = timedelta(seconds=0.5)
TAPS_AFTER = (4.0, 20.0)
"""The least and most seconds between a card and the reaction that decides on it."""


@dataclass
class Waits:
    """Waiting times in seconds: from each reaction until both sides are done (grace included), and from each line to
    its answer.
    """

    handovers: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)


def p95(seconds: list[float]) -> float:
    """The 95th percentile: at most one in 20 takes longer."""
    ordered = sorted(seconds)
    return ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]


async def limited(**options: object) -> World:
    """Friends whose bots have a homeserver's default rate limit from now on, and know it."""
    world = await friends(**options)
    for space in world.spaces:
        space.chat.limit = RateLimit()
        space.bot.chat_worker.budget = Budget().limited(world.clock.now(), 5.0)
    await world.passes(timedelta(minutes=1))
    return world


async def busy_hours(seeds: Iterable[int], number: int = 20, within: timedelta = timedelta(minutes=10)) -> Waits:
    """Play several such periods, each with other random times."""
    waits = Waits()
    for seed in seeds:
        one = await handovers(await limited(), number, within, seed)
        waits.handovers += one.handovers
        waits.answers += one.answers
    return waits


async def handovers(world: World, number: int, within: timedelta, seed: int = 1) -> Waits:
    """Spread `number` pushes over the period at random, each approved by a reaction, with a question every minute."""
    dice = random.Random(seed)
    start = world.clock.now()
    pushes = sorted(start + dice.random() * within for _ in range(number))
    lines = [
        start + timedelta(minutes=minute) + timedelta(seconds=7) for minute in range(int(within / timedelta(minutes=1)))
    ]
    waits, crowd = Waits(), Crowd(world, dice)
    while pushes or lines or len(waits.handovers) < number or crowd.asked:
        now = world.clock.now()
        assert now - start < within + timedelta(minutes=30), world.room.transcript()
        while pushes and pushes[0] <= now:
            pushes.pop(0)
            world.anna.says("!fed push 1 M3-NUT to betaspace")
        while lines and lines[0] <= now:
            lines.pop(0)
            crowd.asked[world.dilek.says("!fed todo")] = now
        crowd.taps(now)
        await world.passes(LOOK_EVERY)
        crowd.looks(waits)
    return waits


class Crowd:
    """The people who react and ask, and who look for the results."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world = world
        self.asked: dict[str, datetime] = {}
        self._dice = dice
        self._to_tap: dict[str, datetime] = {}
        self._tapped: dict[str, datetime] = {}
        self._over: set[str] = set()

    def taps(self, now: datetime) -> None:
        """Cem approves cards that are old enough."""
        for transfer in self.world.beta.turn.transfers():
            if transfer.card_event and transfer.id not in self._to_tap:
                self._to_tap[transfer.id] = now + timedelta(seconds=self._dice.uniform(*TAPS_AFTER))
            if self._to_tap.get(transfer.id, NEVER) <= now and transfer.id not in self._tapped:
                self._tapped[transfer.id] = now
                self.world.cem.reacts(transfer.card_event, "✅")

    def looks(self, waits: Waits) -> None:
        """Record the transfers that are done and the lines that are answered."""
        now = self.world.clock.now()
        for identifier in self._tapped.keys() - self._over:
            ends = [space.turn.transfer(identifier) for space in self.world.spaces]
            if all(end and end.state is TransferState.DONE for end in ends):
                self._over.add(identifier)
                waits.handovers.append((now - self._tapped[identifier]).total_seconds())
        for line in [line for line in self.asked if self.world.room.answers(line)]:
            waits.answers.append((now - self.asked.pop(line)).total_seconds())
