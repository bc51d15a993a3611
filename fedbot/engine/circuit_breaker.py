"""Backoff and a circuit breaker for servers that don't answer.

There is one breaker for our InvenTree (steps and queries), and one for our homeserver (reading and sending).
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from fedbot.rules.model.diagnosis import Diagnosis

SHORTEST_PAUSE = 2.0
LONGEST_PAUSE = 300.0
MOST_DOUBLINGS = 30
"""More doublings don't change the longest pause, and after days of silence the number would overflow a float."""
MOST_JITTER = 1.2
OPENS_AFTER = 3
ONE_CALL = timedelta(seconds=10)
"""The time that other calls wait for the result of the one call that is let through."""


class Backoff:
    """Growing pauses, with jitter, between tries. In seconds."""

    def __init__(self, shortest: float = SHORTEST_PAUSE, longest: float = LONGEST_PAUSE) -> None:
        self._shortest = shortest
        self._longest = longest
        self.failures = 0

    def failed(self) -> float:
        """Note one more failure; return how long to wait now."""
        pause = min(self._shortest * 2.0**self.failures, self._longest)
        self.failures = min(self.failures + 1, MOST_DOUBLINGS)
        return pause * random.uniform(2 - MOST_JITTER, MOST_JITTER)  # noqa: S311 -- jitter, no secret

    def worked(self) -> None:
        """Note that the server answers again."""
        self.failures = 0


class Breaker:
    """The breaker of one server: opens after `OPENS_AFTER` failures in a row, then lets one call through per pause.

    `since` is the first failure of the row, `problem` the last one's if known; both are None while the server answers.
    """

    def __init__(self, shortest: float = SHORTEST_PAUSE, longest: float = LONGEST_PAUSE) -> None:
        self._backoff = Backoff(shortest, longest)
        self._longest = timedelta(seconds=longest * MOST_JITTER) + ONE_CALL
        self._last_urgent: datetime | None = None
        self.since: datetime | None = None
        self.next_try: datetime | None = None
        self.problem: Diagnosis | None = None

    @property
    def is_open(self) -> bool:
        """Whether calls are held back."""
        return self._backoff.failures >= OPENS_AFTER

    def failed(self, now: datetime, at_least: float = 0.0, problem: Diagnosis | None = None) -> datetime:
        """Note a call without an answer; return when the next may be made, `at_least` seconds later."""
        self.since = self.since or now
        self.problem = problem
        self.next_try = now + timedelta(seconds=max(self._backoff.failed(), at_least))
        return self.next_try

    def worked(self) -> None:
        """Note a call that was answered."""
        self._backoff.worked()
        self.since = self.next_try = self._last_urgent = None
        self.problem = None

    def holds(self, now: datetime, *, urgent: bool = False) -> datetime | None:
        """Until when a call has to wait. None: it may be made now, and other calls wait for its result.

        An `urgent` one, for which a person waits, may be made earlier, but only one per `ONE_CALL`.
        """
        if not self.is_open or self.next_try is None:
            return None
        # no pause is longer than this: if it seems so, the clock was ahead and was set back
        self.next_try = min(self.next_try, now + self._longest)
        if urgent and (self._last_urgent is None or abs(now - self._last_urgent) >= ONE_CALL):
            self._last_urgent = now
        elif now < self.next_try:
            return self.next_try
        self.next_try = max(self.next_try, now + ONE_CALL)
        return None
