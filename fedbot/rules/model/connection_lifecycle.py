"""The life of a connection as a table: its states, and from which to which it may go.

`decide` refuses to commit any other arrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ConnectionState(StrEnum):
    """Where a connection stands on our side."""

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

ARROWS: Mapping[ConnectionState | None, frozenset[ConnectionState]] = {
    None: frozenset(ConnectionState),
    C.ASKED: NEVER_MADE | {C.MAKING},
    C.OFFERED: NEVER_MADE | {C.MAKING},
    C.MAKING: frozenset({C.READY, C.ACTIVE, C.SUSPENDED, C.CANCELLED, C.EXPIRED}),
    C.READY: frozenset({C.ACTIVE, C.SUSPENDED, C.CANCELLED, C.EXPIRED, C.ENDING, C.ENDED}),
    C.ACTIVE: frozenset({C.SUSPENDED, C.ENDING, C.ENDED}),
    C.SUSPENDED: frozenset({C.MAKING, C.READY, C.ACTIVE, C.CANCELLED, C.EXPIRED, C.ENDING, C.ENDED}),
    C.ENDING: frozenset({C.ENDED}),
}
"""What one event may do. Two steps within one event are one arrow. None is a connection that we don't know yet: what is
found again after a loss may stand anywhere. What is over stays so."""


def allows(before: ConnectionState | None, after: ConnectionState) -> bool:
    """Whether a connection may go there."""
    return before is after or after in ARROWS.get(before, frozenset())
