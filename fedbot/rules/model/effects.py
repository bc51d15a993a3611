"""Effects: what the rules want done, as data. The journal commits them with the state; workers perform them.

There are three workers: chat (one outgoing queue), steps in InvenTree (one at a time), and queries to InvenTree
(several at once). Text for people is a `Phrase`, which `fedbot.messages` words before it is committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, ParamSpec

from fedbot.rules.model.command import Outcome
from fedbot.rules.model.figures import Chart, LabelCode
from fedbot.rules.model.queries import Query, WhenAnswered, WhenAnsweredOrNot, WhenStepEnds
from fedbot.rules.model.steps import Step
from fedbot.rules.wire.envelope import Draft, is_off_chat

P = ParamSpec("P")


@dataclass(frozen=True)
class Phrase:
    """A sentence or a card: the function in `fedbot.messages` that puts it into words, and what it speaks of.

    `to` is the name of whom it answers, where nothing else shows that. `line` is the id of what they said on a page or
    by API, and `through` the name of their token.
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
    """`say(messages.offer.no_such_space, word="btea")`: the sentence's own arguments, all but the locale."""
    return Phrase(sentence, about)


GREETING = "met:"
"""The beginning of the key of a newcomer's greeting."""


@dataclass(frozen=True)
class Post:
    """A message. `key` names it for later edits, reactions and replies.

    `mentions`: the ids that the message mentions (`m.text`); without any it is a notice. `reply_to` and `thread`
    are event ids or keys of our own posts. `answers`: the person whose line this answers, who waits for it.
    `refuses`: the line can't be carried out.
    `interim`: it only says that the answer comes later. `version`: as in `decision.InRoom`, of a card.
    """

    key: str
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
    """The message `key` reads differently now; it never notifies. May carry an envelope. `version` as in `Post`."""

    key: str
    room: str
    phrase: Phrase
    draft: Draft | None = None
    version: int = 0


@dataclass(frozen=True)
class Picture:
    """A picture in a thread, or in reply to a line; goes last, and the text that it belongs to stands without it.

    The phrase's first line tells what is to be seen; the others are the picture's own words.
    """

    key: str
    room: str
    phrase: Phrase
    shows: Chart | LabelCode
    thread: str = ""
    reply_to: str = ""


@dataclass(frozen=True)
class SendEnvelope:
    """A purely mechanical message: event type `dev.fedbot.envelope`, which clients don't show."""

    room: str
    draft: Draft


@dataclass(frozen=True)
class Announce:
    """Put our state event `dev.fedbot.party` into the room."""

    room: str
    content: dict[str, Any]


@dataclass(frozen=True)
class Join:
    """Go into a room: accept an invitation, or try whether it is open; `via` are servers that know it."""

    room: str
    via: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leave:
    """Decline an invitation; or leave, once the message `after` is there."""

    room: str
    after: str = ""


@dataclass(frozen=True)
class Typing:
    """The typing sign: shown for `seconds`, taken down by 0. Not journaled: it may get lost."""

    room: str
    seconds: int


@dataclass(frozen=True)
class TellOffChat:
    """The answer to a line that was said by page or API: kept with it, in words. `key` is that of the message."""

    line: str
    key: str
    phrase: Phrase
    outcome: Outcome
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ask:
    """Questions to our InvenTree, and what follows. While it is silent, a patient one is asked until it is answered.

    One with `until` is asked again until that time; then it is unanswered.
    """

    then: WhenAnswered
    questions: tuple[Query, ...]
    until: datetime | None = None

    @property
    def or_not(self) -> WhenAnsweredOrNot | None:
        """The continuation if there is no answer; None if the query is asked until there is one."""
        return self.then if isinstance(self.then, WhenAnsweredOrNot) else None


@dataclass(frozen=True)
class Do:
    """A step in our InvenTree, and what follows."""

    then: WhenStepEnds
    step: Step


@dataclass(frozen=True)
class KeepSecret:
    """Unseal a secret that a peer sent into the vault under `reference`; `bound_to` is what it was sealed for."""

    then: WhenStepEnds
    reference: str
    sealed: str
    bound_to: str


@dataclass(frozen=True)
class Forget:
    """Remove a secret from the vault."""

    reference: str


@dataclass(frozen=True)
class MoveSecret:
    """Move a secret in the vault from `source` to `target`, replacing any there."""

    source: str
    target: str


ChatEffect = Post | Edit | Picture | SendEnvelope | Announce | Join | Leave
"""The effects that the chat worker performs."""
Effect = ChatEffect | Typing | TellOffChat | Ask | Do | KeepSecret | Forget | MoveSecret


def is_for_page(effect: Effect) -> bool:
    """Whether it would be said in no room, but to who has said something by page or API."""
    if isinstance(effect, Post) and is_off_chat(effect.reply_to):
        return True
    return isinstance(effect, Post | Edit | Picture | Typing) and is_off_chat(effect.room)
