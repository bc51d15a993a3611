"""What follows when a query is answered or a step has ended: it goes along, and comes back with the outcome.

Each kind is a frozen dataclass in the module that wants the effect. It carries what its rule needs, and names the rule
for every outcome: mypy refuses one that leaves one out. The journal keeps it under the name of its class.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from fedbot.rules.model.events import Answered, StepDone, StepRefused, StepUnknown, Unanswered, Waiting
    from fedbot.rules.state import Turn


class Continuation:
    """What goes along. `at_peer`: the effect is done at a peer's InvenTree, so its outcome tells nothing of ours."""

    at_peer: ClassVar[bool] = False

    @property
    def subject(self) -> str:
        """The id of what the effect is about; '' if it is about nothing that has one."""
        return ""

    def waiting(self, turn: Turn, event: Waiting) -> None:
        """It can't be done now, and is tried again: tell those who wait for it. By itself, nobody does."""


class WhenAnswered(Continuation, ABC):
    """For a query that is asked until it is answered."""

    @abstractmethod
    def answered(self, turn: Turn, event: Answered) -> None:
        """The answers are here, in the order of the questions."""


class WhenAnsweredOrNot(WhenAnswered):
    """For a query that somebody waits for: it is given up when InvenTree is silent or says no."""

    @abstractmethod
    def unanswered(self, turn: Turn, event: Unanswered) -> None:
        """There will be no answer."""


class WhenStepEnds(Continuation, ABC):
    """For a step."""

    @abstractmethod
    def done(self, turn: Turn, event: StepDone) -> None:
        """It was done."""

    @abstractmethod
    def not_done(self, turn: Turn, event: StepRefused | StepUnknown) -> None:
        """It was refused, or nobody can tell."""


@dataclass(frozen=True)
class OfTransfer(Continuation):
    """`transfer` is its id."""

    transfer: str

    @property
    def subject(self) -> str:
        """The transfer's id."""
        return self.transfer


@dataclass(frozen=True)
class OfLine(OfTransfer):
    """`line` is the line's number in the transfer."""

    line: int


@dataclass(frozen=True)
class OfConnection(Continuation):
    """`connection` is its id."""

    connection: str

    @property
    def subject(self) -> str:
        """The connection's id."""
        return self.connection


def kinds() -> tuple[type[Continuation], ...]:
    """Every kind that can be made, of those modules that are loaded (`dispatch` loads them all)."""
    found: set[type[Continuation]] = set()
    below: list[type[Continuation]] = [WhenAnswered, WhenStepEnds]
    while below:
        kind = below.pop()
        found.add(kind)
        below += kind.__subclasses__()
    return tuple(sorted((kind for kind in found if not inspect.isabstract(kind)), key=lambda kind: kind.__name__))
