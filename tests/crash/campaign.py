"""Every crash point of the stories: found in one run of each, then tried one after the other."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from fedbot_demo.homeserver import Homeserver
from fedbot_demo.inventree.process import InvenTreeProcess
from fedbot_demo.person import Person
from tests.crash import friendship
from tests.crash.pair import PATIENCE_S, Ground, NotRight, Orders, Pair, a_pair
from tests.crash.points import RECORD
from tests.crash.stories import STORIES, Story
from tests.crash.transfers import restocked

#: A point that didn't occur in its run is tried again, because a fast machine may read two messages at once.
TRIES = 6
#: After this many tries it gets a new pair, because a bot meets a person only once, at the first line.
TRIES_WITH_FRIENDS = 3
#: A play that fails in one of these ways is wrong; all others go on.
FAILURES = (NotRight, AssertionError, httpx.HTTPError)


@dataclass(frozen=True)
class Point:
    """The point at which one bot of a pair dies; `story` is a name in `STORIES`."""

    story: str
    side: int
    name: str

    def __str__(self) -> str:
        return f"{self.story}, {('give', 'take')[self.side]}: {self.name}"


#: The points at which bots die in one play of their story.
Deaths = tuple[Point, ...]


@dataclass
class Outcome:
    """The results of the points. At those in `missed`, no bot died in any try.

    `together` are plays that ended wrong although each of their points ends right alone.
    """

    right: int = 0
    wrong: dict[Point, str] = field(default_factory=dict)
    together: dict[Deaths, str] = field(default_factory=dict)
    missed: list[Point] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """The number of points."""
        return self.right + len(self.wrong) + len(self.missed)

    @property
    def is_right(self) -> bool:
        """Whether each point occurred and ended right."""
        return self.right == self.tried and not self.together


def plays(points: Sequence[Point], deaths: int) -> list[Deaths]:
    """Distribute the points over plays, in which each bot dies up to `deaths` times, at points far apart."""
    found: list[Deaths] = []
    for story in dict.fromkeys(point.story for point in points):
        sides = [[p for p in points if (p.story, p.side) == (story, side)] for side in (0, 1)]
        count = max(-(-len(side) // deaths) for side in sides)
        found += [(*sides[0][number::count], *sides[1][number::count]) for number in range(count)]
    return found


class Campaign:
    """The plays in one environment, one at a time."""

    def __init__(self, ground: Ground, name: str) -> None:
        self._ground = ground
        self._name = name
        self._numbers = itertools.count(1)
        self._friends: dict[tuple[str, str], Pair] = {}
        self._played: dict[tuple[str, str], int] = {}

    async def learn(self, wanted: Iterable[str] = STORIES) -> list[Point]:
        """Find the points of these stories in order. A point that several stories of a family share is listed once."""
        found: dict[tuple[str, int, str], Point] = {}
        for name in wanted:
            story = STORIES[name]
            pair = await self._pair_for(story, ((RECORD,), (RECORD,)))
            await story.right(pair, await story.play(pair))
            for point in _passed(pair, story.name):
                found.setdefault((story.family or name, point.side, point.name), point)
            if story.strangers:
                await pair.stop()
        return list(found.values())

    async def try_plays(self, wanted: list[Deaths], outcome: Outcome, tell: Callable[[str], None]) -> None:
        """Die at each of their points and add the results to `outcome`. A point that doesn't occur is tried alone."""
        while wanted:
            deaths = wanted.pop(0)
            try:
                met = await self._dies_at(deaths)
            except FAILURES as problem:
                tell(f"WRONG {' + '.join(map(str, deaths))}\n{_in_words(problem)}")
                await self._forget_friends()
                await self._find_out(deaths, _in_words(problem), outcome, tell)
                continue
            outcome.right += len(met)
            for point in met:
                tell(f"right {point}")
            for point in (each for each in deaths if each not in met):
                await self._try_alone(point, outcome, tell)

    async def _find_out(self, deaths: Deaths, problem: str, outcome: Outcome, tell: Callable[[str], None]) -> None:
        """Find the points that are wrong alone; if none is, record the whole play as wrong."""
        if len(deaths) == 1:
            outcome.wrong[deaths[0]] = problem
            return
        wrong = len(outcome.wrong)
        for point in deaths:
            await self._try_alone(point, outcome, tell)
        if len(outcome.wrong) == wrong:
            outcome.together[deaths] = problem

    async def _try_alone(self, point: Point, outcome: Outcome, tell: Callable[[str], None]) -> None:
        try:
            for number in range(TRIES):
                if number == TRIES_WITH_FRIENDS:
                    await self._forget_friends()
                if await self._dies_at((point,)):
                    outcome.right += 1
                    tell(f"right {point}")
                    return
        except FAILURES as problem:
            outcome.wrong[point] = _in_words(problem)
            tell(f"WRONG {point}\n{_in_words(problem)}")
            await self._forget_friends()
        else:
            outcome.missed.append(point)
            tell(f"missed {point}")

    async def _dies_at(self, deaths: Deaths) -> Deaths:
        """Play the story with these deaths and check the end; return the deaths that occurred."""
        story = STORIES[deaths[0].story]
        orders = [[point.name for point in deaths if point.side == side] for side in (0, 1)]
        pair = await self._pair_for(story, (orders[0], orders[1]))
        try:
            played = await story.play(pair)
            waiting = [party.no_orders() for party in pair.parties]
            await story.right(pair, played)
            return tuple(point for point in deaths if point.name not in waiting[point.side])
        finally:
            if story.strangers:
                await pair.stop()

    async def _pair_for(self, story: Story, orders: Orders) -> Pair:
        """Two spaces prepared for the story, their bots with these orders."""
        if story.strangers:
            return await self._new_pair(story.access, orders)
        pair = await self._connected(story)
        if story.prepare is not None:
            await story.prepare(pair)
        for party, points in zip(pair.parties, orders, strict=True):
            party.orders(*points)
        return pair

    async def _new_pair(self, access: str, orders: Orders) -> Pair:
        await restocked(self._ground.inventrees[0])
        return await a_pair(self._ground, f"{self._name}{next(self._numbers)}", access, orders)

    async def _connected(self, story: Story) -> Pair:
        """Two spaces that are friends, already or again."""
        circle = (story.access, story.circle)
        if self._played.get(circle, 0) == story.most_a_pair:
            await self._forget_friends()
        self._played[circle] = self._played.get(circle, 0) + 1
        if circle not in self._friends:
            self._friends[circle] = await self._new_pair(story.access, ((), ()))
            self._played[circle] = 1
        pair = self._friends[circle]
        if not friendship.living_connection(pair):
            await friendship.connect(pair)
        return pair

    async def _forget_friends(self) -> None:
        friends, self._friends = self._friends, {}
        for pair in friends.values():
            await pair.stop()

    async def close(self) -> None:
        """End everything that still runs."""
        await self._forget_friends()


def _in_words(problem: Exception) -> str:
    return str(problem) or type(problem).__name__  # a time-out of httpx has no words


def _passed(pair: Pair, story: str) -> list[Point]:
    points = []
    for side, party in enumerate(pair.parties):
        party.no_orders()
        points += [Point(story, side, name) for name in dict.fromkeys(party.passed())]
    return points


@asynccontextmanager
async def campaigns(
    folder: Path, databases: Sequence[str], patience: float = PATIENCE_S
) -> AsyncIterator[list[Campaign]]:
    """Environments side by side on one homeserver: one for each PostgreSQL server (its URL; '' means files)."""
    async with AsyncExitStack() as stack:
        homeserver = await stack.enter_async_context(Homeserver(folder / "hs", default_rate_limits=False))
        made = []
        for number, database in enumerate(databases):
            ground_folder = folder / f"{number}"
            ground_folder.mkdir()
            inventrees = [
                await asyncio.to_thread(stack.enter_context, InvenTreeProcess(seed=seed)) for seed in ("alpha", "beta")
            ]
            people = [
                await stack.enter_async_context(Person(await homeserver.register(f"{name}{number}")))
                for name in ("anna", "bea")
            ]
            ground = Ground(
                ground_folder, database, patience, homeserver, (inventrees[0], inventrees[1]), (people[0], people[1])
            )
            campaign = Campaign(ground, "abcdefgh"[number])
            stack.push_async_callback(campaign.close)
            made.append(campaign)
        yield made
