"""Chooses the owner's stock items for a request, and the quantity of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from fedbot.rules.catalogue.provenance import origin_forbids
from fedbot.rules.loan import bookings
from fedbot.rules.loan.bookings import Claim
from fedbot.rules.model.stock import StockItem, is_common, is_sound
from fedbot.rules.model.transfer import Line, Transfer
from fedbot.rules.state import Turn

NOT_FOUND = "not-found"
TOO_LITTLE = "too-little"
CHAIN = "chain"

Chosen = list[tuple[StockItem, Decimal]]


def may_come_in_pieces(line: Line, chosen: Chosen, room: int) -> bool:
    """Whether so many pieces fit, and the asker can add them up. They can't in a unit that only we can convert."""
    is_plain = not line.description.units or is_common(line.description.units, chosen[0][0].part.units)
    return len(chosen) <= room and (is_plain or len(chosen) == 1)


def chosen_from(
    turn: Turn, transfer: Transfer, items: Sequence[StockItem], quantity: Decimal, free: Free
) -> Chosen | str:
    """Return the items to offer: those that nobody else has requested, else those that nobody else was granted."""
    claimed = _claimed(turn, transfer, free.there, Claim.ASKED_FOR)
    chosen = _best_items(items, quantity, replace(free, taken=_sum(free.taken, claimed)))
    if isinstance(chosen, str):  # two parties want the same, and our people decide
        decided = _claimed(turn, transfer, free.there, Claim.DECIDED) if transfer.terms.starts else {}
        chosen = _best_items(items, quantity, replace(free, taken=_sum(free.taken, decided)))
    if isinstance(chosen, str) and transfer.terms.starts:
        return _booked_then(turn, transfer, items, free.there, quantity) or chosen
    return chosen


def _claimed(turn: Turn, transfer: Transfer, amounts: Mapping[int, Decimal], least: Claim) -> dict[int, Decimal]:
    """Return how much of each stock item others have at least that claim to, on these days."""
    first, last = transfer.terms.starts or turn.today(), transfer.terms.loan_until
    claimed = {}
    for item, amount in amounts.items():
        others = bookings.spans(turn, item, least, transfer.id)
        claimed[item] = amount - bookings.least_free(amount, others, first, last)
    return claimed


def _booked_then(
    turn: Turn, transfer: Transfer, items: Sequence[StockItem], amounts: Mapping[int, Decimal], quantity: Decimal
) -> str:
    """Return the reason code with the nearest free days, if it is booked on these days; else ''."""
    terms = transfer.terms
    if terms.starts is None or terms.loan_until is None:
        return ""
    days, today = (terms.starts, terms.loan_until), turn.today()
    first_days: list[date | None] = []
    for item in (item for item in items if amounts[item.pk] >= quantity):
        others = bookings.spans(turn, item.pk, Claim.DECIDED, transfer.id)
        first_days.append(bookings.nearest(amounts[item.pk], others, quantity, days, today))
    free_days = [day for day in first_days if day is not None]
    nearest = min(free_days, key=lambda day: abs(day - days[0]), default=None)
    return bookings.booked_then(nearest, days) if first_days else ""


def _sum(one: Mapping[int, Decimal], other: Mapping[int, Decimal]) -> dict[int, Decimal]:
    return {item: one.get(item, Decimal(0)) + other.get(item, Decimal(0)) for item in {*one, *other}}


@dataclass(frozen=True)
class Free:
    """The facts that decide whether an item may leave: the receiver, each item's origin, and other lines' quantities.

    `there` is the quantity of each that can be promised; `hidden` is the quantity that may belong to a third space
    (`merged_stock.hidden`), which stays.
    """

    destination: str
    origins: Mapping[int, str]
    there: Mapping[int, Decimal]
    taken: Mapping[int, Decimal]
    hidden: Mapping[int, Decimal] = field(default_factory=dict)

    def of(self, item: StockItem) -> Decimal:
        """The quantity of it that may leave."""
        kept = self.taken.get(item.pk, Decimal(0)) + self.hidden.get(item.pk, Decimal(0))
        return self.there[item.pk] - kept

    def may_go(self, item: StockItem) -> bool:
        """Whether any of it may go to the receiver (UC6)."""
        mixed = self.hidden.get(item.pk, Decimal(0))
        return not origin_forbids(self.origins[item.pk], self.destination) and mixed < item.quantity


def _best_items(items: Sequence[StockItem], quantity: Decimal, free: Free) -> Chosen | str:
    """Return the items for a request: the smallest that has enough, else several; or the reason code if there is none.

    Items with status OK come first.
    """
    sound = [item for item in items if is_sound(item) or (item.customer is not None and free.there[item.pk] > 0)]
    fit = [item for item in sound if free.may_go(item)]
    available = {item.pk: free.of(item) for item in fit}
    enough = [item for item in fit if available[item.pk] >= quantity and (not item.serial or quantity == 1)]
    if enough:
        return [(min(enough, key=lambda item: (not item.is_ok, available[item.pk], item.pk)), quantity)]
    if fit:
        return _together(fit, quantity, available) or TOO_LITTLE
    return CHAIN if sound else NOT_FOUND


def _together(items: Sequence[StockItem], quantity: Decimal, available: Mapping[int, Decimal]) -> Chosen:
    """Return as few items of one part as possible, largest first; empty if together they have too little."""
    for part in dict.fromkeys(item.part.pk for item in items):
        chosen: Chosen = []
        wanted = quantity
        of_part = [item for item in items if item.part.pk == part and available[item.pk] > 0]
        for item in sorted(of_part, key=lambda item: (not item.is_ok, -available[item.pk], item.pk)):
            if wanted > 0:
                chosen.append((item, min(available[item.pk], wanted)))
                wanted -= chosen[-1][1]
        if wanted == 0:
            return chosen
    return []
