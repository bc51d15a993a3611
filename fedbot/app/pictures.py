"""Charts on their way into a room: drawn and uploaded beside the outgoing queue, which doesn't wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fedbot.chat import chart
from fedbot.federation.figures import Chart
from fedbot.ports import Chat, Drawing, Media

NAME = "stats.png"
Draw = Callable[[Chart, Sequence[str]], Awaitable[bytes]]


@dataclass(frozen=True)
class Uploaded:
    """A picture that lies on the homeserver."""

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

        Raises what went wrong: `chart.NoChart`, or a `ChatProblem`; the next call then begins anew.
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
        png = await self.draw(drawing.chart, drawing.words)
        width, height = chart.size_of(png)
        media = await self._chat.upload(drawing.room, png, "image/png", NAME)
        return Uploaded(media, len(png), width, height)
