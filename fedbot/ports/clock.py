"""The clock, which tests move by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The bot's clock."""

    def now(self) -> datetime:
        """The time, aware, UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""
