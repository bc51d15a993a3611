"""Effects: actions that the rules want, as data. The journal commits them with the state; workers perform them.

There are three workers: chat (one outgoing queue), steps in InvenTree (one at a time), and queries to InvenTree
(several at once). Text for people is a `Phrase`. `fedbot.messages` puts it into words before it is committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec

from fedbot.rules.model.books import Chart, LabelCode
from fedbot.rules.model.command import Outcome
from fedbot.rules.model.queries import Query, WhenAnswered, WhenAnsweredOrNot, WhenStepEnds
from fedbot.rules.model.room import MessageKey
from fedbot.rules.model.steps import Step
from fedbot.rules.wire import Draft, is_off_chat

P = ParamSpec("P")


@dataclass(frozen=True)
class Phrase:
    """A sentence or a card: the function in `fedbot.messages` that puts it into words, and its arguments.

    `to` is the name of the person it answers, where nothing else shows that. `line` is the id of a line sent by page or
    API, and `through` the name of the sender's token.
    """

    sentence: Callable[..., object]
    about: dict[str, Any] = field(default_factory=dict)
    to: str = ""
    line: str = ""
    through: str = ""

    @property
    def name(self) -> str:
        """The sentence's name, for the log and the audit."""
        return self.sentence.__name__


def say(sentence: Callable[Concatenate[Any, P], object], /, *_: P.args, **about: P.kwargs) -> Phrase:
    """Return a phrase from a sentence's own arguments, all but the locale.

    Example: `say(messages.offer.no_such_space, word="btea")`.
    """
    return Phrase(sentence, about)


@dataclass(frozen=True)
class Post:
    """A message. `key` names it for later edits, reactions and replies.

    `mentions`: the ids that the message mentions (`m.text`); without any it is a notice. `reply_to` and `thread` are
    event ids or keys of our own posts. `answers`: the person whose line this answers, and who waits for it. `refuses`:
    the line can't be carried out. `interim`: the answer comes later. `version`: of a card, as in `decision.InRoom`.
    """

    key: MessageKey
    room: str
    phrase: Phrase
    reply_to: str = ""
    thread: str = ""
    mentions: tuple[str, ...] = ()
    draft: Draft | None = None
    suggestions: tuple[str, ...] = ()
    answers: str = ""
    refuses: bool = False
    interim: bool = False
    version: int = 0


@dataclass(frozen=True)
class Edit:
    """A new text for the message `key`. It never notifies, and may carry an envelope. `version` as in `Post`."""

    key: MessageKey
    room: str
    phrase: Phrase
    draft: Draft | None = None
    version: int = 0


@dataclass(frozen=True)
class Picture:
    """A picture in a thread, or in reply to a line. It is sent last, and the text is complete without it.

    The phrase's first line describes the picture; the others are its caption and labels.
    """

    key: MessageKey
    room: str
    phrase: Phrase
    shows: Chart | LabelCode
    thread: str = ""
    reply_to: str = ""


@dataclass(frozen=True)
class SendEnvelope:
    """A protocol message without text for people: event type `dev.fedbot.envelope`, which clients don't show."""

    room: str
    draft: Draft


@dataclass(frozen=True)
class Announce:
    """Puts our state event `dev.fedbot.party` into the room."""

    room: str
    content: dict[str, Any]


@dataclass(frozen=True)
class Join:
    """Joins a room: accepts an invitation, or tries whether the room is open. `via` are servers that know it."""

    room: str
    via: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leave:
    """Declines an invitation, or leaves the room once the message `after` was sent."""

    room: str
    after: str = ""


@dataclass(frozen=True)
class Typing:
    """The typing indicator, shown for `seconds`; 0 removes it. Not journaled, so it may get lost."""

    room: str
    seconds: int


@dataclass(frozen=True)
class TellOffChat:
    """The answer to a line that was sent by page or API. It is stored with the line. `key` is that of the message."""

    line: str
    key: MessageKey
    phrase: Phrase
    outcome: Outcome
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ask:
    """Queries to our InvenTree, and their continuation. By default they are repeated until InvenTree answers.

    With `until`, they are repeated until that time and then count as unanswered.
    """

    then: WhenAnswered
    questions: tuple[Query, ...]
    until: datetime | None = None

    @property
    def or_not(self) -> WhenAnsweredOrNot | None:
        """The continuation if there may be no answer; None if the query is repeated until there is one."""
        return self.then if isinstance(self.then, WhenAnsweredOrNot) else None


@dataclass(frozen=True)
class Do:
    """A step in our InvenTree, and its continuation."""

    then: WhenStepEnds
    step: Step


@dataclass(frozen=True)
class KeepSecret:
    """Decrypts a secret that a peer sent into the vault, under `reference`. `bound_to` is what it was sealed for."""

    then: WhenStepEnds
    reference: str
    sealed: str
    bound_to: str


@dataclass(frozen=True)
class Forget:
    """Removes a secret from the vault."""

    reference: str


@dataclass(frozen=True)
class MoveSecret:
    """Moves a secret in the vault from `source` to `target`, replacing any there."""

    source: str
    target: str


ChatEffect = Post | Edit | Picture | SendEnvelope | Announce | Join | Leave
"""The effects that the chat worker performs."""
Effect = ChatEffect | Typing | TellOffChat | Ask | Do | KeepSecret | Forget | MoveSecret


def is_for_page(effect: Effect) -> bool:
    """Whether it is for a person on a page or API, and not for a room."""
    if isinstance(effect, Post) and is_off_chat(effect.reply_to):
        return True
    return isinstance(effect, Post | Edit | Picture | Typing) and is_off_chat(effect.room)
