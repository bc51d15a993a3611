"""Charts are prepared beside the queue: nothing waits for them, and trouble with the homeserver only delays them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from fedbot.engine.media import Pictures
from fedbot.matrix.chart import PNG, NoChart
from fedbot.ports.chat import ChatLimited, ChatUnreachable, Media
from fedbot.ports.journal import Drawing
from fedbot.rules.model.books import Chart
from fedbot.rules.model.room import MessageKey
from tests.scenarios.world import World, friends, step

SMALL = PNG + b"\0\0\0\rIHDR\0\0\0\2\0\0\0\1"
DRAWING = Drawing(MessageKey("chart"), "!r", ("a chart",), Chart(), "text")


class Store:
    """Accepts files, or doesn't."""

    def __init__(self, *problems: Exception) -> None:
        self.problems = list(problems)
        self.files: list[bytes] = []

    async def upload(self, room: str, content: bytes, kind: str, name: str) -> Media:
        if self.problems:
            raise self.problems.pop(0)
        self.files.append(content)
        return Media(f"mxc://x/{len(self.files)}")


async def small(chart: Chart, words: Sequence[str]) -> bytes:
    return SMALL


async def test_a_picture_is_made_once_and_its_row_wakes_when_it_is_ready() -> None:
    woken: list[None] = []
    store = Store()
    pictures = Pictures(store, lambda: woken.append(None), small)  # type: ignore[arg-type]  # what it uses of the port
    assert pictures.take(1, DRAWING) is None
    assert pictures.take(1, DRAWING) is None
    await pictures.settled()
    await asyncio.sleep(0)
    assert woken == [None]
    ready = pictures.take(1, DRAWING)
    assert ready is not None
    assert (ready.media.address, ready.size, ready.width, ready.height) == ("mxc://x/1", len(SMALL), 2, 1)
    assert store.files == [SMALL]


@pytest.mark.parametrize("problem", [ChatUnreachable("away"), ChatLimited("too fast", "", 3.0), NoChart("no fonts")])
async def test_an_error_is_raised_once_and_the_next_try_starts_again(problem: Exception) -> None:
    pictures = Pictures(Store(problem), lambda: None, small)  # type: ignore[arg-type]  # what it uses of the port
    assert pictures.take(1, DRAWING) is None
    await pictures.settled()
    with pytest.raises(type(problem)):
        pictures.take(1, DRAWING)
    assert pictures.take(1, DRAWING) is None
    await pictures.settled()
    assert pictures.take(1, DRAWING) is not None


async def posting() -> World:
    """Attraktor's figures are due at nine the next morning."""
    return await friends(alpha={"stats_schedule": "0 9 * * *"})


def images(world: World) -> list[str]:
    messages = [e for e in world.server.log if e["type"] == "m.room.message"]
    return [e["content"]["url"] for e in messages if e["content"].get("msgtype") == "m.image"]


async def test_nothing_else_waits_for_a_slow_chart() -> None:
    world = await posting()
    drawn = asyncio.Event()

    async def slow(chart: Chart, words: Sequence[str]) -> bytes:
        await drawn.wait()
        return SMALL

    world.alpha.bot.chat_worker.pictures.draw = slow
    world.clock.advance(timedelta(hours=13))
    await world.alpha.bot.tick()
    while not any("stock items of" in m.text for m in world.room.messages()):
        await asyncio.wait_for(_one_step(world), 5)
    said = world.kim.says("!fed whoami")
    while not world.room.answers(said):
        await asyncio.wait_for(_one_step(world), 5)
    assert images(world) == []
    drawn.set()
    await world.settle()
    assert len(images(world)) == 1


async def _one_step(world: World) -> None:
    """Do all that the chat worker of attraktor's bot can do now, without waiting for pictures as a dialogue does."""
    space = world.alpha
    batch = await space.chat.sync(space.journal.token(), 0)
    space.bot.syncing.take(batch)
    for row in space.journal.due("ask", space.clock.now()):
        await space.bot.query_worker.perform(row)
    letters = space.journal.due("chat", space.clock.now())
    if letters:
        await space.bot.chat_worker.send_first(letters)


async def test_a_failed_upload_is_tried_again_and_the_picture_is_posted_once() -> None:
    world = await posting()
    uploads = [ChatUnreachable("away"), ChatLimited("too fast", "M_LIMIT_EXCEEDED", 20.0)]
    upload = world.server.upload

    def sometimes(content: bytes, kind: str, name: str) -> str:
        if uploads:
            raise uploads.pop(0)
        return upload(content, kind, name)

    world.server.upload = sometimes  # type: ignore[method-assign]  # a homeserver in trouble
    world.clock.advance(timedelta(hours=13))
    await world.alpha.bot.tick()
    await world.settle()
    assert images(world) == []
    await world.passes(timedelta(minutes=2))
    assert len(images(world)) == 1
    assert await step(world.alpha) is False
