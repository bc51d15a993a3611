"""A worker is paused at any call of a push, another one ends the push, and then the first wakes up again.

Both believe that they hold the space, and nothing that the late one does may count. It would count without the fence in
each transaction, or with a lease that is judged by a clock alone. The mutants show that these tests notice it.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from fedbot.engine.syncing import AccountTaken
from fedbot.hub import moving
from fedbot.journal.copies import counted
from fedbot.journal.database import Address
from fedbot.journal.journal import StoredJournal
from fedbot.journal.lease import Lease, claim
from fedbot.journal.postgresql import PostgresqlDatabase
from fedbot.ports.chat import ChatUnreachable
from fedbot.ports.journal import Committed, LeaseLost, WrongTurn
from fedbot.rules.model.events import Event
from fedbot.rules.model.lifecycles import TransferState
from tests.dialogue.test_power_cut import AMOUNT, PART, _in_stock
from tests.fakes.postgresql import Server, running
from tests.scenarios.space import Space
from tests.scenarios.world import World, friends

#: A step makes three calls to the journal; no number here is a multiple of three, so each of them has its turn.
EVERY = pytest.mark.parametrize("every", [16, pytest.param(2, marks=pytest.mark.long)])


class Paused(BaseException):
    """The process is paused; nothing catches it."""


class PausedJournal(StoredJournal):
    """A worker's journal. The worker is paused after that many calls; `late` is what it was about to do."""

    def __init__(self, lease: Lease, now: Callable[[], datetime], calls_left: int = 10**9) -> None:
        super().__init__(PostgresqlDatabase(lease), lease, now)
        self.lease = lease
        self.late: Callable[[], object] | None = None
        self._calls_left = calls_left

    def _before(self, call: Callable[[], object]) -> None:
        self._calls_left -= 1
        if self._calls_left == 0:
            self.late = call
            raise Paused

    def receive(self, events: Sequence[Event], token: str | None) -> int:
        self._before(lambda: super(PausedJournal, self).receive(events, token))
        return super().receive(events, token)

    def begin(self, row: int, at: datetime) -> None:
        self._before(lambda: super(PausedJournal, self).begin(row, at))
        super().begin(row, at)

    def commit(self, seq: int, decision: Committed) -> tuple[int, ...]:
        self._before(lambda: super(PausedJournal, self).commit(seq, decision))
        return super().commit(seq, decision)

    def finish(self, row: int, outcome: Event | None) -> None:
        self._before(lambda: super(PausedJournal, self).finish(row, outcome))
        super().finish(row, outcome)

    def put(self, event: Event) -> int:
        self._before(lambda: super(PausedJournal, self).put(event))
        return super().put(event)


def _asleep() -> float:
    """The clock of a machine that doesn't know that it slept."""
    return 1000.0


def _claimed(server: Server, space: Space, address: Address, calls: int = 10**9) -> PausedJournal:
    """Another worker has the space from now on."""
    lease = claim(address, "a worker", _asleep)
    assert lease is not None
    journal = PausedJournal(lease, space.clock.now, calls)
    space.journal = cast("Any", journal)
    return journal


async def _goes_on(
    world: World, server: Server, space: Space, what: Callable[[], Awaitable[object]], *, is_cut: bool
) -> bool:
    """Do it. If the worker is paused, another one ends it, and then the first wakes up. Return whether
    it was paused. `is_cut`: the power of both is cut instead, and that of the database.
    """
    one = cast("PausedJournal", space.journal)
    try:
        await what()
    except Paused:
        if is_cut:
            server.is_killed()
            server.starts_again()
        server.every_claim_is_over()
        two = _claimed(server, space, one.lease.address)
        await space.restart()
        await world.settle()
        if is_cut:
            return True
        before = _everything(two)
        assert one.late is not None
        with pytest.raises(LeaseLost):
            one.late()
        assert _everything(two) == before, "it has left something all the same"
        return True
    return False


def _everything(journal: StoredJournal) -> object:
    with journal.database.transaction() as connection:
        return counted(connection)


async def _push_with_a_pause(server: Server, side: str, calls: int, *, is_cut: bool = False) -> tuple[bool, int]:
    """One push; the worker of that side is paused before one of its calls to the journal, or the power `is_cut`.

    Return whether it was paused, and the number of the bots' messages in the room at the end.
    """
    world = await friends()
    before = [_in_stock(each) for each in world.spaces]
    space: Space = getattr(world, side)
    address = server.space()
    lease = claim(address, "who moves it", _asleep)
    assert lease is not None
    with (
        closing(PostgresqlDatabase(lease)) as database,
        database.transaction() as target,
        space.journal.database.transaction() as source,
    ):
        moving.replace_rows(source, target)
    lease.release()
    _claimed(server, space, address, calls)
    paused = await _goes_on(world, server, space, space.restart, is_cut=is_cut)
    world.anna.says(f"!fed push {PART} {AMOUNT} to betaspace")
    paused |= await _goes_on(world, server, space, world.settle, is_cut=is_cut)
    world.cem.reacts(world.room.message("Take it?"), "✅")
    paused |= await _goes_on(world, server, space, world.grace, is_cut=is_cut)
    paused |= await _goes_on(world, server, space, lambda: world.passes(timedelta(minutes=10)), is_cut=is_cut)
    assert [each.transfer().state for each in world.spaces] == [TransferState.DONE, TransferState.DONE], calls
    assert [_in_stock(each) for each in world.spaces] == [before[0] - AMOUNT, before[1] + AMOUNT], calls
    space.journal.close()
    return paused, sum(len(world.room.messages(sender=each.chat.user_id)) for each in world.spaces)


@EVERY
@pytest.mark.parametrize("side", ["alpha", "beta"])
async def test_a_worker_paused_at_any_call_that_wakes_up_later_changes_nothing(
    postgresql: Server, side: str, every: int
) -> None:
    said: list[int] = []
    paused = True
    while paused:
        paused, messages = await _push_with_a_pause(postgresql, side, every * len(said) + 1)
        said.append(messages)
    assert len(said) > 40 / every, "the worker was never paused, or a push is much shorter than it was"
    assert set(said) == {said[-1]}, "a pause made somebody say something twice, or not at all"


def _without_a_look(database: PostgresqlDatabase, *, durable: bool) -> None:
    del durable
    database._connection.execute("BEGIN", prepare=False)


def _by_the_clock(database: PostgresqlDatabase, *, durable: bool) -> None:
    database._lease.must_hold()
    _without_a_look(database, durable=durable)


@pytest.mark.parametrize("calls", [23, *(pytest.param(calls, marks=pytest.mark.long) for calls in range(2, 60, 5))])
@pytest.mark.parametrize("side", ["alpha", "beta"])
async def test_a_power_cut_of_worker_and_database_at_any_call_does_not_change_the_end(side: str, calls: int) -> None:
    """Commits that needn't survive may be lost: they were in the server's memory only."""
    with running(is_durable=True) as server:
        _, expected = await _push_with_a_pause(server, side, 10**9)
        assert await _push_with_a_pause(server, side, calls, is_cut=True) == (True, expected)


@pytest.mark.parametrize("fence", [_without_a_look, _by_the_clock], ids=["no fencing", "a lease by the clock alone"])
async def test_a_broken_fence_is_noticed(
    postgresql: Server, monkeypatch: pytest.MonkeyPatch, fence: Callable[..., None]
) -> None:
    monkeypatch.setattr(PostgresqlDatabase, "_lease_is_ours", fence)
    noticed: list[str] = []
    for calls in range(17, 20):  # a row of the outbox that was decided already is refused all the same; an event is not
        with pytest.raises((pytest.fail.Exception, WrongTurn)) as caught:
            await _push_with_a_pause(postgresql, "alpha", calls)
        noticed.append(str(caught.value))
    assert any("DID NOT RAISE" in each for each in noticed)


async def test_a_worker_that_claims_the_account_late_takes_it_from_nobody() -> None:
    world = await friends()
    alpha, syncing = world.alpha, world.alpha.bot.syncing
    journal, instances = alpha.journal.journal_id, alpha.chat.server.instances
    syncing.epoch = 5
    await syncing.claim()
    ours = instances[alpha.chat.user_id]

    async def sees(instance: str) -> str:
        instances[alpha.chat.user_id] = instance
        syncing.take(await alpha.chat.sync(alpha.journal.token(), 0))
        await syncing.claim()
        return instances[alpha.chat.user_id]

    assert await sees(f"{journal}.4.aaaa") == ours
    for other in (f"{journal}.6.aaaa", f"{journal}.5.aaaa", f"{'0' * 32}.4.aaaa", "aaaa", f"{journal}.x"):
        with pytest.raises(AccountTaken):
            await sees(other)


async def test_a_bot_stopped_in_a_poll_leaves_nothing_that_is_reported_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await friends()

    async def fails(*_: object) -> None:
        polls.pop().cancel()
        raise ChatUnreachable("gone")

    monkeypatch.setattr(world.alpha.chat, "sync", fails)
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
    polls = [asyncio.create_task(world.alpha.bot.syncing._next_batch())]
    await asyncio.wait(polls)
    await asyncio.sleep(0)
    gc.collect()
    assert complaints == []
