"""Adds much more stock to a server: thousands of parts, each with some stock items."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from fedbot_demo.inventree.records import Category, Location, Part, StockItem
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.statuses import CREATED
from fedbot_demo.inventree.stock_rows import write_history

PARTS, ITEMS = 6_016, 55_020
"""The size of the server on which the costs were measured."""
_PARTS_A_CATEGORY, _ITEMS_A_PLACE = 50, 250
_THINGS = ("Screw", "Bolt", "Nut", "Washer", "Resistor", "Bearing", "Belt", "Sheet", "Cable", "Lens", "Fuse", "Tube")
_OF = ("steel", "brass", "nylon", "zinc", "copper", "oak", "acrylic", "rubber", "glass", "ceramic")


@dataclass(frozen=True, slots=True)
class Large:
    """An amount of stock. `items` are spread evenly over `parts`."""

    items: int = ITEMS
    parts: int = PARTS

    @classmethod
    def of(cls, items: int) -> Large:
        """This number of stock items, and of parts in the same proportion as on the measured server."""
        return cls(items, max(items * PARTS // ITEMS, 1))

    def put_into(self, state: State) -> None:
        """Add the rows, as an admin would. Every tenth part is below its minimum stock."""
        categories = [self._category(state, number) for number in range(-(-self.parts // _PARTS_A_CATEGORY))]
        places = [self._place(state, number) for number in range(-(-self.items // _ITEMS_A_PLACE))]
        words = [f"{thing} {of}" for thing, of in product(_THINGS, _OF)]
        admin = next(user for user in state.users if user.is_superuser)
        today, now = state.today, state.now
        parts = []
        for number in range(self.parts):
            part = Part(
                pk=state.parts.next_pk,
                name=f"{words[number % len(words)]} {number:05}",
                IPN=f"L-{number:05}",
                category=categories[number // _PARTS_A_CATEGORY].pk,
                description=f"Bin {number % 97}, {words[number % len(words)].lower()}",
                keywords=f"series{number % 31}",
                salable=True,
                minimum_stock=Decimal(0) if number % 10 else Decimal(10**6),
                creation_date=today,
                creation_user=admin.pk,
            )
            parts.append(state.parts.put(part))
        for number in range(self.items):
            item = state.stock.put(
                StockItem(
                    pk=state.stock.next_pk,
                    part=parts[number % self.parts].pk,
                    quantity=Decimal(1 + number % 40),
                    location=places[number // _ITEMS_A_PLACE].pk,
                    creation_date=now,
                    updated=now,
                )
            )
            write_history(state, item, CREATED, admin, {"quantity": float(item.quantity)}, part=item.part)
        for table in state.tables().values():
            table.begin()

    @staticmethod
    def _category(state: State, number: int) -> Category:
        return state.categories.put(Category(pk=state.categories.next_pk, name=f"Category {number:03}", description=""))

    @staticmethod
    def _place(state: State, number: int) -> Location:
        return state.locations.put(Location(pk=state.locations.next_pk, name=f"Box {number:03}", description=""))
