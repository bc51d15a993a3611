"""Our InvenTree, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import ParamSpec, Protocol, TypeVar

from fedbot.messages.diagnosis import english
from fedbot.rules.model.diagnosis import Diagnosis, reason_of
from fedbot.rules.model.queries import Answer, IndexStanding, Query, ReceivedOf
from fedbot.rules.model.steps import AttachPhoto, FileKept, KeepFile, PhotoAttached, SendFile, Step, StepResult

P = ParamSpec("P")
T = TypeVar("T")


class InThread(Protocol):
    """Calls a function that blocks in a thread, as `asyncio.to_thread` does."""

    def __call__(self, call: Callable[P, T], /, *args: P.args, **named: P.kwargs) -> Awaitable[T]:
        """What the function returns or raises."""


class InventoryProblem(Exception):
    """Base of what an InvenTree can answer instead of a result."""

    def __init__(self, problem: Diagnosis) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """The problem in English, safe to show: no secrets, no HTML."""
        return english(self.problem)

    @property
    def reason(self) -> str:
        """Its short code."""
        return reason_of(self.problem)


class Unavailable(InventoryProblem):
    """It can't have reached the server, or a read failed: nothing was changed. Try again later.

    `seconds`: so long the server asks to be left alone; 0 if it doesn't say.
    """

    def __init__(self, problem: Diagnosis, seconds: float = 0.0) -> None:
        super().__init__(problem)
        self.seconds = seconds


class Refusal(InventoryProblem):
    """A definite no (a 4xx, or our own check before the act): nothing was changed by this step."""


class NotPermitted(Refusal):
    """401 or 403: the token or its roles are not enough. `problem` says which role or what to do."""


class OutcomeUnknown(InventoryProblem):
    """The request may have been carried out (time-out after sending, reset, 5xx): probe before anything else."""


@dataclass(frozen=True)
class Credentials:
    """What somebody signs in to InvenTree with: a name and password, or a token (without a name)."""

    username: str
    secret: str = field(repr=False)


class Inventory(Protocol):
    """Our own InvenTree.

    Every method may raise `Unavailable`, `Refusal` or `NotPermitted`; `act` also `OutcomeUnknown`.
    """

    async def answer(self, query: Query, received: ReceivedOf | None = None) -> Answer:
        """Read the answer; the type is `QUESTIONS[type(query)]`.

        With `received`, what items were found is told together with what has vanished of their parts.
        """

    async def answer_all(self, asked: Sequence[tuple[Query, ReceivedOf | None]]) -> tuple[Answer, ...]:
        """The answers to all that one decision asks, in order; what several of them take is read once."""

    async def whose(self, credentials: Credentials) -> str | None:
        """The active user whose they are; None if they open nothing, or are a user's who isn't active.

        `Refusal` below API 472, where any account can make itself an admin's token.
        """

    async def tend(self) -> float:
        """Read on a little in our stock, for nobody who waits; the seconds to leave InvenTree alone then."""

    def indexed(self) -> IndexStanding:
        """How far our stock was read. Asks InvenTree nothing."""

    async def probe(self, step: Step) -> StepResult | None:
        """Whether the step's mark stands in InvenTree: its result read back, or None if it was not done."""

    async def attach(self, step: AttachPhoto | KeepFile, content: bytes) -> PhotoAttached | FileKept:
        """As `act`, for the steps that need what isn't in them."""

    async def read_file(self, step: SendFile) -> bytes:
        """The content of the file that is to be sent. Raises no `OutcomeUnknown`."""

    async def picture(self, where: str) -> bytes | None:
        """The small picture of a part, at the address that InvenTree tells; None if it isn't there, or is too large."""

    async def act(self, step: Step) -> StepResult:
        """Do the step once and read it back. The type of the result is `STEPS[type(step)]`.

        A step that can be found half done (taken out, but in the wrong quantity) is put right or raises
        `Refusal` only after it has been undone.
        """
