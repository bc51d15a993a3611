"""Programs and browsers in a dialogue: they call the pages and the API of a space's bot in the same process."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from fedbot.rules.model.events import Event
from fedbot.web.site.app import application
from tests.fakes.people import Person
from tests.scenarios.space import Space
from tests.scenarios.world import World

URL = "https://fed.attraktor.test/lending"
PREFIX = "/lending"


@dataclass
class Visitor:
    """A browser with its cookies, or a program with its token."""

    world: World
    client: httpx.AsyncClient
    said: asyncio.Event
    token: str = ""
    last: httpx.Response = field(default_factory=lambda: httpx.Response(204))

    async def calls(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401
        """Make one call while everything else in the world goes on."""
        own = [("Authorization", self.token)] if self.token else []
        headers = [*own, *httpx.Headers(options.pop("headers", {})).multi_items()]
        call = asyncio.ensure_future(self.client.request(method, f"{PREFIX}{path}", headers=headers, **options))
        async with asyncio.timeout(20):
            while not call.done():
                said = asyncio.ensure_future(self.said.wait())
                await asyncio.wait({call, said}, return_when=asyncio.FIRST_COMPLETED)
                said.cancel()
                if self.said.is_set():
                    self.said.clear()
                    await self.world.settle()
        self.last = await call
        return self.last

    async def gets(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401
        return await self.calls("GET", path, **options)

    async def reads(self, path: str, **params: Any) -> Any:  # noqa: ANN401
        """The JSON of the answer."""
        answer = await self.gets(f"/api/v1{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def says(self, line: str, **more: str) -> httpx.Response:
        """Send a line through the API."""
        key = more.pop("key", "")
        headers = {"Idempotency-Key": key} if key else {}
        return await self.calls("POST", "/api/v1/lines", json={"line": line, **more}, headers=headers)

    async def decides(self, transfer: str, choice: str, **more: str) -> httpx.Response:
        """Decide through the API on what the card shows now."""
        shown = more.pop("shown", "") or (await self.reads(f"/transfers/{transfer}"))["transfer"]["card"]["shown"]
        body = {"choice": choice, "shown": shown, **more}
        return await self.calls("POST", f"/api/v1/transfers/{transfer}/decision", json=body)

    # --- as a browser ---

    async def submits(self, path: str, **fields: str) -> httpx.Response:
        """Submit a form of the last page, with its hidden fields."""
        hidden = dict(re.findall(r'name="(form|key|shown)" value="([^"]*)"', self.last.text))
        headers = {"Origin": URL.removesuffix(PREFIX)}
        return await self.calls("POST", path, data={**hidden, **fields}, headers=headers)

    async def follows(self) -> httpx.Response:
        """Follow the last answer's redirect."""
        assert self.last.status_code == 303, self.last.text
        return await self.gets(self.last.headers["location"].removeprefix(PREFIX))

    async def shows_code(self) -> str:
        """The sign-in code on the page."""
        await self.submits("/sign-in")
        await self.follows()
        (code,) = re.findall(r"!fed web ([A-Z0-9-]+)", self.last.text)
        return str(code)

    async def signs_in(self, person: Person, **where: Any) -> None:  # noqa: ANN401
        """Sign in: the person writes the code in the room."""
        person.says(f"!fed web {await self.shows_code()}", **where)
        await self.world.settle()
        answer = await self.gets("/")
        assert answer.status_code == 200, self.world.room.transcript()

    async def makes_token(self, scope: str = "act") -> str:
        """Create a token on the page."""
        await self.gets("/access")
        await self.submits("/access/tokens", name="script", scope=scope, days="30")
        (token,) = re.findall(r"<code>(fed_[^<]+)</code>", self.last.text)
        return str(token)


class Web:
    """The pages and the API of one space's bot. `said` is set when an event for the bot arrives through them."""

    def __init__(self, world: World, space: Space, **options: Any) -> None:  # noqa: ANN401
        self.world = world
        settings = {"url": URL, "session": timedelta(days=14), "calls_a_minute": 6000, **options}
        self.said = asyncio.Event()
        gateway = space.bot.gateway()
        put = gateway.put

        def puts(event: Event) -> None:
            put(event)
            self.said.set()

        gateway.put = puts  # type: ignore[method-assign]
        self.app = application(gateway, **settings)

    def visitor(self, token: str = "", host: str = "192.0.2.7") -> Visitor:
        """A new visitor from that network address."""
        transport = httpx.ASGITransport(self.app, client=(host, 1234))
        client = httpx.AsyncClient(transport=transport, base_url="https://fed.attraktor.test")
        return Visitor(self.world, client, self.said, f"Bearer {token}" if token else "")

    async def program_of(self, person: Person, scope: str = "act") -> Visitor:
        """A program with a token of that person."""
        browser = self.visitor()
        await browser.signs_in(person)
        return self.visitor(await browser.makes_token(scope))


async def encrypted(world: World) -> None:
    """Encrypt the shared room and everything written in it from now on."""
    world.anna.sets("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    await world.settle()
