"""People's decisions as documents store them, and the choices that emoji stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from fedbot.rules import names
from fedbot.rules.model.lifecycles import Ending

LONGEST_PICKUP = 120
"""Longest text in a `Pickup`, also in a peer's, in characters."""


class Choice(StrEnum):
    """A person's choice on a card.

    `PARCEL`: approved, by parcel; or, once it is in transit: it has arrived. `DAMAGED`: the loan is returned, but
    damaged.
    """

    APPROVE = "approve"
    PARCEL = "parcel"
    DAMAGED = "damaged"
    DECLINE = "decline"


class DecisionStage(StrEnum):
    """The stage of a decision on a card."""

    CHECKING = "checking"
    GRACE = "grace"
    CONFIRMING = "confirming"


@dataclass(frozen=True)
class Vote:
    """A person's choice on a card. `quantity` is set if the sender's approver grants less than requested.

    `came` is how much of each line a parcel held, by the line's number; empty: all of it. `shown` is the hash of the
    card at that time. `proven`: the person typed the code, in an encrypted room.
    """

    choice: Choice
    person: str
    username: str
    event_id: str
    at: datetime
    reply_to: str = ""
    quantity: Decimal | None = None
    shown: str = ""
    note: str = ""
    proven: bool = False
    came: tuple[tuple[int, Decimal], ...] = ()


@dataclass(frozen=True)
class Decision:
    """A decision in progress: the permission is read, the grace runs, then the permission is read again.

    `behind` are votes of others while this person's permission is being read. They are used if the person lacks it.
    `shown` is the hash of what the card showed when the person decided, `came` as in `Vote`.
    """

    choice: Choice
    person: str
    username: str
    event_id: str
    stage: DecisionStage
    at: datetime
    ends: datetime | None = None
    reply_to: str = ""
    quantity: Decimal | None = None
    shown: str = ""
    behind: tuple[Vote, ...] = ()
    note: str = ""
    proven: bool = False
    came: tuple[tuple[int, Decimal], ...] = ()


@dataclass(frozen=True)
class Unseen:
    """A version of our card that the homeserver accepted, at `posted` by our clock, and no sync has shown yet."""

    event_id: str
    version: int
    posted: datetime


@dataclass(frozen=True)
class InRoom:
    """The newest version of our card, and the newest that a sync has shown. A decision counts only after that one.

    `version` counts our cards, and those edits that changed the meaning of a decision; `seen` is the newest one that a
    sync has shown. `place` is its place among all cards that syncs have shown, `at` its time by the homeserver's clock;
    None for a card from an earlier release or from before a loss.
    """

    version: int = 0
    seen: int = 0
    unseen: tuple[Unseen, ...] = ()
    place: int | None = None
    at: datetime | None = None

    @property
    def is_shown(self) -> bool:
        """Whether a sync has shown the newest version."""
        return self.seen >= self.version

    def read_differently(self) -> InRoom:
        """Return it after a change of what people decide on: decisions count again once a sync has shown that."""
        return replace(self, version=self.version + 1)


NO_CARD = InRoom()


class HasCard:
    """A subject that people decide on a card. `own_card` is the event of our newest card."""

    card_event: str
    own_card: str
    in_room: InRoom

    @property
    def card_to_act_on(self) -> str:
        """The event of the card that concerns our people: our own if there is one, else the peer's; '' if none."""
        return self.own_card or self.card_event if self.card_event else ""

    def asks_on(self, event_id: str) -> bool:
        """Whether a decision counts on that message of ours: only on the newest card, not an older one or an edit."""
        return event_id == (self.own_card or self.card_event)


@dataclass(frozen=True)
class SpokenReason:
    """A reason that one of our people gave in reply to a card. It counts if they decline."""

    person: str
    text: str


@dataclass(frozen=True)
class Signature:
    """The person who decided or asked, with the time and the event. `note`: the reason.

    `through` is the name of the API token that they used, if any.
    """

    person: str
    name: str
    party: str
    at: datetime
    event_id: str = ""
    username: str = ""
    note: str = ""
    through: str = ""

    @property
    def in_history(self) -> str:
        """The person's name for InvenTree's history."""
        return names.in_history(self.name, self.person, self.username, self.party)


@dataclass(frozen=True)
class KeyCheck:
    """Both bots' parts of the short string by which people compare keys (hex; '' while unknown).

    `ours` is our nonce. It stays secret until the peer is committed to its own, by `peer_commitment` or by the nonce
    itself (`theirs`). `peer_key` is the key under review. `is_told`: our nonce was sent.
    """

    ours: str
    peer_key: str
    theirs: str = ""
    peer_commitment: str = ""
    is_told: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the peer's nonce is missing, so that people can't compare yet."""
        return not self.theirs


@dataclass(frozen=True)
class Settlement:
    """A person's settlement of a dispute (`truth`). `alone`: the other side did not take part.

    `contested`: the other side had already disputed it. If it only disputes again, nothing changes.
    """

    by: Signature
    truth: str
    alone: bool = False
    contested: bool = False


@dataclass(frozen=True)
class Parcel:
    """The state of a parcel. The receiver books it in only once one of its approvers reports its arrival.

    `left` is when it left the sender's stock; `received` and `missing` are who reported that it arrived, or never did.
    `rest` is what the sender's superuser said of the missing part.
    """

    left: datetime | None = None
    received: Signature | None = None
    missing: Signature | None = None
    rest: Settlement | None = None


@dataclass(frozen=True)
class Pickup:
    """A space's pick-up: the place, the opening hours and the contact; '' if not given."""

    where: str = ""
    hours: str = ""
    call: str = ""

    def __bool__(self) -> bool:
        return bool(self.where or self.hours or self.call)


NO_PICKUP = Pickup()


@dataclass(frozen=True)
class Closing:
    """The end of a loan, and who decided it (for a return, who decided the last one).

    `line`: only this line; 0: all.
    """

    how: Ending
    by: Signature
    line: int = 0


# --- Emoji: clients send the same one in several spellings.

_VARIATION_SELECTORS = {"\ufe0e", "\ufe0f"}
_SKIN_TONES = range(0x1F3FB, 0x1F3FF + 1)

APPROVE_KEY = "✅"
DECLINE_KEY = "❌"
PARCEL_KEY = "📦"
DAMAGED_KEY = "🔧"
KEY_OF = {
    Choice.APPROVE: APPROVE_KEY,
    Choice.DECLINE: DECLINE_KEY,
    Choice.PARCEL: PARCEL_KEY,
    Choice.DAMAGED: DAMAGED_KEY,
}
_CHECK_MARKS = dict.fromkeys("✔☑✓", Choice.APPROVE)
CARD_KEYS = {key: choice for choice, key in KEY_OF.items()} | _CHECK_MARKS | {"❎": Choice.DECLINE}
_AS_IF_DECIDED = frozenset(
    [
        "👍",
        "👎",
        "👌",
        "🆗",
        "🙆",
        "🚫",
        "⛔",
        "✖",
        "✗",
        "✘",
        "yes",
        "no",
        "ok",
        "okay",
        "yep",
        "nope",
        "sure",
        "y",
        "n",
        "accept",
        "accepted",
        "approve",
        "approved",
        "agreed",
        "reject",
        "rejected",
        "decline",
        "declined",
        "ja",
        "nein",
        "jo",
        "klar",
        "passt",
        "+1",
        "-1",
    ]
)


def looks_like_a_decision(text: str) -> bool:
    """Whether people mean a decision by that reaction or word, although it isn't one: '👍', 'yes', 'No thanks!'."""
    words = normalised(text).casefold().strip(" .,!?")
    bare = words.removesuffix(" please").removesuffix(" thanks").removesuffix(" danke").removesuffix(" bitte")
    return bare.strip(" ,") in _AS_IF_DECIDED or words in CARD_KEYS


_HERE = re.compile(
    r"(?:it|(?:the |my |our )?parcel)(?:'s| is| has)?(?: just)? (?:arrived|here|come|been delivered)|"
    r"(?:has )?arrived|got it|(?:(?:es|(?:das |unser )?paket) )?ist (?:da|hier|angekommen)|angekommen"
)
_THANKS = re.compile(r"[\s,.!]*\b(?:thanks|thank you|thx|danke|merci)?[^\w]*$")
_LONGEST_HERE = 100


def says_it_is_here(text: str) -> bool:
    """Whether people say by it that a parcel has arrived: 'it arrived', 'Paket ist da, danke!'."""
    if len(text) > _LONGEST_HERE:  # nobody says so in more words, and the time for looking grows with their square
        return False
    words = _THANKS.sub("", normalised(text).casefold().replace("’", "'").strip())
    return _HERE.fullmatch(words) is not None


def normalised(key: str) -> str:
    """Return the key without variation selectors and skin tones: '✔️' becomes '✔', '👍🏽' becomes '👍'.

    Accepts any string, also an empty one or one that is no emoji. The result is only compared, never shown.
    """
    return "".join(each for each in key if each not in _VARIATION_SELECTORS and ord(each) not in _SKIN_TONES)
