"""A space moves between its folder and the hub's database while stock is under way, and nothing is lost or doubled."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from datetime import timedelta

import pytest

from fedbot.config.settings import Settings
from fedbot.edge_settings import identity_folder
from fedbot.hub import moving
from fedbot.identity import open_identity
from fedbot.journal.copies import FILE
from fedbot.journal.database import Address
from fedbot.journal.journal import Journal, StoredJournal
from fedbot.journal.lease import claim
from fedbot.journal.postgresql import open_journal
from fedbot.ports.journal import JournalMoved, LeaseLost
from fedbot.rules.model.lending import OutsideLoan
from fedbot.rules.model.lifecycles import OutsideState, TransferState
from fedbot.rules.model.steps import Step, StepResult
from tests.dialogue.test_restarts import ended_well, settles_with_restarts
from tests.fakes.postgresql import Server
from tests.scenarios.books import assert_books_balance
from tests.scenarios.space import Space
from tests.scenarios.world import GRACE, Message, World, friends, step

A_DAY = timedelta(days=1)


class Hosted:
    """A space of a dialogue that lives in a state folder or in the database of a hub, and moves.

    While it moves its friend goes on, and writes to it.
    """

    def __init__(self, world: World, space: Space, settings: Settings) -> None:
        self.world, self.space, self.settings = world, space, settings
        self.moves = 0
        settings.state.mkdir(parents=True)
        open_identity(identity_folder(settings))
        with closing(sqlite3.connect(settings.state / FILE)) as file:
            space.journal._database._connection.backup(file)
        space.journal = Journal.open(settings.state, world.clock.now)

    @property
    def is_in_database(self) -> bool:
        return self.moves % 2 == 1

    async def restart(self) -> None:
        """Move to the other place, and go on there."""
        left = self.space.journal
        left.close()
        (moving.into_folder if self.is_in_database else moving.into_database)(self.settings)
        self.moves += 1
        with pytest.raises(JournalMoved):
            self._opened(in_database=not self.is_in_database).close()
        others = [space for space in self.world.spaces if space is not self.space]
        for _ in range(10):
            for other in others:
                await step(other)
        self.space.journal = self._opened(in_database=self.is_in_database)  # type: ignore[assignment]
        await self.space.restart()

    async def is_taken_over(self, server: Server) -> None:
        """Another worker goes on, while this one stands still and doesn't know."""
        server.every_claim_is_over()
        self.space.journal = self._opened(in_database=True)  # type: ignore[assignment]
        await self.space.restart()

    def _opened(self, *, in_database: bool) -> StoredJournal:
        if not in_database:
            return Journal.open(self.settings.state, self.world.clock.now)
        place = self.settings.journal
        lease = claim(Address(str(place.url), self.settings.party.id), "a worker")
        assert lease is not None
        try:
            return open_journal(lease, self.world.clock.now)
        except JournalMoved:
            lease.release()
            raise


Story = Callable[[World, Callable[[], Awaitable[None]]], Awaitable[None]]


async def _goes(world: World, rests: Callable[[], Awaitable[None]]) -> None:
    """The grace of a decision is over, and what follows is done."""
    world.clock.advance(GRACE + timedelta(seconds=1))
    await rests()


def _asks(world: World) -> Message:
    """The newest card of attraktor's bot."""
    return [message for message in world.room.messages(sender=world.alpha.chat.user_id) if message.reactions][-1]


async def _a_loan_that_comes_back(world: World, rests: Callable[[], Awaitable[None]]) -> None:
    world.anna.says("!fed lend M3-NUT 10 + #42 to betaspace for 1 week")
    await rests()
    world.cem.reacts(world.card(), "✅")
    await rests()
    await _goes(world, rests)
    world.cem.says(f"!fed return {world.beta.transfer().code} all")
    await rests()
    world.anna.reacts(_asks(world), "✅")
    await rests()
    await _goes(world, rests)
    loan = world.alpha.turn.transfers()[0]
    assert loan.closed is not None, world.room.transcript()
    assert (world.alpha.total("M3-NUT"), world.beta.total("N-M3")) == (350, 900)
    assert world.alpha.item("LENS-2", serial="0042").customer is None


async def _a_parcel(world: World, rests: Callable[[], Awaitable[None]]) -> None:
    world.anna.says("!fed push M3-NUT 10 to betaspace")
    await rests()
    world.cem.reacts(world.card(), "📦")
    await rests()
    await _goes(world, rests)
    assert world.alpha.total("M3-NUT") == 340
    world.cem.says(f"!fed received {world.beta.transfer().code}")
    await rests()
    await _goes(world, rests)
    assert {space.transfer().state for space in world.spaces} == {TransferState.DONE}, world.room.transcript()
    assert world.beta.total("N-M3") == 910


async def _a_booking(world: World, rests: Callable[[], Awaitable[None]]) -> None:
    world.anna.says("!fed lend #42 to betaspace from tomorrow for 2 days")
    await rests()
    world.cem.reacts(world.card(), "✅")
    await rests()
    await _goes(world, rests)
    assert {space.transfer().state for space in world.spaces} == {TransferState.BOOKED}
    await world.passes(A_DAY)
    await rests()
    world.anna.reacts(_asks(world), "✅")
    await rests()
    await _goes(world, rests)
    assert {space.transfer().state for space in world.spaces} == {TransferState.DONE}, world.room.transcript()
    assert world.beta.item("LENS-2", serial="0042").quantity == 1


async def _a_neighbours_loan(world: World, rests: Callable[[], Awaitable[None]]) -> None:
    world.piet.says('!fed lend 10 M3-NUT to outside "Repair Café" for 2 weeks')
    await rests()
    world.anna.says('!fed outside "Repair Café" is betaspace')
    await rests()
    world.cem.reacts(world.card(), "✅")
    await rests()
    await _goes(world, rests)
    assert world.alpha.turn.all(OutsideLoan)[-1].state is OutsideState.HANDED_OVER, world.room.transcript()
    assert (world.alpha.given("M3-NUT"), world.beta.total("N-M3")) == (10, 910)


STORIES: tuple[Story, ...] = (_a_loan_that_comes_back, _a_parcel, _a_booking, _a_neighbours_loan)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("story", "side"),
    [
        pytest.param(story, side, marks=() if number % 2 == at else pytest.mark.long)
        for number, story in enumerate(STORIES)
        for at, side in enumerate(("alpha", "beta"))
    ],
)
async def test_a_space_that_moves_in_every_stage_loses_and_doubles_nothing(
    settings: Settings, postgresql: Server, story: Story, side: str
) -> None:
    del postgresql  # it runs
    world = await friends()
    hosted = Hosted(world, getattr(world, side), settings)
    every, count = dict.fromkeys(range(5, 400, 11), hosted), [0]

    async def rests() -> None:
        await settles_with_restarts(world, every, count)  # type: ignore[arg-type]
        await hosted.restart()
        await world.settle()

    await story(world, rests)
    await world.passes(timedelta(minutes=15))
    assert hosted.moves > 6
    if hosted.is_in_database:
        await hosted.restart()
    assert_books_balance(world)
    hosted.space.journal.close()


@pytest.mark.parametrize("number", [1, 2, *(pytest.param(n, marks=pytest.mark.long) for n in range(3, 8))])
@pytest.mark.parametrize("side", ["alpha", "beta"])
async def test_a_worker_that_stands_still_before_a_step_and_does_it_after_a_take_over_does_it_alone(
    settings: Settings, postgresql: Server, side: str, number: int
) -> None:
    """It has journaled its intent. The other worker finds nothing done yet, and waits for `settle` first."""
    world = await friends()
    hosted = Hosted(world, getattr(world, side), settings)
    await hosted.restart()
    space, old = hosted.space, hosted.space.journal
    carry_out, calls = space.inventory.act, [0]

    async def stands_still(step: Step) -> StepResult:
        calls[0] += 1
        if calls[0] == number:
            await hosted.is_taken_over(postgresql)
            await world.settle()
        return await carry_out(step)

    space.inventory.act = stands_still  # type: ignore[method-assign]
    world.anna.says("!fed push M3-NUT 10 + #42 to betaspace")
    await _until_lost(world)
    world.cem.reacts(world.card(), "✅")
    await _until_lost(world)
    world.clock.advance(GRACE + timedelta(seconds=1))
    await _until_lost(world)
    await world.passes(timedelta(minutes=15))
    assert (space.journal is old) is (calls[0] < number), "it was taken over"
    await hosted.restart()
    ended_well(world)
    space.journal.close()


async def _until_lost(world: World) -> None:
    with suppress(LeaseLost):
        await world.settle()
    await world.settle()
