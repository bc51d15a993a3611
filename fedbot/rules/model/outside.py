"""Something lent to a neighbour without a bot, as a document: our side alone keeps the books of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from fedbot.rules.model.decision import Signature
from fedbot.rules.model.diagnosis import Diagnosis
from fedbot.rules.model.outside_lifecycle import OVER, OutsideState
from fedbot.rules.model.queries import PartDescription
from fedbot.rules.wire.envelope import short_hash

LONGEST_NEIGHBOUR = 60
OUTSIDE = "outside:"
"""In front of a neighbour's name, in place of a party's id: no party has an id like that."""


@dataclass(frozen=True)
class LentBefore:
    """A loan that began before the borrower had a bot: its id at the owner, as whom it has it, and since when."""

    loan: str
    neighbour: str
    since: date


@dataclass(frozen=True)
class OutsideLoan:
    """One stock item, or some of it, lent to the `neighbour` of that name until that day, which is included.

    `by` is our approver, whose line was the decision; `room` is where that was said. `source` is the stock item as it
    lay, `item` the one that went, `status` and `location` what it had before. `stage` is the last step that is known to
    be done ('', `taken`, `handed`), `problem` why it is unclear or wasn't lent. `ended_by` said how it ended.
    `handing` is the transfer by which it becomes an ordinary loan to `friend`, whose bot the neighbour has by now.
    `again` counts how often it was booked out once more, as that came to nothing,
    `posted` how often its message was posted anew, after a loss of the journal.
    """

    id: str
    code: str
    neighbour: str
    by: Signature
    room: str
    until: date
    source: int
    part: int
    description: PartDescription
    quantity: Decimal
    serial: str = ""
    batch: str = ""
    state: OutsideState = OutsideState.BOOKING_OUT
    company: int | None = None
    stage: str = ""
    item: int | None = None
    status: int = 10
    location: int | None = None
    problem: Diagnosis | None = None
    damaged: bool = False
    note: str = ""
    reminded: datetime | None = None
    ended: datetime | None = None
    ended_by: Signature | None = None
    handing: str = ""
    friend: str = ""
    again: int = 0
    posted: int = 0

    @property
    def is_living(self) -> bool:
        """Whether it isn't over."""
        return self.state not in OVER


def outside_id(lending_event: str) -> str:
    """Its id: made from the Matrix event of the line that lends."""
    return short_hash("outside", lending_event)
