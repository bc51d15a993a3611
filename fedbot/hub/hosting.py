"""`fedbot hub run`: one worker of a hub. It claims its share of the spaces and runs a bot for each of them.

A bot that fails ends alone. The worker notes the problem in the database, and this or another worker tries the space
again.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import logging
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import time as time_of_day
from functools import partial
from typing import ParamSpec, TypeVar

from fedbot import logs
from fedbot.config.hub import HubSettings, load_space
from fedbot.config.problems import ConfigRefused
from fedbot.edge_settings import sealed_identity
from fedbot.engine.bot import Bot, BotResources, Shared, run_on
from fedbot.engine.summary import Summary
from fedbot.engine.syncing import AccountTaken
from fedbot.files import PRIVATE_FOLDER
from fedbot.hub.page import HubPage, SpaceStatus
from fedbot.hub.roster import WELL_AFTER, Roster, View
from fedbot.hub.share import Shares
from fedbot.hub.worker import is_over_for_now, own_name
from fedbot.identity import IdentityDamaged
from fedbot.journal.lease import RENEWED_EVERY, Lease, claim
from fedbot.journal.lock import StateLock
from fedbot.journal.postgresql import open_journal
from fedbot.matrix.login import shared_connections
from fedbot.ports.chat import ChatProblem
from fedbot.ports.inventory import InThread, InventoryProblem
from fedbot.ports.journal import JournalAway, JournalProblem, LeaseLost
from fedbot.web.server import Status, is_healthy

log = logging.getLogger(__name__)

THREADS_A_SPACE = 3
"""The threads that call the space's InvenTree. Calls to an InvenTree that doesn't answer block only these."""
STARTS_AT_ONCE = 4
SLOW_START = 10.0
"""The seconds after which a starting bot no longer delays the start of others."""
STRETCH = 0.05
SECONDS_BETWEEN_LOOKS = 15.0
"""The time between two looks at a space's settings file."""
KNOWN = (ConfigRefused, JournalProblem, ChatProblem, InventoryProblem, IdentityDamaged, OSError)
"""Errors whose text an admin can act on. Any other error is a bug in fedbot, logged with its traceback."""

Begin = Callable[[BotResources, Callable[[Summary], None]], Awaitable[None]]
P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class Hosted:
    """A space that this worker has, from the claim to the end of its bot."""

    space: str
    task: asyncio.Task[None] | None = None
    lease: Lease | None = None
    bot: Bot | None = None
    begun_at: float = math.inf

    def status(self) -> Status | None:
        """The bot's status, with all figures; None if no bot runs here, or it can't be read."""
        return self._told(lambda bot: bot.status())

    def health(self) -> Status | None:
        """The bot's status without figures, which take time to count."""
        return self._told(lambda bot: bot.health())

    def _told(self, look: Callable[[Bot], Status]) -> Status | None:
        if self.bot is None:
            return None
        try:
            return look(self.bot)
        except JournalProblem:  # the bot's workers meet the same problem, which ends the bot
            return None
        except Exception:
            log.exception("how %s is can't be told", self.space)
            return None

    def stop(self, why: str) -> None:
        """End the bot in order and give the space back."""
        if self.task is not None and not self.task.done() and not self.task.cancelling():
            log.info("stops working for %s: %s", self.space, why)
            self.task.cancel()


class Worker:
    """One worker. At each `look` it renews its claims, reads the roster, and stops and starts bots accordingly."""

    def __init__(self, hub: HubSettings, name: str, begin: Begin = run_on) -> None:
        self.hub = hub
        self.name = name
        self.roster = Roster(hub, name)
        self.hosted: dict[str, Hosted] = {}
        self.view = View()
        self.known: frozenset[str] = frozenset()
        self.takes_part = True
        self._told: dict[str, tuple[bool, tuple[str, ...]]] = {}
        self._begin = begin
        self._counted = Counter[str]()
        self._warned = ""
        self._starts = asyncio.Semaphore(STARTS_AT_ONCE)
        self._threads = ThreadPoolExecutor(10_000, "inventree")  # no limit is needed: each space has its own
        self._to_roster = ThreadPoolExecutor(1, "roster")  # separate, so no space can delay the renewal of claims
        self._session = shared_connections()

    async def run(self) -> None:
        """Work until cancelled; then give all spaces back."""
        try:
            while True:
                pause = await self.look()
                await asyncio.sleep(pause)
        finally:
            await asyncio.shield(self._drain())

    async def look(self) -> float:
        """Look once; return the seconds until the next look."""
        for hosted in list(self.hosted.values()):
            if hosted.lease is not None and not _is_held(hosted.lease):
                hosted.stop("its claim was not renewed in time")
        held = [each.lease for each in self.hosted.values() if each.lease is not None and _is_held(each.lease)]
        hosted_before = frozenset(self.hosted)
        try:
            self.known = frozenset(await asyncio.to_thread(self.hub.names))
            self.view = await self._asked(self.roster.look, held)
            await self._tell_what_is_missing()
            for space, hosted in list(self.hosted.items()):
                if self.view.of(space).failures and time.monotonic() - hosted.begun_at > WELL_AFTER:
                    await self._asked(self.roster.went_well, space)
            await self._report_health()
            self._warn()
        except JournalProblem as problem:
            log.warning("the hub's database can't be asked now: %s", problem)
            return _soon()
        return self._act_on(self.view, hosted_before)

    async def _tell_what_is_missing(self) -> None:
        """Take no part while the shared folder isn't here: nobody would serve the share that the others leave to us."""
        missing = [
            (space, row.worker)
            for space, row in self.view.spaces.items()
            if row.is_hosted and row.worker not in ("", self.name) and space not in self.known
        ]
        if bool(missing) == self.takes_part:
            await self._asked(self.roster.takes_part, is_so=not missing)
            self.takes_part = not missing
            for space, worker in missing[:1]:
                log.error(
                    "%s isn't here, though %s works for %s. Is the folder of the spaces the same on all workers? Until "
                    "then this worker takes no more spaces",
                    self.hub.config_of(space),
                    worker,
                    space,
                )

    async def _report_health(self) -> None:
        """Write each bot's health into the roster, for operators, if it has changed."""
        now: dict[str, tuple[bool, tuple[str, ...]]] = {}
        for space, hosted in self.hosted.items():
            if health := hosted.health():
                now[space] = is_healthy(health), tuple(map(logs.redact, health.get("problems", [])))
        if changed := dict(now.items() - self._told.items()):
            await self._asked(self.roster.tell, changed)
        self._told = now

    def _warn(self) -> None:
        """Log that the database allows too few connections, once for each number of spaces and workers."""
        warning = self.view.too_few_connections(len(self.known))
        if warning and warning != self._warned:
            log.warning("%s", warning)
        self._warned = warning

    def _act_on(self, view: View, hosted_before: frozenset[str]) -> float:
        """Stop and claim spaces. `hosted_before`: the spaces that this worker had when it read `view`.

        If a bot ended after that, `view` is older and must not start it again.
        """
        for space, hosted in self.hosted.items():
            if hosted.lease is not None and not _is_held(hosted.lease):
                hosted.stop("another worker has it")
            elif space not in self.known:
                hosted.stop("it has no settings here any more")
            elif view.of(space).is_paused:
                hosted.stop("it is paused")
        held = {space: row.worker for space, row in view.spaces.items() if row.worker}
        held |= dict.fromkeys(hosted_before.union(self.hosted), self.name)
        free = {space for space in self.known - held.keys() if view.of(space).may_begin}
        wanted = {space: row.wanted_at for space, row in view.spaces.items() if row.wanted_at}
        shares = Shares(view.workers | {self.name}, held, free, wanted)
        for space in shares.to_let_go(self.name):
            if space in self.hosted:
                self.hosted[space].stop("another worker has fewer")
        claimed = shares.to_claim(self.name) if self.takes_part else []
        for space in claimed:
            self._host(space)
        return _soon() if claimed or view.is_a_worker_late else RENEWED_EVERY

    def _host(self, space: str) -> None:
        hosted = self.hosted[space] = Hosted(space)
        hosted.task = asyncio.create_task(self._life(hosted), name=space)

    async def _life(self, hosted: Hosted) -> None:
        """One space from the claim to the end."""
        logs.about(hosted.space)
        try:
            await self._claim_and_work(hosted)
        except JournalProblem as error:
            log.warning("%s can't claim %s now: %s", self.name, hosted.space, error)
        finally:
            del self.hosted[hosted.space]

    async def _claim_and_work(self, hosted: Hosted) -> None:
        lease = await asyncio.to_thread(claim, self.roster.address(hosted.space), self.name)
        if lease is None:
            return
        hosted.lease = lease
        log.info("%s works for %s from now on", self.name, hosted.space, extra={"epoch": lease.epoch})
        try:
            await self._work(hosted, lease)
        except Exception as error:  # noqa: BLE001 -- one space must never end another's bot
            await self._ended(lease, error)
        finally:
            with suppress(LeaseLost, JournalAway):
                await asyncio.shield(asyncio.to_thread(lease.release))

    async def _work(self, hosted: Hosted, lease: Lease) -> None:
        async with self._starting() as begun:
            settings = await asyncio.to_thread(load_space, self.hub, hosted.space)
            logs.reconfigure("", settings.secrets())
            settings.state.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            journal = await asyncio.to_thread(open_journal, lease)
            try:
                folder = sealed_identity(settings, journal.database)
                shared = self._shared(hosted, begun)
                await self._begin(BotResources(settings, journal, folder, lease.must_hold, shared), _begun)
            finally:
                journal.database.close()

    @asynccontextmanager
    async def _starting(self) -> AsyncIterator[Callable[[], None]]:
        """Let only a few bots start at once. Call what this yields when the bot has started."""
        await self._starts.acquire()
        is_over = False

        def begun() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                self._starts.release()

        timer = asyncio.get_running_loop().call_later(SLOW_START, begun)
        try:
            yield begun
        finally:
            timer.cancel()
            begun()

    def _shared(self, hosted: Hosted, begun: Callable[[], None]) -> Shared:
        def has_begun(bot: Bot) -> None:
            hosted.bot, hosted.begun_at = bot, time.monotonic()
            begun()

        def has_ended() -> None:
            if hosted.bot is not None:
                self._counted.update(hosted.bot.counters())
            hosted.bot = None

        return Shared(
            in_thread=_bounded(self._threads),
            session=self._session,
            stretch=STRETCH,
            prune_at=_spread(hosted.space),
            seconds_between_looks=SECONDS_BETWEEN_LOOKS,
            begun=has_begun,
            ended=has_ended,
        )

    async def _ended(self, lease: Lease, error: Exception) -> None:
        """Note why the bot ended, before another worker can claim the space. A lost claim is no failure."""
        taken = [cause for cause in logs.causes(error) if isinstance(cause, AccountTaken)]
        try:
            if taken:
                await asyncio.to_thread(lease.renew)  # fails if another worker of ours has taken the account
                log.error("%s is paused: %s", lease.address.space, taken[0])
                await self._asked(self.roster.pause, lease.address.space, str(taken[0]))
            else:
                await self._failed(lease.address.space, error)
        except JournalProblem as problem:
            log.warning("why %s has stopped can't be noted now: %s", lease.address.space, problem)

    async def _failed(self, space: str, error: Exception) -> None:
        if is_over_for_now(error):
            log.warning("%s works no longer for %s: %s", self.name, space, logs.first_cause(error))
            return
        known = [cause for cause in logs.causes(error) if isinstance(cause, KNOWN)]
        fault = type(logs.first_cause(error)).__name__
        told = str(known[0]) if known else f"a fault in fedbot ({fault}); the log has more"
        log.error("%s has stopped, and is tried again: %s", space, told, exc_info=None if known else error)
        await self._asked(self.roster.failed, space, logs.redact(told))

    async def _asked(self, call: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._to_roster, partial(call, *given, **named))

    async def _drain(self) -> None:
        """Claim no more, and give all spaces back."""
        with suppress(JournalProblem):
            await self._asked(self.roster.takes_part, is_so=False)
        for hosted in list(self.hosted.values()):
            hosted.stop("this worker ends")
        if tasks := [hosted.task for hosted in self.hosted.values() if hosted.task is not None]:
            await asyncio.wait(tasks)
        with suppress(JournalProblem):
            await self._asked(self.roster.is_gone)
        self.roster.close()
        for threads in (self._to_roster, self._threads):
            threads.shutdown(wait=False, cancel_futures=True)
        await self._session.close()

    def counters(self) -> Counter[str]:
        """The counters of all spaces since this worker started, those of ended bots included."""
        total = self._counted.copy()
        for hosted in self.hosted.values():
            if hosted.bot is not None:
                total.update(hosted.bot.counters())
        return total

    def statuses(self, *, counted: bool) -> dict[str, SpaceStatus]:
        """The state of each space that this worker has, and of each that no worker has; if `counted`, with figures."""
        found = {
            space: SpaceStatus("works" if hosted.bot else "begins", hosted.status() if counted else hosted.health())
            for space, hosted in self.hosted.items()
        }
        for space in self.known - found.keys():
            row = self.view.of(space)
            if row.worker in ("", self.name):
                found[space] = SpaceStatus(replace(row, worker="").state, None, row.problem)
        return found


async def run(hub: HubSettings) -> None:
    """Work as one of the hub's workers until cancelled. Raises `StateInUse`; OSError if an address is taken."""
    lock = StateLock(hub.state)
    try:
        async with AsyncExitStack() as stack:
            worker = Worker(hub, own_name())
            page = HubPage(worker.name, worker.statuses, worker.counters, hub.health_socket, hub.web.listen)
            await stack.enter_async_context(page)
            log.info("%s works for the hub of %s from now on", worker.name, hub.spaces)
            await worker.run()
    finally:
        lock.release()


def _soon() -> float:
    """The seconds until the next look, if there may be more to claim."""
    return RENEWED_EVERY / 4


def _begun(summary: Summary) -> None:
    log.info("started", extra=summary.fields())


def _bounded(threads: ThreadPoolExecutor) -> InThread:
    """Runs calls in these threads, at most `THREADS_A_SPACE` at a time."""
    some = asyncio.Semaphore(THREADS_A_SPACE)

    async def in_thread(call: Callable[P, T], /, *given: P.args, **named: P.kwargs) -> T:
        context = contextvars.copy_context()
        async with some:
            return await asyncio.get_running_loop().run_in_executor(
                threads, partial(context.run, call, *given, **named)
            )

    return in_thread


def _is_held(lease: Lease) -> bool:
    try:
        lease.must_hold()
    except LeaseLost:
        return False
    return True


def _spread(space: str) -> time_of_day:
    """The time at which a space's bot prunes its journal: between 1:00 and 6:00, derived from the space's name."""
    minute = int.from_bytes(hashlib.sha256(space.encode()).digest()[:4]) % (5 * 60)
    return time_of_day(1 + minute // 60, minute % 60)
