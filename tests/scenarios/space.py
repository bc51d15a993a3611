"""One makerspace of a dialogue: its bot on the fake homeserver, its simulated InvenTree, and methods to inspect both.

`admin` changes InvenTree directly. Tests do that within `by_hand`, so the expected totals are counted again.
"""
# ruff: noqa: ANN401 -- rows of the simulated tables, and any other fields that a test needs

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import httpx
from pydantic import SecretStr

from fedbot.engine.bot import Bot, Ports
from fedbot.inventree.client.server import InventorySettings
from fedbot.inventree.inventory import OwnInventory
from fedbot.journal import outbox
from fedbot.journal.journal import Journal
from fedbot.journal.sqlite import SqliteDatabase
from fedbot.matrix.chart import PNG
from fedbot.rules.archive import Document
from fedbot.rules.model.books import Chart
from fedbot.rules.model.command import Cooldown
from fedbot.rules.model.connection import Connection
from fedbot.rules.model.party_config import PartyConfig
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn
from fedbot.rules.wire import Identity
from fedbot_demo.inventree.faults import Fault, FaultKind
from fedbot_demo.inventree.seeding import Seeded
from fedbot_demo.inventree.state import Copy
from fedbot_demo.inventree.transport import SimulatedTransport
from tests.fakes.chat import FakeChat
from tests.fakes.clock import FakeClock
from tests.fakes.vault import FakeVault
from tests.inventree.space import FaultyTransport

SETTLE = timedelta(minutes=2)
GIVE_UP = timedelta(minutes=15)


@dataclass(frozen=True)
class Kept:
    """A space's whole state: its InvenTree's tables, its journal, and its bot's memory and files."""

    tables: Copy
    journal: bytes
    passwords: Mapping[str, str]
    tokens: Mapping[str, str]
    secrets: Mapping[str, str]
    memory: bytes


@dataclass
class Space:
    """One makerspace. `network` maps addresses to InvenTrees; while it `hangs`, no call returns."""

    party: str
    name: str
    seeded: Seeded
    transport: SimulatedTransport
    wire: FaultyTransport
    chat: FakeChat
    us: PartyConfig
    clock: FakeClock
    journal: Journal
    network: Mapping[str, httpx.BaseTransport]
    vault: FakeVault = field(default_factory=FakeVault)
    settings: dict[str, Any] = field(default_factory=dict)
    out_of_reach: set[str] = field(default_factory=set)
    is_asleep: bool = False
    hangs: bool = False

    def __post_init__(self) -> None:
        self.identity = Identity(sha256(self.party.encode()).digest())
        self.us = replace(self.us, key=self.identity.key)
        self.inventory = self._inventory()
        self.bot = self._bot()
        self.counted = self.count()

    def _inventory(self) -> OwnInventory:
        settings = InventorySettings(
            url=self.us.inventory_url,
            token=self._token("token_file", "fedbot"),
            admin_token=self._token("admin_token_file", "admin") if self.us.has_admin_token else None,
            approvers_group="fedbot approvers",
            new_parts="new_part_category" in self.settings,
            **self.settings,
        )
        return OwnInventory(
            settings,
            self.vault,
            network=self._reach,
            sign=self.identity.sign,
            pause=lambda _: None,
            now=self.clock.now,
            measure=self._elapsed,
        )

    def _elapsed(self) -> float:
        """The seconds for timing calls: those of the InvenTree if its costs are counted, else the world's."""
        return self.transport.costs.now if self.transport.costs else self.clock.now().timestamp()

    def _token(self, setting: str, user: str) -> SecretStr:
        """The token in the file that the settings name, else the one that the account got at first."""
        file = self.settings.get(setting)
        return SecretStr(file.read_text().strip() if file else self.seeded.token(user))

    def _reach(self, url: str) -> httpx.BaseTransport | None:
        return httpx.MockTransport(_no_way) if url in self.out_of_reach else self.network.get(url)

    def _bot(self) -> Bot:
        ports = Ports(self.journal, self.chat, self.inventory, self.identity, self.vault, self.clock)
        bot = Bot(self.us, ports, settle=SETTLE, give_up=GIVE_UP)
        bot.chat_worker.pictures.draw = _drawn_at_once
        return bot

    async def restart(self, **changes: Any) -> None:
        """End the process without warning and start it again on the same journal; `changes` are of `us`."""
        self.us = replace(self.us, **changes)
        self.chat = self.chat.restarted()
        with self.journal._database.transaction() as connection:
            outbox.requeue_interrupted(connection)  # as each start does
        self.inventory = self._inventory()
        self.bot = self._bot()
        self.is_asleep = False
        await self.bot.start()

    def kept(self) -> Kept:
        """The state from which another space like it can continue."""
        chat, bot = self.chat, self.bot
        account = {name: value for name, value in vars(chat).items() if name != "server"}
        courier = (bot.chat_worker.budget, bot.chat_worker._served)
        syncing = (bot.syncing._told, bot.syncing.heard_at, bot.syncing._claimed)
        memory = pickle.dumps((account, courier, syncing, bot.engine.counters))
        journal = self.journal._database._connection.serialize()
        passwords, tokens = dict(self.seeded.passwords), dict(self.seeded.tokens)
        return Kept(self.snapshot(), journal, passwords, tokens, dict(self.vault.secrets), memory)

    def continues_from(self, kept: Kept) -> None:
        """Continue from the other space's state."""
        self.put_back(kept.tables)
        self.seeded.passwords.update(kept.passwords)
        self.seeded.tokens.update(kept.tokens)
        self.inventory = self._inventory()
        self.inventory._as_it_stands()  # it has already read its server's version
        database = SqliteDatabase(None)
        database._connection.deserialize(kept.journal)
        self.journal = Journal(database, None, self.clock.now)
        self.vault.secrets.update(kept.secrets)
        account, courier, syncing, counters = pickle.loads(kept.memory)  # noqa: S301 -- our own
        vars(self.chat).update(account)
        self.bot = bot = self._bot()
        bot.chat_worker.budget, bot.chat_worker._served = courier
        bot.syncing._told, bot.syncing.heard_at, bot.syncing._claimed = syncing
        bot.engine.counters = counters
        bot.engine.load()
        bot.timetable.read()

    async def gets_new_key(self) -> None:
        """Replace the signing key, as after a reinstallation that kept everything else. The peer can only notice it."""
        self.identity = Identity(sha256(f"{self.party} again".encode()).digest())
        await self.restart(key=self.identity.key)

    def forgets_connections(self) -> None:
        """Forget the connections, as after a lost journal, which has tests of its own."""
        gone = {("Connection", connection.id): None for connection in self.turn.connections()}
        self.knows_instead(dict(gone))

    def knows_instead(self, changes: Mapping[tuple[str, str], Document | None]) -> None:
        """Put documents into the journal and memory without a decision; None removes one."""
        with self.journal._database.transaction() as connection:
            for (kind, identifier), document in changes.items():
                Journal._save(connection, kind, identifier, document)
        self.bot.engine.state.take_over(dict(changes))

    def has_told(self, what: str) -> None:
        """Record in the journal that this was announced already."""
        telling = Cooldown(what, self.clock.now() + timedelta(days=3650))
        with self.journal._database.transaction() as connection:
            Journal._save(connection, Cooldown.__name__, what, telling)

    # --- the bot's knowledge -------------------------------------------------------------------------------

    @property
    def turn(self) -> Turn:
        """The state, for lookups."""
        return Turn(self.bot.engine.state, self.clock.now())

    def connection(self, peer: str = "") -> Connection:
        """The open connection with that party, or the newest with any."""
        connection = self.turn.connection_with(peer) if peer else self.turn.connections()[-1]
        assert connection is not None, f"{self.party} has no connection with {peer}"
        return connection

    def transfer(self) -> Transfer:
        """The newest transfer."""
        return self.turn.transfers()[-1]

    # --- the content of InvenTree --------------------------------------------------------------------------

    @property
    def tables(self) -> Any:
        """The InvenTree's tables."""
        return self.seeded.server.state

    def stock(self, **fields: Any) -> list[Any]:
        """The stock rows with these fields."""
        return [row for row in self.tables.stock if all(getattr(row, name) == value for name, value in fields.items())]

    def part(self, ipn: str) -> Any:
        """The part with that IPN, else with that name."""
        parts = list(self.tables.parts)
        found = [part for part in parts if ipn == part.IPN] or [part for part in parts if ipn == part.name]
        assert len(found) == 1, f"{len(found)} parts {ipn} at {self.party}"
        return found[0]

    def item(self, ipn: str, **fields: Any) -> Any:
        """The only stock row of that part with these fields."""
        found = self.stock(part=self.part(ipn).pk, **fields)
        assert len(found) == 1, f"{len(found)} rows of {ipn} {fields} at {self.party}: {found}"
        return found[0]

    def row(self, item: int) -> Any:
        """The stock row with that key."""
        return self.tables.stock[item]

    def total(self, ipn: str) -> Any:
        """The quantity of that part in stock (not with a customer)."""
        return sum((row.quantity for row in self.stock(part=self.part(ipn).pk, customer=None)), Decimal(0))

    def given(self, ipn: str) -> Any:
        """The quantity of that part with the peer's company."""
        rows = self.stock(part=self.part(ipn).pk, customer=self.connection().company)
        return sum((row.quantity for row in rows), Decimal(0))

    def place(self, item: Any) -> str:
        """The name of a stock row's location; '' if it has none."""
        location = self.tables.locations.get(item.location)
        return str(location.name) if location else ""

    def location(self, name: str) -> int:
        """The key of the location with that name."""
        return next(int(each.pk) for each in self.tables.locations if each.name == name)

    def history(self, item: int) -> list[str]:
        """The notes in the item's history, oldest first."""
        entries = sorted(self.tables.tracking, key=lambda entry: entry.pk)
        return [entry.notes for entry in entries if entry.item == item and entry.notes]

    def metadata(self, model: str, pk: int) -> dict[str, Any]:
        """The signed text under our key in a row's metadata, decoded."""
        kept = self.tables.metadata_of(model, pk)
        mirrored = kept.content.get("fedbot", {}) if kept else {}
        return json.loads(mirrored["value"]) if isinstance(mirrored.get("value"), str) else dict(mirrored)

    def user(self, name: str) -> Any:
        """The InvenTree account with that name."""
        return self.tables.users.find("username", name)[0]

    def count(self) -> dict[int, Decimal]:
        """The quantity of each part, wherever it is."""
        counted: dict[int, Decimal] = {}
        for row in self.tables.stock:
            counted[row.part] = counted.get(row.part, Decimal(0)) + row.quantity
        return counted

    # --- changes and faults --------------------------------------------------------------------------------

    def fails(
        self, kind: FaultKind, method: str = ".*", path: str = "", times: int | None = 1, status: int = 500
    ) -> None:
        """Make the next `times` matching requests fail in this way (None: all from now on)."""
        self.transport.faults.add(Fault(kind, method, path, times, status))

    def goes_down(self) -> None:
        """Let its InvenTree answer nobody."""
        self.fails(FaultKind.REFUSED, times=None)

    def comes_back(self) -> None:
        """Remove all faults."""
        self.transport.faults.clear()

    def admin(self, method: str, path: str, **content: Any) -> Any:
        """Change InvenTree as a superuser of the space, without the bot and its faults."""
        headers = {"Authorization": f"Token {self.seeded.token('admin')}"}
        with httpx.Client(transport=SimulatedTransport(self.seeded.server), base_url="http://x") as client:
            answer = client.request(method, f"/api/{path}", headers=headers, json=content or None)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def before(self, method: str, path: str, happens: Callable[[], None]) -> None:
        """Call `happens` just before the next matching request."""
        self.wire.plans.append((method, path, happens))

    def deactivates(self, username: str) -> None:
        """Deactivate an account."""
        self.admin("PATCH", f"user/{self.user(username).pk}/", is_active=False)

    def snapshot(self) -> Copy:
        """A copy of its InvenTree's database, as an admin makes for a backup."""
        return self.seeded.server.state.copy()

    def put_back(self, snapshot: Copy) -> None:
        """Restore that copy. Later changes are gone, and their row numbers are used again."""
        self.seeded.server.state.put_back(snapshot)
        self.counted = self.count()

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        """Let people change the stock within this block; the expected totals follow."""
        before = self.count()
        yield
        for part, quantity in self.count().items():
            self.counted[part] = self.counted.get(part, Decimal(0)) + quantity - before.get(part, Decimal(0))
        for part in before.keys() - self.count().keys():
            self.counted[part] -= before[part]


def _no_way(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("No route to host", request=request)


async def _drawn_at_once(chart: Chart, words: Sequence[str]) -> bytes:
    """A made-up picture of a chart, in place of a drawing process."""
    return PNG + b"\0\0\0\rIHDR\0\0\0\1\0\0\0\1" + f"{chart} {words}".encode()
