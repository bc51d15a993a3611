"""A space's pages and API on a local port, while its people and bots go on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from fedbot.rules.model.events import Event
from fedbot.web.site.app import application
from fedbot.web.site.serving import Served
from tests.scenarios.browsing import encrypted
from tests.scenarios.world import World, sharing


@asynccontextmanager
async def running(
    happens: Callable[[World], Awaitable[None]] | None = None,
) -> AsyncIterator[tuple[World, str, asyncio.Condition]]:
    """Attraktor's pages on a local port, while its people and bots go on; `happens` prepares the world."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    world = await sharing(alpha={"pages_url": url})
    await encrypted(world)
    if happens is not None:
        await happens(world)
    gateway, came = world.alpha.bot.gateway(), asyncio.Event()
    put = gateway.put

    def noticed(event: Event) -> None:
        put(event)
        came.set()

    gateway.put = noticed  # type: ignore[method-assign]
    app = application(
        gateway,
        url=url,
        session=timedelta(days=14),
        calls_a_minute=60_000,
        strangers_calls_a_minute=60_000,
    )
    async with Served(app, f"127.0.0.1:{port}"), asyncio.TaskGroup() as group:
        rests = asyncio.Condition()
        going_on = group.create_task(_goes_on(world, came, rests))
        yield world, url, rests
        going_on.cancel()


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


async def _goes_on(world: World, came: asyncio.Event, rests: asyncio.Condition) -> None:
    """Let the bots work whenever something came by a page or by chat."""
    while True:
        came.clear()
        said = world.server.next_event()
        await world.settle()
        async with rests:
            rests.notify_all()
        by_page = asyncio.ensure_future(came.wait())
        either: list[asyncio.Future[Any]] = [said, by_page]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            said.cancel()
            by_page.cancel()


async def until(rests: asyncio.Condition, happened: Callable[[], bool]) -> None:
    """Let the bots go on until the condition holds."""
    async with asyncio.timeout(15), rests:
        await rests.wait_for(happened)
