"""Files to and from InvenTree, and pictures for rooms, prepared in the background: no worker waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fedbot.matrix import chart
from fedbot.ports.chat import Chat, Media
from fedbot.ports.journal import Drawing
from fedbot.rules.model.books import Chart, LabelCode
from fedbot.web import qr

A_MOMENT = 0.2
"""The seconds that the worker may wait; most files are ready by then."""


T = TypeVar("T")


class OneAtATime:
    """Fetches or sends the file of an outbox row: one at a time, because each may be large."""

    def __init__(self) -> None:
        self._under_way: tuple[int, asyncio.Task[Any]] | None = None

    async def take(self, row: int, work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """The result of `work` for this row; None while it, or another row's work, is running.

        Raises what the work raises: a `ChatProblem` or an `InventoryProblem`. The next call starts again.
        """
        known, task = self._under_way or (row, None)
        if known != row and task is not None and not task.done():
            return None
        if known != row or task is None:  # nobody asked again for the other one: its row has ended
            task = asyncio.create_task(work())
            self._under_way = row, task
        await asyncio.wait({task}, timeout=A_MOMENT)
        if not task.done():
            return None
        self._under_way = None
        result: T = task.result()
        return result


Draw = Callable[[Chart, Sequence[str]], Awaitable[bytes]]


@dataclass(frozen=True)
class Uploaded:
    """A picture on the homeserver. `name` is its file name."""

    name: str
    media: Media
    size: int
    width: int
    height: int


class Pictures:
    """Pictures being prepared, by outbox row. `made` is called whenever one is ready or has failed."""

    def __init__(self, chat: Chat, made: Callable[[], None], draw: Draw = chart.draw) -> None:
        self._chat = chat
        self._made = made
        self.draw = draw
        self._under_way: dict[int, asyncio.Task[Uploaded]] = {}

    def take(self, row: int, drawing: Drawing) -> Uploaded | None:
        """The row's picture if it is ready; None while it is prepared. The first call starts that.

        Raises the `ChatProblem` that it failed with; the next call starts again.
        """
        task = self._under_way.get(row)
        if task is None:
            self._under_way[row] = task = asyncio.get_running_loop().create_task(self._make(drawing))
            task.add_done_callback(lambda _: self._made())
        if not task.done():
            return None
        self._under_way.pop(row)
        return task.result()

    async def settled(self) -> bool:
        """Wait until no picture is being prepared; return whether one was."""
        under_way = [task for task in self._under_way.values() if not task.done()]
        if under_way:
            await asyncio.wait(under_way)
        return bool(under_way)

    async def _make(self, drawing: Drawing) -> Uploaded:
        match drawing.shows:
            case LabelCode(item, address):
                name, png = f"label-{item}.png", qr.as_png(address)
            case Chart() as figures:
                name, png = "stats.png", await self.draw(figures, drawing.words)
        width, height = chart.size_of(png)
        media = await self._chat.upload(drawing.room, png, "image/png", name)
        return Uploaded(name, media, len(png), width, height)
