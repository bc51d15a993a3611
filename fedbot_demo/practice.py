"""The pretend friend of `fedbot practice`: its InvenTree, its bot, and Robin, who asks and decides there.

Robin has no Matrix account. The friend's own account posts Robin's lines, and hands them to its bot as Robin's.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from fedbot.config.loading import load
from fedbot.config.settings import Settings
from fedbot.edge_settings import identity_folder
from fedbot.engine.bot import Bot, BotResources, build_bot
from fedbot.files import PRIVATE_FILE, write_whole
from fedbot.journal.journal import Journal
from fedbot.ports.chat import ChatLimited, ChatUnreachable, Delivery
from fedbot.rules.model.decision import APPROVE_KEY
from fedbot.rules.model.events import Reacted, Said
from fedbot.rules.model.lifecycles import FINAL, ConnectionState
from fedbot.rules.model.party_config import PRACTICE
from fedbot.rules.model.transfer import Transfer
from fedbot.rules.state import Turn
from fedbot.rules.who_decides import decides_here, is_open
from fedbot.setup.practice import INVENTREE, PARTS, PASSWORD, PROGRESS, Friend
from fedbot_demo.inventree import seeds
from fedbot_demo.inventree.kept import keep, kept
from fedbot_demo.inventree.seeding import Seeded, Seeder
from fedbot_demo.inventree.server import Serving, serve
from fedbot_demo.inventree.state import Clock, system_clock

NAME = "PRACTICE friend"
ROBIN = "@robin:practice.invalid"
"""A server name that no homeserver can have."""
_USER = "robin"
_LOOK_EVERY_S = 1.0
_HAS = 100
_BOLT, _LENS, _DRILL, _CAMERA = (ipn for _, ipn, _ in PARTS)


def friends_inventree(clock: Clock = system_clock) -> Seeded:
    """An InvenTree where Robin is superuser, with a hundred of each thing."""
    seeder = Seeder(NAME, clock)
    seeder.user(_USER, seeds.approvers(seeder), first_name="Robin", is_staff=True, is_superuser=True)
    seeds.bots_account(seeder)
    for name in (seeds.OUTGOING, seeds.INCOMING):
        seeder.location(name)
    shelf, category = seeder.location("Shelf"), seeder.category("Practice")
    for name, ipn, _ in PARTS:
        seeder.stock(seeder.part(name, ipn, category=category), _HAS, shelf)
    return seeder.finished()


@dataclass(frozen=True)
class Scene:
    """A line of Robin's, and the explanation that the terminal shows before it."""

    line: str
    told: str


def scenes(us: str) -> tuple[Scene, ...]:
    """Robin gives, takes, lends, and borrows something without returning it in time."""
    return (
        Scene(
            f"!fed push 10 {_LENS} to {us}",
            "Robin offers you 10 lenses. Tap ✅ below your bot's card. They are booked into your InvenTree then.",
        ),
        Scene(
            f"!fed request 5 {_BOLT} from {us}",
            "Robin asks you for 5 bolts. Tap ✅ to give them away, or ❌.",
        ),
        Scene(
            f"!fed lend 1 {_CAMERA} to {us} until in 1 week",
            "Robin lends you a camera for a week. Tap ✅. To bring it back, reply to the card: !fed return",
        ),
        Scene(
            f"!fed request 1 {_DRILL} from {us} until today",
            "Robin wants to borrow a drill until this evening. Tap ✅. Robin won't bring it back: from tomorrow on "
            "!fed loans says that it is late. To settle that, reply to the card: !fed gift, or !fed lost",
        ),
    )


_YOUR_TURN = (
    f"Now it is your turn. Try !fed find lens, !fed request 1 {_CAMERA} from {PRACTICE}, !fed push 1 {_BOLT} to "
    f"{PRACTICE}: Robin says yes to everything."
)


@dataclass
class Progress:
    """The number of scenes played, and the port of the friend's InvenTree; kept in a file."""

    file: Path
    played: int = 0
    port: int = 0

    @classmethod
    def kept_in(cls, file: Path) -> Progress:
        """The stored progress, or a new one if there is no file. Raises OSError, and ValueError if it can't be read."""
        if not file.exists():
            return cls(file)
        said = json.loads(file.read_bytes())
        return cls(file, int(said["played"]), int(said["port"]))

    def after_one_more(self) -> None:
        """Count one more scene and store it."""
        self.played += 1
        self.write()

    def write(self) -> None:
        """Store it."""
        write_whole(self.file, json.dumps({"played": self.played, "port": self.port}).encode())


@dataclass
class Robin:
    """The friend's only person, who approves everything and plays the scenes one after the other."""

    bot: Bot
    room: str
    scenes: tuple[Scene, ...]
    tell: Callable[[str], None]
    progress: Progress
    _decided: set[str] = field(default_factory=set)
    _transaction: str = ""
    """The transaction id of the scene that is being sent. Each try has the same, so Matrix shows the scene once."""
    _is_cut_off: bool = False

    async def live(self) -> None:
        """Decide and play scenes until cancelled."""
        while True:
            turn = Turn(self.bot.engine.state, self.bot.clock.now())
            self._decide(turn)
            if self._may_go_on(turn):
                await self._play()
            await asyncio.sleep(_LOOK_EVERY_S)

    def _decide(self, turn: Turn) -> None:
        """Approve each of the friend's own cards, once."""
        for subject in turn.subjects():
            card = subject.card_to_act_on
            if card and card not in self._decided and decides_here(turn.us, subject) and is_open(subject):
                self._decided.add(card)
                event, at = f"$practice-{secrets.token_hex(8)}", self.bot.clock.now()
                self.bot.engine.put(Reacted(self.room, event, ROBIN, at, card, APPROVE_KEY))

    def _may_go_on(self, turn: Turn) -> bool:
        """Whether both are friends, and no transfer waits for an answer."""
        friends = any(connection.state is ConnectionState.ACTIVE for connection in turn.connections())
        waits = any(_waits(transfer) for transfer in turn.living_transfers())
        return self.progress.played < len(self.scenes) and friends and not waits

    async def _play(self) -> None:
        """Say the next scene's line; if the homeserver doesn't answer, once more at the next look."""
        scene = self.scenes[self.progress.played]
        if not self._transaction:
            self.tell(scene.told)
            self._transaction = secrets.token_hex(16)
        message = {"msgtype": "m.notice", "body": f"Robin (PRACTICE): {scene.line}"}
        try:
            sent = await self.bot.chat.send(Delivery(self.room, "m.room.message", message, self._transaction))
        except (ChatUnreachable, ChatLimited) as problem:
            if not self._is_cut_off:
                self.tell(f"! {problem.text}. I go on as soon as it answers.")
            self._is_cut_off = True
            return
        self._transaction, self._is_cut_off = "", False
        said = Said(self.room, sent, ROBIN, self.bot.clock.now(), scene.line, encrypted=True)
        self.bot.engine.put(said)
        self.progress.after_one_more()
        if self.progress.played == len(self.scenes):
            self.tell(_YOUR_TURN)


def _waits(transfer: Transfer) -> bool:
    return transfer.state not in FINAL and not transfer.is_on_loan


def _written_settings(friend: Friend, ours: Settings, url: str, seeded: Seeded) -> Path:
    """Write the friend's settings and secrets, with our homeserver. The id is a placeholder; see `play`."""
    folder = friend.folder
    for name, user in (("inventree-token", seeds.SERVICE), ("inventree-admin-token", "admin")):
        write_whole(folder / name, f"{seeded.token(user)}\n".encode(), PRIVATE_FILE)
    settings = {
        "party": {"id": "pretend", "name": NAME, "language": ours.party.language, "time_zone": ours.party.time_zone},
        "matrix": {
            "homeserver": ours.matrix.homeserver,
            "user": friend.account,
            "password_file": PASSWORD,
            **({"ca_file": str(ours.matrix.ca_file)} if ours.matrix.ca_file else {}),
        },
        "rooms": [friend.room],
        "people": {ROBIN: _USER},
        "inventree": {
            "url": url,
            "token_file": "inventree-token",
            "admin_token_file": "inventree-admin-token",
            "approvers_group": seeds.APPROVERS,
        },
        "rules": {"grace_seconds": 1},  # Robin never takes a decision back
        "state": str(ours.state),  # a path whose length was accepted already; see `play`
    }
    config = folder / "config.yaml"
    write_whole(config, yaml.safe_dump(settings, allow_unicode=True, sort_keys=False).encode(), PRIVATE_FILE)
    return config


async def play(friend: Friend, ours: Settings, tell: Callable[[str], None]) -> None:
    """Run the friend of the bot with these settings until cancelled. Raises what `engine.bot.run` does."""
    file, progress = friend.folder / INVENTREE, Progress.kept_in(friend.folder / PROGRESS)
    seeded = kept(file) if file.exists() else keep(friends_inventree(), file)
    async with AsyncExitStack() as stack:
        inventree = await stack.enter_async_context(_served(seeded, progress.port))
        progress.port = urlsplit(inventree.url).port or 0
        progress.write()
        settings = load(_written_settings(friend, ours, inventree.url, seeded))
        party = settings.party.model_copy(update={"id": PRACTICE})
        settings = settings.model_copy(update={"party": party, "state": friend.folder / "state"})
        journal = stack.enter_context(Journal.open(settings.state))
        bot, _ = await build_bot(BotResources(settings, journal, identity_folder(settings)), stack)
        await bot.start()
        robin = Robin(bot, friend.room, scenes(ours.party.id), tell, progress)
        async with asyncio.TaskGroup() as group:
            group.create_task(bot.run())
            group.create_task(robin.live())


@asynccontextmanager
async def _served(seeded: Seeded, port: int) -> AsyncIterator[Serving]:
    """Serve the friend's InvenTree at its former port, because links name it; at another if that one is taken."""
    async with AsyncExitStack() as stack:
        try:
            serving = await stack.enter_async_context(serve(Serving(seeded.server), port=port))
        except OSError:
            serving = await stack.enter_async_context(serve(Serving(seeded.server)))
        yield serving
