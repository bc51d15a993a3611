"""The bot as the pages and the API need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from fedbot.messages.language import Locale
from fedbot.ports.journal import Audited
from fedbot.rules.model.command import WebLine
from fedbot.rules.model.events import Event
from fedbot.rules.model.queries import SignInFound, StockCounts
from fedbot.rules.model.stock import Permissions
from fedbot.rules.state import Turn
from fedbot.web.pictures import Picture


class Bot(Protocol):
    """One bot, in the same process and on the same event loop."""

    def now(self) -> datetime:
        """The time by the bot's clock."""

    def turn(self) -> Turn:
        """The current state, for reading."""

    def put(self, event: Event) -> None:
        """Put an event. The rules decide on it before this returns."""

    def is_busy(self) -> bool:
        """Whether the bot is busy: an event came a moment ago, or a query to InvenTree is running."""

    async def answered(self, line: str, seconds: float) -> WebLine:
        """The line, as soon as it has an answer or the time is over. Raises KeyError if it no longer exists."""

    async def permissions(self, username: str) -> Permissions:
        """The user's current permissions in our InvenTree. Raises `InventoryProblem`."""

    async def user_by_password(self, username: str, password: str, code: str = "") -> str | None:
        """The active user of our InvenTree with that name and password, and the code of their second factor.

        Raises `InventoryProblem`.
        """

    async def user_by_token(self, token: str) -> str | None:
        """The active user of our InvenTree with that token. Raises `InventoryProblem`."""

    async def counts(self) -> StockCounts:
        """The stock figures of our InvenTree, counted within the last minute. Raises `InventoryProblem`."""

    async def picture(self, file: Mapping[str, Any]) -> Picture | None:
        """A picture on the homeserver, rebuilt (`web.pictures`); None if it is unavailable or refused."""

    def audit(self, subject: str) -> tuple[Audited, ...]:
        """The audit of this transfer or connection, oldest first."""

    def locale(self) -> Locale:
        """The bot's language and time zone."""

    def answers_sign_ins(self, look: Callable[[str], SignInFound]) -> None:
        """Register the function that finds the page of a code."""
