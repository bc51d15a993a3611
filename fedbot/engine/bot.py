"""One bot: its parts are put together, started, and stopped in order."""

from __future__ import annotations

import asyncio
import logging
import math
import re
import secrets
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from importlib.metadata import version

from aiohttp import ClientSession

from fedbot import logs, messages
from fedbot.commands.registry import Registry
from fedbot.config.problems import Problem
from fedbot.config.settings import Pages, Settings
from fedbot.edge_settings import identity_folder, inventory_settings, matrix_account, retention
from fedbot.engine.chat_worker import ChatWorker, TypingNotifications
from fedbot.engine.circuit_breaker import Backoff, Breaker
from fedbot.engine.gateway import Gateway
from fedbot.engine.inventory_workers import QueryWorker, StepWorker, StockWorker
from fedbot.engine.orders import Orders
from fedbot.engine.pipeline import Engine
from fedbot.engine.recovery import Rebuilt, catch_up
from fedbot.engine.recovery import rebuild as rebuild_journal
from fedbot.engine.schedule import Jobs, Timetable
from fedbot.engine.settings_watch import SECONDS_BETWEEN_LOOKS, SettingsWatch
from fedbot.engine.summary import Summary, summary
from fedbot.engine.syncing import AccountTaken, SyncLoop
from fedbot.identity import SEED_FILE, FileVault, open_identity
from fedbot.inventree.inventory import OwnInventory
from fedbot.inventree.stock_index import FILE as INDEX
from fedbot.journal.copies import FILE as JOURNAL
from fedbot.journal.copies import is_used, remove_unused
from fedbot.journal.journal import Journal, StoredJournal
from fedbot.journal.lock import StateLock
from fedbot.matrix import content
from fedbot.matrix.client import MatrixChat
from fedbot.messages import markup
from fedbot.messages.language import Locale
from fedbot.messages.rendering import render
from fedbot.ports.chat import Chat, ChatProblem, ChatUnreachable, Delivery
from fedbot.ports.clock import Clock
from fedbot.ports.inventory import InThread, Inventory
from fedbot.ports.journal import JournalProblem, JournalUnwritable, OutboxRow, Retention
from fedbot.ports.vault import Folder, NoSuchSecret, Vault
from fedbot.rules.model.diagnosis import Fault, Plain
from fedbot.rules.model.effects import Forget, KeepSecret, MoveSecret, Phrase, say
from fedbot.rules.model.events import SettingsRead, Started, StepRefused, Tick
from fedbot.rules.model.health import Quarantined
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.state import State
from fedbot.rules.wire import BadEnvelope, Identity, unseal
from fedbot.web.server import Status, Web

log = logging.getLogger(__name__)

FEDBOT_VERSION = version("fedbot")
"""Looked up once: it takes a millisecond, and monitors ask often."""
TOKEN = re.compile(r"[A-Za-z0-9-]{32,200}")
SYNC_SILENT_AFTER = timedelta(minutes=3)
SECONDS_BETWEEN_MARKS = 300.0
PRUNE_AT = time(4)
"""In UTC."""
PAGES_WAIT = 1.0
"""The seconds that a page waits at most while the bot moves something."""


class HistoryWithoutState(JournalProblem):
    """Part of the state is lost: the journal of an account with a history, or the key of a journal with one."""


class WallClock(Clock):
    """The machine's clock."""

    def now(self) -> datetime:
        """Now, UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Ports:
    """The ports of a bot: the real ones, or the tests' fakes."""

    journal: StoredJournal
    chat: Chat
    inventory: Inventory
    identity: Identity
    vault: Vault
    clock: Clock


class Bot:
    """The pipeline with its workers. `regular_work`: other periodic work, each with its period in seconds.

    `at_first_answer` is called once, after our InvenTree first answered or failed to.
    """

    def __init__(
        self,
        us: PartyConfig,
        ports: Ports,
        *,
        settle: timedelta = timedelta(minutes=2),
        give_up: timedelta = timedelta(minutes=15),
        retention: Retention | None = None,
    ) -> None:
        self._retention = retention or Retention()
        identity = ports.identity

        def opened(sealed: str, binding: str) -> dict[str, object]:
            return unseal(identity, sealed, bound_to=binding)

        self._locale = Locale(us.language, us.time_zone)
        self.chat = ports.chat
        self.journal = ports.journal
        self.clock = ports.clock
        self._vault = ports.vault
        self._identity = identity
        self._inventory = ports.inventory
        self.engine = Engine(
            self.journal, State(us, opened, identity.nonce, self.journal), Registry(), self.clock, self._render
        )
        typing = TypingNotifications(self.chat)
        self.engine.show_typing = typing.show
        self.engine.perform_now = self._keep_secrets
        self.homeserver, self.inventree = Breaker(shortest=1.0, longest=30.0), Breaker()
        self.chat_worker = ChatWorker(
            self.engine, self.chat, identity, self._vault, self.homeserver, typing.all_is_said
        )
        self.step_worker = StepWorker(self.engine, ports.inventory, ports.chat, settle, give_up, self.inventree)
        self.query_worker = QueryWorker(self.engine, ports.inventory, ports.chat, self.inventree)
        self.stock_worker = StockWorker(ports.inventory, self.clock)
        self.syncing = SyncLoop(self.engine, self.chat, self.homeserver)
        self.timetable = Timetable(self.engine)
        self.engine.state.regular = self.timetable.upcoming
        self.orders = Orders(self.engine, ports.inventory, self._render)
        self.at_first_answer: Callable[[], None] | None = None
        self.regular_work: list[tuple[str, float, Callable[[], Awaitable[None]]]] = []
        self.prune_at = PRUNE_AT

    def _render(self, phrase: Phrase, now: datetime) -> markup.Rendered:
        return markup.render(render(phrase, self._locale, now))

    def gateway(self) -> Gateway:
        """The bot as its pages and API see it."""
        return Gateway(self.engine, self._inventory, self.chat, lambda: self._locale)

    def configure(self, us: PartyConfig, settle: timedelta, give_up: timedelta, retention: Retention) -> None:
        """Use these settings from now on. The caller informs people."""
        self._locale = Locale(us.language, us.time_zone)
        self._retention = retention
        self.step_worker.be_patient(settle, give_up)
        self.engine.state.configure(us)
        self.timetable.read()

    def keep_marks(self) -> None:
        """Keep marks at the homeserver: a database can't show that it was restored from a backup, but they can."""
        self.syncing.marks = True
        self.regular_work.append(("mark", SECONDS_BETWEEN_MARKS, self.syncing.mark))

    async def start(self) -> None:
        """Load the state. A first start reads the rooms' current state; a copy also reads what happened since.

        Raises `HistoryWithoutState`.
        """
        self.engine.load()
        token = self.journal.token()
        if self.syncing.marks and token is not None:
            await self.syncing.notice_an_older_journal()
        recovers = self.journal.recovers
        if token is None:
            await self._read_the_rooms()
        elif recovers:
            await self.syncing.claim()  # the process that still uses the original must stop first
            await catch_up(self.engine, self.syncing, self.chat, token)
            self.step_worker.wait_for_others()
        self.engine.put(Started(self.clock.now(), FEDBOT_VERSION, recovers, self.chat.untrusted))
        self.journal.has_recovered()

    async def _read_the_rooms(self) -> None:
        batch = await self.chat.sync(None, 0)
        if batch.has_history and next(self.journal.posts(), None) is None:
            raise HistoryWithoutState(
                "The state folder is empty, but this Matrix account has spoken as a fedbot before. Nothing was "
                "changed. Put the state folder back from its backup (fedbot restore). If only journal.db is lost and "
                "identity/ is here: fedbot rebuild. Without both, use another account and connect anew."
            )
        self.syncing.take(batch)

    async def run(self) -> None:
        """Run all workers until cancelled."""
        async with Jobs(self.clock, self.tick) as jobs, asyncio.TaskGroup() as group:

            def after_each_decision() -> None:
                self.syncing.look_again()
                jobs.wake_at(self.next_wake())
                if self.at_first_answer is not None and self.engine.has_asked:
                    at_first_answer, self.at_first_answer = self.at_first_answer, None
                    at_first_answer()

            self.engine.changed = after_each_decision
            for name, seconds, work in self.regular_work:
                jobs.every(name, seconds, work)
            jobs.daily("prune", self.prune_at, "UTC", self._prune)
            after_each_decision()
            workers = (self.chat_worker, self.step_worker, self.query_worker, self.stock_worker)
            for part in (self.engine, self.syncing, *workers):
                group.create_task(part.run())
            group.create_task(jobs.watch())

    async def announce_stop(self, problem: str) -> None:
        """Tell the admins why the bot stops, without the journal, which may be the cause."""
        us = self.engine.state.us
        if not us.admin_room:
            return
        words = self._render(say(messages.health.bot_stops, problem=problem, us=us), self.clock.now())
        message = content.message(words)
        try:
            await self.chat.send(Delivery(us.admin_room, "m.room.message", message, secrets.token_hex(16)))
        except (ChatProblem, JournalProblem) as silent:
            log.warning("the admins could not be told: %s", silent)

    async def tick(self) -> None:
        """A timer: do everything that is due by the clock or the schedule."""
        self.engine.put(Tick(self.clock.now()))
        self.timetable.look()

    def next_wake(self) -> datetime | None:
        """When `tick` has something to do next."""
        times = (self.engine.next_wake(), self.timetable.next_due())
        return min((time for time in times if time is not None), default=None)

    async def _prune(self) -> None:
        self.journal.prune(self._retention)
        await asyncio.to_thread(self.journal.check)

    def _keep_secrets(self) -> None:
        """Do the vault's rows at once: they are local, so they finish before anything else continues."""
        for row in self.engine.due("vault"):
            try:
                self._keep_secret(row)
            except Exception as fault:  # noqa: BLE001 -- it is set aside, and the admins are informed
                self.engine.set_row_aside(row.id, type(row.effect).__name__, row.key, fault)

    def _keep_secret(self, row: OutboxRow) -> None:
        match row.effect:
            case Forget(reference):
                self._vault.forget(reference)
                self.journal.finish(row.id, None)
            case MoveSecret(source, target):
                self._move_secret(source, target)
                self.journal.finish(row.id, None)
            case KeepSecret(then, reference, sealed, binding):
                try:
                    secret = _token(unseal(self._identity, sealed, bound_to=binding)["secret"])
                except (BadEnvelope, KeyError, ValueError) as problem:
                    text = f"what the peer sealed can't be opened: {problem}"
                    event = StepRefused(self.clock.now(), then, Plain(Fault.SEALED))
                    self.journal.fail(row.id, event, text)
                else:
                    self._vault.keep(reference, str(secret))
                    self.journal.finish(row.id, None)

    def _move_secret(self, source: str, target: str) -> None:
        """Move a secret. If it isn't there any more, it was moved before a crash."""
        try:
            secret = self._vault.read(source)
        except NoSuchSecret:
            return
        self._vault.keep(target, secret)
        self._vault.forget(source)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """The quarantined rows, which wait for an admin."""
        return self.journal.quarantined()

    def status(self) -> Status:
        """The bot's status for a monitor: its health with all gauges and counters, which take time to count."""
        return {
            **self.health(),
            "gauges": {**self.engine.gauges(), **self._index_gauges()},
            "counters": self.counters(),
        }

    def counters(self) -> dict[str, int]:
        """The counts of what happened since the start, by name."""
        return {**self.engine.counters, "rule_failures": self.engine.failures}

    def health(self) -> Status:
        """Whether the bot reaches Matrix and InvenTree, and its problems; without gauges and counters."""
        now = self.clock.now()
        heard = self.syncing.heard_at
        down = self.engine.inventory_problem()
        problems = [down] if down else []
        if silent := self.homeserver.since:
            problems.append(f"the homeserver has not answered since {silent.isoformat(timespec='seconds')}")
        if asides := self.quarantined():
            numbers = ", ".join(str(aside.number) for aside in asides)
            problems.append(f"{len(asides)} things failed and are set aside ({numbers}); see fedbot status")
        return {
            "version": FEDBOT_VERSION,
            "matrix": heard is not None and now - heard < SYNC_SILENT_AFTER,
            "inventree": not down,
            "problems": problems,
        }

    def _index_gauges(self) -> dict[str, float]:
        """The part of our stock that is in the index."""
        index = self._inventory.indexed()
        return {"index_percent": index.percent, "index_parts": index.parts, "index_stock_items": index.items}


def _token(secret: object) -> str:
    """Check that a secret looks like an InvenTree token; ValueError if not.

    Our log redacts every stored secret. A peer whose token were a common word would blank the log.
    """
    if not isinstance(secret, str) or not TOKEN.fullmatch(secret):
        raise ValueError("that is no token")
    return secret


@dataclass(frozen=True)
class Shared:
    """Resources that a bot shares with the other bots of its process. The defaults suit a bot alone in its process.

    `in_thread` calls its InvenTree. `session` has its connections to the homeserver. `stretch` is how many seconds it
    decides before other bots get their turn. `prune_at` is when it prunes, `seconds_between_looks` how often it looks
    at its settings file. `begun` is called with the bot once it listens, `ended` as soon as it stops listening.
    """

    in_thread: InThread = asyncio.to_thread
    session: ClientSession | None = None
    stretch: float = math.inf
    prune_at: time = PRUNE_AT
    seconds_between_looks: float = SECONDS_BETWEEN_LOOKS
    begun: Callable[[Bot], None] = lambda _: None
    ended: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class BotResources:
    """Everything a bot is built from: its settings, its journal, and the folder of its keys and tokens.

    `may_act` is called before each write to Matrix or to our InvenTree; it raises `LeaseLost` if another worker may be
    acting for this space.
    """

    settings: Settings
    journal: StoredJournal
    identity: Folder
    may_act: Callable[[], None] = lambda: None
    shared: Shared = Shared()


async def run(settings: Settings, tell: Callable[[Summary], None] = lambda _: None) -> None:
    """Run the bot of these settings until cancelled. Steps that had begun are journaled and found again.

    `tell` gets a summary once the bot listens and has asked its InvenTree.

    Raises `JournalProblem` (state in use, damaged, needs a rebuild), `ports.ChatProblem` for a login that doesn't work,
    and what `open_identity` raises.
    """
    with Journal.open(settings.state) as journal:
        await run_on(BotResources(settings, journal, identity_folder(settings)), tell)


async def run_on(resources: BotResources, tell: Callable[[Summary], None] = lambda _: None) -> None:
    """Run the bot on a journal that is open already."""
    settings = resources.settings
    async with AsyncExitStack() as stack:
        _refuse_lost_identity(resources)
        bot, inventory = await build_bot(resources, stack)
        await bot.start()
        watch = watch_settings(settings, bot, inventory)
        bot.regular_work.append(("settings", resources.shared.seconds_between_looks, watch.look))
        served = Web(bot.status, settings.health_socket, settings.web.listen, bot.orders.taken)
        await stack.enter_async_context(served)
        if settings.pages.listen:
            await serve_pages(settings.pages, bot, stack)
        bot.at_first_answer = lambda: tell(summary(bot.engine))
        bot.engine.stretch = resources.shared.stretch
        resources.shared.begun(bot)
        try:
            await bot.run()
        except BaseExceptionGroup as ended:
            stopped = ended.subgroup((AccountTaken, JournalUnwritable))
            if stopped is not None:
                await bot.announce_stop(str(logs.first_cause(stopped)))
            raise
        finally:
            resources.shared.ended()


async def serve_pages(pages: Pages, bot: Bot, stack: AsyncExitStack) -> None:
    """Serve the pages and the API. A bot without them never loads their libraries."""
    from fedbot.web.site.app import application  # noqa: PLC0415 -- only if they are switched on
    from fedbot.web.site.serving import Served  # noqa: PLC0415

    app = application(
        bot.gateway(),
        url=pages.url,
        session=timedelta(days=pages.session_days),
        proxies=pages.proxies,
        calls_a_minute=pages.calls_a_minute,
        inventree_login=pages.inventree_login,
        patience=PAGES_WAIT,
    )
    await stack.enter_async_context(Served(app, pages.listen, pages.proxies))


def watch_settings(settings: Settings, bot: Bot, inventory: OwnInventory) -> SettingsWatch:
    """Return the watch that makes the bot use a changed settings file."""
    known = settings.room_ids(bot.engine.state.configured)

    async def use(read: Settings) -> None:
        us = await _party_config(read, bot.chat, bot.engine.state.us.key, known)
        logs.reconfigure(read.log.level, read.secrets())
        inventory.use(inventory_settings(read))
        bot.configure(us, *_patience(read), retention(read))

    def tell(changed: tuple[str, ...], waiting: tuple[str, ...], problems: tuple[Problem, ...]) -> None:
        told = tuple((problem.path, problem.said, problem.instead) for problem in problems)
        bot.engine.put(SettingsRead(bot.clock.now(), changed, waiting, told))

    return SettingsWatch(settings, use, tell)


async def _party_config(settings: Settings, chat: Chat, key: str, known: dict[str, str] | None = None) -> PartyConfig:
    """Our party's settings, with room addresses resolved to ids. Raises `ChatProblem`.

    An address in `known` keeps its room, and others are added: a homeserver that lets an address lead elsewhere doesn't
    move a running bot into another room.
    """
    ids = {} if known is None else known
    for room in (*settings.rooms, settings.admin_room):
        if room.startswith("#") and room not in ids:
            ids[room] = await chat.resolve(room)
    return replace(settings.party_config(key, ids), bot=chat.user_id)


def _patience(settings: Settings) -> tuple[timedelta, timedelta]:
    """The times to wait before probing a step's outcome, and before a person decides."""
    rules = settings.rules
    return timedelta(seconds=rules.settle_seconds), timedelta(minutes=rules.give_up_minutes)


def _refuse_lost_identity(resources: BotResources) -> None:
    """Refuse a used journal without the key that peers know us by: a new key would make us a stranger."""
    folder = resources.identity
    if resources.journal.token() is not None and not (folder / SEED_FILE).exists():
        raise HistoryWithoutState(
            f"The journal of {resources.settings.party.id} has been in use, but {folder} has no {SEED_FILE}, by which "
            "the other spaces know us. Nothing was changed. Put identity/ back from a backup (fedbot restore). If "
            f"there is none, move {JOURNAL} away too, take another Matrix account, and connect anew."
        )


async def rebuild(settings: Settings) -> Rebuilt:
    """Rebuild a lost journal from our InvenTree and the messages in the rooms; change nothing else.

    The next `run` uses it. Raises `JournalProblem` if there is a journal, or no identity, and what `run` raises.
    """
    identity = identity_folder(settings)
    lock = StateLock(settings.state)
    draft = settings.state / "rebuilding"
    try:
        if is_used(settings.state):
            raise JournalProblem(
                f"There is a journal in {settings.state}. Nothing was changed. If it is damaged, move {JOURNAL} away "
                "(with what begins like it), then rebuild."
            )
        if not (identity / SEED_FILE).exists():
            raise JournalProblem(
                f"There is no identity in {identity}, and nobody but its owner can speak as us. Put it back from a "
                "backup (fedbot restore); without one, connect anew with another account."
            )
        shutil.rmtree(draft, ignore_errors=True)
        async with AsyncExitStack() as stack:
            journal = stack.enter_context(Journal.open(draft))
            bot, inventory = await build_bot(BotResources(settings, journal, identity), stack)
            rebuilt = await rebuild_journal(bot.engine, bot.chat, inventory)
            journal.must_recover()
        remove_unused(settings.state)
        (draft / JOURNAL).replace(settings.state / JOURNAL)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        lock.release()
    return rebuilt


async def build_bot(resources: BotResources, stack: AsyncExitStack) -> tuple[Bot, OwnInventory]:
    """Build the bot on its real ports, which close with the stack."""
    settings, folder = resources.settings, resources.identity
    clock = WallClock()
    identity = open_identity(folder)
    vault = FileVault(folder)
    chat = await _signed_in(resources, clock)
    stack.push_async_callback(chat.close)
    us = await _party_config(settings, chat, identity.key)
    settle, give_up = _patience(settings)
    inventory = OwnInventory(
        inventory_settings(settings),
        vault,
        sign=identity.sign,
        index=settings.state / INDEX,
    )
    inventory.may_write = resources.may_act
    inventory.in_thread = resources.shared.in_thread
    stack.callback(inventory.close)
    bot = Bot(
        us,
        Ports(resources.journal, chat, inventory, identity, vault, clock),
        settle=settle,
        give_up=give_up,
        retention=retention(settings),
    )
    bot.prune_at = resources.shared.prune_at
    if settings.journal.url:
        bot.keep_marks()
        bot.syncing.epoch = resources.journal.epoch
    return bot, inventory


async def _signed_in(resources: BotResources, clock: Clock) -> MatrixChat:
    """Open our account. Wait for a homeserver that doesn't answer, because both may have just been started."""
    backoff = Backoff(shortest=1.0, longest=60.0)
    while True:
        try:
            account = replace(matrix_account(resources.settings), session=resources.shared.session)
            return await MatrixChat.open(account, resources.identity, resources.may_act)
        except ChatUnreachable as problem:
            pause = backoff.failed()
            log.warning("the homeserver does not answer, next try in %.0f s: %s", pause, problem.text)
            await clock.sleep(pause)
