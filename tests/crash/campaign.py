"""Every crash point of UC1 and UC2, learned from a run of each and then tried one after the other."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fedbot.demo.homeserver import Homeserver
from fedbot.demo.inventree.process import InvenTreeProcess
from fedbot.demo.person import Person
from tests.crash import stories
from tests.crash.pair import Ground, NotRight, Pair, a_pair
from tests.crash.points import RECORD

#: A point that did not come up in its run (a fast machine may read two letters at once) is tried again.
TRIES = 3
#: After so many pushes a new pair is made, so that neither journal nor stock grows without end.
PUSHES_A_PAIR = 60
PUSH = "push"
STORIES = ("connect-direct", "connect-relayed", PUSH)


@dataclass(frozen=True)
class Point:
    """Where one bot of a pair dies; `story` is one of `STORIES`."""

    story: str
    side: int
    name: str

    def __str__(self) -> str:
        return f"{self.story}, {('give', 'take')[self.side]}: {self.name}"


@dataclass
class Outcome:
    """How the points ended. `missed` are those at which nobody died in any try."""

    right: int = 0
    wrong: dict[Point, str] = field(default_factory=dict)
    missed: list[Point] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """How many points there were."""
        return self.right + len(self.wrong) + len(self.missed)


class Campaign:
    """All that happens on one ground; one thing at a time."""

    def __init__(self, ground: Ground, name: str) -> None:
        self._ground = ground
        self._name = name
        self._numbers = itertools.count(1)
        self._friends: Pair | None = None
        self._pushes = 0

    async def learn(self, wanted: tuple[str, ...] = STORIES) -> list[Point]:
        """The points of these stories, in the order in which they were passed; what two share is taken once."""
        found: dict[tuple[str, int, str], Point] = {}
        for story in wanted:
            for point in await (self._learn_push() if story == PUSH else self._learn_connect(story)):
                found.setdefault((story.partition("-")[0], point.side, point.name), point)
        return list(found.values())

    async def _learn_connect(self, story: str) -> list[Point]:
        pair = await self._new_pair(story.rpartition("-")[2])
        try:
            await stories.connect(pair)
            await stories.connected_right(pair)
            return _passed(pair, story)
        finally:
            await pair.stop()

    async def _learn_push(self) -> list[Point]:
        pair = await self._connected()
        for party in pair.parties:
            party.orders(RECORD)
        before = await stories.stock_of(pair)
        await stories.pushed_right(pair, await stories.push(pair), before)
        return _passed(pair, PUSH)

    async def try_points(self, points: list[Point], outcome: Outcome, tell: Callable[[str], None]) -> None:
        """Die at each of them; what came of it goes into `outcome`."""
        while points:
            point = points.pop(0)
            try:
                met = await self._try(point)
            except (NotRight, AssertionError) as problem:
                outcome.wrong[point] = str(problem)
                tell(f"WRONG {point}\n{problem}")
                await self._forget_friends()
                continue
            if met:
                outcome.right += 1
                tell(f"right {point}")
            else:
                outcome.missed.append(point)
                tell(f"missed {point}")

    async def _try(self, point: Point) -> bool:
        for _ in range(TRIES):
            played = self._push if point.story == PUSH else self._connect
            if await played(point):
                return True
        return False

    async def _connect(self, point: Point) -> bool:
        orders = ("", point.name) if point.side else (point.name, "")
        pair = await self._new_pair(point.story.rpartition("-")[2], orders)
        try:
            await stories.connect(pair)
            missed = pair.parties[point.side].no_orders()
            await stories.connected_right(pair)
            return not missed
        finally:
            await pair.stop()

    async def _push(self, point: Point) -> bool:
        pair = await self._connected()
        dying = pair.parties[point.side]
        before = await stories.stock_of(pair)
        dying.orders(point.name)
        transfer = await stories.push(pair)
        missed = dying.no_orders()
        await stories.pushed_right(pair, transfer, before)
        return not missed

    async def _new_pair(self, access: str, orders: tuple[str, str] = (RECORD, RECORD)) -> Pair:
        return await a_pair(self._ground, f"{self._name}{next(self._numbers)}", access, orders)

    async def _connected(self) -> Pair:
        """Two spaces that are friends already."""
        self._pushes += 1
        if self._pushes > PUSHES_A_PAIR:
            await self._forget_friends()
        if self._friends is None:
            self._friends = await self._new_pair("relayed", ("", ""))
            self._pushes = 1
            await stories.connect(self._friends)
        return self._friends

    async def _forget_friends(self) -> None:
        if self._friends is not None:
            pair, self._friends = self._friends, None
            await pair.stop()

    async def close(self) -> None:
        """End what still runs."""
        await self._forget_friends()


def _passed(pair: Pair, story: str) -> list[Point]:
    points = []
    for side, party in enumerate(pair.parties):
        party.no_orders()
        points += [Point(story, side, name) for name in dict.fromkeys(party.passed())]
    return points


@asynccontextmanager
async def campaigns(folder: Path, count: int) -> AsyncIterator[list[Campaign]]:
    """So many grounds beside each other, with one homeserver."""
    async with AsyncExitStack() as stack:
        homeserver = await stack.enter_async_context(Homeserver(folder / "hs", default_rate_limits=False))
        made = []
        for number in range(count):
            ground_folder = folder / f"{number}"
            ground_folder.mkdir()
            inventrees = [
                await asyncio.to_thread(stack.enter_context, InvenTreeProcess(seed=seed)) for seed in ("alpha", "beta")
            ]
            people = [
                await stack.enter_async_context(Person(await homeserver.register(f"{name}{number}")))
                for name in ("anna", "bea")
            ]
            ground = Ground(ground_folder, homeserver, (inventrees[0], inventrees[1]), (people[0], people[1]))
            campaign = Campaign(ground, "abcdefgh"[number])
            stack.push_async_callback(campaign.close)
            made.append(campaign)
        yield made
