"""Part categories and how they lie in each other: one call, however many parts there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from fedbot.inventree.rows import Row
from fedbot.inventree.texts import same
from fedbot.inventree.transport import InvenTreeTransport

_DEEPEST = 50


class Categories:
    """All part categories, by key."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = {int(row["pk"]): row for row in rows}

    @classmethod
    def read(cls, api: InvenTreeTransport) -> Categories:
        """As they are now. Raises the problems of a read."""
        return cls(api.rows("part/category/"))

    def get(self, pk: int) -> Row | None:
        """The category of that key."""
        return self._rows.get(pk)

    def chain(self, pk: object) -> tuple[int, ...]:
        """The category's key and those of all above it, innermost first; nothing for no category."""
        chain: list[int] = []
        while isinstance(pk, int) and pk in self._rows and pk not in chain and len(chain) < _DEEPEST:
            chain.append(pk)
            pk = self._rows[pk].get("parent")
        return tuple(chain)

    def like(self, word: str) -> list[str]:
        """The names of those that are called much like that, best first, at most three."""
        names = {str(row.get("name") or "").casefold(): str(row.get("name") or "") for row in self._rows.values()}
        return [names[hit] for hit in difflib.get_close_matches(word.casefold(), names)]

    def named(self, word: str) -> list[Row]:
        """Those with that name or path; case doesn't matter."""
        return [
            row
            for row in self._rows.values()
            if same(str(row.get("name") or ""), word) or same(str(row.get("pathstring") or ""), word)
        ]
