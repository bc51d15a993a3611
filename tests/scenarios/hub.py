"""A hub on real servers: workers as processes, with the stage's spaces and quiet ones."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from fedbot.config.hub import HubSettings, load_hub
from fedbot.hub import tending
from fedbot.web.asking import ask
from fedbot_demo import bot_process, client_server, plot, stocktake
from fedbot_demo import stage as stages
from fedbot_demo.inventree.process import InvenTreeProcess
from fedbot_demo.leash import LeashedProcess
from fedbot_demo.stage import Stage
from tests.e2e import scene
from tests.e2e.scene import eventually

OF_A_ROOM = 8
REPOSITORY = Path(__file__).parent.parent.parent
ENCRYPTION = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}


_LIMITS = (
    (bot_process, "READY_WITHIN_S"),
    (client_server, "REPLY_S"),
    (plot, "CONNECTED_WITHIN_S"),
    (plot, "PATIENCE_S"),
    (scene, "PATIENCE_S"),
    (stages, "ANNOUNCED_WITHIN_S"),
    (stocktake, "PATIENCE_S"),
)


@contextmanager
def patient(seconds: float) -> Iterator[None]:
    """Let scripted people and the stage wait that long for anything, for long runs on a busy machine."""
    with ExitStack() as stack:
        for module, limit in _LIMITS:
            stack.enter_context(patch.object(module, limit, seconds))
        yield


class HubWorker:
    """`fedbot hub run` as a process, without budgets (see `unbudgeted`)."""

    def __init__(self, folder: Path, name: str, hub: dict[str, Any]) -> None:
        self.config = folder / f"{name}.yaml"
        self.config.write_text(yaml.safe_dump(hub | {"state": name}))
        self.settings = load_hub(self.config)
        self.is_paused = False
        words = ["hub", "run", "--config", str(self.config)]
        self.process = LeashedProcess(
            "tests.scenarios.unbudgeted", words, log=folder / f"{name}.log", folder=REPOSITORY
        )

    async def spaces(self) -> dict[str, Any]:
        """The health of each of its spaces; empty if it doesn't answer."""
        if self.is_paused or not self.process.is_running:
            return {}
        answer = await asyncio.to_thread(ask, self.settings.health_socket)
        spaces: dict[str, Any] = (answer or {}).get("spaces", {})
        return spaces

    async def hears(self) -> set[str]:
        """The spaces whose rooms it listens to."""
        return {name for name, each in (await self.spaces()).items() if each["matrix"]}

    async def has(self, space: str) -> bool:
        """Whether it works for this space."""
        return (await self.spaces()).get(space, {}).get("state") in ("works", "begins")

    def pause(self) -> None:
        """Pause the process until `go_on`."""
        self.is_paused = True
        os.kill(self.process.pid or 0, signal.SIGSTOP)

    def go_on(self) -> None:
        """Resume the process."""
        self.is_paused = False
        os.kill(self.process.pid or 0, signal.SIGCONT)


@dataclass
class HubScene:
    """The folder that the workers share, and all workers created so far. `quiet` are the names of the quiet spaces."""

    stage: Stage
    folder: Path
    url: str
    workers: list[HubWorker] = field(default_factory=list)
    quiet: list[str] = field(default_factory=list)
    quiet_rooms: list[str] = field(default_factory=list)

    def worker(self) -> HubWorker:
        """Create one more worker, not started yet."""
        made = HubWorker(self.folder, f"w{len(self.workers) + 1}", {"database": {"url": self.url}, "spaces": "spaces"})
        self.workers.append(made)
        return made

    @property
    def settings(self) -> HubSettings:
        """The settings that an operator's commands use."""
        (self.folder / "hub.yaml").write_text(yaml.safe_dump({"database": {"url": self.url}, "spaces": "spaces"}))
        return load_hub(self.folder / "hub.yaml")

    async def take_in_the_stage(self) -> None:
        """Stop the stage's bots and continue them in the hub."""
        hub = self.settings
        for space in self.stage.spaces:
            await space.bot.stop()
            tending.copy_settings(space.folder / "config.yaml", hub, space.party)
            await asyncio.to_thread(tending.take_in, hub, space.party, space.folder / "state")
            space.settings["journal"] = {"url": self.url}

    async def add_quiet(self, number: int, inventree: InvenTreeProcess, *, encrypted: bool = False) -> None:
        """Add spaces that only listen, in rooms of eight. They share an InvenTree, which nothing reads."""
        state = [ENCRYPTION] if encrypted else []
        hub, maker = self.settings, self.stage.attraktor.superuser
        for first in range(0, number, OF_A_ROOM):
            names = [f"quiet-{each}" for each in range(first, min(first + OF_A_ROOM, number))]
            accounts = [await self.stage.homeserver.register(name) for name in names]
            invited = [account.user_id for account in accounts]
            room = await maker.create_room(f"Room {first}", invite=invited, initial_state=state)
            self.quiet_rooms.append(room)
            for name, account in zip(names, accounts, strict=True):
                raw = {
                    "party": {"id": name, "name": name},
                    "matrix": {
                        "homeserver": self.stage.homeserver.url,
                        "user": account.user_id,
                        "access_token_file": "matrix-token",
                    },
                    "rooms": [room],
                    "admins": [maker.user_id],
                    "people": {maker.user_id: "gus"},
                    "inventree": {"url": inventree.url, "token_file": "inventree-token"},
                }
                folder = hub.folder_of(name)
                folder.mkdir(parents=True)
                for file, secret in (
                    ("matrix-token", account.access_token),
                    ("inventree-token", inventree.tokens["fedbot"]),
                    ("config.yaml", yaml.safe_dump(raw)),
                ):
                    (folder / file).write_text(secret)
                    (folder / file).chmod(0o600)
                await asyncio.to_thread(tending.take_in, hub, name, self.folder / "moved" / name)
                self.quiet.append(name)

    @property
    def everybody(self) -> set[str]:
        """All spaces of the hub."""
        return {*self.quiet, *(space.party for space in self.stage.spaces)}

    async def at(self, space: str, timeout: float) -> HubWorker:
        """The worker of that space, as soon as there is one. Raises AssertionError."""

        async def working() -> list[HubWorker]:
            return [each for each in self.workers if await each.has(space)]

        return (await eventually(working, f"a worker works for {space}", timeout))[0]

    async def until_all_are_heard(self, timeout: float, by: HubWorker | None = None) -> None:
        """Wait until the workers (or this one) listen to the rooms of all spaces. Raises AssertionError."""

        async def all_are_heard() -> bool:
            return self.everybody <= await self._heard([by] if by else self.workers)

        await eventually(all_are_heard, "all rooms are heard", timeout)

    @staticmethod
    async def _heard(workers: list[HubWorker]) -> set[str]:
        heard: set[str] = set()
        for worker in workers:
            heard |= await worker.hears()
        return heard


@asynccontextmanager
async def hub_on(stage: Stage, url: str) -> AsyncIterator[HubScene]:
    """A hub in a folder next to the stage's spaces; its workers end with it."""
    folder = stage.folder / "hub"
    folder.mkdir()
    made = HubScene(stage, folder, url)
    try:
        yield made
    finally:
        for worker in made.workers:
            if worker.process.is_running:
                worker.go_on()
            await worker.process.stop(grace=12)
