"""What people do on pages and through the API, as documents: their lines with the answers, and who is signed in.

Nothing here opens anything: sessions and tokens are kept by a hash of their secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

ANSWERS_KEPT = timedelta(days=1)
"""So long a line said again under the same idempotency key gets the same answer."""
SIGN_IN_WITHIN = timedelta(minutes=10)
"""So long a code counts after the page has shown it."""


class Outcome(StrEnum):
    """What came of a line: it did something, it only told something, or nothing was done."""

    DONE = "done"
    TOLD = "told"
    REFUSED = "refused"


@dataclass(frozen=True)
class WebAnswer:
    """One answer to a line, in words. `sentence` is its name in `fedbot.messages`; an edit has the same `key`.

    `choices` are whole lines, of which the person picks one.
    """

    key: str
    sentence: str
    outcome: Outcome
    plain: str
    html: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class WebLine:
    """A line, or a decision, of one of our people by page or API. `id` is its event id (`is_off_chat`).

    `text` is what was wanted, to tell whether an idempotency key is used for something else.
    """

    id: str
    person: str
    at: datetime
    text: str
    answers: tuple[WebAnswer, ...] = ()


class AccessKind(StrEnum):
    """What a person holds. A `FEED` and a `SCREEN` are addresses that only read what they are made for."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 -- the name of a kind
    FEED = "feed"
    SCREEN = "screen"


class Scope(StrEnum):
    """What a token may do. Whoever may act may read."""

    READ = "read"
    ACT = "act"


@dataclass(frozen=True)
class WebAccess:
    """A session or token of one of our people. `id` is the SHA-256 (hex) of its secret, which nobody keeps.

    `name` tells people which one it is: a browser, or what they have called it. `proven`: the person signed in by an
    encrypted line, so that typed codes count. `username` is the person's InvenTree user then.
    """

    id: str
    kind: AccessKind
    person: str
    username: str
    name: str
    made: datetime
    ends: datetime
    scope: Scope = Scope.ACT
    proven: bool = False
