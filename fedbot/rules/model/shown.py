"""What a card shows, as a frozen model: the card is rendered from it, and a decision is bound to its hash.

Whatever changes without changing what is agreed stays outside: how much is free, who may decide, how people and spaces
call themselves. A change of anything that is in it makes another card, and a decision on the former one is void.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter

from fedbot.rules.model.lending import LoanRules, Obstacle, Reserved
from fedbot.rules.model.outside import LentBefore
from fedbot.rules.model.queries import PartDescription
from fedbot.rules.model.whole_item import ItemDetails, Trait
from fedbot.rules.wire import envelope


@dataclass(frozen=True)
class Landing:
    """Where a line lands at us: which part of ours, which place, or the new part that a yes makes.

    `factor` is how many of our part's `units` one of the sender's is, `revision` that of our part. `item` is our own
    stock item that comes back by it; `how` is what tells that it is that part, or why there is none. Files of at most
    `largest_file` bytes are taken. `status_key` is our custom status that it gets.
    """

    part: int | None
    part_name: str
    creates_part: bool
    category: str
    item: int | None
    location: int | None
    place: str
    how: str
    factor: str = "1"
    units: str = ""
    revision: str = ""
    serial: str = ""
    largest_file: int = 0
    status_key: int | None = None


@dataclass(frozen=True)
class ShownLine:
    """One line: the owner's stock item, what it is, its condition, how much of it, and where it lands.

    `status` is InvenTree's number of the condition, `status_text` its name. `details` travels with it, `stays` doesn't.
    `landing` is None where it lands at the other side.
    """

    number: int
    item: int
    part: int
    description: PartDescription
    quantity: Decimal
    serial: str
    batch: str
    packaging: str
    expiry: date | None
    status: int
    status_text: str
    place: str
    origin: str
    whole: bool
    of_line: int
    details: ItemDetails
    stays: tuple[Trait, ...]
    landing: Landing | None


@dataclass(frozen=True)
class ShownTransfer:
    """All that a card about a transfer shows. `sender` and `receiver` are party ids, `role` is ours.

    `asker` and `granted_by` are Matrix ids. `granted_by` is set where the owner gives less than was asked for.
    `care`: a yes takes two people. `confirm`: others are asked too, and a yes only grants it. `starts` is the first day
    of a booking. `hands_over`: that day has come, and a yes says that it was handed over; `obstacles` are what stands
    against that. `over`: the bookings that a yes breaks. `rules`: the owner's lending rules for it.
    `outside`: the borrower has it already, from a time when it had no bot.
    """

    role: str
    kind: str
    sender: str
    receiver: str
    lines: tuple[ShownLine, ...]
    asker: str
    note: str
    loan_until: date | None
    time_zone: str
    parcel: bool
    parent: str
    due: datetime
    granted_by: str = ""
    care: bool = False
    confirm: bool = False
    starts: date | None = None
    hands_over: bool = False
    obstacles: tuple[Obstacle, ...] = ()
    over: tuple[Reserved, ...] = ()
    rules: LoanRules | None = None
    outside: LentBefore | None = None


@dataclass(frozen=True)
class ShownConnection:
    """All that a card about a friendship shows: both parties with their keys, and the access that a yes makes.

    `name` is the peer's, under which it asks.
    """

    own: str
    own_key: str
    peer: str
    peer_bot: str
    peer_key: str
    name: str
    access: str
    makes_access: bool
    asker: str
    generation: int
    room: str
    due: datetime


Shown = ShownTransfer | ShownConnection


@dataclass(frozen=True)
class Change:
    """One thing that a card shows otherwise than the card before it. `line` is its number; 0: it is about all of it.

    `field` is the name in the model; `before` and `after` are its values there.
    """

    field: str
    before: Any
    after: Any
    line: int = 0


_WRITERS: dict[type[Shown], TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (ShownTransfer, ShownConnection)}


def hash_of(shown: Shown) -> str:
    """The hash that a decision is bound to, 64 hex digits."""
    written = _WRITERS[type(shown)].dump_python(shown, mode="json")
    return envelope.shown_hash(type(shown).__name__, written)


def changes(before: Shown, after: Shown) -> tuple[Change, ...]:
    """What the later card shows otherwise, lines by their numbers."""
    found = _of_fields(before, after, leave_out="lines")
    if isinstance(before, ShownTransfer) and isinstance(after, ShownTransfer):
        old = {line.number: line for line in before.lines}
        new = {line.number: line for line in after.lines}
        for number in sorted({*old, *new}):
            if number in old and number in new:
                found += _of_line(old[number], new[number])
            else:
                found.append(Change("lines", old.get(number), new.get(number), number))
    return tuple(found)


def _of_line(before: ShownLine, after: ShownLine) -> list[Change]:
    found = _of_fields(before, after, leave_out="landing")
    if before.landing != after.landing:
        found.append(Change("landing", before.landing, after.landing))
    return [replace(change, line=before.number) for change in found]


def _of_fields(before: Any, after: Any, leave_out: str) -> list[Change]:  # noqa: ANN401 - records of one class
    names = [field.name for field in fields(before) if field.name != leave_out]
    values = [(name, getattr(before, name), getattr(after, name)) for name in names]
    return [Change(name, old, new) for name, old, new in values if old != new]
