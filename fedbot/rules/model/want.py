"""What somebody wants and nobody has: our own wants, and what friends have told us of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from fedbot.rules.model.decision import Signature
from fedbot.rules.wire.envelope import short_hash

MOST_WANTS = 20
"""So many a space may have at once."""
MOST_WANTS_OF_A_FRIEND = 50
"""So many of one friend are kept."""
LONGEST_DAYS = 180
"""Nobody wants anything for longer."""


class WantState(StrEnum):
    """Where one of our own wants stands."""

    WANTED = "wanted"
    FOUND = "found"
    OVER = "over"
    """Its day is over."""
    STOPPED = "stopped"


WANT_ARROWS: Mapping[WantState | None, frozenset[WantState]] = {
    None: frozenset({WantState.WANTED}),
    WantState.WANTED: frozenset({WantState.FOUND, WantState.OVER, WantState.STOPPED}),
}
"""What one event may do; `decide` refuses to commit any other arrow."""


def allows(before: WantState | None, after: WantState) -> bool:
    """Whether a want may go there."""
    return before is after or after in WANT_ARROWS.get(before, frozenset())


@dataclass(frozen=True)
class Want:
    """One of our people wants so much of what is called `word`, until that day, which is included.

    `lacking` is how much of it hasn't come yet. `told` are the friendships whose bots keep it, by the connection's id.
    """

    id: str
    code: str
    by: Signature
    room: str
    word: str
    quantity: Decimal
    lacking: Decimal
    until: date
    state: WantState = WantState.WANTED
    told: tuple[str, ...] = ()
    ended: datetime | None = None

    @property
    def is_living(self) -> bool:
        """Whether it is still wanted."""
        return self.state is WantState.WANTED


@dataclass(frozen=True)
class FriendWant:
    """What a friend wants, as its bot told us. `id` is of `friend_want_id`, `want` the friend's own.

    `looked` is when we last looked for it in what we share, `told` when our people were told that we have some, and
    `free` how much that was.
    """

    id: str
    peer: str
    want: str
    connection: str
    word: str
    quantity: Decimal
    until: date
    looked: datetime | None = None
    told: datetime | None = None
    free: Decimal = Decimal(0)


def want_id(wanting_event: str) -> str:
    """The id of one of our own: made from the Matrix event of the line that says so."""
    return short_hash("want", wanting_event)


def friend_want_id(peer: str, want: str) -> str:
    """The id under which a friend's want is kept here."""
    return short_hash("friend's want", peer, want)
