"""The typing sign: up from the first moment, down when the answer is in the room. Not journaled."""

from __future__ import annotations

import asyncio
import logging

from fedbot.ports.chat import Chat, ChatProblem
from fedbot.rules.model.effects import Typing

log = logging.getLogger(__name__)


class TypingSigns:
    """Shows the sign beside everything else; a homeserver that doesn't take it is no problem of anybody's."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._to_take_down: set[str] = set()
        self._under_way: set[asyncio.Task[None]] = set()

    def show(self, effect: Typing) -> None:
        """Up at once; 0 seconds is down, but not before the messages that wait are sent (`all_is_said`)."""
        if effect.seconds:
            self._to_take_down.discard(effect.room)
            self._begin(effect.room, effect.seconds)
        else:
            self._to_take_down.add(effect.room)

    def all_is_said(self) -> None:
        """Nothing waits to be sent now: signs that are over go down."""
        while self._to_take_down:
            self._begin(self._to_take_down.pop(), 0)

    def _begin(self, room: str, seconds: int) -> None:
        task = asyncio.ensure_future(self._typed(room, seconds))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _typed(self, room: str, seconds: int) -> None:
        try:
            await self._chat.typing(room, seconds)
        except ChatProblem as problem:
            log.debug("no typing sign: %s", problem.text)
