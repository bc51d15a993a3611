"""Two makerspaces with bots that may die, as many pairs as needed, on one homeserver and two InvenTrees."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx
import yaml

from fedbot.journal import lease
from fedbot.journal.database import Address
from fedbot.journal.postgresql import AdminTables
from fedbot.journal.sealed import FolderInDatabase, Seal
from fedbot.journal.server import connect
from fedbot.ports.journal import NoJournal
from fedbot.ports.vault import Folder
from fedbot_demo.homeserver import Account, Homeserver
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.process import InvenTreeProcess
from fedbot_demo.person import Person
from fedbot_demo.stage import PARTY_EVENT
from fedbot_demo.stocktake import Stocktake
from tests.crash.bot import CrashingBot
from tests.crash.points import COUNTED, ORDERS, PASSED, RECORD, give

PATIENCE_S = 45.0
_LOOK_EVERY_S = 0.05
#: Short waits: no longer than a homeserver and an InvenTree on this machine need.
RULES = {
    "grace_seconds": 0.1,
    "settle_seconds": 0.3,
    "give_up_minutes": 1.0,
    "resend_seconds": [2.0, 4.0, 600.0],
    "connects_a_day": 1000,
    "connects_a_day_per_peer": 1000,
    "questions_an_hour_per_peer": 1000,
    "quiet_from": "00:00",
    "quiet_until": "00:00",
}
T = TypeVar("T")
Orders = tuple[Sequence[str], Sequence[str]]
"""The orders of both bots."""


class NotRight(AssertionError):
    """A story ended wrong."""


@dataclass(frozen=True)
class Ground:
    """The parts that many pairs share: the homeserver, the InvenTrees, and a superuser in each.

    `database`: the URL of the PostgreSQL server with the bots' journals; '' if these are files. `patience`: the seconds
    that anything may take.
    """

    folder: Path
    database: str
    patience: float
    homeserver: Homeserver
    inventrees: tuple[InvenTreeProcess, InvenTreeProcess]
    people: tuple[Person, Person]


class Memory(Protocol):
    """A bot's journal, keys and tokens, seen from outside."""

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows from the journal; none before it is created."""

    @property
    def identity(self) -> Folder:
        """Its keys and tokens."""

    def settings(self) -> dict[str, Any]:
        """What the bot's settings say about it."""

    def died(self) -> None:
        """The bot was killed; the next one may begin at once."""

    def close(self) -> None:
        """Look no more."""


class InFiles(Memory):
    """A bot's memory in its state folder."""

    def __init__(self, state: Path) -> None:
        self._state = state

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows from the journal; none before it is created."""
        try:
            with closing(sqlite3.connect(f"file:{self._state / 'journal.db'}?mode=ro", uri=True)) as journal:
                return journal.execute(query, values).fetchall()
        except sqlite3.OperationalError:
            return []

    @property
    def identity(self) -> Folder:
        """Its keys and tokens."""
        return self._state / "identity"

    def settings(self) -> dict[str, Any]:
        """Nothing: that is the default."""
        return {}

    def died(self) -> None:
        """The lock of the folder ended with the process."""

    def close(self) -> None:
        """Nothing is open."""


class InDatabase(Memory):
    """A bot's memory in PostgreSQL; its keys and tokens are sealed."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._key = os.urandom(32)
        self._tables: AdminTables | None = None

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows from the journal; none before it is created."""
        try:
            found: list[tuple[Any, ...]] = self._opened().rows(query, *values)
        except NoJournal:
            return []
        return found

    @property
    def identity(self) -> Folder:
        """Its keys and tokens, opened with the key."""
        return FolderInDatabase(self._opened(), Seal(self._key, self._address.space))

    def _opened(self) -> AdminTables:
        self._tables = self._tables or AdminTables(self._address)
        return self._tables

    def settings(self) -> dict[str, Any]:
        """Its address and the key."""
        return {"journal": {"url": self._address.url, "sealing_key": self._key.hex()}}

    def died(self) -> None:
        """End the bot's claim, which would hold for 15 seconds."""
        with closing(connect(self._address)) as connection:
            lease.prepare(connection)
            connection.execute(
                "UPDATE fedbot.leases SET expires = '-infinity' WHERE space = $1", (self._address.space,)
            )

    def close(self) -> None:
        """Close the connection."""
        if self._tables is not None:
            self._tables.close()


@dataclass
class Party:
    """One space of a pair, with its bot."""

    id: str
    folder: Path
    account: Account
    inventree: InvenTreeProcess
    person: Person
    memory: Memory
    bot: CrashingBot

    def orders(self, *points: str) -> None:
        """Set the bot's orders from now on: `RECORD`, or die at each of these points."""
        (self.folder / COUNTED).unlink(missing_ok=True)
        give(self.folder, points)

    def no_orders(self) -> tuple[str, ...]:
        """Clear the orders; return those that were still waiting."""
        file = self.folder / ORDERS
        waiting = tuple(file.read_text().splitlines()) if file.exists() else ()
        file.unlink(missing_ok=True)
        return waiting

    def passed(self) -> list[str]:
        """Return the recorded points and clear them."""
        file = self.folder / PASSED
        names = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return names

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows from the bot's journal."""
        return self.memory.rows(query, *values)

    def documents(self, kind: str) -> list[dict[str, Any]]:
        """The bot's documents of a kind."""
        return [json.loads(text) for (text,) in self.rows("SELECT payload FROM all_documents WHERE kind = ?", kind)]

    def document(self, kind: str, identifier: str) -> dict[str, Any]:
        """One document, or an empty one."""
        return next((each for each in self.documents(kind) if each["id"] == identifier), {})

    def post(self, key: str) -> str:
        """The event id of the newest message with that key, or ''."""
        found = self.rows("SELECT event_id FROM posts WHERE key = ? AND edit = 0 ORDER BY number DESC", key)
        return str(found[0][0]) if found else ""

    def is_at_rest(self) -> bool:
        """Whether it has nothing left to do and waits for no answer."""
        ((unsent,),) = self.rows("SELECT count(*) FROM outbox WHERE state IN ('queued', 'acting')") or ((1,),)
        ((undecided,),) = self.rows("SELECT count(*) FROM inbox WHERE decided = 0") or ((1,),)
        subjects = [*self.documents("Connection"), *self.documents("Transfer")]
        return not unsent and not undecided and not any(each["exchange"]["awaiting"] for each in subjects)

    async def lets_in(self, token: str) -> bool:
        """Whether its InvenTree accepts that token."""
        headers = {"Authorization": f"Token {token}"}
        async with httpx.AsyncClient(base_url=self.inventree.url, headers=headers, trust_env=False) as client:
            answer = await client.get("/api/stock/", params={"limit": 1})
        return answer.status_code == HTTPStatus.OK

    def stocktake(self) -> Stocktake:
        """A reader of its InvenTree, as its admin."""
        return Stocktake(self.inventree.url, self.inventree.tokens["admin"])


@dataclass
class Pair:
    """Two spaces that share a room. `give` and `take` are named after their roles in a push."""

    room: str
    give: Party
    take: Party
    patience: float

    @property
    def parties(self) -> tuple[Party, Party]:
        """Both parties."""
        return self.give, self.take

    async def until(self, look: Callable[[], T], what: str) -> T:
        """Wait until `look` returns something true; return that."""
        deadline = time.monotonic() + self.patience
        while not (found := look()):
            for party in self.parties:
                party.bot.check()
            if time.monotonic() > deadline:
                raise NotRight(f"not within {self.patience:g} s: {what}\n{self._picture()}")
            await asyncio.sleep(_LOOK_EVERY_S)
        return found

    async def rest(self) -> None:
        """Wait until both have nothing left to do."""
        await self.until(lambda: all(party.is_at_rest() for party in self.parties), "both at rest")

    def _picture(self) -> str:
        shown = []
        for party in self.parties:
            subjects = [*party.documents("Connection"), *party.documents("Transfer")]
            states = [(s["id"], s["state"], s["problem"], s["exchange"]["awaiting"]) for s in subjects][-4:]
            waiting = party.rows(
                "SELECT lane, kind, key, state, attempts, problem FROM outbox WHERE state IN ('queued', 'acting')"
            )
            shown.append(f"{party.id}: {states}; waiting: {waiting}\n{party.bot.log_tail()}")
        return "\n".join(shown)

    async def stop(self) -> None:
        """End both bots."""
        await asyncio.gather(*(party.bot.stop() for party in self.parties))
        for party in self.parties:
            party.memory.close()


async def a_pair(ground: Ground, name: str, access: str, orders: Orders = ((RECORD,), (RECORD,))) -> Pair:
    """Two new spaces with their bots, started with these orders, in a shared room."""
    ids = (f"give-{name}", f"take-{name}")
    accounts = [await ground.homeserver.register(f"{party}-bot") for party in ids]
    room = await _a_room(ground, name)
    for person, account in zip(ground.people, accounts, strict=True):
        await person.invite(room, account.user_id)
    parties = []
    for index, identifier in enumerate(ids):
        folder = ground.folder / identifier
        folder.mkdir(mode=0o700)
        inventree = ground.inventrees[index]
        memory = InDatabase(Address(ground.database, identifier)) if ground.database else InFiles(folder / "state")
        bot = CrashingBot(folder, memory.died)
        made = Party(identifier, folder, accounts[index], inventree, ground.people[index], memory, bot)
        _write_settings(made, ground, room, access)
        made.orders(*orders[index])
        parties.append(made)
    pair = Pair(room, parties[0], parties[1], ground.patience)
    for party in pair.parties:
        await party.bot.start()
    return pair


async def _a_room(ground: Ground, name: str) -> str:
    """A room with both people, created by the giver."""
    host, guest = ground.people
    room = await host.create_room(
        f"Makerspaces {name}", invite=[guest.user_id], power_levels={"events": {PARTY_EVENT: 0}}
    )
    await guest.join(room)
    return room


def _write_settings(party: Party, ground: Ground, room: str, access: str) -> None:
    files = {
        "matrix-password": party.account.password,
        "inventree-token": party.inventree.tokens["fedbot"],
        "inventree-admin-token": party.inventree.tokens["admin"],
    }
    settings = {
        "party": {"id": party.id, "name": party.id.capitalize(), "time_zone": "UTC", "peer_access": access},
        "matrix": {
            "homeserver": ground.homeserver.url,
            "user": party.account.user_id,
            "password_file": "matrix-password",
        },
        "rooms": [room],
        "people": {party.person.user_id: "anna" if party.person is ground.people[0] else "bea"},
        "inventree": {
            "url": party.inventree.url,
            "private_peers": [f"{role}-{party.id[5:]}" for role in ("give", "take")],
            "token_file": "inventree-token",
            "admin_token_file": "inventree-admin-token",
            "approvers_group": seeds.APPROVERS,
            "destination": "Workshop" if party.person is ground.people[0] else "Store/Shelf 2",
        },
        "rules": RULES,
        "state": str(party.folder / "state"),
        **party.memory.settings(),
    }
    files["config.yaml"] = yaml.safe_dump(settings)
    for name, text in files.items():
        with os.fdopen(os.open(party.folder / name, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(text)
