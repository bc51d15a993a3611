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
        """Return what the function returns, or raise what it raises."""


class InventoryProblem(Exception):
    """Base of everything that InvenTree can answer instead of a result."""

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
    """The request can't have reached the server, or a read failed: nothing was changed. Try again later.

    `seconds`: how long the server asks to be left alone; 0 if it doesn't say.
    """

    def __init__(self, problem: Diagnosis, seconds: float = 0.0) -> None:
        super().__init__(problem)
        self.seconds = seconds


class Refusal(InventoryProblem):
    """A definite refusal (a 4xx, or our own check before the request): this step changed nothing."""


class NotPermitted(Refusal):
    """401 or 403: the token or its roles don't suffice. `problem` says which role is missing or what to do."""


class OutcomeUnknown(InventoryProblem):
    """InvenTree may have carried out the request (time-out after sending, reset, 5xx): probe before anything else."""


@dataclass(frozen=True)
class Credentials:
    """A person's InvenTree login: a name and password, or a token without a name.

    `code` is the one of the person's second factor, if they have one.
    """

    username: str
    secret: str = field(repr=False)
    code: str = field(default="", repr=False)


class Inventory(Protocol):
    """Our own InvenTree.

    Every method may raise `Unavailable`, `Refusal` or `NotPermitted`; `act` also `OutcomeUnknown`.
    """

    async def answer(self, query: Query, received: ReceivedOf | None = None) -> Answer:
        """Read the answer; its type is `ANSWER_OF[type(query)]`.

        With `received`, items are returned together with the parts of theirs that have vanished.
        """

    async def answer_all(self, asked: Sequence[tuple[Query, ReceivedOf | None]]) -> tuple[Answer, ...]:
        """The answers to all queries of one decision, in order; what several of them need is read once."""

    async def whose(self, credentials: Credentials) -> str | None:
        """The active user whose credentials these are; None if they are invalid or the user isn't active.

        `Refusal` below API 472, where any account can create a token for an admin, and if InvenTree wants more of the
        person, such as the code of their second factor.
        """

    async def tend(self) -> float:
        """Read a little more of our stock in the background; return the seconds to leave InvenTree alone afterwards."""

    def indexed(self) -> IndexStanding:
        """The progress of reading our stock. Sends nothing to InvenTree."""

    async def probe(self, step: Step) -> StepResult | None:
        """Whether InvenTree has the step's mark: the result read back, or None if the step was not done."""

    async def attach(self, step: AttachPhoto | KeepFile, content: bytes) -> PhotoAttached | FileKept:
        """Like `act`, for steps whose file content isn't in the step itself."""

    async def read_file(self, step: SendFile) -> bytes:
        """The content of the file to send. Never raises `OutcomeUnknown`."""

    async def picture(self, where: str) -> bytes | None:
        """The thumbnail of a part, at the address that InvenTree gives; None if it doesn't exist or is too large."""

    async def act(self, step: Step) -> StepResult:
        """Do the step once and read it back. The result is of the step's own type.

        If a step can be found half done (booked out, but in the wrong quantity), it is completed, or undone before
        `Refusal` is raised.
        """
