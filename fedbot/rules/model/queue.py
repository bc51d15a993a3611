"""Who waits for what is on loan or booked: the owner's queue, and the places of our people in friends' queues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from fedbot.rules.model.decision import Signature
from fedbot.rules.wire.envelope import short_hash

MOST_PLACES = 20
"""So many things a space, or one of our people, may wait for at once."""


class PlaceState(StrEnum):
    """How a place in a friend's queue stands, as the owner's bot has told it; and why it is over."""

    ASKED = "asked"
    """The owner's bot hasn't answered yet."""
    WAITING = "waiting"
    TURN = "turn"
    """It is back, and kept for us."""
    SERVED = "served"
    LAPSED = "lapsed"
    """It was kept, and nobody asked for it in time."""
    FREE = "free"
    """It is there: there is nothing to wait for."""
    UNKNOWN = "unknown"
    """The owner shares nothing that is called so."""
    UNCLEAR = "unclear"
    """Several parts are called so."""
    TWICE = "twice"
    """Our space waits for it already."""
    FULL = "full"
    """We wait for too much there."""
    REMOVED = "removed"
    """The owner's people have taken us out of the queue."""
    LEFT = "left"
    """Our own people don't wait any more."""
    PARTED = "parted"
    """The friendship is over."""


OPEN_PLACES = frozenset({PlaceState.ASKED, PlaceState.WAITING, PlaceState.TURN})
ENDS = frozenset(PlaceState) - OPEN_PLACES
TOLD_ENDS = ENDS - {PlaceState.LEFT, PlaceState.PARTED}
"""Why a place is over, where the owner's bot says so."""
PLACE_ARROWS: Mapping[PlaceState | None, frozenset[PlaceState]] = {
    None: frozenset({PlaceState.ASKED}),
    PlaceState.ASKED: ENDS | {PlaceState.WAITING, PlaceState.TURN},
    PlaceState.WAITING: ENDS | {PlaceState.TURN},
    PlaceState.TURN: ENDS,
}
"""What one event may do; `decide` refuses to commit any other arrow."""


def allows(before: PlaceState | None, after: PlaceState) -> bool:
    """Whether a place may go there."""
    return before is after or after in PLACE_ARROWS.get(before, frozenset())


@dataclass(frozen=True)
class QueueEntry:
    """At the owner: that party waits for so much of what `word` means. First come, first served: by `number`.

    `wait` is the waiting space's own id of it, `connection` its friendship; '' for one of our own people, who is `by`.
    `part` and `item` are keys of our InvenTree: `part` 0 while that hasn't said, `item` 0 if any of the part will do.
    `kept` is the stock item that is kept for them until `kept_until`, 0 if none; `told` the place that they know of.
    """

    id: str
    code: str
    party: str
    wait: str
    connection: str
    room: str
    word: str
    quantity: Decimal
    number: int
    since: datetime
    by: Signature | None = None
    part: int = 0
    item: int = 0
    name: str = ""
    kept: int = 0
    kept_until: datetime | None = None
    looked: datetime | None = None
    told: int = 0

    def waits_for(self, item: int, part: int) -> bool:
        """Whether that stock item, of that part, would do."""
        return self.part == part and part != 0 and self.item in {0, item}

    def meets(self, other: QueueEntry) -> bool:
        """Whether one stock item would do for both."""
        return self.part == other.part and self.part != 0 and (0 in {self.item, other.item} or self.item == other.item)


@dataclass(frozen=True)
class PlaceInLine:
    """One of our people waits for something of a friend's: `place` as the owner's bot told it, 0 before it did.

    `item` is the owner's stock item that is kept for us until `until`.
    """

    id: str
    code: str
    by: Signature
    room: str
    connection: str
    peer: str
    word: str
    quantity: Decimal
    state: PlaceState = PlaceState.ASKED
    place: int = 0
    item: int = 0
    until: datetime | None = None
    ended: datetime | None = None

    @property
    def is_living(self) -> bool:
        """Whether we still wait."""
        return self.state in OPEN_PLACES


def wait_id(waiting_event: str) -> str:
    """The id of a place: made from the Matrix event of the line that asks for it."""
    return short_hash("wait", waiting_event)


def entry_id(party: str, wait: str) -> str:
    """The id under which the owner keeps it."""
    return short_hash("queue", party, wait)
