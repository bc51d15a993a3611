"""`python -m tests.web.pictures docs/images`: the docs' pictures of the pages, taken from a real run in Chromium."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, StorageState, ViewportSize

from tests.dialogue.test_files_that_travel import picture
from tests.scenarios.world import World
from tests.web.serving import running
from tests.web.test_in_chromium import browser
from tests.web.test_pictures import a_png

PHONE, DESK = ViewportSize(width=390, height=720), ViewportSize(width=1100, height=700)
LANGUAGES = {"en": "en-GB", "de": "de-DE"}


@dataclass(frozen=True)
class Device:
    """A reader's device, and the pages shown on it."""

    name: str
    size: ViewportSize
    colours: Literal["light", "dark"]
    pages: tuple[str, ...]


DEVICES = (
    Device("phone", PHONE, "light", ("loans", "find")),
    Device("desk", DESK, "dark", ("calendar", "screen")),
)


Shape = Callable[[int, int], bool]
DRAWN: dict[str, tuple[bytes, Shape]] = {
    "ACR-3-CL": (b"\xa9\xc8\xd6", lambda x, y: 14 < x < 114 and 34 < y + x // 4 < 104),
    "M3-BOLT": (b"\x7c\x84\x8a", lambda x, y: abs(y - 64) < (26 if x < 36 else 10) and 14 < x < 116),
    "N-M3": (b"\xc2\x9a\x3a", lambda x, y: (x - 64) ** 2 + (y - 64) ** 2 > 520 and max(abs(x - 64), abs(y - 64)) < 46),
}
"""Betaspace's pictures, by IPN: a colour, and its shape in 128 by 128 pixels."""


def drawn(colour: bytes, shape: Shape) -> bytes:
    """A picture of a part on white."""
    rows = (b"".join(colour if shape(x, y) else b"\xff" * 3 for x in range(128)) for y in range(128))
    return a_png(128, 128, raw=b"".join(b"\0" + row for row in rows))


async def happens(world: World) -> None:
    """Prepare something to see: a loan in each direction, one of them overdue, a booking, and an open request."""
    for ipn, (colour, shape) in DRAWN.items():
        picture(world.beta, world.beta.part(ipn).pk, f"{ipn.lower()}.png", drawn(colour, shape))
    world.cem.says('!fed lend 2 "Nozzle 0.4 mm brass" to attraktor for 12 days')
    await world.settle()
    card = [m for m in world.room.messages(sender=world.alpha.chat.user_id) if m.reactions][-1]
    world.anna.reacts(card, "✅")
    await world.grace()
    for line in ("#42 to betaspace for 3 days", "2 Arduino Nano to betaspace from 12.12. until 19.12."):
        world.anna.says(f"!fed lend {line}")
        await world.settle()
        world.cem.reacts(world.card(), "✅")
        await world.grace()
    await world.passes(timedelta(days=5))
    world.tom.says("!fed request M3-BOLT 50 from attraktor --note for Saturday")
    await world.settle()


async def take(folder: Path) -> None:
    """Take each page on a phone and a desk, in each language."""
    async with running(happens) as (world, url, _), browser() as chromium:
        kept = await _signed_in(chromium, world, url)
        screen = await _screen(chromium, url, kept)
        for language, locale in LANGUAGES.items():
            for device in DEVICES:
                context = await chromium.new_context(
                    viewport=device.size, color_scheme=device.colours, locale=locale, storage_state=kept
                )
                page = await context.new_page()
                paths = {"loans": "/loans", "calendar": "/calendar?month=2026-12", "screen": screen, "find": "/find"}
                for name in device.pages:
                    await page.goto(url + paths[name])
                    if name == "find":
                        await _finds(page)
                    await page.screenshot(path=folder / f"web-{name}-{device.name}-{language}.png")
                await context.close()


async def _signed_in(chromium: Browser, world: World, url: str) -> StorageState:
    """The session of an approver."""
    page = await chromium.new_page()
    await page.goto(url)
    await page.get_by_role("button").click()
    world.piet.says((await page.locator("p.code").inner_text()).strip())
    await page.wait_for_url(f"{url}/")
    state = await page.context.storage_state()
    await page.context.close()
    return state


async def _screen(chromium: Browser, url: str, kept: StorageState) -> str:
    """The path of a wall screen."""
    context = await chromium.new_context(storage_state=kept)
    page = await context.new_page()
    await page.goto(f"{url}/access")
    await page.locator("#address-name").fill("hall")
    await page.locator("#kind").select_option("screen")
    await page.locator("form[action$=addresses] button").click()
    address = await page.locator("[role=status] code").inner_text()
    await context.close()
    return address.removeprefix(url)


async def _finds(page: Page) -> None:
    """Friends' shared stock, with the form of the first hit open."""
    await page.locator("#space").select_option("betaspace")
    await page.locator("main form button").first.click()
    await page.locator("summary").first.click()


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1])))
