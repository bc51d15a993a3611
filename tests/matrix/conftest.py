"""A real homeserver for a module of tests, people on it, and bots' accounts by the real edge."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest_asyncio

from fedbot.matrix.client import MatrixChat
from fedbot.matrix.login import Account as BotAccount
from fedbot.ports.chat import Batch
from fedbot.rules.model.events import ChatEvent
from fedbot_demo.homeserver import Homeserver
from tests.demo.conftest import homeserver, introduce

__all__ = ["Bot", "Employ", "homeserver", "introduce"]


@dataclass
class Bot:
    """An account on the real edge with its sync position, which the journal would keep."""

    chat: MatrixChat
    account: BotAccount
    folder: Path
    token: str | None = None
    events: list[ChatEvent] = field(default_factory=list)

    @property
    def user_id(self) -> str:
        return self.chat.user_id

    async def sync(self, timeout: float = 0) -> Batch:
        batch = await self.chat.sync(self.token, timeout)
        self.token = batch.token
        self.events += batch.events
        return batch

    async def news(self) -> list[ChatEvent]:
        """All events until nothing more comes."""
        found: list[ChatEvent] = []
        while True:
            batch = await self.sync()
            if not batch.events:
                return found
            found += batch.events

    async def until(self, wanted: Callable[[ChatEvent], bool]) -> ChatEvent:
        """The first wanted event from now on; pytest's time limit ends a wait in vain."""
        while True:
            for event in (await self.sync(timeout=10)).events:
                if wanted(event):
                    return event

    async def restart(self) -> None:
        """A new process on the same folder and token."""
        await self.chat.close()
        self.chat = await MatrixChat.open(self.account, self.folder)


Employ = Callable[[Homeserver, str], Awaitable[Bot]]


@pytest_asyncio.fixture(loop_scope="module")
async def employ(tmp_path: Path) -> AsyncIterator[Employ]:
    """Registers a bot on a homeserver and signs it in by password."""
    bots: list[Bot] = []

    async def register(server: Homeserver, name: str) -> Bot:
        registered = await server.register(name)
        folder = tmp_path / name
        folder.mkdir()
        account = BotAccount(server.url, name, password=registered.password, request_timeout=15)
        bots.append(Bot(await MatrixChat.open(account, folder), account, folder))
        return bots[-1]

    yield register
    for bot in bots:
        await bot.chat.close()
