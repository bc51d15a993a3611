"""What a space does about things that friends don't bring back: the steps, and a friend that gets no new loans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fedbot.rules.model.decision import Signature


@dataclass(frozen=True)
class OverdueSteps:
    """After so long our admins are told; after so long they are asked to decide. None: never.

    The borrower's people are reminded before, on and after the due date, whatever this says.
    """

    admins_after: timedelta | None = timedelta(days=7)
    stop_after: timedelta | None = timedelta(days=21)


@dataclass(frozen=True)
class LendingStop:
    """Our superuser has said that this party gets no new loans until what is overdue is back. `id` is the party's."""

    id: str
    by: Signature
    room: str
