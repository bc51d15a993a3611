"""The order and pace of our messages: one queue for the whole account.

A default Synapse takes 10 events at once, then one every 5 seconds, including reactions and edits. Pure: the queue is
the journal's outbox, and the chat worker sends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

from fedbot.ports.journal import ChatMessage, Drawing, OutboxRow, Stored, SuggestedReaction
from fedbot.rules.model.effects import Announce, Join, Leave, SendEnvelope
from fedbot.rules.model.room import MessageKind
from fedbot.rules.wire import Draft


class Urgency(IntEnum):
    """The outbox's `priority`. It depends on what people wait for; no peer can influence it."""

    STOCK = 0
    ROOM = 1
    ANSWER = 2
    MESSAGE = 3
    EDIT = 4
    SUGGESTION = 5
    PICTURE = 6


STOCK_KINDS = frozenset(
    {
        "approve",
        "decline",
        "cancel",
        "granted",
        "sent",
        "received",
        "refused",
        "done",
        "aborted",
        "declined",
        "cancelled",
        "expired",
        "reverted",
        "disputed",
        "extended",
        "closed",
    }
)
"""The protocol messages that decide or move something. On both sides, people wait for them."""

RESERVES = {Urgency.ANSWER: 1, Urgency.MESSAGE: 2, Urgency.EDIT: 4, Urgency.SUGGESTION: 2, Urgency.PICTURE: 6}
"""The events of the homeserver's burst that are left for more urgent ones, once its limit is known.

Suggested reactions leave few, because people decide by them on a phone, but enough for the answer to a line.
"""
OLDER_IS_MORE_URGENT_AFTER = timedelta(minutes=1)
TRY_AGAIN_AFTER = timedelta(days=1)
DEFAULT_PAUSE = 5.0
"""The seconds that one event costs at a homeserver with default limits."""


def urgency(effect: Stored) -> Urgency:
    """The urgency of an effect of the chat queue.

    Messages that move stock come first. Then joining and announcing, because other messages need them; answers to
    people's lines; other messages to people and bots; edits that only change how a message looks, and the greeting of
    a newcomer; suggested reactions; pictures.
    """
    match effect:
        case SendEnvelope(draft=draft):
            return Urgency.STOCK if _moves_stock(draft) else Urgency.MESSAGE
        case Join() | Leave() | Announce():
            return Urgency.ROOM
        case ChatMessage(draft=Draft() as draft) if _moves_stock(draft):
            return Urgency.STOCK
        case ChatMessage(edit=True, draft=None):
            return Urgency.EDIT
        case ChatMessage(key=key) if key.kind is MessageKind.GREETING:
            return Urgency.EDIT
        case ChatMessage(answers=person, reply_to=reply_to):
            return Urgency.ANSWER if person or reply_to else Urgency.MESSAGE
        case SuggestedReaction():
            return Urgency.SUGGESTION
        case Drawing():
            return Urgency.PICTURE
        case _:
            raise ValueError(f"{type(effect).__name__} doesn't go to the chat")


def _moves_stock(draft: Draft) -> bool:
    return draft.subject_kind == "transfer" and draft.kind in STOCK_KINDS


def queue_key(effect: Stored) -> str:
    """The outbox's `key` for an effect. Effects with the same key never overtake each other.

    A message and its edits keep their order. A suggested reaction has its own key, because an edit with an envelope
    must not wait for the reactions of the same card, and a reaction to a message without an event id isn't sent yet.
    """
    match effect:
        case ChatMessage(key=key):
            return key
        case SuggestedReaction(key=key, emoji=emoji):
            return f"{key} {emoji}"
        case Leave(after=key):
            return key
        case Announce(room=room):  # an older announcement that is sent again must not replace a newer one
            return f"announce:{room}"
        case _:
            return ""


def superseded(rows: Iterable[OutboxRow]) -> frozenset[int]:
    """The ids of queued rows that needn't be sent, because another row says the same or something newer.

    These are: an edit without an envelope, before a later edit of the same message (one with an envelope is always
    sent, in its turn: its words may be outdated, but its envelope isn't); a protocol message that is queued again while
    its first sending still waits; a bare `seen` or `ask` before a later one. A row that was begun stays: it may have
    reached the room, and only the same transaction can find out.
    """
    rows = tuple(rows)
    return _edits_before_later_ones(rows) | _said_twice(rows)


def _edits_before_later_ones(rows: Iterable[OutboxRow]) -> frozenset[int]:
    latest: dict[tuple[str, str], int] = {}
    edits = [row for row in rows if isinstance(row.effect, ChatMessage) and row.effect.edit]
    for row in edits:
        place = _place(row)
        latest[place] = max(row.id, latest.get(place, 0))
    return frozenset(
        row.id for row in edits if row.id < latest[_place(row)] and _draft(row) is None and row.acted_at is None
    )


def _said_twice(rows: Iterable[OutboxRow]) -> frozenset[int]:
    waiting: dict[tuple[object, ...], OutboxRow] = {}
    gone: set[int] = set()
    for row in sorted(rows, key=lambda row: row.id):
        draft = _draft(row)
        if draft is None:
            continue
        said = (getattr(row.effect, "room", ""), draft.subject, draft.number, draft.kind, draft.sealed_to)
        before = waiting.setdefault(said, row)
        if before is row:
            continue
        if draft.number == 0 and before.acted_at is None:
            gone.add(before.id)
            waiting[said] = row
        elif isinstance(row.effect, SendEnvelope) and row.acted_at is None:
            gone.add(row.id)
    return frozenset(gone)


def in_order(
    rows: Sequence[OutboxRow],
    now: datetime,
    whose: Callable[[OutboxRow], str] = lambda _: "",
    served: Mapping[str, int] | None = None,
) -> tuple[OutboxRow, ...]:
    """The rows in the order of sending, without those that are superseded.

    The most urgent come first. Among equals, first the one who was served longest ago (`whose`: the person, peer or
    room of a row; `served`: the number of the send that served them last), then the oldest. A row is as urgent as the
    most urgent row that must come after it: of the same message, or about the same subject. A row that has waited for a
    minute is as urgent as an answer.
    """
    gone, turns = superseded(rows), served or {}
    waiting = sorted((row for row in rows if row.id not in gone), key=lambda row: row.id)
    lent: dict[tuple[str, str], tuple[int, int]] = {}
    rank: dict[int, tuple[int, int]] = {}
    for row in reversed(waiting):
        behind = [lent[group] for group in groups(row) if group in lent]
        rank[row.id] = min([(_urgency_by(row, now), turns.get(whose(row), 0)), *behind])
        lent.update(dict.fromkeys(groups(row), rank[row.id]))
    return tuple(sorted(waiting, key=lambda row: (rank[row.id], row.id)))


def groups(row: OutboxRow) -> tuple[tuple[str, str], ...]:
    """The groups in which rows don't overtake each other: the row's message, and its subject."""
    draft = _draft(row)
    message = (_place(row),) if row.key else ()
    return (*message, ("", draft.subject)) if draft and draft.subject else message


def reserve(row: OutboxRow, now: datetime) -> int:
    """The number of events of the burst that it leaves for more urgent ones."""
    return RESERVES.get(Urgency(_urgency_by(row, now)), 0)


def _urgency_by(row: OutboxRow, now: datetime) -> int:
    is_old = now - row.created_at >= OLDER_IS_MORE_URGENT_AFTER
    return Urgency.ANSWER if is_old and row.priority in {Urgency.MESSAGE, Urgency.EDIT} else row.priority


def _place(row: OutboxRow) -> tuple[str, str]:
    return (getattr(row.effect, "room", ""), row.key)


def _draft(row: OutboxRow) -> Draft | None:
    return row.effect.draft if isinstance(row.effect, ChatMessage | SendEnvelope) else None


@dataclass(frozen=True)
class Budget:
    """When the next event may be sent; learns the homeserver's limit from its refusals.

    Until the first 429 it holds nothing back, because limits can be lifted for an account. From then on, one event
    costs the time that the homeserver asked us to wait, but at least the default, unless that time was a second or
    less. After a day without a refusal it tries whether there is still a limit.

    Attributes:
        burst: events that a full bucket holds (Synapse's default).
        pause: seconds that one event costs; 0 while no limit is known.
        full_at: when the bucket is full again; None while no limit is known.
        refused_at: when the last 429 came.
    """

    burst: int = 10
    pause: float = 0.0
    full_at: datetime | None = None
    refused_at: datetime | None = None

    def wait(self, now: datetime, reserved: int = 0) -> float:
        """Seconds until an event may be sent that leaves this many events of the burst to others; 0 for at once."""
        if self.full_at is None:
            return 0.0
        left = max(self.burst - 1 - reserved, 0)
        return max(0.0, (self.full_at - timedelta(seconds=self.pause * left) - now).total_seconds())

    def sent(self, now: datetime) -> Budget:
        """The budget after an event was sent."""
        if self.full_at is None or self.refused_at is None:
            return self
        if now >= self.full_at and now - self.refused_at >= TRY_AGAIN_AFTER:
            return Budget(self.burst)
        return replace(self, full_at=max(self.full_at, now) + timedelta(seconds=self.pause))

    def limited(self, now: datetime, retry_after: float) -> Budget:
        """The budget after a 429: nothing is sent for `retry_after` seconds, then the same transaction again.

        The time that we are asked to wait is only the rest of a pause, so more than a second counts as the default at
        least.
        """
        cost = max(math.ceil(retry_after), DEFAULT_PAUSE) if retry_after > 1 else retry_after
        pause = max(self.pause, cost)
        rest = retry_after + pause * (self.burst - 1)
        return replace(self, pause=pause, full_at=now + timedelta(seconds=rest), refused_at=now)
