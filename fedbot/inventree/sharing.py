"""What can be shared under a word, and what of the shared stock fits a search.

InvenTree can't search metadata, so the list of what is shared comes along with the question. A friend's search runs
under the friend's own token, whose rights and logs then apply (DESIGN §2).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from fedbot.federation.questions import FindItems, FindShareable, Scope, SearchStock, Shareable, StockHits, Thing
from fedbot.federation.shelf import CATEGORY, ITEM, PART, share_id
from fedbot.federation.stock import Part, StockItem
from fedbot.inventree.catalogue import MOST_PARTS, find_items, parts_by_ipn, parts_by_name
from fedbot.inventree.categories import Categories
from fedbot.inventree.merges import with_merges
from fedbot.inventree.rows import Row, amount, item_of, part_of
from fedbot.inventree.server import Server
from fedbot.inventree.transport import InvenTreeTransport

_PAGE = 250
_MOST_PAGES = 4
_MOST_FILTERS = 10
_MOST_FOUND = 20
_MOST_ROWS = 100
_QUOTES = str.maketrans(dict.fromkeys("\"',|", " "))


# --- what can be shared --------------------------------------------------------------------------------------


def find_shareable(server: Server, question: FindShareable) -> Shareable:
    """The stock item, parts and categories that the word means."""
    word = question.word.strip()
    categories = Categories.read(server.api)
    kind, _, key = word.partition(":")
    if kind == "part" and key.isdecimal():
        row = server.api.row_if_there(f"part/{int(key)}/")
        return Shareable((_part(row, categories),)) if row else Shareable()
    if kind == "category" and key.isdecimal():
        found = categories.get(int(key))
        return Shareable((_category(found, categories),)) if found else Shareable()
    if "#" in word or "://" in word:
        things = _items(server, word, categories)
        if things:
            return Shareable(things)
    parts = parts_by_ipn(server, word) or parts_by_name(server, word)
    in_categories = [_category(row, categories) for row in categories.named(word)]
    things = (*(_part(row, categories) for row in parts), *in_categories)
    if things:
        return Shareable(things)
    near = server.api.rows("part/", search=word.translate(_QUOTES), limit=MOST_PARTS)
    return Shareable(near=(*(str(row.get("name") or "") for row in near), *categories.like(word)))


def _items(server: Server, word: str, categories: Categories) -> tuple[Thing, ...]:
    found = find_items(server, FindItems(word), categories)
    origins = dict(found.tainted)
    return tuple(
        Thing(
            ITEM,
            item.pk,
            f"{item.part.name} #{item.pk}",
            (share_id(PART, item.part.pk), *(share_id(CATEGORY, pk) for pk in item.part.categories)),
            origins.get(item.pk, ""),
            item.quantity if item.in_stock else Decimal(0),
            salable=item.part.salable,
        )
        for item in found.items
    )


def _part(row: Row, categories: Categories) -> Thing:
    above = tuple(share_id(CATEGORY, pk) for pk in categories.chain(row.get("category")))
    part = part_of(row)
    return Thing(PART, part.pk, part.name, above, quantity=amount(row.get("in_stock")), salable=part.salable)


def _category(row: Row, categories: Categories) -> Thing:
    pk = int(row["pk"])
    above = tuple(share_id(CATEGORY, each) for each in categories.chain(pk)[1:])
    return Thing(
        CATEGORY, pk, str(row.get("pathstring") or row.get("name")), above, parts=int(row.get("part_count") or 0)
    )


# --- searching -----------------------------------------------------------------------------------------------


def search_stock(server: Server, question: SearchStock) -> StockHits:
    """The stock of the first twenty parts that fit, in at most some seventy calls, and mostly in three or four."""
    words = question.words.translate(_QUOTES).casefold().split()
    if not words:
        return StockHits()
    leaving = {place.pk for place in server.places.meant_by(server.settings.outgoing)}
    with server.under(question.reference) as api:
        parts, cut = _Search(api, question.scope, words).parts()
        items = tuple(
            item for part in parts for item in _stock(api, server, part, leaving) if question.scope.covers(item)
        )
    return with_merges(server, StockHits(items, cut), question.received)


def _stock(api: InvenTreeTransport, server: Server, part: Part, leaving: set[int]) -> Iterator[StockItem]:
    for row in api.rows("stock/", part=part.pk, in_stock="true", limit=_MOST_ROWS):
        if row.get("part") == part.pk and row.get("location") not in leaving:
            yield item_of(row, server.version, part=part)


class _Search:
    """The parts in a scope that have all the words in their name, IPN, keywords or description."""

    def __init__(self, api: InvenTreeTransport, scope: Scope, words: list[str]) -> None:
        self._api = api
        self._scope = scope
        self._words = words
        self._categories = Categories.read(api) if scope.categories else Categories(())

    def parts(self) -> tuple[list[Part], bool]:
        """The first of them, and whether there may be more."""
        found: dict[int, Part] = {}
        complete = True
        for filters in self._filters():
            complete = self._take(found, filters) and complete
        parts = list(found.values())
        return parts[:_MOST_FOUND], len(parts) > _MOST_FOUND or not complete

    def _filters(self) -> list[dict[str, object]]:
        """Narrow ones for a few categories; else the whole catalogue is searched, and what isn't shared left out."""
        scope = self._scope
        if scope.everything or len(scope.categories) > _MOST_FILTERS:
            return [{}]
        narrow: list[dict[str, object]] = [{"category": pk, "cascade": "true"} for pk in scope.categories]
        return narrow + ([{}] if scope.parts or scope.item_parts else [])

    def _take(self, found: dict[int, Part], filters: dict[str, object]) -> bool:
        """Look through a few pages; whether that was all."""
        text = " ".join(self._words)
        for page in range(_MOST_PAGES):
            rows = self._api.rows(
                "part/", search=text, has_stock="true", limit=_PAGE, offset=page * _PAGE, ordering="name", **filters
            )
            for row in rows:
                part = part_of(row, self._categories.chain(row.get("category")))
                if self._fits(part, row):
                    found.setdefault(part.pk, part)
            if len(rows) < _PAGE:
                return True
            if len(found) > _MOST_FOUND:
                break
        return False

    def _fits(self, part: Part, row: dict[str, Any]) -> bool:
        """InvenTree also searches what nobody here asked for, such as a supplier's numbers."""
        scope = self._scope
        shared = (
            scope.everything
            or part.pk in scope.parts
            or part.pk in scope.item_parts
            or bool(set(scope.categories) & set(part.categories))
        )
        told = " ".join([part.name, part.ipn, part.keywords, part.description, str(row.get("full_name") or "")])
        return shared and all(word in told.casefold() for word in self._words)
