"""Photos on their way to InvenTree: fetched beside the acts, which don't wait for a slow homeserver."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from fedbot.federation.photos import LONGEST_PHOTO
from fedbot.ports import Chat

A_MOMENT = 0.2
"""Seconds within which most are there: so long the lane may wait."""


class Photos:
    """What is being fetched, for an outbox row: one at a time, as each may be large."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._under_way: tuple[int, asyncio.Task[bytes]] | None = None

    async def take(self, row: int, file: Mapping[str, Any]) -> bytes | None:
        """The photo for this row; None while it, or another one, is on its way. The next call begins anew.

        Raises `ChatProblem`, as `Chat.download` does.
        """
        known, task = self._under_way or (row, None)
        if known != row and task is not None and not task.done():
            return None
        if known != row or task is None:  # nobody came for another one: its row is over
            task = asyncio.create_task(self._fetch(file))
            self._under_way = row, task
        await asyncio.wait({task}, timeout=A_MOMENT)
        if not task.done():
            return None
        self._under_way = None
        return task.result()

    async def _fetch(self, file: Mapping[str, Any]) -> bytes:
        return await self._chat.download(file, LONGEST_PHOTO)
