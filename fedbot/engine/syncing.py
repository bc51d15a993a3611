"""The sync loop: it stores each sync in the journal together with its token.

A grace ends only after a sync that began later than it. So the long poll is cut short when a grace is about to end, and
the rules get `CaughtUp` when they wait for it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from fedbot.engine.circuit_breaker import Breaker
from fedbot.engine.pipeline import Engine
from fedbot.ports.chat import Batch, Chat, ChatLimited, ChatProblem, ChatSignedOut
from fedbot.rules.model.events import CaughtUp, HomeserverBack

log = logging.getLogger(__name__)

LONG_POLL = 30.0
CATCH_UP_EVERY = timedelta(minutes=5)
A_WHILE = timedelta(minutes=1)
"""The shortest silence that is reported."""


class AccountTaken(Exception):
    """Another process has claimed our account since; the older one stops."""


@dataclass(frozen=True)
class AccountClaim:
    """A process that claimed our account: its own name, and for a worker its journal and the number of its claim."""

    name: str
    journal: str = ""
    epoch: int = 0

    def __str__(self) -> str:
        return f"{self.journal}.{self.epoch}.{self.name}" if self.epoch else self.name

    @classmethod
    def read(cls, written: str) -> AccountClaim:
        """The claimant in the account data. A text that no worker writes is the name of another process."""
        journal, *rest = written.split(".")
        if len(rest) == 2 and rest[0].isascii() and rest[0].isdecimal() and int(rest[0]):  # noqa: PLR2004 -- as written
            return cls(rest[1], journal, int(rest[0]))
        return cls(written)

    def came_before(self, other: AccountClaim) -> bool:
        """Whether it is a worker that had the journal before the other one, and was paused before it claimed."""
        return self.journal != "" and self.journal == other.journal and self.epoch < other.epoch


class SyncLoop:
    """Reads the chat until cancelled. `heard_at` is when the homeserver last answered.

    `marks`: our journal could be restored from a backup without a trace of it, so the homeserver keeps a mark of how
    far it is. `epoch`: the number of our claim if several workers share the journal, else 0.
    """

    def __init__(self, engine: Engine, chat: Chat, breaker: Breaker) -> None:
        self._engine = engine
        self._clock = engine.clock
        self._chat = chat
        self._look = asyncio.Event()
        self._told: datetime | None = None
        self._breaker = breaker
        self.heard_at: datetime | None = None
        self._us: AccountClaim | None = None
        self._claimed: AccountClaim | None = None
        self.marks = False
        self.epoch = 0
        self._marked_at = 0

    def look_again(self) -> None:
        """The state has changed: cut short a poll that would last past the end of a grace."""
        self._look.set()

    async def run(self) -> None:
        """Work until the account is signed out."""
        while True:
            await self._leave_it_alone()
            try:
                await self.claim()
                batch = await self._next_batch()
            except ChatSignedOut:
                raise
            except ChatProblem as problem:
                now = self._clock.now()
                if isinstance(problem, ChatLimited):
                    pause = problem.retry_after
                else:
                    pause = (self._breaker.failed(now) - now).total_seconds()
                log.warning("sync failed, next try in %.0f s: %s", pause, problem.text)
                await self._clock.sleep(pause)
                continue
            if batch is not None:
                self.take(batch)
                await self._engine.settled()

    async def _leave_it_alone(self) -> None:
        """Wait while the homeserver doesn't answer. Reading and sending share one breaker, so either tries for both."""
        while until := self._breaker.holds(self._clock.now()):
            await self._clock.sleep(max((until - self._clock.now()).total_seconds(), 0.05))

    async def claim(self) -> None:
        """Tell every other process on our account, once, that we are here now."""
        if self._us is None:
            journal = self._engine.journal.journal_id if self.epoch else ""
            self._us = AccountClaim(secrets.token_hex(8), journal, self.epoch)
        if self._claimed is None:
            await self._chat.claim(str(self._us), self._engine.journal.next_mark() if self.marks else 0)
            self._claimed = self._us

    async def notice_an_older_journal(self) -> None:
        """If the homeserver has a later mark than our journal, treat the journal as a copy."""
        known, ours = await self._chat.last_mark(), self._engine.journal.mark()
        if known > ours:
            log.warning("the journal is older than what this bot has done since: its database was put back")
            self._engine.journal.was_put_back(known)

    async def mark(self) -> None:
        """Note at the homeserver how far our journal is, if anything was sent or done since the last time."""
        done = sum(self._engine.counters[name] for name in ("messages_sent", "steps_done"))
        if self._claimed is None or done == self._marked_at:
            return
        try:
            await self._chat.claim(str(self._claimed), self._engine.journal.next_mark())
        except ChatProblem as problem:
            log.warning("how far the journal is can't be noted now: %s", problem.text)
            return
        self._marked_at = done

    def take(self, batch: Batch) -> None:
        """Store one batch, and tell the rules that we have caught up, if they wait for it."""
        self.heard_at = now = self._clock.now()
        silent_since = self._breaker.since
        self._breaker.worked()
        claimed, newest = self._claimed, AccountClaim.read(batch.instance) if batch.instance else None
        if claimed is None or newest in (None, claimed):
            pass
        elif newest.came_before(claimed):
            log.warning("a worker that had this space before woke up late; the account is claimed again")
            self._claimed = None
        else:
            raise AccountTaken(
                "Another fedbot works with this Matrix account now, on another machine or state folder, so this one "
                "has stopped: two would do everything twice. If that is right, nothing is to be done here. If not, "
                "stop the other one for good, then start this one again."
            )
        self._engine.receive(batch)
        if silent_since is not None and now - silent_since >= A_WHILE:
            self._engine.put(HomeserverBack(now, silent_since))
        # a sync that began in the future began before the clock was set back; the next one proves the same
        if batch.asked_at <= now and self._somebody_waits(batch.asked_at):
            self._told = batch.asked_at
            self._engine.put(CaughtUp(batch.asked_at))

    def _somebody_waits(self, asked_at: datetime) -> bool:
        if self._told is None or abs(asked_at - self._told) > CATCH_UP_EVERY:
            return True
        return self._engine.waits_for_sync(asked_at)

    def _timeout(self) -> float:
        """The seconds to poll: not past the end of the next grace."""
        ends = self._engine.grace_ends()
        if ends is None:
            return LONG_POLL
        return min(max((ends - self._clock.now()).total_seconds(), 0.0), LONG_POLL)

    async def _next_batch(self) -> Batch | None:
        """One sync; None if it was cut short because a grace ends sooner. Cutting it short loses nothing."""
        self._look.clear()
        timeout = self._timeout()
        deadline = self._clock.now() + timedelta(seconds=timeout)
        polling = asyncio.ensure_future(self._chat.sync(self._engine.journal.token(), timeout))
        try:
            while True:
                looking = asyncio.ensure_future(self._look.wait())
                try:
                    done, _ = await asyncio.wait({polling, looking}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    looking.cancel()
                if polling in done:
                    return polling.result()
                self._look.clear()
                ends = self._engine.grace_ends()
                if ends is not None and ends < deadline:
                    return None
        finally:
            polling.cancel()
            with suppress(asyncio.CancelledError, ChatProblem):
                await polling  # also if it has ended, because nobody else reads its result
