"""The ports between the rules and the world. Each has an in-memory twin that the tests use.

`app` wires the real ones: Chat is `chat.client`, Inventory `inventree.inventory`, Journal `journal.journal`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from fedbot.federation.events import ChatEvent
from fedbot.federation.questions import Answer, Question
from fedbot.federation.steps import Step, StepResult


class Clock(Protocol):
    """Time. `now` is aware, UTC."""

    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


# --- InvenTree ---------------------------------------------------------------------------------------------


class InventoryProblem(Exception):
    """Base of what an InvenTree can answer instead of a result. `text` is safe to show: no secrets, no HTML."""

    def __init__(self, text: str, reason: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.reason = reason or type(self).__name__.lower()


class Unavailable(InventoryProblem):
    """It can't have reached the server, or a read failed: nothing was changed. Try again later."""


class Refusal(InventoryProblem):
    """A definite no (a 4xx, or our own check before the act): nothing was changed by this step."""


class NotPermitted(Refusal):
    """401 or 403: the token or its roles are not enough. `text` says which role or what to do."""


class OutcomeUnknown(InventoryProblem):
    """The request may have been carried out (time-out after sending, reset, 5xx): probe before anything else."""


class Inventory(Protocol):
    """Our own InvenTree. Every method may raise `Unavailable`, `Refusal` or `NotPermitted`; `act` also
    `OutcomeUnknown`."""

    async def answer(self, question: Question) -> Answer:
        """Read the answer; the type is `QUESTIONS[type(question)]`."""

    async def probe(self, step: Step) -> StepResult | None:
        """Whether the step's mark stands in InvenTree: its result read back, or None if it was not done."""

    async def act(self, step: Step) -> StepResult:
        """Do the step once and read it back. The type of the result is `STEPS[type(step)]`.

        A step that can be found half done (taken out, but in the wrong quantity) is put right or raises
        `Refusal` only after it has been undone.
        """


# --- Matrix ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Delivery:
    """One outgoing Matrix event. `transaction` is the transaction id, the same at each retry of one send."""

    room: str
    kind: str
    content: dict[str, Any]
    transaction: str
    state_key: str | None = None


@dataclass(frozen=True)
class Batch:
    """One sync response, back-fills included, in order. `asked_at` is when the request was sent."""

    token: str
    events: tuple[ChatEvent, ...]
    asked_at: datetime


class ChatProblem(Exception):
    """Base of what a homeserver can answer instead of a result. `code` is Matrix's errcode, or ours."""

    def __init__(self, text: str, code: str = "", retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.retry_after = retry_after


class ChatUnreachable(ChatProblem):
    """No answer, or a 5xx: try the same transaction again."""


class ChatLimited(ChatProblem):
    """429: try the same transaction again after `retry_after` seconds."""


class ChatRefused(ChatProblem):
    """A definite no: no power, not in the room, too large, unknown target."""


class ChatSignedOut(ChatProblem):
    """The access token is no longer good: the bot can't go on without a new login."""


class Chat(Protocol):
    """Our own Matrix account."""

    user_id: str

    async def sync(self, since: str | None, timeout: float) -> Batch:
        """Wait at most `timeout` seconds for news; gaps are back-filled before it returns."""

    async def send(self, delivery: Delivery) -> str:
        """Send one event (or put one state event); returns its event id."""

    async def join(self, room: str) -> None: ...

    async def leave(self, room: str) -> None: ...

    async def typing(self, room: str, seconds: int) -> None: ...


# --- secrets -----------------------------------------------------------------------------------------------


class Vault(Protocol):
    """Tokens by reference, apart from the journal, in the identity folder."""

    def keep(self, reference: str, secret: str) -> None: ...

    def read(self, reference: str) -> str: ...

    def forget(self, reference: str) -> None: ...
