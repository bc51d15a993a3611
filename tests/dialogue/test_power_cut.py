"""A power cut loses what the journal had not yet written to the disk; the end is the same as without it.

The cut comes after any call to the journal, during a push or while a room moves with an open card, on either side. The
disk then holds everything committed up to the last `receive` with events or `begin`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from fedbot.journal.journal import Journal
from fedbot.journal.sqlite import SqliteDatabase
from fedbot.ports.journal import Committed
from fedbot.rules.model.events import Event
from fedbot.rules.model.lifecycles import TransferState
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends

PART = "RES-10K"
AMOUNT = 3
#: A step makes three calls to the journal. Neither number is a multiple of three, so each of the three has its turn.
EVERY = pytest.mark.parametrize("every", [8, pytest.param(2, marks=pytest.mark.long)])


class PowerCut(BaseException):
    """Nothing catches it, because nothing runs any more."""


class PoweredJournal(Journal):
    """A journal that knows which commits are on the disk. After `calls_left` more calls the power is cut."""

    def __init__(self, database: SqliteDatabase, now: Callable[[], datetime], calls_left: int) -> None:
        super().__init__(database, None, now)
        self.on_disk = self.image()
        self._calls_left = calls_left

    @classmethod
    def from_disk(cls, image: bytes, now: Callable[[], datetime], calls_left: int = 10**9) -> PoweredJournal:
        database = SqliteDatabase(None)
        database._connection.deserialize(image)
        return cls(database, now, calls_left)

    def image(self) -> bytes:
        return self._database._connection.serialize()

    def _called(self, *, durable: bool = False) -> None:
        if durable:
            self.on_disk = self.image()
        self._calls_left -= 1
        if self._calls_left == 0:
            raise PowerCut

    def receive(self, events: Sequence[Event], token: str | None) -> int:
        new = super().receive(events, token)
        self._called(durable=bool(events))
        return new

    def begin(self, row: int, at: datetime) -> None:
        super().begin(row, at)
        self._called(durable=True)

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


def _in_stock(space: Space) -> Decimal:
    """The quantity of the part at the makerspace, without items at customers."""
    state = space.seeded.server.state
    (part,) = (row.pk for row in state.parts if row.IPN == PART)
    return sum((row.quantity for row in state.stock if row.part == part and row.customer is None), Decimal(0))


async def _goes_on(world: World, space: Space, what: Callable[[], Any]) -> bool:
    """Do it. If the power is cut, start again from the disk. Return whether it was cut."""
    try:
        await what()
    except PowerCut:
        assert isinstance(space.journal, PoweredJournal)
        space.journal = PoweredJournal.from_disk(space.journal.on_disk, world.clock.now)
        await space.restart()
        await world.settle()
        return True
    return False


async def _push_with_a_cut(side: str, calls: int) -> tuple[bool, int]:
    """One push; the power of that side is cut after that many calls to its journal.

    Return whether it was cut, and the number of the bots' messages in the room at the end.
    """
    world = await friends()
    before = [_in_stock(each) for each in world.spaces]
    space: Space = getattr(world, side)
    space.journal = PoweredJournal.from_disk(space.journal._database._connection.serialize(), world.clock.now, calls)
    gone = await _goes_on(world, space, space.restart)
    world.anna.says(f"!fed push {PART} {AMOUNT} to betaspace")
    gone |= await _goes_on(world, space, world.settle)
    world.cem.reacts(world.room.message("Take it?"), "✅")
    gone |= await _goes_on(world, space, world.grace)
    gone |= await _goes_on(world, space, lambda: world.passes(timedelta(minutes=10)))
    assert [each.transfer().state for each in world.spaces] == [TransferState.DONE, TransferState.DONE], calls
    assert [len(each.turn.transfers()) for each in world.spaces] == [1, 1], calls
    assert [_in_stock(each) for each in world.spaces] == [before[0] - AMOUNT, before[1] + AMOUNT], calls
    return gone, sum(len(world.room.messages(sender=each.chat.user_id)) for each in world.spaces)


@EVERY
@pytest.mark.parametrize("side", ["alpha", "beta"])
async def test_a_power_cut_after_any_call_to_the_journal_does_not_change_the_end(side: str, every: int) -> None:
    said: list[int] = []
    gone = True
    while gone:
        gone, messages = await _push_with_a_cut(side, every * len(said) + 1)
        said.append(messages)
    assert len(said) > 40 / every, "the power never went, or a push is much shorter than it was"
    assert set(said) == {said[-1]}, "a cut made somebody say something twice, or not at all"


async def _move_with_a_cut(side: str, calls: int) -> tuple[bool, int]:
    """Upgrade the room while a card is open, and decide in the new room; otherwise as `_push_with_a_cut`."""
    world = await friends()
    before = [_in_stock(each) for each in world.spaces]
    await world.push(f"{PART} {AMOUNT}")
    space: Space = getattr(world, side)
    space.journal = PoweredJournal.from_disk(space.journal._database._connection.serialize(), world.clock.now, calls)
    gone = await _goes_on(world, space, space.restart)
    new = world.anna.upgrades(room=world.room.id)
    for each in world.spaces:
        world.anna.invites(each.chat.user_id, room=new.id)
    for person in (world.bea, world.cem):
        world.anna.invites(person.user_id, room=new.id)
        person.joins(new)
        person.room = new.id
    world.room, world.anna.room = new, new.id
    gone |= await _goes_on(world, space, world.settle)
    for person in (world.anna, world.bea):
        person.says("!fed review --room")
        gone |= await _goes_on(world, space, world.settle)
    world.cem.reacts(world.room.message("Take it?"), "✅")
    gone |= await _goes_on(world, space, world.grace)
    gone |= await _goes_on(world, space, lambda: world.passes(timedelta(minutes=10)))
    assert [each.transfer().state for each in world.spaces] == [TransferState.DONE, TransferState.DONE], calls
    assert [_in_stock(each) for each in world.spaces] == [before[0] - AMOUNT, before[1] + AMOUNT], calls
    return gone, sum(len(world.room.messages(sender=each.chat.user_id)) for each in world.spaces)


@EVERY
@pytest.mark.parametrize("side", ["alpha", "beta"])
async def test_a_power_cut_while_the_room_moves_does_not_change_the_end(side: str, every: int) -> None:
    said: list[int] = []
    gone = True
    while gone:
        gone, messages = await _move_with_a_cut(side, every * len(said) + 1)
        said.append(messages)
    assert len(said) > 40 / every, "the power never went, or a move is much shorter than it was"
    assert set(said) == {said[-1]}, "a cut made somebody say something twice, or not at all"
