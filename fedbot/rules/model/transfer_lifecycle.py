"""The life of a transfer as a table: its states, and from which to which it may go, by our role in it.

`decide` refuses to commit any other arrow. What both sides must agree on is here too: how long a request may stay open.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class TransferState(StrEnum):
    """The sender's journal decides until `sent`, the receiver's until `received` or `refused`.

    A receiver is at `sent` only while a parcel is on its way to it. At `booked` both sides have agreed, and it waits
    for its first day.
    """

    OPEN = "open"
    BOOKED = "booked"
    APPROVED = "approved"
    DEBITING = "debiting"
    SENT = "sent"
    CREDITING = "crediting"
    RECEIVED = "received"
    DONE = "done"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    ABORTED = "aborted"
    REFUSED = "refused"
    REVERTING = "reverting"
    REVERTED = "reverted"
    DISPUTED = "disputed"


T = TransferState
NOTHING_MOVED = frozenset({T.DECLINED, T.CANCELLED, T.EXPIRED, T.ABORTED})
FINAL = NOTHING_MOVED | {T.DONE, T.REVERTED}
BEFORE_DEBIT = frozenset({T.OPEN, T.BOOKED, T.APPROVED})
BOOKS_SETTLED: Mapping[str, frozenset[TransferState]] = {
    "sender": FINAL,
    "receiver": FINAL | {T.RECEIVED, T.REFUSED},
}
"""Where our own books wait for nobody: a receiver that has answered lacks no more than the sender's confirmation."""

ARROWS: Mapping[str, Mapping[TransferState | None, frozenset[TransferState]]] = {
    "sender": {
        None: frozenset({T.OPEN, T.APPROVED, T.DEBITING, T.DECLINED, T.ABORTED}),
        T.OPEN: NOTHING_MOVED | {T.BOOKED, T.APPROVED, T.DEBITING, T.DONE, T.DISPUTED},
        T.BOOKED: frozenset({T.APPROVED, T.DEBITING, T.CANCELLED, T.EXPIRED, T.ABORTED, T.DISPUTED}),
        T.APPROVED: frozenset({T.OPEN, T.BOOKED, T.DEBITING, T.CANCELLED, T.ABORTED, T.DISPUTED}),
        T.DEBITING: frozenset({T.SENT, T.ABORTED, T.DISPUTED}),
        T.SENT: frozenset({T.RECEIVED, T.REVERTING, T.DISPUTED}),
        T.RECEIVED: frozenset({T.DONE, T.DISPUTED}),
        T.REVERTING: frozenset({T.REVERTED, T.DISPUTED}),
        T.DONE: frozenset({T.DISPUTED}),
        T.REVERTED: frozenset({T.DISPUTED}),
        T.DISPUTED: frozenset(
            {T.DEBITING, T.SENT, T.ABORTED, T.RECEIVED, T.DONE, T.REVERTING, T.REVERTED},
        ),
    },
    "receiver": {
        None: frozenset({T.OPEN, T.CREDITING, T.ABORTED}),
        T.OPEN: NOTHING_MOVED | {T.BOOKED, T.SENT, T.CREDITING, T.REFUSED, T.DONE, T.DISPUTED},
        T.BOOKED: NOTHING_MOVED | {T.SENT, T.CREDITING, T.REFUSED, T.DISPUTED},
        T.SENT: frozenset({T.CREDITING, T.REFUSED, T.REVERTED, T.DISPUTED}),
        T.CREDITING: frozenset(
            {T.RECEIVED, T.REFUSED, T.SENT, T.DONE, T.ABORTED, T.REVERTED, T.DISPUTED},
        ),
        T.RECEIVED: frozenset({T.DONE, T.DISPUTED}),
        T.REFUSED: frozenset({T.REVERTED}),
        T.DISPUTED: NOTHING_MOVED | {T.OPEN, T.BOOKED, T.SENT, T.CREDITING, T.RECEIVED, T.REFUSED, T.DONE, T.REVERTED},
    },
}
"""What one event may do. Two steps within one event are one arrow; None is a transfer that we don't know yet.

From `approved` an arrow leads back where the last look before the debit shows that it takes two people by now.
From `done` and `reverted` an arrow leads only where our people alone had settled it, and the peer contradicts them.
"""

PEER_DISPUTES: Mapping[str, frozenset[TransferState]] = {
    "sender": frozenset({T.SENT}),
    "receiver": frozenset({T.OPEN, T.BOOKED, T.SENT}),
}
"""Where a peer's word that it can't tell what happened stops us.

Not where we are the ones who move the stock, nor where we have answered: our own books are settled then.
"""


def allows(role: str, before: TransferState | None, after: TransferState) -> bool:
    """Whether a transfer in which our role is that may go there."""
    return before is after or after in ARROWS[role].get(before, frozenset())
