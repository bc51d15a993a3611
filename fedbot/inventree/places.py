"""The stock locations of our InvenTree: which one the configuration means, and what a person calls it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fedbot.inventree.rows import Row


@dataclass(frozen=True)
class Place:
    """A stock location, or a part category (both are trees with paths). Nothing lies in a structural one."""

    pk: int
    name: str
    path: str
    structural: bool = False


class Places:
    """All places of one tree, as read at the last look."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._by_key = {
            int(row["pk"]): Place(
                pk=int(row["pk"]),
                name=str(row["name"]),
                path=str(row.get("pathstring") or row["name"]),
                structural=bool(row.get("structural", False)),
            )
            for row in rows
        }

    def by_key(self, pk: int | None) -> Place | None:
        """The place with this key, or None."""
        return None if pk is None else self._by_key.get(pk)

    def meant_by(self, word: str) -> tuple[Place, ...]:
        """The places that a configured word means: a key, else a path, else a name (case doesn't matter)."""
        word = word.strip().strip("/")
        if word.isdigit():
            place = self.by_key(int(word))
            return (place,) if place else ()
        folded = word.casefold()
        by_path = tuple(place for place in self._by_key.values() if place.path.casefold() == folded)
        return by_path or tuple(place for place in self._by_key.values() if place.name.casefold() == folded)


def complaint_about(word: str, setting: str, found: tuple[Place, ...]) -> str:
    """What to do about a configured place that is not exactly one usable place; empty if it is."""
    if not found:
        return f'Make a stock location "{word}" in InvenTree, or write another one into inventree.{setting}.'
    if len(found) > 1:
        paths = ", ".join(f'"{place.path}"' for place in found)
        return f"inventree.{setting}: several stock locations are called {word}; write one of {paths}."
    if found[0].structural:
        return f'inventree.{setting}: nothing can lie in "{found[0].path}", as it is structural.'
    return ""
