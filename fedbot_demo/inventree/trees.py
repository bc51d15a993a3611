"""Trees of locations, categories and part variants: their branches and their order in lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from fedbot_demo.inventree.records import Category, Location, Part, StockItem
from fedbot_demo.inventree.state import State
from fedbot_demo.inventree.table import Row, Table


class Node(Row, Protocol):
    """A row of a tree."""

    @property
    def name(self) -> str:
        """The name, which orders siblings."""

    @property
    def parent(self) -> int | None:
        """The parent row; None at the top."""


N = TypeVar("N", bound=Node)


def _below(first: int, children: Callable[[int], list[int]]) -> set[int]:
    found, left = {first}, [first]
    while left:
        new = [child for child in children(left.pop()) if child not in found]
        found.update(new)
        left += new
    return found


def location_branch(state: State, location: Location) -> set[int]:
    """The location and all locations in it, by row number."""
    return _below(location.pk, lambda pk: [each.pk for each in state.locations.find("parent", pk)])


def category_branch(state: State, category: Category) -> set[int]:
    """The category and all categories in it, by row number."""
    return _below(category.pk, lambda pk: [each.pk for each in state.categories.find("parent", pk)])


def variants(state: State, part: Part) -> list[Part]:
    """The part and all its variants, at all depths."""
    numbers = _below(part.pk, lambda pk: [each.pk for each in state.parts.find("variant_of", pk)])
    return [state.parts[pk] for pk in sorted(numbers)]


def items_below(state: State, item: StockItem) -> set[int]:
    """The items split off from a stock item, at all depths, by row number."""
    return _below(item.pk, lambda pk: [each.pk for each in state.stock.find("parent", pk)]) - {item.pk}


def in_tree_order(table: Table[N]) -> list[N]:
    """All rows, each followed by its descendants; siblings by name."""
    result: list[N] = []

    def add(parent: int | None) -> None:
        for row in sorted(table.find("parent", parent), key=lambda each: (each.name, each.pk)):
            result.append(row)
            add(row.pk)

    add(None)
    return result
