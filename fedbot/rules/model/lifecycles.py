"""Every lifecycle as a table: the states of a connection, a transfer, a loan and so on, and the changes between them.

`decide` refuses to commit any other change.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

# --- A transfer, by our role in it.


class TransferState(StrEnum):
    """The state of a transfer. The sender's journal decides until `sent`, the receiver's until `received` or `refused`.

    A receiver is in `sent` only while a parcel is in transit to it. In `booked`, both sides have agreed and it waits
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
"""The states in which our own books are final. A receiver that has answered only waits for the confirmation."""

TRANSFER_ARROWS: Mapping[str, Mapping[TransferState | None, frozenset[TransferState]]] = {
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
"""The changes that one event may make. Two changes by one event count as one. None is a transfer new to us.

`approved` goes back to `open` if the last read before the debit shows that it now takes two people. `done` and
`reverted` reopen only if our people alone had settled it, and the peer contradicts them.
"""

PEER_DISPUTES: Mapping[str, frozenset[TransferState]] = {
    "sender": frozenset({T.SENT}),
    "receiver": frozenset({T.OPEN, T.BOOKED, T.SENT}),
}
"""The states in which a peer's `unclear` makes the transfer disputed.

It doesn't while we move the stock ourselves, or once we have answered, because then our own books are settled.
"""


# --- The end of a loan.


class Ending(StrEnum):
    """The ways in which a loan, or a line of it, can end. A loan with several ends has the last of them in this order.

    `KEPT`: the borrower closed it alone, because the lender's bot is gone. The item still belongs to the lender.
    """

    RETURNED = "returned"
    GIFT = "gift"
    LOST = "lost"
    KEPT = "kept"


LOAN_ARROWS: Mapping[Ending | None, frozenset[Ending | None]] = {
    None: frozenset(Ending),
    Ending.KEPT: frozenset({None, Ending.RETURNED, Ending.GIFT, Ending.LOST}),
}
"""The changes of a loan's end; None is on loan.

If the borrower closed it alone, the lender may reopen it or end it differently.
"""


# --- A connection.


class ConnectionState(StrEnum):
    """The state of a connection on our side."""

    ASKED = "asked"
    OFFERED = "offered"
    MAKING = "making"
    READY = "ready"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDING = "ending"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    ENDED = "ended"


C = ConnectionState
UNFINISHED_CONNECTION = frozenset({C.ASKED, C.OFFERED, C.MAKING})
LIVING_CONNECTION = UNFINISHED_CONNECTION | {C.READY, C.ACTIVE, C.SUSPENDED, C.ENDING}
NEVER_MADE = frozenset({C.DECLINED, C.CANCELLED, C.EXPIRED})

CONNECTION_ARROWS: Mapping[ConnectionState | None, frozenset[ConnectionState]] = {
    None: frozenset(ConnectionState),
    C.ASKED: NEVER_MADE | {C.MAKING},
    C.OFFERED: NEVER_MADE | {C.MAKING},
    C.MAKING: frozenset({C.READY, C.ACTIVE, C.SUSPENDED, C.CANCELLED, C.EXPIRED}),
    C.READY: frozenset({C.ACTIVE, C.SUSPENDED, C.CANCELLED, C.EXPIRED, C.ENDING, C.ENDED}),
    C.ACTIVE: frozenset({C.SUSPENDED, C.ENDING, C.ENDED}),
    C.SUSPENDED: frozenset({C.MAKING, C.READY, C.ACTIVE, C.CANCELLED, C.EXPIRED, C.ENDING, C.ENDED}),
    C.ENDING: frozenset({C.ENDED}),
}
"""The changes that one event may make.

Two changes by one event count as one. None is a connection new to us: one that is found after a loss may be in any
state. An ended connection never reopens.
"""


# --- A loan to a neighbour without a bot.


class OutsideState(StrEnum):
    """The state of a loan to a neighbour. `UNCLEAR`: a step failed, or its outcome is unknown; people must check it.

    `HANDING_OVER`: the neighbour has a bot now and is offered the loan as an ordinary one; `HANDED_OVER`: it accepted.
    """

    BOOKING_OUT = "booking out"
    OUT = "out"
    HANDING_OVER = "handing over"
    HANDED_OVER = "handed over"
    COMING_BACK = "coming back"
    RETURNED = "returned"
    GIFT = "gift"
    LOST = "lost"
    NOT_LENT = "not lent"
    UNCLEAR = "unclear"
    CLOSED = "closed"
    """People have put it right by hand."""


O = OutsideState  # noqa: E741 -- a table's short name
OUTSIDE_OVER = frozenset({O.HANDED_OVER, O.RETURNED, O.GIFT, O.LOST, O.NOT_LENT, O.CLOSED})
ENDS_OF_A_LOAN = OUTSIDE_OVER - {O.NOT_LENT, O.CLOSED}
MAY_BE_HANDED_OVER = frozenset({O.OUT, O.UNCLEAR})
OUTSIDE_ARROWS: Mapping[OutsideState | None, frozenset[OutsideState]] = {
    None: frozenset({O.BOOKING_OUT, O.OUT, O.HANDING_OVER, O.UNCLEAR}),
    O.BOOKING_OUT: frozenset({O.OUT, O.NOT_LENT, O.UNCLEAR}),
    O.OUT: frozenset({O.HANDING_OVER, O.COMING_BACK, O.GIFT, O.LOST}),
    O.HANDING_OVER: frozenset({O.HANDED_OVER, O.OUT, O.BOOKING_OUT, O.UNCLEAR, O.CLOSED}),
    O.COMING_BACK: frozenset({O.RETURNED, O.UNCLEAR}),
    O.UNCLEAR: frozenset({O.HANDING_OVER, O.COMING_BACK, O.GIFT, O.LOST, O.CLOSED}),
}
"""The changes that one event may make. None is a loan new to us: after a loss it is found in its last state."""


# --- A rota: one thing requested from several peers in turn.


class RotaState(StrEnum):
    """The state of a rota."""

    SEARCHING = "searching"
    ASKING = "asking"
    FILLED = "filled"
    NOBODY = "nobody"
    STOPPED = "stopped"


R = RotaState
LIVING_ROTA = frozenset({R.SEARCHING, R.ASKING})
ROTA_ARROWS: Mapping[RotaState | None, frozenset[RotaState]] = {
    None: frozenset({R.SEARCHING}),
    R.SEARCHING: frozenset({R.ASKING, R.NOBODY, R.STOPPED}),
    R.ASKING: frozenset({R.FILLED, R.NOBODY, R.STOPPED}),
}


# --- A place in a peer's queue.


class PlaceState(StrEnum):
    """The state of our place in a peer's queue as the lender's bot reports it, or the reason why it ended."""

    ASKED = "asked"
    """The lender's bot hasn't answered yet."""
    WAITING = "waiting"
    TURN = "turn"
    """The item is back, and kept for us."""
    SERVED = "served"
    LAPSED = "lapsed"
    """It was kept for us, and nobody requested it in time."""
    FREE = "free"
    """It is available now, so there is nothing to wait for."""
    UNKNOWN = "unknown"
    """The lender shares nothing of that name."""
    YOURS = "yours"
    """The lender already lends it to us."""
    OURS = "ours"
    """It is ours: that peer has borrowed it from us."""
    OFFERED = "offered"
    """The lender offers it to us already, and our approvers haven't decided yet."""
    UNCLEAR = "unclear"
    """Several parts have that name."""
    UNIT = "unit"
    """The lender counts it in another unit."""
    TWICE = "twice"
    """Our space already waits for it."""
    FULL = "full"
    """We wait for too many things there."""
    REMOVED = "removed"
    """The lender's people have removed us from the queue."""
    LEFT = "left"
    """Our own people don't wait any more."""
    PARTED = "parted"
    """The connection has ended."""


OPEN_PLACES = frozenset({PlaceState.ASKED, PlaceState.WAITING, PlaceState.TURN})
ENDS_OF_A_PLACE = frozenset(PlaceState) - OPEN_PLACES
TOLD_ENDS = ENDS_OF_A_PLACE - {PlaceState.LEFT, PlaceState.PARTED}
"""The ends that the lender's bot reports."""
SAID_WITH_UNKNOWN = frozenset({PlaceState.YOURS, PlaceState.OURS, PlaceState.OFFERED})
"""Ends added after version 1. They are sent beside `unknown`, which is all that older bots read."""
PLACE_ARROWS: Mapping[PlaceState | None, frozenset[PlaceState]] = {
    None: frozenset({PlaceState.ASKED}),
    PlaceState.ASKED: ENDS_OF_A_PLACE | {PlaceState.WAITING, PlaceState.TURN},
    PlaceState.WAITING: ENDS_OF_A_PLACE | {PlaceState.TURN},
    PlaceState.TURN: ENDS_OF_A_PLACE,
}


# --- A want: something that nobody has at the moment.


class WantState(StrEnum):
    """The state of one of our own wants."""

    WANTED = "wanted"
    FOUND = "found"
    OVER = "over"
    """Its last day has passed."""
    STOPPED = "stopped"


WANT_ARROWS: Mapping[WantState | None, frozenset[WantState]] = {
    None: frozenset({WantState.WANTED}),
    WantState.WANTED: frozenset({WantState.FOUND, WantState.OVER, WantState.STOPPED}),
}

# --- The checks that `decide` makes.

_ARROWS: Mapping[type[StrEnum], Mapping[Any, frozenset[Any]]] = {
    ConnectionState: CONNECTION_ARROWS,
    OutsideState: OUTSIDE_ARROWS,
    RotaState: ROTA_ARROWS,
    PlaceState: PLACE_ARROWS,
    WantState: WANT_ARROWS,
}


def allows(before: StrEnum | None, after: StrEnum) -> bool:
    """Whether the state `before` (None: new to us) may change to `after`, by the table for that kind of state."""
    return before is after or after in _ARROWS[type(after)].get(before, frozenset())


def transfer_allows(role: str, before: TransferState | None, after: TransferState) -> bool:
    """Whether a transfer in which we have that role may change so; as in `allows`."""
    return before is after or after in TRANSFER_ARROWS[role].get(before, frozenset())


def loan_allows(before: Ending | None, after: Ending | None) -> bool:
    """Whether the end of a loan may change so. None: on loan."""
    return before is after or after in LOAN_ARROWS.get(before, frozenset())
