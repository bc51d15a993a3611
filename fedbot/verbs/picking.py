"""Which stock items a typed line means, once InvenTree has said what there is: one, a choice, or why none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from fedbot.federation import merges
from fedbot.federation.effects import Phrase, say
from fedbot.federation.merges import Hidden
from fedbot.federation.questions import ItemsFound
from fedbot.federation.state import Turn
from fedbot.federation.stock import Part, StockItem
from fedbot.federation.views import Lying
from fedbot.verbs.grammar import SHOWN
from fedbot.verbs.items import Reading
from fedbot.verbs.offering import Less, Picked, amount_complaint, free_of, item_complaint, merged_complaint, origins_of

MOST_TOLD = 20


@dataclass(frozen=True)
class Choice:
    """Several things may be meant. `ways` are what a number stands for, in the phrase's order."""

    phrase: Phrase
    ways: tuple[tuple[Lying, ...], ...]


@dataclass(frozen=True)
class Picking:
    """What is needed to pick: InvenTree's answers by word, where it shall go, and what the line took before.

    `less` is the line to type instead, with so much of an item.
    """

    turn: Turn
    found: Mapping[str, ItemsFound]
    destination: str
    taken: Mapping[int, Decimal]
    less: Less

    def origins(self, item: StockItem) -> tuple[str, ...]:
        """The other parties that the item came from."""
        tainted = tuple(entry for found in self.found.values() for entry in found.tainted)
        return origins_of(self.turn, item, tainted)

    def complaint(self, item: StockItem, wanted: Decimal) -> Phrase | None:
        """Why that much of the item may not go."""
        return (
            item_complaint(self.turn, item, self.origins(item), self.destination)
            or amount_complaint(self.turn, item, wanted, self.taken, self.less)
            or merged_complaint(self.turn, item, wanted, self.taken, self.hidden(item), self.less)
        )

    def hidden(self, item: StockItem) -> tuple[Hidden, ...]:
        """What of it may be another space's, since that was merged into it, and may not go there."""
        seen = (merges.hidden(self.turn, item, found, self.destination) for found in self.found.values())
        return next((hidden for hidden in seen if hidden), ())


def pick(picking: Picking, readings: tuple[Reading, ...]) -> Picked | Choice | Phrase:
    """The one item that the line means, or what to ask the person, or why there is none."""
    known = [reading for reading in readings if picking.found[reading.item].items]
    if not known:
        return _nothing(picking, readings)
    if len(known) > 1:
        return _which_reading(picking, readings, known)
    (reading,) = known
    items = picking.found[reading.item].items
    if len(items) == 1:
        return _one(picking, items[0], reading.quantity)
    return _which_item(picking, reading, items)


def _one(picking: Picking, item: StockItem, quantity: str) -> Picked | Phrase:
    wanted = Decimal(quantity) if quantity else item.quantity
    complaint = picking.complaint(item, wanted)
    if complaint is not None:
        return complaint
    return Picked(item, wanted, next(iter(picking.origins(item)), ""))


def _nothing(picking: Picking, readings: tuple[Reading, ...]) -> Phrase:
    """No stock item: the part is known but none lies there, or the word is unknown; near hits are told."""
    parts: list[Part] = []
    for reading in readings:
        near = picking.found[reading.item].parts
        exact = tuple(part for part in near if reading.item.casefold() in {part.name.casefold(), part.ipn.casefold()})
        if exact:
            return say("nothing_in_stock", word=reading.item[:SHOWN], parts=exact)
        parts += [part for part in near if part not in parts]
    return say("item_not_found", word=readings[-1].item[:SHOWN], parts=tuple(parts))


def _which_reading(picking: Picking, readings: tuple[Reading, ...], known: list[Reading]) -> Choice | Phrase:
    """A name that ends (or begins) with a number, and the number could be the quantity: both exist."""
    lying = [
        Lying(item, Decimal(reading.quantity) if reading.quantity else item.quantity)
        for reading in known
        for item in picking.found[reading.item].items
    ]
    fitting = [entry for entry in lying if picking.complaint(entry.item, entry.quantity) is None]
    usable = tuple(fitting[:MOST_TOLD])
    if not usable:
        return _none_fits(picking, readings[-1].item, lying[:MOST_TOLD])
    return Choice(
        say("which_reading", word=readings[-1].item[:SHOWN], readings=usable), tuple((entry,) for entry in usable)
    )


def _which_item(picking: Picking, reading: Reading, items: tuple[StockItem, ...]) -> Picked | Choice | Phrase:
    """Several stock items of one part: those that may go, with as much as each can give."""
    lying = [_as_much_as_was_typed(picking, item, reading.quantity) for item in items]
    usable = tuple(entry for entry in lying if picking.complaint(entry.item, entry.quantity) is None)
    if len(usable) == 1:
        return _one(picking, usable[0].item, reading.quantity)
    together = _together(picking, items, Decimal(reading.quantity)) if reading.quantity and not usable else ()
    if not (usable or together):
        return _none_fits(picking, reading.item, lying)
    word = reading.item[:SHOWN]
    if together:
        wanted = Decimal(reading.quantity)
        return Choice(say("only_together", word=word, wanted=wanted, together=together), (together,))
    return Choice(say("which_item", word=word, choices=usable), tuple((entry,) for entry in usable))


def _as_much_as_was_typed(picking: Picking, item: StockItem, quantity: str) -> Lying:
    """The quantity that was typed, never less of it; without one, all that is free."""
    free = free_of(picking.turn, item, picking.taken)
    everything = free if free > 0 else item.quantity
    return Lying(item, Decimal(quantity) if quantity else everything)


def _together(picking: Picking, items: tuple[StockItem, ...], wanted: Decimal) -> tuple[Lying, ...]:
    """As many of the items as it takes, largest first, if all together have that much; no single one has."""
    free = [Lying(item, min(wanted, free_of(picking.turn, item, picking.taken))) for item in items]
    parts: list[Lying] = []
    for entry in sorted(free, key=lambda entry: -entry.quantity):
        quantity = min(entry.quantity, wanted)
        if quantity > 0 and picking.complaint(entry.item, quantity) is None:
            parts.append(Lying(entry.item, quantity))
            wanted -= quantity
    return tuple(parts) if not wanted else ()


def _none_fits(picking: Picking, word: str, lying: list[Lying]) -> Phrase:
    unfit = []
    for entry in lying:
        complaint = picking.complaint(entry.item, entry.quantity)
        if complaint is not None:
            unfit.append((entry.item, complaint))
    return say("no_item_fits", word=word[:SHOWN], unfit=tuple(unfit))
