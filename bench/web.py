"""`ledger_pages_a_second`, `ledger_p99_s`, `ledger_cpu_ms`, `web_rss_mib`: a ledger's page with 100,000 transfers.

The bots, their InvenTrees and the browser run in this process, like in the dialogue tests; the journal is in memory.
`handover_under_callers`: the effect of 50 callers at once on a push between bots on a real homeserver.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from statistics import median

import httpx

from bench import handover
from bench.history import lengthen
from bench.observed import resident_mib
from fedbot_demo.stage import Space, Stage
from tests.scenarios.browsing import URL, Web, encrypted
from tests.scenarios.world import friends

CALLS = 300
CALLERS = 50


@dataclass(frozen=True)
class Served:
    """Each call's seconds, the processor seconds of all calls, and the memory that the pages took, in MiB."""

    seconds: list[float]
    cpu_s: float
    rss_mib: float

    @property
    def a_second(self) -> float:
        """Calls per second, one after the other."""
        return len(self.seconds) / sum(self.seconds)

    @property
    def cpu_ms(self) -> float:
        """Processor milliseconds for one page, including the browser."""
        return 1000 * self.cpu_s / len(self.seconds)

    @property
    def p99_s(self) -> float:
        """The 99th percentile of the seconds."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)]


async def measure(transfers: int) -> Served:
    """Request pages as one person, from all over the ledger."""
    world = await friends(alpha={"pages_url": URL})
    await world.hand_over()
    lengthen(world.alpha.journal._database._connection, world.alpha.transfer(), transfers)  # noqa: SLF001
    await encrypted(world)
    before = resident_mib(os.getpid())
    web = Web(world, world.alpha, calls_a_minute=10 * CALLS)
    browser = web.visitor()
    await browser.signs_in(world.anna)
    seconds: list[float] = []
    path, used = "/ledger", time.process_time()
    for _ in range(CALLS):
        began = time.perf_counter()
        answer = await browser.client.get(f"/lending{path}")
        seconds.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.text  # noqa: PLR2004
        path = _older(answer.text) or "/ledger"
    return Served(seconds, time.process_time() - used, resident_mib(os.getpid()) - before)


def _older(page: str) -> str:
    """The link to older transfers."""
    _, found, rest = page.partition('href="/lending/ledger?cursor=')
    return f"/ledger?cursor={rest.partition(chr(34))[0]}" if found else ""


@dataclass(frozen=True)
class Crowded:
    """Seconds of each push alone, and of each beside the callers; and the callers' number of pages."""

    alone: list[float]
    beside: list[float]
    pages: int

    @property
    def ratio(self) -> float:
        """The median beside the callers over the median alone."""
        return median(self.beside) / median(self.alone)


async def crowded(stage: Stage, rounds: int) -> Crowded:
    """Make `rounds` pushes alone and beside 50 callers of attraktor's pages, in turn, so a busy moment affects both."""
    url = await _with_pages(stage.attraktor)
    alone: list[float] = []
    beside: list[float] = []
    pages: list[int] = []
    async with _signed_in(stage.attraktor, url) as browser:
        for _ in range(rounds):
            alone.append((await handover.push(stage)).seconds)
            async with asyncio.TaskGroup() as group:
                crowd = [group.create_task(_calls(browser, pages)) for _ in range(CALLERS)]
                beside.append((await handover.push(stage)).seconds)
                for each in crowd:
                    each.cancel()
    return Crowded(alone, beside, len(pages))


async def _with_pages(space: Space) -> str:
    """Restart the space's bot with pages; return their address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    url = f"http://{address}"
    await space.bot.stop()
    space.settings["pages"] = {"listen": address, "url": url, "inventree_login": True, "calls_a_minute": 6000}
    space.write_settings()
    await space.bot.start()
    return url


@asynccontextmanager
async def _signed_in(space: Space, url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of one of the space's people, signed in on its pages."""
    limits = httpx.Limits(max_connections=CALLERS)
    headers = {"Origin": url}
    who = space.cast.people[0]
    async with httpx.AsyncClient(base_url=url, limits=limits, headers=headers, trust_env=False, timeout=60) as browser:
        login = {"username": who, "password": space.inventree.passwords[who]}
        answer = await browser.post("/sign-in/inventree", data=login)
        if answer.status_code != 303:  # noqa: PLR2004
            raise RuntimeError(f"nobody is signed in: {answer.status_code} {answer.text}")
        yield browser


async def _calls(browser: httpx.AsyncClient, pages: list[int]) -> None:
    """One of the callers, who loads the ledger again and again."""
    while True:
        answer = await browser.get("/ledger")
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            await asyncio.sleep(float(answer.headers["Retry-After"]))
        else:
            pages.append(answer.raise_for_status().status_code)
