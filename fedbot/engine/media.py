"""Files into and out of InvenTree; charts and codes into a room: made ready beside the workers, which don't wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fedbot.matrix import chart
from fedbot.ports.chat import Chat, Media
from fedbot.ports.journal import Drawing
from fedbot.rules.model.figures import Chart, LabelCode
from fedbot.web import qr

A_MOMENT = 0.2
"""Seconds within which most are there: so long the lane may wait."""


T = TypeVar("T")


class OneAtATime:
    """What is being fetched or sent, for an outbox row: one file at a time, as each may be large."""

    def __init__(self) -> None:
        self._under_way: tuple[int, asyncio.Task[Any]] | None = None

    async def take(self, row: int, work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """What `work` gives for this row; None while it, or that for another row, goes on. The next call begins anew.

        Raises what the work raises: a `ChatProblem`, an `InventoryProblem`.
        """
        known, task = self._under_way or (row, None)
        if known != row and task is not None and not task.done():
            return None
        if known != row or task is None:  # nobody came for another one: its row is over
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
    """A picture that lies on the homeserver. `name` is that of its file."""

    name: str
    media: Media
    size: int
    width: int
    height: int


class Pictures:
    """What is being made ready, by outbox row. `made` is called whenever one is ready, or can't be."""

    def __init__(self, chat: Chat, made: Callable[[], None], draw: Draw = chart.draw) -> None:
        self._chat = chat
        self._made = made
        self.draw = draw
        self._under_way: dict[int, asyncio.Task[Uploaded]] = {}

    def take(self, row: int, drawing: Drawing) -> Uploaded | None:
        """The picture of this row if it is ready; None while it is being made, which begins with the first call.

        Raises what went wrong: a `ChatProblem`; the next call then begins anew.
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
        """Wait until nothing is being made any more; whether anything was."""
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
