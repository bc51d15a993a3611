"""A worker for one space: it runs the space's bot while it holds the claim, and otherwise stands by to take over."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from fedbot import logs
from fedbot.config.settings import Settings
from fedbot.edge_settings import journal_place, sealed_identity
from fedbot.engine.bot import BotResources, run_on
from fedbot.engine.summary import Summary
from fedbot.journal import postgresql
from fedbot.journal.database import Address
from fedbot.journal.lease import RENEWED_EVERY, TRIED_EVERY, Lease, claim, holder
from fedbot.journal.lock import StateLock
from fedbot.ports.journal import JournalAway, LeaseLost

log = logging.getLogger(__name__)

BEFORE_ANOTHER_TRY = 5.0
"""The seconds until the next try, after the database was away or the lease was lost."""


def own_name() -> str:
    """A unique name that helps an admin find this process: `HOST:PID:RANDOM`."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


async def run(settings: Settings, tell: Callable[[Summary], None] = lambda _: None) -> None:
    """Run the bot of this space whenever no other worker does, until cancelled.

    If the database is away or the lease is lost, it stands by. Raises `StateInUse`, and the errors of
    `engine.bot.run_on`.
    """
    place = journal_place(settings)
    if not isinstance(place, Address):
        raise TypeError("a space whose journal is a file has no other workers")
    name = own_name()
    with _folder_of_its_own(settings):
        while True:
            lease = await _claimed(place, name)
            try:
                await _work(settings, lease, tell)
            except Exception as error:
                if not is_over_for_now(error):
                    raise
                log.warning("%s works no longer for %s: %s", name, place.space, logs.first_cause(error))
            await asyncio.sleep(BEFORE_ANOTHER_TRY)


@contextmanager
def _folder_of_its_own(settings: Settings) -> Iterator[None]:
    """Lock the state folder, and create it if necessary. It contains the socket and the stock index."""
    lock = StateLock(settings.state)
    try:
        yield
    finally:
        lock.release()


def is_over_for_now(error: BaseException) -> bool:
    """Whether a worker stands by after this error: a lost lease, or a database that doesn't answer."""
    return all(isinstance(cause, LeaseLost | JournalAway) for cause in logs.causes(error))


async def _claimed(place: Address, name: str) -> Lease:
    """The lease, as soon as no other worker has it."""
    told = ""
    while True:
        try:
            lease = await asyncio.to_thread(claim, place, name)
            if lease is not None:
                log.info("%s works for %s from now on", name, place.space, extra={"epoch": lease.epoch})
                return lease
            other = await asyncio.to_thread(holder, place)
            says = f"{other} works for {place.space}; {name} stands by"
        except JournalAway as problem:
            says = str(problem)
        if says != told:
            log.info("%s", says)
            told = says
        await asyncio.sleep(TRIED_EVERY)


async def _work(settings: Settings, lease: Lease, tell: Callable[[Summary], None]) -> None:
    """Run one bot under one lease."""
    async with kept(lease):
        journal = await asyncio.to_thread(postgresql.open_journal, lease)
        try:
            folder = sealed_identity(settings, journal.database)
            await run_on(BotResources(settings, journal, folder, lease.must_hold), tell)
        finally:
            journal.database.close()


@asynccontextmanager
async def kept(lease: Lease) -> AsyncIterator[None]:
    """Renew the lease during the block, and release it at the end. A lost lease cancels the block.

    The bot's own event loop renews it, so a bot that hangs loses its space.
    """
    try:
        async with asyncio.TaskGroup() as group:
            renewing = group.create_task(_renewed(lease))
            yield
            renewing.cancel()
    finally:
        with suppress(LeaseLost, JournalAway):
            await asyncio.shield(asyncio.to_thread(lease.release))


async def _renewed(lease: Lease) -> None:
    """Renew the lease until cancelled. Raises `LeaseLost`."""
    while True:
        await asyncio.sleep(RENEWED_EVERY)
        try:
            await asyncio.to_thread(lease.renew)
        except JournalAway as problem:
            log.warning("the lease of %s can't be renewed now: %s", lease.address.space, problem)
