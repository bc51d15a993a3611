"""Which stock items, parts or categories a word means (`#42`, an IPN, a name, `PART#SERIAL`), and what is shared."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from fedbot.inventree import metadata
from fedbot.inventree.rows import Row, amount, item_of, part_of, plain, same
from fedbot.inventree.server import Server
from fedbot.inventree.stock import item_row_if_there, rows_of_part
from fedbot.inventree.transport import InvenTreeTransport
from fedbot.rules.model.catalogue import CATEGORY, ITEM, PART, share_id
from fedbot.rules.model.queries import (
    FindItems,
    FindShareable,
    ItemsFound,
    Scope,
    SearchStock,
    Shareable,
    StockHits,
    Thing,
)
from fedbot.rules.model.scanned_codes import stock_item_in
from fedbot.rules.model.stock import Part, StockItem

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


# A part may lie in very many places; a person can't choose among more than this anyway.
_MOST_ITEMS = 20
MOST_PARTS = 100

# No table is that long: a number with more digits is no key, and no question for the database.
_KEY = re.compile(r"#\s*(\d{1,9})")
# The item's page in the web interface (new, old) and in the API, with or without what follows.
_ITEM_PATH = re.compile(r"/(?:(?:web|platform)/)?(?:api/)?stock/(?:item/)?(\d{1,9})(?:/.*)?")


def find_items(server: Server, question: FindItems, categories: Categories | None = None) -> ItemsFound:
    """The stock items that a word means, or parts with nearly that name."""
    return _found(server, question, categories)


def _found(server: Server, question: FindItems, categories: Categories | None) -> ItemsFound:
    word = question.word.strip()
    if categories is None:
        categories = Categories.read(server.api) if question.with_categories else Categories(())
    key = _key_in(server, word)
    if key is not None:
        return _one(server, key, categories)
    if not word or "://" in word:
        return ItemsFound()
    parts = parts_by_ipn(server, word)
    if not parts and "#" in word:
        found = _by_serial(server, word, categories)
        if found is not None:
            return found
    near: list[dict[str, Any]] = []
    if not parts:
        near = server.api.rows("part/", search=word.replace("|", " "), limit=MOST_PARTS)
        parts = [row for row in near if word.casefold() in _names(row)]
    if parts:
        return _in_stock(server, parts, categories)
    return ItemsFound(parts=tuple(part_of(row) for row in near))


def parts_by_ipn(server: Server, ipn: str) -> list[dict[str, Any]]:
    """The parts with this IPN; case doesn't matter (facts: the filter is exact, but case-insensitive)."""
    rows = server.api.rows("part/", IPN=plain(ipn))
    return [row for row in rows if same(str(row.get("IPN") or ""), ipn)]


def parts_by_name(server: Server, name: str) -> list[dict[str, Any]]:
    """The parts with exactly this name; case doesn't matter. InvenTree ignores `?name=`, so it's a search."""
    rows = server.api.rows("part/", search=plain(name), limit=MOST_PARTS)
    return [row for row in rows if same(str(row.get("name") or ""), name)]


def _names(row: Row) -> tuple[str, str]:
    """What a person may call a part: its name, or the full name that InvenTree shows: 'IPN | name'."""
    return str(row.get("name") or "").casefold(), str(row.get("full_name") or "").casefold()


def _key_in(server: Server, word: str) -> int | None:
    """The item's key in `#42`, a scanned code, or a link to our own InvenTree, by whichever of its addresses."""
    if (scanned := stock_item_in(word)) is not None:
        return scanned
    match = _KEY.fullmatch(word)
    if match is None and "://" in word:
        link = urlsplit(word)
        for address in (server.api.base_url, server.settings.public_url):
            home = urlsplit(address)
            if link.netloc.casefold() == home.netloc.casefold():
                match = match or _ITEM_PATH.fullmatch(link.path.removeprefix(home.path.rstrip("/")))
    return int(match[1]) if match else None


def _one(server: Server, key: int, categories: Categories) -> ItemsFound:
    """One item by its key, in stock or not, with its whole part (a stock row tells no keywords)."""
    row = item_row_if_there(server, key)
    if row is None:
        return ItemsFound()
    return _with_origins(server, [(row, _part(server.api.row(f"part/{row['part']}/"), categories))])


def _part(row: Row, categories: Categories) -> Part:
    return part_of(row, categories.chain(row.get("category")))


def _by_serial(server: Server, word: str, categories: Categories) -> ItemsFound | None:
    """The item that `PART#SERIAL` means, or None if there is no such part."""
    name, _, serial = (piece.strip() for piece in word.rpartition("#"))
    if not name or not serial:
        return None
    parts = parts_by_ipn(server, name) or parts_by_name(server, name)
    if not parts:
        return None
    found = [
        (row, _part(part, categories))
        for part in parts
        for row in rows_of_part(server, int(part["pk"]), serial=serial)
        if str(row.get("serial") or "") == serial
    ]
    return _with_origins(server, found)


def _in_stock(server: Server, parts: Iterable[Row], categories: Categories) -> ItemsFound:
    """What lies in stock of these parts, but not what is on its way out."""
    outgoing = server.places.meant_by(server.settings.outgoing)
    leaving = {place.pk for place in outgoing}
    found = [
        (row, _part(part, categories))
        for part in parts
        for row in rows_of_part(server, int(part["pk"]), in_stock="true")
        if row.get("location") not in leaving
    ]
    known = tuple(part_of(part) for part in parts)
    found_items = _with_origins(server, found[:_MOST_ITEMS])
    return ItemsFound(items=found_items.items, parts=() if found else known, tainted=found_items.tainted)


def _with_origins(server: Server, found: Iterable[tuple[Row, Part]]) -> ItemsFound:
    """The items with their metadata, those in stock first, and which of them came from another party."""
    items: list[StockItem] = []
    tainted: list[tuple[int, str]] = []
    for row, part in found:
        pk = int(row["pk"])
        content = metadata.read(server, "stockitem", pk)
        own = metadata.provenance_in(content)
        origin = metadata.origin_of(server, row, own)
        if origin:
            tainted.append((pk, origin))
        items.append(
            item_of(
                row,
                server.version,
                part=part,
                provenance=own if own is not None and own.item == pk else None,
                metadata=metadata.foreign_part(content),
            )
        )
    items.sort(key=lambda item: (not item.in_stock, item.pk))  # the oldest leaves first
    return ItemsFound(items=tuple(items), tainted=tuple(tainted))


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
        return Shareable((_shareable_part(row, categories),)) if row else Shareable()
    if kind == "category" and key.isdecimal():
        found = categories.get(int(key))
        return Shareable((_category(found, categories),)) if found else Shareable()
    if "#" in word or "://" in word or stock_item_in(word) is not None:
        things = _items(server, word, categories)
        if things:
            return Shareable(things)
    parts = parts_by_ipn(server, word) or parts_by_name(server, word)
    in_categories = [_category(row, categories) for row in categories.named(word)]
    things = (*(_shareable_part(row, categories) for row in parts), *in_categories)
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


def _shareable_part(row: Row, categories: Categories) -> Thing:
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
    return StockHits(items, cut)


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
