"""Time, which tests set."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time. `now` is aware, UTC."""

    def now(self) -> datetime:
        """The time, aware, UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""
