"""Two makerspaces, attraktor and betaspace, in one room: their people, bots and simulated InvenTrees."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from fedbot.app import Bot, Ports
from fedbot.demo.inventree import seeds
from fedbot.demo.inventree.seeding import Seeded
from fedbot.demo.inventree.transport import SimulatedTransport
from fedbot.federation.documents import Connection, Transfer
from fedbot.federation.events import Tick
from fedbot.federation.home import Home
from fedbot.federation.state import Turn
from fedbot.federation.envelope import Identity
from fedbot.identity import MemoryVault
from fedbot.inventree.inventory import OwnInventory
from fedbot.inventree.settings import InventorySettings
from fedbot.journal.journal import Journal
from tests.twins.chat import TwinChat
from tests.twins.clock import TwinClock
from tests.twins.homeserver import TwinHomeserver
from tests.twins.people import Message, Person, RoomView, everybody_in

SETTLE = timedelta(minutes=2)
GIVE_UP = timedelta(minutes=15)
GRACE = timedelta(seconds=5)
MOST_ROUNDS = 400


@dataclass
class Space:
    """One makerspace: its bot on the twin homeserver, its InvenTree in this process."""

    party: str
    name: str
    seeded: Seeded
    transport: SimulatedTransport
    chat: TwinChat
    home: Home
    clock: TwinClock
    journal: Journal
    vault: MemoryVault = field(default_factory=MemoryVault)
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.identity = Identity(sha256(self.party.encode()).digest())
        self.home = replace(self.home, key=self.identity.key)
        self.inventory = self._inventory()
        self.bot = self._bot()

    def _inventory(self) -> OwnInventory:
        settings = InventorySettings(
            url=self.home.inventory_url,
            token=SecretStr(self.seeded.token("fedbot")),
            admin_token=SecretStr(self.seeded.token("admin")) if self.home.has_admin_token else None,
            approvers_group="fedbot approvers",
            **self.settings,
        )
        return OwnInventory(settings, self.vault, network=NETWORK.get, sign=self.identity.sign, pause=lambda _: None)

    def _bot(self) -> Bot:
        return Bot(
            self.home,
            Ports(self.journal, self.chat, self.inventory, self.identity, self.vault, self.clock),
            settle=SETTLE,
            give_up=GIVE_UP,
        )

    async def restart(self, **changes: Any) -> None:
        """The process ends where it stands and comes up again on the same journal; `changes` are of `home`."""
        self.home = replace(self.home, **changes)
        self.chat = self.chat.restarted()
        self.inventory = self._inventory()
        self.bot = self._bot()
        await self.bot.start()

    @property
    def turn(self) -> Turn:
        """The state, to look things up in."""
        return Turn(self.bot.engine.state, self.clock.now())

    def connection(self, peer: str) -> Connection:
        """The living connection with that party."""
        connection = self.turn.connection_with(peer)
        assert connection is not None, f"{self.party} has no connection with {peer}"
        return connection

    def transfer(self) -> Transfer:
        """The newest transfer."""
        return self.turn.transfers()[-1]

    def stock(self, **fields: Any) -> list[Any]:
        """The rows of stock with these fields, straight from the InvenTree's tables."""
        rows = self.seeded.server.state.stock
        return [row for row in rows if all(getattr(row, name) == value for name, value in fields.items())]

    def item(self, ipn: str, **fields: Any) -> Any:
        """The one row of stock of that part (by IPN) with these fields."""
        part = next(p for p in self.seeded.server.state.parts if ipn == p.IPN)
        found = self.stock(part=part.pk, **fields)
        assert len(found) == 1, f"{len(found)} rows of {ipn} {fields} at {self.party}: {found}"
        return found[0]

    def row(self, item: int) -> Any:
        """The row of stock of that key."""
        return self.seeded.server.state.stock[item]

    def total(self, ipn: str) -> Any:
        """How much of that part is in stock (not with a customer)."""
        part = next(p for p in self.seeded.server.state.parts if ipn == p.IPN)
        return sum(row.quantity for row in self.stock(part=part.pk, customer=None))

    def history(self, item: int) -> list[str]:
        """The notes in the item's history, oldest first."""
        entries = self.seeded.server.state.tracking
        return [entry.notes for entry in sorted(entries, key=lambda e: e.pk) if entry.item == item and entry.notes]


NETWORK: dict[str, httpx.BaseTransport] = {}
"""Which simulated InvenTree answers at which address: the whole network of these tests."""


class World:
    """The room, the spaces, the people. `settle` lets everything happen that can happen now."""

    def __init__(self, **options: Any) -> None:
        self.clock = TwinClock()
        self.server = TwinHomeserver(self.clock)
        people = {name: Person(self.server, name) for name in ("anna", "piet", "kim", "bea", "cem", "dilek", "tom")}
        self.anna, self.piet, self.kim = people["anna"], people["piet"], people["kim"]
        self.bea, self.cem, self.dilek, self.tom = people["bea"], people["cem"], people["dilek"], people["tom"]
        alpha_chat = TwinChat(self.server, "attraktor-bot", "Attraktor bot")
        beta_chat = TwinChat(self.server, "betaspace-bot", "Betaspace bot")
        guests = [p.user_id for p in people.values() if p is not self.anna]
        self.room: RoomView = everybody_in(
            self.server,
            self.anna,
            "Makerspaces",
            *guests,
            alpha_chat.user_id,
            beta_chat.user_id,
        )
        for person in people.values():
            person.room = self.room.id
        self.anna.sets_power(events={"dev.fedbot.party": 0})
        self.alpha_admins = everybody_in(self.server, self.anna, "Attraktor admins", alpha_chat.user_id)
        self.beta_admins = everybody_in(self.server, self.bea, "Betaspace admins", beta_chat.user_id)
        self.alpha = self._space(
            "attraktor",
            "Attraktor",
            seeds.alpha(clock=self.clock.now),
            alpha_chat,
            ["anna", "piet", "kim"],
            self.alpha_admins,
            options.get("alpha", {}),
        )
        self.beta = self._space(
            "betaspace",
            "Betaspace",
            seeds.beta(clock=self.clock.now),
            beta_chat,
            ["bea", "cem", "dilek", "tom"],
            self.beta_admins,
            options.get("beta", {}),
        )
        self.spaces = [self.alpha, self.beta]

    def _space(
        self,
        party: str,
        name: str,
        seeded: Seeded,
        chat: TwinChat,
        people: list[str],
        admins: RoomView,
        changes: dict[str, Any],
    ) -> Space:
        url = f"http://{party}.test"
        transport = SimulatedTransport(seeded.server)
        NETWORK[url] = transport
        home = Home(
            party=party,
            name=name,
            bot=chat.user_id,
            key="",
            people={f"@{p}:{chat.user_id.partition(':')[2]}": p for p in people},
            rooms=(self.room.id,),
            admin_room=admins.id,
            inventory_url=url,
            has_admin_token=True,
            grace=GRACE,
        )
        settings = (
            {"new_part_category": changes.pop("new_part_category", "Materials")}
            if "new_part_category" in changes
            else {}
        )
        return Space(
            party,
            name,
            seeded,
            transport,
            chat,
            replace(home, **changes),
            self.clock,
            Journal.in_memory(self.clock.now),
            settings=settings,
        )

    async def start(self) -> World:
        """Both bots are up and have announced themselves."""
        for space in self.spaces:
            await space.bot.start()
        await self.settle()
        return self

    async def settle(self, *, asleep: tuple[Space, ...] = ()) -> None:
        """Everything happens that can happen without time passing; `asleep` are bots whose process is down."""
        awake = [space for space in self.spaces if space not in asleep]
        for _ in range(MOST_ROUNDS):
            if not any([await _step(space) for space in awake]):
                return
        raise AssertionError(f"it never comes to rest:\n{self.room.transcript()}")

    async def passes(self, time: timedelta, *, asleep: tuple[Space, ...] = ()) -> None:
        """Time goes by, and all timers that are due on the way run, in steps."""
        end = self.clock.now() + time
        while True:
            await self.settle(asleep=asleep)
            wakes = [_next_wake(space) for space in self.spaces if space not in asleep]
            due = min((wake for wake in wakes if wake is not None and wake <= end), default=None)
            now = self.clock.now()
            if due is None:
                self.clock.advance(max(end - now, timedelta(0)))
                await self._tick(asleep)
                return
            self.clock.advance(max(due - now, timedelta(milliseconds=1)))
            await self._tick(asleep)

    async def _tick(self, asleep: tuple[Space, ...]) -> None:
        for space in self.spaces:
            if space not in asleep:
                space.bot.engine.put(Tick(self.clock.now()))
        await self.settle(asleep=asleep)

    async def grace(self) -> None:
        """The grace of a decision is over."""
        await self.settle()
        await self.passes(GRACE + timedelta(seconds=1))

    async def connect(self) -> None:
        """Attraktor and betaspace become friends."""
        self.anna.says("!fed connect betaspace")
        await self.settle()
        self.bea.reacts(self.room.message("Agree?"), "✅")
        await self.grace()

    async def push(self, words: str = "M3-BOLT 10") -> Message:
        """Anna offers something to betaspace; the card that betaspace's bot posts."""
        before = {m.event_id for m in self.room.messages(sender=self.beta.chat.user_id)}
        self.anna.says(f"!fed push {words} to betaspace")
        await self.settle()
        new = [m for m in self.room.messages(sender=self.beta.chat.user_id) if m.event_id not in before]
        assert new, f"no card:\n{self.room.transcript()}"
        return new[0]


def _next_wake(space: Space) -> Any:
    times = [space.bot.engine.next_wake(), space.bot.engine.grace_ends(), space.journal.next_due()]
    return min((time for time in times if time is not None), default=None)


async def _step(space: Space) -> bool:
    """Let one bot do everything that it can do now; whether there was anything."""
    bot, now = space.bot, space.clock.now()
    did = False
    if not space.chat.is_unreachable:
        batch = await space.chat.sync(space.journal.token(), 0)
        did = bool(batch.events)
        bot.syncing.take(batch)
    for row in space.journal.due("ask", now):
        await bot.asking.perform(row)
        did = True
    acts = space.journal.due("act", now)
    if acts:
        await bot.acts.perform(acts[0], acts)
        did = True
    letters = space.journal.due("chat", now)
    if letters and not space.chat.is_unreachable and not bot.courier.budget.wait(now):
        did = await bot.courier.send_first(letters) or did
    return did


async def a_world(**options: Any) -> World:
    """Both bots running."""
    return await World(**options).start()


async def friends(**options: Any) -> World:
    """Both bots running, attraktor and betaspace connected."""
    world = await a_world(**options)
    await world.connect()
    return world


__all__ = ["GIVE_UP", "GRACE", "NETWORK", "SETTLE", "Message", "Path", "Person", "Space", "World", "a_world", "friends"]
