"""The bot as its pages and API see it (`fedbot.web.site.bot.Bot`)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from fedbot.engine.pipeline import Engine
from fedbot.messages.language import Locale
from fedbot.ports.chat import Chat, ChatProblem
from fedbot.ports.inventory import Credentials, Inventory
from fedbot.ports.journal import Audited
from fedbot.rules.model.catalogue import LARGEST_PICTURE
from fedbot.rules.model.command import WebLine
from fedbot.rules.model.events import Event
from fedbot.rules.model.queries import PersonPermissions, SignInFound, StockCounts, StockFigures
from fedbot.rules.model.stock import Permissions
from fedbot.rules.state import Turn
from fedbot.web.pictures import NoPicture, Picture, rebuilt

COUNTS_HOLD = timedelta(minutes=1)
MOST_PICTURES = 100
"""Number of pictures kept in memory."""
BUSY_FOR = 0.25
"""Seconds after an event; the events of a transfer follow each other faster."""

log = logging.getLogger(__name__)


class Gateway:
    """The bot's state for reading, and the only entrance for what people say."""

    def __init__(
        self,
        engine: Engine,
        inventory: Inventory,
        chat: Chat,
        locale: Callable[[], Locale],
    ) -> None:
        self._engine = engine
        self._chat = chat
        self._inventory = inventory
        self.locale = locale
        self.now = engine.clock.now
        self._waiting: defaultdict[str, list[asyncio.Future[None]]] = defaultdict(list)
        engine.answered = self._is_answered
        self._counted: tuple[datetime, StockCounts] | None = None
        self._pictures: OrderedDict[str, Picture] = OrderedDict()

    def turn(self) -> Turn:
        """The current state."""
        return Turn(self._engine.state, self.now())

    def put(self, event: Event) -> None:
        """Take in an event; it is decided before this returns."""
        self._engine.put(event)

    def is_busy(self) -> bool:
        """Whether queries or steps wait, or an event was decided within the last moment, so more will follow."""
        is_fresh = self._engine.decided_at + BUSY_FOR > time.monotonic()
        return is_fresh or any(self._engine.due(queue) for queue in ("act", "ask"))

    async def answered(self, line: str, seconds: float) -> WebLine:
        """The line, as soon as it has an answer, or after `seconds` at the latest. KeyError if it no longer exists."""
        if not self._line(line).answers and seconds > 0:
            answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting[line].append(answer)
            over = asyncio.ensure_future(self._engine.clock.sleep(seconds))
            try:
                await asyncio.wait({answer, over}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                over.cancel()
                self._gives_up(line, answer)
        return self._line(line)

    def _line(self, line: str) -> WebLine:
        found = self.turn().get(WebLine, line)
        if found is None:
            raise KeyError(line)
        return found

    def _gives_up(self, line: str, answer: asyncio.Future[None]) -> None:
        answer.cancel()
        with suppress(ValueError):
            self._waiting[line].remove(answer)
        if not self._waiting[line]:
            del self._waiting[line]

    def _is_answered(self, line: str) -> None:
        for answer in self._waiting.get(line, []):
            if not answer.done():
                answer.set_result(None)

    async def permissions(self, username: str) -> Permissions:
        """The user's current permissions in our InvenTree. Raises `InventoryProblem`."""
        read = await self._inventory.answer(PersonPermissions(username))
        if not isinstance(read, Permissions):
            raise TypeError(f"permissions were asked for, not {read!r}")
        return read

    async def counts(self) -> StockCounts:
        """The figures of our InvenTree, counted within the last minute. Raises `InventoryProblem`."""
        if self._counted is None or self._counted[0] + COUNTS_HOLD <= self.now():
            read = await self._inventory.answer(StockFigures())
            if not isinstance(read, StockCounts):
                raise TypeError(f"counts were asked for, not {read!r}")
            self._counted = self.now(), read
        return self._counted[1]

    async def user_by_password(self, username: str, password: str, code: str = "") -> str | None:
        """The active user of our InvenTree with that name and password, and the code of their second factor.

        Raises `InventoryProblem`.
        """
        return await self._inventory.whose(Credentials(username, password, code))

    async def user_by_token(self, token: str) -> str | None:
        """The active user of our InvenTree with that token. Raises `InventoryProblem`."""
        return await self._inventory.whose(Credentials("", token))

    async def picture(self, file: Mapping[str, Any]) -> Picture | None:
        """Download and re-encode a picture from the homeserver; None if it isn't available, or may not be shown."""
        name = str(file["hashes"]["sha256"])
        known = self._pictures.get(name)
        if known is None:
            try:
                content = await self._chat.download(file, LARGEST_PICTURE)
                known = await asyncio.to_thread(rebuilt, content)
            except (ChatProblem, NoPicture) as problem:
                log.info("a picture isn't shown: %s", problem)
                return None
            self._pictures[name] = known
            if len(self._pictures) > MOST_PICTURES:
                self._pictures.popitem(last=False)
        self._pictures.move_to_end(name)
        return known

    def audit(self, subject: str) -> tuple[Audited, ...]:
        """The audit entries about this transfer or connection, oldest first."""
        return self._engine.journal.audit(subject)

    def answers_sign_ins(self, look: Callable[[str], SignInFound]) -> None:
        """Ask `look` from now on which page shows a code."""
        self._engine.sign_ins = look
