"""The whole scene on this machine: a homeserver, two or three makerspaces with InvenTrees, people, bots as processes.

The demo, the end-to-end tests and the benches use it. All of it listens on loopback only and ends with the stage, even
if that ends by an error.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import httpx
import yaml

from fedbot_demo.bot_process import BotProcess
from fedbot_demo.certificates import CertificateAuthority
from fedbot_demo.encrypted_person import EncryptedPerson
from fedbot_demo.homeserver import Account, Homeserver, free_ports
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.process import InvenTreeProcess
from fedbot_demo.inventree.versions import Version
from fedbot_demo.person import Person
from fedbot_demo.stocktake import Stocktake

ROOM_NAME = "Makerspaces"
PARTY_EVENT = "dev.fedbot.party"
TIME_ZONE = "Europe/Berlin"
#: The power levels that let each bot announce its space (README). The first two keys replace the defaults of a private
#: room, so they are written out.
_POWER_LEVELS: dict[str, Any] = {
    "events": {PARTY_EVENT: 0, "m.room.power_levels": 100, "m.room.encryption": 100, "m.room.tombstone": 100}
}
#: The state event with which clients encrypt new rooms and direct chats.
ENCRYPTION: dict[str, Any] = {
    "type": "m.room.encryption",
    "state_key": "",
    "content": {"algorithm": "m.megolm.v1.aes-sha2"},
}
ANNOUNCED_WITHIN_S = 40.0
_INVITED_WITHIN_S = 30.0
#: The roles that an account needs to view stock.
LOOKING = ("stock", "part", "part_category", "stock_location")


@dataclass(frozen=True)
class Cast:
    """The people of one makerspace. They have accounts in its InvenTree; the first is its superuser.

    `approvers`: those of the others whom its seed (`inventree.seeds`) makes approvers.
    """

    party: str
    name: str
    seed: str
    people: tuple[str, ...]
    approvers: tuple[str, ...]
    destination: str


ATTRAKTOR = Cast("attraktor", "Attraktor", "alpha", ("anna", "piet", "kim"), ("piet",), "Workshop")
BETASPACE = Cast("betaspace", "Betaspace", "beta", ("bea", "cem", "dilek", "tom"), ("cem", "dilek"), "Store/Shelf 2")
GAMMASPACE = Cast("gammaspace", "Gammaspace", "gamma", ("gus", "mia"), ("mia",), "Cellar")


@dataclass(frozen=True)
class InvenTrees:
    """The behaviour of the simulated InvenTrees.

    With `measured`, `latency` makes them as slow as real ones. `versions` are those of the first two spaces (of
    `versions.RECORDED`); the third has the newest.
    """

    latency: Literal["none", "measured"] = "none"
    versions: tuple[str, str] = ("newest", "newest")

    def version_of(self, cast: Cast) -> str:
        """The version of the InvenTree of one makerspace."""
        return dict(zip((ATTRAKTOR, BETASPACE), self.versions, strict=True)).get(cast, "newest")


@dataclass
class Space:
    """One makerspace on the stage: its InvenTree, its people, its bot, and the bot's `settings` as in config.yaml."""

    cast: Cast
    folder: Path
    account: Account
    inventree: InvenTreeProcess
    people: dict[str, Person]
    admin_room: str
    settings: dict[str, Any] = field(repr=False)
    bot: BotProcess = field(init=False)

    def __post_init__(self) -> None:
        self.bot = BotProcess(self.folder / "config.yaml", self.folder / "state", self.folder / "bot.log")
        self.write_settings()

    @property
    def party(self) -> str:
        """Its party id, which people type."""
        return self.cast.party

    @property
    def name(self) -> str:
        """Its name for people."""
        return self.cast.name

    @property
    def pages_url(self) -> str:
        """The address of its pages; '' if it has none."""
        return str(self.settings.get("pages", {}).get("url", ""))

    @property
    def superuser(self) -> Person:
        """The person who may connect it with others."""
        return self.people[self.cast.people[0]]

    def write_settings(self) -> None:
        """Write `settings` to config.yaml, which the bot reads at its next start."""
        _write_secret(self.folder / "config.yaml", yaml.safe_dump(self.settings, allow_unicode=True, sort_keys=False))

    def stocktake(self) -> Stocktake:
        """A reader of its InvenTree, as its admin."""
        return Stocktake(self.inventree.url, self.inventree.tokens["admin"], self.version)

    @property
    def version(self) -> Version:
        """The version of its InvenTree."""
        return Version.named(self.inventree.version)

    async def make_access_by_hand(self, peer: str) -> None:
        """Create the account that the bot asks for, as an admin, and give the bot its token."""
        content = {"name": f"fed-{peer}-1", "roles": dict.fromkeys(LOOKING, "view")}
        made = await asyncio.to_thread(self.inventree.control, "POST", "accounts/", content)
        await self.bot.give_token(f"{peer}-1", json.dumps(made))

    async def add_part(self, ipn: str, name: str, description: str) -> None:
        """Add a part to its InvenTree, as an admin, unless it has one with that IPN."""
        content = {"IPN": ipn, "name": name, "description": description, "trackable": True, "salable": True}
        async with self._admin() as client:
            if not await _parts(client, ipn):
                category = (await client.get("/api/part/category/")).raise_for_status().json()[0]["pk"]
                (await client.post("/api/part/", json={**content, "category": category})).raise_for_status()

    def _admin(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Token {self.inventree.tokens['admin']}"}
        return httpx.AsyncClient(base_url=self.inventree.url, headers=headers, trust_env=False)

    async def start_inventree(self) -> None:
        """Start its InvenTree, with its former state and address."""
        await asyncio.to_thread(self.inventree.start)

    async def stop_inventree(self) -> None:
        """Stop its InvenTree in order; it keeps its state."""
        await asyncio.to_thread(self.inventree.stop)


class Stage:
    """Two or three makerspaces, running and announced in a shared room. Use it as `async with`.

    Args:
        folder: The folder for all files; it stays. None: a temporary folder, removed at the end.
        access: `peer_access` of both spaces.
        default_rate_limits: Synapse's own limits for everybody, as on a makerspace's server; False lifts them.
        rules: The bots' `rules` settings, as in config.yaml.
        third: Add Gammaspace, which is small.
        apart: Give each space a homeserver of its own; the homeservers federate.
        encrypted: Encrypt all rooms, as clients do; the people's clients encrypt too.
        pages: Serve each bot's pages and API, also for InvenTree names and passwords where that is safe.
        inventrees: The behaviour of their InvenTrees.
    """

    room: str
    homeserver: Homeserver
    attraktor: Space
    betaspace: Space
    gammaspace: Space

    def __init__(  # noqa: PLR0913 -- one keyword for each thing that a scene may need
        self,
        folder: Path | None = None,
        *,
        access: Literal["relayed", "direct"] = "relayed",
        default_rate_limits: bool = True,
        rules: Mapping[str, Any] | None = None,
        third: bool = False,
        apart: bool = False,
        encrypted: bool = False,
        pages: bool = False,
        inventrees: InvenTrees | None = None,
    ) -> None:
        self._inventrees = inventrees or InvenTrees()
        self._wanted_folder = folder
        self._access = access
        self._default_rate_limits = default_rate_limits
        self._rules = dict(rules or {})
        self._apart = apart
        self._encrypted = encrypted
        self._pages = pages
        self._homeservers: dict[Cast, Homeserver] = {}
        self._casts = (ATTRAKTOR, BETASPACE, GAMMASPACE) if third else (ATTRAKTOR, BETASPACE)
        self._stack = AsyncExitStack()
        self.folder = Path()
        self.accounts: dict[str, Account] = {}
        self.people: dict[str, Person] = {}

    @property
    def pair(self) -> tuple[Space, Space]:
        """The two makerspaces of the story."""
        return self.attraktor, self.betaspace

    @property
    def spaces(self) -> tuple[Space, ...]:
        """All makerspaces."""
        return tuple(getattr(self, cast.party) for cast in self._casts)

    async def __aenter__(self) -> Self:
        """Build everything; if that fails, end what was started."""
        try:
            await self._build()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything, bots first so that they stop in order."""
        await self._stack.aclose()

    async def _build(self) -> None:
        if self._wanted_folder is None:
            self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="fedbot-")))
        else:
            self.folder = self._wanted_folder
            self.folder.mkdir(parents=True, exist_ok=True)
        self._homeservers = self._built_homeservers()
        self.homeserver = self._homeservers[ATTRAKTOR]
        inventrees = {cast: self._inventree(cast) for cast in self._casts}
        await asyncio.gather(
            *(self._stack.enter_async_context(homeserver) for homeserver in set(self._homeservers.values())),
            *(asyncio.to_thread(process.start) for process in inventrees.values()),
        )
        for cast in self._casts:
            for name in cast.people:
                self.accounts[name] = await self._homeservers[cast].register(name)
                person = (EncryptedPerson if self._encrypted else Person)(self.accounts[name])
                self.people[name] = await self._stack.enter_async_context(person)
        await self._open_room()
        for cast, process in inventrees.items():
            setattr(self, cast.party, await self._space(cast, process))
        for space in self.spaces:
            self._stack.push_async_callback(space.bot.stop)
        await asyncio.gather(*(space.bot.start() for space in self.spaces))
        await self.announced()

    def _built_homeservers(self) -> dict[Cast, Homeserver]:
        """The homeserver of each space's people and bot."""
        limits = self._default_rate_limits
        if not self._apart:
            return dict.fromkeys(self._casts, Homeserver(self.folder / "homeserver", default_rate_limits=limits))
        authority = CertificateAuthority(self.folder / "authority")
        folders = {cast: self.folder / f"homeserver-{cast.party}" for cast in self._casts}
        return {
            cast: Homeserver(folder, default_rate_limits=limits, authority=authority)
            for cast, folder in folders.items()
        }

    def homeserver_of(self, space: Space) -> Homeserver:
        """The homeserver of the space's people and bot."""
        return self._homeservers[space.cast]

    def _inventree(self, cast: Cast) -> InvenTreeProcess:
        folder = self.folder / cast.party
        folder.mkdir(mode=0o700, exist_ok=True)
        process = InvenTreeProcess(
            seed=cast.seed,
            version=self._inventrees.version_of(cast),
            state_file=folder / "inventree.json",
            latency=self._inventrees.latency,
        )
        self._stack.callback(process.stop)
        return process

    async def _open_room(self) -> None:
        """Create the federation room, as the first space's superuser, with all people in it."""
        anna, *others = self.people.values()
        self.room = await anna.create_room(
            ROOM_NAME,
            invite=[person.user_id for person in others],
            power_levels=_POWER_LEVELS,
            initial_state=self._initial_state(),
        )
        host = anna.user_id.partition(":")[2]
        await asyncio.gather(*(self._come_in(person, host) for person in others))
        await asyncio.gather(*(person.sync() for person in self.people.values()))

    def _initial_state(self) -> tuple[Mapping[str, Any], ...]:
        return (ENCRYPTION,) if self._encrypted else ()

    async def _come_in(self, person: Person, host: str) -> None:
        """Join through the homeserver that created the room: several joins at once from another one can fail."""
        if self._apart:
            await person.wait_for_invitation(self.room, _INVITED_WITHIN_S)
        await person.join(self.room, via=(host,))

    async def _space(self, cast: Cast, inventree: InvenTreeProcess) -> Space:
        """The space with its bot's account and settings. The bot is invited but not started."""
        account = await self._homeservers[cast].register(f"{cast.party}-bot", display_name=f"{cast.name} bot")
        self.accounts[f"{cast.party}-bot"] = account
        people = {name: self.people[name] for name in cast.people}
        superuser = people[cast.people[0]]
        admin_room = await superuser.create_room(
            f"{cast.name} admins", invite=[account.user_id], initial_state=self._initial_state()
        )
        await superuser.invite(self.room, account.user_id)
        folder = self.folder / cast.party
        settings = self._settings(cast, account, inventree, admin_room)
        for name, secret in (
            ("matrix-password", account.password),
            ("inventree-token", inventree.tokens["fedbot"]),
            ("inventree-admin-token", inventree.tokens["admin"]),
        ):
            _write_secret(folder / name, secret)
        return Space(cast, folder, account, inventree, people, admin_room, settings)

    def _settings(self, cast: Cast, account: Account, inventree: InvenTreeProcess, admin_room: str) -> dict[str, Any]:
        return {
            "party": {
                "id": cast.party,
                "name": cast.name,
                "time_zone": TIME_ZONE,
                "peer_access": self._access,
            },
            "matrix": {
                "homeserver": self._homeservers[cast].url,
                "user": account.user_id,
                "password_file": "matrix-password",
            },
            "rooms": [self.room],
            "admin_room": admin_room,
            "people": {self.people[name].user_id: name for name in cast.people},
            "inventree": {
                "url": inventree.url,
                "private_peers": [other.party for other in (ATTRAKTOR, BETASPACE, GAMMASPACE) if other is not cast],
                "token_file": "inventree-token",
                "admin_token_file": "inventree-admin-token",
                "approvers_group": seeds.APPROVERS,
                "destination": cast.destination,
            },
            "rules": {**self._rules, **_pinned(cast, Version.named(inventree.version))},
            **({"pages": _pages(Version.named(inventree.version))} if self._pages else {}),
        }

    async def announced(self) -> None:
        """Wait until all bots have announced their spaces, have read each other's, and are in their admin rooms."""
        for space in self.spaces:
            bot = space.account.user_id
            for reader in (each.superuser for each in self.spaces):  # people on other homeservers see it later
                await reader.wait_for(
                    lambda event, bot=bot: event.type == PARTY_EVENT and event.state_key == bot,  # type: ignore[misc]
                    ANNOUNCED_WITHIN_S,
                    what=f"the announcement of {space.name}; its bot's log is {space.bot.log}",
                )
            await space.superuser.wait_for(
                lambda event, bot=bot, room=space.admin_room: (  # type: ignore[misc]
                    event.room == room and event.state_key == bot and event.content.get("membership") == "join"
                ),
                ANNOUNCED_WITHIN_S,
                what=f"{bot} in its admin room; its log is {space.bot.log}",
            )
            await space.bot.has_read_of({each.party for each in self.spaces if each is not space}, ANNOUNCED_WITHIN_S)


async def _parts(client: httpx.AsyncClient, ipn: str) -> list[dict[str, Any]]:
    """The parts with that IPN."""
    found: list[dict[str, Any]] = (await client.get("/api/part/", params={"IPN": ipn})).raise_for_status().json()
    return found


def _pinned(cast: Cast, version: Version) -> dict[str, Any]:
    """Name the deciders in the settings where InvenTree lets any account give itself permissions."""
    if version.keeps_rights_safe:
        return {}
    return {"pinned_superusers": [cast.people[0]], "pinned_approvers": list(cast.people[1:])}


def _pages(version: Version) -> dict[str, Any]:
    """Pages on a free port. Older InvenTrees can't be used to sign in (`pages.inventree_login`)."""
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    return {"listen": address, "url": f"http://{address}", "inventree_login": version.keeps_rights_safe}


def _write_secret(path: Path, text: str) -> None:
    """Write a file that was never readable by others, not even while it was created."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
