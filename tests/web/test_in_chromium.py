"""The pages in a real browser: axe finds no fault, and the keyboard reaches everything visibly.

As narrow as the narrowest phone, in German, and as wide as a desk, in English; both dark and light.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from fedbot.web.site.pages import FOOT, MENU
from tests.scenarios.world import World
from tests.web.serving import running, until

PHONE, DESK = ViewportSize(width=320, height=640), ViewportSize(width=1280, height=900)
PAGES = tuple(path for _, path in (*MENU, *FOOT))
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
STOPS = """() => {
  const stops = document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary");
  window.stops = [...stops].filter((each) => each.checkVisibility());
  return window.stops.map((each) => each.outerHTML.slice(0, 90)); }"""
FOCUS = """() => { const at = document.activeElement, box = at.getBoundingClientRect(), look = getComputedStyle(at);
  return [window.stops.indexOf(at), look.outlineStyle === "solid" && parseFloat(look.outlineWidth) >= 2
    && box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0]; }"""


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as driver:
        chromium = await driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield chromium
        await chromium.close()


async def complaints(page: Page) -> list[str]:
    """The findings of axe, and elements that don't fit on the screen."""
    told = await _axe(page, AXE)
    wide = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return [*told, *([f"{page.url}: wider than the screen"] if wide else [])]


async def _axe(page: Page, options: dict[str, Any]) -> list[str]:
    found = (await Axe().run(page, options=options)).response["violations"]
    return [f"{page.url}: {each['id']}: {each['help']} {each['nodes'][0]['html']}" for each in found]


async def in_light(page: Page) -> list[str]:
    """The contrast findings of axe in the other colours."""
    await page.emulate_media(color_scheme="light")
    told = await _axe(page, CONTRAST)
    await page.emulate_media(color_scheme="dark")
    return told


async def by_keyboard(page: Page) -> list[str]:
    """Elements that Tab doesn't reach in their order, or that aren't visible with the focus."""
    stops = await page.evaluate(STOPS)
    reached: list[int] = []
    told: list[str] = []
    for _ in range(4 * len(stops)):  # a date has a stop for each of its parts
        await page.keyboard.press("Tab")
        at, is_seen = await page.evaluate(FOCUS)
        if reached and (at < reached[-1] or at == len(stops)):
            break
        if at not in reached:
            reached.append(at)
            told += [] if is_seen else [f"{page.url}: not seen with the focus: {stops[at] if at >= 0 else at}"]
    missed = [stop for number, stop in enumerate(stops) if number not in reached]
    return [*told, *(f"{page.url}: not reached by keyboard: {each}" for each in missed)]


async def _wall_screen(page: Page, url: str, world: World, rests: asyncio.Condition) -> list[str]:
    """The findings of axe on a wall screen, which refreshes itself, and has a link for use without scripts."""
    await page.goto(f"{url}/access")
    await page.locator("#address-name").fill("hall")
    await page.locator("#kind").select_option("screen")
    await page.locator("form[action$=addresses] button").click()
    address = await page.locator("[role=status] code").inner_text()
    await page.clock.install()
    await page.goto(address)
    found = await complaints(page)
    assert "bolt" not in await page.inner_text("main")
    world.tom.says("!fed request M3-BOLT 50 from attraktor")
    await until(rests, lambda: len(world.alpha.turn.open_transfers()) > 1)
    async with page.expect_response(address):
        await page.clock.fast_forward(61_000)
    await page.get_by_text("M3 bolt").first.wait_for()
    browser = page.context.browser
    assert browser is not None
    plain = await browser.new_context(java_script_enabled=False)
    shown = await plain.new_page()
    await shown.goto(address)
    assert await shown.locator("noscript a").get_attribute("href") == ""
    await plain.close()
    return found


@dataclass
class Phone:
    """The page on which piet is signed in, and the findings so far."""

    page: Page
    found: list[str] = field(default_factory=list)


@asynccontextmanager
async def a_phone(chromium: Browser, world: World, url: str) -> AsyncIterator[Phone]:
    """Sign in with a phone, in German, in the dark; fail at the end if there were findings or requests to elsewhere."""
    context = await chromium.new_context(viewport=PHONE, color_scheme="dark", locale="de-DE", has_touch=True)
    phone = Phone(await context.new_page())
    page, elsewhere = phone.page, list[str]()
    page.on("request", lambda request: None if request.url.startswith(url) else elsewhere.append(request.url))
    page.on("console", lambda said: phone.found.append(said.text) if said.type == "error" else None)
    await page.goto(url)
    await page.get_by_role("button").click()
    phone.found += await complaints(page)
    world.piet.says((await page.locator("p.code").inner_text()).strip())
    await page.wait_for_url(f"{url}/", timeout=15_000)
    yield phone
    assert await page.locator("html").get_attribute("lang") == "de"
    assert elsewhere == []
    assert phone.found == []


async def test_a_person_signs_in_finds_and_decides_by_keyboard_on_a_phone() -> None:
    async with running() as (world, url, rests), browser() as chromium, a_phone(chromium, world, url) as phone:
        page = phone.page
        world.tom.says("!fed request M3-BOLT 50 from attraktor --note for Saturday")
        await until(rests, lambda: bool(world.alpha.turn.open_transfers() and world.alpha.transfer().card))
        await page.reload()
        await page.locator("ul.rows a").first.click(timeout=5_000)
        phone.found += await complaints(page)
        await page.keyboard.press("Tab")
        assert await page.locator("a.skip:focus").count() == 1  # the first keyboard stop leads to the content
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"
        await page.keyboard.press("Tab")
        assert await page.locator("main :focus").count() == 1
        await page.locator("button[value=approve]").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{url}/lines/**")
        phone.found += await complaints(page)
        await page.goto(f"{url}/transfers/{world.alpha.transfer().id}")
        assert await page.locator("main [role=status]").count() == 1
        assert world.alpha.transfer().decision is not None
        await page.goto(f"{url}/find")
        await page.locator("#space").select_option("betaspace")
        await page.locator("main form button").click()
        await page.locator("summary").first.evaluate("each => { each.parentElement.open = true }")
        phone.found += await complaints(page)
        phone.found += await by_keyboard(page)
        for path in ("/ledger", "/access", "/items/42"):
            await page.goto(url + path)
            phone.found += await by_keyboard(page)


@pytest.mark.timeout(300)
async def test_axe_finds_nothing_on_any_page_narrow_or_wide_dark_or_light() -> None:
    async with running() as (world, url, rests), browser() as chromium, a_phone(chromium, world, url) as phone:
        world.tom.says("!fed request 1 Arduino Nano from attraktor")  # its location is a long word
        await until(rests, lambda: bool(world.alpha.turn.open_transfers() and world.alpha.transfer().card))
        kept = await phone.page.context.storage_state()
        desk = await chromium.new_context(viewport=DESK, color_scheme="light", locale="en-GB", storage_state=kept)
        wide = await desk.new_page()
        transfer, connection = world.alpha.transfer().id, world.alpha.connection().id
        others = ("/spaces/betaspace", "/items/42", "/labels?items=42+43")
        for path in (*PAGES, f"/transfers/{transfer}", f"/connections/{connection}", *others):
            for shown in (phone.page, wide):
                await shown.goto(url + path)
                phone.found += await complaints(shown)
            phone.found += await in_light(phone.page)
        assert await wide.locator("html").get_attribute("lang") == "en"
        phone.found += await _wall_screen(wide, url, world, rests)
