"""One makerspace in the simulation: the parts that outlive its bot's process, and the process itself while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, ParamSpec, TypeVar

import httpx
from pydantic import SecretStr

from fedbot.engine.bot import Bot, Ports
from fedbot.inventree.client.server import InventorySettings
from fedbot.inventree.client.transport import InvenTreeTransport
from fedbot.inventree.inventory import OwnInventory
from fedbot.journal.sqlite import SqliteDatabase
from fedbot.messages.markup import Rendered
from fedbot.ports.clock import Clock
from fedbot.ports.journal import Committed
from fedbot.rules.archive import Document
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.effects import Phrase
from fedbot.rules.model.events import CaughtUp, Event
from fedbot.rules.model.lending import LendingRule
from fedbot.rules.model.lifecycles import UNFINISHED_CONNECTION, TransferState
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.steps import StepResult, TryToken
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.wire import Identity
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.transport import SimulatedTransport
from tests.fakes.clock import FakeClock
from tests.fakes.vault import FakeVault
from tests.simulation.crashing import CrashingJournal, CrashingTransport, Fuse, Watched
from tests.simulation.homeserver import FaultyHomeserver, SimulatedChat

GRACE = timedelta(seconds=5)
SETTLE = timedelta(minutes=2)
GIVE_UP = timedelta(minutes=15)

#: By number. Due dates begin and end at another time for each.
TIME_ZONES = ("Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles", "UTC")

P = ParamSpec("P")
Told = TypeVar("Told")
Committing = Callable[["Party", Event, Committed, Sequence[int]], None]
Sending = Callable[["Party", int, str], None]
InWords = Callable[[Phrase, datetime], Rendered]
Saying = Callable[["Party", Phrase, datetime, InWords], None]


class SkewedClock(Clock):
    """The common clock as this machine shows it: some seconds fast or slow."""

    def __init__(self, clock: FakeClock, skew: timedelta) -> None:
        self._clock = clock
        self.skew = skew

    def now(self) -> datetime:
        return self._clock.now() + self.skew

    async def sleep(self, seconds: float) -> None:
        """Yield only: time in the simulation is moved from outside."""
        await asyncio.sleep(0)


class SteppedInventory(OwnInventory):
    """The real edge without threads: each call ends before the next begins."""

    async def _try_at_the_peers(self, step: TryToken) -> StepResult:
        return self._tried(step)


async def _at_once(call: Callable[P, Told], /, *args: P.args, **named: P.kwargs) -> Told:
    """Do in place what the edge would do in a thread."""
    return call(*args, **named)


@dataclass(frozen=True)
class People:
    """The InvenTree user names of a space's people by role."""

    superuser: str
    approver: str
    member: str
    all: tuple[str, ...]

    @property
    def deciders(self) -> frozenset[str]:
        """Those who are approvers or superusers in its InvenTree, as long as nobody takes that from them."""
        return frozenset(self.all) - {self.member}


ALPHA = People("anna", "piet", "kim", ("anna", "piet", "kim"))
BETA = People("bea", "cem", "tom", ("bea", "cem", "dilek", "tom"))


@dataclass
class Party:
    """`bot` is None while the process is down. `documents` are the journaled ones, updated at each commit."""

    number: int
    clock: SkewedClock
    world_now: Callable[[], datetime]
    server: FaultyHomeserver
    rooms: tuple[str, ...]
    network: dict[str, httpx.BaseTransport]
    committing: Committing
    sending: Sending
    saying: Saying
    access: str = "relayed"
    open_for: timedelta = timedelta(days=7)
    bot: Bot | None = None
    events: int = 0
    crashes: int = 0
    failures: int = 0
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    lost_permission: dict[str, datetime] = field(default_factory=dict)
    is_down: bool = False
    heard: object = None
    lending: tuple[LendingRule, ...] = ()

    def __post_init__(self) -> None:
        self.id = f"p{self.number}"
        self.people = ALPHA if self.number % 2 == 0 else BETA
        fill = seeds.alpha if self.number % 2 == 0 else seeds.beta
        self.seeded = fill(self.id, self.clock.now)
        self.inventree = self.seeded.server.state
        self.simulated = SimulatedTransport(self.seeded.server)
        self.fuse = Fuse()
        self.wire = CrashingTransport(self.simulated, self.fuse, self.world_now)
        self.watched = Watched(self._committed, lambda row, event_id: self.sending(self, row, event_id))
        self.chat = SimulatedChat(self.server, f"{self.id}-bot", self.clock, self.fuse, self.watched)
        self.identity = Identity(sha256(self.id.encode()).digest())
        self.vault = FakeVault()
        self.database = SqliteDatabase(None)
        self.url = f"http://{self.id}.test"
        self.network[self.url] = self.wire
        superuser = self.seeded.token(self.people.superuser)
        self.clerk = InvenTreeTransport(self.url, superuser, transport=SimulatedTransport(self.seeded.server))

    def person(self, username: str) -> str:
        """The Matrix id of one of our people."""
        return f"@{username}{self.number}:twin.test"

    @property
    def us(self) -> PartyConfig:
        """The configuration."""
        return PartyConfig(
            party=self.id,
            name=self.id.upper(),
            bot=self.chat.user_id,
            key=self.identity.key,
            people={self.person(username): username for username in self.people.all},
            rooms=self.rooms,
            time_zone=TIME_ZONES[self.number % len(TIME_ZONES)],
            peer_access=self.access,
            lending=self.lending,
            inventory_url=self.url,
            has_admin_token=True,
            grace=GRACE,
            request_open_for=self.open_for,
            connects_a_day=100,
            connects_a_day_per_peer=100,
        )

    def _settings(self) -> InventorySettings:
        return InventorySettings(
            url=self.url,
            token=SecretStr(self.seeded.token("fedbot")),
            admin_token=SecretStr(self.seeded.token(self.people.superuser)),
            approvers_group=seeds.APPROVERS,
        )

    async def boots(self) -> None:
        """Start a new process on the state that the last one left."""
        self.chat = self.chat.restarted()
        journal = CrashingJournal(self.database, self.clock.now, self.fuse, self.watched)
        edge = SteppedInventory(
            self._settings(),
            self.vault,
            network=self.network.get,
            sign=self.identity.sign,
            pause=lambda _: None,
            now=self.clock.now,
            measure=lambda: self.world_now().timestamp(),
        )
        edge.in_thread = _at_once
        ports = Ports(journal, self.chat, edge, self.identity, self.vault, self.clock)
        bot = Bot(self.us, ports, settle=SETTLE, give_up=GIVE_UP)
        in_words = bot.engine._render
        bot.engine._render = lambda phrase, at: self._said(phrase, at, in_words)
        bot.engine.show_typing = lambda _: None
        self.bot = bot
        await bot.start()

    def crashed(self) -> None:
        """Drop the process and its memory."""
        self.bot = None
        self.crashes += 1

    async def tick(self) -> None:
        """A timer of the process."""
        if self.bot is not None:
            await self.bot.tick()

    def has_timer_due(self) -> bool:
        """Whether a running process would tick now."""
        wake = self.bot.next_wake() if self.bot is not None else None
        return wake is not None and wake <= self.clock.now()

    def next_wake(self) -> datetime | None:
        """The next time something is due here, by this machine's clock; None while the process is down."""
        if self.bot is None:
            return None
        engine, now = self.bot.engine, self.clock.now()
        times = [self.bot.next_wake(), engine.grace_ends(), engine.journal.next_due(), self._next_expiry(now)]
        pause = timedelta(seconds=self.bot.chat_worker.pause(engine.journal.due("chat", now)))
        # work that is due but not done waits for the homeserver or its rate limit
        soonest = now + max(pause, timedelta(minutes=10) if self.chat.is_unreachable else timedelta(seconds=5))
        return min((time if time > now else soonest for time in times if time is not None), default=None)

    def _next_expiry(self, now: datetime) -> datetime | None:
        """The time at which an undecided subject expires, which shows at the sync after it."""
        dues = [t.due for t in self.transfers() if t.state is TransferState.OPEN]
        dues += [c.due for c in self.connections() if c.state in UNFINISHED_CONNECTION]
        return min((due + timedelta(seconds=1) for due in dues if due >= now), default=None)

    def _said(self, phrase: Phrase, at: datetime, in_words: InWords) -> Rendered:
        """Hand on what is said; a message reads as its phrase is called, which takes less time."""
        self.saying(self, phrase, at, in_words)
        return Rendered(phrase.name, "")

    def _committed(self, event: Event, decision: Committed, rows: Sequence[int]) -> None:
        self.events += not isinstance(event, CaughtUp)
        self.committing(self, event, decision, rows)
        for key, document in decision.documents.items():
            if document is None:
                self.documents.pop(key, None)
            else:
                self.documents[key] = document
        if self.bot is not None:
            self.failures = max(self.failures, self.bot.engine.failures)

    # --- the journaled state ------------------------------------------------------------------------------

    def transfers(self) -> list[Transfer]:
        """All transfers, as journaled."""
        return [each for each in self.documents.values() if isinstance(each, Transfer)]

    def transfer(self, identifier: str) -> Transfer | None:
        """The transfer with that id, as journaled."""
        found = self.documents.get(("Transfer", identifier))
        return found if isinstance(found, Transfer) else None

    def connections(self) -> list[Connection]:
        """All connections, as journaled."""
        return [each for each in self.documents.values() if isinstance(each, Connection)]

    def unfinished_rows(self) -> list[Any]:
        """The rows left in the outbox."""
        return self.database.rows("SELECT lane, kind, problem FROM outbox WHERE state IN ('queued', 'acting')")
