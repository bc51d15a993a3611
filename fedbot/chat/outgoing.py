"""In which order and at what pace our messages leave: one queue for the whole account.

A default Synapse takes 10 events at once, then one in 5 seconds, reactions and edits included
(facts/matrix.md §2). Pure: the queue is the journal's outbox, the runner in `app` sends.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

from fedbot.federation.effects import Announce, Join, Leave, SendEnvelope
from fedbot.ports import Drawing, Letter, OutboxRow, Seed, Stored


class Urgency(IntEnum):
    """What goes first; the outbox's `priority`. Within one, first come, first served."""

    ENVELOPE = 0
    ROOM = 1
    MESSAGE = 2
    EDIT = 3
    SEED = 4
    PICTURE = 5


def urgency(effect: Stored) -> Urgency:
    """How urgent an effect of the chat lane is.

    Envelopes come before all else: the other side waits for them. Then joining and announcing, which other
    things need; then what people read; then what only changes how a message looks; pictures last.
    """
    match effect:
        case SendEnvelope():
            return Urgency.ENVELOPE
        case Join() | Leave() | Announce():
            return Urgency.ROOM
        case Letter(draft=None, edit=edit):
            return Urgency.EDIT if edit else Urgency.MESSAGE
        case Letter():
            return Urgency.ENVELOPE
        case Seed():
            return Urgency.SEED
        case Drawing():
            return Urgency.PICTURE
        case _:
            raise ValueError(f"{type(effect).__name__} doesn't go to the chat")


def queue_key(effect: Stored) -> str:
    """The outbox's `key` for an effect: what has the same key never overtakes each other.

    A message and its edits keep their order. A seed has a key of its own: an edit with an envelope must not
    wait for seeds of the same card. A seed whose message has no event id yet is not to be tried.
    """
    match effect:
        case Letter(key=key):
            return key
        case Seed(key=key, emoji=emoji):
            return f"{key} {emoji}"
        case Leave(after=key):
            return key
        case _:
            return ""


def superseded(rows: Iterable[OutboxRow]) -> frozenset[int]:
    """The ids of queued rows that needn't be sent: edits without an envelope before a later edit of the same.

    An edit with an envelope always goes, and in its turn: its words may be old, what it says to the other bot
    is not (DESIGN §4). One that was already begun stays too: it may have reached the room, and only the same
    transaction tells.
    """
    latest: dict[tuple[str, str], int] = {}
    edits = [row for row in rows if isinstance(row.effect, Letter) and row.effect.edit]
    for row in edits:
        place = _place(row)
        latest[place] = max(row.id, latest.get(place, 0))
    return frozenset(
        row.id for row in edits if row.id < latest[_place(row)] and _has_no_envelope(row) and row.acted_at is None
    )


def in_order(rows: Sequence[OutboxRow]) -> tuple[OutboxRow, ...]:
    """The rows as they are to be sent, without those that are superseded.

    By urgency, then by age; but a row is as urgent as the most urgent one that must come after it: an edit
    with an envelope lends its urgency to its card, if that is still unsent.
    """
    gone = superseded(rows)
    waiting = sorted((row for row in rows if row.id not in gone), key=lambda row: row.id)
    lent: dict[tuple[str, str], int] = {}
    rank: dict[int, int] = {}
    for row in reversed(waiting):
        place = _place(row)
        rank[row.id] = min(row.priority, lent.get(place, row.priority)) if row.key else row.priority
        if row.key:
            lent[place] = rank[row.id]
    return tuple(sorted(waiting, key=lambda row: (rank[row.id], row.id)))


def _place(row: OutboxRow) -> tuple[str, str]:
    return (getattr(row.effect, "room", ""), row.key)


def _has_no_envelope(row: OutboxRow) -> bool:
    return isinstance(row.effect, Letter) and row.effect.draft is None


@dataclass(frozen=True)
class Budget:
    """When the next event may be sent; learns the homeserver's limit from its refusals.

    Until the first 429 it holds nothing back, as limits can be lifted for an account. Then it paces: what the
    homeserver asked us to wait is taken as the time that one event costs. Once nothing was sent for so long
    that the homeserver's bucket must be full again, it is as before.

    Attributes:
        burst: events that a full bucket holds (Synapse's default).
        pause: seconds that one event costs; 0 while no limit was met.
        full_at: when the bucket is full again; None while no limit was met.
    """

    burst: int = 10
    pause: float = 0.0
    full_at: datetime | None = None

    def wait(self, now: datetime) -> float:
        """Seconds until something may be sent; 0 for at once."""
        if self.full_at is None:
            return 0.0
        room_for_one = self.full_at - timedelta(seconds=self.pause * (self.burst - 1))
        return max(0.0, (room_for_one - now).total_seconds())

    def sent(self, now: datetime) -> Budget:
        """The budget after an event that went through."""
        if self.full_at is None:
            return self
        if now >= self.full_at:
            return Budget(self.burst)
        return replace(self, full_at=self.full_at + timedelta(seconds=self.pause))

    def limited(self, now: datetime, retry_after: float) -> Budget:
        """The budget after a 429: nothing goes before `retry_after` seconds, then the same transaction again.

        What we are asked to wait is the rest of a pause that had begun, so whole seconds are rounded up.
        """
        cost = math.ceil(retry_after) if retry_after > 1 else retry_after
        pause = max(self.pause, cost)
        rest = retry_after + pause * (self.burst - 1)
        return replace(self, pause=pause, full_at=now + timedelta(seconds=rest))
