"""A journal that is older than the world, or lost: nothing is moved twice, both sides come to the same end.

A backup is taken after any call to the journal; the story goes on to its end (or a little); then the backup is put
back. A rebuild begins at the same moments with no journal at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from fedbot.app.recovery import Rebuilt, rebuild
from fedbot.federation.documents import TransferState
from fedbot.federation.events import Event
from fedbot.journal.journal import Journal
from fedbot.journal.schema import Database
from fedbot.ports import Committed
from tests.dialogue.books import assert_books_balance
from tests.dialogue.world import Space, World, friends, told

PART = "RES-10K"
AMOUNT = 3
#: Each third call is tried.
EVERY = 3
RESENDS = timedelta(minutes=15)


class Stopped(BaseException):
    """Nothing catches it, as nothing runs any more."""


class CopiedJournal(Journal):
    """A journal of which a backup is taken after the call of that number; then its bot may stop."""

    def __init__(self, database: Database, now: Callable[[], datetime], moment: int, *, stops: bool) -> None:
        super().__init__(database, None, now)
        self.calls = -(10**6)  # the start doesn't count
        self.moment = moment
        self.stops = stops
        self.backup_taken = b""

    def _called(self) -> None:
        self.calls += 1
        if self.calls == self.moment:
            self.backup_taken = self._database._connection.serialize()
            if self.stops:
                raise Stopped

    def receive(self, events: Sequence[Event], token: str) -> int:
        new = super().receive(events, token)
        self._called()
        return new

    def begin(self, row: int, at: datetime) -> None:
        super().begin(row, at)
        self._called()

    def commit(self, seq: int, decision: Committed) -> tuple[int, ...]:
        rows = super().commit(seq, decision)
        self._called()
        return rows

    def finish(self, row: int, outcome: Event | None) -> None:
        super().finish(row, outcome)
        self._called()

    def put(self, event: Event) -> int:
        seq = super().put(event)
        self._called()
        return seq


async def is_watched(space: Space, moment: int, *, stops: bool = False) -> CopiedJournal:
    """From now on the journal counts its calls; after that many a backup is taken, and the bot may stop."""
    database = Database(None)
    database._connection.deserialize(space.journal._database._connection.serialize())
    space.journal = journal = CopiedJournal(database, space.clock.now, moment, stops=stops)
    await space.restart()
    journal.calls = 0
    return journal


async def is_restored(space: Space, backup: bytes) -> None:
    """As `fedbot restore`: the copy has no journal id."""
    database = Database(None)
    database._connection.deserialize(backup)
    with database.transaction() as connection:
        connection.execute("DELETE FROM meta WHERE name = 'journal_id'")
    space.journal = Journal(database, None, space.clock.now)
    assert space.journal.recovers
    await space.restart()
    assert not space.journal.recovers


async def is_rebuilt(space: Space) -> Rebuilt:
    """As `fedbot rebuild`, then `fedbot run`: the journal is gone, the identity is there."""
    space.journal = Journal.in_memory(space.clock.now)
    space.chat = space.chat.restarted()
    space.inventory = space._inventory()
    space.bot = space._bot()
    rebuilt = await rebuild(space.bot.engine, space.chat, space.inventory)
    space.journal.must_recover()
    await space.restart()
    return rebuilt


def side(world: World, name: str) -> Space:
    return world.alpha if name == "sender" else world.beta


async def a_push(world: World) -> None:
    card = await world.push(f"{PART} {AMOUNT}")
    world.cem.reacts(card, "✅")
    await world.grace()


def stock(world: World) -> tuple[Decimal, Decimal]:
    return world.alpha.total(PART), world.beta.total(PART)


def cards(world: World) -> int:
    return len([m for m in world.room.messages(sender=world.beta.chat.user_id) if m.reactions])


def states(world: World) -> list[TransferState]:
    return [transfer.state for space in world.spaces for transfer in space.turn.transfers()]


async def how_many_calls(of: str) -> int:
    world = await friends()
    journal = await is_watched(side(world, of), 10**9)
    await a_push(world)
    assert journal.calls > 50
    return journal.calls


@pytest.mark.timeout(300)
@pytest.mark.parametrize("of", ["sender", "receiver"])
async def test_a_backup_of_any_moment_of_a_push_is_put_back_after_its_end(of: str) -> None:
    for moment in range(1, await how_many_calls(of), EVERY):
        world = await friends()
        before = stock(world)
        journal = await is_watched(side(world, of), moment)
        await a_push(world)
        assert states(world) == [TransferState.DONE] * 2
        seen = cards(world)
        await is_restored(side(world, of), journal.backup_taken)
        await world.passes(RESENDS)
        assert states(world) == [TransferState.DONE] * 2, f"{of} {moment}\n{world.room.transcript()}"
        assert stock(world) == (before[0] - AMOUNT, before[1] + AMOUNT)
        assert_books_balance(world)
        assert cards(world) == seen, f"{of} {moment}: a second card\n{world.room.transcript()}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("of", ["sender", "receiver"])
async def test_a_journal_lost_at_any_moment_of_a_push_is_rebuilt_and_the_push_ends_well(of: str) -> None:
    for moment in range(1, await how_many_calls(of), EVERY):
        world = await friends()
        before = stock(world)
        await is_watched(side(world, of), moment, stops=True)
        with suppress(Stopped):
            await a_push(world)
        rebuilt = await is_rebuilt(side(world, of))
        assert [state for _, state in rebuilt.connections] == ["active"]
        assert not rebuilt.unsigned
        if rebuilt.lost:  # noted in InvenTree already, but nobody was told of it yet
            assert not told(world.room, "Offered to Betaspace")
        await world.passes(RESENDS)
        if set(states(world)) == {TransferState.OPEN}:  # a tap that nobody had acted upon yet is lost: tap again
            world.dilek.reacts(world.room.message("Take it?"), "✅")
            await world.grace()
            await world.passes(RESENDS)
        moved = AMOUNT if states(world) else 0
        assert set(states(world)) <= {TransferState.DONE}, f"{of} {moment}\n{world.room.transcript()}"
        assert len(states(world)) in {0, 2}
        assert stock(world) == (before[0] - moved, before[1] + moved)
        assert_books_balance(world)
